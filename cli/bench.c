/* laminar bench: how fast the field, its reverse and whole training iterations are on this machine, and what it could do. */
#include "bench.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct bench_args {
    const char *shape, *json, *problems;
    int quick;
    size_t columns;
    double weight_scale;
} bench_args;

static const cli_option bench_options[] = {
    {"shape", 0, CLI_LIST, "NAME,...", "power, gas, hepmass, miniboone, bsds300, protein, toy; default: all",
        offsetof(bench_args, shape)},
    {"quick", 0, CLI_SWITCH, NULL, "short measurements: a quarter of the time, and three repeats instead of five",
        offsetof(bench_args, quick)},
    {"json", 0, CLI_TEXT, "FILE", "also write the figures as JSON; -: to standard output, instead of the tables",
        offsetof(bench_args, json)},
    {"columns", 0, CLI_COUNT, "N", "number of columns; default: the shape's own", offsetof(bench_args, columns)},
    {"weight-scale", 0, CLI_REAL, "X", "factor on the initial weights; larger weights bend the field; default 1",
        offsetof(bench_args, weight_scale)},
    {"problems", 0, CLI_TEXT, "FOLDER/", "measure nothing, but write the problems as NAME.safetensors for another program",
        offsetof(bench_args, problems)},
    {0},
};

/* The published settings; rows of BSDS300 as in the reference figures, a tenth of the published ones. */
static const bench_shape shapes[] = {
    {"power", 6, {{"dims", "60-60-60"}, {"blocks", "5"}, {"nonlinearity", "tanh"}, {"batch-size", "10000"}}},
    {"gas", 8, {{"dims", "160-160-160"}, {"blocks", "5"}, {"nonlinearity", "tanh"}, {"batch-size", "1000"}}},
    {"hepmass", 21, {{"dims", "210-210"}, {"blocks", "10"}, {"nonlinearity", "softplus"}, {"batch-size", "10000"}}},
    {"miniboone", 43, {{"dims", "860-860"}, {"blocks", "1"}, {"nonlinearity", "softplus"}, {"batch-size", "1000"}}},
    {"bsds300", 63, {{"dims", "1260-1260-1260"}, {"blocks", "2"}, {"layer", "concatsquash"}, {"nonlinearity", "tanh"},
        {"batch-size", "1000"}}},
    {"protein", 10, {{"dims", "160-160-160"}, {"blocks", "2"}, {"nonlinearity", "tanh"}, {"batch-size", "1000"}}},
    {"toy", 2, {{"dims", "64-64-64"}, {"blocks", "1"}, {"nonlinearity", "tanh"}, {"time", "0.5"}, {"divergence", "exact"},
        {"batch-size", "100"}}},
};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };
_Static_assert((int)SHAPES <= (int)BENCH_MAX_SHAPES, "a choice holds every shape");

/* ---- what to measure ---------------------------------------------------------------------------------------------- */

static const bench_shape *find_shape(const char *name, size_t length)
{
    for (size_t i = 0; i < SHAPES; i++)
        if (strlen(shapes[i].name) == length && strncmp(shapes[i].name, name, length) == 0)
            return &shapes[i];
    return NULL;
}

/* The shapes of a list of names, in their order; all of them without a list. */
static int choose_shapes(const cli_command *command, const char *names, const bench_shape **chosen, size_t *n)
{
    *n = 0;
    for (size_t i = 0; names == NULL && i < SHAPES; i++)
        chosen[(*n)++] = &shapes[i];
    for (const char *p = names; p != NULL;) {
        size_t length = strcspn(p, ",");
        const bench_shape *shape = find_shape(p, length);
        if (shape == NULL)
            return cli_misuse(command, "--shape: there is no shape \"%.*s\"", (int)length, p);
        if (*n == BENCH_MAX_SHAPES)
            return cli_misuse(command, "--shape: more than %d names", BENCH_MAX_SHAPES);
        chosen[(*n)++] = shape;
        p = p[length] == ',' ? p + length + 1 : NULL;
    }
    return CLI_OK;
}

int bench_line_sets(const cli_line *line, const char *name)
{
    for (size_t i = 0; i < line->n_set; i++)
        if (strcmp(line->names[i], name) == 0)
            return 1;
    return 0;
}

/* The published penalty is part of every shape. */
int bench_configure(const cli_command *command, const char *const settings[][2], const cli_line *line, lam_config *cfg)
{
    int code = CLI_OK;
    if (lam_config_set(cfg, "tpr", "true") != LAM_OK)
        return cli_library_failed();
    for (size_t i = 0; settings[i][0] != NULL; i++)
        if (lam_config_set(cfg, settings[i][0], settings[i][1]) != LAM_OK)
            return cli_library_failed();
    if (cli_isa() != NULL && lam_config_set(cfg, "isa", cli_isa()) != LAM_OK)
        code = cli_misuse(command, "LAMINAR_ISA in the environment: %s", lam_last_error());
    if (code == CLI_OK)
        code = cli_line_apply(command, line, cfg);
    if (code == CLI_OK && lam_config_check(cfg) != LAM_OK)
        code = cli_misuse(command, "%s", lam_last_error());
    return code;
}

