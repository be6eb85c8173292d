"""The C library, its errors as exceptions, and what crosses the border: text, numbers, arrays, callbacks. Nothing here is public."""
import collections
import errno
import operator
import os
import re
import shlex
import warnings

import numpy as np

from ._cffi import ffi
from ._where import LIBRARY

lib = ffi.dlopen(os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), LIBRARY)))


class Error(Exception):
    """What the library refuses or fails at; the text says where and what to do."""


class ArgumentError(Error, ValueError):
    """An argument or a parameter is out of range."""


class DataError(Error, ValueError):
    """The numbers cannot be used: NaN, a constant column, too few rows; columns that are not the model's; a damaged file."""


class NotNumbersError(DataError, TypeError):
    """Cells that are no numbers at all, or data in a form that is not taken."""


class FileError(Error, OSError):
    """A file could not be opened, read or written."""


class MissingFileError(FileError, FileNotFoundError):
    """There is no such file or folder."""


class SolverError(Error, ArithmeticError):
    """The ODE solver gave up, or a loss is not finite."""


class UnsupportedError(Error, NotImplementedError):
    """This build or processor lacks what was asked for."""


_ERRORS = {
    "LAM_ERR_ARGUMENT": ArgumentError, "LAM_ERR_IO": FileError, "LAM_ERR_FORMAT": DataError, "LAM_ERR_DATA": DataError,
    "LAM_ERR_SHAPE": DataError, "LAM_ERR_SOLVER": SolverError, "LAM_ERR_DIVERGED": SolverError,
    "LAM_ERR_UNSUPPORTED": UnsupportedError, "LAM_ERR_MEMORY": MemoryError,
}
_BY_NUMBER = {getattr(lib, name): kind for name, kind in _ERRORS.items()}


def text_of(pointer):
    """A C string as str; None for NULL."""
    return None if pointer == ffi.NULL else ffi.string(pointer).decode("utf-8", "replace")


def bytes_of(text):
    """A str as C takes it."""
    if "\0" in text:
        raise ValueError(f"embedded null byte in {text!r}")
    return text.encode()


def path_bytes(path):
    name = os.fsencode(os.fspath(path))
    if b"\0" in name:
        raise ValueError(f"embedded null byte in {path!r}")
    return name


def each_parameter():
    """Index and entry of every parameter in the library's table."""
    index = 0
    while (p := lib.lam_parameter_at(index)) != ffi.NULL:
        yield index, p
        index += 1


def items_of(text):
    """The items of a list of columns as the library writes it, "a,b", each with whether it stood in quotes."""
    found = []
    for match in re.finditer(r' *(?:"((?:[^"]|"")*)"([^,]*)|([^,]*))(?:,|$)', text):
        quoted = match[1] is not None
        item = match[1].replace('""', '"') + match[2].rstrip(" ") if quoted else match[3].rstrip(" ")
        if item or quoted:
            found.append((item, quoted))
    return found


_WORD = r"(?:'[^']*'|\\'|[^\s'\";|&<>()$`\\]|\"[^\"]*\")*(?:'[^']*'|\\'|[^\s'\";|&<>()$`\\,.:])"


def _column_keyword(match):
    """"--drop 1,price" as "drop 1,price (drop=[1, 'price'])": a flag's value as a keyword takes it. A number stands for a place, in quotes
    for a name."""
    text = shlex.split(match[2])[0]
    if text == "auto":
        return f"{match[1]}='auto'"

    def column(item, quoted):
        return int(item) if item.isdecimal() and not quoted else item

    if match[1] == "noise":
        pairs = [(item.rpartition(":"), quoted) for item, quoted in items_of(text)]
        value = {column(name, quoted): float(width) for (name, _, width), quoted in pairs}
    else:
        value = [column(item, quoted) for item, quoted in items_of(text)]
    return f"{match[1]} {text} ({match[1]}={value!r})"


