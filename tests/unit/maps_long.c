/* Maps of columns that are too long to be sorted: against those of the sorted columns, and wherever the rows are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include "base/mem.h"
#include "base/random.h"
#include "base/sort.h"
#include "data/maps.h"
#include "data/maps_inside.h"
#include "data/npy.h"
#include "laminar.h"
#include <cmocka.h>
#include "scratch.h"
#include <math.h>

enum { N = 1200000, QUANTILES = 64 };

typedef enum kind { NORMAL, CAUCHY, MIXED, TIED, ATOM, ASCENDING, NARROW, KINDS } kind;

static double value(kind which, size_t i)
{
    double z[2], u = lam_random_uniform(1, LAM_DRAW_TEST, which, i);
    lam_random_normal2(2, LAM_DRAW_TEST, which, i, z);
    switch (which) {
    case NORMAL: return z[0];
    case CAUCHY: return z[0] / z[1];
    case MIXED: return u < 0.7 ? 0.2 * z[0] : 5 + z[0];
    case TIED: return floor(4 * z[0]) / 4;
    case ATOM: return u < 0.3 ? 0 : fabs(z[0]);
    case ASCENDING: return pow((double)i / N, 2);
    case NARROW: return u < 0.7 ? 0.01 * z[0] : 5 + z[0];
    case KINDS: break;
    }
    return 0;
}

/* By rows that are all sorted. */
static void fit_sorted(double *sorted, lam_map_knots *knots)
{
    const lam_map_cutting by = { QUANTILES, LAM_MAP_OUTERMOST };
    const lam_ranked column = lam_ranked_of(sorted, N, 1);
    assert_int_equal(lam_map_knots_create(knots, QUANTILES), LAM_OK);
    lam_map_column(knots, &column, &by);
}

/* With buffers of 2^15 a rank is off by (L + 2) / (4 2^15) of the rows at the most, L = 4 for halves of 600,000: 4.6e-5 of all, so the share of a
 * group of 1/64 by 2 x 64 x 4.6e-5 = 0.6 %, and a slope by what two groups are. At the ends, where 8, 16, 32 ... rows are a group, nothing is off up to the
 * 2^14th row, and a group beyond it is of no fewer rows than that: 0.7 %. Scores are off by their ranks over the density, which at the last exact row is
 * phi(2.2) = 0.035: 1.3e-3. Where knots lie so near to each other that they are taken together (the narrow peak), which are may turn on a rank: there
 * the mean over the rows alone is held. */
static void a_sketch_makes_the_map_of_the_sorted_column(void **state)
{
    (void)state;
    double *x = lam_alloc(N, sizeof *x);
    for (kind which = 0; which < KINDS; which++) {
        lam_maps *maps;
        lam_map_knots knots = { 0 };
        double mean = 0;
        for (size_t i = 0; i < N; i++)
            x[i] = value(which, i);
        assert_int_equal(lam_maps_fit(&(lam_maps_rows) { .x = x, .n = N, .dim = 1 }, QUANTILES, &maps), LAM_OK);
        lam_sort_ascending(x, N);
        fit_sorted(x, &knots);
        const lam_spline exact = lam_map_spline(&knots), *s = &maps->column[0];
        for (size_t i = 0; i < N; i++) {
            double slope[2], z = lam_spline_at(&exact, x[i], &slope[0]), other = lam_spline_at(s, x[i], &slope[1]);
            double off = 0.5 * (z * z - other * other) - log(slope[0] / slope[1]);
            assert_true(fabs(z - other) < 1.3e-3);
            assert_true(which == NARROW || fabs(off) < 2 * 0.7e-2);
            mean += off / N;
        }
        assert_true(fabs(mean) < 1e-4);
        for (size_t i = 0; i < 2; i++) { /* where the outermost groups are, nothing is off */
            assert_true(which == ATOM || s->x[i] == exact.x[i]);
            assert_true(s->x[s->n - 1 - i] == exact.x[exact.n - 1 - i]);
        }
        lam_map_knots_clear(&knots);
        lam_maps_free(maps);
    }
    lam_free(x);
}

/* The number of quantiles is chosen on the sketches of two halves: it costs no likelihood on rows of its own. */
static void as_many_quantiles_as_pay(void **state)
{
    (void)state;
    enum { OTHER = 100000 };
    double *x = lam_alloc(N, sizeof *x), slope, sum = 0, square = 0;
    lam_maps *maps;
    for (size_t i = 0; i < N; i++)
        x[i] = value(NORMAL, i);
    assert_int_equal(lam_maps_fit(&(lam_maps_rows) { .x = x, .n = N, .dim = 1 }, 0, &maps), LAM_OK);
    assert_true(maps->column[0].n < 60);
    for (size_t i = N; i < N + OTHER; i++) {
        double at = value(NORMAL, i), z = lam_spline_at(&maps->column[0], at, &slope), worse = 0.5 * z * z - log(slope) - 0.5 * at * at;
        sum += worse / OTHER, square += worse * worse / OTHER;
    }
    double knots = (double)maps->column[0].n, chance = sqrt(square / OTHER);
    assert_true(sum > -3 * chance && sum < 2 * knots / (2.0 * N) + 3 * chance); /* as exact quantiles: half a knot a row */
    lam_maps_free(maps);
    lam_free(x);
}

