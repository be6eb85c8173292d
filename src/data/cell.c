/* Reads one cell of a text file: a number, a time of day, a missing value, or text. */
#include "data/cell.h"
#include "base/decimal_number.h"
#include "base/number.h"
#include <math.h>
#include <string.h>
#include <strings.h>

#define MINUS "\xE2\x88\x92" /* U+2212, in UTF-8 */

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int is_word(const char *cell, size_t n, const char *word)
{
    return strlen(word) == n && strncasecmp(cell, word, n) == 0;
}

/* [+-] and then nan, nan(...) as C libraries print it, or 1.#IND, 1.#QNAN, 1.#SNAN as Microsoft's does, with digits behind. */
static int is_printed_nan(const char *cell, size_t n)
{
    static const char *const microsoft[] = { "1.#IND", "1.#QNAN", "1.#SNAN" };
    if (n > 0 && (*cell == '-' || *cell == '+'))
        cell++, n--;
    if (n >= 3 && strncasecmp(cell, "nan", 3) == 0)
        return n == 3 || (cell[3] == '(' && cell[n - 1] == ')');
    for (size_t i = 0; i < sizeof microsoft / sizeof *microsoft; i++) {
        size_t length = strlen(microsoft[i]);
        if (n < length || strncasecmp(cell, microsoft[i], length) != 0)
            continue;
        while (n > length && is_digit(cell[n - 1]))
            n--;
        return n == length;
    }
    return 0;
}

/* Nothing but "?", "-" or "*", as often as it likes, or one "."; SAS and Stata have ".a" to ".z" and "._" beside it. */
static int is_sign(const char *cell, size_t n)
{
    if (cell[0] == '.' && n == 2)
        return cell[1] == '_' || (cell[1] >= 'a' && cell[1] <= 'z') || (cell[1] >= 'A' && cell[1] <= 'Z');
    if (cell[0] == '.')
        return n == 1;
    if (cell[0] != '?' && cell[0] != '-' && cell[0] != '*')
        return 0;
    for (size_t i = 1; i < n; i++)
        if (cell[i] != cell[0])
            return 0;
    return 1;
}

/* The spellings of pandas, R, SQL, SAS, Stata, Fortran, spreadsheets and C libraries, in any case. */
static int is_missing(const char *cell, size_t n)
{
    static const char *const words[] = { "NA", "N/A", "n.a.", "<NA>", "null", "(null)", "[null]", "none", "nil", "NaT", "missing", "\\N",
        "#N/A", "#N/A N/A", "#NA", "#VALUE!", "#DIV/0!", "#REF!", "#NAME?", "#NUM!", "#NULL!", MINUS, "\xE2\x80\x93" /* en dash */,
        "\xE2\x80\x94" /* em dash */ };
    if (n == 0 || is_sign(cell, n) || is_printed_nan(cell, n))
        return 1;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (is_word(cell, n, words[i]))
            return 1;
    return 0;
}

/* Numbers that the fast way does not decide; those of 512 letters are far beyond what any double needs to be told apart. */
static int read_slowly(const char *cell, size_t n, double *value)
{
    char text[512];
    if (n >= sizeof text)
        return 0;
    for (size_t i = 0; i < n; i++)
        text[i] = (cell[i] | 32) == 'd' ? 'e' : cell[i];
    text[n] = '\0';
    if (lam_number_read(text, value) != 0)
        *value = cell[0] == '-' ? -(double)INFINITY : (double)INFINITY; /* the syntax was checked, so it is out of range */
    return 1;
}

/* [+-] and then "inf", "infinity" or Microsoft's "1.#INF", with zeros behind. */
static int read_infinity(const char *cell, size_t n, double *value)
{
    double sign = n > 0 && *cell == '-' ? -1 : 1;
    if (n > 0 && (*cell == '-' || *cell == '+'))
        cell++, n--;
    while (n > 6 && cell[n - 1] == '0')
        n--;
    if (!is_word(cell, n, "inf") && !is_word(cell, n, "infinity") && !is_word(cell, n, "1.#INF"))
        return 0;
    return *value = sign * (double)INFINITY, 1;
}

/* [+-] digits [. digits] [e [+-] digits], e being Fortran's d as well. */
static int is_number(const char *p, const char *end)
{
    int digits = 0;
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    for (int point = 0; p < end && (is_digit(*p) || (*p == '.' && !point)); p++) {
        point |= *p == '.';
        digits |= *p != '.';
    }
    if (p < end && digits && ((*p | 32) == 'e' || (*p | 32) == 'd')) {
        p++;
        if (p < end && (*p == '-' || *p == '+'))
            p++;
        if (p == end)
            return 0;
        while (p < end && is_digit(*p))
            p++;
    }
    return digits && p == end;
}

/* As strtod reads it, which is asked only where the fast way does not decide. */
static int read_number(const char *cell, size_t n, double *value)
{
    if (lam_decimal_number(cell, cell + n, '.', value) == cell + n)
        return 1;
    return is_number(cell, cell + n) && read_slowly(cell, n, value);
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

/* A number behind the sign that typesetters use. */
static int read_typeset(const char *cell, size_t n, double *value)
{
    size_t sign = strlen(MINUS);
    if (n <= sign || memcmp(cell, MINUS, sign) != 0 || cell[sign] == '-' || cell[sign] == '+' || !read_number(cell + sign, n - sign, value))
        return 0;
    *value = -*value;
    return 1;
}

lam_cell_kind lam_cell_read(const char *cell, size_t n, double *value)
{
    if (read_number(cell, n, value) || read_infinity(cell, n, value) || read_typeset(cell, n, value))
        return LAM_CELL_NUMBER;
    if (read_time(cell, n, value))
        return LAM_CELL_TIME;
    *value = (double)NAN;
    return is_missing(cell, n) ? LAM_CELL_MISSING : LAM_CELL_TEXT;
}

lam_comma_form lam_cell_comma(const char *cell, size_t n)
{
    const char *comma = memchr(cell, ',', n), *end = cell + n, *p = cell;
    if (comma == NULL)
        return LAM_COMMA_NONE;
    if (memchr(cell, '.', n) != NULL || memchr(comma + 1, ',', (size_t)(end - comma - 1)) != NULL)
        return LAM_COMMA_OTHER;
    double value;
    if (lam_cell_read_comma(cell, n, &value) != LAM_CELL_NUMBER)
        return LAM_COMMA_OTHER;
    if (*p == '-' || *p == '+')
        p++;
    int group = comma - p >= 1 && comma - p <= 3 && *p != '0' && end - comma == 4; /* three digits, or "1,5e3" */
    for (const char *q = comma + 1; q < end; q++)
        group = group && is_digit(*q);
    return group ? LAM_COMMA_EITHER : LAM_COMMA_DECIMAL;
}

lam_cell_kind lam_cell_read_comma(const char *cell, size_t n, double *value)
{
    char text[512];
    const char *comma = memchr(cell, ',', n);
    if (n < sizeof text && comma != NULL && memchr(cell, '.', n) == NULL) {
        memcpy(text, cell, n);
        text[comma - cell] = '.';
        return lam_cell_read(text, n, value);
    }
    lam_cell_kind kind = lam_cell_read(cell, n, value);
    if (kind != LAM_CELL_NUMBER || isinf(*value) || memchr(cell, '.', n) == NULL)
        return kind;
    *value = (double)NAN; /* "1.234" may be meant as a thousand */
    return LAM_CELL_TEXT;
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
