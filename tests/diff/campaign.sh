#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# campaign.sh [PART...]: the comparisons at length, for tests/CAMPAIGNS.md; all
# parts, or those named:
#
#   matrix  each case of trust_matrix in each format, and more of them asked of
#           the programs
#   faults  the same matrix, short, over sources with one rule left out of
#           each: every one of them has to be seen
#   mutate  MUTANTS (1,000,000) changed messages, keyrings and lists, by SEED
#
# Last line: "campaign: N passed, N failed".
set -eu
cd "$(dirname "$0")/../.."
[ $# -gt 0 ] || set -- matrix faults mutate

passed=0
failed=0
work=build/test/campaign
mkdir -p $work

# part NAME COMMAND...: counts its last line.
part()
{
	name=$1
	shift
	rc=0
	"$@" >"$work/$name.log" 2>&1 || rc=$?
	cat "$work/$name.log"
	line=$(grep -E '^([^ ]*: )?[0-9]+ passed, [0-9]+ failed$' \
		"$work/$name.log" | tail -n 1)
	p=$(echo "$line" | sed -n 's/^\(.*: \)\{0,1\}\([0-9]*\) passed.*/\2/p')
	f=$(echo "$line" | sed -n 's/.* \([0-9]*\) failed$/\1/p')
	[ "$rc" = 0 ] || [ "${f:-0}" != 0 ] || f=1
	passed=$((passed + ${p:-0}))
	failed=$((failed + ${f:-1}))
}

for one; do
	case $one in
	matrix) part matrix tests/diff/trust_matrix.sh -a $work/matrix ;;
	faults) part faults tests/diff/trust_matrix.sh -f $work/faults ;;
	mutate) TIMEOUT=86400 part mutate tests/diff/mutate.sh \
		"${MUTANTS:-1000000}" "${SEED:-2026}" ;;
	*) echo "campaign.sh: no part $one" >&2 && exit 2 ;;
	esac
done
echo "campaign: $passed passed, $failed failed"
[ "$failed" = 0 ]
