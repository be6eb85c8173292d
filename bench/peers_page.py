#!/usr/bin/python3
"""The part of docs/results.md on other density estimators, to stdout, from the results that bench/peers.py keeps; no number is typed
here, and every sentence that concludes something is chosen by the numbers. Draws its picture by build/bench/plot.

    peers_page.py RESULTS.jsonl PICTURES/ PLOT        (docs/results/peers.jsonl docs/results build/bench/plot)
    peers_page.py --self-test
"""
import math
import sys

sys.dont_write_bytecode = True  # no __pycache__ in the tree

from peers import BUDGETS, FLOWS, LAMINAR_BUDGET, LONG, METHODS, RANKED, RATES, SETS
from same_nll import read_lines
from speed_page import draw, missing, paragraph, table

TITLES = {"laminar": "laminar, defaults", "spline-autoregressive": "spline flow, autoregressive",
          "spline-coupling": "spline flow, coupling", "affine-autoregressive": "masked autoregressive flow",
          "mixture": "mixture of Gaussians", "kernel": "kernel density"}
COMMAND = "/usr/bin/python3 bench/peers.py --laminar build/laminar --data ../shared/data --zuko FOLDER"


def join(names):
    names = list(names)
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


class Results:
    """Of each set, budget, seed and method the fit that counts: of a flow's rates the best by validation, once all are there."""

    def __init__(self, lines):
        last = {}
        for line in lines:
            last[tuple(line[name] for name in ("set", "budget", "seed", "method", "rate", "flags"))] = line
        self.lines = [line for line in last.values() if line["flags"] == ""]
        self.fits, groups = {}, {}
        for line in self.lines:
            groups.setdefault((line["set"], line["budget"], line["seed"], line["method"]), []).append(line)
        for key, group in groups.items():
            if len({line["rate"] for line in group} & set(RATES)) == len(RATES) or key[3] not in FLOWS:
                self.fits[key] = min(group, key=lambda line: line["val_nll"])

    def of(self, name, budget, method):
        """The fits of a cell, by seed."""
        return [self.fits[key] for key in sorted(self.fits) if (key[0], key[1], key[3]) == (name, budget, method)]

    def budgets(self, names):
        return [b for b in BUDGETS + (LONG,) if any(self.of(name, b, method) for name in names for method in METHODS)]

    def mean(self, name, budget, method, figure):
        fits = self.of(name, budget, method)
        return sum(fit[figure] for fit in fits) / len(fits) if fits else math.nan

    def order(self, name, budget):
        """The methods that are there, the lowest mean test NLL first."""
        there = [method for method in METHODS if self.of(name, budget, method)]
        return sorted(there, key=lambda method: self.mean(name, budget, method, "test_nll"))


# ---- the tables --------------------------------------------------------------------------------------------------------------


def cell(results, name, budget, method, seeds):
    fits = results.of(name, budget, method)
    if not fits:
        return "-"
    text = f"{results.mean(name, budget, method, 'test_nll'):.3f} ± {results.mean(name, budget, method, 'test_se'):.3f}"
    text = f"**{text}**" if name in RANKED and results.order(name, budget)[0] == method else text
    return text if len(fits) == seeds else f"{text} ({len(fits)} of {seeds} seeds)"


def print_budget(results, budget, names, seeds):
    print(f"{budget} processor seconds:\n")
    rows = [[name] + [cell(results, name, budget, method, seeds) for method in METHODS] for name in names
            if any(results.of(name, budget, method) for method in METHODS)]
    table(["test NLL"] + [TITLES[method] for method in METHODS], rows)


def say_first(results, budget, names):
    """Who is first on each set and how far laminar is from the best of the others."""
    said = []
    for name in names:
        order = results.order(name, budget)
        others = [method for method in order if method != "laminar"]
        if not others:
            continue
        nll = {method: results.mean(name, budget, method, "test_nll") for method in order}
        left_out = [TITLES[method] for method in METHODS if method not in order]
        note = f"; still to be measured: {join(left_out)}" if left_out else ""
        first = "first so far" if left_out else "first"
        if "laminar" not in order:
            said.append(f"- {name}: {TITLES[order[0]]} is {first}, at {nll[order[0]]:.3f}{note}")
        elif order[0] == "laminar":
            said.append(f"- {name}: **laminar is {first}**, by {nll[others[0]] - nll['laminar']:.3f} nats before {TITLES[others[0]]}{note}")
        else:
            said.append(f"- {name}: {TITLES[order[0]]} is {first}; laminar is number {order.index('laminar') + 1} of {len(order)}, "
                        f"{nll['laminar'] - nll[order[0]]:.3f} nats behind{note}")
    if said:
        print("\n".join(said) + "\n")


