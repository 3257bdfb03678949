#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# reproducible.sh [BOARD...]: builds two copies of the tree, in folders of
# different names and depth, at different times and with another umask, and
# compares binary and initramfs byte by byte. Downloads and unpacked kernels
# are shared; everything that is compiled is compiled twice. With NET=1 that
# is the DHCP client and the initramfs with the network, too.
# Last line: "reproducible: N passed, N failed".
set -eu
cd "$(dirname "$0")/.."
top=$PWD

[ $# -gt 0 ] || set -- host qemu-arm64
work=$top/build/reproducible
rm -rf "$work"
mkdir -p "$work/a" "$work/somewhere/else/b"
make QUIET=1 build/pki/keyring.pem >/dev/null
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || echo 0)
export SOURCE_DATE_EPOCH CACHE="$top/build/cache" MAKELEVEL=0
unset MAKEFLAGS MFLAGS

# copy FROM TO: without what was built
copy()
{
	tar -c -C "$1" --exclude=./build --exclude=./.git . | tar -x -C "$2"
}

build()
{
	(
		cd "$1"
		mkdir -p build/pki
		cp "$top/build/pki/keyring.pem" build/pki/
		for target in $2; do
			goal="lifeboat initramfs ${NET:+initramfs-net}"
			[ "$target" != host ] || goal=lifeboat
			# shellcheck disable=SC2086 # words
			make QUIET=1 V="$target" $goal
		done
	) >"$1.log" 2>&1 || {
		tail -n 30 "$1.log"
		echo "reproducible: 0 passed, 1 failed"
		exit 1
	}
}

copy . "$work/a"
build "$work/a" "$*"
sleep 2
umask 077
copy "$work/a" "$work/somewhere/else/b"
find "$work/somewhere/else/b" -name '*.c' -exec touch {} +
build "$work/somewhere/else/b" "$*"

passed=0
failed=0
for target in "$@"; do
	files="lifeboat initramfs.cpio.gz ${NET:+initramfs-net.cpio.gz}"
	[ "$target" != host ] || files=lifeboat
	for file in $files; do
		if cmp "$work/a/build/$target/$file" \
			"$work/somewhere/else/b/build/$target/$file"; then
			passed=$((passed + 1))
			sha256sum "$work/a/build/$target/$file"
		else
			failed=$((failed + 1))
		fi
	done
done
[ "$failed" != 0 ] || rm -rf "$work"
echo "reproducible: $passed passed, $failed failed"
[ "$failed" = 0 ]
