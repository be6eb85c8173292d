/* What a call answers: a status, and the text of the last failure. laminar.h includes this. */
#ifndef LAMINAR_STATUS_H
#define LAMINAR_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

#define LAM_VERSION "0.2.0"

#if defined(__GNUC__)
#define LAM_API __attribute__((visibility("default")))
#else
#define LAM_API
#endif

/* code, name, meaning */
#define LAM_STATUS_LIST(X) \
    X(LAM_OK, "ok", "success") \
    X(LAM_ERR_ARGUMENT, "argument", "an argument or a configuration value is out of range") \
    X(LAM_ERR_MEMORY, "memory", "out of memory") \
    X(LAM_ERR_IO, "io", "a file could not be opened, read or written") \
    X(LAM_ERR_FORMAT, "format", "a file is not what it should be") \
    X(LAM_ERR_DATA, "data", "the numbers cannot be used: NaN, a constant column, too few rows") \
    X(LAM_ERR_SHAPE, "shape", "columns or tensor shapes do not match the model") \
    X(LAM_ERR_SOLVER, "solver", "the ODE solver gave up: too many steps, step too small, NaN") \
    X(LAM_ERR_DIVERGED, "diverged", "training produced a loss that is not finite") \
    X(LAM_ERR_INTERRUPTED, "interrupted", "stopped on request; what was done is saved") \
    X(LAM_ERR_UNSUPPORTED, "unsupported", "this build or processor lacks what was asked for")

typedef enum lam_status {
#define LAM_STATUS_ENUM(code, name, text) code,
    LAM_STATUS_LIST(LAM_STATUS_ENUM)
#undef LAM_STATUS_ENUM
} lam_status;

LAM_API const char *lam_version(void);
LAM_API const char *lam_status_name(lam_status status);
/* Text of this thread's last failure, "" if none. Valid until this thread's next failing call. */
LAM_API const char *lam_last_error(void);

#ifdef __cplusplus
}
#endif
#endif
