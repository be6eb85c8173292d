/* Experiments whose runs are made by hand: states, choices, and every number of the report. */
#define _GNU_SOURCE /* nftw */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/file.h"
#include "laminar.h"
#include "model/config.h"
#include "laminar/experiment.h"
#include <ctype.h>
#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/laminar_experiment_XXXXXX";

static int take_away(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info, (void)kind, (void)at;
    return remove(path);
}

static int setup(void **state)
{
    (void)state;
    strcpy(folder + sizeof folder - 7, "XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int teardown(void **state)
{
    (void)state;
    return nftw(folder, take_away, 16, FTW_DEPTH | FTW_PHYS);
}

/* Writes folder/name, and makes what is above it. */
static const char *put(const char *name, const char *text)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (char *c = path + 1; *c != '\0'; c++) {
        if (*c != '/')
            continue;
        *c = '\0';
        mkdir(path, 0777);
        *c = '/';
    }
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    return path;
}

static char *get(const char *name)
{
    char path[512], *text;
    size_t size;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(lam_file_read(path, &text, &size), LAM_OK);
    return text;
}

static lam_experiment *open_plan(const char *text)
{
    char dir[512];
    lam_experiment *e;
    snprintf(dir, sizeof dir, "%s/x/", folder);
    if (lam_experiment_open(put("plan.yaml", text), dir, &e) != LAM_OK)
        fail_msg("%s", lam_last_error());
    return e;
}

static void refresh(lam_experiment *e)
{
    if (lam_experiment_refresh(e) != LAM_OK)
        fail_msg("%s", lam_last_error());
}

/* ---- runs made by hand -------------------------------------------------------------------------------------------- */

/* Ten iterations, every second logged, with `calls` forward and half as many backward, twice that until iteration 8; validations at
 * iterations 5 and 10; a second an iteration, half of it on the processor, times `pace`. */
typedef struct made {
    const char *run;
    double calls, pace, val[2], test;
} made;

static void make(const made *m)
{
    char name[256], text[4096];
    size_t n = 0;
    for (int i = 1; i <= 10; i++) {
        double forward = i > 8 ? m->calls : 2 * m->calls;
        if (i % 2 == 0)
            n += (size_t)snprintf(text + n, sizeof text - n, "{\"type\":\"train\",\"iteration\":%d,\"loss\":3,\"nll\":3,\"forward\":%g,"
                "\"backward\":%g,\"accepted\":8,\"rejected\":1,\"seconds\":%g,\"train_seconds\":%g,\"train_cpu_seconds\":%g}\n", i,
                forward, forward / 2, 2 * i * m->pace, i * m->pace, 0.5 * i * m->pace);
        if (i % 5 == 0)
            n += (size_t)snprintf(text + n, sizeof text - n, "{\"type\":\"validation\",\"iteration\":%d,\"val_nll\":%g,"
                "\"best_val_nll\":%g,\"train_seconds\":%g,\"train_cpu_seconds\":%g}\n", i, m->val[i / 5 - 1],
                i == 5 ? m->val[0] : fmin(m->val[0], m->val[1]), i * m->pace, 0.5 * i * m->pace);
    }
    snprintf(text + n, sizeof text - n, "{\"type\":\"something new\"}\n{\"type\":\"summary\",\"iterations\":10,\"best_iteration\":10,"
        "\"best_val_nll\":%g,\"test_nll\":%g,\"gaussian_test_nll\":null,\"log_det\":-1,\"train_forward\":%g,\"train_backward\":%g,"
        "\"test_forward\":90,\"test_solves\":6,\"seconds\":%g,\"train_seconds\":%g,\"train_cpu_seconds\":%g,\"finished\":true}\n",
        fmin(m->val[0], m->val[1]), m->test, 18 * m->calls, 9 * m->calls, 20 * m->pace, 10 * m->pace, 5 * m->pace);
    snprintf(name, sizeof name, "x/runs/a/%s/metrics.jsonl", m->run);
    put(name, text);
}

static const char plan_text[] = "title: 'Hand-made: <a> & \"b\"'\nbudget: {iterations: 10}\nsettings: {blocks: 2}\n"
                                "data:\n  - {name: a, file: toy:moons}\n"
                                "penalties:\n  - name: none\n  - name: \"T, <q>\"\n    settings: {tpr: true}\n"
                                "  - {name: slow, settings: {steer: 0.1}}\n  - {name: bad, settings: {steer: 0.2}}\n"
                                "  - {name: quick, settings: {steer: 0.3}}\n"
                                "seeds: [1, 2]\n";

/* none: best 1.5 at iteration 10. T: half the calls; there at iteration 5, and at half the pace with seed 2. slow: never there with
 * seed 1, with seed 2 as fast as none. quick: there at iteration 5 with both. */
static void make_runs(void)
{
    static const made runs[] = { { "none/1e-4_seed1", 16, 1, { 2, 1.5 }, 1.25 }, { "none/1e-4_seed2", 16, 1, { 2.5, 1.5 }, 1.75 },
        { "t-q/1e-4_seed1", 8, 1, { 1.5, 1.25 }, 1.5 }, { "t-q/1e-4_seed2", 8, 0.5, { 1.25, 1.375 }, 1.75 },
        { "slow/1e-4_seed1", 32, 1, { 2, 1.75 }, 2.25 }, { "slow/1e-4_seed2", 32, 1, { 2, 1.5 }, 2.75 },
        { "quick/1e-4_seed1", 20, 1, { 1.5, 1.5 }, 1.25 }, { "quick/1e-4_seed2", 20, 1, { 1.5, 1.5 }, 1.75 } };
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++)
        make(&runs[i]);
    put("x/runs/a/bad/1e-4_seed1/state.json", "{\"state\":\"failed\",\"message\":\"loss, \\\"not\\\" <finite>\"}");
    put("x/runs/a/bad/1e-4_seed2/metrics.jsonl", "{\"type\":\"train\",\"iteration\":2,\"forward\":7,\"backward\":6,\"seconds\":4}\n"
        "{\"type\":\"trai");
    put("x/runs/a/t-q/1e-4_seed1/state.json", "{\"state\":\"begun\",\"load\":1.5,\"load_seconds\":10,\"machine\":\"a machine\"}");
}

