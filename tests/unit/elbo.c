/* The evidence lower bound: every reverse of it against finite differences in double, its value against its definition, float against
 * double, and threads (method.md 9). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define LAM_WIDTH 64
#include "base/pool.h"
#include "base/random.h"
#include "elbo_float.h"
#include "vae/plain.h"
#include "vae/planar.h"
#include "vae/solve.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Relative to the largest gradient of its tensor. */
static const double BOUND = 1e-6;

/* Zeros mean: a CNF without parameters from the image, one block, 4 x 4 binary pixels, 3 rows, beta 1, no penalty, no limits. */
typedef struct recipe {
    lam_posterior posterior;
    lam_amortised amortised;
    lam_pixels pixels;
    lam_divergence divergence;
    size_t blocks, rows, size, max_rows;
    double beta;
    int tpr, limits, fixed_steps;
    lam_activation activation;
} recipe;

typedef struct bound {
    lam_config config;
    lam_vae_layout layout;
    lam_pool *pool;
    lam_elbo_f64 *elbo;
    float *start; /* the same numbers as params */
    double *params, *grad, *e, *row_elbo;
    unsigned char *pixels;
    lam_elbo_call_f64 call;
    lam_elbo_terms terms;
} bound;

static void must(lam_status status)
{
    if (status != LAM_OK)
        fail_msg("%s: %s", lam_status_name(status), lam_last_error());
}

static lam_config configure(const recipe *r)
{
    lam_config c;
    lam_config_init(&c);
    c.model = LAM_VAE;
    c.n_hidden = 2, c.hidden[0] = 4, c.hidden[1] = 5;
    c.blocks = r->blocks == 0 ? 1 : r->blocks;
    c.layer = LAM_LAYER_CONCAT, c.nonlinearity = r->activation == 0 ? LAM_ACT_SOFTPLUS : r->activation;
    c.time = 0.5, c.latent = 3, c.rank = 2, c.seed = 5;
    c.posterior = r->posterior, c.amortised = r->amortised, c.pixels = r->pixels, c.divergence = r->divergence;
    c.atol = c.rtol = 1e-3;
    c.first_step = LAM_STEP_PROBE;
    c.tpr_coefficient = r->tpr ? 5 : 0, c.tpr_times = 4, c.tpr_degree = 1;
    c.solver = r->fixed_steps ? LAM_RK4 : LAM_DOPRI5, c.fixed_steps = 4;
    if (r->limits)
        c.variance_min = 0.5, c.variance_max = 1;
    return c;
}

/* Initial values, those of the maps and the flow larger, so that the field bends. */
static void fill_params(bound *b, const recipe *r)
{
    const lam_vae_layout *l = &b->layout;
    must(lam_vae_layout_initial(l, &b->config, b->start));
    for (size_t i = 0; i < l->parameters; i++) {
        int of_flow = (i >= l->at_maps && i < l->at_decoder) || (l->has_flow && i >= l->at_flow && i < l->at_flow + l->flow.time);
        b->start[i] *= of_flow ? 2 : 1;
    }
    if (r->limits) { /* one variance below, one above the limits, one between */
        float *bias = b->start + l->at_variance + 3 * LAM_VAE_FEATURES;
        bias[0] = -2, bias[1] = 2, bias[2] = 0.1F;
    }
    for (size_t i = 0; i < l->parameters; i++)
        b->params[i] = (double)b->start[i];
}

