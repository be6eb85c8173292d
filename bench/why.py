#!/usr/bin/python3
"""Why a flow takes the evaluations of f that it takes: docs/why-calls.md and its pictures, from fits.

    why.py --laminar build/laminar --work FOLDER/ [--data ../shared/data] [--sets power_month,ccpp,checkerboard]
    why.py ... --finished                                      takes the fits that are there, and makes no more
    why.py --laminar build/laminar --small                     a toy alone, small, in seconds: no page
    why.py --page                                              the page again, from docs/results/why.json
    why.py --self-test

Fits each set in several ways (a hundred processor seconds each on power_month, less on the others; FOLDER/ keeps the fits, and those that are
there are not made again), draws their steps with `laminar plot --steps` and keeps what it prints in docs/results/why.json. No number
of the page is typed here. What was measured with a changed controller is in docs/results/why-controller.json: see there.
"""
import argparse
import csv
import json
import math
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # no __pycache__ in the tree

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
KEPT = os.path.join(ROOT, "docs", "results", "why.json")
CONTROLLER = os.path.join(ROOT, "docs", "results", "why-controller.json")
PAGE = os.path.join(ROOT, "docs", "why-calls.md")
COMMON = ("--threads 1 --optimizer soap --lr 0.01 --schedule cosine --warm-start flow-matching:2000 --warm-start-pairing minibatch --val-freq 20 "
          "--early-stopping 1000 --seed 1 --quiet").split()
SEES_L = "--tpr-coefficient 50 --tpr-l-weight 1"
WAYS = {  # folder: what the page calls it, flags of fit
    "plain": ("no penalty", "--map none --tpr-coefficient 0"),
    "tpr": ("published TPR", "--map none --tpr"),
    "tpr_l": ("TPR that sees l", f"--map none {SEES_L}"),
    "map": ("maps", "--map normal-scores --tpr-coefficient 0"),
    "map_tpr_l": ("maps, TPR that sees l", f"--map normal-scores {SEES_L}"),
    "calls7": ("maps, TPR that sees l, `--calls 7`", f"--map normal-scores {SEES_L} --calls 7"),
}
DRAWN = ("plain", "tpr", "map_tpr_l", "calls7")
SETS = {  # file below --data or a toy, flags of its fits, of reading it again, processor seconds, ways
    "power_month": ("power_month/household_power_consumption.txt", ["--config", os.path.join(ROOT, "examples", "power.yaml")],
                    ["--drop-bad-rows"], 100, tuple(WAYS)),
    "ccpp": ("ccpp/data.txt", "--drop-duplicates --noise 1:0.01,2:0.01,3:0.01,4:0.01,5:0.01 --dims 60-60-60 --blocks 3 --batch-size 500".split(), [], 60, tuple(WAYS)),
    "checkerboard": ("toy:checkerboard", [], [], 12, DRAWN),
}
PROBED = "power_month"  # whose free steps are drawn
SMALL = ("--dims 16-16 --blocks 2 --warm-start none --iterations 60 --val-freq 30 --batch-size 200 --lr 0.01 --threads 1 --quiet").split()
TOLERANCES = (1e-3, 1e-4, 1e-5, 1e-6)


# ---- what is measured ----------------------------------------------------------------------------------------------------

