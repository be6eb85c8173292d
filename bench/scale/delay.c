/* What MPI costs laminar, and what it would cost on a slower network: wraps the calls that laminar makes (MPI's profiling interface), waits
 * MPI_DELAY_US microseconds before each, and leaves calls, bytes and seconds of rank 0 in the file MPI_DELAY_LOG, a line a fit.
 *
 *     mpicc -O2 -shared -fPIC delay.c -o libdelay.so
 *     mpirun -x LD_PRELOAD=./libdelay.so -x MPI_DELAY_US=100 -x MPI_DELAY_LOG=log -n 4 laminar fit ... */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double delay, seconds, processor_seconds, processor_began;
static long long bytes;
static struct {
    long long exchanges, broadcasts, sends, receives, sums;
} calls;

static double processor(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double begin(void)
{
    processor_began = processor();
    double start = MPI_Wtime();
    while (delay > 0 && MPI_Wtime() - start < delay) { }
    return start;
}

static int end(double start, long long n, int code)
{
    seconds += MPI_Wtime() - start;
    processor_seconds += processor() - processor_began;
    bytes += n;
    return code;
}

int MPI_Init_thread(int *argc, char ***argv, int required, int *provided)
{
    int code = PMPI_Init_thread(argc, argv, required, provided);
    const char *us = getenv("MPI_DELAY_US");
    delay = us != NULL ? atof(us) * 1e-6 : 0;
    return code;
}

int MPI_Allgatherv(const void *from, int n, MPI_Datatype of, void *to, const int counts[], const int at[], MPI_Datatype as, MPI_Comm comm)
{
    int ranks;
    long long all = 0;
    PMPI_Comm_size(comm, &ranks);
    for (int r = 0; r < ranks; r++)
        all += counts[r];
    calls.exchanges++;
    double start = begin();
    return end(start, all, PMPI_Allgatherv(from, n, of, to, counts, at, as, comm));
}

int MPI_Bcast(void *data, int n, MPI_Datatype of, int root, MPI_Comm comm)
{
    calls.broadcasts++;
    double start = begin();
    return end(start, n, PMPI_Bcast(data, n, of, root, comm));
}

int MPI_Send(const void *data, int n, MPI_Datatype of, int to, int tag, MPI_Comm comm)
{
    calls.sends++;
    double start = begin();
    return end(start, n, PMPI_Send(data, n, of, to, tag, comm));
}

int MPI_Recv(void *data, int n, MPI_Datatype of, int from, int tag, MPI_Comm comm, MPI_Status *status)
{
    calls.receives++;
    double start = begin();
    return end(start, n, PMPI_Recv(data, n, of, from, tag, comm, status));
}

int MPI_Allreduce(const void *from, void *to, int n, MPI_Datatype of, MPI_Op op, MPI_Comm comm)
{
    calls.sums++;
    double start = begin();
    return end(start, n * (long long)sizeof(float), PMPI_Allreduce(from, to, n, of, op, comm));
}

int MPI_Finalize(void)
{
    int rank;
    const char *path = getenv("MPI_DELAY_LOG");
    PMPI_Comm_rank(MPI_COMM_WORLD, &rank);
    FILE *log = rank == 0 && path != NULL ? fopen(path, "a") : NULL;
    if (log != NULL) {
        fprintf(log, "{\"exchanges\": %lld, \"broadcasts\": %lld, \"sends\": %lld, \"receives\": %lld, \"sums\": %lld, \"bytes\": %lld, "
            "\"seconds\": %.6f, \"processor_seconds\": %.6f}\n", calls.exchanges, calls.broadcasts, calls.sends, calls.receives, calls.sums, bytes, seconds, processor_seconds);
        fclose(log);
    }
    return PMPI_Finalize();
}