static bound create(recipe r)
{
    bound b = { .config = configure(&r) };
    size_t size = r.size == 0 ? 4 : r.size, rows = r.rows == 0 ? 3 : r.rows, most = r.max_rows == 0 ? rows : r.max_rows;
    must(lam_config_check(&b.config));
    must(lam_vae_layout_init(&b.layout, &b.config, size, size));
    size_t n = b.layout.parameters, d = b.layout.latent;
    b.start = calloc(n, sizeof *b.start), b.params = calloc(n, sizeof *b.params), b.grad = calloc(n, sizeof *b.grad);
    b.e = calloc(most * d, sizeof *b.e), b.row_elbo = calloc(most, sizeof *b.row_elbo);
    b.pixels = calloc(most * b.layout.pixels, 1);
    fill_params(&b, &r);
    for (size_t i = 0; i < most * b.layout.pixels; i++)
        b.pixels[i] = (unsigned char)((double)b.layout.levels * lam_random_uniform(2, LAM_DRAW_TEST, 0, i));
    for (size_t i = 0; i < most; i++)
        lam_random_normal_row(3, LAM_DRAW_TEST, 0, i, b.e + i * d, d);
    b.call = (lam_elbo_call_f64) { .params = b.params, .pixels = b.pixels, .rows = rows, .beta = r.beta == 0 ? 1 : r.beta,
        .solve = lam_config_solve(&b.config, 1, NULL),
        .noise = { .kind = b.config.divergence, .seed = 4, .stream = 9, .purpose = LAM_DRAW_PROBE }, .draw = LAM_DRAW_LATENT,
        .penalty = { .observed = { [LAM_PENALTY_tpr] = b.config.tpr_coefficient }, .tpr = { r.tpr ? 4 : 0, 1, 0 }, .seed = 6 },
        .given = b.e };
    return b;
}

/* Apart, since the layout and the configuration are kept by reference. */
static void start(bound *b, size_t max_rows)
{
    const lam_elbo_options options = { .max_rows = max_rows == 0 ? b->call.rows : max_rows, .gradients = 1,
        .trace = lam_vae_trace(&b->config, 0) };
    must(lam_pool_create(1, &b->pool));
    must(lam_elbo_create_f64(&b->layout, &b->config, b->pool, &options, &b->elbo));
}

static void end(bound *b)
{
    lam_elbo_free_f64(b->elbo);
    lam_pool_free(b->pool);
    free(b->start), free(b->params), free(b->grad), free(b->e), free(b->row_elbo), free(b->pixels);
    lam_config_clear(&b->config);
}

static void gradient(bound *b)
{
    must(lam_elbo_forward_f64(b->elbo, &b->call, b->row_elbo, &b->terms));
    must(lam_elbo_backward_f64(b->elbo, &b->call, b->grad, &b->terms));
}

static double loss_of(bound *b)
{
    lam_elbo_terms terms;
    must(lam_elbo_forward_f64(b->elbo, &b->call, NULL, &terms));
    return terms.loss;
}

static void freeze(bound *b, int on)
{
    if (lam_elbo_engine_f64(b->elbo) != NULL)
        lam_engine_freeze_f64(lam_elbo_engine_f64(b->elbo), on);
}

/* ---- the gradient ------------------------------------------------------------------------------------------------- */

/* d loss / d a along `along` [n]: two points, error h^2 / 6 of the third derivative, rounding 1e-16 / h. */
static const double STEP = 1e-4;

static double slope(bound *b, double *a, const double *along, size_t n)
{
    double value[2], *kept = malloc(n * sizeof *kept);
    memcpy(kept, a, n * sizeof *kept);
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; i < n; i++)
            a[i] = kept[i] + (k == 0 ? -STEP : STEP) * along[i];
        value[k] = loss_of(b);
    }
    memcpy(a, kept, n * sizeof *kept);
    free(kept);
    return (value[1] - value[0]) / (2 * STEP);
}

static double rounding(const bound *b)
{
    return 8 * 2.2e-16 * fabs(b->terms.loss) / STEP;
}

/* A direction of length 1 that takes in all of it. */
static void check_direction(bound *b, const char *name, size_t offset, size_t n)
{
    const double *grad = b->grad + offset;
    double *along = calloc(n, sizeof *along), by_reverse = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        along[i] = (lam_random_uniform(1, LAM_DRAW_TEST, 7, i) < 0.5 ? -1 : 1) / sqrt((double)n);
        by_reverse += along[i] * grad[i];
        squares += grad[i] * grad[i];
    }
    double by_difference = slope(b, b->params + offset, along, n);
    if (!(fabs(by_difference - by_reverse) <= BOUND * sqrt(squares / (double)n) + rounding(b)))
        fail_msg("%s, all: %.12g by differences, %.12g by the reverse (root mean square %.3g)", name, by_difference, by_reverse,
            sqrt(squares / (double)n));
    free(along);
}

