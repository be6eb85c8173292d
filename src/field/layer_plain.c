#include "field/layer_plain.h"
#include <math.h>
#include <string.h>

static double sigmoid(double a)
{
    return 1 / (1 + exp(-a));
}

/* ---- activations -------------------------------------------------------------------------------------------------- */

lam_plain_act lam_act_plain(lam_activation activation, double beta, double a)
{
    double s = sigmoid(beta * a), slope = s * (1 - s);
    switch (activation) {
    case LAM_ACT_TANH:
        return (lam_plain_act) { tanh(a), 1 - tanh(a) * tanh(a), -2 * tanh(a) * (1 - tanh(a) * tanh(a)), 0, 0 };
    case LAM_ACT_SOFTPLUS:
        return (lam_plain_act) { fmax(a, 0) + log1p(exp(-fabs(a))), sigmoid(a), sigmoid(a) * (1 - sigmoid(a)), 0, 0 };
    case LAM_ACT_ELU:
        return a > 0 ? (lam_plain_act) { a, 1, 0, 0, 0 } : (lam_plain_act) { expm1(a), exp(a), exp(a), 0, 0 };
    case LAM_ACT_RELU:
        return a > 0 ? (lam_plain_act) { a, 1, 0, 0, 0 } : (lam_plain_act) { 0, 0, 0, 0, 0 };
    case LAM_ACT_SWISH: /* a s(beta a) */
        return (lam_plain_act) { a * s, s + beta * a * slope, beta * slope * (2 + beta * a * (1 - 2 * s)), a * a * slope,
            a * slope * (2 + beta * a * (1 - 2 * s)) };
    case LAM_ACT_SQUARE:
        return (lam_plain_act) { a * a, 2 * a, 2, 0, 0 };
    case LAM_ACT_IDENTITY:
        break;
    }
    return (lam_plain_act) { a, 1, 0, 0, 0 };
}

/* ---- a layer ------------------------------------------------------------------------------------------------------ */

static double phi_of(const lam_field_layer *l, const double *p, double t, size_t j)
{
    if (l->is_blend)
        return j == 0 ? 1 - t : t;
    return l->is_hyper && j < LAM_HYPER_UNITS ? tanh(p[l->v1 + j] * t + p[l->c1 + j]) : 1;
}

static double gate_of(const lam_field_layer *l, const double *p, double t, size_t o)
{
    return l->has_gate ? sigmoid(p[l->g + o] * t + p[l->c + o]) : 1;
}

/* Output o of W_j h, and with the bias. */
static double product(const lam_basis *b, size_t in, const double *p, size_t o, const double *h)
{
    double sum = 0;
    for (size_t i = 0; i < in; i++)
        sum += p[b->w + o * b->stride_out + i * b->stride_in] * h[i];
    return sum;
}

static double affine(const lam_basis *b, size_t in, const double *p, size_t o, const double *h)
{
    return product(b, in, p, o, h) + p[b->b + o * b->stride_b];
}

void lam_layer_plain(const lam_field_layer *l, const double *p, double t, const double *h, const double *dh, double *a, double *da)
{
    for (size_t o = 0; o < l->out; o++) {
        double value = 0, derivative = 0, s = gate_of(l, p, t, o);
        for (size_t j = 0; j < l->bases; j++) {
            value += a != NULL ? phi_of(l, p, t, j) * affine(&l->basis[j], l->in, p, o, h) : 0;
            derivative += da != NULL ? phi_of(l, p, t, j) * product(&l->basis[j], l->in, p, o, dh) : 0;
        }
        if (a != NULL)
            a[o] = s * value + (l->has_u ? p[l->u + o * l->stride_u] * t : 0);
        if (da != NULL)
            da[o] = s * derivative;
    }
}

