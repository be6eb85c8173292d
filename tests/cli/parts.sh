# Rows that are read, solved and written in parts: as two files of the first and the last rows would be, bit by bit, and in little memory.
. "$(dirname "$0")/lib.bash"

fit_small r --dims 8
expect_code 0
# 300,000 rows of two columns are a part of 262,000 and a rest; rows 7 and 270,001 are bad
awk 'BEGIN { srand(1); print "x,y"; for (i = 1; i <= 300000; i++) print i == 7 || i == 270001 ? "oops,1" : 4 * rand() - 2 "," 4 * rand() - 2 }' >all.csv
(head -n 262002 all.csv) >first.csv
(echo x,y; tail -n +262003 all.csv) >rest.csv
for command in score encode; do
    for part in all first rest; do
        run $command r $part.csv --drop-bad-rows -o $part-$command.csv
        expect_code 0
    done
    (cat first-$command.csv; tail -n +2 rest-$command.csv) >joined.csv
    expect_same all-$command.csv joined.csv
    [ "$(wc -l <all-$command.csv)" = 300001 ] || fail "$command should write a line for every row"
    sed -n 8p all-$command.csv | grep -q nan || fail "$command: row 7 is bad"
    sed -n 270002p all-$command.csv | grep -q nan || fail "$command: row 270001 is bad"
done
run score r all.csv
refused 1 "line 8"
run score r all.csv --drop-bad-rows
expect_code 0
grep -q "rows  *299998" out || fail "all good rows should be counted"
grep -q "2 bad rows dropped" err || fail "bad rows should be counted over all parts"

# draw i depends on the seed and i alone, whatever part it is in
run sample r -n 262500 --seed 4 --log-prob -o many.csv
expect_code 0
run sample r -n 270000 --seed 4 --log-prob -o more.csv
expect_code 0
[ "$(wc -l <more.csv)" = 270001 ] || fail "270000 draws are 270001 lines"
head -n 262001 many.csv >a
head -n 262001 more.csv >b
expect_same a b

# predictions and filled cells do not depend on the parts either, whose draws have seeds of their own: a row of the second part is what it is where
# more rows follow
fit_small g --given x --dims 8
expect_code 0
run predict g all.csv --drop-bad-rows --draws 2 --atol 0.1 --rtol 0.1 -o all-predict.csv
expect_code 0
head -n 270000 all.csv >most.csv
run predict g most.csv --drop-bad-rows --draws 2 --atol 0.1 --rtol 0.1 -o most-predict.csv
expect_code 0
head -n 269960 all-predict.csv >a
head -n 269960 most-predict.csv >b
expect_same a b
[ "$(wc -l <all-predict.csv)" = 300001 ] || fail "predict should write a line for every row"
for part in all most; do
    tail -n +2 $part.csv | awk -F, 'NR == 1 { print "x" } $1 != "oops" { print $1 }' >given.csv
    run sample g --given-file given.csv -n 2 --atol 0.5 --rtol 0.5 -o $part-sample.csv
    expect_code 0
done
[ "$(wc -l <all-sample.csv)" = 599997 ] || fail "two draws of each of 299998 rows"
head -n 500000 all-sample.csv >a
head -n 500000 most-sample.csv >b
expect_same a b
fit_small w --any-given --dims 8
expect_code 0
awk -F, 'NR == 1 || (NR < 110000 && NR != 8) { print NR % 3 == 2 ? "," $2 : $0 }' all.csv >holes.csv
run impute w holes.csv --atol 0.1 --rtol 0.1 -o filled.csv
expect_code 0
expect_out "36665 missing cells of 109997 rows filled"
[ "$(wc -l <filled.csv)" = 109998 ] || fail "impute should write every row"
! grep -q nan filled.csv || fail "every cell should be filled"
awk -F, 'NR % 3 != 2' holes.csv | head -n 50000 | awk -F, '{ print $2 }' >a
awk -F, 'NR % 3 != 2' filled.csv | head -n 50000 | awk -F, '{ print $2 }' >b
expect_same a b # what is there stays

# a million rows in memory took 40 MB; sanitizers keep memory of their own
if [ -r /proc/self/status ] && ! grep -qs '^LAMINAR_SANITIZE:STRING=.' "$(dirname "$laminar")/CMakeCache.txt"; then
    run sample r -n 1000000 --atol 0.1 --rtol 0.1 -o big.npy
    expect_code 0
    for command in "score r big.npy -o s.npy --atol 0.1 --rtol 0.1" "check r big.npy --rows 50"; do
        command_line="laminar $command"
        "$laminar" $command --threads 1 >out 2>err &
        pid=$! most=0
        while kill -0 $pid 2>/dev/null; do
            now=$(awk '/RssAnon/ { print $2 }' /proc/$pid/status 2>/dev/null)
            [ "${now:-0}" -gt "$most" ] && most=$now
            sleep 0.05
        done
        wait $pid
        code=$?
        expect_code 0
        [ "$most" -gt 0 ] && [ "$most" -lt 16000 ] || fail "it took $most KB of its own for a million rows"
    done
    expect_out "50 of 1000000 rows"
fi
finish
