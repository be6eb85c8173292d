"""What densities and auto-encoders have in common: parameters by keyword, fits into run folders, progress, evaluation, copies."""
import collections
import os
import sys
import tempfile
import time
import warnings

import numpy as np

from . import _parameters
from ._conventions import Conventions
from ._library import ArgumentError, Log, Watch, choice, counts_of, ffi, lib, path_bytes, whole

FitResult = collections.namedtuple("FitResult", "iterations best_iteration finished best_val_nll test_nll gaussian_test_nll log_det "
                                   "train_counts test_counts warm_start warm_counts seconds train_seconds train_cpu_seconds cpu_seconds "
                                   "best_val_nll_se test_nll_se gaussian_test_nll_se best_val_rows test_rows gaussian_rows "
                                   "mixture_test_nll mixture_test_nll_se mixture_components mixture_rows")
FitResult.__doc__ = """What a fit came to. NLLs are means in nats and standardised units (of images: the negative evidence lower bound, nats
an image), NaN where there were no such rows; nll - log_det is in data units, as -score is. gaussian_test_nll is a full-covariance Gaussian's,
with given columns that of its density of the others (of a single one: of linear regression with a normal residual),
mixture_test_nll that of a mixture of mixture_components of them (NaN and 0: none was fitted, as to fewer than 100 rows or to images).
finished is False after a stop that was asked for; train_cpu_seconds is the processor time of the training steps,
cpu_seconds of all. Means have standard errors, over the rows that they are of: under budget or max_processor_seconds, which count
from the call of fit, a sample where there is no time for all."""

Progress = collections.namedtuple("Progress", "iteration iterations warm_start warm_starts loss nll tpr val_nll best_val_nll val_nll_se val_rows "
                                  "is_validation lr grad_norm epoch beta seconds seconds_left counts")
Progress.__doc__ = """What a function given as progress= is told, once an iteration and at each validation. loss is the batch's, nats, standardised
units; tpr without its coefficient; counts are this iteration's; epoch and beta are of images, warm_start of flow matching."""

RUN_FILES = ("config.yaml", "metrics.jsonl", "model.safetensors", "checkpoint.safetensors")

_HOW = {
    "atol": "atol, rtol    tolerances, standardised units; default: the model's setting (its tuned one, else its test tolerances)",
    "as_fitted": "as_fitted     True: by the fit's own setting, whatever tune chose",
    "trace": """trace         "exact" (default), "rademacher" or "gaussian"; trace_seed: of the noise of the last two""",
    "batch_rows": "batch_rows    rows solved together; threads, isa: default the estimator's own parameters",
    "use_double": "use_double    True: solve in double whatever the model's precision",
    "flow": "flow          k: by flow k alone, from 1, of a model that is the mean of several (flows); default: all",
    "probe": "probe         True: choose the first step by trial, not by the model's memory",
}


def describe_how(fixed=()):
    """The keywords of How for a docstring, without those in fixed."""
    lines = [line for name, line in _HOW.items() if name not in fixed]
    return "\n\n    How it is solved may be said by keyword, of any call that solves:\n      " + "\n      ".join(lines) + "\n"


class _Ticker:
    """A line on stderr, written anew twice a second; nothing for what takes less than two seconds."""

    def __init__(self):
        self.start = self.last = time.monotonic()
        self.width = 0

    def __call__(self, p):
        now = time.monotonic()
        if now - self.start < 2 or now - self.last < 0.5:
            return
        self.last = now
        if p.iteration == 0 and p.warm_starts > 0:
            where = f"warm start {p.warm_start}/{p.warm_starts}  loss {p.loss:.4f}"
        else:
            of_all = f"/{p.iterations}" if p.iterations < lib.LAM_UNENDING else ""
            where = f"iteration {p.iteration}{of_all}  loss {p.loss:.4f}"
        if p.best_val_nll == p.best_val_nll:
            where += f"  best validation {p.best_val_nll:.4f}"
        self._write(f"{where}  evaluations of f {p.counts.forward} + {p.counts.backward}  {p.seconds:.0f} s, {p.seconds_left:.0f} s left")

    def evaluating(self, part, done, rows):
        now = time.monotonic()
        if now - self.last >= 2:  # the last iteration, or the last line, is as long ago
            self.last = now - 1.5
            self._write(f"{'validation' if part == lib.LAM_VALID else 'test'}: {done} of {rows}")

    def _write(self, line):
        sys.stderr.write("\r" + line.ljust(self.width))
        sys.stderr.flush()
        self.width = len(line)

    def close(self):
        if self.width:
            self._write("")
            sys.stderr.write("\r")


