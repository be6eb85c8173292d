/* Newton-Schulz iteration for the orthogonal factor of a matrix. */
#include "optim/orthogonal.h"
#include "base/mem.h"
#include "optim/optimizer.h"
#include <string.h>

enum { STEPS = 5 };
static const double LEAST = 1e-30; /* a norm whose inverse float still holds: what is smaller is no direction, but rounding */
static const double A = 3.4445, B = -4.7750, C = 2.0315;

/* X [m][n], m the shorter side, lies in tiles of 64 columns, [tiles][m][64], as the kernels want them; square matrices [m][m] lie in rows
 * and in tiles. */
struct lam_orthogonaliser {
    const lam_kernels *kernels;
    real *x, *next;       /* [tiles][m][TILE] */
    real *transposed;     /* [tiles][wide m][TILE] */
    real *products;       /* [m][wide m] in blocks of columns */
    real *square;         /* [m][m] X X', then the polynomial of it */
    real *square_tiles, *fourth; /* [tiles of m][m][TILE] X X', (X X')^2 */
    real *packed;         /* [m][m] */
    real *zeros;          /* [m] */
    /* the matrix in hand */
    size_t m, n, wide, tiles, square_tile_count;
    size_t stride_short, stride_long; /* of the matrix as it is handed in */
    real *matrix;
    real factor;
};

static size_t tiles_of(size_t n)
{
    return (n + LAM_TILE - 1) / LAM_TILE;
}

static size_t wide_of(const lam_kernels *k, size_t m)
{
    return (m + k->lanes - 1) / k->lanes * k->lanes;
}

lam_status lam_orthogonaliser_create(const lam_kernels *kernels, size_t m, size_t n, lam_orthogonaliser **out)
{
    lam_orthogonaliser *o = *out = lam_alloc(1, sizeof *o);
    if (o == NULL)
        return LAM_ERR_MEMORY;
    size_t wide = wide_of(kernels, m), plane = m * LAM_TILE;
    o->kernels = kernels;
    o->x = lam_alloc(tiles_of(n) * plane, sizeof(real));
    o->next = lam_alloc(tiles_of(n) * plane, sizeof(real));
    o->transposed = lam_alloc(tiles_of(n) * wide * LAM_TILE, sizeof(real));
    o->products = lam_alloc(m * wide, sizeof(real));
    o->square = lam_alloc(m * m, sizeof(real));
    o->square_tiles = lam_alloc(tiles_of(m) * plane, sizeof(real));
    o->fourth = lam_alloc(tiles_of(m) * plane, sizeof(real));
    o->packed = lam_alloc(m * m, sizeof(real));
    o->zeros = lam_alloc(m, sizeof(real));
    if (o->x != NULL && o->next != NULL && o->transposed != NULL && o->products != NULL && o->square != NULL
        && o->square_tiles != NULL && o->fourth != NULL && o->packed != NULL && o->zeros != NULL)
        return LAM_OK;
    lam_orthogonaliser_free(o);
    *out = NULL;
    return LAM_ERR_MEMORY;
}

void lam_orthogonaliser_free(lam_orthogonaliser *o)
{
    if (o == NULL)
        return;
    real *const arrays[] = { o->x, o->next, o->transposed, o->products, o->square, o->square_tiles, o->fourth, o->packed, o->zeros };
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
        lam_free(arrays[i]);
    lam_free(o);
}

/* ---- the phases of a step, by tile or block of columns ------------------------------------------------------------ */

/* Of a tile of a matrix with n columns: a last tile of few costs few. */
static size_t vectors(const lam_orthogonaliser *o, size_t n, size_t tile)
{
    size_t left = n - tile * LAM_TILE;
    return ((left < LAM_TILE ? left : LAM_TILE) + o->kernels->lanes - 1) / o->kernels->lanes;
}

