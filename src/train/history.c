/* metrics.jsonl, read back. */
#include "base/error.h"
#include "base/file.h"
#include "base/need.h"
#include "laminar.h"
#include "laminar/experiment.h"
#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double unknown = (double)NAN;

/* What has been read so far. */
typedef struct reader {
    lam_history *history;
    size_t train_room, validation_room;
    double iteration, calls, rate; /* of lines that do not count calls themselves: the last training line's iteration, calls up to
                                    * it, calls of that iteration */
} reader;

/* A number of a JSON object, NaN if it is missing or null. */
static double number(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) ? item->valuedouble : unknown;
}

/* A further point at the end of *points [*n], room for *room. NULL: out of memory. */
static lam_history_point *add_point(lam_history_point **points, size_t *n, size_t *room)
{
    if (*n == *room) {
        size_t more = *room == 0 ? 64 : 2 * *room;
        lam_history_point *larger = more > SIZE_MAX / sizeof **points ? NULL : realloc(*points, more * sizeof **points);
        if (larger == NULL) {
            lam_fail(LAM_ERR_MEMORY, "out of memory: a run with more than %zu lines", *n);
            return NULL;
        }
        *points = larger;
        *room = more;
    }
    return &(*points)[(*n)++];
}

static lam_history_point read_point(const cJSON *object)
{
    return (lam_history_point) { .iteration = number(object, "iteration"), .nll = number(object, "nll"),
        .best_val_nll = unknown, .forward = number(object, "forward"), .backward = number(object, "backward"),
        .accepted = number(object, "accepted"), .rejected = number(object, "rejected"),
        .penalty_scale = number(object, "penalty_scale"), .calls = number(object, "calls"), .seconds = number(object, "seconds"),
        .train_seconds = number(object, "train_seconds"), .train_cpu_seconds = number(object, "train_cpu_seconds") };
}

static void read_warm_start(lam_history *h, const cJSON *object)
{
    const lam_history_point p = read_point(object);
    h->has_summary = 0; /* the run went on */
    h->iterations = 0;
    h->seconds = p.seconds;
    h->train_seconds = p.train_seconds;
    h->train_cpu_seconds = p.train_cpu_seconds;
}

/* Lines of earlier versions do not count calls: such a one stands for the iterations since the one before. */
static lam_status read_train(reader *r, const cJSON *object)
{
    lam_history *h = r->history;
    lam_history_point *p = add_point(&h->train, &h->n_train, &r->train_room);
    if (p == NULL)
        return LAM_ERR_MEMORY;
    *p = read_point(object);
    r->rate = p->forward + p->backward;
    r->calls += (p->iteration - r->iteration) * r->rate;
    r->iteration = p->iteration;
    if (isnan(p->calls))
        p->calls = r->calls;
    h->has_summary = 0; /* the run went on */
    return LAM_OK;
}

static lam_status read_validation(reader *r, const cJSON *object)
{
    lam_history *h = r->history;
    lam_history_point *p = add_point(&h->validation, &h->n_validations, &r->validation_room);
    if (p == NULL)
        return LAM_ERR_MEMORY;
    *p = read_point(object);
    p->nll = number(object, "val_nll");
    p->best_val_nll = number(object, "best_val_nll");
    if (!isnan(p->calls))
        return LAM_OK;
    if (r->iteration > 0)
        p->calls = r->calls + (p->iteration - r->iteration) * r->rate;
    else
        p->calls = p->iteration == 0 ? 0 : unknown;
    return LAM_OK;
}

