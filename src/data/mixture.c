/* Fits mixtures of Gaussians by expectation maximisation. */
#include "data/mixture.h"
#include "base/error.h"
#include "base/mem.h"
#include "data/gaussian.h"
#include "data/mixture_inside.h"
#include "data/moments.h"
#include <math.h>
#include <string.h>

/* ---- the thing itself --------------------------------------------------------------------------------------------- */

static lam_status create(size_t dim, size_t components, lam_mixture *out)
{
    size_t square = dim * dim * sizeof(double);
    *out = (lam_mixture) { .dim = dim, .components = components, .center = lam_alloc(dim, sizeof(double)),
        .scale = lam_alloc(dim, sizeof(double)), .weight = lam_alloc(components, sizeof(double)),
        .mean = lam_alloc(components, dim * sizeof(double)), .lower = lam_alloc(components, square),
        .whiten = lam_alloc(components, square) };
    return out->center == NULL || out->scale == NULL || out->weight == NULL || out->mean == NULL || out->lower == NULL
        || out->whiten == NULL ? LAM_ERR_MEMORY : LAM_OK;
}

void lam_mixture_clear(lam_mixture *m)
{
    lam_free(m->center);
    lam_free(m->scale);
    lam_free(m->weight);
    lam_free(m->mean);
    lam_free(m->lower);
    lam_free(m->whiten);
    *m = (lam_mixture) { 0 };
}

static lam_status measure_columns(const double *x, size_t n, lam_mixture *m)
{
    for (size_t j = 0; j < m->dim; j++) {
        lam_column_moments moments;
        lam_moments_of(x + j, n, m->dim, &moments);
        if (moments.constant || !isfinite(moments.deviation))
            return lam_fail(LAM_ERR_DATA, "column %zu has %s; leave it out of the mixture of Gaussians", j + 1,
                moments.constant ? "one value" : "no finite variance");
        m->center[j] = moments.mean;
        m->scale[j] = moments.deviation;
        m->log_scale += log(moments.deviation);
    }
    return LAM_OK;
}

/* The inverse of a lower triangular matrix, zeros above its diagonal. */
static void invert_lower(const double *lower, size_t dim, double *inverse)
{
    memset(inverse, 0, dim * dim * sizeof(double));
    for (size_t j = 0; j < dim; j++) { /* row by row: inverse[j] = (e_j - sum lower[j][k] inverse[k]) / lower[j][j] */
        double *row = inverse + j * dim;
        for (size_t k = 0; k < j; k++)
            for (size_t i = 0; i <= k; i++)
                row[i] -= lower[j * dim + k] * inverse[k * dim + i];
        for (size_t i = 0; i < j; i++)
            row[i] /= lower[j * dim + j];
        row[j] = 1 / lower[j * dim + j];
    }
}

int lam_mixture_set_covariance(lam_mixture *m, size_t k, double *covariance)
{
    size_t dim = m->dim;
    double *lower = m->lower + k * dim * dim;
    if (lam_cholesky(covariance, dim) < dim)
        return 0;
    for (size_t i = 0; i < dim; i++)
        for (size_t j = 0; j < dim; j++)
            lower[i * dim + j] = j <= i ? covariance[i * dim + j] : 0;
    invert_lower(lower, dim, m->whiten + k * dim * dim);
    return 1;
}

/* ---- new components from the sums of a pass ----------------------------------------------------------------------- */

typedef struct maximiser {
    const lam_mixture_pass *pass;
    lam_mixture *m;
    double total;   /* rows */
    double ridge;
    double *thread; /* [threads][2 dim dim + 2 dim] */
} maximiser;

/* out = A B', both [dim, dim], B lower triangular */
static void times_transposed(const double *a, const double *b, size_t dim, double *out)
{
    for (size_t i = 0; i < dim; i++)
        for (size_t j = 0; j < dim; j++) {
            double sum = 0;
            for (size_t k = 0; k <= j; k++)
                sum += a[i * dim + k] * b[j * dim + k];
            out[i * dim + j] = sum;
        }
}

/* With y = W (z - m), L = W^-1, s and S the sums of r y and r y y', N that of r:
 *     new w = N / n,   new m = m + L s / N,   new C = L (S / N - s s' / N^2) L' + ridge I
 * A component that explains no row any more keeps its place with weight 0. */
