/* A field on a tile: its parameters at a time, value and directional derivatives, and their reverse (method.md 2, 3). */
#include "field/amortised.h"
#include "field/inside.h"
#include <math.h>
#include <string.h>

/* ---- parameters at a time ----------------------------------------------------------------------------------------- */

void lam_field_load(lam_field *f, const real *params, real beta)
{
    f->params = params;
    f->beta = beta;
    for (size_t k = 0; k < f->shape->layers; k++) {
        const lam_field_layer *l = &f->shape->layer[k];
        const lam_basis *b = &l->basis[0];
        if (l->bases != 1)
            continue;
        f->kernels->pack(l->out, l->in, params + b->w, b->stride_out, b->stride_in, f->packed[k]);
        f->kernels->pack(l->in, l->out, params + b->w, b->stride_in, b->stride_out, f->packed_t[k]);
    }
}

static void set_phi(const lam_field_layer *l, const real *params, real t, real *phi)
{
    phi[0] = 1;
    if (l->is_blend) {
        phi[0] = 1 - t;
        phi[1] = t;
    } else if (l->is_hyper) {
        for (size_t j = 0; j < LAM_HYPER_UNITS; j++)
            phi[j] = (real)tanh((double)(params[l->v1 + j] * t + params[l->c1 + j]));
        phi[LAM_HYPER_UNITS] = 1;
    }
}

void lam_field_mix(lam_field *f, size_t layer, const real *phi, real *packed, real *packed_t)
{
    const lam_field_layer *l = &f->shape->layer[layer];
    for (size_t o = 0; o < l->out; o++)
        for (size_t i = 0; i < l->in; i++) {
            real w = 0;
            for (size_t j = 0; j < l->bases; j++) {
                const lam_basis *b = &l->basis[j];
                w += phi[j] * f->params[b->w + o * b->stride_out + i * b->stride_in];
            }
            f->effective[o * l->in + i] = w;
        }
    f->kernels->pack(l->out, l->in, f->effective, l->in, 1, packed);
    f->kernels->pack(l->in, l->out, f->effective, 1, l->in, packed_t);
}

void lam_field_prepare(lam_field *f, size_t slot, real t)
{
    const real *p = f->params;
    f->slot[slot].t = t;
    for (size_t k = 0; k < f->shape->layers; k++) {
        const lam_field_layer *l = &f->shape->layer[k];
        lam_slot_layer *sl = &f->slot[slot].layer[k];
        set_phi(l, p, t, sl->phi);
        for (size_t o = 0; o < l->out; o++) {
            real shift = 0;
            for (size_t j = 0; j < l->bases; j++)
                shift += sl->phi[j] * p[l->basis[j].b + o * l->basis[j].stride_b];
            if (l->has_gate) {
                sl->scale[o] = (real)(1 / (1 + exp(-(double)(p[l->g + o] * t + p[l->c + o]))));
                shift *= sl->scale[o];
            }
            if (l->has_u)
                shift += t * p[l->u + o * l->stride_u];
            sl->shift[o] = shift;
        }
        if (l->bases > 1) {
            lam_field_mix(f, k, sl->phi, sl->own, sl->own_t);
            sl->weight = sl->own;
            sl->weight_t = sl->own_t;
        } else {
            sl->weight = f->packed[k];
            sl->weight_t = f->packed_t[k];
        }
    }
    if (f->rows != NULL)
        lam_amortised_prepare(f->rows, slot, t);
}

/* ---- forward ------------------------------------------------------------------------------------------------------ */

/* Of unit seeds' last layer: the one output of each tangent. */
static void forward_diagonal(const lam_field *f, const lam_forward *call, const lam_chunk *ch)
{
    real *y = call->h + call->out * LAM_TILE;
    f->kernels->diagonal(call->in, call->out, call->vectors, ch->first, ch->tangents, call->weight, call->x + call->in * LAM_TILE, y);
    if (call->scale != NULL)
        f->kernels->scale_rows(ch->tangents, call->vectors, call->scale + ch->first, y);
}

