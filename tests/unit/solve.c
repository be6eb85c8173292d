/* The tile solver on a problem with a closed form: ends, steps, counts, observations, errors, orders (method.md 5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define LAM_WIDTH 64
#include "base/mem.h"
#include "ode/space.h"
#include <complex.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

enum { ROWS = 100, TILES = 2, FEATURES = 3, REALS = TILES * FEATURES * LAM_TILE, TIMES = 6, SOLVERS = LAM_RK4 + 1 };

/* Row r: z = (Re, Im) of w with w' = g(t) c w, g = cos t + 1.5, and the quadrature q' = g(t) Re w. With G = sin t + 1.5 t
 * that is w(t) = w0 exp(c (G(t) - G(0))), q(t) = Re(w0 (exp(c (G(t) - G(0))) - 1) / c). */
static const double complex RATE = -0.3 + 2 * I;

typedef struct problem {
    double t[LAM_MAX_STAGES];
    size_t calls;
    double bad_after, bad_value; /* past this time row bad_row's z, or q, goes wrong */
    size_t bad_row, bad_feature;
    double rough; /* added to q': rough sin(200 t) */
    int still;    /* f = 0 */
} problem;

typedef struct world {
    problem p;
    lam_pool *pool;
    lam_solver_space_f64 *space;
    lam_path_f64 *path;
    lam_batch batch;
    lam_system_f64 system;
    lam_solve_options options;
    lam_solve_result result;
    double times[TIMES];
    size_t observations;
    double *out[TIMES];
} world;

static double complex start_of(size_t row)
{
    double angle = 0.1 * (double)row;
    return (1 + 0.005 * (double)row) * (cos(angle) + I * sin(angle));
}

static double big_g(double t)
{
    return sin(t) + 1.5 * t;
}

static void prepare(void *self, size_t slot, double t)
{
    ((problem *)self)->t[slot] = t;
    ((problem *)self)->calls++;
}

static void eval(void *self, const lam_stage_f64 *at, const double *y, double *k)
{
    const problem *p = self;
    double t = p->t[at->slot], g = p->still ? 0 : cos(t) + 1.5;
    at->record[0] = t;
    for (size_t r = 0; r < LAM_TILE; r++) {
        double complex f = g * RATE * (y[r] + I * y[LAM_TILE + r]);
        k[r] = creal(f);
        k[LAM_TILE + r] = cimag(f);
        k[2 * LAM_TILE + r] = g * y[r] + p->rough * sin(200 * t);
        if (at->tile * LAM_TILE + r == p->bad_row && t > p->bad_after)
            k[p->bad_feature * LAM_TILE + r] = p->bad_value;
    }
}

static int open_world(void **state)
{
    static world w;
    const lam_kernels_f64 *kernels;
    memset(&w, 0, sizeof w);
    if (lam_kernels_get_f64(NULL, &kernels) || lam_pool_create(1, &w.pool)
        || lam_solver_space_create_f64(kernels, w.pool, TILES, FEATURES, 1, &w.space)
        || lam_path_create_f64(TILES, FEATURES, TIMES, &w.path))
        return -1;
    for (size_t j = 0; j < TIMES; j++)
        if ((w.out[j] = lam_alloc(REALS, sizeof(double))) == NULL)
            return -1;
    w.batch = (lam_batch) { .pool = w.pool, .rows = ROWS, .tiles = TILES, .groups = TILES, .lanes = kernels->lanes };
    *state = &w;
    return 0;
}

static int close_world(void **state)
{
    world *w = *state;
    lam_path_free_f64(w->path);
    lam_solver_space_free_f64(w->space);
    lam_pool_free(w->pool);
    for (size_t j = 0; j < TIMES; j++)
        lam_free(w->out[j]);
    return 0;
}

/* A fresh start: dopri5 at 1e-6, landing, observed at T alone. */
static void reset(world *w, lam_solver solver, double t1)
{
    w->p = (problem) { .bad_after = INFINITY };
    w->system = (lam_system_f64) { .self = &w->p, .rows = FEATURES, .z_rows = 2, .parts = 2, .part = { { 0, 2 }, { 2, 1 } },
        .record_size = 1, .prepare = prepare, .eval = eval };
    w->options = (lam_solve_options) { .table = lam_tableau_get(solver), .atol = 1e-6, .rtol = 1e-6, .fixed_steps = 20,
        .max_steps = 100000, .min_step = 1e-10, .record = 1 };
    w->observations = 1;
    w->times[0] = t1;
}

