/* laminar vae reconstruct, sample, interpolate: images out as one PNG. */
#include "vae.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct picture_args {
    vae_files files;
    vae_eval eval;
    const char *out;
    size_t n, columns, scale, from, to;
} picture_args;

#define OUT_OPTION {"out", 'o', CLI_TEXT, "FILE.png", "the picture", offsetof(picture_args, out)}
#define GRID_OPTIONS \
    {"columns", 0, CLI_COUNT, "N", "images side by side", offsetof(picture_args, columns)}, \
    {"scale", 0, CLI_COUNT, "N", "every pixel becomes N x N; default 2", offsetof(picture_args, scale)}

static int check_out(const cli_command *command, const picture_args *args)
{
    if (args->out == NULL)
        return cli_misuse(command, "%s wants a file for the picture: --out FILE.png", command->name);
    return cli_picture_check(args->out);
}

static int write_grid(const picture_args *args, const lam_vae *model, const double *reals, size_t n, size_t columns, size_t lead)
{
    lam_image_grid grid = {.rows = (n + columns - 1) / columns, .columns = columns, .reals = reals, .n = n, .gap = 2,
        .scale = args->scale, .lead_columns = lead};
    lam_vae_image_size(model, &grid.height, &grid.width);
    if (lam_image_grid_write(&grid, args->out) != LAM_OK)
        return cli_library_failed();
    printf("%zu images in %s\n", n, args->out);
    return CLI_OK;
}

/* Opens the model, and (images not NULL) the images; runs draw; frees all. */
static int with_model(const cli_command *command, int argc, char **argv, picture_args *args, const char *part,
    int (*draw)(const cli_command *, const picture_args *, const lam_vae *, const vae_chosen *))
{
    cli_line line;
    lam_vae *model = NULL;
    vae_chosen images = {0};
    int code = cli_line_parse(command, argc, argv, args, &line);
    if (code == CLI_OK)
        code = check_out(command, args);
    if (code == CLI_OK)
        code = vae_open(line.words[0], &model);
    if (code == CLI_OK && part != NULL)
        code = vae_choose(command, line.words[1], &args->files, model, part, &images);
    if (code == CLI_OK)
        code = draw(command, args, model, &images);
    vae_chosen_free(&images);
    lam_vae_free(model);
    cli_line_free(&line);
    return code;
}

static size_t pixels_of(const lam_vae *model)
{
    size_t height, width;
    lam_vae_image_size(model, &height, &width);
    return height * width;
}

/* ---- reconstruct -------------------------------------------------------------------------------------------------- */

static const cli_option reconstruct_options[] = {
    OUT_OPTION,
    {"number", 'n', CLI_COUNT, "N", "how many images, from the first on; default 32", offsetof(picture_args, n)},
    VAE_FILE_OPTIONS(picture_args),
    VAE_PART_OPTION(picture_args, "which of the fit's parts; default all images of IMAGES"),
    GRID_OPTIONS,
    VAE_EVAL_OPTIONS(picture_args),
    {0},
};

/* Pairs side by side: the image, what the model makes of it. */
static int reconstruct(const cli_command *command, const picture_args *args, const lam_vae *model, const vae_chosen *images)
{
    lam_eval_options o;
    size_t n = args->n < images->n ? args->n : images->n, size = pixels_of(model), pairs = args->columns > 0 ? args->columns : 8;
    if (n == 0)
        return cli_misuse(command, "-n 0: a picture wants an image at least");
    double *out = cli_alloc(n * size, sizeof *out), *grid = cli_alloc(2 * n * size, sizeof *grid);
    vae_eval_options(&args->eval, &o);
    int code = lam_vae_reconstruct(model, &o, images->pixels, images->numbers, n, out) == LAM_OK ? CLI_OK : cli_library_failed();
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < size; k++)
            grid[2 * i * size + k] = (double)images->pixels[i * size + k] / 255.0;
        memcpy(grid + (2 * i + 1) * size, out + i * size, size * sizeof *out);
    }
    if (code == CLI_OK)
        code = write_grid(args, model, grid, 2 * n, 2 * (pairs < n ? pairs : n), 0);
    free(out);
    free(grid);
    return code;
}

static int run_reconstruct(const cli_command *command, int argc, char **argv)
{
    picture_args args = {.n = 32, .scale = 2};
    return with_model(command, argc, argv, &args, "all", reconstruct);
}

const cli_command cli_vae_reconstruct = {
    .name = "vae reconstruct",
    .arguments = "MODEL IMAGES --out FILE.png [flags]",
    .summary = "images beside what the model makes of them",
    .details = "Each image, grey as it is in the file, stands left of the means of its pixels after encoding (one draw of z) and\n"
               "decoding. A model of binary pixels has seen it in black and white.\n",
    .example = "  $ laminar vae reconstruct run/ freyfaces.pkl --part test -n 32 -o faces.png\n",
    .options = reconstruct_options,
    .least = 2,
    .most = 2,
    .run = run_reconstruct,
};

