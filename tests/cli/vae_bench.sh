# The benchmark of auto-encoders runs and reports what it should; how fast anything is, is no matter here.
. "$(dirname "$0")/lib.bash"

run help vae bench
expect_code 0
expect_out "usage: laminar vae bench" --quick --json --rank "$ laminar vae bench"

small="--batch-size 3 --dims 8-8 --rank 2 --latent 4"
run vae bench --shape frey --quick --threads 1 $small --json -
if [ "$code" = 1 ] && grep -q oneDNN err; then
    finish # a build without it has no auto-encoders
fi
expect_code 0
python=$(command -v python3)
if [ -n "$python" ]; then
    cat >check.py <<'PY'
import json

rows = json.load(open("out"))["rows"]
assert [row["first_step"] for row in rows] == ["probe", "warm"]
for row in rows:
    assert row["shape"] == "frey" and row["pixels"] == "categorical" and row["threads"] == 1 and row["batch-size"] == 3
    assert row["parameters"] > 1e5 and row["repeats"] >= 3 and 0 < row["fastest"] <= row["seconds"]
    assert set(row["parts"]) == {"encoder", "maps", "flow_forward", "flow_reverse", "decoder", "update"}
    assert all(seconds > 0 for seconds in row["parts"].values())
    # medians of the parts need not add up to that of the whole, but nothing of any size lies between them
    assert 0.5 * row["seconds"] < sum(row["parts"].values()) < 1.5 * row["seconds"]
    probes = row["blocks"] if row["first_step"] == "probe" else 0
    assert row["calls_forward"] == row["blocks"] + probes + 6 * (row["accepted"] + row["rejected"])
    assert abs(row["reconstruction"] + row["kl"] - row["negative_elbo"]) < 1e-3 and row["tpr"] > 0
    assert abs(row["negative_elbo"] + row["tpr-coefficient"] * row["tpr"] - row["loss"]) < 1e-3
PY
    "$python" check.py 2>err || fail "the JSON is not as it should be"
fi

run vae bench --shape caltech --quick --threads 1 --first-step probe $small
expect_code 0
expect_out "training step" "flow reverse" "caltech"

run vae bench --shape caltech,mnist --problems problems $small
expect_code 0
expect_file problems/caltech.safetensors
expect_file problems/mnist.safetensors

run vae bench --shape caltec
refused 2 "--shape" "caltec"
run vae bench --weight-scale 0
refused 2 "--weight-scale"
run vae bench --shape frey --json nowhere/figures.json
refused 1 "nowhere/figures.json"
run vae bench frey
refused 2 '"frey"'

finish
