"""Densities of tables of numbers."""
import collections
import os

import numpy as np

from . import _parameters
from ._estimator import Estimator
from ._library import ArgumentError, DataError, Log, Watch, check, counts_of, doubles, ffi, lib, path_bytes, rows_of, text_of

Setting = collections.namedtuple("Setting", "solver steps atol rtol")
Setting.__doc__ = """How a call solves: by so many even steps a block, or, with steps 0, by adaptive ones at these tolerances."""

CheckReport = collections.namedtuple("CheckReport", "rows nll nll_tight logp_error_max logp_error_rms round_trip_max round_trip_rms "
                                     "hutchinson_mean hutchinson_se mass counts counts_tight")
CheckReport.__doc__ = """How far a model's numbers can be trusted: mean NLL (data units) by its setting and by a tighter solve in double; the
error of log p against that, nats; decode(encode(x)) - x in standardised units; the Hutchinson estimate of mean log p less the exact
one, and its standard error; the total mass, None beyond two columns."""

TuneCandidate = collections.namedtuple("TuneCandidate", "setting calls rms percentile cpu_seconds on_front")
TuneResult = collections.namedtuple("TuneResult", "candidates chosen test_before test_after rows test_rows reference_tolerance seconds")
TuneResult.__doc__ = """What tune tried and chose: candidates with their calls of f and their error in log p (root mean square and 99th
percentile, nats) on the validation rows; chosen is one of them; test_before and test_after are the old and the new setting on rows that decided nothing."""

_SOLVERS = ("dopri5", "tsit5", "bosh3", "heun21", "dop853", "euler", "midpoint", "rk4")
_UNITS = {"data": lib.LAM_UNITS_DATA, "standardised": lib.LAM_UNITS_STANDARDISED}
_TRACES = {"exact": lib.LAM_DIV_EXACT, "rademacher": lib.LAM_DIV_RADEMACHER, "gaussian": lib.LAM_DIV_GAUSSIAN}

_HOW = """
    How it is solved may be said by keyword, of any call that solves:
      atol, rtol    tolerances, standardised units; default: the model's setting (its tuned one, else its test tolerances)
      as_fitted     True: by the fit's own setting, whatever tune chose
      units         "data" (default) or "standardised": units of rows and densities
      trace         "exact" (default), "rademacher" or "gaussian"; trace_seed: of the noise of the last two
      batch_rows    rows solved together, default 1000; threads: default one a processor
      use_double    True: solve in double whatever the model's precision
      probe         True: choose the first step by trial, not by the model's memory
      isa           instruction set, default the best there is
"""


def _choice(name, value, choices):
    if value not in choices:
        raise ArgumentError(f"{name}={value!r}: it is one of {', '.join(str(c) for c in choices if c)}")
    return choices[value]


class _How:
    """lam_eval_options from keywords, with what must outlive the call."""

    KEYWORDS = {"atol": 0, "rtol": 0, "as_fitted": False, "units": "data", "trace": "exact", "trace_seed": 0, "batch_rows": 0,
                "threads": 0, "use_double": False, "probe": False, "isa": None}

    def __init__(self, **how):
        for name in how:
            if name not in self.KEYWORDS:
                raise TypeError(f"no keyword {name}: how to solve is said by {', '.join(self.KEYWORDS)}")
        h = {**self.KEYWORDS, **how}
        self.watch = Watch("int(void *, size_t, size_t)", lambda done, total: 0)
        self.isa = ffi.new("char[]", h["isa"].encode()) if h["isa"] else ffi.NULL
        self.pointer = ffi.new("lam_eval_options *", {
            "atol": h["atol"], "rtol": h["rtol"], "as_fitted": bool(h["as_fitted"]), "units": _choice("units", h["units"], _UNITS),
            "divergence": _choice("trace", h["trace"], _TRACES), "seed": h["trace_seed"], "batch_rows": h["batch_rows"],
            "threads": h["threads"], "use_double": bool(h["use_double"]), "probe": bool(h["probe"]), "isa": self.isa,
            "progress": self.watch.pointer})

    def check(self, status):
        self.watch.check(status)


def _setting(s):
    return Setting(_SOLVERS[s.solver], int(s.steps), s.atol, s.rtol)


def _names(x):
    """Column names of a DataFrame; None of what has none."""
    columns = getattr(x, "columns", None)
    return None if columns is None else [str(name) for name in columns]


