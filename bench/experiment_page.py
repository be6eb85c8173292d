#!/usr/bin/python3
"""The part of docs/results.md on experiments, to stdout, from what bench/experiments.sh keeps; no number is typed here, and every
sentence that concludes something is chosen by the numbers. Draws its picture by build/bench/plot.

    experiment_page.py KEPT/ PICTURES/ PLOT        (docs/results/experiments docs/results build/bench/plot)
"""
import csv
import math
import os
import re
import sys

from speed_page import draw, missing, paragraph, table

KEPT, PICTURES = sys.argv[1:3] # the third, the program that draws, is draw's
DATA = {"power_month": "power_month (POWER's net)", "ccpp": "ccpp (three blocks of 60-60-60)", "protein": "protein", "pinwheel": "pinwheel",
        "keggundirected": "keggundirected (eight columns)", "checkerboard": "checkerboard"}
BASE = "n 4, p 1, alpha 5" # the published setting, of tpr-factors
FACTORS = [ # name, what its settings are called, what the published setting and its kin are there
    ("degree p, of n = 6 times", r"degree (\d), n 6", None),
    ("times n, p = 1", r"times (\d)", {BASE: 4, "degree 1, n 6": 6}),
    ("alpha", r"alpha ([\d.]+)$", {BASE: 5}),
    ("weight of l", r"l ([\d.]+)$", {BASE: 0}),
    ("steps by the error of z alone", r"error of (z)", {BASE: "z and l"}),
]


def read(plan, name):
    path = os.path.join(KEPT, plan, name)
    return list(csv.DictReader(open(path))) if os.path.exists(path) else []


def number(row, name):
    return float(row[name]) if row.get(name) not in (None, "") else math.nan


def mean(row, name, digits, signed=False):
    """Mean and standard error of a line of summary.csv, and of how many runs where it is not all; of the baseline nothing against itself."""
    if name.endswith(("_ratio", "_difference")) and row["penalty"] in ("none", "adam"):
        return ""
    m, se, n = number(row, name + "_mean"), number(row, name + "_se"), int(row[name + "_n"] or 0)
    if math.isnan(m):
        return "-"
    text = f"{m:{'+' if signed else ''}.{digits}f}" + ("" if math.isnan(se) else f" ± {se:.{digits}f}")
    return text + (f" ({n} of {row['finished']})" if n < int(row["finished"]) else "")


def plan_of(plan):
    return open(os.path.join(KEPT, plan, "plan.yaml")).read()


def in_order(plan, key):
    """Values in the order of the plan, which is that of the tables."""
    return list(dict.fromkeys(row[key] for row in read(plan, "summary.csv")))


def label(row):
    return row["penalty"] + (f" ({float(row['coefficient']):g})" if row["coefficient"] else "")


def link(plan):
    folder = os.path.join(os.path.basename(PICTURES), os.path.relpath(KEPT, PICTURES), plan)
    return f"[plan]({folder}/plan.yaml), [report]({folder}/report.html)"


def join(names):
    names = list(names)
    comma = "; " if any("," in name for name in names) else ", "
    return names[0] if len(names) == 1 else comma.join(names[:-1]) + " and " + names[-1]


def print_frame(plan):
    runs = read(plan, "runs.csv")
    text = plan_of(plan)
    grid = [row for row in runs if row["stage"] == "grid"]
    budget = re.search(r"^budget: \{([a-z-]+): (\d+)\}", text, re.M)
    loads = [number(row, "load") for row in runs if row["load"]]
    seeds = len({row["seed"] for row in grid})
    done = sum(row["state"] == "finished" for row in runs)
    paragraph(f"{done} of {len(runs)} runs finished ({link(plan)}); {budget[2]} {budget[1].replace('-', ' ')} of training a run on one",
              f"thread, {seeds} seed{'s' if seeds > 1 else ''}, tolerance {float(grid[0]['tolerance']):g}, settings as the plan names them.",
              f"{'; '.join(sorted({row['machine'] for row in runs if row['machine']}))}; load average {sum(loads) / len(loads):.1f}.",
              "Means ± standard errors over seeds; differences and ratios are of runs of one seed.")


# ---- rivals ------------------------------------------------------------------------------------------------------------------


