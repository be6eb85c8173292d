/* What commands that fit share: the run's folder, its configuration, how to go on after an interruption. */
#include "fit.h"
#include "ranks.h"
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the run folder ----------------------------------------------------------------------------------------------- */

static int is_run_file(const char *name)
{
    return strcmp(name, "config.yaml") == 0 || strcmp(name, "metrics.jsonl") == 0
        || strcmp(name, "model.safetensors") == 0 || strncmp(name, "checkpoint", 10) == 0 || strncmp(name, "decay-", 6) == 0;
}

int fit_holds_run(const char *folder)
{
    const struct dirent *entry;
    int found = 0;
    DIR *dir = opendir(folder);
    while (dir != NULL && !found && (entry = readdir(dir)) != NULL)
        found = is_run_file(entry->d_name);
    if (dir != NULL)
        closedir(dir);
    return found;
}

int fit_check_folder(const cli_command *command, const fit_run *args)
{
    if (args->out == NULL)
        return cli_misuse(command, "%s needs a folder for the run: --out RUN/", command->name);
    if (args->resume && args->overwrite)
        return cli_misuse(command, "--resume and --overwrite exclude each other");
    if (cli_exists(args->out) && !cli_is_folder(args->out))
        return cli_fail("--out %s is a file; name a folder", args->out);
    if (!args->resume && !args->overwrite && cli_is_first() && fit_holds_run(args->out))
        return cli_fail("%s holds a run already; continue it with --resume, choose another folder, or start over there "
            "by --overwrite", args->out);
    return CLI_OK;
}

/* ---- configuration ------------------------------------------------------------------------------------------------ */

static void list_presets(const cli_command *command, FILE *stream)
{
    const lam_preset *preset;
    cli_grid grid = {.columns = 2, .left = 1};
    for (size_t i = 0; (preset = lam_preset_at(i)) != NULL; i++) {
        if (preset->model != command->kind)
            continue;
        cli_grid_add(&grid, "  %s", preset->name);
        cli_grid_add(&grid, "%s", preset->about);
    }
    cli_grid_print(&grid, stream);
}

int fit_preset_help(const cli_command *command, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        int next = strcmp(argv[i], "--preset") == 0 && i + 1 < argc && strcmp(argv[i + 1], "help") == 0;
        if (!next && strcmp(argv[i], "--preset=help") != 0)
            continue;
        printf("Published settings for `laminar %s --preset NAME`; flags on the line win over them:\n", command->name);
        list_presets(command, stdout);
        return 1;
    }
    return 0;
}

static int load_preset(const cli_command *command, const char *name, lam_config *cfg)
{
    const lam_preset *preset;
    for (size_t i = 0; (preset = lam_preset_at(i)) != NULL; i++)
        if (strcmp(preset->name, name) == 0)
            return lam_config_load_preset(cfg, name) == LAM_OK ? CLI_OK : cli_library_failed();
    int code = cli_misuse(command, "there is no preset \"%s\": those of `laminar %s` stand below, and a file of your own is read by --config", name,
        command->name);
    list_presets(command, stderr);
    return code;
}

/* What names the settings in a message. */
static const char *source_of(const fit_run *args)
{
    return args->config != NULL ? args->config : args->preset != NULL ? args->preset : args->out;
}

/* A file for the other kind of model is a mistake of the command, not of a value. */
static int check_kind(const cli_command *command, const fit_run *args, const lam_config *cfg)
{
    if (lam_config_kind(cfg) == command->kind)
        return CLI_OK;
    return cli_misuse(command, "%s is the configuration of a %s, which `laminar %s` fits",
        source_of(args), lam_config_kind(cfg) == LAM_VAE ? "variational auto-encoder" : "density",
        lam_config_kind(cfg) == LAM_VAE ? "vae fit" : "fit");
}

