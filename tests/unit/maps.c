/* Column maps: the spline against numerical derivatives and its own inverse; what of a column decides about it; models with maps. */
#include <float.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "data/maps.h"
#include "data/moments.h"
#include "data/normal.h"
#include "base/file.h"
#include "base/mem.h"
#include "linear.h"
#include "model/metadata.h"
#include "scratch.h"

enum { N = 3000 };

/* ---- the normal distribution -------------------------------------------------------------------------------------- */

static void quantiles_are_exact(void **state)
{
    (void)state;
    static const double known[][2] = { { 0.5, 0 }, { 0.975, 1.959963984540054 }, { 1e-5, -4.264890793922825 }, { 1e-12, -7.034483825301132 },
        { 0.3, -0.5244005127080407 } };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        assert_true(fabs(lam_normal_quantile(known[i][0]) - known[i][1]) < 1e-12);
    for (double z = -8; z < 8; z += 0.01) { /* near 1 the share itself has few digits left */
        double share = 0.5 * erfc(-z / sqrt(2));
        assert_true(fabs(lam_normal_quantile(share) - z) < 1e-13 + 1e-16 / lam_normal_density(z));
    }
}

/* ---- columns ------------------------------------------------------------------------------------------------------ */

/* Columns of all kinds, [N] each. */
typedef enum kind { NORMAL, UNIFORM, EXPONENTIAL, CAUCHY, MIXED, TIED, ATOM, SENTINEL, TWO_VALUES, HALF_ATOM, DISTANT, KINDS } kind;

static void draw(kind which, double *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double z[2], u = lam_random_uniform(1, LAM_DRAW_TEST, which, i);
        lam_random_normal2(2, LAM_DRAW_TEST, which, i, z);
        switch (which) {
        case NORMAL: x[i] = z[0]; break;
        case UNIFORM: x[i] = u; break;
        case EXPONENTIAL: x[i] = -log(1 - u); break;
        case CAUCHY: x[i] = z[0] / z[1]; break;
        case MIXED: x[i] = u < 0.7 ? 0.01 * z[0] : 5 + z[0]; break;
        case TIED: x[i] = floor(4 * z[0]) / 4; break;
        case ATOM: x[i] = u < 0.9 ? 0 : fabs(z[0]); break;
        case SENTINEL: x[i] = i == 17 ? 1e6 : z[0]; break;
        case TWO_VALUES: x[i] = u < 0.3; break;
        case HALF_ATOM: x[i] = i == 3 ? 1e300 : i == 4 ? 1 : 0; break;
        case DISTANT: x[i] = 1e9 + z[0]; break;
        case KINDS: break;
        }
    }
}

/* The map of a column of n rows. */
static lam_maps *map_of(kind which, double *x, size_t n, size_t knots)
{
    lam_maps *maps;
    draw(which, x, n);
    assert_ok(lam_maps_fit(&(lam_maps_rows) { .x = x, .n = n, .dim = 1 }, knots, &maps));
    assert_true(lam_spline_is_sound(&maps->column[0]));
    return maps;
}

/* Of slopes at points between the knots and beyond them. A step of the argument is a share of the interval that the point lies in, so the
 * error of the central difference is that share squared. */
static void slopes_are_derivatives(void **state)
{
    (void)state;
    double x[N];
    for (kind which = 0; which < KINDS; which++) {
        lam_maps *maps = map_of(which, x, N, 50);
        const lam_spline *s = &maps->column[0];
        for (size_t k = 0; k + 1 < s->n; k++)
            for (double t = 0.05; t < 1; t += 0.1) {
                double width = s->x[k + 1] - s->x[k], at = s->x[k] + t * width, low, high, slope, ignored;
                double step = 1e-4 * width, a = at - step, b = at + step;
                (void)lam_spline_at(s, at, &slope);
                low = lam_spline_at(s, a, &ignored), high = lam_spline_at(s, b, &ignored);
                /* rounding of z, and of the points where these are large beside the interval */
                double rounding = 8 * DBL_EPSILON * (fabs(low) + slope * fabs(at)) / step;
                assert_true(fabs((high - low) / (b - a) - slope) <= 1e-6 * slope + rounding);
            }
        lam_maps_free(maps);
    }
}

