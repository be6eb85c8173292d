/* laminar info: what a model file holds, of a density or of an auto-encoder. */
#include "vae.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct info_args {
    cli_eval eval; /* --config alone */
} info_args;

static const cli_option info_options[] = {
    CLI_CONFIG_OPTION(info_args),
    {0},
};

/* The columns of text, below the table of all. */
static void print_levels(const lam_model *model)
{
    cli_grid grid = {.columns = 2, .left = 1};
    for (size_t j = 0; j < lam_model_dim(model); j++) {
        const lam_names levels = lam_model_levels(model, j);
        if (levels.n == 0)
            continue;
        char *list = cli_few(levels.item, levels.n);
        cli_grid_add(&grid, "  %s", lam_model_column(model, j));
        cli_grid_add(&grid, "%s", list);
        free(list);
    }
    if (grid.cells > 0)
        printf("\nlevels of columns of text, of which each is an input of 0 or 1\n");
    cli_grid_print(&grid, stdout);
}

static void print_columns(const lam_model *model)
{
    const double *mean, *scale;
    const char *name;
    double log_det;
    cli_grid grid = {.columns = 3};
    lam_model_standardiser(model, &mean, &scale, &log_det);
    printf("\ncolumns (standardised as (x - mean) / scale; log-determinant %.6f nats)\n", log_det);
    cli_grid_add(&grid, "  name");
    cli_grid_add(&grid, "mean");
    cli_grid_add(&grid, "scale");
    for (size_t j = 0; (name = lam_model_column(model, j)) != NULL; j++) {
        size_t levels = lam_model_levels(model, j).n;
        cli_grid_add(&grid, "  %s", name);
        if (levels > 0) {
            cli_grid_add(&grid, "text");
            cli_grid_add(&grid, "%zu level%s", levels, levels == 1 ? "" : "s");
            continue;
        }
        cli_grid_add(&grid, "%.8g", mean[j]);
        cli_grid_add(&grid, "%.8g", scale[j]);
    }
    cli_grid_print(&grid, stdout);
    print_levels(model);
}

static void print_configuration(const lam_config *cfg)
{
    const lam_parameter *parameter;
    const char *group = "";
    char value[256];
    cli_grid grid = {.columns = 2, .left = 1};
    for (size_t i = 0; (parameter = lam_parameter_at(i)) != NULL; i++) {
        if (!lam_parameter_applies(i, lam_config_kind(cfg)))
            continue;
        if (strcmp(parameter->group, group) != 0) {
            cli_grid_print(&grid, stdout);
            grid = (cli_grid){.columns = 2, .left = 1};
            group = parameter->group;
            printf("\n%s\n", group);
        }
        cli_grid_add(&grid, "  %s", parameter->name);
        cli_grid_add(&grid, "%s", cli_parameter(cfg, parameter->name, value));
    }
    cli_grid_print(&grid, stdout);
}

/* A row of the list of tensors. */
static void add_tensor(cli_grid *grid, const char *name, const size_t *shape, size_t n_shape)
{
    char text[96] = "";
    int used = 0;
    for (size_t i = 0; i < n_shape; i++)
        used += snprintf(text + used, sizeof text - (size_t)used, "%s%zu", i > 0 ? ", " : "", shape[i]);
    cli_grid_add(grid, "  %s", name);
    cli_grid_add(grid, "[%s]", text);
}

/* How a model is trained and evaluated. */
static void print_solves(const lam_config *cfg)
{
    char how[128];
    const lam_setting setting = lam_config_setting(cfg);
    printf("tolerances     training atol %g, rtol %g; standardised units\n", lam_config_number(cfg, "atol"), lam_config_number(cfg, "rtol"));
    printf("evaluation     %s\n", cli_setting_text(&setting, how));
}

static void print_tuning(const lam_model *model)
{
    lam_tuning tuning;
    char how[128];
    if (!lam_model_tuning(model, &tuning))
        return;
    printf("tuned          to log p within rms %g, 99th percentile %g nats; it had %.2e and %.2e on %zu validation rows\n",
        tuning.error, tuning.percentile_error, tuning.rms, tuning.percentile, tuning.rows);
    printf("as fitted      %s\n", cli_setting_text(&tuning.before, how));
}

static void print_maps(const lam_model *model)
{
    size_t least = SIZE_MAX, most = 0;
    for (size_t j = 0; j < lam_model_dim(model); j++) {
        size_t knots = lam_model_map_knots(model, j);
        if (lam_model_levels(model, j).n > 0) /* text has a map that does nothing */
            continue;
        least = knots < least ? knots : least;
        most = knots > most ? knots : most;
    }
    if (most == 0)
        return;
    printf("map            every standardised column to normal scores, by a spline of %zu", least);
    printf(least < most ? " to %zu knots\n" : " knots\n", most);
}

static void print_flows(const char *path, const lam_model *model)
{
    size_t flows = lam_model_flows(model), asked;
    char *why = cli_model_lacks_flows(path, model, &asked), of[32] = "";
    if (why != NULL)
        snprintf(of, sizeof of, " of %zu", asked);
    if (flows > 1)
        printf("flows          %zu%s, each of so many parameters, whose densities are averaged; this page is of the first\n", flows, of);
    else if (why != NULL)
        printf("flows          %zu%s\n", flows, of);
    if (why != NULL)
        printf("               %s\n", why);
    free(why);
}

