/* The ODE of a block as a system: state (z, l), dz/dt = f, dl/dt = -trace (method.md (1), (2)); and its reverse. */
#include "flow/context.h"
#include "flow/mask.h"
#include <string.h>

size_t lam_cnf_chunk_tangents(const lam_engine *e, size_t chunk)
{
    size_t left = e->tangents - chunk * e->chunk;
    return left < e->chunk ? left : e->chunk;
}

/* Reals of one tangent's seed, of its derivative, and of the cotangent of that. */
static size_t seed_reals(const lam_engine *e)
{
    return e->field.unit_seeds ? LAM_TILE : e->dim * LAM_TILE;
}

void lam_cnf_seeds(const lam_engine *e, size_t tile, size_t chunk, real *record)
{
    size_t plane = e->dim * LAM_TILE, tangents = lam_cnf_chunk_tangents(e, chunk);
    real *seeds = record + plane;
    if (e->options.trace == LAM_TRACE_HUTCHINSON) {
        const real *noise = e->noise + e->noise_block * (e->options.gradients ? e->block : 0)
            + (tile * e->tangents + chunk * e->chunk) * plane;
        memcpy(seeds, noise, tangents * plane * sizeof(real));
        return;
    }
    size_t rows = lam_batch_tile_rows(&e->batch, tile), reals = seed_reals(e);
    memset(seeds, 0, tangents * reals * sizeof(real));
    for (size_t p = 0; p < tangents; p++) {
        size_t line = e->field.unit_seeds ? 0 : chunk * e->chunk + p;
        const real *mask = lam_mask_of(e, tile);
        for (size_t r = 0; r < rows; r++) /* lanes past the batch stay zero: their cotangents vanish */
            seeds[p * reals + line * LAM_TILE + r] = mask != NULL ? mask[(chunk * e->chunk + p) * LAM_TILE + r] : 1;
    }
}

/* Row parameters of a tile for the block in hand; where they lie in the planes of the gradient is the same. */
static size_t row_parameters_at(const lam_engine *e, size_t tile)
{
    return tile * e->layout->field.row_parameters * LAM_TILE;
}

static const real *row_parameters(const lam_engine *e, size_t tile)
{
    return e->am == NULL ? NULL : e->am[e->block] + row_parameters_at(e, tile);
}

static int has_tangent_squares(const lam_engine *e)
{
    for (size_t i = 0; i < e->options.integrands; i++)
        if (e->options.integrand[i]->of == LAM_SQUARE_TANGENTS)
            return 1;
    return 0;
}

/* What does not move has no f, nor derivatives: of these, the trace asks with seeds that are 0 there, and penalties are asked by the
 * whole. */
static void mask_outputs(const lam_engine *e, size_t tile, size_t tangents, int with_value, real *record)
{
    real *f = lam_field_output(&e->field, record);
    if (with_value)
        lam_mask_apply(e, tile, 1, f);
    if (has_tangent_squares(e)) /* these are no unit seeds */
        lam_mask_apply(e, tile, tangents, f + e->dim * LAM_TILE);
}

/* Chunk c of a tile's tangents, the value beside it or not. */
static lam_chunk chunk_of(const lam_engine *e, size_t tile, size_t slot, size_t c, int with_value)
{
    return (lam_chunk) { .slot = slot, .vectors = lam_batch_vectors(&e->batch, tile), .first = c * e->chunk,
        .tangents = lam_cnf_chunk_tangents(e, c), .with_value = with_value, .context = lam_context_lines(e, tile),
        .am = row_parameters(e, tile), .mask = lam_mask_of(e, tile) };
}

static void forward(const lam_engine *e, size_t tile, const lam_chunk *ch, real *record)
{
    lam_field_forward(&e->field, ch, record);
    mask_outputs(e, tile, ch->tangents, ch->with_value, record);
}

/* Factor of the squares in integrand i's own row. */
static double square_factor(const lam_engine *e, size_t i)
{
    const lam_integrand *q = e->options.integrand[i];
    return q->factor / (double)e->dim * (q->of == LAM_SQUARE_TANGENTS ? e->probe_weight : 1);
}

