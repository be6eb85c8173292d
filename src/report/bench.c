/* Measurements for the caller: the made-up problem, the clock, the machine's limits. */
#include "base/clock.h"
#include "report/bench.h"
#include "base/error.h"
#include "base/need.h"
#include "base/mem.h"
#include "base/sort.h"
#include "penalty/tpr.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof((lam_bench_problem *)0)->times / sizeof(double) >= LAM_MAX_TPR_TIMES, "room for every time");

static const double DEFAULT_SECONDS = 0.2, DEFAULT_SCALE = 1;
enum { DEFAULT_REPEATS = 5 };

lam_measure_options lam_bench_defaults(const lam_measure_options *given)
{
    lam_measure_options o = given != NULL ? *given : (lam_measure_options) { 0 };
    o.seconds = o.seconds > 0 ? o.seconds : DEFAULT_SECONDS;
    o.repeats = o.repeats > 0 ? o.repeats : DEFAULT_REPEATS;
    o.weight_scale = o.weight_scale > 0 ? o.weight_scale : DEFAULT_SCALE;
    return o;
}

/* ---- timing ------------------------------------------------------------------------------------------------------ */

double lam_bench_median(double *values, size_t n)
{
    lam_sort_ascending(values, n);
    return 0.5 * (values[(n - 1) / 2] + values[n / 2]);
}

lam_status lam_bench_time(const lam_measure_options *o, lam_status (*fn)(void *arg), void *arg, double *seconds,
    double *fastest, size_t *repeats)
{
    double start = lam_clock(), group = o->seconds / (double)o->repeats;
    LAM_TRY(fn(arg)); /* warms caches and pages */
    double one = lam_clock() - start;
    if (one < group) { /* short: the cold run says too little of how many make a group */
        start = lam_clock();
        LAM_TRY(fn(arg));
        one = fmax(lam_clock() - start, 1e-9);
    }
    size_t runs = one < group ? (size_t)ceil(group / one) : 1;
    double *times = lam_alloc(o->repeats, sizeof *times);
    lam_status status = times == NULL ? LAM_ERR_MEMORY : LAM_OK;
    for (size_t i = 0; status == LAM_OK && i < o->repeats; i++) {
        start = lam_clock();
        for (size_t j = 0; status == LAM_OK && j < runs; j++)
            status = fn(arg);
        times[i] = (lam_clock() - start) / (double)runs;
    }
    if (status == LAM_OK) {
        *seconds = lam_bench_median(times, o->repeats);
        if (fastest != NULL)
            *fastest = times[0];
        if (repeats != NULL)
            *repeats = o->repeats * runs;
    }
    lam_free(times);
    return status;
}

/* ---- the machine's limits ----------------------------------------------------------------------------------------- */

typedef struct limits {
    const lam_bench_loops *loops;
    lam_pool *pool;
    size_t threads, rounds, reals, times;
    char **buffer; /* [threads] each of the size in hand */
    double *sum;   /* [threads] what the loops give, so that they are run */
} limits;

static void add_thread(void *arg, size_t item, size_t thread)
{
    (void)thread;
    limits *l = arg;
    l->sum[item] += l->loops->multiply_add(l->rounds, 1e-3);
}

static lam_status add_all(void *arg)
{
    limits *l = arg;
    lam_pool_run(l->pool, l->threads, add_thread, l);
    return LAM_OK;
}

static void read_thread(void *arg, size_t item, size_t thread)
{
    (void)thread;
    limits *l = arg;
    for (size_t i = 0; i < l->times; i++)
        l->sum[item] += (double)l->loops->read(l->buffer[item], l->reals);
}

static lam_status read_run(void *arg)
{
    limits *l = arg;
    lam_pool_run(l->pool, l->threads, read_thread, l);
    return LAM_OK;
}

/* One line of a cache's description, without its end; 0 if there is none. */
static int read_cache(int index, const char *what, char line[32])
{
    char path[80];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/%s", index, what);
    FILE *stream = fopen(path, "r");
    int found = stream != NULL && fgets(line, 32, stream) != NULL;
    if (stream != NULL)
        fclose(stream);
    return found;
}

