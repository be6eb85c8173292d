/* laminar: continuous normalizing flows whose ODE is cheap to solve. This header fits densities to tables of numbers, scores rows, draws
 * samples, and saves and loads models. Beside it stand
 *
 *     laminar/vae.h          images, and variational auto-encoders of them (examples/fit_images.c)
 *     laminar/plot.h         charts, and pictures of models
 *     laminar/experiment.h   grids of fits, and the record that a fit leaves
 *     laminar/measure.h      how fast this machine and this configuration are; which steps a model's solves take
 *     laminar/recipe.h       the public tabular data sets of this field, from their raw files
 *
 * A complete program (examples/fit_csv.c is this one, with its error checks):
 *
 *     #include <laminar.h>
 *     #include <stdio.h>
 *     int main(void)
 *     {
 *         lam_config *cfg = NULL;
 *         lam_table *table = NULL;
 *         lam_dataset *data = NULL;
 *         lam_model *model = NULL;
 *         double x[2] = { 0.5, -0.5 }, logp;
 *         if (lam_config_create("{tpr: true, iterations: 200}", &cfg) || lam_table_toy("pinwheel", 10000, 1, &table)
 *             || lam_dataset_build(cfg, table, NULL, NULL, NULL, &data) || lam_fit(cfg, data, NULL, &model, NULL)
 *             || lam_log_prob(model, NULL, x, 1, &logp, NULL))
 *             return fprintf(stderr, "%s\n", lam_last_error()), 1;
 *         printf("log p(x) = %g nats\n", logp);
 *         lam_model_free(model), lam_dataset_free(data), lam_table_free(table), lam_config_free(cfg);
 *     }
 *
 * Conventions. Arrays are row-major, x [n, dim]. Log-densities are in nats. "f" is the vector field of the flow. "Data units" are the units
 * of the file; "standardised units" are (x - mean) / scale, so that the training rows have mean 0 and variance 1 in each column. The flow
 * works in standardised units, or, with column maps (parameter "map"), behind the maps; rows and densities are then still in these units.
 * Every call that can fail returns a lam_status; LAM_OK is 0. After a failure, lam_last_error() says what went wrong, where, and what to do
 * about it; the text is kept per thread. NULL for an argument that must be given fails with LAM_ERR_ARGUMENT, which names the argument;
 * functions without a status then return 0 or NULL. Whoever creates an object frees it; every free function accepts NULL. Calls on
 * different objects may run at the same time, and several threads may read one model.
 */
#ifndef LAMINAR_H
#define LAMINAR_H

#include <laminar/status.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- configuration ------------------------------------------------------------------------------------------------ */

/* The settings of a fit. One table of parameters serves YAML files, command-line flags and these functions: "batch-size" everywhere, '-' and
 * '_' alike; `laminar fit --help` and lam_parameter_at list them. New parameters do not change what a program is linked against. */
typedef struct lam_config lam_config;
typedef enum lam_model_kind { LAM_DENSITY, LAM_VAE } lam_model_kind;
typedef enum lam_divergence { LAM_DIV_EXACT, LAM_DIV_RADEMACHER, LAM_DIV_GAUSSIAN } lam_divergence;
/* Does the first line of a text file name the columns? AUTO: its cells and those below tell (docs/data.md). */
typedef enum lam_header { LAM_HEADER_AUTO, LAM_HEADER_YES, LAM_HEADER_NO } lam_header;

/* A list of columns. Where columns are asked for, an item is a column's name, as it is in the file; or its number in the file, from 1,
 * where the file names none of its columns by a number that is not its own. No item is ever looked into: a name may hold commas. */
typedef struct lam_names {
    const char *const *item; /* [n]; may be NULL if n is 0 */
    size_t n;
} lam_names;
/* A list for an argument, as in { .drop = LAM_NAMES("date", "kWh, total") }; it lives as long as the block that it stands in. */
#define LAM_NAMES(...) \
    { (const char *const[]){ __VA_ARGS__ }, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *) }

/* A configuration with the defaults, and with settings (YAML, as in a run's config.yaml: "{tpr: true, iterations: 200}"; NULL: none) in place
 * of some of them. */
LAM_API lam_status lam_config_create(const char *settings, lam_config **out);
LAM_API void lam_config_free(lam_config *cfg);
LAM_API lam_status lam_config_copy(lam_config *dst, const lam_config *src); /* dst becomes what src is */
/* Sets one parameter from text. An unknown name is refused with the nearest known one, a value out of range with the range. */
LAM_API lam_status lam_config_set(lam_config *cfg, const char *name, const char *value);
/* Writes the value as text, NUL-terminated; LAM_ERR_ARGUMENT if it does not fit. */
LAM_API lam_status lam_config_get(const lam_config *cfg, const char *name, char *value, size_t size);
/* The value of a parameter that is a number; of true and false 1 and 0; N of "flow-matching:N" and "normal-scores:N", 0 of their "none".
 * NaN for "auto", other words, lists and unknown names (which lam_last_error() tells). */
LAM_API double lam_config_number(const lam_config *cfg, const char *name);
/* 1 if the value, as text, is this one: lam_config_is(cfg, "precision", "double"). */
LAM_API int lam_config_is(const lam_config *cfg, const char *name, const char *value);
/* The items of a list of columns, owned by cfg; none for other parameters. */
LAM_API lam_names lam_config_names(const lam_config *cfg, const char *name);
LAM_API lam_model_kind lam_config_kind(const lam_config *cfg); /* what it fits: parameter "model" */
LAM_API lam_status lam_config_load(lam_config *cfg, const char *yaml_path);       /* mistakes: file, line and column */
LAM_API lam_status lam_config_save(const lam_config *cfg, const char *yaml_path); /* atomically */
enum { LAM_UNENDING = 1000000000 }; /* parameter "iterations": as many as a limit of time allows, which is what "auto" comes to under one */
/* Published settings by name, as lam_config_load reads them; they are part of the library. */
typedef struct lam_preset {
    const char *name; /* "power" */
    lam_model_kind model;
    const char *about; /* a line */
    const char *yaml;
} lam_preset;
LAM_API const lam_preset *lam_preset_at(size_t index); /* NULL past the end */
/* Sets what the preset says; an unknown name is refused with those that there are. */
LAM_API lam_status lam_config_load_preset(lam_config *cfg, const char *name);
/* Every value in range and consistent with the others; lam_fit checks as well. */
LAM_API lam_status lam_config_check(const lam_config *cfg);
/* Puts numbers and words in the place of every "auto" that depends on the size of the data, for so many training rows and columns (of
 * images: rows alone, columns 0); columns that cfg gives count for less. "map: auto" becomes none: it takes the rows themselves (lam_config_choose). lam_fit and lam_vae_fit do so
 * on a copy; what they chose is in the model's configuration. */
