/* Runs a net by oneDNN or by plain loops. */
#include "vae/any_net.h"
#include "base/error.h"
#include "base/mem.h"
#include "vae/net.h"
#include "vae/plain.h"

struct lam_any_net {
    const lam_net_shape *shape;
    lam_net *fast; /* NULL: plain loops */
    real *keep;    /* [rows, lam_plain_kept] of plain loops */
    const real *x; /* of the last forward call */
    size_t rows;
};

lam_status lam_any_net_create(const lam_net_shape *shape, lam_pool *pool, const char *isa, size_t rows, int input_gradient,
    int plain, lam_any_net **out)
{
    lam_any_net *n = *out = lam_alloc(1, sizeof *n);
    if (n == NULL)
        return LAM_ERR_MEMORY;
    lam_status status = LAM_OK;
    n->shape = shape;
    if (plain || LAM_WIDTH == 64) {
        n->keep = lam_alloc(rows * lam_plain_kept(shape), sizeof(real));
        status = n->keep != NULL ? LAM_OK : LAM_ERR_MEMORY;
    } else {
        status = lam_net_create(shape, pool, isa, rows, input_gradient, &n->fast);
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
    n->rows = rows;
#if LAM_WIDTH == 32
    if (n->fast != NULL)
        return lam_net_forward(n->fast, params, x, rows, y);
#endif
    return lam_plain_forward(n->shape, params, x, rows, n->keep, y);
}

lam_status lam_any_net_backward(lam_any_net *n, const real *params, const real *g_y, real *g_params, real *g_x)
{
#if LAM_WIDTH == 32
    if (n->fast != NULL)
        return lam_net_backward(n->fast, params, g_y, g_params, g_x);
#endif
    return lam_plain_backward(n->shape, params, n->x, n->rows, n->keep, g_y, g_params, g_x);
}
