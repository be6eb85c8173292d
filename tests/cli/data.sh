# Public tabular sets: prepared from small files of their raw formats and fitted; what is refused, and that nothing is left behind
# then.
source_dir=$(cd "$(dirname "$0")/../.." && pwd)
. "$(dirname "$0")/lib.bash"
presets=$source_dir/presets/tabular

# rows N COLUMNS [SEPARATOR]: columns that hang together, none of few values
rows() {
    awk -v n="$1" -v d="$2" -v s="${3:- }" 'BEGIN { srand(4); for (i = 0; i < n; i++) { u = rand()
        for (j = 0; j < d; j++) printf "%.8f%s", u + rand(), j + 1 < d ? s : "\n" } }'
}
{ echo "Date;Time;Global_active_power;Global_reactive_power;Voltage;Global_intensity;Sub_metering_1;Sub_metering_2;Sub_metering_3"
    echo "28/4/2007;00:21:00;?;?;?;?;?;?;"
    rows 100 7 ";" | awk '{ printf "28/4/2007;%02d:%02d:00;%s\n", NR / 60, NR % 60, $0 }'; } >household_power_consumption.txt
{ echo "Time (seconds), CO conc (ppm), Ethylene conc (ppm), sensor readings (16 channels)"; rows 400 19; } >ethylene_CO.txt
signal() { printf '# label'; for i in $(seq 0 26); do printf ',f%s' "$i"; done; printf '\n'; rows "$1" 27 , | sed 's/^/1,/'; }
mkdir raw
signal 80 >raw/1000_train.csv
signal 8 | gzip >raw/1000_test.csv.gz
{ echo " 100 20"; rows 120 50; } >MiniBooNE_PID.txt

prepared() { # SET RAW...
    run data prepare "$@" --out "$1"
    expect_code 0
    expect_out "$1 " "published" "train.npy, validation.npy, test.npy and recipe.json are in $1" \
        "fit      laminar fit $1/train.npy --valid $1/validation.npy --test $1/test.npy --preset $1 --tpr"
    expect_err "these are not the rows behind the published figures"
    for file in train.npy validation.npy test.npy recipe.json; do expect_file "$1/$file"; done
}
prepared power household_power_consumption.txt
grep -qE "^training rows +81 +1659917$" out || fail "81 training rows of 1659917 expected"
expect_err "1 of 101 rows left out for missing values, the first in line 2"
prepared gas ethylene_CO.txt
expect_err "100 of 400 rows taken"
prepared hepmass raw
prepared miniboone MiniBooNE_PID.txt

# the same seed, the same bytes; over its own files without a word
cp power/train.npy before.npy
prepared power household_power_consumption.txt
expect_same power/train.npy before.npy
run data prepare power household_power_consumption.txt --out power --seed 1 --quiet
expect_code 0
[ ! -s err ] || fail "--quiet should leave stderr empty"
cmp -s power/train.npy before.npy && fail "another seed should give other rows"

# a fit to what was prepared: figures are the same in both units, and the model knows which rows it has seen
run fit power/train.npy --valid power/validation.npy --test power/test.npy --preset power --tpr \
    --iterations 1 --val-freq 1 --batch-size 4 --out run_power
expect_code 0
awk '/^test, this flow/ { found = 1; same = $(NF - 5) == $(NF - 2) } END { exit !(found && same) }' out ||
    fail "rows in published units should not be standardised once more"
grep -q distinct err && fail "the minutes are meant to be whole: no warning"
run info run_power
expect_out "$(sed -n 's/.*"data_hash":[^"]*"\(.*\)".*/\1/p' power/recipe.json)"

# ---- refused
run data
expect_code 2
expect_err "data prepare" "data prepare miniboone"
run data prepair power x
refused 2 '"data prepair"' '"data prepare"'
run data prepare power
refused 2 "data prepare needs SET RAW"
run data prepare powder x --out new
refused 2 'no recipe "powder"' "hepmass"
run data prepare power household_power_consumption.txt
refused 2 "--out FOLDER/"
run data prepare power household_power_consumption.txt --out ethylene_CO.txt
refused 1 "is a file"
run data prepare gas household_power_consumption.txt --out new
refused 1 "household_power_consumption.txt: line 1" "ethylene_CO.txt"
run data prepare bsds300 ethylene_CO.txt --out new
refused 1 "ethylene_CO.txt" "HDF5"
run data prepare hepmass raw/1000_train.csv --out new
refused 1 "two files"
head -c 3000 household_power_consumption.txt >cut.txt
run data prepare power cut.txt --out new
refused 1 "cut.txt: line " "cut short"
[ ! -e new ] || fail "what is refused should leave no folder"
mkdir own
echo 1 >own/test.npy
run data prepare power household_power_consumption.txt --out own
refused 1 "own holds a test.npy" "--overwrite"
[ "$(cat own/test.npy)" = 1 ] || fail "own/test.npy should be as it was"
[ "$(ls own)" = test.npy ] || fail "nothing should be written beside it"
run data prepare power household_power_consumption.txt --out own --overwrite
expect_code 0

finish
