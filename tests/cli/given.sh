# Columns that are given: text and numbers as inputs, scores, draws, predictions, pictures, and what is refused.
. "$(dirname "$0")/lib.bash"

# y is x for one kind and 2 - x for the other, with noise of a tenth
table() { # ROWS SEED
    awk -v n="$1" -v s="$2" 'BEGIN { srand(s); print "x,kind,y"; for (i = 0; i < n; i++) { x = 2 * rand(); up = rand() < 0.5
        printf "%.4f,%s,%.4f\n", x, up ? "up" : "down", (up ? x : 2 - x) + 0.2 * (rand() + rand() - 1) } }'
}
table 800 1 >data.csv
table 200 2 >new.csv

run fit data.csv --given x,kind --dims 16-16 --context-dims 24 --batch-size 100 --iterations 150 --val-freq 50 --threads 1 --out run
expect_code 0
expect_err "text makes one input a level: kind (2: down, up)"
expect_out "test, linear regression, normal residual "

# ---- scores: of y, whatever the columns' order; a level that is not known, a missing input
run score run new.csv -o scores.npy
expect_code 0
expect_out "rows                                 200"
awk -F, -v OFS=, '{ print $3, $2, $1 }' new.csv >turned.csv
run score run turned.csv -o turned.npy
expect_same scores.npy turned.npy
sed '5s/,[a-z]*,/,sideways,/' new.csv >sideways.csv
run score run sideways.csv
refused 1 'sideways.csv: line 5: "sideways" is no level of the column kind, whose 2 levels are down, up'
run score run new.csv --of y --given x,kind -o same.npy
expect_code 0
expect_same scores.npy same.npy
run score run new.csv --of x
refused 2 "x" "--any-given"

# ---- draws
run sample run -n 300 --given x=0.5 --given kind=down --seed 3 -o draws.csv
expect_code 0
awk -F, 'NR > 1 { n++; sum += $3; bad += $1 != 0.5 || $2 != "down" } END { exit !(n == 300 && bad == 0 && sum / n > 1.2 && sum / n < 1.8) }' draws.csv ||
    fail "draws should have what is given, and y near 1.5: $(head -n 3 draws.csv)"
head -n 4 new.csv | cut -d, -f1,2 >inputs.csv
run sample run -n 2 --given-file inputs.csv
expect_code 0
[ "$(wc -l <out)" = 7 ] && awk -F, 'NR == FNR { x[NR] = $1; kind[NR] = $2; next } FNR > 1 { k = 1 + int(FNR / 2); bad += $1 + 0 != x[k] + 0 || $2 != kind[k] }
    END { exit bad > 0 }' inputs.csv out || fail "two draws of each of three rows"
run sample run -n 2 --given x=0.5
refused 2 "kind, which has no value: --given kind=VALUE"
run sample run -n 2 --given x=0.5 --given kind=sideways
refused 2 "--given kind=sideways: the column is text, and this is not one of its 2 levels (down, up)"
run sample run -n 2 --given x=0.5 --given kind=up --given y=1
refused 2 "fitted with y not given" "--any-given"
run sample run -n 2 --given x
refused 2 "write NAME=VALUE"
run sample run -n 2
refused 2 "this model is given x, kind, which have no value: --given x=VALUE --given kind=VALUE"

# ---- values that no training row is near: column, value and range; those that are beyond numbers are refused by row and column
far="in column x: 50, where the training rows have"
run sample run -n 2 --given x=50 --given kind=up
expect_code 0
expect_err "the row lies far outside the range of the training rows, $far"
run plot run --given x=50 --given kind=up -o far.svg
[ "$code" = 0 ] && expect_err "$far"
printf 'x,kind,y\n1,up,1e9\n50,up,1\n' >far.csv
run predict run far.csv
expect_code 0
expect_err "1 of 2 rows lies far outside the range of the training rows, $far"
run sample run --given-file far.csv -n 1
expect_code 0
expect_err "1 of 2 rows lies far outside the range of the training rows, $far"
run score run far.csv
expect_code 0
expect_err "2 of 2 rows lie far outside" "in column x (1 row: 50, where the training rows have" "and column y (1 row: 1000000000, where"
run sample run -n 2 --given x=1 --given kind=up
expect_code 0
[ ! -s err ] || fail "nothing is to be said of a value among the training rows"
printf 'x,kind,y\n1,up,1\n-1e300,up,1\n' >beyond.csv
for command in "predict run beyond.csv" "score run beyond.csv" "sample run -n 1 --given-file beyond.csv"; do
    run $command
    refused 1 "row 2, column 1 (x) is -1e+300: that is" "standard deviations from the mean of the training rows"
