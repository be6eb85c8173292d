/* What the commands on images share. */
#ifndef LAM_CLI_VAE_H
#define LAM_CLI_VAE_H
#include "cli.h"
#include <laminar/vae.h>

extern const cli_command cli_vae_fit, cli_vae_eval, cli_vae_reconstruct, cli_vae_sample, cli_vae_interpolate,
    cli_vae_encode, cli_vae_decode, cli_vae_bench;

/* The flags that say which images of which files. */
typedef struct vae_files {
    const char *valid, *test, *size, *part;
} vae_files;
#define VAE_FILE_OPTIONS(type) \
    {"valid", 0, CLI_TEXT, "FILE", "validation images; default: split off IMAGES", offsetof(type, files.valid)}, \
    {"test", 0, CLI_TEXT, "FILE", "test images; default: split off IMAGES", offsetof(type, files.test)}, \
    {"image-size", 0, CLI_TEXT, "HxW", \
        "of flat rows; of PNG pictures: resized to it. Default: the model's; in a fit square, 28x28", offsetof(type, files.size)}
#define VAE_PART_OPTION(type, text) \
    {"part", 0, CLI_TEXT, "train|valid|test|all", text, offsetof(type, files.part)}

/* The flags of how a model is evaluated. */
typedef struct vae_eval {
    double atol, rtol;
    size_t threads, batch_rows;
    uint64_t seed;
    int probe, estimate;
} vae_eval;
#define VAE_EVAL_OPTIONS(type) \
    {"atol", 0, CLI_REAL, "X", "absolute tolerance; default: the model's test tolerance", offsetof(type, eval.atol)}, \
    {"rtol", 0, CLI_REAL, "X", "relative tolerance; default: the model's test tolerance", offsetof(type, eval.rtol)}, \
    {"threads", 0, CLI_COUNT, "N", "number of threads; default: one per processor", offsetof(type, eval.threads)}, \
    {"batch-rows", 0, CLI_COUNT, "N", "number of images solved together; default: as in the fit", offsetof(type, eval.batch_rows)}, \
    {"seed", 0, CLI_SEED, "N", "seed of the draws of z; default 0", offsetof(type, eval.seed)}, \
    {"probe", 0, CLI_SWITCH, NULL, "estimate the first step by a trial step instead of taking the one that the model remembers", offsetof(type, eval.probe)}, \
    {"estimate", 0, CLI_SWITCH, NULL, "estimate the trace (Rademacher) instead of computing it exactly", offsetof(type, eval.estimate)}

/* Images of the files, split as cfg says; with a model (or NULL) of its size. CLI_OK, or with the message printed. */
int vae_read(const cli_command *command, const char *path, const vae_files *files, const lam_config *cfg,
    const lam_vae *model, lam_image_data **data);
/* The images that --part names (default all of IMAGES, in its order): pixels and numbers, to be freed. */
typedef struct vae_chosen {
    unsigned char *pixels; /* [n, height * width] */
    size_t *numbers, n, height, width;
    const char *name; /* "test" */
} vae_chosen;
void vae_chosen_free(vae_chosen *chosen);
/* path is a model file or a run folder. CLI_OK, or CLI_FAILED with the message printed. */
int vae_open(const char *path, lam_vae **model);
/* The command MODEL IMAGES: both, where out (NULL: stdout) does not take the images' place. Free both in either case. */
int vae_open_images(const cli_command *command, const cli_line *line, const vae_files *files, const char *out, lam_vae **model,
    vae_chosen *images);
/* Of images no more than the first n, as -n says. CLI_OK, or with the message printed. */
int vae_first(const cli_command *command, size_t n, vae_chosen *images);
void vae_eval_options(const vae_eval *eval, lam_eval_options *options);

#endif
