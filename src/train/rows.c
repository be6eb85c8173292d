/* Maps the rows of a data set: once for the whole fit, or those of a batch. */
#include "train/rows.h"
#include "base/error.h"
#include "base/mem.h"
#include <math.h>
#include <string.h>

/* Whole rows through the maps, and the logarithms of their slopes; mapped may be x. */
static void map_cells(const lam_given *g, const lam_maps *maps, const double *x, size_t n, double *mapped, double *slopes)
{
    for (size_t i = 0; i < n * g->dim; i++) {
        size_t j = i % g->dim;
        double slope = 1;
        mapped[i] = g->levels[j] == 0 && !isnan(x[i]) ? lam_spline_at(&maps->column[j], x[i], &slope) : x[i];
        slopes[i] = log(slope);
    }
}

static lam_status make_masked(const lam_dataset *data, int part, const lam_given *g, const lam_maps *maps, lam_flow_rows *out)
{
    size_t cells = data->rows[part] * g->dim;
    if (maps == NULL)
        return LAM_OK;
    out->own[part] = lam_alloc(cells, sizeof(double));
    out->log_det[part] = lam_alloc(cells, sizeof(double));
    if (out->own[part] == NULL || out->log_det[part] == NULL)
        return LAM_ERR_MEMORY;
    map_cells(g, maps, data->values[part], data->rows[part], out->own[part], out->log_det[part]);
    out->values[part] = out->own[part];
    return LAM_OK;
}

static lam_status make_part(const lam_dataset *data, int part, const lam_given *g, const lam_maps *maps, lam_whitener *whitener,
    lam_flow_rows *out)
{
    size_t n = data->rows[part];
    const double *x = out->values[part] = data->values[part];
    int changed = maps != NULL || whitener != NULL;
    if (n == 0 || out->in_file || (!changed && g->inputs == 0))
        return LAM_OK;
    if (g->masked)
        return make_masked(data, part, g, maps, out);
    out->own[part] = lam_alloc(n * g->moving, sizeof(double));
    if (out->own[part] == NULL || (changed && (out->log_det[part] = lam_alloc(n, sizeof(double))) == NULL)
        || (g->given > 0 && (out->given[part] = lam_alloc(n * g->inputs, sizeof(double))) == NULL))
        return LAM_ERR_MEMORY;
    lam_given_take(g, maps, whitener, x, NULL, n, out->own[part], out->log_det[part]);
    out->values[part] = out->own[part];
    if (g->given > 0)
        lam_given_inputs(g, maps, x, NULL, n, out->given[part]);
    return LAM_OK;
}

lam_status lam_flow_rows_make(const lam_dataset *data, const lam_given *given, const lam_maps *maps, const lam_whitening *whitening,
    lam_flow_rows *out)
{
    lam_whitener *whitener;
    int in_file = data->folder != NULL;
    *out = (lam_flow_rows) { .of = given, .maps = maps, .in_file = in_file, .by_batch = in_file || given->masked, .folder = data->folder,
        .dim = given->moving, .inputs = given->inputs, .whitening = whitening };
    lam_status status = lam_whitener_create(whitening, given->levels, &whitener);
    for (int part = 0; part < LAM_PARTS && status == LAM_OK; part++) {
        out->rows[part] = data->rows[part];
        status = make_part(data, part, given, maps, whitener, out);
    }
    lam_whitener_free(whitener);
    return status;
}

void lam_flow_rows_clear(lam_flow_rows *rows)
{
    for (int part = 0; part < LAM_PARTS; part++) {
        lam_free(rows->own[part]);
        lam_free(rows->given[part]);
        lam_free(rows->log_det[part]);
    }
    *rows = (lam_flow_rows) { 0 };
}

double lam_flow_rows_log_det(const lam_flow_rows *rows, lam_part part, const size_t *index, size_t n)
{
    const double *each = rows->log_det[part];
    double sum = 0;
    for (size_t i = 0; each != NULL && i < n; i++)
        sum += each[index[i]];
    return sum / (double)n;
}

/* ---- batches ------------------------------------------------------------------------------------------------------ */

static lam_status make_cells(const lam_flow_rows *rows, size_t most, lam_flow_batch *b)
{
    b->cells = lam_alloc(most * rows->of->dim, sizeof *b->cells);
    b->slopes = lam_alloc(most * rows->of->dim, sizeof *b->slopes);
    b->place = lam_alloc(most, sizeof *b->place);
    return b->cells == NULL || b->slopes == NULL || b->place == NULL ? LAM_ERR_MEMORY : LAM_OK;
}

static lam_status make_whiteners(const lam_flow_rows *rows, lam_flow_batch *b)
{
    size_t threads = lam_pool_threads(b->pool);
    lam_status status = (b->whitener = lam_alloc(threads, sizeof *b->whitener)) == NULL ? LAM_ERR_MEMORY : LAM_OK;
    for (size_t i = 0; i < threads && status == LAM_OK; i++)
        status = lam_whitener_create(rows->whitening, rows->of->levels, &b->whitener[i]);
    return status;
}

