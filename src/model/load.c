/* A model from its file, or from weights that another program saved under the same names. */
#include "base/error.h"
#include "base/need.h"
#include "base/mem.h"
#include "model/config_yaml.h"
#include "model/defaults.h"
#include "model/metadata.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct loader {
    const char *path;
    lam_st_file file;
    int ours;
    lam_config config;
    size_t dim;
    unsigned char *is_given; /* [dim], levels too; NULL: no column is given */
    size_t *levels;
    lam_given_kind kind;
    int alone; /* 1: it is one of several flows, and no file of several itself */
    char prefix[LAM_PREFIX]; /* of all names in the file, taken off; "": none */
} loader;

enum { SHAPE_TEXT = 96 };

static const char *shape_text(char text[SHAPE_TEXT], const size_t *shape, size_t n)
{
    size_t used = 0;
    text[used++] = '[';
    for (size_t i = 0; i < n; i++)
        used += (size_t)snprintf(text + used, SHAPE_TEXT - used, "%s%zu", i > 0 ? ", " : "", shape[i]);
    snprintf(text + used, SHAPE_TEXT - used, "]");
    return text;
}

/* "dims 64-64, blocks 1, layer concat, nonlinearity tanh" */
static const char *architecture(const lam_config *config, char *text, size_t size)
{
    static const char *const names[] = { "dims", "blocks", "layer", "nonlinearity" };
    size_t used = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char value[LAM_MAX_HIDDEN * 21];
        if (lam_config_get(config, names[i], value, sizeof value) != LAM_OK)
            value[0] = '\0';
        int n = snprintf(text + used, size - used, "%s%s %s", i > 0 ? ", " : "", names[i], value);
        used = n < 0 || (size_t)n >= size - used ? size - 1 : used + (size_t)n;
    }
    return text;
}

static const char *remedy(const loader *l)
{
    return l->ours ? "the file is damaged or was edited by hand"
                   : "give the configuration of the fit that saved these weights (dims, blocks, layer, nonlinearity)";
}

static lam_status missing(const loader *l, const char *name)
{
    char text[512];
    return lam_fail(LAM_ERR_SHAPE, "%s: tensor \"%s\" is missing (%s; the file's first of %zu is \"%.90s\"); %s", l->path, name,
        architecture(&l->config, text, sizeof text), l->file.n_tensors, l->file.n_tensors > 0 ? l->file.tensors[0].name : "",
        remedy(l));
}

/* ---- the shape ---------------------------------------------------------------------------------------------------- */

/* Columns of foreign weights: the outputs of the last layer. */
static lam_status infer_dim(loader *l)
{
    const lam_config *c = &l->config;
    const char *tensor = c->layer == LAM_LAYER_BLEND ? "_layer0.bias" : c->layer == LAM_LAYER_HYPER ? "_hypernet.2.bias"
                                                                                                    : "_layer.bias";
    char name[96];
    snprintf(name, sizeof name, "chain.0.odefunc.diffeq.layers.%zu.%s", c->n_hidden, tensor);
    const lam_st_tensor *found = lam_st_find(&l->file, name);
    if (found == NULL)
        return missing(l, name);
    size_t n = found->n_shape == 1 ? found->shape[0] : 0;
    /* the hyper layer's network gives a bias and a row of weights for every output */
    size_t each = c->layer == LAM_LAYER_HYPER ? c->hidden[c->n_hidden - 1] + 1 : 1;
    if (n == 0 || n % each != 0) {
        char text[SHAPE_TEXT];
        return lam_fail(LAM_ERR_SHAPE, "%s: tensor \"%s\" has shape %s, from which the number of columns cannot be determined; %s",
            l->path, name, shape_text(text, found->shape, found->n_shape), remedy(l));
    }
    l->dim = n / each;
    return LAM_OK;
}

/* Where "chain." begins in a name, as a word of its own; the name's length if it does not. */
static size_t chain_at(const char *name)
{
    const char *at = name;
    while ((at = strstr(at, "chain.")) != NULL && at > name && at[-1] != '.')
        at++;
    return at != NULL ? (size_t)(at - name) : strlen(name);
}

/* 1: what PyTorch puts before all names of a model that it wraps: DataParallel and DistributedDataParallel "module.", compile
 * "_orig_mod.", each any number of times. */
