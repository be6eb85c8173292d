/* Files of other programs, which are refused by name: spreadsheets, columnar files, archives, statistics packages. */
#ifndef LAM_DATA_FOREIGN_H
#define LAM_DATA_FOREIGN_H
#include "data/npy.h"
#include "laminar.h"

/* LAM_ERR_FORMAT where the first bytes are those of such a file: what it is, and a command that converts it. name is the file's, or what
 * standard input is called. A zip is not looked at. */
lam_status lam_foreign_check(const char *name, const void *bytes, size_t size);
/* The same of a zip, by the names in it: LAM_OK if there are NumPy's arrays among them, or nothing. */
lam_status lam_foreign_check_zip(const char *name, const lam_npz *zip);

enum { LAM_QUOTED_SIZE = 300 };
/* name as a shell and Python's '...' both take it; FILE in its place where it has quotes, backslashes or too many bytes, or is that of
 * standard input. Returns text. */
const char *lam_foreign_quote(const char *name, char text[LAM_QUOTED_SIZE]);

#endif
