/* Pictures of models: every kind is drawn, the same twice and for any number of threads; what is refused; what is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "models.h"
#include "base/file.h"
#include "scratch.h"
#include "laminar/plot.h"

enum { ROWS = 300 };

/* Small pictures: tests look at what is drawn, not at how fine. */
static lam_picture_options small(void)
{
    return (lam_picture_options) { .draws = 400, .points = 50, .paths = 5, .grid = 20 };
}

static lam_table *rows_of(const lam_model *m)
{
    lam_table *table;
    assert_ok(lam_table_create(ROWS, m->layout.field.dim, &table));
    normals(table->values, ROWS, table->cols);
    to_data_units(m, table->values, ROWS);
    return table;
}

static int is_without(void)
{
    lam_model *m = bent_model("4", "concat", "float", 2, 1);
    const lam_picture_model model = { m, "a" };
    lam_picture_options o = small();
    int without = lam_picture_write(&model, 1, NULL, &o, scratch_path("first.png"), NULL) == LAM_ERR_UNSUPPORTED;
    if (without)
        assert_said("libcairo2-dev");
    lam_model_free(m);
    return without;
}

static void expect_bytes(const char *a, const char *b, int same)
{
    char *one, *two;
    size_t n, m;
    assert_ok(lam_file_read(scratch_path(a), &one, &n));
    assert_ok(lam_file_read(scratch_path(b), &two, &m));
    assert_true((n == m && memcmp(one, two, n) == 0) == same);
    free(one);
    free(two);
}

static void every_kind(void **state)
{
    (void)state;
    if (is_without())
        skip();
    for (size_t dim = 1; dim <= 3; dim++) {
        lam_model *m = bent_model("8-8", "concat", "float", dim, 2), *n = bent_model("8-8", "concat", "float", dim, 3);
        const lam_picture_model models[] = { { m, "one" }, { n, "two" } };
        lam_table *data = rows_of(m);
        lam_eval_options eval = { .threads = 1 };
        lam_picture_options o = small();
        lam_picture_report report;
        o.eval = &eval;
        assert_ok(lam_picture_write(models, 2, data, &o, scratch_path("both.svg"), &report));
        assert_int_equal(report.columns, dim);
        assert_non_null(strstr(report.note, "300 rows"));
        assert_ok(lam_picture_write(models, 1, NULL, &o, scratch_path("a.png"), &report));
        assert_non_null(strstr(report.note, "400 draws"));
        eval.threads = 3;
        assert_ok(lam_picture_write(models, 1, NULL, &o, scratch_path("b.png"), NULL));
        expect_bytes("a.png", "b.png", 1);
        lam_table_free(data);
        lam_model_free(m);
        lam_model_free(n);
    }
}

static void choices(void **state)
{
    (void)state;
    if (is_without())
        skip();
    lam_model *m = bent_model("8-8", "concat", "float", 3, 2), *flat = bent_model("8-8", "concat", "float", 2, 2);
    const lam_picture_model model = { m, "three" }, two = { flat, "two" };
    const size_t one[] = { 2 }, last[] = { 2, 0 };
    lam_picture_options o = small();
    lam_picture_report report;
    o.columns = one;
    o.n_columns = 1;
    assert_ok(lam_picture_write(&model, 1, NULL, &o, scratch_path("a.svg"), &report));
    assert_non_null(strstr(report.note, "1 of 3 columns"));
    o.columns = last;
    o.n_columns = 2;
    assert_ok(lam_picture_write(&model, 1, NULL, &o, scratch_path("a.pdf"), &report));
    assert_non_null(strstr(report.note, "2 of 3 columns"));
    assert_non_null(strstr(report.note, "50 of 400 draws as points"));
    o = small();
    o.panels = LAM_PICTURE_PATHS;
    assert_ok(lam_picture_write(&two, 1, NULL, &o, scratch_path("b.png"), NULL));
    o.seed = 1;
    assert_ok(lam_picture_write(&two, 1, NULL, &o, scratch_path("a.png"), &report));
    assert_null(strstr(report.note, "Density"));
    assert_non_null(strstr(report.note, "Paths of 5 draws"));
    expect_bytes("a.png", "b.png", 0); /* other draws */
    o.dark = 1;
    for (int scale = LAM_PICTURE_AUTO; scale <= LAM_PICTURE_LOG; scale++) {
        static const char *const names[] = { "auto.png", "linear.png", "log.png" };
        o.panels = LAM_PICTURE_DENSITY;
        o.scale = (lam_picture_scale)scale;
        assert_ok(lam_picture_write(&two, 1, NULL, &o, scratch_path(names[scale]), NULL));
    }
    expect_bytes("auto.png", "linear.png", 1); /* nothing thin about it */
    expect_bytes("auto.png", "log.png", 0);
    lam_model_free(m);
    lam_model_free(flat);
}

