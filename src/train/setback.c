/* Takes a training that went wrong back to its best model, and says what ended one early. */
#include "train/setback.h"
#include "base/error.h"
#include "base/log.h"
#include "model/defaults.h"
#include "train/limit.h"
#include "train/several.h"
#include "train/turn.h"
#include <math.h>
#include <stdio.h>

enum { SETBACKS = 2 }; /* the next one ends the training */

int lam_setback_is_possible(const lam_run *run, lam_status status, int last)
{
    return (status == LAM_ERR_DIVERGED || status == LAM_ERR_SOLVER)
        && ((run->state.setbacks < SETBACKS && !last) || lam_fit_state_has_best(&run->state));
}

/* falls: what is said of the rate where it begins to fall with this. */
static lam_status set_back(lam_run *run, int last, const char *falls)
{
    lam_fit_state *s = &run->state;
    const lam_log *log = &run->options->log;
    unsigned long long at = (unsigned long long)s->iteration;
    int over = s->setbacks >= SETBACKS || last;
    s->setbacks++;
    if (over) {
        s->schedule.stopped = LAM_STOPPED_BY_FAILURE;
        lam_log_say(log, "iteration %llu: %s; %straining ends here with the best model, that of iteration %llu", at,
            lam_last_error(), last ? "" : "this is the third time, so ", (unsigned long long)s->best_iteration);
        return LAM_OK;
    }
    s->schedule.halvings++;
    s->schedule.waited = 0;
    s->schedule.worse_from = s->iteration;
    lam_fit_state_restore_best(s);
    lam_fit_state_forget(s);
    char where[64] = "the start, as nothing is validated yet";
    if (lam_fit_state_has_best(s))
        snprintf(where, sizeof where, "the best model so far, that of iteration %llu", (unsigned long long)s->best_iteration);
    lam_log_say(log, "iteration %llu: %s; training continues from %s, with half the learning rate%s", at, lam_last_error(), where, falls);
    return lam_run_log_setback(run, lam_run_rate(run));
}

lam_status lam_set_back(lam_run *run, int last)
{
    return set_back(run, last, "");
}

/* ---- worse than the start ------------------------------------------------------------------------------------------- */

static const double WORSE = 0.1; /* nats, that validation's own noise does not come to */
enum { WORSE_IN_A_ROW = 5, WORSE_ITERATIONS = 30 }; /* validations, and iterations: a rate at its height, and a penalty that straightens the paths, cost some
                                                     * at first */

static int is_worse_than_start(const lam_run *run)
{
    const lam_fit_state *s = &run->state;
    return s->iteration >= s->schedule.worse_from + WORSE_ITERATIONS && s->schedule.waited >= WORSE_IN_A_ROW
        && run->validation.nll > s->start_nll + WORSE; /* never, where there was no such validation */
}

/* The training rows fare better than they did at the start, and better than the validation rows. */
static int is_by_heart(const lam_run *run)
{
    return run->state.train_nll < run->state.start_nll && run->state.train_nll < run->validation.nll - WORSE;
}

lam_status lam_setback_by_validation(lam_run *run, int last)
{
    lam_fit_state *s = &run->state;
    if (!is_worse_than_start(run) || last)
        return LAM_OK;
    int by_heart = is_by_heart(run);
    char heart[160] = "";
    if (by_heart)
        snprintf(heart, sizeof heart, ", while that of the training rows is %.3g: the flow learns these by heart", s->train_nll);
    lam_fail(LAM_ERR_DIVERGED, "the validation NLL is %.6g: for five validations in a row no better than before, and above the %.6g that the flow-matching start had reached%s",
        run->validation.nll, s->start_nll, heart);
    s->overfits += (uint64_t)by_heart;
    if (!by_heart || !lam_schedule_holds(&s->schedule, run->cfg) || s->setbacks >= SETBACKS)
        return set_back(run, 0, "");
    lam_schedule_fall(&s->schedule, run->cfg, s->iteration);
    lam_turn_bound(run);
    return set_back(run, 0, ", which falls from here on");
}

/* ---- the end -------------------------------------------------------------------------------------------------------- */

static const double EARLY = 0.25; /* of a limit's time that is left */

/* The share of the limits' time that is left; 0 without one. */
static double share_left(const lam_run *run)
{
    double left = lam_limit_training_left(run), used = lam_limit_used(run);
    return isfinite(left) && used + left > 0 ? left / (used + left) : 0;
}

lam_ending lam_setback_ending(const lam_run *run)
{
    const lam_fit_state *s = &run->state;
    if (s->setbacks > SETBACKS)
        return LAM_ENDED_SETBACKS;
    int fell_early = run->cfg->schedule == LAM_SCHEDULE_COSINE && s->schedule.cuts > 0 && s->schedule.end < run->asked;
    if (s->schedule.stopped == LAM_STOPPED_BY_VALIDATION || fell_early)
        return LAM_ENDED_PLATEAU;
    return lam_config_is_timed(run->cfg) && s->iteration < run->asked ? LAM_ENDED_TIME : LAM_ENDED_ITERATIONS;
}

void lam_setback_say_early(const lam_run *run)
{
    const lam_fit_state *s = &run->state;
    const lam_config *cfg = run->cfg;
    lam_ending ending = lam_setback_ending(run);
    double left = share_left(run);
    const lam_log *log = &run->options->log;
    int is_divided = s->limit_share > 0 && s->limit_share < 1, has_room = (1 - left) * (1 + LAM_FLOW_MARGIN) < 1;
    if (run->target->more && (is_divided || has_room)) /* the time left is for other flows */
        return;
    if (!lam_config_is_timed(cfg) || left <= EARLY || (ending != LAM_ENDED_PLATEAU && ending != LAM_ENDED_SETBACKS))
        return;
    if (ending == LAM_ENDED_SETBACKS || s->overfits > 0)
        lam_log_say(log, "%s, so training ended after %llu iterations, with %.0f %% of the limit of time left; more time would not have helped",
            s->overfits > 0 ? "the flow learned the training rows by heart" : "training went wrong three times", (unsigned long long)s->iteration, 100 * left);
    else
        lam_log_say(log, "validation stopped improving (%zu in a row were no better than the best one), so the learning rate fell from iteration %llu "
            "on, and training ended after %llu, with %.0f %% of the limit of time left; a larger --early-stopping holds the rate longer",
            cfg->early_stopping, (unsigned long long)s->schedule.turn_at, (unsigned long long)s->iteration, 100 * left);
}
