# A grid of fits: run, killed and gone on with to the same figures, stopped, one run that fails among others, reports at any time, and
# what is refused.
presets=$(cd "$(dirname "$0")/../../presets/experiments" && pwd)
. "$(dirname "$0")/lib.bash"

cat >plan.yaml <<YAML
title: A small one
budget: {iterations: 60}
settings: {dims: [16, 16], batch-size: 100, val-freq: 10, log-freq: 5}
data:
  - {name: moons, file: "toy:moons:600:1"}
penalties:
  - name: none
  - {name: TPR, settings: {tpr: true}}
  - name: STEER
    coefficient: {parameters: steer, values: [0.1, 0.5]}
seeds: [1, 2]
choose: {budget: {iterations: 20}}
YAML
total=8

# The columns of runs.csv that do not depend on the clock.
figures() { cut -d, -f 1-14 "$1/runs.csv"; }

run experiment plan.yaml --out none --dry-run
expect_code 0
expect_out "moons, TPR, tolerance 1e-4, seed 2" "waits for its coefficient" "choosing: moons, STEER 0.5" "$total runs, 0 of them finished"
[ ! -e none ] || fail "--dry-run should write nothing"
run experiment plan.yaml --out none --report
refused 1 "nothing to report"

run experiment plan.yaml --out whole --jobs 2
expect_code 0
expect_out "1 of $total" "$total of $total" "report   whole/report.html"
for file in report.html runs.csv summary.csv curves.csv runs/moons/tpr/1e-4_seed1/config.yaml runs/moons/tpr/1e-4_seed1/model.safetensors \
    runs/moons/tpr/1e-4_seed1/checkpoint.safetensors choose/moons/steer=0.5/metrics.jsonl; do
    expect_file "whole/$file"
done
for ending in svg png; do # in a build that draws
    [ -z "$(ls whole/figures)" ] || expect_file "whole/figures/moons_1e-4_pareto.$ending"
done
grep -q "<b>$total of $total runs finished</b>" whole/report.html || fail "the report should count the runs"
grep -q 'class="chosen"' whole/report.html || fail "the report should say what was chosen"
run experiment plan.yaml --out whole --dry-run
expect_out "$total runs, $total of them finished"
run experiment plan.yaml --out whole # nothing is left to do
expect_code 0
run compare whole/runs/moons/*/1e-4_seed1
expect_code 0

# Coefficients are chosen in no time, the grid has an hour a run: the time left is of the grid's budget
mkdir mixed
cp -r whole/choose mixed/
sed 's/^budget: {iterations: 60}/budget: {processor-seconds: 3600}/' plan.yaml >mixed.yaml
run experiment mixed.yaml --out mixed --jobs 2 --dry-run
expect_code 0
expect_out "$total runs, 2 of them finished, 0 failed; the others take about 3h00m with 2 at a time"

# SIGKILL at random moments, then to the end: the same figures and models
for round in 1 2 3 4; do
    command_line="laminar experiment plan.yaml --out killed (killed)"
    "$laminar" experiment plan.yaml --out killed --jobs 2 >out 2>err &
    pid=$!
    sleep "0.$((RANDOM % 900 + 100))"
    kill -s KILL "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    run experiment plan.yaml --out killed --report
    [ "$code" = 0 ] || [ ! -d killed ] || fail "a report should be had at any time"
done
run experiment plan.yaml --out killed --jobs 2
expect_code 0
figures whole >whole.figures
figures killed >killed.figures
expect_same whole.figures killed.figures
for model in runs/moons/tpr/1e-4_seed2 runs/moons/steer/1e-4_seed1; do
    expect_same whole/$model/model.safetensors killed/$model/model.safetensors
done

# One at a time in a folder; SIGTERM saves and stops all, and the same command continues
sed 's/budget: {iterations: 60}/budget: {seconds: 60}/; s/val-freq: 10,/val-freq: 10, early-stopping: 1000,/; s/^choose.*//; s/, 0.5\]/]/' plan.yaml >long.yaml
command_line="laminar experiment long.yaml --out long (stopped)"
"$laminar" experiment long.yaml --out long --jobs 2 >out 2>err &
pid=$!
for _ in $(seq 100); do [ -s long/runs/moons/none/1e-4_seed1/metrics.jsonl ] && break; sleep 0.1; done
run experiment long.yaml --out long
refused 1 "another experiment is at work in long"
run experiment long.yaml --out long --report
expect_code 0
grep -q "2 under way" long/report.html || fail "two runs should be under way"
kill -s TERM "$pid"
wait "$pid"
code=$?
command_line="laminar experiment long.yaml --out long (stopped)"
expect_code 143
[ -s long/runs/moons/none/1e-4_seed1/checkpoint.safetensors ] || fail "a stopped run should be saved"
grep -q "begun and not ended" long/report.html || fail "the report should say what was begun"

