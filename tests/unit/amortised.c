/* Fields that take parameters from the rows: against plain loops, against finite differences, and what must not change them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define LAM_WIDTH 64
#include "kernels/isa.h"
#include "rows_reverse.h"

static const lam_amortised kinds[] = { LAM_AMORTISED_BIAS, LAM_AMORTISED_LOW_RANK, LAM_AMORTISED_LYPER, LAM_AMORTISED_HYPER };
enum { KINDS = 4, WIDE = 32 };

/* ---- the field, plainly ------------------------------------------------------------------------------------------- */

/* The shared layer, gate * sum_j phi_j (W_j h + b_j) + u t, output o; without its constants for a tangent. */
static double shared_output(const rows *w, size_t k, double t, size_t o, const double *h, int tangent)
{
    const lam_field_layer *l = &w->f.layout.field.layer[k];
    const double *p = w->f.params;
    double sum = 0, gate = 1;
    for (size_t j = 0; j < l->bases; j++) {
        double phi = !l->is_blend ? 1 : j == 0 ? 1 - t : t, term = tangent ? 0 : p[l->basis[j].b + o * l->basis[j].stride_b];
        if (l->is_hyper && j < LAM_HYPER_UNITS)
            phi = tanh(p[l->v1 + j] * t + p[l->c1 + j]);
        for (size_t i = 0; i < l->in; i++)
            term += p[l->basis[j].w + o * l->basis[j].stride_out + i * l->basis[j].stride_in] * h[i];
        sum += phi * term;
    }
    if (l->has_gate)
        gate = 1 / (1 + exp(-(p[l->g + o] * t + p[l->c + o])));
    return gate * sum + (l->has_u && !tangent ? p[l->u + o * l->stride_u] * t : 0);
}

/* What the row gives, read off its vector in the published order. */
static void add_row_outputs(const rows *w, size_t k, double t, const double *a, size_t *at, const double *h, int tangent, double *out)
{
    const lam_field_layer *l = &w->f.layout.field.layer[k];
    lam_amortised kind = w->f.r.amortisation;
    size_t in = l->in, n = l->out, rank = w->f.r.rank == 0 ? 2 : w->f.r.rank;
    if (kind == LAM_AMORTISED_LOW_RANK) {
        const double *u = a + *at, *v = u + in * rank;
        for (size_t j = 0; j < rank; j++) {
            double q = 0;
            for (size_t i = 0; i < in; i++)
                q += h[i] * u[i * rank + j];
            for (size_t o = 0; o < n; o++)
                out[o] += q * v[j * n + o];
        }
        *at += (in + n) * rank;
    }
    if (kind == LAM_AMORTISED_LYPER && k + 1 < w->f.layout.field.layers)
        return;
    for (size_t o = 0; o < n && !tangent; o++)
        out[o] += a[*at + o];
    *at += n;
    if (kind == LAM_AMORTISED_LYPER || kind == LAM_AMORTISED_HYPER) { /* [t; h] W, W [1 + in, out] */
        for (size_t o = 0; o < n; o++) {
            out[o] += tangent ? 0 : t * a[*at + o];
            for (size_t i = 0; i < in; i++)
                out[o] += h[i] * a[*at + (1 + i) * n + o];
        }
        *at += (1 + in) * n;
    }
}

/* f at z and its derivative along e. */
static void plain_field(const rows *w, size_t row, double t, const double *z, const double *e, double *v, double *dv)
{
    const lam_field_shape *s = &w->f.layout.field;
    double h[WIDE], dh[WIDE], *a = calloc(w->n_am, sizeof *a);
    size_t at = 0;
    for (size_t i = 0; i < w->n_am; i++)
        a[i] = w->am[0][row_at(w, row, i)];
    memcpy(h, z, s->dim * sizeof *h);
    memcpy(dh, e, s->dim * sizeof *dh);
    for (size_t k = 0; k < s->layers; k++) {
        double out[WIDE], dout[WIDE];
        size_t before = at;
        for (size_t o = 0; o < s->layer[k].out; o++) {
            out[o] = shared_output(w, k, t, o, h, 0);
            dout[o] = shared_output(w, k, t, o, dh, 1);
        }
        add_row_outputs(w, k, t, a, &at, h, 0, out);
        add_row_outputs(w, k, t, a, &before, dh, 1, dout);
        for (size_t o = 0; o < s->layer[k].out; o++) {
            double slope = 1;
            if (k + 1 < s->layers && s->activation == LAM_ACT_TANH)
                out[o] = tanh(out[o]), slope = 1 - out[o] * out[o];
            else if (k + 1 < s->layers)
                slope = 1 / (1 + exp(-out[o])), out[o] = log1p(exp(out[o]));
            h[o] = out[o];
            dh[o] = slope * dout[o];
        }
    }
    assert_int_equal(at, w->n_am);
    memcpy(v, h, s->dim * sizeof *v);
    memcpy(dv, dh, s->dim * sizeof *dv);
    free(a);
}

