#!/usr/bin/python3
"""The training step of `laminar bench` in plain PyTorch, float32, for comparison; prints one JSON line a measurement.

    laminar bench --problems P/            writes the problems: weights, rows, noise, observation times
    peer_torch.py P/power.safetensors      solves them, in two forms:
        published   solve forward past the end, interpolate at the observed times; the gradient by the continuous adjoint,
                    restarted at each of them, parameter gradients in its error norm (as torchdiffeq 0.2.5 does)
        own-steps   land on the end; reverse the steps taken, by autograd through them
    peer_torch.py vae ...                  the training step of an auto-encoder: see peer_vae.py
    peer_torch.py --self-test VECTORS/     checks steps, solutions and gradients against golden vectors, in double

The trace estimate comes from the fastest of three ways, timed call by call: autograd's double backward; the forward derivative
carried along, stacked under the value (2B rows a product); the same in two products of B rows.
"""
import argparse
import ctypes
import glob
import json
import os
import resource
import statistics
import subprocess
import sys
import time

FORMS = ("published", "own-steps")


def clean_environment(threads):
    """PyTorch at its best: no inherited BLAS settings, threads as asked for, freed arrays kept for reuse by malloc."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("OPENBLAS_", "MKL_", "OMP_", "GOMP_", "MALLOC_"))}
    env.update(OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads), OMP_WAIT_POLICY="PASSIVE",
               MALLOC_MMAP_THRESHOLD_="4294967296", MALLOC_TRIM_THRESHOLD_="8589934592", MALLOC_TOP_PAD_="67108864",
               PEER_TORCH_CLEAN=str(threads))
    return env


if __name__ == "__main__" and os.environ.get("PEER_TORCH_CLEAN") is None:
    os.execve(sys.executable, [sys.executable] + sys.argv, clean_environment(1))

import numpy as np
import torch

sys.dont_write_bytecode = True  # no __pycache__ in the tree
from torch_flow import KINDS, Field, Flow, Solver

# ---- problems from files ----------------------------------------------------------------------------------------------------


def read_safetensors(path):
    with open(path, "rb") as stream:
        size = int.from_bytes(stream.read(8), "little")
        header = json.loads(stream.read(size))
        body = stream.read()
    types = {"F32": np.float32, "F64": np.float64, "U8": np.uint8}
    tensors = {}
    for name, item in header.items():
        if name != "__metadata__":
            begin, end = item["data_offsets"]
            tensors[name] = np.frombuffer(body[begin:end], types[item["dtype"]]).reshape(item["shape"])
    return tensors, header.get("__metadata__", {})


class Problem:
    def __init__(self, path):
        tensors, meta = read_safetensors(path)
        self.shape = os.path.basename(path).split(".")[0]
        self.rows = torch.tensor(tensors["rows"])
        self.noise = torch.tensor(tensors["noise"]) if "noise" in tensors else None
        self.times = tensors["times"].tolist() if "times" in tensors else [0.0, 1.0]
        self.fields, self.end_times = [], []
        while f"chain.{len(self.fields)}.sqrt_end_time" in tensors:
            head = f"chain.{len(self.fields)}."
            self.end_times.append(float(tensors[head + "sqrt_end_time"]) ** 2)
            own = {n[len(head) + len("odefunc.diffeq."):]: torch.tensor(v) for n, v in tensors.items()
                   if n.startswith(head + "odefunc")}
            self.fields.append(Field(own, self.rows.shape[1], meta["nonlinearity"]))
        self.settings = {"atol": float(meta["atol"]), "rtol": float(meta["rtol"]), "end_times": self.end_times,
                         "alpha": float(meta["tpr-coefficient"]), "degree": int(meta["tpr-degree"])}

    def graph_bytes(self, calls):
        """Of a kept graph: about three arrays a layer output of value and derivatives, all stages."""
        planes = 2 if self.noise is not None else 1 + self.rows.shape[1]
        widths = sum(l["w"].shape[0] for l in self.fields[0].layers)
        return 3 * 4 * planes * widths * len(self.rows) * calls


# ---- measuring ---------------------------------------------------------------------------------------------------------------


def blas_name():
    """The OpenBLAS in this process and the kernels that it picked."""
    paths = {line.split()[-1] for line in open("/proc/self/maps") if "openblas" in line or "libblas" in line}
    for path in sorted(paths, key=lambda p: "openblas" not in p):
        lib = ctypes.CDLL(path)
        try:
            lib.openblas_get_corename.restype = lib.openblas_get_config.restype = ctypes.c_char_p
            version = lib.openblas_get_config().decode().split(" NO_")[0].split(" USE")[0].strip()
            return f"{version}, {lib.openblas_get_corename().decode()} kernels"
        except AttributeError:
            continue
    return "not OpenBLAS: " + (", ".join(sorted(paths)) or torch.__config__.show().split("\n")[0])


def time_kinds(problem, flow, ways=KINDS):
    """Milliseconds of a forward call and of a call with its vector-Jacobian product, a way of taking the trace each."""
    field, noise, n = problem.fields[0], None if problem.noise is None else problem.noise[0], len(problem.rows)
    found = {}
    for name, kind in ways.items():
        times = ([], [])
        spent = time.perf_counter()
        for i in range(50):
            with torch.no_grad():
                start = time.perf_counter()
                kind(field, 0.5, problem.rows, noise)
                times[0].append(time.perf_counter() - start)
            with torch.enable_grad():
                start = time.perf_counter()
                z = problem.rows.detach().requires_grad_()
                value, trace = kind(field, 0.5, z, noise)
                torch.autograd.grad([value, -trace], [z] + field.parameters, [value.detach(), torch.full_like(trace, 1 / n)])
                times[1].append(time.perf_counter() - start)
            if i >= 3 and time.perf_counter() - spent > 2:
                break
        found[name] = [1e3 * statistics.median(t[1:]) for t in times]
    return found


def free_bytes():
    for line in open("/proc/meminfo"):
        if line.startswith("MemAvailable"):
            return int(line.split()[1]) * 1024
    return 4 << 30


def measure(path, form, threads, args):
    torch.set_num_threads(threads)
    problem = Problem(path)
    problem.settings["even"] = args.steps
    flow = Flow(problem.fields, problem.settings)
    kinds = time_kinds(problem, flow)
    graph = args.graph
    if form == "own-steps" and graph == "auto":
        graph = "keep" if problem.graph_bytes(7 * 3 * len(problem.fields)) < 0.4 * free_bytes() else "steps"
    # a call with its product is the costlier and, in either form, as frequent
    name = args.kind or min(kinds, key=lambda k: kinds[k][1] + (0 if form == "own-steps" else 0.5 * kinds[k][0]))
    flow.kind = KINDS[name]
    optimizer = torch.optim.Adam(flow.parameters, lr=0.0)  # the arithmetic of a step, the same weights for every repeat
    noise = None if problem.noise is None else torch.empty_like(problem.noise)
    seconds = []
    while len(seconds) < args.warmup + args.repeats or (sum(seconds) < 1 and len(seconds) < 100):
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        if noise is not None:  # a training step draws its noise; this one then takes that of the file
            noise.bernoulli_().mul_(2).sub_(1)
        report = flow.loss(flow.fields, problem.rows, problem.noise, problem.times, form, graph=graph)
        optimizer.step()
        seconds.append(time.perf_counter() - start)
    del report["grad_x"]
    line = {"shape": problem.shape, "rows": len(problem.rows), "blocks": len(problem.fields), "form": form,
            "derivative": name, "ms_a_call": kinds, "threads": threads,
            "seconds": statistics.median(seconds[args.warmup:]), "fastest": min(seconds[args.warmup:]),
            "repeats": len(seconds) - args.warmup, "calls_forward": report["forward"], "calls_backward": report["backward"],
            "calls_recomputed": report["recomputed"], "accepted": report["accepted"], "rejected": report["rejected"],
            "loss": report["loss"], "nll": report["nll"], "tpr": report["tpr"],
            "graph": graph if form == "own-steps" else None, "even_steps": args.steps,
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "torch": torch.__version__, "blas": blas_name()}
    print(json.dumps(line), flush=True)


# ---- self-test -----------------------------------------------------------------------------------------------------------------


def check(what, value, limit):
    if not value <= limit:
        raise SystemExit(f"self-test: {what}: {value:.3g}, at most {limit:.3g} expected")


def test_vectors(path):
    data = np.load(path)
    own = {n[len("param."):]: torch.tensor(data[n]) for n in data.files if n.startswith("param.")}
    field = Field(own, data["x"].shape[1], "tanh" if "_tanh" in path else "softplus")
    x, e = torch.tensor(data["x"]), torch.tensor(data["e"])
    for kind_name, kind in KINDS.items():
        for trace, noise in (("exact", None), ("hutch", e)):
            for tol in ("1e-9", "1e-5", "1e-4"):
                flow = Flow([field], {"atol": float(tol), "rtol": float(tol), "end_times": [1.0]}, torch.float64)
                flow.kind = kind
                solver = Solver(flow.derivative(field, noise), 1, flow.norms, flow.atol, flow.rtol)
                with torch.no_grad():
                    z, l = solver.run(0.0, 1.0, [x, torch.zeros(len(x), dtype=x.dtype)], [1.0])[-1]
                head = f"dopri5_{trace}_{tol}_"
                counts = [solver.calls, solver.accepted, solver.rejected]
                if counts != data[head + "counts"].tolist():
                    raise SystemExit(f"self-test: {path} {head}: {counts} calls, accepted, rejected; not "
                                     f"{data[head + 'counts'].tolist()}")
                check(f"{path} {head}z", np.abs(z.numpy() - data[head + "z"]).max(), 1e-11)
                check(f"{path} {head}dlogp", np.abs(l.numpy() - data[head + "dlogp"]).max(), 1e-10)
            for form, graph, tol, limit in (("own-steps", "keep", 1e-10, 1e-6), ("own-steps", "steps", 1e-10, 1e-6),
                                            ("published", None, 1e-10, 1e-6)):
                flow = Flow([field], {"atol": tol, "rtol": tol, "end_times": [1.0]}, torch.float64)
                flow.kind = kind
                for p in flow.parameters:
                    p.grad = None
                report = flow.loss([field], x, None if noise is None else noise[None], data["t4"].tolist(), form, "land-all",
                                   graph)
                wanted = data[f"loss_{trace}"]
                for i, part in enumerate(("loss", "nll", "tpr")):
                    check(f"{path} {kind_name} {form} {part}", abs(report[part] - wanted[i]) / max(1, abs(wanted[i])), 1e-8)
                pairs = [("x", report["grad_x"].numpy())]
                for k, l in enumerate(field.layers):
                    head = f"layers.{k}._layer."
                    w = l["w"].grad if l["gate"] else torch.cat([l["u"].grad[:, None], l["w"].grad], 1)
                    pairs += [(head + "weight", w.numpy()), (head + "bias", l["b"].grad.numpy())]
                    if l["gate"]:
                        pairs += [(f"layers.{k}._hyper_gate.weight", l["g"].grad[:, None].numpy()),
                                  (f"layers.{k}._hyper_gate.bias", l["c"].grad.numpy()),
                                  (f"layers.{k}._hyper_bias.weight", l["u"].grad[:, None].numpy())]
                for name, g in pairs:
                    right = data[f"grad_{trace}.{name}"]
                    check(f"{path} {kind_name} {form} {graph} {trace} gradient of {name}",
                          np.abs(g - right).max() / np.abs(right).max(), limit)
    print(f"{os.path.basename(path)}: counts, states, loss and gradients agree", flush=True)


def self_test(folder):
    torch.set_num_threads(1)
    paths = sorted(glob.glob(os.path.join(folder, "*_concat_[st]*.npz")) + glob.glob(os.path.join(folder, "*_concatsquash_*.npz")))
    if not paths:
        raise SystemExit(f"self-test: no golden vectors in {folder}")
    for path in paths:
        test_vectors(path)


# ---- command line ----------------------------------------------------------------------------------------------------------------


def main():
    if sys.argv[1:2] == ["vae"]:
        import peer_vae
        return peer_vae.main(sys.argv[2:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("problems", nargs="*", metavar="FILE.safetensors")
    parser.add_argument("--self-test", metavar="VECTORS/")
    parser.add_argument("--form", choices=FORMS, action="append", help="default: both")
    parser.add_argument("--threads", default="1,2", help="thread counts to measure, each in a process of its own")
    parser.add_argument("--kind", choices=list(KINDS), help="how to take the trace; default: the fastest")
    parser.add_argument("--graph", choices=("auto", "keep", "steps"), default="auto",
                        help="own-steps: keep the graph of the whole solve (auto: if memory allows), or make each step's again")
    parser.add_argument("--steps", type=int, default=0, help="that many equal steps a solve instead of step control")
    parser.add_argument("--repeats", type=int, default=3, help="at least; short iterations are repeated for a second")
    parser.add_argument("--warmup", type=int, default=1)
    args = parser.parse_args()
    if args.self_test:
        return self_test(args.self_test)
    if not args.problems:
        parser.error("name problem files, or --self-test")
    forms, counts = args.form or list(FORMS), [int(n) for n in args.threads.split(",")]
    mine = int(os.environ["PEER_TORCH_CLEAN"])
    if len(args.problems) == len(forms) == len(counts) == 1 and counts[0] == mine:
        return measure(args.problems[0], forms[0], mine, args)
    rest = ["--steps", str(args.steps), "--repeats", str(args.repeats), "--warmup", str(args.warmup), "--graph", args.graph]
    rest += ["--kind", args.kind] if args.kind else []
    for path in args.problems:
        for form in forms:
            for threads in counts:
                command = [sys.executable, os.path.abspath(__file__), path, "--form", form, "--threads", str(threads)] + rest
                if subprocess.run(command, env=clean_environment(threads)).returncode != 0:
                    raise SystemExit(f"peer_torch: {path}, {form}, {threads} threads: failed")


if __name__ == "__main__":
    main()
