/* Applies column maps to rows and takes them back. */
#include "data/maps.h"
#include "base/error.h"
#include "base/mem.h"
#include <math.h>
#include <string.h>

void lam_maps_free(lam_maps *maps)
{
    if (maps == NULL)
        return;
    for (size_t j = 0; maps->table != NULL && j < maps->dim; j++)
        lam_free(maps->table[j]);
    lam_free(maps->table);
    lam_free(maps->column);
    lam_free(maps);
}

static lam_status fill_empty(lam_maps *maps, const size_t *knots)
{
    maps->column = lam_alloc(maps->dim, sizeof *maps->column);
    maps->table = lam_alloc(maps->dim, sizeof *maps->table);
    if (maps->column == NULL || maps->table == NULL)
        return LAM_ERR_MEMORY;
    for (size_t j = 0; j < maps->dim; j++) {
        double *t = maps->table[j] = lam_alloc(knots[j], LAM_MAP_TABLE * sizeof *t);
        if (t == NULL)
            return LAM_ERR_MEMORY;
        maps->column[j] = (lam_spline) { knots[j], t, t + knots[j], t + 2 * knots[j] };
    }
    return LAM_OK;
}

lam_status lam_maps_create(size_t dim, const size_t *knots, lam_maps **out)
{
    *out = NULL;
    lam_maps *maps = lam_alloc(1, sizeof *maps);
    if (maps == NULL)
        return LAM_ERR_MEMORY;
    maps->dim = dim;
    lam_status status = fill_empty(maps, knots);
    if (status != LAM_OK) {
        lam_maps_free(maps);
        return status;
    }
    *out = maps;
    return LAM_OK;
}

lam_status lam_maps_copy(const lam_maps *maps, lam_maps **out)
{
    *out = NULL;
    size_t *knots = maps != NULL ? lam_alloc(maps->dim, sizeof *knots) : NULL;
    if (knots == NULL)
        return maps != NULL ? LAM_ERR_MEMORY : LAM_OK;
    for (size_t j = 0; j < maps->dim; j++)
        knots[j] = maps->column[j].n;
    lam_status status = lam_maps_create(maps->dim, knots, out);
    for (size_t j = 0; status == LAM_OK && j < maps->dim; j++)
        memcpy((*out)->table[j], maps->table[j], LAM_MAP_TABLE * knots[j] * sizeof(double));
    lam_free(knots);
    return status;
}

/* ---- rows --------------------------------------------------------------------------------------------------------- */

typedef double (*direction)(const lam_spline *s, double value, double *slope);

/* One logarithm a row: slopes are multiplied as long as the product is far from what double holds. */
static void apply(const lam_maps *maps, direction to, const double *from, size_t rows, double *out, double *log_det)
{
    const double least = 1e-100, most = 1e100;
    for (size_t i = 0; i < rows; i++) {
        double product = 1, sum = 0, slope;
        for (size_t j = 0; j < maps->dim; j++) {
            out[i * maps->dim + j] = to(&maps->column[j], from[i * maps->dim + j], &slope);
            product *= isnan(from[i * maps->dim + j]) ? 1 : slope; /* what is missing has no density */
            if (product < least || product > most)
                sum += log(product), product = 1;
        }
        if (log_det != NULL)
            log_det[i] = sum + log(product);
    }
}

static void run(const lam_maps *maps, direction to, const double *from, size_t rows, size_t dim, double *out, double *log_det)
{
    if (maps != NULL) {
        apply(maps, to, from, rows, out, log_det);
        return;
    }
    if (out != from)
        memcpy(out, from, rows * dim * sizeof *out);
    if (log_det != NULL)
        memset(log_det, 0, rows * sizeof *log_det);
}

void lam_maps_forward(const lam_maps *maps, const double *x, size_t rows, size_t dim, double *z, double *log_det)
{
    run(maps, lam_spline_at, x, rows, dim, z, log_det);
}

void lam_maps_inverse(const lam_maps *maps, const double *z, size_t rows, size_t dim, double *x, double *log_det)
{
    run(maps, lam_spline_inverse, z, rows, dim, x, log_det);
}
