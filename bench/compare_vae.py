#!/usr/bin/python3
"""Runs `laminar vae bench` and `peer_torch.py vae` on the same problems, one after the other, and prints the ratios of their times.

    compare_vae.py --laminar build/laminar [--full] [--shape caltech,frey] [--json FILE]

Both sides start from the same weights, images, draws, noise and observation times, with the same tolerances, and choose their first
steps by probe. "The flow's" are the maps of features to row-wise parameters and the flow itself, forward and reverse.
"""
import argparse
import json
import os
import sys
import tempfile

from compare_peer import calls, print_grid, run, seconds

HERE = os.path.dirname(os.path.abspath(__file__))

# shape, weight scale
QUICK = [("caltech", 1), ("frey", 1)]
FULL = [(shape, scale) for scale in (1, 2) for shape in ("caltech", "frey", "mnist", "omniglot")]

# Of the issue that asked for this comparison, one thread, published algorithm: the flow's part, the whole step.
TARGETS = {"caltech": (4, 1.6), "frey": (4, 1.3)}
PARTS = ("encoder", "maps", "flow_forward", "flow_reverse", "decoder", "update")


def measure(args, shape, scale, folder):
    flags = ["--shape", shape, "--weight-scale", str(scale)]
    path = os.path.join(folder, f"{shape}.safetensors")
    run([args.laminar, "vae", "bench", "--problems", folder] + flags)
    ours = json.loads(run([args.laminar, "vae", "bench", "--json", "-"] + flags + ([] if args.full else ["--quick"])))
    counts = [m["threads"] for m in ours["machine"]["limits"]] if args.full else [1]
    peer = [json.loads(line) for line in run([sys.executable, os.path.join(HERE, "peer_torch.py"), "vae", path, "--threads",
                                             ",".join(map(str, counts)), "--repeats", str(args.repeats)]).splitlines()]
    os.remove(path)
    return {"shape": shape, "weight_scale": scale, "blocks": ours["rows"][0]["blocks"], "ours": ours, "peer": peer}


def ours_of(case, start, threads=1):
    return next(row for row in case["ours"]["rows"] if row["first_step"] == start and row["threads"] == threads)


def peer_of(case, form, threads=1):
    return next(line for line in case["peer"] if line["form"] == form and line["threads"] == threads)


def label(case):
    return f"{case['shape']}, {case['blocks']} block{'s' if case['blocks'] > 1 else ''}, weights x {case['weight_scale']:g}"


def print_form(title, cases, form, has_target):
    rows = [["", "calls", "s", "the flow's, s", "ours: calls", "s", "the flow's, s", "flow: ratio", "target", "step: ratio", "target",
             "ours warm, s", "ratio"]]
    for case in cases:
        peer, ours, warm = peer_of(case, form), ours_of(case, "probe"), ours_of(case, "warm")
        wanted = [f"{t:g}" for t in TARGETS[case["shape"]]] if has_target and case["shape"] in TARGETS else ["-", "-"]
        rows.append([label(case), calls(peer), seconds(peer["seconds"]), seconds(peer["flow"]), calls(ours), seconds(ours["seconds"]),
                     seconds(ours["flow"]), f"{peer['flow'] / ours['flow']:.1f}", wanted[0],
                     f"{peer['seconds'] / ours['seconds']:.2f}", wanted[1], seconds(warm["seconds"]),
                     f"{peer['seconds'] / warm['seconds']:.2f}"])
    print(f"\n{title}, one thread; calls forward/backward")
    print_grid(rows)


def print_parts(cases):
    rows = [["seconds, and share of the step", "threads", "s"] + [p.replace("_", " ") for p in PARTS] + ["peak MiB"]]
    for case in cases:
        lines = [(f"laminar, {row['first_step']}", row) for row in case["ours"]["rows"]]
        lines += [(f"PyTorch, {line['form']}", line) for line in case["peer"]]
        for name, line in lines:
            parts = [f"{seconds(line['parts'][p])} {100 * line['parts'][p] / line['seconds']:3.0f} %" for p in PARTS]
            rows.append([f"{label(case)}: {name}", str(line["threads"]), seconds(line["seconds"])] + parts + [f"{line['peak_mib']:.0f}"])
    print()
    print_grid(rows)


def print_losses(cases):
    rows = [["loss", "laminar"] + ["PyTorch, published", "own-steps", "agree"]]
    for case in cases:
        ours = ours_of(case, "probe")["loss"]
        peers = [peer_of(case, form)["loss"] for form in ("published", "own-steps")]
        agree = all(abs(x - ours) <= 1e-4 * max(1, abs(ours)) for x in peers)
        rows.append([label(case), f"{ours:.4f}"] + [f"{x:.4f}" for x in peers] + ["yes" if agree else "NO: not the same work"])
    print_grid(rows)


def report(cases):
    machine, line = cases[0]["ours"]["machine"], cases[0]["peer"][0]
    print(f"laminar {cases[0]['ours']['version']}, {machine['isa']} kernels made by {machine['compiler']}; PyTorch {line['torch']}, "
          f"{line['blas']}, convolutions by {'oneDNN' if line['onednn'] else 'its own loops'}")
    print(f"{machine['processor']}, {machine['processors']} processors; load {machine['load_before']:.2f}")
    if any(case["ours"]["machine"]["busy"] for case in cases):
        print("this machine was busy with other work: the ratios are not to be relied on")
    print()
    print_losses(cases)
    print_parts(cases)
    print("\nPyTorch takes: " + "; ".join(f"{label(c)}, {line['form']}, {line['threads']}: trace by {line['derivative']}, gates "
                                         f"{line['gates']}" for c in cases for line in c["peer"]))
    print_form("against the published algorithm (continuous adjoint, restarted at each observed time)", cases, "published", True)
    print_form("against PyTorch reversing its own steps", cases, "own-steps", False)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--laminar", required=True, metavar="PROGRAM")
    parser.add_argument("--full", action="store_true", help="every shape, weights doubled too, all processors too")
    parser.add_argument("--shape", help="these only, by name")
    parser.add_argument("--repeats", type=int, default=3, help="of the peer's steps")
    parser.add_argument("--json", metavar="FILE", help="write all figures here too")
    args = parser.parse_args()
    chosen = args.shape.split(",") if args.shape else None
    plan = [c for c in (FULL if args.full else QUICK) if chosen is None or c[0] in chosen]
    if not plan:
        parser.error(f"--shape {args.shape}: none of these is in the plan; --full has all shapes")
    cases = []
    with tempfile.TemporaryDirectory() as folder:
        for shape, scale in plan:
            print(f"measuring {shape}, weights x {scale}", file=sys.stderr, flush=True)
            cases.append(measure(args, shape, scale, folder))
    if args.json:
        with open(args.json, "w") as stream:
            json.dump(cases, stream, indent=1)
    report(cases)


if __name__ == "__main__":
    main()
