#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# Our squashfs reader against unsquashfs: the same tree, packed with every
# option of mksquashfs that users hand to rauc, has to come out the same:
# names, types, permissions, link targets, bytes. What we do not decode has
# to be refused by name. Needs no root. usage: squashfs.sh [WORKDIR]
set -eu
export LC_ALL=C.UTF-8
# mksquashfs refuses its time options beside this one.
unset SOURCE_DATE_EPOCH
cd "$(dirname "$0")/../.."
top=$PWD
work=${1:-build/test/squashfs}
rm -rf "$work"
mkdir -p "$work"
work=$(cd "$work" && pwd)

make V=check-gcc QUIET=1 deps
dep=build/deps/src
${CC:-gcc} -std=c11 -D_GNU_SOURCE -O1 -g -Wall -Wextra \
	-fsanitize=address,undefined -fno-sanitize-recover=undefined -Isrc \
	-isystem $dep/libdeflate -isystem $dep/libzstd/lib \
	-isystem $dep/lz4/lib -isystem $dep/xz \
	-o "$work/extract" tests/diff/sqfs_extract.c src/bundle/squashfs.c \
	src/bundle/codec*.c src/base/blk.c src/base/buf.c src/base/base.c \
	src/base/fmt.c src/base/reason.c build/deps/gcc/libdeps.a
cd "$work"

passed=0
failed=0

result()
{
	if [ "$1" = 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED $2"
	fi
}

noise()
{
	openssl enc -aes-128-ctr -nosalt -K "$(printf %032x "$2")" \
		-iv 00000000000000000000000000000000 -in /dev/zero 2>/dev/null |
		head -c "$1"
}

# Half of it compresses, half does not.
mixed()
{
	noise "$1" "$2" >noise.tmp
	yes "line $2" 2>/dev/null | head -c "$1" >text.tmp
	paste -d '\n' noise.tmp text.tmp 2>/dev/null | head -c "$1"
	rm -f noise.tmp text.tmp
}

mkdir -p tree/sub/deeper/still tree/empty tree/small
for block in 4096 131072 1048576; do
	for size in $((block - 1)) $block $((block + 1)) $((2 * block + 77)); do
		noise "$size" "$size" >"tree/noise-$size"
		mixed "$size" "$size" >"tree/mixed-$size"
		head -c "$size" /dev/zero >"tree/zero-$size"
	done
done
: >tree/size-0
printf x >tree/size-1
cp tree/mixed-131073 tree/duplicate
ln tree/mixed-131073 tree/hardlink
ln -s size-1 tree/link
ln -s ../../etc/passwd tree/sub/link-out
ln -s "$(printf %0300d 0)" tree/sub/link-long
mkfifo tree/sub/fifo
chmod 04755 tree/size-1
chmod 0 tree/noise-4096
noise 5000 77 >tree/sub/deeper/still/file
noise 10 78 >"tree/$(printf %0255d 1)"
noise 10 79 >"tree/sub/Grüße 日本"
truncate -s 9000000 tree/sparse
printf middle | dd of=tree/sparse bs=1 seek=5000000 conv=notrunc 2>/dev/null
truncate -s 1500000 tree/sparse-tail
printf start | dd of=tree/sparse-tail conv=notrunc 2>/dev/null
# A listing of many metadata blocks, so mksquashfs writes an index.
i=0
while [ $i -lt 200 ]; do
	echo "file $i" >"tree/small/$(printf %0230d $i)"
	i=$((i + 1))
done

# list DIR: everything but the bytes; the type fifo is not ours to make
list()
{
	(cd "$1" && find . -mindepth 1 ! -type p \
		-printf '%y %m %p %l\n' | sort)
}

same()
{
	list ref >ref.list
	list our >our.list
	cmp ref.list our.list && cmp our.out fifo.list &&
		diff -r --no-dereference ref our
}
echo "other sub/fifo" >fifo.list

try()
{
	rm -rf image ref our
	mksquashfs tree image -noappend -no-progress -quiet "$@" \
		>mksquashfs.log 2>&1 || { cat mksquashfs.log; result 1 "$*"; }
	unsquashfs -no-progress -quiet -d ref image >unsquashfs.log 2>&1 || :
	rm -f ref/sub/fifo
	rc=0
	./extract image our >our.out 2>&1 || rc=1
	if [ $rc = 0 ]; then
		same >diff.log 2>&1 || rc=1
		[ $rc = 0 ] || head -n 20 diff.log
	else
		cat our.out
	fi
	result $rc "$*"
}

# As rauc itself calls it.
try -all-root -no-xattrs
for level in 1 9; do
	try -comp gzip -Xcompression-level $level -all-root -no-xattrs
done
try -comp gzip -Xstrategy default,filtered,huffman_only,run_length_encoded,fixed
try -comp gzip -Xwindow-size 8
for level in 1 3 15 22; do
	try -comp zstd -Xcompression-level $level -all-root -no-xattrs
done
try -comp lz4 -Xhc
for filter in x86 arm armthumb powerpc sparc ia64 x86,arm,armthumb; do
	try -comp xz -Xbcj $filter
	try -comp xz -Xbcj $filter -b 4K
done
for dict in 8K 16K 64K 25% 50% 100%; do
	try -comp xz -Xdict-size $dict
done
try -comp xz -b 1M -Xdict-size 1M -Xbcj x86
for comp in gzip zstd xz lz4; do
	for block in 4K 32K 256K 1M; do
		try -comp $comp -b $block
	done
done
for comp in xz lz4; do
	for option in "-noI -noD -noF" "-no-fragments -noD -noI -b 4K" \
		"-always-use-fragments -b 1M" -tailends; do
		# shellcheck disable=SC2086 # one word or several
		try -comp $comp $option
	done
done
# What has nothing to do with the codec.
for comp in gzip zstd; do
	for option in -no-fragments -always-use-fragments -no-exports \
		-exports -noI -noD -noF -noId -noX -no-duplicates -all-root \
		-no-xattrs -xattrs -nopad -no-sparse -tailends \
		"-root-mode 0700" "-mkfs-time 0" "-noI -noD -noF" \
		"-no-fragments -noD -noI -b 4K" "-processors 1" \
		"-always-use-fragments -b 1M" "-no-tailends" "-reproducible"; do
		# shellcheck disable=SC2086 # one word or several
		try -comp $comp $option
	done
done

for comp in lzo lzma; do
	rm -rf image our
	if ! mksquashfs tree/sub image -noappend -no-progress -quiet \
		-comp $comp >mksquashfs.log 2>&1; then
		echo "no mksquashfs -comp $comp here"
		continue
	fi
	rc=0
	! ./extract image our >our.out 2>&1 &&
		grep -q "^squashfs-compression: .* $comp " our.out || rc=1
	result $rc "refusal of $comp"
done

cd "$top"
rm -rf "$work/tree" "$work/ref" "$work/our"
echo "squashfs: $passed passed, $failed failed"
[ "$failed" = 0 ]
