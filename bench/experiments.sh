#!/usr/bin/env bash
# The measurement behind "Ways of taming the ODE" in docs/results.md: the plans rivals, tpr-factors, parts, claims, claims-ccpp,
# claims-twice, claims-tight, claims-others and claims-price to their ends, `laminar tune` on models of two of them, and the lines of both kept in
# docs/results.
# bench/experiment_page.py writes the page's part from these.
#
# usage: bench/experiments.sh [LAMINAR]        (default: build/laminar; hours: `laminar experiment PLAN --dry-run` says how many)
#   LAMINAR_RUNS  folder of the runs, default runs/
#   ONLY          plans to run, as a shell pattern, default *
#
# Stop it however you like and start it again: it goes on. All runs use the program that it began with (copied to the folder of the
# runs).
set -euo pipefail
cd "$(dirname "$0")/.."

runs=${LAMINAR_RUNS:-runs}
only=${ONLY:-*}
kept=docs/results/experiments
error=0.01 # nats: the bound that models are tuned to

file_of() { sed -n "/^data:/,/^penalties:/ { /name: $2\$/,/file:/ s/^ *file: *\"*\([^\"]*\).*/\1/p }" "presets/experiments/$1.yaml"; }

# keep PLAN: what is read from and shown, without the runs themselves
keep() {
    local plan=$1
    mkdir -p "$kept/$plan"
    cp "presets/experiments/$plan.yaml" "$kept/$plan/plan.yaml"
    cp "$runs/$plan"/{report.html,runs.csv,summary.csv} "$kept/$plan/"
    [ "$plan" = tpr-factors ] || cp "$runs/$plan"/figures/*_seconds.svg "$kept/$plan/"
}

# tune PLAN: its models of the first seed, by name of data and penalty; what tune says is kept, the models stay as they are.
tune() {
    local plan=$1 model data penalty file out copy
    copy=$(mktemp -d)
    mkdir -p "$kept/tune"
    for model in "$runs/$plan"/runs/*/*/1e-4_seed1; do
        penalty=$(basename "$(dirname "$model")") data=$(basename "$(dirname "$(dirname "$model")")")
        out=$kept/tune/$data.$penalty.txt file=$(file_of "$plan" "$data")
        [ -s "$out" ] && continue
        [[ $file == toy:* ]] || file=presets/experiments/$file
        "$runs/laminar" tune "$model" "$file" --error "$error" --threads 1 --out "$copy/model.safetensors" >"$copy/said"
        sed "/^model /,\$d" "$copy/said" >"$out"
    done
    rm -r "$copy"
}

mkdir -p "$runs"
[ -x "$runs/laminar" ] || cp "${1:-build/laminar}" "$runs/laminar"
for plan in rivals tpr-factors parts claims claims-ccpp claims-twice claims-tight claims-others claims-price; do
    # shellcheck disable=SC2053
    [[ $plan == $only ]] || continue
    nice "$runs/laminar" experiment "presets/experiments/$plan.yaml" --out "$runs/$plan"
    keep "$plan"
done
for plan in claims-twice claims-price; do
    # shellcheck disable=SC2053
    [[ $plan == $only ]] || continue
    tune "$plan"
done
