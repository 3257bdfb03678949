#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# RAUC's status file as `lifeboat install` and a rescue write it: on
# partitions and in folders that are damaged, full, hostile, not there or
# stand still. A partition of its own needs root and loop devices; without
# them only the command line's part is run.
set -eu
cd "$(dirname "$0")/../.."
if [ "$(id -u)" = 0 ] && [ "${RECORDER_SH_INSIDE:-}" != "$PWD" ]; then
	export RECORDER_SH_INSIDE="$PWD"
	exec tests/own-root.sh "tests/diff/${0##*/}" "$@"
fi
top=$PWD
lifeboat=${LIFEBOAT:-$top/build/host/lifeboat}
bundles=$top/build/tests/bundles
tests/data/mkbundles.sh "$bundles"
make QUIET=1 host
make QUIET=1 V=check-gcc build/check-gcc/lib.a
work=$top/build/test/recorder
mkdir -p "$work"
find "$work" -mindepth 1 -delete
cd "$work"
gcc -std=c11 -D_GNU_SOURCE -g -fsanitize=address,undefined -I"$top/src" \
	-isystem "$top/build/deps/src/bearssl/inc" \
	-Wl,--wrap=devices_scan -o rescue_job "$top/tests/diff/rescue_job.c" \
	"$top/build/check-gcc/lib.a" "$top/build/deps/gcc/libdeps.a"
export ASAN_OPTIONS=detect_leaks=0
good=$bundles/good.raucb
PATH=$PATH:/sbin:/usr/sbin

passed=0
failed=0
# check WHAT COMMAND...
check()
{
	what=$1
	shift
	if "$@" >check.out 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED $what: $*"
		head -n 20 check.out
		tail -n 20 out 2>/dev/null || :
	fi
}

loops=
mounts=
end()
{
	fsfreeze -u frozen 2>/dev/null || :
	for dir in $mounts; do
		umount -l "$dir" 2>/dev/null || :
	done
	for loop in $loops; do
		partx -d "$loop" 2>/dev/null || :
		losetup -d "$loop" 2>/dev/null || :
	done
}
trap end EXIT
# plug FILE: sets $loop
plug()
{
	loop=$(losetup -f --show "$1")
	loops="$loop $loops"
	partx -u "$loop" 2>/dev/null || partx -a "$loop" 2>/dev/null || :
}

unplug()
{
	partx -d "$loop" 2>/dev/null || :
	losetup -d "$loop"
}

root=
[ "$(id -u)" != 0 ] || root=1

# ---- the command line: folders of the running system

# conf DIR: a system with two slots of files in $work/DIR.d
conf()
{
	mkdir -p "$1.d"
	cat >"$1.d/system.conf" <<-END
		[system]
		compatible=Test
		bootloader=noop
		statusfile=$work/$1/rauc/central.raucs
		[keyring]
		path=$bundles/keyring.pem
		[slot.rootfs.0]
		device=rootfs
		[slot.kernel.0]
		device=kernel
		parent=rootfs.0
	END
	truncate -s 0 "$1.d/rootfs" "$1.d/kernel"
	truncate -s 8M "$1.d/rootfs" "$1.d/kernel"
}

install()
{
	timeout 60 "$lifeboat" install --conf="$work/$1.d/system.conf" \
		--override-boot-slot=_external_ "$good" >out 2>&1
}

written()
{
	cmp -n "$(wc -c <"$bundles/rootfs.ext4")" "$bundles/rootfs.ext4" \
		"$1.d/rootfs"
}

# holds FILE STATUS...: what it says of rootfs.0 and kernel.0, and of what
holds()
{
	python3 - "$@" <<-END
		import configparser, hashlib, sys
		file = configparser.ConfigParser(interpolation=None)
		file.read(sys.argv[1])
		for slot, image in (("rootfs.0", "rootfs.ext4"),
		                    ("kernel.0", "kernel.img")):
		    group = file["slot." + slot]
		    assert group["status"] == sys.argv[2], dict(group)
		    if sys.argv[2] == "ok":
		        content = open("$bundles/" + image, "rb").read()
		        assert group["size"] == str(len(content))
		        assert group["sha256"] == \
		            hashlib.sha256(content).hexdigest()
		        assert group["bundle.version"] == "2024.1"
		    else:
		        assert not "sha256" in group and not "size" in group
	END
}