static void check_elements(bound *b, const char *name, size_t offset, size_t n, size_t elements)
{
    const double one = 1, *grad = b->grad + offset;
    double largest = 0;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(grad[i]));
    for (size_t k = 0; k < elements; k++) {
        size_t i = (7 * k + 3) % n;
        double by_difference = slope(b, b->params + offset + i, &one, 1);
        if (!(fabs(by_difference - grad[i]) <= BOUND * largest + rounding(b)))
            fail_msg("%s[%zu]: %.12g by differences, %.12g by the reverse (largest %.3g)", name, i, by_difference, grad[i], largest);
    }
}

/* Tensor by tensor; of the two convolutional nets one direction each, unless they are asked for. */
static void check_gradient(bound *b, int nets, size_t elements)
{
    const lam_vae_layout *l = &b->layout;
    lam_vae_tensor t;
    gradient(b);
    freeze(b, 1);
    assert_true(fabs(loss_of(b) - b->terms.loss) <= 1e-14 * fabs(b->terms.loss)); /* the same steps, to the last bit */
    for (size_t i = 0; lam_vae_layout_tensor(l, i, &t); i++) {
        int of_net = t.offset < l->at_mean || (t.offset >= l->at_decoder && t.offset < l->at_flow);
        if ((of_net && !nets) || (l->has_flow && t.offset >= l->at_flow + l->flow.time)) /* end times are not trained */
            continue;
        check_elements(b, t.name, t.offset, t.count, elements);
        check_direction(b, t.name, t.offset, t.count);
    }
    check_direction(b, "the encoder", 0, l->at_mean);
    check_direction(b, "the decoder", l->at_decoder, l->decoder.parameters);
    freeze(b, 0);
}

static void check_recipe(recipe r, int nets, size_t elements)
{
    bound b = create(r);
    start(&b, r.max_rows);
    check_gradient(&b, nets, elements);
    end(&b);
}

static void gaussian_and_planar(void **state)
{
    (void)state;
    check_recipe((recipe) { .posterior = LAM_POSTERIOR_NONE, .rows = 1 }, 1, 1);
    check_recipe((recipe) { .posterior = LAM_POSTERIOR_NONE, .beta = 0.3, .size = 8, .rows = 1 }, 0, 1);
    check_recipe((recipe) { .posterior = LAM_POSTERIOR_PLANAR, .blocks = 2, .beta = 0.3 }, 0, 2);
    check_recipe((recipe) { .posterior = LAM_POSTERIOR_PLANAR, .blocks = 2 }, 0, 1);
}

/* Every kind of amortisation with and without the penalty; beta, the trace and the number of blocks take turns. */
static void every_amortisation(void **state)
{
    (void)state;
    for (int kind = 0; kind <= LAM_AMORTISED_HYPER; kind++)
        for (int tpr = 0; tpr < 2; tpr++) {
            size_t turn = (size_t)(kind + tpr);
            check_recipe((recipe) { .amortised = (lam_amortised)kind, .tpr = tpr, .beta = turn % 2 ? 0.3 : 1,
                .blocks = 1 + (size_t)tpr, .divergence = turn % 3 == 0 ? LAM_DIV_EXACT : LAM_DIV_RADEMACHER, .rows = 1 + (size_t)tpr,
                .activation = kind == LAM_AMORTISED_BIAS ? LAM_ACT_SWISH : LAM_ACT_SOFTPLUS }, 0, 1);
        }
}

static void grey_levels(void **state)
{
    (void)state;
    check_recipe((recipe) { .amortised = LAM_AMORTISED_BIAS, .pixels = LAM_PIXELS_CATEGORICAL, .beta = 0.3, .rows = 2 }, 0, 1);
}

