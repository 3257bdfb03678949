#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# size.sh BUILD-DIR: bytes of each module in the linked program, beside its
# budget in size.budget; then the stripped program and the initramfs without
# kernel modules. Fails when a budget is exceeded; budgets are arm64's, other
# boards are only printed.
#
# The program is optimized as one when it is linked. What was inlined counts
# where it went; "outlined" is code that several modules share, "strings" are
# the constants the linker merged.
set -eu

here=$(dirname "$0")
build=$1
deps=$(sed -n '1s|^\(build/deps/[a-z0-9]*\)/cc .*|\1|p' "$build/flags")
{
	sed '/^#/d; s/^/budget /' "$here/size.budget"
	find "$build/src" "$build/init" -name '*.o' | sort |
		xargs llvm-nm -A --defined-only | sed "s|^$build/||; s/^/sym /"
	llvm-nm -A --defined-only "$deps/libdeps.a" | sed 's/^/sym /'
	# lld's map: VMA, LMA, size, alignment, input section.
	sed 's/^/map /' "$build/lifeboat.map"
	echo "total lifeboat $(wc -c <"$build/lifeboat")"
	for name in initramfs initramfs-net; do
		[ ! -e "$build/$name-bare.cpio.gz" ] ||
			echo "total $name $(wc -c <"$build/$name-bare.cpio.gz")"
	done
} | awk -v judge="$([ "${build##*/}" = qemu-arm64 ] && echo 1 || echo 0)" '
function hex(s, i, n) {
	n = 0
	for (i = 1; i <= length(s); i++)
		n = n * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1
	return n
}
function module_of(file) {
	if (file ~ /br-[^\/]*\.o:$/) return "bearssl"
	if (file ~ /deflate-[^\/]*\.o:$/) return "libdeflate"
	if (file ~ /zstd-[^\/]*\.o:$/) return "libzstd"
	if (file ~ /xz-xz_block\.o:$/) return "xz"
	if (file ~ /lz4-lz4\.o:$/) return "lz4"
	sub(/\/[^\/]*$/, "", file)
	return file
}
$1 == "budget" && NF == 3 { budget[$2] = $3; order[++n] = $2; next }
$1 == "sym" {
	m = module_of($2)
	# Two modules may have a static function of the same name.
	if (($NF in home) && home[$NF] != m)
		home[$NF] = "same name"
	else
		home[$NF] = m
	next
}
$1 == "map" && $6 ~ /:\(/ && $6 !~ /\(\.(bss|symtab|strtab|shstrtab|comment|debug)/ && $0 !~ /COMMON/ {
	file = $6
	name = ""
	if (file ~ /lto/) {
		name = file
		sub(/^.*:\(\.(text|rodata|data\.rel\.ro|data)(\.unlikely)?\.?/, "", name)
		sub(/\)$/, "", name)
		base = name
		sub(/\.[0-9.]+$/, "", base)
		if (name in home) m = home[name]
		else if (base in home) m = home[base]
		else if (name ~ /^OUTLINED/) m = "outlined"
		else if (base ~ /^(keyring_|lifeboat_)/) m = "keyring"
		else {
			# a static constant of a function: "function.name"
			sub(/\..*/, "", base)
			m = (base in home) ? home[base] : "constants"
		}
	} else if (file ~ /<internal>/) m = "strings"
	else m = "musl"
	size[m] += hex($4)
	if (!(m in budget) && !(m in other)) {
		other[m] = 1
		order[++n] = m
	}
	next
}
$1 == "total" {
	size[$2] = $3
	if (!($2 in budget))
		order[++n] = $2
}
END {
	printf "%-12s %8s %8s %8s\n", "module", "bytes", "budget", "left"
	for (i = 1; i <= n; i++) {
		m = order[i]
		if (m in budget) {
			left = budget[m] - size[m]
			printf "%-12s %8d %8d %8d%s\n", m, size[m], budget[m],
				left, judge && left < 0 ? "  TOO LARGE" : ""
			if (judge && left < 0)
				bad = 1
		} else {
			printf "%-12s %8d\n", m, size[m]
		}
	}
	exit bad
}'