/* On both sides of a knot, a billionth of the interval away. The logarithm of the slope changes by no more than 18 + 2 secants / slope an
 * interval there (by the formula, with slopes of at most three secants). */
static void slopes_are_continuous(void **state)
{
    (void)state;
    double x[N], beside;
    for (kind which = 0; which < DISTANT; which++) { /* there, the doubles beside a knot are too far apart */
        lam_maps *maps = map_of(which, x, N, 50);
        const lam_spline *s = &maps->column[0];
        for (size_t k = 0; k + 1 < s->n; k++)
            for (size_t end = k; end <= k + 1; end++) {
                double width = s->x[k + 1] - s->x[k], secant = (s->z[k + 1] - s->z[k]) / width, step = 1e-9 * width;
                double away = step + 4 * DBL_EPSILON * fabs(s->x[end]), at = s->x[end] + (end == k ? step : -step);
                double z = lam_spline_at(s, at, &beside), bound = 2 * (18 + 2 * secant / s->slope[end]) * away / width;
                assert_true(fabs(beside / s->slope[end] - 1) <= bound + 1e-12);
                assert_true(fabs(z - s->z[end]) <= 3 * secant * away + 1e-14);
            }
        lam_maps_free(maps);
    }
}

/* Forward and back, and back and forward, to 1e-10. Where a single value is a million times further away than the others, z between has too
 * few digits for the x that it stands for, so that what double holds of z is allowed for as well. */
static void the_inverse_is_exact(void **state)
{
    (void)state;
    double x[N], slope, slope_back;
    for (kind which = 0; which < KINDS; which++)
        for (size_t knots = 0; knots <= 400; knots += 200) {
            lam_maps *maps = map_of(which, x, N, knots);
            const lam_spline *s = &maps->column[0];
            for (size_t i = 0; i < N; i++) {
                double z = lam_spline_at(s, x[i], &slope), back = lam_spline_inverse(s, z, &slope_back);
                assert_true(fabs(back - x[i]) <= 1e-10 + (which < CAUCHY || which == MIXED ? 0 : 1e-15 * (fabs(x[i]) + fabs(z) / slope)));
                assert_true(fabs(slope_back / slope - 1) < 1e-6);
            }
            for (double z = -9; z < 9; z += 0.0137) {
                double at = lam_spline_inverse(s, z, &slope);
                assert_true(fabs(lam_spline_at(s, at, &slope) - z) < 1e-10 + 4 * DBL_EPSILON * slope * fabs(at));
            }
            lam_maps_free(maps);
        }
}

/* What comes out is normal: its mean and variance, and the share beyond 1 and 2 deviations. */
static void continuous_columns_become_normal(void **state)
{
    (void)state;
    static const kind kinds[] = { NORMAL, UNIFORM, EXPONENTIAL, CAUCHY, MIXED, SENTINEL, DISTANT };
    double x[N], slope;
    for (size_t c = 0; c < sizeof kinds / sizeof kinds[0]; c++) {
        lam_maps *maps = map_of(kinds[c], x, N, 60);
        double sum = 0, square = 0, one = 0, two = 0;
        for (size_t i = 0; i < N; i++) {
            double z = lam_spline_at(&maps->column[0], x[i], &slope);
            sum += z / N, square += z * z / N, one += fabs(z) < 1 ? 1.0 / N : 0, two += fabs(z) < 2 ? 1.0 / N : 0;
        }
        /* the quantiles are those of these very rows, so only what happens between knots of 50 rows is left */
        assert_true(fabs(sum) < 0.01 && fabs(square - 1) < 0.02);
        assert_true(fabs(one - 0.682689) < 0.01 && fabs(two - 0.954500) < 0.005);
        lam_maps_free(maps);
    }
}

