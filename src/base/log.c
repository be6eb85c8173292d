/* Tells a caller, who may not listen. */
#define _GNU_SOURCE /* vasprintf */
#include "base/log.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void lam_log_say(const lam_log *log, const char *format, ...)
{
    char *line = NULL;
    va_list args;
    if (log == NULL || log->line == NULL)
        return;
    va_start(args, format);
    if (vasprintf(&line, format, args) >= 0)
        log->line(log->user, line);
    va_end(args);
    free(line);
}
