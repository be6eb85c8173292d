/* Recipes of the public tabular sets on small files of their formats: which rows and columns stay, values followed through by
 * hand, what is refused and in which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "data/npy.h"
#include "scratch.h"
#include "recipes.h"
#include "shared_data.h"
#include "laminar/recipe.h"
#include <math.h>
#ifdef LAM_HAVE_HDF5
#include <hdf5.h>
#endif

/* A row's value in the units of the raw file. */
static double raw(const lam_recipe_job *job, size_t row, size_t column)
{
    return job->table->values[row * job->table->cols + column] * job->scale[column] + job->mean[column];
}

/* Mean and variance (over n - less) of rows [n] of a column. */
static void moments(const lam_recipe_job *job, size_t n, size_t column, size_t less, double *mean, double *variance)
{
    *mean = *variance = 0;
    for (size_t i = 0; i < n; i++)
        *mean += job->table->values[i * job->table->cols + column] / (double)n;
    for (size_t i = 0; i < n; i++)
        *variance += pow(job->table->values[i * job->table->cols + column] - *mean, 2) / (double)(n - less);
}

/* 0 and 1, up to the rounding of sums of n numbers of size 1. */
static void is_standardised(const lam_recipe_job *job, size_t n, size_t less)
{
    for (size_t j = 0; j < job->table->cols; j++) {
        double mean, variance;
        moments(job, n, j, less, &mean, &variance);
        assert_true(fabs(mean) < 1e-13 * (double)n && fabs(variance - 1) < 1e-13 * (double)n);
    }
}

static void has_columns(const lam_recipe_job *job, const char *wanted)
{
    char list[1024] = "";
    for (size_t j = 0; j < job->table->cols; j++) {
        strcat(list, j == 0 ? "" : ",");
        strcat(list, job->table->names[j]);
    }
    assert_string_equal(list, wanted);
}

static void has_rows(const lam_recipe_job *job, size_t train, size_t valid, size_t test)
{
    assert_int_equal(job->rows[LAM_TRAIN], train);
    assert_int_equal(job->rows[LAM_VALID], valid);
    assert_int_equal(job->rows[LAM_TEST], test);
    assert_int_equal(job->table->rows, train + valid + test);
}

/* Numbers in (-1, 1) without a pattern, the same every time. */
static double scatter(size_t i, size_t j)
{
    double x = sin((double)(i + 1) * 12.9898 + (double)j * 78.233) * 43758.5453;
    return 2 * (x - floor(x)) - 1;
}

/* ---- POWER -------------------------------------------------------------------------------------------------------- */

static void power(void **state)
{
    (void)state;
    static const size_t source[5] = { 0, 2, 4, 5, 6 };
    static const double width[5] = { 0.001, 0.01, 1, 1, 1 };
    int seen[POWER_ROWS] = { 0 }, in_order = 1;
    lam_recipe_options options = { .seed = 7 };
    lam_recipe_job job;
    text t = { 0 };
    power_text(&t);
    WORKS(make("power", &options, save(&t, "power.txt"), NULL, &job));
    expect_note("2 of 42 rows left out for missing values, the first in line 5");
    has_columns(&job, "Global_active_power,Voltage,Sub_metering_1,Sub_metering_2,Sub_metering_3,minutes");
    has_rows(&job, 33, 3, 4);
    is_standardised(&job, 36, 0); /* training and validation rows, over n */
    double below = 0;
    for (size_t i = 0; i < POWER_ROWS; i++) {
        size_t row = (size_t)lround(raw(&job, i, 5)) - 60; /* the minute got no noise and tells the row of the file */
        assert_true(row < POWER_ROWS && !seen[row] && fabs(raw(&job, i, 5) - 60 - (double)row) < 1e-12 * 100);
        seen[row] = 1;
        in_order &= row == i;
        for (size_t j = 0; j < 5; j++) { /* 1e-12: scaling there and back */
            double noise = raw(&job, i, j) - power_cell(row, source[j]);
            assert_true(noise >= -1e-12 * 240 && noise < width[j] + 1e-12 * 240);
            below += noise < width[j] / 2;
        }
    }
    assert_false(in_order);
    assert_true(fabs(below - 100) < 35); /* of 200 draws; five standard deviations of a fair coin */
    lam_recipe_clear(&job);
}

