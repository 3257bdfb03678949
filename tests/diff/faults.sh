#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# faults.sh [all]: every child of a rescue job is killed, stopped, and given a
# wrong answer at every system call; see fault_job.c. all: also every repeated
# step of a sandbox, and every call for the stops.
set -eu
cd "$(dirname "$0")/../.."
top=$PWD
work=$top/build/test/faults
rm -rf "$work"
mkdir -p "$work/o" "$work/content"
tests/data/mkbundles.sh build/tests/bundles
tests/data/mkcerts.sh build/tests/certs
make QUIET=1 V=check-gcc build/deps/gcc/libdeps.a build/check-gcc/embedded.c

# without sanitizers: it forks some ten thousand times
deps=build/deps/src
for f in src/*/*.c init/origins.c tests/diff/fault_*.c; do
	echo "$f"
done | xargs -P 2 -n 8 sh -c '
	out=$1 deps=$2
	shift 2
	for f; do
		gcc -std=c11 -D_GNU_SOURCE -O1 -g -Isrc -I. \
			-isystem $deps/bearssl/inc -isystem $deps/libdeflate \
			-isystem $deps/libzstd/lib -isystem $deps/lz4/lib \
			-isystem $deps/xz \
			-c -o "$out/$(echo "$f" | tr / _).o" "$f" || exit 255
	done' sh "$work/o" "$deps"
rm -f "$work/lib.a"
ar rcsD "$work/lib.a" "$work"/o/*.o
gcc -Wl,--wrap=devices_scan,--wrap=lock_boot_env,--wrap=job_start \
	-Wl,--wrap=clock_gettime -o "$work/fault_job" \
	"$work"/o/tests_*.o "$work/lib.a" build/deps/gcc/libdeps.a

# a stick with a bundle of two small images
bundles=$top/build/tests/bundles
certs=$top/build/tests/certs
cd "$work"
{
	head -c 90000 "$bundles/small.raucb"
	head -c 40000 /dev/zero
	yes "the quick brown fox" | head -c 50123
} >content/rootfs.img
head -c 30001 "$bundles/kernel.img" >content/kernel.img
printf '%s\n' '[update]' 'compatible=Test' 'version=2' '[bundle]' \
	'format=verity' '[image.rootfs]' 'filename=rootfs.img' \
	'[image.kernel]' 'filename=kernel.img' >content/manifest.raucm
cp -r content images
rauc bundle --cert="$certs/signer.pem" --key="$certs/signer.key" \
	--mksquashfs-args='-comp gzip' content test.raucb >log 2>&1
truncate -s 8M stick.img
printf 'label: dos\n,,6\n' | /sbin/sfdisk -q stick.img
mformat -i stick.img@@1M ::
mcopy -i stick.img@@1M test.raucb ::

# fsync is what takes time on a disk; what it does is not this test's concern
disks=$work
[ -w /dev/shm ] && disks=/dev/shm
disks=$(mktemp -d "$disks/lifeboat-faults.XXXXXX")
trap 'rm -rf "$disks"' EXIT
parts=6
pids=
for i in $(seq 0 $((parts - 1))); do
	mkdir "$disks/$i"
	# shellcheck disable=SC2086 # a word or none
	./fault_job "$disks/$i" "$certs/root.pem" "$work/stick.img" \
		"$work/images" ${1:-} $i $parts >out$i 2>&1 &
	pids="$pids $!"
done
bad=0
for pid in $pids; do
	wait "$pid" || bad=1
done
cat out* | grep -vE '^(fault|visit|fault_job:)' || :
cat out* | awk -v bad=$bad '
/^fault / { n[sprintf("%-8s %s", $(NF - 1), $NF)]++; all++ }
/^visit / { visits++ }
/^fault_job: / { passed += $2; failed += $4 }
END {
	for (k in n)
		printf "%6d %s\n", n[k], k | "sort -k 2"
	close("sort -k 2")
	print all " faults, " visits " visits to recovery"
	if (bad && failed == 0)
		failed = 1
	print "faults: " passed + 0 " passed, " failed + 0 " failed"
	exit failed != 0 || passed == 0
}'
