#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# seeds_bundle.sh: makes (with mksquashfs and python3) the seeds of the targets bundle, codec, manifest,
# squashfs and verity anew, below tests/fuzz/corpus.
set -eu
cd "$(dirname "$0")/corpus"
mkdir -p bundle codec manifest squashfs verity
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# A file of whole blocks, a hole, a tail; one in a fragment; a link; a folder.
mkdir -p "$tmp/tree/sub"
{
	yes abc | head -c 5000
	head -c 8192 /dev/zero
	yes xyz | head -c 6000
} >"$tmp/tree/a.img"
echo hello >"$tmp/tree/b.ext4"
echo deep >"$tmp/tree/sub/c"
ln -s a.img "$tmp/tree/link"
mkfifo "$tmp/tree/sub/fifo"
for comp in gzip zstd; do
	for option in -no-exports "-noI -noD -noF" -no-fragments; do
		# shellcheck disable=SC2086 # one word or several
		mksquashfs "$tmp/tree" "$tmp/image" -noappend -no-progress \
			-quiet -b 4K -comp $comp $option -nopad -all-root \
			-no-xattrs -mkfs-time 0 -all-time 0 -processors 1 \
			>/dev/null
		mv "$tmp/image" "squashfs/$comp$(echo "$option" | tr -d ' ')"
	done
done

hex=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
cat >manifest/all <<EOT
# every key
[update]
compatible=Test Board
version=1.2.3-rc.1+x
description=a\\sb
build=1.2.4
min-rauc-version=1.14

[bundle]
format=verity
verity-hash=$hex
verity-salt=$hex
verity-size=4096

[handler]
filename=handler
args=-x

[hooks]
filename=hook
hooks=install-check;

[image.rootfs]
sha256=$hex
size=17
filename=a.img
type=raw
hooks=pre-install;post-install
adaptive=block-hash-index

[image.app.v1.x]
sha256=$hex
size=18
filename=a.squashfs-xz.caibx
version=1

[meta.label]
key=value

[rollout]
key=value
EOT
printf '[update]\ncompatible=x\n[bundle]\nformat=plain\n' >manifest/plain
printf '[update]\ncompatible=x\n[bundle]\nformat=crypt\n%s\n' \
	"crypt-key=$hex" >manifest/crypt

# A bundle for the target's own cms_verify: payload, tree, manifest, size.
payload()
{
	head -c 8192 /dev/zero
}
zeros=0000000000000000000000000000000000000000000000000000000000000000
unhex()
{
	python3 -c 'import sys
sys.stdout.buffer.write(bytes.fromhex(sys.argv[1]))' "$1"
}
digest()
{
	{ unhex $zeros; cat "$1"; } | sha256sum | cut -d ' ' -f 1
}
bundle()
{
	blocks=$(($(wc -c <"$tmp/payload") / 4096))
	: >"$tmp/leaves"
	i=0
	while [ $i -lt $blocks ]; do
		dd if="$tmp/payload" bs=4096 skip=$i count=1 2>/dev/null \
			>"$tmp/block"
		unhex "$(digest "$tmp/block")" >>"$tmp/leaves"
		i=$((i + 1))
	done
	truncate -s 4096 "$tmp/leaves"
	{
		printf '[update]\ncompatible=x\n[bundle]\nformat=verity\n'
		printf 'verity-hash=%s\n' "$(digest "$tmp/leaves")"
		printf 'verity-salt=%s\nverity-size=4096\n' $zeros
		printf '[image.a]\nfilename=a.img\nsha256=%s\nsize=%s\n' \
			$zeros "$2"
		printf '[image.b]\nfilename=b.ext4\nsha256=%s\nsize=6\n' \
			$zeros
	} >"$tmp/manifest"
	{
		cat "$tmp/payload" "$tmp/leaves" "$tmp/manifest"
		unhex "$(printf %016x "$(wc -c <"$tmp/manifest")")"
	} >"bundle/$1"
}
for comp in gzip zstd; do
	cp "squashfs/$comp-no-exports" "$tmp/payload"
	truncate -s %4096 "$tmp/payload"
	[ "$(wc -c <"$tmp/payload")" -gt 4096 ] ||
		truncate -s 8192 "$tmp/payload"
	bundle $comp 19192
done
payload >"$tmp/payload"
bundle zeros 1

python3 -c 'import sys, zlib
sys.stdout.buffer.write(b"\0\xff\xff" + zlib.compress(b"abc\n" * 700))' >codec/gzip
unhex 01ffff28b52ffda0001000000380000078 >codec/zstd

unhex 00000000130000400000 >verity/none
unhex 0000000013000040000005000000ff03 >verity/once
unhex 0000000013000040000005000000010000500000ff00 >verity/twice
