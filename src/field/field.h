/* f(t, z) on one tile: value and directional derivatives in one stacked pass, and the reverse of both (method.md 2).
 *
 * Where parameters enter only through t-dependent vectors and matrices, these are formed once a time ("slot") for all tiles.
 * There is one pass forward over the layers and one back; a layer is gone through by its field's lam_layer_kind, for shared parameters
 * or for those of the rows (amortised.h). Everything a reverse needs of a forward lies in one record, an array of reals; the caller owns it:
 *     input stack [1 + P][dim][TILE] (z, then the tangents' seeds), then per layer its output stack, sigma', pre-activations.
 *
 * For an exact trace the seeds are unit vectors, and of J e_i only element i is wanted. Such a field ("unit seeds") takes tangent
 * p of a chunk from `first` as element first + p alone: seeds, derivatives and their cotangents are [P][TILE], a line a
 * tangent, right behind the value's plane. The first layer's product is then a column of W, the last one's a single output,
 * and the reverses of both are row sums.
 */
#ifndef LAM_FIELD_FIELD_H
#define LAM_FIELD_FIELD_H
#include "field/names.h"
#include "field/shape.h"
#include "kernels/kernels.h"

enum { LAM_MAX_SLOTS = 16 };

typedef struct lam_slot_layer {
    real *scale, *shift;           /* [out]; scale NULL without a gate */
    const real *weight, *weight_t; /* packed for this time */
    real *own, *own_t;             /* storage for them when they depend on t */
    real phi[LAM_MAX_BASES];
} lam_slot_layer;

typedef struct lam_slot {
    real t;
    lam_slot_layer layer[LAM_MAX_LAYERS];
} lam_slot;

/* What goes through the layers together: a tile's value, some of its tangents, or both. */
typedef struct lam_chunk {
    size_t slot, vectors, tangents;
    size_t first;        /* number of its first tangent */
    int with_value;      /* 0: tangents only, forward over a value already there */
    int first_chunk;     /* reverse, 1: starts the sums between chunks */
    /* what the rows bring; NULL: nothing */
    const real *context; /* [shape->context_lines][TILE] added to the pre-activations of the hidden layers, layer after layer */
    real *g_context;     /* reverse with_value: their cotangents are added here */
    const real *am;      /* [row_parameters][TILE], of a field that has them */
    struct lam_vjps *vjps; /* reverse of such a field: the thread's */
    size_t extra;        /* of such a field: planes of a series in this product, none or all (field/series.h) */
    const real *mask;    /* of a series: ones and zeros [dim][TILE]; f is 0 where they are, in the record already, and so are its coefficients */
} lam_chunk;

struct lam_field;
/* How layer k is gone through. */
typedef struct lam_layer_kind {
    /* from its inputs x, of one plane or more, to the record */
    void (*forward)(const struct lam_field *f, size_t k, const lam_chunk *ch, const real *x, real *record);
    /* where the cotangents of its output are taken from */
    real *(*cotangent)(const struct lam_field *f, size_t k, const lam_chunk *ch, real *scratch);
    /* from there to those of the layer below, or gz, and to sums */
    void (*reverse)(const struct lam_field *f, size_t k, const lam_chunk *ch, const real *record, real *scratch, real *sums, real *gz);
} lam_layer_kind;

typedef struct lam_field {
    const lam_field_shape *shape;
    const lam_kernels *kernels;
    const lam_layer_kind *kind;
    struct lam_amortised_field *rows; /* what takes parameters from the rows; else NULL */
    size_t tangents; /* P, planes of a chunk */
    int unit_seeds;
    size_t slots;
    real beta;
    const real *params; /* of the block in hand, [shape->parameters] */
    /* offsets into a record, in reals */
    size_t record_h[LAM_MAX_LAYERS], record_d1[LAM_MAX_LAYERS], record_a[LAM_MAX_LAYERS],
        record_gate[LAM_MAX_LAYERS], record_size; /* gate: the pre-activations that a gate's gradient needs */
    /* offsets into a reverse scratch, in reals */
    size_t scratch_g[LAM_MAX_LAYERS + 1], scratch_transposed, scratch_outer, scratch_sums, scratch_size;
    /* offsets into a group's gradient sums */
    size_t sum_c[LAM_MAX_LAYERS][LAM_MAX_BASES], sum_b[LAM_MAX_LAYERS][LAM_MAX_BASES], sum_u[LAM_MAX_LAYERS],
        sum_g[LAM_MAX_LAYERS], sum_gate_c[LAM_MAX_LAYERS], sum_v1[LAM_MAX_LAYERS], sum_c1[LAM_MAX_LAYERS], sum_beta, sum_size;
    int swapped[LAM_MAX_LAYERS]; /* 1: C is kept as [in][out] because that wastes fewer lanes */
    real *storage, *packed[LAM_MAX_LAYERS], *packed_t[LAM_MAX_LAYERS], *effective;
    lam_slot slot[LAM_MAX_SLOTS];
} lam_field;