def as_python(message):
    """The library's texts name flags and parameters, --batch-size and batch-size; as keywords they are batch_size. What a flag is to be
    given is written as a keyword takes it."""
    message = message.replace("taken with --standardised (score, encode, check, tune)", 'taken by log_prob(X, units="standardised")')
    message = re.sub(rf"--(drop|columns|noise) ({_WORD})", _column_keyword, message)
    names = sorted((text_of(p.name) for _, p in each_parameter()), key=len, reverse=True)
    flags, plain = "|".join(names), "|".join(name for name in names if "-" in name)
    return re.sub(rf"--({flags})\b|(?<![-\w])({plain})(?![-\w])", lambda m: m[0].lstrip("-").replace("-", "_"), message)


def check(status):
    if status == lib.LAM_OK:
        return
    text = as_python(text_of(lib.lam_last_error()))
    kind = _BY_NUMBER.get(status, Error)
    if kind is FileError and text.endswith(os.strerror(errno.ENOENT)):
        kind = MissingFileError
    raise kind(text)


Counts = collections.namedtuple("Counts", "forward backward recomputed accepted rejected solves untraced")
Counts.__doc__ = """What a call cost: evaluations of the vector field f (one that gives the trace too counts once), vector-Jacobian products
of it, stages evaluated again for these, accepted and rejected solver steps; summed over batches and blocks, of which there were solves;
untraced: of forward, those of f alone."""


def counts_of(c):
    return Counts(*(int(getattr(c, name)) for name in Counts._fields))


def whole(name, value, low=0, high=2**64 - 1):
    """A whole number in range, from any type of whole numbers."""
    try:
        number = operator.index(value)
    except TypeError:
        raise ArgumentError(f"{name}={value!r}: it is a whole number") from None
    if not low <= number <= high:
        raise ArgumentError(f"{name}={value!r}: it is a whole number from {low} to {high}")
    return number


def choice(name, value, choices):
    if value not in choices:
        raise ArgumentError(f"{name}={value!r}: it is one of {', '.join(str(c) for c in choices if c is not None)}")
    return choices[value]


def doubles(x):
    """A pointer to a C-contiguous array of float64, which must outlive it."""
    return ffi.from_buffer("double[]", x)


def are_places(labels):
    """0, 1, 2, ..., the labels that a frame without names gets, in whatever order: each says its column's place."""
    return all(isinstance(label, (int, np.integer)) for label in labels) and sorted(labels) == list(range(len(labels)))


def names_of(x):
    """Column names of a DataFrame; None of what has none. Whole numbers that are no places are names, as they are in a file. Labels of
    several kinds are no names, as for scikit-learn."""
    labels = getattr(x, "columns", None)
    if labels is None:
        return None
    labels = list(labels)
    if all(isinstance(label, str) for label in labels):
        return labels
    whole_numbers = all(isinstance(label, (int, np.integer)) and not isinstance(label, bool) for label in labels)
    return [str(label) for label in labels] if whole_numbers and not are_places(labels) else None


def _numbers(values, what):
    """One column, or a whole array, as float64. pd.NA becomes NaN."""
    kind = getattr(getattr(values, "dtype", None), "kind", None)
    if kind == "c":
        raise DataError(f"Complex data not supported: {what} holds complex numbers; give real and imaginary parts as columns")
    if kind in ("m", "M"):
        raise DataError(f"{what} holds times, no plain numbers")
    if isinstance(values, np.ma.MaskedArray):
        values = values.astype(np.float64).filled(np.nan)
    if hasattr(values, "tocsr"):
        raise NotNumbersError(f"{what} is a sparse matrix, and only dense data is taken; give {what}.toarray()")
    try:
        if hasattr(values, "to_numpy") and type(values).__module__.startswith("pandas."):
            return values.to_numpy(dtype=np.float64, na_value=np.nan)
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        wrong = NotNumbersError if isinstance(error, TypeError) else DataError
        raise wrong(f"{what} is not all numbers: {error}") from None


