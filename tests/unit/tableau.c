/* The tables against theory, not against other tables: order conditions over all rooted trees up to 9 nodes (Butcher),
 * for the solution, the embedded solutions and the dense output; then the order observed on a nonlinear system. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <string.h>

#include "ode/tableau.h"

#define SOLVERS LAM_SOLVER_AUTO /* it comes behind all of them */
#define MAX_ORDER 9
#define MAX_TREES 486 /* 1 + 1 + 2 + 4 + 9 + 20 + 48 + 115 + 286 */

/* What each table promises: the number of nodes up to which its conditions hold, for b, for b_hat (there e sums to
 * 0), for dop853's second b_hat and for the dense output; and the first of three step numbers at which orders are
 * observed. */
static const struct expectation {
    const char *name;
    int order, embedded, embedded3, dense, steps;
} expected[SOLVERS] = {
    [LAM_DOPRI5] = { "dopri5", 5, 4, 0, 4, 128 },
    [LAM_TSIT5] = { "tsit5", 5, 4, 0, 4, 128 },
    [LAM_BOSH3] = { "bosh3", 3, 2, 0, 3, 256 },
    [LAM_HEUN21] = { "heun21", 2, 1, 0, 2, 256 },
    [LAM_DOP853] = { "dop853", 8, 5, 3, 7, 16 },
    [LAM_EULER] = { "euler", 1, 0, 0, 1, 512 },
    [LAM_MIDPOINT] = { "midpoint", 2, 0, 0, 2, 256 },
    [LAM_RK4] = { "rk4", 4, 0, 0, 3, 128 },
};

/* ---- rooted trees ---- */

typedef struct tree {
    int order;    /* nodes */
    double gamma; /* density: order times the densities of the subtrees */
    int children, child[MAX_ORDER - 1];
} tree;

typedef struct forest {
    tree trees[MAX_TREES]; /* by order */
    int count;
} forest;

/* Every way to give root subtrees of `left` nodes in all, taken from the trees [from, limit) in ascending order, so that
 * each multiset comes once. */
static void grow(forest *f, tree root, int left, int from, int limit)
{
    if (left == 0) {
        assert_true(f->count < MAX_TREES);
        f->trees[f->count++] = root;
        return;
    }
    for (int i = from; i < limit && f->trees[i].order <= left; i++) {
        tree next = root;
        next.child[next.children++] = i;
        next.gamma *= f->trees[i].gamma;
        grow(f, next, left - f->trees[i].order, i, limit);
    }
}

static const forest *all_trees(void)
{
    static forest f;
    for (int order = 1; f.count < MAX_TREES; order++)
        grow(&f, (tree){ .order = order, .gamma = order }, order - 1, 0, f.count);
    return &f;
}

/* phi[tree][i] = prod over subtrees s of sum_j a_ij phi[s][j], and the same with |a|, which bounds the rounding error. */
typedef struct weights {
    double phi[MAX_TREES][LAM_MAX_STAGES], size[MAX_TREES][LAM_MAX_STAGES];
} weights;

static void elementary_weights(const lam_tableau *t, const forest *f, weights *w)
{
    for (int n = 0; n < f->count; n++) {
        for (int i = 0; i < LAM_MAX_STAGES; i++) {
            w->phi[n][i] = w->size[n][i] = 1;
            for (int c = 0; c < f->trees[n].children; c++) {
                double sum = 0, size = 0;
                for (int j = 0; j < i; j++) {
                    sum += t->a[i][j] * w->phi[f->trees[n].child[c]][j];
                    size += fabs(t->a[i][j]) * w->size[f->trees[n].child[c]][j];
                }
                w->phi[n][i] *= sum;
                w->size[n][i] *= size;
            }
        }
    }
}

/* sum_i v_i phi_i = right * theta^nodes / gamma for every tree of up to `order` nodes, and not for every tree of one
 * more. magnitude[i] is |v_i|, or more when v_i was itself summed. The bound on a residual: each of up to 9 nodes adds
 * products and sums of up to 16 rounded terms, so some tens of eps relative to the same sum of absolute values. */
