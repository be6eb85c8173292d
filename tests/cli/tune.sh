# tune: the bound holds when the rows are scored afterwards, the model's file keeps the choice and gives it back, and what cannot be
# done leaves it as it was.
. "$(dirname "$0")/lib.bash"

# npy [rows] to lines of numbers
numbers() { tail -c +129 "$1" | od -An -v -t f8 -w8; }
# root mean square and 99th percentile of a - b
errors() { paste -d' ' <(numbers "$1") <(numbers "$2") | awk '{ d = $1 - $2; print d < 0 ? -d : d }' | sort -g \
    | awk '{ e[NR] = $1; s += $1 * $1 } END { printf "%.6e %.6e\n", sqrt(s / NR), e[int((99 * NR + 99) / 100)] }'; }
unchanged() { cmp -s untouched.safetensors run/model.safetensors || fail "the model should be as it was"; }

# the fit's rows as files, so that they can be scored
run fit toy:moons:900:1 --write-split rows
expect_code 0
run fit rows/train.npy --valid rows/valid.npy --test rows/test.npy --no-standardise --dims 16-16 --blocks 1 --batch-size 100 --val-freq 10 \
    --iterations 60 --lr 0.01 --no-tpr --map none --warm-start-pairing none --out run
expect_code 0
expect_out "test by dopri5, atol 1e-05, rtol 1e-05"
cp run/model.safetensors untouched.safetensors
rows="rows/train.npy --valid rows/valid.npy --test rows/test.npy"

run score run rows/valid.npy -o tight.npy --double --atol 1e-10 --rtol 1e-10
run score run rows/valid.npy -o before.npy
run tune run $rows --error 0.0005
expect_code 0
expect_out "81 validation, 90 test" "dop853 at 1e-08" "before: dopri5, atol 1e-05, rtol 1e-05" "after: " "evaluations of f per batch" \
    "run/model.safetensors evaluates by" "a fit validates in this way by --test-solver" "laminar tune run --undo"
[ ! -s err ] || fail "nothing to say on stderr about the fit's own rows"
# "* SOLVER, N even steps per block   COST  CALLS  WITH-TRACE  RMS  P99  SECONDS"
chosen=$(grep '^\* ' out)
read -r calls rms percentile <<<"$(awk '{ print $(NF - 4), $(NF - 2), $(NF - 1) }' <<<"$chosen")"
awk -v r="$rms" -v p="$percentile" 'BEGIN { exit !(r > 0 && r <= 0.0005 && p <= 0.0005) }' || fail "the choice should keep the bound: $chosen"
run score run rows/valid.npy -o after.npy
expect_code 0
expect_out "evaluations of f per batch $calls"
# three digits are printed
errors after.npy tight.npy | awk -v r="$rms" -v p="$percentile" 'function near(a, b) { return a < 1.006 * b && b < 1.006 * a }
    { exit !(near($1, r) && near($2, p)) }' || fail "scored, the errors are $(errors after.npy tight.npy); told were $rms $percentile"
run score run rows/valid.npy -o fitted.npy --as-fitted
expect_code 0
expect_out "exact trace, dopri5, atol 1e-05, rtol 1e-05"
expect_same before.npy fitted.npy
run info run
expect_code 0
expect_out "tuned          to log p within rms 0.0005, 99th percentile 0.0005 nats" "as fitted      dopri5, atol 1e-05, rtol 1e-05" "even steps"
run check run rows/valid.npy
expect_code 0
expect_out "even steps per block, exact trace; \"tighter\" is a hundredth of atol 1e-05, rtol 1e-05"
run sample run -n 5 --log-prob
expect_code 0

# the same for any number of threads, and for a choice made a second time; then back
cp run/model.safetensors tuned.safetensors
for threads in 1 2; do
    run tune untouched.safetensors $rows --error 0.0005 --threads $threads --out $threads.safetensors --all
    expect_code 0
    expect_out "euler, 1 even step per block"
    expect_same $threads.safetensors tuned.safetensors
done
run tune run $rows --error 0.05 --percentile-error 0.2
expect_code 0
expect_out "before: " "even"
run tune run --undo
expect_code 0
expect_out "run/model.safetensors evaluates as fitted again"
unchanged
run tune run --undo
expect_code 0
expect_out "is not tuned"
unchanged

