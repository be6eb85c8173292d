/* What a configuration makes of the penalties on the lists (penalty.h, observed.h). */
#include "penalty/loss.h"
#include "penalty/observed.h"
#include <math.h>
#include <stddef.h>
#include <string.h>

#define ADDRESS(name, row, help) &LAM_OBSERVED_NAME(name),
const lam_observed_penalty *const lam_observed_penalties[LAM_OBSERVED_PENALTIES] = { LAM_OBSERVED_LIST(ADDRESS) };
#undef ADDRESS

/* A row of the list of integrals. */
typedef struct integral {
    const lam_integral_penalty *penalty;
    const char *name;
    size_t coefficient; /* its place in lam_config */
} integral;
#define ROW(name, row, help) { &lam_##name##_penalty, #name, offsetof(lam_config, name##_coefficient) },
static const integral integrals[] = { LAM_INTEGRAL_LIST(ROW) };
#undef ROW
enum { INTEGRALS = sizeof integrals / sizeof integrals[0] };

_Static_assert((int)INTEGRALS <= (int)LAM_MAX_INTEGRANDS && LAM_OBSERVED_PENALTIES + LAM_MAX_INTEGRANDS + 1 <= LAM_MAX_TERMS,
    "there is room for every penalty");

static double coefficient_at(const lam_config *cfg, size_t place)
{
    return *(const double *)((const char *)cfg + place);
}

static double observed_coefficient(const lam_config *cfg, size_t i)
{
#define PLACE(name, row, help) offsetof(lam_config, name##_coefficient),
    static const size_t place[] = { LAM_OBSERVED_LIST(PLACE) };
#undef PLACE
    return coefficient_at(cfg, place[i]);
}

static const lam_integrand *integrand(const lam_config *cfg, const integral *i)
{
    return i->penalty->integrand != NULL ? i->penalty->integrand : i->penalty->choose(cfg);
}

#if LAM_WIDTH == 64
const char *lam_observed_name(size_t i)
{
#define NAME(name, row, help) #name,
    static const char *const names[] = { LAM_OBSERVED_LIST(NAME) };
#undef NAME
    return names[i];
}

lam_terms lam_penalty_terms(const lam_config *cfg)
{
    lam_terms terms = { .n = LAM_OBSERVED_PENALTIES + INTEGRALS + 1 };
    for (size_t i = 0; i < LAM_OBSERVED_PENALTIES; i++)
        terms.term[i] = (lam_term) { lam_observed_name(i), observed_coefficient(cfg, i), 0 };
    for (size_t i = 0; i < INTEGRALS; i++)
        terms.term[LAM_OBSERVED_PENALTIES + i] = (lam_term) { integrals[i].name, coefficient_at(cfg, integrals[i].coefficient), 0 };
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
    for (size_t i = 0; i < LAM_OBSERVED_PENALTIES; i++) {
        const lam_observed_penalty *o = lam_observed_penalties[i];
        p.observed[i] = fmax(0, observed_coefficient(cfg, i)); /* below 0: not chosen yet */
        if (p.observed[i] > 0 && o->configure != NULL)
            o->configure(cfg, &p);
    }
    p.error.coefficient = cfg->error_coefficient;
    p.error.l_weight = cfg->error_parts == LAM_ERROR_ZL ? cfg->error_l_weight : 0;
    size_t n = 0;
    for (size_t i = 0; i < INTEGRALS; i++)
        if (coefficient_at(cfg, integrals[i].coefficient) > 0)
            p.coefficient[n++] = coefficient_at(cfg, integrals[i].coefficient);
    return p;
}

void lam_penalty_scale(lam_penalty *p, double scale)
{
    for (size_t i = 0; i < LAM_OBSERVED_PENALTIES; i++)
        p->observed[i] *= scale;
    p->error.coefficient *= scale;
    for (size_t i = 0; i < LAM_MAX_INTEGRANDS; i++)
        p->coefficient[i] *= scale;
}

void lam_penalty_options(const lam_config *cfg, lam_engine_options *options)
{
    const lam_penalty p = lam_penalty_of(cfg, 0);
    options->max_observations = 0;
    options->l_observed = 0;
    for (size_t i = 0; i < LAM_OBSERVED_PENALTIES; i++) {
        size_t times = lam_observed_wanted(&p, i);
        if (times > options->max_observations)
            options->max_observations = times;
        options->l_observed |= times > 0 && lam_observed_of_l(&p, i);
    }
    options->errors = p.error.coefficient > 0;
    options->l_observed |= options->errors && p.error.l_weight > 0;
    options->integrands = 0;
    for (size_t i = 0; i < INTEGRALS; i++)
        if (coefficient_at(cfg, integrals[i].coefficient) > 0)
            options->integrand[options->integrands++] = integrand(cfg, &integrals[i]);
}
