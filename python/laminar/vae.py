"""Variational auto-encoders of images, whose posterior goes through a flow."""
import collections
import math
import os
import warnings

import numpy as np

from . import _parameters
from ._conventions import make_init
from ._estimator import Estimator, describe_how, random_state_of, result_facts, seed_of
from ._library import DataError, NotNumbersError, check, check_finite, counts_of, doubles, ffi, lib, path_bytes, rows_of, text_of, whole

Scores = collections.namedtuple("Scores", "images samples negative_elbo negative_elbo_se reconstruction kl log_likelihood "
                                "log_likelihood_se sampling_se effective_samples counts")
Scores.__doc__ = """Means over images, nats per image, and standard errors of them. log_likelihood is the importance-weighted estimate of
log p(x), NaN without samples; sampling_se is its error by the samples alone (NaN with one), effective_samples how many
of equal weight those are worth; near 1 log_likelihood is too low. reconstruction and kl are NaN with samples."""

# Keywords of How that a call does not take: scores have no units, and codes no log-determinant to take a trace for.
_SCORING = ("units",)
_CARRYING = ("units", "trace", "trace_seed")


def _size_of(image_size):
    """(height, width) from what image_size= gives; None."""
    if image_size is None:
        return None
    height, width = image_size
    return whole("height", height, 1, 2**16), whole("width", width, 1, 2**16)


def _pixels(images, what, shape=None):
    """Grey levels as uint8 [n, height, width]. As of files: numbers that never exceed 1 are black and white, flat images square."""
    if hasattr(images, "tocsr"):
        raise NotNumbersError(f"{what} is a sparse matrix, and only dense data is taken; give {what}.toarray()")
    x = np.asarray(images)
    if x.dtype.kind == "c":
        raise DataError(f"Complex data not supported: {what} holds complex numbers")
    if x.ndim == 2 and shape is None and x.size > 0:
        side = math.isqrt(x.shape[1])
        if side * side != x.shape[1]:
            raise DataError(f"{what} has {x.shape[1]} pixels an image and no shape; give image_size=(height, width)")
        shape = (side, side)
    if x.ndim == 4 and 1 in (x.shape[1], x.shape[3]):  # a channel, first or last
        x = x[:, 0] if x.shape[1] == 1 else x[..., 0]
    if x.ndim == 2 and shape is not None and x.shape[1] == shape[0] * shape[1]:
        x = x.reshape(len(x), *shape)
    if x.ndim != 3:
        raise DataError(f"{what} has {x.ndim} dimensions; give images [n, height, width]")
    if x.size == 0:
        raise DataError(f"{what} holds no images")
    if shape is not None and x.shape[1:] != tuple(shape):
        raise DataError(f"{what} holds images of {x.shape[1]} x {x.shape[2]}, the model is of {shape[0]} x {shape[1]}")
    if x.dtype.kind not in "buif" or not (x >= 0).all() or not (x <= 255).all():
        raise DataError(f"{what} needs grey levels from 0 to 255, or numbers from 0 to 1")
    if x.dtype.kind == "b" or x.max() <= 1:
        x = np.rint(x * 255.0)
    elif not (x == np.floor(x)).all():
        raise DataError(f"{what} needs whole grey levels from 0 to 255, or numbers from 0 to 1")
    return np.ascontiguousarray(x, dtype=np.uint8)


class _Images:
    """Images as a lam_images: an array, or a file as the program reads it."""

    def __init__(self, x, invert, what, size=None):
        self.pointer = ffi.new("lam_images *")
        self._keep = None
        if isinstance(x, (str, os.PathLike)):
            options = ffi.new("lam_images_options *", {"invert": invert, "height": (size or (0, 0))[0], "width": (size or (0, 0))[1]})
            self.pointer = ffi.gc(ffi.new("lam_images *"), lib.lam_images_free)
            check(lib.lam_images_read(path_bytes(x), options, self.pointer))
            self._tell(os.fspath(x), size)
            return
        pixels = _pixels(x, what, size)
        if invert:
            pixels = 255 - pixels
        self._keep = (pixels, ffi.new("char[]", b"npy"))
        p = self.pointer
        p.n, p.height, p.width = pixels.shape
        p.pixels = ffi.from_buffer("unsigned char[]", pixels)
        p.binary = int(bool(((pixels == 0) | (pixels == 255)).all()))
        p.format = self._keep[1]

    def _tell(self, path, size):
        """Warns of what was done to pictures."""
        hint = "; image_size=(height, width) chooses another size" if self.pointer.resized > 0 and size is None else ""
        for line in text_of(self.pointer.note).splitlines():
            warnings.warn(f"{path}: {line}{hint}", stacklevel=5)
            hint = ""

    def pixels(self):
        """As the model sees them [n, height, width]; of a file, a copy."""
        if self._keep is not None:
            return self._keep[0]
        p = self.pointer
        return np.frombuffer(ffi.buffer(p.pixels, p.n * p.height * p.width), np.uint8).reshape(p.n, p.height, p.width).copy()


