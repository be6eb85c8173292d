/* Finds columns that are linear functions of others. */
#include "data/relations.h"
#include "base/error.h"
#include "base/mem.h"
#include "data/moments.h"
#include "data/resolution.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ROWS = LAM_RELATIONS_SAMPLE };
static const double COST = 4e8;       /* products of the correlation matrix */
static const double CANDIDATE = 0.02; /* of the spread: the largest residual that may be rounding */
static const double SINGULAR = 1e-13; /* share of a column's variance that rounding leaves of none */
static const double CHANCE = 1.3;

typedef struct search {
    const double *x; /* [n, dim] all rows */
    const double *some; /* [m, dim] those that are looked at */
    size_t n, dim, m;
    double *z;       /* [m, dim] some of them, standardised */
    double *mean, *scale, *spread; /* [dim]; the last without what lies far out */
    lam_resolution *steps;  /* [dim] */
    double *corr;    /* [dim, dim] */
    double *lower;   /* [dim, dim] row j: column j of the pivoted Cholesky factor's rows */
    double *left;    /* [dim] share of the variance that the pivots leave; below 0: not to be looked at (any more) */
    size_t *pivot;   /* [pivots] */
    size_t pivots;
    double *b, *g, *part; /* [dim] standardised weights of a regression; scratch; those on all pivots */
    const double **row;   /* [pivots] their rows of the factor */
    double *e;       /* [m] what they leave */
    lam_relations *out;
} search;

/* ---- the rows that are looked at ---------------------------------------------------------------------------------- */

static const double *sampled(const search *s, size_t i)
{
    return s->some + i * s->dim;
}

/* [m, dim], evenly spread: they are read many times, and all rows may be more than memory holds. */
static double *pick(const search *s)
{
    double *some = lam_alloc(s->m * s->dim, sizeof *some);
    for (size_t i = 0; some != NULL && i < s->m; i++)
        memcpy(some + i * s->dim, s->x + (size_t)((double)i * ((double)s->n / (double)s->m)) * s->dim, s->dim * sizeof *some);
    return some;
}

/* Mean, scale and steps of every column, and the standardised sample. s->e is room for a column. */
static void standardise(search *s)
{
    for (size_t j = 0; j < s->dim; j++) {
        lam_column_moments moments;
        for (size_t i = 0; i < s->m; i++)
            s->e[i] = sampled(s, i)[j];
        lam_moments_of(s->e, s->m, 1, &moments);
        lam_resolution_of(s->e, s->m, 1, &s->steps[j]);
        s->mean[j] = moments.mean;
        s->scale[j] = moments.constant || !isfinite(moments.deviation) ? 0 : moments.deviation;
        s->left[j] = s->scale[j] > 0 ? 1 : -1;
        for (size_t i = 0; i < s->m; i++)
            s->z[i * s->dim + j] = s->scale[j] > 0 ? (s->e[i] - s->mean[j]) / s->scale[j] : 0;
        lam_sort_ascending(s->e, s->m); /* one huge value makes no spread of the others' */
        double middle = (s->e[s->m - 1 - s->m / 4] - s->e[s->m / 4]) / 1.349; /* the quartiles' */
        s->spread[j] = middle > 0 ? fmin(middle, s->scale[j]) : s->scale[j];
    }
}

static void correlate(search *s)
{
    size_t d = s->dim;
    for (size_t i = 0; i < s->m; i++) {
        const double *row = s->z + i * d;
        for (size_t j = 0; j < d; j++)
            for (size_t k = 0; k <= j; k++)
                s->corr[j * d + k] += row[j] * row[k];
    }
    for (size_t j = 0; j < d; j++)
        for (size_t k = 0; k <= j; k++)
            s->corr[k * d + j] = s->corr[j * d + k] /= (double)s->m;
}

/* ---- one column as a function of the pivots ----------------------------------------------------------------------- */

/* g := (L L')^-1 g, row [p] the rows of L. */
static void solve(const double *const *row, size_t p, double *g)
{
    for (size_t a = 0; a < p; a++) {
        for (size_t k = 0; k < a; k++)
            g[a] -= row[a][k] * g[k];
        g[a] /= row[a][a];
    }
    for (size_t a = p; a-- > 0;) {
        for (size_t k = a + 1; k < p; k++)
            g[a] -= row[k][a] * g[k];
        g[a] /= row[a][a];
    }
}

