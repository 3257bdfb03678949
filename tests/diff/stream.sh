#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# Streams of bundles that rauc made, with every option of mksquashfs that
# moves data about: turned back they are the same files, which rauc finds
# right, and installed as they come they are the images. Needs no root.
# usage: tests/diff/stream.sh [WORKDIR]
set -eu
export LC_ALL=C.UTF-8
unset SOURCE_DATE_EPOCH
cd "$(dirname "$0")/../.."
top=$PWD
work=${1:-build/test/stream}
rm -rf "$work"
mkdir -p "$work/content"
work=$(cd "$work" && pwd)
make QUIET=1 host >&2
lifeboat=$top/build/host/lifeboat
pki=$top/build/pki
cd "$work"

passed=0
failed=0

# ok NAME COMMAND...
ok()
{
	name=$1
	shift
	if "$@" >log 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED $name"
		tail -n 5 log
	fi
}

refused()
{
	reason=$1
	shift
	"$@" >out 2>&1 && return 1
	grep -q "\[$reason\]" out || { cat out; return 1; }
}

noise()
{
	openssl enc -aes-128-ctr -nosalt -K "$(printf %032x "$2")" \
		-iv 00000000000000000000000000000000 -in /dev/zero 2>/dev/null |
		head -c "$1"
}

# Holes, text, noise; tails of every length; one image twice.
{
	noise 700001 1
	head -c 1500000 /dev/zero
	yes "a line" | head -c 400000
	noise 1234567 2
} >content/rootfs.ext4
noise 300007 3 >content/kernel.img
cp content/kernel.img content/spare.img
{
	noise 262144 4
	head -c 262144 /dev/zero
} >content/boot.img
noise 1500 5 >content/small.img
noise 4097 6 >content/other.img
noise 90000 7 >content/unused.bin
images="rootfs.ext4 kernel.img spare.img boot.img small.img other.img"

{
	printf '[system]\ncompatible=x\nbootloader=noop\n[encryption]\n'
	printf 'key=%s\n' "$pki/crypt-rsa.key.pem"
	printf 'cert=%s\n' "$pki/crypt-rsa.cert.pem"
	parent=
	for image in $images; do
		class=${image%.*}
		printf '[slot.%s.0]\ndevice=slot-%s\n%s' "$class" "$class" \
			"$parent"
		parent="parent=rootfs.0
"
	done
} >system.conf

# prepare FORMAT [IMAGE...]
prepare()
{
	printf '[update]\ncompatible=x\nversion=1\n[bundle]\nformat=%s\n' "$1"
	shift
	for image in "$@"; do
		printf '[image.%s]\nfilename=%s\n' "${image%.*}" "$image"
	done
}

slots()
{
	for image in $images; do
		rm -f "slot-${image%.*}"
		truncate -s 4M "slot-${image%.*}"
	done
}

# The slots hold what the images are.
hold()
{
	for image in $images; do
		cmp -n "$(wc -c <"content/$image")" "content/$image" \
			"slot-${image%.*}" || return 1
	done
}

there_and_back()
{
	"$lifeboat" stream "$1.raucb" "$1.raucs" &&
		"$lifeboat" stream --restore "$1.raucs" back.raucb &&
		cmp "$1.raucb" back.raucb
}

# Both ends are pipes.
# shellcheck disable=SC2002 # a file could seek
over_pipes()
{
	"$lifeboat" stream - - <"$1.raucb" | cmp - "$1.raucs" &&
		cat "$1.raucs" | "$lifeboat" stream --restore - piped.raucb &&
		cmp "$1.raucb" piped.raucb
}

rauc_info()
{
	rauc info --conf=system.conf --keyring="$pki/keyring.pem" back.raucb
}

# install NAME [OPTION]
install()
{
	stream=$1.raucs
	shift
	# shellcheck disable=SC2002 # a file could seek
	cat "$stream" | "$lifeboat" install --conf system.conf \
		--keyring "$pki/keyring.pem" "$@" -
}

# No slot begins with anything.
headless()
{
	for image in $images; do
		cmp -n 4096 "slot-${image%.*}" /dev/zero || return 1
	done
}

