#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# modem.sh [campaign N]: lrzsz sends to our receiver over a made-up serial
# line, see modem.py. campaign N: N transfers through noise (SEED=20), and
# senders that are killed.
set -eu
cd "$(dirname "$0")/../.."
work=$PWD/build/test/modem
rm -rf "$work"
mkdir -p "$work"
${CC:-cc} -std=c11 -D_GNU_SOURCE -O1 -g -Wall -Wextra \
	-fsanitize=address,undefined -fno-sanitize-recover=undefined -Isrc \
	-o "$work/recv" tests/diff/modem_recv.c src/source/modem.c \
	src/source/xmodem.c src/source/zmodem.c src/source/line.c src/base/*.c
count=
[ "${1:-}" != campaign ] || count=${2:-200}
# shellcheck disable=SC2086 # none or one word
PYTHONDONTWRITEBYTECODE=1 python3 tests/diff/modem.py "$work/recv" "$work" \
	$count
