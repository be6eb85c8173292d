/* Ranks of sorted values, and several lists of such in one. */
#include "base/ranked.h"
#include "base/error.h"
#include "base/mem.h"

lam_ranked lam_ranked_of(double *sorted, size_t n, size_t each)
{
    return (lam_ranked) { .rows = n * each, .entries = n, .value = sorted, .each = each };
}

/* Rows before an entry. */
static size_t before(const lam_ranked *of, size_t entry)
{
    return of->upto == NULL ? entry * of->each : entry > 0 ? of->upto[entry - 1] : 0;
}

size_t lam_ranked_rows(const lam_ranked *of, size_t entry)
{
    return of->upto == NULL ? of->each : of->upto[entry] - before(of, entry);
}

static size_t entry_of(const lam_ranked *of, size_t rank)
{
    size_t low = 0, high = of->entries;
    if (of->upto == NULL)
        return rank / of->each;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (of->upto[middle] <= rank)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

double lam_ranked_at(const lam_ranked *of, size_t rank)
{
    return of->value[entry_of(of, rank)];
}

size_t lam_ranked_below(const lam_ranked *of, double value, int or_equal)
{
    size_t low = 0, high = of->entries;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (of->value[middle] < value || (or_equal && of->value[middle] == value))
            low = middle + 1;
        else
            high = middle;
    }
    return before(of, low);
}

double lam_ranked_mean(const lam_ranked *of, size_t from, size_t to)
{
    size_t first = entry_of(of, from);
    double sum = 0;
    for (size_t i = first, rank = from; rank < to; i++) {
        size_t rows = lam_ranked_rows(of, i);
        sum += (double)rows * (of->value[i] - of->value[first]);
        rank += rows;
    }
    return of->value[first] + sum / (double)(to - from);
}

/* ---- one of several ----------------------------------------------------------------------------------------------- */

/* The list whose next value is the smallest; of equal ones the first. n: there is none. */
static size_t smallest(const lam_ranked *lists, const size_t *at, size_t n)
{
    size_t best = n;
    for (size_t k = 0; k < n; k++)
        if (at[k] < lists[k].entries && (best == n || lists[k].value[at[k]] < lists[best].value[at[best]]))
            best = k;
    return best;
}

static void append(lam_ranked *to, double value, size_t rows)
{
    to->rows += rows;
    if (to->entries == 0 || to->value[to->entries - 1] != value)
        to->value[to->entries++] = value;
    to->upto[to->entries - 1] = to->rows;
}

lam_status lam_ranked_merge(const lam_ranked *lists, size_t n, lam_ranked *out)
{
    size_t entries = 0, *at = lam_alloc(n, sizeof *at);
    for (size_t k = 0; k < n; k++)
        entries += lists[k].entries;
    *out = (lam_ranked) { .value = lam_reserve(entries * sizeof *out->value), .upto = lam_reserve(entries * sizeof *out->upto) };
    lam_status status = at == NULL || out->value == NULL || out->upto == NULL ? LAM_ERR_MEMORY : LAM_OK;
    for (size_t k; status == LAM_OK && (k = smallest(lists, at, n)) < n; at[k]++)
        append(out, lists[k].value[at[k]], lam_ranked_rows(&lists[k], at[k]));
    lam_free(at);
    if (status != LAM_OK)
        lam_ranked_clear(out);
    return status;
}

void lam_ranked_clear(lam_ranked *merged)
{
    lam_free(merged->value);
    lam_free(merged->upto);
    *merged = (lam_ranked) { 0 };
}

void lam_ranked_standardise(lam_ranked *merged, double mean, double scale)
{
    lam_ranked to = { .value = merged->value, .upto = merged->upto };
    for (size_t i = 0; i < merged->entries; i++) {
        size_t upto = merged->upto[i]; /* read before append writes: to.entries <= i */
        append(&to, (merged->value[i] - mean) / scale, upto - to.rows);
    }
    merged->entries = to.entries;
}
