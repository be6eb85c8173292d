#include "model/config_yaml.h"
#include "base/error.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "model/parameters.h"
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* ---- reading ------------------------------------------------------------------------------------------------------ */

/* What the file says of one parameter; text is NULL if nothing. */
typedef struct entry {
    char *text; /* lists joined as lam_param_set takes them */
    yaml_mark_t key, value;
} entry;

typedef struct reader {
    yaml_parser_t parser;
    const char *where;
    entry *entries; /* one a parameter of the table */
} reader;

/* Puts where:line:column, counted from 1 as editors do, before the failure's text. */
static lam_status at(const reader *r, yaml_mark_t mark, lam_status status)
{
    return lam_fail_in(status, "%s:%zu:%zu", r->where, mark.line + 1, mark.column + 1);
}

static lam_status next_event(reader *r, yaml_event_t *event)
{
    const yaml_parser_t *p = &r->parser;
    if (yaml_parser_parse(&r->parser, event))
        return LAM_OK;
    memset(event, 0, sizeof *event);
    const char *problem = p->problem != NULL ? p->problem : "it cannot be read";
    switch (p->error) {
    case YAML_MEMORY_ERROR:
        return lam_fail(LAM_ERR_MEMORY, "out of memory while reading %s", r->where);
    case YAML_READER_ERROR: /* not text at all: there is no line to name */
        return lam_fail(LAM_ERR_FORMAT, "%s: byte %zu: not a YAML text: %s", r->where, p->problem_offset, problem);
    default:
        lam_fail(LAM_ERR_FORMAT, "not YAML: %s%s%s", problem, p->context != NULL ? ", " : "",
            p->context != NULL ? p->context : "");
        return at(r, p->problem_mark, LAM_ERR_FORMAT);
    }
}

static const char *event_name(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return "a single value";
    case YAML_SEQUENCE_START_EVENT:
        return "a list";
    case YAML_MAPPING_START_EVENT:
        return "a nested mapping";
    case YAML_ALIAS_EVENT:
        return "an alias";
    case YAML_DOCUMENT_START_EVENT:
        return "a second document";
    default:
        return "the end";
    }
}

static lam_status unexpected(const reader *r, const yaml_event_t *event, const char *expected)
{
    lam_fail(LAM_ERR_FORMAT, "%s stands where %s is expected", event_name(event), expected);
    return at(r, event->start_mark, LAM_ERR_FORMAT);
}

/* Appends the scalar to *text (malloc'd or NULL), after separator unless it is the first. */
static lam_status append(const reader *r, const yaml_event_t *event, char separator, char **text)
{
    const char *value = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length, used = *text == NULL ? 0 : strlen(*text);
    if (memchr(value, '\0', length) != NULL) {
        lam_fail(LAM_ERR_FORMAT, "a value holds a NUL character");
        return at(r, event->start_mark, LAM_ERR_FORMAT);
    }
    char *larger = realloc(*text, used + length + 2);
    if (larger == NULL)
        return lam_fail(LAM_ERR_MEMORY, "out of memory while reading %s", r->where);
    if (*text != NULL)
        larger[used++] = separator;
    memcpy(larger + used, value, length);
    larger[used + length] = '\0';
    *text = larger;
    return LAM_OK;
}

/* The rest of a list that begins at start: [60, 60] or one "- item" a line. */
static lam_status read_list(reader *r, yaml_mark_t start, const lam_param *param, char **text)
{
    lam_status status = LAM_OK;
    int done = 0, dims = param->kind == LAM_PARAM_DIMS;
    if (!dims && param->kind != LAM_PARAM_LIST && param->kind != LAM_PARAM_NOISE) {
        lam_fail(LAM_ERR_ARGUMENT, "%s: takes one value (%s), not a list", param->shown.name, param->shown.values);
        return at(r, start, LAM_ERR_ARGUMENT);
    }
    while (status == LAM_OK && !done) {
        yaml_event_t event;
        LAM_TRY(next_event(r, &event));
        if (event.type == YAML_SEQUENCE_END_EVENT) {
            done = 1;
        } else if (event.type != YAML_SCALAR_EVENT) {
            status = unexpected(r, &event, "a list's item (put it in quotes if it contains \": \")");
        } else if (!dims && memchr(event.data.scalar.value, ',', event.data.scalar.length) != NULL) {
            lam_fail(LAM_ERR_ARGUMENT, "%s: an item with a comma; name that column by its number", param->shown.name);
            status = at(r, event.start_mark, LAM_ERR_ARGUMENT);
        } else if (event.data.scalar.length == 0) {
            lam_fail(LAM_ERR_ARGUMENT, "%s: an empty item", param->shown.name);
            status = at(r, event.start_mark, LAM_ERR_ARGUMENT);
        } else {
            status = append(r, &event, dims ? '-' : ',', text);
        }
        yaml_event_delete(&event);
    }
    if (status == LAM_OK && *text == NULL && (*text = lam_strdup("")) == NULL) /* [] */
        status = LAM_ERR_MEMORY;
    return status;
}

