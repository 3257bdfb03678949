#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# coverage.sh: which lines of what reads signed or encrypted bytes the unit
# tests and the corpora reach: a table of src/bundle by file, and the lines
# that nothing reaches in build/cov/missed. Fails when a file has less than
# LEAST percent of its lines (95). Last line: "coverage: N passed, N failed".
set -eu
cd "$(dirname "$0")/.."

least=${LEAST:-95}
out=build/cov
tests='bundle cms codec_edge crl damage der der_sound envelope install_bundle
	key keyring lying manifest path_edge plain policy second_look squashfs verity x509
	x509_edge'
fuzzers='bundle cms codec crl der envelope manifest plain squashfs verity x509'
files='der x509 cms crl key path keyring envelope recipient crypt plain
	manifest semver squashfs codec codec_gzip codec_lz4 codec_xz
	codec_zstd bundle verity'
programs=$(for t in $tests; do
	echo "$out/tests/unit/${t}_test"
done
for t in $fuzzers; do
	echo "$out/tests/fuzz/${t}_fuzz"
done)

# The libraries of gcc's tests carry no sanitizer.
# shellcheck disable=SC2086 # lists
make V=check-clang B=$out DEPS=gcc QUIET=1 \
	MODE='-g -O0 -fprofile-instr-generate -fcoverage-mapping' $programs
rm -f $out/*.profraw
for program in $programs; do
	name=${program##*/}
	corpus=
	[ "$name" = "${name%_fuzz}" ] ||
		corpus=tests/fuzz/corpus/${name%_fuzz}
	# shellcheck disable=SC2086 # no corpus: no argument
	LLVM_PROFILE_FILE=$out/$name.profraw timeout 300 "$program" $corpus \
		>"$out/$name.log" 2>&1 || {
		tail "$out/$name.log"
		echo "coverage: 0 passed, 1 failed"
		exit 1
	}
done
llvm-profdata merge -sparse -o $out/profile $out/*.profraw
# shellcheck disable=SC2086 # lists
set -- $programs
first=$1
shift
objects=$(printf '%s\n' "$@" | sed 's/^/-object=/')
# shellcheck disable=SC2086 # a list
llvm-cov export -instr-profile=$out/profile -format=lcov "$first" $objects \
	>$out/lcov
# shellcheck disable=SC2086 # words
awk -F '[:,]' -v least="$least" -v missed=$out/missed \
	-v files="$(printf '%s ' $files)" '
function file(name,  share) {
	share = 100 * hit / all
	printf "%-16s %5d lines %5d reached %6.1f %%\n", name, all, hit, share
	lines += all
	reached += hit
	if (share < least) failed++; else passed++
	all = hit = 0
}
BEGIN {
	printf "" >missed
	for (i = split(files, list, " "); i > 0; i--)
		wanted[list[i] ".c"] = 1
}
/^SF:/ { name = $2; sub(/.*\//, "", name) }
/^DA:/ && name in wanted {
	all++
	if ($3 > 0) hit++; else print name ":" $2 >missed
}
/^end_of_record/ && name in wanted { file(name) }
END {
	all = lines; hit = reached; lines = reached = 0
	file("all")
	printf "coverage: %d passed, %d failed\n", passed, failed
	exit failed > 0 || passed == 0
}' $out/lcov
