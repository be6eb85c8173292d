/* The penalty on the paths' total derivatives (method.md 10): its reverse against finite differences in double, its values against
 * derivatives of solved paths and closed forms. Fields with row parameters: taylor_rows.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define LAM_WIDTH 64
#include "flow/inside.h"
#include "kernels/isa.h"
#include "reverse.h"

/* Orders 2 and 3, bits of `which`. */
enum { SECOND = 1, THIRD = 2, OTHERS = 4 };

static recipe with(recipe r, int which)
{
    r.taylor[0] = which & SECOND ? 0.3 : 0;
    r.taylor[1] = which & THIRD ? 0.1 : 0;
    if (which & OTHERS) {
        r.kinetic = 0.7, r.jacobian = 0.4, r.steer = 0.3, r.l_weight = 2;
        r.times = 4, r.degree = 1, r.coefficient = 5;
    }
    return r;
}

/* ---- reverses ----------------------------------------------------------------------------------------------------- */

static void layers_and_activations(void **state)
{
    (void)state;
    for (int layer = 0; layer <= LAM_LAYER_HYPER; layer++)
        for (int act = 0; act <= LAM_ACT_IDENTITY; act++)
            for (int which = SECOND; which <= THIRD; which++) {
                int turn = layer * 2 + act + which;
                check_recipe(with((recipe) { .layer = (lam_layer)layer, .activation = (lam_activation)act,
                    .n_hidden = 1 + (size_t)turn % 3, .hidden = { 5, 7, 4 }, .divergence = (lam_divergence)(turn % 3),
                    .probes = 1 + (size_t)turn % 2, .seed = (uint64_t)turn, .solver = LAM_MIDPOINT, .fixed_steps = 3 },
                    which | (turn % 2 ? OTHERS : 0)));
            }
}

/* Both orders at once, other penalties on or not, each kind of trace. */
static void combinations(void **state)
{
    (void)state;
    for (int which = SECOND; which < 2 * OTHERS; which++)
        for (int divergence = 0; divergence <= LAM_DIV_GAUSSIAN && which != OTHERS; divergence++)
            check_recipe(with((recipe) { .divergence = (lam_divergence)divergence, .probes = 1 + (size_t)which % 2, .weights = 2,
                .blocks = 1 + (size_t)divergence % 2, .tolerance = 1e-3, .seed = (uint64_t)which }, which));
}

/* Interpolated ends, steps that begin with the last one's stage, kept records. */
static void solvers_and_ends(void **state)
{
    (void)state;
    for (int solver = 0; solver < LAM_SOLVER_AUTO; solver++)
        for (int end = 0; end <= LAM_END_LAND_ALL; end++)
            check_recipe(with((recipe) { .solver = (lam_solver)solver, .end = (lam_end)end, .memory = end % 2, .blocks = 2,
                .divergence = LAM_DIV_RADEMACHER, .weights = 2, .layer = solver % 2 ? LAM_LAYER_CONCATSQUASH : LAM_LAYER_CONCAT,
                .tolerance = solver == LAM_DOP853 ? 1e-7 : solver == LAM_HEUN21 ? 1e-2 : 1e-4 },
                (solver + end) % 3 ? THIRD | OTHERS : SECOND));
}

/* The exact trace's chunks of eight tangents, with unit seeds and (beside jacobian) without; one layer; tiles not full. */
static void chunks_and_tiles(void **state)
{
    (void)state;
    static const size_t dims[] = { 1, 8, 9, 17 };
    for (size_t i = 0; i < 4; i++)
        for (int which = THIRD; which <= (THIRD | OTHERS); which += OTHERS)
            check_recipe(with((recipe) { .dim = dims[i], .hidden = { 6, 5 }, .n_hidden = 2, .rows = 5, .tolerance = 1e-3,
                .layer = i % 2 ? LAM_LAYER_HYPER : LAM_LAYER_CONCATSQUASH, .activation = LAM_ACT_SWISH }, which));
    check_recipe(with((recipe) { .divergence = LAM_DIV_RADEMACHER, .probes = 11 }, SECOND | OTHERS));
    check_recipe(with((recipe) { .rows = 70, .divergence = LAM_DIV_GAUSSIAN, .blocks = 2, .tolerance = 1e-3 }, THIRD));
}

