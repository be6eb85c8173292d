/* Loads MPI where mpirun has started the program, and keeps the ranks together from start to end. */
#include "ranks.h"
#include "cli.h"
#include "../mpi/program.h"
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double PATIENCE = 3; /* seconds for the others to fail too */

static const lam_mpi_program *calls;
static const lam_comm *comm;
static size_t rank, ranks = 1;
static int own_stderr = -1; /* of a rank other than 0: where its messages go if it fails alone */
static FILE *kept;          /* until then */

/* Processes, by the environment that mpirun makes: Open MPI, MPICH and those that speak PMI, PMIx. 1: none. */
static long started_with(void)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value != NULL)
            return strtol(value, NULL, 10);
    }
    return getenv("PMIX_RANK") != NULL ? 2 : 1;
}

/* The library lies beside the program, or where libraries are installed. */
static void *open_library(void)
{
#ifdef LAM_MPI_LIBRARY
    char own[4096];
    ssize_t n = readlink("/proc/self/exe", own, sizeof own - 1);
    void *library = NULL;
    if (n > 0) {
        own[n] = '\0';
        char *slash = strrchr(own, '/');
        static const char *const places[] = {"", "../" LAM_LIBRARY_FOLDER "/"};
        for (size_t i = 0; slash != NULL && library == NULL && i < 2; i++) {
            char *path = cli_format("%.*s/%s%s", (int)(slash - own), own, places[i], LAM_MPI_LIBRARY);
            library = dlopen(path, RTLD_NOW | RTLD_GLOBAL); /* Open MPI's own parts look for its symbols */
            free(path);
        }
    }
    return library != NULL ? library : dlopen(LAM_MPI_LIBRARY, RTLD_NOW | RTLD_GLOBAL);
#else
    return NULL;
#endif
}

static int load(void)
{
    void *library = open_library();
#ifdef LAM_MPI_LIBRARY
    if (library == NULL)
        return cli_fail("mpirun has started several processes, and %s cannot be loaded: %s", LAM_MPI_LIBRARY, dlerror());
    calls = dlsym(library, LAM_MPI_PROGRAM);
    if (calls == NULL || strcmp(calls->version, lam_version()) != 0)
        return cli_fail("%s is not of this version of laminar", LAM_MPI_LIBRARY);
    return CLI_OK;
#else
    (void)library;
    return cli_fail("mpirun has started several processes, and this laminar was built without MPI: install libopenmpi-dev and build it again, or "
        "start it without mpirun");
#endif
}

/* What is said is kept, for the case that nobody else says it. */
static void be_quiet(void)
{
    int nowhere = open("/dev/null", O_WRONLY);
    kept = tmpfile();
    fflush(stdout);
    fflush(stderr);
    own_stderr = dup(STDERR_FILENO);
    if (nowhere >= 0)
        dup2(nowhere, STDOUT_FILENO);
    if (kept != NULL || nowhere >= 0)
        dup2(kept != NULL ? fileno(kept) : nowhere, STDERR_FILENO);
    if (nowhere >= 0)
        close(nowhere);
}

int cli_ranks_begin(int *argc, char ***argv)
{
    if (started_with() < 2)
        return CLI_OK;
    int code = load();
    if (code != CLI_OK)
        return code;
    comm = calls->begin(argc, argv, &rank, &ranks);
    if (comm == NULL)
        return cli_fail("MPI could not be started");
    if (rank > 0)
        be_quiet();
    return CLI_OK;
}

/* What a rank has to say that failed otherwise than rank 0, each line with its number. */
static void tell_own(void)
{
    char line[2048];
    FILE *to = own_stderr >= 0 && kept != NULL ? fdopen(own_stderr, "w") : NULL;
    if (to == NULL)
        return;
    fflush(stderr);
    rewind(kept);
    while (fgets(line, sizeof line, kept) != NULL)
        fprintf(to, "rank %zu of %zu: %s", rank, ranks, line);
    fflush(to);
    kept = NULL;
}

int cli_ranks_end(int code)
{
    int first;
    if (comm == NULL)
        return code;
    fflush(stderr);
    if (!calls->meet(code, PATIENCE, &first)) {
        if (rank > 0)
            tell_own();
        else
            cli_say("rank 0 of %zu has failed, and the others go on; the job ends here", ranks);
        calls->abort(code);
        return code;
    }
    if (rank > 0 && code != CLI_OK && first == CLI_OK)
        tell_own();
    calls->end();
    return code;
}

const lam_comm *cli_ranks(void)
{
    return comm;
}

int cli_is_first(void)
{
    return rank == 0;
}

int cli_agree(int code)
{
    int first = code, all = comm == NULL ? code : calls->agree(code, &first);
    if (rank > 0 && code != CLI_OK && first == CLI_OK)
        tell_own();
    return all;
}
