/* Converts UTF-16 and Windows-1252 to UTF-8. */
#include "data/encoding.h"
#include "base/error.h"
#include "base/utf8.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char MARK[] = "\xEF\xBB\xBF"; /* UTF-8's byte-order mark */

/* Bytes of the UTF-8 character at p, of which left are there; 0 if it is none. */
static size_t length_at(const char *p, size_t left)
{
    char text[5] = { 0 };
    const char *at = text;
    memcpy(text, p, left < 4 ? left : 4);
    return lam_utf8_next(&at) == UINT32_MAX ? 0 : (size_t)(at - text);
}

static int is_utf8(const char *bytes, size_t size)
{
    for (size_t i = 0, n; i < size; i += n) {
        uint64_t eight;
        n = 8;
        if (i + 8 <= size && (memcpy(&eight, bytes + i, 8), (eight & UINT64_C(0x8080808080808080)) == 0))
            continue; /* eight of ASCII */
        if ((n = length_at(bytes + i, size - i)) == 0)
            return 0;
    }
    return 1;
}

/* Appends the character; room for four bytes is there. */
static char *put(char *out, uint32_t c)
{
    if (c < 0x80) {
        *out++ = (char)c;
        return out;
    }
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned lead[] = { 0, 0xC0, 0xE0, 0xF0 };
    *out++ = (char)(lead[more] | c >> (6 * more));
    while (more-- > 0)
        *out++ = (char)(0x80 | (c >> (6 * more) & 0x3F));
    return out;
}

/* The characters of bytes 0x80 to 0x9F in Windows-1252; the five that it leaves out are Latin-1's. */
static const uint16_t windows[32] = {
    0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008D, 0x017D, 0x008F,
    0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178,
};

static lam_status reserve(const char *name, size_t units, size_t each, lam_utf8_text *out)
{
    out->owned = units > SIZE_MAX / each - 1 ? NULL : malloc(units * each + 1);
    if (out->owned == NULL)
        return lam_fail(LAM_ERR_MEMORY, "%s: out of memory for its %zu characters", name, units);
    out->at = out->owned;
    return LAM_OK;
}

static lam_status from_windows(const char *name, const char *bytes, size_t size, lam_utf8_text *out)
{
    LAM_TRY(reserve(name, size, 3, out));
    char *end = out->owned;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)bytes[i];
        end = put(end, c >= 0x80 && c < 0xA0 ? windows[c - 0x80] : c);
    }
    out->end = end;
    out->encoding = "Windows-1252";
    return LAM_OK;
}

static uint32_t unit_at(const unsigned char *p, int big)
{
    return big ? (uint32_t)p[0] << 8 | p[1] : (uint32_t)p[1] << 8 | p[0];
}

static lam_status from_utf16(const char *name, const char *bytes, size_t size, int big, lam_utf8_text *out)
{
    const unsigned char *p = (const unsigned char *)bytes;
    if (size % 2 != 0)
        return lam_fail(LAM_ERR_FORMAT, "%s: the file is cut short: it is UTF-16 of an odd number of bytes", name);
    LAM_TRY(reserve(name, size / 2, 3, out));
    char *end = out->owned;
    for (size_t i = 0; i < size; i += 2) {
        uint32_t c = unit_at(p + i, big), low = i + 4 <= size ? unit_at(p + i + 2, big) : 0;
        if (c >= 0xD800 && c < 0xE000) {
            if (c >= 0xDC00 || low < 0xDC00 || low >= 0xE000) {
                free(out->owned);
                out->owned = NULL;
                return lam_fail(LAM_ERR_FORMAT, "%s: half a character of UTF-16 at offset %zu; save the file as UTF-8", name, i);
            }
            c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
            i += 2;
        }
        end = put(end, c);
    }
    out->end = end;
    out->encoding = "UTF-16";
    return LAM_OK;
}

/* 1: little-endian UTF-16, 2: big-endian, 0: neither, as zeros in the first bytes tell where there is no mark. */
static int looks_utf16(const char *bytes, size_t size)
{
    size_t n = size < 256 ? size & ~(size_t)1 : 256, zeros[2] = { 0, 0 };
    for (size_t i = 0; i < n; i++)
        zeros[i % 2] += bytes[i] == '\0';
    if (n >= 4 && zeros[1] > n / 4 && 4 * zeros[0] <= zeros[1])
        return 1;
    return n >= 4 && zeros[0] > n / 4 && 4 * zeros[1] <= zeros[0] ? 2 : 0;
}

lam_status lam_encoding_read(const char *name, const char *bytes, size_t size, lam_utf8_text *out)
{
    *out = (lam_utf8_text){ .at = bytes, .end = bytes + size };
    int marked = size >= 2 && (memcmp(bytes, "\xFF\xFE", 2) == 0 || memcmp(bytes, "\xFE\xFF", 2) == 0);
    int utf16 = marked ? 1 + (bytes[0] == '\xFE') : looks_utf16(bytes, size);
    if (size >= 4 && (memcmp(bytes, "\xFF\xFE\0\0", 4) == 0 || memcmp(bytes, "\0\0\xFE\xFF", 4) == 0))
        return lam_fail(LAM_ERR_FORMAT, "%s: is UTF-32 text; convert it: iconv -f UTF-32 -t UTF-8", name);
    if (utf16 != 0)
        LAM_TRY(from_utf16(name, bytes + 2 * marked, size - 2 * (size_t)marked, utf16 == 2, out));
    else if (!is_utf8(bytes, size) && memchr(bytes, 0, size) == NULL)
        LAM_TRY(from_windows(name, bytes, size, out));
    else if (size >= 3 && memcmp(bytes, MARK, 3) == 0)
        out->at += 3; /* it is no part of the first name */
    const char *zero = memchr(out->at, 0, (size_t)(out->end - out->at));
    if (zero == NULL)
        return LAM_OK;
    size_t offset = (size_t)(zero - out->at);
    free(out->owned);
    out->owned = NULL;
    return lam_fail(LAM_ERR_FORMAT, "%s: is no table that can be read: neither text (it has a zero byte at offset %zu) nor .npy nor .npz; "
        "save it as csv or .npy", name, offset);
}
