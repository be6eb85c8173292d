/* The folder of a run. */
#ifndef LAM_TRAIN_FOLDER_H
#define LAM_TRAIN_FOLDER_H
#include "base/config.h"

/* What a run's folder holds; last the file without which there is no run to go on with. */
enum { LAM_RUN_FILES = 4 };
extern const char *const lam_run_files[LAM_RUN_FILES];

/* All NULL: nothing is written. */
typedef struct lam_run_folder {
    char *config, *metrics, *checkpoint, *model; /* paths */
    int lock; /* the folder, open and locked as long as the run lasts; 0: none */
} lam_run_folder;

/* Makes the folder, and those above it, where they are missing; locks it, so that no other run writes there at the same time
 * (LAM_ERR_IO; a killed run holds no lock); takes away what killed saves left in it. folder NULL: the struct stays empty. */
lam_status lam_run_folder_open(const char *folder, lam_run_folder *out);
/* malloc'd: the path of a file in it; NULL: out of memory, told. */
char *lam_run_path(const char *folder, const char *name);
void lam_run_folder_clear(lam_run_folder *folder);

#endif
