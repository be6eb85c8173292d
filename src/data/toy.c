/* The ten 2-D densities on which this field shows its pictures, in the shapes and scales of FFJORD's toy data (Grathwohl et
 * al. 2019). Where that code takes evenly spaced points or equal shares of a mixture, a row here draws its own, so that
 * every row is independent and row i is a function of (name, seed, i). */
#include "base/error.h"
#include "base/need.h"
#include "base/mem.h"
#include "base/random.h"
#include "data/table.h"
#include <math.h>
#include <string.h>

#define PI 3.14159265358979323846

/* The draws of one row, counted. */
typedef struct draws {
    uint64_t seed, row, next; /* next starts at the density's number << 32: densities do not share draws */
} draws;

static double uniform(draws *d)
{
    return lam_random_uniform(d->seed, LAM_DRAW_TOY, d->row, d->next++);
}

static void add_noise(draws *d, double scale, double x[2])
{
    double noise[2];
    lam_random_normal2(d->seed, LAM_DRAW_TOY, d->row, d->next++, noise);
    x[0] += scale * noise[0];
    x[1] += scale * noise[1];
}

/* A whole number below n. */
static int choose(draws *d, int n)
{
    return (int)(uniform(d) * n);
}

static void eight_gaussians(draws *d, double x[2])
{
    double angle = 2 * PI * choose(d, 8) / 8;
    x[0] = 4 * cos(angle), x[1] = 4 * sin(angle);
    add_noise(d, 0.5, x);
    x[0] /= 1.414, x[1] /= 1.414;
}

static void pinwheel(draws *d, double x[2])
{
    double blade = 2 * PI * choose(d, 5) / 5, point[2] = { 0, 0 };
    add_noise(d, 1, point);
    double radial = 1 + 0.3 * point[0], tangential = 0.1 * point[1], angle = blade + 0.25 * exp(radial);
    x[0] = 2 * (radial * cos(angle) + tangential * sin(angle));
    x[1] = 2 * (tangential * cos(angle) - radial * sin(angle));
}

static void checkerboard(draws *d, double x[2])
{
    double across = 4 * uniform(d) - 2, down = uniform(d) - 2 * choose(d, 2);
    double parity = floor(across) - 2 * floor(floor(across) / 2);
    x[0] = 2 * across, x[1] = 2 * (down + parity);
}

static void circles(draws *d, double x[2])
{
    double radius = choose(d, 2) == 0 ? 1 : 0.5, angle = 2 * PI * uniform(d);
    x[0] = radius * cos(angle), x[1] = radius * sin(angle);
    add_noise(d, 0.08, x);
    x[0] *= 3, x[1] *= 3;
}

static void moons(draws *d, double x[2])
{
    int inner = choose(d, 2);
    double angle = PI * uniform(d);
    x[0] = inner ? 1 - cos(angle) : cos(angle);
    x[1] = inner ? 0.5 - sin(angle) : sin(angle);
    add_noise(d, 0.1, x);
    x[0] = 2 * x[0] - 1, x[1] = 2 * x[1] - 0.2;
}

static void rings(draws *d, double x[2])
{
    double radius = 0.75 * (1 + choose(d, 4)), angle = 2 * PI * uniform(d);
    x[0] = radius * cos(angle), x[1] = radius * sin(angle);
    add_noise(d, 0.08, x);
}

static void swissroll(draws *d, double x[2])
{
    double angle = 1.5 * PI * (1 + 2 * uniform(d));
    x[0] = angle * cos(angle), x[1] = angle * sin(angle);
    add_noise(d, 1, x);
    x[0] /= 5, x[1] /= 5;
}

static void two_spirals(draws *d, double x[2])
{
    double angle = 3 * PI * sqrt(uniform(d)), arm = choose(d, 2) == 0 ? 1 : -1; /* up to 540 degrees */
    x[0] = arm * (0.5 * uniform(d) - angle * cos(angle)) / 3;
    x[1] = arm * (0.5 * uniform(d) + angle * sin(angle)) / 3;
    add_noise(d, 0.1, x);
}

/* On a curve: these two have no density in the plane; the field uses them to see what a flow makes of that. */
static void line(draws *d, double x[2])
{
    x[0] = x[1] = 5 * uniform(d) - 2.5;
}

static void cosine(draws *d, double x[2])
{
    x[0] = 5 * uniform(d) - 2.5;
    x[1] = 2.5 * sin(x[0]);
}

static const struct toy {
    const char *name;
    void (*draw)(draws *d, double x[2]);
} toys[] = { /* the order numbers the densities: append only */
    { "8gaussians", eight_gaussians }, { "pinwheel", pinwheel }, { "checkerboard", checkerboard }, { "circles", circles },
    { "moons", moons }, { "rings", rings }, { "swissroll", swissroll }, { "2spirals", two_spirals }, { "line", line },
    { "cos", cosine },
};

enum { N_TOYS = sizeof toys / sizeof *toys };

const char *lam_toy_name(size_t index)
{
    return index < N_TOYS ? toys[index].name : NULL;
}

lam_status lam_table_toy(const char *name, size_t rows, uint64_t seed, lam_table **out)
{
    LAM_NEED(out, "out");
    *out = NULL;
    LAM_NEED(name, "name");
    size_t index = 0;
    *out = NULL;
    while (index < N_TOYS && strcmp(toys[index].name, name) != 0)
        index++;
    if (index == N_TOYS)
        return lam_fail(LAM_ERR_ARGUMENT, "there is no toy density \"%.60s\"; there are 8gaussians, pinwheel, checkerboard, "
            "circles, moons, rings, swissroll, 2spirals, line and cos", name);
    LAM_TRY(lam_table_create(rows, 2, out));
    lam_table *table = *out;
    for (size_t i = 0; i < rows; i++) {
        draws d = { seed, i, (uint64_t)index << 32 };
        toys[index].draw(&d, table->values + 2 * i);
    }
    lam_table_digest(table->values, rows, 2, table->hash);
    lam_status status = lam_table_rename(table, 0, "x");
    if (status == LAM_OK)
        status = lam_table_rename(table, 1, "y");
    if (status != LAM_OK) {
        lam_table_free(table);
        *out = NULL;
    }
    return status;
}
