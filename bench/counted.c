/* Training iterations and nothing else, for tools that count instructions (bench/profile.sh, tests/instructions.sh):
 *
 *     counted REPEATS [NAME VALUE]...       (parameters of the library; rows of six columns, as POWER's)
 *
 * The problem is that of `laminar bench --shape power`. Runs two iterations and REPEATS more, the same each: the counts of
 * two values of REPEATS differ by the iterations alone. Prints the multiply-adds that one of them needs. */
#include <laminar.h>
#include <stdio.h>
#include <stdlib.h>
#include "model/config.h"
#include "laminar/measure.h"

enum { COLUMNS = 6 };
static const char *const settings[][2] = { { "tpr", "true" }, { "dims", "60-60-60" }, { "blocks", "5" }, { "optimizer", "adam" },
    { "threads", "1" } };

static void must(lam_status status)
{
    if (status != LAM_OK) {
        fprintf(stderr, "counted: %s\n", lam_last_error());
        exit(EXIT_FAILURE);
    }
}

int main(int argc, char **argv)
{
    lam_config cfg;
    lam_iteration_figures figures;
    long repeats = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
    if (repeats < 1 || argc % 2 != 0) {
        fprintf(stderr, "usage: counted REPEATS [NAME VALUE]...\n");
        return 2;
    }
    lam_config_init(&cfg);
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        must(lam_config_set(&cfg, settings[i][0], settings[i][1]));
    for (int i = 2; i < argc; i += 2)
        must(lam_config_set(&cfg, argv[i], argv[i + 1]));
    /* a time that the first run already exceeds: every group is one iteration, however fast the machine is */
    lam_measure_options options = { .seconds = 1e-12, .repeats = (size_t)repeats };
    must(lam_measure_iteration(&cfg, COLUMNS, &options, &figures));
    printf("%.0f\n", figures.flop / 2);
    lam_config_clear(&cfg);
    return 0;
}
