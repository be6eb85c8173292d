/* Hands out images as bits or grey levels. */
#include "vae/data.h"
#include "base/error.h"
#include "base/need.h"
#include "base/mem.h"
#include "data/binarise.h"
#include "data/hash.h"
#include <string.h>

/* How grey becomes binary in an evaluation: as in training, but for what training draws anew. */
static lam_binarise evaluated(const lam_config *cfg)
{
    return cfg->binarise == LAM_BINARISE_FRESH ? LAM_BINARISE_FIXED : cfg->binarise;
}

static void levels(const lam_config *cfg, const lam_binarisation *how, const size_t *number, size_t first, const unsigned char *bytes,
    size_t n, size_t size, unsigned char *pixels)
{
    if (cfg->pixels == LAM_PIXELS_CATEGORICAL)
        memcpy(pixels, bytes, n * size);
    else
        lam_binarise_pixels(how, number, first, bytes, n, size, pixels);
}

void lam_image_data_fill(const lam_image_data *d, const lam_config *cfg, lam_part part, const size_t *index, size_t n,
    uint64_t epoch, unsigned char *pixels)
{
    const lam_binarisation how = { cfg->binarise, cfg->split_seed, epoch };
    size_t size = d->parts.height * d->parts.width;
    for (size_t i = 0; i < n; i++)
        levels(cfg, &how, &d->parts.number[part][index[i]], 0, d->parts.pixels[part] + index[i] * size, 1, size, pixels + i * size);
}

void lam_image_data_range(const lam_image_data *d, const lam_config *cfg, lam_part part, const size_t *index, size_t first, size_t n,
    unsigned char *pixels)
{
    const lam_binarisation how = { evaluated(cfg), cfg->split_seed, 0 };
    size_t size = d->parts.height * d->parts.width;
    const size_t *number = d->parts.number[part];
    const unsigned char *bytes = d->parts.pixels[part];
    if (index == NULL)
        levels(cfg, &how, number + first, 0, bytes + first * size, n, size, pixels);
    for (size_t i = 0; index != NULL && i < n; i++)
        levels(cfg, &how, number + index[i], 0, bytes + index[i] * size, 1, size, pixels + i * size);
}

void lam_image_levels(const lam_config *cfg, const unsigned char *bytes, const size_t *number, size_t first, size_t n,
    size_t size, unsigned char *pixels)
{
    const lam_binarisation how = { evaluated(cfg), cfg->split_seed, 0 };
    levels(cfg, &how, number, first, bytes, n, size, pixels);
}

static void digest(lam_image_data *d)
{
    const lam_image_parts *p = &d->parts;
    const uint64_t sizes[] = { p->height, p->width, p->rows[LAM_TRAIN], p->rows[LAM_VALID], p->rows[LAM_TEST] };
    uint64_t hash[2] = { 0, 0 }, next[2];
    lam_hash128(sizes, sizeof sizes, hash, next);
    for (size_t i = 0; i < LAM_PARTS; i++) {
        memcpy(hash, next, sizeof hash);
        if (p->rows[i] > 0)
            lam_hash128(p->pixels[i], p->rows[i] * p->height * p->width, hash, next);
    }
    lam_hash_text(next, d->hash);
}

/* A tenth of the images where no number is given and no file of its own, of a few images one. */
static size_t share(size_t wanted, const lam_images *all, const lam_images *own)
{
    if (own != NULL)
        return 0; /* all of it */
    return wanted > 0 ? wanted : all->n >= 10 ? all->n / 10 : all->n >= 4 ? 1 : 0;
}

lam_status lam_image_data_build(const lam_config *cfg, const lam_images *all, const lam_images *valid, const lam_images *test,
    lam_image_data **out)
{
    LAM_NEED(out, "out");
    *out = NULL;
    LAM_NEED(cfg, "cfg");
    LAM_NEED(all, "all");
    const lam_images *files[LAM_PARTS] = { all, valid, test };
    lam_image_parts_options options = { .seed = cfg->split_seed };
    options.rows[LAM_VALID] = share(cfg->val_images, all, valid);
    options.rows[LAM_TEST] = share(cfg->test_images, all, test);
    lam_image_data *d = *out = lam_alloc(1, sizeof *d);
    if (d == NULL)
        return LAM_ERR_MEMORY;
    lam_status status = lam_image_parts_make(files, &options, &d->parts);
    if (status != LAM_OK) {
        lam_image_data_free(d);
        *out = NULL;
        return status;
    }
    digest(d);
    return LAM_OK;
}

size_t lam_image_data_rows(const lam_image_data *d, lam_part part)
{
    return d != NULL ? d->parts.rows[part] : 0;
}

void lam_image_data_size(const lam_image_data *d, size_t *height, size_t *width)
{
    if (height != NULL)
        *height = d != NULL ? d->parts.height : 0;
    if (width != NULL)
        *width = d != NULL ? d->parts.width : 0;
}

const unsigned char *lam_image_data_pixels(const lam_image_data *d, lam_part part)
{
    return d != NULL ? d->parts.pixels[part] : NULL;
}

const size_t *lam_image_data_numbers(const lam_image_data *d, lam_part part)
{
    return d != NULL ? d->parts.number[part] : NULL;
}

const char *lam_image_data_hash(const lam_image_data *d)
{
    return d != NULL ? d->hash : NULL;
}

void lam_image_data_free(lam_image_data *d)
{
    if (d == NULL)
        return;
    lam_image_parts_free(&d->parts);
    lam_free(d);
}
