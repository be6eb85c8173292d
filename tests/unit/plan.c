/* The plan of an experiment: what it says, and where mistakes are. */
#include "experiment/plan.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static lam_status parse(lam_plan *plan, const char *text)
{
    return lam_plan_parse(plan, text, strlen(text), "p.yaml");
}

static void says_what_it_says(void **state)
{
    (void)state;
    lam_plan plan;
    size_t lr, index;
    const char *text = "name: trial\ntitle: 'A trial: of <things>'\n"
                       "budget: {processor-seconds: 2.5}\n"
                       "threads: 2\n"
                       "settings: {lr: 0.01, dims: [8, 8]}\n"
                       "data:\n  - name: a\n    file: toy:moons\n"
                       "  - {name: b, file: ../b.csv, valid: v.npy, test: t.npy, config: c.yaml, settings: {blocks: 2}}\n"
                       "penalties:\n  - {name: none}\n  - name: R\n    settings: {steer: 0.5}\n    coefficient:\n"
                       "      parameters: [kinetic_coefficient, jacobian-coefficient]\n      values: [0.1, 1]\n"
                       "tolerances: 1.0e-3\nseeds: [3, 0]\nbaseline: none\n"
                       "choose: {data: b, seed: 7, tolerance: 0.5, budget: {iterations: 9}}\n";
    if (parse(&plan, text) != LAM_OK)
        fail_msg("%s", lam_last_error());
    assert_string_equal(plan.title.text, "A trial: of <things>");
    assert_int_equal(lam_budget_said(&plan.budget), LAM_BUDGET_PROCESSOR_SECONDS);
    assert_true(plan.budget.amount[LAM_BUDGET_PROCESSOR_SECONDS] == 2.5);
    assert_non_null(lam_param_find("lr", &lr));
    assert_string_equal(plan.settings.entries[lr].text, "0.01");
    assert_int_equal(plan.n_data, 2);
    assert_string_equal(plan.data[1].file.text, "../b.csv");
    assert_string_equal(plan.data[1].valid.text, "v.npy");
    assert_string_equal(plan.data[1].config.text, "c.yaml");
    assert_int_equal(plan.n_penalties, 2);
    assert_int_equal(plan.penalties[0].values.n, 0);
    assert_int_equal(plan.penalties[1].values.n, 2);
    assert_non_null(lam_param_find(plan.penalties[1].parameters.items[0].text, &index));
    assert_int_equal(plan.tolerances.n, 1);
    assert_int_equal(plan.seeds.n, 2);
    assert_int_equal(plan.base, 0);
    assert_int_equal(plan.choose.on, 1);
    assert_true(plan.choose.budget.amount[LAM_BUDGET_ITERATIONS] == 9);
    lam_plan_clear(&plan);
    lam_plan_clear(&plan); /* a zeroed one */
}

/* Parts that the mistakes below are made in. */
#define BUDGET "budget: {iterations: 5}\n"
#define DATA "data: [{name: a, file: toy:moons}]\n"
#define PENALTIES "penalties: [{name: none}]\n"

