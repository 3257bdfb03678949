#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# What process 1 asks of its children, with loop devices as the device's disk
# and the stick: which files are taken, which are not and why, which device is
# which slot. Without root or loop devices (or with RESCUE_FILES=1) the slots
# are files, and image files stand for the disks: the same but for writing to a
# partition that was found by its label.
set -eu
cd "$(dirname "$0")/../.."
top=$PWD
bundles=$top/build/tests/bundles
tests/data/mkbundles.sh "$bundles"
tests/data/mkcerts.sh "$top/build/tests/certs"
make QUIET=1 V=check-gcc build/check-gcc/lib.a
work=$top/build/test/rescue
rm -rf "$work"
mkdir -p "$work"
cd "$work"
gcc -std=c11 -D_GNU_SOURCE -g -fsanitize=address,undefined -I"$top/src" \
	-isystem "$top/build/deps/src/bearssl/inc" \
	-Wl,--wrap=devices_scan -o rescue_job "$top/tests/diff/rescue_job.c" \
	"$top/build/check-gcc/lib.a" "$top/build/deps/gcc/libdeps.a"

loops=
end()
{
	for loop in $loops; do
		partx -d "$loop" 2>/dev/null || :
		losetup -d "$loop" 2>/dev/null || :
	done
}
trap end EXIT
# plug FILE: sets $loop
plug()
{
	if [ -n "$files" ]; then
		loop=$1
		RESCUE_DISKS="$RESCUE_DISKS $1"
		return
	fi
	loop=$(losetup -f --show "$1")
	loops="$loop $loops"
	# where the kernel reads no table, partx tells it
	partx -u "$loop" 2>/dev/null || partx -a "$loop" 2>/dev/null || :
}

# the one in $loop
unplug()
{
	if [ -n "$files" ]; then
		RESCUE_DISKS=${RESCUE_DISKS% *}
		return
	fi
	partx -d "$loop" 2>/dev/null || :
	losetup -d "$loop"
}

truncate -s 24M disk.img
printf '%s\n' 'label: gpt' 'size=1M, name="lb-test-env"' \
	'size=8M, name="lb-test-rootfs"' 'size=8M, name="lb-test-kernel"' |
	/sbin/sfdisk -q disk.img
files=${RESCUE_FILES:-}
if [ -z "$files" ] && { [ "$(id -u)" != 0 ] || ! plug disk.img 2>/dev/null ||
	! [ -b "${loop}p3" ]; }; then
	files=1
	end
	loops=
fi
if [ -n "$files" ]; then
	echo "rescue: no root or no loop devices: with files"
	RESCUE_DISKS=
	export RESCUE_DISKS
	disk=$work/part
	truncate -s 1M part1
	truncate -s 8M part2 part3
	rootfs=${disk}2
	kernel=${disk}3
	printf '%s\n' "${disk}1 0x0 0x2000" "${disk}1 0x2000 0x2000" >fw.conf
	cp fw.conf fw-real.conf
else
	disk=${loop}p
	rootfs=/dev/disk/by-partlabel/lb-test-rootfs
	kernel=PARTUUID=$(/sbin/blkid -p -s PART_ENTRY_UUID -o value "${disk}3")
	printf '%s\n' '/dev/disk/by-partlabel/lb-test-env 0x0 0x2000' \
		'PARTLABEL=lb-test-env 0x2000 0x2000' >fw.conf
	printf '%s\n' "${disk}1 0x0 0x2000" "${disk}1 0x2000 0x2000" \
		>fw-real.conf
fi

passed=0
failed=0
conf()
{
	cat >system.conf <<-END
		[system]
		compatible=Test
		bootloader=uboot

		[slot.rootfs.0]
		device=$rootfs
		bootname=A

		[slot.kernel.0]
		device=$1
		parent=rootfs.0
	END
}
conf "$kernel"
printf 'BOOT_ORDER=A\nBOOT_A_LEFT=0\n' >init
fw_setenv -c fw-real.conf -f init x 1 2>/dev/null

search()
{
	ASAN_OPTIONS=detect_leaks=0 timeout 60 ./rescue_job system.conf \
		fw.conf "$bundles/keyring.pem" "$@" >out 2>&1 || :
}

