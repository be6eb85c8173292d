/* The program: finds the command and hands it the rest of the line. */
#include "cli.h"
#include <signal.h>
#include <string.h>

static const cli_command *const commands[] = {
    &cli_fit, &cli_score, &cli_sample, &cli_encode, &cli_decode, &cli_info, &cli_check, &cli_compare, &cli_bench, NULL,
};

const cli_command *cli_command_at(size_t index)
{
    return index < sizeof commands / sizeof commands[0] ? commands[index] : NULL;
}

const cli_command *cli_command_find(const char *name)
{
    for (size_t i = 0; commands[i] != NULL; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static int is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static int unknown_command(const char *name)
{
    const char *near = NULL;
    size_t nearest = 3; /* more typing mistakes than that are no typing mistakes */
    for (size_t i = 0; commands[i] != NULL; i++) {
        size_t distance = cli_distance(name, commands[i]->name);
        if (distance < nearest) {
            nearest = distance;
            near = commands[i]->name;
        }
    }
    if (near != NULL)
        return cli_misuse(NULL, "there is no command \"%s\"; did you mean \"%s\"?", name, near);
    return cli_misuse(NULL, "there is no command \"%s\"", name);
}

/* `laminar help [COMMAND]` */
static int help(int argc, char **argv)
{
    if (argc == 0) {
        cli_overview(stdout);
        return CLI_OK;
    }
    const cli_command *command = cli_command_find(argv[0]);
    if (command == NULL)
        return unknown_command(argv[0]);
    cli_help(command, stdout);
    return CLI_OK;
}

static int dispatch(int argc, char **argv)
{
    if (argc < 2) {
        cli_overview(stderr);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        printf("laminar %s\n", lam_version());
        return CLI_OK;
    }
    if (is_help(argv[1]) || strcmp(argv[1], "help") == 0)
        return help(argc - 2, argv + 2);
    const cli_command *command = cli_command_find(argv[1]);
    if (command == NULL && argv[1][0] == '-')
        return cli_misuse(NULL, "the first word names a command, not the flag %s", argv[1]);
    if (command == NULL)
        return unknown_command(argv[1]);
    for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (is_help(argv[i])) {
            cli_help(command, stdout);
            return CLI_OK;
        }
    }
    return command->run(command, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    signal(SIGXFSZ, SIG_IGN); /* a file too large is a failed write, which is reported, and cleaned up after */
    int code = dispatch(argc, argv);
    /* Results that did not reach the disk or the pipe are not results. */
    if (fflush(stdout) != 0 || ferror(stdout)) {
        cli_say("the output could not be written; is the disk full?");
        code = code == CLI_OK ? CLI_FAILED : code;
    }
    return code;
}
