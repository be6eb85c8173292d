/* The step controller; its formulas are in controller.h. */
#include "ode/controller.h"
#include <math.h>

static const double SAFETY = 0.9, LARGEST_GROWTH = 10, SMALLEST_SHRINK = 0.2;
/* Times closer than this part of the span are one: a sliver of that length would follow otherwise. */
static const double SAME = 1e-12;
/* Steps shorter than this part of the longest do not count for h*: a timid start, a sliver at the end. */
static const double COUNTS = 0.1;
static const double MOST_EVEN = 1e6;

lam_controller lam_controller_begin(const lam_solve_options *o, double start, double end)
{
    lam_controller c = { .options = o, .start = start, .end = end, .direction = end > start ? 1 : -1, .span = fabs(end - start),
        .own = 1 };
    c.h = c.direction * o->first_step_size;
    c.probes = o->first_step == LAM_STEP_PROBE || o->first_step_size <= 0;
    if (!c.probes && o->first_step == LAM_STEP_WARM) {
        c.even = (size_t)fmin(ceil(c.span / o->first_step_size), MOST_EVEN);
        c.even = c.even == 0 ? 1 : c.even;
    }
    return c;
}

double lam_controller_probe(double norm_y, double norm_f)
{
    return norm_y < 1e-5 || norm_f < 1e-5 ? 1e-6 : 0.01 * norm_y / norm_f;
}

double lam_controller_first(const lam_tableau *table, double probe, double norm_f, double norm_f_1)
{
    double order = table->order - 1;
    double h = norm_f <= 1e-15 && norm_f_1 <= 1e-15 ? fmax(1e-6, probe * 1e-3) : pow(0.01 / fmax(norm_f, norm_f_1), 1 / (order + 1));
    return fmin(100 * probe, h);
}

/* 1: the time is at the mark or past it. */
static int reaches(const lam_controller *c, double time, double mark)
{
    return (time - mark) * c->direction > -SAME * c->span;
}

double lam_controller_next(lam_controller *c, double t, double limit)
{
    double end = t + c->h;
    if (c->even > 0)
        end = c->taken + 1 == c->even ? c->end : c->start + c->direction * c->span * (double)(c->taken + 1) / (double)c->even;
    c->planned = end;
    if (c->options->end != LAM_END_LAND_ALL)
        limit = c->end;
    return c->options->end != LAM_END_OVERSHOOT && reaches(c, end, limit) ? limit : end;
}

const char *lam_controller_gives_up(const lam_controller *c, size_t attempts)
{
    if (attempts >= c->options->max_steps)
        return "max-steps reached";
    if (fabs(c->h) < c->options->min_step && c->even == 0 && c->own)
        return isfinite(c->ratio) ? "the step fell below min-step" : "f is not finite";
    return NULL;
}

/* The factor from a step's length to the next. */
static double growth(const lam_tableau *table, double ratio)
{
    if (ratio == 0)
        return LARGEST_GROWTH;
    double least = ratio <= 1 ? 1 : SMALLEST_SHRINK;
    if (!isfinite(ratio))
        return least;
    return fmin(LARGEST_GROWTH, fmax(SAFETY * pow(ratio, -1.0 / table->error_exponent), least));
}

int lam_controller_accepts(lam_controller *c, double h, double end, double ratio)
{
    int accepted = ratio <= 1; /* a NaN is not */
    c->ratio = ratio;
    c->h = h * growth(c->options->table, ratio);
    c->own = !accepted;
    if (accepted)
        c->taken += (size_t)reaches(c, end, c->planned);
    else
        c->even = 0;
    return accepted;
}

int lam_controller_arrived(const lam_controller *c, double end)
{
    return (end - c->end) * c->direction >= 0;
}

double lam_controller_proposal(const lam_tableau *table, double h, double ratio)
{
    return ratio == 0 ? INFINITY : SAFETY * fabs(h) * pow(ratio, -1.0 / table->error_exponent);
}

double lam_controller_h_star(size_t n, const double *h, const double *proposal, double span)
{
    double longest = 0, smallest = 1e3 * span;
    for (size_t i = 0; i < n; i++)
        longest = fmax(longest, fabs(h[i]));
    for (size_t i = 0; i < n; i++)
        if (fabs(h[i]) >= COUNTS * longest)
            smallest = fmin(smallest, proposal[i]);
    return smallest;
}

double lam_controller_planned(const lam_controller *c, size_t i, size_t n, double again)
{
    int replay = c->options->replay;
    double end = replay ? again : c->start + (c->end - c->start) * (double)(i + 1) / (double)n;
    int lands = !replay || c->options->end != LAM_END_OVERSHOOT || fabs(end - c->end) < SAME * c->span;
    return i + 1 == n && lands ? c->end : end;
}
