/* The plain image nets: their tables, and their reverse against central finite differences in double. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#define LAM_WIDTH 64
#include "nets.h"
#include "vae/plain.h"

typedef struct plain {
    lam_net_shape shape;
    size_t rows;
    double *params, *x, *keep, *y, *g_y, *g_params, *g_x;
} plain;

static plain plain_make(const lam_net_shape *shape, size_t rows)
{
    net_arrays a = net_arrays_make(shape, rows);
    plain p = { .shape = *shape, .rows = rows };
    p.params = net_doubles(a.params, shape->parameters);
    p.x = net_doubles(a.x, rows * shape->in_count);
    p.y = net_doubles(a.y, rows * shape->out_count);
    p.g_y = net_doubles(a.g_y, rows * shape->out_count);
    p.g_x = net_doubles(a.g_x, rows * shape->in_count);
    p.g_params = lam_alloc(shape->parameters, sizeof *p.g_params);
    p.keep = lam_alloc(rows * lam_plain_kept(shape), sizeof *p.keep);
    assert_non_null(p.keep);
    net_arrays_free(&a);
    return p;
}

static void plain_free(plain *p)
{
    lam_free(p->params), lam_free(p->x), lam_free(p->y), lam_free(p->g_y), lam_free(p->g_params), lam_free(p->g_x), lam_free(p->keep);
}

static double loss(plain *p)
{
    double sum = 0;
    assert_int_equal(lam_plain_forward_f64(&p->shape, p->params, p->x, p->rows, p->keep, p->y), LAM_OK);
    for (size_t i = 0; i < p->rows * p->shape.out_count; i++)
        sum += p->y[i] * p->g_y[i];
    return sum;
}

static double terms(plain *p)
{
    double sum = 0;
    loss(p);
    for (size_t i = 0; i < p->rows * p->shape.out_count; i++)
        sum += fabs(p->y[i] * p->g_y[i]);
    return sum;
}

/* Five points: error h^4 / 30 of the fifth derivative, 1e-10 here, and the rounding of the loss's terms over H. */
static const double H = 1e-2;

static double slope(plain *p, double *a, const double *along, size_t n)
{
    double at[4] = { -2, -1, 1, 2 }, value[4], *kept = malloc(n * sizeof *kept);
    memcpy(kept, a, n * sizeof *kept);
    for (int k = 0; k < 4; k++) {
        for (size_t i = 0; i < n; i++)
            a[i] = kept[i] + at[k] * H * along[i];
        value[k] = loss(p);
    }
    memcpy(a, kept, n * sizeof *kept);
    free(kept);
    return (value[0] - 8 * value[1] + 8 * value[2] - value[3]) / (12 * H);
}

/* A single element, and one direction of length 1 that takes in all; to 1e-6 of the tensor's largest gradient or, for the
 * direction, of their root mean square. */
static void check(plain *p, const char *net, const char *name, double *a, const double *g, size_t n)
{
    double *along = calloc(n, sizeof *along), largest = 0, sum = 0, squares = 0;
    double rounding = 2.2e-16 * terms(p) / H;
    for (size_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs(g[i]));
        squares += g[i] * g[i];
    }
    along[n / 3] = 1;
    double by_difference = slope(p, a, along, n);
    if (!(fabs(by_difference - g[n / 3]) <= 1e-6 * largest + rounding) || largest == 0)
        fail_msg("%s, %s[%zu]: %.12g by differences, %.12g by the reverse (largest %g)", net, name, n / 3, by_difference, g[n / 3], largest);
    for (size_t i = 0; i < n; i++) {
        along[i] = (lam_random_uniform(1, LAM_DRAW_TEST, 9, i) < 0.5 ? -1 : 1) / sqrt((double)n);
        sum += along[i] * g[i];
    }
    by_difference = slope(p, a, along, n);
    if (!(fabs(by_difference - sum) <= 1e-6 * sqrt(squares / (double)n) + rounding))
        fail_msg("%s, %s, all: %.12g by differences, %.12g by the reverse", net, name, by_difference, sum);
    free(along);
}

static void check_net(const char *name, const lam_net_shape *shape, size_t rows)
{
    plain p = plain_make(shape, rows);
    loss(&p);
    assert_int_equal(lam_plain_backward_f64(shape, p.params, p.x, rows, p.keep, p.g_y, p.g_params, p.g_x), LAM_OK);
    for (size_t k = 0; k < shape->tensors; k++) {
        const lam_net_tensor *t = &shape->tensor[k];
        check(&p, name, t->name, p.params + t->offset, p.g_params + t->offset, t->count);
    }
    check(&p, name, "x", p.x, p.g_x, rows * shape->in_count);
    plain_free(&p);
}

