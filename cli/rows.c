/* Rows and results of any length, part by part. */
#include "cli.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

size_t cli_rows_of_part(const cli_eval *eval, size_t dim)
{
    enum { CELLS = 1 << 19 };
    size_t batch = eval->batch_rows > 0 ? eval->batch_rows : 1000, batches = CELLS / dim / batch;
    return batch * (batches > 0 ? batches : 1);
}

int cli_part_failed(size_t first)
{
    return first == 0 ? cli_library_failed() : cli_fail("row 1 in this message is row %zu of the data: %s", first + 1, lam_last_error());
}

/* ---- rows --------------------------------------------------------------------------------------------------------- */

/* All rows, which are counted and looked at; then the first is the next again. */
static int look_through(cli_rows *r, const char *writer)
{
    enum { MOST = 1 << 16 };
    const cli_eval usual = {0};
    const size_t part_rows = cli_rows_of_part(&usual, r->dim), at_once = part_rows < MOST ? part_rows : MOST;
    const lam_log log = {cli_log, NULL};
    lam_advice *advice = NULL;
    lam_table *part, *said = NULL;
    lam_status status = r->model != NULL ? lam_advice_create(r->model, NULL, &advice) : LAM_OK;
    int code = CLI_OK;
    while (status == LAM_OK && code == CLI_OK && (status = lam_reader_next(r->reader, at_once, &part)) == LAM_OK && part != NULL) {
        if (r->wanted != NULL)
            cli_wanted_spread(r->wanted, r->model, &part);
        r->rows += part->rows, r->bad_rows += part->bad_rows, r->missing += part->missing;
        if (r->model != NULL)
            code = cli_rows_look(&r->choice, r->model, part, advice);
        lam_table_free(said);
        said = part; /* the last one has notes */
    }
    if (status != LAM_OK)
        code = cli_read_failed(status, &r->choice, writer);
    if (code == CLI_OK) {
        cli_table_notes(r->path, said);
        if (r->bad_rows > 0)
            cli_say("%s: %zu bad rows dropped", cli_input_name(r->path), r->bad_rows);
    }
    if (code == CLI_OK && ((advice != NULL && lam_advice_say(advice, &log) != LAM_OK) || lam_reader_rewind(r->reader) != LAM_OK))
        code = cli_library_failed();
    lam_table_free(said);
    lam_advice_free(advice);
    return code;
}

int cli_scratch_check(const char *scratch)
{
    if (scratch == NULL || strcmp(scratch, "none") == 0)
        return CLI_OK;
    if (scratch[0] == '\0')
        return cli_misuse(NULL, "--scratch is empty; name a folder, or none");
    if (!cli_is_folder(scratch))
        return cli_misuse(NULL, "--scratch %s: %s; name a folder that is there, or none for memory", scratch, cli_exists(scratch) ? "this is no folder"
            : "there is no such folder");
    return access(scratch, W_OK | X_OK) == 0 ? CLI_OK : cli_fail("--scratch %s: %s", scratch, strerror(errno));
}

int cli_place(const char *scratch, const char *folder, lam_rows_place *place)
{
    int none = scratch != NULL && strcmp(scratch, "none") == 0;
    *place = (lam_rows_place){.folder = none ? NULL : scratch != NULL ? scratch : folder, .least = scratch != NULL ? 0 : CLI_LARGE, .log = {cli_log, NULL}};
    return cli_scratch_check(scratch);
}

/* The folder of results, which has room for them, or that of temporary files; free with free(). */
static char *usual_folder(const char *out)
{
    const char *temporary = getenv("TMPDIR");
    if (out == NULL || cli_is_stream(out))
        return cli_format("%s", temporary != NULL && temporary[0] != '\0' ? temporary : P_tmpdir);
    const char *slash = strrchr(out, '/');
    return slash == NULL ? cli_format(".") : cli_format("%.*s", slash == out ? 1 : (int)(slash - out), out);
}

static int choose_place(cli_rows *r)
{
    r->folder = usual_folder(r->choice.out);
    return cli_place(r->choice.scratch, r->folder, &r->place);
}

/* DATA from its first row on; it is unpacked once, and a pipe read once, however often this is called. */
static lam_status open_reader(cli_rows *r, const lam_read_options *options)
{
    return r->reader != NULL ? lam_reader_reopen(r->reader, options) : lam_reader_open_at(r->path, options, &r->place, &r->reader);
}

static int read_names(cli_rows *r, lam_table **names)
{
    lam_config *lists = cli_config_create();
    lam_read_options options;
    int code = cli_read_options(&r->choice, "auto", NULL, lists, &options);
    options = (lam_read_options){.names_only = 1, .header = options.header, .threads = options.threads};
    lam_config_free(lists);
    if (code == CLI_OK && (open_reader(r, &options) != LAM_OK || lam_reader_next(r->reader, 1, names) != LAM_OK))
        code = cli_library_failed();
    return code;
}

static int start(cli_rows *r, const char *usual, const char *writer)
{
    r->lists = cli_config_create();
    int code = cli_read_options(&r->choice, usual, &r->like, r->lists, &r->options);
    if (code != CLI_OK)
        return code;
    lam_status status = open_reader(r, &r->options);
    return status == LAM_OK ? look_through(r, writer) : cli_read_failed(status, &r->choice, writer);
}

