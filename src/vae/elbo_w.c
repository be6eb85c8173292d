/* The evidence lower bound of a batch and its gradient. */
#include "base/clock.h"
#include "vae/elbo.h"
#include "base/error.h"
#include "base/mem.h"
#include "flow/base_density.h"
#include "kernels/isa.h"
#include "vae/any_net.h"
#include "vae/linear.h"
#include "vae/pixels.h"
#include "vae/planar.h"
#include <math.h>
#include <string.h>

#if LAM_WIDTH == 32
#define ACT_FOR lam_act_f32_for
#else
#define ACT_FOR lam_act_f64_for
#endif

struct lam_elbo {
    const lam_vae_layout *layout;
    const lam_config *config;
    lam_pool *pool;
    lam_elbo_options options;
    const lam_kernels *kernels;
    const lam_act *act;
    lam_any_net *encoder, *mean, *variance, *decoder;
    lam_linear *map;    /* one serves all blocks */
    lam_engine *engine; /* with a CNF */
    lam_batch batch;           /* of the call in hand */
    real *x;                   /* [rows, pixels] images as the encoder takes them: 0 to 1 */
    real *features;            /* [rows, 256] */
    real *planes, *g_planes;   /* [tiles][256][TILE] the same in planes, and their cotangents */
    real *mu, *v, *slope;      /* [rows, latent]; slope: dv by the linear map's output */
    real *z;                   /* [rows, latent] for the decoder */
    real *logits;              /* [rows, pixels, 1 or 256]; with gradients their cotangents */
    real **am, **g_am;         /* [maps] of [tiles][row_params][TILE] */
    double *row, *path;        /* planar: [row_params] of a row; [rows][flows + 1][latent] */
    double *e, *z0, *zk, *g_z; /* [rows, latent] */
    double *l, *log_p;         /* [rows] */
    real *g_latent, *g_feature, *g_other; /* [rows, latent], [rows, 256] twice */
    double since;              /* when the phase in hand began */
};

/* ---- the clock ---------------------------------------------------------------------------------------------------- */

/* The time since the last mark goes to `phase`. */
static void mark(lam_elbo *s, lam_elbo_phase phase)
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
    LAM_TRY(lam_any_net_create(&l->encoder, s->pool, isa, rows, 0, plain, &s->encoder));
    LAM_TRY(lam_any_net_create(&l->mean, s->pool, isa, rows, s->options.gradients, plain, &s->mean));
    LAM_TRY(lam_any_net_create(&l->variance, s->pool, isa, rows, s->options.gradients, plain, &s->variance));
    return lam_any_net_create(&l->decoder, s->pool, isa, rows, s->options.gradients, plain, &s->decoder);
}

static lam_status create_flow(lam_elbo *s)
{
    const lam_config *cfg = s->config;
    int g = s->options.gradients;
    if (!s->layout->has_flow)
        return LAM_OK;
    lam_engine_options o = { .max_rows = s->options.max_rows, .trace = s->options.trace, .probes = cfg->probes, .gradients = g,
        .method = cfg->gradient, .isa = cfg->isa, .control = LAM_CONTROL_BATCH };
    if (g) {
        o.memory = cfg->memory;
        lam_penalty_options(cfg, &o);
    }
    return lam_engine_create(&s->layout->flow, s->pool, &o, &s->engine);
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
        && take(&s->g_other, features, sizeof(real))
        && take(&s->am, l->maps, sizeof *s->am) && take(&s->g_am, l->maps, sizeof *s->g_am);
    for (size_t i = 0; ok && i < l->maps; i++)
        ok = take(&s->am[i], tiles * l->row_params * LAM_TILE, sizeof(real))
            && (!s->options.gradients || take(&s->g_am[i], tiles * l->row_params * LAM_TILE, sizeof(real)));
    return ok ? lam_linear_create(s->kernels, s->pool, tiles, LAM_VAE_FEATURES, l->row_params, &s->map)
              : LAM_ERR_MEMORY;
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
    lam_engine_free(s->engine);
    for (size_t i = 0; i < s->layout->maps; i++) {
        if (s->am != NULL)
            lam_free(s->am[i]);
        if (s->g_am != NULL)
            lam_free(s->g_am[i]);
    }
    void *all[] = { s->x, s->features, s->planes, s->g_planes, s->mu, s->v, s->slope, s->z, s->logits, s->am, s->g_am, s->row,
        s->path, s->e, s->z0, s->zk, s->g_z, s->l, s->log_p, s->g_latent, s->g_feature, s->g_other };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        lam_free(all[i]);
    lam_free(s);
}

