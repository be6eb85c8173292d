/* The public tabular data sets of this field, made from their raw files. */
#ifndef LAMINAR_RECIPE_H
#define LAMINAR_RECIPE_H
#include <laminar.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How a public raw file becomes the rows behind the published figures of this field (Papamakarios, Pavlakou and Murray 2017,
 * "MAF", appendix D.2 and its code; FFJORD and others took them over). docs/data.md says what each does. */
typedef struct lam_recipe {
    const char *name;    /* "power" */
    const char *source;  /* what the raw files are of, and where they lie */
    const char *files;   /* their usual names */
    size_t columns;      /* published */
    size_t rows[3];      /* published, by lam_part */
} lam_recipe;
LAM_API const lam_recipe *lam_recipe_at(size_t index); /* NULL past the end */

/* Zeros are defaults. */
typedef struct lam_recipe_options {
    uint64_t seed;  /* of the shuffle, the sample and the noise */
    int overwrite;  /* 1: replace files in the folder that are not this call's own output of an earlier time */
    lam_log log;    /* notes: what was left out, which columns stay, how the counts differ from the published ones */
    /* May be NULL; done and total in bytes, what as in "reading ethylene_CO.txt"; non-zero return stops. */
    int (*progress)(void *user, const char *what, size_t done, size_t total);
    void *user;
} lam_recipe_options;

typedef struct lam_recipe_result {
    size_t rows[3];     /* by lam_part */
    size_t columns;
    size_t read;        /* rows of the raw files that were looked at */
    int as_published;   /* 1: rows and columns are as many as published */
    char data_hash[33]; /* what lam_model_data_hash says of a model that was fitted to the three files */
} lam_recipe_result;

/* Makes train.npy, validation.npy, test.npy (f4, [rows, columns], in the units of the published figures) and recipe.json, which
 * says what they are made of, in folder, which exists. paths [n_paths]: the raw files, or one folder that holds them under
 * their usual names. options and result may be NULL. The npy files are written atomically, and recipe.json is written last.
 * LAM_ERR_ARGUMENT: no such recipe, too many or too few files, files in the folder that are not a recipe's; LAM_ERR_IO;
 * LAM_ERR_FORMAT and LAM_ERR_DATA name file, line and what to do; LAM_ERR_INTERRUPTED: stopped by progress, nothing was written;
 * LAM_ERR_UNSUPPORTED: bsds300 without HDF5. */
LAM_API lam_status lam_recipe_prepare(const char *name, const char *const *paths, size_t n_paths, const char *folder,
    const lam_recipe_options *options, lam_recipe_result *result);

#ifdef __cplusplus
}
#endif
#endif
