# Bad data and bad model files: a message that says where and what to do, exit 1, nothing written.
. "$(dirname "$0")/lib.bash"

rows() { # N
    awk -v n="$1" 'BEGIN { srand(3); for (i = 0; i < n; i++) printf "%.6f,%.6f\n", rand(), rand() + 0.3 * rand() }'
}
fit_file() { run fit "$1" --dims 8 --iterations 2 --val-freq 2 --batch-size 20 --out r "${@:2}"; }

fit_file nowhere.csv
refused 1 "nowhere.csv"
: >empty.csv
fit_file empty.csv
refused 1 "empty.csv" "empty"
{ echo a,b; rows 30; echo 1; rows 10; } >ragged.csv
fit_file ragged.csv
refused 1 "ragged.csv" "line 32"
{ echo a,b; rows 10; echo 1,zwei; rows 40; } >word.csv
fit_file word.csv
refused 1 "word.csv" "12" "zwei" "b" "drop-bad-rows"
{ echo a,b; rows 10; echo nan,1; rows 40; } >nan.csv
fit_file nan.csv
refused 1 "nan.csv" "12" "a" "drop-bad-rows"
{ echo a,b; rows 10; echo 1,inf; rows 40; } >inf.csv
fit_file inf.csv
refused 1 "inf.csv" "12" "b" "drop-bad-rows"
{ echo a,b; rows 40 | sed 's/,.*/,3/'; } >constant.csv
fit_file constant.csv
refused 1 "constant" "b"
{ echo a,b,c,d; rows 3 | sed 's/.*/&,&/'; } >short.csv
fit_file short.csv
refused 1 "rows" "columns"
fit_file constant.csv --columns a,z
refused 1 '"z"'
fit_file toy:moon
refused 1 "moon"
[ ! -e r/model.safetensors ] || fail "a refused fit should leave no model"

# going on without the bad rows, counted
{ echo a,b; rows 60; echo 1,; echo nan,1; rows 60; } >gaps.csv
fit_file gaps.csv --drop-bad-rows
expect_code 0
expect_out "120 rows" "2 bad rows"
cp r/model.safetensors model.safetensors
cp r/model.safetensors before

# a folder that holds a run, a file where the folder should be
fit_file gaps.csv --drop-bad-rows
refused 1 "--resume" "--overwrite"
expect_same r/model.safetensors before
run fit toy:moons --out gaps.csv
refused 1 "gaps.csv is a file"

# few distinct values: a warning, which --noise takes away
{ echo a,n; rows 200 | awk -F, '{ print $1 "," NR % 3 }'; } >few.csv
run fit few.csv --dims 8 --iterations 2 --val-freq 2 --batch-size 20 --out few
expect_code 0
expect_err "n" "distinct" "noise"
run fit few.csv --dims 8 --iterations 2 --val-freq 2 --batch-size 20 --out few2 --noise n:1
expect_code 0
grep -q distinct err && fail "no warning expected once noise is added"

# at scoring
{ echo a,b,c; rows 5 | sed 's/$/,1/'; } >wide.csv
run score r wide.csv --drop 7
refused 1 "7"
{ echo p,q,r; rows 5 | sed 's/$/,1/'; } >foreign.csv
run score r foreign.csv
refused 1 'foreign.csv has no column "a", which the model takes; it has p, q, r' "--columns"
run score r wide.csv
expect_code 0
run score r foreign.csv --drop r
refused 1 'no column "a"'
run score r foreign.csv --columns p,q
expect_code 0
{ echo b,z; rows 5; } >part.csv # b would be taken for a
run score r part.csv -o s.npy
refused 1 'part.csv has no column "a", which the model takes'
# what is advised can be done: the model needs its columns, and only a fit can do without one
run score r nan.csv -o s.npy
refused 1 "nan.csv" "leave such rows out with --drop-bad-rows, or fit a model that takes missing cells, with --any-given, or one without the column, with --drop a"
[ ! -e s.npy ] || fail "a refused score should leave no file"
run score r word.csv
refused 1 "leave such rows out with --drop-bad-rows, or fit a model without the column, with --drop b"
{ echo a,b; rows 5 | sed 's/,.*/,red/'; } >red.csv
for more in "" --drop-bad-rows; do
    run score r red.csv $more
    refused 1 "column 2 (b) has text in every row, and no numbers, where the model takes numbers"
    grep -q -- "--drop" err && fail "no column of the model can be dropped"
done
printf 'z1,z2\n1,2\n3,x\n' >codes.csv
run decode r codes.csv
refused 1 "leave such rows out with --drop-bad-rows"
grep -q "fit a model" err && fail "codes are no columns of a fit"
run score r nan.csv --drop-bad-rows -o s.csv
expect_code 0
expect_err "1 bad row"
grep -v nan nan.csv >good.csv
run score r good.csv -o want.csv
expect_code 0
sed -i '11 a nan' want.csv # rows of the file and of the scores are alike
expect_same s.csv want.csv
run encode r nan.csv --drop-bad-rows -o z.csv
expect_code 0
[ "$(sed -n 12p z.csv)" = nan,nan ] && [ "$(wc -l <z.csv)" = "$(wc -l <nan.csv)" ] || fail "a dropped row should be nan in z.csv"
run score nowhere wide.csv
refused 1 "nowhere"
mkdir hollow
run score hollow wide.csv
refused 1 "hollow holds no model.safetensors"
run compare hollow
refused 1 "hollow"
cp r/config.yaml hollow # as a fit leaves it that was stopped while weight decays were tried
run score hollow wide.csv
refused 1 "hollow has not come to a model yet; if it was stopped, the same fit with --resume"
size=$(stat -c %s model.safetensors)
for cut in 4 100 $((size / 2)) $((size - 1)); do
    head -c "$cut" before >model.safetensors
    run score model.safetensors wide.csv
    refused 1 "model.safetensors"
done
rows 100 >model.safetensors
run info model.safetensors
refused 1 "model.safetensors"
run sample gaps.csv
refused 1 "gaps.csv"
run decode r wide.csv
refused 1 'wide.csv has no column "z1"' "give a file as \`laminar encode\` writes it"

finish
