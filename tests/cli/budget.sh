# A fit that is given a time: what it says, what the clock chose, and that these numbers repeat the model without a clock.
. "$(dirname "$0")/lib.bash"

data="toy:pinwheel:2000:1"
flags="$data --flows 1 --dims 8-8 --blocks 1 --batch-size 100 --warm-start flow-matching:20 --threads 1"
# processor time runs out first, however busy the machine is
limit="--budget 0h0m30s --max-processor-seconds 3" unlimited="--budget 0 --max-processor-seconds 0"
value_of() { sed -n "s/^$2: //p" "$1/config.yaml"; }

run fit $flags $limit --out timed
expect_code 0
expect_out "maximum likelihood for as long as the time limit allows" "--config timed/config.yaml $unlimited"
expect_err "iteration 10  loss"
grep -q 1000000000 out err && fail "a number that no one has chosen should not be shown"
from=$(value_of timed decay-from) iterations=$(value_of timed iterations) to=$(value_of timed decay-to)
rows=$(value_of timed val-rows) freq=$(value_of timed val-freq)
[ "$(value_of timed budget)" = 30 ] && [ "$from" -gt 0 ] && [ "$iterations" -gt "$from" ] || fail "config.yaml should have what the clock chose"
tail -n 1 timed/metrics.jsonl | grep -q "\"decay_from\":$from,\"decay_to\":" || fail "the summary should have it too"
tail -n 1 timed/metrics.jsonl | grep -q "\"iterations\":$iterations," || fail "the run should have ended where config.yaml says"

run fit $data --config timed/config.yaml $unlimited --out again
expect_code 0
expect_same timed/model.safetensors again/model.safetensors
# or by flags
run fit $flags --iterations "$iterations" --decay-from "$from" --decay-to "$to" --val-rows "$rows" \
    --val-freq "$freq" --out flags
expect_code 0
expect_same timed/model.safetensors flags/model.safetensors
# a finished run has nothing to go on with; one stopped on its way goes on by the numbers
run fit $data --resume --out timed
expect_code 0
expect_same timed/model.safetensors again/model.safetensors

run fit $flags --budget 1e-6 --out none
expect_code 0
expect_out "no time left for a mixture of Gaussians"

# validation that stops improving long before the limit: the rate falls to its end, the fit says why and what is left, and is repeated all the same
run fit $flags --weight-decay 0 --budget 1h --early-stopping 2 --val-freq 4 --lr 0.2 --out early
expect_code 0
expect_out "validation stopped improving (2 in a row were no better than the best one), so the learning rate fell from iteration" \
    "100 % of the limit of time left" "validation stopped improving, so the learning rate fell after"
grep -q "the time limit made" out && fail "it was not the time"
from=$(value_of early decay-from) iterations=$(value_of early iterations)
[ "$iterations" = $((2 * from)) ] || fail "the way down should take as many iterations as were done: $from and $iterations"
run fit $data --config early/config.yaml --budget 0 --out early_again
expect_code 0
expect_same early/model.safetensors early_again/model.safetensors
# a few iterations are all done, however little they bring
run fit $data --iterations 25 --lr 0.05 --out few --threads 1
expect_code 0
tail -n 1 few/metrics.jsonl | grep -q '"iterations":25,' || fail "25 iterations were asked for: $(tail -n 1 few/metrics.jsonl)"
# a start that leaves no time
run fit toy:pinwheel:20000:1 --dims 8 --blocks 1 --batch-size 100 --warm-start flow-matching:1000000 $limit --out start --threads 1
expect_code 0
expect_err "the start by flow matching, 1000000 iterations, takes about" "--warm-start flow-matching:"
# one that nobody asked for is as long as the limit allows, and is written down
run fit toy:pinwheel:20000:1 --batch-size 1000 $limit --flows 1 --out shortened --threads 1
expect_code 0
expect_err "the start by flow matching is cut from 500 to"
said=$(sed -n 's/.*the start by flow matching is cut from 500 to \([0-9]*\) iterations.*/\1/p' err)
[ "$(value_of shortened warm-start)" = "flow-matching:$said" ] || fail "config.yaml should have the start of $said iterations"
run fit toy:pinwheel:20000:1 --config shortened/config.yaml $unlimited --out shortened_again
expect_code 0
expect_same shortened/model.safetensors shortened_again/model.safetensors

run fit $data --budget 5min --out never
refused 2 "--budget" "5m, 1h30m"
[ ! -e never ] || fail "a refused fit should leave no folder"
finish