/* ---- tables read back --------------------------------------------------------------------------------------------- */

/* Cell `column` of a line, its quotes taken off, into cell [128]. */
static void cell_at(const char *line, size_t column, char cell[128])
{
    size_t n = 0, at = 0;
    int quoted = 0;
    for (; *line != '\0' && (quoted || *line != '\n'); line++) {
        int twice = quoted && *line == '"' && line[1] == '"'; /* stands for one */
        line += twice;
        if (*line == '"' && !twice)
            quoted = !quoted;
        else if (*line == ',' && !quoted)
            at++;
        else if (at == column && n < 127)
            cell[n++] = *line;
    }
    cell[n] = '\0';
}

/* The cell of the column named so in the line that begins so. */
static const char *cell(const char *table, const char *begins, const char *name)
{
    static char found[128];
    const char *line = table;
    for (size_t column = 0; column < 200; column++) {
        cell_at(table, column, found);
        if (strcmp(found, name) != 0)
            continue;
        while (line != NULL && strncmp(line, begins, strlen(begins)) != 0)
            if ((line = strchr(line, '\n')) != NULL)
                line++;
        if (line == NULL)
            fail_msg("no line begins with %s", begins);
        cell_at(line, column, found);
        return found;
    }
    fail_msg("no column %s", name);
    return NULL;
}

static void expect(const char *table, const char *begins, const char *const cells[][2], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *found = cell(table, begins, cells[i][0]);
        if (strcmp(found, cells[i][1]) != 0)
            fail_msg("%s: %s is %s, not %s", begins, cells[i][0], found, cells[i][1]);
    }
}
#define EXPECT(table, begins, cells) expect(table, begins, cells, sizeof cells / sizeof cells[0])

