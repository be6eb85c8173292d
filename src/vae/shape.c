/* Works out the layers of an image net and where their parameters are. */
#include "vae/shape.h"
#include "base/error.h"
#include "base/random.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static void add_tensor(lam_net_shape *s, const char *name, const char *end, size_t dims, const size_t *sizes, size_t fan_in)
{
    lam_net_tensor *t = &s->tensor[s->tensors++];
    snprintf(t->name, sizeof t->name, "%s.%s", name, end);
    t->dims = dims;
    t->offset = s->parameters;
    t->count = 1;
    t->fan_in = fan_in;
    for (size_t i = 0; i < dims; i++) {
        t->shape[i] = sizes[i];
        t->count *= sizes[i];
    }
    s->parameters += t->count;
}

static void add_tensors(lam_net_shape *s, lam_net_layer *l, const char *name)
{
    static const char *const plain[] = { "weight", "bias" }, *const gated[] = { "h.weight", "h.bias", "g.weight", "g.bias" };
    int transposed = l->kind == LAM_NET_TRANSPOSED;
    size_t area = l->kernel[0] * l->kernel[1];
    size_t sizes[4] = { transposed ? l->in : l->out, transposed ? l->out : l->in, l->kernel[0], l->kernel[1] };
    l->fan_in = sizes[1] * area;
    l->weights = l->in * l->out * area;
    for (size_t gate = 0; gate < (l->gated ? 2 : 1); gate++) {
        const char *const *ends = l->gated ? gated + 2 * gate : plain;
        l->weight[gate] = s->parameters;
        add_tensor(s, name, ends[0], l->kind == LAM_NET_LINEAR ? 2 : 4, sizes, l->fan_in);
        l->bias[gate] = s->parameters;
        add_tensor(s, name, ends[1], 1, &l->out, l->fan_in);
    }
}

/* Height or width of what a layer makes of `in`; 0 where the kernel does not fit. */
static size_t size_out(const lam_net_row *row, size_t in, size_t kernel)
{
    size_t around = 2 * row->padding;
    if (row->kind == LAM_NET_TRANSPOSED) {
        size_t whole = (in - 1) * row->stride + kernel + row->output_padding;
        return whole > around ? whole - around : 0;
    }
    return in + around >= kernel ? (in + around - kernel) / row->stride + 1 : 0;
}

static lam_status check_row(const lam_net_row *row)
{
    int transposed = row->kind == LAM_NET_TRANSPOSED;
    if (row->in == 0 || row->out == 0 || row->kernel[0] == 0 || row->kernel[1] == 0 || row->stride == 0)
        return lam_fail(LAM_ERR_ARGUMENT, "layer %s: channels, kernel and stride are at least 1", row->name);
    if (row->padding >= row->kernel[0] || row->padding >= row->kernel[1])
        return lam_fail(LAM_ERR_ARGUMENT, "layer %s: padding %zu is as large as the kernel", row->name, row->padding);
    if (row->output_padding > 0 && (!transposed || row->output_padding >= row->stride || row->output_padding > row->padding))
        return lam_fail(LAM_ERR_ARGUMENT,
            "layer %s: output padding belongs to transposed convolutions, below their stride and within their padding", row->name);
    if (row->kind == LAM_NET_LINEAR
        && (row->kernel[0] != 1 || row->kernel[1] != 1 || row->stride != 1 || row->padding != 0))
        return lam_fail(LAM_ERR_ARGUMENT, "layer %s: a linear map has kernel 1 and stride 1", row->name);
    return LAM_OK;
}

static lam_status add_layer(lam_net_shape *s, const lam_net_row *row, const size_t size[2])
{
    LAM_TRY(check_row(row));
    lam_net_layer *l = &s->layer[s->layers];
    *l = (lam_net_layer) { .kind = row->kind, .in = row->in, .out = row->out, .kernel = { row->kernel[0], row->kernel[1] },
        .stride = row->stride, .padding = row->padding, .output_padding = row->output_padding, .gated = row->gated };
    if (s->layers > 0 && l[-1].out != l->in)
        return lam_fail(LAM_ERR_ARGUMENT, "layer %s takes %zu channels, the layer before it makes %zu", row->name, l->in, l[-1].out);
    for (int axis = 0; axis < 2; axis++) {
        l->in_size[axis] = size[axis];
        l->out_size[axis] = size_out(row, size[axis], l->kernel[axis]);
        if (l->out_size[axis] == 0)
            return lam_fail(LAM_ERR_ARGUMENT, "layer %s: a kernel of %zu does not fit %zu pixels", row->name, l->kernel[axis], size[axis]);
    }
    if (l->kind == LAM_NET_LINEAR && size[0] * size[1] != 1)
        return lam_fail(LAM_ERR_ARGUMENT, "layer %s: a linear map takes one pixel, not %zu x %zu", row->name, size[0], size[1]);
    l->in_count = l->in * l->in_size[0] * l->in_size[1];
    l->out_count = l->out * l->out_size[0] * l->out_size[1];
    add_tensors(s, l, row->name);
    s->layers++;
    return LAM_OK;
}

