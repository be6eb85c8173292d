/* The norm of a large gradient, summed in a fixed order. */
#define LAM_WIDTH 32
#include "vae/norm.h"
#include "base/error.h"
#include "base/mem.h"
#include <math.h>

enum { SLICE = 1 << 16 }; /* parameters */

lam_status lam_vae_norm_create(lam_pool *pool, size_t n, lam_vae_norm *out)
{
    *out = (lam_vae_norm) { .pool = pool, .n = n, .slices = (n + SLICE - 1) / SLICE };
    out->slice_norm = lam_alloc(out->slices, sizeof *out->slice_norm);
    return out->slice_norm != NULL ? LAM_OK : LAM_ERR_MEMORY;
}

void lam_vae_norm_clear(lam_vae_norm *u)
{
    lam_free(u->slice_norm);
    u->slice_norm = NULL;
}

static void norm_slice(void *arg, size_t item, size_t thread)
{
    lam_vae_norm *u = arg;
    size_t from = item * SLICE, left = u->n - from;
    (void)thread;
    u->slice_norm[item] = lam_gradient_norm_f32(u->grad + from, left < SLICE ? left : SLICE);
}

double lam_vae_norm_of(lam_vae_norm *u, const float *grad)
{
    double sum = 0;
    u->grad = grad;
    lam_pool_run(u->pool, u->slices, norm_slice, u);
    for (size_t i = 0; i < u->slices; i++)
        sum += u->slice_norm[i] * u->slice_norm[i];
    return sqrt(sum);
}
