/* A pass over images, or over z, with a fitted auto-encoder, batch by batch: what it holds while it runs. */
#ifndef LAM_VAE_PASS_H
#define LAM_VAE_PASS_H
#define LAM_WIDTH 32
#include "vae/elbo.h"
#include "vae/vae.h"

typedef struct lam_vae_pass {
    const lam_vae *model;
    lam_eval_options options;
    lam_config cfg;      /* the model's, with the options' tolerances and instruction set; strings are borrowed */
    size_t batch, size;  /* rows of a batch; pixels of an image */
    lam_pool *pool;
    lam_elbo_f32 *elbo;
    lam_elbo_call_f32 call;
    unsigned char *pixels; /* [batch, size] */
    double *row, *z;       /* [batch] log-weights; [batch, latent] */
    float *logits;         /* [batch, size, 1 or 256] */
    double *h_star;        /* [blocks] */
} lam_vae_pass;

/* options may be NULL; their comm is not looked at, but given: ranks that make the same pass, or NULL. rows: as many as there will be, so that room for more than a batch of them is not taken. Close it in any
 * case. */
lam_status lam_vae_pass_open(lam_vae_pass *pass, const lam_vae *model, const lam_eval_options *options, const lam_comm *comm,
    size_t rows);
void lam_vae_pass_close(lam_vae_pass *pass);
/* Calls progress, on rank 0 alone; LAM_ERR_INTERRUPTED if it says so. */
lam_status lam_vae_pass_tell(const lam_vae_pass *pass, size_t done, size_t total);

/* Rows of the batch that begins at first, of n. */
static inline size_t lam_vae_pass_rows(const lam_vae_pass *pass, size_t first, size_t n)
{
    return n - first < pass->batch ? n - first : pass->batch;
}

/* The numbers of images from first on; NULL: they are their own. */
static inline const size_t *lam_vae_numbers(const size_t *numbers, size_t first)
{
    return numbers != NULL ? numbers + first : NULL;
}

#endif
