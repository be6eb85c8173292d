#!/usr/bin/env bash
# How long laminar takes to read csv, beside data.table's fread (R) and pandas' C engine: medians in seconds and ratios, on one thread and on two.
# The tables are written here: normal numbers with all their digits, and rounded ones as measurements have them.
# usage: bench/reading.sh READING [FOLDER]     READING: the program that bench/reading.c is built to; FOLDER keeps the tables (default: temporary)
# READING_TIMES: readings of each (default 5).
set -euo pipefail

[ $# -ge 1 ] || { echo "usage: bench/reading.sh READING [FOLDER]" >&2; exit 2; }
reading=$(realpath "$1")
times=${READING_TIMES:-5}
if [ $# -ge 2 ]; then
    folder=$2
    mkdir -p "$folder"
else
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
fi

# write NAME ROWS COLUMNS FORMAT
write() {
    [ -e "$folder/$1" ] || /usr/bin/python3 - "$folder/$1" "$2" "$3" "$4" <<'PY'
import sys
import numpy as np
path, rows, columns, form = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
random = np.random.default_rng(1)
line = ",".join([form] * columns) + "\n"
with open(path + ".part", "w") as out:
    out.write(",".join(f"x{j}" for j in range(columns)) + "\n")
    for start in range(0, rows, 10000):
        block = random.normal(size=(min(10000, rows - start), columns))
        out.write((line * len(block)) % tuple(block.ravel().tolist()))
import os
os.rename(path + ".part", path)
PY
}
write long.csv 2000000 6 %.17g
write wide.csv 200000 100 %.17g
write rounded.csv 2000000 6 %.3f

median() { sort -g | awk '{ x[NR] = $1 } END { print NR % 2 ? x[(NR + 1) / 2] : (x[NR / 2] + x[NR / 2 + 1]) / 2 }'; }
fread() { # FILE THREADS
    Rscript -e 'a <- commandArgs(TRUE); library(data.table, quietly = TRUE); setDTthreads(as.integer(a[2]))
        for (i in seq_len(as.integer(a[3]))) { t <- proc.time()[[3]]; d <- fread(a[1], showProgress = FALSE); cat(proc.time()[[3]] - t, "\n"); rm(d); invisible(gc()) }' \
        "$1" "$2" "$times"
}
pandas() { # FILE
    /usr/bin/python3 - "$1" "$times" <<'PY'
import sys, time
import pandas
for i in range(int(sys.argv[2])):
    start = time.perf_counter()
    table = pandas.read_csv(sys.argv[1], engine="c")
    print(f"{time.perf_counter() - start:.4f}")
    del table
PY
}

printf '%-12s %7s %9s %9s %9s %12s %12s\n' file threads laminar fread pandas "of fread's" "of pandas'"
for file in long.csv wide.csv rounded.csv; do
    cat "$folder/$file" >/dev/null # into the page cache
    theirs=$(pandas "$folder/$file" | median)
    for threads in 1 2; do
        ours=$("$reading" "$folder/$file" "$threads" "$times" | median)
        rs=$(fread "$folder/$file" "$threads" | median)
        awk -v f="$file" -v t="$threads" -v a="$ours" -v r="$rs" -v p="$theirs" \
            'BEGIN { printf "%-12s %7d %9.3f %9.3f %9.3f %12.2f %12.2f\n", f, t, a, r, p, a / r, a / p }'
    done
done
