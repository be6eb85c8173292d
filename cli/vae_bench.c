/* laminar vae bench: how long a training step of an auto-encoder takes, and which part of it how long. */
#include "bench.h"
#include "vae.h"
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct vae_bench_args {
    const char *shape, *json, *problems;
    int quick;
    double weight_scale;
} vae_bench_args;

static const cli_option options[] = {
    {"shape", 0, CLI_LIST, "NAME,...", "caltech, frey, mnist, omniglot; default: all", offsetof(vae_bench_args, shape)},
    {"quick", 0, CLI_SWITCH, NULL, "three steps instead of five", offsetof(vae_bench_args, quick)},
    {"json", 0, CLI_TEXT, "FILE", "write the figures as JSON too; - for stdout, in place of the table",
        offsetof(vae_bench_args, json)},
    {"weight-scale", 0, CLI_REAL, "X", "factor on the initial weights of the flow and its maps; default 1",
        offsetof(vae_bench_args, weight_scale)},
    {"problems", 0, CLI_TEXT, "FOLDER/", "measure nothing, but write the problems as NAME.safetensors for another program",
        offsetof(vae_bench_args, problems)},
    {0},
};

/* The published settings, as in presets/vae/. */
typedef struct vae_shape {
    const char *name;
    size_t height, width;
    const char *settings[18][2];
} vae_shape;
#define COMMON \
    {"model", "vae"}, {"latent", "64"}, {"amortised", "low-rank"}, {"layer", "concat"}, {"time", "0.5"}, {"atol", "1e-4"}, \
        {"rtol", "1e-4"}, {"batch-size", "100"}, {"optimizer", "adamax"}
static const vae_shape shapes[] = {
    {"caltech", 28, 28, {COMMON, {"dims", "2048"}, {"blocks", "1"}, {"rank", "20"}, {"nonlinearity", "tanh"}}},
    {"frey", 28, 20, {COMMON, {"dims", "512-512"}, {"blocks", "2"}, {"rank", "20"}, {"nonlinearity", "softplus"},
        {"pixels", "categorical"}, {"variance-min", "0.01"}, {"variance-max", "7"}}},
    {"mnist", 28, 28, {COMMON, {"dims", "1024-1024"}, {"blocks", "2"}, {"rank", "64"}, {"nonlinearity", "softplus"}}},
    {"omniglot", 28, 28, {COMMON, {"dims", "512-512"}, {"blocks", "5"}, {"rank", "20"}, {"nonlinearity", "softplus"}}},
};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

/* One shape, number of threads and rule of first steps. */
typedef struct vae_row {
    const vae_shape *shape;
    lam_config *cfg; /* in effect */
    size_t threads;
    lam_vae_figures figures;
    double peak; /* MiB */
} vae_row;

typedef struct vae_report {
    bench_report about; /* the machine; without rows */
    vae_row *rows;
    size_t n;
} vae_report;

static const char *const part_names[LAM_VAE_PARTS] = {"encoder", "maps", "flow forward", "flow reverse", "decoder", "update"};
static const char *const part_keys[LAM_VAE_PARTS] = {"encoder", "maps", "flow_forward", "flow_reverse", "decoder", "update"};

/* ---- what to measure ---------------------------------------------------------------------------------------------- */

static int is_chosen(const vae_shape *shape, const char *names)
{
    size_t length = strlen(shape->name);
    for (const char *p = names; p != NULL; p = strchr(p, ',') != NULL ? strchr(p, ',') + 1 : NULL)
        if (strcspn(p, ",") == length && strncmp(p, shape->name, length) == 0)
            return 1;
    return names == NULL;
}

static int check_names(const cli_command *command, const char *names)
{
    for (const char *p = names; p != NULL; p = strchr(p, ',') != NULL ? strchr(p, ',') + 1 : NULL) {
        int known = 0;
        for (size_t i = 0; i < SHAPES; i++)
            known |= strcspn(p, ",") == strlen(shapes[i].name) && strncmp(p, shapes[i].name, strlen(shapes[i].name)) == 0;
        if (!known)
            return cli_misuse(command, "--shape: there is no shape \"%.*s\"", (int)strcspn(p, ","), p);
    }
    return CLI_OK;
}

/* ---- the measurements --------------------------------------------------------------------------------------------- */

static lam_status run_step(const bench_task *t)
{
    return lam_measure_vae(t->cfg, t->height, t->width, t->options, t->out);
}

