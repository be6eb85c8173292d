/* Activations of every instruction set that runs here, against the C library in a wider type. */
#include "kernels/act_array.h"
#include "kernels/isa.h"
#include <setjmp.h>
#include <stdarg.h>
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* What issue and design ask for: values to 5 ulp, derivatives to 2^-21 absolute. The sweep prints what it finds. */
static const double value_ulps = 5, derivative_bound = 0x1p-21;

/* The kinds of lam_activation are counted from 0; gates' sigmoid comes after them. */
#define ONE(...) + 1
enum { KINDS = 0 LAM_ACTIVATION_LIST(ONE, LAM_NONE), SIGMOID = KINDS };
static const char *const names[] = { "tanh", "softplus", "elu", "relu", "swish", "square", "identity", "sigmoid" };

typedef struct triple {
    long double h, d1, d2;
} triple;

static long double sigmoid_of(long double x)
{
    return x >= 0 ? 1 / (1 + expl(-x)) : expl(x) / (1 + expl(x));
}

/* In long double, for doubles. */
static triple reference(int kind, long double x)
{
    long double s = sigmoid_of(x), slope = s * sigmoid_of(-x), t;
    switch (kind) {
    case LAM_ACT_TANH:
        t = tanhl(x);
        return (triple) { t, 1 - t * t, -2 * t * (1 - t * t) };
    case LAM_ACT_SOFTPLUS:
        return (triple) { x > 0 ? x + log1pl(expl(-x)) : log1pl(expl(x)), s, slope };
    case LAM_ACT_ELU:
        return x > 0 ? (triple) { x, 1, 0 } : (triple) { expm1l(x), expl(x), expl(x) };
    case LAM_ACT_RELU:
        return (triple) { x > 0 ? x : 0, x > 0, 0 };
    case LAM_ACT_SWISH:
        return (triple) { x * s, s + x * slope, slope * (2 + x * (1 - 2 * s)) };
    case LAM_ACT_SQUARE:
        return (triple) { x * x, 2 * x, 2 };
    default:
        return (triple) { x, 1, 0 };
    }
}

/* |got - want| in ulps of want for a significand of `digits` bits and least exponent e_min. */
static double ulps(long double got, long double want, int digits, int e_min)
{
    int e;
    if (got == want)
        return 0;
    if (!isfinite(got))
        return INFINITY;
    frexpl(want, &e);
    if (want == 0 || e < e_min)
        e = e_min;
    return (double)(fabsl(got - want) / ldexpl(1, e - digits));
}

static float from_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

enum { CHUNK = 1000 }; /* not a whole number of vectors: the last ones are tails */

/* Every 2003rd float between -inf and inf, chunk by chunk; returns how many were filled. */
static size_t next_floats(uint64_t *bits, float *a)
{
    size_t n = 0;
    for (; n < CHUNK && *bits <= UINT32_MAX; *bits += 2003) {
        a[n] = from_bits((uint32_t)*bits);
        n += isfinite(a[n]) ? 1 : 0;
    }
    return n;
}

/* In double, for floats: there are many of them. */
static triple reference_f32(int kind, double x)
{
    double u = exp(-fabs(x)), right = 1 / (1 + u), left = u * right, s = x < 0 ? left : right, slope = left * right, t;
    switch (kind) {
    case LAM_ACT_TANH:
        t = tanh(x);
        return (triple) { t, 1 - t * t, -2 * t * (1 - t * t) };
    case LAM_ACT_SOFTPLUS:
        return (triple) { fmax(x, 0) + log1p(u), s, slope };
    case LAM_ACT_ELU:
        return x > 0 ? (triple) { x, 1, 0 } : (triple) { expm1(x), u, u };
    case LAM_ACT_SWISH:
        return (triple) { x * s, s + x * slope, slope * (2 + x * (1 - 2 * s)) };
    case SIGMOID:
        return (triple) { s, 0, 0 };
    default:
        return reference(kind, x);
    }
}

typedef struct worst_of {
    double value, slope, curve;
} worst_of;

