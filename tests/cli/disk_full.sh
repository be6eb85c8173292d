# A disk that is full (here: a limit on the size of files) costs nothing that was there before.
. "$(dirname "$0")/lib.bash"

# Runs the program where no file may grow beyond $1 KiB.
run_limited() {
    local limit=$1
    shift
    command_line="laminar $* (files of at most $limit KiB)"
    (trap '' XFSZ; ulimit -f "$limit"; exec "$laminar" "$@") >out 2>err
    code=$?
}

fit_small r --dims 64-64
expect_code 0
cp r/model.safetensors before
run_limited 8 fit toy:moons:600:1 --dims 64-64 --batch-size 100 --val-freq 5 --iterations 10 --out r --overwrite
refused 1 "r/"
expect_same before r/model.safetensors
ls r | grep -q '\.tmp\.' && fail "a failed save should take its temporary file away"

run score r toy:moons:1000:2 -o s.npy
expect_code 0
cp s.npy old.npy
run_limited 1 score r toy:moons:1000:3 -o s.npy
refused 1 "s.npy"
expect_same old.npy s.npy
run_limited 1 sample r -n 1000 -o x.csv
refused 1 "x.csv"
[ ! -e x.csv ] || fail "half a file of samples should not stay"

# none of a set's files is replaced if one of them does not fit
raw() { awk -v n="$1" 'BEGIN { srand(n); print n, 1; for (i = 0; i < n; i++) for (j = 0; j < 50; j++)
    printf "%.6f%s", rand(), j < 49 ? " " : "\n" }' >raw.txt; }
raw 20
run data prepare miniboone raw.txt --out set
expect_code 0
cp -r set set_before
raw 300
run_limited 20 data prepare miniboone raw.txt --out set
refused 1 "set/"
for file in train.npy validation.npy test.npy recipe.json; do expect_same set_before/$file set/$file; done
ls set | grep -q '\.tmp\.' && fail "a failed preparation should take its temporary files away"

finish
