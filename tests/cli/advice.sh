#!/bin/bash
# What fit says of the columns before its first iteration and that the flags it proposes take it away; rows in other units than a model's;
# a flow that is worse than the Gaussian.
. "$(dirname "$0")/lib.bash"
small="--dims 4 --iterations 2 --threads 1 --batch-size 50 --schedule cuts --warm-start none"

# id counts, a is rounded, b is a in another unit, c has -999 for none, d counts 0 to 2, e is fine
awk 'BEGIN { srand(3); print "id,a,b,c,d,e"; for (i = 1; i <= 800; i++) { a = sprintf("%.3f", rand() + rand() + rand());
    c = rand(); printf "%d,%.3f,%.4f,%s,%d,%.6f\n", i, a, 2.54 * a, i % 50 == 7 ? -999 : sprintf("%.5f", c), 3 * rand(), 9 + rand() } }' >bad.csv
run fit bad.csv --out bad $small
expect_code 0
expect_err "column id numbers the rows" "--drop id" "c (-999 in" "--drop c" "d (3)" "--noise d:1" "b = 2.54 a" \
    "likelihood can grow without limit" "--drop b"
[ "$(grep -c '^laminar: .*--drop\|^laminar: .*--noise' err)" = 4 ] || fail "one line of a kind is expected"
run fit bad.csv --out clean --drop id,c,b --noise d:1 $small
expect_code 0
grep -q -e "--drop" -e "distinct" err && fail "nothing should be said of the columns any more"

# --noise auto is the noise that it prints
run fit bad.csv --out auto --drop id,c,b --noise auto $small
expect_code 0
expect_err "--noise auto adds noise to 1 column of few distinct values, as --noise d:1 does"
[ "$(grep validation clean/metrics.jsonl | cut -d, -f3)" = "$(grep validation auto/metrics.jsonl | cut -d, -f3)" ] \
    || fail "the same noise should give the same validation"
run fit bad.csv --out twice --drop id,c,b --noise auto,d:0 $small
expect_code 0
expect_err "--noise auto adds none"
run fit bad.csv --out auto --drop id,c,b --noise auto --resume --iterations 4
expect_code 0

# constants are refused all at once
awk -F, '{ print $0 "," (NR == 1 ? "k" : 0.1 + 0.2) "," (NR == 1 ? "l" : 5) }' bad.csv >constant.csv
run fit constant.csv --out k $small
refused 1 "2 columns are constant: k (every training row has 0.3) and l (every training row has 5)" "--drop k,l"

# rows that are standardised already, and rows far outside
run fit bad.csv --drop id,c,b --noise d:1 --write-split split
expect_code 0
expect_out "split.json, *_rows.npy"
expect_file split/test_rows.npy
grep -q '"units"' split/split.json && grep -q '"bad.csv"' split/split.json || fail "split.json should say units and file"
run score clean split/test.npy
expect_code 0
expect_err "look standardised" "--standardised"
run score clean split/test.npy --standardised
expect_code 0
grep -q "laminar: the rows\|far outside" err && fail "they are taken for what they are"
awk -F, 'NR > 1 && NR < 40 { $6 = NR == 9 ? 1e4 : $6 } NR < 40 { print $2 "," $5 "," $6 }' bad.csv >far.csv
run score clean far.csv
expect_code 0
expect_err "1 of 38 rows lies far outside the range of the training rows, in column e: 10000"
run check clean far.csv --rows 30
expect_code 0
expect_err "far outside"
run encode clean far.csv -o z.npy
expect_code 0
expect_err "far outside"

