# A fit that starts by flow matching: what it says, counts and logs; stopped or killed within; who else reads its lines.
. "$(dirname "$0")/lib.bash"

run fit --help
expect_out "--warm-start" "none|flow-matching:N" "--warm-start-pairing" "none|minibatch"

flags="toy:moons:600:1 --dims 16-16 --blocks 1 --schedule cuts --batch-size 100 --val-freq 20 --log-freq 5 --iterations 20 --seed 3 --threads 1 --no-tpr --map none"
run fit $flags --warm-start flow-matching:12 --out short
expect_code 0
# two tiles of rows, four looks each, one block
expect_err "solves no ODE" "warm start 5/12  loss" "warm start 12/12  loss" "forward 4  backward 4" \
    "validation after the warm start: NLL" "iteration 20/20"
expect_out "warm start, total" "warm start, per iteration" "12 iterations of flow matching, then 20 iterations"
grep -qE '^warm start, total +48 +48 +0 +0 +0$' out || fail "12 times 4 calls of the warm start expected"
grep -qxF "warm-start: flow-matching:12" short/config.yaml || fail "config.yaml should hold the warm start"
[ "$(grep -c '^{"type":"warm_start"' short/metrics.jsonl)" = 3 ] || fail "lines at 5, 10 and 12 expected"
sed -n 3p short/metrics.jsonl | grep -q '^{"type":"warm_start","iteration":12,"loss":' || fail "the third line should be the last of the warm start"
sed -n 4p short/metrics.jsonl | grep -q '^{"type":"validation","iteration":0,"val_nll":' || fail "a validation should follow it"
tail -n 1 short/metrics.jsonl | grep -q '"warm_start":12,"warm_start_forward":48,"warm_start_backward":48,' \
    || fail "the summary should count the warm start"
run fit $flags --warm-start none --out cold --quiet
expect_code 0
grep -q warm_start cold/metrics.jsonl && fail "a run without one has nothing of it in its lines"

run compare short cold
expect_code 0
expect_out "Iterations, evaluations and steps are without the warm start's"
run compare cold
grep -q "warm start" out && fail "no run here has a warm start"
run compare short cold --plot curves.svg
if [ "$code" = 0 ]; then
    expect_file curves.svg
else
    expect_err libcairo2-dev
fi

# what does nothing alone
run fit $flags --warm-start none --tpr-l-weight 1 --warm-start-pairing none --taylor-order 3 --steps 4 --out idle
expect_code 0
expect_err "note: --tpr-l-weight 1 has no effect without --tpr-coefficient" "note: --warm-start-pairing none has no effect without --warm-start" \
    "note: --taylor-order 3 has no effect without --taylor-coefficient" \
    "note: --steps 4 has no effect without --solver euler|midpoint|rk4"
run fit $flags --warm-start none --no-tpr --out idle --overwrite
expect_code 0
grep -q "no effect" err && fail "--no-tpr sets a weight of l that nobody has asked for"

# stopped and killed within
long="$flags --warm-start flow-matching:1200 --warm-start-pairing minibatch"
start=$(date +%s%N)
run fit $long --out whole --quiet
expect_code 0
elapsed=$(($(date +%s%N) - start)) # ns
begin() {
    command_line="laminar fit $long $*"
    set -m
    "$laminar" fit $long "$@" >out 2>err &
    pid=$!
    set +m
}
begin --out stopped
for _ in $(seq 200); do [ -s stopped/metrics.jsonl ] && break; sleep 0.05; done
kill -s INT "$pid"
wait "$pid"
code=$?
if grep -qF "of 1200 of the warm start" err; then # else it was through with it before the signal came
    refused 130 "--resume"
    tail -n 1 stopped/metrics.jsonl | grep -q '"iterations":0,.*"finished":false' || fail "a summary of no iterations yet expected"
    before=$(grep -oE '"warm_start":[0-9]+' stopped/metrics.jsonl | tr -dc 0-9)
    run compare stopped whole
    expect_code 0
    expect_out "stopped *"
    run fit toy:moons:600:1 --out stopped --resume
    first=$(grep -oE 'warm start [0-9]+/1200' err | head -n 1 | tr -dc '0-9/')
    [ "${first%/*}" -gt "$before" ] || fail "it should go on after $before, not at ${first%/*}"
else
    run fit toy:moons:600:1 --out stopped --resume
fi
expect_code 0
expect_same whole/model.safetensors stopped/model.safetensors

for round in 1 2 3; do
    begin --out killed --resume
    sleep "$(awk -v e="$elapsed" -v r="$RANDOM" -v n="$round" 'BEGIN { printf "%.3f", e * 1e-9 * n / 3 * r / 32768 }')"
    kill -s KILL "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
done
run fit $long --out killed --resume
expect_code 0
expect_same whole/model.safetensors killed/model.safetensors

# what cannot be is refused before anything is done
run fit $flags --warm-start 500 --out never
refused 2 "warm-start" "flow-matching:N"
run fit $flags --warm-start flow-matching:0 --out never
refused 2 "warm-start"
run fit $flags --warm-start flow-matching:5 --warm-start-pairing all --out never
refused 2 "warm-start-pairing" "minibatch"
run vae fit images.npy --warm-start flow-matching:5 --out never
refused 2 "warm-start" "vae" "leave it out"
[ ! -e never ] || fail "a refused fit should leave no folder"

finish
