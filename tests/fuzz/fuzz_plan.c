/* Property: any text either is refused with a text and leaves nothing, or gives a plan that has data, penalties and a budget, whose
 * names make folders and whose settings can be applied or are refused. Build: clang -fsanitize=fuzzer,address,undefined. */
#include "experiment/plan.h"
#include "model/config.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

static void check_name(const lam_plan_word *name)
{
    char slug[LAM_PLAN_NAME + 1];
    lam_plan_slug(name->text, slug);
    check(slug[0] != '\0' && slug[0] != '.' && strchr(slug, '/') == NULL);
}

static void check_settings(const lam_settings *settings)
{
    lam_config cfg;
    lam_config_init(&cfg);
    if (lam_settings_apply(settings, "fuzz", &cfg) != LAM_OK)
        check(lam_last_error()[0] != '\0');
    lam_config_clear(&cfg);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    lam_plan plan;
    if (lam_plan_parse(&plan, (const char *)bytes, size, "fuzz") != LAM_OK) {
        check(lam_last_error()[0] != '\0');
        check(plan.data == NULL && plan.penalties == NULL);
        return 0;
    }
    check(plan.n_data > 0 && plan.n_penalties > 0 && plan.base < plan.n_penalties && plan.choose.on < plan.n_data);
    check(lam_budget_said(&plan.budget) != LAM_BUDGET_NONE);
    check_settings(&plan.settings);
    for (size_t i = 0; i < plan.n_data; i++) {
        check_name(&plan.data[i].name);
        check_settings(&plan.data[i].settings);
        free(lam_plan_path("x/fuzz", plan.data[i].file.text));
    }
    for (size_t i = 0; i < plan.n_penalties; i++) {
        check_name(&plan.penalties[i].name);
        check_settings(&plan.penalties[i].settings);
        check(plan.penalties[i].parameters.n > 0 || plan.penalties[i].values.n == 0);
    }
    lam_plan_clear(&plan);
    return 0;
}