def _make_progress(progress):
    if callable(progress):
        return progress
    if progress not in (None, True, False):
        raise ArgumentError(f"progress={progress!r}: it is None, True, False or a function of laminar.Progress")
    if progress is None:
        progress = sys.stderr is not None and (sys.stderr.isatty() or "ipykernel" in sys.modules)
    return _Ticker() if progress and sys.stderr is not None else None


def seed_of(seed, name="seed"):
    """A numpy Generator or RandomState gives its next; None: NumPy's own, which np.random.seed sets, gives it, as in scikit-learn."""
    if isinstance(seed, np.random.Generator):
        return int(seed.integers(2**63))
    if seed is None or seed is np.random or isinstance(seed, np.random.RandomState):
        source = seed or np.random
        return int(source.randint(2**63 - 1, dtype=np.int64))
    try:
        return whole(name, seed)
    except ArgumentError as error:
        raise ArgumentError(f"{error}, or a numpy Generator or RandomState") from None


def random_state_of(random_state, seed):
    """The seed of a draw that is another one at each call unless it is seeded; seed is the older name of random_state."""
    if random_state is not None and seed is not None:
        raise ArgumentError("random_state and seed are the same; give one of them")
    return seed_of(random_state if seed is None else seed, "random_state" if seed is None else "seed")


class How:
    """lam_eval_options from keywords, with what must outlive the call."""

    _UNITS = {"data": lib.LAM_UNITS_DATA, "standardised": lib.LAM_UNITS_STANDARDISED}
    _TRACES = {"exact": lib.LAM_DIV_EXACT, "rademacher": lib.LAM_DIV_RADEMACHER, "gaussian": lib.LAM_DIV_GAUSSIAN}
    _KEYWORDS = {"atol": 0, "rtol": 0, "as_fitted": False, "units": "data", "trace": "exact", "trace_seed": 0, "batch_rows": 0,
                 "threads": 0, "use_double": False, "probe": False, "isa": "auto", "flow": 0}

    def __init__(self, how, fixed=()):
        """fixed: keywords that this call does not take."""
        known = [name for name in self._KEYWORDS if name not in fixed]
        h = dict(self._KEYWORDS)
        for name, value in how.items():
            if name not in known and name not in h:
                raise TypeError(f"no keyword {name}: how to solve is said by {', '.join(known)}")
            if name not in known:
                raise TypeError(f"this call takes no {name}")
            h[name] = value
        for name in ("as_fitted", "use_double", "probe"):
            h[name] = choice(name, h[name], {True: 1, False: 0})
        for name in ("atol", "rtol"):
            if isinstance(h[name], bool) or not isinstance(h[name], (int, float)) or not h[name] >= 0:
                raise ArgumentError(f"{name}={h[name]!r}: it is a number above 0")
        self.watch = Watch("int(void *, size_t, size_t)", lambda done, total: False)
        self._isa = ffi.new("char[]", str(h["isa"] or "auto").encode())
        self.pointer = ffi.new("lam_eval_options *", {
            "atol": h["atol"], "rtol": h["rtol"], "as_fitted": h["as_fitted"], "units": choice("units", h["units"], self._UNITS),
            "divergence": choice("trace", h["trace"], self._TRACES), "seed": whole("trace_seed", h["trace_seed"]),
            "batch_rows": whole("batch_rows", h["batch_rows"]), "threads": whole("threads", h["threads"], 0, 4096),
            "use_double": h["use_double"], "probe": h["probe"], "flow": whole("flow", h["flow"], 0, 1000), "isa": self._isa, "progress": self.watch.pointer})

    def check(self, status):
        self.watch.check(status)


def _not_fitted(text):
    """scikit-learn's own exception too, where it is in use."""
    if "sklearn.exceptions" not in sys.modules:
        return ArgumentError(text)
    theirs = sys.modules["sklearn.exceptions"].NotFittedError
    return type("NotFittedError", (ArgumentError, theirs), {})(text)


def result_facts(r):
    """What a fit came to, as pairs of texts."""
    taken = f"{r.iterations}, the best at {r.best_iteration}" + ("" if r.finished else "; stopped before the end")
    return [("iterations made", taken), ("seconds", f"{r.seconds:.1f}")]


