/* Images in a MATLAB file of version 5 to 7 (MathWorks, "MAT-File Format"): a header of 128 bytes, then one element a variable,
 * plain or deflated. Only the heads of variables are looked at until the one that is meant, so that whatever else is in the
 * file does no harm. A matrix lies there column by column, and so does an image in its row of pixels. */
#include "base/error.h"
#include "base/mem.h"
#include "data/image_formats.h"
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum { HEADER = 128, HEAD = 512, NAME = 64, DIMS = 8, TYPE_MATRIX = 14, TYPE_PACKED = 15, COMPLEX = 0x08 };
enum { CLASS_CELL = 1, CLASS_STRUCT = 2, CLASS_CHAR = 4, CLASS_SPARSE = 5, CLASS_DOUBLE = 6, CLASS_UINT64 = 15, CLASS_OPAQUE = 17 };

/* A file in memory, and where the next variable begins. */
typedef struct mat {
    const char *label;
    const unsigned char *bytes;
    size_t size, at;
    int big; /* big-endian */
} mat;

typedef struct variable {
    char name[NAME];             /* "" for what has none */
    char object[NAME];           /* of an object its class, such as "table"; "" for other kinds */
    unsigned class, flags;
    size_t rank, dims[DIMS];     /* of more, the first ones */
    const unsigned char *element;/* its matrix, from the tag on, or that deflated */
    size_t size, offset;         /* bytes of element; its place in the file */
    int packed;
    size_t data;                 /* where in the matrix the numbers' tag is */
} variable;

/* A tag: what follows, how long it is and where it lies. */
typedef struct part {
    uint32_t type;
    size_t size;
    size_t start, next; /* of its bytes; of the tag after it */
} part;

static uint64_t word(const unsigned char *p, size_t bytes, int big)
{
    uint64_t w = 0;
    for (size_t i = 0; i < bytes; i++)
        w |= (uint64_t)p[big ? bytes - 1 - i : i] << (8 * i);
    return w;
}

/* The tag at `at` of p [n]; up to four bytes may lie in the tag itself. 0, or -1 if it does not fit in whole. */
static int read_tag(const unsigned char *p, size_t n, size_t at, int big, part *out)
{
    if (at > n || n - at < 8)
        return -1;
    uint32_t first = (uint32_t)word(p + at, 4, big);
    out->type = first & 0xffff, out->size = first >> 16, out->start = at + 4, out->next = at + 8;
    if (out->size > 4)
        return -1;
    if (out->size == 0) {
        out->type = first;
        out->size = (size_t)word(p + at + 4, 4, big);
        out->start = at + 8;
        out->next = out->start + (out->size + 7) / 8 * 8;
    }
    return 0;
}

/* Inflates up to room bytes; how many there were. *whole: the stream ended and its checksum is right. */
static size_t unpack(const unsigned char *in, size_t n, unsigned char *out, size_t room, int *whole)
{
    z_stream z = { 0 };
    *whole = 0;
    if (inflateInit(&z) != Z_OK)
        return 0;
    z.next_in = (z_const Bytef *)in, z.avail_in = (uInt)n; /* both are below 2^32, as the format's sizes are */
    z.next_out = out, z.avail_out = (uInt)room;
    *whole = inflate(&z, Z_FINISH) == Z_STREAM_END;
    inflateEnd(&z);
    return room - z.avail_out;
}

static lam_status damaged(const mat *m, size_t offset, const char *what)
{
    return lam_fail(LAM_ERR_FORMAT, "%s: the variable at offset %zu is damaged (%s); copy or download the file again", m->label, offset,
        what);
}

/* 1: a full matrix of numbers. */
static int has_numbers(const variable *v)
{
    return v->class >= CLASS_DOUBLE && v->class <= CLASS_UINT64;
}

/* A text of fewer than NAME bytes at `at`: where the tag behind it is, or 0. */
static size_t read_text(const mat *m, const unsigned char *p, size_t n, size_t at, char text[NAME])
{
    part name;
    if (read_tag(p, n, at, m->big, &name) != 0 || name.type != 1 || name.size >= NAME || name.size > n - name.start)
        return 0;
    memcpy(text, p + name.start, name.size);
    text[name.size] = '\0';
    return name.next;
}

/* An object (a table, a string array ...) has its name, the kind of its class, its class, and no dimensions of its own. */
static int read_object(const mat *m, const unsigned char *p, size_t n, size_t at, variable *v)
{
    char kind[NAME];
    at = read_text(m, p, n, at, v->name);
    at = at != 0 ? read_text(m, p, n, at, kind) : 0;
    if (at != 0)
        (void)read_text(m, p, n, at, v->object);
    return 0;
}

