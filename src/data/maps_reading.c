/* Sketches of columns that are too long to be sorted, made in one reading of their rows, and the map of such a column. */
#include "base/error.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/sketch.h"
#include "data/levels.h"
#include "data/maps.h"
#include "data/maps_inside.h"
#include <math.h>

enum { ROOM = 1 << 27 /* bytes for the sketches of one reading, but those of a column at least */ };
static const lam_sketch_size of_half = { .buffer = 1 << 15, .ends = 1 << 14 };

/* Sketches of the two halves of a column; of one of text none. */
typedef struct sketched {
    lam_sketch *half[2];
} sketched;

struct lam_maps_reading {
    size_t dim, first, columns;
    size_t row;      /* that comes next */
    sketched *of;    /* [columns] */
};

lam_status lam_maps_reading_begin(const lam_maps_rows *rows, size_t first, lam_maps_reading **out)
{
    size_t most = ROOM / (2 * lam_sketch_bytes(of_half, rows->n)), left = rows->dim - first;
    size_t readings = most > 1 ? (left + most - 1) / most : left;
    lam_maps_reading *r = *out = lam_alloc(1, sizeof *r);
    if (r == NULL)
        return LAM_ERR_MEMORY;
    *r = (lam_maps_reading) { .dim = rows->dim, .first = first, .columns = (left + readings - 1) / readings };
    lam_status status = (r->of = lam_alloc(r->columns, sizeof *r->of)) == NULL ? LAM_ERR_MEMORY : LAM_OK;
    for (size_t j = 0; j < 2 * r->columns && status == LAM_OK; j++)
        if (!lam_levels_are_text(rows->levels, first + j / 2))
            status = lam_sketch_create(of_half, rows->n, &r->of[j / 2].half[j % 2]);
    if (status != LAM_OK) {
        lam_maps_reading_free(r);
        *out = NULL;
    }
    return status;
}

void lam_maps_reading_free(lam_maps_reading *r)
{
    if (r == NULL)
        return;
    for (size_t j = 0; r->of != NULL && j < 2 * r->columns; j++)
        lam_sketch_free(r->of[j / 2].half[j % 2]);
    lam_free(r->of);
    lam_free(r);
}

size_t lam_maps_reading_columns(const lam_maps_reading *r, size_t *first)
{
    *first = r->first;
    return r->columns;
}

int lam_maps_reading_has(const lam_maps_reading *r, size_t column)
{
    return r->of[column - r->first].half[0] != NULL;
}

/* What is in which half goes by the row. */
void lam_maps_reading_add(lam_maps_reading *r, const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++, r->row++) {
        const double *row = x + i * r->dim + r->first;
        int half = lam_random_uniform(0, LAM_DRAW_MAP, 0, r->row) < 0.5 ? 0 : 1;
        for (size_t j = 0; j < r->columns; j++)
            if (!isnan(row[j]) && r->of[j].half[half] != NULL)
                lam_sketch_add(r->of[j].half[half], row[j]);
    }
}

/* ---- maps --------------------------------------------------------------------------------------------------------- */

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

lam_status lam_maps_reading_fit(lam_maps_reading *r, size_t column, size_t wanted, double mean, double scale, lam_map_knots *knots)
{
    sketched *s = &r->of[column - r->first];
    lam_map_halves h = { 0 };
    lam_status status = LAM_OK;
    for (int k = 0; k < 2 && status == LAM_OK; k++) {
        status = lam_sketch_list(s->half[k], &h.half[k]);
        if (status == LAM_OK)
            lam_ranked_standardise(&h.half[k], mean, scale);
        lam_sketch_free(s->half[k]); /* here, as the lists take more than it */
        s->half[k] = NULL;
    }
    if (status == LAM_OK)
        status = fit_halves(&h, wanted, knots);
    lam_ranked_clear(&h.half[0]);
    lam_ranked_clear(&h.half[1]);
    return status;
}
