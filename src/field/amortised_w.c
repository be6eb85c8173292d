/* Fields whose layers take biases, low-rank terms or whole matrices from the rows, and their reverse. */
#include "field/amortised.h"
#include "base/mem.h"
#include "field/inside.h"
#include <string.h>

/* ---- layout ------------------------------------------------------------------------------------------------------- */

/* Pre-activations with the row's share: where the activation's reverse asks for them. */
static int keeps_a(const lam_field *f, size_t k)
{
    return f->record_a[k] != f->record_h[k] && lam_saves_a(lam_field_activation(f, k));
}

static const lam_layer_kind row_layers;

static void lay_out_record(lam_amortised_field *a, lam_field *f)
{
    size_t planes = 1 + f->tangents, at = f->record_size;
    for (size_t k = 0; k < f->shape->layers; k++) {
        const lam_field_layer *l = &f->shape->layer[k];
        a->record_q[k] = at;
        at += (planes + a->extra) * l->rank * LAM_TILE;
        /* a gate wants them without the row's share: in the place of the others if nobody asks for those */
        if (l->has_gate && (keeps_a(f, k) || f->record_a[k] == f->record_h[k])) {
            f->record_gate[k] = at;
            at += planes * l->out * LAM_TILE;
        }
    }
    f->record_size = at;
}

static void lay_out_vjp(lam_amortised_field *a)
{
    const lam_field_shape *s = a->field->shape;
    size_t planes = 1 + a->field->tangents, at = 0;
    for (size_t k = 0; k < s->layers; k++) {
        const lam_field_layer *l = &s->layer[k];
        a->vjp_g[k + 1] = a->vjp_row[k] = at;
        at += (planes + a->extra) * l->out * LAM_TILE;
        if (l->has_gate) { /* the reverse scales the others */
            a->vjp_row[k] = at;
            at += planes * l->out * LAM_TILE;
        }
        a->vjp_q[k] = at;
        at += (planes + a->extra) * l->rank * LAM_TILE;
    }
    a->vjp_size = at;
}

lam_status lam_amortised_init(lam_amortised_field *a, lam_field *f, size_t extra)
{
    size_t zeros = (f->shape->widest + 15) / 16 * 16;
    memset(a, 0, sizeof *a);
    a->field = f;
    a->extra = extra;
    f->kind = &row_layers;
    f->rows = a;
    lay_out_record(a, f);
    lay_out_vjp(a);
    if ((a->storage = lam_alloc(zeros + (f->slots + 1) * 2 * LAM_TILE, sizeof(real))) == NULL)
        return LAM_ERR_MEMORY;
    a->zeros = a->storage;
    a->head = a->storage + zeros;
    a->head_slope = a->head + f->slots * 2 * LAM_TILE;
    for (size_t r = 0; r < LAM_TILE; r++)
        a->head_slope[LAM_TILE + r] = 1;
    return LAM_OK;
}

void lam_amortised_clear(lam_amortised_field *a)
{
    lam_free(a->storage);
    a->storage = NULL;
}

lam_status lam_vjps_init(lam_vjps *p, const lam_amortised_field *a, size_t most)
{
    size_t planes = 1 + a->field->tangents + a->extra, reals = most * a->vjp_size + 2 * a->field->shape->widest * LAM_TILE;
    memset(p, 0, sizeof *p);
    p->most = most;
    if ((p->space = lam_reserve(reals * sizeof(real))) == NULL
        || (p->left = lam_alloc(most * planes, sizeof *p->left)) == NULL
        || (p->right = lam_alloc(most * planes, sizeof *p->right)) == NULL)
        return LAM_ERR_MEMORY;
    return LAM_OK;
}

void lam_vjps_clear(lam_vjps *p)
{
    lam_free(p->space);
    lam_free(p->left);
    lam_free(p->right);
    memset(p, 0, sizeof *p);
}

void lam_amortised_prepare(lam_amortised_field *a, size_t slot, real t)
{
    for (size_t r = 0; r < LAM_TILE; r++) {
        a->head[slot * 2 * LAM_TILE + r] = 1;
        a->head[(slot * 2 + 1) * LAM_TILE + r] = t;
    }
}

/* ---- forward ------------------------------------------------------------------------------------------------------ */

