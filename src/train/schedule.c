/* Decides the learning rate of each iteration, and when training ends. */
#include "train/schedule.h"
#include "model/defaults.h"
#include <math.h>

static const double PI = 3.14159265358979323846;

void lam_schedule_init(lam_schedule *s)
{
    *s = (lam_schedule) { .best = NAN };
}

int lam_schedule_holds(const lam_schedule *s, const lam_config *cfg)
{
    return cfg->schedule == LAM_SCHEDULE_COSINE && s->turns == 0 && lam_config_is_timed(cfg) && cfg->decay_from == 0;
}

/* The iteration at which cosine's rate comes to 0. */
static uint64_t bottom(const lam_schedule *s, const lam_config *cfg)
{
    return s->turns > 0 ? s->end : cfg->decay_to > 0 ? cfg->decay_to : cfg->iterations;
}

/* The share p of the way that lies behind `iteration`. */
static double share(const lam_schedule *s, const lam_config *cfg, uint64_t iteration)
{
    double from = (double)(s->turns > 0 ? s->turn_at : cfg->decay_from), at = s->turns > 0 ? s->turn_share : 0;
    double end = (double)bottom(s, cfg);
    if (lam_schedule_holds(s, cfg) || (double)iteration <= from)
        return at;
    return end > from ? fmin(1, at + (1 - at) * ((double)iteration - from) / (end - from)) : 1;
}

static void turn(lam_schedule *s, const lam_config *cfg, uint64_t iteration, uint64_t more)
{
    uint64_t end = bottom(s, cfg), at = iteration + (more > 0 ? more : 1);
    s->turn_share = share(s, cfg, iteration);
    s->turn_at = iteration;
    s->end = at < end ? at : end;
    s->turns++;
}

void lam_schedule_turn(lam_schedule *s, const lam_config *cfg, uint64_t iteration, uint64_t more)
{
    turn(s, cfg, iteration, more);
}

/* 1: the clock, or decay-from, has set the way down of which iteration is a part. */
static int is_set(const lam_schedule *s, const lam_config *cfg, uint64_t iteration)
{
    return cfg->decay_from > 0 ? iteration >= cfg->decay_from : lam_config_is_timed(cfg) && s->turns > 0;
}

void lam_schedule_fall(lam_schedule *s, const lam_config *cfg, uint64_t iteration)
{
    s->cuts = 1;
    turn(s, cfg, iteration, lam_config_is_timed(cfg) ? iteration : iteration / 4);
}

enum { SHORT = 100 }; /* iterations, all of which are done */

/* Too early for a plateau, where no clock says how many iterations there are: a rate at its height may cost what its fall brings. That is before
 * decay-from, where it is said (and so in the repeat of a timed fit, whose plateau, if it had one, is its decay-from), else the first half. */
static int is_early(const lam_config *cfg, uint64_t iteration)
{
    if (cfg->schedule != LAM_SCHEDULE_COSINE || lam_config_is_timed(cfg))
        return 0;
    return cfg->decay_from > 0 ? iteration < cfg->decay_from : cfg->iterations < SHORT || 2 * iteration < cfg->iterations;
}

/* Validation has stopped improving. */
static void plateau(lam_schedule *s, const lam_config *cfg, uint64_t iteration)
{
    if (cfg->schedule == LAM_SCHEDULE_CUTS) {
        if (s->cuts < cfg->rate_cuts)
            s->cuts++;
        else
            s->stopped = LAM_STOPPED_BY_VALIDATION;
    } else if (cfg->schedule == LAM_SCHEDULE_COSINE && s->cuts == 0 && !is_set(s, cfg, iteration)) {
        lam_schedule_fall(s, cfg, iteration);
    }
    s->waited = 0;
}

int lam_schedule_validated(lam_schedule *s, const lam_config *cfg, uint64_t iteration, double loss, int counting)
{
    if (isnan(s->best) || loss < s->best) {
        s->best = loss;
        s->waited = 0;
        s->worse_from = iteration;
        return 1;
    }
    if (counting && ++s->waited >= cfg->early_stopping && !is_early(cfg, iteration))
        plateau(s, cfg, iteration);
    return 0;
}

static double base_rate(const lam_schedule *s, const lam_config *cfg, uint64_t iteration)
{
    double rate = ldexp(cfg->lr, -(int)s->halvings), n = (double)cfg->lr_warmup;
    if (cfg->decay_from == 0 && !lam_config_is_timed(cfg)) /* for short looks; else the rate is held, for how long may not be known yet */
        n = fmin(n, (double)cfg->iterations / 10);
    return cfg->schedule == LAM_SCHEDULE_COSINE && (double)iteration + 1 < n ? rate * ((double)iteration + 1) / n : rate;
}

double lam_schedule_rate(const lam_schedule *s, const lam_config *cfg, uint64_t iteration)
{
    double rate = base_rate(s, cfg, iteration);
    if (cfg->schedule == LAM_SCHEDULE_COSINE)
        return rate * (1 + cos(PI * share(s, cfg, iteration))) / 2;
    for (uint64_t i = 0; i < s->cuts; i++)
        rate /= 10;
    return rate;
}

double lam_schedule_warm_rate(const lam_schedule *s, const lam_config *cfg, uint64_t iteration)
{
    return base_rate(s, cfg, iteration);
}

int lam_schedule_is_over(const lam_schedule *s, const lam_config *cfg, uint64_t iteration)
{
    return s->stopped || iteration >= cfg->iterations || (s->turns > 0 && iteration >= s->end);
}
