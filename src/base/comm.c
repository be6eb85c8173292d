/* What ranks agree on. */
#include "base/comm.h"
#include "base/error.h"
#include "base/mem.h"
#include <stdio.h>
#include <string.h>

/* Every rank's block of `bytes` at data [size][bytes]. */
static void share(const lam_comm *comm, void *data, size_t bytes)
{
    for (size_t r = 0; r < comm->size; r++) {
        comm->at[r] = r * bytes;
        comm->bytes[r] = bytes;
    }
    comm->exchange(comm->self, data, comm->at, comm->bytes);
}

/* The text of `rank` becomes everybody's. */
static lam_status take_text(const lam_comm *comm, size_t rank, lam_status status, int alike)
{
    char text[1500] = "";
    if (comm->rank == rank)
        snprintf(text, sizeof text, "%s", lam_last_error());
    for (size_t r = 0; r < comm->size; r++) {
        comm->at[r] = 0;
        comm->bytes[r] = r == rank ? sizeof text : 0;
    }
    comm->exchange(comm->self, text, comm->at, comm->bytes);
    if (alike)
        return lam_fail(status, "%s", text);
    return lam_fail(status, "rank %zu of %zu: %s", rank, comm->size, text);
}

lam_status lam_comm_agree(const lam_comm *comm, lam_status own)
{
    size_t first, failed = 0; /* first: the lowest rank that failed */
    if (!lam_comm_is_several(comm))
        return own;
    lam_status *of = lam_alloc(comm->size, sizeof *of); /* a few bytes */
    if (of == NULL)
        return LAM_ERR_MEMORY;
    of[comm->rank] = own;
    share(comm, of, sizeof *of);
    first = comm->size;
    for (size_t r = comm->size; r-- > 0;)
        if (of[r] != LAM_OK) {
            first = r;
            failed++;
        }
    lam_status status = failed > 0 ? of[first] : LAM_OK;
    lam_free(of);
    return failed > 0 ? take_text(comm, first, status, failed == comm->size || first == 0) : LAM_OK;
}

lam_status lam_comm_compare(const lam_comm *comm, const void *bytes, size_t size, size_t *rank)
{
    *rank = comm != NULL ? comm->size : 1;
    if (!lam_comm_is_several(comm))
        return LAM_OK;
    char *all = lam_alloc(comm->size, size);
    if (all == NULL)
        return LAM_ERR_MEMORY;
    memcpy(all + comm->rank * size, bytes, size);
    share(comm, all, size);
    for (size_t r = comm->size; r-- > 1;)
        if (memcmp(all + r * size, all, size) != 0)
            *rank = r;
    lam_free(all);
    return LAM_OK;
}
