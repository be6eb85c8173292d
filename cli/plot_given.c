/* Pictures of a conditional density: one column as a curve, two as a map, and a column's quantiles against another. */
#include "plot_given.h"
#include <laminar/plot.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DRAWS = 2000, CURVE = 400, MAP = 120, FAN = 80, POINTS = 1000 };

/* What is shown of a model. */
typedef struct picture {
    const cli_command *command;
    const lam_model *model;
    const lam_table *data;
    const plot_given *given;
    size_t dim, shown[2], n_shown, against; /* against: dim where there is none */
    double *row;                            /* [dim] what is given */
    unsigned char *set, *roles;             /* [dim] */
    char *note;
} picture;

static int library(lam_status status)
{
    return status == LAM_OK ? CLI_OK : cli_library_failed();
}

/* ---- what is asked ------------------------------------------------------------------------------------------------ */

static int choose(const picture *p, const char *flag, const char *text, size_t *columns, size_t *n)
{
    const lam_wanted own = lam_model_wanted(p->model);
    lam_config *list;
    lam_read_options choice = {0};
    int code = cli_ask_list(p->command, flag, text, &list, &choice.columns);
    if (code == CLI_OK && lam_columns_choose("the model", own.names.item, own.names.n, &choice, columns, n) != LAM_OK)
        code = cli_misuse(p->command, "--%s: %s", flag, lam_last_error());
    lam_config_free(list);
    return code;
}

/* The columns shown: those listed, or those that move. */
static int choose_shown(picture *p)
{
    size_t n = 0, *columns = cli_alloc(p->dim, sizeof *columns);
    int code = CLI_OK;
    if (p->given->columns != NULL)
        code = choose(p, "columns", p->given->columns, columns, &n);
    for (size_t j = 0; p->given->columns == NULL && j < p->dim; j++)
        if (!p->set[j] && j != p->against && lam_model_role(p->model, j) == LAM_MOVING)
            columns[n++] = j;
    size_t most = p->against < p->dim ? 1 : 2;
    if (code == CLI_OK && (n == 0 || n > most))
        code = cli_misuse(p->command, "%s shows %s, and %zu are not given; name %s with --columns", p->against < p->dim ? "--against" : "--given",
            most == 1 ? "one column" : "one or two columns", n, most == 1 ? "it" : "them");
    for (size_t k = 0; code == CLI_OK && k < n; k++)
        p->shown[p->n_shown++] = columns[k];
    free(columns);
    return code;
}

/* The mean of the data's column, of the cells that are there; otherwise: that of no cell. */
static double mean_of(const picture *p, size_t column, double otherwise)
{
    double sum = 0;
    size_t n = 0;
    for (size_t i = 0; p->data != NULL && i < p->data->rows; i++) {
        double value = p->data->values[i * p->dim + column];
        sum += isnan(value) ? 0 : value;
        n += isnan(value) ? 0 : 1;
    }
    return n > 0 ? sum / (double)n : otherwise;
}

/* What is said of values of flags that no training row is near. */
static int advise(const picture *p)
{
    double *row = cli_alloc(p->dim, sizeof *row);
    for (size_t j = 0; j < p->dim; j++)
        row[j] = p->set[j] ? p->row[j] : (double)NAN;
    int code = cli_ask_advise(p->model, row);
    free(row);
    return code;
}

