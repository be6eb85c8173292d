/* What the library says to a lam_log, collected. Include after cmocka.h. */
#ifndef LAM_TESTS_HEARD_H
#define LAM_TESTS_HEARD_H
#include "laminar.h"
#include <stdio.h>
#include <string.h>

typedef struct heard {
    int lines;
    char text[8192]; /* with a newline behind each */
} heard;

static inline void listen_to(void *user, const char *line)
{
    heard *h = user;
    size_t used = strlen(h->text);
    h->lines++;
    snprintf(h->text + used, sizeof h->text - used, "%s\n", line);
}

#endif
