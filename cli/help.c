/* Help texts: what a command's record holds, and the library's table of parameters by group with its defaults. */
#include "cli.h"
#include <string.h>

enum { WIDE = 130 }; /* columns of a line of help */

void cli_overview(FILE *stream)
{
    const cli_command *command;
    cli_grid grid = {.columns = 2, .left = 1, .wrap = WIDE};
    fputs("laminar fits continuous normalizing flows whose ODE is cheap to solve.\n\n"
          "usage: laminar COMMAND ...\n\n",
        stream);
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++) {
        cli_grid_add(&grid, "  %s", command->name);
        cli_grid_add(&grid, "%s", command->summary);
    }
    cli_grid_print(&grid, stream);
    fputs("\n`laminar help COMMAND` (or `laminar COMMAND --help`) shows its flags and an example.\n\n"
          "example:\n"
          "  $ laminar fit toy:pinwheel --tpr --iterations 2000 --out run/\n"
          "  $ laminar score run/ toy:pinwheel:1000:7 -o logp.npy\n"
          "  $ laminar sample run/ -n 1000 -o samples.csv\n",
        stream);
}

void cli_help_group(const cli_command *group, FILE *stream)
{
    cli_grid grid = {.columns = 2, .left = 1, .wrap = WIDE};
    fprintf(stream, "laminar %s: %s\n\nusage: laminar %s COMMAND ...\n\n", group->name, group->summary, group->name);
    for (size_t i = 0; group->parts[i] != NULL; i++) {
        cli_grid_add(&grid, "  %s", group->parts[i]->name);
        cli_grid_add(&grid, "%s", group->parts[i]->summary);
    }
    cli_grid_print(&grid, stream);
    fprintf(stream, "\n%s\n`laminar help %s COMMAND` shows a command's flags.\n\nexample\n%s", group->details, group->name,
        group->example);
}

static void print_options(const cli_command *command, FILE *stream)
{
    cli_grid grid = {.columns = 2, .left = 1, .wrap = WIDE};
    for (const cli_option *option = command->options; option->name != NULL; option++) {
        const char *value = option->value == NULL ? "" : option->value, *space = value[0] == '\0' ? "" : " ";
        if (option->letter != 0)
            cli_grid_add(&grid, "  -%c, --%s%s%s", option->letter, option->name, space, value);
        else
            cli_grid_add(&grid, "  --%s%s%s", option->name, space, value);
        cli_grid_add(&grid, "%s", option->help);
    }
    cli_grid_print(&grid, stream);
}

/* One group of the library's parameters. Short lists of values stand beside the flag, long ones after the text. */
static void print_group(const lam_config *defaults, const char *group, FILE *stream)
{
    const lam_parameter *parameter;
    char value[256];
    cli_grid grid = {.columns = 3, .left = 1, .wrap = WIDE};
    fprintf(stream, "\n%s: flag, default, meaning\n", group);
    for (size_t i = 0; (parameter = lam_parameter_at(i)) != NULL; i++) {
        if (strcmp(parameter->group, group) != 0)
            continue;
        int boolean = strcmp(parameter->values, "true|false") == 0, brief = strlen(parameter->values) <= 14;
        if (boolean)
            cli_grid_add(&grid, "  --[no-]%s", parameter->name);
        else
            cli_grid_add(&grid, "  --%s %s", parameter->name, brief ? parameter->values : "WORD");
        cli_parameter(defaults, parameter->name, value);
        cli_grid_add(&grid, "%s", value[0] == '\0' ? "-" : value);
        if (boolean || brief)
            cli_grid_add(&grid, "%s", parameter->help);
        else
            cli_grid_add(&grid, "%s; %s", parameter->help, parameter->values);
    }
    cli_grid_print(&grid, stream);
}

static void print_parameters(const cli_command *command, FILE *stream)
{
    const lam_parameter *parameter, *before;
    lam_config *defaults = cli_config_create();
    for (size_t i = 0; (parameter = lam_parameter_at(i)) != NULL; i++) {
        size_t first = 0; /* a group is printed where its first parameter stands */
        while ((before = lam_parameter_at(first)) != NULL && strcmp(before->group, parameter->group) != 0)
            first++;
        if (first == i && cli_is_flag(command, i))
            print_group(defaults, parameter->group, stream);
    }
    lam_config_free(defaults);
}

static int has_lists(const cli_command *command)
{
    const cli_option *option = command->options;
    while (option->name != NULL && option->kind != CLI_LIST)
        option++;
    return command->parameters || option->name != NULL;
}

void cli_help(const cli_command *command, FILE *stream)
{
    fprintf(stream, "laminar %s: %s\n\nusage: laminar %s %s\n\n%s\nflags\n", command->name, command->summary,
        command->name, command->arguments, command->details);
    print_options(command, stream);
    if (command->parameters)
        print_parameters(command, stream);
    if (has_lists(command))
        fputs("\nA flag that takes a list may stand on the line several times: --FLAG A --FLAG B means --FLAG A,B. If any other flag is repeated,\n"
              "its last value is used, and a note says so. Put a name that contains a comma into double quotes: '\"a, b\",c'.\n", stream);
    fprintf(stream, "\nexample\n%s", command->example);
}
