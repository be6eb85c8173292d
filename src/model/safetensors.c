/* Reads safetensors files. */
#include "model/safetensors.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the file's numbers are used as they stand");

enum { PREFIX = 8 };                              /* bytes of the header's length */
static const uint64_t LONGEST_HEADER = 100000000; /* the format's own bound */
static const double LARGEST_WHOLE = 9007199254740992; /* 2^53: whole numbers that JSON's doubles hold exactly */

/* ---- types and elements ------------------------------------------------------------------------------------------- */

static const struct { const char *name; size_t width; } dtypes[] = {
#define DTYPE_ROW(code, name, width) { name, width },
    LAM_ST_DTYPE_LIST(DTYPE_ROW)
#undef DTYPE_ROW
};
enum { N_DTYPES = sizeof dtypes / sizeof dtypes[0] };

size_t lam_st_width(lam_st_dtype dtype)
{
    return dtypes[dtype].width;
}

const char *lam_st_dtype_name(lam_st_dtype dtype)
{
    return dtypes[dtype].name;
}

size_t lam_st_count(const lam_st_tensor *tensor)
{
    size_t count = 1;
    for (size_t i = 0; i < tensor->n_shape; i++)
        count *= tensor->shape[i];
    return count;
}

/* Half precision: sign, 5 bits of exponent (bias 15), 10 of fraction. */
static double half(uint16_t bits)
{
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    double size = exponent == 31 ? (fraction != 0 ? (double)NAN : (double)INFINITY)
        : exponent == 0          ? ldexp(fraction, -24)
                                 : ldexp(1024 + fraction, exponent - 25);
    return bits >> 15 ? -size : size;
}

static double element(const lam_st_tensor *tensor, size_t i)
{
    const char *p = (const char *)tensor->data + i * lam_st_width(tensor->dtype);
    union { double f64; float f32; int64_t i64; int32_t i32; uint32_t u32; uint16_t u16; uint8_t u8; } v = { 0 };
    memcpy(&v, p, lam_st_width(tensor->dtype));
    switch (tensor->dtype) {
    case LAM_ST_F64:
        return v.f64;
    case LAM_ST_F32:
        return (double)v.f32;
    case LAM_ST_F16:
        return half(v.u16);
    case LAM_ST_BF16: /* the upper half of a float */
        v.u32 = (uint32_t)v.u16 << 16;
        return (double)v.f32;
    case LAM_ST_I64:
        return (double)v.i64;
    case LAM_ST_I32:
        return (double)v.i32;
    case LAM_ST_U8:
    case LAM_ST_BOOL:
        return (double)v.u8;
    }
    return NAN;
}

void lam_st_doubles(const lam_st_tensor *tensor, double *out)
{
    size_t count = lam_st_count(tensor);
    for (size_t i = 0; i < count; i++)
        out[i] = element(tensor, i);
}

