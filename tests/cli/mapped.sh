# Rows that stay in their file: the model is that of the same rows in memory, bit by bit, and memory does not grow with the rows.
. "$(dirname "$0")/lib.bash"

# array NAME.npy DTYPE ORDER <numbers, a row a line, nan for a missing cell: f4 or f8, C or F (Fortran) order
array() {
    python3 -c '
import struct, sys
path, dtype, order = sys.argv[1:]
rows = [[float(v) for v in line.split(",")] for line in sys.stdin]
cells = [v for row in rows for v in row] if order == "C" else [v for column in zip(*rows) for v in column]
head = "{\"descr\": \"<%s\", \"fortran_order\": %s, \"shape\": (%d, %d), }" % (dtype, order == "F", len(rows), len(rows[0]))
head = (head.replace("\"", chr(39)) + " " * 64)[:117] + "\n"
with open(path, "wb") as f:
    f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode())
    f.write(struct.pack("<%d%s" % (len(cells), {"f4": "f", "f8": "d"}[dtype]), *cells))
' "$@"
}

# 800 rows of a skewed column, two that belong together, one of few values, one that counts the rows; every 40th row is the one before it
awk 'BEGIN { srand(3); for (i = 0; i < 800; i++) { if (i % 40 != 39) { a = rand() + rand() - 1; x = exp(2 * a) "," a + rand() "," rand() - a * a \
    "," int(6 * rand()) }; print x "," i } }' >rows
array rows.npy f4 C <rows
array wide.npy f8 F <rows
awk -F, 'NR % 50 == 7 { print "nan," $2 "," $3 "," $4 "," $5; next } NR % 60 == 9 { print $1 ",nan,nan," $4 "," $5; next } { print }' rows >holes
array holes.npy f4 C <holes
head -n 250 rows | array valid.npy f4 C
tail -n 200 rows | array test.npy f4 C
mkdir scratch

# both DATA [flags]: a fit of rows in memory and one of rows in their file, to the same model and the same words but for the one line about it
both() {
    local flags="--dims 8 --batch-size 100 --val-freq 5 --iterations 10 --warm-start flow-matching:5 --overwrite"
    run fit "$@" $flags --out memory --scratch none
    expect_code 0
    grep -v "^rows \|, best at\|^model" out >out.memory
    grep "^laminar: " err >err.memory
    run fit "$@" $flags --out mapped --scratch scratch
    expect_code 0
    expect_out "rows     in files without names on the disk"
    expect_same memory/model.safetensors mapped/model.safetensors
    grep -v "^rows \|, best at\|^model" out >out.mapped
    grep "^laminar: " err >err.mapped
    expect_same out.memory out.mapped
    expect_same err.memory err.mapped
    [ -z "$(ls -A scratch)" ] || fail "files are left in the scratch folder"
}
both rows.npy --map none --whiten none --precision double --columns 3,1
both wide.npy --whiten gaussian --warm-start-pairing minibatch --tpr
both rows.npy --noise auto --step-control tile
both rows.npy --noise 4:1 --drop-duplicates --test-fraction 0.3 --split-seed 4
both holes.npy --drop-bad-rows --drop-duplicates --val-rows 40
both holes.npy --any-given
both holes.npy --any-given --whiten gaussian --threads 2 --noise 4:1
both holes.npy --given 4,5 --map none
both holes.npy --given 4 --drop-bad-rows --whiten gaussian
both rows.npy --drop 4,5 --gradient adjoint --threads 2
both rows.npy --test test.npy --noise 1:0.1,4:1

# text, which is converted part by part, also what is gzipped; and one table of each kind
awk -F, 'BEGIN { print "a,b,kind,d,\"row\"" } NR % 70 == 3 { print $1 "," $2 ",,oops," $5; next } NR % 80 == 5 { print $1 "," $2 ",,," $5; next }
    { print $1 "," $2 "," ($4 < 3 ? "few" : "many") "," $4 "," $5 }' rows >all.csv
cp rows plain.csv
both all.csv --given kind --drop-bad-rows --drop-duplicates
both all.csv --drop-bad-rows --drop kind,row --valid all.csv
gzip -k all.csv
both all.csv.gz --any-given --given kind --drop-bad-rows --noise d:1
both plain.csv --valid valid.npy --test plain.csv --drop 5
both rows.npy --valid plain.csv --test test.npy --drop 5

