#!/usr/bin/env bash
# Image models, small: a variational auto-encoder of Fashion-MNIST whose posterior goes through a flow with the penalty (alpha 5),
# beside one without a flow, on two cores; both bounds, and pictures. `./run demo-vae` builds the program and calls this.
# Ten thousand images of the set's smaller file and nets of the flow much smaller than the published ones: minutes, not days.
# usage: bench/demo_vae.sh LAMINAR FOLDER      (of Fashion-MNIST; Debian: /usr/share/datasets/fashion-mnist)
# DEMO_RUNS: where runs and pictures go (demo-vae); DEMO_EPOCHS: of each fit (3)
set -euo pipefail

[ $# = 2 ] || { echo "usage: bench/demo_vae.sh LAMINAR FOLDER" >&2; exit 2; }
laminar=$(realpath "$1")
images=$2/t10k-images-idx3-ubyte.gz
config=$(cd "$(dirname "$0")/../presets/vae" && pwd)/fashion.yaml
runs=${DEMO_RUNS:-demo-vae}
epochs=${DEMO_EPOCHS:-3}
[ -e "$images" ] || { echo "there is no $images: install dataset-fashion-mnist" >&2; exit 1; }
mkdir -p "$runs"
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
trap 'exit 130' INT TERM

# Both at the same time, a thread each: the one with the flow shows how far they are.
printf '== fitting with a flow and without, %s epochs each\n' "$epochs"
fit() { # NAME [flags]
    local name=$1
    shift
    "$laminar" vae fit "$images" --config "$config" --latent 16 --dims 64-64 --blocks 1 --rank 8 --val-images 500 --test-images 500 \
        --epochs "$epochs" --warmup 1 --lr 0.001 --seed 1 --threads 1 --log-freq 10 --overwrite --out "$runs/$name" "$@" \
        >"$runs/$name.txt"
}
fit none --posterior none --quiet &
fit flow --tpr
wait $!

for name in none flow; do
    printf '\n== %s\n' "$([ $name = none ] && echo 'without a flow' || echo 'with a flow, and the penalty')"
    sed -n '/^negative ELBO/,$p' "$runs/$name.txt"
done
printf '\n== pictures\n'
"$laminar" vae reconstruct "$runs/flow" "$images" --part test -n 32 -o "$runs/reconstructions.png"
"$laminar" vae sample "$runs/flow" -n 64 --seed 1 -o "$runs/samples.png"
"$laminar" vae interpolate "$runs/flow" "$images" --part test --from 1 --to 2 -n 12 -o "$runs/interpolation.png"
