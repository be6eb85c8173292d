/* Any bytes as a PNG picture: refused with a text, or grey pixels that resizing neither darkens nor brightens.
 * Build: clang -fsanitize=fuzzer,address,undefined. */
#include "base/error.h"
#include "base/mem.h"
#include "data/image_formats.h"
#include "laminar/vae.h"
#include "laminar/plot.h"
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
    unsigned char small[5 * 3], large[9 * 9];
    lam_picture p;
    lam_fail(LAM_OK, "%s", "");
    if (lam_png_read("fuzz", data, size, &p) != LAM_OK) {
        require(p.pixels == NULL && lam_last_error()[0] != '\0');
        return 0;
    }
    require(p.height > 0 && p.width > 0 && p.height <= LAM_IMAGE_SIDE && p.width <= LAM_IMAGE_SIDE);
    lam_image_resize(p.pixels, p.height, p.width, small, 5, 3);
    lam_image_resize(p.pixels, p.height, p.width, large, 9, 9);
    double all = mean(p.pixels, p.height * p.width); /* each is rounded by half at most */
    require(fabs(all - mean(small, 15)) <= 0.5 + 1e-9 && fabs(all - mean(large, 81)) <= 0.5 + 1e-9);
    lam_picture_clear(&p);
    return 0;
}
