#define LAM_WIDTH 64
#include "unit_seeds_test.h"
