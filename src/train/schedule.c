#include "train/schedule.h"
#include <math.h>

void lam_schedule_init(lam_schedule *s)
{
    *s = (lam_schedule) { .best = NAN };
}

int lam_schedule_validated(lam_schedule *s, const lam_config *cfg, double loss, int counting)
{
    if (isnan(s->best) || loss < s->best) {
        s->best = loss;
        s->waited = 0;
        return 1;
    }
    if (counting && ++s->waited >= cfg->early_stopping) {
        s->waited = 0;
        if (s->cuts < cfg->rate_cuts)
            s->cuts++;
        else
            s->stopped = 1;
    }
    return 0;
}

double lam_schedule_rate(const lam_schedule *s, const lam_config *cfg)
{
    double rate = cfg->lr;
    for (uint64_t i = 0; i < s->cuts; i++)
        rate /= 10;
    return rate;
}
