"""The Python package from outside: the same models as the program's, errors as exceptions, stops, copies, scikit-learn's conventions.

    PYTHONPATH=build/python python3 tests/python/test_laminar.py      LAMINAR is the program, default build/laminar
"""
import copy
import datetime
import inspect
import os
import pickle
import re
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import types
import unittest
import unittest.mock
import warnings
import zlib

import numpy as np

import laminar

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
PROGRAM = os.environ.get("LAMINAR", os.path.join(ROOT, "build", "laminar"))
SMALL = {"dims": (8, 8), "lr": 0.01, "iterations": 40, "batch_size": 200, "val_freq": 20, "threads": 1,
         "blocks": 1, "optimizer": "adam", "schedule": "cuts", "warm_start": "none", "map": "none"}


class Frame:
    """As much of a pandas.DataFrame as the package looks at."""

    def __init__(self, data):
        self._data = data
        self.columns = list(data)
        self.shape = (len(next(iter(data.values()))), len(data))
        self.ndim = 2

    def __getitem__(self, name):
        return Frame({n: self._data[n] for n in name}) if isinstance(name, list) else self._data[name]


def interrupt_soon(test):
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    test.addCleanup(signal.signal, signal.SIGINT, handler)
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()


class WithFlow(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.x = laminar.toy("moons", 1000, 1)
        cls.flow = laminar.Flow(tpr=True, **SMALL).fit(cls.x)

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)


