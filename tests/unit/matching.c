/* The loss of flow matching (method.md 11): its gradient against finite differences in double, its value against a plain computation
 * and against closed forms; that nothing but seed, stream and rows decides on it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define LAM_WIDTH 64
#include "penalty/matching.h"
#include "penalty/pairing.h"
#include "reverse.h"

/* The loss of a flow whose engine is opened for its field alone, by one matcher for all of a test's calls. */
static lam_matcher_f64 *matcher;
static lam_matching call;

static double matching(flow *f)
{
    lam_counts counts = { 0 };
    double loss;
    must(lam_matching_loss_f64(matcher, &(lam_flow_call_f64) { .params = f->params, .x = f->x, .rows = f->rows }, &call, f->grad, &loss,
        &counts));
    return loss;
}

static void open_matcher(flow *f)
{
    must(lam_matcher_create_f64(&f->layout, f->pool, &(lam_engine_options) { .max_rows = f->r.rows, .isa = f->r.isa }, &matcher));
    call = (lam_matching) { .seed = f->r.seed, .stream = 5 };
    f->value = matching;
}

static void close_matcher(flow *f)
{
    lam_matcher_free_f64(matcher);
    matcher = NULL;
    flow_close(f);
}

/* ---- gradients ---------------------------------------------------------------------------------------------------- */

static void check_matching(recipe r)
{
    lam_layout_tensor t;
    flow f = flow_create(r);
    open_matcher(&f);
    f.loss.loss = matching(&f);
    size_t n = f.layout.parameters;
    double *grad = malloc(n * sizeof *grad);
    memcpy(grad, f.grad, n * sizeof *grad); /* every call of the loss sets f.grad */
    for (size_t i = 0; lam_layout_tensor_at(&f.layout, i, &t); i++)
        if (t.offset < f.layout.time)
            check_tensor(&f, t.name, f.params + t.offset, grad + t.offset, t.count);
    for (size_t b = 0; b < f.layout.blocks; b++)
        assert_true(grad[f.layout.time + b] == 0); /* they are taken as they are */
    free(grad);
    close_matcher(&f);
}

static void layers_and_activations(void **state)
{
    (void)state;
    for (int layer = 0; layer <= LAM_LAYER_HYPER; layer++)
        for (int act = 0; act <= LAM_ACT_IDENTITY; act++) {
            int turn = layer * 2 + act;
            check_matching((recipe) { .layer = (lam_layer)layer, .activation = (lam_activation)act, .n_hidden = 1 + (size_t)turn % 3,
                .hidden = { 5, 7, 4 }, .blocks = 1 + (size_t)turn % 2, .time = turn % 3 ? 0.7 : 1.6, .seed = (uint64_t)turn });
        }
}

/* One column, many; one row, a tile, a tile and a row, more tiles than slots. */
static void columns_and_rows(void **state)
{
    (void)state;
    static const size_t dims[] = { 1, 9, 2, 2, 4 }, rows[] = { 1, 64, 65, 17 * 64 + 3, 200 };
    for (size_t i = 0; i < 5; i++)
        check_matching((recipe) { .dim = dims[i], .rows = rows[i], .blocks = 3, .time = 0.5, .layer = LAM_LAYER_CONCATSQUASH,
            .activation = LAM_ACT_SOFTPLUS, .seed = i });
}

/* ---- against a plain computation ---------------------------------------------------------------------------------- */

/* (8) by the formula, tile by tile from the documented draws, on the field's values as lam_engine_field gives them. */
static double plain_loss(flow *f)
{
    size_t d = f->r.dim, tiles = (f->rows + 63) / 64, blocks = f->layout.blocks, slots = tiles < 16 ? tiles : 16;
    size_t looks = tiles < LAM_MATCHING_TIMES ? (LAM_MATCHING_TIMES + tiles - 1) / tiles : 1;
    double *z = malloc(64 * d * sizeof *z), *v = malloc(64 * d * sizeof *v), *e = malloc(64 * d * sizeof *e), *cost = malloc(64 * 64 * sizeof *cost);
    double sum = 0;
    for (size_t look = 0; look < looks; look++)
        for (size_t tile = 0; tile < tiles; tile++) {
            size_t n = f->rows - 64 * tile < 64 ? f->rows - 64 * tile : 64, to[64];
            const double *x = f->x + 64 * tile * d;
            for (size_t i = 0; i < n; i++) {
                to[i] = i;
                lam_random_normal_row(call.seed, LAM_DRAW_MATCH, call.stream * 8 + look, 64 * tile + i, e + i * d, d);
            }
            for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < n; j++) {
                    cost[i * n + j] = 0;
                    for (size_t k = 0; k < d; k++)
                        cost[i * n + j] += pow(e[j * d + k] - x[i * d + k], 2);
                }
            if (call.paired)
                lam_pairing(n, cost, to);
            for (size_t b = 0; b < blocks; b++) {
                double end = pow(f->params[f->layout.time + b], 2);
                double u = lam_random_uniform(call.seed, LAM_DRAW_MATCH_TIME, call.stream, b);
                double t = end * fmod(u + (double)(tile % slots * looks + look) / (double)(slots * looks), 1);
                double s = ((double)b + t / end) / (double)blocks;
                for (size_t i = 0; i < n * d; i++)
                    z[i] = (1 - s) * x[i] + s * e[to[i / d] * d + i % d];
                must(lam_engine_field_f64(f->engine, &(lam_flow_call_f64) { .params = f->params, .x = z, .rows = n },
                    &(lam_field_point) { b, t, NULL }, v, NULL, NULL));
                for (size_t i = 0; i < n * d; i++)
                    sum += pow(v[i] - (e[to[i / d] * d + i % d] - x[i]) / ((double)blocks * end), 2);
            }
        }
    free(z), free(v), free(e), free(cost);
    return sum / (double)(blocks * looks * f->rows * d);
}

