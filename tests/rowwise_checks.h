/* Products with matrices of the rows' own, and the epilogues on their own; part of kernels_test.h. */
#ifndef LAM_TESTS_ROWWISE_CHECKS_H
#define LAM_TESTS_ROWWISE_CHECKS_H

static const size_t row_sizes[] = { 1, 2, 3, 5, 20, 32, 33, 65, 100 };
enum { ROW_SIZES = sizeof row_sizes / sizeof *row_sizes };

typedef struct row_case {
    size_t m, n, vectors, planes;
} row_case;

static wide row_sum(const row_case *c, const real *matrix, const real *x, int transposed, size_t out, size_t r, wide *size)
{
    wide sum = 0;
    *size = 0;
    for (size_t k = 0; k < (transposed ? c->n : c->m); k++) {
        size_t at = transposed ? out * c->n + k : k * c->n + out;
        wide term = (wide)matrix[at * LAM_TILE + r] * (wide)x[k * LAM_TILE + r];
        sum += term;
        *size += fabsl(term);
    }
    return sum;
}

/* Lanes past the vectors in use stay as they are. */
static void check_row_product(const lam_kernels *k, row_case c, int transposed)
{
    size_t in = transposed ? c.n : c.m, out = transposed ? c.m : c.n, gap = 3 * LAM_TILE; /* planes need not lie side by side */
    size_t xs = in * LAM_TILE + gap, ys = out * LAM_TILE + gap, n_m = c.m * c.n * LAM_TILE;
    real *matrix = random_array(n_m), *x = random_array(c.planes * xs), *y = random_array(c.planes * ys);
    real *before = copy_of(y, c.planes * ys);
    lam_rowwise call = { .m = c.m, .n = c.n, .vectors = c.vectors, .planes = c.planes, .matrix = matrix, .x = x,
        .x_stride = xs, .y = y, .y_stride = ys };
    (transposed ? k->row_transposed : k->row_product)(&call);
    for (size_t p = 0; p < c.planes; p++)
        for (size_t o = 0; o < ys / LAM_TILE; o++)
            for (size_t r = 0; r < LAM_TILE; r++) {
                size_t at = p * ys + o * LAM_TILE + r;
                if (o >= out || r >= c.vectors * k->lanes) {
                    assert_true(y[at] == before[at]);
                    continue;
                }
                wide size, sum = row_sum(&c, matrix, x + p * xs, transposed, o, r, &size);
                near(k->isa, transposed ? "row's transposed product" : "row's product", (wide)y[at], sum + (wide)before[at],
                    (wide)(in + 2) * U * (size + fabsl((wide)before[at])));
            }
    drop(matrix, n_m), drop(x, c.planes * xs), drop(y, c.planes * ys), drop(before, c.planes * ys);
}

static void check_row_outer(const lam_kernels *k, row_case c, int add)
{
    size_t n_m = c.m * c.n * LAM_TILE, terms = c.planes;
    real *matrix = random_array(n_m), *before = copy_of(matrix, n_m), *left[16], *right[16];
    for (size_t t = 0; t < terms; t++) {
        left[t] = random_array(c.m * LAM_TILE);
        right[t] = random_array(c.n * LAM_TILE);
    }
    k->row_outer(&(lam_row_outer) { .m = c.m, .n = c.n, .vectors = c.vectors, .terms = terms, .add = add,
        .left = (const real *const *)left, .right = (const real *const *)right, .matrix = matrix });
    for (size_t i = 0; i < c.m; i++)
        for (size_t j = 0; j < c.n; j++)
            for (size_t r = 0; r < LAM_TILE; r++) {
                size_t at = (i * c.n + j) * LAM_TILE + r;
                wide sum = add ? (wide)before[at] : 0, size = fabsl(sum);
                for (size_t t = 0; t < terms; t++) {
                    wide term = (wide)left[t][i * LAM_TILE + r] * (wide)right[t][j * LAM_TILE + r];
                    sum += term;
                    size += fabsl(term);
                }
                if (r >= c.vectors * k->lanes)
                    assert_true(matrix[at] == before[at]);
                else
                    near(k->isa, "row's outer product", (wide)matrix[at], sum, (wide)(terms + 1) * U * size);
            }
    for (size_t t = 0; t < terms; t++)
        drop(left[t], c.m * LAM_TILE), drop(right[t], c.n * LAM_TILE);
    drop(matrix, n_m), drop(before, n_m);
}

