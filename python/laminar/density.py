"""Densities of tables of numbers."""
import collections
import os
import warnings

import numpy as np

from . import _levels, _parameters
from ._columns import canonical, choose, names_in_table, wanted, width_of
from ._conventions import as_frame_of, index_of, make_init, pandas, shortened
from ._estimator import Estimator, describe_how, model_file, random_state_of, result_facts, seed_of
from .conditional import Questions, is_mask
from ._library import (ArgumentError, DataError, Log, Watch, as_python, bytes_of, check, check_finite, choice, counts_of, doubles, ffi, lib,
                       names_of, path_bytes, rows_of, text_of, whole)

Setting = collections.namedtuple("Setting", "solver steps atol rtol trace_points")
Setting.__doc__ = """How a call solves: by so many even steps per block, or, with steps 0, by adaptive ones at these tolerances; with the trace
of the Jacobian at so many points per block, or, with trace_points 0, at every stage of the solver."""

CheckReport = collections.namedtuple("CheckReport", "rows nll nll_tight nll_standardised nll_tight_standardised logp_error_max logp_error_rms "
                                     "round_trip_max round_trip_rms hutchinson_mean hutchinson_se mass consistency counts counts_tight")
CheckReport.__doc__ = """How far a model's numbers can be trusted: mean NLL (data units, NaN where other columns are missing in other rows, and
standardised units) by its setting and by a tighter solve in double; the error of log p against that, nats; decode(encode(x)) - x in
standardised units; the Hutchinson estimate of mean log p less the exact one, and its standard error; the total mass (of one column given others that of the row, of at most 200, whose mass is furthest from 1), None beyond two columns; of
a Flow fitted with any_given=True how far its densities disagree (log p(a) + log p(b | a) - log p(a, b), root mean square, nats), else None."""

TuneCandidate = collections.namedtuple("TuneCandidate", "setting calls rms percentile cpu_seconds on_front untraced cost")
TuneCandidate.__doc__ = """A setting that tune tried: evaluations of f per batch; root mean square and 99th percentile of its error in log p, nats; on_front:
none is both cheaper and more exact; how many of the evaluations are without the trace, and the cost, in evaluations with it."""
TuneResult = collections.namedtuple("TuneResult", "candidates chosen test_before test_after rows test_rows reference_tolerance seconds")
TuneResult.__doc__ = """What tune tried and chose, on so many validation rows; chosen is one of the candidates (None after a stop); test_before
and test_after are the old and the new setting on rows that decided nothing. The reference is dop853 in double at a tolerance."""

Table = collections.namedtuple("Table", "values names n_dropped how")
Table.__doc__ = """Rows of a file: values [n, d]; names of the columns, None without a header; how many rows were dropped; of a text file how it
was read: where the names are from and what decided, else None."""

def _setting(s):
    return Setting(text_of(s.solver), int(s.steps), s.atol, s.rtol, int(s.trace_points))


def _is_path(x):
    return isinstance(x, (str, os.PathLike))


def _read(path, options, stacklevel=4):
    """A lam_table; options: of a lam_read_options."""
    table = ffi.new("lam_table **")
    check(lib.lam_table_read(path_bytes(path), ffi.new("lam_read_options *", {**options, "from_zero": 1}), table))
    kept = ffi.gc(table[0], lib.lam_table_free)
    for note in (text_of(kept.notes) or "").splitlines():
        warnings.warn(f"{os.fspath(path)}: {as_python(note)}", stacklevel=stacklevel)
    return kept


def _table_values(table):
    return np.frombuffer(ffi.buffer(table.values, 8 * table.rows * table.cols)).reshape(table.rows, table.cols).copy()


def _with_bad_rows(table, values):
    """values with rows of NaN where lam_table_read left bad rows out."""
    if table.bad_rows == 0:
        return values
    bad = np.frombuffer(ffi.buffer(table.bad_at, table.bad_rows * ffi.sizeof("size_t")), np.uintp)
    whole_table = np.full((len(values) + len(bad), values.shape[1]), np.nan)
    whole_table[np.setdiff1d(np.arange(len(whole_table)), bad)] = values
    return whole_table


