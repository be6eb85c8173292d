/* Writes safetensors files. */
#include "base/error.h"
#include "base/file.h"
#include "base/utf8.h"
#include "model/safetensors.h"
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

static lam_status no_memory(const char *where)
{
    return lam_fail(LAM_ERR_MEMORY, "out of memory while writing %s", where);
}

/* A malloc'd copy in which bytes that are not UTF-8 have become the Latin-1 characters that they stand for. */
static char *to_utf8(const char *text)
{
    char *copy = malloc(2 * strlen(text) + 1), *to = copy;
    while (copy != NULL && *text != '\0') {
        const char *start = text;
        if (lam_utf8_next(&text) != UINT32_MAX) {
            memcpy(to, start, (size_t)(text - start));
            to += text - start;
        } else {
            unsigned char c = (unsigned char)*text++; /* at least 0x80, or it were UTF-8 */
            *to++ = (char)(0xc0 | c >> 6);
            *to++ = (char)(0x80 | (c & 0x3f));
        }
    }
    if (copy != NULL)
        *to = '\0';
    return copy;
}

/* Puts item into object under name; item is deleted if that fails, and may be NULL for "no memory". */
static int put(cJSON *object, const char *name, cJSON *item)
{
    char *key = to_utf8(name);
    int done = key != NULL && item != NULL && cJSON_AddItemToObject(object, key, item);
    free(key);
    if (!done)
        cJSON_Delete(item);
    return done;
}

static int put_text(cJSON *object, const char *name, const char *text)
{
    char *value = to_utf8(text);
    int done = value != NULL && put(object, name, cJSON_CreateString(value));
    free(value);
    return done;
}

/* A new item at the end of array. */
static int push_size(cJSON *array, size_t size)
{
    cJSON *item = cJSON_CreateNumber((double)size);
    int done = item != NULL && cJSON_AddItemToArray(array, item);
    if (!done)
        cJSON_Delete(item);
    return done;
}

/* The bytes of a tensor; -1 when its description is impossible. */
static int tensor_bytes(const lam_st_tensor *tensor, size_t *bytes)
{
    if (tensor->n_shape > LAM_ST_MAX_SHAPE)
        return -1;
    *bytes = lam_st_width(tensor->dtype);
    for (size_t i = 0; i < tensor->n_shape; i++)
        if (__builtin_mul_overflow(*bytes, tensor->shape[i], bytes))
            return -1;
    return *bytes > 0 && tensor->data == NULL ? -1 : 0;
}

static lam_status put_tensor(cJSON *header, const char *where, const lam_st_tensor *tensor, size_t *offset)
{
    size_t bytes, end;
    if (tensor_bytes(tensor, &bytes) != 0 || __builtin_add_overflow(*offset, bytes, &end) || end > (size_t)1 << 53)
        return lam_fail(LAM_ERR_SHAPE, "%s: tensor \"%.100s\" cannot be written: its shape is impossible, or it has no data",
            where, tensor->name);
    cJSON *entry = cJSON_CreateObject(), *shape = cJSON_CreateArray(), *offsets = cJSON_CreateArray();
    int done = entry != NULL && shape != NULL && offsets != NULL
        && put_text(entry, "dtype", lam_st_dtype_name(tensor->dtype));
    for (size_t i = 0; i < tensor->n_shape && done; i++)
        done = push_size(shape, tensor->shape[i]);
    done = done && push_size(offsets, *offset) && push_size(offsets, end);
    if (!done) {
        cJSON_Delete(shape);
        cJSON_Delete(offsets);
        cJSON_Delete(entry);
        return no_memory(where);
    }
    int has_shape = put(entry, "shape", shape), has_offsets = put(entry, "data_offsets", offsets);
    if (!has_shape || !has_offsets) {
        cJSON_Delete(entry);
        return no_memory(where);
    }
    *offset = end;
    return put(header, tensor->name, entry) ? LAM_OK : no_memory(where);
}

