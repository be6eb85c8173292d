# Fits and scores of several processes that mpirun starts: the bits of one process, whatever dies or is stopped on the way.
. "$(dirname "$0")/lib.bash"

command -v mpirun >/dev/null && [ -e "$(dirname "$laminar")/liblaminar_mpi.so.1" ] || { echo "skipped: no MPI here (libopenmpi-dev, openmpi-bin)"; exit 77; }
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_btl_vader_single_copy_mechanism=none
export OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_mpi_yield_when_idle=1

# ranks N command...: laminar on N processes
ranks() {
    local n=$1
    shift
    command_line="mpirun -n $n laminar $*"
    timeout 60 mpirun -n "$n" "$laminar" "$@" >out 2>err
    code=$?
}

# hashes: every way of dividing the work
fit="fit toy:pinwheel:1500:1 --dims 12-12 --batch-size 500 --iterations 14 --val-freq 7 --tpr --warm-start flow-matching:6 --seed 5 --quiet"
run $fit --threads 1 --out alone
expect_code 0
for n in 1 2 3; do
    for threads in 1 2; do
        ranks $n $fit --threads $threads --out of_${n}_$threads
        expect_code 0
        expect_same alone/model.safetensors of_${n}_$threads/model.safetensors
    done
done
expect_out "model    of_3_2/model.safetensors"
[ "$(grep -c '^model ' out)" = 1 ] || fail "one process prints, not three"
strip='s/,"[a-z_]*seconds":[^,}]*//g'
[ "$(sed "$strip" alone/metrics.jsonl)" = "$(sed "$strip" of_3_2/metrics.jsonl)" ] || fail "the metrics of three processes are those of one"

# step sizes by tile, in double; roles that differ from row to row
for flags in "--step-control tile --precision double" "--any-given"; do
    set -- fit toy:pinwheel:700:1 --dims 10 --batch-size 300 --iterations 6 --val-freq 3 --threads 1 --quiet $flags
    run "$@" --out alone_again --overwrite
    expect_code 0
    ranks 3 "$@" --out again --overwrite
    expect_code 0
    expect_same alone_again/model.safetensors again/model.safetensors
done

# text: rank 0 converts it, and the others take it from there, also when a run goes on
run sample alone -n 600 -o text.csv
mkdir scratch
fit_text="fit text.csv --warm-start none --dims 8 --batch-size 300 --val-freq 3 --schedule cuts --threads 1 --quiet"
run $fit_text --iterations 6 --out alone_again --overwrite
ranks 2 $fit_text --iterations 3 --out again --overwrite --scratch scratch
ranks 2 $fit_text --iterations 6 --dims 9 --out again --resume --scratch scratch
[ $code != 0 ] && [ "$(ls scratch | grep -c 'rows-.*cache')" = 1 ] || fail "one file of rows should be there for the run to go on with"
ranks 3 $fit_text --iterations 6 --out again --resume --scratch scratch
expect_code 0
expect_same alone_again/model.safetensors again/model.safetensors
[ -z "$(ls -A scratch)" ] || fail "a fit that has finished should leave no rows"

# auto-encoders: fits of two and three, a checkpoint that three go on with, scores
{ printf '\0\0\010\003\0\0\0\050\0\0\0\010\0\0\0\010'; yes 'laminar images' | head -c $((40 * 64)); } >letters.idx
vae="vae fit letters.idx --latent 2 --dims 4 --blocks 1 --rank 2 --val-images 8 --test-images 8 --epochs 1 --warmup 0 --batch-size 8 --quiet"
run $vae --out vae_alone
expect_code 0
for n in 2 3; do
    ranks $n $vae --threads $((n - 1)) --out vae_ranks --overwrite
    expect_code 0
    expect_same vae_alone/model.safetensors vae_ranks/model.safetensors
