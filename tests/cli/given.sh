# Columns that are given: text and numbers as inputs, scores, draws, predictions, pictures, and what is refused.
. "$(dirname "$0")/lib.bash"

# y is x for one kind and 2 - x for the other, with noise of a tenth
table() { # ROWS SEED
    awk -v n="$1" -v s="$2" 'BEGIN { srand(s); print "x,kind,y"; for (i = 0; i < n; i++) { x = 2 * rand(); up = rand() < 0.5
        printf "%.4f,%s,%.4f\n", x, up ? "up" : "down", (up ? x : 2 - x) + 0.2 * (rand() + rand() - 1) } }'
}
table 800 1 >data.csv
table 200 2 >new.csv

run fit data.csv --given x,kind --dims 16-16 --iterations 150 --val-freq 50 --threads 1 --out run
expect_code 0
expect_err "text makes one input a level: kind (2: down, up)"

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
refused 2 "not one of its 2 levels"
run sample run -n 2 --given x=0.5 --given kind=up --given y=1
refused 2 "fitted with y not given" "--any-given"
run sample run -n 2 --given x
refused 2 "write NAME=VALUE"
run sample run -n 2
refused 2 "x, which has no value"

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
refused 2 "write numbers with commas between them"

# ---- checks and pictures
run check run new.csv --rows 100 --threads 1
expect_code 0
expect_out "of each column's distribution" "within the central 50 %"
if "$laminar" --help | grep -q plot && [ -z "${NO_PLOTS:-}" ]; then
    run plot run --given x=0.5 --given kind=up -o density.svg
    [ "$code" = 0 ] && expect_file density.svg || expect_err cairo
    run plot run --against x --given kind=up --data new.csv -o fan.svg
    [ "$code" = 0 ] && expect_file fan.svg || expect_err cairo
    run plot run --given x=0.5 -o density.svg
    refused 2 "kind is given, and has no value"
fi

# ---- the model file keeps levels; info shows what is given
run info run
expect_code 0
run sample run -n 1 --given x=1 --given kind=up
expect_code 0

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
finish
