/* Adam (Kingma and Ba 2015, algorithm 1) and AdamW, its form with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2):
 *     m = beta1 m + (1 - beta1) g,   v = beta2 v + (1 - beta2) g^2
 *     parameter -= lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon) */
#include "optim/record.h"
#include <math.h>

static const double EPSILON = 1e-8;

#if LAM_WIDTH == 32
#define SQRT sqrtf
#else
#define SQRT sqrt
#endif

void lam_adam_apply(const lam_adam *a, size_t n, const real *gradient, real *first, real *second, real *params)
{
    double correction1 = 1 - pow(a->beta1, (double)a->step), correction2 = 1 - pow(a->beta2, (double)a->step);
    const real beta1 = (real)a->beta1, rest1 = (real)(1 - a->beta1), beta2 = (real)a->beta2, rest2 = (real)(1 - a->beta2);
    const real size = (real)(a->lr / correction1), root = (real)sqrt(correction2), epsilon = (real)EPSILON;
    const real added = (real)a->coupled, kept = (real)(1 - a->lr * a->decay);
    for (size_t i = 0; i < n; i++) {
        real p = params[i] * kept, g = gradient[i] + added * p;
        first[i] = beta1 * first[i] + rest1 * g;
        second[i] = beta2 * second[i] + rest2 * g * g;
        params[i] = p - size * first[i] / (SQRT(second[i]) / root + epsilon);
    }
}

static void apply(const lam_stepper *s, const lam_slice *slice, double coupled, double decoupled)
{
    const lam_adam adam = { .lr = s->update->lr, .beta1 = 0.9, .beta2 = 0.999, .decay = decoupled, .coupled = coupled,
        .step = s->update->step };
    size_t at = slice->at;
    lam_adam_apply(&adam, slice->count, s->gradient + at, s->memory[0] + at, s->memory[1] + at, s->params + at);
}

static void adam(const lam_stepper *s, const lam_slice *slice)
{
    apply(s, slice, s->update->weight_decay, 0);
}

static void adamw(const lam_stepper *s, const lam_slice *slice)
{
    apply(s, slice, 0, s->update->weight_decay);
}

LAM_RECORD(adam) = { .memories = lam_two_moments, .slice = adam };
LAM_RECORD(adamw) = { .memories = lam_two_moments, .slice = adamw };