# sees WHAT PATTERN...: in what the last search said, all of them
sees()
{
	what=$1
	shift
	for pattern; do
		if grep -qe "$pattern" out; then
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
			echo "FAILED $what: no '$pattern' in"
			cat out
		fi
	done
}

# same IMAGE PARTITION
same()
{
	if cmp -n "$(wc -c <"$bundles/$1")" "$bundles/$1" "$disk$2" >out 2>&1
	then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		cat out
	fi
}

# stick FILE...: FAT32 in an MBR partition
stick()
{
	truncate -s 0 stick.img
	truncate -s 48M stick.img
	printf 'label: dos\n,,c\n' | /sbin/sfdisk -q stick.img
	mformat -i stick.img@@1M -F ::
	[ $# = 0 ] || mcopy -i stick.img@@1M "$@" ::
	plug stick.img
}

good=$bundles/good.raucb
search
sees 'no medium' 'medium 0, .*refused no-medium' 'boot 1' '\[ok\], action'

stick
search
sees 'an empty stick' 'medium 0, .*refused no-bundle'
unplug

for kind in ext4 NTFS; do
	truncate -s 0 stick.img
	truncate -s 16M stick.img
	case $kind in
	ext4) /sbin/mkfs.ext4 -q -F stick.img ;;
	*) printf 'NTFS    ' | dd of=stick.img bs=1 seek=3 conv=notrunc \
		2>/dev/null ;;
	esac
	plug stick.img
	search
	sees "a stick with $kind" "$kind" 'unsupported-filesystem'
	unplug
done

# one for another device, one signed by somebody else, a damaged one, a side
# file, a text; and the good one twice
mkdir files
head -c 65536 /dev/zero >zeros
cp "$good" files/good.raucb
cp "$good" files/also-good.raucb
cp "$bundles/hook.raucb" files/hook.raucb
printf '%s\n' '[update]' 'compatible=Other' 'version=9' '[bundle]' \
	'format=verity' '@TREE@' '[image.kernel]' 'filename=kernel.img' \
	"sha256=$(printf '%064d' 0)" 'size=4096' >other.manifest
"$top/tests/data/remake.py" zeros "$top/build/tests/certs/signer.pem" \
	"$top/build/tests/certs/signer.key" files/stranger.raucb \
	other.manifest
head -c 300000 "$good" >files/cut.raucb
cp "$good" files/flipped.raucb
printf X | dd of=files/flipped.raucb bs=1 seek=200000 conv=notrunc 2>/dev/null
echo note >files/readme.txt
echo side >files/._good.raucb
# shellcheck disable=SC2046 # no blanks in these names
stick $(find files -type f | sort)
search lifeboat.bundle=/flipped.raucb
sees 'the one asked for is damaged' 'refused verity-data' \
	'good.raucb: not taken: not the one asked for'
search
sees 'a stick with everything' \
	'stranger.raucb.*: not taken: .*\[signer-unknown\]' \
	'cut.raucb: not taken: .*\[' \
	'hook.raucb.*: not taken: .*\[bundle-hooks\]' \
	'readme.txt: not taken: no bundle name' \
	'/\._good.raucb: not taken: a macOS' \
	'good.raucb.*2024.1.*signed by Test signer.*: taken' \
	'not taken: the same as ' 'decision: 1' \
	'result:  \[ok\], action 1' \
	'for kernel.0, rootfs.0'
same rootfs.ext4 2
same kernel.img 3
fw_printenv -c fw-real.conf >out
sees 'the environment' '^BOOT_A_LEFT=3$' '^BOOT_ORDER=A$'
search
sees 'the same again' 'medium 3, tries 1' 'decision: 3'
unplug

# the same on exFAT, in one piece and in many, without a partition table
cp "$good" other.raucb
printf X | dd of=other.raucb bs=1 seek=200000 conv=notrunc 2>/dev/null
cp "$good" pieces.raucb
cp "$good" ordered.raucs
truncate -s 0 stick.img
"$top/tests/diff/exfat_image.py" stick stick.img 64 other.raucb pieces.raucb \
	ordered.raucs
plug stick.img
search
sees 'a stick with exFAT' 'medium 3, tries 1' \
	'other.raucb.*: not taken: .*\[verity-data\]' \
	'pieces.raucb.*: taken: the only one' \
	'ordered.raucs: not taken: in stream order' \
	'choice: .*/pieces.raucb: .*: taken: the only one' \
	'choice: .*/other.raucb: .*: not taken: '