class Fits(WithFlow):
    def test_the_program_makes_the_same_model(self):
        subprocess.run([PROGRAM, "fit", "toy:moons:1000:1", "--tpr", "--dims", "8-8", "--lr", "0.01", "--iterations", "40", "--batch-size",
                        "200", "--val-freq", "20", "--threads", "2", "--blocks", "1", "--optimizer", "adam", "--schedule", "cuts",
                        "--warm-start", "none", "--map", "none", "--quiet", "--out", self.path("run")], check=True,
                       stdout=subprocess.DEVNULL)
        by_file = laminar.Flow(tpr=True, **SMALL).fit("toy:moons:1000:1")
        by_file.save(self.path("mine"))
        with open(self.path("run/model.safetensors"), "rb") as a, open(self.path("mine"), "rb") as b:
            self.assertEqual(a.read(), b.read())
        loaded = laminar.load(self.path("run"))
        self.assertIsInstance(loaded, laminar.Flow)
        self.assertEqual(list(loaded.feature_names_in_), ["x", "y"])
        for other in (by_file, loaded):
            np.testing.assert_array_equal(other.score_samples(self.x), self.flow.score_samples(self.x))
        again = laminar.Flow(**loaded.get_params()).fit(self.x)
        np.testing.assert_array_equal(again.score_samples(self.x), self.flow.score_samples(self.x))

    def test_result(self):
        r = self.flow.result_
        self.assertEqual((r.iterations, r.finished), (40, True))
        self.assertLess(r.test_nll, r.gaussian_test_nll)
        self.assertLess(r.mixture_test_nll, r.gaussian_test_nll)
        self.assertIn(r.mixture_components, (2, 4, 8, 16, 20))
        self.assertEqual(r.train_counts.solves, 40)
        np.testing.assert_allclose(self.flow.log_det_, -np.log(self.flow.scale_).sum(), rtol=1e-12)

    def test_parts_of_ones_own(self):
        train, valid, test = self.x[:600], self.x[600:800], self.x[800:]
        flow = laminar.Flow(**SMALL).fit(train, valid=valid, test=test)
        np.testing.assert_allclose(flow.mean_, train.mean(0), rtol=1e-12)
        # scored by batches of 1000: the same rows, so the same steps as the fit's own test
        self.assertAlmostEqual(-flow.score(test) - -flow.log_det_, flow.result_.test_nll + 0 * 1, places=5)

    def test_names_of_a_frame(self):
        frame = Frame({"a": self.x[:, 0], "b": self.x[:, 1]})
        flow = laminar.Flow(**SMALL).fit(frame)
        self.assertEqual(list(flow.feature_names_in_), ["a", "b"])
        turned = Frame({"c": self.x[:, 0] * 7, "b": self.x[:, 1], "a": self.x[:, 0]})
        np.testing.assert_array_equal(flow.score_samples(turned), flow.score_samples(self.x))
        with self.assertRaisesRegex(laminar.DataError, 'no column "a"'):
            flow.score_samples(Frame({"c": self.x[:, 0], "b": self.x[:, 1]}))
        self.assertFalse(hasattr(self.flow, "feature_names_in_"))
        by_parts = laminar.Flow(**SMALL).fit(frame, valid=turned, test=turned)
        self.assertTrue(np.isfinite(by_parts.result_.test_nll))
        numbered = laminar.Flow(**SMALL).fit(Frame({"1": self.x[:, 0], "2": self.x[:, 1]}))  # strings are names whatever they say
        np.testing.assert_array_equal(numbered.score_samples(Frame({"2": self.x[:, 1], "1": self.x[:, 0]})), flow.score_samples(self.x))
        with self.assertRaisesRegex(laminar.DataError, "two columns of one name"):
            twins = Frame({"a": self.x[:, 0]})
            twins.columns = ["a", "a"]
            laminar.Flow(**SMALL).fit(twins)

    def test_columns_in_messages(self):
        """What a message proposes cures, when it is given as it stands: places from 0, and digits in quotes where they are a name."""
        x = np.column_stack([self.x[:, 0], np.full(1000, 7.0), self.x[:, 1]])
        text = self.path("x.csv")
        with open(text, "w") as stream:
            stream.writelines(f"{a!r},{b!r},{c!r}\n" for a, b, c in x.tolist())
        for rows, said, drop in ((x, "column 1 is constant", [1]), (text, "column 1 is constant", [1]),
                                 (Frame({"a": x[:, 0], "400": x[:, 1], "c": x[:, 2]}), r"column 1 \(400\) is constant", ["400"]),
                                 (Frame({"a": x[:, 0], "d, e": x[:, 1], "c": x[:, 2]}), r"column 1 \(d, e\) is constant", ["d, e"])):
            with self.assertRaisesRegex(laminar.DataError, said) as caught:
                laminar.Flow(**SMALL).fit(rows)
            self.assertIn(f"(drop={drop!r})", str(caught.exception))
            laminar.Flow(**{**SMALL, "iterations": 1, "warm_start": "none"}, drop=drop).fit(rows)
        far = self.x[:5] + [[0, 1000]]
        with self.assertWarnsRegex(UserWarning, "in column 1: "):
            self.flow.score_samples(far)

    def test_chosen_columns(self):
        wide = np.column_stack([self.x[:, 0], np.random.default_rng(1).normal(size=1000), self.x[:, 1]])
        frame = Frame({"a": wide[:, 0], "b": wide[:, 1], "c": wide[:, 2]})
        want = self.flow.score_samples(self.x)
        for given, x, names in (({"columns": [0, 2]}, wide, None), ({"drop": 1}, wide, None), ({"columns": ["a", "c"]}, frame, ["a", "c"]),
                                ({"drop": "b"}, frame, ["a", "c"]), ({"columns": [0, "c"]}, frame, ["a", "c"])):
            flow = laminar.Flow(tpr=True, **SMALL, **given).fit(x)
            np.testing.assert_array_equal(flow.score_samples(self.x), want)
            self.assertEqual(list(getattr(flow, "feature_names_in_", [])) or None, names)
        np.testing.assert_array_equal(flow.score_samples(frame), want)
        with self.assertRaisesRegex(laminar.DataError, "no column z"):
            laminar.Flow(columns=["z"]).fit(frame)

    def test_files(self):
        np.savetxt(self.path("x.csv"), np.column_stack([self.x[:, 1], np.zeros(1000), self.x[:, 0]]), delimiter=",", header="b,z,a", comments="")
        table = laminar.read(self.path("x.csv"), columns=["a", 0])
        np.testing.assert_allclose(table.values, self.x, rtol=1e-15)
        self.assertEqual((table.names, table.n_dropped), (["a", "b"], 0))
        flow = laminar.Flow(columns=["a", "b"], **SMALL).fit(self.path("x.csv"))
        np.testing.assert_allclose(flow.score_samples(self.path("x.csv")), flow.score_samples(self.x), rtol=1e-12)
        with open(self.path("dated.csv"), "w", encoding="utf-8") as stream:
            stream.write("day,b,a\n" + "".join(f"monday,{b!r},{a!r}\n" for a, b in self.x.tolist()))
        np.testing.assert_allclose(flow.score_samples(self.path("dated.csv")), flow.score_samples(self.x), rtol=1e-12)
        np.savetxt(self.path("plain.csv"), self.x, delimiter=",")
        np.testing.assert_allclose(laminar.Flow(**SMALL).fit(Frame({"a": self.x[:, 0], "b": self.x[:, 1]}))
                                   .score_samples(self.path("plain.csv")), flow.score_samples(self.x), rtol=1e-12)
        np.savetxt(self.path("part.csv"), self.x, delimiter=",", header="a,z", comments="")
        with self.assertRaisesRegex(ValueError, '"b"'):
            flow.score_samples(self.path("part.csv"))
        self.flow.score_samples("toy:moons:10:3")
        with self.assertRaises(FileNotFoundError):
            self.flow.score(self.path("nowhere.csv"))

    def test_what_is_said_of_the_first_line(self):
        def write(name, text, encoding="utf-8"):
            with open(self.path(name), "w", encoding=encoding) as stream:
                stream.write(text + "".join(f"{a!r};{b!r}\n" for a, b in self.x[:50].tolist()))
            return self.path(name)

        table = laminar.read(write("latin1.csv", "größe;länge\n", "latin-1"))
        self.assertEqual(table.names, ["größe", "länge"])
        self.assertRegex(table.how, r"names from line 1 \(text above numbers\).*Windows-1252")
        self.assertIsNone(laminar.read("toy:moons:10").how)
        with self.assertRaisesRegex(laminar.DataError, r'line 1, column 0: "-nan".*header yes'):
            laminar.read(write("nan.csv", "-nan;0.5\n"))
        self.assertEqual(laminar.read(self.path("nan.csv"), drop_bad_rows=True).values.shape, (50, 2))
        path = write("waves.csv", "400;500\n")
        with self.assertWarnsRegex(UserWarning, r"waves.csv: warning: line 1 \(400, 500\).*header yes"):
            self.assertEqual(laminar.read(path).values.shape, (51, 2))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            self.assertEqual(laminar.read(path, header="yes").names, ["400", "500"])
            self.assertEqual(laminar.read(path, header="no").values.shape, (51, 2))
            flow = laminar.Flow(header="yes", tpr=False, **SMALL).fit(path)
            self.assertEqual(len(flow.score_samples(path)), 50)
        with self.assertRaisesRegex(laminar.ArgumentError, "header.*not one of auto, yes, no"):
            laminar.read(path, header="perhaps")

    def test_bad_rows(self):
        x = self.x.copy()
        x[3, 1] = np.nan
        with self.assertRaisesRegex(laminar.DataError, r"row 3, column 1 \(from 0\).*drop_bad_rows"):
            laminar.Flow(**SMALL).fit(x)
        flow = laminar.Flow(drop_bad_rows=True, **SMALL).fit(x)
        want = laminar.Flow(drop_bad_rows=True, **SMALL).fit(np.delete(x, 3, axis=0))
        np.testing.assert_array_equal(flow.score_samples(self.x), want.score_samples(self.x))
        self.assertEqual(flow.n_dropped_, 1)
        twice = laminar.Flow(drop_duplicates=True, **SMALL).fit(np.concatenate([self.x, self.x[:50]]))
        np.testing.assert_array_equal(twice.mean_, laminar.Flow(**SMALL).fit(self.x).mean_)

    def test_warnings_come_as_warnings(self):
        x = np.column_stack([self.x, np.arange(len(self.x)) % 3])
        with self.assertWarnsRegex(UserWarning, "distinct"):
            laminar.Flow(**SMALL).fit(x)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with self.assertRaises(UserWarning):
                laminar.Flow(**SMALL).fit(x)
            flow = laminar.Flow(**SMALL)
            warnings.filterwarnings("ignore", message="a column is a linear function of others")  # said before the fit
            with self.assertRaisesRegex(UserWarning, "singular"):
                flow.fit(self.x[:, [0, 0]])
        self.assertTrue(flow.result_.finished)  # what was fitted is not lost
        with self.assertWarnsRegex(UserWarning, "tpr_degree=2 has no effect without tpr_coefficient"):
            laminar.Flow(tpr=False, tpr_degree=2, **SMALL).fit(self.x)

    def test_start_keeps_the_maps_of_its_model(self):
        x = np.exp(self.x)
        settings = {**SMALL, "iterations": 1, "lr": 1e-9, "tpr": False}
        for said in ("none", "normal-scores"):
            first = laminar.Flow(**{**settings, "iterations": 20, "lr": 0.01, "map": said}).fit(x)
            more = laminar.Flow(**{**settings, "map": None}).fit(x, init=first)
            np.testing.assert_allclose(more.score_samples(x), first.score_samples(x), atol=1e-2)
            other = {"none": "normal-scores", "normal-scores": "none"}[said]
            with self.assertRaisesRegex(laminar.ArgumentError, "map: the model to start from has .*leave map out"):
                laminar.Flow(**{**settings, "map": other}).fit(x, init=first)

    def test_start_from_a_model(self):
        more = laminar.Flow(tpr=True, **{**SMALL, "iterations": 1, "lr": 1e-9}).fit(self.x, init=self.flow)
        np.testing.assert_allclose(more.score_samples(self.x), self.flow.score_samples(self.x), atol=1e-3)
        with self.assertRaises(TypeError):
            laminar.Flow().fit(self.x, init=5)


