# A fit of any columns given any others, of rows with missing cells: scores, predictions, draws, filled tables, and what is refused.
. "$(dirname "$0")/lib.bash"

# b is a, c is -a, each with a noise of 0.3; a tenth of the cells is missing
table() { # ROWS SEED SHARE
    awk -v n="$1" -v s="$2" -v share="$3" 'function cell(v) { return rand() < share ? (rand() < 0.5 ? "" : "NA") : sprintf("%.4f", v) }
        function noise() { return 0.6 * (rand() + rand() - 1) }
        BEGIN { srand(s); print "a,b,c"; for (i = 0; i < n; i++) { a = 2 * (rand() + rand() - 1)
            x = cell(a); y = cell(a + noise()); z = cell(-a + noise()); if (x y z ~ /^(NA)*$/) z = "0.1"
            printf "%s,%s,%s\n", x, y, z } }'
}
table 900 1 0.1 >holes.csv
table 300 2 0 >full.csv

run fit holes.csv --dims 8 --iterations 2 --out none
refused 1 "--drop-bad-rows" "--any-given"
run fit holes.csv --any-given --dims 16-16 --context-dims 24 --batch-size 100 --iterations 150 --val-freq 50 --threads 1 --out run
expect_code 0
expect_err "cells of 729 training rows are missing, in"
expect_out "validation, best, columns by chance" "By chance: in every validation row it is drawn which columns are asked, which are given, and which are left out"

# ---- scores of some columns given others; others need not be there
run score run full.csv --of a --given b,c -o narrow.npy
expect_code 0
cut -d, -f1,2 full.csv >two.csv
run score run two.csv --of a --given b -o one.npy
expect_code 0
expect_out "rows                                 300"
run score run two.csv
refused 1 'no column "c"'
run score run full.csv --of a --given a
refused 2 "named twice"
run score run holes.csv
expect_code 0
# rows without a value of what is asked have no log p: the others are scored, and alone in the mean
run score run holes.csv --of a --threads 1 -o some.csv
expect_code 0
lacking=$(awk -F, 'NR > 1 && ($1 == "" || $1 == "NA")' holes.csv | wc -l)
first=$(awk -F, 'NR > 1 && ($1 == "" || $1 == "NA") { print NR - 1; exit }' holes.csv)
expect_out "rows                                 $((900 - lacking))"
expect_err "warning: $lacking of 900 rows have no value in any column whose density is asked, the first is row $first: they have no log p (nan)"
mean=$(sed -n 's/^mean NLL, nats, data units *\([-0-9.]*\).*/\1/p' out)
paste -d, holes.csv some.csv | awk -F, -v mean="$mean" 'NR > 1 { none = $1 == "" || $1 == "NA"; bad += none != ($4 == "nan"); if (!none) { n++; sum -= $4 } }
    END { off = sum / n - mean; exit !(bad == 0 && off < 1e-5 && off > -1e-5) }' || fail "nan should stand where a is missing, and the mean $mean be that of the others"
printf 'a,b,c\n,,\n,1,\n,2,3\n0.5,,\n' >late.csv
run score run late.csv --of a
expect_code 0
expect_err "late.csv: 1 bad rows dropped" "warning: 2 of 3 rows have no value" "the first is row 2:"
run score run late.csv --of a --given b -o late_b.csv
expect_code 0
head -n 4 late.csv >no_a.csv
run score run no_a.csv --of a -o no.csv
refused 1 "in none of the 2 rows is there a value of a column whose density is asked"
[ ! -e no.csv ] || fail "no file should be left"
nll() { run score run full.csv --threads 1 "$@"; sed -n 's/^mean NLL, nats, data units *\([-0-9.]*\).*/\1/p' out; }
alone=$(nll --of a) given=$(nll --of a --given b,c) rest=$(nll --of b,c) all=$(nll)
awk -v alone="$alone" -v given="$given" -v rest="$rest" -v all="$all" 'BEGIN { off = rest + given - all
    exit !(given < alone - 0.3 && off < 0.15 && off > -0.15) }' || fail "p(a) $alone, p(a | b, c) $given, p(b, c) $rest, p(a, b, c) $all"

# ---- predictions and draws
run predict run two.csv --of c --quantiles 0.05,0.95 -o c.csv
expect_code 0
expect_out "by integrating the density"
paste -d, full.csv c.csv | awk -F, 'NR > 1 { off += ($4 - $3) ^ 2; all += $3 ^ 2; inside += $3 >= $7 && $3 <= $8 } END { exit !(off < 0.35 * all && inside > 230) }' ||
    fail "c should follow -a and -b: $(sed -n 2p c.csv)"
run predict run two.csv
refused 2 "--of a"
# without --given: the others that the file has; no one asks for what nobody named
cp c.csv before.csv
run predict run two.csv --of c --given a,b --quantiles 0.05,0.95 -o c.csv
expect_code 0
expect_same c.csv before.csv
cut -d, -f1 full.csv >one.csv
run predict run one.csv --of c -o c.csv
expect_code 0
expect_err "note: one.csv has no column b; what is there is all that is given"
run predict run one.csv --of c --given a -o c_a.csv
expect_code 0
expect_same c.csv c_a.csv
run predict run one.csv --of c --given a,b
refused 1 'no column "b"'
printf 'q,r\n1,2\n' >foreign.csv
run predict run foreign.csv --of c
refused 1 "foreign.csv has none of the model's columns: a, b, c"
run impute run foreign.csv
refused 1 "none of the model's columns"

