#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# kernel.sh recovery|slot BOARD DIR: unpacks the Debian kernel that the
# board's board.mk names for this use. Leaves in DIR: Image, version, and
# lib/modules/VERSION with the dependency lists that modprobe needs.
set -eu

here=$(dirname "$0")
use=$(echo "$1" | tr '[:lower:]' '[:upper:]')
mk=$here/../board/$2/board.mk
dir=$3
value()
{
	sed -n "s/^$1 *:= *//p" "$mk"
}
arch=$(value ARCH)
package=$(value "KERNEL_$use")
if [ -z "$package" ]; then
	echo "kernel.sh: board/$2/board.mk names no KERNEL_$use" >&2
	exit 1
fi
# The version is part of the name of the package that the named one needs;
# it is looked up once and then kept.
mkdir -p "$dir"
if [ ! -e "$dir/package" ]; then
	"$here/../src/deps.sh" depends "$package:$arch" >"$dir/package.new"
	[ -s "$dir/package.new" ] || {
		echo "kernel.sh: no package $package:$arch" >&2
		exit 1
	}
	mv "$dir/package.new" "$dir/package"
fi
real=$(cat "$dir/package")
rm -rf "$dir/unpacked" "${dir:?}/lib" "$dir/version"
"$here/../src/deps.sh" unpack "$real:$arch" "$dir/unpacked"
cp "$dir"/unpacked/boot/vmlinuz-* "$dir/Image"
mkdir -p "$dir/lib"
mv "$dir/unpacked/lib/modules" "$dir/lib/modules"
rm -rf "$dir/unpacked"
version=$(ls "$dir/lib/modules")
PATH=$PATH:/sbin:/usr/sbin depmod -b "$dir" "$version"
echo "$version" >"$dir/version"