/* Output o's part of the reverse. */
static void reverse_output(const lam_field_layer *l, const double *p, double t, const double *h, const double *dh, size_t o, double g,
    double dg, double *gh, double *gdh, double *grad)
{
    double s = gate_of(l, p, t, o), sum = 0;
    for (size_t j = 0; j < l->bases; j++) {
        const lam_basis *b = &l->basis[j];
        double phi = phi_of(l, p, t, j), by_phi = s * (g * affine(b, l->in, p, o, h) + dg * product(b, l->in, p, o, dh));
        sum += phi * (g * affine(b, l->in, p, o, h) + dg * product(b, l->in, p, o, dh));
        for (size_t i = 0; i < l->in; i++) {
            size_t w = b->w + o * b->stride_out + i * b->stride_in;
            grad[w] += s * phi * (g * h[i] + dg * dh[i]);
            gh[i] += s * phi * p[w] * g;
            gdh[i] += s * phi * p[w] * dg;
        }
        grad[b->b + o * b->stride_b] += s * phi * g;
        if (l->is_hyper && j < LAM_HYPER_UNITS) {
            grad[l->v1 + j] += by_phi * (1 - phi * phi) * t;
            grad[l->c1 + j] += by_phi * (1 - phi * phi);
        }
    }
    if (l->has_u)
        grad[l->u + o * l->stride_u] += t * g;
    if (l->has_gate) {
        grad[l->g + o] += s * (1 - s) * sum * t;
        grad[l->c + o] += s * (1 - s) * sum;
    }
}

void lam_layer_plain_reverse(const lam_field_layer *l, const double *p, double t, const double *h, const double *dh, const double *g,
    const double *dg, double *gh, double *gdh, double *grad)
{
    memset(gh, 0, l->in * sizeof *gh);
    memset(gdh, 0, l->in * sizeof *gdh);
    for (size_t o = 0; o < l->out; o++)
        reverse_output(l, p, t, h, dh, o, g[o], dg[o], gh, gdh, grad);
}

/* ---- a field ------------------------------------------------------------------------------------------------------ */

/* Inputs of the layers and their pre-activations, with their derivatives. */
typedef struct plain_pass {
    double h[LAM_MAX_LAYERS + 1][LAM_PLAIN_WIDEST], dh[LAM_MAX_LAYERS + 1][LAM_PLAIN_WIDEST];
    double a[LAM_MAX_LAYERS][LAM_PLAIN_WIDEST], da[LAM_MAX_LAYERS][LAM_PLAIN_WIDEST];
} plain_pass;

static lam_activation activation_of(const lam_field_shape *s, size_t k)
{
    return k + 1 < s->layers ? s->activation : LAM_ACT_IDENTITY;
}

static void run(const lam_field_shape *s, const double *p, double beta, double t, const double *z, const double *e, plain_pass *pass)
{
    memcpy(pass->h[0], z, s->dim * sizeof *z);
    memcpy(pass->dh[0], e, s->dim * sizeof *e);
    for (size_t k = 0; k < s->layers; k++) {
        lam_layer_plain(&s->layer[k], p, t, pass->h[k], pass->dh[k], pass->a[k], pass->da[k]);
        for (size_t o = 0; o < s->layer[k].out; o++) {
            lam_plain_act act = lam_act_plain(activation_of(s, k), beta, pass->a[k][o]);
            pass->h[k + 1][o] = act.value;
            pass->dh[k + 1][o] = act.first * pass->da[k][o];
        }
    }
}

void lam_field_plain(const lam_field_shape *s, const double *p, double beta, double t, const double *z, const double *e, double *f,
    double *je)
{
    plain_pass pass;
    run(s, p, beta, t, z, e, &pass);
    memcpy(f, pass.h[s->layers], s->dim * sizeof *f);
    memcpy(je, pass.dh[s->layers], s->dim * sizeof *je);
}

void lam_field_plain_reverse(const lam_field_shape *s, const double *p, double beta, double t, const double *z, const double *e,
    const double *g, const double *ge, double *gz, double *grad, double *grad_beta)
{
    plain_pass pass;
    double gh[LAM_PLAIN_WIDEST], gdh[LAM_PLAIN_WIDEST], ga[LAM_PLAIN_WIDEST], gda[LAM_PLAIN_WIDEST];
    run(s, p, beta, t, z, e, &pass);
    memcpy(gh, g, s->dim * sizeof *gh);
    memcpy(gdh, ge, s->dim * sizeof *gdh);
    for (size_t k = s->layers; k-- > 0;) {
        for (size_t o = 0; o < s->layer[k].out; o++) { /* of h = sigma(a) and h' = sigma'(a) a' */
            lam_plain_act act = lam_act_plain(activation_of(s, k), beta, pass.a[k][o]);
            ga[o] = act.first * gh[o] + act.second * pass.da[k][o] * gdh[o];
            gda[o] = act.first * gdh[o];
            *grad_beta += act.by_beta * gh[o] + act.first_by_beta * pass.da[k][o] * gdh[o];
        }
        lam_layer_plain_reverse(&s->layer[k], p, t, pass.h[k], pass.dh[k], ga, gda, gh, gdh, grad);
    }
    memcpy(gz, gh, s->dim * sizeof *gz);
}
