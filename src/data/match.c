/* Which of a source's columns are taken: those asked for, and of these the ones in which rows are wanted. */
#include "base/error.h"
#include "base/mem.h"
#include "base/need.h"
#include "data/columns.h"
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* ---- columns and drop --------------------------------------------------------------------------------------------- */

/* Marks every column of a list: order[k] is the k-th named, taken[j] counts. */
static lam_status find_all(const lam_source *source, const lam_names *list, unsigned char *taken, size_t *order)
{
    for (size_t k = 0; k < list->n; k++) {
        size_t column = 0;
        LAM_TRY(lam_columns_find(source, list->item[k], strlen(list->item[k]), &column));
        if (taken[column])
            return lam_fail(LAM_ERR_ARGUMENT, "%s: column \"%.60s\" is named twice", source->where, list->item[k]);
        taken[column] = 1;
        order[k] = column;
    }
    return LAM_OK;
}

/* kept [room for source->n] */
static lam_status pick(const lam_source *source, const lam_names *columns, const lam_names *drop, size_t *kept, size_t *n_kept)
{
    size_t n = columns->n > 0 ? columns->n : source->n, most = drop->n > n ? drop->n : n;
    unsigned char *taken = lam_alloc(2 * source->n, 1), *dropped = taken + source->n;
    size_t *order = lam_alloc(most, sizeof *order), *left_out = lam_alloc(most, sizeof *left_out);
    lam_status status = taken == NULL || order == NULL || left_out == NULL ? LAM_ERR_MEMORY : LAM_OK;
    for (size_t k = 0; status == LAM_OK && columns->n == 0 && k < n; k++)
        order[k] = k;
    if (status == LAM_OK && columns->n > 0)
        status = find_all(source, columns, taken, order);
    if (status == LAM_OK)
        status = find_all(source, drop, dropped, left_out);
    *n_kept = 0;
    for (size_t k = 0; status == LAM_OK && k < n; k++)
        if (!dropped[order[k]])
            kept[(*n_kept)++] = order[k];
    if (status == LAM_OK && *n_kept == 0)
        status = lam_fail(LAM_ERR_ARGUMENT, "%s: no column is left of %zu; drop fewer", source->where, source->n);
    lam_free(taken);
    lam_free(order);
    lam_free(left_out);
    return status;
}

/* ---- the columns wanted ------------------------------------------------------------------------------------------- */

static const char MODEL[] = "the model"; /* or a part of it, "the model's z"; "the training table" is none */

static const char *owner(const lam_wanted *like)
{
    return like->owner != NULL ? like->owner : MODEL;
}

int lam_read_for_model(const lam_read_options *options)
{
    return options != NULL && options->like != NULL && strncmp(owner(options->like), MODEL, strlen(MODEL)) == 0;
}

static lam_status twins(const lam_source *source, size_t a, size_t b)
{
    size_t first = lam_column_shown(source, a < b ? a : b), second = lam_column_shown(source, a < b ? b : a);
    return lam_fail(LAM_ERR_FORMAT, "%s: columns %zu and %zu are both named \"%s\"; rename one, or drop one by number (--drop %zu)",
        source->where, first, second, source->names[a], second);
}

/* Two kept columns may not share a name: models and files refer to columns by name. */
static lam_status check_twins(const lam_source *source, const size_t *kept, size_t n)
{
    for (size_t a = 0; source->has_names && a < n; a++)
        for (size_t b = a + 1; b < n; b++)
            if (strcmp(source->names[kept[a]], source->names[kept[b]]) == 0)
                return twins(source, kept[a], kept[b]);
    return LAM_OK;
}

static lam_status wrong_count(const lam_source *source, size_t n, const lam_wanted *like)
{
    char list[LAM_COLUMN_LIST];
    return lam_fail(LAM_ERR_SHAPE, "%s has %zu columns, %s takes %zu%s%s%s%s", source->where, n, owner(like), like->names.n,
        like->has_names ? " (" : "", like->has_names ? lam_columns_list(like->names.item, like->names.n, list) : "",
        like->has_names ? ")" : "", n > like->names.n ? "; leave the others out with --drop" : "");
}

static lam_status missing(const lam_source *source, const size_t *kept, size_t n, const lam_wanted *like, const char *name)
{
    const char *names[LAM_COLUMN_LIST];
    char list[LAM_COLUMN_LIST];
    size_t shown = n < LAM_COLUMN_LIST ? n : LAM_COLUMN_LIST;
    for (size_t k = 0; k < shown; k++)
        names[k] = source->names[kept[k]];
    return lam_fail(LAM_ERR_SHAPE, "%s has no column \"%.200s\", which %s takes; it has %s%s", source->where, name, owner(like),
        lam_columns_list(names, shown, list), n < like->names.n ? "" : "; rename the one that is meant");
}

/* Where name stands among the kept ones; n if it does not. */
static size_t place_of(const lam_source *source, const size_t *kept, size_t n, const char *name)
{
    size_t k = 0;
    while (k < n && strcmp(source->names[kept[k]], name) != 0)
        k++;
    return k;
}

