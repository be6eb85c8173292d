/* The explicit midpoint rule; the quadratic through y0, y1 with slope f0. */
#include "ode/tableau.h"

const lam_tableau lam_midpoint = {
    .name = "midpoint", .order = 2, .stages = 2,
    .c = { 0, 0.5 },
    .a = { [1] = { 0.5 } },
    .b = { 0, 1 },
    .dense_degree = 2,
    .dense = { { 0, 1, -1 }, { 0, 0, 1 } },
};
