#define LAM_WIDTH 32
#include "optim/record.h"

/* Numbers in all matrices, and outside them. */
static size_t in_matrices(const lam_parameter_map *map)
{
    size_t n = 0;
    for (size_t i = 0; i < map->matrices; i++)
        n += map->matrix[i].rows * map->matrix[i].cols;
    return n;
}

size_t lam_optimizer_memories(lam_optimizer kind, const lam_parameter_map *map, lam_memory memory[LAM_MEMORIES])
{
    size_t all = map->parameters, left = 0, right = 0;
    switch (kind) {
    case LAM_ADAM:
    case LAM_ADAMW:
    case LAM_ADAMAX:
        memory[0] = (lam_memory) { "first_moment", all };
        memory[1] = (lam_memory) { "second_moment", all };
        return 2;
    case LAM_MUON:
        memory[0] = (lam_memory) { "first_moment", all };
        memory[1] = (lam_memory) { "second_moment", all - in_matrices(map) };
        return 2;
    case LAM_SOAP:
        for (size_t i = 0; i < map->matrices; i++) {
            lam_soap_sides sides = lam_soap_sides_of(&map->matrix[i]);
            left += sides.left * sides.left;
            right += sides.right * sides.right;
        }
        memory[0] = (lam_memory) { "first_moment", all };
        memory[1] = (lam_memory) { "second_moment", all };
        memory[2] = (lam_memory) { "left_factor", left };
        memory[3] = (lam_memory) { "right_factor", right };
        memory[4] = (lam_memory) { "left_basis", left };
        memory[5] = (lam_memory) { "right_basis", right };
        return 6;
    case LAM_OPTIMIZER_AUTO: /* lam_config_resolve puts another in its place */
        break;
    }
    return 0;
}
