/* SOAP (Vyas et al. 2024, "SOAP: improving and stabilizing Shampoo using Adam", algorithm 3): Adam in the eigenbasis of Shampoo's two
 * factors. Of a weight matrix with gradient G [rows][cols], bases QL and QR:
 *     G* = QL' G QR,   m* = beta1 m* + (1 - beta1) G*,   v = beta2 v + (1 - beta2) G*^2
 *     W = (1 - lr decay) W - lr / (1 - beta1^t) QL (m* / (sqrt(v) / sqrt(1 - beta2^t) + epsilon)) QR'
 *     L = beta2 L + (1 - beta2) G G',   R = beta2 R + (1 - beta2) G' G
 * and every 10 steps, in the first 10 every step, one step of orthogonal iteration leads QL and QR on to the eigenvectors of L and R, and m*
 * goes from the old bases into the new ones. Bases
 * start as the identity, where the published code begins with an eigendecomposition. Betas are 0.95. A side above LAM_SOAP_WIDEST keeps
 * the identity (one-sided; both: Adam). Vectors are taken by Adam with the same betas. */
#include "base/mem.h"
#include "optim/product.h"
#include "optim/record.h"
#include <math.h>
#include <string.h>

static const double BETA = 0.95, EPSILON = 1e-8;
static const double SHIFT = 1e-5; /* of the mean eigenvalue, added to all: directions without a gradient keep a length */
enum { RENEWAL = 10, FIRST = 0, SECOND, LEFT_FACTOR, RIGHT_FACTOR, LEFT_BASIS, RIGHT_BASIS };

/* Sides of a matrix that have a factor and a basis; 0: that side is too wide. */
typedef struct soap_sides {
    size_t left, right;
} soap_sides;

static soap_sides sides_of(const lam_matrix *m)
{
    return (soap_sides) { m->rows <= LAM_SOAP_WIDEST ? m->rows : 0, m->cols <= LAM_SOAP_WIDEST ? m->cols : 0 };
}

/* A factor F [n][n] and its basis, whose rows are eigenvectors; n 0: none. */
typedef struct side {
    size_t n;
    real *factor, *basis;
} side;

typedef struct scratch {
    lam_multiplier multiplier;
    real *a;         /* [largest matrix] */
    real *square;    /* [widest][widest] */
    double *rows;    /* [widest][widest] a basis while it is made orthonormal */
    double *value;   /* [widest] estimates of eigenvalues */
    size_t *order;   /* [widest] */
} scratch;

typedef struct soap {
    scratch *scratch; /* [threads] */
    size_t threads;
    const lam_stepper *stepper;
} soap;

/* ---- making and freeing ------------------------------------------------------------------------------------------- */

static void soap_close(lam_stepper *s)
{
    soap *o = s->own;
    if (o == NULL)
        return;
    for (size_t i = 0; o->scratch != NULL && i < o->threads; i++) {
        scratch *w = &o->scratch[i];
        lam_multiplier_clear(&w->multiplier);
        lam_free(w->a);
        lam_free(w->square);
        lam_free(w->rows);
        lam_free(w->value);
        lam_free(w->order);
    }
    lam_free(o->scratch);
    lam_free(o);
    s->own = NULL;
}

static lam_status open_scratch(const lam_stepper *s, size_t most, size_t widest, scratch *w)
{
    w->a = lam_alloc(most, sizeof(real));
    w->square = lam_alloc(widest * widest, sizeof(real));
    w->rows = lam_alloc(widest * widest, sizeof(double));
    w->value = lam_alloc(widest, sizeof(double));
    w->order = lam_alloc(widest, sizeof(size_t));
    if (w->a == NULL || w->square == NULL || w->rows == NULL || w->value == NULL || w->order == NULL)
        return LAM_ERR_MEMORY;
    size_t longest = widest;
    for (size_t i = 0; i < s->map->matrices; i++) {
        longest = s->map->matrix[i].rows > longest ? s->map->matrix[i].rows : longest;
        longest = s->map->matrix[i].cols > longest ? s->map->matrix[i].cols : longest;
    }
    return lam_multiplier_create(s->kernels, longest, widest, &w->multiplier);
}

