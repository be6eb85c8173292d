/* Layer forward and data gradient on one tile: matrix products with the activation and its derivatives as the epilogue of
 * each panel, while the panel is still in the first-level cache. */
#include "kernels/vec.h"
#include "kernels/act.h"
#include "kernels/kernels.h"
#include "kernels/tile.h"

/* out[o][v] = sum_k w[k][o] x[k][v] for mr outputs and cv vectors; mr and cv are constants at every call. */
LAM_INLINE void micro(const int mr, const int cv, size_t depth, const real *restrict w, const real *restrict x,
    real *restrict out)
{
    vec acc[LAM_PANEL][LAM_CV];
#pragma GCC unroll 6
    for (int o = 0; o < mr; o++)
#pragma GCC unroll 4
        for (int v = 0; v < cv; v++)
            acc[o][v] = vset(0);
    for (size_t k = 0; k < depth; k++) {
        vec xv[LAM_CV];
#pragma GCC unroll 4
        for (int v = 0; v < cv; v++)
            xv[v] = vload(x + k * LAM_TILE + (size_t)v * LAM_VL);
#pragma GCC unroll 6
        for (int o = 0; o < mr; o++) {
            vec wo = vset(w[k * (size_t)mr + (size_t)o]);
#pragma GCC unroll 4
            for (int v = 0; v < cv; v++)
                acc[o][v] = vfma(wo, xv[v], acc[o][v]);
        }
    }
#pragma GCC unroll 6
    for (int o = 0; o < mr; o++)
#pragma GCC unroll 4
        for (int v = 0; v < cv; v++)
            vstore(out + (size_t)o * LAM_TILE + (size_t)v * LAM_VL, acc[o][v]);
}

#define MICRO_CASE(mr, cv)                     \
    case (mr) * 8 + (cv):                      \
        micro(mr, cv, depth, w, x, out);       \
        break;
#if LAM_CV == 4
#define MICRO_ROW(mr) MICRO_CASE(mr, 1) MICRO_CASE(mr, 2) MICRO_CASE(mr, 3) MICRO_CASE(mr, 4)
#elif LAM_CV == 2
#define MICRO_ROW(mr) MICRO_CASE(mr, 1) MICRO_CASE(mr, 2)
#else
#define MICRO_ROW(mr) MICRO_CASE(mr, 1)
#endif

/* One panel of mr outputs over all vectors in use. */
static void panel(int mr, size_t vectors, size_t depth, const real *w, const real *tile, real *tile_out)
{
    for (size_t v0 = 0; v0 < vectors; v0 += LAM_CV) {
        int cv = vectors - v0 < LAM_CV ? (int)(vectors - v0) : LAM_CV;
        const real *x = tile + v0 * LAM_VL;
        real *out = tile_out + v0 * LAM_VL;
        switch (mr * 8 + cv) {
            MICRO_ROW(1)
            MICRO_ROW(2)
            MICRO_ROW(3)
            MICRO_ROW(4)
            MICRO_ROW(5)
            MICRO_ROW(6)
        }
    }
}

/* What a panel comes to for a unit vector: w [mr], its feature's weights, times unit [TILE]. */
static void unit_panel(size_t mr, size_t vectors, const real *w, const real *unit, real *tile_out)
{
    for (size_t o = 0; o < mr; o++)
        for (size_t at = 0; at < vectors * LAM_VL; at += LAM_VL)
            vstore(tile_out + o * LAM_TILE + at, vset(w[o]) * vload(unit + at));
}

/* Lines of an epilogue that come from further away than the first-level cache, on their way while a panel is computed. */
static void prefetch(size_t rows, const real *lines, size_t o0)
{
    if (lines == NULL)
        return;
    const char *at = (const char *)(lines + o0 * LAM_TILE);
    for (size_t byte = 0; byte < rows * LAM_TILE * sizeof(real); byte += 64)
        __builtin_prefetch(at + byte);
}

/* ---- forward epilogue --------------------------------------------------------------------------------------------- */