/* Rounding of sums of up to some fifty terms of size 1. */
static void check_row(const rows *w, double t, size_t row, const double *v, double div, const double *e, const double *vjp)
{
    size_t d = w->f.r.dim;
    const double *z = w->f.x + row * d;
    double want[WIDE], column[WIDE], trace = 0, along = 0;
    for (size_t i = 0; i < d; i++) {
        double unit[WIDE] = { 0 }, product = 0;
        unit[i] = 1;
        plain_field(w, row, t, z, unit, want, column);
        trace += column[i];
        for (size_t j = 0; e != NULL && j < d; j++)
            product += e[row * d + j] * column[j];
        assert_true(e == NULL || fabs(product - vjp[row * d + i]) <= 1e-13 * (10 + fabs(product)));
    }
    assert_true(difference(v + row * d, want, d) <= 1e-13 * (10 + largest(want, d)));
    if (e != NULL) {
        plain_field(w, row, t, z, e + row * d, want, column);
        for (size_t j = 0; j < d; j++)
            along += e[row * d + j] * column[j];
    }
    double should = e == NULL ? trace : along;
    assert_true(fabs(should - div) <= 1e-13 * (10 + fabs(should)));
}

static void check_field(recipe r)
{
    static const double times[] = { 0, 0.37, 1, -0.2 };
    int exact = r.divergence == LAM_DIV_EXACT;
    rows w = rows_create(r);
    rows_open(&w);
    size_t d = w.f.r.dim, n = w.f.rows * d;
    double *v = calloc(n, sizeof *v), *vjp = calloc(n, sizeof *vjp), *e = calloc(n, sizeof *e), div[70];
    for (size_t i = 0; i < w.f.rows; i++)
        lam_random_normal_row(9, LAM_DRAW_TEST, 2, i, e + i * d, d);
    for (size_t k = 0; k < 4; k++) {
        must(lam_engine_field_f64(w.f.engine, &(lam_flow_call_f64) { .params = w.f.params, .x = w.f.x, .rows = w.f.rows },
            &(lam_field_point) { 0, times[k], exact ? NULL : e }, v, div, exact ? NULL : vjp));
        for (size_t row = 0; row < w.f.rows; row += 23)
            check_row(&w, times[k], row, v, div[row], exact ? NULL : e, vjp);
    }
    free(v), free(vjp), free(e);
    rows_close(&w);
}

static void values_and_derivatives(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < KINDS; kind++)
        for (int layer = 0; layer <= LAM_LAYER_HYPER; layer++)
            for (int act = LAM_ACT_TANH; act <= LAM_ACT_SOFTPLUS; act++)
                for (int exact = 0; exact < 2; exact++)
                    if (kinds[kind] != LAM_AMORTISED_HYPER || layer == LAM_LAYER_CONCAT)
                        check_field((recipe) { .amortisation = kinds[kind], .rank = 1 + (size_t)layer % 3, .layer = (lam_layer)layer,
                            .activation = (lam_activation)act, .n_hidden = 1 + (size_t)layer % 2, .hidden = { 5, 9 }, .rows = 70,
                            .dim = 1 + (size_t)(layer + act * 3 + exact * 5) % 12, .no_gradients = 1, .seed = (uint64_t)act,
                            .divergence = exact ? LAM_DIV_EXACT : LAM_DIV_GAUSSIAN });
}

