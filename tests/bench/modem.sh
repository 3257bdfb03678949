#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# bench/modem.sh [SIZE]: our receiver beside lrzsz's (rx, rb, rz), over a line
# made of pseudo-terminals at 115200 and 1000000 baud; see modem.py.
set -eu
cd "$(dirname "$0")/../.."
work=$PWD/build/test/modem-bench
rm -rf "$work"
mkdir -p "$work"
${CC:-cc} -std=c11 -D_GNU_SOURCE -O2 -Isrc \
	-o "$work/recv" tests/diff/modem_recv.c src/source/modem.c \
	src/source/xmodem.c src/source/zmodem.c src/source/line.c src/base/*.c
PYTHONDONTWRITEBYTECODE=1 python3 tests/bench/modem.py "$work/recv" "$work" \
	"$@"
