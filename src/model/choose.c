/* What "auto" stands for that takes the rows themselves. */
#include "base/error.h"
#include "base/need.h"
#include "data/dataset.h"
#include "data/gaussian.h"
#include "data/present.h"
#include "data/whiten.h"
#include "model/config.h"

/* Where the others explain all but this share of a column linearly, rows lie near a plane. A map of single columns would bend it, and
 * TPR holds back the steep fields that press rows onto it: both cost more than a nat there (docs/method.md 8). */
static const double NEAR_A_PLANE = 0.01;

/* The least share over the columns of numbers, of rows without missing cells. */
static lam_status unexplained(const lam_dataset *data, double *share)
{
    lam_complete rows;
    if (data->covariance != NULL)
        return lam_least_unexplained_kept(data, share);
    LAM_TRY(lam_complete_rows(data, LAM_TRAIN, &rows));
    lam_status status = rows.rows > 0 && rows.cols > 1 ? lam_least_unexplained(rows.values, rows.rows, rows.cols, share) : LAM_OK;
    lam_complete_clear(&rows);
    return status;
}

lam_status lam_config_choose(lam_config *cfg, const lam_dataset *data)
{
    LAM_NEED(cfg, "cfg");
    LAM_NEED(data, "data");
    size_t rows = data->rows[LAM_TRAIN];
    int by_rows = cfg->map == LAM_MAP_AUTO || cfg->tpr_coefficient < 0;
    if (by_rows && cfg->model == LAM_DENSITY && rows > 0) {
        double share = 1;
        if (data->dim > 1 && (cfg->given.n == 0 || cfg->any_given))
            LAM_TRY(unexplained(data, &share));
        int near = share < NEAR_A_PLANE;
        if (cfg->map == LAM_MAP_AUTO) {
            cfg->map = near ? LAM_MAP_NONE : LAM_MAP_NORMAL_SCORES;
            cfg->map_knots = 0;
        }
        if (cfg->tpr_coefficient < 0 && near && cfg->calls == 0) /* a goal for the calls needs a penalty to reach it by */
            cfg->tpr_coefficient = 0;
    }
    if (cfg->whiten == LAM_WHITEN_AUTO)
        cfg->whiten = (cfg->any_given || cfg->calibrate == LAM_CALIBRATE_GAUSSIAN) && data->dim <= LAM_MOST_WHITENED ? LAM_WHITEN_GAUSSIAN : LAM_WHITEN_NONE;
    return lam_config_resolve(cfg, rows, data->dim);
}