lam_engine *lam_elbo_engine(const lam_elbo *s)
{
    return s->engine;
}

/* ---- rows and planes ---------------------------------------------------------------------------------------------- */

/* rows [rows, n] to planes [tiles][n][TILE], zeros past the batch; or planes added to rows. */
static void to_planes(const lam_batch *b, size_t n, const real *rows, real *planes)
{
    for (size_t tile = 0; tile < b->tiles; tile++) {
        size_t count = lam_batch_tile_rows(b, tile);
        for (size_t i = 0; i < n; i++)
            for (size_t r = 0; r < LAM_TILE; r++)
                planes[(tile * n + i) * LAM_TILE + r] = r < count ? rows[(tile * LAM_TILE + r) * n + i] : 0;
    }
}

static void add_planes(const lam_batch *b, size_t n, const real *planes, real *rows)
{
    for (size_t row = 0; row < b->rows; row++)
        for (size_t i = 0; i < n; i++)
            rows[row * n + i] += planes[(row / LAM_TILE * n + i) * LAM_TILE + row % LAM_TILE];
}

/* ---- forward ------------------------------------------------------------------------------------------------------ */

static real *params_at(const lam_elbo_call *call, size_t offset)
{
    return (real *)call->params + offset; /* only read */
}

lam_status lam_elbo_encode(lam_elbo *s, const lam_elbo_call *call)
{
    const lam_vae_layout *l = s->layout;
    size_t rows = call->rows, n = rows * l->latent;
    const real scale = (real)(1 / (double)(l->levels - 1));
    const lam_config *cfg = s->config;
    if (rows == 0 || rows > s->options.max_rows)
        return lam_fail(LAM_ERR_ARGUMENT, "%zu images, where one to %zu were expected", rows, s->options.max_rows);
    s->batch = (lam_batch) { .pool = s->pool, .rows = rows, .tiles = (rows + LAM_TILE - 1) / LAM_TILE, .groups = 1,
        .lanes = s->kernels->lanes };
    mark(s, LAM_ELBO_PHASES);
    for (size_t i = 0; i < rows * l->pixels; i++)
        s->x[i] = scale * (real)call->pixels[i];
    LAM_TRY(lam_any_net_forward(s->encoder, call->params, s->x, rows, s->features));
    LAM_TRY(lam_any_net_forward(s->mean, params_at(call, l->at_mean), s->features, rows, s->mu));
    LAM_TRY(lam_any_net_forward(s->variance, params_at(call, l->at_variance), s->features, rows, s->v));
    lam_variance(s->act, n, (real)cfg->variance_min, cfg->variance_max > 0 ? (real)cfg->variance_max : (real)INFINITY, s->v,
        s->v, s->slope);
    mark(s, LAM_ELBO_ENCODER);
    if (l->maps == 0)
        return LAM_OK;
    to_planes(&s->batch, LAM_VAE_FEATURES, s->features, s->planes);
    for (size_t i = 0; i < l->maps; i++)
        lam_linear_forward(s->map, &s->batch, params_at(call, l->at_maps + i * l->map_size), s->planes, s->am[i]);
    mark(s, LAM_ELBO_MAPS);
    return LAM_OK;
}

/* One row's parameters of planar flows, from planes. */
static void planar_row(const lam_elbo *s, size_t row, double *params)
{
    size_t n = s->layout->row_params;
    const real *tile = s->am[0] + row / LAM_TILE * n * LAM_TILE + row % LAM_TILE;
    for (size_t i = 0; i < n; i++)
        params[i] = (double)tile[i * LAM_TILE];
}

