/* Adamax (Kingma and Ba 2015, algorithm 2):
 *     m = beta1 m + (1 - beta1) g,   u = max(beta2 u, |g| + epsilon),   parameter -= lr / (1 - beta1^t) * m / u */
#include "optim/record.h"
#include <math.h>

static const double BETA1 = 0.9, BETA2 = 0.999, EPSILON = 1e-8;

#if LAM_WIDTH == 32
#define FABS fabsf
#else
#define FABS fabs
#endif

static void adamax(const lam_stepper *s, const lam_slice *slice)
{
    const lam_update *u = s->update;
    const real beta1 = (real)BETA1, rest1 = (real)(1 - BETA1), beta2 = (real)BETA2, epsilon = (real)EPSILON;
    const real size = (real)(u->lr / (1 - pow(BETA1, (double)u->step))), added = (real)u->weight_decay;
    const real *gradient = s->gradient + slice->at;
    real *first = s->memory[0] + slice->at, *second = s->memory[1] + slice->at, *params = s->params + slice->at;
    for (size_t i = 0; i < slice->count; i++) {
        real g = gradient[i] + added * params[i], old = beta2 * second[i], now = FABS(g) + epsilon;
        first[i] = beta1 * first[i] + rest1 * g;
        second[i] = old > now ? old : now;
        params[i] -= size * first[i] / second[i];
    }
}

LAM_RECORD(adamax) = { .memories = lam_two_moments, .slice = adamax };
