# What the program's tests share. A test is run as `bash NAME.sh PROGRAM` and works in a folder of its own.
set -u
laminar=$1
test_name=$(basename "$0" .sh)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0
unset LAMINAR_ISA

# Runs the program; leaves its exit code in $code, its output in the files out and err.
run() {
    command_line="laminar $*"
    "$laminar" "$@" >out 2>err
    code=$?
}

fail() {
    failures=$((failures + 1))
    echo "$test_name: $1"
    echo "  after: $command_line (exit $code)"
    sed 's/^/  out: /' out | tail -n 15
    sed 's/^/  err: /' err | tail -n 15
}

expect_code() { [ "$code" = "$1" ] || fail "exit code $1 expected"; }
# Fragments are fixed strings, each of them wanted.
expect_out() { for fragment; do grep -qF -- "$fragment" out || fail "\"$fragment\" expected on stdout"; done; }
expect_err() { for fragment; do grep -qF -- "$fragment" err || fail "\"$fragment\" expected on stderr"; done; }
expect_same() { cmp -s "$1" "$2" || fail "$1 and $2 should be the same bytes"; }
expect_file() { [ -s "$1" ] || fail "the file $1 should be there"; }

# A failure with these words on stderr, and nothing that looks like a crash.
refused() {
    expect_code "$1"
    shift
    expect_err "laminar: " "$@"
}

# A fit of a second or so: fit_small RUN [flags].
fit_small() {
    local folder=$1
    shift
    run fit toy:moons:600:1 --dims 16-16 --batch-size 100 --val-freq 10 --iterations 30 --out "$folder" "$@"
}

finish() {
    [ "$failures" = 0 ] || { echo "$test_name: $failures failures"; exit 1; }
    echo "$test_name: passed"
    exit 0
}
