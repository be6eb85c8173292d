/* Data for a model, and where results go. */
#include "cli.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* The flags' lists and header, in lists, which owns them; usual: the header without the flag. CLI_OK, or CLI_USAGE with the message printed. */
static int parse_choice(const cli_choice *choice, const char *usual, lam_config *lists)
{
    cli_set(lists, "header", usual);
    if ((choice->header == NULL || lam_config_set(lists, "header", choice->header) == LAM_OK)
        && (choice->columns == NULL || lam_config_set(lists, "columns", choice->columns) == LAM_OK)
        && (choice->drop == NULL || lam_config_set(lists, "drop", choice->drop) == LAM_OK))
        return CLI_OK;
    return cli_misuse(NULL, "--%s", lam_last_error()); /* it begins with the parameter's name */
}

int cli_read_options(const cli_choice *choice, const char *usual, const lam_wanted *like, lam_config *lists, lam_read_options *options)
{
    int code = parse_choice(choice, usual, lists);
    *options = lam_config_read_options(lists);
    options->drop_bad_rows = choice->drop_bad_rows;
    options->drop_duplicates = choice->drop_duplicates;
    options->all_rows = choice->all_rows;
    options->like = like;
    options->missing = choice->missing && !choice->drop_bad_rows;
    options->threads = choice->threads;
    return code;
}

int cli_read_failed(lam_status status, const cli_choice *choice, const char *writer)
{
    if (status == LAM_ERR_SHAPE && writer != NULL)
        return cli_fail("%s; give a file as `%s` writes it", lam_last_error(), writer);
    if (status == LAM_ERR_SHAPE && choice->columns == NULL && !choice->no_columns)
        return cli_fail("%s; or list the columns to take, in the model's order: --columns A,B,...", lam_last_error());
    return cli_library_failed();
}

/* Reads, of the columns that the choice leaves, those that are wanted. CLI_OK, or else with the message printed; says what was dropped.
 * writer: the command that writes such files, or NULL. */
static int read_wanted(const char *path, const cli_choice *choice, const lam_wanted *like, const char *usual,
    const char *writer, lam_table **table)
{
    lam_config *lists = cli_config_create();
    lam_read_options options;
    *table = NULL;
    int code = cli_read_options(choice, usual, like, lists, &options);
    lam_status status = code == CLI_OK ? lam_table_read(path, &options, table) : LAM_OK;
    if (status != LAM_OK)
        code = cli_read_failed(status, choice, writer);
    if (code == CLI_OK)
        cli_data_notes(path, *table);
    lam_config_free(lists);
    return code;
}

int cli_rows_look(const cli_choice *choice, const lam_model *model, lam_table *table, lam_advice *advice)
{
    const double *mean, *scale;
    double log_det;
    lam_status status = LAM_OK;
    size_t cols = table->cols;
    lam_model_standardiser(model, &mean, &scale, &log_det);
    for (size_t i = 0; choice->standardised && i < table->rows; i++)
        for (size_t j = 0; j < cols; j++)
            table->values[i * cols + j] = mean[j] + scale[j] * table->values[i * cols + j];
    double *row = cli_alloc(cols, sizeof *row);
    for (size_t i = 0; advice != NULL && i < table->rows && status == LAM_OK; i++) {
        for (size_t j = 0; j < cols; j++)
            row[j] = choice->looked == NULL || choice->looked[j] ? table->values[i * cols + j] : (double)NAN;
        status = lam_advice_add(advice, row, 1);
    }
    free(row);
    return status == LAM_OK ? CLI_OK : cli_library_failed();
}

/* Rows that are standardised in data units; and what the library has to say of the rows. */
static int look_at_rows(const cli_choice *choice, const lam_model *model, lam_table *table)
{
    const lam_log log = {cli_log, NULL};
    lam_advice *advice;
    if (lam_advice_create(model, NULL, &advice) != LAM_OK)
        return cli_library_failed();
    int code = cli_rows_look(choice, model, table, advice);
    if (code == CLI_OK && lam_advice_say(advice, &log) != LAM_OK)
        code = cli_library_failed();
    lam_advice_free(advice);
    return code;
}

int cli_is_conditional(const lam_model *model)
{
    return lam_model_any_given(model) || lam_model_given_count(model) > 0;
}

