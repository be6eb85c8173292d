/* Every public function is called with NULL in place of each of its pointers. Which pointers there are, the headers themselves say: the test
 * fails where one of them stands in no line here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "laminar.h"
#include "laminar/vae.h"
#include "laminar/plot.h"
#include "laminar/experiment.h"
#include "laminar/measure.h"
#include "laminar/recipe.h"

/* What the other pointers point to: they are not looked at before all of them are known to be there. */
static max_align_t room[4096];

typedef enum kind { NEEDED, ANSWERED, TAKEN, OPTIONAL } kind;
typedef struct argument {
    const char *function, *name;
    int seen; /* in the header */
} argument;

/* X(kind, function, argument, call). NEEDED: LAM_ERR_ARGUMENT, and the text names it. ANSWERED: 0 or NULL. TAKEN: nothing happens.
 * OPTIONAL: what NULL means there, the header says, and other tests call it so. */
#define LIST(X) \
    X(OPTIONAL, lam_config_create, "settings", 0) \
    X(NEEDED, lam_config_create, "out", lam_config_create(any, NULL)) \
    X(TAKEN, lam_config_free, "cfg", lam_config_free(NULL)) \
    X(NEEDED, lam_config_copy, "dst", lam_config_copy(NULL, any)) \
    X(NEEDED, lam_config_copy, "src", lam_config_copy(any, NULL)) \
    X(NEEDED, lam_config_set, "cfg", lam_config_set(NULL, any, any)) \
    X(NEEDED, lam_config_set, "name", lam_config_set(any, NULL, any)) \
    X(NEEDED, lam_config_set, "value", lam_config_set(any, any, NULL)) \
    X(NEEDED, lam_config_get, "cfg", lam_config_get(NULL, any, any, 1)) \
    X(NEEDED, lam_config_get, "name", lam_config_get(any, NULL, any, 1)) \
    X(NEEDED, lam_config_get, "value", lam_config_get(any, any, NULL, 1)) \
    X(TAKEN, lam_config_number, "cfg", (void)lam_config_number(NULL, any)) \
    X(TAKEN, lam_config_number, "name", (void)lam_config_number(any, NULL)) \
    X(ANSWERED, lam_config_is, "cfg", lam_config_is(NULL, any, any)) \
    X(ANSWERED, lam_config_is, "name", lam_config_is(any, NULL, any)) \
    X(ANSWERED, lam_config_is, "value", lam_config_is(any, any, NULL)) \
    X(ANSWERED, lam_config_names, "cfg", lam_config_names(NULL, any).item) \
    X(ANSWERED, lam_config_names, "name", lam_config_names(any, NULL).item) \
    X(ANSWERED, lam_config_kind, "cfg", lam_config_kind(NULL)) \
    X(ANSWERED, lam_config_read_options, "cfg", lam_config_read_options(NULL).columns.item) \
    X(NEEDED, lam_config_load, "cfg", lam_config_load(NULL, any)) \
    X(NEEDED, lam_config_load, "yaml_path", lam_config_load(any, NULL)) \
    X(NEEDED, lam_config_save, "cfg", lam_config_save(NULL, any)) \
    X(NEEDED, lam_config_save, "yaml_path", lam_config_save(any, NULL)) \
    X(NEEDED, lam_config_load_preset, "cfg", lam_config_load_preset(NULL, any)) \
    X(NEEDED, lam_config_load_preset, "name", lam_config_load_preset(any, NULL)) \
    X(NEEDED, lam_config_check, "cfg", lam_config_check(NULL)) \
    X(NEEDED, lam_config_resolve, "cfg", lam_config_resolve(NULL, 100, 2)) \
    X(NEEDED, lam_config_choose, "cfg", lam_config_choose(NULL, any)) \
    X(NEEDED, lam_config_choose, "data", lam_config_choose(any, NULL)) \
    X(TAKEN, lam_config_penalties, "cfg", lam_config_penalties(NULL, any)) \
    X(TAKEN, lam_config_penalties, "text", lam_config_penalties(NULL, NULL)) \
    X(TAKEN, lam_config_setting, "cfg", lam_config_setting(NULL)) \
    X(ANSWERED, lam_parameter_idle, "cfg", lam_parameter_idle(1, NULL)) \
    X(ANSWERED, lam_parameter_find, "name", lam_parameter_find(NULL)) \
    X(ANSWERED, lam_parameter_nearest, "name", lam_parameter_nearest(NULL)) \
    X(OPTIONAL, lam_name_distance, "a", 0) \
    X(OPTIONAL, lam_name_distance, "b", 0) \
    X(NEEDED, lam_table_read, "path", lam_table_read(NULL, any, any)) \
    X(OPTIONAL, lam_table_read, "options", 0) \
    X(NEEDED, lam_table_read, "out", lam_table_read(any, any, NULL)) \
    X(ANSWERED, lam_table_wanted, "table", lam_table_wanted(NULL).names.item) \
    X(NEEDED, lam_columns_choose, "where", lam_columns_choose(NULL, any, 1, any, any, any)) \
    X(OPTIONAL, lam_columns_choose, "names", 0) \
    X(OPTIONAL, lam_columns_choose, "options", 0) \
    X(NEEDED, lam_columns_choose, "kept", lam_columns_choose(any, any, 1, any, NULL, any)) \
    X(NEEDED, lam_columns_choose, "n_kept", lam_columns_choose(any, any, 1, any, any, NULL)) \
    X(NEEDED, lam_table_read_rows, "cfg", lam_table_read_rows(NULL, any, any, any)) \
    X(NEEDED, lam_table_read_rows, "path", lam_table_read_rows(any, NULL, any, any)) \
    X(OPTIONAL, lam_table_read_rows, "first", 0) \
    X(NEEDED, lam_table_read_rows, "out", lam_table_read_rows(any, any, any, NULL)) \
    X(NEEDED, lam_table_map_rows, "cfg", lam_table_map_rows(NULL, any, any, any, any)) \
    X(NEEDED, lam_table_map_rows, "path", lam_table_map_rows(any, NULL, any, any, any)) \
    X(OPTIONAL, lam_table_map_rows, "first", 0) \
    X(OPTIONAL, lam_table_map_rows, "place", 0) \
    X(NEEDED, lam_table_map_rows, "out", lam_table_map_rows(any, any, any, any, NULL)) \
    X(NEEDED, lam_table_toy, "name", lam_table_toy(NULL, 1, 1, any)) \
    X(NEEDED, lam_table_toy, "out", lam_table_toy(any, 1, 1, NULL)) \
    X(NEEDED, lam_table_create, "out", lam_table_create(1, 1, NULL)) \
    X(NEEDED, lam_table_rename, "table", lam_table_rename(NULL, 1, any)) \
    X(NEEDED, lam_table_rename, "name", lam_table_rename(any, 1, NULL)) \
    X(NEEDED, lam_table_set_levels, "table", lam_table_set_levels(NULL, 1, any)) \
    X(NEEDED, lam_table_set_levels, "levels", lam_table_set_levels(any, 1, NULL)) \
    X(NEEDED, lam_table_write, "table", lam_table_write(NULL, any)) \
    X(NEEDED, lam_table_write, "path", lam_table_write(any, NULL)) \
    X(NEEDED, lam_table_write_to, "table", lam_table_write_to(NULL, 1)) \
    X(NEEDED, lam_reader_open, "path", lam_reader_open(NULL, any, any)) \
    X(OPTIONAL, lam_reader_open, "options", 0) \
    X(NEEDED, lam_reader_open, "out", lam_reader_open(any, any, NULL)) \
    X(NEEDED, lam_reader_open_at, "path", lam_reader_open_at(NULL, any, any, any)) \
    X(OPTIONAL, lam_reader_open_at, "options", 0) \
    X(OPTIONAL, lam_reader_open_at, "place", 0) \
    X(NEEDED, lam_reader_open_at, "out", lam_reader_open_at(any, any, any, NULL)) \
    X(NEEDED, lam_reader_reopen, "reader", lam_reader_reopen(NULL, any)) \
    X(OPTIONAL, lam_reader_reopen, "options", 0) \
    X(NEEDED, lam_reader_next, "reader", lam_reader_next(NULL, 1, any)) \
    X(NEEDED, lam_reader_next, "out", lam_reader_next(any, 1, NULL)) \
    X(NEEDED, lam_reader_rewind, "reader", lam_reader_rewind(NULL)) \
    X(TAKEN, lam_reader_free, "reader", lam_reader_free(NULL)) \
    X(OPTIONAL, lam_writer_open, "path", 0) \
    X(NEEDED, lam_writer_open, "like", lam_writer_open(any, 1, NULL, 1, any)) \
    X(NEEDED, lam_writer_open, "out", lam_writer_open(any, 1, any, 1, NULL)) \
    X(NEEDED, lam_writer_leave_empty, "writer", lam_writer_leave_empty(NULL)) \
    X(NEEDED, lam_writer_put, "writer", lam_writer_put(NULL, any, 1)) \
    X(NEEDED, lam_writer_put, "values", lam_writer_put(any, NULL, 1)) \
    X(NEEDED, lam_writer_commit, "writer", lam_writer_commit(NULL)) \
    X(TAKEN, lam_writer_abandon, "writer", lam_writer_abandon(NULL)) \
    X(TAKEN, lam_table_free, "table", lam_table_free(NULL)) \
    X(NEEDED, lam_dataset_build, "cfg", lam_dataset_build(NULL, any, any, any, any, any)) \
    X(NEEDED, lam_dataset_build, "all", lam_dataset_build(any, NULL, any, any, any, any)) \
    X(OPTIONAL, lam_dataset_build, "valid", 0) \
    X(OPTIONAL, lam_dataset_build, "test", 0) \
    X(OPTIONAL, lam_dataset_build, "log", 0) \
    X(NEEDED, lam_dataset_build, "out", lam_dataset_build(any, any, any, any, any, NULL)) \
    X(NEEDED, lam_dataset_write, "data", lam_dataset_write(NULL, any, any)) \
    X(NEEDED, lam_dataset_write, "folder", lam_dataset_write(any, NULL, any)) \
    X(NEEDED, lam_dataset_write, "files", lam_dataset_write(any, any, NULL)) \
    X(NEEDED, lam_advice_create, "model", lam_advice_create(NULL, any, any)) \
    X(OPTIONAL, lam_advice_create, "options", 0) \
    X(NEEDED, lam_advice_create, "out", lam_advice_create(any, any, NULL)) \
    X(NEEDED, lam_advice_add, "advice", lam_advice_add(NULL, any, 1)) \
    X(NEEDED, lam_advice_add, "x", lam_advice_add(any, NULL, 1)) \
    X(NEEDED, lam_advice_say, "advice", lam_advice_say(NULL, any)) \
    X(OPTIONAL, lam_advice_say, "log", 0) \
    X(TAKEN, lam_advice_free, "advice", lam_advice_free(NULL)) \
    X(NEEDED, lam_rows_advise, "model", lam_rows_advise(NULL, any, any, 1, any)) \
    X(NEEDED, lam_rows_advise, "x", lam_rows_advise(any, any, NULL, 1, any)) \
    X(OPTIONAL, lam_rows_advise, "options", 0) \
    X(OPTIONAL, lam_rows_advise, "log", 0) \
    X(ANSWERED, lam_dataset_dim, "data", lam_dataset_dim(NULL)) \
    X(ANSWERED, lam_dataset_rows, "data", lam_dataset_rows(NULL, 0, any)) \
    X(TAKEN, lam_dataset_rows, "rows", (void)lam_dataset_rows(NULL, 0, NULL)) \
    X(ANSWERED, lam_dataset_hash, "data", lam_dataset_hash(NULL)) \
    X(TAKEN, lam_dataset_free, "data", lam_dataset_free(NULL)) \
    X(NEEDED, lam_recipe_prepare, "name", lam_recipe_prepare(NULL, any, 1, any, any, any)) \
    X(NEEDED, lam_recipe_prepare, "paths", lam_recipe_prepare(any, NULL, 1, any, any, any)) \
    X(NEEDED, lam_recipe_prepare, "folder", lam_recipe_prepare(any, any, 1, NULL, any, any)) \
    X(OPTIONAL, lam_recipe_prepare, "options", 0) \
    X(OPTIONAL, lam_recipe_prepare, "result", 0) \
    X(NEEDED, lam_model_load, "path", lam_model_load(NULL, any, any)) \
    X(OPTIONAL, lam_model_load, "config", 0) \
    X(NEEDED, lam_model_load, "out", lam_model_load(any, any, NULL)) \
    X(NEEDED, lam_model_save, "model", lam_model_save(NULL, any)) \
    X(NEEDED, lam_model_save, "path", lam_model_save(any, NULL)) \
    X(NEEDED, lam_model_file_kind, "path", lam_model_file_kind(NULL, any)) \
    X(NEEDED, lam_model_file_kind, "kind", lam_model_file_kind(any, NULL)) \
    X(TAKEN, lam_model_free, "model", lam_model_free(NULL)) \
    X(ANSWERED, lam_model_dim, "model", lam_model_dim(NULL)) \
    X(ANSWERED, lam_model_parameter_count, "model", lam_model_parameter_count(NULL)) \
    X(ANSWERED, lam_model_config, "model", lam_model_config(NULL)) \
    X(ANSWERED, lam_model_column, "model", lam_model_column(NULL, 1)) \
    X(ANSWERED, lam_model_has_names, "model", lam_model_has_names(NULL)) \
    X(ANSWERED, lam_model_wanted, "model", lam_model_wanted(NULL).names.item) \
    X(ANSWERED, lam_model_prefix, "model", lam_model_prefix(NULL)) \
    X(ANSWERED, lam_model_levels, "model", lam_model_levels(NULL, 0).n) \
    X(NEEDED, lam_model_roles, "model", lam_model_roles(NULL, any, any, LAM_MOVING, any)) \
    X(OPTIONAL, lam_model_roles, "of", 0) \
    X(OPTIONAL, lam_model_roles, "given", 0) \
    X(NEEDED, lam_model_roles, "roles", lam_model_roles(any, any, any, LAM_MOVING, NULL)) \
    X(NEEDED, lam_roles_of_rows, "model", lam_roles_of_rows(NULL, any, 0, any, 1, any)) \
    X(NEEDED, lam_roles_of_rows, "roles", lam_roles_of_rows(any, NULL, 0, any, 1, any)) \
    X(NEEDED, lam_roles_of_rows, "x", lam_roles_of_rows(any, any, 0, NULL, 1, any)) \
    X(NEEDED, lam_roles_of_rows, "out", lam_roles_of_rows(any, any, 0, any, 1, NULL)) \
    X(NEEDED, lam_predict, "model", lam_predict(NULL, NULL, &(lam_query){ any, 1, NULL, 0 }, any, NULL, NULL)) \
    X(OPTIONAL, lam_predict, "options", 0) \
    X(NEEDED, lam_predict, "query", lam_predict(any, NULL, NULL, any, NULL, NULL)) \
    X(NEEDED, lam_predict, "values", lam_predict(any, NULL, &(lam_query){ any, 1, NULL, 0 }, NULL, NULL, NULL)) \
    X(OPTIONAL, lam_predict, "errors", 0) \
    X(OPTIONAL, lam_predict, "report", 0) \
    X(NEEDED, lam_calibrate, "model", lam_calibrate(NULL, NULL, 0, &(lam_query){ any, 1, NULL, 0 }, 1, any)) \
    X(OPTIONAL, lam_calibrate, "options", 0) \
    X(NEEDED, lam_calibrate, "query", lam_calibrate(any, NULL, 0, NULL, 1, any)) \
    X(NEEDED, lam_calibrate, "out", lam_calibrate(any, NULL, 0, &(lam_query){ any, 1, NULL, 0 }, 1, NULL)) \
    X(ANSWERED, lam_model_role, "model", lam_model_role(NULL, 0)) \
    X(ANSWERED, lam_model_any_given, "model", lam_model_any_given(NULL)) \
    X(ANSWERED, lam_model_takes_missing, "model", lam_model_takes_missing(NULL)) \
    X(ANSWERED, lam_model_given_count, "model", lam_model_given_count(NULL)) \
    X(ANSWERED, lam_model_data_hash, "model", lam_model_data_hash(NULL)) \
    X(TAKEN, lam_model_standardiser, "model", lam_model_standardiser(NULL, any, any, any)) \
    X(TAKEN, lam_model_standardiser, "mean", lam_model_standardiser(NULL, NULL, any, any)) \
    X(TAKEN, lam_model_standardiser, "scale", lam_model_standardiser(NULL, any, NULL, any)) \
    X(TAKEN, lam_model_standardiser, "log_det", lam_model_standardiser(NULL, any, any, NULL)) \
    X(ANSWERED, lam_model_base_scale, "model", lam_model_base_scale(NULL) > 0) \
    X(ANSWERED, lam_model_flows, "model", lam_model_flows(NULL)) \
    X(ANSWERED, lam_model_map_knots, "model", lam_model_map_knots(NULL, 1)) \
    X(ANSWERED, lam_model_tensor, "model", lam_model_tensor(NULL, 1, any, any)) \
    X(TAKEN, lam_model_tensor, "shape", (void)lam_model_tensor(NULL, 1, NULL, any)) \
    X(TAKEN, lam_model_tensor, "n_shape", (void)lam_model_tensor(NULL, 1, any, NULL)) \
    X(NEEDED, lam_model_setting, "model", lam_model_setting(NULL, any, any)) \
    X(OPTIONAL, lam_model_setting, "options", 0) \
    X(NEEDED, lam_model_setting, "setting", lam_model_setting(any, any, NULL)) \
    X(ANSWERED, lam_model_tuning, "model", lam_model_tuning(NULL, any)) \
    X(TAKEN, lam_model_tuning, "tuning", (void)lam_model_tuning(NULL, NULL)) \
    X(TAKEN, lam_model_untune, "model", lam_model_untune(NULL)) \
    X(NEEDED, lam_log_prob, "model", lam_log_prob(NULL, any, any, 1, any, any)) \
    X(OPTIONAL, lam_log_prob, "options", 0) \
    X(NEEDED, lam_log_prob, "x", lam_log_prob(any, any, NULL, 1, any, any)) \
    X(NEEDED, lam_log_prob, "logp", lam_log_prob(any, any, any, 1, NULL, any)) \
    X(OPTIONAL, lam_log_prob, "counts", 0) \
    X(NEEDED, lam_conditional_log_prob, "model", lam_conditional_log_prob(NULL, any, &(lam_query){ any, 1, any, 1 }, any, any)) \
    X(OPTIONAL, lam_conditional_log_prob, "options", 0) \
    X(NEEDED, lam_conditional_log_prob, "query", lam_conditional_log_prob(any, any, NULL, any, any)) \
    X(NEEDED, lam_conditional_log_prob, "logp", lam_conditional_log_prob(any, any, &(lam_query){ any, 1, any, 1 }, NULL, any)) \
    X(OPTIONAL, lam_conditional_log_prob, "counts", 0) \
    X(NEEDED, lam_conditional_sample, "model", lam_conditional_sample(NULL, any, 1, &(lam_query){ any, 1, any, 1 }, 1, any, any, any)) \
    X(OPTIONAL, lam_conditional_sample, "options", 0) \
    X(NEEDED, lam_conditional_sample, "query", lam_conditional_sample(any, any, 1, NULL, 1, any, any, any)) \
    X(NEEDED, lam_conditional_sample, "out", lam_conditional_sample(any, any, 1, &(lam_query){ any, 1, any, 1 }, 1, NULL, any, any)) \
    X(OPTIONAL, lam_conditional_sample, "logp", 0) \
    X(OPTIONAL, lam_conditional_sample, "counts", 0) \
    X(NEEDED, lam_sample, "model", lam_sample(NULL, any, 1, 1, any, any, any)) \
    X(OPTIONAL, lam_sample, "options", 0) \
    X(NEEDED, lam_sample, "x", lam_sample(any, any, 1, 1, NULL, any, any)) \
    X(OPTIONAL, lam_sample, "logp", 0) \
    X(OPTIONAL, lam_sample, "counts", 0) \
    X(NEEDED, lam_encode, "model", lam_encode(NULL, any, any, 1, any, any)) \
    X(OPTIONAL, lam_encode, "options", 0) \
    X(NEEDED, lam_encode, "x", lam_encode(any, any, NULL, 1, any, any)) \
    X(NEEDED, lam_encode, "z", lam_encode(any, any, any, 1, NULL, any)) \
    X(OPTIONAL, lam_encode, "counts", 0) \
    X(NEEDED, lam_decode, "model", lam_decode(NULL, any, any, 1, any, any)) \
    X(OPTIONAL, lam_decode, "options", 0) \
    X(NEEDED, lam_decode, "z", lam_decode(any, any, NULL, 1, any, any)) \
    X(NEEDED, lam_decode, "x", lam_decode(any, any, any, 1, NULL, any)) \
    X(OPTIONAL, lam_decode, "counts", 0) \
    X(NEEDED, lam_trajectories, "model", lam_trajectories(NULL, any, any, 1, 1, any, any, any)) \
    X(OPTIONAL, lam_trajectories, "options", 0) \
    X(NEEDED, lam_trajectories, "x", lam_trajectories(any, any, NULL, 1, 1, any, any, any)) \
    X(OPTIONAL, lam_trajectories, "t", 0) \
    X(NEEDED, lam_trajectories, "states", lam_trajectories(any, any, any, 1, 1, any, NULL, any)) \
    X(OPTIONAL, lam_trajectories, "counts", 0) \
    X(NEEDED, lam_check, "model", lam_check(NULL, any, any, 1, any)) \
    X(OPTIONAL, lam_check, "options", 0) \
    X(NEEDED, lam_check, "x", lam_check(any, any, NULL, 1, any)) \
    X(NEEDED, lam_check, "report", lam_check(any, any, any, 1, NULL)) \
    X(NEEDED, lam_fit, "cfg", lam_fit(NULL, any, any, any, any)) \
    X(NEEDED, lam_fit, "data", lam_fit(any, NULL, any, any, any)) \
    X(OPTIONAL, lam_fit, "options", 0) \
    X(NEEDED, lam_fit, "model", lam_fit(any, any, any, NULL, any)) \
    X(OPTIONAL, lam_fit, "result", 0) \
    X(NEEDED, lam_history_read, "run_dir", lam_history_read(NULL, any)) \
    X(NEEDED, lam_history_read, "out", lam_history_read(any, NULL)) \
    X(TAKEN, lam_history_free, "history", lam_history_free(NULL)) \
    X(NEEDED, lam_tune, "model", lam_tune(NULL, any, any, 1, any, 1, any)) \
    X(NEEDED, lam_tune, "options", lam_tune(any, NULL, any, 1, any, 1, any)) \
    X(NEEDED, lam_tune, "x", lam_tune(any, any, NULL, 1, any, 1, any)) \
    X(OPTIONAL, lam_tune, "test", 0) \
    X(OPTIONAL, lam_tune, "result", 0) \
    X(TAKEN, lam_tune_result_clear, "result", lam_tune_result_clear(NULL)) \
    X(NEEDED, lam_images_read, "path", lam_images_read(NULL, any, any)) \
    X(OPTIONAL, lam_images_read, "options", 0) \
    X(NEEDED, lam_images_read, "out", lam_images_read(any, any, NULL)) \
    X(TAKEN, lam_images_free, "images", lam_images_free(NULL)) \
    X(NEEDED, lam_image_data_build, "cfg", lam_image_data_build(NULL, any, any, any, any)) \
    X(NEEDED, lam_image_data_build, "all", lam_image_data_build(any, NULL, any, any, any)) \
    X(OPTIONAL, lam_image_data_build, "valid", 0) \
    X(OPTIONAL, lam_image_data_build, "test", 0) \
    X(NEEDED, lam_image_data_build, "out", lam_image_data_build(any, any, any, any, NULL)) \
    X(ANSWERED, lam_image_data_rows, "data", lam_image_data_rows(NULL, 0)) \
    X(TAKEN, lam_image_data_size, "data", lam_image_data_size(NULL, any, any)) \
    X(TAKEN, lam_image_data_size, "height", lam_image_data_size(NULL, NULL, any)) \
    X(TAKEN, lam_image_data_size, "width", lam_image_data_size(NULL, any, NULL)) \
    X(ANSWERED, lam_image_data_pixels, "data", lam_image_data_pixels(NULL, 0)) \
    X(ANSWERED, lam_image_data_numbers, "data", lam_image_data_numbers(NULL, 0)) \
    X(ANSWERED, lam_image_data_hash, "data", lam_image_data_hash(NULL)) \
    X(TAKEN, lam_image_data_free, "data", lam_image_data_free(NULL)) \
    X(NEEDED, lam_vae_fit, "cfg", lam_vae_fit(NULL, any, any, any, any)) \
    X(NEEDED, lam_vae_fit, "data", lam_vae_fit(any, NULL, any, any, any)) \
    X(OPTIONAL, lam_vae_fit, "options", 0) \
    X(NEEDED, lam_vae_fit, "model", lam_vae_fit(any, any, any, NULL, any)) \
    X(OPTIONAL, lam_vae_fit, "result", 0) \
    X(NEEDED, lam_vae_load, "path", lam_vae_load(NULL, any)) \
    X(NEEDED, lam_vae_load, "out", lam_vae_load(any, NULL)) \
    X(NEEDED, lam_vae_save, "model", lam_vae_save(NULL, any)) \
    X(NEEDED, lam_vae_save, "path", lam_vae_save(any, NULL)) \
    X(TAKEN, lam_vae_free, "model", lam_vae_free(NULL)) \
    X(ANSWERED, lam_vae_config, "model", lam_vae_config(NULL)) \
    X(TAKEN, lam_vae_image_size, "model", lam_vae_image_size(NULL, any, any)) \
    X(TAKEN, lam_vae_image_size, "height", lam_vae_image_size(NULL, NULL, any)) \
    X(TAKEN, lam_vae_image_size, "width", lam_vae_image_size(NULL, any, NULL)) \
    X(ANSWERED, lam_vae_parameter_count, "model", lam_vae_parameter_count(NULL)) \
    X(ANSWERED, lam_vae_data_hash, "model", lam_vae_data_hash(NULL)) \
    X(ANSWERED, lam_vae_component, "model", lam_vae_component(NULL, 1, any)) \
    X(TAKEN, lam_vae_component, "parameters", (void)lam_vae_component(NULL, 1, NULL)) \
    X(ANSWERED, lam_vae_tensor_at, "model", lam_vae_tensor_at(NULL, 1, any, any, any)) \
    X(TAKEN, lam_vae_tensor_at, "name", (void)lam_vae_tensor_at(NULL, 1, NULL, any, any)) \
    X(TAKEN, lam_vae_tensor_at, "shape", (void)lam_vae_tensor_at(NULL, 1, any, NULL, any)) \
    X(TAKEN, lam_vae_tensor_at, "n_shape", (void)lam_vae_tensor_at(NULL, 1, any, any, NULL)) \
    X(NEEDED, lam_vae_score, "model", lam_vae_score(NULL, any, any, any, 1, 1, any, any)) \
    X(OPTIONAL, lam_vae_score, "options", 0) \
    X(NEEDED, lam_vae_score, "pixels", lam_vae_score(any, any, NULL, any, 1, 1, any, any)) \
    X(OPTIONAL, lam_vae_score, "numbers", 0) \
    X(OPTIONAL, lam_vae_score, "each", 0) \
    X(NEEDED, lam_vae_score, "out", lam_vae_score(any, any, any, any, 1, 1, any, NULL)) \
    X(NEEDED, lam_vae_encode, "model", lam_vae_encode(NULL, any, any, any, 1, 1, any)) \
    X(OPTIONAL, lam_vae_encode, "options", 0) \
    X(NEEDED, lam_vae_encode, "pixels", lam_vae_encode(any, any, NULL, any, 1, 1, any)) \
    X(OPTIONAL, lam_vae_encode, "numbers", 0) \
    X(NEEDED, lam_vae_encode, "z", lam_vae_encode(any, any, any, any, 1, 1, NULL)) \
    X(NEEDED, lam_vae_decode, "model", lam_vae_decode(NULL, any, any, 1, any)) \
    X(OPTIONAL, lam_vae_decode, "options", 0) \
    X(NEEDED, lam_vae_decode, "z", lam_vae_decode(any, any, NULL, 1, any)) \
    X(NEEDED, lam_vae_decode, "out", lam_vae_decode(any, any, any, 1, NULL)) \
    X(NEEDED, lam_vae_reconstruct, "model", lam_vae_reconstruct(NULL, any, any, any, 1, any)) \
    X(OPTIONAL, lam_vae_reconstruct, "options", 0) \
    X(NEEDED, lam_vae_reconstruct, "pixels", lam_vae_reconstruct(any, any, NULL, any, 1, any)) \
    X(OPTIONAL, lam_vae_reconstruct, "numbers", 0) \
    X(NEEDED, lam_vae_reconstruct, "out", lam_vae_reconstruct(any, any, any, any, 1, NULL)) \
    X(NEEDED, lam_vae_sample, "model", lam_vae_sample(NULL, any, 1, 1, any)) \
    X(OPTIONAL, lam_vae_sample, "options", 0) \
    X(NEEDED, lam_vae_sample, "out", lam_vae_sample(any, any, 1, 1, NULL)) \
    X(NEEDED, lam_vae_interpolate, "model", lam_vae_interpolate(NULL, any, any, any, 1, any)) \
    X(OPTIONAL, lam_vae_interpolate, "options", 0) \
    X(NEEDED, lam_vae_interpolate, "pixels", lam_vae_interpolate(any, any, NULL, any, 1, any)) \
    X(OPTIONAL, lam_vae_interpolate, "numbers", 0) \
    X(NEEDED, lam_vae_interpolate, "out", lam_vae_interpolate(any, any, any, any, 1, NULL)) \
    X(NEEDED, lam_image_grid_write, "grid", lam_image_grid_write(NULL, any)) \
    X(NEEDED, lam_image_grid_write, "path", lam_image_grid_write(any, NULL)) \
    X(NEEDED, lam_plot_write, "plot", lam_plot_write(NULL, any)) \
    X(NEEDED, lam_plot_write, "path", lam_plot_write(any, NULL)) \
    X(NEEDED, lam_experiment_open, "plan_path", lam_experiment_open(NULL, any, any)) \
    X(NEEDED, lam_experiment_open, "dir", lam_experiment_open(any, NULL, any)) \
    X(NEEDED, lam_experiment_open, "out", lam_experiment_open(any, any, NULL)) \
    X(TAKEN, lam_experiment_free, "experiment", lam_experiment_free(NULL)) \
    X(ANSWERED, lam_experiment_title, "experiment", lam_experiment_title(NULL)) \
    X(ANSWERED, lam_experiment_run_at, "experiment", lam_experiment_run_at(NULL, 1)) \
    X(NEEDED, lam_experiment_refresh, "experiment", lam_experiment_refresh(NULL)) \
    X(NEEDED, lam_experiment_note, "experiment", lam_experiment_note(NULL, 1, any)) \
    X(NEEDED, lam_experiment_note, "note", lam_experiment_note(any, 1, NULL)) \
    X(NEEDED, lam_experiment_check_data, "experiment", lam_experiment_check_data(NULL, 1, any)) \
    X(NEEDED, lam_experiment_check_data, "data_hash", lam_experiment_check_data(any, 1, NULL)) \
    X(NEEDED, lam_experiment_report, "experiment", lam_experiment_report(NULL, 1)) \
    X(NEEDED, lam_picture_write, "models", lam_picture_write(NULL, 1, any, any, any, any)) \
    X(OPTIONAL, lam_picture_write, "data", 0) \
    X(OPTIONAL, lam_picture_write, "options", 0) \
    X(NEEDED, lam_picture_write, "path", lam_picture_write(any, 1, any, any, NULL, any)) \
    X(OPTIONAL, lam_picture_write, "report", 0) \
    X(NEEDED, lam_measure_machine, "cfg", lam_measure_machine(NULL, any, any)) \
    X(OPTIONAL, lam_measure_machine, "options", 0) \
    X(NEEDED, lam_measure_machine, "out", lam_measure_machine(any, any, NULL)) \
    X(NEEDED, lam_measure_field, "cfg", lam_measure_field(NULL, 1, any, any)) \
    X(OPTIONAL, lam_measure_field, "options", 0) \
    X(NEEDED, lam_measure_field, "out", lam_measure_field(any, 1, any, NULL)) \
    X(NEEDED, lam_measure_iteration, "cfg", lam_measure_iteration(NULL, 1, any, any)) \
    X(OPTIONAL, lam_measure_iteration, "options", 0) \
    X(NEEDED, lam_measure_iteration, "out", lam_measure_iteration(any, 1, any, NULL)) \
    X(NEEDED, lam_measure_problem, "cfg", lam_measure_problem(NULL, 1, any, any)) \
    X(OPTIONAL, lam_measure_problem, "options", 0) \
    X(NEEDED, lam_measure_problem, "path", lam_measure_problem(any, 1, any, NULL)) \
    X(NEEDED, lam_measure_vae, "cfg", lam_measure_vae(NULL, 1, 1, any, any)) \
    X(OPTIONAL, lam_measure_vae, "options", 0) \
    X(NEEDED, lam_measure_vae, "out", lam_measure_vae(any, 1, 1, any, NULL)) \
    X(NEEDED, lam_measure_vae_problem, "cfg", lam_measure_vae_problem(NULL, 1, 1, any, any)) \
    X(OPTIONAL, lam_measure_vae_problem, "options", 0) \
    X(NEEDED, lam_measure_vae_problem, "path", lam_measure_vae_problem(any, 1, 1, any, NULL)) \
    X(NEEDED, lam_measure_steps, "model", lam_measure_steps(NULL, any, any, 1, any)) \
    X(OPTIONAL, lam_measure_steps, "options", 0) \
    X(NEEDED, lam_measure_steps, "x", lam_measure_steps(any, any, NULL, 1, any)) \
    X(NEEDED, lam_measure_steps, "out", lam_measure_steps(any, any, any, 1, NULL)) \
    X(TAKEN, lam_steps_free, "steps", lam_steps_free(NULL)) \
    X(NEEDED, lam_steps_of_block, "steps", lam_steps_of_block(NULL, 0, any)) \
    X(NEEDED, lam_steps_of_block, "out", lam_steps_of_block(any, 0, NULL)) \
    X(NEEDED, lam_picture_write_steps, "models", lam_picture_write_steps(NULL, 1, 0, any)) \
    X(NEEDED, lam_picture_write_steps, "path", lam_picture_write_steps(any, 1, 0, NULL))