static void print_head(const char *path, const lam_model *model)
{
    const lam_config *cfg = lam_model_config(model);
    char dims[256], layer[256], act[256];
    const char *hash = lam_model_data_hash(model);
    size_t blocks = cli_whole(cfg, "blocks");
    printf("model          %s\n", path);
    printf("architecture   %zu columns, hidden %s, %zu block%s, layer %s, %s\n", lam_model_dim(model),
        cli_parameter(cfg, "dims", dims), blocks, blocks == 1 ? "" : "s", cli_parameter(cfg, "layer", layer),
        cli_parameter(cfg, "nonlinearity", act));
    printf("parameters     %zu\n", lam_model_parameter_count(model));
    print_flows(path, model);
    print_solves(cfg);
    print_tuning(model);
    print_maps(model);
    if (lam_config_is(cfg, "whiten", "gaussian"))
        puts("whitening      of all columns together, by the Gaussian of the training rows");
    if (lam_model_base_scale(model) != 1)
        printf("base density   normal, %.4g times as wide, as validation rows have it\n", lam_model_base_scale(model));
    printf("data hash      %s\n", hash == NULL || hash[0] == '\0' ? "-" : hash);
}

static int print_density(const char *path, const char *config)
{
    const char *name;
    size_t shape[2], n_shape;
    lam_model *model = NULL;
    cli_grid grid = {.columns = 2, .left = 1};
    int code = cli_model_read(path, config, &model);
    if (code != CLI_OK)
        return code;
    print_head(path, model);
    print_columns(model);
    print_configuration(lam_model_config(model));
    printf("\ntensors\n");
    for (size_t i = 0; (name = lam_model_tensor(model, i, shape, &n_shape)) != NULL; i++)
        add_tensor(&grid, name, shape, n_shape);
    cli_grid_print(&grid, stdout);
    lam_model_free(model);
    return CLI_OK;
}

/* ---- auto-encoders ------------------------------------------------------------------------------------------------ */

static void print_vae_head(const char *path, const lam_vae *model)
{
    const lam_config *cfg = lam_vae_config(model);
    char dims[256], posterior[256], amortised[256], pixels[256];
    size_t height, width, blocks = cli_whole(cfg, "blocks");
    lam_vae_image_size(model, &height, &width);
    printf("model          %s\n", path);
    printf("architecture   auto-encoder of %zux%zu images, pixels %s, latent %zu, posterior %s", height, width,
        cli_parameter(cfg, "pixels", pixels), cli_whole(cfg, "latent"), cli_parameter(cfg, "posterior", posterior));
    if (lam_config_is(cfg, "posterior", "cnf"))
        printf(" (hidden %s, %zu block%s, amortised %s)", cli_parameter(cfg, "dims", dims), blocks, blocks == 1 ? "" : "s",
            cli_parameter(cfg, "amortised", amortised));
    printf("\n");
    print_solves(cfg);
    printf("data hash      %s\n", lam_vae_data_hash(model));
}

static void print_parts(const lam_vae *model)
{
    const char *name;
    size_t parameters;
    cli_grid grid = {.columns = 2};
    printf("\nparameters\n");
    for (size_t i = 0; (name = lam_vae_component(model, i, &parameters)) != NULL; i++) {
        cli_grid_add(&grid, "  %s", name);
        cli_grid_add(&grid, "%zu", parameters);
    }
    cli_grid_add(&grid, "  all");
    cli_grid_add(&grid, "%zu", lam_vae_parameter_count(model));
    cli_grid_print(&grid, stdout);
}

static int print_vae(const char *path, const char *config)
{
    char name[96];
    size_t shape[4], n_shape;
    lam_vae *model = NULL;
    cli_grid grid = {.columns = 2, .left = 1};
    int code = vae_open(path, &model);
    if (code != CLI_OK)
        return code;
    if (config != NULL)
        cli_say("note: %s brings its own configuration; %s is not used", path, config);
    print_vae_head(path, model);
    print_parts(model);
    print_configuration(lam_vae_config(model));
    printf("\ntensors\n");
    for (size_t i = 0; lam_vae_tensor_at(model, i, name, shape, &n_shape); i++)
        add_tensor(&grid, name, shape, n_shape);
    cli_grid_print(&grid, stdout);
    lam_vae_free(model);
    return CLI_OK;
}

/* ---- the command -------------------------------------------------------------------------------------------------- */

static int run(const cli_command *command, int argc, char **argv)
{
    info_args args = {0};
    cli_line line;
    lam_model_kind kind = LAM_DENSITY;
    char *file = NULL;
    int code = cli_line_parse(command, argc, argv, &args, &line);
    if (code == CLI_OK)
        code = cli_model_file(line.words[0], &file);
    if (code == CLI_OK && lam_model_file_kind(file, &kind) != LAM_OK)
        code = cli_library_failed();
    if (code == CLI_OK)
        code = (kind == LAM_VAE ? print_vae : print_density)(line.words[0], args.eval.config);
    free(file);
    cli_line_free(&line);
    return code;
}

const cli_command cli_info = {
    .name = "info",
    .arguments = "MODEL",
    .summary = "shows what a model holds: architecture, parameters, tolerances, tensors",
    .details = "MODEL is a run folder or a model file of `laminar fit` or `laminar vae fit`.\n",
    .example = "  $ laminar info run/\n"
               "  model          run/\n"
               "  architecture   2 columns, hidden 64-64-64, 1 block, layer concat, tanh\n"
               "  ...\n",
    .options = info_options,
    .least = 1,
    .most = 1,
    .run = run,
};
