/* The inside of a model. */
#ifndef LAM_MODEL_MODEL_H
#define LAM_MODEL_MODEL_H
#include "data/given.h"
#include "data/maps.h"
#include "flow/layout.h"
#include "model/setting.h"

/* What lam_tune replaced, and why. */
typedef struct lam_tuned {
    lam_tuning shown;       /* without `before` */
    lam_setting parameters; /* what the configuration's test_solver, test_steps, test_atol, test_rtol and test_trace_points were */
    double *h_star;         /* [blocks] what h_star_test was; NULL: the model is not tuned */
} lam_tuned;

enum { LAM_PREFIX = 80 };

struct lam_model {
    lam_config config;
    lam_layout layout;
    lam_layout_tensor *tensors; /* [n_tensors] of the layout, in file order */
    size_t n_tensors;
    double *params;        /* [layout.parameters], held in double whatever the precision of the fit */
    size_t dim;            /* columns of a row: layout.field.dim is that of the flow, of the moving ones alone */
    lam_given given;       /* which of them are given: none of an unconditional density */
    char **columns;        /* [dim] */
    lam_names *texts;      /* [dim] levels of columns of text, as in lam_table; NULL: there are none */
    int has_names;         /* 1: the data had them; 0: they are the columns' numbers in the data's file */
    double *mean, *scale;  /* [dim] of the standardiser */
    double log_det;        /* -sum log scale over the moving columns, nats */
    lam_maps *maps;        /* of the standardised columns; NULL: the flow sees them as they are */
    lam_whitening *whitening; /* of the columns behind their maps; NULL: the flow sees them as they are */
    double base_scale;     /* of the base density, N(0, base_scale^2 I); 1: not calibrated */
    double *low, *high;    /* [dim] range of the training rows, data units; both NULL: not known */
    char data_hash[33];
    double *h_star_train, *h_star_test; /* [blocks] remembered steps of "warm" in training and in evaluation; 0: none yet */
    lam_tuned tuned;
    struct lam_model **others; /* [n_others] further flows of the same columns, whose densities are averaged with this one's; each has none */
    size_t n_others;
    char prefix[LAM_PREFIX]; /* as lam_model_prefix tells */
};

/* A model for data of these columns: named "1", "2", ..., standardiser mean 0, scale 1, parameters from the seed (rounded to
 * float for a float fit, so that saving loses nothing). The caller frees it. */
lam_status lam_model_create(const lam_config *config, size_t dim, lam_model **out);
/* The same of rows whose columns are of that kind. */
lam_status lam_model_create_given(const lam_config *config, size_t dim, const lam_given_kind *kind, lam_model **out);
lam_status lam_model_empty_given(const lam_config *config, size_t dim, const lam_given_kind *kind, lam_model **out);
lam_status lam_model_copy(const lam_model *model, lam_model **out);
/* The same as create, but all parameters are zero: for those who fill them. */
lam_status lam_model_empty(const lam_config *config, size_t dim, lam_model **out);
/* The setting's parameters become the configuration's, with h_star [blocks] for adaptive ones; what stood there in the fit is kept
 * once, whatever follows. LAM_ERR_MEMORY leaves the model as it was. */
lam_status lam_model_retune(lam_model *model, const lam_setting *parameters, const double *h_star, const lam_tuning *why);
/* The configuration, its strings borrowed, whose evaluation parameters a call with these options goes by: the model's, or that of
 * its fit before it was tuned. *h_star [blocks]: the steps remembered under them. */
lam_config lam_model_evaluation(const lam_model *model, const lam_eval_options *options, const double **h_star);
/* lam_model_load of a file of ours in memory; where stands for its name in errors. */
lam_status lam_model_load_memory(const void *bytes, size_t size, const char *where, lam_model **out);
/* Flow k of a model of several, from 0; 0 is the model itself. */
const lam_model *lam_model_flow(const lam_model *model, size_t k);
/* One more flow, which the model owns then. LAM_ERR_SHAPE: it is of other columns, of another standardiser, or itself of several. */
lam_status lam_model_add_flow(lam_model *model, lam_model *flow);
/* Replaces the name of a column; has_names is the caller's to set. */
lam_status lam_model_name_column(lam_model *model, size_t column, const char *name);

/* Keeps copies of the training rows' range, low and high [dim]. */
lam_status lam_model_set_range(lam_model *model, const double *low, const double *high);

#endif
