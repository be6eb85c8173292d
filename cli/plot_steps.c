/* The steps of the solver as a picture, and what they come to for each block as a table. */
#include "plot_steps.h"
#include <math.h>
#include <stdlib.h>

enum { ROWS = 1000 };

/* How many rows are solved as one batch. */
static size_t batch_of(const plot_steps *asked)
{
    return asked->eval->batch_rows > 0 ? asked->eval->batch_rows : ROWS;
}

/* rows become draws of the model, unless they are rows of the data, in the columns of the first model. */
static int choose_rows(const cli_command *command, const lam_picture_model *model, const lam_picture_model *first, const plot_steps *asked, cli_spread *rows)
{
    size_t dim = lam_model_dim(model->model);
    if (asked->data != NULL && lam_model_dim(first->model) != dim)
        return cli_fail("the data has %zu columns, %s has %zu", lam_model_dim(first->model), model->name, dim);
    if (asked->data != NULL)
        return CLI_OK;
    for (size_t j = 0; j < dim; j++)
        if (lam_model_role(model->model, j) == LAM_GIVEN)
            return cli_misuse(command, "%s is given %s, so --steps needs rows: --data DATA", model->name, lam_model_column(model->model, j));
    cli_spread_clear(rows);
    *rows = (cli_spread){.x = cli_alloc(batch_of(asked) * dim, sizeof *rows->x), .n = batch_of(asked)};
    return lam_sample(model->model, asked->eval, asked->seed, rows->n, rows->x, NULL, NULL) == LAM_OK ? CLI_OK : cli_library_failed();
}

static void add_block(cli_grid *grid, size_t block, const lam_block_steps *s)
{
    cli_grid_add(grid, "%zu", block + 1);
    cli_grid_add(grid, "%zu + %zu", s->accepted, s->rejected);
    cli_grid_add(grid, "%.3g to %.3g", s->shortest, s->longest);
    cli_grid_add(grid, "%.3g", s->allowed_z);
    cli_grid_add(grid, "%.3g", s->allowed_l);
    cli_grid_add(grid, "%.3g", s->error_z);
    cli_grid_add(grid, "%.3g", s->error_l);
    cli_grid_add(grid, "%zu", s->l_decides);
}

static int report(const lam_picture_model *model, const lam_steps *steps, const plot_steps *asked)
{
    static const char *const heads[] = { "block", "steps + rejected", "step lengths", "z allows", "l allows", "error of z", "error of l",
        "l above z" };
    cli_grid grid = {.columns = sizeof heads / sizeof heads[0]};
    char how[128], batches[96] = "as one batch";
    size_t last = steps->n > 0 ? steps->step[steps->n - 1].batch : 0;
    if (last > 0)
        snprintf(batches, sizeof batches, "in %zu %s with steps of their own, of which the picture shows the first", last + 1,
            lam_config_is(lam_model_config(model->model), "step-control", "tile") ? "tiles" : "batches");
    printf("%s: %s, exact trace; %zu %s %s, %.0f evaluations of f%s\n\n", model->name, cli_setting_text(&steps->setting, how), steps->rows,
        asked->data != NULL ? "rows" : "draws", batches, cli_per_batch(steps->counts.forward, &steps->counts, lam_model_config(model->model)), last > 0 ? " each" : "");
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        cli_grid_add(&grid, "%s", heads[i]);
    for (size_t b = 0; b < steps->blocks; b++) {
        lam_block_steps block;
        if (lam_steps_of_block(steps, b, &block) != LAM_OK)
            return cli_library_failed();
        add_block(&grid, b, &block);
    }
    cli_grid_print(&grid, stdout);
    printf("\n");
    return CLI_OK;
}

int plot_steps_draw(const cli_command *command, const lam_picture_model *models, size_t n, const plot_steps *asked)
{
    lam_picture_steps *pictures = cli_alloc(n, sizeof *pictures);
    lam_steps **steps = cli_alloc(n, sizeof *steps);
    cli_spread rows = {0};
    int code = asked->data != NULL ? cli_rows_spread(asked->data, asked->choice, models[0].model, batch_of(asked), &rows) : CLI_OK;
    for (size_t m = 0; m < n && code == CLI_OK; m++) {
        code = choose_rows(command, &models[m], &models[0], asked, &rows);
        if (code == CLI_OK && lam_measure_steps(models[m].model, asked->eval, rows.x, rows.n, &steps[m]) != LAM_OK)
            code = cli_library_failed();
        pictures[m] = (lam_picture_steps){.steps = steps[m], .name = models[m].name};
    }
    if (code == CLI_OK && lam_picture_write_steps(pictures, n, asked->dark, asked->out) != LAM_OK)
        code = cli_library_failed();
    for (size_t m = 0; m < n && code == CLI_OK; m++)
        code = report(&models[m], steps[m], asked);
    if (code == CLI_OK)
        printf("%s: length and errors of each step. z or l allows: the shortest step that this error alone would lead to. Errors: root mean\n"
               "square over the steps, as a share of what the tolerances allow\n", asked->out);
    for (size_t m = 0; m < n; m++)
        lam_steps_free(steps[m]);
    cli_spread_clear(&rows);
    free(steps);
    free(pictures);
    return code;
}
