#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# The key-file reader against GLib's GKeyFile on random texts.
set -eu
cd "$(dirname "$0")/../.."
mkdir -p build/test
${CC:-cc} -std=c11 -D_GNU_SOURCE -O1 -g -Wall -Wextra \
	-fsanitize=address,undefined -fno-sanitize-recover=undefined -Isrc \
	-o build/test/keyfile_diff tests/diff/keyfile_diff.c src/base/*.c -ldl
# GLib warns about errors of its own on standard error
ASAN_OPTIONS=detect_leaks=0 build/test/keyfile_diff 200000 1 2>/dev/null