class _Table:
    """Rows as a lam_table: an array, a DataFrame, or a file as the program reads it."""

    def __init__(self, x, config, what):
        table = ffi.new("lam_table **")
        c = config.pointer
        if isinstance(x, (str, os.PathLike)):
            options = ffi.new("lam_read_options *", {"columns": c.columns, "drop": c.drop, "drop_bad_rows": c.drop_bad_rows,
                                                     "drop_duplicates": c.drop_duplicates})
            check(lib.lam_table_read(path_bytes(x), options, table))
            self.pointer = ffi.gc(table[0], lib.lam_table_free)
            return
        for name in ("columns", "drop"):
            if getattr(c, name) != ffi.NULL:
                raise ArgumentError(f"{name} chooses columns of a file; {what} is an array: choose them there")
        names, rows = _names(x), rows_of(x, None, what)
        bad = ~np.isfinite(rows).all(axis=1)
        if c.drop_bad_rows and bad.any():
            rows = rows[~bad]
        if c.drop_duplicates:
            rows = rows[np.sort(np.unique(rows, axis=0, return_index=True)[1])]
        check(lib.lam_table_create(rows.shape[0], rows.shape[1], table))
        self.pointer = ffi.gc(table[0], lib.lam_table_free)
        ffi.memmove(self.pointer.values, doubles(np.ascontiguousarray(rows)), rows.nbytes)
        for j, name in enumerate(names or ()):
            check(lib.lam_table_rename(self.pointer, j, name.encode()))


