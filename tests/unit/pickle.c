/* Pickles of one array as Python 2 and 3 write them, and a refusal by name of whatever else a pickle may do. */
#include "fails.h"
#include "data/pickle.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

/* What every pickle below holds, [3, 4]: bytes that the protocols code in different ways. */
static const unsigned char wanted[12] = { 0, 10, 13, 39, 92, 127, 128, 255, 26, 200, 117, 85 };

/* pickle.dumps(x, protocol) of Python 3.11 and NumPy 1.24 */
static const char protocol_0[] =
    "cnumpy.core.multiarray\n_reconstruct\np0\n(cnumpy\nndarray\np1\n(I0\ntp2\n"
    "c_codecs\nencode\np3\n(Vb\np4\nVlatin1\np5\ntp6\nRp7\ntp8\nRp9\n(I1\n(I3\n"
    "I4\ntp10\ncnumpy\ndtype\np11\n(Vu1\np12\nI00\nI01\ntp13\nRp14\n(I3\nV|\n"
    "p15\nNNNI-1\nI-1\nI0\ntp16\nbI00\ng3\n(V\\u0000\\u000a\\u000d'\\u005c\177\200\377\\u001a\310uU\n"
    "p17\ng5\ntp18\nRp19\ntp20\nb.";

static const char protocol_1[] =
    "cnumpy.core.multiarray\n_reconstruct\nq\000(cnumpy\nndarray\nq\001(K\000tq\002c_codecs\n"
    "encode\nq\003(X\001\000\000\000bq\004X\006\000\000\000latin1q\005tq\006Rq\007tq\010Rq\011(K\001(K\003"
    "K\004tq\ncnumpy\ndtype\nq\013(X\002\000\000\000u1q\014I00\nI01\ntq\015Rq\016(K\003X\001\000\000\000|q"
    "\017NNNJ\377\377\377\377J\377\377\377\377K\000tq\020bI00\nh\003(X\017\000\000\000\000\n"
    "\015'\\\177\302\200\303\277\032\303\210uUq\021h\005tq\022Rq\023tq\024b.";

static const char protocol_2[] =
    "\200\002cnumpy.core.multiarray\n_reconstruct\nq\000cnumpy\nndarray\nq\001K\000\205q\002c_codecs\n"
    "encode\nq\003X\001\000\000\000bq\004X\006\000\000\000latin1q\005\206q\006Rq\007\207q\010Rq\011(K\001K"
    "\003K\004\206q\ncnumpy\ndtype\nq\013X\002\000\000\000u1q\014\211\210\207q\015Rq\016(K\003X\001\000\000"
    "\000|q\017NNNJ\377\377\377\377J\377\377\377\377K\000tq\020b\211h\003X\017\000\000\000\000\n"
    "\015'\\\177\302\200\303\277\032\303\210uUq\021h\005\206q\022Rq\023tq\024b.";

static const char protocol_3[] =
    "\200\003cnumpy.core.multiarray\n_reconstruct\nq\000cnumpy\nndarray\nq\001K\000\205q\002C\001bq\003\207"
    "q\004Rq\005(K\001K\003K\004\206q\006cnumpy\ndtype\nq\007X\002\000\000\000u1q\010\211\210\207q\011Rq\n"
    "(K\003X\001\000\000\000|q\013NNNJ\377\377\377\377J\377\377\377\377K\000tq\014b\211C\014\000\n"
    "\015'\\\177\200\377\032\310uUq\015tq\016b.";

static const char protocol_4[] =
    "\200\004\225\226\000\000\000\000\000\000\000\214\025numpy.core.multiarray\224\214\014_reconstruct\224"
    "\223\224\214\005numpy\224\214\007ndarray\224\223\224K\000\205\224C\001b\224\207\224R\224(K\001K\003K\004"
    "\206\224h\003\214\005dtype\224\223\224\214\002u1\224\211\210\207\224R\224(K\003\214\001|\224NNNJ\377\377"
    "\377\377J\377\377\377\377K\000t\224b\211C\014\000\n\015'\\\177\200\377\032\310uU\224t\224b.";

static const char protocol_5[] =
    "\200\005\225\201\000\000\000\000\000\000\000\214\022numpy.core.numeric\224\214\013_frombuffer\224\223"
    "\224(\226\014\000\000\000\000\000\000\000\000\n\015'\\\177\200\377\032\310uU\224\214\005numpy\224\214"
    "\005dtype\224\223\224\214\002u1\224\211\210\207\224R\224(K\003\214\001|\224NNNJ\377\377\377\377J\377\377"
    "\377\377K\000t\224bK\003K\004\206\224\214\001C\224t\224R\224.";

