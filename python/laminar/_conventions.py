"""What scikit-learn and notebooks expect of an estimator, by their conventions and without importing either: parameters are attributes and
the keywords of __init__, transform gives a DataFrame where that is set, tags say what data is taken."""
import html
import importlib
import inspect
import sys

import numpy as np

from . import _parameters
from ._columns import choose, wanted
from ._library import ArgumentError, choice, lib, text_of


def make_init(kind, without=()):
    """An __init__ with a keyword for every parameter that the library's table has for this kind, but for some. It stores them, and does nothing else."""
    known = ["config", "preset", *(p.name for p in _parameters.parameters(kind) if p.name not in without)]

    def __init__(self, **given):
        given = _in_current_names(given, lambda name: f"{type(self).__name__} has no parameter {name}{_hint(name, kind)}", known, TypeError)
        for name in known:
            setattr(self, name, given.get(name))

    itself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    keywords = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None) for name in known]
    __init__.__signature__ = inspect.Signature([itself, *keywords])
    return __init__


def _in_current_names(given, refusal, known, error):
    """given, those that are called as in an earlier version by their names now; one that is not known is an error."""
    found = {}
    for name, value in given.items():
        now = name if name in known else _parameters.current(name)
        if now not in known:
            raise error(refusal(name))
        if now in found:
            raise error(f"{now} is given twice, once by the name of an earlier version; leave one out")
        found[now] = value
    return found


def _hint(name, kind):
    known = _parameters.names(kind)
    near = (text_of(lib.lam_parameter_nearest(name.encode("utf-8", "replace"))) or "").replace("-", "_")
    if near in known:
        return f"; did you mean {near}?"
    if name in _parameters.names(None):
        return ": it is for models of the other kind"
    return "; laminar.parameters() lists all"


def pandas(why):
    try:
        return importlib.import_module("pandas")
    except ImportError:
        raise ImportError(f"{why} needs pandas (Debian's python3-pandas)") from None


def index_of(x):
    """The index of a DataFrame, None of anything else; a list has a method of this name."""
    return getattr(x, "index", None) if hasattr(x, "columns") else None


def as_frame_of(values, names=None, index=None):
    """A DataFrame of values [n, d]. Without names its columns are 0, 1, ..., as columns by number are counted."""
    return pandas("as_frame=True").DataFrame(values, columns=names, index=index)


def shortened(names, most=8):
    """Some names in a line."""
    return ", ".join(str(name) for name in names[:most]) + (", ..." if len(names) > most else "")


class Conventions:
    """The part of an estimator that knows nothing of flows."""

    _kind = None  # "density" or "vae"
    _estimator_type = "DensityEstimator"

    # ---- parameters

    @classmethod
    def _get_param_names(cls):
        """By the signature of __init__, so that a subclass may have parameters of its own."""
        variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        return [p.name for p in inspect.signature(cls.__init__).parameters.values() if p.name != "self" and p.kind not in variable]

    def get_params(self, deep=True):
        """All parameters as they were given; None stands for a default (laminar.parameters())."""
        del deep
        return {name: getattr(self, name) for name in self._get_param_names()}

    def set_params(self, **parameters):
        """Sets parameters by name; None puts a default back."""
        parameters = _in_current_names(parameters, lambda name: f"Invalid parameter {name!r} for estimator {self!r}{_hint(name, self._kind)}",
                                       self._get_param_names(), ArgumentError)
        for name, value in parameters.items():
            setattr(self, name, value)
        return self

    def _given(self):
        """The library's parameters that were given."""
        found = {p.name: getattr(self, p.name, None) for p in _parameters.parameters(self._kind)}
        return {name: value for name, value in found.items() if value is not None}

    def __repr__(self):
        given = {name: getattr(self, name, None) for name in self._get_param_names()}
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in given.items() if v is not None)})"

    def _repr_html_(self):
        """What a notebook shows: the parameters that were given and, once it is fitted, what came of the fit."""
        given = [(name, repr(value)) for name, value in self.get_params().items() if value is not None]
        fitted = self.__sklearn_is_fitted__()
        lines = "".join(f"<tr><th style='text-align:left'>{html.escape(name)}</th><td style='text-align:left'>{html.escape(text)}</td></tr>"
                        for name, text in given + (self._facts() if fitted else []))
        state = "fitted" if fitted else "not fitted"
        return f"<div><strong>{html.escape(type(self).__name__)}</strong> ({state})<table><tbody>{lines}</tbody></table></div>"

    def _facts(self):
        """Pairs of texts about a fitted one."""
        raise NotImplementedError

    # ---- what data is taken: up to scikit-learn 1.5 by the first two, from 1.6 on by the third

    def _more_tags(self):
        return {}

    def _get_tags(self):
        from sklearn.utils._tags import _DEFAULT_TAGS

        return {**_DEFAULT_TAGS, **self._more_tags()}

    def __sklearn_tags__(self):
        from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags

        return Tags(estimator_type="density_estimator", target_tags=TargetTags(required=False), transformer_tags=TransformerTags(),
                    input_tags=InputTags())

    # ---- what transform gives

    def get_feature_names_out(self, input_features=None):
        """Names of transform's columns, those of the program's files: z1, z2, ... input_features: None, or the names of the columns that
        were fitted, which are checked and otherwise not needed."""
        self._fitted()
        if input_features is not None:
            given, own = np.asarray(input_features, dtype=object), getattr(self, "feature_names_in_", None)
            if own is not None and not np.array_equal(own, given):
                raise ArgumentError("input_features is not equal to feature_names_in_")
            if len(given) != getattr(self, "n_features_in_", len(given)):
                raise ArgumentError("input_features should have length equal to number of features "
                                    f"({self.n_features_in_}), got {len(given)}")
        return np.array(self._codes(), dtype=object)

    def _codes(self):
        return [f"z{j + 1}" for j in range(self._n_codes())]

    def _n_codes(self):
        raise NotImplementedError

    def set_output(self, *, transform=None):
        """What transform gives: "default", an array; "pandas" or "polars", a DataFrame of that package, with the names of
        get_feature_names_out and, of pandas, the index of a frame that is transformed. None leaves it as it is. Without this,
        sklearn.set_config(transform_output=...) holds."""
        choice("transform", transform, {None: 0, "default": 0, "pandas": 0, "polars": 0})
        if transform is not None:
            self._sklearn_output_config = {"transform": transform}  # the name under which scikit-learn's clone takes it along
        return self

    def _wanted_output(self, as_frame):
        if as_frame is not None:
            return "pandas" if as_frame else "default"
        own = self.__dict__.get("_sklearn_output_config", {}).get("transform")
        sklearn = sys.modules.get("sklearn")  # if nobody has imported it, nobody has set anything there
        return own or (sklearn.get_config().get("transform_output") if hasattr(sklearn, "get_config") else None) or "default"

    def _as_output(self, z, x, as_frame):
        """z [n, codes] of x as transform's as_frame, set_output or scikit-learn's configuration wants it."""
        wanted = self._wanted_output(as_frame)
        if wanted == "default":
            return z
        if wanted == "polars":
            return importlib.import_module("polars").DataFrame(z, schema=self._codes())
        return pandas("transform to a DataFrame").DataFrame(z, index=index_of(x), columns=self._codes())

    def _in_code_order(self, z):
        """Codes as transform gave them: of a frame, those of their names, in whatever order."""
        like, kept = wanted("the model's z", self._codes())
        return choose(z, "Z", {"like": like}, type(self).__name__, self._n_codes())[0]
