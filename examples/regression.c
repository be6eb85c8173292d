/* A regression that knows its doubt: the density of y given x and a category, from a table made on the spot. It prints, for three values of x,
 * the mean of y, its standard deviation, and the interval that holds nine tenths of its values.
 *
 *     example_regression
 */
#include <laminar.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 2000, COLUMNS = 3, NUMBERS = 4 };

static double uniform(void)
{
    return (double)rand() / RAND_MAX;
}

/* x, kind (of two levels) and y = sin 2x for one kind, x for the other, with noise that grows with x. */
static lam_status make_table(lam_table **table)
{
    static const char *const names[COLUMNS] = { "x", "kind", "y" };
    const lam_names levels = LAM_NAMES("line", "wave");
    lam_status status = lam_table_create(ROWS, COLUMNS, table);
    for (size_t j = 0; j < COLUMNS && status == LAM_OK; j++)
        status = lam_table_rename(*table, j, names[j]);
    for (size_t i = 0; i < ROWS && status == LAM_OK; i++) {
        double x = 3 * uniform(), wave = rand() % 2, noise = uniform() + uniform() - 1;
        double *row = (*table)->values + i * COLUMNS;
        row[0] = x, row[1] = wave, row[2] = (wave > 0 ? sin(2 * x) : x) + 0.3 * (0.2 + x) * noise;
    }
    return status == LAM_OK ? lam_table_set_levels(*table, 1, &levels) : status;
}

static lam_status show(const lam_model *model)
{
    static const double rows[3][COLUMNS] = { { 0.5, 1, 0 }, { 1.5, 1, 0 }, { 2.5, 1, 0 } }, quantiles[2] = { 0.05, 0.95 };
    const lam_predict_options options = { .quantiles = quantiles, .n_quantiles = 2 };
    double values[3][NUMBERS];
    lam_status status = lam_predict(model, &options, &(lam_query){ &rows[0][0], 3, NULL, 0 }, &values[0][0], NULL, NULL);
    for (size_t i = 0; i < 3 && status == LAM_OK; i++)
        printf("wave at x = %.1f: y = %.2f +- %.2f, nine tenths from %.2f to %.2f\n", rows[i][0], values[i][0], values[i][1], values[i][2],
            values[i][3]);
    return status;
}

int main(void)
{
    lam_config *cfg = NULL;
    lam_table *table = NULL;
    lam_dataset *data = NULL;
    lam_model *model = NULL;
    srand(1);
    lam_status status = lam_config_create("{given: [x, kind], iterations: 600}", &cfg);
    if (status == LAM_OK)
        status = make_table(&table);
    if (status == LAM_OK)
        status = lam_dataset_build(cfg, table, NULL, NULL, NULL, &data);
    if (status == LAM_OK)
        status = lam_fit(cfg, data, NULL, &model, NULL);
    if (status == LAM_OK)
        status = show(model);
    if (status != LAM_OK)
        fprintf(stderr, "%s\n", lam_last_error());
    lam_model_free(model);
    lam_dataset_free(data);
    lam_table_free(table);
    lam_config_free(cfg);
    return status != LAM_OK;
}
