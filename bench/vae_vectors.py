#!/usr/bin/python3
"""Writes tests/vectors/vae: PyTorch's numbers, in double, for image nets of every kind of layer; unit.vae_golden reads them.

    bench/vae_vectors.py FOLDER           (Debian: python3-torch)
    bench/vae_vectors.py --full FOLDER    the published nets at full size as well (tens of megabytes)

Each file: table [layers, 9] (kind, in, out, kernel height and width, stride, padding, output padding, gated), size [2], params
(all tensors in the order of state_dict()), x, g_y, y, and the gradients g_params and g_x of the sum of g_y y. y and g_y are
[rows, pixels, channels].
"""
import sys

import numpy as np
import torch
from torch import nn

CONV, TRANSPOSED, LINEAR = range(3)


class Linear(nn.Linear):
    def forward(self, x):
        return super().forward(x[:, :, 0, 0])[:, :, None, None]


class Layer(nn.Module):
    def __init__(self, kind, n_in, n_out, kh, kw, stride, padding, output_padding, gated):
        super().__init__()

        def make():
            if kind == LINEAR:
                return Linear(n_in, n_out)
            if kind == CONV:
                return nn.Conv2d(n_in, n_out, (kh, kw), stride, padding)
            return nn.ConvTranspose2d(n_in, n_out, (kh, kw), stride, padding, output_padding)

        self.h = make()
        self.g = make() if gated else None

    def forward(self, x):
        return self.h(x) if self.g is None else self.h(x) * torch.sigmoid(self.g(x))


def down_and_up():
    return [(CONV, 1, 6, 5, 5, 1, 2, 0, 1), (CONV, 6, 18, 5, 5, 2, 2, 0, 1), (CONV, 18, 9, 4, 3, 1, 0, 0, 1),
            (LINEAR, 9, 7, 1, 1, 1, 0, 0, 0), (TRANSPOSED, 7, 6, 4, 3, 1, 0, 0, 1), (TRANSPOSED, 6, 5, 5, 5, 1, 2, 0, 1),
            (TRANSPOSED, 5, 4, 5, 5, 2, 2, 1, 1), (CONV, 4, 17, 5, 5, 1, 2, 0, 0), (CONV, 17, 3, 1, 1, 1, 0, 0, 0)]


def encoder(w):
    return [(CONV, 1, 32, 5, 5, 1, 2, 0, 1), (CONV, 32, 32, 5, 5, 2, 2, 0, 1), (CONV, 32, 64, 5, 5, 1, 2, 0, 1),
            (CONV, 64, 64, 5, 5, 2, 2, 0, 1), (CONV, 64, 64, 5, 5, 1, 2, 0, 1), (CONV, 64, 256, 7, w, 1, 0, 0, 1)]


def decoder(w, levels):
    body = [(TRANSPOSED, 64, 64, 7, w, 1, 0, 0, 1), (TRANSPOSED, 64, 64, 5, 5, 1, 2, 0, 1), (TRANSPOSED, 64, 32, 5, 5, 2, 2, 1, 1),
            (TRANSPOSED, 32, 32, 5, 5, 1, 2, 0, 1), (TRANSPOSED, 32, 32, 5, 5, 2, 2, 1, 1), (TRANSPOSED, 32, 32, 5, 5, 1, 2, 0, 1)]
    if levels == 2:
        return body + [(CONV, 32, 1, 1, 1, 1, 0, 0, 0)]
    return body + [(CONV, 32, 256, 5, 5, 1, 2, 0, 0), (CONV, 256, levels, 1, 1, 1, 0, 0, 0)]


def pixels_first(y):
    return y.permute(0, 2, 3, 1).reshape(y.shape[0], -1)


def write(path, table, size, rows):
    torch.manual_seed(1)
    net = nn.Sequential(*[Layer(*row) for row in table]).double()
    x = torch.rand(rows, table[0][1], *size, dtype=torch.float64).float().double().requires_grad_()
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(p.float().double())
    y = net(x)
    g_y = (2 * torch.rand_like(y) - 1).float().double()
    (y * g_y).sum().backward()
    flat = lambda tensors: torch.cat([t.reshape(-1) for t in tensors]).detach().numpy()
    np.savez_compressed(path, table=np.array(table, dtype=float), size=np.array(size, dtype=float), params=flat(net.parameters()),
                        x=x.detach().reshape(rows, -1).numpy(), y=pixels_first(y).detach().numpy(), g_y=pixels_first(g_y).numpy(),
                        g_params=flat(p.grad for p in net.parameters()), g_x=x.grad.reshape(rows, -1).numpy())


full = "--full" in sys.argv
folder = sys.argv[-1]
write(f"{folder}/down_and_up.npz", down_and_up(), (8, 6), 3)
if full:
    for name, w, levels in (("caltech", 7, 2), ("frey", 5, 256)):
        write(f"{folder}/{name}_encoder.npz", encoder(w), (28, 4 * w), 3)
        write(f"{folder}/{name}_decoder.npz", decoder(w, levels), (1, 1), 3)