/* The shared part of a layer, without its activation, in the planes of h from `first`. */
static void forward_shared(const lam_field *f, size_t k, const lam_chunk *ch, const real *x, real *record)
{
    const lam_field_layer *l = &f->shape->layer[k];
    const lam_slot_layer *sl = &f->slot[ch->slot].layer[k];
    size_t first = ch->with_value ? 0 : 1, plane = l->out * LAM_TILE;
    real *h = record + f->record_h[k];
    if (l->bases == 0) {
        memset(h + first * plane, 0, (1 + ch->tangents - first) * plane * sizeof(real));
        return;
    }
    lam_forward call = { .in = l->in, .out = l->out, .vectors = ch->vectors, .tangents = ch->tangents, .with_value = ch->with_value,
        .activation = LAM_ACT_IDENTITY, .beta = f->beta, .weight = sl->weight, .scale = sl->scale, .shift = sl->shift, .x = x,
        .h = h, .a = l->has_gate ? record + f->record_gate[k] : NULL };
    f->kernels->forward(&call);
}

/* A matrix M [m, n] at `at` of the row's vector. */
typedef struct row_matrix {
    size_t at, m, n;
} row_matrix;

static row_matrix matrix_u(const lam_field_layer *l)
{
    return (row_matrix) { l->row_u, l->in, l->rank };
}

static row_matrix matrix_v(const lam_field_layer *l)
{
    return (row_matrix) { l->row_v, l->rank, l->out };
}

static row_matrix matrix_w(const lam_field_layer *l)
{
    return (row_matrix) { l->row_w, l->in, l->out };
}

/* y += x M, planes of both. */
static void add_product(const lam_field *f, const lam_chunk *ch, row_matrix m, size_t planes, const real *x, real *y)
{
    lam_rowwise call = { .m = m.m, .n = m.n, .vectors = ch->vectors, .planes = planes, .matrix = ch->am + m.at * LAM_TILE,
        .x = x, .x_stride = m.m * LAM_TILE, .y = y, .y_stride = m.n * LAM_TILE };
    f->kernels->row_product(&call);
}

/* y += M x, likewise. */
static void add_transposed(const lam_field *f, const lam_chunk *ch, row_matrix m, size_t planes, const real *x, real *y)
{
    lam_rowwise call = { .m = m.m, .n = m.n, .vectors = ch->vectors, .planes = planes, .matrix = ch->am + m.at * LAM_TILE,
        .x = x, .x_stride = m.n * LAM_TILE, .y = y, .y_stride = m.m * LAM_TILE };
    f->kernels->row_transposed(&call);
}

void lam_amortised_add(const lam_field *f, size_t k, const lam_chunk *ch, size_t planes, const real *x, real *q, real *y)
{
    const lam_field_layer *l = &f->shape->layer[k];
    if (l->rank > 0) {
        memset(q, 0, planes * l->rank * LAM_TILE * sizeof(real));
        add_product(f, ch, matrix_u(l), planes, x, q);
        add_product(f, ch, matrix_v(l), planes, q, y);
    }
    if (l->row_whole)
        add_product(f, ch, matrix_w(l), planes, x, y);
}

void lam_amortised_add_reverse(const lam_field *f, size_t k, const lam_chunk *ch, size_t planes, const real *g, real *q, real *below)
{
    const lam_field_layer *l = &f->shape->layer[k];
    if (l->rank > 0) {
        memset(q, 0, planes * l->rank * LAM_TILE * sizeof(real));
        add_transposed(f, ch, matrix_v(l), planes, g, q);
        add_transposed(f, ch, matrix_u(l), planes, q, below);
    }
    if (l->row_whole)
        add_transposed(f, ch, matrix_w(l), planes, g, below);
}

static void forward_layer(const lam_field *f, size_t k, const lam_chunk *ch, const real *x, real *record)
{
    const lam_amortised_field *a = f->rows;
    const lam_field_layer *l = &f->shape->layer[k];
    size_t first = ch->with_value ? 0 : 1, planes = 1 + ch->tangents - first;
    real *h = record + f->record_h[k], *q = record + a->record_q[k];
    forward_shared(f, k, ch, x, record);
    if (ch->with_value && l->row_head > 0)
        add_product(f, ch, (row_matrix) { l->row_b, l->row_head, l->out }, 1, a->head + ch->slot * 2 * LAM_TILE, h);
    lam_amortised_add(f, k, ch, planes, x + first * l->in * LAM_TILE, q + first * l->rank * LAM_TILE, h + first * l->out * LAM_TILE);
    if (lam_field_activation(f, k) == LAM_ACT_IDENTITY)
        return;
    lam_forward call = { .out = l->out, .vectors = ch->vectors, .tangents = ch->tangents, .with_value = ch->with_value,
        .activation = f->shape->activation, .beta = f->beta, .shift = a->zeros, .h = h,
        .d1 = record + f->record_d1[k], .a = keeps_a(f, k) ? record + f->record_a[k] : NULL };
    f->kernels->activate(&call);
}