/* Least squares of column j on the columns of [p], whose correlations have the factor `row`: s->b. The residual is regressed twice
 * again, so that the weights are as exact as the rows are and not as their squares. */
static void regress(search *s, size_t j, const size_t *of, size_t p, const double *const *row)
{
    memset(s->b, 0, p * sizeof *s->b);
    for (int again = 0; again < 3; again++) {
        memset(s->g, 0, p * sizeof *s->g);
        for (size_t i = 0; i < s->m; i++) {
            const double *z = s->z + i * s->dim;
            double e = z[j];
            for (size_t a = 0; a < p; a++)
                e -= s->b[a] * z[of[a]];
            for (size_t a = 0; a < p; a++)
                s->g[a] += e * z[of[a]] / (double)s->m;
        }
        solve(row, p, s->g);
        for (size_t a = 0; a < p; a++)
            s->b[a] += s->g[a];
    }
}

/* The Cholesky factor of the correlations of columns of [p], which are pivots. */
static void factor(const search *s, const size_t *of, size_t p, double *lower, const double **row)
{
    for (size_t a = 0; a < p; a++) {
        double *own = lower + a * p;
        row[a] = own;
        for (size_t k = 0; k <= a; k++) {
            double sum = s->corr[of[a] * s->dim + of[k]];
            for (size_t c = 0; c < k; c++)
                sum -= own[c] * row[k][c];
            own[k] = k < a ? sum / row[k][k] : sqrt(fmax(sum, SINGULAR));
        }
    }
}

static int by_column(const void *a, const void *b)
{
    size_t u = *(const size_t *)a, v = *(const size_t *)b;
    return (u > v) - (u < v);
}

/* The pivots whose part of column j is above `least` of its deviation, ascending, into a relation without weights. */
static lam_status choose_terms(const search *s, size_t j, double least, lam_relation *r)
{
    *r = (lam_relation) { .column = j };
    r->term = lam_alloc(s->pivots, sizeof *r->term);
    r->weight = lam_alloc(s->pivots, sizeof *r->weight);
    if (r->term == NULL || r->weight == NULL)
        return LAM_ERR_MEMORY;
    for (size_t a = 0; a < s->pivots; a++)
        if (fabs(s->part[a]) > least)
            r->term[r->n++] = s->pivot[a];
    qsort(r->term, r->n, sizeof *r->term, by_column);
    return LAM_OK;
}

/* Weights of these terms alone, in data units. */
static lam_status weigh_terms(search *s, lam_relation *r)
{
    double *lower = lam_alloc(r->n * r->n, sizeof *lower);
    const double **row = lam_alloc(r->n, sizeof *row);
    lam_status status = lower == NULL || row == NULL ? LAM_ERR_MEMORY : LAM_OK;
    if (status == LAM_OK) {
        factor(s, r->term, r->n, lower, row);
        regress(s, r->column, r->term, r->n, row);
        for (size_t a = 0; a < r->n; a++)
            r->weight[a] = s->b[a] * s->scale[r->column] / s->scale[r->term[a]];
    }
    lam_free(lower);
    lam_free(row);
    return status;
}

static void clear_relation(lam_relation *r)
{
    lam_free(r->term);
    lam_free(r->weight);
}

static double left_of(const lam_relation *r, const double *row)
{
    double e = row[r->column];
    for (size_t a = 0; a < r->n; a++)
        e -= r->weight[a] * row[r->term[a]];
    return e;
}

/* Weights that are whole numbers but for rounding are meant to be. */
static void round_weights(lam_relation *r)
{
    for (size_t a = 0; a < r->n; a++)
        if (fabs(r->weight[a] - round(r->weight[a])) < 2e-3 && round(r->weight[a]) != 0)
            r->weight[a] = round(r->weight[a]);
}

/* The constant, and what is left of the spread, from the sample: medians, which one odd row does not move. */
static void find_constant(search *s, lam_relation *r)
{
    size_t m = s->m;
    for (size_t i = 0; i < m; i++)
        s->e[i] = left_of(r, sampled(s, i));
    lam_sort_ascending(s->e, m);
    r->constant = s->e[m / 2];
    for (size_t i = 0; i < m; i++)
        s->e[i] = fabs(s->e[i] - r->constant);
    lam_sort_ascending(s->e, m);
    r->residual = 1.4826 * s->e[m / 2]; /* the deviation, where it is a normal one */
}