static lam_status solve(world *w, double t0)
{
    for (size_t r = 0; r < TILES * LAM_TILE; r++) {
        double *y = w->path->y[0] + r / LAM_TILE * FEATURES * LAM_TILE + r % LAM_TILE;
        double complex at = r < ROWS ? start_of(r) * cexp(RATE * big_g(t0)) : 0;
        y[0] = creal(at);
        y[LAM_TILE] = cimag(at);
        y[2 * LAM_TILE] = creal(at / RATE); /* so that q = Re(w / c) throughout */
    }
    for (size_t j = 0; j < TIMES; j++)
        for (size_t i = 0; i < REALS; i++)
            w->out[j][i] = NAN; /* what is not written shows */
    w->p.calls = 0;
    const lam_observations_f64 seen = { t0, w->observations, w->times, w->out };
    return lam_solve_f64(w->space, &w->batch, &w->system, &w->options, &seen, w->path, NULL, &w->result);
}

static void must_solve(world *w, double t0)
{
    if (solve(w, t0) != LAM_OK)
        fail_msg("%s at %g: %s", w->options.table->name, w->options.atol, lam_last_error());
}

/* Largest error of z and q over the rows at an observed time. */
static double error_at(const world *w, size_t j)
{
    double most = 0;
    for (size_t r = 0; r < ROWS; r++) {
        const double *y = w->out[j] + r / LAM_TILE * FEATURES * LAM_TILE + r % LAM_TILE;
        double complex at = start_of(r) * cexp(RATE * big_g(w->times[j]));
        double off = fmax(fmax(fabs(y[0] - creal(at)), fabs(y[LAM_TILE] - cimag(at))), fabs(y[2 * LAM_TILE] - creal(at / RATE)));
        most = isnan(off) ? INFINITY : fmax(most, off);
    }
    return most;
}

static double end_of(const world *w, size_t step)
{
    return w->path->t[step] + w->path->h[step];
}

/* ---- ends and accuracy ---------------------------------------------------------------------------------------------------- */

/* Tolerances of a solve are an error a step; over some ten steps of a stable problem a hundredfold is plenty. */
static void adaptive_solves_are_accurate(void **state)
{
    world *w = *state;
    for (int solver = LAM_DOPRI5; solver <= LAM_DOP853; solver++)
        for (int end = 0; end <= LAM_END_LAND_ALL; end++)
            for (int back = 0; back < 2; back++)
                for (int k = 3; k < 8; k++) {
                    if (solver == LAM_HEUN21 && k > 5)
                        continue; /* thousands of steps */
                    double t0 = back ? 1.7 : 0.2, t1 = back ? 0.2 : 1.7;
                    reset(w, (lam_solver)solver, t1);
                    w->options.end = (lam_end)end;
                    w->options.atol = w->options.rtol = pow(10, -k);
                    w->observations = 4; /* the start itself, two between, the end */
                    w->times[0] = t0, w->times[1] = t0 + 0.311 * (t1 - t0), w->times[2] = t0 + 0.8 * (t1 - t0), w->times[3] = t1;
                    must_solve(w, t0);
                    for (size_t j = 0; j < 4; j++)
                        if (!(error_at(w, j) <= 100 * w->options.atol))
                            fail_msg("%s at %g, end %d, back %d, time %zu: %.3g", w->options.table->name, w->options.atol, end, back,
                                j, error_at(w, j));
                    double last = end_of(w, w->path->steps - 1), beyond = back ? t1 - last : last - t1;
                    assert_true(w->path->obs_step[0] == SIZE_MAX && w->path->obs_step[3] == w->path->steps - 1);
                    if (end == LAM_END_OVERSHOOT)
                        assert_true(beyond > 1e-9);
                    else
                        assert_true(fabs(beyond) < 1e-15 && w->path->obs_theta[3] == 1);
                    assert_true((end == LAM_END_LAND_ALL) == (w->path->obs_theta[1] == 1 && w->path->obs_theta[2] == 1));
                    assert_int_equal(w->result.accepted, w->path->steps);
                }
}

/* Steps of the caller's, uniform, with an observation at 0.37 of a step: its order is the smaller of the method's and that of
 * the dense output plus one, here always the method's. */
