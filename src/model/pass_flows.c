/* Passes through a model of several flows, the mixture of equal weights (method.md 18): one after the other. */
#include "base/error.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/stats.h"
#include "model/pass.h"
#include "model/setting.h"
#include <math.h>
#include <string.h>

size_t lam_pass_flows(const lam_pass *pass)
{
    return pass->alone ? 1 : lam_model_flows(pass->model);
}

void lam_pass_take_flow(lam_pass *pass, size_t k)
{
    pass->alone = 1;
    if (k == 0)
        return;
    pass->model = lam_model_flow(pass->model, k); /* each remembers the steps of its own fit */
    pass->h_star = pass->model->h_star_test;
    pass->h_star_of = lam_config_setting(&pass->model->config);
    pass->learned = NULL;
}

lam_pass lam_pass_of_flow(const lam_pass *pass, size_t k, size_t n)
{
    lam_pass of = *pass;
    size_t flows = lam_pass_flows(pass);
    of.total = flows * (pass->total > 0 ? pass->total : n);
    of.done = flows * pass->done + k * n;
    if (flows > 1)
        lam_pass_take_flow(&of, k);
    return of;
}

lam_status lam_pass_need_one(const lam_pass *pass)
{
    size_t flows = lam_pass_flows(pass);
    return flows == 1 ? LAM_OK : lam_fail(LAM_ERR_ARGUMENT, "this model is the mixture of %zu flows, which has no one map between rows and base "
        "density; take one of them (--flow 1, flow=1 in Python, lam_eval_options.flow in C), or fit a model of one flow (flows 1)", flows);
}

lam_status lam_pass_mix(const lam_pass *pass, const double *x, size_t n, double *logp, lam_counts *counts)
{
    size_t flows = lam_pass_flows(pass);
    double *here = lam_alloc(n, sizeof *here);
    lam_status status = here == NULL ? LAM_ERR_MEMORY : LAM_OK;
    for (size_t k = 0; k < flows && status == LAM_OK; k++) {
        const lam_pass of = lam_pass_of_flow(pass, k, n);
        status = lam_pass_log_prob(&of, x, n, k == 0 ? logp : here, counts);
        for (size_t i = 0; k > 0 && status == LAM_OK && i < n; i++)
            logp[i] = lam_log_of_sum(logp[i], here[i]);
    }
    for (size_t i = 0; status == LAM_OK && i < n; i++)
        logp[i] -= log((double)flows);
    lam_free(here);
    return status;
}

/* ---- draws -------------------------------------------------------------------------------------------------------- */

/* The draws of one flow among all. */
typedef struct share {
    const lam_rows *all;
    size_t dim, n;
    size_t *at; /* [n] their numbers, ascending */
} share;

static void fill(void *self, size_t first, size_t rows, double *x)
{
    const share *s = self;
    for (size_t r = 0; r < rows; r++)
        s->all->fill(s->all->self, s->at[first + r], 1, x + r * s->dim);
}

static lam_status take(void *self, size_t first, size_t rows, const double *x, const double *y, const double *logp)
{
    const share *s = self;
    (void)logp;
    for (size_t r = 0; r < rows; r++)
        LAM_TRY(s->all->take(s->all->self, s->at[first + r], 1, x + r * s->dim, y + r * s->dim, NULL));
    return LAM_OK;
}

/* The draws that belong to flow k: draw i of a row to the same one however the rows come in parts. */
static void choose(const lam_pass *pass, uint64_t seed, size_t k, size_t n, share *s)
{
    size_t flows = lam_pass_flows(pass), each = pass->each;
    s->n = 0;
    for (size_t i = 0; i < n; i++) {
        double u = lam_random_uniform(seed, LAM_DRAW_FLOW, pass->first_row + i / each, i % each);
        if ((size_t)(u * (double)flows) == k)
            s->at[s->n++] = i;
    }
}

/* What is asked of each of them. */
static lam_status roles_of(const lam_pass *pass, const share *s, unsigned char **roles)
{
    *roles = NULL;
    if (pass->roles == NULL || pass->n_roles == 1)
        return LAM_OK;
    if ((*roles = lam_alloc(s->n * s->dim + 1, 1)) == NULL)
        return LAM_ERR_MEMORY;
    for (size_t r = 0; r < s->n; r++)
        memcpy(*roles + r * s->dim, pass->roles + s->at[r] / pass->each * s->dim, s->dim);
    return LAM_OK;
}

/* all: draws of all flows, of which `done` are done. */
static lam_status draw_of_flow(const lam_pass *pass, size_t k, size_t done, size_t all, share *s, lam_counts *counts)
{
    const lam_rows rows = { s, fill, take };
    unsigned char *roles;
    lam_pass of = lam_pass_of_flow(pass, k, 0);
    of.total = pass->total > 0 ? pass->total : all; /* every draw is of one flow */
    of.done = pass->done + done;
    LAM_TRY(roles_of(pass, s, &roles));
    if (roles != NULL) {
        of.roles = roles;
        of.n_roles = s->n;
        of.each = 1;
    }
    lam_status status = lam_pass_run(&of, 0, 0, s->n, &rows, counts);
    lam_free(roles);
    return status;
}

lam_status lam_pass_draw(const lam_pass *pass, uint64_t seed, int with_l, size_t n, const lam_rows *rows, lam_counts *counts)
{
    if (lam_pass_flows(pass) == 1)
        return lam_pass_run(pass, 0, with_l, n, rows, counts);
    share s = { .all = rows, .dim = pass->model->dim, .at = lam_alloc(n + 1, sizeof *s.at) };
    lam_status status = s.at == NULL ? LAM_ERR_MEMORY : LAM_OK;
    size_t done = 0;
    for (size_t k = 0; k < lam_pass_flows(pass) && status == LAM_OK; k++, done += s.n) {
        choose(pass, seed, k, n, &s);
        status = draw_of_flow(pass, k, done, n, &s, counts);
    }
    lam_free(s.at);
    return status;
}
