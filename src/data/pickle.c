/* A pickle is a program for a small stack machine (Python's Lib/pickletools.py says what each opcode does). This machine has
 * the part of it that builds a NumPy array, in memory of fixed size, and the few calls in such a program are steps of its own. */
#include "data/pickle.h"
#include "base/error.h"
#include "base/mem.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* An array's pickle makes about fifty values. */
enum { MAX_VALUES = 512, MAX_STACK = 128, MAX_MEMO = 256, MAX_ITEMS = 8, WORD = 48 };

typedef enum kind { V_MARK, V_NONE, V_NUMBER, V_TEXT, V_GLOBAL, V_TUPLE, V_LIST, V_DTYPE, V_ARRAY } kind;
static const char *const kind_names[] = { "a mark", "None", "a number", "a string", "a global", "a tuple", "a list", "a dtype",
    "an array" };

typedef enum coding { CODE_RAW, CODE_ESCAPED, CODE_UTF8, CODE_UNICODE_ESCAPED } coding;
typedef enum global { G_RECONSTRUCT, G_NDARRAY, G_DTYPE, G_ENCODE, G_FROMBUFFER } global;

typedef struct value {
    kind kind;
    int64_t number;              /* V_NUMBER; the global of a V_GLOBAL */
    const unsigned char *at;     /* V_TEXT: n bytes of the file, still coded */
    size_t n;
    coding coding;
    size_t items[MAX_ITEMS];     /* V_TUPLE; of a V_LIST the first alone */
    size_t n_items;
    int built;                   /* V_ARRAY: shape and data are there */
    size_t shape, data;          /* the values that say so */
} value;

typedef struct machine {
    const char *name;
    const unsigned char *start, *at, *end, *opcode;
    value values[MAX_VALUES];
    size_t n_values;
    size_t stack[MAX_STACK], depth; /* positions in values */
    size_t memo[MAX_MEMO], n_memo;  /* position + 1; 0: not set */
    int stopped;
} machine;

static const char only[] = "only a pickle of one uint8 array is read; save it with numpy.save";

/* At the opcode that is being carried out. */
__attribute__((format(printf, 2, 3))) static lam_status refuse(const machine *m, const char *format, ...)
{
    char what[256];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return lam_fail(LAM_ERR_FORMAT, "%s: offset %zu: %s; %s", m->name, (size_t)(m->opcode - m->start), what, only);
}

static lam_status cut_short(const machine *m)
{
    return lam_fail(LAM_ERR_FORMAT, "%s: the pickle is cut short (after offset %zu); copy or download it again", m->name,
        (size_t)(m->opcode - m->start));
}

/* ---- texts -------------------------------------------------------------------------------------------------------- */

static int hex(const unsigned char *p, size_t digits, unsigned *out)
{
    *out = 0;
    for (size_t i = 0; i < digits; i++) {
        unsigned c = p[i], d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10
            : c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
        if (d == 16)
            return -1;
        *out = 16 * *out + d;
    }
    return 0;
}

/* One byte of a coded text from p (left bytes of it); how many it took, 0 if it is none. */
static size_t decode_byte(coding code_of, const unsigned char *p, size_t left, unsigned char *out)
{
    static const char letters[] = "\\'\"nrtabfv", meanings[] = "\\'\"\n\r\t\a\b\f\v";
    unsigned code;
    *out = p[0];
    if (code_of == CODE_RAW || (code_of == CODE_UTF8 && p[0] < 0x80) || (code_of != CODE_UTF8 && p[0] != '\\'))
        return 1;
    if (code_of == CODE_UTF8) { /* U+0080 to U+00FF: what latin1 has */
        if (left < 2 || (p[0] != 0xc2 && p[0] != 0xc3) || (p[1] & 0xc0) != 0x80)
            return 0;
        *out = (unsigned char)((p[0] & 3) << 6 | (p[1] & 0x3f));
        return 2;
    }
    if (code_of == CODE_UNICODE_ESCAPED) {
        if (left >= 2 && p[1] != 'u')
            return p[1] == 'U' ? 0 : 1; /* a backslash that escapes nothing stands for itself */
        if (left < 6 || hex(p + 2, 4, &code) != 0 || code > 255)
            return 0;
        *out = (unsigned char)code;
        return 6;
    }
    if (left >= 4 && p[1] == 'x' && hex(p + 2, 2, &code) == 0) {
        *out = (unsigned char)code;
        return 4;
    }
    const char *letter = left >= 2 && p[1] != '\0' ? strchr(letters, p[1]) : NULL;
    if (letter == NULL)
        return 0;
    *out = (unsigned char)meanings[letter - letters];
    return 2;
}