/* ---- reverse ------------------------------------------------------------------------------------------------------ */

/* Of the product that comes next. */
static real *vjp_of(const lam_field *f, const lam_chunk *ch)
{
    return ch->vjps->space + ch->vjps->count * f->rows->vjp_size;
}

static real *layer_cotangent(const lam_field *f, size_t k, const lam_chunk *ch, real *scratch)
{
    (void)scratch;
    return vjp_of(f, ch) + f->rows->vjp_g[k + 1];
}

/* W' g of the shared weights, in the planes of below from 0 (or from 1, without the value); below may be one plane. */
static void shared_gradient(const lam_field *f, size_t k, const lam_chunk *ch, size_t tangents, const real *g, real *below, real *sums)
{
    const lam_field_layer *l = &f->shape->layer[k];
    if (l->bases == 0) {
        memset(below, 0, (1 + tangents) * l->in * LAM_TILE * sizeof(real));
        return;
    }
    lam_backward call = { .in = l->in, .out = l->out, .vectors = ch->vectors, .tangents = tangents, .first_chunk = 1,
        .with_value = ch->with_value, .activation = LAM_ACT_IDENTITY, .weight_t = f->slot[ch->slot].layer[k].weight_t, .g = g,
        .h = below, .below = below, .beta_sum = sums + f->sum_beta };
    f->kernels->backward(&call);
}

/* What U, V or W add to it; g is the cotangent of the layer's output, before its gate. */
static void row_gradient(const lam_field *f, size_t k, const lam_chunk *ch, size_t planes, const real *g, real *below)
{
    const lam_field_layer *l = &f->shape->layer[k];
    size_t first = ch->with_value ? 0 : 1;
    const real *q = vjp_of(f, ch) + f->rows->vjp_q[k];
    below += first * l->in * LAM_TILE;
    if (l->rank > 0)
        add_transposed(f, ch, matrix_u(l), planes - first, q + first * l->rank * LAM_TILE, below);
    if (l->row_whole)
        add_transposed(f, ch, matrix_w(l), planes - first, g + first * l->out * LAM_TILE, below);
}

/* Cotangents of layer k's inputs, which layer k - 1 made. below's plane 0 holds the sums of earlier chunks, as the kernels have it;
 * they step aside while it takes the products. */
static void reverse_inputs(const lam_field *f, size_t k, const lam_chunk *ch, const real *record, const real *g, const real *g_row,
    real *sums)
{
    const lam_field_layer *l = &f->shape->layer[k];
    size_t plane = l->in * LAM_TILE;
    real *below = vjp_of(f, ch) + f->rows->vjp_g[k], *value = ch->vjps->space + ch->vjps->most * f->rows->vjp_size;
    real *cross = value + f->shape->widest * LAM_TILE;
    if (!ch->first_chunk)
        memcpy(cross, below, plane * sizeof(real));
    shared_gradient(f, k, ch, ch->tangents, g, below, sums);
    row_gradient(f, k, ch, 1 + ch->tangents, g_row, below);
    if (ch->with_value)
        memcpy(value, below, plane * sizeof(real));
    if (!ch->first_chunk)
        memcpy(below, cross, plane * sizeof(real));
    lam_backward call = { .in = l->in, .vectors = ch->vectors, .tangents = ch->tangents, .first_chunk = ch->first_chunk,
        .with_value = ch->with_value, .activation = f->shape->activation, .beta = f->beta, .h = record + f->record_h[k - 1],
        .d1 = record + f->record_d1[k - 1], .a = record + f->record_a[k - 1], .below = below,
        .beta_sum = sums + f->sum_beta };
    f->kernels->deactivate(&call, value);
}

static void reverse_layer(const lam_field *f, size_t k, const lam_chunk *ch, const real *record, real *scratch, real *sums, real *gz)
{
    const lam_amortised_field *a = f->rows;
    const lam_field_layer *l = &f->shape->layer[k];
    real *vjp = vjp_of(f, ch), *g = vjp + a->vjp_g[k + 1], *g_row = vjp + a->vjp_row[k], *q = vjp + a->vjp_q[k];
    size_t first = ch->with_value ? 0 : 1, planes = 1 + ch->tangents, plane = l->out * LAM_TILE, q_plane = l->rank * LAM_TILE;
    if (g_row != g)
        memcpy(g_row + first * plane, g + first * plane, (planes - first) * plane * sizeof(real));
    if (l->rank > 0) {
        memset(q + first * q_plane, 0, (planes - first) * q_plane * sizeof(real));
        add_transposed(f, ch, matrix_v(l), planes - first, g_row + first * plane, q + first * q_plane);
    }
    if (l->bases > 0)
        lam_field_reverse_shared(f, k, ch, record, g, scratch, sums);
    if (k > 0) {
        reverse_inputs(f, k, ch, record, g, g_row, sums);
    } else if (ch->with_value) { /* nothing depends on the seeds: the value's cotangent alone */
        shared_gradient(f, 0, ch, 0, g, gz, sums);
        row_gradient(f, 0, ch, 1, g_row, gz);
    }
}

