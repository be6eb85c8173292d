/* Fields whose layers take biases, low-rank terms or whole matrices from the rows, and their reverse. */
#include "field/amortised.h"
#include "base/mem.h"
#include <string.h>

/* ---- layout ------------------------------------------------------------------------------------------------------- */

static lam_activation activation_of(const lam_field *f, size_t k)
{
    return k + 1 < f->shape->layers ? f->shape->activation : LAM_ACT_IDENTITY;
}

/* Pre-activations with the row's share: where the activation's reverse asks for them. */
static int keeps_a(const lam_field *f, size_t k)
{
    return f->record_a[k] != f->record_h[k] && lam_saves_a(activation_of(f, k));
}

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

static void lay_out_pull(lam_amortised_field *a)
{
    const lam_field_shape *s = a->field->shape;
    size_t planes = 1 + a->field->tangents, at = 0;
    for (size_t k = 0; k < s->layers; k++) {
        const lam_field_layer *l = &s->layer[k];
        a->pull_g[k + 1] = a->pull_row[k] = at;
        at += (planes + a->extra) * l->out * LAM_TILE;
        if (l->has_gate) { /* the reverse scales the others */
            a->pull_row[k] = at;
            at += planes * l->out * LAM_TILE;
        }
        a->pull_q[k] = at;
        at += (planes + a->extra) * l->rank * LAM_TILE;
    }
    a->pull_size = at;
}

