/* Works out the range, ticks and labels of an axis. */
#include "report/axis.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The smallest of 1, 2, 5 times a power of ten that is not below x > 0. */
static double round_step(double x)
{
    double power = pow(10, floor(log10(x))), part = x / power;
    const double slack = 1 + 1e-9;
    return (part <= slack ? 1 : part <= 2 * slack ? 2 : part <= 5 * slack ? 5 : 10) * power;
}

static void add_tick(lam_axis *axis, double value)
{
    double at = lam_axis_at(axis, value);
    if (axis->n_ticks < LAM_AXIS_TICKS && at >= -1e-9 && at <= 1 + 1e-9)
        axis->ticks[axis->n_ticks++] = value;
}

/* Multiples of a round step, counted so that no rounding adds up. */
static void even_ticks(lam_axis *axis, size_t wanted)
{
    axis->n_ticks = 0;
    axis->step = round_step((axis->high - axis->low) / (double)(wanted > 1 ? wanted : 2));
    double first = ceil(axis->low / axis->step - 1e-9);
    for (size_t i = 0; i < LAM_AXIS_TICKS; i++)
        add_tick(axis, (first + (double)i) * axis->step);
}

/* Powers of ten, or 1, 2 and 5 times them where there are few; even ones where the range holds none of these. */
static void log_ticks(lam_axis *axis, size_t wanted)
{
    double decades = log10(axis->high) - log10(axis->low);
    int every = (int)ceil(decades / (double)(wanted > 0 ? wanted : 1)), first = (int)floor(log10(axis->low));
    every = every < 1 ? 1 : every;
    int between = 3 * decades <= (double)wanted + 1;
    for (int k = first; k <= first + (int)decades + 1; k++) {
        if (k % every != 0)
            continue;
        add_tick(axis, pow(10, k));
        if (between) {
            add_tick(axis, 2 * pow(10, k));
            add_tick(axis, 5 * pow(10, k));
        }
    }
    if (axis->n_ticks < 2)
        even_ticks(axis, wanted);
}

/* Numbers that differ in their last digits only are labelled by their distance from a round one, tiny and huge ones by their
 * multiple of a power of a thousand. */
static void shorten(lam_axis *axis)
{
    double size = fmax(fabs(axis->low), fabs(axis->high)), span = axis->high - axis->low;
    axis->unit = 1;
    if (axis->log)
        return;
    if (axis->step > 0 && size / axis->step > 2e5) {
        double power = pow(10, ceil(log10(span)));
        axis->offset = round((axis->low + 0.5 * span) / power) * power;
        size = fmax(fabs(axis->low - axis->offset), fabs(axis->high - axis->offset));
    }
    if (size < 1e-3 || size >= 1e15)
        axis->unit = pow(10, 3 * floor(log10(size) / 3));
    if (!isfinite(axis->offset) || !(axis->unit > 0) || !isfinite(axis->unit)) {
        axis->offset = 0;
        axis->unit = 1;
    }
}

void lam_axis_make(lam_axis *axis, double low, double high, int log, size_t wanted)
{
    if (!isfinite(low) || !isfinite(high) || low > high || (log && low <= 0) || !isfinite(high - low)) {
        low = log ? 1 : 0;
        high = log ? 10 : 1;
    }
    double size = fmax(fabs(low), fabs(high));
    if (high - low <= 1e-12 * size || high - low < 1e-300) {
        double half = size > 1e-290 ? 0.05 * size : 0.5;
        low = log ? low / 2 : low - half;
        high = log ? high * 2 : high + half;
    }
    *axis = (lam_axis) { .low = low, .high = high, .log = log };
    if (log)
        log_ticks(axis, wanted);
    else
        even_ticks(axis, wanted);
    shorten(axis);
}

double lam_axis_at(const lam_axis *axis, double value)
{
    if (!isfinite(value) || (axis->log && value <= 0))
        return (double)NAN;
    if (axis->log)
        return (log(value) - log(axis->low)) / (log(axis->high) - log(axis->low));
    return (value - axis->low) / (axis->high - axis->low);
}

/* number with a minus sign for every hyphen, also in an exponent */
static void put_minus(const char *number, char *text, size_t size)
{
    size_t n = 0;
    for (const char *c = number; *c != '\0' && n + 4 < size; c++) {
        if (*c == '-') {
            memcpy(text + n, "\xe2\x88\x92", 3);
            n += 3;
        } else {
            text[n++] = *c;
        }
    }
    text[n] = '\0';
}

