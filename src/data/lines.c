/* Splits a text in memory into lines and cells. */
#include "data/lines.h"
#include "data/cell.h"
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

/* The next line, blank or not; there is one. */
static void read_line(lam_lines *lines, lam_text_line *line)
{
    const char *p = lines->at, *end = p;
    while (end < lines->end && *end != '\n' && *end != '\r')
        end++;
    lines->at = end + (end < lines->end);
    if (lines->at < lines->end && *end == '\r' && *lines->at == '\n')
        lines->at++;
    *line = (lam_text_line){ p, end, ++lines->number };
}

int lam_lines_next(lam_lines *lines, lam_text_line *line)
{
    while (lines->at < lines->end) {
        read_line(lines, line);
        if (skip_blanks(line->at, line->end) < line->end)
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

/* Walks the cells of a line; where a quoted one goes on behind the line, so does the line. LAM_STEP_BAD_QUOTE: one is never closed. */
static lam_cell_step join(lam_lines *lines, lam_separator separator, lam_text_line *line)
{
    lam_cell cell;
    const char *at = line->at;
    for (;;) {
        const char *from = at;
        lam_cell_step step = lam_cell_next(&at, line->end, separator, &cell);
        if (step == LAM_STEP_END)
            return LAM_STEP_CELL;
        if (step == LAM_STEP_CELL)
            continue;
        while (*from != '"') /* it opens this cell: nothing but blanks stand before it */
            from++;
        const char *close = close_quote(from + 1, line->end);
        if (close != NULL || (close = close_quote(from + 1, lines->end)) == NULL)
            return LAM_STEP_BAD_QUOTE;
        while (lines->at < close) {
            lam_text_line more;
            read_line(lines, &more);
            line->end = more.end;
        }
        at = from;
    }
}

int lam_line_is_comment(const lam_text_line *line)
{
    double value;
    const char *p = skip_blanks(line->at, line->end), *end = p;
    if (p == line->end || *p != '#')
        return 0;
    while (end < line->end && strchr(",;|\t ", *end) == NULL)
        end++;
    return lam_cell_read(p, (size_t)(end - p), &value) != LAM_CELL_MISSING; /* "#N/A" is a cell */
}

int lam_record_next(lam_lines *lines, lam_separator separator, lam_text_line *line)
{
    if (!lam_lines_next(lines, line))
        return 0;
    if (!lam_line_is_comment(line) && memchr(line->at, '"', (size_t)(line->end - line->at)) != NULL) {
        lam_lines ahead = *lines;
        lam_text_line longer = *line;
        if (join(&ahead, separator, &longer) == LAM_STEP_CELL)
            *lines = ahead, *line = longer;
    }
    return 1;
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

/* The first lines that are no comments, as this separator would have them. */
static size_t sample(lam_lines from, lam_separator separator, lam_text_line lines[SAMPLE])
{
    size_t n = 0;
    while (n < SAMPLE && lam_record_next(&from, separator, &lines[n]))
        n += !lam_line_is_comment(&lines[n]);
    return n;
}

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

/* Every line ends in the separator. */
static int is_trailing(const lam_text_line *lines, size_t n, char sign)
{
    for (size_t i = 0; i < n; i++) {
        const char *last = lines[i].end;
        while (last > lines[i].at && last[-1] == ' ')
            last--;
        if (last[-1] != sign)
            return 0;
    }
    return n > 0 && sign != ' ';
}

lam_separator lam_separator_find(lam_lines from, char given)
{
    static const char signs[] = { '\t', ';', ',', '|', ' ' }; /* ties go to the earlier: "1,5;2,5" and "2007-01-01 10:00,1" */
    lam_text_line lines[SAMPLE];
    size_t n, best = 0;
    lam_separator found = { given != 0 ? given : ',', 0 };
    for (size_t s = 0; s < sizeof signs && given == 0; s++) {
        lam_separator tried = { signs[s], 0 };
        n = sample(from, tried, lines);
        size_t score = agreement(lines, n, tried);
        if (score > best)
            best = score, found = tried;
    }
    n = sample(from, found, lines);
    found.trailing = (best > 0 || given != 0) && is_trailing(lines, n, found.sign);
    return found;
}
