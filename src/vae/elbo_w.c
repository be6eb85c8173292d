/* The evidence lower bound of a batch and its gradient. */
#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "flow/base_density.h"
#include "kernels/isa.h"
#include "vae/elbo_inside.h"
#include "vae/net.h"
#include "vae/pixels.h"
#include "vae/planar.h"
#include <math.h>
#include <string.h>

#if LAM_WIDTH == 32
#define ACT_FOR lam_act_f32_for
#else
#define ACT_FOR lam_act_f64_for
#endif

enum { MOST_GROUPS = 64 };

void lam_elbo_mark(lam_elbo *s, lam_elbo_phase phase)
{
    if (s->options.phases == NULL)
        return;
    double before = s->since;
    s->since = lam_clock();
    if (phase != LAM_ELBO_PHASES) /* a beginning */
        s->options.phases[phase] += s->since - before;
}

/* ---- creation ----------------------------------------------------------------------------------------------------- */

static lam_status create_nets(lam_elbo *s)
{
    const lam_vae_layout *l = s->layout;
    size_t rows = s->options.max_rows;
    int plain = s->options.plain;
    const char *isa = s->config->isa;
    const lam_comm *comm = s->options.comm;
    LAM_TRY(lam_any_net_create(&l->encoder, s->pool, comm, isa, rows, 0, plain, &s->encoder));
    LAM_TRY(lam_any_net_create(&l->mean, s->pool, comm, isa, rows, s->options.gradients, plain, &s->mean));
    LAM_TRY(lam_any_net_create(&l->variance, s->pool, comm, isa, rows, s->options.gradients, plain, &s->variance));
    return lam_any_net_create(&l->decoder, s->pool, comm, isa, rows, s->options.gradients, plain, &s->decoder);
}

static lam_status create_flow(lam_elbo *s)
{
    const lam_config *cfg = s->config;
    int g = s->options.gradients;
    if (!s->layout->has_flow)
        return LAM_OK;
    lam_engine_options o = { .max_rows = s->options.max_rows, .trace = s->options.trace, .probes = cfg->probes, .gradients = g,
        .method = cfg->gradient, .isa = cfg->isa, .control = LAM_CONTROL_BATCH, .comm = s->options.comm, .fast_sums = s->options.fast_sums,
        .trace_points = g ? 0 : cfg->test_trace_points };
    if (g) {
        o.memory = cfg->memory;
        lam_penalty_options(cfg, &o);
    }
    return lam_engine_create(&s->layout->flow, s->pool, &o, &s->engine);
}

/* How a batch of so many rows is cut. A flow's engine has its own rule. */
static void set_batch(lam_elbo *s, size_t rows)
{
    size_t tiles = (rows + LAM_TILE - 1) / LAM_TILE;
    s->nets = lam_net_batch(s->pool, s->options.comm, rows);
    s->batch = (lam_batch) { .pool = s->pool, .comm = s->options.comm, .rows = rows, .tiles = tiles,
        .groups = tiles < MOST_GROUPS ? tiles : MOST_GROUPS, .lanes = s->kernels->lanes };
    if (s->engine != NULL)
        s->batch = lam_engine_batch(s->engine, rows);
}

static int take(void *pointer, size_t count, size_t size)
{
    void **to = pointer;
    return (*to = lam_alloc(count == 0 ? 1 : count, size)) != NULL;
}

