/* The kernels in float. */
#define LAM_WIDTH 32
#include "kernels_test.h"
