/* Measures each run, and takes means over seeds. */
#include "experiment/figures.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/number.h"
#include "train/folder.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double unknown = (double)NAN;

const char *lam_figure_name(lam_figure figure)
{
    static const char *const names[] = {
#define LAM_FIGURE_NAME(id, name, text) name,
        LAM_FIGURE_LIST(LAM_FIGURE_NAME)
#undef LAM_FIGURE_NAME
    };
    return names[figure];
}

double lam_plan_number(const lam_plan_word *word)
{
    double value = unknown;
    (void)lam_number_read(word->text, &value);
    return value;
}

/* ---- one run ------------------------------------------------------------------------------------------------------ */

/* Means over the logged iterations of the last fifth of the run, or, where none is logged, over the whole of it. */
static void late_means(const lam_history *h, double blocks, double value[LAM_FIGURES])
{
    double sums[4] = { 0 }, n = 0, end = h->n_train > 0 ? h->train[h->n_train - 1].iteration : 0;
    for (size_t i = 0; i < h->n_train; i++) {
        const lam_history_point *p = &h->train[i];
        if (!(p->iteration > 0.8 * end))
            continue;
        sums[0] += p->forward;
        sums[1] += p->backward;
        sums[2] += p->accepted;
        sums[3] += p->rejected;
        n++;
    }
    if (n == 0) {
        const double totals[4] = { h->train_forward, h->train_backward, h->train_accepted, h->train_rejected };
        memcpy(sums, totals, sizeof sums);
        n = h->iterations;
    }
    value[LAM_FIGURE_FORWARD] = sums[0] / n;
    value[LAM_FIGURE_BACKWARD] = sums[1] / n;
    value[LAM_FIGURE_STEPS] = sums[2] / n / blocks;
    value[LAM_FIGURE_REJECTED] = sums[3] / n / blocks;
}

/* blocks: of the flow; NaN: not known */
static void measure_run(const lam_history *h, double blocks, double value[LAM_FIGURES])
{
    late_means(h, blocks, value);
    value[LAM_FIGURE_ITERATIONS] = h->iterations;
    value[LAM_FIGURE_BEST_ITERATION] = h->best_iteration;
    value[LAM_FIGURE_BEST_VAL_NLL] = h->best_val_nll;
    value[LAM_FIGURE_TEST_NLL] = h->test_nll;
    value[LAM_FIGURE_GAUSSIAN_TEST_NLL] = h->gaussian_test_nll;
    value[LAM_FIGURE_MIXTURE_TEST_NLL] = h->mixture_test_nll;
    value[LAM_FIGURE_LOG_DET] = h->log_det;
    value[LAM_FIGURE_TRAIN_FORWARD] = h->train_forward + h->warm_start_forward;
    value[LAM_FIGURE_TRAIN_BACKWARD] = h->train_backward + h->warm_start_backward;
    value[LAM_FIGURE_TEST_CALLS] = h->test_solves > 0 ? h->test_forward / h->test_solves * blocks : unknown;
    value[LAM_FIGURE_TRAIN_SECONDS] = h->train_seconds;
    value[LAM_FIGURE_TRAIN_CPU_SECONDS] = h->train_cpu_seconds;
    value[LAM_FIGURE_SECONDS] = h->seconds;
}

/* a / b; NaN where there is nothing to compare with. */
static double over(double a, double b)
{
    return b > 0 ? a / b : unknown;
}

/* The first validation not above the NLL `goal`. */
static void measure_reach(const lam_history *h, double goal, double value[LAM_FIGURES])
{
    for (size_t i = 0; i < h->n_validations; i++) {
        const lam_history_point *p = &h->validation[i];
        if (!(p->nll <= goal))
            continue;
        value[LAM_FIGURE_REACH_ITERATION] = p->iteration;
        value[LAM_FIGURE_REACH_CALLS] = p->calls;
        value[LAM_FIGURE_REACH_SECONDS] = p->train_seconds;
        value[LAM_FIGURE_REACH_CPU_SECONDS] = p->train_cpu_seconds;
        return;
    }
}