static double replay(world *w, lam_solver solver, size_t steps, double *between)
{
    const double t1 = 2;
    reset(w, solver, t1);
    assert_int_equal(lam_path_reserve_f64(w->path, steps, steps), LAM_OK);
    for (size_t i = 0; i < steps; i++) {
        w->path->t[i] = t1 * (double)i / (double)steps;
        w->path->h[i] = t1 / (double)steps;
    }
    w->path->steps = steps;
    w->options.replay = 1;
    w->observations = 2;
    w->times[1] = t1;
    w->times[0] = 1 + 0.37 * t1 / (double)steps;
    must_solve(w, 0);
    assert_int_equal(w->result.accepted, steps);
    *between = error_at(w, 0);
    return error_at(w, 1);
}

static void orders_of_convergence(void **state)
{
    world *w = *state;
    static const size_t steps[SOLVERS] = { 64, 64, 128, 256, 16, 1024, 256, 64 };
    for (int solver = 0; solver < SOLVERS; solver++) {
        double coarse_between, fine_between, coarse = replay(w, (lam_solver)solver, steps[solver], &coarse_between);
        double fine = replay(w, (lam_solver)solver, 2 * steps[solver], &fine_between);
        double order = log2(coarse / fine), between = log2(coarse_between / fine_between);
        int nominal = w->options.table->order;
        if (!(order >= nominal - 0.15 && between >= nominal - 0.15))
            fail_msg("%s: order %.3f at the end (errors %.3g, %.3g), %.3f between (%.3g, %.3g)", w->options.table->name, order, coarse,
                fine, between, coarse_between, fine_between);
    }
}

/* A fixed number of steps ends at T to the last bit, whatever T and the end convention. */
static void fixed_steps_reach_the_end(void **state)
{
    world *w = *state;
    for (int solver = LAM_EULER; solver < LAM_SOLVER_AUTO; solver++)
        for (int end = 0; end <= LAM_END_LAND_ALL; end++)
            for (size_t k = 1; k < 100; k++) {
                reset(w, (lam_solver)solver, 0.013 * (double)k);
                w->options.end = (lam_end)end;
                w->options.fixed_steps = 1 + k % 23;
                w->observations = 2;
                w->times[1] = w->times[0];
                w->times[0] *= 0.4;
                must_solve(w, 0);
                assert_true(isfinite(error_at(w, 0)) && isfinite(error_at(w, 1)));
                assert_true(w->path->obs_step[1] == w->options.fixed_steps - 1 && w->path->obs_theta[1] == 1);
                assert_int_equal(w->result.calls, w->options.fixed_steps * (size_t)w->options.table->stages);
            }
}

/* An embedded pair with even steps: no step is refused whatever the tolerance, f at the end is left out where nothing needs it,
 * and both ways give the same bits; the error is that of replayed steps of this length but for the rounding of their times. */
static void even_steps_of_a_pair(void **state)
{
    world *w = *state;
    for (int solver = LAM_DOPRI5; solver <= LAM_DOP853; solver++)
        for (size_t steps = 1; steps <= 64; steps *= 8) {
            double between, replayed = replay(w, (lam_solver)solver, steps, &between), first[LAM_TILE];
            for (int round = 0; round < 3; round++) { /* lean; with a record; observed inside the last step */
                reset(w, (lam_solver)solver, 2);
                w->options.even = 1, w->options.fixed_steps = steps, w->options.atol = w->options.rtol = 1e-14;
                w->options.record = round == 1;
                w->observations = round == 2 ? 2 : 1;
                w->times[0] = round == 2 ? 1.99 : 2;
                w->times[1] = 2;
                must_solve(w, 0);
                size_t at = w->observations - 1, fsal = (size_t)w->options.table->fsal, dense = (size_t)w->options.table->dense_stages;
                size_t calls = steps * ((size_t)w->options.table->stages - fsal);
                assert_int_equal(w->result.calls, round == 0 ? calls : round == 1 ? calls + fsal : calls + fsal + dense);
                assert_int_equal(w->p.calls, w->result.calls); /* as the system saw them */
                assert_int_equal(w->result.accepted, steps);
                assert_int_equal(w->result.rejected, 0);
                assert_true(w->result.h_star == 0 && end_of(w, steps - 1) == 2);
                assert_true(isfinite(error_at(w, 0)));
                assert_true(fabs(error_at(w, at) - replayed) < 1e-12); /* states of size 1, 64 steps */
                if (round == 0)
                    memcpy(first, w->out[0], sizeof first);
                assert_memory_equal(first, w->out[at], sizeof first);
            }
        }
}

/* ---- counts ----------------------------------------------------------------------------------------------------------------- */

