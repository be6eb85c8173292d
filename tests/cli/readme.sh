# What README.md and docs/ print is true: every command in them runs, the session shows what the program prints (numbers
# aside), the C program is that of laminar.h and builds against an installed library, and links lead somewhere.
source_dir=$(cd "$(dirname "$0")/../.." && pwd)
build_dir=$(cd "$(dirname "$1")" && pwd)
. "$(dirname "$0")/lib.bash"
pages=("$source_dir"/README.md "$source_dir"/docs/*.md)
mkdir bin
ln -s "$laminar" bin/laminar
PATH=$work/bin:$PATH

# The fenced blocks of a page in one language, one after the other; a line "@@" ends each.
blocks() { awk -v want="\`\`\`$2" '/^```/ { if (inside) print "@@"; inside = !open && $0 == want; open = !open; next }
    inside' "$1"; }
# Numbers, and the blanks that depend on their width, are left to the machine.
masked() { sed -E 's/-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?/N/g; s/[[:space:]]+/ /g; s/ $//' "$1"; }

# `./run` is the CI's own caller, the packages and the build are there already: those lines are left out of a block.
run_shell() {
    local page=$1 n=0 line
    : >block
    while IFS= read -r line; do
        if [ "$line" != @@ ]; then
            [[ $line =~ ^(\./run|sudo|apt|cmake|export|cc)\  ]] || printf '%s\n' "$line" >>block
            continue
        fi
        command_line="sh block $((++n)) of ${page##*/}: $(head -n 1 block)"
        bash -eu -o pipefail block >out 2>err </dev/null
        code=$?
        expect_code 0
        : >block
    done < <(blocks "$page" sh)
}

# Lines "$ command" run; what stands below them is wanted on stdout in this order, "..." being any lines.
check_output() {
    [ -s wanted ] || return
    masked out >have
    masked wanted >want
    awk 'FNR == NR { have[++n] = $0; next }
        $0 == "..." { skip = 1; next }
        { while (++at <= n && have[at] != $0) if (!skip) break
          if (at > n || have[at] != $0) { print "not printed: " $0; bad = 1; exit 1 }
          skip = 0 }
        END { if (!skip && at < n && !bad) { print "printed beyond the page: " have[at + 1]; exit 1 } }' \
        have want >compared ||
        fail "the page shows another output: $(cat compared)"
}

run_console() {
    local page=$1 line
    : >wanted
    while IFS= read -r line; do
        case $line in
        '$ '* | @@)
            check_output
            : >wanted
            [ "$line" != @@ ] || continue
            command_line=${line#\$ }
            bash -eu -o pipefail -c "$command_line" >out 2>err </dev/null
            code=$?
            expect_code 0
            ;;
        *) printf '%s\n' "$line" >>wanted ;;
        esac
    done < <(blocks "$page" console)
}

# Debian's images are not everywhere: black and white bars under their name, the settings beside them.
prepare_images() {
    cp -r "$source_dir/presets" .
    printf %b "$(awk 'function byte(v) { printf "\\0%03o", v }
        function word(v) { byte(0); byte(0); byte(int(v / 256)); byte(v % 256) }
        BEGIN { srand(1); byte(0); byte(0); byte(8); byte(3); word(1300); word(12); word(12)
            for (i = 0; i < 1300; i++) {
                at = int(12 * rand())
                for (r = 0; r < 12; r++) for (c = 0; c < 12; c++) byte((i % 2 ? r : c) == at ? 255 : 0)
            } }')" | gzip >t10k-images-idx3-ubyte.gz
}

check_links() {
    local page=$1 link
    while IFS= read -r link; do
        case $link in http*://* | *docs/results.md) continue ;; esac # that page is written by bench/results.sh
        [ -e "$(dirname "$page")/$link" ] || { command_line="link in ${page##*/}"; code=0; fail "there is no $link"; }
    done < <(grep -oE '\]\([^)#]+\)' "$page" | sed 's/^](//; s/)$//')
}

check_c() {
    local prefix=$work/prefix line
    blocks "$source_dir/README.md" c | grep -v '^@@$' >density.c
    sed -n '/^ \*     #include <laminar.h>/,/^ \*     }$/ s/^ \*     //p' "$source_dir/include/laminar.h" >header.c
    command_line="the C program of README.md" code=0
    expect_same density.c header.c
    # a library with sanitizers needs a program with them
    grep -q '^LAMINAR_SANITIZE:STRING=.' "$build_dir/CMakeCache.txt" && return
    command_line="cmake --install"
    cmake --install "$build_dir" --prefix "$prefix" >out 2>err
    code=$?
    expect_code 0
    sed -i 's/iterations: 200/iterations: 5/' density.c # the machine that tests has other things to do
    line=$(blocks "$source_dir/README.md" sh | grep '^cc ')
    command_line=$line
    PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name laminar.pc)") \
        bash -eu -c "${line/#cc/${CC:-gcc} -Werror}" >out 2>err
    code=$?
    expect_code 0
    command_line=./density
    LD_LIBRARY_PATH=$(dirname "$(find "$prefix" -name liblaminar.so)") ./density >out 2>err
    code=$?
    expect_code 0
    expect_out "log p(x) = "
    command_line=./density-static
    env -u LD_LIBRARY_PATH ./density-static >static 2>err
    code=$?
    expect_code 0
    expect_same static out
    local package
    package=$(find "$prefix" -path '*-packages/laminar')
    [ -z "$package" ] && return # a build without Python
    command_line="import laminar"
    PYTHONPATH=$(dirname "$package") PYTHONDONTWRITEBYTECODE=1 "$(sed -n 's/^PYTHON_PROGRAM:[A-Z]*=//p' "$build_dir/CMakeCache.txt")" \
        -c 'import laminar; print(len(laminar.toys()), "toys")' >out 2>err
    code=$?
    expect_code 0
    expect_out "10 toys"
}

for page in "${pages[@]}"; do
    mkdir "$work/${page##*/}.d"
    cd "$work/${page##*/}.d" || exit 1
    touch out err
    check_links "$page"
    case $page in */README.md) prepare_images ;; esac
    run_console "$page"
    case $page in */data.md)
        "$laminar" fit toy:moons:600:1 --dims 16-16 --blocks 1 --batch-size 100 --iterations 10 --map none -q --out other >out 2>err
        LC_ALL=C sed 's/"laminar":/"foreign":/' other/model.safetensors >ffjord.safetensors ;; # as another program saves it
    esac
    run_shell "$page"
done
cd "$work" || exit 1
touch out err
check_c
finish
