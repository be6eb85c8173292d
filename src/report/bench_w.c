/* The measurements of one width: evaluations of f as a solve makes them, and whole training iterations. */
#include "base/error.h"
#include "base/mem.h"
#include "flow/inside.h"
#include "penalty/loss.h"
#include "penalty/tpr.h"
#include "report/bench.h"
#include "optim/optimizer.h"
#include "report/names.h"
#include <math.h>
#include <string.h>

#if LAM_WIDTH == 32
#define LOOPS(isa) lam_bench_loop_table_f32_##isa
#else
#define LOOPS(isa) lam_bench_loop_table_f64_##isa
#endif
extern const lam_bench_loops LOOPS(scalar);
#ifdef LAM_HAVE_sse2
extern const lam_bench_loops LOOPS(sse2);
#endif
#ifdef LAM_HAVE_avx2
extern const lam_bench_loops LOOPS(avx2);
#endif
#ifdef LAM_HAVE_avx512
extern const lam_bench_loops LOOPS(avx512);
#endif
#ifdef LAM_HAVE_neon
extern const lam_bench_loops LOOPS(neon);
#endif

const lam_bench_loops *lam_bench_loops_for(lam_isa isa)
{
    switch (isa) {
#ifdef LAM_HAVE_sse2
    case LAM_SSE2:
        return &LOOPS(sse2);
#endif
#ifdef LAM_HAVE_avx2
    case LAM_AVX2:
        return &LOOPS(avx2);
#endif
#ifdef LAM_HAVE_avx512
    case LAM_AVX512:
        return &LOOPS(avx512);
#endif
#ifdef LAM_HAVE_neon
    case LAM_NEON:
        return &LOOPS(neon);
#endif
    default:
        return &LOOPS(scalar);
    }
}

enum { EXACT_ROWS = 512 }; /* D + 1 planes a row: fewer rows are measured as well as many */

static lam_noise noise_of(const lam_config *cfg)
{
    return (lam_noise) { .kind = cfg->divergence, .seed = cfg->seed, .purpose = LAM_DRAW_PROBE };
}

static lam_trace trace_of(const lam_config *cfg)
{
    return cfg->divergence == LAM_DIV_EXACT ? LAM_TRACE_EXACT : LAM_TRACE_HUTCHINSON;
}

static real *reals_of(const lam_bench_problem *p)
{
    size_t n = p->model->layout.parameters;
    real *params = lam_alloc(n, sizeof *params);
    for (size_t i = 0; params != NULL && i < n; i++)
        params[i] = (real)p->model->params[i];
    return params;
}

/* Needed by the penalty on derivatives along the path: one plane an order beyond f, not counting what matrices that depend on t add. */
static double series_flop(const lam_config *cfg, const lam_field_shape *s)
{
    return cfg->taylor_coefficient > 0 ? 2 * (double)((cfg->taylor_order - 1) * s->products) : 0;
}

/* Needed for f and so many tangents of a row. */
static double flop_of(const lam_field_shape *s, lam_trace trace, size_t tangents)
{
    return 2 * (double)lam_field_products(s, tangents, trace == LAM_TRACE_EXACT);
}

/* ---- evaluations of f --------------------------------------------------------------------------------------------------- */

/* One block's system over a batch, every tile evaluated (or reversed) from its rows at one time. */
typedef struct calls {
    lam_engine *engine;
    lam_system system;
    size_t threads;
    real **space;  /* [threads] record, then the results of a tile */
    const real *y; /* [tiles][rows][TILE] */
    real *k;       /* [tiles][rows][TILE] */
} calls;

static size_t whole_lines(size_t reals)
{
    return (reals + 15) / 16 * 16;
}

static void eval_group(void *arg, size_t group, size_t thread)
{
    calls *c = arg;
    const lam_batch *b = &c->engine->batch;
    size_t plane = c->system.rows * LAM_TILE;
    for (size_t tile = lam_batch_first_tile(b, group); tile < lam_batch_first_tile(b, group + 1); tile++)
        c->system.eval(c->system.self, &(lam_stage){ tile, group, thread, 0, c->space[thread] }, c->y + tile * plane, c->k + tile * plane);
}

/* Every tile is reversed through its thread's last record, whose numbers do not matter here. */
static void reverse_group(void *arg, size_t group, size_t thread)
{
    calls *c = arg;
    const lam_batch *b = &c->engine->batch;
    real *record = c->space[thread], *gz = record + whole_lines(c->system.record_size);
    size_t plane = c->system.rows * LAM_TILE;
    for (size_t tile = lam_batch_first_tile(b, group); tile < lam_batch_first_tile(b, group + 1); tile++)
        c->system.vjp(c->system.self, &(lam_stage){ tile, group, thread, 0, record }, c->k + tile * plane, 1, gz);
}

