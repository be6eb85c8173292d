"""What densities and auto-encoders have in common: parameters by keyword, fits into run folders, progress, copies."""
import collections
import os
import sys
import tempfile
import time

from . import _parameters
from ._library import ArgumentError, Log, Watch, counts_of, ffi, lib, path_bytes, text_of

FitResult = collections.namedtuple("FitResult", "iterations best_iteration finished best_val_nll test_nll gaussian_test_nll log_det "
                                   "train_counts test_counts warm_start warm_counts seconds train_seconds train_cpu_seconds")
FitResult.__doc__ = """What a fit came to. NLLs in nats, standardised units (of images: the negative evidence lower bound, nats an
image), NaN where there is none; nll - log_det is in data units. finished is False after a stop that was asked for."""

Progress = collections.namedtuple("Progress", "iteration iterations warm_start warm_starts loss nll tpr val_nll best_val_nll "
                                  "is_validation lr grad_norm epoch beta seconds seconds_left counts")
Progress.__doc__ = """What a function given as progress= is told, once an iteration and at each validation."""

RUN_FILES = ("config.yaml", "metrics.jsonl", "model.safetensors", "checkpoint.safetensors")


class _Ticker:
    """A line on a terminal, written anew twice a second; nothing for what takes less than two seconds."""

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
        self.write(f"{where}  calls of f {p.counts.forward} + {p.counts.backward}  {p.seconds:.0f} s, {p.seconds_left:.0f} s left")

    def write(self, line):
        sys.stderr.write("\r" + line.ljust(self.width))
        sys.stderr.flush()
        self.width = len(line)

    def close(self):
        if self.width:
            sys.stderr.write("\r" + " " * self.width + "\r")
            sys.stderr.flush()


def make_progress(progress):
    """None: a line on stderr where that is a terminal; False: silence; or a function of Progress."""
    if callable(progress):
        return progress
    if progress is False or (progress is None and not sys.stderr.isatty()):
        return None
    return _Ticker()


def _hint(name, known):
    near = (text_of(lib.lam_parameter_nearest(name.encode())) or "").replace("-", "_")
    if near in known:
        return f"; did you mean {near}?"
    if any(name == p.name for p in _parameters.parameters()):
        return ": it is for models of the other kind"
    return "; laminar.parameters() lists all"


class Estimator:
    """Parameters by keyword, as scikit-learn's estimators have them."""

    _kind = None  # "density" or "vae"

    def __init__(self, *, config=None, **parameters):
        self._settings = {}
        self.config = config
        self.set_params(**parameters)

    # ---- parameters

    def get_params(self, deep=True):
        """The parameters that were set, as they were given; all others have their defaults (laminar.parameters())."""
        del deep
        given = dict(self._settings)
        if self.config is not None:
            given["config"] = self.config
        return given

    def set_params(self, **parameters):
        """Sets parameters by name; None puts a default back."""
        known = {p.name for p in _parameters.parameters(self._kind)}
        for name, value in parameters.items():
            if name == "config":
                self.config = value
                continue
            if name not in known:
                raise TypeError(f"{type(self).__name__} has no parameter {name}{_hint(name, known)}")
            if value is None:
                self._settings.pop(name, None)
            else:
                self._settings[name] = value
        return self

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.get_params().items())})"

    def _config(self):
        kind = {"density": lib.LAM_DENSITY, "vae": lib.LAM_VAE}[self._kind]
        return _parameters.Config(kind, self._settings, self.config)

    # ---- fitting

    def _run(self, fit, free, config, data, out, resume, overwrite, progress, init=ffi.NULL):
        """fit(cfg, data, options, &model, &result) into a folder; the model, which free frees, and the result."""
        options = ffi.new("lam_fit_options *", {"resume": int(bool(resume)), "init": init})
        shown = make_progress(progress)
        tell = shown if shown is not None else lambda p: 0

        def call(p):
            return tell(Progress(*(getattr(p, name) for name in Progress._fields[:-1]), counts_of(p.counts))) if shown else 0

        watch = Watch("int(void *, const lam_progress *)", call)
        log = Log()
        options.progress = watch.pointer
        options.log = log.pointer[0]
        if out is not None:
            folder = ffi.new("char[]", path_bytes(_prepare_folder(out, resume, overwrite)))
            options.run_dir = folder
        elif resume:
            raise ArgumentError("resume=True wants the run folder, out=...")
        model, result = ffi.new("void **"), ffi.new("lam_fit_result *")
        model_type = "lam_model **" if self._kind == "density" else "lam_vae **"
        try:
            status = fit(config.pointer, data, options, ffi.cast(model_type, model), result)
        finally:
            if isinstance(shown, _Ticker):
                shown.close()
            log.tell(3)
        kept = ffi.gc(ffi.cast(model_type[:-1], model[0]), free) if model[0] != ffi.NULL else None
        watch.check(status)
        plain = {name: getattr(result, name) for name in FitResult._fields if not name.endswith("_counts")}
        plain["finished"] = bool(plain["finished"])
        counts = {name: counts_of(getattr(result, name)) for name in FitResult._fields if name.endswith("_counts")}
        return kept, FitResult(**plain, **counts)

    def _fitted(self):
        if getattr(self, "_model", None) is None:
            raise ArgumentError(f"this {type(self).__name__} is not fitted yet: call fit, or laminar.load a model")
        return self._model

    # ---- copies: pickle and copy go through the model file

    def _save(self, path):
        raise NotImplementedError

    def _adopt_file(self, path):
        raise NotImplementedError

    def save(self, path):
        """Writes the model file (safetensors), whole or not at all; laminar.load and the program read it."""
        self._fitted()
        self._save(path)

    def __getstate__(self):
        state = {"settings": dict(self._settings), "config": self.config, "result": getattr(self, "result_", None), "file": None}
        if getattr(self, "_model", None) is not None:
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "model.safetensors")
                self._save(path)
                with open(path, "rb") as stream:
                    state["file"] = stream.read()
        return state

    def __setstate__(self, state):
        self._settings, self.config = state["settings"], state["config"]
        if state["file"] is not None:
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "model.safetensors")
                with open(path, "wb") as stream:
                    stream.write(state["file"])
                self._adopt_file(path)
        if state["result"] is not None:
            self.result_ = state["result"]


def _prepare_folder(out, resume, overwrite):
    if resume and overwrite:
        raise ArgumentError("resume and overwrite exclude each other")
    if not resume and not overwrite and any(os.path.exists(os.path.join(out, name)) for name in RUN_FILES):
        raise FileExistsError(f"{os.fspath(out)} holds a run already: resume=True goes on with it, overwrite=True starts anew there")
    os.makedirs(out, exist_ok=True)
    return out
