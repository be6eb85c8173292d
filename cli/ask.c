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

int cli_ask_rows(const lam_model *model, const unsigned char *roles, int fills, const lam_table *data, unsigned char **out)
{
    *out = cli_alloc(data->rows, data->cols);
    return lam_roles_of_rows(model, roles, fills, data->values, data->rows, *out) == LAM_OK ? CLI_OK : cli_library_failed();
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

static int set_value(const cli_command *command, const char *flag, const lam_model *model, size_t column, const char *value, double *cell)
{
    const lam_names levels = lam_model_levels(model, column);
    const char *name = lam_model_column(model, column);
    char *end;
    for (size_t k = 0; k < levels.n; k++)
        if (strcmp(levels.item[k], value) == 0) {
            *cell = (double)k;
            return CLI_OK;
        }
    if (levels.n > 0)
        return cli_misuse(command, "--%s %s=%s: the column is text, and this is not one of its %zu levels (%s%s%s)", flag, name, value, levels.n,
            levels.item[0], levels.n > 1 ? ", " : "", levels.n > 2 ? "..." : levels.n > 1 ? levels.item[1] : "");
    *cell = strtod(value, &end);
    if (end == value || *end != '\0' || !isfinite(*cell))
        return cli_misuse(command, "--%s %s=%s: \"%s\" is no number", flag, name, value, value);
    return CLI_OK;
}

int cli_ask_value(const cli_command *command, const char *flag, const char *text, const lam_model *model, double *row, unsigned char *is_set)
{
    size_t dim = lam_model_dim(model);
    for (const char *sign = strchr(text, '='); sign != NULL; sign = strchr(sign + 1, '=')) { /* names may hold the sign too */
        size_t column = find_column(model, text, (size_t)(sign - text));
        if (column == dim)
            continue;
        if (is_set != NULL && is_set[column])
            return cli_misuse(command, "--%s %s: the column %s has a value already", flag, text, lam_model_column(model, column));
        if (is_set != NULL)
            is_set[column] = 1;
        return set_value(command, flag, model, column, sign + 1, &row[column]);
    }
    if (strchr(text, '=') == NULL)
        return cli_misuse(command, "--%s %s: write NAME=VALUE, as in --%s %s=0.5", flag, text, flag, lam_model_column(model, 0));
    return cli_misuse(command, "--%s %s: the model has no such column", flag, text);
}

int cli_ask_numbers(const cli_command *command, const char *flag, const char *text, double **numbers, size_t *n)
{
    *n = 0;
    *numbers = cli_alloc(text == NULL ? 1 : strlen(text) + 1, sizeof **numbers);
    for (const char *at = text; at != NULL && *at != '\0';) {
        char *end;
        double value = strtod(at, &end);
        if (end == at || (*end != ',' && *end != '\0') || !isfinite(value))
            return cli_misuse(command, "--%s %s: write numbers with commas between them", flag, text);
        (*numbers)[(*n)++] = value;
        at = *end == ',' ? end + 1 : end;
    }
    return CLI_OK;
}
