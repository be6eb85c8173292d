/* A fit that starts from a model: its weights, and the column maps and the whitening that show them the rows. */
#ifndef LAM_TRAIN_START_H
#define LAM_TRAIN_START_H
#include "data/dataset.h"
#include "model/model.h"

/* Weights know the rows as the maps and the whitening that they were fitted with show them: cfg's become the model's.
 * LAM_ERR_ARGUMENT: others were asked for. */
lam_status lam_start_settle(lam_config *cfg, const lam_model *init);
/* Weights, maps and whitening of `init` into the model of these rows, which is described but has none yet. Maps and whitening are rewritten for
 * the data's standardiser, so that a row in data units comes to the same place; where there is nothing to rewrite, a line tells of columns that
 * are shifted or stretched. LAM_ERR_SHAPE: other columns, levels of text, given columns or layers. */
lam_status lam_start_from(lam_model *model, const lam_model *init, const lam_log *log);
/* The digest that a run's checkpoint is for: the data's, or, where maps or whitening are a model's, of both. */
void lam_start_hash(const lam_model *model, int from_model, char hash[33]);

#endif