done
# sample needs every row of its file, and takes columns from it as the other commands do
printf 'x,kind\n1,up\ninf,up\n' >odd.csv
run sample run -n 1 --given-file odd.csv
refused 1 "correct it or take the row out of the file"
grep -q -- --drop-bad-rows err && fail "sample has no --drop-bad-rows"
printf '7,1,up,0\n8,2,up,0\n' >long.csv
run sample run -n 1 --given-file long.csv
refused 1 "long.csv has 4 columns, the model takes 3" "--drop"
run sample run -n 1 --given-file long.csv --drop 1 -o dropped.csv
expect_code 0
run sample run -n 1 --given-file long.csv --columns 2,3,4 -o listed.csv
expect_code 0
expect_same dropped.csv listed.csv
run sample run -n 1 --given x=-1e300 --given kind=up
refused 1 "row 1, column 1 (x) is -1e+300"

run plot run -o joint.svg
refused 2 "run has no density of all its columns, as it is given x, kind: say what these are, --given x=VALUE --given kind=VALUE, or"

# ---- a fan whose data miss cells: columns without a value are at the mean of those that are there
awk -F, -v OFS=, 'NR == 1 { print "x", "z", "y"; next } { print $1, $1 * $1 + NR % 7, $3 }' data.csv >three.csv
run fit three.csv --given x,z --dims 8 --context-dims 16 --iterations 20 --threads 1 --out fan --quiet
expect_code 0
awk -F, -v OFS=, 'NR == 5 { $2 = "" } NR == 6 { $1 = "" } NR == 7 { $3 = "" } 1' three.csv >three_holes.csv
run fit three.csv --given x --dims 8 --iterations 2 --val-fraction 0 --warm-start none --threads 1 --out unscaled --quiet
expect_code 0
expect_out "no validation rows to choose the scale of the base density by"
# of a fit that takes missing cells: a row without a given one is refused by its place, and left out on demand
awk -F, -v OFS=, 'NR % 9 == 2 { $2 = "" } 1' three.csv >some_z.csv
run fit some_z.csv --given x --dims 8 --iterations 2 --warm-start none --threads 1 --out holed --quiet
expect_code 0
awk -F, -v OFS=, 'NR == 6 { $1 = "" } 1' some_z.csv >no_x.csv
run score holed no_x.csv
refused 1 "row 5, column 1 (x) is NaN; leave such rows out"
run score holed some_z.csv
expect_code 0
run fit three.csv --given x --dims 8 --iterations 2 --warm-start none --lr 1e-6 --threads 1 --out pair
expect_code 0
expect_out "test, conditional Gaussian "
awk -F, -v OFS=, 'NR == 1 { print "x", "y"; next } { print $1, $1 + $3 / 20 }' data.csv >line.csv
run fit line.csv --given x --dims 8 --iterations 1 --warm-start none --lr 1e-6 --map none --calibrate none --threads 1 --out worse
expect_code 0
expect_out "this flow is worse than the linear regression beside it"
run plot pair --given x=1 --columns y -o alone.svg
refused 2 "not that of y without z" "--any-given"
run plot fan --against x --data three_holes.csv -o fan.svg
if [ "$code" = 0 ]; then
    run plot fan --against x --data three.csv -o fan_whole.svg
    expect_code 0
else
    expect_err cairo
fi

