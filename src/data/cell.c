#include "data/cell.h"
#include "base/number.h"
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int is_word(const char *cell, size_t n, const char *word)
{
    return strlen(word) == n && strncasecmp(cell, word, n) == 0;
}

static int is_missing(const char *cell, size_t n)
{
    static const char *const words[] = { "?", "NA", "N/A", "NaN", "null", "none" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (is_word(cell, n, words[i]))
            return 1;
    return n == 0;
}

/* Numbers too long for the fast way; far beyond what any double needs to be told apart. */
static int read_slowly(const char *cell, size_t n, double *value)
{
    char text[512];
    if (n >= sizeof text)
        return 0;
    memcpy(text, cell, n);
    text[n] = '\0';
    if (lam_number_read(text, value) != 0)
        *value = cell[0] == '-' ? -INFINITY : INFINITY; /* the syntax was checked, so it is out of range */
    return 1;
}

/* [+-] digits [. digits] [e [+-] digits]. A mantissa below 2^53 times or over a power of ten up to 10^22 is exact in both
 * factors, so one operation rounds correctly; the rest goes to strtod. */
static int read_number(const char *cell, size_t n, double *value)
{
    static const double power[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
        1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
    const char *p = cell, *end = cell + n;
    uint64_t mantissa = 0;
    int digits = 0, exact = 1, exponent = 0, written = 0, negative_exponent = 0;
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    if (is_word(p, (size_t)(end - p), "inf") || is_word(p, (size_t)(end - p), "infinity"))
        return *value = cell[0] == '-' ? -INFINITY : INFINITY, 1;
    for (int point = 0; p < end && (is_digit(*p) || (*p == '.' && !point)); p++) {
        if (*p == '.') {
            point = 1;
            continue;
        }
        digits++;
        exact = exact && mantissa < (UINT64_C(1) << 53) / 10 - 1;
        if (exact)
            mantissa = 10 * mantissa + (uint64_t)(*p - '0');
        exponent -= point && exact;
    }
    if (digits == 0)
        return 0;
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '-' || *p == '+'))
            negative_exponent = *p++ == '-';
        if (p == end)
            return 0;
        for (; p < end && is_digit(*p); p++)
            written = written < 100000 ? 10 * written + (*p - '0') : written;
    }
    if (p < end)
        return 0;
    exponent += negative_exponent ? -written : written;
    if (!exact || exponent < -22 || exponent > 22)
        return read_slowly(cell, n, value);
    double size = exponent < 0 ? (double)mantissa / power[-exponent] : (double)mantissa * power[exponent];
    *value = cell[0] == '-' ? -size : size;
    return 1;
}

/* Two digits below limit, or -1. */
static int two_digits(const char *p, int limit)
{
    int x = is_digit(p[0]) && is_digit(p[1]) ? 10 * (p[0] - '0') + (p[1] - '0') : limit;
    return x < limit ? x : -1;
}

static int read_time(const char *cell, size_t n, double *value)
{
    char text[12] = "0";
    const char *fraction = NULL;
    double seconds = 0;
    if (n < 4 || (cell[1] != ':' && cell[2] != ':'))
        return 0;
    size_t lead = cell[1] == ':'; /* 7:05 as 07:05 */
    size_t clock = n + lead > 8 ? 8 : n + lead;
    if (clock != 5 && clock != 8)
        return 0;
    memcpy(text + lead, cell, clock - lead);
    if (clock - lead < n)
        fraction = cell + (clock - lead);
    int hour = two_digits(text, 24), minute = two_digits(text + 3, 60);
    int second = clock == 8 ? two_digits(text + 6, 60) : 0;
    if (hour < 0 || minute < 0 || second < 0 || text[2] != ':' || (clock == 8 && text[5] != ':'))
        return 0;
    if (fraction != NULL
        && (*fraction != '.' || !read_number(fraction, (size_t)(cell + n - fraction), &seconds) || !(seconds < 1)))
        return 0;
    *value = 60.0 * hour + minute + (second + seconds) / 60.0;
    return 1;
}

lam_cell_kind lam_cell_read(const char *cell, size_t n, double *value)
{
    if (read_number(cell, n, value))
        return LAM_CELL_NUMBER;
    if (read_time(cell, n, value))
        return LAM_CELL_TIME;
    *value = NAN;
    return is_missing(cell, n) ? LAM_CELL_MISSING : LAM_CELL_TEXT;
}

const char *lam_cell_show(const char *cell, size_t n, char shown[LAM_SHOWN_SIZE])
{
    size_t kept = n > 40 ? 40 : n;
    for (size_t i = 0; i < kept; i++) {
        unsigned char c = (unsigned char)cell[i];
        shown[i] = c < 32 || c == 127 ? '?' : cell[i];
    }
    memcpy(shown + kept, n > kept ? "..." : "", n > kept ? 4 : 1);
    return shown;
}
