/* Models of several flows (method.md 18): the mean of their densities, draws, files, folds of the rows, and fits: the same bits however they were
 * run. */
#include "data/dataset.h"
#include "model/model.h"
#include "model/predict.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "fitting.h"
#include "base/random.h"

enum { FLOWS = 3, N = 60, DIM = 3 };

static void assert_ok(lam_status status)
{
    if (status != LAM_OK)
        fail_msg("%s: %s", lam_status_name(status), lam_last_error());
}

/* Flows of one shape with weights of their own; even steps, so that a row does not depend on those beside it. */
static lam_model *make_flow(uint64_t seed, int any)
{
    lam_config cfg;
    lam_model *m;
    char text[24];
    configure(&cfg);
    snprintf(text, sizeof text, "%llu", (unsigned long long)seed);
    set(&cfg, "seed", text);
    set(&cfg, "test-solver", "rk4");
    set(&cfg, "test-steps", "4");
    set(&cfg, "precision", "double");
    if (any)
        set(&cfg, "any-given", "true");
    const unsigned char none[DIM] = { 0 };
    const size_t levels[DIM] = { 0 };
    const lam_given_kind kind = { .is_given = none, .levels = levels, .any = 1 };
    assert_ok(any ? lam_model_create_given(&cfg, DIM, &kind, &m) : lam_model_create(&cfg, DIM, &m));
    for (size_t i = 0; i < m->layout.time; i++)
        m->params[i] *= 3;
    m->log_det = 0;
    for (size_t j = 0; j < DIM; j++) {
        m->mean[j] = 1 + (double)j;
        m->scale[j] = 0.5 + (double)j;
        m->log_det -= log(m->scale[j]);
    }
    lam_config_clear(&cfg);
    return m;
}

static lam_model *make_model(int any)
{
    lam_model *m = make_flow(1, any);
    for (uint64_t k = 1; k < FLOWS; k++)
        assert_ok(lam_model_add_flow(m, make_flow(1 + k, any)));
    assert_int_equal(lam_model_flows(m), FLOWS);
    assert_int_equal(m->config.flows, FLOWS);
    return m;
}

static void make_rows(double x[N * DIM])
{
    for (size_t i = 0; i < N; i++)
        lam_random_normal_row(5, LAM_DRAW_TEST, 0, i, x + i * DIM, DIM);
}

/* ---- densities and draws ------------------------------------------------------------------------------------------ */

static void assert_mean(const lam_model *m, const lam_query *query)
{
    double all[N], each[FLOWS][N];
    lam_counts counts, sum = { 0 };
    assert_ok(lam_conditional_log_prob(m, NULL, query, all, &counts));
    for (size_t k = 0; k < FLOWS; k++) {
        const lam_eval_options of = { .flow = k + 1 };
        lam_counts here;
        assert_ok(lam_conditional_log_prob(m, &of, query, each[k], &here));
        sum.forward += here.forward;
    }
    assert_int_equal(counts.forward, sum.forward);
    double spread = 0;
    for (size_t i = 0; i < N; i++) {
        double density = 0;
        for (size_t k = 0; k < FLOWS; k++)
            density += exp(each[k][i]) / FLOWS;
        assert_true(fabs(all[i] - log(density)) < 1e-12 * (1 + fabs(all[i])));
        spread = fmax(spread, fabs(each[0][i] - each[1][i]));
    }
    assert_true(spread > 0.1); /* they do differ */
}

static void the_density_is_the_mean(void **state)
{
    (void)state;
    double x[N * DIM];
    unsigned char roles[N * DIM];
    make_rows(x);
    lam_model *m = make_model(0);
    assert_mean(m, &(lam_query) { x, N, NULL, 0 });
    const lam_eval_options fourth = { .flow = FLOWS + 1 };
    double logp[N];
    assert_int_equal(lam_log_prob(m, &fourth, x, N, logp, NULL), LAM_ERR_ARGUMENT);
    lam_model_free(m);
    m = make_model(1);
    for (size_t i = 0; i < N * DIM; i++)
        roles[i] = i % DIM == i / DIM % DIM ? LAM_MOVING : i % 2 ? LAM_GIVEN : LAM_ABSENT;
    assert_mean(m, &(lam_query) { x, N, roles, N });
    lam_model_free(m);
}

