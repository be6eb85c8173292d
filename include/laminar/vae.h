/* Grey images, and variational auto-encoders of them whose posterior goes through a flow (method.md 9). */
#ifndef LAMINAR_VAE_H
#define LAMINAR_VAE_H
#include <laminar.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Grey images of one size. */
typedef struct lam_images {
    size_t n, height, width;
    unsigned char *pixels; /* [n, height * width], row-major, 0..255; owned by the set */
    int binary;            /* every pixel is 0 or 255, and was one of two values in the file (not averaged, not rounded) */
    const char *format;    /* "idx", "mat", "pickle", "png.zip", "png folder" or "npy" */
    size_t skipped;        /* files of a zip or a folder that are not PNG */
    size_t resized;        /* pictures of a zip or a folder that were of another size */
    char note[640];        /* a line on what was done to the pictures of a zip or a folder: how many were resized, and from what size, made
                            * grey, laid on white, or left out; "": nothing */
} lam_images;

/* Zeros mean: as in the file. */
typedef struct lam_images_options {
    /* Give both or neither. For flat rows (.mat, pickle, .npy [n, pixels]): the shape of an image; 0: square. For a zip or a folder of PNG:
     * the size that each is resized to; 0: 28 x 28. If the file itself says the size, it must be this one. */
    size_t height, width;
    int invert;            /* 1: 255 - pixel, after all else */
    const char *array;     /* .mat: the variable; NULL: X, or else data */
} lam_images_options;

/* Reads all images of a file, of one variable of it ("file.mat:NAME"), or of a folder; a file's first bytes say what it is, not its
 * name:
 *   idx       MNIST's format, magic 0x00000803
 *   mat       MATLAB, -v6 or -v7: X [n, pixels], data [pixels, n], or the variable named (also by options->array), an image's
 *             pixels column by column, as MATLAB lays out a matrix. So Caltech 101 silhouettes (where the background is 1: use
 *             invert) and chardata.mat of Omniglot (data and testdata)
 *   pickle    one NumPy uint8 array, [n, pixels] or [n, height, width], alone or the only thing in a list; nothing else is run or read
 *   png.zip   PNG files in a zip (libzip, libpng), in order of their names: as they are stored, whatever gamma or profile they name,
 *             16 bits rounded to 8, what is transparent laid on white, colours turned to luma (BT.601), resized by means over areas.
 *             Dark is ink, which becomes 255
 *   folder    the same of all PNG files below a folder
 *   npy       [n, height, width] or [n, pixels]
 * and any file of them gzipped. Numbers that never exceed 1 are taken times 255; else they must be whole, 0 to 255.
 * *out is zeroed on failure; free it with lam_images_free. options may be NULL.
 * LAM_ERR_IO, LAM_ERR_FORMAT (not such a file, cut short, damaged), LAM_ERR_SHAPE (another size), LAM_ERR_DATA (NaN, values
 * out of range), LAM_ERR_ARGUMENT (no such variable), LAM_ERR_UNSUPPORTED (this build lacks the library: names its package). */
LAM_API lam_status lam_images_read(const char *path, const lam_images_options *options, lam_images *out);
LAM_API void lam_images_free(lam_images *images); /* frees what is in it, not the struct; a zeroed one is allowed */

/* Images split into parts. Where valid or test is NULL, val-images and test-images (0: a tenth) are cut from all,
 * shuffled by split-seed. Keeps copies. LAM_ERR_SHAPE: sets of different sizes; LAM_ERR_DATA: too few images. */
typedef struct lam_image_data lam_image_data;
LAM_API lam_status lam_image_data_build(const lam_config *cfg, const lam_images *all, const lam_images *valid,
    const lam_images *test, lam_image_data **out);
LAM_API size_t lam_image_data_rows(const lam_image_data *data, lam_part part);
LAM_API void lam_image_data_size(const lam_image_data *data, size_t *height, size_t *width);
/* Grey levels of a part, [rows, height, width], owned by the data; NULL for a part without images. */
LAM_API const unsigned char *lam_image_data_pixels(const lam_image_data *data, lam_part part);
/* Numbers of a part's images [rows], which determine how each becomes binary. Owned by the data. */
LAM_API const size_t *lam_image_data_numbers(const lam_image_data *data, lam_part part);
/* 128-bit digest of pixels and split, hex: the data hash kept in a model. */
LAM_API const char *lam_image_data_hash(const lam_image_data *data);
LAM_API void lam_image_data_free(lam_image_data *data);

/* A model of images: q(z|x) is a Gaussian from a convolutional encoder, carried through an amortised flow; p(x|z) comes from a transposed
 * convolutional decoder (method.md 9; the configuration's model is vae). In float. */
typedef struct lam_vae lam_vae;
/* As lam_fit, for images: what lam_progress and lam_fit_result call NLL is the negative evidence lower bound at beta 1, nats per
 * image; log_det is 0, there is no Gaussian's figure (NaN). options->init must be NULL. With options->comm each process has the same
 * images. LAM_ERR_UNSUPPORTED in a build without oneDNN. */
LAM_API lam_status lam_vae_fit(const lam_config *cfg, const lam_image_data *data, const lam_fit_options *options,
    lam_vae **model, lam_fit_result *result);