static lam_status allocate(lam_elbo *s)
{
    const lam_vae_layout *l = s->layout;
    size_t rows = s->options.max_rows, latent = rows * l->latent, features = rows * LAM_VAE_FEATURES;
    size_t tiles = (rows + LAM_TILE - 1) / LAM_TILE, planes = tiles * LAM_VAE_FEATURES * LAM_TILE;
    size_t flows = s->config->posterior == LAM_POSTERIOR_PLANAR ? s->config->blocks : 0;
    int ok = take(&s->x, rows * l->pixels, sizeof(real)) && take(&s->features, features, sizeof(real))
        && take(&s->planes, planes, sizeof(real)) && take(&s->g_planes, planes, sizeof(real))
        && take(&s->mu, latent, sizeof(real)) && take(&s->v, latent, sizeof(real)) && take(&s->slope, latent, sizeof(real))
        && take(&s->z, latent, sizeof(real)) && take(&s->logits, rows * l->decoder.out_count, sizeof(real))
        && take(&s->row, 2 * l->row_params, sizeof(double)) && take(&s->path, rows * (flows + 1) * l->latent, sizeof(double))
        && take(&s->e, latent, sizeof(double)) && take(&s->z0, latent, sizeof(double)) && take(&s->zk, latent, sizeof(double))
        && take(&s->g_z, latent, sizeof(double)) && take(&s->l, rows, sizeof(double)) && take(&s->log_p, rows, sizeof(double))
        && take(&s->g_latent, latent, sizeof(real)) && take(&s->g_feature, features, sizeof(real))
        && take(&s->g_other, features, sizeof(real)) && take(&s->g_maps, features, sizeof(real))
        && take(&s->am, l->maps, sizeof *s->am) && take(&s->g_am, l->maps, sizeof *s->g_am);
    for (size_t i = 0; ok && i < l->maps; i++)
        ok = take(&s->am[i], tiles * l->row_params * LAM_TILE, sizeof(real))
            && (!s->options.gradients || take(&s->g_am[i], tiles * l->row_params * LAM_TILE, sizeof(real)));
    if (!ok)
        return LAM_ERR_MEMORY;
    set_batch(s, rows);
    size_t most = LAM_VAE_FEATURES * sizeof(real) + 2 * (l->latent + 1) * sizeof(double);
    size_t groups = s->batch.groups > LAM_NET_GROUPS ? s->batch.groups : LAM_NET_GROUPS;
    LAM_TRY(lam_elbo_ranks_create(&s->ranks, rows, most, groups, l->at_flow));
    return lam_linear_create(s->kernels, &s->batch, LAM_VAE_FEATURES, l->row_params, &s->map);
}

static lam_status create(lam_elbo *s)
{
    lam_isa isa;
    LAM_TRY(lam_isa_choose(s->config->isa, &isa));
    s->act = ACT_FOR(isa);
    LAM_TRY(lam_kernels_get(s->config->isa, &s->kernels));
    LAM_TRY(create_nets(s));
    LAM_TRY(create_flow(s));
    return allocate(s);
}

lam_status lam_elbo_create(const lam_vae_layout *layout, const lam_config *config, lam_pool *pool,
    const lam_elbo_options *options, lam_elbo **out)
{
    lam_elbo *s = *out = lam_alloc(1, sizeof *s);
    if (s == NULL)
        return LAM_ERR_MEMORY;
    s->layout = layout;
    s->config = config;
    s->pool = pool;
    s->options = *options;
    s->ranks.comm = options->comm;
    s->ranks.fast = options->fast_sums;
    lam_status status = create(s);
    if (status != LAM_OK) {
        lam_elbo_free(s);
        *out = NULL;
    }
    return status;
}

void lam_elbo_free(lam_elbo *s)
{
    if (s == NULL)
        return;
    lam_any_net_free(s->encoder);
    lam_any_net_free(s->mean);
    lam_any_net_free(s->variance);
    lam_any_net_free(s->decoder);
    lam_linear_free(s->map);
    lam_elbo_ranks_clear(&s->ranks);
    lam_engine_free(s->engine);
    for (size_t i = 0; i < s->layout->maps; i++) {
        if (s->am != NULL)
            lam_free(s->am[i]);
        if (s->g_am != NULL)
            lam_free(s->g_am[i]);
    }
    void *all[] = { s->x, s->features, s->planes, s->g_planes, s->mu, s->v, s->slope, s->z, s->logits, s->am, s->g_am, s->row,
        s->path, s->e, s->z0, s->zk, s->g_z, s->l, s->log_p, s->g_latent, s->g_feature, s->g_other, s->g_maps };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        lam_free(all[i]);
    lam_free(s);
}

lam_engine *lam_elbo_engine(const lam_elbo *s)
{
    return s->engine;
}

lam_range lam_elbo_own_rows(const lam_elbo *s, size_t rows)
{
    const lam_batch nets = lam_net_batch(s->pool, s->options.comm, rows);
    return lam_batch_own_rows(&nets);
}

/* ---- rows and planes ---------------------------------------------------------------------------------------------- */

/* rows [rows, n] to planes [tiles][n][TILE], zeros past the batch, of this rank's tiles. */
static void to_planes(const lam_batch *b, size_t n, const real *rows, real *planes)
{
    lam_range own = lam_batch_own_tiles(b);
    for (size_t tile = own.first; tile < own.end; tile++) {
        size_t count = lam_batch_tile_rows(b, tile);
        for (size_t i = 0; i < n; i++)
            for (size_t r = 0; r < LAM_TILE; r++)
                planes[(tile * n + i) * LAM_TILE + r] = r < count ? rows[(tile * LAM_TILE + r) * n + i] : 0;
    }
}

