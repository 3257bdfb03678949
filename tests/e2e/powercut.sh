#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# powercut.sh [WORD...]: cuts the power of the arm64 board in QEMU; the words
# are those of powercut.py. Builds what is missing.
# Consoles: build/e2e/qemu-arm64/log.
set -eu
cd "$(dirname "$0")/../.."
if [ -z "${E2E_BUILD:-}" ]; then
	make --no-print-directory BOARD=qemu-arm64 all \
		build/qemu-arm64/kernel/slot/version
fi
export PATH="$PATH:/sbin:/usr/sbin"
exec python3 tests/e2e/powercut.py "$@"
