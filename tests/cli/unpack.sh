# What is gzipped, deflated or comes in a pipe is unpacked to a file without a name where it is large: the same results, and memory does not grow with
# the table.
. "$(dirname "$0")/lib.bash"

fit_small r --dims 8
expect_code 0
fit_small g --given x --dims 8
expect_code 0
fit_small w --any-given --dims 8
expect_code 0
mkdir scratch sub

# the numbers of x,y lines as a deflated .npz: deflate NAME.npz <lines
deflate() {
    python3 -c '
import array, sys, zipfile
rows = [[float(v or "nan") for v in line.split(",")] for line in sys.stdin]
q = chr(39)
head = "{%sdescr%s: %s<f8%s, %sfortran_order%s: False, %sshape%s: (%d, 2), }" % (q, q, q, q, q, q, q, q, len(rows))
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as z:
    z.writestr("x.npy", b"\x93NUMPY\x01\x00\x76\x00" + head.ljust(117).encode() + b"\n" + array.array("d", [v for row in rows for v in row]).tobytes())
' "$1"
}
awk 'BEGIN { srand(5); for (i = 0; i < 300; i++) printf "%.6f,%.6f\n", 4 * rand() - 2, 4 * rand() - 2 }' >full
awk -F, 'NR % 3 == 2 { print "," $2; next } { print }' full >holes
for table in full holes; do
    (echo x,y && cat $table) >$table.csv
    gzip -k $table.csv
    deflate $table.npz <$table
    gzip -k $table.npz
done
(echo z1,z2 && cat full) >codes.csv
gzip -k codes.csv
deflate codes.npz <full

# same COMMAND MODEL TABLE [flags]: of TABLE.csv, and packed in all ways, wherever it is unpacked
same() {
    local command=$1 model=$2 table=$3 scratch file
    shift 3
    run "$command" $model $table.csv "$@" -o plain.csv
    expect_code 0
    for scratch in "" "--scratch scratch" "--scratch none"; do
        for file in $table.csv.gz $table.npz; do
            run "$command" $model $file "$@" $scratch -o packed.csv
            expect_code 0
            expect_same plain.csv packed.csv
        done
        run "$command" $model - "$@" $scratch -o packed.csv < <(cat $table.csv)
        expect_code 0
        expect_same plain.csv packed.csv
        run "$command" $model - "$@" $scratch -o packed.csv <$table.csv.gz
        expect_code 0
        expect_same plain.csv packed.csv
        run "$command" $model <(cat $table.csv) "$@" $scratch -o packed.csv # a pipe with a name is read once, its columns' names too
        expect_code 0
        expect_same plain.csv packed.csv
    done
    [ -z "$(ls -A scratch)" ] || fail "$command leaves files in the scratch folder"
}
same score r full
same score w holes
same encode r full
same decode r codes
same predict g holes --drop-bad-rows --draws 2 --atol 0.1 --rtol 0.1
same impute w holes --atol 0.1 --rtol 0.1
run sample g --given-file full.csv -n 2 --atol 0.1 --rtol 0.1 -o plain.csv
expect_code 0
run sample g --given-file full.csv.gz -n 2 --atol 0.1 --rtol 0.1 --scratch scratch -o packed.csv
expect_code 0
expect_same plain.csv packed.csv
run check r full.csv --rows 50
expect_code 0
cp out checked
for file in full.csv.gz full.npz - ; do
    run check r $file --rows 50 --scratch scratch < <(cat full.csv)
    expect_code 0
    expect_same checked out
done

# the same errors
head -c 2000 full.csv.gz >cut.csv.gz
head -c 3000 full.npz >cut.npz
(cat full.csv && echo 1,oops) | gzip >oops.csv.gz
printf 'a,b\n1,2\n' | gzip >other.csv.gz
gzip </dev/null >empty.csv.gz
for file in cut.csv.gz cut.npz oops.csv.gz other.csv.gz empty.csv.gz full.npz:y full.csv.gz:x; do
    run score r $file --scratch none
    refused 1
    cp err err.memory
    run score r $file --scratch scratch
    refused 1
    expect_same err.memory err
