/* The fast image nets against the plain ones in double, and what they promise about threads. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#define LAM_WIDTH 64
#ifdef LAM_HAVE_DNNL
#include "vae/inside.h"
#endif
#include "nets.h"
#include "vae/plain.h"

#ifdef LAM_HAVE_DNNL

/* Relative to the largest number of a tensor. A float sum of K products is off by about sqrt(K) 2^-24 of its terms' size, and
 * the largest K is 14112 (weights of the last layers: the pixels of 18 rows); in a gradient the terms partly cancel, and
 * errors of up to eight layers add up. What is seen is below 2e-6; a wrong index, row or sign shows as 1e-2 and more. */
static const double BOUND = 5e-6;

static lam_pool *pool_of(size_t threads)
{
    lam_pool *pool = NULL;
    assert_int_equal(lam_pool_create(threads, &pool), LAM_OK);
    return pool;
}

static void check(const char *net, const char *what, const float *got, const double *want, size_t n)
{
    double largest = 0, worst = 0;
    for (size_t i = 0; i < n; i++) {
        double off = fabs((double)got[i] - want[i]);
        largest = fmax(largest, fabs(want[i]));
        worst = off > worst || isnan(off) ? off : worst;
    }
    if (!(worst <= BOUND * largest))
        fail_msg("%s, %s: off by %.3g, the largest is %.3g", net, what, worst, largest);
}

static void run(lam_net *net, net_arrays *a, int g_x)
{
    if (lam_net_forward(net, a->params, a->x, a->rows, a->y) != LAM_OK
        || lam_net_backward(net, a->params, a->g_y, &a->g_params, g_x ? a->g_x : NULL) != LAM_OK)
        fail_msg("%s", lam_last_error());
}

/* Rows that the plain nets compute: cotangents of the others are 0, so that the parameters' gradients are those of these. */
static int counts(size_t row, size_t rows, size_t stride)
{
    return row % stride == 0 || row + 1 == rows;
}

/* The plain nets' numbers of one row: y, g_x, and the parameters' gradients added. */
static void compare_row(const char *name, const net_arrays *a, size_t row, const double *params, double *g_params, int g_x)
{
    const lam_net_shape *s = &a->shape;
    double *x = net_doubles(a->x + row * s->in_count, s->in_count), *g_y = net_doubles(a->g_y + row * s->out_count, s->out_count);
    double *y = lam_alloc(s->out_count, sizeof *y), *below = lam_alloc(s->in_count, sizeof *below);
    double *keep = lam_alloc(lam_plain_kept(s), sizeof *keep);
    assert_int_equal(lam_plain_forward_f64(s, params, x, 1, keep, y), LAM_OK);
    assert_int_equal(lam_plain_backward_f64(s, params, x, 1, keep, g_y, g_params, below), LAM_OK);
    check(name, "y", a->y + row * s->out_count, y, s->out_count);
    if (g_x)
        check(name, "g_x", a->g_x + row * s->in_count, below, s->in_count);
    lam_free(x), lam_free(g_y), lam_free(y), lam_free(below), lam_free(keep);
}

/* A net made for `capacity` rows, run on `rows`; every stride-th row and the last are compared. */
static void compare(const char *name, const lam_net_shape *s, size_t capacity, size_t rows, size_t stride, int g_x)
{
    lam_pool *pool = pool_of(2);
    lam_net *net;
    char text[64];
    net_arrays a = net_arrays_make(s, rows);
    double *params = net_doubles(a.params, s->parameters), *g_params = lam_alloc(s->parameters, sizeof *g_params);
    snprintf(text, sizeof text, "%s, %zu of %zu rows", name, rows, capacity);
    for (size_t r = 0; r < rows; r++)
        if (!counts(r, rows, stride))
            memset(a.g_y + r * s->out_count, 0, s->out_count * sizeof *a.g_y);
    if (lam_net_create(s, pool, NULL, "auto", capacity, g_x, &net) != LAM_OK)
        fail_msg("%s: %s", text, lam_last_error());
    run(net, &a, g_x);
    for (size_t r = 0; r < rows; r++)
        if (counts(r, rows, stride))
            compare_row(text, &a, r, params, g_params, g_x);
    for (size_t k = 0; k < s->tensors; k++)
        check(text, s->tensor[k].name, a.g_params + s->tensor[k].offset, g_params + s->tensor[k].offset, s->tensor[k].count);
    lam_net_free(net);
    lam_pool_free(pool);
    lam_free(params), lam_free(g_params);
    net_arrays_free(&a);
}