/* A hidden layer's lines of the context. */
static const real *row_shift(const lam_field *f, size_t k, const real *context)
{
    return context == NULL || k + 1 == f->shape->layers ? NULL : context + f->shape->layer[k].context_at * LAM_TILE;
}

static void forward_layer(const lam_field *f, size_t k, const lam_chunk *ch, const real *x, real *record)
{
    const lam_field_layer *l = &f->shape->layer[k];
    const lam_slot_layer *sl = &f->slot[ch->slot].layer[k];
    lam_forward call = { .in = l->in, .out = l->out, .vectors = ch->vectors, .tangents = ch->tangents,
        .with_value = ch->with_value, .activation = lam_field_activation(f, k), .beta = f->beta, .weight = sl->weight,
        .scale = sl->scale, .shift = sl->shift, .row_shift = row_shift(f, k, ch->context), .x = x, .h = record + f->record_h[k],
        .d1 = record + f->record_d1[k], .a = lam_field_keeps_a(f, k) ? record + f->record_a[k] : NULL };
    if (f->unit_seeds && k == 0) {
        call.unit = record + l->in * LAM_TILE;
        call.unit_first = ch->first;
    }
    if (f->unit_seeds && k + 1 == f->shape->layers) {
        call.tangents = 0;
        forward_diagonal(f, &call, ch);
    }
    f->kernels->forward(&call);
}

const real *lam_field_input(const lam_field *f, size_t k, const real *record)
{
    return k == 0 ? record : record + f->record_h[k - 1];
}

void lam_field_forward(const lam_field *f, const lam_chunk *ch, real *record)
{
    for (size_t k = 0; k < f->shape->layers; k++)
        f->kind->forward(f, k, ch, lam_field_input(f, k, record), record);
}

real *lam_field_output(const lam_field *f, real *record)
{
    return record + f->record_h[f->shape->layers - 1];
}

/* ---- reverse ------------------------------------------------------------------------------------------------------ */

/* 1: the layer's tangents and their cotangents are a line each, of output first + p. */
static int is_diagonal(const lam_field *f, size_t k)
{
    return f->unit_seeds && k + 1 == f->shape->layers;
}

/* What the rows' own share r of a layer's pre-activations has to do with its reverse, beside its cotangent, which is the value's and is added up
 * where that is made: of the gate's sum of g a, its part g r is none of the gate's. own [out] receives it, summed over rows. */
static void reverse_context(const lam_field *f, size_t k, const lam_chunk *ch, const real *g, real *own)
{
    const lam_field_layer *l = &f->shape->layer[k];
    const real *r = row_shift(f, k, ch->context);
    memset(own, 0, l->out * sizeof *own);
    if (r != NULL && ch->with_value && l->has_gate)
        f->kernels->row_dots(l->out, ch->vectors, g, r, own);
}

/* With S0 = sum of g over rows and A = sum over rows and planes of g a (g before the gate's scale): a = s (W h + b) + u t + r, r of a
 * context, gives db = s S0, du = t S0, and for the gate's argument (1 - s)(A - u t S0 - sum g r), which needs no division by s. */
