/* Texts of a picture. */
#include "base/utf8.h"
#include "laminar.h"

#ifdef LAM_HAVE_CAIRO
#include "report/draw.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST = 1024 }; /* bytes of a text that is cut */
static const char dots[] = "\xe2\x80\xa6";

void lam_draw_font(lam_canvas *canvas, double size, int bold)
{
    cairo_select_font_face(canvas->cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
        bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(canvas->cr, size);
}

double lam_draw_width(lam_canvas *canvas, const char *text)
{
    cairo_text_extents_t extents;
    cairo_text_extents(canvas->cr, text, &extents);
    return extents.x_advance;
}

void lam_draw_colour(lam_canvas *canvas, const double rgb[3], double opacity)
{
    if (opacity < 1)
        cairo_set_source_rgba(canvas->cr, rgb[0], rgb[1], rgb[2], opacity);
    else
        cairo_set_source_rgb(canvas->cr, rgb[0], rgb[1], rgb[2]);
}

void lam_draw_text(lam_canvas *canvas, double x, double y, double align, const char *text)
{
    lam_draw_colour(canvas, canvas->colours.ink, 1);
    cairo_move_to(canvas->cr, x - align * lam_draw_width(canvas, text), y);
    cairo_show_text(canvas->cr, text);
}

/* Bytes of the first characters of text whose width with `end` after them is at most widest; the font is set. */
static size_t cut_at(lam_canvas *canvas, const char *text, const char *end, double widest)
{
    char part[LONGEST + 4];
    const char *at = text;
    size_t fits = 0;
    while (*at != '\0' && *at != '\n') {
        lam_utf8_next(&at);
        size_t n = (size_t)(at - text);
        if (n > LONGEST)
            break;
        memcpy(part, text, n);
        strcpy(part + n, end);
        if (lam_draw_width(canvas, part) > widest)
            break;
        fits = n;
    }
    return fits;
}

void lam_draw_fitted(lam_canvas *canvas, double x, double y, double align, const char *text, double size, int bold, double widest)
{
    char part[LONGEST + 4];
    lam_draw_font(canvas, size, bold);
    double width = lam_draw_width(canvas, text);
    if (width <= widest) {
        lam_draw_text(canvas, x, y, align, text);
        return;
    }
    lam_draw_font(canvas, fmax(LAM_LEAST_SIZE, floor(2 * size * widest / width) / 2), bold);
    if (lam_draw_width(canvas, text) <= widest) {
        lam_draw_text(canvas, x, y, align, text);
        return;
    }
    size_t n = cut_at(canvas, text, dots, widest);
    memcpy(part, text, n);
    strcpy(part + n, dots);
    lam_draw_text(canvas, x, y, align, part);
}

/* ---- several lines ------------------------------------------------------------------------------------------------ */

void lam_draw_title(lam_canvas *canvas, double x, double top, const char *text, double widest)
{
    char line[LONGEST + 1];
    for (int bold = 1; text != NULL; bold = 0) {
        const char *end = strchr(text, '\n');
        size_t n = end != NULL ? (size_t)(end - text) : strlen(text);
        snprintf(line, sizeof line, "%.*s", (int)(n < LONGEST ? n : LONGEST), text);
        top += LAM_LABEL_SIZE;
        lam_draw_fitted(canvas, x, top, 0.5, lam_utf8_valid(line) ? line : "", LAM_LABEL_SIZE, bold, widest);
        top += 4;
        text = end != NULL ? end + 1 : NULL;
    }
}

double lam_draw_title_height(const char *text)
{
    double lines = 1;
    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines * (LAM_LABEL_SIZE + 4) + 6;
}

size_t lam_draw_note(lam_canvas *canvas, double x, double y, const char *text, double widest, int draw)
{
    char line[LONGEST + 1];
    size_t lines = 0;
    lam_draw_font(canvas, LAM_NOTE_SIZE, 0);
    while (*text != '\0') {
        size_t n = cut_at(canvas, text, "", widest), end = n;
        int whole = text[n] == '\0' || text[n] == '\n';
        while (!whole && end > 0 && text[end] != ' ')
            end--;
        n = end > 0 ? end : n > 0 ? n : strcspn(text, "\n"); /* a word wider than the line is cut; a character, left as it is */
        n = n < LONGEST ? n : LONGEST;
        if (draw) {
            memcpy(line, text, n);
            line[n] = '\0';
            lam_draw_text(canvas, x, y + (double)(lines + 1) * (LAM_NOTE_SIZE + 4), 0, line);
        }
        lines++;
        text += n;
        text += *text == ' ' || *text == '\n';
    }
    return lines;
}

#endif
