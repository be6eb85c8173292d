#!/usr/bin/python3
"""laminar's defaults beside other density estimators, on the same rows, one thread, within the same processor seconds. Appends a JSON
line a fit to a file of results; bench/peers_page.py makes tables and a picture of it.

    peers.py --laminar build/laminar --data ../shared/data --zuko FOLDER [--work build/peers] [--results docs/results/peers.jsonl]
             [--sets A,B] [--methods A,B] [--budgets 60,240] [--seeds 1,2] [--laminar-flags "..."] [--list]
    peers.py --self-test

Needs Debian's python3-torch, python3-sklearn and libopenblas0-pthread, and for the flows a checkout of zuko
(github.com/probabilists/zuko), which --zuko names; without one they are left out. Run it by /usr/bin/python3.

Stop it however you like and start it again: what is in the file of results is not run again. A set's rows are split, given noise and
standardised once (`laminar fit --write-split`); all methods read the same three files. laminar gets nothing but files, seed and budget
(--laminar-flags adds to that, and such fits are kept apart); bench/peer_density.py fits the others. Each flow is fitted with three
rates, each within the whole budget; the page takes the best by validation.
"""
import argparse
import datetime
import fcntl
import json
import math
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # no __pycache__ in the tree
from same_nll import read_lines

HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLES = os.path.join(HERE, "..", "examples")

# name: file below the folder of data, how its rows are made (flags of `laminar fit`), what to say of that, why it is not ranked.
# A column of a ranked set has no value in a twentieth of the rows, and is not a count.
SETS = {
    "power_month": ("power_month/household_power_consumption.txt", ["--config", os.path.join(EXAMPLES, "power.yaml")],
                    "POWER's columns with POWER's noise", None),
    "ccpp": ("ccpp/data.txt", ["--drop-duplicates", "--noise", "1:0.01,2:0.01,3:0.01,4:0.01,5:0.01"],
             "distinct rows, with noise of their rounding, 0.01", None),
    "kin8nm": ("uci_regression/kin8nm/data.csv.gz", [], "all columns", None),
    "miniboone_head": ("miniboone_head/data.npy", ["--drop", "5"],
                       "without column 5, which is 0 in 9.6 % of the rows", None),
    "keggundirected": ("keggundirected/data.csv.gz", ["--columns", "6,13,15,19,20,21,24,25", "--drop-duplicates"],
                       "columns 6, 13, 15, 19, 20, 21, 24 and 25, those with at least half as many distinct values as there are "
                       "distinct rows (the columns left out repeat a few values or are counts); distinct rows of these", None),
    "protein": ("protein/data.txt", ["--config", os.path.join(EXAMPLES, "protein.yaml")], "distinct rows, with noise on two columns",
                "other columns are rounded"),
    "naval": ("uci_regression/naval/data.csv.gz", ["--drop", "x7,x9,x12"],
              "without two constant columns and one that equals another", "four columns have 9 to 51 distinct values"),
    "concrete": ("uci_regression/concrete/data.csv.gz", ["--drop-duplicates"], "distinct rows",
                 "four columns are 0 in up to half of the rows"),
    "wine-red": ("uci_regression/wine-red/data.csv.gz", ["--drop-duplicates"], "distinct rows",
                 "all columns are rounded, one has 6 values"),
}
RANKED = [name for name, entry in SETS.items() if entry[3] is None]
FLOWS = ("spline-autoregressive", "spline-coupling", "affine-autoregressive")
METHODS = ("laminar",) + FLOWS + ("mixture", "kernel")
RATES = (1e-3, 4e-3, 1.6e-2)
BUDGETS, LONG, LONG_SETS = (60, 240), 900, ("power_month", "ccpp", "kin8nm")
KEY = ("set", "budget", "seed", "method", "rate", "flags")


# ---- laminar -----------------------------------------------------------------------------------------------------------------


LAMINAR_BUDGET = "its budget is of the whole program, from its start to the end of its own test"


