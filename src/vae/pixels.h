/* What images are scored by, row by row: log p(x | logits) and its cotangents, and the variance of q(z | x) (method.md 9). */
#ifndef LAM_VAE_PIXELS_H
#define LAM_VAE_PIXELS_H
#include "base/pool.h"
#include "kernels/act_array.h"
#include <math.h>
#include <stdint.h>

/* lam_pixels: `levels` (2 to 256) of a pixel; 2: Bernoulli, one logit a pixel; otherwise categorical, `levels` logits a pixel.
 * Rows are shared out over the pool; each is one thread's from end to end.
 *
 * lam_pixels_log_p: logits [rows, pixels, 1 or levels], x [rows, pixels] below levels. log_p [rows] in nats, summed over pixels in
 * double. g, of the logits' size and possibly their array, = factor d log_p / d logits; NULL: not wanted.
 *
 * lam_variance: v = softplus(a) clipped to [low, high], slope = dv / da, which is 0 where v is clipped; n of each; 0 and INFINITY
 * clip nothing. */
#define LAM_PIXELS_DECLARE(width, real)                                                                                \
    typedef struct lam_pixel_rows_##width {                                                                                \
        lam_pool *pool;                                                                                                \
        const lam_act_##width *act;                                                                                    \
        size_t rows, pixels, levels;                                                                                   \
    } lam_pixel_rows_##width;                                                                                              \
    void lam_pixels_log_p_##width(const lam_pixel_rows_##width *p, const real *logits, const uint8_t *x, double *log_p,    \
        real factor, real *g);                                                                                         \
    void lam_variance_##width(const lam_act_##width *act, size_t n, real low, real high, const real *a, real *v,       \
        real *slope);
LAM_PIXELS_DECLARE(f32, float)
LAM_PIXELS_DECLARE(f64, double)
#undef LAM_PIXELS_DECLARE

/* of a log-likelihood in nats */
static inline double lam_bits_per_dim(double log_p, size_t pixels)
{
    return -log_p / ((double)pixels * log(2));
}

#endif