/* Missing cells are no values, and columns of text keep theirs. */
static void cells_may_be_missing(void **state)
{
    (void)state;
    enum { DIM = 2 };
    static const char *const items[] = { "no", "yes" };
    const lam_names levels[DIM] = { { 0 }, { items, 2 } };
    double *x = lam_alloc(N * DIM, sizeof *x), slope;
    lam_maps *maps;
    for (size_t i = 0; i < N; i++) {
        x[i * DIM] = i % 100 == 0 ? value(NORMAL, i) : (double)NAN;
        x[i * DIM + 1] = (double)(i % 2);
    }
    assert_int_equal(lam_maps_fit(&(lam_maps_rows) { .x = x, .n = N, .dim = DIM, .levels = levels }, 16, &maps), LAM_OK);
    assert_true(lam_spline_at(&maps->column[1], 1, &slope) == 1 && slope == 1);
    for (double at = -2; at <= 2; at += 0.1)
        assert_true(fabs(lam_spline_at(&maps->column[0], at, &slope) - at) < 0.08); /* 12,000 rows */
    lam_maps_free(maps);
    lam_free(x);
}

/* ---- fits --------------------------------------------------------------------------------------------------------- */

enum { COLS = 2, LONG = 1060000 /* of which more than 2^20 are training rows */ };

static size_t fit_and_save(const lam_table *table, const char *threads, void *model, size_t size)
{
    char text[400];
    lam_config *cfg;
    lam_dataset *data;
    lam_model *m;
    snprintf(text, sizeof text, "{threads: %s, dims: [4], blocks: 1, batch-size: 50, iterations: 1, warm-start: none, flows: 1, val-fraction: 0.0002, "
        "test-fraction: 0.0002, map: normal-scores}", threads);
    if (lam_config_create(text, &cfg) != LAM_OK)
        fail_msg("%s", lam_last_error());
    assert_int_equal(lam_dataset_build(cfg, table, NULL, NULL, NULL, &data), LAM_OK);
    assert_int_equal(lam_fit(cfg, data, NULL, &m, NULL), LAM_OK);
    assert_int_equal(lam_model_save(m, scratch_path("model.safetensors")), LAM_OK);
    FILE *f = fopen(scratch_path("model.safetensors"), "rb");
    assert_non_null(f);
    size_t n = fread(model, 1, size, f);
    fclose(f);
    lam_model_free(m), lam_dataset_free(data), lam_config_free(cfg);
    return n;
}

/* In memory, in a mapped .npy, in text that was read to a file, and in the cache of that; one thread, two and three. */
static void models_are_the_same_bits(void **state)
{
    (void)state;
    static unsigned char first[1 << 16], other[sizeof first];
    static const char *const threads[] = { "1", "2", "3", "2" };
    const size_t shape[2] = { LONG, COLS };
    lam_config *cfg;
    double *x = lam_alloc(LONG * COLS, sizeof *x);
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    assert_non_null(x);
    assert_non_null(out);
    fputs("a,b\n", out);
    for (size_t i = 0; i < LONG * COLS; i++) {
        x[i] = (double)(long)(1e4 * value(i % COLS == 0 ? NORMAL : ATOM, i)) / 1e4;
        fprintf(out, "%.4f%c", x[i], i % COLS == 0 ? ',' : '\n');
    }
    assert_int_equal(lam_npy_write(scratch_path("rows.npy"), x, shape, 2), LAM_OK);
    assert_int_equal(fclose(out), 0);
    scratch_write("rows.csv", text, length);
    free(text), lam_free(x);
    assert_int_equal(lam_config_create("{}", &cfg), LAM_OK);
    size_t n = 0;
    for (int where = 0; where < 4; where++) {
        const lam_rows_place place = { .folder = scratch_folder, .keep = where >= 2 };
        lam_table *table;
        if (where == 0)
            assert_int_equal(lam_table_read_rows(cfg, scratch_path("rows.csv"), NULL, &table), LAM_OK);
        else
            assert_int_equal(lam_table_map_rows(cfg, scratch_path(where == 1 ? "rows.npy" : "rows.csv"), NULL, &place, &table), LAM_OK);
        size_t size = fit_and_save(table, threads[where], where == 0 ? first : other, sizeof first);
        n = where == 0 ? size : n;
        assert_true(n > 1000 && n < sizeof first);
        if (where != 1) { /* which has no names of columns */
            assert_int_equal(size, n);
            assert_true(where == 0 || memcmp(first, other, n) == 0);
        } else /* the numbers, behind the header */
            assert_true(memcmp(first + n - 500, other + size - 500, 500) == 0);
        lam_table_free(table);
    }
    lam_config_free(cfg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sketch_makes_the_map_of_the_sorted_column),
        cmocka_unit_test(as_many_quantiles_as_pay),
        cmocka_unit_test(cells_may_be_missing),
        cmocka_unit_test(models_are_the_same_bits),
    };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
