/* What an .npy holds, also where that cannot be read as numbers: for messages, so a header that is damaged is just no array. */
#include "data/npy.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What follows 'key': in the header; NULL if it is not there. The header ends in NUL. */
static const char *value_of(const char *header, const char *key)
{
    const char *p = strstr(header, key);
    if (p == NULL)
        return NULL;
    p += strlen(key);
    while (*p == '\'' || *p == '"' || *p == ':' || *p == ' ')
        p++;
    return p;
}

/* "<f8" as "float64"; sets what kind of content that is. */
static void describe_dtype(const char *descr, lam_array_facts *facts, char text[32])
{
    static const struct { char sign; lam_array_content content; const char *name; } known[] = {
        { 'f', LAM_ARRAY_NUMBERS, "float" }, { 'i', LAM_ARRAY_NUMBERS, "int" }, { 'u', LAM_ARRAY_NUMBERS, "uint" },
        { 'c', LAM_ARRAY_COMPLEX, "complex" }, { 'b', LAM_ARRAY_NUMBERS, NULL }, { 'O', LAM_ARRAY_OBJECTS, NULL },
        { 'U', LAM_ARRAY_TEXT, NULL }, { 'S', LAM_ARRAY_TEXT, NULL }, { 'M', LAM_ARRAY_OTHER, "datetime" }, { 'm', LAM_ARRAY_OTHER, "timedelta" },
    };
    static const char *const words[] = { "bool", "Python objects", "text", "text" };
    const char *p = strchr("<>|=", *descr) != NULL && *descr != '\0' ? descr + 1 : descr;
    facts->content = *descr == '[' ? LAM_ARRAY_RECORDS : LAM_ARRAY_OTHER;
    snprintf(text, 32, "%s", *descr == '[' ? "records" : "another type");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (*p != known[i].sign)
            continue;
        facts->content = known[i].content;
        if (known[i].name != NULL)
            snprintf(text, 32, "%s%ld", known[i].name, 8 * strtol(p + 1, NULL, 10) % 1000);
        else
            snprintf(text, 32, "%s", words[*p == 'b' ? 0 : *p == 'O' ? 1 : 2]);
        return;
    }
}

void lam_npy_describe(const void *bytes, size_t size, lam_array_facts *facts)
{
    char header[1024], dtype[32], shape[48] = "";
    size_t start = size > 6 && ((const char *)bytes)[6] == 1 ? 10 : 12, n = 0, used = 0;
    *facts = (lam_array_facts){ .content = LAM_ARRAY_NONE };
    snprintf(facts->text, sizeof facts->text, "no array");
    if (size < start || memcmp(bytes, "\x93NUMPY", 6) != 0)
        return;
    n = size - start < sizeof header - 1 ? size - start : sizeof header - 1;
    memcpy(header, (const char *)bytes + start, n);
    header[n] = '\0';
    const char *descr = value_of(header, "descr"), *p = value_of(header, "shape");
    if (descr == NULL || p == NULL || *p != '(')
        return;
    describe_dtype(descr, facts, dtype);
    for (p++; *p != ')' && *p != '\0'; p++) {
        if (*p >= '0' && *p <= '9' && (p[-1] < '0' || p[-1] > '9')) {
            facts->n_shape++;
            used += used + 3 < sizeof shape && facts->n_shape > 1 ? (size_t)snprintf(shape + used, sizeof shape - used, ", ") : 0;
        }
        if (*p >= '0' && *p <= '9' && used + 1 < sizeof shape)
            shape[used++] = *p;
    }
    shape[used] = '\0';
    snprintf(facts->text, sizeof facts->text, facts->n_shape == 0 ? "%s, a single one%s" : "%s [%s]", dtype, shape);
}
