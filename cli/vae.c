/* laminar vae: the commands on images, and what they share. */
#include "vae.h"
#include <stdlib.h>
#include <string.h>

static const cli_command *const parts[]
    = {&cli_vae_fit, &cli_vae_eval, &cli_vae_reconstruct, &cli_vae_sample, &cli_vae_interpolate, &cli_vae_encode, &cli_vae_decode,
        &cli_vae_bench, NULL};

const cli_command cli_vae = {
    .name = "vae",
    .summary = "fits and uses variational auto-encoders of images with a flow as posterior",
    .details = "IMAGES is idx (MNIST's format), a MATLAB file (\"FILE.mat:NAME\" for a variable other than X and data), a pickle of one NumPy\n"
               "array, a zip or a folder of PNG files, or .npy; any of them may be gzipped. Height and width must be multiples of 4.\n"
               "--preset has the published settings of five data sets (`--preset help`). Without a preset, the length of training and the\n"
               "batch size are chosen from the number of images.\n",
    .example = "  $ laminar vae fit train-images-idx3-ubyte.gz --preset mnist --tpr --out run/\n"
               "  $ laminar vae eval run/ t10k-images-idx3-ubyte.gz --part all\n"
               "  $ laminar vae sample run/ -n 64 -o samples.png\n",
    .parts = parts,
};

/* ---- images ------------------------------------------------------------------------------------------------------- */

/* "28x20" */
static int parse_size(const cli_command *command, const char *text, lam_images_options *options)
{
    size_t high = strspn(text, "0123456789"), wide = text[high] == 'x' ? strspn(text + high + 1, "0123456789") : 0;
    int good = high > 0 && high < 6 && wide > 0 && wide < 6 && text[high + 1 + wide] == '\0';
    if (good)
        (void)sscanf(text, "%zux%zu", &options->height, &options->width);
    if (!good || options->height == 0 || options->width == 0)
        return cli_misuse(command, "--image-size %s: give height and width as in 28x20", text);
    return CLI_OK;
}

/* What was done to pictures, line by line. */
static void say_note(const char *path, const lam_images *images, const lam_images_options *options)
{
    int chosen = images->resized == 0 || options->height != 0;
    for (const char *line = images->note; line[0] != '\0'; line += line[0] == '\n' ? 1 : 0, chosen = 1) {
        int length = (int)strcspn(line, "\n");
        cli_say("note: %s: %.*s%s", path, length, line, chosen ? "" : "; --image-size HxW chooses another size");
        line += length;
    }
}

/* of_model: the size wanted is a model's, not one that the line gave. */
static int read_images(const char *path, const lam_images_options *options, int of_model, lam_images *images)
{
    if (path == NULL)
        return CLI_OK;
    lam_status status = lam_images_read(path, options, images);
    if (status == LAM_ERR_SHAPE && of_model)
        return cli_fail("%s; the model is of images of %zux%zu: take those that it was fitted to", lam_last_error(),
            options->height, options->width);
    if (status != LAM_OK)
        return cli_library_failed();
    say_note(path, images, options);
    return CLI_OK;
}

static int read_all(const cli_command *command, const char *path, const vae_files *files, const lam_config *cfg,
    const lam_vae *model, lam_images images[3])
{
    lam_images_options options = {.invert = lam_config_is(cfg, "invert", "true")};
    int of_model = model != NULL && files->size == NULL;
    int code = files->size != NULL ? parse_size(command, files->size, &options) : CLI_OK;
    if (of_model)
        lam_vae_image_size(model, &options.height, &options.width);
    if (code == CLI_OK)
        code = read_images(path, &options, of_model, &images[0]);
    if (code == CLI_OK)
        code = read_images(files->valid, &options, of_model, &images[1]);
    if (code == CLI_OK)
        code = read_images(files->test, &options, of_model, &images[2]);
    return code;
}

int vae_read(const cli_command *command, const char *path, const vae_files *files, const lam_config *cfg,
    const lam_vae *model, lam_image_data **data)
{
    lam_images images[3] = {{0}};
    int code = read_all(command, path, files, cfg, model, images);
    if (code == CLI_OK
        && lam_image_data_build(cfg, &images[0], files->valid != NULL ? &images[1] : NULL,
               files->test != NULL ? &images[2] : NULL, data)
            != LAM_OK)
        code = cli_library_failed();
    for (size_t i = 0; i < 3; i++)
        lam_images_free(&images[i]);
    return code;
}

/* ---- a choice of them --------------------------------------------------------------------------------------------- */

