/* Properties that hold for any weights: there and back, total mass, unbiased traces, closed forms, rows on their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define LAM_WIDTH 64
#include "flow.h"

/* y, l of the flow's rows (or of x) in either direction. */
static void transform(flow *f, const double *x, size_t rows, int forward, double *y, double *l)
{
    lam_counts counts = { 0 };
    must(lam_engine_transform_f64(f->engine, &(lam_flow_call_f64) { f->params, x, NULL, rows, &f->solve, &f->noise }, forward, y, l,
        &counts));
    assert_int_equal(counts.solves, f->layout.blocks);
}

/* Data to base and back at 1e-6: below 1e-4 (the bound asked for); the integral of the trace undoes itself as well. */
static void there_and_back(void **state)
{
    (void)state;
    for (int solver = LAM_DOPRI5; solver <= LAM_DOP853; solver++)
        for (int end = 0; end <= LAM_END_OVERSHOOT; end++) {
            flow f = flow_create((recipe) { .rows = 100, .blocks = 3, .weights = 2.5, .tolerance = 1e-6, .no_gradients = 1, .dim = 4,
                .layer = LAM_LAYER_CONCATSQUASH, .solver = (lam_solver)solver, .end = (lam_end)end, .time = 0.8 });
            flow_open(&f);
            double z[400], x[400], l[100], back[100];
            transform(&f, f.x, 100, 1, z, l);
            assert_true(difference(z, f.x, 400) > 0.1); /* it went somewhere */
            transform(&f, z, 100, 0, x, back);
            assert_true(difference(x, f.x, 400) < 1e-4);
            for (size_t r = 0; r < 100; r++)
                assert_true(fabs(l[r] + back[r]) < 1e-4);
            flow_close(&f);
        }
}

/* In one dimension the density is integrated on a grid: the trapezium rule on a smooth density that vanishes at the ends is
 * exact to rounding, so what is left is the solver's 1e-9. */
static void mass_is_one(void **state)
{
    (void)state;
    for (int layer = 0; layer <= LAM_LAYER_HYPER; layer++) {
        enum { N = 4001 };
        static double z[N], l[N], logp[N];
        flow f = flow_create((recipe) { .dim = 1, .rows = N, .blocks = 2, .weights = 1.5, .tolerance = 1e-9, .no_gradients = 1,
            .layer = (lam_layer)layer, .seed = (uint64_t)layer });
        flow_open(&f);
        for (size_t i = 0; i < N; i++)
            f.x[i] = -40 + 80.0 * (double)i / (N - 1);
        transform(&f, f.x, N, 1, z, l);
        log_density(z, l, N, 1, logp);
        double mass = 0;
        for (size_t i = 0; i < N; i++)
            mass += exp(logp[i]) * 80 / (N - 1);
        assert_true(fabs(mass - 1) < 1e-6);
        flow_close(&f);
    }
}

/* The estimate has the exact trace's mean: within 4 standard errors over 2000 draws; more probes, less variance. */
static void hutchinson_tends_to_exact(void **state)
{
    (void)state;
    enum { DRAWS = 500 };
    recipe r = { .dim = 4, .rows = 4, .weights = 2.5, .no_gradients = 1, .tolerance = 1e-7, .seed = 4 };
    double z[16], exact[4], l[4], variances[3] = { 0 };
    flow f = flow_create(r);
    flow_open(&f);
    transform(&f, f.x, 4, 1, z, exact);
    flow_close(&f);
    for (int kind = 0; kind < 3; kind++) { /* Rademacher, Gaussian, Gaussian with four probes */
        r.divergence = kind == 0 ? LAM_DIV_RADEMACHER : LAM_DIV_GAUSSIAN;
        r.probes = kind == 2 ? 4 : 1;
        f = flow_create(r);
        flow_open(&f);
        double mean[4] = { 0 }, square[4] = { 0 };
        for (uint64_t draw = 0; draw < DRAWS; draw++) {
            f.noise.stream = draw;
            transform(&f, f.x, 4, 1, z, l);
            for (size_t i = 0; i < 4; i++) {
                mean[i] += (l[i] - exact[i]) / DRAWS;
                square[i] += (l[i] - exact[i]) * (l[i] - exact[i]) / DRAWS;
            }
        }
        for (size_t i = 0; i < 4; i++) {
            assert_true(fabs(mean[i]) < 4 * sqrt(square[i] / DRAWS));
            variances[kind] += square[i];
        }
        flow_close(&f);
    }
    assert_true(variances[0] < variances[1]); /* Rademacher's is never the larger: the diagonal adds nothing */
    assert_true(fabs(variances[2] / variances[1] - 0.25) < 0.08); /* a quarter, within the spread of 500 draws */
}

/* f = a z + c, elementwise: z(T) = e^(aT) x + c (e^(aT) - 1) / a and l(T) = -sum a T, whatever the noise if it is of signs. The
 * data's density is then a Gaussian. */
