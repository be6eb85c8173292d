/* Any bytes as an idx file: what is read, written as idx by the format's definition, is the file again, byte for byte (but for
 * files of zeros and ones, whose ones become 255). Build: clang -fsanitize=fuzzer,address,undefined. */
#include "base/error.h"
#include "check_images.h"
#include "data/image_formats.h"
#include "laminar/vae.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* the bytes behind the magic are what varies */
    unsigned char *file = malloc(size + 4);
    lam_images images = { 0 };
    require(file != NULL);
    memcpy(file, "\0\0\10\3", 4);
    if (size > 0) {
        memcpy(file + 4, data, size);
        file[3] = data[0] > 0xf0 ? data[0] & 7 : 3;
    }
    lam_fail(LAM_OK, "%s", "");
    lam_status status = lam_images_idx("train-labels-idx1-ubyte", file, size + 4, size > 16 && data[15] == 0xff ? "is cut" : NULL,
        &images);
    if (status == LAM_OK) {
        size_t pixels = images.n * images.height * images.width, sizes[3] = { images.n, images.height, images.width };
        require(size + 4 == 16 + pixels);
        for (size_t d = 0; d < 3; d++)
            for (size_t k = 0; k < 4; k++)
                require(file[4 + 4 * d + k] == (unsigned char)(sizes[d] >> (24 - 8 * k)));
        for (size_t i = 0; i < pixels; i++)
            require(images.pixels[i] == file[16 + i] || (images.binary && file[16 + i] == 1));
    }
    check_images(status, &images);
    free(file);
    return 0;
}
