/* What the files of `laminar bench` and `laminar vae bench` share. */
#ifndef LAM_CLI_BENCH_H
#define LAM_CLI_BENCH_H
#include "cli.h"
#include <laminar/measure.h>

enum { BENCH_STARTS = 2 }; /* first steps by probe, and from memory */
enum { BENCH_MAX_SHAPES = 8 };

/* One of the shapes of this field's data sets. */
typedef struct bench_shape {
    const char *name;
    size_t dim;
    const char *settings[8][2]; /* parameters of the library that make it, up to a NULL */
} bench_shape;

/* An iteration with first steps by one rule. */
typedef struct bench_iteration {
    int measured;
    lam_iteration_figures figures;
    double peak; /* MiB: resident memory of the process that measured it, at its largest */
} bench_iteration;

/* One shape at one number of threads. */
typedef struct bench_row {
    const bench_shape *shape;
    lam_config *cfg; /* in effect */
    size_t dim, threads, parameters;
    lam_field_figures field;
    bench_iteration iteration[BENCH_STARTS];
} bench_row;

/* All that was measured. */
typedef struct bench_report {
    char processor[128];
    long processors;
    double load[2]; /* average over a minute, before and after; below 0: not known */
    double weight_scale;
    lam_machine_figures machine[2]; /* one thread, all of them */
    size_t n_machines;
    bench_row *rows; /* [n_rows] */
    size_t n_rows;
} bench_report;

/* One measurement. It runs in a child, so that its peak memory is its own and one that dies takes nothing along. */
typedef struct bench_task {
    lam_status (*run)(const struct bench_task *task);
    const lam_config *cfg;
    size_t dim, height, width; /* of rows, or of images */
    const lam_measure_options *options;
    void *out; /* [size] figures, without pointers */
    size_t size;
} bench_task;
/* CLI_OK, or CLI_FAILED with the message printed. peak (MiB) may be NULL. */
int bench_in_child(const bench_task *task, double *peak);
/* The machine's limits on one thread and, if there are more, on all that cfg asks for; its name and load. */
int bench_measure_machine(const lam_config *cfg, const lam_measure_options *options, bench_report *report);
void bench_note_load(bench_report *report, int after);
/* A line of progress. */
void bench_note(const char *what, size_t threads);
/* CLI_OK, or with the message printed: cfg is set by pairs of names and values up to a NULL, LAMINAR_ISA and the
 * flags, each winning over those before. */
int bench_configure(const cli_command *command, const char *const settings[][2], const cli_line *line, lam_config *cfg);
/* 1 if the line sets that parameter. */
int bench_line_sets(const cli_line *line, const char *name);
/* A file that cannot be written is found before the work. */
int bench_check_writable(const char *path);

/* The JSON of both begins with these: version, date, machine. */
struct cJSON;
void bench_put_start(struct cJSON *root, const bench_report *report);
void bench_put(struct cJSON *object, const char *name, double value);
void bench_put_count(struct cJSON *object, const char *name, uint64_t value);
/* Takes root; path "-": stdout. */
int bench_write(struct cJSON *root, const char *path);
void bench_print_machine(const bench_report *report);

/* "probe", "warm" */
const char *bench_start_name(size_t start);
/* The machine's best at a row's number of threads, flop/s. */
double bench_peak(const bench_report *report, const bench_row *row);
/* 1 if something else ran on the machine. */
int bench_busy(const bench_report *report);
void bench_print(const bench_report *report);
/* path "-": stdout. CLI_OK, or CLI_FAILED with the message printed. */
int bench_write_json(const bench_report *report, const char *path);

#endif
