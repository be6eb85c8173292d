/* Reverse of a solve through its accepted steps (method.md 6): exact with the steps held constant. */
#include "base/mem.h"
#include "ode/space.h"
#include <stdint.h>
#include <string.h>

typedef struct back {
    lam_solver_space *space;
    const lam_batch *batch;
    const lam_system *sys;
    const lam_tableau *table;
    const lam_path *path;
    const real *const *g_out;
    size_t n;                /* step in hand */
    size_t top;              /* stages [0, top) take part */
    int errors;              /* a penalty on the steps' errors has cotangents */
    int dense;               /* an observation lies within the step */
    int reverse_last, reverse_first; /* the FSAL stage here (as this step's last), stage 0 here (else it is left to the step before) */
    double quadrature[LAM_MAX_STAGES]; /* factors of the quadratures' cotangents, a stage */
    real *g_start;
} back;

static int within(const back *b, size_t obs)
{
    return b->path->obs_step[obs] == b->n && b->path->obs_theta[obs] < 1;
}

/* k_j of the step for one tile: the first from the path, the others recomputed or read back. */
typedef struct tile_stage {
    const real *k[LAM_MAX_STAGES];
    real *record[LAM_MAX_STAGES];
} tile_stage;

/* Makes the stages again for one tile, records and all. */
static void recompute(const back *b, size_t tile, size_t group, size_t thread, tile_stage *st)
{
    const lam_tableau *tb = b->table;
    lam_solver_space *s = b->space;
    size_t plane = b->sys->rows * LAM_TILE, last = (size_t)tb->stages - 1;
    real *scratch = s->thread[thread], *y = scratch + s->at_y;
    const real *y0 = b->path->y[b->n] + tile * plane;
    for (size_t i = 0; i < b->top; i++) {
        real *k = scratch + s->at_k + i * plane;
        st->record[i] = scratch + s->at_records + i * s->record_size;
        st->k[i] = k;
        if (i == 0 && !b->reverse_first) {
            st->k[0] = b->path->k1[b->n] + tile * plane;
            continue;
        }
        if (tb->fsal && i == last && !b->reverse_last)
            continue; /* only a step without dense output comes here: no later stage reads it */
        real c[LAM_MAX_STAGES];
        size_t terms = 0;
        const real *term[LAM_MAX_STAGES];
        for (size_t j = 0; j < i; j++)
            if (tb->a[i][j] != 0) {
                c[terms] = (real)(b->path->h[b->n] * tb->a[i][j]);
                term[terms++] = st->k[j];
            }
        s->kernels->combine(plane, y, y0, terms, c, term);
        b->sys->eval(b->sys->self, &(lam_stage){ tile, group, thread, i, st->record[i] }, y, k);
    }
}

static void kept(const back *b, size_t tile, tile_stage *st)
{
    size_t stages = (size_t)(b->table->stages + b->table->dense_stages), first = b->table->fsal && b->n > 0 ? 1 : 0;
    for (size_t i = first; i < b->top; i++)
        st->record[i] = b->path->records[b->n] + (tile * (stages - first) + i - first) * b->space->record_size;
}

static void add(const back *b, real *to, double factor, const real *what)
{
    real f = (real)factor;
    b->space->kernels->combine(b->sys->z_rows * LAM_TILE, to, to, 1, &f, &what);
}

/* The stages' cotangents by a penalty on the step's error h sum e_i k_i, whose scale is held constant. */
static void add_error_cotangents(const back *b, size_t tile, real *gk)
{
    const real *error = b->path->error[b->n] + tile * b->sys->rows * LAM_TILE;
    for (size_t p = 0; p < b->sys->parts; p++) {
        size_t at = b->sys->part[p].first * LAM_TILE, reals = b->sys->part[p].count * LAM_TILE;
        const real *term = error + at;
        if (b->path->error_cotangent[p] == 0)
            continue;
        for (size_t i = 0; i < (size_t)b->table->stages; i++) {
            const real factor = (real)(b->path->error_cotangent[p] * b->path->h[b->n] * b->table->e[i]);
            real *g = gk + i * b->sys->z_rows * LAM_TILE + at;
            if (factor != 0)
                b->space->kernels->combine(reals, g, g, 1, &factor, &term);
        }
    }
}

