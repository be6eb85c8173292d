/* What oneDNN is asked to do for a layer, once a net. */
#include "base/error.h"
#include "base/mem.h"
#include "vae/inside.h"
#include <string.h>

/* OpenMP's own, which a header names only where a compiler has one. */
int omp_get_max_threads(void);
void omp_set_num_threads(int threads);

int lam_one_thread_enter(void)
{
    int before = omp_get_max_threads();
    omp_set_num_threads(1);
    return before;
}

void lam_one_thread_leave(int before)
{
    omp_set_num_threads(before);
}

lam_status lam_dnnl_check(dnnl_status_t status, const char *what)
{
    if (status == dnnl_success)
        return LAM_OK;
    if (status == dnnl_out_of_memory)
        return lam_fail(LAM_ERR_MEMORY, "out of memory in oneDNN, %s", what);
    return lam_fail(LAM_ERR_UNSUPPORTED, "oneDNN cannot do what the image nets ask of it (%s: status %d); version 2 from 2.6 on is needed",
        what, (int)status);
}

#define TRY_DNNL(call)                    \
    do {                                  \
        dnnl_status_t status_ = (call);   \
        if (status_ != dnnl_success)      \
            return status_;               \
    } while (0)

/* The primitive of a descriptor that it also destroys; scratch memory is the caller's. */
static dnnl_status_t finish(dnnl_primitive_desc_t desc, lam_conv_call *call)
{
    dnnl_status_t status = dnnl_primitive_create(&call->primitive, desc);
    if (status == dnnl_success)
        call->scratch = *dnnl_primitive_desc_query_md(desc, dnnl_query_scratchpad_md, 0);
    dnnl_primitive_desc_destroy(desc);
    return status;
}

/* A convolution's descriptor in oneDNN's terms. */
typedef struct geometry {
    dnnl_dims_t strides, before, after, large, small, weights;
    int transposed;
} geometry;

static geometry geometry_of(const lam_net_layer *l, const lam_conv *c)
{
    geometry g = { .transposed = l->kind == LAM_NET_TRANSPOSED };
    const size_t *large = g.transposed ? l->out_size : l->in_size, *small = g.transposed ? l->in_size : l->out_size;
    g.large[0] = g.small[0] = 1;
    g.large[1] = (dnnl_dim_t)(g.transposed ? c->pair_wide : c->in_wide);
    g.small[1] = (dnnl_dim_t)(g.transposed ? c->in_wide : c->pair_wide);
    g.weights[0] = g.small[1];
    g.weights[1] = g.large[1];
    for (int axis = 0; axis < 2; axis++) {
        g.large[2 + axis] = (dnnl_dim_t)large[axis];
        g.small[2 + axis] = (dnnl_dim_t)small[axis];
        g.weights[2 + axis] = (dnnl_dim_t)l->kernel[axis];
        g.strides[axis] = (dnnl_dim_t)l->stride;
        g.before[axis] = (dnnl_dim_t)l->padding;
        g.after[axis] = (g.small[2 + axis] - 1) * g.strides[axis] + g.weights[2 + axis] - g.large[2 + axis] - g.before[axis];
    }
    return g;
}

typedef struct maker {
    lam_conv *conv;
    geometry g;
    dnnl_engine_t engine;
    dnnl_primitive_attr_t attr;
    dnnl_primitive_desc_t hint; /* backward descriptors want a forward one beside them */
} maker;

/* md with another number of rows. */
static dnnl_status_t with_rows(dnnl_memory_desc_t *out, const dnnl_memory_desc_t *md, size_t rows, dnnl_format_tag_t tag)
{
    dnnl_dims_t dims;
    memcpy(dims, md->dims, sizeof dims);
    dims[0] = (dnnl_dim_t)rows;
    return dnnl_memory_desc_init_by_tag(out, 4, dims, dnnl_f32, tag);
}

static dnnl_status_t small_from_large(maker *m, const dnnl_memory_desc_t *large, const dnnl_memory_desc_t *weights,
    const dnnl_memory_desc_t *bias, const dnnl_memory_desc_t *small, dnnl_primitive_desc_t *out)
{
    dnnl_convolution_desc_t d;
    TRY_DNNL(dnnl_convolution_forward_desc_init(&d, dnnl_forward_training, dnnl_convolution_direct, large, weights, bias, small,
        m->g.strides, m->g.before, m->g.after));
    return dnnl_primitive_desc_create(out, &d, m->attr, m->engine, NULL);
}

static dnnl_status_t large_from_small(maker *m, const dnnl_memory_desc_t *large, const dnnl_memory_desc_t *weights,
    const dnnl_memory_desc_t *small, dnnl_primitive_desc_t *out)
{
    dnnl_convolution_desc_t d;
    TRY_DNNL(dnnl_convolution_backward_data_desc_init(&d, dnnl_convolution_direct, large, weights, small, m->g.strides, m->g.before,
        m->g.after));
    return dnnl_primitive_desc_create(out, &d, m->attr, m->engine, m->hint);
}

