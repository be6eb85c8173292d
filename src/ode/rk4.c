/* The classic method of Kutta 1901, with its interpolant of order 3. */
#include "ode/tableau.h"

const lam_tableau lam_rk4 = {
    .name = "rk4", .order = 4, .stages = 4,
    .c = { 0, 0.5, 0.5, 1 },
    .a = { [1] = { 0.5 }, [2] = { 0, 0.5 }, [3] = { 0, 0, 1 } },
    .b = { 1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6 },
    .dense_degree = 3,
    .dense = {
        { 0, 1, -1.5, 2.0 / 3 },
        { 0, 0, 1, -2.0 / 3 },
        { 0, 0, 1, -2.0 / 3 },
        { 0, 0, -0.5, 2.0 / 3 },
    },
};