# What a plan has changed since is noticed; a run of its own that fails does not stop the others
sed 's/tpr: true/tpr: true, lr: 0.5/' plan.yaml >changed.yaml
run experiment changed.yaml --out whole
refused 1 "whole/runs/moons/tpr/1e-4_seed1 was made with lr 0.01, and by the plan it is 0.5 now" "(and so for 1 more)"
[[ $(<out) != *report* ]] || fail "a plan that is refused has no report"
cat >fails.yaml <<YAML
budget: {iterations: 20}
settings: {dims: [8], batch-size: 100, val-freq: 10, max-steps: 3}
data: [{name: moons, file: "toy:moons:300:1"}, {name: gone, file: gone.csv}]
penalties: [{name: none}, {name: T, settings: {tpr: true}}]
YAML
echo 'a,b,c' >gone.csv
run experiment fails.yaml --out fails
refused 1 "2 of 4 runs failed" "failed: gone, none, tolerance 1e-4, seed 1: gone.csv"
grep -q "<b>2 of 4 runs finished</b>, 2 <a" fails/report.html || fail "the report should count the failed"
grep -q "gone, T, tolerance 1e-4, seed 1: gone.csv" fails/report.html || fail "the report should say why"
printf '1,2\n3,5\n' >gone.csv
mkdir kept
run experiment fails.yaml --out fails --scratch kept # tried again, and refused for another reason; its rows stay for the next time
refused 1 "2 of 4 runs failed" "gone, none" "the rows that were read from text stay in kept/rows-"
seq 300 | awk '{ print sin($1) "," cos($1) + sin($1) }' >gone.csv
run experiment fails.yaml --out fails --scratch kept --jobs 1
expect_code 0
[ "$(cat fails/runs/gone/*/*/fit.log | grep -c "is of an earlier state of that file and is not used")" = 1 ] || fail "text that one run has read is not read again by the next"
[ -z "$(ls -A kept)" ] || fail "an experiment that has finished should leave no rows"

# Data that have changed between two runs
cat >moved.yaml <<YAML
budget: {iterations: 20}
settings: {dims: [8], batch-size: 50, val-freq: 10}
data: [{name: line, file: line.csv}]
penalties: [{name: none}]
YAML
seq 300 | awk '{ print sin($1) "," cos($1) + sin($1) }' >line.csv
run experiment moved.yaml --out moved
expect_code 0
grep -q '"finished"' moved/runs/line/none/1e-4_seed1/state.json || fail "state.json should say that the run is finished"
sed -i '5s/.*/0,0/' line.csv
echo 'seeds: [1, 2]' >>moved.yaml
run experiment moved.yaml --out moved
refused 1 "failed: line, none, tolerance 1e-4, seed 2: line.csv holds other data than when line, none, tolerance 1e-4, seed 1 was run" \
    "1 of 2 runs failed"

# A warning of a run is one of the report
sed 's/line.csv/whole.csv/' moved.yaml >warned.yaml
seq 300 | awk '{ print sin($1) "," $1 % 3 }' >whole.csv
run experiment warned.yaml --out warned
expect_code 0
grep -q 'id="warnings"' warned/report.html && grep -q "2 of 2 runs, line, none, tolerance 1e-4, seed 1 and others: .* distinct values" warned/report.html \
    || fail "the report should warn of a discrete column"

# What would show hours later, or never, is said before anything is run
sed 's/line.csv/nothere.csv/; s/none}/none}, {name: T, settings: {tpr: true}}/' moved.yaml >missing.yaml
run experiment missing.yaml --out missing
refused 1 "nothere.csv cannot be read: No such file" "nothing was run"
[ ! -d missing/runs ] || fail "nothing should have been run"
run experiment missing.yaml --out missing --dry-run
expect_code 0
expect_err "nothere.csv cannot be read"
sed 's/nothere.csv/"toy:moon"/' missing.yaml >toy.yaml
run experiment toy.yaml --out missing
refused 1 "toy:moon: there is no toy density"
sed 's/tpr: true/tpr-degree: 2/' missing.yaml >idle.yaml
run experiment idle.yaml --out missing
refused 1 'idle.yaml:4:' '"T" is the same fit as "none": what it sets switches nothing on'
sed 's/seeds: .*/seeds: 3/' moved.yaml >alone.yaml
run experiment alone.yaml --out missing
refused 1 "alone.yaml:5:8: seeds is a list: [3] is the one seed 3"

# A limit of time lets the clock choose when the rate falls; a finished run is still the plan's
cat >timed.yaml <<YAML
budget: {processor-seconds: 0.5}
settings: {dims: [8], blocks: 1, batch-size: 100, warm-start: none, map: none}
data:
  - {name: moons, file: "toy:moons:600:1"}
penalties:
  - name: none
  - {name: TPR, settings: {tpr: true}}
seeds: [1]
YAML
for time in first second; do
    run experiment timed.yaml --out timed --jobs 1
    expect_code 0
    expect_out "report   timed/report.html"
done
grep -q "^decay-from: [1-9]" timed/runs/moons/none/1e-4_seed1/config.yaml || fail "the clock should have chosen when the rate falls"

# The plans that come along say what this program knows
for plan in "$presets"/*.yaml; do
    run experiment "$plan" --out none --dry-run
    expect_code 0
    expect_out "0 of them finished"
done

# What is refused
run experiment
refused 2 "experiment needs PLAN.yaml"
run experiment nothing.yaml
refused 1 "nothing.yaml"
run experiment plan.yaml --report --dry-run
refused 2 "exclude each other"
run experiment plan.yaml --out plan.yaml
refused 1 "plan.yaml is a file"
sed 's/seeds/sedes/' plan.yaml >typo.yaml
run experiment typo.yaml
refused 1 'typo.yaml:11:1: unknown key "sedes"; did you mean "seeds"?'

finish