static void reverse_vectors(const lam_field *f, size_t k, const lam_chunk *ch, const real *record, real *g, real *s0, real *sums)
{
    const lam_field_layer *l = &f->shape->layer[k];
    const lam_slot_layer *sl = &f->slot[ch->slot].layer[k];
    size_t plane = l->out * LAM_TILE, vectors = ch->vectors;
    real t = f->slot[ch->slot].t, *dots = s0 + lam_padded(f->shape->widest, 16), *own = dots + lam_padded(f->shape->widest, 16);
    memset(s0, 0, l->out * sizeof *s0);
    reverse_context(f, k, ch, g, own);
    if (ch->with_value)
        f->kernels->row_sums(l->out, vectors, g, NULL, s0);
    if (l->has_gate) {
        const real *a = record + f->record_gate[k];
        memset(dots, 0, l->out * sizeof *dots);
        for (size_t p = ch->with_value ? 0 : 1; p <= (is_diagonal(f, k) ? 0 : ch->tangents); p++) {
            f->kernels->row_dots(l->out, vectors, g + p * plane, a + p * plane, dots);
            f->kernels->scale_rows(l->out, vectors, sl->scale, g + p * plane);
        }
        if (is_diagonal(f, k)) {
            f->kernels->row_dots(ch->tangents, vectors, g + plane, a + plane, dots + ch->first);
            f->kernels->scale_rows(ch->tangents, vectors, sl->scale + ch->first, g + plane);
        }
        for (size_t o = 0; o < l->out; o++) {
            real ut = l->has_u ? f->params[l->u + o * l->stride_u] * t : 0;
            real gate = (1 - sl->scale[o]) * (dots[o] - ut * s0[o] - own[o]);
            sums[f->sum_g[k] + o] += t * gate;
            sums[f->sum_gate_c[k] + o] += gate;
        }
    }
    if (l->has_u)
        for (size_t o = 0; o < l->out; o++)
            sums[f->sum_u[k] + o] += t * s0[o];
    for (size_t o = 0; l->has_gate && o < l->out; o++)
        s0[o] *= sl->scale[o];
    for (size_t j = 0; j < l->bases; j++)
        for (size_t o = 0; o < l->out; o++)
            sums[f->sum_b[k][j] + o] += sl->phi[j] * s0[o];
}

/* Where element (o, i) of a matrix lies in the blocks that lam_outer writes. */
static size_t block_index(const lam_field *f, size_t k, size_t o, size_t i)
{
    const lam_field_layer *l = &f->shape->layer[k];
    size_t rows = f->swapped[k] ? l->in : l->out, cols = f->swapped[k] ? l->out : l->in;
    size_t m = f->swapped[k] ? i : o, n = f->swapped[k] ? o : i, block = f->kernels->block;
    size_t j = n / block, left = lam_padded(cols, f->kernels->lanes) - j * block, width = left < block ? left : block;
    return j * block * rows + m * width + (n - j * block);
}

void lam_field_add_phi(const lam_field *f, size_t k, const real *c, const real *s, real *dphi)
{
    const lam_field_layer *l = &f->shape->layer[k];
    for (size_t o = 0; o < l->out; o++) {
        for (size_t j = 0; s != NULL && j < LAM_HYPER_UNITS; j++)
            dphi[j] += f->params[l->basis[j].b + o * l->basis[j].stride_b] * s[o];
        for (size_t i = 0; c != NULL && i < l->in; i++) {
            real gw = c[block_index(f, k, o, i)];
            const real *w = f->params + l->basis[0].w + o * l->basis[0].stride_out + i * l->basis[0].stride_in;
            for (size_t j = 0; j < LAM_HYPER_UNITS; j++) /* the eight units lie side by side */
                dphi[j] += w[j] * gw;
        }
    }
}

/* hyper: cotangents of phi_j = tanh(v1_j t + c1_j), from this time's own weight gradient c and bias gradient s0. */
static void reverse_phi(const lam_field *f, size_t k, size_t slot, const real *c, const real *s0, real *sums)
{
    const lam_slot_layer *sl = &f->slot[slot].layer[k];
    real dphi[LAM_HYPER_UNITS] = { 0 };
    lam_field_add_phi(f, k, c, s0, dphi);
    for (size_t j = 0; j < LAM_HYPER_UNITS; j++) {
        real g = dphi[j] * (1 - sl->phi[j] * sl->phi[j]);
        sums[f->sum_v1[k] + j] += g * f->slot[slot].t;
        sums[f->sum_c1[k] + j] += g;
    }
}

/* Weight gradient of the tangents of unit seeds in their first layer, whose inputs are the seeds, and in their last, whose
 * cotangents are of one output each: row sums, of column first + p of W in the one and of row first + p in the other. */
