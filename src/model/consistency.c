/* How far the densities of a model of any columns given any others agree with each other (method.md 15): log p(a) + log p(b | a) is
 * log p(a, b) for any two sets of columns a and b, by the laws of probability, but each of the three is learned by itself. */
#include "base/error.h"
#include "base/mem.h"
#include "base/random.h"
#include "model/consistency.h"
#include <math.h>

/* A random row of roles: of what moves in lam_given_roles a and b are not empty, and together all of it. Of fewer than two columns: 0. */
static int split(const lam_given *g, const double *x, size_t row, uint64_t seed, unsigned char *whole, unsigned char *a, unsigned char *b)
{
    size_t there = 0, of_a = 0, seen = 0;
    lam_given_roles(g, x, 1, whole);
    for (size_t j = 0; j < g->dim; j++)
        there += whole[j] == LAM_MOVING;
    if (there >= 2)
        of_a = 1 + (size_t)(lam_random_uniform(seed, LAM_DRAW_ROLES_EVAL, 1, row * (g->dim + 1)) * (double)(there - 1));
    of_a = of_a >= there && there >= 2 ? there - 1 : of_a;
    for (size_t j = 0; j < g->dim; j++) {
        a[j] = b[j] = whole[j];
        if (whole[j] != LAM_MOVING)
            continue;
        double u = lam_random_uniform(seed, LAM_DRAW_ROLES_EVAL, 1, row * (g->dim + 1) + 1 + seen);
        int in_a = u * (double)(there - seen) < (double)of_a; /* selection sampling */
        of_a -= (size_t)in_a;
        seen++;
        a[j] = in_a ? LAM_MOVING : LAM_ABSENT;
        b[j] = in_a ? LAM_GIVEN : LAM_MOVING;
    }
    return there >= 2;
}

lam_status lam_consistency(const lam_pass *pass, const double *x, size_t n, uint64_t seed, double *rms)
{
    const lam_given *g = &pass->model->given;
    unsigned char *roles = lam_alloc(3 * n, g->dim), *counted = lam_alloc(n + 1, 1);
    double *logp = lam_alloc(3 * n + 1, sizeof *logp), square = 0;
    size_t rows = 0;
    lam_counts counts = { 0 };
    lam_status status = roles == NULL || counted == NULL || logp == NULL ? LAM_ERR_MEMORY : LAM_OK;
    for (size_t i = 0; status == LAM_OK && i < n; i++) {
        unsigned char *whole = roles + i * g->dim;
        counted[i] = (unsigned char)split(g, x + i * g->dim, i, seed, whole, whole + n * g->dim, whole + 2 * n * g->dim);
    }
    for (size_t k = 0; status == LAM_OK && k < 3; k++) {
        lam_pass p = *pass;
        p.done += k * n;
        status = lam_pass_set_roles(&p, roles + k * n * g->dim, n, n);
        if (status == LAM_OK)
            status = lam_pass_log_prob(&p, x, n, logp + k * n, &counts);
    }
    for (size_t i = 0; status == LAM_OK && i < n; i++) {
        double e = logp[n + i] + logp[2 * n + i] - logp[i];
        square += counted[i] ? e * e : 0;
        rows += counted[i];
    }
    *rms = rows > 0 ? sqrt(square / (double)rows) : (double)NAN;
    lam_free(roles);
    lam_free(counted);
    lam_free(logp);
    return status;
}
