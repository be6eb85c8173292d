/* What crosses the lanes of VL vectors at a time: transposition, and the sum of each. For *_k.c files. */
#ifndef LAM_KERNELS_LANES_H
#define LAM_KERNELS_LANES_H
#include "kernels/vec.h"

#if LAM_VL > 1
/* A swap of size s of vectors a and b: LOW's even half keeps a and its odd half takes b shifted, HIGH the other way round. */
#define LANE_LOW(l, s) (((l) & (s)) ? LAM_VL + (l) - (s) : (l))
#define LANE_HIGH(l, s) (((l) & (s)) ? LAM_VL + (l) : (l) + (s))
#if LAM_VL == 2
#define LANES(f, s) f(0, s), f(1, s)
#elif LAM_VL == 4
#define LANES(f, s) f(0, s), f(1, s), f(2, s), f(3, s)
#elif LAM_VL == 8
#define LANES(f, s) f(0, s), f(1, s), f(2, s), f(3, s), f(4, s), f(5, s), f(6, s), f(7, s)
#else
#define LANES(f, s) f(0, s), f(1, s), f(2, s), f(3, s), f(4, s), f(5, s), f(6, s), f(7, s), f(8, s), f(9, s), f(10, s), \
    f(11, s), f(12, s), f(13, s), f(14, s), f(15, s)
#endif

/* VL x VL squares by swaps of size 1, 2, 4, ... (Eklundh) */
#define SWAP_ROUND(s)                                                                   \
    _Pragma("GCC unroll 16") for (int i = 0; i < LAM_VL; i++) if ((i & (s)) == 0)       \
    {                                                                                   \
        vec low = __builtin_shufflevector(m[i], m[i + (s)], LANES(LANE_LOW, s));        \
        vec high = __builtin_shufflevector(m[i], m[i + (s)], LANES(LANE_HIGH, s));      \
        m[i] = low;                                                                     \
        m[i + (s)] = high;                                                              \
    }
/* The same swaps, both halves added: half as many vectors each time, lane l of the last holding the sum of m[l]. */
#define SUM_ROUND(s)                                                                    \
    _Pragma("GCC unroll 16") for (int i = 0; i < LAM_VL; i += 2 * (s))                  \
        m[i] = __builtin_shufflevector(m[i], m[i + (s)], LANES(LANE_LOW, s))            \
            + __builtin_shufflevector(m[i], m[i + (s)], LANES(LANE_HIGH, s));
#if LAM_VL == 2
#define LANE_ROUNDS(round) round(1)
#elif LAM_VL == 4
#define LANE_ROUNDS(round) round(1) round(2)
#elif LAM_VL == 8
#define LANE_ROUNDS(round) round(1) round(2) round(4)
#else
#define LANE_ROUNDS(round) round(1) round(2) round(4) round(8)
#endif
#else
#define LANE_ROUNDS(round)
#endif

/* m[i] lane l <-> m[l] lane i */
LAM_INLINE void transpose_square(vec m[LAM_VL])
{
    (void)m;
    LANE_ROUNDS(SWAP_ROUND)
}

/* Lane l is the sum of the lanes of m[l]; m is used up. */
LAM_INLINE vec lane_sums(vec m[LAM_VL])
{
    LANE_ROUNDS(SUM_ROUND)
    return m[0];
}

#endif
