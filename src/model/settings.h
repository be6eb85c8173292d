/* What a YAML mapping says of parameters, kept apart from the configurations that it is applied to. */
#ifndef LAM_MODEL_SETTINGS_H
#define LAM_MODEL_SETTINGS_H
#include "model/yaml_events.h"

/* What is said of one parameter; text is NULL if nothing. */
typedef struct lam_settings_entry {
    char *text; /* lists joined as lam_param_set takes them */
    yaml_mark_t key, value;
} lam_settings_entry;

typedef struct lam_settings {
    lam_settings_entry *entries; /* one a parameter of the table; NULL: nothing is said of any */
} lam_settings;

lam_status lam_settings_create(lam_settings *settings);
void lam_settings_clear(lam_settings *settings); /* takes a zeroed one */
/* The pairs of a mapping, its start already read. Names are of the table, each at most once. */
lam_status lam_settings_read(lam_settings *settings, lam_yaml *yaml);
/* Sets them in cfg in the table's order ("tpr" counts before the four that it sets); after a failure cfg may have got some. where
 * stands for the file's name. */
lam_status lam_settings_apply(const lam_settings *settings, const char *where, lam_config *cfg);

#endif
