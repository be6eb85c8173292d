/* One row after the other, every sum as it is written. Kept of a layer, a row: f, and of a gated one g and s = sigmoid(g), then
 * out = f s; each [channels][pixels]. */
#include "vae/plain.h"
#include "base/mem.h"
#include <math.h>
#include <string.h>

#if LAM_WIDTH == 32
#define EXP expf
#else
#define EXP exp
#endif

/* Calls `visit` for every product of a weight: small[a, ys, xs] with large[b, yl, xl], where yl = ys stride + ky - padding. A
 * convolution goes from large to small, a transposed one from small to large, and its weights are [a, b, ky, kx] as well. */
typedef struct span {
    size_t small[2], large[2];
    size_t a, b;
    const lam_net_layer *l;
} span;

static span span_of(const lam_net_layer *l)
{
    span s = { .l = l, .a = l->out, .b = l->in };
    memcpy(s.small, l->out_size, sizeof s.small);
    memcpy(s.large, l->in_size, sizeof s.large);
    if (l->kind == LAM_NET_TRANSPOSED) {
        s.a = l->in;
        s.b = l->out;
        memcpy(s.small, l->in_size, sizeof s.small);
        memcpy(s.large, l->out_size, sizeof s.large);
    }
    return s;
}

typedef enum direction {
    TO_SMALL, /* small += W large */
    TO_LARGE, /* large += W' small */
    TO_WEIGHT, /* W += small large' */
} direction;

/* One line of one kernel tap. */
static void line(direction way, size_t n, size_t stride, real *weight, real *small, real *large)
{
    real sum = 0;
    for (size_t x = 0; x < n; x++) {
        if (way == TO_SMALL)
            small[x] += *weight * large[x * stride];
        else if (way == TO_LARGE)
            large[x * stride] += *weight * small[x];
        else
            sum += small[x] * large[x * stride];
    }
    if (way == TO_WEIGHT)
        *weight += sum;
}

/* The positions x of a small line whose x stride + k - padding lies within the large one: from *first up to the value returned. */
static size_t reach(const lam_net_layer *l, size_t k, size_t small, size_t large, size_t *first)
{
    size_t end = *first = k >= l->padding ? 0 : (l->padding - k + l->stride - 1) / l->stride;
    while (end < small && end * l->stride + k < large + l->padding)
        end++;
    return end;
}

/* Tap by tap: most of those of a small image reach nothing, and are passed over once for all channels. */
static void convolve(direction way, const span *s, real *weight, real *small, real *large)
{
    const lam_net_layer *l = s->l;
    size_t taps = l->kernel[0] * l->kernel[1];
    for (size_t tap = 0; tap < taps; tap++) {
        size_t ky = tap / l->kernel[1], kx = tap % l->kernel[1], first_x, first_y;
        size_t end_x = reach(l, kx, s->small[1], s->large[1], &first_x), end_y = reach(l, ky, s->small[0], s->large[0], &first_y);
        if (end_x <= first_x || end_y <= first_y)
            continue;
        for (size_t a = 0; a < s->a; a++)
            for (size_t b = 0; b < s->b; b++)
                for (size_t y = first_y; y < end_y; y++) {
                    size_t yl = y * l->stride + ky - l->padding, xl = first_x * l->stride + kx - l->padding;
                    line(way, end_x - first_x, l->stride, weight + (a * s->b + b) * taps + tap,
                        small + (a * s->small[0] + y) * s->small[1] + first_x, large + (b * s->large[0] + yl) * s->large[1] + xl);
                }
    }
}

/* f or g of one row: out = bias + W x */
static void map(const lam_net_layer *l, const real *params, size_t gate, const real *x, real *out)
{
    span s = span_of(l);
    size_t pixels = l->out_size[0] * l->out_size[1];
    for (size_t i = 0; i < l->out_count; i++)
        out[i] = params[l->bias[gate] + i / pixels];
    /* only what `way` names is written to */
    if (l->kind == LAM_NET_TRANSPOSED)
        convolve(TO_LARGE, &s, (real *)(params + l->weight[gate]), (real *)x, out);
    else
        convolve(TO_SMALL, &s, (real *)(params + l->weight[gate]), out, (real *)x);
}

