/* For the tests of recipes: raw files that grow, makings and their notes. Include after cmocka.h and scratch.h. */
#ifndef LAM_TESTS_RECIPES_H
#define LAM_TESTS_RECIPES_H
#include "fails.h"
#include "data/recipe.h"
#include "laminar/recipe.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORKS(call)                           \
    do {                                      \
        if ((call) != LAM_OK)                 \
            fail_msg("%s", lam_last_error()); \
    } while (0)

/* ---- text that grows ---------------------------------------------------------------------------------------------- */

typedef struct text {
    char *data;
    size_t size, room;
} text;

static inline void add(text *t, const char *format, ...)
{
    va_list args;
    if (t->room - t->size < 2048) {
        t->room = 2 * t->room + 4096;
        t->data = realloc(t->data, t->room);
        assert_non_null(t->data);
    }
    va_start(args, format);
    t->size += (size_t)vsnprintf(t->data + t->size, 2048, format, args);
    va_end(args);
}

/* Writes it as a file and forgets it. */
static inline const char *save(text *t, const char *name)
{
    const char *path = scratch_write(name, t->data, t->size);
    free(t->data);
    *t = (text){ 0 };
    return path;
}

static inline const char *save_gzipped(const char *name, const text *t)
{
    const char *path = scratch_path(name);
    gzFile file = gzopen(path, "wb");
    assert_int_equal(gzwrite(file, t->data, (unsigned)t->size), t->size);
    assert_int_equal(gzclose(file), Z_OK);
    return path;
}

/* ---- making ------------------------------------------------------------------------------------------------------- */

static char notes[4096]; /* lines of the last making */

static inline void note(void *user, const char *line)
{
    (void)user;
    size_t used = strlen(notes);
    snprintf(notes + used, sizeof notes - used, "%s\n", line);
}

static inline void expect_note(const char *wanted)
{
    if (strstr(notes, wanted) == NULL)
        fail_msg("\"%s\" is not in the notes:\n%s", wanted, notes);
}

/* The rows in memory, before they are rounded. The job points to options. Clear it. */
static inline lam_status make(const char *name, lam_recipe_options *options, const char *a, const char *b, lam_recipe_job *job)
{
    const char *const paths[2] = { a, b };
    notes[0] = '\0';
    options->log.line = note;
    *job = (lam_recipe_job){ .rule = lam_recipe_rule_find(name), .options = options };
    assert_non_null(job->rule);
    return lam_recipe_make(job, paths, b == NULL ? 1 : 2);
}

/* A making that is to fail. */
static inline lam_status making(const char *name, const char *a, const char *b)
{
    lam_recipe_job job;
    lam_recipe_options options = { 0 };
    lam_status status = make(name, &options, a, b, &job);
    lam_recipe_clear(&job);
    return status;
}

/* ---- a file of POWER ---------------------------------------------------------------------------------------------- */

#define POWER_HEADER "Date;Time;Global_active_power;Global_reactive_power;Voltage;Global_intensity;Sub_metering_1;" \
    "Sub_metering_2;Sub_metering_3\n"
enum { POWER_ROWS = 40 };

/* Column k of row i: active and reactive power, voltage, intensity, three sub-meterings. */
static inline double power_cell(size_t i, size_t k)
{
    static const double start[7] = { 1.5, 0.1, 240, 6, 0, 1, 17 }, step[7] = { 0.25, 0.01, 0.5, 1, 2, 1, 3 };
    return start[k] + step[k] * (double)(i * (k + 3) % 11);
}

/* Row i is minute 60 + i of the day; two rows miss values, as they do in the public file. */
static inline void power_text(text *t)
{
    add(t, POWER_HEADER);
    for (size_t i = 0; i < POWER_ROWS; i++) {
        if (i == 3 || i == 20)
            add(t, "28/4/2007;23:%02zu:00;?;?;?;?;?;?;\n", i);
        add(t, "28/4/2007;01:%02zu:00", i);
        for (size_t k = 0; k < 7; k++)
            add(t, ";%.3f", power_cell(i, k));
        add(t, "\n");
    }
}

#endif
