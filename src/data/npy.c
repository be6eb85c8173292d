/* Reads one array of a .npy file. */
#include "data/npy.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "data/bytes.h"
#include "data/cell.h"
#include <stdlib.h>
#include <string.h>

/* What the header says beside shape and dtype. */
typedef struct layout {
    int fortran, big_endian;
    size_t width;       /* bytes of an element */
    size_t data_offset;
} layout;

/* A cursor over the header's Python dictionary. */
typedef struct cursor {
    const char *at, *end;
} cursor;

static void skip_blanks(cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\t'))
        c->at++;
}

static int accept(cursor *c, char wanted)
{
    skip_blanks(c);
    if (c->at == c->end || *c->at != wanted)
        return 0;
    c->at++;
    return 1;
}

static int accept_word(cursor *c, const char *word)
{
    size_t n = strlen(word);
    skip_blanks(c);
    if ((size_t)(c->end - c->at) < n || memcmp(c->at, word, n) != 0)
        return 0;
    c->at += n;
    return 1;
}

/* 'text' or "text", without escapes, into out. */
static int read_string(cursor *c, char *out, size_t room)
{
    skip_blanks(c);
    if (c->at == c->end || (*c->at != '\'' && *c->at != '"'))
        return 0;
    char quote = *c->at++;
    const char *close = memchr(c->at, quote, (size_t)(c->end - c->at));
    if (close == NULL || (size_t)(close - c->at) >= room)
        return 0;
    memcpy(out, c->at, (size_t)(close - c->at));
    out[close - c->at] = '\0';
    c->at = close + 1;
    return 1;
}

/* (), (3,) or (3, 4): the shape. -1 if malformed, -2 if there are too many dimensions, -3 if too large. */
static int read_shape(cursor *c, lam_array *array)
{
    array->n_shape = 0;
    array->size = 1;
    int empty = 0;
    if (!accept(c, '('))
        return -1;
    while (!accept(c, ')')) {
        size_t n = 0, digits = 0;
        skip_blanks(c);
        for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++, digits++) {
            if (n > (SIZE_MAX - 9) / 10)
                return -3;
            n = 10 * n + (size_t)(*c->at - '0');
        }
        accept(c, 'L'); /* Python 2 wrote 3L */
        if (digits == 0)
            return -1;
        if (array->n_shape == LAM_ARRAY_DIMS)
            return -2;
        array->shape[array->n_shape++] = n;
        empty |= n == 0;
        if (n != 0 && array->size > SIZE_MAX / 16 / n)
            return -3;
        array->size *= n != 0 ? n : 1;
        if (!accept(c, ',')) {
            if (!accept(c, ')') || array->n_shape < 2)
                return -1;
            break;
        }
    }
    array->size = empty ? 0 : array->size;
    return 0;
}

static lam_status read_descr(const char *name, const char *descr, lam_array *array, layout *l)
{
    static const char *const known[] = { "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1" };
    const char *type = strchr("<>|=", descr[0]) != NULL && descr[0] != '\0' ? descr + 1 : descr;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(type, known[i]) == 0) {
            strcpy(array->dtype, known[i]);
            l->width = (size_t)(type[1] - '0');
            l->big_endian = descr[0] == '>';
            return LAM_OK;
        }
    if (type[0] == 'O')
        return lam_fail(LAM_ERR_FORMAT, "%s: holds Python objects, not numbers; save it as x.astype('float64')", name);
    return lam_fail(LAM_ERR_FORMAT, "%s: its dtype is %s; f4, f8, i1 to i8, u1 to u8 and b1 are read. Save it as "
        "x.astype('float64')", name, descr);
}

static lam_status bad_header(const char *name)
{
    return lam_fail(LAM_ERR_FORMAT, "%s: the .npy header is damaged; write the file again with numpy.save", name);
}

