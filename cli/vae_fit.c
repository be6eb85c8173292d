/* laminar vae fit: fits an auto-encoder to images. */
#include "fit.h"
#include "ranks.h"
#include "vae.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct vae_fit_args {
    fit_run run;
    vae_files files;
} vae_fit_args;

static const cli_option options[] = {
    FIT_OUT_OPTIONS(vae_fit_args),
    VAE_FILE_OPTIONS(vae_fit_args),
    FIT_RUN_OPTIONS(vae_fit_args),
    {0},
};

/* 1 if a training pixel is neither black nor white. */
static int is_grey(const lam_image_data *data)
{
    size_t height, width;
    lam_image_data_size(data, &height, &width);
    const unsigned char *pixels = lam_image_data_pixels(data, LAM_TRAIN);
    for (size_t i = 0; i < lam_image_data_rows(data, LAM_TRAIN) * height * width; i++)
        if (pixels[i] != 0 && pixels[i] != 255)
            return 1;
    return 0;
}

static const char *pixels_text(const lam_config *cfg, int grey)
{
    if (lam_config_is(cfg, "pixels", "categorical"))
        return "of 256 grey levels";
    if (!grey)
        return "black or white";
    if (lam_config_is(cfg, "binarise", "threshold"))
        return "grey, made black or white at one half";
    if (lam_config_is(cfg, "binarise", "fixed"))
        return "grey, made black or white by one draw each; white is as likely as they are light";
    return "grey, made black or white by a new draw every epoch; of validation and test images by one";
}

static size_t batches(const lam_config *cfg, const lam_image_data *data)
{
    size_t rows = lam_image_data_rows(data, LAM_TRAIN), each = cli_whole(cfg, "batch-size");
    return rows > each ? rows / each : 1;
}

/* A run that ends before its warm-up never trains on the bound that it reports. */
static void check_warmup(const lam_config *cfg, const lam_image_data *data)
{
    double epochs = lam_config_number(cfg, "epochs"), warmup = lam_config_number(cfg, "warmup"), each = (double)batches(cfg, data);
    if (epochs == 0)
        epochs = lam_config_number(cfg, "iterations") / each;
    if (warmup > epochs && epochs * each < LAM_UNENDING)
        cli_say("note: beta grows to 1 over %g epochs, and this run has %.3g; give --warmup a fifth of them or so", warmup, epochs);
}

/* cfg is resolved. */
static void print_training(const lam_config *cfg, const lam_image_data *data)
{
    char text[256];
    size_t rows = lam_image_data_rows(data, LAM_TRAIN), each = batches(cfg, data), epochs = cli_whole(cfg, "epochs"), most = cli_whole(cfg, "batch-size");
    size_t iterations = epochs > 0 ? epochs * each : cli_whole(cfg, "iterations");
    if (iterations < LAM_UNENDING)
        printf("training %zu iterations (%.4g epochs)", iterations, (double)iterations / (double)each);
    else
        printf("training for as long as the time limit allows, batches");
    printf(" of %zu images, ", rows < most ? rows : most);
    printf("%s, learning rate %g\n", cli_parameter(cfg, "optimizer", text), lam_config_number(cfg, "lr"));
}

static void print_data(const char *path, const lam_config *cfg, const lam_image_data *data)
{
    size_t height, width;
    lam_image_data_size(data, &height, &width);
    printf("read     %s: images of %zux%zu\n", path, height, width);
    printf("split    %zu training, %zu validation, %zu test images\n", lam_image_data_rows(data, LAM_TRAIN),
        lam_image_data_rows(data, LAM_VALID), lam_image_data_rows(data, LAM_TEST));
    printf("pixels   %s\n", pixels_text(cfg, is_grey(data)));
    print_training(cfg, data);
    fflush(stdout);
}

static void score_row(cli_grid *grid, const char *name, double nats, double error, size_t pixels)
{
    double bits = 1.0 / (double)pixels / log(2.0);
    cli_grid_add(grid, "%s", name);
    cli_grid_measure(grid, 4, nats, error);
    cli_grid_measure(grid, 4, nats * bits, error * bits);
}

