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
exit $bad
