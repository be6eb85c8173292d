/* Any bytes as a MATLAB file: images of one size, or an error with a text. The library that reads it wants a path, so the
 * bytes lie in a file without a name. The first byte chooses the options. Build: clang -fsanitize=fuzzer,address,undefined. */
#define _GNU_SOURCE /* memfd_create */
#include "base/error.h"
#include "check_images.h"
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const arrays[4] = { NULL, "X", "testdata", "Y" };
    char path[64];
    lam_images images;
    if (size == 0)
        return 0;
    lam_images_options options = { .array = arrays[data[0] & 3], .height = data[0] & 4 ? 3 : 0, .width = data[0] & 4 ? 2 : 0 };
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    require(fd >= 0 && write(fd, data + 1, size - 1) == (ssize_t)(size - 1));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    lam_fail(LAM_OK, "%s", "");
    check_images(lam_images_read(path, &options, &images), &images);
    close(fd);
    return 0;
}
