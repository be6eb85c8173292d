/* Lists of names of columns (lam_names), and their text: "a,b", an item with a comma in it in double quotes, as in a csv file. */
#ifndef LAM_BASE_NAMES_H
#define LAM_BASE_NAMES_H
#include "laminar.h"

/* Reads text into *out, which is empty before: items between commas, blanks around them left out. An item in double quotes is taken
 * as it stands, a doubled quote in it as one; what follows the quotes ("a,b":0.5) is part of it. what opens the messages.
 * LAM_ERR_ARGUMENT: an empty item, a quote that is not closed. */
lam_status lam_names_parse(const char *what, const char *text, lam_names *out);
/* The text of names, which lam_names_parse reads back; free with free(). NULL, with the failure recorded, without memory. */
char *lam_names_print(const lam_names *names);
/* A copy of items [n], in one piece of memory. */
lam_status lam_names_copy(const char *const *items, size_t n, lam_names *out);
int lam_names_equal(const lam_names *a, const lam_names *b);
void lam_names_clear(lam_names *names); /* one that was parsed or copied, or an empty one */

#endif
