#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# check.sh WHAT...: runs lint, and the unit tests, simulation and corpus
# replay of a compiler: lint, gcc, clang, gcc:unit, gcc:sim. Needs no root,
# no network, no QEMU. Last line: "N passed, N failed".
set -eu
cd "$(dirname "$0")/.."

export UBSAN_OPTIONS=print_stacktrace=1
passed=0
failed=0

# count FILE STATUS NAME: adds the program's closing line; a program that ends
# badly without saying so counts as one failure.
count()
{
	p=0
	f=0
	line=$(grep -E '^[^ ]+: [0-9]+ passed, [0-9]+ failed$' "$1" |
		tail -n 1) || line=
	if [ -n "$line" ]; then
		p=$(echo "$line" | sed 's/.*: \([0-9]*\) passed.*/\1/')
		f=$(echo "$line" | sed 's/.* \([0-9]*\) failed$/\1/')
	fi
	if [ "$f" = 0 ] && { [ "$2" != 0 ] || [ "$p" = 0 ]; }; then
		f=1
	fi
	if [ "$f" != 0 ]; then
		echo "--- $3 (exit $2)"
		tail -n 30 "$1"
		[ -n "$line" ] || echo "$3: $p passed, $f failed"
	else
		echo "$line"
	fi
	passed=$((passed + p))
	failed=$((failed + f))
}

# The programs of one compiler, as many at a time as there are cores, the
# longest first, each with a time limit. Where both compilers run, each takes
# every other set-up of the power cuts.
run_programs()
{
	b=build/check-$1
	only=${2:-}
	if ! make V="check-$1" QUIET=1 -k test-programs >"$b.log" 2>&1; then
		tail -n 40 "$b.log"
		echo "build with $1: 0 passed, 1 failed"
		failed=$((failed + 1))
	fi
	for source in tests/sim/*_test.c tests/unit/*_test.c \
		tests/fuzz/*_fuzz.c; do
		[ -e "$source" ] || continue
		case $source in
		tests/"$only"*) echo "$b/${source%.c}" ;;
		esac
	done >"$b.list"
	# shellcheck disable=SC2016 # the inner shell fills these in
	xargs -P "$(nproc)" -n 1 sh -c '
		case $0 in
		*_fuzz)
			name=${0##*/}
			set -- tests/fuzz/corpus/"${name%_fuzz}" ;;
		*/powercut_test)
			set -- $POWERCUT ;;
		esac
		rc=0
		timeout 120 "$0" "$@" >"$0.out" 2>&1 </dev/null || rc=$?
		echo "$rc" >"$0.rc"' <"$b.list"
	while read -r program; do
		if [ -e "$program.rc" ]; then
			count "$program.out" "$(cat "$program.rc")" \
				"$1 ${program#"$b"/tests/}"
		else
			echo "$program: 0 passed, 1 failed"
			failed=$((failed + 1))
		fi
	done <"$b.list"
}

mkdir -p build
linter=
case " $* " in
*' lint '*)
	tests/lint/lint.sh >build/lint.out 2>&1 &
	linter=$! ;;
esac
for what in "$@"; do
	export POWERCUT=
	case "$what $*" in
	gcc\ *clang*) POWERCUT='662 0 2' ;;
	clang\ *gcc*) POWERCUT='662 1 2' ;;
	esac
	case $what in
	lint) ;;
	*:*) run_programs "${what%:*}" "${what#*:}" ;;
	*) run_programs "$what" ;;
	esac
done
if [ -n "$linter" ]; then
	rc=0
	wait "$linter" || rc=$?
	count build/lint.out "$rc" lint
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