static lam_status soap_open(lam_stepper *s)
{
    size_t most = 1, widest = 1;
    soap *o = s->own = lam_alloc(1, sizeof *o);
    if (o == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < s->map->matrices; i++) {
        const lam_matrix *m = &s->map->matrix[i];
        soap_sides sides = sides_of(m);
        most = m->rows * m->cols > most ? m->rows * m->cols : most;
        widest = sides.left > widest ? sides.left : widest;
        widest = sides.right > widest ? sides.right : widest;
    }
    o->threads = lam_pool_threads(s->pool);
    o->stepper = s;
    o->scratch = lam_alloc(o->threads, sizeof *o->scratch);
    lam_status status = o->scratch == NULL ? LAM_ERR_MEMORY : LAM_OK;
    for (size_t i = 0; i < o->threads && status == LAM_OK; i++)
        status = open_scratch(s, most, widest, &o->scratch[i]);
    return status; /* the stepper is closed after a failure */
}

/* ---- bases -------------------------------------------------------------------------------------------------------- */

/* F = beta F + (1 - beta) product, where product [n][n] is in the scratch. */
static void average_factor(const scratch *w, const side *s)
{
    const real beta = (real)BETA, rest = (real)(1 - BETA);
    for (size_t i = 0; i < s->n * s->n; i++)
        s->factor[i] = beta * s->factor[i] + rest * w->square[i];
}

/* In partial sums, so that a compiler that keeps the order of additions can use vectors. */
static double dot(const double *a, const double *b, size_t n)
{
    double sum[8] = { 0 }, total = 0;
    size_t k = 0;
    for (; k + 8 <= n; k += 8)
        for (size_t i = 0; i < 8; i++)
            sum[i] += a[k + i] * b[k + i];
    for (size_t i = 0; i < 8; i++)
        total += sum[i];
    for (; k < n; k++)
        total += a[k] * b[k];
    return total;
}

/* Takes from row i of the scratch its parts along the rows before it. Returns the square of what is left. */
static double project_out(const scratch *w, size_t n, size_t i)
{
    double *row = w->rows + i * n;
    for (size_t j = 0; j < i; j++) {
        const double *other = w->rows + j * n;
        double along = dot(row, other, n);
        for (size_t k = 0; k < n; k++)
            row[k] -= along * other[k];
    }
    return dot(row, row, n);
}

/* Rows of the scratch made orthonormal, each against those before it; twice where less than a thousandth of a row is left, for then rounding
 * is a part of it that counts (Daniel, Gragg, Kaufman and Stewart 1976). */
static void orthonormal_rows(const scratch *w, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double *row = w->rows + i * n, whole = dot(row, row, n), left = project_out(w, n, i);
        if (left < 1e-6 * whole)
            left = project_out(w, n, i);
        double factor = 1 / sqrt(left);
        for (size_t k = 0; k < n; k++)
            row[k] *= factor;
    }
}

/* Numbers of the basis vectors by falling eigenvalue; those alike stay in their order. */
static void sort_by_value(const scratch *w, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = i;
        for (; at > 0 && w->value[w->order[at - 1]] < w->value[i]; at--)
            w->order[at] = w->order[at - 1];
        w->order[at] = i;
    }
}

/* One step of orthogonal iteration; order tells which of the old vectors each new one came from. 0: the factor is zero, all stays. */
static int renew_basis(const scratch *w, const side *s)
{
    size_t n = s->n;
    double trace = 0;
    for (size_t i = 0; i < n; i++)
        trace += (double)s->factor[i * n + i];
    if (!(trace > 0))
        return 0;
    lam_multiply(&w->multiplier, n, n, n, (lam_view) { s->basis, n, 1 }, (lam_view) { s->factor, n, 1 },
        (lam_view) { w->square, n, 1 });
    for (size_t i = 0; i < n; i++) {
        w->value[i] = 0;
        for (size_t k = 0; k < n; k++)
            w->value[i] += (double)w->square[i * n + k] * (double)s->basis[i * n + k];
    }
    sort_by_value(w, n);
    double shift = SHIFT * trace / (double)n;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++) {
            size_t from = w->order[i] * n + k;
            w->rows[i * n + k] = (double)w->square[from] + shift * (double)s->basis[from];
        }
    orthonormal_rows(w, n);
    for (size_t i = 0; i < n * n; i++)
        s->basis[i] = (real)w->rows[i];
    return 1;
}