LAM_API lam_status lam_config_resolve(lam_config *cfg, size_t rows, size_t columns);
/* The penalties that cfg has, in few words for a heading: "TPR 5 + RNODE 0.01 + STEER 0.5"; "none". */
LAM_API void lam_config_penalties(const lam_config *cfg, char text[128]);

/* What decides about the steps of an evaluation (method.md 12). */
typedef struct lam_setting {
    const char *solver; /* its word, "dopri5"; it need not be freed */
    size_t steps;      /* even steps per block, looked at by no error estimate; 0: adaptive */
    double atol, rtol; /* of adaptive steps, standardised units */
    size_t trace_points; /* per block, of Gauss-Legendre quadrature of the trace, beside a solve of the states alone; 0: the solver integrates both */
} lam_setting;
/* The setting of cfg's test-solver, test-steps, test-atol, test-rtol and test-trace-points, "auto" and 0 steps resolved: validation and test of a
 * fit are solved by it. */
LAM_API lam_setting lam_config_setting(const lam_config *cfg);

typedef struct lam_parameter {
    const char *name;   /* "batch-size" */
    const char *group;  /* "model", "flow", "solve", "penalty", "training", "data", "vae" */
    const char *values; /* "N", "X", "TIME", "true|false", "adam|adamw|adamax" */
    const char *help;   /* one sentence */
    int is_course;      /* 1: how, where or how long a fit runs, as threads and iterations do; 0: what it is a fit of */
    int is_list;        /* 1: a list of columns */
} lam_parameter;
/* The table, in the order in which it is printed. NULL past the end. */
LAM_API const lam_parameter *lam_parameter_at(size_t index);
/* 1 if the parameter at index concerns models of this kind: the group "data" is for densities, "vae" for the other. */
LAM_API int lam_parameter_applies(size_t index, lam_model_kind kind);
/* Where the parameter at index does nothing in cfg, as tpr-degree without tpr-coefficient: what it wants, for a message
 * ("--tpr-coefficient", "an adaptive --solver"); else NULL. */
LAM_API const char *lam_parameter_idle(size_t index, const lam_config *cfg);
/* The one of this name, or that had it in an earlier version (max-seconds is budget), '-' and '_' alike; NULL if there is none. */
LAM_API const lam_parameter *lam_parameter_find(const char *name);
/* Nearest of the known names to an unknown one, NULL if none is near. */
LAM_API const char *lam_parameter_nearest(const char *name);
/* Letters to insert, delete, replace or swap with their neighbour to turn name a into b, '-' and '_' alike; SIZE_MAX for names longer
 * than 40 letters. */
LAM_API size_t lam_name_distance(const char *a, const char *b);

/* ---- tables of numbers -------------------------------------------------------------------------------------------- */

typedef void (*lam_log_fn)(void *user, const char *line); /* one warning or note, no newline */
typedef struct lam_log { lam_log_fn line; void *user; } lam_log;

typedef struct lam_table {
    size_t rows, cols;
    double *values;   /* [rows, cols]; NULL where the rows stay in a file (lam_table_map_rows) */
    char **names;     /* [cols], never NULL: from the header, or the numbers as text */
    size_t *numbers;  /* [cols] of each column in its file, from 1, whatever was dropped beside it */
    int has_names;    /* 1: the file named its columns */
    int from_zero;    /* 1: messages, and names of a file without any, count columns from 0; numbers do not */
    size_t bad_rows;  /* dropped for a missing or non-numeric cell */
    size_t *bad_at;   /* [bad_rows] which of the source's rows these were, from 0, ascending; NULL if none */
    lam_names *levels; /* [cols] of a column of text all texts that it may have, ascending; its cells are their numbers, from 0. A column of
                        * numbers has none. NULL: there is no column of text (lam_table_set_levels) */
    size_t missing;   /* cells that are NaN, where that was asked for */
    size_t duplicates;/* dropped as duplicates */
    size_t *duplicate_at; /* [duplicates] which of the source's rows these were, as bad_at; NULL if none */
    char hash[33];    /* 128-bit digest of values, hex: the data hash kept in a model */
    char *how;        /* of a text file: where its names are from and what decided, in a few words; else NULL */
    char *notes;      /* what the user of a text file should know, a line each without a newline at the end; NULL: nothing */
    struct lam_mapped *mapped; /* the file that the rows stay in; NULL: they are in values */
    char *kept;       /* the file that the numbers of text are kept in for the next reading (lam_rows_place); NULL: there is none */
    int was_kept;     /* 1: they are from it, as an earlier reading left it */
} lam_table;

/* The columns in which rows are wanted: a model's (lam_model_wanted) or those of another table (lam_table_wanted). */
typedef struct lam_wanted {
    const char *owner;       /* for messages: "the model", which NULL stands for as well */
    lam_names names;         /* in their order */
    int has_names;           /* 0: there are names.n columns, and they go by their numbers in a file */
    lam_names columns, drop; /* what was taken of the file whose columns these are */
    const lam_names *levels; /* [names.n] of its columns of text (lam_table); NULL: there are none */
} lam_wanted;
LAM_API lam_wanted lam_table_wanted(const lam_table *table); /* borrows its names; columns and drop are empty */

