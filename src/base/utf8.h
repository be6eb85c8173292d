/* Decoding of UTF-8. */
#ifndef LAM_BASE_UTF8_H
#define LAM_BASE_UTF8_H
#include <stdint.h>

/* Decodes the character at *text and moves past it; UINT32_MAX (and *text unmoved) where the bytes are not UTF-8:
 * overlong forms, surrogates, values above 0x10FFFF, cut sequences. *text is NUL-terminated; NUL decodes as 0. */
uint32_t lam_utf8_next(const char **text);
/* All of text is UTF-8. */
int lam_utf8_valid(const char *text);

#endif
