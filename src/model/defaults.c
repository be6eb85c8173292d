/* What "auto" stands for: chosen by rows and columns alone, so that the same data give the same fit. */
#include "model/defaults.h"
#include "base/need.h"
#include "optim/optimizer.h"
#include "penalty/penalty.h"
#include <string.h>

/* The learning rate of an optimiser where none is given. */
static double rate_of(lam_optimizer kind)
{
    static const double rates[] = {
#define RATE(code, word, name, rate) [code] = rate,
        LAM_OPTIMIZER_LIST(RATE, LAM_NONE)
#undef RATE
    };
    return rates[kind];
}

enum { FEW = LAM_FEW_ROWS, MANY = 20000 }; /* training rows: a density of few is soon known */

typedef struct choice {
    size_t width, layers, blocks, batch, iterations, start, validations;
} choice;

/* Found by measuring on power_month (33,178 training rows of 6 columns), protein (35,657 of 10), ccpp (7,750 of 5) and the first 1000 rows
 * of ccpp, each for the same processor seconds (docs/method.md 8). A flow of more than 32 columns gets wider layers, of which the first and the
 * last would otherwise be a bottleneck; columns that are given do not pass through them. */
static choice of_density(size_t rows, size_t moving)
{
    choice c = { .width = moving > 32 ? 128 : 64, .layers = 3, .blocks = 5, .batch = 1000, .iterations = 1000, .start = 2000,
        .validations = 40 };
    if (rows < MANY) {
        c.blocks = 3;
        c.batch = 500;
        c.iterations = 1500;
        c.start = 1000;
    }
    if (rows < FEW) { /* and these are soon known */
        c.layers = c.blocks = 2;
        c.batch = 250;
        c.iterations = 1000;
        c.start = 500;
    }
    return c;
}

/* Of the net that makes a context: wider ones cost time, and bring nothing for it. What several columns are together can depend on the given ones
 * in ways that take a deep net; one or two moving columns lose by it (docs/method.md 8). */
enum { CONTEXT_WIDTH = 64, CONTEXT_LAYERS = 2, DEEP_CONTEXT_WIDTH = 48, DEEP_CONTEXT_LAYERS = 6, FEW_MOVING = 2 };
/* Any columns given any others, of many rows: whitening has done most of what a start does (docs/method.md 8). */
enum { ANY_GIVEN_START = 500 };

static size_t between(size_t low, size_t n, size_t high)
{
    return n < low ? low : n > high ? high : n;
}

/* A few images are not trained on all at once: batches of a quarter of them disagree about the direction, where one of all of them sends
 * Adam's steps of even size the same way until the maps to the flow are so steep that no solver follows. And they are soon known. */
static choice of_images(size_t rows)
{
    return (choice) { .width = 64, .layers = 3, .blocks = 1, .batch = between(8, rows / 4, 100),
        .iterations = between(1000, rows < 500 ? 20 * rows : 10000, 10000), .validations = 50 };
}

/* That of the published auto-encoders, half of what the optimiser has elsewhere. */
static const double IMAGES_RATE = 0.5;

int lam_config_is_conditional(const lam_config *cfg)
{
    return cfg->given.n > 0 || cfg->any_given;
}

void lam_config_unsaid(lam_config *cfg)
{
    cfg->map = LAM_MAP_NONE;
    cfg->whiten = LAM_WHITEN_NONE;
    cfg->calibrate = LAM_CALIBRATE_NONE;
    cfg->flows = 1;
    cfg->context_maps = LAM_CONTEXT_OWN;
}

int lam_config_is_timed(const lam_config *cfg)
{
    return cfg->max_seconds > 0 || cfg->max_processor_seconds > 0;
}

/* Whoever says how long a fit takes needs a rate that is down by then. */
lam_schedule_kind lam_schedule_of(const lam_config *cfg)
{
    if (cfg->schedule != LAM_SCHEDULE_AUTO)
        return cfg->schedule;
    return cfg->model == LAM_VAE && !lam_config_is_timed(cfg) ? LAM_SCHEDULE_CUTS : LAM_SCHEDULE_COSINE;
}

