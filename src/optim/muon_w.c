/* Muon (Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks"): of every weight matrix W [out][in]
 *     m = mu m + (1 - mu) g,   u = mu m + (1 - mu) g (Nesterov),   O = orthogonal factor of u (orthogonal.h),
 *     W = (1 - lr decay) W - lr 0.2 sqrt(max(out, in)) O.
 * The scale (Liu et al. 2025, "Muon is scalable for LLM training", (4)) makes the step as large as Adam's usually is, so that one rate
 * serves both: vectors, gates and thin tensors are taken by Adam with betas 0.95 and 0.999 and the same decay. */
#include "base/mem.h"
#include "optim/orthogonal.h"
#include "optim/record.h"
#include <math.h>

static const double MOMENTUM = 0.95, BETA2 = 0.999, SCALE = 0.2;

enum { LARGE = 1 << 24 }; /* short side squared times long side: such a matrix is worth all threads at once */

typedef struct muon {
    lam_orthogonaliser **small; /* [threads] */
    lam_orthogonaliser *large;
    size_t threads;
    real *gradient, *momentum, *params; /* of the step in hand, as in the stepper */
    double lr, kept;
    const lam_parameter_map *map;
} muon;

static size_t shorter(const lam_matrix *m)
{
    return m->rows < m->cols ? m->rows : m->cols;
}

static size_t longer(const lam_matrix *m)
{
    return m->rows < m->cols ? m->cols : m->rows;
}

static int is_large(const lam_matrix *m)
{
    return (double)shorter(m) * (double)shorter(m) * (double)longer(m) >= LARGE;
}

/* Sides that hold every small, or every large, matrix; 0 where there is none. */
static void most_sides(const lam_parameter_map *map, int large, size_t *most_short, size_t *most_long)
{
    *most_short = *most_long = 0;
    for (size_t i = 0; i < map->matrices; i++) {
        const lam_matrix *m = &map->matrix[i];
        if (is_large(m) != large)
            continue;
        *most_short = shorter(m) > *most_short ? shorter(m) : *most_short;
        *most_long = longer(m) > *most_long ? longer(m) : *most_long;
    }
}

static void muon_close(lam_stepper *s)
{
    muon *o = s->own;
    if (o == NULL)
        return;
    for (size_t i = 0; o->small != NULL && i < o->threads; i++)
        lam_orthogonaliser_free(o->small[i]);
    lam_orthogonaliser_free(o->large);
    lam_free(o->small);
    lam_free(o);
    s->own = NULL;
}

static lam_status muon_open(lam_stepper *s)
{
    size_t most_short, most_long;
    muon *o = s->own = lam_alloc(1, sizeof *o);
    if (o == NULL)
        return LAM_ERR_MEMORY;
    o->threads = lam_pool_threads(s->pool);
    o->map = s->map;
    o->small = lam_alloc(o->threads, sizeof *o->small);
    lam_status status = o->small == NULL ? LAM_ERR_MEMORY : LAM_OK;
    most_sides(s->map, 0, &most_short, &most_long);
    for (size_t i = 0; i < o->threads && most_short > 0 && status == LAM_OK; i++)
        status = lam_orthogonaliser_create(s->kernels, most_short, most_long, &o->small[i]);
    most_sides(s->map, 1, &most_short, &most_long);
    if (status == LAM_OK && most_short > 0)
        status = lam_orthogonaliser_create(s->kernels, most_short, most_long, &o->large);
    return status; /* the stepper is closed after a failure */
}

static void update_matrix(const muon *o, const lam_matrix *m, lam_orthogonaliser *by, lam_pool *pool)
{
    size_t n = m->rows * m->cols;
    real *g = o->gradient + m->offset, *momentum = o->momentum + m->offset, *w = o->params + m->offset;
    const real mu = (real)MOMENTUM, rest = (real)(1 - MOMENTUM), kept = (real)o->kept;
    const real size = (real)(o->lr * SCALE * sqrt((double)longer(m)));
    for (size_t i = 0; i < n; i++) {
        momentum[i] = mu * momentum[i] + rest * g[i];
        g[i] = mu * momentum[i] + rest * g[i];
    }
    lam_orthogonalise(by, pool, m->rows, m->cols, g);
    for (size_t i = 0; i < n; i++)
        w[i] = kept * w[i] - size * g[i];
}

static void small_matrix(void *arg, size_t item, size_t thread)
{
    const muon *o = arg;
    if (!is_large(&o->map->matrix[item]))
        update_matrix(o, &o->map->matrix[item], o->small[thread], NULL);
}

static void muon_matrices(lam_stepper *s)
{
    muon *o = s->own;
    o->gradient = s->gradient;
    o->momentum = s->memory[0];
    o->params = s->params;
    o->lr = s->update->lr;
    o->kept = 1 - s->update->lr * s->update->weight_decay;
    lam_pool_run(s->pool, s->map->matrices, small_matrix, o);
    for (size_t i = 0; i < s->map->matrices; i++)
        if (is_large(&s->map->matrix[i]))
            update_matrix(o, &s->map->matrix[i], o->large, s->pool);
}

static void muon_slice(const lam_stepper *s, const lam_slice *slice)
{
    const lam_adam adam = { .lr = s->update->lr, .beta1 = MOMENTUM, .beta2 = BETA2, .decay = s->update->weight_decay,
        .step = s->update->step };
    size_t at = slice->at;
    lam_adam_apply(&adam, slice->count, s->gradient + at, s->memory[0] + at, s->memory[1] + slice->memory, s->params + at);
}

/* One moment of the matrices, two of all else. */
static size_t muon_memories(const lam_parameter_map *map, lam_memory memory[LAM_MEMORIES])
{
    size_t rest = map->parameters;
    for (size_t i = 0; i < map->matrices; i++)
        rest -= map->matrix[i].rows * map->matrix[i].cols;
    memory[0] = (lam_memory) { "first_moment", map->parameters };
    memory[1] = (lam_memory) { "second_moment", rest };
    return 2;
}

LAM_RECORD(muon) = { .memories = muon_memories, .by_matrix = 1, .open = muon_open, .close = muon_close,
    .slice = muon_slice, .matrices = muon_matrices };
