# Tables as other programs write them, standard input and output, and what the program says of the first line.
. "$(dirname "$0")/lib.bash"

rows() { # N COLUMNS [SEPARATOR]
    awk -v n="$1" -v d="$2" -v s="${3:-,}" 'BEGIN { srand(5); for (i = 0; i < n; i++) { u = rand()
        for (j = 0; j < d; j++) printf "%.5f%s", u + rand(), j + 1 < d ? s : "\n" } }'
}
fit_file() { # DATA FOLDER [flags]
    run fit "$1" --dims 4 --iterations 2 --val-freq 2 --batch-size 50 --threads 1 --out "${@:2}"
}

# ---- what made the names is said, and what may be wrong with that
{ echo a,b,c; rows 60 3; } >named.csv
fit_file named.csv named
expect_code 0
expect_out "named.csv: 60 rows, 3 columns (a, b, c)" "header   names from line 1 (text above numbers)"
for spelled in -nan . '#N/A' '\N' -; do
    { echo "$spelled,0.5,0.25"; rows 60 3; } >first.csv
    fit_file first.csv r --overwrite
    refused 1 "first.csv: line 1, column 1 (1)" "$spelled" "--header yes"
    fit_file first.csv r --overwrite --drop-bad-rows
    expect_code 0
    expect_out "60 rows, 3 columns (1, 2, 3)" "header   no names" "1 bad rows"
done
{ echo 400,500,600; rows 60 3; } >waves.csv
fit_file waves.csv waves
expect_code 0
expect_out "61 rows"
expect_err "laminar: warning: waves.csv: line 1 (400, 500, 600) is read as a row" "--header yes"
fit_file waves.csv waves --overwrite --header yes
expect_code 0
expect_out "60 rows, 3 columns (400, 500, 600)" "names from line 1 (--header yes)"
grep -q warning err && fail "what was asked for needs no warning"
run score waves waves.csv # as in the fit
expect_out "rows                                 60"
run score waves waves.csv --header no
expect_out "rows                                 61"
run score waves waves.csv --header maybe
refused 2 '--header: "maybe" is not one of auto, yes, no'
printf 'header: yes\ndims: 4\niterations: 1\n' >header.yaml
run fit waves.csv --config header.yaml --out yaml
expect_code 0
expect_out "columns (400, 500, 600)"

# ---- comments, row names, encodings, decimal commas: the same table, to the bit
score() { # FILE: of the model of named.csv
    run score named "$1" -o - --threads 1
    expect_code 0
    cp out "scores_$1"
    expect_same "scores_$1" scores_named.csv
}
score named.csv
{ echo "# a b c"; sed 1d named.csv | tr , ' '; } >savetxt.txt
score savetxt.txt
grep -q "otherwise" err && fail "the comment's names should be the model's"
{ echo '"a" "b" "c"'; sed 1d named.csv | awk -F, '{ print "\"" NR "\" " $1 " " $2 " " $3 }'; } >R.txt
score R.txt
expect_err "row names"
{ printf 'sep=;\r\n'; tr ,. ';,' <named.csv; } >excel.csv
score excel.csv
iconv -f UTF-8 -t UTF-16 named.csv >utf16.csv
score utf16.csv
{ printf 'a,note,b,c\n'; sed 1d named.csv | sed 's/,/,"two\nlines",/'; } >notes.csv
score notes.csv
printf 'gr\366\337e;l\344nge\n' >latin1.csv
rows 60 2 ';' >>latin1.csv
fit_file latin1.csv umlauts
expect_code 0
expect_out "columns (größe, länge)" "Windows-1252"
run score umlauts latin1.csv
[ ! -s err ] || fail "the fit's own file should be scored without a word"

# ---- standard input and output
fit_file - from_stdin <named.csv
expect_code 0
expect_out "read     standard input: 60 rows, 3 columns (a, b, c)"
expect_same from_stdin/model.safetensors named/model.safetensors
gzip -c named.csv | "$laminar" score named - -o - --threads 1 >out 2>err
expect_same out scores_named.csv
expect_err "mean NLL"
"$laminar" encode named named.csv -o z.npy >out 2>err
"$laminar" decode named - -o - <z.npy >out 2>err
[ "$(head -n 1 out)" = a,b,c ] && [ "$(wc -l <out)" = 61 ] || fail "decode should write its table alone to standard output"
run sample named -n 5 -o -
[ "$(wc -l <out)" = 6 ] || fail "five draws and their names expected on standard output"
run check named - --rows 20 <named.csv
expect_code 0
expect_out "20 of 60 rows"
"$laminar" plot named --data - -o plot.svg <named.csv >out 2>err
[ -s plot.svg ] || fail "plot should read standard input"
run fit - --valid - --out twice <named.csv
refused 2 "standard input can be read once"
run score named - </dev/null
refused 1 "standard input: the file is empty"
printf 'a,b,c\n1,2\n' | "$laminar" score named - >out 2>err
expect_err "standard input: line 2 ends after column 2"

finish
