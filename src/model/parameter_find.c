/* A parameter by its name, and the nearest one to a name that is none. */
#include "base/error.h"
#include "model/parameters.h"
#include <string.h>

/* What other programs of this field call some of them: not accepted, but the right name is suggested. */
static const char *const elsewhere[][2] = {
    { "learning-rate", "lr" }, { "hidden", "dims" }, { "hidden-dims", "dims" }, { "activation", "nonlinearity" },
    { "num-blocks", "blocks" }, { "layer-type", "layer" }, { "time-length", "time" }, { "max-grad-norm", "clip" },
    { "niters", "iterations" }, { "tolerance", "atol" }, { "poly-coef", "tpr-coefficient" },
    { "poly-num-sample", "tpr-times" }, { "poly-order", "tpr-degree" }, { "kinetic-energy", "kinetic-coefficient" },
    { "jacobian-norm2", "jacobian-coefficient" }, { "frobenius", "jacobian-coefficient" }, { "time-limit", "budget" },
    { "max-time", "budget" }, { "timeout", "budget" },
};

/* What earlier versions called some of them: still accepted. */
static const char *const older[][2] = { { "max-seconds", "budget" } };

/* '-' and '_' are one character in names: batch_size is batch-size. */
static char plain(char c)
{
    return c == '_' ? '-' : c;
}

static int is_name(const char *name, const char *known)
{
    while (*known != '\0' && *known == plain(*name))
        known++, name++;
    return *known == '\0' && *name == '\0';
}

const lam_parameter *lam_parameter_find(const char *name)
{
    const lam_param *param = name != NULL ? lam_param_find(name, NULL) : NULL;
    return param != NULL ? &param->shown : NULL;
}

const lam_param *lam_param_find(const char *name, size_t *index)
{
    for (size_t i = 0; i < sizeof older / sizeof older[0]; i++)
        name = is_name(name, older[i][0]) ? older[i][1] : name;
    const lam_param *param;
    for (size_t i = 0; (param = lam_param_at(i)) != NULL; i++)
        if (is_name(name, param->shown.name)) {
            if (index != NULL)
                *index = i;
            return param;
        }
    return NULL;
}

enum { LONGEST = 40 }; /* longer names are near to none */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t lam_name_distance(const char *a, const char *b)
{
    size_t rows[3][LONGEST + 1], n = strlen(b);
    if (n > LONGEST || strlen(a) > LONGEST)
        return SIZE_MAX;
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    memset(rows, 0, sizeof rows);
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t *oldest = before;
        before = above, above = row, row = oldest;
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            char x = plain(a[i - 1]), y = plain(b[j - 1]);
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == plain(b[j - 2]) && plain(a[i - 2]) == y)
                row[j] = least(row[j], before[j - 2] + 1);
        }
    }
    return row[n];
}

/* "batch" begins "batch-size": the rest was forgotten. */
static int is_beginning(const char *name, const char *known)
{
    size_t n = strlen(name);
    if (n < 3 || strlen(known) <= n || known[n] != '-')
        return 0;
    for (size_t i = 0; i < n; i++)
        if (plain(name[i]) != known[i])
            return 0;
    return 1;
}

/* 1, and it is the best now: nearer than what there is, or as near as may be where there is nothing. */
static int is_nearer(size_t distance, const char *nearest, size_t *best)
{
    if (distance > *best || (distance == *best && nearest != NULL))
        return 0;
    *best = distance;
    return 1;
}

const char *lam_parameter_nearest(const char *name)
{
    size_t length = name == NULL ? 0 : strlen(name);
    if (length == 0 || length > LONGEST)
        return NULL;
    const char *nearest = NULL;
    size_t best = 1 + length / 5; /* one slip in a short name, more in a long one */
    const lam_param *param;
    for (size_t i = 0; (param = lam_param_at(i)) != NULL; i++) {
        const char *known = param->shown.name;
        if (is_nearer(is_beginning(name, known) ? 1 : lam_name_distance(name, known), nearest, &best))
            nearest = known;
    }
    for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++)
        if (is_nearer(lam_name_distance(name, elsewhere[i][0]), nearest, &best))
            nearest = elsewhere[i][1];
    return nearest;
}

lam_status lam_param_unknown(const char *name)
{
    const char *nearest = lam_parameter_nearest(name);
    if (nearest != NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "unknown parameter \"%.60s\"; did you mean \"%s\"?", name, nearest);
    return lam_fail(LAM_ERR_ARGUMENT, "unknown parameter \"%.60s\"; all are listed by \"laminar fit --help\"", name);
}
