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
    LAM_TRY(lam_field_shape_amortised(&l->field, dim, config->hidden, config->n_hidden, config->layer, config->nonlinearity,
        amortisation, rank));
    if (config->blocks == 0)
        return lam_fail(LAM_ERR_ARGUMENT, "blocks is 0; a flow needs at least one");
    l->blocks = config->blocks;
    size_t at = l->blocks * l->field.parameters;
    l->beta = SIZE_MAX;
    if (config->nonlinearity == LAM_ACT_SWISH)
        l->beta = at++;
    l->time = at;
    l->parameters = at + l->blocks;
    l->trained = config->train_time ? l->parameters : at;
    return LAM_OK;
}

int lam_layout_tensor_at(const lam_layout *l, size_t index, lam_layout_tensor *t)
{
    size_t betas = l->beta == SIZE_MAX ? 0 : l->field.layers - 1, per_block = 1 + l->field.tensors + betas;
    size_t block = index / per_block, i = index % per_block;
    if (block >= l->blocks)
        return 0;
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
    *map = (lam_parameter_map) { .parameters = l->trained };
    map->matrix = lam_alloc(l->blocks * l->field.tensors + 1, sizeof *map->matrix);
    if (map->matrix == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; lam_layout_tensor_at(l, i, &t); i++)
        if (t.dims == 2 && t.shape[0] > 1 && t.shape[1] > 1)
            map->matrix[map->matrices++] = (lam_matrix) { t.offset, t.shape[0], t.shape[1] };
    return LAM_OK;
}

void lam_layout_initial(const lam_layout *l, const lam_config *config, double *values)
{
    for (size_t b = 0; b < l->blocks; b++)
        for (size_t i = 0; i < l->field.tensors; i++) {
            const lam_field_tensor *t = &l->field.tensor[i];
            double bound = 1 / sqrt((double)t->fan_in);
            for (size_t j = 0; j < t->count; j++) {
                size_t at = b * l->field.parameters + t->offset + j;
                values[at] = bound * (2 * lam_random_uniform(config->seed, LAM_DRAW_INIT, at, 0) - 1);
            }
        }
    if (l->beta != SIZE_MAX)
        values[l->beta] = 1;
    for (size_t b = 0; b < l->blocks; b++)
        values[l->time + b] = sqrt(config->time);
}
