# What the sources keep to, as a program can see it:
#   - every definition has a name of its own: ctags finds none that is called LAM_W or LAM_K (a room's names.h gives the widths)
#   - a folder of src/ includes only from folders above it in the list of docs/architecture.md
#   - files of src/ have at most 450 lines, tables of data aside
#   - functions of src/ and cli/ have at most 60 lines and at most 8 parameters
#   - every file of src/ and cli/ opens with a line that says what it is for
# Exceptions stand below by name, each to be taken away some day.
#
# usage: bash house.sh SOURCE_FOLDER        (exits with 77, "skipped", where there is no Universal Ctags)
set -euo pipefail
cd "$1"
ctags --version 2>/dev/null | grep -q 'Universal Ctags' || { echo "skipped: no universal-ctags here"; exit 77; }

long_files=(
)
long_functions=(
)
many_parameters=(
)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# complain "what is wrong" <list: prints the list under these words and notes that it did, unless it is empty. It stands behind pipes, in
# shells of their own, so the note is a file.
complain() {
    cat >"$work/list"
    [ -s "$work/list" ] || return 0
    echo "$1"
    sed 's/^/  /' "$work/list"
    touch "$work/failed"
}
# excepted FILE NAME...: lines of FILE without those names; a name that no line has is an exception to be taken away
excepted() {
    local file=$1 name
    shift
    for name; do
        grep -qxF -- "$name" "$file" || echo "$name (is no exception any more: take it off the list in tests/house.sh)"
    done
    printf '%s\n' "$@" | grep -vxFf /dev/stdin "$file" || true
}

ctags -R --languages=C --fields=+neS --kinds-C=+p -f "$work/tags" src cli tests bench examples include
# a macro's own definition aside (kind d)
awk -F'\t' '$1 ~ /^LAM_[WK]$/ && $4 != "d" { sub(/^line:/, "", $5); print $2 ":" $5 }' "$work/tags" \
    | complain "definitions called LAM_W or LAM_K: give the name a line in the room's names.h and say the plain name"

sed -n '/^    src\/$/,/^    cli\//s/^      \([a-z]*\)\/ .*/\1/p' docs/architecture.md >"$work/rooms"
[ "$(wc -l <"$work/rooms")" = "$(find src -mindepth 1 -maxdepth 1 -type d | wc -l)" ] \
    || echo "the list of folders in docs/architecture.md is not that of src/" | complain "docs/architecture.md"
awk 'NR == FNR { place[$1] = NR; next }
    /^#include "/ { split($2, part, /["\/]/); split(FILENAME, own, "/")
        if (part[2] in place && place[part[2]] > place[own[2]]) print FILENAME ":" FNR ": " $2 }' "$work/rooms" src/*/*.[ch] \
    | complain "includes from a folder further down in docs/architecture.md"

wc -l src/*/*.[ch] | awk '$2 != "total" && $1 > 450 { print $2 }' >"$work/files"
excepted "$work/files" "${long_files[@]}" | complain "files of more than 450 lines"

awk -F'\t' '$4 == "f" && $2 ~ /^(src|cli)\// { first = last = 0
        for (i = 5; i <= NF; i++) { if ($i ~ /^line:/) first = substr($i, 6); if ($i ~ /^end:/) last = substr($i, 5) }
        if (last - first >= 60) print $2 ":" $1 }' "$work/tags" >"$work/functions"
excepted "$work/functions" "${long_functions[@]}" | complain "functions of more than 60 lines"

awk -F'\t' '$4 == "f" && $2 ~ /^(src|cli)\// { for (i = 5; i <= NF; i++)
        if ($i ~ /^signature:/ && gsub(/,/, ",", $i) > 7) print $2 ":" $1 }' "$work/tags" >"$work/parameters"
excepted "$work/parameters" "${many_parameters[@]}" | complain "functions of more than 8 parameters"

for file in src/*/*.[ch] cli/*.[ch]; do
    read -r line <"$file"
    case $line in '/*'*) ;; *) echo "$file" ;; esac
done | complain "files that do not open with what they are for"

[ ! -e "$work/failed" ] && echo "house: passed"
