/* laminar vae reconstruct, sample, interpolate, decode: images out, as one PNG or as rows of numbers. */
#include "vae.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct picture_args {
    vae_files files;
    vae_eval eval;
    const char *out;
    size_t n, columns, scale, from, to;
    int drop_bad_rows;
} picture_args;

#define OUT_OPTION \
    {"out", 'o', CLI_TEXT, "FILE", "the picture: .png; or means of the pixels, 0 to 1, a row an image: .npy, .csv, .csv.gz", \
        offsetof(picture_args, out)}
#define GRID_OPTIONS \
    {"columns", 0, CLI_COUNT, "N", "images side by side", offsetof(picture_args, columns)}, \
    {"scale", 0, CLI_COUNT, "N", "every pixel becomes N x N; default 2", offsetof(picture_args, scale)}

static int check_out(const cli_command *command, const picture_args *args)
{
    if (args->out == NULL)
        return cli_misuse(command, "%s needs a file for the images: --out FILE.png", command->name);
    return cli_images_out_check(args->out);
}

static size_t pixels_of(const lam_vae *model)
{
    size_t height, width;
    lam_vae_image_size(model, &height, &width);
    return height * width;
}

/* What is solved or drawn for a while shows how far it is. */
typedef struct watched {
    lam_eval_options options;
    cli_progress progress;
} watched;

static void start(watched *w, const picture_args *args, const char *what)
{
    vae_eval_options(&args->eval, &w->options);
    cli_progress_start(&w->progress, what, &w->options);
}

/* A model that was fitted to inverted images draws such: out [n] as in the files again. */
static void as_in_files(const lam_vae *model, double *out, size_t n)
{
    for (size_t i = 0; i < n && lam_config_is(lam_vae_config(model), "invert", "true"); i++)
        out[i] = 1.0 - out[i];
}

/* images: of out. */
static int end(lam_status status, const lam_vae *model, double *out, size_t images)
{
    cli_progress_end();
    if (status != LAM_OK)
        return cli_library_failed();
    as_in_files(model, out, images * pixels_of(model));
    return CLI_OK;
}

static int is_picture(const picture_args *args)
{
    return cli_ends_with(args->out, ".png");
}

static int write_grid(const picture_args *args, const lam_vae *model, const double *reals, size_t n, size_t columns)
{
    lam_image_grid grid = {.rows = (n + columns - 1) / columns, .columns = columns, .reals = reals, .n = n, .gap = 2,
        .scale = args->scale};
    lam_vae_image_size(model, &grid.height, &grid.width);
    if (lam_image_grid_write(&grid, args->out) != LAM_OK)
        return cli_library_failed();
    printf("%zu images in %s\n", n, args->out);
    return CLI_OK;
}

/* of: the table that they were made from, whose bad rows stand as nan; NULL. */
static int write_rows(const picture_args *args, const lam_vae *model, const lam_table *of, const double *reals, size_t n)
{
    lam_table *table = cli_table_create(n, pixels_of(model));
    memcpy(table->values, reals, n * table->cols * sizeof *reals);
    int code = of != NULL ? cli_results_out(table, of, args->out) : cli_table_out(table, args->out);
    if (code == CLI_OK)
        printf("%zu images, %zu pixels each, in %s\n", n, table->cols, cli_output_name(args->out));
    lam_table_free(table);
    return code;
}

/* columns: of the picture, unless the line says how many. */
static int write_images(const picture_args *args, const lam_vae *model, const lam_table *of, const double *reals, size_t n,
    size_t columns)
{
    columns = args->columns > 0 ? args->columns : columns;
    return is_picture(args) ? write_grid(args, model, reals, n, columns < n ? columns : n)
                            : write_rows(args, model, of, reals, n);
}

/* As near to a square as it gets. */
static size_t square(size_t n)
{
    return (size_t)ceil(sqrt((double)n));
}

