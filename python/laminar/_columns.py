"""Columns of arrays, DataFrames and files, by name and by place. A str is a name and an int a place, from 0, wherever columns are asked for.
Which columns are taken and in which order, the library decides, as it does for the program."""
import numpy as np

from ._library import ArgumentError, DataError, are_places, bytes_of, check, ffi, lib, names_of, path_bytes, rows_of, text_of, whole


def width_of(x):
    """How many columns x has; None of what is no table."""
    labels = getattr(x, "columns", None)
    if labels is not None:
        return len(labels)
    try:
        shape = getattr(x, "shape", None) or np.asarray(x).shape
    except ValueError:  # rows of different lengths
        return None
    return shape[1] if len(shape) == 2 else None


class Names:
    """A lam_names of texts, with what it points to."""

    def __init__(self, texts=()):
        self._kept = [ffi.new("char[]", bytes_of(text)) for text in texts]
        self._item = ffi.new("char *[]", self._kept)
        self.value = {"item": ffi.cast("char **", self._item), "n": len(self._kept)}


def wanted(owner, names, has_names=True, levels=ffi.NULL):
    """A lam_wanted of columns of these names, and what it points to."""
    kept = ffi.new("char[]", bytes_of(owner)), Names(names)
    return ffi.new("lam_wanted *", {"owner": kept[0], "names": kept[1].value, "has_names": has_names, "levels": levels}), kept


def canonical(name, item, names, d, what):
    """An item of columns, drop, given or noise (name) as the library spells it: the column's name, or where it has none its number from 1."""
    if isinstance(item, str):
        if names is None:
            raise ArgumentError(f"{name}: {what} has no names of columns, so no column {item}; they go by place, 0 to {d - 1}")
        if item not in names:
            raise DataError(f"{name}: {what} has no column {item}; it has {', '.join(names[:20])}{', ...' * (len(names) > 20)}")
        return item
    place = whole(name, item, 0)
    if place >= d:
        raise ArgumentError(f"{name}: {what} has no column {place}; it has {d}, 0 to {d - 1}")
    return names[place] if names is not None and names.count(names[place]) == 1 else str(place + 1)


def choose(x, what, options, estimator=None, size=None):
    """x, an array or a DataFrame, as float64 [n, columns], with the names of its columns and their places in x. options: of a
    lam_read_options, its lists and like. estimator: what wants so many columns (size), for scikit-learn's words about another number."""
    d, names = width_of(x), names_of(x)
    if d is None or d == 0:
        rows_of(x, what=what)
        raise DataError(f"{what} is no table")
    if names is not None and len(set(names)) < len(names):
        raise DataError(f"{what} has two columns of one name")
    given, kept, n = Names(names or ()), ffi.new("size_t[]", d), ffi.new("size_t *")
    full = ffi.new("lam_read_options *", {**options, "from_zero": 1})
    status = lib.lam_columns_choose(bytes_of(what), ffi.NULL if names is None else given.value["item"], d, full, kept, n)
    if status == lib.LAM_ERR_SHAPE and size is not None and d != size and names is None:
        rows_of(x, size, what, estimator)
    check(status)
    places = [int(kept[k]) for k in range(n[0])]
    return rows_of(_take(x, places, d), what=what), None if names is None else [names[j] for j in places], places


def _take(x, places, d):
    labels = getattr(x, "columns", None)
    if labels is not None:
        labels = list(labels)
        wanted_labels = places if are_places(labels) else [labels[j] for j in places]
        return x if wanted_labels == labels else x[wanted_labels]
    if places == list(range(d)):
        return x
    return x[:, places] if hasattr(x, "shape") and hasattr(x, "dtype") else np.asarray(x)[:, places]


def names_in(path, header):
    """Names of the columns of a file, None without a header, and how many there are."""
    table = ffi.new("lam_table **")
    check(lib.lam_table_read(path_bytes(path), ffi.new("lam_read_options *", {"names_only": 1, "header": header}), table))
    kept = ffi.gc(table[0], lib.lam_table_free)
    return names_in_table(kept), int(kept.cols)


def names_in_table(table):
    return [text_of(table.names[j]) for j in range(table.cols)] if table.has_names else None
