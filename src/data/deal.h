/* Rows of a long file in another order, by one reading of it however little of it memory holds. */
#ifndef LAM_DATA_DEAL_H
#define LAM_DATA_DEAL_H
#include "laminar.h"

enum { LAM_DEAL_PIECE = 65536 /* rows of `out`, which memory should hold, and of the file that are looked at together */ };

/* Rows index[i], i < n, no two of them the same, to out [n, cols], each to the piece of LAM_DEAL_PIECE rows that it belongs to, but in every piece in the
 * order of the table: each piece is written from its front to its back while the table is read. What it takes down meanwhile, 8 bytes a row, is in
 * files of `folder` (NULL: memory). */
lam_status lam_deal(const lam_table *table, const size_t *index, size_t n, const char *folder, double *out);
/* The rows of one piece, index[i], i < n, come into their order. */
lam_status lam_deal_settle(const size_t *index, size_t n, size_t cols, double *piece);

#endif