/* At most room bytes into out; how many there are, room + 1 if more, SIZE_MAX if the coding is broken. */
static size_t decode(const value *v, unsigned char *out, size_t room)
{
    size_t used = 0;
    for (size_t i = 0; i < v->n;) {
        unsigned char byte;
        size_t took = decode_byte(v->coding, v->at + i, v->n - i, &byte);
        if (took == 0)
            return SIZE_MAX;
        if (used == room)
            return room + 1;
        out[used++] = byte;
        i += took;
    }
    return used;
}

/* A short text as a C string; what is no text, too long or unprintable reads as "?". */
static void word_of(const value *v, char out[WORD])
{
    size_t n = v->kind == V_TEXT ? decode(v, (unsigned char *)out, WORD - 1) : SIZE_MAX;
    for (size_t i = 0; n < WORD && i < n; i++)
        if (out[i] < 0x20 || out[i] > 0x7e)
            n = SIZE_MAX;
    if (n >= WORD)
        strcpy(out, "?");
    else
        out[n] = '\0';
}

static int is_word(const value *v, const char *word)
{
    char text[WORD];
    word_of(v, text);
    return strcmp(text, word) == 0;
}

/* ---- the machine -------------------------------------------------------------------------------------------------- */

static lam_status push_at(machine *m, size_t position)
{
    if (m->depth == MAX_STACK)
        return refuse(m, "more than %d things are on the stack", MAX_STACK);
    m->stack[m->depth++] = position;
    return LAM_OK;
}

static lam_status push(machine *m, value v)
{
    if (m->n_values == MAX_VALUES)
        return refuse(m, "it holds more than %d things", MAX_VALUES);
    m->values[m->n_values] = v;
    return push_at(m, m->n_values++);
}

/* The value that is so many below the top, NULL past a mark or the bottom. */
static value *peek(machine *m, size_t below)
{
    for (size_t i = 0; i <= below; i++)
        if (i >= m->depth || m->values[m->stack[m->depth - 1 - i]].kind == V_MARK)
            return NULL;
    return &m->values[m->stack[m->depth - 1 - below]];
}

/* How many values lie above the last mark; -1 without one. */
static long above_mark(const machine *m)
{
    for (size_t i = m->depth; i > 0; i--)
        if (m->values[m->stack[i - 1]].kind == V_MARK)
            return (long)(m->depth - i);
    return -1;
}

static lam_status take_line(machine *m, const unsigned char **line, size_t *n)
{
    const unsigned char *end = memchr(m->at, '\n', (size_t)(m->end - m->at));
    *line = m->at, *n = 0;
    if (end == NULL)
        return cut_short(m);
    *n = (size_t)(end - m->at);
    m->at = end + 1;
    return LAM_OK;
}

/* A little-endian number of so many bytes, at most 8. */
static lam_status take_number(machine *m, size_t bytes, uint64_t *out)
{
    *out = 0;
    if ((size_t)(m->end - m->at) < bytes)
        return cut_short(m);
    for (size_t i = 0; i < bytes; i++)
        *out |= (uint64_t)m->at[i] << (8 * i);
    m->at += bytes;
    return LAM_OK;
}

/* A decimal of a line; Python 2 ends some in L. Up to 2^53, as beyond it nothing here is meant. */
static lam_status parse_decimal(machine *m, const unsigned char *line, size_t n, int64_t *out)
{
    size_t i = n > 0 && line[0] == '-', digits = 0;
    int64_t number = 0;
    if (n > 0 && line[n - 1] == 'L')
        n--;
    for (; i < n && line[i] >= '0' && line[i] <= '9' && number < INT64_C(1) << 53; i++, digits++)
        number = 10 * number + (line[i] - '0');
    if (digits == 0 || i != n)
        return refuse(m, "a number is malformed or too large");
    *out = line[0] == '-' ? -number : number;
    return LAM_OK;
}

/* ---- opcodes: what each leaves on the stack ----------------------------------------------------------------------- */

static lam_status op_proto(machine *m, unsigned code)
{
    uint64_t number;
    LAM_TRY(take_number(m, code == 0x80 ? 1 : 8, &number));
    if (code == 0x80 && number > 5)
        return refuse(m, "pickle protocol %u is not known; 0 to 5 are", (unsigned)number);
    return LAM_OK; /* FRAME says how much to read ahead, which is no matter here */
}

