/* The vector field against the formulas of method.md 2 written out with plain loops over the tensors by name, its derivatives against
 * those of field/layer_plain.c; and threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define LAM_WIDTH 64
#include "field/layer_plain.h"
#include "flow.h"
#include "kernels/isa.h"

/* A tensor of block 0 by the end of its name. */
static const double *tensor(const flow *f, size_t layer, const char *name)
{
    char want[96];
    lam_layout_tensor t;
    snprintf(want, sizeof want, "chain.0.odefunc.diffeq.layers.%zu.%s", layer, name);
    for (size_t i = 0; lam_layout_tensor_at(&f->layout, i, &t); i++)
        if (strcmp(t.name, want) == 0)
            return f->params + t.offset;
    fail_msg("no tensor %s", want);
    return NULL;
}

static double linear(const double *w, const double *b, size_t o, const double *h, size_t in)
{
    double sum = b[o];
    for (size_t i = 0; i < in; i++)
        sum += w[o * in + i] * h[i];
    return sum;
}

static double sigmoid(double a)
{
    return 1 / (1 + exp(-a));
}

static double hyper(const flow *f, size_t k, double t, size_t out, size_t o, const double *h, size_t in)
{
    const double *v1 = tensor(f, k, "_hypernet.0.weight"), *c1 = tensor(f, k, "_hypernet.0.bias");
    const double *v2 = tensor(f, k, "_hypernet.2.weight"), *c2 = tensor(f, k, "_hypernet.2.bias");
    double p[64 * 64], unit[8];
    for (size_t j = 0; j < 8; j++)
        unit[j] = tanh(v1[j] * t + c1[j]);
    for (size_t i = 0; i < out + out * in; i++)
        p[i] = linear(v2, c2, i, unit, 8);
    return linear(p + out, p, o, h, in);
}

static double layer(const flow *f, size_t k, double t, size_t out, size_t o, const double *h, size_t in)
{
    if (f->r.layer == LAM_LAYER_HYPER)
        return hyper(f, k, t, out, o, h, in);
    if (f->r.layer == LAM_LAYER_BLEND)
        return (1 - t) * linear(tensor(f, k, "_layer0.weight"), tensor(f, k, "_layer0.bias"), o, h, in)
            + t * linear(tensor(f, k, "_layer1.weight"), tensor(f, k, "_layer1.bias"), o, h, in);
    const double *w = tensor(f, k, "_layer.weight"), *b = tensor(f, k, "_layer.bias");
    if (f->r.layer == LAM_LAYER_CONCAT) {
        double th[64] = { t };
        memcpy(th + 1, h, in * sizeof *h);
        return linear(w, b, o, th, in + 1);
    }
    double a = linear(w, b, o, h, in);
    if (f->r.layer == LAM_LAYER_SQUASH)
        a *= sigmoid(tensor(f, k, "_hyper.weight")[o] * t + tensor(f, k, "_hyper.bias")[o]);
    if (f->r.layer == LAM_LAYER_CONCATSQUASH)
        a *= sigmoid(tensor(f, k, "_hyper_gate.weight")[o] * t + tensor(f, k, "_hyper_gate.bias")[o]);
    if (f->r.layer == LAM_LAYER_CONCATSQUASH || f->r.layer == LAM_LAYER_CONCAT_V2)
        a += tensor(f, k, "_hyper_bias.weight")[o] * t;
    return a;
}

static double activation(const flow *f, double a)
{
    switch (f->r.activation) {
    case LAM_ACT_TANH: return tanh(a);
    case LAM_ACT_SOFTPLUS: return log1p(exp(a));
    case LAM_ACT_ELU: return a > 0 ? a : expm1(a);
    case LAM_ACT_RELU: return fmax(a, 0);
    case LAM_ACT_SWISH: return a * sigmoid(f->params[f->layout.beta] * a);
    case LAM_ACT_SQUARE: return a * a;
    case LAM_ACT_IDENTITY: break;
    }
    return a;
}

static void plain_field(const flow *f, double t, const double *z, double *v)
{
    double h[64], a[64];
    const lam_field_shape *s = &f->layout.field;
    memcpy(h, z, s->dim * sizeof *h);
    for (size_t k = 0; k < s->layers; k++) {
        size_t in = s->layer[k].in, out = s->layer[k].out;
        for (size_t o = 0; o < out; o++)
            a[o] = layer(f, k, t, out, o, h, in);
        for (size_t o = 0; o < out; o++)
            h[o] = k + 1 < s->layers ? activation(f, a[o]) : a[o];
    }
    memcpy(v, h, s->dim * sizeof *v);
}

/* The value by the formulas above, derivatives by field/layer_plain.h. */
static void check_row(const flow *f, double t, size_t row, const double *v, double div, const double *e, const double *vjp)
{
    const lam_field_shape *s = &f->layout.field;
    const double *z = f->x + row * s->dim;
    const lam_plain_field plain = { s, f->params, f->layout.beta == SIZE_MAX ? 1 : f->params[f->layout.beta], t };
    double want[64], value[64], column[64], gz[64], none[64] = { 0 }, sum = 0, grad_beta = 0;
    plain_field(f, t, z, want);
    assert_true(difference(v + row * s->dim, want, s->dim) <= 1e-13 * (1 + largest(want, s->dim)));
    for (size_t i = 0; e == NULL && i < s->dim; i++) {
        double unit[64] = { 0 };
        unit[i] = 1;
        lam_field_plain(&plain, z, unit, value, column);
        assert_true(difference(value, want, s->dim) <= 1e-13 * (1 + largest(want, s->dim)));
        sum += column[i];
    }
    if (e != NULL) {
        double *grad = calloc(s->parameters, sizeof *grad);
        e += row * s->dim;
        lam_field_plain(&plain, z, e, value, column);
        lam_field_plain_reverse(&plain, z, e, e, none, gz, grad, &grad_beta);
        assert_true(difference(gz, vjp + row * s->dim, s->dim) <= 1e-12 * (1 + largest(gz, s->dim)));
        for (size_t i = 0; i < s->dim; i++)
            sum += e[i] * column[i];
        free(grad);
    }
    assert_true(fabs(sum - div) <= 1e-12 * (1 + fabs(sum)));
}