/* With first steps by probe and from memory, or as the line says. */
static int measure_starts(const cli_command *command, const vae_shape *shape, const cli_line *line, size_t threads,
    const lam_measure_options *measure_options, vae_report *report)
{
    int code = CLI_OK, given = bench_line_sets(line, "first-step");
    for (size_t i = 0; code == CLI_OK && i < (given ? 1 : BENCH_STARTS); i++) {
        vae_row *row = &report->rows[report->n++];
        row->shape = shape;
        row->threads = threads;
        row->cfg = cli_config_create();
        code = bench_configure(command, shape->settings, line, row->cfg);
        cli_set_whole(row->cfg, "threads", threads);
        if (!given)
            cli_set(row->cfg, "first-step", bench_start_name(i));
        bench_task t = {.run = run_step, .cfg = row->cfg, .height = shape->height, .width = shape->width,
            .options = measure_options, .out = &row->figures, .size = sizeof row->figures};
        bench_note(shape->name, threads);
        if (code == CLI_OK)
            code = bench_in_child(&t, &row->peak);
    }
    return code;
}

static int measure(const cli_command *command, const vae_bench_args *args, const cli_line *line, vae_report *report)
{
    lam_measure_options o = {args->quick ? 0.05 : 0.2, args->quick ? 3 : 5, args->weight_scale};
    lam_config *cfg = cli_config_create();
    report->rows = cli_alloc(2 * BENCH_STARTS * SHAPES, sizeof *report->rows);
    report->about.weight_scale = args->weight_scale;
    int code = bench_configure(command, shapes[0].settings, line, cfg);
    if (code == CLI_OK)
        code = bench_measure_machine(cfg, &o, &report->about);
    lam_config_free(cfg);
    for (size_t i = 0; code == CLI_OK && i < SHAPES; i++)
        for (size_t j = 0; code == CLI_OK && is_chosen(&shapes[i], args->shape) && j < report->about.n_machines; j++)
            code = measure_starts(command, &shapes[i], line, report->about.machine[j].threads, &o, report);
    cli_status_line("");
    bench_note_load(&report->about, 1);
    return code;
}

static int write_problems(const cli_command *command, const vae_bench_args *args, const cli_line *line)
{
    lam_measure_options o = {.weight_scale = args->weight_scale};
    int code = CLI_OK;
    if (mkdir(args->problems, 0777) != 0 && errno != EEXIST)
        return cli_fail("cannot make the folder %s: %s", args->problems, strerror(errno));
    for (size_t i = 0; code == CLI_OK && i < SHAPES; i++) {
        if (!is_chosen(&shapes[i], args->shape))
            continue;
        lam_config *cfg = cli_config_create();
        char *name = cli_format("%s.safetensors", shapes[i].name), *path = cli_path_join(args->problems, name);
        code = bench_configure(command, shapes[i].settings, line, cfg);
        if (code == CLI_OK && lam_measure_vae_problem(cfg, shapes[i].height, shapes[i].width, &o, path) != LAM_OK)
            code = cli_library_failed();
        lam_config_free(cfg);
        free(path);
        free(name);
    }
    return code;
}

/* ---- results ------------------------------------------------------------------------------------------------------ */

static double flow_seconds(const lam_vae_figures *f)
{
    return f->part[LAM_PART_MAPS] + f->part[LAM_PART_FLOW_FORWARD] + f->part[LAM_PART_FLOW_REVERSE];
}

static void print(const vae_report *report)
{
    static const char *const heads[] = {"training step", "rows", "first step", "threads", "calls", "pulled back", "steps", "s",
        "the flow's, s"};
    enum { HEADS = sizeof heads / sizeof heads[0] };
    cli_grid grid = {.columns = HEADS + LAM_VAE_PARTS + 1};
    char text[256];
    for (size_t i = 0; i < HEADS; i++)
        cli_grid_add(&grid, "%s", heads[i]);
    for (size_t i = 0; i < LAM_VAE_PARTS; i++)
        cli_grid_add(&grid, "%s", part_names[i]);
    cli_grid_add(&grid, "peak MiB");
    for (size_t i = 0; i < report->n; i++) {
        const vae_row *row = &report->rows[i];
        const lam_vae_figures *f = &row->figures;
        cli_grid_add(&grid, "%s", row->shape->name);
        cli_grid_add(&grid, "%zu", cli_whole(row->cfg, "batch-size"));
        cli_grid_add(&grid, "%s", cli_parameter(row->cfg, "first-step", text));
        cli_grid_add(&grid, "%zu", row->threads);
        cli_grid_add(&grid, "%llu", (unsigned long long)f->counts.forward);
        cli_grid_add(&grid, "%llu", (unsigned long long)f->counts.backward);
        cli_grid_add(&grid, "%llu+%llu", (unsigned long long)f->counts.accepted, (unsigned long long)f->counts.rejected);
        cli_grid_number(&grid, 3, f->seconds);
        cli_grid_number(&grid, 3, flow_seconds(f));
        for (size_t j = 0; j < LAM_VAE_PARTS; j++)
            cli_grid_add(&grid, "%.1f %%", 100.0 * f->part[j] / f->seconds);
        cli_grid_number(&grid, 0, row->peak);
    }
    bench_print_machine(&report->about);
    printf("\n");
    cli_grid_print(&grid, stdout);
    printf("the flow's: maps of features to its parameters, and the flow, forward and reverse; steps: accepted+rejected, all blocks\n");
}