/* Every element that is opened is closed, in its order; entities are whole; no '<' or '&' stands for itself. */
static void assert_well_formed(const char *html)
{
    char stack[64][16];
    size_t depth = 0;
    for (const char *c = html; *c != '\0'; c++) {
        if (*c == '&' && strchr(c, ';') == NULL)
            fail_msg("a bare & before: %.40s", c);
        if (*c != '<')
            continue;
        const char *end = strchr(c, '>');
        assert_non_null(end);
        char name[16] = "";
        int closing = c[1] == '/';
        size_t n = strcspn(c + 1 + closing, " >/\n");
        if (c[1] == '!' || strncmp(c, "<meta", 5) == 0 || end[-1] == '/') {
            c = end;
            continue;
        }
        if (!isalpha((unsigned char)c[1 + closing]) || n >= sizeof name)
            fail_msg("not an element: %.40s", c);
        memcpy(name, c + 1 + closing, n);
        if (!closing) {
            assert_true(depth < 64);
            strcpy(stack[depth++], name);
            if (strcmp(name, "style") == 0)
                end = strstr(end, "</style>") - 1;
        } else if (depth == 0 || strcmp(stack[--depth], name) != 0) {
            fail_msg("</%s> closes %s: %.60s", name, depth > 0 ? stack[depth] : "nothing", c);
        }
        c = end;
    }
    assert_int_equal(depth, 0);
}

/* ---- tests -------------------------------------------------------------------------------------------------------- */

static void numbers_are_exact(void **state)
{
    (void)state;
    lam_experiment *e = open_plan(plan_text);
    make_runs();
    if (lam_experiment_report(e, 1) != LAM_OK)
        fail_msg("%s", lam_last_error());
    char *runs = get("x/runs.csv"), *summary = get("x/summary.csv"), *curves = get("x/curves.csv");
    /* last fifth: iteration 10 alone; two blocks; 90 calls over 6 solves; calls until the validation at 5: 4 iterations of 24, one as
     * the last logged one */
    static const char *const t1[][2] = { { "state", "finished" }, { "coefficient", "" }, { "tolerance", "0.0001" }, { "iterations", "10" },
        { "best_val_nll", "1.25" }, { "test_nll", "1.5" }, { "gaussian_test_nll", "" }, { "log_det", "-1" }, { "forward", "8" },
        { "backward", "4" }, { "steps", "4" }, { "rejected", "0.5" }, { "train_forward", "144" }, { "train_backward", "72" },
        { "test_calls", "30" }, { "train_seconds", "10" }, { "train_cpu_seconds", "5" }, { "seconds", "20" }, { "reach_iteration", "5" },
        { "reach_calls", "120" }, { "reach_seconds", "5" }, { "reach_cpu_seconds", "2.5" }, { "nll_difference", "0.25" },
        { "calls_ratio", "0.5" }, { "total_calls_ratio", "0.5" }, { "cpu_seconds_ratio", "1" }, { "reach_seconds_ratio", "0.5" },
        { "reach_cpu_seconds_ratio", "0.5" }, { "load", "1.5" }, { "machine", "a machine" }, { "folder", "runs/a/t-q/1e-4_seed1" } };
    EXPECT(runs, "a,\"T, <q>\",,0.0001,1,grid", t1);
    static const char *const n1[][2] = { { "reach_iteration", "10" }, { "reach_calls", "432" }, { "reach_cpu_seconds_ratio", "1" },
        { "nll_difference", "0" } };
    EXPECT(runs, "a,none,,0.0001,1,grid", n1);
    static const char *const s1[][2] = { { "reach_iteration", "" }, { "reach_cpu_seconds_ratio", "" }, { "calls_ratio", "2" } };
    EXPECT(runs, "a,slow,,0.0001,1,grid", s1);
    static const char *const bad[][2] = { { "state", "failed" }, { "message", "loss, \"not\" <finite>" }, { "forward", "" } };
    EXPECT(runs, "a,bad,,0.0001,1,grid", bad);
    static const char *const begun[][2] = { { "state", "begun" }, { "iterations", "2" }, { "forward", "7" }, { "test_nll", "" },
        { "nll_difference", "" } };
    EXPECT(runs, "a,bad,,0.0001,2,grid", begun);
    /* means over two seeds; standard error of two values: half their distance */
    static const char *const t[][2] = { { "planned", "2" }, { "finished", "2" }, { "failed", "0" }, { "test_nll_mean", "1.625" },
        { "test_nll_se", "0.125" }, { "test_nll_n", "2" }, { "forward_mean", "8" }, { "forward_se", "0" },
        { "reach_cpu_seconds_ratio_mean", "0.375" }, { "reach_cpu_seconds_ratio_se", "0.125" }, { "nll_difference_mean", "0.125" },
        { "nll_difference_se", "0.125" } };
    EXPECT(summary, "a,\"T, <q>\",", t);
    static const char *const s[][2] = { { "reach_cpu_seconds_ratio_mean", "1" }, { "reach_cpu_seconds_ratio_se", "" },
        { "reach_cpu_seconds_ratio_n", "1" }, { "nll_difference_mean", "1" }, { "nll_difference_se", "0" } };
    EXPECT(summary, "a,slow,", s);
    static const char *const b[][2] = { { "planned", "2" }, { "finished", "0" }, { "failed", "1" }, { "test_nll_mean", "" } };
    EXPECT(summary, "a,bad,", b);
    static const char *const point[][2] = { { "calls", "120" }, { "nll", "1.5" }, { "train_cpu_seconds", "2.5" }, { "forward", "" } };
    EXPECT(curves, "a,\"T, <q>\",,0.0001,1,grid,validation,5", point);
    free(runs);
    free(summary);
    free(curves);
    lam_experiment_free(e);
}