/* Both sum some thousand numbers of one sign, in other orders. */
static void the_formula(void **state)
{
    (void)state;
    static const size_t rows[] = { 1, 7, 64, 65, 500, 1100 };
    static const char *const isas[] = { "scalar", "sse2", "avx2", "avx512", "neon" };
    size_t turn = 0;
    for (size_t isa = 0; isa < 5; isa++)
        for (size_t i = 0; i < 6; i++, turn++) {
            flow f = flow_create((recipe) { .rows = rows[i], .dim = 1 + turn % 4, .blocks = 1 + turn % 3, .time = 0.4 + 0.3 * (double)i,
                .layer = (lam_layer)(turn % 7), .activation = (lam_activation)((turn + 3) % 7), .seed = turn, .isa = isas[isa] });
            lam_status status = lam_matcher_create_f64(&f.layout, f.pool, &(lam_engine_options) { .max_rows = rows[i], .isa = isas[isa] }, &matcher);
            lam_matcher_free_f64(matcher);
            matcher = NULL;
            if (status == LAM_ERR_UNSUPPORTED) { /* on this processor, or in this build */
                flow_close(&f);
                break;
            }
            flow_open(&f);
            open_matcher(&f);
            for (call.paired = 0; call.paired < 2; call.paired++) {
                double loss = matching(&f), plain = plain_loss(&f);
                if (!(fabs(loss - plain) <= 1e-12 * plain))
                    fail_msg("%s, %zu rows: %.17g, and %.17g by the formula", isas[isa], rows[i], loss, plain);
            }
            close_matcher(&f);
        }
}

/* ---- closed forms ------------------------------------------------------------------------------------------------- */

/* A field a z + b in every block: one hidden unit a column, no activation. */
static void make_linear(flow *f, const double *a, double b)
{
    lam_layout_tensor t;
    size_t d = f->r.dim;
    for (size_t i = 0, w = 0; lam_layout_tensor_at(&f->layout, i, &t); i++) {
        if (t.offset >= f->layout.time)
            continue;
        memset(f->params + t.offset, 0, t.count * sizeof(double));
        int last = strstr(t.name, "layers.1.") != NULL;
        for (size_t k = 0; k < d; k++)
            if (t.dims == 2)
                f->params[t.offset + k * (d + 1)] = last ? a[w] : 1;
            else if (last)
                f->params[t.offset + k] = b;
        w += t.dims == 2 && last;
    }
}

/* The mean over e of the squared residual at one s, and over x [n] (every column of every row is one). */
static double residual(size_t n, const double *x, double a, double b, double s, double speed)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += pow(x[i] * (a * (1 - s) + speed) + b, 2) + pow(a * s - speed, 2);
    return sum / (double)n;
}

/* The mean of the loss over noise and times for the rows at hand: squares of s, which Simpson's rule integrates exactly. */
static double expected(const flow *f, const double *a, double b)
{
    size_t blocks = f->layout.blocks, n = f->rows * f->r.dim;
    double sum = 0, speed = 1 / ((double)blocks * f->r.time);
    for (size_t k = 0; k < blocks; k++) {
        double first = (double)k / (double)blocks, last = (double)(k + 1) / (double)blocks;
        sum += (residual(n, f->x, a[k], b, first, speed) + 4 * residual(n, f->x, a[k], b, (first + last) / 2, speed)
                   + residual(n, f->x, a[k], b, last, speed)) / 6 / (double)blocks;
    }
    return sum;
}

/* The mean over many streams is that number, within four and a half standard errors: about one in 150000 such tests would fail by
 * chance, and this one's draws are fixed. 65 rows: a last tile of one row must not keep some times to itself. */
