/* Sets of images: the reader behind lam_images_read. */
#ifndef LAM_DATA_IMAGES_H
#define LAM_DATA_IMAGES_H
#include "laminar/vae.h"

/* The same of a file in memory; name opens the messages. */
lam_status lam_images_read_memory(const char *name, const void *bytes, size_t size, const lam_images_options *options,
    lam_images *out);

#endif
