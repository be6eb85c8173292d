/* laminar vae eval: the evidence lower bound of images, and their importance-weighted log-likelihood. */
#include "ranks.h"
#include "vae.h"
#include <math.h>
#include <stdlib.h>

typedef struct eval_args {
    const char *out;
    vae_files files;
    vae_eval eval;
    size_t iw, iw_rows, n;
} eval_args;

static const cli_option options[] = {
    {"out", 'o', CLI_TEXT, "FILE", "write a row an image to FILE: elbo, with --iw log_prob too; .npy, .csv or .csv.gz",
        offsetof(eval_args, out)},
    VAE_FILE_OPTIONS(eval_args),
    VAE_PART_OPTION(eval_args, "which of the fit's parts; default all images of IMAGES"),
    {"number", 'n', CLI_COUNT, "N", "how many images, from the first on; default all", offsetof(eval_args, n)},
    {"iw", 0, CLI_COUNT, "S", "estimate log p(x) by S importance-weighted samples an image", offsetof(eval_args, iw)},
    {"iw-rows", 0, CLI_COUNT, "N", "images that --iw is done for, the first of the part; default all", offsetof(eval_args, iw_rows)},
    VAE_EVAL_OPTIONS(eval_args),
    {0},
};

static double bits(const vae_chosen *images, double nats)
{
    return nats / (double)(images->height * images->width) / log(2.0);
}

/* each [images->n]: the bounds, nats */
static int evaluate(const lam_vae *model, const vae_chosen *images, const eval_args *args, double *each)
{
    lam_eval_options o;
    cli_progress progress;
    lam_vae_scores s;
    vae_eval_options(&args->eval, &o);
    o.comm = cli_ranks();
    cli_progress_start(&progress, "evaluating images", &o);
    lam_status status = lam_vae_score(model, &o, images->pixels, images->numbers, images->n, 0, each, &s);
    cli_progress_end();
    if (status != LAM_OK)
        return cli_library_failed();
    char nats[64], a_pixel[64];
    printf("negative ELBO  %s nats per image, %s bits per pixel (reconstruction %.2f, KL %.2f)\n",
        cli_measure(s.negative_elbo, s.negative_elbo_se, 4, nats),
        cli_measure(bits(images, s.negative_elbo), bits(images, s.negative_elbo_se), 4, a_pixel), s.reconstruction, s.kl);
    if (s.counts.solves > 0)
        printf("evaluations of f per batch %.1f\n", cli_per_batch(s.counts.forward, &s.counts, lam_vae_config(model)));
    fflush(stdout);
    return CLI_OK;
}

/* Images that --iw is done for. */
static size_t weighed(const vae_chosen *images, const eval_args *args)
{
    return args->iw_rows > 0 && args->iw_rows < images->n ? args->iw_rows : images->n;
}

/* A batch of samples for one image, timed, for what all of them will take. */
static int project(const lam_vae *model, const vae_chosen *images, const eval_args *args)
{
    size_t rows = weighed(images, args);
    lam_eval_options o;
    lam_vae_scores s;
    char text[32];
    vae_eval_options(&args->eval, &o);
    o.comm = cli_ranks();
    size_t batch = o.batch_rows > 0 ? o.batch_rows : cli_whole(lam_vae_config(model), "batch-size");
    size_t samples = args->iw < batch ? args->iw : batch;
    double start = cli_clock();
    if (lam_vae_score(model, &o, images->pixels, images->numbers, 1, samples, NULL, &s) != LAM_OK)
        return cli_library_failed();
    double each = (cli_clock() - start) / (double)samples;
    cli_say("--iw: %zu samples for each of %zu images will take about %s", args->iw, rows,
        cli_duration(each * (double)args->iw * (double)rows, text));
    return CLI_OK;
}