/* A variance at its limit has no gradient, and others have theirs. */
static void limits_of_the_variance(void **state)
{
    (void)state;
    recipe r = { .amortised = LAM_AMORTISED_LOW_RANK, .limits = 1, .rows = 2 };
    bound b = create(r);
    start(&b, 0);
    check_gradient(&b, 0, 3);
    const double *bias = b.grad + b.layout.at_variance + 3 * LAM_VAE_FEATURES;
    assert_true(bias[0] == 0 && bias[1] == 0 && bias[2] != 0);
    end(&b);
}

/* A small batch after a large one knows nothing of it. */
static void check_smaller_batch(bound *b, recipe r)
{
    r.rows = b->call.rows = 3;
    gradient(b);
    bound fresh = create(r);
    start(&fresh, 0);
    memcpy(fresh.pixels, b->pixels, 3 * b->layout.pixels);
    gradient(&fresh);
    assert_memory_equal(b->grad, fresh.grad, b->layout.parameters * sizeof *b->grad);
    assert_memory_equal(b->row_elbo, fresh.row_elbo, 3 * sizeof *b->row_elbo);
    end(&fresh);
}

static void two_tiles(void **state)
{
    (void)state;
    const recipe r = { .amortised = LAM_AMORTISED_LOW_RANK, .rows = 66, .tpr = 1, .beta = 0.3, .divergence = LAM_DIV_RADEMACHER };
    bound b = create(r);
    const lam_vae_layout *l = &b.layout;
    start(&b, 0);
    gradient(&b);
    freeze(&b, 1);
    const size_t at[] = { 0, l->at_mean, l->at_variance, l->at_maps, l->at_decoder, l->at_flow, l->at_flow + l->flow.time };
    for (size_t i = 0; i < 6; i++)
        check_direction(&b, "one of encoder, mean, variance, maps, decoder, flow", at[i], at[i + 1] - at[i]);
    freeze(&b, 0);
    check_smaller_batch(&b, r);
    end(&b);
}

static void batches_after_each_other(void **state)
{
    static const recipe recipes[] = { { .posterior = LAM_POSTERIOR_PLANAR, .blocks = 2, .rows = 9 },
        { .posterior = LAM_POSTERIOR_NONE, .rows = 5 }, { .amortised = LAM_AMORTISED_HYPER, .rows = 7 },
        { .amortised = LAM_AMORTISED_BIAS, .rows = 5, .pixels = LAM_PIXELS_CATEGORICAL } };
    (void)state;
    for (size_t k = 0; k < sizeof recipes / sizeof *recipes; k++) {
        bound b = create(recipes[k]);
        start(&b, 0);
        gradient(&b);
        check_smaller_batch(&b, recipes[k]);
        end(&b);
    }
}

/* ---- the value ---------------------------------------------------------------------------------------------------- */

/* Plain nets for one row; y [shape->out_count]. */
static void run_net(const lam_net_shape *shape, const double *params, const double *x, double *y)
{
    double *keep = malloc(lam_plain_kept(shape) * sizeof *keep);
    must(lam_plain_forward_f64(shape, params, x, 1, keep, y));
    free(keep);
}

static double log_softmax(const double *logits, size_t n, size_t chosen)
{
    double largest = -INFINITY, sum = 0;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, logits[i]);
    for (size_t i = 0; i < n; i++)
        sum += exp(logits[i] - largest);
    return logits[chosen] - largest - log(sum);
}

static double log_p(const bound *b, size_t row, const double *z)
{
    const lam_vae_layout *l = &b->layout;
    size_t each = l->levels == 2 ? 1 : l->levels;
    double *logits = malloc(l->decoder.out_count * sizeof *logits), sum = 0;
    run_net(&l->decoder, b->params + l->at_decoder, z, logits);
    for (size_t i = 0; i < l->pixels; i++) {
        unsigned char x = b->pixels[row * l->pixels + i];
        double both[2] = { 0, logits[i * each] };
        sum += each == 1 ? log_softmax(both, 2, x) : log_softmax(logits + i * each, each, x);
    }
    free(logits);
    return sum;
}

