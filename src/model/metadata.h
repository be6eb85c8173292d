/* What a model file says beside its tensors, as the texts of its __metadata__: "laminar" (the format's version), "config"
 * (YAML), "columns", "mean", "scale", "h_star_train", "h_star_test" (JSON lists; the shortest decimals that read back as the
 * same doubles), "named" ("true": the columns have names, "false": they are numbers), "log_det", "data_hash", of a model that knows
 * its training rows' range "train_low", "train_high" (JSON lists), of a conditional one "given" and "levels" (JSON lists: 1 for a column
 * that never has a density; levels of a column of texts, 0 for one of numbers) and "absent" ("true": cells of the others may be missing), and of a tuned one "tuned" (a JSON object: lam_tuned). What does not change the fit
 * (threads, instruction set, memory) stands there at its default, so that equal fits make equal files. */
#ifndef LAM_MODEL_METADATA_H
#define LAM_MODEL_METADATA_H
#include "model/model.h"
#include "model/safetensors.h"

/* A model without column maps is written in the format that programs from before there were maps read too. */
#define LAM_MODEL_FORMAT "1"
#define LAM_MODEL_FORMAT_MAPS "2"
/* One whose density is conditional on given columns, with column maps or without. */
#define LAM_MODEL_FORMAT_GIVEN "3"
/* One whose rows are whitened, conditional or not, with column maps or without. */
#define LAM_MODEL_FORMAT_WHITENED "4"
/* One whose base density is calibrated: all of these or none. */
#define LAM_MODEL_FORMAT_CALIBRATED "5"

/* One of several flows: all of these or none, and each further flow's own file as the bytes of a tensor U8 "flow.2", "flow.3", ... */
#define LAM_MODEL_FORMAT_FLOWS "6"
/* One whose blocks share the maps of their context: all of these, conditional, of one flow or of several. */
#define LAM_MODEL_FORMAT_SHARED "7"
enum { LAM_FLOW_NAME = 32 };
void lam_flow_name(size_t k, char name[LAM_FLOW_NAME]); /* k from 0, that of flow k + 1 */

enum { LAM_META_PAIRS = 18 };

typedef struct lam_metadata {
    size_t n; /* pairs in use */
    lam_st_pair pairs[LAM_META_PAIRS];
    char *texts[LAM_META_PAIRS]; /* the values; freed by lam_metadata_free */
} lam_metadata;

lam_status lam_metadata_write(const lam_model *model, lam_metadata *meta);
void lam_metadata_free(lam_metadata *meta); /* an empty one too */

/* A column's map in the file: a tensor of this name, F64 [3, knots], x, z and slope (data/maps.h). */
enum { LAM_MAP_NAME = 32 };
void lam_map_name(size_t column, char name[LAM_MAP_NAME]);
/* The whitening's tensors, F64 [dim] and [dim, dim] (data/whiten.h). */
#define LAM_WHITENING_MEAN "whitening.mean"
#define LAM_WHITENING_COVARIANCE "whitening.covariance"

/* Texts of entries; free with free(). The configuration is without what does not change the fit; numbers are "[1.5,2]". */
lam_status lam_metadata_config(const lam_config *config, char **text);
lam_status lam_metadata_numbers(const double *values, size_t n, char **text);
/* The list under key: exactly n numbers, finite and not below low. */
lam_status lam_metadata_read_numbers(const lam_st_file *file, const char *where, const char *key, size_t n, double low,
    double *values);

/* 1 if the file is a laminar model, by its metadata. */
int lam_metadata_is_ours(const lam_st_file *file);
int lam_metadata_has_format(const lam_st_file *file, const char *format);
int lam_metadata_may_have_all(const lam_st_file *file);  /* 1: of a format whose files may have what the earlier ones have */
int lam_metadata_has_maps(const lam_st_file *file);      /* 1: with column maps, by its format */
int lam_metadata_has_whitening(const lam_st_file *file); /* 1: with whitening */
/* Configuration and number of columns. cfg is initialised; where names the file. LAM_ERR_UNSUPPORTED: a newer format. */
lam_status lam_metadata_shape(const lam_st_file *file, const char *where, lam_config *cfg, size_t *dim);
/* What its columns are, by its configuration too: is_given [dim] and levels [dim], zeroed, are filled, and kind refers to them. */
lam_status lam_metadata_given(const lam_st_file *file, const char *where, const lam_config *cfg, size_t dim, unsigned char *is_given,
    size_t *levels, lam_given_kind *kind);
/* The maps into a model of that shape, where the format has them and the configuration wants them. */
lam_status lam_metadata_read_maps(const lam_st_file *file, const char *where, lam_model *model);
int lam_metadata_is_map(const lam_st_file *file, const char *name, size_t dim); /* 1: that is the name of one of them */
/* The same of the whitening. */
lam_status lam_metadata_read_whitening(const lam_st_file *file, const char *where, lam_model *model);
int lam_metadata_is_whitening(const lam_st_file *file, const char *name);
int lam_metadata_is_flow(const char *name, size_t flows); /* 1: that is the name of the file of one of so many flows */
/* The rest, into a model of that shape. LAM_ERR_FORMAT names the entry. */
lam_status lam_metadata_read(const lam_st_file *file, const char *where, lam_model *model);

#endif
