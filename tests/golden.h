/* One file of golden vectors, as the runner of each width sees it. */
#ifndef LAM_TESTS_GOLDEN_H
#define LAM_TESTS_GOLDEN_H
#include "data/npy.h"
#include "flow/layout.h"

typedef struct golden {
    const char *file;
    lam_npz *npz;
    lam_config config;
    lam_layout layout;
    size_t rows, dim;
    double *params; /* [layout.parameters] */
    double *x, *e;  /* [rows, dim] */
    int verbose;
    size_t checks, failures;
} golden;

/* Reads an array if the file has it: values to free, or NULL. */
double *golden_array(const golden *g, const char *name, size_t *size);
/* Largest |a - b|. */
double golden_difference(const double *a, const double *b, size_t n);
double golden_largest(const double *a, size_t n);
/* Counts and prints a check: value <= bound. */
void golden_check(golden *g, const char *what, double value, double bound);

void golden_run_f32(golden *g);
void golden_run_f64(golden *g);

#endif
