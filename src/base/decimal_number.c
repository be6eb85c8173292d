/* Reads decimal numbers fast and exactly. */
#include "base/decimal_number.h"
#include "base/powers_of_five.h"
#include "base/word.h"
#include <stddef.h>

/* 128-bit products; an extension of both compilers on every 64-bit target. */
__extension__ typedef unsigned __int128 wide;

enum { MOST_DIGITS = 19 /* that 64 bits hold whatever they are */, MOST_WRITTEN = 100000, WORDS = 3, NEAR = 2 * 8 * WORDS + 2 };

static int is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

/* ---- rounding ----------------------------------------------------------------------------------------------------- */

/* The upper 128 bits, about, of w 5^q: w has its top bit set. The low half of the power is looked at only where it may change the 55 bits that
 * rounding needs. */
static wide product_of(uint64_t w, const uint64_t five[2])
{
    wide first = (wide)w * five[0];
    if (((uint64_t)(first >> 64) & 0x1FF) == 0x1FF)
        first += (uint64_t)((wide)w * five[1] >> 64);
    return first;
}

/* The bits of the double nearest to w 10^q, ties to even, by Eisel's and Lemire's algorithm (Lemire 2021, algorithm 1); 0: it is not decided, or q is
 * outside of the table. Inside it no double is subnormal or infinite. */
static inline int round_product(uint64_t w, int q, uint64_t *bits)
{
    if (q < LAM_FIVE_LEAST || q > LAM_FIVE_MOST)
        return *bits = 0, w == 0;
    if (q == 0 && w >> 53 == 0) { /* whole numbers, of which columns have all or none */
        double whole = (double)w;
        memcpy(bits, &whole, sizeof whole);
        return 1;
    }
    int zeros = __builtin_clzll(w | (w == 0));
    wide product = product_of(w << zeros, lam_powers_of_five[q - LAM_FIVE_LEAST]);
    uint64_t high = (uint64_t)(product >> 64), low = (uint64_t)product;
    if (low == UINT64_MAX && (q < -27 || q > 55)) /* the power is rounded there, and a carry may be missing */
        return 0;
    int upper = (int)(high >> 63), shift = upper + 64 - 52 - 3;
    uint64_t mantissa = high >> shift;
    /* floor(q log2 10) + 63, and the bias of a double */
    int exponent = (((152170 + 65536) * q) >> 16) + 63 + upper - zeros + 1023;
    if (low <= 1 && q >= -4 && q <= 23 && (mantissa & 3) == 1 && mantissa << shift == high)
        mantissa &= ~(uint64_t)1; /* exactly in the middle: down to the even one */
    mantissa = (mantissa + (mantissa & 1)) >> 1;
    *bits = ((uint64_t)(exponent - 1) << 52) + mantissa; /* the mantissa's first bit, and a carry out of it, count in the exponent */
    *bits &= -(uint64_t)(w != 0); /* no branch: zeros come at random */
    return 1;
}

/* ---- digits ------------------------------------------------------------------------------------------------------- */

/* The digits of a number: it lies from mantissa 10^exponent on, and below (mantissa + 1) 10^exponent. */
typedef struct digits {
    uint64_t mantissa;
    int exponent, cut; /* cut: some digits were left off */
} digits;

/* Eight digits of a byte each, the first the lowest, as one number: pairs, fours, eight. */
static inline uint64_t join_digits(uint64_t v)
{
    v = v * 2561 >> 8;
    v = (v & UINT64_C(0x00FF00FF00FF00FF)) * 6553601 >> 16;
    return (v & UINT64_C(0x0000FFFF0000FFFF)) * 42949672960001 >> 32;
}

/* Appends the digits at p, eight at a time and up to WORDS times. How many there are is data, not control, where they are few: branches that depend
 * on it could not be foreseen. */