static void check_conditions(const forest *f, const weights *w, const double *v, const double *magnitude, double right,
    double theta, int order)
{
    double first_failure = 0;
    for (int n = 0; n < f->count && f->trees[n].order <= order + 1; n++) {
        double sum = 0, size = right;
        for (int i = 0; i < LAM_MAX_STAGES; i++) {
            sum += v[i] * w->phi[n][i];
            size += magnitude[i] * w->size[n][i];
        }
        double residual = fabs(sum - right * pow(theta, f->trees[n].order) / f->trees[n].gamma);
        if (f->trees[n].order <= order)
            assert_true(residual <= 64 * DBL_EPSILON * size);
        else
            first_failure = fmax(first_failure, residual);
    }
    assert_true(first_failure > 1e-6); /* far above rounding; dop853's interpolant comes nearest, with 5e-6 */
}

/* Known numbers of rooted trees (OEIS A000081) and densities: the bush of n nodes has gamma n, the tall tree n!. */
static void test_trees(void **state)
{
    (void)state;
    const forest *f = all_trees();
    const int counts[MAX_ORDER + 1] = { 0, 1, 1, 2, 4, 9, 20, 48, 115, 286 };
    int seen[MAX_ORDER + 1] = { 0 };
    double smallest[MAX_ORDER + 1], largest[MAX_ORDER + 1] = { 0 }, factorial = 1;
    for (int order = 0; order <= MAX_ORDER; order++)
        smallest[order] = DBL_MAX;
    for (int n = 0; n < f->count; n++) {
        int order = f->trees[n].order;
        seen[order]++;
        smallest[order] = fmin(smallest[order], f->trees[n].gamma);
        largest[order] = fmax(largest[order], f->trees[n].gamma);
    }
    for (int order = 1; order <= MAX_ORDER; order++) {
        factorial *= order;
        assert_int_equal(seen[order], counts[order]);
        assert_true(smallest[order] == order && largest[order] == factorial);
    }
}

/* ---- the tables ---- */

static void test_structure(void **state)
{
    (void)state;
    for (int s = 0; s < SOLVERS; s++) {
        const lam_tableau *t = lam_tableau_get((lam_solver)s);
        assert_non_null(t);
        assert_string_equal(t->name, expected[s].name);
        assert_int_equal(t->order, expected[s].order);
        assert_true(t->stages + t->dense_stages <= LAM_MAX_STAGES);
        assert_int_equal(t->error_exponent > 0, expected[s].embedded > 0);
        for (int i = 0; i < LAM_MAX_STAGES; i++) {
            double sum = 0;
            for (int j = 0; j < LAM_MAX_STAGES; j++) {
                sum += t->a[i][j];
                if (j >= i || i >= t->stages + t->dense_stages)
                    assert_true(t->a[i][j] == 0); /* explicit, and nothing past the last stage */
            }
            assert_true(fabs(sum - t->c[i]) <= 1e-13); /* terms up to 43, of either sign */
            if (i >= t->stages) /* what only dense output needs cannot be part of the step */
                assert_true(t->b[i] == 0 && t->e[i] == 0 && t->e3[i] == 0);
        }
        assert_int_equal(t->c[t->stages - 1] == 1 && memcmp(t->a[t->stages - 1], t->b, sizeof t->b) == 0, t->fsal);
        if (t->fsal)
            assert_true(t->b[t->stages - 1] == 0);
    }
    assert_null(lam_tableau_get((lam_solver)SOLVERS));
}

static void test_order_conditions(void **state)
{
    (void)state;
    const forest *f = all_trees();
    static weights w;
    for (int s = 0; s < SOLVERS; s++) {
        const lam_tableau *t = lam_tableau_get((lam_solver)s);
        double b[LAM_MAX_STAGES], e[LAM_MAX_STAGES], e3[LAM_MAX_STAGES];
        for (int i = 0; i < LAM_MAX_STAGES; i++) {
            b[i] = fabs(t->b[i]);
            e[i] = b[i] + fabs(t->b[i] - t->e[i]); /* |b| + |b_hat| */
            e3[i] = b[i] + fabs(t->b[i] - t->e3[i]);
        }
        elementary_weights(t, f, &w);
        check_conditions(f, &w, t->b, b, 1, 1, expected[s].order);
        if (t->error_exponent) /* b and b_hat agree on every tree up to the lower order */
            check_conditions(f, &w, t->e, e, 0, 1, expected[s].embedded);
        assert_int_equal(t->has_e3, expected[s].embedded3 > 0);
        if (t->has_e3)
            check_conditions(f, &w, t->e3, e3, 0, 1, expected[s].embedded3);
    }
}

