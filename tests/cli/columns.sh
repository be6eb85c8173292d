# Columns by name and by number: each spelling means one column, and rows are read in a model's columns whatever their order in a file.
. "$(dirname "$0")/lib.bash"

# rows N ORDER [MORE]: columns a, b, c of different means and widths in the order of the digits of ORDER; MORE stands behind the first
rows() {
    awk -v n="$1" -v order="$2" -v more="${3:-}" 'BEGIN { srand(5); for (i = 0; i < n; i++) {
        x[1] = rand() + rand(); x[2] = 10 + 3 * rand() * x[1]; x[3] = rand() - x[1]
        for (k = 1; k <= length(order); k++)
            printf("%s%.6f%s", k > 1 ? "," : "", x[substr(order, k, 1)], k == 1 ? more : "")
        print "" } }'
}
fit() { run fit "$@" --dims 8 --iterations 3 --val-freq 3 --batch-size 50 --threads 1 --quiet; }
nll() { sed -n 's/^mean NLL, nats, data units *\([-0-9.]*\).*/\1/p' out; }
scored() { # WHAT NLL ARGUMENTS...
    run score "${@:3}" --threads 1
    expect_code 0
    [ "$(nll)" = "$2" ] && [ -n "$2" ] || fail "$1: NLL $2 expected, not $(nll)"
}

# The same numbers under names with commas, quotes and blanks, under numbers, under years, under a mixture.
while IFS='|' read -r kind a b c; do
    { echo "$a,$b,$c"; rows 300 123; } >"$kind.csv"
    { echo "$c,remark,$a,$b"; rows 300 312 ,text; } >"$kind-turned.csv"
    { echo "$a,$c"; rows 300 13; } >"$kind-part.csv"
    fit "$kind.csv" --out "$kind"
    expect_code 0
    run score "$kind" "$kind.csv" --threads 1
    want=$(nll)
    [ "$kind" = comma ] || [ "$want" = "$before" ] || fail "$kind: the numbers are those of the other fits"
    before=$want
    scored "$kind, turned" "$want" "$kind" "$kind-turned.csv"
    scored "$kind, turned, one dropped" "$want" "$kind" "$kind-turned.csv" --drop remark
    run check "$kind" "$kind-turned.csv" --rows 20 --threads 1
    expect_code 0
    run encode "$kind" "$kind.csv" -o z.csv
    run encode "$kind" "$kind-turned.csv" -o z-turned.csv
    expect_same z.csv z-turned.csv
    run decode "$kind" z.csv -o x.csv
    run sample "$kind" -n 3 -o x3.csv
    [ "$(head -n 1 x.csv)" = "$(head -n 1 x3.csv)" ] || fail "$kind: decode and sample name columns alike"
    run encode "$kind" x.csv -o again.csv # the header that decode wrote reads back
    expect_code 0
    run score "$kind" "$kind-part.csv" -o no.npy
    refused 1 "$kind-part.csv has no column"
    [ ! -e no.npy ] || fail "a refused score leaves no file"
done <<'END'
comma|"kWh, total"|"he said ""x"""|" pad "
number|"3"|"1"|"2"
year|"400"|"500"|"600"
mixed|x|0|"a:b,c"
END

# What the lists mean. A number is a place in the file, whatever else is dropped; a name wins; in a file of numbers for names they are names.
same_fit() { # WHAT FILE FLAGS...: the fit of the three columns in their order
    fit "${@:2}" --out other
    expect_code 0
    run sample other -n 2 -o other.npy
    run sample comma -n 2 -o comma.npy
    cmp -s other.npy comma.npy || fail "$1: other columns were fitted"
    rm -rf other
}
{ echo 'kWh,"to,tal",x,"y ""2"""'; rows 300 1123; } >wide.csv
same_fit "names with commas" wide.csv --drop '"to,tal"'
same_fit "by number" wide.csv --drop 2
same_fit "in an order" wide.csv --columns ' kWh , x, "y ""2"""'
cat >list.yaml <<'END'
columns: [kWh, "x", "y \"2\""]
END
same_fit "a list in YAML" wide.csv --config list.yaml
cat >text.yaml <<'END'
drop: '"to,tal"'
END
same_fit "a text in YAML" wide.csv --config text.yaml
{ echo '"2","4","1"'; rows 300 213; } >numbers.csv
same_fit "numbers for names" numbers.csv --columns 4,2,1
fit numbers.csv --drop 3 --out no
refused 1 'there is no column named "3"' "a number is a name: 2, 4, 1"
fit wide.csv --drop '"to,tal' --out no
refused 2 "--drop: a quote is not closed"
fit wide.csv --drop 'to,tal' --out no
refused 1 'there is no column "to"'

# A configuration and a model keep the lists as they are; noise by number stays with its column.
fit wide.csv --drop '"to,tal"' --noise '"y ""2""":0.5,1:0.25' --out kept
expect_code 0
grep -qF 'drop: ["to,tal"]' kept/config.yaml || fail "config.yaml should hold the list"
run info kept
expect_out '"to,tal"' 'kWh:0.25,y "2":0.5'
cp kept/model.safetensors first.safetensors
fit wide.csv --config kept/config.yaml --out kept --overwrite
expect_same kept/model.safetensors first.safetensors
fit wide.csv --drop 2 --noise 4:0.5,1:0.25 --out numbered
run info numbered
expect_out 'kWh:0.25,y "2":0.5'

# Validation and test rows in another order, and with columns more; without names, as the training file.
head -n 201 mixed.csv >train.csv
{ head -n 1 mixed.csv; tail -n 100 mixed.csv; } >rest.csv
{ head -n 1 mixed-turned.csv; tail -n 100 mixed-turned.csv; } >rest-turned.csv
fit train.csv --valid rest.csv --test rest.csv --out parts
expect_code 0
fit train.csv --valid rest-turned.csv --test rest-turned.csv --out parts-turned
expect_same parts/model.safetensors parts-turned/model.safetensors
fit train.csv --valid comma.csv --out no
refused 1 'comma.csv has no column "x", which the training table takes'
run tune parts train.csv --valid rest-turned.csv --test rest-turned.csv --error 1 --threads 1 -o tuned.safetensors
expect_code 0
grep -q "these are not the data of the fit" err && fail "the rows of the fit should be known in any order"

# Files without names: their order; and where the fit left columns out, the same ones.
rows 300 1123 | tail -n +1 >plain.csv
fit plain.csv --drop 2 --out plain
expect_code 0
rows 300 123 >three.csv
run score plain plain.csv --threads 1
want=$(nll)
scored "the model's own columns" "$want" plain three.csv
scored "a file with names" "$want" plain comma.csv
scored "a model with names" "$want" comma three.csv
run sample plain -n 2 -o s.csv
[ "$(head -n 1 s.csv)" = '"1","3","4"' ] || fail "columns without names keep their numbers"
run score plain s.csv
expect_code 0
rows 5 12 >two.csv
run score plain two.csv
refused 1 "two.csv has 2 columns, the model takes 3"
run score comma two.csv
refused 1 'two.csv has 2 columns, the model takes 3 (kWh, total, he said "x",  pad )'
fit three.csv --columns 3,1,2 --out turned
expect_code 0
run score turned three.csv
refused 1 "has no names to tell its columns by" "--columns"
run score turned three.csv --columns 3,1,2
expect_code 0

finish
