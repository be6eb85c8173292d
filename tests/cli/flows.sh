# A model of several flows: fitted, scored, drawn from, checked and tuned as one; one of them by --flow; killed and gone on with; within a limit
# of time; repeated from its config.yaml.
. "$(dirname "$0")/lib.bash"

small="--dims 8 --blocks 1 --batch-size 50 --val-freq 10 --iterations 30 --warm-start flow-matching:20 --threads 1"
run fit toy:moons:400:1 $small --flows 3 --out three
expect_code 0
expect_out "test, mean of 3 flows, exact trace" "3 flows, the first of them by 20 iterations of flow matching"
expect_err "flow 2 of 3" "flow 3 of 3"
for folder in three three/flow-2 three/flow-3; do
    expect_file $folder/model.safetensors
    expect_file $folder/metrics.jsonl
done
grep -q '"flows":3' three/metrics.jsonl || fail "the summary should be of three flows"
run info three
expect_code 0
expect_out "flows          3, " "whose densities are averaged"
run fit toy:moons:400:1 $small --out one
expect_code 0
grep -q "test, this flow" out || fail "whoever says how many iterations there are gets one flow"

# the mean of the densities, and the first is that of a fit of one
run sample three -n 200 --seed 3 --log-prob -o draws.csv
expect_code 0
cut -d, -f1,2 draws.csv >points.csv
run score three points.csv -o all.csv
expect_code 0
for k in 1 2 3; do
    run score three points.csv --flow $k -o $k.csv
    expect_code 0
done
run score one points.csv -o single.csv
expect_code 0
expect_same 1.csv single.csv
paste -d, all.csv 1.csv 2.csv 3.csv draws.csv | awk -F, 'NR > 1 { e = log((exp($2) + exp($3) + exp($4)) / 3) - $1; d = $7 - $1
    if (e * e > 1e-6 || d * d > 1e-6) bad++ } END { exit bad > 0 || NR < 200 }' || fail "log p should be that of the mean of three densities"
run score three points.csv --flow 4
refused 1 "flow 4 is asked for, and the model has 3"

# no one way to the base density
run encode three points.csv -o z.csv
refused 1 "mixture of 3 flows" "--flow 1"
run encode three points.csv --flow 2 -o z.csv
expect_code 0
run decode three z.csv --flow 2 -o back.csv
expect_code 0
run check three points.csv --rows 50
expect_code 0
run tune three toy:moons:300:5 --error 0.05
expect_code 0
run plot three -o three.png
[ "$code" = 0 ] || grep -q "without pictures" err || fail "a picture should be drawn"

# as a fit of five leaves it that was stopped after its third: every command says so, and how to go on
cp -r three partly
sed -i 's/^flows: 3/flows: 5/' partly/config.yaml
sed -i '$ { /"type":"summary"/ d }' partly/metrics.jsonl
run info partly
expect_code 0
expect_out "flows          3 of 5, each of so many parameters" "its fit was stopped, or has not ended yet; to go on with it: laminar fit DATA --out partly --resume"
run score partly points.csv
expect_code 0
expect_err "note: the model in partly has 3 of 5 flows: its fit was stopped"
run score partly/model.safetensors points.csv
expect_code 0
[ ! -s err ] || fail "a file alone does not know how many flows were asked for"
# one that has ended with fewer has left some out
sed -i 's/^flows: 3/flows: 4/' three/config.yaml
run info three
expect_out "flows          3 of 4, " "the fits of the others failed"
sed -i 's/^flows: 4/flows: 3/' three/config.yaml
run score three points.csv
expect_code 0
[ ! -s err ] || fail "there are as many flows as were asked for"

# killed in the second flow, and gone on with to the same bytes
"$laminar" fit toy:moons:400:1 $small --flows 3 --out killed >out 2>err &
pid=$!
for _ in $(seq 200); do [ -s killed/flow-2/metrics.jsonl ] && break; sleep 0.02; done
kill -s KILL $pid 2>/dev/null
wait $pid 2>/dev/null
run fit toy:moons:400:1 $small --flows 3 --out killed --resume
expect_code 0
run fit toy:moons:400:1 $small --flows 3 --out whole
expect_code 0
expect_same whole/model.safetensors killed/model.safetensors
run score killed points.csv
grep -q "flows" err && fail "there are all flows"

# a limit of time: what was done repeats without it
run fit toy:moons:400:1 --dims 8 --blocks 1 --batch-size 50 --warm-start flow-matching:20 --early-stopping 2 --val-freq 4 --lr 0.1 --threads 1 --budget 1h --flows 2 --out timed
expect_code 0
expect_out "mean of 2 flows"
run fit toy:moons:400:1 --config timed/config.yaml --budget 0 --out again
expect_code 0
expect_same timed/model.safetensors again/model.safetensors
run fit toy:moons:400:1 $small --flows 3 --budget 1e-6 --out none
expect_code 0
expect_out "test, this flow"
grep -q "^flows: 1" none/config.yaml || fail "config.yaml should say that there was time for one flow"

# given columns, draws of rows, and any columns given any others
run fit toy:moons:400:1 $small --given x --context-dims 8 --flows 2 --out given
expect_code 0
run predict given points.csv --quantiles 0.1,0.9 -o p.csv
expect_code 0
run sample given --given x=0.5 -n 4 --log-prob
expect_code 0
run fit toy:moons:400:1 $small --any-given --context-dims 8 --flows 2 --out any
expect_code 0
awk -F, 'NR == 1 || NR % 2 { print; next } { print $1 "," }' points.csv >holes.csv
run impute any holes.csv --draws 5 -o filled.csv
expect_code 0
finish
