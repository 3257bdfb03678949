#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# fuzz/run.sh SECONDS [NAME...]: runs libFuzzer on each target (all of them,
# or those named) for so many seconds, two at a time, from its corpus in the
# tree. New inputs go to build/fuzz/corpus/NAME, crashes to
# build/fuzz/crash/NAME-*. Prints a line a target and the totals.
set -eu
cd "$(dirname "$0")/../.."

seconds=$1
shift
if [ $# = 0 ]; then
	for source in tests/fuzz/*_fuzz.c; do
		name=${source##*/}
		set -- "$@" "${name%_fuzz.c}"
	done
fi
mkdir -p build/fuzz/crash build/fuzz/log
make V=fuzz QUIET=1 test-fuzzers

# shellcheck disable=SC2016 # the inner shell fills these in
printf '%s\n' "$@" | xargs -P "$(nproc)" -n 1 sh -c '
	name=$1
	mkdir -p build/fuzz/corpus/$name
	seeds=tests/fuzz/corpus/$name
	[ -d "$seeds" ] || seeds=
	dict=
	[ ! -e "tests/fuzz/$name.dict" ] || dict=-dict=tests/fuzz/$name.dict
	timeout $(($0 + 120)) build/fuzz/tests/fuzz/${name}_fuzz \
		-max_total_time=$0 -timeout=20 -rss_limit_mb=1024 -max_len=65536 \
		-print_final_stats=1 -artifact_prefix=build/fuzz/crash/$name- \
		$dict build/fuzz/corpus/$name $seeds \
		>build/fuzz/log/$name 2>&1 </dev/null
	echo "exit $?" >>build/fuzz/log/$name' "$seconds"

failed=0
total=0
printf '%-14s %12s %8s %8s %s\n' target runs exec/s coverage result
for name in "$@"; do
	log=build/fuzz/log/$name
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	rate=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")
	cover=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
	result=clean
	if ! grep -q '^exit 0$' "$log"; then
		result="FAILED, see $log"
		failed=$((failed + 1))
	fi
	printf '%-14s %12s %8s %8s %s\n' "$name" "${runs:-?}" "${rate:-?}" \
		"${cover:-?}" "$result"
	total=$((total + ${runs:-0}))
done
echo "$# targets, $seconds seconds each, $total runs, $failed with findings"
[ "$failed" = 0 ]