/* So is a value in such a file that does nothing here. */
static int check_applies(const cli_command *command, const fit_run *args, const lam_config *cfg)
{
    const lam_parameter *parameter;
    char value[256], usual[256];
    lam_config *defaults = cli_config_create();
    int code = CLI_OK;
    for (size_t i = 0; code == CLI_OK && (parameter = lam_parameter_at(i)) != NULL; i++)
        if (!lam_parameter_applies(i, lam_config_kind(cfg))
            && strcmp(cli_parameter(cfg, parameter->name, value), cli_parameter(defaults, parameter->name, usual)) != 0)
            code = cli_misuse(command, "%s sets %s, which is for %s; leave it out", source_of(args),
                parameter->name, lam_config_kind(cfg) == LAM_VAE ? "tables of numbers (`laminar fit`)" : "images (`laminar vae fit`)");
    lam_config_free(defaults);
    return code;
}

/* A parameter that was set and does nothing is more likely an oversight than a wish. */
static void say_idle(const lam_config *cfg)
{
    const lam_parameter *parameter;
    char value[256], usual[256];
    lam_config *defaults = cli_config_create();
    for (size_t i = 0; (parameter = lam_parameter_at(i)) != NULL; i++) {
        const char *wanted = lam_parameter_idle(i, cfg);
        if (wanted != NULL
            && strcmp(cli_parameter(cfg, parameter->name, value), cli_parameter(defaults, parameter->name, usual)) != 0)
            cli_say("note: --%s %s has no effect without %s", parameter->name, value, wanted);
    }
    lam_config_free(defaults);
}

/* What the run in the folder has written down. One that began before blocks could share the maps of their context does not speak of them. */
static int load_begun(const char *saved, lam_config *cfg)
{
    int code = cli_config_load(cfg, saved);
    int conditional = code == CLI_OK && (lam_config_names(cfg, "given").n > 0 || lam_config_is(cfg, "any-given", "true"));
    if (conditional && lam_config_is(cfg, "context-maps", "auto"))
        cli_set(cfg, "context-maps", "own");
    return code;
}

int fit_configure(const cli_command *command, const fit_run *args, const cli_line *line, lam_config *cfg)
{
    int code = CLI_OK;
    char *saved = args->resume && args->out != NULL ? cli_path_join(args->out, "config.yaml") : NULL;
    cli_set(cfg, "model", command->kind == LAM_VAE ? "vae" : "density"); /* what a file that does not say it is for */
    if (saved != NULL && cli_exists(saved))
        code = load_begun(saved, cfg);
    free(saved);
    if (code == CLI_OK && cli_isa() != NULL && lam_config_set(cfg, "isa", cli_isa()) != LAM_OK)
        code = cli_misuse(command, "LAMINAR_ISA in the environment: %s", lam_last_error());
    if (code == CLI_OK && args->preset != NULL)
        code = load_preset(command, args->preset, cfg);
    if (code == CLI_OK && args->config != NULL)
        code = cli_config_load(cfg, args->config);
    if (code == CLI_OK)
        code = cli_line_apply(command, line, cfg);
    if (code == CLI_OK)
        code = check_kind(command, args, cfg);
    if (code == CLI_OK)
        code = check_applies(command, args, cfg);
    if (code == CLI_OK && lam_config_check(cfg) != LAM_OK)
        code = cli_misuse(command, "%s", lam_last_error());
    if (code == CLI_OK)
        say_idle(cfg);
    return code;
}

/* ---- interruptions ------------------------------------------------------------------------------------------------ */

/* A word as a shell takes it; free it. */
static char *quoted(const char *word)
{
    const char *plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_";
    if (word[0] != '\0' && word[strspn(word, plain)] == '\0')
        return cli_format("%s", word);
    char *all = cli_format("%s", "'");
    for (const char *c = word; *c != '\0'; c++) {
        char *longer = *c == '\'' ? cli_format("%s'\\''", all) : cli_format("%s%c", all, *c);
        free(all);
        all = longer;
    }
    char *closed = cli_format("%s'", all);
    free(all);
    return closed;
}