/* log N(x; mean, variance) as it is written. */
static double log_normal(double x, double mean, double variance)
{
    return -0.5 * log(2 * acos(-1) * variance) - (x - mean) * (x - mean) / (2 * variance);
}

/* The definition, without a CNF: log p(x | z) + log N(z) + log|det| - log q(z_0 | x). kl: the last three, turned around. */
static double row_by_hand(const bound *b, size_t row, double *kl)
{
    const lam_vae_layout *l = &b->layout;
    double x[64], features[LAM_VAE_FEATURES], mu[3], v[3], z[3], log_det = 0, log_q = 0, log_prior = 0;
    for (size_t i = 0; i < l->pixels; i++)
        x[i] = b->pixels[row * l->pixels + i] / (double)(l->levels - 1);
    run_net(&l->encoder, b->params, x, features);
    run_net(&l->mean, b->params + l->at_mean, features, mu);
    run_net(&l->variance, b->params + l->at_variance, features, v);
    for (size_t i = 0; i < 3; i++) {
        v[i] = log1p(exp(v[i]));
        if (b->config.variance_max > 0)
            v[i] = fmin(fmax(v[i], b->config.variance_min), b->config.variance_max);
        z[i] = mu[i] + sqrt(v[i]) * b->e[3 * row + i];
        log_q += log_normal(z[i], mu[i], v[i]);
    }
    if (b->config.posterior == LAM_POSTERIOR_PLANAR) {
        double *p = malloc(l->row_params * sizeof *p);
        const double *w = b->params + l->at_maps, *bias = w + l->row_params * LAM_VAE_FEATURES;
        for (size_t i = 0; i < l->row_params; i++) {
            p[i] = bias[i];
            for (size_t j = 0; j < LAM_VAE_FEATURES; j++)
                p[i] += w[i * LAM_VAE_FEATURES + j] * features[j];
        }
        log_det = lam_planar_forward(3, b->config.blocks, p, z, NULL);
        free(p);
    }
    for (size_t i = 0; i < 3; i++)
        log_prior += log_normal(z[i], 0, 1);
    *kl = log_q - log_prior - log_det;
    return log_p(b, row, z) - *kl;
}

static void by_definition(void **state)
{
    (void)state;
    static const recipe recipes[] = { { .posterior = LAM_POSTERIOR_NONE, .beta = 0.3 }, { .posterior = LAM_POSTERIOR_NONE, .limits = 1 },
        { .posterior = LAM_POSTERIOR_NONE, .pixels = LAM_PIXELS_CATEGORICAL }, { .posterior = LAM_POSTERIOR_PLANAR, .blocks = 3 },
        { .posterior = LAM_POSTERIOR_NONE, .size = 8, .rows = 3 } };
    for (size_t k = 0; k < sizeof recipes / sizeof *recipes; k++) {
        bound b = create(recipes[k]);
        double sum = 0, sum_kl = 0, n = (double)b.call.rows;
        start(&b, 0);
        must(lam_elbo_forward_f64(b.elbo, &b.call, b.row_elbo, &b.terms));
        for (size_t row = 0; row < b.call.rows; row++) {
            double kl, elbo = row_by_hand(&b, row, &kl);
            if (!(fabs(elbo - b.row_elbo[row]) <= 1e-12 * fabs(elbo)))
                fail_msg("recipe %zu, row %zu: %.15g by hand, %.15g", k, row, elbo, b.row_elbo[row]);
            sum += elbo;
            sum_kl += kl;
        }
        assert_true(fabs(b.terms.negative_elbo + sum / n) <= 1e-12 * fabs(sum / n));
        assert_true(fabs(b.terms.kl - sum_kl / n) <= 1e-12 * fabs(sum / n));
        assert_true(fabs(b.terms.loss - (b.call.beta - 1) * sum_kl / n + sum / n) <= 1e-12 * fabs(sum / n));
        assert_true(lam_terms_value(&b.terms.penalty_terms, "tpr") == 0);
        end(&b);
    }
}