/* ---- gradients ---------------------------------------------------------------------------------------------------- */

static void gradients(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < KINDS; kind++)
        for (int act = LAM_ACT_TANH; act <= LAM_ACT_SOFTPLUS; act++)
            for (int divergence = 0; divergence <= LAM_DIV_GAUSSIAN; divergence++)
                for (int tpr = 0; tpr < 2; tpr++)
                    check_gradient((recipe) { .amortisation = kinds[kind], .layer = LAM_LAYER_CONCAT, .activation = (lam_activation)act,
                        .divergence = (lam_divergence)divergence, .n_hidden = 2, .hidden = { 6, 5 }, .blocks = 2, .rows = 70,
                        .time = 0.5, .times = tpr ? 4 : 0, .degree = 1, .coefficient = 5, .tolerance = 1e-3, .memory = tpr ? 16 : 0,
                        .rank = 2 + (size_t)act, .seed = (uint64_t)divergence });
}

/* Gates, whose gradient wants pre-activations without the row's share, under activations that ask for those with it; the
 * other layer types; one layer alone. */
static void gradients_of_other_layers(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < 3; kind++)
        for (int layer = 0; layer <= LAM_LAYER_HYPER; layer++)
            for (int act = 0; act < 3; act++) {
                static const lam_activation some[] = { LAM_ACT_SWISH, LAM_ACT_SQUARE, LAM_ACT_TANH };
                check_gradient((recipe) { .amortisation = kinds[kind], .layer = (lam_layer)layer, .activation = some[act], .rows = 5,
                    .divergence = (lam_divergence)(act), .n_hidden = 1 + (size_t)act, .hidden = { 4, 5, 3 }, .probes = 1 + (size_t)act,
                    .tolerance = 1e-3, .times = 4, .degree = 1, .coefficient = 2, .memory = act, .time = 0.2 });
            }
}

/* More tangents than a chunk: the exact trace of 9 to 17 columns, and eleven probes. */
static void gradients_of_chunks(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < KINDS; kind++)
        for (int act = LAM_ACT_TANH; act <= LAM_ACT_SOFTPLUS; act++) {
            recipe r = { .amortisation = kinds[kind], .layer = LAM_LAYER_CONCAT, .activation = (lam_activation)act, .dim = act ? 17 : 9,
                .n_hidden = 2, .hidden = { 6, 5 }, .rows = 70, .tolerance = 1e-2, .times = act ? 4 : 0, .degree = 1, .coefficient = 5,
                .memory = 16 };
            check_gradient(r);
            r.dim = 3, r.divergence = LAM_DIV_RADEMACHER, r.probes = 11;
            check_gradient(r);
        }
    check_gradient((recipe) { .amortisation = LAM_AMORTISED_LOW_RANK, .layer = LAM_LAYER_CONCATSQUASH, .activation = LAM_ACT_SWISH,
        .dim = 10, .n_hidden = 2, .hidden = { 6, 5 }, .rows = 5, .tolerance = 1e-2 });
}

/* Each table with each end convention, stages kept and recomputed. */
static void gradients_of_solvers(void **state)
{
    (void)state;
    for (int solver = 0; solver < LAM_SOLVER_AUTO; solver++)
        for (int end = 0; end <= LAM_END_LAND_ALL; end++)
            check_gradient((recipe) { .amortisation = kinds[(size_t)(solver + end) % KINDS], .layer = LAM_LAYER_CONCAT,
                .solver = (lam_solver)solver, .end = (lam_end)end, .times = 4, .degree = 1, .coefficient = 5,
                .divergence = LAM_DIV_RADEMACHER, .memory = end == LAM_END_OVERSHOOT ? 0 : 16,
                .tolerance = solver == LAM_DOP853 ? 1e-7 : solver == LAM_HEUN21 ? 1e-2 : 1e-4, .time = 0.7 });
}

static void gradients_of_every_set(void **state)
{
    (void)state;
    for (int isa = 0; isa < LAM_ISA_COUNT; isa++)
        for (size_t kind = 0; kind < KINDS && lam_isa_available((lam_isa)isa); kind++)
            check_gradient((recipe) { .amortisation = kinds[kind], .layer = LAM_LAYER_CONCAT, .isa = lam_isa_name((lam_isa)isa),
                .hidden = { 7 }, .rows = 70, .tolerance = 1e-3, .divergence = LAM_DIV_GAUSSIAN });
}

