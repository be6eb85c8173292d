/* Sorted values that stand for one row each, or for several. */
#ifndef LAM_BASE_RANKED_H
#define LAM_BASE_RANKED_H
#include "laminar.h"

/* Entries ascend by value. The rows are counted through, from 0: a row's number is its rank. */
typedef struct lam_ranked {
    size_t rows, entries;
    double *value; /* [entries] */
    size_t each;   /* rows that every entry stands for, where upto is NULL */
    size_t *upto;  /* [entries] rows of this entry and of those before it, or NULL */
} lam_ranked;

/* n sorted values, borrowed, of `each` rows each. */
lam_ranked lam_ranked_of(double *sorted, size_t n, size_t each);
size_t lam_ranked_rows(const lam_ranked *of, size_t entry); /* that it stands for */
double lam_ranked_at(const lam_ranked *of, size_t rank);
/* How many rows are below value (or_equal 1: or equal to it). */
size_t lam_ranked_below(const lam_ranked *of, double value, int or_equal);
/* Mean of the rows from rank `from` to before rank `to`, from < to; both are where an entry begins. */
double lam_ranked_mean(const lam_ranked *of, size_t from, size_t to);

/* All of the lists in one, in which no two entries have the same value. Free with lam_ranked_clear. */
lam_status lam_ranked_merge(const lam_ranked *lists, size_t n, lam_ranked *out);
/* Every value v of a list that lam_ranked_merge made becomes (v - mean) / scale, scale > 0, which keeps the order; those that come out equal become one. */
void lam_ranked_standardise(lam_ranked *merged, double mean, double scale);
void lam_ranked_clear(lam_ranked *merged); /* what lam_ranked_merge made, or zeroed */

#endif