/* The bundle's array of the same rows gives the same, to the bit; another seed another order. */
static void power_bundle(void **state)
{
    (void)state;
    static double x[POWER_ROWS][8];
    size_t shape[2] = { POWER_ROWS, 8 };
    lam_recipe_options options = { 0 }, other = { .seed = 1 };
    lam_recipe_job a, b, c;
    text t = { 0 };
    for (size_t i = 0; i < POWER_ROWS; i++) {
        for (size_t k = 0; k < 7; k++)
            x[i][k] = power_cell(i, k);
        x[i][7] = 60 + (double)i;
    }
    WORKS(lam_npy_write(scratch_path("data.npy"), &x[0][0], shape, 2));
    power_text(&t);
    const char *path = save(&t, "power.txt");
    WORKS(make("power", &options, path, NULL, &a));
    WORKS(make("power", &options, scratch_path("data.npy"), NULL, &b));
    WORKS(make("power", &other, path, NULL, &c));
    assert_memory_equal(a.table->values, b.table->values, POWER_ROWS * 6 * sizeof(double));
    assert_memory_not_equal(a.table->values, c.table->values, POWER_ROWS * 6 * sizeof(double));
    lam_recipe_clear(&a), lam_recipe_clear(&b), lam_recipe_clear(&c);

    x[6][7] = 1440;
    WORKS(lam_npy_write(scratch_path("data.npy"), &x[0][0], shape, 2));
    FAILS(making("power", scratch_path("data.npy"), NULL), LAM_ERR_DATA, "row 7: the last column holds 1440, not the minute");
    x[2][1] = NAN;
    WORKS(lam_npy_write(scratch_path("data.npy"), &x[0][0], shape, 2));
    FAILS(making("power", scratch_path("data.npy"), NULL), LAM_ERR_DATA, "row 3, column 2 is not a finite number");
    shape[0] = POWER_ROWS * 2, shape[1] = 4;
    WORKS(lam_npy_write(scratch_path("data.npy"), &x[0][0], shape, 2));
    FAILS(making("power", scratch_path("data.npy"), NULL), LAM_ERR_SHAPE, "is not an array of rows of 8 numbers");
}

static lam_status power_of(const char *content)
{
    return making("power", scratch_text("power.txt", content), NULL);
}

#define POWER_ROW "16/12/2006;17:24:00;4.216;0.418;234.840;18.400;0.000;1.000;17.000\n"

static void power_refusals(void **state)
{
    (void)state;
    FAILS(power_of(""), LAM_ERR_FORMAT, "the file is empty; the recipe power takes household_power_consumption.txt");
    FAILS(power_of("Date;Time;Global_active_power;Voltage\n"), LAM_ERR_FORMAT,
        "power.txt: line 1: column 4 of the header should be Global_reactive_power");
    FAILS(power_of("Date;Time;Global_active_power\n"), LAM_ERR_FORMAT, "the header ends before column 4, Global_reactive_power");
    FAILS(power_of(POWER_ROW), LAM_ERR_FORMAT, "column 1 of the header should be Date");
    FAILS(power_of("a,b,c\n1,2,3\n"), LAM_ERR_FORMAT, "UCI: Individual household electric power consumption");
    FAILS(power_of(POWER_HEADER POWER_ROW "16/12/2006;17:25:00;5.36;0.4"), LAM_ERR_FORMAT,
        "line 3 ends after 4 cells, 9 are expected; was the file cut short?");
    FAILS(power_of(POWER_HEADER "16/12/2006;17:24:00;4;0;234;18;0;1;17;9\n"), LAM_ERR_FORMAT, "line 2 has a cell too many, \"9\"");
    FAILS(power_of(POWER_HEADER POWER_ROW "16/12/2006;17h25;4;0;234;18;0;1;17\n"), LAM_ERR_DATA,
        "line 3, column 2 (Time): \"17h25\" is not a time");
    FAILS(power_of(POWER_HEADER "16/12/2006;17:24:00;4;0;two;18;0;1;17\n"), LAM_ERR_DATA,
        "line 2, column 5 (Voltage): \"two\" is not a finite number");
    FAILS(power_of(POWER_HEADER "16/12/2006;17:24:00;inf;0;1;18;0;1;17\n"), LAM_ERR_DATA, "column 3 (Global_active_power)");
    FAILS(power_of(POWER_HEADER "28/4/2007;00:21:00;?;?;?;?;?;?;\n"), LAM_ERR_DATA, "no complete row");
    FAILS(power_of(POWER_HEADER POWER_ROW POWER_ROW), LAM_ERR_DATA, "2 rows are left, too few");
    FAILS(making("power", scratch_path("nowhere.txt"), NULL), LAM_ERR_IO, "nowhere.txt: cannot be read");
    FAILS(making("power", "a", "b"), LAM_ERR_ARGUMENT, "the recipe power takes one file");
}

