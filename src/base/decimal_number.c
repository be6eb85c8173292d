/* Reads decimal numbers fast and exactly. */
#include "base/decimal_number.h"
#include "base/powers_of_five.h"
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* 128-bit products; an extension of both compilers on every 64-bit target. */
__extension__ typedef unsigned __int128 wide;

enum { MOST_DIGITS = 19 /* that 64 bits hold whatever they are */, MOST_WRITTEN = 100000 };

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

/* The double nearest to w 10^q, ties to even, by Eisel's and Lemire's algorithm (Lemire 2021, algorithm 1); 0: it is not decided, or q is outside
 * of the table. Inside it no double is subnormal or infinite. */
static int round_product(uint64_t w, int q, double *value)
{
    if (w == 0)
        return *value = 0, 1;
    if (q < LAM_FIVE_LEAST || q > LAM_FIVE_MOST)
        return 0;
    int zeros = __builtin_clzll(w);
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
    if (mantissa >= (uint64_t)1 << 53)
        mantissa = (uint64_t)1 << 52, exponent++;
    uint64_t bits = (uint64_t)exponent << 52 | (mantissa & ~((uint64_t)1 << 52));
    memcpy(value, &bits, sizeof bits);
    return 1;
}

/* w 10^q. A w below 2^53 times or over a power of ten up to 10^22 is exact in both factors, so one operation rounds correctly (Clinger 1990). */
static int scale(uint64_t w, int q, double *value)
{
    static const double power[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
        1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
    if (w >> 53 != 0 || q < -22 || q > 22)
        return round_product(w, q, value);
    *value = q < 0 ? (double)w / power[-q] : (double)w * power[q];
    return 1;
}

/* ---- digits ------------------------------------------------------------------------------------------------------- */

/* The digits of a number: it lies from mantissa 10^exponent on, and below (mantissa + 1) 10^exponent. */
typedef struct digits {
    uint64_t mantissa;
    int exponent, cut; /* cut: some digits were left off */
} digits;

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
/* Appends eight digits at once, if the next eight bytes are digits. */
static int eight(const char *p, uint64_t *mantissa)
{
    uint64_t v;
    memcpy(&v, p, 8);
    if (((v & UINT64_C(0xF0F0F0F0F0F0F0F0)) | ((v + UINT64_C(0x0606060606060606)) & UINT64_C(0xF0F0F0F0F0F0F0F0)) >> 4)
        != UINT64_C(0x3333333333333333))
        return 0;
    v = (v & UINT64_C(0x0F0F0F0F0F0F0F0F)) * 2561 >> 8; /* pairs, fours, eight */
    v = (v & UINT64_C(0x00FF00FF00FF00FF)) * 6553601 >> 16;
    v = (v & UINT64_C(0x0000FFFF0000FFFF)) * 42949672960001 >> 32;
    *mantissa = *mantissa * 100000000 + v;
    return 1;
}
#else
static int eight(const char *p, uint64_t *mantissa)
{
    (void)p, (void)mantissa;
    return 0;
}
#endif

/* Appends the digits at p; there are many of them behind a point, and few in front of it. */
static inline const char *take_digits(const char *p, const char *end, int many, uint64_t *mantissa)
{
    uint64_t m = *mantissa;
    while (many && end - p >= 8 && eight(p, &m))
        p += 8;
    for (; p < end && is_digit(*p); p++)
        m = m * 10 + (uint64_t)(*p - '0');
    *mantissa = m;
    return p;
}

/* Of more digits than 64 bits hold, from p to stop: the first that count. */
static void cut_digits(const char *p, const char *stop, char point, digits *out)
{
    int behind = 0, taken = 0;
    *out = (digits) { 0 };
    for (; p < stop; p++) {
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

const char *lam_decimal_number(const char *p, const char *end, char point, double *value)
{
    digits d = { 0 };
    double above;
    int negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    const char *first = p;
    p = take_digits(p, end, 0, &d.mantissa);
    ptrdiff_t n = p - first;
    if (p < end && *p == point) {
        const char *behind = ++p;
        p = take_digits(p, end, 1, &d.mantissa);
        n += p - behind;
        d.exponent = p - behind < MOST_WRITTEN ? (int)(behind - p) : -MOST_WRITTEN;
    }
    if (n == 0)
        return NULL;
    if (n > MOST_DIGITS) {
        if (n >= MOST_WRITTEN)
            return NULL;
        cut_digits(first, p, point, &d);
    }
    if (p < end && (*p | 0x20) >= 'd' && (*p | 0x20) <= 'e' && (p = take_exponent(p + 1, end, &d.exponent)) == NULL)
        return NULL;
    if (!scale(d.mantissa, d.exponent, value) || (d.cut && (!scale(d.mantissa + 1, d.exponent, &above) || *value != above)))
        return NULL;
    if (negative)
        *value = -*value;
    return p;
}
