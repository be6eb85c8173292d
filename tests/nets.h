/* Image nets under test: tables that take in every kind of layer and every neighbourhood of them, and arrays to run them with. */
#ifndef LAM_TESTS_NETS_H
#define LAM_TESTS_NETS_H
#include "base/mem.h"
#include "base/random.h"
#include "vae/net.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct net_case {
    const char *name;
    size_t size[2];
    lam_net_row row[LAM_NET_MAX_LAYERS]; /* up to the first without a name */
} net_case;

/* kind, channels in and out, kernel, stride, padding, output padding, gated */
static const net_case net_cases[] = {
    { "conv", { 6, 5 }, { { "a", LAM_NET_CONV, 3, 4, { 3, 3 }, 1, 1, 0, 0 } } },
    { "conv gated", { 6, 5 }, { { "a", LAM_NET_CONV, 1, 18, { 5, 5 }, 1, 2, 0, 1 } } },
    { "conv stride 2", { 8, 6 }, { { "a", LAM_NET_CONV, 17, 5, { 5, 5 }, 2, 2, 0, 1 } } },
    { "conv stride 2, odd", { 7, 5 }, { { "a", LAM_NET_CONV, 2, 3, { 4, 3 }, 2, 1, 0, 1 } } },
    { "conv 1x1", { 4, 3 }, { { "a", LAM_NET_CONV, 20, 6, { 1, 1 }, 1, 0, 0, 0 } } },
    { "conv of the whole", { 4, 3 }, { { "a", LAM_NET_CONV, 3, 5, { 4, 3 }, 1, 0, 0, 1 } } },
    { "transposed", { 5, 4 }, { { "a", LAM_NET_TRANSPOSED, 3, 4, { 5, 5 }, 1, 2, 0, 0 } } },
    { "transposed stride 2", { 3, 4 }, { { "a", LAM_NET_TRANSPOSED, 18, 3, { 5, 5 }, 2, 2, 1, 1 } } },
    { "transposed, no output padding", { 3, 4 }, { { "a", LAM_NET_TRANSPOSED, 3, 17, { 4, 3 }, 2, 1, 0, 1 } } },
    { "transposed of one pixel", { 1, 1 }, { { "a", LAM_NET_TRANSPOSED, 7, 5, { 4, 3 }, 1, 0, 0, 1 } } },
    { "linear", { 1, 1 }, { { "a", LAM_NET_LINEAR, 9, 4, { 1, 1 }, 1, 0, 0, 0 } } },
    { "linear gated", { 1, 1 }, { { "a", LAM_NET_LINEAR, 9, 4, { 1, 1 }, 1, 0, 0, 1 } } },
    { "down and up", { 8, 6 },
        { { "a", LAM_NET_CONV, 2, 5, { 3, 3 }, 1, 1, 0, 1 }, { "b", LAM_NET_CONV, 5, 20, { 5, 5 }, 2, 2, 0, 1 },
            { "c", LAM_NET_CONV, 20, 9, { 4, 3 }, 1, 0, 0, 1 }, { "d", LAM_NET_LINEAR, 9, 11, { 1, 1 }, 1, 0, 0, 0 },
            { "e", LAM_NET_TRANSPOSED, 11, 6, { 4, 3 }, 1, 0, 0, 1 }, { "f", LAM_NET_TRANSPOSED, 6, 4, { 5, 5 }, 2, 2, 1, 1 },
            { "g", LAM_NET_CONV, 4, 19, { 3, 3 }, 1, 1, 0, 0 }, { "h", LAM_NET_CONV, 19, 3, { 1, 1 }, 1, 0, 0, 0 } } },
    { "linear maps last", { 4, 4 },
        { { "a", LAM_NET_CONV, 3, 4, { 3, 3 }, 1, 1, 0, 0 }, { "b", LAM_NET_CONV, 4, 6, { 4, 4 }, 1, 0, 0, 0 },
            { "c", LAM_NET_TRANSPOSED, 6, 5, { 3, 2 }, 1, 0, 0, 1 } } },
};
enum { NET_CASES = sizeof net_cases / sizeof *net_cases };

static inline lam_net_shape net_case_shape(const net_case *c)
{
    lam_net_shape shape;
    size_t n = 0;
    while (n < LAM_NET_MAX_LAYERS && c->row[n].name != NULL)
        n++;
    assert_int_equal(lam_net_shape_init(&shape, c->row, n, c->size[0], c->size[1]), LAM_OK);
    return shape;
}

/* A net's arrays for so many rows: parameters as they start, x in [0, 1), cotangents in [-1, 1). In float and, the same
 * numbers, in double. */
typedef struct net_arrays {
    lam_net_shape shape;
    size_t rows;
    float *params, *x, *y, *g_y, *g_params, *g_x;
} net_arrays;

static inline float *net_noise(size_t n, uint64_t stream, double low)
{
    float *p = lam_alloc(n, sizeof *p);
    assert_non_null(p);
    for (size_t i = 0; i < n; i++)
        p[i] = (float)(low + (1 - low) * lam_random_uniform(3, LAM_DRAW_TEST, stream, i));
    return p;
}

static inline net_arrays net_arrays_make(const lam_net_shape *shape, size_t rows)
{
    net_arrays a = { .shape = *shape, .rows = rows };
    a.params = net_noise(shape->parameters, 0, 0);
    lam_net_initial(shape, 5, 0, a.params);
    a.x = net_noise(rows * shape->in_count, 1, 0);
    a.y = net_noise(rows * shape->out_count, 2, 0);
    a.g_y = net_noise(rows * shape->out_count, 3, -1);
    a.g_params = net_noise(shape->parameters, 4, -1); /* not 0: gradients are set */
    a.g_x = net_noise(rows * shape->in_count, 5, 0);
    return a;
}

static inline void net_arrays_free(net_arrays *a)
{
    lam_free(a->params), lam_free(a->x), lam_free(a->y), lam_free(a->g_y), lam_free(a->g_params), lam_free(a->g_x);
}

static inline double *net_doubles(const float *from, size_t n)
{
    double *p = lam_alloc(n, sizeof *p);
    assert_non_null(p);
    for (size_t i = 0; i < n; i++)
        p[i] = (double)from[i];
    return p;
}

#endif