static void identity(const side *s)
{
    memset(s->basis, 0, s->n * s->n * sizeof(real));
    for (size_t i = 0; i < s->n; i++)
        s->basis[i * s->n + i] = 1;
}

/* ---- a matrix ----------------------------------------------------------------------------------------------------- */

/* Into the bases: out = QL' x QR. out may not be x. */
static void project(const scratch *w, const lam_matrix *m, const side *left, const side *right, real *x, real *out)
{
    lam_view from = { x, m->cols, 1 }, to = { out, m->cols, 1 };
    if (left->n > 0) {
        lam_multiply(&w->multiplier, m->rows, m->rows, m->cols, (lam_view) { left->basis, m->rows, 1 }, from, to);
        from = to;
    }
    if (right->n > 0) /* rows of x times columns of QR: the transposed product, its result transposed */
        lam_multiply(&w->multiplier, m->cols, m->cols, m->rows, (lam_view) { right->basis, m->cols, 1 },
            (lam_view) { from.at, 1, m->cols }, (lam_view) { out, 1, m->cols });
    else if (left->n == 0)
        memcpy(out, x, m->rows * m->cols * sizeof(real));
}

/* Back out of them, in place: x = QL x QR'. */
static void project_back(const scratch *w, const lam_matrix *m, const side *left, const side *right, real *x)
{
    lam_view rows = { x, m->cols, 1 }, cols = { x, 1, m->cols };
    if (left->n > 0)
        lam_multiply(&w->multiplier, m->rows, m->rows, m->cols, (lam_view) { left->basis, 1, m->rows }, rows, rows);
    if (right->n > 0)
        lam_multiply(&w->multiplier, m->cols, m->cols, m->rows, (lam_view) { right->basis, 1, m->cols }, cols, cols);
}

/* Of the gradient in the bases; leaves the step in its place. */
static void adam_step(const lam_update *u, size_t n, real *gradient, real *first, real *second)
{
    double correction1 = 1 - pow(BETA, (double)u->step), correction2 = correction1;
    const real beta = (real)BETA, rest = (real)(1 - BETA), size = (real)(u->lr / correction1);
    const real root = (real)sqrt(correction2), epsilon = (real)EPSILON;
    for (size_t i = 0; i < n; i++) {
        first[i] = beta * first[i] + rest * gradient[i];
        second[i] = beta * second[i] + rest * gradient[i] * gradient[i];
        gradient[i] = size * first[i] / ((real)sqrt((double)second[i]) / root + epsilon);
    }
}

/* Rows (or columns) of v follow their basis vectors. */
static void reorder(const scratch *w, const lam_matrix *m, int by_row, real *second)
{
    for (size_t i = 0; i < m->rows; i++)
        for (size_t j = 0; j < m->cols; j++)
            w->a[i * m->cols + j] = by_row ? second[w->order[i] * m->cols + j] : second[i * m->cols + w->order[j]];
    memcpy(second, w->a, m->rows * m->cols * sizeof(real));
}