/* each [weighed()]: log p(x), nats */
static int weigh(const lam_vae *model, const vae_chosen *images, const eval_args *args, double *each)
{
    lam_eval_options o;
    cli_progress progress;
    lam_vae_scores s;
    size_t rows = weighed(images, args);
    vae_eval_options(&args->eval, &o);
    o.comm = cli_ranks();
    cli_progress_start(&progress, "drawing samples", &o);
    lam_status status = lam_vae_score(model, &o, images->pixels, images->numbers, rows, args->iw, each, &s);
    cli_progress_end();
    if (status != LAM_OK)
        return cli_library_failed();
    char nats[64], a_pixel[64];
    printf("log p(x)       %s nats per image over %zu images, %s bits per pixel; %zu samples each, %.1f effective (of the samples "
           "alone +- %.2g)\n", cli_measure(s.log_likelihood, s.log_likelihood_se, 4, nats), rows,
        cli_measure(bits(images, -s.log_likelihood), bits(images, s.log_likelihood_se), 4, a_pixel), s.samples, s.effective_samples,
        s.sampling_se);
    return CLI_OK;
}

/* Both, and each image's into the file. */
static int evaluate_all(const lam_vae *model, const vae_chosen *images, const eval_args *args)
{
    double *bounds = cli_alloc(2 * images->n, sizeof *bounds), *log_p = bounds + images->n;
    size_t n_weighed = args->iw > 0 ? weighed(images, args) : 0;
    for (size_t i = n_weighed; i < images->n; i++)
        log_p[i] = (double)NAN;
    int code = evaluate(model, images, args, bounds);
    if (code == CLI_OK && n_weighed > 0)
        code = weigh(model, images, args, log_p);
    if (code == CLI_OK && args->out != NULL && cli_is_first()) {
        lam_table *table = cli_table_create(images->n, n_weighed > 0 ? 2 : 1);
        cli_table_name(table, 0, "elbo");
        if (n_weighed > 0)
            cli_table_name(table, 1, "log_prob");
        for (size_t i = 0; i < images->n; i++)
            for (size_t j = 0; j < table->cols; j++)
                table->values[i * table->cols + j] = j == 0 ? bounds[i] : log_p[i];
        code = cli_table_out(table, args->out);
        if (code == CLI_OK)
            printf("each image's, nats, is in  %s\n", cli_output_name(args->out));
        lam_table_free(table);
    }
    free(bounds);
    return code;
}

static int run(const cli_command *command, int argc, char **argv)
{
    eval_args args = {.n = SIZE_MAX};
    cli_line line;
    lam_vae *model = NULL;
    vae_chosen images = {0};
    int code = cli_line_parse(command, argc, argv, &args, &line);
    if (code == CLI_OK && args.iw_rows > 0 && args.iw == 0)
        code = cli_misuse(command, "--iw-rows says for how many images --iw is done; give --iw too");
    if (code == CLI_OK)
        code = cli_out_check(args.out);
    if (code == CLI_OK)
        code = vae_open_images(command, &line, &args.files, args.out, &model, &images);
    if (code == CLI_OK)
        code = vae_first(command, args.n, &images);
    code = cli_agree(code);
    if (code == CLI_OK)
        printf("images         %zu of %s, %s\n", images.n, line.words[1], images.name);
    if (code == CLI_OK && args.iw > 0)
        code = project(model, &images, &args);
    if (code == CLI_OK)
        code = evaluate_all(model, &images, &args);
    vae_chosen_free(&images);
    lam_vae_free(model);
    cli_line_free(&line);
    return code;
}

const cli_command cli_vae_eval = {
    .name = "vae eval",
    .arguments = "MODEL IMAGES [flags]",
    .summary = "computes the evidence lower bound and the log-likelihood of images",
    .details = "MODEL is a run folder or a model file. The bound uses one draw of z per image and the exact trace. --iw S estimates log p(x)\n"
               "itself from S importance-weighted samples (Burda et al. 2016); the time that it will take is printed first. FILE has a row\n"
               "for each image, in order; log_prob is nan for images beyond --iw-rows.\n",
    .example = "  $ laminar vae eval run/ freyfaces.pkl --part test\n"
               "  $ laminar vae eval run/ t10k-images-idx3-ubyte.gz --iw 5000 --iw-rows 100\n",
    .options = options,
    .least = 2,
    .most = 2,
    .run = run,
    .shared = 1,
};