/* Forward, and the cotangents of the input where they are wanted: one goes from large to small, the other back. */
static dnnl_status_t make_maps(maker *m, int has_data)
{
    lam_conv *c = m->conv;
    int transposed = m->g.transposed;
    dnnl_memory_desc_t any;
    const dnnl_memory_desc_t *large = transposed ? &c->pair_md : &c->in_md, *small = transposed ? &c->in_md : &c->pair_md;
    dnnl_primitive_desc_t desc = NULL;
    TRY_DNNL(dnnl_memory_desc_init_by_tag(&any, 4, m->g.weights, dnnl_f32, dnnl_format_tag_any));
    if (!transposed || has_data) {
        TRY_DNNL(small_from_large(m, large, &any, transposed ? NULL : &c->bias_md, small, &desc));
        *(transposed ? &c->data_md : &c->forward_md) = *dnnl_primitive_desc_query_md(desc, dnnl_query_weights_md, 0);
        TRY_DNNL(finish(desc, transposed ? &c->data : &c->forward));
    }
    if (transposed || has_data) {
        TRY_DNNL(large_from_small(m, large, &any, small, &desc));
        *(transposed ? &c->forward_md : &c->data_md) = *dnnl_primitive_desc_query_md(desc, dnnl_query_weights_md, 0);
        TRY_DNNL(finish(desc, transposed ? &c->forward : &c->data));
    }
    return dnnl_success;
}

static int is_reference(const_dnnl_primitive_desc_t desc)
{
    const char *name = NULL;
    return dnnl_primitive_desc_query(desc, dnnl_query_impl_info_str, 0, &name) == dnnl_success && name != NULL
        && strncmp(name, "ref", 3) == 0;
}

/* Weight gradients of 1, 2, 4 ... rows of these forms, all for weights in the form that the first one likes. */
static dnnl_status_t make_weight_gradients_of(maker *m, dnnl_format_tag_t in_tag, dnnl_format_tag_t pair_tag)
{
    lam_conv *c = m->conv;
    dnnl_memory_desc_t weights;
    TRY_DNNL(dnnl_memory_desc_init_by_tag(&weights, 4, m->g.weights, dnnl_f32, dnnl_format_tag_any));
    for (size_t k = 0; k < LAM_CONV_SIZES && (size_t)1 << k <= c->most; k++) {
        dnnl_memory_desc_t *in = &c->many_in_md[k], *pair = &c->many_pair_md[k];
        dnnl_convolution_desc_t d;
        dnnl_primitive_desc_t desc = NULL;
        TRY_DNNL(with_rows(in, &c->in_md, (size_t)1 << k, in_tag));
        TRY_DNNL(with_rows(pair, &c->pair_md, (size_t)1 << k, pair_tag));
        TRY_DNNL(dnnl_convolution_backward_weights_desc_init(&d, dnnl_convolution_direct, m->g.transposed ? pair : in, &weights, NULL,
            m->g.transposed ? in : pair, m->g.strides, m->g.before, m->g.after));
        TRY_DNNL(dnnl_primitive_desc_create(&desc, &d, m->attr, m->engine, m->hint));
        c->reference |= is_reference(desc);
        c->sum_md = weights = *dnnl_primitive_desc_query_md(desc, dnnl_query_diff_weights_md, 0);
        TRY_DNNL(finish(desc, &c->weight[k]));
    }
    return dnnl_success;
}

/* Without AVX-512, oneDNN has for images of one channel, and for those much smaller than the kernel, nothing but its reference loops,
 * which take longer than all the rest of a training step; of plain rows it has matrix products. */
static dnnl_status_t make_weight_gradients(maker *m, dnnl_format_tag_t in_tag, dnnl_format_tag_t pair_tag)
{
    lam_conv *c = m->conv;
    TRY_DNNL(make_weight_gradients_of(m, in_tag, pair_tag));
    if (!c->reference)
        return dnnl_success;
    for (size_t k = 0; k < LAM_CONV_SIZES; k++) {
        dnnl_primitive_destroy(c->weight[k].primitive);
        c->weight[k].primitive = NULL;
    }
    c->reference = 0;
    c->plain_rows = 1;
    return make_weight_gradients_of(m, dnnl_nchw, dnnl_nchw);
}

static dnnl_status_t make_reorder(maker *m, const dnnl_memory_desc_t *from, const dnnl_memory_desc_t *to, lam_conv_call *call)
{
    dnnl_primitive_desc_t desc = NULL;
    TRY_DNNL(dnnl_reorder_primitive_desc_create(&desc, from, m->engine, to, m->engine, m->attr));
    return finish(desc, call);
}