def read(path, *, columns=None, drop=None, drop_bad_rows=False, header=None, as_frame=False):
    """Reads a table as the program does: text with any separator (.gz too), .npy, .npz ("file.npz:NAME") or "toy:NAME". columns, drop: by
    name, or by place from 0. A cell HH:MM[:SS] reads as minutes of the day. header ("yes", "no", "auto"): whether the first line names
    the columns; auto finds out. Errors name line and column. Returns a Table; as_frame=True: a DataFrame, its attrs["n_dropped"] the rows
    left out."""
    config = _parameters.Config("density", {"columns": columns, "drop": drop, "header": header})
    config.choose_in(path)
    c = lib.lam_config_read_options(config.pointer)
    table = _read(path, {"columns": c.columns, "drop": c.drop, "header": c.header,
                         "drop_bad_rows": choice("drop_bad_rows", drop_bad_rows, {True: 1, False: 0})}, stacklevel=3)
    values, names, n_dropped = _table_values(table), names_in_table(table), int(table.bad_rows)
    if not as_frame:
        return Table(values, names, n_dropped, text_of(table.how))
    frame = as_frame_of(values, names)
    frame.attrs["n_dropped"] = n_dropped
    return frame


class _Table:
    """Rows as a lam_table: an array, a DataFrame, or a file as the program reads it. first: the _Table in whose columns they are wanted."""

    def __init__(self, x, config, what, first=None):
        if first is None and _is_path(x):
            config.choose_in(x)
        elif first is None and width_of(x) is not None:
            config.choose(names_of(x), width_of(x), what)
        c = lib.lam_config_read_options(config.pointer)
        options = {"columns": c.columns, "drop": c.drop}
        if first is not None:
            like, kept = wanted("X", first.names or [""] * int(first.pointer.cols), first.names is not None, first.pointer.levels)
            if first.names is not None:  # by the names that were chosen; the choice itself is for what has no names
                like.columns, like.drop, options = c.columns, c.drop, {}
            options["like"] = like
        if _is_path(x):
            self.pointer = _read(x, {**options, "drop_bad_rows": c.drop_bad_rows, "drop_duplicates": c.drop_duplicates, "header": c.header,
                                     "missing": c.missing, "text": c.text})
            self.levels = {}
            self.names = names_in_table(self.pointer)
            self.n_dropped = int(self.pointer.bad_rows + self.pointer.duplicates)
            return
        self.levels = self._levels_of(x, c.text) if first is None else first.levels_in(x)
        rows, names, places = choose(_levels.encode(x, self.levels, what), what, options)
        before = len(rows)
        if c.drop_bad_rows:
            rows = rows[np.isfinite(rows).all(axis=1)]
        check_finite(np.where(np.isnan(rows), 0, rows) if c.missing else rows, names, what, "drop_bad_rows=True leaves such rows out, any_given=True fits them as they are")
        if c.drop_duplicates:
            rows = rows[np.sort(np.unique(rows, axis=0, return_index=True)[1])]
        self.names, self.n_dropped = names, before - len(rows)
        self.pointer = _as_table(rows, names, places)
        _levels.set_in(self.pointer, self.levels, places)
        self.places = places

    @staticmethod
    def _levels_of(x, given):
        """Levels of the given columns that are text, by place."""
        names, d = names_of(x), width_of(x)
        items = [text_of(given.item[k]) for k in range(given.n)]
        return _levels.find(x, [names.index(item) if names is not None and item in names else int(item) - 1 for item in items]) if d else {}

    def levels_in(self, x):
        """The same of other rows, by the names of these, or their places."""
        names = names_of(x)
        own = {j: [text_of(self.pointer.levels[j].item[k]) for k in range(self.pointer.levels[j].n)]
               for j in range(self.pointer.cols) if self.pointer.levels != ffi.NULL and self.pointer.levels[j].n > 0}
        if names is None or self.names is None:
            places = getattr(self, "places", None) or list(range(self.pointer.cols))
            return {places[j]: levels for j, levels in own.items()}
        return {names.index(self.names[j]): levels for j, levels in own.items() if self.names[j] in names}


def _as_table(rows, names, places):
    rows, table = np.ascontiguousarray(rows), ffi.new("lam_table **")
    check(lib.lam_table_create(rows.shape[0], rows.shape[1], table))
    kept = ffi.gc(table[0], lib.lam_table_free)
    ffi.memmove(kept.values, doubles(rows), rows.nbytes)
    for j, place in enumerate(places):
        check(lib.lam_table_rename(kept, j, bytes_of(str(place) if names is None else names[j])))
        kept.numbers[j] = place + 1
    kept.has_names, kept.from_zero = names is not None, 1
    return kept