typedef struct lam_read_options {
    lam_names columns, drop; /* those to take, in this order, and those to leave out; n 0: all / none */
    int drop_bad_rows, drop_duplicates;
    int all_rows;      /* 1: the caller cannot leave rows out, and messages do not advise it */
    int missing;       /* 1: a missing cell is NaN, and no error; a row of nothing else is dropped and counted as bad */
    lam_names text;    /* columns that may be text, as of things that are given: then its texts are levels (lam_table). Where like has levels,
                        * these are the columns of text, and a text that is no level is an error, or a bad row */
    lam_header header; /* of text files */
    const lam_wanted *like;  /* the columns wanted, in their order, out of those taken (lam_columns_choose); may be NULL */
    int from_zero;           /* as in lam_table; numbers in columns and drop count from 1 in either case */
    int names_only;          /* 1: reads all names and no rows (values is NULL); columns, drop and like are ignored */
    size_t threads;          /* that read text; 0: one per processor. The table does not depend on it */
} lam_read_options;

/* Chooses the columns of a file or an array that options ask for: writes their places, from 0, to kept [room for cols], and how many there
 * are to *n_kept. names [cols] are the file's names; NULL: it has none. Messages begin with where. options may be NULL.
 *   columns, drop    by name, or by number from 1 (lam_names)
 *   like             Where both have names, each wanted column is found by its name, wherever it is, and other columns are ignored. If
 *                    `columns` lists other names than the wanted ones, they stand for the wanted ones in the order listed. Where one of
 *                    the two has no names, the first columns are taken, as many as are wanted; if nothing was asked for, those that
 *                    like's own columns and drop leave, provided that the number is right.
 * LAM_ERR_ARGUMENT: there is no such column, one is named twice, or none is left; LAM_ERR_FORMAT: two columns have the same name;
 * LAM_ERR_SHAPE: a wanted column is missing, the numbers of columns differ, or their order cannot be determined. */
LAM_API lam_status lam_columns_choose(const char *where, const char *const *names, size_t cols, const lam_read_options *options,
    size_t *kept, size_t *n_kept);

/* Reads a table from csv or text (the separator and the header are detected; .gz too), .npy, .npz (its only 2-D array, or
 * "file.npz:NAME"), or makes one from "toy:NAME" (10000 rows, seed 0) or "toy:NAME:ROWS:SEED". "-" reads standard input to its end. A cell
 * HH:MM[:SS] is read as minutes of the day. options may be NULL. Errors name line and column. The caller frees *out. */
LAM_API lam_status lam_table_read(const char *path, const lam_read_options *options, lam_table **out);
/* How a configuration has tables read: its columns, drop, header, drop-bad-rows and drop-duplicates. The lists stay the configuration's. */
LAM_API lam_read_options lam_config_read_options(const lam_config *cfg);
/* lam_table_read with these options. first: the training rows that were read in this way, for validation or test rows, which are then read
 * in the same columns; else NULL. */
LAM_API lam_status lam_table_read_rows(const lam_config *cfg, const char *path, const lam_table *first, lam_table **out);
/* Where lam_table_map_rows keeps rows, and lam_reader_open_at what it unpacks. All zeros: in memory. */
typedef struct lam_rows_place {
    const char *folder; /* for files; NULL: all is read to memory */
    size_t least;       /* bytes that a table has at the least for its rows to be in files: an .npy as 8-byte numbers, text as it is when unpacked */
    int keep;           /* 1: what text in a file is converted to stays in folder, in a file of its own (lam_table.kept), until somebody removes it.
                         * Later readings take the numbers from it, if the text and all that they depend on are as they were, which is checked */
    lam_log log;        /* told why such a file was not used, or could not be made; line may be NULL */
} lam_rows_place;
/* lam_table_read_rows for a table that may be larger than memory, to build a data set from and for nothing else: a large .npy stays in its file, which is
 * mapped and must not be shortened meanwhile; large text is read to such a file part by part, also what is gzipped or comes in a pipe, which is
 * unpacked to a file first; and values is NULL. An .npz and smaller tables are read to memory. The data set, and a fit of it, are those of the table in
 * memory, bit for bit, but keep what grows with the number of rows, above all a copy of the rows in the order of the split, in files without
 * names in the folder, which end with the data set. place NULL: in memory. */
LAM_API lam_status lam_table_map_rows(const lam_config *cfg, const char *path, const lam_table *first, const lam_rows_place *place, lam_table **out);
/* One of the ten 2-D densities of this field, named by lam_toy_name. Row i depends on (name, seed, i) only. */
LAM_API lam_status lam_table_toy(const char *name, size_t rows, uint64_t seed, lam_table **out);
LAM_API const char *lam_toy_name(size_t index); /* NULL past the end */
LAM_API lam_status lam_table_create(size_t rows, size_t cols, lam_table **out); /* zeros, names "1", "2", ... */
LAM_API lam_status lam_table_rename(lam_table *table, size_t column, const char *name); /* keeps a copy of name; has_names is 1 then */
/* Makes column, of whole numbers from 0, one of text: levels (copied) are what these stand for, different texts in ascending order. */
LAM_API lam_status lam_table_set_levels(lam_table *table, size_t column, const lam_names *levels);
/* Writes .npy (f8; [rows] if cols == 1), .csv or .csv.gz, by the ending of the path; atomically. */
LAM_API lam_status lam_table_write(const lam_table *table, const char *path);
/* Writes csv to an open descriptor, which stays open; 1 is standard output, which the caller has to flush first. */
LAM_API lam_status lam_table_write_to(const lam_table *table, int descriptor);
LAM_API void lam_table_free(lam_table *table);

/* A table of any length, read part by part: a file of text or an .npy is mapped, also one that stands in an .npz as it is, and takes no memory of its
 * own; what is unpacked (gzip, a deflated array, standard input) is in memory as a whole, as is text in other encodings than UTF-8. path and options as
 * for lam_table_read, whose rows and errors these are; options (may be NULL) and what they point to must outlive the reader. With names_only the one
 * part has no rows. LAM_ERR_ARGUMENT: drop_duplicates, which needs all rows. */
typedef struct lam_reader lam_reader;
LAM_API lam_status lam_reader_open(const char *path, const lam_read_options *options, lam_reader **out);
/* The same, but what is unpacked goes to a file without a name, which ends with the reader, where place says so: it is `least` bytes or more, of an array
 * `least` / 8. place->keep and log are not used. NULL: to memory. */