static void read_summary(lam_history *h, const cJSON *object)
{
    const cJSON *finished = cJSON_GetObjectItemCaseSensitive(object, "finished");
    h->has_summary = 1;
    h->finished = cJSON_IsTrue(finished) || (cJSON_IsNumber(finished) && finished->valuedouble != 0.0);
    h->iterations = number(object, "iterations");
    h->best_iteration = number(object, "best_iteration");
    h->best_val_nll = number(object, "best_val_nll");
    h->test_nll = number(object, "test_nll");
    h->gaussian_test_nll = number(object, "gaussian_test_nll");
    h->mixture_test_nll = number(object, "mixture_test_nll");
    h->mixture_components = number(object, "mixture_components");
    h->log_det = number(object, "log_det");
    h->best_val_nll_se = number(object, "best_val_nll_se");
    h->test_nll_se = number(object, "test_nll_se");
    h->gaussian_test_nll_se = number(object, "gaussian_test_nll_se");
    h->train_forward = number(object, "train_forward");
    h->train_backward = number(object, "train_backward");
    h->train_accepted = number(object, "train_accepted");
    h->train_rejected = number(object, "train_rejected");
    int warm = cJSON_HasObjectItem(object, "warm_start");
    h->warm_start_forward = warm ? number(object, "warm_start_forward") : 0;
    h->warm_start_backward = warm ? number(object, "warm_start_backward") : 0;
    h->test_forward = number(object, "test_forward");
    h->test_solves = number(object, "test_solves");
    h->seconds = number(object, "seconds");
    h->train_seconds = number(object, "train_seconds");
    h->train_cpu_seconds = number(object, "train_cpu_seconds");
}

/* A run without a summary: as far as its last lines tell. */
static void summarise(lam_history *h)
{
    const lam_history_point *train = h->n_train > 0 ? &h->train[h->n_train - 1] : NULL;
    const lam_history_point *validation = h->n_validations > 0 ? &h->validation[h->n_validations - 1] : NULL;
    if (h->has_summary)
        return;
    h->finished = 0;
    h->best_iteration = h->test_nll = h->gaussian_test_nll = h->mixture_test_nll = h->mixture_components = h->log_det = unknown;
    h->train_forward = h->train_backward = h->train_accepted = h->train_rejected = h->test_forward = h->test_solves = unknown;
    h->warm_start_forward = h->warm_start_backward = unknown;
    h->best_val_nll_se = h->test_nll_se = h->gaussian_test_nll_se = unknown;
    if (train != NULL) {
        h->iterations = train->iteration;
        h->seconds = train->seconds;
        h->train_seconds = train->train_seconds;
        h->train_cpu_seconds = train->train_cpu_seconds;
    }
    h->best_val_nll = validation != NULL ? validation->best_val_nll : unknown;
}

static lam_status read_line(reader *r, const char *line)
{
    lam_status status = LAM_OK;
    cJSON *object = cJSON_Parse(line); /* NULL for a line cut short by a kill */
    const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, "type"));
    if (type != NULL && strcmp(type, "train") == 0)
        status = read_train(r, object);
    else if (type != NULL && strcmp(type, "warm_start") == 0)
        read_warm_start(r->history, object);
    else if (type != NULL && strcmp(type, "validation") == 0)
        status = read_validation(r, object);
    else if (type != NULL && strcmp(type, "summary") == 0)
        read_summary(r->history, object);
    cJSON_Delete(object);
    return status;
}

lam_status lam_history_read(const char *run_dir, lam_history *out)
{
    LAM_NEED(out, "out");
    *out = (lam_history) { 0 };
    LAM_NEED(run_dir, "run_dir");
    *out = (lam_history) { .iterations = unknown, .seconds = unknown, .train_seconds = unknown, .train_cpu_seconds = unknown };
    size_t room = 0;
    char *path = lam_path_join(run_dir, "metrics.jsonl"), *line = NULL;
    if (path == NULL)
        return LAM_ERR_MEMORY;
    FILE *stream = fopen(path, "r");
    lam_status status = LAM_OK;
    reader r = { .history = out };
    if (stream == NULL)
        status = lam_fail(LAM_ERR_IO, "%s cannot be read (%s); is %s the folder of a fit?", path, strerror(errno), run_dir);
    while (status == LAM_OK && getline(&line, &room, stream) > 0)
        status = read_line(&r, line);
    free(line);
    if (stream != NULL)
        fclose(stream);
    free(path);
    if (status == LAM_OK)
        summarise(out);
    else
        lam_history_free(out);
    return status;
}

void lam_history_free(lam_history *history)
{
    if (history == NULL)
        return;
    free(history->train);
    free(history->validation);
    *history = (lam_history) { 0 };
}
