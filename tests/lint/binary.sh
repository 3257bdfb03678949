#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# binary.sh ELF MAP: refuses a program that is not static or in which
# something is linked that must not be there.
set -eu

elf=$1
map=$2
bad=0
if llvm-readelf -lW "$elf" | grep -q 'INTERP\|NEEDED'; then
	echo "$elf: not static" >&2
	bad=1
fi
# exit, _Exit and abort are the start-up code's; the sources are checked for
# them by forbidden.sh.
for symbol in malloc calloc realloc free aligned_alloc posix_memalign \
	__libc_malloc strdup fopen fdopen opendir printf fprintf vfprintf \
	snprintf vsnprintf sprintf sscanf vfscanf qsort getaddrinfo \
	gethostbyname system popen atexit setlocale; do
	if llvm-nm --defined-only "$elf" | grep -q " [TtWwi] $symbol\$"; then
		echo "$elf: $symbol is linked; see $map" >&2
		bad=1
	fi
done
# On 64 bits src/libc.c is the start code, which sets up no threads and no
# thread-local storage: of musl only what needs neither may be there.
if llvm-readelf -hW "$elf" | grep -q 'Class: *ELF64'; then
	for member in $(grep -o 'libc\.a([^)]*)' "$map" | sort -u |
		sed 's/.*(\(.*\)\..*)/\1/'); do
		case $member in
		memcpy | memset | memcmp | bcmp) ;;
		*)
			echo "$elf: musl's $member is linked; src/libc.c has to" \
				"define what it is for; see $map" >&2
			bad=1
			;;
		esac
	done
fi
exit $bad