/* What may be rounding of the relation's residual in a row: at the most, and squared and added up. */
static double most_of(const search *s, const lam_relation *r, const double *row, double *square)
{
    double most = lam_resolution_step(&s->steps[r->column], row[r->column]);
    *square = most * most;
    for (size_t a = 0; a < r->n; a++) {
        double step = fabs(r->weight[a]) * lam_resolution_step(&s->steps[r->term[a]], row[r->term[a]]);
        most += step, *square += step * step;
    }
    return most;
}

/* Are the steps fine beside the spread? Coarse ones would leave more than a residual may be, so they explain none. */
static int are_fine(const search *s, const lam_relation *r)
{
    double sum = 0, square;
    for (size_t i = 0; i < s->m; i++) {
        most_of(s, r, sampled(s, i), &square);
        sum += sqrt(square / 12);
    }
    return sum / (double)s->m <= CANDIDATE * s->spread[r->column];
}

/* Is what the relation leaves no more than rounding, on the mean over the rows and in each? */
static int is_rounding(const search *s, const lam_relation *r, int fine, int all)
{
    size_t rows = all ? s->n : s->m;
    double blur = 1e-7 * s->spread[r->column], sum = 0;
    for (size_t i = 0; i < rows; i++) {
        const double *row = all ? s->x + i * s->dim : sampled(s, i);
        double e = fabs(left_of(r, row) - r->constant), square = 0;
        if (e == 0)
            continue;
        double most = fine ? most_of(s, r, row, &square) : 0;
        if (e > most + 10 * blur)
            return 0;
        sum += e * e / (CHANCE * CHANCE * square / 12 + blur * blur);
    }
    return sum <= (double)rows;
}

static int holds(search *s, lam_relation *r)
{
    find_constant(s, r);
    if (!(r->residual <= CANDIDATE * s->spread[r->column]))
        return 0;
    int fine = are_fine(s, r);
    return is_rounding(s, r, fine, 0) && is_rounding(s, r, fine, 1);
}

/* Any column is a function of as many others as there are rows: a relation says something where its terms are few beside these, or
 * their weights were not chosen. */
static int says_something(const search *s, const lam_relation *r)
{
    int chosen = 0;
    for (size_t a = 0; a < r->n; a++)
        chosen |= fabs(r->weight[a]) != 1;
    return r->n > 0 && (!chosen || 2 * (r->n + 1) <= s->m);
}

/* Does it, with the weights that come out or, better, with whole numbers that are near to them? */
static int holds_somehow(search *s, lam_relation *r)
{
    double *kept = lam_alloc(r->n, sizeof *kept);
    if (kept == NULL)
        return 0;
    memcpy(kept, r->weight, r->n * sizeof *kept);
    round_weights(r);
    int found = says_something(s, r) && holds(s, r);
    if (!found) {
        memcpy(r->weight, kept, r->n * sizeof *kept);
        found = says_something(s, r) && holds(s, r);
    }
    lam_free(kept);
    return found;
}

/* Is column j a function of the pivots, of as few of them as will do, in all rows? */
static lam_status test(search *s, size_t j, int *found)
{
    static const double least[] = { 0.1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 0 };
    size_t before = 0;
    *found = 0;
    for (size_t a = 0; a < s->pivots; a++)
        s->row[a] = s->lower + s->pivot[a] * s->dim;
    regress(s, j, s->pivot, s->pivots, s->row);
    memcpy(s->part, s->b, s->pivots * sizeof *s->part);
    for (size_t k = 0; k < sizeof least / sizeof *least && !*found; k++) {
        lam_relation r;
        lam_status status = choose_terms(s, j, least[k], &r);
        int more = r.n > before; /* else it has been tried */
        before = r.n;
        if (status == LAM_OK && more)
            status = weigh_terms(s, &r);
        *found = status == LAM_OK && more && holds_somehow(s, &r);
        if (*found)
            s->out->all[s->out->n++] = r;
        else
            clear_relation(&r);
        LAM_TRY(status);
    }
    return LAM_OK;
}

/* ---- all of them -------------------------------------------------------------------------------------------------- */

