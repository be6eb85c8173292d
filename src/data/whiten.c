/* Fits the Gaussian that rows are whitened by, and whitens them. */
#include "data/whiten.h"
#include "base/error.h"
#include "base/mem.h"
#include "data/gaussian.h"
#include "data/moments.h"
#include <math.h>
#include <string.h>

lam_status lam_whitening_create(size_t dim, lam_whitening **out)
{
    lam_whitening *w = *out = lam_alloc(1, sizeof *w);
    if (w == NULL)
        return LAM_ERR_MEMORY;
    w->dim = dim;
    w->mean = lam_alloc(dim, sizeof *w->mean);
    w->covariance = lam_alloc(dim * dim, sizeof *w->covariance);
    if (w->mean != NULL && w->covariance != NULL)
        return LAM_OK;
    lam_whitening_free(w);
    *out = NULL;
    return LAM_ERR_MEMORY;
}

lam_status lam_whitening_copy(const lam_whitening *w, lam_whitening **out)
{
    *out = NULL;
    if (w == NULL)
        return LAM_OK;
    LAM_TRY(lam_whitening_create(w->dim, out));
    memcpy((*out)->mean, w->mean, w->dim * sizeof *w->mean);
    memcpy((*out)->covariance, w->covariance, w->dim * w->dim * sizeof *w->covariance);
    return LAM_OK;
}

void lam_whitening_free(lam_whitening *w)
{
    if (w == NULL)
        return;
    lam_free(w->mean);
    lam_free(w->covariance);
    lam_free(w);
}

lam_status lam_whitening_is_sound(const lam_whitening *w, int *sound)
{
    size_t dim = w->dim;
    double *copy = lam_alloc(dim * dim, sizeof *copy);
    if (copy == NULL)
        return LAM_ERR_MEMORY;
    memcpy(copy, w->covariance, dim * dim * sizeof *copy);
    *sound = 1;
    for (size_t i = 0; i < dim; i++) {
        *sound = *sound && isfinite(w->mean[i]);
        for (size_t j = 0; j < dim; j++)
            *sound = *sound && isfinite(copy[i * dim + j]) && copy[i * dim + j] == copy[j * dim + i];
    }
    *sound = *sound && lam_cholesky(copy, dim) == dim;
    lam_free(copy);
    return LAM_OK;
}

/* ---- rows --------------------------------------------------------------------------------------------------------- */

struct lam_whitener {
    const lam_whitening *of;
    const size_t *levels;
    unsigned char *roles;    /* [dim] that the factor is of */
    size_t *order;           /* [used] columns: those that are given, then those that move */
    size_t given, used;
    double *factor;          /* [used, used] Cholesky, of the covariance in that order */
    double *score;           /* [used] L^-1 (u - mean) */
    double *row;             /* [dim] the caller's */
    double log_det;          /* -sum log of the diagonal over what moves */
    int ready;
};

lam_status lam_whitener_create(const lam_whitening *whitening, const size_t *levels, lam_whitener **out)
{
    *out = NULL;
    if (whitening == NULL)
        return LAM_OK;
    size_t dim = whitening->dim;
    lam_whitener *w = *out = lam_alloc(1, sizeof *w);
    if (w == NULL)
        return LAM_ERR_MEMORY;
    w->of = whitening;
    w->levels = levels;
    w->roles = lam_alloc(dim, 1);
    w->order = lam_alloc(dim, sizeof *w->order);
    w->factor = lam_alloc(dim * dim, sizeof *w->factor);
    w->score = lam_alloc(dim, sizeof *w->score);
    w->row = lam_alloc(dim, sizeof *w->row);
    if (w->roles != NULL && w->order != NULL && w->factor != NULL && w->score != NULL && w->row != NULL)
        return LAM_OK;
    lam_whitener_free(w);
    *out = NULL;
    return LAM_ERR_MEMORY;
}

void lam_whitener_free(lam_whitener *w)
{
    if (w == NULL)
        return;
    lam_free(w->roles);
    lam_free(w->order);
    lam_free(w->factor);
    lam_free(w->score);
    lam_free(w->row);
    lam_free(w);
}

double *lam_whitener_row(lam_whitener *w)
{
    return w->row;
}

static void append(lam_whitener *w, lam_role role)
{
    for (size_t j = 0; j < w->of->dim; j++)
        if (w->roles[j] == role && (w->levels == NULL || w->levels[j] == 0))
            w->order[w->used++] = j;
}

