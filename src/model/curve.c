/* A panel knows value and slope at its ends and in its middle: the polynomial of degree 5 through these is the curve there. How far the cubic of
 * the ends alone misses the middle tells how bent it is. */
#include "model/curve.h"
#include "base/error.h"
#include "base/mem.h"
#include "data/normal.h"
#include <float.h>
#include <math.h>
#include <string.h>

enum { PANELS = 10, MOST_NODES = 4097, ROOT_STEPS = 100 };
static const double END = 5.5;
static const double BEND = 5e-5; /* the share of the base density that the cubic may be off by: degree 5 is then off by some hundredth of that */

lam_status lam_curve_lay(lam_curve *c)
{
    c->n = 2 * PANELS + 1;
    if ((c->node = lam_alloc(c->n, sizeof *c->node)) == NULL)
        return LAM_ERR_MEMORY;
    for (size_t k = 0; k < c->n; k++)
        c->node[k].z = END * ((double)k / PANELS - 1);
    return LAM_OK;
}

void lam_curve_free(lam_curve *c)
{
    lam_free(c->node);
    *c = (lam_curve) { 0 };
}

/* ---- a panel ------------------------------------------------------------------------------------------------------ */

static double width(const lam_curve_node *p)
{
    return p[2].z - p[0].z;
}

/* The cubic of the ends, t from 0 to 1, and its derivative by t. */
static double cubic(const lam_curve_node *p, double t, double *slope)
{
    double a = width(p) * p[0].slope, b = width(p) * p[2].slope, rise = p[2].u - p[0].u, s = 1 - t;
    *slope = s * (1 - 3 * t) * a + t * (3 * t - 2) * b + 6 * t * s * rise;
    return p[0].u + t * s * s * a - t * t * s * b + t * t * (3 - 2 * t) * rise;
}

/* What t^2 (1 - t)^2 brings, times a line, so that value and slope in the middle are right too. */
static double quintic(const lam_curve_node *p, double t)
{
    double middle_slope, slope, q = t * (1 - t);
    double middle = cubic(p, 0.5, &middle_slope);
    return cubic(p, t, &slope) + 16 * q * q * (p[1].u - middle + (width(p) * p[1].slope - middle_slope) * (t - 0.5));
}

static int is_bent(const lam_curve_node *p, double grain)
{
    double unused, off = fabs(p[1].u - cubic(p, 0.5, &unused)), nearest = p[0].z > 0 ? p[0].z : p[2].z < 0 ? p[2].z : 0;
    double slope = fmin(p[1].slope, fmin(p[0].slope, p[2].slope));
    return off > grain * fmax(1, fabs(p[1].u)) && off * lam_normal_density(nearest) > BEND * slope;
}

/* ---- the curve ---------------------------------------------------------------------------------------------------- */

lam_status lam_curve_refine(lam_curve *c, double grain, size_t *news)
{
    size_t bent = 0, at = 0;
    for (size_t k = 0; k + 2 < c->n; k += 2)
        bent += (size_t)is_bent(c->node + k, grain);
    *news = 0;
    if (bent == 0 || c->n + 2 * bent > MOST_NODES)
        return LAM_OK;
    lam_curve_node *node = lam_alloc(c->n + 2 * bent, sizeof *node);
    if (node == NULL)
        return LAM_ERR_MEMORY;
    for (size_t k = 0; k + 2 < c->n; k += 2) {
        const lam_curve_node *p = c->node + k;
        int halves = is_bent(p, grain);
        node[at++] = p[0];
        if (halves)
            node[at++].z = 0.5 * (p[0].z + p[1].z);
        node[at++] = p[1];
        if (halves)
            node[at++].z = 0.5 * (p[1].z + p[2].z);
    }
    node[at++] = c->node[c->n - 1];
    lam_free(c->node);
    *c = (lam_curve) { node, at };
    *news = 2 * bent;
    return LAM_OK;
}

