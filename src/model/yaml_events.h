/* A YAML text event by event, and mistakes in it by their place. */
#ifndef LAM_MODEL_YAML_EVENTS_H
#define LAM_MODEL_YAML_EVENTS_H
#include "laminar.h"
#include <yaml.h>

typedef struct lam_yaml {
    yaml_parser_t parser;
    const char *where; /* stands for the file's name */
} lam_yaml;

/* text [size bytes] must outlive the reader, which the caller closes unless this fails. */
lam_status lam_yaml_open(lam_yaml *yaml, const char *text, size_t size, const char *where);
void lam_yaml_close(lam_yaml *yaml);
/* The next event, which the caller deletes, also after a failure. */
lam_status lam_yaml_next(lam_yaml *yaml, yaml_event_t *event);
/* Puts where:line:column, counted from 1 as editors do, before the failure's text. */
lam_status lam_yaml_at(const char *where, yaml_mark_t mark, lam_status status);
/* The failure "a list stands where EXPECTED is expected", with its place. */
lam_status lam_yaml_unexpected(const lam_yaml *yaml, const yaml_event_t *event, const char *expected);
/* Appends the scalar to *text (malloc'd or NULL), after separator unless it is the first. */
lam_status lam_yaml_append(const lam_yaml *yaml, const yaml_event_t *event, char separator, char **text);
/* The whole text: nothing at all, or one document that is one mapping, whose start is read when pairs is called to read the rest. */
lam_status lam_yaml_document(lam_yaml *yaml, lam_status (*pairs)(void *arg, lam_yaml *yaml), void *arg);

#endif
