/* Values that are widths of hidden layers: of the flow's fields, and of a context's net. */
#include "base/error.h"
#include "base/number.h"
#include "model/parameters.h"
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const double WIDEST = 1e6; /* hidden layer */

/* The widths of a DIMS; *n: how many. */
static size_t *dims_of(const lam_param *param, lam_config *cfg, size_t **n)
{
    int context = param->offset == offsetof(lam_config, context_hidden);
    *n = context ? &cfg->n_context_hidden : &cfg->n_hidden;
    return context ? cfg->context_hidden : cfg->hidden;
}

lam_status lam_param_set_dims(const lam_param *param, lam_config *cfg, const char *value)
{
    size_t hidden[LAM_MAX_HIDDEN] = { 0 }, n = 0, *to_n, *to = dims_of(param, cfg, &to_n);
    for (const char *p = value; strcmp(value, "auto") != 0; p++) {
        char width[24];
        uint64_t whole;
        size_t length = strcspn(p, "-,"); /* 60-60-60 is the field's way, 60,60,60 is understood */
        if (n == LAM_MAX_HIDDEN)
            return lam_fail(LAM_ERR_ARGUMENT, "%s: more than %d hidden layers", param->shown.name, LAM_MAX_HIDDEN);
        snprintf(width, sizeof width, "%.*s", length < sizeof width ? (int)length : 0, p);
        if (lam_whole_read(width, &whole) != 0 || whole < 1 || (double)whole > WIDEST)
            return lam_fail(LAM_ERR_ARGUMENT, "%s: \"%.60s\" is not a list of widths such as 60-60-60, each from 1 to "
                "1000000", param->shown.name, value);
        hidden[n++] = (size_t)whole;
        p += length;
        if (*p == '\0')
            break;
    }
    memcpy(to, hidden, sizeof hidden);
    *to_n = n;
    return LAM_OK;
}

lam_status lam_param_get_dims(const lam_param *param, const lam_config *cfg, char *value, size_t size)
{
    lam_config copy = *cfg; /* its strings are borrowed */
    size_t used = 0, *widths, *count;
    widths = dims_of(param, &copy, &count);
    value[0] = '\0';
    if (*count == 0)
        snprintf(value, size, "auto");
    for (size_t i = 0; i < *count && i < LAM_MAX_HIDDEN; i++) {
        int n = snprintf(value + used, size - used, "%s%zu", i == 0 ? "" : "-", widths[i]);
        used += n < 0 ? size : (size_t)n;
        if (used >= size)
            return lam_fail(LAM_ERR_ARGUMENT, "%s: the text does not fit in %zu bytes", param->shown.name, size);
    }
    return LAM_OK;
}

lam_status lam_param_check_dims(const lam_param *param, const lam_config *cfg)
{
    lam_config copy = *cfg; /* its strings are borrowed */
    size_t *count;
    (void)dims_of(param, &copy, &count);
    return *count <= LAM_MAX_HIDDEN ? LAM_OK : lam_fail(LAM_ERR_ARGUMENT, "%s: %zu hidden layers; at most %d are allowed",
        param->shown.name, *count, LAM_MAX_HIDDEN);
}
