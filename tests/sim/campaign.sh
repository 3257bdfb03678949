#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# campaign.sh [STRIDE [sim]]: power cuts by the million: one scenario in STRIDE
# (3) of all that make sense (1: every one), two processes, without sanitizers;
# then pairs and chains of cuts, faults, and the wrong installers. The same
# STRIDE gives the same figures. Prints tables for tests/CAMPAIGNS.md. Then the
# same in QEMU (tests/e2e/powercut.sh), unless the word is sim.
set -eu
cd "$(dirname "$0")/../.."

stride=${1:-3}
out=build/campaign-powercut
deps=build/deps/gcc/libdeps.a
mkdir -p "$out"
[ -e "$deps" ] || src/build-deps.sh gcc
for source in src/*/*.c tests/sim/*.c; do
	case $source in
	*_test.c) continue ;;
	esac
	object=$out/$(echo "$source" | tr / _).o
	echo "$source $object"
done >"$out/list"
flags="-std=c11 -D_GNU_SOURCE -O2 -Isrc -I. -Itests -Itests/sim
	-isystem build/deps/src/bearssl/inc -isystem build/deps/src/libdeflate
	-isystem build/deps/src/libzstd/lib"
# shellcheck disable=SC2086 # flags are words
xargs -P "$(nproc)" -n 2 sh -c 'gcc $0 -c -o "$2" "$1"' "$flags" \
	<"$out/list" 2>/dev/null ||
	while read -r source object; do
		gcc $flags -c -o "$object" "$source"
	done <"$out/list"
rm -f "$out/lib.a"
# The order matters: the doubles of a program come before the library.
ar rcs "$out/lib.a" "$out"/src_*.o "$out"/tests_sim_*.o
for test in powercut pairs faults mutants; do
	# shellcheck disable=SC2086
	gcc $flags -o "$out/$test" "tests/sim/${test}_test.c" "$out/lib.a" \
		"$deps"
done

start=$(date +%s)
rc=0
"$out/powercut" "$stride" 0 2 >"$out/powercut.0" 2>&1 &
first=$!
"$out/powercut" "$stride" 1 2 >"$out/powercut.1" 2>&1 || rc=1
wait "$first" || rc=1
"$out/pairs" $((stride * 150)) 0 2 200 >"$out/pairs.0" 2>&1 &
first=$!
"$out/pairs" $((stride * 150)) 1 2 200 >"$out/pairs.1" 2>&1 || rc=1
wait "$first" || rc=1
"$out/faults" $((stride * 100)) 0 2 >"$out/faults.0" 2>&1 &
first=$!
"$out/faults" $((stride * 100)) 1 2 >"$out/faults.1" 2>&1 || rc=1
wait "$first" || rc=1
"$out/mutants" >"$out/mutants.0" 2>&1 || rc=1

# sum FILES: adds up the rows of the same first two columns.
sum()
{
	cat "$@" | awk -F ' *[|] *' '/^[|]/ {
		key = $2 " | " $3
		if (!(key in seen)) order[++n] = key
		seen[key] = 1
		for (i = 4; i < NF; i++)
			if ($i ~ /^[0-9]+/) {
				unit[key, i] = $i
				sub(/^[0-9]+/, "", unit[key, i])
				add[key, i] += $i
			}
		cols[key] = NF
	}
	END {
		for (k = 1; k <= n; k++) {
			printf "| %s", order[k]
			for (i = 4; i < cols[order[k]]; i++)
				printf " | %d%s", add[order[k], i], \
					unit[order[k], i]
			print " |"
		}
	}'
}

echo "| environment | loader | set-ups | cuts | states | bricks | unfinished | by hand | lost | pending |"
echo "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|"
sum "$out/powercut.0" "$out/powercut.1" | grep -v '^| all'
sum "$out/powercut.0" "$out/powercut.1" | grep '^| all'
sum "$out/pairs.0" "$out/pairs.1"
echo
echo "| | fault | tried | ended the run |"
echo "|---|---|---:|---:|"
sum "$out/faults.0" "$out/faults.1"
echo
echo "| wrong installer | caught |"
echo "|---|---:|"
grep '^|' "$out/mutants.0"
echo
if [ "$rc" != 0 ]; then
	tail -n 12 "$out"/*.0 "$out"/*.1
fi
echo "$(($(date +%s) - start)) seconds"
[ "${2:-}" = sim ] || tests/e2e/powercut.sh || rc=1
exit "$rc"
