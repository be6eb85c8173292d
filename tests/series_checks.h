/* Activations on Taylor series; part of kernels_test.h. */
#ifndef LAM_TESTS_SERIES_CHECKS_H
#define LAM_TESTS_SERIES_CHECKS_H

enum { FEATURES = 5, SERIES = FEATURES * LAM_TILE };

/* sigma''' and, of swish, the derivative of sigma'' by beta. */
static void third(lam_activation kind, wide beta, wide a, wide *d3, wide *beta_d2)
{
    jet j = act(kind, beta, a);
    wide b = beta * a, s = 1 / (1 + expl(-b)), slope = s * (1 - s), second = slope * (1 - 2 * s), more = slope * (1 - 6 * slope);
    *d3 = *beta_d2 = 0;
    if (kind == LAM_ACT_TANH)
        *d3 = j.d1 * (4 - 6 * j.d1);
    if (kind == LAM_ACT_SOFTPLUS)
        *d3 = j.d2 * (1 - 2 * j.d1);
    if (kind == LAM_ACT_ELU)
        *d3 = j.d2;
    if (kind == LAM_ACT_SWISH) {
        *d3 = beta * beta * (3 * second + b * more);
        *beta_d2 = 2 * slope + b * (4 * second + b * more);
    }
}

typedef struct series {
    real *a0, *h, *d1, *a, *out, *gh, *g0, *g; /* a, g [2][FEATURES][TILE]; a holds a_1, a_2 */
} series;

/* The value's numbers as a forward leaves them. */
static series series_create(lam_activation kind, real beta)
{
    series s = { random_array(SERIES), array(SERIES), array(SERIES), random_array(2 * SERIES), random_array(SERIES),
        random_array(SERIES), random_array(SERIES), random_array(2 * SERIES) };
    for (size_t i = 0; i < SERIES; i++) {
        jet j = act(kind, (wide)beta, (wide)s.a0[i]);
        s.h[i] = (real)j.h, s.d1[i] = (real)j.d1;
    }
    return s;
}

static void series_drop(series *s)
{
    drop(s->a0, SERIES), drop(s->h, SERIES), drop(s->d1, SERIES), drop(s->a, 2 * SERIES), drop(s->out, SERIES), drop(s->gh, SERIES);
    drop(s->g0, SERIES), drop(s->g, 2 * SERIES);
}

/* Few operations on numbers that are good to ACT: a dozen times that, times the largest of what is multiplied. */
static wide series_bound(const jet *j, wide d3, wide a1, wide a2, wide g)
{
    wide size = (1 + fabsl(a1) + fabsl(a2) + a1 * a1) * (1 + fabsl(j->d1) + fabsl(j->d2) + fabsl(d3) + fabsl(j->beta_d1));
    return 12 * ACT * size * (1 + fabsl(g));
}

static void check_series(const lam_kernels *k, lam_activation kind, size_t order, int add)
{
    const real beta = (real)0.7;
    series s = series_create(kind, beta), before = { .out = copy_of(s.out, SERIES), .g0 = copy_of(s.g0, SERIES),
        .g = copy_of(s.g, 2 * SERIES) };
    real beta_sum = 0;
    size_t vectors = any_vectors(k);
    wide beta_want = 0, beta_bound = 0;
    lam_series_call call = { .n = FEATURES, .vectors = vectors, .order = order, .activation = kind, .beta = beta, .h = s.h,
        .d1 = s.d1, .a0 = s.a0, .first = s.a, .last = s.a + (order == 2 ? SERIES : 0), .out = s.out,
        .gh = s.gh, .add = add, .g0 = s.g0, .g = s.g, .beta_sum = &beta_sum };
    if (order > 0)
        k->series_activate(&call);
    if (order > 0 && !lam_saves_a(kind) && kind != LAM_ACT_IDENTITY)
        call.last = s.out;
    k->series_deactivate(&call);
    for (size_t i = 0; i < SERIES; i++) {
        wide d3, beta_d2, a1 = (wide)s.a[i], a2 = (wide)s.a[SERIES + i], gh = (wide)s.gh[i], old = add ? 1 : 0;
        jet j = act(kind, (wide)beta, (wide)s.a0[i]);
        third(kind, (wide)beta, (wide)s.a0[i], &d3, &beta_d2);
        const wide value[] = { 0, j.d1 * a1, j.d1 * a2 + j.d2 * a1 * a1 / 2 };
        const wide to_a0[] = { j.d1, j.d2 * a1, j.d2 * a2 + d3 * a1 * a1 / 2 };
        const wide to_beta[] = { j.beta, j.beta_d1 * a1, j.beta_d1 * a2 + beta_d2 * a1 * a1 / 2 };
        wide e = series_bound(&j, d3, a1, a2, gh);
        if (i % LAM_TILE >= vectors * k->lanes) {
            assert_true(s.out[i] == before.out[i] && s.g0[i] == before.g0[i] && s.g[i] == before.g[i]);
            continue;
        }
        if (order > 0)
            near(k->isa, "coefficient of sigma", (wide)s.out[i], value[order], e);
        near(k->isa, "cotangent of the value", (wide)s.g0[i], old * (wide)before.g0[i] + to_a0[order] * gh, e);
        if (order == 1)
            near(k->isa, "cotangent of the first", (wide)s.g[i], old * (wide)before.g[i] + j.d1 * gh, e);
        if (order == 2) {
            wide second = old * (wide)before.g[SERIES + i] + j.d1 * gh;
            near(k->isa, "cotangent of the first", (wide)s.g[i], old * (wide)before.g[i] + j.d2 * a1 * gh, e);
            near(k->isa, "cotangent of the second", (wide)s.g[SERIES + i], second, e);
        }
        beta_want += kind == LAM_ACT_SWISH ? to_beta[order] * gh : 0;
        beta_bound += e;
    }
    near(k->isa, "beta's derivative", (wide)beta_sum, beta_want, beta_bound);
    drop(before.out, SERIES), drop(before.g0, SERIES), drop(before.g, 2 * SERIES);
    series_drop(&s);
}

static void check_add_rows(const lam_kernels *k)
{
    real *scale = random_array(FEATURES), *plane = random_array(SERIES), *out = random_array(SERIES), *before = copy_of(out, SERIES);
    size_t vectors = any_vectors(k);
    k->add_rows(FEATURES, vectors, scale, plane, out);
    for (size_t i = 0; i < SERIES; i++) {
        wide product = i % LAM_TILE < vectors * k->lanes ? (wide)scale[i / LAM_TILE] * (wide)plane[i] : 0;
        near(k->isa, "scaled rows", (wide)out[i], (wide)before[i] + product, 2 * U * (fabsl((wide)before[i]) + fabsl(product)));
    }
    drop(scale, FEATURES), drop(plane, SERIES), drop(out, SERIES), drop(before, SERIES);
}

static void series_all(const lam_kernels *k)
{
    for (int turn = 0; turn < 4; turn++) {
        check_add_rows(k);
        for (int kind = 0; kind <= LAM_ACT_IDENTITY; kind++)
            for (size_t order = 0; order <= 2; order++)
                check_series(k, (lam_activation)kind, order, turn % 2);
    }
}

static void series_of_every_set(void **state)
{
    (void)state;
    for_isas(series_all);
}

#endif
