/* Calls of a low-rank amortised field in the shapes of the published variational auto-encoders: f and its trace by one probe,
 * the vector-Jacobian product, and the gradient of the row parameters over a dopri5 step's six stages. One thread, float, 100 rows.
 *
 *     amortised [ISA]
 *
 * GB/s counts the row parameters alone, once a call (the gradient: read and written), in whole vectors of rows.
 */
#define LAM_WIDTH 32
#include "base/mem.h"
#include "flow/inside.h"
#include "penalty/loss.h"
#include "model/config.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROWS = 100, DIM = 64, STAGES = 6, REPEATS = 7 };

static const struct {
    const char *name;
    size_t hidden[2], n_hidden, rank;
    lam_activation activation;
} shapes[] = {
    { "MNIST", { 1024, 1024 }, 2, 64, LAM_ACT_SOFTPLUS },
    { "Frey Faces", { 512, 512 }, 2, 20, LAM_ACT_SOFTPLUS },
    { "Caltech", { 2048 }, 1, 20, LAM_ACT_TANH },
};

static void must(lam_status status)
{
    if (status != LAM_OK) {
        fprintf(stderr, "amortised: %s\n", lam_last_error());
        exit(EXIT_FAILURE);
    }
}

static void *need(void *p)
{
    must(p == NULL ? LAM_ERR_MEMORY : LAM_OK);
    return p;
}

typedef struct bench {
    lam_engine_f32 *e;
    lam_system_f32 system;
    float *record, *k, *gz; /* record: of a step's stages, one tile after the other */
    size_t record_size;
} bench;

/* The middle of REPEATS times of fn over every tile, in seconds a row. */
static double middle(bench *b, void (*fn)(bench *, size_t tile))
{
    double s[REPEATS];
    for (size_t i = 0; i < REPEATS; i++) {
        struct timespec t0, t1;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t0);
        for (size_t tile = 0; tile < b->e->batch.tiles; tile++)
            fn(b, tile);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t1);
        s[i] = (double)(t1.tv_sec - t0.tv_sec) + 1e-9 * (double)(t1.tv_nsec - t0.tv_nsec);
        for (size_t j = i; j > 0 && s[j] < s[j - 1]; j--) {
            double swap = s[j];
            s[j] = s[j - 1];
            s[j - 1] = swap;
        }
    }
    return s[REPEATS / 2] / ROWS;
}

static float *stage_record(bench *b, size_t tile, size_t stage)
{
    return b->record + (tile * STAGES + stage) * b->record_size;
}

static void eval(bench *b, size_t tile)
{
    size_t plane = (DIM + 1) * LAM_TILE;
    for (size_t s = 0; s < STAGES; s++)
        b->system.eval(b->e, &(lam_stage){ .tile = tile, .slot = s, .record = stage_record(b, tile, s) }, b->e->path[0]->y[0] + tile * plane, b->k + tile * plane);
}

static void reverse(bench *b, size_t tile)
{
    for (size_t s = 0; s < STAGES; s++)
        b->system.vjp(b->e, &(lam_stage){ .tile = tile, .slot = s, .record = stage_record(b, tile, s) }, b->k + tile * (DIM + 1) * LAM_TILE, 1, b->gz);
    b->e->vjps[0].count = 0;
}

static void reverse_and_collect(bench *b, size_t tile)
{
    for (size_t s = 0; s < STAGES; s++)
        b->system.vjp(b->e, &(lam_stage){ .tile = tile, .slot = s, .record = stage_record(b, tile, s) }, b->k + tile * (DIM + 1) * LAM_TILE, 1, b->gz);
    b->system.step_reversed(b->e, tile, 0);
}

