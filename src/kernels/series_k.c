/* Activations on Taylor series, one coefficient at a time: the epilogues of products that other kernels have made. */
#include "kernels/act.h"
#include "kernels/tile.h"

/* sigma', sigma'' and sigma''' at a vector, from what the value's pass has left. */
LAM_INLINE void derivatives(const lam_activation kind, const lam_series_call *c, size_t at, vec d[3])
{
    vec h, beta = vset(c->beta);
    d[0] = kind == LAM_ACT_TANH || kind == LAM_ACT_IDENTITY ? vset(1) : vload(c->d1 + at);
    d[1] = d[2] = vset(0);
    switch (kind) {
    case LAM_ACT_TANH:
        h = vload(c->h + at);
        d[0] = vset(1) - h * h;
        d[1] = (h * vset(-2)) * d[0];
        d[2] = (vset(4) - vset(6) * d[0]) * d[0];
        return;
    case LAM_ACT_SOFTPLUS:
        d[1] = d[0] * (vset(1) - d[0]);
        d[2] = d[1] * (vset(1) - (d[0] + d[0]));
        return;
    case LAM_ACT_ELU:
        d[1] = d[2] = vselect(VMASK(vload(c->a0 + at) > vset(0)), vset(0), d[0]);
        return;
    case LAM_ACT_SWISH:
        act_swish(beta, vload(c->a0 + at), NULL, NULL, &d[1]);
        act_swish_third(beta, vload(c->a0 + at), &d[2], NULL);
        return;
    case LAM_ACT_SQUARE:
        d[1] = vset(2);
        return;
    case LAM_ACT_RELU:
    case LAM_ACT_IDENTITY:
        return;
    }
}

/* ---- forward ------------------------------------------------------------------------------------------------------ */

LAM_INLINE void activate(const lam_activation kind, const size_t order, const lam_series_call *c)
{
    size_t rows = c->n, vectors = c->vectors;
    FOR_BLOCK({
        vec d[3], sum;
        derivatives(kind, c, at, d);
        sum = d[0] * vload(c->last + at);
        if (order == 2) {
            vec first = vload(c->first + at);
            sum += (vset((real)0.5) * d[1]) * (first * first);
        }
        vstore(c->out + at, sum);
    })
}

void lam_tile_series_activate(const lam_series_call *c)
{
#define FIRST(code, word, name, keeps) \
    case code: \
        activate(code, 1, c); \
        break;
#define SECOND(code, word, name, keeps) \
    case code: \
        activate(code, 2, c); \
        break;
    if (c->order == 1)
        switch (c->activation) { LAM_ACTIVATION_LIST(FIRST, LAM_NONE) }
    else
        switch (c->activation) { LAM_ACTIVATION_LIST(SECOND, LAM_NONE) }
#undef FIRST
#undef SECOND
}

/* ---- reverse ------------------------------------------------------------------------------------------------------ */

/* to = or += v */
LAM_INLINE void put(int add, real *to, vec v)
{
    vstore(to, add ? vload(to) + v : v);
}

/* sigma'' a_order. Of tanh it is -2 h sigma' a_order, of softplus (1 - sigma') sigma' a_order, and sigma' a_order is what h_order
 * has of it. */
LAM_INLINE vec curve_of_last(const lam_activation kind, const size_t order, const lam_series_call *c, size_t at, const vec d[3])
{
    vec last = vload(c->last + at);
    if (lam_saves_a(kind) || kind == LAM_ACT_IDENTITY)
        return d[1] * last;
    if (order == 2) {
        vec first = vload(c->first + at);
        last -= (vset((real)0.5) * d[1]) * (first * first);
    }
    return (kind == LAM_ACT_TANH ? vset(-2) * vload(c->h + at) : vset(1) - d[0]) * last;
}

/* Derivative by beta of h_order. */
LAM_INLINE vec by_beta(const size_t order, const lam_series_call *c, size_t at)
{
    vec beta = vset(c->beta), a0 = vload(c->a0 + at), dh, dd1, dd2;
    act_beta(beta, a0, &dh, &dd1);
    if (order == 0)
        return dh;
    if (order == 1)
        return dd1 * vload(c->last + at);
    vec first = vload(c->first + at);
    act_swish_third(beta, a0, NULL, &dd2);
    return dd1 * vload(c->last + at) + (vset((real)0.5) * dd2) * (first * first);
}

LAM_INLINE void deactivate(const lam_activation kind, const size_t order, const lam_series_call *c)
{
    size_t rows = c->n, vectors = c->vectors, plane = rows * LAM_TILE;
    const int add = c->add;
    vec beta_sum = vset(0);
    FOR_BLOCK({
        vec d[3], gh = vload(c->gh + at);
        derivatives(kind, c, at, d);
        if (order == 0) {
            put(add, c->g0 + at, d[0] * gh);
        } else if (order == 1) {
            put(add, c->g + at, d[0] * gh);
            put(add, c->g0 + at, curve_of_last(kind, order, c, at, d) * gh);
        } else {
            vec first = vload(c->first + at), curve = curve_of_last(kind, order, c, at, d);
            put(add, c->g + plane + at, d[0] * gh);
            put(add, c->g + at, (d[1] * first) * gh);
            put(add, c->g0 + at, (curve + (vset((real)0.5) * d[2]) * (first * first)) * gh);
        }
        if (kind == LAM_ACT_SWISH)
            beta_sum += by_beta(order, c, at) * gh;
    })
    if (kind == LAM_ACT_SWISH)
        *c->beta_sum += vsum(beta_sum);
}

void lam_tile_series_deactivate(const lam_series_call *c)
{
#define VALUE(code, word, name, keeps) \
    case code: \
        deactivate(code, 0, c); \
        break;
#define FIRST(code, word, name, keeps) \
    case code: \
        deactivate(code, 1, c); \
        break;
#define SECOND(code, word, name, keeps) \
    case code: \
        deactivate(code, 2, c); \
        break;
    if (c->order == 0)
        switch (c->activation) { LAM_ACTIVATION_LIST(VALUE, LAM_NONE) }
    else if (c->order == 1)
        switch (c->activation) { LAM_ACTIVATION_LIST(FIRST, LAM_NONE) }
    else
        switch (c->activation) { LAM_ACTIVATION_LIST(SECOND, LAM_NONE) }
#undef VALUE
#undef FIRST
#undef SECOND
}