# ---- files without names that have some of the columns: in the model's order, which a note tells; lists in another are refused
tail -n +2 two.csv >bare.csv
run predict run bare.csv --of c --given a,b --quantiles 0.05,0.95 -o bare_c.csv
expect_code 0
expect_err "bare.csv has no names for its 2 columns: they are taken for a, b, in the model's order"
expect_same bare_c.csv before.csv
run predict run bare.csv --of c --given b,a
refused 1 "taken for a, b, in the model's order; the flags list them in another"
run score run bare.csv --of b --given a
expect_code 0
run score run bare.csv --of b,a
refused 1 "the flags list them in another"
run predict run two.csv --of c --given b,a --quantiles 0.05,0.95 -o c.csv
expect_code 0
expect_same c.csv before.csv
run predict run two.csv --of b,c --draws 100 --errors
expect_code 0
expect_out "b_mean,b_mean_se,b_sd,b_sd_se,b_median"
# a threshold for each column, beside one for all: the columns of results are those that are asked for, with the numbers of a threshold for all
run predict run two.csv --of b,c --draws 100 --errors --below 0.5,-0.5,0 -o every.csv
expect_code 0
run predict run two.csv --of b,c --draws 100 --errors --below b=0.5,0 --below c=-0.5 --below b=0 -o own.csv
expect_code 0
[ "$(head -n 1 own.csv | tr , '\n' | grep -v _se | grep p | paste -sd,)" = "b_p<=0.5,b_p<=0,c_p<=0,c_p<=-0.5" ] || fail "names: $(head -n 1 own.csv)"
columns() { awk -F, -v OFS=, -v names="$2" 'NR == 1 { for (j = 1; j <= NF; j++) at[$j] = j; n = split(names, name, ",") }
    { for (k = 1; k <= n; k++) printf "%s%s", $at[name[k]], k < n ? OFS : "\n" }' "$1"; }
columns every.csv "$(head -n 1 own.csv)" >chosen.csv
expect_same chosen.csv own.csv
run predict run two.csv --of b,c --below d=1
refused 2 'there is no column "d"'
run sample run -n 200 --given a=1 --seed 2 -o draws.csv
expect_code 0
awk -F, 'NR > 1 { bad += $1 != 1; b += $2; c += $3 } END { exit !(NR == 201 && bad == 0 && b / 200 > 0.5 && c / 200 < -0.5) }' draws.csv || fail "b near 1 and c near -1"
run sample run -n 3 --given-file two.csv -o many.csv
expect_code 0
[ "$(wc -l <many.csv)" = 901 ] || fail "three draws of each of 300 rows"
run sample run -n 3
expect_code 0
run plot run --given a=1 --columns b,c -o map.png
[ "$code" = 0 ] && expect_file map.png || expect_err cairo

# ---- filled tables: what is there stays
run impute run holes.csv --draws 2 -o filled.csv
expect_code 0
expect_out "missing cells of 900 rows filled"
for k in 1 2; do
    paste -d, holes.csv filled-$k.csv | awk -F, 'NR > 1 { for (j = 1; j <= 3; j++) bad += $(j + 3) == "nan" || ($j != "" && $j != "NA" && $j + 0 != $(j + 3) + 0) } END { exit bad > 0 }' ||
        fail "table $k should have all cells, and those that were there as they were"
done
cmp -s filled-1.csv filled-2.csv && fail "two draws differ"
# the random numbers of draw k of a row depend on neither the number of tables nor the parts that they are made in: with 200 tables a part has 501
# rows. What the solver makes of them may differ by its tolerance, as the rows beside them are others
run impute run holes.csv --draws 200 --threads 1 -o lots.csv
expect_code 0
for k in 1 2; do
    paste -d, filled-$k.csv lots-$k.csv | awk -F, 'NR > 1 { for (j = 1; j <= 3; j++) { off = $j - $(j + 3); bad += off * off > 1e-6 } } END { exit bad > 0 }' ||
        fail "table $k of 2 and of 200 should have the same draws"
done
rm lots-*.csv
run impute run holes.csv --mean 20 -o mean.csv
expect_code 0
run impute run holes.csv --draws 2
refused 2 "several tables, which want files"
# all files or none
mkdir all-2.csv other-2-part.csv
run impute run holes.csv --draws 3 -o all.csv
refused 1 "all-2.csv: it is a folder"
run impute run holes.csv --draws 3 -o other.csv
refused 1 "other-2-part.csv"
# a file that has the name of a table that is being written is the user's
echo mine >third-1-part.csv
run impute run holes.csv --draws 2 -o third.csv
refused 1 "third-1-part.csv is in the way"
[ "$(cat third-1-part.csv)" = mine ] || fail "the user's file should stay"
left=$(find . -maxdepth 1 \( -name 'all-[13]*' -o -name 'other-[13]*' \))
[ -z "$left" ] || fail "no file should be left: $left"
cp holes.csv mine-1.csv
run impute run mine-1.csv --draws 2 -o mine.csv
refused 2 "mine-1.csv is what is read"
run impute run holes.csv --draws 2 --mean 3 -o x.csv
refused 2 "give one of them"
run impute run holes.csv --drop-bad-rows
refused 2 "--drop-bad-rows would leave out"
run check run full.csv --rows 100 --threads 1
expect_code 0
expect_out "of each column's distribution"
# the verdict goes by the number, here and for a fit that has hardly begun
verdict() { # 1: the table says that densities differ by more than 0.1 nats; 0: not
    sed -n 's/^log p(a) + log p(b | a) - log p(a, b), rms, nats *//p' out | awk '{ print ($1 > 0.1) }'
}
[ "$(verdict)" = "$(grep -c "^The densities of this model disagree" out)" ] || fail "the words of check are not those of its number"
run fit full.csv --any-given --dims 16 --iterations 3 --warm-start none --calibrate none --lr 0.05 --threads 1 --out hardly
expect_code 0
run check hardly full.csv --rows 100 --threads 1
expect_code 0
[ "$(verdict)" = 1 ] || fail "three iterations should not make densities that agree"
expect_out "The densities of this model disagree" "--weight-decay 0.3"

# ---- columns that never move, text and numbers, may be missing too; they are given where they are there, and can be scored, checked, filled around
awk -F, 'BEGIN { srand(3); print "a,b,kind,e" } NR > 1 { kind = rand() < 0.1 ? "" : $1 > 0 ? "up" : "down"
    printf "%s,%s,%s,%s\n", $1, $2, kind, rand() < 0.1 ? "" : sprintf("%.3f", 2 * $1 + rand()) }' full.csv >never.csv
