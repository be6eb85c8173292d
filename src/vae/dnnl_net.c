/* lam_net: stages one after the other, and the memory they share. */
#define LAM_WIDTH 32
#include "base/error.h"
#include "base/mem.h"
#include "flow/sums.h"
#include "vae/inside.h"
#include <string.h>

enum { IMAGE_CHANNELS = 3 }; /* up to this many oneDNN takes an image as it is */

/* ---- planning ----------------------------------------------------------------------------------------------------- */

/* One pixel to all, or all to one. */
static int is_dense(const lam_net_layer *l)
{
    const size_t *image = l->kind == LAM_NET_TRANSPOSED ? l->out_size : l->in_size;
    const size_t *pixel = l->kind == LAM_NET_TRANSPOSED ? l->in_size : l->out_size;
    return pixel[0] == 1 && pixel[1] == 1 && image[0] == l->kernel[0] && image[1] == l->kernel[1] && l->padding == 0;
}

static lam_status plan_stage(lam_net *net, size_t k)
{
    lam_stage *stage = &net->stage[k];
    const lam_net_layer *l = stage->layer = &net->shape.layer[k];
    stage->dense = is_dense(l);
    stage->in_floats = l->in_count;
    stage->out_floats = l->out_count;
    if (stage->dense)
        return LAM_OK;
    int is_image = k == 0 && !net->input_gradient && l->kind == LAM_NET_CONV && l->in <= IMAGE_CHANNELS;
    LAM_TRY(lam_conv_plan(net, stage, is_image, k > 0 || net->input_gradient));
    stage->in_floats = stage->conv.in_wide * l->in_size[0] * l->in_size[1];
    stage->out_floats = stage->conv.out_wide * l->out_size[0] * l->out_size[1];
    stage->conv.sum_at = net->sums_floats;
    net->sums_floats += (stage->conv.sum_floats + stage->conv.pair_wide + 15) / 16 * 16;
    return LAM_OK;
}

