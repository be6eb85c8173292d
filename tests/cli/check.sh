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
finish
