/* Any bytes as a MATLAB file: images of one size, or an error with a text, which is the same through the one call that finds
 * out what a file is. The first byte chooses the options. Build: clang -fsanitize=fuzzer,address,undefined. */
#include "base/error.h"
#include "check_images.h"
#include "data/image_formats.h"
#include "laminar/vae.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const arrays[4] = { NULL, "X", "testdata", "Y" };
    if (size < 1 + 128 || (data[1 + 126] != 'I' && data[1 + 126] != 'M'))
        return 0;
    lam_images_options options = { .array = arrays[data[0] & 3], .height = data[0] & 4 ? 3 : 0, .width = data[0] & 4 ? 2 : 0 };
    lam_images images = { 0 }, again;
    unsigned char *file = malloc(size - 1); /* of its very size, so that a read past it is seen */
    require(file != NULL);
    memcpy(file, data + 1, size - 1);
    memcpy(file + 126, data[1 + 126] == 'I' ? "IM" : "MI", 2);
    memcpy(file, "MAT", 3); /* so that no other format is seen in it */
    lam_fail(LAM_OK, "%s", "");
    lam_status status = lam_images_mat("fuzz", file, size - 1, &options, &images);
    require(lam_images_read_memory("fuzz", file, size - 1, &options, &again) == status);
    if (status == LAM_OK) {
        require(images.n == again.n && images.height == again.height && images.width == again.width);
        require(memcmp(images.pixels, again.pixels, images.n * images.height * images.width) == 0);
    } else {
        lam_images_free(&images);
    }
    check_images(status, &images);
    check_images(status, &again);
    free(file);
    return 0;
}