LAM_API lam_status lam_vae_load(const char *path, lam_vae **out);
LAM_API lam_status lam_vae_save(const lam_vae *model, const char *path); /* atomically */
LAM_API void lam_vae_free(lam_vae *model);
LAM_API const lam_config *lam_vae_config(const lam_vae *model); /* owned by the model */
LAM_API void lam_vae_image_size(const lam_vae *model, size_t *height, size_t *width);
LAM_API size_t lam_vae_parameter_count(const lam_vae *model);
LAM_API const char *lam_vae_data_hash(const lam_vae *model);
/* What it is made of ("encoder", "mean and variance", "maps to the flow", "flow", "decoder"), and the parameters of each; NULL past
 * the end. */
LAM_API const char *lam_vae_component(const lam_vae *model, size_t index, size_t *parameters);
/* Tensors in file order: name, and n_shape <= 4 entries of shape. Returns 0 past the end. */
LAM_API int lam_vae_tensor_at(const lam_vae *model, size_t index, char name[96], size_t shape[4], size_t *n_shape);

typedef struct lam_vae_scores {
    size_t images, samples;          /* samples: an image, of the importance-weighted estimate; 0 without */
    double negative_elbo, negative_elbo_se; /* mean over images, its standard error over them; nats per image */
    double reconstruction, kl;       /* its parts */
    double log_likelihood, log_likelihood_se; /* importance-weighted mean log p(x); of the mean, over images */
    double sampling_se;              /* of log_likelihood by the samples alone, as far as these show it; NaN for one sample */
    double effective_samples;        /* mean of (sum w)^2 / sum w^2 over images, 1 to samples. Near 1 one weight is all, and
                                        log_likelihood too low by more than sampling_se tells */
    lam_counts counts;
} lam_vae_scores;
/* Scores images [n, height * width], grey levels as in the files (inverted already where invert says so); they become binary
 * as in validation, image i by numbers[i] (numbers NULL: i). samples 0: one draw of z an image; else
 *     log p(x) ~ log 1/S sum_s p(x|z_s) p(z_s) |det| / q(z_0s|x)      (Burda, Grosse and Salakhutdinov 2016, (8))
 * with S samples, in a stream: memory does not grow with S. each [n], or NULL, receives every image's: the bound, or with samples
 * log p(x), nats. options as for lam_log_prob, comm too (each process does a share of every batch); batch_rows 0: the fit's. */
LAM_API lam_status lam_vae_score(const lam_vae *model, const lam_eval_options *options, const unsigned char *pixels,
    const size_t *numbers, size_t n, size_t samples, double *each, lam_vae_scores *out);

/* Codes: z_K [n, latent] of images, N(0, I) under the prior; of the encoder's mean, or (draw 1) of one draw of z_0 by options->seed. */
LAM_API lam_status lam_vae_encode(const lam_vae *model, const lam_eval_options *options, const unsigned char *pixels,
    const size_t *numbers, size_t n, int draw, double *z);
/* Means of the pixels, out [n, height * width] from 0 to 1, as the model sees images (invert: inverted). decode: of codes z
 * [n, latent], LAM_ERR_DATA if one is not finite. reconstruct: of images, through one draw by options->seed. sample: z from
 * N(0, I), row i depending on (seed, i). interpolate: n steps from the first to the second of two images pixels [2, height * width]
 * on the straight line between their codes (lam_vae_encode, draw 0), both ends included. */
LAM_API lam_status lam_vae_decode(const lam_vae *model, const lam_eval_options *options, const double *z, size_t n, double *out);
LAM_API lam_status lam_vae_reconstruct(const lam_vae *model, const lam_eval_options *options, const unsigned char *pixels,
    const size_t *numbers, size_t n, double *out);
LAM_API lam_status lam_vae_sample(const lam_vae *model, const lam_eval_options *options, uint64_t seed, size_t n, double *out);
LAM_API lam_status lam_vae_interpolate(const lam_vae *model, const lam_eval_options *options, const unsigned char *pixels,
    const size_t *numbers, size_t n, double *out);

/* Images side by side, as one PNG. */
typedef struct lam_image_grid {
    size_t rows, columns;       /* places */
    size_t height, width;       /* of an image */
    const unsigned char *bytes; /* [n, height, width] 0 (black) to 255, row by row of the grid; or else */
    const double *reals;        /* the same from 0 to 1; what lies outside is cut to it */
    size_t n;                   /* images, at most rows * columns; places past them stay empty */
    size_t gap;                 /* empty pixels around and between images, after scaling */
    size_t scale;               /* every pixel becomes scale x scale; 0: 1 */
    size_t lead_columns, lead_rows; /* so many are set apart by a gap four times as wide (data | reconstructions); 0: none */
} lam_image_grid;

/* Writes the grid to path as an 8-bit grey PNG, atomically. LAM_ERR_ARGUMENT: nothing to draw, more images than places,
 * larger than 2^28 pixels; LAM_ERR_DATA: a NaN, with its image and pixel; LAM_ERR_UNSUPPORTED: a build without libpng. */
LAM_API lam_status lam_image_grid_write(const lam_image_grid *grid, const char *path);

#ifdef __cplusplus
}
#endif
#endif
