# Auto-encoders of one's own pictures: a folder of PNG files of several sizes, and what is said about them.
. "$(dirname "$0")/lib.bash"

printf '\0\0\010\3\0\0\0\050\0\0\0\010\0\0\0\010' >dots.idx
for i in $(seq 640); do printf '\377\0\0\0'; done >>dots.idx
shape="--dims 4 --latent 2 --rank 1 --batch-size 20 --epochs 1 --warmup 0.5 --threads 1 -q"
run vae fit dots.idx $shape --out dots
grep -q 'libdnnl-dev' err && { echo "pictures: this build has no auto-encoders"; exit 0; }
expect_code 0
mkdir -p set/more
for i in 1 2 3 4 5 6 7 8 9; do
    run vae sample dots -n 1 --scale 1 --seed $i -o set/$i.png
    grep -q 'libpng-dev' err && { echo "pictures: this build has no PNG"; exit 0; }
    expect_code 0
    run vae sample dots -n 2 --scale 1 --columns 2 --seed $i -o set/more/$i.png
    expect_code 0
done

run vae fit set/ $shape --image-size 12x12 --out exact
expect_code 0
expect_err "note: set/: 9 of 18 pictures are resized to 12x12, from 12x22; those of another ratio of height to width are stretched"
grep -q "image-size HxW" err && fail "a size that was given wants no hint"
echo words >set/more/notes.txt
run vae fit set $shape --out run
expect_code 0
expect_err "note: set: 18 of 18 pictures are resized to 28x28, from sizes between 12x12 and 12x22" "--image-size HxW chooses another size" \
    "note: set: 1 file is not PNG and left out"
run vae eval run set
expect_code 0
expect_out "18 of set, all"
expect_err "18 of 18 pictures are resized"
run vae eval run set --part test
expect_code 0
grep -q "not what the model was fitted to" err && fail "the fit's own folder wants no note"

# a dozen pictures: how they are trained on comes from how many there are
mkdir dozen
cp set/[1-6].png dozen
for i in 1 2 3 4 5 6; do cp set/more/$i.png dozen/more$i.png; done
run vae fit dozen --image-size 8x8 --latent 2 --dims 4 --rank 1 --iterations 40 --warmup 8 --threads 1 --out dozen.run
expect_code 0
expect_out "split    10 training, 1 validation, 1 test images" "training 40 iterations (40 epochs) of 8 images, adamax, learning rate 0.0005" \
    "negative ELBO, beta 1"
grep -q '"finished":true' dozen.run/metrics.jsonl || fail "the fit should go to its end"

mkdir none
run vae fit none $shape --out no
refused 1 "none: is a folder without files; give one that holds PNG pictures"
cp dots.idx none/a.jpg
run vae fit none $shape --out no
refused 1 "none: is a folder without PNG pictures: 1 other file is in it (a.jpg)" "mogrify -format png"
run vae fit set/1.png $shape --out no
refused 1 "is one PNG picture; give the folder"
echo cut >>none/b.png
head -c 60 set/1.png >none/c.png
run vae fit none $shape --out no
refused 1 "none: c.png: the PNG is damaged"
[ ! -e no ] || fail "a refused fit should leave no folder"

finish
