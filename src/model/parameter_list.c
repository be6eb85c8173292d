/* Values that are lists of columns. */
#include "base/error.h"
#include "base/names.h"
#include "base/number.h"
#include "base/utf8.h"
#include "model/parameters.h"
#include <string.h>

/* "auto", or "COL:a": a name or number, the last colon, a number of at least 0 (0: this column stays as it is, and is not warned about). */
static int is_noise_item(const char *item)
{
    const char *colon = strrchr(item, ':');
    double a;
    return strcmp(item, "auto") == 0 || (colon != NULL && colon > item && lam_number_read(colon + 1, &a) == 0 && a >= 0);
}

lam_status lam_param_check_names(const lam_param *param, const lam_names *names)
{
    const char *name = param->shown.name;
    for (size_t i = 0; i < names->n; i++) {
        const char *item = names->item[i];
        if (!lam_utf8_valid(item))
            return lam_fail(LAM_ERR_ARGUMENT, "%s: the text is not UTF-8; name the columns by number", name);
        if (item[0] == '\0')
            return lam_fail(LAM_ERR_ARGUMENT, "%s: item %zu is empty; write %s", name, i + 1, param->shown.values);
        if (param->kind == LAM_PARAM_NOISE && !is_noise_item(item))
            return lam_fail(LAM_ERR_ARGUMENT, "%s: \"%.60s\" is neither auto nor COL:a with a column's name or number and a number a of at least 0",
                name, item);
    }
    return LAM_OK;
}

lam_status lam_param_set_names(const lam_param *param, lam_names *names, const char *text)
{
    lam_names read;
    LAM_TRY(lam_names_parse(param->shown.name, text, &read));
    lam_status status = lam_param_check_names(param, &read);
    if (status != LAM_OK) {
        lam_names_clear(&read);
        return status;
    }
    lam_names_clear(names);
    *names = read;
    return LAM_OK;
}
