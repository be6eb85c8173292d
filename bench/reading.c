/* How long the library takes to read a table.
 *
 *     reading FILE THREADS TIMES             (one line a time: seconds)
 *     reading FILE THREADS TIMES FOLDER      (to files in FOLDER, as a fit of more rows than memory does: seconds, processor seconds, and 1 where the
 *                                             numbers are those that an earlier time has kept there; the file of these stays)
 */
#include <laminar.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static lam_status read_table(const char *path, unsigned long threads, const char *folder, lam_table **table)
{
    const lam_read_options options = { .threads = threads };
    if (folder == NULL)
        return lam_table_read(path, &options, table);
    char text[32];
    lam_config *cfg;
    const lam_rows_place place = { .folder = folder, .keep = 1 };
    snprintf(text, sizeof text, "{threads: %lu}", threads);
    lam_status status = lam_config_create(text, &cfg);
    if (status == LAM_OK)
        status = lam_table_map_rows(cfg, path, NULL, &place, table);
    lam_config_free(cfg);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 4 && argc != 5)
        return fprintf(stderr, "usage: reading FILE THREADS TIMES [FOLDER]\n"), 2;
    for (unsigned long i = 0; i < strtoul(argv[3], NULL, 10); i++) {
        lam_table *table;
        double start = now();
        clock_t used = clock();
        if (read_table(argv[1], strtoul(argv[2], NULL, 10), argv[4], &table) != LAM_OK)
            return fprintf(stderr, "reading: %s\n", lam_last_error()), 1;
        if (argc == 4)
            printf("%.4f\n", now() - start);
        else
            printf("%.4f %.4f %d\n", now() - start, (double)(clock() - used) / CLOCKS_PER_SEC, table->was_kept);
        lam_table_free(table);
    }
    return 0;
}