none_said()
{
	! grep -q 'status file:' out
}

said_once()
{
	[ "$(grep -c 'status file: ' out)" = 1 ] &&
		grep -q "status file: .*\[$1\]" out
}

# A file system that takes no writes: the kernel holds whoever tries, and
# nothing ends it. Looked at in the end.
mkdir frozen
if [ -n "$root" ] && truncate -s 16M frozen.img &&
	mkfs.ext4 -q -F frozen.img && mount -o loop frozen.img frozen; then
	mounts="frozen $mounts"
	mkdir frozen/rauc
	conf frozen
	fsfreeze -f frozen
	(
		rc=0
		timeout 100 "$lifeboat" install \
			--conf="$work/frozen.d/system.conf" \
			--override-boot-slot=_external_ "$good" \
			>frozen.out 2>&1 || rc=$?
		echo $rc >frozen.rc
	) &
	hanging=$!
else
	echo "recorder: no root or no loop devices: no partitions"
	hanging=
fi

conf plain
check 'a folder that is not there' install plain
check 'is made' test "$(stat -c %a plain plain/rauc | sort -u)" = 700
check 'nothing is said' none_said
check 'the file' holds plain/rauc/central.raucs ok
check 'and nothing else' test "$(ls -A plain/rauc)" = central.raucs
cp plain/rauc/central.raucs first
check 'again' install plain
check 'counted' grep -q '^installed.count=2$' plain/rauc/central.raucs
"$lifeboat" status --detailed --conf="$work/plain.d/system.conf" \
	--override-boot-slot=_external_ >out 2>&1
check 'status' grep -q '^          status=ok$' out
check 'its size' grep -q "^              size=$(wc -c <"$bundles/kernel.img")$" out
check 'says whose words these are' grep -q 'as the status file has it' out
"$lifeboat" status --conf="$work/plain.d/system.conf" \
	--override-boot-slot=_external_ >out 2>&1
check 'not without --detailed' test "$(grep -c sha256 out)" = 0
for kind in fifo folder link; do
	rm -rf odd
	case $kind in
	fifo) mkfifo odd ;;
	folder) mkdir odd ;;
	link) ln -s first odd ;;
	esac
	timeout 20 "$lifeboat" status --detailed \
		--conf="$work/plain.d/system.conf" \
		-C system:statusfile="$work/odd" \
		--override-boot-slot=_external_ >out 2>&1
	check "status and a $kind" said_once '[a-z-]*'
	check "status and a $kind: the rest" grep -q rootfs.0 out
done
rm -rf odd

# What stands where the file should be is moved aside, never followed.
for kind in link dangling fifo folder device huge binary; do
	rm -rf odd odd.d
	conf odd
	mkdir -p odd/rauc
	file=odd/rauc/central.raucs
	cp first victim
	case $kind in
	link) ln -s "$work/victim" $file ;;
	dangling) ln -s "$work/made" $file ;;
	fifo) mkfifo $file ;;
	folder)
		mkdir $file
		echo keep >$file/this
		;;
	device)
		[ -n "$root" ] || continue
		mknod $file c 1 5
		;;
	huge) truncate -s 1G $file ;;
	binary) printf '[slot.rootfs.0]\nstatus=ok\n\0' >$file ;;
	esac
	ls -l $file >was
	check "a $kind" install odd
	check "a $kind: written" written odd
	check "a $kind: said once" said_once status-damaged
	check "a $kind: the file" holds $file ok
	check "a $kind: regular" test -f $file -a ! -L $file
	check "a $kind: kept" test -e $file.broken -o -L $file.broken
	check "a $kind: not followed" cmp first victim
	check "a $kind: nor made" test ! -e made
	[ $kind != folder ] || check 'what was in it' grep -q keep \
		$file.broken/this
done

# a name that is taken, a temporary file that a cut left behind
conf taken
mkdir -p taken/rauc/central.raucs.new
check 'the temporary name is taken' install taken
check 'that is said' said_once status-not-written
conf left
mkdir -p left/rauc
echo rubbish >left/rauc/central.raucs.new
check 'left from a cut' install left
check 'it is gone' test "$(ls -A left/rauc)" = central.raucs
conf file
echo file >file
check 'the folder is a file' install file
check 'said' said_once status-place
check 'as it was' grep -q file file

