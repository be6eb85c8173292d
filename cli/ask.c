/* Which columns a command is given, and which it asks for. */
#include "cli.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

int cli_ask_list(const cli_command *command, const char *flag, const char *text, lam_config **lists, lam_names *names)
{
    *lists = cli_config_create();
    *names = (lam_names){0};
    if (text == NULL)
        return CLI_OK;
    if (lam_config_set(*lists, "columns", text) != LAM_OK) {
        const char *colon = strchr(lam_last_error(), ':'); /* behind the parameter's name */
        return cli_misuse(command, "--%s%s", flag, colon != NULL ? colon : ": no list of columns");
    }
    *names = lam_config_names(*lists, "columns");
    return CLI_OK;
}

int cli_ask_roles(const cli_command *command, const cli_ask *ask, const lam_model *model, lam_role rest, unsigned char *roles)
{
    lam_config *of_list, *given_list = NULL;
    lam_names of, given = {0};
    int code = cli_ask_list(command, "of", ask->of, &of_list, &of);
    if (code == CLI_OK)
        code = cli_ask_list(command, "given", ask->given, &given_list, &given);
    if (code == CLI_OK && lam_model_roles(model, &of, &given, rest, roles) != LAM_OK)
        code = cli_misuse(command, "%s", lam_last_error());
    lam_config_free(of_list);
    lam_config_free(given_list);
    return code;
}

static int is_unordered(const cli_command *command, const char *flag, const char *text, const lam_model *model)
{
    const lam_wanted own = lam_model_wanted(model);
    lam_read_options choice = {0};
    lam_config *list;
    size_t n = 0, *columns = cli_alloc(own.names.n, sizeof *columns);
    int turned = 0;
    if (text != NULL && cli_ask_list(command, flag, text, &list, &choice.columns) == CLI_OK) {
        if (lam_columns_choose("the model", own.names.item, own.names.n, &choice, columns, &n) != LAM_OK)
            n = 0; /* which is told of elsewhere */
        lam_config_free(list);
    }
    for (size_t k = 1; k < n; k++)
        turned |= columns[k] < columns[k - 1];
    free(columns);
    return turned;
}

int cli_ask_unordered(const cli_command *command, const cli_ask *ask, const lam_model *model)
{
    return is_unordered(command, "of", ask->of, model) || is_unordered(command, "given", ask->given, model);
}

/* The model's column that text [n] names, or that it is the number of; the number of columns: none. */
static size_t find_column(const lam_model *model, const char *text, size_t n)
{
    size_t dim = lam_model_dim(model), number = 0, digits = 0;
    for (size_t j = 0; j < dim; j++)
        if (strlen(lam_model_column(model, j)) == n && memcmp(lam_model_column(model, j), text, n) == 0)
            return j;
    for (; digits < n && text[digits] >= '0' && text[digits] <= '9' && number <= dim; digits++)
        number = 10 * number + (size_t)(text[digits] - '0');
    return lam_model_has_names(model) && digits == n && number >= 1 && number <= dim ? number - 1 : dim;
}

/* text [n] without blanks and one pair of double quotes around it; a doubled quote in them is one. Free with free(). */
static char *bare(const char *text, size_t n)
{
    while (n > 0 && text[0] == ' ')
        text++, n--;
    while (n > 0 && text[n - 1] == ' ')
        n--;
    char *copy = cli_alloc(n + 1, 1);
    if (n < 2 || text[0] != '"' || text[n - 1] != '"')
        return memcpy(copy, text, n);
    size_t used = 0;
    for (size_t i = 1; i + 1 < n; i++) {
        copy[used++] = text[i];
        i += text[i] == '"' && text[i + 1] == '"' && i + 2 < n;
    }
    return copy;
}

/* The level of a column that value names, as it stands or without quotes around it; levels.n: none. */
static size_t find_level(const lam_names levels, const char *value)
{
    char *plain = bare(value, strlen(value));
    size_t found = levels.n;
    for (size_t k = levels.n; k-- > 0;)
        if (strcmp(levels.item[k], plain) == 0)
            found = k;
    for (size_t k = 0; k < levels.n; k++)
        if (strcmp(levels.item[k], value) == 0)
            found = k;
    free(plain);
    return found;
}

static int unknown_level(const cli_command *command, const char *flag, const char *name, const char *value, const lam_names levels)
{
    char *known = cli_few(levels.item, levels.n);
    int code = cli_misuse(command, "--%s %s=%s: the column is text, and this is not one of its %zu levels (%s)", flag, name, value, levels.n, known);
    free(known);
    return code;
}

static int set_value(const cli_command *command, const char *flag, const lam_model *model, size_t column, const char *value, double *cell)
{
    const lam_names levels = lam_model_levels(model, column);
    const char *name = lam_model_column(model, column);
    size_t level = find_level(levels, value);
    if (levels.n > 0 && level == levels.n)
        return unknown_level(command, flag, name, value, levels);
    *cell = (double)level;
    if (levels.n > 0)
        return CLI_OK;
    char *plain = bare(value, strlen(value)), *end;
    *cell = strtod(plain, &end);
    int is_number = end != plain && *end == '\0' && isfinite(*cell);
    free(plain);
    if (!is_number)
        return cli_misuse(command, "--%s %s=%s: \"%s\" is no number%s%s%s", flag, name, value, value, strchr(value, '=') != NULL ? "; write --" : "",
            strchr(value, '=') != NULL ? flag : "", strchr(value, '=') != NULL ? " once for each column" : "");
    return CLI_OK;
}

