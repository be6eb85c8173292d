/* laminar vae encode: images to codes. */
#include "vae.h"

typedef struct encode_args {
    vae_files files;
    vae_eval eval;
    const char *out;
    size_t n;
    int draw;
} encode_args;

static const cli_option options[] = {
    {"out", 'o', CLI_TEXT, "FILE", "write to FILE: .npy, .csv or .csv.gz; default and -: csv to stdout", offsetof(encode_args, out)},
    {"draw", 0, CLI_SWITCH, NULL, "of one draw of each image's posterior (--seed), not of its mean", offsetof(encode_args, draw)},
    VAE_FILE_OPTIONS(encode_args),
    VAE_PART_OPTION(encode_args, "which of the fit's parts; default all images of IMAGES"),
    {"number", 'n', CLI_COUNT, "N", "how many images, from the first on; default all", offsetof(encode_args, n)},
    VAE_EVAL_OPTIONS(encode_args),
    {0},
};

static int encode(const lam_vae *model, const vae_chosen *images, const encode_args *args)
{
    lam_eval_options o;
    cli_progress progress;
    char text[32];
    double start = cli_clock();
    lam_table *z = cli_codes_create(images->n, cli_whole(lam_vae_config(model), "latent"));
    vae_eval_options(&args->eval, &o);
    cli_progress_start(&progress, "encoding images", &o);
    lam_status status = lam_vae_encode(model, &o, images->pixels, images->numbers, images->n, args->draw, z->values);
    cli_progress_end();
    int code = status == LAM_OK ? cli_table_out(z, args->out) : cli_library_failed();
    if (code == CLI_OK && args->out != NULL)
        printf("z of %zu images, %zu columns, in %s; %s\n", z->rows, z->cols, cli_output_name(args->out), cli_duration(cli_clock() - start, text));
    lam_table_free(z);
    return code;
}

static int run(const cli_command *command, int argc, char **argv)
{
    encode_args args = {.n = SIZE_MAX};
    cli_line line;
    lam_vae *model = NULL;
    vae_chosen images = {0};
    int code = cli_line_parse(command, argc, argv, &args, &line);
    if (code == CLI_OK)
        code = cli_out_check(args.out);
    if (code == CLI_OK)
        code = vae_open_images(command, &line, &args.files, args.out, &model, &images);
    if (code == CLI_OK)
        code = vae_first(command, args.n, &images);
    if (code == CLI_OK)
        code = encode(model, &images, &args);
    vae_chosen_free(&images);
    lam_vae_free(model);
    cli_line_free(&line);
    return code;
}

const cli_command cli_vae_encode = {
    .name = "vae encode",
    .arguments = "MODEL IMAGES [-o z.npy]",
    .summary = "writes the code z of each image, for another program or for `vae decode`",
    .details = "One row per image, in the order of the file or part: the mean of the encoder's Gaussian, carried through the flow. Under the\n"
               "prior, z is N(0, I). MODEL is a run folder or a model file.\n",
    .example = "  $ laminar vae encode run/ freyfaces.pkl -o z.npy\n"
               "  z of 1965 images, 20 columns, in z.npy; 3.1 s\n",
    .options = options,
    .least = 2,
    .most = 2,
    .run = run,
};
