/* Runs an optimiser over all parameters, in slices that the pool shares out. */
#include "optim/optimizer.h"
#include "base/error.h"
#include "base/mem.h"
#include "optim/record.h"
#include <math.h>
#include <string.h>

enum { SLICE = 1 << 16 }; /* parameters */

static const lam_optimizer_record *const records[] = {
#define LAM_OPTIMIZER_RECORD(code, word, name, rate) [code] = &LAM_RECORD_NAME(name),
    LAM_OPTIMIZER_LIST(LAM_OPTIMIZER_RECORD, LAM_NONE)
#undef LAM_OPTIMIZER_RECORD
};

double lam_gradient_norm(const real *gradient, size_t n)
{
    enum { LANES = 8 }; /* sums that do not wait for each other */
    double sum[LANES] = { 0 };
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            sum[l] += (double)gradient[i + l] * (double)gradient[i + l];
    for (; i < n; i++)
        sum[0] += (double)gradient[i] * (double)gradient[i];
    for (size_t l = 1; l < LANES; l++)
        sum[0] += sum[l];
    return sqrt(sum[0]);
}

/* ---- slices ------------------------------------------------------------------------------------------------------- */

/* Cuts parameters [from, to) into slices; with slices NULL it only counts them. */
static size_t cut(size_t from, size_t to, size_t *memory, lam_slice *slices)
{
    size_t n = 0;
    for (size_t at = from; at < to; at += SLICE, n++) {
        size_t count = to - at < SLICE ? to - at : SLICE;
        if (slices != NULL)
            slices[n] = (lam_slice) { at, count, *memory };
        *memory += count;
    }
    return n;
}

static size_t cut_all(const lam_parameter_map *map, int by_matrix, lam_slice *slices)
{
    size_t n = 0, at = 0, memory = 0;
    for (size_t i = 0; by_matrix && i < map->matrices; i++) {
        const lam_matrix *m = &map->matrix[i];
        n += cut(at, m->offset, &memory, slices == NULL ? NULL : slices + n);
        at = m->offset + m->rows * m->cols;
    }
    return n + cut(at, map->parameters, &memory, slices == NULL ? NULL : slices + n);
}

/* ---- making and freeing ------------------------------------------------------------------------------------------- */

lam_status lam_stepper_create(lam_optimizer kind, const lam_parameter_map *map, lam_pool *pool, const char *isa,
    lam_stepper **out)
{
    *out = NULL;
    if ((unsigned)kind >= sizeof records / sizeof records[0])
        return lam_fail(LAM_ERR_ARGUMENT, "optimizer: %u is not one of the kinds", (unsigned)kind);
    lam_stepper *s = lam_alloc(1, sizeof *s);
    if (s == NULL)
        return LAM_ERR_MEMORY;
    *s = (lam_stepper) { .kind = kind, .map = map, .pool = pool };
    s->slices = cut_all(map, records[kind]->by_matrix, NULL);
    s->slice = lam_alloc(s->slices == 0 ? 1 : s->slices, sizeof *s->slice);
    lam_status status = s->slice == NULL ? LAM_ERR_MEMORY : lam_kernels_get(isa, &s->kernels);
    if (status == LAM_OK) {
        cut_all(map, records[kind]->by_matrix, s->slice);
        status = records[kind]->open != NULL ? records[kind]->open(s) : LAM_OK;
    }
    if (status != LAM_OK) {
        lam_stepper_free(s);
        return status;
    }
    *out = s;
    return LAM_OK;
}

void lam_stepper_free(lam_stepper *s)
{
    if (s == NULL)
        return;
    if (records[s->kind]->close != NULL)
        records[s->kind]->close(s);
    lam_free(s->slice);
    lam_free(s);
}

/* ---- a step ------------------------------------------------------------------------------------------------------- */

static void step_slice(void *arg, size_t item, size_t thread)
{
    const lam_stepper *s = arg;
    lam_slice slice = s->slice[item];
    (void)thread;
    if (slice.at >= s->update->trained)
        return;
    if (slice.count > s->update->trained - slice.at)
        slice.count = s->update->trained - slice.at;
    records[s->kind]->slice(s, &slice);
}

/* Shortens the part [item SLICE, (item + 1) SLICE) of the gradient. */
static void clip_part(void *arg, size_t item, size_t thread)
{
    lam_stepper *s = arg;
    size_t from = item * SLICE, to = s->update->trained - from < SLICE ? s->update->trained : from + SLICE;
    const real factor = (real)(s->update->clip / s->update->norm);
    (void)thread;
    for (size_t i = from; i < to; i++)
        s->gradient[i] *= factor;
}

void lam_stepper_apply(lam_stepper *s, const lam_update *update, real *gradient, void *const *memory, real *params)
{
    s->update = update;
    s->gradient = gradient;
    s->params = params;
    for (size_t i = 0; i < LAM_MEMORIES; i++)
        s->memory[i] = memory[i];
    if (update->clip > 0 && update->norm > update->clip)
        lam_pool_run(s->pool, (update->trained + SLICE - 1) / SLICE, clip_part, s);
    lam_pool_run(s->pool, s->slices, step_slice, s);
    if (records[s->kind]->matrices != NULL)
        records[s->kind]->matrices(s);
}
