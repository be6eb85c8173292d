/* Takes rows apart into given and moving columns. */
#include "data/given.h"
#include "base/error.h"
#include "base/mem.h"
#include <math.h>
#include <string.h>

lam_status lam_given_make(size_t dim, const unsigned char *is_given, const size_t *levels, lam_given *g)
{
    *g = (lam_given) { .dim = dim };
    g->moving_at = lam_alloc(dim, sizeof *g->moving_at);
    g->given_at = lam_alloc(dim, sizeof *g->given_at);
    g->levels = lam_alloc(dim, sizeof *g->levels);
    if (g->moving_at == NULL || g->given_at == NULL || g->levels == NULL)
        return LAM_ERR_MEMORY;
    for (size_t j = 0; j < dim; j++) {
        g->levels[j] = levels != NULL ? levels[j] : 0;
        if (is_given == NULL || !is_given[j]) {
            g->moving_at[g->moving++] = j;
            continue;
        }
        g->given_at[g->given++] = j;
        g->inputs += g->levels[j] > 0 ? g->levels[j] : 1;
    }
    return g->moving > 0 ? LAM_OK : lam_fail(LAM_ERR_ARGUMENT, "given: all %zu columns are given, and none is left for a density", dim);
}

void lam_given_clear(lam_given *g)
{
    lam_free(g->moving_at);
    lam_free(g->given_at);
    lam_free(g->levels);
    *g = (lam_given) { 0 };
}

/* ---- rows --------------------------------------------------------------------------------------------------------- */

/* What the slopes of a row's maps come to. */
typedef struct slopes {
    double product, sum;
} slopes;

/* One logarithm a row: slopes are multiplied as long as the product is far from what double holds. */
static void take_slope(slopes *s, double slope)
{
    s->product *= slope;
    if (s->product < 1e-100 || s->product > 1e100) {
        s->sum += log(s->product);
        s->product = 1;
    }
}

void lam_given_inputs(const lam_given *g, const lam_maps *maps, const double *x, size_t n, double *inputs)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < g->given; k++) {
            size_t j = g->given_at[k], levels = g->levels[j];
            double value = x[i * g->dim + j], slope;
            if (levels == 0)
                *inputs++ = maps != NULL ? lam_spline_at(&maps->column[j], value, &slope) : value;
            for (size_t level = 0; level < levels; level++)
                *inputs++ = value == (double)level;
        }
}

void lam_given_take(const lam_given *g, const lam_maps *maps, const double *x, size_t n, double *moving, double *log_det)
{
    for (size_t i = 0; i < n; i++) {
        const double *row = x + i * g->dim;
        slopes s = { 1, 0 };
        double slope = 1;
        for (size_t k = 0; k < g->moving; k++) {
            size_t j = g->moving_at[k];
            moving[i * g->moving + k] = maps != NULL ? lam_spline_at(&maps->column[j], row[j], &slope) : row[j];
            take_slope(&s, slope);
        }
        if (log_det != NULL)
            log_det[i] = s.sum + log(s.product);
    }
}

void lam_given_put(const lam_given *g, const lam_maps *maps, const double *moving, size_t n, double *x, double *log_det)
{
    for (size_t i = 0; i < n; i++) {
        slopes s = { 1, 0 };
        double slope = 1;
        for (size_t k = 0; k < g->moving; k++) {
            size_t j = g->moving_at[k];
            double z = moving[i * g->moving + k];
            x[i * g->dim + j] = maps != NULL ? lam_spline_inverse(&maps->column[j], z, &slope) : z;
            take_slope(&s, slope);
        }
        if (log_det != NULL)
            log_det[i] = s.sum + log(s.product);
    }
}