static void maximise(void *arg, size_t k, size_t thread)
{
    const maximiser *a = arg;
    lam_mixture *m = a->m;
    size_t dim = m->dim;
    double *first = a->thread + thread * 2 * (dim * dim + dim), *second = first + 2 * dim, *half = second + dim * dim;
    double *lower = m->lower + k * dim * dim, count = lam_mixture_pass_sums(a->pass, k, first, second);
    m->weight[k] = count / a->total;
    if (!(count > 0))
        return;
    for (size_t i = 0; i < dim; i++)
        first[i] /= count;
    for (size_t i = 0; i < dim; i++)
        for (size_t j = 0; j < dim; j++)
            second[i * dim + j] = second[i * dim + j] / count - first[i] * first[j];
    for (size_t i = 0; i < dim; i++)
        for (size_t j = 0; j <= i; j++)
            m->mean[k * dim + i] += lower[i * dim + j] * first[j];
    times_transposed(second, lower, dim, half); /* S L', and S is symmetric: (S L')' L' = L S L' */
    for (size_t i = 0; i < dim; i++)
        for (size_t j = 0; j < dim; j++)
            second[j * dim + i] = half[i * dim + j];
    times_transposed(second, lower, dim, half);
    for (size_t i = 0; i < dim; i++)
        half[i * dim + i] += a->ridge;
    (void)lam_mixture_set_covariance(m, k, half); /* without a ridge, on a line or plane: the old one stays */
}

/* ---- the fit ------------------------------------------------------------------------------------------------------ */

static lam_status climb(const double *x, size_t n, const lam_mixture_options *o, lam_mixture_pass *pass, lam_mixture *m)
{
    maximiser a = { .pass = pass, .m = m, .total = (double)n, .ridge = o->ridge,
        .thread = lam_alloc(lam_pool_threads(o->pool), 2 * (m->dim * m->dim + m->dim) * sizeof(double)) };
    if (a.thread == NULL)
        return LAM_ERR_MEMORY;
    double before = -INFINITY;
    for (size_t i = 0; i < o->iterations; i++) {
        double now = lam_mixture_pass_run(pass, x, NULL, n, LAM_MIXTURE_SOFT, o->ridge, NULL);
        if (o->objective != NULL)
            o->objective[i] = now;
        lam_pool_run(o->pool, m->components, maximise, &a);
        if (!(now - before >= o->tolerance))
            break;
        before = now;
    }
    lam_free(a.thread);
    return LAM_OK;
}

lam_status lam_mixture_fit(const double *x, size_t n, size_t dim, const lam_mixture_options *o, lam_mixture *out)
{
    lam_mixture_pass *pass = NULL;
    *out = (lam_mixture) { 0 };
    if (o->components == 0 || n < o->components)
        return lam_fail(LAM_ERR_ARGUMENT, "%zu rows are too few for a mixture of %zu Gaussians", n, o->components);
    for (size_t i = 0; o->objective != NULL && i < o->iterations; i++)
        o->objective[i] = (double)NAN;
    lam_status status = create(dim, o->components, out);
    if (status == LAM_OK)
        status = measure_columns(x, n, out);
    if (status == LAM_OK)
        status = lam_mixture_pass_create(out, o->isa, o->pool, &pass);
    if (status == LAM_OK)
        status = lam_mixture_start(x, n, o, pass, out);
    if (status == LAM_OK)
        status = climb(x, n, o, pass, out);
    lam_mixture_pass_free(pass);
    if (status != LAM_OK)
        lam_mixture_clear(out);
    return status;
}

lam_status lam_mixture_nll(const lam_mixture *m, const char *isa, lam_pool *pool, const double *x, const size_t *index, size_t n,
    double *own, lam_gaussian_score *score)
{
    lam_mixture_pass *pass = NULL;
    lam_column_moments moments;
    *score = (lam_gaussian_score) { .nll = (double)NAN, .se = (double)NAN };
    if (n == 0)
        return LAM_OK;
    double *each = own != NULL ? own : lam_alloc(n, sizeof *each);
    lam_status status = each == NULL ? LAM_ERR_MEMORY : lam_mixture_pass_create(m, isa, pool, &pass);
    if (status == LAM_OK) {
        score->nll = m->log_scale - lam_mixture_pass_run(pass, x, index, n, LAM_MIXTURE_DENSITY, 0, each);
        lam_moments_of(each, n, 1, &moments);
        for (size_t i = 0; own != NULL && i < n; i++)
            own[i] = m->log_scale - own[i];
        score->se = n < 2 ? (double)NAN : moments.deviation / sqrt((double)(n - 1));
    }
    lam_mixture_pass_free(pass);
    if (own == NULL)
        lam_free(each);
    return status;
}
