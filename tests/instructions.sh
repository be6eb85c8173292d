# How many instructions a training iteration takes for a multiply-add that it needs, counted by callgrind: unlike seconds, the
# same on every run of every machine. Kernels of AVX2, since valgrind knows no wider ones.
#
# usage: bash instructions.sh COUNTED        (bench/counted; exits with 77, "skipped", where there is no valgrind)
set -euo pipefail
counted=$1
command -v valgrind >/dev/null || { echo "skipped: no valgrind here"; exit 77; }
grep -qw avx2 /proc/cpuinfo || { echo "skipped: this processor has no AVX2"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# instructions REPEATS [PARAMETERS]: of the whole program; the multiply-adds of an iteration go to $work/needed
instructions() {
    valgrind --tool=callgrind --callgrind-out-file="$work/out" "$counted" "$@" isa avx2 >"$work/needed" 2>"$work/err" \
        || { cat "$work/err" >&2; exit 1; }
    sed -n 's/^summary: //p' "$work/out"
}

# check NAME BOUND PARAMETERS
failures=0
check() {
    local name=$1 bound=$2 few many
    shift 2
    few=$(instructions 1 "$@")
    many=$(instructions 2 "$@")
    awk -v name="$name" -v bound="$bound" -v few="$few" -v many="$many" -v needed="$(cat "$work/needed")" 'BEGIN {
        ratio = (many - few) / needed
        printf "%s: %.4f instructions a multiply-add, at most %s wanted\n", name, ratio, bound
        exit !(ratio > 0.125 && ratio < bound)
    }' || failures=$((failures + 1))
}

# A vector holds 8 floats, so a count below 1/8 would be none. To the multiply-adds come, for the products, their loads; and what
# grows with the layers' widths, not with their products: activations with two derivatives, the solver's sums, packing (for
# a single tile: valgrind does multiply-adds one at a time, more would take minutes). The narrow net has the more of that.
# The bounds are a twentieth above what gcc 12 makes of it; who makes it faster lowers them.
check "POWER's net, one tile" 0.392 batch-size 64 blocks 1
check "96-96, one tile" 0.369 batch-size 64 blocks 1 dims 96-96
[ "$failures" = 0 ]