/* Flags, dimensions and name, which open a matrix p [n] (n less than all of it, if need be). */
static int read_head(const mat *m, const unsigned char *p, size_t n, variable *v)
{
    part matrix, flags, dims;
    if (read_tag(p, n, 0, m->big, &matrix) != 0 || matrix.type != TYPE_MATRIX)
        return -1;
    if (matrix.size == 0) /* [] without a name */
        return 0;
    if (read_tag(p, n, 8, m->big, &flags) != 0 || flags.type != 6 || flags.size != 8 || n - flags.start < 8)
        return -1;
    uint32_t bits = (uint32_t)word(p + flags.start, 4, m->big);
    v->class = bits & 0xff, v->flags = bits >> 8 & 0xff;
    if (v->class == CLASS_OPAQUE)
        return read_object(m, p, n, flags.next, v);
    if (read_tag(p, n, flags.next, m->big, &dims) != 0 || dims.type != 5 || dims.size < 8 || dims.size > n - dims.start)
        return has_numbers(v) ? -1 : 0;
    v->rank = dims.size / 4;
    for (size_t d = 0; d < DIMS && d < v->rank; d++)
        v->dims[d] = (size_t)word(p + dims.start + 4 * d, 4, m->big);
    size_t next = read_text(m, p, n, dims.next, v->name);
    if (next == 0)
        return has_numbers(v) ? -1 : 0; /* of others only a name for the list is wanted, if it can be had */
    v->data = next;
    return 0;
}

/* The next variable; *more is 0 at the end. */
static lam_status next_variable(mat *m, variable *v, int *more)
{
    part element;
    unsigned char head[HEAD];
    *v = (variable){ .offset = m->at };
    *more = m->at < m->size;
    if (!*more)
        return LAM_OK;
    if (read_tag(m->bytes, m->size, m->at, m->big, &element) != 0 || element.size > m->size - element.start)
        return lam_fail(LAM_ERR_FORMAT, "%s: is cut short: the variable at offset %zu goes on past the end; copy or download it again",
            m->label, m->at);
    v->packed = element.type == TYPE_PACKED;
    v->element = m->bytes + (v->packed ? element.start : m->at);
    v->size = v->packed ? element.size : element.start - m->at + element.size;
    /* what is deflated is not padded, and writers may leave the last one's padding out */
    m->at = v->packed ? element.start + element.size : element.next < m->size ? element.next : m->size;
    if (element.type != TYPE_MATRIX && !v->packed)
        return LAM_OK; /* of no name */
    const unsigned char *p = v->element;
    size_t n = v->size;
    int whole;
    if (v->packed) {
        n = unpack(v->element, v->size, head, sizeof head, &whole);
        p = head;
    }
    return read_head(m, p, n, v) == 0 ? LAM_OK : damaged(m, v->offset, "its head");
}

/* ---- the variable that is meant ----------------------------------------------------------------------------------- */

/* LAM_OK with *found 0 when there is none. */
static lam_status find_named(mat *m, const char *name, variable *v, int *found)
{
    int more = 1;
    *found = 0;
    for (m->at = HEADER; more && !*found;) {
        LAM_TRY(next_variable(m, v, &more));
        *found = more && strcmp(v->name, name) == 0;
    }
    return LAM_OK;
}

static const char *class_name(const variable *v)
{
    static const char *const names[] = { "unknown", "cell", "struct", "object", "char", "sparse", "double", "single", "int8", "uint8",
        "int16", "uint16", "int32", "uint32", "int64", "uint64", "function" };
    if (v->object[0] != '\0')
        return v->object;
    return v->class < sizeof names / sizeof names[0] ? names[v->class] : "object";
}

/* "60 x 8 x 8 uint8" */
static void describe(const variable *v, char text[280])
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t d = 0; d < v->rank && d < DIMS; d++)
        used += (size_t)snprintf(text + used, 280 - used, "%s%zu", d > 0 ? " x " : "", v->dims[d]);
    used += (size_t)snprintf(text + used, 280 - used, "%s%s%s", v->rank > DIMS ? " x ..." : "", used > 0 ? " " : "",
        (v->flags & COMPLEX) != 0 ? "complex " : "");
    snprintf(text + used, 280 - used, "%.40s", class_name(v));
}

