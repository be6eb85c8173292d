/* Fits of any columns given any others, with missing cells (method.md 15): the same bits however they were run, files, roles, draws, and
 * densities that agree. */
#include "data/dataset.h"
#include "data/given.h"
#include "model/model.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "fitting.h"

enum { ROWS = 40, DRAWS = 3 };

/* The pinwheel, every seventh row of training without its first column, every eleventh of validation without its second. */
static int any_set_up(void **state)
{
    if (scratch_open(state) != 0)
        return 1;
    data = make_data(1);
    for (size_t i = 0; i < data->rows[LAM_TRAIN]; i += 7)
        data->values[LAM_TRAIN][2 * i] = (double)NAN;
    for (size_t i = 0; i < data->rows[LAM_VALID]; i += 11)
        data->values[LAM_VALID][2 * i + 1] = (double)NAN;
    return 0;
}

static int any_tear_down(void **state)
{
    lam_dataset_free(data);
    return scratch_close(state);
}

static void configure_any(lam_config *cfg)
{
    configure(cfg);
    set(cfg, "any-given", "true");
    set(cfg, "context-dims", "8");
}

static void the_same_bits(void **state)
{
    (void)state;
    static const char *const ways[][5][2] = {
        { { "warm-start", "flow-matching:5" }, { "kinetic-coefficient", "0.1" } },
        { { "precision", "double" }, { "step-control", "tile" }, { "divergence", "exact" }, { "average", "true" }, { "val-batch-size", "15" } },
    };
    for (size_t i = 0; i < 2; i++) {
        lam_config cfg;
        configure_any(&cfg);
        for (size_t k = 0; k < 5 && ways[i][k][0] != NULL; k++)
            set(&cfg, ways[i][k][0], ways[i][k][1]);
        assert_stopping_does_not_matter(&cfg, 4 + 3 * i);
        lam_config_clear(&cfg);
    }
}

/* Every role is drawn, what is missing stays absent, something moves, and a row's roles do not depend on others. */
static void roles_drawn(void **state)
{
    (void)state;
    enum { DIM = 5, TIMES = 4000 };
    const unsigned char text[DIM] = { 0, 0, 0, 0, 1 };
    const lam_given_kind kind = { .is_given = text, .any = 1 };
    lam_given g;
    size_t seen[DIM][3] = { { 0 } }, all = 0, sizes[DIM] = { 0 };
    assert_int_equal(lam_given_make(DIM, &kind, &g), LAM_OK);
    assert_int_equal(g.inputs, 2 + 3 * 4); /* value and flag of the fifth; g x, g and m of the others */
    for (size_t i = 0; i < TIMES; i++) {
        unsigned char roles[DIM] = { LAM_MOVING, LAM_MOVING, LAM_ABSENT, LAM_MOVING, LAM_GIVEN }, again[DIM];
        size_t moving = 0, given = 0;
        memcpy(again, roles, DIM);
        lam_given_draw(&g, 3, LAM_DRAW_ROLES, 1, i, roles);
        lam_given_draw(&g, 3, LAM_DRAW_ROLES, 1, i, again);
        assert_memory_equal(roles, again, DIM);
        for (size_t j = 0; j < DIM; j++) {
            seen[j][roles[j]]++;
            moving += roles[j] == LAM_MOVING;
            given += j < 4 && roles[j] == LAM_GIVEN;
        }
        assert_true(moving >= 1);
        all += moving == 3;
        sizes[given]++;
    }
    assert_int_equal(seen[2][LAM_ABSENT], TIMES);
    assert_int_equal(seen[4][LAM_MOVING], 0);
    /* all move: a quarter, and of the rest a third with none given, less those of them in which some are absent: 1/4 + 1/3 (1/2 + 1/4 / 3) */
    assert_true(fabs((double)all / TIMES - 0.4444) < 0.03);
    assert_true(fabs((double)sizes[2] / TIMES - 0.25) < 0.03 && fabs((double)sizes[1] / TIMES - 0.25) < 0.03); /* 3/4 of a third */
    assert_true(fabs((double)seen[4][LAM_GIVEN] / TIMES - 0.5) < 0.03);
    for (size_t j = 0; j < DIM; j++)
        assert_true(j == 2 || j == 4 || (seen[j][0] > 100 && seen[j][1] > 500 && seen[j][2] > 1000));
    lam_given_clear(&g);
}

static lam_model *fitted(const char *iterations)
{
    lam_config cfg;
    lam_model *model;
    configure_any(&cfg);
    set(&cfg, "map", "normal-scores:6");
    set(&cfg, "iterations", iterations);
    set(&cfg, "precision", "double");
    lam_dataset *complete = make_data(1);
    assert_int_equal(lam_fit(&cfg, complete, NULL, &model, NULL), LAM_OK);
    lam_dataset_free(complete);
    lam_config_clear(&cfg);
    return model;
}