void lam_st_floats(const lam_st_tensor *tensor, float *out)
{
    size_t count = lam_st_count(tensor);
    for (size_t i = 0; i < count; i++)
        out[i] = (float)element(tensor, i);
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

/* What a file that is not ours seems to be, by its first bytes; a sentence's end. */
static const char *looks_like(const char *bytes, size_t size)
{
    static const struct { const char *start; size_t n; const char *what; } known[] = {
        { "PK\3\4", 4, "; it begins like a zip, npz or PyTorch file" }, { "\x93NUMPY", 6, "; it begins like a npy file" },
        { "\x89PNG", 4, "; it begins like a PNG picture" }, { "\x1f\x8b", 2, "; it begins like a gzip file" },
        { "\x89HDF", 4, "; it begins like a HDF5 file" }, { "\x80\2", 2, "; it begins like a Python pickle" },
        { "{", 1, "; it begins like a JSON text" },
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (size >= known[i].n && memcmp(bytes, known[i].start, known[i].n) == 0)
            return known[i].what;
    return "";
}

/* The JSON header of bytes [size] as *json; *data is where the tensors' bytes begin. */
static lam_status read_header(const char *bytes, size_t size, const char *where, cJSON **json, size_t *data)
{
    uint64_t length;
    const char *end = NULL;
    if (size < PREFIX + 2)
        return lam_fail(LAM_ERR_FORMAT, "%s: not a safetensors file, or cut short: a length of 8 bytes and a JSON header "
            "were expected, and there are %zu bytes in all%s", where, size, looks_like(bytes, size));
    memcpy(&length, bytes, sizeof length);
    if (length > LONGEST_HEADER || bytes[PREFIX] != '{')
        return lam_fail(LAM_ERR_FORMAT, "%s: not a safetensors file: a header length of at most %llu and a '{' were "
            "expected, %llu and 0x%02x were found%s", where, (unsigned long long)LONGEST_HEADER, (unsigned long long)length,
            (unsigned)(unsigned char)bytes[PREFIX], looks_like(bytes, size));
    if (length > size - PREFIX)
        return lam_fail(LAM_ERR_FORMAT, "%s: cut short: its header takes %llu bytes, and %zu follow; copy it again", where,
            (unsigned long long)length, size - PREFIX);
    *json = cJSON_ParseWithLengthOpts(bytes + PREFIX, (size_t)length, &end, 0);
    if (*json == NULL)
        return lam_fail(LAM_ERR_FORMAT, "%s: the header is not JSON, by byte %zu of the file", where,
            end == NULL ? (size_t)PREFIX : (size_t)(end - bytes));
    for (const char *p = end; p < bytes + PREFIX + length; p++)
        if (*p != ' ' && *p != '\n' && *p != '\t' && *p != '\r')
            return lam_fail(LAM_ERR_FORMAT, "%s: something follows the header's JSON, at byte %zu", where,
                (size_t)(p - bytes));
    if (!cJSON_IsObject(*json))
        return lam_fail(LAM_ERR_FORMAT, "%s: the header is not a JSON object", where);
    *data = PREFIX + (size_t)length;
    return LAM_OK;
}

static lam_status read_meta(const cJSON *json, const char *where, lam_st_file *file)
{
    if (!cJSON_IsObject(json))
        return lam_fail(LAM_ERR_FORMAT, "%s: __metadata__ is not a JSON object", where);
    if (file->meta != NULL)
        return lam_fail(LAM_ERR_FORMAT, "%s: __metadata__ appears twice", where);
    size_t n = 0;
    for (const cJSON *item = json->child; item != NULL; item = item->next)
        n++;
    file->meta = lam_alloc(n, sizeof *file->meta);
    if (file->meta == NULL)
        return LAM_ERR_MEMORY;
    for (const cJSON *item = json->child; item != NULL; item = item->next) {
        if (!cJSON_IsString(item))
            return lam_fail(LAM_ERR_FORMAT, "%s: __metadata__ entry \"%.60s\" is not a text", where, item->string);
        file->meta[file->n_meta++] = (lam_st_pair){ item->string, item->valuestring };
    }
    return LAM_OK;
}

/* A number of the header as a size; -1 unless it is whole and from 0 to 2^53. */
static int read_size(const cJSON *number, size_t *out)
{
    if (!cJSON_IsNumber(number) || !(number->valuedouble >= 0 && number->valuedouble <= LARGEST_WHOLE)
        || number->valuedouble != floor(number->valuedouble))
        return -1;
    *out = (size_t)number->valuedouble;
    return 0;
}

/* "shape" of one tensor; *bytes is the product of its entries and of the type's width. */
static lam_status read_shape(const cJSON *shape, const char *where, lam_st_tensor *tensor, size_t *bytes)
{
    *bytes = lam_st_width(tensor->dtype);
    if (!cJSON_IsArray(shape))
        return lam_fail(LAM_ERR_FORMAT, "%s: tensor \"%.100s\" has no shape", where, tensor->name);
    for (const cJSON *entry = shape->child; entry != NULL; entry = entry->next) {
        size_t extent;
        if (tensor->n_shape == LAM_ST_MAX_SHAPE)
            return lam_fail(LAM_ERR_FORMAT, "%s: tensor \"%.100s\" has more than %d dimensions", where, tensor->name,
                LAM_ST_MAX_SHAPE);
        if (read_size(entry, &extent) != 0 || __builtin_mul_overflow(*bytes, extent, bytes))
            return lam_fail(LAM_ERR_FORMAT, "%s: tensor \"%.100s\": dimension %zu is not a size that memory can hold", where,
                tensor->name, tensor->n_shape + 1);
        tensor->shape[tensor->n_shape++] = extent;
    }
    return LAM_OK;
}

/* One entry of the header. The data's bytes are bytes [begin, end) after the header, room of them are there. */
static lam_status read_tensor(const cJSON *json, const char *where, const char *data, size_t room, lam_st_tensor *tensor)
{
    const cJSON *dtype = cJSON_GetObjectItemCaseSensitive(json, "dtype");
    const cJSON *offsets = cJSON_GetObjectItemCaseSensitive(json, "data_offsets");
    size_t begin, end, bytes, type = 0;
    tensor->name = json->string;
    if (!cJSON_IsObject(json) || !cJSON_IsString(dtype))
        return lam_fail(LAM_ERR_FORMAT, "%s: tensor \"%.100s\" has no dtype", where, tensor->name);
    while (type < N_DTYPES && strcmp(dtypes[type].name, dtype->valuestring) != 0)
        type++;
    if (type == N_DTYPES)
        return lam_fail(LAM_ERR_UNSUPPORTED, "%s: tensor \"%.100s\" is of type %.20s; F64, F32, F16, BF16, I64, I32, U8 and "
            "BOOL can be read", where, tensor->name, dtype->valuestring);
    tensor->dtype = (lam_st_dtype)type;
    LAM_TRY(read_shape(cJSON_GetObjectItemCaseSensitive(json, "shape"), where, tensor, &bytes));
    const cJSON *first = cJSON_IsArray(offsets) ? offsets->child : NULL;
    if (first == NULL || first->next == NULL || first->next->next != NULL || read_size(first, &begin) != 0
        || read_size(first->next, &end) != 0 || begin > end)
        return lam_fail(LAM_ERR_FORMAT, "%s: tensor \"%.100s\" has no data_offsets [begin, end]", where, tensor->name);
    if (end - begin != bytes)
        return lam_fail(LAM_ERR_FORMAT, "%s: tensor \"%.100s\": its shape needs %zu bytes, its data_offsets give %zu", where,
            tensor->name, bytes, end - begin);
    if (end > room)
        return lam_fail(LAM_ERR_FORMAT, "%s: cut short: tensor \"%.100s\" ends at byte %zu of the data, and there are "
            "%zu; copy it again", where, tensor->name, end, room);
    tensor->data = data + begin;
    return LAM_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const lam_st_tensor *const *)a)->name, (*(const lam_st_tensor *const *)b)->name);
}

