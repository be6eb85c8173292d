/* The checks of one width. */
#include "base/width.h"
#include "flow/engine.h"
#include "penalty/loss.h"
#include "penalty/tpr.h"
#include "tests/golden.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IS_DOUBLE = LAM_WIDTH == 64 };

static lam_pool *pool;
static real *params;

static lam_engine *engine(golden *g, lam_trace trace, int gradients)
{
    lam_engine_options o = { .max_rows = g->rows, .trace = trace, .probes = 1, .gradients = gradients, .max_observations = 4,
        .isa = g->config.isa };
    lam_engine *e = NULL;
    if (lam_engine_create(&g->layout, pool, &o, &e) != LAM_OK) {
        printf("FAIL %s: %s\n", g->file, lam_last_error());
        exit(1);
    }
    return e;
}

static lam_flow_solve solve_at(double tolerance, lam_end end)
{
    return (lam_flow_solve) { .solve = { .table = lam_tableau_get(LAM_DOPRI5), .atol = tolerance, .rtol = tolerance, .end = end,
                                  .first_step = LAM_STEP_PROBE, .max_steps = 10000, .min_step = 1e-12 } };
}

static void must(golden *g, lam_status status, const char *what)
{
    if (status != LAM_OK) {
        printf("  FAIL %s %s: %s\n", g->file, what, lam_last_error());
        g->failures++;
    }
}

static void compare(golden *g, const char *what, const char *name, const double *ours, size_t offset, size_t n, double bound,
    int relative)
{
    size_t size;
    char text[256];
    double *ref = golden_array(g, name, &size);
    if (ref == NULL || size < offset + n) {
        free(ref);
        return;
    }
    double scale = relative ? fmax(golden_largest(ref + offset, n), 1e-30) : 1;
    snprintf(text, sizeof text, "f%d %s %s", LAM_WIDTH, what, name);
    golden_check(g, text, golden_difference(ours, ref + offset, n) / scale, bound);
    free(ref);
}

/* ---- the field ------------------------------------------------------------------------------------------------------------ */

static void check_field(golden *g)
{
    size_t times, n = g->rows * g->dim;
    double *t = golden_array(g, "t_eval", &times), *v = malloc(n * sizeof *v), *vjp = malloc(n * sizeof *v);
    double *div = malloc(g->rows * sizeof *div);
    lam_engine *exact = engine(g, LAM_TRACE_EXACT, 0), *hutch = engine(g, LAM_TRACE_HUTCHINSON, 0);
    double bound = IS_DOUBLE ? 1e-12 : 2e-5;
    for (size_t i = 0; t != NULL && i < times; i++) {
        must(g, lam_engine_field(exact, &(lam_flow_call) { .params = params, .x = g->x, .rows = g->rows },
            &(lam_field_point) { 0, t[i], NULL }, v, div, NULL), "field");
        compare(g, "f", "v", v, i * n, n, bound, !IS_DOUBLE);
        compare(g, "trace", "div_exact", div, i * g->rows, g->rows, bound, !IS_DOUBLE);
        must(g, lam_engine_field(hutch, &(lam_flow_call) { .params = params, .x = g->x, .rows = g->rows },
            &(lam_field_point) { 0, t[i], g->e }, v, div, vjp), "field");
        compare(g, "f", "v", v, i * n, n, bound, !IS_DOUBLE);
        compare(g, "e'Je", "div_hutch", div, i * g->rows, g->rows, bound, !IS_DOUBLE);
        compare(g, "e'J", "vjp_e", vjp, i * n, n, bound, !IS_DOUBLE);
    }
    lam_engine_free(exact);
    lam_engine_free(hutch);
    free(t), free(v), free(vjp), free(div);
}

/* ---- solves ---------------------------------------------------------------------------------------------------------------- */

/* Error of a float solve at T against the 1e-12 reference, over the file's own: of its double solve, and where the step control
 * is the solve's own also of its float solve. (The lengths of tiny first steps follow from an error estimate that is all
 * rounding in float, so other steps are taken than in double, and the interpolated end is off by more or by less.) */
