/* What a configuration makes of the penalties on the lists (penalty.h, observed.h). */
#include "penalty/loss.h"
#include "penalty/observed.h"
#include <string.h>

#define ADDRESS(name) &name,
const lam_observed_penalty *const lam_observed_penalties[LAM_OBSERVED_PENALTIES] = { LAM_OBSERVED_LIST(ADDRESS) };
static const lam_integral_penalty *const integrals[] = { LAM_INTEGRAL_LIST(ADDRESS) };
#undef ADDRESS
enum { INTEGRALS = sizeof integrals / sizeof integrals[0] };

_Static_assert((int)INTEGRALS <= (int)LAM_MAX_INTEGRANDS && LAM_OBSERVED_PENALTIES + LAM_MAX_INTEGRANDS + 1 <= LAM_MAX_TERMS,
    "there is room for every penalty");

#if LAM_WIDTH == 64
lam_terms lam_penalty_terms(const lam_config *cfg)
{
    lam_terms terms = { .n = LAM_OBSERVED_PENALTIES + INTEGRALS + 1 };
    for (size_t i = 0; i < LAM_OBSERVED_PENALTIES; i++)
        terms.term[i] = (lam_term) { lam_observed_penalties[i]->name, lam_observed_penalties[i]->configured(cfg), 0 };
    for (size_t i = 0; i < INTEGRALS; i++)
        terms.term[LAM_OBSERVED_PENALTIES + i] = (lam_term) { integrals[i]->integrand(cfg)->name, integrals[i]->coefficient(cfg), 0 };
    terms.term[terms.n - 1] = (lam_term) { "error", cfg->error_coefficient, 0 };
    return terms;
}

const char *lam_penalty_on(const lam_config *cfg, const char *but)
{
    const lam_terms terms = lam_penalty_terms(cfg);
    for (size_t i = 0; i < terms.n; i++)
        if (terms.term[i].coefficient != 0 && (but == NULL || strcmp(terms.term[i].name, but) != 0))
            return terms.term[i].name;
    return NULL;
}
#endif

lam_penalty lam_penalty_of(const lam_config *cfg, uint64_t stream)
{
    lam_penalty p = { .steer = cfg->steer, .seed = cfg->seed, .stream = stream };
    for (size_t i = 0; i < LAM_OBSERVED_PENALTIES; i++)
        if (lam_observed_penalties[i]->configured(cfg) > 0)
            lam_observed_penalties[i]->configure(cfg, &p);
    p.error.coefficient = cfg->error_coefficient;
    p.error.l_weight = cfg->error_parts == LAM_ERROR_ZL ? cfg->error_l_weight : 0;
    size_t n = 0;
    for (size_t i = 0; i < INTEGRALS; i++)
        if (integrals[i]->coefficient(cfg) > 0)
            p.coefficient[n++] = integrals[i]->coefficient(cfg);
    return p;
}

void lam_penalty_scale(lam_penalty *p, double scale)
{
    for (size_t i = 0; i < LAM_OBSERVED_PENALTIES; i++)
        lam_observed_penalties[i]->scale(p, scale);
    p->error.coefficient *= scale;
    for (size_t i = 0; i < LAM_MAX_INTEGRANDS; i++)
        p->coefficient[i] *= scale;
}

void lam_penalty_options(const lam_config *cfg, lam_engine_options *options)
{
    const lam_penalty p = lam_penalty_of(cfg, 0);
    options->max_times = 0;
    options->l_observed = 0;
    for (size_t i = 0; i < LAM_OBSERVED_PENALTIES; i++) {
        const lam_observed_penalty *o = lam_observed_penalties[i];
        if (o->times(&p) > options->max_times)
            options->max_times = o->times(&p);
        options->l_observed |= o->times(&p) > 0 && o->of_l(&p);
    }
    options->errors = p.error.coefficient > 0;
    options->l_observed |= options->errors && p.error.l_weight > 0;
    options->integrands = 0;
    for (size_t i = 0; i < INTEGRALS; i++)
        if (integrals[i]->coefficient(cfg) > 0)
            options->integrand[options->integrands++] = integrals[i]->integrand(cfg);
}
