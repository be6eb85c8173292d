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
    run fit "$@" --dims 8 --batch-size 100 --val-freq 5 --iterations 10 --warm-start flow-matching:5 --out memory --overwrite --scratch none
    expect_code 0
    grep -v "^rows \|, best at\|^model" out >out.memory
    grep "^laminar: " err >err.memory
    run fit "$@" --dims 8 --batch-size 100 --val-freq 5 --iterations 10 --warm-start flow-matching:5 --out mapped --overwrite --scratch scratch
    expect_code 0
    expect_out "rows     in files without names on the disk"
    expect_same memory/model.safetensors mapped/model.safetensors
    grep -v "^rows \|, best at\|^model" out >out.mapped
    grep "^laminar: " err >err.mapped
    expect_same out.memory out.mapped
    expect_same err.memory err.mapped
    [ -z "$(ls -A scratch)" ] || fail "files are left in the scratch folder"
}
both rows.npy --drop 5 --threads 2
both rows.npy --map none --whiten none --precision double --columns 3,1
both wide.npy --whiten gaussian --warm-start-pairing minibatch --tpr
both rows.npy --noise auto --step-control tile
both rows.npy --noise 4:1 --drop-duplicates --test-fraction 0.3 --split-seed 4
both holes.npy --drop-bad-rows --drop-duplicates --val-rows 40
both holes.npy --any-given
both holes.npy --any-given --whiten gaussian --threads 2 --noise 4:1
both holes.npy --given 4,5 --map none
both holes.npy --given 4 --drop-bad-rows --whiten gaussian
both rows.npy --drop 4,5 --gradient adjoint
both rows.npy --valid valid.npy --test test.npy --drop 5
both rows.npy --test test.npy --noise 1:0.1,4:1

# text, which is read to such a file part by part; and one table of each kind
awk -F, 'BEGIN { print "a,b,kind,d,\"row\"" } NR % 70 == 3 { print $1 "," $2 ",,oops," $5; next } NR % 80 == 5 { print $1 "," $2 ",,," $5; next }
    { print $1 "," $2 "," ($4 < 3 ? "few" : "many") "," $4 "," $5 }' rows >all.csv
cp rows plain.csv
both all.csv --given kind --drop-bad-rows --drop-duplicates
both all.csv --drop-bad-rows --drop kind,row --valid all.csv
both all.csv --any-given --given kind --drop-bad-rows --noise d:1
awk -F, 'NR % 70 != 4' all.csv >good.csv
both good.csv --any-given --given kind --drop row
both plain.csv --valid valid.npy --test plain.csv --drop 5
both rows.npy --valid plain.csv --drop 5
both plain.csv --noise auto --val-rows 30 --drop 5

# a stopped run goes on, in memory or not: the rows are the same rows
fit_in_turn() {
    run fit rows.npy --drop 5 --dims 8 --batch-size 100 --val-freq 10 --warm-start flow-matching:5 --out turns "$@"
    expect_code 0
}
fit_in_turn --iterations 20 --scratch scratch --schedule cuts
fit_in_turn --iterations 40 --scratch none --resume
fit_in_turn --iterations 60 --scratch scratch --resume
run fit rows.npy --drop 5 --dims 8 --batch-size 100 --val-freq 10 --warm-start flow-matching:5 --out once --iterations 60 --schedule cuts
expect_code 0
expect_same turns/model.safetensors once/model.safetensors

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
awk 'BEGIN { for (i = 0; i < 6000; i++) { for (j = 0; j < 400; j++) printf "%d,", (i * 7919 + j * 104729) % 1009
    print i % 90 == 7 ? "" : i < 4000 ? "early" : i % 2 ? "late" : "early" } }' >broad.csv
for where in none scratch; do
    run fit broad.csv --given 401 --drop-bad-rows --write-split broad_$where --scratch $where
    expect_code 0
    expect_out "dropped  67 bad rows"
done
for file in train valid test train_rows valid_rows test_rows; do
    expect_same broad_none/$file.npy broad_scratch/$file.npy
done

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
refused 1 "nowhere: rows cannot be kept in files there: No such file" "--scratch"
[ ! -e bad ] || fail "a folder is left behind by a fit that failed"
mkdir here
run fit nosuch.csv --out here/there/run/
refused 1 "nosuch.csv"
[ -d here ] && [ ! -e here/there ] || fail "the folders that a failed fit has made should be gone, and those before stay"

# 1.2 million rows of 8 columns, 77 MB in memory; sanitizers keep memory of their own
if [ -r /proc/self/status ] && ! grep -qs '^LAMINAR_SANITIZE:STRING=.' "$(dirname "$laminar")/CMakeCache.txt"; then
    python3 -c '
import random, struct
n, r = 1200000, random.Random(2)
some = [r.gauss(0, 1) for i in range(100003)]
head = ("{%s: %s, %s: False, %s: (%d, 8), }" % (chr(39) + "descr" + chr(39), chr(39) + "<f4" + chr(39), chr(39) + "fortran_order" + chr(39),
    chr(39) + "shape" + chr(39), n) + " " * 128)[:117] + "\n"
with open("many.npy", "wb") as f:
    f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode())
    for i in range(0, 8 * n, 96000):
        f.write(struct.pack("<96000f", *[some[(i + k) * (1 + (i + k) % 7) % 100003] for k in range(96000)]))
'
    command_line="laminar fit many.npy"
    "$laminar" fit many.npy --out many --iterations 3 --warm-start flow-matching:3 --val-rows 500 --test-fraction 0.001 --dims 8 --blocks 1 --threads 1 \
        --batch-size 500 >out 2>err &
    pid=$! most=0
    while kill -0 $pid 2>/dev/null; do
        now=$(awk '/RssAnon/ { print $2 }' /proc/$pid/status 2>/dev/null)
        [ "${now:-0}" -gt "$most" ] && most=$now
        sleep 0.02
    done
    wait $pid
    code=$?
    expect_code 0
    expect_out "rows     in files without names on the disk"
    [ "$most" -gt 0 ] && [ "$most" -lt 70000 ] || fail "fit took $most KB of its own for 1.2 million rows"
    echo "fit of 1.2 million rows: $most KB"
fi
finish
