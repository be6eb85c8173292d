/* Any bytes as a file of images (idx, npy, pickle, zip of PNG): images of one size, or an error with a text. What is read
 * with a size asked for has that size, and inverted it is its negative. The first byte chooses the options.
 * Build: clang -fsanitize=fuzzer,address,undefined. */
#include "base/error.h"
#include "check_images.h"
#include "laminar/vae.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t sides[8][2] = { { 0, 0 }, { 2, 2 }, { 2, 3 }, { 28, 28 }, { 28, 20 }, { 1, 7 }, { 3, 0 }, { 4, 4 } };
    if (size == 0)
        return 0;
    const size_t *side = sides[data[0] & 7];
    lam_images_options options = { .height = side[0], .width = side[1] };
    lam_images images, negative;
    lam_fail(LAM_OK, "%s", "");
    lam_status status = lam_images_read_memory("fuzz", data + 1, size - 1, &options, &images);
    options.invert = 1;
    require(lam_images_read_memory("fuzz", data + 1, size - 1, &options, &negative) == status);
    if (status == LAM_OK) {
        require(side[0] == 0 || (images.height == side[0] && images.width == side[1]));
        require(negative.n == images.n && negative.binary == images.binary);
        for (size_t i = 0; i < images.n * images.height * images.width; i++)
            require(images.pixels[i] + negative.pixels[i] == 255);
    }
    check_images(status, &images);
    check_images(status, &negative);
    return 0;
}
