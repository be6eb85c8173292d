/* Decimal numbers against strtod, bit by bit: millions of drawn ones, and those that are hard to round. */
#include "base/decimal_number.h"
#include "base/random.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BEHIND = 70 /* bytes: with so many behind it, a number is not near the end */ };

/* 1: decided, and then it has to be what strtod says, in the middle of a line and at the end of a text, which are read in two ways. */
static int agrees(const char *text)
{
    char line[1300];
    size_t n = strlen(text);
    double value = 7, wanted = strtod(text, NULL);
    memcpy(line, text, n);
    memset(line + n, '9', BEHIND);
    line[n] = ','; /* digits behind it must not be read */
    const char *end = lam_decimal_number(line, line + n + BEHIND, '.', &value);
    if (end == NULL)
        return 0;
    if (end != line + n || memcmp(&value, &wanted, sizeof value) != 0)
        fail_msg("%s is read as %.17g up to \"%.8s\", and %.17g by strtod", text, value, end, wanted);
    double again = 7;
    assert_ptr_equal(lam_decimal_number(line, line + n, '.', &again), line + n);
    assert_memory_equal(&again, &wanted, sizeof again);
    return 1;
}

static uint64_t draw(uint64_t i, uint64_t k)
{
    uint32_t bits[4];
    lam_random_bits(20, LAM_DRAW_TEST, i, k, bits);
    return (uint64_t)bits[0] << 32 | bits[1];
}

/* Doubles of 1e-100 to 1e+100 as programs print them, with 1 to 17 digits: every one is decided. */
static void printed_numbers(void **state)
{
    (void)state;
    char text[64];
    for (uint64_t i = 0; i < 1500000; i++) {
        double u = (double)(draw(i, 0) >> 11) * 0x1p-53, value = i % 3 == 0 ? u : ldexp(1 + u, (int)(draw(i, 1) % 660) - 330);
        int digits = i % 2 == 0 ? 17 : 1 + (int)(draw(i, 2) % 17);
        snprintf(text, sizeof text, i % 5 == 0 ? "%.*f" : i % 5 == 1 ? "-%.*e" : "%.*g", i % 5 == 0 && value > 1 ? 3 : digits, value);
        if (strlen(text) < 20 && !agrees(text))
            fail_msg("%s is not decided", text);
    }
}

/* Any 64 bits with any exponent of the table, and beyond. */
static void any_mantissa(void **state)
{
    (void)state;
    char text[64];
    size_t decided = 0, inside = 0;
    for (uint64_t i = 0; i < 1500000; i++) {
        int exponent = (int)(draw(i, 4) % 300) - 150;
        snprintf(text, sizeof text, "%llue%d", (unsigned long long)(draw(i, 5) >> draw(i, 6) % 64), exponent);
        int in = exponent >= -128 && exponent <= 127 && strlen(text) < 20;
        inside += (size_t)in;
        decided += (size_t)(agrees(text) && in);
    }
    assert_int_equal(decided, inside);
}

/* The middle between two doubles, written to the end, with a digit changed, cut, and with a digit far behind: what is decided is right. Where it
 * has up to 19 digits it is decided. */
static void middles(void **state)
{
    (void)state;
    char text[1200], whole[1100];
    size_t decided = 0, n = 0;
    for (uint64_t i = 0; i < 60000; i++) {
        uint64_t mantissa = (draw(i, 7) >> 11 | UINT64_C(1) << 52) & ~(UINT64_C(1) << 53);
        int power = (int)(draw(i, 8) % 240) - 140;
        long double middle = ldexpl((long double)(2 * mantissa + 1), power);
        snprintf(whole, sizeof whole, "%.*Lf", power < 0 ? -power : 0, middle);
        n++, decided += (size_t)agrees(whole);
        snprintf(text, sizeof text, "%s1", strchr(whole, '.') != NULL ? whole : "0");
        agrees(text);
        size_t last = strlen(whole) - 1;
        if (whole[last] != '0') {
            whole[last]--;
            agrees(whole);
        }
        for (int digits = 16; digits < 25; digits++) {
            snprintf(text, sizeof text, "%.*Le", digits, middle);
            agrees(text);
        }
    }
    assert_true(decided > 0 && decided < n); /* both ways were gone */
    /* whole numbers of 2^53 and more have middles of 16 to 19 digits */
    for (uint64_t i = 0; i < 200000; i++) {
        uint64_t mantissa = draw(i, 9) >> 11 | UINT64_C(1) << 52, shift = 1 + draw(i, 10) % 10;
        for (int off = -1; off < 2; off++) {
            snprintf(text, sizeof text, "%llu", (unsigned long long)((mantissa << shift) + (UINT64_C(1) << (shift - 1)) + (uint64_t)(int64_t)off));
            if (strlen(text) < 20)
                assert_true(agrees(text));
        }
    }
}

/* All numbers of so many digits in front of the point and behind it, some of them with zeros in front, at every distance to the end. */
static void lengths(void **state)
{
    (void)state;
    char text[100];
    double value;
    for (size_t before = 0; before < 28; before++)
        for (size_t behind = 0; behind < 28; behind++)
            for (uint64_t i = 0; i < 40 && before + behind > 0; i++) {
                size_t n = before + behind, zeros = draw(i, 11) % (n + 1);
                for (size_t k = 0; k < n; k++)
                    text[k + (k >= before)] = (char)('0' + (k < zeros && i % 2 == 0 ? 0 : draw(i + 40 * n, 12 + k) % 10));
                text[before] = '.';
                text[n + 1] = '\0';
                if (!agrees(text) && n < 20)
                    fail_msg("%s is not decided", text);
                memset(text + n + 1, 'x', BEHIND - n);
                for (size_t size = n + 1; size <= BEHIND; size++)
                    assert_true(n > 19 || lam_decimal_number(text, text + size, '.', &value) == text + n + 1);
            }
}

static void forms(void **state)
{
    (void)state;
    static const char *const good[] = { "0", "-0", "+1", "1.", ".5", "-.5", "00012", "0.000000000000000000000000000123", "1e5", "1E+5", "1e-05", "0e9999",
        "9007199254740993", "9007199254740992.99999999", "123456789012345678901234567890", "1000000000000000000000000", "12345678", "1234567.8",
        "0.12345678901234567890", "18446744073709551615", "1.7976931348623157e127", "100000000000000000000.0000000000000000000001" };
    static const char *const bad[] = { "", "-", "+", ".", "-.", "e5", "x", "1e", "1e+", "1e-,", "nan", "inf", "--1", "1e400", "1e-400" };
    double value;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!agrees(good[i]))
            fail_msg("%s is not decided", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (lam_decimal_number(bad[i], bad[i] + strlen(bad[i]), '.', &value) != NULL)
            fail_msg("%s is read", bad[i]);
    /* a comma in the point's place, and Fortran's exponents */
    const char *comma = "-1,25d2;", *point = "1.5";
    assert_ptr_equal(lam_decimal_number(comma, comma + 8, ',', &value), comma + 7);
    assert_true(value == -125);
    assert_ptr_equal(lam_decimal_number(point, point + 3, ',', &value), point + 1);
    assert_true(value == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(printed_numbers),
        cmocka_unit_test(any_mantissa),
        cmocka_unit_test(middles),
        cmocka_unit_test(lengths),
        cmocka_unit_test(forms),
    };
    return cmocka_run_group_tests_name("decimal_number", tests, NULL, NULL);
}