/* Worst errors of one instruction set at a[0 .. n) added to w. */
static void compare_f32(const lam_act_f32 *act, int kind, const float *a, const triple *want, size_t n, worst_of *w)
{
    float h[CHUNK], d1[CHUNK] = { 0 }, d2[CHUNK] = { 0 };
    if (kind == SIGMOID)
        act->sigmoid(a, h, n);
    else
        act->eval(kind, 1, a, h, d1, d2, n);
    for (size_t i = 0; i < n; i++) {
        if (kind == LAM_ACT_SQUARE && fabsf(a[i]) > 1e18f)
            continue; /* overflows, as it should */
        if (kind == LAM_ACT_SWISH && a[i] < -87) /* sigmoid is a denormal there, with that many fewer bits */
            assert_true(fabs((double)(h[i] - want[i].h)) < 1e-42);
        else
            w->value = fmax(w->value, ulps(h[i], want[i].h, 24, -125));
        w->slope = fmax(w->slope, fabs(d1[i] - (double)want[i].d1));
        w->curve = fmax(w->curve, fabs(d2[i] - (double)want[i].d2));
    }
}

static void floats_are_accurate(void **state)
{
    (void)state;
    static float a[CHUNK];
    static triple want[CHUNK];
    for (int kind = 0; kind <= SIGMOID; kind++) {
        worst_of worst[LAM_ISA_COUNT] = { 0 };
        uint64_t bits = 0;
        for (size_t n; (n = next_floats(&bits, a)) != 0;) {
            for (size_t i = 0; i < n; i++)
                want[i] = reference_f32(kind, a[i]);
            for (lam_isa isa = LAM_SCALAR; isa < LAM_ISA_COUNT; isa++)
                if (lam_isa_available(isa))
                    compare_f32(lam_act_f32_for(isa), kind, a, want, n, &worst[isa]);
        }
        for (lam_isa isa = LAM_SCALAR; isa < LAM_ISA_COUNT; isa++) {
            if (!lam_isa_available(isa))
                continue;
            print_message("  %s %s: %.2f ulp, derivatives %.2f and %.2f of 2^-21\n", names[kind], lam_isa_name(isa),
                worst[isa].value, worst[isa].slope / derivative_bound, worst[isa].curve / derivative_bound);
            assert_true(worst[isa].value <= value_ulps);
            assert_true(worst[isa].slope <= derivative_bound);
            assert_true(worst[isa].curve <= derivative_bound);
        }
    }
}

static void check_kind_f64(const lam_act_f64 *act, int kind)
{
    static double a[CHUNK], h[CHUNK], d1[CHUNK], d2[CHUNK];
    double worst = 0, worst1 = 0, worst2 = 0;
    for (int e = -40; e <= 9; e++) { /* |x| from 1e-12 to past where everything is saturated */
        for (size_t i = 0; i < CHUNK; i++)
            a[i] = ldexp(1 + (double)(i / 2) / (CHUNK / 2) + 1e-5, e) * (i % 2 == 0 ? 1 : -1);
        act->eval(kind, 1, a, h, d1, d2, CHUNK);
        for (size_t i = 0; i < CHUNK; i++) {
            triple r = reference(kind, a[i]);
            if (kind != LAM_ACT_SWISH || a[i] > -708) /* as in float */
                worst = fmax(worst, ulps(h[i], r.h, 53, -1021));
            worst1 = fmax(worst1, (double)fabsl(d1[i] - r.d1));
            worst2 = fmax(worst2, (double)fabsl(d2[i] - r.d2));
        }
    }
    assert_true(worst <= value_ulps);
    assert_true(worst1 <= 0x1p-50); /* the same number of bits short of the width as in float */
    assert_true(worst2 <= 0x1p-50);
}

/* The instruction sets that can run, one call of check each. */
static void for_each_isa(void (*check)(const lam_act_f32 *f32, const lam_act_f64 *f64))
{
    size_t ran = 0;
    for (lam_isa isa = LAM_SCALAR; isa < LAM_ISA_COUNT; isa++) {
        if (!lam_isa_available(isa))
            continue;
        assert_non_null(lam_act_f32_for(isa));
        assert_non_null(lam_act_f64_for(isa));
        check(lam_act_f32_for(isa), lam_act_f64_for(isa));
        ran++;
    }
    assert_true(ran >= 1);
}

