"""What a Flow that takes columns as given is asked: densities and draws of some columns given others, predictions, missing cells."""
import collections
import warnings

import numpy as np

from . import _levels
from ._columns import Names, width_of
from ._estimator import random_state_of
from ._library import ArgumentError, DataError, check, choice, counts_of, doubles, ffi, lib, names_of, rows_of, text_of, whole

Prediction = collections.namedtuple("Prediction", "mean sd quantiles below errors method draws mass_error")
Prediction.__doc__ = """What columns are likely to be, given the others: mean and sd [n] of one column, [n, k] of several; quantiles and below, the
probabilities of being at most a value, with another axis at the end. errors is None, or a Prediction of standard errors. method is
"integral" (the density of the single column was integrated; its mass is 1 within mass_error) or "draws", of which there were so many a row."""

MEAN_DRAWS, CELLS_AT_ONCE = 200, 100000


class Questions:
    """The part of Flow that is about given columns."""

    def _takes_given(self):
        model = self._fitted()
        return bool(lib.lam_model_any_given(model)) or lib.lam_model_given_count(model) > 0

    def _own_column(self, item, what):
        """The place of a column by name, or by place from 0."""
        names = self._own_names()
        if isinstance(item, str):
            if names is None or item not in names:
                raise ArgumentError(f"{what}: the model has no column {item}; it has {self.n_features_in_}"
                                    + (f": {', '.join(names[:20])}" if names is not None else ", without names"))
            return names.index(item)
        place = whole(what, item, 0)
        if place >= self.n_features_in_:
            raise ArgumentError(f"{what}: the model has no column {place}; it has {self.n_features_in_}, from 0")
        return place

    def _own_places(self, items, what):
        if items is None:
            return []
        return [self._own_column(item, what) for item in ([items] if isinstance(items, str) or not hasattr(items, "__iter__") else items)]

    def _roles(self, of, given, rest):
        """Roles [d], as the library's bytes."""
        model = self._fitted()
        lists = [Names(text_of(lib.lam_model_column(model, j)) for j in self._own_places(items, what))
                 for items, what in ((of, "of"), (given, "given"))]
        roles = np.empty(self.n_features_in_, np.uint8)
        check(lib.lam_model_roles(model, *(ffi.new("lam_names *", names.value) for names in lists), rest, _bytes(roles)))
        return roles

    def _roles_of_rows(self, roles, x, fills=False):
        out = np.empty(x.shape, np.uint8)
        check(lib.lam_roles_of_rows(self._model, _bytes(roles), int(fills), doubles(x), len(x), _bytes(out)))
        return out

    def _known_rows(self, x, needed, what="X", *, optional=False, listed=()):
        """Rows [n, d] of x, which may lack columns that are not needed, or of optional=True needed ones: they are NaN. A file has to have all, or
        those needed. listed: lists of places that the caller gave; an x without names that has some of the columns is in the model's order."""
        names, own, d = names_of(x), self._own_names(), width_of(x)
        if names is not None and own is not None:
            there = [j for j in range(len(own)) if own[j] in names]
            lacking = [own[j] for j in needed if own[j] not in names]
            if not there and optional:
                raise DataError(f"{what} has none of the model's columns {', '.join(own[:20])}")
            if lacking and optional:
                warnings.warn(f"{what} has no column {', '.join(lacking[:20])}; what is there is all that is given", stacklevel=4)
            elif lacking:
                raise DataError(f"{what} has no column {', '.join(lacking[:20])}, which the model is given; it has {', '.join(names[:20])}")
        elif d is not None and d != self.n_features_in_:
            if d != len(needed):
                raise DataError(f"{what} has {d} features, but {type(self).__name__} is expecting {len(needed)} features as input.")
            if any(list(places) != sorted(places) for places in listed):
                raise ArgumentError(f"{what} has no names for its {d} columns, which are taken in the model's order; of and given list them in another: list "
                                    "them in that order, or give a DataFrame")
            there = list(needed)
        else:
            return self._any_rows(x, what, missing=True)
        if len(there) == self.n_features_in_:
            return self._any_rows(x, what, missing=True)
        levels = self._levels()
        if names is not None and own is not None:
            x = x[[own[j] for j in there]]
        x = _levels.encode(x, {k: levels[j] for k, j in enumerate(there) if j in levels}, what)
        rows = np.full((len(x), self.n_features_in_), np.nan)
        rows[:, there] = rows_of(x, what=what)
        return rows

    def _levels(self):
        return _levels.of_model(self._fitted())

    def _conditional_log_prob(self, x, how, of, given):
        """log p [n] of rows that have no infinity, Counts."""
        if is_mask(of):
            roles = np.where(np.isnan(x), lib.LAM_ABSENT, np.where(of, lib.LAM_MOVING, lib.LAM_GIVEN)).astype(np.uint8)
        else:
            roles = self._roles_of_rows(self._roles(of, given, lib.LAM_ABSENT), x)
        log_p, counts = np.empty(len(x)), ffi.new("lam_counts *")
        how.check(lib.lam_conditional_log_prob(self._model, how.pointer, _query(x, roles), doubles(log_p), counts))
        return log_p, counts_of(counts)

    # ---- draws

    def _given_rows(self, given):
        """Rows [m, d] with NaN where nothing is given, and whether they came as a table."""
        model, d = self._fitted(), self.n_features_in_
        fixed = [j for j in range(d) if lib.lam_model_role(model, j) == lib.LAM_GIVEN and not lib.lam_model_any_given(model)]
        if not self._takes_given():
            raise ArgumentError("given: this Flow is of all its columns together; one fitted with given= or any_given=True draws some given others")
        if not isinstance(given, dict):
            rows = self._known_rows(given, fixed, "given")
            if fixed:
                rows[:, [j for j in range(d) if j not in fixed]] = np.nan
            return rows, True
        row, levels = np.full((1, d), np.nan), self._levels()
        for item, value in given.items():
            j = self._own_column(item, "given")
            if fixed and j not in fixed:
                raise ArgumentError(f"given: this Flow was fitted with {item!r} not given; one fitted with any_given=True takes any columns")
            row[0, j] = _value(item, value, levels.get(j))
        lacking = [self._own_names()[j] if self._own_names() else j for j in fixed if np.isnan(row[0, j])]
        if lacking:
            raise ArgumentError(f"given: this Flow is given {', '.join(map(str, lacking))}, which {'has' if len(lacking) == 1 else 'have'} no value here")
        return row, False

    def _sample_given(self, n, given, seed, how, log_prob):
        """Draws [n, d], of a table of rows that are given [m, n, d], and log p of each or None."""
        rows, is_table = self._given_rows(given)
        self._advise(rows, how, 4)
        out = np.empty((len(rows) * n, self.n_features_in_))
        log_p = np.empty(len(out)) if log_prob else None
        how.check(lib.lam_conditional_sample(self._model, how.pointer, seed, _query(rows), n, doubles(out), doubles(log_p) if log_prob else ffi.NULL, ffi.NULL))
        if is_table:
            out, log_p = out.reshape(len(rows), n, -1), None if log_p is None else log_p.reshape(len(rows), n)
        return out, log_p

    # ---- predictions

    def predict_columns(self, X, *, of=None, given=None, quantiles=(), below=(), draws=None, errors=False, random_state=0, **how):
        """What columns are likely to be given the others of the row: a Prediction. Needs a Flow that was fitted with given= or any_given=True.

        X             rows; columns that are predicted may be missing from it
        of            the columns to predict; default those that the fit was not given
        given         of a Flow fitted with any_given=True those that are given; default all others, of a DataFrame those that it has
        quantiles     above 0 and below 1; below: values v, for the probabilities of being at most v
        draws         so many a row; default: integrate the density of a single column, take 1000 of several
        errors        True: with the standard errors of what draws say
        """
        model, how = self._fitted(), self._how(how)
        any_given = bool(lib.lam_model_any_given(model))
        if not self._takes_given():
            raise ArgumentError("this Flow is of all its columns together, and predicts none from the others; fit it with given= or any_given=True")
        if any_given and of is None:
            raise ArgumentError("of: this Flow predicts any of its columns; name those that are wanted")
        rest = lib.LAM_MOVING if not any_given else lib.LAM_GIVEN if given is None else lib.LAM_ABSENT
        roles = self._roles(of, given, rest)
        columns = self._own_places(of, "of") or [j for j in range(len(roles)) if roles[j] == lib.LAM_MOVING]
        x = self._known_rows(X, [j for j in range(len(roles)) if roles[j] == lib.LAM_GIVEN], optional=any_given and given is None,
                             listed=[self._own_places(given, "given")])
        rows = np.where((roles == lib.LAM_GIVEN) & np.isnan(x), lib.LAM_ABSENT, roles).astype(np.uint8) if any_given else roles[None]
        if not any_given and np.isnan(x[:, roles == lib.LAM_GIVEN]).any():
            raise DataError("X has a NaN in a column that is given; a Flow fitted with any_given=True takes rows with any cell missing")
        self._advise(np.where(roles == lib.LAM_GIVEN, x, np.nan), how, 4)
        return self._predict(x, np.ascontiguousarray(rows), columns, quantiles, below, draws, errors, random_state, how)

    def _predict(self, x, roles, columns, quantiles, below, draws, errors, random_state, how):
        quantiles, below = (np.ascontiguousarray(values, dtype=np.float64).reshape(-1) for values in (quantiles, below))
        numbers = 2 + len(quantiles) + len(below)
        values, spread = np.empty((len(x), len(columns), numbers)), np.empty((len(x), len(columns), numbers))
        kept = ffi.new("size_t[]", columns)
        options = ffi.new("lam_predict_options *", {
            "eval": how.pointer, "method": lib.LAM_PREDICT_AUTO if draws is None else lib.LAM_PREDICT_DRAWS, "seed": random_state_of(random_state, None),
            "draws": 0 if draws is None else whole("draws", draws, 1), "columns": kept, "n_columns": len(columns),
            "quantiles": doubles(quantiles) if len(quantiles) else ffi.NULL, "n_quantiles": len(quantiles),
            "below": doubles(below) if len(below) else ffi.NULL, "n_below": len(below)})
        report = ffi.new("lam_predict_report *")
        how.check(lib.lam_predict(self._model, options, _query(x, roles), doubles(values), doubles(spread), report))
        method = "integral" if report.method == lib.LAM_PREDICT_INTEGRAL else "draws"

        def prediction(table, more):
            table = table[:, 0] if len(columns) == 1 else table
            cut = 2 + len(quantiles)
            return Prediction(table[..., 0], table[..., 1], table[..., 2:cut], table[..., cut:], more, method, int(report.draws), report.mass_error)

        return prediction(values, prediction(spread, None) if errors else None)

    # ---- missing cells

    def impute(self, X, n_draws=1, random_state=None, *, mean=False, as_frame=False, **how):
        """X with its missing cells (NaN) filled by draws given the others of their row, which stay as they are, to the bit: [n, d], or, of
        several draws, [n_draws, n, d]. Needs a Flow that was fitted with any_given=True. mean=True: filled with the mean of n_draws draws (1: of
        200). as_frame=True: a DataFrame, or a list of them, with the names of the columns, and texts where an array has the numbers of levels."""
        model, how, n = self._fitted(), self._how(how), whole("n_draws", n_draws, 1)
        if not lib.lam_model_any_given(model):
            raise ArgumentError("impute fills any cells from any others, as a Flow does that was fitted with any_given=True")
        choice("mean", mean, {True: 1, False: 0})
        x, seed, d = self._known_rows(X, []), random_state_of(random_state, None), self.n_features_in_
        draws = MEAN_DRAWS if mean and n == 1 else n
        if np.isinf(x).any():
            raise DataError("X has an infinity; cells that are missing are NaN")
        filled = np.repeat(x[None], 1 if mean else n, axis=0)
        roles = self._roles_of_rows(np.full(d, lib.LAM_MOVING, np.uint8), x, fills=True)
        at_once = CELLS_AT_ONCE // draws + 1
        for first in range(0, len(x), at_once):
            part, own = np.ascontiguousarray(x[first:first + at_once]), np.ascontiguousarray(roles[first:first + at_once])
            out = np.empty((len(part), draws, d))
            how.pointer.first_row = first  # draws and messages count from the first row of all
            how.check(lib.lam_conditional_sample(model, how.pointer, seed, _query(part, own), draws, doubles(out), ffi.NULL, ffi.NULL))
            moving = own == lib.LAM_MOVING
            for k in range(len(filled)):
                filled[k, first:first + at_once][moving] = (out.mean(1) if mean else out[:, k])[moving]
        tables = [self._rows_as_frame(rows, getattr(X, "index", None) if hasattr(X, "columns") else None) for rows in filled] if as_frame else filled
        return tables[0] if len(filled) == 1 else tables


def is_mask(of):
    return getattr(of, "dtype", None) == bool and of.ndim == 2


def _query(rows, roles=None):
    """A lam_query of arrays that outlive it: rows [n, d], and roles [1 or n, d]."""
    asked = {"x": doubles(rows), "n": len(rows)}
    return ffi.new("lam_query *", asked if roles is None else {**asked, "roles": _bytes(roles), "n_roles": len(roles)})


def _bytes(roles):
    return ffi.from_buffer("unsigned char[]", roles)



def _value(item, value, levels):
    if levels is None:
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise ArgumentError(f"given: {item!r} is {value!r}, no number") from None
        if not np.isfinite(number):
            raise ArgumentError(f"given: {item!r} is {value!r}; leave out what is not known")
        return number
    if str(value) not in levels:
        raise ArgumentError(f"given: {value!r} is no level of the column {item}, whose {len(levels)} "
                            f"level{'s are' if len(levels) > 1 else ' is'} {_levels.few(levels)}")
    return float(levels.index(str(value)))