static void every_kind(void **state)
{
    static const size_t rows[] = { 1, 7, 19, 100 };
    (void)state;
    for (size_t i = 0; i < NET_CASES; i++) {
        lam_net_shape shape = net_case_shape(&net_cases[i]);
        for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
            for (int g_x = 0; g_x < 2; g_x++)
                compare(net_cases[i].name, &shape, rows[k], rows[k], 1, g_x);
        compare(net_cases[i].name, &shape, 100, 65, 1, 1); /* fewer rows than it was made for: groups of 9 */
    }
}

static void encoder(void **state)
{
    lam_net_shape shape;
    (void)state;
    for (size_t width = 20; width <= 28; width += 8) {
        assert_int_equal(lam_net_encoder(&shape, 28, width), LAM_OK);
        compare("encoder", &shape, 1, 1, 1, 0);
        compare("encoder", &shape, 7, 7, 2, 0);
        compare("encoder", &shape, 100, 100, 33, 0);
    }
}

static void binary_decoder(void **state)
{
    lam_net_shape shape;
    (void)state;
    assert_int_equal(lam_net_decoder(&shape, 64, 28, 28, 2), LAM_OK);
    compare("binary decoder", &shape, 1, 1, 1, 1);
    compare("binary decoder", &shape, 7, 7, 3, 1);
    compare("binary decoder", &shape, 100, 100, 33, 1);
}

static void decoder_of_levels(void **state)
{
    lam_net_shape shape;
    (void)state;
    assert_int_equal(lam_net_decoder(&shape, 64, 28, 20, 256), LAM_OK);
    compare("decoder of levels", &shape, 1, 1, 1, 1);
    compare("decoder of levels", &shape, 7, 7, 3, 1);
    compare("decoder of levels", &shape, 100, 100, 33, 1);
}

/* ---- threads ------------------------------------------------------------------------------------------------------ */

int omp_get_max_threads(void); /* OpenMP's, as in vae/dnnl_plan.c */

static size_t threads_alive(void)
{
    DIR *folder = opendir("/proc/self/task");
    size_t n = 0;
    assert_non_null(folder);
    for (const struct dirent *d; (d = readdir(folder)) != NULL;)
        n += d->d_name[0] != '.';
    closedir(folder);
    return n;
}

/* y, gradients and g_x have the same bits, and nobody starts threads but the pool: CTest sets OMP_NUM_THREADS to 3. */
static void same_bits(const lam_net_shape *shape, size_t rows)
{
    net_arrays want = net_arrays_make(shape, rows);
    int openmp = omp_get_max_threads();
    for (size_t threads = 1; threads <= 4; threads++) {
        lam_pool *pool = pool_of(threads);
        lam_net *net;
        net_arrays got = net_arrays_make(shape, rows);
        assert_int_equal(lam_net_create(shape, pool, NULL, "auto", rows, 1, &net), LAM_OK);
        run(net, threads == 1 ? &want : &got, 1);
        assert_int_equal(threads_alive(), threads);
        assert_int_equal(omp_get_max_threads(), openmp);
        if (threads > 1) {
            assert_memory_equal(got.y, want.y, rows * shape->out_count * sizeof *got.y);
            assert_memory_equal(got.g_params, want.g_params, shape->parameters * sizeof *got.g_params);
            assert_memory_equal(got.g_x, want.g_x, rows * shape->in_count * sizeof *got.g_x);
        }
        lam_net_free(net);
        lam_pool_free(pool);
        net_arrays_free(&got);
    }
    net_arrays_free(&want);
}

static void threads(void **state)
{
    lam_net_shape shape;
    (void)state;
    assert_int_equal(lam_net_encoder(&shape, 28, 20), LAM_OK);
    same_bits(&shape, 50);
    assert_int_equal(lam_net_decoder(&shape, 64, 28, 28, 2), LAM_OK);
    same_bits(&shape, 21);
    shape = net_case_shape(&net_cases[NET_CASES - 2]);
    same_bits(&shape, 100);
}

/* ---- the rest ----------------------------------------------------------------------------------------------------- */