LAM_API lam_status lam_reader_open_at(const char *path, const lam_read_options *options, const lam_rows_place *place, lam_reader **out);
/* Begins again with other options, without unpacking anew: a pipe's names can be looked at before its rows are read. After an error there are no rows. */
LAM_API lam_status lam_reader_reopen(lam_reader *reader, const lam_read_options *options);
/* The next `rows` rows as a table of their own (free it), the last part fewer; NULL at the end. bad_at counts from the part's first row, of the
 * source's rows; a last part may have no row but bad ones. hash is empty, notes are the last part's. */
LAM_API lam_status lam_reader_next(lam_reader *reader, size_t rows, lam_table **out);
LAM_API lam_status lam_reader_rewind(lam_reader *reader); /* to the first row */
LAM_API void lam_reader_free(lam_reader *reader);
/* Writes a table part by part, to a path as lam_table_write does, or, where path is NULL, as csv to an open descriptor. like has the columns'
 * names and levels; rows of an .npy are announced. The file is there after lam_writer_commit, whole, and after lam_writer_abandon not at all. */
typedef struct lam_writer lam_writer;
LAM_API lam_status lam_writer_open(const char *path, int descriptor, const lam_table *like, size_t rows, lam_writer **out);
/* From here on text has an empty cell for NaN, not "nan"; but in a table of one column, where that would be no row. */
LAM_API lam_status lam_writer_leave_empty(lam_writer *writer);
LAM_API lam_status lam_writer_put(lam_writer *writer, const double *values, size_t rows); /* values [rows, like's cols] */
LAM_API lam_status lam_writer_commit(lam_writer *writer);  /* both free the writer */
LAM_API void lam_writer_abandon(lam_writer *writer);       /* takes NULL */

/* ---- a data set ready for training -------------------------------------------------------------------------------- */

typedef struct lam_dataset lam_dataset;

/* Adds the configured noise, splits the rows by split-seed, and standardises by the training rows. all holds all rows, or those that valid and
 * test (NULL: none) leave: without both, validation and test rows are split off; with test alone, validation rows; with valid alone, nothing.
 * Their columns are those of all (lam_columns_choose). Copies the rows. Warnings go to log (may be NULL), a line for each kind: few distinct
 * values, linear functions of other columns, values far from all others, row numbers. LAM_ERR_DATA: NaN, constant columns, too few rows. */
LAM_API lam_status lam_dataset_build(const lam_config *cfg, const lam_table *all, const lam_table *valid,
    const lam_table *test, const lam_log *log, lam_dataset **out);
typedef enum lam_part { LAM_TRAIN, LAM_VALID, LAM_TEST } lam_part;
LAM_API size_t lam_dataset_dim(const lam_dataset *data);
/* Rows of a part in standardised units, [*rows, dim], owned by the data set: memory, or pages of a file (lam_table_map_rows). */
LAM_API const double *lam_dataset_rows(const lam_dataset *data, lam_part part, size_t *rows);
/* Writes the rows of each part to folder, which must exist: train.npy, valid.npy and test.npy (f8 [rows, dim], for parts that have rows) in
 * standardised units; train_rows.npy and so on (f8 [rows]) with the number of each row in its file, from 0; and split.json with columns,
 * mean, scale, noise, the names of the files (files [3] by lam_part; NULL where there is none) and a note on units. Each file is written
 * atomically, split.json last. */
LAM_API lam_status lam_dataset_write(const lam_dataset *data, const char *folder, const char *const files[3]);
/* As lam_config_resolve, for a density of data, including what depends on the rows themselves: if a column is nearly a linear function of the
 * others (they leave less than 0.01 of its variance unexplained), "map: auto" becomes none and "tpr-coefficient: auto" becomes 0; otherwise
 * the map becomes normal-scores. */
LAM_API lam_status lam_config_choose(lam_config *cfg, const lam_dataset *data);
/* 128-bit digest of the tables that it was built from, before noise, hex: the data hash kept in a model. */
LAM_API const char *lam_dataset_hash(const lam_dataset *data);
LAM_API void lam_dataset_free(lam_dataset *data);

/* ---- models ------------------------------------------------------------------------------------------------------- */

typedef struct lam_model lam_model;

/* Evaluations of f and solver steps, summed over blocks and batches. An evaluation that also gives the trace counts once. */
typedef struct lam_counts {
    uint64_t forward, backward, recomputed; /* backward: vector-Jacobian products; recomputed: stages evaluated again for them */
    uint64_t accepted, rejected;
    uint64_t solves; /* batches times blocks, so forward / solves * blocks is the field's usual NFE */
    uint64_t untraced; /* of forward, in solves: those of f alone, which cost less than one that also gives the trace */
} lam_counts;

/* Loads a model from a safetensors file. Weights with FFJORD's state_dict names load too: a file without laminar's metadata needs config for
 * its architecture; otherwise config may be NULL. */
LAM_API lam_status lam_model_load(const char *path, const lam_config *config, lam_model **out);
/* The prefix of foreign weights' names that lam_model_load removed: "module." (from PyTorch's DataParallel), "_orig_mod." (from its compile),
 * or "". Any other prefix is refused by name. */
LAM_API const char *lam_model_prefix(const lam_model *model);
LAM_API lam_status lam_model_save(const lam_model *model, const char *path); /* atomically */
/* Which of lam_model_load and lam_vae_load a file is for. Weights of other programs count as a density. */
LAM_API lam_status lam_model_file_kind(const char *path, lam_model_kind *kind);
LAM_API void lam_model_free(lam_model *model);
LAM_API size_t lam_model_dim(const lam_model *model);
/* How many flows the density is the mean of, as the parameter "flows" has it (method.md 18). A model of several has no one map between rows and
 * base density: lam_encode, lam_decode, lam_trajectories and lam_measure_steps take the one that lam_eval_options.flow names. Parameters, maps, base scale and tensors below are those of the first. */