def fit_command(args, job, rows, out):
    """All that laminar is told; what its budget counts is said above, for the page."""
    return [args.laminar, "fit", f"{rows}/train.npy", "--valid", f"{rows}/valid.npy", "--test", f"{rows}/test.npy", "--out", out,
            "--overwrite", "--threads", "1", "--max-processor-seconds", f"{job['budget']:g}", "--seed", str(job["seed"]), "-q"] \
        + shlex.split(job["flags"])


def run(command):
    """What it prints, and its processor seconds."""
    before = os.times()
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    after = os.times()
    if done.returncode != 0:
        raise OSError(f"this failed: {shlex.join(command)}")
    return done.stdout, after.children_user + after.children_system - before.children_user - before.children_system


def summary_of(folder):
    """The last line of a run that says how it ended."""
    found = [line for line in read_lines(os.path.join(folder, "metrics.jsonl")) if line.get("type") == "summary"]
    if not found:
        raise OSError(f"no summary in {folder}/metrics.jsonl")
    return found[-1]


def laminar_rows_a_second(args, folder, rows):
    """Rows scored in a processor second: of two scorings, a short one and one of some seconds, what the longer one has more."""
    import numpy as np
    test = np.load(f"{rows}/test.npy")
    times, spent, sizes = 1, [], []
    with tempfile.TemporaryDirectory() as work:
        while not spent or spent[-1] - spent[0] < 2 and sizes[-1] < 1 << 21:
            path = os.path.join(work, "rows.npy")
            np.save(path, np.tile(test, (times, 1)))
            spent.append(run([args.laminar, "score", folder, path, "-o", os.path.join(work, "scores.npy"), "--threads", "1"])[1])
            sizes.append(len(test) * times)
            times *= 4
    return (sizes[-1] - sizes[0]) / (spent[-1] - spent[0])


def fit_laminar(args, job, rows):
    import numpy as np
    folder = os.path.join(args.work, "runs", f"{job['set']}-{job['budget']:g}-s{job['seed']}")
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    spent = run(fit_command(args, job, rows, folder))[1]
    scores = os.path.join(folder, "scores.npy")
    run([args.laminar, "score", folder, f"{rows}/test.npy", "-o", scores, "--threads", "1"])
    log_p, summary = np.load(scores), summary_of(folder)
    parameters = re.search(r"^parameters +(\d+)$", run([args.laminar, "info", folder])[0], re.M)
    return {"processor_seconds": spent, "training_processor_seconds": summary["train_cpu_seconds"],
            "test_nll": -float(log_p.mean()), "test_se": float(log_p.std(ddof=1) / math.sqrt(len(log_p))),
            "val_nll": summary["best_val_nll"] - summary["log_det"], "iterations": summary["iterations"],
            "parameters": int(parameters[1]) * summary.get("flows", 1), "rows_a_second": laminar_rows_a_second(args, folder, rows), "choice": "",
            "versions": {"laminar": laminar_version(args)}}


def laminar_version(args):
    """The program's, and the commit of the tree that it lies in."""
    version = run([args.laminar, "--version"])[0].split()[-1]
    commit = subprocess.run(["git", "-C", os.path.dirname(args.laminar), "rev-parse", "--short", "HEAD"], stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True).stdout.strip()
    return f"{version} {commit}".strip()


# ---- the others --------------------------------------------------------------------------------------------------------------


def fit_peer(args, job, rows):
    command = [sys.executable, "-W", "ignore", os.path.join(HERE, "peer_density.py"), rows, job["method"],
               "--seconds", f"{job['budget']:g}", "--seed", str(job["seed"])]
    if job["method"] in FLOWS:
        command += ["--zuko", args.zuko, "--rate", f"{job['rate']:g}"]
    return json.loads(run(command)[0].splitlines()[-1])


# ---- files -------------------------------------------------------------------------------------------------------------------


