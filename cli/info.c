/* laminar info: what a model file holds. */
#include "cli.h"
#include <string.h>

typedef struct info_args {
    cli_eval eval; /* --config alone */
} info_args;

static const cli_option info_options[] = {
    CLI_CONFIG_OPTION(info_args),
    {0},
};

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
        cli_grid_add(&grid, "  %s", name);
        cli_grid_add(&grid, "%.8g", mean[j]);
        cli_grid_add(&grid, "%.8g", scale[j]);
    }
    cli_grid_print(&grid, stdout);
}

static void print_configuration(const lam_model *model)
{
    const lam_parameter *parameter;
    const char *group = "";
    char value[256];
    cli_grid grid = {.columns = 2, .left = 1};
    for (size_t i = 0; (parameter = lam_parameter_at(i)) != NULL; i++) {
        if (!lam_parameter_applies(i, lam_model_config(model)->model))
            continue;
        if (strcmp(parameter->group, group) != 0) {
            cli_grid_print(&grid, stdout);
            grid = (cli_grid){.columns = 2, .left = 1};
            group = parameter->group;
            printf("\n%s\n", group);
        }
        cli_grid_add(&grid, "  %s", parameter->name);
        cli_grid_add(&grid, "%s", cli_parameter(lam_model_config(model), parameter->name, value));
    }
    cli_grid_print(&grid, stdout);
}

static void print_tensors(const lam_model *model)
{
    const char *name;
    size_t shape[2], n_shape;
    cli_grid grid = {.columns = 2, .left = 1};
    printf("\ntensors\n");
    for (size_t i = 0; (name = lam_model_tensor(model, i, shape, &n_shape)) != NULL; i++) {
        cli_grid_add(&grid, "  %s", name);
        if (n_shape == 2)
            cli_grid_add(&grid, "[%zu, %zu]", shape[0], shape[1]);
        else if (n_shape == 1)
            cli_grid_add(&grid, "[%zu]", shape[0]);
        else
            cli_grid_add(&grid, "[]");
    }
    cli_grid_print(&grid, stdout);
}

static void print_head(const char *path, const lam_model *model)
{
    const lam_config *cfg = lam_model_config(model);
    char dims[256], layer[256], act[256];
    const char *hash = lam_model_data_hash(model);
    printf("model          %s\n", path);
    printf("architecture   %zu columns, hidden %s, %zu block%s, layer %s, %s\n", lam_model_dim(model),
        cli_parameter(cfg, "dims", dims), cfg->blocks, cfg->blocks == 1 ? "" : "s", cli_parameter(cfg, "layer", layer),
        cli_parameter(cfg, "nonlinearity", act));
    printf("parameters     %zu\n", lam_model_parameter_count(model));
    printf("tolerances     training atol %g, rtol %g; scoring atol %g, rtol %g; standardised units\n", cfg->atol, cfg->rtol,
        cfg->test_atol, cfg->test_rtol);
    printf("data hash      %s\n", hash == NULL || hash[0] == '\0' ? "-" : hash);
}

static int run(const cli_command *command, int argc, char **argv)
{
    info_args args = {0};
    cli_line line;
    lam_model *model = NULL;
    int code = cli_line_parse(command, argc, argv, &args, &line);
    if (code == CLI_OK)
        code = cli_model_open(line.words[0], args.eval.config, &model);
    if (code == CLI_OK) {
        print_head(line.words[0], model);
        print_columns(model);
        print_configuration(model);
        print_tensors(model);
    }
    lam_model_free(model);
    cli_line_free(&line);
    return code;
}

const cli_command cli_info = {
    .name = "info",
    .arguments = "MODEL",
    .summary = "what a model holds: architecture, columns, tolerances, tensors",
    .details = "MODEL is a run folder or a model file.\n",
    .example = "  $ laminar info run/\n"
               "  model          run/\n"
               "  architecture   2 columns, hidden 64-64-64, 1 block, layer concat, tanh\n"
               "  ...\n",
    .options = info_options,
    .least = 1,
    .most = 1,
    .run = run,
};