/* A field that is zero moves nothing: the Gaussian's bound, whatever would feed it, and a penalty of zero. */
static void a_flow_that_does_nothing(void **state)
{
    (void)state;
    for (int kind = 0; kind <= LAM_AMORTISED_HYPER; kind++) {
        bound none = create((recipe) { .posterior = LAM_POSTERIOR_NONE }), b = create((recipe) { .amortised = (lam_amortised)kind,
            .tpr = 1, .blocks = 2 });
        const lam_vae_layout *l = &b.layout, *from = &none.layout;
        for (size_t i = l->at_maps; i < l->parameters; i++)
            if (i < l->at_decoder || (i >= l->at_flow && i < l->at_flow + l->flow.time))
                b.params[i] = 0;
        memcpy(none.params, b.params, l->at_maps * sizeof *b.params);
        memcpy(none.params + from->at_decoder, b.params + l->at_decoder, l->decoder.parameters * sizeof *b.params);
        start(&none, 0);
        start(&b, 0);
        must(lam_elbo_forward_f64(none.elbo, &none.call, none.row_elbo, &none.terms));
        must(lam_elbo_forward_f64(b.elbo, &b.call, b.row_elbo, &b.terms));
        for (size_t row = 0; row < 3; row++)
            assert_true(fabs(b.row_elbo[row] - none.row_elbo[row]) <= 1e-13 * fabs(none.row_elbo[row]));
        assert_true(fabs(lam_terms_value(&b.terms.penalty_terms, "tpr")) <= 1e-28);
        end(&none);
        end(&b);
    }
}

/* A field that is linear, f = A z: z_K = exp(A T) z_0 and sum log|det| = T trace A, so the sign of l is seen. */
static void a_linear_flow(void **state)
{
    (void)state;
    recipe r = { .activation = LAM_ACT_IDENTITY };
    bound none = create((recipe) { .posterior = LAM_POSTERIOR_NONE }), b = create(r);
    const lam_vae_layout *l = &b.layout;
    const double root = b.params[l->at_flow + l->flow.time], rate = 0.8, turned = rate * root * root, grow = exp(turned);
    double z[9], kl[3];
    lam_elbo_terms terms = { 0 };
    memset(b.params + l->at_flow, 0, l->flow.time * sizeof *b.params);
    const lam_field_layer *layers = l->flow.field.layer;
    for (size_t i = 0; i < 3; i++) { /* 3 -> 4 -> 5 -> 3, and one factor of the rate */
        for (size_t k = 0; k < 3; k++) {
            const lam_basis *w = &layers[k].basis[0];
            b.params[l->at_flow + w->w + i * w->stride_out + i * w->stride_in] = k == 0 ? rate : 1;
        }
    }
    b.call.solve.solve.atol = b.call.solve.solve.rtol = 1e-11;
    start(&b, 0);
    must(lam_elbo_forward_f64(b.elbo, &b.call, b.row_elbo, &b.terms));
    must(lam_elbo_push_f64(b.elbo, &b.call, b.e, z, &terms));
    memcpy(none.params, b.params, l->at_maps * sizeof *b.params);
    start(&none, 0);
    double z0[9];
    must(lam_elbo_encode_f64(none.elbo, &none.call));
    must(lam_elbo_push_f64(none.elbo, &none.call, none.e, z0, &terms));
    for (size_t row = 0; row < 3; row++) {
        row_by_hand(&none, row, &kl[row]); /* of the Gaussian: log q - log N(z_0) */
        for (size_t i = 0; i < 3; i++) {
            double at = z0[3 * row + i];
            assert_true(fabs(z[3 * row + i] - grow * at) <= 1e-9);
            kl[row] += log_normal(at, 0, 1) - log_normal(grow * at, 0, 1) - turned;
        }
        assert_true(fabs(log_p(&b, row, z + 3 * row) - kl[row] - b.row_elbo[row]) <= 1e-8);
    }
    end(&none);
    end(&b);
}

