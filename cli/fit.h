/* What the commands that fit share (fit.c, vae_fit.c; fit_run.c, fit_report.c). */
#ifndef LAM_CLI_FIT_H
#define LAM_CLI_FIT_H
#include "cli.h"

/* The flags that every command that fits has. */
typedef struct fit_run {
    const char *out, *preset, *config;
    int resume, overwrite, quiet;
} fit_run;
/* Entries of an option table for a member `run` of type fit_run of the command's struct. */
#define FIT_OUT_OPTIONS(type) \
    {"out", 'o', CLI_TEXT, "RUN/", "folder for the model, config.yaml, metrics.jsonl and the checkpoint", \
        offsetof(type, run.out)}, \
    {"preset", 0, CLI_TEXT, "NAME", "published settings for a data set; `--preset help` lists the names", offsetof(type, run.preset)}, \
    {"config", 0, CLI_TEXT, "FILE.yaml", "file of parameters, by the names below; flags on the command line take precedence", offsetof(type, run.config)}
#define FIT_RUN_OPTIONS(type) \
    {"resume", 0, CLI_SWITCH, NULL, "continue the run in RUN with its parameters; start it if there is none", \
        offsetof(type, run.resume)}, \
    {"overwrite", 0, CLI_SWITCH, NULL, "start over in a RUN that already holds a run", offsetof(type, run.overwrite)}, \
    {"quiet", 'q', CLI_SWITCH, NULL, "print no progress, only the closing table", offsetof(type, run.quiet)}

/* CLI_OK, or with the message printed: no folder named, one that is a file, one that holds a run already. */
int fit_check_folder(const cli_command *command, const fit_run *run);
/* 1: the folder holds something of a run. */
int fit_holds_run(const char *folder);
/* Makes the folder and those above it. */
int fit_make_folder(const char *folder);
/* The same for a fit, which ends with fit_end_folder, whatever its code (folder may be NULL, or never have been begun). Folders that it has made and that
 * are still empty then are taken away, also if a signal ends the program while data are read. */
int fit_begin_folder(const char *folder);
void fit_end_folder(const char *folder, int code);
/* A file of rows that is kept (lam_table.kept). fit_end_folder removes it, but lets it stay where the fit has not finished and its folder holds a run,
 * to which --resume goes back. */
void fit_note_kept(const char *path);
/* The same by itself: those noted stay, and a line says so; or they are removed, and all that folder (may be NULL) has of earlier ones. */
void fit_end_kept(const char *folder, int stay);
/* 1: the line asks for --preset help, and the names were printed. */
int fit_preset_help(const cli_command *command, int argc, char **argv);
/* A resumed run's own parameters, LAMINAR_ISA, --preset, --config, flags: each wins over those before. cfg is initialised. */
int fit_configure(const cli_command *command, const fit_run *run, const cli_line *line, lam_config *cfg);
/* State of the progress display, and whether to stop. */
typedef struct fit_watch {
    int quiet, terminal;
    lam_model_kind kind;
    size_t valid_rows;       /* that a validation has at the most */
    size_t log_freq, epochs; /* epochs 0: not what the run's length is given in */
    size_t flow, flows;        /* which of several flows the last call was about, and how many there are to be; 0: it did not say; the clock decides */
    double tried;              /* weight decay that it tried; NaN: none */
    int begun, warm;           /* 1 after the first call; 1: the last one was of the warm start */
    size_t iteration;          /* the last one reported; of the warm start while that is under way */
    size_t printed;            /* the last one that got a line of its own */
    size_t from;               /* iterations done when those that are counted for the rate began; */
    double from_seconds;       /* the run's seconds then, */
    double seconds;            /* and at the last call */
    const char *resumed;       /* the folder of a run that is to go on; NULL: a new one */
    double validated;          /* cli_clock of the validation last shown; 0: none was; */
    double shown;              /* of the line last shown; */
    double told;               /* and of the last call */
    char *said;                /* lines of the library that are not printed yet, NULL: none: those that come before a call are about training, */
    cli_progress evaluation;   /* of the validation or test under way, */
    size_t evaluated;          /* and rows of it that were done at the last call */
} fit_watch;

/* How to go on with a run stopped by a signal: the command line again, quoted, with --resume; returns the exit code. tries 1: it was while weight decays were
 * tried. */
int fit_say_interrupted(const cli_command *command, int argc, char **argv, const fit_run *run, const lam_config *cfg,
    const lam_fit_result *result, int tries);
/* SIGINT, SIGTERM and SIGHUP ask fit_progress to stop; the second one of a kind kills. */
void fit_catch_signals(void);
/* The signal that came, 0 if none. */
int fit_signal(void);
/* A note where reading has taken most of a limit of time. */
void fit_say_reading(const lam_config *cfg);
/* A lam_log_fn: keeps the line in the fit_watch's said; fit_progress prints it, so that what is left at the end is about how the fit ended. */
void fit_keep_line(void *user, const char *line);
/* The callbacks of lam_fit_options; user is a fit_watch. */
int fit_progress(void *user, const lam_progress *progress);
int fit_evaluating(void *user, lam_part part, size_t done, size_t rows);
/* What was read, as lines on stdout. valid and test may be NULL. */
void fit_print_data(const char *path, const lam_table *all, const lam_dataset *data);
/* The flow and how it is trained, in two lines; cfg is resolved. */
void fit_print_choice(const lam_config *cfg);
/* The closing tables on stdout; rows: of each part, by lam_part. */
void fit_print_result(const lam_config *cfg, const lam_model *model, const size_t rows[3], const lam_fit_result *result);
/* How the run is repeated without its limit of time, under which its rates were chosen: cfg is as the run began, came the model's. */
void fit_print_repeat(const lam_config *cfg, const lam_config *came, lam_ending ending, const char *folder);
/* A line where validations or the test took a sample of their rows (what: "rows" or "images"), and nothing else. beside: what was fitted to rows
 * beside the model, NULL for nothing. */
void fit_print_samples(const lam_config *cfg, const size_t rows[3], const char *what, const char *beside, const lam_fit_result *result);

/* A fit of a table or of images, as fit_carry_out takes it. */
typedef struct fit_job {
    const cli_command *command;
    int argc;
    char **argv;
    const fit_run *run;
    const lam_config *cfg;
    fit_watch *watch; /* kind, valid_rows and epochs are set */
    lam_log log;
    lam_status (*fit)(void *user, const lam_config *cfg, const lam_fit_options *options, lam_fit_result *result);
    /* Prints what came out; returns the model's configuration. */
    const lam_config *(*print)(void *user, const lam_config *cfg, const lam_fit_result *result);
    void *user; /* of both */
} fit_job;
/* Fits into the run's folder and prints what came out. CLI_OK, or the exit code with the message printed. */
int fit_carry_out(const fit_job *job);

#endif
