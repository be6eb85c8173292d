#!/usr/bin/env bash
# Draws docs/toys.png: what `laminar fit` makes of two hard toy densities by itself, given a minute of a processor: the density, and draws from it.
#
#     bench/toys.sh LAMINAR FILE.png [flags of laminar fit; default: --max-processor-seconds 60 --threads 1]
set -euo pipefail
laminar=$(realpath "$1") picture=$(realpath "$2")
shift 2
[ $# -gt 0 ] || set -- --max-processor-seconds 60 --threads 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
for toy in checkerboard 2spirals; do
    "$laminar" fit "toy:$toy" --seed 1 "$@" --quiet --out "$toy"
done
"$laminar" plot checkerboard 2spirals --panels density,draws -o "$picture"
