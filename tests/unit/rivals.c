/* The penalties beside the published one (method.md 10): reverses against finite differences in double, closed forms, draws. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define LAM_WIDTH 64
#include "flow/inside.h"
#include "penalty/steer.h"
#include "reverse.h"

/* One after the other, and all at once: how the coefficients of a recipe are set in turn. */
enum { KINETIC = 1, JACOBIAN = 2, ON_L = 4, STEER = 8, COMBINATIONS = 16 };

static recipe with(recipe r, int which)
{
    r.kinetic = which & KINETIC ? 0.7 : 0;
    r.jacobian = which & JACOBIAN ? 0.4 : 0;
    r.steer = which & STEER ? 0.3 : 0;
    r.l_weight = which & ON_L ? 2 : 0;
    if (which & ON_L)
        r.times = r.times == 0 ? 4 : r.times, r.degree = 1, r.coefficient = 5;
    return r;
}

static void every_combination(void **state)
{
    (void)state;
    for (int which = 1; which < COMBINATIONS; which++)
        for (int divergence = 0; divergence <= LAM_DIV_GAUSSIAN; divergence++)
            check_recipe(with((recipe) { .divergence = (lam_divergence)divergence, .probes = 1 + (size_t)which % 2, .weights = 2,
                .blocks = 1 + (size_t)which % 3 / 2, .tolerance = 1e-3, .seed = (uint64_t)which }, which));
}

static void layers_and_activations(void **state)
{
    (void)state;
    for (int layer = 0; layer <= LAM_LAYER_HYPER; layer++)
        for (int act = 0; act <= LAM_ACT_IDENTITY; act++) {
            int turn = layer * 2 + act;
            check_recipe(with((recipe) { .layer = (lam_layer)layer, .activation = (lam_activation)act,
                .n_hidden = 1 + (size_t)turn % 3, .hidden = { 5, 7, 4 }, .divergence = (lam_divergence)(turn % 3),
                .probes = 1 + (size_t)turn % 2, .seed = (uint64_t)turn, .tolerance = 1e-3 }, KINETIC | JACOBIAN | ON_L));
        }
}

/* Interpolated ends, steps that begin with the last one's stage, kept records. */
static void solvers_and_ends(void **state)
{
    (void)state;
    for (int solver = 0; solver < LAM_SOLVER_AUTO; solver++)
        for (int end = 0; end <= LAM_END_LAND_ALL; end++)
            for (int kept = 0; kept < 2; kept++)
                check_recipe(with((recipe) { .solver = (lam_solver)solver, .end = (lam_end)end, .memory = kept, .blocks = 2,
                    .divergence = LAM_DIV_RADEMACHER, .weights = 2,
                    .tolerance = solver == LAM_DOP853 ? 1e-7 : solver == LAM_HEUN21 ? 1e-2 : 1e-4 },
                    kept ? KINETIC | JACOBIAN | ON_L | STEER : KINETIC | JACOBIAN));
}

/* The exact trace's chunks of eight tangents, and tiles that the rows do not fill. */
static void chunks_and_tiles(void **state)
{
    (void)state;
    static const size_t dims[] = { 1, 8, 9, 17 };
    for (size_t i = 0; i < 4; i++)
        check_recipe(with((recipe) { .dim = dims[i], .hidden = { 6, 5 }, .n_hidden = 2, .layer = LAM_LAYER_CONCATSQUASH, .rows = 5,
            .tolerance = 1e-3 }, KINETIC | JACOBIAN | (i % 2 ? ON_L : 0)));
    check_recipe(with((recipe) { .divergence = LAM_DIV_RADEMACHER, .probes = 11 }, JACOBIAN | ON_L));
    check_recipe(with((recipe) { .rows = 70, .divergence = LAM_DIV_GAUSSIAN, .blocks = 2, .tolerance = 1e-3 }, COMBINATIONS - 1));
}