/* How long. What depends on the number of iterations does not where a limit of time ends them, nor where decay-from repeats such a run. */
static void resolve_length(lam_config *cfg, const choice *c)
{
    int timed = lam_config_is_timed(cfg);
    if (cfg->val_freq == LAM_AUTO && ((timed && cfg->iterations == LAM_AUTO) || cfg->decay_from > 0))
        cfg->val_freq = c->iterations / c->validations;
    if (cfg->iterations == LAM_AUTO && timed && cfg->schedule == LAM_SCHEDULE_COSINE)
        cfg->iterations = LAM_UNENDING;
    if (cfg->iterations == LAM_AUTO)
        cfg->iterations = c->iterations > cfg->decay_from ? c->iterations : 2 * cfg->decay_from;
    if (cfg->warm_start == LAM_AUTO_START) { /* a few iterations for a quick look want no long start */
        cfg->warm_start = c->start / 10 < cfg->iterations || cfg->decay_from > 0 ? c->start : 10 * cfg->iterations;
        cfg->start_is_chosen = 1;
    }
    if (cfg->val_freq == LAM_AUTO)
        cfg->val_freq = cfg->iterations < c->validations ? 1 : cfg->iterations / c->validations;
}

/* TPR with the weight of l halves the calls in training and in scoring, at a test NLL that is as good or better for the same seconds
 * (docs/method.md 8). Whoever asks for another penalty wants that one alone; the adjoint has no reverse of it; and of images no such
 * setting has been measured. */
static const double COEFFICIENT = 50, L_WEIGHT = 1;

static void resolve_penalty(lam_config *cfg)
{
    int other = lam_penalty_on(cfg, "tpr") != NULL || cfg->steer > 0;
    int chosen = cfg->tpr_coefficient < 0;
    if (chosen)
        cfg->tpr_coefficient = other || cfg->model == LAM_VAE || cfg->gradient == LAM_GRAD_ADJOINT ? 0 : COEFFICIENT;
    if (cfg->tpr_l_weight < 0)
        cfg->tpr_l_weight = chosen && cfg->tpr_coefficient > 0 ? L_WEIGHT : 0;
}

/* soap keeps no basis of a side above LAM_SOAP_WIDEST, where little more than Adam is left of it. */
static lam_optimizer optimizer_of(const lam_config *cfg)
{
    if (cfg->model == LAM_VAE)
        return LAM_ADAMAX;
    for (size_t i = 0; i < cfg->n_hidden; i++)
        if (cfg->hidden[i] >= LAM_SOAP_WIDEST) /* concat adds a column of t */
            return LAM_MUON;
    return LAM_SOAP;
}

/* A fixed choice of given columns, of which the measurements are. Any columns given any others are other inputs in every row. */
static int is_split(const lam_config *cfg)
{
    return cfg->given.n > 0 && !cfg->any_given;
}

/* A conditional density that is stopped where its validation NLL is least is too sure of itself, and stopped too early (docs/method.md 17). One
 * of any columns given any others has densities that agree where a Gaussian is all that the rows show (16). */
static lam_calibrate_kind calibration_of(const lam_config *cfg)
{
    if (cfg->any_given && cfg->whiten == LAM_WHITEN_GAUSSIAN)
        return LAM_CALIBRATE_GAUSSIAN;
    return is_split(cfg) ? LAM_CALIBRATE_SCALE : LAM_CALIBRATE_NONE;
}

/* The net that given columns enter by learns few training rows by heart, where a joint density of the same rows does not: with a decay of 0.2
 * the NLL of kin8nm's test rows (of 7373) goes from -0.98 to -1.29; of many rows it only costs (docs/method.md 8). The deep net of many moving
 * columns wants a little more. Decoupled decay alone: that of adam and adamax is part of the gradient, and another number. A joint density
 * learns by heart what are a few hundred rows. */
enum { FEWEST = 500 };
static double decay_of(const lam_config *cfg, size_t rows, size_t moving)
{
    if (cfg->model == LAM_VAE || cfg->any_given || cfg->optimizer == LAM_ADAM || cfg->optimizer == LAM_ADAMAX)
        return 0;
    if (!is_split(cfg))
        return rows < FEWEST ? 1 : 0;
    return rows < FEW ? 0.5 : rows >= MANY ? 0 : moving > FEW_MOVING ? 0.3 : 0.2;
}

/* Of few rows the best decay differs from table to table by a factor of three and more, and a fit is short, so that several are tried. Whoever says
 * how many iterations he wants has one fit in mind. */
static int tries_decays(const lam_config *cfg, size_t rows)
{
    return cfg->model == LAM_DENSITY && !cfg->any_given && rows < FEW && cfg->optimizer != LAM_ADAM && cfg->optimizer != LAM_ADAMAX
        && cfg->iterations == LAM_AUTO && cfg->decay_from == 0;
}

