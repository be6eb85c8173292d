/* Takes down in one reading what is asked of the training rows. */
#include "data/tally.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/room.h"
#include <math.h>
#include <string.h>

static const double WORK = 1e10; /* products of pairs of columns at the most */

/* ---- samples ------------------------------------------------------------------------------------------------------ */

static lam_status make_sample(const lam_dataset *data, size_t n, lam_some_rows *s)
{
    *s = (lam_some_rows) { .n = n, .of = data->rows[LAM_TRAIN] };
    return (s->row = lam_room_take(data->folder, n * data->dim, sizeof *s->row)) == NULL ? LAM_ERR_MEMORY : LAM_OK;
}

/* Takes those of rows first to first + n that belong to it. */
static void take(lam_some_rows *s, const double *x, size_t first, size_t n, size_t dim)
{
    for (; s->row != NULL && s->next < s->n; s->next++) {
        size_t at = (size_t)((double)s->next * ((double)s->of / (double)s->n));
        if (at >= first + n)
            return;
        memcpy(s->row + s->next * dim, x + (at - first) * dim, dim * sizeof *x);
    }
}

/* ---- the reading -------------------------------------------------------------------------------------------------- */

/* Where columns are given, the Gaussian beside the fit is a conditional one, which has its own. */
static int wants_products(const lam_dataset *data)
{
    double dim = (double)data->dim, rows = (double)data->rows[LAM_TRAIN];
    for (size_t j = 0; j < data->dim; j++)
        if (data->is_input[j])
            return 0;
    return data->rows[LAM_TRAIN] > LAM_MAP_SORTED && data->texts == NULL && 0.5 * dim * dim * rows <= WORK;
}

lam_status lam_tally_begin(const lam_dataset *data, const lam_config *cfg, const lam_log *log, lam_tally *t)
{
    size_t rows = data->rows[LAM_TRAIN];
    const lam_maps_rows of = { .n = rows, .dim = data->dim, .levels = data->texts };
    *t = (lam_tally) { .data = data, .missing = lam_alloc(data->dim, sizeof *t->missing) };
    if (t->missing == NULL)
        return LAM_ERR_MEMORY;
    LAM_TRY(lam_lone_begin(data->dim, &t->ends));
    LAM_TRY(lam_moments_begin(data->dim, wants_products(data), &t->moments));
    if (log != NULL && log->line != NULL && data->rows[LAM_VALID] + data->rows[LAM_TEST] > 0)
        LAM_TRY(lam_repeats_begin(data, &t->repeats));
    if (rows <= LAM_MAP_SORTED)
        return LAM_OK;
    LAM_TRY(make_sample(data, LAM_LONE_SAMPLE, &t->few));
    LAM_TRY(make_sample(data, LAM_COLUMN_SAMPLE, &t->many));
    return cfg->map != LAM_MAP_NONE ? lam_maps_reading_begin(&of, 0, &t->maps) : LAM_OK;
}

static void count_missing(lam_tally *t, const double *x, size_t n)
{
    size_t dim = t->data->dim;
    for (size_t i = 0; i < n; i++) {
        size_t here = 0;
        for (size_t j = 0; j < dim; j++) {
            size_t is = (size_t)(isnan(x[i * dim + j]) != 0);
            t->missing[j] += is, here += is;
        }
        t->missing_rows += here > 0;
    }
}

void lam_tally_look(lam_tally *t, size_t first, size_t n)
{
    size_t dim = t->data->dim;
    const double *x = t->data->values[LAM_TRAIN] + first * dim;
    count_missing(t, x, n);
    lam_lone_look(t->ends, x, n);
    take(&t->few, x, first, n, dim);
    take(&t->many, x, first, n, dim);
    if (t->repeats != NULL)
        lam_repeats_look(t->repeats, x, n);
}

void lam_tally_measure(lam_tally *t, size_t first, size_t n)
{
    const double *x = t->data->values[LAM_TRAIN] + first * t->data->dim;
    lam_moments_add(t->moments, x, n);
    if (t->maps != NULL)
        lam_maps_reading_add(t->maps, x, n);
}

void lam_tally_clear(lam_tally *t)
{
    const char *folder = t->data != NULL ? t->data->folder : NULL;
    lam_free(t->missing);
    lam_lone_end(t->ends);
    lam_room_give(folder, t->few.row);
    lam_room_give(folder, t->many.row);
    lam_repeats_free(t->repeats);
    lam_moments_free(t->moments);
    lam_maps_reading_free(t->maps);
    *t = (lam_tally) { 0 };
}

/* ---- what is kept ------------------------------------------------------------------------------------------------- */

/* In standardised units. */
static lam_status keep_covariance(const lam_tally *t, const lam_column_moments *moments, lam_dataset *data)
{
    size_t dim = data->dim;
    if (!wants_products(data))
        return LAM_OK;
    data->centre = lam_alloc(dim, sizeof *data->centre);
    data->covariance = lam_alloc(dim * dim, sizeof *data->covariance);
    if (data->centre == NULL || data->covariance == NULL)
        return LAM_ERR_MEMORY;
    if (!lam_moments_covariance(t->moments, data->covariance)) {
        lam_free(data->centre);
        lam_free(data->covariance);
        data->centre = data->covariance = NULL;
        return LAM_OK;
    }
    for (size_t j = 0; j < dim; j++) {
        data->centre[j] = (moments[j].mean - data->mean[j]) / data->scale[j];
        for (size_t k = 0; k <= j; k++)
            data->covariance[j * dim + k] = data->covariance[j * dim + k] / data->scale[j] / data->scale[k];
    }
    return LAM_OK;
}

lam_status lam_tally_keep(lam_tally *t, const lam_config *cfg, const lam_column_moments *moments, lam_dataset *data)
{
    size_t first;
    LAM_TRY(keep_covariance(t, moments, data));
    if (t->maps == NULL)
        return LAM_OK;
    data->map_columns = lam_maps_reading_columns(t->maps, &first);
    data->map_knots = cfg->map == LAM_MAP_AUTO ? 0 : cfg->map_knots; /* lam_config_choose */
    return lam_maps_of_reading(t->maps, data->dim, data->map_knots, data->mean, data->scale, &data->maps);
}