static lam_status read_dictionary(const char *name, cursor c, lam_array *array, layout *l)
{
    int seen = 0;
    if (!accept(&c, '{'))
        return bad_header(name);
    while (!accept(&c, '}')) {
        char key[16], descr[32];
        if (!read_string(&c, key, sizeof key) || !accept(&c, ':'))
            return bad_header(name);
        if (strcmp(key, "descr") == 0) {
            skip_blanks(&c);
            if (c.at < c.end && *c.at == '[')
                return lam_fail(LAM_ERR_FORMAT, "%s: holds records of named fields; save one 2-D array of numbers", name);
            if (!read_string(&c, descr, sizeof descr))
                return bad_header(name);
            LAM_TRY(read_descr(name, lam_cell_show(descr, strlen(descr), (char[LAM_SHOWN_SIZE]){ 0 }), array, l));
            seen |= 1;
        } else if (strcmp(key, "fortran_order") == 0) {
            l->fortran = accept_word(&c, "True");
            if (!l->fortran && !accept_word(&c, "False"))
                return bad_header(name);
            seen |= 2;
        } else if (strcmp(key, "shape") == 0) {
            int code = read_shape(&c, array);
            if (code == -1)
                return bad_header(name);
            if (code == -2)
                return lam_fail(LAM_ERR_SHAPE, "%s: has more than %d dimensions", name, LAM_ARRAY_DIMS);
            if (code == -3)
                return lam_fail(LAM_ERR_FORMAT, "%s: its shape is larger than any memory; the header is damaged", name);
            seen |= 4;
        } else {
            return bad_header(name);
        }
        if (!accept(&c, ',')) {
            if (!accept(&c, '}'))
                return bad_header(name);
            break;
        }
    }
    return seen == 7 ? LAM_OK : bad_header(name);
}

static lam_status read_header(const char *name, const unsigned char *bytes, size_t size, lam_array *array, layout *l)
{
    *array = (lam_array){ 0 };
    *l = (layout){ 0 };
    if (size < 10 || memcmp(bytes, "\x93NUMPY", 6) != 0)
        return lam_fail(LAM_ERR_FORMAT, "%s: is not an .npy array", name);
    unsigned version = bytes[6];
    if (version < 1 || version > 3)
        return lam_fail(LAM_ERR_FORMAT, "%s: .npy version %u is not known; 1 to 3 are", name, version);
    size_t start = version == 1 ? 10 : 12, length = 0;
    for (size_t i = 8; i < start && i < size; i++)
        length |= (size_t)bytes[i] << (8 * (i - 8));
    if (size < start || size - start < length)
        return lam_fail(LAM_ERR_FORMAT, "%s: the file is cut short, in its header", name);
    const char *text = (const char *)bytes + start;
    l->data_offset = start + length;
    return read_dictionary(name, (cursor){ text, text + length }, array, l);
}

lam_status lam_npy_parse_header(const char *name, const void *bytes, size_t size, lam_array *out)
{
    layout l;
    return read_header(name, bytes, size, out, &l);
}

static uint64_t read_word(const unsigned char *p, const layout *l)
{
    uint64_t w = 0;
    for (size_t i = 0; i < l->width; i++)
        w |= (uint64_t)p[l->big_endian ? l->width - 1 - i : i] << (8 * i);
    return w;
}

/* One element, as double and, where that is exact, as int64. Returns 0 if it has no int64. */
static int read_element(char kind, const unsigned char *p, const layout *l, double *value, int64_t *integer)
{
    uint64_t w = read_word(p, l);
    if (kind == 'f' && l->width == 8) {
        memcpy(value, &w, sizeof w);
        return 0;
    }
    if (kind == 'f') {
        uint32_t half = (uint32_t)w;
        float f;
        memcpy(&f, &half, sizeof f);
        *value = (double)f;
        return 0;
    }
    if (kind == 'i') {
        if (l->width < 8 && w >> (8 * l->width - 1) != 0)
            w |= UINT64_MAX << (8 * l->width); /* sign */
        memcpy(integer, &w, sizeof w);
        *value = (double)*integer;
        return 1;
    }
    *value = (double)w;
    *integer = (int64_t)(w & INT64_MAX);
    return w <= INT64_MAX;
}

