/* Taylor coefficients of f along the path, order by order behind the value, and their reverse (method.md 10). */
#include "field/series_inside.h"
#include <string.h>

/* ---- parameters at a time ----------------------------------------------------------------------------------------- */

/* Coefficients of phi in t beyond phi_0: blend's is (1 - t, t), hyper's tanh(v t + c). */
static void set_phi(const lam_field *f, const lam_field_layer *l, const real *phi, lam_series_slot *sl)
{
    memset(sl->phi, 0, sizeof sl->phi);
    if (l->is_blend) {
        sl->phi[0][0] = -1;
        sl->phi[0][1] = 1;
    }
    for (size_t j = 0; l->is_hyper && j < LAM_HYPER_UNITS; j++) {
        real v = f->params[l->v1 + j], slope = 1 - phi[j] * phi[j];
        sl->phi[0][j] = v * slope;
        sl->phi[1][j] = -v * v * phi[j] * slope;
    }
}

static void set_gate(const lam_field_series *s, const lam_field_layer *l, const real *scale, lam_series_slot *sl)
{
    for (size_t o = 0; o < l->out; o++) {
        real g = s->field->params[l->g + o], rest = 1 - scale[o];
        sl->mix[0][o] = g * rest;
        if (s->orders > 1)
            sl->mix[1][o] = -g * g * rest / 2;
    }
}

static void set_shift(const lam_field_series *s, const lam_field_layer *l, real t, lam_series_slot *sl)
{
    const real *p = s->field->params;
    for (size_t k = 0; k < s->orders; k++)
        for (size_t o = 0; o < l->out; o++) {
            real shift = 0;
            for (size_t j = 0; l->bases > 1 && j < l->bases; j++)
                shift += sl->phi[k][j] * p[l->basis[j].b + o * l->basis[j].stride_b];
            if (l->has_u) {
                real u = p[l->u + o * l->stride_u], before = k == 0 ? t : 1; /* of u t, the coefficient before */
                real first = l->has_gate ? sl->mix[0][o] : 0, second = l->has_gate && k > 0 ? sl->mix[1][o] : 0;
                shift += u * ((k == 0 ? 1 : 0) - first * before - second * t);
            }
            sl->shift[k][o] = shift;
        }
}

void lam_series_prepare(lam_field_series *s, lam_field *f, size_t slot)
{
    for (size_t k = 0; k < f->shape->layers; k++) {
        const lam_field_layer *l = &f->shape->layer[k];
        const lam_slot_layer *at = &f->slot[slot].layer[k];
        lam_series_slot *sl = &s->slot[slot][k];
        set_phi(f, l, at->phi, sl);
        if (l->has_gate)
            set_gate(s, l, at->scale, sl);
        set_shift(s, l, f->slot[slot].t, sl);
        for (size_t j = 0; j < lam_series_matrices(l, s->orders); j++)
            lam_field_mix(f, k, sl->phi[j], sl->weight[j], sl->weight_t[j]);
    }
}

/* ---- forward ------------------------------------------------------------------------------------------------------ */

/* Coefficient j of layer k's input, or of its pre-activation as a gate's series wants it. */
static const real *input_at(const lam_field_series *s, size_t k, size_t j, const real *record)
{
    const lam_field *f = s->field;
    if (j == 0)
        return lam_field_input(f, k, record);
    return record + (k == 0 ? s->record_x : s->record_h[k - 1]) + (j - 1) * f->shape->layer[k].in * LAM_TILE;
}

static const real *preactivation_at(const lam_field_series *s, size_t k, size_t j, const real *record)
{
    return record + (j == 0 ? s->field->record_gate[k] : s->record_a[k][j - 1]);
}

static void product(const lam_field_series *s, size_t k, size_t vectors, const real *weight, const real *scale,
    const real *shift, const real *x, real *y)
{
    const lam_field_layer *l = &s->field->shape->layer[k];
    lam_forward call = { .in = l->in, .out = l->out, .vectors = vectors, .with_value = 1, .activation = LAM_ACT_IDENTITY,
        .weight = weight, .scale = scale, .shift = shift, .x = x, .h = y };
    s->field->kernels->forward(&call);
}

