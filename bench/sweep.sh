#!/usr/bin/env bash
# The measurement behind docs/results.md: power_month and protein with the penalty (alpha 5) and without (alpha 0), three seeds;
# on power, one seed each, a probed first step, Gaussian noise, and the error of training steps measured on z alone. And of
# auto-encoders: Frey Faces with and without the penalty, two seeds, and Caltech silhouettes, one; both without a flow too, and with muon for a third of the epochs. MNIST, one
# hour of two cores a run, and less without a flow, which is ahead before that.
#
# usage: bench/sweep.sh [LAMINAR [DATA_FOLDER]]        (default: build/laminar ../shared/data)
#   LAMINAR_RUNS  folder of the runs, default runs/     ITERATIONS  of each density, default 4000
#   EPOCHS        of each auto-encoder, default 60
#   JOBS          fits at a time, default 2             ONLY        names to run, as a shell pattern, default *
#
# Stop it however you like and start it again: finished runs are skipped, others go on from their checkpoints. All runs use the
# program that the sweep began with (copied to the folder of the runs). bench/results.sh writes the page, at any time.
set -euo pipefail
cd "$(dirname "$0")/.."

runs=${LAMINAR_RUNS:-runs}
iterations=${ITERATIONS:-4000}
epochs=${EPOCHS:-60}
jobs=${JOBS:-2}
only=${ONLY:-*}
program=${1:-build/laminar}
data=${2:-../shared/data}

# name, set, flags. alpha 5 and 0 of one seed stand beside each other: they run at the same time, so their seconds compare.
list_jobs() {
    local seed
    for seed in 1 2 3; do
        echo "power-a5-s$seed power --tpr-coefficient 5 --seed $seed"
        echo "power-a0-s$seed power --tpr-coefficient 0 --seed $seed"
    done
    echo "power-a5-s1-probe power --tpr-coefficient 5 --seed 1 --first-step probe"
    echo "power-a0-s1-probe power --tpr-coefficient 0 --seed 1 --first-step probe"
    echo "power-a5-s1-gaussian power --tpr-coefficient 5 --seed 1 --divergence gaussian"
    echo "power-a5-s1-z power --tpr-coefficient 5 --seed 1 --error-parts z"
    for seed in 1 2 3; do
        echo "protein-a5-s$seed protein --tpr-coefficient 5 --seed $seed"
        echo "protein-a0-s$seed protein --tpr-coefficient 0 --seed $seed"
    done
    for seed in 1 2; do
        echo "frey-a5-s$seed frey --tpr-coefficient 5 --seed $seed"
        echo "frey-a0-s$seed frey --tpr-coefficient 0 --seed $seed"
    done
    echo "caltech-a5-s1 caltech --tpr-coefficient 5 --seed 1"
    echo "caltech-a0-s1 caltech --tpr-coefficient 0 --seed 1"
    echo "frey-none-s1 frey --posterior none --seed 1"
    echo "caltech-none-s1 caltech --posterior none --seed 1"
    echo "frey-muon-s1 frey-fast --tpr-coefficient 0 --seed 1"
    echo "caltech-muon-s1 caltech-fast --tpr-coefficient 0 --seed 1"
    echo "mnist-a5-s1 mnist --tpr-coefficient 5 --seed 1"
    echo "mnist-a0-s1 mnist --tpr-coefficient 0 --seed 1"
    echo "mnist-none-s1 mnist --posterior none --seed 1 --max-processor-seconds 4500"
}

file_of() {
    case $1 in
    power) echo "$data/power_month/household_power_consumption.txt" ;;
    protein) echo "$data/protein/data.txt" ;;
    frey | frey-fast) echo "$data/freyfaces/freyfaces.pkl" ;;
    caltech | caltech-fast) echo "$data/caltech101_silhouettes/caltech101_silhouettes_28.mat" ;;
    mnist) echo "$data/mnist/train-images-idx3-ubyte.gz" ;;
    esac
}

# What a fit of the set is called with; the warm-up is a fifth of a run shorter than 200 epochs. MNIST's hour ends after four or five
# epochs of a flow, and before twenty of none: it is a limit of the whole fit, where the published runs' was of training steps alone.
fit_flags() {
    case $1 in
    frey) echo "vae fit $2 --image-size 28x20 --config presets/vae/frey.yaml --epochs $epochs --warmup $((epochs / 5))" ;;
    caltech) echo "vae fit $2 --config presets/vae/caltech.yaml --epochs $epochs --warmup $((epochs / 5))" ;;
    *-fast) echo "$(epochs=$((epochs / 3)) fit_flags "${1%-fast}" "$2") --optimizer muon --lr 0.002 --schedule cosine" ;;
    mnist) echo "vae fit $2 --test ${2/train-/t10k-} --config presets/vae/mnist.yaml --epochs 20 --warmup 0.9 --max-processor-seconds 7200" ;;
    *) echo "fit $2 --config examples/$1.yaml --iterations $iterations --val-freq 200 --early-stopping 1000" ;;
    esac
}