static void reverse_unit(const lam_field *f, size_t k, const lam_chunk *ch, const real *x, const real *g, real *line, real *c)
{
    const lam_field_layer *l = &f->shape->layer[k];
    size_t n = k == 0 ? l->out : l->in, plane = n * LAM_TILE;
    const real *stack = k == 0 ? g + plane : x + plane, *lines = k == 0 ? x + l->in * LAM_TILE : g + l->out * LAM_TILE;
    for (size_t p = 0; p < ch->tangents; p++) {
        memset(line, 0, n * sizeof *line);
        f->kernels->row_sums(n, ch->vectors, stack + p * plane, lines + p * LAM_TILE, line);
        for (size_t i = 0; i < n; i++)
            c[k == 0 ? block_index(f, k, i, ch->first + p) : block_index(f, k, ch->first + p, i)] += line[i];
    }
}

void lam_field_outer(const lam_field *f, size_t k, size_t vectors, size_t planes, const real *x, const real *g, real *scratch,
    real *c)
{
    const lam_field_layer *l = &f->shape->layer[k];
    const lam_kernels *kern = f->kernels;
    const real *left = f->swapped[k] ? x : g, *right = f->swapped[k] ? g : x;
    size_t m = f->swapped[k] ? l->in : l->out, n = f->swapped[k] ? l->out : l->in;
    size_t t_plane = lam_padded(n, kern->lanes) * LAM_TILE;
    real *transposed = scratch + f->scratch_transposed;
    for (size_t p = 0; p < planes; p++)
        kern->transpose(n, vectors, right + p * n * LAM_TILE, transposed + p * t_plane);
    lam_outer call = { .m = m, .n = n, .vectors = vectors, .planes = planes, .left = left, .left_stride = m * LAM_TILE,
        .right_t = transposed, .right_stride = t_plane, .c = c };
    kern->outer(&call);
}

size_t lam_field_outer_size(const lam_field *f, size_t k)
{
    const lam_field_layer *l = &f->shape->layer[k];
    return f->swapped[k] ? l->in * lam_padded(l->out, f->kernels->lanes) : l->out * lam_padded(l->in, f->kernels->lanes);
}

void lam_field_share(const lam_field *f, size_t k, const real *phi, const real *c, real *sums)
{
    size_t count = lam_field_outer_size(f, k);
    for (size_t j = 0; j < f->shape->layer[k].bases; j++) {
        real *to = sums + f->sum_c[k][j];
        for (size_t i = 0; i < count; i++)
            to[i] += phi[j] * c[i];
    }
}

static void reverse_weights(const lam_field *f, size_t k, const lam_chunk *ch, const real *x, const real *g, real *scratch,
    const real *s0, real *sums)
{
    const lam_field_layer *l = &f->shape->layer[k];
    int unit = f->unit_seeds && (k == 0 || is_diagonal(f, k));
    size_t first = ch->with_value ? 0 : 1, planes = 1 + (unit ? 0 : ch->tangents) - first;
    real *line = scratch + f->scratch_sums + lam_padded(f->shape->widest, 16);
    real *c = l->bases == 1 ? sums + f->sum_c[k][0] : scratch + f->scratch_outer;
    if (l->bases > 1)
        memset(c, 0, lam_field_outer_size(f, k) * sizeof *c);
    lam_field_outer(f, k, ch->vectors, planes, x + first * l->in * LAM_TILE, g + first * l->out * LAM_TILE, scratch, c);
    if (unit)
        reverse_unit(f, k, ch, x, g, line, c);
    if (l->bases == 1)
        return;
    lam_field_share(f, k, f->slot[ch->slot].layer[k].phi, c, sums);
    if (l->is_hyper)
        reverse_phi(f, k, ch->slot, c, s0, sums);
}