/* The exact flow's dL/ds of T = s^2, as in gradient.c: differences of solves at 1e-11 meet it to 1e-6. */
static void end_times(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < KINDS; kind++)
        for (int tpr = 0; tpr < 2; tpr++) {
            rows w = rows_create((recipe) { .amortisation = kinds[kind], .layer = LAM_LAYER_CONCAT, .train_time = 1, .blocks = 2, .time = 0.8,
                .tolerance = 1e-11, .divergence = tpr ? LAM_DIV_GAUSSIAN : LAM_DIV_EXACT, .times = tpr ? 4 : 0, .degree = 1,
                .coefficient = 5, .end = LAM_END_LAND_ALL });
            rows_open(&w);
            rows_gradient(&w);
            const double *g = w.f.grad + w.f.layout.time, one = 1;
            for (size_t b = 0; b < 2; b++) {
                size_t at = w.f.layout.time + b;
                double by_difference = slope(&w, w.f.params, &at, &one, 1);
                if (!(fabs(by_difference - g[b]) <= 1e-6 * largest(g, 2)))
                    fail_msg("sqrt of the end time of block %zu: %.10g by differences, %.10g", b, by_difference, g[b]);
            }
            rows_close(&w);
        }
}

/* ---- what must not matter ----------------------------------------------------------------------------------------- */

static void assert_same(const rows *a, const rows *b)
{
    size_t n = a->f.rows, d = a->f.r.dim;
    assert_memory_equal(a->z, b->z, n * d * sizeof *a->z);
    assert_memory_equal(a->l, b->l, n * sizeof *a->l);
    assert_memory_equal(a->f.grad, b->f.grad, a->f.layout.parameters * sizeof *a->f.grad);
    assert_memory_equal(a->f.grad_x, b->f.grad_x, n * d * sizeof *a->f.grad_x);
    for (size_t i = 0; i < a->f.layout.blocks; i++)
        assert_memory_equal(a->g_am[i], b->g_am[i], a->planes * sizeof *a->g_am[i]);
}

/* Threads, memory for records, what lies in lanes past the rows, and being asked again: the same bits. */
static void same_bits(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < KINDS; kind++) {
        rows all[5]; /* an engine keeps a reference to its flow's layout */
        for (size_t turn = 0; turn < 5; turn++) {
            rows *w = &all[turn];
            *w = rows_create((recipe) { .amortisation = kinds[kind], .layer = LAM_LAYER_CONCAT, .rows = 150, .threads = 1 + turn % 3,
                .blocks = 2, .times = 4, .degree = 1, .coefficient = 5, .divergence = LAM_DIV_RADEMACHER, .hidden = { 16 },
                .memory = turn == 3 ? 0 : 64 });
            for (size_t b = 0; turn == 4 && b < 2; b++)
                for (size_t i = 0; i < w->n_am; i++)
                    for (size_t r = 150 % LAM_TILE; r < LAM_TILE; r++)
                        w->am[b][(2 * w->n_am + i) * LAM_TILE + r] = 0.3;
            rows_open(w);
            rows_gradient(w);
            assert_int_equal(w->counts.recomputed, turn == 3 ? w->counts.backward : 0);
            assert_same(&all[0], w);
            must(lam_engine_reverse_f64(w->f.engine, &(lam_flow_call_f64) { .solve = &w->f.solve }, &w->f.penalty, w->w, w->g_l,
                &(lam_flow_gradient_f64) { w->f.grad, w->f.grad_x, w->g_am }, &w->counts));
            assert_same(&all[0], w);
        }
        for (size_t turn = 0; turn < 5; turn++)
            rows_close(&all[turn]);
    }
}

