/* Finds rows that two parts of a data set have in common. */
#include "data/repeats.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/room.h"
#include "data/hash.h"
#include "data/present.h"
#include "data/remark.h"
#include <stdint.h>

typedef struct digest {
    uint64_t half[2];
} digest;

/* Digests of rows, open-addressing, at most half full. */
typedef struct digests {
    const char *folder; /* of the rooms */
    size_t slots;
    digest *of;           /* [slots] */
    unsigned char *state; /* [slots] 0: free; else what is noted of it, from 1 on */
} digests;

static digest of_row(const double *row, size_t dim)
{
    static const uint64_t seed[2] = { 0, 0 };
    digest d;
    lam_hash128(row, dim * sizeof *row, seed, d.half);
    return d;
}

static digest of_part(const lam_dataset *data, lam_part part, size_t row)
{
    return of_row(data->values[part] + row * data->dim, data->dim);
}

static lam_status make_digests(const lam_dataset *data, size_t rows, digests *d)
{
    *d = (digests) { .folder = data->folder, .slots = 16 };
    while (d->slots < 2 * rows)
        d->slots *= 2;
    d->of = lam_room_take(d->folder, d->slots, sizeof *d->of);
    d->state = lam_room_take(d->folder, d->slots, 1);
    return d->of == NULL || d->state == NULL ? LAM_ERR_MEMORY : LAM_OK;
}

static void clear_digests(digests *d)
{
    lam_room_give(d->folder, d->of);
    lam_room_give(d->folder, d->state);
}

/* Where a row is, or belongs. */
static size_t place_of(const digests *d, digest row)
{
    size_t at = (size_t)row.half[0] & (d->slots - 1);
    while (d->state[at] != 0 && (d->of[at].half[0] != row.half[0] || d->of[at].half[1] != row.half[1]))
        at = (at + 1) & (d->slots - 1);
    return at;
}

/* ---- rows in common ----------------------------------------------------------------------------------------------- */

enum { THERE = 1, IN_TRAINING };

/* Rows that are noted: so many show whether a hundredth repeats, and the digests of so few stay in memory while training rows are looked up in them at random. */
enum { MOST = 1 << 17 };

/* The part's rows are noted and not the training rows, as they are fewer. */
struct lam_repeats {
    const lam_dataset *data;
    lam_part part;
    size_t rows; /* that are noted, evenly spread */
    digests of;
};

static lam_part part_of(const lam_dataset *data)
{
    return data->rows[LAM_TEST] > 0 ? LAM_TEST : LAM_VALID;
}

static digest of_noted(const lam_repeats *r, size_t k)
{
    return of_part(r->data, r->part, k * r->data->rows[r->part] / r->rows);
}

lam_status lam_repeats_begin(const lam_dataset *data, lam_repeats **out)
{
    lam_repeats *r = *out = lam_alloc(1, sizeof *r);
    if (r == NULL)
        return LAM_ERR_MEMORY;
    r->data = data;
    r->part = part_of(data);
    r->rows = data->rows[r->part] < MOST ? data->rows[r->part] : MOST;
    lam_status status = make_digests(data, r->rows, &r->of);
    for (size_t k = 0; status == LAM_OK && k < r->rows; k++) {
        digest row = of_noted(r, k);
        size_t at = place_of(&r->of, row);
        r->of.of[at] = row, r->of.state[at] = THERE;
    }
    if (status != LAM_OK) {
        lam_repeats_free(r);
        *out = NULL;
    }
    return status;
}

void lam_repeats_look(lam_repeats *r, const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = place_of(&r->of, of_row(x + i * r->data->dim, r->data->dim));
        r->of.state[at] = r->of.state[at] == 0 ? 0 : IN_TRAINING;
    }
}

static size_t count_repeats(const lam_repeats *r)
{
    size_t count = 0;
    for (size_t k = 0; k < r->rows; k++)
        count += r->of.state[place_of(&r->of, of_noted(r, k))] == IN_TRAINING;
    return count;
}

void lam_repeats_free(lam_repeats *r)
{
    if (r == NULL)
        return;
    clear_digests(&r->of);
    lam_free(r);
}

