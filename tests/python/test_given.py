"""Given columns in Python: scores, draws and predictions of a Flow, the regressor, text, missing cells.

    PYTHONPATH=build/python python3 tests/python/test_given.py
"""
import os
import pickle
import tempfile
import unittest
import warnings

import numpy as np
import pandas

import laminar

SMALL = {"dims": (12, 12), "iterations": 120, "threads": 1, "blocks": 1, "batch_size": 100}


def rows(n, seed):
    """y is x for one kind, 2 - x for the other, with a noise of about 0.08."""
    rng = np.random.default_rng(seed)
    x, up = rng.uniform(0, 2, n), rng.uniform(size=n) < 0.5
    y = np.where(up, x, 2 - x) + 0.1 * (rng.uniform(size=n) + rng.uniform(size=n) - 1) * 2
    return pandas.DataFrame({"x": x, "kind": np.where(up, "up", "down"), "y": y})


class WithFlow(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        warnings.simplefilter("ignore")
        cls.frame = rows(600, 1)
        cls.flow = laminar.Flow(given=["x", "kind"], **SMALL).fit(cls.frame)


class Flows(WithFlow):
    def test_scores(self):
        log_p = self.flow.score_samples(self.frame[:20])
        turned = self.frame[["y", "kind", "x"]][:20]
        np.testing.assert_array_equal(self.flow.score_samples(turned), log_p)
        coded = np.column_stack([self.frame.x, self.frame.kind == "up", self.frame.y])[:20]
        np.testing.assert_array_equal(self.flow.score_samples(coded), log_p)
        np.testing.assert_array_equal(self.flow.score_samples(turned, of=["y"], given=["x", "kind"]), log_p)
        with self.assertRaisesRegex(laminar.DataError, "row 3 .*'sideways' is no level of the column kind, whose 2 levels are down, up"):
            self.flow.score_samples(self.frame.assign(kind=["up"] * 3 + ["sideways"] * 597))
        with self.assertRaisesRegex(laminar.ArgumentError, "any.given"):
            self.flow.score_samples(self.frame, of=["x"])
        grid = self.frame.iloc[[0] * 2001].assign(y=np.linspace(-2, 4, 2001))
        self.assertAlmostEqual(np.trapz(np.exp(self.flow.score_samples(grid)), grid.y), 1, places=3)

    def test_values_far_outside(self):
        far = self.frame[:3].assign(x=[1.0, 50.0, -70.0])
        outside = "in column x: .*where the training rows have"
        with self.assertWarnsRegex(UserWarning, "2 of 3 rows lie far outside .* in column x: -70 to 50, where the training rows have"):
            self.flow.predict_columns(far)
        with self.assertWarnsRegex(UserWarning, outside):
            self.flow.sample(2, 1, given={"x": 50, "kind": "up"})
        with self.assertWarnsRegex(UserWarning, outside):
            self.flow.sample(2, 1, given=far[["x", "kind"]])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            self.flow.predict_columns(self.frame[:3].assign(y=1e9)) # which is not looked at
            self.flow.sample(2, 1, given={"x": 1, "kind": "up"})
        for call in (lambda x: self.flow.predict_columns(self.frame[:3].assign(x=[1, 1, x])), lambda x: self.flow.score_samples(self.frame[:3].assign(x=[1, 1, x])),
                     lambda x: self.flow.sample(1, given=self.frame[:3].assign(x=[1, 1, x]))):
            with self.assertRaisesRegex(laminar.DataError, "row 3, column 1 .x. is 1e.300: that is .* standard deviations from the mean"):
                call(1e300)

    def test_a_file_is_a_frame(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "rows.csv")
            self.frame.to_csv(path, index=False)
            other = laminar.Flow(given=["x", "kind"], **SMALL).fit(path)
            np.testing.assert_array_equal(other.score_samples(path), self.flow.score_samples(self.frame))
            self.flow.save(os.path.join(folder, "model"))
            loaded = laminar.load(os.path.join(folder, "model"))
        self.assertEqual(loaded.given, ["x", "kind"])
        for same in (loaded, pickle.loads(pickle.dumps(self.flow))):
            np.testing.assert_array_equal(same.score_samples(self.frame[:9]), self.flow.score_samples(self.frame[:9]))

    def test_draws(self):
        one = self.flow.sample(400, 1, given={"x": 0.5, "kind": "down"}, as_frame=True)
        self.assertTrue((one.x == 0.5).all() and (one.kind == "down").all())
        self.assertTrue((self.flow.sample(3, 1, given={"x": 0.5, "kind": "down"})[:, 1] == 0).all())  # an array has the level's number
        self.assertLess(abs(one.y.mean() - 1.5), 0.1)
        several, log_p = self.flow.sample(5, 1, given=self.frame[["kind", "x"]][:3], log_prob=True)
        self.assertEqual((several.shape, log_p.shape), ((3, 5, 3), (3, 5)))
        np.testing.assert_array_equal(several[:, :, 0], np.repeat(self.frame.x.values[:3, None], 5, 1))
        np.testing.assert_allclose(self.flow.score_samples(several[1]), log_p[1], atol=1e-2)
        for given, text in (({"x": 1}, "kind, which has no value"), ({"x": 1, "kind": "up", "y": 0}, "'y' not given"), ({"x": "a"}, "no number"),
                            ({"x": 1, "kind": "no"}, "no level"), ({"z": 1}, "no column z"), (None, "which have no value")):
            with self.assertRaisesRegex(laminar.ArgumentError, text):
                self.flow.sample(2, given=given)

    def test_predictions(self):
        known = self.frame[["x", "kind"]][:40]
        exact = self.flow.predict_columns(known, quantiles=[0.05, 0.5, 0.95], below=[1.0])
        self.assertEqual((exact.method, exact.mean.shape, exact.quantiles.shape, exact.below.shape), ("integral", (40,), (40, 3), (40, 1)))
        self.assertLess(exact.mass_error, 1e-3)
        drawn = self.flow.predict_columns(known, quantiles=[0.05, 0.5, 0.95], below=[1.0], draws=2000, errors=True)
        for name in ("mean", "sd", "quantiles", "below"):
            a, b, error = (np.asarray(getattr(p, name)) for p in (exact, drawn, drawn.errors))
            self.assertLess(np.mean(np.abs(a - b) > 4 * error + 2e-3), 0.05, name)
        want = np.where(known.kind == "up", known.x, 2 - known.x)
        self.assertLess(np.sqrt(np.mean((exact.mean - want) ** 2)), 0.1)
        with self.assertRaisesRegex(laminar.ArgumentError, "fitted with the column x given"):
            self.flow.predict_columns(known, of=["x"])
        with self.assertRaisesRegex(laminar.DataError, "no column kind"):
            self.flow.predict_columns(known[["x"]])

    def test_what_is_refused(self):
        with self.assertRaisesRegex(laminar.DataError, "kind"):
            laminar.Flow(**SMALL).fit(self.frame)
        with self.assertRaisesRegex(laminar.DataError, "missing .NaN., and the column is given: .*any.given"):
            laminar.Flow(given=["x", "kind"], **SMALL).fit(self.frame.assign(x=self.frame.x.where(self.frame.index != 5)))
        with self.assertRaisesRegex(laminar.DataError, "NaN"):
            laminar.Flow(**SMALL).fit(self.frame[["x", "y"]].mask(pandas.DataFrame({"x": self.frame.index == 5, "y": False})))
        with self.assertRaisesRegex(laminar.ArgumentError, "none is left"):
            laminar.Flow(given=["x", "y"], **SMALL).fit(self.frame[["x", "y"]])
        with self.assertRaisesRegex(laminar.ArgumentError, "any_given"):
            self.flow.impute(self.frame)
        with self.assertRaisesRegex(laminar.ArgumentError, "no density of all its columns to draw, as it is given x"):
            laminar.plot(self.flow, "joint.svg")


class Regressors(WithFlow):
    def test_one_column(self):
        X, y = self.frame[["x", "kind"]], self.frame["y"]
        model = laminar.FlowRegressor(**SMALL).fit(X, y)
        self.assertEqual((list(model.feature_names_in_), model.n_features_in_), (["x", "kind"], 2))
        mean, sd = model.predict(X[:9], return_std=True)
        self.assertEqual((mean.shape, sd.shape, model.sample(X[:9], 4, 1).shape), ((9,), (9,), (9, 4)))
        self.assertGreater(model.score(X, y), 0.9)
        quantiles = model.predict_quantiles(X, [0.05, 0.95])
        self.assertLess(abs(np.mean((y.values >= quantiles[:, 0]) & (y.values <= quantiles[:, 1])) - 0.9), 0.09)
        np.testing.assert_allclose(model.predict_below(X[:9], [1e9, -1e9]), [[1, 0]] * 9)
        at_once = model.predict_distribution(X[:9], [0.05, 0.95], [1.0])
        for one, other in ((at_once.mean, mean), (at_once.sd, sd), (at_once.quantiles, quantiles[:9]), (at_once.below, model.predict_below(X[:9], [1.0]))):
            np.testing.assert_allclose(one, other, rtol=0, atol=2e-4)  # the rows beside them set the solver's steps
        column = laminar.FlowRegressor(**SMALL).fit(X, y.values[:, None]).predict_distribution(X[:9])
        self.assertEqual((column.mean.shape, column.quantiles.shape, column.below.shape), ((9, 1), (9, 1, 3), (9, 1, 0)))
        np.testing.assert_array_equal(model.predict(X[["kind", "x"]][:9]), mean)
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X[:9]), mean)
        np.testing.assert_array_equal(model.log_prob(X[:9], y[:9]), model.flow_.score_samples(self.frame[:9]))

    def test_files(self):
        X, y = self.frame[["x", "kind"]], self.frame["y"]
        model = laminar.FlowRegressor(**SMALL).fit(X, y)
        numbers = laminar.FlowRegressor(**SMALL).fit(X[["x"]].values, np.column_stack([y, -y + 0.1 * np.cos(np.arange(600.0))]))
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "model.safetensors")
            model.save(path)
            same = laminar.FlowRegressor.load(path)
            self.assertEqual((list(same.feature_names_in_), same.n_features_in_, same.n_outputs_), (["x", "kind"], 2, 1))
            self.assertEqual((same.dims, same.iterations), ((12, 12), 120))
            np.testing.assert_array_equal(same.predict(X[:9]), model.predict(X[:9]))
            np.testing.assert_array_equal(same.log_prob(X[:9], y[:9]), model.log_prob(X[:9], y[:9]))
            np.testing.assert_array_equal(same.sample(X[:9], 3, 1), model.sample(X[:9], 3, 1))
            np.testing.assert_array_equal(pickle.loads(pickle.dumps(same)).predict(X[:9]), model.predict(X[:9]))
            self.assertEqual(laminar.load(path).given, ["x", "kind"])
            numbers.save(path)
            same = laminar.FlowRegressor.load(path)
            self.assertEqual((same.n_features_in_, same.n_outputs_, hasattr(same, "feature_names_in_")), (1, 2, False))
            x, both = X[["x"]].values[:9], np.column_stack([y, -y])[:9]
            np.testing.assert_array_equal(same.predict(x), numbers.predict(x))
            np.testing.assert_array_equal(same.log_prob(x, both), numbers.log_prob(x, both))
            # y before X, as a file for the program may have it
            laminar.Flow(given=["x", "kind"], **SMALL).fit(self.frame[["kind", "y", "x"]]).save(path)
            turned = laminar.FlowRegressor.load(path)
            self.assertEqual(list(turned.feature_names_in_), ["kind", "x"])
            np.testing.assert_array_equal(turned.log_prob(X[:9], y[:9]), turned.flow_.log_prob(self.frame[:9]))
            np.testing.assert_array_equal(turned.sample(X[:9], 3, 1), turned.flow_.sample(3, 1, given=X[:9])[:, :, 1])
            self.assertGreater(turned.score(X, y), 0.9)
            laminar.Flow(given=[1], **SMALL).fit(np.column_stack([y, X.x])).save(path)
            turned = laminar.FlowRegressor.load(path)
            rows = np.column_stack([y, X.x])[:9]
            np.testing.assert_array_equal(turned.log_prob(rows[:, 1:], rows[:, 0]), turned.flow_.log_prob(rows))
            laminar.Flow(**SMALL).fit(self.frame[["x", "y"]]).save(path)
            with self.assertRaisesRegex(laminar.ArgumentError, "all its columns together, not of some columns given"):
                laminar.FlowRegressor.load(path)
            with self.assertRaisesRegex(laminar.ArgumentError, "not fitted"):
                laminar.FlowRegressor().save(path)

    def test_several_columns(self):
        X = self.frame[["x"]].values
        Y = np.column_stack([X[:, 0] + 0.1 * np.sin(np.arange(600)), -X[:, 0] + 0.1 * np.cos(7.0 * np.arange(600) ** 2)])
        model = laminar.FlowRegressor(**SMALL).fit(X, Y)
        self.assertEqual([model.predict(X[:3]).shape, model.predict_quantiles(X[:3]).shape, model.sample(X[:3], 5, 1).shape,
                          model.log_prob(X[:3], Y[:3]).shape], [(3, 2), (3, 2, 3), (3, 5, 2), (3,)])
        self.assertGreater(model.score(X, Y), 0.9)

    def test_what_is_refused(self):
        X, y = self.frame[["x"]].values, self.frame.y.values
        model = laminar.FlowRegressor(**SMALL)
        with self.assertRaisesRegex(ValueError, "not fitted"):
            model.predict(X)
        with self.assertRaisesRegex(ValueError, "y has 5 rows and X has 600"):
            model.fit(X, y[:5])
        with self.assertRaisesRegex(ValueError, "NaN or an infinity"):
            model.fit(X, np.where(np.arange(600) == 3, np.nan, y))
        with self.assertRaises(TypeError):
            laminar.FlowRegressor(given=["x"])


