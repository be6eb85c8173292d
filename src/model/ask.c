/* Which cells of rows are given and which are asked for. */
#include "base/error.h"
#include "base/mem.h"
#include "base/need.h"
#include "data/columns.h"
#include "model/pass.h"
#include <math.h>
#include <string.h>

static lam_source source_of(const lam_model *model)
{
    const lam_wanted own = lam_model_wanted(model);
    return (lam_source) { "the model", own.names.item, NULL, own.names.n, 1, 0 };
}

/* Gives the columns of a list a role; one that has it or another from a list already (seen) is refused. */
static lam_status assign(const lam_source *source, const lam_names *list, const char *what, lam_role role, unsigned char *roles,
    unsigned char *seen)
{
    for (size_t i = 0; list != NULL && i < list->n; i++) {
        const char *item = list->item[i];
        size_t column;
        LAM_TRY(lam_columns_find(source, item, strlen(item), &column));
        if (seen[column])
            return lam_fail(LAM_ERR_ARGUMENT, "%s: column \"%.60s\" is named twice", what, item);
        seen[column] = 1;
        roles[column] = (unsigned char)role;
    }
    return LAM_OK;
}

static lam_status fixed_split(const lam_model *model, size_t column, lam_role asked)
{
    const char *name = lam_model_column(model, column);
    if (lam_model_given_count(model) == 0)
        return lam_fail(LAM_ERR_ARGUMENT, "this model is of all its columns together, and %.100s cannot be %s; a fit with --any-given answers "
            "that, one with --given for a fixed choice", name, asked == LAM_GIVEN ? "given" : "left out");
    return lam_fail(LAM_ERR_ARGUMENT, "this model was fitted with the column %.100s %s, which cannot be changed; a fit with --any-given takes any",
        name, lam_model_role(model, column) == LAM_GIVEN ? "given" : "not given");
}

/* Of a column that no list names. One that never moves is given where others would move. */
static lam_role usual_role(const lam_model *model, size_t column, int asks, lam_role rest)
{
    lam_role own = lam_model_role(model, column);
    if (!lam_model_any_given(model) || !asks)
        return own;
    return rest == LAM_MOVING ? own : rest;
}

static lam_status never_moves(const lam_model *model, size_t column)
{
    const char *name = lam_model_column(model, column);
    if (lam_model_levels(model, column).n > 0)
        return lam_fail(LAM_ERR_ARGUMENT, "the column %.100s is text, which has no density; it can be given", name);
    return lam_fail(LAM_ERR_ARGUMENT, "the column %.100s was named in given at the fit, so this model has no density of it; it can be given", name);
}

lam_status lam_model_roles(const lam_model *model, const lam_names *of, const lam_names *given, lam_role rest, unsigned char *roles)
{
    LAM_NEED(model, "model");
    LAM_NEED(roles, "roles");
    const lam_source source = source_of(model);
    unsigned char *seen = lam_alloc(source.n, 1);
    int any = lam_model_any_given(model), asks = of != NULL && of->n > 0;
    if (seen == NULL)
        return LAM_ERR_MEMORY;
    for (size_t j = 0; j < source.n; j++)
        roles[j] = (unsigned char)usual_role(model, j, asks, rest);
    lam_status status = assign(&source, of, "of", LAM_MOVING, roles, seen);
    if (status == LAM_OK)
        status = assign(&source, given, "given", LAM_GIVEN, roles, seen);
    for (size_t j = 0; j < source.n && status == LAM_OK && !any; j++) {
        lam_role own = lam_model_role(model, j), asked = asks && !seen[j] && own == LAM_MOVING ? rest : (lam_role)roles[j];
        if (asked != own)
            status = fixed_split(model, j, asked);
    }
    for (size_t j = 0; j < source.n && status == LAM_OK && any; j++)
        if (roles[j] == LAM_MOVING && lam_model_role(model, j) != LAM_MOVING)
            status = never_moves(model, j);
    lam_free(seen);
    return status;
}

lam_status lam_roles_of_rows(const lam_model *model, const unsigned char *roles, int fills, const double *x, size_t n, unsigned char *out)
{
    LAM_NEED(model, "model");
    LAM_NEED(roles, "roles");
    LAM_NEED_IF(n > 0, x, "x");
    LAM_NEED_IF(n > 0, out, "out");
    size_t dim = lam_model_dim(model);
    for (size_t i = 0; i < n; i++) {
        size_t moving = 0;
        for (size_t j = 0; j < dim; j++) {
            int missing = isnan(x[i * dim + j]);
            int fixed = lam_model_role(model, j) == LAM_GIVEN && !lam_model_any_given(model); /* whose missing cell an evaluation tells of */
            lam_role role = fills ? (missing ? LAM_MOVING : LAM_GIVEN) : missing && !fixed ? LAM_ABSENT : (lam_role)roles[j];
            int never = lam_model_role(model, j) != LAM_MOVING; /* text, for one, has no density */
            int unknown = roles[j] == LAM_ABSENT || (fills && missing && never);
            out[i * dim + j] = (unsigned char)(unknown ? LAM_ABSENT : role);
            moving += out[i * dim + j] == LAM_MOVING;
        }
        if (moving == 0 && !fills)
            return lam_fail_nothing_asked(i);
    }
    return LAM_OK;
}