class Flow(Estimator):
    """The density of the rows of a table, as a continuous normalizing flow.

    >>> flow = laminar.Flow(tpr=True, dims=(32, 32), iterations=300).fit(X)
    >>> flow.score_samples(X)          # log p(x) of each row, nats, exact trace
    >>> flow.sample(1000)
    >>> z = flow.transform(X)          # to the base density, a standard normal
    >>> flow.inverse_transform(z)

    fit leaves result_ (FitResult), n_features_in_, feature_names_in_ (of a DataFrame, or a file with a header), mean_ and scale_ (the
    standardiser). config is a YAML file of parameters, as `laminar fit --config` takes it; keywords go over it.

    Parameters, all by keyword (None: the default):
"""
    _kind = "density"

    def fit(self, X, y=None, *, valid=None, test=None, out=None, resume=False, overwrite=False, init=None, progress=None):
        """Fits the flow to X [n, d], an array or DataFrame, in its own units; or to a file, or "toy:NAME", as the program reads them.

        valid, test   rows of their own; default: val_fraction and test_fraction of X, by split_seed
        out           a folder for config.yaml, metrics.jsonl, the model and a checkpoint; resume=True goes on from there
        init          a fitted Flow of the same architecture to start from
        progress      None: a line where stderr is a terminal; False: silence; or a function of laminar.Progress, whose true answer
                      stops the fit (with out, so that it can go on). Ctrl-C does too, with everything saved.
        y is ignored, for pipelines.
        """
        del y
        config = self._config()
        tables = [None if part is None else _Table(part, config, what) for part, what in ((X, "X"), (valid, "valid"), (test, "test"))]
        data = ffi.new("lam_dataset **")
        log = Log()
        status = lib.lam_dataset_build(config.pointer, *(ffi.NULL if t is None else t.pointer for t in tables), log.pointer, data)
        check(status)
        log.tell(2)
        kept = ffi.gc(data[0], lib.lam_dataset_free)
        start = ffi.NULL if init is None else init._fitted()
        model, result = self._run(lib.lam_fit, lib.lam_model_free, config, kept, out, resume, overwrite, progress, start)
        self._adopt(model)
        self.result_ = result
        return self

    def _adopt(self, model):
        self._model = model
        d = self.n_features_in_ = int(lib.lam_model_dim(model))
        names = np.array([text_of(lib.lam_model_column(model, j)) for j in range(d)], dtype=object)
        if list(names) != [str(j + 1) for j in range(d)]:
            self.feature_names_in_ = names
        else:
            self.__dict__.pop("feature_names_in_", None)
        mean, scale, log_det = ffi.new("double **"), ffi.new("double **"), ffi.new("double *")
        lib.lam_model_standardiser(model, mean, scale, log_det)
        self.mean_, self.scale_ = (np.frombuffer(ffi.buffer(p[0], 8 * d)).copy() for p in (mean, scale))
        self.log_det_ = log_det[0]
        self.n_parameters_ = int(lib.lam_model_parameter_count(model))

    def _save(self, path):
        check(lib.lam_model_save(self._model, path_bytes(path)))

    def _adopt_file(self, path, config=None):
        model = ffi.new("lam_model **")
        check(lib.lam_model_load(path_bytes(path), ffi.NULL if config is None else config.pointer, model))
        self._adopt(ffi.gc(model[0], lib.lam_model_free))

    def _rows(self, x, what="X"):
        """Rows in the model's columns: of a DataFrame those of its names."""
        names, own = _names(x), getattr(self, "feature_names_in_", None)
        if names is not None and own is not None:
            missing = [name for name in own if name not in names]
            if missing:
                raise DataError(f"{what} has no column {missing[0]}, which the model takes")
            x = np.column_stack([np.asarray(x[x.columns[names.index(name)]], dtype=np.float64) for name in own])
        x = rows_of(x, self.n_features_in_, what)
        bad = np.argwhere(~np.isfinite(x))
        if len(bad):
            i, j = bad[0]
            raise DataError(f"{what} has {'a NaN' if np.isnan(x[i, j]) else 'an infinity'} in row {i}, column {j} (from 0)"
                            f"{f', {own[j]}' if own is not None else ''}; leave such rows out")
        return x

    # ---- densities

    def log_prob(self, X, *, counts=False, **how):
        """log p of each row, nats [n]. counts=True: and the Counts that it took."""
        model, x, how = self._fitted(), self._rows(X), _How(**how)
        out, c = np.empty(len(x)), ffi.new("lam_counts *")
        how.check(lib.lam_log_prob(model, how.pointer, doubles(x), len(x), doubles(out), c))
        return (out, counts_of(c)) if counts else out

    def score_samples(self, X):
        """log p of each row, nats, data units [n]."""
        return self.log_prob(X)

    def score(self, X, y=None):
        """Mean log p of the rows, nats, data units: higher is better."""
        del y
        return float(np.mean(self.log_prob(X)))

    def sample(self, n_samples=1, *, seed=0, log_prob=False, **how):
        """Draws [n_samples, d]. Row i depends on seed and i alone. log_prob=True: and log p of each, from the same solve."""
        model, how = self._fitted(), _How(**how)
        x, lp = np.empty((n_samples, self.n_features_in_)), np.empty(n_samples)
        how.check(lib.lam_sample(model, how.pointer, seed, n_samples, doubles(x), doubles(lp) if log_prob else ffi.NULL, ffi.NULL))
        return (x, lp) if log_prob else x

    def _carry(self, function, x, how):
        out = np.empty_like(x)
        how.check(function(self._model, how.pointer, doubles(x), len(x), doubles(out), ffi.NULL))
        return out

    def transform(self, X, **how):
        """Rows carried to the base density: z [n, d], standard normal if the model fits."""
        self._fitted()
        return self._carry(lib.lam_encode, self._rows(X), _How(**how))

    def inverse_transform(self, Z, **how):
        """z carried back to rows: the inverse of transform."""
        self._fitted()
        return self._carry(lib.lam_decode, rows_of(Z, self.n_features_in_, "Z"), _How(**how))

    def trajectories(self, X, times=24, **how):
        """The way of each row from data to base: times t [blocks * times + 1] and states [n, blocks * times + 1, d], in data units, on
        which the last are z on the data's axes."""
        model, x, how = self._fitted(), self._rows(X), _How(**how)
        points = int(lib.lam_model_config(model).blocks) * times + 1
        t, states = np.empty(points), np.empty((len(x), points, self.n_features_in_))
        how.check(lib.lam_trajectories(model, how.pointer, doubles(x), len(x), times, doubles(t), doubles(states), ffi.NULL))
        return t, states

    # ---- trust and price

    def setting(self, **how):
        """The Setting by which a call with these keywords solves."""
        s = ffi.new("lam_setting *")
        check(lib.lam_model_setting(self._fitted(), _How(**how).pointer, s))
        return _setting(s)

    def check(self, X, **how):
        """How far this model's numbers can be trusted, on rows X: a CheckReport."""
        model, x, how = self._fitted(), self._rows(X), _How(**how)
        r = ffi.new("lam_check_report *")
        how.check(lib.lam_check(model, how.pointer, doubles(x), len(x), r))
        plain = {name: getattr(r, name) for name in CheckReport._fields if not name.startswith("counts")}
        plain["mass"] = plain["mass"] if r.has_mass else None
        return CheckReport(counts=counts_of(r.counts), counts_tight=counts_of(r.counts_tight), **plain)

    def tune(self, X, error, *, test=None, percentile_error=0, rows=0, seed=0, threads=0, progress=None):
        """Finds the solver and steps with the fewest calls of f that keep the error of log p below a bound, and makes it the model's.

        error              of the root mean square over the rows X, nats; percentile_error: of the 99th percentile, default the same
        test               rows that decide nothing and tell the error; default: half of X
        rows               of each at the most, default 2000
        progress           a function of (rows, rows_done, candidates, seconds, seconds_left); its true answer stops
        SolverError: nothing keeps the bounds; the text says how near it comes. as_fitted=True evaluates by the old setting, untune
        puts it back.
        """
        model, x = self._fitted(), self._rows(X)
        t = None if test is None else self._rows(test, "test")

        def call(p):
            return progress(int(p.rows), int(p.rows_done), int(p.candidates), p.seconds, p.seconds_left) if progress else 0

        watch = Watch("int(void *, const lam_tune_progress *)", call)
        options = ffi.new("lam_tune_options *", {"error": error, "percentile_error": percentile_error, "rows": rows, "seed": seed,
                                                 "threads": threads, "progress": watch.pointer})
        r = ffi.new("lam_tune_result *")
        try:
            watch.check(lib.lam_tune(model, options, doubles(x), len(x), ffi.NULL if t is None else doubles(t),
                                     0 if t is None else len(t), r))

            def candidate(c):
                return TuneCandidate(_setting(c.setting), c.calls, c.rms, c.percentile, c.cpu_seconds, bool(c.on_front))

            all_of_them = [candidate(r.candidates[i]) for i in range(r.n_candidates)]
            if not all_of_them or r.chosen >= len(all_of_them):
                return None  # stopped
            return TuneResult(all_of_them, all_of_them[r.chosen], candidate(r.test_before), candidate(r.test_after), int(r.rows),
                              int(r.test_rows), r.reference_tolerance, r.seconds)
        finally:
            lib.lam_tune_result_clear(r)

    def untune(self):
        """Puts the fit's own setting back."""
        lib.lam_model_untune(self._fitted())
        return self