static void check_f64(const lam_act_f32 *f32, const lam_act_f64 *f64)
{
    (void)f32;
    for (size_t k = 0; k < KINDS; k++)
        check_kind_f64(f64, (int)k);
}

static void doubles_are_accurate(void **state)
{
    (void)state;
    for_each_isa(check_f64);
}

static void check_sigmoid_f64(const lam_act_f32 *f32, const lam_act_f64 *f64)
{
    double x[CHUNK], y[CHUNK];
    (void)f32;
    for (size_t i = 0; i < CHUNK; i++)
        x[i] = (double)i * 0.787 - 743; /* from the denormals to 44 */
    f64->sigmoid(x, y, CHUNK);
    for (size_t i = 0; i < CHUNK; i++)
        assert_true(ulps(y[i], sigmoid_of(x[i]), 53, -1021) <= value_ulps);
}

static void sigmoid_of_doubles(void **state)
{
    (void)state;
    for_each_isa(check_sigmoid_f64);
}

static void check_limits(const lam_act_f32 *f32, const lam_act_f64 *f64)
{
    enum { N = 7 };
    const float a[N] = { INFINITY, -INFINITY, NAN, 0, -0.0f, 100, -90 };
    const double b[N] = { INFINITY, -INFINITY, NAN, 0, -0.0, 800, -740 };
    float h[N], d1[N], d2[N];
    double g[N], e1[N], e2[N];
    for (size_t k = 0; k < KINDS; k++) {
        int kind = (int)k, is_constant = kind == LAM_ACT_SQUARE || kind == LAM_ACT_IDENTITY;
        double at_inf = kind == LAM_ACT_TANH ? 1 : INFINITY;
        double at_minus_inf = kind == LAM_ACT_TANH || kind == LAM_ACT_ELU ? -1 : kind == LAM_ACT_SQUARE ? INFINITY
            : kind == LAM_ACT_IDENTITY ? -INFINITY : 0;
        f32->eval(kind, 1, a, h, d1, d2, N);
        f64->eval(kind, 1, b, g, e1, e2, N);
        assert_true(h[0] == at_inf && g[0] == at_inf);
        assert_true(h[1] == at_minus_inf && g[1] == at_minus_inf);
        assert_true(isnan(h[2]) && isnan(g[2]));
        if (is_constant)
            continue;
        assert_true(isnan(d1[2]) && isnan(e1[2]) && isnan(d2[2]) && isnan(e2[2]));
        assert_true(d1[0] == (kind == LAM_ACT_TANH ? 0 : 1) && e1[0] == d1[0]);
        assert_true(d1[1] == 0 && e1[1] == 0 && d2[0] == 0 && d2[1] == 0 && e2[0] == 0 && e2[1] == 0);
        assert_true(h[3] == h[4] && g[3] == g[4]);
        if (kind == LAM_ACT_SOFTPLUS) { /* no threshold: exact above, a denormal of the right size below */
            assert_true(h[5] == 100 && g[5] == 800);
            assert_true(h[6] > 0 && ulps(h[6], expl(-90), 24, -125) <= 1);
            assert_true(g[6] > 0 && ulps(g[6], expl(-740), 53, -1021) <= 1);
        }
    }
    f32->sigmoid(a, h, N);
    assert_true(h[0] == 1 && h[1] == 0 && isnan(h[2]) && h[3] == 0.5f && h[4] == 0.5f);
}

static void limits_are_right(void **state)
{
    (void)state;
    for_each_isa(check_limits);
}

