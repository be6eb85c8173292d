/* Status codes and the text that goes with them. */
#ifndef LAM_BASE_ERROR_H
#define LAM_BASE_ERROR_H
#include "laminar.h"

/* Records the text of a failure for this thread and returns status, so that `return lam_fail(...)` reads well.
 * Say what, where (file, line, row, column, t, step) and what to do about it. */
lam_status lam_fail(lam_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Puts "context: " before the text already recorded; returns status. */
lam_status lam_fail_in(lam_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define LAM_TRY(call)                        \
    do {                                     \
        lam_status lam_try_status_ = (call); \
        if (lam_try_status_ != LAM_OK)       \
            return lam_try_status_;          \
    } while (0)

#endif
