#define LAM_WIDTH 32
#include "vae/update.h"
#include "base/error.h"
#include "base/mem.h"
#include <math.h>

enum { SLICE = 1 << 16 }; /* parameters */

lam_status lam_vae_update_create(lam_pool *pool, size_t n, lam_vae_update *out)
{
    *out = (lam_vae_update) { .pool = pool, .n = n, .slices = (n + SLICE - 1) / SLICE };
    out->slice_norm = lam_alloc(out->slices, sizeof *out->slice_norm);
    return out->slice_norm != NULL ? LAM_OK : LAM_ERR_MEMORY;
}

void lam_vae_update_clear(lam_vae_update *u)
{
    lam_free(u->slice_norm);
    u->slice_norm = NULL;
}

static void slice_of(const lam_vae_update *u, size_t item, size_t *from, size_t *n)
{
    size_t left = u->n - item * SLICE;
    *from = item * SLICE;
    *n = left < SLICE ? left : SLICE;
}

static void norm_slice(void *arg, size_t item, size_t thread)
{
    lam_vae_update *u = arg;
    size_t from, n;
    (void)thread;
    slice_of(u, item, &from, &n);
    u->slice_norm[item] = lam_gradient_norm_f32(u->grad + from, n);
}

double lam_vae_update_norm(lam_vae_update *u, float *grad)
{
    double sum = 0;
    u->grad = grad;
    lam_pool_run(u->pool, u->slices, norm_slice, u);
    for (size_t i = 0; i < u->slices; i++)
        sum += u->slice_norm[i] * u->slice_norm[i];
    return u->norm = sqrt(sum);
}

static void update_slice(void *arg, size_t item, size_t thread)
{
    const lam_vae_update *u = arg;
    size_t from, n;
    (void)thread;
    slice_of(u, item, &from, &n);
    lam_gradient_clip_f32(u->grad + from, n, u->norm, u->clip);
    lam_update_apply_f32(u->update, n, u->grad + from, u->first + from, u->second + from, u->params + from);
}

void lam_vae_update_apply(lam_vae_update *u, const lam_update *by, float *grad, double clip, float *first, float *second,
    float *params)
{
    u->update = by;
    u->clip = clip;
    u->grad = grad;
    u->first = first;
    u->second = second;
    u->params = params;
    lam_pool_run(u->pool, u->slices, update_slice, u);
}