/* The sign behind the name in text, *column the one that it names; NULL: none does. Names may hold the sign too. */
static const char *find_sign(const lam_model *model, const char *text, size_t *column)
{
    for (const char *sign = strchr(text, '='); sign != NULL; sign = strchr(sign + 1, '='))
        if ((*column = find_column(model, text, (size_t)(sign - text))) < lam_model_dim(model))
            return sign;
    for (const char *sign = strchr(text, '='); sign != NULL; sign = strchr(sign + 1, '=')) {
        char *name = bare(text, (size_t)(sign - text));
        *column = find_column(model, name, strlen(name));
        free(name);
        if (*column < lam_model_dim(model))
            return sign;
    }
    return NULL;
}

/* The library's message about a name that is none, with the nearest one. */
static int unknown_column(const cli_command *command, const char *flag, const char *text, const lam_model *model)
{
    const lam_wanted own = lam_model_wanted(model);
    char *name = bare(text, strcspn(text, "="));
    const char *const item = name;
    const lam_read_options choice = {.columns = {&item, 1}};
    size_t *kept = cli_alloc(own.names.n, sizeof *kept), n;
    int code = lam_columns_choose("the model", own.has_names ? own.names.item : NULL, own.names.n, &choice, kept, &n) == LAM_OK
        ? cli_misuse(command, "--%s %s: the model has no such column", flag, text)
        : cli_misuse(command, "--%s %s: %s", flag, text, lam_last_error());
    free(kept);
    free(name);
    return code;
}

int cli_ask_value(const cli_command *command, const char *flag, const char *text, const lam_model *model, double *row, unsigned char *is_set)
{
    char *whole = bare(text, strlen(text)); /* as "a=1", with these quotes */
    size_t column = 0;
    const char *sign = find_sign(model, text, &column);
    if (sign == NULL)
        sign = find_sign(model, whole, &column);
    int code = CLI_OK;
    if (strchr(text, '=') == NULL)
        code = cli_misuse(command, "--%s %s: write NAME=VALUE, as in --%s %s=0.5", flag, text, flag, lam_model_column(model, 0));
    else if (sign == NULL)
        code = unknown_column(command, flag, text, model);
    else if (is_set != NULL && is_set[column])
        code = cli_misuse(command, "--%s %s: the column %s has a value already", flag, text, lam_model_column(model, column));
    else
        code = set_value(command, flag, model, column, sign + 1, &row[column]);
    if (code == CLI_OK && is_set != NULL)
        is_set[column] = 1;
    free(whole);
    return code;
}

char *cli_ask_flags(const lam_model *model, const unsigned char *named, char **flags)
{
    size_t n = 0, dim = lam_model_dim(model);
    const char **names = cli_alloc(dim, sizeof *names);
    *flags = cli_format("%s", "");
    for (size_t j = 0; j < dim; j++)
        if (named[j])
            names[n++] = lam_model_column(model, j);
    size_t shown = n <= CLI_FEW + 1 ? n : CLI_FEW;
    for (size_t k = 0; k < shown; k++) {
        char *longer = cli_format("%s --given %s=VALUE%s", *flags, names[k], k + 1 == shown && shown < n ? " ..." : "");
        free(*flags);
        *flags = longer;
    }
    char *list = cli_few(names, n);
    free(names);
    return list;
}

int cli_ask_lacking(const cli_command *command, const lam_model *model, const unsigned char *lack)
{
    char *flags, *names = cli_ask_flags(model, lack, &flags);
    size_t n = 0;
    for (size_t j = 0; j < lam_model_dim(model); j++)
        n += lack[j];
    int code = cli_misuse(command, "this model is given %s, which %s no value:%s", names, n == 1 ? "has" : "have", flags);
    free(names);
    free(flags);
    return code;
}

int cli_ask_advise(const lam_model *model, const double *row)
{
    const lam_log log = {cli_log, NULL};
    return lam_rows_advise(model, NULL, row, 1, &log) == LAM_OK ? CLI_OK : cli_library_failed();
}

int cli_ask_numbers(const cli_command *command, const char *flag, const char *text, double **numbers, size_t *n)
{
    *n = 0;
    *numbers = cli_alloc(text == NULL ? 1 : strlen(text) + 1, sizeof **numbers);
    for (const char *at = text; at != NULL;) {
        size_t length = strcspn(at, ",");
        char *item = bare(at, length), *end;
        double value = strtod(item, &end);
        int is_number = end != item && *end == '\0' && isfinite(value);
        free(item);
        if (!is_number)
            return cli_misuse(command, "--%s %s: \"%.*s\" is no number; write numbers with commas between them, as in --%s 0.1,0.9", flag, text,
                (int)length, at, flag);
        (*numbers)[(*n)++] = value;
        at = at[length] == ',' ? at + length + 1 : NULL;
    }
    return CLI_OK;
}