class Stops(WithFlow):
    def test_a_function_that_stops(self):
        seen = []
        flow = laminar.Flow(tpr=True, **SMALL)
        flow.fit(self.x, out=self.path("run"), progress=lambda p: seen.append(p) or p.iteration == 7)
        self.assertEqual((flow.result_.iterations, flow.result_.finished), (7, False))
        self.assertEqual([p.iteration for p in seen], list(range(1, 8)))
        self.assertTrue(all(np.isfinite(p.loss) and p.counts.forward > 0 for p in seen))
        with self.assertRaisesRegex(FileExistsError, "resume=True"):
            flow.fit(self.x, out=self.path("run"))
        flow.fit(self.x, out=self.path("run"), resume=True)
        self.assertTrue(flow.result_.finished)
        np.testing.assert_array_equal(flow.score_samples(self.x), self.flow.score_samples(self.x))

    def test_what_a_function_raises_comes_out(self):
        def fail(progress):
            raise KeyError("mine")

        with self.assertRaisesRegex(KeyError, "mine"):
            laminar.Flow(**SMALL).fit(self.x, progress=fail)

    def test_ctrl_c(self):
        flow = laminar.Flow(**{**SMALL, "iterations": 10**9, "rate_cuts": 100, "early_stopping": 10**9})
        interrupt_soon(self)
        with self.assertRaises(KeyboardInterrupt):
            flow.fit(self.x, out=self.path("run"))
        self.assertTrue(os.path.exists(self.path("run/checkpoint.safetensors")))


