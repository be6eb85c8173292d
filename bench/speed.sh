#!/usr/bin/env bash
# Measures speed, on a machine that does nothing else: this program alone, beside PyTorch (flows, and auto-encoders), by rows and
# columns, its memory, its wide products beside OpenBLAS, its instructions. Figures go to a folder as JSON; bench/results.sh writes the page from them.
#
# usage: bench/speed.sh [FOLDER [--full]]     (default: build/speed; about a quarter of an hour, --full about an hour)
#   LAMINAR  the program, default build/laminar
#   ONLY     parts to measure, of: bench memory peer vae scaling gemm profile (default: all)
#
# Not here, since it is a training run: bench/same_nll.py.
set -euo pipefail
cd "$(dirname "$0")/.."
laminar=${LAMINAR:-build/laminar}
folder=${1:-build/speed}
full=${2:-}
only=${ONLY:-bench memory peer vae scaling gemm profile}
quick=(--quick)
[ "$full" != --full ] || quick=()
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE OMP_NUM_THREADS OPENBLAS_NUM_THREADS LAMINAR_ISA
mkdir -p "$folder"

wanted() {
    [[ " $only " == *" $1 "* ]] || return 1
    printf '== %s\n' "$2"
}

if wanted bench "calls of the field and whole iterations"; then
    "$laminar" bench "${quick[@]}" --shape power,gas,hepmass,miniboone,toy --json "$folder/bench.json"
fi
if wanted memory "memory, with 64 MiB for kept activations"; then
    "$laminar" bench --quick --shape hepmass --threads 1 --memory 64 --first-step warm --json "$folder/memory.json"
fi
if wanted peer "laminar and PyTorch on the same problems, in turn"; then
    /usr/bin/python3 bench/compare_peer.py --laminar "$laminar" ${full:+--full} --json "$folder/peer.json"
fi
if wanted vae "training steps of auto-encoders, laminar and PyTorch in turn"; then
    /usr/bin/python3 bench/compare_vae.py --laminar "$laminar" ${full:+--full} --json "$folder/vae.json"
fi
if wanted scaling "rows and columns"; then
    /usr/bin/python3 bench/scaling.py --laminar "$laminar" "${quick[@]}" --json "$folder/scaling.json"
fi
if wanted gemm "wide products beside OpenBLAS"; then
    /usr/bin/python3 bench/gemm.py --laminar "$laminar" --json "$folder/gemm.json"
fi
if wanted profile "instructions by function"; then
    if command -v callgrind_annotate >/dev/null; then
        bench/profile.sh "$(dirname "$laminar")/bench/counted" "$folder/profile.json"
    else
        echo "no valgrind here: left out"
    fi
fi
