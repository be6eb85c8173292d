/* Layers that are one linear map of the whole row: a convolution whose kernel covers its image, a transposed one of a single
 * pixel, a plain linear map. A thread takes a share of the columns, which stay in its core's cache, and goes with them through one matrix product
 * for each group of rows: a product over more rows may add in another order. The cut depends on the layer alone. */
#define LAM_WIDTH 32
#include "flow/sums.h"
#include "vae/inside.h"
#include <string.h>

typedef struct job {
    lam_net *net;
    const lam_stage *stage;
    const lam_net_layer *l;
    const float *params, *g;
    float *const *part, *g_x;
    size_t n, area;       /* n = out_count outputs of f, `area` to a channel (and bias) */
    float *pre;           /* [rows][halves n] f and g; in the reverse of a gate their cotangents */
    const float *g_pre;   /* those cotangents, or g where there is no gate */
    size_t pitch;         /* halves n */
    dnnl_status_t failed[LAM_NET_CHUNKS];
} job;

typedef struct range {
    size_t first, count;
} range;

static range rows_of(const job *j, size_t group)
{
    lam_range rows = lam_batch_group_rows(&j->net->batch, group);
    return (range) { rows.first, rows.end - rows.first };
}

/* Share `chunk` of total things. */
static range share_of(size_t total, size_t chunk)
{
    size_t size = (total + LAM_NET_CHUNKS - 1) / LAM_NET_CHUNKS, first = chunk * size;
    return first >= total ? (range) { 0, 0 } : (range) { first, total - first < size ? total - first : size };
}

static range columns_of(const job *j, size_t chunk)
{
    range channels = share_of(j->l->out, chunk);
    return (range) { channels.first * j->area, channels.count * j->area };
}

/* A factor of a product, stored row by row with this distance between rows; 'T': it is the transposed of what is stored. */
typedef struct factor {
    char stored; /* 'N' or 'T' */
    const float *at;
    size_t stride;
} factor;

typedef struct extent {
    size_t m, n, k;
} extent;

/* C [m, n] = A [m, k] B [k, n] + beta C, C row by row with stride between rows. */
static void product(job *j, size_t chunk, extent e, factor a, factor b, float beta, float *c, size_t stride)
{
    dnnl_status_t status = dnnl_sgemm(a.stored, b.stored, (dnnl_dim_t)e.m, (dnnl_dim_t)e.n, (dnnl_dim_t)e.k, 1, a.at, (dnnl_dim_t)a.stride,
        b.at, (dnnl_dim_t)b.stride, beta, c, (dnnl_dim_t)stride);
    if (j->failed[chunk] == dnnl_success)
        j->failed[chunk] = status;
}

/* Every row starts with the bias of its channels. */
static void set_bias(const job *j, const float *bias, size_t rows, range c, float *to)
{
    for (size_t r = 0; r < rows; r++, to += j->pitch)
        for (size_t i = 0, channel = c.first / j->area; i < c.count; i += j->area, channel++)
            for (size_t p = 0; p < j->area; p++)
                to[i + p] = bias[channel];
}

/* These columns of f or g, for a group's rows. */
static void forward_group(job *j, size_t chunk, size_t gate, size_t group)
{
    const lam_net_layer *l = j->l;
    range c = columns_of(j, chunk), rows = rows_of(j, group);
    const float *weight = j->params + l->weight[gate], *in = j->stage->in + rows.first * l->in_count;
    float *to = j->pre + rows.first * j->pitch + gate * j->n + c.first;
    set_bias(j, j->params + l->bias[gate], rows.count, c, to);
    if (l->kind == LAM_NET_TRANSPOSED)
        product(j, chunk, (extent) { rows.count, c.count, l->in }, (factor) { 'N', in, l->in }, (factor) { 'N', weight + c.first, j->n }, 1, to,
            j->pitch);
    else
        product(j, chunk, (extent) { rows.count, c.count, l->in_count }, (factor) { 'N', in, l->in_count },
            (factor) { 'T', weight + c.first * l->in_count, l->in_count }, 1, to, j->pitch);
}