/* On rows of its own the density of a normal column costs about half a knot a row more than the true one, and no more. */
static void the_density_does_not_fit_noise(void **state)
{
    (void)state;
    enum { OTHER = 20000 };
    double *x = lam_alloc(OTHER, sizeof *x), slope, worse = 0;
    draw(NORMAL, x, OTHER);
    lam_maps *maps;
    assert_ok(lam_maps_fit(&(lam_maps_rows) { .x = x, .n = N, .dim = 1 }, 0, &maps));
    for (size_t i = N; i < OTHER; i++) {
        double z = lam_spline_at(&maps->column[0], x[i], &slope);
        worse += (0.5 * z * z - log(slope) - 0.5 * x[i] * x[i]) / (OTHER - N);
    }
    double knots = (double)maps->column[0].n; /* expected: (knots - 1) / 2N */
    assert_true(knots < 30);
    assert_true(worse > 0 && worse < 2 * knots / (2 * N));
    lam_maps_free(maps);
    lam_free(x);
}

/* At the ends of normal columns log p changes little over a short way: by 0.5 between 3.4 and 3.55 if the map were exact. Knots at single rows
 * made it 2.5 in the mean of such columns, for the gaps between the last rows are chance. */
static void tails_are_smooth(void **state)
{
    (void)state;
    enum { COLUMNS = 40 };
    double x[N], mean = 0;
    for (uint64_t c = 0; c < COLUMNS; c++) {
        double low = 0, high = 0, most = 0, slope[2];
        for (size_t i = 0; i < N; i++) {
            double z[2];
            lam_random_normal2(c, LAM_DRAW_TEST, 77, i, z);
            x[i] = z[0];
            low = fmin(low, z[0]), high = fmax(high, z[0]);
        }
        lam_maps *maps;
        assert_ok(lam_maps_fit(&(lam_maps_rows) { .x = x, .n = N, .dim = 1 }, 0, &maps));
        for (double at = low; at < high; at += 0.01) {
            double z = lam_spline_at(&maps->column[0], at, &slope[0]), other = lam_spline_at(&maps->column[0], at + 0.14, &slope[1]);
            most = fmax(most, fabs(0.5 * (z * z - other * other) + log(slope[1] / slope[0])));
        }
        mean += most / COLUMNS;
        lam_maps_free(maps);
    }
    assert_true(mean < 1.4);
}

/* The steepest a map may be: the normal scores from end to end, 20 at the most, over the least distance of two knots, times what the slope
 * at a knot may exceed the secant by. */
static void slopes_are_bounded(void **state)
{
    (void)state;
    double x[N], sorted[N];
    for (kind which = 0; which < KINDS; which++)
        for (size_t knots = 0; knots <= N; knots += N) { /* as many as there may be, too */
            lam_maps *maps = map_of(which, x, N, knots);
            const lam_spline *s = &maps->column[0];
            memcpy(sorted, x, sizeof x);
            lam_sort_ascending(sorted, N);
            double range = sorted[N - 1 - N / 100] - sorted[N / 100];
            range = range > 0 ? range : sorted[N - 1 - 1] - sorted[1] > 0 ? sorted[N - 2] - sorted[1] : sorted[N - 1] - sorted[0];
            for (size_t k = 0; k < s->n; k++)
                assert_true(s->slope[k] <= 3 * 20 / (1e-4 * range));
            lam_maps_free(maps);
        }
}

/* One value of 1e6 among N(0, 1) leaves the others where they are: within what 40 quantiles do without it. */
static void an_outlier_does_not_crush_the_rest(void **state)
{
    (void)state;
    double x[N], slope, worst = 0;
    lam_maps *maps = map_of(SENTINEL, x, N, 40);
    for (double at = -2; at <= 2; at += 0.01)
        worst = fmax(worst, fabs(lam_spline_at(&maps->column[0], at, &slope) - at));
    assert_true(worst < 0.12); /* sampling: standard error of a quantile at 2 of 3000 rows is 0.05 */
    lam_maps_free(maps);
}

/* Nor in a small table: the middle half of 50 rows keeps the slope that it has without the far one, and one row alone moves. */
static void an_outlier_of_few_rows_moves_none(void **state)
{
    (void)state;
    double x[50], slope, before, after;
    draw(NORMAL, x, 50);
    for (size_t quantiles = 4; quantiles <= 10; quantiles += 6) {
        lam_maps *without, *with;
        assert_ok(lam_maps_fit(&(lam_maps_rows) { .x = x, .n = 49, .dim = 1 }, quantiles, &without));
        x[49] = 1e6;
        assert_ok(lam_maps_fit(&(lam_maps_rows) { .x = x, .n = 50, .dim = 1 }, quantiles, &with));
        assert_true(with->column[0].n >= without->column[0].n - 2);
        assert_true(with->column[0].x[with->column[0].n - 1] == 1e6);
        for (double at = -1; at <= 1; at += 0.05) {
            before = lam_spline_at(&without->column[0], at, &slope);
            after = lam_spline_at(&with->column[0], at, &slope);
            assert_true(fabs(after - before) < 0.15);
        }
        lam_maps_free(without);
        lam_maps_free(with);
    }
}