class Estimator(Conventions):
    """Fits into run folders, evaluation and copies."""

    def _config(self):
        given = self._given()
        config = _parameters.Config(self._kind, given, self.config, self.preset)
        for text in config.idle(given):
            warnings.warn(text, stacklevel=3)
        return config

    def _how(self, how, fixed=()):
        own = {name: value for name, value in self._given().items() if name in ("threads", "isa")}
        return How({**own, **how}, fixed)

    # ---- fitting

    def _run(self, fit, free, config, data, out, resume, overwrite, progress, init=ffi.NULL):
        """fit(cfg, data, options, &model, &result) into a folder. Adopts the model and its result, then tells warnings."""
        options = ffi.new("lam_fit_options *", {"resume": int(bool(resume)), "init": init})
        shown = _make_progress(progress)

        def call(p):
            if shown is None:
                return False
            plain = {name: getattr(p, name) for name in Progress._fields if name != "counts"}
            plain["is_validation"] = bool(plain["is_validation"])
            return shown(Progress(counts=counts_of(p.counts), **plain))

        def evaluating(part, done, rows):
            if isinstance(shown, _Ticker):
                shown.evaluating(part, done, rows)

        watch, log = Watch("int(void *, const lam_progress *)", call), Log()
        between = Watch("int(void *, lam_part, size_t, size_t)", evaluating)  # for Ctrl-C too
        options.progress, options.evaluating = watch.pointer, between.pointer
        options.log = log.pointer[0]
        if out is not None:
            folder = ffi.new("char[]", path_bytes(_prepare_folder(out, resume, overwrite)))
            options.run_dir = folder
        elif resume or overwrite:
            raise ArgumentError(f"{'resume' if resume else 'overwrite'}=True needs the run folder, out=...")
        options.seconds, options.cpu_seconds = time.monotonic() - config.began[0], time.process_time() - config.began[1]
        model_type = "lam_model *" if self._kind == "density" else "lam_vae *"
        model, result = ffi.new(model_type + "*"), ffi.new("lam_fit_result *")
        try:
            status = fit(config.pointer, data, options, model, result)
        finally:
            if isinstance(shown, _Ticker):
                shown.close()
        kept = ffi.gc(model[0], free) if model[0] != ffi.NULL else None
        between.reraise()
        watch.check(status)
        plain = {name: getattr(result, name) for name in FitResult._fields if not name.endswith("_counts")}
        plain["finished"] = bool(plain["finished"])
        counts = {name: counts_of(getattr(result, name)) for name in FitResult._fields if name.endswith("_counts")}
        self._adopt(kept)
        self.result_ = FitResult(**plain, **counts)
        log.tell(3)

    def _fitted(self):
        model = self.__dict__.get("_model")
        if model is None:
            raise _not_fitted(f"this {type(self).__name__} is not fitted yet: call fit, or laminar.load a model")
        return model

    def __sklearn_is_fitted__(self):
        return self.__dict__.get("_model") is not None

    # ---- copies: pickle and copy go through the model file

    def save(self, path):
        """Writes the model file (safetensors), atomically; laminar.load and the program read it."""
        self._fitted()
        self._save(path)

    def __getstate__(self):
        state = {name: value for name, value in self.__dict__.items() if name != "_model"}
        if self.__dict__.get("_model") is not None:
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "model.safetensors")
                self._save(path)
                with open(path, "rb") as stream:
                    state["_file"] = stream.read()
        return state

    def __setstate__(self, state):
        state = dict(state)
        content = state.pop("_file", None)
        if content is not None:
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "model.safetensors")
                with open(path, "wb") as stream:
                    stream.write(content)
                self._adopt_file(path)
        older = state.pop("_settings", {})  # an older version kept parameters there, and lacked the newest
        given = {_parameters.current(name): value for name, value in {**older, **state}.items()}
        self.__dict__.update({**dict.fromkeys(self._get_param_names()), **given})

    def __copy__(self):
        other = type(self).__new__(type(self))
        other.__setstate__(self.__getstate__())
        return other


def model_file(path):
    """The model's file, of a run folder too."""
    return os.path.join(path, "model.safetensors") if os.path.isdir(path) else path


def _prepare_folder(out, resume, overwrite):
    if resume and overwrite:
        raise ArgumentError("resume and overwrite exclude each other")
    if not resume and not overwrite and any(os.path.exists(os.path.join(out, name)) for name in RUN_FILES):
        raise FileExistsError(f"{os.fspath(out)} holds a run already: resume=True goes on with it, overwrite=True starts anew there")
    return out