/* A constant column after cleaning cannot be scaled. */
static void power_constant(void **state)
{
    (void)state;
    text t = { 0 };
    add(&t, POWER_HEADER);
    for (int i = 0; i < 20; i++)
        add(&t, "16/12/2006;17:24:00;%d;0;%d;18;%d;%d;%d\n", i, i, i, i, i);
    FAILS(making("power", save(&t, "power.txt"), NULL), LAM_ERR_DATA, "column minutes is constant");
}

/* ---- GAS ---------------------------------------------------------------------------------------------------------- */

#define GAS_HEADER "Time (seconds), CO conc (ppm), Ethylene conc (ppm), sensor readings (16 channels) \n"
enum { GAS_ROWS = 403 };

/* Sensor 3 follows sensor 1, sensor 16 follows sensor 3 and so both, sensor 5 runs against sensor 4; the others are their own. */
static double gas_cell(size_t i, size_t k)
{
    double own = 100 * scatter(i, k);
    return k == 0 ? (double)i : k == 2 ? 2 * (double)i + scatter(i, 50) : k == 15 ? -3 + 0.5 * (double)i + scatter(i, 51)
        : k == 4 ? -100 * scatter(i, 3) : own;
}

static void gas_text(text *t)
{
    add(t, GAS_HEADER);
    for (size_t i = 0; i < GAS_ROWS; i++) {
        add(t, "%.2f\t0.00  0.00 ", 0.01 * (double)i);
        for (size_t k = 0; k < 16; k++)
            add(t, " %.17g", gas_cell(i, k));
        add(t, "  \r\n");
    }
}

static void gas(void **state)
{
    (void)state;
    int seen[GAS_ROWS] = { 0 }, in_order = 1;
    double before = -1, sum = 0;
    lam_recipe_options options = { .seed = 3 };
    lam_recipe_job job, again;
    text t = { 0 };
    gas_text(&t);
    const char *packed = save_gzipped("gas.gz", &t), *plain = save(&t, "gas.txt");
    WORKS(make("gas", &options, plain, NULL, &job));
    expect_note("101 of 403 rows taken, a random quarter");
    /* the first of those correlated goes, then the next: 1 before 3, 3 before 16, which stays; -1 is no reason to go */
    expect_note("2 of 16 columns left out, each correlated above 0.98 with another: TGS2602_1, TGS2600_1");
    assert_int_equal(job.table->cols, 14);
    assert_string_equal(job.table->names[0], "TGS2602_2");
    assert_string_equal(job.table->names[2], "TGS2610_1");
    assert_string_equal(job.table->names[13], "TGS2620_4");
    has_rows(&job, 82, 9, 10);
    is_standardised(&job, 101, 1); /* all rows, over n - 1 */
    for (size_t i = 0; i < 101; i++) { /* the last sensor tells the row: no two have the same value */
        size_t row = 0;
        while (row < GAS_ROWS && fabs(raw(&job, i, 13) - gas_cell(row, 15)) > 1e-9)
            row++;
        assert_true(row < GAS_ROWS && !seen[row]);
        seen[row] = 1;
        in_order &= (double)row > before;
        before = (double)row;
        sum += (double)row;
        for (size_t j = 0; j < 14; j++) {
            size_t sensor = j == 0 ? 1 : j + 2;
            assert_true(fabs(raw(&job, i, j) - gas_cell(row, sensor)) < 1e-10 * 200); /* scaling there and back */
        }
    }
    assert_false(in_order);
    /* 101 of 0..402 without replacement: mean 201, its standard deviation 116.3 sqrt((1 - 1/4) / 101) = 10.0 */
    assert_true(fabs(sum / 101 - 201) < 40);
    WORKS(make("gas", &options, packed, NULL, &again));
    assert_memory_equal(job.table->values, again.table->values, 101 * 14 * sizeof(double));
    lam_recipe_clear(&job), lam_recipe_clear(&again);
}