static void trained_end_times(void **state)
{
    (void)state;
    for (int which = 1; which < COMBINATIONS; which++)
        check_end_time(with((recipe) { .blocks = 1 + (size_t)which % 2, .divergence = which % 3 ? LAM_DIV_GAUSSIAN : LAM_DIV_EXACT,
            .weights = 1.5, .time = 0.8, .end = LAM_END_LAND_ALL }, which));
}

/* The penalty on the solver's error: of z and of l, with every pair that has one estimate, ends inside of steps, kept records, other
 * penalties beside it, and on z alone where the controller looks at z alone. */
static void solver_error(void **state)
{
    (void)state;
    static const lam_solver pairs[] = { LAM_DOPRI5, LAM_TSIT5, LAM_BOSH3, LAM_HEUN21 };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        for (int end = 0; end <= LAM_END_LAND_ALL; end++)
            for (int kept = 0; kept < 2; kept++) {
                recipe r = { .solver = pairs[i], .end = (lam_end)end, .memory = kept, .blocks = 2, .weights = 2, .rows = kept ? 7 : 70,
                    .divergence = kept ? LAM_DIV_EXACT : LAM_DIV_RADEMACHER, .error = 0.3, .error_l = kept ? 0.7 : 0,
                    .tolerance = pairs[i] == LAM_HEUN21 ? 1e-2 : 1e-3, .layer = kept ? LAM_LAYER_CONCATSQUASH : LAM_LAYER_CONCAT };
                check_recipe(r);
                check_recipe(with(r, KINETIC | JACOBIAN | ON_L));
            }
    check_recipe((recipe) { .error = 1, .weights = 2, .error_parts = LAM_ERROR_Z, .tolerance = 1e-3 });
}

/* Of one part its value is the sum of the squared error ratios of the steps, which their proposals tell: 0.9 h ratio^(-1/5). */
static void solver_error_is_what_the_controller_saw(void **state)
{
    (void)state;
    flow f = flow_create((recipe) { .error = 1, .error_parts = LAM_ERROR_Z, .weights = 0.2, .tolerance = 1e-2 });
    const double *t, *h;
    flow_open(&f);
    must(flow_gradient(&f));
    size_t steps = lam_engine_steps_f64(f.engine, 0, &t, &h);
    double value = lam_terms_value(&f.loss.terms, "error"), sum = 0;
    for (size_t n = 0; n < steps; n++)
        sum += pow(0.9 * h[n] / f.engine->path[0]->proposal[n], 10);
    assert_true(value > 0 && value <= (double)steps);
    assert_true(fabs(f.loss.loss - f.loss.nll - value) < 1e-12);
    assert_true(fabs(value / sum - 1) < 1e-9);
    flow_close(&f);
}

/* dz/dt = A z with a diagonal A has z_i = x_i exp(a_i t): kinetic = mean_D a_i^2 x_i^2 (exp(2 a_i T) - 1) / (4 a_i), jacobian =
 * T mean_D a_i^2 whatever the noise. The one layer beside the identity's is made so that the product of both is A. */
