/* Trajectory polynomial regularisation (Huang and Yeh, AAAI 2021), all of it: for the states Y of a block at its observation times,
 *     mean over times and rows of |Y - its least-squares polynomial in time|^2                                  (method.md (4))
 * times and projector, the value of a tile, its cotangents. */
#include "penalty/tpr.h"
#include "base/error.h"
#include "base/sort.h"
#include "penalty/observed.h"
#include <math.h>

/* ---- times and projector: the same for both widths ------------------------------------------------------------------ */

#if LAM_WIDTH == 64
/* Takes the components along basis[0..count) out of v; twice, for orthogonality to rounding. */
static void orthogonalise(size_t n, size_t count, double basis[][LAM_MAX_TPR_TIMES], double *v)
{
    for (int pass = 0; pass < 2; pass++)
        for (size_t j = 0; j < count; j++) {
            double dot = 0;
            for (size_t i = 0; i < n; i++)
                dot += basis[j][i] * v[i];
            for (size_t i = 0; i < n; i++)
                v[i] -= dot * basis[j][i];
        }
}

lam_status lam_tpr_check(size_t n, size_t degree)
{
    if (n < 2 || degree > n - 2)
        return lam_fail(LAM_ERR_ARGUMENT,
            "TPR of degree %zu needs at least %zu times, %zu were asked for (the penalty would be zero); raise tpr-times", degree,
            degree + 2, n);
    if (n > LAM_MAX_TPR_TIMES)
        return lam_fail(LAM_ERR_ARGUMENT, "tpr-times is %zu; at most %d are possible", n, LAM_MAX_TPR_TIMES);
    return LAM_OK;
}

lam_status lam_tpr_residual(size_t n, const double *times, size_t degree, double *residual)
{
    double basis[LAM_MAX_TPR_TIMES][LAM_MAX_TPR_TIMES];
    LAM_TRY(lam_tpr_check(n, degree));
    double middle = (times[0] + times[n - 1]) / 2, half = (times[n - 1] - times[0]) / 2;
    for (size_t j = 0; j <= degree; j++) {
        /* multiplying the last orthonormal vector by t spans the same space as t^j, and is better conditioned */
        double *v = basis[j], norm = 0;
        for (size_t i = 0; i < n; i++)
            v[i] = j == 0 ? 1 : basis[j - 1][i] * (times[i] - middle) / half;
        orthogonalise(n, j, basis, v);
        for (size_t i = 0; i < n; i++)
            norm += v[i] * v[i];
        for (size_t i = 0; i < n; i++)
            v[i] /= sqrt(norm);
    }
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++) {
            double projection = 0;
            for (size_t j = 0; j <= degree; j++)
                projection += basis[j][i] * basis[j][k];
            residual[i * n + k] = (i == k) - projection;
        }
    return LAM_OK;
}

void lam_tpr_times(uint64_t seed, uint64_t stream, size_t n, double end, double *times)
{
    const double gap = 1e-3; /* of the span: closer times count as equal (float solves tell no closer ones apart) */
    double least;
    uint64_t attempt = 0;
    do { /* on [0, 1], so that it ends whatever the end time */
        times[0] = 0;
        times[n - 1] = least = 1;
        for (size_t i = 1; i + 1 < n; i++)
            times[i] = lam_random_uniform(seed, LAM_DRAW_TIMES, stream, attempt * LAM_MAX_TPR_TIMES + i);
        lam_sort_ascending(times + 1, n - 2);
        for (size_t i = 1; i < n; i++)
            least = fmin(least, times[i] - times[i - 1]);
        attempt++;
    } while (least <= gap);
    for (size_t i = 0; i < n; i++)
        times[i] *= end;
}
#endif

_Static_assert((int)LAM_MAX_TPR_TIMES <= (int)LAM_MAX_OBSERVED, "a plan has room for every time");

/* ---- value and cotangents of a tile --------------------------------------------------------------------------------- */

static void configure(const lam_config *cfg, lam_penalty *p)
{
    p->tpr.times = cfg->tpr_times;
    p->tpr.degree = cfg->tpr_degree;
    p->tpr.l_weight = cfg->tpr_l_weight;
}

static size_t times(const lam_penalty *p)
{
    return p->tpr.times;
}

static int of_l(const lam_penalty *p)
{
    return p->tpr.l_weight > 0;
}

static lam_status check(const lam_penalty *p)
{
    return lam_tpr_check(p->tpr.times, p->tpr.degree);
}

static lam_status plan(const lam_penalty *p, const double *at, lam_observed_plan *plan)
{
    return lam_tpr_residual(plan->times, at, p->tpr.degree, plan->matrix);
}

/* out [planes][TILE] = base + factor * what the polynomial leaves of state j, from its plane `first` on. */
static void residual(const lam_observed_plan *plan, const lam_observed *tile, size_t j, size_t first, size_t planes, double factor,
    const real *base, real *out)
{
    real coef[LAM_MAX_OBSERVED];
    const real *state[LAM_MAX_OBSERVED];
    for (size_t k = 0; k < plan->times; k++) {
        coef[k] = (real)(factor * plan->matrix[j * plan->times + k]);
        state[k] = tile->state[k] + first * LAM_TILE;
    }
    tile->kernels->combine(planes * LAM_TILE, out, base, plan->times, coef, state);
}

static void value(const lam_penalty *p, const lam_observed_plan *plan, const lam_observed *tile, real *sums)
{
    for (size_t j = 0; j < plan->times; j++) {
        residual(plan, tile, j, 0, tile->dim, 1, NULL, tile->scratch);
        tile->kernels->column_dots(tile->dim, tile->scratch, tile->scratch, 1, sums);
        if (p->tpr.l_weight > 0) {
            residual(plan, tile, j, tile->dim, 1, 1, NULL, tile->scratch);
            tile->kernels->column_dots(1, tile->scratch, tile->scratch, (real)p->tpr.l_weight, sums);
        }
    }
}

/* The projector is symmetric and idempotent, so the derivative of |R Y|^2 is 2 R Y. */
static void cotangent(const lam_penalty *p, const lam_observed_plan *plan, const lam_observed *tile, size_t j, double factor, int add,
    real *g, real *g_l)
{
    residual(plan, tile, j, 0, tile->dim, 2 * factor, add ? g : NULL, g);
    if (g_l != NULL)
        residual(plan, tile, j, tile->dim, 1, 2 * factor * p->tpr.l_weight, add ? g_l : NULL, g_l);
}

LAM_OBSERVED(tpr) = { .per_time = 1, .configure = configure, .times = times, .of_l = of_l, .check = check, .plan = plan, .value = value,
    .cotangent = cotangent };
