/* Densities that are conditional on given columns (method.md 14): the context's gradient against finite differences in double, rows of a
 * batch against rows alone, and what a fit of such a density is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define LAM_WIDTH 64
#include "penalty/matching.h"
#include "reverse.h"

/* ---- the flow ----------------------------------------------------------------------------------------------------- */

/* Every layer type with TPR and its weight of l, by one block and by two; traces, activations and penalties take turns. */
static void gradients(void **state)
{
    (void)state;
    for (int layer = 0; layer <= LAM_LAYER_HYPER; layer++)
        for (size_t turn = 0; turn < 4; turn++)
            check_recipe((recipe) { .layer = (lam_layer)layer, .activation = (lam_activation)((layer + (int)turn * 2) % 7), .inputs = 1 + turn,
                .own_maps = turn % 2, .n_hidden = 1 + turn % 2, .hidden = { 5, 4 }, .blocks = 1 + turn / 2, .divergence = (lam_divergence)(turn % 3),
                .probes = 1 + turn % 2, .times = 4, .degree = 1, .coefficient = 5, .l_weight = turn == 3 ? 0 : 2, .seed = turn,
                .kinetic = turn == 1 ? 0.7 : 0, .jacobian = turn == 2 ? 0.4 : 0, .tolerance = 1e-3 });
    check_recipe((recipe) { .dim = 9, .inputs = 2, .layer = LAM_LAYER_SQUASH, .rows = 70, .tolerance = 1e-3 }); /* two chunks */
    for (int own = 0; own < 2; own++)
        check_recipe((recipe) { .dim = 1, .inputs = 3, .own_maps = own, .rows = 70, .blocks = 2, .taylor = { 0.3, 0 }, .tolerance = 1e-3 });
    check_recipe((recipe) { .inputs = 2, .n_hidden = 2, .blocks = 3, .rows = 70, .train_time = 1, .error = 1, .error_l = 0.5, .tolerance = 1e-3 });
    check_recipe((recipe) { .inputs = 2, .taylor = { 0, 0.2 }, .layer = LAM_LAYER_CONCAT_V2, .divergence = LAM_DIV_GAUSSIAN });
}

static void refusals(void **state)
{
    (void)state;
    lam_engine_options o = { .max_rows = 7, .trace = LAM_TRACE_EXACT, .gradients = 1, .method = LAM_GRAD_ADJOINT };
    flow f = flow_create((recipe) { .inputs = 2 });
    assert_int_equal(lam_engine_create_f64(&f.layout, f.pool, &o, &f.engine), LAM_ERR_UNSUPPORTED);
    assert_non_null(strstr(lam_last_error(), "adjoint"));
    flow_open(&f);
    lam_engine_condition_f64(f.engine, &(lam_condition) { 0 });
    assert_int_equal(flow_gradient(&f), LAM_ERR_ARGUMENT);
    flow_close(&f);
    f = flow_create((recipe) { .inputs = 2, .layer = LAM_LAYER_SQUASH });
    o = (lam_engine_options) { .max_rows = 7, .trace = LAM_TRACE_EXACT, .gradients = 1, .integrands = 1, .integrand = { &lam_taylor[0] } };
    assert_int_equal(lam_engine_create_f64(&f.layout, f.pool, &o, &f.engine), LAM_ERR_UNSUPPORTED);
    assert_non_null(strstr(lam_last_error(), "taylor-coefficient"));
    flow_close(&f);
}

/* With fixed steps a row's numbers do not depend on the rows beside it, to the last bit; nor do they with an index. */
static void a_batch_is_its_rows(void **state)
{
    (void)state;
    enum { ROWS = 70, DIM = 3, INPUTS = 2 };
    flow f = flow_create((recipe) { .rows = ROWS, .inputs = INPUTS, .blocks = 2, .solver = LAM_RK4, .no_gradients = 1 });
    double z[ROWS * DIM], l[ROWS], alone[DIM], alone_l;
    size_t backwards[ROWS];
    lam_counts counts = { 0 };
    flow_open(&f);
    must(lam_engine_transform_f64(f.engine, &(lam_flow_call_f64) { f.params, f.x, NULL, ROWS, &f.solve, &f.noise }, 1, z, l, &counts));
    for (size_t i = 0; i < ROWS; i += 13) {
        const lam_condition condition = { .inputs = f.given + i * INPUTS };
        lam_engine_condition_f64(f.engine, &condition);
        must(lam_engine_transform_f64(f.engine, &(lam_flow_call_f64) { f.params, f.x + i * DIM, NULL, 1, &f.solve, &f.noise }, 1, alone,
            &alone_l, &counts));
        assert_memory_equal(alone, z + i * DIM, sizeof alone);
        assert_true(alone_l == l[i]);
    }
    const lam_condition all = { .inputs = f.given };
    double turned[ROWS * DIM], turned_l[ROWS];
    for (size_t i = 0; i < ROWS; i++)
        backwards[i] = ROWS - 1 - i;
    lam_engine_condition_f64(f.engine, &all);
    must(lam_engine_transform_f64(f.engine, &(lam_flow_call_f64) { f.params, f.x, backwards, ROWS, &f.solve, &f.noise }, 1, turned,
        turned_l, &counts));
    for (size_t i = 0; i < ROWS; i++)
        assert_true(turned_l[i] == l[ROWS - 1 - i]);
    flow_close(&f);
}

