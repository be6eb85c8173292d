/* Are the values of columns where their distributions have them? The share of draws below a value, spread evenly over the place where the
 * value falls between two draws, is uniform under a true model, whatever the number of draws. */
#include "base/error.h"
#include "base/mem.h"
#include "base/need.h"
#include "base/random.h"
#include "data/moments.h"
#include "model/model.h"
#include "model/pass.h"
#include "model/predict.h"
#include <math.h>

static const double BAND = 1.3581; /* Kolmogorov's distribution at 0.95, over the square root of the number of rows */
enum { DRAWS_OF_ROW = 400, SHARED = 10000, AT_ONCE = 200000 };

typedef struct calibration {
    const lam_model *model;
    const lam_eval_options *eval;
    uint64_t seed;
    const double *x;
    const unsigned char *roles;
    size_t n_roles, n, dim, draws;
    double *drawn;  /* [rows at once, draws, dim] */
    double *shares; /* [dim, n] of the rows that have a value, */
    size_t *rows;   /* [dim] so many */
} calibration;

/* A moving cell that is there. */
static int is_asked(const calibration *c, size_t row, size_t column)
{
    int role = c->roles != NULL ? c->roles[(c->n_roles == 1 ? 0 : row) * c->dim + column] : (int)lam_model_role(c->model, column);
    return role == LAM_MOVING && !isnan(c->x[row * c->dim + column]);
}

/* The share of draws [n], stride apart, below value. */
static double share_of(const calibration *c, const double *draws, size_t row, size_t column)
{
    double value = c->x[row * c->dim + column];
    size_t below = 0, equal = 0;
    for (size_t k = 0; k < c->draws; k++) {
        below += draws[k * c->dim + column] < value;
        equal += draws[k * c->dim + column] == value;
    }
    double u = lam_random_uniform(c->seed, LAM_DRAW_PIT, column, row);
    return ((double)below + u * (double)(equal + 1)) / (double)(c->draws + 1);
}

static void take(calibration *c, const double *draws, size_t row)
{
    for (size_t j = 0; j < c->dim; j++)
        if (is_asked(c, row, j))
            c->shares[j * c->n + c->rows[j]++] = share_of(c, draws, row, j);
}

/* Each row has draws of its own. */
static lam_status by_row(calibration *c)
{
    size_t at_once = AT_ONCE / c->draws > 0 ? AT_ONCE / c->draws : 1;
    at_once = at_once < c->n ? at_once : c->n;
    c->drawn = lam_alloc(at_once * c->draws, c->dim * sizeof *c->drawn);
    if (c->drawn == NULL)
        return LAM_ERR_MEMORY;
    for (size_t first = 0; first < c->n; first += at_once) {
        size_t rows = c->n - first < at_once ? c->n - first : at_once;
        const unsigned char *roles = c->roles == NULL ? NULL : c->roles + (c->n_roles == 1 ? 0 : first) * c->dim;
        lam_status status = lam_conditional_sample(c->model, c->eval, lam_seed_of_rows(c->seed, first),
            &(lam_query) { c->x + first * c->dim, rows, roles, c->n_roles == 1 ? 1 : rows }, c->draws, c->drawn, NULL, NULL);
        if (status != LAM_OK)
            return lam_fail_in_part(status, first);
        for (size_t i = 0; i < rows; i++)
            take(c, c->drawn + i * c->draws * c->dim, first + i);
    }
    return LAM_OK;
}

/* Of a model of any columns given any others: column by column, given all others of the row. */
static lam_status by_column(calibration *c)
{
    unsigned char *roles = lam_alloc(c->n, c->dim);
    lam_status status = roles == NULL ? LAM_ERR_MEMORY : LAM_OK;
    for (size_t j = 0; j < c->dim && status == LAM_OK; j++) {
        if (lam_model_role(c->model, j) != LAM_MOVING) /* it never does */
            continue;
        for (size_t i = 0; i < c->n * c->dim; i++) {
            int moves = i % c->dim == j; /* also where it is missing: those are not asked */
            roles[i] = (unsigned char)(moves ? LAM_MOVING : isnan(c->x[i]) ? LAM_ABSENT : LAM_GIVEN);
        }
        c->roles = roles, c->n_roles = c->n;
        status = by_row(c);
        lam_free(c->drawn);
        c->drawn = NULL;
    }
    c->roles = NULL;
    lam_free(roles);
    return status;
}

/* Nothing is given, so that all rows have the same distribution. */
static lam_status together(calibration *c)
{
    c->drawn = lam_alloc(c->draws, c->dim * sizeof *c->drawn);
    if (c->drawn == NULL)
        return LAM_ERR_MEMORY;
    LAM_TRY(lam_sample(c->model, c->eval, c->seed, c->draws, c->drawn, NULL, NULL));
    for (size_t i = 0; i < c->n; i++)
        take(c, c->drawn, i);
    return LAM_OK;
}

static lam_calibration result(double *shares, size_t n, double more)
{
    static const double interval[2] = { 0.5, 0.9 };
    lam_calibration r = { .rows = n };
    lam_sort_ascending(shares, n);
    for (size_t i = 0; i < n; i++) {
        r.distance = fmax(r.distance, fmax((double)(i + 1) / (double)n - shares[i], shares[i] - (double)i / (double)n));
        for (int k = 0; k < 2; k++)
            r.inside[k] += fabs(shares[i] - 0.5) <= 0.5 * interval[k];
    }
    for (int k = 0; k < 2 && n > 0; k++) {
        r.inside[k] /= (double)n;
        r.inside_se[k] = sqrt(interval[k] * (1 - interval[k]) * (1 / (double)n + more));
    }
    r.band = n > 0 ? BAND * sqrt(1 / (double)n + more) : 0;
    return r;
}

lam_status lam_calibrate(const lam_model *model, const lam_eval_options *options, uint64_t seed, const lam_query *query, size_t draws,
    lam_calibration *out)
{
    LAM_NEED(model, "model");
    LAM_NEED(query, "query");
    LAM_NEED(out, "out");
    const unsigned char *roles = query->roles;
    size_t n = query->n;
    LAM_NEED_IF(n > 0, query->x, "x");
    size_t dim = lam_model_dim(model);
    int any = roles == NULL && lam_model_any_given(model), shared = roles == NULL && lam_model_given_count(model) == 0 && !any;
    calibration c = { .model = model, .eval = options, .seed = seed, .x = query->x, .roles = roles, .n_roles = query->n_roles, .n = n, .dim = dim,
        .draws = shared ? SHARED : draws > 0 ? draws : DRAWS_OF_ROW };
    c.shares = lam_alloc(dim * n, sizeof *c.shares);
    c.rows = lam_alloc(dim, sizeof *c.rows);
    lam_status status = c.shares == NULL || c.rows == NULL ? LAM_ERR_MEMORY : lam_pass_check_question(model, options, query->x, roles, query->n_roles, n, any);
    if (status == LAM_OK && n > 0)
        status = shared ? together(&c) : any ? by_column(&c) : by_row(&c);
    for (size_t j = 0; j < dim && status == LAM_OK; j++)
        out[j] = result(c.shares + j * n, c.rows[j], shared ? 1.0 / SHARED : 0);
    lam_free(c.drawn);
    lam_free(c.shares);
    lam_free(c.rows);
    return status;
}
