#include "penalty/tpr.h"
#include "base/error.h"
#include <math.h>
#include <stdlib.h>

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

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
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
        qsort(times + 1, n - 2, sizeof *times, ascending);
        for (size_t i = 1; i < n; i++)
            least = fmin(least, times[i] - times[i - 1]);
        attempt++;
    } while (least <= gap);
    for (size_t i = 0; i < n; i++)
        times[i] *= end;
}
