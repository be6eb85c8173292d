/* Any bytes as a PNG picture: refused with a text, or grey pixels that averaging to fewer neither darkens nor brightens.
 * Build: clang -fsanitize=fuzzer,address,undefined. */
#include "base/error.h"
#include "base/mem.h"
#include "data/image_formats.h"
#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth)
{
    if (!truth)
        abort();
}

static double mean(const unsigned char *pixels, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += pixels[i];
    return sum / (double)n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char *pixels, small[5 * 3];
    size_t height, width;
    lam_fail(LAM_OK, "%s", "");
    if (lam_png_grey("fuzz", data, size, &pixels, &height, &width) != LAM_OK) {
        require(pixels == NULL && lam_last_error()[0] != '\0');
        return 0;
    }
    require(height > 0 && width > 0 && height <= LAM_IMAGE_SIDE && width <= LAM_IMAGE_SIDE);
    lam_image_shrink(pixels, height, width, small, 5, 3);
    require(fabs(mean(pixels, height * width) - mean(small, 15)) <= 0.5 + 1e-9); /* each is rounded by half at most */
    lam_free(pixels);
    return 0;
}
