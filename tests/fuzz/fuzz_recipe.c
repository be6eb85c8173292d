/* Any bytes as a raw file of a recipe: either finite rows with a split, or an error with a text. The first byte chooses the
 * recipe; of two files the second is what stands behind a form feed. Build: clang -fsanitize=fuzzer,address,undefined. */
#define _GNU_SOURCE /* memfd_create */
#include "base/error.h"
#include "data/recipe.h"
#include "laminar/recipe.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int truth)
{
    if (!truth)
        abort();
}

/* A file in memory and a path to it. */
static int file_of(const uint8_t *data, size_t size, char path[64])
{
    int fd = memfd_create("fuzz", 0);
    require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

static void check_rows(const lam_recipe_job *job)
{
    const lam_table *t = job->table;
    require(t != NULL && t->cols > 0 && job->rows[0] > 0 && job->rows[1] > 0 && job->rows[2] > 0);
    require(job->rows[0] + job->rows[1] + job->rows[2] == t->rows && t->rows <= job->read);
    for (size_t i = 0; i < t->rows * t->cols; i++)
        require(isfinite(t->values[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[4] = { "power", "gas", "hepmass", "miniboone" };
    char paths[2][64];
    const char *const files[2] = { paths[0], paths[1] };
    lam_recipe_options options = { .seed = 1 };
    if (size == 0)
        return 0;
    lam_recipe_job job = { .rule = lam_recipe_rule_find(names[data[0] & 3]), .options = &options };
    size_t n = (data[0] & 3) == 2 ? 2 : 1;
    const uint8_t *second = n == 2 ? memchr(data + 1, '\f', size - 1) : NULL, *end = data + size;
    second = second == NULL ? end : second;
    int a = file_of(data + 1, (size_t)(second - data) - 1, paths[0]);
    int b = file_of(second, (size_t)(end - second), paths[1]);
    lam_fail(LAM_OK, "%s", "");
    lam_status status = lam_recipe_make(&job, files, n);
    if (status == LAM_OK)
        check_rows(&job);
    else
        require(lam_last_error()[0] != '\0');
    lam_recipe_clear(&job);
    close(a), close(b);
    return 0;
}
