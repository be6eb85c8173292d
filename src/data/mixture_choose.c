/* Chooses the number of components of a mixture on held-out rows. */
#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "data/dataset.h"
#include "data/mixture.h"
#include <math.h>
#include <string.h>

enum { LEAST_ROWS = 100, MOST_COLUMNS = 200, MOST_ROWS = 20000, FULL_COLUMNS = 60, ROWS_A_COLUMN = 3, FAILURES = 2,
    LEAST_ITERATIONS = 10, MOST_ITERATIONS = 60 };

/* Of z: a standard deviation of 0.3 % of the column's. */
static const double ridge = 1e-5;
/* Nats a row and column. On four real sets, ten times less made mixtures better by 0.04 nats at the most; where they start matters
 * as much. */
static const double tolerance = 5e-5;
/* Rows times squared columns times iterations, a component: what bounds the time of wide tables. */
static const double most_work = 2e9;
/* Operations a second of a slow processor, for a first guess where time is limited. */
static const double slow = 2e9;

/* Rows that are fitted at the most: fewer of many columns. */
static size_t most_rows(size_t dim)
{
    return dim <= FULL_COLUMNS ? MOST_ROWS : MOST_ROWS * (size_t)FULL_COLUMNS / dim;
}

/* At most `most` rows of a part, evenly spaced. */
static double *sample(const lam_dataset *data, lam_part part, size_t most, size_t *n)
{
    uint64_t rows = data->rows[part];
    size_t dim = data->dim;
    *n = rows < most ? (size_t)rows : most;
    double *x = lam_alloc(*n, dim * sizeof(double));
    for (size_t i = 0; x != NULL && i < *n; i++)
        memcpy(x + i * dim, data->values[part] + i * rows / *n * dim, dim * sizeof(double));
    return x;
}

static lam_mixture_options options_for(size_t rows, size_t dim, size_t components, const char *isa, lam_pool *pool)
{
    double iterations = most_work / ((double)rows * (double)(dim * dim));
    return (lam_mixture_options) { .components = components, .ridge = ridge, .tolerance = tolerance * (double)dim, .isa = isa,
        .pool = pool, .iterations = iterations < LEAST_ITERATIONS ? LEAST_ITERATIONS
            : iterations > MOST_ITERATIONS ? MOST_ITERATIONS : (size_t)iterations };
}

typedef struct searched {
    const double *x, *valid; /* [n, dim], [n_valid, dim] */
    size_t n, n_valid, dim;
    const char *isa;
    lam_pool *pool;
    double until;            /* 0, or the clock at which it is to be done */
    int out_of_time;         /* 1: there was none for a further size */
    lam_mixture best;
    double best_nll;         /* on valid */
} searched;

/* Keeps the mixture of so many if it is better on `valid`. */
static lam_status try_size(searched *s, size_t components, int *better)
{
    const lam_mixture_options options = options_for(s->n, s->dim, components, s->isa, s->pool);
    lam_gaussian_score score = { .nll = (double)NAN };
    lam_mixture m;
    lam_status status = lam_mixture_fit(s->x, s->n, s->dim, &options, &m);
    if (status == LAM_OK)
        status = lam_mixture_nll(&m, s->isa, s->pool, s->valid, NULL, s->n_valid, NULL, &score);
    *better = status == LAM_OK && isfinite(score.nll) && (s->best.components == 0 || score.nll < s->best_nll);
    lam_mixture_clear(*better ? &s->best : &m);
    if (*better) {
        s->best = m;
        s->best_nll = score.nll;
    }
    return status;
}

/* Leaves best without components where there are too few rows for any, or no time. */
static lam_status search(searched *s)
{
    static const size_t sizes[] = { 2, 4, 8, 16, 20 };
    double d = (double)s->dim, seconds = (double)s->n * (2 * d * d + 100) * MOST_ITERATIONS / slow; /* a component; measured below */
    size_t failures = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0] && failures < FAILURES; i++) {
        int better;
        double began = lam_clock();
        s->out_of_time = s->until > 0 && began + seconds * (double)sizes[i] > s->until;
        if (s->n < ROWS_A_COLUMN * (s->dim + 1) * sizes[i] || s->out_of_time)
            break;
        LAM_TRY(try_size(s, sizes[i], &better));
        failures = better ? 0 : failures + 1;
        seconds = (lam_clock() - began) / (double)sizes[i];
    }
    return LAM_OK;
}

lam_status lam_mixture_choose(const lam_dataset *data, const size_t *index, size_t n_test, const char *isa, lam_pool *pool,
    double until, double *each, lam_mixture_choice *out)
{
    *out = (lam_mixture_choice) { .valid_nll = (double)NAN, .test = { .nll = (double)NAN, .se = (double)NAN } };
    if (data->rows[LAM_TRAIN] < LEAST_ROWS || data->rows[LAM_VALID] == 0 || data->dim > MOST_COLUMNS)
        return LAM_OK;
    searched s = { .dim = data->dim, .isa = isa, .pool = pool, .until = until, .best_nll = (double)NAN };
    double *x = sample(data, LAM_TRAIN, most_rows(s.dim), &s.n), *valid = sample(data, LAM_VALID, most_rows(s.dim), &s.n_valid);
    s.x = x, s.valid = valid;
    lam_status status = x == NULL || valid == NULL ? LAM_ERR_MEMORY : search(&s);
    if (status == LAM_OK && s.best.components > 0)
        status = lam_mixture_nll(&s.best, isa, pool, data->values[LAM_TEST], index, n_test, each, &out->test);
    else if (status == LAM_ERR_DATA) /* no spread, or an infinite one, among the rows that were taken: no mixture of them */
        status = LAM_OK;
    out->components = s.best.components;
    out->out_of_time = s.best.components == 0 && s.out_of_time;
    out->valid_nll = s.best_nll;
    out->test.fitted = s.best.components > 0 ? s.n : 0;
    lam_mixture_clear(&s.best);
    lam_free(x);
    lam_free(valid);
    return status;
}
