/* Standard input and output as files of tables: "-". */
#include "cli.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int cli_is_stream(const char *path)
{
    return path != NULL && strcmp(path, "-") == 0;
}

const char *cli_input_name(const char *path)
{
    return cli_is_stream(path) ? "standard input" : path;
}

const char *cli_output_name(const char *path)
{
    return cli_is_stream(path) ? "standard output" : path;
}

int cli_stdin_once(const char *a, const char *b, const char *c)
{
    int times = cli_is_stream(a) + cli_is_stream(b) + cli_is_stream(c);
    return times < 2 ? CLI_OK : cli_misuse(NULL, "standard input can be read once, and - stands for it %d times; name files for the others", times);
}

/* ---- output ------------------------------------------------------------------------------------------------------- */

static int table_output = STDOUT_FILENO; /* where a table goes that has no file */

int cli_stdout_reserve(void)
{
    if (table_output != STDOUT_FILENO)
        return CLI_OK;
    fflush(stdout);
    int own = dup(STDOUT_FILENO);
    if (own < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        return cli_fail("cannot write to standard output: %s", strerror(errno));
    table_output = own;
    return CLI_OK;
}

int cli_stdout_table(void)
{
    return table_output;
}