int cli_rows_open(const char *path, const cli_choice *choice, const lam_model *model, const unsigned char *needed, cli_rows *r)
{
    char header[256];
    *r = (cli_rows){.path = path, .choice = *choice, .model = model, .dim = lam_model_dim(model), .wanted = cli_alloc(1, sizeof *r->wanted)};
    r->choice.missing |= lam_model_takes_missing(model);
    lam_table *names = NULL;
    int code = choose_place(r);
    if (code == CLI_OK && needed != NULL && choice->columns == NULL)
        code = read_names(r, &names);
    if (code == CLI_OK)
        code = cli_wanted_find(path, &r->choice, model, needed, names, r->wanted);
    lam_table_free(names);
    r->like = r->wanted->like;
    if (code == CLI_OK)
        code = start(r, cli_parameter(lam_model_config(model), "header", header), NULL);
    r->choice.looked = NULL; /* it is the caller's, and what was odd has been said */
    return code;
}

int cli_rows_open_codes(const char *path, const cli_choice *choice, size_t dim, const char *writer, cli_rows *r)
{
    *r = (cli_rows){.path = path, .choice = *choice, .dim = dim, .name = cli_alloc(dim, sizeof *r->name), .item = cli_alloc(dim, sizeof *r->item)};
    r->like = cli_codes_wanted(dim, r->name, r->item);
    int code = choose_place(r);
    return code == CLI_OK ? start(r, "auto", writer) : code;
}

int cli_rows_next(cli_rows *r, size_t n, lam_table **part)
{
    if (lam_reader_next(r->reader, n, part) != LAM_OK)
        return cli_library_failed();
    if (*part == NULL)
        return CLI_OK;
    if (r->wanted != NULL)
        cli_wanted_spread(r->wanted, r->model, part);
    return r->model != NULL ? cli_rows_look(&r->choice, r->model, *part, NULL) : CLI_OK;
}

size_t cli_rows_number(const lam_table *part, size_t i)
{
    size_t at = i;
    for (size_t bad = 0; bad < part->bad_rows && part->bad_at[bad] <= at; bad++)
        at++;
    return at + 1;
}

/* Rows of a part that are among out->n spread over all: row i of these is row i * all / n of the data. first, bad: rows before the part. */
static void take_spread(const lam_table *part, size_t first, size_t bad, cli_spread *out, size_t *n)
{
    for (; *n < out->n; ++*n) {
        size_t at = (size_t)((double)*n * (double)out->all / (double)out->n);
        if (at >= first + part->rows)
            return;
        memcpy(out->x + *n * part->cols, part->values + (at - first) * part->cols, part->cols * sizeof *out->x);
        out->number[*n] = first + bad + cli_rows_number(part, at - first);
    }
}

void cli_spread_clear(cli_spread *rows)
{
    free(rows->x);
    free(rows->number);
    *rows = (cli_spread){0};
}

int cli_rows_spread(const char *path, const cli_choice *choice, const lam_model *model, size_t most, cli_spread *out)
{
    enum { AT_ONCE = 1 << 16 };
    cli_rows rows;
    lam_table *part;
    size_t first = 0, bad = 0, n = 0;
    *out = (cli_spread){0};
    int code = cli_rows_open(path, choice, model, NULL, &rows);
    if (code == CLI_OK) {
        out->all = rows.rows;
        out->n = most < rows.rows ? most : rows.rows;
        out->x = cli_alloc(out->n * rows.dim, sizeof *out->x);
        out->number = cli_alloc(out->n, sizeof *out->number);
    }
    while (code == CLI_OK && n < out->n && (code = cli_rows_next(&rows, AT_ONCE, &part)) == CLI_OK && part != NULL) {
        take_spread(part, first, bad, out, &n);
        first += part->rows, bad += part->bad_rows;
        lam_table_free(part);
    }
    cli_rows_close(&rows);
    return code;
}

void cli_rows_close(cli_rows *r)
{
    lam_reader_free(r->reader);
    free(r->folder);
    lam_config_free(r->lists);
    if (r->wanted != NULL)
        cli_wanted_clear(r->wanted);
    free(r->wanted);
    free(r->name);
    free(r->item);
    *r = (cli_rows){0};
}

/* ---- results ------------------------------------------------------------------------------------------------------ */

int cli_results_open(const char *path, const lam_table *form, size_t rows, cli_results *results)
{
    int to_file = path != NULL && !cli_is_stream(path);
    fflush(stdout);
    *results = (cli_results){.cols = form->cols, .nothing = cli_alloc(form->cols, sizeof(double))};
    for (size_t j = 0; j < form->cols; j++)
        results->nothing[j] = (double)NAN;
    lam_status status = lam_writer_open(to_file ? path : NULL, to_file ? -1 : cli_stdout_table(), form, rows, &results->writer);
    return status == LAM_OK ? CLI_OK : cli_library_failed();
}

int cli_results_put(cli_results *results, const double *values, const lam_table *part)
{
    lam_status status = LAM_OK;
    size_t done = 0;
    for (size_t bad = 0; bad < part->bad_rows && status == LAM_OK; bad++) {
        size_t good = part->bad_at[bad] - bad; /* rows in front of it */
        status = lam_writer_put(results->writer, values + done * results->cols, good - done);
        done = good;
        if (status == LAM_OK)
            status = lam_writer_put(results->writer, results->nothing, 1);
    }
    if (status == LAM_OK)
        status = lam_writer_put(results->writer, values + done * results->cols, part->rows - done);
    return status == LAM_OK ? CLI_OK : cli_library_failed();
}

int cli_results_close(cli_results *results, int code)
{
    if (code == CLI_OK && results->writer != NULL && lam_writer_commit(results->writer) != LAM_OK)
        code = cli_library_failed();
    else if (code != CLI_OK)
        lam_writer_abandon(results->writer);
    free(results->nothing);
    *results = (cli_results){0};
    return code;
}
