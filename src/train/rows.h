/* The rows of a data set as the flow sees them in a fit: the moving columns, through the column maps where there are any, and beside
 * them what they are conditional on. Of rows in memory this is made once; of those in a file, batch by batch. */
#ifndef LAM_TRAIN_ROWS_H
#define LAM_TRAIN_ROWS_H
#include "base/pool.h"
#include "base/sort.h"
#include "data/dataset.h"
#include "data/given.h"

/* By lam_part. Where roles differ from row to row (a masked model), values are whole rows [rows, given->dim], mapped, NaN where a cell is
 * missing, and a batch is made of them (lam_flow_batch). Where the data set's rows are in a file (its folder), values are its own, not mapped,
 * and a batch is made of them too. */
typedef struct lam_flow_rows {
    const lam_given *of;
    const lam_maps *maps;
    int in_file, by_batch;           /* 1: rows are in a file; 1: batches are made of them, as of a masked model too */
    const char *folder;              /* for what grows with the number of rows (base/room.h) */
    size_t dim, inputs, rows[LAM_PARTS]; /* dim: of the flow */
    const double *values[LAM_PARTS]; /* [rows, dim] the data set's own, or those in own */
    double *own[LAM_PARTS];          /* NULL where the data set's own serve */
    double *given[LAM_PARTS];        /* [rows, inputs] of the context; NULL without given columns */
    double *log_det[LAM_PARTS];      /* [rows] of maps and whitening, nats; NULL without. Of a masked model: log slopes of the maps, [rows, given->dim] */
    const double *still;             /* [validation rows] NLLs by the Gaussian that a flow is held against, or NULL: those of rows that stand still */
    const lam_whitening *whitening;  /* NULL: none. Values have it; of a masked model they have not, and each batch gets it by its roles */
} lam_flow_rows;

/* Borrows from all of them, which must outlive it. The caller clears it after failures too. */
lam_status lam_flow_rows_make(const lam_dataset *data, const lam_given *given, const lam_maps *maps, const lam_whitening *whitening,
    lam_flow_rows *out);
void lam_flow_rows_clear(lam_flow_rows *rows);

/* A batch that is made of rows: what the flow sees of them, in their order. */
typedef struct lam_flow_batch {
    double *x, *inputs, *log_det;  /* [rows, dim], [rows, inputs], [rows] */
    unsigned char *roles, *moves;  /* [rows, given->dim], [rows, dim] of a masked model, else NULL */
    lam_pool *pool;
    lam_whitener **whitener;       /* [threads of pool] NULL: none */
    double *cells, *slopes;        /* [rows, given->dim] whole rows out of a file; NULL: rows are in memory */
    lam_place *place;              /* [rows] where in the file they are */
} lam_flow_batch;
lam_status lam_flow_batch_create(const lam_flow_rows *rows, lam_pool *pool, size_t most, lam_flow_batch *batch); /* borrows both */
void lam_flow_batch_clear(lam_flow_batch *batch);
/* Rows index[i] of a part (index NULL: first + i), i < n, and how their roles are drawn: with LAM_DRAW_ROLES for iteration `stream` by the
 * row's place in the batch, with LAM_DRAW_ROLES_EVAL by the row itself. whole 1: they are not drawn, and all that is there moves. */
typedef struct lam_flow_pick {
    lam_part part;
    const size_t *index;
    size_t first, n;
    int whole;
    lam_purpose purpose;
    uint64_t seed, stream;
} lam_flow_pick;
/* Returns the mean of log_det. Roles that are fixed are not drawn. Rows in a file are read in the order in which they are there. */
double lam_flow_batch_fill(const lam_flow_rows *rows, const lam_flow_pick *pick, lam_flow_batch *batch);
/* Mean log-determinant of n rows of a part, those of index; 0 without maps. */
double lam_flow_rows_log_det(const lam_flow_rows *rows, lam_part part, const size_t *index, size_t n);

#endif
