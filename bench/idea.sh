#!/usr/bin/env bash
# Draws docs/idea.svg: how rows of a 2-D toy density travel to the base density, in a flow fitted without and in one fitted with
# trajectory polynomial regularisation. The two fits differ in the penalty alone. Takes some ten seconds.
#
#     bench/idea.sh LAMINAR FILE.svg      (or .png, .pdf)
set -euo pipefail
laminar=$(realpath "$1") picture=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
settings=(--dims 32-32 --blocks 1 --warm-start none --optimizer adam --schedule cuts --iterations 800 --batch-size 200 --lr 0.01 --val-freq 100 --divergence exact --map none)
"$laminar" fit toy:swissroll "${settings[@]}" --no-tpr --out "without TPR" >/dev/null
"$laminar" fit toy:swissroll "${settings[@]}" --tpr --out "with TPR" >/dev/null
"$laminar" plot "without TPR" "with TPR" --panels paths --data toy:swissroll:2000:5 -o "$picture"
