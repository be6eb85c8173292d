/* Just enough of Python's pickle format to read one NumPy array of bytes. */
#ifndef LAM_DATA_PICKLE_H
#define LAM_DATA_PICKLE_H
#include "laminar.h"

enum { LAM_PICKLED_DIMS = 4 };

typedef struct lam_pickled {
    size_t n_shape, shape[LAM_PICKLED_DIMS];
    size_t size;           /* the product of shape */
    unsigned char *values; /* [size] in C order; from lam_alloc */
} lam_pickled;

/* Reads a pickle (protocol 0 to 5) of one uint8 array in C order, alone or the only thing in a list or tuple. Nothing is ever
 * called: the globals that NumPy's own pickles name stand for fixed steps here, any other is refused by its name, and so is
 * an opcode that such a pickle does not need; LAM_ERR_FORMAT with the offset. *out is zeroed on failure. */
lam_status lam_pickle_parse(const char *name, const void *bytes, size_t size, lam_pickled *out);
void lam_pickled_clear(lam_pickled *array); /* what is in it; takes a zeroed one */

#endif