/* found [like->names.n] gets the wanted columns, by their names. */
static lam_status by_name(const lam_source *source, const size_t *kept, size_t n, const lam_wanted *like, size_t *found)
{
    for (size_t j = 0; j < like->names.n; j++) {
        const char *name = like->names.item[j];
        size_t at = place_of(source, kept, n, name), more = at == n ? n : at + 1;
        if (at == n)
            return missing(source, kept, n, like, name);
        found[j] = kept[at];
        at = more + place_of(source, kept + more, n - more, name);
        if (at < n)
            return twins(source, found[j], kept[at]);
    }
    return LAM_OK;
}

/* Columns that were listed, some under names that are not the wanted ones: they stand for these in their order, unless one that has
 * a wanted name stands at another's place. */
static lam_status as_listed(const lam_source *source, const size_t *kept, size_t n, const lam_wanted *like, size_t *found)
{
    if (n != like->names.n)
        return wrong_count(source, n, like);
    for (size_t j = 0; j < n; j++) {
        size_t at = place_of(source, kept, n, like->names.item[j]);
        if (at < n && at != j)
            return lam_fail(LAM_ERR_SHAPE, "%s: column \"%.200s\" is listed for %s's column \"%.200s\"; list the columns in %s's order",
                source->where, like->names.item[j], owner(like), like->names.item[at], owner(like));
        found[j] = kept[j];
    }
    return LAM_OK;
}

static int has_all(const lam_source *source, const size_t *kept, size_t n, const lam_wanted *like)
{
    size_t j = 0;
    while (j < like->names.n && place_of(source, kept, n, like->names.item[j]) < n)
        j++;
    return j == like->names.n;
}

/* One of the two has no names. `found` holds the source's columns kept [n] on success. */
static lam_status by_order(const lam_source *source, const size_t *kept, size_t n, const lam_wanted *like, int asked, size_t *found)
{
    size_t wanted = like->names.n, chosen = 0, in_order = 1;
    size_t *again = lam_alloc(source->n, sizeof *again);
    if (again == NULL)
        return LAM_ERR_MEMORY;
    /* what the fit took of a file without names, this one may be like it */
    int like_the_fit = !asked && (like->columns.n > 0 || like->drop.n > 0)
        && pick(source, &like->columns, &like->drop, again, &chosen) == LAM_OK && chosen == wanted;
    for (size_t j = 0; like_the_fit && j < wanted; j++)
        in_order &= again[j] == j;
    lam_status status = LAM_OK;
    if (like_the_fit && n == wanted && !in_order)
        status = lam_fail(LAM_ERR_SHAPE, "%s has no names to tell its columns by, and %s was fitted to columns in another order than its "
            "file's; say which order these are in by --columns with all their numbers", source->where, owner(like));
    else if (!like_the_fit && n != wanted)
        status = wrong_count(source, n, like);
    for (size_t j = 0; status == LAM_OK && j < wanted; j++)
        found[j] = like_the_fit ? again[j] : kept[j];
    lam_free(again);
    return status;
}

/* The wanted ones of kept [*n], in place. */
static lam_status arrange(const lam_source *source, const lam_read_options *options, size_t **kept, size_t *n)
{
    const lam_wanted *like = options->like;
    size_t *found = lam_alloc(like->names.n, sizeof *found);
    if (found == NULL)
        return LAM_ERR_MEMORY;
    lam_status status;
    if (!source->has_names || !like->has_names)
        status = by_order(source, *kept, *n, like, options->columns.n > 0 || options->drop.n > 0, found);
    else if (options->columns.n > 0 && !has_all(source, *kept, *n, like))
        status = as_listed(source, *kept, *n, like, found);
    else
        status = by_name(source, *kept, *n, like, found);
    if (status != LAM_OK) {
        lam_free(found);
        return status;
    }
    lam_free(*kept);
    *kept = found;
    *n = like->names.n;
    return LAM_OK;
}

lam_status lam_columns_select(const lam_source *source, const lam_read_options *options, size_t **kept, size_t *n)
{
    static const lam_read_options all = { 0 };
    options = options != NULL ? options : &all;
    *kept = lam_alloc(source->n, sizeof **kept);
    if (*kept == NULL)
        return LAM_ERR_MEMORY;
    lam_status status = pick(source, &options->columns, &options->drop, *kept, n);
    if (status == LAM_OK)
        status = options->like != NULL ? arrange(source, options, kept, n) : check_twins(source, *kept, *n);
    if (status != LAM_OK) {
        lam_free(*kept);
        *kept = NULL;
    }
    return status;
}

lam_status lam_columns_choose(const char *where, const char *const *names, size_t cols, const lam_read_options *options, size_t *kept,
    size_t *n_kept)
{
    LAM_NEED(where, "where");
    LAM_NEED(kept, "kept");
    LAM_NEED(n_kept, "n_kept");
    const lam_source source = { where, names, NULL, cols, names != NULL, options != NULL && options->from_zero };
    size_t *found;
    LAM_TRY(lam_columns_select(&source, options, &found, n_kept));
    memcpy(kept, found, *n_kept * sizeof *kept);
    lam_free(found);
    return LAM_OK;
}