def print_choices(plan):
    chosen = {row["penalty"]: row["coefficient"] for row in read(plan, "summary.csv")}
    rows = [row for row in read(plan, "runs.csv") if row["stage"] == "choose"]
    if not rows:
        return
    budget = re.search(r"^choose:.*?budget: \{([a-z-]+): (\d+)\}", plan_of(plan), re.M | re.S)
    paragraph(f"Coefficients, chosen by the lowest validation NLL on {rows[0]['data']} with seed {rows[0]['seed']} after",
              f"{budget[2]} {budget[1].replace('-', ' ')} a run; the chosen one is bold:")
    lines = []
    for penalty in dict.fromkeys(row["penalty"] for row in rows):
        tried = [row for row in rows if row["penalty"] == penalty]
        cells = [f"{float(row['coefficient']):g}: {number(row, 'best_val_nll'):.4f}" for row in tried]
        lines.append([penalty] + [f"**{cell}**" if float(row["coefficient"]) == float(chosen[penalty] or "nan") else cell
                                  for row, cell in zip(tried, cells)])
    table(["coefficient: validation NLL"] + [""] * (max(map(len, lines)) - 1), lines)
    ends = [line[0] for line in lines if line[1].startswith("**") or line[-1].startswith("**")]
    if ends:
        paragraph(f"At an end of its range stands that of {join(ends)}: one beyond may be better there.")


def by_seed(plan, data, penalty, name):
    """A figure of the finished runs; NaN: never reached."""
    return {row["seed"]: number(row, name) for row in read(plan, "runs.csv") if row["stage"] == "grid" and row["data"] == data
            and row["penalty"] == penalty and row["state"] == "finished"}


def ratios(plan, data, penalty, name):
    return list(by_seed(plan, data, penalty, name).values())


def say_first(plan, data, rows):
    """Which way comes to the baseline's best validation NLL first, in processor and in wall seconds, by what factor."""
    base, others = rows[0]["penalty"], rows[1:]
    by = {row["penalty"]: ratios(plan, data, row["penalty"], "reach_cpu_seconds_ratio") for row in others}
    always = {name: r for name, r in by.items() if r and not any(map(math.isnan, r))}
    never = [name for name, r in by.items() if r and all(map(math.isnan, r))]
    some = [name for name, r in by.items() if any(map(math.isnan, r)) and not all(map(math.isnan, r))]
    if not always:
        return paragraph(f"Nothing came to the best validation NLL of {base} with every seed.")
    first = min(always, key=lambda name: sum(always[name]) / len(always[name]))
    r = always[first]
    wall = ratios(plan, data, first, "reach_seconds_ratio")
    sooner = [name for name, r in always.items() if round(max(r), 2) < 1 and name != first]

    def seconds(values):
        return join(f"{x:.2f}" for x in values)

    if round(max(r), 2) < 1:
        said = [f"**{first}** comes to the best validation NLL of {base} first: after {seconds(r)} of its processor seconds (by seed; "
                f"{len(r) / sum(r):.1f} times as fast) and {seconds(wall)} of its wall seconds"
                + (", the warm start counted." if "start" in first else ".")]
        if sooner:
            said.append(f"Sooner than {base} with every seed as well: " + join(f"{n} ({seconds(always[n])})" for n in sooner) + ".")
    else:
        said = [f"Nothing comes to the best validation NLL of {base} sooner with every seed; the lowest mean is that of {first},",
                f"{seconds(r)} of its processor seconds."]
    if some:
        said.append(f"With some seeds only: {join(some)}.")
    if never:
        said.append(f"Not within the budget: {join(never)}.")
    paragraph(*said)


def say_cheapest(rows):
    base = rows[0]
    ok = [row for row in rows[1:] if not math.isnan(number(row, "calls_ratio_mean"))]
    if not ok:
        return
    least = min(ok, key=lambda row: number(row, "calls_ratio_mean"))
    lowest = min(rows[:1] + ok, key=lambda row: number(row, "test_nll_mean"))
    paragraph(f"Fewest calls an iteration: {label(least)}, {mean(least, 'calls_ratio', 2)} of those of {base['penalty']}, at a test NLL",
              f"that differs by {mean(least, 'nll_difference', 3, True)}. Lowest test NLL: {label(lowest)}, {mean(lowest, 'test_nll', 3)}.")


UNCHANGED = 0.02  # nats that a test loss may rise by and still be called unchanged
LITTLE = 0.05  # of the evaluations: no saving to speak of


