/* laminar on several processes, of one machine or of many, that MPI connects (docs/scale.md). A program of its own, linked with -llaminar
 * and -llaminar_mpi:
 *
 *     #include <laminar/mpi.h>
 *
 *     MPI_Init(&argc, &argv);
 *     lam_comm *comm;
 *     if (lam_mpi_create(MPI_COMM_WORLD, &comm) != LAM_OK)
 *         MPI_Abort(MPI_COMM_WORLD, 1);
 *     lam_fit_options options = { .run_dir = "run", .comm = comm };
 *     if (lam_fit(cfg, data, &options, &model, NULL) != LAM_OK)      // on every rank: the same configuration, the same data
 *         ...
 *     lam_mpi_free(comm);
 *     MPI_Finalize();
 *
 * So does lam_vae_fit. The model is the same on every rank, and the same to the last bit as that of one process. Each rank works with threads of its own:
 * as many as the configuration says, or (threads 0) its share of the processors that it may use.
 *
 * A call that fails, fails on every rank alike, with the same text, unless a rank fails where the others cannot know: it has no memory for a
 * solve, or it dies. Then the others wait for it; MPI_Abort ends them. */
#ifndef LAMINAR_MPI_H
#define LAMINAR_MPI_H
#include <laminar.h>
#include <mpi.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of the ranks of a communicator, all of which call it, after MPI_Init or MPI_Init_thread (MPI_THREAD_FUNNELED is enough: laminar calls
 * MPI from the thread that calls laminar). laminar works on a duplicate, so that no messages meet the caller's. Free it with lam_mpi_free, on all
 * ranks, before MPI_Finalize. LAM_ERR_ARGUMENT: MPI is not initialised, or already finalised; LAM_ERR_MEMORY. They leave no text. */
LAM_API lam_status lam_mpi_create(MPI_Comm communicator, lam_comm **out);
LAM_API void lam_mpi_free(lam_comm *comm); /* takes NULL */

#ifdef __cplusplus
}
#endif
#endif
