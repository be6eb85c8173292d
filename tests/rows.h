/* For the tests of fields with row parameters: the flow of flow.h with such parameters, and a loss around it,
 *     sum over rows of (w . z + g_l l) + coefficient * tpr
 * with weights w by lot. Include after cmocka.h, with LAM_WIDTH 64. */
#ifndef LAM_TESTS_ROWS_H
#define LAM_TESTS_ROWS_H
#include "flow.h"
#include "kernels/kernels.h"

typedef struct rows {
    flow f;
    size_t n_am, tiles, planes; /* planes: reals of a block's row parameters */
    double *am[4], *g_am[4];    /* [blocks] */
    double *w, *z, *l, g_l, tpr;
    lam_counts counts;
} rows;

/* Row `row`'s parameter i of a block. */
static inline size_t row_at(const rows *w, size_t row, size_t i)
{
    return ((row / LAM_TILE) * w->n_am + i) * LAM_TILE + row % LAM_TILE;
}

static inline rows rows_create(recipe r)
{
    rows w = { .f = flow_create(r), .g_l = 0.3 };
    const lam_field_shape *s = &w.f.layout.field;
    size_t n = w.f.rows, d = w.f.r.dim, blocks = w.f.layout.blocks;
    w.n_am = s->row_parameters;
    w.tiles = (n + LAM_TILE - 1) / LAM_TILE;
    w.planes = w.tiles * w.n_am * LAM_TILE;
    w.w = calloc(n * d, sizeof *w.w), w.z = calloc(n * d, sizeof *w.z), w.l = calloc(n, sizeof *w.l);
    double *row = calloc(w.n_am, sizeof *row);
    for (size_t b = 0; b < blocks; b++) {
        w.am[b] = aligned_alloc(64, (w.planes + 8) * sizeof(double));
        w.g_am[b] = aligned_alloc(64, (w.planes + 8) * sizeof(double));
        for (size_t i = 0; i < w.planes; i++)
            w.am[b][i] = 0, w.g_am[b][i] = 77; /* the reverse sets them */
        for (size_t i = 0; i < n; i++) {
            lam_random_normal_row(r.seed + 5, LAM_DRAW_TEST, 20 + b, i, row, w.n_am);
            for (size_t k = 0; k < w.n_am; k++)
                w.am[b][row_at(&w, i, k)] = 0.4 * row[k];
        }
    }
    free(row);
    for (size_t i = 0; i < n; i++)
        lam_random_normal_row(r.seed, LAM_DRAW_TEST, 31, i, w.w + i * d, d);
    return w;
}

static inline void rows_open(rows *w)
{
    flow_open(&w->f);
    lam_engine_amortise_f64(w->f.engine, (const double *const *)w->am);
}

static inline void rows_close(rows *w)
{
    for (size_t b = 0; b < w->f.layout.blocks; b++)
        free(w->am[b]), free(w->g_am[b]);
    free(w->w), free(w->z), free(w->l);
    flow_close(&w->f);
}

static inline double rows_loss(rows *w)
{
    flow *f = &w->f;
    double loss = 0;
    lam_loss penalties = { 0 };
    must(lam_engine_forward_f64(f->engine, &(lam_flow_call_f64) { f->params, f->x, NULL, f->rows, &f->solve, &f->noise }, &f->penalty,
        w->z, w->l, &penalties));
    w->tpr = tpr_of(&penalties);
    w->counts = penalties.counts;
    for (size_t i = 0; i < f->rows * f->r.dim; i++)
        loss += w->w[i] * w->z[i];
    for (size_t i = 0; i < f->rows; i++)
        loss += w->g_l * w->l[i];
    return loss + penalties.loss;
}

static inline double rows_gradient(rows *w)
{
    flow *f = &w->f;
    double loss = rows_loss(w);
    must(lam_engine_reverse_f64(f->engine, &(lam_flow_call_f64) { .solve = &f->solve }, &f->penalty, w->w, w->g_l,
        &(lam_flow_gradient_f64) { f->grad, f->grad_x, w->n_am > 0 ? w->g_am : NULL }, &w->counts));
    return loss;
}

#endif