/* The factors' averages, and where it is time the bases, with the moments that are in them. w->a is overwritten. */
static void renew(const scratch *w, const lam_matrix *m, const side *left, const side *right, uint64_t step, real *g, real *first, real *second)
{
    lam_view rows = { g, m->cols, 1 }, cols = { g, 1, m->cols };
    int now = step <= RENEWAL || step % RENEWAL == 0;
    if (now)
        project_back(w, m, left, right, first);
    if (left->n > 0) {
        lam_multiply(&w->multiplier, m->rows, m->cols, m->rows, rows, cols, (lam_view) { w->square, m->rows, 1 });
        average_factor(w, left);
        if (now && renew_basis(w, left))
            reorder(w, m, 1, second);
    }
    if (right->n > 0) {
        lam_multiply(&w->multiplier, m->cols, m->rows, m->cols, cols, rows, (lam_view) { w->square, m->cols, 1 });
        average_factor(w, right);
        if (now && renew_basis(w, right))
            reorder(w, m, 0, second);
    }
    if (now) {
        project(w, m, left, right, first, w->a);
        memcpy(first, w->a, m->rows * m->cols * sizeof *first);
    }
}

static void update_matrix(const soap *o, const lam_matrix *m, size_t left_at, size_t right_at, scratch *w)
{
    const lam_stepper *s = o->stepper;
    const lam_update *u = s->update;
    soap_sides sides = sides_of(m);
    side left = { sides.left, s->memory[LEFT_FACTOR] + left_at, s->memory[LEFT_BASIS] + left_at };
    side right = { sides.right, s->memory[RIGHT_FACTOR] + right_at, s->memory[RIGHT_BASIS] + right_at };
    size_t n = m->rows * m->cols;
    real *g = s->gradient + m->offset, *first = s->memory[FIRST] + m->offset, *second = s->memory[SECOND] + m->offset;
    real *params = s->params + m->offset;
    const real kept = (real)(1 - u->lr * u->weight_decay);
    if (u->step == 1) {
        identity(&left);
        identity(&right);
    }
    project(w, m, &left, &right, g, w->a);
    adam_step(u, n, w->a, first, second);
    project_back(w, m, &left, &right, w->a);
    for (size_t i = 0; i < n; i++)
        params[i] = kept * params[i] - w->a[i];
    renew(w, m, &left, &right, u->step, g, first, second);
}

static void one_matrix(void *arg, size_t item, size_t thread)
{
    const soap *o = arg;
    const lam_parameter_map *map = o->stepper->map;
    size_t left = 0, right = 0;
    for (size_t i = 0; i < item; i++) {
        soap_sides sides = sides_of(&map->matrix[i]);
        left += sides.left * sides.left;
        right += sides.right * sides.right;
    }
    update_matrix(o, &map->matrix[item], left, right, &o->scratch[thread]);
}

static void soap_matrices(lam_stepper *s)
{
    lam_pool_run(s->pool, s->map->matrices, one_matrix, s->own);
}

static void soap_slice(const lam_stepper *s, const lam_slice *slice)
{
    const lam_adam adam = { .lr = s->update->lr, .beta1 = BETA, .beta2 = BETA, .decay = s->update->weight_decay,
        .step = s->update->step };
    size_t at = slice->at;
    lam_adam_apply(&adam, slice->count, s->gradient + at, s->memory[FIRST] + at, s->memory[SECOND] + at, s->params + at);
}

static size_t soap_memories(const lam_parameter_map *map, lam_memory memory[LAM_MEMORIES])
{
    size_t left = 0, right = 0;
    for (size_t i = 0; i < map->matrices; i++) {
        soap_sides sides = sides_of(&map->matrix[i]);
        left += sides.left * sides.left;
        right += sides.right * sides.right;
    }
    memory[FIRST] = (lam_memory) { "first_moment_in_bases", map->parameters }; /* of vectors, which have none: as it is */
    memory[SECOND] = (lam_memory) { "second_moment", map->parameters };
    memory[LEFT_FACTOR] = (lam_memory) { "left_factor", left };
    memory[RIGHT_FACTOR] = (lam_memory) { "right_factor", right };
    memory[LEFT_BASIS] = (lam_memory) { "left_basis", left };
    memory[RIGHT_BASIS] = (lam_memory) { "right_basis", right };
    return 6;
}

LAM_RECORD(soap) = { .memories = soap_memories, .by_matrix = 1, .open = soap_open, .close = soap_close,
    .slice = soap_slice, .matrices = soap_matrices };
