/* What a public function asks of its pointers. */
#ifndef LAM_BASE_NEED_H
#define LAM_BASE_NEED_H
#include "base/error.h"

/* At the head of a public function that returns a status: a pointer that must not be NULL, by its name in the header; and one that must
 * not be where the condition holds, as that there are rows. */
#define LAM_NEED(pointer, name) LAM_NEED_IF(1, pointer, name)
#define LAM_NEED_IF(condition, pointer, name)                                                 \
    do {                                                                                      \
        if ((condition) && (pointer) == NULL)                                                 \
            return lam_fail(LAM_ERR_ARGUMENT, "%s: the argument " name " is NULL", __func__); \
    } while (0)

#endif