static lam_status none_such(mat *m, const char *array)
{
    char list[800] = "", what[280];
    size_t used = 0;
    variable v;
    int more = 1;
    for (m->at = HEADER; more;) {
        LAM_TRY(next_variable(m, &v, &more));
        if (!more || v.name[0] == '\0' || used >= sizeof list)
            continue;
        describe(&v, what);
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s [%s]", used > 0 ? ", " : "", v.name, what);
    }
    if (array != NULL)
        return lam_fail(LAM_ERR_ARGUMENT, "%s: has no variable %s; it has %s", m->label, array, used > 0 ? list : "nothing");
    return lam_fail(LAM_ERR_ARGUMENT, "%s: has neither X nor data; it has %s. Name the one that holds the images, as in "
        "file.mat:NAME", m->label, used > 0 ? list : "nothing");
}

/* What to do in MATLAB with a variable that is no matrix of numbers. */
static void say_remedy(const variable *v, char text[600])
{
    const char *x = v->name;
    if (v->class == CLASS_SPARSE)
        snprintf(text, 600, "make it full: %s = full(%s)", x, x);
    else if (has_numbers(v) && (v->flags & COMPLEX) != 0)
        snprintf(text, 600, "take its real part: %s = real(%s)", x, x);
    else if (has_numbers(v) && v->rank > 2 && v->rank <= DIMS)
        snprintf(text, 600, "make one image of each row: %s = reshape(%s, %zu, []) if the first dimension counts the images, or %s = "
            "reshape(%s, [], %zu)' if the last does", x, x, v->dims[0], x, x, v->dims[v->rank - 1]);
    else if (v->class == CLASS_CELL)
        snprintf(text, 600, "put its images into one matrix: X = cell2mat(cellfun(@(image) image(:)', %s(:), 'UniformOutput', false))", x);
    else if (v->class == CLASS_STRUCT)
        snprintf(text, 600, "take the field that holds the images: X = %s.FIELD", x);
    else if (strcmp(v->object, "table") == 0)
        snprintf(text, 600, "take its numbers: %s = table2array(%s)", x, x);
    else
        snprintf(text, 600, "take a matrix of numbers out of it");
}

static lam_status refuse(const mat *m, const variable *v)
{
    char what[280], remedy[600];
    describe(v, what);
    say_remedy(v, remedy);
    return lam_fail(LAM_ERR_FORMAT, "%s: is a MATLAB file of version 5 to 7, and its variable %s [%s] %s; images are a full matrix of "
        "numbers, [n, pixels]. In MATLAB %s, and save it with save('FILE.mat', '%s', '-v7')", m->label, v->name, what,
        v->class == CLASS_SPARSE ? "is sparse" : !has_numbers(v) ? "holds no plain numbers" : v->rank != 2 ? "has more than two "
        "dimensions" : "is complex", remedy, v->class == CLASS_CELL || v->class == CLASS_STRUCT ? "X" : v->name);
}

static lam_status find(mat *m, const char *array, variable *v)
{
    int found;
    LAM_TRY(find_named(m, array != NULL ? array : "X", v, &found));
    if (!found && array == NULL)
        LAM_TRY(find_named(m, "data", v, &found));
    if (!found)
        return none_such(m, array);
    return has_numbers(v) && v->rank == 2 && (v->flags & COMPLEX) == 0 ? LAM_OK : refuse(m, v);
}

/* ---- its numbers -------------------------------------------------------------------------------------------------- */

/* Bytes of a number, by the type in its tag; 0 for what is none. */
static size_t width_of(uint32_t type)
{
    static const size_t widths[14] = { 0, 1, 1, 2, 2, 4, 4, 4, 0, 8, 0, 0, 8, 8 };
    return type < 14 ? widths[type] : 0;
}

static double number(const unsigned char *p, uint32_t type, int big)
{
    size_t bytes = width_of(type);
    uint64_t w = word(p, bytes, big);
    if (type == 9) {
        double d;
        memcpy(&d, &w, sizeof d);
        return d;
    }
    if (type == 7) {
        uint32_t half = (uint32_t)w;
        float f;
        memcpy(&f, &half, sizeof f);
        return (double)f;
    }
    int is_signed = type == 1 || type == 3 || type == 5 || type == 12;
    if (is_signed && w >> (8 * bytes - 1) != 0) /* -(2^(8 bytes) - w) */
        return -(double)(bytes == 8 ? ~w + 1 : (UINT64_C(1) << (8 * bytes)) - w);
    return (double)w;
}

