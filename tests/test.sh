#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# test.sh BOARD...: everything there is to test: the machine is set up, then
# check, the comparisons with other implementations, process 1 in
# namespaces, reproducibility, one boot of each BOARD in QEMU, a sample of the
# power cuts, and the commands of README.md. Each part ends with
# "NAME: N passed, N failed"; the last line is the sum, "N passed, N failed".
set -eu
cd "$(dirname "$0")/.."
mkdir -p build/test

totals=build/test/totals
: >$totals
# Told again at the end: some keep only the end of what this prints.
failures=build/test/failures
: >$failures
start=$(date +%s)

# part NAME COMMAND...: a part that cannot be run is a failure.
part()
{
	name=$1
	shift
	log=build/test/$name.log
	began=$(date +%s)
	rc=0
	timeout 900 "$@" >"$log" 2>&1 </dev/null || rc=$?
	line=$(grep -E '^([^ ].*: )?[0-9]+ passed, [0-9]+ failed$' "$log" |
		tail -n 1) || line=
	p=$(echo "$line" | sed -n 's/^\(.*: \)\{0,1\}\([0-9]*\) passed.*/\2/p')
	f=$(echo "$line" | sed -n 's/.* \([0-9]*\) failed$/\1/p')
	p=${p:-0}
	f=${f:-0}
	if [ "$f" = 0 ] && { [ "$rc" != 0 ] || [ "$p" = 0 ]; }; then
		f=1
	fi
	if [ "$f" != 0 ]; then
		echo "--- $name (exit $rc), the end of $log:"
		tail -n 60 "$log"
		{
			echo "--- $name (exit $rc), what failed:"
			grep -aE 'FAIL|rror|not found' "$log" | tail -n 8
			tail -n 3 "$log"
		} >>$failures
	fi
	echo "$name: $p passed, $f failed ($(($(date +%s) - began)) s)"
	echo "$p $f" >>$totals
}

# What has a machine of its own, beside what has none: one core each.
machines()
{
	part diff-loaders tests/diff/loaders.sh
	for board in "$@"; do
		part "e2e-$board" tests/e2e/run.sh "$board"
	done
	part powercut tests/e2e/powercut.sh sample
}

programs()
{
	part deps tests/deps.sh
	part lint-selftest tests/lint/selftest.sh
	for script in tests/diff/*.sh; do
		name=${script##*/}
		case $name in
		campaign.sh|loaders.sh) ;;
		*) part "diff-${name%.sh}" "$script" ;;
		esac
	done
	part pid1 tests/pid1/run.sh
}

tests/setup.sh
part build tests/build.sh
part check tests/check.sh lint gcc clang
machines "$@" &
programs
wait
part verdict-time tests/bench/verdict.sh
part reproducible tests/reproducible.sh
part readme tests/readme.sh
cat $failures
echo "$(($(date +%s) - start)) seconds"
passed=$(awk '{ n += $1 } END { print n + 0 }' $totals)
failed=$(awk '{ n += $2 } END { print n + 0 }' $totals)
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
