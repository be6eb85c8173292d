#!/usr/bin/env bash
# What several processes gain and what their messages cost (docs/scale.md): fits of a few iterations under mpirun with 1, 2 and 4 ranks, and with
# added delays of 0, 0.1 and 1 ms a call of MPI (bench/scale/delay.c), on rows of a mixture of two Gaussians with as many columns as the data set.
#
# usage: bench/scale.sh LAMINAR [FOLDER] [SETS]     SETS: power hepmass bsds300; a line of JSON for each measurement goes to FOLDER/scale.jsonl.
# RANKS, DELAYS (microseconds), BATCH and LAST (iterations) in the environment choose less.
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
last=${LAST:-14} first=$((last / 3)) # iterations between which time is measured

rows() { # SET ROWS
    [ -e "$1.csv" ] || python3 - "${columns[$1]}" "$2" >"$1.csv" <<'PYTHON'
import random, sys
d, n = map(int, sys.argv[1:])
r = random.Random(1)
mix = [[r.gauss(0, d ** -0.5) for _ in range(d)] for _ in range(d)]
print(",".join(f"x{j}" for j in range(d)))
for _ in range(n):
    e, shift = [r.gauss(0, 1) for _ in range(d)], 2 * r.randrange(2)
    print(",".join(f"{sum(a * b for a, b in zip(e, m)) + shift:.6g}" for m in mix))
PYTHON
}

measure() { # SET BATCH RANKS DELAY_US
    rm -rf run log
    mpirun -x LD_PRELOAD=./libdelay.so -x MPI_DELAY_US="$4" -x MPI_DELAY_LOG=log -n "$3" "$laminar" fit "$1.csv" --preset "$1" --tpr --noise "" \
        --batch-size "$2" --iterations "$last" --val-freq 1000 --log-freq 1 --threads 1 --seed 1 --test-fraction 0 --val-fraction 0 --quiet --out run >out 2>err \
        || { cat err; exit 1; }
    python3 - "$@" $first $last <<'PYTHON' | tee -a scale.jsonl
import json, os, sys
name, batch, ranks, delay, first, last = sys.argv[1], *map(int, sys.argv[2:])
lines = [json.loads(line) for line in open("run/metrics.jsonl")]
train = [line for line in lines if line["type"] == "train"]
n = last - first
each = [1e3 * (b["train_seconds"] - a["train_seconds"]) for a, b in zip(train[first - 1 : last - 1], train[first:last])]
mpi = json.load(open("log")) if os.path.exists("log") else {}
# processor time of rank 0 without what it spends in MPI: the share of the work that it has, whatever else the machine does
work = 1e3 * ((train[last - 1]["train_cpu_seconds"] - train[first - 1]["train_cpu_seconds"]) / n - mpi.get("processor_seconds", 0) / last)
print(json.dumps({"set": name, "batch": batch, "ranks": ranks, "delay_us": delay, "ms": round(min(each), 2), "mean_ms": round(sum(each) / n, 2), "work_ms": round(work, 2),
    "attempts": sum(line["accepted"] + line["rejected"] for line in train[first:last]) / n,
    "calls": {k: v / last for k, v in mpi.items() if k in ("exchanges", "broadcasts", "sends", "receives") and v},
    "kilobytes": round(mpi.get("bytes", 0) / last / 1e3, 1), "mpi_ms": round(1e3 * mpi.get("seconds", 0) / last, 2), "loss": train[last - 1]["loss"]}))
PYTHON
}

for set in "${sets[@]}"; do
    rows "$set" 20000
    for ranks in ${RANKS:-1 2 4}; do
        for delay in ${DELAYS-0 100 1000}; do
            [ "$ranks" = 1 ] && [ "$delay" != 0 ] || measure "$set" "${BATCH:-10000}" "$ranks" "$delay"
        done
    done
done