# The day and the machine, as a page names them.
machine() {
    printf '%s: %s, %s cores%s, %s; Linux %s; %s\n' "$(date -u +%F)" "$(lscpu | sed -n 's/^Model name: *//p' | head -n 1)" "$(nproc)" \
        "$(grep -qw avx512f /proc/cpuinfo && echo ' with AVX-512')" \
        "$(awk '/^MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo)" "$(uname -r | cut -d- -f1)" "$("$runs/laminar" --version)"
}

say() { printf '%s  %s\n' "$(date '+%F %T')" "$*" | tee -a "$runs/sweep.log"; }

# The last line of the log is the summary of a fit that did all its iterations.
is_done() {
    local last
    last=$(tail -n 1 "$runs/$1/metrics.jsonl" 2>/dev/null) || return 1
    [[ $last == '{"type":"summary"'*'"finished":true}' && $last =~ \"iterations\":([0-9]+) ]] || return 1
    [[ $1 == frey-* || $1 == caltech-* || $1 == mnist-* ]] || [ "${BASH_REMATCH[1]}" -ge "$iterations" ]
}

# The calls that the fitted flow takes at the training's tolerance and at a tenth of it, by the exact trace, of sets whose test part is
# soon done: the published baseline ran at the second, its runs with the penalty at the first.
evaluations() { case $1 in frey-a* | caltech-a*) echo 1e-4 1e-5 ;; esac }
is_evaluated() {
    local at
    for at in $(evaluations "$1"); do
        [ -s "$runs/$1/eval-$at.txt" ] || return 1
    done
}
evaluate() { # NAME FILE
    local at to
    for at in $(evaluations "$1"); do
        to=$runs/$1/eval-$at.txt
        nice "$runs/laminar" vae eval "$runs/$1" "$2" --part test --atol "$at" --rtol "$at" --threads 1 >"$to.new" 2>"$runs/$1.txt" || return 1
        sed -i "s#$2#${2##*/}#" "$to.new" # the images' folder is this machine's alone
        mv "$to.new" "$to"
    done
}

# run_job NAME SET FLAGS. The lock is the fit's as long as it lives: one that outlived a killed sweep is waited for.
run_job() {
    local name=$1 set=$2 code=0 file figures
    shift 2
    file=$(file_of "$set")
    exec 8>"$runs/$name.lock"
    flock 8
    if is_done "$name"; then
        evaluate "$name" "$file" || { say "$name could not be evaluated: $(tail -n 1 "$runs/$name.txt")"; return 1; }
        return 0
    fi
    # shellcheck disable=SC2046
    nice "$runs/laminar" $(fit_flags "$set" "$file") "$@" --log-freq 10 --threads 1 --quiet --resume --out "$runs/$name" \
        >"$runs/$name.txt" 2>&1 &
    fit=$!
    trap 'kill $fit 2>/dev/null || true' TERM # it saves and ends
    while kill -0 "$fit" 2>/dev/null; do
        code=0
        wait "$fit" || code=$?
    done
    if ! is_done "$name"; then
        say "$name stopped with code $code: $(tail -n 1 "$runs/$name.txt")"
        return 1
    fi
    figures=$(tail -n 1 "$runs/$name/metrics.jsonl" | grep -oE '"(test_nll|train_seconds)":[^,}]*' | tr -d '"' | tr '\n' ' ')
    # what else the machine was doing tells how far seconds are to be trusted
    cut -d ' ' -f 1-3 /proc/loadavg >"$runs/$name/load"
    machine >"$runs/$name/machine"
    say "$name done: ${figures}load $(cat "$runs/$name/load")"
    evaluate "$name" "$file"
}

workers=()
# shellcheck disable=SC2317 # called by the trap
stop() {
    trap - INT TERM
    say "stopping; the fits save what they have"
    [ ${#workers[@]} = 0 ] || kill "${workers[@]}" 2>/dev/null || true
    wait
    exit 130
}

mkdir -p "$runs"
runs=$(cd "$runs" && pwd)
exec 9>"$runs/sweep.lock"
flock -n 9 || { echo "another sweep is at work in $runs" >&2; exit 1; }
if [ ! -x "$runs/laminar" ]; then
    cp "$program" "$runs/laminar.new"
    mv "$runs/laminar.new" "$runs/laminar"
fi
# what stands behind the page already is not measured again; remove the archive to begin anew
[ ! -e docs/results/runs.tar.gz ] || tar -xzf docs/results/runs.tar.gz -C "$runs" --skip-old-files
trap stop INT TERM
say "sweep of $iterations iterations, $jobs at a time, by $("$runs/laminar" --version)"
failed=0
while read -r name set flags; do
    # shellcheck disable=SC2053
    [[ $name == $only ]] || continue
    is_done "$name" && is_evaluated "$name" && continue
    [ -e "$(file_of "$set")" ] || { say "$name left out: no $(file_of "$set")"; continue; }
    if [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; then
        wait -n || failed=1
    fi
    # shellcheck disable=SC2086
    run_job "$name" "$set" $flags </dev/null 9>&- &
    workers+=($!)
done < <(list_jobs)
for worker in "${workers[@]}"; do
    wait "$worker" || failed=1
done
[ "$failed" = 0 ] && say "all done"
exit "$failed"