done
# a folder that is not there is refused at once, also where nothing would go there
for line in "score r full.csv" "encode r full.csv" "decode r codes.csv" "check r full.csv" "predict g full.csv" "impute w holes.csv" "sample r -n 2" "sample g --given x=1" \
    "fit toy:moons --out no" "experiment plan.yaml"; do
    run $line --scratch nowhere
    refused 2 "--scratch nowhere: there is no such folder; name a folder that is there, or none for memory" "laminar help ${line%% *}\`"
done
[ ! -e no ] || fail "no folder of a fit should be left"
run score r full.csv --scratch full.csv
refused 2 "--scratch full.csv: this is no folder"
run score r full.csv.gz --scratch ""
refused 2 "--scratch is empty"

# 140 MB of blanks, which are large: beside the output, or where temporary files are; a disk with no room for them
awk 'NR <= 1600 { printf "%s%90000s\n", $0, "" }' full full full full full full >blanks
(echo x,y && cat blanks) | gzip -1 >blanks.csv.gz
rm blanks
run score r blanks.csv.gz --scratch none -o plain.csv
expect_code 0
export TMPDIR=nowhere
run score r blanks.csv.gz -o sub/packed.csv
expect_code 0
expect_same plain.csv sub/packed.csv
[ "$(ls sub)" = packed.csv ] || fail "files are left beside the output"
run score r blanks.csv.gz
refused 1 "nowhere: rows cannot be kept in files there"
run score r full.csv.gz
expect_code 0 # it is small
TMPDIR=$PWD/scratch run check r blanks.csv.gz --rows 50
expect_code 0
unset TMPDIR
command_line="laminar score (files of at most 1 MiB)"
(trap '' XFSZ; ulimit -f 1024; exec "$laminar" score r blanks.csv.gz -o sub/more.csv) >out 2>err
code=$?
refused 1 "sub: no room there for " "--scratch"
[ "$(ls sub)" = packed.csv ] || fail "files are left beside the output"

# memory of its own, in KB: a piece as large as what is not unpacked to a file, or little where all is
peak() { # peak KB COMMAND ...: at the most
    local limit=$1 most=0 now pid
    shift
    command_line="laminar $*"
    "$laminar" "$@" --threads 1 <&0 >out 2>err &
    pid=$!
    while kill -0 $pid 2>/dev/null; do
        while read -r key now _; do [ "$key" = RssAnon: ] && [ "$now" -gt "$most" ] && most=$now; done 2>/dev/null </proc/$pid/status
        sleep 0.01
    done
    wait $pid
    code=$?
    expect_code 0
    [ "$most" -gt 0 ] && [ "$most" -lt "$limit" ] || fail "it took $most KB of its own, and $limit are the limit"
    echo "$*: $most KB"
}
if [ -r /proc/self/status ] && ! grep -qs '^LAMINAR_SANITIZE:STRING=.' "$(dirname "$laminar")/CMakeCache.txt"; then
    peak 85000 score r blanks.csv.gz
    gzip -dc blanks.csv.gz | peak 85000 encode r - -o sub/z.csv
    for command in "score r" "encode r" "predict g" "impute w" "check r"; do
        gzip -dc blanks.csv.gz | peak 20000 $command - --scratch scratch --atol 0.1 --rtol 0.1
    done
    python3 -c '
import zipfile
q = chr(39)
head = "{%sdescr%s: %s<f8%s, %sfortran_order%s: False, %sshape%s: (2000000, 2), }" % (q, q, q, q, q, q, q, q)
with zipfile.ZipFile("zeros.npz", "w", zipfile.ZIP_DEFLATED) as z:
    z.writestr("x.npy", b"\x93NUMPY\x01\x00\x76\x00" + head.ljust(117).encode() + b"\n" + bytes(32000000))
'
    peak 20000 check r zeros.npz --rows 50 --scratch scratch
fi
finish
