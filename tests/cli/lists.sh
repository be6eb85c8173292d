# A list in several flags is all of them, of anything else the last counts and a note says so; names and values with commas, blanks and
# quotes.
. "$(dirname "$0")/lib.bash"

awk 'BEGIN { srand(3); print "x,\"kind, of\",y,w w,date"; for (i = 0; i < 400; i++) { x = 3 * rand()
    printf "%.4f,%s,%.4f,%.4f,2024-01-%02d\n", x, i % 3 ? "wave" : "line", x + rand(), rand() + x, i % 28 + 1 } }' >data.csv
fit="data.csv --iterations 5 --dims 8 --blocks 1 --warm-start none --batch-size 100"

run fit $fit --drop date --given x --drop=w_w --out a
refused 1 'no column "w_w"' # two items: the second was looked for
run fit $fit --out a --given x --drop date --drop "w w" --given '"kind, of"'
expect_code 0
grep -qxF 'given: ["x", "kind, of"]' a/config.yaml || fail "both columns should be given"
grep -qxF 'drop: ["date", "w w"]' a/config.yaml || fail "both columns should be left out"
! grep -q "more than once" err || fail "a list in two flags is no mistake"
run fit $fit --out b --given 'x,"kind, of"' --drop 'date,w w' --quiet
expect_same a/model.safetensors b/model.safetensors

run fit $fit --out c --drop date,2 --lr 0.5 --lr 0.01 --seed 3 --seed 3 --tpr --no-tpr
expect_code 0
expect_err "--lr stands on the line more than once; the last counts: 0.01, not 0.5" "--tpr stands on the line more than once; the last counts: false, not true"
! grep -q -- "--seed" err || fail "the same value twice wants no word"
grep -qxF 'lr: 0.01' c/config.yaml || fail "the last rate should count"

run predict a data.csv --quantiles 0.05,0.5 --below 1 --quantiles 0.95 --below 2
expect_code 0
expect_out "mean,sd,median,q0.05,q0.95,p<=1,p<=2"
awk -F, 'NR == 1 { print "\"y, of\",x"; next } { print $3 "," $1 }' data.csv >comma.csv
run fit comma.csv --dims 8 --iterations 2 --warm-start none --flows 1 --quiet --given x --out comma
expect_code 0
run predict comma comma.csv --below '"y, of"=1,2'
expect_code 0
expect_out "mean,sd,median,p<=1,p<=2"
run predict a data.csv --quantiles "0.05 0.95"
refused 2 '"0.05 0.95" is no number' "commas between them"
run predict a data.csv --quantiles '0.05,'
refused 2 '"" is no number'
run score a data.csv --atol 1e-3 --atol 1e-6
expect_code 0
expect_err "--atol stands on the line more than once; the last counts: 1e-6, not 1e-3"
expect_out "atol 1e-06"

# quotes that a shell or YAML leaves
run sample a -n 3 --given x=1 --given 'kind, of=wave'
expect_code 0
cp out plain
for given in '"x"=1|"kind, of"=wave' '"x=1"|"kind, of"="wave"' 'x="1"|kind, of="wave"' 'x = 1|2 = wave'; do
    run sample a -n 3 --given "${given%|*}" --given "${given#*|}"
    expect_code 0
    expect_same out plain
done
run sample a --given 'x=1,"kind, of"=wave'
refused 2 "is no number; write --given once for each column"
run sample a --given 'kindof=wave' --given x=1
refused 2 'is "kind, of" meant?'
run fit $fit --out d --drop "'date'"
refused 1 "'date'; leave the quotes out"
run fit $fit --out d --drop '"""date"""'
refused 1 '"date"; leave the quotes out'
run fit $fit --out d --drop date, 2
refused 2 "'date, 2'"
run fit $fit --out d --lr '"0.01"'
refused 2 '--lr: the value came with quotes around it, "0.01"; leave them out: 0.01'
printf "drop: date\nsolver: '\"rk4\"'\n" >bad.yaml
run fit $fit --out d --config bad.yaml
refused 2 "bad.yaml:2" 'came with quotes around it, "rk4"; leave them out: rk4'
[ ! -e d ] || fail "a refused fit should leave no folder"

run fit --help
expect_out "--FLAG A --FLAG B"
run info --help
! grep -q -- "--FLAG" out || fail "help on lists where a command has none"

finish