def append(path, line):
    """A line of its own, also after one that was cut short."""
    with open(path, "a+b") as stream:
        stream.seek(0, os.SEEK_END)
        if stream.tell() > 0:
            stream.seek(-1, os.SEEK_END)
            if stream.read(1) != b"\n":
                stream.write(b"\n")
        stream.write(json.dumps(line).encode() + b"\n")


def split_of(args, name):
    """The folder of the set's three files, and what tells its rows from others, but for the last digits of how they are scaled."""
    import numpy as np
    folder = os.path.join(args.work, "splits", name)
    paths = [os.path.join(folder, part + ".npy") for part in ("train", "valid", "test")]
    if not os.path.exists(paths[-1]):  # the last one that is written
        file, flags = SETS[name][:2]
        os.makedirs(os.path.dirname(folder), exist_ok=True)
        run([args.laminar, "fit", os.path.join(args.data, file), "--quiet", "--seed", "0", "--split-seed", "0", "--write-split", folder]
            + flags)
    parts = [np.load(path) for path in paths]
    rows = "+".join(str(len(part)) for part in parts)
    return folder, f"{rows} x {parts[0].shape[1]}, " + ", ".join(f"{np.abs(part).sum():.6g}" for part in parts)


def machine():
    model = re.search(r"^model name\s*: (.*)$", open("/proc/cpuinfo").read(), re.M)
    return f"{model[1] if model else os.uname().machine}{' with AVX-512' if 'avx512f' in open('/proc/cpuinfo').read() else ''}, " \
        f"{os.cpu_count()} processors"


# ---- the plan ----------------------------------------------------------------------------------------------------------------


def every_job(flags=""):
    """In the order of what is wanted first: ranked sets before others, seed by seed, short budgets before long ones."""
    jobs = []
    for name in SETS:
        for budget in BUDGETS + ((LONG,) if name in LONG_SETS else ()):
            for seed in (1, 2):
                for method in METHODS:
                    for rate in RATES if method in FLOWS else (None,):
                        jobs.append({"set": name, "budget": budget, "seed": seed, "method": method, "rate": rate,
                                     "flags": flags if method == "laminar" else ""})
    return sorted(jobs, key=lambda job: (job["budget"] == LONG, job["set"] not in RANKED, job["seed"], job["budget"]))


def key_of(job):
    return tuple(job[name] for name in KEY)


def wanted(args, done):
    """The jobs that are asked for and not done yet."""
    seen = {key_of(line) for line in done}
    return [job for job in every_job(args.laminar_flags) if key_of(job) not in seen
            and (args.zuko or job["method"] not in FLOWS)
            and all(allowed is None or str(job[name]) in allowed.split(",")
                    for name, allowed in (("set", args.sets), ("method", args.methods), ("budget", args.budgets), ("seed", args.seeds)))]


def name_of(job):
    rate = f" at rate {job['rate']:g}" if job["rate"] else ""
    return f"{job['set']}, {job['budget']} s, seed {job['seed']}: {job['method']}{rate}{' ' + job['flags'] if job['flags'] else ''}"


def measure(args, job):
    rows, split = split_of(args, job["set"])
    other = {line["split"] for line in read_lines(args.results) if line["set"] == job["set"]} - {split}
    if other:
        raise SystemExit(f"peers: {args.results} has results of other rows of {job['set']} ({other.pop()}; here {split}): "
                         "measure into another file, or with the split that it began with")
    loads, start = [os.getloadavg()[0]], time.time()
    figures = fit_laminar(args, job, rows) if job["method"] == "laminar" else fit_peer(args, job, rows)
    loads.append(os.getloadavg()[0])
    return dict(job, **figures, split=split, load=round(max(loads), 2), wall_seconds=round(time.time() - start, 1), machine=machine(),
                date=datetime.datetime.now(datetime.timezone.utc).date().isoformat())


