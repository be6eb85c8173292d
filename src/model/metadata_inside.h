/* What the files that write and read a model's metadata share (metadata.c, metadata_tuned.c). */
#ifndef LAM_MODEL_METADATA_INSIDE_H
#define LAM_MODEL_METADATA_INSIDE_H
#include "model/metadata.h"
#include <cjson/cJSON.h>

/* LAM_ERR_FORMAT: the file's entry `key` is, lacks or has ... */
lam_status lam_metadata_damaged(const char *where, const char *key, const char *what);
/* The numbers of a JSON list of the entry `key`: exactly n, finite and not below low. */
lam_status lam_metadata_numbers_of(const cJSON *list, const char *where, const char *key, size_t n, double low, double *values);

/* The entry of a tuned model; *text is for free(). */
lam_status lam_metadata_tuned_text(const lam_model *model, char **text);
/* The same into a model, where the file has it. */
lam_status lam_metadata_read_tuned(const lam_st_file *file, const char *where, lam_model *model);

#endif