static void copy_chosen(vae_chosen *out, const unsigned char *pixels, const size_t *numbers, size_t n)
{
    size_t size = out->height * out->width;
    out->n = n;
    out->pixels = cli_alloc(n == 0 ? 1 : n * size, 1);
    out->numbers = cli_alloc(n == 0 ? 1 : n, sizeof *out->numbers);
    for (size_t i = 0; i < n; i++)
        out->numbers[i] = numbers != NULL ? numbers[i] : i;
    if (n > 0)
        memcpy(out->pixels, pixels, n * size);
}

static int choose_all(const cli_command *command, const char *path, const vae_files *files, const lam_vae *model,
    vae_chosen *out)
{
    lam_images images[3] = {{0}};
    const vae_files one = {.size = files->size};
    int code = read_all(command, path, &one, lam_vae_config(model), model, images);
    out->height = images[0].height;
    out->width = images[0].width;
    if (code == CLI_OK)
        copy_chosen(out, images[0].pixels, NULL, images[0].n);
    lam_images_free(&images[0]);
    return code;
}

static int choose_part(const cli_command *command, const char *path, const vae_files *files, const lam_vae *model,
    lam_part part, vae_chosen *out)
{
    lam_image_data *data = NULL;
    int code = vae_read(command, path, files, lam_vae_config(model), model, &data);
    if (code == CLI_OK) {
        if (strcmp(lam_image_data_hash(data), lam_vae_data_hash(model)) != 0)
            cli_say("note: %s (with --valid and --test) is not what the model was fitted to: its parts are cut anew, and images "
                "called test may be ones that it was trained on", path);
        lam_image_data_size(data, &out->height, &out->width);
        copy_chosen(out, lam_image_data_pixels(data, part), lam_image_data_numbers(data, part), lam_image_data_rows(data, part));
    }
    lam_image_data_free(data);
    return code;
}

static int choose(const cli_command *command, const char *path, const vae_files *files, const lam_vae *model, vae_chosen *out)
{
    static const char *const names[] = {"train", "valid", "test", "all"};
    size_t i = 0, height, width;
    *out = (vae_chosen){0};
    const char *part = files->part != NULL ? files->part : "all";
    while (i < 4 && strcmp(names[i], part) != 0)
        i++;
    if (i == 4)
        return cli_misuse(command, "--part %s: it is train, valid, test or all", part);
    if (i == 3 && (files->valid != NULL || files->test != NULL))
        return cli_misuse(command, "--part all means the images of %s alone; leave out --valid and --test", path);
    int code = i == 3 ? choose_all(command, path, files, model, out)
                      : choose_part(command, path, files, model, (lam_part)i, out);
    out->name = names[i];
    lam_vae_image_size(model, &height, &width);
    if (code == CLI_OK && out->n == 0)
        code = cli_fail("%s: there are no images in the part \"%s\"", path, part);
    if (code == CLI_OK && (out->height != height || out->width != width))
        code = cli_fail("%s: its images are %zux%zu, and the model is of images of %zux%zu: take those that it was fitted to",
            path, out->height, out->width, height, width);
    return code;
}

void vae_chosen_free(vae_chosen *chosen)
{
    free(chosen->pixels);
    free(chosen->numbers);
}

/* ---- models ------------------------------------------------------------------------------------------------------- */

int vae_open(const char *path, lam_vae **model)
{
    char *file;
    int code = cli_model_file(path, &file);
    *model = NULL;
    if (code == CLI_OK && lam_vae_load(file, model) != LAM_OK)
        code = cli_library_failed();
    free(file);
    return code;
}

int vae_open_images(const cli_command *command, const cli_line *line, const vae_files *files, const char *out, lam_vae **model,
    vae_chosen *images)
{
    int code = cli_not_over(out, line->words[1]);
    if (code == CLI_OK)
        code = vae_open(line->words[0], model);
    if (code == CLI_OK)
        code = choose(command, line->words[1], files, *model, images);
    return code;
}

int vae_first(const cli_command *command, size_t n, vae_chosen *images)
{
    if (n == 0)
        return cli_misuse(command, "-n 0: one image is the least");
    images->n = n < images->n ? n : images->n;
    return CLI_OK;
}

void vae_eval_options(const vae_eval *eval, lam_eval_options *options)
{
    *options = (lam_eval_options){.atol = eval->atol, .rtol = eval->rtol, .batch_rows = eval->batch_rows,
        .threads = eval->threads, .probe = eval->probe, .seed = eval->seed, .isa = cli_isa(),
        .divergence = eval->estimate ? LAM_DIV_RADEMACHER : LAM_DIV_EXACT};
}