/* base: figures of the baseline's run, its reach already measured. */
static void compare_run(const double base[LAM_FIGURES], double value[LAM_FIGURES])
{
    static const lam_figure ratios[][2] = { { LAM_FIGURE_CPU_SECONDS_RATIO, LAM_FIGURE_TRAIN_CPU_SECONDS },
        { LAM_FIGURE_REACH_CALLS_RATIO, LAM_FIGURE_REACH_CALLS }, { LAM_FIGURE_REACH_SECONDS_RATIO, LAM_FIGURE_REACH_SECONDS },
        { LAM_FIGURE_REACH_CPU_SECONDS_RATIO, LAM_FIGURE_REACH_CPU_SECONDS } };
    for (size_t i = 0; i < sizeof ratios / sizeof ratios[0]; i++)
        value[ratios[i][0]] = over(value[ratios[i][1]], base[ratios[i][1]]);
    value[LAM_FIGURE_NLL_DIFFERENCE] = value[LAM_FIGURE_TEST_NLL] - base[LAM_FIGURE_TEST_NLL];
    value[LAM_FIGURE_CALLS_RATIO] = over(value[LAM_FIGURE_FORWARD] + value[LAM_FIGURE_BACKWARD],
        base[LAM_FIGURE_FORWARD] + base[LAM_FIGURE_BACKWARD]);
    value[LAM_FIGURE_TOTAL_CALLS_RATIO] = over(value[LAM_FIGURE_TRAIN_FORWARD] + value[LAM_FIGURE_TRAIN_BACKWARD],
        base[LAM_FIGURE_TRAIN_FORWARD] + base[LAM_FIGURE_TRAIN_BACKWARD]);
}

/* The finished run of the baseline that goes with run; LAM_NO_VALUE: none yet. */
static size_t base_run(const lam_experiment *e, const lam_grid_run *run)
{
    for (size_t i = 0; i < e->n_runs; i++) {
        const lam_grid_run *b = &e->runs[i];
        if (!b->choosing && b->penalty == e->plan.base && b->data == run->data && b->tolerance == run->tolerance
            && b->seed == run->seed && b->shown.state == LAM_RUN_FINISHED)
            return i;
    }
    return LAM_NO_VALUE;
}

/* As the fit has it, where the plan leaves the choice to it; LAM_AUTO where neither says. */
static lam_status blocks_of(const lam_grid_run *run, size_t *blocks)
{
    *blocks = run->config.blocks;
    if (*blocks != LAM_AUTO)
        return LAM_OK;
    lam_config cfg;
    lam_config_init(&cfg);
    char *path = lam_run_path(run->folder, "config.yaml");
    lam_status status = path == NULL ? LAM_ERR_MEMORY : lam_config_load(&cfg, path);
    if (status == LAM_OK)
        *blocks = cfg.blocks;
    free(path);
    lam_config_clear(&cfg);
    return status == LAM_ERR_MEMORY ? status : LAM_OK;
}

static lam_status measure_runs(const lam_experiment *e, lam_measurement *m)
{
    for (size_t i = 0; i < e->n_runs; i++) {
        const lam_grid_run *run = &e->runs[i];
        for (size_t f = 0; f < LAM_FIGURES; f++)
            m->runs[i].value[f] = unknown;
        if (run->shown.config == NULL || !isfinite(run->shown.iterations)) /* nothing of it has been read */
            continue;
        LAM_TRY(lam_history_read(run->folder, &m->runs[i].history));
        size_t blocks;
        LAM_TRY(blocks_of(run, &blocks));
        measure_run(&m->runs[i].history, blocks != LAM_AUTO ? (double)blocks : unknown, m->runs[i].value);
    }
    for (int base = 1; base >= 0; base--) /* the baseline first: others are compared with what it reached when */
        for (size_t i = 0; i < e->n_runs; i++) {
            const lam_grid_run *run = &e->runs[i];
            size_t with = (run->penalty == e->plan.base) == base && !run->choosing && run->shown.state == LAM_RUN_FINISHED
                ? base_run(e, run) : LAM_NO_VALUE;
            if (with == LAM_NO_VALUE)
                continue;
            measure_reach(&m->runs[i].history, m->runs[with].value[LAM_FIGURE_BEST_VAL_NLL], m->runs[i].value);
            compare_run(m->runs[with].value, m->runs[i].value);
        }
    return LAM_OK;
}

/* ---- groups ------------------------------------------------------------------------------------------------------- */

static int belongs(const lam_group *g, const lam_grid_run *run)
{
    return !run->choosing && run->data == g->data && run->tolerance == g->tolerance && run->penalty == g->penalty
        && run->value == g->value;
}

