/* What an optimiser's own file defines, and what it finds there. */
#ifndef LAM_OPTIM_RECORD_H
#define LAM_OPTIM_RECORD_H
#include "kernels/kernels.h"
#include "optim/names.h"
#include "optim/optimizer.h"

/* A run of parameters that are updated one by one. */
typedef struct lam_slice {
    size_t at, count;
    size_t memory; /* where its numbers begin in an array that has room for sliced parameters alone */
} lam_slice;

struct lam_stepper {
    lam_optimizer kind;
    const lam_parameter_map *map;
    lam_pool *pool;
    const lam_kernels *kernels;
    lam_slice *slice; /* [slices] all parameters, or those outside the matrices */
    size_t slices;
    void *own;        /* the optimiser's workspace */
    /* arguments of the step in hand */
    const lam_update *update;
    real *gradient, *params;
    real *memory[LAM_MEMORIES];
};

typedef struct lam_optimizer_record {
    int by_matrix; /* 1: slices leave the matrices out */
    lam_status (*open)(lam_stepper *stepper); /* makes `own`; NULL: it needs none */
    void (*close)(lam_stepper *stepper);
    void (*slice)(const lam_stepper *stepper, const lam_slice *slice);
    void (*matrices)(lam_stepper *stepper); /* by_matrix alone */
} lam_optimizer_record;

/* Sides of a matrix that soap has a factor and a basis for; 0: that side is too wide (soap_w.c). */
typedef struct lam_soap_sides {
    size_t left, right;
} lam_soap_sides;
static inline lam_soap_sides lam_soap_sides_of(const lam_matrix *m)
{
    return (lam_soap_sides) { m->rows <= LAM_SOAP_WIDEST ? m->rows : 0, m->cols <= LAM_SOAP_WIDEST ? m->cols : 0 };
}

/* One a name in LAM_OPTIMIZER_LIST: an entry without its file does not link. */
#define LAM_OPTIMIZER_DECLARE(code, name, rate) extern const lam_optimizer_record lam_record_##name;
LAM_OPTIMIZER_LIST(LAM_OPTIMIZER_DECLARE)
#undef LAM_OPTIMIZER_DECLARE

/* Adam on n numbers (adam_w.c), for the optimisers that take their vectors by it. */
typedef struct lam_adam {
    double lr, beta1, beta2, decay; /* lr * decay * parameter is subtracted */
    double coupled;                 /* coupled * parameter is added to the gradient */
    uint64_t step;
} lam_adam;
void lam_adam_apply(const lam_adam *adam, size_t n, const real *gradient, real *first, real *second, real *params);

#endif