LAM_INLINE void activate(const lam_activation kind, const lam_forward *c, size_t rows, size_t o0)
{
    size_t vectors = c->vectors, at0 = o0 * LAM_TILE, plane = c->out * LAM_TILE;
    real *h = c->h + at0;
    real *d1 = lam_saves_d1(kind) ? c->d1 + at0 : NULL;
    vec beta = vset(c->beta);
    if (c->with_value) {
        real *a = c->a != NULL ? c->a + at0 : NULL;
        const real *own = c->row_shift != NULL ? c->row_shift + at0 : NULL;
        FOR_BLOCK({
            vec shift = vset(c->shift[o0 + row]), acc = vload(h + at);
            vec pre = c->scale != NULL ? vset(c->scale[o0 + row]) * acc + shift : acc + shift, value, slope;
            if (own != NULL)
                pre += vload(own + at);
            if (a != NULL)
                vstore(a + at, pre);
            act_eval((int)kind, beta, pre, &value, lam_saves_d1(kind) ? &slope : NULL, NULL);
            vstore(h + at, value);
            if (lam_saves_d1(kind))
                vstore(d1 + at, slope);
        })
    }
    for (size_t p = 1; p <= c->tangents; p++) {
        real *dh = h + p * plane;
        real *da = c->a != NULL ? c->a + p * plane + at0 : NULL;
        FOR_BLOCK({
            vec pre = vload(dh + at);
            if (c->scale != NULL)
                pre *= vset(c->scale[o0 + row]);
            if (da != NULL)
                vstore(da + at, pre);
            if (kind == LAM_ACT_TANH) {
                vec value = vload(h + at);
                vstore(dh + at, pre - value * value * pre);
            } else if (kind != LAM_ACT_IDENTITY) {
                vstore(dh + at, vload(d1 + at) * pre);
            } else if (c->scale != NULL) {
                vstore(dh + at, pre);
            }
        })
    }
}

void lam_tile_forward(const lam_forward *c)
{
    size_t plane_in = c->in * LAM_TILE, plane_out = c->out * LAM_TILE;
    for (size_t o0 = 0; o0 < c->out; o0 += LAM_PANEL) {
        size_t rows = c->out - o0 < LAM_PANEL ? c->out - o0 : LAM_PANEL;
        const real *w = c->weight + o0 * c->in;
        real *h = c->h + o0 * LAM_TILE;
        if (c->with_value)
            prefetch(rows, c->row_shift, o0);
        for (size_t p = c->with_value ? 0 : 1; p <= (c->unit == NULL ? c->tangents : 0); p++)
            panel((int)rows, c->vectors, c->in, w, c->x + p * plane_in, h + p * plane_out);
        for (size_t p = 0; c->unit != NULL && p < c->tangents; p++)
            unit_panel(rows, c->vectors, w + (c->unit_first + p) * rows, c->unit + p * LAM_TILE, h + (p + 1) * plane_out);
#define ACTIVATE(code, word, name, keeps) \
    case code: \
        activate(code, c, rows, o0); \
        break;
        switch (c->activation) { LAM_ACTIVATION_LIST(ACTIVATE, LAM_NONE) }
#undef ACTIVATE
    }
}

/* ---- reverse epilogue --------------------------------------------------------------------------------------------- */

/* The value's turn: cross [rows][TILE] has the sums of sigma'' a' gh', to which sigma' gh is added. Returns beta_sum with what the values add. */
LAM_INLINE vec deactivate_value(const lam_activation kind, const lam_backward *c, size_t rows, size_t at0, const real *value, vec beta_sum)
{
    size_t vectors = c->vectors;
    const real *h = c->h != NULL ? c->h + at0 : NULL;
    const real *d1 = lam_saves_d1(kind) ? c->d1 + at0 : NULL;
    const real *a = lam_saves_a(kind) ? c->a + at0 : NULL;
    real *cross = c->below + at0, *shift = c->g_row_shift != NULL ? c->g_row_shift + at0 : NULL;
    vec beta = vset(c->beta);
    FOR_BLOCK({
        vec gv = vload(value + at), sum = vload(cross + at);
        if (kind == LAM_ACT_TANH) {
            vec hv = vload(h + at);
            sum += gv - hv * hv * gv;
        } else if (kind == LAM_ACT_IDENTITY) {
            sum += gv;
        } else {
            sum += vload(d1 + at) * gv;
            if (kind == LAM_ACT_SWISH) {
                vec dvalue;
                vec dslope;
                act_beta(beta, vload(a + at), &dvalue, &dslope);
                beta_sum += dvalue * gv;
            }
        }
        vstore(cross + at, sum);
        if (shift != NULL)
            vstore(shift + at, vload(shift + at) + sum);
    })
    return beta_sum;
}

/* below holds gh (plane 0, when with_value) and gh' (planes 1..P) in rows [0, rows) from o0; tangents are turned first, their
 * sigma'' a' gh' going to `cross`, which the value picks up. */
