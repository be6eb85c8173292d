#!/usr/bin/python3
"""The part of docs/results.md on fits of auto-encoders, to stdout, from the runs of bench/sweep.sh; no number is typed here, and every
sentence that concludes something is chosen by the numbers. Draws its pictures with `laminar compare`.

    vae_page.py RUNS/ PICTURES/ LAMINAR        (runs/ docs/results build/laminar)

Runs are folders SET-VARIANT-sSEED: a0 and a5 go through a flow, without and with the penalty; none has no flow; muon is a0 with another
optimiser for a third of the epochs.
"""
import glob
import json
import math
import os
import re
import subprocess
import sys

from speed_page import paragraph, table

SETS = [("frey", "Frey Faces", True), ("caltech", "Caltech 101 silhouettes", False), ("mnist", "MNIST", False)]
ALPHAS = {"a0": "alpha 0", "a5": "alpha 5"}
VARIANTS = {**{variant: f"flow, {alpha}" for variant, alpha in ALPHAS.items()}, "none": "no flow", "muon": "flow, alpha 0, muon"}
LN2 = math.log(2)
# Test bounds after hundreds of epochs (Grathwohl et al. 2019, FFJORD, table 2): no flow, FFJORD; nats, Frey Faces bits a dimension.
PUBLISHED = {"frey": (4.53, 4.39), "caltech": (110.80, 104.03), "mnist": (86.55, 82.82)}