/* tangents: planes of a chunk; chunks: how many are turned before the value (the reverse keeps per-layer sums between them).
 * unit_seeds needs two layers at least. shape and kernels must outlive the field. Free with lam_field_clear. */
lam_status lam_field_init(lam_field *field, const lam_field_shape *shape, const lam_kernels *kernels, size_t tangents,
    size_t chunks, int unit_seeds, size_t slots);
void lam_field_clear(lam_field *field);

/* Takes up a block's parameters [shape->parameters] (kept by reference) and packs what does not depend on t. */
void lam_field_load(lam_field *field, const real *params, real beta);
/* Packs sum_j phi_j W_j of a layer, and its transpose. */
void lam_field_mix(lam_field *field, size_t layer, const real *phi, real *packed, real *packed_t);
/* Forms slot's vectors and matrices for time t. Not from within a parallel region. */
void lam_field_prepare(lam_field *field, size_t slot, real t);

/* Fills the record's layers from its input stack. */
void lam_field_forward(const lam_field *field, const lam_chunk *chunk, real *record);
/* The output stack of a record: f [dim][TILE], then the directional derivatives, [P][dim][TILE] or, of unit seeds, [P][TILE]. */
real *lam_field_output(const lam_field *field, real *record);

/* Reverse of one chunk. scratch [scratch_size] is the caller's; its output cotangents (lam_field_cotangent) are filled by the
 * caller before each chunk: plane 0 for with_value, the tangents' always; they are overwritten. sums [sum_size] is added to.
 * With with_value the cotangent of z goes to gz [dim][TILE]. The sums between chunks lie in plane 0 of the layers' cotangents: of
 * layer k's pre-activations at scratch_g[k + 1]. */
void lam_field_reverse(const lam_field *field, const lam_chunk *chunk, const real *record, real *scratch, real *sums, real *gz);
real *lam_field_cotangent(const lam_field *field, const lam_chunk *chunk, real *scratch);

/* A layer's inputs in a record. */
const real *lam_field_input(const lam_field *field, size_t layer, const real *record);
/* The sums of one layer's shared parameters, from the cotangents g of its output, which are left scaled by the gate. */
void lam_field_reverse_shared(const lam_field *field, size_t layer, const lam_chunk *chunk, const real *record, real *g, real *scratch,
    real *sums);

/* Parts of a reverse. C += sum over planes and rows of g x' for layer k, planes contiguous (at most 1 + P), in the order of the
 * sums; its reals. Adds phi_j C to the sums of W_j. And for hyper, dphi [LAM_HYPER_UNITS]: adds what C and s [out], cotangents of
 * sum_j phi_j W_j and sum_j phi_j b_j (either NULL), come to. */
void lam_field_outer(const lam_field *field, size_t k, size_t vectors, size_t planes, const real *x, const real *g,
    real *scratch, real *c);
size_t lam_field_outer_size(const lam_field *field, size_t k);
void lam_field_share(const lam_field *field, size_t k, const real *phi, const real *c, real *sums);
void lam_field_add_phi(const lam_field *field, size_t k, const real *c, const real *s, real *dphi);

/* Adds a group's sums to grad [shape->parameters], and beta's to *beta_grad. */
void lam_field_collect(const lam_field *field, const real *sums, real *grad, real *beta_grad);

#endif