static argument arguments[] = {
#define ENTRY(kind, function, name, call) { #function, name, 0 },
    LIST(ENTRY)
#undef ENTRY
};
enum { ARGUMENTS = sizeof arguments / sizeof arguments[0] };

static void check_needed(const char *function, const char *name, lam_status status)
{
    char wanted[128];
    snprintf(wanted, sizeof wanted, "%s: the argument %s is NULL", function, name);
    if (status != LAM_ERR_ARGUMENT || strcmp(lam_last_error(), wanted) != 0)
        fail_msg("%s with %s NULL: %s, \"%s\"", function, name, lam_status_name(status), lam_last_error());
}

#define CALL_NEEDED(function, name, call) check_needed(#function, name, call);
#define CALL_ANSWERED(function, name, call) assert_true(!(call));
#define CALL_TAKEN(function, name, call) call;
#define CALL_OPTIONAL(function, name, call)
#define CALL(kind, function, name, call) CALL_##kind(function, name, call)

static void nulls_are_refused_or_taken(void **state)
{
    void *const any = room;
    (void)state;
    LIST(CALL)
}

static void find(const char *function, const char *name, size_t length)
{
    for (size_t i = 0; i < ARGUMENTS; i++)
        if (strcmp(arguments[i].function, function) == 0 && strlen(arguments[i].name) == length
            && strncmp(arguments[i].name, name, length) == 0) {
            arguments[i].seen = 1;
            return;
        }
    fail_msg("%s has a pointer %.*s that stands in no line of this test", function, (int)length, name);
}

