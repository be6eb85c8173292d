/* What turns a gradient into a step. Each optimiser is a record in a file of its own: the arrays that it remembers between steps, and
 * its update. Parameters are one flat array; some of them form matrices, which muon and soap treat as such.
 *
 *   adam, adamw  Kingma and Ba 2015; decoupled decay: Loshchilov and Hutter 2019. Betas 0.9 and 0.999, epsilon 1e-8 (adam_w.c)
 *   adamax       Kingma and Ba 2015, 7.1 (adamax_w.c)
 *   muon         Jordan et al. 2024, with the scale of Liu et al. 2025 (muon_w.c)
 *   soap         Vyas et al. 2024 (soap_w.c)
 */
#ifndef LAM_OPTIM_OPTIMIZER_H
#define LAM_OPTIM_OPTIMIZER_H
#include "base/pool.h"
#include "base/config.h"

/* A matrix among the parameters: [rows][cols], row-major, without gaps, both sides above 1. */
typedef struct lam_matrix {
    size_t offset, rows, cols;
} lam_matrix;

/* Which of the parameters form matrices. Whoever makes a map frees it. */
typedef struct lam_parameter_map {
    size_t parameters; /* all of them; what is trained is the first so many of them */
    size_t matrices;
    lam_matrix *matrix; /* [matrices], ascending and disjoint */
} lam_parameter_map;

/* An array that an optimiser keeps between steps: zero before the first step, and part of the checkpoint under this name. */
typedef struct lam_memory {
    const char *name;
    size_t count; /* of reals */
} lam_memory;
enum { LAM_MEMORIES = 6 };

/* Writes the arrays that an optimiser of this kind keeps for such parameters; returns how many. */
size_t lam_optimizer_memories(lam_optimizer kind, const lam_parameter_map *map, lam_memory memory[LAM_MEMORIES]);

enum { LAM_SOAP_WIDEST = 512 }; /* side of a matrix that soap keeps a basis of */

/* What differs from step to step. */
typedef struct lam_update {
    double lr;
    double weight_decay; /* adam, adamax: weight_decay * parameter is added to the gradient; others: lr * weight_decay * parameter is
                          * subtracted from the parameter */
    uint64_t step;       /* of this update, from 1 */
    size_t trained;      /* the first so many parameters are updated */
    double norm, clip;   /* a gradient of this norm is shortened to the norm clip where that is smaller; clip 0: never */
} lam_update;

#ifdef LAM_WIDTH
#include "optim/names.h"

/* sqrt of the sum of squares, in double, always in the same order. */
double lam_gradient_norm(const real *gradient, size_t n);

typedef struct lam_stepper lam_stepper;
/* Workspace for updates by an optimiser. map, pool must outlive it. isa as in lam_kernels_get. */
lam_status lam_stepper_create(lam_optimizer kind, const lam_parameter_map *map, lam_pool *pool, const char *isa,
    lam_stepper **out);
void lam_stepper_free(lam_stepper *stepper); /* takes NULL */
/* One update of params [parameters]. gradient [parameters] is used up. memory: as many arrays as lam_optimizer_memories says. The
 * same bits for any number of threads. */
void lam_stepper_apply(lam_stepper *stepper, const lam_update *update, real *gradient, void *const *memory, real *params);
#endif

#endif
