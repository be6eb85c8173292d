/* Bogacki and Shampine 1989, 3(2), with the cubic Hermite interpolant. */
#include "ode/tableau.h"

const lam_tableau lam_bosh3 = {
    .name = "bosh3", .order = 3, .error_exponent = 3, .stages = 4, .fsal = 1,
    .c = { 0, 1.0 / 2, 3.0 / 4, 1 },
    .a = { [1] = { 1.0 / 2 }, [2] = { 0, 3.0 / 4 }, [3] = { 2.0 / 9, 1.0 / 3, 4.0 / 9 } },
    .b = { 2.0 / 9, 1.0 / 3, 4.0 / 9 },
    .e = { 2.0 / 9 - 7.0 / 24, 1.0 / 3 - 1.0 / 4, 4.0 / 9 - 1.0 / 3, -1.0 / 8 },
    .dense_degree = 3,
    .dense = { LAM_HERMITE(2.0 / 9, 1, 0), LAM_HERMITE(1.0 / 3, 0, 0), LAM_HERMITE(4.0 / 9, 0, 0), LAM_HERMITE(0.0, 0, 1) },
};