for _method in ("log_prob", "sample", "transform", "inverse_transform", "trajectories", "check"):
    getattr(Flow, _method).__doc__ += "\n" + _HOW
Flow.__doc__ += _parameters.describe("density") + "\n"
Flow.__signature__ = _parameters.signature("density")


def plot(models, path, *, data=None, columns=None, panels=None, scale=None, draws=0, points=0, paths=0, grid=0, seed=0, dark=False,
         names=None):
    """Draws a picture of fitted flows to a .png, .svg or .pdf file: of one column the density, of two the density, draws and paths, of
    more a corner of panels. Returns its small print.

    data      rows laid over it; columns: names or numbers from 0 of those shown, default the first 6
    panels    of two columns, any of "density", "draws", "paths"; scale "density" or "log"
    draws, points, paths, grid    how many; default 5000, 1000, 24 and 200 x 200
    """
    models = [models] if isinstance(models, Flow) else list(models)
    first = models[0]
    names = names or [f"model {i + 1}" if len(models) > 1 else "model" for i in range(len(models))]
    texts = [ffi.new("char[]", name.encode()) for name in names]
    pictures = ffi.new("lam_picture_model[]", [{"model": m._fitted(), "name": t} for m, t in zip(models, texts)])
    table = ffi.NULL
    if data is not None:
        x = first._rows(data, "data")
        out = ffi.new("lam_table **")
        check(lib.lam_table_create(len(x), x.shape[1], out))
        table = ffi.gc(out[0], lib.lam_table_free)
        ffi.memmove(table.values, doubles(x), x.nbytes)
    own = list(getattr(first, "feature_names_in_", []))
    chosen = ffi.NULL if columns is None else ffi.new("size_t[]", [own.index(c) if c in own else int(c) for c in columns])
    bits = {"density": lib.LAM_PICTURE_DENSITY, "draws": lib.LAM_PICTURE_DRAWS, "paths": lib.LAM_PICTURE_PATHS}
    scales = {None: lib.LAM_PICTURE_AUTO, "density": lib.LAM_PICTURE_LINEAR, "log": lib.LAM_PICTURE_LOG}
    options = ffi.new("lam_picture_options *", {
        "seed": seed, "draws": draws, "points": points, "paths": paths, "grid": grid, "dark": bool(dark), "columns": chosen,
        "n_columns": 0 if columns is None else len(columns), "scale": _choice("scale", scale, scales),
        "panels": sum(_choice("panels", p, bits) for p in panels or ())})
    report = ffi.new("lam_picture_report *")
    check(lib.lam_picture_write(pictures, len(models), table, options, path_bytes(path), report))
    return text_of(report.note)
