/* What is said of rows beside those of the fit: far outside, already standardised, or nothing. */
#include "base/random.h"
#include "model/model.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { N = 500, D = 2 };
static double x[N * D];

typedef struct heard {
    int lines;
    char text[2048];
} heard;

static void listen_to(void *user, const char *line)
{
    heard *h = user;
    h->lines++;
    snprintf(h->text, sizeof h->text, "%s", line);
}

static heard ask_of(const lam_model *model, lam_units units, size_t n)
{
    const lam_eval_options options = { .units = units };
    heard h = { 0 };
    lam_log log = { listen_to, &h };
    assert_int_equal(lam_rows_advise(model, &options, x, n, &log), LAM_OK);
    assert_int_equal(lam_rows_advise(model, &options, x, n, NULL), LAM_OK);
    return h;
}

static heard ask(const lam_model *model, lam_units units)
{
    return ask_of(model, units, N);
}

static void expect(heard h, int lines, const char *text)
{
    if (h.lines != lines || strstr(h.text, text) == NULL)
        fail_msg("\"%s\" should be in \"%s\"", text, h.text);
}

/* Columns of mean 240 and 0, deviation 3 and 2; training rows from 230 to 250 and -7 to 7. */
static lam_model *make(int with_range)
{
    lam_config cfg;
    lam_model *model;
    const double low[D] = { 230, -7 }, high[D] = { 250, 7 };
    lam_config_init(&cfg);
    assert_int_equal(lam_config_set(&cfg, "dims", "4"), LAM_OK);
    assert_int_equal(lam_model_create(&cfg, D, &model), LAM_OK);
    lam_config_clear(&cfg);
    assert_int_equal(lam_model_name_column(model, 0, "Voltage"), LAM_OK);
    model->mean[0] = 240, model->scale[0] = 3, model->scale[1] = 2;
    model->log_det = -log(6);
    if (with_range)
        assert_int_equal(lam_model_set_range(model, low, high), LAM_OK);
    return model;
}

static void fill(double mean, double scale0, double scale1)
{
    for (size_t i = 0; i < N; i++) {
        lam_random_normal_row(2, LAM_DRAW_TEST, 0, i, x + D * i, D);
        x[D * i] = mean + scale0 * x[D * i];
        x[D * i + 1] *= scale1;
    }
}

static void rows_of_the_fit(void **state)
{
    (void)state;
    for (int range = 0; range < 2; range++) {
        lam_model *model = make(range);
        fill(240, 3, 2);
        expect(ask(model, LAM_UNITS_DATA), 0, "");
        fill(0, 1, 1);
        expect(ask(model, LAM_UNITS_STANDARDISED), 0, "");
        lam_model_free(model);
    }
}

static void rows_far_outside(void **state)
{
    (void)state;
    lam_model *model = make(1), *old = make(0);
    fill(240, 3, 2);
    x[0] = 254.9; /* within a quarter of 20 */
    expect(ask(model, LAM_UNITS_DATA), 0, "");
    x[0] = 255.1;
    expect(ask(model, LAM_UNITS_DATA), 1, "1 of 500 rows lies far outside the range of the training rows, in column Voltage: 255.1, where the "
        "training rows have 230 to 250;");
    expect(ask_of(model, LAM_UNITS_DATA, 1), 1, "the row lies far outside the range of the training rows, in column Voltage: 255.1, where the "
        "training rows have 230 to 250; the model knows nothing there, and what it says is a guess.");
    expect(ask(old, LAM_UNITS_DATA), 0, "");
    x[2] = 100, x[4] = -30, x[5] = 1e6, x[7] = -11;
    expect(ask(model, LAM_UNITS_DATA), 1, "4 of 500 rows lie far outside the range of the training rows, in column "
        "Voltage (3 rows: -30 to 255.1, where the training rows have 230 to 250) and column ");
    expect(ask(old, LAM_UNITS_DATA), 1, "2 of 500 rows lie far outside the range of the training rows, in column Voltage (2 rows: -30 to 100, where "
        "the mean is 240 and the standard deviation 3) and column 2 (1 row: 1000000, where the mean is 0 and the standard deviation 2);");
    fill(0, 1, 1);
    x[0] = 40;
    expect(ask(model, LAM_UNITS_STANDARDISED), 1, "in column Voltage: 40, where");
    x[0] = NAN;
    expect(ask(model, LAM_UNITS_STANDARDISED), 0, "");
    lam_model_free(model), lam_model_free(old);
}

static void rows_already_standardised(void **state)
{
    (void)state;
    lam_model *model = make(1), *old = make(0), *copy;
    fill(0, 1, 1);
    expect(ask(model, LAM_UNITS_DATA), 1, "the rows look standardised already: mean 0 and standard deviation 1 in every column, where the "
        "training rows had 240 and 3 in column Voltage.");
    expect(ask(model, LAM_UNITS_DATA), 1, "--standardised");
    expect(ask(old, LAM_UNITS_DATA), 1, "look standardised");
    assert_int_equal(lam_model_copy(model, &copy), LAM_OK);
    expect(ask(copy, LAM_UNITS_DATA), 1, "look standardised");
    fill(5, 1, 1); /* not standardised, but elsewhere */
    expect(ask(copy, LAM_UNITS_DATA), 1, "500 of 500 rows lie far outside");
    model->mean[0] = 0.2, model->scale[0] = 1.1, model->scale[1] = 0.9; /* a model of such rows */
    assert_int_equal(lam_model_set_range(model, (const double[]){ -4, -4 }, (const double[]){ 4, 4 }), LAM_OK);
    fill(0, 1, 1);
    expect(ask(model, LAM_UNITS_DATA), 0, "");
    lam_model_free(model), lam_model_free(old), lam_model_free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_the_fit),
        cmocka_unit_test(rows_far_outside),
        cmocka_unit_test(rows_already_standardised),
    };
    return cmocka_run_group_tests_name("rows_advise", tests, NULL, NULL);
}
