# Same seed: the same model bit for bit, twice in a row and for any number of threads; another seed: another model.
. "$(dirname "$0")/lib.bash"

fit_small one --threads 1
expect_code 0
fit_small again --threads 1
expect_code 0
expect_same one/model.safetensors again/model.safetensors
fit_small two --threads 2
expect_code 0
expect_same one/model.safetensors two/model.safetensors
fit_small three --threads 3 --overwrite
expect_code 0
expect_same one/model.safetensors three/model.safetensors
fit_small other --threads 1 --seed 1
expect_code 0
cmp -s one/model.safetensors other/model.safetensors && fail "another seed should give another model"
for n in 1 2; do
    run score one toy:moons:500:2 --threads $n -o "logp$n.npy"
    expect_code 0
done
expect_same logp1.npy logp2.npy

finish
