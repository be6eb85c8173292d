/* Messages, the line of progress, and the few helpers that every command needs. */
#include "cli.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static int status_shown; /* a progress line stands on the terminal, its end not yet written */

static void say(const char *format, va_list args)
{
    cli_status_line("");
    fflush(stdout); /* where both streams go to one place, keep the order */
    fputs("laminar: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

void cli_say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(format, args);
    va_end(args);
}

int cli_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(format, args);
    va_end(args);
    return CLI_FAILED;
}

static const cli_command *running; /* the one that the line named */

void cli_running(const cli_command *command)
{
    running = command;
}

int cli_misuse(const cli_command *command, const char *format, ...)
{
    va_list args;
    if (command == NULL)
        command = running;
    va_start(args, format);
    say(format, args);
    va_end(args);
    if (command == NULL)
        fputs("`laminar help` lists the commands.\n", stderr);
    else
        fprintf(stderr, "`laminar help %s` lists its %s.\n", command->name, command->parts != NULL ? "commands" : "flags");
    return CLI_USAGE;
}

int cli_library_failed(void)
{
    return cli_fail("%s", lam_last_error());
}

void cli_log(void *user, const char *line)
{
    (void)user;
    cli_say("%s", line);
}

int cli_is_terminal(void)
{
    return isatty(STDERR_FILENO);
}

void cli_status_line(const char *text)
{
    struct winsize size = {0};
    if (text[0] == '\0' && !status_shown)
        return;
    int width = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1 : 79;
    fprintf(stderr, "\r%.*s\033[K", width, text); /* ESC [ K wipes what an earlier, longer line left */
    fflush(stderr);
    status_shown = text[0] != '\0';
}

const char *cli_duration(double seconds, char text[32])
{
    if (!(seconds >= 0.0) || seconds > 1e8)
        snprintf(text, 32, "?");
    else if (seconds < 60.0)
        snprintf(text, 32, "%.1f s", seconds);
    else if (seconds < 3600.0)
        snprintf(text, 32, "%dm%02ds", (int)seconds / 60, (int)seconds % 60);
    else
        snprintf(text, 32, "%dh%02dm", (int)seconds / 3600, (int)seconds / 60 % 60);
    return text;
}

double cli_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double program_start;

void cli_clock_start(void)
{
    program_start = cli_clock();
}

double cli_used(void)
{
    return cli_clock() - program_start;
}

double cli_processor_used(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + 1e-9 * (double)used.tv_nsec;
}

void cli_progress_line(const char *line, double seconds, double *last)
{
    int terminal = cli_is_terminal();
    double now = cli_clock();
    if (seconds < CLI_PATIENCE || now - *last < (terminal ? 0.2 : 10.0))
        return;
    if (terminal)
        cli_status_line(line);
    else
        cli_say("%s", line);
    *last = now;
}

int cli_progress_show(void *user, size_t done, size_t total)
{
    cli_progress *progress = user;
    double spent = cli_clock() - progress->start;
    char line[160], left[32];
    cli_duration(done > 0 ? spent * (double)(total - done) / (double)done : -1.0, left);
    snprintf(line, sizeof line, "%s: %zu of %zu, %s left", progress->what, done, total, left);
    cli_progress_line(line, spent, &progress->last);
    return 0;
}

void cli_progress_begin(cli_progress *progress, const char *what, double start)
{
    *progress = (cli_progress){.what = what, .start = start, .last = start - 60.0};
}

void cli_progress_start(cli_progress *progress, const char *what, lam_eval_options *options)
{
    cli_progress_begin(progress, what, cli_clock());
    options->progress = cli_progress_show;
    options->user = progress;
}

void cli_progress_end(void)
{
    cli_status_line("");
}

static void out_of_memory(void)
{
    cli_say("out of memory");
    exit(CLI_FAILED);
}

void *cli_alloc(size_t count, size_t size)
{
    void *p = calloc(count == 0 ? 1 : count, size);
    if (p == NULL)
        out_of_memory();
    return p;
}

char *cli_format_list(const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = cli_alloc(n < 0 ? 1 : (size_t)n + 1, 1);
    if (n > 0)
        vsnprintf(text, (size_t)n + 1, format, args);
    return text;
}

char *cli_format(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = cli_format_list(format, args);
    va_end(args);
    return text;
}

const char *cli_processor(char name[128])
{
    char line[256];
    FILE *stream = fopen("/proc/cpuinfo", "r");
    name[0] = '\0';
    while (stream != NULL && name[0] == '\0' && fgets(line, sizeof line, stream) != NULL) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && colon != NULL && colon[1] != '\0')
            snprintf(name, 128, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
    }
    if (stream != NULL)
        fclose(stream);
    return name;
}

char *cli_few(const char *const *names, size_t n)
{
    size_t shown = n <= CLI_FEW + 1 ? n : CLI_FEW; /* "and 1 others" would save nothing */
    char *list = cli_format("%s", n > 0 ? names[0] : "none");
    for (size_t k = 1; k < shown; k++) {
        char *longer = cli_format("%s, %s", list, names[k]);
        free(list);
        list = longer;
    }
    if (shown == n)
        return list;
    char *whole = cli_format("%s and %zu others", list, n - shown);
    free(list);
    return whole;
}
