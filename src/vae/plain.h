/* The nets as plain loops, both widths: what the fast ones are tested against, and what finite differences check. */
#ifndef LAM_VAE_PLAIN_H
#define LAM_VAE_PLAIN_H
#include "vae/names.h"
#include "vae/shape.h"

/* Numbers a row leaves behind for the reverse. */
static inline size_t lam_plain_kept(const lam_net_shape *shape)
{
    size_t n = 0;
    for (size_t k = 0; k < shape->layers; k++)
        n += shape->layer[k].out_count * (shape->layer[k].gated ? 3 : 1);
    return n;
}

/* x [rows, in_count], channel by channel; y [rows, pixels, channels]; keep [rows, lam_plain_kept]; LAM_ERR_MEMORY only. */
lam_status lam_plain_forward(const lam_net_shape *shape, const real *params, const real *x, size_t rows, real *keep, real *y);
/* Of the sum over y of g_y y: g_params [parameters] += , g_x [rows, in_count] = (or NULL). */
lam_status lam_plain_backward(const lam_net_shape *shape, const real *params, const real *x, size_t rows, const real *keep,
    const real *g_y, real *g_params, real *g_x);

#endif
