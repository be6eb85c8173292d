/* The gradient of the evidence lower bound: back through decoder, flow, maps and encoder. */
#include "base/error.h"
#include "vae/elbo_inside.h"
#include "vae/planar.h"
#include <math.h>
#include <string.h>

/* Planes [tiles][n][TILE] to rows [rows, n], of this rank's tiles. */
static void from_planes(const lam_batch *b, size_t n, const real *planes, real *rows)
{
    lam_range own = lam_batch_own_rows(b);
    for (size_t row = own.first; row < own.end; row++)
        for (size_t i = 0; i < n; i++)
            rows[row * n + i] = planes[(row / LAM_TILE * n + i) * LAM_TILE + row % LAM_TILE];
}

/* s->g_z of this rank's rows: the cotangent of z_K. */
static lam_status reverse_decoder(lam_elbo *s, const lam_elbo_call *call, real *grad)
{
    size_t at = s->layout->at_decoder, d = s->layout->latent;
    lam_range own = lam_batch_own_rows(&s->nets);
    LAM_TRY(lam_elbo_parts(&s->ranks, &s->nets, &s->batch, grad));
    LAM_TRY(lam_any_net_backward(s->decoder, params_at(call, at), s->logits, lam_elbo_parts_at(&s->ranks, at), s->g_latent));
    for (size_t i = own.first * d; i < own.end * d; i++) /* -log N(z_K) is |z|^2 / 2 */
        s->g_z[i] = (double)s->g_latent[i] + call->beta * s->zk[i] / (double)call->rows;
    return LAM_OK;
}

/* s->g_z of this rank's rows goes from the cotangent of z_K to that of z_0, through planar flows; s->g_am is filled. */
static void reverse_planar(lam_elbo *s, double g_l)
{
    size_t d = s->layout->latent, flows = s->config->blocks, n = s->layout->row_params;
    lam_range own = lam_batch_own_rows(&s->batch), tiles = lam_batch_own_tiles(&s->batch);
    /* lanes past the batch may hold an earlier one's */
    memset(s->g_am[0] + tiles.first * n * LAM_TILE, 0, (tiles.end - tiles.first) * n * LAM_TILE * sizeof(real));
    for (size_t row = own.first; row < own.end; row++) {
        double *g_row = s->row + n;
        real *tile = s->g_am[0] + row / LAM_TILE * n * LAM_TILE + row % LAM_TILE;
        planar_row(s, row, s->row);
        lam_planar_reverse(d, flows, s->row, s->path + row * (flows + 1) * d, -g_l, s->g_z + row * d, g_row);
        for (size_t i = 0; i < n; i++)
            tile[i * LAM_TILE] = (real)g_row[i];
    }
}

/* The same for any posterior. */
static lam_status reverse_flow(lam_elbo *s, const lam_elbo_call *call, real *grad, lam_elbo_terms *terms)
{
    const lam_vae_layout *l = s->layout;
    double g_l = call->beta / (double)call->rows;
    if (l->has_flow) {
        const lam_flow_call flow = flow_call(s, call);
        const lam_flow_gradient to = { grad + l->at_flow, s->g_z, l->maps > 0 ? (real *const *)s->g_am : NULL };
        return lam_engine_reverse(s->engine, &flow, &call->penalty, s->g_z, g_l, &to, &terms->counts);
    }
    if (s->config->posterior == LAM_POSTERIOR_PLANAR)
        reverse_planar(s, g_l);
    return LAM_OK;
}

/* The maps' gradients, and what they ask of the features of this rank's rows. */
static void reverse_maps(lam_elbo *s, const lam_elbo_call *call)
{
    const lam_vae_layout *l = s->layout;
    lam_range tiles = lam_batch_own_tiles(&s->batch);
    size_t plane = LAM_VAE_FEATURES * LAM_TILE;
    if (l->maps == 0)
        return;
    memset(s->g_planes + tiles.first * plane, 0, (tiles.end - tiles.first) * plane * sizeof(real));
    for (size_t i = 0; i < l->maps; i++) {
        size_t at = l->at_maps + i * l->map_size;
        lam_linear_reverse(s->map, &s->batch, params_at(call, at), s->planes, s->g_am[i], lam_elbo_parts_at(&s->ranks, at), s->g_planes);
    }
    from_planes(&s->batch, LAM_VAE_FEATURES, s->g_planes, s->g_maps);
}

