/* Pictures of conditional densities, for laminar plot. */
#ifndef LAM_CLI_PLOT_GIVEN_H
#define LAM_CLI_PLOT_GIVEN_H
#include "cli.h"

typedef struct plot_given {
    const char *out, *columns, *against, *scale; /* columns that are shown; scale NULL: density */
    const cli_texts *given;
    size_t draws, grid; /* 0: chosen */
    uint64_t seed;
    int dark;
    const lam_eval_options *eval;
} plot_given;
/* data, which may be NULL, is laid over a picture --against. */
int plot_given_draw(const cli_command *command, const lam_model *model, const lam_table *data, const plot_given *given);

#endif