static void scores_and_draws(void **state)
{
    (void)state;
    enum { JOINT, MARGINAL, CONDITIONAL, POINTS = 1600 };
    static double at[2 * POINTS], p[POINTS];
    lam_model *model = fitted("60"), *copy;
    double x[ROWS * 2], logp[3][ROWS], same[ROWS], out[ROWS * DRAWS * 2], drawn[ROWS * DRAWS], mass = 0;
    unsigned char roles[3][ROWS * 2];
    size_t rows;
    const double *standardised = lam_dataset_rows(data, LAM_TEST, &rows);
    assert_int_equal(lam_model_save(model, scratch_path("any.safetensors")), LAM_OK);
    assert_int_equal(lam_model_load(scratch_path("any.safetensors"), NULL, &copy), LAM_OK);
    unlink(scratch_path("any.safetensors"));
    assert_true(lam_model_any_given(copy) && lam_model_given_count(copy) == 0 && lam_model_role(copy, 1) == LAM_MOVING);
    for (size_t i = 0; i < ROWS * 2; i++) {
        x[i] = standardised[i] * model->scale[i % 2] + model->mean[i % 2];
        roles[JOINT][i] = LAM_MOVING;
        roles[MARGINAL][i] = i % 2 == 0 ? LAM_MOVING : LAM_ABSENT;
        roles[CONDITIONAL][i] = i % 2 == 0 ? LAM_GIVEN : LAM_MOVING;
    }
    for (size_t k = 0; k < 3; k++)
        assert_int_equal(lam_conditional_log_prob(copy, NULL, &(lam_query){ x, ROWS, roles[k], k == 0 ? ROWS : 1 }, logp[k], NULL), LAM_OK);
    assert_int_equal(lam_log_prob(model, NULL, x, ROWS, same, NULL), LAM_OK);
    assert_memory_equal(same, logp[JOINT], sizeof same);
    for (size_t i = 0; i < ROWS; i++) /* an absent cell's value is not looked at; NaN is an absent cell */
        x[2 * i + 1] = (double)NAN;
    assert_int_equal(lam_log_prob(model, NULL, x, ROWS, same, NULL), LAM_OK);
    assert_memory_equal(same, logp[MARGINAL], sizeof same);
    assert_int_equal(lam_conditional_sample(copy, NULL, 9, &(lam_query){ x, ROWS, NULL, 0 }, DRAWS, out, drawn, NULL), LAM_OK);
    assert_int_equal(lam_conditional_log_prob(copy, NULL, &(lam_query){ out, DRAWS, roles[CONDITIONAL], 1 }, same, NULL), LAM_OK);
    for (size_t i = 0; i < ROWS * DRAWS; i++)
        assert_true(out[2 * i] == x[2 * (i / DRAWS)] && isfinite(out[2 * i + 1]));
    for (size_t i = 0; i < DRAWS; i++)
        assert_true(fabs(same[i] - drawn[i]) < 1e-3);
    assert_int_equal(lam_conditional_sample(copy, NULL, 9, &(lam_query){ x, 1, roles[MARGINAL], 1 }, DRAWS, out, drawn, NULL), LAM_OK);
    assert_true(isfinite(out[0]) && isnan(out[1]));
    for (size_t i = 0; i < POINTS; i++) {
        at[2 * i] = -8 + 16 * ((double)i + 0.5) / POINTS;
        at[2 * i + 1] = (double)NAN;
    }
    assert_int_equal(lam_log_prob(copy, &(lam_eval_options) { .units = LAM_UNITS_STANDARDISED }, at, POINTS, p, NULL), LAM_OK);
    for (size_t i = 0; i < POINTS; i++) /* the marginal is a density */
        mass += exp(p[i]) * 16 / POINTS;
    if (!(fabs(mass - 1) < 5e-3))
        fail_msg("the marginal's mass is %g", mass);
    lam_model_free(copy);
    lam_model_free(model);
}

/* What the consistency is: the rms of what the three densities say. */
static void checks(void **state)
{
    (void)state;
    lam_model *model = fitted("30");
    size_t rows;
    const double *x = lam_dataset_rows(data, LAM_TEST, &rows);
    const lam_eval_options options = { .units = LAM_UNITS_STANDARDISED };
    lam_check_report r;
    double logp[5][ROWS], least = 0, most = 0;
    const unsigned char roles[5][2] = { { 2, 2 }, { 2, 0 }, { 1, 2 }, { 0, 2 }, { 2, 1 } };
    assert_int_equal(lam_check(model, &options, x, ROWS, &r), LAM_OK);
    for (size_t k = 0; k < 5; k++)
        assert_int_equal(lam_conditional_log_prob(model, &options, &(lam_query){ x, ROWS, roles[k], 1 }, logp[k], NULL), LAM_OK);
    for (size_t i = 0; i < ROWS; i++) { /* of two columns there are two ways to cut */
        double e = fabs(logp[1][i] + logp[2][i] - logp[0][i]), f = fabs(logp[3][i] + logp[4][i] - logp[0][i]);
        least += fmin(e, f) * fmin(e, f) / ROWS;
        most += fmax(e, f) * fmax(e, f) / ROWS;
    }
    assert_true(r.has_consistency && r.has_mass && fabs(r.mass - 1) < 0.02);
    assert_true(r.consistency >= sqrt(least) - 1e-3 && r.consistency <= sqrt(most) + 1e-3);
    assert_true(r.round_trip_max < 1e-2);
    lam_model_free(model);
}

