#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# prices.sh: what each option of src/options.h costs in the stripped arm64
# binary: built with and without it.
set -eu
cd "$(dirname "$0")/../.."

size()
{
	make V="qemu-arm64@price-$1" OPTS="$2" QUIET=1 lifeboat >/dev/null
	wc -c <"build/qemu-arm64@price-$1/lifeboat"
}

all=$(size all '')
printf '%-16s %8d bytes\n' 'all options' "$all"
sed -n 's/^#ifndef \(OPT_[A-Z0-9_]*\)$/\1/p' src/options.h |
	while read -r option; do
		without=$(size "$option" "-D$option=0")
		printf '%-16s %8d\n' "$option" $((all - without))
	done
