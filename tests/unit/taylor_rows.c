/* The penalty on the paths' total derivatives (method.md 10) in fields that take parameters from the rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define LAM_WIDTH 64
#include "kernels/isa.h"
#include "rows_reverse.h"

static const lam_amortised kinds[] = { LAM_AMORTISED_BIAS, LAM_AMORTISED_LOW_RANK, LAM_AMORTISED_LYPER, LAM_AMORTISED_HYPER };
enum { KINDS = 4 };

/* Kinds and activations, both orders, alone and beside other penalties, more tangents than a chunk, kept records. */
static void gradients(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < KINDS; kind++)
        for (int order = 0; order < 2; order++)
            for (int turn = 0; turn < 3; turn++) {
                static const lam_activation some[] = { LAM_ACT_TANH, LAM_ACT_SOFTPLUS, LAM_ACT_SWISH };
                recipe r = { .amortisation = kinds[kind], .layer = LAM_LAYER_CONCAT, .activation = some[turn],
                    .divergence = turn == 1 ? LAM_DIV_GAUSSIAN : LAM_DIV_EXACT, .dim = turn == 2 ? 9 : 3,
                    .n_hidden = 1 + (size_t)turn % 2, .hidden = { 6, 5 }, .blocks = 1 + (size_t)(turn == 1), .rows = turn == 1 ? 70 : 5, .rank = 2 + (size_t)turn,
                    .time = 0.5, .memory = turn == 1 ? 16 : 0, .solver = LAM_HEUN21, .tolerance = 1e-2, .seed = (uint64_t)turn };
                r.taylor[order] = 0.2;
                if (turn > 0)
                    r.kinetic = 0.7, r.jacobian = 0.4, r.l_weight = 2, r.times = 4, r.degree = 1, r.coefficient = 5;
                check_gradient(r);
            }
}

/* The layer types that have no gate, of which the row gives the biases, low-rank terms or the last. */
static void gradients_of_other_layers(void **state)
{
    (void)state;
    static const lam_layer layers[] = { LAM_LAYER_IGNORE, LAM_LAYER_CONCAT_V2, LAM_LAYER_BLEND, LAM_LAYER_HYPER };
    for (size_t kind = 0; kind < 3; kind++)
        for (size_t layer = 0; layer < 4; layer++) {
            recipe r = { .amortisation = kinds[kind], .layer = layers[layer], .activation = layer % 2 ? LAM_ACT_SQUARE : LAM_ACT_TANH,
                .rows = 5, .n_hidden = 2, .hidden = { 4, 5 }, .time = 0.2, .solver = LAM_MIDPOINT, .fixed_steps = 3 };
            r.taylor[(kind + layer) % 2] = 0.2;
            check_gradient(r);
        }
}

/* Row parameters that are all zero leave the shared layers, whose numbers they must give. */
static void zeros_are_the_plain_field(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < 2; kind++) {
        recipe r = { .layer = LAM_LAYER_CONCAT, .rows = 70, .divergence = LAM_DIV_RADEMACHER, .blocks = 2, .taylor = { 0.3, 0.2 } };
        flow plain = flow_create(r);
        r.amortisation = kinds[kind];
        rows w = rows_create(r);
        flow_open(&plain), rows_open(&w);
        for (size_t b = 0; b < 2; b++)
            memset(w.am[b], 0, w.planes * sizeof(double));
        memcpy(plain.params, w.f.params, plain.layout.parameters * sizeof(double));
        must(flow_gradient(&plain));
        lam_loss penalties = { 0 };
        must(lam_engine_forward_f64(w.f.engine, &(lam_flow_call_f64) { w.f.params, w.f.x, NULL, w.f.rows, &w.f.solve, &w.f.noise },
            &w.f.penalty, w.z, w.l, &penalties));
        for (size_t i = 0; i < 2; i++)
            assert_true(fabs(integral(&penalties, i) / integral(&plain.loss, i) - 1) < 1e-13);
        flow_close(&plain), rows_close(&w);
    }
}

static void refusals(void **state)
{
    (void)state;
    rows w = rows_create((recipe) { .amortisation = LAM_AMORTISED_BIAS, .layer = LAM_LAYER_SQUASH });
    lam_engine_options o = { .max_rows = 7, .probes = 1, .gradients = 1, .trace = LAM_TRACE_EXACT, .integrands = 1,
        .integrand = { &lam_taylor[0] } };
    assert_int_equal(lam_engine_create_f64(&w.f.layout, w.f.pool, &o, &w.f.engine), LAM_ERR_UNSUPPORTED);
    assert_non_null(strstr(lam_last_error(), "taylor"));
    rows_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients),
        cmocka_unit_test(gradients_of_other_layers),
        cmocka_unit_test(zeros_are_the_plain_field),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