static const char *tensor_end(const lam_st_tensor *tensor)
{
    return (const char *)tensor->data + lam_st_count(tensor) * lam_st_width(tensor->dtype);
}

/* By place; an empty tensor before one that begins where it stands. */
static int by_data(const void *a, const void *b)
{
    const lam_st_tensor *x = *(const lam_st_tensor *const *)a, *y = *(const lam_st_tensor *const *)b;
    if (x->data != y->data)
        return (const char *)x->data < (const char *)y->data ? -1 : 1;
    return (tensor_end(x) > tensor_end(y)) - (tensor_end(x) < tensor_end(y));
}

/* Names differ; the data are covered once, without holes, to the last byte (a rule of the format). */
static lam_status check_layout(const lam_st_file *file, const char *where, const char *data, size_t room)
{
    const lam_st_tensor **order = lam_alloc(file->n_tensors, sizeof *order);
    lam_status status = LAM_OK;
    if (order == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < file->n_tensors; i++)
        order[i] = &file->tensors[i];
    if (file->n_tensors > 1)
        qsort(order, file->n_tensors, sizeof *order, by_name);
    for (size_t i = 1; i < file->n_tensors && status == LAM_OK; i++)
        if (strcmp(order[i - 1]->name, order[i]->name) == 0)
            status = lam_fail(LAM_ERR_FORMAT, "%s: tensor \"%.100s\" appears twice", where, order[i]->name);
    if (file->n_tensors > 1)
        qsort(order, file->n_tensors, sizeof *order, by_data);
    const char *expected = data;
    for (size_t i = 0; i < file->n_tensors && status == LAM_OK; i++) {
        const char *begin = order[i]->data;
        if (begin != expected)
            status = lam_fail(LAM_ERR_FORMAT, "%s: tensor \"%.100s\" begins at byte %zu of the data; %s at byte %zu", where,
                order[i]->name, (size_t)(begin - data), begin < expected ? "it overlaps the one that ends" : "a hole begins",
                (size_t)(expected - data));
        expected = tensor_end(order[i]);
    }
    if (status == LAM_OK && (size_t)(expected - data) != room)
        status = lam_fail(LAM_ERR_FORMAT, "%s: the tensors take %zu bytes, and %zu follow the header", where,
            (size_t)(expected - data), room);
    lam_free(order);
    return status;
}