# standard input and pipes, of text and of arrays
for file in plain.csv all.csv.gz rows.npy; do
    flags="--iterations 3 --dims 8 --batch-size 100 --overwrite --warm-start none --drop 3,5 --drop-bad-rows"
    run fit $file $flags --out memory --scratch none
    expect_code 0
    run fit - $flags --out mapped --scratch scratch <$file
    expect_out "read     standard input" "rows     in files without names on the disk"
    expect_same memory/model.safetensors mapped/model.safetensors
    run fit <(cat $file) $flags --out mapped --scratch scratch
    expect_out "rows     in files without names on the disk"
    expect_same memory/model.safetensors mapped/model.safetensors
done
head -c 2000 all.csv.gz >cut.csv.gz
run fit cut.csv.gz --out bad --scratch scratch
refused 1 "the gzip file is cut short; copy or download it again"

# a stopped run goes on, in memory or not: the rows are the same rows, and text that was converted is not read again
fit_in_turn() {
    run fit $table --drop 5 --dims 8 --batch-size 100 --val-freq 10 --warm-start flow-matching:5 --out turns "$@"
}
kept() { stat -c %n:%i:%Y "$1"/rows-*.cache; }
for table in rows.npy plain.csv; do
    rm -rf turns
    fit_in_turn --iterations 20 --scratch scratch --schedule cuts
    fit_in_turn --iterations 40 --scratch none --resume
    expect_code 0
    if [ $table = plain.csv ]; then
        for turn in 1 2; do # refused, and a run is there to go on with
            fit_in_turn --iterations 60 --scratch scratch --resume --dims 16
            refused 1 "the rows that were read from text stay in scratch/rows-" "until the work is finished"
            [ $turn = 2 ] || first=$(kept scratch)
        done
        [ "$first" = "$(kept scratch)" ] || fail "rows that are kept should be used, not made again"
        expect_out "cached   these rows are those of scratch/rows-" "and plain.csv was not read again"
        for file in scratch/rows-*.cache; do truncate -s -1 "$file"; done
        fit_in_turn --iterations 60 --scratch scratch --resume --dims 16
        refused 1 "is cut short or damaged and is not used: $work/plain.csv is read again"
    fi
    fit_in_turn --iterations 60 --scratch scratch --resume
    expect_code 0
    [ $table = rows.npy ] || expect_out "cached   these rows are those of scratch/rows-"
    [ -z "$(ls -A scratch)" ] || fail "a fit that has finished should leave no rows"
    mv turns/model.safetensors in_turn
    fit_in_turn --iterations 60 --schedule cuts --overwrite
    expect_code 0
    expect_same turns/model.safetensors in_turn
done