def rows_of(x, columns=None, what="X", model="the model"):
    """x as a C-contiguous float64 array [n, columns], n > 0; columns None: any. The wordings are those by which scikit-learn's own checks
    know these errors."""
    if getattr(x, "columns", None) is not None:
        labels = list(x.columns)
        if len(set(labels)) < len(labels):
            raise DataError(f"{what} has two columns of one name")
        x = np.column_stack([_numbers(x[label], f"column {label} of {what}") for label in labels]) if labels else np.empty((0, 0))
    else:
        x = _numbers(x, what)
    if x.ndim != 2:
        raise DataError(f"{what} has {x.ndim} dimension{'s' * (x.ndim != 1)}; give rows by columns, [n, {columns or 'd'}]. Reshape your data: "
                        f"{what}.reshape(-1, 1) if it is one column, {what}.reshape(1, -1) if it is one row")
    if x.size == 0:
        raise DataError(f"{what} has no {'rows' if len(x) == 0 else 'columns'}: {x.shape[0]} sample(s), {x.shape[1]} feature(s) "
                        f"(shape={x.shape}) while a minimum of 1 is required.")
    if columns is not None and x.shape[1] != columns:
        raise DataError(f"{what} has {x.shape[1]} features, but {model} is expecting {columns} features as input.")
    return np.ascontiguousarray(x)


def check_finite(x, names, what, remedy):
    bad = np.argwhere(~np.isfinite(x))
    if len(bad):
        i, j = bad[0]
        raise DataError(f"{what} has {'a NaN' if np.isnan(x[i, j]) else 'an infinity'} in row {i}, column {j} (from 0)"
                        f"{f', {names[j]}' if names is not None else ''}; {remedy}")


class _Callback:
    """A function that C calls back. What it raises is kept, also Ctrl-C before its first line, and makes it answer 1."""

    def __init__(self, kind, function):
        self.caught = None
        has_answer = not kind.startswith("void")
        self.pointer = ffi.callback(kind, function, onerror=self._raised, **({"error": 1} if has_answer else {}))

    def _raised(self, kind, error, trace):
        del kind
        if self.caught is None:
            self.caught = error.with_traceback(trace)


class Log:
    """Collects the library's warnings and notes while a call runs; tell() passes them on afterwards."""

    def __init__(self):
        self.pointer = ffi.new("lam_log *")
        self._lines = []
        self._call = _Callback("void(void *, const char *)", lambda user, line: self._lines.append(text_of(line)))
        self.pointer.line = self._call.pointer

    def tell(self, stacklevel, from_zero=False):
        """from_zero: columns have no names, and the library's numbers of them, from 1, become places."""
        if self._call.caught is not None:
            raise self._call.caught
        lines, self._lines = self._lines, []
        for line in lines:
            if from_zero:
                line = re.sub(r"\bcolumn (\d+)\b", lambda m: f"column {int(m[1]) - 1}", line)
            warnings.warn(as_python(line), stacklevel=stacklevel + 1)


class Watch:
    """A function that is called back with progress: its true answer asks to stop, and what it raises comes out behind the call. So does
    Ctrl-C, which Python only sees while it runs."""

    def __init__(self, kind, function):
        self._asked = False

        def call(user, *arguments):
            self._asked = bool(function(*arguments))
            return int(self._asked)

        self._call = _Callback(kind, call)
        self.pointer = self._call.pointer

    def reraise(self):
        """Raises what was raised meanwhile."""
        if self._call.caught is not None:
            raise self._call.caught

    def check(self, status):
        """As check(), but what was raised meanwhile comes first; a stop that was asked for is no error. True: there was one."""
        self.reraise()
        if status == lib.LAM_ERR_INTERRUPTED:
            if not self._asked:
                raise KeyboardInterrupt
            return True
        check(status)
        return False
