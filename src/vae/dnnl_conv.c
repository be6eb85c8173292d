/* Runs of convolutions. Forward, a row goes through all layers of the run before the next one starts, so that what one layer
 * leaves the next finds in the core's own cache. Backward a group goes layer by layer, since weight gradients want rows. */
#include "vae/blocks.h"
#include "vae/inside.h"
#include <string.h>

typedef struct operand {
    int arg;
    const dnnl_memory_desc_t *md;
    const float *data;
} operand;

enum { MOST_OPERANDS = 5 };

/* Executes a call; scratch memory is the thread's. oneDNN's memory objects are small, and made anew each time: so they need
 * not be kept per thread, layer and use. */
static dnnl_status_t execute(const lam_net *net, const lam_net_thread *thread, const lam_conv_call *call, const operand *operands,
    size_t n)
{
    dnnl_exec_arg_t args[MOST_OPERANDS];
    dnnl_status_t status = dnnl_success;
    size_t made = 0;
    for (; made <= n; made++) {
        operand o = made < n ? operands[made] : (operand) { DNNL_ARG_SCRATCHPAD, &call->scratch, thread->scratch };
        args[made].arg = o.arg;
        status = dnnl_memory_create(&args[made].memory, o.md, net->engine, (void *)o.data);
        if (status != dnnl_success)
            break;
    }
    if (status == dnnl_success)
        status = dnnl_primitive_execute(call->primitive, thread->stream, (int)made, args);
    while (made > 0)
        dnnl_memory_destroy(args[--made].memory);
    return status;
}

static void keep_first(dnnl_status_t *first, dnnl_status_t status)
{
    if (*first == dnnl_success)
        *first = status;
}

/* ---- weights ------------------------------------------------------------------------------------------------------ */

/* Where f's and g's weights lie among those of their pair, both as oihw: `count` pieces of `piece` numbers each, a stride
 * apart. In a convolution outputs come first, and f's are one piece; a transposed one has a piece an input. */
typedef struct pieces {
    size_t count, piece, stride, at[2];
} pieces;

static pieces pieces_of(const lam_net_layer *l, const lam_conv *c)
{
    size_t area = l->kernel[0] * l->kernel[1];
    if (l->kind == LAM_NET_TRANSPOSED)
        return (pieces) { l->in, l->out * area, c->pair_wide * area, { 0, c->out_wide * area } };
    return (pieces) { l->out, l->in * area, c->in_wide * area, { 0, c->out_wide * c->in_wide * area } };
}

dnnl_status_t lam_conv_pack(lam_net *net, lam_stage *stage, const float *params, size_t thread)
{
    const lam_net_layer *l = stage->layer;
    lam_conv *c = &stage->conv;
    pieces p = pieces_of(l, c);
    for (size_t gate = 0; gate < (l->gated ? 2 : 1); gate++) {
        for (size_t i = 0; i < p.count; i++)
            memcpy(c->plain + p.at[gate] + i * p.stride, params + l->weight[gate] + i * p.piece, p.piece * sizeof *params);
        memcpy(c->bias + gate * c->out_wide, params + l->bias[gate], l->out * sizeof *params);
    }
    const operand forward[] = { { DNNL_ARG_FROM, &c->plain_md, c->plain }, { DNNL_ARG_TO, &c->forward_md, c->packed_forward } };
    const operand data[] = { { DNNL_ARG_FROM, &c->plain_md, c->plain }, { DNNL_ARG_TO, &c->data_md, c->packed_data } };
    dnnl_status_t status = execute(net, &net->thread[thread], &c->pack_forward, forward, 2);
    if (c->pack_data.primitive != NULL)
        keep_first(&status, execute(net, &net->thread[thread], &c->pack_data, data, 2));
    return status;
}

