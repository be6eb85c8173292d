/* This room's names in the width that a file is compiled for (base/width.h): sources say lam_x, the linker sees lam_x_f32 or
 * lam_x_f64, and of what is compiled for every instruction set lam_x_f32_avx2. A new function or type of these has its line here. */
#ifndef LAM_REPORT_NAMES_H
#define LAM_REPORT_NAMES_H
#include "base/width.h"

#define lam_bench_field LAM_W(lam_bench_field)
#define lam_bench_iteration LAM_W(lam_bench_iteration)
#define lam_bench_loops_for LAM_W(lam_bench_loops_for)

#define lam_bench_loop_table LAM_K(lam_bench_loop_table)

#endif
