#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# run.sh BOARD [CASE...|all]: boots the board in QEMU, two cases at a time;
# those that make test has time for if none is named. Builds what is missing.
# Consoles: build/e2e/BOARD/log.
set -eu
cd "$(dirname "$0")/../.."
board=${1:?usage: run.sh BOARD [CASE...|all]}
shift
if [ -z "${E2E_BUILD:-}" ]; then
	make --no-print-directory BOARD="$board" all \
		"build/$board/kernel/slot/version"
fi
export PATH="$PATH:/sbin:/usr/sbin"
exec python3 tests/e2e/cases.py "$board" "$@"
