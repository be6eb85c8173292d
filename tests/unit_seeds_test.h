/* A field with unit seeds against the general one whose seeds are the unit vectors written out: forward and reverse, every
 * layer type and activation, one chunk and several, a short tile, every instruction set. Included by unit/unit_seeds_f32.c and
 * unit/unit_seeds_f64.c, which define LAM_WIDTH. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/random.h"
#include "field/field.h"
#include "kernels/isa.h"
#include <math.h>
#include <string.h>

enum { CHUNK = 4, ROWS = 50 };

/* The two add the same terms in another order: a few dozen roundings of sums that cancel little. */
static const double BOUND = LAM_WIDTH == 32 ? 1e3 * 0x1p-24 : 1e3 * 0x1p-53;

static uint64_t draw;

static void fill(real *a, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double two[2];
        lam_random_normal2(1, LAM_DRAW_TEST, draw++, 0, two);
        a[i] = (real)(0.5 * two[0]);
    }
}

static real *zeros(size_t n)
{
    real *a = lam_alloc(n, sizeof *a);
    assert_non_null(a);
    return a;
}

static void clear_past_batch(real *planes, size_t features)
{
    for (size_t i = 0; i < features; i++)
        memset(planes + i * LAM_TILE + ROWS, 0, (LAM_TILE - ROWS) * sizeof *planes);
}

static void same(const char *isa, const char *what, const real *a, const real *b, size_t n)
{
    double most = 0, off = 0;
    for (size_t i = 0; i < n; i++) {
        most = fmax(most, fabs((double)b[i]));
        off = fmax(off, isnan(a[i]) ? INFINITY : fabs((double)(a[i] - b[i])));
    }
    if (!(off <= BOUND * most))
        fail_msg("%s %s: off by %.3g, the largest is %.3g", isa, what, off, most);
}

typedef struct side {
    lam_field field;
    real *record, *scratch, *sums, *gz, *grad, beta_grad;
    size_t line; /* reals of a tangent's seed */
} side;

static void open_side(side *s, const lam_field_shape *shape, const lam_kernels *k, int unit, const real *params, const real *z)
{
    size_t chunks = (shape->dim + CHUNK - 1) / CHUNK, plane = shape->dim * LAM_TILE;
    assert_int_equal(lam_field_init(&s->field, shape, k, shape->dim < CHUNK ? shape->dim : CHUNK, chunks, unit, 1), LAM_OK);
    s->record = zeros(s->field.record_size), s->scratch = zeros(s->field.scratch_size), s->sums = zeros(s->field.sum_size);
    s->gz = zeros(plane), s->grad = zeros(shape->parameters), s->beta_grad = 0;
    s->line = unit ? LAM_TILE : plane;
    lam_field_load(&s->field, params, (real)0.7);
    lam_field_prepare(&s->field, 0, (real)0.4);
    memcpy(s->record, z, plane * sizeof *z);
}

static void close_side(side *s)
{
    lam_field_clear(&s->field);
    lam_free(s->record), lam_free(s->scratch), lam_free(s->sums), lam_free(s->gz), lam_free(s->grad);
}

/* Line p is element `column` of tangent p's plane, or all that there is of it. */
static real *line_of(const side *s, real *stack, size_t p, size_t column)
{
    size_t dim = s->field.shape->dim;
    return stack + dim * LAM_TILE + p * s->line + (s->field.unit_seeds ? 0 : column * LAM_TILE);
}

