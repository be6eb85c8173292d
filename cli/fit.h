/* What fit.c shares with fit_report.c. */
#ifndef LAM_CLI_FIT_H
#define LAM_CLI_FIT_H
#include "cli.h"

/* State of the progress display, and whether to stop. */
typedef struct fit_watch {
    int quiet, terminal;
    size_t log_freq;
    size_t first_iteration; /* 0 before the first call; a resumed run starts later than 1 */
    double first_seconds, shown; /* the run's seconds at the first call; cli_clock of the line last shown */
    size_t iteration;            /* the last one reported */
    size_t printed;              /* the last one that got a line of its own */
} fit_watch;

/* SIGINT, SIGTERM and SIGHUP ask fit_progress to stop; the second one of a kind kills. */
void fit_catch_signals(void);
/* The signal that came, 0 if none. */
int fit_signal(void);
/* The callback of lam_fit_options; user is a fit_watch. */
int fit_progress(void *user, const lam_progress *progress);
/* What was read, as lines on stdout. valid and test may be NULL. */
void fit_print_data(const char *path, const lam_table *all, const lam_dataset *data);
/* The closing tables on stdout. */
void fit_print_result(const lam_config *cfg, const lam_fit_result *result);

#endif