# try NAME: all of it
try()
{
	ok "$1: there and back" there_and_back "$1"
	ok "$1: rauc info" rauc_info
	slots
	ok "$1: installed" install "$1"
	ok "$1: in the slots" hold
}

bundle()
{
	rauc bundle --cert="$pki/signer.pem" --key="$pki/signer.key" \
		--mksquashfs-args="$2" content "$1.raucb" >log 2>&1 ||
		{ cat log; exit 1; }
}

# shellcheck disable=SC2086 # words
prepare verity $images >content/manifest.raucm
n=0
for args in "-comp gzip" "-comp gzip -b 4K" "-comp zstd -b 1M" \
	"-comp xz -b 256K -always-use-fragments" "-comp lz4 -b 16K" \
	"-comp lz4 -b 32K -always-use-fragments" \
	"-comp zstd -no-duplicates -no-fragments -b 64K" \
	"-comp gzip -noI -noD -noF -no-sparse -b 8K"; do
	n=$((n + 1))
	bundle "b$n" "$args"
	try "b$n"
	echo "$args"
done
ok "over pipes" over_pipes b1

# Nothing but these slots can be started, so they are kept; and what is cut
# short is done by the next one.
cp b1.raucs whole.raucs
head -c 2000000 b1.raucs >short.raucs
{ cat b1.raucs; echo more; } >long.raucs
ok "the last good slots are kept" refused last-good-slot install whole
ok "and are still there" hold
ok "cut short" refused stream-cut install short --give-up-last-good
ok "no heads" headless
ok "more than all" refused stream-header install long
ok "no heads" headless
ok "done" install whole
ok "and there" hold

# So small that its tables begin in the first block.
mkdir tiny
noise 3700 8 >tiny/small.img
prepare verity small.img >tiny/manifest.raucm
rauc bundle --cert="$pki/signer.pem" --key="$pki/signer.key" \
	--mksquashfs-args="-comp gzip -noI" tiny tiny.raucb >log 2>&1
ok "tiny: there and back" there_and_back tiny
slots
ok "tiny: installed" install tiny
ok "tiny: in its slot" cmp -n 3700 tiny/small.img slot-small

# Encrypted: nobody has the key but the device.
for args in "-comp zstd -b 1M" "-comp xz -b 64K -always-use-fragments"; do
	n=$((n + 1))
	# shellcheck disable=SC2086
	prepare crypt $images >content/manifest.raucm
	bundle open "$args"
	ok "not in an envelope" there_and_back open
	rauc encrypt --keyring="$pki/keyring.pem" --to="$pki/crypt-rsa.cert.pem" open.raucb \
		"b$n.raucb" >log 2>&1
	rm open.raucb
	ok "b$n: there and back" there_and_back "b$n"
	ok "b$n: rauc info" rauc_info
	slots
	ok "b$n: installed" install "b$n"
	ok "b$n: in the slots" hold
	echo "encrypted $args"
done

# What cannot be one.
prepare plain small.img >content/manifest.raucm
bundle plain "-comp gzip"
ok "plain" refused stream-bundle-format \
	"$lifeboat" stream plain.raucb plain.raucs
ok "nothing is left of it" test ! -e plain.raucs -a ! -e plain.raucs.part
ok "no stream" refused stream-header \
	"$lifeboat" stream --restore b1.raucb no.raucb
head -c 400000 b1.raucs >cut.raucs
ok "cut" refused stream-cut "$lifeboat" stream --restore cut.raucs no.raucb
ok "nothing is left of it" test ! -e no.raucb -a ! -e no.raucb.part
ok "a bundle from a pipe" refused usage \
	sh -c "cat b1.raucb | '$lifeboat' stream - no.raucs"
ok "a bundle to a pipe" refused usage "$lifeboat" stream --restore b1.raucs -
cp b1.raucb same.part
ok "over what is read" refused usage "$lifeboat" stream same.part same
ok "which is whole" cmp b1.raucb same.part
ok "a full disk" refused disk-full sh -c "'$lifeboat' stream b1.raucb - >/dev/full"

echo "stream: $passed passed, $failed failed"
[ "$failed" = 0 ]
