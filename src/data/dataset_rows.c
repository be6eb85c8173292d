/* Copies rows into a data set, adds noise to them, and standardises them. */
#include "data/dataset_rows.h"
#include "base/error.h"
#include "base/random.h"
#include "data/deal.h"
#include "data/mapped.h"
#include <math.h>

/* Of which the part's rows are: of one that has none they are split off the first. */
static const lam_table *table_of(const lam_table *const *tables, int part)
{
    return tables[part] != NULL ? tables[part] : tables[0];
}

lam_status lam_dataset_fill_others(lam_dataset *data, const lam_table *const *tables)
{
    for (int part = LAM_VALID; part < LAM_PARTS; part++) {
        LAM_TRY(lam_table_gather(table_of(tables, part), data->source[part], data->rows[part], data->values[part]));
        for (size_t i = 0; i < data->rows[part] * data->dim; i++)
            data->missing[part] += (size_t)(isnan(data->values[part][i]) != 0);
    }
    return LAM_OK;
}

_Static_assert(LAM_DEAL_PIECE % LAM_MOMENTS_PIECE == 0, "rows that are dealt are measured in the same pieces as others");

/* Rows from `first` on, n of them, in the pieces that they are measured in. */
static void look(lam_tally *tally, size_t first, size_t n, int measure)
{
    for (size_t i = 0; i < n; i += LAM_MOMENTS_PIECE) {
        size_t rows = n - i < LAM_MOMENTS_PIECE ? n - i : LAM_MOMENTS_PIECE;
        lam_tally_look(tally, first + i, rows);
        if (measure)
            lam_tally_measure(tally, first + i, rows);
    }
}

/* Rows in their order: gathered, or dealt before. */
static lam_status fill_piece(const lam_dataset *data, const lam_table *table, size_t first, size_t n, int dealt)
{
    const size_t *source = data->source[LAM_TRAIN] + first;
    double *out = data->values[LAM_TRAIN] + first * data->dim;
    return dealt ? lam_deal_settle(source, n, data->dim, out) : lam_table_gather(table, source, n, out);
}

lam_status lam_dataset_fill_training(lam_dataset *data, const lam_table *const *tables, lam_tally *tally, int measure)
{
    /* gathering takes a reading of the file for every so many rows, dealing one for all */
    size_t n = data->rows[LAM_TRAIN], at_once = n > LAM_MAP_SORTED ? LAM_DEAL_PIECE : LAM_MAP_SORTED;
    int dealt = n > LAM_MAP_SORTED && lam_table_folder(tables[0]) != NULL;
    if (dealt)
        LAM_TRY(lam_deal(tables[0], data->source[LAM_TRAIN], n, data->folder, data->values[LAM_TRAIN]));
    for (size_t first = 0; first < n; first += at_once) {
        size_t rows = n - first < at_once ? n - first : at_once;
        LAM_TRY(fill_piece(data, tables[0], first, rows, dealt));
        look(tally, first, rows, measure); /* while they are in memory */
    }
    for (size_t j = 0; j < data->dim; j++)
        data->missing[LAM_TRAIN] += tally->missing[j];
    return LAM_OK;
}

/* Rows of a part from `first` on; before: rows of the tables in front of its own. */
static void disturb(lam_dataset *data, uint64_t seed, int part, size_t before, size_t first, size_t n)
{
    size_t dim = data->dim;
    for (size_t j = 0; j < dim; j++)
        for (size_t i = first; data->noise[j] > 0 && i < first + n; i++)
            data->values[part][i * dim + j] += data->noise[j] * lam_random_uniform(seed, LAM_DRAW_NOISE, j, before + data->source[part][i]);
}

void lam_dataset_add_noise(lam_dataset *data, const lam_config *cfg, const lam_table *const *tables, lam_tally *tally)
{
    size_t others = 0;
    for (int part = 0; part < LAM_PARTS; part++) {
        size_t before = tables[part] != NULL ? others : 0, n = data->rows[part];
        for (size_t i = 0; i < n; i += LAM_MOMENTS_PIECE) {
            size_t rows = n - i < LAM_MOMENTS_PIECE ? n - i : LAM_MOMENTS_PIECE;
            disturb(data, cfg->split_seed, part, before, i, rows);
            if (part == LAM_TRAIN)
                lam_tally_measure(tally, i, rows);
        }
        others += tables[part] != NULL ? tables[part]->rows : 0;
    }
}

void lam_dataset_standardise(lam_dataset *data)
{
    for (int part = 0; part < LAM_PARTS; part++)
        for (size_t i = 0; i < data->rows[part]; i++)
            for (size_t j = 0; j < data->dim; j++) {
                double *v = &data->values[part][i * data->dim + j];
                *v = (*v - data->mean[j]) / data->scale[j];
            }
}
