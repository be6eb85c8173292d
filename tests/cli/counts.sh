# Evaluations of f per batch are one number wherever they stand: of two blocks, two steps of rk4 each, 2 * 2 * 4.
. "$(dirname "$0")/lib.bash"

fit_small run --blocks 2 --test-solver rk4 --test-steps 2 --val-rows 60
expect_code 0
grep -qE '^test, per batch +16 +0 +0 +4 +0$' out || grep -qE '^test, per batch +16\.00 +0\.00 +0\.00 +4\.00 +0\.00$' out || fail "16 evaluations and 4 steps per batch expected in the fit's table"
read -r _ _ _ forward _ _ accepted _ <<<"$(grep 'training, per iteration' out)"
says="evaluations of f per batch 16.0"
run score run toy:moons:2500:2
expect_out "$says, steps 4.0 + 0.0 rejected"
run check run toy:moons:300:2
grep -qE '^evaluations of f per batch +16\.0, tighter' out || fail "16 evaluations expected of check"
grep -qE '^steps per batch +4\.0 \+ 0\.0 rejected' out || fail "4 steps expected of check"
run encode run toy:moons:300:2 -o z.npy
expect_out "$says"
run decode run z.npy -o x.npy
expect_out "$says"
run sample run -n 2500 -o x.npy
expect_out "$says"
run tune run toy:moons:600:1 --error 0.5 --out tuned.safetensors
expect_out "before 16.0"
grep -qE '^before: rk4, 2 even steps per block +16\.0 ' out || fail "16 evaluations expected of tune"
run compare run
[ "$(awk 'NR == 2 { print $(NF - 4), $(NF - 2) }' out)" = "$(printf '%.1f %.2f' "$forward" "$accepted")" ] \
    || fail "compare should show the fit's $forward evaluations and $accepted steps per iteration"

fit_small given --blocks 2 --test-solver rk4 --test-steps 2 --given x
run predict given toy:moons:50:2 --draws 10 -o p.csv
expect_out "$says"

finish