static void check_float_error(golden *g, const char *stem, const double *ours, const char *reference, size_t n, int own_steps)
{
    char text[200];
    size_t size = n;
    double *theirs = golden_array(g, stem, NULL), *ref = golden_array(g, reference, &size), bound;
    snprintf(text, sizeof text, "%s_f32", stem);
    double *floats = golden_array(g, text, NULL);
    if (theirs != NULL && ref != NULL) {
        const double *end = ref + size - n;
        bound = golden_difference(theirs, end, n);
        if (own_steps && floats != NULL)
            bound = fmax(bound, golden_difference(floats, end, n));
        snprintf(text, sizeof text, "f32 error, %s steps, %s", own_steps ? "own" : "the double solve's", stem);
        golden_check(g, text, golden_difference(ours, end, n), 3 * bound);
    }
    free(theirs), free(ref), free(floats);
}

/* Takes the accepted steps of the file's double solve. */
static void replay_steps(golden *g, lam_engine *e, const char *stem)
{
    char name[96];
    double t[64], h[64];
    size_t n = 0;
    snprintf(name, sizeof name, "%s_steps", stem);
    double *steps = golden_array(g, name, &n);
    for (size_t i = 0; i < n / 2 && i < 64; i++) {
        t[i] = steps[2 * i];
        h[i] = steps[2 * i + 1];
    }
    must(g, lam_engine_set_steps(e, 0, n / 2, t, h), name);
    lam_engine_freeze(e, 1);
    free(steps);
}

static void check_solve(golden *g, lam_engine *e, const char *mode, const char *tolerance)
{
    size_t n = g->rows * g->dim;
    char stem[64], name[96];
    lam_noise noise = { .given = g->e };
    lam_counts counts = { 0 };
    double *z = malloc(n * sizeof *z), *l = malloc(g->rows * sizeof *l), *logp = malloc(g->rows * sizeof *l);
    lam_flow_solve s = solve_at(atof(tolerance), LAM_END_OVERSHOOT);
    snprintf(stem, sizeof stem, "dopri5_%s_%s", mode, tolerance);
    must(g, lam_engine_transform(e, &(lam_flow_call) { params, g->x, NULL, g->rows, &s, &noise }, 1, z, l, &counts), stem);
    for (size_t r = 0; r < g->rows; r++) {
        logp[r] = -l[r] - 0.91893853320467274178 * (double)g->dim;
        for (size_t i = 0; i < g->dim; i++)
            logp[r] -= 0.5 * z[r * g->dim + i] * z[r * g->dim + i];
    }
    double ours[3] = { (double)counts.forward, (double)counts.accepted, (double)counts.rejected };
    const char *l_name = strcmp(mode, "exact") == 0 ? "ref_dlogp_path5" : "ref_dlogp_hutch_path5";
    if (IS_DOUBLE) {
        snprintf(name, sizeof name, "%s_counts", stem);
        compare(g, "calls, accepted, rejected", name, ours, 0, 3, 0, 0);
        snprintf(name, sizeof name, "%s_z", stem);
        compare(g, "z(T)", name, z, 0, n, 1e-10, 0);
        snprintf(name, sizeof name, "%s_dlogp", stem);
        compare(g, "l(T)", name, l, 0, g->rows, 1e-10, 0);
        snprintf(name, sizeof name, "%s_logp", stem);
        compare(g, "log p", name, logp, 0, g->rows, 1e-10, 0);
    }
    for (int own = 1; own >= 0 && !IS_DOUBLE && atof(tolerance) >= 1e-6; own--) {
        if (!own) {
            replay_steps(g, e, stem);
            must(g, lam_engine_transform(e, &(lam_flow_call) { params, g->x, NULL, g->rows, &s, &noise }, 1, z, l, &counts), stem);
            lam_engine_freeze(e, 0);
        }
        snprintf(name, sizeof name, "%s_z", stem);
        check_float_error(g, name, z, "ref_z_path5", n, own);
        snprintf(name, sizeof name, "%s_dlogp", stem);
        check_float_error(g, name, l, l_name, g->rows, own);
    }
    free(z), free(l), free(logp);
}