static lam_status read_value(reader *r, const lam_param *param, entry *e)
{
    yaml_event_t event;
    lam_status status;
    LAM_TRY(next_event(r, &event));
    e->value = event.start_mark;
    if (event.type == YAML_SCALAR_EVENT) {
        status = append(r, &event, '\0', &e->text);
    } else if (event.type == YAML_SEQUENCE_START_EVENT) {
        status = read_list(r, e->value, param, &e->text);
    } else {
        status = unexpected(r, &event, "a value");
    }
    yaml_event_delete(&event);
    return status;
}

/* A key has been read; its value follows. */
static lam_status read_pair(reader *r, const yaml_event_t *event)
{
    if (event->type != YAML_SCALAR_EVENT)
        return unexpected(r, event, "a parameter's name");
    const char *name = (const char *)event->data.scalar.value;
    size_t index = 0;
    const lam_param *param = strlen(name) == event->data.scalar.length ? lam_param_find(name, &index) : NULL;
    if (param == NULL)
        return at(r, event->start_mark, lam_param_unknown(name));
    entry *e = &r->entries[index];
    if (e->text != NULL) {
        lam_fail(LAM_ERR_ARGUMENT, "%s stands here for a second time, first in line %zu; remove one", param->shown.name,
            e->key.line + 1);
        return at(r, event->start_mark, LAM_ERR_ARGUMENT);
    }
    e->key = event->start_mark;
    return read_value(r, param, e);
}

/* The mapping's pairs, its start already read. */
static lam_status read_pairs(reader *r)
{
    for (;;) {
        yaml_event_t event;
        LAM_TRY(next_event(r, &event));
        int done = event.type == YAML_MAPPING_END_EVENT;
        lam_status status = done ? LAM_OK : read_pair(r, &event);
        yaml_event_delete(&event);
        if (done || status != LAM_OK)
            return status;
    }
}

/* Nothing at all, or one document that is one mapping. */
static lam_status read_stream(reader *r)
{
    int mappings = 0;
    for (;;) {
        yaml_event_t event;
        lam_status status = LAM_OK;
        LAM_TRY(next_event(r, &event));
        yaml_event_type_t type = event.type;
        if (type == YAML_MAPPING_START_EVENT && mappings++ == 0)
            status = read_pairs(r);
        else if (type == YAML_DOCUMENT_START_EVENT ? mappings > 0 : type == YAML_SCALAR_EVENT
                     || type == YAML_SEQUENCE_START_EVENT || type == YAML_ALIAS_EVENT)
            status = unexpected(r, &event, "\"name: value\"");
        yaml_event_delete(&event);
        if (type == YAML_STREAM_END_EVENT || type == YAML_NO_EVENT || status != LAM_OK)
            return status;
    }
}

/* In the table's order, onto a copy of cfg. */
static lam_status apply(const reader *r, lam_config *cfg)
{
    const lam_param *param;
    for (size_t i = 0; (param = lam_param_at(i)) != NULL; i++) {
        const entry *e = &r->entries[i];
        if (e->text == NULL)
            continue;
        lam_status status = lam_param_set(param, cfg, e->text);
        if (status != LAM_OK)
            return at(r, e->value, status);
    }
    for (size_t i = 0; (param = lam_param_at(i)) != NULL; i++) {
        if (param->kind != LAM_PARAM_TPR || r->entries[i].text == NULL)
            continue;
        char now[8];
        lam_config said = { 0 };
        LAM_TRY(lam_param_set(param, &said, r->entries[i].text));
        LAM_TRY(lam_param_get(param, cfg, now, sizeof now));
        if ((said.tpr_coefficient > 0) != (cfg->tpr_coefficient > 0)) {
            lam_fail(LAM_ERR_ARGUMENT, "tpr: says %s, but tpr-coefficient makes it %s; remove one of the two",
                said.tpr_coefficient > 0 ? "true" : "false", now);
            return at(r, r->entries[i].value, LAM_ERR_ARGUMENT);
        }
    }
    return LAM_OK;
}

static size_t parameter_count(void)
{
    size_t n = 0;
    while (lam_param_at(n) != NULL)
        n++;
    return n;
}

lam_status lam_config_parse(lam_config *cfg, const char *text, size_t size, const char *where)
{
    size_t n = parameter_count();
    reader r = { .where = where, .entries = lam_alloc(n, sizeof(entry)) };
    if (r.entries == NULL)
        return LAM_ERR_MEMORY;
    if (!yaml_parser_initialize(&r.parser)) {
        lam_free(r.entries);
        return lam_fail(LAM_ERR_MEMORY, "out of memory while reading %s", where);
    }
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, size);
    lam_config changed;
    lam_config_init(&changed);
    lam_status status = read_stream(&r);
    if (status == LAM_OK)
        status = lam_config_copy(&changed, cfg);
    if (status == LAM_OK)
        status = apply(&r, &changed);
    if (status == LAM_OK) { /* the strings change hands */
        lam_config old = *cfg;
        *cfg = changed;
        changed = old;
    }
    lam_config_clear(&changed);
    yaml_parser_delete(&r.parser);
    for (size_t i = 0; i < n; i++)
        free(r.entries[i].text);
    lam_free(r.entries);
    return status;
}

