/* Works out the layers of a field and where their parameters are in one flat array. */
#include "field/shape.h"
#include "base/error.h"
#include <stdio.h>
#include <string.h>

static size_t add_tensor(lam_field_shape *s, size_t layer, const char *name, size_t rows, size_t cols, size_t fan_in)
{
    lam_field_tensor *t = &s->tensor[s->tensors++];
    snprintf(t->name, sizeof t->name, "layers.%zu.%s", layer, name);
    t->dims = cols == 0 ? 1 : 2;
    t->shape[0] = rows;
    t->shape[1] = cols;
    t->offset = s->parameters;
    t->count = cols == 0 ? rows : rows * cols;
    t->fan_in = fan_in;
    s->parameters += t->count;
    return t->offset;
}

/* A plain linear map of `in` inputs and, before them, `extra` columns that are not inputs. */
static lam_basis add_linear(lam_field_shape *s, size_t k, const char *name, size_t in, size_t out, size_t extra)
{
    char weight[32], bias[32];
    snprintf(weight, sizeof weight, "%s.weight", name);
    snprintf(bias, sizeof bias, "%s.bias", name);
    lam_basis b = { .stride_out = in + extra, .stride_in = 1, .stride_b = 1 };
    b.w = add_tensor(s, k, weight, out, in + extra, in + extra) + extra;
    b.b = add_tensor(s, k, bias, out, 0, in + extra);
    return b;
}

static void add_hyper(lam_field_shape *s, size_t k, lam_field_layer *l)
{
    /* the generated W is a sum of nine terms: scaled so that it starts about as large as a plain layer's */
    size_t n = l->out + l->out * l->in, fan_in = LAM_HYPER_UNITS * l->in;
    l->is_hyper = 1;
    l->v1 = add_tensor(s, k, "_hypernet.0.weight", LAM_HYPER_UNITS, 1, 1);
    l->c1 = add_tensor(s, k, "_hypernet.0.bias", LAM_HYPER_UNITS, 0, 1);
    size_t v2 = add_tensor(s, k, "_hypernet.2.weight", n, LAM_HYPER_UNITS, fan_in);
    size_t c2 = add_tensor(s, k, "_hypernet.2.bias", n, 0, fan_in);
    l->bases = LAM_MAX_BASES;
    for (size_t j = 0; j < LAM_HYPER_UNITS; j++) {
        l->basis[j] = (lam_basis) { .w = v2 + l->out * LAM_HYPER_UNITS + j, .stride_out = l->in * LAM_HYPER_UNITS,
            .stride_in = LAM_HYPER_UNITS, .b = v2 + j, .stride_b = LAM_HYPER_UNITS };
    }
    l->basis[LAM_HYPER_UNITS]
        = (lam_basis) { .w = c2 + l->out, .stride_out = l->in, .stride_in = 1, .b = c2, .stride_b = 1 };
}

/* What the row gives to a layer. */
static void add_row(lam_field_shape *s, lam_field_layer *l, size_t rank)
{
    if (s->amortisation == LAM_AMORTISED_NONE || (s->amortisation == LAM_AMORTISED_LYPER && !l->row_whole))
        return;
    size_t at = s->row_parameters;
    if (s->amortisation == LAM_AMORTISED_LOW_RANK) {
        l->rank = rank;
        l->row_u = at;
        l->row_v = l->row_u + l->in * rank;
        at = l->row_v + rank * l->out;
    }
    l->row_b = at;
    l->row_head = l->row_whole ? 2 : 1;
    at += l->row_head * l->out;
    if (l->row_whole) {
        l->row_w = at;
        at += l->in * l->out;
    }
    s->row_parameters = at;
}

static void add_layer(lam_field_shape *s, size_t k, size_t in, size_t out)
{
    lam_field_layer *l = &s->layer[k];
    *l = (lam_field_layer) { .in = in, .out = out, .bases = 1, .stride_u = 1 };
    if (s->amortisation == LAM_AMORTISED_HYPER || (s->amortisation == LAM_AMORTISED_LYPER && k + 1 == s->layers)) {
        l->row_whole = 1;
        l->bases = 0;
        return;
    }
    switch (s->type) {
    case LAM_LAYER_IGNORE:
        l->basis[0] = add_linear(s, k, "_layer", in, out, 0);
        break;
    case LAM_LAYER_CONCAT: /* t is column 0 of W */
        l->basis[0] = add_linear(s, k, "_layer", in, out, 1);
        l->has_u = 1;
        l->u = l->basis[0].w - 1;
        l->stride_u = in + 1;
        break;
    case LAM_LAYER_CONCAT_V2:
        l->basis[0] = add_linear(s, k, "_layer", in, out, 0);
        l->has_u = 1;
        l->u = add_tensor(s, k, "_hyper_bias.weight", out, 1, 1);
        break;
    case LAM_LAYER_SQUASH:
        l->basis[0] = add_linear(s, k, "_layer", in, out, 0);
        l->has_gate = 1;
        l->g = add_tensor(s, k, "_hyper.weight", out, 1, 1);
        l->c = add_tensor(s, k, "_hyper.bias", out, 0, 1);
        break;
    case LAM_LAYER_CONCATSQUASH:
        l->basis[0] = add_linear(s, k, "_layer", in, out, 0);
        l->has_u = l->has_gate = 1;
        l->u = add_tensor(s, k, "_hyper_bias.weight", out, 1, 1);
        l->g = add_tensor(s, k, "_hyper_gate.weight", out, 1, 1);
        l->c = add_tensor(s, k, "_hyper_gate.bias", out, 0, 1);
        break;
    case LAM_LAYER_BLEND:
        l->is_blend = 1;
        l->bases = 2;
        l->basis[0] = add_linear(s, k, "_layer0", in, out, 0);
        l->basis[1] = add_linear(s, k, "_layer1", in, out, 0);
        break;
    case LAM_LAYER_HYPER:
        add_hyper(s, k, l);
        break;
    }
}

