/* Column maps from training rows. Columns of up to a million rows are sorted; of longer ones a sketch has the quantiles (maps_reading.c). */
#include "base/error.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/room.h"
#include "base/sort.h"
#include "data/levels.h"
#include "data/maps.h"
#include "data/maps_inside.h"
#include "data/present.h"
#include <math.h>
#include <string.h>

size_t lam_maps_most_knots(size_t n)
{
    return lam_map_within(n, (size_t)(2 * sqrt((double)(n < LAM_MAP_SORTED ? n : LAM_MAP_SORTED))));
}

/* ---- columns that are sorted -------------------------------------------------------------------------------------- */

/* Room for them is one allocation, that of the first half's values. */
static lam_status make_halves(lam_map_halves *h, const double *x, size_t n, const char *folder)
{
    double *room = lam_room_take(folder, n, 3 * sizeof *room);
    if (room == NULL)
        return LAM_ERR_MEMORY;
    size_t first = 0, last = n;
    for (size_t i = 0; i < n; i++) {
        int one = lam_random_uniform(0, LAM_DRAW_MAP, 0, i) < 0.5;
        room[one ? first++ : --last] = x[i];
    }
    lam_sort_ascending(room, first);
    lam_sort_ascending(room + first, n - first);
    *h = (lam_map_halves) { .half = { lam_ranked_of(room, first, 1), lam_ranked_of(room + first, n - first, 1) }, .best = room + n, .now = room + 2 * n };
    return LAM_OK;
}

/* The map of the cells of a column that are there, x [n], which are sorted. */
static lam_status fit_present(double *x, size_t n, const char *folder, size_t wanted, lam_map_knots *knots)
{
    size_t most = lam_maps_most_knots(n);
    lam_map_cutting by = { wanted, LAM_MAP_OUTERMOST };
    LAM_TRY(lam_map_knots_create(knots, wanted > 0 ? lam_map_within(n, wanted) : most + LAM_MAP_FIRST_TRIED));
    if (wanted == 0) {
        lam_map_halves h;
        LAM_TRY(make_halves(&h, x, n, folder));
        lam_map_choose(&h, most, knots, &by);
        lam_room_give(folder, h.half[0].value);
    }
    lam_sort_ascending(x, n);
    const lam_ranked column = lam_ranked_of(x, n, 1);
    lam_map_column(knots, &column, &by);
    return LAM_OK;
}

/* Levels are no numbers: their map changes nothing. */
static lam_status leave_levels(lam_map_knots *knots)
{
    LAM_TRY(lam_map_knots_create(knots, 2));
    lam_map_straight(knots, 0);
    return LAM_OK;
}

/* The map of a column as it was made before. */
static lam_status take_ready(const lam_maps *maps, size_t column, lam_map_knots *knots)
{
    const lam_spline *s = &maps->column[column];
    LAM_TRY(lam_map_knots_create(knots, s->n));
    memcpy(knots->x, s->x, s->n * sizeof *knots->x);
    memcpy(knots->z, s->z, s->n * sizeof *knots->z);
    memcpy(knots->slope, s->slope, s->n * sizeof *knots->slope);
    knots->n = s->n;
    return LAM_OK;
}

static lam_status fit_sorted(const lam_maps_rows *of, size_t wanted, lam_map_knots *knots)
{
    double *present = lam_room_take(of->folder, of->n, sizeof *present);
    lam_status status = present == NULL ? LAM_ERR_MEMORY : LAM_OK;
    for (size_t j = 0; j < of->dim && status == LAM_OK; j++) {
        size_t there = lam_present_cells(of->x + j, of->n, of->dim, present);
        status = lam_levels_are_text(of->levels, j) ? leave_levels(&knots[j]) : fit_present(present, there, of->folder, wanted, &knots[j]);
    }
    lam_room_give(of->folder, present);
    return status;
}

/* ---- columns that are not ----------------------------------------------------------------------------------------- */

