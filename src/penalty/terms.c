/* Finds a term of the loss by its name. */
#include "penalty/penalty.h"
#include <string.h>

double lam_terms_value(const lam_terms *terms, const char *name)
{
    for (size_t i = 0; i < terms->n; i++)
        if (strcmp(terms->term[i].name, name) == 0)
            return terms->term[i].value;
    return 0;
}
