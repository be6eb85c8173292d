/* The loss and its gradient on several ranks: the bits of one rank, whatever is asked, and few messages. */
#define LAM_WIDTH 64
#include "base/batch.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "flow.h"
#include "flow/sums.h"
#include "ranks.h"

enum { ROWS = 64 * 7 + 11, MOST_PARAMETERS = 1024 };

typedef struct outcome {
    recipe r;
    int bad; /* 1: a row is not finite */
    lam_status status;
    char error[400];
    lam_loss loss;
    size_t parameters;
    double grad[MOST_PARAMETERS], h_star[2];
    double grad_x[8 * ROWS];
} outcome;

static void one_loss(void *arg, const lam_comm *comm)
{
    outcome *o = arg;
    o->r.comm = comm;
    flow f = flow_create(o->r);
    flow_open(&f);
    if (o->bad)
        f.x[300 * f.r.dim] = NAN;
    f.solve.h_star = o->h_star;
    f.solve.keep_h_star = 1;
    for (int twice = 0; twice < 2; twice++) { /* what the first call leaves does no harm to the second */
        o->status = flow_gradient(&f);
        snprintf(o->error, sizeof o->error, "%s", o->status == LAM_OK ? "" : lam_last_error());
    }
    o->loss = f.loss;
    o->parameters = f.layout.parameters;
    memcpy(o->grad, f.grad, f.layout.parameters * sizeof(double));
    memcpy(o->grad_x, f.grad_x, f.r.rows * f.r.dim * sizeof(double));
    flow_close(&f);
}

static team ours;
static outcome alone, on[MOST_RANKS];

static void same_as_alone(recipe r, int bad)
{
    r.rows = r.rows == 0 ? ROWS : r.rows;
    r.dim = r.dim == 0 ? 3 : r.dim;
    alone = (outcome) { .r = r, .bad = bad };
    one_loss(&alone, NULL);
    assert_int_equal(alone.status == LAM_OK, !bad);
    for (size_t size = 1; size <= MOST_RANKS; size++) {
        for (size_t k = 0; k < size; k++) {
            on[k] = (outcome) { .r = r, .bad = bad };
            on[k].r.threads = 1 + k % 2;
        }
        team_run(&ours, size, one_loss, on, sizeof *on);
        for (size_t k = 0; k < size; k++) {
            assert_int_equal(on[k].status, alone.status);
            assert_string_equal(on[k].error, alone.error);
            if (bad)
                continue;
            assert_memory_equal(&on[k].loss, &alone.loss, sizeof alone.loss);
            assert_memory_equal(on[k].grad, alone.grad, alone.parameters * sizeof(double));
            assert_memory_equal(on[k].h_star, alone.h_star, sizeof alone.h_star);
            const lam_batch batch = { .comm = &ours.member[k].comm, .rows = r.rows, .tiles = (r.rows + 63) / 64, .groups = (r.rows + 63) / 64 };
            lam_range own = lam_batch_own_rows(&batch);
            assert_memory_equal(on[k].grad_x + own.first * r.dim, alone.grad_x + own.first * r.dim, (own.end - own.first) * r.dim * sizeof(double));
        }
    }
}

static void every_solver(void **state)
{
    (void)state;
    for (int solver = 0; solver < LAM_SOLVER_AUTO; solver++)
        same_as_alone((recipe) { .solver = (lam_solver)solver, .divergence = (lam_divergence)(solver % 3), .blocks = 2, .weights = 2,
            .memory = solver % 2, .tolerance = 1e-3 }, 0);
}

static void penalties(void **state)
{
    (void)state;
    same_as_alone((recipe) { .times = 4, .degree = 1, .coefficient = 5, .divergence = LAM_DIV_RADEMACHER, .blocks = 2, .weights = 2 }, 0);
    same_as_alone((recipe) { .kinetic = 0.7, .jacobian = 0.4, .steer = 0.3, .divergence = LAM_DIV_GAUSSIAN, .weights = 2 }, 0);
    same_as_alone((recipe) { .taylor = { 0.5, 0.2 }, .l_weight = 2, .times = 4, .degree = 1, .coefficient = 5, .weights = 2 }, 0);
    same_as_alone((recipe) { .error = 3, .error_l = 1, .tolerance = 1e-2, .weights = 2, .divergence = LAM_DIV_RADEMACHER }, 0);
    same_as_alone((recipe) { .train_time = 1, .blocks = 2, .time = 0.8, .times = 3, .degree = 1, .coefficient = 5, .weights = 2 }, 0);
}

