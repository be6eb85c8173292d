/* Every function of the kernel table, for every instruction set that runs here, against plain loops in a wider type. Included
 * by unit/kernels_f32.c and unit/kernels_f64.c, which define LAM_WIDTH.
 *
 * Bounds come from the count of operations: a sum of n products, in any order, is off by at most (n + 1) u times the sum of their
 * sizes (u = 2^-24 or 2^-53; Higham, 3.1). Activations add their own: derivatives to 2^-21 in float (design), with room
 * for the last product; in double some 50 u. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/random.h"
#include "kernels/isa.h"
#include "kernels/kernels.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef long double wide;

enum { MAX_PLANES = 4, SIZES = 17, CANARY = 16 };

static const size_t sizes[SIZES] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 60, 64, 65, 100 };
static const wide U = LAM_WIDTH == 32 ? 0x1p-24L : 0x1p-53L;
static const wide ACT = LAM_WIDTH == 32 ? 0x1p-20L : 0x1p-47L;

/* ---- random arrays, with a canary behind ---------------------------------------------------------------------------------- */

static uint64_t draw;

static real normal(void)
{
    double two[2];
    lam_random_normal2(1, LAM_DRAW_TEST, draw++, 0, two);
    return (real)two[0];
}

static size_t choose(size_t n)
{
    return (size_t)(lam_random_uniform(2, LAM_DRAW_TEST, draw++, 0) * (double)n);
}

static const real canary = (real)12345;

static real *array(size_t n)
{
    real *a = lam_alloc(n + CANARY, sizeof *a);
    assert_non_null(a);
    for (size_t i = 0; i < CANARY; i++)
        a[n + i] = canary;
    return a;
}

static real *random_array(size_t n)
{
    real *a = array(n), pool[64];
    for (size_t i = 0; i < 64; i++)
        pool[i] = normal();
    for (size_t i = 0; i < n; i++) /* cheap, and no period of it is a tile's */
        a[i] = pool[(i * 7 + i / 61) % 64] * (real)(1 + 0.01 * (double)(i % 13));
    return a;
}

static real *copy_of(const real *a, size_t n)
{
    real *b = array(n);
    memcpy(b, a, n * sizeof *b);
    return b;
}

static void drop(real *a, size_t n)
{
    for (size_t i = 0; a != NULL && i < CANARY; i++)
        if (a[n + i] != canary)
            fail_msg("written %zu past the end of an array of %zu", i + 1, n);
    lam_free(a);
}

static void near(const char *isa, const char *what, wide got, wide want, wide bound)
{
    if (!(fabsl(got - want) <= bound))
        fail_msg("%s %s: %.10Lg, should be %.10Lg within %.3Lg", isa, what, got, want, bound);
}

typedef void (*check_fn)(const lam_kernels *k);

static void for_isas(check_fn check)
{
    for (int isa = 0; isa < LAM_ISA_COUNT; isa++) {
        const lam_kernels *k;
        if (!lam_isa_available((lam_isa)isa))
            continue;
        assert_int_equal(lam_kernels_get(lam_isa_name((lam_isa)isa), &k), LAM_OK);
        assert_string_equal(k->isa, lam_isa_name((lam_isa)isa));
        draw = 0; /* the same arrays for all */
        check(k);
    }
}

/* ---- activations, plainly --------------------------------------------------------------------------------------------------- */

typedef struct jet {
    wide h, d1, d2, beta, beta_d1; /* value, derivatives; of swish: those of h and d1 by beta */
} jet;

static jet act(lam_activation kind, wide beta, wide a)
{
    wide b = kind == LAM_ACT_SWISH ? beta * a : a, s = 1 / (1 + expl(-b)), slope = s * (1 - s), t = tanhl(a);
    switch (kind) {
    case LAM_ACT_TANH:
        return (jet) { .h = t, .d1 = 1 - t * t, .d2 = -2 * t * (1 - t * t) };
    case LAM_ACT_SOFTPLUS:
        return (jet) { .h = log1pl(expl(a)), .d1 = s, .d2 = slope };
    case LAM_ACT_ELU:
        return a > 0 ? (jet) { .h = a, .d1 = 1 } : (jet) { .h = expm1l(a), .d1 = expl(a), .d2 = expl(a) };
    case LAM_ACT_RELU:
        return (jet) { .h = a > 0 ? a : 0, .d1 = a > 0 };
    case LAM_ACT_SWISH: {
        wide curve = 2 + b * (1 - 2 * s);
        return (jet) { a * s, s + b * slope, beta * slope * curve, a * a * slope, a * slope * curve };
    }
    case LAM_ACT_SQUARE:
        return (jet) { .h = a * a, .d1 = 2 * a, .d2 = 2 };
    case LAM_ACT_IDENTITY:
        break;
    }
    return (jet) { .h = a, .d1 = 1 };
}

