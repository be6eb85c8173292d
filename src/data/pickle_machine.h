/* The stack machine that a pickle is a program for, in memory of fixed size: its values, and what its opcodes are made of. */
#ifndef LAM_DATA_PICKLE_MACHINE_H
#define LAM_DATA_PICKLE_MACHINE_H
#include "data/pickle.h"
#include <stdint.h>

/* An array's pickle makes about fifty values. */
enum { LAM_PICKLE_VALUES = 512, LAM_PICKLE_STACK = 128, LAM_PICKLE_MEMO = 256, LAM_PICKLE_ITEMS = 8, LAM_PICKLE_WORD = 48 };

typedef enum lam_pickle_kind { LAM_PICKLE_MARK, LAM_PICKLE_NONE, LAM_PICKLE_NUMBER, LAM_PICKLE_TEXT, LAM_PICKLE_GLOBAL,
    LAM_PICKLE_TUPLE, LAM_PICKLE_LIST, LAM_PICKLE_DTYPE, LAM_PICKLE_ARRAY } lam_pickle_kind;
extern const char *const lam_pickle_kind_names[]; /* "a mark", "None", ... */

typedef enum lam_pickle_coding { LAM_PICKLE_RAW, LAM_PICKLE_ESCAPED, LAM_PICKLE_UTF8, LAM_PICKLE_UNICODE_ESCAPED } lam_pickle_coding;

typedef struct lam_pickle_value {
    lam_pickle_kind kind;
    int64_t number;              /* LAM_PICKLE_NUMBER; which one of a LAM_PICKLE_GLOBAL */
    const unsigned char *at;     /* LAM_PICKLE_TEXT: n bytes of the file, still coded */
    size_t n;
    lam_pickle_coding coding;
    size_t items[LAM_PICKLE_ITEMS];     /* LAM_PICKLE_TUPLE; of a LAM_PICKLE_LIST the first alone */
    size_t n_items;
    int built;                   /* LAM_PICKLE_ARRAY: shape and data are there */
    size_t shape, data;          /* the values that say so */
} lam_pickle_value;

typedef struct lam_pickle_machine {
    const char *name;
    const unsigned char *start, *at, *end, *opcode;
    lam_pickle_value values[LAM_PICKLE_VALUES];
    size_t n_values;
    size_t stack[LAM_PICKLE_STACK], depth; /* positions in values */
    size_t memo[LAM_PICKLE_MEMO], n_memo;  /* position + 1; 0: not set */
    int stopped;
} lam_pickle_machine;

/* ---- the machine (pickle_machine.c) -------------------------------------------------------------------------------- */

/* Failures at the opcode that is being carried out. */
lam_status lam_pickle_refuse(const lam_pickle_machine *m, const char *format, ...) __attribute__((format(printf, 2, 3)));
lam_status lam_pickle_cut_short(const lam_pickle_machine *m);
lam_status lam_pickle_push_at(lam_pickle_machine *m, size_t position);
lam_status lam_pickle_push(lam_pickle_machine *m, lam_pickle_value v);
/* The value that is so many below the top, NULL past a mark or the bottom. */
lam_pickle_value *lam_pickle_peek(lam_pickle_machine *m, size_t below);
/* How many values lie above the last mark; -1 without one. */
long lam_pickle_above_mark(const lam_pickle_machine *m);
/* The item of a tuple if it is of that kind, else NULL. */
const lam_pickle_value *lam_pickle_item(const lam_pickle_machine *m, const lam_pickle_value *tuple, size_t i, lam_pickle_kind wanted);
/* Arguments that follow an opcode: up to the end of a line; a little-endian number of so many bytes, at most 8; a decimal of a line. */
lam_status lam_pickle_read_line(lam_pickle_machine *m, const unsigned char **line, size_t *n);
lam_status lam_pickle_read_number(lam_pickle_machine *m, size_t bytes, uint64_t *out);
lam_status lam_pickle_parse_decimal(lam_pickle_machine *m, const unsigned char *line, size_t n, int64_t *out);

/* ---- texts (pickle_text.c) ------------------------------------------------------------------------------------------ */

/* At most room bytes into out; how many there are, room + 1 if more, SIZE_MAX if the coding is broken. */
size_t lam_pickle_decode(const lam_pickle_value *v, unsigned char *out, size_t room);
/* A short text as a C string; what is no text, too long or unprintable reads as "?". */
void lam_pickle_word(const lam_pickle_value *v, char out[LAM_PICKLE_WORD]);
int lam_pickle_is_word(const lam_pickle_value *v, const char *word);

/* ---- opcodes (pickle_codes.c) ---------------------------------------------------------------------------------------- */

/* Carries out the next opcode. */
lam_status lam_pickle_step(lam_pickle_machine *m);

#endif
