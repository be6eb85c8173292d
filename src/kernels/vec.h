/* Vectors of the instruction set this file is compiled for. One source, width set per build: LAM_WIDTH and LAM_ISA_<name>
 * come from the build system. Only *_k.c files include this. */
#ifndef LAM_KERNELS_VEC_H
#define LAM_KERNELS_VEC_H
#include "base/width.h"
#include <stdint.h>
#include <string.h>
#if defined(LAM_ISA_avx512) || defined(LAM_ISA_avx2) || defined(LAM_ISA_sse2)
#include <immintrin.h>
#elif defined(LAM_ISA_neon)
#include <arm_neon.h>
#endif

#if defined(LAM_ISA_avx512)
#define LAM_VBYTES 64
#define LAM_CV 4 /* vectors a column block of the micro-kernel: 6 x 4 accumulators of 32 registers */
#elif defined(LAM_ISA_avx2)
#define LAM_VBYTES 32
#define LAM_CV 2 /* 6 x 2 of 16 registers */
#elif defined(LAM_ISA_neon)
#define LAM_VBYTES 16
#define LAM_CV 4
#elif defined(LAM_ISA_sse2)
#define LAM_VBYTES 16
#define LAM_CV 2
#else /* scalar: the plain version that the others are tested against */
#define LAM_VBYTES (LAM_WIDTH / 8)
#define LAM_CV 1
#endif

#if defined(__FMA__) || defined(__aarch64__)
#define LAM_FUSED 1 /* a * b + c has one rounding */
#endif

/* LAM_K(name) gives a function its width and instruction set: name_f32_avx512. */
#define LAM_JOIN_(name, isa) name##_##isa
#define LAM_JOIN(name, isa) LAM_JOIN_(name, isa)
#define LAM_K(name) LAM_JOIN(LAM_W(name), LAM_ISA)

#define LAM_VL (LAM_VBYTES / (LAM_WIDTH / 8)) /* lanes */

#if LAM_WIDTH == 32
typedef int32_t lam_lane_int;
typedef uint32_t lam_lane_uint;
#else
typedef int64_t lam_lane_int;
typedef uint64_t lam_lane_uint;
#endif

#if LAM_VBYTES == LAM_WIDTH / 8
typedef real vec;
typedef lam_lane_int ivec;
typedef lam_lane_uint uvec;
#else
typedef real vec __attribute__((vector_size(LAM_VBYTES)));
typedef lam_lane_int ivec __attribute__((vector_size(LAM_VBYTES)));
typedef lam_lane_uint uvec __attribute__((vector_size(LAM_VBYTES)));
#endif

#define LAM_INLINE static inline __attribute__((always_inline))

LAM_INLINE vec vload(const real *p) /* p aligned to LAM_VBYTES */
{
    return *(const vec *)(const void *)p;
}

LAM_INLINE void vstore(real *p, vec v)
{
    *(vec *)(void *)p = v;
}

LAM_INLINE vec vset(real x)
{
#if LAM_VL == 1
    return x;
#else
    return x - (vec) { 0 };
#endif
}

LAM_INLINE ivec vbits(vec v)
{
    ivec i;
    memcpy(&i, &v, sizeof i);
    return i;
}

LAM_INLINE vec vreal(ivec i)
{
    vec v;
    memcpy(&v, &i, sizeof v);
    return v;
}

/* Lane masks are all ones or all zeros, as vector comparisons give them. */
#if LAM_VL == 1
#define VMASK(comparison) ((ivec)(-(comparison)))
#else
#define VMASK(comparison) ((ivec)(comparison))
#endif

LAM_INLINE vec vselect(ivec mask, vec yes, vec no)
{
    return vreal((mask & vbits(yes)) | (~mask & vbits(no)));
}

/* a * b + c, fused wherever this instruction set fuses: where the rest is left to the compiler's contraction, two copies of one
 * loop may round differently, and a row must not depend on which of them it meets. */
LAM_INLINE vec vfma(vec a, vec b, vec c)
{
#if defined(LAM_ISA_avx512) && LAM_WIDTH == 32
    return (vec)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(LAM_ISA_avx512)
    return (vec)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif defined(LAM_ISA_avx2) && LAM_WIDTH == 32
    return (vec)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(LAM_ISA_avx2)
    return (vec)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#elif defined(LAM_ISA_neon) && LAM_WIDTH == 32
    return (vec)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#elif defined(LAM_ISA_neon)
    return (vec)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
#else
    return a * b + c;
#endif
}

/* The smaller and larger in each lane, x where x is NaN. One instruction a vector; compilers of today make a comparison and
 * a blend of the same in C. */
LAM_INLINE vec vmin(real limit, vec x)
{
#if defined(LAM_ISA_avx512) && LAM_WIDTH == 32
    return (vec)_mm512_min_ps((__m512)vset(limit), (__m512)x);
#elif defined(LAM_ISA_avx512)
    return (vec)_mm512_min_pd((__m512d)vset(limit), (__m512d)x);
#elif defined(LAM_ISA_avx2) && LAM_WIDTH == 32
    return (vec)_mm256_min_ps((__m256)vset(limit), (__m256)x);
#elif defined(LAM_ISA_avx2)
    return (vec)_mm256_min_pd((__m256d)vset(limit), (__m256d)x);
#elif defined(LAM_ISA_sse2) && LAM_WIDTH == 32
    return (vec)_mm_min_ps((__m128)vset(limit), (__m128)x);
#elif defined(LAM_ISA_sse2)
    return (vec)_mm_min_pd((__m128d)vset(limit), (__m128d)x);
#elif defined(LAM_ISA_neon) && LAM_WIDTH == 32
    return (vec)vminq_f32((float32x4_t)vset(limit), (float32x4_t)x);
#elif defined(LAM_ISA_neon)
    return (vec)vminq_f64((float64x2_t)vset(limit), (float64x2_t)x);
#else
    return limit < x ? limit : x;
#endif
}

LAM_INLINE vec vmax(real limit, vec x)
{
#if defined(LAM_ISA_avx512) && LAM_WIDTH == 32
    return (vec)_mm512_max_ps((__m512)vset(limit), (__m512)x);
#elif defined(LAM_ISA_avx512)
    return (vec)_mm512_max_pd((__m512d)vset(limit), (__m512d)x);
#elif defined(LAM_ISA_avx2) && LAM_WIDTH == 32
    return (vec)_mm256_max_ps((__m256)vset(limit), (__m256)x);
#elif defined(LAM_ISA_avx2)
    return (vec)_mm256_max_pd((__m256d)vset(limit), (__m256d)x);
#elif defined(LAM_ISA_sse2) && LAM_WIDTH == 32
    return (vec)_mm_max_ps((__m128)vset(limit), (__m128)x);
#elif defined(LAM_ISA_sse2)
    return (vec)_mm_max_pd((__m128d)vset(limit), (__m128d)x);
#elif defined(LAM_ISA_neon) && LAM_WIDTH == 32
    return (vec)vmaxq_f32((float32x4_t)vset(limit), (float32x4_t)x);
#elif defined(LAM_ISA_neon)
    return (vec)vmaxq_f64((float64x2_t)vset(limit), (float64x2_t)x);
#else
    return limit > x ? limit : x;
#endif
}

#endif