static void print_result(const lam_config *cfg, const lam_image_data *data, const lam_fit_result *r)
{
    char text[32];
    size_t height, width;
    cli_grid grid = {.columns = 3};
    const size_t rows[] = {lam_image_data_rows(data, LAM_TRAIN), lam_image_data_rows(data, LAM_VALID), lam_image_data_rows(data, LAM_TEST)};
    lam_image_data_size(data, &height, &width);
    cli_grid_add(&grid, "negative ELBO, beta 1");
    cli_grid_add(&grid, "nats per image");
    cli_grid_add(&grid, "bits per pixel");
    score_row(&grid, "test", r->test_nll, r->test_nll_se, height * width);
    score_row(&grid, "validation, best", r->best_val_nll, r->best_val_nll_se, height * width);
    cli_grid_print(&grid, stdout);
    fit_print_samples(cfg, rows, "images", NULL, r);
    printf("\n");
    if (lam_config_is(cfg, "pixels", "binary") && lam_config_is(cfg, "binarise", "fresh") && is_grey(data))
        printf("trained on pixels drawn anew each epoch: not comparable with published figures on one fixed binarisation\n");
    if (lam_config_is(cfg, "posterior", "cnf"))
        printf("evaluations of f per iteration: %.2f forward, %.2f backward; steps %.2f + %.2f rejected\n",
            cli_ratio(r->train_counts.forward, r->iterations), cli_ratio(r->train_counts.backward, r->iterations),
            cli_ratio(r->train_counts.accepted, r->iterations), cli_ratio(r->train_counts.rejected, r->iterations));
    printf("%zu iterations, best at %zu, %s\n", r->iterations, r->best_iteration, cli_duration(r->seconds, text));
}

typedef struct image_fit {
    const lam_image_data *data;
    lam_vae *model;
} image_fit;

static lam_status fit_images(void *user, const lam_config *cfg, const lam_fit_options *how, lam_fit_result *result)
{
    image_fit *f = user;
    return lam_vae_fit(cfg, f->data, how, &f->model, result);
}

static const lam_config *print_images(void *user, const lam_config *cfg, const lam_fit_result *result)
{
    image_fit *f = user;
    print_result(cfg, f->data, result);
    return lam_vae_config(f->model);
}

static int fit(const cli_command *command, int argc, char **argv, const vae_fit_args *args, const lam_config *cfg,
    const lam_image_data *data)
{
    image_fit f = {.data = data};
    fit_watch watch = {.kind = LAM_VAE, .tried = (double)NAN, .valid_rows = lam_image_data_rows(data, LAM_VALID), .epochs = cli_whole(cfg, "epochs")};
    const fit_job job = {.command = command, .argc = argc, .argv = argv, .run = &args->run, .cfg = cfg, .watch = &watch,
        .log = {cli_log, NULL}, .fit = fit_images, .print = print_images, .user = &f};
    int code = fit_carry_out(&job);
    lam_vae_free(f.model);
    return code;
}

static int run(const cli_command *command, int argc, char **argv)
{
    vae_fit_args args = {0};
    cli_line line;
    lam_image_data *data = NULL;
    if (fit_preset_help(command, argc, argv))
        return CLI_OK;
    lam_config *cfg = cli_config_create();
    int code = cli_line_parse(command, argc, argv, &args, &line);
    if (code == CLI_OK)
        code = fit_check_folder(command, &args.run);
    if (code == CLI_OK)
        code = fit_configure(command, &args.run, &line, cfg);
    code = cli_agree(code); /* on a folder that rank 0 has looked at, before anybody reads */
    if (code == CLI_OK)
        code = vae_read(command, line.words[0], &args.files, cfg, NULL, &data);
    if (code == CLI_OK && lam_config_resolve(cfg, lam_image_data_rows(data, LAM_TRAIN), 0) != LAM_OK)
        code = cli_library_failed();
    code = cli_agree(code);
    if (code == CLI_OK && !args.run.quiet)
        print_data(line.words[0], cfg, data);
    if (code == CLI_OK)
        check_warmup(cfg, data);
    if (code == CLI_OK) {
        code = cli_agree(cli_is_first() ? fit_begin_folder(args.run.out) : CLI_OK);
        if (code == CLI_OK)
            code = fit(command, argc, argv, &args, cfg, data);
        fit_end_folder(args.run.out, code);
    }
    lam_image_data_free(data);
    lam_config_free(cfg);
    cli_line_free(&line);
    return code;
}

const cli_command cli_vae_fit = {
    .name = "vae fit",
    .arguments = "IMAGES --out RUN/ [flags]",
    .summary = "fits an auto-encoder to images",
    .details = "For IMAGES see `laminar help vae`. They are split into training, validation and test images unless --valid and --test name\n"
               "files. RUN/ is as for `laminar fit`; Ctrl-C stops and saves, --resume continues. -ELBO is the negative evidence lower bound\n"
               "at beta 1, in nats per image: other commands call it NLL. Beta, the weight of the KL term in training, rises to 1 over the\n"
               "epochs of --warmup. `mpirun -n 4 laminar vae fit ...` divides the work among processes, to the same result.\n",
    .example = "  $ laminar vae fit freyfaces.pkl --image-size 28x20 --preset frey --tpr --out run/\n"
               "  $ laminar vae fit train-images-idx3-ubyte.gz --test t10k-images-idx3-ubyte.gz --preset mnist \\\n"
               "      --tpr --epochs 50 --warmup 10 --out run2/\n",
    .options = options,
    .parameters = 1,
    .kind = LAM_VAE,
    .least = 1,
    .most = 1,
    .run = run,
    .shared = 1,
};