# links of the running system are root's
conf via
mkdir real
ln -s real via
check 'a folder behind a link' install via
check 'is followed there' holds real/rauc/central.raucs ok

# full: what is not longer is written in the old one's place
if [ -n "$root" ] && mkdir full && mount -t tmpfs -o size=16k tmpfs full; then
	mounts="full $mounts"
	conf full
	mkdir full/rauc
	sed -i '1i# kept' first
	sed '/^sha256/s/[0-9a-f]\{8\}$/00000000/' first \
		>full/rauc/central.raucs
	size=$(wc -c <full/rauc/central.raucs)
	cat /dev/zero >full/fill 2>err || :
	check 'full' install full
	check 'written all the same' none_said
	check 'full: ok' holds full/rauc/central.raucs ok
	check 'of the same length' test "$size" = \
		"$(wc -c <full/rauc/central.raucs)"
	check 'the comment' grep -q '^# kept' full/rauc/central.raucs
	# longer than what was there
	rm full/fill
	sed '/^bundle/d; /^activated/d' first >full/rauc/central.raucs
	cat /dev/zero >full/fill 2>err || :
	check 'full and longer' install full
	check 'that is said' said_once status-not-written
	check 'at least it is not ok' holds full/rauc/central.raucs pending
	check 'full and longer: written' written full
	mount -o remount,ro full
	check 'read-only' install full
	check 'read-only is said' said_once status-not-written
	umount full
fi

# ---- process 1's: a partition of its own

put()
{
	dd if="$1" of="${disk}$2" bs=1M conv=fsync 2>err
}

search()
{
	timeout 100 ./rescue_job system.conf fw.conf "$bundles/keyring.pem" \
		>out 2>&1 || :
}

# A device whose slots are old, and a fresh file system with files in it.
device()
{
	head -c 65536 /dev/urandom >old
	put old 2
	put old 3
	head -c 16384 /dev/zero >"${disk}1"
	printf 'BOOT_ORDER=A\nBOOT_A_LEFT=0\n' >init
	fw_setenv -c fw-real.conf -f init x 1 2>err
	mkfs.ext4 -q -F -d tree "${disk}4"
}

# The partition's files, without looking at the status file.
files()
{
	e2fsck -fn "${disk}4" >err 2>&1 || return 1
	rm -rf found
	mkdir found
	debugfs -R "rdump / found" "${disk}4" >err 2>&1
	cp found/rauc/central.raucs central 2>err || :
	rm -rf found/rauc/central.raucs found/lost+found
	(cd found && find . ! -type d | sort && find . -type f -print0 |
		sort -z | xargs -0 cat)
}

rescued()
{
	grep -q 'result:  \[ok\], action 1' out &&
		cmp -n "$(wc -c <"$bundles/rootfs.ext4")" \
			"$bundles/rootfs.ext4" "${disk}2"
}

not_mounted()
{
	! grep -q "${disk}4" /proc/mounts
}

