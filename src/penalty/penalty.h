/* The penalties of the training loss: a file each, which holds all of it, and a line in a list. They are of four kinds.
 *
 *     integrals along the paths   kinetic.c, jacobian.c, taylor.c: what is squared, and a factor. The flow carries such squares as
 *                                 quadratures beside l, and adds their derivative to its cotangents (flow/integrand.h)
 *     of observed states          tpr_w.c: value and cotangents of a tile (observed.h)
 *     of the end times            steer.c: where a block ends in an iteration
 *     of the solver's error       solver_error_w.c: of the accepted steps, which a solve keeps (ode/solve.h)
 */
#ifndef LAM_PENALTY_PENALTY_H
#define LAM_PENALTY_PENALTY_H
#include "flow/integrand.h"
#include "base/config.h"

/* A penalty that is an integral along the paths. Its file defines the record: LAM_INTEGRAL(kinetic) = { ... }. Engines and losses have them in the
 * order of LAM_INTEGRAL_LIST (base/choices.h). */
typedef struct lam_integral_penalty {
    const lam_integrand *integrand;                        /* its name is that of the list's row; NULL: */
    const lam_integrand *(*choose)(const lam_config *cfg); /* it depends on the configuration */
} lam_integral_penalty;
#define LAM_INTEGRAL(name) const lam_integral_penalty lam_##name##_penalty
#define LAM_INTEGRAL_DECLARE(name, row, help) extern LAM_INTEGRAL(name);
LAM_INTEGRAL_LIST(LAM_INTEGRAL_DECLARE)
#undef LAM_INTEGRAL_DECLARE
extern const lam_integrand lam_kinetic, lam_jacobian, lam_taylor[2]; /* of orders 2 and 3 */

#define LAM_PENALTY_CODE(name, row, help) LAM_PENALTY_##name,
enum { LAM_OBSERVED_LIST(LAM_PENALTY_CODE) LAM_OBSERVED_PENALTIES };
#undef LAM_PENALTY_CODE

/* What a call of the loss takes. */
typedef struct lam_penalty {
    double observed[LAM_OBSERVED_PENALTIES]; /* coefficients of the penalties on observed states: observed[LAM_PENALTY_tpr], ... */
    struct {
        size_t times, degree; /* times 0: off */
        double l_weight;      /* of l beside z; above 0 for engines made with l_observed only */
    } tpr;
    struct {
        double coefficient, l_weight; /* l_weight above 0: for engines made with l_observed only */
    } error;                          /* of the solver's error (solver_error_w.c), for engines made with errors only */
    const double *given_times; /* observation times on [0, 1], instead of draws; NULL */
    double coefficient[LAM_MAX_INTEGRANDS]; /* of the engine's integrands, in their order */
    double steer;                           /* half-width of the interval of end times; 0: the end times themselves */
    uint64_t seed, stream;                  /* of the observation times, and of steer */
} lam_penalty;

/* What the loss is made of beside the NLL. */
typedef struct lam_term {
    const char *name; /* "tpr", "kinetic", ... */
    double coefficient, value; /* value: summed over blocks, without the coefficient; nats, standardised units */
} lam_term;
enum { LAM_MAX_TERMS = 8 };
typedef struct lam_terms {
    size_t n;
    lam_term term[LAM_MAX_TERMS]; /* those of observed states (0 where they are off), the engine's integrals, the solver's error */
} lam_terms;

/* Every penalty with a coefficient, and that which it has in cfg: 0, off, and LAM_AUTO_REAL before it is chosen. */
lam_terms lam_penalty_terms(const lam_config *cfg);
/* The name of the i-th penalty on observed states. */
const char *lam_observed_name(size_t i);
/* The name of the first of them that is not off, that called `but` (NULL: none) left out; NULL if there is none. */
const char *lam_penalty_on(const lam_config *cfg, const char *but);

/* The first term of that name; 0 if there is none. */
double lam_terms_value(const lam_terms *terms, const char *name);

#endif