/* Values that are tied get the mean of their scores. */
static void an_atom_gets_the_mean_of_its_scores(void **state)
{
    (void)state;
    double x[N], slope;
    lam_maps *maps = map_of(TWO_VALUES, x, N, 0);
    double p = 0;
    for (size_t i = 0; i < N; i++)
        p += (1 - x[i]) / N;
    double density = lam_normal_density(lam_normal_quantile(p));
    assert_int_equal(maps->column[0].n, 2);
    assert_true(fabs(lam_spline_at(&maps->column[0], 0, &slope) + density / p) < 1e-9);
    assert_true(fabs(lam_spline_at(&maps->column[0], 1, &slope) - density / (1 - p)) < 1e-9);
    lam_maps_free(maps);
}

static void small_tables_have_maps_too(void **state)
{
    (void)state;
    double x[40], slope;
    for (size_t n = 2; n <= 40; n++)
        for (kind which = 0; which < KINDS; which++) {
            lam_maps *maps = map_of(which, x, n, 0);
            for (size_t i = 0; i < n; i++)
                assert_true(fabs(lam_spline_at(&maps->column[0], x[i], &slope)) < 6 && slope > 0);
            lam_maps_free(maps);
        }
    for (size_t i = 0; i < 40; i++) /* no data set has a constant column, but half of one may be */
        x[i] = 7;
    lam_maps *maps;
    assert_ok(lam_maps_fit(&(lam_maps_rows) { .x = x, .n = 40, .dim = 1 }, 0, &maps));
    assert_true(lam_spline_at(&maps->column[0], 7, &slope) == 0 && slope == 1);
    lam_maps_free(maps);
}

/* ---- rows --------------------------------------------------------------------------------------------------------- */

enum { DIM = 3 };

/* [N, DIM] of three kinds. */
static double *table_of(kind a, kind b, kind c)
{
    double *x = lam_alloc(N * DIM, sizeof *x), column[N];
    const kind kinds[DIM] = { a, b, c };
    for (size_t j = 0; j < DIM; j++) {
        draw(kinds[j], column, N);
        for (size_t i = 0; i < N; i++)
            x[i * DIM + j] = column[i];
    }
    return x;
}

static void rows_go_there_and_back(void **state)
{
    (void)state;
    double *x = table_of(EXPONENTIAL, MIXED, UNIFORM), *z = lam_alloc(N * DIM, sizeof *z), there[N], back[N], slope;
    lam_maps *maps, *copy;
    assert_ok(lam_maps_fit(&(lam_maps_rows) { .x = x, .n = N, .dim = DIM }, 0, &maps));
    assert_ok(lam_maps_copy(maps, &copy));
    lam_maps_forward(copy, x, N, DIM, z, there);
    for (size_t i = 0; i < N; i++) {
        double sum = 0;
        for (size_t j = 0; j < DIM; j++) {
            assert_true(z[i * DIM + j] == lam_spline_at(&maps->column[j], x[i * DIM + j], &slope));
            sum += log(slope);
        }
        assert_true(fabs(there[i] - sum) < 1e-12);
    }
    lam_maps_inverse(copy, z, N, DIM, z, back);
    assert_true(largest_difference(z, x, N * DIM) < 1e-10);
    assert_true(largest_difference(there, back, N) < 1e-8);
    lam_maps_forward(NULL, x, N, DIM, z, there);
    assert_memory_equal(x, z, N * DIM * sizeof *x);
    assert_true(there[0] == 0 && there[N - 1] == 0);
    lam_maps_free(maps), lam_maps_free(copy);
    lam_free(x), lam_free(z);
}

/* ---- models ------------------------------------------------------------------------------------------------------- */

