/* Line charts from numbers in a text file, drawn as `laminar compare --plot` draws its own; for the pages under docs/.
 *
 *     plot FILE.svg <LINES
 *
 * Lines, cells separated by tabs:
 *     title TEXT                               of the picture
 *     columns N                                panels side by side; all of them unless said
 *     panel TITLE X_LABEL Y_LABEL [logx] [logy] [zero]   (zero: the y axis begins at 0)
 *     series NAME COLOUR solid|dashed|dotted|points   of the panel before it; NAME -: not in the legend
 *     X Y                                      a point of the series before it
 */
#include <laminar.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "laminar/plot.h"

enum { PANELS = 10, SERIES = 32, POINTS = 512, CELLS = 8 };

typedef struct chart {
    lam_plot plot;
    lam_panel panels[PANELS];
    lam_series series[PANELS][SERIES];
    double x[PANELS][SERIES][POINTS], y[PANELS][SERIES][POINTS];
} chart;

static void fail(const char *what, size_t line)
{
    fprintf(stderr, "plot: line %zu: %s\n", line, what);
    exit(EXIT_FAILURE);
}

static char *keep(const char *text)
{
    char *copy = malloc(strlen(text) + 1);
    if (copy == NULL)
        fail("out of memory", 0);
    return strcpy(copy, text);
}

static size_t cut(char *line, char *cells[CELLS])
{
    size_t n = 0;
    line[strcspn(line, "\n")] = '\0';
    for (char *p = line; p != NULL && n < CELLS; n++) {
        char *tab = strchr(p, '\t');
        cells[n] = p;
        if (tab != NULL)
            *tab = '\0';
        p = tab == NULL ? NULL : tab + 1;
    }
    return n;
}

static void add_panel(chart *c, char **cells, size_t n, size_t line)
{
    if (c->plot.n_panels == PANELS || n < 4)
        fail("a panel is TITLE X_LABEL Y_LABEL, ten of them at the most", line);
    lam_panel *panel = &c->panels[c->plot.n_panels];
    *panel = (lam_panel) { .title = keep(cells[1]), .x_label = keep(cells[2]), .y_label = keep(cells[3]),
        .series = c->series[c->plot.n_panels] };
    for (size_t i = 4; i < n; i++) {
        panel->log_x |= strcmp(cells[i], "logx") == 0;
        panel->log_y |= strcmp(cells[i], "logy") == 0;
        panel->y_high = strcmp(cells[i], "zero") == 0 ? -1 : panel->y_high; /* set from the data at the end */
    }
    c->plot.n_panels++;
}

static void add_series(chart *c, char **cells, size_t n, size_t line)
{
    lam_panel *panel = c->plot.n_panels == 0 ? NULL : &c->panels[c->plot.n_panels - 1];
    if (panel == NULL || panel->n_series == SERIES || n < 4)
        fail("a series is NAME COLOUR STYLE, in a panel, 32 at the most", line);
    size_t p = c->plot.n_panels - 1, s = panel->n_series++;
    int points = strcmp(cells[3], "points") == 0;
    c->series[p][s] = (lam_series) { .name = strcmp(cells[1], "-") == 0 ? NULL : keep(cells[1]), .x = c->x[p][s], .y = c->y[p][s],
        .colour = (size_t)strtoul(cells[2], NULL, 10), .kind = points ? LAM_SERIES_POINTS : LAM_SERIES_LINE, .size = points ? 7 : 0,
        .line = strcmp(cells[3], "dashed") == 0 ? LAM_LINE_DASHED
            : strcmp(cells[3], "dotted") == 0 ? LAM_LINE_DOTTED : LAM_LINE_SOLID };
}

static void add_point(chart *c, char **cells, size_t n, size_t line)
{
    size_t p = c->plot.n_panels - 1;
    if (c->plot.n_panels == 0 || c->panels[p].n_series == 0 || n != 2)
        fail("a point is X Y, in a series", line);
    size_t s = c->panels[p].n_series - 1, at = c->series[p][s].n++;
    if (at == POINTS)
        fail("too many points", line);
    c->x[p][s][at] = strtod(cells[0], NULL);
    c->y[p][s][at] = strtod(cells[1], NULL);
}

/* The range from 0 to a little above the highest point, where it was asked for. */
static void begin_at_zero(chart *c)
{
    for (size_t p = 0; p < c->plot.n_panels; p++) {
        lam_panel *panel = &c->panels[p];
        if (panel->y_high >= 0)
            continue;
        panel->y_high = 0;
        for (size_t s = 0; s < panel->n_series; s++)
            for (size_t i = 0; i < panel->series[s].n; i++)
                panel->y_high = fmax(panel->y_high, 1.05 * panel->series[s].y[i]);
    }
}

/* Beside points there is room for half of one. */
static void leave_room(chart *c)
{
    for (size_t p = 0; p < c->plot.n_panels; p++) {
        lam_panel *panel = &c->panels[p];
        double low = INFINITY, high = -INFINITY;
        int points = 0;
        for (size_t s = 0; s < panel->n_series; s++) {
            points |= c->series[p][s].kind == LAM_SERIES_POINTS;
            for (size_t i = 0; i < c->series[p][s].n; i++) {
                low = fmin(low, c->x[p][s][i]);
                high = fmax(high, c->x[p][s][i]);
            }
        }
        if (points && high > low && !panel->log_x) {
            panel->x_low = low - 0.04 * (high - low);
            panel->x_high = high + 0.04 * (high - low);
        }
    }
}

int main(int argc, char **argv)
{
    static chart c;
    char line[1024], *cells[CELLS];
    c.plot.panels = c.panels;
    if (argc != 2) {
        fprintf(stderr, "usage: plot FILE.svg <LINES\n");
        return 2;
    }
    for (size_t number = 1; fgets(line, sizeof line, stdin) != NULL; number++) {
        size_t n = cut(line, cells);
        if (strcmp(cells[0], "title") == 0 && n == 2)
            c.plot.title = keep(cells[1]);
        else if (strcmp(cells[0], "columns") == 0 && n == 2)
            c.plot.columns = (size_t)strtoul(cells[1], NULL, 10);
        else if (strcmp(cells[0], "panel") == 0)
            add_panel(&c, cells, n, number);
        else if (strcmp(cells[0], "series") == 0)
            add_series(&c, cells, n, number);
        else
            add_point(&c, cells, n, number);
    }
    begin_at_zero(&c);
    leave_room(&c);
    if (lam_plot_write(&c.plot, argv[1]) != LAM_OK) {
        fprintf(stderr, "plot: %s\n", lam_last_error());
        return EXIT_FAILURE;
    }
    return 0; /* texts live as long as the program */
}