search lifeboat.bundle=pieces.raucb
sees 'and it was asked for' 'pieces.raucb.*: taken: asked for'
RESCUE_CHOSEN=$(sed -n 's,^choice: \([^ ]*other.raucb\): .*,\1,p' out)
export RESCUE_CHOSEN
search
sees 'chosen at the console' 'pieces.raucb: not taken: not the one asked for' \
	'refused verity-data'
unset RESCUE_CHOSEN
unplug

# What lifeboat.conf asks of a bundle beyond its signature.
export RESCUE_CONF="$work/lifeboat.conf"
# trust LINE...
trust()
{
	printf '%s\n' '[trust]' "$@" >lifeboat.conf
}
stick "$good"
trust min-version=2025
search
sees 'older than the floor' 'refused bundle-version' \
	'no bundle older than 2025 is taken: min-version of lifeboat.conf' \
	'good.raucb (2024.1, signed by Test signer): not taken: .*: 2024.1, at least 2025 is asked for by min-version of lifeboat.conf \[bundle-version\]'
search lifeboat.ignore-floor
sees 'a development image whose operator insists' 'medium 3' \
	'ignore-floor: no version is too old'
trust min-version=2024.1.0 status-floor=true
search
sees 'just the floor, and no status file' 'medium 3' \
	'status file names no version that was installed: it sets no floor'
unplug
stick "$bundles/check.raucb"
trust
head -c 65536 /dev/urandom | dd of="${disk}3" conv=notrunc 2>/dev/null
search
sees 'a hook' 'check.raucb .*: not taken: .*filename=hook: ignore-hooks does not name pre-install install-check \[bundle-hooks\]'
trust ignore-hooks=install-check
search
sees 'another hook' 'refused bundle-hooks' \
	'ignore-hooks does not name pre-install \[bundle-hooks\]'
trust 'ignore-hooks=install-check;pre-install'
search
sees 'both hooks' 'check.raucb.*: taken' 'result:  \[ok\], action 1' \
	'hooks are not run (ignore-hooks): pre-install install-check'
same kernel.img 3
unplug
stick "$bundles/hook.raucb"
search
sees 'a hook that makes the system' \
	'not run here: post-install \[bundle-hooks\]'
unplug
unset RESCUE_CONF

# two of one version
cat "$bundles/keyring.pem" "$top/build/tests/certs/root.pem" >both.pem
sed 's/^version=.*/version=2024.1/; s/compatible=.*/compatible=Test/' \
	other.manifest >rival.manifest
"$top/tests/data/remake.py" zeros "$top/build/tests/certs/signer.pem" \
	"$top/build/tests/certs/signer.key" rival.raucb rival.manifest
stick files/good.raucb rival.raucb "$bundles/small.raucb"
ASAN_OPTIONS=detect_leaks=0 ./rescue_job system.conf fw.conf both.pem \
	>out 2>&1 || :
sees 'two bundles of one version' 'refused bundle-choice' \
	'choice: .*/good.raucb: .*different bundles, neither newer' \
	'choice: .*/rival.raucb: .*different bundles, neither newer' \
	'good.raucb.*: not taken: .*\[bundle-choice\]' \
	'rival.raucb.*: not taken: .*\[bundle-choice\]' \
	'small.raucb.*\[no-slot-for-image\]'
ASAN_OPTIONS=detect_leaks=0 ./rescue_job system.conf fw.conf both.pem \
	lifeboat.bundle=good.raucb >out 2>&1 || :
sees 'the one that was named' 'good.raucb.*: taken'
unplug

# a slot that is not there makes no other device the device's own
stick files/good.raucb
conf /dev/lb-none
search
sees 'a path that is not there' 'refused target-missing' 'slots 1'
unplug

# devices
[ -z "$files" ] || plug disk.img
stick files/good.raucb
stick_loop=$loop
conf PARTLABEL=lb-test-missing
search
sees 'a slot that is not there' 'refused target-missing' 'slots 1'
conf "UUID=0000-0000"
search
sees 'no such UUID' 'refused target-missing'
conf PARTLABEL=lb-test-kernel
search
if [ -n "$files" ]; then
	# the disk is the first device, its third partition the fourth
	sees 'by its label' '/dev/rescue-image3'
