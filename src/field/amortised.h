/* Fields that take parameters from the rows (field/shape.h), on top of lam_field, which keeps what the rows share.
 *
 * A tile's parameters are planes am [row_parameters][TILE], in the order of a row's vector; their gradient has the same shape.
 * They are far larger than everything else (a megabyte a row), so the forward and the data gradient read each number once for
 * the value and all tangents. The gradient's outer products wait: the vector-Jacobian products of a step leave their cotangents in
 * lam_vjps, and one call adds up the factors of all of them.
 * Beside the value and its tangents, layers may be gone through by `extra` further planes (field/series.h), which lie behind
 * the P tangents' in what such a product leaves.
 * Lanes past the batch hold finite numbers, zeros at best; their gradient is zero.
 */
#ifndef LAM_FIELD_AMORTISED_H
#define LAM_FIELD_AMORTISED_H
#include "field/field.h"
#include "field/names.h"

typedef struct lam_amortised_field {
    const lam_field *field;
    size_t extra;
    size_t record_q[LAM_MAX_LAYERS];     /* offset into a record: h U, [1 + P + extra][rank][TILE] */
    size_t record_extra[LAM_MAX_LAYERS]; /* of the extra planes' inputs [extra][in][TILE]; set by whoever they belong to */
    /* offsets into what one vector-Jacobian product leaves: cotangents of the layers' outputs and of h U; a layer's before its gate,
     * where it has one */
    size_t vjp_g[LAM_MAX_LAYERS + 1], vjp_row[LAM_MAX_LAYERS], vjp_q[LAM_MAX_LAYERS], vjp_size;
    real *storage;
    const real *zeros; /* [widest] */
    real *head;        /* [slots][2][TILE]: 1 and t */
    real *head_slope;  /* [2][TILE]: their derivatives by t */
} lam_amortised_field;

/* A thread's vector-Jacobian products whose part of the row parameters' gradient is still to be added up. */
typedef struct lam_vjps {
    size_t most, count;
    struct {
        const real *record; /* stays as it is until they are collected */
        lam_chunk chunk;
    } vjp[LAM_MAX_SLOTS];
    real *space;               /* [most][vjp_size], then two planes [widest][TILE] */
    const real **left, **right; /* [most (1 + P + extra)] factors of a matrix's gradient */
} lam_vjps;

/* Makes field's layers take parameters from the rows; adds to its record what this needs in one, so before anything is made of
 * record_size. */
lam_status lam_amortised_init(lam_amortised_field *amortised, lam_field *field, size_t extra);
void lam_amortised_clear(lam_amortised_field *amortised);
/* most: products between two collections, at most LAM_MAX_SLOTS. The free takes one that was never made, zeroed. */
lam_status lam_vjps_init(lam_vjps *vjps, const lam_amortised_field *amortised, size_t most);
void lam_vjps_clear(lam_vjps *vjps);

/* Its part of lam_field_prepare; and of lam_field_reverse, at whose end it counts one more product. */
void lam_amortised_prepare(lam_amortised_field *amortised, size_t slot, real t);
void lam_vjps_keep(lam_vjps *vjps, const lam_chunk *chunk, const real *record);
/* What the row adds to planes in layer k beside a head: y [planes][out][TILE] += x W, or (x U) V with x U left in q
 * [planes][rank][TILE]. And its reverse, below [planes][in][TILE] += W g, with V g left in q. */
void lam_amortised_add(const lam_field *field, size_t k, const lam_chunk *chunk, size_t planes, const real *x, real *q, real *y);
void lam_amortised_add_reverse(const lam_field *field, size_t k, const lam_chunk *chunk, size_t planes, const real *g, real *q, real *below);
/* Gradient of the row parameters over the products so far, added to g_am or (add 0) put there, all of it but lanes past vectors;
 * then none are left. */
void lam_amortised_collect(const lam_amortised_field *amortised, lam_vjps *vjps, size_t vectors, int add, real *g_am);

#endif
