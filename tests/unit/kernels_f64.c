/* The kernels in double. */
#define LAM_WIDTH 64
#include "kernels_test.h"
