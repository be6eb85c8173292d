/* The figures of `laminar bench` as tables and as JSON. */
#include "bench.h"
#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const level_names[LAM_MACHINE_LEVELS] = {"L1", "L2", "L3", "memory"};
static const double BUSY_LOAD = 0.5, BUSY_SHARE = 0.95; /* an idle machine shows less load and gives more of its processors */

const char *bench_start_name(size_t start)
{
    return start == 0 ? "probe" : "warm";
}

double bench_peak(const bench_report *report, const bench_row *row)
{
    for (size_t i = 0; i < report->n_machines; i++)
        if (report->machine[i].threads == row->threads)
            return report->machine[i].flops;
    return NAN;
}

int bench_busy(const bench_report *report)
{
    return report->load[0] > BUSY_LOAD || report->machine[0].processor_share < BUSY_SHARE;
}

/* How an iteration's first steps were chosen: a start given on the line stands at index 0. */
static const char *start_of(const bench_row *row, size_t start, char text[256])
{
    return row->iteration[1].measured ? bench_start_name(start) : cli_parameter(row->cfg, "first-step", text);
}

static double rate(const lam_pass_figures *pass)
{
    return pass->flop / pass->seconds;
}

/* ---- tables ------------------------------------------------------------------------------------------------------- */

void bench_print_machine(const bench_report *report)
{
    cli_grid grid = {.columns = 3 + LAM_MACHINE_LEVELS};
    printf("laminar %s, %s kernels made by %s\n%s, %ld processors; load %.2f before, %.2f after\n", lam_version(),
        report->machine[0].isa, report->machine[0].compiler, report->processor, report->processors, report->load[0],
        report->load[1]);
    if (bench_busy(report))
        printf("this machine was busy with other work: the figures are lower than they could be\n");
    printf("\n");
    cli_grid_add(&grid, "limits");
    cli_grid_add(&grid, "multiply-adds, GFLOP/s");
    for (int i = 0; i < LAM_MACHINE_LEVELS; i++)
        cli_grid_add(&grid, "%s, GB/s", level_names[i]);
    cli_grid_add(&grid, "processor got");
    for (size_t i = 0; i < report->n_machines; i++) {
        const lam_machine_figures *m = &report->machine[i];
        cli_grid_add(&grid, "%zu thread%s", m->threads, m->threads == 1 ? "" : "s");
        cli_grid_number(&grid, 1, m->flops * 1e-9);
        for (int level = 0; level < LAM_MACHINE_LEVELS; level++)
            cli_grid_number(&grid, 1, m->read[level] * 1e-9);
        cli_grid_add(&grid, "%.0f %%", 100.0 * m->processor_share);
    }
    cli_grid_print(&grid, stdout);
}

static void add_pass(cli_grid *grid, const lam_pass_figures *pass, double peak)
{
    cli_grid_number(grid, 1, pass->seconds * 1e9);
    cli_grid_add(grid, "%.0f %%", 100.0 * rate(pass) / peak);
}

static void print_fields(const bench_report *report)
{
    cli_grid grid = {.columns = 10};
    static const char *const heads[10] = {"ns a row, share of peak", "threads", "f", "", "f, trace", "", "reverse", "",
        "f, exact trace", ""};
    for (size_t i = 0; i < 10; i++)
        cli_grid_add(&grid, "%s", heads[i]);
    for (size_t i = 0; i < report->n_rows; i++) {
        const bench_row *row = &report->rows[i];
        double peak = bench_peak(report, row);
        cli_grid_add(&grid, "%s", row->shape->name);
        cli_grid_add(&grid, "%zu", row->threads);
        add_pass(&grid, &row->field.value, peak);
        add_pass(&grid, &row->field.derivative, peak);
        add_pass(&grid, &row->field.reverse, peak);
        add_pass(&grid, &row->field.exact, peak);
    }
    printf("\n");
    cli_grid_print(&grid, stdout);
}