/* Python 2: cPickle.dump([x], protocol); as Frey Faces are published, and protocol 2 */
static const char python2_0[] =
    "(lp0\ncnumpy.core.multiarray\n_reconstruct\np1\n(cnumpy\nndarray\np2\n(I0\ntp3\nS'b'\np4\ntp5\nRp6\n(I1\n(I3\nI4\ntp7\n"
    "cnumpy\ndtype\np8\n(S'u1'\np9\nI0\nI1\ntp10\nRp11\n(I3\nS'|'\np12\nNNNI-1\nI-1\nI0\ntp13\nbI00\n"
    "S\"\\x00\\n\\r'\\\\\\x7f\\x80\\xff\\x1a\\xc8uU\"\np14\ntp15\nba.";

static const char python2_2[] =
    "\200\002]q\001cnumpy.core.multiarray\n_reconstruct\nq\002cnumpy\nndarray\nq\003K\000\205U\001b\207Rq\004(K\001L3L\nM\004\000"
    "\206cnumpy\ndtype\nq\005U\002u1K\000K\001\207Rq\006(K\003U\001|NNNJ\377\377\377\377J\377\377\377\377K\000tb\211"
    "T\014\000\000\000\000\n\015'\\\177\200\377\032\310uUtba.";

#define PICKLE(text) { text, sizeof text - 1 }
static const struct { const char *bytes; size_t size; } pickles[] = { PICKLE(protocol_0), PICKLE(protocol_1), PICKLE(protocol_2),
    PICKLE(protocol_3), PICKLE(protocol_4), PICKLE(protocol_5), PICKLE(python2_0), PICKLE(python2_2) };
enum { PICKLES = sizeof pickles / sizeof *pickles };

static void every_protocol(void **state)
{
    (void)state;
    for (size_t i = 0; i < PICKLES; i++) {
        lam_pickled a;
        if (lam_pickle_parse("x.pkl", pickles[i].bytes, pickles[i].size, &a) != LAM_OK)
            fail_msg("%zu: %s", i, lam_last_error());
        assert_int_equal(a.n_shape, 2);
        assert_int_equal(a.shape[0], 3);
        assert_int_equal(a.shape[1], 4);
        assert_int_equal(a.size, 12);
        assert_memory_equal(a.values, wanted, 12);
        lam_pickled_clear(&a);
    }
}

/* Every cut is refused, with bytes exactly as long as they are, so that a sanitizer sees a read past them. */
static void cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < PICKLES; i++)
        for (size_t n = 0; n < pickles[i].size; n++) {
            lam_pickled a;
            char *bytes = malloc(n + (n == 0));
            memcpy(bytes, pickles[i].bytes, n);
            FAILS(lam_pickle_parse("x.pkl", bytes, n, &a), LAM_ERR_FORMAT, "x.pkl: the pickle is cut short");
            assert_null(a.values);
            free(bytes);
        }
}

static lam_status parse(const char *text)
{
    lam_pickled a;
    lam_status status = lam_pickle_parse("x.pkl", text, strlen(text), &a);
    assert_int_equal(a.values == NULL, status != LAM_OK);
    lam_pickled_clear(&a);
    return status;
}

/* python2_0 with its first old replaced by new; parsed. */
static lam_status altered(const char *old, const char *new)
{
    char text[1024];
    const char *at = strstr(python2_0, old);
    assert_non_null(at);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - python2_0), python2_0, new, at + strlen(old));
    return parse(text);
}