dnnl_status_t lam_conv_unpack(lam_net *net, lam_stage *stage, const float *sum, float *g_params, size_t thread)
{
    const lam_net_layer *l = stage->layer;
    lam_conv *c = &stage->conv;
    pieces p = pieces_of(l, c);
    const operand unpack[] = { { DNNL_ARG_FROM, &c->sum_md, sum }, { DNNL_ARG_TO, &c->plain_md, c->plain_sum } };
    dnnl_status_t status = execute(net, &net->thread[thread], &c->unpack, unpack, 2);
    for (size_t gate = 0; status == dnnl_success && gate < (l->gated ? 2 : 1); gate++) {
        for (size_t i = 0; i < p.count; i++) {
            const float *from = c->plain_sum + p.at[gate] + i * p.stride;
            float *to = g_params + l->weight[gate] + i * p.piece;
            memcpy(to, from, p.piece * sizeof *to);
        }
        memcpy(g_params + l->bias[gate], sum + c->sum_floats + gate * c->out_wide, l->out * sizeof *sum);
    }
    return status;
}

/* ---- forward ------------------------------------------------------------------------------------------------------ */

typedef struct job {
    lam_net *net;
    const lam_conv_run *run;
} job;

/* A transposed convolution of oneDNN has no bias. */
static void add_bias(const lam_net *net, const lam_conv *c, size_t pixels, float *pair)
{
    for (size_t first = 0; first < c->pair_wide; first += net->lanes)
        for (size_t p = 0; p < pixels; p++, pair += net->lanes)
            for (size_t i = 0; i < net->lanes; i++)
                pair[i] += c->bias[first + i];
}

static dnnl_status_t forward_layer(const lam_net *net, const lam_net_thread *thread, const lam_stage *stage, size_t row)
{
    const lam_net_layer *l = stage->layer;
    const lam_conv *c = &stage->conv;
    size_t at = row * stage->out_floats;
    float *out = stage->out + at, *pair = l->gated ? thread->pair : out;
    const float *in = stage->in + row * stage->in_floats;
    dnnl_status_t status;
    if (l->kind == LAM_NET_TRANSPOSED) {
        const operand o[] = { { DNNL_ARG_DIFF_DST, &c->in_md, in }, { DNNL_ARG_WEIGHTS, &c->forward_md, c->packed_forward },
            { DNNL_ARG_DIFF_SRC, &c->pair_md, pair } };
        status = execute(net, thread, &c->forward, o, 3);
        add_bias(net, c, l->out_size[0] * l->out_size[1], pair);
    } else {
        const operand o[] = { { DNNL_ARG_SRC, &c->in_md, in }, { DNNL_ARG_WEIGHTS, &c->forward_md, c->packed_forward },
            { DNNL_ARG_BIAS, &c->bias_md, c->bias }, { DNNL_ARG_DST, &c->pair_md, pair } };
        status = execute(net, thread, &c->forward, o, 4);
    }
    if (l->gated)
        net->act->gate(pair, pair + stage->out_floats, out, stage->sigma + at, stage->out_floats);
    return status;
}

static void take_in(const lam_net *net, const lam_stage *stage, const float *x, float *in)
{
    const lam_net_layer *l = stage->layer;
    size_t pixels = l->in_size[0] * l->in_size[1];
    if (stage->conv.in_wide < net->lanes) /* an image as it is */
        memcpy(in, x, l->in_count * sizeof *x);
    else
        lam_blocks_from(net->lanes, l->in, pixels, x, pixels, 1, in);
}

static void forward_group(void *arg, size_t group, size_t thread)
{
    const job *j = arg;
    lam_net *net = j->net;
    const lam_conv_run *run = j->run;
    const lam_stage *first = &net->stage[run->first], *last = &net->stage[run->end - 1];
    lam_range rows = lam_batch_group_rows(&net->batch, group);
    int before = lam_one_thread_enter();
    for (size_t row = rows.first; row < rows.end; row++) {
        const lam_net_layer *l = last->layer;
        take_in(net, first, run->x + row * first->layer->in_count, first->in + row * first->in_floats);
        for (size_t k = run->first; k < run->end; k++)
            keep_first(&net->failed[group], forward_layer(net, &net->thread[thread], &net->stage[k], row));
        lam_blocks_to(net->lanes, l->out, l->out_size[0] * l->out_size[1], last->out + row * last->out_floats,
            run->y + row * l->out_count, run->stride_c, run->stride_p);
    }
    lam_one_thread_leave(before);
}

