/* The plain layer and field: their derivatives and reverses against finite differences of their values, and the passes over tiles, the
 * gradient of every parameter included, against them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define LAM_WIDTH 64
#include "base/mem.h"
#include "field/field.h"
#include "field/layer_plain.h"
#include "flow.h"

/* A field with parameters, a row and two directions, all by lot; what is taken of f and J e is the sum with weights g and ge. */
typedef struct problem {
    lam_field_shape shape;
    double *params, beta, t;
    double z[8], e[8], g[8], ge[8];
} problem;

static double lot(uint64_t i)
{
    return 2 * lam_random_uniform(5, LAM_DRAW_TEST, i, 0) - 1;
}

static problem problem_create(lam_layer layer, lam_activation activation)
{
    problem p = { .beta = 0.7, .t = 0.37 };
    must(lam_field_shape_init(&p.shape, 4, (size_t[]) { 5, 7 }, 2, layer, activation));
    p.params = lam_alloc(p.shape.parameters, sizeof(double));
    for (size_t i = 0; i < p.shape.parameters; i++)
        p.params[i] = lot(i);
    for (size_t i = 0; i < 4; i++) {
        p.z[i] = lot(5000 + i), p.e[i] = lot(6000 + i);
        p.g[i] = lot(7000 + i), p.ge[i] = lot(8000 + i);
    }
    return p;
}

static lam_plain_field field_of(const problem *p)
{
    return (lam_plain_field) { &p->shape, p->params, p->beta, p->t };
}

static double weighted(const problem *p)
{
    const lam_plain_field field = field_of(p);
    double f[8], je[8], sum = 0;
    lam_field_plain(&field, p->z, p->e, f, je);
    for (size_t i = 0; i < p->shape.dim; i++)
        sum += p->g[i] * f[i] + p->ge[i] * je[i];
    return sum;
}

/* Its derivative by a number of the problem, by central differences: 1e-9 or so. */
static double difference_by(problem *p, double *number)
{
    const double h = 1e-5, kept = *number;
    *number = kept + h;
    double up = weighted(p);
    *number = kept - h;
    double down = weighted(p);
    *number = kept;
    return (up - down) / (2 * h);
}

static void close_to(double found, double want)
{
    assert_true(fabs(found - want) <= 2e-8 * (1 + fabs(want)));
}

static void plain_reverse_against_differences(void **state)
{
    (void)state;
    for (int layer = 0; layer <= LAM_LAYER_HYPER; layer++)
        for (int activation = 0; activation <= LAM_ACT_IDENTITY; activation++) {
            problem p = problem_create((lam_layer)layer, (lam_activation)activation);
            double gz[8], beta = 0, *grad = lam_alloc(p.shape.parameters, sizeof *grad), f[8], je[8], up[8], down[8], no[8];
            const lam_plain_field field = field_of(&p);
            lam_field_plain_reverse(&field, p.z, p.e, p.g, p.ge, gz, grad, &beta);
            for (size_t i = 0; i < p.shape.parameters; i++)
                close_to(grad[i], difference_by(&p, &p.params[i]));
            for (size_t i = 0; i < p.shape.dim; i++)
                close_to(gz[i], difference_by(&p, &p.z[i]));
            close_to(beta, difference_by(&p, &p.beta));
            /* J e by differences of f along e */
            lam_field_plain(&field, p.z, p.e, f, je);
            for (int side = -1; side <= 1; side += 2) {
                double moved[8];
                for (size_t i = 0; i < p.shape.dim; i++)
                    moved[i] = p.z[i] + side * 1e-5 * p.e[i];
                lam_field_plain(&field, moved, p.e, side < 0 ? down : up, no);
            }
            for (size_t i = 0; i < p.shape.dim; i++)
                close_to(je[i], (up[i] - down[i]) / 2e-5);
            lam_free(grad), lam_free(p.params);
        }
}

enum { TANGENTS = 2, D = 4 };

/* A tile of rows by lot: z and two seeds a row, and cotangents of f and of both derivatives, in planes [1 + TANGENTS][D][TILE]. */
static void fill(double *planes, uint64_t seed)
{
    for (size_t i = 0; i < (1 + TANGENTS) * D * LAM_TILE; i++)
        planes[i] = lot(seed + i);
}

static double at(const double *planes, size_t plane, size_t i, size_t row)
{
    return planes[(plane * D + i) * LAM_TILE + row];
}