/* At 1e-9, landing on T, against the 1e-12 reference. */
static void check_reference(golden *g, lam_engine *e, int exact)
{
    size_t n = g->rows * g->dim, times;
    lam_noise noise = { .given = g->e };
    lam_counts counts = { 0 };
    lam_flow_solve s = solve_at(1e-9, LAM_END_LAND);
    double *t5 = golden_array(g, "t5", &times), *z = malloc(n * sizeof *z), *l = malloc(g->rows * sizeof *l);
    for (size_t i = 1; t5 != NULL && i < times; i++) { /* each observed time as an end time */
        real s_end = params[g->layout.time];
        params[g->layout.time] = (real)sqrt(t5[i]);
        must(g, lam_engine_transform(e, &(lam_flow_call) { params, g->x, NULL, g->rows, &s, &noise }, 1, z, l, &counts), "reference");
        params[g->layout.time] = s_end;
        compare(g, "z(t)", "ref_z_path5", z, i * n, n, 1e-7, 0);
        compare(g, "l(t)", exact ? "ref_dlogp_path5" : "ref_dlogp_hutch_path5", l, i * g->rows, g->rows, 1e-7, 0);
    }
    free(t5), free(z), free(l);
}

/* The inner times too, from one solve's dense output. The files' times are floats near hundredths, up to 1.2e-8 off. */
static void check_way(golden *g)
{
    enum { TIMES = 100 };
    size_t n = g->rows * g->dim, times, row = (TIMES + 1) * g->dim;
    lam_engine_options o = { .max_rows = g->rows, .trace = LAM_TRACE_EXACT, .max_observations = TIMES, .isa = g->config.isa };
    lam_engine *e = NULL;
    lam_counts counts = { 0 };
    lam_flow_solve s = solve_at(1e-9, LAM_END_LAND);
    double *t5 = golden_array(g, "t5", &times), *states = malloc(g->rows * row * sizeof *states), *z = malloc(n * sizeof *z);
    must(g, lam_engine_create(&g->layout, pool, &o, &e), "way");
    must(g, lam_engine_trajectories(e, &(lam_flow_call) { params, g->x, NULL, g->rows, &s, NULL }, TIMES, states, &counts), "way");
    for (size_t i = 0; t5 != NULL && i < times; i++) {
        size_t k = (size_t)(TIMES * t5[i] + 0.5);
        for (size_t j = 0; j < n; j++)
            z[j] = states[j / g->dim * row + k * g->dim + j % g->dim];
        compare(g, "z(t) on the way", "ref_z_path5", z, i * n, n, 1e-7, 0);
    }
    lam_engine_free(e);
    free(t5), free(states), free(z);
}

static void check_solves(golden *g)
{
    for (int m = 0; m < 2; m++) {
        const char *mode = m == 0 ? "exact" : "hutch";
        lam_engine *e = engine(g, m == 0 ? LAM_TRACE_EXACT : LAM_TRACE_HUTCHINSON, 0);
        for (size_t i = 0; i < lam_npz_count(g->npz); i++) {
            char tolerance[16], end[16], found[16];
            const char *name = lam_npz_name(g->npz, i);
            if (sscanf(name, "dopri5_%5[a-z]_%15[^_]_%15s", found, tolerance, end) == 3 && strcmp(found, mode) == 0
                && strcmp(end, "z") == 0)
                check_solve(g, e, mode, tolerance);
        }
        if (IS_DOUBLE)
            check_reference(g, e, m == 0);
        lam_engine_free(e);
    }
    if (IS_DOUBLE)
        check_way(g);
}

/* ---- the penalty and the gradients --------------------------------------------------------------------------------------- */

