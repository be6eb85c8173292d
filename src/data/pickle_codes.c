/* The opcodes of a pickle: what each leaves on the stack. Calls are steps of their own: nothing is ever run. */
#include "data/pickle_machine.h"
#include "base/error.h"
#include <string.h>

typedef enum global { G_RECONSTRUCT, G_NDARRAY, G_DTYPE, G_ENCODE, G_FROMBUFFER } global;

static lam_status op_proto(lam_pickle_machine *m, unsigned code)
{
    uint64_t number;
    LAM_TRY(lam_pickle_read_number(m, code == 0x80 ? 1 : 8, &number));
    if (code == 0x80 && number > 5)
        return lam_pickle_refuse(m, "pickle protocol %u is not known; 0 to 5 are", (unsigned)number);
    return LAM_OK; /* FRAME says how much to read ahead, which is no matter here */
}

static lam_status op_plain(lam_pickle_machine *m, unsigned code)
{
    if (code == '(' || code == 'N')
        return lam_pickle_push(m, (lam_pickle_value){ .kind = code == '(' ? LAM_PICKLE_MARK : LAM_PICKLE_NONE });
    return lam_pickle_push(m, (lam_pickle_value){ .kind = LAM_PICKLE_NUMBER, .number = code == 0x88 });
}

static lam_status op_decimal(lam_pickle_machine *m, unsigned code)
{
    const unsigned char *line;
    size_t n;
    lam_pickle_value v = { .kind = LAM_PICKLE_NUMBER };
    (void)code;
    LAM_TRY(lam_pickle_read_line(m, &line, &n));
    LAM_TRY(lam_pickle_parse_decimal(m, line, n, &v.number));
    return lam_pickle_push(m, v);
}

static lam_status op_number(lam_pickle_machine *m, unsigned code)
{
    uint64_t bytes = code == 'K' ? 1 : code == 'M' ? 2 : 4, number;
    if (code == 0x8a)
        LAM_TRY(lam_pickle_read_number(m, 1, &bytes));
    if (bytes > 7)
        return lam_pickle_refuse(m, "a number of %u bytes is too large", (unsigned)bytes);
    LAM_TRY(lam_pickle_read_number(m, (size_t)bytes, &number));
    int64_t whole = (int64_t)number;
    if ((code == 'J' || code == 0x8a) && bytes > 0 && number >> (8 * bytes - 1) != 0)
        whole -= INT64_C(1) << (8 * bytes);
    return lam_pickle_push(m, (lam_pickle_value){ .kind = LAM_PICKLE_NUMBER, .number = whole });
}

static lam_status op_text_line(lam_pickle_machine *m, unsigned code)
{
    lam_pickle_value v = { .kind = LAM_PICKLE_TEXT, .coding = code == 'S' ? LAM_PICKLE_ESCAPED : LAM_PICKLE_UNICODE_ESCAPED };
    LAM_TRY(lam_pickle_read_line(m, &v.at, &v.n));
    if (code == 'V')
        return lam_pickle_push(m, v);
    if (v.n < 2 || (v.at[0] != '\'' && v.at[0] != '"') || v.at[v.n - 1] != v.at[0])
        return lam_pickle_refuse(m, "a string is not in quotes");
    v.at++, v.n -= 2;
    return lam_pickle_push(m, v);
}

static lam_status op_text(lam_pickle_machine *m, unsigned code)
{
    int unicode = code == 'X' || code == 0x8c || code == 0x8d;
    size_t width = code == 'U' || code == 'C' || code == 0x8c ? 1 : code == 'T' || code == 'B' || code == 'X' ? 4 : 8;
    uint64_t n;
    LAM_TRY(lam_pickle_read_number(m, width, &n));
    if (n > (size_t)(m->end - m->at))
        return lam_pickle_cut_short(m);
    lam_pickle_value v = { .kind = LAM_PICKLE_TEXT, .coding = unicode ? LAM_PICKLE_UTF8 : LAM_PICKLE_RAW, .at = m->at, .n = (size_t)n };
    m->at += n;
    return lam_pickle_push(m, v);
}

static lam_status op_tuple(lam_pickle_machine *m, unsigned code)
{
    lam_pickle_value v = { .kind = LAM_PICKLE_TUPLE };
    long n = code == ')' ? 0 : code == 't' ? lam_pickle_above_mark(m) : (long)code - 0x84;
    if (n < 0 || (n > 0 && lam_pickle_peek(m, (size_t)n - 1) == NULL))
        return lam_pickle_refuse(m, "the stack holds too little for a tuple");
    if (n > LAM_PICKLE_ITEMS)
        return lam_pickle_refuse(m, "a tuple of %ld things is not part of an array", n);
    v.n_items = (size_t)n;
    m->depth -= (size_t)n;
    memcpy(v.items, m->stack + m->depth, (size_t)n * sizeof *v.items);
    m->depth -= code == 't'; /* the mark */
    return lam_pickle_push(m, v);
}

