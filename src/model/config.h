/* Configurations as values: a lam_config that lies in another struct or on the stack. */
#ifndef LAM_MODEL_CONFIG_H
#define LAM_MODEL_CONFIG_H
#include "base/config.h"

void lam_config_init(lam_config *cfg);  /* defaults */
void lam_config_clear(lam_config *cfg); /* frees its strings and lists; defaults again */

#endif
