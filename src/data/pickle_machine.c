/* What the opcodes of a pickle are made of: the stack, arguments that follow an opcode, failures. */
#include "data/pickle_machine.h"
#include "base/error.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *const lam_pickle_kind_names[] = { "a mark", "None", "a number", "a string", "a global", "a tuple", "a list", "a dtype",
    "an array" };

static const char only[] = "only a pickle of one uint8 array is read; save it with numpy.save";

/* At the opcode that is being carried out. */
lam_status lam_pickle_refuse(const lam_pickle_machine *m, const char *format, ...)
{
    char what[256];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return lam_fail(LAM_ERR_FORMAT, "%s: offset %zu: %s; %s", m->name, (size_t)(m->opcode - m->start), what, only);
}

lam_status lam_pickle_cut_short(const lam_pickle_machine *m)
{
    return lam_fail(LAM_ERR_FORMAT, "%s: the pickle is cut short (after offset %zu); copy or download it again", m->name,
        (size_t)(m->opcode - m->start));
}

lam_status lam_pickle_push_at(lam_pickle_machine *m, size_t position)
{
    if (m->depth == LAM_PICKLE_STACK)
        return lam_pickle_refuse(m, "more than %d things are on the stack", LAM_PICKLE_STACK);
    m->stack[m->depth++] = position;
    return LAM_OK;
}

lam_status lam_pickle_push(lam_pickle_machine *m, lam_pickle_value v)
{
    if (m->n_values == LAM_PICKLE_VALUES)
        return lam_pickle_refuse(m, "it holds more than %d things", LAM_PICKLE_VALUES);
    m->values[m->n_values] = v;
    return lam_pickle_push_at(m, m->n_values++);
}

/* The value that is so many below the top, NULL past a mark or the bottom. */
lam_pickle_value *lam_pickle_peek(lam_pickle_machine *m, size_t below)
{
    for (size_t i = 0; i <= below; i++)
        if (i >= m->depth || m->values[m->stack[m->depth - 1 - i]].kind == LAM_PICKLE_MARK)
            return NULL;
    return &m->values[m->stack[m->depth - 1 - below]];
}

/* How many values lie above the last mark; -1 without one. */
long lam_pickle_above_mark(const lam_pickle_machine *m)
{
    for (size_t i = m->depth; i > 0; i--)
        if (m->values[m->stack[i - 1]].kind == LAM_PICKLE_MARK)
            return (long)(m->depth - i);
    return -1;
}

lam_status lam_pickle_read_line(lam_pickle_machine *m, const unsigned char **line, size_t *n)
{
    const unsigned char *end = memchr(m->at, '\n', (size_t)(m->end - m->at));
    *line = m->at, *n = 0;
    if (end == NULL)
        return lam_pickle_cut_short(m);
    *n = (size_t)(end - m->at);
    m->at = end + 1;
    return LAM_OK;
}

/* A little-endian number of so many bytes, at most 8. */
lam_status lam_pickle_read_number(lam_pickle_machine *m, size_t bytes, uint64_t *out)
{
    *out = 0;
    if ((size_t)(m->end - m->at) < bytes)
        return lam_pickle_cut_short(m);
    for (size_t i = 0; i < bytes; i++)
        *out |= (uint64_t)m->at[i] << (8 * i);
    m->at += bytes;
    return LAM_OK;
}

/* A decimal of a line; Python 2 ends some in L. Up to 2^53, as beyond it nothing here is meant. */
lam_status lam_pickle_parse_decimal(lam_pickle_machine *m, const unsigned char *line, size_t n, int64_t *out)
{
    size_t i = n > 0 && line[0] == '-', digits = 0;
    int64_t number = 0;
    if (n > 0 && line[n - 1] == 'L')
        n--;
    for (; i < n && line[i] >= '0' && line[i] <= '9' && number < INT64_C(1) << 53; i++, digits++)
        number = 10 * number + (line[i] - '0');
    if (digits == 0 || i != n)
        return lam_pickle_refuse(m, "a number is malformed or too large");
    *out = line[0] == '-' ? -number : number;
    return LAM_OK;
}

/* The item of a tuple if it is of that kind, else NULL. */
const lam_pickle_value *lam_pickle_item(const lam_pickle_machine *m, const lam_pickle_value *tuple, size_t i, lam_pickle_kind wanted)
{
    const lam_pickle_value *v = i < tuple->n_items ? &m->values[tuple->items[i]] : NULL;
    return v != NULL && v->kind == wanted ? v : NULL;
}
