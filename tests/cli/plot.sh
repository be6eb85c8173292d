# compare --plot: the picture beside the table, and what is refused.
. "$(dirname "$0")/lib.bash"

fit_small plain
expect_code 0
fit_small tpr --tpr
expect_code 0

run compare plain tpr --plot curves.gif
refused 2 ".svg, .png or .pdf"
run compare plain tpr --plot nowhere/curves.svg
expect_code 1

run compare plain tpr --plot curves.svg
if grep -q libcairo2-dev err; then
    expect_code 1
    finish
fi
expect_code 0
expect_out "plain" "tpr" # the table is there as well
expect_file curves.svg
cp curves.svg before.svg

# The runs differ in alpha alone; a third one with the same values is told apart by its folder.
cp -r plain twin
for ending in png pdf; do
    run compare plain/ twin tpr --plot curves.$ending
    expect_code 0
    expect_file curves.$ending
done

# A run without validations has no curve; a torn last line is passed over.
mkdir young
cp plain/config.yaml young
grep -v validation plain/metrics.jsonl | head -n 1 >young/metrics.jsonl
printf '{"type":"valid' >>young/metrics.jsonl
run compare plain young --plot curves.svg
expect_code 0
expect_err "young holds no validation yet"
run compare young --plot young.svg
expect_code 1
expect_err "no run holds a validation yet"
[ ! -e young.svg ] || fail "nothing to draw, nothing written"
finish