static lam_status eval_all(void *arg)
{
    calls *c = arg;
    lam_pool_run(c->engine->pool, c->engine->batch.groups, eval_group, c);
    return LAM_OK;
}

static lam_status reverse_all(void *arg)
{
    calls *c = arg;
    lam_pool_run(c->engine->pool, c->engine->batch.groups, reverse_group, c);
    return LAM_OK;
}

static void close_calls(calls *c)
{
    for (size_t i = 0; c->space != NULL && i < c->threads; i++)
        lam_free(c->space[i]);
    lam_free(c->space);
    lam_free(c->k);
    lam_engine_free(c->engine);
}

static lam_status open_calls(const lam_bench_problem *p, const lam_layout *block, const real *params, lam_trace trace,
    size_t rows, calls *c)
{
    const lam_config *cfg = &p->model->config;
    lam_engine_options options = { .max_rows = rows, .trace = trace, .probes = cfg->probes, .gradients = 1, .isa = cfg->isa };
    lam_noise noise = noise_of(cfg);
    memset(c, 0, sizeof *c);
    c->threads = lam_pool_threads(p->pool);
    LAM_TRY(lam_engine_create(block, p->pool, &options, &c->engine));
    LAM_TRY(lam_engine_load_rows(c->engine, &(lam_flow_call) { .params = params, .x = p->rows, .rows = rows }));
    lam_engine_draw(c->engine, &noise, 0);
    lam_engine_load_block(c->engine, 0);
    lam_cnf_system(c->engine, 0, &c->system);
    c->engine->cotangent_l = 1 / (double)rows;
    size_t plane = c->system.rows * LAM_TILE, space = whole_lines(c->system.record_size) + plane;
    c->y = c->engine->path[0]->y[0];
    if ((c->k = lam_alloc(c->engine->batch.tiles * plane, sizeof(real))) == NULL
        || (c->space = lam_alloc(c->threads, sizeof *c->space)) == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < c->threads; i++) {
        if ((c->space[i] = lam_alloc(space, sizeof(real))) == NULL)
            return LAM_ERR_MEMORY;
        c->system.prepare(c->system.self, 0, (real)0.5);
        eval_group(c, 0, i); /* each thread has a record for the reverse */
    }
    return LAM_OK;
}

/* One engine's calls: forward, and the reverse where it is asked for. */
static lam_status time_calls(const lam_bench_problem *p, const lam_layout *block, const real *params, lam_trace trace,
    size_t rows, lam_pass_figures *forward, lam_pass_figures *reverse)
{
    calls c;
    lam_status status = open_calls(p, block, params, trace, rows, &c);
    if (status == LAM_OK)
        status = lam_bench_time(&p->options, eval_all, &c, &forward->seconds, NULL, NULL);
    if (status == LAM_OK && reverse != NULL)
        status = lam_bench_time(&p->options, reverse_all, &c, &reverse->seconds, NULL, NULL);
    if (status == LAM_OK) {
        forward->seconds /= (double)rows;
        forward->flop = flop_of(&block->field, trace, c.engine->tangents);
        if (reverse != NULL)
            *reverse = (lam_pass_figures) { reverse->seconds / (double)rows, 2 * forward->flop };
    }
    close_calls(&c);
    return status;
}

lam_status lam_bench_field(const lam_bench_problem *p, lam_field_figures *out)
{
    const lam_config *cfg = &p->model->config;
    size_t rows = cfg->batch_size, few = rows < EXACT_ROWS ? rows : EXACT_ROWS;
    lam_layout block; /* the first one alone: its parameters lead, swish's beta and the end time follow */
    lam_config one = *cfg;
    one.blocks = 1;
    LAM_TRY(lam_layout_init(&block, &one, p->dim));
    real *params = reals_of(p);
    if (params == NULL)
        return LAM_ERR_MEMORY;
    if (block.beta != SIZE_MAX)
        params[block.beta] = (real)p->model->params[p->model->layout.beta];
    params[block.time] = (real)p->model->params[p->model->layout.time];
    lam_status status = time_calls(p, &block, params, LAM_TRACE_NONE, rows, &out->value, NULL);
    if (status == LAM_OK)
        status = time_calls(p, &block, params, trace_of(cfg), rows, &out->derivative, &out->reverse);
    if (status == LAM_OK)
        status = time_calls(p, &block, params, LAM_TRACE_EXACT, few, &out->exact, NULL);
    lam_free(params);
    return status;
}

/* ---- iterations --------------------------------------------------------------------------------------------------- */

