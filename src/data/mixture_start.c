/* Where a mixture's fit starts: k-means++ and a shared covariance. */
#include "base/error.h"
#include "base/mem.h"
#include "base/random.h"
#include "data/mixture_inside.h"
#include <math.h>
#include <string.h>

enum { GROUPS = 8, ROUNDS = 8 };

typedef struct seeding {
    const lam_mixture *m;
    const double *x;
    size_t n, k;     /* rows; the centre that is new */
    double *nearest; /* [n] squared distance to the nearest centre so far, units of z */
} seeding;

static void measure_group(void *arg, size_t group, size_t thread)
{
    const seeding *s = arg;
    size_t dim = s->m->dim;
    (void)thread;
    for (size_t row = group * s->n / GROUPS; row < (group + 1) * s->n / GROUPS; row++) {
        double sum = 0;
        for (size_t j = 0; j < dim; j++) {
            double z = (s->x[row * dim + j] - s->m->center[j]) / s->m->scale[j] - s->m->mean[s->k * dim + j];
            sum += z * z;
        }
        if (s->k == 0 || sum < s->nearest[row])
            s->nearest[row] = sum;
    }
}

/* k-means++: the first mean is any row, each further one a row drawn with probability proportional to its squared distance from
 * the nearest mean. */
static void seed_means(seeding *s, const lam_mixture_options *o, lam_mixture *m)
{
    size_t dim = m->dim, row = (size_t)(lam_random_uniform(o->seed, LAM_DRAW_MIXTURE, 0, 0) * (double)s->n);
    for (size_t k = 0; k < m->components; k++) {
        for (size_t j = 0; j < dim; j++)
            m->mean[k * dim + j] = (s->x[row * dim + j] - m->center[j]) / m->scale[j];
        s->k = k;
        lam_pool_run(o->pool, GROUPS, measure_group, s);
        double total = 0, sum = 0;
        for (size_t i = 0; i < s->n; i++)
            total += s->nearest[i];
        double drawn = lam_random_uniform(o->seed, LAM_DRAW_MIXTURE, k + 1, 0) * total;
        for (row = 0; row + 1 < s->n; row++)
            if ((sum += s->nearest[row]) > drawn)
                break;
    }
}

/* The clusters of the last pass, in which y = z - mean: weights, means, and covariances (S_k + (dim + 1) S / n) / (N_k + dim + 1)
 * + ridge, S_k being a cluster's sum of squares about its mean and S that of all. room [2 dim dim + dim]. */
static void describe_clusters(const lam_mixture_pass *pass, size_t n, double ridge, double *room, lam_mixture *m)
{
    size_t dim = m->dim, square = dim * dim;
    double *common = room, *own = common + square, *first = own + square, prior = (double)(dim + 1);
    memset(common, 0, square * sizeof(double));
    for (int last = 0; last < 2; last++) /* what is common first */
        for (size_t k = 0; k < m->components; k++) {
            double count = lam_mixture_pass_sums(pass, k, first, own);
            for (size_t i = 0; i < square && count > 0; i++)
                own[i] -= first[i / dim] * first[i % dim] / count;
            for (size_t i = 0; i < square && !last; i++)
                common[i] += own[i] / (double)n;
            if (!last)
                continue;
            m->weight[k] = count / (double)n;
            for (size_t i = 0; i < dim && count > 0; i++)
                m->mean[k * dim + i] += first[i] / count;
            for (size_t i = 0; i < square; i++)
                own[i] = (own[i] + prior * common[i]) / (count + prior) + (i % (dim + 1) == 0 ? ridge : 0);
            (void)lam_mixture_set_covariance(m, k, own); /* singular: a sphere of radius 1 stays */
        }
}

lam_status lam_mixture_start(const double *x, size_t n, const lam_mixture_options *o, lam_mixture_pass *pass, lam_mixture *m)
{
    size_t dim = m->dim;
    double *nearest = lam_alloc(n, sizeof(double)), *room = lam_alloc(2 * dim + 1, dim * sizeof(double));
    lam_status status = nearest == NULL || room == NULL ? LAM_ERR_MEMORY : LAM_OK;
    if (status == LAM_OK) {
        seeding s = { .m = m, .x = x, .n = n, .nearest = nearest };
        seed_means(&s, o, m);
        for (size_t k = 0; k < m->components; k++) {
            m->weight[k] = 1 / (double)m->components;
            for (size_t i = 0; i < dim * dim; i += dim + 1)
                m->lower[k * dim * dim + i] = m->whiten[k * dim * dim + i] = 1;
        }
        for (size_t round = 0; round < ROUNDS; round++) {
            (void)lam_mixture_pass_run(pass, x, NULL, n, LAM_MIXTURE_HARD, 0, NULL);
            for (size_t k = 0; k < m->components && round + 1 < ROUNDS; k++) {
                double count = lam_mixture_pass_sums(pass, k, room, room + dim);
                for (size_t i = 0; i < dim && count > 0; i++)
                    m->mean[k * dim + i] += room[i] / count;
            }
        }
        describe_clusters(pass, n, o->ridge, room, m);
    }
    lam_free(nearest);
    lam_free(room);
    return status;
}