static void check_tpr(golden *g)
{
    static const struct {
        const char *name, *times, *path;
        size_t degree;
    } cases[] = { { "tpr_t4_o1", "t4", "ref_z_path4", 1 }, { "tpr_t5_o0", "t5", "ref_z_path5", 0 },
        { "tpr_t5_o1", "t5", "ref_z_path5", 1 }, { "tpr_t5_o2", "t5", "ref_z_path5", 2 } };
    for (size_t c = 0; c < 4; c++) {
        size_t n;
        double residual[64], *times = golden_array(g, cases[c].times, &n), *path = golden_array(g, cases[c].path, NULL), sum = 0;
        if (times == NULL || path == NULL || lam_tpr_residual(n, times, cases[c].degree, residual) != LAM_OK) {
            free(times), free(path);
            continue;
        }
        size_t elements = g->rows * g->dim;
        for (size_t i = 0; i < elements; i++)
            for (size_t j = 0; j < n; j++) {
                double r = 0;
                for (size_t k = 0; k < n; k++)
                    r += residual[j * n + k] * path[k * elements + i];
                sum += r * r;
            }
        sum /= (double)(n * g->rows);
        compare(g, "penalty", cases[c].name, &sum, 0, 1, 1e-12, 0);
        free(times), free(path);
    }
}

static void check_gradient(golden *g, int exact)
{
    const char *mode = exact ? "exact" : "hutch";
    size_t observations;
    char name[160];
    double *t4 = golden_array(g, "t4", &observations), *grad_x = malloc(g->rows * g->dim * sizeof *grad_x);
    real *grad = calloc(g->layout.parameters, sizeof *grad);
    double *values = calloc(g->layout.parameters, sizeof *values);
    lam_engine *e = engine(g, exact ? LAM_TRACE_EXACT : LAM_TRACE_HUTCHINSON, 1);
    lam_noise noise = { .given = g->e };
    lam_flow_solve s = solve_at(1e-10, LAM_END_LAND_ALL);
    lam_penalty penalty = { .observed = { [LAM_PENALTY_tpr] = 5 }, .tpr = { .times = 4, .degree = 1 }, .given_times = t4 };
    lam_loss loss = { 0 };
    if (t4 != NULL && observations == 4) {
        must(g, lam_engine_loss(e, &(lam_flow_call) { params, g->x, NULL, g->rows, &s, &noise }, &penalty, grad, grad_x,
            &loss), "gradient");
        double parts[3] = { loss.loss, loss.nll, lam_terms_value(&loss.terms, "tpr") };
        snprintf(name, sizeof name, "loss_%s", mode);
        compare(g, "loss, nll, tpr", name, parts, 0, 3, 1e-8, 0);
        snprintf(name, sizeof name, "grad_%s.x", mode);
        compare(g, "gradient", name, grad_x, 0, g->rows * g->dim, 1e-7, 1);
        for (size_t i = 0; i < g->layout.parameters; i++)
            values[i] = (double)grad[i];
        lam_layout_tensor t;
        for (size_t i = 0; lam_layout_tensor_at(&g->layout, i, &t); i++) {
            if (strstr(t.name, "diffeq.") == NULL)
                continue;
            snprintf(name, sizeof name, "grad_%s.%s", mode, strstr(t.name, "diffeq.") + strlen("diffeq."));
            compare(g, "gradient", name, values + t.offset, 0, t.count, 1e-7, 1);
        }
    }
    lam_engine_free(e);
    free(t4), free(grad), free(grad_x), free(values);
}

#define golden_run LAM_W(golden_run)
void golden_run(golden *g)
{
    if (lam_pool_create(1, &pool) != LAM_OK)
        exit(1);
    params = calloc(g->layout.parameters, sizeof *params);
    for (size_t i = 0; i < g->layout.parameters; i++)
        params[i] = (real)g->params[i];
    check_field(g);
    check_solves(g);
    if (IS_DOUBLE) {
        check_tpr(g);
        check_gradient(g, 1);
        check_gradient(g, 0);
    }
    free(params);
    lam_pool_free(pool);
}
