#!/usr/bin/python3
"""PyTorch's times for the nets of bench/vae_nets.c: the same layers, a batch of 100, one thread by default; milliseconds, medians.

    bench/vae_nets.py [threads]      (Debian: python3-torch)
"""
import sys
import time

import torch
from torch import nn


class Gated(nn.Module):
    def __init__(self, kind, *args):
        super().__init__()
        self.h, self.g = kind(*args), kind(*args)

    def forward(self, x):
        return self.h(x) * torch.sigmoid(self.g(x))


def encoder(last):
    sizes = [(1, 32, 5, 1, 2), (32, 32, 5, 2, 2), (32, 64, 5, 1, 2), (64, 64, 5, 2, 2), (64, 64, 5, 1, 2), (64, 256, last)]
    return nn.Sequential(*[Gated(nn.Conv2d, *s) for s in sizes])


def decoder(last, levels):
    sizes = [(64, 64, last), (64, 64, 5, 1, 2), (64, 32, 5, 2, 2, 1), (32, 32, 5, 1, 2), (32, 32, 5, 2, 2, 1), (32, 32, 5, 1, 2)]
    ends = [nn.Conv2d(32, 1, 1)] if levels == 2 else [nn.Conv2d(32, 256, 5, padding=2), nn.Conv2d(256, levels, 1)]
    return nn.Sequential(*[Gated(nn.ConvTranspose2d, *s) for s in sizes], *ends)


def median_times(net, x):
    forward, reverse = [], []
    g = torch.ones_like(net(x))
    for _ in range(7):
        start = time.perf_counter()
        y = net(x)
        middle = time.perf_counter()
        y.backward(g)
        forward.append(middle - start)
        reverse.append(time.perf_counter() - middle)
    return [1e3 * sorted(t)[3] for t in (forward, reverse)]


torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
print(f"{'ms, 100 rows':20} {'forward':>8} {'reverse':>8} {'both':>8}   PyTorch {torch.__version__}")
for name, width, levels in (("caltech", 28, 2), ("frey", 20, 256)):
    last = (7, width // 4)
    for part, net, x in (("encoder", encoder(last), torch.rand(100, 1, 28, width)),
                         ("decoder", decoder(last, levels), torch.rand(100, 64, 1, 1, requires_grad=True))):
        f, b = median_times(net, x)
        print(f"{name + ' ' + part:20} {f:8.1f} {b:8.1f} {f + b:8.1f}")
