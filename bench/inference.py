#!/usr/bin/python3
"""Simulation-based inference by laminar's conditional density: how far its posteriors are from true ones on two tasks of sbibm (Lueckmann,
Boelts, Greenberg, Goncalves and Macke 2021), by the classifier two-sample test. Appends a JSON line an observation to a file of results.

    inference.py --laminar build/laminar [--tasks two-moons,slcp] [--simulations 10000] [--observations 10] [--seconds 300] [--seed 1]
                 [--work build/inference] [--results docs/results/inference.jsonl]
    inference.py --table docs/results/inference.jsonl
    inference.py --self-test

Parameters are drawn from the prior and simulated; laminar fits the density of the parameters given the data, by its defaults within
--seconds of processor time of one core; of each observation it draws parameters (those outside of the prior are drawn again), and so does a
reference sampler. The test is sbibm's: the accuracy with which a perceptron of two layers of 10 d units (scikit-learn's MLPClassifier),
in five-fold cross-validation, tells 10000 draws of one from as many of the other: 0.5 is perfect, 1 is none in common. Observations are
drawn from prior and simulator by their numbers; sbibm's own ten are others. Needs Debian's python3-sklearn; run it by /usr/bin/python3.

Stop it however you like and start it again: what is in the file of results is not run again.
"""
import argparse
import json
import math
import os
import sys

sys.dont_write_bytecode = True  # no __pycache__ in the tree

if __name__ == "__main__" and os.environ.get("OMP_NUM_THREADS") != "1":
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
    os.execve(sys.executable, [sys.executable] + sys.argv, os.environ)

import numpy as np

from peers import append, laminar_version, machine, run
from same_nll import read_lines

DRAWS = 10000


# ---- the tasks ---------------------------------------------------------------------------------------------------------------


class TwoMoons:
    """theta uniform on [-1, 1]^2; x a point of a crescent, moved by theta: theta and its mirror image give the same."""

    name, bound, dim, data_dim = "two-moons", 1.0, 2, 2

    def prior(self, n, rng):
        return rng.uniform(-1, 1, (n, 2))

    def crescent(self, n, rng):
        angle, radius = rng.uniform(-math.pi / 2, math.pi / 2, n), rng.normal(0.1, 0.01, n)
        return np.column_stack([radius * np.cos(angle) + 0.25, radius * np.sin(angle)])

    def simulate(self, theta, rng):
        moved = np.column_stack([-np.abs(theta[:, 0] + theta[:, 1]), theta[:, 1] - theta[:, 0]]) / math.sqrt(2)
        return self.crescent(len(theta), rng) + moved

    def reference(self, x, n, rng):
        """The map from theta to what is added is a turn and a fold: the crescent's points, taken off x, turned back, on either side of
        the fold. Those beyond the fold or the prior have no theta."""
        found = np.empty((0, 2))
        while len(found) < n:
            q = x - self.crescent(4 * n, rng)
            q = q[q[:, 0] <= 0]
            total = math.sqrt(2) * q[:, 0] * rng.choice([-1, 1], len(q))
            difference = math.sqrt(2) * q[:, 1]
            theta = np.column_stack([total - difference, total + difference]) / 2
            found = np.concatenate([found, theta[np.abs(theta).max(1) <= 1]])
        return found[:n]