static void print_iterations(const bench_report *report)
{
    cli_grid grid = {.columns = 12};
    static const char *const heads[12] = {"training iteration", "rows", "first step", "threads", "calls", "pulled back",
        "recomputed", "steps", "s", "GFLOP/s", "of peak", "peak MiB"};
    char text[256];
    for (size_t i = 0; i < 12; i++)
        cli_grid_add(&grid, "%s", heads[i]);
    for (size_t i = 0; i < report->n_rows; i++)
        for (size_t start = 0; start < BENCH_STARTS; start++) {
            const bench_row *row = &report->rows[i];
            const bench_iteration *it = &row->iteration[start];
            const lam_counts *c = &it->figures.counts;
            if (!it->measured)
                continue;
            cli_grid_add(&grid, "%s", row->shape->name);
            cli_grid_add(&grid, "%zu", cli_whole(row->cfg, "batch-size"));
            cli_grid_add(&grid, "%s", start_of(row, start, text));
            cli_grid_add(&grid, "%zu", row->threads);
            cli_grid_add(&grid, "%llu", (unsigned long long)c->forward);
            cli_grid_add(&grid, "%llu", (unsigned long long)c->backward);
            cli_grid_add(&grid, "%llu", (unsigned long long)c->recomputed);
            cli_grid_add(&grid, "%llu+%llu", (unsigned long long)c->accepted, (unsigned long long)c->rejected);
            cli_grid_number(&grid, it->figures.seconds < 0.1 ? 5 : 3, it->figures.seconds);
            cli_grid_number(&grid, 1, it->figures.flop / it->figures.seconds * 1e-9);
            cli_grid_add(&grid, "%.0f %%", 100.0 * it->figures.flop / it->figures.seconds / bench_peak(report, row));
            cli_grid_number(&grid, 0, it->peak);
        }
    printf("\n");
    cli_grid_print(&grid, stdout);
    printf("steps: accepted+rejected, all blocks together; peak MiB: of the whole process\n");
}

void bench_print(const bench_report *report)
{
    bench_print_machine(report);
    print_fields(report);
    print_iterations(report);
}

/* ---- JSON --------------------------------------------------------------------------------------------------------- */

/* Numbers of two digits more than the clock is worth. */
void bench_put(cJSON *object, const char *name, double value)
{
    char text[32];
    snprintf(text, sizeof text, "%.6g", value);
    cJSON_AddRawToObject(object, name, isfinite(value) ? text : "null");
}

void bench_put_count(cJSON *object, const char *name, uint64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    cJSON_AddRawToObject(object, name, text);
}

static void put_machine(cJSON *list, const lam_machine_figures *m)
{
    cJSON *object = cJSON_CreateObject(), *read = cJSON_CreateObject();
    bench_put_count(object, "threads", m->threads);
    bench_put(object, "gflops", m->flops * 1e-9);
    for (int i = 0; i < LAM_MACHINE_LEVELS; i++) {
        cJSON *level = cJSON_CreateObject();
        bench_put(level, "gb_per_s", m->read[i] * 1e-9);
        bench_put_count(level, "bytes_a_thread", m->read_bytes[i]);
        cJSON_AddItemToObject(read, level_names[i], level);
    }
    cJSON_AddItemToObject(object, "read", read);
    bench_put(object, "processor_share", m->processor_share);
    cJSON_AddItemToArray(list, object);
}

static void put_pass(cJSON *object, const char *name, const lam_pass_figures *pass, double peak)
{
    cJSON *item = cJSON_CreateObject();
    bench_put(item, "ns", pass->seconds * 1e9);
    bench_put(item, "gflops", rate(pass) * 1e-9);
    bench_put(item, "share", rate(pass) / peak);
    cJSON_AddItemToObject(object, name, item);
}

static void put_iteration(cJSON *list, const bench_row *row, size_t start, double peak)
{
    const bench_iteration *it = &row->iteration[start];
    const lam_iteration_figures *f = &it->figures;
    cJSON *object = cJSON_CreateObject();
    char text[256];
    cJSON_AddStringToObject(object, "first_step", start_of(row, start, text));
    bench_put(object, "seconds", f->seconds);
    bench_put(object, "fastest", f->fastest);
    bench_put_count(object, "repeats", f->repeats);
    bench_put(object, "gflops", f->flop / f->seconds * 1e-9);
    bench_put(object, "share", f->flop / f->seconds / peak);
    bench_put_count(object, "calls_forward", f->counts.forward);
    bench_put_count(object, "calls_backward", f->counts.backward);
    bench_put_count(object, "calls_recomputed", f->counts.recomputed);
    bench_put_count(object, "accepted", f->counts.accepted);
    bench_put_count(object, "rejected", f->counts.rejected);
    bench_put(object, "loss", f->loss);
    bench_put(object, "nll", f->nll);
    bench_put(object, "tpr", f->tpr);
    bench_put(object, "peak_mib", it->peak);
    cJSON_AddItemToArray(list, object);
}