/* Forward twice and backward twice: nothing of an earlier, larger batch is left. */
static void batches_after_each_other(void **state)
{
    lam_net_shape shape = net_case_shape(&net_cases[NET_CASES - 2]);
    lam_pool *pool = pool_of(1);
    lam_net *net, *fresh;
    net_arrays large = net_arrays_make(&shape, 40), a = net_arrays_make(&shape, 9), b = net_arrays_make(&shape, 9);
    (void)state;
    assert_int_equal(lam_net_create(&shape, pool, NULL, "auto", 40, 1, &net), LAM_OK);
    assert_int_equal(lam_net_create(&shape, pool, NULL, "auto", 40, 1, &fresh), LAM_OK);
    assert_true(lam_net_bytes(net) > 0 && lam_net_bytes(net) == lam_net_bytes(fresh));
    run(net, &large, 1);
    run(net, &a, 1);
    run(fresh, &b, 1);
    assert_memory_equal(a.g_params, b.g_params, shape.parameters * sizeof *a.g_params);
    assert_int_equal(lam_net_backward(net, a.params, a.g_y, &a.g_params, a.g_x), LAM_OK);
    assert_int_equal(lam_net_backward(fresh, b.params, b.g_y, &b.g_params, NULL), LAM_OK);
    assert_memory_equal(a.g_params, b.g_params, shape.parameters * sizeof *a.g_params);
    assert_memory_equal(a.g_x, b.g_x, 9 * shape.in_count * sizeof *a.g_x);
    lam_net_free(net), lam_net_free(fresh);
    net_arrays_free(&large), net_arrays_free(&a), net_arrays_free(&b);
    lam_pool_free(pool);
}

static void refusals(void **state)
{
    lam_net_shape shape = net_case_shape(&net_cases[1]);
    lam_pool *pool = pool_of(1);
    lam_net *net;
    net_arrays a = net_arrays_make(&shape, 5);
    (void)state;
    assert_int_equal(lam_net_create(&shape, pool, NULL, "auto", 0, 0, &net), LAM_ERR_ARGUMENT);
    assert_null(net);
    assert_int_equal(lam_net_create(&shape, pool, NULL, "mmx", 4, 0, &net), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_net_create(&shape, pool, NULL, NULL, 4, 0, &net), LAM_OK);
    assert_int_equal(lam_net_forward(net, a.params, a.x, 5, a.y), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_net_forward(net, a.params, a.x, 4, a.y), LAM_OK);
    assert_int_equal(lam_net_backward(net, a.params, a.g_y, &a.g_params, a.g_x), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_net_forward(net, a.params, a.x, 0, a.y), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_net_backward(net, a.params, a.g_y, &a.g_params, NULL), LAM_OK);
    lam_net_free(net);
    lam_net_free(NULL);
    lam_pool_free(pool);
    net_arrays_free(&a);
}

/* oneDNN has plain loops for whatever its quick ones lack, and says nothing; for one layer's weights they took five times as long
 * as all the rest of a training step. */
static void no_plain_loops(void **state)
{
    lam_net_shape s;
    lam_net *net;
    lam_pool *pool = pool_of(1);
    (void)state;
    if ((dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx2) != dnnl_cpu_isa_avx2)
        skip();
    for (size_t side = 12; side <= 28; side += 16) {
        assert_int_equal(lam_net_encoder(&s, side, side), LAM_OK);
        assert_int_equal(lam_net_create(&s, pool, NULL, "auto", 32, 0, &net), LAM_OK);
        for (size_t k = 0; k < s.layers; k++)
            assert_int_equal(net->stage[k].conv.reference, 0);
        lam_net_free(net);
    }
    lam_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind),
        cmocka_unit_test(no_plain_loops),
        cmocka_unit_test(encoder),
        cmocka_unit_test(binary_decoder),
        cmocka_unit_test(decoder_of_levels),
        cmocka_unit_test(threads),
        cmocka_unit_test(batches_after_each_other),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

static void says_what_is_missing(void **state)
{
    lam_net_shape shape = net_case_shape(&net_cases[0]);
    lam_net *net;
    (void)state;
    assert_int_equal(lam_net_create(&shape, NULL, NULL, "auto", 1, 0, &net), LAM_ERR_UNSUPPORTED);
    assert_non_null(strstr(lam_last_error(), "libdnnl-dev"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(says_what_is_missing) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