static void trained_end_times(void **state)
{
    (void)state;
    for (int which = SECOND; which < 2 * OTHERS; which++)
        if (which != OTHERS)
            check_end_time(with((recipe) { .blocks = 1 + (size_t)which % 2,
                .divergence = which % 3 ? LAM_DIV_GAUSSIAN : LAM_DIV_EXACT, .weights = 1.5, .time = 0.8, .end = LAM_END_LAND_ALL }, which));
}

/* ---- values ------------------------------------------------------------------------------------------------------- */

/* Both integrands, out [rows][2], at time t and states z, as the solver's stages have them. */
static void integrands_at(flow *f, double t, const double *z, double *out)
{
    lam_engine_f64 *e = f->engine;
    lam_system_f64 system;
    must(lam_engine_load_rows_f64(e, &(lam_flow_call_f64) { .params = f->params, .x = z, .rows = f->rows }));
    lam_engine_load_block_f64(e, 0);
    lam_cnf_system_f64(e, 0, &system);
    double *k = aligned_alloc(64, system.rows * LAM_TILE * sizeof *k);
    double *record = aligned_alloc(64, (system.record_size + 8) * sizeof *record);
    memset(record, 0, system.record_size * sizeof *record);
    system.prepare(e, 0, t);
    system.eval(e, &(lam_stage_f64){ .record = record }, e->path[0]->y[0], k);
    for (size_t r = 0; r < f->rows; r++)
        for (size_t i = 0; i < 2; i++)
            out[2 * r + i] = k[(f->r.dim + 1 + i) * LAM_TILE + r];
    free(k), free(record);
}

/* z(t) of the rows, and f there. */
static void state_at(flow *f, double t, double *z, double *v)
{
    lam_counts counts = { 0 };
    f->params[f->layout.time] = sqrt(t);
    must(lam_engine_transform_f64(f->engine, &(lam_flow_call_f64) { f->params, f->x, NULL, f->rows, &f->solve, NULL }, 1, z, NULL,
        &counts));
    must(lam_engine_field_f64(f->engine, &(lam_flow_call_f64) { .params = f->params, .x = z, .rows = f->rows },
        &(lam_field_point) { 0, t, NULL }, v, NULL, NULL));
}

/* d^2z/dt^2 and d^3z/dt^3 as first and second differences of f along paths solved at 1e-13. Five points h apart: their own error is
 * h^4 / 30 and h^4 / 90 of f's next derivatives, the solve's up to 5 * 1e-13 / h^2; at most 2e-7 here. Where sigma's derivatives jump
 * (relu, elu) the points lie closer, so that no path meets a jump between them. */
static void check_path(recipe r)
{
    enum { ROWS = 7, D = 3, N = ROWS * D };
    static const double first[] = { 1 / 12., -8 / 12., 0, 8 / 12., -1 / 12. };
    static const double second[] = { -1 / 12., 16 / 12., -30 / 12., 16 / 12., -1 / 12. };
    const double t = 0.6, h = r.activation == LAM_ACT_RELU || r.activation == LAM_ACT_ELU ? 2e-3 : 1e-2;
    double z[N], v[5][N], found[2 * ROWS], want[2 * ROWS] = { 0 };
    flow with_penalty = flow_create(with(r, SECOND | THIRD));
    r.no_gradients = 1, r.tolerance = 1e-13, r.solver = LAM_DOP853;
    flow path = flow_create(r);
    flow_open(&with_penalty), flow_open(&path);
    for (int j = 0; j < 5; j++)
        state_at(&path, t + (j - 2) * h, z, v[j]);
    state_at(&path, t, z, v[2]);
    integrands_at(&with_penalty, t, z, found);
    for (size_t i = 0; i < N; i++) {
        double d2 = 0, d3 = 0;
        for (int j = 0; j < 5; j++)
            d2 += first[j] * v[j][i] / h, d3 += second[j] * v[j][i] / (h * h);
        want[i / D * 2] += d2 * d2 / D;
        want[i / D * 2 + 1] += d3 * d3 / D;
    }
    for (size_t i = 0; i < 2 * ROWS; i++)
        if (!(fabs(found[i] - want[i]) <= 1e-6 * largest(want, 2 * ROWS)))
            fail_msg("layer %d, activation %d, row %zu: derivative %zu squared is %.9g, along the path %.9g", r.layer, r.activation,
                i / 2, 2 + i % 2, found[i], want[i]);
    flow_close(&with_penalty), flow_close(&path);
}