/* An activation that jumps where the sign of a is in doubt. */
static int in_doubt(lam_activation kind, wide a, wide error)
{
    return (kind == LAM_ACT_RELU || kind == LAM_ACT_ELU) && fabsl(a) <= error;
}

/* sum_i w[i * stride_w] x[i * TILE], and the sum of sizes. */
static wide product(const real *w, size_t stride_w, const real *x, size_t n, wide *size)
{
    wide sum = 0;
    *size = 0;
    for (size_t i = 0; i < n; i++) {
        wide term = (wide)w[i * stride_w] * (wide)x[i * LAM_TILE];
        sum += term;
        *size += fabsl(term);
    }
    return sum;
}

/* ---- forward ------------------------------------------------------------------------------------------------------------------ */

typedef struct layer {
    size_t in, out, vectors, tangents;
    int with_value, has_scale, has_a;
    lam_activation kind;
} layer;

static void check_forward_at(const lam_kernels *k, const layer *l, const lam_forward *c, const real *w, size_t o, size_t r)
{
    wide size, scale = l->has_scale ? (wide)c->scale[o] : 1, shift = (wide)c->shift[o];
    wide a = scale * product(w + o * l->in, 1, c->x + r, l->in, &size) + shift;
    wide e = (wide)(l->in + 3) * U * (fabsl(scale) * size + fabsl(shift));
    jet j = act(l->kind, (wide)c->beta, a);
    size_t at = o * LAM_TILE + r, plane = l->out * LAM_TILE;
    if (in_doubt(l->kind, a, e))
        return;
    if (l->with_value) {
        near(k->isa, "value", (wide)c->h[at], j.h, (fabsl(j.d1) + 1) * e + ACT * (1 + fabsl(j.h)));
        if (lam_saves_d1(l->kind))
            near(k->isa, "sigma'", (wide)c->d1[at], j.d1, (fabsl(j.d2) + 1) * e + ACT * (1 + fabsl(j.d1)));
        if (c->a != NULL)
            near(k->isa, "pre-activation", (wide)c->a[at], a, e);
    }
    for (size_t p = 1; p <= l->tangents; p++) {
        wide da = scale * product(w + o * l->in, 1, c->x + p * l->in * LAM_TILE + r, l->in, &size);
        wide de = (wide)(l->in + 3) * U * fabsl(scale) * size;
        near(k->isa, "tangent", (wide)c->h[p * plane + at], j.d1 * da,
            fabsl(j.d1) * de + ((fabsl(j.d2) + 1) * e + ACT * (1 + fabsl(j.d1))) * (fabsl(da) + de));
        if (c->a != NULL)
            near(k->isa, "tangent's pre-activation", (wide)c->a[p * plane + at], da, de);
    }
}

static void check_forward(const lam_kernels *k, layer l)
{
    size_t planes = 1 + l.tangents, n_in = planes * l.in * LAM_TILE, n_out = planes * l.out * LAM_TILE, plane = l.out * LAM_TILE;
    real *w = random_array(l.in * l.out), *packed = array(l.in * l.out), *scale = random_array(l.out), *shift = random_array(l.out);
    real *x = random_array(n_in), *h = random_array(n_out), *d1 = random_array(plane), *a = random_array(n_out);
    for (size_t i = 0; i < l.in * l.out; i++)
        w[i] /= (real)sqrt((double)l.in);
    k->pack(l.out, l.in, w, l.in, 1, packed);
    lam_forward c = { .in = l.in, .out = l.out, .vectors = l.vectors, .tangents = l.tangents, .with_value = 1,
        .activation = l.kind, .beta = (real)0.7, .weight = packed, .scale = l.has_scale ? scale : NULL, .shift = shift, .x = x,
        .h = h, .d1 = d1, .a = l.has_a ? a : NULL };
    if (!l.with_value) { /* the value from a call of its own; then the tangents leave it alone */
        c.tangents = 0;
        k->forward(&c);
        c.tangents = l.tangents;
        c.with_value = 0;
    }
    real *h_before = copy_of(h, plane), *a_before = copy_of(a, plane);
    k->forward(&c);
    if (!l.with_value) {
        assert_memory_equal(h_before, h, plane * sizeof *h);
        assert_memory_equal(a_before, a, plane * sizeof *a);
    }
    for (size_t o = 0; o < l.out; o++)
        for (size_t r = 0; r < l.vectors * k->lanes; r += l.in * l.out > 4000 ? 5 : 1)
            check_forward_at(k, &l, &c, w, o, r);
    drop(w, l.in * l.out), drop(packed, l.in * l.out), drop(scale, l.out), drop(shift, l.out), drop(x, n_in), drop(h, n_out);
    drop(d1, plane), drop(a, n_out), drop(h_before, plane), drop(a_before, plane);
}

