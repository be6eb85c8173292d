/* Instruction sets by name, and whether this processor has them. */
#include "kernels/isa.h"
#include "base/error.h"
#include <string.h>

static const char *const names[LAM_ISA_COUNT] = {
    [LAM_SCALAR] = "scalar", [LAM_SSE2] = "sse2", [LAM_AVX2] = "avx2", [LAM_AVX512] = "avx512", [LAM_NEON] = "neon",
};

const char *lam_isa_name(lam_isa isa)
{
    return (unsigned)isa < LAM_ISA_COUNT ? names[isa] : "unknown";
}

int lam_isa_available(lam_isa isa)
{
    switch (isa) {
    case LAM_SCALAR:
        return 1;
#ifdef LAM_HAVE_sse2
    case LAM_SSE2:
        return 1;
#endif
#ifdef LAM_HAVE_avx2
    case LAM_AVX2:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
#ifdef LAM_HAVE_avx512
    case LAM_AVX512:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")
            && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
#endif
#ifdef LAM_HAVE_neon
    case LAM_NEON:
        return 1;
#endif
    default:
        return 0;
    }
}

lam_status lam_isa_choose(const char *name, lam_isa *out)
{
    static const lam_isa preference[] = { LAM_AVX512, LAM_AVX2, LAM_NEON, LAM_SSE2, LAM_SCALAR };
    if (name == NULL || strcmp(name, "auto") == 0) {
        size_t i = 0;
        while (!lam_isa_available(preference[i]))
            i++;
        *out = preference[i];
        return LAM_OK;
    }
    for (int isa = 0; isa < LAM_ISA_COUNT; isa++)
        if (strcmp(name, names[isa]) == 0) {
            if (!lam_isa_available((lam_isa)isa))
                return lam_fail(LAM_ERR_UNSUPPORTED,
                    "instruction set '%s': this build or this processor lacks it; use 'auto'", name);
            *out = (lam_isa)isa;
            return LAM_OK;
        }
    return lam_fail(LAM_ERR_ARGUMENT, "instruction set '%s' is unknown; use auto, avx512, avx2, sse2, neon or scalar", name);
}
