/* What a vector field is made of: layers, their parameters, and where each lies in one flat array.
 *
 * All seven layer types of method.md 2 are one formula,
 *     layer(t, h) = gate(t) * sum_j phi_j(t) (W_j h + b_j) + u t,     gate(t) = sigmoid(g t + c), elementwise,
 * with phi = (1) for most, (1 - t, t) for blend, (tanh(V1 t + c1), 1) for hyper, and gate or u absent in some.
 *
 * An amortised field takes parameters from the row as well (method.md 2; the four kinds of FFJORD's variational auto-encoders):
 *     bias      layer_k + b_k(x)
 *     low rank  layer_k + (h U_k(x)) V_k(x) + b_k(x)
 *     hyper     (t, h) W_k(x) + b_k(x) in place of every layer
 *     lyper     the same in place of the last layer alone
 */
#ifndef LAM_FIELD_SHAPE_H
#define LAM_FIELD_SHAPE_H
#include "base/config.h"

enum {
    LAM_HYPER_UNITS = 8, /* hidden units of the hyper layer's network */
    LAM_MAX_BASES = LAM_HYPER_UNITS + 1,
    LAM_MAX_LAYERS = LAM_MAX_HIDDEN + 1,
    LAM_MAX_LAYER_TENSORS = 6,
};

typedef struct lam_basis {
    size_t w, stride_out, stride_in; /* W_j(o, i) is params[w + o stride_out + i stride_in] */
    size_t b, stride_b;              /* b_j(o) is params[b + o stride_b] */
} lam_basis;

typedef struct lam_field_layer {
    size_t in, out;
    size_t bases;
    lam_basis basis[LAM_MAX_BASES];
    int has_u, has_gate, is_hyper, is_blend;
    size_t u, stride_u; /* u(o) is params[u + o stride_u] */
    size_t g, c;        /* [out] each */
    size_t v1, c1;      /* [LAM_HYPER_UNITS] each */
    /* What comes from the row, as offsets into its vector: row_head lines of [out] at row_b, the first b, the second (of a whole
     * concat layer) the weights of t; then W or U and V. Row-major, as published. */
    size_t row_head, row_b; /* row_head 0: nothing comes from the row */
    int row_whole;      /* 1: W [in, out] at row_w, and nothing of the layer is shared: it has no bases */
    size_t rank;        /* 0: no U [in, rank] at row_u and V [rank, out] at row_v */
    size_t row_w, row_u, row_v;
    size_t context_at; /* of a hidden layer: its first line among the context's biases */
} lam_field_layer;

typedef struct lam_field_tensor {
    char name[48]; /* under FFJORD's ODEnet.state_dict(), "layers.0._layer.weight" */
    size_t dims, shape[2], offset, count;
    size_t fan_in; /* inputs of the linear map it belongs to: initial weights are uniform within 1 / sqrt(fan_in) */
} lam_field_tensor;

typedef struct lam_field_shape {
    size_t dim, layers, widest;
    lam_layer type;
    lam_activation activation;
    lam_field_layer layer[LAM_MAX_LAYERS];
    size_t tensors;
    lam_field_tensor tensor[LAM_MAX_LAYERS * LAM_MAX_LAYER_TENSORS];
    size_t parameters; /* of one field, without swish's beta, which a model has once */
    lam_amortised amortisation;
    size_t row_parameters; /* of one row, 0 if none come from it. Order: layer by layer; in a layer U, V, b or b, (t; W) */
    size_t context_lines; /* biases that a context gives to every hidden layer of a row (flow/context.h): their widths added up */
    size_t products;   /* sum over layers of in x out: 2 flops each, a row and plane */
} lam_field_shape;

/* Multiply-adds of the matrix products that f needs of a row, and with it so many tangents; exact: these are unit vectors, which enter the first
 * layer as a column of W, and of the last one element of each is wanted. */
size_t lam_field_products(const lam_field_shape *shape, size_t tangents, int exact);
/* Hidden units, whose activations a row needs too. */
size_t lam_field_units(const lam_field_shape *shape);

/* LAM_ERR_ARGUMENT for a width of 0 or too many layers. */
lam_status lam_field_shape_init(lam_field_shape *shape, size_t dim, const size_t *hidden, size_t n_hidden, lam_layer type,
    lam_activation activation);
/* The same with parameters from the rows; rank is that of low rank, else ignored. LAM_ERR_ARGUMENT also for a rank of 0, and
 * for hyper with a layer type other than concat. A layer that comes whole from the row is concat in lyper too, as published. */
lam_status lam_field_shape_amortised(lam_field_shape *shape, size_t dim, const size_t *hidden, size_t n_hidden, lam_layer type,
    lam_activation activation, lam_amortised amortisation, size_t rank);
/* A plain net of linear layers, inputs to outputs by way of the hidden ones, without t. It is no vector field: dim is that of its
 * inputs. LAM_ERR_ARGUMENT for a width of 0 or too many layers. */
lam_status lam_field_shape_net(lam_field_shape *shape, size_t inputs, const size_t *hidden, size_t n_hidden, size_t outputs,
    lam_activation activation);

#endif
