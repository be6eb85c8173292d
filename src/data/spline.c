/* A monotone rational quadratic spline, its derivative and its inverse. */
#include "data/spline.h"
#include <math.h>

/* The interval k, from knot k to knot k + 1, in which v lies among knots [n]; v is between the first and the last of them. */
static size_t interval(const double *knots, size_t n, double v)
{
    size_t low = 0, high = n - 1;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (v < knots[middle])
            high = middle;
        else
            low = middle;
    }
    return low;
}

/* With t from 0 to 1 along the interval, q = t (1 - t), secant D and slopes a D, b D at its ends:
 *     z(t) = z0 + (z1 - z0) (t^2 + a q) / (1 + (a + b - 2) q),   dz/dx = D (b t^2 + 2 q + a (1 - t)^2) / (1 + (a + b - 2) q)^2 */
typedef struct piece {
    double width, height, secant, a, b;
} piece;

static piece piece_at(const lam_spline *s, size_t k)
{
    piece p = { .width = s->x[k + 1] - s->x[k], .height = s->z[k + 1] - s->z[k] };
    p.secant = p.height / p.width;
    p.a = s->slope[k] / p.secant;
    p.b = s->slope[k + 1] / p.secant;
    return p;
}

static double slope_of(const piece *p, double t)
{
    double rest = 1 - t, q = t * rest, below = 1 + (p->a + p->b - 2) * q;
    return p->secant * (p->b * t * t + 2 * q + p->a * rest * rest) / (below * below);
}

double lam_spline_at(const lam_spline *s, double x, double *slope)
{
    size_t last = s->n - 1;
    if (!(x > s->x[0])) { /* NaN too */
        *slope = s->slope[0];
        return s->z[0] + s->slope[0] * (x - s->x[0]);
    }
    if (x >= s->x[last]) {
        *slope = s->slope[last];
        return s->z[last] + s->slope[last] * (x - s->x[last]);
    }
    size_t k = interval(s->x, s->n, x);
    piece p = piece_at(s, k);
    double t = (x - s->x[k]) / p.width, q = t * (1 - t);
    *slope = slope_of(&p, t);
    return s->z[k] + p.height * (t * t + p.a * q) / (1 + (p.a + p.b - 2) * q);
}

/* The t at which the value is y, a share of the interval's height, solves a t^2 + b t - y = 0; by the formula that does not cancel (Durkan et
 * al. 2019, A.1). */
double lam_spline_inverse(const lam_spline *s, double z, double *slope)
{
    size_t last = s->n - 1;
    if (!(z > s->z[0])) {
        *slope = s->slope[0];
        return s->x[0] + (z - s->z[0]) / s->slope[0];
    }
    if (z >= s->z[last]) {
        *slope = s->slope[last];
        return s->x[last] + (z - s->z[last]) / s->slope[last];
    }
    size_t k = interval(s->z, s->n, z);
    piece p = piece_at(s, k);
    double y = (z - s->z[k]) / p.height, bend = p.a + p.b - 2;
    double a = 1 - p.a + y * bend, b = p.a - y * bend;
    double t = 2 * y / (b + sqrt(fmax(b * b + 4 * a * y, 0)));
    t = fmin(fmax(t, 0), 1);
    *slope = slope_of(&p, t);
    return s->x[k] + t * p.width;
}

void lam_spline_slopes(const double *x, const double *z, size_t n, double first, double last, double *slope)
{
    double before = (z[1] - z[0]) / (x[1] - x[0]), width = x[1] - x[0];
    slope[0] = fmin(first, LAM_SPLINE_STEEP * before);
    for (size_t k = 1; k + 1 < n; k++) {
        double next = x[k + 1] - x[k], after = (z[k + 1] - z[k]) / next, share = next / (width + next);
        double mean = exp(share * log(before) + (1 - share) * log(after));
        slope[k] = fmin(mean, LAM_SPLINE_STEEP * fmin(before, after));
        before = after, width = next;
    }
    slope[n - 1] = fmin(last, LAM_SPLINE_STEEP * before);
}

int lam_spline_is_sound(const lam_spline *s)
{
    int sound = s->n >= 2;
    for (size_t k = 0; sound && k < s->n; k++) {
        sound = isfinite(s->x[k]) && isfinite(s->z[k]) && isfinite(s->slope[k]) && s->slope[k] > 0;
        sound = sound && (k == 0 || (s->x[k] > s->x[k - 1] && s->z[k] > s->z[k - 1]));
    }
    return sound;
}
