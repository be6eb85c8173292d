"""The C library, its errors as exceptions, and what crosses the border: text, arrays, counts, callbacks. Nothing here is public."""
import collections
import os
import re
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


class FileError(Error, OSError):
    """A file could not be opened, read or written."""


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


def _parameter_names():
    names = []
    while (p := lib.lam_parameter_at(len(names))) != ffi.NULL:
        names.append(text_of(p.name))
    return names


def as_python(message):
    """The library's texts name flags and parameters, --batch-size and batch-size; as keywords they are batch_size."""
    names = "|".join(sorted(_parameter_names(), key=len, reverse=True))
    return re.sub(rf"--({names})\b|\b({names})\b(?=[: ])", lambda m: m[0].lstrip("-").replace("-", "_"), message)


def check(status):
    if status != lib.LAM_OK:
        raise _BY_NUMBER.get(status, Error)(as_python(text_of(lib.lam_last_error())))


def path_bytes(path):
    return os.fsencode(os.fspath(path))


# Calls of f and solver steps, summed over blocks and batches; solves are batches times blocks.
Counts = collections.namedtuple("Counts", "forward backward recomputed accepted rejected solves")


def counts_of(c):
    return Counts(*(int(getattr(c, name)) for name in Counts._fields))


def doubles(x):
    """A pointer to a C-contiguous array of float64, which must outlive it."""
    return ffi.from_buffer("double[]", x)


def rows_of(x, columns, what="X"):
    """x as a C-contiguous float64 array [n, columns]."""
    x = np.ascontiguousarray(x, dtype=np.float64)
    if x.ndim != 2:
        raise DataError(f"{what} has {x.ndim} dimension{'s' * (x.ndim != 1)}; give rows by columns, as of x.reshape(-1, {columns or 1})")
    if columns is not None and x.shape[1] != columns:
        raise DataError(f"{what} has {x.shape[1]} columns, the model takes {columns}")
    return x


class Log:
    """Collects the library's warnings and notes while a call runs; tell() passes them on afterwards."""

    def __init__(self):
        self.pointer = ffi.new("lam_log *")
        self._lines = []
        self._call = ffi.callback("void(void *, const char *)", lambda user, line: self._lines.append(text_of(line)))
        self.pointer.line = self._call

    def tell(self, stacklevel):
        for line in self._lines:
            warnings.warn(as_python(line), stacklevel=stacklevel + 1)
        self._lines.clear()


class Watch:
    """A function that C calls back: its true answer asks to stop, and what it raises comes out behind the call. So does Ctrl-C,
    which Python only sees while it runs."""

    def __init__(self, kind, function):
        self.caught = None
        # not try and except: Ctrl-C may come before the first line of a function
        self.pointer = ffi.callback(kind, lambda user, *arguments: int(bool(function(*arguments))), error=1, onerror=self._raised)

    def _raised(self, kind, error, trace):
        del kind
        if self.caught is None:
            self.caught = error.with_traceback(trace)

    def check(self, status):
        """As check(), but what was raised meanwhile comes first; a stop that was asked for is no error."""
        if self.caught is not None:
            raise self.caught
        if status != lib.LAM_ERR_INTERRUPTED:
            check(status)
