/* The image nets, fast: convolutions by oneDNN, linear maps by its matrix product, gates by our kernels; in float.
 *
 *     lam_net_encoder(&shape, 28, 28);
 *     lam_net_create(&shape, pool, NULL, "auto", 100, 0, &net);
 *     lam_net_forward(net, params, x, rows, y);
 *     lam_net_backward(net, params, g_y, &g_params, NULL);
 *
 * The batch is cut into at most LAM_NET_GROUPS groups that depend on the number of rows alone (lam_net_batch);
 * gradients are sums over a group, which a tree adds (flow/sums.h). So the bits do not depend on the number of threads or of ranks. */
#ifndef LAM_VAE_NET_H
#define LAM_VAE_NET_H
#include "base/batch.h"
#include "vae/shape.h"

enum { LAM_NET_GROUPS = 8 };

/* So many rows (at least 1) as a net cuts them: a tile is a group. Of several ranks each has a range of groups. */
static inline lam_batch lam_net_batch(lam_pool *pool, const lam_comm *comm, size_t rows)
{
    size_t each = (rows + LAM_NET_GROUPS - 1) / LAM_NET_GROUPS, groups = (rows + each - 1) / each;
    return (lam_batch) { .pool = pool, .comm = comm, .rows = rows, .tiles = groups, .groups = groups, .tile_rows = each };
}

typedef struct lam_net lam_net;

/* For batches of up to `rows` rows. comm: ranks that make the same calls, each for its own rows of the batch; NULL: none. The pool must outlive the
 * net. isa as in lam_kernels_get, for the gates. input_gradient:
 * lam_net_backward may be asked for g_x (images are taken in a faster form where it is not). LAM_ERR_UNSUPPORTED in a build
 * without oneDNN. */
lam_status lam_net_create(const lam_net_shape *shape, lam_pool *pool, const lam_comm *comm, const char *isa, size_t rows, int input_gradient,
    lam_net **out);
/* x [rows, in_count], channel by channel; y [rows, pixels, channels]; of both only this rank's rows are looked at. The net keeps what the
 * reverse needs. */
lam_status lam_net_forward(lam_net *net, const float *params, const float *x, size_t rows, float *y);
/* The reverse of the last forward call, with its params, of the sum over y of g_y y: g_x [rows, in_count] (NULL: not wanted), and the
 * gradient of the parameters, set: part[group] [parameters] for each group that is left on this rank (lam_sums_is_left), on one rank 0 alone.
 * May be called again with other cotangents. */
lam_status lam_net_backward(lam_net *net, const float *params, const float *g_y, float *const *part, float *g_x);
/* A number that is the same on machines on which oneDNN chooses the same instructions. */
unsigned lam_net_instructions(void);
/* Bytes that the net holds. */
size_t lam_net_bytes(const lam_net *net);
void lam_net_free(lam_net *net); /* takes NULL */

#endif