void lam_field_reverse_shared(const lam_field *f, size_t k, const lam_chunk *ch, const real *record, real *g, real *scratch, real *sums)
{
    real *s0 = scratch + f->scratch_sums;
    reverse_vectors(f, k, ch, record, g, s0, sums);
    reverse_weights(f, k, ch, lam_field_input(f, k, record), g, scratch, s0, sums);
}

static real *layer_cotangent(const lam_field *f, size_t k, const lam_chunk *ch, real *scratch)
{
    (void)ch;
    return scratch + f->scratch_g[k + 1];
}

static void reverse_layer(const lam_field *f, size_t k, const lam_chunk *ch, const real *record, real *scratch, real *sums, real *gz)
{
    const lam_field_layer *l = &f->shape->layer[k];
    real *g = layer_cotangent(f, k, ch, scratch);
    lam_field_reverse_shared(f, k, ch, record, g, scratch, sums);
    if (k == 0 && !ch->with_value)
        return;
    lam_backward call = { .in = l->in, .out = l->out, .vectors = ch->vectors, .tangents = ch->tangents,
        .first_chunk = ch->first_chunk, .with_value = ch->with_value, .activation = LAM_ACT_IDENTITY, .beta = f->beta,
        .weight_t = f->slot[ch->slot].layer[k].weight_t, .g = g, .below = scratch + f->scratch_g[k],
        .beta_sum = sums + f->sum_beta };
    if (k == 0) { /* nothing depends on the seeds: the value's cotangent alone */
        call.tangents = 0;
        call.first_chunk = 1;
        call.below = gz;
    } else {
        call.activation = f->shape->activation;
        call.h = lam_field_input(f, k, record);
        call.d1 = record + f->record_d1[k - 1];
        call.a = record + f->record_a[k - 1];
        call.g_row_shift = ch->g_context != NULL ? ch->g_context + f->shape->layer[k - 1].context_at * LAM_TILE : NULL;
        call.unit = is_diagonal(f, k) ? g + l->out * LAM_TILE : NULL;
        call.unit_first = ch->first;
    }
    f->kernels->backward(&call);
}

const lam_layer_kind lam_shared_layers = { forward_layer, layer_cotangent, reverse_layer };

real *lam_field_cotangent(const lam_field *f, const lam_chunk *ch, real *scratch)
{
    return f->kind->cotangent(f, f->shape->layers - 1, ch, scratch);
}

void lam_field_reverse(const lam_field *f, const lam_chunk *ch, const real *record, real *scratch, real *sums, real *gz)
{
    for (size_t k = f->shape->layers; k-- > 0;)
        f->kind->reverse(f, k, ch, record, scratch, sums, gz);
    if (ch->vjps != NULL)
        lam_vjps_keep(ch->vjps, ch, record);
}

void lam_field_collect(const lam_field *f, const real *sums, real *grad, real *beta_grad)
{
    for (size_t k = 0; k < f->shape->layers; k++) {
        const lam_field_layer *l = &f->shape->layer[k];
        for (size_t o = 0; o < l->out; o++) {
            for (size_t j = 0; j < l->bases; j++) {
                const lam_basis *b = &l->basis[j];
                grad[b->b + o * b->stride_b] += sums[f->sum_b[k][j] + o];
                for (size_t i = 0; i < l->in; i++)
                    grad[b->w + o * b->stride_out + i * b->stride_in] += sums[f->sum_c[k][j] + block_index(f, k, o, i)];
            }
            if (l->has_u)
                grad[l->u + o * l->stride_u] += sums[f->sum_u[k] + o];
            if (l->has_gate) {
                grad[l->g + o] += sums[f->sum_g[k] + o];
                grad[l->c + o] += sums[f->sum_gate_c[k] + o];
            }
        }
        for (size_t j = 0; l->is_hyper && j < LAM_HYPER_UNITS; j++) {
            grad[l->v1 + j] += sums[f->sum_v1[k] + j];
            grad[l->c1 + j] += sums[f->sum_c1[k] + j];
        }
    }
    *beta_grad += sums[f->sum_beta];
}
