#!/usr/bin/python3
"""Runs `laminar bench` and peer_torch.py on the same problems, one after the other, and prints the ratios of their times.

    compare_peer.py --laminar build/laminar [--full] [--shape power,gas] [--json FILE]

Both sides start from the same weights, rows, noise and observation times, with the same tolerances, and choose their first steps
by probe; the table shows the calls of both. "all processors" is the best of one thread and all, on either side. The weights
are the initial ones, with which a field bends little (about two steps per block), and the same doubled (toy: tripled), which
makes it three steps and more.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))

# shape, weight scale, blocks (None: all)
QUICK = [("power", 1, None), ("gas", 1, None), ("hepmass", 1, 2), ("miniboone", 1, None), ("toy", 1, None),
         ("power", 2, 2), ("gas", 2, 2), ("toy", 3, None)]
FULL = [(shape, 1 if initial else 3 if shape == "toy" else 2, None) for initial in (True, False)
        for shape in ("power", "gas", "hepmass", "miniboone", "bsds300", "protein", "toy")]

# Of the issue that asked for this comparison: published algorithm on one thread, on two, reversing its own steps on one.
TARGETS = {"power": (8, 15, 3), "gas": (4, 7.5, 1.6), "hepmass": (5, 9.5, 2.5), "miniboone": (3, 5.5, 1.2), "toy": (25, 25, 10)}


def run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"compare_peer: this failed: {' '.join(command)}")
    return done.stdout


def measure(args, shape, scale, blocks, folder):
    """Figures of ours and the peer's lines for one problem."""
    flags = ["--shape", shape, "--weight-scale", str(scale)] + (["--blocks", str(blocks)] if blocks else [])
    path = os.path.join(folder, f"{shape}.safetensors")
    run([args.laminar, "bench", "--problems", folder] + flags)
    ours = json.loads(run([args.laminar, "bench", "--json", "-"] + flags + ([] if args.full else ["--quick"])))
    threads = ",".join(str(m["threads"]) for m in ours["machine"]["limits"])
    peer = [json.loads(line) for line in run([sys.executable, os.path.join(HERE, "peer_torch.py"), path, "--threads", threads,
                                             "--repeats", str(args.repeats)]).splitlines()]
    return {"shape": shape, "weight_scale": scale, "blocks": ours["rows"][0]["blocks"], "ours": ours, "peer": peer}


def ours_of(case, start):
    """{threads: iteration}"""
    found = {}
    for row in case["ours"]["rows"]:
        for it in row["iterations"]:
            if it["first_step"] == start:
                found[row["threads"]] = it
    return found


def peer_of(case, form):
    return {line["threads"]: line for line in case["peer"] if line["form"] == form}


def best(lines):
    return min(lines.values(), key=lambda line: line["seconds"])


def seconds(x):
    return f"{x:.4f}" if x < 0.1 else f"{x:.3f}"


def print_grid(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths))).rstrip())


def label(case):
    return f"{case['shape']}, {case['blocks']} block{'s' if case['blocks'] > 1 else ''}, weights x {case['weight_scale']:g}"


def calls(line):
    return f"{line['calls_forward']}/{line['calls_backward']}"


def print_form(title, cases, form, targets):
    """targets: index into TARGETS for one thread and for all, or None."""
    rows = [["", "calls", "1 thread, s", "ours: calls", "s", "ratio", "target", "all processors, s", "ours: s", "ratio",
             "target", "ours warm, s", "ratio"]]
    for case in cases:
        peer, ours, warm = peer_of(case, form), ours_of(case, "probe"), ours_of(case, "warm")
        wanted = [f"{TARGETS[case['shape']][i]:g}" if case["shape"] in TARGETS and i is not None else "-" for i in targets]
        one, mine = peer[1], ours[1]
        rows.append([label(case), calls(one), seconds(one["seconds"]), calls(mine), seconds(mine["seconds"]),
                     f"{one['seconds'] / mine['seconds']:.1f}", wanted[0], seconds(best(peer)["seconds"]),
                     seconds(best(ours)["seconds"]), f"{best(peer)['seconds'] / best(ours)['seconds']:.1f}", wanted[1],
                     seconds(best(warm)["seconds"]), f"{best(peer)['seconds'] / best(warm)['seconds']:.1f}"])
    print(f"\n{title}")
    print_grid(rows)


