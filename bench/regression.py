#!/usr/bin/python3
"""The density of y given the rest on the regression sets of UCI, by the splits of the field (Hernandez-Lobato and Adams 2015, Gal and
Ghahramani 2016): laminar's defaults, a minute of one core a fit, beside a Gaussian process and gradient boosting. Appends a JSON line a
fit to a file of results; bench/regression_page.py makes a table of it.

    regression.py --laminar build/laminar --data ../shared/data [--work build/regression] [--results docs/results/regression.jsonl]
                  [--sets A,B] [--methods A,B] [--splits 20] [--laminar-flags "..."] [--list]
    regression.py --self-test

Needs Debian's python3-sklearn. Run it by /usr/bin/python3. Stop it however you like and start it again: what is in the file of results is
not run again. laminar gets nothing but the training rows, which columns are given, a seed and the limit of time (--laminar-flags adds to
that, and such fits are kept apart); it takes its validation rows out of the training rows. bench/peer_regression.py fits the others.
"""
import argparse
import datetime
import gzip
import json
import math
import os
import shlex
import sys
import tempfile

sys.dont_write_bytecode = True  # no __pycache__ in the tree
from peers import append, laminar_version, machine, measure_all, run
from same_nll import read_lines

HERE = os.path.dirname(os.path.abspath(__file__))
RANKED = ("concrete", "energy", "kin8nm", "power-plant", "protein", "yacht")
SETS = RANKED + ("naval", "wine-red")  # of these y has 51 and 6 distinct values
METHODS = ("laminar", "gaussian-process", "boosting")
SECONDS, MOST_SPLITS = 60, 20
KEY = ("set", "split", "method", "flags")


# ---- rows --------------------------------------------------------------------------------------------------------------------


def read_set(args, name):
    """Names, rows and the lists of test rows, a list a split."""
    import numpy as np
    folder = os.path.join(args.data, "uci_regression", name)
    with gzip.open(os.path.join(folder, "data.csv.gz"), "rt") as stream:
        names = stream.readline().strip().split(",")
        rows = np.loadtxt(stream, delimiter=",", ndmin=2)
    with gzip.open(os.path.join(folder, "test_rows.txt.gz"), "rt") as stream:
        return names, rows, [[int(row) for row in line.split()] for line in stream]


def write_csv(path, names, rows):
    """Numbers in full."""
    with open(path, "w") as stream:
        stream.write(",".join(names) + "\n")
        stream.writelines(",".join(repr(float(value)) for value in row) + "\n" for row in rows)


def split_rows(rows, test_rows):
    """Training and test rows; a column that is constant in training says nothing and is left out: which ones stay."""
    import numpy as np
    test = np.zeros(len(rows), bool)
    test[test_rows] = True
    train = rows[~test]
    stays = [j for j in range(rows.shape[1]) if np.ptp(train[:, j]) > 0]
    return train, rows[test], stays


# ---- fits --------------------------------------------------------------------------------------------------------------------


def fit_command(args, job, given, path, out):
    """All that laminar is told."""
    return [args.laminar, "fit", path, "--given", ",".join(given), "--out", out, "--overwrite", "--threads", "1", "--test-fraction", "0",
            "--max-processor-seconds", str(SECONDS), "--seed", str(job["split"]), "-q"] + shlex.split(job["flags"])


def predicted_columns(path, wanted):
    """Columns of a table with names in its first line, [columns, rows]."""
    import numpy as np
    with open(path) as stream:
        names = stream.readline().strip().split(",")
        rows = np.loadtxt(stream, delimiter=",", ndmin=2)
    return [rows[:, names.index(name)] for name in wanted]


def fit_laminar(args, job, names, train, test):
    import numpy as np
    with tempfile.TemporaryDirectory(dir=args.work) as work:
        paths = [os.path.join(work, part + ".csv") for part in ("train", "test")]
        write_csv(paths[0], names, train)
        write_csv(paths[1], names, test)
        out, scores, predicted = (os.path.join(work, name) for name in ("run", "scores.npy", "predicted.csv"))
        spent = run(fit_command(args, job, names[:-1], paths[0], out))[1]
        run([args.laminar, "score", out, paths[1], "-o", scores, "--threads", "1"])
        run([args.laminar, "predict", out, paths[1], "-o", predicted, "--threads", "1", "--quantiles", "0.05,0.95"])
        mean, low, high = predicted_columns(predicted, ("mean", "q0.05", "q0.95"))
        log_p = np.load(scores)
        summary = [line for line in read_lines(os.path.join(out, "metrics.jsonl")) if line.get("type") == "summary"][-1]
    return {"test_nll": -float(log_p.mean()), "rmse": float(np.sqrt(np.mean((test[:, -1] - mean) ** 2))),
            "inside_90": float(np.mean((test[:, -1] >= low) & (test[:, -1] <= high))), "processor_seconds": spent,
            "val_nll": summary["best_val_nll"] - summary["log_det"], "iterations": summary["iterations"], "choice": "",
            "version": laminar_version(args)}


