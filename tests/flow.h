/* For the tests of flows: a small chain in double, its weights from a seed, with rows, an engine and a loss. Define LAM_WIDTH
 * 64 before; include after cmocka.h. */
#ifndef LAM_TESTS_FLOW_H
#define LAM_TESTS_FLOW_H
#include "base/random.h"
#include "base/width.h"
#include "penalty/loss.h"
#include "penalty/penalty.h"
#include "model/config.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Zeros mean: 3 columns, one hidden layer of 5, one block, concat, tanh, exact trace, dopri5 at 1e-5 landing on T = 1, no
 * penalty, 7 rows, one thread, gradients through the steps, nothing kept. */
typedef struct recipe {
    size_t dim, hidden[3], n_hidden, blocks, probes, rows, threads, fixed_steps;
    lam_layer layer;
    lam_activation activation;
    lam_divergence divergence;
    lam_solver solver;
    lam_end end;
    lam_gradient method;
    lam_error_parts error_parts;
    double tolerance, time, memory;
    size_t times, degree;
    double coefficient, weights; /* weights: factor of the initial ones */
    double kinetic, jacobian, taylor[2], l_weight, steer; /* coefficients of the other penalties; taylor: of orders 2 and 3 */
    double error, error_l; /* the penalty on the solver's error, which needs a scale that does not depend on the state: rtol is 0 then */
    int train_time, no_gradients;
    lam_step_control control;
    lam_amortised amortisation;
    size_t rank;
    size_t inputs; /* of a context; 0: none */
    int own_maps;  /* 1: every block has its own maps of the context, 0: they are shared */
    int masked;    /* 1: about a quarter of the columns do not move, and in a row here and there none does */
    const char *isa;
    uint64_t seed;
    const lam_comm *comm;
    int fast_sums;
} recipe;

typedef struct flow {
    recipe r;
    lam_layout layout;
    lam_pool *pool;
    lam_engine_f64 *engine;
    double *params, *x, *grad, *grad_x, *given;
    unsigned char *moves; /* [rows, dim] */
    lam_flow_solve solve;
    lam_noise noise;
    lam_penalty penalty;
    lam_loss loss;
    double (*value)(struct flow *); /* what differences are taken of (reverse.h); unless another loss is put here, flow_loss */
    size_t rows; /* in use, of r.rows */
} flow;

static inline double flow_loss(flow *f);

static inline void must(lam_status status)
{
    if (status != LAM_OK)
        fail_msg("%s: %s", lam_status_name(status), lam_last_error());
}

static inline flow flow_create(recipe r)
{
    flow f = { 0 };
    lam_config c;
    r.dim = r.dim == 0 ? 3 : r.dim;
    r.rows = r.rows == 0 ? 7 : r.rows;
    r.probes = r.probes == 0 ? 1 : r.probes;
    r.tolerance = r.tolerance == 0 ? 1e-5 : r.tolerance;
    r.weights = r.weights == 0 ? 1 : r.weights;
    lam_config_init(&c);
    c.n_hidden = r.n_hidden == 0 ? 1 : r.n_hidden;
    for (size_t i = 0; i < c.n_hidden; i++)
        c.hidden[i] = r.hidden[i] == 0 ? 5 : r.hidden[i];
    c.blocks = r.blocks == 0 ? 1 : r.blocks;
    c.layer = r.layer, c.nonlinearity = r.activation;
    c.train_time = r.train_time, c.time = r.time == 0 ? 1 : r.time, c.seed = r.seed + 11;
    c.n_context_hidden = 1, c.context_hidden[0] = 4;
    c.context_maps = r.own_maps ? LAM_CONTEXT_OWN : LAM_CONTEXT_SHARED;
    if (r.inputs > 0)
        must(lam_layout_conditional(&f.layout, &c, r.dim, r.inputs, r.masked));
    else
        must(lam_layout_amortised(&f.layout, &c, r.dim, r.amortisation, r.rank == 0 ? 2 : r.rank));
    f.params = calloc(f.layout.parameters, sizeof(double)), f.grad = calloc(f.layout.parameters, sizeof(double));
    f.x = calloc(r.rows * r.dim, sizeof(double)), f.grad_x = calloc(r.rows * r.dim, sizeof(double));
    f.given = calloc(r.rows * r.inputs + 1, sizeof(double));
    for (size_t i = 0; i < r.rows; i++)
        lam_random_normal_row(r.seed, LAM_DRAW_TEST, 2, i, f.given + i * r.inputs, r.inputs);
    f.moves = calloc(r.rows * r.dim, 1);
    for (size_t i = 0; i < r.rows * r.dim; i++)
        f.moves[i] = i / r.dim % 13 != 5 && (7 * (i / r.dim) + 3 * (i % r.dim)) % 4 != 0;
    lam_layout_initial(&f.layout, &c, f.params);
    lam_config_clear(&c);
    for (size_t i = 0; i < f.layout.time; i++)
        f.params[i] *= r.weights;
    if (f.layout.beta != SIZE_MAX)
        f.params[f.layout.beta] = 0.7;
    for (size_t i = 0; i < r.rows; i++)
        lam_random_normal_row(r.seed, LAM_DRAW_TEST, 1, i, f.x + i * r.dim, r.dim);
    must(lam_pool_create(r.threads == 0 ? 1 : r.threads, &f.pool));
    f.r = r;
    f.rows = r.rows;
    f.value = flow_loss;
    f.solve = (lam_flow_solve) { .solve = { .table = lam_tableau_get(r.solver), .atol = r.tolerance, .rtol = r.error > 0 ? 0 : r.tolerance,
                                     .end = r.end, .fixed_steps = r.fixed_steps == 0 ? 5 : r.fixed_steps, .max_steps = 10000,
                                     .min_step = 1e-10 },
        .error_parts = r.error_parts };
    f.noise = (lam_noise) { .kind = r.divergence, .seed = r.seed, .purpose = LAM_DRAW_TEST };
    f.penalty = (lam_penalty) { .observed = { [LAM_PENALTY_tpr] = r.coefficient }, .tpr = { r.times, r.degree, r.l_weight }, .error = { r.error, r.error_l }, .seed = r.seed, .steer = r.steer };
    return f;
}

