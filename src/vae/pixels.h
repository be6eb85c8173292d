/* What images are scored by, row by row: log p(x | logits) and its cotangents, and the variance of q(z | x) (method.md 7). */
#ifndef LAM_VAE_PIXELS_H
#define LAM_VAE_PIXELS_H
#include "base/pool.h"
#include "base/width.h"
#include "kernels/act_array.h"
#include <math.h>
#include <stdint.h>

/* levels 2: Bernoulli, one logit a pixel; otherwise categorical, `levels` logits a pixel. */
typedef struct LAM_W(lam_pixels) {
    lam_pool *pool; /* rows are shared out; each is one thread's from end to end */
    const LAM_W(lam_act) *act;
    size_t rows, pixels, levels; /* levels 2 to 256 */
} LAM_W(lam_pixels);

/* logits [rows, pixels, 1 or levels], x [rows, pixels] below levels. log_p [rows] in nats, summed over pixels in double.
 * g, of the logits' size and possibly their array, = factor d log_p / d logits; NULL: not wanted. */
void LAM_W(lam_pixels_log_p)(const LAM_W(lam_pixels) *p, const real *logits, const uint8_t *x, double *log_p, real factor, real *g);

/* v = softplus(a) clipped to [low, high], slope = dv / da, which is 0 where v is clipped; n of each; 0 and INFINITY clip nothing. */
void LAM_W(lam_variance)(const LAM_W(lam_act) *act, size_t n, real low, real high, const real *a, real *v, real *slope);

/* of a log-likelihood in nats */
static inline double lam_bits_per_dim(double log_p, size_t pixels)
{
    return -log_p / ((double)pixels * log(2));
}

#endif