class Slcp:
    """theta uniform on [-3, 3]^5; x four points of a Gaussian with mean (theta_1, theta_2), deviations theta_3^2, theta_4^2 and
    correlation tanh theta_5: the signs of theta_3 and theta_4 leave no trace, so there are four modes."""

    name, bound, dim, data_dim = "slcp", 3.0, 5, 8

    def prior(self, n, rng):
        return rng.uniform(-3, 3, (n, 5))

    def simulate(self, theta, rng):
        s1, s2, rho = theta[:, 2] ** 2, theta[:, 3] ** 2, np.tanh(theta[:, 4])
        e = rng.standard_normal((len(theta), 4, 2))
        first = theta[:, None, 0] + s1[:, None] * e[:, :, 0]
        second = theta[:, None, 1] + s2[:, None] * (rho[:, None] * e[:, :, 0] + np.sqrt(1 - rho[:, None] ** 2) * e[:, :, 1])
        return np.stack([first, second], 2).reshape(len(theta), 8)

    def log_likelihood(self, theta, x):
        s1, s2 = np.maximum(theta[:, 2] ** 2, 1e-12), np.maximum(theta[:, 3] ** 2, 1e-12)
        rho = np.tanh(theta[:, 4])
        rest = 1 / np.cosh(theta[:, 4]) ** 2  # 1 - rho^2
        points = x.reshape(4, 2)
        a = (points[None, :, 0] - theta[:, None, 0]) / s1[:, None]
        b = (points[None, :, 1] - theta[:, None, 1]) / s2[:, None]
        square = (a ** 2 - 2 * rho[:, None] * a * b + b ** 2) / rest[:, None]
        return -0.5 * square.sum(1) - 4 * (np.log(s1) + np.log(s2) + 0.5 * np.log(rest)) - 4 * math.log(2 * math.pi)

    def reference(self, x, n, rng):
        """Tempering from the prior to the posterior where theta_3 and theta_4 are positive: particles are weighted, drawn anew by
        their weights, and moved by Metropolis steps as wide as they are spread. Then both signs are drawn."""
        theta = self.prior(2 * n, rng)
        theta[:, 2:4] = np.abs(theta[:, 2:4])
        log_l, power = self.log_likelihood(theta, x), 0.0
        while power < 1:
            step = self.next_step(log_l, 1 - power)
            weight = np.exp(step * (log_l - log_l.max()))
            power = min(1.0, power + step)
            chosen = np.searchsorted(np.cumsum(weight) / weight.sum(), (np.arange(len(theta)) + rng.uniform()) / len(theta))
            theta, log_l = theta[chosen], log_l[chosen]
            theta, log_l = self.move(theta, log_l, x, power, rng, 60 if power >= 1 else 15)
        theta = theta[rng.permutation(len(theta))[:n]]
        theta[:, 2:4] *= rng.choice([-1, 1], (len(theta), 2))
        return theta

    @staticmethod
    def next_step(log_l, most):
        """As much of the likelihood as leaves half of the particles effective."""
        low, high = 0.0, most
        for _ in range(50):
            step = high if _ == 0 else 0.5 * (low + high)
            weight = np.exp(step * (log_l - log_l.max()))
            if weight.sum() ** 2 / (weight ** 2).sum() >= 0.5 * len(log_l):
                low = step
                if step == most:
                    break
            else:
                high = step
        return low

    def move(self, theta, log_l, x, power, rng, rounds):
        factor = 1.0
        for _ in range(rounds):
            root = np.linalg.cholesky(np.cov(theta.T) + 1e-12 * np.eye(5))
            width = factor * rng.choice([0.15, 0.5, 1.0], (len(theta), 1))  # wide ones between modes, narrow ones within
            there = theta + width * (rng.standard_normal(theta.shape) @ root.T)
            there[:, 2:4] = np.abs(there[:, 2:4])  # the density is even in both
            inside = np.abs(there).max(1) <= 3
            log_there = np.where(inside, self.log_likelihood(there, x), -np.inf)
            taken = np.log(rng.uniform(size=len(theta))) < power * (log_there - log_l)
            theta, log_l = np.where(taken[:, None], there, theta), np.where(taken, log_there, log_l)
            factor = min(2.0, max(0.05, factor * (1.1 if taken.mean() > 0.25 else 0.9)))
        return theta, log_l


TASKS = {task.name: task for task in (TwoMoons(), Slcp())}


# ---- the test ----------------------------------------------------------------------------------------------------------------


def two_sample_test(a, b, seed=1):
    """sbibm's: columns scaled by mean and deviation of a; accuracy in five folds."""
    from sklearn.model_selection import KFold, cross_val_score
    from sklearn.neural_network import MLPClassifier
    centre, scale = a.mean(0), a.std(0, ddof=1)
    rows = np.concatenate([(a - centre) / scale, (b - centre) / scale])
    which = np.concatenate([np.zeros(len(a)), np.ones(len(b))])
    net = MLPClassifier(activation="relu", hidden_layer_sizes=(10 * a.shape[1],) * 2, max_iter=10000, solver="adam", random_state=seed)
    folds = KFold(n_splits=5, shuffle=True, random_state=seed)
    return float(cross_val_score(net, rows, which, cv=folds, scoring="accuracy").mean())


# ---- laminar -----------------------------------------------------------------------------------------------------------------


def names_of(task):
    return [f"x{j + 1}" for j in range(task.data_dim)], [f"theta{j + 1}" for j in range(task.dim)]


def fit(args, task):
    """The folder of the task's run, fitted if it is not there."""
    folder = os.path.join(args.work, f"{task.name}-{args.simulations}-{args.seconds:g}s-seed{args.seed}")
    if os.path.exists(os.path.join(folder, "done")):
        return folder
    os.makedirs(args.work, exist_ok=True)
    rng = np.random.default_rng([args.seed, args.simulations])
    theta = task.prior(args.simulations, rng)
    x = task.simulate(theta, rng)
    given, asked = names_of(task)
    path = folder + ".csv"
    np.savetxt(path, np.column_stack([x, theta]), delimiter=",", header=",".join(given + asked), comments="", fmt="%.17g")
    run([args.laminar, "fit", path, "--given", ",".join(given), "--out", folder, "--overwrite", "--threads", "1", "--test-fraction", "0",
         "--seed", str(args.seed), "--max-processor-seconds", f"{args.seconds:g}", "-q"])
    open(os.path.join(folder, "done"), "w").close()
    return folder