static void forward_columns(void *arg, size_t chunk, size_t thread)
{
    job *j = arg;
    const lam_net_layer *l = j->l;
    range c = columns_of(j, chunk);
    lam_range groups = lam_batch_own_groups(&j->net->batch), rows = lam_batch_own_rows(&j->net->batch);
    (void)thread;
    if (c.count == 0)
        return;
    int before = lam_one_thread_enter();
    for (size_t gate = 0; gate < (l->gated ? 2 : 1); gate++)
        for (size_t group = groups.first; group < groups.end; group++)
            forward_group(j, chunk, gate, group);
    lam_one_thread_leave(before);
    for (size_t r = rows.first; l->gated && r < rows.end; r++) {
        const float *f = j->pre + r * j->pitch + c.first;
        size_t at = r * j->n + c.first;
        j->net->act->gate(f, f + j->n, j->stage->out + at, j->stage->sigma + at, c.count);
    }
}

static lam_status first_failure(const job *j, const char *what)
{
    dnnl_status_t status = dnnl_success;
    for (size_t i = 0; i < LAM_NET_CHUNKS && status == dnnl_success; i++)
        status = j->failed[i];
    return lam_dnnl_check(status, what);
}

static lam_status run_chunks(job *j, lam_pool_fn fn, const char *what)
{
    lam_pool_run(j->net->pool, LAM_NET_CHUNKS, fn, j);
    return first_failure(j, what);
}

static job job_of(lam_net *net, const lam_stage *stage, const float *params)
{
    const lam_net_layer *l = stage->layer;
    job j = { .net = net, .stage = stage, .l = l, .params = params, .n = l->out_count };
    j.area = l->out_count / l->out;
    j.pitch = l->gated ? 2 * j.n : j.n;
    return j;
}

lam_status lam_dense_forward(lam_net *net, lam_stage *stage, const float *params)
{
    job j = job_of(net, stage, params);
    j.pre = stage->layer->gated ? net->pair : stage->out;
    return run_chunks(&j, forward_columns, "a linear map");
}

/* ---- backward ----------------------------------------------------------------------------------------------------- */

/* The gradient of f's or g's weights and biases, of a share of the columns. */
typedef struct share {
    job *j;
    size_t chunk, gate;
    range c;
} share;

/* A group's [in][columns] of a transposed layer, [columns][in_count] of another. */
static void weight_leaf(void *arg, size_t group, float *to)
{
    const share *s = arg;
    job *j = s->j;
    const lam_net_layer *l = j->l;
    range rows = rows_of(j, group);
    const float *of = j->g_pre + rows.first * j->pitch + s->gate * j->n + s->c.first, *in = j->stage->in + rows.first * l->in_count;
    if (l->kind == LAM_NET_TRANSPOSED)
        product(j, s->chunk, (extent) { l->in, s->c.count, rows.count }, (factor) { 'T', in, l->in }, (factor) { 'N', of, j->pitch }, 0, to,
            s->c.count);
    else
        product(j, s->chunk, (extent) { s->c.count, l->in_count, rows.count }, (factor) { 'T', of, j->pitch }, (factor) { 'N', in, l->in_count }, 0,
            to, l->in_count);
}

static void bias_leaf(void *arg, size_t group, float *to)
{
    const share *s = arg;
    const job *j = s->j;
    range rows = rows_of(j, group);
    const float *of = j->g_pre + rows.first * j->pitch + s->gate * j->n + s->c.first;
    memset(to, 0, s->c.count / j->area * sizeof *to);
    for (size_t r = 0; r < rows.count; r++, of += j->pitch)
        for (size_t i = 0, channel = 0; i < s->c.count; i += j->area, channel++)
            for (size_t p = 0; p < j->area; p++)
                to[channel] += of[i + p];
}

size_t lam_dense_room(const lam_stage *stage)
{
    const lam_net_layer *l = stage->layer;
    size_t area = l->out_count / l->out, inputs = l->kind == LAM_NET_TRANSPOSED ? l->in : l->in_count;
    return (1 + lam_sums_levels_f32(LAM_NET_GROUPS)) * share_of(l->out, 0).count * area * inputs;
}

/* What is left of the tree at `group`, into grad, the parameters' gradient. */
static void add_share(const share *s, float *room, size_t group, float *grad)
{
    const job *j = s->j;
    const lam_net_layer *l = j->l;
    int transposed = l->kind == LAM_NET_TRANSPOSED;
    size_t inputs = transposed ? l->in : l->in_count, channels = s->c.count / j->area, n = s->c.count * inputs;
    float *weight = grad + l->weight[s->gate], *to = transposed ? room : weight + s->c.first * inputs;
    lam_sums_part_f32 part = { .batch = &j->net->batch, .leaf = weight_leaf, .arg = (void *)s, .n = n, .room = room + (transposed ? n : 0) };
    lam_sums_of_part_f32(&part, group, to);
    for (size_t i = 0; transposed && i < inputs; i++)
        memcpy(weight + i * j->n + s->c.first, to + i * s->c.count, s->c.count * sizeof *to);
    part.leaf = bias_leaf;
    part.n = channels;
    lam_sums_of_part_f32(&part, group, grad + l->bias[s->gate] + s->c.first / j->area);
}

