/* For the tests of models: how to make one, and rows for it. Include after cmocka.h. */
#ifndef LAM_TESTS_MODELS_H
#define LAM_TESTS_MODELS_H
#include "base/random.h"
#include "model/model.h"
#include "model/config.h"
#include <math.h>
#include <stdarg.h>
#include <string.h>

static inline void assert_said(const char *part)
{
    if (strstr(lam_last_error(), part) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", part, lam_last_error());
}

static inline void assert_ok(lam_status status)
{
    if (status != LAM_OK)
        fail_msg("%s: %s", lam_status_name(status), lam_last_error());
}

/* A configuration from "name", "value", ..., NULL. */
static inline void configure(lam_config *cfg, ...)
{
    va_list args;
    lam_config_init(cfg);
    assert_ok(lam_config_set(cfg, "blocks", "1"));
    va_start(args, cfg);
    for (const char *name = va_arg(args, const char *); name != NULL; name = va_arg(args, const char *))
        assert_ok(lam_config_set(cfg, name, va_arg(args, const char *)));
    va_end(args);
}

/* A standardiser that is not the identity. */
static inline void shift_and_scale(lam_model *m)
{
    m->log_det = 0;
    for (size_t j = 0; j < m->layout.field.dim; j++) {
        m->mean[j] = 3 - 1.1 * (double)j;
        m->scale[j] = 0.3 + 0.7 * (double)j;
        m->log_det -= log(m->scale[j]);
    }
}

/* A model whose weights are those of the seed, made `larger` times as large, so that it bends space. */
static inline lam_model *bent_model(const char *dims, const char *layer, const char *precision, size_t dim, double larger)
{
    lam_config cfg;
    lam_model *m;
    configure(&cfg, "dims", dims, "layer", layer, "precision", precision, "seed", "5", "blocks", "2", "test-atol", "1e-6",
        "test-rtol", "1e-6", NULL);
    assert_ok(lam_model_create(&cfg, dim, &m));
    for (size_t i = 0; i < m->layout.time; i++)
        m->params[i] = strcmp(precision, "float") == 0 ? (double)(float)(larger * m->params[i]) : larger * m->params[i];
    shift_and_scale(m);
    lam_config_clear(&cfg);
    return m;
}

static inline void normals(double *x, size_t n, size_t dim)
{
    for (size_t i = 0; i < n; i++)
        lam_random_normal_row(7, LAM_DRAW_TEST, 0, i, x + i * dim, dim);
}

static inline void to_data_units(const lam_model *m, double *x, size_t n)
{
    size_t dim = m->layout.field.dim;
    for (size_t i = 0; i < n * dim; i++)
        x[i] = x[i] * m->scale[i % dim] + m->mean[i % dim];
}

static inline double largest_difference(const double *a, const double *b, size_t n)
{
    double largest = 0;
    for (size_t i = 0; i < n; i++)
        largest = !(fabs(a[i] - b[i]) <= largest) ? fabs(a[i] - b[i]) : largest;
    return largest;
}

static inline double normal_log_prob(const double *z, size_t dim)
{
    double sum = 0;
    for (size_t j = 0; j < dim; j++)
        sum -= 0.5 * (z[j] * z[j] + log(2 * acos(-1)));
    return sum;
}

#endif