/* Missing cells of a fixed split: absent where they would move, refused where they are given. */
static void missing_cells(void **state)
{
    (void)state;
    lam_config cfg;
    lam_table *table;
    lam_dataset *given;
    lam_model *model;
    double x[4] = { (double)NAN, 0.3, 0.1, (double)NAN }, logp[2];
    configure(&cfg);
    set(&cfg, "given", "2");
    assert_int_equal(lam_table_toy("pinwheel", 400, 1, &table), LAM_OK);
    assert_int_equal(lam_dataset_build(&cfg, table, NULL, NULL, NULL, &given), LAM_OK);
    for (size_t i = 0; i < given->rows[LAM_TRAIN]; i += 5, given->missing[LAM_TRAIN]++) /* a table with such rows is refused */
        given->values[LAM_TRAIN][2 * i] = (double)NAN;
    assert_int_equal(lam_fit(&cfg, given, NULL, &model, NULL), LAM_OK);
    assert_true(model->given.absent && !model->given.any && model->layout.inputs == 2);
    assert_int_equal(lam_log_prob(model, NULL, x, 1, logp, NULL), LAM_OK);
    assert_true(logp[0] == 0); /* nothing is asked */
    assert_int_equal(lam_log_prob(model, NULL, x, 2, logp, NULL), LAM_ERR_DATA);
    assert_non_null(strstr(lam_last_error(), "--any-given"));
    lam_model_free(model);
    lam_dataset_free(given);
    lam_table_free(table);
    lam_config_clear(&cfg);
}

/* What a fit says of its test rows is what scoring says of them, maps, whitening, missing cells and given columns included. */
static void the_test_is_scoring(void **state)
{
    (void)state;
    static const char *const ways[][3] = { { "any-given", "true", "gaussian" }, { "any-given", "true", "none" }, { "given", "2", "gaussian" },
        { "given", "2", "none" } };
    for (size_t i = 0; i < 8; i++) {
        lam_config cfg;
        lam_table *table;
        lam_dataset *holes;
        lam_model *model;
        lam_fit_result r;
        double logp[80], nll = 0;
        size_t rows;
        configure(&cfg);
        set(&cfg, ways[i / 2][0], ways[i / 2][1]);
        set(&cfg, "whiten", ways[i / 2][2]);
        set(&cfg, "map", i % 2 ? "normal-scores:6" : "none");
        set(&cfg, "context-dims", "8");
        set(&cfg, "iterations", "20");
        set(&cfg, "precision", "double");
        set(&cfg, "test-steps", "6");
        assert_int_equal(lam_table_toy("pinwheel", 400, 1, &table), LAM_OK);
        if (cfg.any_given)
            for (size_t k = 0; k < 400; k += 3) /* never both cells of a row */
                table->values[2 * k + k % 2] = (double)NAN;
        assert_int_equal(lam_dataset_build(&cfg, table, NULL, NULL, NULL, &holes), LAM_OK);
        assert_int_equal(lam_fit(&cfg, holes, NULL, &model, &r), LAM_OK);
        const double *x = lam_dataset_rows(holes, LAM_TEST, &rows);
        assert_true(rows <= 80 && r.test_rows == rows);
        assert_int_equal(lam_log_prob(model, &(lam_eval_options) { .units = LAM_UNITS_STANDARDISED, .batch_rows = 7 }, x, rows, logp, NULL), LAM_OK);
        for (size_t k = 0; k < rows; k++)
            nll -= logp[k] / (double)rows;
        if (!(fabs(nll - r.test_nll) < 1e-9))
            fail_msg("way %zu: the test's NLL is %.12g, scoring's %.12g", i, r.test_nll, nll);
        lam_model_free(model);
        lam_dataset_free(holes);
        lam_table_free(table);
        lam_config_clear(&cfg);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(the_same_bits), cmocka_unit_test(roles_drawn), cmocka_unit_test(scores_and_draws),
        cmocka_unit_test(checks), cmocka_unit_test(missing_cells), cmocka_unit_test(the_test_is_scoring) };
    return cmocka_run_group_tests(tests, any_set_up, any_tear_down);
}
