/* Chooses the array functions of an instruction set. */
#include "kernels/act_array.h"

#define LAM_ACT_CASE_(tag, width, isa) \
    case tag:                          \
        return &lam_act_array_##width##_##isa;

#ifdef LAM_HAVE_sse2
#define LAM_ACT_SSE2(width) LAM_ACT_CASE_(LAM_SSE2, width, sse2)
#else
#define LAM_ACT_SSE2(width)
#endif
#ifdef LAM_HAVE_avx2
#define LAM_ACT_AVX2(width) LAM_ACT_CASE_(LAM_AVX2, width, avx2)
#else
#define LAM_ACT_AVX2(width)
#endif
#ifdef LAM_HAVE_avx512
#define LAM_ACT_AVX512(width) LAM_ACT_CASE_(LAM_AVX512, width, avx512)
#else
#define LAM_ACT_AVX512(width)
#endif
#ifdef LAM_HAVE_neon
#define LAM_ACT_NEON(width) LAM_ACT_CASE_(LAM_NEON, width, neon)
#else
#define LAM_ACT_NEON(width)
#endif

#define LAM_ACT_FOR(width)                                    \
    const lam_act_##width *lam_act_##width##_for(lam_isa isa) \
    {                                                         \
        switch (isa) {                                        \
            LAM_ACT_CASE_(LAM_SCALAR, width, scalar)          \
            LAM_ACT_SSE2(width)                               \
            LAM_ACT_AVX2(width)                               \
            LAM_ACT_AVX512(width)                             \
            LAM_ACT_NEON(width)                               \
        default:                                              \
            return NULL;                                      \
        }                                                     \
    }

LAM_ACT_FOR(f32)
LAM_ACT_FOR(f64)
