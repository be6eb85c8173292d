/* metrics.jsonl read back: lines of each kind, a run that was stopped and went on, lines that are no good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "laminar.h"
#include "scratch.h"
#include "laminar/experiment.h"
#include <math.h>

static lam_history read_text(const char *text)
{
    lam_history h;
    scratch_text("metrics.jsonl", text);
    if (lam_history_read(scratch_folder, &h) != LAM_OK)
        fail_msg("%s", lam_last_error());
    return h;
}

/* Lines say how many calls there were. */
static void calls_are_those_of_the_lines(void **state)
{
    (void)state;
    lam_history h = read_text("{\"type\":\"warm_start\",\"iteration\":50,\"forward\":8,\"backward\":4,\"calls\":600}\n"
        "{\"type\":\"validation\",\"iteration\":0,\"val_nll\":4,\"best_val_nll\":4,\"calls\":600}\n"
        "{\"type\":\"validation\",\"iteration\":1,\"val_nll\":3,\"best_val_nll\":3,\"calls\":616}\n"
        "{\"type\":\"train\",\"iteration\":2,\"forward\":10,\"backward\":6,\"calls\":633}\n"
        "{\"type\":\"validation\",\"iteration\":7,\"val_nll\":2,\"best_val_nll\":2,\"calls\":700}\n");
    assert_true(h.train[0].calls == 633 && h.n_train == 1 && h.n_validations == 3);
    assert_true(h.validation[0].calls == 600 && h.validation[1].calls == 616 && h.validation[2].calls == 700);
    lam_history_free(&h);
    h = read_text("{\"type\":\"warm_start\",\"iteration\":3,\"forward\":8,\"backward\":4,\"seconds\":2}\n"); /* still in it */
    assert_true(h.iterations == 0 && h.seconds == 2 && h.n_train == 0);
    lam_history_free(&h);
}

/* Lines that do not: 16 calls an iteration until 2, then 8: 2 * 16 + 3 * 8 at iteration 5, and 2 * 8 more at the validation at 7. */
static void calls_add_up(void **state)
{
    (void)state;
    lam_history h = read_text("{\"type\":\"validation\",\"iteration\":0,\"val_nll\":4,\"best_val_nll\":4}\n"
        "{\"type\":\"validation\",\"iteration\":1,\"val_nll\":3,\"best_val_nll\":3}\n"
        "{\"type\":\"train\",\"iteration\":2,\"nll\":3,\"forward\":10,\"backward\":6,\"train_seconds\":1.5}\n"
        "{\"type\":\"train\",\"iteration\":5,\"nll\":null,\"forward\":5,\"backward\":3,\"seconds\":9}\n"
        "{\"type\":\"validation\",\"iteration\":7,\"val_nll\":2,\"best_val_nll\":1.5}\n");
    assert_int_equal(h.n_train, 2);
    assert_int_equal(h.n_validations, 3);
    assert_true(h.train[0].calls == 32 && h.train[1].calls == 56);
    assert_true(h.validation[0].calls == 0 && isnan(h.validation[1].calls) && h.validation[2].calls == 72);
    assert_true(h.train[0].nll == 3 && isnan(h.train[1].nll) && isnan(h.train[0].best_val_nll));
    assert_true(h.train[0].train_seconds == 1.5 && isnan(h.train[0].train_cpu_seconds));
    assert_int_equal(h.has_summary, 0);
    assert_true(h.iterations == 5 && h.seconds == 9 && h.best_val_nll == 1.5 && isnan(h.test_nll));
    lam_history_free(&h);
    lam_history_free(&h);
}

static void summaries_end_when_a_run_goes_on(void **state)
{
    (void)state;
    static const char summary[] = "{\"type\":\"summary\",\"iterations\":4,\"test_nll\":1.25,\"train_forward\":40,\"finished\":true}\n";
    char text[512];
    lam_history h = read_text(summary);
    assert_true(h.has_summary && h.finished && h.iterations == 4 && h.test_nll == 1.25 && isnan(h.train_backward));
    lam_history_free(&h);
    snprintf(text, sizeof text, "%s{\"type\":\"train\",\"iteration\":6}\n{\"type\":\"summ", summary);
    h = read_text(text);
    assert_true(!h.has_summary && !h.finished && h.iterations == 6 && isnan(h.test_nll) && isnan(h.train_forward));
    lam_history_free(&h);
    h = read_text("not JSON\n[1, 2]\n\n{\"iteration\":3}\n{\"type\":7}\n");
    assert_true(h.n_train == 0 && h.n_validations == 0 && isnan(h.iterations));
    lam_history_free(&h);
    assert_int_equal(lam_history_read("/nowhere", &h), LAM_ERR_IO);
    assert_non_null(strstr(lam_last_error(), "is /nowhere the folder of a fit?"));
    assert_null(h.train);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_are_those_of_the_lines),
        cmocka_unit_test(calls_add_up),
        cmocka_unit_test(summaries_end_when_a_run_goes_on),
    };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