int cli_data_read(const char *path, const cli_choice *choice, const lam_model *model, lam_table **table)
{
    char header[256];
    const lam_wanted like = lam_model_wanted(model);
    cli_choice own = *choice;
    own.missing = choice->missing || lam_model_takes_missing(model);
    int code = read_wanted(path, &own, &like, cli_parameter(lam_model_config(model), "header", header), NULL, table);
    if (code == CLI_OK)
        code = look_at_rows(choice, model, *table);
    if (code != CLI_OK) {
        lam_table_free(*table);
        *table = NULL;
    }
    return code;
}

/* ---- rows of some of the model's columns --------------------------------------------------------------------------- */

/* "a, b, c": the model's columns that are marked (want 1), or that are not. Free with free(). */
static char *list_marked(const lam_wanted *own, const unsigned char *marks, int want)
{
    char *list = cli_format("%s", "");
    for (size_t j = 0; j < own->names.n; j++) {
        if ((marks[j] != 0) != want)
            continue;
        char *longer = cli_format("%s%s%s", list, list[0] == '\0' ? "" : ", ", own->names.item[j]);
        free(list);
        list = longer;
    }
    return list;
}

/* A file with names: those of the needed columns that it lacks are an error that the reader tells, or unknown. */
static int need_named(const char *path, const cli_choice *choice, const lam_wanted *own, const unsigned char *needed, unsigned char *there, int *all)
{
    size_t taken = 0, lacking = 0;
    unsigned char *known = cli_alloc(own->names.n, 1);
    for (size_t j = 0; j < own->names.n; j++) {
        known[j] = there[j] || !needed[j];
        lacking += !known[j];
        there[j] |= needed[j] && !choice->optional;
        *all &= there[j];
        taken += there[j];
    }
    int code = CLI_OK;
    if (taken == 0) {
        char *list = list_marked(own, there, 0);
        code = cli_fail("%s has none of the model's columns: %s", cli_input_name(path), list);
        free(list);
    } else if (lacking > 0 && choice->optional) {
        char *list = list_marked(own, known, 0);
        cli_say("note: %s has no column %s; what is there is all that is given", cli_input_name(path), list);
        free(list);
    }
    free(known);
    return code;
}

/* One without: all columns, or those that are needed, in the model's order. */
static int need_ordered(const char *path, const cli_choice *choice, const lam_wanted *own, const unsigned char *needed, size_t cols, unsigned char *there,
    int *all)
{
    size_t n_needed = 0;
    for (size_t j = 0; j < own->names.n; j++) {
        n_needed += needed[j];
        there[j] = needed[j];
    }
    *all = cols != n_needed || n_needed == own->names.n;
    if (*all)
        return CLI_OK;
    char *list = list_marked(own, needed, 1);
    int code = choice->unordered ? cli_fail("%s has no names for its %zu columns, which are taken for %s, in the model's order; the flags list them in another. "
                                            "List them in this order, the file's columns too, or give them names", cli_input_name(path), cols, list)
                                 : CLI_OK;
    if (code == CLI_OK && own->has_names)
        cli_say("note: %s has no names for its %zu columns: they are taken for %s, in the model's order", cli_input_name(path), cols, list);
    free(list);
    return code;
}

/* Marks those of the model's columns that the file has, by its names; *all 1: it has every one, or is read as if it had. */
static int find_columns(const char *path, const cli_choice *choice, const lam_wanted *own, const unsigned char *needed, const lam_table *names,
    unsigned char *there, int *all)
{
    *all = 1;
    if (!names->has_names || !own->has_names)
        return need_ordered(path, choice, own, needed, names->cols, there, all);
    for (size_t j = 0; j < own->names.n; j++)
        for (size_t k = 0; k < names->cols; k++)
            there[j] |= strcmp(own->names.item[j], names->names[k]) == 0;
    return need_named(path, choice, own, needed, there, all);
}