# ---- predictions: the file needs no y; integral and draws agree
cut -d, -f1,2 new.csv >unknown.csv
run predict run unknown.csv --quantiles 0.05,0.95 --below 1 -o integral.csv
expect_code 0
expect_out "200 rows, by integrating the density, whose mass is 1 within"
[ "$(head -n 1 integral.csv)" = 'mean,sd,median,q0.05,q0.95,p<=1' ] || fail "the names of predictions: $(head -n 1 integral.csv)"
run predict run unknown.csv --quantiles 0.05,0.95 --below 1 --draws 400 --errors -o drawn.csv
expect_code 0
expect_out "200 rows, by 400 draws of each"
paste -d, integral.csv drawn.csv | awk -F, 'NR > 1 { for (k = 1; k <= 6; k++) { n++; far += ($k - $(5 + 2 * k)) ^ 2 > 16 * ($(6 + 2 * k) + 0.004) ^ 2 } }
    END { exit !(n == 1200 && far < 12) }' || fail "integrals and draws differ by more than draws vary: $(paste -d, integral.csv drawn.csv | sed -n 2p)"
paste -d, new.csv integral.csv | awk -F, 'NR > 1 { want = $2 == "up" ? $1 : 2 - $1; off += ($4 - want) ^ 2; inside += $3 >= $7 && $3 <= $8 }
    END { exit !(sqrt(off / 200) < 0.15 && inside > 160) }' || fail "means should follow the line, and nine tenths of y lie in the interval"
run predict run unknown.csv --quantiles 1.5
refused 2 "above 0 and below 1"
run predict run unknown.csv --below one
refused 2 '"one" is no number; write 0.5, for all columns that are predicted, or y=0.5 for one'
run predict run unknown.csv --quantiles 0.05,0.95 --below y=1 -o named.csv
expect_code 0
expect_same named.csv integral.csv
run predict run unknown.csv --below x=1
refused 2 "--below x=1: the column x is not predicted here"

# ---- checks and pictures
run check run new.csv --rows 100 --threads 1
expect_code 0
expect_out ", given each of 100 rows"
awk '/^total mass *1 within/ { found = $5 + 0 < 2e-3 } END { exit !found }' out || fail "the density of y should integrate to 1 given any row"
expect_out "of each column's distribution" "within the central 50 %"
if "$laminar" --help | grep -q plot && [ -z "${NO_PLOTS:-}" ]; then
    run plot run --given x=0.5 --given kind=up -o density.svg
    [ "$code" = 0 ] && expect_file density.svg || expect_err cairo
    run plot run --against x --given kind=up --data new.csv -o fan.svg
    [ "$code" = 0 ] && expect_file fan.svg || expect_err cairo
    run plot run --given x=0.5 --given kind=up --data new.csv -o density.svg
    refused 2 "--given shows the density at these values, and --data says nothing about them"
    run plot run --given x=0.5 -o density.svg
    refused 2 "this model is given kind, which has no value: --given kind=VALUE"
fi

# ---- the model file keeps levels; info shows what is given
run info run
expect_code 0
expect_out "levels of columns of text"
grep -qE '^  kind +text +2 levels$' out && grep -qE '^  kind +down, up$' out || fail "info should show kind as text, with its levels"
grep -q "by a spline of 2 " out && fail "the map of text, which does nothing, does not count"
grep -qE '^  kind +0 +1$' out && fail "text has no mean and scale"
run sample run -n 1 --given x=1 --given kind=up
expect_code 0

# ---- columns and levels beyond a few: the first ones are named, and how many there are
awk 'BEGIN { srand(4); for (j = 1; j <= 8; j++) printf "x%d,", j; print "town,y"; for (i = 0; i < 200; i++) { for (j = 1; j <= 8; j++) printf "%.4f,", rand()
    printf "t%02d,%.4f\n", i % 40, rand() } }' >many.csv
