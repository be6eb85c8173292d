/* What ranks tell each other (base/comm.h), by MPI. Errors of MPI end the job, as MPI has it where nobody asks for something else. */
#define _GNU_SOURCE /* sched_getaffinity */
#include "laminar/mpi.h"
#include "base/comm.h"
#include <limits.h>
#include <sched.h>
#include <stdlib.h>

enum { TAG = 20 };
static const size_t MOST = (size_t)1 << 30; /* bytes of a message, whose length is an int */

typedef struct mpi {
    lam_comm comm; /* first: what lam_mpi_create returns */
    MPI_Comm of;
    int *at, *bytes; /* [size] for MPI_Allgatherv */
} mpi;

static void broadcast_from(const mpi *m, size_t rank, void *data, size_t bytes)
{
    char *from = data;
    for (size_t done = 0; done < bytes; done += MOST)
        MPI_Bcast(from + done, (int)(bytes - done < MOST ? bytes - done : MOST), MPI_BYTE, (int)rank, m->of);
}

static void broadcast(void *self, void *data, size_t bytes)
{
    broadcast_from(self, 0, data, bytes);
}

static void exchange(void *self, void *data, const size_t *at, const size_t *bytes)
{
    mpi *m = self;
    int small = 1;
    for (size_t r = 0; r < m->comm.size; r++) {
        small &= at[r] + bytes[r] <= INT_MAX;
        m->at[r] = small ? (int)at[r] : 0;
        m->bytes[r] = small ? (int)bytes[r] : 0;
    }
    if (small)
        MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, data, m->bytes, m->at, MPI_BYTE, m->of);
    for (size_t r = 0; !small && r < m->comm.size; r++)
        broadcast_from(m, r, (char *)data + at[r], bytes[r]);
}

static void send(void *self, size_t to, const void *data, size_t bytes)
{
    const mpi *m = self;
    const char *from = data;
    for (size_t done = 0; done < bytes; done += MOST)
        MPI_Send(from + done, (int)(bytes - done < MOST ? bytes - done : MOST), MPI_BYTE, (int)to, TAG, m->of);
}

static void receive(void *self, size_t from, void *data, size_t bytes)
{
    const mpi *m = self;
    char *to = data;
    for (size_t done = 0; done < bytes; done += MOST)
        MPI_Recv(to + done, (int)(bytes - done < MOST ? bytes - done : MOST), MPI_BYTE, (int)from, TAG, m->of, MPI_STATUS_IGNORE);
}

static void sum(void *self, void *data, size_t n, size_t width)
{
    const mpi *m = self;
    char *at = data;
    size_t most = MOST / width;
    for (size_t done = 0; done < n; done += most)
        MPI_Allreduce(MPI_IN_PLACE, at + done * width, (int)(n - done < most ? n - done : most), width == sizeof(float) ? MPI_FLOAT : MPI_DOUBLE,
            MPI_SUM, m->of);
}

/* Processors that this rank may use, over the ranks of the same machine that may use just the same: mpirun may have bound each to its own, or
 * none to any. Rounded down; at least 1. */
static size_t share_of_processors(MPI_Comm of)
{
    cpu_set_t own, *all = NULL;
    MPI_Comm here;
    int rank, ranks, alike = 0;
    CPU_ZERO(&own);
    if (sched_getaffinity(0, sizeof own, &own) != 0)
        CPU_ZERO(&own);
    MPI_Comm_split_type(of, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &here);
    MPI_Comm_rank(here, &rank);
    MPI_Comm_size(here, &ranks);
    if ((all = calloc((size_t)ranks, sizeof *all)) != NULL)
        all[rank] = own;
    int there = all != NULL, everywhere;
    MPI_Allreduce(&there, &everywhere, 1, MPI_INT, MPI_MIN, here);
    if (everywhere)
        MPI_Allgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, all, sizeof *all, MPI_BYTE, here);
    for (int r = 0; everywhere && r < ranks; r++)
        alike += CPU_EQUAL(&own, &all[r]);
    MPI_Comm_free(&here);
    free(all);
    int processors = CPU_COUNT(&own);
    if (processors == 0 || alike == 0)
        return 0; /* not known: as many as the pool finds */
    return (size_t)(processors / alike > 0 ? processors / alike : 1);
}

lam_status lam_mpi_create(MPI_Comm communicator, lam_comm **out)
{
    int begun = 0, ended = 0, rank, size;
    *out = NULL;
    MPI_Initialized(&begun);
    MPI_Finalized(&ended);
    if (!begun || ended)
        return LAM_ERR_ARGUMENT;
    MPI_Comm_rank(communicator, &rank);
    MPI_Comm_size(communicator, &size);
    mpi *m = calloc(1, sizeof *m);
    if (m == NULL)
        return LAM_ERR_MEMORY;
    m->comm = (lam_comm) { .self = m, .rank = (size_t)rank, .size = (size_t)size, .exchange = exchange, .broadcast = broadcast, .send = send,
        .receive = receive, .sum = sum, .at = calloc((size_t)size, sizeof(size_t)), .bytes = calloc((size_t)size, sizeof(size_t)) };
    m->at = calloc((size_t)size, sizeof *m->at);
    m->bytes = calloc((size_t)size, sizeof *m->bytes);
    m->of = MPI_COMM_NULL;
    if (m->comm.at == NULL || m->comm.bytes == NULL || m->at == NULL || m->bytes == NULL) {
        lam_mpi_free(&m->comm);
        return LAM_ERR_MEMORY;
    }
    MPI_Comm_dup(communicator, &m->of);
    m->comm.threads = share_of_processors(m->of);
    *out = &m->comm;
    return LAM_OK;
}

void lam_mpi_free(lam_comm *comm)
{
    mpi *m = (mpi *)comm;
    if (m == NULL)
        return;
    if (m->of != MPI_COMM_NULL)
        MPI_Comm_free(&m->of);
    free(m->comm.at);
    free(m->comm.bytes);
    free(m->at);
    free(m->bytes);
    free(m);
}
