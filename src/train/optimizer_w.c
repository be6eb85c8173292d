#include "train/optimizer.h"
#include <math.h>

static const double BETA1 = 0.9, BETA2 = 0.999, EPSILON = 1e-8;

#if LAM_WIDTH == 32
#define SQRT sqrtf
#define FABS fabsf
#else
#define SQRT sqrt
#define FABS fabs
#endif

double LAM_W(lam_gradient_norm)(const real *gradient, size_t n)
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

void LAM_W(lam_gradient_clip)(real *gradient, size_t n, double norm, double most)
{
    if (most <= 0 || norm <= most)
        return;
    real factor = (real)(most / norm);
    for (size_t i = 0; i < n; i++)
        gradient[i] *= factor;
}

/* params -= lr / (1 - beta1^t) * first / (sqrt(second) / sqrt(1 - beta2^t) + epsilon) */
static void adam(const lam_update *u, size_t n, const real *gradient, real *first, real *second, real *params)
{
    double correction1 = 1 - pow(BETA1, (double)u->step), correction2 = 1 - pow(BETA2, (double)u->step);
    const real beta1 = (real)BETA1, rest1 = (real)(1 - BETA1), beta2 = (real)BETA2, rest2 = (real)(1 - BETA2);
    const real size = (real)(u->lr / correction1), root = (real)sqrt(correction2), epsilon = (real)EPSILON;
    const real added = u->kind == LAM_ADAMW ? 0 : (real)u->weight_decay;
    const real kept = u->kind == LAM_ADAMW ? (real)(1 - u->lr * u->weight_decay) : 1;
    for (size_t i = 0; i < n; i++) {
        real p = params[i] * kept, g = gradient[i] + added * p;
        first[i] = beta1 * first[i] + rest1 * g;
        second[i] = beta2 * second[i] + rest2 * g * g;
        params[i] = p - size * first[i] / (SQRT(second[i]) / root + epsilon);
    }
}

/* params -= lr / (1 - beta1^t) * first / second, second = max(beta2 second, |g| + epsilon) */
static void adamax(const lam_update *u, size_t n, const real *gradient, real *first, real *second, real *params)
{
    const real beta1 = (real)BETA1, rest1 = (real)(1 - BETA1), beta2 = (real)BETA2, epsilon = (real)EPSILON;
    const real size = (real)(u->lr / (1 - pow(BETA1, (double)u->step))), added = (real)u->weight_decay;
    for (size_t i = 0; i < n; i++) {
        real g = gradient[i] + added * params[i], old = beta2 * second[i], now = FABS(g) + epsilon;
        first[i] = beta1 * first[i] + rest1 * g;
        second[i] = old > now ? old : now;
        params[i] -= size * first[i] / second[i];
    }
}

void LAM_W(lam_update_apply)(const lam_update *update, size_t n, const real *gradient, real *first, real *second,
    real *params)
{
    if (update->kind == LAM_ADAMAX)
        adamax(update, n, gradient, first, second, params);
    else
        adam(update, n, gradient, first, second, params);
}
