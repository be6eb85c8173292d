/* Passes over a batch, and step control by tile as a layer over them: each tile is then a batch of its own, solved by an engine that
 * belongs to the thread. A pass knows nothing of that, and this layer nothing of what a pass is for: it cuts the call into tiles and
 * joins what they come to. */
#ifndef LAM_FLOW_TILES_H
#define LAM_FLOW_TILES_H
#include "flow/inside.h"
#include "flow/names.h"

enum { LAM_FLOW_MEANS = 10 };

/* What a pass leaves. Of a tile: the tile's rows of row and g_x, and its own mean, grad and counts. */
typedef struct lam_flow_out {
    double *row[2]; /* [rows, width], a line for each row; NULL: not wanted */
    size_t width[2], means;
    double mean[LAM_FLOW_MEANS]; /* means over the rows */
    real *grad;                  /* [layout->parameters], the gradient of mean[0]; NULL: not wanted */
    double *g_x;                 /* [rows, dim], the same by the rows; NULL: not wanted */
    lam_counts *counts;          /* added to */
} lam_flow_out;

/* What is done with rows that share their steps; ask is the pass's own. */
typedef lam_status lam_flow_pass(lam_engine *e, const lam_flow_call *call, const void *ask, lam_flow_out *out);

/* Makes a pass over the call's rows: in one go or, with step control by tile, tile by tile. counts are then means over the tiles, h*
 * the median of theirs, and a failure is the first in tile order. On several ranks row and g_x get the rows of this one's tiles, and the rest
 * is the same on all. */
lam_status lam_flow_run(lam_engine *e, const lam_flow_call *call, lam_flow_pass *pass, const void *ask, lam_flow_out *out);

/* What an engine with step control by tile has in place of a solver's memory. The free takes an engine without. */
lam_status lam_tiles_create(lam_engine *e);
void lam_tiles_free(lam_engine *e);

#endif
