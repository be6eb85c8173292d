# compare --plot: the picture beside the table; plot: densities, draws, paths, corners; and what is refused.
. "$(dirname "$0")/lib.bash"

fit_small plain
expect_code 0
fit_small tpr --tpr
expect_code 0

run compare plain tpr --plot curves.gif
refused 2 ".svg, .png or .pdf"
run compare plain tpr --plot nowhere/curves.svg
refused 2 "there is no folder nowhere"

run compare plain tpr --plot curves.svg
if grep -q libcairo2-dev err; then
    expect_code 1
    run plot plain -o picture.png
    refused 1 "libcairo2-dev"
    [ ! -e picture.png ] || fail "without cairo nothing is written"
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

# ---- plot
# Two columns: both models, the same bytes for any threads, in every format; what was thinned is said.
quick="--grid 20 -n 300 --paths 6"
for threads in 1 2; do
    run plot plain tpr --data toy:moons:500:2 $quick --threads $threads -o two$threads.svg
    expect_code 0
    expect_out "two$threads.svg: Density at 20 x 20 places." "500 of 500 rows of data as points" "300 of 300 draws, seed 0" \
        "Paths of 6 rows, the same in every panel"
done
expect_same two1.svg two2.svg
[ "$(grep -c '<image' two1.svg)" = 3 ] || fail "two maps and a colour bar, an image each"
[ "$(wc -c <two1.svg)" -lt 400000 ] || fail "an SVG of two models should be small"
run plot plain tpr $quick --seed 1 -o seed1.svg
expect_code 0
run plot plain tpr $quick --seed 2 -o seed2.svg
cmp -s seed1.svg seed2.svg && fail "another seed should give other draws"
for ending in PNG pdf; do
    run plot plain $quick --points 100 --dark --scale log --panels density,draws -o one.$ending
    expect_code 0
    expect_out "100 of 300 draws"
    expect_file one.$ending
    grep -q Paths out && fail "paths were not asked for"
done

# One column, and more than are shown unless they are asked for.
awk 'BEGIN { srand(3); print "a b,c,d,e,f,g,h"
    for (i = 0; i < 400; i++) { x = rand() + rand(); printf "%g,%g,%g,%d,%g,%g,%g\n", x, x * x + rand(), rand(), 4 * rand(), -x, rand() * rand(), x + rand() } }' >seven.csv
run fit seven.csv --columns c --iterations 10 --val-freq 10 --dims 8 --out narrow
run plot narrow --data seven.csv -o narrow.svg
expect_code 0
expect_out "Histogram of 400 rows"
run fit seven.csv --noise e:1 --iterations 10 --val-freq 10 --dims 8 --out wide
run plot wide --data seven.csv -n 200 -o wide.svg
expect_code 0
expect_out "6 of 7 columns" "400 rows of data in the histograms" "contours hold 50 % and 90 %"
expect_err "note: the first 6 of 7 columns are shown; --columns chooses others"
run plot wide wide/model.safetensors --columns "h,a b,3" -n 200 -o three.svg
expect_code 0
expect_out "3 of 7 columns" "200 draws of each model"
grep -q "note:" err && fail "columns that were chosen need no note"
sed '3s/^[^,]*/?/' seven.csv >hole.csv
run plot wide --data hole.csv -n 200 -o hole.svg
refused 1 "line 3"
run plot wide --data hole.csv --drop-bad-rows -n 200 -o hole.svg
expect_code 0
expect_err "1 bad rows dropped"
expect_out "399 rows of data"
sed '1s/^/x,/; 2,$s/^/text,/' seven.csv >eight.csv
run plot wide --data eight.csv --drop x -n 200 -o eight.svg
expect_code 0
expect_out "400 rows of data"
run plot wide --data eight.csv --drop 1,2 -n 200 -o no.svg
refused 1 'eight.csv has no column "a b", which the model takes; it has c, d'

# The steps of the solver: the same bytes for any threads, the counts of a score, and what says nothing about steps is refused.
for threads in 1 2; do
    run plot plain tpr --data toy:moons:1500:2 --steps --threads $threads -o steps$threads.svg
    expect_code 0
    expect_out "tpr: dopri5, atol 1e-05, rtol 1e-05, exact trace; 1000 rows as one batch" "l above z" "steps$threads.svg: length and errors"
done
expect_same steps1.svg steps2.svg
run plot plain --data toy:moons:900:2 --steps --probe --atol 1e-7 --rtol 1e-7 -o probed.svg
expect_code 0
calls=$(sed -n 's/^plain: .* as one batch, \([0-9]*\) evaluations of f$/\1/p' out)
run score plain toy:moons:900:2 --probe --atol 1e-7 --rtol 1e-7
expect_out "evaluations of f per batch $calls.0,"
run fit toy:moons:600:1 --dims 8 --blocks 2 --iterations 2 --warm-start none --step-control tile --threads 1 --out tiled --quiet
run plot tiled --data toy:moons:200:2 --steps -o tiled.svg
expect_code 0
expect_out "200 rows in 4 tiles with steps of their own, of which the picture shows the first"
run plot wide --steps --batch-rows 100 -o steps.png
expect_code 0
expect_out "100 draws as one batch"
run plot plain --steps --panels paths -o no.svg
refused 2 "--steps" "--panels says nothing about them"
run plot plain --steps --data seven.csv -o no.svg
refused 1 'seven.csv has no column "x"'
cp -r plain even
run tune even toy:moons --error 0.05
if grep -q "even steps" out; then
    run plot even --steps -o no.svg
    refused 1 "tuned to even steps" "as-fitted"
    run plot even --steps --as-fitted -o even.svg
    expect_code 0
fi

# Refused, with nothing written.
run plot plain
refused 2 "--out FILE.png"
run plot -o no.svg
refused 2 "plot needs MODEL"
run plot plain -o no.gif
refused 2 "--out no.gif" ".svg, .png or .pdf"
run plot plain -o nowhere/no.svg
refused 2 "there is no folder nowhere"
run plot plain wide -o no.svg
refused 1 "plain has 2 columns, wide has 7"
run plot wide --columns "a b,z" -o no.svg
refused 2 'no column "z"'
run plot wide --columns 8 -o no.svg
refused 2 'no column "8"'
run plot wide --columns c,2 -o no.svg
refused 2 "is named twice"
run plot plain --panels density,path -o no.svg
refused 2 '"path"' "density, draws and paths"
run plot plain --scale logarithmic -o no.svg
refused 2 "--scale needs density or log"
run plot plain --grid 1 -o no.svg
refused 1 "grid: 1 is not within"
run plot plain --data seven.csv -o no.svg
refused 1 'seven.csv has no column "x"'
run plot missing -o no.svg
refused 1 "missing"
for file in no.svg no.gif; do [ ! -e $file ] || fail "$file should not be there"; done
finish