def ranks(results, budgets):
    """By method and budget the mean rank over the ranked sets on which all methods are there, and how many sets these are."""
    found = {}
    for budget in budgets:
        orders = [results.order(name, budget) for name in RANKED]
        orders = [order for order in orders if len(order) == len(METHODS)]
        for method in METHODS:
            if orders:
                found[method, budget] = sum(order.index(method) + 1 for order in orders) / len(orders), len(orders)
    return found


def print_ranks(results, budgets):
    found = ranks(results, budgets)
    budgets = [budget for budget in budgets if (METHODS[0], budget) in found]
    if not budgets:
        return
    print("Mean ranks over the ranked sets on which all methods are measured:\n")
    rows = [[TITLES[method]] + [f"{found[method, budget][0]:.1f}" for budget in budgets] for method in METHODS]
    table([""] + [f"{budget} s, {found[METHODS[0], budget][1]} set{'s' if found[METHODS[0], budget][1] > 1 else ''}" for budget in budgets],
          rows)


def print_details(results, budget, names):
    rows = []
    for name in names:
        for method in results.order(name, budget):
            fits = results.of(name, budget, method)
            rows.append([name, TITLES[method], "; ".join(dict.fromkeys(fit["choice"] for fit in fits if fit["choice"])),
                         f"{results.mean(name, budget, method, 'val_nll'):.3f}",
                         f"{results.mean(name, budget, method, 'processor_seconds'):.0f}",
                         f"{results.mean(name, budget, method, 'iterations'):.0f}",
                         f"{results.mean(name, budget, method, 'parameters'):.0f}",
                         f"{results.mean(name, budget, method, 'rows_a_second'):.0f}"])
    print(f"What stands behind the figures at {budget} s, the best first; numbers are means over the seeds, choices are of each seed:\n")
    table(["", "", "chosen by validation", "validation NLL", "processor s used", "iterations", "parameters", "rows scored a processor second"],
          rows, 3)


def columns_of(line):
    """Of "rows x columns, ...", by which results tell one split from another."""
    return int(line["split"].split(" x ")[1].split(",")[0])


def picture(results, budgets):
    """Lines for bench/plot: nats a column above the best of a set against rows scored a second, of two budgets, a point a ranked set."""
    lines = []
    for budget in budgets[:2]:
        lines.append(f"panel\t{budget} processor seconds\trows scored a processor second\tnats a column above the set's best\tlogx\tzero")
        for i, method in enumerate(METHODS):
            points = []
            for name in RANKED:
                if results.of(name, budget, method):
                    best = results.mean(name, budget, results.order(name, budget)[0], "test_nll")
                    above = (results.mean(name, budget, method, "test_nll") - best) / columns_of(results.of(name, budget, method)[0])
                    points.append(f"{results.mean(name, budget, method, 'rows_a_second'):.6g}\t{above:.6g}")
            if points:
                lines += [f"series\t{TITLES[method]}\t{i}\tpoints"] + points
    return "\n".join(lines) + "\n"


# ---- the page ----------------------------------------------------------------------------------------------------------------


def print_frame(results):
    versions, loads = {}, [line["load"] for line in results.lines]
    for line in results.lines:
        for name, version in line["versions"].items():
            versions.setdefault(name, set()).add(version)
    dates = sorted({line["date"] for line in results.lines})
    paragraph("Written by `bench/peers_page.py` from what `bench/peers.py` measures and `docs/results/peers.jsonl` keeps, of",
              f"{' to '.join(dates[:1] + dates[1:][-1:])}; no number here is typed.",
              f"{'; '.join(sorted({line['machine'] for line in results.lines}))}; load average {sum(loads) / len(loads):.1f} in the mean,",
              f"{max(loads):.1f} at the most. " + ", ".join(f"{name} {' and '.join(sorted(found))}" for name, found in sorted(versions.items()))
              + ".")
    busy = [line for line in results.lines if line["load"] > int(line["machine"].split()[-2]) + 0.5]
    if busy:
        paragraph(f"**During {len(busy)} of {len(results.lines)} fits the machine was busy with other work: a processor second does less",
                  "there than on an idle machine.**")
    paragraph("NLL in nats per row of the test rows, standardised units, lower is better, ± its standard error over the test rows; means",
              "over seeds of the fits, on one split. All methods read the same three files, and have one thread and the same processor",
              "seconds. The others' include some thirty validations. A flow's rate is the best of three by validation, each with the whole",
              "budget and a schedule of its own that ends there; the search of the mixture's components and of the kernel's bandwidth is",
              "within it. Spline flows see the rows through a soft clip, x / (1 + |x| / 5): zuko's splines leave what lies outside of",
              "[-5, 5] as it is. laminar is `laminar fit` with files, seed and budget, and tries nothing out;", LAMINAR_BUDGET + ".")
    print("Rows: " + "; ".join(f"{name}, {SETS[name][2]}" for name in SETS if any(line["set"] == name for line in results.lines)) + ".\n")


