/* The YAML file of a configuration: what it sets, where mistakes are, and that saving and loading gives the same. */
#include "base/number.h"
#include "config_assert.h"
#include "model/config_yaml.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[] = "/tmp/laminar_config_XXXXXX";

static const char *in_folder(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static lam_status parse(lam_config *cfg, const char *text)
{
    return lam_config_parse(cfg, text, strlen(text), "c.yaml");
}

static void yaml_sets_what_it_names(void **state)
{
    (void)state;
    lam_config cfg;
    lam_config_init(&cfg);
    const char *text = "# a comment\n"
                       "batch_size: 500   # with '_'\n"
                       "dims: [60, 50]\n"
                       "tpr-coefficient: 2.5\n"
                       "tpr: true\n" /* counts before the line above it */
                       "columns:\n  - a\n  - \"b: \\u20ac\"\n  - 3\n"
                       "noise: ['a:0.5', 3:1]\n"
                       "drop: x, y\n"
                       "first-step: 0.5\n"
                       "standardise: no\n";
    assert_int_equal(parse(&cfg, text), LAM_OK);
    assert_value(&cfg, "batch-size", "500");
    assert_value(&cfg, "dims", "60-50");
    assert_true(cfg.tpr_coefficient == 2.5);
    assert_value(&cfg, "columns", "a,b: \xe2\x82\xac,3");
    assert_value(&cfg, "noise", "a:0.5,3:1");
    assert_value(&cfg, "drop", "x,y");
    assert_value(&cfg, "first-step", "0.5");
    assert_int_equal(cfg.standardise, 0);
    assert_value(&cfg, "lr", "auto"); /* not named: as before */
    assert_int_equal(parse(&cfg, "columns: []\ndims: 7\n"), LAM_OK);
    assert_int_equal(cfg.columns.n, 0);
    assert_value(&cfg, "dims", "7");
    assert_int_equal(parse(&cfg, ""), LAM_OK); /* nothing said, nothing changed */
    assert_int_equal(parse(&cfg, "# only a comment\n"), LAM_OK);
    assert_int_equal(parse(&cfg, "---\n{lr: 0.5}\n...\n"), LAM_OK); /* the other notation of a mapping */
    assert_true(cfg.lr == 0.5);
    lam_config_clear(&cfg);
}

static void yaml_mistakes_have_a_place(void **state)
{
    (void)state;
    const struct { const char *text; lam_status status; const char *part; } mistakes[] = {
        { "lr: 1\nbatch-sise: 4\n", LAM_ERR_ARGUMENT,
            "c.yaml:2:1: unknown parameter \"batch-sise\"; did you mean \"batch-size\"" },
        { "lr: 1\nclip:   -4\n", LAM_ERR_ARGUMENT, "c.yaml:2:9: clip: \"-4\"" },
        { "lr: 1\nclip: 2\nlr: 3\n", LAM_ERR_ARGUMENT, "c.yaml:3:1: lr appears a second time here, first in line 1" },
        { "batch-size: 1\nbatch_size: 2\n", LAM_ERR_ARGUMENT, "second time" },
        { "lr: [1, 2]\n", LAM_ERR_ARGUMENT, "c.yaml:1:5: lr: takes one value" },
        { "lr:\n", LAM_ERR_ARGUMENT, "lr: \"\"" },
        { "lr: {a: 1}\n", LAM_ERR_FORMAT, "c.yaml:1:5: a nested mapping" },
        { "columns: [[a]]\n", LAM_ERR_FORMAT, "c.yaml:1:11: a list" },
        { "columns: 'a,\"b'\n", LAM_ERR_ARGUMENT, "c.yaml:1:10: columns: a quote is not closed" },
        { "columns: [a, '']\n", LAM_ERR_ARGUMENT, "c.yaml:1:14: columns: an empty item" },
        { "noise:\n  - 8: 1\n", LAM_ERR_FORMAT, "c.yaml:2:5: a nested mapping" },
        { "dims: [60, x]\n", LAM_ERR_ARGUMENT, "c.yaml:1:7: dims" },
        { "dims: []\n", LAM_ERR_ARGUMENT, "c.yaml:1:7: dims" },
        { "lr: &a 1\nclip: *a\n", LAM_ERR_FORMAT, "c.yaml:2:7: an alias" },
        { "lr: \"a\\0b\"\n", LAM_ERR_FORMAT, "NUL" },
        { "\"lr\\0\": 1\n", LAM_ERR_ARGUMENT, "unknown parameter" },
        { "- lr\n", LAM_ERR_FORMAT, "c.yaml:1:1: a list stands where \"name: value\"" },
        { "lr\n", LAM_ERR_FORMAT, "c.yaml:1:1: a single value" },
        { "lr: 1\n---\nclip: 2\n", LAM_ERR_FORMAT, "c.yaml:2:1: a second document" },
        { "lr: 1\n  clip: 2\n", LAM_ERR_FORMAT, "c.yaml:2:" },
        { "dims: [60, 60\nlr: 3\n", LAM_ERR_FORMAT, "not YAML" },
        { "tpr: true\ntpr-coefficient: 0\n", LAM_ERR_ARGUMENT, "c.yaml:1:6: tpr: says true" },
        { "tpr: false\ntpr-coefficient: 1\n", LAM_ERR_ARGUMENT, "tpr: says false" },
        { "\x80\x81", LAM_ERR_FORMAT, "c.yaml: byte 0: not a YAML text" },
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        lam_config cfg, before;
        lam_config_init(&cfg);
        lam_config_init(&before);
        if (parse(&cfg, mistakes[i].text) != mistakes[i].status)
            fail_msg("\"%s\": %s", mistakes[i].text, lam_last_error());
        assert_said(mistakes[i].part);
        assert_same(&cfg, &before); /* all or nothing */
        lam_config_clear(&cfg);
    }
}

static uint64_t draw(uint64_t *bits)
{
    *bits ^= *bits << 13, *bits ^= *bits >> 7, *bits ^= *bits << 17;
    return *bits;
}

/* A value of the parameter that is in range, of every size that the range allows. */
static void random_value(uint64_t *bits, const lam_param *param, char *value, size_t size)
{
    static const char *const items[] = { "a", "42", "b c", "\xc3\xa9t\xc3\xa9", "q\"uote'", "back\\slash", "# hash",
        "x: y", "true", "tab\there", "line\nbreak", "\xe2\x80\xa8", "\xef\xbb\xbf-bom", "\xf0\x9f\x98\x80", "-", "~", "[",
        "\x7f", "%", "\xc2\x85" };
    const size_t n_items = sizeof items / sizeof items[0];
    char number[LAM_NUMBER_SIZE];
    size_t used = 0, n = 1 + draw(bits) % 5;
    value[0] = '\0';
    switch (param->kind) {
    case LAM_PARAM_SIZE:
        snprintf(value, size, "%.0f", param->low
            + floor(ldexp((double)(draw(bits) % 1000) / 1000 * (param->high - param->low), -(int)(draw(bits) % 40))));
        break;
    case LAM_PARAM_U64:
        snprintf(value, size, "%llu", (unsigned long long)(draw(bits) >> draw(bits) % 64));
        break;
    case LAM_PARAM_REAL:
    case LAM_PARAM_TIME:
        lam_number_print(ldexp((double)(draw(bits) >> 11), -53) * fmin(param->high, ldexp(1, (int)(draw(bits) % 60) - 40))
            + DBL_MIN, number);
        snprintf(value, size, "%s", number);
        break;
    case LAM_PARAM_FIRST:
        if (draw(bits) % 3 == 0) {
            snprintf(value, size, draw(bits) % 2 ? "warm" : "probe");
            break;
        }
        lam_number_print(ldexp((double)(draw(bits) >> 11) + 1, -60), number);
        snprintf(value, size, "%s", number);
        break;
    case LAM_PARAM_START:
        snprintf(value, size, draw(bits) % 2 ? "none" : "flow-matching:%u", 1 + (unsigned)(draw(bits) % 1000000));
        break;
    case LAM_PARAM_MAP:
        n = 2 + draw(bits) % 1000;
        snprintf(value, size, draw(bits) % 3 == 0 ? "none" : draw(bits) % 2 ? "normal-scores" : "normal-scores:%u", (unsigned)n);
        break;
    case LAM_PARAM_DIMS:
        for (n = 1 + draw(bits) % LAM_MAX_HIDDEN; n > 0; n--)
            used += (size_t)snprintf(value + used, size - used, "%u%s",
                1 + (unsigned)(draw(bits) % 1000000), n > 1 ? "-" : "");
        break;
    case LAM_PARAM_LIST:
    case LAM_PARAM_NOISE:
        for (n = draw(bits) % 5; n > 0; n--)
            used += (size_t)snprintf(value + used, size - used, "%s%s%s", items[draw(bits) % n_items],
                param->kind == LAM_PARAM_NOISE ? ":0.125" : "", n > 1 ? "," : "");
        break;
    default: { /* one of the words */
        const char *words = param->shown.values;
        size_t count = 1;
        for (const char *p = words; *p != '\0'; p++)
            count += *p == '|';
        for (size_t skip_words = draw(bits) % count; skip_words > 0; skip_words--)
            words += strcspn(words, "|") + 1;
        snprintf(value, size, "%.*s", (int)strcspn(words, "|"), words);
    }
    }
}

static void saving_and_loading_gives_the_same(void **state)
{
    (void)state;
    uint64_t bits = 0x9e3779b97f4a7c15u;
    for (int round = 0; round < 300; round++) {
        lam_config a, b;
        char value[512], *text, *again;
        size_t size, again_size;
        lam_config_init(&a);
        lam_config_init(&b);
        for (size_t i = 0; lam_param_at(i) != NULL; i++) {
            if (draw(&bits) % 4 == 0 || !lam_parameter_applies(i, a.model)) /* "model" is the first to be drawn */
                continue;
            random_value(&bits, lam_param_at(i), value, sizeof value);
            if (lam_param_set(lam_param_at(i), &a, value) != LAM_OK)
                fail_msg("%s", lam_last_error());
        }
        assert_int_equal(lam_config_print(&a, &text, &size), LAM_OK);
        if (lam_config_parse(&b, text, size, "c.yaml") != LAM_OK)
            fail_msg("%s\n%s", lam_last_error(), text);
        assert_same(&a, &b);
        assert_int_equal(lam_config_print(&b, &again, &again_size), LAM_OK);
        assert_string_equal(text, again);
        free(text);
        free(again);
        lam_config_clear(&a);
        lam_config_clear(&b);
    }
}

static void files_are_saved_whole(void **state)
{
    (void)state;
    lam_config a, b;
    lam_config_init(&a);
    lam_config_init(&b);
    assert_int_equal(lam_config_set(&a, "columns", "x,\xc3\xa9"), LAM_OK);
    assert_int_equal(lam_config_set(&a, "lr", "0.1"), LAM_OK);
    assert_int_equal(lam_config_save(&a, in_folder("c.yaml")), LAM_OK);
    assert_int_equal(lam_config_load(&b, in_folder("c.yaml")), LAM_OK);
    assert_same(&a, &b);
    a.layer = (lam_layer)50; /* a configuration that cannot be written leaves the old file */
    assert_int_equal(lam_config_save(&a, in_folder("c.yaml")), LAM_ERR_ARGUMENT);
    a.layer = LAM_LAYER_CONCAT;
    lam_config_clear(&b);
    assert_int_equal(lam_config_load(&b, in_folder("c.yaml")), LAM_OK);
    assert_same(&a, &b);
    assert_int_equal(lam_config_load(&b, in_folder("missing.yaml")), LAM_ERR_IO);
    assert_said("missing.yaml");
    assert_int_equal(lam_config_save(&a, in_folder("missing/c.yaml")), LAM_ERR_IO);
    unlink(in_folder("c.yaml"));
    lam_config_clear(&a);
    lam_config_clear(&b);
}

int main(void)
{
    if (mkdtemp(folder) == NULL)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(yaml_sets_what_it_names),
        cmocka_unit_test(yaml_mistakes_have_a_place),
        cmocka_unit_test(saving_and_loading_gives_the_same),
        cmocka_unit_test(files_are_saved_whole),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(folder);
    return failed;
}