/* Adds the squares of planes to the rows kq [integrands][TILE] of the integrands that are of them. */
static void add_squares(const lam_engine *e, size_t tile, lam_square of, size_t planes, const real *what, real *kq)
{
    const real *shares = lam_mask_shares(e, tile);
    for (size_t i = 0; i < e->options.integrands; i++) {
        _Alignas(64) real sums[LAM_TILE] = { 0 }; /* as vectors are loaded */
        real *to = shares != NULL ? sums : kq + i * LAM_TILE;
        if (e->options.integrand[i]->of != of)
            continue;
        e->kernels->column_dots(planes, what, what, (real)square_factor(e, i), to);
        for (size_t r = 0; shares != NULL && r < LAM_TILE; r++) /* the mean is over what moves */
            kq[i * LAM_TILE + r] += shares[r] * sums[r];
    }
}

/* What they add to the cotangent of such planes: this number times the planes. */
static double square_cotangent(const lam_engine *e, lam_square of, double quadrature)
{
    double sum = 0;
    for (size_t i = 0; i < e->options.integrands; i++)
        if (e->options.integrand[i]->of == of)
            sum += 2 * square_factor(e, i) * e->cotangent_integral[i] * quadrature;
    return sum;
}

/* The coefficients that a square of the series is of, one after the other. */
static lam_square series_square(size_t order)
{
    return order == 1 ? LAM_SQUARE_F_1 : LAM_SQUARE_F_2;
}

static void add_series(const lam_engine *e, size_t tile, size_t slot, real *kq, real *record)
{
    const lam_chunk ch = chunk_of(e, tile, slot, 0, 1);
    lam_series_forward(&e->series, &ch, record);
    const real *f = lam_series_output(&e->series, record);
    for (size_t i = 1; i <= e->series.orders; i++, f += e->dim * LAM_TILE)
        add_squares(e, tile, series_square(i), e->dim, f, kq);
}

static void eval(void *self, const lam_stage *at, const real *y, real *k)
{
    lam_engine *e = self;
    size_t tile = at->tile, slot = at->slot, plane = e->dim * LAM_TILE;
    real *record = at->record;
    memcpy(record, y, plane * sizeof(real));
    real *f = lam_field_output(&e->field, record), *kl = k + plane;
    memset(kl, 0, (e->rows - e->dim) * LAM_TILE * sizeof(real));
    if (e->options.trace == LAM_TRACE_NONE || e->apart) {
        lam_chunk value = chunk_of(e, tile, slot, 0, 1);
        value.tangents = 0;
        forward(e, tile, &value, record);
        memcpy(k, f, plane * sizeof(real));
        return;
    }
    for (size_t c = 0; c < e->chunks; c++) {
        const lam_chunk ch = chunk_of(e, tile, slot, c, c == 0);
        lam_cnf_seeds(e, tile, c, record);
        forward(e, tile, &ch, record);
        e->kernels->column_dots(ch.tangents * seed_reals(e) / LAM_TILE, record + plane, f + plane, (real)-e->probe_weight, kl);
        add_squares(e, tile, LAM_SQUARE_TANGENTS, ch.tangents * e->dim, f + plane, kl + LAM_TILE);
    }
    add_squares(e, tile, LAM_SQUARE_F, e->dim, f, kl + LAM_TILE);
    if (e->series.orders > 0)
        add_series(e, tile, slot, kl + LAM_TILE, record);
    memcpy(k, f, plane * sizeof(real));
}

static void prepare(void *self, size_t slot, real t)
{
    lam_engine *e = self;
    lam_field_prepare(&e->field, slot, t);
    if (e->series.orders > 0)
        lam_series_prepare(&e->series, &e->field, slot);
}

