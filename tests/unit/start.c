/* Fits that start from a model: rows of another standardiser come to the same place behind its maps and its whitening; what would be taken for
 * something else is refused. */
#include "data/dataset.h"
#include "model/model.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "fitting.h"
#include "heard.h"
#include "data/table.h"

enum { ROWS = 200 };

static void one_look(lam_config *cfg)
{
    set(cfg, "iterations", "1");
    set(cfg, "lr", "1e-30");
    set(cfg, "precision", "double");
    set(cfg, "test-atol", "1e-8");
    set(cfg, "test-rtol", "1e-8");
}

/* The pinwheel, of which another draw has other means and scales, moved and stretched besides. */
static lam_table *shifted_table(double stretch)
{
    lam_table *table;
    assert_int_equal(lam_table_toy("pinwheel", 400, 5, &table), LAM_OK);
    for (size_t i = 0; i < table->rows * 2; i++)
        table->values[i] = stretch * table->values[i] + (double)(i % 2) * (stretch - 1);
    return table;
}

static lam_dataset *shifted_data(const lam_config *cfg, double stretch)
{
    lam_dataset *out;
    lam_table *table = shifted_table(stretch);
    if (lam_dataset_build(cfg, table, NULL, NULL, NULL, &out) != LAM_OK)
        fail_msg("%s", lam_last_error());
    lam_table_free(table);
    return out;
}

static void the_same_density(void **state)
{
    (void)state;
    static const char *const front[][2] = { { "normal-scores:6", "none" }, { "none", "gaussian" }, { "normal-scores:6", "gaussian" } };
    for (size_t i = 0; i < 3; i++) {
        lam_config cfg;
        lam_model *model, *again;
        double logp[2][ROWS];
        heard h = { 0 };
        const lam_log log = { .line = listen_to, .user = &h };
        configure(&cfg);
        set(&cfg, "map", front[i][0]);
        set(&cfg, "whiten", front[i][1]);
        set(&cfg, "precision", "double");
        set(&cfg, "iterations", "20");
        assert_int_equal(lam_fit(&cfg, data, NULL, &model, NULL), LAM_OK);
        one_look(&cfg);
        set(&cfg, "map", "auto");
        set(&cfg, "whiten", "auto");
        lam_dataset *other = shifted_data(&cfg, 1.5);
        lam_table *rows = shifted_table(1.5);
        if (lam_fit(&cfg, other, &(lam_fit_options) { .init = model, .log = log }, &again, NULL) != LAM_OK)
            fail_msg("%s", lam_last_error());
        assert_true(again->mean[0] != model->mean[0] && again->scale[1] != model->scale[1]);
        const lam_eval_options tight = { .atol = 1e-9, .rtol = 1e-9 };
        assert_int_equal(lam_log_prob(model, &tight, rows->values, ROWS, logp[0], NULL), LAM_OK);
        assert_int_equal(lam_log_prob(again, &tight, rows->values, ROWS, logp[1], NULL), LAM_OK);
        for (size_t k = 0; k < ROWS; k++)
            if (!(fabs(logp[0][k] - logp[1][k]) < 1e-6))
                fail_msg("map %s, whiten %s, row %zu: log p is %g, not %g", front[i][0], front[i][1], k, logp[1][k], logp[0][k]);
        assert_null(strstr(h.text, "standardised by their own mean"));
        lam_table_free(rows);
        lam_dataset_free(other);
        lam_model_free(again);
        lam_model_free(model);
        lam_config_clear(&cfg);
    }
}

/* Where nothing can be rewritten, a line says so: not of rows that are standardised nearly as those were. */
static void shifted_columns_are_told(void **state)
{
    (void)state;
    lam_config cfg;
    lam_model *model, *again;
    configure(&cfg);
    one_look(&cfg);
    assert_int_equal(lam_fit(&cfg, data, NULL, &model, NULL), LAM_OK);
    for (int far = 0; far < 2; far++) {
        heard h = { 0 };
        lam_dataset *other = shifted_data(&cfg, far ? 1.5 : 1);
        const lam_fit_options options = { .init = model, .log = { .line = listen_to, .user = &h } };
        assert_int_equal(lam_fit(&cfg, other, &options, &again, NULL), LAM_OK);
        assert_int_equal(strstr(h.text, "standardised by their own mean and scale") != NULL, far);
        lam_dataset_free(other);
        lam_model_free(again);
    }
    lam_model_free(model);
    lam_config_clear(&cfg);
}

