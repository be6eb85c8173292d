"""The training step of `laminar vae bench` in plain PyTorch, float32; prints one JSON line a measurement.

    laminar vae bench --problems P/                 writes the problems: weights, images, draws, noise, observation times
    peer_torch.py vae P/caltech.safetensors         solves them, in the two forms of peer_torch.py
    peer_torch.py vae --self-test                   checks the two forms against each other, in double

The encoder's features give mu, v and, by a linear map a block, each row's U, V and b of the flow's layers. As published, the adjoint
solve carries the gradient of all parameters, a row's U, V and b among them, and its error norm sees each tensor's root mean
square, theirs as one tensor. Left out, in this program's own favour, is what the published code does besides: it carries a copy of
U, V and b through every solve as states that do not move, and puts all gradients in one vector at each call.

Of these the faster one is taken: for the trace, autograd's double backward or the forward derivative carried along (see
torch_flow.py); for gated convolutions, f and g by two convolutions or by one of twice the channels. Adamax is written in place.
"""
import argparse
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

from peer_torch import FORMS, blas_name, check, clean_environment, read_safetensors, time_kinds
from torch_flow import KINDS, Field, Flow, Solver, rms

PARTS = ("encoder", "maps", "flow_forward", "flow_reverse", "decoder", "update")

# ---- the flow -----------------------------------------------------------------------------------------------------------------


class RowField(Field):
    """A field with low-rank terms of the rows: layer(t, h) + (h U) V + b."""

    def __init__(self, tensors, dim, activation, rank):
        super().__init__(tensors, dim, activation)
        self.rank, self.shared, self.shared_tensors = rank, self.parameters, self.tensors
        self.row_parameters = sum(rank * (l["w"].shape[0] + l["w"].shape[1]) + l["w"].shape[0] for l in self.layers)

    def take(self, am):
        """am [rows, row_parameters]: a row's U, V and b, layer by layer; they become leaves."""
        self.rows, at, n = [], 0, len(am)
        for l in self.layers:
            out, width = l["w"].shape
            own = []
            for shape in ((width, self.rank), (self.rank, out), (1, out)):
                size = shape[0] * shape[1]
                own.append(am[:, at:at + size].reshape(n, *shape).detach().requires_grad_())
                at += size
            self.rows.append(own)
        leaves = [p for own in self.rows for p in own]
        first = len(self.shared)
        self.parameters = self.shared + leaves
        self.tensors = self.shared_tensors + [tuple(range(first, first + len(leaves)))]

    def gradient_of_rows(self):
        n = len(self.rows[0][0])
        return torch.cat([p.grad.reshape(n, -1) for own in self.rows for p in own], 1)

    def value(self, t, z):
        for i, l in enumerate(self.layers):
            u, v, b = self.rows[i]
            _, shift = self.affine(l, t)
            z = torch.addmm(shift, z, l["w"].t()) + torch.baddbmm(b, torch.bmm(z.unsqueeze(1), u), v).squeeze(1)
            z = z if i + 1 == len(self.layers) else self.act(z)
        return z

    def stacked(self, t, z, e):
        stack, n = torch.stack([z, e], 1), len(z)
        for i, l in enumerate(self.layers):
            u, v, b = self.rows[i]
            _, shift = self.affine(l, t)
            stack = (stack.reshape(2 * n, -1) @ l["w"].t()).view(n, 2, -1) + torch.bmm(torch.bmm(stack, u), v)
            a = stack[:, 0] + shift + b.squeeze(1)
            if i + 1 == len(self.layers):
                break
            h = self.act(a)
            stack = torch.stack([h, self.slope(stack[:, 1], a, h)], 1)
        return a, (stack[:, 1] * e).sum(1)

    def pair(self, t, z, e):
        h, d = z, e
        for i, l in enumerate(self.layers):
            u, v, b = self.rows[i]
            _, shift = self.affine(l, t)
            w = l["w"].t()
            a = torch.addmm(shift, h, w) + torch.baddbmm(b, torch.bmm(h.unsqueeze(1), u), v).squeeze(1)
            d = d @ w + torch.bmm(torch.bmm(d.unsqueeze(1), u), v).squeeze(1)
            if i + 1 == len(self.layers):
                break
            h = self.act(a)
            d = self.slope(d, a, h)
        return a, (d * e).sum(1)


