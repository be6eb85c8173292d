/* Takes a command line apart. A flag is one of the command's own, or, for fit, a parameter of the library's table: those
 * are kept as (name, value) pairs, since --config must be applied before them wherever it stands on the line. */
#include "cli.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_NAME = 64 };

static const cli_option *find_option(const cli_command *command, const char *name)
{
    for (const cli_option *option = command->options; option->name != NULL; option++)
        if (strcmp(option->name, name) == 0)
            return option;
    return NULL;
}

static const cli_option *find_letter(const cli_command *command, char letter)
{
    for (const cli_option *option = command->options; option->name != NULL; option++)
        if (option->letter == letter)
            return option;
    return NULL;
}

int cli_is_flag(const cli_command *command, size_t index)
{
    return command->parameters && lam_parameter_applies(index, command->kind)
        && strcmp(lam_parameter_at(index)->group, "model") != 0;
}

static const lam_parameter *find_parameter(const cli_command *command, const char *name)
{
    const lam_parameter *parameter, *wanted = lam_parameter_find(name);
    for (size_t i = 0; (parameter = lam_parameter_at(i)) != NULL; i++)
        if (cli_is_flag(command, i) && parameter == wanted)
            return parameter;
    return NULL;
}

/* What lam_config_set takes for a truth. */
static int is_truth(const char *word)
{
    static const char *const words[] = {"true", "false", "yes", "no", "on", "off"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(word, words[i]) == 0)
            return 1;
    return 0;
}

static int is_boolean(const lam_parameter *parameter)
{
    return strcmp(parameter->values, "true|false") == 0;
}

/* A parameter of the library, but one that concerns models of the other kind. */
static int is_of_other_kind(const cli_command *command, const char *name)
{
    const lam_parameter *parameter;
    for (size_t i = 0; command->parameters && (parameter = lam_parameter_at(i)) != NULL; i++)
        if (strcmp(parameter->name, name) == 0 && !lam_parameter_applies(i, command->kind))
            return 1;
    return 0;
}

static int unknown_flag(const cli_command *command, const char *name)
{
    const char *near = NULL;
    size_t nearest = strlen(name) < 6 ? strlen(name) / 2 + 1 : 4, distance;
    const lam_parameter *parameter;
    if (is_of_other_kind(command, name))
        return cli_misuse(command, "%s knows no flag --%s: that is for %s", command->name, name,
            command->kind == LAM_VAE ? "tables of numbers, which `laminar fit` takes" : "images, which `laminar vae fit` takes");
    for (const cli_option *option = command->options; option->name != NULL; option++) {
        if ((distance = lam_name_distance(name, option->name)) < nearest) {
            nearest = distance;
            near = option->name;
        }
    }
    for (size_t i = 0; (parameter = lam_parameter_at(i)) != NULL; i++) {
        if (cli_is_flag(command, i) && (distance = lam_name_distance(name, parameter->name)) < nearest) {
            nearest = distance;
            near = parameter->name;
        }
    }
    if (near == NULL && (near = lam_parameter_nearest(name)) != NULL && find_parameter(command, near) == NULL)
        near = NULL;
    if (near != NULL)
        return cli_misuse(command, "%s knows no flag --%s; did you mean --%s?", command->name, name, near);
    return cli_misuse(command, "%s knows no flag --%s", command->name, name);
}

/* Parses digits only: strtoull would take "-1" for a very large number. */
static int parse_count(const char *text, unsigned long long *value)
{
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
}

static int parse_real(const char *text, double *value)
{
    char *end;
    *value = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*value) && *value >= 0.0;
}

/* ---- flags that stand on the line again ----------------------------------------------------------------------------- */

/* Text that lives as long as the line. */
static const char *keep(cli_line *line, char *text)
{
    return line->owned[line->n_owned++] = text;
}

/* What a flag says that stood on the line before with the value `before`: of a list all items, otherwise what it says last, with a remark. */
static const char *once_more(cli_line *line, const char *name, int is_list, const char *before, const char *value)
{
    if (is_list && before[0] != '\0' && value[0] != '\0')
        return keep(line, cli_format("%s,%s", before, value));
    if (is_list)
        return before[0] == '\0' ? value : before;
    if (strcmp(before, value) != 0)
        cli_say("note: --%s stands on the line more than once; the last counts: %s, not %s", name, value, before);
    return value;
}

/* The value of an option, by all of the line so far. */
static const char *by_the_line(cli_line *line, const cli_option *option, const char *value)
{
    for (size_t i = 0; i < line->n_seen; i++)
        if (line->seen[i].option == option)
            return line->seen[i].value = once_more(line, option->name, option->kind == CLI_LIST, line->seen[i].value, value);
    line->seen[line->n_seen++] = (cli_seen){option, value};
    return value;
}

