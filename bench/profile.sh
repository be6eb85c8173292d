#!/usr/bin/env bash
# Where the instructions of a training iteration go: callgrind's counts by function, of POWER's net at batch 192 with the
# penalty, one thread, kernels of AVX2 (valgrind knows no wider ones). The same on every run; takes a minute or two, since
# valgrind does multiply-adds one at a time.
#
# usage: bench/profile.sh [COUNTED [FILE.json]]        (default: build/bench/counted, and a table on stdout alone)
set -euo pipefail
counted=${1:-build/bench/counted}
json=${2:-}
command -v callgrind_annotate >/dev/null || { echo "bench/profile.sh needs valgrind" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# only what runs below the function that is one iteration
valgrind --tool=callgrind --toggle-collect=iterate --callgrind-out-file="$work/out" "$counted" 1 isa avx2 batch-size 192 \
    >"$work/needed" 2>"$work/err" || { cat "$work/err" >&2; exit 1; }
callgrind_annotate --threshold=99.5 "$work/out" >"$work/annotated"

# lines "1,234,567 (12.34%)  file:function [object]" -> instructions, file, function; instructions is the count of all executions
awk -v OFS='\t' '
    /PROGRAM TOTALS/ { gsub(",", "", $1); print $1, "total", "total"; next }
    /^ *[0-9,]+ \([ 0-9.]+%\)  [^ ]+:/ {
        count = $1; gsub(",", "", count)
        sub(/^ *[0-9,]+ \([ 0-9.]+%\)  /, ""); sub(/ \[.*/, "")
        at = match($0, /:[^:]*$/)
        file = substr($0, 1, at - 1); name = substr($0, at + 1)
        sub(/.*\/src\//, "src/", file); sub(/^.*\/(sysdeps|malloc|math|string|nptl)\/.*/, "libc", file)
        sub(/'"'"'[0-9]+$/, "", name)
        print count, file, name
    }' "$work/annotated" >"$work/lines"

awk -F'\t' -v needed="$(cat "$work/needed")" -v version="$("${LAMINAR:-$(dirname "$counted")/../laminar}" --version)" '
    { gsub(/["\\]/, ""); count[$2 "\t" $3] += $1; if (!(($2 "\t" $3) in seen)) { seen[$2 "\t" $3] = 1; order[++n] = $2 "\t" $3 } }
    END {
        total = count["total\ttotal"]
        # a probed iteration and two warm ones were counted; shares are of all three
        printf "{\n \"command\": \"bench/profile.sh\",\n \"version\": \"%s\",\n \"multiply_adds\": %s,\n \"instructions\": %s,\n \"functions\": [", \
            version, needed, total
        for (i = 1; i <= n; i++) {
            if (order[i] == "total\ttotal" || count[order[i]] < 0.002 * total) continue
            split(order[i], part, "\t")
            printf "%s\n  {\"file\": \"%s\", \"name\": \"%s\", \"share\": %.4f}", sep, part[1], part[2], count[order[i]] / total
            sep = ","
        }
        print "\n ]\n}"
    }' "$work/lines" >"$work/json"
awk -F'\t' '$2 == "total" { total = $1; next } { c[$2 "\t" $3] += $1 } END { for (k in c) printf "%6.2f %%\t%s\n", 100 * c[k] / total, k }' \
    "$work/lines" | sort -rn | head -n 20
if [ -n "$json" ]; then
    cp "$work/json" "$json.new"
    mv "$json.new" "$json"
fi
