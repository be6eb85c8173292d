/* The columns of a table without its rows. */
#include "base/error.h"
#include "data/levels.h"
#include "data/table.h"
#include <string.h>

lam_status lam_table_form(const lam_table *like, lam_table **out)
{
    LAM_TRY(lam_table_empty(like->cols, out));
    lam_status status = lam_levels_copy(like->levels, like->cols, &(*out)->levels);
    for (size_t j = 0; j < like->cols && status == LAM_OK; j++)
        status = lam_table_rename(*out, j, like->names[j]);
    memcpy((*out)->numbers, like->numbers, like->cols * sizeof *like->numbers);
    (*out)->has_names = like->has_names;
    (*out)->from_zero = like->from_zero;
    if (status != LAM_OK) {
        lam_table_free(*out);
        *out = NULL;
    }
    return status;
}
