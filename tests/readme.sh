#!/bin/bash
# SPDX-License-Identifier: 0BSD
# Runs every command of the documents: each ```sh block of README.md,
# board/PORTING.md and keys/README.md, in order, each document in one shell at
# the top of the tree. What stands behind "! " has to fail. A line that starts with "#" inside a block is a comment there too.
# `make test` is what runs this, so it is not started again; `make demo`
# is run by this test and judged by its exit code.
set -u
cd "$(dirname "$0")/.." || exit 1
out=build/tests/readme
mkdir -p "$out"
passed=0
failed=0

run_document() {
	local doc=$1 name n=0 block=
	name=$(echo "${doc%.md}" | tr / -)
	printf 'set -eu\n' >"$out/$name.sh"
	while IFS= read -r line; do
		case $line in
		'```sh') block=yes; n=$((n + 1)); printf 'echo "== %s, block %d"\n' "$doc" "$n" >>"$out/$name.sh" ;;
		'```') block= ;;
		'make test' | 'git clone '* | 'cd lifeboat') ;;
		'! '*) [ -z "$block" ] || printf 'if %s; then echo "== not refused"; exit 1; fi\n' "${line#! }" >>"$out/$name.sh" ;;
		*) [ -z "$block" ] || printf '%s\n' "$line" >>"$out/$name.sh" ;;
		esac
	done <"$doc"
	if [ "$n" -eq 0 ]; then
		echo "$doc: no commands found"
		failed=$((failed + 1))
		return
	fi
	if timeout 900 bash "$out/$name.sh" >"$out/$name.log" 2>&1 </dev/null; then
		passed=$((passed + n))
	else
		echo "$doc: a command failed; the end of $out/$name.log:"
		tail -n 25 "$out/$name.log"
		failed=$((failed + 1))
	fi
}

run_document README.md
run_document board/PORTING.md
run_document keys/README.md
echo "readme: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
