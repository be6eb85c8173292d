/* What a penalty may integrate along a solve. */
#ifndef LAM_FLOW_INTEGRAND_H
#define LAM_FLOW_INTEGRAND_H
#include <stddef.h>

/* A penalty that is an integral along the solve: of factor * sum of squares / dim, averaged over rows, summed over blocks
 * (method.md 10). Such integrals are quadratures beside l, outside of the error norm; the files of penalty/ say of what. */
typedef enum lam_square {
    LAM_SQUARE_F,        /* of f */
    LAM_SQUARE_TANGENTS, /* of J e, averaged over the probes; with the exact trace of all of J */
    LAM_SQUARE_F_1,      /* of f_1 and f_2, where f(t + s) = f + f_1 s + f_2 s^2 + ... along the path: total derivatives */
    LAM_SQUARE_F_2,
} lam_square;
typedef struct lam_integrand {
    const char *name;
    lam_square of;
    double factor;
} lam_integrand;
enum { LAM_MAX_INTEGRANDS = 4 };

#endif