static void put_row(cJSON *list, const vae_row *row)
{
    static const char *const named[] = {"dims", "nonlinearity", "amortised", "pixels", "divergence", "solver", "isa"};
    static const char *const numbers[] = {"blocks", "rank", "latent", "batch-size", "time", "atol", "rtol", "tpr-coefficient",
        "tpr-times", "tpr-degree", "seed"};
    const lam_vae_figures *f = &row->figures;
    cJSON *object = cJSON_CreateObject(), *parts_ = cJSON_CreateObject();
    char text[256];
    cJSON_AddStringToObject(object, "shape", row->shape->name);
    bench_put_count(object, "height", row->shape->height);
    bench_put_count(object, "width", row->shape->width);
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
        cJSON_AddStringToObject(object, named[i], cli_parameter(row->cfg, named[i], text));
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        cJSON_AddRawToObject(object, numbers[i], cli_parameter(row->cfg, numbers[i], text));
    bench_put_count(object, "parameters", f->parameters);
    bench_put_count(object, "threads", row->threads);
    cJSON_AddStringToObject(object, "first_step", cli_parameter(row->cfg, "first-step", text));
    bench_put(object, "seconds", f->seconds);
    bench_put(object, "fastest", f->fastest);
    bench_put_count(object, "repeats", f->repeats);
    bench_put(object, "flow", flow_seconds(f));
    for (size_t i = 0; i < LAM_VAE_PARTS; i++)
        bench_put(parts_, part_keys[i], f->part[i]);
    cJSON_AddItemToObject(object, "parts", parts_);
    bench_put_count(object, "calls_forward", f->counts.forward);
    bench_put_count(object, "calls_backward", f->counts.backward);
    bench_put_count(object, "calls_recomputed", f->counts.recomputed);
    bench_put_count(object, "accepted", f->counts.accepted);
    bench_put_count(object, "rejected", f->counts.rejected);
    bench_put(object, "loss", f->loss);
    bench_put(object, "negative_elbo", f->negative_elbo);
    bench_put(object, "reconstruction", f->reconstruction);
    bench_put(object, "kl", f->kl);
    bench_put(object, "tpr", f->tpr);
    bench_put(object, "peak_mib", row->peak);
    cJSON_AddItemToArray(list, object);
}

static int write_json(const vae_report *report, const char *path)
{
    cJSON *root = cJSON_CreateObject(), *rows = cJSON_CreateArray();
    bench_put_start(root, &report->about);
    for (size_t i = 0; i < report->n; i++)
        put_row(rows, &report->rows[i]);
    cJSON_AddItemToObject(root, "rows", rows);
    return bench_write(root, path);
}

/* ---- the command -------------------------------------------------------------------------------------------------- */

static int run(const cli_command *command, int argc, char **argv)
{
    vae_bench_args args = {.weight_scale = 1.0};
    vae_report report = {.about = {.load = {-1.0, -1.0}}};
    cli_line line;
    int code = cli_line_parse(command, argc, argv, &args, &line);
    if (code == CLI_OK && args.weight_scale <= 0.0)
        code = cli_misuse(command, "--weight-scale needs a number above 0");
    if (code == CLI_OK && args.json != NULL && strcmp(args.json, "-") != 0)
        code = bench_check_writable(args.json);
    if (code == CLI_OK)
        code = check_names(command, args.shape);
    if (code == CLI_OK && args.problems != NULL)
        code = write_problems(command, &args, &line);
    else if (code == CLI_OK && (code = measure(command, &args, &line, &report)) == CLI_OK) {
        if (args.json == NULL || strcmp(args.json, "-") != 0)
            print(&report);
        if (args.json != NULL)
            code = write_json(&report, args.json);
    }
    for (size_t i = 0; i < report.n; i++)
        lam_config_free(report.rows[i].cfg);
    free(report.rows);
    cli_line_free(&line);
    return code;
}

const cli_command cli_vae_bench = {
    .name = "vae bench",
    .arguments = "[flags]",
    .summary = "measures how fast auto-encoders are fitted on this machine, part by part",
    .details = "Measures whole training steps with the penalty for the shapes of the usual data sets, on one thread and on all, and the\n"
               "share of each part: the encoder, the maps from its features to the flow's parameters, the flow, the decoder, the\n"
               "optimiser. Images and weights are made up. Parameters apply to every shape: --batch-size 20, --threads 1, --rank 10.\n",
    .example = "  $ laminar vae bench --shape caltech,frey --quick\n",
    .options = options,
    .parameters = 1,
    .kind = LAM_VAE,
    .least = 0,
    .most = 0,
    .run = run,
};
