#!/usr/bin/env python3
"""Derives the polynomial coefficients in src/kernels/act.h (needs python3-mpmath and python3-numpy; takes a minute).

Each polynomial q is a near-minimax fit in relative error of the function that it serves: least squares on Chebyshev points,
reweighted by the error a few times (Lawson). The coefficients are rounded to the width one by one, lowest order first, and
the rest fitted again after each. Prints C initialisers, lowest order first, with the relative error that the rounded
polynomial leaves, in units of 2^-24 (float) and 2^-53 (double).

    tanh(y)  = y + y^3 q(y^2)     |y| <= ln 2 / 4
    expm1(r) = r + r^2 q(r)       |r| <= ln 2 / 2
    log1p(u) = u + u^2 q(u)       0 <= u <= 1
"""
import mpmath as mp
import numpy as np

mp.mp.dps = 60


def rounded(c, bits):
    return mp.mpf(float(np.float32(float(c)))) if bits == 32 else mp.mpf(float(c))


def least_squares(xs, values, weights, n, rounds):
    """c minimising about max |weights (sum c_i x^i - values)|."""
    powers = [[x**i for i in range(n)] for x in xs]
    lawson = [mp.mpf(1)] * len(xs)
    for _ in range(rounds):
        w2 = [l * w * w for l, w in zip(lawson, weights)]
        moments = [mp.fsum(w * p[-1] * x**k for w, p, x in zip(w2, powers, xs)) for k in range(n)]
        low = [mp.fsum(w * p[i] for w, p in zip(w2, powers)) for i in range(n)]
        hankel = low + moments[1:]
        a = mp.matrix(n, n)
        for i in range(n):
            for j in range(n):
                a[i, j] = hankel[i + j]
        b = mp.matrix([mp.fsum(w * p[i] * v for w, p, v in zip(w2, powers, values)) for i in range(n)])
        c = mp.lu_solve(a, b)
        errors = [abs(w * (mp.fsum(c[i] * p[i] for i in range(n)) - v)) for w, p, v in zip(weights, powers, values)]
        mean = mp.fsum(l * e for l, e in zip(lawson, errors))
        lawson = [l * (e / mean * len(xs)) for l, e in zip(lawson, errors)]
        if mean == 0:
            break
    return [c[i] for i in range(n)]


def fit(name, bits, n, lo, hi, g, weight):
    points = 6 * n + 20
    xs = [(lo + hi) / 2 - (hi - lo) / 2 * mp.cos(mp.pi * (2 * i + 1) / (2 * points)) for i in range(points)]
    gs, ws = [g(x) for x in xs], [weight(x) for x in xs]
    fixed = []
    for k in range(n):
        rest = [(v - mp.fsum(c * x**i for i, c in enumerate(fixed))) / x**k for v, x in zip(gs, xs)]
        c = least_squares(xs, rest, [w * x**k for w, x in zip(ws, xs)], n - k, 12)
        fixed.append(rounded(c[0], bits))
    worst = mp.mpf(0)
    for i in range(1, 1001):
        x = lo + (hi - lo) * (mp.mpf(i) - mp.mpf(1) / 3) / 1000
        worst = max(worst, abs((mp.fsum(c * x**j for j, c in enumerate(fixed)) - g(x)) * weight(x)))
    print(f"/* {name}, {n} coefficients, float{bits}: {mp.nstr(worst * mp.mpf(2)**(24 if bits == 32 else 53), 3)} */")
    suffix = "f" if bits == 32 else ""
    hexes = [float(c).hex().replace("0000000p", "p") if bits == 32 else float(c).hex() for c in fixed]
    print("{ " + ", ".join(h + suffix for h in hexes) + " }", flush=True)


def main():
    ln2 = mp.log(2)
    root = mp.sqrt
    tanh_q = lambda v: (mp.tanh(root(v)) / root(v) - 1) / v
    tanh_w = lambda v: v * root(v) / mp.tanh(root(v))
    exp_q = lambda r: (mp.expm1(r) - r) / (r * r)
    exp_w = lambda r: r * r / mp.expm1(r)
    log_q = lambda u: (mp.log1p(u) - u) / (u * u)
    log_w = lambda u: u * u / mp.log1p(u)
    for bits, tanh_n, exp_n, log_n in ((32, (2, 3), (4, 5), (8, 9)), (64, (6, ), (9, 10), (18, 19))):
        for n in tanh_n:
            fit("tanh", bits, n, mp.mpf(0), (ln2 / 4)**2, tanh_q, tanh_w)
        for n in exp_n:
            fit("exp", bits, n, -ln2 / 2, ln2 / 2, exp_q, exp_w)
        for n in log_n:
            fit("log1p", bits, n, mp.mpf(0), mp.mpf(1), log_q, log_w)


if __name__ == "__main__":
    main()
