/* The program's own use of MPI: its start and its end. */
#include "program.h"
#include "laminar/mpi.h"
#include <stdlib.h>
#include <time.h>

static lam_comm *comm;
static int own_rank, ranks;
static int *codes; /* [ranks] */

static const lam_comm *begin(int *argc, char ***argv, size_t *rank, size_t *size)
{
    int provided;
    if (MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS || lam_mpi_create(MPI_COMM_WORLD, &comm) != LAM_OK)
        return NULL;
    MPI_Comm_rank(MPI_COMM_WORLD, &own_rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    codes = calloc((size_t)ranks, sizeof *codes);
    *rank = (size_t)own_rank;
    *size = (size_t)ranks;
    return codes == NULL ? NULL : comm;
}

static int first_code(void)
{
    for (int r = 0; r < ranks; r++)
        if (codes[r] != 0)
            return codes[r];
    return 0;
}

static int agree(int code, int *first)
{
    MPI_Allgather(&code, 1, MPI_INT, codes, 1, MPI_INT, MPI_COMM_WORLD);
    *first = codes[0];
    return first_code();
}

static int meet(int code, double seconds, int *first)
{
    const struct timespec pause = { 0, 2000000 };
    MPI_Request request;
    int here = 0;
    MPI_Iallgather(&code, 1, MPI_INT, codes, 1, MPI_INT, MPI_COMM_WORLD, &request);
    double until = MPI_Wtime() + seconds;
    for (;;) {
        MPI_Test(&request, &here, MPI_STATUS_IGNORE);
        if (here || (code != 0 && MPI_Wtime() > until))
            break;
        nanosleep(&pause, NULL);
    }
    *first = here ? codes[0] : 0;
    return here;
}

static void end(void)
{
    lam_mpi_free(comm);
    free(codes);
    MPI_Finalize();
}

static void end_all(int code)
{
    MPI_Abort(MPI_COMM_WORLD, code);
}

LAM_API extern const lam_mpi_program lam_mpi_program_calls;
const lam_mpi_program lam_mpi_program_calls = { LAM_VERSION, begin, agree, meet, end, end_all };
