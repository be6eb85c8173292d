/* The configuration as YAML text: a flat mapping "name: value", the form of config files and of a model's metadata. */
#ifndef LAM_MODEL_CONFIG_YAML_H
#define LAM_MODEL_CONFIG_YAML_H
#include "model/config.h"

/* Sets in cfg (initialised) what text [size bytes] names; all of it or, on failure, nothing. where stands for the file
 * name in "where:line:column: what is wrong". Names need not be in order: "tpr" counts before the four that it sets.
 * LAM_ERR_FORMAT: not YAML, or not a flat mapping; LAM_ERR_ARGUMENT: an unknown or repeated name, a value out of range. */
lam_status lam_config_parse(lam_config *cfg, const char *text, size_t size, const char *where);
/* Every value, grouped, with comments; parse of it gives the same configuration. free(*text). */
lam_status lam_config_print(const lam_config *cfg, char **text, size_t *size);
/* The same for a model's file, without "map: none": programs from before there were maps read models that have none. */
lam_status lam_config_print_model(const lam_config *cfg, char **text, size_t *size);

#endif
