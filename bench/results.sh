#!/usr/bin/env bash
# Writes docs/results.md and its pictures: what the penalty does, from the runs of bench/sweep.sh (bench/vae_page.py writes the part on
# images), what its rivals do, from what bench/experiments.sh keeps (bench/experiment_page.py), how the program's defaults stand beside
# other density estimators, from the results of bench/peers.py (bench/peers_page.py), and how fast it is, from the figures of
# bench/speed.sh (bench/speed_page.py). Every number on the page is read from their files, and every sentence that concludes something
# is chosen by those numbers. Runs that are not finished are listed as such.
#
# usage: bench/results.sh [LAMINAR]        (default: the program kept with the runs, else build/laminar)
#   LAMINAR_RUNS   folder of the runs, default runs/; the finished ones that the tree keeps where there is none
#   LAMINAR_PLOT   draws the pictures of speed, default build/bench/plot
#   LAMINAR_PAGE   the page, default docs/results.md; its pictures go to the folder of its name
#   LAMINAR_PEERS  results of bench/peers.py, default docs/results/peers.jsonl
#   LAMINAR_SPEED  folder of the figures of speed, default docs/results/speed
set -euo pipefail
cd "$(dirname "$0")/.."

runs=${LAMINAR_RUNS:-runs}
laminar=${1:-}
[ -n "$laminar" ] || { [ -x "$runs/laminar" ] && laminar=$runs/laminar || laminar=build/laminar; }
page=${LAMINAR_PAGE:-docs/results.md}
pictures=${page%.md}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
kept_runs=docs/results/runs.tar.gz
if [ ! -e "$runs" ]; then
    runs=$work/runs
    mkdir "$runs"
    tar -xzf "$kept_runs" -C "$runs"
fi

install_packages() {
    command -v jq >/dev/null && command -v python3 >/dev/null && return
    local as=()
    [ "$(id -u)" = 0 ] || as=(sudo)
    "${as[@]}" apt-get update -qq
    "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends jq python3 >/dev/null
}

# ---- reading ---------------------------------------------------------------------------------------------------------

value_of() { sed -n "s/^$2: //p" "$runs/$1/config.yaml"; }

