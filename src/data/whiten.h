/* Whitening (method.md 16) by the mean and covariance of a model's columns behind their maps. Of u, what moves in a row, the flow sees
 * z = L^-1 (u - E[u | what is given]) with L L' the covariance of u given that: standard normal where the data are Gaussian, whatever moves
 * and whatever is given. NULL in place of a whitening changes nothing. */
#ifndef LAM_DATA_WHITEN_H
#define LAM_DATA_WHITEN_H
#include "data/maps.h"

enum { LAM_MOST_WHITENED = 128 }; /* columns: a row with roles of its own takes dim^3 / 6 multiplications */

typedef struct lam_whitening {
    size_t dim;
    double *mean;       /* [dim]; 0 of a column of texts */
    double *covariance; /* [dim, dim]; a column of texts has variance 1 and nothing beside it */
} lam_whitening;

/* Of training rows x [n, dim] behind their maps, missing cells NaN: the maximum likelihood under missing at random, by the EM algorithm
 * (Dempster, Laird and Rubin 1977, section 4.1.3), with dim min(1, dim / n) rows of independent columns added, which bound the inverse where columns
 * are functions of others. levels [dim]: above 0 in a column of texts. Free with lam_whitening_free. */
lam_status lam_whitening_fit(const double *x, size_t n, size_t dim, const size_t *levels, lam_whitening **out);
/* The same of rows none of whose cells is missing or text, in one reading of them, piece by piece: x as they are before the maps (NULL: none). */
lam_status lam_whitening_fit_whole(const double *x, size_t n, size_t dim, const lam_maps *maps, lam_whitening **out);
/* And of the moments of n such rows: mean [dim], the lower triangle of covariance [dim, dim]. */
lam_status lam_whitening_of(size_t n, size_t dim, const double *mean, const double *covariance, lam_whitening **out);
lam_status lam_whitening_create(size_t dim, lam_whitening **out); /* all zeros */
lam_status lam_whitening_copy(const lam_whitening *whitening, lam_whitening **out); /* of NULL: NULL */
void lam_whitening_free(lam_whitening *whitening);
/* 1: numbers are finite, and the covariance is symmetric and positive definite. LAM_ERR_MEMORY is the one failure. */
lam_status lam_whitening_is_sound(const lam_whitening *whitening, int *sound);

/* What one thread whitens with: the factor of the last row's roles is kept, as rows often share them. */
typedef struct lam_whitener lam_whitener;
/* Borrows whitening and levels. Of NULL: NULL. Free with lam_whitener_free, which takes NULL. */
lam_status lam_whitener_create(const lam_whitening *whitening, const size_t *levels, lam_whitener **out);
void lam_whitener_free(lam_whitener *whitener);

/* [dim] room for a row. */
double *lam_whitener_row(lam_whitener *whitener);
/* A row u [dim] behind its maps, whose roles [dim] are lam_role: what moves is replaced by its z; back again what moves is a z and is replaced
 * by its u. Returns log |dz/du|, nats, in either direction. */
double lam_whiten(lam_whitener *whitener, const unsigned char *roles, double *u);
double lam_unwhiten(lam_whitener *whitener, const unsigned char *roles, double *u);

#endif
