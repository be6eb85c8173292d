/* Chooses the rows of each iteration's batch. */
#include "train/batches.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/room.h"

lam_status lam_batches_create(lam_batches *b, uint64_t seed, size_t rows, size_t batch_size)
{
    return lam_batches_create_in(b, NULL, seed, rows, batch_size);
}

lam_status lam_batches_create_in(lam_batches *b, const char *folder, uint64_t seed, size_t rows, size_t batch_size)
{
    size_t size = batch_size < rows ? batch_size : rows;
    *b = (lam_batches) { .folder = folder, .seed = seed, .epoch = UINT64_MAX, .rows = rows, .size = size, .each = rows / size };
    b->order = lam_room_take(folder, rows, sizeof *b->order);
    b->index = lam_alloc(size, sizeof *b->index);
    if (b->order == NULL || b->index == NULL) {
        lam_batches_clear(b);
        return LAM_ERR_MEMORY;
    }
    return LAM_OK;
}

void lam_batches_clear(lam_batches *b)
{
    lam_room_give(b->folder, b->order);
    lam_free(b->index);
    *b = (lam_batches) { 0 };
}

const size_t *lam_batches_at(lam_batches *b, uint64_t iteration)
{
    uint64_t epoch = (iteration - 1) / b->each;
    size_t first = (size_t)((iteration - 1) % b->each) * b->size;
    if (epoch != b->epoch) {
        lam_random_permutation(b->seed, LAM_DRAW_BATCH, epoch, b->order, b->rows);
        b->epoch = epoch;
    }
    for (size_t i = 0; i < b->size; i++)
        b->index[i] = (size_t)b->order[first + i];
    return b->index;
}