/* ---- sample ------------------------------------------------------------------------------------------------------- */

static const cli_option sample_options[] = {
    OUT_OPTION,
    {"number", 'n', CLI_COUNT, "N", "how many; default 64", offsetof(picture_args, n)},
    GRID_OPTIONS,
    {"seed", 0, CLI_SEED, "N", "image i depends on the seed and i alone; default 0", offsetof(picture_args, eval.seed)},
    {"threads", 0, CLI_COUNT, "N", "threads; default: one a processor", offsetof(picture_args, eval.threads)},
    {0},
};

static int sample(const cli_command *command, const picture_args *args, const lam_vae *model, const vae_chosen *images)
{
    (void)images;
    lam_eval_options o;
    size_t columns = args->columns > 0 ? args->columns : (size_t)ceil(sqrt((double)args->n));
    if (args->n == 0)
        return cli_misuse(command, "-n 0: a picture wants an image at least");
    columns = columns < args->n ? columns : args->n;
    double *out = cli_alloc(args->n * pixels_of(model), sizeof *out);
    vae_eval_options(&args->eval, &o);
    int code = lam_vae_sample(model, &o, args->eval.seed, args->n, out) == LAM_OK ? CLI_OK : cli_library_failed();
    if (code == CLI_OK)
        code = write_grid(args, model, out, args->n, columns, 0);
    free(out);
    return code;
}

static int run_sample(const cli_command *command, int argc, char **argv)
{
    picture_args args = {.n = 64, .scale = 2};
    return with_model(command, argc, argv, &args, NULL, sample);
}

const cli_command cli_vae_sample = {
    .name = "vae sample",
    .arguments = "MODEL --out FILE.png [flags]",
    .summary = "draws images from a model",
    .details = "z is drawn from N(0, I); what is shown are the means of the pixels.\n",
    .example = "  $ laminar vae sample run/ -n 64 --seed 1 -o samples.png\n",
    .options = sample_options,
    .least = 1,
    .most = 1,
    .run = run_sample,
};

/* ---- interpolate -------------------------------------------------------------------------------------------------- */

static const cli_option interpolate_options[] = {
    OUT_OPTION,
    {"from", 0, CLI_COUNT, "I", "number of the first image, from 1 on; default 1", offsetof(picture_args, from)},
    {"to", 0, CLI_COUNT, "I", "number of the last image; default 2", offsetof(picture_args, to)},
    {"number", 'n', CLI_COUNT, "N", "images on the way, both ends counted; default 10", offsetof(picture_args, n)},
    VAE_FILE_OPTIONS(picture_args),
    VAE_PART_OPTION(picture_args, "which of the fit's parts; default all images of IMAGES"),
    GRID_OPTIONS,
    VAE_EVAL_OPTIONS(picture_args),
    {0},
};

static int interpolate(const cli_command *command, const picture_args *args, const lam_vae *model, const vae_chosen *images)
{
    lam_eval_options o;
    size_t size = pixels_of(model), n = args->n;
    if (n < 2)
        return cli_misuse(command, "-n %zu: the two ends alone are 2 images", n);
    if (args->from == 0 || args->from > images->n || args->to == 0 || args->to > images->n)
        return cli_fail("--from %zu --to %zu: there are images 1 to %zu", args->from, args->to, images->n);
    double *out = cli_alloc(n * size, sizeof *out);
    vae_eval_options(&args->eval, &o);
    int code = lam_vae_interpolate(model, &o, images->pixels + (args->from - 1) * size, images->pixels + (args->to - 1) * size,
                   n, out) == LAM_OK
        ? CLI_OK
        : cli_library_failed();
    if (code == CLI_OK)
        code = write_grid(args, model, out, n, args->columns > 0 && args->columns < n ? args->columns : n, 0);
    free(out);
    return code;
}

static int run_interpolate(const cli_command *command, int argc, char **argv)
{
    picture_args args = {.n = 10, .scale = 2, .from = 1, .to = 2};
    return with_model(command, argc, argv, &args, "all", interpolate);
}

const cli_command cli_vae_interpolate = {
    .name = "vae interpolate",
    .arguments = "MODEL IMAGES --out FILE.png [flags]",
    .summary = "the way from one image to another",
    .details = "Both images are encoded (means, through the flow), the line between them in z is cut into steps, every step decoded.\n",
    .example = "  $ laminar vae interpolate run/ freyfaces.pkl --from 3 --to 90 -o way.png\n",
    .options = interpolate_options,
    .least = 2,
    .most = 2,
    .run = run_interpolate,
};
