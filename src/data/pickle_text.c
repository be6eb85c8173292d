/* Strings of a pickle, which are bytes in one of four codings. */
#include "data/pickle_machine.h"
#include <string.h>

static int hex(const unsigned char *p, size_t digits, unsigned *out)
{
    *out = 0;
    for (size_t i = 0; i < digits; i++) {
        unsigned c = p[i], d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10
            : c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
        if (d == 16)
            return -1;
        *out = 16 * *out + d;
    }
    return 0;
}

/* One byte of a coded text from p (left bytes of it); how many it took, 0 if it is none. */
static size_t decode_byte(lam_pickle_coding code_of, const unsigned char *p, size_t left, unsigned char *out)
{
    static const char letters[] = "\\'\"nrtabfv", meanings[] = "\\'\"\n\r\t\a\b\f\v";
    unsigned code;
    *out = p[0];
    if (code_of == LAM_PICKLE_RAW || (code_of == LAM_PICKLE_UTF8 && p[0] < 0x80) || (code_of != LAM_PICKLE_UTF8 && p[0] != '\\'))
        return 1;
    if (code_of == LAM_PICKLE_UTF8) { /* U+0080 to U+00FF: what latin1 has */
        if (left < 2 || (p[0] != 0xc2 && p[0] != 0xc3) || (p[1] & 0xc0) != 0x80)
            return 0;
        *out = (unsigned char)((p[0] & 3) << 6 | (p[1] & 0x3f));
        return 2;
    }
    if (code_of == LAM_PICKLE_UNICODE_ESCAPED) {
        if (left >= 2 && p[1] != 'u')
            return p[1] == 'U' ? 0 : 1; /* a backslash that escapes nothing stands for itself */
        if (left < 6 || hex(p + 2, 4, &code) != 0 || code > 255)
            return 0;
        *out = (unsigned char)code;
        return 6;
    }
    if (left >= 4 && p[1] == 'x' && hex(p + 2, 2, &code) == 0) {
        *out = (unsigned char)code;
        return 4;
    }
    const char *letter = left >= 2 && p[1] != '\0' ? strchr(letters, p[1]) : NULL;
    if (letter == NULL)
        return 0;
    *out = (unsigned char)meanings[letter - letters];
    return 2;
}

/* At most room bytes into out; how many there are, room + 1 if more, SIZE_MAX if the coding is broken. */
size_t lam_pickle_decode(const lam_pickle_value *v, unsigned char *out, size_t room)
{
    size_t used = 0;
    for (size_t i = 0; i < v->n;) {
        unsigned char byte;
        size_t took = decode_byte(v->coding, v->at + i, v->n - i, &byte);
        if (took == 0)
            return SIZE_MAX;
        if (used == room)
            return room + 1;
        out[used++] = byte;
        i += took;
    }
    return used;
}

/* A short text as a C string; what is no text, too long or unprintable reads as "?". */
void lam_pickle_word(const lam_pickle_value *v, char out[LAM_PICKLE_WORD])
{
    size_t n = v->kind == LAM_PICKLE_TEXT ? lam_pickle_decode(v, (unsigned char *)out, LAM_PICKLE_WORD - 1) : SIZE_MAX;
    for (size_t i = 0; n < LAM_PICKLE_WORD && i < n; i++)
        if (out[i] < 0x20 || out[i] > 0x7e)
            n = SIZE_MAX;
    if (n >= LAM_PICKLE_WORD)
        strcpy(out, "?");
    else
        out[n] = '\0';
}

int lam_pickle_is_word(const lam_pickle_value *v, const char *word)
{
    char text[LAM_PICKLE_WORD];
    lam_pickle_word(v, text);
    return strcmp(text, word) == 0;
}