static lam_status gas_of(const char *content)
{
    return making("gas", scratch_text("gas.txt", content), NULL);
}

#define GAS_ROW "0.00 0.00 0.00 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"

static void gas_refusals(void **state)
{
    (void)state;
    FAILS(gas_of(GAS_ROW), LAM_ERR_FORMAT, "line 1: the header should name time, CO, ethylene and sensor readings");
    FAILS(gas_of("Time (seconds), Methane conc (ppm), Ethylene conc (ppm), sensor readings (16 channels)\n" GAS_ROW), LAM_ERR_FORMAT,
        "ethylene_methane.txt; the recipe gas takes ethylene_CO.txt");
    FAILS(gas_of(GAS_HEADER GAS_ROW "0.01 0.00 0.00 1 2 3\n" GAS_ROW), LAM_ERR_FORMAT, "line 3 ends after 6 cells, 19 are expected");
    FAILS(gas_of(GAS_HEADER GAS_ROW), LAM_ERR_DATA, "1 rows, too few");
    FAILS(gas_of(GAS_HEADER "0 0 0 1 2 3 4 5 6 7 8 nan 10 11 12 13 14 15 16\n" GAS_ROW), LAM_ERR_DATA, "(TGS2602_3): \"nan\"");
    FAILS(gas_of("\x80\x02" "cpandas.core.frame\nDataFrame\n"), LAM_ERR_FORMAT, "is a pickle of pandas");
    FAILS(gas_of("PK\3\4......"), LAM_ERR_FORMAT, "is a zip; unpack it first");
    FAILS(gas_of(""), LAM_ERR_FORMAT, "the file is empty");
    FAILS(making("gas", scratch_folder, NULL), LAM_ERR_IO, "there is no ethylene_CO.txt in this folder; the recipe gas takes");
}

/* ---- HEPMASS ------------------------------------------------------------------------------------------------------ */

/* Of signal: f1's smallest value stands in 6 rows, f2's in 5, f3's largest in 20. */
static double hepmass_cell(size_t signal, size_t k)
{
    double own = scatter(signal, k);
    if (k == 1 || k == 2)
        return signal < (k == 1 ? 6 : 5) ? -2 : own;
    return k == 3 && signal < 20 ? 2 : own;
}

static void hepmass_row(text *t, int label, size_t signal, size_t from)
{
    add(t, "%.18e", (double)label);
    for (size_t k = 0; k < 27; k++)
        add(t, ",%.18e", hepmass_cell(from + signal, k));
    add(t, "\n");
}

static void hepmass_header(text *t, int with_mass)
{
    add(t, "# label");
    for (int k = 0; k < 27; k++)
        add(t, ",f%d", k);
    add(t, with_mass ? ",mass\n" : "\n");
}

/* Signal rows with two of background before each. */
static void hepmass_text(text *t, size_t signal, size_t from, int with_mass)
{
    hepmass_header(t, with_mass);
    for (size_t i = 0; i < signal; i++) {
        add(t, "0,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9,9\n");
        hepmass_row(t, 0, i, 500);
        hepmass_row(t, 1, i, from);
    }
}