static lam_status op_plain(machine *m, unsigned code)
{
    if (code == '(' || code == 'N')
        return push(m, (value){ .kind = code == '(' ? V_MARK : V_NONE });
    return push(m, (value){ .kind = V_NUMBER, .number = code == 0x88 });
}

static lam_status op_decimal(machine *m, unsigned code)
{
    const unsigned char *line;
    size_t n;
    value v = { .kind = V_NUMBER };
    (void)code;
    LAM_TRY(take_line(m, &line, &n));
    LAM_TRY(parse_decimal(m, line, n, &v.number));
    return push(m, v);
}

static lam_status op_number(machine *m, unsigned code)
{
    uint64_t bytes = code == 'K' ? 1 : code == 'M' ? 2 : 4, number;
    if (code == 0x8a)
        LAM_TRY(take_number(m, 1, &bytes));
    if (bytes > 7)
        return refuse(m, "a number of %u bytes is too large", (unsigned)bytes);
    LAM_TRY(take_number(m, (size_t)bytes, &number));
    int64_t whole = (int64_t)number;
    if ((code == 'J' || code == 0x8a) && bytes > 0 && number >> (8 * bytes - 1) != 0)
        whole -= INT64_C(1) << (8 * bytes);
    return push(m, (value){ .kind = V_NUMBER, .number = whole });
}

static lam_status op_text_line(machine *m, unsigned code)
{
    value v = { .kind = V_TEXT, .coding = code == 'S' ? CODE_ESCAPED : CODE_UNICODE_ESCAPED };
    LAM_TRY(take_line(m, &v.at, &v.n));
    if (code == 'V')
        return push(m, v);
    if (v.n < 2 || (v.at[0] != '\'' && v.at[0] != '"') || v.at[v.n - 1] != v.at[0])
        return refuse(m, "a string is not in quotes");
    v.at++, v.n -= 2;
    return push(m, v);
}

static lam_status op_text(machine *m, unsigned code)
{
    int unicode = code == 'X' || code == 0x8c || code == 0x8d;
    size_t width = code == 'U' || code == 'C' || code == 0x8c ? 1 : code == 'T' || code == 'B' || code == 'X' ? 4 : 8;
    uint64_t n;
    LAM_TRY(take_number(m, width, &n));
    if (n > (size_t)(m->end - m->at))
        return cut_short(m);
    value v = { .kind = V_TEXT, .coding = unicode ? CODE_UTF8 : CODE_RAW, .at = m->at, .n = (size_t)n };
    m->at += n;
    return push(m, v);
}

static lam_status op_tuple(machine *m, unsigned code)
{
    value v = { .kind = V_TUPLE };
    long n = code == ')' ? 0 : code == 't' ? above_mark(m) : (long)code - 0x84;
    if (n < 0 || (n > 0 && peek(m, (size_t)n - 1) == NULL))
        return refuse(m, "the stack holds too little for a tuple");
    if (n > MAX_ITEMS)
        return refuse(m, "a tuple of %ld things is not part of an array", n);
    v.n_items = (size_t)n;
    m->depth -= (size_t)n;
    memcpy(v.items, m->stack + m->depth, (size_t)n * sizeof *v.items);
    m->depth -= code == 't'; /* the mark */
    return push(m, v);
}

/* LIST and EMPTY_LIST make one, APPEND and APPENDS add to the one below. */
static lam_status op_list(machine *m, unsigned code)
{
    long n = code == ']' ? 0 : code == 'a' ? 1 : above_mark(m);
    size_t marks = code == 'l' || code == 'e';
    if (n < 0 || (code == 'a' && peek(m, 0) == NULL))
        return refuse(m, "the stack holds too little for a list");
    m->depth -= (size_t)n + marks;
    const size_t *items = m->stack + m->depth + marks;
    size_t first = n > 0 ? items[0] : 0; /* pushing the list writes over the stack */
    if (code == 'l' || code == ']')
        LAM_TRY(push(m, (value){ .kind = V_LIST }));
    value *list = peek(m, 0);
    if (list == NULL || list->kind != V_LIST)
        return refuse(m, "something is appended to what is no list");
    if (list->n_items == 0)
        list->items[0] = first;
    list->n_items += (size_t)n;
    return LAM_OK;
}

