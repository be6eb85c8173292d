/* The image nets against PyTorch's convolutions (bench/vae_vectors.py): the plain ones in double, the fast ones in float.
 *
 *     test_vae_golden FILE...     other files of that kind */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#define LAM_WIDTH 64
#include "data/npy.h"
#include "nets.h"
#include "vae/plain.h"

static const char *path;

typedef struct golden {
    lam_net_shape shape;
    size_t rows;
    lam_array params, x, y, g_y, g_params, g_x;
} golden;

static lam_array array(const lam_npz *npz, const char *name)
{
    lam_array a = { 0 };
    if (lam_npz_read(npz, name, &a) != LAM_OK)
        fail_msg("%s: %s", path, lam_last_error());
    return a;
}

static golden open_file(void)
{
    lam_npz *npz;
    if (lam_npz_open(path, &npz) != LAM_OK)
        fail_msg("%s", lam_last_error());
    golden g = { .params = array(npz, "params"), .x = array(npz, "x"), .y = array(npz, "y"), .g_y = array(npz, "g_y"),
        .g_params = array(npz, "g_params"), .g_x = array(npz, "g_x") };
    lam_array table = array(npz, "table"), size = array(npz, "size");
    lam_net_row rows[LAM_NET_MAX_LAYERS] = { 0 };
    assert_true(table.shape[0] <= LAM_NET_MAX_LAYERS && table.shape[1] == 9);
    for (size_t k = 0; k < table.shape[0]; k++) {
        const double *t = table.values + 9 * k;
        rows[k] = (lam_net_row) { "layer", (lam_net_kind)t[0], (size_t)t[1], (size_t)t[2], { (size_t)t[3], (size_t)t[4] }, (size_t)t[5],
            (size_t)t[6], (size_t)t[7], t[8] != 0 };
    }
    assert_int_equal(lam_net_shape_init(&g.shape, rows, table.shape[0], (size_t)size.values[0], (size_t)size.values[1]), LAM_OK);
    g.rows = g.x.shape[0];
    assert_int_equal(g.params.size, g.shape.parameters);
    assert_int_equal(g.y.size, g.rows * g.shape.out_count);
    lam_array_clear(&table);
    lam_array_clear(&size);
    lam_npz_free(npz);
    return g;
}

static void close_file(golden *g)
{
    lam_array *all[] = { &g->params, &g->x, &g->y, &g->g_y, &g->g_params, &g->g_x };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        lam_array_clear(all[i]);
}

/* Relative to the largest number. */
static void check(const char *what, const double *got, const lam_array *want, double bound)
{
    double worst = 0, largest = 0;
    for (size_t i = 0; i < want->size; i++) {
        double off = fabs(got[i] - want->values[i]);
        worst = off > worst || isnan(off) ? off : worst;
        largest = fmax(largest, fabs(want->values[i]));
    }
    if (!(worst <= bound * largest))
        fail_msg("%s: %s is off by %.3g, the largest is %.3g", path, what, worst, largest);
}

static double *doubles(size_t n)
{
    double *p = lam_alloc(n, sizeof *p);
    assert_non_null(p);
    return p;
}

/* Sums of thousands of products in another order: 1e-13 or less. */
static void plain_in_double(void **state)
{
    golden g = open_file();
    double *keep = doubles(g.rows * lam_plain_kept(&g.shape)), *y = doubles(g.y.size), *g_x = doubles(g.x.size), *g_params = doubles(g.params.size);
    (void)state;
    assert_int_equal(lam_plain_forward_f64(&g.shape, g.params.values, g.x.values, g.rows, keep, y), LAM_OK);
    assert_int_equal(
        lam_plain_backward_f64(&g.shape, g.params.values, g.x.values, g.rows, keep, g.g_y.values, g_params, g_x), LAM_OK);
    check("y", y, &g.y, 1e-12);
    check("g_params", g_params, &g.g_params, 1e-12);
    check("g_x", g_x, &g.g_x, 1e-12);
    lam_free(keep), lam_free(y), lam_free(g_x), lam_free(g_params);
    close_file(&g);
}

static float *floats(const lam_array *a)
{
    float *p = lam_alloc(a->size, sizeof *p);
    assert_non_null(p);
    for (size_t i = 0; i < a->size; i++)
        p[i] = (float)a->values[i];
    return p;
}

static void check_floats(const char *what, const float *got, const lam_array *want)
{
    double *wide = net_doubles(got, want->size);
    check(what, wide, want, 5e-6); /* as in unit/vae_net.c */
    lam_free(wide);
}

static void fast_in_float(void **state)
{
    golden g = open_file();
    lam_pool *pool;
    lam_net *net;
    (void)state;
    assert_int_equal(lam_pool_create(2, &pool), LAM_OK);
    lam_status status = lam_net_create(&g.shape, pool, NULL, "auto", g.rows, 1, &net);
    if (status == LAM_ERR_UNSUPPORTED) {
        lam_pool_free(pool);
        close_file(&g);
        skip();
    }
    assert_int_equal(status, LAM_OK);
    float *params = floats(&g.params), *x = floats(&g.x), *y = floats(&g.y), *g_y = floats(&g.g_y), *g_x = floats(&g.g_x);
    float *g_params = lam_alloc(g.params.size, sizeof *g_params);
    memset(y, 0, g.y.size * sizeof *y), memset(g_x, 0, g.x.size * sizeof *g_x);
    assert_int_equal(lam_net_forward(net, params, x, g.rows, y), LAM_OK);
    assert_int_equal(lam_net_backward(net, params, g_y, &g_params, g_x), LAM_OK);
    check_floats("y", y, &g.y);
    check_floats("g_params", g_params, &g.g_params);
    check_floats("g_x", g_x, &g.g_x);
    lam_free(params), lam_free(x), lam_free(y), lam_free(g_y), lam_free(g_x), lam_free(g_params);
    lam_net_free(net);
    lam_pool_free(pool);
    close_file(&g);
}

int main(int argc, char **argv)
{
    static char own[] = LAM_VECTORS "/vae/down_and_up.npz";
    const struct CMUnitTest tests[] = { cmocka_unit_test(plain_in_double), cmocka_unit_test(fast_in_float) };
    int failed = 0;
    for (int i = 1; i < (argc > 1 ? argc : 2); i++) {
        path = argc > 1 ? argv[i] : own;
        failed += cmocka_run_group_tests(tests, NULL, NULL);
    }
    return failed;
}