/* What the plain field makes of one row: compares f and J e with out, adds to the gradients. */
static void plain_row(const problem *p, size_t row, const double *in, const double *out, const double *g, double *gz, double *grad,
    double *beta)
{
    static const double none[D];
    const lam_plain_field field = field_of(p);
    for (size_t tangent = 1; tangent <= TANGENTS; tangent++) {
        double z[D], e[D], f[D], je[D], gf[D], ge[D], part[D];
        for (size_t i = 0; i < D; i++) {
            z[i] = at(in, 0, i, row), e[i] = at(in, tangent, i, row);
            gf[i] = at(g, 0, i, row), ge[i] = at(g, tangent, i, row);
        }
        lam_field_plain(&field, z, e, f, je);
        for (size_t i = 0; i < D; i++) {
            assert_true(fabs(f[i] - at(out, 0, i, row)) <= 1e-12 * (1 + fabs(f[i])));
            assert_true(fabs(je[i] - at(out, tangent, i, row)) <= 1e-12 * (1 + fabs(je[i])));
        }
        lam_field_plain_reverse(&field, z, e, tangent == 1 ? gf : none, ge, part, grad, beta);
        for (size_t i = 0; i < D; i++)
            gz[i] = (tangent == 1 ? 0 : gz[i]) + part[i];
    }
}

static void tiles_against_plain(void **state)
{
    (void)state;
    const lam_kernels_f64 *kernels;
    must(lam_kernels_get_f64("auto", &kernels));
    for (int layer = 0; layer <= LAM_LAYER_HYPER; layer++)
        for (int activation = 0; activation <= LAM_ACT_IDENTITY; activation++) {
            problem p = problem_create((lam_layer)layer, (lam_activation)activation);
            size_t stack = (1 + TANGENTS) * D * LAM_TILE, vectors = LAM_TILE / kernels->lanes, n = p.shape.parameters;
            lam_field_f64 field;
            must(lam_field_init_f64(&field, &p.shape, kernels, TANGENTS, 1, 0, 1));
            double *record = lam_alloc(field.record_size, sizeof *record), *scratch = lam_alloc(field.scratch_size, sizeof *scratch);
            double *sums = lam_alloc(field.sum_size, sizeof *sums), *gz = lam_alloc(D * LAM_TILE, sizeof *gz);
            double *in = lam_alloc(stack, sizeof *in), *g = lam_alloc(stack, sizeof *g), *grad = lam_alloc(n, sizeof *grad);
            double *want = lam_alloc(n, sizeof *want), beta = 0, want_beta = 0, most = 0, row_gz[D];
            lam_field_load_f64(&field, p.params, p.beta);
            lam_field_prepare_f64(&field, 0, p.t);
            fill(in, 10000), fill(g, 20000);
            memcpy(record, in, stack * sizeof *in);
            const lam_chunk_f64 chunk = { .vectors = vectors, .tangents = TANGENTS, .with_value = 1, .first_chunk = 1 };
            lam_field_forward_f64(&field, &chunk, record);
            memcpy(lam_field_cotangent_f64(&field, &chunk, scratch), g, stack * sizeof *g);
            lam_field_reverse_f64(&field, &chunk, record, scratch, sums, gz);
            lam_field_collect_f64(&field, sums, grad, &beta);
            for (size_t row = 0; row < LAM_TILE; row++) {
                plain_row(&p, row, in, lam_field_output_f64(&field, record), g, row_gz, want, &want_beta);
                for (size_t i = 0; i < D; i++)
                    assert_true(fabs(row_gz[i] - gz[i * LAM_TILE + row]) <= 1e-11 * (1 + fabs(row_gz[i])));
            }
            for (size_t i = 0; i < n; i++)
                most = fmax(most, fabs(want[i]));
            for (size_t i = 0; i < n; i++)
                assert_true(fabs(grad[i] - want[i]) <= 1e-12 * most);
            assert_true(fabs(beta - want_beta) <= 1e-11 * (1 + fabs(want_beta)));
            lam_field_clear_f64(&field);
            lam_free(record), lam_free(scratch), lam_free(sums), lam_free(gz), lam_free(in), lam_free(g), lam_free(grad), lam_free(want);
            lam_free(p.params);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_reverse_against_differences),
        cmocka_unit_test(tiles_against_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