LAM_API size_t lam_model_flows(const lam_model *model);
LAM_API size_t lam_model_parameter_count(const lam_model *model);
LAM_API const lam_config *lam_model_config(const lam_model *model);       /* owned by the model */
LAM_API const char *lam_model_column(const lam_model *model, size_t column); /* name; NULL past the end */
LAM_API int lam_model_has_names(const lam_model *model); /* 0: the rows that it was fitted to had none, and columns are their numbers */
LAM_API lam_wanted lam_model_wanted(const lam_model *model); /* its columns, to read rows for it; borrowed from the model */
/* What a column is to a density (method.md 14): unknown; an input; or its density is asked. */
typedef enum lam_role { LAM_ABSENT, LAM_GIVEN, LAM_MOVING } lam_role;
LAM_API lam_role lam_model_role(const lam_model *model, size_t column); /* of one fitted with given columns; else all are LAM_MOVING */
LAM_API int lam_model_any_given(const lam_model *model); /* 1: fitted for any columns given any others (the parameter any-given) */
/* 1: rows may have missing cells (NaN) in columns that are not given, and with any-given in any column; 0: log p is of whole rows. */
LAM_API int lam_model_takes_missing(const lam_model *model);
LAM_API size_t lam_model_given_count(const lam_model *model); /* columns that are always given; 0: none */
LAM_API const char *lam_model_data_hash(const lam_model *model);
/* mean [dim] and scale [dim] of the standardiser: z = (x - mean) / scale; log-determinant is -sum log scale, nats */
LAM_API void lam_model_standardiser(const lam_model *model, const double **mean, const double **scale, double *log_det);
/* Knots of the spline that takes a standardised column to normal scores (method.md 13); 0: the model has no column maps, or no such
 * column. */
LAM_API size_t lam_model_map_knots(const lam_model *model, size_t column);
/* s of the base density N(0, s^2 I) that the flow leads to, as `calibrate: scale` chose it (method.md 17); 1: it chose none. log p, draws and quantiles
 * have it, and the z of lam_encode and lam_decode is that of N(0, I). */
LAM_API double lam_model_base_scale(const lam_model *model);
/* Tensors in file order: name, and n_shape <= 2 entries of shape. NULL past the end. */
LAM_API const char *lam_model_tensor(const lam_model *model, size_t index, size_t shape[2], size_t *n_shape);

typedef enum lam_units { LAM_UNITS_DATA, LAM_UNITS_STANDARDISED } lam_units;
/* How to evaluate a model. Zeros, or NULL for the whole struct, mean: the model's evaluation setting (lam_model_setting), the exact trace,
 * data units. */
/* Processes that work together, on one machine or on several (laminar/mpi.h). The result is the same to the last bit as that of one process. */
typedef struct lam_comm lam_comm;

typedef struct lam_eval_options {
    double atol, rtol;         /* 0: the model's test tolerances; any other value also chooses adaptive steps */
    int as_fitted;             /* 1: with the fit's own setting, even if lam_tune has chosen another since */
    lam_divergence divergence; /* LAM_DIV_EXACT is 0 */
    uint64_t seed;             /* of Hutchinson noise */
    lam_units units;           /* of x, and of the density */
    size_t batch_rows;         /* 0: 1000 */
    size_t threads;            /* 0: one per processor */
    int use_double;            /* solve in double whatever the model's precision */
    size_t flow;               /* of a model of several flows (lam_model_flows) flow 1, 2, ... alone; 0: the mixture of all */
    int probe;                 /* 1: estimate the first step by a trial step, instead of the one that the model remembers */
    const char *isa;           /* NULL: auto */
    int (*progress)(void *user, size_t done, size_t total); /* may be NULL; non-zero return stops */
    void *user;
    /* Of lam_log_prob, lam_conditional_log_prob and lam_vae_score: each of these processes makes the same call, does a share of the work, and
     * gets all results. progress is told of the share. NULL: this process works by itself. */
    const lam_comm *comm;
    /* Rows that come in parts, a call for each: how many were in the parts before, and how many there are in all (0: those of this call). Draws,
     * noise, messages and progress count on from there, and where every part but the last is a multiple of batch_rows the results are those
     * of one call to the last bit. For lam_log_prob, lam_encode, lam_decode, lam_sample and their conditional forms; and for lam_predict, whose parts
     * have to be multiples of 6400 rows, or with a number of draws, of 200000 / draws but at least 1 and at most 256. */
    size_t first_row, total_rows;
} lam_eval_options;

/* The setting that a call with these options (NULL allowed) solves with: that of the model's configuration. If the options give a tolerance,
 * even steps become adaptive ones, with the trace at every stage, where the solver has an error estimate; even steps and trace points that
 * lam_tune chose give way to the fit's own setting. */
LAM_API lam_status lam_model_setting(const lam_model *model, const lam_eval_options *options, lam_setting *setting);

/* What lam_tune left in a model. */
typedef struct lam_tuning {
    double error, percentile_error; /* bounds that were asked for, nats */
    double rms, percentile;         /* of |log p - reference| over the validation rows, by the setting chosen */
    size_t rows;                    /* of validation */
    lam_setting before;             /* the fit's own setting, which `as_fitted` still takes */
} lam_tuning;
/* 1 if the model's setting was chosen by lam_tune (*tuning says how; it may be NULL), else 0. */
LAM_API int lam_model_tuning(const lam_model *model, lam_tuning *tuning);
/* Puts the fit's own setting back; nothing to do for a model that is not tuned. */
LAM_API void lam_model_untune(lam_model *model);

/* Warns in log, in at most one line, about rows x [n, dim] that are to be evaluated: how many are outside the range of the training rows by
 * more than a quarter of its width, and in which column most of them are (for old model files without ranges: more than 12 standard
 * deviations from the mean); or that the rows look standardised although data units are expected. Writes nothing if nothing is wrong.
 * options may be NULL. */
LAM_API lam_status lam_rows_advise(const lam_model *model, const lam_eval_options *options, const double *x, size_t n, const lam_log *log);

/* The same of rows that come in parts: all are added, and then it says what it has to say of them together. */
typedef struct lam_advice lam_advice;
LAM_API lam_status lam_advice_create(const lam_model *model, const lam_eval_options *options, lam_advice **out);
LAM_API lam_status lam_advice_add(lam_advice *advice, const double *x, size_t n);
LAM_API lam_status lam_advice_say(const lam_advice *advice, const lam_log *log);
LAM_API void lam_advice_free(lam_advice *advice);

/* log p of each row, by (3) of method.md with the log-determinants of the standardiser and of the column maps. logp [n]; counts may be NULL. */
LAM_API lam_status lam_log_prob(const lam_model *model, const lam_eval_options *options, const double *x, size_t n,
    double *logp, lam_counts *counts);
