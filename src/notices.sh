#!/bin/sh
# SPDX-License-Identifier: 0BSD
# Prints the licences of lifeboat and of what is linked into it, as fetched.
set -eu
cd "$(dirname "$0")/.."
deps=build/deps
for file in LICENSE "$deps/src/bearssl/LICENSE.txt" \
	"$deps/src/libdeflate/COPYING" "$deps/src/libzstd/LICENSE" \
	"$deps/src/lz4/lib/LICENSE" \
	"$deps"/amd64/root/usr/share/doc/musl-dev/copyright; do
	[ -f "$file" ] || { echo "notices: no $file: make host" >&2; exit 1; }
	printf '==== %s\n\n' "${file#"$deps/"}"
	cat "$file"
	echo
done