static void contexts_and_adjoints(void **state)
{
    (void)state;
    same_as_alone((recipe) { .inputs = 2, .blocks = 2, .weights = 2, .divergence = LAM_DIV_RADEMACHER }, 0);
    same_as_alone((recipe) { .inputs = 3, .masked = 1, .dim = 4, .weights = 2 }, 0);
    same_as_alone((recipe) { .method = LAM_GRAD_ADJOINT, .blocks = 2, .weights = 2, .divergence = LAM_DIV_GAUSSIAN, .tolerance = 1e-4 }, 0);
}

static void by_tile(void **state)
{
    (void)state;
    same_as_alone((recipe) { .control = LAM_CONTROL_TILE, .blocks = 2, .weights = 2, .tolerance = 1e-4, .times = 4, .degree = 1, .coefficient = 5,
        .divergence = LAM_DIV_RADEMACHER }, 0);
    same_as_alone((recipe) { .control = LAM_CONTROL_TILE, .inputs = 2, .weights = 2 }, 0);
    same_as_alone((recipe) { .control = LAM_CONTROL_TILE, .blocks = 2 }, 1);
    assert_non_null(strstr(alone.error, "tile 5, rows 257 to 320 of the batch"));
}

/* Fewer tiles than ranks, and one. */
static void few_tiles(void **state)
{
    (void)state;
    for (size_t rows = 1; rows <= 200; rows += 63)
        same_as_alone((recipe) { .rows = rows, .weights = 2, .blocks = 2, .divergence = LAM_DIV_RADEMACHER }, 0);
}

/* A row that is not finite is found by all ranks, and named by its number in the batch. */
static void failures(void **state)
{
    (void)state;
    same_as_alone((recipe) { .blocks = 2 }, 1);
    assert_non_null(strstr(alone.error, "row 301 "));
    same_as_alone((recipe) { .solver = LAM_RK4, .blocks = 2 }, 1);
    assert_non_null(strstr(alone.error, "row 301 "));
}

/* An exchange a step, one for the loss; one reduction, up a tree, and its way back. */
static void messages(void **state)
{
    (void)state;
    const recipe r = { .blocks = 2, .weights = 2, .times = 4, .degree = 1, .coefficient = 5, .divergence = LAM_DIV_RADEMACHER, .rows = 64 * 8 };
    same_as_alone(r, 0);
    for (size_t k = 0; k < 4; k++)
        on[k] = (outcome) { .r = r };
    for (size_t k = 0; k < 4; k++)
        on[k].r.rows = r.rows;
    team_run(&ours, 4, one_loss, on, sizeof *on);
    size_t steps = on[0].loss.counts.accepted + on[0].loss.counts.rejected, solves = on[0].loss.counts.solves, probes = 3;
    assert_int_equal(ours.exchanges, 2 * (steps + probes * solves + 1));
    assert_int_equal(ours.broadcasts, 2);
    assert_int_equal(ours.sends[0], 0);
    assert_int_equal(ours.sends[1] + ours.sends[2] + ours.sends[3], 2 * 3);
}

/* --reduce fast: other bits, the same number. */
static void fast(void **state)
{
    (void)state;
    recipe r = { .blocks = 2, .weights = 2, .rows = ROWS, .dim = 3 };
    alone = (outcome) { .r = r };
    one_loss(&alone, NULL);
    r.fast_sums = 1;
    for (size_t k = 0; k < 3; k++)
        on[k] = (outcome) { .r = r };
    team_run(&ours, 3, one_loss, on, sizeof *on);
    for (size_t k = 0; k < 3; k++) {
        assert_memory_equal(&on[k].loss, &alone.loss, sizeof alone.loss);
        assert_memory_equal(on[k].grad, on[0].grad, alone.parameters * sizeof(double));
    }
    assert_true(difference(on[0].grad, alone.grad, alone.parameters) < 1e-14);
    assert_true(difference(on[0].grad, alone.grad, alone.parameters) > 0);
}

/* Groups are dealt out in order, none twice, as evenly as they go, and rank 0 has one. */
static void ranges(void **state)
{
    (void)state;
    for (size_t groups = 1; groups <= 64; groups++)
        for (size_t size = 1; size <= 70; size++) {
            const lam_comm comm = { .size = size };
            const lam_batch b = { .comm = &comm, .groups = groups, .tiles = groups, .rows = 64 * groups };
            size_t end = 0;
            for (size_t r = 0; r < size; r++) {
                lam_range of = lam_batch_groups(&b, r);
                assert_int_equal(of.first, end);
                assert_in_range(of.end - of.first, groups / size, (groups + size - 1) / size);
                end = of.end;
            }
            assert_int_equal(end, groups);
            assert_true(lam_batch_own_groups(&b).end > 0);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(ranges), cmocka_unit_test(every_solver), cmocka_unit_test(penalties),
        cmocka_unit_test(contexts_and_adjoints), cmocka_unit_test(by_tile), cmocka_unit_test(few_tiles), cmocka_unit_test(failures), cmocka_unit_test(messages),
        cmocka_unit_test(fast) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
