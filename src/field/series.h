/* The Taylor series of f along a trajectory (method.md 10), on top of a field's value and its reverse.
 *
 * With z(t + s) = z_0 + z_1 s + z_2 s^2 + ... every layer maps a series to a series, and dz/dt = f gives z_{k+1} = f_k / (k + 1).
 * So coefficient k of f is one more pass of one more plane through the layers, for which the passes before have all it needs:
 *     a_k = s_0 (W x_k + sum_i W_i x_{k-i} + b_k) + e_1 (a_{k-1} - v_{k-1}) + e_2 (a_{k-2} - v_{k-2}) + v_k
 * with W, b, W_i, b_i the series of the layer's matrix and bias in t, v_0 = u t, v_1 = u, v_2 = 0 that of its u t, and, for a
 * gate s(g t + c) that gave a_0 = s_0 (...) + u t, e_1 = g (1 - s_0), e_2 = -g^2 (1 - s_0) / 2: nothing is divided by s_0.
 * Layers have a gate or W_i, never both; most have neither. Then h_1 = sigma' a_1, h_2 = sigma' a_2 + sigma'' a_1^2 / 2.
 *
 * The reverse runs the passes the other way, the last coefficient first, and leaves in the layers' sums between chunks what it
 * asks of the value's pre-activations: the field's own reverse goes on from there, as from an earlier chunk of tangents.
 */
#ifndef LAM_FIELD_SERIES_H
#define LAM_FIELD_SERIES_H
#include "field/amortised.h"
#include "field/names.h"

enum { LAM_MAX_SERIES = 2 };

/* One layer at one time. */
typedef struct lam_series_slot {
    real *shift[LAM_MAX_SERIES];                             /* [out] what of a_k depends on t alone */
    real *mix[LAM_MAX_SERIES];                               /* [out] e_1, e_2; NULL without a gate */
    real phi[LAM_MAX_SERIES][LAM_MAX_BASES];                 /* series of the phi_j */
    real *weight[LAM_MAX_SERIES], *weight_t[LAM_MAX_SERIES]; /* W_1, W_2, packed; NULL where they are 0 */
} lam_series_slot;

typedef struct lam_field_series {
    const lam_field *field;
    lam_amortised_field *rows; /* with row parameters; else NULL */
    size_t orders;             /* coefficients of f beyond f_0, 1 to LAM_MAX_SERIES */
    int has_matrices;          /* some layer's matrix depends on t */
    /* offsets into a record: of z and of each layer's h [orders] planes, of its a one by one; one more plane. What nobody asks
     * for again shares the place of h: an a without an activation, and the last one of tanh or softplus without a gate. */
    size_t record_x, record_h[LAM_MAX_LAYERS], record_a[LAM_MAX_LAYERS][LAM_MAX_SERIES], record_product;
    /* offsets into a reverse scratch: cotangents of the layers' a [orders][out][TILE] (with row parameters a lam_vjps has them), of
     * f_0 and z_0; one plane; sums */
    size_t scratch_g[LAM_MAX_LAYERS + 1], scratch_f0, scratch_z, scratch_product, scratch_sums;
    real *storage;
    const real *zeros; /* [widest] */
    lam_series_slot slot[LAM_MAX_SLOTS][LAM_MAX_LAYERS];
} lam_field_series;

/* Adds to field's record and scratch what this needs, so before anything is made of their sizes; field must have been made for
 * one chunk more than its tangents are. rows: made for `orders` extra planes, or NULL. LAM_ERR_UNSUPPORTED for row parameters
 * beside gates. */
lam_status lam_series_init(lam_field_series *series, lam_field *field, lam_amortised_field *rows, size_t orders);
void lam_series_clear(lam_field_series *series);

/* After lam_field_prepare of the same slot. */
void lam_series_prepare(lam_field_series *series, lam_field *field, size_t slot);
/* After the value's forward: f_1, ... [orders][dim][TILE] at lam_series_output. */
void lam_series_forward(const lam_field_series *series, const lam_chunk *chunk, real *record);
real *lam_series_output(const lam_field_series *series, real *record);

/* Before the first chunk's reverse, whose sums between chunks have begun then (first_chunk 0) and whose product has `orders` extra
 * planes. The caller has filled the cotangents of f_1, ... [orders][dim][TILE] at lam_series_cotangent; they are overwritten.
 * What is left at scratch_f0 [dim][TILE] belongs to the cotangent of f_0, what is left at scratch_z to that of z (zeros without
 * has_matrices). */
void lam_series_reverse(const lam_field_series *series, const lam_chunk *chunk, const real *record, real *scratch, real *sums);
real *lam_series_cotangent(const lam_field_series *series, const lam_chunk *chunk, real *scratch);

#endif