lam_status lam_amortised_init(lam_amortised_field *a, lam_field *f, size_t extra)
{
    size_t zeros = (f->shape->widest + 15) / 16 * 16;
    memset(a, 0, sizeof *a);
    a->field = f;
    a->extra = extra;
    lay_out_record(a, f);
    lay_out_pull(a);
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

lam_status lam_pulls_init(lam_pulls *p, const lam_amortised_field *a, size_t most)
{
    size_t planes = 1 + a->field->tangents + a->extra, reals = most * a->pull_size + 2 * a->field->shape->widest * LAM_TILE;
    memset(p, 0, sizeof *p);
    p->most = most;
    if ((p->space = lam_reserve(reals * sizeof(real))) == NULL
        || (p->left = lam_alloc(most * planes, sizeof *p->left)) == NULL
        || (p->right = lam_alloc(most * planes, sizeof *p->right)) == NULL)
        return LAM_ERR_MEMORY;
    return LAM_OK;
}

void lam_pulls_clear(lam_pulls *p)
{
    lam_free(p->space);
    lam_free(p->left);
    lam_free(p->right);
    memset(p, 0, sizeof *p);
}

void lam_amortised_prepare(lam_amortised_field *a, lam_field *f, size_t slot, real t)
{
    lam_field_prepare(f, slot, t);
    for (size_t r = 0; r < LAM_TILE; r++) {
        a->head[slot * 2 * LAM_TILE + r] = 1;
        a->head[(slot * 2 + 1) * LAM_TILE + r] = t;
    }
}

/* ---- forward ------------------------------------------------------------------------------------------------------ */

/* The shared part of a layer, without its activation, in the planes of h from `first`. */
static void forward_shared(const lam_field *f, size_t k, size_t slot, size_t vectors, size_t tangents, int with_value,
    const real *x, real *record)
{
    const lam_field_layer *l = &f->shape->layer[k];
    const lam_slot_layer *sl = &f->slot[slot].layer[k];
    size_t first = with_value ? 0 : 1, plane = l->out * LAM_TILE;
    real *h = record + f->record_h[k];
    if (l->bases == 0) {
        memset(h + first * plane, 0, (1 + tangents - first) * plane * sizeof(real));
        return;
    }
    lam_forward call = { .in = l->in, .out = l->out, .vectors = vectors, .tangents = tangents, .with_value = with_value,
        .activation = LAM_ACT_IDENTITY, .beta = f->beta, .weight = sl->weight, .scale = sl->scale, .shift = sl->shift, .x = x,
        .h = h, .a = l->has_gate ? record + f->record_gate[k] : NULL };
    f->kernels->forward(&call);
}

/* y += x M for the planes from `first`, M [m, n] at `at` of the row's vector. */
static void add_product(const lam_field *f, size_t vectors, size_t first, size_t planes, const real *am, size_t at, size_t m,
    size_t n, const real *x, real *y)
{
    size_t plane_x = m * LAM_TILE, plane_y = n * LAM_TILE;
    lam_rowwise call = { .m = m, .n = n, .vectors = vectors, .planes = planes - first, .matrix = am + at * LAM_TILE,
        .x = x + first * plane_x, .x_stride = plane_x, .y = y + first * plane_y, .y_stride = plane_y };
    f->kernels->row_product(&call);
}

/* y += M x, likewise. */
static void add_transposed(const lam_field *f, size_t vectors, size_t first, size_t planes, const real *am, size_t at, size_t m,
    size_t n, const real *x, real *y)
{
    size_t plane_x = n * LAM_TILE, plane_y = m * LAM_TILE;
    lam_rowwise call = { .m = m, .n = n, .vectors = vectors, .planes = planes - first, .matrix = am + at * LAM_TILE,
        .x = x + first * plane_x, .x_stride = plane_x, .y = y + first * plane_y, .y_stride = plane_y };
    f->kernels->row_transposed(&call);
}

void lam_amortised_add(const lam_amortised_field *a, size_t k, size_t vectors, size_t planes, const real *am, const real *x,
    real *q, real *y)
{
    const lam_field *f = a->field;
    const lam_field_layer *l = &f->shape->layer[k];
    if (l->rank > 0) {
        memset(q, 0, planes * l->rank * LAM_TILE * sizeof(real));
        add_product(f, vectors, 0, planes, am, l->row_u, l->in, l->rank, x, q);
        add_product(f, vectors, 0, planes, am, l->row_v, l->rank, l->out, q, y);
    }
    if (l->row_whole)
        add_product(f, vectors, 0, planes, am, l->row_w, l->in, l->out, x, y);
}

void lam_amortised_add_reverse(const lam_amortised_field *a, size_t k, size_t vectors, size_t planes, const real *am,
    const real *g, real *q, real *below)
{
    const lam_field *f = a->field;
    const lam_field_layer *l = &f->shape->layer[k];
    if (l->rank > 0) {
        memset(q, 0, planes * l->rank * LAM_TILE * sizeof(real));
        add_transposed(f, vectors, 0, planes, am, l->row_v, l->rank, l->out, g, q);
        add_transposed(f, vectors, 0, planes, am, l->row_u, l->in, l->rank, q, below);
    }
    if (l->row_whole)
        add_transposed(f, vectors, 0, planes, am, l->row_w, l->in, l->out, g, below);
}

void lam_amortised_forward(const lam_amortised_field *a, size_t slot, size_t vectors, size_t tangents, int with_value,
    const real *am, real *record)
{
    const lam_field *f = a->field;
    const real *x = record;
    size_t first = with_value ? 0 : 1, planes = 1 + tangents - first;
    for (size_t k = 0; k < f->shape->layers; k++) {
        const lam_field_layer *l = &f->shape->layer[k];
        real *h = record + f->record_h[k], *q = record + a->record_q[k];
        forward_shared(f, k, slot, vectors, tangents, with_value, x, record);
        if (with_value && l->row_head > 0)
            add_product(f, vectors, 0, 1, am, l->row_b, l->row_head, l->out, a->head + slot * 2 * LAM_TILE, h);
        lam_amortised_add(a, k, vectors, planes, am, x + first * l->in * LAM_TILE, q + first * l->rank * LAM_TILE,
            h + first * l->out * LAM_TILE);
        if (activation_of(f, k) != LAM_ACT_IDENTITY) {
            lam_forward call = { .out = l->out, .vectors = vectors, .tangents = tangents, .with_value = with_value,
                .activation = f->shape->activation, .beta = f->beta, .shift = a->zeros, .h = h,
                .d1 = record + f->record_d1[k], .a = keeps_a(f, k) ? record + f->record_a[k] : NULL };
            f->kernels->activate(&call);
        }
        x = h;
    }
}

/* ---- reverse ------------------------------------------------------------------------------------------------------ */

real *lam_amortised_cotangent(const lam_amortised_field *a, lam_pulls *p)
{
    return p->space + p->count * a->pull_size + a->pull_g[a->field->shape->layers];
}

/* What a reverse is of, and where it leaves things. */
typedef struct passage {
    const lam_amortised_field *a;
    size_t slot, vectors, tangents;
    int first_chunk, with_value;
    const real *am, *record;
    real *pull;          /* [pull_size] */
    real *value, *cross; /* [widest][TILE] each */
    real *scratch, *sums;
} passage;

/* W' g of the shared weights, in the planes of below from 0 (or from 1, without the value); below may be one plane. */
static void shared_gradient(const passage *c, size_t k, size_t tangents, const real *g, real *below)
{
    const lam_field *f = c->a->field;
    const lam_field_layer *l = &f->shape->layer[k];
    if (l->bases == 0) {
        memset(below, 0, (1 + tangents) * l->in * LAM_TILE * sizeof(real));
        return;
    }
    lam_backward call = { .in = l->in, .out = l->out, .vectors = c->vectors, .tangents = tangents, .first_chunk = 1,
        .with_value = c->with_value, .activation = LAM_ACT_IDENTITY, .weight_t = f->slot[c->slot].layer[k].weight_t, .g = g,
        .h = below, .below = below, .beta_sum = c->sums + f->sum_beta };
    f->kernels->backward(&call);
}

/* What U, V or W add to it; g is the cotangent of the layer's output, before its gate. */
static void row_gradient(const passage *c, size_t k, size_t planes, const real *g, real *below)
{
    const lam_field *f = c->a->field;
    const lam_field_layer *l = &f->shape->layer[k];
    size_t first = c->with_value ? 0 : 1;
    if (l->rank > 0)
        add_transposed(f, c->vectors, first, planes, c->am, l->row_u, l->in, l->rank, c->pull + c->a->pull_q[k], below);
    if (l->row_whole)
        add_transposed(f, c->vectors, first, planes, c->am, l->row_w, l->in, l->out, g, below);
}

/* Cotangents of layer k's inputs, which layer k - 1 made. below's plane 0 holds the sums of earlier chunks, as the kernels have it;
 * they step aside while it takes the products. */
static void reverse_inputs(const passage *c, size_t k, const real *g, const real *g_row)
{
    const lam_field *f = c->a->field;
    const lam_field_layer *l = &f->shape->layer[k];
    size_t plane = l->in * LAM_TILE;
    real *below = c->pull + c->a->pull_g[k];
    if (!c->first_chunk)
        memcpy(c->cross, below, plane * sizeof(real));
    shared_gradient(c, k, c->tangents, g, below);
    row_gradient(c, k, 1 + c->tangents, g_row, below);
    if (c->with_value)
        memcpy(c->value, below, plane * sizeof(real));
    if (!c->first_chunk)
        memcpy(below, c->cross, plane * sizeof(real));
    lam_backward call = { .in = l->in, .vectors = c->vectors, .tangents = c->tangents, .first_chunk = c->first_chunk,
        .with_value = c->with_value, .activation = f->shape->activation, .beta = f->beta, .h = c->record + f->record_h[k - 1],
        .d1 = c->record + f->record_d1[k - 1], .a = c->record + f->record_a[k - 1], .below = below,
        .beta_sum = c->sums + f->sum_beta };
    f->kernels->deactivate(&call, c->value);
}

static void reverse_layer(const passage *c, size_t k, real *gz)
{
    const lam_field *f = c->a->field;
    const lam_field_layer *l = &f->shape->layer[k];
    const real *x = k == 0 ? c->record : c->record + f->record_h[k - 1];
    real *g = c->pull + c->a->pull_g[k + 1], *g_row = c->pull + c->a->pull_row[k], *q = c->pull + c->a->pull_q[k];
    size_t first = c->with_value ? 0 : 1, planes = 1 + c->tangents, plane = l->out * LAM_TILE, q_plane = l->rank * LAM_TILE;
    if (g_row != g)
        memcpy(g_row + first * plane, g + first * plane, (planes - first) * plane * sizeof(real));
    if (l->rank > 0) {
        memset(q + first * q_plane, 0, (planes - first) * q_plane * sizeof(real));
        add_transposed(f, c->vectors, first, planes, c->am, l->row_v, l->rank, l->out, g_row, q);
    }
    if (l->bases > 0)
        lam_field_reverse_layer(f, k, c->slot, c->vectors, c->tangents, c->with_value, c->record, x, g, c->scratch, c->sums);
    if (k > 0) {
        reverse_inputs(c, k, g, g_row);
    } else if (c->with_value) { /* nothing depends on the seeds: the value's cotangent alone */
        shared_gradient(c, 0, 0, g, gz);
        row_gradient(c, 0, 1, g_row, gz);
    }
}

void lam_amortised_reverse(const lam_amortised_field *a, lam_pulls *p, size_t slot, size_t vectors, size_t tangents,
    size_t extra, int first_chunk, int with_value, const real *am, const real *record, real *scratch, real *sums, real *gz)
{
    const lam_field_shape *s = a->field->shape;
    real *value = p->space + p->most * a->pull_size;
    passage c = { .a = a, .slot = slot, .vectors = vectors, .tangents = tangents, .first_chunk = first_chunk,
        .with_value = with_value, .am = am, .record = record, .pull = p->space + p->count * a->pull_size, .value = value,
        .cross = value + s->widest * LAM_TILE, .scratch = scratch, .sums = sums };
    for (size_t k = s->layers; k-- > 0;)
        reverse_layer(&c, k, gz);
    p->pull[p->count].record = record;
    p->pull[p->count].slot = slot;
    p->pull[p->count].tangents = tangents;
    p->pull[p->count].with_value = with_value;
    p->pull[p->count].extra = extra;
    p->count++;
}

/* ---- the row parameters' gradient --------------------------------------------------------------------------------- */

/* Gradient of the matrix [m, n] at `at`: left's planes come from the records at left_at, the extra ones' at extra_at, right's from
 * the pulls at right_at. */
static void collect(const lam_amortised_field *a, lam_pulls *p, size_t vectors, int add, real *g_am, size_t at, size_t m,
    size_t n, size_t left_at, size_t extra_at, size_t right_at)
{
    size_t terms = 0, behind = 1 + a->field->tangents;
    for (size_t i = 0; i < p->count; i++) {
        const real *record = p->pull[i].record, *right = p->space + i * a->pull_size + right_at;
        for (size_t plane = p->pull[i].with_value ? 0 : 1; plane <= p->pull[i].tangents; plane++) {
            p->left[terms] = record + left_at + plane * m * LAM_TILE;
            p->right[terms++] = right + plane * n * LAM_TILE;
        }
        for (size_t plane = 0; plane < p->pull[i].extra; plane++) {
            p->left[terms] = record + extra_at + plane * m * LAM_TILE;
            p->right[terms++] = right + (behind + plane) * n * LAM_TILE;
        }
    }
    lam_row_outer call = { .m = m, .n = n, .vectors = vectors, .terms = terms, .add = add, .left = p->left,
        .right = p->right, .matrix = g_am + at * LAM_TILE };
    a->field->kernels->row_outer(&call);
}

/* Of the bias and the weights of t, which only the value has; and the first coefficient of a series, whose t grows by 1. */
static void collect_head(const lam_amortised_field *a, lam_pulls *p, size_t vectors, int add, real *g_am, size_t k)
{
    const lam_field_layer *l = &a->field->shape->layer[k];
    size_t terms = 0;
    for (size_t i = 0; i < p->count; i++) {
        const real *right = p->space + i * a->pull_size + a->pull_row[k];
        if (p->pull[i].with_value) {
            p->left[terms] = a->head + p->pull[i].slot * 2 * LAM_TILE;
            p->right[terms++] = right;
        }
        if (p->pull[i].extra > 0 && l->row_head > 1) {
            p->left[terms] = a->head_slope;
            p->right[terms++] = right + (1 + a->field->tangents) * l->out * LAM_TILE;
        }
    }
    lam_row_outer call = { .m = l->row_head, .n = l->out, .vectors = vectors, .terms = terms, .add = add, .left = p->left,
        .right = p->right, .matrix = g_am + l->row_b * LAM_TILE };
    a->field->kernels->row_outer(&call);
}

void lam_amortised_collect(const lam_amortised_field *a, lam_pulls *p, size_t vectors, int add, real *g_am)
{
    const lam_field *f = a->field;
    for (size_t k = 0; k < f->shape->layers; k++) {
        const lam_field_layer *l = &f->shape->layer[k];
        size_t x = k == 0 ? 0 : f->record_h[k - 1], more = a->record_extra[k];
        size_t q = a->record_q[k] + (1 + f->tangents) * l->rank * LAM_TILE;
        if (l->row_head > 0)
            collect_head(a, p, vectors, add, g_am, k);
        if (l->rank > 0) {
            collect(a, p, vectors, add, g_am, l->row_u, l->in, l->rank, x, more, a->pull_q[k]);
            collect(a, p, vectors, add, g_am, l->row_v, l->rank, l->out, a->record_q[k], q, a->pull_row[k]);
        }
        if (l->row_whole)
            collect(a, p, vectors, add, g_am, l->row_w, l->in, l->out, x, more, a->pull_row[k]);
    }
    p->count = 0;
}
