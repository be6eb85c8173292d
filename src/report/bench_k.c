/* Loops that reach the machine's limits, in the vectors of one width and instruction set. */
#include "kernels/vec.h"
#include "report/bench.h"
#include "report/names.h"

/* Enough chains to hide a multiply-add's latency on two pipes; they fit the 16 registers of the narrower sets. */
enum { CHAINS = 12, ROUNDS_A_LOOP = 4, STREAMS = 8 };

static double multiply_add(size_t rounds, double seed)
{
    vec sum[CHAINS];
    vec factor = vset((real)(1 - seed)), term = vset((real)seed);
#pragma GCC unroll 12
    for (int i = 0; i < CHAINS; i++)
        sum[i] = vset((real)(seed * (i + 1)));
    for (size_t r = 0; r < rounds; r++) {
#pragma GCC unroll 4
        for (int again = 0; again < ROUNDS_A_LOOP; again++) {
#pragma GCC unroll 12
            for (int i = 0; i < CHAINS; i++)
                sum[i] = sum[i] * factor + term;
        }
    }
    real lanes[LAM_VL] __attribute__((aligned(64)));
    double total = 0;
    for (int i = 0; i < CHAINS; i++) {
        memcpy(lanes, &sum[i], sizeof lanes);
        for (int l = 0; l < LAM_VL; l++)
            total += (double)lanes[l];
    }
    return total;
}

/* Bits are joined, not added: that costs less than a load everywhere. */
static uint64_t read_all(const void *reals, size_t n)
{
    const real *p = reals;
    ivec bits[STREAMS];
    memset(bits, 0, sizeof bits);
    for (size_t at = 0; at < n; at += STREAMS * LAM_VL) {
#pragma GCC unroll 8
        for (int i = 0; i < STREAMS; i++)
            bits[i] |= vbits(vload(p + at + (size_t)i * LAM_VL));
    }
    lam_lane_uint lanes[LAM_VL] __attribute__((aligned(64)));
    uint64_t all = 0;
    for (int i = 0; i < STREAMS; i++) {
        memcpy(lanes, &bits[i], sizeof lanes);
        for (int l = 0; l < LAM_VL; l++)
            all |= lanes[l];
    }
    return all;
}

extern const lam_bench_loops lam_bench_loop_table;
const lam_bench_loops lam_bench_loop_table = {
    .real_size = sizeof(real),
    .step = STREAMS * LAM_VL,
    .round_flops = (size_t)2 * CHAINS * ROUNDS_A_LOOP * LAM_VL,
    .multiply_add = multiply_add,
    .read = read_all,
};