/* A model with a linear field, so that its density behind the maps is known, and the maps of the rows. */
static lam_model *mapped_model(double *a, double *b, const double *x)
{
    lam_model *m = linear_model(a, b, "1");
    m->config.map = LAM_MAP_NORMAL_SCORES;
    assert_ok(lam_maps_fit(&(lam_maps_rows) { .x = x, .n = N, .dim = LINEAR }, 0, &m->maps));
    return m;
}

/* log p(x) = log p(z) + sum of log dz/dx; a sample's is that of scoring it, in either units; and the rows come back. */
static void a_model_counts_the_log_determinant(void **state)
{
    (void)state;
    enum { ROWS = 200 };
    double a[LINEAR * LINEAR], b[LINEAR], *x = table_of(EXPONENTIAL, MIXED, UNIFORM), z[ROWS * DIM], log_det[ROWS], logp[ROWS];
    double draws[ROWS * DIM], drawn[ROWS], again[ROWS], base[ROWS * DIM], back[ROWS * DIM];
    lam_model *m = mapped_model(a, b, x);
    lam_maps_forward(m->maps, x, ROWS, DIM, z, log_det);
    assert_ok(lam_log_prob(m, NULL, x, ROWS, logp, NULL));
    for (size_t i = 0; i < ROWS; i++)
        assert_true(fabs(logp[i] - linear_log_prob(a, b, 1, z + i * DIM) - log_det[i]) < 1e-7);
    for (int units = 0; units < 2; units++) {
        lam_eval_options o = { .units = units ? LAM_UNITS_STANDARDISED : LAM_UNITS_DATA };
        if (units) {
            const double mean[DIM] = { 3, -2, 0.5 }, scale[DIM] = { 10, 0.1, 2 };
            memcpy(m->mean, mean, sizeof mean), memcpy(m->scale, scale, sizeof scale);
            m->log_det = -log(2);
        }
        assert_ok(lam_sample(m, &o, 5, ROWS, draws, drawn, NULL));
        assert_ok(lam_log_prob(m, &o, draws, ROWS, again, NULL));
        assert_true(largest_difference(drawn, again, ROWS) < 1e-6);
        assert_ok(lam_encode(m, &o, draws, ROWS, base, NULL));
        assert_ok(lam_decode(m, &o, base, ROWS, back, NULL));
        assert_true(largest_difference(back, draws, ROWS * DIM) < 1e-6);
    }
    lam_model_free(m);
    lam_free(x);
}

/* The first state of a way is the row, the last one's z that of encode: on the data's axes as it decodes by itself. */
static void ways_begin_at_the_row(void **state)
{
    (void)state;
    enum { ROWS = 20, TIMES = 2 };
    double a[LINEAR * LINEAR], b[LINEAR], *x = table_of(EXPONENTIAL, NORMAL, UNIFORM), z[ROWS * DIM], mapped[ROWS * DIM];
    double ways[ROWS * (TIMES + 1) * DIM];
    lam_model *m = mapped_model(a, b, x);
    lam_eval_options o = { .units = LAM_UNITS_STANDARDISED };
    assert_ok(lam_encode(m, &o, x, ROWS, z, NULL));
    lam_maps_forward(m->maps, x, ROWS, DIM, mapped, NULL);
    assert_ok(lam_trajectories(m, &o, x, ROWS, TIMES, NULL, ways, NULL));
    for (size_t i = 0; i < ROWS; i++) {
        assert_true(largest_difference(ways + i * (TIMES + 1) * DIM, mapped + i * DIM, DIM) < 1e-12);
        assert_true(largest_difference(ways + (i * (TIMES + 1) + TIMES) * DIM, z + i * DIM, DIM) < 1e-7);
    }
    m->mean[0] = 5, m->scale[0] = 2;
    for (size_t i = 0; i < ROWS; i++)
        x[i * DIM] = 5 + 2 * x[i * DIM];
    assert_ok(lam_trajectories(m, NULL, x, ROWS, TIMES, NULL, ways, NULL));
    lam_maps_inverse(m->maps, z, ROWS, DIM, z, NULL);
    for (size_t i = 0; i < ROWS; i++) {
        assert_true(largest_difference(ways + i * (TIMES + 1) * DIM, x + i * DIM, DIM) == 0);
        z[i * DIM] = 5 + 2 * z[i * DIM];
        assert_true(largest_difference(ways + (i * (TIMES + 1) + TIMES) * DIM, z + i * DIM, DIM) < 1e-6);
    }
    lam_model_free(m);
    lam_free(x);
}

