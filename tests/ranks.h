/* Several ranks in one process, a thread each: what MPI does between processes, and how often it is asked to. Include after cmocka.h. */
#ifndef LAM_TESTS_RANKS_H
#define LAM_TESTS_RANKS_H
#include "base/comm.h"
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

enum { MOST_RANKS = 5 };

typedef struct team team;
typedef struct member {
    team *of;
    lam_comm comm;
    size_t at[MOST_RANKS], bytes[MOST_RANKS];
    pthread_t thread;
    void (*work)(void *arg, const lam_comm *comm);
    void *arg;
} member;

struct team {
    size_t size;
    member member[MOST_RANKS];
    pthread_barrier_t barrier;
    void *data[MOST_RANKS];      /* what each shows the others */
    double sum[1 << 16];
    struct {
        const void *data;
        sem_t there, taken;
    } mail[MOST_RANKS][MOST_RANKS]; /* [from][to] */
    size_t exchanges, bytes, broadcasts; /* of rank 0; */
    size_t sends[MOST_RANKS];            /* and of each */
};

static inline void team_show(const member *m, void *data)
{
    m->of->data[m->comm.rank] = data;
    pthread_barrier_wait(&m->of->barrier);
}

static inline void team_exchange(void *self, void *data, const size_t *at, const size_t *bytes)
{
    const member *m = self;
    team_show(m, data);
    for (size_t r = 0; r < m->of->size; r++) {
        if (r != m->comm.rank)
            memcpy((char *)data + at[r], (const char *)m->of->data[r] + at[r], bytes[r]);
        if (m->comm.rank == 0)
            m->of->bytes += bytes[r];
    }
    if (m->comm.rank == 0) /* alone: adding 0 is a write too */
        m->of->exchanges++;
    pthread_barrier_wait(&m->of->barrier);
}

static inline void team_broadcast(void *self, void *data, size_t bytes)
{
    const member *m = self;
    team_show(m, data);
    if (m->comm.rank != 0)
        memcpy(data, m->of->data[0], bytes);
    if (m->comm.rank == 0)
        m->of->broadcasts++;
    pthread_barrier_wait(&m->of->barrier);
}

static inline void team_send(void *self, size_t to, const void *data, size_t bytes)
{
    const member *m = self;
    (void)bytes;
    m->of->mail[m->comm.rank][to].data = data;
    m->of->sends[m->comm.rank]++;
    sem_post(&m->of->mail[m->comm.rank][to].there);
    sem_wait(&m->of->mail[m->comm.rank][to].taken);
}

static inline void team_receive(void *self, size_t from, void *data, size_t bytes)
{
    const member *m = self;
    sem_wait(&m->of->mail[from][m->comm.rank].there);
    memcpy(data, m->of->mail[from][m->comm.rank].data, bytes);
    sem_post(&m->of->mail[from][m->comm.rank].taken);
}

static inline void team_sum(void *self, void *data, size_t n, size_t width)
{
    const member *m = self;
    team_show(m, data);
    if (m->comm.rank == 0)
        for (size_t i = 0; i < n; i++) {
            m->of->sum[i] = 0;
            for (size_t r = m->of->size; r-- > 0;)
                m->of->sum[i] += width == 8 ? ((const double *)m->of->data[r])[i] : (double)((const float *)m->of->data[r])[i];
        }
    pthread_barrier_wait(&m->of->barrier);
    for (size_t i = 0; i < n; i++) {
        if (width == 8)
            ((double *)data)[i] = m->of->sum[i];
        else
            ((float *)data)[i] = (float)m->of->sum[i];
    }
    pthread_barrier_wait(&m->of->barrier);
}

static inline void *team_begin(void *arg)
{
    member *m = arg;
    m->work(m->arg, &m->comm);
    return NULL;
}

/* Runs work(arg[rank]) on so many ranks; arg [size] of so many bytes each. */
static inline void team_run(team *t, size_t size, void (*work)(void *arg, const lam_comm *comm), void *arg, size_t each)
{
    memset(t, 0, sizeof *t);
    t->size = size;
    pthread_barrier_init(&t->barrier, NULL, (unsigned)size);
    for (size_t r = 0; r < size; r++) {
        member *m = &t->member[r];
        *m = (member) { .of = t, .work = work, .arg = (char *)arg + r * each };
        m->comm = (lam_comm) { .self = m, .rank = r, .size = size, .at = m->at, .bytes = m->bytes, .exchange = team_exchange,
            .broadcast = team_broadcast, .send = team_send, .receive = team_receive, .sum = team_sum };
        for (size_t to = 0; to < size; to++) {
            sem_init(&t->mail[r][to].there, 0, 0);
            sem_init(&t->mail[r][to].taken, 0, 0);
        }
    }
    for (size_t r = 0; r < size; r++)
        pthread_create(&t->member[r].thread, NULL, team_begin, &t->member[r]);
    for (size_t r = 0; r < size; r++)
        pthread_join(t->member[r].thread, NULL);
    pthread_barrier_destroy(&t->barrier);
}

#endif
