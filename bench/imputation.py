#!/usr/bin/python3
"""A fifth of the cells of two tables removed at random and filled again: by laminar (Flow(any_given=True), defaults), by scikit-learn's
IterativeImputer, and by a Gaussian fitted to what is left (EM). Prints a JSON line a method.

    imputation.py [--data ../shared/data] [--sets ccpp,protein] [--seconds 300] [--draws 100] [--seed 1] [--results FILE.jsonl]
    imputation.py --self-test

Two figures over the cells removed: the root mean square of what the mean that is filled in is off by, over the column's standard deviation (NRMSE);
and the negative log density of the truth given the rest of its row, nats a cell in standardised units (IterativeImputer has none). Noise as
wide as their rounding is added to columns of few values first, as their density has no bound. PYTHONPATH names build/python; run it by
/usr/bin/python3 with python3-sklearn.
"""
import argparse
import json
import math
import os
import sys
import time

sys.dont_write_bytecode = True  # no __pycache__ in the tree

if __name__ == "__main__" and os.environ.get("OMP_NUM_THREADS") != "1":
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
    os.execve(sys.executable, [sys.executable] + sys.argv, os.environ)

import numpy as np

SETS = {"ccpp": "ccpp/data.txt", "protein": "protein/data.txt"}
SHARE = 0.2


def with_holes(x, seed):
    """Standardised rows, those with a fifth of the cells removed, and which: every row keeps a cell."""
    rng = np.random.default_rng(seed)
    holes = rng.uniform(size=x.shape) < SHARE
    full = holes.all(1)
    holes[full, rng.integers(x.shape[1], size=full.sum())] = False
    x = (x - x.mean(0)) / x.std(0)
    return x, np.where(holes, np.nan, x), holes


def noisy(x, seed):
    """Noise on columns of few values, as wide as most of them are apart."""
    rng = np.random.default_rng([seed, 1])
    x = x.copy()
    for column in x.T:
        values = np.unique(column)
        if len(values) < len(column) / 10:
            column += np.quantile(np.diff(values), 0.25) * rng.uniform(size=len(column))
    return x


# ---- a Gaussian --------------------------------------------------------------------------------------------------------------


def patterns(holes):
    """Rows by which of their cells are missing."""
    order = np.lexsort(holes.T)
    cuts = np.flatnonzero((holes[order][1:] != holes[order][:-1]).any(1)) + 1
    return [(holes[rows[0]], rows) for rows in np.split(order, cuts)]


def conditional(mean, cov, hole, rows):
    """Mean [n, k] and covariance [k, k] of the missing cells given the others."""
    there = ~hole
    gain = np.linalg.solve(cov[np.ix_(there, there)], cov[np.ix_(there, hole)]).T if there.any() else np.zeros((hole.sum(), 0))
    return mean[hole] + (rows[:, there] - mean[there]) @ gain.T, cov[np.ix_(hole, hole)] - gain @ cov[np.ix_(there, hole)]


def fit_gaussian(x, holes, rounds=50):
    """Mean and covariance of largest likelihood."""
    mean, cov = np.nanmean(x, 0), np.diag(np.nanvar(x, 0))
    groups = patterns(holes)
    for _ in range(rounds):
        filled, extra = np.where(holes, 0, x), np.zeros_like(cov)
        for hole, rows in groups:
            if hole.any():
                filled[np.ix_(rows, hole)], spread = conditional(mean, cov, hole, x[rows])
                extra[np.ix_(hole, hole)] += len(rows) * spread
        before, mean = cov, filled.mean(0)
        cov = np.cov(filled.T, bias=True) + extra / len(x)
        if np.abs(cov - before).max() < 1e-7:
            break
    return mean, cov


def gaussian(x, truth, holes):
    mean, cov = fit_gaussian(x, holes)
    filled, nll = x.copy(), 0.0
    for hole, rows in patterns(holes):
        if not hole.any():
            continue
        middle, spread = conditional(mean, cov, hole, x[rows])
        filled[np.ix_(rows, hole)] = middle
        off = truth[np.ix_(rows, hole)] - middle
        sign, log_det = np.linalg.slogdet(2 * math.pi * spread)
        nll += 0.5 * (len(rows) * log_det + np.einsum("ij,ij->", off, np.linalg.solve(spread, off.T).T))
    return filled, nll / holes.sum()


# ---- the others --------------------------------------------------------------------------------------------------------------


def iterative(x, truth, holes, seed):
    del truth, holes
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer
    return IterativeImputer(max_iter=30, random_state=seed).fit_transform(x), None


def laminar_flow(x, truth, holes, args):
    import laminar
    flow = laminar.Flow(any_given=True, max_processor_seconds=args.seconds, threads=1, test_fraction=0, seed=args.seed).fit(x)
    filled = flow.impute(x, args.draws, args.seed, mean=True)
    asked = holes.any(1)
    log_p = flow.log_prob(truth[asked], of=holes[asked])
    return filled, -log_p.sum() / holes.sum()


def measure(args, name, method):
    x = np.genfromtxt(os.path.join(args.data, SETS[name]))
    x = noisy(x[~np.isnan(x).any(1)], args.seed)
    truth, rows, holes = with_holes(x, args.seed)
    start = time.process_time()
    if method == "laminar":
        filled, nll = laminar_flow(rows, truth, holes, args)
    else:
        filled, nll = gaussian(rows, truth, holes) if method == "gaussian" else iterative(rows, truth, holes, args.seed)
    own = {"seconds": args.seconds, "draws": args.draws} if method == "laminar" else {}
    return {"set": name, "method": method, **own, "rows": len(x), "cells": int(holes.sum()),
            "nrmse": float(np.sqrt(np.mean((filled - truth)[holes] ** 2))), "nll": nll, "seed": args.seed,
            "processor_seconds": round(time.process_time() - start, 1)}


def self_test():
    """The Gaussian finds that of rows from one, and fills as its conditionals do."""
    rng = np.random.default_rng(2)
    cov = np.array([[1.0, 0.8, 0.3], [0.8, 1.5, -0.2], [0.3, -0.2, 0.7]])
    truth, x, holes = with_holes(rng.multivariate_normal([0, 0, 0], cov, 20000), 3)
    assert abs(holes.mean() - SHARE) < 0.01 and not holes.all(1).any()
    scale = np.sqrt(np.diag(cov))
    mean, found = fit_gaussian(x, holes)
    assert np.abs(mean).max() < 0.03 and np.abs(found - cov / np.outer(scale, scale)).max() < 0.03
    filled, nll = gaussian(x, truth, holes)
    assert (filled[~holes] == truth[~holes]).all() and np.sqrt(np.mean((filled - truth)[holes] ** 2)) < 0.85
    assert nll < 0.5 * math.log(2 * math.pi * math.e)
    print("imputation: the Gaussian finds the one that rows are from, and what it fills in is likelier than a column's own Gaussian")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="../shared/data", help="folder of the sets")
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--methods", default="gaussian,iterative,laminar")
    parser.add_argument("--seconds", type=float, default=300, help="processor seconds of laminar's fit")
    parser.add_argument("--draws", type=int, default=100, help="that laminar's means are of")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--results", help="append to this file too")
    parser.add_argument("--self-test", action="store_true")
    args = parser.parse_args()
    if args.self_test:
        return self_test()
    for name in args.sets.split(","):
        for method in args.methods.split(","):
            line = measure(args, name, method)
            print(json.dumps(line), flush=True)
            if args.results:
                from peers import append
                append(args.results, line)
    return None


if __name__ == "__main__":
    main()