/* The engine is made apart, so that the flow may be copied and changed before: the layout is kept by reference. */
static inline void flow_open(flow *f)
{
    lam_engine_options o = { .max_rows = f->r.rows, .probes = f->r.probes, .gradients = !f->r.no_gradients,
        .trace = f->r.divergence == LAM_DIV_EXACT ? LAM_TRACE_EXACT : LAM_TRACE_HUTCHINSON, .method = f->r.method,
        .max_observations = f->r.times, .memory = f->r.memory, .isa = f->r.isa, .l_observed = f->r.l_weight > 0 || f->r.error_l > 0, .errors = f->r.error > 0,
        .control = f->r.control, .comm = f->r.comm, .fast_sums = f->r.fast_sums };
    const struct {
        const lam_integrand *integrand;
        double coefficient;
    } all[] = { { &lam_kinetic, f->r.kinetic }, { &lam_jacobian, f->r.jacobian }, { &lam_taylor[0], f->r.taylor[0] },
        { &lam_taylor[1], f->r.taylor[1] } };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].coefficient > 0) {
            f->penalty.coefficient[o.integrands] = all[i].coefficient;
            o.integrand[o.integrands++] = all[i].integrand;
        }
    must(lam_engine_create_f64(&f->layout, f->pool, &o, &f->engine));
    const lam_condition condition = { .inputs = f->r.inputs > 0 ? f->given : NULL, .moves = f->r.masked ? f->moves : NULL };
    lam_engine_condition_f64(f->engine, &condition);
}

static inline void flow_close(flow *f)
{
    lam_engine_free_f64(f->engine);
    lam_pool_free(f->pool);
    free(f->params), free(f->grad), free(f->x), free(f->grad_x), free(f->given), free(f->moves);
}

static inline lam_status flow_gradient(flow *f)
{
    return lam_engine_loss_f64(f->engine, &(lam_flow_call_f64) { f->params, f->x, NULL, f->rows, &f->solve, &f->noise }, &f->penalty,
        f->grad, f->grad_x, &f->loss);
}

static inline double flow_loss(flow *f)
{
    lam_loss loss;
    must(lam_engine_loss_f64(f->engine, &(lam_flow_call_f64) { f->params, f->x, NULL, f->rows, &f->solve, &f->noise }, &f->penalty, NULL,
        NULL, &loss));
    return loss.loss;
}

static inline double tpr_of(const lam_loss *loss)
{
    return lam_terms_value(&loss->terms, "tpr");
}

/* What the integral penalty i of a flow's engine came to: the loss's terms begin with those of observed states, one. */
static inline double integral(const lam_loss *loss, size_t i)
{
    return loss->terms.term[LAM_OBSERVED_PENALTIES + i].value;
}

static inline double largest(const double *a, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs(a[i]));
    return most;
}

static inline double difference(const double *a, const double *b, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++)
        most = isnan(a[i] - b[i]) ? INFINITY : fmax(most, fabs(a[i] - b[i]));
    return most;
}

/* log p of each row from an end state and its l, (3) of the method. */
static inline void log_density(const double *z, const double *l, size_t rows, size_t dim, double *logp)
{
    for (size_t r = 0; r < rows; r++) {
        logp[r] = -l[r] - 0.91893853320467274178 * (double)dim;
        for (size_t i = 0; i < dim; i++)
            logp[r] -= 0.5 * z[r * dim + i] * z[r * dim + i];
    }
}

#endif