/* In parts that begin a batch anew, and with log p of the mixture. */
static void a_draw_is_one_of_its_flows(void **state)
{
    (void)state;
    enum { MANY = 600, PART = 200 };
    static double all[MANY * DIM], part[MANY * DIM], each[FLOWS][MANY * DIM], log_p[MANY], wanted[MANY];
    size_t of[FLOWS] = { 0 };
    lam_model *m = make_model(0);
    assert_ok(lam_sample(m, NULL, 9, MANY, all, log_p, NULL));
    assert_ok(lam_log_prob(m, NULL, all, MANY, wanted, NULL));
    assert_memory_equal(log_p, wanted, sizeof log_p);
    for (size_t first = 0; first < MANY; first += PART) {
        const lam_eval_options options = { .batch_rows = 100, .first_row = first, .total_rows = MANY };
        assert_ok(lam_sample(m, &options, 9, PART, part + first * DIM, NULL, NULL));
    }
    assert_memory_equal(all, part, sizeof all);
    for (size_t k = 0; k < FLOWS; k++) {
        const lam_eval_options options = { .flow = k + 1 };
        assert_ok(lam_sample(m, &options, 9, MANY, each[k], NULL, NULL));
    }
    for (size_t i = 0; i < MANY; i++) {
        size_t k = 0;
        while (k < FLOWS && memcmp(all + i * DIM, each[k] + i * DIM, DIM * sizeof(double)) != 0)
            k++;
        assert_true(k < FLOWS);
        of[k]++;
    }
    for (size_t k = 0; k < FLOWS; k++) /* 200 +- 11.5 */
        assert_in_range(of[k], 150, 250);
    lam_model_free(m);
}

static void conditional_draws_too(void **state)
{
    (void)state;
    enum { EACH = 5 };
    static double all[N * EACH * DIM], each[FLOWS][N * EACH * DIM], log_p[N * EACH], wanted[EACH * N];
    static unsigned char roles[N * DIM], expanded[N * EACH * DIM];
    double x[N * DIM];
    size_t from_second = 0;
    make_rows(x);
    for (size_t i = 0; i < N * DIM; i++)
        roles[i] = i % DIM == i / DIM % DIM ? LAM_GIVEN : LAM_MOVING;
    for (size_t i = 0; i < N * EACH; i++)
        memcpy(expanded + i * DIM, roles + i / EACH * DIM, DIM);
    lam_model *m = make_model(1);
    const lam_query query = { x, N, roles, N };
    assert_ok(lam_conditional_sample(m, NULL, 3, &query, EACH, all, log_p, NULL));
    assert_ok(lam_conditional_log_prob(m, NULL, &(lam_query) { all, N * EACH, expanded, N * EACH }, wanted, NULL));
    assert_memory_equal(log_p, wanted, sizeof log_p);
    for (size_t k = 0; k < FLOWS; k++) {
        const lam_eval_options options = { .flow = k + 1 };
        assert_ok(lam_conditional_sample(m, &options, 3, &query, EACH, each[k], NULL, NULL));
    }
    for (size_t i = 0; i < N * EACH; i++) {
        size_t k = 0;
        while (k < FLOWS && memcmp(all + i * DIM, each[k] + i * DIM, DIM * sizeof(double)) != 0)
            k++;
        assert_true(k < FLOWS);
        from_second += k == 1;
        assert_true(all[i * DIM + i / EACH % DIM] == x[i / EACH * DIM + i / EACH % DIM]); /* what is given stays */
    }
    assert_in_range(from_second, 60, 140);
    lam_model_free(m);
}

static void one_flow_has_the_way(void **state)
{
    (void)state;
    double x[N * DIM], z[N * DIM], other[N * DIM];
    make_rows(x);
    lam_model *m = make_model(0), *second = make_flow(2, 0);
    assert_int_equal(lam_encode(m, NULL, x, N, z, NULL), LAM_ERR_ARGUMENT);
    assert_non_null(strstr(lam_last_error(), "--flow 1"));
    assert_int_equal(lam_trajectories(m, NULL, x, 1, 1, NULL, z, NULL), LAM_ERR_ARGUMENT);
    const lam_eval_options options = { .flow = 2 };
    assert_ok(lam_encode(m, &options, x, N, z, NULL));
    assert_ok(lam_encode(second, NULL, x, N, other, NULL));
    assert_memory_equal(z, other, sizeof z);
    lam_model_free(second);
    lam_model_free(m);
}

