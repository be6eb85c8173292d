#!/usr/bin/env bash
# A fitted 2-D density has mass 1 within 0.01; the way to the base and back is exact to 1e-4 at tolerance 1e-6.
. "$(dirname "$0")/lib.bash"

run fit toy:moons --out run --tpr --iterations 300 --batch-size 300 --lr 0.003 --dims 32-32 --quiet
expect_code 0
run check run toy:moons:500:9 --atol 1e-6 --rtol 1e-6
expect_code 0
mass=$(sed -n 's/^total mass *//p' out)
back=$(sed -n 's/^decode(encode(x)) - x, standardised units *max \([0-9.e+-]*\),.*/\1/p' out)
awk -v m="$mass" 'BEGIN { exit !(m != "" && m >= 0.99 && m <= 1.01) }' || fail "total mass is '$mass', not 1 within 0.01"
awk -v b="$back" 'BEGIN { exit !(b != "" && b + 0 < 1e-4) }' || fail "round trip is off by '$back', not below 1e-4"
grep -q "^log p is off" out && fail "nothing is wrong with a tight solve"
run fit toy:moons --out coarse --tpr-coefficient 0 --iterations 100 --batch-size 300 --lr 0.02 --dims 32-32 --test-solver euler --test-steps 1 --quiet
expect_code 0
run check coarse toy:moons:500:9
expect_code 0
expect_out "log p is off by" "laminar tune"

# ---- coverage: the words go by the central 90 % too, also where the largest distance from uniform is within its band
# evenly FILE COLUMN MOVED: of the 10000 draws of a column, which check compares with, 1000 evenly spread ones, of which MOVED at the ends of the central 90 % lie
# outside of it (below 0: that many at its ends inside)
evenly() {
    cut -d, -f"$2" "$1" | tail -n +2 | LC_ALL=C sort -g | awk -v moved="$3" '{ draw[NR] = $0 } END { half = (moved < 0 ? -moved : moved) / 2
        for (i = 0; i < 1000; i++) { at = i
            if (moved > 0 && i >= 50 && i < 50 + half) at = 49
            if (moved > 0 && i < 950 && i >= 950 - half) at = 950
            if (moved < 0 && i < 50 && i >= 50 - half) at = 50
            if (moved < 0 && i >= 950 && i < 950 + half) at = 949
            print draw[10 * at + 5] } }'
}
awk 'BEGIN { srand(1); for (i = 0; i < 400; i++) { for (j = 0; j < 12; j++) printf "%s%.6f", j ? "," : "", rand() + rand() + rand(); print "" } }' >twelve.csv
small="--dims 4 --blocks 1 --iterations 1 --warm-start none --map none --threads 1 --quiet"
run fit twelve.csv --columns 1 $small --out one
expect_code 0
run sample one -n 10000 --seed 0 --threads 1 -o draws.csv
expect_code 0
checked() { # MOVED WORDS: no words: nothing is said
    { echo x; evenly draws.csv 1 "$1"; } >rows.csv
    run check one rows.csv --columns x --threads 1
    expect_code 0
    expect_out "1 of 1 within the band"
    if [ -n "$2" ]; then expect_out "$2" "or let the validation rows choose its width (--calibrate scale)"; else grep "^The distribution" out && fail "chance explains it: $1"; fi
}
checked 0 ""
checked 24 ""
checked 36 "is too narrow: 86 % of the values lie within its central 90 %."
checked -36 "is too wide: 94 % of the values lie within its central 90 %."
# of twelve columns one may well be as far
run fit twelve.csv $small --out twelve
expect_code 0
run sample twelve -n 10000 --seed 0 --threads 1 -o draws.csv
expect_code 0
for moved in 36 48; do
    for j in $(seq 12); do evenly draws.csv "$j" $((j == 5 ? moved : 0)) >column-$j; done
    paste -d, column-1 column-2 column-3 column-4 column-5 column-6 column-7 column-8 column-9 column-10 column-11 column-12 >rows.csv
    run check twelve rows.csv --threads 1
    expect_code 0
    expect_out "12 of 12 within the band"
    if [ $moved = 36 ]; then grep "^The distribution" out && fail "chance explains it in one of twelve"; else expect_out "The distribution of 5 is too narrow: 85 %"; fi
done
finish