def say_claim(rows):
    """How the claim of the paper's abstract on densities fares."""
    row = next((row for row in rows if row["penalty"] == "TPR as published"), None)
    if row is None or math.isnan(number(row, "calls_ratio_mean")):
        return
    saved, change = 1 - number(row, "calls_ratio_mean"), number(row, "nll_difference_mean")
    unchanged = change <= UNCHANGED
    verdict = "holds" if unchanged and saved >= 0.423 else "holds in part" if unchanged and saved >= LITTLE else "does not hold"
    paragraph(f"The paper's claim for densities, 42.3 to 71.3 % fewer evaluations at an unchanged test loss, {verdict} here: TPR as",
              f"published takes {abs(100 * saved):.0f} % {'fewer' if saved > 0 else 'more'} evaluations an iteration than none, and its test",
              f"NLL differs by {change:+.3f}.")


def say_fewest(rows):
    """Which way takes the fewest evaluations at no higher test NLL, beside the most that the paper claims."""
    ways = [row for row in rows[1:] if number(row, "nll_difference_mean") <= UNCHANGED and not math.isnan(number(row, "calls_ratio_mean"))]
    if not ways:
        return
    best = min(ways, key=lambda row: number(row, "calls_ratio_mean"))
    saved = 1 - number(best, "calls_ratio_mean")
    if saved >= LITTLE:
        paragraph(f"Of the ways whose test NLL is at most {UNCHANGED:g} nats above that of {rows[0]['penalty']}, {label(best)} takes the fewest evaluations:",
                  f"{100 * saved:.0f} % fewer, {mean(best, 'steps', 2)} steps per block. The paper claims up to 71.3 %.")


def print_rivals(plan, data):
    rows = [row for row in read(plan, "summary.csv") if row["data"] == data]
    print(f"### {DATA.get(data, data)}\n")
    gaussian = number(rows[0], "gaussian_test_nll_mean")
    if not math.isnan(gaussian):
        paragraph(f"A full-covariance Gaussian fitted to the same rows has test NLL {gaussian:.4f}.")
    table(["penalty, coefficient", "test NLL", f"difference from {rows[0]['penalty']}", "forward", "backward", "steps per block", "calls, ratio",
           "calls to score", "iterations", "processor s to its NLL", "ratio", "wall s, ratio"],
          [[label(row), mean(row, "test_nll", 3), mean(row, "nll_difference", 3, True), mean(row, "forward", 1),
            mean(row, "backward", 1), mean(row, "steps", 2), mean(row, "calls_ratio", 2), mean(row, "test_calls", 0),
            mean(row, "iterations", 0), mean(row, "reach_cpu_seconds", 0), mean(row, "reach_cpu_seconds_ratio", 2),
            mean(row, "reach_seconds_ratio", 2)] for row in rows])
    say_first(plan, data, rows)
    say_cheapest(rows)
    say_claim(rows)
    say_fewest(rows)
    tolerance = rows[0]["tolerance"].replace("0.0001", "1e-4")
    folder = os.path.relpath(os.path.join(KEPT, plan), os.path.dirname(PICTURES))
    if os.path.exists(os.path.join(KEPT, plan, f"{data}_{tolerance}_seconds.svg")):
        print(f"![validation NLL against processor seconds, {data}]({folder}/{data}_{tolerance}_seconds.svg)\n")


# ---- one factor at a time ----------------------------------------------------------------------------------------------------


def members(rows, pattern, kin):
    """Settings of a factor with its value, in its order."""
    found = []
    for row in rows:
        match = re.match(pattern, row["penalty"])
        if match or (kin and row["penalty"] in kin):
            found.append((match[1] if match else kin[row["penalty"]], row))
    return sorted(found, key=lambda pair: (0, float(pair[0])) if re.fullmatch(r"[\d.]+", str(pair[0])) else (1, 0))


