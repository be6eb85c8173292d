# The presets of tabular sets: each loads, and its whole net takes a training step on rows of so many columns.
source_dir=$(cd "$(dirname "$0")/../.." && pwd)
. "$(dirname "$0")/lib.bash"
presets=$source_dir/presets/tabular

# rows N COLUMNS: columns that hang together, none of few values
rows() {
    awk -v n="$1" -v d="$2" 'BEGIN { srand(4); for (i = 0; i < n; i++) { u = rand()
        for (j = 0; j < d; j++) printf "%.8f%s", u + rand(), j + 1 < d ? "," : "\n" } }'
}
# A concat layer has out (in + 2) parameters, a concatsquash layer out (in + 4).
preset() { # SET COLUMNS PARAMETERS
    rows 80 "$2" >train.csv
    rows 4 "$2" >other.csv
    run fit train.csv --valid other.csv --test other.csv --preset "$1" --tpr --iterations 1 --val-freq 1 \
        --batch-size 4 --threads 1 --out "$1"
    expect_code 0
    grep -qx "standardise: false" "$1/config.yaml" || fail "$1: rows in published units should stay as they are"
    grep -qE "^test, this flow.* -?[0-9]+\.[0-9]+" out || fail "$1: a test figure expected"
    run info "$1"
    expect_out "$2 columns, hidden" "parameters     $3"
}
preset power 6 41460
preset gas 8 273680
preset hepmass 21 538020
preset miniboone 43 817086
preset bsds300 63 6698664
run fit --preset help
expect_code 0
expect_out "Published settings for" "  power      POWER (UCI" "  bsds300"
[ "$(grep -c '^  ' out)" = "$(ls "$presets" | wc -l)" ] || fail "every file of presets/tabular has a line"
run vae fit --preset=help
expect_out "  mnist" "  frey" "  caltech"
grep -q power out && fail "power is no setting of images"
run fit train.csv --preset pover --out never
refused 2 'there is no preset "pover"' "  power      POWER (UCI" "--config"
run fit train.csv --preset mnist --out never
refused 2 "mnist is the configuration of a variational auto-encoder, which \`laminar vae fit\` fits"
run fit train.csv --preset power --config power/config.yaml --blocks 3 --iterations 1 --write-split split
expect_code 0
[ ! -e never ] || fail "a refused fit should leave no folder"
[ "$(ls "$presets" | wc -l)" = 5 ] || fail "every preset is to be tested"

finish
