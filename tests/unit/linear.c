/* The large linear map against three plain loops: slices that do not fill, short tiles, odd widths; bits for any number of
 * threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define LAM_WIDTH 64
#include "base/mem.h"
#include "base/random.h"
#include "vae/linear.h"
#include <math.h>
#include <string.h>

typedef struct sizes {
    size_t rows, in, out;
} sizes;

typedef struct problem {
    sizes s;
    lam_batch batch;
    double *params, *x, *a, *g_a, *grad, *g_x;
} problem;

static double *drawn(uint64_t stream, size_t n)
{
    double *v = lam_alloc(n, sizeof *v);
    assert_non_null(v);
    lam_random_normal_row(3, LAM_DRAW_TEST, stream, 0, v, n);
    return v;
}

/* Planes whose lanes past the batch hold zeros, as those of a solve do. */
static double *planes(uint64_t stream, const problem *p, size_t features)
{
    double *v = drawn(stream, p->batch.tiles * features * LAM_TILE);
    for (size_t tile = 0; tile < p->batch.tiles; tile++)
        for (size_t f = 0; f < features; f++)
            for (size_t r = lam_batch_tile_rows(&p->batch, tile); r < LAM_TILE; r++)
                v[(tile * features + f) * LAM_TILE + r] = 0;
    return v;
}

static void solve(problem *p, size_t threads)
{
    const lam_kernels_f64 *kernels;
    lam_linear_f64 *map;
    assert_int_equal(lam_kernels_get_f64("auto", &kernels), LAM_OK);
    size_t tiles = (p->s.rows + LAM_TILE - 1) / LAM_TILE;
    p->batch = (lam_batch) { .rows = p->s.rows, .tiles = tiles, .groups = tiles, .lanes = kernels->lanes };
    assert_int_equal(lam_pool_create(threads, &p->batch.pool), LAM_OK);
    p->params = drawn(1, p->s.out * p->s.in + p->s.out);
    p->x = planes(2, p, p->s.in);
    p->g_a = planes(3, p, p->s.out);
    p->g_x = planes(4, p, p->s.in);
    p->a = lam_alloc(tiles * p->s.out * LAM_TILE, sizeof(double));
    p->grad = lam_alloc(p->s.out * p->s.in + p->s.out, sizeof(double));
    assert_int_equal(lam_linear_create_f64(kernels, &p->batch, p->s.in, p->s.out, &map), LAM_OK);
    lam_linear_forward_f64(map, &p->batch, p->params, p->x, p->a);
    lam_linear_reverse_f64(map, &p->batch, p->params, p->x, p->g_a, &p->grad, p->g_x);
    lam_linear_free_f64(map);
}

static void clear(problem *p)
{
    lam_pool_free(p->batch.pool);
    double *all[] = { p->params, p->x, p->a, p->g_a, p->grad, p->g_x };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        lam_free(all[i]);
}

static double at(const problem *p, const double *v, size_t features, size_t row, size_t f)
{
    (void)p;
    return v[(row / LAM_TILE * features + f) * LAM_TILE + row % LAM_TILE];
}

/* Sums of n products of order one, rounded n times. */
static void assert_near(double got, double expected, size_t n)
{
    if (!(fabs(got - expected) <= 2.3e-16 * (double)n * (4 + sqrt((double)n))))
        fail_msg("%.17g, expected %.17g", got, expected);
}

static void check(sizes s)
{
    problem p = { .s = s };
    solve(&p, 2);
    double *start = planes(4, &p, s.in);
    for (size_t row = 0; row < s.rows; row++) {
        for (size_t o = 0; o < s.out; o += 7) {
            double sum = p.params[s.out * s.in + o];
            for (size_t i = 0; i < s.in; i++)
                sum += p.params[o * s.in + i] * at(&p, p.x, s.in, row, i);
            assert_near(at(&p, p.a, s.out, row, o), sum, s.in);
        }
        for (size_t i = 0; i < s.in; i += 5) {
            double sum = at(&p, start, s.in, row, i);
            for (size_t o = 0; o < s.out; o++)
                sum += p.params[o * s.in + i] * at(&p, p.g_a, s.out, row, o);
            assert_near(at(&p, p.g_x, s.in, row, i), sum, s.out);
        }
    }
    for (size_t o = 0; o < s.out; o += 3) {
        double bias = 0;
        for (size_t row = 0; row < s.rows; row++)
            bias += at(&p, p.g_a, s.out, row, o);
        assert_near(p.grad[s.out * s.in + o], bias, s.rows);
        for (size_t i = 0; i < s.in; i += 5) {
            double sum = 0;
            for (size_t row = 0; row < s.rows; row++)
                sum += at(&p, p.g_a, s.out, row, o) * at(&p, p.x, s.in, row, i);
            assert_near(p.grad[o * s.in + i], sum, s.rows);
        }
    }
    lam_free(start);
    clear(&p);
}

static void agrees_with_plain_loops(void **state)
{
    (void)state;
    const sizes all[] = { { 1, 1, 1 }, { 7, 5, 13 }, { 100, 67, 961 }, { 64, 256, 1920 }, { 130, 33, 2003 } };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        check(all[i]);
}

static void threads_change_no_bit(void **state)
{
    (void)state;
    problem one = { .s = { 100, 48, 17000 } }, three = one; /* more slices than groups */
    solve(&one, 1);
    solve(&three, 3);
    assert_memory_equal(one.a, three.a, one.batch.tiles * one.s.out * LAM_TILE * sizeof(double));
    assert_memory_equal(one.grad, three.grad, (one.s.out * one.s.in + one.s.out) * sizeof(double));
    assert_memory_equal(one.g_x, three.g_x, one.batch.tiles * one.s.in * LAM_TILE * sizeof(double));
    clear(&one);
    clear(&three);
}

static void no_outputs_are_no_work(void **state)
{
    (void)state;
    problem p = { .s = { 10, 4, 0 } };
    solve(&p, 1);
    double *start = planes(4, &p, 4);
    assert_memory_equal(p.g_x, start, 4 * LAM_TILE * sizeof(double));
    lam_free(start);
    clear(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_plain_loops),
        cmocka_unit_test(threads_change_no_bit),
        cmocka_unit_test(no_outputs_are_no_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
