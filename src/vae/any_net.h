/* A net by whichever means: oneDNN in float where it is there, plain loops in double and for tests. */
#ifndef LAM_VAE_ANY_NET_H
#define LAM_VAE_ANY_NET_H
#include "base/comm.h"
#include "base/pool.h"
#include "vae/names.h"
#include "vae/shape.h"

typedef struct lam_any_net lam_any_net;

/* For batches of up to `rows` rows, on the ranks of comm; plain 1: plain loops. input_gradient: the reverse may be asked for g_x. */
lam_status lam_any_net_create(const lam_net_shape *shape, lam_pool *pool, const lam_comm *comm, const char *isa, size_t rows,
    int input_gradient, int plain, lam_any_net **out);
void lam_any_net_free(lam_any_net *net); /* takes NULL */
/* As lam_net_forward and lam_net_backward: x [rows, in_count] must stay until the reverse is done. */
lam_status lam_any_net_forward(lam_any_net *net, const real *params, const real *x, size_t rows, real *y);
lam_status lam_any_net_backward(lam_any_net *net, const real *params, const real *g_y, real *const *part, real *g_x);

#endif
