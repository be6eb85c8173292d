/* Pictures of models, a file a kind. */
#ifndef LAM_REPORT_PICTURE_H
#define LAM_REPORT_PICTURE_H
#include "laminar/plot.h"

enum { LAM_PICTURE_SCORED = 1000, LAM_PICTURE_DATA_COLOUR = 1 };

/* What all kinds work on. Arrays are lam_alloc's. */
typedef struct lam_picture {
    const lam_picture_model *models;
    size_t n_models, dim;
    const double *data;    /* [rows, dim], NULL without */
    size_t rows;
    lam_picture_options o; /* defaults filled in */
    const size_t *columns; /* [n_columns] */
    size_t n_columns;
    lam_eval_options eval; /* data units, its progress ours */
    lam_eval_options asked;
    size_t done, total;    /* rows of earlier calls, of all */
    double **draws;        /* [n_models] of [o.draws, dim], data units */
    char (*facts)[128];    /* [n_models] "penalty: TPR 5, C evaluations of f per batch" */
    char (*names)[256];    /* [n_models] "NAME: " and these, for legends */
    double (*ranges)[2];   /* [n_columns] of all draws and data */
    char note[768];
} lam_picture;

/* Adds a sentence's part to the note. */
void lam_picture_say(lam_picture *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Counts rows that a call has done, for progress. */
void lam_picture_done(lam_picture *p, size_t rows);
/* Colour and dashes of model i where several share a panel; colour 1 is the data's. */
lam_series lam_picture_look(const lam_picture *p, size_t model);
/* Every so-many-th of n numbers (a column of rows [n, dim] from `from` on) so that at most `most` are left: to [most]; how many. */
size_t lam_picture_thin(const double *from, size_t dim, size_t n, size_t most, double *to);
/* "NAME, data units", or "column 3" where it has but a number; units 0: without them. */
void lam_picture_label(const lam_picture *p, size_t column, int units, char label[300]);
/* Shows rows [n, dim] in its ranges: how many have a shown column outside. */
size_t lam_picture_outside(const lam_picture *p, const double *rows, size_t n);

/* Fill in and write. */
lam_status lam_picture_curve(lam_picture *p, const char *path);  /* one column, the model's only one */
lam_status lam_picture_flow(lam_picture *p, const char *path);   /* the model's only two */
lam_status lam_picture_corner(lam_picture *p, const char *path);

#endif
