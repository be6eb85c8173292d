/* MPI for the program `laminar`, which opens this library when mpirun has started it, and knows nothing else of MPI. */
#ifndef LAM_MPI_PROGRAM_H
#define LAM_MPI_PROGRAM_H
#include "laminar.h"
#include <stddef.h>

/* What the program calls; found under the name LAM_MPI_PROGRAM in the library. */
typedef struct lam_mpi_program {
    const char *version; /* of laminar, that it was built with: the records that it makes are those of this version alone */
    /* MPI_Init; NULL: it failed, or there is no memory. */
    const lam_comm *(*begin)(int *argc, char ***argv, size_t *rank, size_t *size);
    /* The first code that is not 0, in rank order, on every rank; *first is rank 0's own. */
    int (*agree)(int code, int *first);
    /* The end of a command, with its code: waits for the others, and returns 1 when all are here, with *first the code of rank 0. Where this one has
     * failed and the others have not come after so many seconds, 0. */
    int (*meet)(int code, double seconds, int *first);
    void (*end)(void);           /* after all have met */
    void (*abort)(int code);     /* ends all ranks */
} lam_mpi_program;

#define LAM_MPI_PROGRAM "lam_mpi_program_calls"

#endif