/* The pointers of one declaration, from behind its "(". */
static void read_arguments(const char *function, const char *text, const char *end)
{
    while (text < end) {
        const char *next = memchr(text, ',', (size_t)(end - text)), *stop = next != NULL ? next : end, *name = stop;
        int pointer = memchr(text, '*', (size_t)(stop - text)) != NULL || memchr(text, '[', (size_t)(stop - text)) != NULL;
        const char *bracket = memchr(text, '[', (size_t)(stop - text));
        name = bracket != NULL ? bracket : stop;
        const char *after = name;
        while (isalnum((unsigned char)name[-1]) || name[-1] == '_')
            name--;
        if (pointer)
            find(function, name, (size_t)(after - name));
        text = stop + 1;
    }
}

static const char *const headers[] = { "laminar/vae.h", "laminar/plot.h", "laminar/experiment.h", "laminar/measure.h", "laminar/recipe.h" };

/* Returns how many functions the header declares. */
static size_t read_header(const char *header)
{
    char *text, function[64], path[4096];
    size_t size, functions = 0;
    snprintf(path, sizeof path, "%s/%s", LAM_HEADERS, header);
    assert_int_equal(lam_file_read(path, &text, &size), LAM_OK);
    for (char *at = text; (at = strstr(at, "\nLAM_API ")) != NULL; functions++) {
        char *open = strchr(at, '('), *close = strstr(at, ");"), *name = open;
        assert_true(open != NULL && close != NULL && open < close);
        while (isalnum((unsigned char)name[-1]) || name[-1] == '_')
            name--;
        snprintf(function, sizeof function, "%.*s", (int)(open - name), name);
        read_arguments(function, open + 1, close);
        at = close;
    }
    free(text);
    return functions;
}

static void the_headers_are_covered(void **state)
{
    (void)state;
    assert_true(read_header("laminar.h") > 60);
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        assert_true(read_header(headers[i]) > 0);
    for (size_t i = 0; i < ARGUMENTS; i++)
        if (!arguments[i].seen)
            fail_msg("%s of %s is no pointer of the header", arguments[i].name, arguments[i].function);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nulls_are_refused_or_taken),
        cmocka_unit_test(the_headers_are_covered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