class Flow(Questions, Estimator):
    """The density of the rows of a table, as a continuous normalizing flow.

    >>> flow = laminar.Flow(tpr=True, dims=(32, 32), iterations=300).fit(X)
    >>> flow.score_samples(X)          # log p(x) of each row, nats, exact trace
    >>> flow.sample(1000)
    >>> z = flow.transform(X)          # to the base density, a standard normal
    >>> flow.inverse_transform(z)

    Flow(given=[...]) is the density of the other columns given these, Flow(any_given=True) that of any columns given any others; both
    take rows with missing cells, and given columns may be text.

    X is an array [n, d], a DataFrame (by the names of its columns, in any order), or the path of a file as laminar.read takes it. fit
    leaves result_ (FitResult), n_features_in_, feature_names_in_ (where columns have names), mean_ and scale_ (the standardiser, whose
    log-determinant is log_det_), n_parameters_, and n_dropped_ (rows that drop_bad_rows and drop_duplicates left out). Columns by
    number count from 0. preset names published settings (laminar.presets()), config is a YAML file of
    parameters, as `laminar fit --config` takes it; config goes over the preset, keywords go over both.
    One fitted Flow may be used by several threads at once, but for fit, tune and untune.

    Parameters, all by keyword (None: the default):
"""
    _kind = "density"
    __init__ = make_init(_kind)

    def fit(self, X, y=None, *, valid=None, test=None, out=None, resume=False, overwrite=False, init=None, progress=None):
        """Fits the flow to X, in its own units; y is ignored.

        valid, test   rows of their own; where neither is given, val_fraction and test_fraction of X, by split_seed
        out           a folder for config.yaml, metrics.jsonl, the model and a checkpoint. Of one that holds a run, resume=True goes on
                      from the checkpoint, overwrite=True starts anew
        init          a fitted Flow of the same architecture, or its file, to start from
        progress      None: a line on stderr where somebody sees it; True, False; or a function of laminar.Progress, whose true answer
                      stops the fit. A stopped flow is fitted, its result_ not finished. Ctrl-C stops too, and is raised; with out
                      everything is saved then, without it nothing is kept.
        """
        del y
        config = self._config()
        first = _Table(X, config, "X")
        if first.pointer.rows == 1:
            raise DataError("X has 1 sample (one row), n_samples=1; a density needs more")
        others = [None if part is None else _Table(part, config, what, first) for part, what in ((valid, "valid"), (test, "test"))]
        if init is not None:
            if _is_path(init):
                init, path = Flow(), init
                init._adopt_file(model_file(path))
            if not isinstance(init, Flow):
                raise TypeError(f"init={init!r}: it is a fitted Flow or the path of one")
        data, log = ffi.new("lam_dataset **"), Log()
        status = lib.lam_dataset_build(config.pointer, first.pointer, *(ffi.NULL if t is None else t.pointer for t in others),
                                       log.pointer, data)
        kept = ffi.gc(data[0], lib.lam_dataset_free) if data[0] != ffi.NULL else None
        log.tell(2)
        check(status)
        self._run(lib.lam_fit, lib.lam_model_free, config, kept, out, resume, overwrite, progress,
                  ffi.NULL if init is None else init._fitted())
        self.n_dropped_ = first.n_dropped
        return self

    def _adopt(self, model):
        self._model = model
        d = self.n_features_in_ = int(lib.lam_model_dim(model))
        names = [text_of(lib.lam_model_column(model, j)) for j in range(d)] if lib.lam_model_has_names(model) else None
        self.__dict__.pop("feature_names_in_", None)
        if names is not None:
            self.feature_names_in_ = np.array(names, dtype=object)
        mean, scale, log_det = ffi.new("double **"), ffi.new("double **"), ffi.new("double *")
        lib.lam_model_standardiser(model, mean, scale, log_det)
        self.mean_, self.scale_ = (np.frombuffer(ffi.buffer(p[0], 8 * d)).copy() for p in (mean, scale))
        self.log_det_ = log_det[0]
        self.n_parameters_ = int(lib.lam_model_parameter_count(model))

    def _facts(self):
        r, names = getattr(self, "result_", None), getattr(self, "feature_names_in_", None)
        facts = [("columns fitted", str(self.n_features_in_) + ("" if names is None else ": " + shortened(names))),
                 ("weights", str(self.n_parameters_))]
        if r is not None:
            facts += result_facts(r)
            facts += [(f"mean log p of the {part} rows, data units", f"{self.log_det_ - nll:.4f} nats")
                      for part, nll in (("validation", r.best_val_nll), ("test", r.test_nll)) if nll == nll]
        return facts

    def _save(self, path):
        check(lib.lam_model_save(self._model, path_bytes(path)))

    def _adopt_file(self, path, config=None):
        model = ffi.new("lam_model **")
        check(lib.lam_model_load(path_bytes(path), ffi.NULL if config is None else config.pointer, model))
        self._adopt(ffi.gc(model[0], lib.lam_model_free))

    def _own_names(self):
        return list(self.feature_names_in_) if hasattr(self, "feature_names_in_") else None

    def _rows(self, x, what="X"):
        """Rows in the model's columns: of a frame, or a file with a header, those of its names."""
        x = self._any_rows(x, what)
        check_finite(x, self._own_names(), what, "leave such rows out")
        return x

    def _any_rows(self, x, what, missing=False):
        """As _rows, with NaN and infinities. missing=True: rows of a file that have a bad cell are NaN, and no error."""
        options = {"like": ffi.new("lam_wanted *", lib.lam_model_wanted(self._fitted()))}
        if _is_path(x):
            header = lib.lam_config_read_options(lib.lam_model_config(self._model)).header
            table = _read(x, {**options, "drop_bad_rows": int(missing), "header": header, "missing": int(missing and self._takes_given())})
            return _with_bad_rows(table, _table_values(table))
        return choose(self._encoded(x, what), what, options, type(self).__name__, self.n_features_in_)[0]

    def _encoded(self, x, what):
        """x with numbers of levels in place of texts."""
        levels, names, own = self._levels(), names_of(x), self._own_names()
        if levels and names is not None and own is not None:
            levels = {names.index(own[j]): texts for j, texts in levels.items() if own[j] in names}
        return _levels.encode(x, levels, what) if levels and width_of(x) is not None else x

    # ---- densities

    def log_prob(self, X, *, of=None, given=None, counts=False, **how):
        """log p of each row, nats [n]; with a warning NaN of a row that has a NaN or an infinity. counts=True: and the Counts that it
        took. units="standardised": X and the density are in the standardised units in which the flow works. Of a Flow that was fitted with
        given= it is that of the other columns; with any_given=True that of the columns of= given those given=, whatever the others are. A
        cell that is missing is unknown there; a row that has no cell of what is asked is NaN, with a warning. of may be a mask of booleans,
        the shape of X: each row's own, given its other cells."""
        log_p, _, cost = self._log_prob(X, how, of, given)
        return (log_p, cost) if counts else log_p

    def _log_prob(self, X, how, of=None, given=None):
        """log p [n], which of the rows have one [n], Counts. The caller is called by the user."""
        model, how = self._fitted(), self._how(how)
        conditional = of is not None or given is not None or self._takes_given()
        x = self._asked_rows(X, of, given) if conditional else self._any_rows(X, "X", missing=True)
        good = ~np.isinf(x).any(axis=1) & self._has_asked(x, of, given) if conditional else np.isfinite(x).all(axis=1)
        log_p, counts = np.full(len(x), np.nan), ffi.new("lam_counts *")
        bad = len(x) - int(good.sum())
        if bad:
            why = "an infinity, or no value in any column whose density is asked" if conditional else "a NaN or an infinity"
            warnings.warn(f"{bad} of the {len(x)} rows of X have {why}, first row {np.argmin(good)} (from 0): they have no "
                          "log p, it is NaN", stacklevel=3)
        if bad < len(x):
            x = np.ascontiguousarray(x[good])
            self._advise(x, how, 4)
            log_p[good], spent = (self._conditional_log_prob(x, how, of[good] if is_mask(of) else of, given) if conditional else self._joint_log_prob(x, how))
            return log_p, good, spent
        return log_p, good, counts_of(counts)

    def _asked_rows(self, X, of, given):
        if is_mask(of):
            x = self._any_rows(X, "X", missing=True)
            if of.shape != x.shape or given is not None:
                raise ArgumentError("of: a mask has the shape of X, and given is not wanted beside it")
            return x
        roles = self._roles(of, given, lib.LAM_ABSENT)
        return self._known_rows(X, [j for j in range(len(roles)) if roles[j] != lib.LAM_ABSENT],
                                listed=[self._own_places(of, "of"), self._own_places(given, "given")])

    def _has_asked(self, x, of, given):
        """Which rows [n] have a value in some column whose density is asked."""
        asked = of if is_mask(of) else self._roles(of, given, lib.LAM_ABSENT) == lib.LAM_MOVING
        return (asked & ~np.isnan(x)).any(axis=1)

    def _joint_log_prob(self, x, how):
        out, counts = np.empty(len(x)), ffi.new("lam_counts *")
        how.check(lib.lam_log_prob(self._model, how.pointer, doubles(x), len(x), doubles(out), counts))
        return out, counts_of(counts)

    def _advise(self, x, how, stacklevel):
        """What is odd about the rows beside those of the fit, as a warning."""
        log = Log()
        check(lib.lam_rows_advise(self._model, how.pointer, doubles(x), len(x), log.pointer))
        log.tell(stacklevel, from_zero=not lib.lam_model_has_names(self._model))

    def score_samples(self, X, *, of=None, given=None):
        """log p of each row, nats, data units [n]; with a warning NaN of a row that has a NaN or an infinity. of and given are as for
        log_prob, and so is what a missing cell means there."""
        return self._log_prob(X, {}, of, given)[0]

    def score(self, X, y=None):
        """Mean log p of the rows, nats, data units: higher is better. Rows that score_samples has NaN for are left out of it, with a warning."""
        del y
        log_p, good, _ = self._log_prob(X, {})
        if not good.any():
            raise DataError("each row of X has a NaN or an infinity; there is nothing to take the mean of")
        return float(np.mean(log_p[good]))

    def sample(self, n_samples=1, random_state=None, *, given=None, log_prob=False, as_frame=False, seed=None, **how):
        """Draws [n_samples, d], others at each call.

        random_state  a whole number draws the same rows at each call, row i by this number and i alone; a numpy Generator or
                      RandomState is taken on; None is NumPy's own (np.random.seed). seed is an older name of it
        given         of a Flow that was fitted with given= or any_given=True: {column: value}, and the draws have these; or a table of m rows
                      of such columns, and n_samples are drawn of each, [m, n_samples, d]
        log_prob      True: and log p of each row, from the same solve
        as_frame      True: a DataFrame with the names of the columns, and texts where an array has the numbers of levels (log p as a Series)
        units         "standardised": rows and log p in these
        """
        model, how, n = self._fitted(), self._how(how), whole("n_samples", n_samples, 1, 2**40)
        if given is not None or lib.lam_model_given_count(model) > 0:
            x, lp = self._sample_given(n, {} if given is None else given, random_state_of(random_state, seed), how, log_prob)
            if as_frame and x.ndim == 3:
                raise ArgumentError("as_frame=True is for draws of one row that is given, by a dict")
            if as_frame:
                x = self._rows_as_frame(x)
            return (x, lp) if log_prob else x
        x, lp = np.empty((n, self.n_features_in_)), np.empty(n)
        how.check(lib.lam_sample(model, how.pointer, random_state_of(random_state, seed), n, doubles(x),
                                 doubles(lp) if log_prob else ffi.NULL, ffi.NULL))
        if as_frame:
            x, lp = self._rows_as_frame(x), pandas("as_frame=True").Series(lp, name="log_prob")
        return (x, lp) if log_prob else x

    def _rows_as_frame(self, x, index=None):
        return _levels.decode(as_frame_of(x, getattr(self, "feature_names_in_", None), index), self._levels())

    def _carry(self, function, x, how):
        out = np.empty_like(x)
        how.check(function(self._model, how.pointer, doubles(x), len(x), doubles(out), ffi.NULL))
        return out

    def transform(self, X, *, as_frame=None, **how):
        """Rows carried to the base density: z [n, d], standard normal if the model fits. units: those of X. as_frame: True, a DataFrame;
        False, an array; None, what set_output or sklearn.set_config(transform_output=...) says, else an array."""
        self._fitted()
        x, how = self._rows(X), self._how(how)
        self._advise(x, how, 3)
        return self._as_output(self._carry(lib.lam_encode, x, how), X, as_frame)

    def fit_transform(self, X, y=None, *, as_frame=None, **fit):
        """transform(X) of the flow fitted to X."""
        return self.fit(X, y, **fit).transform(X, as_frame=as_frame)

    def inverse_transform(self, Z, *, as_frame=False, **how):
        """z carried back to rows: the inverse of transform. units: those of the rows. as_frame=True: a DataFrame with the names of
        the columns."""
        self._fitted()
        z = rows_of(self._in_code_order(Z), self.n_features_in_, "Z", type(self).__name__)
        check_finite(z, None, "Z", "leave such rows out")
        x = self._carry(lib.lam_decode, z, self._how(how))
        return self._rows_as_frame(x, index_of(Z)) if as_frame else x

    def _n_codes(self):
        return self.n_features_in_

    def trajectories(self, X, times=24, **how):
        """The way of each row from data to base: times t [blocks * times + 1] and states [n, blocks * times + 1, d]. In data units
        (the default) z = mean_ + scale_ * z are the last, on the data's axes; with units="standardised" they are z. With column maps (map) the
        states are behind these there, and in data units taken back through them."""
        model, how = self._fitted(), self._how(how)
        x, times = self._rows(X), whole("times", times, 1, 1000)
        points = int(lib.lam_config_number(lib.lam_model_config(model), b"blocks")) * times + 1
        t, states = np.empty(points), np.empty((len(x), points, self.n_features_in_))
        how.check(lib.lam_trajectories(model, how.pointer, doubles(x), len(x), times, doubles(t), doubles(states), ffi.NULL))
        return t, states

    # ---- trust and price

    def setting(self, **how):
        """The Setting by which a call with these keywords solves."""
        s = ffi.new("lam_setting *")
        check(lib.lam_model_setting(self._fitted(), self._how(how).pointer, s))
        return _setting(s)

    def check(self, X, **how):
        """How far this model's numbers can be trusted, on rows X: a CheckReport. Rows that have no value in any column whose density is asked are
        left out, with a warning."""
        model, how = self._fitted(), self._how(how)
        x = self._any_rows(X, "X", missing=True) if lib.lam_model_takes_missing(model) else self._rows(X)
        r = ffi.new("lam_check_report *")
        x = self._leave_unasked(x)
        self._advise(x, how, 3)
        how.check(lib.lam_check(model, how.pointer, doubles(x), len(x), r))
        plain = {name: getattr(r, name) for name in CheckReport._fields if not name.startswith("counts")}
        plain["mass"] = plain["mass"] if r.has_mass else None
        plain["consistency"] = plain["consistency"] if r.has_consistency else None
        return CheckReport(counts=counts_of(r.counts), counts_tight=counts_of(r.counts_tight), **plain)

    def _leave_unasked(self, x):
        """x without rows that have no value of a column whose density is asked; the caller is called by the user."""
        moving = np.array([lib.lam_model_role(self._model, j) == lib.LAM_MOVING for j in range(x.shape[1])])
        good = ~np.isnan(x[:, moving]).all(axis=1)
        if good.all():
            return x
        if not good.any():
            raise DataError(f"in none of the {len(x)} rows of X is there a value of a column whose density is asked")
        warnings.warn(f"{len(x) - good.sum()} of the {len(x)} rows of X have no value in any column whose density is asked, first row "
                      f"{np.argmin(good)} (from 0): they are left out", stacklevel=3)
        return np.ascontiguousarray(x[good])

    def tune(self, X, error, *, test=None, percentile_error=0, rows=0, seed=0, threads=None, progress=None):
        """Finds the cheapest solver, steps and trace points that keep the error of log p below a bound, and makes it the model's.

        error       bound on the root mean square over the rows X, nats; percentile_error: on the 99th percentile, default the same
        test        rows that decide nothing and tell the error; default: half of X, cut off by seed
        rows        of each at the most, default 2000
        progress    a function of (rows, rows_done, candidates, seconds, seconds_left); its true answer stops: then chosen is None
        SolverError: nothing keeps the bounds; the text says how near it comes. as_fitted=True evaluates by the old setting, untune
        puts it back. Not while another thread uses this Flow.
        """
        model, x = self._fitted(), self._rows(X)
        t = None if test is None else self._rows(test, "test")

        def call(p):
            return progress is not None and progress(int(p.rows), int(p.rows_done), int(p.candidates), p.seconds, p.seconds_left)

        def candidate(c):
            return TuneCandidate(_setting(c.setting), c.calls, c.rms, c.percentile, c.cpu_seconds, bool(c.on_front), c.untraced, c.cost)

        watch = Watch("int(void *, const lam_tune_progress *)", call)
        own = self.threads or 0
        options = ffi.new("lam_tune_options *", {
            "error": error, "percentile_error": percentile_error, "rows": whole("rows", rows), "seed": seed_of(seed),
            "threads": whole("threads", own if threads is None else threads, 0, 4096), "progress": watch.pointer})
        r = ffi.new("lam_tune_result *")
        try:
            stopped = watch.check(lib.lam_tune(model, options, doubles(x), len(x), ffi.NULL if t is None else doubles(t),
                                               0 if t is None else len(t), r))
            tried = [candidate(r.candidates[i]) for i in range(r.n_candidates)]
            if stopped:
                return TuneResult(tried, None, None, None, int(r.rows), int(r.test_rows), r.reference_tolerance, r.seconds)
            return TuneResult(tried, tried[r.chosen], candidate(r.test_before), candidate(r.test_after), int(r.rows), int(r.test_rows),
                              r.reference_tolerance, r.seconds)
        finally:
            lib.lam_tune_result_clear(r)

    def untune(self):
        """Puts the fit's own setting back. Not while another thread uses this Flow."""
        lib.lam_model_untune(self._fitted())
        return self


