/* Activations on vectors, with first and second derivatives. For *_k.c files; every instruction set and both widths from this
 * one source. No fast-math: infinities, NaN, denormals and far tails come out right.
 *
 * Measured over all floats, worst of the builds with and without FMA: values within 3 ulp (tanh 2.7, softplus and sigmoid 2.8,
 * elu 1; swish 3.7 down to beta a = -87, below which sigmoid is a denormal), derivatives within 0.85 * 2^-21 absolute. Doubles
 * are within 3 ulp as far as sampled. The coefficients come from bench/act_coefficients.py.
 */
#ifndef LAM_KERNELS_ACT_H
#define LAM_KERNELS_ACT_H
#include "kernels/vec.h"
#include "base/choices.h"

#if LAM_WIDTH == 32
#define ACT_MANTISSA 23
#define ACT_BIAS 127
#define ACT_ONE_HALF 12582912.0f /* 1.5 * 2^23: adding it leaves the nearest integer in the low bits */
#define ACT_LN2_HIGH 0x1.63p-1f  /* few bits, so that n times it is exact */
#define ACT_LN2_LOW (-0x1.bd0106p-13f)
#define ACT_SHIFT 64     /* exponents are kept this much up or down to reach the denormals */
#define ACT_POW_SHIFT 0x1p64f
#define ACT_TANH_MAX 9.5f /* tanh is 1 from 9.02 */
#define ACT_ONE_MAX 20.0f /* sigmoid is 1 from 17.4, expm1 -1 below -17.4 */
#define ACT_EXP_MIN (-104.5f) /* exp is 0 below -104 */
#else
#define ACT_MANTISSA 52
#define ACT_BIAS 1023
#define ACT_ONE_HALF 6755399441055744.0 /* 1.5 * 2^52 */
#define ACT_LN2_HIGH 0x1.62e42fee00000p-1
#define ACT_LN2_LOW 0x1.a39ef35793c76p-33
#define ACT_SHIFT 200
#define ACT_POW_SHIFT 0x1p200
#define ACT_TANH_MAX 20.0
#define ACT_ONE_MAX 40.0
#define ACT_EXP_MIN (-746.0)
#endif
#define ACT_LOG2E ((real)1.44269504088896340736)
#define ACT_SIGN ((uvec)vbits(vset(-(real)0)))

/* c[0] + c[1] x + ... */
LAM_INLINE vec act_polynomial(vec x, const real *c, int n)
{
    vec sum = vset(c[n - 1]);
    for (int i = n - 2; i >= 0; i--)
        sum = sum * x + vset(c[i]);
    return sum;
}

/* (tanh y - y) / y^3 of v = y^2, |y| <= ln 2 / 4 */
LAM_INLINE vec act_tanh_q(vec v)
{
#if LAM_WIDTH == 32
    static const real c[] = { -0x1.55554ep-2f, 0x1.1105a2p-3f, -0x1.afe1bap-5f };
#else
    static const real c[] = { -0x1.55555555554bdp-2, 0x1.11111110e0d3cp-3, -0x1.ba1ba117505e0p-5, 0x1.664eca20f66eap-6,
        -0x1.223c85b97608ep-7, 0x1.c387084bb0262p-9 };
#endif
    return act_polynomial(v, c, sizeof c / sizeof c[0]);
}

/* expm1 r, |r| <= ln 2 / 2 */
LAM_INLINE vec act_expm1_near(vec r)
{
#if LAM_WIDTH == 32
    static const real c[] = { 0x1.fffffep-2f, 0x1.5554b2p-3f, 0x1.555708p-5f, 0x1.122660p-7f, 0x1.6b8316p-10f };
#else
    static const real c[] = { 0x1.0000000000005p-1, 0x1.5555555555542p-3, 0x1.555555555212bp-5, 0x1.1111111116c4fp-7,
        0x1.6c16c17f25556p-10, 0x1.a01a018151506p-13, 0x1.a019a6c00c3c6p-16, 0x1.71de6c4454e45p-19, 0x1.28a270d5593d4p-22,
        0x1.ae9816516a03bp-26 };
#endif
    return act_polynomial(r, c, sizeof c / sizeof c[0]) * (r * r) + r;
}

/* log1p(u) / u, 0 <= u <= 1 */
LAM_INLINE vec act_log1p_ratio(vec u)
{
#if LAM_WIDTH == 32
    static const real c[] = { 1, -0x1.ffff14p-2f, 0x1.5535dcp-2f, -0x1.fd1334p-3f, 0x1.884454p-3f, -0x1.19ad20p-3f,
        0x1.446a3cp-4f, -0x1.ec9354p-6f, 0x1.5f8feap-8f };
    return act_polynomial(u, c, sizeof c / sizeof c[0]);
#else
    static const real low[] = { 1, -0x1.ffffffffffde3p-2, 0x1.555555553f86fp-2, -0x1.fffffff60e796p-3, 0x1.999998701fb22p-3,
        -0x1.555540510068bp-3, 0x1.24914ca652ffep-3, -0x1.ffef4711e1519p-4, 0x1.c6b428afb7e34p-4, -0x1.97ac8ca0a7a05p-4 };
    static const real high[] = { 0x1.6d4d5a51a1c23p-4, -0x1.40e4dd4e0353ap-4, 0x1.0ba8ba4506c2cp-4, -0x1.9639487b8845ap-5,
        0x1.0b16560bab6c5p-5, -0x1.20d9e45a8bc7fp-6, 0x1.e4b1c9c36b016p-8, -0x1.2459d90af6a3ep-9, 0x1.bf946184778f7p-12,
        -0x1.44dd1a7c102eep-15 };
    vec u2 = u * u, u4 = u2 * u2;
    return act_polynomial(u, high, 10) * (u4 * u4 * u2) + act_polynomial(u, low, 10);
#endif
}

