#!/usr/bin/python3
"""One rival of laminar's at the density of y given the rest, for bench/regression.py: fitted by Debian's scikit-learn on one thread.
Prints one JSON line.

    peer_regression.py ROWS.npz METHOD [--seed K]
    peer_regression.py --self-test

ROWS.npz holds x_train, y_train, x_test and y_test. METHOD is one of
    gaussian-process  GaussianProcessRegressor with one length scale a column, a constant and white noise. Hyperparameters by the marginal
                      likelihood of at most 1000 rows; of a Gaussian and a Matern 5/2 kernel the one whose likelihood is higher; predictions
                      are from at most 2000 rows
    boosting          HistGradientBoostingRegressor for the mean, its rounds chosen by early stopping; a second one on the logarithms of
                      squared residuals, which are predicted for rows that their fit left out (5 folds), for the variance; a Gaussian
                      with these. The variance is scaled, or taken as one constant, by what is likelier on rows that were left out
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

METHODS = ("gaussian-process", "boosting")
HALF_90 = 1.6448536269514722  # deviations to either side hold 90 % of a normal
HYPER_ROWS, GP_ROWS, FOLDS = 1000, 2000, 5


def gaussian_nll(y, mean, variance):
    """-log density of each row."""
    return 0.5 * (np.log(2 * math.pi * variance) + (y - mean) ** 2 / variance)


def scaled(train, test):
    """Both by mean and standard deviation of the training rows; a constant column becomes 0."""
    mean, deviation = train.mean(0), train.std(0)
    deviation = np.where(deviation > 0, deviation, 1)
    return (train - mean) / deviation, (test - mean) / deviation


# ---- a Gaussian process ------------------------------------------------------------------------------------------------------


def fit_gp(x, y, kernel, optimise):
    import sklearn.gaussian_process as gp
    return gp.GaussianProcessRegressor(kernel, optimizer="fmin_l_bfgs_b" if optimise else None, alpha=1e-8).fit(x, y)


def gaussian_process(x, y, x_test, seed):
    """Mean and variance at x_test."""
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, RBF, WhiteKernel
    order = np.random.default_rng(seed).permutation(len(x))
    few, more = order[:HYPER_ROWS], order[:GP_ROWS]
    scales = np.full(x.shape[1], math.sqrt(x.shape[1]))
    fits = {}
    for name, shape in (("Gaussian", RBF(scales, (1e-2, 1e4))), ("Matern 5/2", Matern(scales, (1e-2, 1e4), nu=2.5))):
        kernel = ConstantKernel(1.0, (1e-3, 1e4)) * shape + WhiteKernel(0.1, (1e-7, 1e1))
        fits[name] = fit_gp(x[few], y[few], kernel, True)
    best = max(fits, key=lambda name: fits[name].log_marginal_likelihood_value_)
    last = fit_gp(x[more], y[more], fits[best].kernel_, False) if len(more) > len(few) else fits[best]
    mean, deviation = last.predict(x_test, return_std=True)
    return mean, deviation ** 2, f"{best} kernel, {len(more)} rows"


# ---- boosting ----------------------------------------------------------------------------------------------------------------


def booster(rows, seed):
    from sklearn.ensemble import HistGradientBoostingRegressor
    return HistGradientBoostingRegressor(learning_rate=0.05, max_iter=1000, early_stopping=True, validation_fraction=0.1,
                                         n_iter_no_change=20, min_samples_leaf=20 if rows >= 1000 else 5, random_state=seed)


def left_out(x, y, fold, seed):
    """What fits without a row's fold predict of it."""
    out = np.empty(len(y))
    for k in range(FOLDS):
        out[fold == k] = booster(len(y), seed).fit(x[fold != k], y[fold != k]).predict(x[fold == k])
    return out


def boosting(x, y, x_test, seed):
    """Mean and variance at x_test."""
    fold = np.random.default_rng(seed).permutation(len(y)) % FOLDS
    squares = (y - left_out(x, y, fold, seed)) ** 2
    logs = np.log(squares + 1e-6 * squares.mean())
    level = np.exp(left_out(x, logs, fold, seed))  # of the variance, but for a factor
    factor = np.mean(squares / level)
    varying, constant = (np.mean(np.log(v) + squares / v) for v in (factor * level, np.full(len(y), squares.mean())))
    mean = booster(len(y), seed).fit(x, y).predict(x_test)
    if constant <= varying:
        return mean, np.full(len(x_test), squares.mean()), "constant variance"
    return mean, factor * np.exp(booster(len(y), seed).fit(x, logs).predict(x_test)), "variance from the columns"


# ---- both --------------------------------------------------------------------------------------------------------------------


def fit(method, x, y, x_test, y_test, seed):
    """The figures of a fit in the units of y."""
    start, cpu = time.time(), time.process_time()
    x, x_test = scaled(x, x_test)
    centre, scale = y.mean(), y.std()
    predict = gaussian_process if method == "gaussian-process" else boosting
    mean, variance, choice = predict(x, (y - centre) / scale, x_test, seed)
    mean, variance = centre + scale * mean, scale ** 2 * variance
    nll = gaussian_nll(y_test, mean, variance)
    return {"test_nll": float(nll.mean()), "rmse": float(np.sqrt(np.mean((y_test - mean) ** 2))),
            "inside_90": float(np.mean(np.abs(y_test - mean) <= HALF_90 * np.sqrt(variance))), "choice": choice,
            "processor_seconds": time.process_time() - cpu, "wall_seconds": round(time.time() - start, 1)}


def self_test():
    """Of a line with noise that grows, both come near to the true density."""
    rng = np.random.default_rng(1)
    x = rng.uniform(-1, 1, (1200, 2))
    y = 3 * x[:, 0] + (0.5 + 0.4 * x[:, 1]) * rng.standard_normal(1200)
    true = gaussian_nll(y[800:], 3 * x[800:, 0], (0.5 + 0.4 * x[800:, 1]) ** 2).mean()
    for method in METHODS:
        found = fit(method, x[:800], y[:800], x[800:], y[800:], 0)
        assert true - 0.02 < found["test_nll"] < true + 0.25, (method, found, true)
    print("peer_regression: both rivals come near to a density that is known")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="?")
    parser.add_argument("method", nargs="?", choices=METHODS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--self-test", action="store_true")
    args = parser.parse_args()
    if args.self_test:
        return self_test()
    if args.rows is None or args.method is None:
        parser.error("which rows, and which method?")
    with np.load(args.rows) as rows:
        print(json.dumps(fit(args.method, rows["x_train"], rows["y_train"], rows["x_test"], rows["y_test"], args.seed)))
    return None


if __name__ == "__main__":
    main()