static size_t any_vectors(const lam_kernels *k)
{
    return 1 + choose(LAM_TILE / k->lanes);
}

static void forward_all(const lam_kernels *k)
{
    for (size_t i = 0; i < SIZES; i++) /* all sizes, the rest by lot */
        for (size_t o = 0; o < SIZES; o++)
            check_forward(k, (layer) { sizes[i], sizes[o], any_vectors(k), choose(MAX_PLANES), choose(4) > 0, (int)choose(2),
                (int)choose(2), (lam_activation)choose(LAM_ACT_IDENTITY + 1) });
    for (int kind = 0; kind <= LAM_ACT_IDENTITY; kind++) /* all of the rest, sizes by lot */
        for (size_t tangents = 0; tangents < MAX_PLANES; tangents++)
            for (int flags = 0; flags < 8; flags++)
                check_forward(k, (layer) { sizes[choose(13)], sizes[choose(13)], any_vectors(k), tangents, flags & 1, flags >> 1 & 1,
                    flags >> 2, (lam_activation)kind });
    for (size_t vectors = 1; vectors <= LAM_TILE / k->lanes; vectors++)
        check_forward(k, (layer) { 5, 13, vectors, 1, 1, 0, 0, LAM_ACT_TANH });
}

static void forward_of_every_set(void **state)
{
    (void)state;
    for_isas(forward_all);
}

/* ---- backward ------------------------------------------------------------------------------------------------------------------ */

typedef struct reverse {
    size_t in, out, vectors, tangents;
    int first_chunk, with_value;
    lam_activation kind; /* of the layer below, [in] */
} reverse;

typedef struct total {
    wide sum, bound;
} total;

/* w is [out, in]; a below [in]; before: plane 0 of `below` as it was. */
static void check_backward_at(const lam_kernels *k, const reverse *v, const lam_backward *c, const real *w, const real *before,
    size_t i, size_t r, total *beta)
{
    size_t at = i * LAM_TILE + r, plane_in = v->in * LAM_TILE, plane_out = v->out * LAM_TILE;
    jet j = { .d1 = 1 };
    if (v->kind != LAM_ACT_IDENTITY)
        j = act(v->kind, (wide)c->beta, (wide)c->a[at]);
    wide cross = v->first_chunk ? 0 : (wide)before[at], bound = fabsl(cross) * U, size;
    for (size_t p = 1; p <= v->tangents; p++) {
        wide g = product(w + i, v->in, c->g + p * plane_out + r, v->out, &size), e = (wide)(v->out + 2) * U * size;
        wide da = v->kind != LAM_ACT_IDENTITY ? (wide)c->a[p * plane_in + at] : 0, term = j.d2 * da * g;
        near(k->isa, "tangent's cotangent", (wide)c->below[p * plane_in + at], j.d1 * g, (fabsl(j.d1) + 2 * ACT) * e + 2 * ACT * fabsl(g));
        cross += term;
        bound += (fabsl(j.d2) + ACT) * fabsl(da) * e + 4 * ACT * (1 + fabsl(j.d2)) * fabsl(da * g) + 4 * U * fabsl(cross);
        if (v->kind == LAM_ACT_SWISH) {
            beta->sum += j.beta_d1 * da * g;
            beta->bound += (1 + fabsl(j.beta_d1)) * fabsl(da) * (e + 8 * ACT * fabsl(g));
        }
    }
    if (v->with_value) {
        wide g = product(w + i, v->in, c->g + r, v->out, &size), e = (wide)(v->out + 2) * U * size;
        cross += j.d1 * g;
        bound += (fabsl(j.d1) + ACT) * e + 2 * ACT * fabsl(g) + 4 * U * fabsl(cross);
        if (v->kind == LAM_ACT_SWISH) {
            beta->sum += j.beta * g;
            beta->bound += (1 + fabsl(j.beta)) * (e + 8 * ACT * fabsl(g));
        }
    }
    near(k->isa, "value's cotangent", (wide)c->below[at], cross, bound);
}

