"""A regression that knows its doubt: the density of y given X."""
import warnings

import numpy as np

from . import _levels, _parameters
from ._conventions import Conventions, make_init, shortened
from ._estimator import _not_fitted, model_file, random_state_of
from ._library import ArgumentError, DataError, lib, names_of, rows_of, whole
from .density import Flow

OWN = ("columns", "drop", "given", "any_given")  # what fit decides


class FlowRegressor(Conventions):
    """The density of y given X, as a continuous normalizing flow of y alone, to which X is an input.

    >>> model = laminar.FlowRegressor(budget=60).fit(X, y)
    >>> model.predict(X)                                   # the mean
    >>> model.predict_quantiles(X, [0.05, 0.5, 0.95])
    >>> p = model.predict_distribution(X, below=[0])       # p.mean, p.sd, p.quantiles, p.below at once
    >>> model.log_prob(X, y)                               # nats
    >>> model.sample(X, 100)
    >>> model.save("model.safetensors")                    # FlowRegressor.load reads it

    X is an array [n, d] or a DataFrame, whose columns of text are inputs too, one for every level; y is [n], or [n, k]: several columns have
    a joint density. Cells of y may be missing where it has several columns. fit leaves flow_, the Flow, result_ (FitResult),
    n_features_in_, feature_names_in_ (where X has names), n_outputs_.

    Parameters, all by keyword (None: the default):
"""
    _kind = "density"
    _estimator_type = "regressor"
    __init__ = make_init(_kind, without=OWN)

    def fit(self, X, y, *, valid=None, out=None, resume=False, overwrite=False, progress=None):
        """Fits the density of y given X. valid: (X, y) of validation rows; default val_fraction of X. out, resume, overwrite and progress
        are as for Flow.fit. Test rows are not cut off, unless test_fraction says so."""
        if y is None:
            raise ArgumentError("FlowRegressor requires y to be passed, but the target y is None")
        self.__dict__.pop("flow_", None)
        x, names = _inputs(X, "X")
        y, y_names, flat = _outputs(y, _height(x), "y")
        if _height(x) < 2:
            raise DataError(f"X has 1 sample (one row), n_samples={_height(x)}; a density needs more")
        d = x.shape[1]
        own = _distinct(y_names or _default_names(y.shape[1]), names) if names is not None else None
        parameters = {name: value for name, value in self.get_params().items() if value is not None}
        if parameters.get("test_fraction") is None and self.config is None:
            parameters["test_fraction"] = 0
        flow = Flow(given=list(range(d)) if names is None else names, **parameters)
        rows = _join(x, y, own)
        if valid is not None:
            valid = _join(_inputs(valid[0], "valid")[0], _outputs(valid[1], len(valid[0]), "valid")[0], own)
        flow.fit(rows, valid=valid, out=out, resume=resume, overwrite=overwrite, progress=progress)
        self.flow_, self.result_, self.n_features_in_, self.n_outputs_, self._one = flow, flow.result_, d, y.shape[1], flat
        self.__dict__.pop("feature_names_in_", None)
        if names is not None:
            self.feature_names_in_ = np.array(names, dtype=object)
        return self

    def _fitted(self):
        if "flow_" not in self.__dict__:
            raise _not_fitted(f"this {type(self).__name__} is not fitted yet: call fit")
        return self.flow_

    def __sklearn_is_fitted__(self):
        return "flow_" in self.__dict__

    # ---- files

    def save(self, path):
        """Writes the model file (safetensors), atomically. FlowRegressor.load reads it, laminar.load as a Flow of y given X, and the program."""
        self._fitted().save(path)

    @classmethod
    def load(cls, path):
        """A fitted regressor from a model file or a run folder of this class, of Flow(given=...) or of the program's fit --given: the columns
        given are X, in the model's order, the others y; a y of one column is [n]. What its fit came to, result_, is not in the file."""
        path = model_file(path)
        flow = Flow()
        flow._adopt_file(path)
        model, d = flow._model, flow.n_features_in_
        if lib.lam_model_any_given(model) or lib.lam_model_given_count(model) == 0:
            what = "any columns given any others" if lib.lam_model_any_given(model) else "all its columns together"
            raise ArgumentError(f"{path} is a density of {what}, not of some columns given fixed others; laminar.load reads it as a Flow")
        names = flow._own_names()
        settings = _parameters.settings_of(lib.lam_model_config(model), "density", names)
        flow.set_params(**settings)
        self = cls(**{name: value for name, value in settings.items() if name not in OWN})
        self.flow_, self._one = flow, True
        self.n_features_in_, self.n_outputs_ = d - len(self._places(lib.LAM_MOVING)), len(self._places(lib.LAM_MOVING))
        if names is not None:
            self.feature_names_in_ = np.array([names[j] for j in self._places(lib.LAM_GIVEN)], dtype=object)
        return self

    def _places(self, role):
        """Where X (LAM_GIVEN) or y (LAM_MOVING) stands among the flow's columns."""
        return [j for j in range(self.flow_.n_features_in_) if lib.lam_model_role(self.flow_._model, j) == role]

    def _joined(self, x, y):
        """Rows of the flow, from arrays [n, d] and [n, k]."""
        rows = np.empty((len(x), self.flow_.n_features_in_))
        rows[:, self._places(lib.LAM_GIVEN)], rows[:, self._places(lib.LAM_MOVING)] = x, y
        return rows

    def _facts(self):
        return [("inputs", str(self.n_features_in_)
                 + ("" if not hasattr(self, "feature_names_in_") else ": " + shortened(list(self.feature_names_in_))))] + self.flow_._facts()

    # ---- predictions

    def _x(self, X):
        flow = self._fitted()
        x, names = _inputs(X, "X")
        if names is not None and hasattr(self, "feature_names_in_"):
            lacking = [name for name in self.feature_names_in_ if name not in names]
            if lacking:
                raise DataError(f"X has no column {', '.join(lacking[:20])}")
            return x[list(self.feature_names_in_)]
        if x.shape[1] != self.n_features_in_:
            raise DataError(f"X has {x.shape[1]} features, but {type(self).__name__} is expecting {self.n_features_in_} features as input.")
        if hasattr(self, "feature_names_in_"):
            warnings.warn(f"X does not have valid feature names, but {type(self).__name__} was fitted with feature names", stacklevel=3)
            levels = flow._levels()
            x = self._joined(np.asarray(x), np.nan) if not levels else _framed(x, self.feature_names_in_)
        return x

    def _shaped(self, values):
        """[n] of a y that was [n]; of one that was [n, 1] a column."""
        return values if self.n_outputs_ > 1 or self._one else np.expand_dims(values, 1)

    def _prediction(self, x, quantiles=(), below=()):
        p = self._fitted().predict_columns(x, quantiles=quantiles, below=below)
        return p._replace(**{name: self._shaped(getattr(p, name)) for name in ("mean", "sd", "quantiles", "below")})

    def predict_distribution(self, X, quantiles=(0.05, 0.5, 0.95), below=()):
        """All that the other predict methods say of y at each row, in the time of one of them: a Prediction, whose mean and sd are [n], quantiles
        [n, len(quantiles)], below [n, len(below)], the probabilities that y is at most each of these; of several columns [n, k, ...]."""
        return self._prediction(self._x(X), quantiles, below)

    def predict(self, X, return_std=False):
        """The mean of y at each row [n] (of several columns [n, k]); return_std=True: and its standard deviation."""
        p = self._prediction(self._x(X))
        return (p.mean, p.sd) if return_std else p.mean

    def predict_quantiles(self, X, quantiles=(0.05, 0.5, 0.95)):
        """Quantiles of y at each row, [n, len(quantiles)]; of several columns each one's own, [n, k, len(quantiles)]."""
        return self._prediction(self._x(X), quantiles).quantiles

    def predict_below(self, X, values):
        """The probability that y is at most each of values, [n, len(values)]; of several columns [n, k, len(values)]."""
        return self._prediction(self._x(X), below=values).below

    def log_prob(self, X, y):
        """log p(y | x) of each row, nats [n]; with several columns that of their joint density."""
        flow = self._fitted()
        x = self._x(X)
        y = _outputs(y, _height(x), "y")[0]
        if y.shape[1] != self.n_outputs_:
            raise DataError(f"y has {y.shape[1]} columns, and the model was fitted to {self.n_outputs_}")
        if hasattr(x, "columns") and hasattr(flow, "feature_names_in_"):
            return flow.log_prob(_join(x, y, [flow.feature_names_in_[j] for j in self._places(lib.LAM_MOVING)]))
        x = np.asarray(x)
        return flow.log_prob(self._joined(x if x.shape[1] == self.n_features_in_ else x[:, self._places(lib.LAM_GIVEN)], y))

    def sample(self, X, n_samples=1, random_state=None):
        """Draws of y at each row: [n, n_samples], of several columns [n, n_samples, k]."""
        x, n = self._x(X), whole("n_samples", n_samples, 1)
        draws = self._fitted().sample(n, random_state_of(random_state, None), given=x)[:, :, self._places(lib.LAM_MOVING)]
        return draws[:, :, 0] if self.n_outputs_ == 1 and self._one else draws

    def score(self, X, y, sample_weight=None):
        """The coefficient of determination R^2 of predict(X), as scikit-learn's regressors have it; of several columns their mean. log_prob
        says how good the density is."""
        y = _outputs(y, len(X), "y")[0]
        mean = self.predict(X).reshape(y.shape)
        weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        left = (weight[:, None] * (y - mean) ** 2).sum(0)
        whole_ = (weight[:, None] * (y - np.average(y, axis=0, weights=weight)) ** 2).sum(0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(np.mean(np.where(whole_ > 0, 1 - left / whole_, np.where(left > 0, 0.0, 1.0))))

    # ---- what scikit-learn wants to know

    def _more_tags(self):
        return {"multioutput": True, "requires_y": True}

    def __sklearn_tags__(self):
        from sklearn.utils import InputTags, RegressorTags, Tags, TargetTags

        return Tags(estimator_type="regressor", target_tags=TargetTags(required=True, multi_output=True), transformer_tags=None,
                    regressor_tags=RegressorTags(), classifier_tags=None, input_tags=InputTags())


FlowRegressor.__doc__ += _parameters.describe("density", OWN) + "\n"


def _height(x):
    return x.shape[0]


def _inputs(x, what):
    """A table of inputs, with the names of its columns or None: a frame with text stays one, all else is float64 [n, d]."""
    names = names_of(x)
    if hasattr(x, "columns") and hasattr(x, "copy") and _levels.find(x, range(len(x.columns))):
        if names is None:
            raise DataError(f"{what} has text, and columns without names; name them")
        return x, names
    if names is not None and hasattr(x, "copy"):
        rows_of(x, what=what)
        return x, names
    return rows_of(x, what=what), names


def _outputs(y, n, what):
    """y as float64 [n, k], the names of its columns or None, and whether it was [n]."""
    names = names_of(y)
    if names is None and getattr(y, "name", None) is not None:
        names = [str(y.name)]
    kind = getattr(getattr(y, "dtype", None), "kind", None)
    if kind == "c":
        raise DataError("Complex data not supported: y holds complex numbers")
    try:
        values = np.asarray(y, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{what} is not all numbers: {error}") from None
    flat = values.ndim == 1
    values = values[:, None] if flat else values
    if values.ndim != 2:
        raise DataError(f"{what} has {values.ndim} dimensions; it is [n], or [n, k] of several columns")
    if len(values) != n:
        raise DataError(f"{what} has {len(values)} rows and X has {n}: inconsistent numbers of samples")
    if np.isinf(values).any() or (values.shape[1] == 1 and np.isnan(values).any()):
        raise DataError(f"{what} has a NaN or an infinity (Input contains NaN, infinity or a value too large)")
    return np.ascontiguousarray(values), names, flat


def _default_names(k):
    return ["y"] if k == 1 else [f"y{j + 1}" for j in range(k)]


def _distinct(wanted, taken):
    """Names for y that X does not have."""
    found = []
    for name in wanted:
        while name in taken or name in found:
            name += "_"
        found.append(name)
    return found


def _framed(x, names):
    from ._conventions import pandas
    return pandas("an X with text").DataFrame(np.asarray(x, dtype=object), columns=list(names))


def _join(x, y, names):
    """X and y side by side; names: of y's columns, where X has names."""
    if not hasattr(x, "columns"):
        return np.column_stack([x, y])
    frame = x.copy(deep=False)
    for j, name in enumerate(names):
        frame[name] = y[:, j]
    return frame
