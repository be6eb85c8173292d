# Every command explains itself, and mistakes in the words of a line are met with the nearest right one.
. "$(dirname "$0")/lib.bash"

commands="fit score sample encode decode info check tune plot compare experiment"

run --version
expect_code 0
expect_out "laminar "
run
expect_code 2
expect_err "usage: laminar COMMAND" "laminar help COMMAND"
for flag in --help help -h; do
    run $flag
    expect_code 0
    expect_out $commands data "example"
done
run data --help
expect_code 0
expect_out "usage: laminar data" "example" "$ laminar data prepare"
run data prepare --help
expect_code 0
expect_out "usage: laminar data prepare SET RAW" "example" "$ laminar data prepare" "household_power_consumption.txt" --seed
for name in $commands; do
    run "$name" --help
    expect_code 0
    expect_out "usage: laminar $name" "example" "$ laminar $name"
    cp out by_flag
    run help "$name"
    expect_code 0
    expect_same by_flag out
done

# help of fit holds the library's table with its defaults
run fit --help
expect_out --batch-size --val-freq --tpr-coefficient --early-stopping "dopri5|tsit5" --config --resume --out "auto    widths of the hidden layers"

run fit --help
[ "$(awk 'length > 131' out)" = "" ] || fail "help should go on below itself, not beyond 130 columns: $(awk 'length > 131' out | head -n 1)"

run scroe model data
refused 2 '"scroe"' '"score"'
run --fit
refused 2 "--fit"
run help nothing
refused 2 '"nothing"'
for name in $commands; do
    run "$name" --no-such-flag-at-all
    refused 2 "--no-such-flag-at-all" "laminar help $name"
done
# whatever is wrong with the line, the command's own help is named
for line in "score m d.csv -o x.txt" "sample m -o no/where.csv" "predict m d.csv -o x" "encode m d.csv -o ." "impute m d.csv -o x.doc" "vae decode m z.csv -o x.gif"; do
    run $line
    refused 2 "laminar help $(echo "$line" | sed 's/ m .*//')\` lists its flags"
done
run score model.safetensors data.csv --atoll 1e-5
refused 2 "--atoll" "did you mean --atol?"
run fit toy:moons --out r --batch-sise 10
refused 2 "--batch-sise" "did you mean --batch-size?"
run fit toy:moons --out r --batchsize=10
refused 2 "did you mean --batch-size?"
run sample model.safetensors -x
refused 2 "-x"
run sample model.safetensors -n ten
refused 2 "--number" "ten"
run sample model.safetensors -n -5
refused 2 "--number" "-5"
run score model.safetensors data.csv --atol -1
refused 2 "--atol"
run score model.safetensors data.csv --units metres
refused 2 "--units" "standardised" "metres"
run score model.safetensors data.csv --double=1
refused 2 "--double takes no value"
run score model.safetensors data.csv -o
refused 2 "--out needs a value"
run score model.safetensors
refused 2 "score needs MODEL DATA"
run score model.safetensors data.csv more.csv
refused 2 '"more.csv"'
run score model.safetensors data.csv -o scores.xls
refused 2 "scores.xls" ".npy"
run score model.safetensors data.csv -o nowhere/scores.npy
refused 2 "there is no folder nowhere"
run fit toy:moons
refused 2 "--out RUN/"
run fit --out r
refused 2 "fit needs DATA"

finish
