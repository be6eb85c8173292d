/* Rows that training and another part have in common. */
#ifndef LAM_DATA_REPEATS_H
#define LAM_DATA_REPEATS_H
#include "data/dataset.h"

/* Rows of the test part or, where there is none, of the validation part that are equal to a training row, to the last bit: those of the part are noted (of more
 * than 131,072 so many, evenly spread), and the training rows x [n, dim] looked up, piece by piece. Borrows data. Free with lam_repeats_free, which takes NULL. */
typedef struct lam_repeats lam_repeats;
lam_status lam_repeats_begin(const lam_dataset *data, lam_repeats **out);
void lam_repeats_look(lam_repeats *repeats, const double *x, size_t n);
void lam_repeats_free(lam_repeats *repeats);
/* Says of that part that a hundredth of its rows or more are training rows too, which have all been looked up: their NLL is then too good. Nothing where a
 * column gets noise: few values repeat by nature, and noise sets such rows apart. repeats NULL: nobody asked. one_table 1: the parts were split off one table. */
lam_status lam_advise_repeats(const lam_dataset *data, const lam_repeats *repeats, int one_table, const lam_log *log);

#endif