/* Sizes of the data caches, as far as the system tells. */
static void cache_sizes(size_t size[3])
{
    static const size_t usual[3] = { (size_t)32 << 10, (size_t)1 << 20, (size_t)16 << 20 };
    char level[32], type[32], bytes[32];
    memcpy(size, usual, sizeof usual);
    for (int i = 0; read_cache(i, "level", level) && read_cache(i, "type", type) && read_cache(i, "size", bytes); i++) {
        char *unit;
        unsigned long number = strtoul(bytes, &unit, 10);
        if (type[0] != 'I' && level[0] >= '1' && level[0] <= '3' && number > 0)
            size[level[0] - '1'] = number << (unit[0] == 'K' ? 10 : unit[0] == 'M' ? 20 : 0);
    }
}

/* Bytes that each thread reads to measure a level: half of a cache of its own, between the second's and the third's size (which
 * is shared, with other machines too where this one is virtual), and more than all of them. */
static size_t level_bytes(int level, size_t threads)
{
    size_t cache[3], bytes;
    cache_sizes(cache);
    if (level < 2)
        bytes = cache[level] / 2;
    else if (level == 2)
        bytes = cache[2] / 4 / threads > 2 * cache[1] ? cache[2] / 4 / threads : 2 * cache[1];
    else
        bytes = 4 * cache[2] / threads > 4 * cache[1] ? 4 * cache[2] / threads : 4 * cache[1];
    return bytes / 4096 * 4096;
}

static lam_status measure_read(limits *l, const lam_measure_options *o, int level, lam_machine_figures *out)
{
    size_t bytes = level_bytes(level, l->threads);
    double seconds = 0, fastest = 0;
    lam_status status = LAM_OK;
    for (size_t i = 0; i < l->threads; i++)
        if ((l->buffer[i] = lam_alloc(bytes, 1)) == NULL)
            status = LAM_ERR_MEMORY;
        else
            memset(l->buffer[i], 1, bytes); /* pages that were never written are all one page of zeros */
    l->reals = bytes / l->loops->real_size;
    l->times = bytes > (size_t)1 << 23 ? 1 : ((size_t)1 << 23) / bytes; /* long enough for the threads to start together */
    if (status == LAM_OK)
        status = lam_bench_time(o, read_run, l, &seconds, &fastest, NULL);
    for (size_t i = 0; i < l->threads; i++)
        lam_free(l->buffer[i]);
    if (status == LAM_OK) {
        out->read[level] = (double)(bytes * l->times * l->threads) / fastest;
        out->read_bytes[level] = bytes;
    }
    return status;
}

/* Limits are the best of many short runs: what an interruption lengthens is left out. Reading memory takes long by itself. */
static lam_status measure(limits *l, const lam_measure_options *options, lam_machine_figures *out)
{
    const lam_measure_options many = { .seconds = options->seconds, .repeats = 40 * options->repeats };
    double seconds = 0, fastest = 0, wall = lam_clock(), processor = lam_cpu_clock();
    l->rounds = 20000;
    LAM_TRY(lam_bench_time(&many, add_all, l, &seconds, &fastest, NULL));
    out->processor_share = (lam_cpu_clock() - processor) / ((lam_clock() - wall) * (double)l->threads);
    out->flops = (double)(l->rounds * l->loops->round_flops * l->threads) / fastest;
    for (int level = 0; level < LAM_MACHINE_LEVELS; level++)
        LAM_TRY(measure_read(l, level < LAM_MACHINE_LEVELS - 1 ? &many : options, level, out));
    return LAM_OK;
}

