/* Layers that are one linear map of the whole row: a convolution whose kernel covers its image, a transposed one of a single
 * pixel, a plain linear map. The whole batch goes through a matrix product that is cut by columns, so that weights are read
 * once a batch and their gradients have one owner each: the cut depends on the layer alone. */
#include "vae/inside.h"

typedef struct job {
    lam_net *net;
    const lam_stage *stage;
    const lam_net_layer *l;
    const float *params, *g;
    float *g_params, *g_x;
    size_t rows, n, area; /* n = out_count outputs of f, `area` to a channel (and bias) */
    float *pre;           /* [rows][halves n] f and g; in the reverse of a gate their cotangents */
    const float *g_pre;   /* those cotangents, or g where there is no gate */
    size_t pitch;         /* halves n */
    dnnl_status_t failed[LAM_NET_CHUNKS];
} job;

typedef struct range {
    size_t first, count;
} range;

/* Part `chunk` of total things. */
static range part_of(size_t total, size_t chunk)
{
    size_t size = (total + LAM_NET_CHUNKS - 1) / LAM_NET_CHUNKS, first = chunk * size;
    return first >= total ? (range) { 0, 0 } : (range) { first, total - first < size ? total - first : size };
}

static range columns_of(const job *j, size_t chunk)
{
    range channels = part_of(j->l->out, chunk);
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
static void set_bias(const job *j, const float *bias, range c, float *to)
{
    for (size_t r = 0; r < j->rows; r++, to += j->pitch)
        for (size_t i = 0, channel = c.first / j->area; i < c.count; i += j->area, channel++)
            for (size_t p = 0; p < j->area; p++)
                to[i + p] = bias[channel];
}

static void add_bias_gradient(const job *j, const float *of, range c, float *bias)
{
    for (size_t r = 0; r < j->rows; r++, of += j->pitch)
        for (size_t i = 0, channel = c.first / j->area; i < c.count; i += j->area, channel++)
            for (size_t p = 0; p < j->area; p++)
                bias[channel] += of[i + p];
}

static void forward_columns(void *arg, size_t chunk, size_t thread)
{
    job *j = arg;
    const lam_net_layer *l = j->l;
    range c = columns_of(j, chunk);
    (void)thread;
    if (c.count == 0)
        return;
    int before = lam_one_thread_enter();
    for (size_t gate = 0; gate < (l->gated ? 2 : 1); gate++) {
        const float *weight = j->params + l->weight[gate], *bias = j->params + l->bias[gate];
        float *to = j->pre + gate * j->n + c.first;
        set_bias(j, bias, c, to);
        if (l->kind == LAM_NET_TRANSPOSED)
            product(j, chunk, (extent) { j->rows, c.count, l->in }, (factor) { 'N', j->stage->in, l->in },
                (factor) { 'N', weight + c.first, j->n }, 1, to, j->pitch);
        else
            product(j, chunk, (extent) { j->rows, c.count, l->in_count }, (factor) { 'N', j->stage->in, l->in_count },
                (factor) { 'T', weight + c.first * l->in_count, l->in_count }, 1, to, j->pitch);
    }
    lam_one_thread_leave(before);
    for (size_t r = 0; l->gated && r < j->rows; r++) {
        const float *f = j->pre + r * j->pitch + c.first;
        size_t at = r * j->n + c.first;
        j->net->act->gate(f, f + j->n, j->stage->out + at, j->stage->sigma + at, c.count);
    }
}

static lam_status run_chunks(job *j, lam_pool_fn fn, const char *what)
{
    dnnl_status_t status = dnnl_success;
    lam_pool_run(j->net->pool, LAM_NET_CHUNKS, fn, j);
    for (size_t i = 0; i < LAM_NET_CHUNKS && status == dnnl_success; i++)
        status = j->failed[i];
    return lam_dnnl_check(status, what);
}

static job job_of(lam_net *net, const lam_stage *stage, const float *params, size_t rows)
{
    const lam_net_layer *l = stage->layer;
    job j = { .net = net, .stage = stage, .l = l, .params = params, .rows = rows, .n = l->out_count };
    j.area = l->out_count / l->out;
    j.pitch = l->gated ? 2 * j.n : j.n;
    return j;
}

lam_status lam_dense_forward(lam_net *net, lam_stage *stage, const float *params, size_t rows)
{
    job j = job_of(net, stage, params, rows);
    j.pre = stage->layer->gated ? net->pair : stage->out;
    return run_chunks(&j, forward_columns, "a linear map");
}

/* Through the gate to f and g, and on to their weights and biases. */
static void backward_columns(void *arg, size_t chunk, size_t thread)
{
    job *j = arg;
    const lam_net_layer *l = j->l;
    range c = columns_of(j, chunk);
    (void)thread;
    if (c.count == 0)
        return;
    for (size_t r = 0; r < j->rows && l->gated; r++) {
        float *f = j->pre + r * j->pitch + c.first;
        size_t at = r * j->n + c.first;
        j->net->act->gate_reverse(j->g + at, j->stage->out + at, j->stage->sigma + at, f, f + j->n, c.count);
    }
    int before = lam_one_thread_enter();
    for (size_t gate = 0; gate < (l->gated ? 2 : 1); gate++) {
        const float *of = j->g_pre + gate * j->n + c.first;
        float *weight = j->g_params + l->weight[gate], *bias = j->g_params + l->bias[gate];
        add_bias_gradient(j, of, c, bias);
        if (l->kind == LAM_NET_TRANSPOSED)
            product(j, chunk, (extent) { l->in, c.count, j->rows }, (factor) { 'T', j->stage->in, l->in },
                (factor) { 'N', of, j->pitch }, 1, weight + c.first, j->n);
        else
            product(j, chunk, (extent) { c.count, l->in_count, j->rows }, (factor) { 'T', of, j->pitch },
                (factor) { 'N', j->stage->in, l->in_count }, 1, weight + c.first * l->in_count, l->in_count);
    }
    lam_one_thread_leave(before);
}

/* Cotangents of the input: cut by its columns where there are many, else by rows. */
static void backward_inputs(void *arg, size_t chunk, size_t thread)
{
    enum { MANY = 256 };
    job *j = arg;
    const lam_net_layer *l = j->l;
    range r = { 0, j->rows }, c = { 0, l->in_count };
    *(l->in_count >= MANY ? &c : &r) = part_of(l->in_count >= MANY ? l->in_count : j->rows, chunk);
    (void)thread;
    if (r.count == 0 || c.count == 0)
        return;
    int before = lam_one_thread_enter();
    for (size_t gate = 0; gate < (l->gated ? 2 : 1); gate++) {
        const float *of = j->g_pre + r.first * j->pitch + gate * j->n, *weight = j->params + l->weight[gate];
        float *to = j->g_x + r.first * l->in_count + c.first, beta = gate == 0 ? 0 : 1;
        if (l->kind == LAM_NET_TRANSPOSED)
            product(j, chunk, (extent) { r.count, c.count, j->n }, (factor) { 'N', of, j->pitch },
                (factor) { 'T', weight + c.first * j->n, j->n }, beta, to, l->in_count);
        else
            product(j, chunk, (extent) { r.count, c.count, j->n }, (factor) { 'N', of, j->pitch },
                (factor) { 'N', weight + c.first, l->in_count }, beta, to, l->in_count);
    }
    lam_one_thread_leave(before);
}

lam_status lam_dense_backward(lam_net *net, lam_stage *stage, const float *params, size_t rows, const float *g, float *g_params, float *g_x)
{
    job j = job_of(net, stage, params, rows);
    j.g = g;
    j.pre = net->pair;
    j.g_pre = stage->layer->gated ? net->pair : g;
    j.g_params = g_params;
    j.g_x = g_x;
    lam_status status = run_chunks(&j, backward_columns, "a linear map's reverse");
    if (status == LAM_OK && g_x != NULL)
        status = run_chunks(&j, backward_inputs, "a linear map's reverse");
    return status;
}
