/* Writes a message about many columns: the first few by name, and a flag with all of them. */
#include "data/remark.h"
#include "base/log.h"
#include "base/error.h"
#include "base/number.h"
#include "data/cell.h"
#include <stdlib.h>
#include <string.h>

lam_status lam_remark_begin(lam_remark *remark)
{
    *remark = (lam_remark) { 0 };
    remark->out = open_memstream(&remark->text, &remark->size);
    return remark->out != NULL ? LAM_OK : lam_fail(LAM_ERR_MEMORY, "out of memory for a message");
}

static lam_status close_text(lam_remark *remark)
{
    int failed = ferror(remark->out);
    failed |= fclose(remark->out) != 0;
    remark->out = NULL;
    return failed || remark->text == NULL ? lam_fail(LAM_ERR_MEMORY, "out of memory for a message") : LAM_OK;
}

lam_status lam_remark_say(lam_remark *remark, const lam_log *log)
{
    lam_status status = close_text(remark);
    if (status == LAM_OK)
        lam_log_say(log, "%s", remark->text);
    free(remark->text);
    return status;
}

lam_status lam_remark_fail(lam_remark *remark, lam_status status)
{
    lam_status closed = close_text(remark);
    if (closed == LAM_OK)
        closed = lam_fail(status, "%s", remark->text);
    free(remark->text);
    return closed;
}

void lam_remark_name(FILE *out, const char *name)
{
    char shown[LAM_SHOWN_SIZE];
    fputs(lam_cell_show(name, strlen(name), shown), out);
}

size_t lam_remark_shown(size_t n)
{
    return n <= LAM_REMARK_NAMES + 1 ? n : LAM_REMARK_NAMES; /* "and 1 others" would save nothing */
}

void lam_remark_between(FILE *out, size_t i, size_t shown, size_t n)
{
    if (i + 1 < shown)
        fputs(i + 2 == n ? " and " : ", ", out);
    else if (shown < n)
        fprintf(out, " and %zu others", n - shown);
}

static void put_name(FILE *out, const lam_source *source, size_t column)
{
    if (source->has_names)
        lam_remark_name(out, source->names[column]);
    else
        fprintf(out, "%zu", lam_column_shown(source, column));
}

void lam_remark_column(FILE *out, const lam_source *source, size_t column)
{
    fprintf(out, "column %zu", lam_column_shown(source, column));
    if (!source->has_names && source->from_zero)
        return;
    fputs(" (", out);
    put_name(out, source, column);
    fputc(')', out);
}

void lam_remark_names(FILE *out, const lam_source *source, const size_t *columns, size_t n)
{
    size_t shown = lam_remark_shown(n);
    for (size_t i = 0; i < shown; i++) {
        put_name(out, source, columns[i]);
        lam_remark_between(out, i, shown, n);
    }
}

/* ---- flags -------------------------------------------------------------------------------------------------------- */

/* A name as it stands in a list: in double quotes where it would not be taken for one name. */
static void put_item(FILE *out, const lam_source *source, size_t column)
{
    const char *name = source->has_names ? source->names[column] : "";
    size_t n = strlen(name);
    if (!source->has_names) {
        fprintf(out, "%zu", lam_column_shown(source, column));
        return;
    }
    int quotes = n == 0 || name[0] == '"' || name[0] == ' ' || name[n - 1] == ' ' || strchr(name, ',') != NULL
        || (source->from_zero && strspn(name, "0123456789") == n);
    fputs(quotes ? "\"" : "", out);
    for (const char *p = name; *p != '\0'; p++)
        fputs(quotes && *p == '"' ? "\"\"" : (const char[]){ *p, '\0' }, out);
    fputs(quotes ? "\"" : "", out);
}

/* The flag's value as a shell takes it: in single quotes where it must be. */
static void put_word(FILE *out, const char *word)
{
    int plain = 1;
    for (const char *p = word; *p != '\0'; p++)
        plain &= (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || (*p & 0x80) != 0
            || strchr("_-./:@%+,", *p) != NULL;
    fputs(plain ? "" : "'", out);
    for (const char *p = word; *p != '\0'; p++)
        fputs(*p == '\'' ? "'\\''" : (const char[]){ *p, '\0' }, out);
    fputs(plain ? "" : "'", out);
}

/* widths NULL: names alone. */
static void put_flag(FILE *out, const char *flag, const lam_source *source, const size_t *columns, const double *widths, size_t n)
{
    char width[LAM_NUMBER_SIZE];
    lam_remark list;
    fputs(flag, out);
    if (lam_remark_begin(&list) != LAM_OK)
        return;
    for (size_t i = 0; i < n; i++) {
        fputs(i == 0 ? "" : ",", list.out);
        put_item(list.out, source, columns[i]);
        if (widths == NULL)
            continue;
        lam_number_print(widths[i], width);
        fprintf(list.out, ":%s", width);
    }
    if (close_text(&list) == LAM_OK)
        put_word(out, list.text);
    free(list.text);
}

void lam_remark_drop(FILE *out, const lam_source *source, const size_t *columns, size_t n)
{
    put_flag(out, "--drop ", source, columns, NULL, n);
}

void lam_remark_noise(FILE *out, const lam_source *source, const size_t *columns, const double *widths, size_t n)
{
    put_flag(out, "--noise ", source, columns, widths, n);
}

/* The model needs the column: it has no flag that leaves it out. */
static void put_remedy_of_model(FILE *out, const lam_source *source, size_t column, const lam_read_options *options, int missing)
{
    const char *owner = options->like->owner;
    fputs(options->all_rows ? "correct it or take the row out of the file" : "leave such rows out with --drop-bad-rows", out);
    if (owner != NULL && strcmp(owner, "the model") != 0)
        return; /* columns of its own making */
    fprintf(out, ", or fit a model %swithout the column, with ", missing ? "that takes missing cells, with --any-given, or one " : "");
    lam_remark_drop(out, source, &column, 1);
}

void lam_remark_remedy(FILE *out, const lam_source *source, size_t column, const lam_read_options *options, int missing)
{
    if (lam_read_for_model(options)) {
        put_remedy_of_model(out, source, column, options, missing);
        return;
    }
    fputs("leave such rows out with --drop-bad-rows, or the column with ", out);
    lam_remark_drop(out, source, &column, 1);
    if (missing && (options == NULL || options->like == NULL))
        fputs(", or fit the rows with their missing cells, with --any-given, or with --given and the names of columns that miss none", out);
}

void lam_remark_number(FILE *out, double value, int digits)
{
    char text[LAM_NUMBER_SIZE];
    lam_number_print(digits > 0 ? lam_number_round(value, digits) : value, text);
    fputs(text, out);
}
