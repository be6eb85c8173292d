/* Assertions on configurations, shared by config.c and config_yaml.c. */
#ifndef TESTS_CONFIG_ASSERT_H
#define TESTS_CONFIG_ASSERT_H
#include "model/parameters.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

static inline void assert_said(const char *part)
{
    if (strstr(lam_last_error(), part) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", part, lam_last_error());
}

static inline void assert_value(const lam_config *cfg, const char *name, const char *expected)
{
    char value[512];
    assert_int_equal(lam_config_get(cfg, name, value, sizeof value), LAM_OK);
    assert_string_equal(value, expected);
}

static inline void assert_same(const lam_config *a, const lam_config *b)
{
    char x[4096], y[4096];
    for (size_t i = 0; lam_parameter_at(i) != NULL; i++) {
        assert_int_equal(lam_config_get(a, lam_parameter_at(i)->name, x, sizeof x), LAM_OK);
        assert_int_equal(lam_config_get(b, lam_parameter_at(i)->name, y, sizeof y), LAM_OK);
        if (strcmp(x, y) != 0)
            fail_msg("%s: %s and %s", lam_parameter_at(i)->name, x, y);
    }
    /* what text cannot show: bits of numbers, and unused fields */
    lam_config p = *a, q = *b;
    assert_int_equal(p.columns.n, q.columns.n); /* not one item with a comma for two */
    assert_int_equal(p.drop.n, q.drop.n);
    assert_int_equal(p.noise.n, q.noise.n);
    assert_memory_equal(p.hidden, q.hidden, sizeof p.hidden);
    assert_memory_equal(&p.atol, &q.atol, sizeof p.atol);
    assert_memory_equal(&p.first_step_size, &q.first_step_size, sizeof p.first_step_size);
    assert_memory_equal(&p.memory, &q.memory, sizeof p.memory);
}

#endif