static lam_status run_groups(lam_net *net, const lam_conv_run *run, lam_pool_fn fn, const char *what)
{
    job j = { .net = net, .run = run };
    dnnl_status_t status = dnnl_success;
    memset(net->failed, 0, sizeof net->failed);
    lam_batch_run(&net->batch, fn, &j);
    for (size_t g = 0; g < net->batch.groups; g++)
        keep_first(&status, net->failed[g]);
    return lam_dnnl_check(status, what);
}

lam_status lam_conv_run_forward(lam_net *net, const lam_conv_run *run)
{
    return run_groups(net, run, forward_group, "a convolution");
}

/* ---- backward ----------------------------------------------------------------------------------------------------- */

/* sums [pair_wide] += over the pixels of one row */
static void add_bias_gradient(const lam_net *net, const lam_conv *c, size_t pixels, const float *pair, float *sums)
{
    for (size_t first = 0; first < c->pair_wide; first += net->lanes) {
        float sum[16] = { 0 };
        for (size_t p = 0; p < pixels; p++, pair += net->lanes)
            for (size_t i = 0; i < net->lanes; i++)
                sum[i] += pair[i];
        for (size_t i = 0; i < net->lanes; i++)
            sums[first + i] += sum[i];
    }
}

/* Cotangents of the layer's input, one row. */
static dnnl_status_t data_gradient(const lam_net *net, const lam_net_thread *thread, const lam_stage *stage, const float *pair, float *below)
{
    const lam_conv *c = &stage->conv;
    int transposed = stage->layer->kind == LAM_NET_TRANSPOSED;
    const operand o[] = { { transposed ? DNNL_ARG_SRC : DNNL_ARG_DIFF_DST, &c->pair_md, pair },
        { DNNL_ARG_WEIGHTS, &c->data_md, c->packed_data }, { transposed ? DNNL_ARG_DST : DNNL_ARG_DIFF_SRC, &c->in_md, below } };
    return execute(net, thread, &c->data, o, 3);
}

/* Rows out of their blocks, one after the other in `to`. */
static const float *unblock(const lam_net *net, size_t channels, const size_t size[2], size_t rows, const float *from, float *to)
{
    size_t pixels = size[0] * size[1];
    for (size_t r = 0; r < rows; r++)
        lam_blocks_to(net->lanes, channels, pixels, from + r * channels * pixels, to + r * channels * pixels, pixels, 1);
    return to;
}

/* 2^size rows from `row` on; added to the group's sum but for the group's first, which starts it. */
static dnnl_status_t weight_gradient(const lam_net *net, const lam_net_thread *thread, const lam_stage *stage, size_t row, size_t size,
    const float *pair, float *sum, int starts)
{
    const lam_conv *c = &stage->conv;
    const float *in = stage->in + row * stage->in_floats;
    float *to = starts ? sum : thread->weight;
    const lam_net_layer *l = stage->layer;
    int transposed = l->kind == LAM_NET_TRANSPOSED;
    if (c->plain_rows) {
        size_t rows = (size_t)1 << size;
        pair = unblock(net, c->pair_wide, l->out_size, rows, pair, thread->plain);
        if (c->in_wide >= net->lanes) /* no image as it is */
            in = unblock(net, c->in_wide, l->in_size, rows, in, thread->plain + rows * c->pair_floats);
    }
    const operand o[] = { { transposed ? DNNL_ARG_DIFF_DST : DNNL_ARG_SRC, &c->many_in_md[size], in },
        { transposed ? DNNL_ARG_SRC : DNNL_ARG_DIFF_DST, &c->many_pair_md[size], pair }, { DNNL_ARG_DIFF_WEIGHTS, &c->sum_md, to } };
    dnnl_status_t status = execute(net, thread, &c->weight[size], o, 3);
    for (size_t i = 0; !starts && i < c->sum_floats; i++)
        sum[i] += to[i];
    return status;
}