static void hepmass(void **state)
{
    (void)state;
    lam_recipe_options options = { .seed = 5 };
    lam_recipe_job job;
    text train = { 0 }, test = { 0 };
    hepmass_text(&train, 50, 0, 0);
    hepmass_text(&test, 12, 100, 1);
    const char *packed = save_gzipped("1000_train.csv.gz", &train);
    free(train.data);
    WORKS(make("hepmass", &options, packed, save(&test, "1000_test.csv"), &job));
    expect_note("62 of 186 rows are signal and stay");
    expect_note("1 of 27 columns left out, their smallest value stands in more than 5 rows: f1");
    assert_int_equal(job.table->cols, 26);
    assert_string_equal(job.table->names[1], "f2");
    has_rows(&job, 45, 5, 12);
    is_standardised(&job, 50, 1); /* training and validation rows, over n - 1 */
    for (size_t i = 0; i < 62; i++)
        for (size_t j = 0; j < 26; j++) /* in the order of the files */
            assert_true(fabs(raw(&job, i, j) - hepmass_cell(i < 50 ? i : i + 50, j == 0 ? 0 : j + 1)) < 1e-14);
    lam_recipe_clear(&job);
    WORKS(make("hepmass", &options, scratch_folder, NULL, &job)); /* both found by their names */
    has_rows(&job, 45, 5, 12);
    lam_recipe_clear(&job);
    unlink(packed);
}

/* Behind the first 350,000 rows of the test file nothing is read. */
static void hepmass_tenth(void **state)
{
    (void)state;
    lam_recipe_options options = { 0 };
    lam_recipe_job job;
    text t = { 0 };
    hepmass_text(&t, 50, 0, 0);
    const char *train = save(&t, "train.csv");
    hepmass_header(&t, 0);
    for (size_t i = 0; i < 350005; i++)
        if (i < 4 || i >= 349998)
            hepmass_row(&t, 1, i % 10, 100);
        else
            add(&t, "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0\n");
    add(&t, "this is never read\n");
    WORKS(make("hepmass", &options, train, save(&t, "test.csv"), &job));
    expect_note("test.csv: the first 350000 rows are taken, a tenth of the public file");
    assert_int_equal(job.rows[LAM_TEST], 6);
    lam_recipe_clear(&job);
}

static void hepmass_refusals(void **state)
{
    (void)state;
    text t = { 0 };
    hepmass_text(&t, 50, 0, 0);
    const char *good = save(&t, "train.csv");
    hepmass_text(&t, 20, 0, 1);
    FAILS(making("hepmass", save(&t, "all.csv"), good), LAM_ERR_FORMAT, "a mass: this is all_train.csv or not1000_train.csv");
    FAILS(making("hepmass", scratch_text("x.csv", "label,f0,f1\n1,2,3\n"), good), LAM_ERR_FORMAT,
        "x.csv: line 1: the header should be \"# label\" and the names of 27 features");
    FAILS(making("hepmass", scratch_text("x.csv", ",1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7\n"), good), LAM_ERR_FORMAT,
        "column 1 of the header should be \"# label\"");
    hepmass_header(&t, 0);
    hepmass_row(&t, 1, 0, 0);
    add(&t, "1,2,3\n");
    FAILS(making("hepmass", good, save(&t, "x.csv")), LAM_ERR_FORMAT, "x.csv: line 3 ends after 3 cells, 28 are expected");
    hepmass_header(&t, 0);
    hepmass_row(&t, 2, 0, 0);
    FAILS(making("hepmass", good, save(&t, "x.csv")), LAM_ERR_DATA, "line 2: the label is 2, not 0 or 1");
    hepmass_header(&t, 0);
    hepmass_row(&t, 0, 0, 0);
    FAILS(making("hepmass", good, save(&t, "x.csv")), LAM_ERR_DATA, "x.csv: no row has the label 1");
    FAILS(making("hepmass", good, NULL), LAM_ERR_ARGUMENT, "takes two files, or a folder with them: 1000_train.csv and 1000_test.csv");
}

/* ---- MINIBOONE ---------------------------------------------------------------------------------------------------- */

/* 42 rows of signal, two of them outliers, then background; columns 5 and 50 have a smallest value that recurs. */
static double miniboone_cell(size_t i, size_t k)
{
    return (k == 4 && i % 6 == 0) || (k == 49 && i < 30) ? -5 : scatter(i, k);
}

