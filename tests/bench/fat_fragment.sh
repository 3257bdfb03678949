#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# A fragmented file of 1 GiB on FAT32 has to read at 0.8 or more of the rate of
# a contiguous one, and so on exFAT, where that one is not in the table at all. Measured for fragments of 4 KiB to 1 MiB; those of 64 KiB
# (16384 of them) and more count. Needs 3 GiB of page cache and no disk space
# to speak of. Last line: "fat_fragment: N passed, N failed".
set -eu
cd "$(dirname "$0")/../.."
PATH=$PATH:/usr/sbin:/sbin
b=build/test
mkdir -p "$b"
${CC:-cc} -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -Isrc -o "$b/fat_fragment" \
	tests/bench/fat_fragment.c src/media/*.c src/base/*.c
trap 'rm -f "$b/fat_fragment.img"' EXIT
passed=0
failed=0
img=$b/fat_fragment.img

# one FSCK RUN [made]
one()
{
	line=$("$b/fat_fragment" "$img" 1024 4096 "$2" ${3:-})
	echo "${1#fsck.}: $line"
	timeout 120 "$1" -n "$img" >"$b/fat_fragment.log" || {
		cat "$b/fat_fragment.log"
		failed=$((failed + 1))
	}
	[ "$2" -ge 16 ] || return 0
	if awk "BEGIN { exit !(${line##* } >= 0.8) }"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
}

for run in 1 8 16 32 256; do
	one fsck.fat $run
done
for run in 1 8 16 32 256; do
	rm -f "$img"
	tests/diff/exfat_image.py pieces "$img" 4096 1024 $run
	one fsck.exfat $run made
done
echo "fat_fragment: $passed passed, $failed failed"
[ $failed = 0 ]
