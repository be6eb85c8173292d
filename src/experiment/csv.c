/* Writes runs.csv, summary.csv and curves.csv. */
#include "experiment/csv.h"
#include "base/error.h"
#include "base/file.h"
#include "base/number.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *lam_run_state_name(lam_run_state state)
{
    static const char *const names[] = { "waiting", "begun", "failed", "finished" };
    return names[state];
}

/* In quotes where a reader would take it apart else (RFC 4180). */
static void put_text(FILE *out, const char *text)
{
    if (text[strcspn(text, ",\"\r\n")] == '\0') {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text != '\0'; text++)
        fputs(*text == '"' ? "\"\"" : (char[]){ *text, '\0' }, out);
    fputc('"', out);
}

/* ",VALUE" */
static void put_number(FILE *out, double value)
{
    char text[LAM_NUMBER_SIZE] = "";
    if (isfinite(value))
        lam_number_print(value, text);
    fprintf(out, ",%s", text);
}

/* data, penalty, coefficient, tolerance */
static void put_place(FILE *out, const lam_experiment *e, size_t data, size_t penalty, size_t value, const lam_plan_word *tolerance)
{
    const lam_plan_penalty *p = &e->plan.penalties[penalty];
    put_text(out, e->plan.data[data].name.text);
    fputc(',', out);
    put_text(out, p->name.text);
    put_number(out, value != LAM_NO_VALUE ? lam_plan_number(&p->values.items[value]) : (double)NAN);
    put_number(out, lam_plan_number(tolerance));
}

static size_t value_of(const lam_experiment *e, const lam_grid_run *run)
{
    return run->value != LAM_NO_VALUE ? run->value : e->chosen[run->penalty];
}

static void put_run_place(FILE *out, const lam_experiment *e, const lam_grid_run *run)
{
    put_place(out, e, run->data, run->penalty, value_of(e, run), lam_experiment_tolerance(e, run));
    fprintf(out, ",%s,%s", lam_experiment_seed(e, run)->text, run->choosing ? "choose" : "grid");
}

static void write_runs(FILE *out, const lam_experiment *e, const lam_measurement *m)
{
    fputs("data,penalty,coefficient,tolerance,seed,stage,state", out);
    for (size_t f = 0; f < LAM_FIGURES; f++)
        fprintf(out, ",%s", lam_figure_name((lam_figure)f));
    fputs(",load,message,machine,folder\n", out);
    for (size_t i = 0; i < e->n_runs; i++) {
        const lam_grid_run *run = &e->runs[i];
        put_run_place(out, e, run);
        fprintf(out, ",%s", lam_run_state_name(run->shown.state));
        for (size_t f = 0; f < LAM_FIGURES; f++)
            put_number(out, m->runs[i].value[f]);
        put_number(out, run->load_seconds > 0 ? run->load : (double)NAN);
        fputc(',', out);
        put_text(out, run->shown.message);
        fputc(',', out);
        put_text(out, run->machine != NULL ? run->machine : "");
        fputc(',', out);
        put_text(out, run->folder + strlen(e->dir) + 1);
        fputc('\n', out);
    }
}

static void write_summary(FILE *out, const lam_experiment *e, const lam_measurement *m)
{
    fputs("data,penalty,coefficient,tolerance,planned,finished,failed", out);
    for (size_t f = 0; f < LAM_FIGURES; f++) {
        const char *name = lam_figure_name((lam_figure)f);
        fprintf(out, ",%s_mean,%s_se,%s_n", name, name, name);
    }
    fputc('\n', out);
    for (size_t i = 0; i < m->n_groups; i++) {
        const lam_group *g = &m->groups[i];
        put_place(out, e, g->data, g->penalty, g->value != LAM_NO_VALUE ? g->value : e->chosen[g->penalty],
            &e->tolerances.items[g->tolerance]);
        fprintf(out, ",%zu,%zu,%zu", g->planned, g->n, g->failed);
        for (size_t f = 0; f < LAM_FIGURES; f++) {
            put_number(out, g->mean[f]);
            put_number(out, g->se[f]);
            fprintf(out, ",%zu", g->count[f]);
        }
        fputc('\n', out);
    }
}

static void write_points(FILE *out, const lam_experiment *e, const lam_grid_run *run, const char *type,
    const lam_history_point *points, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const lam_history_point *p = &points[i];
        const double numbers[] = { p->iteration, p->nll, p->forward, p->backward, p->accepted, p->rejected, p->calls, p->seconds,
            p->train_seconds, p->train_cpu_seconds };
        put_run_place(out, e, run);
        fprintf(out, ",%s", type);
        for (size_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++)
            put_number(out, numbers[k]);
        fputc('\n', out);
    }
}

static void write_curves(FILE *out, const lam_experiment *e, const lam_measurement *m)
{
    fputs("data,penalty,coefficient,tolerance,seed,stage,type,iteration,nll,forward,backward,accepted,rejected,calls,seconds,"
        "train_seconds,train_cpu_seconds\n", out);
    for (size_t i = 0; i < e->n_runs; i++) {
        const lam_history *h = &m->runs[i].history;
        write_points(out, e, &e->runs[i], "validation", h->validation, h->n_validations);
        write_points(out, e, &e->runs[i], "train", h->train, h->n_train);
    }
}

static lam_status write_file(const lam_experiment *e, const lam_measurement *m, const char *name,
    void (*write)(FILE *out, const lam_experiment *e, const lam_measurement *m))
{
    lam_out_file out;
    char *path = lam_path_join(e->dir, name);
    if (path == NULL)
        return LAM_ERR_MEMORY;
    lam_status status = lam_out_open(&out, path);
    if (status == LAM_OK) {
        write(out.stream, e, m);
        status = lam_out_commit(&out);
    }
    free(path);
    return status;
}

lam_status lam_csv_write(const lam_experiment *e, const lam_measurement *m)
{
    LAM_TRY(write_file(e, m, "runs.csv", write_runs));
    LAM_TRY(write_file(e, m, "summary.csv", write_summary));
    return write_file(e, m, "curves.csv", write_curves);
}
