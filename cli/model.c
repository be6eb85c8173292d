/* Models and how they are evaluated. */
#include "cli.h"
#include <laminar/experiment.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char *cli_isa(void)
{
    const char *isa = getenv("LAMINAR_ISA");
    return isa == NULL || isa[0] == '\0' ? NULL : isa;
}

const char *cli_parameter(const lam_config *cfg, const char *name, char text[256])
{
    enum { LIST = 1 << 16 }; /* of columns */
    if (lam_config_get(cfg, name, text, 256) == LAM_OK)
        return text;
    char *whole = cli_alloc(LIST, 1);
    if (lam_config_get(cfg, name, whole, LIST) == LAM_OK)
        snprintf(text, 256, "%.252s...", whole);
    else
        snprintf(text, 256, "?");
    free(whole);
    return text;
}

static void need(lam_status status)
{
    if (status != LAM_OK)
        exit(cli_library_failed());
}

lam_config *cli_config_create(void)
{
    lam_config *cfg;
    need(lam_config_create(NULL, &cfg));
    return cfg;
}

lam_config *cli_config_copy(const lam_config *cfg)
{
    lam_config *copy = cli_config_create();
    need(lam_config_copy(copy, cfg));
    return copy;
}

void cli_set(lam_config *cfg, const char *name, const char *value)
{
    need(lam_config_set(cfg, name, value));
}

void cli_set_whole(lam_config *cfg, const char *name, size_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%zu", value);
    cli_set(cfg, name, text);
}

size_t cli_whole(const lam_config *cfg, const char *name)
{
    double value = lam_config_number(cfg, name);
    return value >= 0 ? (size_t)value : 0;
}

int cli_is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

int cli_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}

char *cli_printable(const char *text)
{
    char *copy = cli_format("%s", text);
    for (char *c = copy; *c != '\0'; c++)
        *c = *c < ' ' || *c > '~' ? '?' : *c;
    return copy;
}

char *cli_path_name(const char *path)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    size_t begin = length;
    while (begin > 0 && path[begin - 1] != '/')
        begin--;
    char *part = cli_format("%.*s", (int)(length - begin), path + begin), *name = cli_printable(part);
    free(part);
    return name;
}

char *cli_path_join(const char *folder, const char *name)
{
    size_t length = strlen(folder);
    while (length > 0 && folder[length - 1] == '/')
        length--;
    return cli_format("%.*s/%s", (int)length, folder, name);
}

int cli_config_load(lam_config *cfg, const char *path)
{
    lam_status status = lam_config_load(cfg, path);
    if (status == LAM_OK)
        return CLI_OK;
    cli_library_failed();
    return status == LAM_ERR_ARGUMENT || status == LAM_ERR_FORMAT ? CLI_USAGE : CLI_FAILED;
}

int cli_model_file(const char *path, char **file)
{
    *file = cli_is_folder(path) ? cli_path_join(path, "model.safetensors") : cli_format("%s", path);
    if (cli_exists(*file) || !cli_is_folder(path))
        return CLI_OK;
    char *config = cli_path_join(path, "config.yaml");
    int begun = cli_exists(config);
    free(config);
    return begun ? cli_fail("the fit in %s has not come to a model yet; if it was stopped, the same fit with --resume goes on", path)
        : cli_fail("%s holds no model.safetensors; is it the folder of a fit that saved its model?", path);
}

char *cli_model_lacks_flows(const char *path, const lam_model *model, size_t *asked)
{
    lam_history history = {0};
    lam_config *cfg = cli_config_create();
    char *file = cli_path_join(path, "config.yaml"), *why = NULL;
    *asked = cli_is_folder(path) && cli_exists(file) && lam_config_load(cfg, file) == LAM_OK ? cli_whole(cfg, "flows") : 0;
    if (*asked > lam_model_flows(model) && lam_history_read(path, &history) == LAM_OK)
        why = history.finished ? cli_format("%s", "the fits of the others failed, and the model goes without them")
            : cli_format("its fit was stopped, or has not ended yet; to go on with it: laminar fit DATA --out %s --resume", path);
    lam_history_free(&history);
    lam_config_free(cfg);
    free(file);
    return why;
}