/* Rows of the upper triangle above the end of these columns, in whole panels. */
static size_t triangle_rows(size_t m, size_t end)
{
    size_t rows = (end + LAM_PANEL - 1) / LAM_PANEL * LAM_PANEL;
    return rows < m ? rows : m;
}

static void load(void *arg, size_t tile, size_t thread)
{
    lam_orthogonaliser *o = arg;
    real *x = o->x + tile * o->m * LAM_TILE;
    size_t first = tile * LAM_TILE, used = o->n - first < LAM_TILE ? o->n - first : LAM_TILE;
    (void)thread;
    memset(x, 0, o->m * LAM_TILE * sizeof *x);
    for (size_t i = 0; i < o->m; i++)
        for (size_t j = 0; j < used; j++)
            x[i * LAM_TILE + j] = o->factor * o->matrix[i * o->stride_short + (first + j) * o->stride_long];
}

static void store(void *arg, size_t tile, size_t thread)
{
    lam_orthogonaliser *o = arg;
    const real *x = o->x + tile * o->m * LAM_TILE;
    size_t first = tile * LAM_TILE, used = o->n - first < LAM_TILE ? o->n - first : LAM_TILE;
    (void)thread;
    for (size_t i = 0; i < o->m; i++)
        for (size_t j = 0; j < used; j++)
            o->matrix[i * o->stride_short + (first + j) * o->stride_long] = x[i * LAM_TILE + j];
}

static void transpose(void *arg, size_t tile, size_t thread)
{
    lam_orthogonaliser *o = arg;
    (void)thread;
    o->kernels->transpose(o->m, vectors(o, o->n, tile), o->x + tile * o->m * LAM_TILE, o->transposed + tile * o->wide * LAM_TILE);
}

/* Element (i, j) of a symmetric matrix, in rows. */
static void put(lam_orthogonaliser *o, size_t i, size_t j, real value)
{
    o->square[i * o->m + j] = value;
    o->square[j * o->m + i] = value;
}

/* A block of columns of X X', as far down as its last column; the rest follows from symmetry. */
static void gram(void *arg, size_t block, size_t thread)
{
    lam_orthogonaliser *o = arg;
    size_t first = block * o->kernels->block, left = o->m - first, columns = left < o->kernels->block ? left : o->kernels->block;
    size_t rows = triangle_rows(o->m, first + columns), width = wide_of(o->kernels, columns);
    real *c = o->products + first * o->m;
    (void)thread;
    memset(c, 0, rows * width * sizeof *c);
    lam_outer call = { .m = rows, .n = columns, .vectors = LAM_TILE / o->kernels->lanes, .planes = o->n / LAM_TILE, .left = o->x,
        .left_stride = o->m * LAM_TILE, .right_t = o->transposed + first * LAM_TILE, .right_stride = o->wide * LAM_TILE, .c = c };
    if (call.planes > 0)
        o->kernels->outer(&call);
    if (call.planes < o->tiles) { /* the last tile is not full */
        size_t last = call.planes;
        call.planes = 1;
        call.vectors = vectors(o, o->n, last);
        call.left += last * call.left_stride;
        call.right_t += last * call.right_stride;
        o->kernels->outer(&call);
    }
    for (size_t i = 0; i < rows; i++)
        for (size_t j = i < first ? 0 : i - first; j < columns; j++)
            put(o, i, first + j, c[i * width + j]);
}

/* A tile of columns of X X' from rows. */
static void tile_square(void *arg, size_t tile, size_t thread)
{
    lam_orthogonaliser *o = arg;
    size_t first = tile * LAM_TILE, used = o->m - first < LAM_TILE ? o->m - first : LAM_TILE;
    real *to = o->square_tiles + tile * o->m * LAM_TILE;
    (void)thread;
    for (size_t i = 0; i < o->m; i++) {
        memcpy(to + i * LAM_TILE, o->square + i * o->m + first, used * sizeof *to);
        memset(to + i * LAM_TILE + used, 0, (LAM_TILE - used) * sizeof *to);
    }
}

