#!/usr/bin/python3
"""The part of docs/results.md on speed, to stdout, from the figures that bench/speed.sh keeps; no number is typed here but the
targets. Draws its pictures by build/bench/plot. What was not measured is said to be missing.

    speed_page.py FIGURES/ PICTURES/ PLOT        (docs/results/speed docs/results build/bench/plot)
"""
import json
import os
import subprocess
import sys
import textwrap

# Set before the work was done, for a machine of 255 GFLOP/s a core.
TARGET_MACHINE = 255
SHARE_OF_CALL = {"power": 0.70, "hepmass": 0.75, "miniboone": 0.85, "gas": 0.80}
SHARE_OF_ITERATION = {"power": 0.55, "gas": 0.55}
TWO_THREADS = 1.9
RATIOS = {"power": (8, 15, 3), "gas": (4, 7.5, 1.6), "hepmass": (5, 9.5, 2.5), "miniboone": (3, 5.5, 1.2), "toy": (25, 25, 10)}
VAE_RATIOS = {"caltech": (4, 1.6), "frey": (4, 1.3)}
MEMORY = {"default": 1024, "--memory 64": 200}
LINEAR = 0.15


def load(name):
    path = os.path.join(sys.argv[1], name + ".json")
    return json.load(open(path)) if os.path.exists(path) else None


def dates_of(found):
    """The days of the measurements, as far as they are kept."""
    peer = found["peer"][0]["ours"] if found["peer"] else None
    vae = found["vae"][0]["ours"] if found["vae"] else None
    parts = (found["bench"], peer, vae, found["scaling"], found["gemm"], found["same_nll"])
    return sorted({part["date"] for part in parts if part and "date" in part})


def paragraph(*parts):
    print(textwrap.fill(" ".join(parts), 130, break_long_words=False, break_on_hyphens=False) + "\n")


