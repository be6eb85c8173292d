/* The picture of `laminar compare`. */
#ifndef LAM_CLI_CURVES_H
#define LAM_CLI_CURVES_H
#include "cli.h"
#include <laminar/experiment.h>

/* What a run folder holds: free run, which is zeroed on failure; cfg is initialised. CLI_OK, or another code with the message
 * printed. */
int cli_run_read(const char *folder, lam_history *run, lam_config *cfg);
/* Draws validation NLL against evaluations of f and against seconds of training, a curve a run, to path. CLI_OK, or another code
 * with the message printed. */
int cli_curves_draw(const char *const *folders, size_t n, const char *path);

#endif
