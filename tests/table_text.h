/* Tables read from text of the test's own. Include after cmocka.h. */
#ifndef LAM_TESTS_TABLE_TEXT_H
#define LAM_TESTS_TABLE_TEXT_H
#include "data/table.h"
#include <string.h>

static inline lam_status read_with(const char *text, const lam_read_options *options, lam_table **out)
{
    return lam_table_read_memory("data.csv", text, strlen(text), NULL, options, out);
}

static inline lam_table *read_text(const char *text, const lam_read_options *options)
{
    lam_table *table = NULL;
    if (read_with(text, options, &table) != LAM_OK)
        fail_msg("%s", lam_last_error());
    return table;
}

#endif