/* Row parameters of zero, or with U = 0 and b = 0 alone: the plain field. Sums are taken in another order: rounding. */
static void zeros_are_the_plain_field(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < 2; kind++)
        for (int layer = 0; layer <= LAM_LAYER_HYPER; layer++)
            for (int exact = 0; exact < 2; exact++) {
                recipe r = { .layer = (lam_layer)layer, .rows = 70, .blocks = 2, .n_hidden = 2, .hidden = { 6, 5 }, .times = 4, .degree = 1,
                    .coefficient = 5, .divergence = exact ? LAM_DIV_EXACT : LAM_DIV_GAUSSIAN, .activation = LAM_ACT_SWISH };
                rows plain = rows_create(r);
                r.amortisation = kinds[kind];
                rows w = rows_create(r);
                for (size_t b = 0; b < 2; b++)
                    for (size_t k = 0; k < 3; k++) {
                        const lam_field_layer *l = &w.f.layout.field.layer[k];
                        for (size_t row = 0; row < 70; row++) {
                            for (size_t i = 0; i < l->in * l->rank; i++)
                                w.am[b][row_at(&w, row, l->row_u + i)] = 0;
                            for (size_t o = 0; o < l->out; o++)
                                w.am[b][row_at(&w, row, l->row_b + o)] = 0;
                        }
                    }
                rows_open(&plain);
                rows_open(&w);
                double loss = rows_gradient(&plain);
                size_t n = w.f.layout.parameters;
                assert_true(fabs(rows_gradient(&w) - loss) <= 1e-12 * (1 + fabs(loss)));
                assert_true(difference(w.z, plain.z, 210) <= 1e-13 * largest(plain.z, 210));
                assert_true(difference(w.f.grad, plain.f.grad, n) <= 1e-12 * largest(plain.f.grad, n));
                assert_true(difference(w.f.grad_x, plain.f.grad_x, 210) <= 1e-12 * largest(plain.f.grad_x, 210));
                rows_close(&plain);
                rows_close(&w);
            }
}

/* The training loss is its halves around the base density: the same bits. */
static void halves_are_the_loss(void **state)
{
    (void)state;
    for (int method = 0; method <= LAM_GRAD_ADJOINT; method++) {
        rows w = rows_create((recipe) { .rows = 70, .blocks = 2, .times = 4, .degree = 1, .coefficient = 5, .method = (lam_gradient)method });
        size_t n = w.f.layout.parameters;
        rows_open(&w);
        must(flow_gradient(&w.f));
        double *grad = malloc(n * sizeof *grad), *grad_x = malloc(210 * sizeof *grad_x), logp[70], nll = 0;
        memcpy(grad, w.f.grad, n * sizeof *grad);
        memcpy(grad_x, w.f.grad_x, 210 * sizeof *grad_x);
        rows_loss(&w);
        log_density(w.z, w.l, 70, 3, logp);
        for (size_t i = 0; i < 70; i++)
            nll -= logp[i] / 70;
        assert_true(fabs(nll - w.f.loss.nll) <= 1e-14 * fabs(nll));
        assert_true(w.tpr == tpr_of(&w.f.loss));
        for (size_t i = 0; i < 210; i++)
            w.w[i] = w.z[i] / 70;
        must(lam_engine_reverse_f64(w.f.engine, &(lam_flow_call_f64) { .solve = &w.f.solve }, &w.f.penalty, w.w, 1.0 / 70,
            &(lam_flow_gradient_f64) { w.f.grad, w.f.grad_x, NULL }, &w.counts));
        assert_memory_equal(grad, w.f.grad, n * sizeof *grad);
        assert_memory_equal(grad_x, w.f.grad_x, 210 * sizeof *grad_x);
        assert_int_equal(w.counts.forward, w.f.loss.counts.forward);
        assert_int_equal(w.counts.backward, w.f.loss.counts.backward);
        free(grad), free(grad_x);
        rows_close(&w);
    }
}

/* ---- float -------------------------------------------------------------------------------------------------------- */