/* What a forward would have left of the layer below: h, sigma', pre-activations; for a beta of 0.7. */
static void fill_below(const reverse *v, real *h, real *d1, real *a)
{
    size_t plane = v->in * LAM_TILE;
    for (size_t i = 0; i < plane; i++) {
        jet j = act(v->kind, (wide)(real)0.7, (wide)a[i]);
        h[i] = (real)j.h;
        d1[i] = (real)j.d1;
        for (size_t p = 1; p <= v->tangents; p++)
            h[p * plane + i] = (real)(j.d1 * (wide)a[p * plane + i]);
    }
}

static void check_backward(const lam_kernels *k, reverse v)
{
    size_t planes = 1 + v.tangents, n_in = planes * v.in * LAM_TILE, n_out = planes * v.out * LAM_TILE, plane = v.in * LAM_TILE;
    real *w = random_array(v.in * v.out), *packed = array(v.in * v.out), *g = random_array(n_out), *h = random_array(n_in);
    real *d1 = random_array(plane), *a = random_array(n_in), *below = random_array(n_in), *before = copy_of(below, plane), beta = 3;
    for (size_t i = 0; i < v.in * v.out; i++)
        w[i] /= (real)sqrt((double)v.out);
    int input = v.kind == LAM_ACT_IDENTITY && v.tangents == 0; /* the input layer has nothing below */
    fill_below(&v, h, d1, a);
    k->pack(v.in, v.out, w, 1, v.in, packed);
    lam_backward c = { .in = v.in, .out = v.out, .vectors = v.vectors, .tangents = v.tangents, .first_chunk = v.first_chunk,
        .with_value = v.with_value, .activation = v.kind, .beta = (real)0.7, .weight_t = packed, .g = g, .h = input ? NULL : h,
        .d1 = input ? NULL : d1, .a = input ? NULL : a, .below = below, .beta_sum = &beta };
    total sum = { 3, 0 };
    k->backward(&c);
    for (size_t i = 0; i < v.in; i++)
        for (size_t r = 0; r < v.vectors * k->lanes; r++)
            check_backward_at(k, &v, &c, w, before, i, r, &sum);
    near(k->isa, "beta's derivative", (wide)beta, sum.sum, sum.bound * 2);
    drop(w, v.in * v.out), drop(packed, v.in * v.out), drop(g, n_out), drop(h, n_in), drop(d1, plane), drop(a, n_in);
    drop(below, n_in), drop(before, plane);
}

static void backward_all(const lam_kernels *k)
{
    for (size_t i = 0; i < SIZES; i++)
        for (size_t o = 0; o < SIZES; o++)
            if (sizes[i] * sizes[o] <= 6500)
                check_backward(k, (reverse) { sizes[i], sizes[o], 1 + choose(2), choose(MAX_PLANES), (int)choose(2), (int)choose(2),
                    (lam_activation)choose(LAM_ACT_IDENTITY + 1) });
    for (int kind = 0; kind <= LAM_ACT_IDENTITY; kind++)
        for (size_t tangents = 0; tangents < MAX_PLANES; tangents++)
            for (int flags = 0; flags < 4; flags++)
                check_backward(k, (reverse) { sizes[choose(13)], sizes[choose(13)], any_vectors(k), tangents, flags & 1, flags >> 1,
                    (lam_activation)kind });
}

static void backward_of_every_set(void **state)
{
    (void)state;
    for_isas(backward_all);
}

/* ---- unit vectors ------------------------------------------------------------------------------------------------------------- */

/* A stack [1 + P][n][TILE] whose tangents are lines of `unit` [P][TILE] in features first, first + 1, ... */
static real *with_units(const real *value, size_t n, size_t planes, size_t first, const real *unit)
{
    real *stack = array((1 + planes) * n * LAM_TILE);
    memcpy(stack, value, n * LAM_TILE * sizeof *stack);
    for (size_t p = 0; p < planes; p++)
        memcpy(stack + ((1 + p) * n + first + p) * LAM_TILE, unit + p * LAM_TILE, LAM_TILE * sizeof *unit);
    return stack;
}

