/* Two configurations beside each other: what differs, and what one leaves for the other to say. */
#include "base/error.h"
#include "base/names.h"
#include "model/parameters.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A value as text for a message; a list of columns may be longer than room, which then holds its beginning. */
static lam_status view(const lam_param *param, const lam_config *cfg, char *room, size_t size)
{
    const lam_names *names = lam_param_names_of(param, cfg);
    char *text = names != NULL ? lam_names_print(names) : NULL;
    if (names == NULL)
        LAM_TRY(lam_param_get(param, cfg, room, size));
    else if (text == NULL)
        return LAM_ERR_MEMORY;
    else
        snprintf(room, size, "%s", text);
    free(text);
    if (room[0] == '\0')
        snprintf(room, size, "not set");
    return LAM_OK;
}

/* lam_config_resolve may choose it. */
static int may_be_auto(const lam_param *param)
{
    return param->automatic || param->kind == LAM_PARAM_DIMS || param->kind == LAM_PARAM_START || param->kind == LAM_PARAM_MAP;
}

lam_status lam_param_settle(lam_config *cfg, const lam_config *from)
{
    const lam_param *param;
    for (size_t i = 0; (param = lam_param_at(i)) != NULL; i++) {
        char value[LAM_MAX_HIDDEN * 21 + 1];
        if (!may_be_auto(param))
            continue;
        LAM_TRY(lam_param_get(param, cfg, value, sizeof value));
        if (strcmp(value, "auto") != 0)
            continue;
        LAM_TRY(lam_param_get(param, from, value, sizeof value));
        LAM_TRY(lam_param_set(param, cfg, value));
    }
    return LAM_OK;
}

lam_status lam_param_difference(const lam_config *a, const lam_config *b, unsigned marks, int but_idle, lam_difference *out)
{
    const lam_param *param;
    out->param = NULL;
    for (size_t i = 0; (param = lam_param_at(i)) != NULL; i++) {
        if ((param->marks & marks) != 0 || (but_idle && param->idle != NULL && param->idle(a) && param->idle(b)))
            continue;
        const lam_names *names = lam_param_names_of(param, a);
        LAM_TRY(view(param, a, out->a, sizeof out->a));
        LAM_TRY(view(param, b, out->b, sizeof out->b));
        if (may_be_auto(param) && (strcmp(out->a, "auto") == 0 || strcmp(out->b, "auto") == 0))
            continue;
        if (names != NULL ? !lam_names_equal(names, lam_param_names_of(param, b)) : strcmp(out->a, out->b) != 0) {
            out->param = param;
            return LAM_OK;
        }
    }
    return LAM_OK;
}