/* The row parameters' gradient over the products that wait: a step's, or a chunk's whose record the next one takes. */
static void collect(lam_engine *e, size_t tile, size_t thread)
{
    if (e->g_am == NULL) {
        e->vjps[thread].count = 0;
        return;
    }
    lam_amortised_collect(&e->amortised, &e->vjps[thread], lam_batch_vectors(&e->batch, tile), e->g_am_begun[tile],
        e->g_am + row_parameters_at(e, tile));
    e->g_am_begun[tile] = 1;
}

/* series: the reverse of the series came before. */
static void reverse(lam_engine *e, size_t tile, size_t thread, int series, lam_chunk *ch, real *record, real *sums, real *gz)
{
    ch->first_chunk = ch->first == 0 && !series;
    ch->extra = series && ch->first == 0 ? e->series.orders : 0;
    ch->g_context = lam_context_cotangent(e, tile);
    lam_field_reverse(&e->field, ch, record, e->scratch[thread], sums, gz);
    if (e->am != NULL && (e->chunks > 1 || e->g_am == NULL))
        collect(e, tile, thread);
}

/* The reverse of the penalties on f's coefficients along the path; 0 if nothing asks for it. */
static int reverse_series(const lam_engine *e, size_t tile, const lam_chunk *ch, double quadrature, const real *record, real *scratch,
    real *sums)
{
    const lam_field_series *s = &e->series;
    real factor[LAM_MAX_SERIES];
    int any = 0;
    for (size_t i = 0; i < s->orders; i++)
        any |= (factor[i] = (real)square_cotangent(e, series_square(i + 1), quadrature)) != 0;
    if (!any)
        return 0;
    real *g = lam_series_cotangent(s, ch, scratch);
    const real *f = record + s->record_h[e->layout->field.layers - 1];
    for (size_t i = 0; i < s->orders; i++, g += e->dim * LAM_TILE, f += e->dim * LAM_TILE) {
        e->kernels->combine(e->dim * LAM_TILE, g, NULL, 1, &factor[i], &f);
        lam_mask_scale(lam_mask_shares(e, tile), e->dim, g);
        lam_engine_clear_past(e, tile, e->dim, g); /* where f is not zero */
    }
    lam_series_reverse(s, ch, record, scratch, sums);
    return 1;
}

/* g [dim][TILE] = cotangent of f: gk, and the penalties'. */
static void value_cotangent(const lam_engine *e, size_t tile, const real *f, const real *gk, double quadrature, real *g)
{
    size_t plane = e->dim * LAM_TILE;
    const real factor = (real)square_cotangent(e, LAM_SQUARE_F, quadrature);
    const real *shares = lam_mask_shares(e, tile);
    memcpy(g, gk, plane * sizeof(real));
    lam_mask_apply(e, tile, 1, g);
    if (factor == 0)
        return;
    for (size_t i = 0; shares != NULL && i < plane; i += LAM_TILE)
        for (size_t r = 0; r < LAM_TILE; r++)
            g[i + r] += factor * shares[r] * f[i + r];
    if (shares == NULL)
        e->kernels->combine(plane, g, g, 1, &factor, &f);
    lam_engine_clear_past(e, tile, e->dim, g); /* where f is not zero */
}

/* to [dim][TILE] += what. */
static void add_to(const lam_engine *e, const real *what, real *to)
{
    const real one = 1;
    e->kernels->combine(e->dim * LAM_TILE, to, to, 1, &one, &what);
}

/* The same where penalties are means over what moves. */
static void shared_tangent_cotangents(const lam_engine *e, size_t reals, const real factor[2], const real *const term[2],
    const real *shares, const real *gl, real *g)
{
    const real weight = (real)-e->probe_weight;
    for (size_t i = 0; i < reals; i += LAM_TILE)
        for (size_t r = 0; r < LAM_TILE; r++)
            g[i + r] = (e->options.l_observed ? weight * gl[r] : factor[0]) * term[0][i + r] + factor[1] * shares[r] * term[1][i + r];
}

/* g = cotangents of the tangents' outputs: seeds times that of the trace, which is one number or, with l_observed, a lane's own
 * in gl [TILE]; and the penalties' on J e. */
