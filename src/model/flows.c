/* A model of several flows: the mixture of their densities with equal weights (method.md 18). */
#include "base/error.h"
#include "base/mem.h"
#include "model/metadata.h"
#include <stdio.h>
#include <string.h>

size_t lam_model_flows(const lam_model *model)
{
    return model != NULL ? 1 + model->n_others : 0;
}

const lam_model *lam_model_flow(const lam_model *model, size_t k)
{
    return k == 0 ? model : model->others[k - 1];
}

/* Of the same columns in the same units: the same numbers mean the same row to both. */
static int is_alike(const lam_model *a, const lam_model *b)
{
    const lam_given *g = &a->given, *h = &b->given;
    if (a->dim != b->dim || b->n_others > 0 || g->any != h->any || g->masked != h->masked || memcmp(a->mean, b->mean, a->dim * sizeof(double)) != 0
        || memcmp(a->scale, b->scale, a->dim * sizeof(double)) != 0)
        return 0;
    for (size_t j = 0; j < a->dim; j++)
        if (strcmp(a->columns[j], b->columns[j]) != 0 || g->is_given[j] != h->is_given[j] || g->levels[j] != h->levels[j])
            return 0;
    return 1;
}

lam_status lam_model_add_flow(lam_model *model, lam_model *flow)
{
    if (!is_alike(model, flow))
        return lam_fail(LAM_ERR_SHAPE, "flow %zu is of other columns than the first, in other units, or of several flows itself", model->n_others + 2);
    lam_model **others = lam_alloc(model->n_others + 1, sizeof *others);
    if (others == NULL)
        return LAM_ERR_MEMORY;
    for (size_t k = 0; k < model->n_others; k++)
        others[k] = model->others[k];
    lam_free(model->others);
    model->others = others;
    others[model->n_others++] = flow;
    model->config.flows = lam_model_flows(model);
    return LAM_OK;
}

void lam_flow_name(size_t k, char name[LAM_FLOW_NAME])
{
    snprintf(name, LAM_FLOW_NAME, "flow.%zu", k + 1);
}

int lam_metadata_is_flow(const char *name, size_t flows)
{
    char wanted[LAM_FLOW_NAME];
    for (size_t k = 1; k < flows; k++) {
        lam_flow_name(k, wanted);
        if (strcmp(name, wanted) == 0)
            return 1;
    }
    return 0;
}