static inline const char *take_digits(const char *p, uint64_t *mantissa)
{
    static const uint64_t power[] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000 };
    for (int k = 0; k < WORDS; k++, p += 8) {
        uint64_t v = lam_word_read(p) ^ UINT64_C(0x3030303030303030); /* of digits their values, all others above 9 */
        uint64_t others = (((v & UINT64_C(0x7F7F7F7F7F7F7F7F)) + UINT64_C(0x7676767676767676)) | v) & UINT64_C(0x8080808080808080);
        if (others != 0) {
            int n = __builtin_ctzll(others) / 8;
            *mantissa = *mantissa * power[n] + join_digits(v << (56 - 8 * n) << 8); /* behind leading zeros */
            return p + n;
        }
        *mantissa = *mantissa * 100000000 + join_digits(v);
    }
    return p;
}

/* digits [point digits], where NEAR bytes may be read; NULL: there are none, or too many for 64 bits. */
static inline const char *near_digits(const char *p, char point, digits *out)
{
    const char *first = p;
    if (is_digit(*p) && !is_digit(p[1])) /* one digit: as a rule, which is foreseen */
        out->mantissa = (uint64_t)(*p++ - '0');
    else
        p = take_digits(p, &out->mantissa);
    ptrdiff_t n = p - first;
    if (*p == point) {
        const char *behind = ++p;
        p = take_digits(p, &out->mantissa);
        n += p - behind;
        out->exponent = (int)(behind - p);
    }
    for (; n > MOST_DIGITS && (*first == '0' || *first == point); first++)
        n -= *first == '0';
    return n > 0 && n <= MOST_DIGITS && !is_digit(*p) ? p : NULL;
}

/* The same of any length up to end, byte by byte: the first digits that count. */
static const char *all_digits(const char *p, const char *end, char point, digits *out)
{
    const char *first = p;
    int behind = 0, taken = 0;
    *out = (digits) { 0 };
    for (; p < end && p - first < MOST_WRITTEN && (is_digit(*p) || (*p == point && !behind)); p++) {
        if (*p == point) {
            behind = 1;
            continue;
        }
        int keep = taken < MOST_DIGITS;
        if (keep)
            out->mantissa = out->mantissa * 10 + (uint64_t)(*p - '0');
        taken += keep && out->mantissa > 0;
        out->cut |= !keep && *p != '0';
        out->exponent += behind ? -keep : !keep;
    }
    return p - first > behind && p - first < MOST_WRITTEN ? p : NULL;
}

/* [+-] digits behind the e, added to *exponent; NULL: there are none. */
static const char *take_exponent(const char *p, const char *end, int *exponent)
{
    int written = 0, negative = 0;
    if (p < end && (*p == '-' || *p == '+'))
        negative = *p++ == '-';
    if (p == end || !is_digit(*p))
        return NULL;
    for (; p < end && is_digit(*p); p++)
        written = written < MOST_WRITTEN ? 10 * written + (*p - '0') : written;
    *exponent += negative ? -written : written;
    return p;
}

/* From the digits on to the double: what stands behind them is an exponent, or no part of the number. */
static inline const char *finish(const char *p, const char *end, digits d, uint64_t negative, double *value)
{
    uint64_t bits, above;
    if (p < end && (*p | 0x20) >= 'd' && (*p | 0x20) <= 'e' && (p = take_exponent(p + 1, end, &d.exponent)) == NULL)
        return NULL;
    if (!round_product(d.mantissa, d.exponent, &bits) || (d.cut && (!round_product(d.mantissa + 1, d.exponent, &above) || bits != above)))
        return NULL;
    bits |= negative << 63;
    memcpy(value, &bits, sizeof bits);
    return p;
}

static const char *finish_all(const char *p, const char *end, char point, uint64_t negative, double *value)
{
    digits d;
    p = all_digits(p, end, point, &d);
    return p == NULL ? NULL : finish(p, end, d, negative, value);
}

const char *lam_decimal_number(const char *p, const char *end, char point, double *value)
{
    if (p == end)
        return NULL;
    uint64_t negative = *p == '-';
    p += negative | (*p == '+');
    digits d = { 0 };
    char last[NEAR] = ""; /* where less is left: that, with room behind it */
    const char *from = end - p >= NEAR ? p : memcpy(last, p, (size_t)(end - p)), *behind = near_digits(from, point, &d);
    if (behind != NULL)
        return finish(p + (behind - from), end, d, negative, value);
    return finish_all(p, end, point, negative, value);
}