/* Cotangents of mu and of the linear map before v, from that of z_0, and on through the encoder, of this rank's rows. */
static lam_status reverse_encoder(lam_elbo *s, const lam_elbo_call *call)
{
    const lam_vae_layout *l = s->layout;
    lam_range own = lam_batch_own_rows(&s->nets);
    size_t first = own.first * l->latent, end = own.end * l->latent;
    double mean = 1 / (double)call->rows;
    for (size_t i = first; i < end; i++)
        s->g_latent[i] = (real)s->g_z[i];
    LAM_TRY(lam_any_net_backward(s->mean, params_at(call, l->at_mean), s->g_latent, lam_elbo_parts_at(&s->ranks, l->at_mean), s->g_feature));
    for (size_t i = first; i < end; i++) { /* z_0 = mu + sqrt(v) e, and -log v / 2 in log q */
        double v = (double)s->v[i], g_v = s->g_z[i] * s->e[i] / (2 * sqrt(v)) - call->beta * mean / (2 * v);
        s->g_latent[i] = (real)(g_v * (double)s->slope[i]); /* v and its slope vanish together: not one by one */
    }
    LAM_TRY(lam_any_net_backward(s->variance, params_at(call, l->at_variance), s->g_latent, lam_elbo_parts_at(&s->ranks, l->at_variance),
        s->g_other));
    for (size_t i = own.first * LAM_VAE_FEATURES; i < own.end * LAM_VAE_FEATURES; i++) {
        s->g_feature[i] += s->g_other[i];
        if (l->maps > 0)
            s->g_feature[i] += s->g_maps[i];
    }
    return lam_any_net_backward(s->encoder, call->params, s->g_feature, lam_elbo_parts_at(&s->ranks, 0), NULL);
}

lam_status lam_elbo_backward(lam_elbo *s, const lam_elbo_call *call, real *grad, lam_elbo_terms *terms)
{
    const lam_vae_layout *l = s->layout;
    const lam_comm *comm = s->options.comm;
    const lam_elbo_column all[] = { { s->g_z, l->latent * sizeof(double) }, { s->g_maps, LAM_VAE_FEATURES * sizeof(real) } };
    if (!s->options.gradients)
        return lam_fail(LAM_ERR_ARGUMENT, "a gradient was asked of an evaluation made without");
    lam_elbo_mark(s, LAM_ELBO_PHASES);
    LAM_TRY(lam_comm_agree(comm, reverse_decoder(s, call, grad)));
    lam_elbo_share(&s->ranks, &s->nets, all, 1);
    lam_elbo_mark(s, LAM_ELBO_DECODER);
    LAM_TRY(reverse_flow(s, call, grad, terms));
    lam_elbo_mark(s, LAM_ELBO_FLOW_REVERSE);
    reverse_maps(s, call);
    lam_elbo_share(&s->ranks, &s->batch, all, l->maps > 0 ? 2 : 1);
    lam_elbo_mark(s, LAM_ELBO_MAPS);
    LAM_TRY(lam_comm_agree(comm, reverse_encoder(s, call)));
    lam_elbo_parts_add(&s->ranks, &s->nets, 0, l->at_maps, grad);
    lam_elbo_parts_add(&s->ranks, &s->batch, l->at_maps, l->maps * l->map_size, grad);
    lam_elbo_parts_add(&s->ranks, &s->nets, l->at_decoder, l->decoder.parameters, grad);
    lam_elbo_mark(s, LAM_ELBO_ENCODER);
    return LAM_OK;
}