/* The mass is that of a density in the columns' own units, where an error of the slopes would show. */
static void the_mass_is_one(void **state)
{
    (void)state;
    for (size_t dim = 1; dim <= 2; dim++) {
        lam_config cfg;
        lam_model *m;
        lam_check_report report;
        double *table = table_of(MIXED, EXPONENTIAL, UNIFORM), x[N * 2];
        for (size_t i = 0; i < N; i++)
            memcpy(x + i * dim, table + i * DIM, dim * sizeof *x);
        configure(&cfg, "dims", "8-8", "seed", "4", "map", "normal-scores", NULL);
        assert_ok(lam_model_create(&cfg, dim, &m));
        assert_ok(lam_maps_fit(&(lam_maps_rows) { .x = x, .n = N, .dim = dim }, 0, &m->maps));
        for (size_t i = 0; i < m->layout.time; i++)
            m->params[i] *= 1.5;
        assert_ok(lam_check(m, NULL, x, 20, &report));
        assert_int_equal(report.has_mass, 1);
        assert_true(fabs(report.mass - 1) < 0.01);
        assert_true(report.round_trip_max < 1e-3);
        lam_model_free(m);
        lam_config_clear(&cfg);
        lam_free(table);
    }
}

/* ---- files -------------------------------------------------------------------------------------------------------- */

static const char *format_of(const char *path, int *has_map, int *says_map)
{
    static char format[8];
    lam_st_file file;
    assert_ok(lam_st_read(path, &file));
    snprintf(format, sizeof format, "%s", lam_st_meta(&file, "laminar"));
    *has_map = lam_st_find(&file, "map.0") != NULL;
    *says_map = strstr(lam_st_meta(&file, "config"), "\nmap: ") != NULL;
    lam_st_free(&file);
    return format;
}

/* Without maps a file is what it was before there were any, so that older programs read it. */
static void a_file_with_maps_has_a_format_of_its_own(void **state)
{
    (void)state;
    double a[LINEAR * LINEAR], b[LINEAR], *x = table_of(EXPONENTIAL, TIED, UNIFORM), before[N], after[N];
    int has_map, says_map;
    const char *path = scratch_path("model.safetensors"), *again = scratch_path("again.safetensors");
    lam_model *m = mapped_model(a, b, x), *loaded;
    assert_ok(lam_log_prob(m, NULL, x, N, before, NULL));
    assert_ok(lam_model_save(m, path));
    assert_string_equal(format_of(path, &has_map, &says_map), "2");
    assert_true(has_map && says_map);
    assert_ok(lam_model_load(path, NULL, &loaded));
    assert_ok(lam_log_prob(loaded, NULL, x, N, after, NULL));
    assert_memory_equal(before, after, sizeof before);
    assert_ok(lam_model_save(loaded, again));
    lam_model_free(loaded);
    assert_ok(lam_model_load(again, NULL, &loaded));
    assert_int_equal(loaded->maps->column[0].n, m->maps->column[0].n);
    lam_model_free(loaded);
    lam_maps_free(m->maps);
    m->maps = NULL, m->config.map = LAM_MAP_NONE;
    assert_ok(lam_model_save(m, path));
    assert_string_equal(format_of(path, &has_map, &says_map), "1");
    assert_true(!has_map && !says_map);
    assert_ok(lam_model_load(path, NULL, &loaded));
    assert_null(loaded->maps);
    lam_model_free(loaded);
    lam_model_free(m);
    lam_free(x);
}

/* Saves the model with something wrong, and reads it. */
static void assert_damaged(lam_model *m, const char *said)
{
    lam_model *loaded;
    const char *path = scratch_path("damaged.safetensors");
    assert_ok(lam_model_save(m, path));
    assert_int_equal(lam_model_load(path, NULL, &loaded), LAM_ERR_FORMAT);
    assert_null(loaded);
    assert_said(said);
    assert_said("damaged or was edited by hand");
}

