# Auto-encoders of images, a whole session: fit, interruption, eval, pictures; the same bytes for any threads; and what is
# refused, with what words.
. "$(dirname "$0")/lib.bash"

# Numbers as octal escapes of big-endian words and bytes, for printf %b.
idx_awk='function byte(v) { printf "\\0%03o", v }
    function word(v) { byte(0); byte(0); byte(int(v / 256)); byte(v % 256) }
    function head(dims) { byte(0); byte(0); byte(8); byte(dims) }'
# Grey bars on black, upright and lying: images N SIDE SEED
images() {
    printf %b "$(awk -v n="$1" -v side="$2" -v seed="$3" "$idx_awk"'
        BEGIN { srand(seed); head(3); word(n); word(side); word(side)
            for (i = 0; i < n; i++) {
                at = int(side * rand()); grey = 128 + int(127 * rand())
                for (r = 0; r < side; r++) for (c = 0; c < side; c++) byte((i % 2 ? r : c) == at ? grey : 0)
            } }')"
}
images 200 12 1 >bars.idx
images 60 12 2 >other.idx
images 40 16 3 >large.idx
images 40 10 3 >ten.idx
printf %b "$(awk "$idx_awk"'BEGIN { head(1); word(40); for (i = 0; i < 40; i++) byte(i % 10) }')" >train-labels-idx1-ubyte

png_size() { od -An -tu1 -j16 -N8 "$1" | awk '{ print $3 * 256 + $4 "x" $7 * 256 + $8 }'; }
expect_png() {
    expect_file "$1"
    [ "$(png_size "$1")" = "$2" ] || fail "$1 should be a picture of $2, not $(png_size "$1")"
}
# A fit of a second: small RUN [flags]
shape="--dims 8 --latent 4 --rank 2 --batch-size 40 --warmup 2 --tpr --seed 5 --log-freq 1"
small() {
    local folder=$1
    shift
    run vae fit bars.idx $shape --epochs 3 --out "$folder" "$@"
}

# ---- the session
small run --threads 1
grep -q 'libdnnl-dev' err && { echo "vae: this build has no auto-encoders"; exit 0; }
expect_code 0
expect_out "images of 12x12" "160 training, 20 validation, 20 test" "grey, made black or white by one draw" "negative ELBO, beta 1" \
    "nats per image" "bits per pixel" "evaluations of f" "run/model.safetensors"
expect_err "loss, and -ELBO (beta 1, without the penalty), in nats per image" "epoch 1/3  beta 0.125  iteration 1/12  loss" \
    "epoch 3/3  beta 1  iteration 12/12" "-ELBO" "validation at 4: -ELBO" "validation at 12: -ELBO"
grep -q standardised err && fail "images have no standardised units"
grep -q '"type":"train","iteration":4,"epoch":1,"beta":0.5,' run/metrics.jsonl || fail "metrics should tell epoch and beta"
for file in config.yaml metrics.jsonl checkpoint.safetensors; do expect_file run/$file; done

small two --threads 2
expect_code 0
expect_same run/model.safetensors two/model.safetensors
small part --epochs 2
expect_code 0
run vae fit bars.idx --resume --epochs 3 --out part
expect_code 0
expect_same run/model.safetensors part/model.safetensors

# stopped by Ctrl-C: the line that it prints goes on, the size included
tail -c +17 bars.idx >flat.raw
{ # [200, 144] as .npy, which has no size of its own
    printf '\223NUMPY\1\0\166\0%-117s\n' "{'descr': '|u1', 'fortran_order': False, 'shape': (200, 144), }"
    cat flat.raw
} >flat.npy
command_line="laminar vae fit flat.npy (stopped)"
set -m
"$laminar" vae fit flat.npy --image-size 12x12 --valid other.idx $shape --epochs 8 --out stopped >out 2>err &
pid=$!
set +m
for _ in $(seq 400); do [ -s stopped/metrics.jsonl ] && break; sleep 0.05; done
kill -s INT "$pid"
wait "$pid"
code=$?
if [ "$code" != 0 ]; then # 0: it was done before the signal came
    expect_code 130
    expect_err "laminar vae fit flat.npy --image-size 12x12 --valid other.idx $shape --epochs 8 --out stopped --resume"
    command_line=$(tail -n 1 err)
    ${command_line/laminar/$laminar} >out 2>err
    code=$?
    expect_code 0
fi
small whole --valid other.idx --epochs 8
expect_code 0
expect_same whole/model.safetensors stopped/model.safetensors