done
run $vae --epochs 2 --out vae_longer
ranks 2 $vae --epochs 2 --out vae_ranks --resume
expect_code 0
expect_same vae_longer/model.safetensors vae_ranks/model.safetensors
ranks 3 $vae --reduce fast --out vae_fast
expect_code 0
run vae eval vae_alone letters.idx -o bounds_one.npy
cp out one.out
ranks 3 vae eval vae_alone letters.idx -o bounds_three.npy
expect_code 0
expect_same bounds_one.npy bounds_three.npy
[ "$(grep ELBO one.out)" = "$(grep ELBO out)" ] || fail "the bound of three processes is that of one"
ranks 2 vae fit nosuch.idx --out vae_none
[ $code != 0 ] && [ "$(grep -c nosuch err)" = 1 ] || fail "a file that is not there is told of once"

# in an order that MPI chooses: a result all the same
ranks 3 $fit --reduce fast --out fast
expect_code 0

# the same from C: one rank or three
example=$(dirname "$laminar")/example_fit_ranks
command_line="example_fit_ranks"
"$example" c_alone >out 2>err && mpirun -n 3 "$example" c_ranks >out 2>err
code=$?
expect_code 0
expect_same c_alone/model.safetensors c_ranks/model.safetensors

# scores
run sample alone -n 4300 -o rows.npy
run score alone rows.npy -o one.npy
expect_code 0
cp out one.out
ranks 3 score alone rows.npy -o three.npy
expect_code 0
expect_same one.npy three.npy
[ "$(grep NLL one.out)" = "$(grep NLL out)" ] || fail "the mean NLL of three processes is that of one"
ranks 2 sample alone -n 10 -o drawn.csv
expect_code 0
expect_err "one process does all of this"

# a rank that is killed ends the job, with its number; another number of ranks goes on from the checkpoint
long="fit toy:pinwheel:1500:1 --dims 12-12 --batch-size 500 --iterations 400 --val-freq 20 --warm-start none --seed 6 --threads 1 --quiet"
run $long --out whole
expect_code 0
command_line="mpirun -n 3 laminar $long"
timeout 60 mpirun -n 3 "$laminar" $long --out killed >out 2>err &
job=$!
for _ in $(seq 400); do [ -e killed/checkpoint.safetensors ] && break; sleep 0.02; done
victim=$(for p in $(pgrep -f -- "$laminar .*--out killed"); do
    tr '\0' '\n' <"/proc/$p/environ" 2>/dev/null | grep -qx OMPI_COMM_WORLD_RANK=1 && echo "$p"; done | head -1)
[ -n "$victim" ] || fail "rank 1 was not found"
began=$(date +%s)
kill -9 "$victim"
wait $job
[ $? != 0 ] || fail "a job without its rank 1 has ended well"
[ $(($(date +%s) - began)) -le 10 ] || fail "the job went on for 10 s without its rank 1"
expect_err "process rank 1 with PID"
[ "$(grep -c '"type":"summary"' killed/metrics.jsonl)" = 0 ] || fail "the job was done before its rank was killed"
ranks 2 $long --out killed --resume
expect_code 0
expect_same whole/model.safetensors killed/model.safetensors

# mistakes are said once; one rank's own with its number
ranks 2 fit toy:pinwheel:700:1 --ltr 3 --out wrong
[ $code != 0 ] || fail "an unknown flag"
[ "$(grep -c 'fit knows no flag' err)" = 1 ] || fail "a mistake is said once"
mpirun -n 1 "$laminar" fit toy:pinwheel:700:1 --out other --quiet : -n 1 "$laminar" fit nosuch.csv --out other --quiet >out 2>err && fail "a file that is not there"
expect_err "rank 1 of 2: laminar: nosuch.csv"
mpirun -n 1 "$laminar" fit toy:pinwheel:700:1 --out other --quiet : -n 1 "$laminar" fit toy:pinwheel:700:2 --out other --quiet >out 2>err && fail "other rows"
expect_err "rank 1 has other rows than rank 0"

# without mpirun nothing of MPI is loaded
LD_DEBUG=files "$laminar" info alone 2>&1 | grep -q libmpi && fail "MPI was loaded without mpirun"
LD_DEBUG=files mpirun -n 2 "$laminar" info alone 2>&1 | grep -q libmpi || fail "the test above would see MPI"
finish
