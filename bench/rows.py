#!/usr/bin/python3
"""What a fit of more rows than memory takes: the most anonymous memory (RssAnon of /proc) of fits of .npy, text and gzipped text, for growing
numbers of rows, and the processor seconds of reading them, at first and for a run that is resumed. Prints the table of docs/data.md.

    rows.py --build build --work FOLDER [--columns 8] [--memory-up-to ROWS] ROWS...

--memory-up-to also fits tables of so many rows in memory (--scratch none). FOLDER gets files of 80 bytes a number at the most, one number of rows after
the other, and is left empty. Fits are 5 iterations of flow matching and 5 of maximum likelihood, by one thread, and so is reading.
"""
import argparse
import os
import shutil
import subprocess
import sys
import time
import zlib

import numpy as np

FIT = ("--iterations 5 --warm-start flow-matching:5 --dims 32-32 --blocks 1 --batch-size 1000 --val-rows 2000 --test-fraction 0.0005 --threads 1 "
       "--quiet --overwrite").split()
BLOCK = 20000


def write(folder, rows, columns):
    """The same numbers as .npy of float32, text and gzipped text."""
    random = np.random.default_rng(1)
    mix = random.normal(size=(columns, columns))
    line = ",".join(["%.6g"] * columns) + "\n"
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    array = np.lib.format.open_memmap(os.path.join(folder, "rows.npy"), "w+", np.float32, (rows, columns))
    with open(os.path.join(folder, "rows.csv"), "wb") as text, open(os.path.join(folder, "rows.csv.gz"), "wb") as packed:
        for start in range(0, rows, BLOCK):
            n = min(BLOCK, rows - start)
            block = np.tanh(random.normal(size=(n, columns)) @ mix) + 0.1 * random.normal(size=(n, columns))
            array[start:start + n] = block
            piece = ((line * n) % tuple(block.ravel().tolist())).encode()
            text.write(piece)
            packed.write(packer.compress(piece))
        packed.write(packer.flush())
    array.flush()


def anonymous(pid):
    """KiB; 0 when the process has ended."""
    try:
        with open(f"/proc/{pid}/status") as status:
            return max((int(line.split()[1]) for line in status if line.startswith("RssAnon")), default=0)
    except OSError:
        return 0


def fit(build, folder, name, scratch):
    """Peak of RssAnon in MiB, and processor seconds."""
    out = os.path.join(folder, "run")
    before = os.times()
    command = [os.path.join(build, "laminar"), "fit", os.path.join(folder, name), *FIT, "--out", out, "--scratch", scratch]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    peak = 0
    while process.poll() is None:
        peak = max(peak, anonymous(process.pid))
        time.sleep(0.01)
    if process.returncode != 0:
        sys.exit(process.stdout.read())
    after = os.times()
    shutil.rmtree(out)
    return peak / 1024, after.children_user + after.children_system - before.children_user - before.children_system


def read(build, folder, name):
    """Processor seconds of two readings, the second from what the first has kept."""
    kept = os.path.join(folder, "kept")
    os.mkdir(kept)
    lines = subprocess.run([os.path.join(build, "bench", "reading"), os.path.join(folder, name), "1", "2", kept], stdout=subprocess.PIPE, text=True,
                           check=True).stdout.split("\n")
    shutil.rmtree(kept)
    first, second = lines[0].split(), lines[1].split()
    assert name.endswith(".npy") or second[2] == "1"
    return float(first[1]), float(second[1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--columns", type=int, default=8)
    parser.add_argument("--memory-up-to", type=int, default=0)
    parser.add_argument("rows", type=int, nargs="+")
    args = parser.parse_args()
    with open("/proc/loadavg") as load:
        print("load before:", load.read().strip(), flush=True)
    print(f"| rows of {args.columns} columns | file, MB | fit, MiB | in memory, MiB | fit, s | in memory, s | reading, s | resumed, s |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|", flush=True)
    for rows in args.rows:
        folder = os.path.join(args.work, f"rows-{rows}")
        os.makedirs(os.path.join(folder, "scratch"))
        write(folder, rows, args.columns)
        for name in ("rows.npy", "rows.csv", "rows.csv.gz"):
            size = os.path.getsize(os.path.join(folder, name)) / 1e6
            peak, seconds = fit(args.build, folder, name, os.path.join(folder, "scratch"))
            here, here_seconds = fit(args.build, folder, name, "none") if rows <= args.memory_up_to else (None, None)
            first, second = read(args.build, folder, name)
            show = lambda value, digits: "" if value is None else f"{value:.{digits}f}"
            print(f"| {rows:,}, {name[4:]} | {size:.0f} | {peak:.0f} | {show(here, 0)} | {seconds:.1f} | {show(here_seconds, 1)} | {first:.2f} | {second:.2f} |",
                  flush=True)
        shutil.rmtree(folder)
    with open("/proc/loadavg") as load:
        print("load after:", load.read().strip())


if __name__ == "__main__":
    main()
