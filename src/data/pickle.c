/* A pickle is a program for a small stack machine (Python's Lib/pickletools.py says what each opcode does). This machine has
 * the part of it that builds a NumPy array, in memory of fixed size, and the few calls in such a program are steps of its own. */
#include "data/pickle.h"
#include "base/error.h"
#include "base/mem.h"
#include "data/pickle_machine.h"

static lam_status read_array(lam_pickle_machine *m, const lam_pickle_value *array, lam_pickled *out)
{
    const lam_pickle_value *shape = &m->values[array->shape], *data = &m->values[array->data];
    out->n_shape = shape->n_items, out->size = 1;
    if (shape->n_items > LAM_PICKLED_DIMS)
        return lam_pickle_refuse(m, "the array has %zu dimensions, more than %d", shape->n_items, LAM_PICKLED_DIMS);
    for (size_t d = 0; d < shape->n_items; d++) {
        const lam_pickle_value *v = lam_pickle_item(m, shape, d, LAM_PICKLE_NUMBER);
        if (v == NULL || v->number < 1)
            return lam_pickle_refuse(m, "the array is empty or its shape is not of numbers");
        out->shape[d] = (size_t)v->number;
        /* a coded text has no more bytes than it takes in the file, which so bounds the memory */
        if (out->shape[d] > data->n / out->size)
            return lam_pickle_refuse(m, "the array has more elements than the %zu bytes that are there", data->n);
        out->size *= out->shape[d];
    }
    out->values = lam_alloc(out->size, 1);
    if (out->values == NULL)
        return LAM_ERR_MEMORY;
    size_t n = lam_pickle_decode(data, out->values, out->size);
    if (n == SIZE_MAX)
        return lam_pickle_refuse(m, "the array's bytes are not coded as they should be");
    if (n != out->size)
        return lam_pickle_refuse(m, "the array has %zu elements by its shape, and %s bytes", out->size, n < out->size ? "fewer" : "more");
    return LAM_OK;
}

static lam_status run(lam_pickle_machine *m, lam_pickled *out)
{
    while (!m->stopped)
        LAM_TRY(lam_pickle_step(m));
    const lam_pickle_value *top = &m->values[m->stack[0]];
    if ((top->kind == LAM_PICKLE_LIST || top->kind == LAM_PICKLE_TUPLE) && top->n_items == 1)
        top = &m->values[top->items[0]];
    if (top->kind == LAM_PICKLE_LIST || top->kind == LAM_PICKLE_TUPLE)
        return lam_pickle_refuse(m, "it holds %s of %zu things", lam_pickle_kind_names[top->kind], top->n_items);
    if (top->kind != LAM_PICKLE_ARRAY || !top->built)
        return lam_pickle_refuse(m, "it holds %s", top->kind == LAM_PICKLE_ARRAY ? "an array without data" : lam_pickle_kind_names[top->kind]);
    return read_array(m, top, out);
}

lam_status lam_pickle_parse(const char *name, const void *bytes, size_t size, lam_pickled *out)
{
    *out = (lam_pickled){ 0 };
    lam_pickle_machine *m = lam_alloc(1, sizeof *m);
    if (m == NULL)
        return LAM_ERR_MEMORY;
    m->name = name;
    m->start = m->at = m->opcode = bytes;
    m->end = m->start + size;
    lam_status status = run(m, out);
    lam_free(m);
    if (status != LAM_OK)
        lam_pickled_clear(out);
    return status;
}

void lam_pickled_clear(lam_pickled *array)
{
    lam_free(array->values);
    *array = (lam_pickled){ 0 };
}
