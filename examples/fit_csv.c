/* Fits a flow with trajectory polynomial regularisation to a file of numbers and asks it for a log-density and a draw.
 * Prints the test NLL beside a Gaussian's, log p of the data's mean, and one sample.
 *
 *     example_fit_csv [FILE.csv]        without a file: the 2-D density "pinwheel"
 */
#include <laminar.h>
#include <stdio.h>
#include <stdlib.h>

static int failed(void)
{
    fprintf(stderr, "fit_csv: %s\n", lam_last_error());
    return EXIT_FAILURE;
}

static int use(const lam_model *model, const lam_fit_result *result)
{
    const double *mean, *scale;
    double log_det, logp;
    double *x = calloc(lam_model_dim(model), sizeof *x);
    lam_model_standardiser(model, &mean, &scale, &log_det);
    if (x == NULL || lam_log_prob(model, NULL, mean, 1, &logp, NULL) || lam_sample(model, NULL, 1, 1, x, NULL, NULL)) {
        free(x);
        return failed();
    }
    printf("test NLL %.3f nats, a Gaussian's %.3f (standardised units)\n", result->test_nll, result->gaussian_test_nll);
    printf("log p(mean) = %.3f nats (data units)\none draw:", logp);
    for (size_t j = 0; j < lam_model_dim(model); j++)
        printf(" %s = %.4g", lam_model_column(model, j), x[j]);
    printf("\n");
    free(x);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    lam_config *cfg = NULL;
    lam_table *table = NULL;
    lam_dataset *data = NULL;
    lam_model *model = NULL;
    lam_fit_result result;
    int bad = lam_config_create("{tpr: true, iterations: 200}", &cfg) || lam_table_read(argc > 1 ? argv[1] : "toy:pinwheel", NULL, &table)
        || lam_dataset_build(cfg, table, NULL, NULL, NULL, &data) || lam_fit(cfg, data, NULL, &model, &result);
    int code = bad ? failed() : use(model, &result);
    lam_model_free(model), lam_dataset_free(data), lam_table_free(table), lam_config_free(cfg);
    return code;
}