static void equal_rows(const char *isa, const char *what, const real *a, const real *b, size_t features, size_t rows)
{
    for (size_t i = 0; i < features; i++)
        for (size_t r = 0; r < rows; r++)
            if (a[i * LAM_TILE + r] != b[i * LAM_TILE + r]) /* a sum of one product and zeros: no rounding differs */
                fail_msg("%s, %s of unit vectors: %.9g, %.9g written out", isa, what, (double)a[i * LAM_TILE + r],
                    (double)b[i * LAM_TILE + r]);
}

static void check_unit_forward(const lam_kernels *k, size_t in, size_t out, size_t vectors, size_t first, size_t planes,
    lam_activation kind)
{
    size_t n_out = (1 + planes) * out * LAM_TILE, plane = out * LAM_TILE;
    real *w = random_array(in * out), *scale = random_array(out), *shift = random_array(out), *value = random_array(in * LAM_TILE);
    real *unit = random_array(planes * LAM_TILE), *h = random_array(n_out), *d1 = random_array(plane), *a = random_array(n_out);
    real *h2 = copy_of(h, n_out), *a2 = copy_of(a, n_out), *stack = with_units(value, in, planes, first, unit);
    lam_forward c = { .in = in, .out = out, .vectors = vectors, .tangents = planes, .with_value = 1, .activation = kind,
        .beta = (real)0.7, .weight = w, .scale = scale, .shift = shift, .x = value, .unit = unit, .unit_first = first, .h = h,
        .d1 = d1, .a = a };
    k->forward(&c);
    c.unit = NULL, c.x = stack, c.h = h2, c.a = a2;
    k->forward(&c);
    equal_rows(k->isa, "forward", h, h2, (1 + planes) * out, vectors * k->lanes);
    equal_rows(k->isa, "pre-activations", a, a2, (1 + planes) * out, vectors * k->lanes);
    drop(w, in * out), drop(scale, out), drop(shift, out), drop(value, in * LAM_TILE), drop(unit, planes * LAM_TILE);
    drop(h, n_out), drop(d1, plane), drop(a, n_out), drop(h2, n_out), drop(a2, n_out), drop(stack, (1 + planes) * in * LAM_TILE);
}

static void check_unit_backward(const lam_kernels *k, size_t in, size_t out, size_t vectors, size_t first, size_t planes,
    lam_activation kind)
{
    size_t n_in = (1 + planes) * in * LAM_TILE, plane = in * LAM_TILE;
    real *w = random_array(in * out), *value = random_array(out * LAM_TILE), *unit = random_array(planes * LAM_TILE);
    real *h = random_array(n_in), *d1 = random_array(plane), *a = random_array(n_in), *below = random_array(n_in), beta = 3, beta2 = 3;
    real *below2 = copy_of(below, n_in), *stack = with_units(value, out, planes, first, unit);
    lam_backward c = { .in = in, .out = out, .vectors = vectors, .tangents = planes, .first_chunk = 1, .with_value = 1,
        .activation = kind, .beta = (real)0.7, .weight_t = w, .g = value, .unit = unit, .unit_first = first, .h = h, .d1 = d1,
        .a = a, .below = below, .beta_sum = &beta };
    k->backward(&c);
    c.unit = NULL, c.g = stack, c.below = below2, c.beta_sum = &beta2;
    k->backward(&c);
    equal_rows(k->isa, "backward", below, below2, (1 + planes) * in, vectors * k->lanes);
    assert_true(beta == beta2);
    drop(w, in * out), drop(value, out * LAM_TILE), drop(unit, planes * LAM_TILE), drop(h, n_in), drop(d1, plane), drop(a, n_in);
    drop(below, n_in), drop(below2, n_in), drop(stack, (1 + planes) * out * LAM_TILE);
}

static void check_diagonal(const lam_kernels *k, size_t in, size_t out, size_t vectors, size_t first, size_t planes)
{
    size_t n_in = planes * in * LAM_TILE;
    real *w = random_array(in * out), *packed = array(in * out), *x = random_array(n_in), *y = array(planes * LAM_TILE);
    k->pack(out, in, w, in, 1, packed);
    k->diagonal(in, out, vectors, first, planes, packed, x, y);
    for (size_t p = 0; p < planes; p++)
        for (size_t r = 0; r < vectors * k->lanes; r++) {
            wide size, sum = product(w + (first + p) * in, 1, x + p * in * LAM_TILE + r, in, &size);
            near(k->isa, "diagonal", (wide)y[p * LAM_TILE + r], sum, (wide)(in + 1) * U * size);
        }
    drop(w, in * out), drop(packed, in * out), drop(x, n_in), drop(y, planes * LAM_TILE);
}