static void its_mean_is_the_closed_form(void **state)
{
    (void)state;
    enum { STREAMS = 3000 };
    static const double a[3] = { 1.3, -0.9, 0.6 };
    static const size_t rows[] = { 5, 65, 64 * 9 + 1 };
    for (size_t i = 0; i < 9; i++) {
        size_t blocks = 1 + i % 3;
        flow f = flow_create((recipe) { .dim = 2, .hidden = { 2 }, .rows = rows[i / 3], .blocks = blocks, .time = i % 2 ? 0.6 : 2.5,
            .layer = LAM_LAYER_IGNORE, .activation = LAM_ACT_IDENTITY, .seed = i });
        open_matcher(&f);
        make_linear(&f, a, 0.4);
        double mean = 0, square = 0;
        for (size_t k = 0; k < STREAMS / (i / 3 * 4 + 1); k++) {
            call.stream = k;
            double loss = matching(&f), before = mean;
            mean += (loss - mean) / (double)(k + 1); /* Welford */
            square += (loss - before) * (loss - mean);
        }
        double n = STREAMS / (double)(i / 3 * 4 + 1), error = sqrt(square / (n - 1) / n), want = expected(&f, a, 0.4);
        assert_true(error < 0.02 * want);
        if (!(fabs(mean - want) < 4.5 * error))
            fail_msg("%zu rows, %zu blocks: %.6g +- %.2g, and %.6g in closed form", rows[i / 3], blocks, mean, error, want);
        close_matcher(&f);
    }
}

/* ---- what it depends on ------------------------------------------------------------------------------------------- */

static void threads_do_not_matter(void **state)
{
    (void)state;
    double *first = NULL, loss = 0;
    size_t n = 0;
    for (size_t threads = 1; threads <= 3; threads++) {
        flow f = flow_create((recipe) { .rows = 1500, .threads = threads, .blocks = 2, .layer = LAM_LAYER_HYPER,
            .activation = LAM_ACT_SWISH });
        open_matcher(&f);
        call.paired = 1;
        double now = matching(&f);
        if (threads == 1) {
            loss = now, n = f.layout.parameters;
            first = malloc(n * sizeof *first);
            memcpy(first, f.grad, n * sizeof *first);
        }
        assert_true(now == loss);
        assert_memory_equal(first, f.grad, n * sizeof *first);
        close_matcher(&f);
    }
    free(first);
}

/* A matcher has no memory: a batch between changes nothing. An index is rows of another order; draws go by place. */
static void calls_stand_alone(void **state)
{
    (void)state;
    size_t index[300];
    lam_counts counts = { 0 };
    double again, other, moved;
    flow f = flow_create((recipe) { .rows = 300, .dim = 2, .blocks = 2 });
    open_matcher(&f);
    double loss = matching(&f);
    must(lam_matching_loss_f64(matcher, &(lam_flow_call_f64) { .params = f.params, .x = f.x + 20, .rows = 70 }, &call, f.grad, &other,
        &counts));
    assert_int_equal(counts.forward, 2 * 4); /* blocks, and looks at two tiles that make eight */
    assert_int_equal(counts.backward, 2 * 4);
    assert_int_equal(counts.solves + counts.accepted + counts.rejected + counts.recomputed, 0);
    assert_true(matching(&f) == loss);
    for (size_t i = 0; i < 300; i++)
        index[i] = 299 - i;
    must(lam_matching_loss_f64(matcher, &(lam_flow_call_f64) { .params = f.params, .x = f.x, .index = index, .rows = 300 }, &call, f.grad,
        &moved, &counts));
    assert_true(moved != loss);
    for (size_t i = 0; i < 150; i++)
        for (size_t k = 0; k < 2; k++) {
            double kept = f.x[2 * i + k];
            f.x[2 * i + k] = f.x[2 * (299 - i) + k], f.x[2 * (299 - i) + k] = kept;
        }
    must(lam_matching_loss_f64(matcher, &(lam_flow_call_f64) { .params = f.params, .x = f.x, .rows = 300 }, &call, f.grad, &again,
        &counts));
    assert_true(again == moved);
    call.stream++;
    assert_true(matching(&f) != again);
    call.stream--, call.seed++;
    assert_true(matching(&f) != again);
    close_matcher(&f);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    double loss;
    lam_counts counts = { 0 };
    lam_matcher_f64 *none = NULL;
    flow f = flow_create((recipe) { .rows = 10 });
    open_matcher(&f);
    assert_int_equal(lam_matching_loss_f64(matcher, &(lam_flow_call_f64) { .params = f.params, .x = f.x, .rows = 0 }, &call, f.grad,
        &loss, &counts), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_matching_loss_f64(matcher, &(lam_flow_call_f64) { .params = f.params, .x = f.x, .rows = 11 }, &call, f.grad,
        &loss, &counts), LAM_ERR_ARGUMENT);
    f.x[3] = 1e200; /* its square is no double */
    call.paired = 1;
    assert_int_equal(lam_matching_loss_f64(matcher, &(lam_flow_call_f64) { .params = f.params, .x = f.x, .rows = 10 }, &call, f.grad,
        &loss, &counts), LAM_ERR_DIVERGED);
    close_matcher(&f);
    f = flow_create((recipe) { .amortisation = LAM_AMORTISED_BIAS });
    assert_int_equal(lam_matcher_create_f64(&f.layout, f.pool, &(lam_engine_options) { .max_rows = 10, .isa = NULL }, &none), LAM_ERR_UNSUPPORTED);
    flow_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_and_activations),
        cmocka_unit_test(columns_and_rows),
        cmocka_unit_test(the_formula),
        cmocka_unit_test(its_mean_is_the_closed_form),
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(calls_stand_alone),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