def run(laminar, *words):
    done = subprocess.run([laminar, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"why: this failed: laminar {' '.join(words)}\n{done.stderr}")
    return done.stdout


def read_steps(text):
    """What `laminar plot --steps` prints, a model after the other: [{name, calls, blocks}]."""
    models = []
    for line in text.splitlines():
        head = re.match(r"(\S.*?): .* as one batch, (\d+) evaluations of f$", line)
        cells = line.split("  ")
        if head:
            models.append({"name": head[1], "calls": int(head[2]), "blocks": []})
        elif models and re.match(r"\d+ ", line):
            cells = re.split(r"\s{2,}", line.strip())
            steps, rejected = cells[1].split(" + ")
            shortest, longest = cells[2].split(" to ")
            z, l, error_z, error_l = map(float, cells[3:7])
            models[-1]["blocks"].append({"steps": int(steps), "rejected": int(rejected), "shortest": float(shortest), "longest": float(longest),
                                         "allowed_z": z, "allowed_l": l, "error_z": error_z, "error_l": error_l, "l_above": int(cells[7])})
    return models


def read_metrics(path):
    """What training took at its end (the mean of the last quarter of the lines), and the test."""
    lines = [json.loads(line) for line in open(path)]
    train = [line for line in lines if line["type"] == "train"]
    last = train[-max(1, len(train) // 4):]
    summary = [line for line in lines if line["type"] == "summary"][-1]
    mean = {key: sum(line[key] for line in last) / len(last) for key in ("forward", "backward", "rejected")}
    return {**mean, **{key: summary[key] for key in ("test_nll", "test_nll_se", "iterations")}}


def is_finished(folder):
    path = os.path.join(folder, "metrics.jsonl")
    return os.path.exists(path) and any('"finished":true' in line for line in open(path))


def read_scores(path):
    return [float(row[0]) for row in list(csv.reader(open(path)))[1:]]


def fit(args, name, small):
    """Fits of a set that are not there yet."""
    file, flags, _, seconds, ways = SETS[name]
    data = file if file.startswith("toy:") else os.path.join(args.data, file)
    limits = SMALL if small else [*COMMON, "--max-processor-seconds", str(seconds)]
    for way in WAYS if small else ways:
        out = os.path.join(args.work, name, way)
        if not is_finished(out) and not args.finished:
            os.makedirs(os.path.dirname(out), exist_ok=True)
            print(f"fitting {name}, {way}", file=sys.stderr)
            run(args.laminar, "fit", data, *flags, *limits, *WAYS[way][1].split(), "--overwrite", "--out", out)
    return data


def tolerances(args, name, data, way, folder):
    """Evaluations of f and the error of log p by tolerance, on test rows; the reference is a solve in double at 1e-9."""
    model, rows, out = (os.path.join(*parts) for parts in ((args.work, name, way), (folder, name), (folder, "out.csv")))
    if not os.path.exists(rows):
        run(args.laminar, "fit", data, *SETS[name][1], "--quiet", "--write-split", rows)

    def score(tolerance, *more):
        words = ("--standardised", "--atol", str(tolerance), "--rtol", str(tolerance), "--threads", "1", "-o", out)
        text = run(args.laminar, "score", model, os.path.join(rows, "test.npy"), *words, *more)
        return float(re.search(r"per batch ([\d.]+)", text)[1]), read_scores(out)

    _, reference = score(1e-9, "--double")
    found = []
    for tolerance in TOLERANCES:
        calls, logp = score(tolerance)
        found.append([tolerance, calls, math.sqrt(sum((a - b) ** 2 for a, b in zip(logp, reference)) / len(logp))])
    return found


def tune(args, name, data, way, folder):
    """The cheapest setting of each solver that keeps log p within 0.01 nats (rms and 99th percentile) on the fit's validation rows, with
    tolerances and with even steps: {solver: {kind: [cost in evaluations with the trace, setting, rms]}}."""
    text = run(args.laminar, "tune", os.path.join(args.work, name, way), data, *SETS[name][2], "--error", "0.01", "--all", "--threads", "1", "-o",
               os.path.join(folder, "tuned.safetensors"))
    best = {}
    text = text[text.index("validation rows"):text.index("test rows")]
    for line in text.splitlines():
        found = re.match(r"[\s*]*(?:before: |chosen: )?(\w+), (.*?)\s{2,}([\d.]+)\s+[\d.]+\s+[\d.]+\s+([\d.e+-]+)\s+([\d.e+-]+)\s", line)
        if not found or float(found[4]) > 0.01 or float(found[5]) > 0.01:
            continue
        kind = "even steps" if "even" in found[2] else "tolerance"
        here = best.setdefault(found[1], {})
        if kind not in here or float(found[3]) < here[kind][0]:
            here[kind] = [float(found[3]), found[2], float(found[4])]
    return best


def measure(args):
    found = {"laminar": run(args.laminar, "--version").split()[1], "sets": {}}
    if os.path.exists(KEPT):
        found["sets"] = json.load(open(KEPT))["sets"]
    for name in args.sets.split(","):
        data = fit(args, name, False)
        rows = data + ":10000:7" if data.startswith("toy:") else data

        def steps(ways, picture, *more):
            models = [os.path.join(args.work, name, way) for way in ways]
            return read_steps(run(args.laminar, "plot", *models, "--data", rows, *SETS[name][2], "--steps", *more, "-o", picture))

        where = os.path.join(ROOT, "docs", "results", f"why-{name}")
        ways = [way for way in SETS[name][4] if is_finished(os.path.join(args.work, name, way))]
        drawn = [way for way in DRAWN if way in ways]
        here = found["sets"][name] = {"ways": {}, "tolerances": {}, "tune": {}}
        with tempfile.TemporaryDirectory() as folder:
            all_ways = steps(ways, os.path.join(folder, "all.svg"))
            steps(drawn, where + ".svg")
            here["probe"] = steps((drawn[0], drawn[-1]), where + "-probe.svg" if name == PROBED else os.path.join(folder, "probe.svg"), "--probe")
            for way, model in zip(ways, all_ways):
                here["ways"][way] = {**model, **read_metrics(os.path.join(args.work, name, way, "metrics.jsonl"))}
            for way in ("plain", "map_tpr_l"):
                here["tolerances"][way] = tolerances(args, name, data, way, folder)
                here["tune"][way] = tune(args, name, data, way, folder)
        json.dump(found, open(KEPT, "w"), indent=1)


def small(args):
    """The way from fits to tables and, where the program can draw, pictures, on a toy."""
    data = fit(args, "checkerboard", True)
    models = [os.path.join(args.work, "checkerboard", way) for way in WAYS]
    picture = os.path.join(args.work, "steps.svg")
    found = read_steps(run(args.laminar, "plot", *models, "--data", data, "--steps", "-o", picture))
    assert [model["name"] for model in found] == list(WAYS), found
    for model in found:
        assert model["calls"] == sum(6 * (b["steps"] + b["rejected"]) + 1 for b in model["blocks"]), model
    metrics = read_metrics(os.path.join(models[0], "metrics.jsonl"))
    assert metrics["iterations"] == 60, metrics
    assert os.path.getsize(picture) > 1000
    print(f"why: {len(found)} fits of a toy, and their steps in a picture")


# ---- the page ------------------------------------------------------------------------------------------------------------

def paragraph(*parts):
    import textwrap
    return textwrap.fill(" ".join(parts), 140, break_long_words=False, break_on_hyphens=False) + "\n\n"


def table(heads, rows, left=1):
    lines = ["| " + " | ".join(heads) + " |", "|" + "|".join("---" if i < left else "--:" for i in range(len(heads))) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n\n"


def alone(way, key):
    """Evaluations of f if this error alone set even steps, a block's shortest allowed step all along it. Every block lasts 1."""
    return sum(6 * math.ceil(1 / block[key] - 1e-9) + 1 for block in way["blocks"])


def share_of_l(way):
    return sum(b["l_above"] for b in way["blocks"]) / sum(b["steps"] for b in way["blocks"])


def mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def allowed(way, key):
    """The geometric mean over the blocks of the shortest step that an error allows."""
    return mean([min(block[key], 1e3) for block in way["blocks"]])


def write_short(found):
    ways = [w for here in found["sets"].values() for w in here["ways"].values()]
    steps = sum(b["steps"] for w in ways for b in w["blocks"])
    above = sum(b["l_above"] for w in ways for b in w["blocks"])
    text = "## In short\n\n"
    text += paragraph(f"**The log-density sets the steps.** In {above} of the {steps} steps of the {len(ways)} fits below the error of l is larger than that "
                      "of z. So paths that are straight in z alone do not make steps long: l is the integral of a trace of derivatives of f, which may "
                      "still vary along a straight path.")
    cells = []
    for name, here in found["sets"].items():
        for way in ("plain", "tpr", "tpr_l", "map_tpr_l"):
            if way in here["ways"]:
                w = here["ways"][way]
                cells.append([name, f"{way}: {WAYS[way][0]}", f"{allowed(w, 'allowed_z'):.2f}", f"{allowed(w, 'allowed_l'):.2f}", str(w["calls"])])
    text += paragraph("**Published TPR pulls on z, and l follows only as far as it happens to.** The shortest step of a block that each error would allow, "
                      "geometric means over the blocks (each lasts 1), says how far:")
    text += table(["data", "fit", "z allows", "l allows", "calls to score"], cells, 2)
    text += paragraph("The penalty that sees l lengthens what l allows, which is what counts. With `--calls 7` its coefficient follows the count, towards "
                      "one step a block. No controller does as much: see the end of this page.")
    return text


def set_table(ways):
    rows = []
    for way, (title, _) in WAYS.items():
        if way in ways:
            w = ways[way]
            rows.append([f"{way}: {title}", f"{w['test_nll']:.3f} ± {w['test_nll_se']:.3f}", str(w["iterations"]), f"{w['forward']:.0f} + {w['backward']:.0f}",
                         str(w["calls"]), ", ".join(str(b["steps"]) for b in w["blocks"]), f"{100 * share_of_l(w):.0f} %",
                         str(alone(w, "allowed_z")), str(alone(w, "allowed_l"))])
    return table(["fit", "test NLL", "iterations", "calls an iteration", "calls to score", "steps by block", "steps where l's error is the larger",
                  "calls if z's error decided", "if l's did"], rows)


def write_sets(found):
    text = ""
    for name, here in found["sets"].items():
        plain = here["ways"]["plain"]
        text += f"## {name}\n\n![steps on {name}](results/why-{name}.svg)\n\n" + set_table(here["ways"])
        shares = [share_of_l(w) for w in here["ways"].values()]
        low = min(shares)
        text += paragraph(
            "In every step of every fit the error of l is the larger one: l decides, z never does." if low == 1 else
            f"The error of l is the larger one in {100 * low:.0f} to {100 * max(shares):.0f} % of the steps.",
            f"If the error of z alone set the steps, the plain fit would be scored with {alone(plain, 'allowed_z')} calls in place of {plain['calls']}.",
            "Calls to score, as a share of the plain fit's: " + ", ".join(f"{WAYS[way][0]} {w['calls'] / plain['calls']:.2f}" for way, w in here["ways"].items()
                                                                             if way != "plain") + ".",
            *(f"The test NLL of {WAYS[way][0]} rests on a few rows far out, as its standard error says." for way, w in here["ways"].items()
              if w["test_nll_se"] > 3 * plain["test_nll_se"]))
    return text


def write_free(found):
    """The controller's own choice, from a probed first step."""
    rows = []
    for name, here in found["sets"].items():
        for model in here["probe"]:
            warm = here["ways"][model["name"]]
            rows.append([name, WAYS[model["name"]][0], str(warm["calls"]), str(model["calls"]), str(sum(b["rejected"] for b in model["blocks"])),
                         f"{min(b['shortest'] for b in model['blocks']):.3f} to {max(b['longest'] for b in model['blocks']):.3f}"])
    return table(["data", "fit", "calls, even steps", "calls, free steps", "of them rejected steps", "lengths of free steps"], rows, 2)


def write_tolerances(found):
    rows = []
    for name, here in found["sets"].items():
        for way, lines in here["tolerances"].items():
            rows.append([name, WAYS[way][0], *(f"{calls:.0f} ({rms:.0e})" for _, calls, rms in lines)])
    return table(["data", "fit", *(f"{t:.0e}" for t in TOLERANCES)], rows, 2)


def say_solvers(found):
    said = []
    for name, here in found["sets"].items():
        for way, best in here["tune"].items():
            calls, solver = min((kind[0], solver) for solver, kinds in best.items() for kind in kinds.values())
            said.append(f"{solver} on {name} with {WAYS[way][0]} ({calls / here['ways'][way]['calls']:.2f})")
    return paragraph("The cheapest, in brackets the share of the cost of dopri5 at 1e-5, are " + "; ".join(said) + ". No solver and no tolerance is the cheapest everywhere; `laminar tune` finds a model's own.")


def write_solvers(found):
    rows = []
    for name, here in found["sets"].items():
        for way, best in here["tune"].items():
            for solver, kinds in sorted(best.items(), key=lambda item: min(kind[0] for kind in item[1].values())):
                cell = lambda kind: f"{kinds[kind][0]:.0f} ({kinds[kind][1]})" if kind in kinds else "-"
                rows.append([name, WAYS[way][0], solver, cell("even steps"), cell("tolerance")])
    return table(["data", "fit", "solver", "cost, even steps", "cost, error control"], rows, 3)


HEAD = """# Why a flow takes the evaluations that it takes

Written by `bench/why.py` from fits ({laminar}) whose numbers are in `docs/results/why.json`; no number here is typed. One seed, one thread.

A call is an evaluation of f on a batch in one block. dopri5 takes 6 calls a step, rejected ones included, and one more a block,
so steps are what the calls count. A step may be as long as the larger of two errors allows: that of the states z, and that of the log-density l
([method.md](method.md), 5). The upper panels show the steps that the solver takes in scoring 1000 rows at 1e-5, and the longest steps that
each of the two errors would allow; the lower panels show the errors, where 1 is what the tolerances allow. Steps within a block are
even, because the solver remembers the shortest step that a block needs (a warm first step) and takes as many even ones. Draw the same for a
fit of your own:

```sh
laminar fit toy:pinwheel --tpr-coefficient 0 --map none --dims 32-32 --iterations 100 --quiet --out plain/
laminar fit toy:pinwheel --dims 32-32 --iterations 100 --calls 7 --quiet --out calls/
laminar plot plain/ calls/ --data toy:pinwheel:1000:7 --steps -o steps.svg
```

In the tables, "calls an iteration" are forward + backward at 1e-4, the mean of the last quarter of training. "Calls to score" are those of one
batch at 1e-5. "Calls if z's error decided" are those of as many even steps as the shortest step asks for that this error allows in each
block; so the last column is near the calls to score, whose steps were remembered from other rows. Rows of the files are scored as they are, without
the noise that some fits add to columns; test NLLs, in standardised units, are those of the fits.

"""


def page():
    found = json.load(open(KEPT))
    text = HEAD.format(laminar="laminar " + found["laminar"]) + write_short(found) + write_sets(found)
    text += f"## The controller's own steps\n\n![free steps on {PROBED}](results/why-{PROBED}-probe.svg)\n\n"
    text += paragraph("The same fits where the controller chooses every step, from a probed first one (`--probe`): a timid first step, steps that grow and "
                      "shrink with the errors, and a rest at the end of each block.") + write_free(found)
    text += "## Tolerances\n\n" + paragraph("Calls to score a batch, and in brackets the root mean square error of log p in nats against a solve in double at "
                                            "1e-9, by tolerance (atol and rtol). With a method of order 5 a tenth of the tolerance "
                                            "costs 10^(1/5) = 1.58 times the steps.") + write_tolerances(found)
    text += "## Which solver at which tolerance\n\n" + paragraph(
        "`laminar tune --error 0.01 --all`: of each solver the cheapest setting that keeps log p within 0.01 nats (root mean square and 99th percentile) "
        "on validation rows, with even steps and with error control. \"-\": none.") + write_solvers(found) + say_solvers(found)
    if os.path.exists(CONTROLLER):
        text += write_controller(json.load(open(CONTROLLER)))
    open(PAGE, "w").write(text.rstrip("\n") + "\n")


CONTROLLERS = """A step's error ratio is r, q is 5 for dopri5. Today's controller is I: h' = 0.9 h r^(-1/q), never shorter after an accepted step, at most ten
times as long. The others also see the ratio s of the accepted step before, and after a rejection all are I:

    h' = 0.9^(a + b) h r^(-a/q) s^(-b/q)

dopri5's PI of Hairer and Wanner has a = 0.85, b = -0.2 (beta = 0.04); Gustafsson's and Soederlind's PI 0.7/-0.4 and 0.6/-0.2 are named by
these; H211PI has 1/6 and 1/6; H211b with b = 4 has 1/4 and 1/4 and divides by the fourth root of the last factor as well. The power of 0.9 makes all
of them aim at the same ratio. They were tried in a copy of `src/ode/controller.c` that is not in the tree, as none of them paid in the steps
that are taken by default; the figures are in `docs/results/why-controller.json`.

"""


def write_scores(kept):
    """Of probed steps: what warm ones come to is a sentence (say_scores)."""
    sets = list(dict.fromkeys(line["set"] for line in kept["score"]))
    rows = []
    for variant in dict.fromkeys(line["variant"] for line in kept["score"]):
        lines = [line for line in kept["score"] if line["variant"] == variant and line["first"] == "probe"]
        cells = [f"{mean([line['ratio'] for line in lines if line['set'] == name]):.3f}" for name in sets]
        rows.append([variant, *cells, f"{mean([line['ratio'] for line in lines]):.3f}"])
    return table(["controller, probed steps", *sets, "all"], rows)


def say_scores(kept):
    ratios = {}
    for line in kept["score"]:
        if line["variant"] != "I":
            ratios.setdefault((line["first"], line["variant"]), []).append(line["ratio"])
    best = min((mean(values), variant, values) for (first, variant), values in ratios.items() if first == "probe")
    warm = [ratio for (first, _), values in ratios.items() if first == "warm" for ratio in values]
    text = (f"Where the controller chooses every step, the best in the mean is {best[1]} with {best[0]:.3f} of I's calls; by set and fit it comes to "
            f"{min(best[2]):.2f} to {max(best[2]):.2f}, because a step more or less in a block is 6 calls.")
    off = max(abs(ratio - 1) for ratio in warm)
    return paragraph(text, "With warm even steps, which everything but the first solve takes, a controller acts only after a rejected step (h* is the fit's): of "
                     f"{len(warm)} such scores " + ("all take I's calls." if off < 0.0005 else f"all are within {100 * off:.1f} % of I's calls."), "So I stays, with its safety and growth.")


def say_training(kept):
    plain = next(line for line in kept["train"] if line["variant"] == "I")
    steps = (plain["forward"] - 3) / 6  # one call more for each of ccpp's three blocks
    share = {line["variant"]: (line["forward"] + line["backward"]) / (plain["forward"] + plain["backward"]) for line in kept["train"]}
    warm = [value for variant, value in share.items() if "warm" not in variant and "probed" not in variant and variant != "I"]
    probed = [value for variant, value in share.items() if "probed" in variant]
    return paragraph(f"I rejects {100 * plain['rejected'] / steps:.1f} % of its attempts in training: there is next to nothing for another controller to act on. "
                     f"The others have {min(warm):.2f} to {max(warm):.2f} of I's calls because the copy formed h* with each controller's own safety factor "
                     "too, 0.9^(a + b): one nearer to 1 plans fewer steps and has more of them rejected, as a looser tolerance would.",
                     f"Where every solve probes its first step, it is {min(probed):.2f} to {max(probed):.2f}." if probed else "")


def say_graded(kept):
    shares = {}
    for line in kept["graded"]:
        shares.setdefault((line["set"], line["way"]), []).append(line["ratio"])
    text = ", ".join(f"{mean(values):.2f} on {name} with {WAYS[way][0]}" for (name, way), values in shares.items())
    return paragraph(f"Calls at the same error, geometric means over the tolerances above: {text}. Uneven steps gain where the allowed step varies much along "
                     "a block, most of all without penalty. The ends of the steps would have to be kept in checkpoints and model files, which the copy "
                     "did not; this is not in the tree.")


def say_loose(kept):
    by = {}
    for line in kept["loose"]:
        by.setdefault(line["seed"], {})[line["variant"]] = line
    pairs = [lines for lines in by.values() if len(lines) == 3]
    if not pairs:
        return ""
    names = [line["variant"] for line in pairs[0].values()]
    said = []
    for name in names[1:]:
        calls = mean([lines[name]["calls"] / lines[names[0]]["calls"] for lines in pairs])
        nats = sum(lines[name]["test_nll"] - lines[names[0]]["test_nll"] for lines in pairs) / len(pairs)
        said.append(f"{name}: {calls:.2f} of the calls, test NLL {nats:+.3f}")
    return paragraph(f"Beside 1e-4 throughout, means over {len(pairs)} seeds: " + "; ".join(said) + " nats. The looser tolerance from start to end, which "
                     "`--atol` and `--rtol` already set, saves more than the schedule, so there is no schedule.")


def write_training(kept):
    rows = []
    for line in kept["train"]:
        rows.append([line["set"], line["variant"], str(line["seed"]), f"{line['forward']:.1f} + {line['backward']:.1f}", f"{line['rejected']:.2f}",
                     f"{line['test_nll']:.3f} ± {line['test_nll_se']:.3f}"])
    return table(["data", "training", "seed", "calls an iteration", "rejected steps an iteration", "test NLL"], rows, 3)


def write_graded(kept):
    rows = [[line["set"], WAYS[line["way"]][0], f"{line['tolerance']:.0e}", f"{line['even'][0]:.0f} ({line['even'][1]:.0e})",
             f"{line['graded'][0]:.0f} ({line['graded'][1]:.0e})", f"{line['ratio']:.2f}"] for line in kept["graded"]]
    return table(["data", "fit", "tolerance", "even steps", "uneven steps", "calls at the same error"], rows, 3)


def write_loose(kept):
    rows = []
    for line in kept["loose"]:
        rows.append([line["set"], str(line["seed"]), line["variant"], f"{line['calls']:.0f}", f"{line['test_nll']:.3f} ± {line['test_nll_se']:.3f}"])
    return table(["data", "seed", "training", "calls of all iterations", "test NLL"], rows, 3)


def write_controller(kept):
    text = "## Another controller\n\n" + CONTROLLERS
    text += paragraph("Calls to score a batch of test rows for the same actual error of log p (root mean square), as a share of I's: geometric means over "
                      f"{kept['models']} and over the errors that I has at tolerances of 3e-4, 1e-4, 3e-5 and 1e-5, interpolated between six tolerances.")
    text += write_scores(kept) + say_scores(kept)
    text += paragraph("Training without penalty and map, steps by 1e-4, the same number of iterations in all rows of a set.") + write_training(kept)
    text += say_training(kept)
    text += "## Uneven warm steps\n\n" + paragraph(
        "The pictures show that the longest allowed step varies along a block, and even steps are all as short as the shortest. So a solve could "
        "remember where its steps should end: as many steps as the sum of h / allowed, each with the same share of it. A copy of the controller did "
        "so, batch after batch. In brackets the root mean square error of log p.") + write_graded(kept) + say_graded(kept)
    text += "## A loose tolerance early\n\n" + paragraph(
        "A tolerance of 1e-3 in the first half of the iterations and 1e-4 in the second, beside 1e-4 and 1e-3 throughout; everything else is that of the "
        "training above. Tests are at 1e-5.") + write_loose(kept) + say_loose(kept)
    return text


# ---- the program ---------------------------------------------------------------------------------------------------------

PRINTED = """plain: dopri5, atol 1e-05, rtol 1e-05, exact trace; 1000 rows as one batch, 50 evaluations of f

block  steps + rejected   step lengths  z allows  l allows  error of z  error of l  l above z
1                 5 + 1  0.05 to 0.305     0.375     0.255       0.097       0.429          5
2                 2 + 0     0.5 to 0.5       inf       0.6           0       0.016          1

calls 7: dopri5, atol 1e-05, rtol 1e-05, exact trace; 1000 rows as one batch, 7 evaluations of f

block  steps + rejected  step lengths  z allows  l allows  error of z  error of l  l above z
1                 1 + 0        1 to 1      1.38      1.13       0.119       0.323          1

steps.svg: length and errors of each step.
"""


def self_test():
    plain, calls = read_steps(PRINTED)
    assert (plain["name"], plain["calls"], calls["name"], calls["calls"], len(plain["blocks"])) == ("plain", 50, "calls 7", 7, 2)
    assert plain["blocks"][0] == {"steps": 5, "rejected": 1, "shortest": 0.05, "longest": 0.305, "allowed_z": 0.375, "allowed_l": 0.255,
                                  "error_z": 0.097, "error_l": 0.429, "l_above": 5}
    assert alone(plain, "allowed_z") == 6 * 3 + 1 + 1 and alone(plain, "allowed_l") == 6 * 4 + 1 + 6 * 2 + 1
    assert alone(calls, "allowed_l") == 7 and share_of_l(plain) == 6 / 7
    assert paragraph("a", "b") == "a b\n\n" and table(["a", "b"], [["1", "2"]]) == "| a | b |\n|---|--:|\n| 1 | 2 |\n\n"
    if os.path.exists(KEPT):
        global PAGE
        written = open(PAGE).read()
        with tempfile.TemporaryDirectory() as folder:
            PAGE = os.path.join(folder, "page.md")
            page()
            assert open(PAGE).read() == written, "docs/why-calls.md is not what its figures make: bench/why.py --page"
    print("why: passed")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    for flag in ("--laminar", "--work"):
        parser.add_argument(flag)
    parser.add_argument("--data", default=os.path.join(ROOT, "..", "shared", "data"))
    parser.add_argument("--sets", default=",".join(SETS))
    for flag in ("--finished", "--small", "--page", "--self-test"):
        parser.add_argument(flag, action="store_true")
    args = parser.parse_args()
    if args.self_test:
        return self_test()
    if not args.page and not (args.laminar and (args.work or args.small)):
        parser.error("--laminar and --work are needed")
    if args.small:
        with tempfile.TemporaryDirectory() as args.work:
            return small(args)
    if not args.page:
        measure(args)
    return page()


if __name__ == "__main__":
    main()