int fit_say_interrupted(const cli_command *command, int argc, char **argv, const fit_run *args, const lam_config *cfg,
    const lam_fit_result *result, int tries)
{
    int warm = result->iterations == 0 && cli_whole(cfg, "warm-start") > 0, words = 0, told = 0;
    char of[64] = "";
    if (warm)
        snprintf(of, sizeof of, " of %zu of the warm start", cli_whole(cfg, "warm-start"));
    else if ((lam_config_kind(cfg) == LAM_DENSITY || cli_whole(cfg, "epochs") == 0) && cli_whole(cfg, "iterations") < LAM_UNENDING) /* else the epochs say how many there are */
        snprintf(of, sizeof of, " of %zu", cli_whole(cfg, "iterations"));
    if (tries)
        cli_say("stopped while the weight decay was chosen, before there is a model; what has been fitted so far is saved in %s. To continue:", args->out);
    else if (result->flows > 0)
        cli_say("stopped in flow %zu; the run so far is saved in %s. To continue:", result->flows + 1, args->out);
    else
        cli_say("stopped after iteration %zu%s; the run so far is saved in %s. To continue:", warm ? result->warm_start : result->iterations, of,
        args->out);
    fprintf(stderr, "  laminar %s", command->name);
    for (int i = 1; i < argc; i++) {
        words = words || strcmp(argv[i], "--") == 0; /* no flags after it */
        if (!words && (strcmp(argv[i], "--overwrite") == 0 || strcmp(argv[i], "--resume") == 0))
            continue;
        if (words && !told)
            fprintf(stderr, " --resume");
        told = words;
        char *text = quoted(argv[i]);
        fprintf(stderr, " %s", text);
        free(text);
    }
    fprintf(stderr, "%s\n", told ? "" : " --resume");
    return 128 + fit_signal();
}

int fit_carry_out(const fit_job *job)
{
    const char *folder = job->run->out;
    fit_watch *watch = job->watch;
    lam_fit_result result;
    memset(&result, 0, sizeof result);
    watch->quiet = job->run->quiet;
    watch->terminal = cli_is_terminal();
    watch->log_freq = cli_whole(job->cfg, "log-freq");
    watch->told = cli_clock();
    watch->resumed = job->run->resume ? folder : NULL;
    int code = CLI_OK;
    fit_catch_signals();
    fit_say_reading(job->cfg);
    const lam_fit_options options = {.run_dir = folder, .resume = job->run->resume, .progress = fit_progress, .evaluating = fit_evaluating,
        .user = watch, .log = job->log, .seconds = cli_used(), .cpu_seconds = cli_processor_used(),
        .comm = job->command->shared ? cli_ranks() : NULL};
    lam_status status = job->fit(job->user, job->cfg, &options, &result);
    cli_status_line("");
    if (status != LAM_OK && watch->said != NULL)
        cli_say("%s", watch->said);
    if (status == LAM_ERR_INTERRUPTED && fit_signal() != 0) {
        fit_end_kept(NULL, 1); /* before the command that goes on, which is to be the last line */
        code = fit_say_interrupted(job->command, job->argc, job->argv, job->run, job->cfg, &result, !isnan(watch->tried));
    } else if (status != LAM_OK) {
        code = cli_library_failed();
    }
    if (status == LAM_ERR_DIVERGED || status == LAM_ERR_SOLVER)
        cli_say("with other values, start over in the same folder by --overwrite, or in another one");
    if (code == CLI_OK) {
        char *file = cli_path_join(folder, "model.safetensors");
        if (watch->resumed != NULL && !watch->begun && !watch->quiet)
            cli_say("the run in %s was finished already; it is as it was", folder);
        if (!watch->quiet)
            printf("\n");
        fit_print_repeat(job->cfg, job->print(job->user, job->cfg, &result), result.ending, folder);
        printf("model    %s\n", file);
        free(file);
        if (watch->said != NULL)
            printf("\n%s\n", watch->said);
    }
    free(watch->said);
    return code;
}