static void closed_forms(void **state)
{
    (void)state;
    static const double a[3] = { 0.8, -1.1, 0.3 }, end = 1.3;
    for (int divergence = 0; divergence <= LAM_DIV_RADEMACHER; divergence++) {
        flow f = flow_create((recipe) { .layer = LAM_LAYER_IGNORE, .activation = LAM_ACT_IDENTITY, .hidden = { 3 }, .time = end,
            .tolerance = 1e-12, .kinetic = 1, .jacobian = 1, .divergence = (lam_divergence)divergence, .solver = LAM_DOP853 });
        lam_layout_tensor t;
        for (size_t i = 0, w = 0; lam_layout_tensor_at(&f.layout, i, &t); i++) {
            if (t.offset >= f.layout.time)
                continue;
            memset(f.params + t.offset, 0, t.count * sizeof(double));
            for (size_t k = 0; t.count == 9 && k < 3; k++)
                f.params[t.offset + 4 * k] = w == 0 ? 1 : a[k];
            w += t.count == 9;
        }
        flow_open(&f);
        must(flow_gradient(&f));
        double kinetic = 0, jacobian = 0;
        for (size_t i = 0; i < 3; i++) {
            jacobian += end * a[i] * a[i] / 3;
            for (size_t r = 0; r < f.rows; r++)
                kinetic += a[i] * f.x[3 * r + i] * f.x[3 * r + i] * (exp(2 * a[i] * end) - 1) / (4 * 3 * (double)f.rows);
        }
        assert_true(fabs(integral(&f.loss, 0) - kinetic) < 1e-9 * kinetic);
        assert_true(fabs(integral(&f.loss, 1) - jacobian) < 1e-9 * jacobian);
        assert_true(fabs(f.loss.loss - f.loss.nll - kinetic - jacobian) < 1e-9 * kinetic);
        flow_close(&f);
    }
}

/* The mean of |J e|^2 over many draws of e is the squared Frobenius norm, which the exact trace gives. */
static void noise_estimates_the_frobenius_norm(void **state)
{
    (void)state;
    recipe r = { .rows = 2, .jacobian = 1, .kinetic = 1, .weights = 2, .tolerance = 1e-6 };
    flow exact = flow_create(r);
    r.divergence = LAM_DIV_GAUSSIAN, r.probes = 20000;
    flow noisy = flow_create(r);
    flow_open(&exact), flow_open(&noisy);
    memcpy(noisy.params, exact.params, exact.layout.parameters * sizeof(double));
    flow_loss(&exact);
    must(lam_engine_loss_f64(exact.engine, &(lam_flow_call_f64) { exact.params, exact.x, NULL, 2, &exact.solve, &exact.noise },
        &exact.penalty, NULL, NULL, &exact.loss));
    must(lam_engine_loss_f64(noisy.engine, &(lam_flow_call_f64) { noisy.params, exact.x, NULL, 2, &noisy.solve, &noisy.noise },
        &noisy.penalty, NULL, NULL, &noisy.loss));
    assert_true(fabs(integral(&noisy.loss, 0) / integral(&exact.loss, 0) - 1) < 1e-6); /* kinetic knows no noise */
    assert_true(fabs(integral(&noisy.loss, 1) / integral(&exact.loss, 1) - 1) < 0.03);
    flow_close(&exact), flow_close(&noisy);
}

/* Penalties beside the loss: its NLL and steps are those of a run without, bit for bit. */
static void they_leave_the_solve_alone(void **state)
{
    (void)state;
    recipe r = { .divergence = LAM_DIV_RADEMACHER, .times = 4, .degree = 1, .coefficient = 5, .blocks = 2 };
    flow plain = flow_create(r), other = flow_create(with(r, KINETIC | JACOBIAN | ON_L));
    flow_open(&plain), flow_open(&other);
    must(flow_gradient(&plain));
    must(flow_gradient(&other));
    assert_true(plain.loss.nll == other.loss.nll);
    assert_int_equal(plain.loss.counts.forward, other.loss.counts.forward);
    assert_int_equal(plain.loss.counts.backward, other.loss.counts.backward);
    assert_true(tpr_of(&other.loss) > tpr_of(&plain.loss));
    /* and without weights they are the same loss, its gradient up to rounding in another order */
    memset(other.penalty.coefficient, 0, sizeof other.penalty.coefficient);
    other.penalty.tpr.l_weight = 0;
    must(flow_gradient(&other));
    assert_true(tpr_of(&other.loss) == tpr_of(&plain.loss) && other.loss.loss == plain.loss.loss);
    assert_true(difference(plain.grad, other.grad, plain.layout.parameters) <= 1e-13 * largest(plain.grad, plain.layout.parameters));
    flow_close(&plain), flow_close(&other);
}