static void derivatives_of_paths(void **state)
{
    (void)state;
    for (int layer = 0; layer <= LAM_LAYER_HYPER; layer++)
        for (int act = 0; act <= LAM_ACT_IDENTITY; act++)
            check_path((recipe) { .layer = (lam_layer)layer, .activation = (lam_activation)act, .n_hidden = 1 + (size_t)act % 2,
                .hidden = { 5, 4 }, .seed = 10 + (uint64_t)layer }); /* no jump within the five points */
}

/* dz/dt = A z + b + u t with a diagonal A: w = d^2z/dt^2 obeys dw/dt = A w, so it is (a (a x + b) + u) exp(a t), and the third
 * derivative a times that. Their squares' integrals have the factor (exp(2 a T) - 1) / (2 a). */
static void closed_forms(void **state)
{
    (void)state;
    static const double a[3] = { 0.8, -1.1, 0.3 }, b[3] = { 0.2, -0.4, 0.7 }, u[3] = { 0.5, 0.1, -0.6 }, end = 1.3;
    for (int divergence = 0; divergence <= LAM_DIV_RADEMACHER; divergence++) {
        flow f = flow_create((recipe) { .layer = LAM_LAYER_CONCAT, .activation = LAM_ACT_IDENTITY, .hidden = { 3 }, .time = end,
            .tolerance = 1e-12, .taylor = { 1, 1 }, .divergence = (lam_divergence)divergence, .solver = LAM_DOP853 });
        const lam_field_shape *s = &f.layout.field;
        memset(f.params, 0, s->parameters * sizeof(double));
        for (size_t k = 0; k < 2; k++) /* the first layer is the identity */
            for (size_t i = 0; i < 3; i++) {
                const lam_field_layer *l = &s->layer[k];
                f.params[l->basis[0].w + i * (l->basis[0].stride_out + l->basis[0].stride_in)] = k == 0 ? 1 : a[i];
                f.params[l->basis[0].b + i * l->basis[0].stride_b] = k == 0 ? 0 : b[i];
                f.params[l->u + i * l->stride_u] = k == 0 ? 0 : u[i];
            }
        flow_open(&f);
        must(flow_gradient(&f));
        double want[2] = { 0 };
        for (size_t i = 0; i < 3; i++)
            for (size_t r = 0; r < f.rows; r++) {
                double w = a[i] * (a[i] * f.x[3 * r + i] + b[i]) + u[i];
                double square = w * w * (exp(2 * a[i] * end) - 1) / (2 * a[i]) / (3 * (double)f.rows);
                want[0] += square;
                want[1] += a[i] * a[i] * square;
            }
        for (size_t i = 0; i < 2; i++)
            assert_true(fabs(integral(&f.loss, i) / want[i] - 1) < 1e-9);
        assert_true(fabs(f.loss.loss - f.loss.nll - want[0] - want[1]) < 1e-9 * want[0]);
        flow_close(&f);
    }
}

/* ---- what must not change them ------------------------------------------------------------------------------------ */

/* The loss's NLL and steps are those of a run without, bit for bit; without a coefficient so is its gradient. */
static void it_leaves_the_solve_alone(void **state)
{
    (void)state;
    recipe r = { .divergence = LAM_DIV_RADEMACHER, .times = 4, .degree = 1, .coefficient = 5, .blocks = 2 };
    flow plain = flow_create(r), other = flow_create(with(r, SECOND | THIRD));
    flow_open(&plain), flow_open(&other);
    must(flow_gradient(&plain));
    must(flow_gradient(&other));
    assert_true(plain.loss.nll == other.loss.nll && tpr_of(&plain.loss) == tpr_of(&other.loss));
    assert_int_equal(plain.loss.counts.forward, other.loss.counts.forward);
    assert_int_equal(plain.loss.counts.backward, other.loss.counts.backward);
    assert_true(other.loss.loss > plain.loss.loss);
    memset(other.penalty.coefficient, 0, sizeof other.penalty.coefficient);
    must(flow_gradient(&other));
    assert_true(other.loss.loss == plain.loss.loss);
    assert_memory_equal(plain.grad, other.grad, plain.layout.parameters * sizeof(double));
    flow_close(&plain), flow_close(&other);
}

