/* Rows of a long file in another order: dealt to pieces of the result in one reading, and then put in order piece by piece. Gathering a piece from the
 * file instead reads all of the file for each piece. */
#include "data/deal.h"
#include "base/mem.h"
#include "base/room.h"
#include "base/sort.h"
#include "data/mapped.h"
#include "data/table.h"
#include <string.h>

/* Which rows of the table a piece has, in the order of the table; place [n]. */
static void in_table_order(const size_t *index, size_t n, lam_place *place)
{
    for (size_t i = 0; i < n; i++)
        place[i] = (lam_place) { index[i], i };
    lam_sort_places(place, n);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* What is dealt: sorted [n] are, piece by piece, the rows of the table in its order; next [pieces] the places that are filled next. */
typedef struct dealing {
    const lam_table *table;
    size_t n, pieces, *sorted, *next;
    double *out;
} dealing;

static lam_status sort_pieces(const dealing *d, const size_t *index)
{
    lam_place *place = lam_alloc(smaller(d->n, LAM_DEAL_PIECE), sizeof *place);
    if (place == NULL)
        return LAM_ERR_MEMORY;
    for (size_t p = 0; p < d->pieces; p++) {
        size_t first = p * LAM_DEAL_PIECE, rows = smaller(LAM_DEAL_PIECE, d->n - first);
        in_table_order(index + first, rows, place);
        for (size_t i = 0; i < rows; i++)
            d->sorted[first + i] = place[i].at;
        d->next[p] = first;
    }
    lam_free(place);
    return LAM_OK;
}

/* All rows of the table before `end` that have not been dealt. */
static void deal_until(const dealing *d, size_t end)
{
    size_t cols = d->table->cols;
    for (size_t p = 0; p < d->pieces; p++) {
        size_t k = d->next[p], last = smaller(d->n, (p + 1) * LAM_DEAL_PIECE);
        for (; k < last && d->sorted[k] < end; k++) {
            double *room = d->out + k * cols;
            const double *row = lam_table_row(d->table, d->sorted[k], room);
            if (row != room)
                memcpy(room, row, cols * sizeof *row);
        }
        d->next[p] = k;
    }
}

lam_status lam_deal(const lam_table *table, const size_t *index, size_t n, const char *folder, double *out)
{
    size_t pieces = (n + LAM_DEAL_PIECE - 1) / LAM_DEAL_PIECE;
    if (n == 0)
        return LAM_OK;
    dealing d = { table, n, pieces, lam_room_take(folder, n, sizeof *d.sorted), lam_alloc(pieces, sizeof *d.next), out };
    lam_status status = d.sorted == NULL || d.next == NULL ? LAM_ERR_MEMORY : sort_pieces(&d, index);
    for (size_t end = LAM_DEAL_PIECE; status == LAM_OK && end - LAM_DEAL_PIECE < table->rows; end += LAM_DEAL_PIECE)
        deal_until(&d, end);
    lam_room_give(folder, d.sorted);
    lam_free(d.next);
    return status;
}

static void swap_rows(double *a, double *b, size_t cols)
{
    for (size_t j = 0; j < cols; j++) {
        double v = a[j];
        a[j] = b[j];
        b[j] = v;
    }
}

lam_status lam_deal_settle(const size_t *index, size_t n, size_t cols, double *piece)
{
    lam_place *place = lam_alloc(n, sizeof *place);
    if (place == NULL)
        return LAM_ERR_MEMORY;
    in_table_order(index, n, place);
    for (size_t k = 0; k < n; k++)
        while (place[k].slot != k) { /* the row at k goes where it belongs, and what was there comes to k */
            size_t to = place[k].slot;
            swap_rows(piece + k * cols, piece + to * cols, cols);
            place[k].slot = place[to].slot;
            place[to].slot = to;
        }
    lam_free(place);
    return LAM_OK;
}