/* With step control by tile, the mean of the tiles' own. */
static void by_tile(void **state)
{
    (void)state;
    recipe r = with((recipe) { .rows = 100, .divergence = LAM_DIV_RADEMACHER, .tolerance = 1e-9 }, COMBINATIONS - 1);
    flow batch = flow_create(r);
    r.control = LAM_CONTROL_TILE;
    flow tiles = flow_create(r);
    flow_open(&batch), flow_open(&tiles);
    must(flow_gradient(&batch));
    must(flow_gradient(&tiles));
    for (size_t i = 0; i < 2; i++)
        assert_true(fabs(integral(&batch.loss, i) / integral(&tiles.loss, i) - 1) < 1e-7);
    assert_true(fabs(batch.loss.loss / tiles.loss.loss - 1) < 1e-7);
    assert_true(difference(batch.grad, tiles.grad, batch.layout.time) < 1e-6 * largest(batch.grad, batch.layout.time));
    flow_close(&batch), flow_close(&tiles);
}

static void steer_draws(void **state)
{
    (void)state;
    double sum = 0, square = 0, drawn, again;
    enum { N = 4000 };
    for (uint64_t i = 0; i < N; i++) {
        must(lam_steer_end(3, i, 0.25, 1.5, &drawn));
        must(lam_steer_end(3, i, 0.25, 1.5, &again));
        assert_true(drawn == again && drawn > 1.25 && drawn < 1.75);
        sum += drawn / N;
        square += (drawn - 1.5) * (drawn - 1.5) / N;
    }
    assert_true(fabs(sum - 1.5) < 4 * 0.25 / sqrt(3. * N));     /* four standard errors */
    assert_true(fabs(square / (0.25 * 0.25 / 3) - 1) < 0.06);   /* of a uniform's variance */
    assert_int_equal(lam_steer_end(3, 0, 1.5, 1.5, &drawn), LAM_ERR_ARGUMENT);
    assert_non_null(strstr(lam_last_error(), "steer"));
}

static void refusals(void **state)
{
    (void)state;
    flow f = flow_create((recipe) { .kinetic = 1, .method = LAM_GRAD_ADJOINT });
    lam_engine_options o = { .max_rows = 7, .probes = 1, .gradients = 1, .trace = LAM_TRACE_EXACT, .method = LAM_GRAD_ADJOINT,
        .integrands = 1, .integrand = { &lam_kinetic } };
    assert_int_equal(lam_engine_create_f64(&f.layout, f.pool, &o, &f.engine), LAM_ERR_UNSUPPORTED);
    assert_non_null(strstr(lam_last_error(), "kinetic"));
    o.integrands = 0, o.method = LAM_GRAD_STEPS, o.max_observations = 4;
    must(lam_engine_create_f64(&f.layout, f.pool, &o, &f.engine));
    f.penalty.tpr.times = 4, f.penalty.tpr.degree = 1, f.penalty.observed[LAM_PENALTY_tpr] = 1, f.penalty.tpr.l_weight = 1;
    assert_int_equal(flow_gradient(&f), LAM_ERR_ARGUMENT);
    f.penalty.tpr.l_weight = 0, f.penalty.steer = 2;
    assert_int_equal(flow_gradient(&f), LAM_ERR_ARGUMENT);
    flow_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_combination),
        cmocka_unit_test(layers_and_activations),
        cmocka_unit_test(solvers_and_ends),
        cmocka_unit_test(chunks_and_tiles),
        cmocka_unit_test(trained_end_times),
        cmocka_unit_test(solver_error),
        cmocka_unit_test(solver_error_is_what_the_controller_saw),
        cmocka_unit_test(closed_forms),
        cmocka_unit_test(noise_estimates_the_frobenius_norm),
        cmocka_unit_test(they_leave_the_solve_alone),
        cmocka_unit_test(by_tile),
        cmocka_unit_test(steer_draws),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
