/* What an optimiser remembers, whatever the width: its record in either width says so. */
#define LAM_WIDTH 32
#include "optim/record.h"

size_t lam_optimizer_memories(lam_optimizer kind, const lam_parameter_map *map, lam_memory memory[LAM_MEMORIES])
{
    switch (kind) {
#define MEMORIES(code, word, name, rate) \
    case code:                           \
        return LAM_RECORD_NAME(name).memories(map, memory);
        LAM_OPTIMIZER_LIST(MEMORIES, LAM_NONE)
#undef MEMORIES
    case LAM_OPTIMIZER_AUTO: /* lam_config_resolve puts another in its place */
        break;
    }
    return 0;
}
