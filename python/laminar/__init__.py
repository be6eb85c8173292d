"""laminar: continuous normalizing flows whose ODE is cheap to solve, fitted and evaluated on the CPU.

    import laminar

    flow = laminar.Flow(tpr=True, dims=(32, 32), lr=0.01, iterations=300)
    flow.fit("toy:pinwheel")                       # or an array [n, d], a DataFrame, a file
    flow.score_samples(X)                          # log p(x), nats, with the exact trace
    flow.sample(1000)

Flow is a density of rows, FlowRegressor that of y given X, VAE an auto-encoder of images; all are estimators in scikit-learn's sense. load reads what they or the
program saved. parameters() lists what can be set, presets() the published settings. What the library refuses or fails at is a laminar.Error, and
a ValueError, OSError or ArithmeticError beside it; the texts are the library's.
"""
import os as _os

import numpy as _np

from ._conventions import as_frame_of as _as_frame_of
from ._estimator import FitResult, Progress, model_file as _model_file
from ._library import (ArgumentError, Counts, DataError, Error, FileError, MissingFileError, SolverError, UnsupportedError,
                       bytes_of as _bytes_of, check as _check, ffi as _ffi, lib as _lib, path_bytes as _path_bytes, text_of as _text_of, whole as _whole)
from ._parameters import Config as _Config, Parameter, parameters, presets, settings_of as _settings_of
from .conditional import Prediction
from .density import CheckReport, Flow, Setting, Table, TuneCandidate, TuneResult, plot, read
from .regressor import FlowRegressor
from .vae import VAE, Scores

__all__ = ["Flow", "FlowRegressor", "VAE", "Prediction", "load", "plot", "read", "toy", "toys", "parameters", "presets", "FitResult", "Progress", "Counts", "CheckReport", "Setting",
           "Table", "TuneResult", "TuneCandidate", "Scores", "Parameter", "Error", "ArgumentError", "DataError", "FileError",
           "MissingFileError", "SolverError", "UnsupportedError"]
__version__ = _text_of(_lib.lam_version())


def load(path, *, config=None):
    """A fitted Flow or VAE from a model file or a run folder: its parameters and weights; what its fit came to, result_, is not in the
    file. A FlowRegressor's file is read as its Flow, and by FlowRegressor.load as itself. config: a YAML file that says the architecture, for weights that another program saved under FFJORD's names."""
    path = _model_file(path)
    kind = _ffi.new("lam_model_kind *")
    _check(_lib.lam_model_file_kind(_path_bytes(path), kind))
    model = Flow() if kind[0] == _lib.LAM_DENSITY else VAE()
    if config is None:
        model._adopt_file(path)
    elif isinstance(model, VAE):
        raise ArgumentError(f"{_os.fspath(path)} is an auto-encoder's file, which says its architecture itself; leave config out")
    else:
        model._adopt_file(path, _Config("density", path=config))
    of = _lib.lam_model_config if isinstance(model, Flow) else _lib.lam_vae_config
    return model.set_params(**_settings_of(of(model._model), model._kind, model._own_names() if isinstance(model, Flow) else None))


def toys():
    """Names of the two-dimensional toy densities."""
    names = []
    while (name := _text_of(_lib.lam_toy_name(len(names)))) is not None:
        names.append(name)
    return names


def toy(name, rows=10000, seed=0, *, as_frame=False):
    """Rows [rows, 2] of a toy density; row i depends on name, seed and i alone. as_frame=True: a DataFrame with columns x and y."""
    table = _ffi.new("lam_table **")
    _check(_lib.lam_table_toy(_bytes_of(name), _whole("rows", rows), _whole("seed", seed), table))
    kept = _ffi.gc(table[0], _lib.lam_table_free)
    values = _np.frombuffer(_ffi.buffer(kept.values, 16 * rows)).reshape(rows, 2).copy()
    return _as_frame_of(values, [_text_of(kept.names[j]) for j in range(2)]) if as_frame else values