/* The headers declare one width a file. */
typedef struct lam_engine_f32 lam_engine_f32;
lam_status lam_engine_create_f32(const lam_layout *layout, lam_pool *pool, const lam_engine_options *options, lam_engine_f32 **out);
void lam_engine_free_f32(lam_engine_f32 *engine);
void lam_engine_amortise_f32(lam_engine_f32 *engine, const float *const *am);
void lam_engine_freeze_f32(lam_engine_f32 *engine, int freeze);
lam_status lam_engine_set_steps_f32(lam_engine_f32 *engine, size_t block, size_t n, const double *t, const double *h);
typedef struct lam_flow_call_f32 {
    const float *params;
    const double *x;
    const size_t *index;
    size_t rows;
    const lam_flow_solve *solve;
    const lam_noise *noise;
} lam_flow_call_f32;
typedef struct lam_flow_gradient_f32 {
    float *grad;
    double *g_z0;
    float *const *g_am;
} lam_flow_gradient_f32;
lam_status lam_engine_forward_f32(lam_engine_f32 *engine, const lam_flow_call_f32 *call, const lam_penalty *penalty, double *z, double *l,
    lam_loss *loss);
lam_status lam_engine_reverse_f32(lam_engine_f32 *engine, const lam_flow_call_f32 *call, const lam_penalty *penalty, const double *g_z,
    double g_l, const lam_flow_gradient_f32 *to, lam_counts *counts);

static float *floats(const double *a, size_t n)
{
    float *b = aligned_alloc(64, (n * sizeof *b + 63) / 64 * 64);
    for (size_t i = 0; i < n; i++)
        b[i] = (float)a[i];
    return b;
}

/* The largest difference, relative to the largest number. */
static double error_of(const double *a, const float *b, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++)
        most = fmax(most, isnan(b[i]) ? INFINITY : fabs(a[i] - (double)b[i]));
    return most / largest(a, n);
}

typedef struct halves { /* what the float engine makes of the same problem */
    lam_engine_f32 *engine;
    float *params, *grad, *am[2], *g_am[2];
    double *z, *g_z0, l[70], tpr;
} halves;

/* Over the double engine's steps; 70 rows, two blocks. */
static halves run_in_float(const rows *w, lam_trace trace)
{
    halves f = { 0 };
    size_t n = w->f.layout.parameters, n_x = 70 * w->f.r.dim;
    lam_engine_options o = { .max_rows = 70, .probes = 1, .gradients = 1, .max_observations = 4, .trace = trace };
    lam_loss loss = { 0 };
    must(lam_engine_create_f32(&w->f.layout, w->f.pool, &o, &f.engine));
    f.params = floats(w->f.params, n), f.grad = calloc(n, sizeof *f.grad);
    f.z = calloc(n_x, sizeof *f.z), f.g_z0 = calloc(n_x, sizeof *f.g_z0);
    for (size_t b = 0; b < 2; b++) {
        const double *t, *h;
        size_t steps = lam_engine_steps_f64(w->f.engine, b, &t, &h);
        must(lam_engine_set_steps_f32(f.engine, b, steps, t, h));
        f.am[b] = floats(w->am[b], w->planes);
        f.g_am[b] = floats(w->g_am[b], w->planes);
    }
    lam_engine_amortise_f32(f.engine, (const float *const *)f.am);
    lam_engine_freeze_f32(f.engine, 1);
    must(lam_engine_forward_f32(f.engine, &(lam_flow_call_f32) { f.params, w->f.x, NULL, 70, &w->f.solve, &w->f.noise }, &w->f.penalty,
        f.z, f.l, &loss));
    f.tpr = tpr_of(&loss);
    must(lam_engine_reverse_f32(f.engine, &(lam_flow_call_f32) { .solve = &w->f.solve }, &w->f.penalty, w->w, w->g_l,
        &(lam_flow_gradient_f32) { f.grad, f.g_z0, f.g_am }, &loss.counts));
    return f;
}

static void drop_halves(halves *f)
{
    for (size_t b = 0; b < 2; b++)
        free(f->am[b]), free(f->g_am[b]);
    free(f->params), free(f->grad), free(f->z), free(f->g_z0);
    lam_engine_free_f32(f->engine);
}

/* Both widths over the same steps. A rounding is 6e-8; sums of a dozen products through three layers, some twenty stages there
 * and back, and a trace that cancels: a hundred of them at most. */
