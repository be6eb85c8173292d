/* Whether a picture can be drawn, before the work for it is done. */
#ifndef LAM_REPORT_PLOT_H
#define LAM_REPORT_PLOT_H
#include "laminar/plot.h"

/* The path ends as a picture's does, and this build draws: LAM_ERR_ARGUMENT, LAM_ERR_UNSUPPORTED. */
lam_status lam_plot_check_path(const char *path);

#endif