static int is_wrapping(const char *prefix)
{
    static const char *const words[] = { "module.", "_orig_mod." };
    while (*prefix != '\0') {
        size_t w = 0;
        while (w < 2 && strncmp(prefix, words[w], strlen(words[w])) != 0)
            w++;
        if (w == 2)
            return 0;
        prefix += strlen(words[w]);
    }
    return 1;
}

/* Takes what stands before "chain." in all names off them where that changes no meaning; names it where it may. */
static lam_status remove_prefix(loader *l)
{
    size_t first = 0, of = 0;
    while (first < l->file.n_tensors && l->file.tensors[first].name[chain_at(l->file.tensors[first].name)] == '\0')
        first++;
    const char *name = first < l->file.n_tensors ? l->file.tensors[first].name : "";
    size_t n = chain_at(name);
    if (n == 0 || n >= sizeof l->prefix)
        return LAM_OK;
    memcpy(l->prefix, name, n);
    for (size_t i = 0; i < l->file.n_tensors; i++)
        of += strncmp(l->file.tensors[i].name, l->prefix, n) == 0 ? 1 : 0;
    if (of < l->file.n_tensors || !is_wrapping(l->prefix))
        return lam_fail(LAM_ERR_SHAPE, "%s: names of %zu of its %zu tensors begin with the prefix \"%s\", and weights are read by names "
            "without one, that begin with \"chain.\"; save them so: {k.removeprefix(\"%s\"): v for k, v in state_dict.items() if "
            "k.startswith(\"%s\")}", l->path, of, l->file.n_tensors, l->prefix, l->prefix, l->prefix);
    for (size_t i = 0; i < l->file.n_tensors; i++)
        l->file.tensors[i].name += n;
    return LAM_OK;
}

static lam_status find_own_shape(loader *l)
{
    LAM_TRY(lam_metadata_shape(&l->file, l->path, &l->config, &l->dim));
    l->is_given = lam_alloc(l->dim, sizeof *l->is_given);
    l->levels = lam_alloc(l->dim, sizeof *l->levels);
    if (l->is_given == NULL || l->levels == NULL)
        return LAM_ERR_MEMORY;
    return lam_metadata_given(&l->file, l->path, &l->config, l->dim, l->is_given, l->levels, &l->kind);
}

static lam_status find_shape(loader *l, const lam_config *config)
{
    l->ours = lam_metadata_is_ours(&l->file);
    if (l->ours)
        return find_own_shape(l);
    if (config == NULL)
        return lam_fail(LAM_ERR_FORMAT, "%s was not saved by laminar, so it does not say what it is; give its architecture: a "
            "configuration with dims, blocks, layer and nonlinearity (--config FILE.yaml)", l->path);
    LAM_TRY(remove_prefix(l));
    LAM_TRY(lam_config_check(config));
    if (lam_config_is_conditional(config))
        return lam_fail(LAM_ERR_ARGUMENT, "%s was not saved by laminar, so it is of no columns given others; leave out given and any-given",
            l->path);
    if (config->map == LAM_MAP_NORMAL_SCORES)
        return lam_fail(LAM_ERR_ARGUMENT, "%s was not saved by laminar, so it brings no column maps; leave out map, or set it to none",
            l->path);
    LAM_TRY(lam_config_copy(&l->config, config));
    if (l->config.blocks == LAM_AUTO) /* not what a fit would choose: what the file most likely is */
        l->config.blocks = 1;
    LAM_TRY(lam_config_resolve(&l->config, LAM_USUAL_ROWS, 0));
    return infer_dim(l);
}

/* ---- the tensors -------------------------------------------------------------------------------------------------- */