static const lam_layer_kind row_layers = { forward_layer, layer_cotangent, reverse_layer };

void lam_vjps_keep(lam_vjps *p, const lam_chunk *ch, const real *record)
{
    p->vjp[p->count].record = record;
    p->vjp[p->count++].chunk = *ch;
}

/* ---- the row parameters' gradient --------------------------------------------------------------------------------- */

/* A call of lam_amortised_collect. */
typedef struct collection {
    const lam_amortised_field *of;
    lam_vjps *vjps;
    size_t vectors;
    int add;
    real *g_am;
} collection;

/* The gradient of matrix m from the first `terms` of the products' factors. */
static void add_outer(const collection *c, row_matrix m, size_t terms)
{
    lam_row_outer call = { .m = m.m, .n = m.n, .vectors = c->vectors, .terms = terms, .add = c->add, .left = c->vjps->left,
        .right = c->vjps->right, .matrix = c->g_am + m.at * LAM_TILE };
    c->of->field->kernels->row_outer(&call);
}

/* Gradient of matrix m: left's planes come from the records at left_at, the extra ones' at extra_at, right's from the products at
 * right_at. */
typedef struct factors {
    size_t left_at, extra_at, right_at;
} factors;

static void collect(const collection *c, row_matrix m, factors at)
{
    const lam_amortised_field *a = c->of;
    lam_vjps *p = c->vjps;
    size_t terms = 0, behind = 1 + a->field->tangents;
    for (size_t i = 0; i < p->count; i++) {
        const lam_chunk *ch = &p->vjp[i].chunk;
        const real *record = p->vjp[i].record, *right = p->space + i * a->vjp_size + at.right_at;
        for (size_t plane = ch->with_value ? 0 : 1; plane <= ch->tangents; plane++) {
            p->left[terms] = record + at.left_at + plane * m.m * LAM_TILE;
            p->right[terms++] = right + plane * m.n * LAM_TILE;
        }
        for (size_t plane = 0; plane < ch->extra; plane++) {
            p->left[terms] = record + at.extra_at + plane * m.m * LAM_TILE;
            p->right[terms++] = right + (behind + plane) * m.n * LAM_TILE;
        }
    }
    add_outer(c, m, terms);
}

/* Of the bias and the weights of t, which only the value has; and the first coefficient of a series, whose t grows by 1. */
static void collect_head(const collection *c, size_t k)
{
    const lam_amortised_field *a = c->of;
    const lam_field_layer *l = &a->field->shape->layer[k];
    lam_vjps *p = c->vjps;
    size_t terms = 0;
    for (size_t i = 0; i < p->count; i++) {
        const lam_chunk *ch = &p->vjp[i].chunk;
        const real *right = p->space + i * a->vjp_size + a->vjp_row[k];
        if (ch->with_value) {
            p->left[terms] = a->head + ch->slot * 2 * LAM_TILE;
            p->right[terms++] = right;
        }
        if (ch->extra > 0 && l->row_head > 1) {
            p->left[terms] = a->head_slope;
            p->right[terms++] = right + (1 + a->field->tangents) * l->out * LAM_TILE;
        }
    }
    add_outer(c, (row_matrix) { l->row_b, l->row_head, l->out }, terms);
}

void lam_amortised_collect(const lam_amortised_field *a, lam_vjps *p, size_t vectors, int add, real *g_am)
{
    const lam_field *f = a->field;
    const collection c = { a, p, vectors, add, g_am };
    for (size_t k = 0; k < f->shape->layers; k++) {
        const lam_field_layer *l = &f->shape->layer[k];
        size_t x = k == 0 ? 0 : f->record_h[k - 1], more = a->record_extra[k];
        size_t q = a->record_q[k] + (1 + f->tangents) * l->rank * LAM_TILE;
        if (l->row_head > 0)
            collect_head(&c, k);
        if (l->rank > 0) {
            collect(&c, matrix_u(l), (factors) { x, more, a->vjp_q[k] });
            collect(&c, matrix_v(l), (factors) { a->record_q[k], q, a->vjp_row[k] });
        }
        if (l->row_whole)
            collect(&c, matrix_w(l), (factors) { x, more, a->vjp_row[k] });
    }
    p->count = 0;
}