/* Data in one place, or with a row a million times further out than the others: still a picture, which says what it leaves out. */
static void odd_data(void **state)
{
    (void)state;
    if (is_without())
        skip();
    for (size_t dim = 1; dim <= 3; dim++) {
        lam_model *m = bent_model("8-8", "concat", "float", dim, 2);
        const lam_picture_model model = { m, "m" };
        lam_picture_options o = small();
        lam_picture_report report;
        lam_table *data = rows_of(m);
        data->values[dim] = 1e6;
        assert_ok(lam_picture_write(&model, 1, data, &o, scratch_path("far.svg"), &report));
        assert_non_null(strstr(report.note, dim == 1 ? "1 of them outside" : "1 row lies outside"));
        for (size_t i = 0; i < ROWS * dim; i++)
            data->values[i] = 2.5;
        assert_ok(lam_picture_write(&model, 1, data, &o, scratch_path("same.svg"), &report));
        data->rows = 1;
        assert_ok(lam_picture_write(&model, 1, data, &o, scratch_path("row.svg"), &report));
        lam_table_free(data);
        lam_model_free(m);
    }
}

/* A field that grows as the square takes rows in the corners of the frame to infinity, but not the data, which is a cross: the map
 * has holes there, and says so. */
static void unsolved_places(void **state)
{
    (void)state;
    if (is_without())
        skip();
    lam_config cfg;
    lam_model *m;
    lam_table *data;
    configure(&cfg, "dims", "4", "layer", "concat", "nonlinearity", "square", "seed", "5", "max-steps", "40", "test-atol", "1e-5",
        "test-rtol", "1e-5", NULL);
    assert_ok(lam_model_create(&cfg, 2, &m));
    const lam_picture_model model = { m, "m" };
    lam_picture_options o = small();
    lam_picture_report report;
    assert_ok(lam_table_create(ROWS, 2, &data));
    for (size_t i = 0; i < ROWS; i++)
        data->values[2 * i + i % 2] = 12 * ((double)i / ROWS - 0.5);
    o.panels = LAM_PICTURE_DENSITY;
    assert_ok(lam_picture_write(&model, 1, data, &o, scratch_path("holes.svg"), &report));
    assert_non_null(strstr(report.note, "The solver gave up at 100 places, left empty.")); /* in pieces of 50 of the 400 */
    lam_table_free(data);
    lam_model_free(m);
    lam_config_clear(&cfg);
}

static int stop(void *user, size_t done, size_t total)
{
    size_t *calls = user;
    assert_true(done <= total);
    return ++*calls == 3;
}

static void refused(void **state)
{
    (void)state;
    if (is_without())
        skip();
    lam_model *m = bent_model("4", "concat", "float", 3, 1), *n = bent_model("4", "concat", "float", 2, 1);
    const lam_picture_model models[] = { { m, "three" }, { n, "two" } }, nameless = { m, NULL }, odd = { m, "\xff" };
    const size_t twice[] = { 1, 1 }, past[] = { 3 };
    lam_picture_options o = small();
    const char *path = scratch_path("no.png");
    assert_int_equal(lam_picture_write(models, 0, NULL, &o, path, NULL), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_picture_write(models, 7, NULL, &o, path, NULL), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_picture_write(models, 2, NULL, &o, path, NULL), LAM_ERR_SHAPE);
    assert_said("three has 3 columns, two has 2");
    assert_int_equal(lam_picture_write(&nameless, 1, NULL, &o, path, NULL), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_picture_write(&odd, 1, NULL, &o, path, NULL), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_picture_write(models, 1, NULL, &o, "no.gif", NULL), LAM_ERR_ARGUMENT);
    o.columns = twice;
    o.n_columns = 2;
    assert_int_equal(lam_picture_write(models, 1, NULL, &o, path, NULL), LAM_ERR_ARGUMENT);
    assert_said("twice");
    o.columns = past;
    o.n_columns = 1;
    assert_int_equal(lam_picture_write(models, 1, NULL, &o, path, NULL), LAM_ERR_ARGUMENT);
    o.n_columns = 0;
    assert_int_equal(lam_picture_write(models, 1, NULL, &o, path, NULL), LAM_ERR_ARGUMENT);
    o = small();
    o.grid = 1;
    assert_int_equal(lam_picture_write(models, 1, NULL, &o, path, NULL), LAM_ERR_ARGUMENT);
    assert_said("grid");
    o = small();
    o.panels = 8;
    assert_int_equal(lam_picture_write(models, 1, NULL, &o, path, NULL), LAM_ERR_ARGUMENT);
    o = small();
    lam_table *data = rows_of(m);
    assert_int_equal(lam_picture_write(&models[1], 1, data, &o, path, NULL), LAM_ERR_SHAPE);
    data->values[4] = NAN;
    assert_int_equal(lam_picture_write(models, 1, data, &o, path, NULL), LAM_ERR_DATA);
    assert_said("row 2, column 2");
    data->rows = 0;
    assert_int_equal(lam_picture_write(models, 1, data, &o, path, NULL), LAM_ERR_DATA);
    size_t calls = 0;
    lam_eval_options eval = { .batch_rows = 100, .progress = stop, .user = &calls };
    o.eval = &eval;
    assert_int_equal(lam_picture_write(models, 1, NULL, &o, path, NULL), LAM_ERR_INTERRUPTED);
    assert_int_equal(calls, 3);
    assert_int_equal(access(path, F_OK), -1);
    lam_table_free(data);
    lam_model_free(m);
    lam_model_free(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind),
        cmocka_unit_test(choices),
        cmocka_unit_test(odd_data),
        cmocka_unit_test(unsolved_places),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests_name("picture", tests, scratch_open, scratch_close);
}