/* Position in C order of the element at position i of Fortran order. */
static size_t c_position(const lam_array *array, size_t i)
{
    size_t at = 0, stride = array->size;
    for (size_t d = 0; d < array->n_shape; d++) {
        stride /= array->shape[d];
        at += i % array->shape[d] * stride;
        i /= array->shape[d];
    }
    return at;
}

/* The header, and that all of the data is there. */
static lam_status read_whole(const char *name, const void *bytes, size_t size, lam_array *out, layout *l)
{
    LAM_TRY(read_header(name, bytes, size, out, l));
    if ((size - l->data_offset) / l->width < out->size)
        return lam_fail(LAM_ERR_FORMAT, "%s: the file is cut short: its header promises %zu numbers, %zu are there", name,
            out->size, (size - l->data_offset) / l->width);
    return LAM_OK;
}

lam_status lam_npy_rows_open(const char *name, const void *bytes, size_t size, lam_npy_rows *out)
{
    layout l;
    *out = (lam_npy_rows) { 0 };
    LAM_TRY(read_whole(name, bytes, size, &out->head, &l));
    out->data = (const unsigned char *)bytes + l.data_offset;
    out->rows = out->head.n_shape > 0 ? out->head.shape[0] : 0;
    out->cols = out->head.n_shape == 2 ? out->head.shape[1] : 1;
    out->width = l.width, out->fortran = l.fortran, out->big_endian = l.big_endian;
    return LAM_OK;
}

void lam_npy_rows_of_doubles(const void *numbers, size_t rows, size_t cols, lam_npy_rows *out)
{
    *out = (lam_npy_rows) { .data = numbers, .rows = rows, .cols = cols, .head = { .dtype = "f8", .n_shape = 2, .shape = { rows, cols },
        .size = rows * cols }, .width = sizeof(double), .big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ };
}

void lam_npy_rows_read(const lam_npy_rows *r, size_t first, size_t n, double *values)
{
    const layout l = { .width = r->width, .big_endian = r->big_endian };
    int64_t integer;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < r->cols; j++) {
            size_t at = r->fortran ? j * r->rows + first + i : (first + i) * r->cols + j;
            (void)read_element(r->head.dtype[0], r->data + at * r->width, &l, &values[i * r->cols + j], &integer);
        }
}

/* The commonest: 4-byte floats as this machine has them. */
static int are_plain_floats(const lam_npy_rows *r)
{
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && !r->big_endian && !r->fortran && strcmp(r->head.dtype, "f4") == 0;
}

void lam_npy_row_read(const lam_npy_rows *r, size_t row, const size_t *column, size_t n, double *values)
{
    const layout l = { .width = r->width, .big_endian = r->big_endian };
    const unsigned char *plain = are_plain_floats(r) ? r->data + row * r->cols * sizeof(float) : NULL;
    int64_t integer;
    for (size_t k = 0; k < n; k++) {
        float f;
        size_t at = r->fortran ? column[k] * r->rows + row : row * r->cols + column[k];
        if (plain == NULL) {
            (void)read_element(r->head.dtype[0], r->data + at * r->width, &l, &values[k], &integer);
            continue;
        }
        memcpy(&f, plain + column[k] * sizeof f, sizeof f);
        values[k] = (double)f;
    }
}

