/* Fits a variational auto-encoder to a file of images, its posterior a flow with trajectory polynomial regularisation, and draws
 * from it. Prints the bound on the test images; writes 64 samples as one picture.
 *
 *     example_fit_images IMAGES [FILE.png]        idx (MNIST's format), .mat, pickle, zip of PNG or .npy
 */
#include <laminar/vae.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { DRAWS = 64, SIDE = 8 };

static int failed(void)
{
    fprintf(stderr, "fit_images: %s\n", lam_last_error());
    return EXIT_FAILURE;
}

static int use(const lam_vae *model, const lam_fit_result *result, const char *path)
{
    lam_image_grid grid = { .rows = SIDE, .columns = SIDE, .n = DRAWS, .gap = 2, .scale = 2 };
    lam_vae_image_size(model, &grid.height, &grid.width);
    double pixels = (double)(grid.height * grid.width), *out = calloc(DRAWS * grid.height * grid.width, sizeof *out);
    grid.reals = out;
    printf("negative ELBO of the test images %.2f nats, %.3f bits per pixel\n", result->test_nll, result->test_nll / pixels / log(2.0));
    int bad = out == NULL || lam_vae_sample(model, NULL, 1, DRAWS, out) || lam_image_grid_write(&grid, path);
    free(out);
    return bad ? failed() : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    lam_config *cfg = NULL;
    lam_images images = { 0 };
    lam_image_data *data = NULL;
    lam_vae *model = NULL;
    lam_fit_result result;
    if (argc < 2)
        return fprintf(stderr, "usage: example_fit_images IMAGES [FILE.png]\n"), EXIT_FAILURE;
    int bad = lam_config_create("{model: vae, tpr: true, latent: 16, batch-size: 100, epochs: 2, warmup: 1}", &cfg)
        || lam_images_read(argv[1], NULL, &images) || lam_image_data_build(cfg, &images, NULL, NULL, &data)
        || lam_vae_fit(cfg, data, NULL, &model, &result);
    int code = bad ? failed() : use(model, &result, argc > 2 ? argv[2] : "samples.png");
    lam_vae_free(model), lam_image_data_free(data), lam_images_free(&images), lam_config_free(cfg);
    return code;
}