static void calls_are_counted(void **state)
{
    world *w = *state;
    for (int solver = LAM_DOPRI5; solver <= LAM_DOP853; solver++)
        for (int end = 0; end <= LAM_END_LAND_ALL; end++)
            for (int first = 0; first < 3; first++) {
                reset(w, (lam_solver)solver, 1.5);
                w->options.end = (lam_end)end;
                w->options.first_step = (lam_first_step)first;
                w->options.first_step_size = first == LAM_STEP_PROBE ? 0 : 1.5;
                must_solve(w, 0);
                const lam_tableau *t = w->options.table;
                size_t attempts = w->result.accepted + w->result.rejected, expected = 1 + (first == LAM_STEP_PROBE);
                expected += attempts * ((size_t)t->stages - 1); /* stage 0 is there from the step before, or the attempt */
                if (!t->fsal)
                    expected += w->result.accepted - 1;
                if (end == LAM_END_OVERSHOOT && w->path->obs_theta[0] < 1)
                    expected += (size_t)t->dense_stages;
                assert_int_equal(w->result.calls, expected);
                assert_int_equal(w->p.calls, expected); /* as the system saw them */
                if (first != LAM_STEP_PROBE)
                    assert_true(w->result.rejected > 0); /* a step of all the way at 1e-6 cannot be */
            }
}

/* ---- first steps ------------------------------------------------------------------------------------------------------------ */

static void given_first_step(void **state)
{
    world *w = *state;
    reset(w, LAM_DOPRI5, 1);
    w->options.first_step = LAM_STEP_GIVEN;
    w->options.first_step_size = 0.0625;
    must_solve(w, 0);
    assert_true(w->path->h[0] == 0.0625);
    w->times[0] = -1;
    must_solve(w, 0);
    assert_true(w->path->h[0] == -0.0625);
}

/* h* = 0.3 on [0, 1]: four steps of 0.25 and 1 + 6 n calls. */
static void warm_steps_are_even(void **state)
{
    world *w = *state;
    for (int end = 0; end <= LAM_END_OVERSHOOT; end++)
        for (int back = 0; back < 2; back++) {
            reset(w, LAM_DOPRI5, back ? 0 : 1);
            w->options.end = (lam_end)end;
            w->options.atol = w->options.rtol = 1e-3;
            w->options.first_step = LAM_STEP_WARM;
            w->options.first_step_size = 0.3;
            must_solve(w, back);
            assert_int_equal(w->result.rejected, 0);
            assert_int_equal(w->result.accepted, 4);
            assert_int_equal(w->result.calls, 1 + 6 * 4);
            for (size_t n = 0; n < 4; n++)
                assert_true(fabs(fabs(w->path->h[n]) - 0.25) < 1e-15);
            assert_true(w->path->obs_theta[0] == 1);
        }
    reset(w, LAM_DOPRI5, 1);
    w->options.atol = w->options.rtol = 10;
    w->options.first_step = LAM_STEP_WARM;
    w->options.first_step_size = 5;
    must_solve(w, 0);
    assert_int_equal(w->result.calls, 7); /* a one-step solve */
}

/* Observations on a warm solve's way: on a step's end they are that state; landing on others keeps to the plan, so that no
 * step is longer than the plan's. */
static void warm_steps_and_observations(void **state)
{
    world *w = *state;
    for (int end = 0; end <= LAM_END_LAND_ALL; end++) {
        reset(w, LAM_DOPRI5, 1);
        w->options.end = (lam_end)end;
        w->options.atol = w->options.rtol = 1e-3;
        w->options.first_step = LAM_STEP_WARM;
        w->options.first_step_size = 0.3;
        w->observations = 5;
        w->times[0] = 0, w->times[1] = 0.1, w->times[2] = 0.5, w->times[3] = 0.83, w->times[4] = 1;
        must_solve(w, 0);
        size_t half = end == LAM_END_LAND_ALL ? 2 : 1;
        assert_true(w->path->obs_step[2] == half && w->path->obs_theta[2] == 1);
        assert_memory_equal(w->out[2], w->path->y[half + 1], REALS * sizeof(double));
        assert_int_equal(w->result.accepted, end == LAM_END_LAND_ALL ? 6 : 4);
        for (size_t n = 0; n < w->path->steps; n++)
            assert_true(w->path->h[n] <= 0.25 + 1e-15);
        for (size_t j = 0; j < 5; j++)
            assert_true(error_at(w, j) < 1e-2);
    }
}

