/* What the ranks of a run agree on: time, stops, failures, and that they do the same. */
#include "base/clock.h"
#include "base/error.h"
#include "data/hash.h"
#include "kernels/isa.h"
#include "model/config.h"
#include "model/config_yaml.h"
#include "train/run.h"
#include <stdlib.h>
#include <string.h>

/* What rank 0 says. */
typedef struct word {
    double now, cpu_now, started, cpu_started, train_seconds, train_cpu_seconds;
    int stop;
    lam_status line;
} word;

lam_status lam_run_agree(lam_run *run, int *stop)
{
    const lam_comm *comm = run->options->comm;
    lam_fit_state *s = &run->state;
    word w = { lam_clock(), lam_cpu_clock(), run->started, run->cpu_started, s->train_seconds, s->train_cpu_seconds, stop != NULL && *stop, run->line };
    lam_comm_broadcast(comm, &w, sizeof w);
    run->now = w.now;
    run->cpu_now = w.cpu_now;
    run->started = w.started;
    run->cpu_started = w.cpu_started;
    s->train_seconds = w.train_seconds;
    s->train_cpu_seconds = w.train_cpu_seconds;
    if (stop != NULL)
        *stop = w.stop;
    return w.line == LAM_OK ? LAM_OK : lam_comm_agree(comm, run->line);
}

typedef struct digest {
    uint64_t half[2];
} digest;

static digest digest_of(const void *bytes, size_t size)
{
    static const uint64_t seed[2] = { 20, 0 };
    digest d;
    lam_hash128(bytes, size, seed, d.half);
    return d;
}

/* Of what the result depends on: each rank may have its own number of threads. */
static lam_status digest_config(const lam_config *cfg, digest *out)
{
    lam_config same;
    char *text = NULL;
    size_t size;
    lam_config_init(&same);
    lam_status status = lam_config_copy(&same, cfg);
    same.threads = 0;
    if (status == LAM_OK)
        status = lam_config_print(&same, &text, &size);
    if (status == LAM_OK)
        *out = digest_of(text, size);
    free(text);
    lam_config_clear(&same);
    return status;
}

/* LAM_ERR_ARGUMENT, on every rank, where one's bytes are not rank 0's. */
static lam_status compare(const lam_comm *comm, const void *bytes, size_t size, const char *what, const char *remedy)
{
    size_t rank;
    LAM_TRY(lam_comm_compare(comm, bytes, size, &rank));
    return rank >= comm->size ? LAM_OK : lam_fail(LAM_ERR_ARGUMENT, "rank %zu has %s than rank 0; %s", rank, what, remedy);
}

lam_status lam_run_compare(const lam_run *run)
{
    const lam_comm *comm = run->options->comm;
    const lam_fit_state *s = &run->state;
    const uint64_t done[2] = { s->warm, s->iteration };
    digest config = { { 0 } }, data = digest_of(run->target->data_hash, strlen(run->target->data_hash));
    lam_isa isa = LAM_SCALAR;
    if (!lam_comm_is_several(comm))
        return LAM_OK;
    LAM_TRY(lam_comm_agree(comm, lam_isa_choose(run->cfg->isa, &isa)));
    LAM_TRY(lam_comm_agree(comm, digest_config(run->cfg, &config)));
    const uint64_t set = isa;
    LAM_TRY(compare(comm, &data, sizeof data, "other rows", "every rank reads the same file, by the same flags"));
    LAM_TRY(compare(comm, &set, sizeof set, "another instruction set", "its results would differ by rounding; give all ranks one that all machines "
        "have, such as --isa avx2"));
    LAM_TRY(compare(comm, &config, sizeof config, "another configuration", "start all ranks with the same flags"));
    LAM_TRY(compare(comm, done, sizeof done, "another checkpoint", "every rank reads the same file in the folder of the run"));
    return lam_run_compare_parameters(run);
}

lam_status lam_run_compare_parameters(const lam_run *run)
{
    const lam_comm *comm = run->options->comm;
    const lam_fit_state *s = &run->state;
    size_t rank;
    if (!lam_comm_is_several(comm))
        return LAM_OK;
    const digest params = digest_of(s->params, s->parameters * s->real_size);
    LAM_TRY(lam_comm_compare(comm, &params, sizeof params, &rank));
    if (rank >= comm->size)
        return LAM_OK;
    return lam_fail(LAM_ERR_DIVERGED, "after iteration %llu rank %zu has other parameters than rank 0: its machine computes otherwise. Use machines of one kind, "
        "or look for a fault of that one", (unsigned long long)s->iteration, rank);
}
