#!/usr/bin/python3
"""The tables of docs/results.md on regression and inference, from the lines that bench/regression.py, bench/inference.py and
bench/imputation.py left.

    regression_page.py [docs/results/regression.jsonl]     and inference.jsonl and imputation.jsonl beside it, where they are
    regression_page.py --self-test
"""
import math
import os
import sys
import tempfile

sys.dont_write_bytecode = True  # no __pycache__ in the tree
from peers import append
from regression import METHODS, RANKED, SETS
from same_nll import read_lines

NAMES = {"laminar": "laminar, a minute of one core", "gaussian-process": "Gaussian process (scikit-learn)",
         "boosting": "gradient boosting with a Gaussian (scikit-learn)"}
# As printed there; the first two on the same splits' sizes, the third on splits of its own.
PUBLISHED = (
    ("ensemble of ten nets (google/uncertainty-baselines, baselines/uci)",
     {"concrete": 3.20, "energy": 0.61, "kin8nm": -1.17, "power-plant": 3.18, "protein": 3.12, "yacht": 0.73, "naval": -5.17, "wine-red": 0.97}),
    ("refined variational inference (the same page)",
     {"concrete": 3.08, "energy": 0.75, "kin8nm": -1.06, "power-plant": 2.83, "protein": 2.92, "yacht": 1.68, "naval": -6.33, "wine-red": 0.97}),
    ("NGBoost (documentation of xgboost-distribution, other splits)",
     {"concrete": 3.09, "energy": 0.62, "power-plant": 2.77, "protein": 2.91, "yacht": 0.75, "naval": -3.91, "wine-red": 0.93}),
)


def figure(values, digits=3):
    """"2.470 +- 0.020 (20)": the mean over splits, its standard error, and how many they are."""
    n, mean = len(values), sum(values) / len(values)
    if n == 1:
        return f"{mean:.{digits}f} (1)"
    return f"{mean:.{digits}f} +- {math.sqrt(sum((v - mean) ** 2 for v in values) / (n - 1) / n):.{digits}f} ({n})"


def methods_of(lines):
    return [(method, flags) for method in METHODS for flags in sorted({line["flags"] for line in lines if line["method"] == method})]


def name_of(method, flags):
    return NAMES[method] + (" " + flags if flags else "")


def coverage(lines, sets, out):
    """How many test rows lie within the central 90 % interval; lines from before that was kept have none."""
    lines = [line for line in lines if "inside_90" in line]
    if not any(line["set"] in sets for line in lines):
        return
    print("\n| test rows within the central 90 % interval, % | " + " | ".join(sets) + " |", file=out)
    print("|---|" + "--:|" * len(sets), file=out)
    for method, flags in methods_of(lines):
        cells = []
        for name in sets:
            values = [100 * line["inside_90"] for line in lines if (line["set"], line["method"], line["flags"]) == (name, method, flags)]
            cells.append(figure(values, 1) if values else "")
        print(f"| {name_of(method, flags)} | " + " | ".join(cells) + " |", file=out)


def table(lines, sets, out):
    methods = methods_of(lines)
    print("| test NLL, nats, units of y | " + " | ".join(sets) + " |", file=out)
    print("|---|" + "--:|" * len(sets), file=out)
    for method, flags in methods:
        cells = []
        for name in sets:
            values = [line["test_nll"] for line in lines if (line["set"], line["method"], line["flags"]) == (name, method, flags)]
            cells.append(figure(values) if values else "")
        print(f"| {name_of(method, flags)} | " + " | ".join(cells) + " |", file=out)
    for name, figures in PUBLISHED:
        print(f"| {name} | " + " | ".join(f"{figures[s]:.2f}" if s in figures else "" for s in sets) + " |", file=out)


# ---- parameters given data, and cells that are missing ---------------------------------------------------------------------


def others(folder, out):
    """What bench/inference.py and bench/imputation.py left there, if they did."""
    path = os.path.join(folder, "inference.jsonl")
    if os.path.exists(path):
        print("\n## Parameters given data\n\nWritten from what `bench/inference.py` measures: the accuracy with which a classifier tells draws from those of the true posterior, by\n"
              "sbibm's test (0.5: not at all, 1: always). laminar by its defaults in a limit of time, mean over observations. The published figures are of\n"
              "sbibm's own ten observations.\n", file=out)
        inference_table(read_lines(path), out)
    path = os.path.join(folder, "imputation.jsonl")
    if os.path.exists(path):
        print("\n## Cells filled\n\nWritten from what `bench/imputation.py` measures: a fifth of the cells removed at random. NRMSE of the mean that is filled in, in standard\n"
              "deviations of the column; NLL of the truth given the rest of its row, nats a cell in standardised units.\n", file=out)
        imputation_table(read_lines(path), out)