static void add_parameter(cli_line *line, const lam_parameter *parameter, const char *value)
{
    for (size_t i = 0; i < line->n_set; i++)
        if (strcmp(line->names[i], parameter->name) == 0) {
            line->values[i] = once_more(line, parameter->name, parameter->is_list, line->values[i], value);
            return;
        }
    line->names[line->n_set] = parameter->name;
    line->values[line->n_set++] = value;
}

/* ---- values ----------------------------------------------------------------------------------------------------------- */

static int store(const cli_command *command, const cli_option *option, const char *value, void *values)
{
    void *target = (char *)values + option->offset;
    unsigned long long count = 0;
    double real = 0.0;
    if ((option->kind == CLI_COUNT || option->kind == CLI_SEED) && !parse_count(value, &count))
        return cli_misuse(command, "--%s needs a whole number, not \"%s\"", option->name, value);
    if (option->kind == CLI_REAL && !parse_real(value, &real))
        return cli_misuse(command, "--%s needs a number of at least 0, not \"%s\"", option->name, value);
    int standardised = strcmp(value, "standardised") == 0;
    if (option->kind == CLI_UNITS && !standardised && strcmp(value, "data") != 0)
        return cli_misuse(command, "--%s needs data or standardised, not \"%s\"", option->name, value);
    switch (option->kind) {
    case CLI_SWITCH:
        *(int *)target = 1;
        break;
    case CLI_TEXT:
    case CLI_LIST:
        *(const char **)target = value;
        break;
    case CLI_TEXTS: {
        cli_texts *texts = target;
        if (texts->n == CLI_MOST_TEXTS)
            return cli_misuse(command, "--%s stands more than %d times", option->name, CLI_MOST_TEXTS);
        texts->text[texts->n++] = value;
        break;
    }
    case CLI_COUNT:
        *(size_t *)target = (size_t)count;
        break;
    case CLI_SEED:
        *(uint64_t *)target = count;
        break;
    case CLI_REAL:
        *(double *)target = real;
        break;
    case CLI_UNITS:
        *(lam_units *)target = standardised ? LAM_UNITS_STANDARDISED : LAM_UNITS_DATA;
        break;
    }
    return CLI_OK;
}

/* The words of a line not yet looked at. */
typedef struct cursor {
    int argc, at;
    char **argv;
} cursor;

/* The next word as the value of a flag, NULL if there is none: another flag is none, a negative number is one. */
static const char *next_value(cursor *words)
{
    if (words->at >= words->argc)
        return NULL;
    const char *word = words->argv[words->at];
    if (word[0] == '-' && word[1] != '\0' && !(word[1] >= '0' && word[1] <= '9') && word[1] != '.')
        return NULL;
    words->at++;
    return word;
}

static int set_option(const cli_command *command, const cli_option *option, const char *value, cursor *words,
    void *values, cli_line *line)
{
    if (option->kind == CLI_SWITCH) {
        if (value != NULL)
            return cli_misuse(command, "--%s takes no value", option->name);
        return store(command, option, "", values);
    }
    if (value == NULL && (value = next_value(words)) == NULL)
        return cli_misuse(command, "--%s needs a value: --%s %s", option->name, option->name, option->value);
    return store(command, option, option->kind == CLI_TEXTS ? value : by_the_line(line, option, value), values);
}

static int set_parameter(const cli_command *command, const lam_parameter *parameter, const char *value, cursor *words,
    cli_line *line)
{
    if (value == NULL && is_boolean(parameter)) {
        const char *next = words->at < words->argc ? words->argv[words->at] : "";
        if (is_truth(next))
            value = words->argv[words->at++];
        else
            value = "true";
    }
    if (value == NULL && (value = next_value(words)) == NULL)
        return cli_misuse(command, "--%s needs a value: --%s %s", parameter->name, parameter->name, parameter->values);
    add_parameter(line, parameter, value);
    return CLI_OK;
}

/* word is "--name", "--name=value" or "--no-name". */
static int read_long(const cli_command *command, const char *word, cursor *words, void *values, cli_line *line)
{
    char name[LONGEST_NAME];
    const char *equals = strchr(word, '='), *value = equals == NULL ? NULL : equals + 1;
    size_t length = equals == NULL ? strlen(word) - 2 : (size_t)(equals - word) - 2;
    if (length >= sizeof name)
        return cli_misuse(command, "%s knows no flag %s", command->name, word);
    for (size_t i = 0; i < length; i++)
        name[i] = word[2 + i] == '_' ? '-' : word[2 + i]; /* --batch_size, as other programs of this field have it */
    name[length] = '\0';
    const cli_option *option = find_option(command, name);
    if (option != NULL)
        return set_option(command, option, value, words, values, line);
    const lam_parameter *parameter = find_parameter(command, name);
    if (parameter != NULL)
        return set_parameter(command, parameter, value, words, line);
    if (strncmp(name, "no-", 3) == 0 && value == NULL && (parameter = find_parameter(command, name + 3)) != NULL
        && is_boolean(parameter))
        return set_parameter(command, parameter, "false", words, line);
    return unknown_flag(command, name);
}

