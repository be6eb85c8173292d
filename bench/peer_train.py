#!/usr/bin/python3
"""Trains a flow in plain PyTorch by the published algorithm, for bench/same_nll.py: continuous adjoint restarted at each
observed time, Gaussian noise, probed first steps, Adam. Starts from the weights of a problem file of `laminar bench --problems`.

    peer_train.py PROBLEM.safetensors ROWS.npy --out FOLDER/ --budget SECONDS [--threads N] [--save-seconds S]

FOLDER/ gets weights at intervals (N.safetensors, FFJORD's names, which laminar reads), log.jsonl with a line for each, and a
checkpoint that the same command goes on from. The budget is of seconds in training steps; saving does not count.
"""
import argparse
import json
import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))


def threads_of(argv):
    return int(argv[argv.index("--threads") + 1]) if "--threads" in argv else 1


if __name__ == "__main__" and os.environ.get("PEER_TORCH_CLEAN") is None:
    os.environ["PEER_TORCH_CLEAN"] = "importing"
    from peer_torch import clean_environment
    os.execve(sys.executable, [sys.executable] + sys.argv, clean_environment(threads_of(sys.argv)))

import numpy as np
import torch
from peer_torch import Problem, blas_name, time_kinds
from torch_flow import KINDS, Flow


def write_safetensors(path, tensors):
    header, body, at = {}, [], 0
    for name, value in tensors.items():
        value = np.ascontiguousarray(value, np.float32)
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [at, at + value.nbytes]}
        body.append(value.tobytes())
        at += value.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path + ".new", "wb") as stream:
        stream.write(len(text).to_bytes(8, "little") + text + b"".join(body))
    os.replace(path + ".new", path)


def state_dict(problem):
    """The weights under the published module's names (concat layers: t is column 0)."""
    out = {}
    for b, field in enumerate(problem.fields):
        out[f"chain.{b}.sqrt_end_time"] = np.float32(problem.end_times[b] ** 0.5)
        for k, layer in enumerate(field.layers):
            if layer["gate"]:
                raise SystemExit("peer_train: concat layers only")
            head = f"chain.{b}.odefunc.diffeq.layers.{k}._layer."
            out[head + "weight"] = torch.cat([layer["u"][:, None], layer["w"]], 1).detach().numpy()
            out[head + "bias"] = layer["b"].detach().numpy()
    return out


class Training:
    def __init__(self, args):
        self.args = args
        self.problem = Problem(args.problem)
        self.rows = torch.tensor(np.load(args.rows).astype(np.float32))
        self.batch = len(self.problem.rows)
        self.flow = Flow(self.problem.fields, self.problem.settings)
        kinds = time_kinds(self.problem, self.flow)
        self.kind = min(kinds, key=lambda k: kinds[k][1] + 0.5 * kinds[k][0])
        self.flow.kind = KINDS[self.kind]
        self.optimizer = torch.optim.Adam(self.flow.parameters, lr=args.lr)
        self.noise = torch.empty(len(self.problem.fields), self.batch, self.rows.shape[1])
        self.done, self.seconds, self.cpu, self.calls = 0, 0.0, 0.0, [0, 0]
        torch.manual_seed(args.seed)

    def checkpoint(self):
        return os.path.join(self.args.out, "checkpoint.pt")

    def resume(self):
        if os.path.exists(self.checkpoint()):
            kept = torch.load(self.checkpoint())
            for p, value in zip(self.flow.parameters, kept["parameters"]):
                p.data.copy_(value)
            self.optimizer.load_state_dict(kept["optimizer"])
            torch.set_rng_state(kept["random"])
            self.done, self.seconds, self.cpu, self.calls = kept["counters"]

    def save(self, report):
        name = f"{self.done}.safetensors"
        write_safetensors(os.path.join(self.args.out, name), state_dict(self.problem))
        line = {"iteration": self.done, "seconds": self.seconds, "cpu_seconds": self.cpu, "loss": report["loss"],
                "calls_forward": self.calls[0], "calls_backward": self.calls[1], "weights": name, "derivative": self.kind,
                "threads": torch.get_num_threads(), "torch": torch.__version__, "blas": blas_name()}
        with open(os.path.join(self.args.out, "log.jsonl"), "a") as stream:
            stream.write(json.dumps(line) + "\n")
        kept = {"parameters": [p.detach() for p in self.flow.parameters], "optimizer": self.optimizer.state_dict(),
                "random": torch.get_rng_state(), "counters": (self.done, self.seconds, self.cpu, self.calls)}
        torch.save(kept, self.checkpoint() + ".new")
        os.replace(self.checkpoint() + ".new", self.checkpoint())

    def step(self):
        a_pass = len(self.rows) // self.batch
        if self.done % a_pass == 0 or not hasattr(self, "order"):  # a resumed pass has the order that it began with
            order = torch.Generator().manual_seed(1000003 * self.args.seed + self.done // a_pass)
            self.order = torch.randperm(len(self.rows), generator=order)
        at = self.done % a_pass * self.batch
        rows = self.rows[self.order[at:at + self.batch]]
        times = [0.0] + torch.rand(len(self.problem.times) - 2).sort()[0].tolist() + [1.0]
        self.noise.normal_()
        self.optimizer.zero_grad(set_to_none=True)
        report = self.flow.loss(self.flow.fields, rows, self.noise, times, "published")
        self.optimizer.step()
        self.done += 1
        self.calls = [self.calls[0] + report["forward"], self.calls[1] + report["backward"]]
        return report

    def run(self):
        saved = self.seconds
        while self.seconds < self.args.budget:
            start, processor = time.perf_counter(), time.process_time()
            report = self.step()
            self.seconds += time.perf_counter() - start
            self.cpu += time.process_time() - processor
            if self.seconds - saved >= self.args.save_seconds or self.seconds >= self.args.budget:
                self.save(report)
                saved = self.seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("problem", metavar="PROBLEM.safetensors")
    parser.add_argument("rows", metavar="ROWS.npy")
    parser.add_argument("--out", required=True, metavar="FOLDER/")
    parser.add_argument("--budget", type=float, required=True, metavar="SECONDS")
    parser.add_argument("--save-seconds", type=float, default=30)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    os.makedirs(args.out, exist_ok=True)
    training = Training(args)
    training.resume()
    training.run()


if __name__ == "__main__":
    main()
