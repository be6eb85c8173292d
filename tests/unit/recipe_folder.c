/* What a recipe leaves in its folder: arrays, recipe.json; what it replaces there and what not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "data/dataset.h"
#include "data/table.h"
#include "scratch.h"
#include "recipes.h"
#include "model/config.h"
#include "laminar/recipe.h"
#include <cjson/cJSON.h>
#include <sys/stat.h>

static lam_status prepare_power(const lam_recipe_options *options, lam_recipe_result *result)
{
    text t = { 0 };
    power_text(&t);
    const char *path = save(&t, "power.txt");
    notes[0] = '\0';
    return lam_recipe_prepare("power", &path, 1, scratch_folder, options, result);
}

static void remove_outputs(void)
{
    unlink(scratch_path("train.npy")), unlink(scratch_path("validation.npy")), unlink(scratch_path("test.npy"));
    unlink(scratch_path("recipe.json"));
}

static const cJSON *item(const cJSON *json, const char *key)
{
    const cJSON *found = cJSON_GetObjectItemCaseSensitive(json, key);
    if (found == NULL)
        fail_msg("recipe.json has no \"%s\"", key);
    return found;
}

/* What is written reads back as the rows of the making, in float; recipe.json says so, and names the model's data hash. */
static void outputs(void **state)
{
    (void)state;
    static const char *const names[3] = { "train.npy", "validation.npy", "test.npy" };
    lam_recipe_options options = { .seed = 9, .log = { note, NULL } };
    lam_recipe_result result;
    lam_recipe_job job;
    lam_table *tables[3];
    lam_dataset *data;
    lam_config cfg;
    WORKS(prepare_power(&options, &result));
    assert_true(result.rows[0] == 33 && result.rows[1] == 3 && result.rows[2] == 4 && result.columns == 6 && result.read == 42);
    assert_false(result.as_published);
    expect_note("33 + 3 + 4 of 6 columns here, 1659917 + 184435 + 204928 of 6 there");
    WORKS(make("power", &options, scratch_path("power.txt"), NULL, &job));
    const double *row = job.table->values;
    for (int part = 0; part < 3; part++) {
        WORKS(lam_table_read(scratch_path(names[part]), NULL, &tables[part]));
        assert_int_equal(tables[part]->rows, result.rows[part]);
        for (size_t i = 0; i < tables[part]->rows * 6; i++)
            assert_true(tables[part]->values[i] == (double)(float)*row++);
    }
    lam_config_init(&cfg);
    WORKS(lam_dataset_build(&cfg, tables[0], tables[1], tables[2], NULL, &data));
    assert_string_equal(data->hash, result.data_hash);

    char *content;
    size_t size;
    FILE *file = fopen(scratch_path("recipe.json"), "rb");
    assert_non_null(file);
    content = calloc(1, 1 << 16);
    size = fread(content, 1, 1 << 16, file);
    fclose(file);
    cJSON *json = cJSON_ParseWithLength(content, size);
    assert_non_null(json);
    assert_string_equal(item(json, "recipe")->valuestring, "power");
    assert_string_equal(item(json, "laminar")->valuestring, lam_version());
    assert_string_equal(item(json, "data_hash")->valuestring, result.data_hash);
    assert_string_equal(item(cJSON_GetArrayItem(item(json, "sources"), 0), "file")->valuestring, "power.txt");
    assert_true(item(json, "seed")->valuedouble == 9 && item(item(json, "rows"), "read")->valuedouble == 42);
    assert_true(item(item(json, "rows_published"), "train")->valuedouble == 1659917);
    assert_string_equal(cJSON_GetArrayItem(item(json, "columns"), 1)->valuestring, "Voltage");
    assert_true(cJSON_GetArrayItem(item(json, "scale"), 5)->valuedouble == job.scale[5]);
    for (int part = 0; part < 3; part++) {
        struct stat info;
        assert_int_equal(stat(scratch_path(names[part]), &info), 0);
        assert_true(item(item(item(json, "files"), names[part]), "bytes")->valuedouble == (double)info.st_size);
        assert_string_equal(item(item(item(json, "files"), names[part]), "hash")->valuestring, tables[part]->hash);
        lam_table_free(tables[part]);
    }
    cJSON_Delete(json);
    free(content);
    lam_dataset_free(data), lam_config_clear(&cfg), lam_recipe_clear(&job);
    remove_outputs();
}

static int stop_at_once(void *user, const char *what, size_t done, size_t total)
{
    (void)user, (void)what, (void)done, (void)total;
    return 1;
}

/* Own files are replaced, others are not; what fails or is stopped leaves them as they were. */
static void overwriting(void **state)
{
    (void)state;
    lam_recipe_options options = { .seed = 1 }, force = { .overwrite = 1 }, stopping = { .progress = stop_at_once };
    lam_recipe_result first, second;
    WORKS(prepare_power(NULL, &first));
    WORKS(prepare_power(&options, &second));
    assert_string_not_equal(first.data_hash, second.data_hash);
    FAILS(prepare_power(&stopping, NULL), LAM_ERR_INTERRUPTED, "nothing was written");
    lam_table *table;
    WORKS(lam_table_read(scratch_path("test.npy"), NULL, &table));
    assert_int_equal(table->rows, 4);
    lam_table_free(table);
    scratch_text("test.npy", "somebody's");
    FAILS(prepare_power(&options, NULL), LAM_ERR_ARGUMENT, "holds a test.npy that is not what a recipe left there");
    remove_outputs();
    scratch_text("recipe.json", "{\"recipes\": []}");
    FAILS(prepare_power(&options, NULL), LAM_ERR_ARGUMENT, "holds a recipe.json");
    WORKS(prepare_power(&force, NULL));
    WORKS(prepare_power(&options, NULL));
    remove_outputs();
    const char *path = scratch_path("power.txt");
    FAILS(lam_recipe_prepare("power", &path, 1, scratch_path("no_folder"), NULL, NULL), LAM_ERR_IO, "is no folder");
    FAILS(lam_recipe_prepare("powder", &path, 1, scratch_folder, NULL, NULL), LAM_ERR_ARGUMENT, "there is no recipe \"powder\"");
    FAILS(lam_recipe_prepare("power", NULL, 1, scratch_folder, NULL, NULL), LAM_ERR_ARGUMENT, "paths is NULL");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(outputs), cmocka_unit_test(overwriting) };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
