/* Chooses the kernels of an instruction set. */
#include "kernels/kernels.h"
#include "base/error.h"
#include "kernels/isa.h"

#define DECLARE(isa) extern const lam_kernels LAM_W_ISA(lam_kernel_table, isa);
#if LAM_WIDTH == 32
#define LAM_W_ISA(name, isa) name##_f32_##isa
#else
#define LAM_W_ISA(name, isa) name##_f64_##isa
#endif
DECLARE(scalar)
#ifdef LAM_HAVE_sse2
DECLARE(sse2)
#endif
#ifdef LAM_HAVE_avx2
DECLARE(avx2)
#endif
#ifdef LAM_HAVE_avx512
DECLARE(avx512)
#endif
#ifdef LAM_HAVE_neon
DECLARE(neon)
#endif

lam_status lam_kernels_get(const char *name, const lam_kernels **out)
{
    lam_isa isa;
    LAM_TRY(lam_isa_choose(name, &isa));
    switch (isa) {
#ifdef LAM_HAVE_sse2
    case LAM_SSE2:
        *out = &LAM_W_ISA(lam_kernel_table, sse2);
        break;
#endif
#ifdef LAM_HAVE_avx2
    case LAM_AVX2:
        *out = &LAM_W_ISA(lam_kernel_table, avx2);
        break;
#endif
#ifdef LAM_HAVE_avx512
    case LAM_AVX512:
        *out = &LAM_W_ISA(lam_kernel_table, avx512);
        break;
#endif
#ifdef LAM_HAVE_neon
    case LAM_NEON:
        *out = &LAM_W_ISA(lam_kernel_table, neon);
        break;
#endif
    default:
        *out = &LAM_W_ISA(lam_kernel_table, scalar);
        break;
    }
    return LAM_OK;
}