/* The panel that value is in, or the first or last: by z (which 0) or by u. */
static const lam_curve_node *panel_of(const lam_curve *c, double value, int by_u)
{
    size_t low = 0, high = (c->n - 1) / 2;
    while (high - low > 1) {
        size_t k = low + (high - low) / 2;
        const lam_curve_node *p = c->node + 2 * k;
        *((by_u ? p->u : p->z) <= value ? &low : &high) = k;
    }
    return c->node + 2 * low;
}

double lam_curve_at(const lam_curve *c, double z)
{
    const lam_curve_node *first = c->node, *last = c->node + c->n - 1;
    if (z < first->z || z > last->z) {
        const lam_curve_node *end = z < first->z ? first : last;
        return end->u + end->slope * (z - end->z);
    }
    const lam_curve_node *p = panel_of(c, z, 0);
    return quintic(p, (z - p->z) / width(p));
}

typedef struct sought {
    const lam_curve_node *panel;
    double u;
} sought;

static double beyond(const void *self, double t)
{
    const sought *s = self;
    return quintic(s->panel, t) - s->u;
}

double lam_curve_inverse(const lam_curve *c, double u)
{
    const lam_curve_node *first = c->node, *last = c->node + c->n - 1;
    if (u < first->u || u > last->u) {
        const lam_curve_node *end = u < first->u ? first : last;
        return end->z + (u - end->u) / end->slope;
    }
    const sought s = { panel_of(c, u, 1), u };
    return s.panel->z + width(s.panel) * lam_rising_root(beyond, &s, 0, 1);
}

/* The rise of u over the panel at node k by its slopes and those beside it: their interpolating polynomial (Newton's divided differences) at three
 * points of Gauss, which are exact for its degree. */
static double rise_by_slopes(const lam_curve *c, size_t k)
{
    static const double at[3] = { 0.1127016653792583, 0.5, 0.8872983346207417 }, weight[3] = { 5.0 / 18, 8.0 / 18, 5.0 / 18 };
    size_t first = k > 0 ? k - 1 : 0, n = (k + 4 < c->n ? k + 4 : c->n) - first;
    const lam_curve_node *node = c->node + first, *p = c->node + k;
    double d[5], sum = 0;
    for (size_t i = 0; i < n; i++)
        d[i] = node[i].slope;
    for (size_t order = 1; order < n; order++)
        for (size_t i = n; i-- > order;)
            d[i] = (d[i] - d[i - 1]) / (node[i].z - node[i - order].z);
    for (size_t g = 0; g < 3; g++) {
        double z = p->z + at[g] * width(p), value = d[n - 1];
        for (size_t i = n - 1; i-- > 0;)
            value = d[i] + (z - node[i].z) * value;
        sum += weight[g] * value;
    }
    return width(p) * sum;
}

/* The slopes are the base density over that of u. */
double lam_curve_mass_error(const lam_curve *c)
{
    double sum = 0;
    for (size_t k = 0; k + 2 < c->n; k += 2) {
        const lam_curve_node *p = c->node + k;
        double share = 0.5 * (erfc(-p[2].z / sqrt(2)) - erfc(-p[0].z / sqrt(2)));
        sum += share * ((p[2].u - p[0].u) / rise_by_slopes(c, k) - 1);
    }
    return sum;
}

/* Regula falsi after Dowell and Jarratt (1971), "Illinois": the value at an end that stays is halved. */
double lam_rising_root(double (*f)(const void *self, double x), const void *self, double low, double high)
{
    double at_low = f(self, low), at_high = f(self, high), before = low;
    int side = 0;
    if (at_low >= 0 || at_high <= 0)
        return at_low >= 0 ? low : high;
    for (int k = 0; k < ROOT_STEPS; k++) {
        double x = low + (high - low) * (at_low / (at_low - at_high));
        x = x > low && x < high ? x : 0.5 * (low + high);
        double value = f(self, x);
        if (value == 0 || fabs(x - before) <= 4 * DBL_EPSILON * fabs(x))
            return x;
        if (value < 0) {
            at_high *= side < 0 ? 0.5 : 1;
            low = x, at_low = value, side = -1;
        } else {
            at_low *= side > 0 ? 0.5 : 1;
            high = x, at_high = value, side = 1;
        }
        before = x;
    }
    return 0.5 * (low + high);
}