run vae eval run bars.idx --threads 1
expect_code 0
expect_out "200 of bars.idx, all" "negative ELBO" "nats per image" "bits per pixel" "evaluations "
cp out eval1
run vae eval run/model.safetensors bars.idx --threads 2
expect_same out eval1
run vae eval run bars.idx --part test --iw 20 --iw-rows 2
expect_code 0
expect_out "20 of bars.idx, test" "log p(x)" "over 2 images" "20 samples each" "effective"
expect_err "20 samples for each of 2 images will take about"
grep -q "not what the model was fitted to" err && fail "the fit's own images want no note"
run vae eval run other.idx --part test
expect_code 0
expect_err "not what the model was fitted to"
run vae eval whole bars.idx --valid other.idx --part valid
expect_code 0
expect_out "60 of bars.idx, valid"
grep -q "not what the model was fitted to" err && fail "the fit's own files want no note"
run vae eval run flat.npy # its size is the model's
expect_code 0
sed 's/flat.npy/bars.idx/' out >have
expect_same have eval1

for n in 1 2; do
    mkdir pictures$n
    run vae reconstruct run bars.idx --part test -n 6 --columns 3 --scale 1 --threads $n -o pictures$n/r.png
    expect_code 0
    expect_out "12 images in pictures$n/r.png"
    expect_png pictures$n/r.png 86x30
    run vae sample run -n 6 --columns 3 --scale 1 --seed 1 --threads $n -o pictures$n/s.png
    expect_code 0
    expect_png pictures$n/s.png 44x30
    run vae interpolate run bars.idx --from 3 --to 8 -n 5 --threads $n --out pictures$n/i.png
    expect_code 0
    expect_png pictures$n/i.png 132x28
done
for file in r s i; do expect_same pictures1/$file.png pictures2/$file.png; done
run vae sample run -n 2 --columns 9 --scale 1 -o few.png
expect_png few.png 30x16
run vae sample run -n 6 --columns 3 --scale 1 --seed 2 -o seed.png
cmp -s seed.png pictures1/s.png && fail "another seed should draw other images"

# codes and back; images as rows of numbers; every image's own bound
for n in 1 2; do
    run vae encode run bars.idx --part test --threads $n -o z$n.csv
    expect_code 0
    expect_out "z of 20 images, 4 columns, in z$n.csv"
done
expect_same z1.csv z2.csv
run vae encode run bars.idx --part test
expect_code 0
expect_same out z1.csv
run vae encode run bars.idx --part test --batch-rows 5 -o fives.csv
run vae encode run bars.idx --part test --batch-rows 5 -n 5 -o FIRST.CSV # the same batch, so the same steps
expect_code 0
head -n 6 fives.csv >five.csv
expect_same FIRST.CSV five.csv
[ "$(head -n 1 z1.csv)" = z1,z2,z3,z4 ] || fail "codes should be named z1, z2, ..."
run vae encode run bars.idx --part test --draw --seed 1 -o drawn.csv
cmp -s z1.csv drawn.csv && fail "draws are not means"
run vae decode run drawn.csv -o decoded.npy
expect_code 0
expect_out "20 images, 144 pixels each, in decoded.npy"
run vae reconstruct run bars.idx --part test --seed 1 -o again.npy
expect_code 0
expect_same decoded.npy again.npy
run vae decode run drawn.csv --scale 1 -o decoded.PNG
expect_png decoded.PNG 72x58
awk -F, '{ print (NR == 1 ? "id" : NR) "," $4 "," $2 "," $3 "," $1 }' drawn.csv >mixed.csv # columns by name, whatever else there is
run vae decode run mixed.csv -o mixed.npy
expect_code 0
expect_same decoded.npy mixed.npy
sed '4s/^[^,]*/nan/' drawn.csv >bad.csv
run vae decode run bad.csv -o bad.npy
refused 1 "bad.csv: line 4, column 1 (z1)" "--drop-bad-rows"
run vae decode run bad.csv --drop-bad-rows -o bad.out.csv
expect_code 0
expect_err "bad.csv: 1 bad rows dropped"
[ "$(wc -l <bad.out.csv) $(sed -n 3p bad.out.csv | cut -c1-8)" = "20 nan,nan," ] || fail "bad.out.csv should have a row of nan"
run vae encode run bars.idx -o codes.csv # an interpolation's ends are the codes of these very images
run vae decode run codes.csv -o every.csv
run vae interpolate run bars.idx --from 3 --to 8 -n 2 -o ends.csv
expect_code 0
sed -n '3p; 8p' every.csv | paste -d, - - >want
paste -d, - - <ends.csv >have
paste -d, have want | awk -F, '{ for (i = 1; i <= 288; i++) if (($i - $(i + 288)) ^ 2 > 1e-8) exit 1 } END { if (NF != 576) exit 1 }' ||
    fail "ends.csv should be images 3 and 8, encoded and decoded"
