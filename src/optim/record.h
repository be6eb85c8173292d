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
    /* Writes the arrays that it keeps between steps for such parameters; returns how many. */
    size_t (*memories)(const lam_parameter_map *map, lam_memory memory[LAM_MEMORIES]);
    int by_matrix; /* 1: slices leave the matrices out */
    lam_status (*open)(lam_stepper *stepper); /* makes `own`; NULL: it needs none */
    void (*close)(lam_stepper *stepper);
    void (*slice)(const lam_stepper *stepper, const lam_slice *slice);
    void (*matrices)(lam_stepper *stepper); /* by_matrix alone */
} lam_optimizer_record;

/* The record of an optimiser, which its own file defines: LAM_RECORD(adam) = { ... }. An entry of LAM_OPTIMIZER_LIST without one does not
 * link. */
#define LAM_RECORD_NAME(name) LAM_W(lam_record_##name)
#define LAM_RECORD(name) const lam_optimizer_record LAM_RECORD_NAME(name)
#define LAM_OPTIMIZER_DECLARE(code, word, name, rate) extern LAM_RECORD(name);
LAM_OPTIMIZER_LIST(LAM_OPTIMIZER_DECLARE, LAM_NONE)
#undef LAM_OPTIMIZER_DECLARE

/* The memories of an optimiser that keeps two moments of every parameter. */
static inline size_t lam_two_moments(const lam_parameter_map *map, lam_memory memory[LAM_MEMORIES])
{
    memory[0] = (lam_memory) { "first_moment", map->parameters };
    memory[1] = (lam_memory) { "second_moment", map->parameters };
    return 2;
}

/* Adam on n numbers (adam_w.c), for the optimisers that take their vectors by it. */
typedef struct lam_adam {
    double lr, beta1, beta2, decay; /* lr * decay * parameter is subtracted */
    double coupled;                 /* coupled * parameter is added to the gradient */
    uint64_t step;
} lam_adam;
void lam_adam_apply(const lam_adam *adam, size_t n, const real *gradient, real *first, real *second, real *params);

#endif