/* Swish with its beta: against closed forms, and d/dbeta against the same function at beta +- eps in double. */
static void check_beta(const lam_act_f32 *f32, const lam_act_f64 *f64)
{
    enum { N = 401 };
    double a[N], h[2][N], d1[2][N], d2[N], dh[N], dd1[N];
    float af[N], dhf[N], dd1f[N], hf[N], d2f[N];
    const double betas[] = { 1, 0.3, 2.75, -0.8 }, eps = 1e-5;
    for (size_t i = 0; i < N; i++)
        af[i] = (float)(a[i] = (double)((int)i - N / 2) / 8);
    for (size_t k = 0; k < sizeof betas / sizeof betas[0]; k++) {
        double beta = betas[k];
        f64->eval(LAM_ACT_SWISH, beta + eps, a, h[0], d1[0], NULL, N);
        f64->eval(LAM_ACT_SWISH, beta - eps, a, h[1], d1[1], NULL, N);
        f64->beta(beta, a, dh, dd1, N);
        for (size_t i = 0; i < N; i++) { /* error of a central difference: eps^2 a^4 / 6 * max|sigmoid'''|, plus rounding / eps */
            assert_true(fabs((h[0][i] - h[1][i]) / (2 * eps) - dh[i]) < 2e-8);
            assert_true(fabs((d1[0][i] - d1[1][i]) / (2 * eps) - dd1[i]) < 2e-8);
        }
        f32->beta((float)beta, af, dhf, dd1f, N);
        f32->eval(LAM_ACT_SWISH, (float)beta, af, hf, NULL, d2f, N);
        f64->eval(LAM_ACT_SWISH, (double)(float)beta, a, h[0], NULL, d2, N);
        f64->beta((double)(float)beta, a, dh, dd1, N);
        for (size_t i = 0; i < N; i++) { /* b = beta a is rounded: up to 2^-24 |b| relative, and a few roundings more */
            double wide = 0x1p-22 * (1 + fabs(beta * a[i]));
            assert_true(fabs(hf[i] - h[0][i]) <= wide * fabs(h[0][i]));
            assert_true(fabs(d2f[i] - d2[i]) <= 4 * wide);
            assert_true(fabs(dhf[i] - dh[i]) <= wide * fabs(dh[i]));
            assert_true(fabs(dd1f[i] - dd1[i]) <= 4 * wide);
        }
    }
    const float ends[2] = { INFINITY, -INFINITY };
    f32->beta(1, ends, dhf, dd1f, 2);
    for (size_t i = 0; i < 2; i++)
        assert_true(dhf[i] == 0 && dd1f[i] == 0);
}

static void swish_and_its_beta(void **state)
{
    (void)state;
    for_each_isa(check_beta);
}

/* Any n, any alignment, nothing written past the end, outputs left out, and a value that does not depend on its lane. */
static void check_arrays(const lam_act_f32 *f32, const lam_act_f64 *f64)
{
    enum { N = 70 };
    (void)f64;
    float a[N + 1], all[N], one, out[N + 2];
    for (size_t i = 0; i <= N; i++)
        a[i] = (float)((double)i * 0.17 - 6);
    for (size_t k = 0; k < KINDS; k++) {
        f32->eval((int)k, 1, a + 1, all, NULL, NULL, N);
        for (size_t n = 0; n <= N; n++) {
            for (size_t i = 0; i < N + 2; i++)
                out[i] = 777;
            f32->eval((int)k, 1, a + 1, out + 1, NULL, NULL, n);
            assert_memory_equal(out + 1, all, n * sizeof *all);
            assert_true(out[0] == 777 && out[n + 1] == 777);
        }
        f32->eval((int)k, 1, a + 1 + 33, &one, NULL, NULL, 1);
        assert_true(one == all[33]);
        f32->eval((int)k, 1, a + 1, NULL, all, NULL, N);
        f32->eval((int)k, 1, a + 1, NULL, out, out + 1, 1);
        assert_true(out[0] == all[0]);
    }
}

static void arrays_of_any_length(void **state)
{
    (void)state;
    for_each_isa(check_arrays);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floats_are_accurate),
        cmocka_unit_test(doubles_are_accurate),
        cmocka_unit_test(sigmoid_of_doubles),
        cmocka_unit_test(limits_are_right),
        cmocka_unit_test(swish_and_its_beta),
        cmocka_unit_test(arrays_of_any_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