lam_status lam_config_load(lam_config *cfg, const char *yaml_path)
{
    char *text;
    size_t size;
    LAM_TRY(lam_file_read(yaml_path, &text, &size));
    lam_status status = lam_config_parse(cfg, text, size, yaml_path);
    free(text);
    return status;
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

/* Characters that a YAML reader hands back as they stand between double quotes; the others are escaped. */
static int stands_plain(uint32_t c)
{
    return c != '"' && c != '\\'
        && ((c >= 0x20 && c < 0x7f) || (c > 0xa0 && c < 0x2028) || (c > 0x2029 && c < 0xfeff)
            || (c > 0xfeff && c < 0xfffe) || c >= 0x10000);
}

/* n bytes of item in double quotes; 0, or -1 if they are not UTF-8. */
static int print_quoted(FILE *out, const char *item, size_t n)
{
    fputc('"', out);
    for (const char *p = item; p < item + n;) {
        const char *start = p;
        uint32_t c = lam_utf8_next(&p);
        if (c == UINT32_MAX)
            return -1;
        if (stands_plain(c))
            fwrite(start, 1, (size_t)(p - start), out);
        else
            fprintf(out, "\\u%04x", (unsigned)c);
    }
    fputc('"', out);
    return 0;
}

/* A list as ["a", "b"]; text may be NULL. */
static lam_status print_list(FILE *out, const lam_param *param, const char *text)
{
    fputc('[', out);
    for (const char *p = text; p != NULL && *p != '\0';) {
        size_t n = strcspn(p, ",");
        if (print_quoted(out, p, n) != 0)
            return lam_fail(LAM_ERR_ARGUMENT, "%s: the text is not UTF-8; name the columns by number", param->shown.name);
        p += n;
        if (*p == ',') {
            fputs(", ", out);
            p++;
        }
    }
    fputc(']', out);
    return LAM_OK;
}

static lam_status print_value(FILE *out, const lam_param *param, const lam_config *cfg)
{
    char value[512];
    if (param->kind == LAM_PARAM_LIST || param->kind == LAM_PARAM_NOISE) {
        const char *text = *(char *const *)((const char *)cfg + param->offset);
        return print_list(out, param, text);
    }
    LAM_TRY(lam_param_get(param, cfg, value, sizeof value));
    if (param->kind != LAM_PARAM_DIMS) {
        fputs(value, out);
        return LAM_OK;
    }
    fputc('[', out);
    for (const char *p = value; *p != '\0'; p++)
        fputs(*p == '-' ? ", " : (char[]){ *p, '\0' }, out);
    fputc(']', out);
    return LAM_OK;
}

static lam_status print_all(FILE *out, const lam_config *cfg)
{
    const lam_param *param;
    const char *group = "";
    fprintf(out, "# Configuration of laminar %s: every value in effect.\n", LAM_VERSION);
    for (size_t i = 0; (param = lam_param_at(i)) != NULL; i++) {
        if (!lam_parameter_applies(i, cfg->model))
            continue;
        if (strcmp(group, param->shown.group) != 0) {
            group = param->shown.group;
            fprintf(out, "\n# ---- %s ----\n", group);
        }
        if (param->kind == LAM_PARAM_TPR) { /* a shorthand has no value of its own */
            fprintf(out, "# %s: %s\n", param->shown.name, param->shown.help);
            continue;
        }
        fprintf(out, "# %s\n%s: ", param->shown.help, param->shown.name);
        LAM_TRY(print_value(out, param, cfg));
        fputc('\n', out);
    }
    return LAM_OK;
}

lam_status lam_config_print(const lam_config *cfg, char **text, size_t *size)
{
    *text = NULL;
    *size = 0;
    FILE *out = open_memstream(text, size);
    if (out == NULL)
        return lam_fail(LAM_ERR_MEMORY, "out of memory while printing the configuration");
    lam_status status = print_all(out, cfg);
    if (fclose(out) != 0 && status == LAM_OK)
        status = lam_fail(LAM_ERR_MEMORY, "out of memory while printing the configuration");
    if (status != LAM_OK) {
        free(*text);
        *text = NULL;
        *size = 0;
    }
    return status;
}

lam_status lam_config_save(const lam_config *cfg, const char *yaml_path)
{
    char *text;
    size_t size;
    lam_out_file out;
    LAM_TRY(lam_config_print(cfg, &text, &size));
    lam_status status = lam_out_open(&out, yaml_path);
    if (status == LAM_OK) {
        fwrite(text, 1, size, out.stream); /* a short write makes the commit fail */
        status = lam_out_commit(&out);
    }
    free(text);
    return status;
}