def posterior(args, task, folder, x, seed):
    """Draws within the prior."""
    given, asked = names_of(task)
    flags = [flag for name, value in zip(given, x) for flag in ("--given", f"{name}={float(value)!r}")]
    found = np.empty((0, task.dim))
    while len(found) < DRAWS:
        path = os.path.join(args.work, "draws.csv")
        run([args.laminar, "sample", folder, "-n", str(2 * DRAWS), "--seed", str(seed), "-o", path, "--threads", "1"] + flags)
        with open(path) as stream:
            names = stream.readline().strip().split(",")
            rows = np.loadtxt(stream, delimiter=",", ndmin=2)
        theta = rows[:, [names.index(name) for name in asked]]
        inside = theta[np.abs(theta).max(1) <= task.bound]
        if len(inside) == 0:
            raise OSError("no draw is within the prior")
        found, seed = np.concatenate([found, inside]), seed + 1000
    return found[:DRAWS]


def measure(args, task, number):
    rng = np.random.default_rng([77, number])
    truth = task.prior(1, rng)
    x = task.simulate(truth, rng)[0]
    reference = task.reference(x, DRAWS, np.random.default_rng([78, number]))
    draws = posterior(args, task, fit(args, task), x, number)
    return {"task": task.name, "simulations": args.simulations, "seconds": args.seconds, "seed": args.seed, "observation": number,
            "c2st": two_sample_test(reference, draws), "truth": truth[0].tolist(), "version": laminar_version(args), "machine": machine()}


def measure_all(args):
    done = {(line["task"], line["simulations"], line["seconds"], line["seed"], line["observation"]) for line in read_lines(args.results)}
    for name in args.tasks.split(","):
        for number in range(1, args.observations + 1):
            if (name, args.simulations, args.seconds, args.seed, number) in done:
                continue
            line = measure(args, TASKS[name], number)
            append(args.results, line)
            print(f"{name}, observation {number}: {line['c2st']:.3f}", flush=True)


def table(path):
    from regression_page import inference_table
    inference_table(read_lines(path), sys.stdout)


# ---- self-test ---------------------------------------------------------------------------------------------------------------


def self_test():
    rng = np.random.default_rng(3)
    moons, slcp = TASKS["two-moons"], TASKS["slcp"]
    # two moons: the reference beside draws of the prior whose data come near to x
    theta = moons.prior(400000, rng)
    x = np.array([-0.3, 0.2])
    near = theta[np.abs(moons.simulate(theta, rng) - x).max(1) < 0.02]
    reference = moons.reference(x, len(near), rng)
    assert len(near) > 100 and abs((near.sum(1) > 0).mean() - 0.5) < 0.1
    score = two_sample_test(reference, near)
    assert score < 0.62, score
    # SLCP: the likelihood is the simulator's, and the reference has means and spreads of weighted draws of the prior
    theta = np.array([[0.5, -1.0, 0.9, -0.8, 0.7]])
    x = slcp.simulate(np.repeat(theta, 50000, 0), rng)
    s1, s2, rho = 0.81, 0.64, math.tanh(0.7)
    assert np.allclose(np.cov(x[:, 2:4].T), [[s1 ** 2, rho * s1 * s2], [rho * s1 * s2, s2 ** 2]], atol=0.02)
    points = x[0].reshape(4, 2) - theta[0, :2]
    cov = np.array([[s1 ** 2, rho * s1 * s2], [rho * s1 * s2, s2 ** 2]])
    exact = sum(-0.5 * p @ np.linalg.solve(cov, p) - 0.5 * np.log(np.linalg.det(2 * math.pi * cov)) for p in points)
    assert abs(slcp.log_likelihood(theta, x[0])[0] - exact) < 1e-9
    prior = slcp.prior(300000, rng)
    log_l = slcp.log_likelihood(prior, x[0])
    weight = np.exp(log_l - log_l.max())
    weight /= weight.sum()
    chosen = prior[rng.choice(len(prior), 800, p=weight)]
    reference = slcp.reference(x[0], 800, rng)
    effective = 1 / (weight ** 2).sum()
    for j in range(5):
        a, b = np.abs(chosen[:, j]), np.abs(reference[:, j])
        spread = a.std()
        assert abs(a.mean() - b.mean()) < 5 * spread * math.sqrt(1 / effective + 2 / 800), (j, a.mean(), b.mean(), effective)
    assert abs((reference[:, 2] > 0).mean() - 0.5) < 0.08 and abs((reference[:, 3] > 0).mean() - 0.5) < 0.08
    assert two_sample_test(reference, slcp.reference(x[0], 800, rng)) < 0.58
    print("inference: simulators, likelihood, reference samplers and the two-sample test agree with each other")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--laminar", default="build/laminar")
    parser.add_argument("--tasks", default=",".join(TASKS))
    parser.add_argument("--simulations", type=int, default=10000)
    parser.add_argument("--observations", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", default="build/inference", help="laminar's runs")
    parser.add_argument("--results", default="docs/results/inference.jsonl")
    parser.add_argument("--table", metavar="RESULTS", help="print a table of results")
    parser.add_argument("--self-test", action="store_true")
    args = parser.parse_args()
    if args.self_test:
        return self_test()
    if args.table:
        return table(args.table)
    args.laminar = os.path.abspath(args.laminar)
    return measure_all(args)


if __name__ == "__main__":
    main()