/* Through the gate to f and g, and on to their weights and biases. */
static void backward_columns(void *arg, size_t chunk, size_t thread)
{
    job *j = arg;
    const lam_net_layer *l = j->l;
    const lam_batch *batch = &j->net->batch;
    range c = columns_of(j, chunk);
    lam_range rows = lam_batch_own_rows(batch);
    if (c.count == 0)
        return;
    for (size_t r = rows.first; r < rows.end && l->gated; r++) {
        float *f = j->pre + r * j->pitch + c.first;
        size_t at = r * j->n + c.first;
        j->net->act->gate_reverse(j->g + at, j->stage->out + at, j->stage->sigma + at, f, f + j->n, c.count);
    }
    int before = lam_one_thread_enter();
    for (size_t gate = 0; gate < (l->gated ? 2 : 1); gate++)
        for (size_t group = 0; group < batch->groups; group++)
            if (lam_sums_is_left_f32(batch, group)) {
                const share s = { j, chunk, gate, c };
                add_share(&s, j->net->thread[thread].part, group, j->part[group]);
            }
    lam_one_thread_leave(before);
}

/* Cotangents of these inputs, for a group's rows. */
static void input_group(job *j, size_t chunk, range c, size_t group)
{
    const lam_net_layer *l = j->l;
    range rows = rows_of(j, group);
    for (size_t gate = 0; gate < (l->gated ? 2 : 1); gate++) {
        const float *of = j->g_pre + rows.first * j->pitch + gate * j->n, *weight = j->params + l->weight[gate];
        float *to = j->g_x + rows.first * l->in_count + c.first, beta = gate == 0 ? 0 : 1;
        if (l->kind == LAM_NET_TRANSPOSED)
            product(j, chunk, (extent) { rows.count, c.count, j->n }, (factor) { 'N', of, j->pitch }, (factor) { 'T', weight + c.first * j->n, j->n },
                beta, to, l->in_count);
        else
            product(j, chunk, (extent) { rows.count, c.count, j->n }, (factor) { 'N', of, j->pitch }, (factor) { 'N', weight + c.first, l->in_count },
                beta, to, l->in_count);
    }
}

static void inputs_by_columns(void *arg, size_t chunk, size_t thread)
{
    job *j = arg;
    range c = share_of(j->l->in_count, chunk);
    lam_range groups = lam_batch_own_groups(&j->net->batch);
    (void)thread;
    if (c.count == 0)
        return;
    int before = lam_one_thread_enter();
    for (size_t group = groups.first; group < groups.end; group++)
        input_group(j, chunk, c, group);
    lam_one_thread_leave(before);
}

static void inputs_by_groups(void *arg, size_t group, size_t thread)
{
    job *j = arg;
    (void)thread;
    int before = lam_one_thread_enter();
    input_group(j, group, (range) { 0, j->l->in_count }, group);
    lam_one_thread_leave(before);
}

_Static_assert((int)LAM_NET_GROUPS <= (int)LAM_NET_CHUNKS, "a group has a place for its failure");

/* Cut by columns where there are many, else by rows. */
static lam_status backward_inputs(job *j)
{
    enum { MANY = 256 };
    if (j->l->in_count >= MANY)
        return run_chunks(j, inputs_by_columns, "a linear map's reverse");
    lam_batch_run(&j->net->batch, inputs_by_groups, j);
    return first_failure(j, "a linear map's reverse");
}

lam_status lam_dense_backward(lam_net *net, lam_stage *stage, const float *params, const float *g, float *const *part, float *g_x)
{
    job j = job_of(net, stage, params);
    j.g = g;
    j.pre = net->pair;
    j.g_pre = stage->layer->gated ? net->pair : g;
    j.part = part;
    j.g_x = g_x;
    lam_status status = run_chunks(&j, backward_columns, "a linear map's reverse");
    return status == LAM_OK && g_x != NULL ? backward_inputs(&j) : status;
}
