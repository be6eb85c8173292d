/* Runs golden vectors (another implementation's numbers) through both widths: golden [-v] [--isa NAME] FOLDER.
 * Prints a line a file and the failures; exits with 1 if there are any. */
#include "tests/golden.h"
#include "kernels/isa.h"
#include "model/config.h"
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SKIPPED = 77 }; /* for CTest: this processor lacks the instruction set */

double *golden_array(const golden *g, const char *name, size_t *size)
{
    lam_array a;
    if (lam_npz_read(g->npz, name, &a) != LAM_OK)
        return NULL;
    if (size != NULL)
        *size = a.size;
    double *values = a.values;
    a.values = NULL;
    lam_array_clear(&a);
    return values;
}

double golden_difference(const double *a, const double *b, size_t n)
{
    double largest = 0;
    for (size_t i = 0; i < n; i++)
        if (!(fabs(a[i] - b[i]) <= largest))
            largest = isnan(a[i] - b[i]) ? INFINITY : fabs(a[i] - b[i]);
    return largest;
}

double golden_largest(const double *a, size_t n)
{
    double largest = 0;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(a[i]));
    return largest;
}

void golden_check(golden *g, const char *what, double value, double bound)
{
    int ok = value <= bound;
    g->checks++;
    g->failures += !ok;
    if (!ok || g->verbose)
        printf("  %-4s %s %s: %.3g (bound %.3g)\n", ok ? "ok" : "FAIL", g->file, what, value, bound);
}

static int has(const golden *g, const char *name)
{
    for (size_t i = 0; i < lam_npz_count(g->npz); i++)
        if (strcmp(lam_npz_name(g->npz, i), name) == 0)
            return 1;
    return 0;
}

/* Shape of a layer's main matrix: [out, in or in + 1]; hyper: from its bias vector o + o i and the input. */
static int matrix_shape(const golden *g, size_t k, size_t shape[2])
{
    static const char *const names[] = { "_layer.weight", "_layer0.weight" };
    for (size_t i = 0; i < 2; i++) {
        char name[64];
        lam_array a;
        snprintf(name, sizeof name, "param.layers.%zu.%s", k, names[i]);
        if (has(g, name) && lam_npz_read(g->npz, name, &a) == LAM_OK) {
            shape[0] = a.shape[0];
            shape[1] = a.shape[1];
            lam_array_clear(&a);
            return 1;
        }
    }
    return 0;
}

/* The architecture, from the parameters' names and shapes; the activation, from the file's name (..._tanh.npz). */
static int describe(golden *g)
{
    lam_config_init(&g->config);
    g->config.blocks = 1;
    size_t in = g->dim, shape[2];
    g->config.n_hidden = 0;
    for (size_t k = 0; k <= LAM_MAX_HIDDEN; k++) {
        char name[64];
        size_t out = 0, n;
        double *bias;
        snprintf(name, sizeof name, "param.layers.%zu._hypernet.2.bias", k);
        if (matrix_shape(g, k, shape)) {
            out = shape[0];
        } else if (has(g, name) && (bias = golden_array(g, name, &n)) != NULL) {
            free(bias);
            out = n / (in + 1);
        } else {
            break;
        }
        if (g->config.n_hidden >= LAM_MAX_HIDDEN)
            return 0;
        g->config.hidden[g->config.n_hidden++] = out;
        in = out;
    }
    if (g->config.n_hidden == 0)
        return 0;
    g->config.n_hidden--; /* the last layer's width is dim */
    lam_layer layer = LAM_LAYER_IGNORE;
    if (has(g, "param.layers.0._hypernet.0.weight"))
        layer = LAM_LAYER_HYPER;
    else if (has(g, "param.layers.0._layer0.weight"))
        layer = LAM_LAYER_BLEND;
    else if (has(g, "param.layers.0._hyper_gate.weight"))
        layer = LAM_LAYER_CONCATSQUASH;
    else if (has(g, "param.layers.0._hyper.weight"))
        layer = LAM_LAYER_SQUASH;
    else if (has(g, "param.layers.0._hyper_bias.weight"))
        layer = LAM_LAYER_CONCAT_V2;
    else if (matrix_shape(g, 0, shape) && shape[1] == g->dim + 1)
        layer = LAM_LAYER_CONCAT;
    g->config.layer = layer;
    const char *end = strrchr(g->file, '_'), *dot = strrchr(g->file, '.');
    char act[32] = "";
    if (end != NULL && dot != NULL && dot > end)
        snprintf(act, sizeof act, "%.*s", (int)(dot - end - 1), end + 1);
    if (lam_config_set(&g->config, "nonlinearity", act) != LAM_OK)
        return 0;
    return lam_layout_init(&g->layout, &g->config, g->dim) == LAM_OK;
}

