/* Which rows an iteration sees: a function of (seed, iteration) alone, so that a resumed run needs no memory of it. */
#ifndef LAM_TRAIN_BATCHES_H
#define LAM_TRAIN_BATCHES_H
#include "base/config.h"

/* Every epoch goes once through the rows in an order of its own, batch by batch; rows that do not fill a last batch are left
 * out. A set smaller than a batch is one batch. */
typedef struct lam_batches {
    const char *folder;   /* of the room for order */
    uint64_t seed, epoch; /* epoch whose order is at hand; UINT64_MAX: none */
    size_t rows, size, each; /* size: rows per batch; each: batches an epoch */
    uint64_t *order;      /* [rows] */
    size_t *index;        /* [size] */
} lam_batches;

lam_status lam_batches_create(lam_batches *batches, uint64_t seed, size_t rows, size_t batch_size);
/* The same with the order of many rows in a room in folder (base/room.h), which the batches borrow. */
lam_status lam_batches_create_in(lam_batches *batches, const char *folder, uint64_t seed, size_t rows, size_t batch_size);
void lam_batches_clear(lam_batches *batches);
/* Rows of iteration (from 1), index [batches->size], good until the next call. */
const size_t *lam_batches_at(lam_batches *batches, uint64_t iteration);

#endif
