# The benchmark runs and reports what it should; how fast anything is, is no matter here.
. "$(dirname "$0")/lib.bash"

run help bench
expect_code 0
expect_out "usage: laminar bench" --quick --json --memory "$ laminar bench"

run bench --shape toy --quick --json figures.json
expect_code 0
expect_out "multiply-adds, GFLOP/s" "share of peak" "training iteration" "toy"
expect_file figures.json

run bench --shape toy --quick --threads 1 --isa scalar --first-step probe --no-tpr --blocks 2 --batch-size 50 --json -
expect_code 0
python=$(command -v python3)
if [ -n "$python" ]; then
    cat >check.py <<'PY'
import json, sys

def number(x):
    return isinstance(x, (int, float)) and x > 0

a, b = json.load(open("figures.json")), json.load(open("out"))
machine = a["machine"]
assert machine["isa"] and machine["compiler"] and machine["processor"] and isinstance(machine["busy"], bool)
for limit in machine["limits"]:
    assert number(limit["threads"]) and number(limit["gflops"])
    assert all(number(limit["read"][level]["gb_per_s"]) for level in ("L1", "L2", "L3", "memory"))
assert [row["threads"] for row in a["rows"]] == [limit["threads"] for limit in machine["limits"]]
for row in a["rows"] + b["rows"]:
    assert row["shape"] == "toy" and row["dims"] == "64-64-64" and row["divergence"] == "exact"
    for part in ("forward", "forward_derivative", "reverse", "forward_exact"):
        assert all(number(row[part][key]) for key in ("ns", "gflops", "share"))
    for it in row["iterations"]:
        # one call at the start of each block and six a step, one more for a probe of the first step
        probes = row["blocks"] if it["first_step"] == "probe" else 0
        assert it["calls_forward"] == row["blocks"] + probes + 6 * (it["accepted"] + it["rejected"])
        assert 6 * it["accepted"] <= it["calls_backward"] <= 6 * it["accepted"] + row["blocks"]
        assert all(number(it[key]) for key in ("seconds", "fastest", "gflops", "share", "repeats", "peak_mib", "loss"))
assert [it["first_step"] for it in a["rows"][0]["iterations"]] == ["probe", "warm"]
row, = b["rows"]
assert row["threads"] == 1 and row["isa"] == "scalar" and row["blocks"] == 2 and row["batch-size"] == 50
assert b["machine"]["isa"] == "scalar" and len(row["iterations"]) == 1 and row["iterations"][0]["tpr"] == 0
PY
    "$python" check.py 2>err || fail "the JSON is not as it should be"
fi

run bench --shape gas,toy --problems problems --batch-size 20
expect_code 0
expect_file problems/gas.safetensors
expect_file problems/toy.safetensors

run bench --shape toy --quick --threads 1 --first-step warm --columns 5 --divergence rademacher --json five.json
expect_code 0
[ -z "$python" ] || [ "$("$python" -c 'import json; print(json.load(open("five.json"))["rows"][0]["dim"])')" = 5 ] \
    || fail "--columns 5 should measure rows of five columns"

run bench --shape tou
refused 2 "--shape" "tou"
run bench --weight-scale 0
refused 2 "--weight-scale"
run bench --shape toy --json nowhere/figures.json
refused 1 "nowhere/figures.json"
run bench --isa abacus
refused 2 "abacus"
run bench toy
refused 2 '"toy"'

finish