static lam_status add_layers(lam_field_shape *s, size_t inputs, const size_t *hidden, size_t n_hidden, size_t outputs, size_t rank)
{
    s->dim = inputs;
    s->layers = n_hidden + 1;
    s->widest = inputs;
    for (size_t k = 0; k < s->layers; k++) {
        size_t in = k == 0 ? inputs : hidden[k - 1], out = k == n_hidden ? outputs : hidden[k];
        if (out == 0)
            return lam_fail(LAM_ERR_ARGUMENT, "hidden layer %zu has width 0; give dims like 64-64-64", k + 1);
        add_layer(s, k, in, out);
        add_row(s, &s->layer[k], rank);
        s->products += in * out;
        if (out > s->widest)
            s->widest = out;
    }
    return LAM_OK;
}

lam_status lam_field_shape_init(lam_field_shape *s, size_t dim, const size_t *hidden, size_t n_hidden, lam_layer type,
    lam_activation activation)
{
    return lam_field_shape_amortised(s, dim, hidden, n_hidden, type, activation, LAM_AMORTISED_NONE, 0);
}

lam_status lam_field_shape_amortised(lam_field_shape *s, size_t dim, const size_t *hidden, size_t n_hidden, lam_layer type,
    lam_activation activation, lam_amortised amortisation, size_t rank)
{
    if (dim == 0)
        return lam_fail(LAM_ERR_ARGUMENT, "a vector field needs at least one column");
    if (n_hidden > LAM_MAX_HIDDEN)
        return lam_fail(LAM_ERR_ARGUMENT, "%zu hidden layers; at most %d are possible", n_hidden, LAM_MAX_HIDDEN);
    if (amortisation == LAM_AMORTISED_LOW_RANK && rank == 0)
        return lam_fail(LAM_ERR_ARGUMENT, "a low-rank field of rank 0; give a rank of 1 or more, or take the kind bias");
    if (amortisation == LAM_AMORTISED_HYPER && type != LAM_LAYER_CONCAT)
        return lam_fail(LAM_ERR_ARGUMENT, "a field whose weights all come from the row has concat layers, no others");
    memset(s, 0, sizeof *s);
    s->amortisation = amortisation;
    s->type = type;
    s->activation = activation;
    LAM_TRY(add_layers(s, dim, hidden, n_hidden, dim, rank));
    for (size_t k = 0; k < n_hidden; k++) {
        s->layer[k].context_at = s->context_lines;
        s->context_lines += s->layer[k].out;
    }
    return LAM_OK;
}

lam_status lam_field_shape_net(lam_field_shape *s, size_t inputs, const size_t *hidden, size_t n_hidden, size_t outputs,
    lam_activation activation)
{
    if (n_hidden > LAM_MAX_HIDDEN)
        return lam_fail(LAM_ERR_ARGUMENT, "%zu hidden layers; at most %d are possible", n_hidden, LAM_MAX_HIDDEN);
    memset(s, 0, sizeof *s);
    s->type = LAM_LAYER_IGNORE;
    s->activation = activation;
    return add_layers(s, inputs, hidden, n_hidden, outputs, 0);
}

size_t lam_field_products(const lam_field_shape *s, size_t tangents, int exact)
{
    const lam_field_layer *first = &s->layer[0], *last = &s->layer[s->layers - 1];
    size_t thin = first->in * first->out + last->in * last->out, each = s->products;
    if (exact && s->layers > 1)
        each = each - thin + first->out + last->in;
    return s->products + tangents * each;
}

size_t lam_field_units(const lam_field_shape *s)
{
    size_t units = 0;
    for (size_t k = 0; k + 1 < s->layers; k++)
        units += s->layer[k].out;
    return units;
}
