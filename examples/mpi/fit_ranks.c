/* A fit that several processes share: mpirun -n 2 example_fit_ranks RUN/
 *
 * Each rank makes the same configuration and the same data; lam_fit does the rest. Rank 0 writes RUN/ and prints. The model is that of one
 * process, to the last bit. Link with -llaminar -llaminar_mpi and MPI. */
#include <laminar/mpi.h>
#include <stdio.h>

static int fit(lam_comm *comm, int rank, const char *run)
{
    lam_config *cfg = NULL;
    lam_table *table = NULL;
    lam_dataset *data = NULL;
    lam_model *model = NULL;
    lam_fit_result result;
    const lam_fit_options options = { .run_dir = run, .comm = comm };
    lam_status status = lam_config_create("{dims: 12-12, batch-size: 500, iterations: 14, val-freq: 7, seed: 5}", &cfg);
    if (status == LAM_OK)
        status = lam_table_toy("pinwheel", 1500, 1, &table);
    if (status == LAM_OK)
        status = lam_dataset_build(cfg, table, NULL, NULL, NULL, &data);
    if (status == LAM_OK)
        status = lam_fit(cfg, data, &options, &model, &result);
    if (status != LAM_OK && rank == 0)
        fprintf(stderr, "%s\n", lam_last_error());
    else if (rank == 0)
        printf("test NLL %.6f\n", result.test_nll);
    lam_model_free(model);
    lam_dataset_free(data);
    lam_table_free(table);
    lam_config_free(cfg);
    return status != LAM_OK;
}

int main(int argc, char **argv)
{
    lam_comm *comm;
    int rank, failed;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (lam_mpi_create(MPI_COMM_WORLD, &comm) != LAM_OK)
        MPI_Abort(MPI_COMM_WORLD, 1);
    failed = fit(comm, rank, argc > 1 ? argv[1] : NULL);
    lam_mpi_free(comm);
    MPI_Finalize();
    return failed;
}