static void units_all(const lam_kernels *k)
{
    for (size_t i = 0; i < SIZES; i++)
        for (size_t o = 0; o < 13; o++) {
            size_t most = sizes[o] < MAX_PLANES ? sizes[o] : MAX_PLANES, planes = 1 + choose(most);
            size_t first = choose(sizes[o] - planes + 1);
            lam_activation kind = (lam_activation)choose(LAM_ACT_IDENTITY);
            check_unit_forward(k, sizes[o], sizes[i], any_vectors(k), first, planes, kind);
            check_unit_backward(k, sizes[i], sizes[o], any_vectors(k), first, planes, kind);
            check_diagonal(k, sizes[i], sizes[o], any_vectors(k), first, planes);
        }
}

static void units_of_every_set(void **state)
{
    (void)state;
    for_isas(units_all);
}

/* ---- packing, transposition, outer products ------------------------------------------------------------------------------------ */

static size_t pad(const lam_kernels *k, size_t n)
{
    return (n + k->lanes - 1) / k->lanes * k->lanes;
}

/* Where element (m, n) of a matrix in blocks lies; rows: of the matrix. */
static size_t in_blocks(const lam_kernels *k, size_t rows, size_t cols, size_t m, size_t n)
{
    size_t j = n / k->block, left = pad(k, cols) - j * k->block, width = left < k->block ? left : k->block;
    return j * k->block * rows + m * width + (n - j * k->block);
}

static void layouts(const lam_kernels *k)
{
    for (size_t i = 0; i < SIZES; i++)
        for (size_t o = 0; o < SIZES; o++) {
            size_t in = sizes[i], out = sizes[o];
            /* rows without gaps, columns without, and every other number of a matrix lying on its side */
            const size_t strides[][2] = { { in, 1 }, { in + 1, 1 }, { 1, out }, { 1, out + 3 }, { 2, 2 * out } };
            for (size_t s = 0; s < sizeof strides / sizeof strides[0]; s++) {
                size_t by_y = strides[s][0], by_x = strides[s][1], n = (out - 1) * by_y + (in - 1) * by_x + 1;
                real *w = random_array(n), *packed = array(in * out);
                k->pack(out, in, w, by_y, by_x, packed);
                for (size_t y = 0; y < out; y++)
                    for (size_t x = 0; x < in; x++) {
                        size_t first = y / LAM_PANEL * LAM_PANEL, rows = out - first < LAM_PANEL ? out - first : LAM_PANEL;
                        assert_true(packed[first * in + x * rows + y - first] == w[by_y * y + by_x * x]);
                    }
                drop(w, n), drop(packed, in * out);
            }
        }
    for (size_t i = 0; i < SIZES; i++)
        for (size_t vectors = 1; vectors <= LAM_TILE / k->lanes; vectors++) {
            size_t n = sizes[i], n_out = pad(k, n) * LAM_TILE;
            real *plane = random_array(n * LAM_TILE), *out = random_array(n_out);
            k->transpose(n, vectors, plane, out);
            for (size_t f = 0; f < pad(k, n); f++)
                for (size_t r = 0; r < vectors * k->lanes; r++)
                    assert_true(out[in_blocks(k, LAM_TILE, n, r, f)] == (f < n ? plane[f * LAM_TILE + r] : 0));
            drop(plane, n * LAM_TILE), drop(out, n_out);
        }
}