int cli_model_open(const char *path, const char *config_path, lam_model **model)
{
    size_t asked;
    int code = cli_model_read(path, config_path, model);
    char *why = code == CLI_OK ? cli_model_lacks_flows(path, *model, &asked) : NULL;
    if (why != NULL)
        cli_say("note: the model in %s has %zu of %zu flows: %s", path, lam_model_flows(*model), asked, why);
    free(why);
    return code;
}

int cli_model_read(const char *path, const char *config_path, lam_model **model)
{
    lam_config *cfg = cli_config_create();
    char *file;
    int code = cli_model_file(path, &file);
    *model = NULL;
    if (code == CLI_OK && config_path != NULL)
        code = cli_config_load(cfg, config_path);
    /* a model of ours says its own architecture, and opens without a configuration */
    if (code == CLI_OK && config_path != NULL && lam_model_load(file, NULL, model) == LAM_OK)
        cli_say("note: %s brings its own configuration; %s is not used", file, config_path);
    else if (code == CLI_OK && lam_model_load(file, config_path == NULL ? NULL : cfg, model) != LAM_OK)
        code = cli_library_failed();
    if (code == CLI_OK && lam_model_prefix(*model)[0] != '\0')
        cli_say("note: all names of weights in %s begin with the prefix \"%s\" (of DataParallel or the like), which is left off", file,
            lam_model_prefix(*model));
    lam_config_free(cfg);
    free(file);
    return code;
}

int cli_model_open_for(const char *out, const char *in, const char *path, const char *config_path, lam_model **model)
{
    int code = cli_out_check(out);
    if (code == CLI_OK)
        code = cli_not_over(out, in);
    return code == CLI_OK ? cli_model_open(path, config_path, model) : code;
}

int cli_has_noise(const lam_model *model)
{
    const lam_names items = lam_config_names(lam_model_config(model), "noise"); /* COLUMN:WIDTH */
    int some = 0;
    for (size_t i = 0; i < items.n; i++) {
        const char *colon = strrchr(items.item[i], ':');
        some |= colon == NULL || strcmp(colon, ":0") != 0;
    }
    return some;
}

void cli_note_noise(const lam_model *model)
{
    char noise[256];
    if (cli_has_noise(model))
        cli_say("note: the fit added noise to columns (%s): to each value a random number from 0 up to this width. The model's values of these columns have it\n"
            "         too, so they lie half the width too high on average; where a column has whole numbers or even steps, round down to these",
            cli_parameter(lam_model_config(model), "noise", noise));
}

void cli_eval_options(const cli_eval *eval, lam_eval_options *options)
{
    *options = (lam_eval_options){.atol = eval->atol, .rtol = eval->rtol, .batch_rows = eval->batch_rows,
        .threads = eval->threads, .use_double = eval->use_double, .probe = eval->probe, .as_fitted = eval->as_fitted, .flow = eval->flow,
        .isa = cli_isa()};
}

const char *cli_setting_text(const lam_setting *setting, char text[128])
{
    char points[64] = "";
    if (setting->trace_points > 0)
        snprintf(points, sizeof points, ", trace at %zu point%s per block", setting->trace_points, setting->trace_points == 1 ? "" : "s");
    if (setting->steps > 0)
        snprintf(text, 128, "%.16s, %zu even step%s per block%s", setting->solver, setting->steps, setting->steps == 1 ? "" : "s", points);
    else
        snprintf(text, 128, "%.16s, atol %g, rtol %g%s", setting->solver, setting->atol, setting->rtol, points);
    return text;
}

double cli_log_det(const lam_model *model)
{
    const double *mean, *scale;
    double log_det;
    lam_model_standardiser(model, &mean, &scale, &log_det);
    return log_det;
}

const char *cli_units_name(lam_units units)
{
    return units == LAM_UNITS_DATA ? "data" : "standardised";
}

double cli_ratio(uint64_t a, uint64_t b)
{
    return b == 0 ? 0.0 : (double)a / (double)b;
}

double cli_per_batch(uint64_t count, const lam_counts *counts, const lam_config *cfg)
{
    return cli_ratio(count, counts->solves) * (double)cli_whole(cfg, "blocks");
}
