#define LAM_WIDTH 32
#include "unit_seeds_test.h"