static void the_page_says_so(void **state)
{
    (void)state;
    lam_experiment *e = open_plan(plan_text);
    make_runs();
    assert_int_equal(lam_experiment_report(e, 1), LAM_OK);
    char *page = get("x/report.html");
    assert_well_formed(page);
    static const char first[] = "<b>quick</b> reached the best validation NLL of <b>none</b> first, after 0.50 \xc2\xb1 0.00 of the "
                                "processor seconds that it took (2 times as fast); the mean of <b>T, &lt;q&gt;</b> is lower, 0.38 "
                                "\xc2\xb1 0.12, but these seeds cannot tell it from 1. In some runs only: <b>slow</b> (1 of 2). ";
    const char *const wanted[] = { "<h1>Hand-made: &lt;a&gt; &amp; &quot;b&quot;</h1>", "<b>8 of 10 runs finished</b>, 1 under way, 1 ",
        /* 0.375 +- 0.125, of two seeds: 12.7 times that leaves 1 within reach */
        first,
        "Test NLL beside <b>none</b>: higher with slow by 1.0000 \xc2\xb1 0.0000 nats; of the others, no difference",
        "Fewest evaluations of f per iteration among the penalties: <b>T, &lt;q&gt;</b>, 0.50 \xc2\xb1 0.00 of those of <b>none</b> "
        "(4.0 steps a solve beside 4.0)",
        "<td>1.62 \xc2\xb1 0.12</td>", "<td>5.0 <small>1 of 2</small></td>", "loss, &quot;not&quot; &lt;finite&gt;", "Run on a machine. ",
        "title: 'Hand-made: &lt;a&gt; &amp; &quot;b&quot;'", "<figcaption>Validation NLL over the time of training</figcaption>" };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        if (strstr(page, wanted[i]) == NULL)
            fail_msg("the page does not say: %s", wanted[i]);
    static const char *const unwanted[] = { "<script", "http:", "https:", "url(", "src=", "nan", "inf<" };
    for (size_t i = 0; i < sizeof unwanted / sizeof unwanted[0]; i++)
        if (strstr(page, unwanted[i]) != NULL)
            fail_msg("the page holds %s", unwanted[i]);
    free(page);
    lam_experiment_free(e);
}