/* Takes column j into the pivots: the next column of the factor. */
static void add_pivot(search *s, size_t j)
{
    size_t d = s->dim, p = s->pivots;
    double *own = s->lower + j * d;
    own[p] = sqrt(s->left[j]);
    s->left[j] = -1;
    s->pivot[s->pivots++] = j;
    for (size_t i = 0; i < d; i++) {
        if (s->left[i] < 0)
            continue;
        double *row = s->lower + i * d, sum = s->corr[i * d + j];
        for (size_t k = 0; k < p; k++)
            sum -= row[k] * own[k];
        row[p] = sum / own[p];
        s->left[i] = fmax(s->left[i] - row[p] * row[p], 0);
    }
}

/* The column with the largest share of variance left, the first of those that are equal but for rounding; dim: there is none. */
static size_t next_pivot(const search *s)
{
    double most = 0;
    for (size_t j = 0; j < s->dim; j++)
        most = fmax(most, s->left[j]);
    for (size_t j = 0; j < s->dim; j++)
        if (s->left[j] >= 0 && s->left[j] >= most * (1 - 1e-9))
            return j;
    return s->dim;
}

static lam_status find_all(search *s)
{
    size_t j;
    standardise(s);
    correlate(s);
    while ((j = next_pivot(s)) < s->dim) {
        int found = 0;
        if (s->left[j] <= CANDIDATE * CANDIDATE && s->pivots > 0)
            LAM_TRY(test(s, j, &found));
        if (found || s->left[j] <= SINGULAR)
            s->left[j] = -1;
        else
            add_pivot(s, j);
    }
    return LAM_OK;
}

lam_status lam_relations_find(const double *x, size_t n, size_t dim, const double *sample, lam_relations *out)
{
    double rows = fmax(COST / ((double)dim * (double)dim), 4 * (double)dim + 100);
    search s = { .x = x, .n = n, .dim = dim, .out = out, .m = rows < MOST_ROWS ? (size_t)rows : MOST_ROWS };
    *out = (lam_relations) { 0 };
    s.m = s.m < n ? s.m : n;
    if (dim < 2 || n < 4)
        return LAM_OK;
    int is_given = sample != NULL && s.m == LAM_RELATIONS_SAMPLE;
    double *own = is_given ? NULL : pick(&s);
    s.some = is_given ? sample : own;
    s.z = lam_alloc(s.m * dim, sizeof *s.z);
    s.corr = lam_alloc(dim * dim, sizeof *s.corr);
    s.lower = lam_alloc(dim * dim, sizeof *s.lower);
    s.mean = lam_alloc(7 * dim, sizeof *s.mean);
    s.steps = lam_alloc(dim, sizeof *s.steps);
    s.pivot = lam_alloc(dim, sizeof *s.pivot);
    s.e = lam_alloc(s.m, sizeof *s.e);
    s.row = lam_alloc(dim, sizeof *s.row);
    out->all = lam_alloc(dim, sizeof *out->all);
    lam_status status = LAM_ERR_MEMORY;
    if (s.some != NULL && s.z != NULL && s.corr != NULL && s.lower != NULL && s.mean != NULL && s.steps != NULL && s.pivot != NULL
        && s.e != NULL && s.row != NULL && out->all != NULL) {
        s.scale = s.mean + dim, s.left = s.mean + 2 * dim, s.b = s.mean + 3 * dim, s.g = s.mean + 4 * dim, s.part = s.mean + 5 * dim;
        s.spread = s.mean + 6 * dim;
        status = find_all(&s);
    }
    lam_free(own), lam_free(s.z), lam_free(s.corr), lam_free(s.lower), lam_free(s.mean), lam_free(s.steps), lam_free(s.pivot), lam_free(s.e), lam_free(s.row);
    if (status != LAM_OK)
        lam_relations_clear(out);
    return status;
}

void lam_relations_remove(lam_relations *relations, size_t index)
{
    clear_relation(&relations->all[index]);
    memmove(relations->all + index, relations->all + index + 1, (--relations->n - index) * sizeof *relations->all);
}

void lam_relations_clear(lam_relations *relations)
{
    for (size_t i = 0; i < relations->n; i++)
        clear_relation(&relations->all[i]);
    lam_free(relations->all);
    *relations = (lam_relations) { 0 };
}
