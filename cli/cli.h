/* What the commands of the program share. Everything here stands on the public header alone.
 *
 * A command is one file: its options as data, a function that runs it, and the record that main.c lists. Results go to
 * stdout, messages ("laminar: ...") and progress to stderr. */
#ifndef LAM_CLI_H
#define LAM_CLI_H
#include <laminar.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

/* Exit codes; a run stopped by a signal ends with 128 + its number. */
enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

/* ---- commands and their flags (options.c, help.c) ----------------------------------------------------------------- */

typedef enum cli_kind { CLI_SWITCH, CLI_TEXT, CLI_LIST, CLI_TEXTS, CLI_COUNT, CLI_SEED, CLI_REAL, CLI_UNITS } cli_kind;

/* What a flag was given that may stand on the line several times. */
enum { CLI_MOST_TEXTS = 256 };
typedef struct cli_texts {
    const char *text[CLI_MOST_TEXTS];
    size_t n;
} cli_texts;

/* One flag of a command. Its value is stored at offset in the command's struct: int for a switch, const char * for a
 * text and for a list ("a,b"; what stands on the line twice adds up), cli_texts for several, size_t for a count, uint64_t for a seed, double for a real (not below 0), lam_units for units. */
typedef struct cli_option {
    const char *name; /* without dashes; NULL ends a table */
    char letter;      /* 0: none */
    cli_kind kind;
    const char *value; /* what help calls the value; NULL for a switch */
    const char *help;
    size_t offset;
} cli_option;

typedef struct cli_command cli_command;
struct cli_command {
    const char *name;
    const char *arguments; /* "DATA --out RUN/" */
    const char *summary;   /* one line */
    const char *details;   /* a paragraph or more, lines broken by hand */
    const char *example;   /* lines as typed and printed */
    const cli_option *options;
    int parameters;           /* 1: every parameter of the library is a flag too, of those that concern `kind` */
    lam_model_kind kind;
    size_t least, most;       /* words that are no flags */
    int (*run)(const cli_command *command, int argc, char **argv);
    int shared;               /* 1: processes that mpirun started share the work; else one of them does it */
    const cli_command *const *parts; /* commands of a group ("vae"), NULL at the end; the group has a name and a summary alone */
};
extern const cli_command cli_fit, cli_data, cli_vae, cli_score, cli_predict, cli_impute, cli_sample, cli_encode, cli_decode, cli_info, cli_check, cli_tune,
    cli_compare, cli_plot, cli_experiment, cli_bench;
/* In the order in which help lists them; NULL past the end. */
const cli_command *cli_command_at(size_t index);
const cli_command *cli_command_find(const char *name);

/* A flag of the line, and what it says by all of the line. */
typedef struct cli_seen {
    const cli_option *option;
    const char *value;
} cli_seen;

/* A command line, taken apart. Names and texts point into argv or the library's table. */
typedef struct cli_line {
    const char **words; /* [n_words] what is no flag */
    size_t n_words;
    const char **names, **values; /* [n_set] parameters of the library, each once */
    size_t n_set;
    cli_seen *seen; /* [n_seen] the command's own flags that have a value, each once */
    size_t n_seen;
    char **owned; /* [n_owned] values that were put together */
    size_t n_owned;
} cli_line;

/* argv[0] is the command's own name. Stores options in values (the command's struct, with its defaults), the rest in line.
 * CLI_OK, or CLI_USAGE with the message printed. Free line in either case. */
int cli_line_parse(const cli_command *command, int argc, char **argv, void *values, cli_line *line);
void cli_line_free(cli_line *line);
/* Sets the line's parameters; CLI_USAGE with the message printed if one is refused. */
int cli_line_apply(const cli_command *command, const cli_line *line, lam_config *cfg);
/* 1 if the library's parameter at index is a flag of this command. */
int cli_is_flag(const cli_command *command, size_t index);
void cli_help(const cli_command *command, FILE *stream);
void cli_overview(FILE *stream);
/* What a group's commands are. */
void cli_help_group(const cli_command *group, FILE *stream);

/* ---- talking (terminal.c) ----------------------------------------------------------------------------------------- */

