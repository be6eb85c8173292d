/* For the tests of models: a linear field, whose flow and density are known. Include after cmocka.h. */
#ifndef LAM_TESTS_LINEAR_H
#define LAM_TESTS_LINEAR_H
#include "models.h"
#include "model/config.h"

enum { LINEAR = 3, LINEAR_HIDDEN = 4 };

/* exp(t A) x and the integral of exp(s A) b over [0, t], by the Taylor series of the augmented matrix (|A| t is about 1). */
static inline void linear_flow(const double *a, const double *b, double t, const double *x, double *z)
{
    double term[LINEAR + 1], sum[LINEAR + 1], next[LINEAR + 1];
    for (size_t i = 0; i <= LINEAR; i++)
        term[i] = sum[i] = i < LINEAR ? x[i] : 1;
    for (int k = 1; k < 60; k++) {
        for (size_t i = 0; i < LINEAR; i++) {
            next[i] = b[i] * term[LINEAR];
            for (size_t j = 0; j < LINEAR; j++)
                next[i] += a[i * LINEAR + j] * term[j];
        }
        next[LINEAR] = 0;
        for (size_t i = 0; i <= LINEAR; i++) {
            term[i] = next[i] * t / k;
            sum[i] += term[i];
        }
    }
    memcpy(z, sum, LINEAR * sizeof *z);
}

/* A model with dz/dt = A z + b, as two layers with nothing between; A [3, 3] and b [3] are returned. */
static inline lam_model *linear_model(double *a, double *b, const char *time)
{
    lam_config cfg;
    lam_model *m;
    double w1[LINEAR_HIDDEN * LINEAR], w2[LINEAR * LINEAR_HIDDEN], c1[LINEAR_HIDDEN], c2[LINEAR];
    configure(&cfg, "dims", "4", "layer", "ignore", "nonlinearity", "identity", "precision", "double", "time", time, "test-atol",
        "1e-10", "test-rtol", "1e-10", "seed", "3", NULL);
    assert_ok(lam_model_create(&cfg, LINEAR, &m));
    for (size_t i = 0; i < m->layout.time; i++)
        m->params[i] *= 1.5;
    const double *p = m->params;
    for (size_t i = 0; i < m->n_tensors; i++) {
        const lam_layout_tensor *t = &m->tensors[i];
        double *to = strstr(t->name, "layers.0._layer.weight") != NULL ? w1 : strstr(t->name, "layers.0._layer.bias") != NULL ? c1
            : strstr(t->name, "layers.1._layer.weight") != NULL ? w2 : strstr(t->name, "layers.1._layer.bias") != NULL ? c2 : NULL;
        if (to != NULL)
            memcpy(to, p + t->offset, t->count * sizeof *to);
    }
    for (size_t i = 0; i < LINEAR; i++) {
        b[i] = c2[i];
        for (size_t k = 0; k < LINEAR_HIDDEN; k++)
            b[i] += w2[i * LINEAR_HIDDEN + k] * c1[k];
        for (size_t j = 0; j < LINEAR; j++) {
            a[i * LINEAR + j] = 0;
            for (size_t k = 0; k < LINEAR_HIDDEN; k++)
                a[i * LINEAR + j] += w2[i * LINEAR_HIDDEN + k] * w1[k * LINEAR + j];
        }
    }
    lam_config_clear(&cfg);
    return m;
}

/* log p of a row in standardised units: log N(exp(AT) x + c) + T tr A. */
static inline double linear_log_prob(const double *a, const double *b, double t, const double *x)
{
    double z[LINEAR], trace = 0;
    linear_flow(a, b, t, x, z);
    for (size_t i = 0; i < LINEAR; i++)
        trace += a[i * LINEAR + i];
    return normal_log_prob(z, LINEAR) + t * trace;
}

#endif
