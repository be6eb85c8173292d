/* What a configuration says of the steps of its solves, in training and in evaluation (method.md 12). */
#ifndef LAM_MODEL_SETTING_H
#define LAM_MODEL_SETTING_H
#include "model/config.h"
#include "ode/tableau.h"

/* As lam_config_setting, of training. */
lam_setting lam_setting_training(const lam_config *cfg);
/* test_solver, test_steps, test_atol, test_rtol and test_trace_points as they stand, "auto" and 0 unresolved; and put back. */
lam_setting lam_setting_parameters(const lam_config *cfg);
void lam_setting_store(lam_config *cfg, const lam_setting *parameters);
/* The setting of evaluation where tolerances are asked for (0: not), which only adaptive steps know. */
lam_setting lam_setting_asked(const lam_config *cfg, double atol, double rtol);
/* The step that a warm evaluation by s starts from: h_test, which evaluations by `test` left behind, or where that is 0 (a model that was
 * never validated by adaptive steps) h_train, of cfg's training; scaled as the error estimate scales. 0: there is none, since s is of
 * another solver or of even steps. */
double lam_setting_first_step(const lam_config *cfg, const lam_setting *s, double h_test, const lam_setting *test, double h_train);
const lam_tableau *lam_setting_table(const lam_setting *s);
int lam_setting_is_pair(const lam_setting *s); /* 1: its solver has an error estimate */

#endif