lam_status lam_npy_parse(const char *name, const void *bytes, size_t size, lam_array *out)
{
    layout l;
    LAM_TRY(read_whole(name, bytes, size, out, &l));
    const unsigned char *data = (const unsigned char *)bytes + l.data_offset;
    int whole = out->dtype[0] != 'f';
    double *values = lam_alloc(out->size, sizeof *values);
    int64_t *integers = whole ? lam_alloc(out->size, sizeof *integers) : NULL;
    if (values == NULL || (whole && integers == NULL)) {
        lam_free(values);
        lam_free(integers);
        return LAM_ERR_MEMORY;
    }
    for (size_t i = 0; i < out->size; i++) {
        size_t at = l.fortran ? c_position(out, i) : i;
        int64_t integer = 0;
        int exact = read_element(out->dtype[0], data + i * l.width, &l, &values[at], &integer);
        whole = whole && exact;
        if (integers != NULL)
            integers[at] = integer;
    }
    if (!whole) {
        lam_free(integers);
        integers = NULL;
    }
    out->values = values, out->integers = integers;
    return LAM_OK;
}

lam_status lam_npy_read(const char *path, lam_array *out)
{
    char *bytes;
    size_t size;
    *out = (lam_array){ 0 };
    LAM_TRY(lam_bytes_read(path, &bytes, &size));
    lam_status status = lam_npy_parse(path, bytes, size, out);
    free(bytes);
    return status;
}

void lam_array_clear(lam_array *array)
{
    lam_free(array->values);
    lam_free(array->integers);
    *array = (lam_array){ 0 };
}

/* Numbers of width bytes, 4 or 8, as little-endian bytes whatever the machine. */
void lam_npy_put_values(FILE *stream, const double *values, size_t n, int width)
{
    unsigned char block[8 * 512];
    for (size_t i = 0; i < n;) {
        size_t used = 0;
        for (; i < n && used < sizeof block; i++) {
            uint64_t w = 0;
            if (width == 8) {
                memcpy(&w, &values[i], sizeof w);
            } else {
                float narrow = (float)values[i];
                uint32_t half;
                memcpy(&half, &narrow, sizeof half);
                w = half;
            }
            for (int k = 0; k < width; k++)
                block[used++] = (unsigned char)(w >> (8 * k));
        }
        fwrite(block, 1, used, stream); /* the commit notices a failed write */
    }
}

lam_status lam_npy_put_header(FILE *stream, const char *path, const size_t *shape, size_t n_shape, int width)
{
    char header[512];
    if (n_shape > LAM_ARRAY_DIMS)
        return lam_fail(LAM_ERR_ARGUMENT, "%s: an array of %zu dimensions is not written; %d are the most", path, n_shape,
            LAM_ARRAY_DIMS);
    int used = snprintf(header, sizeof header, "{'descr': '<f%d', 'fortran_order': False, 'shape': (", width);
    for (size_t d = 0; d < n_shape; d++)
        used += snprintf(header + used, sizeof header - (size_t)used, "%s%zu%s", d == 0 ? "" : " ", shape[d],
            n_shape == 1 || d + 1 < n_shape ? "," : "");
    used += snprintf(header + used, sizeof header - (size_t)used, "), }");
    unsigned length = ((unsigned)used + 1 + 10 + 63) / 64 * 64 - 10; /* the data starts at a multiple of 64 */
    fwrite("\x93NUMPY\x01\x00", 1, 8, stream);
    fputc((int)(length & 255), stream);
    fputc((int)(length >> 8), stream);
    fprintf(stream, "%-*s\n", (int)length - 1, header);
    return LAM_OK;
}

lam_status lam_npy_put(FILE *stream, const char *path, const double *values, const size_t *shape, size_t n_shape, int width)
{
    size_t size = 1;
    for (size_t d = 0; d < n_shape; d++)
        size *= shape[d];
    LAM_TRY(lam_npy_put_header(stream, path, shape, n_shape, width));
    lam_npy_put_values(stream, values, size, width);
    return LAM_OK;
}

lam_status lam_npy_write(const char *path, const double *values, const size_t *shape, size_t n_shape)
{
    lam_out_file file;
    LAM_TRY(lam_out_open(&file, path));
    lam_status status = lam_npy_put(file.stream, path, values, shape, n_shape, 8);
    if (status != LAM_OK) {
        lam_out_abandon(&file);
        return status;
    }
    return lam_out_commit(&file);
}