/* Rows' draws are theirs: the second half of a batch is the first of one that starts there; another stream is another draw. */
static void draws_belong_to_rows(void **state)
{
    (void)state;
    bound b = create((recipe) { .amortised = LAM_AMORTISED_LOW_RANK, .rows = 6, .divergence = LAM_DIV_RADEMACHER, .fixed_steps = 1 });
    double whole[6], half[6];
    start(&b, 0);
    b.call.given = NULL;
    must(lam_elbo_forward_f64(b.elbo, &b.call, whole, &b.terms));
    b.call.rows = 3;
    must(lam_elbo_forward_f64(b.elbo, &b.call, half, &b.terms));
    b.call.pixels += 3 * b.layout.pixels;
    b.call.noise.first_row = 3;
    must(lam_elbo_forward_f64(b.elbo, &b.call, half + 3, &b.terms));
    for (size_t i = 0; i < 6; i++)
        assert_true(fabs(whole[i] - half[i]) <= 1e-13 * fabs(whole[i]));
    b.call.noise.stream++;
    must(lam_elbo_forward_f64(b.elbo, &b.call, half, &b.terms));
    assert_true(fabs(half[0] - whole[3]) > 1e-6);
    end(&b);
}

/* ---- float -------------------------------------------------------------------------------------------------------- */

static elbo_problem in_float(const bound *b, size_t threads, int plain)
{
    return (elbo_problem) { .layout = &b->layout, .config = &b->config, .params = b->start, .pixels = b->pixels, .e = b->e,
        .rows = b->call.rows, .threads = threads, .plain = plain, .beta = b->call.beta, .solve = b->call.solve,
        .noise = b->call.noise, .penalty = b->call.penalty };
}

/* Fixed steps, so that both widths do the same. Float sums of up to some 10^4 products, 2^-24 each, through a dozen layers; twice what
 * the nets alone are allowed (vae_net.c). */
static void float_against_double(void **state)
{
    (void)state;
#ifdef LAM_HAVE_DNNL
    const int most = 2;
#else
    const int most = 1;
#endif
    static const recipe recipes[] = { { .amortised = LAM_AMORTISED_LOW_RANK, .blocks = 2, .tpr = 1, .rows = 9, .size = 8, .fixed_steps = 1,
                                         .divergence = LAM_DIV_RADEMACHER, .beta = 0.3 },
        { .posterior = LAM_POSTERIOR_PLANAR, .blocks = 2, .rows = 3, .pixels = LAM_PIXELS_CATEGORICAL, .limits = 1 } };
    for (size_t k = 0; k < 2; k++) {
        bound b = create(recipes[k]);
        lam_vae_tensor t;
        float *grad = malloc(b.layout.parameters * sizeof *grad);
        double row[9];
        start(&b, 0);
        gradient(&b);
        for (int how = 0; how < most; how++) { /* plain loops; oneDNN */
            lam_elbo_terms terms;
            elbo_problem p = in_float(&b, 1, how == 0);
            must(elbo_in_float(&p, row, grad, &terms));
            assert_true(fabs(terms.loss - b.terms.loss) <= 1e-6 * fabs(b.terms.loss));
            for (size_t i = 0; i < b.call.rows; i++)
                assert_true(fabs(row[i] - b.row_elbo[i]) <= 2e-6 * fabs(b.row_elbo[i]));
            for (size_t i = 0; lam_vae_layout_tensor(&b.layout, i, &t); i++) {
                double largest = 1e-7, worst = 0;
                for (size_t j = t.offset; j < t.offset + t.count; j++) {
                    largest = fmax(largest, fabs(b.grad[j]));
                    worst = fmax(worst, fabs(b.grad[j] - (double)grad[j]));
                }
                if (!(worst <= 2e-5 * largest))
                    fail_msg("%s: off by %.3g, the largest is %.3g", t.name, worst, largest);
            }
        }
        free(grad);
        end(&b);
    }
}