static void multiply(const lam_orthogonaliser *o, size_t rows, size_t vectors, const real *x, real *out)
{
    lam_forward call = { .in = o->m, .out = rows, .vectors = vectors, .with_value = 1, .activation = LAM_ACT_IDENTITY,
        .weight = o->packed, .shift = o->zeros, .x = x, .h = out };
    o->kernels->forward(&call);
}

static void pack(lam_orthogonaliser *o)
{
    o->kernels->pack(o->m, o->m, o->square, o->m, 1, o->packed);
}

/* A tile of columns of (X X')^2, as far down as its last column. */
static void square_square(void *arg, size_t tile, size_t thread)
{
    lam_orthogonaliser *o = arg;
    size_t at = tile * o->m * LAM_TILE, end = (tile + 1) * LAM_TILE < o->m ? (tile + 1) * LAM_TILE : o->m;
    (void)thread;
    multiply(o, triangle_rows(o->m, end), vectors(o, o->m, tile), o->square_tiles + at, o->fourth + at);
}

/* a I + b X X' + c (X X')^2 takes the place of X X'. */
static void polynomial(void *arg, size_t tile, size_t thread)
{
    lam_orthogonaliser *o = arg;
    size_t first = tile * LAM_TILE, end = first + LAM_TILE < o->m ? first + LAM_TILE : o->m;
    const real *two = o->square_tiles + tile * o->m * LAM_TILE, *four = o->fourth + tile * o->m * LAM_TILE;
    (void)thread;
    for (size_t i = 0; i < end; i++)
        for (size_t j = i < first ? 0 : i - first; j < end - first; j++) {
            size_t at = i * LAM_TILE + j;
            put(o, i, first + j, (real)B * two[at] + (real)C * four[at] + (i == first + j ? (real)A : 0));
        }
}

static void step_tile(void *arg, size_t tile, size_t thread)
{
    lam_orthogonaliser *o = arg;
    size_t at = tile * o->m * LAM_TILE;
    (void)thread;
    multiply(o, o->m, vectors(o, o->n, tile), o->x + at, o->next + at);
}

/* ---- all of it ---------------------------------------------------------------------------------------------------- */

static void run(lam_orthogonaliser *o, lam_pool *pool, size_t items, lam_pool_fn phase)
{
    if (pool != NULL) {
        lam_pool_run(pool, items, phase, o);
        return;
    }
    for (size_t i = 0; i < items; i++)
        phase(o, i, 0);
}

static void step(lam_orthogonaliser *o, lam_pool *pool)
{
    run(o, pool, o->tiles, transpose);
    run(o, pool, (o->m + o->kernels->block - 1) / o->kernels->block, gram);
    run(o, pool, o->square_tile_count, tile_square);
    pack(o);
    run(o, pool, o->square_tile_count, square_square);
    run(o, pool, o->square_tile_count, polynomial);
    pack(o);
    run(o, pool, o->tiles, step_tile);
    real *x = o->x;
    o->x = o->next;
    o->next = x;
}

void lam_orthogonalise(lam_orthogonaliser *o, lam_pool *pool, size_t rows, size_t cols, real *matrix)
{
    double norm = lam_gradient_norm(matrix, rows * cols);
    if (!(norm > LEAST))
        return;
    o->m = rows < cols ? rows : cols;
    o->n = rows < cols ? cols : rows;
    o->stride_short = rows < cols ? cols : 1;
    o->stride_long = rows < cols ? 1 : cols;
    o->wide = wide_of(o->kernels, o->m);
    o->tiles = tiles_of(o->n);
    o->square_tile_count = tiles_of(o->m);
    o->matrix = matrix;
    o->factor = (real)(1 / norm);
    run(o, pool, o->tiles, load);
    for (int i = 0; i < STEPS; i++)
        step(o, pool);
    run(o, pool, o->tiles, store);
}