static void reverse_tile(const back *b, size_t group, size_t tile, size_t thread)
{
    const lam_tableau *tb = b->table;
    lam_solver_space *s = b->space;
    size_t plane = b->sys->z_rows * LAM_TILE, last = (size_t)tb->stages - 1;
    real *scratch = s->thread[thread], *gk = scratch + s->at_gk, *gin = scratch + s->at_gin;
    real *gy = s->gy + tile * plane, *gf = s->gf + tile * plane;
    double h = b->path->h[b->n];
    tile_stage st;
    if (b->path->records[b->n] != NULL)
        kept(b, tile, &st);
    else
        recompute(b, tile, group, thread, &st);

    for (size_t j = 0; j < b->path->observations; j++)
        if (b->path->obs_step[j] == b->n && b->path->obs_theta[j] == 1 && b->g_out[j] != NULL)
            add(b, gy, 1, b->g_out[j] + tile * plane);
    memset(gk, 0, b->top * plane * sizeof(real));
    for (size_t i = 0; i <= last; i++)
        if (tb->b[i] != 0)
            add(b, gk + i * plane, h * tb->b[i], gy);
    if (tb->fsal && b->n + 1 < b->path->steps)
        add(b, gk + last * plane, 1, gf);
    if (b->errors)
        add_error_cotangents(b, tile, gk);
    for (size_t j = 0; b->dense && j < b->path->observations; j++) {
        double w[LAM_MAX_STAGES];
        if (!within(b, j) || b->g_out[j] == NULL)
            continue;
        const real *g = b->g_out[j] + tile * plane;
        lam_tableau_dense_weights(tb, b->path->obs_theta[j], w);
        for (size_t i = 0; i < b->top; i++)
            if (w[i] != 0)
                add(b, gk + i * plane, h * w[i], g);
        add(b, gy, 1, g); /* after gy has gone to the stages: this part belongs to y0 alone */
    }
    for (size_t i = b->top; i-- > 0;) {
        if ((tb->fsal && i == last && !b->reverse_last) || (i == 0 && !b->reverse_first))
            continue;
        b->sys->vjp(b->sys->self, &(lam_stage){ tile, group, thread, i, st.record[i] }, gk + i * plane, b->quadrature[i], gin);
        add(b, gy, 1, gin);
        for (size_t j = 0; j < i; j++)
            if (tb->a[i][j] != 0)
                add(b, gk + j * plane, h * tb->a[i][j], gin);
    }
    if (b->sys->step_reversed != NULL)
        b->sys->step_reversed(b->sys->self, tile, thread);
    if (!b->reverse_first)
        memcpy(gf, gk, plane * sizeof(real));
}

static void reverse_region(void *arg, size_t group, size_t thread)
{
    const back *b = arg;
    for (size_t tile = lam_batch_first_tile(b->batch, group); tile < lam_batch_first_tile(b->batch, group + 1); tile++)
        reverse_tile(b, group, tile, thread);
}

/* What the step's stages take part in, and the factors of the quadratures: those of b, or of the dense output for an end
 * that was interpolated. carried is what the next step's first stage, evaluated here as the last, has asked for. */
static void plan(back *b, double carried)
{
    const lam_tableau *tb = b->table;
    size_t last = (size_t)tb->stages - 1, end = b->path->observations - 1;
    int final = b->n + 1 == b->path->steps;
    b->dense = 0;
    for (size_t j = 0; j < b->path->observations; j++)
        b->dense |= within(b, j) && (b->g_out[j] != NULL || j == end);
    b->top = (size_t)(tb->stages + (b->dense ? tb->dense_stages : 0));
    b->reverse_last = !final || b->dense || b->errors; /* the error of the last step, too, is of all its stages */
    b->reverse_first = !tb->fsal || b->n == 0;
    memset(b->quadrature, 0, sizeof b->quadrature);
    double w[LAM_MAX_STAGES] = { 0 };
    if (final && within(b, end))
        lam_tableau_dense_weights(tb, b->path->obs_theta[end], w);
    else
        memcpy(w, tb->b, (size_t)tb->stages * sizeof *w);
    for (size_t i = 0; i < b->top; i++)
        b->quadrature[i] = b->path->h[b->n] * w[i];
    if (tb->fsal && !final)
        b->quadrature[last] += carried;
}

void lam_solve_reverse(lam_solver_space *space, const lam_batch *batch, const lam_system *system, const lam_tableau *table,
    const lam_path *path, const real *const *g_out, real *g_start, lam_reverse_result *result)
{
    back b = { .space = space, .batch = batch, .sys = system, .table = table, .path = path, .g_out = g_out };
    size_t plane = system->z_rows * LAM_TILE;
    lam_range own = lam_batch_own_tiles(batch);
    size_t at = own.first * plane, reals = (own.end - own.first) * plane;
    double carried = 0;
    for (size_t p = 0; p < system->parts; p++)
        b.errors |= path->error_cotangent[p] != 0;
    memset(result, 0, sizeof *result);
    memset(space->gy + at, 0, reals * sizeof(real));
    for (b.n = path->steps; b.n-- > 0;) {
        plan(&b, carried);
        carried = b.quadrature[0];
        size_t products = b.top - (table->fsal && !b.reverse_last) - !b.reverse_first;
        for (size_t i = 0; i < b.top; i++)
            system->prepare(system->self, i,
                i == 0 ? (real)path->t[b.n] : lam_stage_time(table, path->t[b.n], path->h[b.n], i));
        lam_batch_run(batch, reverse_region, &b);
        result->vjps += products;
        if (path->records[b.n] == NULL)
            result->recomputed += products;
    }
    lam_batch_copy(batch, plane * sizeof(real), space->gy, g_start);
    for (size_t j = 0; j < path->observations; j++)
        if (path->obs_step[j] == SIZE_MAX && g_out[j] != NULL) {
            const real one = 1, *term = g_out[j] + at;
            space->kernels->combine(reals, g_start + at, g_start + at, 1, &one, &term);
        }
}
