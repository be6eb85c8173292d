/* The run's folder: made before there is anything to write, and cleared of what a fit that has ended leaves to nobody. */
#include "fit.h"
#include "ranks.h"
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *made;           /* the folder's path; NULL: this process has made none */
static size_t standing;      /* the length of the part of it that was there before */
static char **kept;          /* [n_kept] files of rows */
static size_t n_kept;
static char *farewell;       /* what a signal while data are read says of these; NULL: nothing */

int fit_make_folder(const char *folder)
{
    char *path = cli_format("%s", folder);
    int code = CLI_OK;
    for (char *end = path + 1; code == CLI_OK; end++) {
        char c = *end;
        if (c != '/' && c != '\0')
            continue;
        *end = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            code = cli_fail("cannot make the folder %.*s: %s", (int)(end - path), folder, strerror(errno));
        *end = c;
        if (c == '\0')
            break;
    }
    free(path);
    return code;
}

/* The length of path [n] without its last part, and without the slash in front of it. */
static size_t parent(const char *path, size_t n)
{
    while (n > 0 && path[n - 1] == '/')
        n--;
    while (n > 0 && path[n - 1] != '/')
        n--;
    while (n > 0 && path[n - 1] == '/')
        n--;
    return n;
}

static size_t length_standing(const char *folder)
{
    char *path = cli_format("%s", folder);
    size_t n = strlen(path);
    while (n > 0 && !cli_exists(path))
        path[n = parent(path, n)] = '\0';
    free(path);
    return n;
}

/* Takes the folders away that were made, from the innermost on, as far as they are empty. Calls nothing that a signal handler must not. */
static void unmake(void)
{
    if (made == NULL)
        return;
    for (size_t n = strlen(made); n > standing; made[n = parent(made, n)] = '\0')
        if (rmdir(made) != 0)
            break;
}

/* ---- rows that are kept ------------------------------------------------------------------------------------------- */

/* Which files there are, and their size; NULL: none. Free it. */
static char *tell_kept(void)
{
    struct stat info;
    double bytes = 0;
    char *names = NULL;
    for (size_t i = 0; i < n_kept; i++)
        if (stat(kept[i], &info) == 0) {
            char *more = cli_format("%s%s%s", names != NULL ? names : "", names != NULL ? ", " : "", kept[i]);
            free(names);
            names = more;
            bytes += (double)info.st_size;
        }
    char *text = names == NULL ? NULL : cli_format("laminar: the rows that were read from text stay in %s (%.0f MB) until the work is finished, so that it need not be "
        "read again\n", names, bytes / 1e6);
    free(names);
    return text;
}

void fit_note_kept(const char *path)
{
    for (size_t i = 0; i < n_kept; i++)
        if (strcmp(kept[i], path) == 0)
            return;
    char **more = cli_alloc(n_kept + 1, sizeof *more);
    if (n_kept > 0)
        memcpy(more, kept, n_kept * sizeof *more);
    more[n_kept++] = cli_format("%s", path);
    free(kept);
    kept = more;
    free(farewell);
    farewell = tell_kept();
}

static void remove_kept(const char *folder)
{
    const struct dirent *entry;
    for (size_t i = 0; i < n_kept; i++)
        unlink(kept[i]);
    DIR *dir = cli_is_first() && folder != NULL ? opendir(folder) : NULL;
    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (strncmp(entry->d_name, "rows-", 5) == 0 && cli_ends_with(entry->d_name, ".cache")) {
            char *path = cli_path_join(folder, entry->d_name);
            unlink(path);
            free(path);
        }
    if (dir != NULL)
        closedir(dir);
}

void fit_end_kept(const char *folder, int stay)
{
    char *text = stay ? tell_kept() : NULL;
    if (text != NULL)
        fputs(text, stderr);
    if (!stay)
        remove_kept(folder);
    for (size_t i = 0; i < n_kept; i++)
        free(kept[i]);
    free(kept);
    free(text);
    free(farewell);
    kept = NULL, farewell = NULL;
    n_kept = 0;
}

/* ---- begin and end ------------------------------------------------------------------------------------------------ */

static void end_while_reading(int number)
{
    if (farewell != NULL && write(STDERR_FILENO, farewell, strlen(farewell)) < 0)
        errno = 0; /* nobody is left to be told */
    unmake();
    raise(number); /* its own doing, from here on */
}

/* Until fit_catch_signals, which has the fit stop by itself. */
static void guard(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action, before;
    memset(&action, 0, sizeof action);
    action.sa_handler = end_while_reading;
    action.sa_flags = (int)SA_RESETHAND;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
            sigaction(signals[i], &action, NULL);
}

int fit_begin_folder(const char *folder)
{
    made = cli_format("%s", folder);
    standing = length_standing(folder);
    guard();
    return fit_make_folder(folder);
}

void fit_end_folder(const char *folder, int code)
{
    int is_run = folder != NULL && fit_holds_run(folder);
    fit_end_kept(is_run ? folder : NULL, is_run && code != CLI_OK);
    unmake();
    free(made);
    made = NULL;
}
