/* Activations over arrays, for tests and for code outside the tile kernels; any n, any alignment. */
#ifndef LAM_KERNELS_ACT_ARRAY_H
#define LAM_KERNELS_ACT_ARRAY_H
#include "kernels/isa.h"
#include "base/choices.h"
#include <stddef.h>

/* eval: h[i], d1[i], d2[i] = value, first and second derivative at a[i], i < n; NULL for what is not wanted; kind is a
 * lam_activation, beta is used by swish only. beta: derivatives by beta of swish's value and of its first derivative.
 * sigmoid: h[i] = 1 / (1 + exp(-a[i])). Outputs may be the input array, but not overlap otherwise.
 * gate: s = sigmoid(g), h = f s. gate_reverse: of cotangents gh of h, gf = gh s and gg = gh h (1 - s).
 * softmax: p[i] = factor exp(a[i]) / sum exp(a), n >= 1; returns log sum exp(a). */
#define LAM_ACT_TABLE(type, real)                                                                         \
    typedef struct type {                                                                                 \
        void (*eval)(int kind, real beta, const real *a, real *h, real *d1, real *d2, size_t n);          \
        void (*beta)(real beta, const real *a, real *dh, real *dd1, size_t n);                            \
        void (*sigmoid)(const real *a, real *h, size_t n);                                                \
        void (*gate)(const real *f, const real *g, real *h, real *s, size_t n);                           \
        void (*gate_reverse)(const real *gh, const real *h, const real *s, real *gf, real *gg, size_t n); \
        double (*softmax)(const real *a, real factor, real *p, size_t n);                                 \
    } type
LAM_ACT_TABLE(lam_act_f32, float);
LAM_ACT_TABLE(lam_act_f64, double);
#undef LAM_ACT_TABLE

/* NULL when this build has none for the instruction set; whether the processor can run it is lam_isa_available's to say. */
const lam_act_f32 *lam_act_f32_for(lam_isa isa);
const lam_act_f64 *lam_act_f64_for(lam_isa isa);

/* Defined in act_k.c, once per width and instruction set. */
#define LAM_ACT_DECLARE(isa)                          \
    extern const lam_act_f32 lam_act_array_f32_##isa; \
    extern const lam_act_f64 lam_act_array_f64_##isa;
LAM_ACT_DECLARE(scalar)
LAM_ACT_DECLARE(sse2)
LAM_ACT_DECLARE(avx2)
LAM_ACT_DECLARE(avx512)
LAM_ACT_DECLARE(neon)
#undef LAM_ACT_DECLARE

#endif
