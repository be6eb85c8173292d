/* Fits a Gaussian to standardised columns, and holds it against the one behind maps. */
#include "train/plain.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/room.h"

static const double HALF_LOG_2_PI = 0.91893853320467274178;
static const double WORK = 1e10; /* multiplications at the most that the validation rows may take */

/* What the NLL of a row takes. */
typedef struct scorer {
    const lam_given *given;
    const lam_maps *maps;
    lam_whitener *whitener;
    double *moving;       /* [given->moving] */
    unsigned char *moves; /* [given->moving] */
} scorer;

static double score(const scorer *s, const double *x, const unsigned char *roles)
{
    double log_det, sum = 0;
    lam_given_take(s->given, s->maps, s->whitener, x, roles, 1, s->moving, &log_det);
    lam_given_moves(s->given, roles, 1, s->moves);
    for (size_t k = 0; k < s->given->moving; k++)
        sum += s->moves[k] ? 0.5 * s->moving[k] * s->moving[k] + HALF_LOG_2_PI : 0;
    return sum - log_det;
}

/* Fills nll; by how much it is lower than behind the maps, summed over the rows. */
static double compare(const lam_dataset *data, uint64_t split_seed, const scorer *plain, const scorer *behind, unsigned char *roles, double *nll)
{
    const lam_given *g = plain->given;
    double gain = 0;
    for (size_t i = 0; i < data->rows[LAM_VALID]; i++) {
        const double *x = data->values[LAM_VALID] + i * g->dim;
        lam_given_roles(g, x, 1, roles);
        if (g->any)
            lam_given_draw(g, split_seed, LAM_DRAW_ROLES_EVAL, 0, i, roles);
        nll[i] = score(plain, x, roles);
        gain += score(behind, x, roles) - nll[i];
    }
    return gain;
}

static lam_status choose(const lam_dataset *data, const lam_given *g, const lam_maps *maps, const lam_whitening *whitening, uint64_t split_seed,
    lam_plain *out)
{
    scorer plain = { .given = g }, behind = { .given = g, .maps = maps };
    double *moving = lam_alloc(g->moving, sizeof *moving);
    unsigned char *bytes = lam_alloc(g->moving + g->dim, 1);
    lam_status status = moving == NULL || bytes == NULL ? LAM_ERR_MEMORY : lam_whitener_create(out->whitening, g->levels, &plain.whitener);
    if (status == LAM_OK)
        status = lam_whitener_create(whitening, g->levels, &behind.whitener);
    plain.moving = behind.moving = moving;
    plain.moves = behind.moves = bytes;
    if (status == LAM_OK && !(compare(data, split_seed, &plain, &behind, bytes + g->moving, out->nll) > 0))
        lam_plain_clear(out);
    lam_whitener_free(plain.whitener);
    lam_whitener_free(behind.whitener);
    lam_free(moving);
    lam_free(bytes);
    return status;
}

lam_status lam_plain_fit(const lam_dataset *data, const lam_given *g, const lam_maps *maps, const lam_whitening *whitening, uint64_t split_seed,
    lam_plain *out)
{
    double dim = (double)g->dim, rows = (double)data->rows[LAM_VALID];
    *out = (lam_plain) { .folder = data->folder };
    if (maps == NULL || whitening == NULL || rows == 0 || rows * dim * dim * (1 + dim / 3) > WORK)
        return LAM_OK;
    if ((out->nll = lam_room_take(data->folder, data->rows[LAM_VALID], sizeof *out->nll)) == NULL)
        return LAM_ERR_MEMORY;
    if (data->covariance != NULL)
        LAM_TRY(lam_whitening_of(data->rows[LAM_TRAIN], g->dim, data->centre, data->covariance, &out->whitening));
    else
        LAM_TRY(lam_whitening_fit(data->values[LAM_TRAIN], data->rows[LAM_TRAIN], g->dim, g->levels, &out->whitening));
    return choose(data, g, maps, whitening, split_seed, out);
}

void lam_plain_clear(lam_plain *p)
{
    lam_whitening_free(p->whitening);
    lam_room_give(p->folder, p->nll);
    p->whitening = NULL;
    p->nll = NULL;
}
