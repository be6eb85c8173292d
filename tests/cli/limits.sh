# Limits of time: what they cover, and what is said of figures that are of a sample.
. "$(dirname "$0")/lib.bash"

flags="toy:pinwheel:4000:1 --dims 16-16 --blocks 1 --warm-start none --schedule cuts --batch-size 100 --val-batch-size 100 --threads 1 --iterations 40 --val-freq 1000"

run fit $flags --out free
expect_code 0
grep -q '^samples' out && fail "all rows were looked at"
grep -Eq '^test, this flow, exact trace +[0-9.]+ \+- [0-9.]+ +[0-9.]+ \+- [0-9.]+$' out || fail "the test's NLL has an error"

# no time: one iteration and 64 rows, and how many of how many is said
for limit in budget max-processor-seconds; do
    run fit $flags --$limit 1e-6 --out short --overwrite
    expect_code 0
    expect_out "samples, since --$limit 1e-06 left no time for all: test on 64 of 400 rows, validation on 64 of 360" "1 iterations, best at 1"
    expect_err " s of the 1e-06 s that --$limit allows; there is only time for one iteration" " on 64 of 360 rows"
    grep -q '"val_nll_se":[0-9.]*,"val_rows":64,' short/metrics.jsonl || fail "metrics.jsonl says what the validation was of"
    grep -q '"test_rows":64,' short/metrics.jsonl || fail "metrics.jsonl says what the test was of"
done
# given time, and then as much as there is
run fit $flags --max-processor-seconds 0 --out short --resume
expect_code 0
expect_same free/model.safetensors short/model.safetensors
run fit $flags --budget 1e6 --out long
expect_code 0
grep -q '^samples' out && fail "there was time for all rows"
nlls() { sed -n 's/.*"best_val_nll":\([^,]*,\).*"test_nll":\([^,]*,\).*/\1\2/p' "$1/metrics.jsonl"; } # of the summary
[ -n "$(nlls free)" ] && [ "$(nlls free)" = "$(nlls long)" ] || fail "a limit that is not reached changes nothing"
grep -q '"test_rows":400,' long/metrics.jsonl || fail "the test was of all rows"

# the limit holds, reading and test included, though the iterations would go on for hours; the machine may be busy
start=$(date +%s)
run fit toy:pinwheel:200000:1 --dims 32-32 --threads 1 --iterations 1000000 --budget 3 --out timed
expect_code 0
[ $(($(date +%s) - start)) -le 30 ] || fail "three seconds were asked for"
finish