# a flow that has learned nothing yet: worse by more than two standard errors of the rows' differences
run fit toy:moons:600:1 --out worse --dims 4 --warm-start none --iterations 1 --lr 1e-6 --threads 1 --batch-size 50
expect_code 0
expect_out "this flow is worse than the mixture of" " +- " "--iterations 2000" "--warm-start flow-matching"
grep -q "worse than the Gaussian" out && fail "beside the Gaussian there is no such difference: $(grep 'this flow' out)"
awk 'BEGIN { srand(2); print "a,b"; for (i = 0; i < 1500; i++) { a = rand() + rand() + rand(); print a "," a + 0.05 * rand() } }' >line.csv
run fit line.csv --out worse2 --dims 4 --warm-start none --iterations 1 --lr 1e-6 --threads 1 --batch-size 50 --map none
expect_code 0
expect_out "this flow is worse than the Gaussian beside it, by " "and than the mixture of"
grep -q -- "--noise" out && fail "no column has few values"
run fit line.csv --out short --dims 4 --warm-start none --max-processor-seconds 2 --lr 1e-6 --threads 1 --batch-size 50 --map none
expect_code 0
# whether there is time for the mixture depends on the machine
expect_out "worse than the Gaussian" "Try more time (--max-processor-seconds 8)"
grep -q -- "--iterations" out && fail "more iterations would not fit in the time"
awk 'BEGIN { srand(2); print "a,b"; for (i = 0; i < 1500; i++) { a = int(6 * rand()); print a "," a + rand() } }' >steps.csv
run fit steps.csv --out steps --dims 4 --warm-start none --iterations 1 --lr 1e-6 --threads 1 --batch-size 50 --map none
expect_code 0
expect_out "worse than the" "noise for the columns of few values (--noise auto)"
# training that makes nothing better than its start
run fit toy:moons:600:1 --out start --dims 16-16 --blocks 1 --warm-start flow-matching:100 --iterations 6 --lr 0.2 --lr-warmup 1 --threads 1 --batch-size 50
expect_code 0
expect_out "which led to the best model" "training made nothing better than its start by flow matching. Try more iterations (--iterations 2000), a lower rate (--lr 0.067)"
grep -q "by heart" out && fail "six iterations learn nothing by heart"

# rows that stand in the file more than once come to be training and test rows
"$laminar" sample clean -n 90 --seed 4 -o once.csv >out 2>err
{ cat once.csv; tail -n +2 once.csv; tail -n +2 once.csv; } >thrice.csv
run fit thrice.csv --out repeated $small
expect_err "test rows are equal to training rows, so their NLL is better than that of new rows; --drop-duplicates keeps one of equal rows"
# different rows that rounding makes equal: dropping them would change the density, noise does not
awk 'BEGIN { srand(5); print "a,b b"; for (i = 0; i < 2000; i++) printf "%.1f,%d\n", 3 * rand() + rand(), int(20 * rand()) }' >ties.csv
run fit ties.csv --out ties $small
expect_err "test rows are equal to training rows" "noise as wide as the gaps between the values helps: --noise 'a:0.1,b b:1'; if they are the same rows again, --drop-duplicates"
run fit ties.csv --out tied --noise 'a:0.1,b b:1' $small
expect_code 0
grep -q "equal to training rows\|distinct" err && fail "with noise nothing should be said"
# what comes out of it has the noise, which is said; so is a column that lies elsewhere than its distribution
run sample tied -n 2 -o drawn.csv
expect_err "the fit added noise to columns (a:0.1,b b:1): to each value a random number from 0 up to this width" "round down"
run sample ties -n 2 -o drawn.csv
grep -q "noise" err && fail "there was none"
# check says that rows lack the noise, and how to get some that have it, of which it does not say so
run check tied ties.csv --threads 1
expect_out "The fit added noise to columns, and these rows have none. laminar fit DATA --config RUN/config.yaml --write-split FOLDER/ writes rows that have it"
run fit ties.csv --config tied/config.yaml --write-split parts/ --quiet
expect_code 0
run check tied parts/test.npy --standardised --threads 1
expect_code 0
grep "these rows have none" out && fail "they have the noise"
run fit toy:moons:600:1 --out moons $small
printf 'x,y\n' >moved.csv
seq 200 | awk '{ print 5 + $1 / 200 "," $1 / 200 }' >>moved.csv
run check moons moved.csv
expect_out "The distribution of x is shifted: most of the values lie on one side of its median, and 0 % within its central 90 %." "If the fit has not seen these rows, give it more rows or more time."
run fit thrice.csv --out single --drop-duplicates $small
expect_code 0
grep -q "equal to training rows" err && fail "no row is there twice"
finish