/* "laminar: ..." to stderr. */
void cli_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same; returns CLI_FAILED. */
int cli_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* From here on `command` is the one that runs. */
void cli_running(const cli_command *command);
/* The same and where to read on; returns CLI_USAGE. command NULL: the one that runs. */
int cli_misuse(const cli_command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The library's last error; returns CLI_FAILED. */
int cli_library_failed(void);
/* A lam_log_fn: a warning or note of the library as a message. */
void cli_log(void *user, const char *line);
/* 1 if stderr is a terminal. */
int cli_is_terminal(void);
/* Rewrites the one line of progress; cut to the terminal's width. "" wipes it. Messages wipe it by themselves. */
void cli_status_line(const char *text);
/* "7.2 s", "5m12s", "3h05m" in a buffer of 32. */
const char *cli_duration(double seconds, char text[32]);
/* Seconds on a clock that nobody sets. */
double cli_clock(void);
/* Called by main first of all; and what the program has used since, in wall seconds and in processor seconds of all threads. */
void cli_clock_start(void);
double cli_used(void);
double cli_processor_used(void);

/* The processor's name in a buffer of 128, "" where the system does not say. */
const char *cli_processor(char name[128]);

#define CLI_PATIENCE 2.0 /* seconds of work before progress shows */
/* Shows a line of progress if it is time: one line on a terminal, rewritten; a line every ten seconds elsewhere. seconds: since the
 * work began; *last: on cli_clock, when one was last shown, kept between the calls. */
void cli_progress_line(const char *line, double seconds, double *last);

/* Progress of a lam_eval_options call: silent for two seconds, then cli_progress_line. */
typedef struct cli_progress {
    const char *what; /* "scoring rows" */
    double start, last; /* on cli_clock: when the work began, when a line was last shown */
} cli_progress;
/* Work that began at start, on cli_clock; and that so much of it is done. show has the form of lam_eval_options' callback. */
void cli_progress_begin(cli_progress *progress, const char *what, double start);
int cli_progress_show(void *progress, size_t done, size_t total);
/* Hooks progress into options; it must outlive the call. */
void cli_progress_start(cli_progress *progress, const char *what, lam_eval_options *options);
/* Wipes the line. */
void cli_progress_end(void);

/* ---- memory and text (terminal.c) --------------------------------------------------------------------------------- */

/* These end the program with a message when there is no memory. Free with free(). */
void *cli_alloc(size_t count, size_t size); /* zeroed */
char *cli_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *cli_format_list(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

/* "a, b, c, d, e, f and 54 others", all of a few more; "none" of none. Free with free(). */
enum { CLI_FEW = 6 };
char *cli_few(const char *const *names, size_t n);

/* ---- tables of text (grid.c) -------------------------------------------------------------------------------------- */

/* Cells are added row by row; columns past the first are right-aligned unless left is set. */
typedef struct cli_grid {
    size_t columns, cells, capacity;
    int left;
    int wrap;    /* above 0: the last column's texts, which are left-aligned, go on below themselves where a line has so many columns */
    char **text; /* [cells] */
} cli_grid;
void cli_grid_add(cli_grid *grid, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "2.555 +- 0.037": a value to the place of its standard error's second significant digit. Where the error is not known (NaN) or 0 the
 * value alone, with that many digits after the point; "-" for a value that is not finite. */
const char *cli_measure(double value, double error, int digits, char text[64]);
void cli_grid_measure(cli_grid *grid, int digits, double value, double error);
/* A finite number with that many digits after the point, else "-". */
void cli_grid_number(cli_grid *grid, int digits, double value);
/* Prints and frees the cells. */
void cli_grid_print(cli_grid *grid, FILE *stream);
void cli_grid_free(cli_grid *grid);

/* ---- models and their evaluation (model.c) ------------------------------------------------------------------------ */

/* The flags that every command on a model has. */
typedef struct cli_eval {
    const char *config;
    double atol, rtol;
    size_t threads, batch_rows, flow;
    int probe, use_double, as_fitted;
} cli_eval;
/* The entries of an option table for a member `eval` of type cli_eval of the command's struct. */
#define CLI_EVAL_OPTIONS(type) \
    {"atol", 0, CLI_REAL, "X", "absolute tolerance; default: the model's test tolerance", offsetof(type, eval.atol)}, \
    {"rtol", 0, CLI_REAL, "X", "relative tolerance; default: the model's test tolerance", offsetof(type, eval.rtol)}, \
    {"threads", 0, CLI_COUNT, "N", "number of threads; default: one per processor", offsetof(type, eval.threads)}, \
    {"batch-rows", 0, CLI_COUNT, "N", "number of rows solved together; default 1000", offsetof(type, eval.batch_rows)}, \
    {"probe", 0, CLI_SWITCH, NULL, "estimate the first step by a trial step instead of taking the one that the model remembers", \
        offsetof(type, eval.probe)}, \
    {"double", 0, CLI_SWITCH, NULL, "solve in double precision, whatever the model's precision", offsetof(type, eval.use_double)}, \
    {"as-fitted", 0, CLI_SWITCH, NULL, "use the fit's own solver setting, not the one that `laminar tune` chose", \
        offsetof(type, eval.as_fitted)}, \
    {"flow", 0, CLI_COUNT, "K", "take flow K alone, from 1, of a model that is the mean of several; default: all of them", offsetof(type, eval.flow)}, \
    CLI_CONFIG_OPTION(type)
#define CLI_CONFIG_OPTION(type) \
    {"config", 0, CLI_TEXT, "FILE.yaml", "architecture of weights that another program saved", \
        offsetof(type, eval.config)}

/* The flags that choose rows and columns of DATA. */
typedef struct cli_choice {
    const char *columns, *drop;
    int drop_bad_rows, drop_duplicates; /* the latter is no flag, but what a fit may have done */
    const char *header;
    int standardised;                   /* the rows are: they are taken back to data units */
    int no_columns;                     /* 1: --columns of this command is not of DATA */
    int missing;                        /* cells may be missing, and are NaN then */
    int all_rows;                       /* 1: the command has no --drop-bad-rows, and messages do not advise it */
    int optional;                       /* 1: a file with names may lack needed columns, which are NaN then; a note says so */
    int unordered;                      /* 1: flags list columns in another order than the model's, as cli_ask_unordered says */
    const unsigned char *looked;        /* [the model's columns] those whose values matter; NULL: all do */
    size_t threads;                     /* that read text: those of the evaluation */
    const char *scratch, *out;          /* the folder that DATA is unpacked to (CLI_SCRATCH_OPTION); the file of results, whose folder it is otherwise */
} cli_choice;
#define CLI_CHOICE_OPTIONS(type) \
    {"columns", 0, CLI_LIST, "A,B,...", "columns to take, by name or number; default: the model's", \
        offsetof(type, choice.columns)}, \
    {"drop", 0, CLI_LIST, "A,B,...", "columns to leave out, by name or number", offsetof(type, choice.drop)}, \
    {"drop-bad-rows", 0, CLI_SWITCH, NULL, "leave out rows with missing or non-numeric cells; they are counted", \
        offsetof(type, choice.drop_bad_rows)}, \
    CLI_HEADER_OPTION(type)
#define CLI_HEADER_OPTION(type) \
    {"header", 0, CLI_TEXT, "auto|yes|no", "whether the first line of a text file names its columns; default: as in the fit", \
        offsetof(type, choice.header)}
#define CLI_SCRATCH_OPTION(type) \
    {"scratch", 0, CLI_TEXT, "FOLDER/", "unpack what is gzipped, deflated (.npz) or standard input to a file in this folder; none: to memory; default: beside " \
        "the output, or where temporary files are, if that is 64 MiB or more, otherwise to memory", offsetof(type, choice.scratch)}
#define CLI_STANDARDISED_OPTION(type) \
    {"standardised", 0, CLI_SWITCH, NULL, "the rows of DATA are standardised, as `laminar fit --write-split` writes them", \
        offsetof(type, choice.standardised)}

/* A name longer than this ending, in capitals or not. */
int cli_ends_with(const char *text, const char *end);
int cli_is_folder(const char *path);
int cli_exists(const char *path);
/* text as far as it is printable ASCII, "?" in place of the rest (cairo refuses what is not UTF-8); free with free(). */
char *cli_printable(const char *text);
/* The same of the last part of a path. */
char *cli_path_name(const char *path);
/* "folder/name"; free with free(). */
char *cli_path_join(const char *folder, const char *name);
/* CLI_OK; CLI_USAGE for a mistake in the file, CLI_FAILED if it cannot be read, the message printed. */
int cli_config_load(lam_config *cfg, const char *path);
/* The file that path names: itself, or that of a run folder. Free *file in either case. CLI_OK, or CLI_FAILED with the message
 * printed: a folder without a model. */
int cli_model_file(const char *path, char **file);
/* path is a model file or a run folder. CLI_OK, or CLI_FAILED (CLI_USAGE for a bad --config) with the message printed. */
int cli_model_open(const char *path, const char *config_path, lam_model **model);
/* The same without a note where the model has fewer flows than the run folder was asked for; and this number, and in words why and what to do
 * (free with free()). NULL: it has all of them, or nothing says how many were asked for. */
int cli_model_read(const char *path, const char *config_path, lam_model **model);
char *cli_model_lacks_flows(const char *path, const lam_model *model, size_t *asked);
/* The same for a command that writes to `out` (NULL: to stdout) what it makes of the file `in`: out can be written, and is another file. */
int cli_model_open_for(const char *out, const char *in, const char *path, const char *config_path, lam_model **model);
/* Options for evaluating model, LAMINAR_ISA included. */
void cli_eval_options(const cli_eval *eval, lam_eval_options *options);
/* "dopri5, 3 even steps per block" or "dopri5, atol 1e-05, rtol 1e-05" and what it says of trace points. */
const char *cli_setting_text(const lam_setting *setting, char text[128]);
/* log p(data units) = log p(standardised units) + this, nats */
double cli_log_det(const lam_model *model);
/* "data" or "standardised" */
const char *cli_units_name(lam_units units);
/* 1: the fit added noise to some column. */
int cli_has_noise(const lam_model *model);
/* Says of values that are drawn from a model, or are of its distributions, that they have the noise of the fit, where it had any. */
void cli_note_noise(const lam_model *model);
/* a / b; 0 if b is 0 */
double cli_ratio(uint64_t a, uint64_t b);
/* One of counts (evaluations of f, steps) per batch: summed over the blocks of the model whose configuration is cfg. */
double cli_per_batch(uint64_t count, const lam_counts *counts, const lam_config *cfg);
/* Value of the environment's LAMINAR_ISA, NULL when unset or empty. Apart from this, the program reads only TMPDIR (rows.c) and what mpirun sets
 * (ranks.c). */
const char *cli_isa(void);
/* These end the program with a message when there is no memory. Free with lam_config_free. */
lam_config *cli_config_create(void);
lam_config *cli_config_copy(const lam_config *cfg);
/* A parameter by the program itself, which knows its name and range: the program ends with a message if it is refused. */
void cli_set(lam_config *cfg, const char *name, const char *value);
void cli_set_whole(lam_config *cfg, const char *name, size_t value);
/* A parameter that is a whole number; 0 for "auto". */
size_t cli_whole(const lam_config *cfg, const char *name);
/* cfg's parameter as text in a buffer of 256, a longer list of columns by its beginning; "?" if there is none. */
const char *cli_parameter(const lam_config *cfg, const char *name, char text[256]);

/* ---- columns that are given and asked for (ask.c) ------------------------------------------------------------------ */

/* Lists of columns of the model. */
typedef struct cli_ask {
    const char *of, *given;
} cli_ask;
#define CLI_ASK_OPTIONS(type) \
    {"of", 0, CLI_LIST, "A,B,...", "the columns whose density is asked, by name or number; default: all that are not given", offsetof(type, ask.of)}, \
    {"given", 0, CLI_LIST, "A,B,...", "the columns that are given; default: those that the fit was given", offsetof(type, ask.given)}
/* The lists of a flag as the library has them; names points into lists, which the caller frees. CLI_OK, or CLI_USAGE with the message printed. */
int cli_ask_list(const cli_command *command, const char *flag, const char *text, lam_config **lists, lam_names *names);
/* 1: one of the lists is not in the model's order. Of a file without names that has some of its columns no one can tell which they are. */
int cli_ask_unordered(const cli_command *command, const cli_ask *ask, const lam_model *model);
/* roles [dim], by lam_model_roles. */
int cli_ask_roles(const cli_command *command, const cli_ask *ask, const lam_model *model, lam_role rest, unsigned char *roles);
/* NAME=VALUE of a flag into row [dim]: a number, or the level of a column of text. is_set [dim] or NULL. */
int cli_ask_value(const cli_command *command, const char *flag, const char *text, const lam_model *model, double *row, unsigned char *is_set);
/* The columns [dim] of the model that are named where 1, as cli_few has them, and "--given a=VALUE --given b=VALUE" with a blank in front. Free both. */
char *cli_ask_flags(const lam_model *model, const unsigned char *named, char **flags);
/* CLI_USAGE with a message that names the columns of the model that lack [dim] a value for it to be given. */
int cli_ask_lacking(const cli_command *command, const lam_model *model, const unsigned char *lack);
/* Says where the values of row [dim], as flags gave them, lie far outside the training rows; NaN: none was given. */
int cli_ask_advise(const lam_model *model, const double *row);
/* Numbers "a,b,c" of a flag; free with free(). */
int cli_ask_numbers(const cli_command *command, const char *flag, const char *text, double **numbers, size_t *n);

/* ---- "-" (streams.c) ---------------------------------------------------------------------------------------------- */

/* path, which may be NULL, is "-". */
int cli_is_stream(const char *path);
/* What path is called in messages: "-" is standard input. */
const char *cli_input_name(const char *path);
/* The same of results: "standard output". */
const char *cli_output_name(const char *path);
/* At most one of the paths, which may be NULL, is "-": CLI_OK, or CLI_USAGE with the message printed. */
int cli_stdin_once(const char *a, const char *b, const char *c);
/* Keeps standard output for a table: from here on, stdout is stderr. CLI_OK, or CLI_FAILED with the message printed. */
int cli_stdout_reserve(void);
/* The descriptor of a table on standard output. */
int cli_stdout_table(void);

/* ---- tables of any length, in parts (rows.c) ------------------------------------------------------------------------ */

/* Bytes that numbers, or a text, take for them not to be in memory, where a fit takes up to three times as many. */
enum { CLI_LARGE = 64 << 20 };
/* The flag --scratch, or NULL: "none", or a folder that is there. CLI_OK, or else with the message printed. */
int cli_scratch_check(const char *scratch);
/* Where rows are that are not in memory: scratch is the flag, or NULL; folder what it is without. CLI_OK, or else with the message printed. */
int cli_place(const char *scratch, const char *folder, lam_rows_place *place);

/* Rows that are read twice: at opening, to count them and to say what is odd about them, and then part by part. */
typedef struct cli_rows {
    const char *path;
    cli_choice choice;
    const lam_model *model; /* NULL: rows are codes */
    size_t dim;
    lam_config *lists;      /* of the choice's flags */
    struct cli_wanted *wanted;
    char (*name)[32];       /* [dim] of codes */
    const char **item;
    char *folder;           /* that DATA is unpacked to */
    lam_rows_place place;
    lam_read_options options;
    lam_wanted like;
    lam_reader *reader;
    size_t rows, bad_rows, missing; /* of all of them; missing: cells */
} cli_rows;
/* Rows in the model's columns. The file may lack those that are not needed [dim] (NULL: all are): they are NaN. Close it in any case. */
int cli_rows_open(const char *path, const cli_choice *choice, const lam_model *model, const unsigned char *needed, cli_rows *rows);
int cli_rows_open_codes(const char *path, const cli_choice *choice, size_t dim, const char *writer, cli_rows *rows);
/* The next n rows, NULL at the end; with `bad` alone in the last part there may be none. */
int cli_rows_next(cli_rows *rows, size_t n, lam_table **part);
void cli_rows_close(cli_rows *rows);
/* How many rows of dim columns a part has: a multiple of the rows that are solved together. */
size_t cli_rows_of_part(const cli_eval *eval, size_t dim);
/* The number, from 1, that row i of a part has among the part's rows in DATA, where the bad ones stand too. */
size_t cli_rows_number(const lam_table *part, size_t i);
/* At most so many rows of DATA of any length, evenly spread, in data units; clear it in any case. */
typedef struct cli_spread {
    double *x;      /* [n, the model's columns] */
    size_t *number; /* [n] that they have in DATA, from 1; NULL: they are of no file */
    size_t n, all;
} cli_spread;
int cli_rows_spread(const char *path, const cli_choice *choice, const lam_model *model, size_t most, cli_spread *out);
void cli_spread_clear(cli_spread *rows);
/* CLI_FAILED, with the library's message about a part that begins with row `first`, whose rows it counts. */
int cli_part_failed(size_t first);

/* Results on their way out, where rows dropped as bad are nan; a file is written atomically. path as for cli_table_out. */
typedef struct cli_results {
    lam_writer *writer;
    size_t cols;
    double *nothing; /* [cols] of nan */
} cli_results;
int cli_results_open(const char *path, const lam_table *form, size_t rows, cli_results *results);
/* values [part->rows, cols] of a part's rows. */
int cli_results_put(cli_results *results, const double *values, const lam_table *part);
/* code: how the work went; returns that, or how writing went. */
int cli_results_close(cli_results *results, int code);

/* ---- tables of numbers in and out (data.c) ------------------------------------------------------------------------ */

/* Reads DATA in the model's columns (lam_columns_choose), of those that the flags leave. CLI_OK, or else with the message printed. Says how
 * many rows were dropped, and what is odd about the others. */
int cli_data_read(const char *path, const cli_choice *choice, const lam_model *model, lam_table **table);
/* 1: of some columns given others, fixed or any. */
int cli_is_conditional(const lam_model *model);
/* The options that a choice comes to; lists owns what they point to. usual: the header where no flag says. CLI_OK, or CLI_USAGE with the message
 * printed. And what is said where reading failed, writer being the command that writes such files or NULL. */
int cli_read_options(const cli_choice *choice, const char *usual, const lam_wanted *like, lam_config *lists, lam_read_options *options);
int cli_read_failed(lam_status status, const cli_choice *choice, const char *writer);
/* Which of the model's columns a file has. */
typedef struct cli_wanted {
    unsigned char *there;   /* [the model's columns] */
    const char **item;
    lam_names *levels;
    lam_wanted like;        /* to read them */
    int all;                /* there is every one, or the file is read as if there were */
} cli_wanted;
/* needed as for cli_rows_open; names: the file's columns, NULL where it is read as if it had all of the model's. Clear it in any case. */
int cli_wanted_find(const char *path, const cli_choice *choice, const lam_model *model, const unsigned char *needed, const lam_table *names,
    cli_wanted *wanted);
void cli_wanted_spread(const cli_wanted *wanted, const lam_model *model, lam_table **table);
void cli_wanted_clear(cli_wanted *wanted);
/* Rows that are standardised in data units; the advice, which may be NULL, is told of those columns that matter. */
int cli_rows_look(const cli_choice *choice, const lam_model *model, lam_table *table, lam_advice *advice);
/* z1, z2, ..., in name and item [dim]. */
lam_wanted cli_codes_wanted(size_t dim, char (*name)[32], const char **item);
/* Where the model's column is of text, so is the table's. */
void cli_table_levels(lam_table *table, size_t column, const lam_model *model);
/* A table for z [rows, dim], of zeros, its columns z1, z2, ...; ends the program when there is no memory. */
lam_table *cli_codes_create(size_t rows, size_t dim);
/* The same of z [rows, dim], as the command `writer` writes it, whose columns are z1, z2, ... */
int cli_codes_read(const char *path, const cli_choice *choice, size_t dim, const char *writer, lam_table **table);
/* What is to be said of a file that was read: the library's notes, "3 bad rows dropped", "2 duplicates dropped". */
void cli_data_notes(const char *path, const lam_table *table);
/* The library's notes alone. */
void cli_table_notes(const char *path, const lam_table *table);
/* Writes to path by its ending, or as csv to standard output when path is NULL or "-". CLI_OK or CLI_FAILED with the message printed. */
int cli_table_out(const lam_table *table, const char *path);
/* The same of results [data->rows, cols]. The rows that reading data dropped as bad stand there as nan, so that rows of results and of
 * the file are alike. */
int cli_results_out(const lam_table *results, const lam_table *data, const char *path);
/* A path for results that cannot be written is found before the work: CLI_OK, or else with the message printed. path may be
 * NULL. "-" is standard output: it is kept for the table, and what is printed goes to stderr from here on. */
int cli_out_check(const char *path);
/* The folder alone: of a path, which may be NULL, whose ending says nothing. */
int cli_folder_check(const char *path);
/* The same of a path that is not NULL: of images (.png, or as cli_out_check), and of charts (.svg, .png, .pdf), given by a flag of
 * command. */
int cli_images_out_check(const char *path);
int cli_drawing_check(const cli_command *command, const char *flag, const char *path);
/* Results would take the place of the file that is read: CLI_USAGE with the message printed. out may be NULL. */
int cli_not_over(const char *out, const char *in);
/* A table of zeros; ends the program with a message when there is no memory. */
lam_table *cli_table_create(size_t rows, size_t cols);
void cli_table_name(lam_table *table, size_t column, const char *name);
/* Names the first columns of table like the model's. */
void cli_table_name_all(lam_table *table, const lam_model *model);

#endif
