/* Planar flows with parameters from the rows. */
#include "vae/planar.h"
#include <math.h>
#include <string.h>

/* What a flow makes of its parameters and a point. */
typedef struct step {
    double wu, ww;       /* w'u, |w|^2 */
    double excess;       /* m(w'u) - w'u: u^ = u + excess w / |w|^2, so w'u^ = m(w'u) */
    double m, slope;     /* m(w'u) and its derivative, sigmoid(w'u) */
    double h, d;         /* tanh(w'z + b), 1 - tanh^2 */
    double det;          /* 1 + d m */
} step;

size_t lam_planar_count(size_t dim, size_t flows)
{
    return flows * (2 * dim + 1);
}

static double dot(size_t n, const double *a, const double *b)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static step look(size_t dim, const double *u, const double *w, double b, const double *z)
{
    step s = { .wu = dot(dim, w, u), .ww = dot(dim, w, w), .h = tanh(dot(dim, w, z) + b) };
    s.m = fmax(s.wu, 0) + log1p(exp(-fabs(s.wu))) - 1;
    s.slope = 1 / (1 + exp(-s.wu));
    s.excess = s.m - s.wu;
    s.d = 1 - s.h * s.h;
    s.det = 1 + s.d * s.m;
    return s;
}

double lam_planar_forward(size_t dim, size_t flows, const double *params, double *z, double *path)
{
    double log_det = 0;
    for (size_t k = 0; k < flows; k++) {
        const double *u = params + k * (2 * dim + 1), *w = u + dim;
        if (path != NULL)
            memcpy(path + k * dim, z, dim * sizeof *z);
        step s = look(dim, u, w, w[dim], z);
        for (size_t i = 0; i < dim; i++)
            z[i] += (u[i] + s.excess / s.ww * w[i]) * s.h;
        log_det += log(s.det);
    }
    if (path != NULL)
        memcpy(path + flows * dim, z, dim * sizeof *z);
    return log_det;
}

void lam_planar_reverse(size_t dim, size_t flows, const double *params, const double *path, double g_log_det, double *g,
    double *g_params)
{
    for (size_t k = flows; k-- > 0;) {
        const double *u = params + k * (2 * dim + 1), *w = u + dim, *z = path + k * dim;
        double *gu = g_params + k * (2 * dim + 1), *gw = gu + dim;
        step s = look(dim, u, w, w[dim], z);
        double gw_hat = dot(dim, g, w), gu_hat = dot(dim, g, u) + s.excess / s.ww * gw_hat; /* g'u^ */
        double g_m = g_log_det * s.d / s.det;
        double g_h = gu_hat - 2 * s.h * g_log_det * s.m / s.det; /* d = 1 - h^2 */
        double g_arg = g_h * s.d;
        /* u^ = u + (excess / ww) w enters as h u^ */
        double g_ratio = s.h * gw_hat, g_excess = g_ratio / s.ww, g_ww = -g_ratio * s.excess / (s.ww * s.ww);
        double g_wu = (g_m + g_excess) * s.slope - g_excess;
        for (size_t i = 0; i < dim; i++) {
            gu[i] = s.h * g[i] + g_wu * w[i];
            gw[i] = s.h * s.excess / s.ww * g[i] + 2 * g_ww * w[i] + g_wu * u[i] + g_arg * z[i];
        }
        gw[dim] = g_arg;
        for (size_t i = 0; i < dim; i++)
            g[i] += g_arg * w[i];
    }
}
