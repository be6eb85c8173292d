/* Activations over arrays: the functions of act.h in loops. */
#include "kernels/act.h"
#include "kernels/act_array.h"

/* The first count lanes from memory of any alignment, zeros in the rest. */
LAM_INLINE vec load_lanes(const real *p, size_t count)
{
    vec v = vset(0);
    memcpy(&v, p, count * sizeof *p);
    return v;
}

LAM_INLINE void store_lanes(real *p, vec v, size_t count)
{
    if (p != NULL)
        memcpy(p, &v, count * sizeof *p);
}

LAM_INLINE void eval_lanes(int kind, vec beta, const real *a, real *h, real *d1, real *d2, size_t i, size_t count)
{
    vec value, slope, curve;
    act_eval(kind, beta, load_lanes(a + i, count), &value, &slope, &curve);
    store_lanes(h == NULL ? NULL : h + i, value, count);
    store_lanes(d1 == NULL ? NULL : d1 + i, slope, count);
    store_lanes(d2 == NULL ? NULL : d2 + i, curve, count);
}

/* Inlined with constant kind, and NULL for d1 and d2 where they are not wanted: each pair makes a loop of its own. */
LAM_INLINE void eval_loop(int kind, real beta, const real *a, real *h, real *d1, real *d2, size_t n)
{
    const vec b = vset(beta);
    size_t i = 0;
    for (; i + LAM_VL <= n; i += LAM_VL)
        eval_lanes(kind, b, a, h, d1, d2, i, LAM_VL);
    if (i < n)
        eval_lanes(kind, b, a, h, d1, d2, i, n - i);
}

LAM_INLINE void eval_kind(int kind, real beta, const real *a, real *h, real *d1, real *d2, size_t n)
{
    if (d1 == NULL && d2 == NULL)
        eval_loop(kind, beta, a, h, NULL, NULL, n);
    else
        eval_loop(kind, beta, a, h, d1, d2, n);
}

static void eval(int kind, real beta, const real *a, real *h, real *d1, real *d2, size_t n)
{
    switch ((lam_activation)kind) {
#define KIND(name)                                    \
    case name:                                        \
        eval_kind(name, beta, a, h, d1, d2, n);       \
        return;
        KIND(LAM_ACT_TANH)
        KIND(LAM_ACT_SOFTPLUS)
        KIND(LAM_ACT_ELU)
        KIND(LAM_ACT_RELU)
        KIND(LAM_ACT_SWISH)
        KIND(LAM_ACT_SQUARE)
        KIND(LAM_ACT_IDENTITY)
#undef KIND
    }
}

LAM_INLINE void beta_lanes(vec beta, const real *a, real *dh, real *dd1, size_t i, size_t count)
{
    vec dvalue, dslope;
    act_beta(beta, load_lanes(a + i, count), &dvalue, &dslope);
    store_lanes(dh == NULL ? NULL : dh + i, dvalue, count);
    store_lanes(dd1 == NULL ? NULL : dd1 + i, dslope, count);
}

static void beta_derivatives(real beta, const real *a, real *dh, real *dd1, size_t n)
{
    size_t i = 0;
    for (; i + LAM_VL <= n; i += LAM_VL)
        beta_lanes(vset(beta), a, dh, dd1, i, LAM_VL);
    if (i < n)
        beta_lanes(vset(beta), a, dh, dd1, i, n - i);
}

static void sigmoid(const real *a, real *h, size_t n)
{
    size_t i = 0;
    for (; i + LAM_VL <= n; i += LAM_VL)
        store_lanes(h + i, act_sigmoid(load_lanes(a + i, LAM_VL)), LAM_VL);
    if (i < n)
        store_lanes(h + i, act_sigmoid(load_lanes(a + i, n - i)), n - i);
}

const LAM_W(lam_act) LAM_K(lam_act_array) = {
    .eval = eval,
    .beta = beta_derivatives,
    .sigmoid = sigmoid,
};
