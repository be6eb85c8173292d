"""What densities and auto-encoders have in common: parameters by keyword, fits into run folders, progress, evaluation, copies."""
import collections
import importlib
import os
import secrets
import sys
import tempfile
import time
import warnings

import numpy as np

from . import _parameters
from ._library import ArgumentError, Log, Watch, counts_of, ffi, lib, names_of, path_bytes, text_of, whole

FitResult = collections.namedtuple("FitResult", "iterations best_iteration finished best_val_nll test_nll gaussian_test_nll log_det "
                                   "train_counts test_counts warm_start warm_counts seconds train_seconds train_cpu_seconds")
FitResult.__doc__ = """What a fit came to. NLLs are means in nats and standardised units (of images: the negative evidence lower bound, nats
an image), NaN where there were no such rows; nll - log_det is in data units, as -score is. gaussian_test_nll is a full-covariance Gaussian's.
finished is False after a stop that was asked for; train_cpu_seconds is the processor time of the training steps."""

Progress = collections.namedtuple("Progress", "iteration iterations warm_start warm_starts loss nll tpr val_nll best_val_nll "
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
            where = f"iteration {p.iteration}/{p.iterations}  loss {p.loss:.4f}"
        if p.best_val_nll == p.best_val_nll:
            where += f"  best validation {p.best_val_nll:.4f}"
        self._write(f"{where}  calls of f {p.counts.forward} + {p.counts.backward}  {p.seconds:.0f} s, {p.seconds_left:.0f} s left")

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


def choice(name, value, choices):
    if value not in choices:
        raise ArgumentError(f"{name}={value!r}: it is one of {', '.join(str(c) for c in choices if c is not None)}")
    return choices[value]


def seed_of(seed):
    """None: a fresh one. A numpy Generator gives its next."""
    if seed is None:
        return secrets.randbits(63)
    return whole("seed", seed.integers(2**63) if hasattr(seed, "integers") else seed)


class How:
    """lam_eval_options from keywords, with what must outlive the call."""

    _UNITS = {"data": lib.LAM_UNITS_DATA, "standardised": lib.LAM_UNITS_STANDARDISED}
    _TRACES = {"exact": lib.LAM_DIV_EXACT, "rademacher": lib.LAM_DIV_RADEMACHER, "gaussian": lib.LAM_DIV_GAUSSIAN}
    _KEYWORDS = {"atol": 0, "rtol": 0, "as_fitted": False, "units": "data", "trace": "exact", "trace_seed": 0, "batch_rows": 0,
                 "threads": 0, "use_double": False, "probe": False, "isa": "auto"}

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
            "use_double": h["use_double"], "probe": h["probe"], "isa": self._isa, "progress": self.watch.pointer})

    def check(self, status):
        self.watch.check(status)


def _not_fitted(text):
    """scikit-learn's own exception too, where it is in use."""
    if "sklearn.exceptions" not in sys.modules:
        return ArgumentError(text)
    theirs = sys.modules["sklearn.exceptions"].NotFittedError
    return type("NotFittedError", (ArgumentError, theirs), {})(text)