/* The flow's part of a call: rows z_0. */
static lam_flow_call flow_call(const lam_elbo *s, const lam_elbo_call *call)
{
    return (lam_flow_call) { .params = params_at(call, s->layout->at_flow), .x = s->z0, .rows = call->rows, .solve = &call->solve,
        .noise = &call->noise };
}

static lam_status push(lam_elbo *s, const lam_elbo_call *call, lam_elbo_terms *terms)
{
    const lam_vae_layout *l = s->layout;
    size_t rows = call->rows, d = l->latent, flows = s->config->blocks;
    for (size_t i = 0; i < rows * d; i++)
        s->z0[i] = (double)s->mu[i] + sqrt((double)s->v[i]) * s->e[i];
    if (l->has_flow) {
        const lam_flow_call flow = flow_call(s, call);
        lam_engine_amortise(s->engine, l->maps > 0 ? (const real *const *)s->am : NULL);
        if (s->options.gradients) {
            lam_loss loss = { .counts = terms->counts };
            lam_status status = lam_engine_forward(s->engine, &flow, &call->penalty, s->zk, s->l, &loss);
            terms->penalty_terms = loss.terms;
            terms->penalties = loss.loss;
            terms->counts = loss.counts;
            return status;
        }
        return lam_engine_transform(s->engine, &flow, 1, s->zk, s->l, &terms->counts);
    }
    memcpy(s->zk, s->z0, rows * d * sizeof(double));
    memset(s->l, 0, rows * sizeof(double));
    for (size_t row = 0; row < rows && s->config->posterior == LAM_POSTERIOR_PLANAR; row++) {
        planar_row(s, row, s->row);
        s->l[row] = -lam_planar_forward(d, flows, s->row, s->zk + row * d, s->path + row * (flows + 1) * d);
    }
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
    return lam_any_net_forward(s->decoder, params + s->layout->at_decoder, s->z, rows, logits);
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

static lam_status score(lam_elbo *s, const lam_elbo_call *call, double *row_elbo, lam_elbo_terms *t)
{
    size_t rows = call->rows;
    const lam_pixel_rows pixels = { .pool = s->pool, .act = s->act, .rows = rows, .pixels = s->layout->pixels,
        .levels = s->layout->levels };
    lam_pixels_log_p(&pixels, s->logits, call->pixels, s->log_p, (real)(-1 / (double)rows),
        s->options.gradients ? s->logits : NULL);
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
    mark(s, LAM_ELBO_FLOW_FORWARD);
    LAM_TRY(lam_elbo_decode(s, call->params, s->zk, call->rows, s->logits));
    LAM_TRY(score(s, call, row_elbo, terms));
    mark(s, LAM_ELBO_DECODER);
    return LAM_OK;
}

/* ---- backward ----------------------------------------------------------------------------------------------------- */

/* s->g_z goes from the cotangent of z_K to that of z_0; s->g_am are filled. */
static lam_status reverse_flow(lam_elbo *s, const lam_elbo_call *call, real *grad, lam_elbo_terms *terms)
{
    const lam_vae_layout *l = s->layout;
    size_t rows = call->rows, d = l->latent, flows = s->config->blocks, n = l->row_params;
    double g_l = call->beta / (double)rows;
    if (l->has_flow) {
        const lam_flow_call flow = flow_call(s, call);
        const lam_flow_gradient to = { grad + l->at_flow, s->g_z, l->maps > 0 ? (real *const *)s->g_am : NULL };
        return lam_engine_reverse(s->engine, &flow, &call->penalty, s->g_z, g_l, &to, &terms->counts);
    }
    if (s->config->posterior == LAM_POSTERIOR_PLANAR) /* lanes past the batch may hold an earlier one's */
        memset(s->g_am[0], 0, s->batch.tiles * n * LAM_TILE * sizeof(real));
    for (size_t row = 0; row < rows && s->config->posterior == LAM_POSTERIOR_PLANAR; row++) {
        double *g_row = s->row + n;
        real *tile = s->g_am[0] + row / LAM_TILE * n * LAM_TILE + row % LAM_TILE;
        planar_row(s, row, s->row);
        lam_planar_reverse(d, flows, s->row, s->path + row * (flows + 1) * d, -g_l, s->g_z + row * d, g_row);
        for (size_t i = 0; i < n; i++)
            tile[i * LAM_TILE] = (real)g_row[i];
    }
    return LAM_OK;
}

/* Cotangents of mu and of the linear map before v, from that of z_0; and what the maps ask of the features. */
static lam_status reverse_encoder(lam_elbo *s, const lam_elbo_call *call, real *grad)
{
    const lam_vae_layout *l = s->layout;
    size_t rows = call->rows, n = rows * l->latent, features = rows * LAM_VAE_FEATURES;
    double mean = 1 / (double)rows;
    for (size_t i = 0; i < n; i++)
        s->g_latent[i] = (real)s->g_z[i];
    LAM_TRY(lam_any_net_backward(s->mean, params_at(call, l->at_mean), s->g_latent, grad + l->at_mean, s->g_feature));
    for (size_t i = 0; i < n; i++) { /* z_0 = mu + sqrt(v) e, and -log v / 2 in log q */
        double v = (double)s->v[i], g_v = s->g_z[i] * s->e[i] / (2 * sqrt(v)) - call->beta * mean / (2 * v);
        s->g_latent[i] = (real)(g_v * (double)s->slope[i]); /* v and its slope vanish together: not one by one */
    }
    LAM_TRY(lam_any_net_backward(s->variance, params_at(call, l->at_variance), s->g_latent, grad + l->at_variance, s->g_other));
    for (size_t i = 0; i < features; i++)
        s->g_feature[i] += s->g_other[i];
    mark(s, LAM_ELBO_ENCODER);
    if (l->maps > 0) {
        memset(s->g_planes, 0, s->batch.tiles * LAM_VAE_FEATURES * LAM_TILE * sizeof(real));
        for (size_t i = 0; i < l->maps; i++) {
            size_t at = l->at_maps + i * l->map_size;
            lam_linear_reverse(s->map, &s->batch, params_at(call, at), s->planes, s->g_am[i], grad + at, s->g_planes);
        }
        add_planes(&s->batch, LAM_VAE_FEATURES, s->g_planes, s->g_feature);
        mark(s, LAM_ELBO_MAPS);
    }
    LAM_TRY(lam_any_net_backward(s->encoder, call->params, s->g_feature, grad, NULL));
    mark(s, LAM_ELBO_ENCODER);
    return LAM_OK;
}

lam_status lam_elbo_backward(lam_elbo *s, const lam_elbo_call *call, real *grad, lam_elbo_terms *terms)
{
    const lam_vae_layout *l = s->layout;
    size_t n = call->rows * l->latent;
    if (!s->options.gradients)
        return lam_fail(LAM_ERR_ARGUMENT, "a gradient was asked of an evaluation made without");
    mark(s, LAM_ELBO_PHASES);
    memset(grad, 0, l->at_maps * sizeof(real)); /* the nets add to it; maps and flow set their own, which is most of it */
    memset(grad + l->at_decoder, 0, l->decoder.parameters * sizeof(real));
    LAM_TRY(lam_any_net_backward(s->decoder, params_at(call, l->at_decoder), s->logits, grad + l->at_decoder, s->g_latent));
    for (size_t i = 0; i < n; i++) /* -log N(z_K) is |z|^2 / 2 */
        s->g_z[i] = (double)s->g_latent[i] + call->beta * s->zk[i] / (double)call->rows;
    mark(s, LAM_ELBO_DECODER);
    LAM_TRY(reverse_flow(s, call, grad, terms));
    mark(s, LAM_ELBO_FLOW_REVERSE);
    return reverse_encoder(s, call, grad);
}
