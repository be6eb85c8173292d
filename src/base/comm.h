/* Processes that work on one fit or one score together: ranks, of which each has a share of every batch's rows, and all the rest as the others
 * do. What they tell each other is a handful of calls, which a library for such processes fills in (mpi/); NULL in place of a record is one
 * process by itself. */
#ifndef LAM_BASE_COMM_H
#define LAM_BASE_COMM_H
#include "laminar.h"
#include <stddef.h>

/* Every rank makes the same calls in the same order. They do not fail: a rank that is lost takes the others with it. */
struct lam_comm {
    void *self;
    size_t rank, size;
    size_t threads;     /* of this rank, where nobody says how many: its share of the processors; 0: one per processor */
    size_t *at, *bytes; /* [size] room for what exchange takes */
    /* Rank r's bytes[r] bytes at data + at[r] go to all others, in one call. */
    void (*exchange)(void *self, void *data, const size_t *at, const size_t *bytes);
    /* Rank 0's data become everybody's. */
    void (*broadcast)(void *self, void *data, size_t bytes);
    void (*send)(void *self, size_t to, const void *data, size_t bytes);
    void (*receive)(void *self, size_t from, void *data, size_t bytes);
    /* The sum over ranks of data [n], in an order of the library's choice; width 4: float, 8: double. */
    void (*sum)(void *self, void *data, size_t n, size_t width);
};

static inline int lam_comm_is_several(const lam_comm *comm)
{
    return comm != NULL && comm->size > 1;
}

/* Threads for a pool: what was asked for, or (0) this rank's share. */
static inline size_t lam_comm_threads(const lam_comm *comm, size_t asked)
{
    return asked == 0 && comm != NULL ? comm->threads : asked;
}

/* 1: this process writes files and talks. */
static inline int lam_comm_is_first(const lam_comm *comm)
{
    return comm == NULL || comm->rank == 0;
}

static inline void lam_comm_broadcast(const lam_comm *comm, void *what, size_t size)
{
    if (lam_comm_is_several(comm))
        comm->broadcast(comm->self, what, size);
}

/* One status for all, of calls that each rank made by itself: the first rank's that failed, whose text all others get, with its number where
 * not all have failed alike. */
lam_status lam_comm_agree(const lam_comm *comm, lam_status own);
/* The first rank whose bytes [size] differ from rank 0's; `size` of the record, 1 without: none does. LAM_ERR_MEMORY. */
lam_status lam_comm_compare(const lam_comm *comm, const void *bytes, size_t size, size_t *rank);

/* Rank 0's number, so that nobody decides by one of its own. */
static inline double lam_comm_number(const lam_comm *comm, double own)
{
    lam_comm_broadcast(comm, &own, sizeof own);
    return own;
}

#endif
