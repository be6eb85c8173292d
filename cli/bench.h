/* What the two files of `laminar bench` share. */
#ifndef LAM_CLI_BENCH_H
#define LAM_CLI_BENCH_H
#include "cli.h"

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
    lam_config cfg; /* in effect */
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
