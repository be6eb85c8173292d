/* MATLAB files of version 4 (MathWorks, "MAT-File Format", appendix): told apart, listed, and refused. A matrix is five words (its
 * kind as the decimal digits M 0 P T, rows, columns, whether it is complex, bytes of the name), the name, and the numbers. */
#include "base/error.h"
#include "data/image_formats.h"
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { WORDS = 20, NAME = 64 };

typedef struct matrix {
    unsigned type;              /* T: 0 full, 1 text, 2 sparse */
    unsigned precision;         /* P */
    uint32_t rows, cols, is_complex;
    char name[NAME];
    uint64_t bytes;             /* of all that it takes */
} matrix;

static uint32_t word(const unsigned char *p, int big)
{
    return big ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]
               : (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

/* The head of a matrix at p [n]: 0, or -1 where it is none. */
static int read_head(const unsigned char *p, size_t n, matrix *m)
{
    static const uint64_t widths[6] = { 8, 4, 4, 2, 2, 1 };
    if (n < WORDS)
        return -1;
    int big = word(p, 0) > 4052; /* the largest of all kinds */
    uint32_t kind = word(p, big), name = word(p + 16, big);
    *m = (matrix) { .type = kind % 10, .precision = kind / 10 % 10, .rows = word(p + 4, big), .cols = word(p + 8, big),
        .is_complex = word(p + 12, big) };
    if (kind > 4052 || kind / 100 % 10 != 0 || m->precision > 5 || m->type > 2 || m->is_complex > 1 || (kind / 1000 == 1) != big)
        return -1;
    if (m->rows > INT32_MAX || m->cols > INT32_MAX || name < 2 || name > NAME || name > n - WORDS)
        return -1;
    memcpy(m->name, p + WORDS, name);
    for (uint32_t i = 0; i + 1 < name; i++)
        if (m->name[i] < ' ' || m->name[i] > '~')
            return -1;
    m->bytes = WORDS + name + (uint64_t)m->rows * m->cols * widths[m->precision] * (1 + m->is_complex);
    return m->name[name - 1] == '\0' ? 0 : -1;
}

int lam_mat4_begins(const unsigned char *bytes, size_t size)
{
    matrix m;
    return read_head(bytes, size, &m) == 0;
}

lam_status lam_images_mat4(const char *name, const unsigned char *bytes, size_t size)
{
    static const char *const types[] = { "", " text", " sparse" };
    static const char *const precisions[] = { "double", "single", "int32", "int16", "uint16", "uint8" };
    char list[600] = "";
    size_t used = 0, at = 0;
    matrix m;
    while (used < sizeof list && at < size && read_head(bytes + at, size - at, &m) == 0) {
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s [%u x %u%s%s %s]", used > 0 ? ", " : "", m.name, m.rows, m.cols,
            types[m.type], m.is_complex ? " complex" : "", precisions[m.precision]);
        if (m.bytes > size - at)
            break;
        at += (size_t)m.bytes;
    }
    return lam_fail(LAM_ERR_UNSUPPORTED, "%s: is a MATLAB file of version 4 (save -v4) with %s; versions 5 to 7 are read. In MATLAB load it, "
        "and save it with save('FILE.mat', 'X', '-v7'); in Python: scipy.io.savemat('FILE.mat', scipy.io.loadmat(...))", name, list);
}
