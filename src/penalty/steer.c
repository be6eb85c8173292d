/* STEER: draws the end time of a block for an iteration of training. */
#include "penalty/steer.h"
#include "base/error.h"
#include "base/random.h"

lam_status lam_steer_end(uint64_t seed, uint64_t stream, double width, double end, double *drawn)
{
    if (!(width > 0 && width < end))
        return lam_fail(LAM_ERR_ARGUMENT, "steer %g is not between 0 and the end time %g of a block; lower it", width, end);
    *drawn = end + width * (2 * lam_random_uniform(seed, LAM_DRAW_STEER, stream, 0) - 1);
    return LAM_OK;
}