static void add_plane(const lam_field *f, size_t features, real factor, const real *what, real *to)
{
    f->kernels->combine(features * LAM_TILE, to, to, 1, &factor, &what);
}

/* a_order of a layer. */
static void forward_linear(const lam_field_series *s, size_t k, size_t order, const lam_chunk *ch, real *record)
{
    const lam_field *f = s->field;
    const lam_field_layer *l = &f->shape->layer[k];
    const lam_slot_layer *at = &f->slot[ch->slot].layer[k];
    const lam_series_slot *sl = &s->slot[ch->slot][k];
    const real *x = input_at(s, k, order, record);
    real *a = record + s->record_a[k][order - 1], *more = record + s->record_product;
    if (l->bases > 0)
        product(s, k, ch->vectors, at->weight, at->scale, sl->shift[order - 1], x, a);
    else
        memset(a, 0, l->out * LAM_TILE * sizeof *a);
    for (size_t i = 1; i <= order && i <= lam_series_matrices(l, s->orders); i++) {
        product(s, k, ch->vectors, sl->weight[i - 1], NULL, s->zeros, input_at(s, k, order - i, record), more);
        add_plane(f, l->out, 1, more, a);
    }
    for (size_t i = 1; l->has_gate && i <= order; i++)
        f->kernels->add_rows(l->out, ch->vectors, sl->mix[i - 1], preactivation_at(s, k, order - i, record), a);
    if (s->rows == NULL)
        return;
    if (l->row_head > 1 && order == 1) /* the weights of t */
        add_plane(f, l->out, 1, ch->am + (l->row_b + l->out) * LAM_TILE, a);
    lam_amortised_add(f, k, ch, 1, x, record + s->rows->record_q[k] + (f->tangents + order) * l->rank * LAM_TILE, a);
}

/* What both kernels need to know of the activation behind layer k. */
static lam_series_call activation_call(const lam_field_series *s, size_t k, size_t order, size_t vectors, const real *record)
{
    const lam_field *f = s->field;
    return (lam_series_call) { .n = f->shape->layer[k].out, .vectors = vectors, .order = order,
        .activation = f->shape->activation, .beta = f->beta, .h = record + f->record_h[k], .d1 = record + f->record_d1[k],
        .a0 = record + f->record_a[k], .first = record + s->record_a[k][0] };
}

real *lam_series_output(const lam_field_series *s, real *record)
{
    return record + s->record_h[s->field->shape->layers - 1];
}

static void apply_mask(const real *mask, size_t n, real *to)
{
    for (size_t i = 0; mask != NULL && i < n; i++)
        to[i] *= mask[i];
}

void lam_series_forward(const lam_field_series *s, const lam_chunk *ch, real *record)
{
    const lam_field *f = s->field;
    size_t plane = f->shape->dim * LAM_TILE, last = f->shape->layers - 1;
    for (size_t order = 1; order <= s->orders; order++) {
        real *x = record + s->record_x + (order - 1) * plane;
        const real *before = order == 1 ? record + f->record_h[last] : record + s->record_h[last] + (order - 2) * plane;
        const real factor = 1 / (real)order; /* z_k = f_{k-1} / k */
        f->kernels->combine(plane, x, NULL, 1, &factor, &before);
        for (size_t k = 0; k <= last; k++) {
            forward_linear(s, k, order, ch, record);
            if (!lam_series_has_activation(f, k))
                continue;
            lam_series_call call = activation_call(s, k, order, ch->vectors, record);
            call.last = record + s->record_a[k][order - 1];
            call.out = record + s->record_h[k] + (order - 1) * call.n * LAM_TILE;
            f->kernels->series_activate(&call);
        }
        apply_mask(ch->mask, plane, record + s->record_h[last] + (order - 1) * plane);
    }
}

/* ---- reverse ------------------------------------------------------------------------------------------------------ */

/* What a reverse is of. Cotangents of layer k - 1's pre-activations: g0[k] of a_0, g[k] [orders][out][TILE] of a_1, ...; g0[0] is
 * that of z_0. */