/* The step control divides by the order of the local error estimate; dop853's err5^2 / sqrt(err5^2 + 0.01 err3^2), of
 * orders 6 and 4, behaves as h^(2 * 6 - 4). */
static void test_error_exponents(void **state)
{
    (void)state;
    for (int s = 0; s < SOLVERS; s++) {
        const lam_tableau *t = lam_tableau_get((lam_solver)s);
        int local = expected[s].embedded + 1;
        if (t->has_e3)
            assert_int_equal(t->error_exponent, 2 * local - (expected[s].embedded3 + 1));
        else if (t->error_exponent)
            assert_int_equal(t->error_exponent, local);
    }
}

static void test_dense_conditions(void **state)
{
    (void)state;
    const forest *f = all_trees();
    static weights w;
    const double thetas[] = { 0.0625, 0.2718, 0.3141, 0.618, 0.8125, 0.97 }; /* nothing special about them */
    for (int s = 0; s < SOLVERS; s++) {
        const lam_tableau *t = lam_tableau_get((lam_solver)s);
        elementary_weights(t, f, &w);
        for (size_t k = 0; k < sizeof thetas / sizeof *thetas; k++) {
            double v[LAM_MAX_STAGES] = { 0 }, magnitude[LAM_MAX_STAGES] = { 0 };
            lam_tableau_dense_weights(t, thetas[k], v);
            for (int i = 0; i < LAM_MAX_STAGES; i++)
                for (int j = 1; j < LAM_DENSE_TERMS; j++)
                    magnitude[i] += fabs(t->dense[i][j]) * pow(thetas[k], j);
            check_conditions(f, &w, v, magnitude, 1, thetas[k], expected[s].dense);
        }
    }
}

/* The dense output starts at y with slope k_0, ends at y1 and, when f(t1, y1) is a stage, with that slope. */
static void test_dense_ends(void **state)
{
    (void)state;
    for (int s = 0; s < SOLVERS; s++) {
        const lam_tableau *t = lam_tableau_get((lam_solver)s);
        double w0[LAM_MAX_STAGES] = { 0 }, w1[LAM_MAX_STAGES] = { 0 };
        lam_tableau_dense_weights(t, 0, w0);
        lam_tableau_dense_weights(t, 1, w1);
        for (int i = 0; i < LAM_MAX_STAGES; i++) {
            double slope = 0, size = 1;
            for (int j = 1; j < LAM_DENSE_TERMS; j++) {
                slope += j * t->dense[i][j];
                size += j * fabs(t->dense[i][j]);
                if (j > t->dense_degree)
                    assert_true(t->dense[i][j] == 0);
            }
            assert_true(t->dense[i][0] == 0 && w0[i] == 0);
            assert_true(fabs(w1[i] - t->b[i]) <= 8 * DBL_EPSILON * size); /* 8 rounded terms add up to size */
            assert_true(t->dense[i][1] == (i == 0));
            if (t->fsal)
                assert_true(fabs(slope - (i == t->stages - 1)) <= 8 * DBL_EPSILON * size);
        }
    }
}

/* dopri5's quartic passes through the midpoint weights of method.md, 5, and its error weights are the published ones. */
static void test_dopri5_constants(void **state)
{
    (void)state;
    const lam_tableau *t = lam_tableau_get(LAM_DOPRI5);
    const double mid[7] = { 6025192743.0 / 30085553152.0, 0, 51252292925.0 / 65400821598.0, -2691868925.0 / 45128329728.0,
        187940372067.0 / 1594534317056.0, -1776094331.0 / 19743644256.0, 11237099.0 / 235043384.0 };
    const double b_hat[7] = { 1951.0 / 21600, 0, 22642.0 / 50085, 451.0 / 720, -12231.0 / 42400, 649.0 / 6300, 1.0 / 60 };
    double w[LAM_MAX_STAGES];
    lam_tableau_dense_weights(t, 0.5, w);
    for (int i = 0; i < 7; i++) {
        assert_true(fabs(w[i] - mid[i] / 2) <= 8 * DBL_EPSILON); /* terms below 4 */
        assert_true(t->e[i] == t->b[i] - b_hat[i]); /* to the bit: counts of steps depend on it */
    }
}