for _method in ("log_prob", "sample", "transform", "inverse_transform", "trajectories", "check"):
    getattr(Flow, _method).__doc__ += describe_how()
Flow.__doc__ += _parameters.describe("density") + "\n"


def plot(models, path, *, data=None, columns=None, panels=None, scale=None, draws=0, points=0, paths=0, grid=0, seed=0, dark=False,
         names=None):
    """Draws a picture of fitted flows to a .png, .svg or .pdf file: of one column the density, of two the density, draws and paths, of
    more a corner of panels. Returns its small print.

    data      rows laid over it
    columns   those shown, by name, or by number from 0; default the first 6
    panels    of two columns, any of "density", "draws", "paths"; scale: "density" or "log"
    draws, points, paths, grid    how many; default 5000, 1000, 24 and 200 x 200
    names     one for each flow
    """
    models = [models] if isinstance(models, Flow) else list(models)
    if not models or not all(isinstance(m, Flow) for m in models):
        raise TypeError("plot draws one Flow or several")
    first = models[0]
    names = [names] if isinstance(names, str) else names
    names = names or [f"model {i + 1}" if len(models) > 1 else "model" for i in range(len(models))]
    if len(names) != len(models):
        raise ArgumentError(f"{len(names)} names for {len(models)} flows")
    kept = [m._fitted() for m in models], [ffi.new("char[]", bytes_of(name)) for name in names]
    pictures = ffi.new("lam_picture_model[]", [{"model": m, "name": name} for m, name in zip(*kept)])
    table = ffi.NULL if data is None else _as_table(first._rows(data, "data"), None, range(first.n_features_in_))
    own = first._own_names()

    def column(item):
        return own.index(item) if canonical("columns", item, own, first.n_features_in_, "the model") == item else item

    if columns is not None and (isinstance(columns, str) or not hasattr(columns, "__iter__")):
        columns = [columns]
    chosen = ffi.NULL if columns is None else ffi.new("size_t[]", [column(item) for item in columns])
    bits = {"density": lib.LAM_PICTURE_DENSITY, "draws": lib.LAM_PICTURE_DRAWS, "paths": lib.LAM_PICTURE_PATHS}
    scales = {None: lib.LAM_PICTURE_AUTO, "density": lib.LAM_PICTURE_LINEAR, "log": lib.LAM_PICTURE_LOG}
    shown = 0
    for panel in [panels] if isinstance(panels, str) else panels or ():
        shown |= choice("panels", panel, bits)
    how = first._how({})
    options = ffi.new("lam_picture_options *", {
        "eval": how.pointer, "seed": seed_of(seed), "draws": whole("draws", draws), "points": whole("points", points),
        "paths": whole("paths", paths), "grid": whole("grid", grid), "dark": choice("dark", dark, {True: 1, False: 0}),
        "columns": chosen, "n_columns": 0 if columns is None else len(chosen), "scale": choice("scale", scale, scales), "panels": shown})
    report = ffi.new("lam_picture_report *")
    how.check(lib.lam_picture_write(pictures, len(models), table, options, path_bytes(path), report))
    return text_of(report.note)