# Ctrl-C: the rows stay where there is a run to go on with, and while data are read no folder is left
begin() {
    command_line="laminar $*"
    set -m
    "$laminar" "$@" >out 2>err &
    pid=$!
    set +m
}
stop() { kill -s "$1" $pid; wait $pid; code=$?; }
begin fit plain.csv --drop 5 --dims 8 --batch-size 100 --iterations 100000 --schedule cuts --scratch scratch --out stopped
for _ in $(seq 400); do [ -s stopped/metrics.jsonl ] && break; sleep 0.02; done
stop INT
refused 130 "the rows that were read from text stay in scratch/rows-"
[[ $(tail -n 1 err) == *--resume ]] || fail "the last line should be the command that goes on"
rm scratch/rows-*.cache || fail "the rows should be there"
mkfifo pipe
for signal in INT:130 TERM:143; do
    begin fit pipe --out early/run
    exec 9>pipe
    [ -d early/run ] || fail "the folder is there while data are read"
    stop ${signal%:*}
    exec 9>&-
    expect_code ${signal#*:}
    [ ! -e early ] || fail "a fit that ends while data are read should leave no folder"
done
# the rows as files for others
run fit holes.npy --drop-bad-rows --drop-duplicates --noise 4:1 --write-split a --scratch none
expect_code 0
run fit holes.npy --drop-bad-rows --drop-duplicates --noise 4:1 --write-split b --scratch scratch
expect_code 0
for file in train valid test train_rows valid_rows test_rows; do
    expect_same a/$file.npy b/$file.npy
done
expect_same a/split.json b/split.json

# text of more than one part: bad rows and levels in both
awk 'BEGIN { for (i = 0; i < 66000; i++) printf "%d,%s,%60s\n", i * 7919 % 10007, i % 990 == 7 ? "" : i < 60000 ? "early" : i % 2 ? "late" : "early", i }' >long.csv
for where in none scratch; do
    run fit long.csv --drop 3 --given 2 --drop-bad-rows --write-split long_$where --scratch $where
    expect_code 0
    expect_out "dropped  67 bad rows"
done
for file in train valid test train_rows valid_rows test_rows; do
    expect_same long_none/$file.npy long_scratch/$file.npy
done
# without --scratch files are in the run's folder, of what is large: here 70 MB of blanks
awk '{ printf "%s%90000s\n", $0, "" }' rows >blanks.csv
run fit blanks.csv --drop 5 --dims 8 --batch-size 100 --iterations 3 --out blank
expect_code 0
expect_out "rows     in files without names on the disk"
ls blank | grep -q cache && fail "a fit that has finished should leave no rows"
# the same errors
printf 'a,b\n1,NaN\nNaN,2\n' >none.csv
printf 'a,b\n' >empty.csv
for flags in "all.csv" "all.csv --given d" "all.csv --drop nothing" "none.csv" "none.csv --drop-bad-rows" "empty.csv" "holes.npy" "holes.npy --given 1" "holes.npy --drop 9" "holes.npy --drop-bad-rows --columns 4,4"; do
    run fit $flags --out bad --scratch none
    refused 1
    cp err err.memory
    run fit $flags --out bad --scratch scratch
    refused 1
    expect_same err err.memory
done
head -c 3000 rows.npy >short.npy
run fit short.npy --out bad --scratch scratch
refused 1 "the file is cut short"
run fit rows.npy --drop 5 --out bad --scratch nowhere
refused 2 "--scratch nowhere: there is no such folder; name a folder that is there, or none for memory"
[ ! -e bad ] || fail "a folder is left behind by a fit that failed"
mkdir here
run fit nosuch.csv --out here/there/run/
refused 1 "nosuch.csv"
[ -d here ] && [ ! -e here/there ] || fail "the folders that a failed fit has made should be gone, and those before stay"

# 200,000 rows of 8 columns, of which a fit in memory makes 40 MB; sanitizers keep memory of their own
peak() { # peak KB DATA [flags]: the fit takes less of its own
    local limit=$1 most=0 now
    shift
    command_line="laminar fit $*"
    "$laminar" fit "$@" --out many --overwrite --iterations 3 --warm-start flow-matching:3 --val-rows 500 --test-fraction 0.001 --dims 8 --blocks 1 \
        --threads 1 --batch-size 500 >out 2>err &
    pid=$!
    while kill -0 $pid 2>/dev/null; do
        while read -r key now _; do [ "$key" = RssAnon: ] && [ "$now" -gt "$most" ] && most=$now; done 2>/dev/null </proc/$pid/status
        sleep 0.02
    done
    wait $pid
    code=$?
    expect_code 0
    expect_out "rows     in files without names on the disk"
    [ "$most" -gt 0 ] && [ "$most" -lt "$limit" ] || fail "the fit took $most KB of its own, and $limit are the limit"
    echo "fit $1: $most KB"
}
if [ -r /proc/self/status ] && ! grep -qs '^LAMINAR_SANITIZE:STRING=.' "$(dirname "$laminar")/CMakeCache.txt"; then
    python3 -c '
import array, gzip, random
r = random.Random(2)
some = [r.gauss(0, 1) for i in range(200001)]
texts = ["%.4f" % v for v in some]
turned = lambda x, k: x[5 * k + 1:] + x[:5 * k]
head = "{%s: %s, %s: False, %s: (200000, 8), }" % tuple(chr(39) + word + chr(39) for word in ("descr", "<f4", "fortran_order", "shape"))
with open("many.npy", "wb") as f, gzip.open("many.csv.gz", "wt", compresslevel=1) as g:
    f.write(b"\x93NUMPY\x01\x00\x76\x00" + head.ljust(117).encode() + b"\n")
    for k in range(8):
        array.array("f", turned(some, k)).tofile(f)
        t = turned(texts, k)
        g.writelines(",".join(t[i:i + 8]) + "\n" for i in range(0, 200000, 8))
'
    peak 20000 many.npy --scratch scratch
    peak 20000 many.csv.gz --scratch scratch
fi
finish
