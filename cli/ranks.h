/* The program as one of several processes that mpirun has started. MPI is loaded then alone. */
#ifndef LAM_CLI_RANKS_H
#define LAM_CLI_RANKS_H
#include <laminar.h>

/* Where mpirun started this process and others, joins them; all but rank 0 print nothing from here on, but for a failure of their own. CLI_OK, or
 * CLI_FAILED with the message printed. */
int cli_ranks_begin(int *argc, char ***argv);
/* The end of the program with this code: returns what it exits with. */
int cli_ranks_end(int code);
/* For the library's options; NULL: this process works by itself. */
const lam_comm *cli_ranks(void);
/* 1: this process writes files, and carries out the commands that are not shared. */
int cli_is_first(void);
/* The code of the first rank that has one other than CLI_OK: what each did by itself has failed for all. */
int cli_agree(int code);

#endif
