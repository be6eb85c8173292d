/* Decodes UTF-8 and tells whether a text is valid. */
#include "base/utf8.h"

uint32_t lam_utf8_next(const char **text)
{
    const unsigned char *p = (const unsigned char *)*text;
    uint32_t c = p[0];
    /* length by the first byte, and the smallest value that needs it */
    unsigned more = c < 0x80 ? 0 : c >> 5 == 0x6 ? 1 : c >> 4 == 0xe ? 2 : c >> 3 == 0x1e ? 3 : 4;
    static const uint32_t smallest[] = { 0, 0x80, 0x800, 0x10000 };
    if (more == 4)
        return UINT32_MAX;
    if (more > 0)
        c &= 0x3fu >> more;
    for (unsigned i = 1; i <= more; i++) {
        if (p[i] >> 6 != 2) /* the final NUL too ends here */
            return UINT32_MAX;
        c = c << 6 | (p[i] & 0x3fu);
    }
    if (c < smallest[more] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return UINT32_MAX;
    *text += more + 1;
    return c;
}

int lam_utf8_valid(const char *text)
{
    while (*text != '\0')
        if (lam_utf8_next(&text) == UINT32_MAX)
            return 0;
    return 1;
}