/* Columns without a value are at the data's mean in a fan, or the model's; elsewhere unknown. */
static int fill_rest(picture *p)
{
    const double *mean, *scale;
    double log_det;
    int any = lam_model_any_given(p->model);
    lam_model_standardiser(p->model, &mean, &scale, &log_det);
    for (size_t j = 0; j < p->dim; j++) {
        int shown = j == p->shown[0] || (p->n_shown > 1 && j == p->shown[1]);
        int input = any ? p->set[j] || j == p->against : lam_model_role(p->model, j) == LAM_GIVEN;
        p->roles[j] = (unsigned char)(shown ? LAM_MOVING : input ? LAM_GIVEN : any ? LAM_ABSENT : LAM_MOVING);
        if (shown && (p->set[j] || (!any && lam_model_role(p->model, j) == LAM_GIVEN)))
            return cli_misuse(p->command, "the column %s is given, and has no density here", lam_model_column(p->model, j));
        if (!any && !input && !shown && p->against == p->dim)
            return cli_misuse(p->command, "this fit has the density of all columns that are not given together, and not that of %s without %s; show them all with "
                "--columns (two at the most), or fit with --any-given", lam_model_column(p->model, p->shown[0]), lam_model_column(p->model, j));
        if (!input && p->set[j])
            return cli_misuse(p->command, "--given: this model was fitted with %s not given; a fit with --any-given takes any columns",
                lam_model_column(p->model, j));
        if (!input || p->set[j] || j == p->against)
            continue;
        p->row[j] = mean_of(p, j, mean[j]);
    }
    return CLI_OK;
}

/* What the fit is given has a value: of a fan, its columns of text. */
static int check_values(const picture *p)
{
    size_t lacking = 0;
    unsigned char *lack = cli_alloc(p->dim, sizeof *lack);
    for (size_t j = 0; j < p->dim; j++) {
        lack[j] = p->roles[j] == LAM_GIVEN && !p->set[j] && j != p->against && (p->against == p->dim || lam_model_levels(p->model, j).n > 0);
        lacking += lack[j];
    }
    int code = lacking > 0 ? cli_ask_lacking(p->command, p->model, lack) : CLI_OK;
    free(lack);
    return code;
}

static int prepare(picture *p)
{
    int code = CLI_OK;
    size_t n;
    if (!cli_is_conditional(p->model))
        return cli_misuse(p->command, "this model is of all its columns together; --given and --against want a fit with --given or --any-given");
    for (size_t i = 0; i < p->given->given->n && code == CLI_OK; i++)
        code = cli_ask_value(p->command, "given", p->given->given->text[i], p->model, p->row, p->set);
    if (code == CLI_OK)
        code = advise(p);
    if (code == CLI_OK && p->given->against != NULL) {
        size_t *columns = cli_alloc(p->dim, sizeof *columns);
        code = choose(p, "against", p->given->against, columns, &n);
        if (code == CLI_OK && n != 1)
            code = cli_misuse(p->command, "--against wants one column");
        p->against = code == CLI_OK ? columns[0] : p->dim;
        free(columns);
    }
    if (code == CLI_OK && p->against < p->dim && lam_model_levels(p->model, p->against).n > 0)
        code = cli_misuse(p->command, "--against %s: the column is text", p->given->against);
    if (code == CLI_OK)
        code = choose_shown(p);
    if (code == CLI_OK)
        code = fill_rest(p);
    return code == CLI_OK ? check_values(p) : code;
}

/* "given a = 1, b = 2"; free with free(). */
static char *describe(const picture *p)
{
    char *text = cli_format("%s", "");
    for (size_t j = 0, n = 0; j < p->dim; j++) {
        if (p->roles[j] != LAM_GIVEN || j == p->against)
            continue;
        const lam_names levels = lam_model_levels(p->model, j);
        char value[64];
        snprintf(value, sizeof value, "%.4g", p->row[j]);
        char *more = cli_format("%s%s%.40s = %.40s", text, n++ == 0 ? "" : n % 4 == 1 ? ",\n" : ", ", lam_model_column(p->model, j),
            levels.n > 0 ? levels.item[(size_t)p->row[j]] : value);
        free(text);
        text = more;
    }
    char *printable = cli_printable(text);
    free(text);
    return printable;
}

/* ---- pictures ----------------------------------------------------------------------------------------------------- */

static int write(const picture *p, const lam_panel *panel, double width)
{
    const lam_plot plot = {.panels = panel, .n_panels = 1, .width = width, .height = 440, .note = p->note, .dark = p->given->dark};
    return library(lam_plot_write(&plot, p->given->out));
}

