/* This room's names in the width that a file is compiled for (base/width.h): sources say lam_x, the linker sees lam_x_f32 or
 * lam_x_f64. A new function or type with two widths has its line here. */
#ifndef LAM_VAE_NAMES_H
#define LAM_VAE_NAMES_H
#include "base/width.h"

#define lam_any_net LAM_W(lam_any_net)
#define lam_any_net_backward LAM_W(lam_any_net_backward)
#define lam_any_net_create LAM_W(lam_any_net_create)
#define lam_any_net_forward LAM_W(lam_any_net_forward)
#define lam_any_net_free LAM_W(lam_any_net_free)
#define lam_elbo LAM_W(lam_elbo)
#define lam_elbo_backward LAM_W(lam_elbo_backward)
#define lam_elbo_call LAM_W(lam_elbo_call)
#define lam_elbo_column LAM_W(lam_elbo_column)
#define lam_elbo_create LAM_W(lam_elbo_create)
#define lam_elbo_decode LAM_W(lam_elbo_decode)
#define lam_elbo_encode LAM_W(lam_elbo_encode)
#define lam_elbo_mark LAM_W(lam_elbo_mark)
#define lam_elbo_engine LAM_W(lam_elbo_engine)
#define lam_elbo_forward LAM_W(lam_elbo_forward)
#define lam_elbo_free LAM_W(lam_elbo_free)
#define lam_elbo_own_rows LAM_W(lam_elbo_own_rows)
#define lam_elbo_parts LAM_W(lam_elbo_parts)
#define lam_elbo_parts_add LAM_W(lam_elbo_parts_add)
#define lam_elbo_parts_at LAM_W(lam_elbo_parts_at)
#define lam_elbo_push LAM_W(lam_elbo_push)
#define lam_elbo_ranks LAM_W(lam_elbo_ranks)
#define lam_elbo_ranks_clear LAM_W(lam_elbo_ranks_clear)
#define lam_elbo_ranks_create LAM_W(lam_elbo_ranks_create)
#define lam_elbo_share LAM_W(lam_elbo_share)
#define lam_linear LAM_W(lam_linear)
#define lam_linear_create LAM_W(lam_linear_create)
#define lam_linear_forward LAM_W(lam_linear_forward)
#define lam_linear_free LAM_W(lam_linear_free)
#define lam_linear_reverse LAM_W(lam_linear_reverse)
#define lam_pixel_rows LAM_W(lam_pixel_rows)
#define lam_pixels_log_p LAM_W(lam_pixels_log_p)
#define lam_plain_backward LAM_W(lam_plain_backward)
#define lam_plain_forward LAM_W(lam_plain_forward)
#define lam_variance LAM_W(lam_variance)

#endif