typedef struct passage {
    const lam_field_series *s;
    const lam_chunk *of;
    size_t slot, vectors;
    const real *record;
    real *g0[LAM_MAX_LAYERS + 1], *g[LAM_MAX_LAYERS + 1], *q[LAM_MAX_LAYERS];
    real *scratch, *sums;
} passage;

static real *cotangent_at(const passage *c, size_t k, size_t order)
{
    return order == 0 ? c->g0[k + 1] : c->g[k + 1] + (order - 1) * c->s->field->shape->layer[k].out * LAM_TILE;
}

/* Sums over rows that a coefficient's parameters are made of: of g, and of g a_i. */
typedef struct row_sums {
    real *g, *a[LAM_MAX_SERIES + 1];
} row_sums;

static row_sums sum_rows(const passage *c, size_t k, size_t order, const real *g)
{
    const lam_field *f = c->s->field;
    const lam_field_layer *l = &f->shape->layer[k];
    size_t width = lam_padded(f->shape->widest, 16);
    row_sums sum = { .g = c->scratch + c->s->scratch_sums };
    memset(sum.g, 0, LAM_SERIES_SUMS * width * sizeof(real));
    f->kernels->row_sums(l->out, c->vectors, g, NULL, sum.g);
    for (size_t i = 0; i <= order; i++) {
        sum.a[i] = sum.g + (i + 1) * width;
        if (l->has_gate)
            f->kernels->row_dots(l->out, c->vectors, g, preactivation_at(c->s, k, i, c->record), sum.a[i]);
    }
    return sum;
}

/* The gate's argument has a share through s_0 (W x + ...) = a_order - (all the rest), without division, and through e_1 and e_2:
 * de_1/ds_0 = -g, de_2/ds_0 = g^2 / 2, and ds_0 = s_0 (1 - s_0). */
static void gate_sums(const passage *c, size_t k, size_t order, const row_sums *sum)
{
    const lam_field *f = c->s->field;
    const lam_field_layer *l = &f->shape->layer[k];
    const lam_series_slot *sl = &c->s->slot[c->slot][k];
    const real *scale = f->slot[c->slot].layer[k].scale;
    real t = f->slot[c->slot].t, before = order == 1 ? t : 1;
    for (size_t o = 0; o < l->out; o++) {
        real g = f->params[l->g + o], u = l->has_u ? f->params[l->u + o * l->stride_u] : 0;
        real rest = 1 - scale[o], slope = scale[o] * rest;
        real own = sum->a[order][o] - sl->mix[0][o] * sum->a[order - 1][o] - sl->shift[order - 1][o] * sum->g[o];
        real first = sum->a[order - 1][o] - u * before * sum->g[o], second = 0;
        if (order > 1) {
            own -= sl->mix[1][o] * sum->a[0][o];
            second = sum->a[0][o] - u * t * sum->g[o];
        }
        real argument = rest * own + slope * (g * g / 2 * second - g * first);
        c->sums[f->sum_g[k] + o] += t * argument + rest * (first - g * second);
        c->sums[f->sum_gate_c[k] + o] += argument;
    }
}

/* hyper: from cotangents of coefficient j of tanh(v t + c), 0 for phi_0, to v and c. */
static void reverse_phi(const passage *c, size_t k, size_t j, const real *dphi)
{
    const lam_field *f = c->s->field;
    const real *phi = f->slot[c->slot].layer[k].phi;
    for (size_t i = 0; i < LAM_HYPER_UNITS; i++) {
        real v = f->params[f->shape->layer[k].v1 + i], p = phi[i], slope = 1 - p * p, argument = dphi[i] * slope, direct = 0;
        if (j == 1) { /* v (1 - p^2) */
            direct = argument;
            argument *= -2 * v * p;
        } else if (j == 2) { /* -v^2 p (1 - p^2) */
            direct = -2 * v * p * argument;
            argument *= -v * v * (1 - 3 * p * p);
        }
        c->sums[f->sum_v1[k] + i] += direct + f->slot[c->slot].t * argument;
        c->sums[f->sum_c1[k] + i] += argument;
    }
}