static size_t columns_of(const bench_args *args, const bench_shape *shape)
{
    return args->columns != 0 ? args->columns : shape->dim;
}

/* ---- processes of their own --------------------------------------------------------------------------------------- */

static lam_status run_machine(const bench_task *t)
{
    return lam_measure_machine(t->cfg, t->options, t->out);
}

static lam_status run_field(const bench_task *t)
{
    return lam_measure_field(t->cfg, t->dim, t->options, t->out);
}

static lam_status run_iteration(const bench_task *t)
{
    return lam_measure_iteration(t->cfg, t->dim, t->options, t->out);
}

static void be_child(const bench_task *t, int pipe_end)
{
    int code = t->run(t) == LAM_OK ? CLI_OK : cli_library_failed();
    if (code == CLI_OK && write(pipe_end, t->out, t->size) != (ssize_t)t->size)
        code = cli_fail("a measurement could not be handed over: %s", strerror(errno));
    fflush(stderr);
    _exit(code);
}

/* Figures come from the child in one piece, but a pipe may deliver less at a time. */
static int receive(int pipe_end, void *out, size_t size)
{
    size_t got = 0;
    while (got < size) {
        ssize_t n = read(pipe_end, (char *)out + got, size - got);
        if (n == 0 || (n < 0 && errno != EINTR))
            return 0;
        got += n > 0 ? (size_t)n : 0;
    }
    return 1;
}

int bench_in_child(const bench_task *t, double *peak)
{
    int ends[2], how = 0;
    struct rusage usage = {0};
    fflush(NULL); /* what is buffered here must not be written by the child as well */
    if (pipe(ends) != 0)
        return cli_fail("cannot create a pipe: %s", strerror(errno));
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        be_child(t, ends[1]);
    }
    close(ends[1]);
    int whole = child > 0 && receive(ends[0], t->out, t->size), error = errno;
    close(ends[0]);
    if (child < 0)
        return cli_fail("cannot create a process: %s", strerror(error));
    while (wait4(child, &how, 0, &usage) < 0 && errno == EINTR)
        ;
    if (WIFSIGNALED(how))
        return cli_fail("a measurement died of signal %d", WTERMSIG(how));
    if (!WIFEXITED(how) || WEXITSTATUS(how) != CLI_OK || !whole)
        return CLI_FAILED; /* the child has said why */
    if (peak != NULL)
        *peak = (double)usage.ru_maxrss / 1024.0; /* Linux counts KiB */
    return CLI_OK;
}

/* ---- the measurements --------------------------------------------------------------------------------------------- */

void bench_note(const char *what, size_t threads)
{
    char line[96];
    snprintf(line, sizeof line, "measuring %s, %zu thread%s", what, threads, threads == 1 ? "" : "s");
    if (cli_is_terminal())
        cli_status_line(line);
}

void bench_note_load(bench_report *report, int after)
{
    double load[1];
    report->load[after] = getloadavg(load, 1) == 1 ? load[0] : -1.0;
}

int bench_measure_machine(const lam_config *cfg, const lam_measure_options *options, bench_report *report)
{
    lam_config *one = cli_config_copy(cfg);
    bench_task t = {.run = run_machine, .cfg = one, .options = options, .out = &report->machine[0],
        .size = sizeof report->machine[0]};
    if (cli_processor(report->processor)[0] == '\0')
        snprintf(report->processor, sizeof report->processor, "unknown processor");
    report->processors = sysconf(_SC_NPROCESSORS_ONLN);
    bench_note_load(report, 0);
    cli_set(one, "threads", "1");
    bench_note("the machine", 1);
    int code = bench_in_child(&t, NULL);
    report->n_machines = 1;
    lam_config_free(one);
    if (code != CLI_OK || cli_whole(cfg, "threads") == 1)
        return code;
    t.cfg = cfg;
    t.out = &report->machine[1];
    bench_note("the machine", cli_whole(cfg, "threads"));
    code = bench_in_child(&t, NULL);
    report->n_machines = report->machine[1].threads > 1 ? 2 : 1;
    return code;
}

static int measure_row(bench_row *row, const lam_measure_options *options, int start_given)
{
    bench_task field = {.run = run_field, .cfg = row->cfg, .dim = row->dim, .options = options, .out = &row->field,
        .size = sizeof row->field};
    cli_set_whole(row->cfg, "threads", row->threads);
    bench_note(row->shape->name, row->threads);
    int code = bench_in_child(&field, NULL);
    for (size_t i = 0; code == CLI_OK && i < BENCH_STARTS; i++) {
        if (start_given && i > 0)
            break;
        bench_iteration *it = &row->iteration[i];
        bench_task t = {.run = run_iteration, .cfg = row->cfg, .dim = row->dim, .options = options, .out = &it->figures,
            .size = sizeof it->figures};
        if (!start_given)
            cli_set(row->cfg, "first-step", bench_start_name(i));
        code = bench_in_child(&t, &it->peak);
        it->measured = code == CLI_OK;
    }
    return code;
}

