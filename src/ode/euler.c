/* Euler's method; a straight line. */
#include "ode/tableau.h"

const lam_tableau lam_euler = {
    .name = "euler", .order = 1, .stages = 1,
    .b = { 1 },
    .dense_degree = 1,
    .dense = { { 0, 1 } },
};