run fit many.csv --given x1,x2,x3,x4,x5,x6,x7,x8,town --dims 4 --iterations 1 --warm-start none --threads 1 --out many
expect_code 0
expect_err "town (40: t00, t01, t02, t03, t04, t05 and 34 others)"
run sample many -n 1
refused 2 "given x1, x2, x3, x4, x5, x6 and 3 others, which have no value: --given x1=VALUE" "--given x6=VALUE ..."
run sample many -n 1 --given town=t99
refused 2 "this is not one of its 40 levels (t00, t01, t02, t03, t04, t05 and 34 others)"
sed '3s/,t[0-9]*,/,t99,/' many.csv >unknown.csv
for command in score predict; do
    run $command many unknown.csv
    refused 1 'unknown.csv: line 3: "t99" is no level of the column town, whose 40 levels are t00, t01, t02, t03, t04, t05 and 34 others'
done

# ---- what is refused
run fit data.csv --dims 4 --iterations 2 --out none
refused 1 "kind" "--drop kind" "name it in --given"
run fit data.csv --given kind,x,y --iterations 2 --out none
refused 1 "none is left"
run fit data.csv --given kind,colour --iterations 2 --out none
refused 1 'no column "colour"'
sed '7s/^[0-9.]*,/,/' data.csv >hole.csv
run fit hole.csv --given x,kind --iterations 2 --out none
refused 1 "column 1 (x)" "missing (NaN), and the column is given" "--any-given" "--drop-bad-rows"
printf 'a,b\n1,2\n3,\n4,5\n6,7\n' >holes.csv
run fit holes.csv --iterations 2 --out none
refused 1 "line 3, column 2 (b): the cell is empty" "--drop-bad-rows" "--any-given" "--given"
run fit toy:moons:300 --dims 4 --iterations 2 --threads 1 --out joint
run predict joint toy:moons:10
refused 2 "all its columns together" "--any-given"
run impute joint toy:moons:10
refused 1 "--any-given"
run score joint toy:moons:10 --of x
refused 2 "--any-given"

# ---- cells of what is not given: a model that was fitted without holes takes none, and says where; one that had some takes them; predictions do not look
awk 'BEGIN { srand(2); print "a,b,d"; for (i = 0; i < 300; i++) printf "%.4f,%.4f,%.4f\n", rand(), rand(), rand() }' >whole.csv
sed '5s/,[^,]*$/,/' whole.csv >hole.csv
run fit whole.csv --given a --dims 8 --iterations 2 --warm-start none --threads 1 --out whole
expect_code 0
for command in score check encode; do
    run $command whole hole.csv
    refused 1 "hole.csv: line 5, column 3 (d)"
done
run predict whole hole.csv
expect_code 0
run fit whole.csv --dims 8 --iterations 2 --warm-start none --threads 1 --out of_all
run sample of_all --given-file whole.csv
refused 2 "this model is of all its columns together"
run fit hole.csv --given a --dims 8 --iterations 2 --warm-start none --threads 1 --out hole
expect_code 0
run score hole hole.csv
expect_code 0
expect_out "rows                                 300" "data units           -"
# rows that have nothing but what is given: left out and counted; line 4 is no row at all
sed '4s/.*/,,/; 6s/,.*/,,/; 9s/,.*/,,/' whole.csv >bare.csv
for command in score check; do
    run $command hole bare.csv --threads 1
    expect_code 0
    expect_err "warning: 2 of 299 rows have no value in any column whose density is asked, the first is row 5: they"
done
expect_out "297 of 299 rows;"
{ echo a,b,d; echo 1,,; echo 2,,; } >none.csv
run check hole none.csv
refused 1 "in none of the 2 rows is there a value of a column whose density is asked"

# ---- a run from before blocks could share the maps of their context says nothing of them: it goes on with maps of every block's own
run fit data.csv --given x,kind --dims 8 --context-dims 8 --blocks 2 --context-maps own --batch-size 100 --iterations 20 --warm-start none --threads 1 --out before
expect_code 0
cp before/model.safetensors kept.safetensors
sed -i '/^context-maps:/d' before/config.yaml
run fit data.csv --resume --threads 1 --out before
expect_code 0
expect_same before/model.safetensors kept.safetensors
grep -q '^context-maps: own' before/config.yaml || fail "the run should keep its maps"
finish
