/* Colours of pictures, on light and on dark paper. */
#ifndef LAM_REPORT_COLOUR_H
#define LAM_REPORT_COLOUR_H

enum { LAM_COLOURS = 7, LAM_SCALE_COLOURS = 256 };

typedef struct lam_colours {
    double paper[3], ink[3], grid[3];   /* red, green, blue from 0 to 1, sRGB; the same for all */
    double series[LAM_COLOURS][3];
    double scale[LAM_SCALE_COLOURS][3]; /* of maps: the first is the paper */
} lam_colours;

/* series: Okabe and Ito's palette (2008), made for colour-blind eyes, without the yellow that white paper swallows; on dark paper
 * colours near it, moved to where the least distance of two of them, also as colour-blind eyes see them (Machado, Oliveira and
 * Fernandes 2009), is largest.
 * scale: paper to ink through yellow, green and blue, in even steps of Oklab (Ottosson 2020), in which equal distances are about
 * equally well seen. Lightness falls (on dark paper: rises) all the way, so that it reads without colour too. */
void lam_colours_make(int dark, lam_colours *colours);

#endif