/* LIST and EMPTY_LIST make one, APPEND and APPENDS add to the one below. */
static lam_status op_list(lam_pickle_machine *m, unsigned code)
{
    long n = code == ']' ? 0 : code == 'a' ? 1 : lam_pickle_above_mark(m);
    size_t marks = code == 'l' || code == 'e';
    if (n < 0 || (code == 'a' && lam_pickle_peek(m, 0) == NULL))
        return lam_pickle_refuse(m, "the stack holds too little for a list");
    m->depth -= (size_t)n + marks;
    const size_t *items = m->stack + m->depth + marks;
    size_t first = n > 0 ? items[0] : 0; /* pushing the list writes over the stack */
    if (code == 'l' || code == ']')
        LAM_TRY(lam_pickle_push(m, (lam_pickle_value){ .kind = LAM_PICKLE_LIST }));
    lam_pickle_value *list = lam_pickle_peek(m, 0);
    if (list == NULL || list->kind != LAM_PICKLE_LIST)
        return lam_pickle_refuse(m, "something is appended to what is no list");
    if (list->n_items == 0)
        list->items[0] = first;
    list->n_items += (size_t)n;
    return LAM_OK;
}

/* The memo's place that an opcode names. */
static lam_status memo_place(lam_pickle_machine *m, unsigned code, size_t *place)
{
    const unsigned char *line;
    size_t n;
    int64_t number;
    uint64_t whole;
    *place = 0;
    if (code == 0x94) {
        number = (int64_t)m->n_memo++;
    } else if (code == 'p' || code == 'g') {
        LAM_TRY(lam_pickle_read_line(m, &line, &n));
        LAM_TRY(lam_pickle_parse_decimal(m, line, n, &number));
    } else {
        LAM_TRY(lam_pickle_read_number(m, code == 'r' || code == 'j' ? 4 : 1, &whole));
        number = (int64_t)whole;
    }
    if (number < 0 || number >= LAM_PICKLE_MEMO)
        return lam_pickle_refuse(m, "it remembers more than %d things", LAM_PICKLE_MEMO);
    *place = (size_t)number;
    return LAM_OK;
}

static lam_status op_put(lam_pickle_machine *m, unsigned code)
{
    size_t place;
    LAM_TRY(memo_place(m, code, &place));
    if (lam_pickle_peek(m, 0) == NULL)
        return lam_pickle_refuse(m, "there is nothing to remember");
    m->memo[place] = m->stack[m->depth - 1] + 1;
    return LAM_OK;
}

static lam_status op_get(lam_pickle_machine *m, unsigned code)
{
    size_t place;
    LAM_TRY(memo_place(m, code, &place));
    if (m->memo[place] == 0)
        return lam_pickle_refuse(m, "number %zu was not remembered", place);
    return lam_pickle_push_at(m, m->memo[place] - 1);
}

static lam_status op_global(lam_pickle_machine *m, unsigned code)
{
    static const struct { const char *module, *name; global is; } known[] = {
        { "numpy.core.multiarray", "_reconstruct", G_RECONSTRUCT }, { "numpy._core.multiarray", "_reconstruct", G_RECONSTRUCT },
        { "numpy.core.numeric", "_frombuffer", G_FROMBUFFER }, { "numpy._core.numeric", "_frombuffer", G_FROMBUFFER },
        { "numpy", "ndarray", G_NDARRAY }, { "numpy", "dtype", G_DTYPE }, { "_codecs", "encode", G_ENCODE } };
    lam_pickle_value module = { .kind = LAM_PICKLE_TEXT }, name = { .kind = LAM_PICKLE_TEXT };
    char module_word[LAM_PICKLE_WORD], name_word[LAM_PICKLE_WORD];
    if (code == 'c') {
        LAM_TRY(lam_pickle_read_line(m, &module.at, &module.n));
        LAM_TRY(lam_pickle_read_line(m, &name.at, &name.n));
    } else {
        if (lam_pickle_peek(m, 1) == NULL)
            return lam_pickle_refuse(m, "the stack holds too little for a global");
        module = *lam_pickle_peek(m, 1), name = *lam_pickle_peek(m, 0);
        m->depth -= 2;
    }
    lam_pickle_word(&module, module_word);
    lam_pickle_word(&name, name_word);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(module_word, known[i].module) == 0 && strcmp(name_word, known[i].name) == 0)
            return lam_pickle_push(m, (lam_pickle_value){ .kind = LAM_PICKLE_GLOBAL, .number = known[i].is });
    return lam_pickle_refuse(m, "it asks for %s.%s, which is refused and was not run", module_word, name_word);
}

/* ---- calls -------------------------------------------------------------------------------------------------------- */


static lam_status make_dtype(lam_pickle_machine *m, const lam_pickle_value *args, lam_pickle_value *out)
{
    char word[LAM_PICKLE_WORD] = "?";
    const lam_pickle_value *type = lam_pickle_item(m, args, 0, LAM_PICKLE_TEXT);
    if (type != NULL)
        lam_pickle_word(type, word);
    if (strcmp(word, "u1") != 0 && strcmp(word, "uint8") != 0)
        return lam_pickle_refuse(m, "the array's dtype is %s, not u1", word);
    out->kind = LAM_PICKLE_DTYPE;
    return LAM_OK;
}