static void mistakes_have_a_place(void **state)
{
    (void)state;
    const struct { const char *text, *part; lam_status status; } mistakes[] = {
        { "", "p.yaml: the plan is empty", LAM_ERR_FORMAT },
        { "# nothing\n", "p.yaml: the plan is empty", LAM_ERR_FORMAT },
        { "- a\n", "p.yaml:1:1: a list stands where", LAM_ERR_FORMAT },
        { BUDGET DATA "penaltys: []\n", "p.yaml:3:1: unknown key \"penaltys\"; did you mean \"penalties\"?", LAM_ERR_ARGUMENT },
        { BUDGET DATA PENALTIES "colour: red\n", "p.yaml:4:1: unknown key \"colour\"; here stand name, title, budget", LAM_ERR_ARGUMENT },
        { BUDGET DATA PENALTIES DATA, "p.yaml:4:1: data appears a second time here, first in line 2", LAM_ERR_ARGUMENT },
        { DATA PENALTIES, "p.yaml:1:1: the key \"budget\" is missing", LAM_ERR_ARGUMENT },
        { "budget: 5\n" DATA PENALTIES, "p.yaml:1:9: a single value stands where \"iterations: N\"", LAM_ERR_FORMAT },
        { "budget: {}\n" DATA PENALTIES, "p.yaml:1:9: a budget is one of iterations, seconds and processor-seconds, and here stands none",
            LAM_ERR_ARGUMENT },
        { "budget: {iterations: 5, seconds: 2}\n" DATA PENALTIES, "p.yaml:1:9: a budget is one of", LAM_ERR_ARGUMENT },
        { "budget: {iterations: 0}\n" DATA PENALTIES, "p.yaml:1:22: \"0\" is not a whole number from 1", LAM_ERR_ARGUMENT },
        { "budget: {seconds: -3}\n" DATA PENALTIES, "p.yaml:1:19: \"-3\" is not a number above 0", LAM_ERR_ARGUMENT },
        { "budget: {second: 3}\n" DATA PENALTIES, "p.yaml:1:10: unknown key \"second\"; did you mean \"seconds\"?", LAM_ERR_ARGUMENT },
        { BUDGET "data: []\n" PENALTIES, "p.yaml:2:7: an empty list", LAM_ERR_ARGUMENT },
        { BUDGET "data: toy:moons\n" PENALTIES, "p.yaml:2:7: a single value stands where a list", LAM_ERR_FORMAT },
        { BUDGET "data: [moons]\n" PENALTIES, "p.yaml:2:8: a single value stands where an item", LAM_ERR_FORMAT },
        { BUDGET "data: [{name: a}]\n" PENALTIES, "p.yaml:2:8: the key \"file\" is missing", LAM_ERR_ARGUMENT },
        { BUDGET "data: [{name: '', file: f}]\n" PENALTIES, "p.yaml:2:15: an empty value", LAM_ERR_ARGUMENT },
        { BUDGET "data: [{name: '--', file: f}]\n" PENALTIES, "p.yaml:2:15: a name is one line", LAM_ERR_ARGUMENT },
        { BUDGET "data: [{name: a, file: [f]}]\n" PENALTIES, "p.yaml:2:24: a list stands where a single value", LAM_ERR_FORMAT },
        { BUDGET "data: [{name: A b, file: f}, {name: a-B, file: g}]\n" PENALTIES, "p.yaml:2:37: the name \"a-B\" is already in line 2",
            LAM_ERR_ARGUMENT },
        { BUDGET "data: [{name: a, file: f, settings: {lrr: 1}}]\n" PENALTIES, "p.yaml:2:38: unknown parameter \"lrr\"; did you mean \"lr\"",
            LAM_ERR_ARGUMENT },
        { BUDGET "data: [{name: a, file: f, settings: {seed: 1}}]\n" PENALTIES, "p.yaml:2:38: seed is no setting here: the plan's key "
            "\"seeds\" says it", LAM_ERR_ARGUMENT },
        { BUDGET DATA PENALTIES "settings: {atol: 1}\n", "p.yaml:4:12: atol is no setting here", LAM_ERR_ARGUMENT },
        { BUDGET DATA PENALTIES "settings: [lr]\n", "p.yaml:4:11: a list stands where \"parameter: value\"", LAM_ERR_FORMAT },
        { BUDGET DATA "penalties: [{name: R, coefficient: {values: [1]}}]\n", "p.yaml:3:36: the key \"parameters\" is missing",
            LAM_ERR_ARGUMENT },
        { BUDGET DATA "penalties: [{name: R, coefficient: {parameters: steer, values: []}}]\n", "p.yaml:3:64: an empty list",
            LAM_ERR_ARGUMENT },
        { BUDGET DATA "penalties: [{name: R, coefficient: {parameters: ster, values: 1}}]\n", "p.yaml:3:49: unknown parameter \"ster\"; "
            "did you mean \"steer\"", LAM_ERR_ARGUMENT },
        { BUDGET DATA "penalties: [{name: R, coefficient: {parameters: solver, values: 1}}]\n", "p.yaml:3:49: solver is no coefficient",
            LAM_ERR_ARGUMENT },
        { BUDGET DATA "penalties: [{name: R, coefficient: {parameters: steer, values: [0.1, 1.0e-1]}}]\n", "p.yaml:3:70: 1.0e-1 appears "
            "twice in this list", LAM_ERR_ARGUMENT },
        { BUDGET DATA "penalties: [{name: R, coefficient: {parameters: steer, values: [0.1, 1]}}]\n", "p.yaml:3:20: the baseline, \"R\", "
            "has a list of coefficients", LAM_ERR_ARGUMENT },
        { BUDGET DATA PENALTIES "baseline: non\n", "p.yaml:4:11: no penalty is named \"non\"; there is \"none\"", LAM_ERR_ARGUMENT },
        { BUDGET DATA PENALTIES "tolerances: [x]\n", "p.yaml:4:14: \"x\" is not a number above 0", LAM_ERR_ARGUMENT },
        { BUDGET DATA PENALTIES "seeds: [1, -1]\n", "p.yaml:4:12: \"-1\" is not a whole number from 0 on", LAM_ERR_ARGUMENT },
        { BUDGET DATA PENALTIES "seeds: [1, 01]\n", "p.yaml:4:12: 01 appears twice in this list", LAM_ERR_ARGUMENT },
        { BUDGET DATA PENALTIES "seeds: {a: 1}\n", "p.yaml:4:8: a nested mapping stands where", LAM_ERR_FORMAT },
        { BUDGET DATA PENALTIES "choose: {}\n", "p.yaml: choose has nothing to choose", LAM_ERR_ARGUMENT },
        { BUDGET DATA "penalties: [{name: none}, {name: R, coefficient: {parameters: steer, values: [0.1, 1]}}]\nchoose: {data: b}\n",
            "p.yaml:4:16: no data is named \"b\"; there is \"a\"", LAM_ERR_ARGUMENT },
        { BUDGET DATA PENALTIES "choose: {seed: [1, 2]}\n", "p.yaml:4:17: one value is wanted here, not 2", LAM_ERR_ARGUMENT },
        { BUDGET DATA PENALTIES "threads: &a 1\nseeds: *a\n", "p.yaml:5:8: an alias", LAM_ERR_FORMAT },
        { BUDGET DATA PENALTIES "---\nseeds: 1\n", "p.yaml:4:1: a second document", LAM_ERR_FORMAT },
        { BUDGET "data: [{name: a\n", "not YAML", LAM_ERR_FORMAT },
        { BUDGET "data: [{name: \"a\\0b\", file: f}]\n" PENALTIES, "NUL", LAM_ERR_FORMAT },
        { "\x80", "p.yaml: byte 0: not a YAML text", LAM_ERR_FORMAT },
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        lam_plan plan;
        lam_status status = parse(&plan, mistakes[i].text);
        if (status != mistakes[i].status || strstr(lam_last_error(), mistakes[i].part) == NULL)
            fail_msg("\"%s\": \"%s\" expected, said: %s", mistakes[i].text, mistakes[i].part, lam_last_error());
        assert_null(plan.data); /* all or nothing */
    }
}

static void paths_are_seen_from_the_plan(void **state)
{
    (void)state;
    const char *const paths[][3] = { { "p.yaml", "a.csv", "a.csv" }, { "x/y/p.yaml", "../a.csv", "x/y/../a.csv" },
        { "x/p.yaml", "/a.csv", "/a.csv" }, { "x/p.yaml", "toy:moons", "toy:moons" }, { "/p.yaml", "a", "/a" } };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        char *path = lam_plan_path(paths[i][0], paths[i][1]);
        assert_string_equal(path, paths[i][2]);
        free(path);
    }
    const char *const slugs[][2] = { { "TPR with l", "tpr-with-l" }, { "none", "none" }, { "..a/b", "a-b" }, { "TPR + STEER", "tpr-steer" },
        { " x_1.5 ", "x_1.5" }, { "\xce\xb1 5", "5" } };
    for (size_t i = 0; i < sizeof slugs / sizeof slugs[0]; i++) {
        char slug[LAM_PLAN_NAME + 1];
        lam_plan_slug(slugs[i][0], slug);
        assert_string_equal(slug, slugs[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_it_says),
        cmocka_unit_test(mistakes_have_a_place),
        cmocka_unit_test(paths_are_seen_from_the_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