LAM_INLINE void deactivate(const lam_activation kind, const lam_backward *c, size_t rows, size_t o0, const real *value)
{
    size_t vectors = c->vectors, at0 = o0 * LAM_TILE, plane = c->in * LAM_TILE;
    const real *h = c->h != NULL ? c->h + at0 : NULL;
    const real *d1 = lam_saves_d1(kind) ? c->d1 + at0 : NULL;
    const real *a = lam_saves_a(kind) ? c->a + at0 : NULL;
    real *cross = c->below + at0; /* plane 0: sums of sigma'' a' gh' until the value's turn */
    vec beta = vset(c->beta), beta_sum = vset(0);
    if (c->first_chunk)
        FOR_BLOCK(vstore(cross + at, vset(0));)
    for (size_t p = 1; p <= c->tangents; p++) {
        real *g = c->below + p * plane + at0;
        const real *dh = h + p * plane;
        const real *da = lam_saves_a(kind) ? a + p * plane : NULL;
        FOR_BLOCK({
            vec gt = vload(g + at);
            if (kind == LAM_ACT_TANH) { /* sigma' = 1 - h^2, sigma'' a' = -2 h h' */
                vec hv = vload(h + at);
                vstore(cross + at, vload(cross + at) - (hv + hv) * vload(dh + at) * gt);
                vstore(g + at, gt - hv * hv * gt);
            } else if (kind == LAM_ACT_SOFTPLUS) { /* sigma'' a' = (1 - sigma') h' */
                vec slope = vload(d1 + at);
                vstore(cross + at, vload(cross + at) + (vset(1) - slope) * vload(dh + at) * gt);
                vstore(g + at, slope * gt);
            } else if (kind != LAM_ACT_IDENTITY) {
                vec slope;
                vec curve;
                vec pre = vload(da + at);
                act_eval((int)kind, beta, vload(a + at), NULL, &slope, &curve);
                vstore(cross + at, vload(cross + at) + curve * pre * gt);
                if (kind == LAM_ACT_SWISH) {
                    vec dvalue;
                    vec dslope;
                    act_beta(beta, vload(a + at), &dvalue, &dslope);
                    beta_sum += dslope * pre * gt;
                }
                vstore(g + at, slope * gt);
            }
        })
    }
    if (c->with_value)
        beta_sum = deactivate_value(kind, c, rows, at0, value, beta_sum);
    if (kind == LAM_ACT_SWISH)
        *c->beta_sum += vsum(beta_sum);
}

void lam_tile_backward(const lam_backward *c)
{
    size_t plane_in = c->in * LAM_TILE, plane_out = c->out * LAM_TILE;
    real value[LAM_PANEL * LAM_TILE] __attribute__((aligned(64)));
    for (size_t o0 = 0; o0 < c->in; o0 += LAM_PANEL) {
        size_t rows = c->in - o0 < LAM_PANEL ? c->in - o0 : LAM_PANEL;
        const real *w = c->weight_t + o0 * c->out;
        if (c->with_value) {
            prefetch(rows, c->g_row_shift, o0);
            panel((int)rows, c->vectors, c->out, w, c->g, value);
        }
        real *below = c->below + o0 * LAM_TILE;
        for (size_t p = 1; c->unit == NULL && p <= c->tangents; p++)
            panel((int)rows, c->vectors, c->out, w, c->g + p * plane_out, below + p * plane_in);
        for (size_t p = 0; c->unit != NULL && p < c->tangents; p++)
            unit_panel(rows, c->vectors, w + (c->unit_first + p) * rows, c->unit + p * LAM_TILE, below + (p + 1) * plane_in);
#define DEACTIVATE(code, word, name, keeps) \
    case code: \
        deactivate(code, c, rows, o0, value); \
        break;
        switch (c->activation) { LAM_ACTIVATION_LIST(DEACTIVATE, LAM_NONE) }
#undef DEACTIVATE
    }
}

/* ---- the epilogues alone ------------------------------------------------------------------------------------------ */

void lam_tile_activate(const lam_forward *c)
{
#define ACTIVATE(code, word, name, keeps) \
    case code: \
        activate(code, c, c->out, 0); \
        break;
    switch (c->activation) { LAM_ACTIVATION_LIST(ACTIVATE, LAM_NONE) }
#undef ACTIVATE
}

void lam_tile_deactivate(const lam_backward *c, const real *value)
{
#define DEACTIVATE(code, word, name, keeps) \
    case code: \
        deactivate(code, c, c->in, 0, value); \
        break;
    switch (c->activation) { LAM_ACTIVATION_LIST(DEACTIVATE, LAM_NONE) }
#undef DEACTIVATE
}

/* ---- one output ----------------------------------------------------------------------------------------------------- */