/* Rows first .. first + n - 1 of a group through one layer: g [n][out_floats] are cotangents of its output, below [n][in_floats]
 * those of its input (NULL: not wanted). */
static dnnl_status_t layer_backward(const lam_net *net, const lam_net_thread *thread, const lam_stage *stage, size_t first, size_t n,
    const float *g, float *below, float *sum)
{
    const lam_net_layer *l = stage->layer;
    const lam_conv *c = &stage->conv;
    size_t pixels = l->out_size[0] * l->out_size[1], size = 0;
    dnnl_status_t status = dnnl_success;
    memset(sum + c->sum_floats, 0, c->pair_wide * sizeof *sum);
    while ((size_t)2 << size <= c->most)
        size++;
    for (size_t start = 0; start < n; start += (size_t)1 << size) {
        while (start + ((size_t)1 << size) > n)
            size--;
        const float *pair = l->gated ? thread->pair : g + start * c->pair_floats;
        for (size_t i = 0; i < (size_t)1 << size; i++) {
            size_t at = (first + start + i) * stage->out_floats;
            float *of_f = thread->pair + i * c->pair_floats;
            if (l->gated)
                net->act->gate_reverse(g + (start + i) * stage->out_floats, stage->out + at, stage->sigma + at, of_f,
                    of_f + stage->out_floats, stage->out_floats);
            add_bias_gradient(net, c, pixels, pair + i * c->pair_floats, sum + c->sum_floats);
            if (below != NULL)
                keep_first(&status,
                    data_gradient(net, thread, stage, pair + i * c->pair_floats, below + (start + i) * stage->in_floats));
        }
        keep_first(&status, weight_gradient(net, thread, stage, first + start, size, pair, sum, start == 0));
    }
    return status;
}

static void backward_group(void *arg, size_t group, size_t thread_index)
{
    const job *j = arg;
    lam_net *net = j->net;
    const lam_conv_run *run = j->run;
    const lam_net_thread *thread = &net->thread[thread_index];
    const lam_stage *bottom = &net->stage[run->first], *top = &net->stage[run->end - 1];
    const lam_net_layer *in = bottom->layer, *out = top->layer;
    lam_range rows = lam_batch_group_rows(&net->batch, group);
    size_t first = rows.first, n = rows.end - rows.first;
    float *g = thread->a, *below = thread->b;
    int before = lam_one_thread_enter();
    for (size_t r = 0; r < n; r++)
        lam_blocks_from(net->lanes, out->out, out->out_size[0] * out->out_size[1], run->g_y + (first + r) * out->out_count, run->stride_c,
            run->stride_p, g + r * top->out_floats);
    for (size_t k = run->end; k-- > run->first;) {
        const lam_stage *stage = &net->stage[k];
        float *sum = net->sums + group * net->sums_floats + stage->conv.sum_at;
        int wanted = k > run->first || run->g_x != NULL;
        keep_first(&net->failed[group], layer_backward(net, thread, stage, first, n, g, wanted ? below : NULL, sum));
        float *swap = g;
        g = below;
        below = swap;
    }
    size_t pixels = in->in_size[0] * in->in_size[1];
    for (size_t r = 0; run->g_x != NULL && r < n; r++)
        lam_blocks_to(net->lanes, in->in, pixels, g + r * bottom->in_floats, run->g_x + (first + r) * in->in_count, pixels, 1);
    lam_one_thread_leave(before);
}

lam_status lam_conv_run_backward(lam_net *net, const lam_conv_run *run)
{
    return run_groups(net, run, backward_group, "a convolution's reverse");
}
