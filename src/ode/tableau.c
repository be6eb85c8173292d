/* The solvers by their code and by their word; their tables are in files of their own (dopri5.c, ...). */
#include "ode/tableau.h"
#include <stddef.h>
#include <string.h>

const lam_tableau *lam_tableau_get(lam_solver solver)
{
    switch (solver) {
#define TABLE(code, word, table, tried) \
    case code:                          \
        return &table;
        LAM_SOLVER_LIST(TABLE, LAM_NONE)
#undef TABLE
    case LAM_SOLVER_AUTO:
        break;
    }
    return NULL;
}

static const char *const words[] = { LAM_SOLVER_LIST(LAM_WORD, LAM_COMMA), "auto" };

const char *lam_solver_word(lam_solver solver)
{
    return (unsigned)solver <= LAM_SOLVER_AUTO ? words[solver] : "unknown";
}

lam_solver lam_solver_of(const char *word)
{
    for (lam_solver solver = 0; solver < LAM_SOLVER_AUTO; solver++)
        if (strcmp(words[solver], word) == 0)
            return solver;
    return LAM_SOLVER_AUTO;
}

int lam_solver_is_pair(lam_solver solver)
{
    const lam_tableau *table = lam_tableau_get(solver);
    return table != NULL && table->error_exponent > 0;
}

void lam_tableau_dense_weights(const lam_tableau *table, double theta, double *w)
{
    for (int i = 0; i < table->stages + table->dense_stages; i++) {
        double sum = 0;
        for (int j = table->dense_degree; j >= 1; j--)
            sum = theta * (sum + table->dense[i][j]);
        w[i] = sum;
    }
}