if [ -n "$hanging" ]; then
	truncate -s 40M disk.img
	printf '%s\n' 'label: gpt' 'size=1M, name="lb-rec-env"' \
		'size=8M, name="lb-rec-rootfs"' \
		'size=8M, name="lb-rec-kernel"' 'size=16M, name="lb-rec-data"' |
		sfdisk -q disk.img
	plug disk.img
	disk=${loop}p
	own=$loop
	for copy in 0x0 0x2000; do
		echo "PARTLABEL=lb-rec-env $copy 0x2000" >&3
		echo "${disk}1 $copy 0x2000" >&4
	done 3>fw.conf 4>fw-real.conf
	cat >system.conf <<-END
		[system]
		compatible=Test
		bootloader=uboot
		data-directory=/data/rauc
		[slot.rootfs.0]
		device=PARTLABEL=lb-rec-rootfs
		bootname=A
		[slot.kernel.0]
		device=PARTLABEL=lb-rec-kernel
		parent=rootfs.0
	END
	printf '[data]\ndevice=PARTLABEL=lb-rec-data\n' >lifeboat.conf
	export RESCUE_CONF="$work/lifeboat.conf"
	truncate -s 48M stick.img
	printf 'label: dos\n,,c\n' | sfdisk -q stick.img
	mformat -i stick.img@@1M -F ::
	mcopy -i stick.img@@1M "$good" ::
	plug stick.img
	stick=$loop
	mkdir -p tree/rauc/slot.rootfs.0 tree/log
	head -c 300000 /dev/urandom >tree/calibration
	echo text >tree/log/messages
	ln -s log/messages tree/link
	sed 's/^status=ok/status=failed/' first >tree/rauc/central.raucs

	device
	files >files.was
	search
	check 'a rescue' rescued
	check 'nothing is said' none_said
	check 'not mounted any more' not_mounted
	files >files.is
	check 'the other files, a clean file system' cmp files.was files.is
	check 'the status file' holds central ok
	check 'its comment' grep -q '^# kept' central
	cp central central.was
	search
	check 'the same again' grep -q 'medium 3' out
	files >files.is
	check 'the same again: not written' cmp central central.was
	check 'the same again: the rest' cmp files.was files.is

	# What was installed is no older bundle's to replace, as far as the
	# file can be believed.
	printf '[trust]\nstatus-floor=true\n' >>lifeboat.conf
	# version of what is ok in rootfs.0
	version()
	{
		sed "s/^bundle.version=.*/bundle.version=$1/" first \
			>tree/rauc/central.raucs
		device
		files >files.was
		cp central central.was
		search
		files >files.is
		check "version $1: not mounted" not_mounted
		check "version $1: the other files" cmp files.was files.is
	}
	version 2025.1
	check 'newer was installed' grep -q 'good.raucb (2024.1, .*: not taken: .* at least 2025.1 is asked for by the status file .bundle-version' out
	check 'newer was installed: that is all' cmp central.was central
	version 2023.9
	check 'older was installed' rescued
	check 'older was installed: which' grep -q \
		'no bundle older than 2023.9 is taken: the status file' out
	check 'older was installed: the file' holds central ok
	version spring
	check 'no version was installed' rescued
	check 'no version: that is said' grep -q 'it sets no floor' out
	rm -r tree/rauc
	device
	search
	check 'no file' rescued
	check 'no file: that is said' grep -q 'it sets no floor' out
	mkdir -p tree/rauc/central.raucs.new
	echo junk >tree/rauc/central.raucs
	device
	search
	check 'junk' rescued
	check 'junk: that is said, and only that' \
		grep -q 'status file: .* \[keyfile-syntax\]$' out
	check 'junk: what is not written is said, too' \
		grep -q 'status file: .* \[status-not-written\]: ' out
	rm -r tree/rauc
	device
	dd if=/dev/urandom of="${disk}4" bs=4k count=4 2>err
	search
	check 'no file system' rescued
	check 'no file system: said of the question and of the change' \
		test "$(grep -c 'status file: .*status-unreachable' out)" = 2
	check 'no file system: no floor' grep -q 'it sets no floor' out
	mkdir -p tree/rauc/slot.rootfs.0
	sed -i '/trust/,$d' lifeboat.conf
	cp first tree/rauc/central.raucs
	device
	search
	files >files.was

	# cut between the last two steps
	sed 's/^status=ok/status=pending/; /^sha256/d; /^size/d' central \
		>tree/rauc/central.raucs
	mkfs.ext4 -q -F -d tree "${disk}4"
	search
	check 'cut before the end: the same' grep -q 'medium 3' out
	files >files.is
	check 'cut before the end: ok' holds central ok

	# goes_on WHAT REASON: after what was done to a fresh device
	goes_on()
	{
		search
		check "$1" rescued
		check "$1: said once" said_once "$2"
		check "$1: not mounted" not_mounted
	}
	cp first tree/rauc/central.raucs
	device
	dd if=/dev/urandom of="${disk}4" bs=4k count=4 2>err
	goes_on 'no superblock' status-unreachable
	device
	dd if=/dev/urandom of="${disk}4" bs=1k seek=2 count=64 \
		conv=notrunc 2>err
	goes_on 'damaged tables' 'status-[a-z-]*'
	device
	mkfs.vfat "${disk}4" >err
	goes_on 'another file system' status-unreachable
	device
	blockdev --setro "${disk}4"
	goes_on 'write-protected' status-unreachable
	blockdev --setrw "${disk}4"
	files >files.is
	check 'write-protected: as it was' cmp first central

	device
	mkdir victims
	for kind in link file dangling; do
		rm -rf tree/rauc
		case $kind in
		link) ln -s "$work/victims" tree/rauc ;;
		file) echo file >tree/rauc ;;
		dangling) ln -s nowhere tree/rauc ;;
		esac
		device
		goes_on "the folder is a $kind" status-place
		check 'nothing is made there' test -z "$(ls -A victims)"
		rm -rf tree/rauc
	done
	for kind in link fifo device; do
		mkdir tree/rauc
		echo victim >victim
		case $kind in
		link) ln -s "$work/victim" tree/rauc/central.raucs ;;
		fifo) mkfifo tree/rauc/central.raucs ;;
		device) mknod tree/rauc/central.raucs b 7 "${own#/dev/loop}" ;;
		esac
		device
		goes_on "the file is a $kind" status-damaged
		files >files.is || :
		check "a $kind: the file is new" holds central ok
		check "a $kind: not followed" grep -qx victim victim
		rm -rf tree/rauc
	done
	mkdir tree/rauc
	cp first tree/rauc/central.raucs

	device
	printf '[data]\ndevice=PARTLABEL=lb-rec-none\n' >lifeboat.conf
	goes_on 'no such partition' status-unreachable
	printf '[data]\ndevice=PARTLABEL=lb-rec-kernel\n' >lifeboat.conf
	device
	goes_on 'a slot' status-place
	printf '[data]\ndevice=%s\n' "$own" >lifeboat.conf
	device
	goes_on 'the disk' status-place
	printf '[data]\ndevice=PARTLABEL=lb-rec-data\nmount-point=/other\n' \
		>lifeboat.conf
	device
	goes_on 'mounted elsewhere' status-place
	printf '[data]\ndevice=PARTLABEL=lb-rec-data\ntype=none\n' \
		>lifeboat.conf
	device
	goes_on 'no such type' status-unreachable
	printf '[data]\ndevice=PARTLABEL=lb-rec-data\noptions=nonsense\n' \
		>lifeboat.conf
	device
	goes_on 'options that it does not know' status-unreachable
	printf '[data]\ndevice=PARTLABEL=lb-rec-data\n' >lifeboat.conf
	files >files.is
	check 'none of these touched it' cmp first central

	# a second one of this name, then only that one, on a medium
	truncate -s 20M other.img
	printf 'label: gpt\nsize=16M, name="lb-rec-data"\n' | sfdisk -q other.img
	plug other.img
	mkfs.ext4 -q -F -d tree "${loop}p1"
	cp "${loop}p1" other.was
	device
	goes_on 'two of one name' status-unreachable
	check 'they are called several' grep -q 'several devices' out
	sfdisk -q --part-label "$own" 4 lb-rec-gone --no-reread 2>err
	device
	goes_on 'on a medium' status-place
	check 'the medium is not touched' cmp other.was "${loop}p1"
	unplug
	loop=$stick
	unplug

	# ---- the one that stands still
	n=0
	while [ ! -e frozen.rc ] && [ $n -lt 60 ]; do
		sleep 1
		n=$((n + 1))
	done
	check 'it does not keep the install' test "$(cat frozen.rc)" = 0
	cp frozen.out out
	check 'the time-out is said' said_once status-unreachable
	check 'frozen: written' written frozen
	stuck()
	{
		pgrep -x -f "$lifeboat install --conf=$work/frozen.d/.*"
	}
	check 'it was not to be ended' stuck
	pid=$(stuck)
	check 'its root is the folder' test "$(readlink "/proc/$pid/root")" = \
		"$work/frozen/rauc"
	check 'seccomp' grep -q '^Seccomp:.2$' "/proc/$pid/status"
	for set in Prm Eff Bnd; do
		check 'no capability' grep -q "^Cap$set:.0000000000000000$" \
			"/proc/$pid/status"
	done
	check 'nobody waits for its descriptors' test \
		"$(find "/proc/$pid/fd" -type l | wc -l)" -le 4
	fsfreeze -u frozen
	n=0
	while stuck >/dev/null && [ $n -lt 100 ]; do
		sleep 0.1
		n=$((n + 1))
	done
	check 'it ends when it can' test $n -lt 100
	wait "$hanging"
	umount frozen
fi

echo "recorder: $passed passed, $failed failed"
[ "$failed" = 0 ]
