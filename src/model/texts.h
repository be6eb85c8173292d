/* The texts of a model's columns of text, and how they stand in its file: a JSON list, of a column of numbers null, else the list of its
 * levels. */
#ifndef LAM_MODEL_TEXTS_H
#define LAM_MODEL_TEXTS_H
#include "model/model.h"

/* Keeps a copy of texts [dim] (NULL: none) in place of the model's. */
lam_status lam_model_set_texts(lam_model *model, const lam_names *texts);
/* The list; free with free(). */
lam_status lam_texts_print(const lam_names *texts, size_t dim, char **text);
/* Reads it into the model. LAM_ERR_FORMAT where it is no such list, or has other levels than levels [dim] says there are; where opens the
 * message. */
lam_status lam_texts_read(const char *where, const char *text, const size_t *levels, lam_model *model);

#endif