static void tangent_cotangents(const lam_engine *e, size_t tile, size_t tangents, const real *seeds, const real *outputs, const real *gl,
    double quadrature, real *g)
{
    size_t reals = tangents * seed_reals(e);
    const real factor[2] = { (real)(-e->probe_weight * quadrature * e->cotangent_l),
        (real)square_cotangent(e, LAM_SQUARE_TANGENTS, quadrature) };
    const real *term[2] = { seeds, outputs };
    const real *shares = lam_mask_shares(e, tile);
    size_t terms = factor[1] != 0 ? 2 : 1;
    if (terms == 2 && shares != NULL) {
        shared_tangent_cotangents(e, reals, factor, term, shares, gl, g);
        return;
    }
    if (!e->options.l_observed) {
        e->kernels->combine(reals, g, NULL, terms, factor, term);
        return;
    }
    const real weight = (real)-e->probe_weight;
    for (size_t i = 0; i < reals; i += LAM_TILE)
        for (size_t r = 0; r < LAM_TILE; r++)
            g[i + r] = weight * gl[r] * seeds[i + r];
    if (terms == 2)
        e->kernels->combine(reals, g, g, 1, factor + 1, term + 1);
}

void lam_cnf_vjp(lam_engine *e, const lam_stage *at, const real *gk, double quadrature, real *sums, real *gz)
{
    size_t tile = at->tile, thread = at->thread, slot = at->slot, plane = e->dim * LAM_TILE;
    real *record = at->record, *scratch = e->scratch[thread];
    lam_chunk ch = chunk_of(e, tile, slot, 0, 0);
    lam_vjps *vjps = ch.vjps = e->am != NULL ? &e->vjps[thread] : NULL;
    real *g = lam_field_cotangent(&e->field, &ch, scratch);
    const real *f = lam_field_output(&e->field, record);
    int series = e->series.orders > 0 && reverse_series(e, tile, &ch, quadrature, record, scratch, sums);
    for (size_t c = 0; c < e->chunks; c++) {
        int last = c + 1 == e->chunks;
        ch = chunk_of(e, tile, slot, c, 0);
        if (e->chunks > 1) { /* the record holds the last chunk only */
            lam_cnf_seeds(e, tile, c, record);
            forward(e, tile, &ch, record);
        }
        ch.with_value = last;
        ch.vjps = vjps;
        if (last)
            value_cotangent(e, tile, f, gk, quadrature, g);
        if (last && series) {
            add_to(e, scratch + e->series.scratch_f0, g);
            lam_mask_apply(e, tile, 1, g); /* z_1 is f_0 where it moves */
        }
        tangent_cotangents(e, tile, ch.tangents, record + plane, f + plane, gk + plane, quadrature, g + plane);
        reverse(e, tile, thread, series, &ch, record, sums, gz);
    }
    if (series && e->series.has_matrices)
        add_to(e, scratch + e->series.scratch_z, gz);
    if (e->options.l_observed) /* f does not depend on l */
        memset(gz + plane, 0, LAM_TILE * sizeof(real));
}

static void vjp(void *self, const lam_stage *at, const real *gk, double quadrature, real *gz)
{
    lam_engine *e = self;
    lam_cnf_vjp(e, at, gk, quadrature, e->sums[at->group], gz);
}

static void step_reversed(void *self, size_t tile, size_t thread)
{
    collect(self, tile, thread);
}

void lam_cnf_system(lam_engine *e, int error_z_only, lam_system *s)
{
    memset(s, 0, sizeof *s);
    s->self = e;
    s->rows = e->rows;
    s->z_rows = e->g_rows;
    s->record_size = e->field.record_size;
    s->parts = 1;
    s->part[0].count = e->dim;
    s->entries = lam_mask_entries(e);
    if (e->options.trace != LAM_TRACE_NONE && !error_z_only) {
        s->parts = 2;
        s->part[1].first = e->dim;
        s->part[1].count = 1;
    }
    s->prepare = prepare;
    s->eval = eval;
    s->vjp = vjp;
    if (e->am != NULL && e->chunks == 1)
        s->step_reversed = step_reversed;
}
