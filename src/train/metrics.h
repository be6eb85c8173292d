/* metrics.jsonl: one JSON object a line, each written out as soon as it is whole. */
#ifndef LAM_TRAIN_METRICS_H
#define LAM_TRAIN_METRICS_H
#include "base/config.h"
#include <stdio.h>

/* A zeroed struct is a log that goes nowhere: every call on it succeeds and does nothing. */
typedef struct lam_metrics {
    FILE *stream;
    char *path;
} lam_metrics;

/* Opens path for further lines after its first `keep` bytes, or fewer: what follows them, and a last line that is not whole, is
 * cut off. keep 0 starts anew. A file shorter than keep is taken as it is. */
lam_status lam_metrics_open(lam_metrics *metrics, const char *path, uint64_t keep);
void lam_metrics_close(lam_metrics *metrics); /* takes a zeroed or closed one */

/* {"type":TYPE, then one member a call, in that order. Numbers that are not finite become null. Failures show at the end. */
void lam_metrics_begin(lam_metrics *metrics, const char *type);
void lam_metrics_number(lam_metrics *metrics, const char *name, double value);
void lam_metrics_whole(lam_metrics *metrics, const char *name, uint64_t value);
void lam_metrics_truth(lam_metrics *metrics, const char *name, int value);
/* Ends the line and flushes it. LAM_ERR_IO: it could not be written. */
lam_status lam_metrics_end(lam_metrics *metrics);
/* Brings all lines to the disk; *bytes is how long the file is then. */
lam_status lam_metrics_sync(lam_metrics *metrics, uint64_t *bytes);

#endif
