/* The log of attempted steps. */
#include "base/mem.h"
#include "ode/options.h"
#include <string.h>

lam_status lam_step_log_add(lam_step_log *log, lam_step step)
{
    if (log->n == log->capacity) {
        size_t capacity = log->capacity == 0 ? 64 : 2 * log->capacity;
        lam_step *more = lam_alloc(capacity, sizeof *more);
        if (more == NULL)
            return LAM_ERR_MEMORY;
        if (log->n > 0)
            memcpy(more, log->step, log->n * sizeof *more);
        lam_free(log->step);
        log->step = more;
        log->capacity = capacity;
    }
    step.batch = log->batch;
    step.block = log->block;
    log->step[log->n++] = step;
    return LAM_OK;
}