static int ascending(const void *a, const void *b)
{
    double u = *(const double *)a, v = *(const double *)b;
    return (u > v) - (u < v);
}

/* The range of draws [n] of a column, their long tails cut. */
static void range(const double *draws, size_t n, size_t dim, size_t column, double *low, double *high)
{
    double *sorted = cli_alloc(n, sizeof *sorted);
    for (size_t k = 0; k < n; k++)
        sorted[k] = draws[k * dim + column];
    qsort(sorted, n, sizeof *sorted, ascending);
    double from = sorted[n / 200], to = sorted[n - 1 - n / 200], more = 0.25 * (to - from);
    *low = from - more, *high = to + more;
    free(sorted);
}

/* log density at x [n, dim], turned into densities unless logarithms are shown. */
static int densities(const picture *p, const double *x, size_t n, double *out)
{
    int code = library(lam_conditional_log_prob(p->model, p->given->eval, &(lam_query){x, n, p->roles, 1}, out, NULL));
    int logs = p->given->scale != NULL && strcmp(p->given->scale, "log") == 0;
    for (size_t i = 0; code == CLI_OK && i < n && !logs; i++)
        out[i] = exp(out[i]);
    return code;
}

static const char *density_label(const picture *p)
{
    return p->given->scale != NULL && strcmp(p->given->scale, "log") == 0 ? "log density, nats" : "density";
}

static int draw_curve(const picture *p, const double *draws, size_t n, const char *title)
{
    size_t grid = p->given->grid > 0 ? p->given->grid : CURVE, column = p->shown[0];
    double low, high, *x = cli_alloc(grid * p->dim, sizeof *x), *at = cli_alloc(grid, sizeof *at), *y = cli_alloc(grid, sizeof *y);
    range(draws, n, p->dim, column, &low, &high);
    for (size_t i = 0; i < grid; i++) {
        memcpy(x + i * p->dim, p->row, p->dim * sizeof *x);
        x[i * p->dim + column] = at[i] = low + (high - low) * (double)i / (double)(grid - 1);
    }
    int code = densities(p, x, grid, y);
    char *name = cli_printable(lam_model_column(p->model, column));
    const lam_series curve = {.x = at, .y = y, .n = grid};
    const lam_panel panel = {.title = title, .x_label = name, .y_label = density_label(p), .series = &curve, .n_series = 1};
    if (code == CLI_OK)
        code = write(p, &panel, 620);
    free(name);
    free(x), free(at), free(y);
    return code;
}

static int draw_map(const picture *p, const double *draws, size_t n, const char *title)
{
    size_t grid = p->given->grid > 0 ? p->given->grid : MAP, points = n < POINTS ? n : POINTS;
    double low[2], high[2], *x = cli_alloc(grid * grid * p->dim, sizeof *x), *z = cli_alloc(grid * grid, sizeof *z);
    double *dots[2] = {cli_alloc(points, sizeof(double)), cli_alloc(points, sizeof(double))};
    for (int k = 0; k < 2; k++)
        range(draws, n, p->dim, p->shown[k], &low[k], &high[k]);
    for (size_t i = 0; i < grid * grid; i++) {
        const size_t place[2] = {i % grid, i / grid};
        memcpy(x + i * p->dim, p->row, p->dim * sizeof *x);
        for (int k = 0; k < 2; k++)
            x[i * p->dim + p->shown[k]] = low[k] + (high[k] - low[k]) * ((double)place[k] + 0.5) / (double)grid;
    }
    for (size_t i = 0; i < points; i++)
        for (int k = 0; k < 2; k++)
            dots[k][i] = draws[i * p->dim + p->shown[k]];
    int code = densities(p, x, grid * grid, z);
    char *name[2] = {cli_printable(lam_model_column(p->model, p->shown[0])), cli_printable(lam_model_column(p->model, p->shown[1]))};
    const double corners[2][2] = {{low[0], high[0]}, {low[1], high[1]}};
    const lam_series series[2] = {{.kind = LAM_SERIES_MAP, .x = corners[0], .y = corners[1], .n = 2, .z = z, .rows = grid, .columns = grid},
        {.kind = LAM_SERIES_POINTS, .x = dots[0], .y = dots[1], .n = points, .size = 2, .opacity = 0.35, .name = "draws"}};
    const lam_panel panel = {.title = title, .x_label = name[0], .y_label = name[1], .z_label = density_label(p), .series = series, .n_series = 2,
        .x_low = low[0], .x_high = high[0], .y_low = low[1], .y_high = high[1]};
    if (code == CLI_OK)
        code = write(p, &panel, 560);
    free(name[0]), free(name[1]);
    free(x), free(z), free(dots[0]), free(dots[1]);
    return code;
}

