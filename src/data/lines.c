#include "data/lines.h"
#include <string.h>

static int is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && is_blank(*p))
        p++;
    return p;
}

int lam_lines_next(lam_lines *lines, lam_text_line *line)
{
    while (lines->at < lines->end) {
        const char *p = lines->at, *end = p;
        while (end < lines->end && *end != '\n' && *end != '\r')
            end++;
        lines->at = end + (end < lines->end);
        if (lines->at < lines->end && *end == '\r' && *lines->at == '\n')
            lines->at++;
        *line = (lam_text_line){ p, end, ++lines->number };
        if (skip_blanks(p, end) < end)
            return 1;
    }
    return 0;
}

/* Past the closing quote of the cell that opens at p - 1, or NULL. */
static const char *close_quote(const char *p, const char *end)
{
    while ((p = memchr(p, '"', (size_t)(end - p))) != NULL) {
        if (p + 1 == end || p[1] != '"')
            return p + 1;
        p += 2; /* a doubled quote stands for one */
    }
    return NULL;
}

lam_cell_step lam_cell_next(const char **at, const char *end, lam_separator separator, lam_cell *cell)
{
    char sign = separator.sign;
    const char *p = *at;
    if (p == NULL)
        return LAM_STEP_END;
    while (p < end && is_blank(*p) && *p != sign)
        p++;
    if (sign == ' ')
        p = skip_blanks(p, end);
    if (p == end && separator.trailing && (*at)[-1] == sign) /* never a line's start: there are no blank lines */
        return *at = NULL, LAM_STEP_END;
    const char *stop;
    if (p < end && *p == '"') {
        const char *after = close_quote(p + 1, end);
        if (after == NULL)
            return LAM_STEP_BAD_QUOTE;
        *cell = (lam_cell){ p + 1, (size_t)(after - p) - 2, 1 };
        stop = after;
        while (stop < end && is_blank(*stop) && *stop != sign)
            stop++;
        if (stop < end && *stop != sign)
            return LAM_STEP_BAD_QUOTE;
    } else {
        stop = sign == ' ' ? p : memchr(p, sign, (size_t)(end - p));
        while (sign == ' ' && stop < end && !is_blank(*stop))
            stop++;
        stop = stop == NULL ? end : stop;
        const char *last = stop;
        while (last > p && is_blank(last[-1]))
            last--;
        *cell = (lam_cell){ p, (size_t)(last - p), 0 };
    }
    *at = stop < end ? stop + 1 : NULL;
    if (sign == ' ' && *at != NULL && skip_blanks(*at, end) == end)
        *at = NULL; /* blanks at the end of a line open no cell */
    return LAM_STEP_CELL;
}

/* Separators on a line; 0 if its quotes do not fit this separator. */
static size_t count_separators(lam_text_line line, lam_separator separator)
{
    size_t cells = 0;
    lam_cell cell;
    const char *at = line.at;
    for (;;) {
        lam_cell_step step = lam_cell_next(&at, line.end, separator, &cell);
        if (step == LAM_STEP_END)
            return cells - 1;
        if (step == LAM_STEP_BAD_QUOTE)
            return 0;
        cells++;
    }
}

enum { SAMPLE = 50 };

/* How many of the sampled lines share the most common count above 0. */
static size_t agreement(const lam_text_line *lines, size_t n, lam_separator separator)
{
    size_t count[SAMPLE], best = 0;
    for (size_t i = 0; i < n; i++)
        count[i] = count_separators(lines[i], separator);
    for (size_t i = 0; i < n; i++) {
        size_t same = 0;
        for (size_t k = 0; k < n && count[i] > 0; k++)
            same += count[k] == count[i];
        best = same > best ? same : best;
    }
    return best;
}

lam_separator lam_separator_find(const char *bytes, const char *end)
{
    static const char signs[] = { '\t', ';', ',', ' ' }; /* ties go to the earlier: "1,5;2,5" and "2007-01-01 10:00,1" */
    lam_text_line lines[SAMPLE];
    lam_lines from = { bytes, end, 0 };
    size_t n = 0, best = 0;
    lam_separator found = { ',', 0 };
    while (n < SAMPLE && lam_lines_next(&from, &lines[n]))
        n++;
    for (size_t s = 0; s < sizeof signs; s++) {
        size_t score = agreement(lines, n, (lam_separator){ signs[s], 0 });
        if (score > best)
            best = score, found.sign = signs[s];
    }
    found.trailing = best > 0 && found.sign != ' ';
    for (size_t i = 0; i < n && found.trailing; i++) {
        const char *last = lines[i].end;
        while (last > lines[i].at && last[-1] == ' ')
            last--;
        found.trailing = last[-1] == found.sign;
    }
    return found;
}