static int measure(const cli_command *command, const bench_args *args, const cli_line *line,
    const bench_shape *const *chosen, size_t n, bench_report *report)
{
    lam_measure_options options = {args->quick ? 0.05 : 0.2, args->quick ? 3 : 5, args->weight_scale};
    int code = CLI_OK;
    report->rows = cli_alloc(2 * n, sizeof *report->rows);
    report->weight_scale = args->weight_scale;
    for (size_t i = 0; code == CLI_OK && i < n; i++) {
        size_t runs = i == 0 ? 1 : report->n_machines; /* with the first comes the number of threads */
        for (size_t j = 0; code == CLI_OK && j < runs; j++) {
            bench_row *row = &report->rows[report->n_rows++];
            row->shape = chosen[i];
            row->dim = columns_of(args, chosen[i]);
            row->cfg = cli_config_create();
            cli_set(row->cfg, "optimizer", "adam"); /* as the other programs that are measured beside it have */
            code = bench_configure(command, chosen[i]->settings, line, row->cfg);
            if (code == CLI_OK && i == 0 && j == 0) {
                code = bench_measure_machine(row->cfg, &options, report);
                runs = report->n_machines;
            }
            row->threads = report->machine[j].threads;
            if (code == CLI_OK)
                code = measure_row(row, &options, bench_line_sets(line, "first-step"));
        }
    }
    cli_status_line("");
    bench_note_load(report, 1);
    return code;
}

static int write_problems(const cli_command *command, const bench_args *args, const cli_line *line,
    const bench_shape *const *chosen, size_t n)
{
    lam_measure_options options = {.weight_scale = args->weight_scale};
    int code = CLI_OK;
    if (mkdir(args->problems, 0777) != 0 && errno != EEXIST)
        return cli_fail("cannot make the folder %s: %s", args->problems, strerror(errno));
    for (size_t i = 0; code == CLI_OK && i < n; i++) {
        lam_config *cfg = cli_config_create();
        char *name = cli_format("%s.safetensors", chosen[i]->name), *path = cli_path_join(args->problems, name);
        cli_set(cfg, "optimizer", "adam");
        code = bench_configure(command, chosen[i]->settings, line, cfg);
        if (code == CLI_OK && lam_measure_problem(cfg, columns_of(args, chosen[i]), &options, path) != LAM_OK)
            code = cli_library_failed();
        lam_config_free(cfg);
        free(path);
        free(name);
    }
    return code;
}

int bench_check_writable(const char *path)
{
    FILE *stream = fopen(path, "a");
    if (stream == NULL)
        return cli_fail("%s cannot be written: %s", path, strerror(errno));
    fclose(stream);
    return CLI_OK;
}

static int run(const cli_command *command, int argc, char **argv)
{
    bench_args args = {.weight_scale = 1.0};
    bench_report report = {.load = {-1.0, -1.0}};
    const bench_shape *chosen[BENCH_MAX_SHAPES];
    size_t n = 0;
    cli_line line;
    int code = cli_line_parse(command, argc, argv, &args, &line);
    if (code == CLI_OK && args.weight_scale <= 0.0)
        code = cli_misuse(command, "--weight-scale needs a number above 0");
    if (code == CLI_OK && args.json != NULL && strcmp(args.json, "-") != 0)
        code = bench_check_writable(args.json);
    if (code == CLI_OK)
        code = choose_shapes(command, args.shape, chosen, &n);
    if (code == CLI_OK && args.problems != NULL)
        code = write_problems(command, &args, &line, chosen, n);
    else if (code == CLI_OK && (code = measure(command, &args, &line, chosen, n, &report)) == CLI_OK) {
        if (args.json == NULL || strcmp(args.json, "-") != 0)
            bench_print(&report);
        if (args.json != NULL)
            code = bench_write_json(&report, args.json);
    }
    for (size_t i = 0; i < report.n_rows; i++)
        lam_config_free(report.rows[i].cfg);
    free(report.rows);
    cli_line_free(&line);
    return code;
}

const cli_command cli_bench = {
    .name = "bench",
    .arguments = "[flags]",
    .summary = "measures how fast fits run on this machine, and how close that is to its limits",
    .details = "Measures the rate of multiply-adds in registers and of reading from each level of memory. Then, for the shapes of the\n"
               "usual data sets, it measures evaluations of the vector field (f; f with the trace, as in training; its reverse; f with\n"
               "the exact trace) and whole training iterations with the penalty, on one thread and on all. Rows and weights are made up.\n"
               "A share is a part of the rate of multiply-adds. Only the arithmetic that is needed counts: the matrix products of the\n"
               "evaluations and twice those of the reversed stages, without what is computed again. Parameters apply to every shape:\n"
               "--batch-size 1000, --blocks 1, --threads 1. For a shape of your own: --shape toy --columns 20 --dims 100-100.\n",
    .example = "  $ laminar bench --shape power,toy --quick\n"
               "  $ laminar bench --json figures.json\n",
    .options = bench_options,
    .parameters = 1,
    .least = 0,
    .most = 0,
    .run = run,
};
