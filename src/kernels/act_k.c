/* Activations over arrays: the functions of act.h in loops. */
#include "kernels/act.h"
#include "kernels/act_array.h"
#include "kernels/names.h"
#include <math.h>

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
#define KIND(code, word, name, keeps)           \
    case code:                                  \
        eval_kind(code, beta, a, h, d1, d2, n); \
        return;
        LAM_ACTIVATION_LIST(KIND, LAM_NONE)
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

LAM_INLINE void gate_lanes(const real *f, const real *g, real *h, real *s, size_t i, size_t count)
{
    vec sigma = act_sigmoid(load_lanes(g + i, count));
    store_lanes(s + i, sigma, count);
    store_lanes(h + i, load_lanes(f + i, count) * sigma, count);
}

static void gate(const real *f, const real *g, real *h, real *s, size_t n)
{
    size_t i = 0;
    for (; i + LAM_VL <= n; i += LAM_VL)
        gate_lanes(f, g, h, s, i, LAM_VL);
    if (i < n)
        gate_lanes(f, g, h, s, i, n - i);
}

LAM_INLINE void gate_reverse_lanes(const real *gh, const real *h, const real *s, real *gf, real *gg, size_t i, size_t count)
{
    vec of_h = load_lanes(gh + i, count), sigma = load_lanes(s + i, count), value = load_lanes(h + i, count);
    store_lanes(gf + i, of_h * sigma, count);
    store_lanes(gg + i, of_h * value * (vset(1) - sigma), count);
}

static void gate_reverse(const real *gh, const real *h, const real *s, real *gf, real *gg, size_t n)
{
    size_t i = 0;
    for (; i + LAM_VL <= n; i += LAM_VL)
        gate_reverse_lanes(gh, h, s, gf, gg, i, LAM_VL);
    if (i < n)
        gate_reverse_lanes(gh, h, s, gf, gg, i, n - i);
}

/* The largest of a; NaN need not be it, since exp hands it on. */
static real largest(const real *a, size_t n)
{
    real most = a[0], lanes[LAM_VL];
    size_t i = 0;
    vec m = vset(a[0]);
    for (; i + LAM_VL <= n; i += LAM_VL) {
        vec x = load_lanes(a + i, LAM_VL);
        m = vselect(VMASK(x > m), x, m);
    }
    memcpy(lanes, &m, sizeof lanes);
    for (size_t j = 0; j < LAM_VL; j++)
        most = lanes[j] > most ? lanes[j] : most;
    for (; i < n; i++)
        most = a[i] > most ? a[i] : most;
    return most;
}

/* Sums of at most n / lanes terms of at most 1 in the width of the numbers, lanes then in double. */
static double softmax(const real *a, real factor, real *p, size_t n)
{
    real most = largest(a, n), lanes[LAM_VL];
    size_t i = 0;
    vec sums = vset(0);
    double sum = 0;
    for (; i + LAM_VL <= n; i += LAM_VL) {
        vec e = vexp_below(load_lanes(a + i, LAM_VL) - vset(most));
        sums += e;
        store_lanes(p + i, e, LAM_VL);
    }
    if (i < n) {
        store_lanes(p + i, vexp_below(load_lanes(a + i, n - i) - vset(most)), n - i);
        for (size_t j = i; j < n; j++)
            sum += (double)p[j];
    }
    memcpy(lanes, &sums, sizeof lanes);
    for (size_t j = 0; j < LAM_VL; j++)
        sum += (double)lanes[j];
    vec scale = vset((real)((double)factor / sum));
    for (i = 0; i + LAM_VL <= n; i += LAM_VL)
        store_lanes(p + i, scale * load_lanes(p + i, LAM_VL), LAM_VL);
    if (i < n)
        store_lanes(p + i, scale * load_lanes(p + i, n - i), n - i);
    return (double)most + log(sum);
}

const lam_act lam_act_array = {
    .eval = eval,
    .beta = beta_derivatives,
    .sigmoid = sigmoid,
    .gate = gate,
    .gate_reverse = gate_reverse,
    .softmax = softmax,
};
