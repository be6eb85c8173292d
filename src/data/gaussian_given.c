/* Fits the Gaussian's conditional density of some columns given others, and scores rows by it. Rows are taken apart one at a time: a level of text is
 * an input, and all rows in inputs may be more than memory holds. */
#include "base/error.h"
#include "base/mem.h"
#include "data/dataset.h"
#include "data/gaussian.h"
#include "data/given.h"
#include <float.h>
#include <math.h>
#include <string.h>

enum { MOST = 2000 };             /* inputs and moving columns */
static const double WORK = 2e11;  /* multiplications: of more rows every second, third ... is taken */

typedef struct split {
    const lam_dataset *data;
    lam_given given;
    size_t dim;           /* inputs, then moving columns */
    double *row;          /* [dim] */
    double *sums;         /* [dim, dim] covariance, the lower triangle */
    double *each;         /* NULL, or what gets the test rows' NLLs */
    size_t *kept;         /* [dim] columns that are no linear functions of those before them */
    size_t inputs;        /* of these */
} split;

static const double *take_row(split *s, lam_part part, size_t i)
{
    const double *x = s->data->values[part] + i * s->data->dim;
    lam_given_inputs(&s->given, NULL, x, NULL, 1, s->row);
    lam_given_take(&s->given, NULL, NULL, x, NULL, 1, s->row + s->given.inputs, NULL);
    return s->row;
}

/* Mean [dim] and covariance of n training rows, step apart. */
static void measure(split *s, size_t n, size_t step, double *mean)
{
    size_t dim = s->dim;
    memset(mean, 0, dim * sizeof *mean);
    memset(s->sums, 0, dim * dim * sizeof *s->sums);
    for (size_t i = 0; i < n; i++) {
        const double *row = take_row(s, LAM_TRAIN, i * step);
        for (size_t j = 0; j < dim; j++)
            mean[j] += row[j] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        take_row(s, LAM_TRAIN, i * step);
        for (size_t j = 0; j < dim; j++)
            s->row[j] -= mean[j];
        for (size_t j = 0; j < dim; j++)
            for (size_t k = 0; k <= j; k++)
                s->sums[j * dim + k] += s->row[j] * s->row[k];
    }
    for (size_t j = 0; j < dim * dim; j++)
        s->sums[j] /= (double)n;
}

/* Row by row the Cholesky factor of the columns that are kept, lower [.., dim]: an input that is a linear function of those before it tells nothing
 * more, and is left out. Returns how many are kept; 0: a column that moves is such a function. */
static size_t factor(split *s, double *lower)
{
    size_t dim = s->dim, n = 0;
    s->inputs = 0;
    for (size_t j = 0; j < dim; j++) {
        double *own = lower + n * dim, left = s->sums[j * dim + j];
        for (size_t k = 0; k < n; k++) {
            double sum = s->sums[j * dim + s->kept[k]];
            for (size_t m = 0; m < k; m++)
                sum -= own[m] * lower[k * dim + m];
            own[k] = sum / lower[k * dim + k];
            left -= own[k] * own[k];
        }
        int vanishes = !(left > 64 * (double)dim * DBL_EPSILON * s->sums[j * dim + j]); /* what rounding leaves of a zero */
        if (vanishes && j >= s->given.inputs)
            return 0;
        if (vanishes)
            continue;
        own[n] = sqrt(left);
        s->inputs += j < s->given.inputs;
        s->kept[n++] = j;
    }
    return n;
}

static lam_status fit(void *self, size_t step, lam_gaussian *g)
{
    split *s = self;
    size_t dim = s->dim, rows = s->data->rows[LAM_TRAIN] / step;
    *g = (lam_gaussian) { .mean = lam_alloc(dim, sizeof(double)), .lower = lam_alloc(dim * dim, sizeof(double)) };
    if (g->mean == NULL || g->lower == NULL) {
        lam_gaussian_clear(g);
        return LAM_ERR_MEMORY;
    }
    measure(s, rows, step, g->mean);
    size_t n = g->dim = factor(s, g->lower);
    if (n == 0) {
        lam_gaussian_clear(g);
        return lam_fail(LAM_ERR_DATA, "the conditional covariance of %zu rows is singular: a column is a linear function of the given "
            "ones and of those before it (or there are too few rows); leave it out", rows);
    }
    for (size_t i = 0; i < n; i++) {
        memmove(g->lower + i * n, g->lower + i * dim, (i + 1) * sizeof(double));
        g->mean[i] = g->mean[s->kept[i]];
        g->log_det += i >= s->inputs ? log(g->lower[i * n + i]) : 0;
    }
    return LAM_OK;
}

static void score_rows(split *s, const lam_gaussian *g, const size_t *index, size_t n, double *kept, double *white, lam_gaussian_score *score)
{
    lam_gaussian_sums sums = { .each = s->each };
    for (size_t i = 0; i < n; i++) {
        const double *row = take_row(s, LAM_TEST, index != NULL ? index[i] : i);
        for (size_t k = 0; k < g->dim; k++)
            kept[k] = row[s->kept[k]];
        lam_gaussian_add(&sums, g, s->inputs, kept, white);
    }
    lam_gaussian_end(&sums, g, s->inputs, score);
}

static lam_status test(split *s, const size_t *index, size_t n, double until, lam_gaussian_score *score)
{
    lam_gaussian g;
    size_t step, rows = s->data->rows[LAM_TRAIN];
    double d = (double)s->dim, *room = lam_alloc(2 * s->dim, sizeof *room);
    lam_status status = room == NULL ? LAM_ERR_MEMORY : lam_gaussian_step(rows, s->dim, until, fit, s, &step);
    size_t least = (size_t)ceil((double)rows * d * d / WORK);
    if (status == LAM_OK)
        status = fit(s, step = step > least ? step : least, &g);
    if (status == LAM_OK) {
        score_rows(s, &g, index, n, room, room + s->dim, score);
        score->fitted = rows / step;
        lam_gaussian_clear(&g);
    }
    lam_free(room);
    return status;
}

lam_status lam_gaussian_test_given(const lam_dataset *data, const size_t *index, size_t n, double until, double *each, lam_gaussian_score *score)
{
    const lam_given_kind kind = { .is_given = data->is_input, .levels = data->levels };
    split s = { .data = data, .each = each };
    lam_status status = lam_given_make(data->dim, &kind, &s.given);
    s.dim = s.given.inputs + s.given.moving;
    if (status == LAM_OK && s.dim > MOST)
        status = lam_fail(LAM_ERR_DATA, "no Gaussian is fitted to compare with: the given columns make %zu inputs, every level of text one, and with more "
            "than %d columns it would take too long", s.given.inputs, MOST);
    if (status == LAM_OK) {
        s.row = lam_alloc(s.dim, sizeof *s.row);
        s.sums = lam_alloc(s.dim * s.dim, sizeof *s.sums);
        s.kept = lam_alloc(s.dim, sizeof *s.kept);
        status = s.row == NULL || s.sums == NULL || s.kept == NULL ? LAM_ERR_MEMORY : test(&s, index, n, until, score);
    }
    lam_free(s.row);
    lam_free(s.sums);
    lam_free(s.kept);
    lam_given_clear(&s.given);
    return status;
}