ROW_KINDS = {"double backward": RowField.double_backward, "stacked": RowField.stacked, "two products": RowField.pair}
assert list(ROW_KINDS) == list(KINDS)


class RowFlow(Flow):
    def reverse_adjoint(self, field, record, gs, n, report):
        """As of Flow; the gradients of U, V and b are parts of the state by themselves, so that they need not be copied together."""
        noise, times, out, shared = record["noise"], record["times"], record["out"], len(field.shared)
        sizes = [p.numel() for p in field.shared]

        def f(t, parts):
            z, a = parts
            with torch.enable_grad():
                z = z.detach().requires_grad_()
                value, trace = self.kind(field, t, z, noise)
                grads = torch.autograd.grad([value, -trace], [z] + field.parameters, [-a, torch.full_like(trace, -1 / n)])
            flat = torch.cat([g.reshape(-1) for g in grads[1:1 + shared]])
            return [value.detach(), grads[0], -trace.detach(), flat] + list(grads[1 + shared:])

        def norms(parts):
            squares = [float(torch.dot(p, p)) for p in parts[3].split(sizes)]
            counts = sizes + [p.numel() for p in parts[4:]]
            squares += [float(torch.linalg.vector_norm(p)) ** 2 for p in parts[4:]]
            each = [math.sqrt(sum(squares[i] for i in group) / sum(counts[i] for i in group)) for group in field.tensors]
            return max([rms(p) for p in parts[:3]] + each)

        a = gs[-1]
        total = [torch.zeros(sum(sizes), dtype=self.dtype)] + [torch.zeros_like(p) for p in field.parameters[shared:]]
        for i in range(len(times) - 1, 0, -1):
            solver = Solver(f, 2, norms, self.atol, self.rtol)
            with torch.no_grad():
                end = solver.run(times[i], times[i - 1], [out[i][0], a, out[i][1]] + total, [times[i - 1]], "overshoot",
                                 self.even)[-1]
            a, total = end[1], end[3:]
            if gs[i - 1] is not None:
                a = a + gs[i - 1]
            report["backward"] += solver.calls
        flat = [g.view_as(p) for p, g in zip(field.shared, total[0].split(sizes))]
        self.add_gradients(field.parameters, flat + total[1:])
        return a


# ---- the nets -----------------------------------------------------------------------------------------------------------------

# stride, padding, output padding of the gated layers
ENCODER = ((1, 2, 0), (2, 2, 0), (1, 2, 0), (2, 2, 0), (1, 2, 0), (1, 0, 0))
DECODER = ((1, 0, 0), (1, 2, 0), (2, 2, 1), (1, 2, 0), (2, 2, 1), (1, 2, 0))


class Nets:
    def __init__(self, own, meta):
        self.p, self.together = own, True
        self.levels = 256 if meta["pixels"] == "categorical" else 2
        self.low, self.high = float(meta["variance-min"]), float(meta["variance-max"]) or math.inf

    def gated(self, name, x, stride, padding, extra, transposed):
        h, g = (self.p[f"{name}.{half}.weight"] for half in "hg")
        b, c = (self.p[f"{name}.{half}.bias"] for half in "hg")

        def conv(w, bias):
            return (F.conv_transpose2d(x, w, bias, stride, padding, extra) if transposed
                    else F.conv2d(x, w, bias, stride, padding))
        if self.together:
            return F.glu(conv(torch.cat([h, g], 1 if transposed else 0), torch.cat([b, c])), 1)
        return conv(h, b) * torch.sigmoid(conv(g, c))

    def encode(self, x):
        for k, (stride, padding, extra) in enumerate(ENCODER):
            x = self.gated(f"q_z_nn.{k}", x, stride, padding, extra, False)
        return x.flatten(1)

    def posterior(self, features):
        mean = F.linear(features, self.p["q_z_mean.weight"], self.p["q_z_mean.bias"])
        v = F.softplus(F.linear(features, self.p["q_z_var.0.weight"], self.p["q_z_var.0.bias"]))
        return mean, v.clamp(self.low, self.high) if self.low > 0 or self.high < math.inf else v

    def decode(self, z):
        z = z[:, :, None, None]
        for k, (stride, padding, extra) in enumerate(DECODER):
            z = self.gated(f"p_x_nn.{k}", z, stride, padding, extra, True)
        if self.levels == 2:
            return F.conv2d(z, self.p["p_x_mean.0.weight"], self.p["p_x_mean.0.bias"])
        z = F.conv2d(z, self.p["p_x_mean.0.weight"], self.p["p_x_mean.0.bias"], 1, 2)
        return F.conv2d(z, self.p["p_x_mean.1.weight"], self.p["p_x_mean.1.bias"])

    def reconstruction(self, logits, images):
        """-log p(x | z), summed over pixels, averaged over rows; images [rows, height, width]."""
        if self.levels == 2:
            total = F.binary_cross_entropy_with_logits(logits[:, 0], images.to(logits.dtype), reduction="sum")
        else:
            total = F.cross_entropy(logits, images.long(), reduction="sum")
        return total / len(images)