class Uses(WithFlow):
    def test_there_and_back(self):
        z = self.flow.transform(self.x, use_double=True, atol=1e-9, rtol=1e-9)
        np.testing.assert_allclose(self.flow.inverse_transform(z, use_double=True, atol=1e-9, rtol=1e-9), self.x, atol=1e-6)
        t, states = self.flow.trajectories(self.x[:5], 6)
        self.assertEqual((t.shape, states.shape), ((7,), (5, 7, 2)))
        np.testing.assert_allclose(states[:, 0], self.x[:5], rtol=1e-12)
        ends = (states[:, -1] - self.flow.mean_) / self.flow.scale_
        np.testing.assert_allclose(ends, self.flow.transform(self.x[:5]), atol=1e-4)

    def test_several_flows(self):
        x = laminar.toy("moons", 300, seed=2)
        flow = laminar.Flow(**{**SMALL, "flows": 2}).fit(x)
        with self.assertRaisesRegex(laminar.ArgumentError, "mixture of 2 flows.*flow=1 in Python"):
            flow.transform(x[:5])
        z = flow.transform(x[:5], flow=2)
        self.assertTrue(np.allclose(flow.inverse_transform(z, flow=2), x[:5], atol=1e-3))
        self.assertFalse(np.allclose(z, flow.transform(x[:5], flow=1)))
        self.assertEqual(flow.sample(7, random_state=1).shape, (7, 2))

    def test_draws(self):
        x, log_prob = self.flow.sample(300, seed=5, log_prob=True)
        np.testing.assert_allclose(log_prob, self.flow.score_samples(x), atol=1e-2)
        np.testing.assert_array_equal(self.flow.sample(300, seed=5), x)
        self.assertFalse(np.array_equal(self.flow.sample(300, seed=6), x))
        np.testing.assert_array_equal(self.flow.sample(300, 5), x)
        for source in (None, np.random.default_rng(1), np.random.RandomState(1), np.random):
            self.assertFalse(np.array_equal(self.flow.sample(3, random_state=source), self.flow.sample(3, random_state=source)))
        self.assertFalse(np.array_equal(self.flow.sample(3), self.flow.sample(3)))
        for again in (lambda: np.random.default_rng(2), lambda: np.random.RandomState(2), lambda: np.random.seed(2), lambda: np.int32(2)):
            np.testing.assert_array_equal(self.flow.sample(3, again()), self.flow.sample(3, again()))

    def test_column_maps(self):
        x = np.exp(self.x)  # far from normal
        flow = laminar.Flow(**{**SMALL, "map": "normal-scores:30"}).fit(x)
        draws, log_prob = flow.sample(300, seed=5, log_prob=True)
        np.testing.assert_allclose(log_prob, flow.score_samples(draws), atol=1e-2)
        self.assertGreater(draws.min(), -1)
        z = flow.transform(x, use_double=True, atol=1e-9, rtol=1e-9)
        np.testing.assert_allclose(flow.inverse_transform(z, use_double=True, atol=1e-9, rtol=1e-9), x, atol=1e-5)
        np.testing.assert_allclose(flow.trajectories(x[:5], 6)[1][:, 0], x[:5], rtol=1e-12)
        self.assertLess(abs(flow.check(x[:100]).mass - 1), 0.01)
        flow.save(self.path("mapped.safetensors"))
        again = laminar.load(self.path("mapped.safetensors"))
        np.testing.assert_array_equal(again.score_samples(x), flow.score_samples(x))
        self.assertEqual(again.get_params()["map"], "normal-scores:30")

    def test_rows_without_a_density(self):
        x, want = self.x[:20].copy(), self.flow.score_samples(self.x[[0, *range(2, 7), *range(8, 20)]])
        x[1, 0], x[7, 1] = np.nan, np.inf
        np.savetxt(self.path("x.csv"), x, delimiter=",", header="x,y", comments="")
        for rows in (x, Frame({"a": x[:, 0], "b": x[:, 1]}), np.ma.masked_invalid(x), self.path("x.csv")):
            with self.assertWarnsRegex(UserWarning, r"2 of the 20 rows of X have a NaN or an infinity, first row 1 \(from 0\)") as caught:
                log_p = self.flow.score_samples(rows)
            self.assertEqual(caught.filename, __file__)
            self.assertEqual(np.flatnonzero(np.isnan(log_p)).tolist(), [1, 7])
            np.testing.assert_allclose(log_p[~np.isnan(log_p)], want, rtol=1e-12)
            with self.assertWarns(UserWarning):
                self.assertAlmostEqual(self.flow.score(rows), want.mean(), places=12)
            with self.assertWarns(UserWarning):
                self.assertEqual(self.flow.log_prob(rows, counts=True)[1].solves, 1)
        subprocess.run([PROGRAM, "fit", "toy:moons:1000:1", "--dims", "8-8", "--iterations", "3", "--threads", "1", "--quiet", "--out",
                        self.path("run")], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([PROGRAM, "score", self.path("run"), self.path("x.csv"), "--drop-bad-rows", "-o", self.path("lp.npy")],
                       check=True, stdout=subprocess.DEVNULL)
        with self.assertWarns(UserWarning):
            np.testing.assert_array_equal(np.load(self.path("lp.npy")).ravel(), laminar.load(self.path("run")).score_samples(self.path("x.csv")))
        with self.assertWarns(UserWarning):
            self.assertTrue(np.isnan(self.flow.score_samples(x[1:2])).all())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with self.assertRaisesRegex(ValueError, "each row of X"):
                self.flow.score(x[1:2])

    def test_how(self):
        lp, counts = self.flow.log_prob(self.x, counts=True)
        self.assertGreater(counts.forward, 0)
        _, fewer = self.flow.log_prob(self.x, counts=True, atol=1e-2, rtol=1e-2)
        self.assertLess(fewer.forward, counts.forward)
        own = self.flow.log_prob((self.x - self.flow.mean_) / self.flow.scale_, units="standardised")
        np.testing.assert_allclose(own + self.flow.log_det_, lp, atol=1e-5)
        np.testing.assert_array_equal(self.flow.log_prob(self.x, threads=2), lp)
        np.testing.assert_array_equal(self.flow.log_prob(self.x.astype(np.float32).astype(float)[::-1])[::-1].shape, lp.shape)
        rough = self.flow.log_prob(self.x, trace="rademacher", trace_seed=3)
        self.assertGreater(np.abs(rough - lp).max(), 1e-3)

    def test_trust(self):
        report = self.flow.check(self.x[:200])
        self.assertLess(abs(report.mass - 1), 0.05)
        self.assertLess(report.logp_error_max, 0.05)
        tuned = copy.deepcopy(self.flow)
        result = tuned.tune(self.x, 0.01)
        self.assertIn(result.chosen, result.candidates)
        self.assertLessEqual(result.chosen.rms, 0.01)
        self.assertEqual(tuned.setting(), result.chosen.setting)
        self.assertEqual(tuned.setting(as_fitted=True), self.flow.setting())
        self.assertEqual(copy.deepcopy(tuned).setting(), result.chosen.setting)
        self.assertEqual(tuned.untune().setting(), self.flow.setting())
        stopped = tuned.tune(self.x, 0.01, progress=lambda *p: True)
        self.assertIsNone(stopped.chosen)
        with self.assertRaisesRegex(laminar.SolverError, "nats"):
            tuned.tune(self.x, 1e-9, rows=100)

    def test_pictures(self):
        try:
            note = laminar.plot([self.flow, self.flow], self.path("p.svg"), data=self.x, draws=200, grid=20, names=["one", "two"])
        except laminar.UnsupportedError:
            self.skipTest("no cairo in this build")
        self.assertIn("20 x 20", note)
        for kind, part, call in ((ValueError, "1 names for 2", lambda p: laminar.plot([self.flow] * 2, p, names=["one"])),
                                 (ValueError, "one of density, draws, paths", lambda p: laminar.plot(self.flow, p, panels="d")),
                                 (ValueError, "from 0 to 1", lambda p: laminar.plot(self.flow, p, columns=[-1])),
                                 (TypeError, "one Flow or several", lambda p: laminar.plot([], p))):
            with self.assertRaisesRegex(kind, part):
                call(self.path("no.svg"))
        self.assertTrue(os.path.exists(self.path("p.svg")))

    def test_refusals(self):
        flow, x = self.flow, self.x
        for kind, part, call in (
                (TypeError, "did you mean lr?", lambda: laminar.Flow(learning_rate=1)),
                (TypeError, "the other kind", lambda: laminar.Flow(latent=3)),
                (TypeError, "no keyword atoll", lambda: flow.log_prob(x, atoll=1)),
                (ValueError, "not a list of widths", lambda: laminar.Flow(dims="a").fit(x)),
                (ValueError, r"tpr_times", lambda: laminar.Flow(tpr_times=1).fit(x)),
                (ValueError, "constant", lambda: laminar.Flow().fit(np.ones((50, 2)))),
                (ValueError, "X has 1 features, but Flow is expecting 2", lambda: flow.score(x[:, :1])),
                (ValueError, "1 dimension;.*Reshape your data", lambda: flow.score(x[0])),
                (ValueError, "n_samples=1", lambda: laminar.Flow().fit(x[:1])),
                (ValueError, r"0 feature\(s\)", lambda: laminar.Flow().fit(x[:, :0])),
                (TypeError, "not all numbers", lambda: flow.score([[{}, 1]])),
                (TypeError, "sparse", lambda: flow.score(types.SimpleNamespace(tocsr=0))),
                (ValueError, "give one of them", lambda: flow.sample(2, 1, seed=2)),
                (ValueError, "random_state='a'.*Generator", lambda: flow.sample(2, "a")),
                (ValueError, "NaN in row 1, column 0", lambda: flow.transform([[0, 0], [np.nan, 0]])),
                (ValueError, "infinity in row 0, column 1", lambda: flow.check([[0, np.inf]])),
                (ValueError, "not fitted", lambda: laminar.Flow().sample()),
                (ValueError, "one of data, standardised", lambda: flow.log_prob(x, units="cm")),
                (ValueError, "no column a", lambda: laminar.Flow(columns=["a"]).fit(x)),
                (ValueError, "no rows", lambda: flow.score(x[:0])),
                (ValueError, "no rows", lambda: laminar.Flow().fit(x[:0])),
                (ValueError, "not all numbers", lambda: flow.score([["a", "b"]])),
                (ValueError, "complex", lambda: flow.score(x + 1j)),
                (ValueError, "NaN", lambda: flow.transform(np.ma.masked_less(x, 0))),
                (ValueError, "0 dimensions", lambda: flow.score(3.0)),
                (ValueError, "null byte", lambda: flow.save(self.path("a\0b"))),
                (ValueError, "seed=-1", lambda: flow.sample(2, seed=-1)),
                (ValueError, "it takes N", lambda: laminar.Flow(iterations=1.5).fit(x)),
                (ValueError, "it takes X", lambda: laminar.Flow(lr=[0.1]).fit(x)),
                (ValueError, "it takes true", lambda: laminar.Flow(tpr=3).fit(x)),
                (ValueError, "use_double", lambda: flow.score_samples(x) is flow.log_prob(x, use_double="no")),
                (ValueError, "run folder", lambda: laminar.Flow().fit(x, resume=True)),
                (OSError, "nowhere", lambda: laminar.load("/nowhere")),
                (ValueError, "", lambda: laminar.load(__file__)),
                (laminar.Error, "", lambda: laminar.toy("moon"))):
            with self.assertRaisesRegex(kind, part):
                call()


class Conventions(WithFlow):
    def test_parameters(self):
        flow = laminar.Flow(tpr=True, dims=(4, 5), noise={"1": 0.5}, lr=np.float64(0.25))
        given = {"tpr": True, "dims": (4, 5), "noise": {"1": 0.5}, "lr": 0.25}
        self.assertEqual({k: v for k, v in flow.get_params().items() if v is not None}, given)
        self.assertEqual((flow.dims, flow.blocks), ((4, 5), None))
        flow.blocks = 2
        self.assertEqual((flow.get_params()["blocks"], flow.set_params(blocks=None).blocks), (2, None))
        with self.assertRaisesRegex(ValueError, "Invalid parameter 'nonsense' for estimator Flow"):
            flow.set_params(lr=3, nonsense=1)
        self.assertEqual(flow.lr, 0.25)
        self.assertEqual(vars(laminar.Flow(lr=3)), {**laminar.Flow().get_params(), "lr": 3})  # nothing else is set
        self.assertEqual(laminar.Flow(iterations=4e1, tpr=1, lr=np.array(0.01), dims=[8.0, 8], batch_size=200, val_freq=20, threads=1,
                                      blocks=1, optimizer="adam", schedule="cuts", warm_start="none", map="none")
                         .fit(self.x).score(self.x), self.flow.score(self.x))
        self.assertEqual(eval(repr(flow), {"Flow": laminar.Flow}).get_params(), flow.get_params())  # pylint: disable=eval-used
        names = [p.name for p in laminar.parameters("density")]
        self.assertEqual(list(inspect.signature(laminar.Flow).parameters), ["config", "preset"] + names)
        self.assertIn("batch_size", names)
        self.assertNotIn("latent", names)
        self.assertIn("latent", [p.name for p in laminar.parameters("vae")])
        for name in names:
            self.assertIn(name, laminar.Flow.__doc__)
        self.assertIs(inspect.signature(laminar.Flow.__init__).parameters["lr"].default, None)

    def test_budget(self):
        self.assertEqual(laminar.Flow(max_seconds=60).budget, 60)  # its name in an earlier version
        self.assertEqual(laminar.Flow().set_params(max_seconds="1h").get_params()["budget"], "1h")
        with self.assertRaisesRegex(TypeError, "budget is given twice"):
            laminar.Flow(max_seconds=60, budget=30)
        older = laminar.Flow.__new__(laminar.Flow)
        older.__setstate__({"max_seconds": 7.0})
        self.assertEqual(older.get_params(), laminar.Flow(budget=7.0).get_params())
        for budget in ("1h30m", 5400, datetime.timedelta(minutes=90)):
            flow = laminar.Flow(**SMALL, budget=budget).fit(self.x)
            flow.save(self.path("m.safetensors"))
            self.assertEqual(laminar.load(self.path("m.safetensors")).budget, 5400)
        with self.assertRaisesRegex(ValueError, "budget: \"5 minutes\" is not a length of time; .*5m, 1h30m"):
            laminar.Flow(budget="5 minutes").fit(self.x)
        # what the clock chose is the model's, and repeats it
        cosine = {name: value for name, value in SMALL.items() if name not in ("schedule", "iterations")}
        flow = laminar.Flow(**cosine, budget=1).fit(self.x, out=self.path("run"))
        flow.save(self.path("m.safetensors"))
        again = laminar.load(self.path("m.safetensors"))
        self.assertIsNone(again.budget)
        self.assertGreater(again.iterations, again.decay_from)
        np.testing.assert_array_equal(again.fit(self.x).score_samples(self.x), flow.score_samples(self.x))
        resumed = laminar.Flow(**cosine, budget=1).fit(self.x, out=self.path("run"), resume=True)
        np.testing.assert_array_equal(resumed.score_samples(self.x), flow.score_samples(self.x))

    def test_what_a_run_chose_is_taken_from_it(self):
        few = {**SMALL, "schedule": "constant", "iterations": 20}
        del few["val_freq"], few["blocks"], few["batch_size"]
        laminar.Flow(**few).fit(self.x, out=self.path("run"))
        more = laminar.Flow(**{**few, "iterations": 30}).fit(self.x, out=self.path("run"), resume=True)
        self.assertEqual(more.result_.iterations, 30)

    def test_presets(self):
        self.assertEqual(set(laminar.presets("density")), {"power", "gas", "hepmass", "miniboone", "bsds300"})
        self.assertIn("POWER", laminar.presets()["power"])
        self.assertIn("mnist", laminar.presets("vae"))
        flow = laminar.Flow(preset="power", noise="auto", **{**SMALL, "iterations": 1}).fit(self.x)
        flow.save(self.path("m.safetensors"))
        self.assertEqual(laminar.load(self.path("m.safetensors")).early_stopping, 20)  # as presets/tabular/power.yaml has it
        with self.assertRaisesRegex(ValueError, "there is no \"pover\"; for tables of numbers there are .*power"):
            laminar.Flow(preset="pover").fit(self.x)
        with self.assertRaisesRegex(ValueError, "preset=3"):
            laminar.Flow(preset=3).fit(self.x)

    def test_warm_start_false_is_none(self):
        flow = laminar.Flow(tpr=True, **SMALL).set_params(warm_start=False).fit(self.x)
        np.testing.assert_array_equal(flow.score_samples(self.x), self.flow.score_samples(self.x))
        self.assertIs(flow.get_params()["warm_start"], False)
        with self.assertRaisesRegex(ValueError, "none|flow-matching:N.*init="):
            laminar.Flow(warm_start=True).fit(self.x)

    def test_parameters_of_a_subclass(self):
        class Wider(laminar.Flow):
            def __init__(self, *, lr=None, width=8):
                super().__init__(lr=lr, dims=(width, width), **{k: v for k, v in SMALL.items() if k not in ("lr", "dims")}, tpr=True)
                self.width = width

        self.assertEqual(Wider(width=9).get_params(), {"lr": None, "width": 9})
        np.testing.assert_array_equal(Wider(lr=0.01).fit(self.x).score_samples(self.x), self.flow.score_samples(self.x))

    def test_a_file_of_parameters(self):
        with open(self.path("c.yaml"), "w", encoding="utf-8") as stream:
            stream.write("dims: 8-8\nlr: 0.5\niterations: 40\nbatch-size: 200\nval-freq: 20\ntpr: true\n"
                         "blocks: 1\noptimizer: adam\nschedule: cuts\nwarm-start: none\nmap: none\n")
        flow = laminar.Flow(config=self.path("c.yaml"), lr=0.01).fit(self.x)
        np.testing.assert_array_equal(flow.score_samples(self.x), self.flow.score_samples(self.x))

    def test_copies(self):
        for other in (pickle.loads(pickle.dumps(self.flow)), copy.deepcopy(self.flow)):
            np.testing.assert_array_equal(other.score_samples(self.x), self.flow.score_samples(self.x))
            self.assertEqual(other.result_, self.flow.result_)
        self.assertEqual(pickle.loads(pickle.dumps(laminar.Flow(lr=1))).lr, 1)
        older = laminar.Flow.__new__(laminar.Flow)
        older.__setstate__({"_settings": {"lr": 2}, "config": None})  # as a pickle of version 0.1.0 before parameters were attributes
        self.assertEqual(older.get_params(), laminar.Flow(lr=2).get_params())
        self.flow.note = "hi"
        self.assertEqual(copy.copy(self.flow).note, "hi")
        del self.flow.note

    def test_frames_out(self):
        made = []
        frames = types.SimpleNamespace(DataFrame=lambda values, **about: made.append((values, about)) or "a frame")
        frame = Frame({"a": self.x[:, 0], "b": self.x[:, 1]})
        frame.index = ["first", "second"]
        flow = copy.copy(self.flow).set_output(transform="pandas")
        z = self.flow.transform(self.x)
        with unittest.mock.patch.dict(sys.modules, {"pandas": frames, "polars": frames}):
            self.assertEqual(flow.transform(self.x.tolist()), "a frame")  # a list has a method of the name index
            flow.transform(frame)
            copy.copy(flow).set_output(transform="polars").transform(self.x)
        for values, _ in made:
            np.testing.assert_array_equal(values, z)
            np.testing.assert_array_equal(flow.transform(self.x, as_frame=False), z)
        self.assertEqual([about for _, about in made], [{"index": None, "columns": ["z1", "z2"]}, {"index": frame.index, "columns": ["z1", "z2"]},
                                                        {"schema": ["z1", "z2"]}])
        self.assertIs(flow.set_output(), flow)
        np.testing.assert_array_equal(flow.set_output(transform="default").transform(self.x), z)
        with self.assertRaisesRegex(laminar.ArgumentError, "transform='arrow': it is one of default, pandas, polars"):
            flow.set_output(transform="arrow")

    def test_html(self):
        self.assertIn("not fitted", laminar.Flow()._repr_html_())
        page = self.flow._repr_html_()
        for part in ("Flow</strong> (fitted)", ">tpr<", ">True<", ">40, the best at", f"{-self.flow.result_.test_nll + self.flow.log_det_:.4f} nats"):
            self.assertIn(part, page)
        self.assertIn("&lt;b&gt;", laminar.Flow(columns=["<b>"])._repr_html_())
        self.assertNotIn("iterations, the best", pickle.loads(pickle.dumps(laminar.Flow()))._repr_html_())

    def test_scikit_learn_and_pandas_are_left_alone(self):
        script = ("import sys, laminar; x = laminar.toy('moons', 200, 1); f = laminar.Flow(dims=(4,), iterations=2, threads=1).fit(x); "
                  "f.transform(x), f.sample(2), f._repr_html_(), laminar.Flow().get_params(); "
                  "assert not {'sklearn', 'pandas', 'scipy'} & set(sys.modules)")
        subprocess.run([sys.executable, "-c", script], check=True)

    def test_tags_of_newer_versions(self):
        def tags(**defaults):
            return lambda **given: types.SimpleNamespace(**{**defaults, **given})

        newer = types.SimpleNamespace(InputTags=tags(two_d_array=True, three_d_array=False), Tags=tags(requires_fit=True), TargetTags=tags(),
                                      TransformerTags=tags(preserves_dtype=["float64"]))
        with unittest.mock.patch.dict(sys.modules, {"sklearn": types.SimpleNamespace(utils=newer), "sklearn.utils": newer}):
            flow, vae = laminar.Flow().__sklearn_tags__(), laminar.VAE().__sklearn_tags__()
        self.assertEqual((flow.estimator_type, flow.target_tags.required, flow.requires_fit), ("density_estimator", False, True))
        self.assertEqual((flow.input_tags.two_d_array, flow.input_tags.three_d_array), (True, False))
        self.assertEqual((vae.input_tags.two_d_array, vae.input_tags.three_d_array), (False, True))

    def test_a_search_of_scikit_learn(self):
        try:
            from sklearn.base import clone
            from sklearn.model_selection import GridSearchCV
        except ImportError:
            self.skipTest("scikit-learn is not here")
        with self.assertRaises(sys.modules["sklearn.exceptions"].NotFittedError):
            laminar.Flow().sample()
        self.assertEqual(clone(self.flow).get_params(), self.flow.get_params())
        search = GridSearchCV(laminar.Flow(**SMALL), {"lr": [1e-7, 0.01]}, cv=2).fit(self.x)
        self.assertEqual(search.best_params_, {"lr": 0.01})

    def test_the_readme(self):
        with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as stream:
            blocks = re.findall(r"^```python\n(.*?)^```", stream.read(), re.M | re.S)
        self.assertEqual(len(blocks), 1)
        before = os.getcwd()
        os.chdir(self.folder)
        try:
            exec(compile(blocks[0], "README.md", "exec"), {})  # pylint: disable=exec-used
        finally:
            os.chdir(before)


def write_png(path, pixels):
    """pixels [height, width] or [height, width, 3], uint8."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    head = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, 2 if pixels.ndim == 3 else 0, 0, 0, 0)
    lines = b"".join(b"\0" + line.tobytes() for line in pixels)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b""))


class Images(unittest.TestCase):
    def setUp(self):
        rng = np.random.default_rng(1)
        self.images = np.zeros((120, 12, 8), np.uint8)
        for i, at in enumerate(rng.integers(0, 8, 120)):
            self.images[i, :, at] = 255
        self.vae = laminar.VAE(latent=2, dims=(6,), rank=2, batch_size=20, epochs=2, warmup=1, tpr=True, threads=1)

    def test_a_session(self):
        try:
            vae = self.vae.fit(self.images)
        except laminar.UnsupportedError:
            self.skipTest("no oneDNN in this build")
        self.assertEqual((vae.image_shape_, vae.result_.finished), ((12, 8), True))
        scores = vae.evaluate(self.images[:10], samples=4)
        self.assertEqual((scores.images, scores.samples), (10, 4))
        once = vae.evaluate(self.images[:10])
        self.assertAlmostEqual(once.reconstruction + once.kl, once.negative_elbo, places=9)
        self.assertTrue(np.isnan(once.log_likelihood))
        self.assertGreaterEqual(scores.log_likelihood, -scores.negative_elbo - 5)
        self.assertEqual(vae.score(self.images[:10]), -vae.evaluate(self.images[:10]).negative_elbo)
        for out, n in ((vae.reconstruct(self.images[:3]), 3), (vae.sample(5), 5), (vae.interpolate(*self.images[:2], n=4), 4)):
            self.assertEqual(out.shape, (n, 12, 8))
            self.assertTrue((out > 0).all() and (out < 1).all())
        each = vae.score_samples(self.images[:10])
        self.assertAlmostEqual(each.mean(), vae.score(self.images[:10]), places=9)
        self.assertAlmostEqual(vae.score_samples(self.images[:10], samples=4).mean(), scores.log_likelihood, places=9)
        z = vae.transform(self.images[:6])
        self.assertEqual((z.shape, list(vae.get_feature_names_out())), ((6, 2), ["z1", "z2"]))
        np.testing.assert_allclose(vae.interpolate(*self.images[:2], n=2), vae.inverse_transform(z[:2]), atol=1e-4)
        drawn = vae.transform(self.images[:6], draw=True, seed=5)
        self.assertFalse(np.allclose(drawn, z))
        np.testing.assert_allclose(vae.inverse_transform(drawn), vae.reconstruct(self.images[:6], seed=5), atol=1e-6)
        with tempfile.TemporaryDirectory() as folder: # a file is read as the program reads it
            path = os.path.join(folder, "x.npy")
            np.save(path, self.images[:6].reshape(6, -1))
            np.testing.assert_array_equal(vae.transform(path), z)
        flat = laminar.VAE(**{**self.vae.get_params(), "epochs": 1}).fit(self.images.reshape(120, -1), image_size=(12, 8))
        self.assertEqual(flat.image_shape_, (12, 8))
        inverted = laminar.VAE(**{**self.vae.get_params(), "invert": True}).fit(255 - self.images)
        np.testing.assert_array_equal(inverted.transform(255 - self.images[:6]), z)
        np.testing.assert_allclose(inverted.sample(3, seed=1), 1 - vae.sample(3, seed=1), atol=1e-12)
        with self.assertRaisesRegex(laminar.DataError, "Z has 3 features, but VAE is expecting 2"):
            vae.inverse_transform(np.zeros((1, 3)))
        with self.assertRaisesRegex(laminar.DataError, "a NaN in row 1"):
            vae.inverse_transform([[0, 0], [0, np.nan]])
        for same in (self.images[:, None], self.images[..., None], self.images == 255, (self.images == 255).astype(float), self.images / 255.0):
            self.assertEqual(vae.score(same[:10]), vae.score(self.images[:10]))
        interrupt_soon(self)
        with self.assertRaises(KeyboardInterrupt):
            vae.sample(200000)
        other = pickle.loads(pickle.dumps(vae))
        np.testing.assert_array_equal(other.sample(3, 1), vae.sample(3, random_state=1))
        self.assertFalse(np.array_equal(vae.sample(3), vae.sample(3)))
        with tempfile.TemporaryDirectory() as folder:
            vae.save(os.path.join(folder, "v"))
            loaded = laminar.load(os.path.join(folder, "v"))
        self.assertIsInstance(loaded, laminar.VAE)
        np.testing.assert_array_equal(loaded.reconstruct(self.images[:2]), vae.reconstruct(self.images[:2]))
        with self.assertRaisesRegex(laminar.DataError, "the model is of 12 x 8"):
            vae.score(np.zeros((2, 8, 8), np.uint8))

    def test_a_folder(self):
        with tempfile.TemporaryDirectory() as folder:
            for i, image in enumerate(self.images[:30]):
                write_png(os.path.join(folder, f"{i:02}.png"), 255 - image)
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    vae = self.vae.fit(folder, image_size=(12, 8))
            except laminar.UnsupportedError:
                self.skipTest("no oneDNN or libpng in this build")
            np.testing.assert_array_equal(vae.transform(folder), vae.transform(self.images[:30]))
            write_png(os.path.join(folder, "x.png"), np.zeros((24, 16, 3), np.uint8) + np.array([9, 99, 200], np.uint8))
            with self.assertWarns(UserWarning) as caught:
                self.assertEqual(vae.transform(folder).shape, (31, 2))
            told = [str(w.message) for w in caught.warnings]
            self.assertEqual(told[0], f"{folder}: 1 of 31 pictures are resized to 12x8, from 24x16")
            self.assertIn("1 colour picture is turned grey", told[1])
            with self.assertWarnsRegex(UserWarning, r"resized to 28x28.*image_size=\(height, width\) chooses another size"):
                laminar.VAE(**{**self.vae.get_params(), "epochs": 1}).fit(folder)

    def test_refusals(self):
        for part, x in (("dimensions", np.zeros(9)), ("image_size", np.zeros((3, 12))), ("whole grey levels", np.full((3, 8, 8), 1.5)), ("multiples of 4", self.images[:, :10])):
            with self.assertRaisesRegex((laminar.DataError, laminar.ArgumentError, laminar.UnsupportedError), part + "|oneDNN"):
                self.vae.fit(x)
        with self.assertRaisesRegex(TypeError, "the other kind"):
            laminar.VAE(noise="a:1")


if __name__ == "__main__":
    unittest.main()