/* Mean and standard error over seeds: s / sqrt(n), s^2 = sum (x - mean)^2 / (n - 1). */
static void average(const lam_measurement *m, lam_group *g, lam_figure f)
{
    double sum = 0, squares = 0;
    size_t n = 0;
    for (size_t i = 0; i < g->n; i++) {
        double x = m->runs[g->runs[i]].value[f];
        sum += isfinite(x) ? x : 0;
        n += isfinite(x) != 0;
    }
    g->count[f] = n;
    g->mean[f] = n > 0 ? sum / (double)n : unknown;
    for (size_t i = 0; i < g->n; i++) {
        double x = m->runs[g->runs[i]].value[f];
        squares += isfinite(x) ? (x - g->mean[f]) * (x - g->mean[f]) : 0;
    }
    g->se[f] = n > 1 ? sqrt(squares / (double)(n - 1) / (double)n) : unknown;
}

static lam_status measure_group(const lam_experiment *e, const lam_measurement *m, lam_group *g)
{
    g->runs = lam_alloc(e->seeds.n, sizeof *g->runs);
    if (g->runs == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < e->n_runs; i++) {
        if (!belongs(g, &e->runs[i]))
            continue;
        g->planned++;
        g->failed += e->runs[i].shown.state == LAM_RUN_FAILED;
        if (e->runs[i].shown.state == LAM_RUN_FINISHED)
            g->runs[g->n++] = i;
    }
    for (size_t f = 0; f < LAM_FIGURES; f++)
        average(m, g, (lam_figure)f);
    return LAM_OK;
}

/* Groups are the runs of the first seed, which differ in all else; their order is data, tolerance, penalty, value. */
static int compare_groups(const void *a, const void *b)
{
    const lam_group *x = a, *y = b;
    const size_t keys[4][2] = { { x->data, y->data }, { x->tolerance, y->tolerance }, { x->penalty, y->penalty },
        { x->value, y->value } };
    for (size_t i = 0; i < 4; i++)
        if (keys[i][0] != keys[i][1])
            return keys[i][0] < keys[i][1] ? -1 : 1;
    return 0;
}

static lam_status make_groups(const lam_experiment *e, lam_measurement *m)
{
    m->groups = lam_alloc(e->n_runs, sizeof *m->groups);
    if (m->groups == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < e->n_runs; i++) {
        const lam_grid_run *run = &e->runs[i];
        if (!run->choosing && run->seed == 0)
            m->groups[m->n_groups++] = (lam_group) { .data = run->data, .tolerance = run->tolerance, .penalty = run->penalty,
                .value = run->value };
    }
    qsort(m->groups, m->n_groups, sizeof *m->groups, compare_groups);
    for (size_t i = 0; i < m->n_groups; i++)
        LAM_TRY(measure_group(e, m, &m->groups[i]));
    return LAM_OK;
}

lam_status lam_measure_experiment(const lam_experiment *e, lam_measurement *out)
{
    *out = (lam_measurement) { .n_runs = e->n_runs, .runs = lam_alloc(e->n_runs, sizeof *out->runs) };
    lam_status status = out->runs == NULL ? LAM_ERR_MEMORY : measure_runs(e, out);
    if (status == LAM_OK)
        status = make_groups(e, out);
    if (status != LAM_OK)
        lam_measurement_clear(out);
    return status;
}

void lam_measurement_clear(lam_measurement *m)
{
    for (size_t i = 0; m->runs != NULL && i < m->n_runs; i++)
        lam_history_free(&m->runs[i].history);
    for (size_t i = 0; i < m->n_groups; i++)
        lam_free(m->groups[i].runs);
    lam_free(m->runs);
    lam_free(m->groups);
    *m = (lam_measurement) { 0 };
}

size_t lam_measurement_block(const lam_measurement *m, size_t first)
{
    const lam_group *g = &m->groups[first];
    size_t n = 1;
    while (first + n < m->n_groups && g[n].data == g->data && g[n].tolerance == g->tolerance)
        n++;
    return n;
}

void lam_group_label(const lam_experiment *e, const lam_group *g, char label[128])
{
    const lam_plan_penalty *p = &e->plan.penalties[g->penalty];
    size_t value = g->value != LAM_NO_VALUE ? g->value : e->chosen[g->penalty];
    char number[32];
    if (value == LAM_NO_VALUE) {
        snprintf(label, 128, "%s", p->name.text);
        return;
    }
    lam_short_number(lam_plan_number(&p->values.items[value]), number);
    snprintf(label, 128, "%s, %s", p->name.text, number);
}
