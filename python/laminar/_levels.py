"""Columns of text: their texts are levels, and a cell is the number of its level, from 0, in the order of their bytes."""
import numpy as np

from ._columns import Names
from ._library import DataError, check, ffi, lib, names_of, text_of


def _is_missing(value):
    return value is None or (isinstance(value, float) and value != value) or type(value).__name__ in ("NAType", "NaTType")


def _column(x, place):
    """Cells of a column as an array, None if x is no table of columns."""
    labels = getattr(x, "columns", None)
    if labels is not None:
        return np.asarray(x[list(labels)[place]], dtype=object)
    array = x if hasattr(x, "ndim") else np.asarray(x, dtype=object)
    return array[:, place] if array.ndim == 2 else None


def _may_be_text(x, place):
    labels = getattr(x, "columns", None)
    column = x[list(labels)[place]] if labels is not None else x
    kind = getattr(getattr(column, "dtype", None), "kind", "O")
    return kind in "OUS"


def few(levels):
    """The first ones, for a message."""
    shown = len(levels) if len(levels) <= 7 else 6
    return ", ".join(levels[:shown]) + f" and {len(levels) - shown} others" * (shown < len(levels))


def find(x, places):
    """Of the columns of x at these places, those with text: {place: levels}."""
    found = {}
    for place in places:
        cells = _column(x, place) if _may_be_text(x, place) else None
        if cells is not None and any(isinstance(value, str) for value in cells):
            texts = {str(value) for value in cells if not _is_missing(value)}
            found[place] = sorted(texts, key=lambda text: text.encode())
    return found


def encode(x, levels, what):
    """x with numbers of levels in place of texts. levels: {place: list}. Columns that hold numbers are taken to be encoded."""
    codes = {}
    for place, known in levels.items():
        cells = _column(x, place) if _may_be_text(x, place) else None
        if cells is None:
            continue
        number = {text: float(k) for k, text in enumerate(known)}
        codes[place] = np.full(len(cells), np.nan)
        for i, value in enumerate(cells):
            if _is_missing(value):
                continue
            if str(value) not in number:
                names = names_of(x)
                raise DataError(f"{what}, row {i} (from 0): {value!r} is no level of the column {place if names is None else names[place]}, "
                                f"whose {len(known)} level{'s are' if len(known) > 1 else ' is'} {few(known)}")
            codes[place][i] = number[str(value)]
    if not codes:
        return x
    labels = getattr(x, "columns", None)
    if labels is None:
        array = np.array(x, dtype=object)
        for place, column in codes.items():
            array[:, place] = column
        return array
    frame = x.copy(deep=False)
    for place, column in codes.items():
        frame[list(labels)[place]] = column
    return frame


def decode(frame, levels):
    """frame, a DataFrame, with texts in place of the numbers of levels; a missing cell is NaN as before. levels: {place: list}."""
    for place, known in levels.items():
        label = frame.columns[place]
        frame[label] = [known[round(code)] if code == code else np.nan for code in frame[label]]
    return frame


def set_in(table, levels, places):
    """Tells a lam_table, whose columns were at these places, which of them are text."""
    for j, place in enumerate(places):
        if place in levels:
            names = Names(levels[place])
            check(lib.lam_table_set_levels(table, j, ffi.new("lam_names *", names.value)))


def of_model(model):
    """{column: levels} of a model."""
    found = {}
    for j in range(int(lib.lam_model_dim(model))):
        names = lib.lam_model_levels(model, j)
        if names.n > 0:
            found[j] = [text_of(names.item[k]) for k in range(names.n)]
    return found
