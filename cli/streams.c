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

/* ---- input -------------------------------------------------------------------------------------------------------- */

/* Puts a file that can be read again in the place of a pipe. Where it begins, or -1 with errno. */
static off_t make_seekable(void)
{
    char block[1 << 16];
    ssize_t got = 0;
    off_t begin = lseek(STDIN_FILENO, 0, SEEK_CUR);
    if (begin >= 0 || errno != ESPIPE)
        return begin;
    FILE *copy = tmpfile();
    if (copy == NULL)
        return -1;
    while ((got = read(STDIN_FILENO, block, sizeof block)) > 0 || (got < 0 && errno == EINTR))
        if (got > 0 && fwrite(block, 1, (size_t)got, copy) != (size_t)got)
            got = -1;
    int failed = got < 0 || fflush(copy) != 0 || dup2(fileno(copy), STDIN_FILENO) < 0, why = errno;
    fclose(copy);
    errno = why;
    return failed ? -1 : 0;
}

/* Standard input from where it began, however often it is read. */
static void rewind_input(const char *path)
{
    static off_t begin = -1; /* of standard input, once it can be read again */
    if (cli_is_stream(path) && begin < 0 && (begin = make_seekable()) < 0) {
        cli_fail("standard input cannot be read: %s", strerror(errno));
        exit(CLI_FAILED);
    }
    if (cli_is_stream(path))
        (void)lseek(STDIN_FILENO, begin, SEEK_SET);
}

lam_status cli_table_read(const char *path, const lam_read_options *options, lam_table **table)
{
    rewind_input(path);
    return lam_table_read(path, options, table);
}

lam_status cli_reader_open(const char *path, const lam_read_options *options, lam_reader **reader)
{
    rewind_input(path);
    return lam_reader_open(path, options, reader);
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
