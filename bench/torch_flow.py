"""A continuous normalizing flow in plain PyTorch: dopri5, the field and its trace, the loss with trajectory polynomial
regularisation, and its gradient by the continuous adjoint or through the steps taken. For comparison: see peer_torch.py."""
import math

import numpy as np
import torch
import torch.nn.functional as F

# ---- dopri5 (Dormand and Prince 1980; dense output of Shampine 1986) ----------------------------------------------------

C = (0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1)
A = ((), (1 / 5,), (3 / 40, 9 / 40), (44 / 45, -56 / 15, 32 / 9),
     (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
     (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
     (35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84))
B = A[6] + (0,)
E = (35 / 384 - 1951 / 21600, 0, 500 / 1113 - 22642 / 50085, 125 / 192 - 451 / 720, -2187 / 6784 + 12231 / 42400,
     11 / 84 - 649 / 6300, -1 / 60)
MIDDLE = (6025192743 / 30085553152 / 2, 0, 51252292925 / 65400821598 / 2, -2691868925 / 45128329728 / 2,
          187940372067 / 1594534317056 / 2, -1776094331 / 19743644256 / 2, 11237099 / 235043384 / 2)


def dense_weights(x):
    """Weights w with y(t0 + x h) = y0 + h sum w_j k_j: the quartic through y0, y_mid, y1, f0, f1."""
    w = []
    for j in range(7):
        first, last, b, m = float(j == 0), float(j == 6), B[j], MIDDLE[j]
        a4 = 2 * (last - first) - 8 * b + 16 * m
        a3 = 5 * first - 3 * last + 14 * b - 32 * m
        a2 = last - 4 * first - 5 * b + 16 * m
        w.append((((a4 * x + a3) * x + a2) * x + first) * x)
    return w


def combine(y, h, coefficients, ks):
    """y + h sum coef_j k_j"""
    for c, k in zip(coefficients, ks):
        if c != 0:
            y = torch.add(y, k, alpha=h * c)
    return y


def rms(x):
    return float(torch.linalg.vector_norm(x)) / math.sqrt(x.numel())


class Solver:
    """One adaptive solve. The state is a list of parts; f(t, first) -> the derivatives of all of them depends on the first
    `moving` parts only. norms(parts) -> the largest of their root mean squares."""

    def __init__(self, f, moving, norms, atol, rtol):
        self.f, self.moving, self.norms, self.atol, self.rtol = f, moving, norms, atol, rtol
        self.calls = self.accepted = self.rejected = 0
        self.steps = []

    def call(self, t, y):
        self.calls += 1
        return self.f(t, y[:self.moving])

    def first_step(self, t, y, k0, direction):
        """Hairer, Norsett and Wanner I, II.4."""
        with torch.no_grad():
            scale = [self.atol + self.rtol * p.abs() for p in y]
            d0 = self.norms([p / s for p, s in zip(y, scale)])
            d1 = self.norms([k / s for k, s in zip(k0, scale)])
            h0 = 1e-6 if d0 < 1e-5 or d1 < 1e-5 else 0.01 * d0 / d1
            moved = [p + direction * h0 * k for p, k in zip(y[:self.moving], k0)]
            k1 = self.call(t + direction * h0, moved)
            d2 = self.norms([(b - a) / s for a, b, s in zip(k0, k1, scale)]) / h0
            h1 = max(1e-6, h0 * 1e-3) if d1 <= 1e-15 and d2 <= 1e-15 else (0.01 / max(d1, d2)) ** (1 / 5)
            return direction * min(100 * h0, h1)

    def stages(self, t, h, y, k0):
        """ks [7][parts], and the end's moving parts."""
        dtype = np.float32 if y[0].dtype == torch.float32 else np.float64
        end = float(np.nextafter(dtype(t + h), dtype(-np.inf if h > 0 else np.inf)))  # c = 1: just inside the step
        ks = [k0]
        for i in range(1, 7):
            at = [combine(p, h, A[i], [k[m] for k in ks]) for m, p in enumerate(y[:self.moving])]
            ks.append(self.call(end if C[i] == 1 else float(dtype(t + C[i] * h)), at))
        return ks, at

    def ratio(self, h, y, y1, ks):
        with torch.no_grad():
            scaled = []
            for m, p in enumerate(y):
                err = combine(ks[0][m] * (h * E[0]), h, E[1:], [k[m] for k in ks[1:]])
                scaled.append(err / (self.atol + self.rtol * torch.maximum(p.abs(), y1[m].abs())))
            return self.norms(scaled)

    def run(self, t0, t1, y, times, end="overshoot", even=0, keep=None):
        """The states at times (all within the solve, t1 last). end: overshoot, land, land-all. even > 0: that many equal steps,
        all accepted. keep(t, h, y0) is called for each accepted step."""
        direction = 1 if t1 > t0 else -1
        span = abs(t1 - t0)
        out, k0 = [], self.call(t0, y)
        h = (t1 - t0) / even if even else self.first_step(t0, y, k0, direction)
        t = t0
        while len(out) < len(times):
            step_end = t + h
            limit = times[len(out)] if end == "land-all" else t1
            if end != "overshoot" and (step_end - limit) * direction > -1e-12 * span:
                step_end = limit
            hh = step_end - t
            ks, moved = self.stages(t, hh, y, k0)
            y1 = moved + [combine(p, hh, B, [k[m] for k in ks]) for m, p in enumerate(y) if m >= self.moving]
            ratio = 0.5 if even else self.ratio(hh, y, y1, ks)
            if not math.isfinite(ratio):
                raise ArithmeticError(f"the solve failed at t = {t}")
            factor = 10 if ratio == 0 else min(10, max(0.9 * ratio ** (-1 / 5), 1 if ratio < 1 else 0.2))
            if ratio > 1:
                self.rejected += 1
                h = hh * factor
                continue
            self.accepted += 1
            self.steps.append((t, hh))
            if keep is not None:
                keep(t, hh, y)
            while len(out) < len(times) and (times[len(out)] - step_end) * direction <= 0:
                at = times[len(out)]
                if at == step_end:
                    out.append(list(y1))
                else:
                    w = dense_weights((at - t) / hh)
                    out.append([combine(p, hh, w, [k[m] for k in ks]) for m, p in enumerate(y)])
            t, y, k0 = step_end, y1, ks[6]
            h = h if even else hh * factor
        return out


# ---- the field ------------------------------------------------------------------------------------------------------------


class Field:
    """One block's network: concat or concatsquash layers. Weights that multiply t stand apart from the others."""

    def __init__(self, tensors, dim, activation):
        self.layers, self.activation, self.dim = [], activation, dim
        for k in range(1000):
            if f"layers.{k}._layer.weight" not in tensors:
                break
            w, b = tensors[f"layers.{k}._layer.weight"], tensors[f"layers.{k}._layer.bias"]
            layer = {"gate": f"layers.{k}._hyper_gate.weight" in tensors}
            if layer["gate"]:
                layer.update(w=w, u=tensors[f"layers.{k}._hyper_bias.weight"][:, 0],
                             g=tensors[f"layers.{k}._hyper_gate.weight"][:, 0], c=tensors[f"layers.{k}._hyper_gate.bias"])
            else:  # concat: t is column 0
                layer.update(w=w[:, 1:], u=w[:, 0])
            layer["b"] = b
            for name in ("w", "u", "b", "g", "c"):
                if name in layer:
                    layer[name] = layer[name].clone().contiguous().requires_grad_()
            self.layers.append(layer)
        self.parameters = [l[n] for l in self.layers for n in ("w", "u", "b", "g", "c") if n in l]
        self.tensors = []  # which of them are one tensor of the published module, for its error norm
        at = 0
        for l in self.layers:
            self.tensors += [(at,), (at + 1,), (at + 2,), (at + 3,), (at + 4,)] if l["gate"] else [(at, at + 1), (at + 2,)]
            at += 5 if l["gate"] else 3

    def act(self, a):
        return torch.tanh(a) if self.activation == "tanh" else F.softplus(a)

    def slope(self, d, a, h):
        """sigma'(a) d; h = sigma(a)"""
        if self.activation == "tanh":
            return torch.ops.aten.tanh_backward(d, h)
        return torch.ops.aten.softplus_backward(d, a, 1, 20)

    @staticmethod
    def affine(l, t):
        """(gate or None, shift) of layer l at t"""
        if not l["gate"]:
            return None, torch.add(l["b"], l["u"], alpha=t)
        gate = torch.sigmoid(l["g"] * t + l["c"])
        return gate, torch.addcmul(l["u"] * t, gate, l["b"])

    def value(self, t, z):
        for i, l in enumerate(self.layers):
            gate, shift = self.affine(l, t)
            z = torch.addmm(shift, z, l["w"].t()) if gate is None else torch.addcmul(shift, z @ l["w"].t(), gate)
            z = z if i + 1 == len(self.layers) else self.act(z)
        return z

    def double_backward(self, t, z, e):
        """f and the trace, or e'(df/dz)e for one row of noise each; so are the next two."""
        wanted = torch.is_grad_enabled()
        with torch.enable_grad():
            z = z if z.requires_grad else z.detach().requires_grad_()
            f = self.value(t, z)
            if e is None:
                trace = 0
                for i in range(self.dim):
                    trace = trace + torch.autograd.grad(f[:, i].sum(), z, create_graph=wanted, retain_graph=True)[0][:, i]
            else:
                trace = (torch.autograd.grad(f, z, e, create_graph=wanted, retain_graph=wanted)[0] * e).sum(1)
        return (f, trace) if wanted else (f.detach(), trace.detach())

    def seeds(self, z, e):
        if e is not None:
            return [e]
        return [torch.zeros_like(z).index_fill_(1, torch.tensor([i]), 1) for i in range(self.dim)]

    def stacked(self, t, z, e):
        seeds, n = self.seeds(z, e), z.shape[0]
        stack = torch.cat([z] + seeds)
        for i, l in enumerate(self.layers):
            gate, shift = self.affine(l, t)
            stack = stack @ l["w"].t()
            stack = stack if gate is None else stack * gate
            a = stack[:n] + shift
            if i + 1 == len(self.layers):
                break
            h = self.act(a)
            stack = torch.cat([h] + [self.slope(stack[(1 + j) * n:(2 + j) * n], a, h) for j in range(len(seeds))])
        if e is not None:
            return a, (stack[n:] * e).sum(1)
        return a, sum(stack[(1 + j) * n:(2 + j) * n, j] for j in range(self.dim))

    def pair(self, t, z, e):
        seeds = self.seeds(z, e)
        h, ds = z, seeds
        for i, l in enumerate(self.layers):
            gate, shift = self.affine(l, t)
            w = l["w"].t()
            a = torch.addmm(shift, h, w) if gate is None else torch.addcmul(shift, h @ w, gate)
            ds = [d @ w if gate is None else (d @ w) * gate for d in ds]
            if i + 1 == len(self.layers):
                break
            h = self.act(a)
            ds = [self.slope(d, a, h) for d in ds]
        if e is not None:
            return a, (ds[0] * e).sum(1)
        return a, sum(d[:, j] for j, d in enumerate(ds))


KINDS = {"double backward": Field.double_backward, "stacked": Field.stacked, "two products": Field.pair}


# ---- the training step ----------------------------------------------------------------------------------------------------


class Flow:
    """A chain of blocks. dtype double for the self-test."""

    def __init__(self, blocks, settings, dtype=torch.float32):
        self.fields, self.dtype = blocks, dtype
        self.atol, self.rtol = settings["atol"], settings["rtol"]
        self.alpha, self.degree = settings.get("alpha", 5.0), settings.get("degree", 1)
        self.end_times = settings["end_times"]
        self.kind = Field.pair
        self.even = settings.get("even", 0)
        self.parameters = [p for b in blocks for p in b.parameters]

    def derivative(self, field, e):
        def f(t, parts):
            value, trace = self.kind(field, t, parts[0], e)
            return [value, -trace]
        return f

    def projector(self, times):
        g = np.vander(np.asarray(times) / times[-1], self.degree + 1)
        q, _ = np.linalg.qr(g)
        return torch.tensor(np.eye(len(times)) - q @ q.T, dtype=self.dtype)

    def penalty(self, times, states):
        """L_tpr of one block, and its gradient by the states."""
        r = torch.tensordot(self.projector(times), torch.stack(states), 1)
        n = len(times) * states[0].shape[0]
        return float((r * r).sum()) / n, list(2 * self.alpha / n * r)

    def forward(self, x, e, times, form, land, graph, report):
        """Through all blocks: z and l at the end, and what the reverse needs of each block."""
        z, l, kept = x, torch.zeros(len(x), dtype=self.dtype), []
        for b, field in enumerate(self.fields):
            noise = None if e is None else e[b]
            at = [u * self.end_times[b] for u in times]
            record = self.solve_block(field, noise, z, l, at, form, land, graph, report)
            z, l = record["out"][-1][0].detach(), record["out"][-1][1].detach()
            record["times"], record["noise"] = at, noise
            states = [record["out"][j][0].detach() for j in range(len(at))]
            record["tpr_grad"] = [None] * len(at)
            if len(at) > 2:
                tpr, record["tpr_grad"] = self.penalty(at, states)
                report["tpr"] += tpr
            kept.append(record)
        return z, l, kept

    def reverse(self, g, kept, n, form, report):
        """The gradient by the rows, from g, that by z; 1 / n is that by l. Those by parameters go to their .grad."""
        for field, record in zip(reversed(self.fields), reversed(kept)):
            gs = list(record["tpr_grad"])
            gs[-1] = g if gs[-1] is None else gs[-1] + g
            reverse = self.reverse_adjoint if form == "published" else self.reverse_steps
            g = reverse(field, record, gs, n, report)
        return g

    @staticmethod
    def new_report():
        return dict(nll=0.0, tpr=0.0, forward=0, backward=0, recomputed=0, accepted=0, rejected=0)

    def loss(self, blocks, x, e, times, form, land="land", graph=None):
        """One batch: loss, its parts, calls. Gradients go to the parameters' .grad; that by x is returned too."""
        report, n = self.new_report(), x.shape[0]
        z, l, kept = self.forward(x, e, times, form, land, graph, report)
        report["nll"] = float((0.5 * (z * z).sum() + l.sum()) / n) + 0.5 * x.shape[1] * math.log(2 * math.pi)
        report["loss"] = report["nll"] + self.alpha * report["tpr"]
        report["grad_x"] = self.reverse(z / n, kept, n, form, report)
        return report

    def norms(self, parts):
        return max(rms(p) for p in parts)

    def solve_block(self, field, noise, z, l, at, form, land, graph, report):
        solver = Solver(self.derivative(field, noise), 1, self.norms, self.atol, self.rtol)
        record = {"steps": [], "start": z}
        keep_graph = form == "own-steps" and graph == "keep"
        if keep_graph:
            record["leaf"] = z = z.detach().requires_grad_()
        keep = None if form == "published" else lambda t, h, y: record["steps"].append((t, h, y[0].detach()))
        end = "overshoot" if form == "published" else land
        with torch.set_grad_enabled(keep_graph):
            states = solver.run(0.0, at[-1], [z, l], at[1:], end, self.even, keep)
        record["out"] = [[z, l]] + states
        report["forward"] += solver.calls
        report["accepted"] += solver.accepted
        report["rejected"] += solver.rejected
        return record

    @staticmethod
    def add_gradients(parameters, gradients):
        for p, g in zip(parameters, gradients):
            if g is not None:
                p.grad = g if p.grad is None else p.grad.add_(g)

    def reverse_steps(self, field, record, gs, n, report):
        """Through the steps taken: the graph that the solve left, or one step's after another."""
        last_step = record["steps"][-1][0]  # its last stage is pulled back only if a time is interpolated in it
        report["backward"] += 6 * len(record["steps"]) + any(t > last_step for t in record["times"][1:-1])
        if "leaf" in record:
            last = record["out"][-1]
            outputs = [record["out"][j][0] for j in range(1, len(gs))] + [last[1]]
            cotangents = gs[1:] + [torch.full_like(last[1], 1 / n)]
            chosen = [(o, c) for o, c in zip(outputs, cotangents) if c is not None]
            leaf = record.pop("leaf")
            grads = torch.autograd.grad([o for o, _ in chosen], [leaf] + field.parameters, [c for _, c in chosen])
            record["out"] = None
            self.add_gradients(field.parameters, grads[1:])
            return grads[0] if gs[0] is None else grads[0] + gs[0]
        report["recomputed"] += 7 * len(record["steps"])
        solver = Solver(self.derivative(field, record["noise"]), 1, self.norms, self.atol, self.rtol)
        gz, times, steps = None, record["times"], record["steps"]
        left = len(times) - 1
        for i in range(len(steps) - 1, -1, -1):
            t, h, start = steps[i]
            z = start.detach().requires_grad_()
            with torch.enable_grad():
                y = [z, torch.zeros(len(z), dtype=self.dtype)]
                ks, moved = solver.stages(t, h, y, solver.call(t, y))
                dl = combine(y[1], h, B, [k[1] for k in ks])
                outputs, cotangents = [dl], [torch.full_like(dl, 1 / n)]
                if gz is not None:
                    outputs.append(moved[0])
                    cotangents.append(gz)
                while left > 0 and times[left] > t:
                    if gs[left] is not None:
                        x = (times[left] - t) / h
                        landed = abs(x - 1) < 1e-12
                        outputs.append(moved[0] if landed else combine(z, h, dense_weights(x), [k[0] for k in ks]))
                        cotangents.append(gs[left])
                    left -= 1
                grads = torch.autograd.grad(outputs, [z] + field.parameters, cotangents)
            gz = grads[0]
            self.add_gradients(field.parameters, grads[1:])
        return gz if gs[0] is None else gz + gs[0]

    def reverse_adjoint(self, field, record, gs, n, report):
        """The augmented state (z, l, a, parameter gradients), from each observed time back to the one before."""
        parameters, sizes = field.parameters, [p.numel() for p in field.parameters]
        noise, times, out = record["noise"], record["times"], record["out"]

        def f(t, parts):
            z, a = parts
            with torch.enable_grad():
                z = z.detach().requires_grad_()
                value, trace = self.kind(field, t, z, noise)
                grads = torch.autograd.grad([value, -trace], [z] + parameters, [-a, torch.full_like(trace, -1 / n)])
            return [value.detach(), grads[0], -trace.detach(), torch.cat([g.reshape(-1) for g in grads[1:]])]

        def norms(parts):
            squares = [float(torch.dot(p, p)) for p in parts[3].split(sizes)]
            each = [math.sqrt(sum(squares[i] for i in group) / sum(sizes[i] for i in group)) for group in field.tensors]
            return max([rms(p) for p in parts[:3]] + each)

        a = gs[-1]
        total = torch.zeros(sum(sizes), dtype=self.dtype)
        for i in range(len(times) - 1, 0, -1):
            solver = Solver(f, 2, norms, self.atol, self.rtol)
            state = [out[i][0], a, out[i][1], total]
            with torch.no_grad():
                end = solver.run(times[i], times[i - 1], state, [times[i - 1]], "overshoot", self.even)[-1]
            a, total = end[1], end[3]
            if gs[i - 1] is not None:
                a = a + gs[i - 1]
            report["backward"] += solver.calls
        self.add_gradients(parameters, [g.view_as(p) for p, g in zip(parameters, total.split(sizes))])
        return a
