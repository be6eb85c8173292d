/* Works out where a chain's parameters are in one flat array, and draws the initial ones. */
#include "flow/layout.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/random.h"
#include <math.h>
#include <stdio.h>

lam_status lam_layout_init(lam_layout *l, const lam_config *config, size_t dim)
{
    return lam_layout_amortised(l, config, dim, LAM_AMORTISED_NONE, 0);
}

lam_status lam_layout_amortised(lam_layout *l, const lam_config *config, size_t dim, lam_amortised amortisation, size_t rank)
{
    *l = (lam_layout) { 0 };
    LAM_TRY(lam_field_shape_amortised(&l->field, dim, config->hidden, config->n_hidden, config->layer, config->nonlinearity,
        amortisation, rank));
    if (config->blocks == 0)
        return lam_fail(LAM_ERR_ARGUMENT, "blocks is 0; a flow needs at least one");
    l->blocks = config->blocks;
    size_t at = l->blocks * l->field.parameters;
    l->beta = SIZE_MAX;
    if (config->nonlinearity == LAM_ACT_SWISH)
        l->beta = at++;
    l->context_at = at;
    l->time = at;
    l->parameters = at + l->blocks;
    l->trained = config->train_time ? l->parameters : at;
    return LAM_OK;
}

lam_status lam_layout_conditional(lam_layout *l, const lam_config *config, size_t dim, size_t inputs, int masked)
{
    LAM_TRY(lam_layout_init(l, config, dim));
    l->context_shared = config->context_maps != LAM_CONTEXT_OWN;
    LAM_TRY(lam_field_shape_net(&l->context, inputs, config->context_hidden, config->n_context_hidden,
        (l->context_shared ? 1 : l->blocks) * l->field.context_lines, LAM_ACT_TANH));
    l->inputs = inputs;
    l->masked = masked;
    l->time += l->context.parameters;
    l->parameters += l->context.parameters;
    l->trained += l->context.parameters;
    return LAM_OK;
}

/* Tensor index of the context: weight and bias of its hidden layers, "context.0.weight", and of its last layer those of each hidden layer of
 * the flow, "context.layers.0.weight", or of each block's own, "context.chain.0.layers.0.weight". */
static int context_tensor(const lam_layout *l, size_t index, lam_layout_tensor *t)
{
    const lam_field_shape *c = &l->context;
    size_t hidden = 2 * (c->layers - 1), each = 2 * (l->field.layers - 1), is_bias = index % 2;
    const char *what = is_bias ? "bias" : "weight";
    if (l->inputs == 0 || index >= hidden + (l->context_shared ? 1 : l->blocks) * each)
        return 0;
    const lam_field_tensor *of = &c->tensor[index < hidden ? index : hidden + is_bias];
    *t = (lam_layout_tensor) { .dims = of->dims, .shape = { of->shape[0], of->shape[1] }, .count = of->count,
        .offset = l->context_at + of->offset };
    if (index < hidden) {
        snprintf(t->name, sizeof t->name, "context.%zu.%s", index / 2, what);
        return 1;
    }
    size_t block = (index - hidden) / each, layer = (index - hidden) % each / 2, columns = of->dims == 2 ? of->shape[1] : 1;
    t->shape[0] = l->field.layer[layer].out;
    t->count = t->shape[0] * columns;
    t->offset += (block * l->field.context_lines + l->field.layer[layer].context_at) * columns;
    if (l->context_shared)
        snprintf(t->name, sizeof t->name, "context.layers.%zu.%s", layer, what);
    else
        snprintf(t->name, sizeof t->name, "context.chain.%zu.layers.%zu.%s", block, layer, what);
    return 1;
}

int lam_layout_tensor_at(const lam_layout *l, size_t index, lam_layout_tensor *t)
{
    size_t betas = l->beta == SIZE_MAX ? 0 : l->field.layers - 1, per_block = 1 + l->field.tensors + betas;
    size_t block = index / per_block, i = index % per_block;
    if (block >= l->blocks)
        return context_tensor(l, index - l->blocks * per_block, t);
    *t = (lam_layout_tensor) { .count = 1 };
    if (i == 0) {
        snprintf(t->name, sizeof t->name, "chain.%zu.sqrt_end_time", block);
        t->offset = l->time + block;
    } else if (i <= l->field.tensors) {
        const lam_field_tensor *f = &l->field.tensor[i - 1];
        snprintf(t->name, sizeof t->name, "chain.%zu.odefunc.diffeq.%s", block, f->name);
        t->dims = f->dims;
        t->shape[0] = f->shape[0];
        t->shape[1] = f->shape[1];
        t->offset = block * l->field.parameters + f->offset;
        t->count = f->count;
    } else {
        snprintf(t->name, sizeof t->name, "chain.%zu.odefunc.diffeq.activation_fns.%zu.beta", block, i - 1 - l->field.tensors);
        t->offset = l->beta;
    }
    return 1;
}

lam_status lam_layout_map(const lam_layout *l, lam_parameter_map *map)
{
    lam_layout_tensor t;
    size_t tensors = 0;
    *map = (lam_parameter_map) { .parameters = l->trained };
    while (lam_layout_tensor_at(l, tensors, &t))
        tensors++;
    map->matrix = lam_alloc(tensors, sizeof *map->matrix);
    if (map->matrix == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; lam_layout_tensor_at(l, i, &t); i++)
        if (t.dims == 2 && t.shape[0] > 1 && t.shape[1] > 1)
            map->matrix[map->matrices++] = (lam_matrix) { t.offset, t.shape[0], t.shape[1] };
    return LAM_OK;
}

static void initial_tensor(const lam_field_tensor *t, uint64_t seed, size_t first, double *values)
{
    double bound = 1 / sqrt((double)t->fan_in);
    for (size_t at = first + t->offset; at < first + t->offset + t->count; at++)
        values[at] = bound * (2 * lam_random_uniform(seed, LAM_DRAW_INIT, at, 0) - 1);
}

void lam_layout_initial(const lam_layout *l, const lam_config *config, double *values)
{
    for (size_t b = 0; b < l->blocks; b++)
        for (size_t i = 0; i < l->field.tensors; i++)
            initial_tensor(&l->field.tensor[i], config->seed, b * l->field.parameters, values);
    for (size_t i = 0; l->inputs > 0 && i < l->context.tensors; i++)
        initial_tensor(&l->context.tensor[i], config->seed, l->context_at, values);
    if (l->beta != SIZE_MAX)
        values[l->beta] = 1;
    for (size_t b = 0; b < l->blocks; b++)
        values[l->time + b] = sqrt(config->time);
}

void lam_layout_still(const lam_layout *l, double *values)
{
    const lam_field_layer *last = &l->field.layer[l->field.layers - 1];
    for (size_t b = 0; b < l->blocks; b++, values += l->field.parameters)
        for (size_t o = 0; o < last->out; o++) {
            for (size_t j = 0; j < last->bases; j++) {
                const lam_basis *basis = &last->basis[j];
                values[basis->b + o * basis->stride_b] = 0;
                for (size_t i = 0; i < last->in; i++)
                    values[basis->w + o * basis->stride_out + i * basis->stride_in] = 0;
            }
            if (last->has_u)
                values[last->u + o * last->stride_u] = 0;
        }
}
