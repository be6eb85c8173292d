/* The arithmetic, as a table of functions per width and instruction set.
 *
 * A tile is LAM_TILE rows of the batch. Its arrays are planes: feature-major [features][LAM_TILE], so that rows lie in the
 * vector lanes. A stack is 1 + P planes of equal shape, [1 + P][features][LAM_TILE]: plane 0 is the value, planes 1..P
 * are directional derivatives ("tangents") or, in the reverse, their cotangents. `vectors` is how many vectors of a row of
 * a plane are in use (the last tile of a batch may be short); lanes past the batch compute on zeros and are never read.
 */
#ifndef LAM_KERNELS_KERNELS_H
#define LAM_KERNELS_KERNELS_H
#include "base/batch.h"
#include "kernels/names.h"
#include "base/choices.h"
#include "laminar/status.h"

enum {
    LAM_TILE = LAM_TILE_ROWS,
    LAM_PANEL = 6, /* outputs of a panel of packed weights */
};

/* One layer forward on a stack: a = scale * (W x) + shift (+ row_shift), h = sigma(a); per tangent a' = scale * (W x'), h' = sigma'(a) a'
 * (method.md 2). Packed weights: panels of LAM_PANEL outputs, each [in][outputs of the panel]. */
typedef struct lam_forward {
    size_t in, out, vectors, tangents;
    int with_value;          /* 0: plane 0 and d1 are there from an earlier call; only tangents are computed */
    lam_activation activation;
    real beta;               /* of swish */
    const real *weight;      /* packed [out x in] */
    const real *scale;       /* [out], or NULL for 1 */
    const real *shift;       /* [out] */
    const real *row_shift;   /* [out][TILE] of every row its own, added to a after the others; or NULL */
    const real *x;           /* [1 + P][in][TILE] */
    const real *unit;        /* [P][TILE], or NULL: x' of tangent p is unit[p] in feature unit_first + p and 0 elsewhere */
    size_t unit_first;       /* (x then is its value alone) */
    real *h;                 /* [1 + P][out][TILE] */
    real *d1;                /* [out][TILE] sigma'(a), for activations with lam_saves_d1 */
    real *a;                 /* [1 + P][out][TILE] pre-activations, or NULL if not wanted */
} lam_forward;

/* Data gradient of a layer joined with the reverse of the activation below it. g holds the cotangents of W x (the gate's
 * scale already applied). With gh = W' g (value) and gh' = W' g' (tangent):
 *     below' = sigma'(a) gh',   below = sigma'(a) gh + sum over tangents of sigma''(a) a' gh'
 * For the input layer set activation to identity and tangents to 0: below is then the cotangent of z. */
typedef struct lam_backward {
    size_t in, out, vectors, tangents;
    int first_chunk;         /* 1: below plane 0 starts from zero; 0: it holds the sums of earlier chunks of tangents */
    int with_value;          /* 1: the value's own cotangent is added (the last chunk) */
    lam_activation activation; /* of the layer below, which made x */
    real beta;
    const real *weight_t;    /* packed [in x out] */
    const real *g;           /* [1 + P][out][TILE] */
    const real *unit;        /* as in lam_forward, of g' */
    size_t unit_first;
    const real *h;           /* [1 + P][in][TILE] of the layer below */
    const real *d1;          /* [in][TILE] */
    const real *a;           /* [1 + P][in][TILE] */
    real *below;             /* [1 + P][in][TILE] */
    real *g_row_shift;       /* [in][TILE] of the layer below's row_shift: += plane 0 of below, with_value; or NULL */
    real *beta_sum;          /* swish: += the derivative of the loss by beta */
} lam_backward;

/* C[m][n] += sum over planes and rows of left[m][row] right[n][row], the weight gradient. right comes transposed (see
 * transpose); C is in blocks of `block` columns: [n / block][m][block], the last block as wide as whole vectors need. */
typedef struct lam_outer {
    size_t m, n, vectors, planes;
    const real *left;        /* planes of [m][TILE], left_stride apart */
    size_t left_stride;
    const real *right_t;     /* planes as transpose writes them, right_stride apart */
    size_t right_stride;
    real *c;
} lam_outer;

/* Products with a matrix of each row's own, [m][n] planes of reals: M[i][j] is a line of TILE numbers, one a row of the tile. Such
 * matrices are read from memory and little is done with each number, so every one is read once for all planes of x. */
typedef struct lam_rowwise {
    size_t m, n, vectors, planes;
    const real *matrix;      /* [m][n][TILE] */
    const real *x;           /* planes x_stride apart */
    size_t x_stride;
    real *y;                 /* planes y_stride apart, added to */
    size_t y_stride;
} lam_rowwise;

/* M[i][j] = (or +=, with add) sum over terms of left[term][i] right[term][j], every row by itself. */
typedef struct lam_row_outer {
    size_t m, n, vectors, terms;
    int add;
    const real *const *left;  /* [terms] of [m][TILE] */
    const real *const *right; /* [terms] of [n][TILE] */
    real *matrix;             /* [m][n][TILE] */
} lam_row_outer;

/* An activation on a Taylor series a_0 + a_1 s + a_2 s^2 of its argument, one coefficient of h at a time (method.md 10):
 *     h_0 = sigma(a_0),   h_1 = sigma' a_1,   h_2 = sigma' a_2 + sigma'' a_1^2 / 2
 * and its reverse: from the cotangent of the coefficient `order` of h to those of a's coefficients 0 to order. relu's second
 * derivative is 0 everywhere. */