class Estimator:
    """Parameters by keyword, as scikit-learn's estimators have them."""

    _kind = None  # "density" or "vae"
    _estimator_type = "DensityEstimator"

    def __init__(self, *, config=None, **parameters):
        self._settings = {}
        self.config = config
        self.set_params(**parameters)

    # ---- parameters

    def get_params(self, deep=True):
        """All parameters as they were given; None stands for a default (laminar.parameters())."""
        del deep
        given = {p.name: self._settings.get(p.name) for p in _parameters.parameters(self._kind)}
        return {"config": self.config, **given}

    def set_params(self, **parameters):
        """Sets parameters by name; None puts a default back."""
        known = _parameters.names(self._kind)
        for name in parameters:
            if name != "config" and name not in known:
                raise TypeError(f"{type(self).__name__} has no parameter {name}{_hint(name, known)}")
        for name, value in parameters.items():
            if name == "config":
                self.__dict__["config"] = value
            elif value is None:
                self._settings.pop(name, None)
            else:
                self._settings[name] = value
        return self

    def __getattr__(self, name):  # of what is no attribute: parameters
        if name in _parameters.names(self._kind):
            return self.__dict__.get("_settings", {}).get(name)
        raise AttributeError(f"{type(self).__name__} has no attribute {name}")

    def __setattr__(self, name, value):
        if name in _parameters.names(self._kind):
            self.set_params(**{name: value})
        else:
            super().__setattr__(name, value)

    def __repr__(self):
        given = {"config": self.__dict__.get("config"), **self.__dict__.get("_settings", {})}
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in given.items() if v is not None)})"

    def __sklearn_tags__(self):  # asked for by scikit-learn from 1.6 on
        from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags

        return Tags(estimator_type="density_estimator", target_tags=TargetTags(required=False), transformer_tags=TransformerTags(),
                    input_tags=InputTags())

    def _config(self):
        kind = {"density": lib.LAM_DENSITY, "vae": lib.LAM_VAE}[self._kind]
        config = _parameters.Config(kind, self._settings, self.config)
        for text in config.idle(self._settings):
            warnings.warn(text, stacklevel=3)
        return config

    def _how(self, how, fixed=()):
        own = {name: self._settings[name] for name in ("threads", "isa") if name in self._settings}
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
            raise ArgumentError(f"{'resume' if resume else 'overwrite'}=True wants the run folder, out=...")
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

    # ---- what transform gives

    def _n_codes(self):
        raise NotImplementedError

    def get_feature_names_out(self, input_features=None):
        """Names of transform's columns, those of the program's files: z1, z2, ..."""
        del input_features
        self._fitted()
        return np.array([f"z{j + 1}" for j in range(self._n_codes())], dtype=object)

    def set_output(self, *, transform=None):
        """What transform gives: "default", an array; "pandas" or "polars", a DataFrame of that package, with the names of
        get_feature_names_out and, of pandas, the index of a frame that is transformed. None leaves it as it is."""
        choice("transform", transform, {None: 0, "default": 0, "pandas": 0, "polars": 0})
        if transform is not None:
            self._sklearn_output_config = {"transform": transform}  # the name under which scikit-learn's clone takes it along
        return self

    def _as_output(self, z, x):
        """z [n, codes] of x as set_output wants it."""
        wanted = self.__dict__.get("_sklearn_output_config", {}).get("transform", "default")
        if wanted == "default":
            return z
        frame, names = importlib.import_module(wanted).DataFrame, list(self.get_feature_names_out())
        if wanted == "polars":
            return frame(z, schema=names)
        return frame(z, index=getattr(x, "index", None) if names_of(x) is not None else None, columns=names)

    # ---- copies: pickle and copy go through the model file

    def save(self, path):
        """Writes the model file (safetensors), whole or not at all; laminar.load and the program read it."""
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
        self.__dict__.update(state)

    def __copy__(self):
        other = type(self).__new__(type(self))
        other.__setstate__(self.__getstate__())
        other.__dict__["_settings"] = dict(other._settings)
        return other


def _hint(name, known):
    near = (text_of(lib.lam_parameter_nearest(name.encode("utf-8", "replace"))) or "").replace("-", "_")
    if near in known:
        return f"; did you mean {near}?"
    if name in _parameters.names(None):
        return ": it is for models of the other kind"
    return "; laminar.parameters() lists all"


def model_file(path):
    """The model's file, of a run folder too."""
    return os.path.join(path, "model.safetensors") if os.path.isdir(path) else path


def _prepare_folder(out, resume, overwrite):
    if resume and overwrite:
        raise ArgumentError("resume and overwrite exclude each other")
    if not resume and not overwrite and any(os.path.exists(os.path.join(out, name)) for name in RUN_FILES):
        raise FileExistsError(f"{os.fspath(out)} holds a run already: resume=True goes on with it, overwrite=True starts anew there")
    return out