/* In place of table one of all the model's columns, NaN where the file has none. */
void cli_wanted_spread(const cli_wanted *wanted, const lam_model *model, lam_table **table)
{
    lam_table *some = *table;
    size_t dim = lam_model_dim(model);
    if (wanted->all)
        return;
    lam_table *wide = cli_table_create(some->rows > 0 ? some->rows : 1, dim);
    wide->rows = some->rows;
    cli_table_name_all(wide, model);
    for (size_t i = 0; i < some->rows; i++)
        for (size_t j = 0, k = 0; j < dim; j++)
            wide->values[i * dim + j] = wanted->there[j] ? some->values[i * some->cols + k++] : (double)NAN;
    for (size_t i = 0; i < some->rows * dim; i++)
        wide->missing += isnan(wide->values[i]) != 0;
    for (size_t j = 0; j < dim; j++)
        cli_table_levels(wide, j, model);
    wide->bad_rows = some->bad_rows, wide->bad_at = some->bad_at;
    wide->notes = some->notes;
    some->bad_rows = 0, some->bad_at = NULL, some->notes = NULL;
    lam_table_free(some);
    *table = wide;
}

void cli_table_levels(lam_table *table, size_t column, const lam_model *model)
{
    const lam_names levels = lam_model_levels(model, column);
    if (levels.n > 0 && lam_table_set_levels(table, column, &levels) != LAM_OK) {
        cli_library_failed();
        exit(CLI_FAILED);
    }
}

int cli_wanted_find(const char *path, const cli_choice *choice, const lam_model *model, const unsigned char *needed, const lam_table *names,
    cli_wanted *wanted)
{
    const lam_wanted own = lam_model_wanted(model);
    size_t n = own.names.n;
    *wanted = (cli_wanted){.there = cli_alloc(n, 1), .item = cli_alloc(n, sizeof *wanted->item), .levels = cli_alloc(n, sizeof *wanted->levels),
        .like = own, .all = 1};
    int code = names == NULL ? CLI_OK : find_columns(path, choice, &own, needed, names, wanted->there, &wanted->all);
    if (code != CLI_OK || wanted->all)
        return code;
    wanted->like.names = (lam_names){wanted->item, 0};
    wanted->like.levels = wanted->levels;
    for (size_t j = 0; j < n; j++)
        if (wanted->there[j]) {
            wanted->levels[wanted->like.names.n] = lam_model_levels(model, j);
            wanted->item[wanted->like.names.n++] = own.names.item[j];
        }
    return CLI_OK;
}

void cli_wanted_clear(cli_wanted *wanted)
{
    free(wanted->there);
    free(wanted->item);
    free(wanted->levels);
    *wanted = (cli_wanted){0};
}

static void code_name(size_t column, char name[32])
{
    snprintf(name, 32, "z%zu", column + 1);
}

lam_table *cli_codes_create(size_t rows, size_t dim)
{
    char name[32];
    lam_table *table = cli_table_create(rows, dim);
    for (size_t j = 0; j < dim; j++) {
        code_name(j, name);
        cli_table_name(table, j, name);
    }
    return table;
}

lam_wanted cli_codes_wanted(size_t dim, char (*name)[32], const char **item)
{
    for (size_t j = 0; j < dim; j++) {
        code_name(j, name[j]);
        item[j] = name[j];
    }
    return (lam_wanted){.owner = "the model's z", .names = {item, dim}, .has_names = 1};
}

int cli_codes_read(const char *path, const cli_choice *choice, size_t dim, const char *writer, lam_table **table)
{
    char(*name)[32] = cli_alloc(dim, sizeof *name);
    const char **item = cli_alloc(dim, sizeof *item);
    const lam_wanted like = cli_codes_wanted(dim, name, item);
    int code = read_wanted(path, choice, &like, "auto", writer, table);
    free(item);
    free(name);
    return code;
}

static const char WARNING[] = "warning: ";

void cli_table_notes(const char *path, const lam_table *table)
{
    for (const char *line = table->notes; line != NULL;) {
        size_t n = strcspn(line, "\n");
        int warns = strncmp(line, WARNING, strlen(WARNING)) == 0;
        size_t from = warns ? strlen(WARNING) : 0;
        cli_say("%s%s: %.*s", warns ? WARNING : "", cli_input_name(path), (int)(n - from), line + from);
        line = line[n] != '\0' ? line + n + 1 : NULL;
    }
}

void cli_data_notes(const char *path, const lam_table *table)
{
    cli_table_notes(path, table);
    if (table->bad_rows > 0)
        cli_say("%s: %zu bad rows dropped", cli_input_name(path), table->bad_rows);
    if (table->duplicates > 0)
        cli_say("%s: %zu duplicate rows dropped", cli_input_name(path), table->duplicates);
}

