/* Pictures of the solver's steps, for laminar plot. */
#ifndef LAM_CLI_PLOT_STEPS_H
#define LAM_CLI_PLOT_STEPS_H
#include "cli.h"
#include <laminar/plot.h>

typedef struct plot_steps {
    const char *out;
    const char *data;         /* the file of rows; NULL: draws of each model */
    const cli_choice *choice; /* of its rows and columns */
    uint64_t seed;            /* of the draws */
    int dark;
    const lam_eval_options *eval;
} plot_steps;
/* Draws them, and prints a table of each model's blocks. */
int plot_steps_draw(const cli_command *command, const lam_picture_model *models, size_t n, const plot_steps *asked);

#endif