/* The whole matrix, from its tag on: *owned (lam_free) when it had to be inflated. */
static lam_status load(const mat *m, const variable *v, const unsigned char **matrix, size_t *size, unsigned char **owned)
{
    unsigned char tag[8];
    int whole;
    *matrix = v->element, *size = v->size, *owned = NULL;
    if (!v->packed)
        return LAM_OK;
    if (unpack(v->element, v->size, tag, sizeof tag, &whole) < sizeof tag)
        return damaged(m, v->offset, "its tag");
    *size = 8 + (size_t)word(tag + 4, 4, m->big);
    if (*size > UINT32_MAX - 1 || *size / 1032 > v->size + 1) /* what deflate can pack at the most */
        return damaged(m, v->offset, "its length");
    *matrix = *owned = lam_reserve(*size + 1);
    if (*owned == NULL)
        return LAM_ERR_MEMORY;
    if (unpack(v->element, v->size, *owned, *size + 1, &whole) != *size || !whole)
        return damaged(m, v->offset, "it cannot be inflated");
    return LAM_OK;
}

/* Which way the matrix lies: images are its rows, but in data and testdata (as published) and where only columns can be. */
static int images_are_columns(const variable *v, const lam_images_options *options)
{
    size_t pixels = options->height * options->width;
    if (pixels != 0 && (v->dims[0] == pixels) != (v->dims[1] == pixels))
        return v->dims[0] == pixels;
    return strcmp(v->name, "data") == 0 || strcmp(v->name, "testdata") == 0;
}

/* Upright and row by row into out: numbers [n pixels] of a type, from p on. */
static lam_status read_numbers(const mat *m, const unsigned char *p, uint32_t type, int columns, lam_images *out)
{
    size_t h = out->height, w = out->width, n = out->n, bytes = width_of(type);
    double *values = lam_alloc(n * h * w, sizeof *values);
    if (values == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < n; i++)
        for (size_t r = 0; r < h; r++)
            for (size_t c = 0; c < w; c++) {
                size_t pixel = c * h + r, at = columns ? i * h * w + pixel : pixel * n + i;
                values[(i * h + r) * w + c] = number(p + at * bytes, type, m->big);
            }
    lam_status status = lam_images_fill(m->label, values, out);
    lam_free(values);
    return status;
}

static lam_status read_variable(const mat *m, const variable *v, const unsigned char *matrix, size_t size,
    const lam_images_options *options, lam_images *out)
{
    part data;
    size_t height, width;
    int columns = images_are_columns(v, options);
    LAM_TRY(lam_images_fold(m->label, v->dims[columns ? 0 : 1], options, &height, &width));
    if (read_tag(matrix, size, v->data, m->big, &data) != 0 || data.size > size - data.start)
        return damaged(m, v->offset, "its numbers are cut short");
    size_t bytes = width_of(data.type), n = v->dims[columns ? 1 : 0];
    if (bytes == 0 || data.size / bytes != v->dims[0] * v->dims[1] || data.size % bytes != 0)
        return damaged(m, v->offset, "its numbers are not as many as its shape says");
    LAM_TRY(lam_images_allocate(m->label, n, height, width, out));
    return read_numbers(m, matrix + data.start, data.type, columns, out);
}

lam_status lam_images_mat(const char *name, const unsigned char *bytes, size_t size, const lam_images_options *options,
    lam_images *out)
{
    mat m = { .label = name, .bytes = bytes, .size = size };
    variable v;
    const unsigned char *matrix;
    unsigned char *owned;
    size_t matrix_size;
    if (size < HEADER)
        return lam_fail(LAM_ERR_FORMAT, "%s: is not a MATLAB file; it is shorter than the header", name);
    m.big = bytes[126] == 'M';
    unsigned version = (unsigned)word(bytes + 124, 2, m.big);
    if (version == 0x0200)
        return lam_fail(LAM_ERR_UNSUPPORTED, "%s: is a MATLAB file of version 7.3, which is HDF5; versions 5 to 7 are read. In MATLAB "
            "load it, and save it with save('FILE.mat', 'X', '-v7'); in Python read it with h5py and write it with numpy.save", name);
    if (version != 0x0100)
        return lam_fail(LAM_ERR_UNSUPPORTED, "%s: is a MATLAB file of version 0x%04x; versions 5 to 7 (0x0100) are read: save it with -v7",
            name, version);
    LAM_TRY(find(&m, options->array, &v));
    lam_status status = load(&m, &v, &matrix, &matrix_size, &owned);
    if (status == LAM_OK)
        status = read_variable(&m, &v, matrix, matrix_size, options, out);
    lam_free(owned);
    out->format = "mat";
    return status;
}
