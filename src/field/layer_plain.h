/* The vector field of one row in double, as plain loops: a layer's value, its derivative along a direction, and the reverse of both
 * side by side. This is what to read first about layers; the passes over tiles (field_w.c) are tested against it.
 *
 *     value       a  = s(t) sum_j phi_j(t) (W_j h + b_j) + u t
 *     derivative  a' = s(t) sum_j phi_j(t) W_j h'                               s(t) = sigmoid(g t + c), 1 without a gate
 *     phi         1;  blend: 1 - t, t;  hyper: tanh(v1_j t + c1_j) and a last 1
 *
 * Fields whose parameters all are shared (amortised fields are not). params [shape->parameters]. */
#ifndef LAM_FIELD_LAYER_PLAIN_H
#define LAM_FIELD_LAYER_PLAIN_H
#include "field/shape.h"

/* sigma(a); *first and *second: its derivatives (NULL: not wanted); *by_beta: swish's derivative by beta, *first_by_beta: that of its
 * first derivative. */
typedef struct lam_plain_act {
    double value, first, second, by_beta, first_by_beta;
} lam_plain_act;
lam_plain_act lam_act_plain(lam_activation activation, double beta, double a);

/* a [out] of h [in], and a' [out] of h' [in]; h and a, or dh and da, may be NULL. */
void lam_layer_plain(const lam_field_layer *layer, const double *params, double t, const double *h, const double *dh, double *a,
    double *da);
/* From the cotangents g [out] of a and dg [out] of a': those of h and h', gh [in] and gdh [in], and grad [parameters], which is added to. */
void lam_layer_plain_reverse(const lam_field_layer *layer, const double *params, double t, const double *h, const double *dh,
    const double *g, const double *dg, double *gh, double *gdh, double *grad);

enum { LAM_PLAIN_WIDEST = 128 };

/* f(t, z) and its derivative along e: f [dim], je [dim]. Layers of at most LAM_PLAIN_WIDEST. */
void lam_field_plain(const lam_field_shape *shape, const double *params, double beta, double t, const double *z, const double *e,
    double *f, double *je);
/* From the cotangents g of f and ge of je: gz [dim]; grad [parameters] and *grad_beta are added to. */
void lam_field_plain_reverse(const lam_field_shape *shape, const double *params, double beta, double t, const double *z,
    const double *e, const double *g, const double *ge, double *gz, double *grad, double *grad_beta);

#endif