static lam_status fit_sketched(lam_maps_reading *reading, size_t wanted, const double *mean, const double *scale, lam_map_knots *knots)
{
    size_t first, columns = lam_maps_reading_columns(reading, &first);
    for (size_t j = first; j < first + columns; j++)
        LAM_TRY(lam_maps_reading_has(reading, j) ? lam_maps_reading_fit(reading, j, wanted, mean != NULL ? mean[j] : 0, mean != NULL ? scale[j] : 1, &knots[j])
            : leave_levels(&knots[j]));
    return LAM_OK;
}

/* What was made of a part of the columns before, and one reading of the rows for as many of the others as there is room for. */
static lam_status fit_long(const lam_maps_rows *of, size_t wanted, lam_map_knots *knots)
{
    size_t ready = of->ready != NULL ? of->ready_columns : 0, columns;
    for (size_t j = 0; j < ready; j++)
        LAM_TRY(take_ready(of->ready, j, &knots[j]));
    for (size_t first = ready; first < of->dim; first += columns) {
        lam_maps_reading *reading;
        LAM_TRY(lam_maps_reading_begin(of, first, &reading));
        columns = lam_maps_reading_columns(reading, &first);
        lam_maps_reading_add(reading, of->x, of->n);
        lam_status status = fit_sketched(reading, wanted, NULL, NULL, knots);
        lam_maps_reading_free(reading);
        LAM_TRY(status);
    }
    return LAM_OK;
}

/* ---- all columns -------------------------------------------------------------------------------------------------- */

static lam_status make_maps(const lam_map_knots *knots, size_t dim, lam_maps **out)
{
    size_t *count = lam_alloc(dim, sizeof *count);
    for (size_t j = 0; count != NULL && j < dim; j++)
        count[j] = knots[j].n;
    lam_status status = count == NULL ? LAM_ERR_MEMORY : lam_maps_create(dim, count, out);
    for (size_t j = 0; status == LAM_OK && j < dim; j++) {
        const double *parts[LAM_MAP_TABLE] = { knots[j].x, knots[j].z, knots[j].slope };
        for (size_t p = 0; p < LAM_MAP_TABLE; p++)
            memcpy((*out)->table[j] + p * count[j], parts[p], count[j] * sizeof(double));
    }
    lam_free(count);
    return status;
}

static lam_status make_knots(size_t dim, lam_map_knots **out)
{
    return (*out = lam_alloc(dim, sizeof **out)) == NULL ? LAM_ERR_MEMORY : LAM_OK;
}

static void free_knots(lam_map_knots *knots, size_t dim)
{
    for (size_t j = 0; knots != NULL && j < dim; j++)
        lam_map_knots_clear(&knots[j]);
    lam_free(knots);
}

lam_status lam_maps_fit(const lam_maps_rows *of, size_t wanted, lam_maps **out)
{
    *out = NULL;
    lam_map_knots *knots;
    LAM_TRY(make_knots(of->dim, &knots));
    lam_status status = of->n > LAM_MAP_SORTED ? fit_long(of, wanted, knots) : fit_sorted(of, wanted, knots);
    if (status == LAM_OK)
        status = make_maps(knots, of->dim, out);
    free_knots(knots, of->dim);
    return status;
}

lam_status lam_maps_of_reading(lam_maps_reading *reading, size_t dim, size_t wanted, const double *mean, const double *scale, lam_maps **out)
{
    *out = NULL;
    lam_map_knots *knots;
    LAM_TRY(make_knots(dim, &knots));
    size_t first, columns = lam_maps_reading_columns(reading, &first);
    lam_status status = fit_sketched(reading, wanted, mean, scale, knots);
    for (size_t j = 0; j < dim && status == LAM_OK; j++)
        if (j < first || j >= first + columns)
            status = leave_levels(&knots[j]);
    if (status == LAM_OK)
        status = make_maps(knots, dim, out);
    free_knots(knots, dim);
    return status;
}
