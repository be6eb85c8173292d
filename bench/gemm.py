#!/usr/bin/python3
"""Matrix products of wide nets by OpenBLAS, one thread, beside laminar's evaluations of f; writes JSON.

    gemm.py --laminar build/laminar --json FILE

OpenBLAS does the three or four products of one call of f with its trace (1000 rows, value and derivative stacked: 2000 rows a
product) and nothing else; laminar is timed twice: the whole call, activations and the derivatives' sums included, and the same
net with the identity for its activation, which leaves little more than the products.
"""
import argparse
import ctypes
import json
import os
import statistics
import subprocess
import sys
import time

CLEAN = {k: v for k, v in os.environ.items() if not k.startswith(("OPENBLAS_", "OMP_", "GOMP_", "MKL_"))}
if __name__ == "__main__" and os.environ.get("GEMM_CLEAN") is None:
    os.execve(sys.executable, [sys.executable] + sys.argv,
              dict(CLEAN, OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", GEMM_CLEAN="1"))

import numpy as np

ROWS = 1000
SHAPES = {"miniboone": [43, 860, 860, 43], "bsds300": [63, 1260, 1260, 1260, 63]}
REPEATS = 9


def openblas():
    """Version and the kernels it picked, of the library that numpy has loaded."""
    np.ones((8, 8), np.float32) @ np.ones((8, 8), np.float32)
    paths = {line.split()[-1] for line in open("/proc/self/maps") if "openblas" in line}
    for path in sorted(paths):
        lib = ctypes.CDLL(path)
        for suffix in ("", "64_"):
            try:
                core, config = getattr(lib, "openblas_get_corename" + suffix), getattr(lib, "openblas_get_config" + suffix)
            except AttributeError:
                continue
            core.restype = config.restype = ctypes.c_char_p
            return config().decode().split(" NO_")[0].split(" USE")[0].strip(), core().decode()
    raise SystemExit("gemm: this numpy does not use OpenBLAS; install libopenblas0-pthread")


def time_product(m, n, k):
    """Seconds of [m, k] x [k, n], the median of groups that last long enough for the clock."""
    a, b = np.random.rand(m, k).astype(np.float32), np.random.rand(k, n).astype(np.float32)
    c = np.empty((m, n), np.float32)
    runs = max(1, int(4e9 / (2.0 * m * n * k)))
    times = []
    for _ in range(REPEATS + 1):
        start = time.perf_counter()
        for _ in range(runs):
            np.matmul(a, b, out=c)
        times.append((time.perf_counter() - start) / runs)
    return statistics.median(times[1:])


def laminar_call(program, shape, more):
    command = [program, "bench", "--quick", "--shape", shape, "--batch-size", str(ROWS), "--blocks", "1", "--threads", "1",
               "--first-step", "warm", "--solver", "rk4", "--steps", "1", "--layer", "concat", "--json", "-"] + more
    found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=CLEAN).stdout)
    return found, found["rows"][0]["forward_derivative"]["gflops"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--laminar", required=True, metavar="PROGRAM")
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args()
    version, core = openblas()
    result = {"command": "bench/gemm.py", "openblas": version, "kernels": core, "shapes": []}
    for shape, widths in SHAPES.items():
        products, seconds, flop = [], 0, 0
        for k, n in zip(widths, widths[1:]):
            one = time_product(2 * ROWS, n, k)
            products.append({"in": k, "out": n, "gflops": 4e-9 * ROWS * n * k / one})
            seconds, flop = seconds + one, flop + 4.0 * ROWS * n * k
        found, whole = laminar_call(args.laminar, shape, [])
        _, bare = laminar_call(args.laminar, shape, ["--nonlinearity", "identity"])
        result.update({name: found[name] for name in ("machine", "version", "date")})
        result["shapes"].append({"shape": shape, "widths": widths, "products": products, "openblas_gflops": 1e-9 * flop / seconds,
                                 "laminar_gflops": whole, "laminar_products_gflops": bare})
        each = ", ".join(f"{p['gflops']:.1f}" for p in products)
        print(f"{shape}: OpenBLAS {1e-9 * flop / seconds:.1f} GFLOP/s ({each}), laminar {bare:.1f}, "
              f"with activations {whole:.1f}; OpenBLAS picked {core} kernels", file=sys.stderr)
    if args.json:
        with open(args.json + ".new", "w") as stream:
            json.dump(result, stream, indent=1)
        os.replace(args.json + ".new", args.json)


if __name__ == "__main__":
    main()