def measure_all(args, program, jobs, measure, name_of, figure):
    """Measures the jobs that are not done yet, a line of args.results each; figure(line) is what is printed of it."""
    os.makedirs(args.work, exist_ok=True)
    lock = open(os.path.join(args.work, "lock"), "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise SystemExit(f"{program}: another one measures in {args.work}; wait for it, or name another --work") from None
    failed, jobs = 0, jobs(args, read_lines(args.results))
    for n, job in enumerate(jobs, 1):
        try:
            line = measure(args, job)
        except (OSError, ValueError, KeyError, IndexError) as error:
            failed += 1
            print(f"{n} of {len(jobs)}  {name_of(job)}: {error}", flush=True)
            continue
        append(args.results, line)
        print(f"{n} of {len(jobs)}  {name_of(job)}: test NLL {figure(line)}, {line['processor_seconds']:.0f} s  {line['choice']}", flush=True)
    if failed:
        raise SystemExit(f"{program}: {failed} of {len(jobs)} fits failed; the same command tries them again")


# ---- self-test ---------------------------------------------------------------------------------------------------------------


def self_test(parser):
    args = parser.parse_args(["--laminar", "laminar", "--zuko", "zuko"])
    jobs = wanted(args, [])
    first = jobs[0]
    a_set = len(METHODS) - len(FLOWS) + len(FLOWS) * len(RATES)
    assert len(jobs) == a_set * 2 * (len(SETS) * len(BUDGETS) + len(LONG_SETS))
    assert first["budget"] == 60 and first["seed"] == 1 and first["set"] == "power_month" and jobs[-1]["budget"] == LONG
    short = len(RANKED) * a_set * 2 * len(BUDGETS)
    assert all(job["set"] in RANKED for job in jobs[:short])
    assert not any(job["set"] in RANKED for job in jobs[short:len(SETS) * a_set * 2 * len(BUDGETS)])
    assert jobs[a_set * len(RANKED) - 1]["budget"] == 60 and jobs[a_set * len(RANKED)]["budget"] == 240
    with tempfile.TemporaryDirectory() as work:
        path = os.path.join(work, "results.jsonl")
        append(path, dict(first, test_nll=1.0))
        with open(path, "a") as stream:
            stream.write('{"set": "ccpp", "bud')  # a kill
        append(path, dict(jobs[1], test_nll=2.0))
        done = read_lines(path)
        assert [line["test_nll"] for line in done] == [1.0, 2.0]
        assert wanted(args, done) == jobs[2:]
    args = parser.parse_args(["--sets", "ccpp", "--methods", "laminar,mixture", "--budgets", "60", "--laminar-flags=--optimizer adam"])
    few = wanted(args, done)
    assert [(job["method"], job["seed"], job["flags"]) for job in few] == [("laminar", 1, "--optimizer adam"), ("mixture", 1, ""),
                                                                          ("laminar", 2, "--optimizer adam"), ("mixture", 2, "")]
    command = fit_command(args, few[0], "rows", "out")
    assert command[1:3] == ["fit", "rows/train.npy"] and command[-2:] == ["--optimizer", "adam"] and "60" in command
    assert not [job for job in wanted(args, []) if job["method"] in FLOWS]  # there is no zuko
    print("peers: the plan, what is done already and laminar's command are as they should be")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--laminar", default="build/laminar")
    parser.add_argument("--data", default="../shared/data", help="folder of the sets")
    parser.add_argument("--zuko", help="folder of a checkout of zuko")
    parser.add_argument("--work", default="build/peers", help="splits, laminar's runs, a lock")
    parser.add_argument("--results", default="docs/results/peers.jsonl")
    for name in ("sets", "methods", "budgets", "seeds"):
        parser.add_argument("--" + name, help="names or numbers, separated by commas; all")
    parser.add_argument("--laminar-flags", default="", help="of laminar's fits, beside files, seed and budget")
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
    return measure_all(args, "peers", wanted, measure, name_of, lambda line: f"{line['test_nll']:.4f} +- {line['test_se']:.4f}")


if __name__ == "__main__":
    main()