class Adamax:
    """In place, in as few passes as PyTorch allows. lr 0: the arithmetic of a step, the same weights for every repeat."""

    def __init__(self, parameters, lr=0.0):
        self.parameters, self.lr, self.count = parameters, lr, 0
        self.first = [torch.zeros_like(p) for p in parameters]
        self.largest = [torch.zeros_like(p) for p in parameters]

    def step(self):
        self.count += 1
        rate = self.lr / (1 - 0.9 ** self.count)
        with torch.no_grad():
            for p, m, u in zip(self.parameters, self.first, self.largest):
                m.mul_(0.9).add_(p.grad, alpha=0.1)
                torch.maximum(u.mul_(0.999), p.grad.abs_().add_(1e-8), out=u)
                p.addcdiv_(m, u, value=-rate)

    def clear(self):
        for p in self.parameters:
            p.grad = None


# ---- a training step -------------------------------------------------------------------------------------------------------------


class Clock:
    """Seconds by part."""

    def __init__(self):
        self.parts, self.last = dict.fromkeys(PARTS, 0.0), time.perf_counter()

    def mark(self, part):
        now = time.perf_counter()
        self.parts[part] += now - self.last
        self.last = now


class Problem:
    def __init__(self, path):
        tensors, meta = read_safetensors(path)
        self.shape = os.path.basename(path).split(".")[0]
        height, width = (int(n) for n in meta["image-size"].split("x"))
        self.images = torch.tensor(tensors["images"]).view(-1, height, width)
        self.draws = torch.tensor(tensors["draws"])
        self.noise = torch.tensor(tensors["noise"])
        self.gaussian = meta["divergence"] == "gaussian"
        self.times = tensors["times"].tolist() if "times" in tensors else [0.0, 1.0]
        own = {n: torch.tensor(v).requires_grad_() for n, v in tensors.items() if n.startswith(("q_", "p_"))}
        self.nets = Nets(own, meta)
        self.fields, end_times = [], []
        while f"cnf.chain.{len(self.fields)}.sqrt_end_time" in tensors:
            head = f"cnf.chain.{len(self.fields)}."
            end_times.append(float(tensors[head + "sqrt_end_time"]) ** 2)
            field = {n[len(head) + len("odefunc.diffeq."):]: torch.tensor(v) for n, v in tensors.items()
                     if n.startswith(head + "odefunc")}
            self.fields.append(RowField(field, self.draws.shape[1], meta["nonlinearity"], int(meta["rank"])))
        self.flow = RowFlow(self.fields, {"atol": float(meta["atol"]), "rtol": float(meta["rtol"]), "end_times": end_times,
                                          "alpha": float(meta["tpr-coefficient"]), "degree": int(meta["tpr-degree"])})
        self.parameters = list(own.values()) + [p for f in self.fields for p in f.parameters]

    def inputs(self):
        return (self.images.float() / (self.nets.levels - 1)).unsqueeze(1)

    def maps(self, features):
        return [F.linear(features, self.nets.p[f"q_am.{b}.weight"], self.nets.p[f"q_am.{b}.bias"])
                for b in range(len(self.fields))]

    def fresh(self):
        """A training step draws; this one then takes what the file holds."""
        torch.empty_like(self.draws).normal_()
        other = torch.empty_like(self.noise)
        other.normal_() if self.gaussian else other.bernoulli_().mul_(2).sub_(1)


