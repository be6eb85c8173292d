/* A layer in plain double: value, directional derivative and the reverse of both, side by side. */
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

void lam_layer_plain(const lam_field_layer *l, const double *p, double t, const double *const h[2], double *const a[2])
{
    for (size_t o = 0; o < l->out; o++) {
        double value = 0, derivative = 0, s = gate_of(l, p, t, o);
        for (size_t j = 0; j < l->bases; j++) {
            value += phi_of(l, p, t, j) * affine(&l->basis[j], l->in, p, o, h[0]);
            derivative += phi_of(l, p, t, j) * product(&l->basis[j], l->in, p, o, h[1]);
        }
        a[0][o] = s * value + (l->has_u ? p[l->u + o * l->stride_u] * t : 0);
        a[1][o] = s * derivative;
    }
}

void lam_layer_plain_reverse(const lam_field_layer *l, const double *p, double t, const double *const h[2], const double *const g[2],
    double *const gh[2], double *grad)
{
    memset(gh[0], 0, l->in * sizeof *gh[0]);
    memset(gh[1], 0, l->in * sizeof *gh[1]);
    for (size_t o = 0; o < l->out; o++) {
        double s = gate_of(l, p, t, o), by_gate = 0;
        for (size_t j = 0; j < l->bases; j++) {
            const lam_basis *b = &l->basis[j];
            double phi = phi_of(l, p, t, j);
            double by_phi = g[0][o] * affine(b, l->in, p, o, h[0]) + g[1][o] * product(b, l->in, p, o, h[1]); /* before the gate */
            by_gate += phi * by_phi;
            for (size_t i = 0; i < l->in; i++) {
                size_t w = b->w + o * b->stride_out + i * b->stride_in;
                grad[w] += s * phi * (g[0][o] * h[0][i] + g[1][o] * h[1][i]);
                gh[0][i] += s * phi * p[w] * g[0][o];
                gh[1][i] += s * phi * p[w] * g[1][o];
            }
            grad[b->b + o * b->stride_b] += s * phi * g[0][o];
            if (l->is_hyper && j < LAM_HYPER_UNITS) {
                grad[l->v1 + j] += s * by_phi * (1 - phi * phi) * t;
                grad[l->c1 + j] += s * by_phi * (1 - phi * phi);
            }
        }
        if (l->has_u)
            grad[l->u + o * l->stride_u] += t * g[0][o];
        if (l->has_gate) {
            grad[l->g + o] += s * (1 - s) * by_gate * t;
            grad[l->c + o] += s * (1 - s) * by_gate;
        }
    }
}

/* ---- a field ------------------------------------------------------------------------------------------------------ */

/* What goes into each layer and what comes out of it before the activation, values and derivatives. */
typedef struct plain_pass {
    double h[LAM_MAX_LAYERS + 1][2][LAM_PLAIN_WIDEST], a[LAM_MAX_LAYERS][2][LAM_PLAIN_WIDEST];
} plain_pass;

static lam_activation activation_of(const lam_field_shape *s, size_t k)
{
    return k + 1 < s->layers ? s->activation : LAM_ACT_IDENTITY;
}

static void run(const lam_plain_field *f, const double *z, const double *e, plain_pass *pass)
{
    const lam_field_shape *s = f->shape;
    memcpy(pass->h[0][0], z, s->dim * sizeof *z);
    memcpy(pass->h[0][1], e, s->dim * sizeof *e);
    for (size_t k = 0; k < s->layers; k++) {
        const double *const h[2] = { pass->h[k][0], pass->h[k][1] };
        double *const a[2] = { pass->a[k][0], pass->a[k][1] };
        lam_layer_plain(&s->layer[k], f->params, f->t, h, a);
        for (size_t o = 0; o < s->layer[k].out; o++) { /* h = sigma(a), h' = sigma'(a) a' */
            lam_plain_act act = lam_act_plain(activation_of(s, k), f->beta, a[0][o]);
            pass->h[k + 1][0][o] = act.value;
            pass->h[k + 1][1][o] = act.first * a[1][o];
        }
    }
}

void lam_field_plain(const lam_plain_field *f, const double *z, const double *e, double *value, double *je)
{
    plain_pass pass;
    run(f, z, e, &pass);
    memcpy(value, pass.h[f->shape->layers][0], f->shape->dim * sizeof *value);
    memcpy(je, pass.h[f->shape->layers][1], f->shape->dim * sizeof *je);
}

void lam_field_plain_reverse(const lam_plain_field *f, const double *z, const double *e, const double *g, const double *ge, double *gz,
    double *grad, double *grad_beta)
{
    plain_pass pass;
    const lam_field_shape *s = f->shape;
    double below[2][LAM_PLAIN_WIDEST], here[2][LAM_PLAIN_WIDEST];
    run(f, z, e, &pass);
    memcpy(below[0], g, s->dim * sizeof *g);
    memcpy(below[1], ge, s->dim * sizeof *ge);
    for (size_t k = s->layers; k-- > 0;) {
        const double *const h[2] = { pass.h[k][0], pass.h[k][1] }, *const ga[2] = { here[0], here[1] };
        double *const gh[2] = { below[0], below[1] };
        for (size_t o = 0; o < s->layer[k].out; o++) {
            lam_plain_act act = lam_act_plain(activation_of(s, k), f->beta, pass.a[k][0][o]);
            double slope = pass.a[k][1][o];
            here[0][o] = act.first * gh[0][o] + act.second * slope * gh[1][o];
            here[1][o] = act.first * gh[1][o];
            *grad_beta += act.by_beta * gh[0][o] + act.first_by_beta * slope * gh[1][o];
        }
        lam_layer_plain_reverse(&s->layer[k], f->params, f->t, h, ga, gh, grad);
    }
    memcpy(gz, below[0], s->dim * sizeof *gz);
}
