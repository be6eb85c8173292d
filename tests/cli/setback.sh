# Training that goes wrong: what is said, what metrics.jsonl has of it, and that the third time ends it with the best model.
. "$(dirname "$0")/lib.bash"

flags="toy:pinwheel:1000:1 --dims 8-8 --blocks 1 --batch-size 100 --warm-start none --optimizer adam --max-steps 60 --threads 1 --no-tpr --map none"
# a rate that grows beyond all reason, by 0.5 an iteration
run fit $flags --lr 100 --schedule cosine --lr-warmup 200 --decay-from 390 --iterations 400 --val-freq 2 --out wrong
expect_code 0
expect_err "training continues from the best model so far, that of iteration " ", with half the learning rate" \
    "this is the third time, so training ends here with the best model, that of iteration "
expect_out "training went wrong, and more iterations are unlikely to help. Try a lower rate (--lr 6.2)"
grep -q "Try more iterations" out && fail "more iterations would go wrong as well"
# the schedule goes on by its iterations, and each setback halves its rate
grep '^{"type":"setback"' wrong/metrics.jsonl >setbacks
sed 's/.*"iteration":\([0-9]*\).*"lr":\([0-9.e+-]*\).*/\1 \2/' setbacks |
    awk '{ want = 0.5 * ($1 + 1) / 2 ^ NR; if ($2 / want > 1 + 1e-9 || $2 / want < 1 - 1e-9) bad = 1 } END { exit bad || NR != 2 }' ||
    fail "two setbacks expected, each with half of the schedule's rate: $(cat setbacks)"
best=$(tail -n 1 wrong/metrics.jsonl | sed 's/.*"best_iteration":\([0-9]*\).*/\1/')
grep -q "that of iteration $best\$" err || fail "the model of iteration $best should be the one that training ended with"
run score wrong toy:pinwheel:100:2 -o logp.npy
expect_code 0
# the run is over
cp wrong/model.safetensors kept
run fit toy:pinwheel:1000:1 --resume --out wrong
expect_code 0
expect_same wrong/model.safetensors kept

# within a limit of time the next flow is still fitted, though the clock has chosen no number of iterations
run fit $flags --lr 100 --schedule cosine --lr-warmup 200 --budget 2m --flows 2 --val-freq 2 --out two
expect_code 0
expect_err "this is the third time"
grep -q "there was no time for flow 2 of 2" err && fail "there was time for it"
[ -s two/flow-2/metrics.jsonl ] || fail "flow 2 should have been begun"

# without anything validated there is no model to end with
run fit $flags --lr 1e6 --schedule constant --iterations 40 --val-freq 1000 --out lost
refused 1 "continues from the start, as nothing is validated yet" "iteration " "--overwrite"
[ ! -e lost/model.safetensors ] || fail "nothing was validated"
finish
