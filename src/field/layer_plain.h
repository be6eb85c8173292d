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

/* sigma(a) and its derivatives; swish's derivative by beta, and that of its first derivative. */
typedef struct lam_plain_act {
    double value, first, second, by_beta, first_by_beta;
} lam_plain_act;
lam_plain_act lam_act_plain(lam_activation activation, double beta, double a);

/* What goes through a layer is a pair: x[0] a value, x[1] its derivative; or the cotangents of the two.
 *
 * a [2][out] of h [2][in]. */
void lam_layer_plain(const lam_field_layer *layer, const double *params, double t, const double *const h[2], double *const a[2]);
/* From the cotangents g [2][out] of a: gh [2][in], those of h, and grad [parameters], which is added to. */
void lam_layer_plain_reverse(const lam_field_layer *layer, const double *params, double t, const double *const h[2],
    const double *const g[2], double *const gh[2], double *grad);

enum { LAM_PLAIN_WIDEST = 128 };

/* A field at a time. Its layers have at most LAM_PLAIN_WIDEST outputs. */
typedef struct lam_plain_field {
    const lam_field_shape *shape;
    const double *params;
    double beta, t; /* beta: of swish */
} lam_plain_field;

/* f(t, z) and its derivative along e: value [dim], je [dim]. */
void lam_field_plain(const lam_plain_field *f, const double *z, const double *e, double *value, double *je);
/* From the cotangents g of f and ge of je: gz [dim]; grad [parameters] and *grad_beta are added to. */
void lam_field_plain_reverse(const lam_plain_field *f, const double *z, const double *e, const double *g, const double *ge,
    double *gz, double *grad, double *grad_beta);

#endif