static void check_outer(const lam_kernels *k, size_t m, size_t n, size_t vectors, size_t planes)
{
    size_t n_left = planes * m * LAM_TILE, n_right = planes * n * LAM_TILE, n_t = planes * pad(k, n) * LAM_TILE, n_c = m * pad(k, n);
    real *left = random_array(n_left), *right = random_array(n_right), *t = random_array(n_t), *c = random_array(n_c);
    real *before = copy_of(c, n_c);
    for (size_t p = 0; p < planes; p++)
        k->transpose(n, vectors, right + p * n * LAM_TILE, t + p * pad(k, n) * LAM_TILE);
    k->outer(&(lam_outer) { .m = m, .n = n, .vectors = vectors, .planes = planes, .left = left, .left_stride = m * LAM_TILE,
        .right_t = t, .right_stride = pad(k, n) * LAM_TILE, .c = c });
    for (size_t y = 0; y < m; y++)
        for (size_t x = 0; x < n; x++) {
            size_t at = in_blocks(k, m, n, y, x), terms = planes * vectors * k->lanes;
            wide sum = (wide)before[at], size = fabsl(sum);
            for (size_t p = 0; p < planes; p++)
                for (size_t r = 0; r < vectors * k->lanes; r++) {
                    wide term = (wide)left[(p * m + y) * LAM_TILE + r] * (wide)right[(p * n + x) * LAM_TILE + r];
                    sum += term;
                    size += fabsl(term);
                }
            near(k->isa, "outer product", (wide)c[at], sum, (wide)(terms + 2) * U * size);
        }
    drop(left, n_left), drop(right, n_right), drop(t, n_t), drop(c, n_c), drop(before, n_c);
}

static void outer_all(const lam_kernels *k)
{
    for (size_t i = 0; i < SIZES; i++)
        for (size_t o = 0; o < SIZES; o++)
            if (sizes[i] * sizes[o] <= 6500)
                check_outer(k, sizes[i], sizes[o], sizes[i] * sizes[o] > 1000 ? 1 + choose(2) : any_vectors(k), 1 + choose(MAX_PLANES));
}

static void layouts_of_every_set(void **state)
{
    (void)state;
    for_isas(layouts);
}

static void outer_products_of_every_set(void **state)
{
    (void)state;
    for_isas(outer_all);
}

/* ---- lines ---------------------------------------------------------------------------------------------------------------------- */

static void check_rows(const lam_kernels *k, size_t n, size_t vectors)
{
    size_t count = n * LAM_TILE;
    real *u = random_array(count), *v = random_array(count), *sums = random_array(n), *dots = random_array(n), *scale = random_array(n);
    real *s0 = copy_of(sums, n), *d0 = copy_of(dots, n), *scaled = copy_of(u, count), *weighted = copy_of(sums, n);
    k->row_sums(n, vectors, u, NULL, sums);
    k->row_sums(n, vectors, u, v, weighted);
    k->row_dots(n, vectors, u, v, dots);
    k->scale_rows(n, vectors, scale, scaled);
    for (size_t o = 0; o < n; o++) {
        wide sum = 0, dot = 0, line = 0, sum_size = 0, dot_size = 0, line_size = 0;
        for (size_t r = 0; r < vectors * k->lanes; r++) {
            wide a = (wide)u[o * LAM_TILE + r], b = (wide)v[o * LAM_TILE + r];
            wide c = a * (wide)v[r];
            sum += a, dot += a * b, line += c;
            sum_size += fabsl(a), dot_size += fabsl(a * b), line_size += fabsl(c);
            near(k->isa, "scaled row", (wide)scaled[o * LAM_TILE + r], (wide)scale[o] * a, U * fabsl((wide)scale[o] * a));
        }
        wide room = (wide)(vectors * k->lanes + 3) * U;
        near(k->isa, "row sum", (wide)sums[o], (wide)s0[o] + sum, room * (sum_size + fabsl((wide)s0[o])));
        near(k->isa, "weighted row sum", (wide)weighted[o], (wide)s0[o] + line, room * (line_size + fabsl((wide)s0[o])));
        near(k->isa, "row product", (wide)dots[o], (wide)d0[o] + dot, room * (dot_size + fabsl((wide)d0[o])));
    }
    drop(u, count), drop(v, count), drop(sums, n), drop(dots, n), drop(scale, n), drop(s0, n), drop(d0, n), drop(scaled, count);
    drop(weighted, n);
}

static void check_combine(const lam_kernels *k, size_t n, size_t terms, int base)
{
    size_t count = n * LAM_TILE;
    real *out = random_array(count), *other = random_array(count), *before = copy_of(base == 2 ? out : other, count), *t[16], coef[16];
    for (size_t j = 0; j < 16; j++) {
        t[j] = random_array(count);
        coef[j] = normal();
    }
    k->combine(count, out, base == 0 ? NULL : base == 1 ? other : out, terms, coef, (const real *const *)t);
    for (size_t i = 0; i < count; i++) {
        wide sum = base == 0 ? 0 : (wide)before[i], size = fabsl(sum);
        for (size_t j = 0; j < terms; j++) {
            sum += (wide)coef[j] * (wide)t[j][i];
            size += fabsl((wide)coef[j] * (wide)t[j][i]);
        }
        near(k->isa, "combination", (wide)out[i], sum, (wide)(terms + 1) * U * size);
    }
    for (size_t j = 0; j < 16; j++)
        drop(t[j], count);
    drop(out, count), drop(other, count), drop(before, count);
}

