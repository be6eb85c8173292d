"""laminar: continuous normalizing flows whose ODE is cheap to solve, fitted and evaluated on the CPU.

    import laminar

    flow = laminar.Flow(tpr=True, dims=(32, 32), lr=0.01, iterations=300)
    flow.fit("toy:pinwheel")                       # or an array [n, d], a DataFrame, a file
    flow.score_samples(X)                          # log p(x), nats, with the exact trace
    flow.sample(1000)

Flow is a density of rows, VAE an auto-encoder of images; both are estimators in scikit-learn's sense. load reads what they or the
program saved. parameters() lists what can be set. Errors are subclasses of laminar.Error; their texts are the library's.
"""
import os as _os

from ._estimator import FitResult, Progress
from ._library import (ArgumentError, Counts, DataError, Error, FileError, SolverError, UnsupportedError, check as _check, doubles as
                       _doubles, ffi as _ffi, lib as _lib, path_bytes as _path_bytes, text_of as _text_of)
from ._parameters import Config as _Config, parameters, settings_of as _settings_of
from .density import CheckReport, Flow, Setting, TuneCandidate, TuneResult, plot
from .vae import VAE, Scores

__version__ = _text_of(_lib.lam_version())


def load(path, *, config=None):
    """A fitted Flow or VAE from a model file or a run folder. config: a YAML file that says the architecture, for weights that another
    program saved under FFJORD's names."""
    if _os.path.isdir(path):
        path = _os.path.join(path, "model.safetensors")
    kind = _ffi.new("lam_model_kind *")
    _check(_lib.lam_model_file_kind(_path_bytes(path), kind))
    model = Flow() if kind[0] == _lib.LAM_DENSITY else VAE()
    if config is None:
        model._adopt_file(path)
    else:
        model._adopt_file(path, _Config(_lib.LAM_DENSITY, path=config))
    of = _lib.lam_model_config if isinstance(model, Flow) else _lib.lam_vae_config
    usual = {p.name: p.default for p in parameters(model._kind)}
    model._settings = {name: value for name, value in _settings_of(of(model._model)).items()
                       if name in usual and value != usual[name] and name != "tpr"}
    return model


def toys():
    """Names of the two-dimensional toy densities."""
    names = []
    while (name := _text_of(_lib.lam_toy_name(len(names)))) is not None:
        names.append(name)
    return names


def toy(name, rows=10000, seed=0):
    """Rows [rows, 2] of a toy density; row i depends on name, seed and i alone."""
    import numpy as np

    table = _ffi.new("lam_table **")
    _check(_lib.lam_table_toy(name.encode(), rows, seed, table))
    kept = _ffi.gc(table[0], _lib.lam_table_free)
    return np.frombuffer(_ffi.buffer(kept.values, 16 * rows)).reshape(rows, 2).copy()
