/* The program: finds the command and hands it the rest of the line. */
#include "cli.h"
#include "ranks.h"
#include <signal.h>
#include <string.h>
#include <unistd.h>

static const cli_command *const commands[] = {
    &cli_fit, &cli_data, &cli_score, &cli_sample, &cli_predict, &cli_impute, &cli_encode, &cli_decode, &cli_info, &cli_check, &cli_tune, &cli_plot,
    &cli_compare, &cli_experiment, &cli_vae, &cli_bench, NULL,
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

/* A command of a group by its own word: the group's name stands before it. */
static const cli_command *find_part(const cli_command *group, const char *word)
{
    for (size_t i = 0; group->parts[i] != NULL; i++)
        if (strcmp(group->parts[i]->name + strlen(group->name) + 1, word) == 0)
            return group->parts[i];
    return NULL;
}

/* Of a group's commands, or (group NULL) of all. */
static int unknown_command(const cli_command *group, const char *name)
{
    const cli_command *const *list = group == NULL ? commands : group->parts;
    size_t skip = group == NULL ? 0 : strlen(group->name) + 1; /* what comes before the word in their names */
    const char *near = NULL;
    size_t nearest = 3; /* more typing mistakes than that are no typing mistakes */
    for (size_t i = 0; list[i] != NULL; i++) {
        size_t distance = lam_name_distance(name, list[i]->name + skip);
        if (distance < nearest) {
            nearest = distance;
            near = list[i]->name;
        }
    }
    if (near != NULL)
        return cli_misuse(group, "there is no command \"%.*s%s\"; did you mean \"%s\"?", (int)skip, near, name, near);
    return cli_misuse(group, "there is no command \"%.*s%s\"", (int)skip, list[0]->name, name);
}

/* The command that words name, one of a group by two; *used of them. NULL with the message printed; a group alone is found. */
static const cli_command *resolve(int argc, char **argv, int *used)
{
    const cli_command *command = cli_command_find(argv[0]), *part = NULL;
    *used = 1;
    if (command == NULL) {
        unknown_command(NULL, argv[0]);
        return NULL;
    }
    if (command->parts == NULL || argc < 2 || is_help(argv[1]))
        return command;
    *used = 2;
    part = find_part(command, argv[1]);
    if (part == NULL)
        unknown_command(command, argv[1]);
    return part;
}

static void print_help(const cli_command *command, FILE *stream)
{
    if (command->parts != NULL)
        cli_help_group(command, stream);
    else
        cli_help(command, stream);
}

/* `laminar help [COMMAND]` */
static int help(int argc, char **argv)
{
    int used;
    if (argc == 0) {
        cli_overview(stdout);
        return CLI_OK;
    }
    const cli_command *command = resolve(argc, argv, &used);
    if (command == NULL)
        return CLI_USAGE;
    print_help(command, stdout);
    return CLI_OK;
}

static int dispatch(int argc, char **argv)
{
    int used;
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
    if (argv[1][0] == '-')
        return cli_misuse(NULL, "the first word names a command, not the flag %s", argv[1]);
    const cli_command *command = resolve(argc - 1, argv + 1, &used);
    if (command == NULL)
        return CLI_USAGE;
    for (int i = 1 + used; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (is_help(argv[i])) {
            print_help(command, stdout);
            return CLI_OK;
        }
    }
    if (command->parts != NULL) {
        cli_help_group(command, stderr);
        return CLI_USAGE;
    }
    if (!cli_is_first() && !command->shared)
        return CLI_OK;
    if (cli_ranks() != NULL && !command->shared)
        cli_say("note: one process does all of this; fit, score, vae fit and vae eval share their work among those that mpirun starts");
    cli_running(command);
    return command->run(command, argc - used, argv + used);
}

/* A mapped file has become shorter: what is beyond its end cannot be read. */
static void on_short_file(int number)
{
    static const char text[] = "laminar: a file that was being read has become shorter, so that its rows are not all there; let nothing write to it while it is "
                               "read, and start again\n";
    (void)number;
    ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);
    _exit(written < 0 ? CLI_FAILED + 1 : CLI_FAILED);
}

int main(int argc, char **argv)
{
    cli_clock_start();
    signal(SIGBUS, on_short_file);
    signal(SIGXFSZ, SIG_IGN); /* a file too large is a failed write, which is reported, and cleaned up after */
    int code = cli_ranks_begin(&argc, &argv);
    if (code == CLI_OK)
        code = dispatch(argc, argv);
    /* Results that did not reach the disk or the pipe are not results. */
    if (fflush(stdout) != 0 || ferror(stdout)) {
        cli_say("the output could not be written; is the disk full?");
        code = code == CLI_OK ? CLI_FAILED : code;
    }
    return cli_ranks_end(code);
}