static void reverse_of_every_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < NET_CASES; i++) {
        lam_net_shape shape = net_case_shape(&net_cases[i]);
        check_net(net_cases[i].name, &shape, 2);
    }
}

/* The complete nets, on images small enough for differences. */
static void reverse_of_encoder(void **state)
{
    lam_net_shape shape;
    (void)state;
    assert_int_equal(lam_net_encoder(&shape, 8, 4), LAM_OK);
    check_net("encoder", &shape, 1);
}

static void reverse_of_decoder(void **state)
{
    lam_net_shape shape;
    (void)state;
    assert_int_equal(lam_net_decoder(&shape, 8, 4, 8, 2), LAM_OK);
    check_net("binary decoder", &shape, 1);
}

static void reverse_of_levels(void **state)
{
    lam_net_shape shape;
    (void)state;
    assert_int_equal(lam_net_decoder(&shape, 8, 4, 4, 256), LAM_OK);
    check_net("decoder of levels", &shape, 1);
}

/* A convolution by hand: 3 x 3 pixels, kernel 2, stride 1; and its transposed on what it made. */
static void by_hand(void **state)
{
    static const lam_net_row conv = { "a", LAM_NET_CONV, 1, 1, { 2, 2 }, 1, 0, 0, 0 };
    static const lam_net_row transposed = { "a", LAM_NET_TRANSPOSED, 1, 1, { 2, 2 }, 2, 0, 0, 0 };
    double x[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 }, params[] = { 1, 10, 100, 1000, 0.5 }, keep[16], y[16];
    static const double want[] = { 5421.5, 6532.5, 8754.5, 9865.5 };
    lam_net_shape shape;
    (void)state;
    assert_int_equal(lam_net_shape_init(&shape, &conv, 1, 3, 3), LAM_OK);
    assert_int_equal(lam_plain_forward_f64(&shape, params, x, 1, keep, y), LAM_OK);
    for (int i = 0; i < 4; i++)
        assert_true(y[i] == want[i]);
    static const double wide[] = { 1.5, 10.5, 2.5, 20.5, 100.5, 1000.5, 200.5, 2000.5, 3.5, 30.5, 4.5, 40.5, 300.5, 3000.5, 400.5, 4000.5 };
    assert_int_equal(lam_net_shape_init(&shape, &transposed, 1, 2, 2), LAM_OK);
    assert_int_equal(shape.out_count, 16);
    assert_int_equal(lam_plain_forward_f64(&shape, params, x, 1, keep, y), LAM_OK);
    for (int i = 0; i < 16; i++)
        assert_true(y[i] == wide[i]);
}

/* Names, shapes, order and number of the published modules' parameters. */
static void tables(void **state)
{
    lam_net_shape s;
    (void)state;
    assert_int_equal(lam_net_encoder(&s, 28, 28), LAM_OK);
    assert_int_equal(s.tensors, 24);
    assert_int_equal(s.out_count, LAM_VAE_FEATURES);
    size_t weights = 25 * (1 * 32 + 32 * 32 + 32 * 64 + 64 * 64 + 64 * 64) + 49 * 64 * 256, biases = 2 * 32 + 3 * 64 + 256;
    assert_int_equal(s.parameters, 2 * (weights + biases));
    assert_string_equal(s.tensor[2].name, "q_z_nn.0.g.weight");
    assert_string_equal(s.tensor[21].name, "q_z_nn.5.h.bias");
    assert_int_equal(s.tensor[20].shape[0] * 1000 + s.tensor[20].shape[1], 256064);
    assert_int_equal(s.tensor[20].fan_in, 64 * 49);
    assert_int_equal(s.layer[5].in_size[0] * 10 + s.layer[5].in_size[1], 77);
    assert_int_equal(lam_net_decoder(&s, 64, 28, 20, 256), LAM_OK);
    assert_int_equal(s.tensors, 6 * 4 + 2 * 2);
    assert_int_equal(s.out_count, 28 * 20 * 256);
    assert_string_equal(s.tensor[8].name, "p_x_nn.2.h.weight");
    assert_int_equal(s.tensor[8].shape[0] * 100 + s.tensor[8].shape[1], 6432); /* inputs first */
    assert_int_equal(s.tensor[8].fan_in, 32 * 25);
    assert_string_equal(s.tensor[27].name, "p_x_mean.1.bias");
    assert_int_equal(lam_net_decoder(&s, 64, 28, 28, 2), LAM_OK);
    assert_int_equal(s.tensors, 6 * 4 + 2);
    assert_int_equal(s.out_count, 784);
    assert_int_equal(lam_net_linear(&s, "q_z_mean", 256, 64), LAM_OK);
    assert_int_equal(s.tensor[0].dims, 2);
    assert_int_equal(s.parameters, 256 * 64 + 64);
}