/* n draws, x [n, dim] in options->units; logp [n] from the same pass, or NULL. Row i depends on (seed, i). LAM_ERR_ARGUMENT of a model
 * with given columns: lam_conditional_sample. */
LAM_API lam_status lam_sample(const lam_model *model, const lam_eval_options *options, uint64_t seed, size_t n, double *x,
    double *logp, lam_counts *counts);
/* Rows of which something is asked, and what each of their cells is in the question. */
typedef struct lam_query {
    const double *x;            /* [n, dim] all columns of the model, those of texts as numbers of their levels, from 0 */
    size_t n;
    const unsigned char *roles; /* [n_roles, dim] (lam_role); NULL: the model's own, as each function says */
    size_t n_roles;             /* 1, for all rows, or n */
} lam_query;
/* log p of the moving columns of each row, given the given ones; logp [n]. Without roles given columns are given, all others moving, but NaN cells
 * absent, and lam_log_prob says the same. A model of any columns given any others (any-given) takes any roles; one of a
 * fixed split (given) its own, where moving cells may be absent if they were in training; another one has moving columns alone.
 * LAM_ERR_ARGUMENT: other roles than the model takes; LAM_ERR_DATA: a moving or given cell that is not finite, or no level. */
LAM_API lam_status lam_conditional_log_prob(const lam_model *model, const lam_eval_options *options, const lam_query *query, double *logp,
    lam_counts *counts);
/* Draws of the moving columns, given the given ones of the query's rows, whose moving and absent cells are not looked at: `draws` a row, out
 * [n * draws, dim], those of a row side by side; given cells are x's to the last bit, absent ones NaN. logp [n * draws] from the same pass, or
 * NULL. Draw k of row i depends on (seed, i, k). Roles and errors as above; but without roles a model of any columns given any
 * others draws NaN cells, given all others. */
LAM_API lam_status lam_conditional_sample(const lam_model *model, const lam_eval_options *options, uint64_t seed, const lam_query *query,
    size_t draws, double *out, double *logp, lam_counts *counts);
/* From data to the base density, and back; z is always in units of the base density. Given columns stay as they are, in the units of x. */
LAM_API lam_status lam_encode(const lam_model *model, const lam_eval_options *options, const double *x, size_t n, double *z,
    lam_counts *counts);
LAM_API lam_status lam_decode(const lam_model *model, const lam_eval_options *options, const double *z, size_t n, double *x,
    lam_counts *counts);

/* The path of each row from data to the base density: states [n, blocks * times + 1, dim], first the row itself, then its state at T/times,
 * 2T/times, ..., T of each block in turn. They come from the dense output of the solves: the steps are those of lam_encode, and so are the
 * evaluations of f, except for one more per block at the end of even steps, and three more for each step of dop853 that a time falls into.
 * t [blocks * times + 1] receives the times, a block's counted from the end of the block before; NULL if they are not wanted.
 * Units: x and all states are in options->units. In standardised units the last states are lam_encode's z. In data units each state is
 * mean + scale * state: the first is the row as it is, the last is z on the axes of the data, and straight paths stay straight. With
 * column maps, states in standardised units begin at the mapped row; in data units the maps' inverse is applied first, which bends
 * straight paths.
 * LAM_ERR_ARGUMENT: times not from 1 to LAM_TRAJECTORY_TIMES. */
#define LAM_TRAJECTORY_TIMES 1000
LAM_API lam_status lam_trajectories(const lam_model *model, const lam_eval_options *options, const double *x, size_t n,
    size_t times, double *t, double *states, lam_counts *counts);

typedef struct lam_check_report {
    size_t rows;
    double nll, nll_tight;             /* mean -log p in data units, at the options' tolerance and at a hundredth of it; of a tuned model with
                                        * its setting and at a hundredth of the fit's own test tolerance. NaN where other columns are
                                        * missing in other rows: these densities have no unit in common */
    double nll_standardised, nll_tight_standardised;
    double logp_error_max, logp_error_rms; /* against the tighter solve, in double */
    double round_trip_max, round_trip_rms; /* |decode(encode(x)) - x| of the cells that move, standardised units */
    double hutchinson_mean, hutchinson_se; /* of mean log p (Hutchinson) - mean log p (exact), 64 probes */
    int has_mass;
    double mass;                       /* integral of the density: of one or two columns, or of one column given others; else 0 and has_mass 0 */
    size_t mass_rows;                  /* of one given others: of so many rows, spread over all, it is the mass that is furthest from 1, within the
                                        * interpolation of lam_predict (about 1e-3 at the worst); else 0 */
    int has_consistency;               /* of a model of any columns given any others, two of which or more can move: */
    double consistency;                /* rms over rows and random splits of log p(a) + log p(b | a) - log p(a, b), nats */
    lam_counts counts, counts_tight;
} lam_check_report;
LAM_API lam_status lam_check(const lam_model *model, const lam_eval_options *options, const double *x, size_t n,
    lam_check_report *report);

/* ---- questions to conditional densities ----------------------------------------------------------------------------- */

/* Levels of a column of text (lam_table); n 0: it is one of numbers. Owned by the model. */
LAM_API lam_names lam_model_levels(const lam_model *model, size_t column);

/* The roles [dim] that lists of columns ask for, by name or by number among the model's columns, from 1: those of `of` move, those of
 * `given` are given, and all others have the role `rest`. Without `of` (n 0) all columns move that are not given, and those that
 * never move (lam_model_role) are given, here and where rest is LAM_MOVING. Where the fit has fixed which
 * columns are given, and of a model of all its columns, the roles are the fit's, and it is an error if the lists, or rest, say otherwise of a
 * column: rest LAM_MOVING says nothing. LAM_ERR_ARGUMENT: no such column; one in both
 * lists; another split than the fit's. */
LAM_API lam_status lam_model_roles(const lam_model *model, const lam_names *of, const lam_names *given, lam_role rest, unsigned char *roles);
/* Such roles for every row of x [n, dim], into out [n, dim]: a missing cell (NaN) is absent, but where a fixed split gives it, which
 * an evaluation refuses; of those that are to be filled (fills 1) it
 * moves, but for columns that never move, as text, and what is there is given. roles [dim]; LAM_ERR_DATA: a row without a cell that moves, unless fills. */
