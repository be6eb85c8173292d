/* Numbers as text, and UTF-8. */
#include "base/number.h"
#include "base/utf8.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <string.h>

static void numbers_are_shortest_and_come_back(void **state)
{
    (void)state;
    const struct { double value; const char *text; } known[] = {
        { 0, "0" }, { -0.0, "-0" }, { 1, "1" }, { 0.1, "0.1" }, { 1e-4, "0.0001" }, { 1e-5, "1.0e-5" }, { 1000, "1000" },
        { 20000, "20000" }, { 123456789, "123456789" }, { 1e14, "100000000000000" }, { 1e20, "1.0e+20" },
        { 1.5e-10, "1.5e-10" }, { 1.0 / 3, "0.3333333333333333" }, { DBL_MIN, "2.2250738585072014e-308" },
        { 5e-324, "5.0e-324" }, { DBL_MAX, "1.7976931348623157e+308" }, { INFINITY, "inf" }, { -INFINITY, "-inf" },
        { NAN, "nan" }, { 0.1 + 0.2, "0.30000000000000004" },
    };
    char text[LAM_NUMBER_SIZE];
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        lam_number_print(known[i].value, text);
        assert_string_equal(text, known[i].text);
    }
    uint64_t bits = 88172645463325252u; /* xorshift: doubles of every size */
    for (int i = 0; i < 20000; i++) {
        double value, back = 0;
        bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        lam_number_print(value, text);
        assert_int_equal(lam_number_read(text, &back), 0);
        assert_memory_equal(&back, &value, sizeof value);
    }
}

static void numbers_are_read_whole(void **state)
{
    (void)state;
    const char *bad[] = { "", " 1", "1 ", "1x", "nan", "inf", "0x10", "1e999", "-1e999", "1,5", "1.5.2", "e5", "--1", "." };
    double value = 7;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(lam_number_read(bad[i], &value), -1);
    assert_true(value == 7); /* untouched */
    assert_int_equal(lam_number_read("-1.5E+3", &value), 0);
    assert_true(value == -1500);
    const char *not_whole[] = { "", "-1", "+1", "1.0", "1e3", " 1", "18446744073709551616", "99999999999999999999999" };
    uint64_t whole = 7;
    for (size_t i = 0; i < sizeof not_whole / sizeof not_whole[0]; i++)
        assert_int_equal(lam_whole_read(not_whole[i], &whole), -1);
    assert_true(whole == 7);
    assert_int_equal(lam_whole_read("18446744073709551615", &whole), 0);
    assert_true(whole == UINT64_MAX);
}

static void numbers_are_rounded_to_digits(void **state)
{
    (void)state;
    assert_true(lam_number_round(0.0099999999999909, 6) == 0.01 && lam_number_round(-123456789.0, 3) == -123000000.0);
    assert_true(lam_number_round(14.619999999999992, 12) == 14.62 && lam_number_round(0, 3) == 0);
    assert_true(isinf(lam_number_round(INFINITY, 6)));
}

static void utf8_is_checked(void **state)
{
    (void)state;
    const char *good[] = { "", "abc", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xef\xbf\xbd", "\xf4\x8f\xbf\xbf" };
    const char *bad[] = { "\x80", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80",
        "\xff", "a\xe2\x82" }; /* stray, cut, overlong, surrogate, beyond the last */
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(lam_utf8_valid(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(lam_utf8_valid(bad[i]));
    const char *euro = good[3];
    assert_int_equal(lam_utf8_next(&euro), 0x20ac);
    assert_ptr_equal(euro, good[3] + 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_shortest_and_come_back),
        cmocka_unit_test(numbers_are_read_whole),
        cmocka_unit_test(numbers_are_rounded_to_digits),
        cmocka_unit_test(utf8_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