def read_run(folder):
    """A run's settings and lines; None before its first validation. A line cut short by a kill is passed over."""
    lines = []
    with open(os.path.join(folder, "metrics.jsonl")) as stream:
        for text in stream:
            try:
                lines.append(json.loads(text))
            except ValueError:
                pass
    config = dict(re.findall(r"^([a-z-]+): (.*)$", open(os.path.join(folder, "config.yaml")).read(), re.M))
    name = os.path.basename(folder)
    group, variant, seed = re.fullmatch(r"([a-z]+)-([a-z0-9]+)-s(\d+)", name).groups()
    run = {"name": name, "folder": folder, "set": group, "variant": variant, "seed": int(seed), "config": config,
           "train": [x for x in lines if x["type"] == "train"], "validation": [x for x in lines if x["type"] == "validation"]}
    if not run["validation"] or not run["train"]:
        return None
    last = lines[-1]
    run["summary"] = last if last["type"] == "summary" and last["finished"] else None
    late = run["train"][-max(1, len(run["train"]) // 5):]
    for key in ("forward", "backward", "accepted", "rejected"):
        run[key] = sum(x[key] for x in late) / len(late)
    end = run["summary"] or run["train"][-1]
    run["cpu"] = end["train_cpu_seconds"]
    run["iterations"] = end["iterations"] if run["summary"] else end["iteration"]
    run["epoch"] = run["validation"][0]["iteration"]  # iterations of one
    run["epochs"] = run["iterations"] / run["epoch"]
    run["epoch_cpu"] = run["cpu"] / run["epochs"]
    run["best"] = min(x["val_nll"] for x in run["validation"])
    run["budget"] = float(config.get("max-processor-seconds", 0))
    return run


def read_runs(runs):
    found = {}
    for path in sorted(glob.glob(os.path.join(runs, "*", "metrics.jsonl"))):
        folder = os.path.dirname(path)
        if re.fullmatch(r"(frey|caltech|mnist)-[a-z0-9]+-s\d+", os.path.basename(folder)):
            run = read_run(folder)
            if run:
                found[run["name"]] = run
    return found


def best_within(run, limit, key):
    """Lowest validation bound within a limit on processor seconds of training or on iterations, which key names."""
    return min((x["val_nll"] for x in run["validation"] if x[key] <= limit), default=None)


def short(number):
    """3, 3.8"""
    return f"{number:.1f}".removesuffix(".0")


def bits(run, nats):
    """Bits a dimension: of 256 grey levels a pixel, or of one bit."""
    return nats / (LN2 * run["pixels"])


def print_settings(run):
    c = run["config"]
    length = f"{run['budget']:.0f} processor seconds a run" if run["budget"] > 0 else f"{c['epochs']} epochs"
    dims = c["dims"].strip("[]").replace(", ", "-")
    paragraph(f"{c['amortised'].capitalize()} fields of rank {c['rank']}, {dims}, {c['blocks']} block{'s' if c['blocks'] != '1' else ''}, {c['nonlinearity']};",
              f"latent {c['latent']}, time {c['time']}; {c['optimizer']} {c['lr']}, batch {c['batch-size']};",
              f"{c['solver']}, training at atol {c['atol']}, rtol {c['rtol']}, validation and test at {c['test-atol']}, {c['test-rtol']};",
              f"{length}, beta growing over the first {c['warmup']} epochs (`presets/vae/{run['set']}.yaml`, the published",
              "setting but for the length).")


def print_runs(runs, grey):
    heads = ["run", "", "test -ELBO", "bits a dimension" if grey else "bits per pixel", "val -ELBO, best", "reconstruction", "KL", "forward",
             "backward", "steps per block", "s an epoch", "s in all"]
    rows = []
    for run in runs:
        last = run["train"][-max(1, len(run["train"]) // 20):]
        test = run["summary"]["test_nll"] if run["summary"] else None
        blocks = max(1, int(run["config"]["blocks"]))
        length = f", {short(run['epochs'])} epochs" if run["budget"] > 0 or not run["summary"] else ""
        rows.append([run["name"], VARIANTS[run["variant"]] + length + ("" if run["summary"] else " so far"),
                     f"{test:.2f}" if test is not None else "-", f"{bits(run, test):.4f}" if test is not None else "-",
                     f"{run['best']:.2f}", f"{sum(x['reconstruction'] for x in last) / len(last):.2f}",
                     f"{sum(x['kl'] for x in last) / len(last):.2f}", f"{run['forward']:.1f}", f"{run['backward']:.1f}",
                     f"{run['accepted'] / blocks:.2f}", f"{run['epoch_cpu']:.1f}", f"{run['cpu']:.0f}"])
    table(heads, rows, 2)


def seeds_apart(by, changes):
    """How far seeds of one alpha lie apart, against which what alpha changes is to be read."""
    tests = [run["summary"]["test_nll"] for (variant, _), run in by.items() if variant == "a0"]
    if len(tests) < 2:
        return "That is one seed's; what another would make of it is not known here."
    apart = max(tests) - min(tests)
    return (f"The seeds alone lie {apart:.2f} nats apart, {'more' if apart > max(map(abs, changes)) else 'less'} than the penalty moves any of"
            " them" + (", each time the same way." if len({c > 0 for c in changes}) == 1 else "."))


def reached(run, level, key):
    """Iterations or processor seconds until the validation bound came down to a level, on straight lines between validations."""
    before = None
    for x in run["validation"]:
        if x["val_nll"] <= level:
            if before is None:
                return x[key]
            return before[key] + (before["val_nll"] - level) / (before["val_nll"] - x["val_nll"]) * (x[key] - before[key])
        before = x
    return None


def later(by, seed):
    """By how much the worse of a pair is behind: when the better one had what the worse one has at best."""
    a, b = sorted((by["a0", seed], by["a5", seed]), key=lambda run: run["best"])

    def after(key, unit, name):
        passed, took = (reached(run, b["best"], key) / unit for run in (a, b))
        return f"after {short(passed)} {name}, {short(abs(took - passed))} {'sooner' if took >= passed else 'later'}"

    return (f"seed {seed}, {ALPHAS[a['variant']]} came to {ALPHAS[b['variant']]}'s best validation bound "
            f"{after('iteration', a['epoch'], 'epochs')}, and {after('train_cpu_seconds', 60, 'processor minutes')}")


def calls_in_all(run):
    """Forward and back, an iteration, over the whole run."""
    return (run["summary"]["train_forward"] + run["summary"]["train_backward"]) / run["iterations"]


def print_penalty(runs):
    """alpha 5 against alpha 0, a line a pair of one seed."""
    by = {(run["variant"], run["seed"]): run for run in runs if run["summary"]}
    rows = []
    for seed in sorted({run["seed"] for run in runs}):
        if ("a0", seed) not in by or ("a5", seed) not in by:
            continue
        a, b = by["a5", seed], by["a0", seed]
        rows.append([str(seed), f"{a['summary']['test_nll'] - b['summary']['test_nll']:+.2f}",
                     f"{a['forward'] / b['forward']:.3f}", f"{a['backward'] / b['backward']:.3f}",
                     f"{(a['forward'] + a['backward']) / (b['forward'] + b['backward']):.3f}",
                     f"{calls_in_all(a) / calls_in_all(b):.3f}",
                     f"{a['summary']['test_forward'] / b['summary']['test_forward']:.3f}",
                     f"{a['epoch_cpu'] / b['epoch_cpu']:.3f}"])
    if not rows:
        paragraph("No pair with and without the penalty is finished yet.")
        return
    table(["alpha 5 against alpha 0, seed", "test -ELBO, difference in nats", "forward calls, ratio", "backward, ratio", "both, ratio",
           "both, the whole run", "calls to evaluate, ratio", "processor seconds an epoch, ratio"], rows)
    ratios = [float(row[4]) for row in rows]
    saved = "fewer" if max(ratios) < 1 else "not fewer" if min(ratios) >= 1 else "fewer on some seeds only"
    worse = [float(row[1]) for row in rows]
    steps = max(run["accepted"] / max(1, int(run["config"]["blocks"])) for run in by.values() if run["variant"] == "a0")
    if steps < 2:
        paragraph(f"Without the penalty a block takes {steps:.2f} steps of the solver at the most, where one is the least: after so few epochs",
                  "the paths are still so short that there is little to save.")
    whole = ", ".join(f"x {float(row[5]):.2f}" for row in rows)
    paragraph(f"With the penalty, calls an iteration are {saved} ({', '.join(f'x {r:.2f}' for r in ratios)}; of the whole run {whole}), at a",
              "test bound that",
              f"changes by {', '.join(f'{w:+.2f}' for w in worse)} nats per image.", seeds_apart(by, worse))
    paragraph("Of " + "; of ".join(later(by, int(row[0])) for row in rows) + " (straight lines between validations).")


def calls_at(run, tolerance):
    """Evaluations of f that `laminar vae eval` counted for a batch of test images at a tolerance; None if it was not run."""
    try:
        with open(os.path.join(run["folder"], f"eval-{tolerance}.txt")) as stream:
            return float(re.search(r"^evaluations +([0-9.]+) of f per batch", stream.read(), re.M)[1])
    except (OSError, TypeError):
        return None


def print_tolerance(runs):
    """What a tighter tolerance alone costs, beside what the penalty saves."""
    by = {(run["variant"], run["seed"]): run for run in runs if run["summary"]}
    rows, alone, both = [], [], []
    for seed in sorted({run["seed"] for run in runs}):
        calls = [calls_at(by[variant, seed], at) if (variant, seed) in by else None
                 for variant, at in (("a0", "1e-5"), ("a0", "1e-4"), ("a5", "1e-4"))]
        if None in calls:
            continue
        alone.append(calls[1] / calls[0])
        both.append(calls[2] / calls[0])
        rows.append([str(seed), *(f"{c:.1f}" for c in calls), f"{alone[-1]:.2f}", f"{both[-1]:.2f}"])
    if not rows:
        return
    table(["seed", "alpha 0 at 1e-5", "alpha 0 at 1e-4", "alpha 5 at 1e-4", "1e-4 against 1e-5, alpha 0", "and alpha 5"], rows)
    paragraph("Evaluations of f for a batch of test images, by the exact trace. The published baseline ran at 1e-5 and its runs with the penalty at",
              f"1e-4: of what these differ by ({', '.join(f'x {r:.2f}' for r in both)}) the tolerance alone makes",
              f"{', '.join(f'x {r:.2f}' for r in alone)}.")


def print_flow(runs, grey):
    """Every flow against none, of one seed: after the same epochs, and after the same processor seconds."""
    by = {(run["variant"], run["seed"]): run for run in runs if run["summary"]}
    rows, won, shares = [], [], []
    budget = any(run["budget"] > 0 for run in runs)
    for (variant, seed), run in sorted(by.items()):
        none = by.get(("none", seed))
        if variant == "none" or none is None:
            continue
        limit = min(run["cpu"], none["cpu"])
        epochs = min(run["iterations"], none["iterations"]) // run["epoch"]
        seconds, iterations = ([best_within(r, most, key) for r in (run, none)]
                               for most, key in ((limit, "train_cpu_seconds"), (epochs * run["epoch"], "iteration")))
        test = run["summary"]["test_nll"] - none["summary"]["test_nll"]
        rows.append([f"{VARIANTS[variant]}, seed {seed}", f"{test:+.2f}", f"{iterations[0] - iterations[1]:+.2f} ({epochs})",
                     f"{limit:.0f}", f"{seconds[0] - seconds[1]:+.2f}" if None not in seconds else "-"])
        shares.append(none["cpu"] / run["cpu"])
        won.append((test < 0, iterations[0] < iterations[1], None not in seconds and seconds[0] < seconds[1]))
    if not rows:
        paragraph("No run without a flow is finished yet.")
        return
    whole = "same epochs" if not budget else "same seconds" if min(shares) > 0.98 else f"no flow in x {min(shares):.2f} of the seconds"
    table(["against no flow", f"test -ELBO, {whole}", "val -ELBO, best, same epochs (so many)",
           "processor seconds that both had", "val -ELBO, best, these seconds"], rows)
    tests, epochs, seconds = (sum(w[k] for w in won) for k in range(3))
    paragraph(f"{tests} of {len(won)} flows {'has' if tests == 1 else 'have'} the better test bound ({whole}); {epochs} of {len(won)} the better",
              f"validation bound after the same epochs, {seconds} of {len(won)} after the same seconds.")
    print_gaps(by)
    if tests < len(won):
        print_far(next(run for (variant, _), run in sorted(by.items()) if variant == "none"), grey)


def print_gaps(by):
    """The validation bound of a flow minus that of none, along the run."""
    rows, turns = [], []
    for (variant, seed), run in sorted(by.items()):
        if variant == "none" or ("none", seed) not in by:
            continue
        gaps = [a["val_nll"] - b["val_nll"] for a, b in zip(run["validation"], by["none", seed]["validation"])
                if a["iteration"] == b["iteration"]]  # a run that ends within an epoch is validated there too
        few = len(gaps) <= 5
        at = range(1, len(gaps) + 1) if few else [max(1, round(len(gaps) * k / 5)) for k in range(1, 6)]
        rows.append([f"{VARIANTS[variant]}, seed {seed}", *(f"{gaps[i - 1]:+.2f}" + ("" if few else f" ({i})") for i in at)])
        late = gaps[at[0] - 1:]
        ahead = sum(gap < 0 for gap in late)
        turns.append(f"{ALPHAS[variant]}, seed {seed}, is ahead in {ahead}")
    table(["val -ELBO against no flow, at epoch", *(map(str, at) if few else ("a fifth", "two", "three", "four", "all of the run"))], rows)
    paragraph(f"Of the {len(late)} validations from the first fifth on, when beta is 1, {'; '.join(turns)}.")


def print_fast(runs, fast):
    """How soon another optimiser comes to the best validation bound of the published one."""
    by = {run["seed"]: run for run in runs if run["variant"] == "a0" and run["summary"]}
    for run in fast:
        slow = by.get(run["seed"])
        if slow is None:
            continue
        c, epoch = run["config"], run["epoch"]
        took = [reached(run, slow["best"], key) for key in ("iteration", "train_cpu_seconds")]
        first = [reached(slow, slow["best"], key) for key in ("iteration", "train_cpu_seconds")]
        head = f"With {c['optimizer']} at {c['lr']}, schedule {c['schedule']}, {c['epochs']} epochs, seed {run['seed']} (`{run['name']}`),"
        if None in took:
            paragraph(head, f"the best validation bound of {slow['config']['optimizer']}'s {short(slow['epochs'])} epochs, {slow['best']:.2f}, was not reached.")
            continue
        paragraph(head, f"the best validation bound of {slow['config']['optimizer']}'s {short(slow['epochs'])} epochs, {slow['best']:.2f}, was reached after",
                  f"{short(took[0] / epoch)} epochs and {took[1]:.0f} processor seconds: x {took[0] / first[0]:.2f} of the epochs and",
                  f"x {took[1] / first[1]:.2f} of the seconds." + ("" if not run["summary"] else
                  f" The test bound is {run['summary']['test_nll'] - slow['summary']['test_nll']:+.2f} nats from that run's."))


def print_far(none, grey):
    """How far from its end a run without a flow is, against what a flow gains there."""
    before, after = PUBLISHED[none["set"]]
    test = bits(none, none["summary"]["test_nll"]) if grey else none["summary"]["test_nll"]
    paragraph(f"Trained for hundreds of epochs, no flow comes to {before:.2f} and a flow to {after:.2f}",
              f"{'bits a dimension' if grey else 'nats'} (Grathwohl et al. 2019, table 2). Without a flow this run is at {test:.2f}: what encoder and",
              f"decoder have yet to learn is {(test - before) / (before - after):.1f} times what the published flow gains. What a flow gains in the",
              "end runs as short as these cannot show.")


def print_picture(runs, name, pictures, laminar):
    path = os.path.join(pictures, f"{name}.svg")
    shown = [run["folder"] for run in runs if len(run["validation"]) > 1]
    if len(shown) > 1 and subprocess.run([laminar, "compare", *shown, "--plot", path], stdout=subprocess.DEVNULL).returncode == 0:
        print(f"![validation bound against calls and against processor seconds, {name}]({os.path.basename(pictures)}/{name}.svg)\n")


def main():
    runs, pictures, laminar = sys.argv[1:4]
    found = read_runs(runs)
    print("# Auto-encoders: measured\n")
    paragraph("Also from the runs of `bench/sweep.sh`. -ELBO in nats per image at beta 1, lower is better; test with the best model by",
              "validation, reconstruction and KL those of the last training lines. Calls and steps as above, mean over the last fifth of a",
              "run; seconds are processor seconds of the training steps, one thread, two fits side by side.")
    for group, title, grey in SETS:
        everything = [run for run in found.values() if run["set"] == group]
        mine, fast = ([run for run in everything if (run["variant"] == "muon") == other] for other in (False, True))
        print(f"## {title}\n")
        if not mine:
            paragraph(f"Not measured yet: `ONLY='{group}-*' bench/sweep.sh`.")
            continue
        for run in everything:
            run["pixels"] = 560 if group == "frey" else 784
        print_settings(next((run for run in mine if run["variant"] != "none"), mine[0]))
        machines = {open(path).read().strip() for path in (os.path.join(run["folder"], "machine") for run in mine) if os.path.exists(path)}
        if machines:
            paragraph("; ".join(sorted(machines)) + ".", *(f"{run['name']} was finished on {run['config']['threads']} threads."
                                                           for run in everything if run["config"]["threads"] != "1"))
        print_runs(everything, grey)
        print_fast(mine, fast)
        print_penalty(mine)
        print_tolerance(mine)
        print_flow(mine, grey)
        print_picture(mine, group, pictures, laminar)


if __name__ == "__main__":
    main()