static int ends_in(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

static int same_shape(const lam_st_tensor *found, const lam_layout_tensor *wanted)
{
    if (wanted->dims == 0) /* a number alone may also come as a list of one */
        return lam_st_count(found) == 1 && found->n_shape <= 1;
    return found->n_shape == wanted->dims && found->shape[0] == wanted->shape[0]
        && (wanted->dims < 2 || found->shape[1] == wanted->shape[1]);
}

static lam_status check_tensor(const loader *l, const lam_layout_tensor *wanted)
{
    char is[SHAPE_TEXT], should[SHAPE_TEXT], text[512];
    const lam_st_tensor *found = lam_st_find(&l->file, wanted->name);
    if (found == NULL && !l->ours && ends_in(wanted->name, ".sqrt_end_time"))
        return LAM_OK; /* the configuration's time stands in for it */
    if (found == NULL)
        return missing(l, wanted->name);
    if (!same_shape(found, wanted))
        return lam_fail(LAM_ERR_SHAPE, "%s: tensor \"%s\" has shape %s, and %s would be right for %zu columns, %s; %s", l->path,
            wanted->name, shape_text(is, found->shape, found->n_shape), shape_text(should, wanted->shape, wanted->dims), l->dim,
            architecture(&l->config, text, sizeof text), remedy(l));
    if (found->dtype != LAM_ST_F64 && found->dtype != LAM_ST_F32 && found->dtype != LAM_ST_F16 && found->dtype != LAM_ST_BF16)
        return lam_fail(LAM_ERR_FORMAT, "%s: tensor \"%s\" is %s, and weights are floating-point numbers", l->path, wanted->name,
            lam_st_dtype_name(found->dtype));
    return LAM_OK;
}

/* Every tensor that is needed is there, in its shape, before memory is taken for them: a file cannot ask for more than it
 * brings. */
static lam_status check_tensors(const loader *l)
{
    lam_layout layout;
    lam_layout_tensor wanted;
    lam_given given;
    lam_status status = lam_given_make(l->dim, &l->kind, &given);
    size_t moving = given.moving, inputs = given.inputs;
    int masked = given.masked;
    lam_given_clear(&given);
    LAM_TRY(status);
    LAM_TRY(inputs > 0 ? lam_layout_conditional(&layout, &l->config, moving, inputs, masked) : lam_layout_init(&layout, &l->config, moving));
    for (size_t i = 0; lam_layout_tensor_at(&layout, i, &wanted); i++)
        LAM_TRY(check_tensor(l, &wanted));
    return LAM_OK;
}

/* Nothing in the file is left over but the counters that FFJORD keeps beside its weights. */
static lam_status check_extra(const loader *l, const lam_model *model)
{
    for (size_t i = 0; i < l->file.n_tensors; i++) {
        const char *name = l->file.tensors[i].name;
        char text[512];
        size_t at = 0;
        while (at < model->n_tensors && strcmp(model->tensors[at].name, name) != 0)
            at++;
        if (at == model->n_tensors && !ends_in(name, "._num_evals") && !lam_metadata_is_map(&l->file, name, l->dim)
            && !lam_metadata_is_whitening(&l->file, name) && !lam_metadata_is_flow(name, l->ours ? l->config.flows : 1))
            return lam_fail(LAM_ERR_SHAPE, "%s: tensor \"%.200s\" is not part of %s; %s", l->path, name,
                architecture(&l->config, text, sizeof text), remedy(l));
    }
    return LAM_OK;
}

static lam_status check_values(const loader *l, const lam_layout_tensor *t, const double *values)
{
    for (size_t j = 0; j < t->count; j++) {
        int usable = isfinite(l->config.precision == LAM_FLOAT ? (double)(float)values[j] : values[j]);
        if (!usable)
            return lam_fail(LAM_ERR_DATA, "%s: element %zu of tensor \"%s\" is %g; weights must be finite%s", l->path, j + 1,
                t->name, values[j], isfinite(values[j]) ? " in float, or the configuration say precision double" : "");
    }
    if (ends_in(t->name, ".sqrt_end_time") && values[0] == 0)
        return lam_fail(LAM_ERR_DATA, "%s: \"%s\" is 0: the block has no length", l->path, t->name);
    return LAM_OK;
}

static lam_status read_tensors(const loader *l, lam_model *model)
{
    const char *beta = NULL;
    for (size_t b = 0; b < model->layout.blocks; b++)
        model->params[model->layout.time + b] = sqrt(l->config.time);
    for (size_t i = 0; i < model->n_tensors; i++) {
        const lam_layout_tensor *t = &model->tensors[i];
        const lam_st_tensor *found = lam_st_find(&l->file, t->name);
        double *to = model->params + t->offset, before = to[0];
        if (found != NULL)
            lam_st_doubles(found, to);
        LAM_TRY(check_values(l, t, to));
        if (t->offset != model->layout.beta)
            continue;
        if (beta != NULL && before != to[0])
            return lam_fail(LAM_ERR_UNSUPPORTED, "%s: swish's beta is %g in \"%s\" and %g in \"%s\"; a model here has one", l->path,
                before, beta, to[0], t->name);
        beta = t->name;
    }
    return LAM_OK;
}

static lam_status load_file(loader *l, const lam_config *config, lam_model **out);

static lam_status read_flow(const loader *l, size_t k, lam_model *model)
{
    char name[LAM_FLOW_NAME];
    lam_flow_name(k, name);
    const lam_st_tensor *found = lam_st_find(&l->file, name);
    if (found == NULL || found->dtype != LAM_ST_U8 || found->n_shape != 1)
        return lam_fail(LAM_ERR_FORMAT, "%s: %s is missing or not a list of bytes, and the file is of %zu flows; the file is damaged or was edited by hand",
            l->path, name, l->config.flows);
    loader of = { .path = l->path, .alone = 1 };
    lam_model *flow;
    LAM_TRY(lam_st_read_memory(found->data, lam_st_count(found), l->path, &of.file));
    lam_status status = load_file(&of, NULL, &flow);
    if (status == LAM_OK && (status = lam_model_add_flow(model, flow)) != LAM_OK)
        lam_model_free(flow);
    return status == LAM_OK ? LAM_OK : lam_fail_in(status, "%s: in %s", l->path, name);
}

/* The further flows of a file of several. */
static lam_status read_flows(const loader *l, lam_model *model)
{
    size_t flows = l->config.flows;
    if (flows > 1 && l->alone)
        return lam_fail(LAM_ERR_FORMAT, "%s: one of its flows is of several flows itself; the file is damaged or was edited by hand", l->path);
    for (size_t k = 1; k < flows; k++)
        LAM_TRY(read_flow(l, k, model));
    return LAM_OK;
}

static lam_status load(loader *l, const lam_config *config, lam_model **out)
{
    *out = NULL;
    lam_status status = find_shape(l, config);
    if (status == LAM_OK)
        status = check_tensors(l);
    if (status == LAM_OK)
        status = lam_model_empty_given(&l->config, l->dim, &l->kind, out);
    if (status == LAM_OK)
        status = check_extra(l, *out);
    if (status == LAM_OK)
        status = read_tensors(l, *out);
    if (status == LAM_OK)
        memcpy((*out)->prefix, l->prefix, sizeof l->prefix);
    if (status == LAM_OK && l->ours)
        status = lam_metadata_read(&l->file, l->path, *out);
    if (status == LAM_OK && l->ours)
        status = lam_metadata_read_maps(&l->file, l->path, *out);
    if (status == LAM_OK && l->ours)
        status = lam_metadata_read_whitening(&l->file, l->path, *out);
    if (status == LAM_OK && l->ours)
        status = read_flows(l, *out);
    if (status != LAM_OK) {
        lam_model_free(*out);
        *out = NULL;
    }
    return status;
}

/* l with its path and its file, which is freed. */
static lam_status load_file(loader *l, const lam_config *config, lam_model **out)
{
    lam_config_init(&l->config);
    lam_status status = load(l, config, out);
    lam_free(l->is_given);
    lam_free(l->levels);
    lam_config_clear(&l->config);
    lam_st_free(&l->file);
    return status;
}

/* A file of ours says everything itself; config is for foreign ones. */
lam_status lam_model_load(const char *path, const lam_config *config, lam_model **out)
{
    LAM_NEED(out, "out");
    *out = NULL;
    LAM_NEED(path, "path");
    loader l = { .path = path };
    LAM_TRY(lam_st_read(path, &l.file));
    return load_file(&l, config, out);
}

lam_status lam_model_load_memory(const void *bytes, size_t size, const char *where, lam_model **out)
{
    loader l = { .path = where };
    *out = NULL;
    LAM_TRY(lam_st_read_memory(bytes, size, where, &l.file));
    return load_file(&l, NULL, out);
}

const char *lam_model_prefix(const lam_model *model)
{
    return model != NULL ? model->prefix : NULL;
}

lam_status lam_model_file_kind(const char *path, lam_model_kind *kind)
{
    LAM_NEED(path, "path");
    LAM_NEED(kind, "kind");
    lam_st_file file;
    lam_config cfg;
    *kind = LAM_DENSITY;
    LAM_TRY(lam_st_read(path, &file));
    const char *config = lam_st_meta(&file, "laminar") != NULL ? lam_st_meta(&file, "config") : NULL;
    lam_config_init(&cfg);
    /* what is wrong with a configuration, loading says */
    if (config != NULL && lam_config_parse(&cfg, config, strlen(config), "config") == LAM_OK)
        *kind = cfg.model;
    lam_config_clear(&cfg);
    lam_st_free(&file);
    return LAM_OK;
}