static void float_is_double_to_rounding(void **state)
{
    (void)state;
    static const double bound = 6e-6;
    for (size_t kind = 0; kind < KINDS; kind++)
        for (int divergence = 0; divergence <= LAM_DIV_GAUSSIAN; divergence++) {
            rows w = rows_create((recipe) { .amortisation = kinds[kind], .layer = LAM_LAYER_CONCAT, .rows = 70, .blocks = 2, .time = 0.5,
                .dim = divergence == LAM_DIV_EXACT ? 9 : 4, .n_hidden = 2, .hidden = { 12, 10 }, .times = 4, .degree = 1,
                .coefficient = 5, .divergence = (lam_divergence)divergence, .activation = LAM_ACT_SOFTPLUS, .tolerance = 1e-3 });
            size_t n_x = 70 * w.f.r.dim;
            for (size_t i = 0; i < w.f.layout.parameters; i++) /* the same numbers in both widths */
                w.f.params[i] = (double)(float)w.f.params[i];
            for (size_t b = 0; b < 2; b++)
                for (size_t i = 0; i < w.planes; i++)
                    w.am[b][i] = (double)(float)w.am[b][i];
            rows_open(&w);
            rows_gradient(&w);
            halves f = run_in_float(&w, divergence == LAM_DIV_EXACT ? LAM_TRACE_EXACT : LAM_TRACE_HUTCHINSON);
            assert_true(difference(f.z, w.z, n_x) <= bound * largest(w.z, n_x));
            assert_true(difference(f.l, w.l, 70) <= bound * largest(w.l, 70));
            assert_true(fabs(f.tpr - w.tpr) <= 10 * bound * w.tpr); /* small residuals of large states */
            assert_true(difference(f.g_z0, w.f.grad_x, n_x) <= bound * largest(w.f.grad_x, n_x));
            assert_true(w.f.layout.time == 0 || error_of(w.f.grad, f.grad, w.f.layout.time) <= bound); /* hyper shares nothing */
            for (size_t b = 0; b < 2; b++) {
                for (size_t i = w.n_am * LAM_TILE; i < w.planes; i++)
                    if (i % LAM_TILE >= 70 % LAM_TILE) /* past the rows vectors reach differently far */
                        f.g_am[b][i] = (float)(w.g_am[b][i] = 0);
                assert_true(error_of(w.g_am[b], f.g_am[b], w.planes) <= bound);
            }
            drop_halves(&f);
            rows_close(&w);
        }
}

/* ---- the chain as a whole ----------------------------------------------------------------------------------------- */

/* There and back at a tolerance of 1e-9, with row parameters of its own in each block. */
static void round_trip(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < KINDS; kind++) {
        rows w = rows_create((recipe) { .amortisation = kinds[kind], .layer = LAM_LAYER_CONCAT, .rows = 70, .blocks = 2, .no_gradients = 1,
            .tolerance = 1e-9, .time = 0.5 });
        rows_open(&w);
        double back[210], l[70];
        must(lam_engine_transform_f64(w.f.engine, &(lam_flow_call_f64) { w.f.params, w.f.x, NULL, 70, &w.f.solve, NULL }, 1, w.z, w.l,
            &w.counts));
        must(lam_engine_transform_f64(w.f.engine, &(lam_flow_call_f64) { w.f.params, w.z, NULL, 70, &w.f.solve, NULL }, 0, back, l,
            &w.counts));
        assert_true(difference(back, w.f.x, 210) <= 1e-7);
        assert_true(difference(w.z, w.f.x, 210) > 0.1);
        for (size_t i = 0; i < 70; i++)
            assert_true(fabs(l[i] + w.l[i]) <= 1e-7);
        rows_close(&w);
    }
}

