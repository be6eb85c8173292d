# A run stopped by a signal, or killed at random moments, and resumed ends in the same model as one left alone.
. "$(dirname "$0")/lib.bash"

flags="toy:pinwheel:1000:1 --dims 24-24 --batch-size 100 --val-freq 20 --log-freq 5 --seed 5 --threads 1 --iterations 120"
start=$(date +%s%N)
run fit $flags --out whole --quiet
expect_code 0
elapsed=$(($(date +%s%N) - start)) # ns
run fit $flags --out whole --resume
expect_err "the run in whole was finished already"
run fit toy:pinwheel:1000:1 --dims 8 --iterations 10 --threads 1 --out fresh --resume
expect_err "fresh holds no checkpoint to go on from: the run begins here"
# a folder with a slash behind its name: messages have one in front of the file's
run fit toy:pinwheel:1000:1 --dims 9 --iterations 10 --threads 1 --out fresh/ --resume
refused 1 "fresh/checkpoint.safetensors was written with"

# Starts a fit in the background with the signals of a terminal's program; $pid.
begin() {
    command_line="laminar fit $flags $*"
    set -m
    "$laminar" fit $flags "$@" >out 2>err &
    pid=$!
    set +m
}
# Waits until the run has logged an iteration, 10 s at most.
until_logged() { for _ in $(seq 200); do [ -s "$1/metrics.jsonl" ] && return; sleep 0.05; done; }

for signal in INT:130 TERM:143; do
    folder=stopped_${signal%:*}
    begin --out $folder
    until_logged $folder
    kill -s "${signal%:*}" "$pid"
    wait "$pid"
    code=$?
    if [ "$code" != 0 ]; then # 0: it was done before the signal came
        refused "${signal#*:}" "$folder" "--resume"
        run fit $flags --out $folder
        refused 1 "--resume" "--overwrite"
    fi
    # parameters come from the run; nothing but the data and the folder need be said
    stopped=$code
    run fit toy:pinwheel:1000:1 --out $folder --resume
    expect_code 0
    [ "$stopped" = 0 ] || grep -qE "going on with the run in $folder after iteration [0-9]+ of (120|[0-9]+ of the warm start)" err \
        || fail "it should say from where it goes on"
    expect_same whole/model.safetensors $folder/model.safetensors
done

# the command that a stop prints goes on as it stands, in a shell, whatever the names: with the flags that were given, but --overwrite
mkdir 'a $HOME "b"'
printf 'lr: 0.002\n' >"a \$HOME \"b\"/it's.yaml"
"$laminar" sample whole -n 400 -o "a \$HOME \"b\"/data; x.csv" >out 2>err
mkdir "my run"
begin_in() { begin --iterations 100000 --schedule cuts --overwrite --config "a \$HOME \"b\"/it's.yaml" --valid "a \$HOME \"b\"/data; x.csv" --out "my run"; }
begin_in
until_logged "my run"
kill -s INT "$pid"
wait "$pid"
code=$?
expect_code 130
line=$(tail -n 1 err)
case $line in *--overwrite*) fail "--overwrite would throw the run away" ;; esac
expect_err "--iterations 100000" "--val-freq 20" " --resume"
printf '%s' "${line/laminar/\"\$laminar\"} --iterations 1000000000 --budget 1e-9" >again.sh
command_line="$line (with a limit)" laminar=$laminar bash -eu again.sh >out 2>err
code=$?
expect_code 0
grep -q '^lr: 0.002' "my run/config.yaml" || fail "the configuration of the run is that of its file"

# SIGKILL after random parts of the whole time, longer each round so that it ends
for round in 1 2 3 4 5 6; do
    begin --out killed --resume
    sleep "$(awk -v e="$elapsed" -v r="$RANDOM" -v n="$round" 'BEGIN { printf "%.3f", e * 1e-9 * n / 6 * r / 32768 }')"
    kill -s KILL "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
done
run fit $flags --out killed --resume
expect_code 0
expect_same whole/model.safetensors killed/model.safetensors
ls killed | grep -q '\.tmp\.' && echo "note: a killed save left its temporary file"

# resuming what is finished changes nothing
run fit $flags --out whole --resume
expect_code 0
expect_same whole/model.safetensors killed/model.safetensors

finish