/* Nothing has run; one seed. */
static void pages_of_little(void **state)
{
    (void)state;
    lam_experiment *e = open_plan(plan_text);
    put("x/lock", "");
    assert_int_equal(lam_experiment_report(e, 0), LAM_OK);
    char *page = get("x/report.html");
    assert_well_formed(page);
    assert_non_null(strstr(page, "<b>0 of 10 runs finished</b>; what follows"));
    assert_non_null(strstr(page, "No run is finished here yet."));
    free(page);
    make(&(made) { "t-q/1e-4_seed1", 8, 1, { 1.5, 1.25 }, 1.5 });
    assert_int_equal(lam_experiment_report(e, 0), LAM_OK);
    page = get("x/report.html");
    assert_non_null(strstr(page, "The baseline has no finished run here yet"));
    free(page);
    make(&(made) { "none/1e-4_seed1", 16, 1, { 2, 1.5 }, 1.25 });
    assert_int_equal(lam_experiment_report(e, 0), LAM_OK);
    page = get("x/report.html");
    assert_well_formed(page);
    assert_non_null(strstr(page, "after 0.50 of the processor seconds that it took (2 times as fast); that is one run of each"));
    assert_null(strstr(page, "Test NLL beside"));
    free(page);
    lam_experiment_free(e);
}

static void coefficients_are_chosen(void **state)
{
    (void)state;
    const char *text = "budget: {seconds: 30}\ndata: [{name: a, file: toy:moons}, {name: b, file: toy:moons}]\nthreads: 2\n"
                       "penalties: [{name: none}, {name: R, coefficient: {parameters: [kinetic-coefficient, jacobian-coefficient],"
                       " values: [1, 0.5, 4]}}]\n"
                       "choose: {data: b, seed: 7, tolerance: 0.01, budget: {iterations: 3}}\n";
    const double best[3] = { 3, 1, 2 };
    const char *const values[3] = { "1", "0.5", "4" };
    lam_experiment *e = open_plan(text);
    refresh(e);
    const lam_experiment_run *run = lam_experiment_run_at(e, 1);
    assert_string_equal(run->name, "choosing: b, R 0.5");
    assert_true(run->config->kinetic_coefficient == 0.5 && run->config->jacobian_coefficient == 0.5);
    assert_true(run->config->iterations == 3 && run->config->max_seconds == 0 && run->config->seed == 7);
    assert_true(run->config->atol == 0.01 && run->config->rtol == 0.01 && run->config->threads == 2);
    run = lam_experiment_run_at(e, 3);
    assert_string_equal(run->name, "a, none, tolerance 1e-4, seed 1");
    assert_true(run->config->max_seconds == 30 && run->config->iterations == 1000000000 && run->config->seed == 1);
    run = lam_experiment_run_at(e, 4);
    assert_string_equal(run->name, "a, R, tolerance 1e-4, seed 1");
    for (size_t i = 0; i < 3; i++) {
        char name[128], line[256];
        assert_null(run->config);
        snprintf(name, sizeof name, "x/choose/b/r=%s/metrics.jsonl", values[i]);
        snprintf(line, sizeof line, "{\"type\":\"summary\",\"iterations\":3,\"best_val_nll\":%g,\"finished\":true}\n", best[i]);
        put(name, line);
        refresh(e);
    }
    assert_non_null(run->config);
    assert_true(run->config->kinetic_coefficient == 0.5);
    assert_null(lam_experiment_run_at(e, 7));
    assert_int_equal(lam_experiment_report(e, 0), LAM_OK);
    char *page = get("x/report.html");
    assert_well_formed(page);
    assert_non_null(strstr(page, "<tr class=\"chosen\"><th scope=\"row\">R</th><td>0.5</td><td>1.0000</td>"));
    free(page);
    lam_experiment_free(e);
}

static void changed_plans_are_noticed(void **state)
{
    (void)state;
    lam_experiment *e = open_plan(plan_text);
    lam_config cfg;
    char path[512];
    make_runs();
    const lam_experiment_run *run = lam_experiment_run_at(e, 0);
    snprintf(path, sizeof path, "%s/config.yaml", run->folder);
    lam_config_init(&cfg);
    assert_int_equal(lam_config_copy(&cfg, run->config), LAM_OK);
    cfg.threads = 7; /* may change from day to day */
    assert_int_equal(lam_config_save(&cfg, path), LAM_OK);
    refresh(e);
    assert_int_equal(run->state, LAM_RUN_FINISHED);
    cfg.clip = 0.5;
    assert_int_equal(lam_config_save(&cfg, path), LAM_OK);
    assert_int_equal(lam_experiment_refresh(e), LAM_ERR_ARGUMENT);
    assert_non_null(strstr(lam_last_error(), "x/runs/a/none/1e-4_seed1 was made with clip 0.5, and by the plan it is 0 now"));
    lam_config_clear(&cfg);
    lam_experiment_free(e);
}

