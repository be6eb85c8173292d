/* Data for a model, and where results go. */
#include "cli.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* list (to be freed by whom it is returned to) with one name more; NULL: the first. */
static char *joined(char *list, const char *name)
{
    char *longer = list == NULL ? cli_format("%s", name) : cli_format("%s,%s", list, name);
    free(list);
    return longer;
}

/* "a,b,c", the model's columns as a request for columns; NULL if they are bare numbers or hold a comma. */
static char *model_columns(const lam_model *model)
{
    const char *name;
    int named = 0;
    char *list = NULL;
    for (size_t j = 0; (name = lam_model_column(model, j)) != NULL; j++) {
        list = joined(list, name);
        named |= name[strspn(name, "0123456789")] != '\0';
        if (strchr(name, ',') != NULL || name[0] == '\0') {
            named = 0;
            break;
        }
    }
    if (named)
        return list;
    free(list);
    return NULL;
}

/* Reads with the given choice of columns; a table of the wrong width does not count: *table is then NULL. A bad cell in the
 * columns that the model takes is an error, whatever else might be tried. */
static lam_status try_columns(const char *path, const cli_choice *choice, const char *columns, const char *drop, size_t dim,
    lam_header header, lam_table **table)
{
    lam_read_options options = {.columns = columns, .drop = drop, .drop_bad_rows = choice->drop_bad_rows,
        .drop_duplicates = choice->drop_duplicates, .header = header};
    *table = NULL;
    lam_status status = cli_table_read(path, &options, table);
    if (status == LAM_ERR_DATA)
        return status;
    if (status == LAM_OK && (*table)->cols != dim) {
        lam_table_free(*table);
        *table = NULL;
    }
    return LAM_OK;
}

/* --header, by way of the parameter of that name; usual: without the flag. */
static int choose_header(const char *word, lam_header usual, lam_header *header)
{
    lam_config cfg;
    lam_config_init(&cfg);
    lam_status status = word != NULL ? lam_config_set(&cfg, "header", word) : LAM_OK;
    *header = word != NULL ? cfg.header : usual;
    lam_config_clear(&cfg);
    return status == LAM_OK ? CLI_OK : cli_misuse(NULL, "--%s", lam_last_error());
}

/* Reads as the choice says; where that names no columns, the wanted ones (columns, drop; NULL: none) if they are there, else all. Says what
 * was dropped. CLI_OK, or CLI_FAILED with the message printed. */
static int read_wanted(const char *path, const cli_choice *choice, const char *columns, const char *drop, size_t dim,
    lam_header usual, lam_table **table)
{
    lam_status status = LAM_OK;
    lam_header header;
    *table = NULL;
    if (choose_header(choice->header, usual, &header) != CLI_OK)
        return CLI_USAGE;
    if (choice->columns == NULL && choice->drop == NULL && (columns != NULL || drop != NULL))
        status = try_columns(path, choice, columns, drop, dim, header, table);
    if (status == LAM_OK && *table == NULL) {
        lam_read_options options = {.columns = choice->columns, .drop = choice->drop,
            .drop_bad_rows = choice->drop_bad_rows, .drop_duplicates = choice->drop_duplicates, .header = header};
        status = cli_table_read(path, &options, table);
    }
    if (status != LAM_OK)
        return cli_library_failed();
    cli_data_notes(path, *table);
    return CLI_OK;
}

/* What the names of a table and of a model have in common. missing: a column of the model's that the table does not have; NULL: none. */
typedef struct names {
    int differ; /* 1: both have names, and not the same */
    size_t shared;
    const char *missing;
} names;

static names compare_names(const lam_table *table, const lam_model *model)
{
    names n = {0};
    char *named = model_columns(model);
    for (size_t j = 0; named != NULL && table->has_names && j < table->cols; j++) {
        const char *name = lam_model_column(model, j);
        size_t at = 0;
        while (at < table->cols && strcmp(table->names[at], name) != 0)
            at++;
        n.differ |= at != j;
        n.shared += at < table->cols;
        if (at == table->cols && n.missing == NULL)
            n.missing = name;
    }
    free(named);
    return n;
}

/* Names that agree in part tell that a column is not there, and the others would be taken for it. */
static int check_names(const char *path, const lam_table *table, const lam_model *model)
{
    names n = compare_names(table, model);
    if (n.shared > 0 && n.missing != NULL)
        return cli_fail("%s has no column %s, which the model takes (`laminar info` lists them); leave all columns but the model's, in their "
            "order, out with --drop", cli_input_name(path), n.missing);
    if (n.differ)
        cli_say("warning: the columns of %s are named otherwise than the model's; they are taken in their order", cli_input_name(path));
    return CLI_OK;
}

/* Rows that are standardised in data units; and what the library has to say of the rows. */
static int look_at_rows(const cli_choice *choice, const lam_model *model, lam_table *table)
{
    const lam_log log = {cli_log, NULL};
    const double *mean, *scale;
    double log_det;
    lam_model_standardiser(model, &mean, &scale, &log_det);
    for (size_t i = 0; choice->standardised && i < table->rows; i++)
        for (size_t j = 0; j < table->cols; j++)
            table->values[i * table->cols + j] = mean[j] + scale[j] * table->values[i * table->cols + j];
    return lam_rows_advise(model, NULL, table->values, table->rows, &log) == LAM_OK ? CLI_OK : cli_library_failed();
}

int cli_data_read(const char *path, const cli_choice *choice, const lam_model *model, lam_table **table)
{
    const lam_config *cfg = lam_model_config(model);
    size_t dim = lam_model_dim(model);
    char *columns = model_columns(model);
    int code = columns != NULL ? read_wanted(path, choice, columns, NULL, dim, cfg->header, table)
                               : read_wanted(path, choice, cfg->columns, cfg->drop, dim, cfg->header, table);
    free(columns);
    if (code == CLI_OK && (*table)->cols != dim)
        code = cli_fail("%s has %zu columns, the model takes %zu (`laminar info` lists them)%s", cli_input_name(path), (*table)->cols, dim,
            (*table)->cols > dim ? "; leave the others out with --drop" : "");
    if (code == CLI_OK && choice->columns == NULL && choice->drop == NULL)
        code = check_names(path, *table, model);
    if (code == CLI_OK)
        code = look_at_rows(choice, model, *table);
    if (code != CLI_OK) {
        lam_table_free(*table);
        *table = NULL;
    }
    return code;
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

int cli_codes_read(const char *path, const cli_choice *choice, size_t dim, const char *writer, lam_table **table)
{
    char name[32], *columns = NULL;
    for (size_t j = 0; j < dim; j++) {
        code_name(j, name);
        columns = joined(columns, name);
    }
    int code = read_wanted(path, choice, columns, NULL, dim, LAM_HEADER_AUTO, table);
    free(columns);
    if (code == CLI_OK && (*table)->cols != dim) {
        code = cli_fail("%s has %zu columns, z has %zu; give a file as `%s` writes it", cli_input_name(path), (*table)->cols, dim, writer);
        lam_table_free(*table);
        *table = NULL;
    }
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
        return cli_stdout_take();
    if (!is_table_name(path))
        return cli_misuse(NULL, "cannot write %s: the name should end in .npy, .csv or .csv.gz", path);
    return cli_folder_check(path);
}

int cli_images_out_check(const char *path)
{
    if (cli_is_stream(path))
        return cli_stdout_take();
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