/* Each flow's round trip is looked at, and the error of log p is the mixture's. */
static void checks_and_tunes(void **state)
{
    (void)state;
    double x[N * DIM], before[N], after[N];
    lam_check_report report;
    lam_setting was, is;
    make_rows(x);
    lam_model *m = make_model(0);
    assert_ok(lam_log_prob(m, NULL, x, N, before, NULL));
    assert_ok(lam_check(m, NULL, x, N, &report));
    double sum = 0;
    for (size_t i = 0; i < N; i++)
        sum += before[i];
    assert_true(fabs(report.nll + sum / N) < 1e-9);
    assert_true(report.round_trip_max > 0 && report.round_trip_max < 0.1);
    assert_ok(lam_model_setting(m, NULL, &was));
    const lam_tune_options options = { .error = 0.05 };
    assert_ok(lam_tune(m, &options, x, N, NULL, 0, NULL));
    assert_ok(lam_model_setting(m, NULL, &is));
    assert_ok(lam_log_prob(m, NULL, x, N, after, NULL));
    for (size_t i = 0; i < N; i++)
        assert_true(fabs(after[i] - before[i]) < 0.3);
    assert_true(strcmp(was.solver, is.solver) != 0 || was.steps != is.steps || was.atol != is.atol);
    assert_mean(m, &(lam_query) { x, N, NULL, 0 }); /* each flow by itself is solved in the chosen way too */
    lam_model_free(m);
}

/* ---- files -------------------------------------------------------------------------------------------------------- */

static void a_file_holds_them_all(void **state)
{
    (void)state;
    double x[N * DIM], a[N], b[N];
    size_t size, again;
    char *file, *other;
    make_rows(x);
    lam_model *m = make_model(1), *read, *copy;
    assert_ok(lam_model_save(m, scratch_path("m.safetensors")));
    assert_ok(lam_model_load(scratch_path("m.safetensors"), NULL, &read));
    assert_int_equal(lam_model_flows(read), FLOWS);
    assert_ok(lam_model_copy(read, &copy));
    assert_ok(lam_log_prob(m, NULL, x, N, a, NULL));
    assert_ok(lam_log_prob(copy, NULL, x, N, b, NULL));
    assert_memory_equal(a, b, sizeof a);
    assert_ok(lam_model_save(copy, scratch_path("again.safetensors")));
    assert_ok(lam_file_read(scratch_path("m.safetensors"), &file, &size));
    assert_ok(lam_file_read(scratch_path("again.safetensors"), &other, &again));
    assert_int_equal(size, again);
    assert_memory_equal(file, other, size);
    /* flow 2 is called otherwise: it is missing */
    char *at = file;
    while (memcmp(at, "\"flow.2\"", 8) != 0)
        at++;
    at[6] = '9';
    lam_model *none;
    assert_int_not_equal(lam_model_load_memory(file, size, "damaged", &none), LAM_OK);
    assert_null(none);
    at[6] = '2';
    assert_ok(lam_model_load_memory(file, size, "whole", &none));
    lam_model_free(none);
    free(file);
    free(other);
    lam_model_free(read);
    lam_model_free(copy);
    lam_model_free(m);
}

static void flows_are_alike(void **state)
{
    (void)state;
    lam_model *m = make_flow(1, 0), *moved = make_flow(2, 0), *several = make_model(0), *any = make_flow(1, 1);
    moved->mean[1] += 1;
    assert_int_equal(lam_model_add_flow(m, moved), LAM_ERR_SHAPE);
    assert_int_equal(lam_model_add_flow(m, several), LAM_ERR_SHAPE);
    assert_int_equal(lam_model_add_flow(m, any), LAM_ERR_SHAPE);
    assert_int_equal(lam_model_flows(m), 1);
    lam_model_free(any);
    lam_model_free(several);
    lam_model_free(moved);
    lam_model_free(m);
}

/* ---- fits --------------------------------------------------------------------------------------------------------- */