/* n floats of the net's memory, or NULL while it is only measured. */
static float *take(lam_net *net, size_t n)
{
    float *p = net->memory == NULL ? NULL : net->memory + net->floats;
    net->floats += (n + 15) / 16 * 16;
    return p;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static void lay_out_stage(lam_net *net, size_t k)
{
    lam_stage *stage = &net->stage[k];
    lam_conv *c = &stage->conv;
    int shared = k > 0 && stage[-1].dense == stage->dense;
    stage->in = shared ? stage[-1].out : take(net, net->capacity * stage->in_floats);
    stage->out = take(net, net->capacity * stage->out_floats);
    if (stage->layer->gated)
        stage->sigma = take(net, net->capacity * stage->out_floats);
    if (stage->dense)
        return;
    size_t plain = dnnl_memory_desc_get_size(&c->plain_md) / sizeof(float);
    c->plain = take(net, plain);
    c->plain_sum = take(net, plain);
    c->bias = take(net, c->pair_wide);
    c->packed_forward = take(net, dnnl_memory_desc_get_size(&c->forward_md) / sizeof(float));
    if (c->data.primitive != NULL)
        c->packed_data = take(net, dnnl_memory_desc_get_size(&c->data_md) / sizeof(float));
}

/* Where everything lies; called once to measure and once to place. */
static void lay_out(lam_net *net)
{
    size_t row = 0, pair = 0, dense_pair = 0, between = net->shape.out_count, weight = 0, scratch = 0, plain = 0, part = 0;
    net->floats = 0;
    for (size_t k = 0; k < net->shape.layers; k++) {
        const lam_stage *stage = &net->stage[k];
        const lam_conv *c = &stage->conv;
        lay_out_stage(net, k);
        between = larger(between, stage->layer->in_count);
        if (stage->dense) {
            dense_pair = larger(dense_pair, 2 * stage->out_floats);
            part = larger(part, lam_dense_room(stage));
            continue;
        }
        row = larger(row, larger(stage->in_floats, stage->out_floats));
        pair = larger(pair, c->most * c->pair_floats);
        weight = larger(weight, c->sum_floats);
        scratch = larger(scratch, lam_conv_scratch(c) / sizeof(float) + 1);
        if (c->plain_rows)
            plain = larger(plain, c->most * (c->pair_floats + stage->in_floats));
    }
    net->pair = take(net, net->capacity * dense_pair);
    for (size_t i = 0; i < 2; i++)
        net->between[i] = take(net, net->capacity * between);
    net->sums = take(net, LAM_NET_GROUPS * net->sums_floats); /* fewer rows may have more groups */
    for (size_t t = 0; t < lam_pool_threads(net->pool); t++) {
        lam_net_thread *thread = &net->thread[t];
        thread->a = take(net, net->group_rows * row);
        thread->b = take(net, net->group_rows * row);
        thread->pair = take(net, pair);
        thread->weight = take(net, weight);
        thread->scratch = take(net, scratch);
        thread->plain = take(net, plain);
        thread->part = take(net, part);
    }
}

static lam_status start_dnnl(lam_net *net)
{
    int wide = (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core;
    net->lanes = wide ? 16 : 8;
    LAM_TRY(lam_dnnl_check(dnnl_engine_create(&net->engine, dnnl_cpu, 0), "an engine"));
    for (size_t t = 0; t < lam_pool_threads(net->pool); t++)
        LAM_TRY(lam_dnnl_check(dnnl_stream_create(&net->thread[t].stream, net->engine, dnnl_stream_default_flags), "a stream"));
    return LAM_OK;
}

static lam_status build(lam_net *net)
{
    net->thread = lam_alloc(lam_pool_threads(net->pool), sizeof *net->thread);
    if (net->thread == NULL)
        return LAM_ERR_MEMORY;
    LAM_TRY(start_dnnl(net));
    for (size_t k = 0; k < net->shape.layers; k++)
        LAM_TRY(plan_stage(net, k));
    lay_out(net);
    net->memory = lam_reserve(net->floats * sizeof(float));
    if (net->memory == NULL)
        return LAM_ERR_MEMORY;
    lay_out(net);
    for (size_t k = 0; k < net->shape.layers; k++) {
        lam_conv *c = &net->stage[k].conv;
        if (net->stage[k].dense)
            continue;
        memset(c->plain, 0, dnnl_memory_desc_get_size(&c->plain_md));
        memset(c->bias, 0, c->pair_wide * sizeof *c->bias);
    }
    return LAM_OK;
}

lam_status lam_net_create(const lam_net_shape *shape, lam_pool *pool, const lam_comm *comm, const char *isa, size_t rows, int input_gradient,
    lam_net **out)
{
    lam_isa chosen;
    *out = NULL;
    LAM_TRY(lam_isa_choose(isa, &chosen));
    if (rows == 0)
        return lam_fail(LAM_ERR_ARGUMENT, "an image net for batches of 0 rows");
    lam_net *net = lam_alloc(1, sizeof *net);
    if (net == NULL)
        return LAM_ERR_MEMORY;
    net->shape = *shape;
    net->pool = pool;
    net->comm = comm;
    net->act = lam_act_f32_for(chosen);
    net->input_gradient = input_gradient;
    net->capacity = rows;
    net->batch = lam_net_batch(pool, comm, rows);
    net->group_rows = net->batch.tile_rows;
    lam_status status = build(net);
    if (status != LAM_OK) {
        lam_net_free(net);
        return status;
    }
    *out = net;
    return LAM_OK;
}

unsigned lam_net_instructions(void)
{
    return (unsigned)dnnl_get_effective_cpu_isa();
}

size_t lam_net_bytes(const lam_net *net)
{
    return net->floats * sizeof(float);
}

void lam_net_free(lam_net *net)
{
    if (net == NULL)
        return;
    for (size_t k = 0; k < net->shape.layers; k++)
        lam_conv_unplan(&net->stage[k].conv);
    for (size_t t = 0; net->thread != NULL && t < lam_pool_threads(net->pool); t++)
        dnnl_stream_destroy(net->thread[t].stream);
    dnnl_engine_destroy(net->engine);
    lam_free(net->thread);
    lam_free(net->memory);
    lam_free(net);
}

/* ---- running ------------------------------------------------------------------------------------------------------ */

typedef struct job {
    lam_net *net;
    const float *params;
    const float *sums; /* of a group */
    float *g_params;
    dnnl_status_t failed[LAM_NET_MAX_LAYERS];
} job;

static lam_status run_stages(job *j, lam_pool_fn fn, const char *what)
{
    dnnl_status_t status = dnnl_success;
    lam_pool_run(j->net->pool, j->net->shape.layers, fn, j);
    for (size_t k = 0; k < j->net->shape.layers && status == dnnl_success; k++)
        status = j->failed[k];
    return lam_dnnl_check(status, what);
}

static void pack_stage(void *arg, size_t k, size_t thread)
{
    job *j = arg;
    int before = lam_one_thread_enter();
    if (!j->net->stage[k].dense)
        j->failed[k] = lam_conv_pack(j->net, &j->net->stage[k], j->params, thread);
    lam_one_thread_leave(before);
}

static void unpack_stage(void *arg, size_t k, size_t thread)
{
    job *j = arg;
    int before = lam_one_thread_enter();
    if (!j->net->stage[k].dense)
        j->failed[k] = lam_conv_unpack(j->net, &j->net->stage[k], j->sums + j->net->stage[k].conv.sum_at, j->g_params, thread);
    lam_one_thread_leave(before);
}

/* The convolutions' sums of this rank's groups, added as far as the tree allows, to what is left of it. */
static lam_status add_groups(job *j, float *const *part)
{
    lam_net *net = j->net;
    float *sums[LAM_NET_GROUPS];
    for (size_t g = 0; g < net->batch.groups; g++)
        sums[g] = net->sums + g * net->sums_floats;
    lam_sums_add_f32(&net->batch, sums, net->sums_floats);
    for (size_t g = 0; g < net->batch.groups; g++) {
        if (!lam_sums_is_left_f32(&net->batch, g))
            continue;
        j->sums = sums[g];
        j->g_params = part[g];
        LAM_TRY(run_stages(j, unpack_stage, "unpacking gradients"));
    }
    return LAM_OK;
}

/* Where the run of convolutions ends that starts at k; starts that ends at `end`. */
static size_t run_end(const lam_net *net, size_t k)
{
    while (k < net->shape.layers && !net->stage[k].dense)
        k++;
    return k;
}

static size_t run_first(const lam_net *net, size_t end)
{
    while (end > 0 && !net->stage[end - 1].dense)
        end--;
    return end;
}

static size_t pixels_out(const lam_net_layer *l)
{
    return l->out_size[0] * l->out_size[1];
}

/* [n][m] -> [m][n], each of these rows: pixels and channels change places */
static void turn(lam_range rows, size_t n, size_t m, const float *from, float *to)
{
    from += rows.first * n * m;
    to += rows.first * n * m;
    for (size_t r = rows.first; r < rows.end; r++, from += n * m)
        for (size_t j = 0; j < m; j++)
            for (size_t i = 0; i < n; i++)
                *to++ = from[i * m + j];
}

lam_status lam_net_forward(lam_net *net, const float *params, const float *x, size_t rows, float *y)
{
    size_t layers = net->shape.layers;
    if (rows == 0 || rows > net->capacity)
        return lam_fail(LAM_ERR_ARGUMENT, "%zu rows through an image net that was made for up to %zu", rows, net->capacity);
    net->batch = lam_net_batch(net->pool, net->comm, rows);
    lam_range own = lam_batch_own_rows(&net->batch);
    job j = { .net = net, .params = params };
    LAM_TRY(run_stages(&j, pack_stage, "packing weights"));
    for (size_t k = 0, end; k < layers; k = end) {
        lam_stage *stage = &net->stage[k];
        if (stage->dense) {
            const lam_net_layer *l = stage->layer;
            end = k + 1;
            if (k == 0)
                memcpy(stage->in + own.first * l->in_count, x + own.first * l->in_count, (own.end - own.first) * l->in_count * sizeof *x);
            LAM_TRY(lam_dense_forward(net, stage, params));
            if (end == layers)
                turn(own, l->out, pixels_out(l), stage->out, y);
            continue;
        }
        end = run_end(net, k);
        const lam_net_layer *l = net->stage[end - 1].layer;
        lam_conv_run run = { .first = k, .end = end, .x = k == 0 ? x : stage[-1].out };
        run.y = end == layers ? y : net->stage[end].in;
        run.stride_c = end == layers ? 1 : pixels_out(l);
        run.stride_p = end == layers ? l->out : 1;
        LAM_TRY(lam_conv_run_forward(net, &run));
    }
    return LAM_OK;
}

lam_status lam_net_backward(lam_net *net, const float *params, const float *g_y, float *const *part, float *g_x)
{
    size_t layers = net->shape.layers, turns = 0;
    const float *g = g_y; /* of the output of stage end - 1 */
    if (g_x != NULL && !net->input_gradient)
        return lam_fail(LAM_ERR_ARGUMENT, "an image net made without input_gradient was asked for one");
    for (size_t end = layers, first; end > 0; end = first) {
        lam_stage *top = &net->stage[end - 1];
        const lam_net_layer *l = top->layer;
        first = top->dense ? end - 1 : run_first(net, end);
        if (top->dense && end == layers && pixels_out(l) > 1) {
            float *plain = net->between[turns++ % 2];
            turn(lam_batch_own_rows(&net->batch), pixels_out(l), l->out, g_y, plain);
            g = plain;
        }
        float *below = first == 0 ? g_x : net->between[turns++ % 2];
        if (top->dense) {
            LAM_TRY(lam_dense_backward(net, top, params, g, part, below));
        } else {
            lam_conv_run run = { .first = first, .end = end, .g_y = g, .g_x = below };
            run.stride_c = end == layers ? 1 : pixels_out(l);
            run.stride_p = end == layers ? l->out : 1;
            LAM_TRY(lam_conv_run_backward(net, &run));
        }
        g = below;
    }
    job j = { .net = net };
    return net->sums_floats > 0 ? add_groups(&j, part) : LAM_OK;
}