/* The factor of these roles. Parts of a covariance that is positive definite are that too; where rounding leaves a pivot of nothing all the same,
 * what follows is NaN, and is told of as a result that is not finite. */
static void prepare(lam_whitener *w, const unsigned char *roles)
{
    size_t dim = w->of->dim;
    if (w->ready && memcmp(w->roles, roles, dim) == 0)
        return;
    memcpy(w->roles, roles, dim);
    w->ready = 1;
    w->used = 0;
    append(w, LAM_GIVEN);
    w->given = w->used;
    append(w, LAM_MOVING);
    for (size_t i = 0; i < w->used; i++)
        for (size_t j = 0; j <= i; j++)
            w->factor[i * w->used + j] = w->of->covariance[w->order[i] * dim + w->order[j]];
    for (size_t i = lam_cholesky(w->factor, w->used); i < w->used; i++)
        w->factor[i * w->used + i] = (double)NAN;
    w->log_det = 0;
    for (size_t i = w->given; i < w->used; i++)
        w->log_det -= log(w->factor[i * w->used + i]);
}

/* What the entries before it explain of entry i, beside the mean. */
static double explained(const lam_whitener *w, size_t i)
{
    const double *row = w->factor + i * w->used;
    double sum = 0;
    for (size_t k = 0; k < i; k++)
        sum += row[k] * w->score[k];
    return sum;
}

static double score_of(const lam_whitener *w, size_t i, const double *u)
{
    size_t j = w->order[i];
    return (u[j] - w->of->mean[j] - explained(w, i)) / w->factor[i * w->used + i];
}

double lam_whiten(lam_whitener *w, const unsigned char *roles, double *u)
{
    prepare(w, roles);
    for (size_t i = 0; i < w->used; i++)
        w->score[i] = score_of(w, i, u);
    for (size_t i = w->given; i < w->used; i++)
        u[w->order[i]] = w->score[i];
    return w->log_det;
}

double lam_unwhiten(lam_whitener *w, const unsigned char *roles, double *u)
{
    prepare(w, roles);
    for (size_t i = 0; i < w->given; i++)
        w->score[i] = score_of(w, i, u);
    for (size_t i = w->given; i < w->used; i++) {
        size_t j = w->order[i];
        w->score[i] = u[j];
        u[j] = w->of->mean[j] + explained(w, i) + w->factor[i * w->used + i] * w->score[i];
    }
    return w->log_det;
}

/* ---- the fit ------------------------------------------------------------------------------------------------------ */

enum { STEPS = 30, MORE_STEPS = 200 }; /* of EM at most, and where they are cheap; without missing cells the first one is exact */
static const double ENOUGH = 1e-4; /* largest change of an entry of the covariance, of its columns' deviations */
static const double WORK = 3e8;    /* multiplications of a step: of more rows with missing cells every second, third ... is taken */

typedef struct sums {
    const double *x; /* [n, dim] */
    size_t n, step, dim; /* rows 0, step, 2 step ... are taken */
    const size_t *levels;
    lam_whitening *w;
    lam_whitener *whitener;
    unsigned char *roles;  /* [dim] */
    double *u;             /* [dim] */
    double *deviation;     /* [dim] of the covariance so far */
    double *first, *second; /* [dim], [dim, dim]: of the rows, about the mean so far; the lower triangle */
} sums;

static int is_text(const sums *s, size_t j)
{
    return s->levels != NULL && s->levels[j] > 0;
}

/* The variance of a column; of one without spread, as of texts and of columns of which nothing is there, 1. */
static double spread(double variance, double mean)
{
    return variance > 1e-20 * mean * mean && variance > 0 ? variance : 1;
}

/* Means and variances of the cells that are there. */
static void start(sums *s)
{
    double *n = s->first, *square = s->deviation; /* [dim], which are room as yet */
    size_t dim = s->dim;
    memset(n, 0, dim * sizeof *n);
    memset(square, 0, dim * sizeof *square);
    memset(s->w->mean, 0, dim * sizeof *s->w->mean);
    for (size_t i = 0; i < s->n; i += s->step)
        for (size_t j = 0; j < dim; j++) {
            double value = s->x[i * dim + j], step = value - s->w->mean[j];
            if (isnan(value) || is_text(s, j))
                continue;
            s->w->mean[j] += step / ++n[j];
            square[j] += step * (value - s->w->mean[j]);
        }
    for (size_t j = 0; j < dim; j++)
        s->w->covariance[j * dim + j] = spread(n[j] > 0 ? square[j] / n[j] : 0, s->w->mean[j]);
}

