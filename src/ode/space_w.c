/* The memory of a solver: stages, states, tiles. */
#include "ode/space.h"
#include "base/error.h"
#include "base/mem.h"
#include <string.h>

static size_t padded16(size_t n)
{
    return (n + 15) / 16 * 16;
}

lam_status lam_solver_space_create(const lam_kernels *kernels, lam_pool *pool, size_t max_tiles, size_t rows,
    size_t record_size, lam_solver_space **out)
{
    lam_solver_space *s = lam_alloc(1, sizeof *s);
    if (s == NULL)
        return LAM_ERR_MEMORY;
    size_t plane = rows * LAM_TILE, state = max_tiles * plane, threads = lam_pool_threads(pool), at = 0;
    s->kernels = kernels;
    s->pool = pool;
    s->max_tiles = max_tiles;
    s->rows = rows;
    s->record_size = padded16(record_size);
    s->at_y = at, at += plane;
    s->at_v = at, at += plane;
    s->at_v3 = at, at += plane;
    s->at_gin = at, at += plane;
    s->at_sums = at, at += 2 * LAM_TILE;
    s->at_k = at, at += LAM_MAX_STAGES * plane;
    s->at_gk = at, at += LAM_MAX_STAGES * plane;
    s->at_records = at, at += LAM_MAX_STAGES * s->record_size;
    int ok = (s->norm = lam_alloc(max_tiles, sizeof *s->norm)) != NULL
        && (s->shared = lam_alloc(max_tiles * LAM_NORM_SHARED, sizeof *s->shared)) != NULL && (s->gy = lam_alloc(state, sizeof(real))) != NULL
        && (s->gf = lam_alloc(state, sizeof(real))) != NULL && (s->thread = lam_alloc(threads, sizeof *s->thread)) != NULL;
    for (size_t i = 1; ok && i < LAM_MAX_STAGES; i++)
        ok = (s->k[i] = lam_alloc(state, sizeof(real))) != NULL;
    for (size_t i = 0; ok && i < threads; i++)
        ok = (s->thread[i] = lam_alloc(at, sizeof(real))) != NULL;
    if (!ok) {
        lam_solver_space_free(s);
        return LAM_ERR_MEMORY;
    }
    *out = s;
    return LAM_OK;
}

void lam_solver_space_free(lam_solver_space *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; s->thread != NULL && i < lam_pool_threads(s->pool); i++)
        lam_free(s->thread[i]);
    for (size_t i = 1; i < LAM_MAX_STAGES; i++)
        lam_free(s->k[i]);
    lam_free(s->thread);
    lam_free(s->norm);
    lam_free(s->shared);
    lam_free(s->gy);
    lam_free(s->gf);
    lam_free(s);
}

lam_status lam_path_create(size_t max_tiles, size_t rows, size_t max_observations, lam_path **out)
{
    lam_path *p = lam_alloc(1, sizeof *p);
    if (p == NULL)
        return LAM_ERR_MEMORY;
    p->state_reals = max_tiles * rows * LAM_TILE;
    p->obs_step = lam_alloc(max_observations, sizeof *p->obs_step);
    p->obs_theta = lam_alloc(max_observations, sizeof *p->obs_theta);
    if (p->obs_step == NULL || p->obs_theta == NULL || lam_path_reserve(p, 1, 1) != LAM_OK) {
        lam_path_free(p);
        return LAM_ERR_MEMORY;
    }
    *out = p;
    return LAM_OK;
}

static int grow(void *array, size_t size, size_t from, size_t to)
{
    void **slot = array, *larger = lam_alloc(to, size);
    if (larger == NULL)
        return 0;
    if (*slot != NULL)
        memcpy(larger, *slot, from * size);
    lam_free(*slot);
    *slot = larger;
    return 1;
}

lam_status lam_path_reserve(lam_path *p, size_t steps, size_t states)
{
    if (steps > p->capacity) {
        size_t to = steps + p->capacity / 2 + 7, from = p->capacity;
        if (!grow(&p->t, sizeof *p->t, from, to) || !grow(&p->h, sizeof *p->h, from, to)
            || !grow(&p->proposal, sizeof *p->proposal, from, to))
            return LAM_ERR_MEMORY;
        p->capacity = to;
    }
    if (states > p->state_capacity) {
        size_t to = states + p->state_capacity / 2 + 7, from = p->state_capacity, ends = from == 0 ? 0 : from + 1;
        if (!grow(&p->records, sizeof *p->records, from, to) || !grow(&p->y, sizeof *p->y, ends, to + 1)
            || !grow(&p->k1, sizeof *p->k1, ends, to + 1) || !grow(&p->error, sizeof *p->error, from, to))
            return LAM_ERR_MEMORY;
        p->state_capacity = to;
    }
    for (size_t n = 0; n <= states; n++) {
        if (p->y[n] == NULL && (p->y[n] = lam_alloc(p->state_reals, sizeof(real))) == NULL)
            return LAM_ERR_MEMORY;
        if (p->k1[n] == NULL && (p->k1[n] = lam_alloc(p->state_reals, sizeof(real))) == NULL)
            return LAM_ERR_MEMORY;
    }
    return LAM_OK;
}

lam_status lam_path_reserve_error(lam_path *p, size_t step)
{
    if (p->error[step] == NULL)
        p->error[step] = lam_alloc(p->state_reals, sizeof(real));
    return p->error[step] != NULL ? LAM_OK : LAM_ERR_MEMORY;
}

void lam_path_free(lam_path *p)
{
    if (p == NULL)
        return;
    for (size_t n = 0; p->y != NULL && p->k1 != NULL && n <= p->state_capacity; n++) {
        lam_free(p->y[n]);
        lam_free(p->k1[n]);
    }
    for (size_t n = 0; p->error != NULL && n < p->state_capacity; n++)
        lam_free(p->error[n]);
    lam_free(p->error);
    lam_free(p->y);
    lam_free(p->k1);
    lam_free(p->t);
    lam_free(p->h);
    lam_free(p->proposal);
    lam_free(p->records);
    lam_free(p->obs_step);
    lam_free(p->obs_theta);
    lam_free(p);
}