static void refusals(void **state)
{
    (void)state;
    FAILS(parse("cos\nsystem\n(S'touch /tmp/owned_by_a_pickle'\ntR."), LAM_ERR_FORMAT, "offset 0: it asks for os.system, which is refused");
    FAILS(parse("cposix\nsystem\np0\n(S'id'\np1\ntp2\nRp3\n."), LAM_ERR_FORMAT, "posix.system");
    FAILS(parse("c__builtin__\neval\n(S'1'\ntR."), LAM_ERR_FORMAT, "__builtin__.eval");
    FAILS(parse("\200\004\214\002os\214\006system\223."), LAM_ERR_FORMAT, "offset 14: it asks for os.system");
    FAILS(parse("(S'id'\nios\nsystem\n."), LAM_ERR_FORMAT, "offset 7: opcode INST");
    FAILS(parse("(dp0\n."), LAM_ERR_FORMAT, "opcode DICT");
    FAILS(parse("\200\002}q\001."), LAM_ERR_FORMAT, "offset 2: opcode EMPTY_DICT");
    FAILS(parse("\200\002cnumpy\nndarray\n)\201."), LAM_ERR_FORMAT, "opcode NEWOBJ");
    FAILS(parse("\200\002\202\001."), LAM_ERR_FORMAT, "opcode EXT1");
    FAILS(parse("P1\n."), LAM_ERR_FORMAT, "opcode PERSID");
    FAILS(parse("\200\011."), LAM_ERR_FORMAT, "protocol 9 is not known");
    FAILS(parse("hello."), LAM_ERR_FORMAT, "number 101 was not remembered");
    FAILS(parse("~."), LAM_ERR_FORMAT, "offset 0: 0x7e is no opcode");
    FAILS(parse("cnumpy\nndarray\n(tR."), LAM_ERR_FORMAT, "numpy.ndarray is called");
    FAILS(parse("I1\n(tR."), LAM_ERR_FORMAT, "something is called");
    FAILS(parse("I12345678901234567890\n."), LAM_ERR_FORMAT, "malformed or too large");
    FAILS(parse("I3\n."), LAM_ERR_FORMAT, "it holds a number");
    FAILS(parse("(lp0\nI3\naI4\na."), LAM_ERR_FORMAT, "it holds a list of 2 things");
    FAILS(parse("(lp0\ng0\na."), LAM_ERR_FORMAT, "it holds a list of 1 things"); /* a list in itself */
    FAILS(parse("N."), LAM_ERR_FORMAT, "it holds None");
    FAILS(parse("NN."), LAM_ERR_FORMAT, "it ends with 2 things");
    FAILS(parse("."), LAM_ERR_FORMAT, "it ends with 0 things");
    FAILS(parse("N.N."), LAM_ERR_FORMAT, "2 bytes follow");
    FAILS(parse("p0\n."), LAM_ERR_FORMAT, "nothing to remember");
    FAILS(parse("Np256\n."), LAM_ERR_FORMAT, "remembers more than 256");
    FAILS(parse("(R."), LAM_ERR_FORMAT, "something is called");
    FAILS(parse("t."), LAM_ERR_FORMAT, "too little for a tuple");
    FAILS(parse("(NNNNNNNNNt."), LAM_ERR_FORMAT, "a tuple of 9 things");
    FAILS(parse("Sx\n."), LAM_ERR_FORMAT, "not in quotes");
    assert_int_equal(access("/tmp/owned_by_a_pickle", F_OK), -1);
}

static void other_arrays(void **state)
{
    (void)state;
    assert_int_equal(altered("I3", "I3"), LAM_OK);
    FAILS(altered("S'u1'", "S'f4'"), LAM_ERR_FORMAT, "dtype is f4, not u1");
    FAILS(altered("bI00", "bI01"), LAM_ERR_FORMAT, "Fortran order");
    FAILS(altered("I3\nI4", "I3\nI5"), LAM_ERR_FORMAT, "15 elements by its shape, and fewer bytes");
    FAILS(altered("I3\nI4", "I3\nI3"), LAM_ERR_FORMAT, "9 elements by its shape, and more bytes");
    FAILS(altered("I3\nI4", "I3\nI4000000000000"), LAM_ERR_FORMAT, "more elements than");
    FAILS(altered("I3\nI4", "I3\nI-4"), LAM_ERR_FORMAT, "empty or its shape");
    FAILS(altered("I3\nI4", "I1\nI1\nI1\nI3\nI4"), LAM_ERR_FORMAT, "5 dimensions");
    FAILS(altered("\\x7f", "\\xgg"), LAM_ERR_FORMAT, "not coded as they should be");
    FAILS(altered("(cnumpy\nndarray", "(cnumpy\ndtype"), LAM_ERR_FORMAT, "other than a plain array");
    FAILS(altered("ba.", "0a."), LAM_ERR_FORMAT, "opcode POP");
    FAILS(altered("(I1\n(I3", "(cos\nsystem\n(I3"), LAM_ERR_FORMAT, "os.system");
    FAILS(altered("I1\n(I3", "(I3"), LAM_ERR_FORMAT, "state is not that");
}

/* A pickle that remembers and repeats cannot grow the machine beyond its fixed memory. */
static void bounded(void **state)
{
    (void)state;
    char *text = malloc(200000);
    memset(text, 'N', 100000);
    text[100000] = '\0';
    FAILS(parse(text), LAM_ERR_FORMAT, "more than 128 things are on the stack");
    strcpy(text, "(lp0\n");
    for (size_t i = 0; i < 1000; i++)
        strcat(text, "Na");
    FAILS(parse(text), LAM_ERR_FORMAT, "holds more than 512 things");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_protocol), cmocka_unit_test(cut), cmocka_unit_test(refusals), cmocka_unit_test(other_arrays),
        cmocka_unit_test(bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
