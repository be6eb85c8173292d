/* Instruction sets by name. */
#ifndef LAM_KERNELS_ISA_H
#define LAM_KERNELS_ISA_H
#include "laminar/status.h"

typedef enum lam_isa { LAM_SCALAR, LAM_SSE2, LAM_AVX2, LAM_AVX512, LAM_NEON, LAM_ISA_COUNT } lam_isa;

const char *lam_isa_name(lam_isa isa);
/* 1 if this build has kernels for it and this processor can run them. */
int lam_isa_available(lam_isa isa);
/* "auto" or NULL: the widest available one. LAM_ERR_ARGUMENT: unknown name; LAM_ERR_UNSUPPORTED: not to be had here. */
lam_status lam_isa_choose(const char *name, lam_isa *out);

#endif