class VAE(Estimator):
    """An auto-encoder of images: a convolutional encoder's Gaussian goes through an amortised flow to z, a decoder gives the pixels.

    >>> vae = laminar.VAE(tpr=True, latent=16, dims=(64, 64), rank=8, batch_size=100, epochs=5, warmup=1).fit(images)
    >>> vae.evaluate(images, samples=100)       # bound, and importance-weighted log p(x)
    >>> vae.sample(64)                          # mean pixels [64, height, width], 0 to 1
    >>> z = vae.transform(images)               # codes [n, latent]; inverse_transform makes images of them

    Images are [n, height, width] (or with a channel of one), sides multiples of 4: grey levels from 0 to 255, or numbers from 0 to
    1 (0 and 1, or bool: black and white). fit leaves result_ (FitResult; its NLLs are negative evidence lower bounds at beta 1),
    image_shape_ and n_parameters_. preset names published settings (laminar.presets()), config is a YAML
    file of parameters, as `laminar vae fit --config` takes it.

    Parameters, all by keyword (None: the default):
"""
    _kind = "vae"
    __init__ = make_init(_kind)

    def _more_tags(self):
        return {"X_types": ["3darray"]}

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.three_d_array = False, True
        return tags

    def fit(self, images, y=None, *, image_size=None, valid=None, test=None, out=None, resume=False, overwrite=False, progress=None):
        """Fits it to images, an array, a file (idx, .mat, pickle, zip of PNG, .npy) or a folder of PNG. image_size: (height, width) of flat
        images that are not square, and what PNG pictures are resized to. Other keywords as of Flow.fit."""
        del y
        config, size = self._config(), _size_of(image_size)
        sets = [None if part is None else _Images(part, lib.lam_config_is(config.pointer, b"invert", b"true"), what, size)
                for part, what in ((images, "images"), (valid, "valid"), (test, "test"))]
        data = ffi.new("lam_image_data **")
        check(lib.lam_image_data_build(config.pointer, *(ffi.NULL if s is None else s.pointer for s in sets), data))
        kept = ffi.gc(data[0], lib.lam_image_data_free)
        self._run(lib.lam_vae_fit, lib.lam_vae_free, config, kept, out, resume, overwrite, progress)
        return self

    def _adopt(self, model):
        self._model = model
        height, width = ffi.new("size_t *"), ffi.new("size_t *")
        lib.lam_vae_image_size(model, height, width)
        self.image_shape_ = (int(height[0]), int(width[0]))
        self.n_parameters_ = int(lib.lam_vae_parameter_count(model))

    def _facts(self):
        r = getattr(self, "result_", None)
        facts = [("images", f"{self.image_shape_[0]} x {self.image_shape_[1]}"), ("weights", str(self.n_parameters_))]
        if r is not None:
            facts += result_facts(r)
            facts += [(f"negative ELBO of the {part} images, beta 1", f"{nll:.4f} nats per image")
                      for part, nll in (("validation", r.best_val_nll), ("test", r.test_nll)) if nll == nll]
        return facts

    def _save(self, path):
        check(lib.lam_vae_save(self._model, path_bytes(path)))

    def _adopt_file(self, path):
        model = ffi.new("lam_vae **")
        check(lib.lam_vae_load(path_bytes(path), model))
        self._adopt(ffi.gc(model[0], lib.lam_vae_free))

    def _images(self, images, what="images"):
        """An array or a file, as the model sees it."""
        return _Images(images, lib.lam_config_is(lib.lam_vae_config(self._model), b"invert", b"true"), what, self.image_shape_).pixels()

    def _drawn(self, out):
        """Means of pixels, as in the files: those of a model of inverted images are inverted back."""
        return 1 - out if lib.lam_config_is(lib.lam_vae_config(self._model), b"invert", b"true") else out

    def evaluate(self, images, samples=0, **how):
        """The bound of images, as Scores; samples: an image, of the importance-weighted log p(x). Image i becomes black and white by
        the draw of its number i."""
        model, how = self._fitted(), self._how(how, _SCORING)
        x, samples = self._images(images), whole("samples", samples)
        return self._scores(model, how, x, samples, ffi.NULL)

    def _scores(self, model, how, x, samples, each):
        s = ffi.new("lam_vae_scores *")
        how.check(lib.lam_vae_score(model, how.pointer, ffi.from_buffer("unsigned char[]", x), ffi.NULL, len(x), samples, each, s))
        return Scores(counts=counts_of(s.counts), **{name: getattr(s, name) for name in Scores._fields[:-1]})

    def score_samples(self, images, samples=0, **how):
        """Every image's evidence lower bound [n], nats; with samples, its importance-weighted log p(x)."""
        model, how = self._fitted(), self._how(how, _SCORING)
        x, samples = self._images(images), whole("samples", samples)
        each = np.empty(len(x))
        self._scores(model, how, x, samples, doubles(each))
        return each

    def score(self, images, y=None):
        """The evidence lower bound, nats per image: higher is better."""
        del y
        return -self.evaluate(images).negative_elbo

    def transform(self, images, *, draw=False, seed=0, as_frame=None, **how):
        """Codes z [n, latent], N(0, I) under the prior: of the mean of each image's posterior, or with draw=True of one draw of it.
        as_frame: True, a DataFrame; False, an array; None, what set_output or sklearn.set_config(transform_output=...) says."""
        model, how = self._fitted(), self._how(how, _CARRYING)
        x, how.pointer.seed = self._images(images), seed_of(seed)
        z = np.empty((len(x), self._n_codes()))
        how.check(lib.lam_vae_encode(model, how.pointer, ffi.from_buffer("unsigned char[]", x), ffi.NULL, len(x), int(bool(draw)),
                                     doubles(z)))
        return self._as_output(z, images, as_frame)

    def fit_transform(self, images, y=None, *, as_frame=None, **fit):
        """transform(images) of the auto-encoder fitted to them."""
        return self.fit(images, y, **fit).transform(images, as_frame=as_frame)

    def inverse_transform(self, Z, **how):
        """Mean pixels [n, height, width], 0 to 1, of codes z [n, latent]."""
        model, how = self._fitted(), self._how(how, _CARRYING)
        z = rows_of(self._in_code_order(Z), self._n_codes(), "Z", type(self).__name__)
        check_finite(z, None, "Z", "leave such rows out")
        out = np.empty((len(z), *self.image_shape_))
        how.check(lib.lam_vae_decode(model, how.pointer, doubles(z), len(z), doubles(out)))
        return self._drawn(out)

    def _n_codes(self):
        return int(lib.lam_config_number(lib.lam_vae_config(self._model), b"latent"))

    def reconstruct(self, images, *, seed=0, **how):
        """Mean pixels [n, height, width], 0 to 1, through one draw of z each."""
        model, how = self._fitted(), self._how(how, _CARRYING)
        x, how.pointer.seed = self._images(images), seed_of(seed)
        out = np.empty(x.shape)
        how.check(lib.lam_vae_reconstruct(model, how.pointer, ffi.from_buffer("unsigned char[]", x), ffi.NULL, len(x), doubles(out)))
        return self._drawn(out)

    def sample(self, n_samples=1, random_state=None, *, seed=None, **how):
        """Mean pixels [n_samples, height, width] of draws of z, others at each call. random_state (seed is an older name of it) as of
        Flow.sample: a whole number draws the same images at each call, image i by this number and i alone."""
        model, how = self._fitted(), self._how(how, _CARRYING)
        n = whole("n_samples", n_samples, 1, 2**40)
        out = np.empty((n, *self.image_shape_))
        how.check(lib.lam_vae_sample(model, how.pointer, random_state_of(random_state, seed), n, doubles(out)))
        return self._drawn(out)

    def interpolate(self, a, b, n=8, **how):
        """n mean images on the straight line between the z of image a and of image b [height, width], both ends included."""
        model, how, n = self._fitted(), self._how(how, _CARRYING), whole("n", n, 2, 2**40)
        ends = self._images(np.stack([a, b]), "a and b")
        out = np.empty((n, *self.image_shape_))
        how.check(lib.lam_vae_interpolate(model, how.pointer, ffi.from_buffer("unsigned char[]", ends), ffi.NULL, n, doubles(out)))
        return self._drawn(out)


for _fixed, _methods in ((_SCORING, ("evaluate", "score_samples")),
                         (_CARRYING, ("transform", "inverse_transform", "reconstruct", "sample", "interpolate"))):
    for _method in _methods:
        getattr(VAE, _method).__doc__ += describe_how((*_fixed, "as_fitted"))
VAE.__doc__ += _parameters.describe("vae") + "\n"