static void miniboone_text(text *t, size_t signal)
{
    add(t, "  %zu  3\n", signal);
    for (size_t i = 0; i < 45; i++) {
        for (size_t k = 0; k < 50; k++)
            add(t, "  %.16e", i == 10 || i == 41 ? -999.0 : miniboone_cell(i, k));
        add(t, "\n");
    }
}

static void miniboone(void **state)
{
    (void)state;
    lam_recipe_options options = { 0 };
    lam_recipe_job job;
    text t = { 0 };
    miniboone_text(&t, 42);
    WORKS(make("miniboone", &options, save(&t, "pid.txt"), NULL, &job));
    expect_note("2 of 42 rows of signal left out");
    expect_note("2 of 50 columns left out, their smallest value stands in more than 5 rows: pid_5, pid_50");
    assert_int_equal(job.table->cols, 48);
    assert_string_equal(job.table->names[4], "pid_6");
    has_rows(&job, 33, 3, 4);
    is_standardised(&job, 36, 0);
    for (size_t i = 0; i < 40; i++)
        for (size_t j = 0; j < 48; j++)
            assert_true(fabs(raw(&job, i, j) - miniboone_cell(i < 10 ? i : i + 1, j < 4 ? j : j + 1)) < 1e-14);
    lam_recipe_clear(&job);

    FAILS(making("miniboone", scratch_text("pid.txt", "1 2 3\n"), NULL), LAM_ERR_FORMAT, "line 1: it should hold two numbers");
    FAILS(making("miniboone", scratch_text("pid.txt", "1.5 2\n"), NULL), LAM_ERR_FORMAT, "two whole numbers");
    FAILS(making("miniboone", scratch_text("pid.txt", "7 2\n1 2 3\n"), NULL), LAM_ERR_FORMAT, "line 2 ends after 3 cells");
    miniboone_text(&t, 60);
    FAILS(making("miniboone", save(&t, "pid.txt"), NULL), LAM_ERR_FORMAT,
        "ends after line 46, with 45 of the 60 rows of signal that its first line promises");
}

/* Cleaned already: split and scaled, nothing left out. */
static void miniboone_bundle(void **state)
{
    (void)state;
    static double x[30][43];
    size_t shape[2] = { 30, 43 };
    lam_recipe_options options = { 0 };
    lam_recipe_job job;
    for (size_t i = 0; i < 30; i++)
        for (size_t j = 0; j < 43; j++)
            x[i][j] = miniboone_cell(i, j);
    WORKS(lam_npy_write(scratch_path("data.npy"), &x[0][0], shape, 2));
    WORKS(make("miniboone", &options, scratch_path("data.npy"), NULL, &job));
    assert_int_equal(job.table->cols, 43);
    has_rows(&job, 25, 2, 3);
    is_standardised(&job, 27, 0);
    for (size_t i = 0; i < 30; i++)
        assert_true(fabs(raw(&job, i, 7) - x[i][7]) < 1e-14);
    lam_recipe_clear(&job);
    shape[0] = 43, shape[1] = 30;
    WORKS(lam_npy_write(scratch_path("data.npy"), &x[0][0], shape, 2));
    FAILS(making("miniboone", scratch_path("data.npy"), NULL), LAM_ERR_SHAPE, "rows of 43 numbers, the cleaned ones");
}

/* ---- BSDS300 ------------------------------------------------------------------------------------------------------ */

#ifdef LAM_HAVE_HDF5

/* A dataset [rows, cols] of scatter(i, j + from). */
static void put_set(hid_t file, const char *name, hsize_t rows, hsize_t cols, size_t from, hid_t type)
{
    hsize_t shape[2] = { rows, cols };
    double *x = malloc(rows * cols * sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < rows * cols; i++)
        x[i] = (float)scatter(i / cols, i % cols + from);
    hid_t space = H5Screate_simple(2, shape, NULL), set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(set >= 0 && H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) >= 0);
    H5Dclose(set);
    H5Sclose(space);
    free(x);
}