/* A plan that is refused goes back to the controller, and still arrives. */
static void warm_falls_back(void **state)
{
    world *w = *state;
    reset(w, LAM_DOPRI5, 1.5);
    w->options.atol = w->options.rtol = 1e-8;
    w->options.first_step = LAM_STEP_WARM;
    w->options.first_step_size = 1.5;
    must_solve(w, 0);
    assert_true(w->result.rejected > 0 && w->path->h[0] < 1.5);
    assert_true(error_at(w, 0) < 1e-6);
    double last = w->path->h[w->path->steps - 1] / w->path->h[0]; /* not even any more */
    assert_true(fabs(last - 1) > 1e-6);
}

/* The rule from the steps themselves: a proposal is the next step where the limits of growth did not interfere. */
static void warm_length(void **state)
{
    world *w = *state;
    for (int solver = LAM_DOPRI5; solver <= LAM_DOP853; solver++)
        for (int k = 3; k < 7; k++) {
            reset(w, (lam_solver)solver, 2);
            w->options.atol = w->options.rtol = pow(10, -k);
            w->options.first_step = LAM_STEP_GIVEN;
            w->options.first_step_size = 1e-4; /* a start so timid that its steps must not count */
            must_solve(w, 0);
            double longest = 0, least = INFINITY;
            size_t seen = 0;
            for (size_t n = 0; n < w->path->steps; n++)
                longest = fmax(longest, w->path->h[n]);
            for (size_t n = 0; n < w->path->steps; n++)
                if (w->path->h[n] >= 0.1 * longest)
                    least = fmin(least, w->path->proposal[n]);
            assert_true(w->result.h_star == least);
            for (size_t n = 0; n + 2 < w->path->steps; n++) {
                double growth = w->path->h[n + 1] / w->path->h[n];
                if (growth > 1 + 1e-9 && growth < 10 - 1e-9) {
                    assert_true(fabs(w->path->proposal[n] / w->path->h[n + 1] - 1) < 1e-9);
                    seen++;
                }
            }
            assert_true(seen > 0);
        }
}

/* f = 0: the error is exactly 0, and steps grow tenfold. */
static void nothing_moves(void **state)
{
    world *w = *state;
    for (int solver = LAM_DOPRI5; solver <= LAM_DOP853; solver++) {
        reset(w, (lam_solver)solver, 1);
        w->p.still = 1;
        must_solve(w, 0);
        assert_int_equal(w->result.rejected, 0);
        assert_true(w->result.accepted < 12); /* from 1e-6 */
        assert_memory_equal(w->out[0], w->path->y[0], REALS * sizeof(double));
        assert_true(w->result.h_star == 1e3);
    }
}

/* ---- errors ----------------------------------------------------------------------------------------------------------------- */

static void says(const char *a, const char *b, const char *c)
{
    const char *text = lam_last_error(), *parts[] = { "t = ", "step", "row", "try", a, b, c };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i] != NULL && strstr(text, parts[i]) == NULL)
            fail_msg("'%s' is missing in: %s", parts[i], text);
}

static void giving_up(void **state)
{
    world *w = *state;
    reset(w, LAM_DOPRI5, 2);
    w->options.max_steps = 3;
    assert_int_equal(solve(w, 0), LAM_ERR_SOLVER);
    says("max-steps", "atol", NULL);
    reset(w, LAM_DOPRI5, 2);
    w->options.atol = w->options.rtol = 1e-11;
    w->options.first_step = LAM_STEP_GIVEN;
    w->options.first_step_size = 0.5;
    w->options.min_step = 0.1;
    assert_int_equal(solve(w, 0), LAM_ERR_SOLVER);
    says("min-step", "tol", NULL);
    reset(w, LAM_DOPRI5, 0);
    assert_int_equal(solve(w, 0), LAM_ERR_ARGUMENT); /* no way to go */
}

/* Two observations a sliver apart: landing on both makes a step far below min-step, which is no sign of trouble. */
static void slivers_are_no_trouble(void **state)
{
    world *w = *state;
    static const double apart[] = { 1e-5, 1e-9, 3e-12 };
    for (size_t k = 0; k < 3; k++) {
        reset(w, LAM_DOPRI5, 1);
        w->options.end = LAM_END_LAND_ALL;
        w->options.min_step = 1e-4;
        w->observations = 3;
        w->times[0] = 0.5, w->times[1] = 0.5 + apart[k], w->times[2] = 1;
        must_solve(w, 0);
        assert_true(error_at(w, 1) < 1e-4 && error_at(w, 2) < 1e-4);
        w->observations = 1; /* and a last step that is one */
        w->times[0] = 1;
        w->options.end = LAM_END_LAND;
        w->options.first_step = LAM_STEP_GIVEN;
        w->options.first_step_size = 1 - apart[k];
        w->options.atol = w->options.rtol = 10;
        must_solve(w, 0);
    }
}