/* Its reverse: gradients of weights and bias +=, g_x += (or NULL) */
static void map_reverse(const lam_net_layer *l, const real *params, size_t gate, const real *x, const real *g, real *g_params,
    real *g_x)
{
    span s = span_of(l);
    size_t pixels = l->out_size[0] * l->out_size[1];
    int transposed = l->kind == LAM_NET_TRANSPOSED;
    for (size_t i = 0; i < l->out_count; i++)
        g_params[l->bias[gate] + i / pixels] += g[i];
    convolve(TO_WEIGHT, &s, g_params + l->weight[gate], (real *)(transposed ? x : g), (real *)(transposed ? g : x));
    if (g_x == NULL)
        return;
    real *weight = (real *)(params + l->weight[gate]);
    if (transposed)
        convolve(TO_SMALL, &s, weight, g_x, (real *)g);
    else
        convolve(TO_LARGE, &s, weight, (real *)g, g_x);
}

static real sigmoid(real a)
{
    return a >= 0 ? 1 / (1 + EXP(-a)) : EXP(a) / (1 + EXP(a));
}

/* [channels][pixels] <-> [pixels][channels] */
static void turn(size_t rows, size_t columns, const real *from, real *to)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++)
            to[c * rows + r] = from[r * columns + c];
}

lam_status lam_plain_forward(const lam_net_shape *shape, const real *params, const real *x, size_t rows, real *keep, real *y)
{
    const lam_net_layer *last = &shape->layer[shape->layers - 1];
    for (size_t r = 0; r < rows; r++) {
        const real *in = x + r * shape->in_count;
        for (size_t k = 0; k < shape->layers; k++) {
            const lam_net_layer *l = &shape->layer[k];
            size_t n = l->out_count;
            real *f = keep, *s = keep + n, *out = l->gated ? keep + 2 * n : keep;
            map(l, params, 0, in, f);
            if (l->gated) {
                map(l, params, 1, in, s);
                for (size_t i = 0; i < n; i++) {
                    s[i] = sigmoid(s[i]);
                    out[i] = f[i] * s[i];
                }
            }
            keep = out + n;
            in = out;
        }
        turn(last->out, last->out_count / last->out, in, y + r * shape->out_count);
    }
    return LAM_OK;
}

/* Through one layer of one row: g, the cotangents of out, becomes those of f (in place); of_g [out_count] is scratch. */
static void layer_reverse(const lam_net_layer *l, const real *params, const real *in, const real *kept, real *g, real *of_g,
    real *g_params, real *g_x)
{
    size_t n = l->out_count;
    if (g_x != NULL)
        memset(g_x, 0, l->in_count * sizeof *g_x);
    if (l->gated) {
        const real *f = kept, *s = kept + n;
        for (size_t i = 0; i < n; i++) {
            of_g[i] = g[i] * f[i] * s[i] * (1 - s[i]);
            g[i] *= s[i];
        }
        map_reverse(l, params, 1, in, of_g, g_params, g_x);
    }
    map_reverse(l, params, 0, in, g, g_params, g_x);
}

lam_status lam_plain_backward(const lam_net_shape *shape, const real *params, const real *x, size_t rows, const real *keep,
    const real *g_y, real *g_params, real *g_x)
{
    const lam_net_layer *last = &shape->layer[shape->layers - 1];
    size_t kept = lam_plain_kept(shape), widest = shape->in_count;
    for (size_t k = 0; k < shape->layers; k++)
        widest = shape->layer[k].out_count > widest ? shape->layer[k].out_count : widest;
    real *scratch = lam_alloc(3 * widest, sizeof *scratch);
    if (scratch == NULL)
        return LAM_ERR_MEMORY;
    for (size_t r = 0; r < rows; r++) {
        real *g = scratch, *below = scratch + widest;
        const real *at = keep + (r + 1) * kept;
        turn(last->out_count / last->out, last->out, g_y + r * shape->out_count, g);
        for (size_t k = shape->layers; k-- > 0;) {
            const lam_net_layer *l = &shape->layer[k];
            at -= l->out_count * (l->gated ? 3 : 1);
            const real *in = k == 0 ? x + r * shape->in_count : at - shape->layer[k - 1].out_count;
            int wanted = k > 0 || g_x != NULL;
            layer_reverse(l, params, in, at, g, scratch + 2 * widest, g_params, wanted ? below : NULL);
            real *swap = g;
            g = below;
            below = swap;
        }
        if (g_x != NULL)
            memcpy(g_x + r * shape->in_count, g, shape->in_count * sizeof *g);
    }
    lam_free(scratch);
    return LAM_OK;
}