def table(heads, rows, left=1):
    print("| " + " | ".join(heads) + " |")
    print("|" + "|".join("---" if i < left else "--:" for i in range(len(heads))) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def percent(x):
    return f"{100 * x:.0f} %"


def verdict(measured, target, less_is_better=False):
    part = target / measured if less_is_better else measured / target
    if part >= 1:
        return "reached"
    return f"{percent(1 / part - 1)} over" if less_is_better else f"{percent(1 - part)} short"


def many(n, thing):
    return f"{n} {thing}{'s' if n > 1 else ''}"


def missing(command):
    print(f"Not measured yet: `{command}`.\n")


def seconds(x):
    return f"{x:.4f}" if x < 0.1 else f"{x:.3f}"


def net(row):
    return f"{row['shape']} ({row['dim']} columns, {row['dims']})"


def calls(line):
    return f"{line['calls_forward']}/{line['calls_backward']}"


def warm(row, start="warm"):
    return next((it for it in row["iterations"] if it["first_step"] == start), row["iterations"][0])


# ---- the machine -------------------------------------------------------------------------------------------------------------


def print_machine(figures):
    bench, peer = figures["bench"], figures["peer"]
    m = bench["machine"]
    one = m["limits"][0]["gflops"]
    rates = ", ".join(f"{x['gflops']:.0f} GFLOP/s on {many(x['threads'], 'thread')}" for x in m["limits"])
    line = peer[0]["peer"][0] if peer else None
    paragraph(f"laminar {bench['version']}, {m['isa']} kernels made by {m['compiler']}; {m['processor']},",
              f"{m['processors']} processors.",
              f"Compared with PyTorch {line['torch']} ({line['blas']})." if line else "",
              f"Multiply-adds in registers, the peak that shares are of: {rates}.",
              f"Load average before and after: {m['load_before']:.2f}, {m['load_after']:.2f}.")
    if m["busy"]:
        paragraph("**The machine was busy with other work while it was measured: figures are lower than they could be.**")
    paragraph(f"The targets were set for a machine of {TARGET_MACHINE} GFLOP/s a core; this one does {one:.0f},",
              f"{percent(one / TARGET_MACHINE)} of that. Where arithmetic bounds laminar it takes longer here by that much, while what",
              "PyTorch spends beside its arithmetic stays: ratios come out smaller. \"At this machine's peak\" is the ratio that code",
              "would have which does the needed arithmetic at the measured peak and nothing else; no implementation that makes",
              "laminar's calls can show more.")


# ---- shares of peak ----------------------------------------------------------------------------------------------------------


def print_calls(bench):
    print("### Calls of the field\n")
    paragraph("f with its trace, as a training solve calls it, one thread; the share is that of the peak.")
    rows, two = [], []
    for row in bench["rows"]:
        target, call = SHARE_OF_CALL.get(row["shape"]), row["forward_derivative"]
        if target is not None and row["threads"] == 1:
            rows.append([net(row), f"{call['ns']:.0f}", f"{call['gflops']:.1f}", percent(row["reverse"]["share"]),
                         percent(target), percent(call["share"]), verdict(call["share"], target)])
    table(["", "ns a row", "GFLOP/s", "its reverse: share", "target", "measured", ""], rows)
    alone = {row["shape"]: row for row in bench["rows"] if row["threads"] == 1}
    for row in bench["rows"]:
        if row["threads"] > 1 and row["shape"] in alone and row["batch-size"] >= 1000:  # a hundred rows are two tiles
            one = alone[row["shape"]]
            call = one["forward_derivative"]["ns"] / row["forward_derivative"]["ns"]
            whole = warm(one)["seconds"] / warm(row)["seconds"]
            two.append([net(row), str(row["batch-size"]), f"{call:.2f}", f"{whole:.2f}", f"{TWO_THREADS}",
                        verdict(whole, TWO_THREADS)])
    if two:
        print("### Two threads against one\n")
        paragraph("Times faster, of a call and of a whole training iteration; the target is for the latter.")
        table(["", "rows", "f, trace", "measured", "target", ""], two)


def print_iterations(bench):
    print("### Whole training iterations\n")
    paragraph("Loss with the penalty, gradient and update, one thread, warm first steps. The arithmetic counted is what is needed:",
              "that of the calls and twice that of the stages pulled back; what is computed again does not count.")
    rows = []
    for row in bench["rows"]:
        if row["threads"] == 1:
            it, target = warm(row), SHARE_OF_ITERATION.get(row["shape"])
            rows.append([net(row), str(row["batch-size"]), calls(it), seconds(it["seconds"]), f"{it['gflops']:.1f}",
                         percent(target) if target else "-", percent(it["share"]),
                         verdict(it["share"], target) if target else "-"])
    table(["", "rows", "calls forward/backward", "s", "GFLOP/s", "target", "measured", ""], rows)


def print_profile(profile):
    if profile is None:
        return missing("bench/profile.sh build/bench/counted docs/results/speed/profile.json")
    paragraph("Where the instructions go, by function and source file (callgrind, POWER's net, AVX2 kernels,",
              f"{profile['instructions'] / 1e6:.0f} million counted):")
    table(["function", "file", "share of instructions"],
          [[f"`{f['name']}`", f"`{f['file']}`", f"{100 * f['share']:.1f} %"] for f in profile["functions"] if f["share"] >= 0.01], 2)


def print_gemm(gemm):
    if gemm is None:
        return missing("/usr/bin/python3 bench/gemm.py --laminar build/laminar --json docs/results/speed/gemm.json")
    print("### Wide nets: would a BLAS be faster?\n")
    paragraph("The products of one call of f with its trace, 1000 rows, one thread, GFLOP/s:",
              f"{gemm['openblas']} ({gemm['kernels']} kernels), which does the products alone; laminar with the identity for its",
              "activation, and the whole call.")
    rows = []
    for s in gemm["shapes"]:
        each = ", ".join(f"{p['gflops']:.0f}" for p in s["products"])
        blas, ours = s["openblas_gflops"], s["laminar_products_gflops"]
        rows.append(["-".join(map(str, s["widths"])), each, f"{blas:.1f}", f"{ours:.1f}", f"{s['laminar_gflops']:.1f}",
                     f"{ours / blas:.2f}"])
    table(["widths", "OpenBLAS by product", "OpenBLAS", "laminar, products", "laminar, whole call", "products: laminar / OpenBLAS"],
          rows)
    slower = [s for s in gemm["shapes"] if s["openblas_gflops"] > s["laminar_products_gflops"]]
    print("So a BLAS would not make these nets faster.\n" if not slower else
          f"So a BLAS would be faster for {', '.join('-'.join(map(str, s['widths'])) for s in slower)}.\n")


# ---- against PyTorch ---------------------------------------------------------------------------------------------------------


def peer_line(case, form, threads=None):
    lines = [line for line in case["peer"] if line["form"] == form and threads in (None, line["threads"])]
    return min(lines, key=lambda line: line["seconds"])


def our_line(case, start, threads=None):
    """The fastest of the matching iterations, with the peak at its number of threads."""
    peaks = {m["threads"]: m["gflops"] for m in case["ours"]["machine"]["limits"]}
    found = [dict(it, threads=row["threads"], peak=peaks[row["threads"]]) for row in case["ours"]["rows"] for it in row["iterations"]
             if it["first_step"] == start and threads in (None, row["threads"])]
    return min(found, key=lambda it: it["seconds"])


def ratio_rows(cases, form, threads, index):
    rows = []
    for case in cases:
        peer, ours, usual = (peer_line(case, form, threads), our_line(case, "probe", threads),
                             our_line(case, "warm", threads))
        blocks, rows_a_batch = case["blocks"], case["ours"]["rows"][0]["batch-size"]
        ratio = peer["seconds"] / ours["seconds"]
        bound = peer["seconds"] * ours["peak"] / (ours["gflops"] * ours["seconds"])
        target = RATIOS[case["shape"]][index] if case["shape"] in RATIOS else None
        name = f"{case['shape']}, {many(blocks, 'block')}, {rows_a_batch} rows, weights x {case['weight_scale']:g}"
        rows.append([name, calls(peer), seconds(peer["seconds"]), calls(ours), seconds(ours["seconds"]), f"{bound:.1f}",
                     f"{target:g}" if target else "-", f"{ratio:.1f}", verdict(ratio, target) if target else "-",
                     f"{peer['seconds'] / usual['seconds']:.1f}"])
    return rows


def print_peer(cases):
    print("### Against PyTorch\n")
    if cases is None:
        return missing("./run bench")
    paragraph("One training iteration with the penalty, from the same weights, rows, noise and times at the same tolerances; PyTorch",
              "takes the fastest of three ways to the trace. In \"measured\" both probe their first steps; \"by default\" is laminar with",
              "its warm ones. Weights x 2 (toy: x 3) bend the field, so that a solve takes more steps. Calls: forward/backward.")
    if any(case["ours"]["machine"]["busy"] for case in cases):
        paragraph("**The machine was busy with other work meanwhile: these ratios are not to be relied on.**")
    heads = ["", "PyTorch: calls", "s", "laminar: calls", "s", "at this machine's peak", "target", "measured, times faster", "",
             "by default"]
    for title, form, threads, index in (
            ("The published algorithm (continuous adjoint, restarted at each observed time), one thread", "published", 1, 0),
            ("The published algorithm, each side's better number of threads", "published", None, 1),
            ("PyTorch reversing its own steps by autograd, one thread", "own-steps", 1, 2)):
        print(f"{title}:\n")
        table(heads, ratio_rows(cases, form, threads, index))


# ---- auto-encoders against PyTorch -------------------------------------------------------------------------------------------

VAE_PARTS = ("encoder", "maps", "flow_forward", "flow_reverse", "decoder", "update")


def vae_row(case, start):
    return next(row for row in case["ours"]["rows"] if row["first_step"] == start and row["threads"] == 1)


def vae_name(case):
    row = case["ours"]["rows"][0]
    return f"{case['shape']} ({row['dims']}, {many(row['blocks'], 'block')}, rank {row['rank']}), weights x {case['weight_scale']:g}"


def vae_ratio_rows(cases, form, has_target):
    rows = []
    for case in cases:
        peer, ours, usual = peer_line(case, form, 1), vae_row(case, "probe"), vae_row(case, "warm")
        flow, whole = peer["flow"] / ours["flow"], peer["seconds"] / ours["seconds"]
        targets = VAE_RATIOS.get(case["shape"]) if has_target else None
        rows.append([vae_name(case), calls(peer), seconds(peer["seconds"]), calls(ours), seconds(ours["seconds"]), f"{flow:.1f}",
                     f"{targets[0]:g}" if targets else "-", verdict(flow, targets[0]) if targets else "-", f"{whole:.2f}",
                     f"{targets[1]:g}" if targets else "-", verdict(whole, targets[1]) if targets else "-",
                     f"{peer['seconds'] / usual['seconds']:.2f}"])
    return rows


def print_vae(cases):
    print("### Auto-encoders against PyTorch\n")
    if cases is None:
        return missing("/usr/bin/python3 bench/compare_vae.py --laminar build/laminar --json docs/results/speed/vae.json")
    paragraph("One training step in the published settings with the penalty, 100 images, one thread, from the same weights, images,",
              "draws, noise and times at the same tolerances; both sides probe their first steps, \"by default\" is laminar with its",
              "warm ones. The flow's part: the maps of features to row-wise parameters, and the flow, forward and reverse. Convolutions,",
              "which both take from oneDNN, are most of the rest.")
    if any(case["ours"]["machine"]["busy"] for case in cases):
        paragraph("**The machine was busy with other work meanwhile: these ratios are not to be relied on.**")
    for case in cases:
        ours = vae_row(case, "probe")["loss"]
        if any(abs(line["loss"] - ours) > 1e-4 * max(1, abs(ours)) for line in case["peer"]):
            paragraph(f"**{vae_name(case)}: the losses differ, so this was not the same work.**")
    heads = ["", "PyTorch: calls", "s", "laminar: calls", "s", "flow's part, times faster", "target", "", "whole step, times faster",
             "target", "", "by default"]
    for title, form, has_target in (("The published algorithm (continuous adjoint, restarted at each observed time)", "published", True),
                                    ("PyTorch reversing its own steps by autograd", "own-steps", False)):
        print(f"{title}:\n")
        table(heads, vae_ratio_rows(cases, form, has_target))
    print("Shares of the step:\n")
    rows = []
    for case in cases:
        for name, line in [("laminar", vae_row(case, "probe"))] + [(f"PyTorch, {f}", peer_line(case, f, 1)) for f in
                                                                   ("published", "own-steps")]:
            rows.append([case["shape"] + f" x {case['weight_scale']:g}", name, seconds(line["seconds"])]
                        + [percent(line["parts"][p] / line["seconds"]) for p in VAE_PARTS])
    table(["", "", "s"] + [p.replace("_", " ") for p in VAE_PARTS], rows, 2)


# ---- memory, scaling, training -----------------------------------------------------------------------------------------------


def print_memory(bench, small):
    print("### Memory\n")
    paragraph("Peak resident memory of the whole process, HEPMASS's flow, iterations with warm first steps, one thread.")
    rows = []
    for name, found in (("default", bench), ("--memory 64", small)):
        row = next((r for r in found["rows"] if r["shape"] == "hepmass" and r["threads"] == 1), None) if found else None
        if row is not None:
            peak = warm(row)["peak_mib"]
            rows.append([name, str(row["batch-size"]), str(row["blocks"]), f"under {MEMORY[name]} MiB", f"{peak:.0f} MiB",
                         verdict(peak, MEMORY[name], True)])
    if not rows:
        return missing("bench/speed.sh")
    table(["", "rows", "blocks", "target", "measured", ""], rows)


def draw(name, text, lines):
    path = os.path.join(sys.argv[2], name + ".svg")
    subprocess.run([sys.argv[3], path], input=lines, text=True, check=True)
    print(f"![{text}]({os.path.basename(sys.argv[2])}/{name}.svg)\n")


def cost(p):
    return 1e9 * p["seconds"] / p["rows"] / p["calls"]


def print_scaling(scaling):
    print("### Cost against rows and columns\n")
    if scaling is None:
        return missing("bench/scaling.py --laminar build/laminar --json docs/results/speed/scaling.json")
    paragraph("Fixed steps (rk4, four a block), so that every iteration makes the same calls; one thread. ns: of a row and call,",
              "forward or backward.")
    batches = sorted(scaling["batches"], key=lambda p: p["rows"])
    last = cost(batches[-1])
    heads = ["rows per batch (POWER's net)", "s an iteration", "ns a row and call", "against the largest", "share of peak",
             "calls recomputed", "peak MiB"]
    table(heads, [[str(p["rows"]), seconds(p["seconds"]), f"{cost(p):.0f}", f"{100 * (cost(p) / last - 1):+.0f} %",
                   percent(p["share"]), str(p["recomputed"]), f"{p['peak_mib']:.0f}"] for p in batches])
    outside = [p["rows"] for p in batches if abs(cost(p) / last - 1) > LINEAR]
    start = next(p["rows"] for p in batches if not outside or p["rows"] > max(outside))  # the largest is never outside
    paragraph(f"Target: linear in the rows within {percent(LINEAR)}.", "Reached for all batches." if not outside else
              f"Reached from {start} rows on, not by all smaller batches." if start != batches[-1]["rows"] else
              "Not reached below the largest batch.")
    nets = list(dict.fromkeys(p["net"] for p in scaling["columns"]))
    rows = [[str(p["columns"]), p["net"], f"{cost(p):.0f}", f"{cost(p) / p['columns']:.1f}", percent(p["share"])]
            for name in nets for p in scaling["columns"] if p["net"] == name]
    table(["columns", "hidden layers", "ns a row and call", "ns a row, call and column", "share of peak"], rows)
    lines = ["panel\tby rows, POWER's net\trows a batch\tns a row and call\tlogx\tzero", "series\tlaminar, one thread\t0\tsolid"]
    lines += [f"{p['rows']}\t{cost(p):.6g}" for p in batches]
    lines.append("panel\tby columns, 1000 rows\tcolumns\tns a row and call\tlogx\tlogy")
    for i, name in enumerate(nets):
        lines.append(f"series\thidden {name}\t{i + 1}\t{'dashed' if i else 'solid'}")
        lines += [f"{p['columns']}\t{cost(p):.6g}" for p in scaling["columns"] if p["net"] == name]
    draw("speed-scaling", "cost of a row and call against the batch and against the columns", "\n".join(lines) + "\n")


def print_training(same):
    print("### Seconds to the same validation NLL\n")
    if same is None:
        return missing("/usr/bin/python3 bench/same_nll.py --laminar build/laminar --work build/same_nll "
                       "--json docs/results/speed/same_nll.json")
    peer, ours = same["reached"]["peer"], same["reached"]["laminar"]
    threads = same["peer"]["threads"]
    paragraph("power_month, POWER's net with the penalty, the same weights to begin with and the same rows; validation by laminar's",
              "exact trace for both. PyTorch: the published algorithm, Gaussian noise, Adam,",
              f"{many(threads, 'thread')} (the faster number). laminar: its defaults, {same['laminar']['threads']} threads.",
              f"Seconds are of training steps alone. The target is the best NLL that PyTorch reached in {same['budget']:.0f} s;",
              f"load average {same['load'][0]:.2f} before, {same['load'][1]:.2f} after.")
    heads = ["", "iterations", "s", "processor s", f"validation NLL (to reach: {same['target_nll']:.4f})"]
    table(heads, [[name, str(p["iteration"]), f"{p['seconds']:.1f}", f"{p['cpu_seconds']:.1f}", f"{p['nll']:.4f}"]
                  for name, p in (("PyTorch", peer), ("laminar", ours))])
    paragraph(f"laminar is there in {ours['seconds'] / peer['seconds']:.3f} of the seconds ({peer['seconds'] / ours['seconds']:.1f} times",
              f"sooner) and {ours['cpu_seconds'] / peer['cpu_seconds']:.3f} of the processor seconds.")
    lines = ["panel\t\tseconds of training\tvalidation NLL, nats per row\tlogx"]
    sides = (("PyTorch, the published algorithm", same["peer"]["points"]), ("laminar", same["laminar"]["points"]))
    for i, (name, points) in enumerate(sides):
        lines.append(f"series\t{name}\t{i}\t{'solid' if i else 'dashed'}")
        lines += [f"{p['seconds']:.6g}\t{p['nll']:.6g}" for p in points]
    draw("speed-training", "validation NLL against seconds of training", "\n".join(lines) + "\n")


def main():
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    names = ("bench", "memory", "peer", "vae", "scaling", "same_nll", "profile", "gemm")
    figures = {name: load(name) for name in names}
    dates = dates_of(figures)
    print("# How fast it is: measured\n")
    if figures["bench"] is None:
        return missing("bench/speed.sh")
    paragraph("Written by `bench/speed_page.py` from the figures that `bench/speed.sh` measures and `docs/results/speed` keeps,",
              f"of {' to '.join(dates[:1] + dates[1:][-1:])}.")
    print_machine(figures)
    print_calls(figures["bench"])
    print_iterations(figures["bench"])
    print_profile(figures["profile"])
    print_peer(figures["peer"])
    print_vae(figures["vae"])
    print_memory(figures["bench"], figures["memory"])
    print_scaling(figures["scaling"])
    print_training(figures["same_nll"])
    print_gemm(figures["gemm"])
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "speed_notes.md")) as notes:
        print("\n" + notes.read().strip())


if __name__ == "__main__":
    main()