def training_step(problem, optimizer, form):
    nets, flow, n, clock = problem.nets, problem.flow, len(problem.images), Clock()
    report = flow.new_report()
    optimizer.clear()
    problem.fresh()
    h = nets.encode(problem.inputs())
    features = h.detach().requires_grad_()
    mean, v = nets.posterior(features)
    z0 = mean + v.sqrt() * problem.draws
    log_q = -0.5 * ((problem.draws ** 2).sum() + v.log().sum()) / n
    clock.mark("encoder")
    ams = problem.maps(features)
    clock.mark("maps")
    for field, am in zip(flow.fields, ams):
        field.take(am)
    zk, l, kept = flow.forward(z0.detach(), problem.noise, problem.times, form, "land", "keep", report)
    clock.mark("flow_forward")
    end = zk.detach().requires_grad_()
    reconstruction = nets.reconstruction(nets.decode(end), problem.images)
    minus_prior = 0.5 * (end ** 2).sum() / n
    (reconstruction + minus_prior).backward()
    clock.mark("decoder")
    g = flow.reverse(end.grad, kept, n, form, report)
    rows = [field.gradient_of_rows() for field in flow.fields]
    clock.mark("flow_reverse")
    torch.autograd.backward([z0, log_q], [g, None])
    clock.mark("encoder")
    torch.autograd.backward(ams, rows)
    clock.mark("maps")
    h.backward(features.grad)
    clock.mark("encoder")
    optimizer.step()
    clock.mark("update")
    report["reconstruction"] = float(reconstruction)
    report["kl"] = float(log_q + minus_prior + l.mean())  # the two normalising constants cancel
    report["negative_elbo"] = report["reconstruction"] + report["kl"]
    report["loss"] = report["negative_elbo"] + flow.alpha * report["tpr"]
    return report, clock.parts


# ---- measuring -----------------------------------------------------------------------------------------------------------------


def choose_kind(problem, name):
    """The fastest way to the trace, by calls of the first block."""
    with torch.no_grad():
        features = problem.nets.encode(problem.inputs())
        problem.fields[0].take(problem.maps(features)[0])
        problem.rows = problem.draws
    found = time_kinds(problem, problem.flow, ROW_KINDS)
    name = name or min(found, key=lambda k: found[k][1])
    problem.flow.kind = ROW_KINDS[name]
    return name, found


def choose_nets(problem):
    """f and g of a gate by one convolution or by two, whichever is faster; seconds of both."""
    found = {}
    for together in (True, False):
        problem.nets.together = together
        times = []
        for _ in range(3):
            start = time.perf_counter()
            h = problem.nets.encode(problem.inputs())
            logits = problem.nets.decode(problem.draws.clone().requires_grad_())
            (h.sum() + logits.sum()).backward()
            times.append(time.perf_counter() - start)
        found["together" if together else "apart"] = min(times)
    problem.nets.together = found["together"] <= found["apart"]
    return found


def measure(path, form, threads, args):
    torch.set_num_threads(threads)
    problem = Problem(path)
    name, kinds = choose_kind(problem, args.kind)
    nets = choose_nets(problem)
    optimizer = Adamax(problem.parameters)
    seconds, parts = [], []
    while len(seconds) < args.warmup + args.repeats or (sum(seconds) < 1 and len(seconds) < 100):
        start = time.perf_counter()
        report, one = training_step(problem, optimizer, form)
        seconds.append(time.perf_counter() - start)
        parts.append(one)
    part = {p: statistics.median(one[p] for one in parts[args.warmup:]) for p in PARTS}
    line = {"shape": problem.shape, "rows": len(problem.images), "blocks": len(problem.fields), "form": form,
            "derivative": name, "ms_a_call": kinds, "gates": min(nets, key=nets.get), "seconds_of_nets": nets, "threads": threads,
            "seconds": statistics.median(seconds[args.warmup:]), "fastest": min(seconds[args.warmup:]),
            "repeats": len(seconds) - args.warmup, "flow": part["maps"] + part["flow_forward"] + part["flow_reverse"],
            "parts": part, "calls_forward": report["forward"], "calls_backward": report["backward"],
            "calls_recomputed": report["recomputed"], "accepted": report["accepted"], "rejected": report["rejected"],
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "torch": torch.__version__, "blas": blas_name(), "onednn": torch.backends.mkldnn.is_available()}
    line.update({k: report[k] for k in ("loss", "negative_elbo", "reconstruction", "kl", "tpr")})
    print(json.dumps(line), flush=True)


