/* The inside of a model. */
#ifndef LAM_MODEL_MODEL_H
#define LAM_MODEL_MODEL_H
#include "flow/layout.h"
#include "laminar.h"

struct lam_model {
    lam_config config;
    lam_layout layout;
    double *params;        /* [layout.parameters], held in double whatever the precision of the fit */
    char **columns;        /* [dim] */
    double *mean, *scale;  /* [dim] of the standardiser */
    double log_det;        /* -sum log scale, nats */
    char data_hash[33];
    double *h_star_train, *h_star_test; /* [blocks] remembered steps of "warm" at the training and test tolerances; 0: none yet */
};

/* A model for data of these columns: standardiser mean 0, scale 1, parameters from the seed. The caller frees it. */
lam_status lam_model_create(const lam_config *config, size_t dim, lam_model **out);
lam_status lam_model_copy(const lam_model *model, lam_model **out);

#endif