/* Gradient of what depends on t alone, from the cotangent g of a_order. */
static void reverse_shift(const passage *c, size_t k, size_t order, const real *g)
{
    const lam_field *f = c->s->field;
    const lam_field_layer *l = &f->shape->layer[k];
    const lam_series_slot *sl = &c->s->slot[c->slot][k];
    real t = f->slot[c->slot].t;
    if (!l->has_u && !l->has_gate && l->bases < 2)
        return;
    row_sums sum = sum_rows(c, k, order, g);
    for (size_t o = 0; l->has_u && o < l->out; o++) {
        real first = l->has_gate ? sl->mix[0][o] : 0, second = l->has_gate && order > 1 ? sl->mix[1][o] : 0;
        c->sums[f->sum_u[k] + o] += sum.g[o] * (order == 1 ? 1 - first * t : -first - second * t);
    }
    if (l->has_gate)
        gate_sums(c, k, order, &sum);
    for (size_t j = 0; l->bases > 1 && j < l->bases; j++)
        for (size_t o = 0; o < l->out; o++)
            c->sums[f->sum_b[k][j] + o] += sl->phi[order - 1][j] * sum.g[o];
    if (l->is_hyper) {
        real dphi[LAM_HYPER_UNITS] = { 0 };
        lam_field_add_phi(f, k, NULL, sum.g, dphi);
        reverse_phi(c, k, order, dphi);
    }
}

/* Gradient of the layer's matrices, when the cotangents of all its coefficients are there. */
static void reverse_weights(const passage *c, size_t k)
{
    const lam_field_series *s = c->s;
    const lam_field *f = s->field;
    const lam_field_layer *l = &f->shape->layer[k];
    real *own = c->scratch + f->scratch_outer;
    if (l->bases == 1)
        lam_field_outer(f, k, c->vectors, s->orders, input_at(s, k, 1, c->record), c->g[k + 1], c->scratch,
            c->sums + f->sum_c[k][0]);
    if (l->bases < 2)
        return;
    for (size_t j = 0; j <= lam_series_matrices(l, s->orders); j++) { /* a_i has W_j x_{i-j} */
        memset(own, 0, lam_field_outer_size(f, k) * sizeof *own);
        for (size_t i = j > 1 ? j : 1; i <= s->orders; i++)
            lam_field_outer(f, k, c->vectors, 1, input_at(s, k, i - j, c->record), cotangent_at(c, k, i), c->scratch, own);
        lam_field_share(f, k, j == 0 ? f->slot[c->slot].layer[k].phi : s->slot[c->slot][k].phi[j - 1], own, c->sums);
        if (l->is_hyper) {
            real dphi[LAM_HYPER_UNITS] = { 0 };
            lam_field_add_phi(f, k, own, NULL, dphi);
            reverse_phi(c, k, j, dphi);
        }
    }
}

/* below = W' g. */
static void product_reverse(const passage *c, size_t k, const real *weight_t, const real *g, real *below)
{
    const lam_field *f = c->s->field;
    const lam_field_layer *l = &f->shape->layer[k];
    lam_backward call = { .in = l->in, .out = l->out, .vectors = c->vectors, .first_chunk = 1, .with_value = 1,
        .activation = LAM_ACT_IDENTITY, .weight_t = weight_t, .g = g, .below = below };
    f->kernels->backward(&call);
}

/* Hands gh, cotangent of coefficient `order` of layer k's inputs, to what they are made of: the pre-activations of the layer below,
 * or, as z_k = f_{k-1} / k, the coefficient of f before, or z. */
