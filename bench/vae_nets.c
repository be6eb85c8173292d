/* Times the image nets at a batch of 100: forward, and the reverse, in milliseconds, medians. bench/vae_nets.py times PyTorch.
 *
 *     build/bench/vae_nets [threads] */
#include "base/mem.h"
#include "vae/net.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROWS = 100, TIMES = 7 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static float *noise(size_t n)
{
    float *p = lam_alloc(n, sizeof *p);
    for (size_t i = 0; p != NULL && i < n; i++)
        p[i] = (float)((i * 7919) % 1000) / 1000 - 0.5f;
    return p;
}

static lam_status time_net(const char *name, const lam_net_shape *shape, lam_pool *pool, int input_gradient)
{
    lam_net *net = NULL;
    double forward[TIMES], reverse[TIMES], start = now(), made;
    float *x = noise(ROWS * shape->in_count), *y = noise(ROWS * shape->out_count), *params = noise(shape->parameters);
    float *g = noise(shape->parameters), *g_y = noise(ROWS * shape->out_count);
    float *g_x = input_gradient ? noise(ROWS * shape->in_count) : NULL;
    if (x == NULL || y == NULL || params == NULL || g == NULL || g_y == NULL || (input_gradient && g_x == NULL))
        return LAM_ERR_MEMORY;
    lam_net_initial(shape, 1, 0, params);
    start = now();
    lam_status status = lam_net_create(shape, pool, NULL, "auto", ROWS, input_gradient, &net);
    made = now() - start;
    for (int i = 0; status == LAM_OK && i < TIMES; i++) {
        start = now();
        status = lam_net_forward(net, params, x, ROWS, y);
        forward[i] = now() - start;
        start = now();
        if (status == LAM_OK)
            status = lam_net_backward(net, params, g_y, &g, g_x);
        reverse[i] = now() - start;
    }
    if (status == LAM_OK) {
        qsort(forward, TIMES, sizeof *forward, ascending);
        qsort(reverse, TIMES, sizeof *reverse, ascending);
        printf("%-20s %8.1f %8.1f %8.1f %14.1f %8.1f\n", name, forward[TIMES / 2], reverse[TIMES / 2], forward[TIMES / 2] + reverse[TIMES / 2],
            made, (double)lam_net_bytes(net) / 1048576);
    }
    lam_net_free(net);
    lam_free(x), lam_free(y), lam_free(params), lam_free(g), lam_free(g_y), lam_free(g_x);
    return status;
}

int main(int argc, char **argv)
{
    lam_pool *pool = NULL;
    lam_net_shape shape;
    lam_status status = lam_pool_create(argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 1, &pool);
    printf("%-20s %8s %8s %8s %14s %8s\n", "ms, 100 rows", "forward", "reverse", "both", "made once", "MiB");
    static const struct { const char *name; size_t width, levels; } cases[] = { { "caltech", 28, 2 }, { "frey", 20, 256 } };
    for (size_t i = 0; status == LAM_OK && i < 2; i++) {
        char name[40];
        snprintf(name, sizeof name, "%s encoder", cases[i].name);
        status = lam_net_encoder(&shape, 28, cases[i].width);
        if (status == LAM_OK)
            status = time_net(name, &shape, pool, 0);
        snprintf(name, sizeof name, "%s decoder", cases[i].name);
        if (status == LAM_OK)
            status = lam_net_decoder(&shape, 64, 28, cases[i].width, cases[i].levels);
        if (status == LAM_OK)
            status = time_net(name, &shape, pool, 1);
    }
    lam_pool_free(pool);
    if (status != LAM_OK)
        fprintf(stderr, "vae_nets: %s\n", lam_last_error());
    return status == LAM_OK ? 0 : 1;
}