/* All rows of training and validation are in every fold, once; validation rows of two folds have none in common. */
static void folds_have_the_same_rows(void **state)
{
    (void)state;
    size_t n_train = data->rows[LAM_TRAIN], n_valid = data->rows[LAM_VALID], dim = data->dim;
    double sum = 0;
    for (size_t i = 0; i < n_train * dim; i++)
        sum += data->values[LAM_TRAIN][i];
    for (size_t i = 0; i < n_valid * dim; i++)
        sum += data->values[LAM_VALID][i];
    for (size_t k = 0; k < 12; k++) {
        lam_dataset fold, next;
        double here = 0;
        assert_ok(lam_dataset_fold(data, k, &fold));
        assert_ok(lam_dataset_fold(data, k + 1, &next));
        assert_int_equal(fold.rows[LAM_TEST], 0);
        for (size_t i = 0; i < n_train * dim; i++)
            here += fold.values[LAM_TRAIN][i];
        for (size_t i = 0; i < n_valid * dim; i++)
            here += fold.values[LAM_VALID][i];
        assert_true(fabs(here - sum) < 1e-9);
        assert_memory_equal(fold.values[LAM_VALID], k == 0 ? data->values[LAM_VALID]
            : data->values[LAM_TRAIN] + (k - 1) % (n_train / n_valid) * n_valid * dim, n_valid * dim * sizeof(double));
        for (size_t i = 0; i < n_valid; i++)
            for (size_t j = 0; j < n_valid; j++)
                assert_true(fold.values[LAM_VALID][i * dim] != next.values[LAM_VALID][j * dim]);
        lam_dataset_fold_clear(&fold);
        lam_dataset_fold_clear(&next);
    }
}

/* A table of validation rows stays what it is; a cell that the test rows alone miss counts for every fold. */
static void folds_of_three_tables(void **state)
{
    (void)state;
    lam_config cfg;
    lam_table *train, *valid, *test;
    lam_dataset *three, fold;
    configure(&cfg);
    set(&cfg, "any-given", "true");
    assert_ok(lam_table_toy("moons", 60, 1, &train));
    assert_ok(lam_table_toy("moons", 20, 2, &valid));
    assert_ok(lam_table_toy("moons", 20, 3, &test));
    test->values[3] = (double)NAN;
    assert_ok(lam_dataset_build(&cfg, train, valid, test, NULL, &three));
    assert_ok(lam_dataset_fold(three, 2, &fold));
    assert_memory_equal(fold.values[LAM_VALID], three->values[LAM_VALID], 40 * sizeof(double));
    assert_memory_equal(fold.values[LAM_TRAIN], three->values[LAM_TRAIN], 120 * sizeof(double));
    assert_true(fold.missing[LAM_TEST] == 1 && fold.missing[LAM_TRAIN] == 0);
    lam_dataset_fold_clear(&fold);
    /* with the same validation rows, flows differ by their seeds */
    lam_model *model;
    set(&cfg, "flows", "2");
    set(&cfg, "context-dims", "4");
    set(&cfg, "iterations", "3");
    assert_ok(lam_fit(&cfg, three, NULL, &model, NULL));
    assert_int_equal(lam_model_flows(model), 2);
    assert_memory_not_equal(model->params, model->others[0]->params, model->layout.parameters * sizeof(double));
    lam_model_free(model);
    lam_dataset_free(three);
    lam_table_free(train), lam_table_free(valid), lam_table_free(test);
    lam_config_clear(&cfg);
}