static void every_layer_and_activation(void **state)
{
    (void)state;
    static const double times[] = { 0, 0.37, 1, -0.2, 3 };
    for (int l = 0; l <= LAM_LAYER_HYPER; l++)
        for (int act = 0; act <= LAM_ACT_IDENTITY; act++) {
            recipe r = { .layer = (lam_layer)l, .activation = (lam_activation)act, .n_hidden = 2, .hidden = { 5, 9 }, .rows = 70,
                .dim = 1 + (size_t)(l + act) % 10, .no_gradients = 1, .seed = (uint64_t)act };
            for (int exact = 0; exact < 2; exact++) {
                r.divergence = exact ? LAM_DIV_EXACT : LAM_DIV_GAUSSIAN;
                flow f = flow_create(r);
                flow_open(&f);
                size_t n = f.rows * f.r.dim;
                double *v = malloc(n * sizeof *v), *vjp = malloc(n * sizeof *vjp), *e = malloc(n * sizeof *e), div[70];
                for (size_t i = 0; i < f.rows; i++)
                    lam_random_normal_row(9, LAM_DRAW_TEST, 2, i, e + i * f.r.dim, f.r.dim);
                for (size_t k = 0; k < 5; k++) {
                    must(lam_engine_field_f64(f.engine, &(lam_flow_call_f64) { .params = f.params, .x = f.x, .rows = f.rows },
                        &(lam_field_point) { 0, times[k], exact ? NULL : e }, v, div, exact ? NULL : vjp));
                    for (size_t row = 0; row < f.rows; row += 23)
                        check_row(&f, times[k], row, v, div[row], exact ? NULL : e, vjp);
                }
                free(v), free(vjp), free(e);
                flow_close(&f);
            }
        }
}

/* Sums go by groups of rows, in group order, whoever computes them: the same bits for any number of threads. */
static void threads_change_nothing(void **state)
{
    (void)state;
    for (int exact = 0; exact < 2; exact++) {
        double *first = NULL, *first_x = NULL, loss = 0;
        for (size_t threads = 1; threads <= 3; threads++) {
            flow f = flow_create((recipe) { .rows = 1000, .threads = threads, .blocks = 2, .times = 4, .degree = 1, .coefficient = 5,
                .divergence = exact ? LAM_DIV_EXACT : LAM_DIV_RADEMACHER, .layer = LAM_LAYER_CONCATSQUASH, .activation = LAM_ACT_SWISH,
                .hidden = { 16 }, .memory = 16 });
            flow_open(&f);
            must(flow_gradient(&f));
            if (threads == 1) {
                first = malloc(f.layout.parameters * sizeof *first), first_x = malloc(3000 * sizeof *first_x);
                memcpy(first, f.grad, f.layout.parameters * sizeof *first);
                memcpy(first_x, f.grad_x, 3000 * sizeof *first_x);
                loss = f.loss.loss;
            }
            assert_memory_equal(&loss, &f.loss.loss, sizeof loss);
            assert_memory_equal(first, f.grad, f.layout.parameters * sizeof *first);
            assert_memory_equal(first_x, f.grad_x, 3000 * sizeof *first_x);
            must(flow_gradient(&f)); /* and twice in a row */
            assert_memory_equal(first, f.grad, f.layout.parameters * sizeof *first);
            flow_close(&f);
        }
        free(first), free(first_x);
    }
}

/* Instruction sets round differently, no more: 1e-12 in double. */
static void instruction_sets_agree(void **state)
{
    (void)state;
    static const char *const sets[] = { "scalar", "sse2", "avx2", "avx512", "neon" };
    double *first = NULL;
    for (size_t i = 0; i < 5; i++) {
        lam_isa isa;
        if (lam_isa_choose(sets[i], &isa) != LAM_OK)
            continue;
        flow f = flow_create((recipe) { .rows = 67, .dim = 9, .hidden = { 13, 6 }, .n_hidden = 2, .layer = LAM_LAYER_BLEND,
            .activation = LAM_ACT_SOFTPLUS, .times = 4, .degree = 1, .coefficient = 5, .isa = sets[i], .end = LAM_END_OVERSHOOT });
        flow_open(&f);
        assert_string_equal(lam_engine_isa_f64(f.engine), sets[i]);
        must(flow_gradient(&f));
        if (first == NULL) {
            first = malloc(f.layout.parameters * sizeof *first);
            memcpy(first, f.grad, f.layout.parameters * sizeof *first);
        }
        assert_true(difference(first, f.grad, f.layout.parameters) <= 1e-12 * largest(first, f.layout.parameters));
        flow_close(&f);
    }
    free(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layer_and_activation),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(instruction_sets_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
