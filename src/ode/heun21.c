/* Heun's method with Euler's as the embedded one, 2(1); the quadratic through y0, y1 with slope f0. */
#include "ode/tableau.h"

const lam_tableau lam_heun21 = {
    .name = "heun21", .order = 2, .error_exponent = 2, .stages = 2,
    .c = { 0, 1 },
    .a = { [1] = { 1 } },
    .b = { 0.5, 0.5 },
    .e = { -0.5, 0.5 },
    .dense_degree = 2,
    .dense = { { 0, 1, -0.5 }, { 0, 0, 0.5 } },
};