def fit_peer(args, job, train, test):
    import numpy as np
    with tempfile.TemporaryDirectory(dir=args.work) as work:
        path = os.path.join(work, "rows.npz")
        np.savez(path, x_train=train[:, :-1], y_train=train[:, -1], x_test=test[:, :-1], y_test=test[:, -1])
        return json.loads(run([sys.executable, "-W", "ignore", os.path.join(HERE, "peer_regression.py"), path, job["method"],
                               "--seed", str(job["split"])])[0].splitlines()[-1])


# ---- the plan ----------------------------------------------------------------------------------------------------------------


def splits_of(name):
    return 5 if name == "protein" else MOST_SPLITS


def every_job(flags=""):
    """Split by split, so that whatever is done is of all sets; the ranked ones first."""
    return [{"set": name, "split": split, "method": method, "flags": flags if method == "laminar" else ""}
            for sets in (RANKED, SETS[len(RANKED):]) for split in range(MOST_SPLITS) for name in sets if split < splits_of(name)
            for method in METHODS]


def key_of(job):
    return tuple(job[name] for name in KEY)


def wanted(args, done):
    """The jobs that are asked for and not done yet."""
    seen = {key_of(line) for line in done}
    return [job for job in every_job(args.laminar_flags) if key_of(job) not in seen and job["split"] < args.splits
            and (args.sets is None or job["set"] in args.sets.split(","))
            and (args.methods is None or job["method"] in args.methods.split(","))]


def name_of(job):
    return f"{job['set']}, split {job['split']}: {job['method']}{' ' + job['flags'] if job['flags'] else ''}"


def measure(args, job):
    names, rows, lists = read_set(args, job["set"])
    train, test, stays = split_rows(rows, lists[job["split"]])
    names, train, test = [names[j] for j in stays], train[:, stays], test[:, stays]
    load = os.getloadavg()[0]
    figures = fit_laminar(args, job, names, train, test) if job["method"] == "laminar" else fit_peer(args, job, train, test)
    return dict(job, **figures, train_rows=len(train), test_rows=len(test), load=round(max(load, os.getloadavg()[0]), 2), machine=machine(),
                date=datetime.datetime.now(datetime.timezone.utc).date().isoformat())


def self_test(parser):
    import numpy as np
    args = parser.parse_args(["--splits", "2", "--laminar-flags=--seed 3"])
    jobs = wanted(args, [])
    assert len(jobs) == 2 * len(SETS) * len(METHODS) and jobs[0]["set"] == "concrete" and jobs[-1]["set"] == "wine-red"
    assert [job["flags"] for job in jobs[:2]] == ["--seed 3", ""]
    with tempfile.TemporaryDirectory() as work:
        path = os.path.join(work, "results.jsonl")
        append(path, dict(jobs[0], test_nll=1.0))
        assert wanted(args, read_lines(path)) == jobs[1:]
    rows = np.arange(12.0).reshape(4, 3)
    rows[:, 1] = 7
    train, test, stays = split_rows(rows, [2])
    assert stays == [0, 2] and test.tolist() == [[6, 7, 8]] and len(train) == 3
    with tempfile.TemporaryDirectory() as work:
        write_csv(os.path.join(work, "predicted.csv"), ["mean", "q0.05"], rows[:2, :2])
        assert predicted_columns(os.path.join(work, "predicted.csv"), ["q0.05"])[0].tolist() == [7, 7]
    command = fit_command(args, jobs[0], ["a", "b"], "rows.csv", "out")
    assert command[1:5] == ["fit", "rows.csv", "--given", "a,b"] and command[-2:] == ["--seed", "3"]
    assert math.isclose(len(every_job()), 3 * (20 * 7 + 5))
    print("regression: the plan, what is done already, the splits and laminar's command are as they should be")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--laminar", default="build/laminar")
    parser.add_argument("--data", default="../shared/data", help="folder of the sets")
    parser.add_argument("--work", default="build/regression", help="laminar's runs, a lock")
    parser.add_argument("--results", default="docs/results/regression.jsonl")
    parser.add_argument("--splits", type=int, default=MOST_SPLITS, help="so many of every set")
    for name in ("sets", "methods"):
        parser.add_argument("--" + name, help="names, separated by commas; all")
    parser.add_argument("--laminar-flags", default="", help="of laminar's fits, beside rows, given columns, seed and limit of time")
    parser.add_argument("--list", action="store_true", help="say what would be measured")
    parser.add_argument("--self-test", action="store_true")
    args = parser.parse_args()
    if args.self_test:
        return self_test(parser)
    args.laminar = os.path.abspath(args.laminar)
    if args.list:
        for job in wanted(args, read_lines(args.results)):
            print(name_of(job))
        return None
    return measure_all(args, "regression", wanted, measure, name_of, lambda line: f"{line['test_nll']:.4f}, rmse {line['rmse']:.4g}, "
                       f"within 90 % {100 * line['inside_90']:.0f} %")


if __name__ == "__main__":
    main()