# other rows
run tune run toy:moons:400:7 --error 0.02 --rows 100 --out other.safetensors
expect_code 0
expect_out "100 validation, 100 test"
expect_err "not the data of the fit" "half of the rows of toy:moons:400:7"
run tune run rows/train.npy --valid rows/valid.npy --error 0.02 --out other.safetensors
expect_code 0
expect_out "41 validation, 40 test"
expect_err "half of the rows of rows/valid.npy"
run tune run rows/valid.npy --test rows/test.npy --error 0.02 --out other.safetensors
expect_code 0
expect_out "81 validation, 90 test"
expect_err "those of rows/test.npy test it"
unchanged

# what keeps no bound
run tune run $rows --error 1e-9
refused 1 "none of" "float itself is in the way" "precision double"
expect_out "before: "
unchanged
# stopped: a reference of a million rows takes minutes
command_line="laminar tune run toy:moons:1000000:3"
"$laminar" tune run toy:moons:1000000:3 --error 0.01 --rows 500000 >out 2>err &
while kill -0 $! 2>/dev/null && ! grep -q "will take about" err; do sleep 0.1; done
kill $!
wait $!
code=$?
expect_code 143
unchanged
[ "$(ls run)" = "$(printf '%s\n' checkpoint.safetensors config.yaml metrics.jsonl model.safetensors)" ] || fail "run should hold its four files"

# mistakes
run tune run
refused 2 "tune needs MODEL DATA --error X"
run tune run rows/valid.npy
refused 2 "--error needs the bound"
run tune run rows/valid.npy --error 0
refused 2 "--error needs the bound"
run tune run rows/valid.npy --error -1
refused 2 "--error"
run tune run rows/valid.npy --undo
refused 2 "--undo needs a model alone"
run tune run rows/valid.npy --error 0.01 --out nowhere/m.safetensors
refused 2 "there is no folder nowhere"
run tune run rows/valid.npy --error 0.01 --config run/config.yaml
refused 2 "--out FILE"
run tune nowhere rows/valid.npy --error 0.01
refused 1 "nowhere"
awk 'BEGIN { for (i = 0; i < 50; i++) printf "%g,%g,%g\n", i, i * i % 7, i * i % 11 }' >three.csv
run tune run three.csv --error 0.01
refused 1 "three.csv has 3 columns, the model takes 2"
sed 's/model: density/model: vae    /' run/model.safetensors >vae.safetensors
run tune vae.safetensors rows/valid.npy --error 0.01
refused 1 "a variational auto-encoder" "laminar vae"
unchanged
run fit toy:moons:300:1 --dims 8 --iterations 2 --batch-size 50 --val-fraction 0 --out bare
expect_code 0
run tune bare toy:moons:300:1 --error 0.01
refused 1 "no validation rows" "--valid FILE"

# a fit by a setting of its own validates and tests by it: three steps of rk4, one batch of rows
run fit toy:moons:300:1 --dims 8 --blocks 1 --iterations 2 --batch-size 50 --val-freq 1 --schedule cuts --warm-start none --test-solver rk4 \
    --test-steps 3 --out own
expect_code 0
expect_out "test by rk4, 3 even steps per block"
[ "$(grep -c '"type":"validation".*"forward":12,' own/metrics.jsonl)" = 2 ] || fail "validations of 12 calls expected"
grep -q '"test_forward":12,' own/metrics.jsonl || fail "a test of 12 calls expected"
run score own toy:moons:20:4
expect_code 0
expect_out "exact trace, rk4, 3 even steps per block; evaluations of f per batch 12.0"
# a run that goes on keeps its setting, and takes no other
run fit toy:moons:300:1 --iterations 3 --out own --resume
expect_code 0
[ "$(grep -c '"type":"validation".*"forward":12,' own/metrics.jsonl)" = 3 ] || fail "the resumed validation should have 12 calls"
run fit toy:moons:300:1 --iterations 4 --out own --resume --test-steps 4
refused 1 "test-steps 3"

# the trace at two points a block: told, and counted
run fit toy:moons:300:1 --dims 8 --blocks 1 --iterations 2 --batch-size 50 --val-freq 1 --schedule cuts --warm-start none --test-solver rk4 \
    --test-steps 3 --test-trace-points 2 --out points
expect_code 0
expect_out "test by rk4, 3 even steps per block, trace at 2 points per block"
run score points toy:moons:20:4
expect_code 0
expect_out "evaluations of f per batch 14.0"
run info points
expect_out "rk4, 3 even steps per block, trace at 2 points per block"
run fit toy:moons:300:1 --iterations 2 --test-trace-points 17 --out none
refused 2 "test-trace-points" "from 0 to 16"

finish