/* What a note says comes back; loads are averaged over what was noted before. */
static void notes_are_kept(void **state)
{
    (void)state;
    lam_experiment *e = open_plan(plan_text);
    make_runs();
    refresh(e);
    const lam_experiment_run *run = lam_experiment_run_at(e, 8);
    assert_string_equal(run->name, "a, bad, tolerance 1e-4, seed 2");
    assert_int_equal(run->state, LAM_RUN_BEGUN);
    assert_int_equal(lam_experiment_note(e, 8, &(lam_run_note) { .state = LAM_RUN_BEGUN, .load = 1, .seconds = 30 }), LAM_OK);
    assert_int_equal(lam_experiment_note(e, 8, &(lam_run_note) { .state = LAM_RUN_FAILED, .message = "it \"broke\"", .load = 5,
        .seconds = 10 }), LAM_OK);
    refresh(e);
    assert_int_equal(run->state, LAM_RUN_FAILED);
    assert_string_equal(run->message, "it \"broke\"");
    assert_int_equal(lam_experiment_report(e, 0), LAM_OK);
    char *runs = get("x/runs.csv");
    static const char *const cells[][2] = { { "load", "2" }, { "message", "it \"broke\"" } };
    EXPECT(runs, "a,bad,,0.0001,2", cells);
    free(runs);
    lam_experiment_free(e);
}

static void mistakes_of_runs_have_a_place(void **state)
{
    (void)state;
    static const char rest[] = "budget: {iterations: 5}\ndata: [{name: a, file: toy:moons}]\n";
    static const struct { const char *text, *part; } mistakes[] = {
        { "penalties: [{name: none, settings: {tpr-coefficient: -1}}]\n", "plan.yaml:3:54: tpr-coefficient: \"-1\"" },
        { "penalties: [{name: none, settings: {tpr: true, tpr-times: 2}}]\n", "plan.yaml:3:20: none on a: tpr-times" },
        { "penalties: [{name: none}]\nthreads: 99999\n", "plan.yaml:4:10: threads" },
        { "penalties: [{name: none}]\ntolerances: 2\n", "plan.yaml:4:13: rtol" },
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        char text[512];
        lam_experiment *e;
        snprintf(text, sizeof text, "%s%s", rest, mistakes[i].text);
        assert_int_equal(lam_experiment_open(put("plan.yaml", text), folder, &e), LAM_ERR_ARGUMENT);
        if (strstr(lam_last_error(), mistakes[i].part) == NULL)
            fail_msg("\"%s\" expected, said: %s", mistakes[i].part, lam_last_error());
        assert_null(e);
    }
    lam_experiment *e;
    const char *config = "budget: {iterations: 5}\ndata: [{name: a, file: toy:moons, config: c.yaml}]\npenalties: [{name: none}]\n";
    assert_int_equal(lam_experiment_open(put("plan.yaml", config), folder, &e), LAM_ERR_IO);
    assert_non_null(strstr(lam_last_error(), "plan.yaml:2:43: "));
    put("c.yaml", "lr: x\n");
    assert_int_equal(lam_experiment_open(put("plan.yaml", config), folder, &e), LAM_ERR_ARGUMENT);
    assert_non_null(strstr(lam_last_error(), "c.yaml:1:5: lr"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(numbers_are_exact, setup, teardown),
        cmocka_unit_test_setup_teardown(the_page_says_so, setup, teardown),
        cmocka_unit_test_setup_teardown(pages_of_little, setup, teardown),
        cmocka_unit_test_setup_teardown(coefficients_are_chosen, setup, teardown),
        cmocka_unit_test_setup_teardown(changed_plans_are_noticed, setup, teardown),
        cmocka_unit_test_setup_teardown(notes_are_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(mistakes_of_runs_have_a_place, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