run vae sample run -n 6 --seed 1 -o samples.npy
expect_code 0
run vae eval run samples.npy # means of pixels are images again
expect_code 0
run vae eval run bars.idx --part test --iw 5 --iw-rows 2 -o each.csv
expect_code 0
expect_out "negative ELBO" "in  each.csv"
mean=$(awk -F, 'NR > 1 { sum += $1; if ($2 + 0 == $2 && $2 != "nan") filled++ }
                END { if (NR != 21 || filled != 2) exit 1; printf "%.9g", -sum / 20 }' each.csv) || fail "each.csv should have 20 rows, 2 with log_prob"
# to the place of its error's second digit
awk -v mean="$mean" '/^negative ELBO/ { off = ($3 - mean) / $5; ok = off * off < 0.051 ^ 2 } END { exit !ok }' out ||
    fail "the mean of each.csv is $mean"
run vae eval run bars.idx --part test -o elbo.csv
[ "$(cut -d, -f1 each.csv)" = "$(cat elbo.csv)" ] || fail "the bounds should not depend on --iw"
run vae eval run bars.idx --part test -n 3 -o few.csv
expect_code 0
expect_out "3 of bars.idx, test"
[ "$(wc -l <few.csv)" = 4 ] || fail "few.csv should have a row for each of 3 images"

# what was inverted for the model comes out as it is in the file
{
    head -c 16 bars.idx
    printf %b "$(tail -c +17 bars.idx | od -An -v -tu1 -w1 | awk '{ printf "\\0%03o", 255 - $1 }')"
} >light.idx
run vae fit light.idx $shape --epochs 3 --invert -q --out inverted
expect_code 0
run vae reconstruct inverted light.idx -n 4 -o light.npy
expect_code 0
run vae reconstruct run bars.idx -n 4 -o dark.npy
sum() { tail -c 4608 "$1" | od -An -v -tf8 -w8 | awk '{ sum += $1 } END { print sum }'; }
awk -v a="$(sum light.npy)" -v b="$(sum dark.npy)" 'BEGIN { exit !(a + b > 575.99 && a + b < 576.01 && a != b) }' ||
    fail "what is light in one should be dark in the other: $(sum light.npy) + $(sum dark.npy) of 576"

# what a model is, whichever it is
run info run
expect_code 0
expect_out "auto-encoder of 12x12 images, pixels binary, latent 4, posterior cnf (hidden 8, 1 block, amortised low-rank)" "encoder" \
    "maps to the flow" "decoder" "q_z_nn.0.h.weight" "[32, 1, 5, 5]"
awk '/^parameters/ { on = 1; next } on && /^  all/ { exit sum != $NF } on { sum += $NF }' out || fail "parts should add up to all"
fit_small table
run info table
expect_code 0
expect_out "2 columns"

run compare run two
expect_code 0
expect_out "posterior" "test -ELBO" "-ELBO at beta 1 in nats per image"
grep -q "data units" out && fail "images have no data units"
run compare table run
refused 1 "run is a fit of images, table one of a table"

# ---- help
run help vae
expect_code 0
expect_out "usage: laminar vae COMMAND" "interpolate" "--preset" "FILE.mat:NAME"
cp out by_help
run vae --help
expect_code 0
expect_same out by_help
run vae
expect_code 2
expect_err "usage: laminar vae COMMAND"
for name in fit eval reconstruct sample interpolate encode decode; do
    run vae $name --help
    expect_code 0
    expect_out "usage: laminar vae $name" "$ laminar vae $name"
    cp out by_flag
    run help vae $name
    expect_same out by_flag
done
run help vae fit
expect_out --latent --warmup --image-size "-ELBO"
grep -q -- --drop-bad-rows out && fail "flags of tables are not for images"
run vae nonsense
refused 2 'no command "vae nonsense"' "laminar help vae"
run vae evl run bars.idx
refused 2 'did you mean "vae eval"?'

# ---- what is refused, leaving nothing behind
refused_fit() { # CODE FRAGMENT...
    refused "$@"
    [ ! -e r ] || { fail "a refused fit should leave no folder"; rm -r r; }
}
fit_file() { run vae fit "$1" $shape --epochs 1 --out r "${@:2}"; }
fit_file nowhere.idx
refused_fit 1 "nowhere.idx"
fit_file flat.npy
expect_code 0 # 144 pixels are 12x12
rm -r r
fit_file ten.idx
refused_fit 1 "images of 10 x 10" "multiples of 4"
fit_file bars.idx --image-size nonsense
refused_fit 2 "--image-size nonsense: give height and width as in 28x20"
fit_file bars.idx --image-size 12x-12
refused_fit 2 "--image-size 12x-12"
fit_file bars.idx --image-size 16x9
refused_fit 1 "bars.idx: its images are 12 x 12, 16 x 9 was asked for"
{ printf '\223NUMPY\1\0\166\0%-117s\n' "{'descr': '|u1', 'fortran_order': False, 'shape': (30, 560), }"; head -c 16800 flat.raw; } >frey.npy
fit_file frey.npy
refused_fit 1 "560 pixels each and no shape" "image-size" "28x20"
fit_file bars.idx --test large.idx
refused_fit 1 "the test images are 16 x 16, the training images 12 x 12"
fit_file bars.idx --val-images 500
refused_fit 1 "500 validation images are asked for"
fit_file train-labels-idx1-ubyte
refused_fit 1 "holds labels, not images; train-images-idx3-ubyte is probably meant"
fit_file bars.idx --valid train-labels-idx1-ubyte
refused_fit 1 "holds labels, not images"
gzip -c bars.idx >bars.gz
head -c $(($(stat -c %s bars.gz) / 2)) bars.gz >cut.gz
fit_file cut.gz
refused_fit 1 "cut.gz" "200 images of 12 x 12 are announced" "copy or download it again"
head -c 5000 bars.idx >cut.idx
fit_file cut.idx
refused_fit 1 "cut.idx" "are announced"
printf '\200\2]q\0(K\1K\2e.' >list.pkl
fit_file list.pkl
refused_fit 1 "list.pkl" "only a pickle of one uint8 array is read"
printf "cos\nsystem\n(S'touch ran'\ntR." >code.pkl
fit_file code.pkl
refused_fit 1 "code.pkl" "only a pickle of one uint8 array is read"
[ ! -e ran ] || fail "nothing in a pickle may run"
{ # a MATLAB matrix Y [2, 3]
    printf '%-116s\0\0\0\0\0\0\0\0\0\1IM' 'MATLAB 5.0 MAT-file'
    printf '\16\0\0\0\140\0\0\0\6\0\0\0\10\0\0\0\6\0\0\0\0\0\0\0\5\0\0\0\10\0\0\0\2\0\0\0\3\0\0\0\1\0\1\0Y\0\0\0\11\0\0\0\60\0\0\0'
    head -c 48 /dev/zero
} >other.mat
fit_file other.mat
refused_fit 1 "has neither X nor data; it has Y [2 x 3 double]" "file.mat:NAME"
fit_file other.mat:Z
refused_fit 1 "has no variable Z; it has Y [2 x 3 double]"
seq 100 >numbers.csv
fit_file numbers.csv
refused_fit 1 "numbers.csv: holds no images in a known format"
: >empty
fit_file empty
refused_fit 1 "empty: is empty"

# flags and files of the other kind of model, and where things go
printf 'model: density\n' >density.yaml
fit_file bars.idx --config density.yaml
refused_fit 2 "density.yaml is the configuration of a density, which \`laminar fit\` fits"
printf 'columns: [a, b]\n' >columns.yaml
fit_file bars.idx --config columns.yaml
refused_fit 2 "columns.yaml sets columns, which is for tables of numbers"
run fit toy:moons --config run/config.yaml --out r
refused_fit 2 "run/config.yaml is the configuration of a variational auto-encoder, which \`laminar vae fit\` fits"
fit_file bars.idx --columns a
refused_fit 2 "vae fit knows no flag --columns: that is for tables of numbers, which \`laminar fit\` takes"
run fit toy:moons --latent 3 --out r
refused_fit 2 "fit knows no flag --latent: that is for images, which \`laminar vae fit\` takes"
fit_file bars.idx --precision double
refused_fit 2 "precision"
run vae fit bars.idx $shape
refused 2 "vae fit needs a folder for the run: --out RUN/"
run vae fit bars.idx $shape --out bars.idx
refused 1 "--out bars.idx is a file"
run vae fit bars.idx $shape --out run
refused 1 "--resume" "--overwrite"
run vae fit bars.idx $shape --epochs 1 --out /proc/nowhere/r
refused 1 "cannot make the folder /proc/nowhere"
run vae fit bars.idx $shape --epochs 1 --warmup 50 -q --out short
expect_code 0
expect_err "beta grows to 1 over 50 epochs, and this run has 1"
run vae fit bars.idx $shape --epochs 1 --binarise fresh -q --out fresh
expect_code 0
expect_out "not comparable with published figures on one fixed binarisation"

no_picture() { [ ! -e p.png ] || fail "a refused command should leave no picture"; }
run vae eval run large.idx
refused 1 "its images are 16 x 16" "the model is of images of 12x12"
run vae reconstruct run large.idx -o p.png
refused 1 "the model is of images of 12x12"
no_picture
run vae eval run bars.idx --image-size nonsense
refused 2 "--image-size nonsense"
run vae eval run train-labels-idx1-ubyte
refused 1 "holds labels"
run vae eval table bars.idx
refused 1 "a density of rows, no variational auto-encoder" "laminar score"
for command in score encode check; do
    run $command run toy:moons
    refused 1 "a variational auto-encoder, no density of rows; see \`laminar vae\`"
done
run plot run -o p.png
refused 1 "vae sample run -o FILE.png"
run sample run
refused 1 "no density of rows"
mkdir hollow
run vae sample hollow -o p.png
refused 1 "hollow holds no model.safetensors"
run vae eval bars.idx bars.idx
refused 1 "bars.idx"
run vae eval run bars.idx --part nonsense
refused 2 "--part nonsense: it is train, valid, test or all"
run vae eval run bars.idx --part all --test other.idx
refused 2 "--part all means the images of bars.idx alone"
run vae eval run bars.idx --iw-rows 2
refused 2 "--iw-rows says for how many images --iw is done; give --iw too"
run vae eval run bars.idx --columns 3
refused 2 "vae eval knows no flag --columns"
run vae sample run
refused 2 "vae sample needs a file for the images: --out FILE.png"
run vae sample run -o p.jpg
refused 2 "cannot write p.jpg: the name should end in .png (a picture), .npy, .csv"
run vae encode run bars.idx -o z.png
refused 2 "cannot write z.png: the name should end in .npy"
run vae encode run large.idx -o z.csv
refused 1 "the model is of images of 12x12"
[ ! -e z.csv ] || fail "a refused command should leave no codes"
run vae eval run bars.idx -o each.txt
refused 2 "cannot write each.txt"
mkdir folder.npy
run vae eval run bars.idx -o folder.npy
refused 2 "cannot write folder.npy: it is a folder"
cp flat.npy same.npy
run vae encode run same.npy -o ./same.npy
refused 2 "./same.npy is what is read; name another file to write to"
expect_same flat.npy same.npy
run vae decode run z1.csv -o z1.csv
refused 2 "z1.csv is what is read"
run vae fit other.idx --resume --out part
refused 1 "was written for other data"
run vae fit bars.idx $shape --epochs 1 --posterior none -q --out ending
expect_code 0
expect_err "note: --tpr-coefficient 5 has no effect without --posterior cnf"
cut -d, -f1-3 z1.csv >three.csv
run vae decode run three.csv -o p.png
refused 1 "three.csv has no column \"z4\", which the model's z takes; it has z1, z2, z3; give a file as \`laminar vae encode\` writes it"
sed '3s/^[^,]*/inf/' z1.csv >infinite.csv
run vae decode run infinite.csv -o p.png
refused 1 "infinite.csv"
no_picture
run vae interpolate run bars.idx -o nowhere/p.png
refused 2 "there is no folder nowhere"
run vae sample run -n 0 -o p.png
refused 2 "-n 0"
run vae reconstruct run bars.idx -n 0 -o p.png
refused 2 "-n 0"
run vae eval run bars.idx -n 0
refused 2 "-n 0: one image is the least"
run vae interpolate run bars.idx -n 1 -o p.png
refused 2 "-n 1: the two ends alone are 2 images"
run vae interpolate run bars.idx --to 201 -o p.png
refused 1 "there are images 1 to 200"
run vae interpolate run bars.idx --from 0 -o p.png
refused 1 "there are images 1 to 200"
head -c 3000 run/model.safetensors >cut.safetensors
run vae sample cut.safetensors -o p.png
refused 1 "cut.safetensors"
no_picture
ls | grep -q '\.tmp\.' && fail "temporary files are left"

finish