# ---- self-test -----------------------------------------------------------------------------------------------------------------


def self_test():
    """Two blocks, in double: the ways to the trace give one value, the two forms one gradient, of rows and shared weights alike."""
    torch.manual_seed(1)
    torch.set_default_dtype(torch.float64)
    dim, hidden, rank, n = 3, 5, 2, 7
    fields = []
    for _ in range(2):
        own, widths = {}, (dim, hidden, dim)
        for k in range(2):
            own[f"layers.{k}._layer.weight"] = 0.5 * torch.randn(widths[k + 1], widths[k] + 1)
            own[f"layers.{k}._layer.bias"] = 0.5 * torch.randn(widths[k + 1])
        fields.append(RowField(own, dim, "softplus", rank))
    flow = RowFlow(fields, {"atol": 1e-10, "rtol": 1e-10, "end_times": [0.5, 0.5]}, torch.float64)
    x, noise = torch.randn(n, dim), torch.randn(2, n, dim)
    ams = [0.5 * torch.randn(n, f.row_parameters) for f in fields]
    found = {}
    for name, kind in ROW_KINDS.items():
        flow.kind = kind
        for form, graph in (("own-steps", "keep"), ("own-steps", "steps"), ("published", None)):
            for field, am in zip(fields, ams):
                field.take(am)
                for p in field.parameters:
                    p.grad = None
            report = flow.loss(fields, x, noise, [0, 1 / 3, 2 / 3, 1], form, "land-all", graph)
            gradients = [report["grad_x"]] + [f.gradient_of_rows() for f in fields]
            gradients += [p.grad for f in fields for p in f.shared]
            found[name, form, graph] = report["loss"], [g.clone() for g in gradients]
    loss, right = found["double backward", "own-steps", "keep"]
    for key, (other, gradients) in found.items():
        check(f"{key} loss", abs(other - loss) / abs(loss), 1e-8)
        for a, b in zip(gradients, right):
            check(f"{key} gradient", float((a - b).abs().max() / b.abs().max()), 1e-6)
    step, which = 1e-4, (1, 4)  # and one number of a row's against differences of the loss
    values = []
    for sign in (1, -1):
        moved = ams[0].clone()
        moved[which[0], which[1]] += sign * step
        fields[0].take(moved)
        fields[1].take(ams[1])
        values.append(flow.loss(fields, x, noise, [0, 1 / 3, 2 / 3, 1], "own-steps", "land-all", "steps")["loss"])
    difference = (values[0] - values[1]) / (2 * step)
    check("difference of the loss", abs(difference - float(right[1][which[0], which[1]])) / abs(difference), 1e-4)
    print("losses and gradients of all forms agree", flush=True)


# ---- command line ----------------------------------------------------------------------------------------------------------------


def main(arguments):
    parser = argparse.ArgumentParser(prog="peer_torch.py vae", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("problems", nargs="*", metavar="FILE.safetensors")
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--form", choices=FORMS, action="append", help="default: both")
    parser.add_argument("--threads", default="1", help="thread counts to measure, each in a process of its own")
    parser.add_argument("--kind", choices=list(ROW_KINDS), help="how to take the trace; default: the fastest")
    parser.add_argument("--repeats", type=int, default=3, help="at least; short steps are repeated for a second")
    parser.add_argument("--warmup", type=int, default=1)
    args = parser.parse_args(arguments)
    if args.self_test:
        return self_test()
    if not args.problems:
        parser.error("name problem files, or --self-test")
    forms, counts = args.form or list(FORMS), [int(n) for n in args.threads.split(",")]
    mine = int(os.environ["PEER_TORCH_CLEAN"])
    if len(args.problems) == len(forms) == len(counts) == 1 and counts[0] == mine:
        return measure(args.problems[0], forms[0], mine, args)
    rest = ["--repeats", str(args.repeats), "--warmup", str(args.warmup)] + (["--kind", args.kind] if args.kind else [])
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peer_torch.py")
    for path in args.problems:
        for form in forms:
            for threads in counts:
                command = [sys.executable, program, "vae", path, "--form", form, "--threads", str(threads)] + rest
                if subprocess.run(command, env=clean_environment(threads)).returncode != 0:
                    raise SystemExit(f"peer_torch vae: {path}, {form}, {threads} threads: failed")
