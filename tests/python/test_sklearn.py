"""scikit-learn's own checks of estimators (Debian's 1.2.1): all that apply to Flow, and those that ask nothing of the data to VAE.

    PYTHONPATH=build/python python3 tests/python/test_sklearn.py      needs python3-sklearn and python3-pandas
"""
import functools
import os
import tempfile
import unittest
import warnings

import numpy as np

import laminar

try:
    import pandas
    import sklearn
    from sklearn.base import clone
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.utils import estimator_checks
except ImportError as missing:
    raise unittest.SkipTest(str(missing))

SMALL = {"iterations": 3, "dims": (8,), "val_freq": 3, "batch_size": 20, "threads": 1}

# Checks that scikit-learn runs on its own estimators only, beside those that check_estimator makes of any. One of them does not apply:
# check_param_validation reads a table of constraints, _parameter_constraints, that is private to scikit-learn.
FURTHER = ("check_get_feature_names_out_error", "check_n_features_in_after_fitting", "check_transformer_get_feature_names_out",
           "check_transformer_get_feature_names_out_pandas", "check_set_output_transform", "check_set_output_transform_pandas",
           "check_global_ouptut_transform_pandas", "check_dataframe_column_names_consistency", "check_estimators_unfitted")

# Of these, the ones that Flow fails by design, and why.
BY_DESIGN = {"check_dataframe_column_names_consistency": "columns of a frame are found by their names, in whatever order and among whatever others"}

# The checks that a model of images can pass: the rest fit a table of numbers, or want one with n_features_in_.
OF_IMAGES = ("check_no_attributes_set_in_init", "check_complex_data", "check_estimator_sparse_data", "check_estimator_get_tags_default_keys",
             "check_transformers_unfitted", "check_transformer_n_iter", "check_parameters_default_constructible", "check_get_params_invariance",
             "check_set_params", "check_fit1d", "check_get_feature_names_out_error", "check_estimators_unfitted")


class Checks(unittest.TestCase):
    def setUp(self):
        warnings.simplefilter("ignore")

    def run_check(self, name, check):
        with self.subTest(name):
            if name in BY_DESIGN:
                with self.assertRaises((AssertionError, ValueError)):
                    check()
            else:
                check()

    def test_flow(self):
        flow = laminar.Flow(**SMALL)
        made = list(estimator_checks.check_estimator(flow, generate_only=True))
        self.assertGreater(len(made), 30)
        for estimator, check in made:
            self.run_check(check.func.__name__, functools.partial(check, estimator))
        for name in FURTHER:
            self.run_check(name, functools.partial(getattr(estimator_checks, name), "Flow", clone(flow)))

    def test_regressor(self):
        model = laminar.FlowRegressor(**{**SMALL, "iterations": 60, "test_steps": 6, "blocks": 1})
        made = list(estimator_checks.check_estimator(model, generate_only=True))
        self.assertGreater(len(made), 35)
        for estimator, check in made:
            self.run_check(check.func.__name__, functools.partial(check, estimator))

    def test_vae(self):
        for name in OF_IMAGES:
            self.run_check(name, functools.partial(getattr(estimator_checks, name), "VAE", laminar.VAE(epochs=1, latent=2, threads=1)))
        with self.assertWarnsRegex(Warning, "3darray"):  # so that check_estimator passes over it, and says why
            self.assertEqual(list(estimator_checks.check_estimator(laminar.VAE(), generate_only=True)), [])


class Frames(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.x = laminar.toy("moons", 300, seed=1)
        cls.frame = pandas.DataFrame(cls.x, columns=["a", "b"], index=np.arange(300) + 7)
        cls.flow = laminar.Flow(**SMALL).fit(cls.frame)

    def test_transform(self):
        z = self.flow.transform(self.x)
        want = pandas.DataFrame(z, columns=["z1", "z2"], index=self.frame.index)
        with sklearn.config_context(transform_output="pandas"):
            pandas.testing.assert_frame_equal(self.flow.transform(self.frame), want)
            self.assertIsInstance(self.flow.transform(self.frame, as_frame=False), np.ndarray)
            self.assertIsInstance(clone(self.flow).set_output(transform="default").fit_transform(self.frame), np.ndarray)
        self.assertIsInstance(self.flow.transform(self.frame), np.ndarray)
        pandas.testing.assert_frame_equal(self.flow.transform(self.frame, as_frame=True), want)
        back = self.flow.inverse_transform(want[["z2", "z1"]], as_frame=True)  # codes by their names, too
        np.testing.assert_array_equal(back, self.flow.inverse_transform(z))
        self.assertEqual((list(back.columns), list(back.index)), (["a", "b"], list(self.frame.index)))
        both = ColumnTransformer([("f", laminar.Flow(**SMALL), ["a", "b"])]).set_output(transform="pandas").fit(self.frame)
        pandas.testing.assert_frame_equal(both.transform(self.frame), want.add_prefix("f__"))

    def test_sample(self):
        x, log_prob = self.flow.sample(5, 1, log_prob=True, as_frame=True)
        np.testing.assert_array_equal(x, self.flow.sample(5, 1))
        self.assertEqual((list(x.columns), log_prob.name, len(log_prob)), (["a", "b"], "log_prob", 5))
        np.testing.assert_allclose(log_prob, self.flow.score_samples(x), atol=1e-2)
        unnamed = laminar.Flow(**SMALL).fit(self.x).sample(2, as_frame=True)
        self.assertEqual(list(unnamed.columns), [0, 1])

    def test_read_and_toy(self):
        toy = laminar.toy("moons", 300, 1, as_frame=True)
        pandas.testing.assert_frame_equal(toy, pandas.DataFrame(self.x, columns=["x", "y"]))
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "x.csv")
            self.frame.to_csv(path, index=False)
            with open(path, "a", encoding="utf-8") as stream:
                stream.write("1,NA\n")
            read = laminar.read(path, drop_bad_rows=True, as_frame=True)
        pandas.testing.assert_frame_equal(read, self.frame.reset_index(drop=True))
        self.assertEqual(read.attrs, {"n_dropped": 1})

    def test_pages(self):
        page = make_pipeline(StandardScaler(), self.flow)._repr_html_()
        self.assertIn("Flow(dims=(8,)", page)


if __name__ == "__main__":
    unittest.main()