class AnyGiven(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        warnings.simplefilter("ignore")
        rng = np.random.default_rng(3)
        a, b = rng.normal(size=800), rng.normal(size=800)
        cls.full = pandas.DataFrame({"a": a, "b": b, "c": a - b + 0.2 * rng.normal(size=800)})
        cls.holes = cls.full.mask(pandas.DataFrame(rng.uniform(size=(800, 3)) < 0.2, columns=list("abc")))
        cls.flow = laminar.Flow(any_given=True, iterations=150, dims=(16, 16), blocks=1, batch_size=100, threads=1).fit(cls.holes.dropna(how="all"))

    def test_predictions(self):
        two = self.full[["a", "b"]][:50]
        p = self.flow.predict_columns(two, of=["c"])
        self.assertLess(np.sqrt(np.mean((p.mean - (two.a - two.b)) ** 2)), 0.5)
        np.testing.assert_array_equal(self.flow.predict_columns(two, of=["c"], given=["b", "a"]).mean, p.mean)
        with self.assertWarnsRegex(UserWarning, "X has no column b; what is there is all that is given"):
            alone = self.flow.predict_columns(two[["a"]], of=["c"])
        np.testing.assert_array_equal(alone.mean, self.flow.predict_columns(two, of=["c"], given=["a"]).mean)
        with self.assertRaisesRegex(laminar.DataError, "no column b"):
            self.flow.predict_columns(two[["a"]], of=["c"], given=["a", "b"])
        with self.assertRaisesRegex(laminar.DataError, "none of the model's columns"):
            self.flow.predict_columns(two.rename(columns={"a": "q", "b": "r"}), of=["c"])
        np.testing.assert_array_equal(self.flow.predict_columns(two.values, of=["c"], given=["a", "b"]).mean, p.mean)
        with self.assertRaisesRegex(laminar.ArgumentError, "in the model's order; of and given list them in another"):
            self.flow.predict_columns(two.values, of=["c"], given=["b", "a"])
        with self.assertRaisesRegex(laminar.ArgumentError, "in the model's order; of and given list them in another"):
            self.flow.score_samples(two.values, of=["b", "a"])
        with self.assertRaisesRegex(laminar.ArgumentError, "name those that are wanted"):
            self.flow.predict_columns(two)

    def test_rows_without_what_is_asked(self):
        some = self.full[:20].copy()
        some.loc[[3, 7], "a"] = np.nan
        some.loc[7, "b"] = np.nan
        with self.assertWarnsRegex(UserWarning, r"2 of the 20 rows of X have an infinity, or no value in any column whose density is asked, first row 3 \(from 0\)"):
            log_p = self.flow.score_samples(some, of=["a"])
        np.testing.assert_array_equal(np.flatnonzero(np.isnan(log_p)), [3, 7])
        np.testing.assert_array_equal(log_p[~np.isnan(log_p)], self.flow.score_samples(some.drop([3, 7]), of=["a"]))
        asked = np.tile([True, True, False], (20, 1))
        with self.assertWarnsRegex(UserWarning, r"1 of the 20 rows .* first row 7 \(from 0\)"):
            log_p = self.flow.log_prob(some, of=asked)
        np.testing.assert_array_equal(np.flatnonzero(np.isnan(log_p)), [7])
        with self.assertWarnsRegex(UserWarning, "no value in any column"), self.assertRaisesRegex(laminar.DataError, "each row of X has a NaN"):
            self.flow.score(some * np.nan)
        some.loc[11] = np.nan
        with self.assertWarnsRegex(UserWarning, r"1 of the 20 rows of X have no value in any column whose density is asked, first row 11 \(from 0\): they are left out"):
            self.assertEqual(self.flow.check(some).rows, 19)
        with self.assertRaisesRegex(laminar.DataError, "in none of the 20 rows of X"):
            self.flow.check(some * np.nan)

    def test_filled(self):
        filled = self.flow.impute(self.holes.dropna(how="all"), random_state=1, as_frame=True)
        there = self.holes.dropna(how="all").notna().values
        np.testing.assert_array_equal(filled.values[there], self.holes.dropna(how="all").values[there])
        self.assertFalse(filled.isna().any().any())
        self.assertGreater(np.corrcoef(filled.c, filled.a - filled.b)[0, 1], 0.8)


if __name__ == "__main__":
    unittest.main()
