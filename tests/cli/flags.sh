# Flags and the YAML file set the same parameters; --config goes first wherever it stands. What a bad value does.
. "$(dirname "$0")/lib.bash"

small="toy:moons:300:1 --iterations 2 --batch-size 50 --val-freq 2"

value_is() { # RUN NAME VALUE
    grep -qxF -- "$2: $3" "$1/config.yaml" && return
    grep "^$2" "$1/config.yaml" >out
    fail "$1: \"$2: $3\" expected in config.yaml"
}

cat >c.yaml <<YAML
dims: 8-8
seed: 7
lr: 0.5
standardise: true
YAML
run fit $small --lr=0.01 --out a --no-standardise --tpr --config c.yaml --tpr_times 5
expect_code 0
value_is a dims "[8, 8]"
value_is a seed 7
value_is a lr 0.01
value_is a standardise false
value_is a tpr-coefficient 5
value_is a tpr-times 5

run fit $small --dims 8 --tpr-coefficient 2 --tpr --out b --standardise false
expect_code 0
value_is b tpr-coefficient 2
value_is b standardise false

LAMINAR_ISA=scalar run fit $small --dims 8 --out c --quiet
expect_code 0
value_is c isa scalar
[ ! -s err ] || fail "--quiet should leave stderr empty"
expect_out "test, this flow" "data units"

run fit $small --dims 8 --out e --taylor-coefficient 0.25 --taylor-order 3 --kinetic-coefficient 0.5 --log-freq 1
expect_code 0
value_is e taylor-coefficient 0.25
value_is e taylor-order 3
grep -q '"kinetic": *[0-9].*"taylor": *[0-9]' e/metrics.jsonl || fail "metrics.jsonl should hold the penalties' values by name"
run fit $small --out d --taylor-coefficient 1 --taylor-order 4
refused 2 "taylor-order" "4"
run fit $small --out d --taylor-coefficient 1 --gradient adjoint
refused 2 "adjoint" "taylor-coefficient"

LAMINAR_ISA=abacus run fit $small --out d
refused 2 "LAMINAR_ISA" "abacus"
run fit $small --out d --batch-size none
refused 2 "batch-size" "none"
run fit $small --out d --solver dopri6
refused 2 "solver" "dopri5"
run fit $small --out d --tpr-times 2 --tpr-degree 1 --tpr-coefficient 5
refused 2 "tpr"
run fit $small --out d --budget "5 minutes"
refused 2 '--budget: "5 minutes" is not a length of time' "5m, 1h30m"
run fit $small --dims 8 --max-seconds 1h30m --out f --quiet
expect_code 0
value_is f budget 5400
run fit $small --out d --batch-size
refused 2 "--batch-size needs a value"
echo "batch-sise: 10" >bad.yaml
run fit $small --out d --config bad.yaml
refused 2 "bad.yaml" "batch-sise" "batch-size"
printf 'seed: 1\nlr: [1,\n' >bad.yaml
run fit $small --out d --config bad.yaml
refused 2 "bad.yaml"
run fit $small --out d --config nowhere.yaml
refused 1 "nowhere.yaml"
[ ! -e d ] || fail "a refused fit should leave no folder"

finish