static void tables_that_do_not_fit(void **state)
{
    static const lam_net_row wrong[] = {
        { "a", LAM_NET_CONV, 0, 1, { 1, 1 }, 1, 0, 0, 0 },
        { "a", LAM_NET_CONV, 1, 1, { 9, 1 }, 1, 0, 0, 0 }, /* larger than the image */
        { "a", LAM_NET_CONV, 1, 1, { 3, 3 }, 2, 1, 1, 0 }, /* output padding of a convolution */
        { "a", LAM_NET_TRANSPOSED, 1, 1, { 3, 3 }, 2, 1, 2, 0 },
        { "a", LAM_NET_CONV, 1, 1, { 3, 3 }, 0, 1, 0, 0 },
        { "a", LAM_NET_CONV, 1, 1, { 3, 3 }, 1, 3, 0, 0 },
        { "a", LAM_NET_LINEAR, 1, 1, { 1, 1 }, 1, 0, 0, 0 }, /* of more than a pixel */
        { "a", LAM_NET_LINEAR, 1, 1, { 2, 1 }, 1, 0, 0, 0 },
    };
    static const lam_net_row two[] = { { "a", LAM_NET_CONV, 1, 2, { 1, 1 }, 1, 0, 0, 0 }, { "b", LAM_NET_CONV, 3, 2, { 1, 1 }, 1, 0, 0, 0 } };
    lam_net_shape s;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(lam_net_shape_init(&s, &wrong[i], 1, 8, 8), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_net_shape_init(&s, two, 2, 8, 8), LAM_ERR_ARGUMENT);
    assert_non_null(strstr(lam_last_error(), "layer b takes 3 channels"));
    assert_int_equal(lam_net_shape_init(&s, two, 0, 8, 8), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_net_shape_init(&s, two, 1, 0, 8), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_net_encoder(&s, 30, 28), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_net_decoder(&s, 8, 28, 28, 1), LAM_ERR_ARGUMENT);
}

/* Uniform within 1 / sqrt(fan_in): the extremes come near the bound, the variance is bound^2 / 3; values are a function of
 * seed and place. */
static void initial_values(void **state)
{
    lam_net_shape s;
    (void)state;
    assert_int_equal(lam_net_decoder(&s, 64, 28, 28, 2), LAM_OK);
    float *p = lam_alloc(s.parameters, sizeof *p), *moved = lam_alloc(s.parameters, sizeof *moved);
    lam_net_initial(&s, 7, 0, p);
    lam_net_initial(&s, 7, 5, moved);
    const lam_net_tensor *t = &s.tensor[0];
    double bound = 1 / sqrt((double)t->fan_in), squares = 0, most = 0;
    for (size_t i = t->offset; i < t->offset + t->count; i++) {
        squares += (double)p[i] * (double)p[i];
        most = fmax(most, fabs((double)p[i]));
    }
    assert_true(most <= bound && most > 0.999 * bound); /* of 200704 draws */
    /* standard error of the mean of squares: sqrt(4 / 45 / n) of bound^2, 0.0007 here; 5 of them */
    assert_true(fabs(squares / (double)t->count / (bound * bound) - 1.0 / 3) < 0.0035);
    assert_true(p[5] == moved[0] && p[6] != moved[0]);
    lam_free(p), lam_free(moved);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables),
        cmocka_unit_test(tables_that_do_not_fit),
        cmocka_unit_test(initial_values),
        cmocka_unit_test(by_hand),
        cmocka_unit_test(reverse_of_every_kind),
        cmocka_unit_test(reverse_of_encoder),
        cmocka_unit_test(reverse_of_decoder),
        cmocka_unit_test(reverse_of_levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