typedef struct iteration {
    const lam_bench_problem *problem;
    lam_engine *engine;
    real *params, *grad;                  /* [parameters] */
    lam_parameter_map map;
    lam_memory memory_of[LAM_MEMORIES];
    void *memory[LAM_MEMORIES];           /* the optimiser's */
    lam_stepper *stepper;
    double *h_star;                       /* [blocks] */
    uint64_t done;
    lam_loss loss;
} iteration;

static lam_status iterate(void *arg)
{
    iteration *it = arg;
    const lam_bench_problem *p = it->problem;
    const lam_config *cfg = &p->model->config;
    lam_flow_solve solve = {
        .solve = { .table = lam_tableau_get(cfg->solver), .atol = cfg->atol, .rtol = cfg->rtol, .end = cfg->end,
            .first_step = cfg->first_step, .first_step_size = cfg->first_step_size, .fixed_steps = cfg->fixed_steps,
            .max_steps = cfg->max_steps, .min_step = cfg->min_step },
        .error_parts = cfg->error_parts,
        .h_star = cfg->first_step == LAM_STEP_WARM ? it->h_star : NULL,
        .keep_h_star = 1,
    };
    lam_noise noise = noise_of(cfg);
    lam_penalty penalty = lam_penalty_of(cfg, 0);
    penalty.given_times = p->times;
    const lam_flow_call call = { it->params, p->rows, NULL, cfg->batch_size, &solve, &noise };
    LAM_TRY(lam_engine_loss(it->engine, &call, &penalty, it->grad, NULL, &it->loss));
    const lam_update update = { .weight_decay = fmax(0, cfg->weight_decay), .step = ++it->done, .trained = p->model->layout.trained };
    lam_stepper_apply(it->stepper, &update, it->grad, it->memory, it->params);
    return LAM_OK;
}

static lam_status open_iteration(const lam_bench_problem *p, iteration *it)
{
    const lam_config *cfg = &p->model->config;
    size_t n = p->model->layout.parameters;
    lam_engine_options options = { .max_rows = cfg->batch_size, .trace = trace_of(cfg), .probes = cfg->probes, .gradients = 1,
        .method = cfg->gradient, .memory = cfg->memory, .isa = cfg->isa, .control = cfg->step_control };
    lam_penalty_options(cfg, &options);
    memset(it, 0, sizeof *it);
    it->problem = p;
    it->params = reals_of(p);
    it->grad = lam_alloc(n, sizeof(real));
    it->h_star = lam_alloc(p->model->layout.blocks, sizeof(double));
    if (it->params == NULL || it->grad == NULL || it->h_star == NULL)
        return LAM_ERR_MEMORY;
    LAM_TRY(lam_layout_map(&p->model->layout, &it->map));
    size_t memories = lam_optimizer_memories(cfg->optimizer, &it->map, it->memory_of);
    for (size_t i = 0; i < memories; i++)
        if ((it->memory[i] = lam_alloc(it->memory_of[i].count, sizeof(real))) == NULL)
            return LAM_ERR_MEMORY;
    LAM_TRY(lam_stepper_create(cfg->optimizer, &it->map, p->pool, cfg->isa, &it->stepper));
    return lam_engine_create(&p->model->layout, p->pool, &options, &it->engine);
}

lam_status lam_bench_iteration(const lam_bench_problem *p, lam_iteration_figures *out)
{
    const lam_config *cfg = &p->model->config;
    iteration it;
    lam_status status = open_iteration(p, &it);
    if (status == LAM_OK && cfg->first_step == LAM_STEP_WARM) /* the first iteration probes, the next starts from its memory */
        status = iterate(&it);
    if (status == LAM_OK)
        status = lam_bench_time(&p->options, iterate, &it, &out->seconds, &out->fastest, &out->repeats);
    if (status == LAM_OK) {
        size_t tangents = cfg->divergence == LAM_DIV_EXACT ? p->dim : cfg->probes;
        const lam_field_shape *field = &p->model->layout.field;
        out->flop = (flop_of(field, trace_of(cfg), tangents) + series_flop(cfg, field)) * (double)cfg->batch_size
            * ((double)it.loss.counts.forward + 2 * (double)it.loss.counts.backward);
        out->loss = it.loss.loss;
        out->nll = it.loss.nll;
        out->tpr = lam_terms_value(&it.loss.terms, "tpr");
        out->counts = it.loss.counts;
    }
    lam_engine_free(it.engine);
    lam_free(it.params);
    lam_free(it.grad);
    for (size_t i = 0; i < LAM_MEMORIES; i++)
        lam_free(it.memory[i]);
    lam_stepper_free(it.stepper);
    lam_free(it.map.matrix);
    lam_free(it.h_star);
    return status;
}
