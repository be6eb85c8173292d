/* A split in a folder leads back to the rows of the file that it is from. */
#include "data/dataset.h"
#include "data/npy.h"
#include <cjson/cJSON.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "scratch.h"
#include "model/config.h"

enum { ROWS = 60 };

/* Row i holds i and a number of its own; every seventh has a missing cell, every tenth is the one before it once more. */
static int is_bad(size_t i) { return i % 7 == 3; }
static size_t what(size_t i) { return i % 10 == 9 ? i - 1 : i; }
static double second(size_t i) { return 0.25 * (double)((i * 37) % 101); }

static const char *write_file(void)
{
    static char text[8192];
    size_t used = (size_t)snprintf(text, sizeof text, "a,b\n");
    for (size_t i = 0; i < ROWS; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, is_bad(i) ? "%zu,NA\n" : "%zu,%g\n", what(i), second(what(i)));
    return scratch_text("data.csv", text);
}

static cJSON *read_json(void)
{
    char text[16384] = { 0 };
    FILE *f = fopen(scratch_path("split.json"), "rb");
    assert_non_null(f);
    assert_true(fread(text, 1, sizeof text - 1, f) > 0);
    fclose(f);
    cJSON *json = cJSON_Parse(text);
    assert_non_null(json);
    return json;
}

static double number(const cJSON *json, const char *list, int at)
{
    return cJSON_GetArrayItem(cJSON_GetObjectItem(json, list), at)->valuedouble;
}

static void rows_lead_back(void **state)
{
    (void)state;
    const char *path = write_file(), *files[3] = { path };
    static const char *const parts[] = { "train", "valid", "test" };
    const lam_read_options options = { .drop_bad_rows = 1, .drop_duplicates = 1 };
    lam_config cfg = { .val_fraction = 0.1, .test_fraction = 0.2, .split_seed = 5, .standardise = 1 };
    lam_table *table;
    lam_dataset *data;
    assert_int_equal(lam_table_read(path, &options, &table), LAM_OK);
    assert_true(table->bad_rows == 9 && table->duplicates == 4); /* of the pairs (8, 9), (18, 19), ... (38, 39) and (58, 59) have a bad row */
    assert_int_equal(lam_dataset_build(&cfg, table, NULL, NULL, NULL, &data), LAM_OK);
    lam_table_free(table);
    assert_int_equal(lam_dataset_write(data, scratch_folder, files), LAM_OK);
    cJSON *json = read_json();
    int seen[ROWS] = { 0 };
    for (int part = 0; part < 3; part++) {
        char name[32];
        lam_array z, rows;
        snprintf(name, sizeof name, "%s.npy", parts[part]);
        assert_int_equal(lam_npy_read(scratch_path(name), &z), LAM_OK);
        const cJSON *entry = cJSON_GetObjectItem(cJSON_GetObjectItem(json, "files"), name);
        assert_string_equal(cJSON_GetObjectItem(entry, "from")->valuestring, path);
        snprintf(name, sizeof name, "%s_rows.npy", parts[part]);
        assert_string_equal(cJSON_GetObjectItem(entry, "row_numbers")->valuestring, name);
        assert_int_equal(lam_npy_read(scratch_path(name), &rows), LAM_OK);
        assert_true(rows.n_shape == 1 && z.n_shape == 2 && z.shape[0] == rows.size && rows.size == data->rows[part]);
        for (size_t i = 0; i < rows.size; i++) {
            size_t row = (size_t)rows.values[i];
            assert_true(row < ROWS && !is_bad(row) && seen[row]++ == 0 && (row == what(row) || row == 39)); /* 38 is bad */
            double a = number(json, "mean", 0) + number(json, "scale", 0) * z.values[2 * i];
            double b = number(json, "mean", 1) + number(json, "scale", 1) * z.values[2 * i + 1];
            assert_true(fabs(a - (double)what(row)) < 1e-9 && fabs(b - second(what(row))) < 1e-9);
        }
        lam_array_clear(&z), lam_array_clear(&rows);
    }
    assert_string_equal(cJSON_GetArrayItem(cJSON_GetObjectItem(json, "columns"), 1)->valuestring, "b");
    assert_non_null(strstr(cJSON_GetObjectItem(json, "units")->valuestring, "standardised"));
    cJSON_Delete(json);
    lam_dataset_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(rows_lead_back, scratch_open, scratch_close) };
    return cmocka_run_group_tests_name("split_write", tests, NULL, NULL);
}