/* The memo's place that an opcode names. */
static lam_status memo_place(machine *m, unsigned code, size_t *place)
{
    const unsigned char *line;
    size_t n;
    int64_t number;
    uint64_t whole;
    *place = 0;
    if (code == 0x94) {
        number = (int64_t)m->n_memo++;
    } else if (code == 'p' || code == 'g') {
        LAM_TRY(take_line(m, &line, &n));
        LAM_TRY(parse_decimal(m, line, n, &number));
    } else {
        LAM_TRY(take_number(m, code == 'r' || code == 'j' ? 4 : 1, &whole));
        number = (int64_t)whole;
    }
    if (number < 0 || number >= MAX_MEMO)
        return refuse(m, "it remembers more than %d things", MAX_MEMO);
    *place = (size_t)number;
    return LAM_OK;
}

static lam_status op_put(machine *m, unsigned code)
{
    size_t place;
    LAM_TRY(memo_place(m, code, &place));
    if (peek(m, 0) == NULL)
        return refuse(m, "there is nothing to remember");
    m->memo[place] = m->stack[m->depth - 1] + 1;
    return LAM_OK;
}

static lam_status op_get(machine *m, unsigned code)
{
    size_t place;
    LAM_TRY(memo_place(m, code, &place));
    if (m->memo[place] == 0)
        return refuse(m, "number %zu was not remembered", place);
    return push_at(m, m->memo[place] - 1);
}

static lam_status op_global(machine *m, unsigned code)
{
    static const struct { const char *module, *name; global is; } known[] = {
        { "numpy.core.multiarray", "_reconstruct", G_RECONSTRUCT }, { "numpy._core.multiarray", "_reconstruct", G_RECONSTRUCT },
        { "numpy.core.numeric", "_frombuffer", G_FROMBUFFER }, { "numpy._core.numeric", "_frombuffer", G_FROMBUFFER },
        { "numpy", "ndarray", G_NDARRAY }, { "numpy", "dtype", G_DTYPE }, { "_codecs", "encode", G_ENCODE } };
    value module = { .kind = V_TEXT }, name = { .kind = V_TEXT };
    char module_word[WORD], name_word[WORD];
    if (code == 'c') {
        LAM_TRY(take_line(m, &module.at, &module.n));
        LAM_TRY(take_line(m, &name.at, &name.n));
    } else {
        if (peek(m, 1) == NULL)
            return refuse(m, "the stack holds too little for a global");
        module = *peek(m, 1), name = *peek(m, 0);
        m->depth -= 2;
    }
    word_of(&module, module_word);
    word_of(&name, name_word);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(module_word, known[i].module) == 0 && strcmp(name_word, known[i].name) == 0)
            return push(m, (value){ .kind = V_GLOBAL, .number = known[i].is });
    return refuse(m, "it asks for %s.%s, which is refused and was not run", module_word, name_word);
}

/* ---- calls -------------------------------------------------------------------------------------------------------- */

/* The item of a tuple if it is of that kind, else NULL. */
static const value *item(const machine *m, const value *tuple, size_t i, kind wanted)
{
    const value *v = i < tuple->n_items ? &m->values[tuple->items[i]] : NULL;
    return v != NULL && v->kind == wanted ? v : NULL;
}

static lam_status make_dtype(machine *m, const value *args, value *out)
{
    char word[WORD] = "?";
    const value *type = item(m, args, 0, V_TEXT);
    if (type != NULL)
        word_of(type, word);
    if (strcmp(word, "u1") != 0 && strcmp(word, "uint8") != 0)
        return refuse(m, "the array's dtype is %s, not u1", word);
    out->kind = V_DTYPE;
    return LAM_OK;
}

/* REDUCE: a global and the tuple of its arguments become what the call would give. */
static lam_status op_reduce(machine *m, unsigned code)
{
    const value *args = peek(m, 0), *callee = peek(m, 1);
    value out = { .kind = V_ARRAY };
    (void)code;
    if (callee == NULL || callee->kind != V_GLOBAL || args->kind != V_TUPLE)
        return refuse(m, "something is called that is not a function of NumPy");
    const value *text = item(m, args, 0, V_TEXT), *order = item(m, args, 3, V_TEXT);
    switch ((global)callee->number) {
    case G_DTYPE: LAM_TRY(make_dtype(m, args, &out)); break;
    case G_ENCODE:
        if (args->n_items != 2 || text == NULL || !is_word(&m->values[args->items[1]], "latin1"))
            return refuse(m, "_codecs.encode is not given a string and latin1");
        out = *text; /* its coding says how to read it */
        break;
    case G_RECONSTRUCT:
        if (item(m, args, 0, V_GLOBAL) == NULL || item(m, args, 0, V_GLOBAL)->number != G_NDARRAY)
            return refuse(m, "something other than a plain array is reconstructed");
        break;
    case G_FROMBUFFER:
        if (args->n_items != 4 || text == NULL || item(m, args, 1, V_DTYPE) == NULL || item(m, args, 2, V_TUPLE) == NULL
            || order == NULL || !is_word(order, "C"))
            return refuse(m, "the array is not one of bytes in C order");
        out.built = 1, out.data = args->items[0], out.shape = args->items[2];
        break;
    case G_NDARRAY: return refuse(m, "numpy.ndarray is called");
    }
    m->depth -= 2;
    return push(m, out);
}