/* Opens the model, and the images if the command takes any; runs draw; frees all. */
static int with_model(const cli_command *command, int argc, char **argv, picture_args *args,
    int (*draw)(const cli_command *, const picture_args *, const lam_vae *, vae_chosen *))
{
    cli_line line;
    lam_vae *model = NULL;
    vae_chosen images = {0};
    int code = cli_line_parse(command, argc, argv, args, &line);
    if (code == CLI_OK)
        code = check_out(command, args);
    if (code == CLI_OK)
        code = line.n_words > 1 ? vae_open_images(command, &line, &args->files, args->out, &model, &images)
                                : vae_open(line.words[0], &model);
    if (code == CLI_OK)
        code = draw(command, args, model, &images);
    vae_chosen_free(&images);
    lam_vae_free(model);
    cli_line_free(&line);
    return code;
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
static int write_pairs(const picture_args *args, const lam_vae *model, const vae_chosen *images, const double *out, size_t n)
{
    size_t size = pixels_of(model), pairs = args->columns > 0 ? args->columns : 8;
    double *grid = cli_alloc(2 * n * size, sizeof *grid);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < size; k++)
            grid[2 * i * size + k] = (double)images->pixels[i * size + k] / 255.0;
        as_in_files(model, grid + 2 * i * size, size);
        memcpy(grid + (2 * i + 1) * size, out + i * size, size * sizeof *out);
    }
    int code = write_grid(args, model, grid, 2 * n, 2 * (pairs < n ? pairs : n));
    free(grid);
    return code;
}

static int reconstruct(const cli_command *command, const picture_args *args, const lam_vae *model, vae_chosen *images)
{
    watched w;
    int code = vae_first(command, args->n, images);
    if (code != CLI_OK)
        return code;
    size_t n = images->n;
    double *out = cli_alloc(n * pixels_of(model), sizeof *out);
    start(&w, args, "reconstructing images");
    code = end(lam_vae_reconstruct(model, &w.options, images->pixels, images->numbers, n, out), model, out, n);
    if (code == CLI_OK)
        code = is_picture(args) ? write_pairs(args, model, images, out, n) : write_rows(args, model, NULL, out, n);
    free(out);
    return code;
}

static int run_reconstruct(const cli_command *command, int argc, char **argv)
{
    picture_args args = {.n = 32, .scale = 2};
    return with_model(command, argc, argv, &args, reconstruct);
}

const cli_command cli_vae_reconstruct = {
    .name = "vae reconstruct",
    .arguments = "MODEL IMAGES --out FILE [flags]",
    .summary = "draws images beside their reconstructions",
    .details = "Each image, grey as in the file, stands to the left of its reconstruction: the means of the pixels after encoding (one draw\n"
               "of z) and decoding. A model of binary pixels has seen the image in black and white.\n",
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
    {"threads", 0, CLI_COUNT, "N", "threads; default: one per processor", offsetof(picture_args, eval.threads)},
    {0},
};

static int sample(const cli_command *command, const picture_args *args, const lam_vae *model, vae_chosen *images)
{
    (void)images;
    watched w;
    if (args->n == 0)
        return cli_misuse(command, "-n 0: a picture needs an image at least");
    double *out = cli_alloc(args->n * pixels_of(model), sizeof *out);
    start(&w, args, "drawing images");
    int code = end(lam_vae_sample(model, &w.options, args->eval.seed, args->n, out), model, out, args->n);
    if (code == CLI_OK)
        code = write_images(args, model, NULL, out, args->n, square(args->n));
    free(out);
    return code;
}

static int run_sample(const cli_command *command, int argc, char **argv)
{
    picture_args args = {.n = 64, .scale = 2};
    return with_model(command, argc, argv, &args, sample);
}

