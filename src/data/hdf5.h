/* 2-D datasets of an HDF5 file. The library behind it is opened at the first use, not when the program starts: it leads to
 * curl and OpenSSL, which would cost every command several milliseconds. */
#ifndef LAM_DATA_HDF5_H
#define LAM_DATA_HDF5_H
#include "laminar.h"

typedef struct lam_hdf5 lam_hdf5;

/* path is borrowed. LAM_ERR_IO: not readable; LAM_ERR_FORMAT: no HDF5 file; LAM_ERR_UNSUPPORTED: a build without HDF5, or the
 * library is not there, with the package to install. */
lam_status lam_hdf5_open(const char *path, lam_hdf5 **out);
/* Makes the dataset name, of two dimensions and of floats or doubles, the one that is read. LAM_ERR_FORMAT: there is none such. */
lam_status lam_hdf5_select(lam_hdf5 *file, const char *name, size_t *rows, size_t *cols);
/* Rows first to first + n - 1 of it into values [n, cols]. */
lam_status lam_hdf5_rows(lam_hdf5 *file, size_t first, size_t n, double *values);
void lam_hdf5_close(lam_hdf5 *file); /* takes NULL */

#endif
