/* Solves whose trace is not the solver's to integrate (inside of flow/). */
#ifndef LAM_FLOW_APART_H
#define LAM_FLOW_APART_H
#include "flow/inside.h"

/* As lam_engine_solve_block with the block's end for its one time, by solve->trace_points, at least 1 and at most the engine's; the end state is the last of those in e->out, number trace_points; whether its l is
 * finite is for the caller to see. Of an engine with a trace, without gradients. */
lam_status lam_apart_solve_block(lam_engine *e, size_t block, const lam_flow_solve *solve, int forward, lam_counts *counts);

#endif