/* Takes bytes (malloc'd) over, also on failure. */
static lam_status read_owned(char *bytes, size_t size, const char *where, lam_st_file *file)
{
    cJSON *json = NULL;
    size_t data = 0, n = 0;
    *file = (lam_st_file){ .bytes = bytes };
    lam_status status = read_header(bytes, size, where, &json, &data);
    file->header = json;
    for (const cJSON *item = status == LAM_OK ? json->child : NULL; item != NULL; item = item->next)
        n++;
    if (status == LAM_OK && (file->tensors = lam_alloc(n, sizeof *file->tensors)) == NULL)
        status = LAM_ERR_MEMORY;
    for (const cJSON *item = status == LAM_OK ? json->child : NULL; item != NULL && status == LAM_OK; item = item->next) {
        if (strcmp(item->string, "__metadata__") == 0)
            status = read_meta(item, where, file);
        else
            status = read_tensor(item, where, bytes + data, size - data, &file->tensors[file->n_tensors++]);
    }
    if (status == LAM_OK)
        status = check_layout(file, where, bytes + data, size - data);
    if (status != LAM_OK)
        lam_st_free(file);
    return status;
}

lam_status lam_st_read(const char *path, lam_st_file *file)
{
    char *bytes;
    size_t size;
    *file = (lam_st_file){ 0 };
    LAM_TRY(lam_file_read(path, &bytes, &size));
    return read_owned(bytes, size, path, file);
}

lam_status lam_st_read_memory(const void *bytes, size_t size, const char *where, lam_st_file *file)
{
    *file = (lam_st_file){ 0 };
    char *copy = malloc(size + 1);
    if (copy == NULL)
        return lam_fail(LAM_ERR_MEMORY, "out of memory: %zu bytes were asked for", size);
    if (size > 0)
        memcpy(copy, bytes, size);
    return read_owned(copy, size, where, file);
}

void lam_st_free(lam_st_file *file)
{
    lam_free(file->tensors);
    lam_free(file->meta);
    cJSON_Delete(file->header);
    free(file->bytes);
    *file = (lam_st_file){ 0 };
}

const lam_st_tensor *lam_st_find(const lam_st_file *file, const char *name)
{
    for (size_t i = 0; i < file->n_tensors; i++)
        if (strcmp(file->tensors[i].name, name) == 0)
            return &file->tensors[i];
    return NULL;
}

const char *lam_st_meta(const lam_st_file *file, const char *key)
{
    for (size_t i = 0; i < file->n_meta; i++)
        if (strcmp(file->meta[i].key, key) == 0)
            return file->meta[i].value;
    return NULL;
}