def print_factors(plan, data):
    rows = [row for row in read(plan, "summary.csv") if row["data"] == data]
    lines = []

    def add(factor, value, row):
        bold = "**" if row["penalty"] == BASE else ""
        lines.append([factor, f"{bold}{value}{bold}", mean(row, "test_nll", 4), mean(row, "nll_difference", 4, True), mean(row, "forward", 1),
                      mean(row, "backward", 1), mean(row, "calls_ratio", 2), mean(row, "test_calls", 0), mean(row, "iterations", 0)])

    print(f"### {DATA.get(data, data)}\n")
    for row in rows:
        if row["penalty"].startswith("none"):
            add("without the penalty", row["penalty"].removeprefix("none").removeprefix(", ") or "error of z and l", row)
    for name, pattern, kin in FACTORS:
        for value, row in members(rows, pattern, kin):
            add(name, value, row)
    table(["factor", "", "test NLL", "difference from none", "forward", "backward", "calls, ratio to none", "calls to score", "iterations"],
          lines, 2)
    say_published(plan, data, rows)


def say_published(plan, data, rows):
    """Where the published setting stands among those with the penalty."""
    with_penalty = [row for row in rows if not row["penalty"].startswith("none")]
    base = next(row for row in with_penalty if row["penalty"] == BASE)

    def place(name):
        return 1 + sum(number(row, name) < number(base, name) for row in with_penalty)

    nll, calls = by_seed(plan, data, BASE, "test_nll"), by_seed(plan, data, BASE, "calls_ratio")
    better = []
    for row in with_penalty:
        other, cost = by_seed(plan, data, row["penalty"], "test_nll"), by_seed(plan, data, row["penalty"], "calls_ratio")
        if row is not base and all(other[s] < nll[s] and cost[s] < calls[s] for s in nll):
            better.append(row)
    paragraph(f"On {data} the published setting takes {mean(base, 'calls_ratio', 2)} of none's calls an iteration and changes the test",
              f"NLL by {mean(base, 'nll_difference', 4, True)}: of {len(with_penalty)} settings with the penalty it is number",
              f"{place('calls_ratio_mean')} in calls, fewest first, and number {place('test_nll_mean')} in NLL, lowest first.",
              "Fewer calls and a lower NLL with every seed: "
              + join(f"{row['penalty']} (calls {number(row, 'calls_ratio_mean') / number(base, 'calls_ratio_mean'):.2f} of its, NLL "
                     f"{number(row, 'test_nll_mean') - number(base, 'test_nll_mean'):+.4f})" for row in better) + "."
              if better else "No other setting has fewer calls and a lower NLL with every seed.")


def draw_factors(plan):
    """A panel a set and factor: bars are one standard error over the seeds, both ways."""
    lines = ["title\tOne factor of TPR at a time, around n = 4, p = 1, alpha = 5", f"columns\t{len(FACTORS)}"]
    for data in in_order(plan, "data"):
        rows = [row for row in read(plan, "summary.csv") if row["data"] == data]
        for colour, (name, pattern, kin) in enumerate(FACTORS):
            first = "test NLL - none's, nats" if colour == 0 else " "
            lines.append(f"panel\t{data}: {name.split(',')[0]}\tcalls, ratio to none\t{first}")
            for shade, (value, row) in enumerate(members(rows, pattern, kin)):
                x, y = number(row, "calls_ratio_mean"), number(row, "nll_difference_mean")
                dx, dy = number(row, "calls_ratio_se"), number(row, "nll_difference_se")
                lines += [f"series\t-\t{shade}\tsolid", f"{x - dx}\t{y}", f"{x + dx}\t{y}"]
                lines += [f"series\t-\t{shade}\tsolid", f"{x}\t{y - dy}", f"{x}\t{y + dy}"]
                lines += [f"series\t{value}\t{shade}\tpoints", f"{x}\t{y}"]
    draw(plan, "test NLL against calls, one factor at a time", "\n".join(lines) + "\n")
    paragraph("One panel a factor; bars are one standard error over the seeds.")


# ---- tuning ------------------------------------------------------------------------------------------------------------------


TUNED = ("claims-twice", "claims-price")  # plans whose models bench/experiments.sh tunes


def read_tuned(path):
    """before and after on test rows: setting, cost, evaluations, those with the trace, rms, 99th percentile, processor seconds."""
    text = open(path).read()
    found = {}
    for key in ("before", "after"):
        match = re.search(rf"^{key}: (.*?)  +([\d.]+) +([\d.]+) +([\d.]+) +([\d.e+-]+) +([\d.e+-]+) +([\d.]+)$", text[text.index("\ntest rows"):], re.M)
        if match:
            found[key] = (match[1].strip(), *(float(number) for number in match.groups()[1:]))
    return found