static void damaged_maps_are_refused(void **state)
{
    (void)state;
    double a[LINEAR * LINEAR], b[LINEAR], *x = table_of(EXPONENTIAL, TIED, UNIFORM);
    lam_model *m = mapped_model(a, b, x);
    double *table = m->maps->table[1], kept;
    size_t n = m->maps->column[1].n, at[] = { 1, n + 1, 2 * n, 2 * n + 1 };
    const double wrong[] = { -1e9, HUGE_VAL, 0, (double)NAN };
    for (size_t i = 0; i < 4; i++) {
        kept = table[at[i]];
        table[at[i]] = wrong[i];
        assert_damaged(m, "\"map.1\", a column's map, does not ascend");
        table[at[i]] = kept;
    }
    m->config.map = LAM_MAP_NONE;
    assert_damaged(m, "configuration says that it has none");
    m->config.map = LAM_MAP_NORMAL_SCORES;
    m->maps->dim = 2;
    assert_damaged(m, "\"map.2\", a column's map, is missing");
    m->maps->dim = LINEAR;
    lam_model_free(m);
    lam_free(x);
}

/* What the next format will meet: this program's answer to a number that it does not know. */
static void an_unknown_format_is_refused(void **state)
{
    (void)state;
    double a[LINEAR * LINEAR], b[LINEAR];
    char *text, *at;
    size_t size;
    const char *path = scratch_path("newer.safetensors");
    lam_model *m = linear_model(a, b, "1"), *loaded;
    assert_ok(lam_model_save(m, path));
    assert_ok(lam_file_read(path, &text, &size));
    for (at = text; at + 13 < text + size && memcmp(at, "\"laminar\":\"1\"", 13) != 0;)
        at++;
    at[11] = '8';
    (void)scratch_write("newer.safetensors", text, size);
    assert_int_equal(lam_model_load(path, NULL, &loaded), LAM_ERR_UNSUPPORTED);
    assert_said("model format \"8\", and this laminar");
    assert_said("reads \"1\" to \"7\"; use a newer one");
    free(text);
    lam_model_free(m);
}

/* Another program's weights have none, whatever the configuration that is given with them says. */
static void foreign_weights_have_no_maps(void **state)
{
    (void)state;
    const float zero = 0;
    const lam_st_tensor tensor = { .name = "chain.0.odefunc.diffeq.layers.0._layer.bias", .dtype = LAM_ST_F32, .n_shape = 1, .shape = { 1 },
        .data = &zero };
    const char *path = scratch_path("foreign.safetensors");
    lam_config cfg;
    lam_model *loaded;
    configure(&cfg, "dims", "4", "map", "normal-scores", NULL);
    assert_ok(lam_st_write(path, &tensor, 1, NULL, 0));
    assert_int_equal(lam_model_load(path, &cfg, &loaded), LAM_ERR_ARGUMENT);
    assert_said("brings no column maps");
    lam_config_clear(&cfg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_exact),
        cmocka_unit_test(slopes_are_derivatives),
        cmocka_unit_test(slopes_are_continuous),
        cmocka_unit_test(the_inverse_is_exact),
        cmocka_unit_test(continuous_columns_become_normal),
        cmocka_unit_test(the_density_does_not_fit_noise),
        cmocka_unit_test(tails_are_smooth),
        cmocka_unit_test(slopes_are_bounded),
        cmocka_unit_test(an_outlier_does_not_crush_the_rest),
        cmocka_unit_test(an_outlier_of_few_rows_moves_none),
        cmocka_unit_test(an_atom_gets_the_mean_of_its_scores),
        cmocka_unit_test(small_tables_have_maps_too),
        cmocka_unit_test(rows_go_there_and_back),
        cmocka_unit_test(a_model_counts_the_log_determinant),
        cmocka_unit_test(ways_begin_at_the_row),
        cmocka_unit_test(the_mass_is_one),
        cmocka_unit_test(a_file_with_maps_has_a_format_of_its_own),
        cmocka_unit_test(damaged_maps_are_refused),
        cmocka_unit_test(an_unknown_format_is_refused),
        cmocka_unit_test(foreign_weights_have_no_maps),
    };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