/* Nearest integer n to x * scale; *power = 2^(n + up), for n + up in the range of normal exponents. */
LAM_INLINE vec act_nearest(vec x, real scale, int up, vec *power)
{
    const vec magic = vset(ACT_ONE_HALF + (real)(ACT_BIAS + up));
    vec shifted = x * vset(scale) + magic;
    *power = vreal((ivec)((uvec)vbits(shifted) << ACT_MANTISSA));
    return shifted - magic;
}

/* e^x = 2^n (1 + p): returns p, and 2^(n + up). */
LAM_INLINE vec act_exp_parts(vec x, int up, vec *power)
{
    vec n = act_nearest(x, ACT_LOG2E, up, power);
    vec r = x - n * vset(ACT_LN2_HIGH);
    return act_expm1_near(r - n * vset(ACT_LN2_LOW));
}

/* With |x| = n ln 2 / 2 + y, t = tanh y and s = 2^n = e^(2|x| - 2y): tanh |x| = a / b, a = s (1 + t) - (1 - t),
 * b = s (1 + t) + (1 - t). a is written so that it is 2t for n = 0, and b as a + 2 (1 - t): the rounding of a then cancels
 * near |tanh x| = 1, where the second derivative multiplies the error of the value by 4. */
LAM_INLINE vec vtanh(vec x)
{
    vec s, size = vmin(ACT_TANH_MAX, vreal((ivec)((uvec)vbits(x) & ~ACT_SIGN)));
    vec n = act_nearest(size, 2 * ACT_LOG2E, 0, &s);
#if LAM_WIDTH == 32 && defined(LAM_FUSED)
    vec y = size - n * vset((real)0.34657359027997264); /* n is 27 at most: what this leaves is 3e-8 there, and less before */
#else
    vec y = (size - n * vset(ACT_LN2_HIGH / 2)) - n * vset(ACT_LN2_LOW / 2);
#endif
    vec y2 = y * y;
    vec t = act_tanh_q(y2) * (y2 * y) + y;
    vec a = (s + vset(1)) * t + (s - vset(1));
    vec b = a + (vset(2) - t * vset(2));
    return vreal((ivec)((uvec)vbits(a / b) | ((uvec)vbits(x) & ACT_SIGN)));
}

/* u = e^-|x|, sigmoid(x) and its derivative: with relative accuracy on both sides. */
LAM_INLINE vec act_logistic(vec x, vec *sigma, vec *slope)
{
    vec power, below = vmax(ACT_EXP_MIN, vreal((ivec)((uvec)vbits(x) | ACT_SIGN)));
    vec p = act_exp_parts(below, ACT_SHIFT, &power);
    vec u = (power * p + power) * vset(1 / ACT_POW_SHIFT);
    vec right = vset(1) / (vset(1) + u), left = u * right;
    *slope = left * right;
    *sigma = vselect(vbits(x) >> (LAM_WIDTH - 1), left, right);
    return u;
}

/* log(1 + e^x), sigmoid(x) and its derivative. What is not used costs nothing. */
LAM_INLINE vec vsoftplus(vec x, vec *sigma, vec *slope)
{
    vec u = act_logistic(x, sigma, slope);
    return u * act_log1p_ratio(u) + vmax(0, x);
}

/* 1 / (1 + e^-x), with relative accuracy down to the denormals */
LAM_INLINE vec vsigmoid(vec x)
{
    vec power;
    x = vmin(ACT_ONE_MAX, vmax(ACT_EXP_MIN, x));
    vec p = act_exp_parts(-x, -ACT_SHIFT, &power);
    return vset(1 / ACT_POW_SHIFT) / ((power * p + power) + vset(1 / ACT_POW_SHIFT));
}

/* e^x - 1 for x <= 0 */
LAM_INLINE vec vexpm1_below(vec x)
{
    vec power, p = act_exp_parts(vmax(-ACT_ONE_MAX, x), 0, &power);
    return power * p + (power - vset(1));
}

/* e^x for x <= 0, with relative accuracy down to the denormals */
LAM_INLINE vec vexp_below(vec x)
{
    vec power, p = act_exp_parts(vmax(ACT_EXP_MIN, x), ACT_SHIFT, &power);
    return (power * p + power) * vset(1 / ACT_POW_SHIFT);
}

LAM_INLINE vec act_sigmoid(vec a) /* of gates */
{
    return vsigmoid(a);
}