const cli_command cli_vae_sample = {
    .name = "vae sample",
    .arguments = "MODEL --out FILE [flags]",
    .summary = "draws samples of images",
    .details = "Draws z from N(0, I) and shows the means of the pixels.\n",
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

static int interpolate(const cli_command *command, const picture_args *args, const lam_vae *model, vae_chosen *images)
{
    watched w;
    size_t size = pixels_of(model), n = args->n;
    if (n < 2)
        return cli_misuse(command, "-n %zu: the two ends alone are 2 images", n);
    if (args->from == 0 || args->from > images->n || args->to == 0 || args->to > images->n)
        return cli_fail("--from %zu --to %zu: there are images 1 to %zu", args->from, args->to, images->n);
    const size_t at[2] = {args->from - 1, args->to - 1}, numbers[2] = {images->numbers[at[0]], images->numbers[at[1]]};
    double *out = cli_alloc(n * size, sizeof *out);
    unsigned char *ends = cli_alloc(2 * size, 1);
    for (size_t k = 0; k < 2; k++)
        memcpy(ends + k * size, images->pixels + at[k] * size, size);
    start(&w, args, "interpolating images");
    int code = end(lam_vae_interpolate(model, &w.options, ends, numbers, n, out), model, out, n);
    if (code == CLI_OK)
        code = write_images(args, model, NULL, out, n, n);
    free(ends);
    free(out);
    return code;
}

static int run_interpolate(const cli_command *command, int argc, char **argv)
{
    picture_args args = {.n = 10, .scale = 2, .from = 1, .to = 2};
    return with_model(command, argc, argv, &args, interpolate);
}

const cli_command cli_vae_interpolate = {
    .name = "vae interpolate",
    .arguments = "MODEL IMAGES --out FILE [flags]",
    .summary = "draws images along a line in z from one image to another",
    .details = "Both images are encoded (by means, through the flow); the line between their codes is cut into steps, and each is decoded.\n",
    .example = "  $ laminar vae interpolate run/ freyfaces.pkl --from 3 --to 90 -o way.png\n",
    .options = interpolate_options,
    .least = 2,
    .most = 2,
    .run = run_interpolate,
};

/* ---- decode ------------------------------------------------------------------------------------------------------- */

static const cli_option decode_options[] = {
    OUT_OPTION,
    {"drop-bad-rows", 0, CLI_SWITCH, NULL, "leave out rows of Z with missing or non-numeric cells; they are counted",
        offsetof(picture_args, drop_bad_rows)},
    GRID_OPTIONS,
    {"threads", 0, CLI_COUNT, "N", "threads; default: one per processor", offsetof(picture_args, eval.threads)},
    {0},
};

static int decode(const picture_args *args, const lam_vae *model, const lam_table *z)
{
    watched w;
    double *out = cli_alloc(z->rows * pixels_of(model), sizeof *out);
    start(&w, args, "decoding images");
    int code = end(lam_vae_decode(model, &w.options, z->values, z->rows, out), model, out, z->rows);
    if (code == CLI_OK)
        code = write_images(args, model, z, out, z->rows, square(z->rows));
    free(out);
    return code;
}

static int run_decode(const cli_command *command, int argc, char **argv)
{
    picture_args args = {.scale = 2};
    cli_line line;
    lam_vae *model = NULL;
    lam_table *z = NULL;
    int code = cli_line_parse(command, argc, argv, &args, &line);
    if (code == CLI_OK)
        code = check_out(command, &args);
    if (code == CLI_OK)
        code = cli_not_over(args.out, line.words[1]);
    if (code == CLI_OK)
        code = vae_open(line.words[0], &model);
    const cli_choice choice = {.drop_bad_rows = args.drop_bad_rows};
    if (code == CLI_OK)
        code = cli_codes_read(line.words[1], &choice, cli_whole(lam_vae_config(model), "latent"), "laminar vae encode", &z);
    if (code == CLI_OK)
        code = decode(&args, model, z);
    lam_table_free(z);
    lam_vae_free(model);
    cli_line_free(&line);
    return code;
}

const cli_command cli_vae_decode = {
    .name = "vae decode",
    .arguments = "MODEL Z --out FILE [flags]",
    .summary = "decodes codes z to images",
    .details = "Z has a row per image and a column per latent variable, as `laminar vae encode` writes them, or of your own: the prior is\n"
               "N(0, I). Columns named z1, z2, ... are found by their names. The output is the means of the pixels. Rows that --drop-bad-rows\n"
               "leaves out are nan in .npy and .csv, and empty in a picture.\n",
    .example = "  $ laminar vae decode run/ z.csv -o faces.png\n",
    .options = decode_options,
    .least = 2,
    .most = 2,
    .run = run_decode,
};
