/* A data set ready for training, as the other rooms see it. */
#ifndef LAM_DATA_DATASET_H
#define LAM_DATA_DATASET_H
#include "data/columns.h"

enum { LAM_PARTS = 3 };

/* Read-only once built. Everything is owned by the data set. */
struct lam_dataset {
    size_t dim;
    char **names;            /* [dim] column names */
    size_t *numbers;         /* [dim] of the columns in their file, from 1 */
    int has_names;           /* 1: the file named them; 0: names are the numbers */
    int from_zero;           /* 1: messages count columns from 0 */
    double *mean, *scale;    /* [dim] of the standardiser: z = (x - mean) / scale; 0 and 1 when it is off */
    double log_det;          /* -sum log scale over the columns that move, nats: log p(x) = log p(z) + log_det of rows that miss none of them */
    double *low, *high;      /* [dim] range of the training rows, noise added, data units */
    double *noise;           /* [dim] width of the uniform noise that was added, data units; 0 for none */
    unsigned char *noise_said; /* [dim] 1: the configuration says which, if only that it is 0 */
    unsigned char *is_input; /* [dim] 1: the density is conditional on the column (given) */
    size_t *levels;          /* [dim] of a column of texts, which is given: its values are 0, 1, ..., levels - 1; 0: numbers */
    lam_names *texts;        /* [dim] these, as levels in lam_table; NULL: all columns are numbers */
    char hash[33];           /* of the numbers before noise: of the one table, or of the three together */
    char *folder;            /* of rooms (base/room.h) for what grows with the number of rows; NULL: memory */
    size_t rows[LAM_PARTS];  /* by lam_part */
    size_t missing[LAM_PARTS]; /* cells that are NaN */
    double *values[LAM_PARTS]; /* all three are rooms. [rows, dim] standardised, a missing cell NaN; NULL for a part without rows */
    size_t *source[LAM_PARTS]; /* [rows] row of its table, from 0, that each row came from; NULL without rows */
    size_t *file_row[LAM_PARTS]; /* [rows of the part's table] which row of its file each row of the table is, from 0; of one table that
                                  * was split the first alone */
    /* What one reading of more than LAM_MAP_SORTED training rows has left (tally.h). NULL: nothing, read them. */
    double *centre, *covariance; /* [dim], [dim, dim] the lower triangle: of the training rows, standardised, none of whose cells is missing or text */
    struct lam_maps *maps;   /* of the first map_columns columns, for map_knots quantiles as of lam_maps_fit */
    size_t map_columns, map_knots;
};

/* Reads items "COL:a" into noise [source->n]: columns by name or number, a >= 0. given [source->n] marks those that were named (a
 * width of 0 says that the column is meant to be as it is). An item "auto" sets *automatic. */
lam_status lam_noise_read(const lam_names *items, const lam_source *source, double *noise, unsigned char *given, int *automatic);
/* The noise as items that say the same of any file with these columns: by name where they have names, else by number. In place of
 * *items. */
lam_status lam_dataset_describe_noise(const lam_dataset *data, lam_names *items);

/* The same rows with others for validation, for the fit of one more flow: fold 0 has those of the data set, fold k as many of the training rows, the
 * k-th lot of them, which are in random order. Where validation rows are of a table of their own (or there are none), every fold has those. A
 * fold has no test rows and no numbers of rows (source), and refers to the data set for all but its values. */
lam_status lam_dataset_fold(const lam_dataset *data, size_t k, lam_dataset *fold);
void lam_dataset_fold_clear(lam_dataset *fold); /* a zeroed one too */

/* 1: some column gets noise. */
int lam_dataset_is_noisy(const lam_dataset *data);

enum { LAM_COLUMN_SAMPLE = 50000 };
/* Does a column look discrete, so that its density is unbounded? x [n], stride apart. */
typedef struct lam_column_look {
    size_t sampled;  /* rows looked at, at most LAM_COLUMN_SAMPLE, evenly spread */
    size_t distinct; /* values among them */
    size_t most;     /* rows that share the most common value */
    double common;   /* that value */
    double spacing;  /* lower quartile of the gaps between distinct values, to 6 digits: the noise that would fill them */
    int discrete;    /* fewer than one distinct value in ten rows, or one value in more than a twentieth of the rows */
} lam_column_look;
lam_status lam_column_look_at(const double *x, size_t n, size_t stride, lam_column_look *out);

#endif
