/* Reads YAML event by event, and reports mistakes with line and column. */
#include "model/yaml_events.h"
#include "base/error.h"
#include <stdlib.h>
#include <string.h>

lam_status lam_yaml_open(lam_yaml *yaml, const char *text, size_t size, const char *where)
{
    yaml->where = where;
    if (!yaml_parser_initialize(&yaml->parser))
        return lam_fail(LAM_ERR_MEMORY, "out of memory while reading %s", where);
    yaml_parser_set_input_string(&yaml->parser, (const unsigned char *)text, size);
    return LAM_OK;
}

void lam_yaml_close(lam_yaml *yaml)
{
    yaml_parser_delete(&yaml->parser);
}

lam_status lam_yaml_at(const char *where, yaml_mark_t mark, lam_status status)
{
    return lam_fail_in(status, "%s:%zu:%zu", where, mark.line + 1, mark.column + 1);
}

lam_status lam_yaml_next(lam_yaml *yaml, yaml_event_t *event)
{
    const yaml_parser_t *p = &yaml->parser;
    if (yaml_parser_parse(&yaml->parser, event))
        return LAM_OK;
    memset(event, 0, sizeof *event);
    const char *problem = p->problem != NULL ? p->problem : "it cannot be read";
    switch (p->error) {
    case YAML_MEMORY_ERROR:
        return lam_fail(LAM_ERR_MEMORY, "out of memory while reading %s", yaml->where);
    case YAML_READER_ERROR: /* not text at all: there is no line to name */
        return lam_fail(LAM_ERR_FORMAT, "%s: byte %zu: not a YAML text: %s", yaml->where, p->problem_offset, problem);
    default:
        lam_fail(LAM_ERR_FORMAT, "not YAML: %s%s%s", problem, p->context != NULL ? ", " : "",
            p->context != NULL ? p->context : "");
        return lam_yaml_at(yaml->where, p->problem_mark, LAM_ERR_FORMAT);
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

lam_status lam_yaml_unexpected(const lam_yaml *yaml, const yaml_event_t *event, const char *expected)
{
    lam_fail(LAM_ERR_FORMAT, "%s stands where %s is expected", event_name(event), expected);
    return lam_yaml_at(yaml->where, event->start_mark, LAM_ERR_FORMAT);
}

lam_status lam_yaml_append(const lam_yaml *yaml, const yaml_event_t *event, char separator, char **text)
{
    const char *value = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length, used = *text == NULL ? 0 : strlen(*text);
    if (memchr(value, '\0', length) != NULL) {
        lam_fail(LAM_ERR_FORMAT, "a value holds a NUL character");
        return lam_yaml_at(yaml->where, event->start_mark, LAM_ERR_FORMAT);
    }
    char *larger = realloc(*text, used + length + 2);
    if (larger == NULL)
        return lam_fail(LAM_ERR_MEMORY, "out of memory while reading %s", yaml->where);
    if (*text != NULL)
        larger[used++] = separator;
    memcpy(larger + used, value, length);
    larger[used + length] = '\0';
    *text = larger;
    return LAM_OK;
}

lam_status lam_yaml_document(lam_yaml *yaml, lam_status (*pairs)(void *arg, lam_yaml *yaml), void *arg)
{
    int mappings = 0;
    for (;;) {
        yaml_event_t event;
        lam_status status = LAM_OK;
        LAM_TRY(lam_yaml_next(yaml, &event));
        yaml_event_type_t type = event.type;
        if (type == YAML_MAPPING_START_EVENT && mappings++ == 0)
            status = pairs(arg, yaml);
        else if (type == YAML_DOCUMENT_START_EVENT ? mappings > 0 : type == YAML_SCALAR_EVENT
                     || type == YAML_SEQUENCE_START_EVENT || type == YAML_ALIAS_EVENT)
            status = lam_yaml_unexpected(yaml, &event, "\"name: value\"");
        yaml_event_delete(&event);
        if (type == YAML_STREAM_END_EVENT || type == YAML_NO_EVENT || status != LAM_OK)
            return status;
    }
}