static void refusals(void **state)
{
    (void)state;
    recipe r = { .amortisation = LAM_AMORTISED_LOW_RANK };
    lam_field_shape s;
    const size_t hidden[] = { 4 };
    lam_engine_f64 *engine;
    rows w = rows_create(r);
    lam_engine_options o = { .max_rows = 7, .trace = LAM_TRACE_EXACT, .gradients = 1, .control = LAM_CONTROL_TILE };
    assert_int_equal(lam_engine_create_f64(&w.f.layout, w.f.pool, &o, &engine), LAM_ERR_UNSUPPORTED);
    o.control = LAM_CONTROL_BATCH, o.method = LAM_GRAD_ADJOINT;
    assert_int_equal(lam_engine_create_f64(&w.f.layout, w.f.pool, &o, &engine), LAM_ERR_UNSUPPORTED);
    rows_open(&w);
    lam_engine_amortise_f64(w.f.engine, NULL);
    assert_int_equal(flow_gradient(&w.f), LAM_ERR_ARGUMENT);
    lam_engine_amortise_f64(w.f.engine, (const double *const *)w.am);
    rows_gradient(&w);
    for (size_t i = 0; i < w.planes; i++)
        w.g_am[0][i] = 77;
    must(flow_gradient(&w.f)); /* a density's loss is to be had, and leaves the gradient of before alone */
    for (size_t i = 0; i < w.planes; i++)
        assert_true(w.g_am[0][i] == 77);
    rows_close(&w);
    r.amortisation = LAM_AMORTISED_NONE;
    w = rows_create(r);
    rows_open(&w);
    rows_gradient(&w);
    assert_int_equal(lam_engine_reverse_f64(w.f.engine, &(lam_flow_call_f64) { .solve = &w.f.solve }, &w.f.penalty, w.w, 1,
        &(lam_flow_gradient_f64) { w.f.grad, NULL, w.g_am }, &w.counts),
        LAM_ERR_ARGUMENT);
    rows_close(&w);
    assert_int_equal(lam_field_shape_amortised(&s, 3, hidden, 1, LAM_LAYER_CONCAT, LAM_ACT_TANH, LAM_AMORTISED_LOW_RANK, 0),
        LAM_ERR_ARGUMENT);
    assert_int_equal(lam_field_shape_amortised(&s, 3, hidden, 1, LAM_LAYER_IGNORE, LAM_ACT_TANH, LAM_AMORTISED_HYPER, 1),
        LAM_ERR_ARGUMENT);
}

/* Lengths of a row's vector, of published settings the first three (MNIST, Frey Faces, Caltech). */
static void sizes(void **state)
{
    (void)state;
    static const struct {
        lam_amortised kind;
        size_t hidden[2], n_hidden, rank, want, shared;
    } c[] = {
        { LAM_AMORTISED_LOW_RANK, { 1024, 1024 }, 2, 64, 272448, 65 * 1024 + 1024 + 1025 * 1024 + 1024 + 1025 * 64 + 64 },
        { LAM_AMORTISED_LOW_RANK, { 512, 512 }, 2, 20, 44608, 65 * 512 + 512 + 513 * 512 + 512 + 513 * 64 + 64 },
        { LAM_AMORTISED_LOW_RANK, { 2048 }, 1, 20, 86592, 65 * 2048 + 2048 + 2049 * 64 + 64 },
        { LAM_AMORTISED_BIAS, { 512, 256 }, 2, 1, 512 + 256 + 64, 65 * 512 + 512 + 513 * 256 + 256 + 257 * 64 + 64 },
        { LAM_AMORTISED_LYPER, { 512, 256 }, 2, 1, 257 * 64 + 64, 65 * 512 + 512 + 513 * 256 + 256 },
        { LAM_AMORTISED_HYPER, { 20, 10 }, 2, 1, 65 * 20 + 20 + 21 * 10 + 10 + 11 * 64 + 64, 0 },
    };
    for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
        lam_field_shape s;
        must(lam_field_shape_amortised(&s, 64, c[i].hidden, c[i].n_hidden, LAM_LAYER_CONCAT, LAM_ACT_TANH, c[i].kind, c[i].rank));
        assert_int_equal(s.row_parameters, c[i].want);
        assert_int_equal(s.parameters, c[i].shared);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_and_derivatives),
        cmocka_unit_test(gradients),
        cmocka_unit_test(gradients_of_other_layers),
        cmocka_unit_test(gradients_of_chunks),
        cmocka_unit_test(gradients_of_solvers),
        cmocka_unit_test(gradients_of_every_set),
        cmocka_unit_test(end_times),
        cmocka_unit_test(same_bits),
        cmocka_unit_test(zeros_are_the_plain_field),
        cmocka_unit_test(halves_are_the_loss),
        cmocka_unit_test(float_is_double_to_rounding),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(refusals),
        cmocka_unit_test(sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