/* ---- forward ------------------------------------------------------------------------------------------------------ */

/* Features, mu and v of this rank's rows. */
static lam_status encode_rows(lam_elbo *s, const lam_elbo_call *call)
{
    const lam_vae_layout *l = s->layout;
    const lam_config *cfg = s->config;
    lam_range own = lam_batch_own_rows(&s->nets);
    size_t rows = call->rows, at = own.first * l->latent;
    const real scale = (real)(1 / (double)(l->levels - 1));
    for (size_t i = own.first * l->pixels; i < own.end * l->pixels; i++)
        s->x[i] = scale * (real)call->pixels[i];
    LAM_TRY(lam_any_net_forward(s->encoder, call->params, s->x, rows, s->features));
    LAM_TRY(lam_any_net_forward(s->mean, params_at(call, l->at_mean), s->features, rows, s->mu));
    LAM_TRY(lam_any_net_forward(s->variance, params_at(call, l->at_variance), s->features, rows, s->v));
    lam_variance(s->act, (own.end - own.first) * l->latent, (real)cfg->variance_min,
        cfg->variance_max > 0 ? (real)cfg->variance_max : (real)INFINITY, s->v + at, s->v + at, s->slope + at);
    return LAM_OK;
}

lam_status lam_elbo_encode(lam_elbo *s, const lam_elbo_call *call)
{
    const lam_vae_layout *l = s->layout;
    if (call->rows == 0 || call->rows > s->options.max_rows)
        return lam_fail(LAM_ERR_ARGUMENT, "%zu images, where one to %zu were expected", call->rows, s->options.max_rows);
    set_batch(s, call->rows);
    lam_elbo_mark(s, LAM_ELBO_PHASES);
    LAM_TRY(lam_comm_agree(s->options.comm, encode_rows(s, call)));
    const lam_elbo_column all[] = { { s->mu, l->latent * sizeof(real) }, { s->v, l->latent * sizeof(real) },
        { s->features, LAM_VAE_FEATURES * sizeof(real) } };
    lam_elbo_share(&s->ranks, &s->nets, all, l->maps > 0 ? 3 : 2);
    lam_elbo_mark(s, LAM_ELBO_ENCODER);
    if (l->maps == 0)
        return LAM_OK;
    to_planes(&s->batch, LAM_VAE_FEATURES, s->features, s->planes);
    for (size_t i = 0; i < l->maps; i++)
        lam_linear_forward(s->map, &s->batch, params_at(call, l->at_maps + i * l->map_size), s->planes, s->am[i]);
    lam_elbo_mark(s, LAM_ELBO_MAPS);
    return LAM_OK;
}

static lam_status push_cnf(lam_elbo *s, const lam_elbo_call *call, lam_elbo_terms *terms)
{
    const lam_flow_call flow = flow_call(s, call);
    lam_engine_amortise(s->engine, s->layout->maps > 0 ? (const real *const *)s->am : NULL);
    if (!s->options.gradients)
        return lam_engine_transform(s->engine, &flow, 1, s->zk, s->l, &terms->counts);
    lam_loss loss = { .counts = terms->counts };
    lam_status status = lam_engine_forward(s->engine, &flow, &call->penalty, s->zk, s->l, &loss);
    terms->penalty_terms = loss.terms;
    terms->penalties = loss.loss;
    terms->counts = loss.counts;
    return status;
}

/* z_0 to z_K and l of this rank's rows by planar flows, or by none. */
static void push_planar(lam_elbo *s)
{
    size_t d = s->layout->latent, flows = s->config->blocks;
    lam_range own = lam_batch_own_rows(&s->batch);
    for (size_t row = own.first; row < own.end; row++) {
        memcpy(s->zk + row * d, s->z0 + row * d, d * sizeof(double));
        s->l[row] = 0;
        if (s->config->posterior != LAM_POSTERIOR_PLANAR)
            continue;
        planar_row(s, row, s->row);
        s->l[row] = -lam_planar_forward(d, flows, s->row, s->zk + row * d, s->path + row * (flows + 1) * d);
    }
}

static lam_status push(lam_elbo *s, const lam_elbo_call *call, lam_elbo_terms *terms)
{
    size_t d = s->layout->latent;
    for (size_t i = 0; i < call->rows * d; i++)
        s->z0[i] = (double)s->mu[i] + sqrt((double)s->v[i]) * s->e[i];
    if (s->layout->has_flow)
        LAM_TRY(push_cnf(s, call, terms));
    else
        push_planar(s);
    const lam_elbo_column all[] = { { s->zk, d * sizeof(double) }, { s->l, sizeof(double) } };
    lam_elbo_share(&s->ranks, &s->batch, all, 2);
    return LAM_OK;
}