lam_status lam_flow_batch_create(const lam_flow_rows *rows, lam_pool *pool, size_t most, lam_flow_batch *b)
{
    const lam_given *g = rows->of;
    b->pool = pool;
    b->x = lam_alloc(most * g->moving, sizeof *b->x);
    b->inputs = lam_alloc(most * g->inputs, sizeof *b->inputs);
    b->log_det = lam_alloc(most, sizeof *b->log_det);
    b->roles = g->masked ? lam_alloc(most, g->dim) : NULL;
    b->moves = g->masked ? lam_alloc(most, g->moving) : NULL;
    LAM_TRY(make_whiteners(rows, b));
    if (b->x == NULL || b->inputs == NULL || b->log_det == NULL || (g->masked && (b->roles == NULL || b->moves == NULL)))
        return LAM_ERR_MEMORY;
    return rows->in_file ? make_cells(rows, most, b) : LAM_OK;
}

void lam_flow_batch_clear(lam_flow_batch *b)
{
    lam_free(b->x);
    lam_free(b->inputs);
    lam_free(b->log_det);
    lam_free(b->roles);
    lam_free(b->moves);
    lam_free(b->cells);
    lam_free(b->slopes);
    lam_free(b->place);
    for (size_t i = 0; b->whitener != NULL && i < lam_pool_threads(b->pool); i++)
        lam_whitener_free(b->whitener[i]);
    lam_free(b->whitener);
    *b = (lam_flow_batch) { 0 };
}

static double log_det_of(const lam_given *g, const double *slopes, const unsigned char *roles)
{
    double sum = 0;
    for (size_t j = 0; slopes != NULL && j < g->dim; j++)
        sum += roles[j] == LAM_MOVING ? slopes[j] : 0;
    return sum;
}

static size_t row_of(const lam_flow_pick *p, size_t i)
{
    return p->index != NULL ? p->index[i] : p->first + i;
}

/* Rows out of a file, in pieces, which threads take. */
typedef struct filling {
    const lam_flow_rows *rows;
    const lam_flow_pick *pick;
    lam_flow_batch *batch;
} filling;

enum { PIECE = 64 };

/* Rows of a piece, from *first on. */
static size_t piece_of(const filling *f, size_t piece, size_t *first)
{
    *first = piece * PIECE;
    return f->pick->n - *first < PIECE ? f->pick->n - *first : PIECE;
}

static void gather(void *arg, size_t piece, size_t thread)
{
    const filling *f = arg;
    size_t dim = f->rows->of->dim, first, n = piece_of(f, piece, &first);
    (void)thread;
    for (size_t i = first; i < first + n; i++) {
        const lam_place *place = &f->batch->place[i];
        memcpy(f->batch->cells + place->slot * dim, f->rows->values[f->pick->part] + place->at * dim, dim * sizeof(double));
    }
}

/* As make_part does it to all rows; whole rows of a masked model are mapped where they are. */
static void map_piece(void *arg, size_t piece, size_t thread)
{
    const filling *f = arg;
    const lam_given *g = f->rows->of;
    const lam_maps *maps = f->rows->maps;
    lam_flow_batch *b = f->batch;
    size_t first, n = piece_of(f, piece, &first);
    double *cells = b->cells + first * g->dim;
    if (g->masked && maps != NULL)
        map_cells(g, maps, cells, n, cells, b->slopes + first * g->dim);
    if (g->masked)
        return;
    lam_given_take(g, maps, b->whitener[thread], cells, NULL, n, b->x + first * g->moving, b->log_det + first);
    lam_given_inputs(g, maps, cells, NULL, n, b->inputs + first * g->inputs);
}

/* Reads rows front to back, whatever their places in the batch. */
static void fill_from_file(const lam_flow_rows *rows, const lam_flow_pick *p, lam_flow_batch *b)
{
    filling f = { rows, p, b };
    size_t pieces = (p->n + PIECE - 1) / PIECE;
    for (size_t i = 0; i < p->n; i++)
        b->place[i] = (lam_place) { row_of(p, i), i };
    lam_sort_places(b->place, p->n);
    lam_pool_run(b->pool, pieces, gather, &f);
    lam_pool_run(b->pool, pieces, map_piece, &f);
}

static double mean_log_det(const lam_flow_batch *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += b->log_det[i];
    return sum / (double)n;
}

static double fill_masked(const lam_flow_rows *rows, const lam_flow_pick *p, lam_flow_batch *b)
{
    const lam_given *g = rows->of;
    double mean = 0;
    for (size_t i = 0; i < p->n; i++) {
        size_t row = row_of(p, i), at = rows->in_file ? i : row;
        const double *x = (rows->in_file ? b->cells : rows->values[p->part]) + at * g->dim;
        const double *slopes = !rows->in_file ? rows->log_det[p->part] : rows->maps != NULL ? b->slopes : NULL;
        unsigned char *roles = b->roles + i * g->dim;
        lam_given_roles(g, x, 1, roles);
        if (g->any && !p->whole)
            lam_given_draw(g, p->seed, p->purpose, p->stream, p->purpose == LAM_DRAW_ROLES ? i : row, roles);
        lam_given_take(g, NULL, b->whitener[0], x, roles, 1, b->x + i * g->moving, &b->log_det[i]);
        lam_given_inputs(g, NULL, x, roles, 1, b->inputs + i * g->inputs);
        lam_given_moves(g, roles, 1, b->moves + i * g->moving);
        b->log_det[i] += log_det_of(g, slopes != NULL ? slopes + at * g->dim : NULL, roles);
        mean += b->log_det[i] / (double)p->n;
    }
    return mean;
}

double lam_flow_batch_fill(const lam_flow_rows *rows, const lam_flow_pick *p, lam_flow_batch *b)
{
    if (rows->in_file)
        fill_from_file(rows, p, b);
    return rows->of->masked ? fill_masked(rows, p, b) : mean_log_det(b, p->n);
}