static void name_compiler(char *text, size_t size)
{
#if defined(__clang__)
    snprintf(text, size, "clang %d.%d.%d", __clang_major__, __clang_minor__, __clang_patchlevel__);
#else
    snprintf(text, size, "gcc %d.%d.%d", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
}

lam_status lam_measure_machine(const lam_config *cfg, const lam_measure_options *options, lam_machine_figures *out)
{
    LAM_NEED(cfg, "cfg");
    LAM_NEED(out, "out");
    lam_isa isa;
    lam_measure_options o = lam_bench_defaults(options);
    memset(out, 0, sizeof *out);
    LAM_TRY(lam_isa_choose(cfg->isa, &isa));
    limits l = { .loops = cfg->precision == LAM_DOUBLE ? lam_bench_loops_for_f64(isa) : lam_bench_loops_for_f32(isa) };
    LAM_TRY(lam_pool_create(cfg->threads, &l.pool));
    out->threads = l.threads = lam_pool_threads(l.pool);
    snprintf(out->isa, sizeof out->isa, "%s", lam_isa_name(isa));
    name_compiler(out->compiler, sizeof out->compiler);
    l.buffer = lam_alloc(l.threads, sizeof *l.buffer);
    l.sum = lam_alloc(l.threads, sizeof *l.sum);
    lam_status status = l.buffer == NULL || l.sum == NULL ? LAM_ERR_MEMORY : measure(&l, &o, out);
    lam_free(l.buffer);
    lam_free(l.sum);
    lam_pool_free(l.pool);
    return status;
}

/* ---- the problem -------------------------------------------------------------------------------------------------- */

static void close_problem(lam_bench_problem *p)
{
    lam_pool_free(p->pool);
    lam_free(p->rows);
    lam_model_free(p->model);
}

static void scale_weights(lam_model *model, double scale)
{
    size_t end = model->layout.blocks * model->layout.field.parameters; /* beta and end times stay */
    for (size_t i = 0; i < end; i++)
        model->params[i] *= scale;
    for (size_t i = 0; model->config.precision == LAM_FLOAT && i < end; i++)
        model->params[i] = (double)(float)model->params[i];
}

/* Numbers that a float holds, so that another program can start from the same ones. */
static void draw_rows(lam_bench_problem *p)
{
    const lam_config *cfg = &p->model->config;
    for (size_t i = 0; i < cfg->batch_size; i++) {
        double *row = p->rows + i * p->dim;
        lam_random_normal_row(cfg->seed, LAM_DRAW_SAMPLE, 0, i, row, p->dim);
        for (size_t j = 0; j < p->dim; j++)
            row[j] = (double)(float)row[j];
    }
}

static lam_status open_problem(const lam_config *cfg, size_t dim, const lam_measure_options *options, lam_bench_problem *p)
{
    memset(p, 0, sizeof *p);
    if (cfg == NULL || dim == 0)
        return lam_fail(LAM_ERR_ARGUMENT, "a measurement needs a configuration and at least one column");
    p->options = lam_bench_defaults(options);
    p->dim = dim;
    if (cfg->tpr_coefficient > 0)
        LAM_TRY(lam_tpr_check(cfg->tpr_times, cfg->tpr_degree));
    for (size_t j = 0; cfg->tpr_coefficient > 0 && j < cfg->tpr_times; j++)
        p->times[j] = (double)j / (double)(cfg->tpr_times - 1);
    LAM_TRY(lam_model_create(cfg, dim, &p->model));
    cfg = &p->model->config;
    scale_weights(p->model, p->options.weight_scale);
    p->rows = lam_alloc(cfg->batch_size * dim, sizeof *p->rows);
    lam_status status = p->rows == NULL ? LAM_ERR_MEMORY : lam_pool_create(cfg->threads, &p->pool);
    if (status == LAM_OK)
        draw_rows(p);
    else
        close_problem(p);
    return status;
}

lam_status lam_measure_field(const lam_config *cfg, size_t dim, const lam_measure_options *options, lam_field_figures *out)
{
    LAM_NEED(cfg, "cfg");
    LAM_NEED(out, "out");
    lam_bench_problem p;
    LAM_TRY(open_problem(cfg, dim, options, &p));
    lam_status status = p.model->config.precision == LAM_DOUBLE ? lam_bench_field_f64(&p, out) : lam_bench_field_f32(&p, out);
    close_problem(&p);
    return status;
}

lam_status lam_measure_iteration(const lam_config *cfg, size_t dim, const lam_measure_options *options,
    lam_iteration_figures *out)
{
    LAM_NEED(cfg, "cfg");
    LAM_NEED(out, "out");
    lam_bench_problem p;
    LAM_TRY(open_problem(cfg, dim, options, &p));
    lam_status status = cfg->precision == LAM_DOUBLE ? lam_bench_iteration_f64(&p, out) : lam_bench_iteration_f32(&p, out);
    close_problem(&p);
    return status;
}

/* ---- the problem as a file ---------------------------------------------------------------------------------------- */

void lam_bench_noise(const lam_config *cfg, size_t dim, double *draws, float *noise)
{
    size_t rows = cfg->batch_size, count = cfg->probes * dim;
    for (size_t b = 0; b < cfg->blocks; b++)
        for (size_t i = 0; i < rows; i++) {
            if (cfg->divergence == LAM_DIV_GAUSSIAN)
                lam_random_normal_row(cfg->seed, LAM_DRAW_PROBE, b, i, draws, count);
            else
                lam_random_sign_row(cfg->seed, LAM_DRAW_PROBE, b, i, draws, count);
            for (size_t j = 0; j < dim; j++)
                noise[(b * rows + i) * dim + j] = (float)draws[j];
        }
}

lam_status lam_bench_describe(const lam_config *cfg, lam_bench_description *d)
{
    const lam_parameter *parameter;
    for (d->n = 0; d->n < LAM_BENCH_PAIRS && (parameter = lam_parameter_at(d->n)) != NULL; d->n++) {
        LAM_TRY(lam_config_get(cfg, parameter->name, d->texts[d->n], sizeof d->texts[0]));
        d->pairs[d->n] = (lam_st_pair) { parameter->name, d->texts[d->n] };
    }
    return LAM_OK;
}

static lam_status write_problem(const lam_bench_problem *p, const char *path, lam_st_tensor *tensors, float *floats,
    double *draws)
{
    const lam_model *m = p->model;
    size_t n = 0, rows = m->config.batch_size, at = m->layout.parameters;
    lam_bench_description about;
    LAM_TRY(lam_bench_describe(&m->config, &about));
    for (size_t i = 0; i < at; i++)
        floats[i] = (float)m->params[i];
    for (; n < m->n_tensors; n++) {
        const lam_layout_tensor *t = &m->tensors[n];
        tensors[n] = (lam_st_tensor) { .name = t->name, .dtype = LAM_ST_F32, .n_shape = t->dims,
            .shape = { t->shape[0], t->shape[1] }, .data = floats + t->offset };
    }
    tensors[n++] = (lam_st_tensor) { .name = "rows", .dtype = LAM_ST_F32, .n_shape = 2, .shape = { rows, p->dim },
        .data = floats + at };
    for (size_t i = 0; i < rows * p->dim; i++)
        floats[at++] = (float)p->rows[i];
    if (m->config.divergence != LAM_DIV_EXACT) {
        tensors[n++] = (lam_st_tensor) { .name = "noise", .dtype = LAM_ST_F32, .n_shape = 3,
            .shape = { m->config.blocks, rows, p->dim }, .data = floats + at };
        lam_bench_noise(&m->config, p->dim, draws, floats + at);
    }
    if (m->config.tpr_coefficient > 0)
        tensors[n++] = (lam_st_tensor) { .name = "times", .dtype = LAM_ST_F64, .n_shape = 1, .shape = { m->config.tpr_times },
            .data = p->times };
    return lam_st_write(path, tensors, n, about.pairs, about.n);
}

lam_status lam_measure_problem(const lam_config *cfg, size_t dim, const lam_measure_options *options, const char *path)
{
    LAM_NEED(cfg, "cfg");
    LAM_NEED(path, "path");
    lam_bench_problem p;
    LAM_TRY(open_problem(cfg, dim, options, &p));
    size_t rows = cfg->batch_size * dim, floats = p.model->layout.parameters + rows * (1 + cfg->blocks);
    lam_st_tensor *tensors = lam_alloc(p.model->n_tensors + 3, sizeof *tensors);
    float *values = lam_alloc(floats, sizeof *values);
    double *draws = lam_alloc(cfg->probes * dim, sizeof *draws);
    lam_status status = LAM_ERR_MEMORY;
    if (tensors != NULL && values != NULL && draws != NULL)
        status = write_problem(&p, path, tensors, values, draws);
    lam_free(tensors);
    lam_free(values);
    lam_free(draws);
    close_problem(&p);
    return status;
}