static dnnl_status_t make_all(maker *m, size_t lanes, int is_image, int has_data)
{
    lam_conv *c = m->conv;
    int transposed = m->g.transposed;
    dnnl_format_tag_t blocks = lanes == 16 ? dnnl_nChw16c : dnnl_nChw8c, in_tag = is_image ? dnnl_nchw : blocks;
    dnnl_dims_t bias = { (dnnl_dim_t)c->pair_wide };
    dnnl_memory_desc_t any;
    TRY_DNNL(dnnl_memory_desc_init_by_tag(&c->in_md, 4, transposed ? m->g.small : m->g.large, dnnl_f32, in_tag));
    TRY_DNNL(dnnl_memory_desc_init_by_tag(&c->pair_md, 4, transposed ? m->g.large : m->g.small, dnnl_f32, blocks));
    TRY_DNNL(dnnl_memory_desc_init_by_tag(&c->bias_md, 1, bias, dnnl_f32, dnnl_x));
    TRY_DNNL(dnnl_memory_desc_init_by_tag(&c->plain_md, 4, m->g.weights, dnnl_f32, dnnl_oihw));
    TRY_DNNL(dnnl_memory_desc_init_by_tag(&any, 4, m->g.weights, dnnl_f32, dnnl_format_tag_any));
    TRY_DNNL(small_from_large(m, transposed ? &c->pair_md : &c->in_md, &any, NULL, transposed ? &c->in_md : &c->pair_md, &m->hint));
    TRY_DNNL(make_maps(m, has_data));
    TRY_DNNL(make_weight_gradients(m, in_tag, blocks));
    TRY_DNNL(make_reorder(m, &c->plain_md, &c->forward_md, &c->pack_forward));
    if (has_data)
        TRY_DNNL(make_reorder(m, &c->plain_md, &c->data_md, &c->pack_data));
    return make_reorder(m, &c->sum_md, &c->plain_md, &c->unpack);
}

/* Fewest rows for which a weight gradient takes much longer than adding it to the sum: that goes with the pixels of the small
 * image, and measured best where rows x pixels is about 2000 (128 and 16384 cost 5 to 10 %). */
static size_t rows_a_call(const lam_net_layer *l, size_t group_rows)
{
    const size_t *small = l->kind == LAM_NET_TRANSPOSED ? l->in_size : l->out_size;
    size_t rows = 1;
    while (rows * small[0] * small[1] < 2048 && 2 * rows <= group_rows && 2 * rows <= LAM_CONV_MOST)
        rows *= 2;
    return rows;
}

lam_status lam_conv_plan(lam_net *net, lam_stage *stage, int is_image, int has_data)
{
    const lam_net_layer *l = stage->layer;
    lam_conv *c = &stage->conv;
    size_t lanes = net->lanes;
    c->in_wide = is_image ? l->in : (l->in + lanes - 1) / lanes * lanes;
    c->out_wide = (l->out + lanes - 1) / lanes * lanes;
    c->pair_wide = c->out_wide * (l->gated ? 2 : 1);
    c->pair_floats = c->pair_wide * l->out_size[0] * l->out_size[1];
    c->most = rows_a_call(l, net->group_rows);
    maker m = { .conv = c, .g = geometry_of(l, c), .engine = net->engine };
    int before = lam_one_thread_enter();
    dnnl_status_t status = dnnl_primitive_attr_create(&m.attr);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_scratchpad_mode(m.attr, dnnl_scratchpad_mode_user);
    if (status == dnnl_success)
        status = make_all(&m, lanes, is_image, has_data);
    dnnl_primitive_desc_destroy(m.hint);
    dnnl_primitive_attr_destroy(m.attr);
    lam_one_thread_leave(before);
    c->sum_floats = dnnl_memory_desc_get_size(&c->sum_md) / sizeof(float);
    return lam_dnnl_check(status, "planning a convolution");
}

/* Call number i of those that a plan holds; NULL past the last. */
static lam_conv_call *call_at(lam_conv *c, size_t i)
{
    lam_conv_call *calls[] = { &c->forward, &c->data, &c->pack_forward, &c->pack_data, &c->unpack };
    enum { SINGLE = sizeof calls / sizeof *calls };
    return i < SINGLE ? calls[i] : i < SINGLE + LAM_CONV_SIZES ? &c->weight[i - SINGLE] : NULL;
}

void lam_conv_unplan(lam_conv *conv)
{
    lam_conv_call *call;
    for (size_t i = 0; (call = call_at(conv, i)) != NULL; i++)
        dnnl_primitive_destroy(call->primitive);
}

size_t lam_conv_scratch(const lam_conv *conv)
{
    lam_conv copy = *conv;
    const lam_conv_call *call;
    size_t most = 0;
    for (size_t i = 0; (call = call_at(&copy, i)) != NULL; i++) {
        size_t bytes = call->primitive == NULL ? 0 : dnnl_memory_desc_get_size(&call->scratch);
        most = bytes > most ? bytes : most;
    }
    return most;
}