def print_peer(cases):
    rows = [["PyTorch", "form", "threads", "trace by", "ms a call", "with its reverse", "calls", "s", "peak MiB", "graph"]]
    for case in cases:
        for line in case["peer"]:
            ms = line["ms_a_call"][line["derivative"]]
            rows.append([label(case), line["form"], str(line["threads"]), line["derivative"], f"{ms[0]:.2f}", f"{ms[1]:.2f}",
                         calls(line), seconds(line["seconds"]), f"{line['peak_mib']:.0f}",
                         {"keep": "kept", "steps": "remade", None: "-"}[line["graph"]]])
    print()
    print_grid(rows)


def print_ours(cases):
    rows = [["laminar", "first step", "threads", "calls", "recomputed", "s", "GFLOP/s", "of peak", "peak MiB"]]
    for case in cases:
        for row in case["ours"]["rows"]:
            for it in row["iterations"]:
                rows.append([label(case), it["first_step"], str(row["threads"]), calls(it), str(it["calls_recomputed"]),
                             seconds(it["seconds"]), f"{it['gflops']:.1f}", f"{100 * it['share']:.0f} %", f"{it['peak_mib']:.0f}"])
    print()
    print_grid(rows)


def print_warnings(cases):
    for case in cases:
        ours = ours_of(case, "probe")[1]
        for line in case["peer"]:
            if abs(line["loss"] - ours["loss"]) > 1e-3 * max(1, abs(ours["loss"])):
                print(f"{label(case)}: the losses differ, {ours['loss']:.6g} and {line['loss']:.6g} ({line['form']}): not the same work")
            if line["form"] == "own-steps" and line["calls_forward"] != ours["calls_forward"]:
                print(f"{label(case)}: {ours['calls_forward']} calls forward here, {line['calls_forward']} there")
    if any(case["ours"]["machine"]["busy"] for case in cases):
        print("this machine was busy with other work: the ratios are not to be relied on")


def report(cases):
    machine, line = cases[0]["ours"]["machine"], cases[0]["peer"][0]
    limits = ", ".join(f"{m['gflops']:.0f} on {m['threads']}" for m in machine["limits"])
    print(f"laminar {cases[0]['ours']['version']}, {machine['isa']} kernels made by {machine['compiler']}; "
          f"PyTorch {line['torch']}, {line['blas']}")
    print(f"{machine['processor']}, {machine['processors']} processors; multiply-adds, GFLOP/s: {limits}; load "
          f"{machine['load_before']:.2f}")
    print_warnings(cases)
    print_ours(cases)
    print_peer(cases)
    print_form("against the published algorithm (continuous adjoint, restarted at each observed time); calls forward/backward",
               cases, "published", (0, 1))
    print_form("against PyTorch reversing its own steps; calls forward/backward", cases, "own-steps", (2, None))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--laminar", required=True, metavar="PROGRAM")
    parser.add_argument("--full", action="store_true", help="every shape with all its blocks, longer measurements; about an hour")
    parser.add_argument("--shape", help="these only, by name")
    parser.add_argument("--repeats", type=int, default=3, help="of the peer's iterations")
    parser.add_argument("--json", metavar="FILE", help="write all figures here too")
    args = parser.parse_args()
    chosen = args.shape.split(",") if args.shape else None
    plan = [c for c in (FULL if args.full else QUICK) if chosen is None or c[0] in chosen]
    if not plan:
        parser.error(f"--shape {args.shape}: none of these is in the plan; --full has all shapes")
    cases = []
    with tempfile.TemporaryDirectory() as folder:
        for shape, scale, blocks in plan:
            print(f"measuring {shape}, weights x {scale}", file=sys.stderr, flush=True)
            cases.append(measure(args, shape, scale, blocks, folder))
    if args.json:
        with open(args.json, "w") as stream:
            json.dump(cases, stream, indent=1)
    report(cases)


if __name__ == "__main__":
    main()