typedef struct lam_series_call {
    size_t n, vectors, order;  /* order: 1 or 2, of the reverse 0 too */
    lam_activation activation;
    real beta;
    const real *h, *d1, *a0;   /* [n][TILE] of the value, as lam_forward leaves them: h, sigma', a; the last for lam_saves_a */
    const real *first;         /* order 2: [n][TILE] a_1 */
    const real *last;          /* order 1, 2: [n][TILE] a_order; of the reverse h_order where tanh and softplus do with that */
    real *out;                 /* forward: [n][TILE] h_order; may be last */
    const real *gh;            /* reverse: [n][TILE] its cotangent */
    int add;                   /* 1: what follows is added to, 0: put there */
    real *g0, *g;              /* cotangents of a_0 [n][TILE] and of a_1, ... [order][n][TILE] */
    real *beta_sum;            /* swish: += the derivative of the loss by beta */
} lam_series_call;

typedef struct lam_kernels {
    const char *isa;
    size_t lanes; /* of a vector */
    size_t block; /* columns of a block of C and of a transposed plane */
    /* element (o, i) of W is w[o * stride_out + i * stride_in] */
    void (*pack)(size_t out, size_t in, const real *w, size_t stride_out, size_t stride_in, real *packed);
    void (*forward)(const lam_forward *call);
    void (*backward)(const lam_backward *call);
    /* y[p][row] = sum over i of W(first + p, i) x[p][i][row], p < planes: one output of each plane's product. W packed [out x in] */
    void (*diagonal)(size_t in, size_t out, size_t vectors, size_t first, size_t planes, const real *weight, const real *x,
        real *y);
    /* The epilogues alone, for products made by other means: of forward, over pre-activations that lie in h (before scale and
     * shift); of backward, over gh' in below's planes and gh in value [in][TILE] (read with with_value). */
    void (*activate)(const lam_forward *call);
    void (*deactivate)(const lam_backward *call, const real *value);
    void (*series_activate)(const lam_series_call *call);
    void (*series_deactivate)(const lam_series_call *call);
    /* y[j] += sum_i x[i] M[i][j]: x planes are [m][TILE], y planes [n][TILE] */
    void (*row_product)(const lam_rowwise *call);
    /* y[i] += sum_j M[i][j] x[j]: x planes are [n][TILE], y planes [m][TILE] */
    void (*row_transposed)(const lam_rowwise *call);
    void (*row_outer)(const lam_row_outer *call);
    /* plane [n][TILE] -> blocks of [TILE][block], zeros past n */
    void (*transpose)(size_t n, size_t vectors, const real *plane, real *out);
    void (*outer)(const lam_outer *call);
    /* sum[o] += sum over rows of plane[o][row] weight[row]; weight [TILE], or NULL for 1 */
    void (*row_sums)(size_t n, size_t vectors, const real *plane, const real *weight, real *sum);
    /* sum[o] += sum over rows of u[o][row] v[o][row] */
    void (*row_dots)(size_t n, size_t vectors, const real *u, const real *v, real *sum);
    /* plane[o][row] *= scale[o] */
    void (*scale_rows)(size_t n, size_t vectors, const real *scale, real *plane);
    /* out[o][row] += scale[o] plane[o][row] */
    void (*add_rows)(size_t n, size_t vectors, const real *scale, const real *plane, real *out);
    /* out = base + sum_j coef[j] term[j] over n reals; base may be NULL (0) or out. n is a multiple of TILE */
    void (*combine)(size_t n, real *out, const real *base, size_t terms, const real *coef, const real *const *term);
    /* sums[row] += sum over the n features of (v / (atol + rtol max(|y0|, |y1|)))^2; sums [TILE] */
    void (*error)(size_t n, const real *v, const real *y0, const real *y1, real atol, real rtol, real *sums);
    /* out[row] += factor * sum over n features of u[i][row] v[i][row] */
    void (*column_dots)(size_t n, const real *u, const real *v, real factor, real *out);
} lam_kernels;

/* What the list says that the reverse of an activation keeps: sigma' as a plane of its own, and the input. */
static inline int lam_activation_keeps(lam_activation activation)
{
    switch (activation) {
#define LAM_KEEPS_CASE(code, word, name, keeps) \
    case code:                                  \
        return keeps;
        LAM_ACTIVATION_LIST(LAM_KEEPS_CASE, LAM_NONE)
#undef LAM_KEEPS_CASE
    }
    return LAM_KEEPS_INPUT;
}

static inline int lam_saves_d1(lam_activation activation)
{
    return lam_activation_keeps(activation) >= LAM_KEEPS_SLOPE;
}

static inline int lam_saves_a(lam_activation activation)
{
    return lam_activation_keeps(activation) >= LAM_KEEPS_INPUT;
}

/* The table for an instruction set by name: "auto" (or NULL), "avx512", "avx2", "sse2", "neon", "scalar".
 * LAM_ERR_UNSUPPORTED when this build or processor lacks it, LAM_ERR_ARGUMENT for an unknown name. */
lam_status lam_kernels_get(const char *isa, const lam_kernels **out);

#endif
