/* lam_net in a build without oneDNN; the real one is in the dnnl_*.c files. */
#include "vae/net.h"
#include "base/error.h"

#ifndef LAM_HAVE_DNNL
static lam_status none(void)
{
    return lam_fail(LAM_ERR_UNSUPPORTED, "this build has no image nets (variational auto-encoder): install libdnnl-dev and build again");
}

lam_status lam_net_create(const lam_net_shape *shape, lam_pool *pool, const lam_comm *comm, const char *isa, size_t rows, int input_gradient,
    lam_net **out)
{
    (void)shape, (void)pool, (void)comm, (void)isa, (void)rows, (void)input_gradient;
    *out = NULL;
    return none();
}

lam_status lam_net_forward(lam_net *net, const float *params, const float *x, size_t rows, float *y)
{
    (void)net, (void)params, (void)x, (void)rows, (void)y;
    return none();
}

lam_status lam_net_backward(lam_net *net, const float *params, const float *g_y, float *const *part, float *g_x)
{
    (void)net, (void)params, (void)g_y, (void)part, (void)g_x;
    return none();
}

unsigned lam_net_instructions(void)
{
    return 0;
}

size_t lam_net_bytes(const lam_net *net)
{
    (void)net;
    return 0;
}

void lam_net_free(lam_net *net)
{
    (void)net;
}
#endif