POSTERIORS = {"two-moons": 0.61, "slcp": 0.90}  # of neural posterior estimation with 10000 simulations (Lueckmann et al. 2021)


def inference_table(lines, out):
    print("| task | simulations | seconds of one core at the most | laminar (observations) | neural posterior estimation, published |\n|---|--:|--:|--:|--:|", file=out)
    for key in sorted({(line["task"], line["simulations"], line["seconds"], line["seed"]) for line in lines}, reverse=True):
        values = [line["c2st"] for line in lines if (line["task"], line["simulations"], line["seconds"], line["seed"]) == key]
        print(f"| {key[0]} | {key[1]} | {key[2]:g} | {figure(values)} | {POSTERIORS[key[0]]:.2f} |", file=out)


FILLERS = {"laminar": "laminar, `--any-given`", "iterative": "IterativeImputer (scikit-learn)", "gaussian": "a Gaussian, by EM"}


def imputation_table(lines, out):
    sets = list(dict.fromkeys(line["set"] for line in lines))
    print("| | " + " | ".join(f"{name}, NRMSE | {name}, NLL" for name in sets) + " |\n|---|" + "--:|" * 2 * len(sets), file=out)
    for method, name in FILLERS.items():
        found = {line["set"]: line for line in lines if line["method"] == method} # the last ones
        if not found:
            continue
        cells = []
        for which in sets:
            line = found.get(which)
            name += f"; {which}: {line['processor_seconds']:.0f} processor seconds with filling by {line['draws']} draws" if line is not None and "draws" in line else ""
            cells += ["", ""] if line is None else [f"{line['nrmse']:.4f}", "" if line["nll"] is None else f"{line['nll']:.3f}"]
        print(f"| {name} | " + " | ".join(cells) + " |", file=out)


def self_test():
    assert figure([1.0]) == "1.000 (1)" and figure([1.0, 3.0]) == "2.000 +- 1.000 (2)"
    with tempfile.TemporaryDirectory() as work:
        path = os.path.join(work, "lines.jsonl")
        append(path, {"set": "yacht", "split": 0, "method": "laminar", "flags": "", "test_nll": -0.5})
        append(path, {"set": "yacht", "split": 1, "method": "laminar", "flags": "", "test_nll": -0.7, "inside_90": 0.875})
        with open(os.path.join(work, "page"), "w+") as out:
            table(read_lines(path), RANKED, out)
            coverage(read_lines(path), RANKED, out)
            coverage(read_lines(path), ["naval"], out)
            out.seek(0)
            lines = out.read().splitlines()
        append(os.path.join(work, "inference.jsonl"), {"task": "slcp", "simulations": 100, "seconds": 9, "seed": 1, "observation": 1, "c2st": 0.75})
        append(os.path.join(work, "imputation.jsonl"), {"set": "ccpp", "method": "iterative", "nrmse": 0.5, "nll": None, "processor_seconds": 3})
        append(os.path.join(work, "imputation.jsonl"), {"set": "ccpp", "method": "laminar", "nrmse": 0.25, "nll": -0.5, "processor_seconds": 7, "draws": 9})
        with open(os.path.join(work, "page"), "w+") as out:
            others(work, out)
            out.seek(0)
            told = out.read()
    assert "| slcp | 100 | 9 | 0.750 (1) | 0.90 |" in told and "7 processor seconds with filling by 9 draws | 0.2500 | -0.500 |" in told and "| 0.5000 |  |" in told
    assert len(lines) == 7 + len(PUBLISHED) and lines[-1].endswith("|  | 87.5 (1) |") and lines[2].endswith("| -0.600 +- 0.100 (2) |") and lines[2].count("|") == len(RANKED) + 2
    print("regression_page: means, errors and counts stand where they should")


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    path = sys.argv[1] if len(sys.argv) > 1 else "docs/results/regression.jsonl"
    lines = read_lines(path)
    for sets in (RANKED, SETS[len(RANKED):]):
        if sets is not RANKED:
            print()
        table(lines, sets, sys.stdout)
        coverage(lines, sets, sys.stdout)
    others(os.path.dirname(path), sys.stdout)
    return None


if __name__ == "__main__":
    main()