def print_tuned():
    print("## Tuned evaluation\n")
    folder = os.path.join(KEPT, "tune")
    rows, shares = [], []
    for plan in TUNED:
        if not read(plan, "summary.csv"):
            continue
        for data in in_order(plan, "data"):
            for penalty in in_order(plan, "penalty"):
                path = os.path.join(folder, f"{data}.{re.sub(r'[^a-z0-9.=]+', '-', penalty.lower()).strip('-')}.txt")
                if not os.path.exists(path):
                    continue
                t = read_tuned(path)
                shares.append(float(re.search(r"one of f alone counts as ([\d.]+)", open(path).read())[1]))
                if "after" not in t:
                    rows.append([data, penalty, "no setting keeps the bound"] + [""] * 7)
                    continue
                before, (setting, cost, calls, traced, rms, p99, seconds) = t["before"], t["after"]
                rows.append([data, penalty, setting, f"{before[1]:.0f}", f"{cost:.0f}", f"{traced:.0f} + {calls - traced:.0f}", f"{cost / before[1]:.2f}",
                             f"{seconds / before[6]:.2f}", f"{rms:.1e}", f"{p99:.1e}"])
    if not rows:
        return missing("bench/experiments.sh")
    paragraph("`laminar tune MODEL DATA --error 0.01` on models of the plans above, the first seed: the cheapest setting whose log-density differs",
              "from double at 1e-8 with the exact trace by no more than 0.01 nats in root mean square and for 99 of 100 rows, chosen on",
              "validation rows; errors here are on test rows, in nats. Before: dopri5 at the fit's test tolerance. Cost is in evaluations of f with",
              f"the trace per batch; one of f alone counts as its share of their arithmetic, {min(shares):.2f} to {max(shares):.2f} here. A ratio above 1: the setting",
              "before does not keep the bound.")
    table(["data", "model", "chosen", "cost before", "after", "with + without the trace", "ratio", "ratio of processor seconds", "rms error", "99th percentile"],
          rows, 3)


def main():
    print("# Ways of taming the ODE: measured\n")
    paragraph("Written by `bench/experiment_page.py` from what `bench/experiments.sh` keeps in `docs/results/experiments`; no number here is",
              "typed. NLL in nats per row, standardised units, exact trace, lower is better. forward, backward: evaluations of f, and vector-Jacobian",
              "products of it, an iteration, all blocks, over the last fifth of a run. To its NLL: to the first validation not above the",
              "baseline's best of the same seed.")
    print("## TPR and its rivals\n")
    if not read("rivals", "summary.csv"):
        missing("bench/experiments.sh")
    else:
        print_frame("rivals")
        print_choices("rivals")
        for data in in_order("rivals", "data"):
            print_rivals("rivals", data)
        paragraph("The plan for everything, `presets/experiments/full.yaml` (four data sets, two tolerances, three seeds, a quarter of a",
                  "processor hour a run), has not been run here." if not read("full", "summary.csv") else "")
    for plan, title in [("parts", "The parts of a fast fit"), ("claims", "Fewer calls at the same loss"),
                        ("claims-ccpp", "Fewer calls at the same loss, a small table"),
                        ("claims-twice", "Have they converged? Twice the time"),
                        ("claims-tight", "Fewer calls at the same loss, at a tighter tolerance"),
                        ("claims-others", "Fewer calls at the same loss, four more sets"),
                        ("claims-price", "A goal for the calls within a price, the four sets")]:
        print(f"## {title}\n")
        if not read(plan, "summary.csv"):
            missing("bench/experiments.sh")
            continue
        print_frame(plan)
        print_choices(plan)
        for data in in_order(plan, "data"):
            print_rivals(plan, data)
    print("## One factor of TPR at a time\n")
    if not read("tpr-factors", "summary.csv"):
        missing("bench/experiments.sh")
    else:
        print_frame("tpr-factors")
        paragraph("These fits are short, and what the penalty saves grows as the field bends: the first part of this page has the published",
                  "setting after ten times as many iterations. Differences as small as their standard errors mean nothing.")
        for data in in_order("tpr-factors", "data"):
            print_factors("tpr-factors", data)
        draw_factors("tpr-factors")
    print_tuned()


if __name__ == "__main__":
    main()