/* Stopped again and again and gone on with on two threads; the first flow is the model of one flow. */
static void the_same_bits(void **state)
{
    (void)state;
    lam_config cfg;
    lam_fit_result whole, r;
    lam_model *model, *one;
    configure(&cfg);
    assert_ok(lam_fit(&cfg, data, NULL, &one, NULL));
    set(&cfg, "flows", "3");
    fit_into("all", &cfg, (lam_fit_options) { 0 }, LAM_OK, &whole);
    assert_int_equal(whole.flows, FLOWS);
    assert_ok(lam_model_load(run_file("all", "model.safetensors"), NULL, &model));
    assert_int_equal(lam_model_flows(model), FLOWS);
    assert_memory_equal(model->params, one->params, one->layout.parameters * sizeof(double));
    assert_memory_not_equal(model->others[0]->params, one->params, one->layout.parameters * sizeof(double));
    size_t rows;
    const double *test = lam_dataset_rows(data, LAM_TEST, &rows);
    double logp[100], sum = 0;
    const lam_eval_options standardised = { .units = LAM_UNITS_STANDARDISED };
    assert_ok(lam_log_prob(model, &standardised, test, rows, logp, NULL));
    for (size_t i = 0; i < rows; i++)
        sum -= logp[i];
    assert_true(fabs(whole.test_nll - sum / (double)rows) < 1e-12);
    set(&cfg, "threads", "2");
    lam_status status = LAM_ERR_INTERRUPTED;
    size_t rounds = 0;
    for (; status == LAM_ERR_INTERRUPTED; rounds++) {
        watch w = { .stop_after = 9 };
        char folder[512];
        lam_model *so_far;
        snprintf(folder, sizeof folder, "%s", scratch_path("stopped"));
        const lam_fit_options options = { .run_dir = folder, .resume = 1, .progress = watching, .user = &w };
        assert_true(rounds < 30);
        status = lam_fit(&cfg, data, &options, &so_far, &r);
        assert_non_null(so_far);
        lam_model_free(so_far);
        char *lines;
        size_t length;
        assert_int_equal(lam_file_read(run_file("stopped", "metrics.jsonl"), &lines, &length), LAM_OK);
        assert_true((strstr(lines, "\"finished\":true") != NULL) == (status == LAM_OK) && r.finished == (status == LAM_OK));
        free(lines);
    }
    assert_int_equal(status, LAM_OK);
    assert_true(rounds > FLOWS);
    assert_same_model("all", "stopped");
    assert_true(r.test_nll == whole.test_nll && r.best_val_nll == whole.best_val_nll);
    remove_flows("stopped");
    remove_flows("all");
    lam_model_free(model);
    lam_model_free(one);
    lam_config_clear(&cfg);
}

/* By rows, and only where nobody says how long a fit is. */
static void how_many(void **state)
{
    (void)state;
    static const struct { size_t rows; const char *iterations, *limit; size_t flows; } cases[] = { { 2000, "auto", "0", 5 }, { 2000, "auto", "60", 5 },
        { 5000, "auto", "0", 3 }, { 10000, "auto", "0", 1 }, { 2000, "100", "0", 1 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lam_config cfg;
        lam_config_init(&cfg);
        set(&cfg, "iterations", cases[i].iterations);
        set(&cfg, "budget", cases[i].limit);
        assert_ok(lam_config_resolve(&cfg, cases[i].rows, 4));
        assert_int_equal(cfg.flows, cases[i].flows);
        lam_config_clear(&cfg);
    }
}

/* Without time for another flow there is one, and the configuration says so. */
static void a_limit_of_time_has_fewer(void **state)
{
    (void)state;
    lam_config cfg;
    lam_fit_result r;
    char *text;
    size_t size;
    configure(&cfg);
    set(&cfg, "schedule", "cosine");
    set(&cfg, "flows", "3");
    set(&cfg, "max-processor-seconds", "1.0e-9");
    fit_into("short", &cfg, (lam_fit_options) { 0 }, LAM_OK, &r);
    assert_int_equal(r.flows, 1);
    assert_int_equal(lam_file_read(run_file("short", "config.yaml"), &text, &size), LAM_OK);
    assert_non_null(strstr(text, "\nflows: 1\n"));
    free(text);
    remove_flows("short");
    lam_config_clear(&cfg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_density_is_the_mean),
        cmocka_unit_test(a_draw_is_one_of_its_flows),
        cmocka_unit_test(conditional_draws_too),
        cmocka_unit_test(one_flow_has_the_way),
        cmocka_unit_test(checks_and_tunes),
        cmocka_unit_test(a_file_holds_them_all),
        cmocka_unit_test(flows_are_alike),
        cmocka_unit_test(folds_have_the_same_rows),
        cmocka_unit_test(folds_of_three_tables),
        cmocka_unit_test(the_same_bits),
        cmocka_unit_test(how_many),
        cmocka_unit_test(a_limit_of_time_has_fewer),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