static void put_row(cJSON *list, const bench_report *report, const bench_row *row)
{
    static const char *const named[] = {"dims", "layer", "nonlinearity", "divergence", "solver", "end", "precision", "isa"};
    static const char *const numbers[] = {"blocks", "batch-size", "time", "atol", "rtol", "memory", "tpr-coefficient",
        "tpr-times", "tpr-degree", "seed"};
    double peak = bench_peak(report, row);
    cJSON *object = cJSON_CreateObject(), *iterations = cJSON_CreateArray();
    char text[256];
    cJSON_AddStringToObject(object, "shape", row->shape->name);
    bench_put_count(object, "dim", row->dim);
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
        cJSON_AddStringToObject(object, named[i], cli_parameter(row->cfg, named[i], text));
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        cJSON_AddRawToObject(object, numbers[i], cli_parameter(row->cfg, numbers[i], text));
    bench_put_count(object, "threads", row->threads);
    put_pass(object, "forward", &row->field.value, peak);
    put_pass(object, "forward_derivative", &row->field.derivative, peak);
    put_pass(object, "reverse", &row->field.reverse, peak);
    put_pass(object, "forward_exact", &row->field.exact, peak);
    for (size_t start = 0; start < BENCH_STARTS; start++)
        if (row->iteration[start].measured)
            put_iteration(iterations, row, start, peak);
    cJSON_AddItemToObject(object, "iterations", iterations);
    cJSON_AddItemToArray(list, object);
}

void bench_put_start(cJSON *root, const bench_report *report)
{
    cJSON *machine = cJSON_CreateObject(), *limits = cJSON_CreateArray();
    char date[32];
    time_t now = time(NULL);
    struct tm utc;
    strftime(date, sizeof date, "%Y-%m-%d", gmtime_r(&now, &utc));
    cJSON_AddStringToObject(root, "version", lam_version());
    cJSON_AddStringToObject(root, "date", date);
    cJSON_AddStringToObject(machine, "processor", report->processor);
    bench_put_count(machine, "processors", report->processors < 0 ? 0 : (uint64_t)report->processors);
    bench_put(machine, "load_before", report->load[0]);
    bench_put(machine, "load_after", report->load[1]);
    cJSON_AddBoolToObject(machine, "busy", bench_busy(report));
    cJSON_AddStringToObject(machine, "isa", report->machine[0].isa);
    cJSON_AddStringToObject(machine, "compiler", report->machine[0].compiler);
    for (size_t i = 0; i < report->n_machines; i++)
        put_machine(limits, &report->machine[i]);
    cJSON_AddItemToObject(machine, "limits", limits);
    cJSON_AddItemToObject(root, "machine", machine);
    bench_put(root, "weight_scale", report->weight_scale);
}

int bench_write(cJSON *root, const char *path)
{
    int to_stdout = strcmp(path, "-") == 0, code = CLI_OK;
    char *text = cJSON_Print(root);
    cJSON_Delete(root);
    if (text == NULL)
        return cli_fail("out of memory");
    FILE *stream = to_stdout ? stdout : fopen(path, "w");
    if (stream == NULL)
        code = cli_fail("%s cannot be written", path);
    else if (fprintf(stream, "%s\n", text) < 0 || (!to_stdout && fclose(stream) != 0))
        code = cli_fail("%s could not be written whole", path);
    free(text);
    return code;
}

int bench_write_json(const bench_report *report, const char *path)
{
    cJSON *root = cJSON_CreateObject(), *rows = cJSON_CreateArray();
    bench_put_start(root, report);
    for (size_t i = 0; i < report->n_rows; i++)
        put_row(rows, report, &report->rows[i]);
    cJSON_AddItemToObject(root, "rows", rows);
    return bench_write(root, path);
}
