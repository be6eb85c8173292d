/* report.html: one page that needs nothing else. */
#ifndef LAM_EXPERIMENT_PAGE_H
#define LAM_EXPERIMENT_PAGE_H
#include "experiment/charts.h"
#include <stdio.h>

/* Writes the page of what was measured; working as for lam_experiment_report. */
lam_status lam_page_write(FILE *out, const lam_experiment *e, const lam_measurement *m, int working);

/* ---- its parts ---------------------------------------------------------------------------------------------------- */

/* "1.234 ± 0.012" with as many digits as the standard error says, or, where it is NaN, so many after the point. */
void lam_page_mean(FILE *out, double mean, double se, int digits);
/* " 240 processor seconds of training" */
void lam_page_budget(FILE *out, const lam_budget *budget);
/* The groups of one data set at one tolerance, groups [n], in words: what reached the baseline's NLL first, whose NLL differs, what
 * takes the fewest calls. A difference is one if mean +- 2 standard errors do not hold what would be none. As one HTML paragraph. */
void lam_page_sentence(FILE *out, const lam_experiment *e, const lam_group *groups, size_t n);
/* The tables of these groups. */
void lam_page_tables(FILE *out, const lam_experiment *e, const lam_group *groups, size_t n);
/* What was run to choose coefficients, nothing for a plan without that stage. */
void lam_page_choices(FILE *out, const lam_experiment *e, const lam_measurement *m);

#endif