def print_page(results):
    print("# Beside other density estimators: measured\n")
    if not results.lines:
        return missing(COMMAND)
    print_frame(results)
    print("## Ranked sets\n")
    budgets = results.budgets(RANKED)
    seeds = max([len(results.of(name, b, method)) for name in SETS for b in BUDGETS for method in METHODS], default=0)
    for budget in budgets:
        print_budget(results, budget, RANKED, seeds)
        say_first(results, budget, RANKED)
    print_ranks(results, budgets)
    if budgets:
        print_details(results, max(b for b in budgets if b != LONG or len(budgets) == 1), RANKED)
        draw("peers", "test NLL above the best of each ranked set, nats a column, against rows scored a processor second", picture(results, budgets))
    others = [name for name in SETS if name not in RANKED]
    budgets = results.budgets(others)
    if budgets:
        print("## Shown, but not ranked\n")
        paragraph("Some columns of these sets are tied or discrete, so the likelihood has no bound, and the lowest NLL shows who put most",
                  "mass into the thinnest spikes: " + "; ".join(f"{name}, {SETS[name][3]}" for name in others) + ".")
        for budget in budgets:
            print_budget(results, budget, others, seeds)
    return None


# ---- self-test ---------------------------------------------------------------------------------------------------------------


def made_up(name, budget, seed, method, rate, test, val, flags=""):
    return {"set": name, "budget": budget, "seed": seed, "method": method, "rate": rate, "flags": flags, "test_nll": test, "test_se": 0.01,
            "val_nll": val, "processor_seconds": budget, "iterations": 10, "parameters": 100, "rows_a_second": 1000, "choice": "",
            "load": 1.0, "machine": "a machine, 2 processors", "versions": {"numpy": "1"}, "date": "2026-01-01", "split": "600+200+200 x 5, 1, 1, 1"}


def self_test():
    lines = [made_up("ccpp", 60, seed, "laminar", None, 1.0 + seed, 1.0) for seed in (1, 2)]
    lines += [made_up("ccpp", 60, 1, "laminar", None, -9.0, -9.0, "--lr 1")]  # an attempt, not the defaults
    lines += [made_up("ccpp", 60, 1, "spline-coupling", rate, test, val) for rate, test, val in zip(RATES, (2.4, 2.2, 2.0), (3, 1, 2))]
    lines += [made_up("ccpp", 60, 1, "spline-autoregressive", RATES[0], 0.0, 0.0)]  # its other rates are still to come
    lines += [made_up("ccpp", 60, 1, "mixture", None, 9.0, 9.0), made_up("ccpp", 60, 1, "mixture", None, 3.0, 3.0)]  # measured again
    results = Results(lines)
    assert results.order("ccpp", 60) == ["spline-coupling", "laminar", "mixture"]
    assert results.mean("ccpp", 60, "spline-coupling", "test_nll") == 2.2  # the rate that is best by validation, not by test
    assert results.mean("ccpp", 60, "laminar", "test_nll") == 2.5 and results.mean("ccpp", 60, "mixture", "test_nll") == 3.0
    assert results.budgets(RANKED) == [60] and ranks(results, [60]) == {}  # not all methods are there
    assert cell(results, "ccpp", 60, "spline-coupling", 2) == "**2.200 ± 0.010** (1 of 2 seeds)"
    lines += [made_up("ccpp", 60, 1, method, rate, 4.0, 4.0) for method in ("spline-autoregressive", "affine-autoregressive", "kernel")
              for rate in (RATES if method in FLOWS else (None,))]
    found = ranks(Results(lines), [60])
    assert found["spline-coupling", 60] == (1, 1) and found["laminar", 60] == (2, 1) and found["kernel", 60][0] > 3
    assert picture(results, [60]).count("series") == 3 and "1000\t0.06\n" in picture(results, [60])  # laminar: 0.3 above, of 5 columns
    print_page(Results(lines)) if "--show" in sys.argv else None
    print("peers_page: rates, seeds, ranks and gaps are as they should be")


def main():
    if sys.argv[1:2] == ["--self-test"]:
        return self_test()
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    return print_page(Results(read_lines(sys.argv[1])))


if __name__ == "__main__":
    main()
