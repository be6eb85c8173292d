/* The inside of the measurements: a made-up problem, the clock, and what is compiled per width and instruction set. */
#ifndef LAM_REPORT_BENCH_H
#define LAM_REPORT_BENCH_H
#include "base/pool.h"
#include "kernels/isa.h"
#include "model/model.h"
#include "model/safetensors.h"
#include "laminar/measure.h"

/* The machine's limits, measured by loops of our own; one table a width and instruction set (bench_k.c). */
typedef struct lam_bench_loops {
    size_t real_size, step; /* reals that `read` takes at a time */
    size_t round_flops;
    /* rounds of independent multiply-adds in registers; the result is there to be used, or the loop would be thrown away */
    double (*multiply_add)(size_t rounds, double seed);
    /* reads n reals (a multiple of step), aligned to 64 bytes */
    uint64_t (*read)(const void *reals, size_t n);
} lam_bench_loops;

/* The loops of an instruction set that lam_isa_choose gave. */
const lam_bench_loops *lam_bench_loops_for_f32(lam_isa isa);
const lam_bench_loops *lam_bench_loops_for_f64(lam_isa isa);

/* What an iteration is measured on. */
typedef struct lam_bench_problem {
    lam_model *model;
    lam_pool *pool;
    size_t dim;
    double *rows;  /* [batch_size, dim], standardised units */
    double times[32]; /* observation times on [0, 1]; LAM_MAX_TPR_TIMES of them at the most */
    lam_measure_options options; /* defaults filled in */
} lam_bench_problem;

/* The given options with what they leave open; NULL: all of it. */
lam_measure_options lam_bench_defaults(const lam_measure_options *given);
double lam_bench_median(double *values, size_t n); /* of n > 0 values, which are sorted */

/* Runs fn again and again: seconds of one run, the median over options->repeats groups of runs (and the least of them), after
 * an unmeasured run or two, which set how many a group needs. fastest and repeats (runs measured) may be NULL. */
lam_status lam_bench_time(const lam_measure_options *options, lam_status (*fn)(void *arg), void *arg, double *seconds,
    double *fastest, size_t *repeats);

/* Every parameter's value, for a file's metadata. */
enum { LAM_BENCH_PAIRS = 128 };
typedef struct lam_bench_description {
    lam_st_pair pairs[LAM_BENCH_PAIRS]; /* [n] point into texts */
    char texts[LAM_BENCH_PAIRS][256];
    size_t n;
} lam_bench_description;
lam_status lam_bench_describe(const lam_config *cfg, lam_bench_description *out);
/* The engine's draws of an iteration with stream 0, noise [blocks, batch_size, dim]; draws [probes * dim] is room. */
void lam_bench_noise(const lam_config *cfg, size_t dim, double *draws, float *noise);

lam_status lam_bench_field_f32(const lam_bench_problem *problem, lam_field_figures *out);
lam_status lam_bench_field_f64(const lam_bench_problem *problem, lam_field_figures *out);
lam_status lam_bench_iteration_f32(const lam_bench_problem *problem, lam_iteration_figures *out);
lam_status lam_bench_iteration_f64(const lam_bench_problem *problem, lam_iteration_figures *out);

#endif
