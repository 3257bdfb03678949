#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# Partition tables, FAT and exFAT against tools we did not write: images made
# with mkfs.vfat, mtools, fdisk, sgdisk and others have to look the same to the
# library as to mdir, mcopy, partx and blkid, and fsck.fat has to call the FAT
# ones clean. exFAT volumes are those of exfat_image.py, which fsck.exfat has to
# call clean, and those that exfat-fuse writes, where it can: that alone needs
# root, loop devices and /dev/fuse. usage: tests/diff/media.sh [WORKDIR]

set -eu
export LC_ALL=C.UTF-8 MTOOLS_SKIP_CHECK=1 PATH="$PATH:/usr/sbin:/sbin"
cd "$(dirname "$0")/../.."
top=$PWD
work=${1:-build/test/media}
rm -rf "$work"
mkdir -p "$work"
work=$(cd "$work" && pwd)

${CC:-cc} -std=c11 -D_GNU_SOURCE -O1 -g -Wall -Wextra \
	-fsanitize=address,undefined -fno-sanitize-recover=undefined -Isrc \
	-o "$work/dump" tests/diff/media_dump.c src/media/*.c src/base/*.c
cd "$work"

passed=0
failed=0

# ok NAME EXPECTED GOT: two files with the same content
ok() {
	if cmp -s "$2" "$3"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED $1"
		diff "$2" "$3" | head -n 20 || :
	fi
}

# bytes N SEED: N bytes that are the same in every run
bytes() {
	openssl enc -aes-128-ctr -nosalt -K "$(printf %032x "$2")" \
		-iv 00000000000000000000000000000000 -in /dev/zero 2>/dev/null |
		head -c "$1"
}

### FAT

mkdir files
bytes 1 1 >"files/a"
: >"files/EMPTY.TXT"
bytes 511 2 >"files/lower.txt"
bytes 512 3 >"files/UPPER.raw"
bytes 4096 4 >"files/Mixed.RaucB"
bytes 4097 5 >"files/a long name with spaces and a dot.at the.end.raucb"
bytes 32768 6 >"files/Grüße-Übung-ß.raucb"
bytes 32769 7 >"files/日本語の名前.raucb"
bytes 70001 8 >"files/💾🔑 bundle 𝄞.raucb"
bytes 200000 9 >"files/$(printf %0200d 7).raucb"
bytes 600 10 >"files/$(printf '%07d' 0)12345.raucb" # 13 units twice over
bytes 601 11 >"files/exactly13unit"
bytes 602 12 >"files/._litter.raucb"
bytes 300000 13 >big

fat_image() { # BITS SECTOR CLUSTER-SECTORS KIB
	img="fat$1-$2-$3"
	name="FAT$1, sectors of $2, clusters of $(($2 * $3))"
	truncate -s "$4K" "$img"
	root=
	[ "$1" = 32 ] || root='-r 512'
	mkfs.vfat -F "$1" -S "$2" -s "$3" $root -n "STICK $1" "$img" \
		>mkfs.log 2>&1 || {
		cat mkfs.log
		return 1
	}
	mmd -i "$img" ::sub "::Sub Folder 名" ::empty
	mmd -i "$img" ::sub/deeper
	mcopy -i "$img" files/* ::
	mcopy -i "$img" files/* "::Sub Folder 名"
	mcopy -i "$img" files/a ::sub/deeper/unseen
	# a folder of more than one cluster, with deleted entries in it
	for i in $(seq 1 "$5"); do
		printf '%d' "$i" >"number $i of many files.txt"
	done
	mcopy -i "$img" number*.txt ::sub
	mdel -i "$img" "::sub/number 1*.txt" ::a
	rm number*.txt
	# fragments: fill, delete every other file, fill again
	i=0
	while [ $i -lt 40 ]; do
		bytes $(($2 * $3)) $i >"fill$i"
		i=$((i + 1))
	done
	mcopy -i "$img" fill* ::sub 2>mcopy.log || :
	mdel -i "$img" ::sub/fill*[02468] 2>mcopy.log || :
	mcopy -i "$img" big "::fragmented.raucb" 2>mcopy.log || :
	rm -f fill*

	fsck.fat -n "$img" >fsck.log 2>&1 && echo clean >got || cp fsck.log got
	echo clean >want
	ok "$name: fsck.fat" want got
	rm -rf theirs ours
	mkdir theirs
	mcopy -s -n -i "$img" '::*' theirs
	rm -r theirs/sub/deeper # as deep as the library does not look
	rmdir theirs/empty
	./dump extract "$img" ours >got || :
	diff -r theirs ours >>got 2>&1 || :
	[ "$(find theirs -type f | wc -l)" -gt 40 ] || echo "few files" >>got
	: >want
	ok "$name: names and contents" want got
	# and in the same order, subfolders last
	mdir -i "$img" -b :: | sed 's,^::/,,' | grep -v '/$' >want
	./dump ls "$img" | cut -d ' ' -f 2- | sed 's,^/,,' |
		grep -v / >got
	ok "$name: order" want got
	blkid -p -o value -s UUID -s LABEL "$img" | sort >want
	./dump id "$img" | tr '|' '\n' | grep -v FAT | sort >got
	echo "STICK $1" >>got
	sort -u -o got got
	ok "$name: UUID and label" want got
	./dump parts "$img" >got
	printf 'none\n0 0 %d - \n' "$(wc -c <"$img")" >want
	ok "$name: no partition table" want got
	rm -f "$img"
}

# bits sector cluster KiB files-in-folder
fat_image 12 512 1 1440 60
fat_image 12 512 2 2000 60
fat_image 12 512 8 8000 150
fat_image 12 1024 4 8000 150
fat_image 12 2048 1 7000 150
fat_image 12 4096 1 12000 150
fat_image 16 512 1 6000 150
fat_image 16 512 4 32000 150
fat_image 16 512 64 200000 700
fat_image 16 1024 2 16000 150
fat_image 16 2048 2 30000 150
fat_image 16 4096 1 32000 150
fat_image 32 512 1 40000 150
fat_image 32 512 8 300000 150
fat_image 32 512 64 2200000 700
fat_image 32 1024 1 80000 150
fat_image 32 2048 1 150000 150
fat_image 32 4096 2 600000 150

### exFAT

exfat_image() { # SECTOR CLUSTER MIB
	name="exFAT, sectors of $1, clusters of $2"
	rm -rf theirs ours
	"$top/tests/diff/exfat_image.py" files exfat "$1" "$2" "$3" theirs
	timeout 60 fsck.exfat -n exfat >fsck.log 2>&1 && echo clean >got ||
		cp fsck.log got
	echo clean >want
	ok "$name: fsck.exfat" want got
	rm -r theirs/sub/deeper # as deep as the library does not look
	rmdir theirs/empty
	./dump extract exfat ours >got || :
	diff -r theirs ours >>got 2>&1 || :
	[ "$(find ours -type f | wc -l)" = 815 ] || echo "files are missing" >>got
	: >want
	ok "$name: names and contents" want got
	blkid -p -o value -s UUID exfat >want
	./dump id exfat | cut -d '|' -f 2 >got
	ok "$name: UUID" want got
	./dump parts exfat >got
	printf 'none\n0 0 %d - \n' "$(wc -c <exfat)" >want
	ok "$name: no partition table" want got
}

exfat_image 512 1024 8
exfat_image 512 4096 40
exfat_image 512 32768 200
exfat_image 1024 2048 30
exfat_image 2048 65536 300
exfat_image 4096 4096 60
exfat_image 4096 32768 400
exfat_image 512 131072 9000
size=$((4294967296 + 3 * 1048576 + 12345))
echo "$size /huge.raucb" >want
./dump ls exfat | grep huge >got
ok "more than 4 GiB: its size" want got
for off in 0 $((4294967296 - 131072)) 4294967296 $((size / 131072 * 131072))
do
	printf 'at %-20d' $off >want
	./dump read exfat /huge.raucb $off 23 >got
	ok "more than 4 GiB: byte $off" want got
done
# a piece on both sides of the 4 GiB
{
	head -c 9 /dev/zero
	printf 'at 4294967296'
} >want
./dump read exfat /huge.raucb $((4294967296 - 9)) 22 >got
ok "more than 4 GiB: across the border" want got
rm exfat

# what another driver writes, in the way of somebody who fills a stick
exfat_fuse() { # SECTOR
	name="exFAT of exfat-fuse, sectors of $1"
	mnt=$work/mnt
	rm -rf theirs ours
	mkdir -p "$mnt" theirs
	truncate -s 0 exfat
	truncate -s 40M exfat
	loop=$(losetup -f --show -b "$1" exfat 2>/dev/null) || return 0
	if mkfs.exfat -c 4K "$loop" >mkfs.log 2>&1 &&
		mount.exfat-fuse "$loop" "$mnt" >mkfs.log 2>&1; then
		mkdir "$mnt/sub" "$mnt/sub 名"
		for i in $(seq 1 60); do
			bytes 5000 "$i" >"$mnt/fill $i"
			bytes 5001 "$i" >"$mnt/sub/$i.raucb"
		done
		rm "$mnt"/fill*[02468] "$mnt"/sub/*[13579].raucb
		cp big "$mnt/fragmented.raucb"
		cp files/*.raucb "$mnt/sub 名"
		# grown in turns, so in pieces
		for i in $(seq 1 30); do
			bytes 4096 "$i" >>"$mnt/left.raucb"
			bytes 4096 "$i" >>"$mnt/right.raucb"
		done
		cp -r "$mnt/." theirs
		umount "$mnt"
		losetup -d "$loop"
		timeout 60 fsck.exfat -n exfat >fsck.log 2>&1 &&
			echo clean >got || cp fsck.log got
		echo clean >want
		ok "$name: fsck.exfat" want got
		./dump extract exfat ours >got || :
		diff -r theirs ours >>got 2>&1 || :
		[ "$(find ours -type f | wc -l)" -gt 60 ] ||
			echo "few files" >>got
		: >want
		ok "$name: names and contents" want got
		blkid -p -o value -s UUID exfat >want
		./dump id exfat | cut -d '|' -f 2 >got
		ok "$name: UUID" want got
	else
		losetup -d "$loop"
		echo "media: no exfat-fuse here"
	fi
	rm -f exfat
}

exfat_fuse 512
exfat_fuse 4096

### partition tables

# tables NAME IMAGE [SECTOR]: what partx sees
tables() {
	partx -g -r ${3:+--sector-size $3} \
		-o NR,START,SECTORS,UUID,TYPE,NAME "$2" 2>/dev/null |
		awk '$5 != "0x5" && $5 != "0xf" && $5 != "0x85" {
			printf "%d %.0f %.0f %s %s\n", $1, $2 * 512, $3 * 512,
				$4, $6 }' |
		perl -pe 's/\\x([0-9a-f]{2})/chr hex $1/ge' >want
	./dump parts "$2" ${3:-} >all 2>all.log
	tail -n +2 all >got
	ok "$1: partitions" want got
	[ -s want ] || echo none >>got
	ok "$1: there are some" want got
}

# kind NAME EXPECTED: first line of what ./dump parts said
kind() {
	echo "$2" >want
	head -n 1 all >got
	ok "$1: kind" want got
}

table() { # SECTOR, script on stdin
	rm -f disk
	truncate -s 200M disk
	cat >script
	printf 'I\nscript\nw\n' | fdisk -b "$1" disk >fdisk.log 2>&1 || {
		cat fdisk.log
		return 1
	}
}

for s in 512 4096; do
	n="sectors of $s"
	printf 'label: dos\nlabel-id: 0x1234abcd\n,20M,c\n,30M,83,*\n' |
		table $s
	tables "MBR, $n" disk $s
	kind "MBR, $n" dos
	printf 'label: dos\nlabel-id: 0x00000007\n%s\n' ',10M,c
,5M,83
,120M,f
,,82
,10M,83
,11M,c
,12M,83
,13M,83
,14M,83
,15M,83
,,83' | table $s
	tables "MBR with logical partitions, $n" disk $s
	printf 'd\n8\nd\n6\nw\n' | fdisk -b $s disk >fdisk.log 2>&1
	tables "MBR with holes in the logical partitions, $n" disk $s
	printf 'label: gpt\n%s\n' 'size=10M, name="EFI system"
size=20M
size=30M, name="123456789012345678901234567890123456"
size=1M
name=rest' | table $s
	[ $s != 512 ] || sgdisk -c 2:"größe 💾 mixed" disk >sgdisk.log
	tables "GPT, $n" disk $s
	cp want before
	kind "GPT, $n" gpt
	cp disk good
	dd if=/dev/zero of=disk bs=$s seek=1 count=1 conv=notrunc status=none
	./dump parts disk $s >all 2>/dev/null
	tail -n +2 all >got
	ok "GPT without its header, $n" before got
	kind "GPT without its header, $n" "gpt backup"
	cp good disk
	printf X | dd of=disk bs=1 seek=$((2 * s + 60)) conv=notrunc status=none
	./dump parts disk $s >all 2>/dev/null
	tail -n +2 all >got
	ok "GPT with a damaged entry, $n" before got
	kind "GPT with a damaged entry, $n" "gpt backup"
	# the same, copied to a larger stick
	truncate -s 300M disk
	./dump parts disk $s >all 2>/dev/null
	tail -n +2 all >got
	ok "GPT with a damaged entry on a larger medium, $n" before got
	dd if=/dev/zero of=disk bs=$s seek=1 count=1 conv=notrunc status=none
	./dump parts disk $s >all 2>/dev/null || :
	sed -i 's/:.*//' all
	kind "GPT, both damaged, $n" "refused partition-table"
	cp good disk
	./dump parts disk >all 2>/dev/null
	tail -n +2 all >got
	ok "GPT, unknown sector size, $n" before got