static void rows_all(const lam_kernels *k)
{
    for (size_t i = 0; i < ROW_SIZES; i++)
        for (size_t j = 0; j < ROW_SIZES; j++) {
            check_row_product(k, (row_case) { row_sizes[i], row_sizes[j], any_vectors(k), 1 + choose(MAX_PLANES) }, 0);
            check_row_product(k, (row_case) { row_sizes[i], row_sizes[j], any_vectors(k), 1 + choose(MAX_PLANES) }, 1);
            check_row_outer(k, (row_case) { row_sizes[i], row_sizes[j], any_vectors(k), choose(15) }, (int)choose(2));
        }
    for (size_t vectors = 1; vectors <= LAM_TILE / k->lanes; vectors++)
        for (size_t planes = 1; planes <= 9; planes++) {
            check_row_product(k, (row_case) { 3, 7, vectors, planes }, 0);
            check_row_product(k, (row_case) { 3, 7, vectors, planes }, 1);
            check_row_outer(k, (row_case) { 7, 6, vectors, planes }, planes % 2);
        }
}

static void products_of_rows_of_every_set(void **state)
{
    (void)state;
    for_isas(rows_all);
}

/* Activating what another call has left in h is the layer itself, and so is the reverse: the same bits, since the product's
 * rounding is over before the epilogue begins. */
static void check_epilogues(const lam_kernels *k, lam_activation kind, size_t tangents, int first_chunk, int with_value)
{
    size_t in = 7, out = 9, vectors = any_vectors(k), n_out = (1 + tangents) * out * LAM_TILE, n_in = (1 + tangents) * in * LAM_TILE;
    real *w = random_array(in * out), *packed = array(in * out), *scale = random_array(out), *shift = random_array(out);
    real *x = random_array(n_in), *h = random_array(n_out), *d1 = random_array(out * LAM_TILE), *a = random_array(n_out);
    real *h2 = copy_of(h, n_out), *d2 = copy_of(d1, out * LAM_TILE), *a2 = copy_of(a, n_out), *zeros = array(out);
    k->pack(out, in, w, in, 1, packed);
    lam_forward whole = { .in = in, .out = out, .vectors = vectors, .tangents = tangents, .with_value = 1, .activation = kind,
        .beta = (real)0.7, .weight = packed, .scale = scale, .shift = shift, .x = x, .h = h, .d1 = d1, .a = a };
    k->forward(&whole);
    lam_forward linear = whole, epilogue = whole;
    linear.activation = LAM_ACT_IDENTITY, linear.scale = NULL, linear.shift = zeros, linear.h = h2, linear.a = NULL;
    k->forward(&linear);
    epilogue.h = h2, epilogue.d1 = d2, epilogue.a = a2;
    k->activate(&epilogue);
    assert_memory_equal(h, h2, n_out * sizeof *h);
    assert_memory_equal(d1, d2, out * LAM_TILE * sizeof *d1);
    assert_memory_equal(a, a2, n_out * sizeof *a);

    real *g = random_array(n_in), *below = random_array(n_out), *below2 = copy_of(below, n_out), beta = 0, beta2 = 0;
    real *gh = random_array(n_out);
    k->pack(out, in, w, in, 1, packed); /* as a transposed weight of a layer above with `in` outputs */
    lam_backward back = { .in = out, .out = in, .vectors = vectors, .tangents = tangents, .first_chunk = first_chunk,
        .with_value = with_value, .activation = kind, .beta = (real)0.7, .weight_t = packed, .g = g, .h = h, .d1 = d1, .a = a,
        .below = below, .beta_sum = &beta };
    k->backward(&back);
    lam_backward plain = back;
    plain.activation = LAM_ACT_IDENTITY, plain.first_chunk = plain.with_value = 1, plain.below = gh;
    k->backward(&plain);
    memcpy(below2 + out * LAM_TILE, gh + out * LAM_TILE, (n_out - out * LAM_TILE) * sizeof *gh);
    for (size_t i = out * LAM_TILE; i < n_out; i++) /* lanes that nobody computes */
        if (i % LAM_TILE >= vectors * k->lanes)
            below2[i] = below[i];
    back.below = below2, back.beta_sum = &beta2;
    k->deactivate(&back, gh);
    assert_memory_equal(below, below2, n_out * sizeof *below);
    near(k->isa, "beta's derivative", (wide)beta2, (wide)beta, 100 * U * (1 + 1000 * fabsl((wide)beta)));
    drop(w, in * out), drop(packed, in * out), drop(scale, out), drop(shift, out), drop(x, n_in), drop(h, n_out);
    drop(d1, out * LAM_TILE), drop(a, n_out), drop(h2, n_out), drop(d2, out * LAM_TILE), drop(a2, n_out), drop(zeros, out);
    drop(g, n_in), drop(below, n_out), drop(below2, n_out), drop(gh, n_out);
}

static void epilogues_all(const lam_kernels *k)
{
    for (int kind = 0; kind <= LAM_ACT_IDENTITY; kind++)
        for (size_t tangents = 0; tangents < MAX_PLANES; tangents++)
            for (int flags = 0; flags < 4; flags++)
                check_epilogues(k, (lam_activation)kind, tangents, flags & 1, flags >> 1);
}

static void epilogues_of_every_set(void **state)
{
    (void)state;
    for_isas(epilogues_all);
}

#endif