/* Adds row i, its missing cells by their mean given the others; returns whether there are any. */
static int add_row(sums *s, size_t i)
{
    int missing = 0;
    size_t dim = s->dim;
    for (size_t j = 0; j < dim; j++) {
        double value = s->x[i * dim + j];
        s->roles[j] = is_text(s, j) ? LAM_ABSENT : isnan(value) ? LAM_MOVING : LAM_GIVEN;
        s->u[j] = s->roles[j] == LAM_GIVEN ? value : 0; /* of what moves: a score of 0 is the mean */
        missing |= s->roles[j] == LAM_MOVING;
    }
    if (missing)
        lam_unwhiten(s->whitener, s->roles, s->u);
    for (size_t j = 0; j < dim; j++) {
        s->first[j] += s->u[j];
        double at = s->u[j] - s->w->mean[j];
        for (size_t k = 0; k <= j && !is_text(s, j); k++)
            s->second[j * dim + k] += is_text(s, k) ? 0 : at * (s->u[k] - s->w->mean[k]);
    }
    return missing;
}

/* The covariance of a row's missing cells given the others, L L' of the factor's last rows. */
static void add_doubt(sums *s)
{
    const lam_whitener *w = s->whitener;
    for (size_t i = w->given; i < w->used; i++)
        for (size_t j = w->given; j <= i; j++) {
            double sum = 0;
            for (size_t k = w->given; k <= j; k++)
                sum += w->factor[i * w->used + k] * w->factor[j * w->used + k];
            size_t a = w->order[i], b = w->order[j]; /* ascending, as columns are taken in their order */
            s->second[a * s->dim + b] += sum;
        }
}

/* Rows of independent columns that are counted beside n, so that the covariance has an inverse where columns are functions of others. dim of
 * them shrink a covariance of few rows to where it does best on other rows; of many rows they would hide that columns are nearly functions of
 * others, so their share falls by 1 / n^2, down to what double resolves. */
static double independent_rows(double n, double dim)
{
    static const double LEAST = 1e-8;
    return fmax(dim * fmin(1, dim / n), LEAST * n);
}

/* Sums become mean and covariance, with a few rows of independent columns; the largest change. */
static double renew(sums *s)
{
    size_t dim = s->dim;
    double n = (double)((s->n - 1) / s->step + 1), change = 0;
    for (size_t j = 0; j < dim; j++) {
        s->first[j] = s->first[j] / n - s->w->mean[j]; /* how far the mean moves */
        s->deviation[j] = sqrt(s->w->covariance[j * dim + j]);
    }
    for (size_t j = 0; j < dim; j++)
        for (size_t k = 0; k <= j; k++) {
            double value = s->second[j * dim + k] / n - s->first[j] * s->first[k];
            value = k < j ? value * n / (n + independent_rows(n, (double)dim)) : spread(value, s->w->mean[j]);
            change = fmax(change, fabs(value - s->w->covariance[j * dim + k]) / (s->deviation[j] * s->deviation[k]));
            s->w->covariance[j * dim + k] = s->w->covariance[k * dim + j] = value;
        }
    for (size_t j = 0; j < dim; j++)
        s->w->mean[j] += is_text(s, j) ? 0 : s->first[j];
    s->whitener->ready = 0;
    return change;
}

/* Multiplications of a row with missing cells. */
static double work_of_row(double dim)
{
    return dim * dim * (1 + dim / 6);
}

/* As many as STEPS of the dearest ones take. */
static size_t most_steps(const sums *s)
{
    double steps = STEPS * WORK / (work_of_row((double)s->dim) * (double)s->n / (double)s->step);
    return steps < STEPS ? STEPS : steps > MORE_STEPS ? MORE_STEPS : (size_t)steps;
}

static void run(sums *s)
{
    int missing = 1;
    size_t most = most_steps(s);
    double change = 1;
    start(s);
    for (size_t step = 0; step < most && missing && change > ENOUGH; step++) {
        missing = 0;
        memset(s->first, 0, s->dim * sizeof *s->first);
        memset(s->second, 0, s->dim * s->dim * sizeof *s->second);
        for (size_t i = 0; i < s->n; i += s->step)
            if (add_row(s, i)) {
                missing = 1;
                add_doubt(s);
            }
        change = renew(s);
    }
}