done

rm -f disk good
truncate -s 200M disk
sgdisk -Z -o -S 256 -n 200:0:+10M -c 200:late -n 1:0:+5M -n 7:0:+6M \
	-h 1:7 disk >sgdisk.log 2>&1
tables "GPT of sgdisk, hybrid MBR, 256 entries" disk 512
kind "GPT of sgdisk, hybrid MBR, 256 entries" gpt

### other file systems

# same NAME KIND IMAGE TAG..: as blkid has them
same() {
	name=$1 want_kind=$2 img=$3
	uuid=$(blkid -p -o value -s UUID "$img" || :)
	label=$(blkid -p -o value -s LABEL "$img" || :)
	[ "${4:-}" != nolabel ] || label=
	echo "$want_kind|$uuid|$label" >want
	./dump id "$img" >got
	ok "$name" want got
}

for v in 2 3 4; do
	rm -f img
	truncate -s 20M img
	mkfs.ext$v -q -L "root fs $v" img
	same "ext$v" ext4 img
done
rm -f img
truncate -s 20M img
mkfs.ext4 -q -b 4096 -L "größe" img
same "ext4, label in UTF-8" ext4 img
rm -f img
truncate -s 20M img
mkfs.exfat -L STICK img >/dev/null
same exFAT exFAT img nolabel
rm -f img
truncate -s 20M img
mkfs.ntfs -q -F -f -L STICK img >/dev/null 2>&1
same NTFS NTFS img nolabel
genisoimage -quiet -V "CD 2024" -o img files/a 2>/dev/null
same "ISO 9660" "ISO 9660" img
xorriso -as mkisofs -quiet -V "CD2" -r -o img files/a >/dev/null 2>&1
same "ISO 9660 of xorriso" "ISO 9660" img
rm -f img
mksquashfs files/a img -quiet -no-progress >/dev/null
same squashfs squashfs img
truncate -s 100K img2
same empty empty img2
for img in img img2; do
	./dump ls $img >got || :
	sed -i 's/:.*//' got
	[ $img = img ] && echo "refused unsupported-filesystem" >want ||
		echo "refused unknown-filesystem" >want
	ok "$img is not FAT or exFAT" want got
done

cd "$top"
echo "media: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
