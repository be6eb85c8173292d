/* Keeps the text of each thread's last failure. */
#include "base/error.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char last_error[8192]; /* a flag may name a hundred columns */

const char *lam_version(void)
{
    return LAM_VERSION;
}

const char *lam_status_name(lam_status status)
{
    switch (status) {
#define LAM_STATUS_CASE(code, name, text) \
    case code:                            \
        return name;
        LAM_STATUS_LIST(LAM_STATUS_CASE)
#undef LAM_STATUS_CASE
    }
    return "unknown";
}

const char *lam_last_error(void)
{
    return last_error;
}

lam_status lam_fail(lam_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(last_error, sizeof last_error, format, args);
    va_end(args);
    return status;
}

lam_status lam_fail_in(lam_status status, const char *format, ...)
{
    char before[sizeof last_error];
    memcpy(before, last_error, sizeof before);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(last_error, sizeof last_error / 4, format, args);
    va_end(args);
    size_t used = n < 0 ? 0 : strlen(last_error), room = sizeof last_error - used - 3, length = strlen(before);
    if (length > room)
        length = room;
    memcpy(last_error + used, ": ", 2);
    memcpy(last_error + used + 2, before, length);
    last_error[used + 2 + length] = '\0';
    return status;
}