LAM_API lam_status lam_roles_of_rows(const lam_model *model, const unsigned char *roles, int fills, const double *x, size_t n,
    unsigned char *out);

/* How predictions are made: by draws, or, where in no row more than one column moves, by integrating its density, whose error is far smaller.
 * AUTO: the latter where it can be. */
typedef enum lam_predict_method { LAM_PREDICT_AUTO, LAM_PREDICT_DRAWS, LAM_PREDICT_INTEGRAL } lam_predict_method;

/* Zeros are defaults. */
typedef struct lam_predict_options {
    const lam_eval_options *eval; /* NULL: defaults. Its progress is told of rows */
    lam_predict_method method;
    uint64_t seed;
    size_t draws;            /* a row; 0: 1000 */
    const size_t *columns;   /* [n_columns] that are predicted; NULL: all that move in the first row */
    size_t n_columns;
    const double *quantiles; /* [n_quantiles], each above 0 and below 1 */
    size_t n_quantiles;
    const double *below;     /* [n_below]: the probability of being at most this */
    size_t n_below;
} lam_predict_options;

typedef struct lam_predict_report {
    lam_predict_method method; /* the one that was taken, */
    size_t draws;              /* of draws: so many a row */
    double mass_error;         /* of integrals: the largest |1 - integral of the density| over the rows, by which solves and densities disagree */
    lam_counts counts;
} lam_predict_report;

/* Of each row of the query and each column predicted 2 + n_quantiles + n_below numbers: mean, standard deviation, quantiles, probabilities;
 * values [n, columns, numbers]. errors (may be NULL), likewise: of draws the standard errors of these (of probabilities that with one draw
 * more on either side, so never 0; NaN of a quantile beyond which less than one draw is expected), of integrals 0. Roles are as for
 * lam_conditional_log_prob, but cells that move are not looked at, missing or not. report may be NULL. LAM_ERR_ARGUMENT: a column that is given is to be
 * predicted, an integral is asked for where more than one column moves; LAM_ERR_SOLVER. */
LAM_API lam_status lam_predict(const lam_model *model, const lam_predict_options *options, const lam_query *query, double *values,
    double *errors, lam_predict_report *report);

/* How far the values of a column are where its distribution has them: under a true model the share of the distribution below a value is
 * uniform over the rows. */
typedef struct lam_calibration {
    size_t rows;            /* that have a value; 0: the column does not move */
    double distance, band;  /* largest distance of the shares' distribution from the uniform one, and what it stays below with probability 0.95 */
    double inside[2], inside_se[2]; /* share of values within the central intervals of 50 and 90 %; its standard error under a true model */
} lam_calibration;
/* out [dim], by draws of each row (0: 400), or, of a model without given columns, by one set of draws of its columns. Roles as above; without
 * them, of a model of any columns given any others: each column given all others. */
LAM_API lam_status lam_calibrate(const lam_model *model, const lam_eval_options *options, uint64_t seed, const lam_query *query,
    size_t draws, lam_calibration *out);

/* ---- fitting ------------------------------------------------------------------------------------------------------ */

typedef struct lam_progress {
    size_t iteration, iterations;   /* iterations: how many there will be; LAM_UNENDING: not known yet */
    size_t warm_start, warm_starts; /* iterations of flow matching done so far, and in total. During these, and at the validation that
                                       ends them, iteration is 0, nll and tpr are NaN, and loss, grad_norm, counts and seconds_left are
                                       those of flow matching */
    double loss, nll, tpr;         /* of this batch, in nats and standardised units (images: lam_vae_fit); tpr without its coefficient */
    double val_nll, best_val_nll;  /* NaN before the first validation */
    double val_nll_se;             /* standard error of the last val_nll */
    size_t val_rows;               /* number of rows that it is the mean of */
    int is_validation;             /* 1: val_nll is new */
    double lr, grad_norm;
    size_t flow;                   /* of a model of several flows (the parameter "flows"), which are fitted one after the other: from 1 */
    double weight_decay_tried;     /* of a density of few rows, whose weight decay is chosen by fitting with several: the one under way; NaN: it is settled */
    size_t epoch;                  /* images: from 1; densities: 0 */
    double beta;                   /* images: the weight of the KL term in loss */
    lam_counts counts;             /* this iteration */
    lam_counts val_counts;         /* the last validation */
    double seconds, seconds_left;  /* since the start (of several flows, of this one), with the parts before a resume; seconds_left is an estimate */
} lam_progress;

typedef struct lam_fit_options {
    const char *run_dir; /* config.yaml, metrics.jsonl, model.safetensors and checkpoint go here; NULL: nothing is written */
    int resume;          /* 1: continue from run_dir's checkpoint if there is one */
    /* Start from these weights; NULL: from the seed. Columns, levels of text, given columns and layers have to be alike. The model's column maps and
     * whitening come along, rewritten for the standardiser of these rows. A resumed run wants it again. */
    const lam_model *init;
    /* Time that this process has used for the fit before the call, for instance to read its data: the limits of time (budget and
     * max-processor-seconds) and the seconds of the result include it. */
    double seconds, cpu_seconds;
    /* 1: the limits of time count training steps alone, which compares fits that had the same time to learn; validations and the test
     * then use all rows. */
    int limit_training;
    int (*progress)(void *user, const lam_progress *progress); /* may be NULL; a non-zero return saves the fit and stops it */
    /* Called after every batch but the last of a validation (LAM_VALID) or of the test, with the number of rows done. May be NULL; a
     * non-zero return stops the fit as progress does, and a resumed run repeats the evaluation. */
    int (*evaluating)(void *user, lam_part part, size_t done, size_t rows);
    void *user; /* of both */
    lam_log log;
    /* Each of these processes calls lam_fit, or lam_vae_fit, with the same configuration, the same data and the same options, and gets the same
     * model. Callbacks are called and files are written by rank 0 alone; all read run_dir's checkpoint to continue. NULL: this process works by
     * itself. */
    const lam_comm *comm;
} lam_fit_options;

/* What ended the training: its iterations were done; a limit of time; validation, which had stopped improving (early-stopping), so that the rate fell
 * early; training that went wrong for the third time. */