/* One chunk: seeds of 1 within the batch, forward, then back with the cotangents g [CHUNK][TILE] of the diagonal. */
static void run_chunk(side *s, size_t first, size_t tangents, const real *g_value, const real *g, real *diagonal)
{
    size_t dim = s->field.shape->dim, vectors = (ROWS + s->field.kernels->lanes - 1) / s->field.kernels->lanes;
    int last = first + tangents == dim;
    lam_chunk chunk = { .vectors = vectors, .first = first, .tangents = tangents, .with_value = first == 0, .first_chunk = first == 0 };
    real *cotangent = lam_field_cotangent(&s->field, &chunk, s->scratch);
    memset(s->record + dim * LAM_TILE, 0, tangents * s->line * sizeof(real));
    memset(cotangent, 0, (dim * LAM_TILE + tangents * s->line) * sizeof(real));
    for (size_t p = 0; p < tangents; p++)
        for (size_t r = 0; r < ROWS; r++)
            line_of(s, s->record, p, first + p)[r] = 1;
    lam_field_forward(&s->field, &chunk, s->record);
    for (size_t p = 0; p < tangents; p++) {
        memcpy(diagonal + p * LAM_TILE, line_of(s, lam_field_output(&s->field, s->record), p, first + p), ROWS * sizeof(real));
        memcpy(line_of(s, cotangent, p, first + p), g + p * LAM_TILE, LAM_TILE * sizeof(real));
    }
    if (last)
        memcpy(cotangent, g_value, dim * LAM_TILE * sizeof(real));
    chunk.with_value = last;
    lam_field_reverse(&s->field, &chunk, s->record, s->scratch, s->sums, s->gz);
}

static void check(const lam_kernels *k, size_t dim, const size_t *hidden, size_t n_hidden, int layer, int act)
{
    lam_field_shape shape;
    side general, unit;
    assert_int_equal(lam_field_shape_init(&shape, dim, hidden, n_hidden, (lam_layer)layer, (lam_activation)act), LAM_OK);
    real *params = zeros(shape.parameters), *z = zeros(dim * LAM_TILE), *g_value = zeros(dim * LAM_TILE);
    real *g = zeros(CHUNK * LAM_TILE), *want = zeros(CHUNK * LAM_TILE), *got = zeros(CHUNK * LAM_TILE);
    fill(params, shape.parameters), fill(z, dim * LAM_TILE), fill(g_value, dim * LAM_TILE);
    clear_past_batch(g_value, dim);
    open_side(&general, &shape, k, 0, params, z);
    open_side(&unit, &shape, k, 1, params, z);
    for (size_t first = 0; first < dim; first += CHUNK) {
        size_t tangents = dim - first < CHUNK ? dim - first : CHUNK;
        fill(g, tangents * LAM_TILE);
        clear_past_batch(g, tangents);
        run_chunk(&general, first, tangents, g_value, g, want);
        run_chunk(&unit, first, tangents, g_value, g, got);
        same(k->isa, "diagonal", got, want, tangents * LAM_TILE);
    }
    lam_field_collect(&general.field, general.sums, general.grad, &general.beta_grad);
    lam_field_collect(&unit.field, unit.sums, unit.grad, &unit.beta_grad);
    for (size_t i = 0; i < shape.tensors; i++)
        same(k->isa, shape.tensor[i].name, unit.grad + shape.tensor[i].offset, general.grad + shape.tensor[i].offset,
            shape.tensor[i].count);
    same(k->isa, "beta", &unit.beta_grad, &general.beta_grad, 1);
    same(k->isa, "cotangent of z", unit.gz, general.gz, (dim - 1) * LAM_TILE + ROWS);
    close_side(&general), close_side(&unit);
    lam_free(params), lam_free(z), lam_free(g_value), lam_free(g), lam_free(want), lam_free(got);
}

/* Widths on both sides of the dimension, so that weight gradients lie both ways round; more than a panel of outputs. */
static void as_with_unit_vectors(void **state)
{
    (void)state;
    static const size_t hidden[][3] = { { 5, 9, 3 }, { 17, 4, 35 }, { 70, 13, 8 } };
    for (int isa = 0; isa < LAM_ISA_COUNT; isa++) {
        const lam_kernels *k;
        if (!lam_isa_available((lam_isa)isa))
            continue;
        assert_int_equal(lam_kernels_get(lam_isa_name((lam_isa)isa), &k), LAM_OK);
        for (int layer = 0; layer <= LAM_LAYER_HYPER; layer++)
            for (int act = 0; act <= LAM_ACT_IDENTITY; act++)
                for (size_t n = 1; n <= 3; n++) {
                    size_t turn = (size_t)(layer + act) + n;
                    draw = 1000000 * turn;
                    check(k, 1 + turn % 11, hidden[turn % 3], n, layer, act);
                }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(as_with_unit_vectors) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