/* NaN or infinity in f, from the start or on the way, in z or in l, counted in the norm or not: an error that names the row. */
static void what_is_not_finite(void **state)
{
    world *w = *state;
    const double values[] = { NAN, INFINITY, -INFINITY, 1e308 };
    for (int solver = 0; solver < SOLVERS; solver++)
        for (int first = 0; first < 3; first++)
            for (size_t v = 0; v < 4; v++)
                for (size_t feature = 0; feature < 3; feature++)
                    for (int parts = 1; parts <= 2; parts++) {
                        reset(w, (lam_solver)solver, 1);
                        w->options.first_step = (lam_first_step)first;
                        w->options.first_step_size = 0.25;
                        w->p.bad_after = v % 2 == 0 ? 0.5 : -1;
                        w->p.bad_value = values[v];
                        w->p.bad_row = 70;
                        w->p.bad_feature = feature;
                        w->system.parts = (size_t)parts;
                        lam_status status = solve(w, 0);
                        if (status == LAM_OK && values[v] == 1e308)
                            assert_true(isfinite(w->out[0][FEATURES * LAM_TILE + feature * LAM_TILE + 70 - LAM_TILE]));
                        else if (status != LAM_ERR_SOLVER || strstr(lam_last_error(), "row 71 ") == NULL)
                            fail_msg("%s, first %d, value %g in %zu, parts %d: %d %s", w->options.table->name, first, values[v],
                                feature, parts, (int)status, lam_last_error());
                    }
}

/* ---- the norm --------------------------------------------------------------------------------------------------------------- */

/* Without l's part the steps are those of a smooth l, to the last bit; with it they are many more. */
static void error_parts(void **state)
{
    world *w = *state;
    reset(w, LAM_DOPRI5, 1);
    w->system.parts = 1;
    must_solve(w, 0);
    size_t smooth = w->result.accepted;
    double h[64];
    assert_true(smooth < 64);
    memcpy(h, w->path->h, smooth * sizeof *h);
    w->p.rough = 1;
    must_solve(w, 0);
    assert_int_equal(w->result.accepted, smooth);
    assert_memory_equal(h, w->path->h, smooth * sizeof *h);
    w->system.parts = 2;
    must_solve(w, 0);
    assert_true(w->result.accepted > 3 * smooth);
}

/* ---- replays ---------------------------------------------------------------------------------------------------------------- */

/* With and without a record: the same numbers, the steps kept either way, and replays of them the same bits again. */
static void replays(void **state)
{
    world *w = *state;
    for (int solver = LAM_DOPRI5; solver <= LAM_DOP853; solver++)
        for (int end = 0; end <= LAM_END_LAND_ALL; end++) {
            double first[3][LAM_TILE];
            for (int round = 0; round < 6; round++) {
                if (round == 0 || round == 3)
                    reset(w, (lam_solver)solver, 1.3);
                w->options.end = (lam_end)end;
                w->options.record = round < 3;
                w->options.replay = round % 3 != 0;
                w->observations = 3;
                w->times[0] = 0.1, w->times[1] = 0.77, w->times[2] = 1.3;
                must_solve(w, 0);
                assert_int_equal(w->result.accepted, w->path->steps);
                for (size_t j = 0; j < 3; j++) {
                    if (round == 0)
                        memcpy(first[j], w->out[j] + FEATURES * LAM_TILE, sizeof first[j]);
                    assert_memory_equal(first[j], w->out[j] + FEATURES * LAM_TILE, (ROWS - LAM_TILE) * sizeof(double));
                }
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adaptive_solves_are_accurate),
        cmocka_unit_test(orders_of_convergence),
        cmocka_unit_test(fixed_steps_reach_the_end),
        cmocka_unit_test(even_steps_of_a_pair),
        cmocka_unit_test(calls_are_counted),
        cmocka_unit_test(given_first_step),
        cmocka_unit_test(warm_steps_are_even),
        cmocka_unit_test(warm_steps_and_observations),
        cmocka_unit_test(warm_falls_back),
        cmocka_unit_test(warm_length),
        cmocka_unit_test(nothing_moves),
        cmocka_unit_test(giving_up),
        cmocka_unit_test(slivers_are_no_trouble),
        cmocka_unit_test(what_is_not_finite),
        cmocka_unit_test(error_parts),
        cmocka_unit_test(replays),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
