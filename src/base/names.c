/* Copies, compares, parses and prints lists of column names. */
#include "base/names.h"
#include "base/error.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- lists in memory ---------------------------------------------------------------------------------------------- */

void lam_names_clear(lam_names *names)
{
    free((void *)names->item);
    *names = (lam_names) { 0 };
}

/* Room for n items of `bytes` bytes in all, with their NULs: the pointers and behind them the text. */
static const char **reserve(size_t n, size_t bytes, char **text)
{
    const char **item = malloc(n * sizeof *item + bytes);
    if (item == NULL)
        lam_fail(LAM_ERR_MEMORY, "out of memory: the names of %zu columns", n);
    else
        *text = (char *)(item + n);
    return item;
}

lam_status lam_names_copy(const char *const *items, size_t n, lam_names *out)
{
    size_t bytes = 0;
    char *text;
    *out = (lam_names) { 0 };
    if (n == 0)
        return LAM_OK;
    for (size_t i = 0; i < n; i++)
        bytes += strlen(items[i]) + 1;
    const char **item = reserve(n, bytes, &text);
    if (item == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < n; i++) {
        size_t size = strlen(items[i]) + 1;
        item[i] = memcpy(text, items[i], size);
        text += size;
    }
    *out = (lam_names) { item, n };
    return LAM_OK;
}

int lam_names_equal(const lam_names *a, const lam_names *b)
{
    size_t i = 0;
    while (a->n == b->n && i < a->n && strcmp(a->item[i], b->item[i]) == 0)
        i++;
    return a->n == b->n && i == a->n;
}

/* ---- from text ---------------------------------------------------------------------------------------------------- */

/* Copies the item at *at to `to` without its quotes and the blanks around it, ends it, and moves *at to its comma or the end of the
 * text. Returns the item's length, SIZE_MAX if a quote is not closed. */
static size_t read_item(const char **at, char *to)
{
    const char *p = *at;
    size_t n = 0, kept = 0; /* of n, so many are not blanks at the end */
    while (*p == ' ')
        p++;
    if (*p == '"') {
        for (p++; *p != '\0' && (*p != '"' || p[1] == '"'); p += *p == '"' ? 2 : 1)
            to[n++] = *p;
        if (*p++ == '\0')
            return SIZE_MAX;
        kept = n;
    }
    for (; *p != '\0' && *p != ','; p++) {
        to[n++] = *p;
        kept = *p == ' ' ? kept : n;
    }
    to[kept] = '\0';
    *at = p;
    return kept;
}

lam_status lam_names_parse(const char *what, const char *text, lam_names *out)
{
    size_t most = 1, n = 0;
    char *to;
    *out = (lam_names) { 0 };
    if (text[strspn(text, " ")] == '\0')
        return LAM_OK;
    for (const char *p = text; *p != '\0'; p++)
        most += *p == ',';
    const char **item = reserve(most, strlen(text) + 1, &to);
    if (item == NULL)
        return LAM_ERR_MEMORY;
    lam_status status = LAM_OK;
    for (const char *p = text; status == LAM_OK; p++) { /* p stands at an item's beginning */
        size_t length = read_item(&p, to);
        if (length == SIZE_MAX)
            status = lam_fail(LAM_ERR_ARGUMENT, "%s: a quote is not closed in \"%.200s\"; write a name with a quote in it as "
                "\"he said \"\"x\"\"\"", what, text);
        else if (length == 0)
            status = lam_fail(LAM_ERR_ARGUMENT, "%s: \"%.200s\" has an empty item", what, text);
        else
            item[n++] = to;
        to += length + 1;
        if (status != LAM_OK || *p == '\0')
            break;
    }
    if (status != LAM_OK) {
        free((void *)item);
        return status;
    }
    *out = (lam_names) { item, n };
    return LAM_OK;
}

/* ---- to text ------------------------------------------------------------------------------------------------------ */

static int wants_quotes(const char *item)
{
    size_t n = strlen(item);
    return n == 0 || item[0] == '"' || item[0] == ' ' || item[n - 1] == ' ' || strchr(item, ',') != NULL;
}

/* The item as it stands in a list, at most 2 strlen(item) + 2 bytes. Returns how many. */
static size_t put_item(const char *item, char *to)
{
    size_t n = 0;
    int quotes = wants_quotes(item);
    if (quotes)
        to[n++] = '"';
    for (const char *p = item; *p != '\0'; p++) {
        to[n++] = *p;
        if (quotes && *p == '"')
            to[n++] = '"';
    }
    if (quotes)
        to[n++] = '"';
    return n;
}

static char *print(const char *const *items, size_t n)
{
    size_t bytes = 1, used = 0;
    for (size_t i = 0; i < n; i++)
        bytes += 2 * strlen(items[i]) + 3;
    char *text = malloc(bytes);
    if (text == NULL) {
        lam_fail(LAM_ERR_MEMORY, "out of memory: the names of %zu columns", n);
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            text[used++] = ',';
        used += put_item(items[i], text + used);
    }
    text[used] = '\0';
    return text;
}

char *lam_names_print(const lam_names *names)
{
    return print(names->item, names->n);
}
