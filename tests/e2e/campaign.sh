#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# campaign.sh: every end-to-end case of every board that boots in QEMU, and
# the memory figures of README.md. About half an hour.
set -eu
cd "$(dirname "$0")/../.."
bad=0
for mk in board/*/board.mk; do
	board=${mk%/board.mk}
	if grep -q '^KERNEL_SLOT' "$mk"; then
		tests/e2e/run.sh "${board#board/}" all || bad=1
	fi
done
PATH=$PATH:/sbin:/usr/sbin tests/bench/memory.py || bad=1
exit "$bad"