static const char *bsds_file(hsize_t valid_cols, const char *test_name, hid_t type)
{
    const char *path = scratch_path("BSDS300.hdf5");
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(file >= 0);
    put_set(file, "train", 5000, 63, 0, type); /* more than one slab */
    put_set(file, "validation", 7, valid_cols, 100, type);
    put_set(file, test_name, 11, 63, 200, type);
    H5Fclose(file);
    return path;
}

static void bsds300(void **state)
{
    (void)state;
    lam_recipe_options options = { 0 };
    const hid_t types[] = { H5T_IEEE_F32LE, H5T_IEEE_F64LE, H5T_IEEE_F64BE };
    for (size_t k = 0; k < 3; k++) {
        lam_recipe_job job;
        WORKS(make("bsds300", &options, bsds_file(63, "test", types[k]), NULL, &job));
        has_rows(&job, 5000, 7, 11);
        assert_null(job.mean); /* as it is in the file */
        for (size_t i = 0; i < 5018; i++)
            for (size_t j = 0; j < 63; j++) {
                size_t row = i < 5000 ? i : i < 5007 ? i - 5000 : i - 5007, from = i < 5000 ? 0 : i < 5007 ? 100 : 200;
                assert_true(job.table->values[i * 63 + j] == (double)(float)scatter(row, j + from));
            }
        lam_recipe_clear(&job);
    }
    FAILS(making("bsds300", bsds_file(62, "test", types[0]), NULL), LAM_ERR_SHAPE, "\"validation\" has 62 columns, \"train\" has 63");
    FAILS(making("bsds300", bsds_file(63, "tests", types[0]), NULL), LAM_ERR_FORMAT, "holds no dataset \"test\"");
    FAILS(making("bsds300", scratch_text("x.hdf5", "no such file"), NULL), LAM_ERR_FORMAT, "is not an HDF5 file");
    FAILS(making("bsds300", scratch_path("nowhere.hdf5"), NULL), LAM_ERR_IO, "cannot be read");
    const char *path = bsds_file(63, "test", types[0]);
    assert_int_equal(truncate(path, 600000), 0);
    FAILS(making("bsds300", path, NULL), LAM_ERR_FORMAT, "damaged");
    unlink(path);
}

#else

static void bsds300(void **state)
{
    (void)state;
    FAILS(making("bsds300", scratch_text("x.hdf5", ""), NULL), LAM_ERR_UNSUPPORTED, "install libhdf5-dev");
}

#endif

/* ---- the partial public files, where they are --------------------------------------------------------------------- */

/* The first month: 40,963 rows, of which awk counts 40,959 without a "?". */
static void real_power(void **state)
{
    (void)state;
    char path[512];
    lam_recipe_options options = { 0 };
    lam_recipe_job job;
    if (!find_real("power_month", path))
        skip();
    WORKS(make("power", &options, path, NULL, &job));
    assert_int_equal(job.read, 40963);
    has_rows(&job, 33178, 3686, 4095);
    assert_true(fabs(job.mean[1] - 241.1) < 0.1); /* volts in Paris */
    lam_recipe_clear(&job);
}

static void real_miniboone(void **state)
{
    (void)state;
    char path[512];
    lam_recipe_options options = { 0 };
    lam_recipe_job job;
    if (!find_real("miniboone_head", path))
        skip();
    WORKS(make("miniboone", &options, path, NULL, &job));
    has_rows(&job, 1234, 137, 152);
    assert_int_equal(job.table->cols, 43);
    lam_recipe_clear(&job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power), cmocka_unit_test(power_bundle), cmocka_unit_test(power_refusals),
        cmocka_unit_test(power_constant), cmocka_unit_test(gas), cmocka_unit_test(gas_refusals), cmocka_unit_test(hepmass),
        cmocka_unit_test(hepmass_tenth),
        cmocka_unit_test(hepmass_refusals), cmocka_unit_test(miniboone), cmocka_unit_test(miniboone_bundle),
        cmocka_unit_test(bsds300), cmocka_unit_test(real_power), cmocka_unit_test(real_miniboone),
    };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
