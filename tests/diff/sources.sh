#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# sources.sh: the command with what comes once: standard input, a TFTP server
# that misbehaves, serial lines with lrzsz at the other end. What is installed,
# what is refused and with which reason, and what the slots are afterwards.
# Last line: "sources: N passed, N failed".
set -eu
cd "$(dirname "$0")/../.."
tests/data/mkbundles.sh build/tests/bundles
make QUIET=1 host
exec python3 tests/diff/sources.py