/* ---- observed orders ---- */

/* u' = u v, v' = -(log u + sin t) / 2, solved by u = exp(sin t), v = cos t. */
static void field(double t, const double *y, double *dy)
{
    dy[0] = y[0] * y[1];
    dy[1] = -(log(y[0]) + sin(t)) / 2;
}

static void solution(double t, double *y)
{
    y[0] = exp(sin(t));
    y[1] = cos(t);
}

static double distance(double t, const double *y)
{
    double exact[2];
    solution(t, exact);
    return hypot(y[0] - exact[0], y[1] - exact[1]);
}

/* y + h sum_i w_i k_i */
static void combine(const double *y, double h, const double *w, double k[][2], int n, double *out)
{
    for (int d = 0; d < 2; d++) {
        double sum = 0;
        for (int i = 0; i < n; i++)
            sum += w[i] * k[i][d];
        out[d] = y[d] + h * sum;
    }
}

/* One step in place; returns the largest error of its dense output over a grid of theta. */
static double step(const lam_tableau *table, double t, double h, double *y)
{
    double k[LAM_MAX_STAGES][2], w[LAM_MAX_STAGES], at[2], worst = 0;
    int n = table->stages + table->dense_stages;
    for (int i = 0; i < n; i++) {
        combine(y, h, table->a[i], k, i, at);
        field(t + table->c[i] * h, at, k[i]);
    }
    for (int g = 1; g < 8; g++) {
        double theta = g / 8.0;
        lam_tableau_dense_weights(table, theta, w);
        combine(y, h, w, k, n, at);
        worst = fmax(worst, distance(t + theta * h, at));
    }
    combine(y, h, table->b, k, table->stages, y);
    return worst;
}

#define END 8.0

/* Solves on [0, END] in equal steps; error[0] at the end, error[1] of the dense output anywhere, error[2] of the dense
 * output of a single step from the exact solution, the largest over evenly spaced starts. */
static void solve(const lam_tableau *table, int steps, int starts, double error[3])
{
    double y[2], h = END / steps;
    error[1] = error[2] = 0;
    solution(0, y);
    for (int n = 0; n < steps; n++)
        error[1] = fmax(error[1], step(table, n * h, h, y));
    error[0] = distance(END, y);
    for (int n = 0; n < starts; n++) {
        double t = n * END / starts;
        solution(t, y);
        error[2] = fmax(error[2], step(table, t, h, y));
    }
}

/* Twice halving the step must each time divide the error by 2^order: the solution's; along the way the smaller of it and
 * of the local order of the dense output; and that local order, one more than its conditions, within a step. */
static void test_observed_order(void **state)
{
    (void)state;
    const char *what[3] = { "end", "dense", "local" };
    for (int s = 0; s < SOLVERS; s++) {
        const lam_tableau *t = lam_tableau_get((lam_solver)s);
        int order = expected[s].order, local = expected[s].dense + 1, n = expected[s].steps;
        double nominal[3] = { order, fmin(order, local), local }, error[3][3];
        for (int level = 0; level < 3; level++)
            solve(t, n << level, n, error[level]);
        print_message("%-8s", t->name);
        for (int i = 0; i < 3; i++) {
            double first = log2(error[0][i] / error[1][i]), second = log2(error[1][i] / error[2][i]);
            print_message("  %s %g: %.2f %.2f (%.0e)", what[i], nominal[i], first, second, error[2][i]);
            assert_true(first >= nominal[i] - 0.15 && second >= nominal[i] - 0.15);
        }
        print_message("\n");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trees),
        cmocka_unit_test(test_structure),
        cmocka_unit_test(test_order_conditions),
        cmocka_unit_test(test_error_exponents),
        cmocka_unit_test(test_dense_conditions),
        cmocka_unit_test(test_dense_ends),
        cmocka_unit_test(test_dopri5_constants),
        cmocka_unit_test(test_observed_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
