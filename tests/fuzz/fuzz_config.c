/* Property: any text either is refused with a text and leaves the configuration alone, or gives one whose printed form gives
 * the same again. Build: clang -fsanitize=fuzzer,address,undefined. */
#include "model/config_yaml.h"
#include "model/config.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    lam_config cfg, again, initial;
    char *text = NULL, *text_again = NULL;
    size_t length = 0, length_again = 0;
    lam_config_init(&cfg);
    lam_config_init(&again);
    lam_config_init(&initial);
    if (lam_config_parse(&cfg, (const char *)bytes, size, "fuzz") != LAM_OK) {
        check(lam_last_error()[0] != '\0');
        check(memcmp(&cfg, &initial, sizeof cfg) == 0);
        return 0;
    }
    check(lam_config_print(&cfg, &text, &length) == LAM_OK);
    check(lam_config_parse(&again, text, length, "printed") == LAM_OK);
    check(lam_config_print(&again, &text_again, &length_again) == LAM_OK);
    check(strcmp(text, text_again) == 0);
    (void)lam_config_check(&cfg);
    free(text);
    free(text_again);
    lam_config_clear(&cfg);
    lam_config_clear(&again);
    return 0;
}