/* REDUCE: a global and the tuple of its arguments become what the call would give. */
static lam_status op_reduce(lam_pickle_machine *m, unsigned code)
{
    const lam_pickle_value *args = lam_pickle_peek(m, 0), *callee = lam_pickle_peek(m, 1);
    lam_pickle_value out = { .kind = LAM_PICKLE_ARRAY };
    (void)code;
    if (callee == NULL || callee->kind != LAM_PICKLE_GLOBAL || args->kind != LAM_PICKLE_TUPLE)
        return lam_pickle_refuse(m, "something is called that is not a function of NumPy");
    const lam_pickle_value *text = lam_pickle_item(m, args, 0, LAM_PICKLE_TEXT), *order = lam_pickle_item(m, args, 3, LAM_PICKLE_TEXT);
    switch ((global)callee->number) {
    case G_DTYPE: LAM_TRY(make_dtype(m, args, &out)); break;
    case G_ENCODE:
        if (args->n_items != 2 || text == NULL || !lam_pickle_is_word(&m->values[args->items[1]], "latin1"))
            return lam_pickle_refuse(m, "_codecs.encode is not given a string and latin1");
        out = *text; /* its coding says how to read it */
        break;
    case G_RECONSTRUCT:
        if (lam_pickle_item(m, args, 0, LAM_PICKLE_GLOBAL) == NULL || lam_pickle_item(m, args, 0, LAM_PICKLE_GLOBAL)->number != G_NDARRAY)
            return lam_pickle_refuse(m, "something other than a plain array is reconstructed");
        break;
    case G_FROMBUFFER:
        if (args->n_items != 4 || text == NULL || lam_pickle_item(m, args, 1, LAM_PICKLE_DTYPE) == NULL || lam_pickle_item(m, args, 2, LAM_PICKLE_TUPLE) == NULL
            || order == NULL || !lam_pickle_is_word(order, "C"))
            return lam_pickle_refuse(m, "the array is not one of bytes in C order");
        out.built = 1, out.data = args->items[0], out.shape = args->items[2];
        break;
    case G_NDARRAY: return lam_pickle_refuse(m, "numpy.ndarray is called");
    }
    m->depth -= 2;
    return lam_pickle_push(m, out);
}

/* BUILD: the state of a dtype (byte order, of no matter to bytes) or of an array (version, shape, dtype, Fortran order, data). */
static lam_status op_build(lam_pickle_machine *m, unsigned code)
{
    const lam_pickle_value *state = lam_pickle_peek(m, 0);
    lam_pickle_value *object = lam_pickle_peek(m, 1);
    (void)code;
    if (object == NULL || state->kind != LAM_PICKLE_TUPLE || (object->kind != LAM_PICKLE_DTYPE && object->kind != LAM_PICKLE_ARRAY))
        return lam_pickle_refuse(m, "the state of something is set that is neither array nor dtype");
    m->depth--;
    if (object->kind == LAM_PICKLE_DTYPE)
        return LAM_OK;
    const lam_pickle_value *fortran = lam_pickle_item(m, state, 3, LAM_PICKLE_NUMBER);
    if (state->n_items != 5 || lam_pickle_item(m, state, 1, LAM_PICKLE_TUPLE) == NULL || lam_pickle_item(m, state, 2, LAM_PICKLE_DTYPE) == NULL || fortran == NULL
        || lam_pickle_item(m, state, 4, LAM_PICKLE_TEXT) == NULL)
        return lam_pickle_refuse(m, "the array's state is not that of an array of bytes");
    if (fortran->number != 0)
        return lam_pickle_refuse(m, "the array is in Fortran order; pickle numpy.ascontiguousarray(x)");
    object->built = 1, object->shape = state->items[1], object->data = state->items[4];
    return LAM_OK;
}

static lam_status op_stop(lam_pickle_machine *m, unsigned code)
{
    (void)code;
    if (m->depth != 1)
        return lam_pickle_refuse(m, "it ends with %zu things, not 1", m->depth);
    if (m->at != m->end)
        return lam_pickle_refuse(m, "%zu bytes follow the end of the pickle", (size_t)(m->end - m->at));
    m->stopped = 1;
    return LAM_OK;
}

/* Every opcode there is; those without a step are refused by name. */
static const struct { unsigned char code; const char *name; lam_status (*run)(lam_pickle_machine *m, unsigned code); } opcodes[] = {
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

lam_status lam_pickle_step(lam_pickle_machine *m)
{
    m->opcode = m->at;
    if (m->at == m->end)
        return lam_pickle_cut_short(m);
    unsigned char code = *m->at++;
    for (size_t i = 0; i < sizeof opcodes / sizeof *opcodes; i++)
        if (opcodes[i].code == code && opcodes[i].run != NULL)
            return opcodes[i].run(m, code);
        else if (opcodes[i].code == code)
            return lam_pickle_refuse(m, "opcode %s is not needed for an array and is refused", opcodes[i].name);
    return lam_pickle_refuse(m, "0x%02x is no opcode of a pickle", code);
}