/* BUILD: the state of a dtype (byte order, of no matter to bytes) or of an array (version, shape, dtype, Fortran order, data). */
static lam_status op_build(machine *m, unsigned code)
{
    const value *state = peek(m, 0);
    value *object = peek(m, 1);
    (void)code;
    if (object == NULL || state->kind != V_TUPLE || (object->kind != V_DTYPE && object->kind != V_ARRAY))
        return refuse(m, "the state of something is set that is neither array nor dtype");
    m->depth--;
    if (object->kind == V_DTYPE)
        return LAM_OK;
    const value *fortran = item(m, state, 3, V_NUMBER);
    if (state->n_items != 5 || item(m, state, 1, V_TUPLE) == NULL || item(m, state, 2, V_DTYPE) == NULL || fortran == NULL
        || item(m, state, 4, V_TEXT) == NULL)
        return refuse(m, "the array's state is not that of an array of bytes");
    if (fortran->number != 0)
        return refuse(m, "the array is in Fortran order; pickle numpy.ascontiguousarray(x)");
    object->built = 1, object->shape = state->items[1], object->data = state->items[4];
    return LAM_OK;
}

static lam_status op_stop(machine *m, unsigned code)
{
    (void)code;
    if (m->depth != 1)
        return refuse(m, "it ends with %zu things, not 1", m->depth);
    if (m->at != m->end)
        return refuse(m, "%zu bytes follow the end of the pickle", (size_t)(m->end - m->at));
    m->stopped = 1;
    return LAM_OK;
}

/* Every opcode there is; those without a step are refused by name. */
static const struct { unsigned char code; const char *name; lam_status (*run)(machine *m, unsigned code); } opcodes[] = {
    { '(', "MARK", op_plain }, { '.', "STOP", op_stop }, { '0', "POP", NULL }, { '1', "POP_MARK", NULL }, { '2', "DUP", NULL },
    { 'F', "FLOAT", NULL }, { 'I', "INT", op_decimal }, { 'J', "BININT", op_number }, { 'K', "BININT1", op_number },
    { 'L', "LONG", op_decimal }, { 'M', "BININT2", op_number }, { 'N', "NONE", op_plain }, { 'P', "PERSID", NULL },
    { 'Q', "BINPERSID", NULL }, { 'R', "REDUCE", op_reduce }, { 'S', "STRING", op_text_line }, { 'T', "BINSTRING", op_text },
    { 'U', "SHORT_BINSTRING", op_text }, { 'V', "UNICODE", op_text_line }, { 'X', "BINUNICODE", op_text }, { 'a', "APPEND", op_list },
    { 'b', "BUILD", op_build }, { 'c', "GLOBAL", op_global }, { 'd', "DICT", NULL }, { '}', "EMPTY_DICT", NULL },
    { 'e', "APPENDS", op_list }, { 'g', "GET", op_get }, { 'h', "BINGET", op_get }, { 'i', "INST", NULL },
    { 'j', "LONG_BINGET", op_get }, { 'l', "LIST", op_list }, { ']', "EMPTY_LIST", op_list }, { 'o', "OBJ", NULL },
    { 'p', "PUT", op_put }, { 'q', "BINPUT", op_put }, { 'r', "LONG_BINPUT", op_put }, { 's', "SETITEM", NULL },
    { 't', "TUPLE", op_tuple }, { ')', "EMPTY_TUPLE", op_tuple }, { 'u', "SETITEMS", NULL }, { 'G', "BINFLOAT", NULL },
    { 0x80, "PROTO", op_proto }, { 0x81, "NEWOBJ", NULL }, { 0x82, "EXT1", NULL }, { 0x83, "EXT2", NULL }, { 0x84, "EXT4", NULL },
    { 0x85, "TUPLE1", op_tuple }, { 0x86, "TUPLE2", op_tuple }, { 0x87, "TUPLE3", op_tuple }, { 0x88, "NEWTRUE", op_plain },
    { 0x89, "NEWFALSE", op_plain }, { 0x8a, "LONG1", op_number }, { 0x8b, "LONG4", NULL }, { 'B', "BINBYTES", op_text },
    { 'C', "SHORT_BINBYTES", op_text }, { 0x8c, "SHORT_BINUNICODE", op_text }, { 0x8d, "BINUNICODE8", op_text },
    { 0x8e, "BINBYTES8", op_text }, { 0x8f, "EMPTY_SET", NULL }, { 0x90, "ADDITEMS", NULL }, { 0x91, "FROZENSET", NULL },
    { 0x92, "NEWOBJ_EX", NULL }, { 0x93, "STACK_GLOBAL", op_global }, { 0x94, "MEMOIZE", op_put }, { 0x95, "FRAME", op_proto },
    { 0x96, "BYTEARRAY8", op_text }, { 0x97, "NEXT_BUFFER", NULL }, { 0x98, "READONLY_BUFFER", NULL },
};