static void check_columns(const lam_kernels *k, size_t n)
{
    size_t count = n * LAM_TILE;
    real *u = random_array(count), *y0 = random_array(count), *y1 = random_array(count), *sums = random_array(LAM_TILE);
    real *dots = random_array(LAM_TILE), *s0 = copy_of(sums, LAM_TILE), *d0 = copy_of(dots, LAM_TILE), factor = normal();
    const real atol = (real)1e-3, rtol = (real)1e-2;
    k->error(n, u, y0, y1, atol, rtol, sums);
    k->column_dots(n, u, y0, factor, dots);
    for (size_t r = 0; r < LAM_TILE; r++) {
        wide sum = (wide)s0[r], sum_size = fabsl(sum), dot = 0, dot_size = 0;
        for (size_t i = 0; i < n; i++) {
            wide a = (wide)u[i * LAM_TILE + r], b = (wide)y0[i * LAM_TILE + r], c = (wide)y1[i * LAM_TILE + r];
            wide q = a / ((wide)atol + (wide)rtol * fmaxl(fabsl(b), fabsl(c)));
            sum += q * q, sum_size += q * q;
            dot += a * b, dot_size += fabsl(a * b);
        }
        near(k->isa, "error", (wide)sums[r], sum, (wide)(n + 10) * U * sum_size);
        near(k->isa, "column product", (wide)dots[r], (wide)d0[r] + (wide)factor * dot,
            (wide)(n + 3) * U * (fabsl((wide)factor) * dot_size + fabsl((wide)d0[r])));
    }
    u[0] = (real)NAN, u[1] = (real)INFINITY; /* which a norm must not swallow */
    y1[2] = (real)NAN, u[2] = (real)NAN;
    k->error(n, u, y0, y1, atol, rtol, sums);
    assert_true(isnan(sums[0]) && isinf(sums[1]) && isnan(sums[2]) && isfinite(sums[3]));
    drop(u, count), drop(y0, count), drop(y1, count), drop(sums, LAM_TILE), drop(dots, LAM_TILE), drop(s0, LAM_TILE), drop(d0, LAM_TILE);
}

static void lines_all(const lam_kernels *k)
{
    for (size_t i = 0; i < SIZES; i++) {
        check_columns(k, sizes[i]);
        check_rows(k, sizes[i], any_vectors(k));
    }
    for (size_t vectors = 1; vectors <= LAM_TILE / k->lanes; vectors++)
        check_rows(k, 3, vectors);
    for (size_t terms = 0; terms <= 16; terms++)
        for (int base = 0; base < 3; base++)
            check_combine(k, 1 + terms % 4, terms, base);
}

static void lines_of_every_set(void **state)
{
    (void)state;
    for_isas(lines_all);
}

static void names_of_sets(void **state)
{
    (void)state;
    const lam_kernels *k;
    assert_int_equal(lam_kernels_get("avx1024", &k), LAM_ERR_ARGUMENT);
    assert_int_equal(lam_kernels_get(NULL, &k), LAM_OK);
    for (int isa = 0; isa < LAM_ISA_COUNT; isa++)
        assert_int_equal(lam_kernels_get(lam_isa_name((lam_isa)isa), &k),
            lam_isa_available((lam_isa)isa) ? LAM_OK : LAM_ERR_UNSUPPORTED);
}

#include "rowwise_checks.h"
#include "series_checks.h"

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forward_of_every_set),
        cmocka_unit_test(backward_of_every_set),
        cmocka_unit_test(units_of_every_set),
        cmocka_unit_test(layouts_of_every_set),
        cmocka_unit_test(outer_products_of_every_set),
        cmocka_unit_test(lines_of_every_set),
        cmocka_unit_test(products_of_rows_of_every_set),
        cmocka_unit_test(epilogues_of_every_set),
        cmocka_unit_test(series_of_every_set),
        cmocka_unit_test(names_of_sets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
