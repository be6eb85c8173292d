/* log p(x | logits) per row and its derivatives. */
#include "vae/pixels.h"
#include "laminar.h"
#include "kernels/names.h"
#include "vae/names.h"

enum { CHUNK = 256 };

typedef struct call {
    const lam_pixel_rows *p;
    const real *logits;
    const uint8_t *x;
    double *log_p;
    real factor, *g;
} call;

/* log p = -softplus(a), a = (1 - 2x) logit: relative accuracy for right and wrong pixels alike. */
static double bernoulli(const call *c, const real *logits, const uint8_t *x, real *g)
{
    double sum = 0;
    for (size_t first = 0; first < c->p->pixels; first += CHUNK) {
        size_t n = c->p->pixels - first < CHUNK ? c->p->pixels - first : CHUNK;
        real a[CHUNK], loss[CHUNK], slope[CHUNK];
        for (size_t i = 0; i < n; i++)
            a[i] = x[first + i] ? -logits[first + i] : logits[first + i];
        c->p->act->eval(LAM_ACT_SOFTPLUS, 1, a, loss, slope, NULL, n);
        for (size_t i = 0; i < n; i++)
            sum -= (double)loss[i];
        for (size_t i = 0; g != NULL && i < n; i++)
            g[first + i] = x[first + i] ? c->factor * slope[i] : -c->factor * slope[i];
    }
    return sum;
}

static double categorical(const call *c, const real *logits, const uint8_t *x, real *g)
{
    size_t levels = c->p->levels;
    real unwanted[CHUNK];
    double sum = 0;
    for (size_t i = 0; i < c->p->pixels; i++) {
        double chosen = (double)logits[i * levels + x[i]];
        real *to = g == NULL ? unwanted : g + i * levels;
        sum += chosen - c->p->act->softmax(logits + i * levels, -c->factor, to, levels);
        to[x[i]] += c->factor;
    }
    return sum;
}

static void one_row(void *arg, size_t row, size_t thread)
{
    const call *c = arg;
    size_t pixels = c->p->pixels, logits = c->p->levels == 2 ? pixels : pixels * c->p->levels;
    real *g = c->g == NULL ? NULL : c->g + row * logits;
    (void)thread;
    c->log_p[row] = (c->p->levels == 2 ? bernoulli : categorical)(c, c->logits + row * logits, c->x + row * pixels, g);
}

void lam_pixels_log_p(const lam_pixel_rows *p, const real *logits, const uint8_t *x, double *log_p, real factor, real *g)
{
    call c = { .p = p, .logits = logits, .x = x, .log_p = log_p, .factor = factor, .g = g };
    lam_pool_run(p->pool, p->rows, one_row, &c);
}

void lam_variance(const lam_act *act, size_t n, real low, real high, const real *a, real *v, real *slope)
{
    act->eval(LAM_ACT_SOFTPLUS, 1, a, v, slope, NULL, n);
    for (size_t i = 0; i < n; i++) {
        if (v[i] <= low || v[i] >= high)
            slope[i] = 0;
        v[i] = v[i] < low ? low : v[i] > high ? high : v[i];
    }
}
