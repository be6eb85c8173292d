/* Published files that are not in the tree: in $LAMINAR_DATA, or in LAM_SHARED_DATA. Include after cmocka.h. */
#ifndef LAM_TESTS_SHARED_DATA_H
#define LAM_TESTS_SHARED_DATA_H
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The path of name there; 0, with a message, if it is not there. */
static inline int find_real(const char *name, char path[512])
{
    const char *folder = getenv("LAMINAR_DATA");
    snprintf(path, 512, "%s/%s", folder != NULL ? folder : LAM_SHARED_DATA, name);
    if (access(path, R_OK) == 0)
        return 1;
    print_message("skipped: %s is not there\n", path);
    return 0;
}

#endif
