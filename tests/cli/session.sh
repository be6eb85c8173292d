# The whole way on a small set: fit, score, sample, encode, decode, check, info, compare. Numbers that must agree, do.
. "$(dirname "$0")/lib.bash"

# npy [rows] or csv column to lines of numbers
numbers() { case $1 in *.csv) tail -n +2 "$1" ;; *) tail -c +129 "$1" | od -An -v -t f8 -w8 ;; esac; }
# largest |a - b| of two files of numbers, comma- or space-separated
distance() { paste -d' ' <(numbers "$1" | tr ',' '\n') <(numbers "$2" | tr ',' '\n') \
    | awk '{ d = $1 - $2; d = d < 0 ? -d : d; if (d > m) m = d } END { print m + 0 }'; }
below() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a < b) }' || fail "$3: $1 should be below $2"; }

run fit toy:moons:600:1 --dims 16-16 --batch-size 100 --val-freq 10 --log-freq 10 --iterations 30 --out plain
expect_code 0
expect_out "600 rows" "2 columns" "training" "validation" "test" "data units" "standardised units" "full-covariance Gaussian" "mixture of" \
    "plain/model.safetensors" "forward" "backward"
expect_err "iteration 10/30" "iteration 30/30" "loss" "nll" "forward" "backward" "steps" "left" "validation after the warm start" "validation at 30"
for file in model.safetensors config.yaml metrics.jsonl; do expect_file plain/$file; done
run fit toy:moons:600:1 --dims 16-16 --batch-size 100 --val-freq 10 --iterations 30 --tpr --out tpr
expect_code 0

# lines of progress are a second apart, but for the first and the last of iterations and of validations
SECONDS=0
run fit toy:moons:600:1 --dims 4 --batch-size 20 --val-freq 2 --log-freq 1 --iterations 400 --warm-start none --out chatty
expect_code 0
[ "$(grep -c '^iteration' err)" -le $((3 + SECONDS)) ] && [ "$(grep -c '^validation' err)" -le $((3 + SECONDS)) ] || fail "too many lines: $(wc -l <err) in $SECONDS s"
last=$(tail -n 1 chatty/metrics.jsonl | sed 's/.*"iterations":\([0-9]*\),.*/\1/')
grep -q "^iteration $last/$last" err && grep -q "^validation at $last:" err || fail "the last lines should be there, of iteration $last"

# a file, in both units, by batches of any size
run sample plain -n 200 --seed 3 -o x.csv --log-prob
expect_code 0
expect_out "200 draws" "data units" "x.csv"
[ "$(wc -l <x.csv)" = 201 ] || fail "x.csv should have a header and 200 rows"
head -n 1 x.csv | grep -q 'log_prob$' || fail "x.csv should end with the column log_prob"
cut -d, -f1,2 x.csv >data.csv
cut -d, -f3 x.csv >own.csv
run score plain data.csv
expect_code 0
expect_out "200" "nats, data units" "nats, standardised units" "exact trace"
run score plain data.csv -o logp.csv --atol 1e-7 --rtol 1e-7 --double
expect_code 0
[ "$(head -n 1 logp.csv)" = log_prob ] || fail "the column of scores should be called log_prob"
# the density from the sampling pass is the one that scoring finds, to the sampling's tolerance 1e-5
below "$(distance own.csv logp.csv)" 0.01 "log p of sampling against scoring"
run score plain data.csv -o logp.npy --atol 1e-7 --rtol 1e-7 --double
run score plain data.csv -o small.npy --atol 1e-7 --rtol 1e-7 --double --batch-rows 37 --threads 1
expect_code 0
expect_file logp.npy
below "$(distance logp.npy small.npy)" 1e-4 "scores by batches of 37 rows against 1000"
run score plain data.csv -o std.npy --units standardised --atol 1e-7 --rtol 1e-7 --double
expect_code 0
expect_out "standardised units"
# the two units differ by one number, the standardiser's log-determinant
spread=$(paste -d' ' <(numbers logp.npy) <(numbers std.npy) | awk '{ d = $1 - $2; if (NR == 1 || d < lo) lo = d
    if (NR == 1 || d > hi) hi = d } END { print hi - lo }')