static void measure(size_t shape, const char *isa, lam_pool *pool)
{
    lam_config c;
    lam_layout layout;
    bench b = { 0 };
    lam_engine_options o = { .max_rows = ROWS, .trace = LAM_TRACE_HUTCHINSON, .probes = 1, .gradients = 1, .isa = isa };
    lam_noise noise = { .kind = LAM_DIV_GAUSSIAN };
    lam_config_init(&c);
    c.n_hidden = shapes[shape].n_hidden;
    for (size_t i = 0; i < c.n_hidden; i++)
        c.hidden[i] = shapes[shape].hidden[i];
    c.layer = LAM_LAYER_CONCAT, c.nonlinearity = shapes[shape].activation, c.blocks = 1;
    must(lam_layout_amortised(&layout, &c, DIM, LAM_AMORTISED_LOW_RANK, shapes[shape].rank));
    must(lam_engine_create_f32(&layout, pool, &o, &b.e));
    size_t n_am = layout.field.row_parameters, tiles = b.e->batch.tiles, reals = tiles * n_am * LAM_TILE, lanes = 0;
    double *initial = need(lam_alloc(layout.parameters, sizeof *initial)), *x = need(lam_alloc(ROWS * DIM, sizeof *x));
    float *params = need(lam_alloc(layout.parameters, sizeof *params)), *am = need(lam_alloc(reals, sizeof *am));
    float *g_am = need(lam_alloc(reals, sizeof *g_am));
    b.record_size = (b.e->field.record_size + 15) / 16 * 16;
    b.record = need(lam_alloc(tiles * STAGES * b.record_size, sizeof *b.record));
    b.k = need(lam_alloc(tiles * (DIM + 1) * LAM_TILE, sizeof *b.k)), b.gz = need(lam_alloc(DIM * LAM_TILE, sizeof *b.gz));
    lam_layout_initial(&layout, &c, initial);
    for (size_t i = 0; i < layout.parameters; i++)
        params[i] = (float)initial[i];
    for (size_t i = 0; i < reals; i++)
        am[i] = 0.01f * (float)(i % 13) - 0.06f;
    for (size_t i = 0; i < ROWS * DIM; i++)
        x[i] = 0.1 * (double)(i % 17) - 0.8;
    lam_engine_amortise_f32(b.e, (const float *const *)&am);
    must(lam_engine_load_rows_f32(b.e, &(lam_flow_call_f32) { .params = params, .x = x, .rows = ROWS }));
    lam_engine_draw_f32(b.e, &noise, 0);
    lam_engine_load_block_f32(b.e, 0);
    lam_cnf_system_f32(b.e, 0, &b.system);
    for (size_t s = 0; s < STAGES; s++)
        b.system.prepare(b.e, s, 0.1f * (float)s);
    b.e->cotangent_l = 0.01;
    b.e->g_am = g_am;
    double call = middle(&b, eval) / STAGES, vjp = middle(&b, reverse) / STAGES;
    b.e->g_am_begun[0] = b.e->g_am_begun[1] = 1;
    double step = middle(&b, reverse_and_collect);
    for (size_t tile = 0; tile < tiles; tile++)
        lanes += lam_batch_vectors(&b.e->batch, tile) * b.e->batch.lanes;
    double bytes = (double)n_am * (double)lanes * sizeof(float) / ROWS, collect = step - STAGES * vjp;
    double flop = 4 * (double)layout.field.products;
    printf("%-11s %8zu %8.3f %10.1f %6.1f %6.1f %10.1f %6.1f %6.1f %12.1f %6.1f\n", shapes[shape].name, n_am, bytes * 1e-6,
        call * 1e6, bytes / call * 1e-9, flop / call * 1e-9, vjp * 1e6, bytes / vjp * 1e-9, 2 * flop / vjp * 1e-9,
        collect * 1e6, 2 * bytes / collect * 1e-9);
    lam_engine_free_f32(b.e);
    lam_free(initial), lam_free(x), lam_free(params), lam_free(am), lam_free(g_am), lam_free(b.record), lam_free(b.k), lam_free(b.gz);
    lam_config_clear(&c);
}

int main(int argc, char **argv)
{
    lam_pool *pool;
    must(lam_pool_create(1, &pool));
    printf("%-11s %8s %8s %10s %6s %6s %10s %6s %6s %12s %6s\n", "shape", "reals", "MB a row", "f+trace us", "GB/s", "GFLOP", "vjp us",
        "GB/s", "GFLOP", "g, a step us", "GB/s");
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        measure(i, argc > 1 ? argv[1] : NULL, pool);
    lam_pool_free(pool);
    return 0;
}