static lam_status step(machine *m)
{
    m->opcode = m->at;
    if (m->at == m->end)
        return cut_short(m);
    unsigned char code = *m->at++;
    for (size_t i = 0; i < sizeof opcodes / sizeof *opcodes; i++)
        if (opcodes[i].code == code && opcodes[i].run != NULL)
            return opcodes[i].run(m, code);
        else if (opcodes[i].code == code)
            return refuse(m, "opcode %s is not needed for an array and is refused", opcodes[i].name);
    return refuse(m, "0x%02x is no opcode of a pickle", code);
}

/* ---- the array ---------------------------------------------------------------------------------------------------- */

static lam_status take_array(machine *m, const value *array, lam_pickled *out)
{
    const value *shape = &m->values[array->shape], *data = &m->values[array->data];
    out->n_shape = shape->n_items, out->size = 1;
    if (shape->n_items > LAM_PICKLED_DIMS)
        return refuse(m, "the array has %zu dimensions, more than %d", shape->n_items, LAM_PICKLED_DIMS);
    for (size_t d = 0; d < shape->n_items; d++) {
        const value *v = item(m, shape, d, V_NUMBER);
        if (v == NULL || v->number < 1)
            return refuse(m, "the array is empty or its shape is not of numbers");
        out->shape[d] = (size_t)v->number;
        /* a coded text has no more bytes than it takes in the file, which so bounds the memory */
        if (out->shape[d] > data->n / out->size)
            return refuse(m, "the array has more elements than the %zu bytes that are there", data->n);
        out->size *= out->shape[d];
    }
    out->values = lam_alloc(out->size, 1);
    if (out->values == NULL)
        return LAM_ERR_MEMORY;
    size_t n = decode(data, out->values, out->size);
    if (n == SIZE_MAX)
        return refuse(m, "the array's bytes are not coded as they should be");
    if (n != out->size)
        return refuse(m, "the array has %zu elements by its shape, and %s bytes", out->size, n < out->size ? "fewer" : "more");
    return LAM_OK;
}

static lam_status run(machine *m, lam_pickled *out)
{
    while (!m->stopped)
        LAM_TRY(step(m));
    const value *top = &m->values[m->stack[0]];
    if ((top->kind == V_LIST || top->kind == V_TUPLE) && top->n_items == 1)
        top = &m->values[top->items[0]];
    if (top->kind == V_LIST || top->kind == V_TUPLE)
        return refuse(m, "it holds %s of %zu things", kind_names[top->kind], top->n_items);
    if (top->kind != V_ARRAY || !top->built)
        return refuse(m, "it holds %s", top->kind == V_ARRAY ? "an array without data" : kind_names[top->kind]);
    return take_array(m, top, out);
}

lam_status lam_pickle_parse(const char *name, const void *bytes, size_t size, lam_pickled *out)
{
    *out = (lam_pickled){ 0 };
    machine *m = lam_alloc(1, sizeof *m);
    if (m == NULL)
        return LAM_ERR_MEMORY;
    m->name = name;
    m->start = m->at = m->opcode = bytes;
    m->end = m->start + size;
    lam_status status = run(m, out);
    lam_free(m);
    if (status != LAM_OK)
        lam_pickled_clear(out);
    return status;
}

void lam_pickled_clear(lam_pickled *array)
{
    lam_free(array->values);
    *array = (lam_pickled){ 0 };
}