void lam_axis_label(const lam_axis *axis, double value, char text[LAM_AXIS_LABEL])
{
    static const struct { double unit; const char *letter; } units[] = { { 1e12, "T" }, { 1e9, "G" }, { 1e6, "M" },
        { 1e3, "k" } };
    double low = (axis->low - axis->offset) / axis->unit, high = (axis->high - axis->offset) / axis->unit;
    double shown = (value - axis->offset) / axis->unit, step = axis->step / axis->unit;
    double size = axis->log ? fabs(shown) : fmax(fabs(low), fabs(high)), unit = 1;
    const char *letter = "";
    char number[LAM_AXIS_LABEL];
    for (size_t i = 0; i < 4 && unit == 1 && size >= 1e4; i++) {
        if (size >= units[i].unit) {
            unit = units[i].unit;
            letter = units[i].letter;
        }
    }
    double digits = step > 0 ? fmax(0, -floor(log10(step / unit) + 1e-9)) : 99;
    if (fabs(shown) < 1e-9 * step)
        snprintf(number, sizeof number, "0");
    else if (digits <= 6 && size < 1e15)
        snprintf(number, sizeof number, "%.*f%s", (int)digits, shown / unit, letter);
    else
        snprintf(number, sizeof number, "%.4g%s", shown / unit, letter);
    put_minus(number, text, LAM_AXIS_LABEL);
}

/* 1013250, 12e9: zeros at the end are counted where they are many. */
static void put_round(double number, char text[LAM_AXIS_LABEL])
{
    int zeros = 0;
    double rest = number;
    while (zeros < 300 && rest != 0 && fmod(rest, 10) == 0) {
        rest /= 10;
        zeros++;
    }
    if (zeros >= 6)
        snprintf(text, LAM_AXIS_LABEL, "%.15ge%d", rest, zeros);
    else
        snprintf(text, LAM_AXIS_LABEL, "%.15g", number);
}

void lam_axis_remark(const lam_axis *axis, char text[2 * LAM_AXIS_LABEL])
{
    char words[2 * LAM_AXIS_LABEL] = "", number[LAM_AXIS_LABEL];
    int n = 0;
    put_round(fabs(axis->offset), number);
    if (axis->offset != 0)
        n = snprintf(words, sizeof words, "%s %s", axis->offset > 0 ? "minus" : "plus", number);
    if (axis->unit != 1)
        snprintf(words + n, sizeof words - (size_t)n, "%sin 1e%d", n > 0 ? ", " : "", (int)round(log10(axis->unit)));
    put_minus(words, text, sizeof words);
}

/* ---- ranges ------------------------------------------------------------------------------------------------------- */

typedef struct range {
    double low, high;
    int log;
} range;

static void widen(range *r, double value, double other)
{
    if (!isfinite(value) || !isfinite(other) || (r->log && value <= 0))
        return;
    r->low = fmin(r->low, value);
    r->high = fmax(r->high, value);
}

void lam_axis_range(const lam_panel *p, int vertical, double *low, double *high)
{
    range r = { (double)INFINITY, -(double)INFINITY, vertical ? p->log_y : p->log_x };
    int tight = 0; /* what fills its range needs no air */
    for (size_t i = 0; i < p->n_series; i++) {
        const lam_series *s = &p->series[i];
        int bars = s->kind == LAM_SERIES_BARS;
        tight |= s->kind == LAM_SERIES_MAP || s->kind == LAM_SERIES_CONTOUR;
        for (size_t j = 0; j < s->n; j++)
            widen(&r, vertical ? s->y[j] : s->x[j], bars ? 0 : vertical ? s->x[j] : s->y[j]);
        if (bars && s->n > 0)
            widen(&r, vertical ? 0 : s->x[s->n], 0);
    }
    *low = r.low;
    *high = r.high;
    if (vertical && !tight && r.low < r.high) { /* air above and below; bars stand on the axis */
        double air = r.log ? pow(r.high / r.low, 0.04) : 0.04 * (r.high - r.low);
        int stands = 0;
        for (size_t i = 0; i < p->n_series; i++)
            stands |= p->series[i].kind == LAM_SERIES_BARS && r.low == 0;
        *low = r.log ? r.low / air : stands ? 0 : r.low - air;
        *high = r.log ? r.high * air : r.high + air;
    }
}

void lam_axis_z_range(const lam_panel *p, double z[2])
{
    range r = { (double)INFINITY, -(double)INFINITY, 0 };
    for (size_t i = 0; i < p->n_series; i++)
        for (size_t j = 0; p->series[i].kind == LAM_SERIES_MAP && j < p->series[i].rows * p->series[i].columns; j++)
            widen(&r, p->series[i].z[j], 0);
    z[0] = p->z_low < p->z_high ? p->z_low : r.low;
    z[1] = p->z_low < p->z_high ? p->z_high : r.high;
}
