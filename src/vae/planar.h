/* Planar flows whose parameters depend on the row, as a yardstick beside continuous ones (Rezende and Mohamed 2015, (10) to
 * (14) and appendix A.1; amortised as in van den Berg et al. 2018):
 *     z <- z + u^ tanh(w'z + b),   u^ = u + (m(w'u) - w'u) w / |w|^2,   m(x) = softplus(x) - 1,
 *     log|det| = log|1 + (1 - tanh^2) w'u^|, positive by the choice of u^.
 * A row's parameters lie one flow after the other: u [dim], w [dim], b. All in double: rows are few, and the cost is nothing beside
 * the nets around it.
 */
#ifndef LAM_VAE_PLANAR_H
#define LAM_VAE_PLANAR_H
#include <stddef.h>

/* Reals of one row's parameters. */
size_t lam_planar_count(size_t dim, size_t flows);
/* z [dim] in place through all flows; path [flows + 1][dim] receives z before each and after the last (NULL: not wanted).
 * Returns the sum of log|det|, nats. */
double lam_planar_forward(size_t dim, size_t flows, const double *params, double *z, double *path);
/* g [dim]: the cotangent of the end in, of the start out. g_log_det: that of the sum of log|det|. g_params [count] receives
 * the parameters'. */
void lam_planar_reverse(size_t dim, size_t flows, const double *params, const double *path, double g_log_det, double *g,
    double *g_params);

#endif