below "$spread" 1e-9 "difference of the two units, spread"
run score plain toy:moons:100:9
expect_code 0

run sample plain -n 3
expect_code 0
[ "$(wc -l <out)" = 4 ] || fail "sample without -o should print a header and 3 rows"
cp out printed.csv
run sample plain -n 3 -o written.csv
expect_same printed.csv written.csv
run sample plain -n 50 --seed 3 -o first.csv
head -n 51 data.csv >head.csv
below "$(distance first.csv head.csv)" 1e-3 "draw i depends on the seed and i alone"

run encode plain data.csv -o z.npy --double --atol 1e-8 --rtol 1e-8
expect_code 0
expect_out "base density"
run decode plain z.npy -o back.csv --double --atol 1e-8 --rtol 1e-8
expect_code 0
expect_out "data units"
[ "$(head -n 1 back.csv)" = "$(head -n 1 data.csv)" ] || fail "decode should name its columns like the model"
# there and back at 1e-8 in double, data of size 1
below "$(distance back.csv data.csv)" 1e-4 "decode(encode(x)) against x"
run encode plain data.csv -o codes.csv
awk -F, '{ print $2 "," $1 }' codes.csv >swapped.csv # z2, z1: taken by name
run decode plain codes.csv -o straight.csv
run decode plain swapped.csv -o by_name.csv
expect_code 0
expect_same straight.csv by_name.csv
sed '3s/^[^,]*/nan/' codes.csv >bad.csv
run decode plain bad.csv -o x.csv
refused 1 "bad.csv: line 3, column 1 (z1)" "--drop-bad-rows"
run decode plain bad.csv --drop-bad-rows -o by_row.csv
expect_code 0
[ "$(sed -n 3p by_row.csv)" = nan,nan ] || fail "a row that was left out should be nan"
[ "$(wc -l <by_row.csv)" = "$(wc -l <straight.csv)" ] || fail "rows of decode should be those of its file"

run check plain data.csv --rows 100
expect_code 0
expect_out "100 of 200 rows" "log p against tighter" "decode(encode(x)) - x, standardised units" "Hutchinson" "total mass"
run info plain
expect_code 0
expect_out "2 columns, hidden 16-16" "parameters" "data hash" "chain.0.odefunc.diffeq." "test-atol" "log-determinant"
run info plain/model.safetensors
expect_code 0
run compare plain tpr/
expect_code 0
expect_out "plain" "tpr" "dopri5" "forward" "backward" "test NLL" "data units" "seconds"
[ "$(grep -c dopri5 out)" = 2 ] || fail "compare should have one line a run"
# a run without its summary, its last line cut short
mkdir torn
cp plain/config.yaml torn/
grep -v summary plain/metrics.jsonl | head -c -20 >torn/metrics.jsonl
run compare plain torn
expect_code 0
expect_out "torn *" "not finished"

run info plain >/dev/null
"$laminar" info plain >/dev/full 2>err
code=$?
refused 1 "could not be written"
"$laminar" sample plain -n 3 >/dev/full 2>err
code=$?
refused 1 "cannot write the rows: No space left on device"

# the rows that a fit sees, for other programs: fitted again as they are, they give the same bits
run fit toy:moons:600:1 --write-split rows
expect_code 0
expect_out "486 rows" "54 rows" "60 rows" "rows/train.npy"
run fit rows/train.npy --valid rows/valid.npy --test rows/test.npy --no-standardise --dims 16-16 --batch-size 100 \
    --val-freq 10 --iterations 30 --out again
expect_code 0
[ "$(sed 's/"seconds.*//' <again/metrics.jsonl | grep validation)" = "$(sed 's/"seconds.*//' <plain/metrics.jsonl | grep validation)" ] \
    || fail "the same rows should give the same validations"
run fit toy:moons:600:1 --write-split rows --out again
refused 2 "--write-split"
run fit toy:moons:600:1 --write-split again/config.yaml
refused 1 "again/config.yaml"

finish