/* A flow of few rows differs by chance from the next: by its seed, and by the rows that say when to stop. The mean of several densities is
 * better than their usual one, by 0.1 to 2 nats (docs/method.md 18), and a fit of few rows is short. Whoever says how many iterations he wants
 * has one fit in mind. */
enum { SOME = 10000 }; /* training rows */
static size_t flows_of(const lam_config *cfg, size_t rows)
{
    if (cfg->model == LAM_VAE || cfg->iterations != LAM_AUTO || cfg->decay_from > 0)
        return 1;
    /* of many rows one flow, and more only where a limit of time is long (train/turn.c) */
    return rows < FEW ? 5 : rows < SOME || lam_config_is_timed(cfg) ? 3 : 1;
}

int lam_flows_are_spare(const lam_config *cfg, size_t rows)
{
    return cfg->flows_are_chosen && rows >= SOME;
}

/* How many iterations of flow matching and of training. A joint density soon gains more by maximum likelihood than by flow matching
 * (docs/method.md 8); a fixed choice of given columns wants the table's longer start. */
static void choose_length(const lam_config *cfg, size_t rows, choice *c)
{
    if (cfg->model == LAM_VAE || is_split(cfg))
        return;
    if (cfg->any_given) {
        c->start = rows >= MANY ? ANY_GIVEN_START : c->start;
        return;
    }
    c->start = rows >= MANY ? 250 : 500;
    c->iterations = rows >= MANY ? 1200 : c->iterations;
}

lam_status lam_config_resolve(lam_config *cfg, size_t rows, size_t columns)
{
    LAM_NEED(cfg, "cfg");
    int images = cfg->model == LAM_VAE;
    if (cfg->flows == LAM_AUTO) {
        cfg->flows = flows_of(cfg, rows);
        cfg->flows_are_chosen = 1;
    }
    size_t given = cfg->given.n < columns ? cfg->given.n : 0;
    choice c = images ? of_images(rows) : of_density(rows, columns - given);
    if (cfg->n_hidden == 0) {
        cfg->n_hidden = c.layers;
        for (size_t i = 0; i < c.layers; i++)
            cfg->hidden[i] = c.width;
    }
    if (cfg->n_context_hidden == 0 && lam_config_is_conditional(cfg)) {
        int deep = is_split(cfg) && columns - given > FEW_MOVING;
        cfg->n_context_hidden = deep ? DEEP_CONTEXT_LAYERS : CONTEXT_LAYERS;
        for (size_t i = 0; i < cfg->n_context_hidden; i++)
            cfg->context_hidden[i] = deep ? DEEP_CONTEXT_WIDTH : CONTEXT_WIDTH;
    }
    choose_length(cfg, rows, &c);
    if (cfg->blocks == LAM_AUTO) /* of few rows one conditional block does as well as two, in half the time */
        cfg->blocks = is_split(cfg) && rows < FEW ? 1 : c.blocks;
    if (cfg->context_maps == LAM_CONTEXT_AUTO && lam_config_is_conditional(cfg)) /* of one block they are its own */
        cfg->context_maps = cfg->blocks > 1 ? LAM_CONTEXT_SHARED : LAM_CONTEXT_OWN;
    if (cfg->batch_size == LAM_AUTO)
        cfg->batch_size = c.batch;
    if (cfg->optimizer == LAM_OPTIMIZER_AUTO)
        cfg->optimizer = optimizer_of(cfg);
    if (cfg->weight_decay < 0) {
        cfg->weight_decay = decay_of(cfg, rows, columns - given);
        cfg->decay_is_chosen = tries_decays(cfg, rows);
    }
    cfg->schedule = lam_schedule_of(cfg);
    if (!(cfg->lr > 0))
        cfg->lr = (images ? IMAGES_RATE : 1) * rate_of(cfg->optimizer);
    resolve_length(cfg, &c);
    resolve_penalty(cfg);
    if (cfg->map == LAM_MAP_AUTO) /* it takes the rows themselves: lam_config_choose */
        cfg->map = LAM_MAP_NONE;
    if (cfg->whiten == LAM_WHITEN_AUTO)
        cfg->whiten = LAM_WHITEN_NONE;
    if (cfg->calibrate == LAM_CALIBRATE_AUTO)
        cfg->calibrate = calibration_of(cfg);
    return LAM_OK;
}