static int draw_density(const picture *p)
{
    size_t n = p->given->draws > 0 ? p->given->draws : DRAWS;
    double *draws = cli_alloc(n * p->dim, sizeof *draws);
    char *values = describe(p), *title = cli_format("Density given\n%s", values[0] != '\0' ? values : "nothing");
    int code = library(lam_conditional_sample(p->model, p->given->eval, p->given->seed, &(lam_query){p->row, 1, p->roles, 1}, n, draws, NULL, NULL));
    if (code == CLI_OK)
        code = p->n_shown == 1 ? draw_curve(p, draws, n, title) : draw_map(p, draws, n, title);
    free(values);
    free(title);
    free(draws);
    return code;
}

/* ---- a fan of quantiles ------------------------------------------------------------------------------------------- */

static void fan_range(const picture *p, double *low, double *high)
{
    const double *mean, *scale;
    double log_det;
    lam_model_standardiser(p->model, &mean, &scale, &log_det);
    *low = mean[p->against] - 2 * scale[p->against], *high = mean[p->against] + 2 * scale[p->against];
    int found = 0;
    for (size_t i = 0; p->data != NULL && i < p->data->rows; i++) {
        double v = p->data->values[i * p->dim + p->against];
        if (isnan(v))
            continue;
        *low = found ? fmin(*low, v) : v;
        *high = found ? fmax(*high, v) : v;
        found = 1;
    }
}

/* Rows that a fan may be laid over: with both cells, and with the texts that are given; rows of other shops tell nothing of this one's. */
static int is_alike(const picture *p, const double *row)
{
    int alike = !isnan(row[p->against]) && !isnan(row[p->shown[0]]);
    for (size_t j = 0; j < p->dim; j++)
        alike &= !p->set[j] || lam_model_levels(p->model, j).n == 0 || row[j] == p->row[j];
    return alike;
}

/* At most `most` of them, evenly spread, into dots [2][most]; *left_out 1: the texts of some rows are others. */
static size_t take_dots(const picture *p, size_t most, double *const dots[2], int *left_out)
{
    size_t n = 0, taken = 0, seen = 0;
    for (size_t i = 0; p->data != NULL && i < p->data->rows; i++)
        n += is_alike(p, p->data->values + i * p->dim) ? 1 : 0;
    *left_out = 0;
    for (size_t i = 0; p->data != NULL && i < p->data->rows; i++) {
        const double *row = p->data->values + i * p->dim;
        if (!is_alike(p, row)) {
            *left_out |= !isnan(row[p->against]) && !isnan(row[p->shown[0]]);
            continue;
        }
        if (n > most && seen++ * most / n < taken)
            continue;
        dots[0][taken] = row[p->against], dots[1][taken++] = row[p->shown[0]];
    }
    return taken;
}

/* What the dots are, for the legend: "data where kind = up". Free with free(). */
static char *name_dots(const picture *p, int left_out)
{
    enum { MOST = 60 }; /* characters that a legend has room for */
    char *text = cli_format("data");
    for (size_t j = 0, n = 0; left_out && j < p->dim; j++) {
        const lam_names levels = lam_model_levels(p->model, j);
        if (!p->set[j] || levels.n == 0)
            continue;
        char *more = cli_format("%s%s%.40s = %.40s", text, n++ == 0 ? " where " : ", ", lam_model_column(p->model, j), levels.item[(size_t)p->row[j]]);
        free(text);
        text = more;
    }
    char *printable = strlen(text) <= MOST ? cli_printable(text) : cli_format("data with the texts that are given");
    free(text);
    return printable;
}

