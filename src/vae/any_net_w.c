/* Runs a net by oneDNN or by plain loops. */
#include "vae/any_net.h"
#include "base/error.h"
#include "base/mem.h"
#include "flow/sums.h"
#include "vae/net.h"
#include "vae/plain.h"
#include <string.h>

struct lam_any_net {
    const lam_net_shape *shape;
    lam_net *fast; /* NULL: plain loops */
    lam_pool *pool;
    const lam_comm *comm;
    real *keep;    /* [rows, lam_plain_kept] of plain loops */
    const real *x; /* of the last forward call; */
    lam_batch batch;
};

lam_status lam_any_net_create(const lam_net_shape *shape, lam_pool *pool, const lam_comm *comm, const char *isa, size_t rows,
    int input_gradient, int plain, lam_any_net **out)
{
    lam_any_net *n = *out = lam_alloc(1, sizeof *n);
    if (n == NULL)
        return LAM_ERR_MEMORY;
    lam_status status = LAM_OK;
    n->shape = shape;
    n->pool = pool;
    n->comm = comm;
    if (plain || LAM_WIDTH == 64) {
        n->keep = lam_alloc(rows * lam_plain_kept(shape), sizeof(real));
        status = n->keep != NULL ? LAM_OK : LAM_ERR_MEMORY;
    } else {
        status = lam_net_create(shape, pool, comm, isa, rows, input_gradient, &n->fast);
    }
    if (status != LAM_OK) {
        lam_any_net_free(n);
        *out = NULL;
    }
    return status;
}

void lam_any_net_free(lam_any_net *n)
{
    if (n == NULL)
        return;
    lam_net_free(n->fast);
    lam_free(n->keep);
    lam_free(n);
}

lam_status lam_any_net_forward(lam_any_net *n, const real *params, const real *x, size_t rows, real *y)
{
    n->x = x;
    n->batch = lam_net_batch(n->pool, n->comm, rows);
#if LAM_WIDTH == 32
    if (n->fast != NULL)
        return lam_net_forward(n->fast, params, x, rows, y);
#endif
    const lam_net_shape *s = n->shape;
    lam_range own = lam_batch_own_rows(&n->batch);
    return lam_plain_forward(s, params, x + own.first * s->in_count, own.end - own.first, n->keep + own.first * lam_plain_kept(s),
        y + own.first * s->out_count);
}

/* ---- the reverse of plain loops ----------------------------------------------------------------------------------- */

typedef struct plain_reverse {
    const lam_any_net *net;
    const real *params, *g_y;
    real *g_x;
    lam_status status;
} plain_reverse;

/* A group's gradient. */
static void reverse_group(void *arg, size_t group, real *to)
{
    plain_reverse *p = arg;
    const lam_any_net *n = p->net;
    const lam_net_shape *s = n->shape;
    lam_range rows = lam_batch_group_rows(&n->batch, group);
    memset(to, 0, s->parameters * sizeof *to);
    lam_status status = lam_plain_backward(s, p->params, n->x + rows.first * s->in_count, rows.end - rows.first,
        n->keep + rows.first * lam_plain_kept(s), p->g_y + rows.first * s->out_count, to, p->g_x != NULL ? p->g_x + rows.first * s->in_count : NULL);
    p->status = p->status == LAM_OK ? status : p->status;
}

lam_status lam_any_net_backward(lam_any_net *n, const real *params, const real *g_y, real *const *part, real *g_x)
{
#if LAM_WIDTH == 32
    if (n->fast != NULL)
        return lam_net_backward(n->fast, params, g_y, part, g_x);
#endif
    size_t numbers = n->shape->parameters;
    real *room = lam_alloc(lam_sums_levels(n->batch.groups) * numbers, sizeof *room);
    if (room == NULL)
        return LAM_ERR_MEMORY;
    plain_reverse p = { n, params, g_y, g_x, LAM_OK };
    const lam_sums_part tree = { .batch = &n->batch, .leaf = reverse_group, .arg = &p, .n = numbers, .room = room };
    for (size_t group = 0; group < n->batch.groups; group++)
        if (lam_sums_is_left(&n->batch, group))
            lam_sums_of_part(&tree, group, part[group]);
    lam_free(room);
    return p.status;
}