/* Any number of threads, stages kept or made again. */
static void same_bits(void **state)
{
    (void)state;
    for (int layer = LAM_LAYER_CONCAT; layer <= LAM_LAYER_HYPER; layer += LAM_LAYER_HYPER - LAM_LAYER_CONCAT) {
        flow all[3];
        for (size_t i = 0; i < 3; i++) {
            all[i] = flow_create(with((recipe) { .layer = (lam_layer)layer, .rows = 300, .threads = i == 1 ? 3 : 1,
                .memory = i == 2 ? 64 : 0, .divergence = LAM_DIV_GAUSSIAN, .blocks = 2, .tolerance = 1e-3 }, THIRD | OTHERS));
            flow_open(&all[i]);
            must(flow_gradient(&all[i]));
            assert_true(all[0].loss.loss == all[i].loss.loss);
            assert_memory_equal(all[0].grad, all[i].grad, all[0].layout.parameters * sizeof(double));
            assert_memory_equal(all[0].grad_x, all[i].grad_x, all[0].rows * all[0].r.dim * sizeof(double));
        }
        for (size_t i = 0; i < 3; i++)
            flow_close(&all[i]);
    }
}

/* With step control by tile, the mean of the tiles' own. */
static void by_tile(void **state)
{
    (void)state;
    recipe r = with((recipe) { .rows = 100, .divergence = LAM_DIV_RADEMACHER, .tolerance = 1e-9 }, SECOND | THIRD | OTHERS);
    flow batch = flow_create(r);
    r.control = LAM_CONTROL_TILE;
    flow tiles = flow_create(r);
    flow_open(&batch), flow_open(&tiles);
    must(flow_gradient(&batch));
    must(flow_gradient(&tiles));
    for (size_t i = 0; i < 4; i++)
        assert_true(fabs(integral(&batch.loss, i) / integral(&tiles.loss, i) - 1) < 1e-7);
    assert_true(difference(batch.grad, tiles.grad, batch.layout.time) < 1e-6 * largest(batch.grad, batch.layout.time));
    flow_close(&batch), flow_close(&tiles);
}

/* ---- widths and instruction sets ---------------------------------------------------------------------------------- */

/* The float engine, for this test whose own width is double (flow/engine.h, penalty/loss.h). */
typedef struct lam_engine_f32 lam_engine_f32;
lam_status lam_engine_create_f32(const lam_layout *layout, lam_pool *pool, const lam_engine_options *options, lam_engine_f32 **out);
void lam_engine_free_f32(lam_engine_f32 *engine);
void lam_engine_freeze_f32(lam_engine_f32 *engine, int freeze);
lam_status lam_engine_set_steps_f32(lam_engine_f32 *engine, size_t block, size_t n, const double *t, const double *h);
typedef struct lam_flow_call_f32 {
    const float *params;
    const double *x;
    const size_t *index;
    size_t rows;
    const lam_flow_solve *solve;
    const lam_noise *noise;
} lam_flow_call_f32;
lam_status lam_engine_loss_f32(lam_engine_f32 *engine, const lam_flow_call_f32 *call, const lam_penalty *penalty, float *grad,
    double *grad_x, lam_loss *loss);

