/* Numbers to and from text. */
#include "base/number.h"
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* printf and strtod follow the thread's locale (a decimal comma in some); the "C" locale for the while of one call. */
static locale_t enter_c_locale(locale_t *old)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (c != (locale_t)0)
        *old = uselocale(c);
    return c;
}

static void leave_c_locale(locale_t c, locale_t old)
{
    if (c == (locale_t)0)
        return;
    uselocale(old);
    freelocale(c);
}

/* "1e-05" -> "1.0e-5", "1.5e+20" unchanged: text has an 'e', and room for two characters more. */
static void tidy_exponent(char *text)
{
    char *e = strchr(text, 'e');
    char digits[8];
    const char *exponent = e + 2; /* after its sign, which printf always writes */
    while (exponent[0] == '0' && exponent[1] != '\0')
        exponent++;
    snprintf(digits, sizeof digits, "%s", exponent);
    char sign = e[1];
    int has_point = memchr(text, '.', (size_t)(e - text)) != NULL;
    snprintf(e, (size_t)(text + LAM_NUMBER_SIZE - e), "%se%c%s", has_point ? "" : ".0", sign, digits);
}

void lam_number_print(double value, char text[LAM_NUMBER_SIZE])
{
    if (!isfinite(value)) {
        snprintf(text, LAM_NUMBER_SIZE, "%s", isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
        return;
    }
    char own[LAM_NUMBER_SIZE]; /* of a caller's pointer gcc's sanitizers assume here that it may be NULL */
    locale_t old = (locale_t)0, c = enter_c_locale(&old);
    for (int digits = 1; digits <= 17; digits++) { /* 17 always suffice for a double */
        snprintf(own, sizeof own, "%.*g", digits, value);
        double back = strtod(own, NULL);
        if (memcmp(&back, &value, sizeof value) == 0) /* by bits: -0 is not 0 */
            break;
    }
    leave_c_locale(c, old);
    strcpy(text, own);
    const char *e = strchr(text, 'e');
    if (e == NULL)
        return;
    double size = fabs(value);
    if (size >= 10 && size < 1e15 && value == nearbyint(value)) /* 1000 rather than 1e+03 */
        snprintf(text, LAM_NUMBER_SIZE, "%.0f", value);
    else
        tidy_exponent(text);
}

int lam_number_read(const char *text, double *out)
{
    /* strtod takes blanks, hexadecimal, "nan" and "inf" as well; none of them is meant here */
    if (text[0] == '\0' || text[strspn(text, "0123456789+-.eE")] != '\0')
        return -1;
    char *end;
    locale_t old = (locale_t)0, c = enter_c_locale(&old);
    double value = strtod(text, &end);
    leave_c_locale(c, old);
    if (*end != '\0' || !isfinite(value))
        return -1;
    *out = value;
    return 0;
}

int lam_whole_read(const char *text, uint64_t *out)
{
    uint64_t value = 0;
    if (text[0] == '\0')
        return -1;
    for (const char *p = text; *p != '\0'; p++) {
        if (*p < '0' || *p > '9')
            return -1;
        unsigned digit = (unsigned)(*p - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return -1;
        value = 10 * value + digit;
    }
    *out = value;
    return 0;
}

int lam_seconds_read(const char *text, double *out)
{
    static const struct {
        char unit;
        double seconds;
    } units[] = { { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };
    double sum = 0, value;
    size_t next = 0;
    if (lam_number_read(text, out) == 0)
        return 0;
    for (const char *p = text; *p != '\0'; p++) {
        char number[LAM_NUMBER_SIZE];
        size_t length = strspn(p, "0123456789.");
        snprintf(number, sizeof number, "%.*s", length < sizeof number ? (int)length : 0, p);
        p += length;
        while (next < 3 && units[next].unit != *p)
            next++;
        if (next == 3 || lam_number_read(number, &value) != 0)
            return -1;
        sum += value * units[next++].seconds;
    }
    if (text[0] == '\0')
        return -1;
    *out = sum;
    return 0;
}

double lam_number_round(double value, int digits)
{
    if (value == 0 || !isfinite(value))
        return value;
    double unit = pow(10, floor(log10(fabs(value))) - digits + 1);
    return unit >= 1 ? round(value / unit) * unit : round(value / unit) / round(1 / unit);
}
