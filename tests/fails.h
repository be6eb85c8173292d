/* A call that is to fail: its status, and a part of what lam_last_error says. Include after cmocka.h. */
#ifndef LAM_TESTS_FAILS_H
#define LAM_TESTS_FAILS_H
#include "laminar.h"
#include <string.h>

#define FAILS(call, status, text)                                        \
    do {                                                                 \
        assert_int_equal(call, status);                                  \
        if (strstr(lam_last_error(), text) == NULL)                      \
            fail_msg("\"%s\" is not in \"%s\"", text, lam_last_error()); \
    } while (0)

#endif