static int load_parameters(golden *g)
{
    lam_layout_tensor t;
    g->params = calloc(g->layout.parameters, sizeof *g->params);
    for (size_t i = 0; lam_layout_tensor_at(&g->layout, i, &t); i++) {
        const char *prefix = "chain.0.odefunc.diffeq.";
        char name[160];
        size_t size = 0;
        if (strcmp(t.name, "chain.0.sqrt_end_time") == 0) {
            g->params[t.offset] = 1;
            continue;
        }
        snprintf(name, sizeof name, "param.%s", t.name + strlen(prefix));
        double *values = golden_array(g, name, &size);
        if (values == NULL && strstr(name, ".beta") != NULL) {
            g->params[t.offset] = 1;
            continue;
        }
        if (values == NULL || size != t.count)
            return free(values), 0;
        memcpy(g->params + t.offset, values, size * sizeof *values);
        free(values);
    }
    return 1;
}

static size_t run_file(const char *folder, const char *file, int verbose, const char *isa, size_t *checks)
{
    char path[4096];
    golden g = { .file = file, .verbose = verbose };
    lam_array x = { 0 };
    snprintf(path, sizeof path, "%s/%s", folder, file);
    if (lam_npz_open(path, &g.npz) != LAM_OK || lam_npz_read(g.npz, "x", &x) != LAM_OK || x.n_shape != 2) {
        printf("FAIL %s: %s\n", file, lam_last_error());
        return 1;
    }
    g.rows = x.shape[0];
    g.dim = x.shape[1];
    g.x = x.values;
    x.values = NULL;
    lam_array_clear(&x);
    g.e = golden_array(&g, "e", NULL);
    if (g.e == NULL || !describe(&g) || !load_parameters(&g)) {
        printf("FAIL %s: not in the golden format: %s\n", file, lam_last_error());
        g.failures++;
    } else {
        lam_config_set(&g.config, "isa", isa);
        golden_run_f64(&g);
        golden_run_f32(&g);
        printf("%-34s %4zu checks, %zu failed\n", file, g.checks, g.failures);
    }
    *checks += g.checks;
    free(g.params);
    free(g.x);
    free(g.e);
    lam_config_clear(&g.config);
    lam_npz_free(g.npz);
    return g.failures;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_npz(const struct dirent *d)
{
    size_t n = strlen(d->d_name);
    return n > 4 && strcmp(d->d_name + n - 4, ".npz") == 0;
}

int main(int argc, char **argv)
{
    const char *folder = NULL, *isa = getenv("LAMINAR_ISA");
    int verbose = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-v") == 0)
            verbose = 1;
        else if (strcmp(argv[i], "--isa") == 0 && i + 1 < argc)
            isa = argv[++i];
        else
            folder = argv[i];
    }
    struct dirent **entries;
    int n = folder == NULL ? -1 : scandir(folder, &entries, is_npz, by_name);
    if (n <= 0) {
        fprintf(stderr, "usage: golden [-v] [--isa NAME] FOLDER   (a folder that holds .npz files)\n");
        return 2;
    }
    lam_isa set;
    lam_status status = lam_isa_choose(isa, &set);
    if (status != LAM_OK) {
        fprintf(stderr, "golden: %s\n", lam_last_error());
        return status == LAM_ERR_UNSUPPORTED ? SKIPPED : 2;
    }
    size_t failures = 0, checks = 0;
    for (int i = 0; i < n; i++) {
        failures += run_file(folder, entries[i]->d_name, verbose, isa == NULL ? "auto" : isa, &checks);
        free(entries[i]);
    }
    free(entries);
    printf("%zu passed, %zu failed\n", checks - failures, failures);
    return failures > 0;
}
