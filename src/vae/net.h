/* The image nets, fast: convolutions by oneDNN, linear maps by its matrix product, gates by our kernels; in float.
 *
 *     lam_net_encoder(&shape, 28, 28);
 *     lam_net_create(&shape, pool, "auto", 100, 0, &net);
 *     lam_net_forward(net, params, x, rows, y);
 *     lam_net_backward(net, params, g_y, g_params, NULL);
 *
 * The batch is cut into at most LAM_NET_GROUPS groups that depend on the number of rows and the net's capacity alone, each
 * worked on by one thread; gradients are added in the order of the groups. So the bits do not depend on the number of threads. */
#ifndef LAM_VAE_NET_H
#define LAM_VAE_NET_H
#include "base/pool.h"
#include "vae/shape.h"

enum { LAM_NET_GROUPS = 8 };

typedef struct lam_net lam_net;

/* For batches of up to `rows` rows. The pool must outlive the net. isa as in lam_kernels_get, for the gates. input_gradient:
 * lam_net_backward may be asked for g_x (images are taken in a faster form where it is not). LAM_ERR_UNSUPPORTED in a build
 * without oneDNN. */
lam_status lam_net_create(const lam_net_shape *shape, lam_pool *pool, const char *isa, size_t rows, int input_gradient, lam_net **out);
/* x [rows, in_count], channel by channel; y [rows, pixels, channels]. The net keeps what the reverse needs. */
lam_status lam_net_forward(lam_net *net, const float *params, const float *x, size_t rows, float *y);
/* The reverse of the last forward call, with its params, of the sum over y of g_y y: g_params [parameters] += ,
 * g_x [rows, in_count] = (NULL: not wanted). May be called again with other cotangents. */
lam_status lam_net_backward(lam_net *net, const float *params, const float *g_y, float *g_params, float *g_x);
/* Bytes that the net holds. */
size_t lam_net_bytes(const lam_net *net);
void lam_net_free(lam_net *net); /* takes NULL */

#endif
