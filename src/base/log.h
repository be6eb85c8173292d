/* A line of what a caller may want to know. */
#ifndef LAM_BASE_LOG_H
#define LAM_BASE_LOG_H
#include "laminar.h"

/* As printf, without a line break at the end. Nothing where nobody listens (NULL, or no log->line), or without memory for the line. */
__attribute__((format(printf, 2, 3))) void lam_log_say(const lam_log *log, const char *format, ...);

#endif