typedef enum lam_ending { LAM_ENDED_ITERATIONS, LAM_ENDED_TIME, LAM_ENDED_PLATEAU, LAM_ENDED_SETBACKS } lam_ending;

typedef struct lam_fit_result {
    size_t iterations;       /* in total, without those of the warm start */
    size_t warm_start;       /* iterations of the warm start */
    lam_counts warm_counts;  /* their evaluations of f, which train_counts does not include */
    size_t best_iteration;   /* 0: the best model came directly from the warm start */
    int finished;            /* 0: progress stopped it */
    double best_val_nll, test_nll; /* nats, standardised units; test of the best model, exact trace; NaN without test rows */
    double gaussian_test_nll;/* of a full-covariance Gaussian that was fitted to the training rows, on the same test rows */
    double best_val_nll_se, test_nll_se, gaussian_test_nll_se; /* standard errors of these means over rows; NaN: not known */
    size_t best_val_rows, test_rows; /* number of rows in these means: all rows of the part, or a sample; 0: not known */
    size_t gaussian_rows;    /* number of training rows that the Gaussian was fitted to */
    double mixture_test_nll, mixture_test_nll_se; /* the same of a mixture of Gaussians (method.md 8); NaN: there is none */
    size_t mixture_components, mixture_rows; /* number of its components, and of the training rows that it was fitted to; 0: there is none */
    double log_det;          /* nll in data units = nll - log_det */
    lam_counts train_counts; /* all iterations */
    lam_counts test_counts;
    double seconds;          /* wall time since the start (lam_fit_options), with the parts before a resume */
    double cpu_seconds;      /* processor time of all threads, likewise */
    double train_seconds;    /* wall time of the training steps, with the warm start, without validation, test and saving */
    double train_cpu_seconds;/* processor time of the training steps, summed over threads; a busy machine does not change it */
    lam_ending ending;
    size_t flows;            /* in the model (the parameter "flows"). Of several, iterations, train_counts, warm_counts and ending are those of the
                              * first, times are of all, and best_val_nll is the mean of all, each on its own validation rows */
} lam_fit_result;

/* Fits a flow. *model is the best one by validation, or the last one if there was no validation. If progress asks to stop, the status is
 * LAM_ERR_INTERRUPTED and *model is set. The result depends on cfg and data alone, not on threads or interruptions. */
LAM_API lam_status lam_fit(const lam_config *cfg, const lam_dataset *data, const lam_fit_options *options, lam_model **model,
    lam_fit_result *result);

/* ---- tuning ------------------------------------------------------------------------------------------------------- */

typedef struct lam_tune_progress {
    size_t rows, rows_done;       /* of the reference: validation and test rows */
    size_t candidates;            /* tried so far */
    double seconds, seconds_left; /* since the start; estimate. The first call comes before the work and estimates all of it */
} lam_tune_progress;

/* Zeros mean the defaults; error must be given. */
typedef struct lam_tune_options {
    double error;               /* bound on the root mean square of log p - reference over the validation rows, nats, above 0 */
    double percentile_error;    /* bound on the 99th percentile of |log p - reference|; 0: error */
    size_t rows;                /* largest number of validation rows and of test rows, chosen evenly from those given; 0: 2000 */
    uint64_t seed;              /* of the split of x into halves if test is NULL */
    lam_units units;            /* of x and test */
    size_t batch_rows, threads; /* as in lam_eval_options */
    const char *isa;
    int (*progress)(void *user, const lam_tune_progress *progress); /* may be NULL; non-zero return stops */
    void *user;
} lam_tune_options;

/* A setting that was tried, and its errors and cost on a set of rows. */
typedef struct lam_tune_candidate {
    lam_setting setting;
    double calls;           /* evaluations of f per batch, all blocks */
    double untraced;        /* of these: those of f alone, without the trace */
    double cost;            /* in evaluations with the exact trace; one of f alone is the share of that which lam_tune_result has */
    double rms, percentile; /* of log p - reference, nats; infinite where the solver gave up (calls is NaN then) */
    double cpu_seconds;     /* processor time of the process, all threads */
    int on_front;           /* no other candidate has a smaller rms for the same cost, or the same rms for less */
} lam_tune_candidate;

typedef struct lam_tune_result {
    size_t rows, test_rows;
    double reference_tolerance, reference_calls; /* dop853 in double; evaluations of f per batch */
    double untraced_cost;   /* an evaluation of f alone, as a share of one with the exact trace: by their arithmetic */
    double reference_error; /* rms of log p against a solve at ten times this tolerance, on at most 256 rows */
    lam_tune_candidate *candidates; /* [n_candidates], on the validation rows; the first is the setting that the model had */
    size_t n_candidates;
    size_t chosen;          /* of them; SIZE_MAX: none keeps the bounds */
    lam_tune_candidate test_before, test_after; /* the first and the chosen one on the test rows */
    double rounding_rms, rounding_percentile; /* if none was chosen and the model is float: the error in log p from rounding alone, of the
                                               * most exact even steps tried against the same in double; else 0 */
    double seconds;         /* wall time */
} lam_tune_result;

/* Chooses the cheapest evaluation setting (of equal ones, that with the smallest rms) that keeps both bounds on the validation
 * rows x [n, dim], and stores it in the model (method.md 12). It tries every solver with even steps, and those with an error estimate
 * with adaptive steps, for states and trace together and for the states alone, with the trace at a few points per block. The reference is
 * dop853 in double at 1e-8, or tighter where the bounds demand it, with the exact trace. test [n_test, dim] does not influence the choice;
 * the result has the errors on it. If test is NULL, a half of x takes its place, by a permutation that depends on options->seed alone.
 * Apart from seconds, the result does not depend on threads.
 * *result (may be NULL) is for lam_tune_result_clear. LAM_ERR_SOLVER with result->n_candidates > 0: no candidate keeps the bounds;
 * lam_last_error() says how close they come, and whether float precision is the reason. The model changes only on success. */
LAM_API lam_status lam_tune(lam_model *model, const lam_tune_options *options, const double *x, size_t n, const double *test,
    size_t n_test, lam_tune_result *result);
LAM_API void lam_tune_result_clear(lam_tune_result *result); /* frees what is in it, not the struct; a zeroed one is allowed */

#ifdef __cplusplus
}
#endif
#endif