lam_status lam_elbo_push(lam_elbo *s, const lam_elbo_call *call, const double *e, double *z, lam_elbo_terms *terms)
{
    size_t bytes = call->rows * s->layout->latent * sizeof(double);
    memcpy(s->e, e, bytes);
    LAM_TRY(push(s, call, terms));
    memcpy(z, s->zk, bytes);
    return LAM_OK;
}

lam_status lam_elbo_decode(lam_elbo *s, const real *params, const double *z, size_t rows, real *logits)
{
    if (rows == 0 || rows > s->options.max_rows)
        return lam_fail(LAM_ERR_ARGUMENT, "%zu rows of z, where one to %zu were expected", rows, s->options.max_rows);
    for (size_t i = 0; i < rows * s->layout->latent; i++)
        s->z[i] = (real)z[i];
    return lam_comm_agree(s->options.comm, lam_any_net_forward(s->decoder, params + s->layout->at_decoder, s->z, rows, logits));
}

/* The row's log q(z_0 | x) - log N(z_K) - sum log|det|; z_0 has e for its standardised self. */
static double row_kl(const lam_elbo *s, size_t row)
{
    double sum = s->l[row];
    for (size_t i = row * s->layout->latent; i < (row + 1) * s->layout->latent; i++) {
        double log_q = -0.5 * (s->e[i] * s->e[i] + log((double)s->v[i])) - LAM_HALF_LOG_2PI;
        sum += log_q + 0.5 * s->zk[i] * s->zk[i] + LAM_HALF_LOG_2PI;
    }
    return sum;
}

/* log p(x | z_K) of every row, and the logits' cotangents of this rank's. */
static void score_pixels(lam_elbo *s, const lam_elbo_call *call)
{
    const lam_vae_layout *l = s->layout;
    lam_range own = lam_batch_own_rows(&s->nets);
    const lam_pixel_rows pixels = { .pool = s->pool, .act = s->act, .rows = own.end - own.first, .pixels = l->pixels, .levels = l->levels };
    real *logits = s->logits + own.first * l->decoder.out_count;
    lam_pixels_log_p(&pixels, logits, call->pixels + own.first * l->pixels, s->log_p + own.first, (real)(-1 / (double)call->rows),
        s->options.gradients ? logits : NULL);
    const lam_elbo_column all = { s->log_p, sizeof(double) };
    lam_elbo_share(&s->ranks, &s->nets, &all, 1);
}

static lam_status score(lam_elbo *s, const lam_elbo_call *call, double *row_elbo, lam_elbo_terms *t)
{
    size_t rows = call->rows;
    score_pixels(s, call);
    for (size_t row = 0; row < rows; row++) {
        double kl = row_kl(s, row);
        t->reconstruction -= s->log_p[row] / (double)rows;
        t->kl += kl / (double)rows;
        if (row_elbo != NULL)
            row_elbo[row] = s->log_p[row] - kl;
    }
    t->negative_elbo = t->reconstruction + t->kl;
    t->loss = t->reconstruction + call->beta * t->kl + t->penalties;
    if (!isfinite(t->loss))
        return lam_fail(LAM_ERR_DIVERGED, "the loss is not finite (reconstruction %g, KL %g, penalties %g); lower lr or set clip",
            t->reconstruction, t->kl, t->penalties);
    return LAM_OK;
}

lam_status lam_elbo_forward(lam_elbo *s, const lam_elbo_call *call, double *row_elbo, lam_elbo_terms *terms)
{
    size_t d = s->layout->latent;
    *terms = (lam_elbo_terms) { 0 };
    LAM_TRY(lam_elbo_encode(s, call));
    for (size_t row = 0; row < call->rows && call->given == NULL; row++)
        lam_random_normal_row(call->noise.seed, call->draw, call->noise.stream, call->noise.first_row + row, s->e + row * d, d);
    if (call->given != NULL)
        memcpy(s->e, call->given, call->rows * d * sizeof(double));
    LAM_TRY(push(s, call, terms));
    lam_elbo_mark(s, LAM_ELBO_FLOW_FORWARD);
    LAM_TRY(lam_elbo_decode(s, call->params, s->zk, call->rows, s->logits));
    LAM_TRY(score(s, call, row_elbo, terms));
    lam_elbo_mark(s, LAM_ELBO_DECODER);
    return LAM_OK;
}