/* word is "-l", "-lVALUE". */
static int read_letter(const cli_command *command, const char *word, cursor *words, void *values, cli_line *line)
{
    const cli_option *option = find_letter(command, word[1]);
    if (option == NULL)
        return cli_misuse(command, "%s knows no flag -%c", command->name, word[1]);
    return set_option(command, option, word[2] == '\0' ? NULL : word + 2, words, values, line);
}

/* A word behind a flag that stands alone was probably meant as its value. */
static int too_many_words(const cli_command *command, int argc, char **argv, const cli_line *line)
{
    const char *word = line->words[command->most];
    for (int i = 1; i + 1 < argc && strcmp(argv[i], "--") != 0; i++) {
        char name[LONGEST_NAME];
        snprintf(name, sizeof name, "%s", strncmp(argv[i], "--", 2) == 0 ? argv[i] + 2 : "");
        for (char *c = name; *c != '\0'; c++)
            *c = *c == '_' ? '-' : *c;
        const cli_option *option = find_option(command, name);
        const lam_parameter *parameter = option == NULL ? find_parameter(command, name) : NULL;
        int alone = option != NULL ? option->kind == CLI_SWITCH : parameter != NULL && is_boolean(parameter) && !is_truth(argv[i + 1]);
        if (alone && argv[i + 1][0] != '-')
            return cli_misuse(command, "unexpected word: %s needs %s; \"%s\" stands behind --%s, which takes %s", command->name,
                command->arguments, argv[i + 1], name, option != NULL ? "no value" : "true, false or nothing");
        size_t length = strlen(argv[i]);
        if (length > 1 && argv[i][length - 1] == ',')
            return cli_misuse(command, "unexpected word: \"%s\"; a list stands without blanks behind its commas, or in quotes: '%s %s'", argv[i + 1],
                argv[i], argv[i + 1]);
    }
    return cli_misuse(command, "unexpected word: \"%s\"; %s needs %s", word, command->name, command->arguments);
}

int cli_line_parse(const cli_command *command, int argc, char **argv, void *values, cli_line *line)
{
    cursor words = {argc, 1, argv};
    size_t n = (size_t)argc;
    int code = CLI_OK, only_words = 0;
    *line = (cli_line){.words = cli_alloc(n, sizeof *line->words), .names = cli_alloc(n, sizeof *line->names),
        .values = cli_alloc(n, sizeof *line->values), .seen = cli_alloc(n, sizeof *line->seen), .owned = cli_alloc(n, sizeof *line->owned)};
    while (code == CLI_OK && words.at < argc) {
        const char *word = argv[words.at++];
        if (only_words || word[0] != '-' || word[1] == '\0')
            line->words[line->n_words++] = word;
        else if (strcmp(word, "--") == 0)
            only_words = 1;
        else if (word[1] == '-')
            code = read_long(command, word, &words, values, line);
        else
            code = read_letter(command, word, &words, values, line);
    }
    if (code == CLI_OK && line->n_words < command->least)
        code = cli_misuse(command, "%s needs %s", command->name, command->arguments);
    if (code == CLI_OK && line->n_words > command->most)
        code = too_many_words(command, argc, argv, line);
    return code;
}

void cli_line_free(cli_line *line)
{
    free(line->words);
    free(line->names);
    free(line->values);
    free(line->seen);
    for (size_t i = 0; i < line->n_owned; i++)
        free(line->owned[i]);
    free(line->owned);
    *line = (cli_line){0};
}

/* The library's message, with the dashes of a flag where it begins with the parameter's name. */
static int refused_value(const cli_command *command, const char *name)
{
    const char *error = lam_last_error();
    size_t length = strlen(name);
    if (strncmp(error, name, length) == 0 && error[length] == ':')
        return cli_misuse(command, "--%s", error);
    return cli_misuse(command, "--%s: %s", name, error);
}

int cli_line_apply(const cli_command *command, const cli_line *line, lam_config *cfg)
{
    /* "tpr" sets three other parameters at once, so it goes first: the order on the line does not matter. */
    for (int first = 1; first >= 0; first--) {
        for (size_t i = 0; i < line->n_set; i++) {
            if ((strcmp(line->names[i], "tpr") == 0) != first)
                continue;
            if (lam_config_set(cfg, line->names[i], line->values[i]) != LAM_OK)
                return refused_value(command, line->names[i]);
        }
    }
    return CLI_OK;
}