/* ---- whether different rows may come out equal -------------------------------------------------------------------- */

/* The training rows, of equal ones the first: their numbers, into rows [training rows]. */
static lam_status find_different(const lam_dataset *data, size_t *rows, size_t *n)
{
    digests d;
    *n = 0;
    lam_status status = make_digests(data, data->rows[LAM_TRAIN], &d);
    for (size_t i = 0; status == LAM_OK && i < data->rows[LAM_TRAIN]; i++) {
        digest row = of_part(data, LAM_TRAIN, i);
        size_t at = place_of(&d, row);
        if (d.state[at] == 0)
            rows[(*n)++] = i;
        d.of[at] = row, d.state[at] = THERE;
    }
    clear_digests(&d);
    return status;
}

/* Among rows that differ, at most nine in ten values of a column with ties are different ones. Rows come out equal by rounding or counting only
 * where every column has ties. columns [dim], of n: those that have a density, and whose noise nobody has
 * chosen; *n 0: some column tells the rows apart. widths [dim] */
static lam_status find_ties(const lam_dataset *data, size_t *columns, double *widths, size_t *n)
{
    size_t different = 0, *rows = lam_room_take(data->folder, data->rows[LAM_TRAIN], sizeof *rows);
    double *values = lam_room_take(data->folder, data->rows[LAM_TRAIN], sizeof *values);
    lam_status status = rows == NULL || values == NULL ? LAM_ERR_MEMORY : find_different(data, rows, &different);
    int all_tied = 1;
    *n = 0;
    for (size_t j = 0; j < data->dim && status == LAM_OK && all_tied; j++) {
        lam_column_look look;
        for (size_t i = 0; i < different; i++)
            values[i] = data->values[LAM_TRAIN][rows[i] * data->dim + j];
        size_t present = lam_present_cells(values, different, 1, values);
        status = lam_column_look_at(values, present, 1, &look);
        all_tied = 10 * look.distinct <= 9 * look.sampled;
        if (!all_tied || data->is_input[j] || data->noise_said[j] || look.spacing == 0)
            continue;
        columns[*n] = j;
        widths[(*n)++] = look.spacing;
    }
    *n = all_tied ? *n : 0;
    lam_room_give(data->folder, rows);
    lam_room_give(data->folder, values);
    return status;
}

static lam_status say(const lam_repeats *repeats, size_t count, int one_table, const lam_log *log)
{
    const lam_dataset *data = repeats->data;
    const lam_source source = { "the data", (const char *const *)data->names, data->numbers, data->dim, data->has_names, data->from_zero };
    size_t n = 0, *columns = lam_alloc(data->dim, sizeof *columns);
    double *widths = lam_alloc(data->dim, sizeof *widths);
    lam_remark text;
    lam_status status = columns == NULL || widths == NULL ? LAM_ERR_MEMORY : find_ties(data, columns, widths, &n);
    if (status == LAM_OK)
        status = lam_remark_begin(&text);
    if (status == LAM_OK) {
        fprintf(text.out, "%zu of %zu %s rows%s are equal to training rows, so their NLL is better than that of new rows; ", count, repeats->rows,
            repeats->part == LAM_TEST ? "test" : "validation", repeats->rows < data->rows[repeats->part] ? " that were looked at" : "");
        if (n > 0) {
            fputs("if these are different rows that rounding or counting makes equal, noise as wide as the gaps between the values helps: ", text.out);
            lam_remark_noise(text.out, &source, columns, widths, n);
            fputs("; if they are the same rows again, ", text.out);
        }
        fputs(one_table ? "--drop-duplicates keeps one of equal rows" : "leave them out of one of the files", text.out);
        status = lam_remark_say(&text, log);
    }
    lam_free(columns);
    lam_free(widths);
    return status;
}

lam_status lam_advise_repeats(const lam_dataset *data, const lam_repeats *repeats, int one_table, const lam_log *log)
{
    if (repeats == NULL || lam_dataset_is_noisy(data))
        return LAM_OK;
    size_t count = count_repeats(repeats);
    return 100 * count < repeats->rows || count < 2 ? LAM_OK : say(repeats, count, one_table, log);
}