/* f's problem in float over f's steps, both orders penalised: errors of the integrals and of the gradient, relative to the largest. */
static double error_in_float(const flow *f, const char *isa)
{
    lam_engine_options o = { .max_rows = f->rows, .probes = 1, .gradients = 1, .trace = LAM_TRACE_EXACT, .isa = isa, .integrands = 2,
        .integrand = { &lam_taylor[0], &lam_taylor[1] } };
    lam_engine_f32 *engine;
    lam_loss loss;
    const double *t, *h;
    size_t n = f->layout.parameters, steps = lam_engine_steps_f64(f->engine, 0, &t, &h);
    float *params = calloc(n, sizeof *params), *grad = calloc(n, sizeof *grad);
    double error = 0;
    for (size_t i = 0; i < n; i++)
        params[i] = (float)f->params[i];
    must(lam_engine_create_f32(&f->layout, f->pool, &o, &engine));
    must(lam_engine_set_steps_f32(engine, 0, steps, t, h));
    lam_engine_freeze_f32(engine, 1);
    must(lam_engine_loss_f32(engine, &(lam_flow_call_f32) { params, f->x, NULL, f->rows, &f->solve, &f->noise }, &f->penalty, grad, NULL,
        &loss));
    for (size_t i = 0; i < n; i++)
        error = fmax(error, isnan(grad[i]) ? INFINITY : fabs((double)grad[i] - f->grad[i]) / largest(f->grad, f->layout.time));
    for (size_t i = 0; i < 2; i++)
        error = fmax(error, fabs(integral(&loss, i) / integral(&f->loss, i) - 1));
    lam_engine_free_f32(engine);
    free(params), free(grad);
    return error;
}

/* Instruction sets round in different orders. Float's roundings are 6e-8 each; of three layers, some twenty stages there and back and
 * sums over rows that cancel they come to a hundred of them. */
static void widths_and_sets_agree(void **state)
{
    (void)state;
    for (int act = 0; act <= LAM_ACT_IDENTITY; act++)
        for (int isa = 0; isa < LAM_ISA_COUNT; isa++) {
            recipe r = with((recipe) { .activation = (lam_activation)act, .layer = (lam_layer)act, .rows = 70, .hidden = { 12, 9 },
                .n_hidden = 2, .isa = "scalar", .tolerance = 1e-3 }, SECOND | THIRD);
            if (!lam_isa_available((lam_isa)isa))
                continue;
            flow scalar = flow_create(r);
            r.isa = lam_isa_name((lam_isa)isa);
            flow other = flow_create(r);
            for (size_t i = 0; i < other.layout.parameters; i++) /* the same numbers in both widths */
                scalar.params[i] = other.params[i] = (double)(float)other.params[i];
            for (size_t i = 0; i < other.rows * other.r.dim; i++)
                scalar.x[i] = other.x[i] = (double)(float)other.x[i];
            flow_open(&scalar), flow_open(&other);
            must(flow_gradient(&scalar));
            must(flow_gradient(&other));
            assert_true(difference(scalar.grad, other.grad, scalar.layout.time) <= 1e-12 * largest(scalar.grad, scalar.layout.time));
            assert_true(error_in_float(&other, r.isa) <= 1e-5);
            flow_close(&scalar), flow_close(&other);
        }
}

static void refusals(void **state)
{
    (void)state;
    flow f = flow_create((recipe) { .dim = 3 });
    lam_engine_options o = { .max_rows = 7, .probes = 1, .gradients = 1, .trace = LAM_TRACE_EXACT, .method = LAM_GRAD_ADJOINT,
        .integrands = 1, .integrand = { &lam_taylor[1] } };
    assert_int_equal(lam_engine_create_f64(&f.layout, f.pool, &o, &f.engine), LAM_ERR_UNSUPPORTED);
    assert_non_null(strstr(lam_last_error(), "taylor"));
    o.method = LAM_GRAD_STEPS, o.trace = LAM_TRACE_NONE;
    assert_int_equal(lam_engine_create_f64(&f.layout, f.pool, &o, &f.engine), LAM_ERR_ARGUMENT);
    f.engine = NULL;
    flow_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_and_activations),
        cmocka_unit_test(combinations),
        cmocka_unit_test(solvers_and_ends),
        cmocka_unit_test(chunks_and_tiles),
        cmocka_unit_test(trained_end_times),
        cmocka_unit_test(derivatives_of_paths),
        cmocka_unit_test(closed_forms),
        cmocka_unit_test(it_leaves_the_solve_alone),
        cmocka_unit_test(same_bits),
        cmocka_unit_test(by_tile),
        cmocka_unit_test(widths_and_sets_agree),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