run fit never.csv --any-given --given kind,e --dims 16 --iterations 40 --val-freq 20 --warm-start none --threads 1 --out never
expect_code 0
run score never never.csv
expect_code 0
run score never never.csv --of a --given e
expect_code 0
run score never never.csv --of kind
refused 2 "the column kind is text, which has no density"
run score never never.csv --of e
refused 2 "the column e was named in given at the fit"
run check never never.csv --rows 60 --threads 1
expect_code 0
expect_out "mean NLL, nats, data units" "2 of 2 within the band"
run sample never -n 2 --given kind=up
expect_code 0
run sample never -n 2 --given a=1
expect_code 0
run encode never never.csv --double --atol 1e-8 --rtol 1e-8 -o codes.csv
expect_code 0
run decode never codes.csv --double --atol 1e-8 --rtol 1e-8 -o decoded.csv
expect_code 0
paste -d, never.csv decoded.csv | awk -F, 'NR > 1 { for (j = 1; j <= 4; j++) { off = $j - $(j + 4)
    if ($j == "") bad += $(j + 4) != "nan" && $(j + 4) != ""
    else if (j == 3) bad += $j != $(j + 4)
    else bad += off * off > 1e-8 } } END { exit bad > 0 }' || fail "codes should lead back to the rows: $(sed -n 3p decoded.csv)"
run impute never never.csv -o around.csv
expect_code 0
holes_in() { awk -F, -v cols="$1" 'NR > 1 { split(cols, c, " "); for (k in c) n += $c[k] == "" } END { print n + 0 }' never.csv; }
expect_out "$(holes_in "1 2") missing cells of 300 rows filled ($(holes_in "3 4") in columns that the fit was only ever given stay missing)"
# of a single column that moves the mass can be told, and there are no two densities that could disagree
run fit never.csv --any-given --given b,kind,e --dims 8 --iterations 5 --warm-start none --threads 1 --out alone --quiet
expect_code 0
run check alone never.csv --rows 60 --threads 1
expect_code 0
grep -qE '^total mass +1 within [0-9.e-]+, given each of 60 rows$' out || fail "the mass of a given the others should be told"
grep -q "log p(a) + log p(b | a)" out && fail "there is one density"
cut -d, -f3,4 never.csv >before.csv
cut -d, -f3,4 around.csv | awk -F, 'NR > 1 { printf "%s,%s\n", $1, $2 == "" ? "" : sprintf("%.3f", $2); next } { print }' >after.csv
expect_same before.csv after.csv

# ---- rows of which other columns are missing have no unit in common: score and check agree, in standardised units
run score run holes.csv --threads 1
expect_code 0
expect_out "mean NLL, nats, data units           - (other columns are missing"
score=$(sed -n 's/^mean NLL, nats, standardised units *\([-0-9.]*\).*/\1/p' out)
run check run holes.csv --rows 900 --threads 1
expect_code 0
check=$(sed -n 's/^mean NLL, nats, standardised units *\([-0-9.]*\),.*/\1/p' out)
[ -n "$score" ] && [ "$score" = "$check" ] || fail "the NLL of score is $score, of check $check"
finish