lam_status lam_net_shape_init(lam_net_shape *s, const lam_net_row *rows, size_t n, size_t height, size_t width)
{
    size_t size[2] = { height, width };
    memset(s, 0, sizeof *s);
    if (n == 0 || n > LAM_NET_MAX_LAYERS)
        return lam_fail(LAM_ERR_ARGUMENT, "%zu layers; a net has 1 to %d", n, LAM_NET_MAX_LAYERS);
    if (height == 0 || width == 0)
        return lam_fail(LAM_ERR_ARGUMENT, "a net takes at least one pixel, not %zu x %zu", height, width);
    for (size_t k = 0; k < n; k++) {
        LAM_TRY(add_layer(s, &rows[k], size));
        memcpy(size, s->layer[k].out_size, sizeof size);
    }
    s->in_count = s->layer[0].in_count;
    s->out_count = s->layer[n - 1].out_count;
    return LAM_OK;
}

/* ---- the nets of method.md 9 -------------------------------------------------------------------------------------- */

static lam_status check_image(size_t height, size_t width)
{
    if (height == 0 || width == 0 || height % 4 != 0 || width % 4 != 0)
        return lam_fail(LAM_ERR_ARGUMENT, "images of %zu x %zu pixels: height and width must be multiples of 4 (the nets halve them twice)",
            height, width);
    return LAM_OK;
}

lam_status lam_net_encoder(lam_net_shape *shape, size_t height, size_t width)
{
    const lam_net_row rows[] = {
        { "q_z_nn.0", LAM_NET_CONV, 1, 32, { 5, 5 }, 1, 2, 0, 1 },
        { "q_z_nn.1", LAM_NET_CONV, 32, 32, { 5, 5 }, 2, 2, 0, 1 },
        { "q_z_nn.2", LAM_NET_CONV, 32, 64, { 5, 5 }, 1, 2, 0, 1 },
        { "q_z_nn.3", LAM_NET_CONV, 64, 64, { 5, 5 }, 2, 2, 0, 1 },
        { "q_z_nn.4", LAM_NET_CONV, 64, 64, { 5, 5 }, 1, 2, 0, 1 },
        { "q_z_nn.5", LAM_NET_CONV, 64, LAM_VAE_FEATURES, { height / 4, width / 4 }, 1, 0, 0, 1 },
    };
    LAM_TRY(check_image(height, width));
    return lam_net_shape_init(shape, rows, sizeof rows / sizeof *rows, height, width);
}

lam_status lam_net_decoder(lam_net_shape *shape, size_t z, size_t height, size_t width, size_t levels)
{
    const lam_net_row rows[] = {
        { "p_x_nn.0", LAM_NET_TRANSPOSED, z, 64, { height / 4, width / 4 }, 1, 0, 0, 1 },
        { "p_x_nn.1", LAM_NET_TRANSPOSED, 64, 64, { 5, 5 }, 1, 2, 0, 1 },
        { "p_x_nn.2", LAM_NET_TRANSPOSED, 64, 32, { 5, 5 }, 2, 2, 1, 1 },
        { "p_x_nn.3", LAM_NET_TRANSPOSED, 32, 32, { 5, 5 }, 1, 2, 0, 1 },
        { "p_x_nn.4", LAM_NET_TRANSPOSED, 32, 32, { 5, 5 }, 2, 2, 1, 1 },
        { "p_x_nn.5", LAM_NET_TRANSPOSED, 32, 32, { 5, 5 }, 1, 2, 0, 1 },
        { "p_x_mean.0", LAM_NET_CONV, 32, 1, { 1, 1 }, 1, 0, 0, 0 }, /* binary: a logit */
        { "p_x_mean.0", LAM_NET_CONV, 32, 256, { 5, 5 }, 1, 2, 0, 0 }, /* levels */
        { "p_x_mean.1", LAM_NET_CONV, 256, levels, { 1, 1 }, 1, 0, 0, 0 },
    };
    enum { COMMON = 6 };
    lam_net_row chosen[COMMON + 2];
    LAM_TRY(check_image(height, width));
    if (levels < 2)
        return lam_fail(LAM_ERR_ARGUMENT, "pixels of %zu levels: 2 (binary) or more", levels);
    memcpy(chosen, rows, COMMON * sizeof *rows);
    memcpy(chosen + COMMON, rows + COMMON + (levels > 2), (levels > 2 ? 2 : 1) * sizeof *rows);
    return lam_net_shape_init(shape, chosen, COMMON + (levels > 2 ? 2 : 1), 1, 1);
}

lam_status lam_net_linear(lam_net_shape *shape, const char *name, size_t in, size_t out)
{
    const lam_net_row row = { name, LAM_NET_LINEAR, in, out, { 1, 1 }, 1, 0, 0, 0 };
    return lam_net_shape_init(shape, &row, 1, 1, 1);
}

void lam_net_initial(const lam_net_shape *shape, uint64_t seed, uint64_t first, float *params)
{
    for (size_t k = 0; k < shape->tensors; k++) {
        const lam_net_tensor *t = &shape->tensor[k];
        double bound = 1 / sqrt((double)t->fan_in);
        for (size_t at = t->offset; at < t->offset + t->count; at++)
            params[at] = (float)(bound * (2 * lam_random_uniform(seed, LAM_DRAW_INIT, first + at, 0) - 1));
    }
}
