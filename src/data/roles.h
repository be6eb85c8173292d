/* Which columns a fit is given, and what may be missing. */
#ifndef LAM_DATA_ROLES_H
#define LAM_DATA_ROLES_H
#include "data/tally.h"

/* is_input [source->n], zeros before: 1 for the columns that cfg gives. LAM_ERR_ARGUMENT: there is no such column, one is
 * named twice, or none is left whose density could be fitted. */
lam_status lam_roles_read(const lam_config *cfg, const lam_source *source, unsigned char *is_input);
/* 1: cells of the columns that are not given may be missing. */
int lam_may_miss(const lam_config *cfg);
/* Numbers that are none, in a table in columns some of which are inputs: infinities, and missing cells where none may be. which: "training". */
lam_status lam_roles_check(const lam_config *cfg, const lam_table *table, const unsigned char *is_input, const char *which);
/* Text in a column that is not given, and other levels of a column than those of the training table. */
lam_status lam_roles_check_levels(const lam_table *table, const lam_names *levels, const unsigned char *is_input, const char *which);
/* One line on missing cells and one on columns of text, where there are any. */
lam_status lam_advise_roles(const lam_dataset *data, const lam_tally *tally, const lam_log *log);

#endif