# A run's lines as columns; a line cut short by a kill is passed over.
#   1 type, 2 iteration, 3 forward, 4 backward, 5 accepted, 6 rejected, 7 train_cpu_seconds, 8 val_nll, 9 best_val_nll, 10 test_nll,
#   11 gaussian_test_nll, 12 test_forward, 13 test_solves, 14 finished, 15 train_forward + train_backward
lines_of() {
    jq -Rr 'fromjson? // empty | [.type, (.iteration // .iterations), .forward, .backward, .accepted, .rejected, .train_cpu_seconds,
        .val_nll, .best_val_nll, .test_nll, .gaussian_test_nll, .test_forward, .test_solves, .finished,
        (.train_forward // 0) + (.train_backward // 0)] | map(if . == null then "-" else . end) | @tsv' "$runs/$1/metrics.jsonl"
}

# One line a run, in columns:
#   1 name, 2 set, 3 variant ("-": none), 4 alpha, 5 seed, 6 finished, 7 iterations, 8 wanted, 9 test NLL,
#   10 best validation NLL, 11 forward, 12 backward, 13 steps, 14 rejected: an iteration (a solve of one block), over the
#   last 1000 iterations, 15 processor seconds of training, 16 ms an iteration over the last 1000, 17 the Gaussian's test NLL,
#   18 calls to score a batch of the test
figures_of() {
    local name=$1 variant=${1#*-s[0-9]*} blocks
    case $variant in -*) variant=${variant#-} ;; *) variant=- ;; esac
    blocks=$(value_of "$name" blocks)
    lines_of "$name" | awk -F'\t' -v OFS='\t' -v name="$name" -v set="${name%%-*}" -v variant="$variant" -v blocks="$blocks" \
        -v alpha="$(value_of "$name" tpr-coefficient)" -v seed="$(value_of "$name" seed)" \
        -v wanted="$(value_of "$name" iterations)" '
        $1 == "train" { n++; at[n] = $2; f[n] = $3; b[n] = $4; a[n] = $5; r[n] = $6; s[n] = $7; done = 0 }
        $1 == "validation" { best = $9 }
        $1 == "summary" {
            done = $14 == "true"; test = $10; gauss = $11; seconds = $7
            score = $13 > 0 ? $12 / $13 * blocks : "-"
        }
        END {
            if (n == 0) exit
            for (i = n; i > 0 && at[i] > at[n] - 1000; i--) { m++; sf += f[i]; sb += b[i]; sa += a[i]; sr += r[i] }
            late = at[n] > at[i] ? 1000 * (s[n] - s[i]) / (at[n] - at[i]) : "-"
            if (!done) { test = "-"; gauss = "-"; score = "-"; seconds = s[n] }
            print name, set, variant, alpha, seed, done, at[n], wanted, test, best == "" ? "-" : best, sf / m, sb / m, \
                sa / m / blocks, sr / m / blocks, seconds, late, gauss, score
        }'
}

# name, iteration, seconds, calls, NLL of every validation: for the cost of reaching a given NLL
validations_of() {
    lines_of "$1" | awk -F'\t' -v OFS='\t' -v name="$1" '
        $1 == "train" || $1 == "warm_start" { calls += ($2 - last[$1]) * ($3 + $4); last[$1] = $2 }
        $1 == "validation" { print name, $2, $7, calls, $8 }'
}

# ---- tables ----------------------------------------------------------------------------------------------------------

# The runs of a set without variants, finished, with a line for the mean of each alpha.
table_of() {
    awk -F'\t' -v set="$1" '
        function line(name, alpha, n,    i) {
            printf "| %s | %s |", name, alpha
            for (i = 1; i <= 9; i++) printf " " form[i] " |", sum[alpha, i] / n
            print ""
        }
        BEGIN {
            split("%.4f %.4f %.1f %.1f %.2f %.2f %.0f %.0f %.0f", form, " ")
            split("9 10 11 12 13 14 15 16 18", column, " ")
            print "| run | alpha | test NLL | val NLL | forward | backward | steps | rejected | train s | ms / iteration " \
                "| calls to score |"
            print "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
        }
        $2 == set && $3 == "-" && $6 == 1 {
            printf "| %s | %s |", $1, $4
            for (i = 1; i <= 9; i++) { printf " " form[i] " |", $column[i]; sum[$4, i] += $column[i] }
            print ""
            if (!count[$4]++) order[++alphas] = $4
        }
        END {
            for (k = 1; k <= alphas; k++)
                if (count[order[k]] > 1) line("**mean of " count[order[k]] " seeds**", order[k], count[order[k]])
        }' "$work/figures"
}

# alpha 5 against alpha 0 by pairs of one seed: mean, standard error, 95 % interval by Student, and what they allow to say.
pairs_of() {
    awk -F'\t' -v set="$1" '
        function summarise(key, n, names,    i, d) { # mean and standard error of x[key, seed]
            mean = 0; square = 0
            for (i = 1; i <= n; i++) mean += x[key, names[i]] / n
            for (i = 1; i <= n; i++) { d = x[key, names[i]] - mean; square += d * d }
            se = n > 1 ? sqrt(square / (n - 1) / n) : 0
        }
        function row(key, label, form, even, less, more,    low, high) {
            summarise(key, n, seeds)
            average[key] = mean
            said[key] = "one pair: no error can be given"
            if (n < 2) { printf "| %s | " form " | - | - | %s |\n", label, mean, said[key]; return }
            low = mean - t[n] * se; high = mean + t[n] * se
            said[key] = high < even ? less : low > even ? more : "no difference that these pairs can tell"
            printf "| %s | " form " | %.4f | " form " to " form " | %s |\n", label, mean, se, low, high, said[key]
        }
        BEGIN { t[2] = 12.706; t[3] = 4.303; t[4] = 3.182; t[5] = 2.776; for (i = 6; i < 99; i++) t[i] = 2.571 }
        FNR == NR {
            if ($2 != set || $3 != "-" || $6 != 1) next
            have[$4, $5] = 1
            name[$1] = $4 SUBSEP $5
            for (i = 9; i <= 18; i++) v[$4, $5, i] = $i
            if (!known[$5]++) all[++total] = $5
            next
        }
        $1 in name { k = ++checks[name[$1]]; vs[name[$1], k] = $3; vc[name[$1], k] = $4; vn[name[$1], k] = $5 }
        function lowest(alpha, seed,    k, id, low) {
            id = alpha SUBSEP seed
            low = vn[id, 1]
            for (k = 2; k <= checks[id]; k++) if (vn[id, k] < low) low = vn[id, k]
            return low
        }
        # the first validation of a run at or below an NLL
        function reach(alpha, seed, nll,    k, id) {
            id = alpha SUBSEP seed
            for (k = 1; k <= checks[id]; k++)
                if (vn[id, k] <= nll) { at_seconds = vs[id, k]; at_calls = vc[id, k]; return }
        }
        END {
            for (i = 1; i <= total; i++) {
                s = all[i]
                if (!((0, s) in have) || !((5, s) in have)) continue
                seeds[++n] = s
                x["nll", s] = v[5, s, 9] - v[0, s, 9]
                x["forward", s] = v[5, s, 11] / v[0, s, 11]
                x["backward", s] = v[5, s, 12] / v[0, s, 12]
                x["calls", s] = (v[5, s, 11] + v[5, s, 12]) / (v[0, s, 11] + v[0, s, 12])
                x["steps", s] = v[5, s, 13] / v[0, s, 13]
                x["seconds", s] = v[5, s, 15] / v[0, s, 15]
                x["late", s] = v[5, s, 16] / v[0, s, 16]
                x["score", s] = v[5, s, 18] / v[0, s, 18]
                worse = lowest(5, s) > lowest(0, s) ? lowest(5, s) : lowest(0, s)
                reach(0, s, worse); c0 = at_calls; s0 = at_seconds
                reach(5, s, worse)
                x["same_calls", s] = at_calls / c0
                x["same_seconds", s] = at_seconds / s0
            }
            if (n == 0) { print "No pair of seeds is finished yet."; exit }
            print "| alpha 5 against alpha 0, " n (n == 1 ? " pair" : " pairs") \
                " | mean | standard error | 95 % interval | alpha 5 |"
            print "|---|--:|--:|--:|---|"
            row("nll", "test NLL, difference in nats", "%+.4f", 0, "lower (better)", "higher (worse)")
            row("forward", "forward calls an iteration, ratio", "%.3f", 1, "fewer", "more")
            row("backward", "backward calls an iteration, ratio", "%.3f", 1, "fewer", "more")
            row("calls", "forward + backward, ratio", "%.3f", 1, "fewer", "more")
            row("steps", "steps a solve, ratio", "%.3f", 1, "fewer", "more")
            row("late", "processor seconds per iteration, last 1000, ratio", "%.3f", 1, "faster", "slower")
            row("seconds", "processor seconds of training, all, ratio", "%.3f", 1, "faster", "slower")
            row("same_calls", "calls to the same validation NLL, ratio", "%.3f", 1, "fewer", "more")
            row("same_seconds", "processor seconds to the same validation NLL, ratio", "%.3f", 1, "faster", "slower")
            row("score", "calls to score at the test tolerance, ratio", "%.3f", 1, "fewer", "more")
            printf "\nHere the penalty changes the test NLL by %+.4f nats (%s), takes %.2f times the calls an iteration (%s)\n" \
                "and %.2f times the calls to score (%s), and reaches the same validation NLL\nin %.2f times the processor seconds (%s): ", \
                average["nll"], said["nll"], average["calls"], said["calls"], average["score"], said["score"], \
                average["same_seconds"], said["same_seconds"]
            print said["same_seconds"] == "faster" ? "in training time it pays." : said["same_seconds"] == "slower" \
                ? "in training time it does not pay." : "whether it pays in training time, these runs do not tell."
        }' "$work/figures" "$work/validations"
}

# variants_of ALPHA: the runs of seed 1 on power that differ from the usual in one place
variants_of() {
    awk -F'\t' -v alpha="$1" '
        BEGIN {
            text["-"] = "warm first step, Rademacher, error of z and l (the usual)"; text["probe"] = "first step by probe"
            text["gaussian"] = "Gaussian noise"; text["z"] = "error of training steps on z alone"
        }
        $2 == "power" && $4 == alpha && $5 == 1 && $6 == 1 {
            if ($3 == "-") usual = $11 + $12
            if ($3 == "-") seconds = $15
            kind[++n] = $3
            line[n] = sprintf("%.4f | %.1f | %.1f | %.2f | %.2f | %.0f | %.0f", $9, $11, $12, $13, $14, $15, $18)
            calls[n] = $11 + $12; spent[n] = $15
        }
        END {
            if (n < 2) { print "Not finished yet."; exit }
            print "| alpha " alpha ", seed 1 | test NLL | forward | backward | steps | rejected | train s | calls to score " \
                "| calls / usual | processor seconds / usual |"
            print "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
            for (i = 1; i <= n; i++)
                printf "| %s | %s | %s | %s |\n", text[kind[i]], line[i], usual ? sprintf("%.3f", calls[i] / usual) : "-", \
                    usual ? sprintf("%.3f", spent[i] / seconds) : "-"
        }' "$work/figures"
}

unfinished() {
    awk -F'\t' '$6 != 1 {
        if (!n++) { print "\n## Not finished\n\nThese runs are in no table above, but in the pictures as far as they are.\n"
            print "| run | iterations | of | best val NLL so far | forward | backward | train s so far |"
            print "|---|--:|--:|--:|--:|--:|--:|" }
        best = $10 == "-" ? "-" : sprintf("%.4f", $10)
        printf "| %s | %d | %d | %s | %.1f | %.1f | %.0f |\n", $1, $7, $8, best, $11, $12, $15
    }' "$work/figures"
}

gaussian_of() { awk -F'\t' -v set="$1" '$2 == set && $17 != "-" { printf "%.4f", $17; exit }' "$work/figures"; }

# ---- pictures --------------------------------------------------------------------------------------------------------

# picture NAME TEXT RUNS: of those that hold a validation, if there are two; prints the line that shows it
picture() {
    local name=$1 text=$2 run present=()
    shift 2
    for run in "$@"; do
        grep -Eq '"type": ?"validation"' "$runs/$run/metrics.jsonl" 2>/dev/null && present+=("$runs/$run")
    done
    [ ${#present[@]} -gt 1 ] || { rm -f "$pictures/$name.svg"; return 0; }
    if "$laminar" compare "${present[@]}" --plot "$pictures/$name.svg" >/dev/null; then
        printf '\n![%s](%s/%s.svg)\n' "$text" "$(basename "$pictures")" "$name"
    fi
}

# ---- the page --------------------------------------------------------------------------------------------------------

setting_of() {
    local name
    name=$(awk -F'\t' -v set="$1" '$2 == set { print $1; exit }' "$work/figures")
    [ -n "$name" ] || return 0
    printf '%s, %s blocks, %s, %s; batch %s, %s %s; %s, training at atol %s, rtol %s, validation and test\nat %s, %s; %s noise, ' \
        "$(value_of "$name" dims | tr -d '[] ' | tr , -)" "$(value_of "$name" blocks)" "$(value_of "$name" layer)" \
        "$(value_of "$name" nonlinearity)" "$(value_of "$name" batch-size)" "$(value_of "$name" optimizer)" \
        "$(value_of "$name" lr)" "$(value_of "$name" solver)" "$(value_of "$name" atol)" "$(value_of "$name" rtol)" \
        "$(value_of "$name" test-atol)" "$(value_of "$name" test-rtol)" "$(value_of "$name" divergence)"
    # shellcheck disable=SC2016
    printf '%s first step, error on %s; %s iterations\n(`examples/%s.yaml`).\n' "$(value_of "$name" first-step)" \
        "$(value_of "$name" error-parts)" "$(value_of "$name" iterations)" "$1"
}

section() {
    local set=$1 title=$2 gaussian
    gaussian=$(gaussian_of "$set")
    printf '\n## %s\n\n' "$title"
    setting_of "$set"
    [ -z "$gaussian" ] || printf 'A full-covariance Gaussian fitted to the same rows has test NLL %s.\n' "$gaussian"
    echo
    if awk -F'\t' -v set="$set" '$2 == set && $3 == "-" && $6 == 1 { n++ } END { exit !n }' "$work/figures"; then
        table_of "$set"
        echo
        pairs_of "$set"
    else
        echo "No run is finished yet."
    fi
    picture "$set" "validation NLL against calls and against processor seconds, $set" "$set"-a{0,5}-s{1,2,3}
}

# Where and when the runs behind the tables of densities were made, and the load.
machines() {
    local loads
    loads=$(cat "$runs"/{power,protein}-*/load 2>/dev/null | awk '{ n++; sum += $1; if ($1 > most) most = $1 } END {
        if (n) printf "the load average at the end of the runs was %.1f in the mean and %.1f at the most", sum / n, most }')
    printf '%s. Fits on one thread each; %s.\n' "$(cat "$runs"/{power,protein}-*/machine 2>/dev/null | sort -u | paste -sd ';')" "$loads"
}

write_page() {
    cat docs/results/summary.md # what holds, by hand
    cat <<TEXT
# What the penalty does: measured

Written by \`bench/results.sh\` from the runs of \`bench/sweep.sh\`; no number here is typed.
$(machines)

NLL in nats per row, standardised units, lower is better; test by the exact trace with the best model by validation. forward and
backward: evaluations of f (a vector-Jacobian product of it) an iteration, all blocks, mean over the last 1000 iterations; steps
(accepted) and rejected: a solve of one block, likewise; train s: processor seconds of the training steps (one thread), without validation: what a shared machine changes least; calls to score:
one batch of test rows through all blocks. Both alphas always run at the same tolerances, on the same split; what is random in
training follows the seed, so runs of one seed make a pair. "The same validation NLL" is the worse of the two best ones of a pair;
its cost is that of the first validation that is not above it.
TEXT
    section power "power_month (POWER's net)"
    section protein protein
    printf '\n## One seed each, power_month\n\n'
    printf 'One run a line: differences as small as those between the seeds above mean nothing.\n\n'
    variants_of 5
    echo
    variants_of 0
    picture power-variants "the variants of alpha 5, seed 1" power-a5-s1 power-a5-s1-{probe,gaussian,z}
    picture power-probe "probe against warm, with the penalty and without" power-a{0,5}-s1 power-a{0,5}-s1-probe
    unfinished
}

install_packages
mkdir -p "$pictures"
: >"$work/figures"
: >"$work/validations"
for set in power protein; do
    for folder in "$runs/$set"-a*; do
        name=$(basename "$folder")
        if [ ! -e "$folder/metrics.jsonl" ] || [ ! -e "$folder/config.yaml" ]; then continue; fi
        figures_of "$name" >>"$work/figures"
        validations_of "$name" >>"$work/validations"
    done
done
[ -s "$work/figures" ] || { echo "no runs in $runs; bench/sweep.sh makes them" >&2; exit 1; }
{
    write_page
    echo
    python3 bench/experiment_page.py docs/results/experiments "$pictures" "${LAMINAR_PLOT:-build/bench/plot}"
    echo
    python3 bench/peers_page.py "${LAMINAR_PEERS:-docs/results/peers.jsonl}" "$pictures" "${LAMINAR_PLOT:-build/bench/plot}"
    printf '# One column given the others: measured\n\n'
    printf '%s\n' 'Written by `bench/regression_page.py` from what `bench/regression.py` measures and `docs/results/regression.jsonl` keeps: the density of y' \
        'given the rest, the splits of the field, laminar by its defaults in a minute of one core a fit. Mean over splits, its standard error, and how many' \
        'splits there are; peers on the same splits. The Gaussian process takes 2000 training rows at most. Figures of other authors are as printed' \
        'there, over all splits. naval and wine-red have 51 and 6 distinct y: a density over so few values has no bound, and means little.' ''
    python3 bench/regression_page.py "${LAMINAR_REGRESSION:-docs/results/regression.jsonl}"
    echo
    python3 bench/vae_page.py "$runs" "$pictures" "$laminar"
    echo
    python3 bench/speed_page.py "${LAMINAR_SPEED:-docs/results/speed}" "$pictures" "${LAMINAR_PLOT:-build/bench/plot}"
} >"$work/page"
cp "$work/page" "$page.new"
mv "$page.new" "$page"
awk -F'\t' -v page="$page" '{ n[$6]++ } END { printf "%s: %d finished runs, %d others\n", page, n[1], n[0] }' "$work/figures"

# the lines behind the page: from them bench/sweep.sh goes on elsewhere
[ "$runs" != "$work/runs" ] || exit 0
kept=()
for folder in "$runs"/*-s[0-9]*/; do
    name=$(basename "$folder")
    tail -n 1 "$folder/metrics.jsonl" 2>/dev/null | grep -q '^{"type":"summary".*"finished":true}' || continue
    for file in config.yaml metrics.jsonl load machine eval-1e-4.txt eval-1e-5.txt; do
        [ ! -e "$runs/$name/$file" ] || kept+=("$name/$file")
    done
done
[ ${#kept[@]} = 0 ] || tar -C "$runs" --sort=name --owner=0 --group=0 --mtime=@0 -czf "$kept_runs" "${kept[@]}"
