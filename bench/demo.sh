#!/usr/bin/env bash
# The main job, small: the same fit with the penalty (alpha 5) and without (alpha 0), at the same tolerances, side by side
# on two cores; one table. `./run demo` builds the program and calls this.
# usage: bench/demo.sh LAMINAR DATA_FOLDER
# DEMO_RUNS: where the runs are kept (default: a temporary folder); DEMO_TOY, DEMO_POWER: iterations of each fit.
set -euo pipefail

[ $# = 2 ] || { echo "usage: bench/demo.sh LAMINAR DATA_FOLDER" >&2; exit 2; }
laminar=$(realpath "$1")
power=$2/power_month/household_power_consumption.txt
examples=$(cd "$(dirname "$0")/../examples" && pwd)
if [ -n "${DEMO_RUNS:-}" ]; then
    runs=$DEMO_RUNS
    mkdir -p "$runs"
    trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
else
    runs=$(mktemp -d)
    trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$runs"' EXIT
fi
trap 'exit 130' INT TERM

# fit_both NAME ITERATIONS DATA [flags]: alpha 0 and alpha 5 at the same time, a thread each
fit_both() {
    local name=$1 iterations=$2 data=$3 pids=() pid
    shift 3
    printf '== fitting %s with alpha 0 and alpha 5, %s iterations each\n' "$name" "$iterations"
    for alpha in 0 5; do # the one with the penalty shows how far they are
        local quiet=()
        [ "$alpha" = 5 ] || quiet=(--quiet)
        "$laminar" fit "$data" "$@" --tpr-coefficient "$alpha" --iterations "$iterations" --seed 1 --threads 1 "${quiet[@]}" \
            --log-freq 50 --overwrite --out "$runs/$name-alpha$alpha" >"$runs/$name-alpha$alpha.txt" &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid"; done
    table+=("$name-alpha0" "$name-alpha5")
}

table=()
fit_both pinwheel "${DEMO_TOY:-1500}" toy:pinwheel --dims 64-64-64 --val-freq 250
if [ -e "$power" ]; then
    fit_both power_month "${DEMO_POWER:-500}" "$power" --config "$examples/power.yaml" --val-freq 250
else
    printf '== no %s: the real set is left out\n' "$power"
fi

echo
(cd "$runs" && "$laminar" compare "${table[@]}")
echo
model=$runs/pinwheel-alpha5
echo '$ laminar score pinwheel-alpha5 toy:pinwheel:1000:7'
"$laminar" score "$model" toy:pinwheel:1000:7 | grep 'mean NLL, nats, data units'
echo '$ laminar sample pinwheel-alpha5 -n 1000 --seed 1 -o samples.csv'
"$laminar" sample "$model" -n 1000 --seed 1 -o "$runs/samples.csv" | sed "s#$runs/##"