else
	sees 'by its label' 'medium 3'
fi
cp disk.img foreign.img
plug foreign.img
search
sees 'two disks of one kind' 'target-ambiguous'
unplug
loop=$stick_loop
unplug

# two groups: which of them the attempts go to, and that they end
two_groups()
{
	truncate -s 48M two.img
	printf '%s\n' 'label: gpt' 'size=1M, name="lb-two-env"' \
		'size=8M, name="lb-two-r0"' 'size=8M, name="lb-two-k0"' \
		'size=8M, name="lb-two-r1"' 'size=8M, name="lb-two-k1"' |
		/sbin/sfdisk -q two.img
	plug two.img
	disk=${loop}p
	printf '%s\n' '[system]' 'compatible=Test' 'bootloader=uboot' \
		>system.conf
	for i in 0 1; do
		printf '%s\n' "[slot.rootfs.$i]" \
			"device=PARTLABEL=lb-two-r$i" \
			"bootname=$(echo $i | tr 01 AB)" "[slot.kernel.$i]" \
			"device=PARTLABEL=lb-two-k$i" "parent=rootfs.$i"
	done >>system.conf
	printf '%s\n' 'PARTLABEL=lb-two-env 0x0 0x2000' \
		'PARTLABEL=lb-two-env 0x2000 0x2000' >fw.conf
	printf '%s\n' "${disk}1 0x0 0x2000" "${disk}1 0x2000 0x2000" \
		>fw-real.conf
	stick files/good.raucb

	state 'A B' 0 0
	for try in 1 2; do
		search
		sees "new attempts $try" 'medium 3' 'decision: 2' \
			'\[ok\], action 2'
		fw_printenv -c fw-real.conf >out
		sees 'they are counted' "^LIFEBOAT_TRIES=$try:" \
			'^BOOT_A_LEFT=3'
		fw_setenv -c fw-real.conf BOOT_A_LEFT 0 2>/dev/null
	done
	search
	sees 'a stick left in ends' 'medium 3, tries 2' 'decision: 4'

	state 'B A' 0 0
	search
	fw_printenv -c fw-real.conf >out
	sees 'the group that holds the bundle' '^BOOT_ORDER=A B' \
		'^BOOT_B_LEFT=0'

	for left in 0 3; do
		state B 0 $left
		search
		sees 'cut before the last step' 'medium 2' 'for kernel.0' \
			'\[ok\], action 1'
		fw_printenv -c fw-real.conf >out
		sees 'finished now' '^BOOT_ORDER=A B' '^BOOT_A_LEFT=3'
	done

	state 'A B' 3 3
	head -c 4096 /dev/zero >"${disk}2"
	head -c 16384 /dev/zero >"${disk}1"
	search
	sees 'half a group is given up first' 'boot 3, slots 1' \
		'for kernel.0' 'action 1'

	state 'A B' 0 0
	cp system.conf uboot.conf
	sed -i s/=uboot/=noop/ system.conf
	search
	sees 'nobody says what is booted' 'for kernel.1' 'action 1'
	search
	sees 'attempts that nobody stores' 'there is no boot state' \
		'\[boot-env-io\]'
	unplug

	cp uboot.conf system.conf
	state 'B A' 0 0
	search
	fw_printenv -c fw-real.conf >out
	sees 'the first in the order' '^BOOT_ORDER=B A' '^BOOT_B_LEFT=3'
}

# state BOOT_ORDER A-LEFT B-LEFT, with the good bundle in A, and B whole
state()
{
	for i in 2 3 4 5; do
		yes old | head -c 65536 >"$disk$i"
	done
	cat "$bundles/rootfs.ext4" >"${disk}2"
	cat "$bundles/kernel.img" >"${disk}3"
	head -c 16384 /dev/zero >"${disk}1"
	printf 'BOOT_ORDER=%s\nBOOT_A_LEFT=%s\nBOOT_B_LEFT=%s\n' "$@" >init
	fw_setenv -c fw-real.conf -f init x 1 2>/dev/null
}

[ -n "$files" ] || two_groups

echo "rescue: $passed passed, $failed failed"
[ "$failed" = 0 ]
