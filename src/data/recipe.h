/* Recipes while they work. One file a set reads it (recipe_power.c, ...); recipe.c has the table of what is done to its rows
 * and does it; recipe_columns.c, recipe_text.c and recipe_write.c are what they share. */
#ifndef LAM_DATA_RECIPE_H
#define LAM_DATA_RECIPE_H
#include "base/log.h" /* lines for options->log */
#include "data/line_stream.h"
#include "laminar/recipe.h"

enum { LAM_RECIPE_FILES = 2, LAM_RECIPE_NAMES = 3 };

typedef struct lam_recipe_job lam_recipe_job;

/* Whose mean and standard deviation the columns are scaled by. */
typedef enum lam_moments { LAM_MOMENTS_NONE, LAM_MOMENTS_FIT, LAM_MOMENTS_ALL } lam_moments; /* FIT: training and validation */

typedef struct lam_recipe_rule {
    lam_recipe shown;
    const char *names[LAM_RECIPE_FILES][LAM_RECIPE_NAMES]; /* usual names of each file in a folder, the first found is taken */
    lam_status (*read)(lam_recipe_job *job);
    /* what is done to the rows that were read, in this order; 0 and NULL: nothing */
    size_t recurring;     /* columns whose smallest value stands in more rows than this go */
    double correlated;    /* columns go until no two are correlated above this */
    int shuffle;
    const double *noise;  /* [columns] width of the uniform noise */
    lam_moments moments;
    int sample_deviation; /* 1: variances over n - 1, 0: over n */
} lam_recipe_rule;

struct lam_recipe_job {
    const lam_recipe_rule *rule;
    const lam_recipe_options *options;
    char *paths[LAM_RECIPE_FILES]; /* owned; NULL past the files that the rule has names for */
    size_t bytes[LAM_RECIPE_FILES];/* of the files on the disk */
    const char *doing;             /* for progress: "reading" */
    lam_table *table;      /* training rows, then validation, then test; NULL before the first row */
    size_t room;           /* rows that fit */
    size_t rows[3];        /* by lam_part; 0: not cut off yet */
    size_t read;           /* rows looked at */
    int is_cleaned;        /* columns were left out before: the rule's recurring does not apply */
    char **left;           /* [n_left] names of columns left out */
    size_t n_left;
    double *mean, *scale;  /* [cols] row = (raw row - mean) / scale; NULL: as in the file */
};

/* ---- the sets ----------------------------------------------------------------------------------------------------- */

lam_status lam_recipe_power(lam_recipe_job *job);
lam_status lam_recipe_gas(lam_recipe_job *job);
lam_status lam_recipe_hepmass(lam_recipe_job *job);
lam_status lam_recipe_miniboone(lam_recipe_job *job);
lam_status lam_recipe_bsds300(lam_recipe_job *job);

/* ---- recipe.c ----------------------------------------------------------------------------------------------------- */

const lam_recipe_rule *lam_recipe_rule_find(const char *name); /* NULL with the error recorded */
/* Finds the files, reads them and does what the rule says: job->table and what else there is to say of it. job is zeroed but
 * for rule and options. Clear it in either case. */
lam_status lam_recipe_make(lam_recipe_job *job, const char *const *paths, size_t n_paths);
void lam_recipe_clear(lam_recipe_job *job);
/* Tells progress; LAM_ERR_INTERRUPTED if it asks to stop. The second says "doing FILE", file being of paths. */
lam_status lam_recipe_tell(const lam_recipe_job *job, const char *what, size_t done, size_t total);
lam_status lam_recipe_progress(const lam_recipe_job *job, size_t file, size_t done, size_t total);
/* A table of so many columns without rows. */
lam_status lam_recipe_begin(lam_recipe_job *job, const char *const *names, size_t cols);
/* Room for one more row of the table; *row [cols] counts once job->table->rows is raised. */
lam_status lam_recipe_room(lam_recipe_job *job, double **row);
/* Takes the .npy at paths[0] as the table if it is one: *found. Its columns are named names [cols]; another number of them is
 * refused with what, a text that ends the message. */
lam_status lam_recipe_npy(lam_recipe_job *job, const char *const *names, size_t cols, const char *what, int *found);

/* ---- recipe_columns.c --------------------------------------------------------------------------------------------- */

/* Leaves out columns by the rule's recurring and correlated; says which. rows of the table count for the first. */
lam_status lam_recipe_drop_recurring(lam_recipe_job *job, size_t rows);
lam_status lam_recipe_drop_correlated(lam_recipe_job *job);

/* ---- recipe_text.c ------------------------------------------------------------------------------------------------ */

/* A raw text file, line by line. */
typedef struct lam_recipe_text {
    const lam_recipe_job *job;
    size_t file;
    lam_line_stream *stream;
    char separator;        /* ',', ';' or ' ' */
    lam_text_line line;    /* at NULL at the end */
    size_t shown;          /* lines since progress was told */
} lam_recipe_text;

/* Opens job->paths[file]. Close in either case. */
lam_status lam_recipe_open(lam_recipe_job *job, size_t file, char separator, lam_recipe_text *text);
lam_status lam_recipe_next(lam_recipe_text *text);
void lam_recipe_close(lam_recipe_text *text);
/* Cuts the line into cells [least..most], *n of them; fewer or more are an error that names the line. */
lam_status lam_recipe_cells(const lam_recipe_text *text, size_t least, size_t most, lam_cell *cells, size_t *n);
/* A finite number, or an error that names line and column (from 0) and shows the cell. */
lam_status lam_recipe_number(const lam_recipe_text *text, const lam_cell *cell, size_t column, const char *name, double *value);
/* "FILE: line 1: WHAT; the POWER recipe takes FILES of SOURCE". */
lam_status lam_recipe_refuse(const lam_recipe_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- recipe_write.c ----------------------------------------------------------------------------------------------- */

/* LAM_ERR_ARGUMENT if the folder holds files of the names to be written that no recipe wrote. */
lam_status lam_recipe_check_folder(const char *folder);
/* Rounds the rows to float, writes them and recipe.json, fills result. */
lam_status lam_recipe_write(lam_recipe_job *job, const char *folder, lam_recipe_result *result);

#endif