/* Tiles that take their own steps are batches of their own: the same losses and gradients as their mean. */
static void by_tile(void **state)
{
    (void)state;
    enum { ROWS = 100 };
    flow f = flow_create((recipe) { .rows = ROWS, .inputs = 2, .control = LAM_CONTROL_TILE, .times = 4, .degree = 1, .coefficient = 5,
        .tolerance = 1e-9 });
    flow whole = flow_create((recipe) { .rows = ROWS, .inputs = 2, .times = 4, .degree = 1, .coefficient = 5, .tolerance = 1e-9 });
    flow_open(&f);
    flow_open(&whole);
    must(flow_gradient(&f));
    must(flow_gradient(&whole));
    assert_true(fabs(f.loss.loss - whole.loss.loss) < 1e-7);
    assert_true(difference(f.grad, whole.grad, f.layout.time) < 1e-6 * largest(whole.grad, f.layout.time));
    flow_close(&f);
    flow_close(&whole);
}

/* ---- its start by flow matching ----------------------------------------------------------------------------------- */

typedef struct matched {
    flow f;
    lam_matcher_f64 *matcher;
    lam_condition condition;
} matched;

static double matching_loss(matched *m, double *grad)
{
    const lam_matching call = { .seed = 3, .stream = 1, .condition = &m->condition };
    lam_counts counts = { 0 };
    double loss;
    must(lam_matching_loss_f64(m->matcher, &(lam_flow_call_f64) { .params = m->f.params, .x = m->f.x, .rows = m->f.rows }, &call, grad,
        &loss, &counts));
    return loss;
}

static void check_matching(int own_maps)
{
    matched m = { .f = flow_create((recipe) { .rows = 70, .inputs = 2, .own_maps = own_maps, .n_hidden = 2, .blocks = 2, .layer = LAM_LAYER_CONCATSQUASH }) };
    lam_layout_tensor t;
    size_t n = m.f.layout.parameters;
    double *ignored = calloc(n, sizeof *ignored);
    m.condition.inputs = m.f.given;
    must(lam_matcher_create_f64(&m.f.layout, m.f.pool, &(lam_engine_options) { .max_rows = 70, .isa = NULL }, &m.matcher));
    matching_loss(&m, m.f.grad);
    for (size_t i = 0; lam_layout_tensor_at(&m.f.layout, i, &t); i++) {
        double *a = m.f.params + t.offset + t.count / 2, kept = *a, value[2], g = m.f.grad[t.offset + t.count / 2];
        for (int side = 0; side < 2 && t.offset < m.f.layout.time; side++) {
            *a = kept + (side ? 1e-5 : -1e-5);
            value[side] = matching_loss(&m, ignored);
            *a = kept;
        }
        if (t.offset < m.f.layout.time && !(fabs((value[1] - value[0]) / 2e-5 - g) < 1e-6 * (fabs(g) + 0.01)))
            fail_msg("%s: %.10g by differences, %.10g by the reverse", t.name, (value[1] - value[0]) / 2e-5, g);
    }
    lam_matcher_free_f64(m.matcher);
    free(ignored);
    flow_close(&m.f);
}

static void matching(void **state)
{
    (void)state;
    check_matching(0);
    check_matching(1);
}

/* ---- maps that are shared ----------------------------------------------------------------------------------------- */

/* Blocks with maps of their own that are alike are one flow with shared maps: the same losses, and gradients that add up to its. */
static void shared_maps_are_equal_ones(void **state)
{
    (void)state;
    const recipe r = { .rows = 70, .inputs = 2, .n_hidden = 2, .blocks = 3, .times = 4, .degree = 1, .coefficient = 5, .l_weight = 1 };
    recipe r_own = r;
    r_own.own_maps = 1;
    flow shared = flow_create(r), own = flow_create(r_own);
    const lam_field_shape *a = &shared.layout.context, *b = &own.layout.context;
    size_t lines = shared.layout.field.context_lines, last = a->tensors - 2, at = shared.layout.context_at;
    size_t weights = a->tensor[last].count, before = at + a->tensor[last].offset;
    assert_true(own.layout.context_at == at && b->tensor[last].offset == a->tensor[last].offset && b->tensor[last].count == 3 * weights);
    memcpy(own.params, shared.params, before * sizeof(double));
    for (size_t k = 0; k < 3; k++) {
        memcpy(own.params + before + k * weights, shared.params + before, weights * sizeof(double));
        memcpy(own.params + at + b->tensor[last + 1].offset + k * lines, shared.params + at + a->tensor[last + 1].offset, lines * sizeof(double));
        own.params[own.layout.time + k] = shared.params[shared.layout.time + k];
    }
    flow_open(&shared);
    flow_open(&own);
    must(flow_gradient(&shared));
    must(flow_gradient(&own));
    assert_true(fabs(shared.loss.loss - own.loss.loss) < 1e-12);
    assert_true(difference(shared.grad, own.grad, before) < 1e-12 * largest(shared.grad, before));
    for (size_t i = 0; i < weights + lines; i++) {
        size_t from = i < weights ? before + i : at + b->tensor[last + 1].offset + i - weights, step = i < weights ? weights : lines;
        double sum = own.grad[from] + own.grad[from + step] + own.grad[from + 2 * step];
        assert_true(fabs(shared.grad[before + i] - sum) < 1e-12 * largest(own.grad, own.layout.time));
    }
    flow_close(&shared);
    flow_close(&own);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(gradients), cmocka_unit_test(refusals), cmocka_unit_test(a_batch_is_its_rows),
        cmocka_unit_test(by_tile), cmocka_unit_test(matching), cmocka_unit_test(shared_maps_are_equal_ones) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