/* v is e^a where a is very negative: its slope and 1 / v leave float one by one, their product is 1 and does not. */
static void tiny_variances(void **state)
{
    (void)state;
    bound b = create((recipe) { .posterior = LAM_POSTERIOR_NONE, .rows = 3 });
    float *grad = malloc(b.layout.parameters * sizeof *grad), *weights = b.start + b.layout.at_variance;
    size_t biases = b.layout.latent * LAM_VAE_FEATURES;
    double row[3];
    lam_elbo_terms terms;
    memset(weights, 0, biases * sizeof *weights);
    for (size_t i = 0; i < b.layout.latent; i++)
        weights[biases + i] = -100;
    elbo_problem p = in_float(&b, 1, 1);
    p.beta = 1;
    must(elbo_in_float(&p, row, grad, &terms));
    for (size_t i = 0; i < b.layout.latent; i++) /* z_0 is mu: what is left is d/da of -log v / 2 */
        assert_true(fabs((double)grad[b.layout.at_variance + biases + i] + 0.5) < 1e-6);
    free(grad);
    end(&b);
}

#ifdef LAM_HAVE_DNNL
static void threads(void **state)
{
    (void)state;
    bound b = create((recipe) { .amortised = LAM_AMORTISED_LOW_RANK, .blocks = 2, .tpr = 1, .rows = 70, .size = 8,
        .divergence = LAM_DIV_RADEMACHER });
    size_t n = b.layout.parameters;
    float *grad[2] = { malloc(n * sizeof(float)), malloc(n * sizeof(float)) };
    double row[2][70];
    lam_elbo_terms terms[2];
    for (size_t k = 0; k < 2; k++) {
        elbo_problem p = in_float(&b, k == 0 ? 1 : 3, 0);
        p.e = NULL;
        must(elbo_in_float(&p, row[k], grad[k], &terms[k]));
    }
    assert_memory_equal(grad[0], grad[1], n * sizeof(float));
    assert_memory_equal(row[0], row[1], sizeof row[0]);
    assert_memory_equal(&terms[0], &terms[1], sizeof terms[0]);
    free(grad[0]);
    free(grad[1]);
    end(&b);
}
#endif

/* ---- refusals ----------------------------------------------------------------------------------------------------- */

static void refusals(void **state)
{
    (void)state;
    bound b = create((recipe) { .posterior = LAM_POSTERIOR_NONE });
    lam_elbo_f64 *elbo;
    const lam_elbo_options options = { .max_rows = 3 };
    start(&b, 0);
    b.call.rows = 4;
    assert_int_equal(lam_elbo_forward_f64(b.elbo, &b.call, NULL, &b.terms), LAM_ERR_ARGUMENT);
    b.call.rows = 0;
    assert_int_equal(lam_elbo_forward_f64(b.elbo, &b.call, NULL, &b.terms), LAM_ERR_ARGUMENT);
    b.call.rows = 3;
    must(lam_elbo_create_f64(&b.layout, &b.config, b.pool, &options, &elbo));
    must(lam_elbo_forward_f64(elbo, &b.call, b.row_elbo, &b.terms));
    assert_int_equal(lam_elbo_backward_f64(elbo, &b.call, b.grad, &b.terms), LAM_ERR_ARGUMENT);
    lam_elbo_free_f64(elbo);
    lam_elbo_free_f64(NULL);
    b.params[b.layout.at_mean] = NAN;
    assert_int_equal(lam_elbo_forward_f64(b.elbo, &b.call, NULL, &b.terms), LAM_ERR_DIVERGED);
    end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gaussian_and_planar),
        cmocka_unit_test(every_amortisation),
        cmocka_unit_test(grey_levels),
        cmocka_unit_test(limits_of_the_variance),
        cmocka_unit_test(two_tiles),
        cmocka_unit_test(batches_after_each_other),
        cmocka_unit_test(by_definition),
        cmocka_unit_test(a_flow_that_does_nothing),
        cmocka_unit_test(a_linear_flow),
        cmocka_unit_test(draws_belong_to_rows),
        cmocka_unit_test(float_against_double),
        cmocka_unit_test(tiny_variances),
#ifdef LAM_HAVE_DNNL
        cmocka_unit_test(threads),
#endif
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