/* x, and kind of two levels, which is given. */
static lam_dataset *of_kinds(const lam_config *cfg, const char *name, const char *low, const char *high)
{
    char text[4096];
    size_t used = (size_t)snprintf(text, sizeof text, "%s,kind\n", name);
    lam_table *table;
    lam_dataset *out = NULL;
    for (int i = 0; i < 60; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%g,%s\n", sin(i * 1.7) + i % 2, i % 2 ? high : low);
    const lam_read_options options = lam_config_read_options(cfg);
    if (lam_table_read_memory("kinds.csv", text, used, NULL, &options, &table) != LAM_OK || lam_dataset_build(cfg, table, NULL, NULL, NULL, &out) != LAM_OK)
        fail_msg("%s", lam_last_error());
    lam_table_free(table);
    return out;
}

static void other_columns_are_refused(void **state)
{
    (void)state;
    lam_config cfg;
    lam_model *model, *again;
    configure(&cfg);
    one_look(&cfg);
    set(&cfg, "given", "kind");
    set(&cfg, "context-dims", "6");
    lam_dataset *own = of_kinds(&cfg, "x", "down", "up"), *levels = of_kinds(&cfg, "x", "down", "left"), *name = of_kinds(&cfg, "y", "down", "up");
    assert_int_equal(lam_fit(&cfg, own, NULL, &model, NULL), LAM_OK);
    const lam_fit_options options = { .init = model };
    assert_int_equal(lam_fit(&cfg, own, &options, &again, NULL), LAM_OK);
    lam_model_free(again);
    assert_int_equal(lam_fit(&cfg, levels, &options, &again, NULL), LAM_ERR_SHAPE);
    assert_non_null(strstr(lam_last_error(), "column 2 (kind) has other levels of text"));
    assert_int_equal(lam_fit(&cfg, name, &options, &again, NULL), LAM_ERR_SHAPE);
    assert_non_null(strstr(lam_last_error(), "column 1 is \"y\", and that of the model to start from \"x\""));
    lam_model_free(model);
    lam_dataset_free(own);
    lam_dataset_free(levels);
    lam_dataset_free(name);
    lam_config_clear(&cfg);
}

/* A model of rows with missing cells goes on with rows that miss none, and not the other way round. */
static void missing_cells(void **state)
{
    (void)state;
    lam_config cfg;
    lam_table *table;
    lam_dataset *part[2];
    lam_model *model[2], *again;
    configure(&cfg);
    one_look(&cfg);
    set(&cfg, "given", "1");
    set(&cfg, "context-dims", "6");
    for (size_t holes = 0; holes < 2; holes++) {
        assert_int_equal(lam_table_create(60, 3, &table), LAM_OK);
        for (size_t i = 0; i < 180; i++)
            table->values[i] = holes && i % 9 == 1 ? (double)NAN : sin(1.7 * (double)(i * i));
        assert_int_equal(lam_dataset_build(&cfg, table, NULL, NULL, NULL, &part[holes]), LAM_OK);
        assert_int_equal(lam_fit(&cfg, part[holes], NULL, &model[holes], NULL), LAM_OK);
        lam_table_free(table);
    }
    assert_true(lam_model_takes_missing(model[1]) && !lam_model_takes_missing(model[0]));
    assert_int_equal(lam_fit(&cfg, part[0], &(lam_fit_options) { .init = model[1] }, &again, NULL), LAM_OK);
    assert_true(lam_model_takes_missing(again));
    lam_model_free(again);
    assert_int_equal(lam_fit(&cfg, part[1], &(lam_fit_options) { .init = model[0] }, &again, NULL), LAM_ERR_SHAPE);
    assert_non_null(strstr(lam_last_error(), "fitted to rows that miss none"));
    for (size_t i = 0; i < 2; i++) {
        lam_model_free(model[i]);
        lam_dataset_free(part[i]);
    }
    lam_config_clear(&cfg);
}

static int stop(void *user, const lam_progress *progress)
{
    (void)user;
    return progress->iteration >= 3;
}

/* A run goes on with the maps that it began with, and not with those of its own rows. */
static void a_run_goes_on_from_its_model(void **state)
{
    (void)state;
    lam_config cfg;
    lam_model *model;
    configure(&cfg);
    set(&cfg, "map", "normal-scores:6");
    lam_dataset *other = shifted_data(&cfg, 1), *own = data;
    assert_int_equal(lam_fit(&cfg, other, NULL, &model, NULL), LAM_OK);
    fit_into("started", &cfg, (lam_fit_options) { .init = model, .progress = stop }, LAM_ERR_INTERRUPTED, NULL);
    fit_into("started", &cfg, (lam_fit_options) { .resume = 1 }, LAM_ERR_DATA, NULL);
    assert_non_null(strstr(lam_last_error(), "the model that it started from"));
    fit_into("started", &cfg, (lam_fit_options) { .resume = 1, .init = model }, LAM_OK, NULL);
    remove_run("started");
    data = own;
    lam_dataset_free(other);
    lam_model_free(model);
    lam_config_clear(&cfg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_density),
        cmocka_unit_test(shifted_columns_are_told),
        cmocka_unit_test(other_columns_are_refused),
        cmocka_unit_test(missing_cells),
        cmocka_unit_test(a_run_goes_on_from_its_model),
    };
    return cmocka_run_group_tests_name("start", tests, set_up, tear_down);
}
