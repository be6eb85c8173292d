/* Column maps from training rows. Columns of up to a million rows are sorted; of longer ones a sketch has the quantiles, in one reading of the rows
 * for as many columns as there is room for. */
#include "base/error.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/room.h"
#include "base/sketch.h"
#include "base/sort.h"
#include "data/levels.h"
#include "data/maps.h"
#include "data/maps_inside.h"
#include "data/present.h"
#include <math.h>
#include <string.h>

enum { SORTED = 1 << 20 /* rows: columns of more are not sorted */, ROOM = 1 << 26 /* bytes for the sketches of one reading, but those of a column at least */ };
static const lam_sketch_size of_half = { .buffer = 1 << 15, .ends = 1 << 14 };

size_t lam_maps_most_knots(size_t n)
{
    return lam_map_within(n, (size_t)(2 * sqrt((double)(n < SORTED ? n : SORTED))));
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

/* Sketches of the two halves of a column. */
typedef struct sketched {
    lam_sketch *half[2];
} sketched;

static void clear_sketched(sketched *s)
{
    lam_sketch_free(s->half[0]);
    lam_sketch_free(s->half[1]);
    *s = (sketched) { 0 };
}

/* Columns first to first + columns, but those of text, in one reading of the rows. What is in which half goes by the row. */
static lam_status read_columns(const lam_maps_rows *of, size_t first, size_t columns, sketched *s)
{
    for (size_t j = 0; j < 2 * columns; j++)
        if (!lam_levels_are_text(of->levels, first + j / 2))
            LAM_TRY(lam_sketch_create(of_half, of->n, &s[j / 2].half[j % 2]));
    for (size_t i = 0; i < of->n; i++) {
        const double *row = of->x + i * of->dim + first;
        int half = lam_random_uniform(0, LAM_DRAW_MAP, 0, i) < 0.5 ? 0 : 1;
        for (size_t j = 0; j < columns; j++)
            if (!isnan(row[j]) && s[j].half[half] != NULL)
                lam_sketch_add(s[j].half[half], row[j]);
    }
    return LAM_OK;
}

/* By halves, which hold at most all rows. */
static lam_status choose_by(lam_map_halves *h, size_t most, lam_map_knots *knots, lam_map_cutting *by)
{
    size_t entries = h->half[0].entries + h->half[1].entries;
    double *room = lam_reserve(2 * entries * sizeof *room);
    if (room == NULL)
        return LAM_ERR_MEMORY;
    h->best = room, h->now = room + entries;
    lam_map_choose(h, most, knots, by);
    lam_free(room);
    return LAM_OK;
}

static lam_status fit_halves(lam_map_halves *h, size_t wanted, lam_map_knots *knots)
{
    size_t most = lam_maps_most_knots(h->half[0].rows + h->half[1].rows);
    lam_map_cutting by = { wanted < most ? wanted : most, LAM_MAP_OUTERMOST };
    lam_ranked column;
    LAM_TRY(lam_map_knots_create(knots, most + LAM_MAP_FIRST_TRIED));
    if (wanted == 0)
        LAM_TRY(choose_by(h, most, knots, &by));
    LAM_TRY(lam_ranked_merge(h->half, 2, &column));
    lam_map_column(knots, &column, &by);
    lam_ranked_clear(&column);
    return LAM_OK;
}

/* Leaves the sketches cleared. */
static lam_status fit_sketched(sketched *s, size_t wanted, lam_map_knots *knots)
{
    lam_map_halves h = { 0 };
    lam_status status = lam_sketch_list(s->half[0], &h.half[0]);
    if (status == LAM_OK)
        status = lam_sketch_list(s->half[1], &h.half[1]);
    clear_sketched(s);
    if (status == LAM_OK)
        status = fit_halves(&h, wanted, knots);
    lam_ranked_clear(&h.half[0]);
    lam_ranked_clear(&h.half[1]);
    return status;
}

static lam_status fit_long(const lam_maps_rows *of, size_t wanted, lam_map_knots *knots)
{
    size_t most = ROOM / (2 * lam_sketch_bytes(of_half, of->n / 2)), readings = most > 0 ? (of->dim + most - 1) / most : of->dim;
    sketched *s = lam_alloc(of->dim, sizeof *s);
    lam_status status = s == NULL ? LAM_ERR_MEMORY : LAM_OK;
    for (size_t r = 0; r < readings && status == LAM_OK; r++) {
        size_t first = r * of->dim / readings, columns = (r + 1) * of->dim / readings - first;
        status = read_columns(of, first, columns, s + first);
        for (size_t j = first; j < first + columns && status == LAM_OK; j++)
            status = s[j].half[0] == NULL ? leave_levels(&knots[j]) : fit_sketched(&s[j], wanted, &knots[j]);
    }
    for (size_t j = 0; s != NULL && j < of->dim; j++)
        clear_sketched(&s[j]);
    lam_free(s);
    return status;
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

lam_status lam_maps_fit(const lam_maps_rows *of, size_t wanted, lam_maps **out)
{
    *out = NULL;
    lam_map_knots *knots = lam_alloc(of->dim, sizeof *knots);
    lam_status status = knots == NULL ? LAM_ERR_MEMORY : of->n > SORTED ? fit_long(of, wanted, knots) : fit_sorted(of, wanted, knots);
    if (status == LAM_OK)
        status = make_maps(knots, of->dim, out);
    for (size_t j = 0; knots != NULL && j < of->dim; j++)
        lam_map_knots_clear(&knots[j]);
    lam_free(knots);
    return status;
}
