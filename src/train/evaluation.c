/* Runs a validation or a test, on all rows or on a sample. */
#include "train/evaluation.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/room.h"
#include <math.h>
#include <string.h>

enum { FIRST_BATCH = 64 }; /* rows of a sample's first batch: the next ones double, so that time can decide early, and is not needed again */

lam_status lam_sample_order(const lam_config *cfg, lam_part part, size_t rows, const char *folder, size_t *index)
{
    uint64_t *order = lam_room_take(folder, rows, sizeof *order);
    if (order == NULL)
        return LAM_ERR_MEMORY;
    lam_random_permutation(cfg->split_seed, LAM_DRAW_SUBSET, (uint64_t)part, order, rows);
    for (size_t i = 0; i < rows; i++)
        index[i] = (size_t)order[i];
    lam_room_give(folder, order);
    return LAM_OK;
}

static double clock_of(const lam_evaluation *e)
{
    return lam_comm_number(e->comm, lam_clock());
}

lam_status lam_walk_begin(lam_walk *w, const lam_evaluation *e, const lam_config *cfg, size_t blocks, size_t rows, size_t each,
    lam_evaluated *out)
{
    int some = e->rows > 0 && e->rows < rows, deciding = e->until > 0 && rows > FIRST_BATCH;
    *out = (lam_evaluated) { .nll = (double)NAN, .se = (double)NAN, .base_scale = e->base_scale > 0 ? e->base_scale : 1 };
    *w = (lam_walk) { .evaluation = e, .cfg = cfg, .rows = rows, .each = each, .blocks = blocks, .deciding = deciding,
        .goal = some && !deciding ? e->rows : rows, .began = clock_of(e), .out = out };
    w->h_before = lam_alloc(blocks, sizeof *w->h_before);
    lam_status status = w->h_before == NULL ? LAM_ERR_MEMORY : LAM_OK;
    if (status == LAM_OK && (some || deciding)) {
        w->order = lam_room_take(e->folder, rows, sizeof *w->order);
        status = w->order == NULL ? LAM_ERR_MEMORY : lam_sample_order(cfg, e->part, rows, e->folder, w->order);
    }
    if (status != LAM_OK) {
        lam_room_give(e->folder, w->order);
        lam_free(w->h_before);
        return status;
    }
    memcpy(w->h_before, e->h_star, blocks * sizeof(double));
    return LAM_OK;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

int lam_walk_next(lam_walk *w)
{
    size_t done = w->out->rows, size = w->each;
    if (done >= w->goal)
        return 0;
    if (w->order != NULL)
        size = least(w->each, done == 0 ? FIRST_BATCH : 2 * w->n);
    w->first = done;
    w->n = least(size, w->goal - done);
    w->index = w->order != NULL ? w->order + done : NULL;
    if (w->deciding)
        w->batch_began = clock_of(w->evaluation);
    return 1;
}

/* All rows fit in the time: the evaluation begins again and is the one that no limit of time would have changed. */
static void take_all(lam_walk *w)
{
    int exact = w->out->exact;
    lam_room_give(w->evaluation->folder, w->order);
    w->order = NULL;
    w->deciding = 0;
    w->goal = w->rows;
    w->sum = w->mean = w->square = 0;
    *w->out = (lam_evaluated) { .nll = (double)NAN, .se = (double)NAN, .exact = exact, .base_scale = w->out->base_scale };
    memcpy(w->evaluation->h_star, w->h_before, w->blocks * sizeof(double));
}

/* After a batch. The next one is twice as large, or of the largest size. */
static void decide(lam_walk *w)
{
    double now = clock_of(w->evaluation), left = w->evaluation->until - now, a_row = (now - w->batch_began) / (double)w->n;
    size_t done = w->out->rows, next = least(w->each, 2 * w->n);
    if (done < w->rows && 1.1 * a_row * (double)w->rows <= left)
        take_all(w);
    else if (a_row * (double)least(next, w->rows - done) > left)
        w->goal = done;
    else
        w->goal = least(w->rows, done + (size_t)fmax((double)next, left / a_row));
}

lam_status lam_walk_take(lam_walk *w, double sum, const double *nll)
{
    const lam_evaluation *e = w->evaluation;
    w->sum += sum;
    if (e->each != NULL)
        memcpy(e->each + w->out->rows, nll, w->n * sizeof *nll);
    for (size_t i = 0; i < w->n; i++) {
        double step = nll[i] - w->mean;
        w->mean += step / (double)++w->out->rows;
        w->square += step * (nll[i] - w->mean);
    }
    size_t done = w->out->rows;
    if (w->deciding)
        decide(w);
    if (done >= w->goal)
        return LAM_OK;
    int stop = e->evaluating != NULL && e->evaluating(e->user, e->part, done, w->goal) != 0;
    return lam_comm_number(e->comm, stop) != 0 ? LAM_ERR_INTERRUPTED : LAM_OK;
}

void lam_walk_end(lam_walk *w, lam_status status)
{
    lam_evaluated *out = w->out;
    double n = (double)out->rows;
    out->seconds = clock_of(w->evaluation) - w->began;
    if (status != LAM_OK)
        memcpy(w->evaluation->h_star, w->h_before, w->blocks * sizeof(double));
    else if (out->rows > 0)
        out->nll = w->sum / n;
    if (status == LAM_OK && out->rows > 1)
        out->se = sqrt(w->square / (n - 1) / n);
    lam_room_give(w->evaluation->folder, w->order);
    lam_free(w->h_before);
}