/* Runs the statement after it for every i below n, wide types first: the order of the file. */
#define FOR_EACH_IN_FILE_ORDER(i, n, tensors)          \
    for (size_t width_ = 8; width_ > 0; width_ /= 2)   \
        for (size_t i = 0; i < (n); i++)               \
            if (lam_st_width((tensors)[i].dtype) == width_)

static lam_status put_all(cJSON *header, const char *where, const lam_st_tensor *tensors, size_t n, const lam_st_pair *meta,
    size_t n_meta)
{
    size_t offset = 0;
    if (n_meta > 0) {
        cJSON *pairs = cJSON_CreateObject();
        if (!put(header, "__metadata__", pairs))
            return no_memory(where);
        for (size_t i = 0; i < n_meta; i++)
            if (!put_text(pairs, meta[i].key, meta[i].value))
                return no_memory(where);
    }
    FOR_EACH_IN_FILE_ORDER(i, n, tensors)
        LAM_TRY(put_tensor(header, where, &tensors[i], &offset));
    return LAM_OK;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* No empty, no repeated and no reserved name: such a file would be refused when it is read. */
static lam_status check_names(const char *where, const lam_st_tensor *tensors, size_t n)
{
    const char **names = malloc((n + 1) * sizeof *names);
    lam_status status = LAM_OK;
    if (names == NULL)
        return no_memory(where);
    for (size_t i = 0; i < n; i++)
        names[i] = tensors[i].name;
    qsort(names, n, sizeof *names, by_text);
    for (size_t i = 0; i < n && status == LAM_OK; i++)
        if (names[i][0] == '\0' || strcmp(names[i], "__metadata__") == 0 || (i > 0 && strcmp(names[i - 1], names[i]) == 0))
            status = lam_fail(LAM_ERR_ARGUMENT, "%s: a tensor cannot be named \"%.100s\"%s", where, names[i],
                i > 0 && strcmp(names[i - 1], names[i]) == 0 ? ": another one is" : "");
    free(names);
    return status;
}

static void write_bytes(FILE *stream, const char *header, const lam_st_tensor *tensors, size_t n)
{
    size_t length = strlen(header), padded = (length + 7) / 8 * 8;
    uint64_t prefix = padded; /* little-endian, as this machine */
    fwrite(&prefix, sizeof prefix, 1, stream);
    fwrite(header, 1, length, stream);
    for (size_t i = length; i < padded; i++)
        fputc(' ', stream);
    FOR_EACH_IN_FILE_ORDER(i, n, tensors)
        if (lam_st_count(&tensors[i]) > 0) /* data of an empty tensor may be NULL */
            fwrite(tensors[i].data, lam_st_width(tensors[i].dtype), lam_st_count(&tensors[i]), stream);
}

lam_status lam_st_write_stream(FILE *stream, const char *where, const lam_st_tensor *tensors, size_t n,
    const lam_st_pair *meta, size_t n_meta)
{
    LAM_TRY(check_names(where, tensors, n));
    cJSON *header = cJSON_CreateObject();
    if (header == NULL)
        return no_memory(where);
    lam_status status = put_all(header, where, tensors, n, meta, n_meta);
    char *text = status == LAM_OK ? cJSON_PrintUnformatted(header) : NULL;
    cJSON_Delete(header);
    if (status == LAM_OK && text == NULL)
        status = no_memory(where);
    if (status == LAM_OK)
        write_bytes(stream, text, tensors, n);
    cJSON_free(text);
    return status;
}

lam_status lam_st_write(const char *path, const lam_st_tensor *tensors, size_t n, const lam_st_pair *meta, size_t n_meta)
{
    lam_out_file out;
    LAM_TRY(lam_out_open(&out, path));
    lam_status status = lam_st_write_stream(out.stream, path, tensors, n, meta, n_meta);
    if (status == LAM_OK)
        return lam_out_commit(&out);
    lam_out_abandon(&out);
    return status;
}