int cli_table_out(const lam_table *table, const char *path)
{
    fflush(stdout);
    lam_status status = path != NULL && !cli_is_stream(path) ? lam_table_write(table, path) : lam_table_write_to(table, cli_stdout_table());
    return status == LAM_OK ? CLI_OK : cli_library_failed();
}

int cli_results_out(const lam_table *results, const lam_table *data, const char *path)
{
    size_t n = results->rows, cols = results->cols, bad = 0;
    if (data->bad_rows == 0)
        return cli_table_out(results, path);
    lam_table *all = cli_table_create(n + data->bad_rows, cols);
    for (size_t j = 0; j < cols && results->has_names; j++)
        cli_table_name(all, j, results->names[j]);
    for (size_t i = 0; i < all->rows; i++) {
        int is_bad = bad < data->bad_rows && data->bad_at[bad] == i;
        for (size_t j = 0; j < cols; j++)
            all->values[i * cols + j] = is_bad ? (double)NAN : results->values[(i - bad) * cols + j];
        bad += (size_t)is_bad;
    }
    int code = cli_table_out(all, path);
    lam_table_free(all);
    return code;
}

void cli_table_name(lam_table *table, size_t column, const char *name)
{
    if (lam_table_rename(table, column, name) != LAM_OK) {
        cli_library_failed();
        exit(CLI_FAILED);
    }
}

lam_table *cli_table_create(size_t rows, size_t cols)
{
    lam_table *table = NULL;
    if (lam_table_create(rows, cols, &table) != LAM_OK) {
        cli_library_failed();
        exit(CLI_FAILED);
    }
    return table;
}

void cli_table_name_all(lam_table *table, const lam_model *model)
{
    const char *name;
    for (size_t j = 0; j < table->cols && (name = lam_model_column(model, j)) != NULL; j++)
        cli_table_name(table, j, name);
}

int cli_ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n > m && strcasecmp(text + n - m, end) == 0;
}

int cli_folder_check(const char *path)
{
    const char *slash = path == NULL ? NULL : strrchr(path, '/');
    char *folder = slash == NULL ? NULL : cli_format("%.*s", (int)(slash - path), path);
    const char *in = folder == NULL ? "." : folder[0] == '\0' ? "/" : folder;
    int code = CLI_OK;
    if (path != NULL && !cli_is_folder(in))
        code = cli_misuse(NULL, "cannot write %s: there is no folder %s", path, in);
    else if (path != NULL && cli_is_folder(path))
        code = cli_misuse(NULL, "cannot write %s: it is a folder", path);
    else if (path != NULL && access(in, W_OK) != 0)
        code = cli_fail("cannot write %s: %s", path, strerror(errno));
    free(folder);
    return code;
}

int cli_not_over(const char *out, const char *in)
{
    struct stat a, b;
    if (out == NULL || cli_is_stream(out) || stat(out, &a) != 0 || stat(in, &b) != 0 || a.st_dev != b.st_dev || a.st_ino != b.st_ino)
        return CLI_OK;
    return cli_misuse(NULL, "%s is what is read; name another file to write to", out);
}

static int is_table_name(const char *path)
{
    return cli_ends_with(path, ".npy") || cli_ends_with(path, ".csv") || cli_ends_with(path, ".csv.gz");
}

int cli_out_check(const char *path)
{
    if (path == NULL)
        return CLI_OK;
    if (cli_is_stream(path))
        return cli_stdout_reserve();
    if (!is_table_name(path))
        return cli_misuse(NULL, "cannot write %s: the name should end in .npy, .csv or .csv.gz", path);
    return cli_folder_check(path);
}

int cli_images_out_check(const char *path)
{
    if (cli_is_stream(path))
        return cli_stdout_reserve();
    if (!cli_ends_with(path, ".png") && !is_table_name(path))
        return cli_misuse(NULL, "cannot write %s: the name should end in .png (a picture), .npy, .csv or .csv.gz (rows of pixels)", path);
    return cli_folder_check(path);
}

int cli_drawing_check(const cli_command *command, const char *flag, const char *path)
{
    if (cli_ends_with(path, ".svg") || cli_ends_with(path, ".png") || cli_ends_with(path, ".pdf"))
        return cli_folder_check(path);
    return cli_misuse(command, "%s %s: the name should end in .svg, .png or .pdf", flag, path);
}