/* 1: all rows are taken, as always without missing cells. */
static size_t step_of(const double *x, size_t n, size_t dim)
{
    double most = fmax(WORK / work_of_row((double)dim), 20 * (double)dim);
    size_t i = 0;
    while (i < n * dim && !isnan(x[i]))
        i++;
    return i == n * dim ? 1 : (size_t)ceil((double)n / most);
}

lam_status lam_whitening_fit(const double *x, size_t n, size_t dim, const size_t *levels, lam_whitening **out)
{
    sums s = { .x = x, .n = n, .step = step_of(x, n, dim), .dim = dim, .levels = levels };
    LAM_TRY(lam_whitening_create(dim, out));
    s.w = *out;
    s.roles = lam_alloc(dim, 1);
    s.u = lam_alloc(dim, sizeof *s.u);
    s.deviation = lam_alloc(dim, sizeof *s.deviation);
    s.first = lam_alloc(dim, sizeof *s.first);
    s.second = lam_alloc(dim * dim, sizeof *s.second);
    lam_status status = lam_whitener_create(s.w, levels, &s.whitener);
    if (s.roles == NULL || s.u == NULL || s.deviation == NULL || s.first == NULL || s.second == NULL)
        status = LAM_ERR_MEMORY;
    if (status == LAM_OK)
        run(&s);
    lam_free(s.roles);
    lam_free(s.u);
    lam_free(s.deviation);
    lam_free(s.first);
    lam_free(s.second);
    lam_whitener_free(s.whitener);
    if (status == LAM_OK)
        return LAM_OK;
    lam_whitening_free(*out);
    *out = NULL;
    return status;
}

/* ---- rows without missing cells ----------------------------------------------------------------------------------- */

lam_status lam_whitening_of(size_t n, size_t dim, const double *mean, const double *covariance, lam_whitening **out)
{
    double rows = (double)n;
    LAM_TRY(lam_whitening_create(dim, out));
    lam_whitening *w = *out;
    memcpy(w->mean, mean, dim * sizeof *w->mean);
    for (size_t j = 0; j < dim; j++)
        for (size_t k = 0; k <= j; k++) {
            double value = covariance[j * dim + k];
            value = k < j ? value * rows / (rows + independent_rows(rows, (double)dim)) : spread(value, mean[j]);
            w->covariance[j * dim + k] = w->covariance[k * dim + j] = value;
        }
    return LAM_OK;
}

enum { PIECE = 4096 }; /* rows: 4 MiB of 128 columns */

/* Behind the maps, piece by piece; room [PIECE, dim]. */
static void read_mapped(const double *x, size_t n, size_t dim, const lam_maps *maps, double *room, lam_moments_run *run)
{
    for (size_t first = 0; first < n; first += PIECE) {
        size_t rows = n - first < PIECE ? n - first : PIECE;
        lam_maps_forward(maps, x + first * dim, rows, dim, room, NULL);
        lam_moments_add(run, room, rows);
    }
}

lam_status lam_whitening_fit_whole(const double *x, size_t n, size_t dim, const lam_maps *maps, lam_whitening **out)
{
    lam_moments_run *run = NULL;
    lam_column_moments *moments = lam_alloc(dim, sizeof *moments);
    double *room = lam_alloc(PIECE * dim, sizeof *room), *mean = lam_alloc(dim, sizeof *mean), *covariance = lam_alloc(dim * dim, sizeof *covariance);
    lam_status status = moments == NULL || room == NULL || mean == NULL || covariance == NULL ? LAM_ERR_MEMORY : lam_moments_begin(dim, 1, &run);
    *out = NULL;
    if (status == LAM_OK) {
        read_mapped(x, n, dim, maps, room, run);
        lam_moments_end(run, moments);
        for (size_t j = 0; j < dim; j++)
            mean[j] = moments[j].mean;
        (void)lam_moments_covariance(run, covariance);
        status = lam_whitening_of(n, dim, mean, covariance, out);
    }
    lam_moments_free(run);
    lam_free(moments), lam_free(room), lam_free(mean), lam_free(covariance);
    return status;
}
