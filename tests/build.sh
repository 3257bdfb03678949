#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# build.sh: every board and the host build from what is in the tree, and the
# arm64 binary keeps its budget. Last line: "build: N passed, N failed".
set -eu
cd "$(dirname "$0")/.."

passed=0
failed=0
try()
{
	if "$@"; then
		passed=$((passed + 1))
	else
		echo "failed: $*"
		failed=$((failed + 1))
	fi
}

try make QUIET=1 host
for mk in board/*/board.mk; do
	board=${mk%/board.mk}
	try make QUIET=1 "BOARD=${board#board/}" all
done
try tests/lint/size.sh build/qemu-arm64
echo "build: $passed passed, $failed failed"
[ "$failed" = 0 ]
