#!/usr/bin/env bash
# What several processes gain and what their messages cost (docs/scale.md): fits of a few iterations under mpirun with 1, 2 and 4 ranks, and with
# added delays of 0, 0.1 and 1 ms a call of MPI (bench/scale/delay.c), on rows of a mixture of two Gaussians with as many columns as the data set.
#
# usage: bench/scale.sh LAMINAR [FOLDER] [SETS]     SETS: power hepmass bsds300; a line of JSON for each measurement goes to FOLDER/scale.jsonl
set -euo pipefail
laminar=$(realpath "$1")
folder=${2:-scale}
read -ra sets <<<"${3:-power hepmass}"
here=$(realpath "$(dirname "$0")")
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
mkdir -p "$folder"
cd "$folder"
mpicc -O2 -shared -fPIC "$here/scale/delay.c" -o libdelay.so

declare -A columns=([power]=6 [hepmass]=21 [bsds300]=63)
first=4 last=${LAST:-14} # iterations between which time is measured

rows() { # SET ROWS
    [ -e "$1.npy" ] || python3 - "$1.npy" "${columns[$1]}" "$2" <<'PYTHON'
import sys
import numpy
path, d, n = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
r = numpy.random.default_rng(1)
numpy.save(path, (r.normal(size=(n, d)) @ r.normal(size=(d, d)) / d ** 0.5 + 2 * r.integers(0, 2, size=(n, 1))).astype("f4"))
PYTHON
}

measure() { # SET BATCH RANKS DELAY_US
    rm -rf run log
    mpirun -x LD_PRELOAD=./libdelay.so -x MPI_DELAY_US="$4" -x MPI_DELAY_LOG=log -n "$3" "$laminar" fit "$1.npy" --preset "$1" --tpr --noise none \
        --batch-size "$2" --iterations "$last" --val-freq 1000 --log-freq 1 --threads 1 --seed 1 --test-fraction 0 --val-fraction 0 --quiet --out run >out 2>err \
        || { cat err; exit 1; }
    python3 - "$@" $first $last <<'PYTHON' | tee -a scale.jsonl
import json, os, sys
name, batch, ranks, delay, first, last = sys.argv[1], *map(int, sys.argv[2:])
lines = [json.loads(line) for line in open("run/metrics.jsonl")]
train = [line for line in lines if line["type"] == "train"]
n = last - first
ms = 1e3 * (train[last - 1]["train_seconds"] - train[first - 1]["train_seconds"]) / n
mpi = json.load(open("log")) if os.path.exists("log") else {}
print(json.dumps({"set": name, "batch": batch, "ranks": ranks, "delay_us": delay, "ms": round(ms, 2),
    "attempts": sum(line["accepted"] + line["rejected"] for line in train[first:last]) / n,
    "calls": {k: v / last for k, v in mpi.items() if k in ("exchanges", "broadcasts", "sends", "receives") and v},
    "kilobytes": round(mpi.get("bytes", 0) / last / 1e3, 1), "mpi_ms": round(1e3 * mpi.get("seconds", 0) / last, 2), "loss": train[last - 1]["loss"]}))
PYTHON
}

for set in "${sets[@]}"; do
    rows "$set" 20000
    for ranks in 1 2 4; do
        measure "$set" 10000 "$ranks" 0
    done
    for delay in 100 1000; do
        measure "$set" 10000 2 $delay
        measure "$set" 10000 4 $delay
    done
done