/* y[v] = sum_i w[i * stride] x[i][v] for cv vectors */
LAM_INLINE void one_output(const int cv, size_t depth, const real *restrict w, size_t stride, const real *restrict x,
    real *restrict y)
{
    vec acc[4];
#pragma GCC unroll 4
    for (int v = 0; v < cv; v++)
        acc[v] = vset(0);
    for (size_t i = 0; i < depth; i++)
#pragma GCC unroll 4
        for (int v = 0; v < cv; v++)
            acc[v] = vfma(vset(w[i * stride]), vload(x + i * LAM_TILE + (size_t)v * LAM_VL), acc[v]);
#pragma GCC unroll 4
    for (int v = 0; v < cv; v++)
        vstore(y + (size_t)v * LAM_VL, acc[v]);
}

void lam_tile_diagonal(size_t in, size_t out, size_t vectors, size_t first, size_t planes, const real *weight, const real *x,
    real *y)
{
    for (size_t p = 0; p < planes; p++) {
        size_t o0 = (first + p) / LAM_PANEL * LAM_PANEL, rows = out - o0 < LAM_PANEL ? out - o0 : LAM_PANEL;
        const real *w = weight + o0 * in + (first + p - o0), *plane = x + p * in * LAM_TILE;
        size_t v = 0;
        for (; v + 4 <= vectors; v += 4)
            one_output(4, in, w, rows, plane + v * LAM_VL, y + p * LAM_TILE + v * LAM_VL);
        for (; v < vectors; v++)
            one_output(1, in, w, rows, plane + v * LAM_VL, y + p * LAM_TILE + v * LAM_VL);
    }
}

/* ---- packing ------------------------------------------------------------------------------------------------------- */

typedef real quad __attribute__((vector_size(4 * sizeof(real)), aligned(sizeof(real)), may_alias));
_Static_assert(LAM_PANEL == 6, "pack_rows turns six rows");

/* A whole panel whose rows lie `stride` apart, each without gaps: four columns at a time. */
static void pack_rows(size_t in, const real *w, size_t stride, real *packed)
{
    size_t i = 0;
    for (; i + 4 <= in; i += 4, packed += 4 * LAM_PANEL) {
        quad r[LAM_PANEL], *to = (quad *)packed;
#pragma GCC unroll 6
        for (size_t o = 0; o < LAM_PANEL; o++)
            r[o] = *(const quad *)(w + o * stride + i);
        quad ab = __builtin_shufflevector(r[0], r[1], 0, 4, 1, 5), ab2 = __builtin_shufflevector(r[0], r[1], 2, 6, 3, 7);
        quad cd = __builtin_shufflevector(r[2], r[3], 0, 4, 1, 5), cd2 = __builtin_shufflevector(r[2], r[3], 2, 6, 3, 7);
        quad ef = __builtin_shufflevector(r[4], r[5], 0, 4, 1, 5), ef2 = __builtin_shufflevector(r[4], r[5], 2, 6, 3, 7);
        to[0] = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
        to[1] = __builtin_shufflevector(ef, ab, 0, 1, 6, 7);
        to[2] = __builtin_shufflevector(cd, ef, 2, 3, 6, 7);
        to[3] = __builtin_shufflevector(ab2, cd2, 0, 1, 4, 5);
        to[4] = __builtin_shufflevector(ef2, ab2, 0, 1, 6, 7);
        to[5] = __builtin_shufflevector(cd2, ef2, 2, 3, 6, 7);
    }
    for (; i < in; i++)
        for (size_t o = 0; o < LAM_PANEL; o++)
            *packed++ = w[o * stride + i];
}

/* A whole panel whose columns lie `stride` apart, each without gaps. */
static void pack_columns(size_t in, const real *w, size_t stride, real *packed)
{
    for (size_t i = 0; i < in; i++, packed += LAM_PANEL)
        memcpy(packed, w + i * stride, LAM_PANEL * sizeof *packed);
}

void lam_tile_pack(size_t out, size_t in, const real *w, size_t stride_out, size_t stride_in, real *packed)
{
    for (size_t o0 = 0; o0 < out; o0 += LAM_PANEL) {
        size_t rows = out - o0 < LAM_PANEL ? out - o0 : LAM_PANEL;
        const real *panel_w = w + o0 * stride_out;
        if (rows == LAM_PANEL && stride_in == 1) {
            pack_rows(in, panel_w, stride_out, packed);
        } else if (rows == LAM_PANEL && stride_out == 1) {
            pack_columns(in, panel_w, stride_in, packed);
        } else {
            for (size_t i = 0; i < in; i++)
                for (size_t o = 0; o < rows; o++)
                    packed[i * rows + o] = panel_w[o * stride_out + i * stride_in];
        }
        packed += rows * in;
    }
}