static int draw_fan(const picture *p)
{
    static const double quantiles[5] = {0.05, 0.25, 0.5, 0.75, 0.95};
    static const char *const names[5] = {"5 and 95 %", NULL, "median", "25 and 75 %", NULL};
    enum { NUMBERS = 2 + 5 };
    double low, high, *x = cli_alloc(FAN * p->dim, sizeof *x), at[FAN], lines[5][FAN], *values = cli_alloc(FAN * NUMBERS, sizeof *values);
    double *dots[2] = {cli_alloc(POINTS + 1, sizeof(double)), cli_alloc(POINTS + 1, sizeof(double))};
    int left_out;
    size_t points = take_dots(p, POINTS, dots, &left_out);
    fan_range(p, &low, &high);
    for (size_t i = 0; i < FAN; i++) {
        memcpy(x + i * p->dim, p->row, p->dim * sizeof *x);
        x[i * p->dim + p->against] = at[i] = low + (high - low) * (double)i / (FAN - 1);
    }
    const lam_predict_options options = {.eval = p->given->eval, .seed = p->given->seed, .draws = p->given->draws, .columns = &p->shown[0],
        .n_columns = 1, .quantiles = quantiles, .n_quantiles = 5};
    int code = library(lam_predict(p->model, &options, &(lam_query){x, FAN, p->roles, 1}, values, NULL, NULL));
    for (size_t i = 0; i < FAN; i++)
        for (size_t k = 0; k < 5; k++)
            lines[k][i] = values[i * NUMBERS + 2 + k];
    char *dots_name = name_dots(p, left_out);
    lam_series series[6] = {{.kind = LAM_SERIES_POINTS, .x = dots[0], .y = dots[1], .n = points, .size = 3, .opacity = 0.4, .colour = 1,
        .name = dots_name}};
    size_t first = points == 0;
    for (size_t k = 0; k < 5; k++)
        series[1 + k] = (lam_series){.x = at, .y = lines[k], .n = FAN, .name = names[k], .colour = 0, .size = k == 2 ? 2.5 : 1.2,
            .line = k == 2 ? LAM_LINE_SOLID : k == 0 || k == 4 ? LAM_LINE_DOTTED : LAM_LINE_DASHED};
    char *x_name = cli_printable(lam_model_column(p->model, p->against)), *y_name = cli_printable(lam_model_column(p->model, p->shown[0]));
    char *rest = describe(p), *title = cli_format("Quantiles of %s%s%s", y_name, rest[0] != '\0' ? "\ngiven " : "", rest);
    const lam_panel panel = {.title = title, .x_label = x_name, .y_label = y_name, .series = series + first, .n_series = 6 - first};
    if (code == CLI_OK)
        code = write(p, &panel, 680);
    free(x_name), free(y_name), free(rest), free(title), free(dots_name);
    free(x), free(values), free(dots[0]), free(dots[1]);
    return code;
}

int plot_given_draw(const cli_command *command, const lam_model *model, const lam_table *data, const plot_given *given)
{
    size_t dim = lam_model_dim(model);
    double start = cli_clock();
    char text[32];
    picture p = {.command = command, .model = model, .data = data, .given = given, .dim = dim, .against = dim,
        .row = cli_alloc(dim, sizeof(double)), .set = cli_alloc(dim, 1), .roles = cli_alloc(dim, 1)};
    for (size_t j = 0; j < dim; j++)
        p.row[j] = (double)NAN;
    int code = prepare(&p);
    if (code == CLI_OK)
        code = p.against < dim ? draw_fan(&p) : draw_density(&p);
    if (code == CLI_OK)
        printf("%s: %s\n", given->out, cli_duration(cli_clock() - start, text));
    free(p.row);
    free(p.set);
    free(p.roles);
    return code;
}
