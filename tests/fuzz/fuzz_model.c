/* Property: a model whose metadata were edited in any way either is refused with a text that names the file, or is a model whose columns and roles
 * can all be asked, that scores a row or says why not, and that is written and read again as itself. Input: which of four models, then entries
 * "key<newline>value<NUL>" that take the place of its own; an empty value takes the entry out. Build: clang -fsanitize=fuzzer,address,undefined. */
#include "base/names.h"
#include "base/mem.h"
#include "model/config.h"
#include "model/metadata.h"
#include "model/model.h"
#include "model/texts.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DIM = 3, MODELS = 4, MOST_ENTRIES = 40 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

static void configure(lam_config *cfg, int which)
{
    lam_config_init(cfg);
    check(lam_config_set(cfg, "dims", "2") == LAM_OK && lam_config_set(cfg, "blocks", "1") == LAM_OK);
    check(lam_config_set(cfg, "context-dims", "2") == LAM_OK);
    if (which > 0)
        check(lam_config_set(cfg, "given", "2") == LAM_OK);
    if (which == 2)
        check(lam_config_set(cfg, "map", "normal-scores") == LAM_OK);
    if (which == 3)
        check(lam_config_set(cfg, "any-given", "true") == LAM_OK && lam_config_set(cfg, "whiten", "gaussian") == LAM_OK);
}

static void add_map(lam_model *m)
{
    const size_t knots[DIM] = { 2, 2, 2 };
    check(lam_maps_create(DIM, knots, &m->maps) == LAM_OK);
    for (size_t j = 0; j < DIM; j++)
        for (size_t k = 0; k < 2; k++)
            m->maps->table[j][k] = m->maps->table[j][2 + k] = (double)k, m->maps->table[j][4 + k] = 1;
}

static void add_whitening(lam_model *m)
{
    check(lam_whitening_create(DIM, &m->whitening) == LAM_OK);
    for (size_t j = 0; j < DIM; j++)
        m->whitening->covariance[j * (DIM + 1)] = 1;
}

/* A density, one given a column of two levels with cells that may be missing, one with maps, and one of any columns with whitening; as files. */
static lam_st_file make(int which)
{
    static const unsigned char is_given[DIM] = { 0, 1, 0 };
    static const size_t levels[DIM] = { 0, 2, 0 };
    const lam_given_kind kind = { .is_given = is_given, .levels = levels, .any = which == 3, .absent = which == 1 };
    const lam_names texts[DIM] = { { 0 }, LAM_NAMES("down", "up"), { 0 } };
    char path[] = "/tmp/fuzz_model_XXXXXX";
    lam_config cfg;
    lam_model *m;
    lam_st_file file = { 0 };
    configure(&cfg, which);
    check(lam_model_create_given(&cfg, DIM, which > 0 ? &kind : NULL, &m) == LAM_OK);
    if (which > 0)
        check(lam_model_set_texts(m, texts) == LAM_OK);
    if (which == 2)
        add_map(m);
    if (which == 3)
        add_whitening(m);
    int fd = mkstemp(path);
    check(fd >= 0 && lam_model_save(m, path) == LAM_OK && lam_st_read(path, &file) == LAM_OK);
    close(fd);
    unlink(path);
    lam_model_free(m);
    lam_config_clear(&cfg);
    return file;
}

/* The file with the entries of text [size], in pairs [MOST_ENTRIES]; text is cut at its ends of keys and values. */
static size_t edit(const lam_st_file *file, char *text, size_t size, lam_st_pair *pairs)
{
    size_t n = 0;
    for (size_t i = 0; i < file->n_meta && n < MOST_ENTRIES; i++)
        pairs[n++] = file->meta[i];
    for (char *key = text, *end = text + size; key < end;) {
        char *next = memchr(key, '\0', (size_t)(end - key)), *value = memchr(key, '\n', (size_t)((next != NULL ? next : end) - key));
        if (next == NULL || value == NULL)
            break;
        *value++ = '\0';
        size_t at = 0;
        while (at < n && strcmp(pairs[at].key, key) != 0)
            at++;
        if (at < n && *value == '\0')
            pairs[at] = pairs[--n];
        else if (at < MOST_ENTRIES && *value != '\0') {
            pairs[at] = (lam_st_pair) { key, value };
            n += at == n;
        }
        key = next + 1;
    }
    return n;
}

static lam_status load(const lam_st_file *file, const lam_st_pair *pairs, size_t n, lam_model **model)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    check(out != NULL);
    lam_status status = lam_st_write_stream(out, "model", file->tensors, file->n_tensors, pairs, n);
    fclose(out);
    if (status == LAM_OK)
        status = lam_model_load_memory(text, size, "model", model);
    free(text);
    return status;
}

static void ask(const lam_model *m)
{
    size_t dim = lam_model_dim(m);
    double *x = lam_alloc(2 * dim, sizeof *x), logp[2] = { 0 };
    const lam_eval_options options = { .threads = 1, .atol = 1e-2, .rtol = 1e-2 };
    check(x != NULL);
    for (size_t j = 0; j < dim; j++) {
        check(lam_model_column(m, j) != NULL && (lam_model_levels(m, j).n == 0 || lam_model_role(m, j) == LAM_GIVEN));
        x[dim + j] = lam_model_takes_missing(m) && lam_model_role(m, j) == LAM_MOVING ? (double)NAN : 0;
    }
    lam_status status = lam_log_prob(m, &options, x, 2, logp, NULL);
    check(status == LAM_OK ? isfinite(logp[0]) && isfinite(logp[1]) : lam_last_error()[0] != '\0');
    lam_free(x);
}

/* Written, read and written again it is the same. */
static void again(const lam_st_file *file, const lam_model *m)
{
    lam_metadata first, second;
    lam_model *copy;
    check(lam_metadata_write(m, &first) == LAM_OK);
    check(load(file, first.pairs, first.n, &copy) == LAM_OK && lam_metadata_write(copy, &second) == LAM_OK);
    check(first.n == second.n);
    for (size_t i = 0; i < first.n; i++)
        check(strcmp(first.pairs[i].key, second.pairs[i].key) == 0 && strcmp(first.pairs[i].value, second.pairs[i].value) == 0);
    lam_metadata_free(&first);
    lam_metadata_free(&second);
    lam_model_free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static lam_st_file files[MODELS];
    if (files[0].tensors == NULL)
        for (int i = 0; i < MODELS; i++)
            files[i] = make(i);
    if (size == 0)
        return 0;
    const lam_st_file *file = &files[bytes[0] % MODELS];
    lam_st_pair pairs[MOST_ENTRIES];
    char *text = malloc(size);
    check(text != NULL);
    memcpy(text, bytes + 1, size - 1);
    lam_model *model;
    size_t n = edit(file, text, size - 1, pairs);
    if (load(file, pairs, n, &model) == LAM_OK) {
        ask(model);
        again(file, model);
        lam_model_free(model);
    } else {
        check(lam_last_error()[0] != '\0');
    }
    free(text);
    return 0;
}
