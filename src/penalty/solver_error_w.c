/* The penalty on the solver's own error estimates: value and cotangents. */
#include "penalty/solver_error.h"
#include "base/error.h"
#include "flow/mask.h"

lam_status lam_solver_error_check(const lam_engine *e, const lam_penalty *p)
{
    if (p->error.coefficient == 0 || (e->options.errors && (p->error.l_weight == 0 || e->options.l_observed)))
        return LAM_OK;
    return lam_fail(LAM_ERR_ARGUMENT, "a penalty on the solver's error was asked of an engine made without %s",
        e->options.errors ? "l_observed" : "errors");
}

/* Where the controller looks at z alone, so does the penalty: the square of l is 0 then. */
double lam_solver_error_value(const lam_engine *e, size_t block, const lam_penalty *p)
{
    const double *square = e->path[block]->error_square;
    return p->error.coefficient == 0 ? 0 : square[0] + p->error.l_weight * square[1];
}

void lam_solver_error_cotangents(lam_engine *e, size_t block, const lam_penalty *p)
{
    double *g = e->path[block]->error_cotangent, rows = (double)e->batch.rows;
    g[0] = 2 * p->error.coefficient / lam_mask_entries(e);
    g[1] = 2 * p->error.coefficient * p->error.l_weight / rows;
}