static void reverse_inputs(const passage *c, size_t k, size_t order, int add, const real *gh)
{
    const lam_field *f = c->s->field;
    if (k == 0) {
        real *to = order == 0 ? c->g0[0] : cotangent_at(c, f->shape->layers - 1, order - 1);
        add_plane(f, f->shape->dim, order == 0 ? 1 : 1 / (real)order, gh, to);
        return;
    }
    lam_series_call call = activation_call(c->s, k - 1, order, c->vectors, c->record);
    if (order > 0)
        call.last = lam_saves_a(f->shape->activation) ? preactivation_at(c->s, k - 1, order, c->record)
                                                      : input_at(c->s, k, order, c->record);
    call.gh = gh;
    call.add = add;
    call.g0 = c->g0[k];
    call.g = c->g[k];
    call.beta_sum = c->sums + f->sum_beta;
    f->kernels->series_deactivate(&call);
}

static void reverse_layer(const passage *c, size_t k, size_t order)
{
    const lam_field_series *s = c->s;
    const lam_field *f = s->field;
    const lam_field_layer *l = &f->shape->layer[k];
    const lam_series_slot *sl = &s->slot[c->slot][k];
    const lam_slot_layer *at = &f->slot[c->slot].layer[k];
    real *g = cotangent_at(c, k, order), *below = c->scratch + s->scratch_product;
    if (k + 1 == f->shape->layers) /* f_order has it behind it, and z_{order + 1} came from there */
        apply_mask(c->of->mask, l->out * LAM_TILE, g);
    reverse_shift(c, k, order, g);
    for (size_t i = 1; l->has_gate && i <= order; i++)
        f->kernels->add_rows(l->out, c->vectors, sl->mix[i - 1], g, cotangent_at(c, k, order - i));
    if (l->has_gate)
        f->kernels->scale_rows(l->out, c->vectors, at->scale, g);
    if (order == 1)
        reverse_weights(c, k);
    if (l->bases > 0)
        product_reverse(c, k, at->weight_t, g, below);
    else
        memset(below, 0, l->in * LAM_TILE * sizeof *below);
    if (s->rows != NULL)
        lam_amortised_add_reverse(f, k, c->of, 1, g, c->q[k] + (order - 1) * l->rank * LAM_TILE, below);
    reverse_inputs(c, k, order, order < s->orders, below);
    for (size_t i = 1; i <= order && i <= lam_series_matrices(l, s->orders); i++) {
        product_reverse(c, k, sl->weight_t[i - 1], g, below);
        reverse_inputs(c, k, order - i, 1, below);
    }
}

real *lam_series_cotangent(const lam_field_series *s, const lam_chunk *ch, real *scratch)
{
    const lam_field *f = s->field;
    return s->rows == NULL ? scratch + s->scratch_g[f->shape->layers]
                           : lam_field_cotangent(f, ch, scratch) + (1 + f->tangents) * f->shape->dim * LAM_TILE;
}

void lam_series_reverse(const lam_field_series *s, const lam_chunk *ch, const real *record, real *scratch, real *sums)
{
    const lam_field *f = s->field;
    size_t layers = f->shape->layers, planes = 1 + f->tangents;
    passage c = { .s = s, .of = ch, .slot = ch->slot, .vectors = ch->vectors, .record = record, .scratch = scratch, .sums = sums };
    for (size_t k = 0; k < layers; k++) {
        const lam_field_layer *l = &f->shape->layer[k];
        c.g0[k + 1] = scratch + f->scratch_g[k + 1];
        c.g[k + 1] = scratch + s->scratch_g[k + 1];
        if (s->rows != NULL) {
            real *vjp = ch->vjps->space + ch->vjps->count * s->rows->vjp_size;
            c.g0[k + 1] = vjp + s->rows->vjp_g[k + 1];
            c.g[k + 1] = c.g0[k + 1] + planes * l->out * LAM_TILE;
            c.q[k] = vjp + s->rows->vjp_q[k] + planes * l->rank * LAM_TILE;
        }
    }
    c.g0[layers] = scratch + s->scratch_f0;
    c.g0[0] = scratch + s->scratch_z;
    memset(c.g0[layers], 0, f->shape->dim * LAM_TILE * sizeof(real));
    memset(c.g0[0], 0, f->shape->dim * LAM_TILE * sizeof(real));
    for (size_t order = s->orders; order > 0; order--)
        for (size_t k = layers; k-- > 0;)
            reverse_layer(&c, k, order);
}
