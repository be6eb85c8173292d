# A fit with column maps: every command honours them, a killed run goes on to the same bits, and what they cannot do is refused.
. "$(dirname "$0")/lib.bash"

# two columns that are far from normal: lengths of waiting, and a mixture with a spike
awk 'BEGIN { srand(3); print "wait,spike"; for (i = 0; i < 900; i++) { u = rand(); printf "%.9g,%.9g\n", -100 * log(1 - u), rand() < 0.5 ? 5 + 0.01 * rand() : 10 * rand() } }' >data.csv
small="--dims 8-8 --blocks 1 --batch-size 200 --warm-start flow-matching:100 --iterations 12 --val-freq 4 --threads 1 --seed 2"

run fit data.csv $small --map none --out plain --quiet
expect_code 0
run fit data.csv $small --out mapped --map normal-scores:40 --quiet
expect_code 0
grep -q "^map: none" plain/config.yaml || fail "a configuration says that there is no map"
grep -q "^map: normal-scores:40" mapped/config.yaml || fail "a configuration says which map"
nll() { grep '"summary"' "$1/metrics.jsonl" | sed 's/.*"test_nll"://; s/,.*//'; }
awk -v a="$(nll plain)" -v b="$(nll mapped)" 'BEGIN { exit !(b < a - 0.3) }' || fail "test NLL $(nll plain) without and $(nll mapped) with maps: they should gain on such columns"

# the same units everywhere: the last training NLLs lie near the validation's, score near the test
near() { awk -v a="$1" -v b="$2" -v c="$3" 'BEGIN { d = a - b; exit !(d < c && d > -c) }' || fail "$4: $1 and $2"; }
near "$(grep '"train"' mapped/metrics.jsonl | tail -n 1 | sed 's/.*"nll"://; s/,.*//')" \
    "$(grep '"validation"' mapped/metrics.jsonl | tail -n 1 | sed 's/.*"val_nll"://; s/,.*//')" 0.6 "training and validation NLL"
run fit data.csv $small --write-split split --map normal-scores
expect_code 0
expect_out "come to column maps and whitening"
run score mapped split/test.npy --standardised
expect_code 0
near "$(sed -n 's/mean NLL, nats, standardised units *\([-0-9.]*\).*/\1/p' out)" "$(nll mapped)" 1e-4 "score and the fit's test"

# draws have the densities that scoring them gives, and go to the base and back
run sample mapped -n 300 --log-prob -o draws.csv
expect_code 0
cut -d, -f1,2 draws.csv >rows.csv
run score mapped rows.csv -o scores.csv
expect_code 0
paste -d, draws.csv scores.csv | awk -F, 'NR > 1 { d = $3 - $4; if (d > 1e-3 || d < -1e-3) bad++ } END { exit bad > 0 }' || fail "log_prob of draws is not that of scoring them"
awk -F, 'NR > 1 { low += $1 < 69.3; spike += $2 > 5 && $2 < 5.01 } END { exit !(low > 110 && low < 190 && spike > 100) }' draws.csv ||
    fail "draws should have the columns' quantiles: half of the waits below 69.3, half in the spike"
run encode mapped rows.csv -o z.csv
expect_code 0
run decode mapped z.csv -o back.csv
expect_code 0
paste -d, rows.csv back.csv | awk -F, 'NR > 1 { d = ($1 - $3) / 100; e = ($2 - $4) / 3; if (d * d > 1e-4 || e * e > 1e-4) bad++ } END { exit bad > 0 }' || fail "decode(encode(x)) is not x"
run check mapped data.csv --rows 100
expect_code 0
near "$(sed -n 's/^total mass *\([0-9.]*\).*/\1/p' out)" 1 0.01 "total mass"
run tune mapped data.csv --error 0.05 -o tuned.safetensors
expect_code 0
run info tuned.safetensors
expect_code 0
expect_out "map            every standardised column to normal scores, by a spline of "
run info plain
grep -q "^map " out && fail "a model without maps has none to tell of"

# a run that is stopped goes on to the same bits, and with another map not at all
long="--dims 8-8 --blocks 1 --batch-size 200 --warm-start flow-matching:100 --iterations 200 --val-freq 20 --log-freq 5 --threads 1"
run fit data.csv $long --map normal-scores:40 --out straight --quiet
expect_code 0
command_line="a fit that is stopped"
set -m # signals as in a terminal
"$laminar" fit data.csv $long --map normal-scores:40 --out stopped >out 2>err &
pid=$!
set +m
for _ in $(seq 200); do grep -q '"train"' stopped/metrics.jsonl 2>/dev/null && break; sleep 0.02; done
kill -INT $pid
wait $pid
code=$?
if [ "$code" != 0 ]; then # 0: it was done before the signal came
    expect_code 130
    run fit data.csv $long --out stopped --resume --map normal-scores:30
    refused 1 "map normal-scores:40, and now it is normal-scores:30"
fi
run fit data.csv --out stopped --resume --quiet
expect_code 0
expect_same straight/model.safetensors stopped/model.safetensors

# refused
run fit data.csv --map normal-scores:1 --out x
refused 2 "none, normal-scores and normal-scores:N"
run fit data.csv --map quantiles --out x
refused 2 "none, normal-scores and normal-scores:N"
run vae fit data.csv --map normal-scores --out x
refused 2 "map"
finish
