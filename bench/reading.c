/* How long the library takes to read a table.
 *
 *     reading FILE THREADS TIMES      (one line a time: seconds)
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

int main(int argc, char **argv)
{
    if (argc != 4)
        return fprintf(stderr, "usage: reading FILE THREADS TIMES\n"), 2;
    const lam_read_options options = { .threads = strtoul(argv[2], NULL, 10) };
    for (unsigned long i = 0; i < strtoul(argv[3], NULL, 10); i++) {
        lam_table *table;
        double start = now();
        if (lam_table_read(argv[1], &options, &table) != LAM_OK)
            return fprintf(stderr, "reading: %s\n", lam_last_error()), 1;
        printf("%.4f\n", now() - start);
        lam_table_free(table);
    }
    return 0;
}