LAM_INLINE void act_store(vec *to, vec v)
{
    if (to != NULL)
        *to = v;
}

/* Value and first and second derivative of each activation. beta is swish's parameter, which the others do not look at. NULL: not wanted. */
LAM_INLINE void act_tanh(vec beta, vec a, vec *h, vec *d1, vec *d2)
{
    vec value = vtanh(a), slope = vset(1) - value * value;
    (void)beta;
    act_store(h, value);
    act_store(d1, slope);
    act_store(d2, (value * vset(-2)) * slope);
}

LAM_INLINE void act_softplus(vec beta, vec a, vec *h, vec *d1, vec *d2)
{
    vec sigma, slope, value = vsoftplus(a, &sigma, &slope);
    (void)beta;
    act_store(h, value);
    act_store(d1, sigma);
    act_store(d2, slope);
}

/* At 0 the derivatives are those from the left, as PyTorch has them. */
LAM_INLINE void act_elu(vec beta, vec a, vec *h, vec *d1, vec *d2)
{
    vec below = vexpm1_below(vmin(0, a)), slope = below + vset(1);
    (void)beta;
    act_store(h, vmax(0, a) + below);
    act_store(d1, slope);
    act_store(d2, vselect(VMASK(a > vset(0)), vset(0), slope));
}

/* 0 at 0, as PyTorch has it; the value is 0 or NaN where a > 0 does not hold, which hands NaN on. */
LAM_INLINE void act_relu(vec beta, vec a, vec *h, vec *d1, vec *d2)
{
    vec value = vmax(0, a);
    ivec positive = VMASK(a > vset(0));
    (void)beta;
    act_store(h, value);
    act_store(d1, vselect(positive, vset(1), value));
    act_store(d2, vselect(positive, vset(0), value));
}

/* b = beta a and a for the derivatives of swish: limited to where s' is not 0, so that products stay 0 in the tails. */
LAM_INLINE vec act_swish_bound(vec b)
{
    return vmin(-ACT_EXP_MIN, vmax(ACT_EXP_MIN, b));
}

/* With s = sigmoid(b), b = beta a: h = a s, h' = s + b s', h'' = beta s' (2 + b (1 - 2 s)). a = -inf gives 0. */
LAM_INLINE void act_swish(vec beta, vec a, vec *h, vec *d1, vec *d2)
{
    const real least = LAM_WIDTH == 32 ? (real)-0x1.fffffep127 : (real)-0x1.fffffffffffffp1023;
    vec b = beta * a, bound = act_swish_bound(b), s, slope;
    act_logistic(b, &s, &slope);
    act_store(h, vmax(least, a) * s);
    act_store(d1, bound * slope + s);
    act_store(d2, (beta * slope) * (bound * (vset(1) - (s + s)) + vset(2)));
}

LAM_INLINE void act_square(vec beta, vec a, vec *h, vec *d1, vec *d2)
{
    (void)beta;
    act_store(h, a * a);
    act_store(d1, a + a);
    act_store(d2, vset(2));
}

LAM_INLINE void act_identity(vec beta, vec a, vec *h, vec *d1, vec *d2)
{
    (void)beta;
    act_store(h, a);
    act_store(d1, vset(1));
    act_store(d2, vset(0));
}

/* The same by kind, a lam_activation that is a constant where this is inlined. */
LAM_INLINE void act_eval(int kind, vec beta, vec a, vec *h, vec *d1, vec *d2)
{
    switch ((lam_activation)kind) {
#define ACT_CASE(code, word, name, keeps) \
    case code:                            \
        act_##name(beta, a, h, d1, d2);   \
        return;
        LAM_ACTIVATION_LIST(ACT_CASE, LAM_NONE)
#undef ACT_CASE
    }
}

/* Derivatives by beta of swish's value, a^2 s', and of its first derivative, a s' (2 + b (1 - 2 s)); 0 at a = +-inf. */
LAM_INLINE void act_beta(vec beta, vec a, vec *dh, vec *dd1)
{
    const real most = LAM_WIDTH == 32 ? (real)0x1.fffffep127 : (real)0x1.fffffffffffffp1023;
    vec b = beta * a, bound = act_swish_bound(b), s, slope;
    act_logistic(b, &s, &slope);
    vec x = vmin(most, vmax(-most, a)), first = x * slope;
    act_store(dh, x * first);
    act_store(dd1, first * (bound * (vset(1) - (s + s)) + vset(2)));
}

/* With s', s'', s''' the derivatives of sigmoid at b = beta a: swish's third derivative, beta^2 (3 s'' + b s'''), and the derivative
 * by beta of its second, 2 s' + b (4 s'' + b s'''). */
LAM_INLINE void act_swish_third(vec beta, vec a, vec *d3, vec *dd2)
{
    vec b = beta * a, bound = act_swish_bound(b), s, slope;
    act_logistic(b, &s, &slope);
    vec second = slope * (vset(1) - (s + s)), third = bound * (slope * (vset(1) - vset(6) * slope));
    act_store(d3, (beta * beta) * (vset(3) * second + third));
    act_store(dd2, bound * (vset(4) * second + third) + (slope + slope));
}

#endif
