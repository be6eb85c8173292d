#!/usr/bin/python3
"""How the cost of a training iteration grows with the batch and with the columns, by `laminar bench`; writes JSON.

    scaling.py --laminar build/laminar --json FILE [--quick] [--threads 1]

Steps are fixed (rk4, four a block, the penalty's four times), so that every iteration makes the same calls and what is left
is the cost of a call: POWER's net at batches of 100 to 100000 rows, and at batch 1000 rows of 2 to 256 columns with hidden
layers of 64 and with hidden layers as wide as the row.
"""
import argparse
import json
import os
import shlex
import subprocess

ROWS = [100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000]
COLUMNS = [2, 4, 8, 16, 32, 64, 128, 256]
FIXED = ["--first-step", "warm", "--solver", "rk4", "--steps", "4"]
NETS = {"64-64-64": lambda d: "64-64-64", "as wide as the row": lambda d: f"{d}-{d}-{d}"}


def measure(args, flags):
    command = [args.laminar, "bench", "--json", "-", "--threads", str(args.threads)] + FIXED + flags
    command += ["--quick"] if args.quick else []
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"scaling: this failed: {shlex.join(command)}")
    return json.loads(done.stdout)


def point(found, **more):
    row = found["rows"][0]
    it = row["iterations"][0]
    return dict(more, rows=row["batch-size"], columns=row["dim"], dims=row["dims"], threads=row["threads"],
                calls=it["calls_forward"] + it["calls_backward"], recomputed=it["calls_recomputed"], seconds=it["seconds"],
                gflops=it["gflops"], share=it["share"], peak_mib=it["peak_mib"], load=found["machine"]["load_before"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--laminar", required=True, metavar="PROGRAM")
    parser.add_argument("--json", required=True, metavar="FILE")
    parser.add_argument("--quick", action="store_true", help="every other batch, shorter measurements")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    result = {"command": "bench/scaling.py " + " ".join(FIXED), "batches": [], "columns": []}
    for rows in ROWS[::3] if args.quick else ROWS:
        found = measure(args, ["--shape", "power", "--batch-size", str(rows)])
        result["batches"].append(point(found))
        result.update({name: found[name] for name in ("machine", "version", "date")})
    for name, net in NETS.items():
        for d in COLUMNS[::2] if args.quick else COLUMNS:
            found = measure(args, ["--shape", "toy", "--columns", str(d), "--dims", net(d), "--divergence", "rademacher",
                                   "--batch-size", "1000"])
            result["columns"].append(point(found, net=name))
    with open(args.json + ".new", "w") as stream:
        json.dump(result, stream, indent=1)
    os.replace(args.json + ".new", args.json)


if __name__ == "__main__":
    main()
