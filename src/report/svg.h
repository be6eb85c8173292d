/* A panel of curves as SVG for the inside of an HTML page. Where lam_plot_write draws glyphs for a file of their own, here text
 * stays text and colours are left to the page's style sheet, so that the reader's fonts and dark mode apply. */
#ifndef LAM_REPORT_SVG_H
#define LAM_REPORT_SVG_H
#include "laminar/plot.h"
#include <stdio.h>

/* The rules for what is written here, text and background light or dark as the reader's device asks. To stand in the page once. */
extern const char lam_svg_style[];
/* Writes the panel, width x height in its own units (text is 12 and 13 high), which the page may scale. A series is a line with a
 * few marks on it; one that is a single point is a mark alone. Marks differ with the line style. */
void lam_svg_panel(FILE *out, const lam_panel *panel, double width, double height);
/* A sample of a series' line and mark, for a legend that the page makes itself. */
void lam_svg_sample(FILE *out, const lam_series *series);
/* text with <, >, & and quotes as entities. */
void lam_svg_text(FILE *out, const char *text);

#endif