static void gaussian_in_closed_form(void **state)
{
    (void)state;
    static const double a[3] = { 0.7, -0.4, 0.2 }, c[3] = { 0.3, -1, 0.5 };
    for (int divergence = 0; divergence <= LAM_DIV_RADEMACHER; divergence++)
        for (int end = 0; end <= LAM_END_LAND_ALL; end++) {
            const double T = 0.9;
            flow f = flow_create((recipe) { .layer = LAM_LAYER_IGNORE, .activation = LAM_ACT_IDENTITY, .hidden = { 3 }, .rows = 65,
                .no_gradients = 1, .divergence = (lam_divergence)divergence, .tolerance = 1e-9, .time = T, .end = (lam_end)end });
            flow_open(&f);
            memset(f.params, 0, f.layout.time * sizeof *f.params);
            const lam_field_layer *l0 = &f.layout.field.layer[0], *l1 = &f.layout.field.layer[1];
            for (size_t i = 0; i < 3; i++) {
                f.params[l0->basis[0].w + 4 * i] = 1;
                f.params[l1->basis[0].w + 4 * i] = a[i];
                f.params[l1->basis[0].b + i] = c[i];
            }
            double z[195], l[65], logp[65];
            transform(&f, f.x, 65, 1, z, l);
            log_density(z, l, 65, 3, logp);
            for (size_t r = 0; r < 65; r++) {
                double want = 0;
                for (size_t i = 0; i < 3; i++) {
                    double at = exp(a[i] * T) * f.x[3 * r + i] + c[i] * expm1(a[i] * T) / a[i];
                    assert_true(fabs(z[3 * r + i] - at) < 1e-7);
                    want += a[i] * T - 0.5 * at * at - 0.91893853320467274178;
                }
                assert_true(fabs(l[r] + 0.5 * T) < 1e-13); /* a constant: only rounding */
                assert_true(fabs(logp[r] - want) < 1e-6);
            }
            flow_close(&f);
        }
}

/* With steps that no error estimate controls a row knows nothing of the others: the same bits alone and in any company. */
static void rows_are_independent(void **state)
{
    (void)state;
    for (int exact = 0; exact < 2; exact++) {
        flow f = flow_create((recipe) { .rows = 130, .solver = LAM_RK4, .no_gradients = 1, .blocks = 2, .dim = 9,
            .divergence = exact ? LAM_DIV_EXACT : LAM_DIV_GAUSSIAN });
        flow_open(&f);
        double z[130 * 9], l[130], one_z[9], one_l;
        transform(&f, f.x, 130, 1, z, l);
        for (size_t r = 0; r < 130; r += 43) {
            f.noise.first_row = r;
            transform(&f, f.x + 9 * r, 1, 1, one_z, &one_l);
            assert_memory_equal(one_z, z + 9 * r, sizeof one_z);
            assert_memory_equal(&one_l, l + r, sizeof one_l);
        }
        flow_close(&f);
    }
}

/* Rows by index are those rows. */
static void rows_by_index(void **state)
{
    (void)state;
    static const size_t index[] = { 5, 0, 5, 129 };
    flow f = flow_create((recipe) { .rows = 130, .solver = LAM_RK4, .no_gradients = 1 });
    flow_open(&f);
    double z[390], l[130], some[12], some_l[4];
    lam_counts counts = { 0 };
    transform(&f, f.x, 130, 1, z, l);
    must(lam_engine_transform_f64(f.engine, &(lam_flow_call_f64) { f.params, f.x, index, 4, &f.solve, &f.noise }, 1, some, some_l,
        &counts));
    for (size_t i = 0; i < 4; i++)
        assert_true(difference(some + 3 * i, z + 3 * index[i], 3) == 0 && some_l[i] == l[index[i]]);
    flow_close(&f);
}

/* Warm: h* is kept, and the next solve is even steps without a probe. In training as in scoring. */
static void warm_steps_are_remembered(void **state)
{
    (void)state;
    for (int gradients = 0; gradients < 2; gradients++) {
        flow f = flow_create((recipe) { .rows = 20, .blocks = 2, .no_gradients = !gradients, .tolerance = 1e-4, .weights = 2 });
        flow_open(&f);
        double h_star[2] = { 0 }, z[60], l[20];
        lam_counts cold = { 0 }, warm = { 0 };
        f.solve.h_star = h_star;
        f.solve.keep_h_star = 1;
        f.solve.solve.first_step = LAM_STEP_WARM;
        for (int round = 0; round < 2; round++) {
            if (gradients) {
                must(flow_gradient(&f));
                *(round == 0 ? &cold : &warm) = f.loss.counts;
            } else {
                must(lam_engine_transform_f64(f.engine, &(lam_flow_call_f64) { f.params, f.x, NULL, 20, &f.solve, &f.noise }, 1, z, l,
                    round == 0 ? &cold : &warm));
            }
            assert_true(h_star[0] > 0 && h_star[1] > 0 && h_star[0] != h_star[1]);
            f.solve.keep_h_star = round == 1;
        }
        assert_int_equal(cold.forward, 2 * 2 + 6 * (cold.accepted + cold.rejected));
        assert_int_equal(warm.forward, 2 * 1 + 6 * (warm.accepted + warm.rejected));
        assert_true(warm.forward < cold.forward);
        if (gradients) {
            const double *t, *h;
            size_t n = lam_engine_steps_f64(f.engine, 0, &t, &h);
            for (size_t i = 1; i < n; i++)
                assert_true(warm.rejected > 0 || fabs(h[i] - h[0]) < 1e-14);
        }
        flow_close(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(mass_is_one),
        cmocka_unit_test(hutchinson_tends_to_exact),
        cmocka_unit_test(gaussian_in_closed_form),
        cmocka_unit_test(rows_are_independent),
        cmocka_unit_test(rows_by_index),
        cmocka_unit_test(warm_steps_are_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
