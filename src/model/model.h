/* The inside of a model. */
#ifndef LAM_MODEL_MODEL_H
#define LAM_MODEL_MODEL_H
#include "flow/layout.h"
#include "laminar.h"

struct lam_model {
    lam_config config;
    lam_layout layout;
    lam_layout_tensor *tensors; /* [n_tensors] of the layout, in file order */
    size_t n_tensors;
    double *params;        /* [layout.parameters], held in double whatever the precision of the fit */
    char **columns;        /* [dim] */
    double *mean, *scale;  /* [dim] of the standardiser */
    double log_det;        /* -sum log scale, nats */
    char data_hash[33];
    double *h_star_train, *h_star_test; /* [blocks] remembered steps of "warm" at the training and test tolerances; 0: none yet */
};

/* A model for data of these columns: named "1", "2", ..., standardiser mean 0, scale 1, parameters from the seed (rounded to
 * float for a float fit, so that saving loses nothing). The caller frees it. */
lam_status lam_model_create(const lam_config *config, size_t dim, lam_model **out);
lam_status lam_model_copy(const lam_model *model, lam_model **out);
/* The same as create, but all parameters are zero: for those who fill them. */
lam_status lam_model_empty(const lam_config *config, size_t dim, lam_model **out);
/* Replaces the name of a column. */
lam_status lam_model_name_column(lam_model *model, size_t column, const char *name);

#endif
