#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# What `lifeboat install` must refuse: each case with its reason by name, exit
# status 1, and slots and boot environment as they were, byte for byte. And,
# first of all, that the same device takes a good bundle.
#
# usage: tests/diff/badinput.sh   LIFEBOAT=program, default build/host/lifeboat
# sed's dollars, and lists of files
# shellcheck disable=SC2016,SC2086
set -eu
cd "$(dirname "$0")/../.."
top=$PWD
lifeboat=${LIFEBOAT:-$top/build/host/lifeboat}
bundles=$top/build/tests/bundles
certs=$top/build/tests/certs
tests/data/mkbundles.sh "$bundles"
tests/data/mkcerts.sh "$certs"
work=$top/build/test/badinput
rm -rf "$work"
mkdir -p "$work"
cd "$work"

passed=0
failed=0
skipped=0
ok()
{
	passed=$((passed + 1))
}

fail()
{
	failed=$((failed + 1))
	echo "FAILED $*"
	sed 's/^/    /' log
}

# ---- the device: four slots and two copies of an environment, all files

slots='a.rootfs a.kernel b.rootfs b.kernel'
device()
{
	for slot in $slots; do
		head -c 65536 /dev/urandom >"$slot"
		truncate -s 4M "$slot"
	done
	truncate -s 0 env
	truncate -s 16K env
	printf 'BOOT_ORDER=A B\nBOOT_A_LEFT=3\nBOOT_B_LEFT=3\nfoo=bar\n' >init
	fw_setenv -c fw.conf -f init x 1 2>log || fail "fw_setenv"
}

# conf NAME COMPATIBLE
conf()
{
	cat >"$1" <<-END
		[system]
		compatible=$2
		bootloader=uboot

		[slot.rootfs.0]
		device=$work/a.rootfs
		type=raw
		bootname=A

		[slot.kernel.0]
		device=$work/a.kernel
		type=raw
		parent=rootfs.0

		[slot.rootfs.1]
		device=$work/b.rootfs
		type=raw
		bootname=B

		[slot.kernel.1]
		device=$work/b.kernel
		type=raw
		parent=rootfs.1
	END
}
conf test.conf Test
conf certs.conf 'lifeboat test'
printf '%s\n' "$work/env 0x0 0x2000" "$work/env 0x2000 0x2000" >fw.conf
ring=$bundles/keyring.pem
config=test.conf
state()
{
	sha256sum $slots env 2>/dev/null || :
}

install()
{
	"$lifeboat" install --conf="$config" --fw-env-config=fw.conf \
		--keyring="$ring" --override-boot-slot=A "$@" \
		>log 2>&1 </dev/null
}

# refuses REASONS ARGUMENT...: one of the reasons, separated by '|'
refuses()
{
	want=$1
	shift
	before=$(state)
	rc=0
	install "$@" || rc=$?
	if [ "$rc" != 1 ]; then
		fail "$want: exit $rc: $*"
	elif ! grep -qE "\\[($want)\\]" log; then
		fail "expected $want: $*"
	elif [ "$before" != "$(state)" ]; then
		fail "$want: something was written: $*"
	else
		ok
	fi
}

# flip FILE OFFSET NEW: a copy with one bit of one byte changed
flip()
{
	cp "$1" "$3"
	byte=$(od -An -v -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
	# shellcheck disable=SC2059 # the format is the byte
	printf "\\$(printf %03o $((byte ^ 1)))" |
		dd of="$3" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

good=$bundles/good.raucb
total=$(wc -c <"$good")
cms=$((0x$(tail -c 8 "$good" | od -An -v -tx1 | tr -d ' ')))
payload=$((total - 8 - cms))
tail -c $((cms + 8)) "$good" | head -c "$cms" >good.cms
openssl cms -verify -noverify -binary -inform DER -in good.cms \
	-out good.manifest 2>log
tree=$(sed -n 's/^verity-size=//p' good.manifest)
data=$((payload - tree))

device
if install "$good"; then ok; else fail "the good bundle"; fi
fw_printenv -c fw.conf BOOT_ORDER | grep -q '=B A$' || fail "boot order"
cmp -n "$(wc -c <"$bundles/rootfs.ext4")" b.rootfs "$bundles/rootfs.ext4" \
	>log 2>&1 || fail "rootfs"
cmp -n "$(wc -c <"$bundles/kernel.img")" b.kernel "$bundles/kernel.img" \
	>log 2>&1 || fail "kernel"
device

# ---- container

for size in 0 1 7 8 9 4096 "$data" $((payload - 1)) $((payload)) \
	$((payload + 1)) $((payload + cms / 2)) $((payload + cms)) \
	$((total - 1)) $((total / 2)); do
	head -c "$size" "$good" >cut.raucb
	refuses 'bundle-too-short|signature-size-zero|signature-size-too-large|signature-size-little-endian|payload-size|cms-syntax' \
		cut.raucb
done
: >empty.raucb
refuses bundle-too-short empty.raucb
# trailer BYTES: another size field
trailer()
{
	head -c $((payload + cms)) "$good" >trailer.raucb
	# shellcheck disable=SC2059 # octal escapes
	printf "$1" >>trailer.raucb
}
trailer '\0\0\0\0\0\0\0\0'
refuses signature-size-zero trailer.raucb
trailer '\177\377\377\377\377\377\377\377'
refuses signature-size-too-large trailer.raucb
trailer "$(printf '\\%03o\\%03o\\0\\0\\0\\0\\0\\0' $((cms % 256)) \
	$((cms / 256)))"
refuses signature-size-little-endian trailer.raucb
refuses 'not-found|usage' missing.raucb
refuses 'not-found' /dev/null
refuses 'not-found' .

# ---- formats

ring=$bundles/keyring.pem
config=test.conf
for not in verity plain crypt; do
	case $not in
	verity) bundle=good ;;
	*) bundle=$not ;;
	esac
	refuses bundle-format-unsupported -C "system:bundle-formats=-$not" \
		"$bundles/$bundle.raucb"
done
refuses crypt-not-encrypted "$bundles/crypt.raucb"
refuses cms-encrypted "$bundles/enc.raucb"
refuses cannot-decrypt -C "encryption:key=$bundles/crypt-no.key" \
	"$bundles/enc.raucb"
refuses cannot-decrypt -C "encryption:key=$bundles/crypt-no.key" \
	-C "encryption:cert=$bundles/crypt-no.pem" "$bundles/enc.raucb"
refuses cms-encrypted -C "encryption:key=$bundles/crypt-rsa.locked" \
	"$bundles/enc.raucb"
refuses cms-encrypted -C "encryption:key=pkcs11:object=x" "$bundles/enc.raucb"
refuses cms-content-type -C "encryption:key=$bundles/crypt-rsa.key" \
	"$bundles/enc-gcm.raucb"
refuses manifest-value "$bundles/plainverity.raucb"
refuses manifest-value "$bundles/inlineplain.raucb"
refuses manifest-missing-key "$bundles/plainbare.raucb"
refuses limit-exceeded "$bundles/plainlarge.raucb"
plain=$bundles/plain.raucb
for at in 0 5000 40000; do
	flip "$plain" "$at" flipped.raucb
	refuses digest-mismatch flipped.raucb
done
# RAUC's limit on both sides, and where 32 bits end: sparse files
for size in 2147483648 4294967296 4294971392; do
	rm -f large.raucb
	truncate -s "$size" large.raucb
	n=$((0x$(tail -c 8 "$plain" | od -An -v -tx1 | tr -d ' ')))
	tail -c $((n + 8)) "$plain" >>large.raucb
	refuses plain-size large.raucb
done
rm -f large.raucb
# And the same device takes each of them.
takes()
{
	if install "$@" && cmp -n "$(wc -c <"$bundles/kernel.img")" \
		b.kernel "$bundles/kernel.img" >log 2>&1; then
		ok
	else
		fail "$*"
	fi
	device
}
for bundle in plain xz lz4; do
	takes "$bundles/$bundle.raucb"
done
for key in rsa ec; do
	takes -C "encryption:key=$bundles/crypt-$key.key" "$bundles/enc.raucb"
	takes -C "encryption:key=$bundles/crypt-$key.key" \
		-C "encryption:cert=$bundles/crypt-$key.pem" \
		"$bundles/enc.raucb"
done
ring=$certs/root.pem

# ---- signature and certificates

config=certs.conf
ring=$work/roots.pem
cat "$certs/root.pem" "$certs/root-rsa.pem" >roots.pem
head -c 12288 /dev/zero >zeros
# signed NAME CMS
signed()
{
	size=$(wc -c <"$2")
	{
		cat zeros "$2"
		# shellcheck disable=SC2059 # octal escapes
		printf "$(printf '\\0\\0\\0\\0\\0\\0\\%03o\\%03o' \
			$((size / 256)) $((size % 256)))"
	} >"$1"
}

while read -r name want; do
	signed cms.raucb "$certs/$name.cms"
	refuses "$want" cms.raucb
done <<END
md-sha1 signature-algorithm
pss verity-data|verity-tree|verity-padding|squashfs-magic
stream cms-ber
noattr cms-no-signed-attributes
econtent cms-content-type
twice cms-signers
enveloped cms-encrypted
digested cms-content-type
detached digest-mismatch
nocerts signer-certificate-missing
sha1 certificate-algorithm
rsa1024 certificate-key
k1 certificate-key
expired certificate-expired
future certificate-not-yet-valid
stranger signer-unknown
self signer-unknown
critical certificate-critical-extension
under-critical certificate-critical-extension
under-noca certificate-not-a-ca
under-noku certificate-not-a-ca|certificate-purpose
under-pathlen verity-data|verity-tree|verity-padding|squashfs-magic
under-sub certificate-path-length
under-server certificate-purpose
eku-server certificate-purpose
eku-code certificate-purpose
END
{ cat "$certs/signer.cms"; printf '\0'; } >x.cms
signed cms.raucb x.cms
refuses cms-syntax cms.raucb
sed 's/lifeboat test/lifeboat tess/' "$certs/signer.cms" >x.cms
signed cms.raucb x.cms
refuses digest-mismatch cms.raucb
n=$(wc -c <"$certs/signer.cms")
flip "$certs/signer.cms" $((n - 1)) x.cms
signed cms.raucb x.cms
refuses bad-signature cms.raucb
head -c "$n" /dev/urandom >x.cms
signed cms.raucb x.cms
refuses 'cms-syntax|cms-ber' cms.raucb
printf 'no certificate\n' >none.pem
signed cms.raucb "$certs/signer.cms"
ring=none.pem
refuses keyring cms.raucb
ring=missing.pem
refuses keyring cms.raucb

# ---- manifest

config=test.conf
ring=$certs/root.pem
signer=$certs/signer.pem
key=$certs/signer.key
head -c "$data" "$good" >squashfs
sed '/^verity-/d; s/^format=verity$/&\n@TREE@/' good.manifest >manifest
# remade REASON SED-SCRIPT [PAYLOAD]
remade()
{
	sed "$2" manifest >changed
	"$top/tests/data/remake.py" "${3:-squashfs}" "$signer" "$key" \
		remade.raucb changed
	refuses "$1" remade.raucb
}
"$top/tests/data/remake.py" squashfs "$signer" "$key" remade.raucb manifest
if install remade.raucb; then ok; else fail "the remade bundle"; fi
device
remade manifest-syntax 's/^\[bundle\]/[bundle/'
remade manifest-syntax 's/^version=.*/version/'
remade manifest-unknown-key 's/^version=.*/&\ncolour=red/'
remade manifest-unknown-key 's/^version=.*/&\n[colour]\nred=1/'
remade 'manifest-missing-key' '/^sha256=/d'
remade 'manifest-missing-key' '/^compatible=/d'
remade 'manifest-missing-key|manifest-value' '/^size=/d'
remade 'manifest-value' 's/^sha256=..../sha256=zzzz/'
remade 'manifest-value|manifest-missing-key' 's/^@TREE@/verity-size=4096/'
remade 'manifest-value' 's/^filename=kernel.img/filename=..\/kernel.img/'
remade bundle-hooks '$a [handler]\nfilename=hook'
remade wrong-compatible 's/^compatible=.*/compatible=Other/'
remade no-slot-for-image 's/^\[image.kernel\]/[image.firmware]/'
remade 'image-missing' 's/^filename=kernel.img/filename=other.img/'
remade no-images '/^\[image/,$d'
remade image-type 's/^filename=kernel.img/filename=kernel.tar/'
config=test.conf
"$top/tests/data/remake.py" squashfs "$signer" "$key" remade.raucb manifest
refuses bundle-version -C system:min-bundle-version=9999.0 remade.raucb
ring=$bundles/keyring.pem
refuses bundle-hooks "$bundles/hook.raucb"
refuses image-size "$bundles/imagesize.raucb"
refuses image-missing "$bundles/imagename.raucb"
refuses manifest-unknown-key "$bundles/unknownkey.raucb"
refuses verity-size "$bundles/veritysize.raucb"
refuses verity-size "$bundles/verityless.raucb"
refuses squashfs-compression "$bundles/lzo.raucb"

# ---- verity: any bit of the payload

for at in 0 $((data / 2)) $((data - 1)); do
	flip "$good" "$at" flipped.raucb
	refuses verity-data flipped.raucb
done
# top level, a lower one, and the zeros at its end
for at in "$data" $((data + 4095)) $((data + 4096)) $((payload - 1)); do
	flip "$good" "$at" flipped.raucb
	refuses 'verity-tree|verity-data|verity-padding' flipped.raucb
done

# ---- squashfs, behind a right hash tree

ring=$certs/root.pem
head -c 65536 /dev/urandom >noise
remade squashfs-magic '' noise
# poke OFFSET BYTES: into the squashfs
poke()
{
	cp squashfs poked
	# shellcheck disable=SC2059 # octal escapes
	printf "$2" | dd of=poked bs=1 seek="$1" conv=notrunc 2>/dev/null
}
damaged='squashfs-damaged|squashfs-out-of-range|squashfs-loop|squashfs-decompression|squashfs-compression|squashfs-version|squashfs-file-type|image-missing|image-size|image-sha256'
while read -r at bytes; do
	poke "$at" "$bytes"
	remade "$damaged" "s/^version=.*/&/" poked
done <<'END'
12 \1\0\0\0
20 \3\0
28 \3\0
32 \377\377\377\377\377\377\377\177
40 \1\0\0\0
64 \377\377\377\177
72 \140\0\0\0\0\0\0\0
80 \0\0\0\0\0\0\0\0
64 \0\0\0\0\0\0\0\0
END
# its metadata and data, here and there
i=0
while [ $i -lt 24 ]; do
	flip squashfs $((96 + i * (data - 96) / 24)) poked
	rc=0
	"$top/tests/data/remake.py" poked "$signer" "$key" remade.raucb \
		manifest
	before=$(state)
	install remade.raucb || rc=$?
	# the image's own hash finds what squashfs does not, and that is only
	# known when most of it is written; nothing bootable may be left then
	if [ "$rc" = 1 ] && grep -qE "\\[($damaged)\\]" log; then
		ok
	elif [ "$rc" = 0 ] && cmp -s -n "$(wc -c <"$bundles/rootfs.ext4")" \
		b.rootfs "$bundles/rootfs.ext4"; then
		ok # the bit was in bytes nobody reads
	else
		fail "a flipped bit in squashfs, at step $i"
	fi
	[ "$before" = "$(state)" ] || device
	i=$((i + 1))
done

# ---- slots and environment

ring=$bundles/keyring.pem
truncate -s 65536 b.kernel
refuses target-too-small "$good"
device
refuses target-missing -C "slot.kernel.1:device=$work/missing" "$good"
refuses target-missing -C slot.kernel.1:device=PARTLABEL=no-such-label "$good"
refuses target-missing -C slot.kernel.1:device=UUID=no-such-uuid "$good"
refuses target-missing -C slot.kernel.1:device=/dev/null "$good"
refuses target-read-only -C slot.kernel.1:readonly=true "$good"
refuses target-is-source -C "slot.kernel.1:device=$good" "$good"
sed '/^.slot.rootfs.1/,$d' test.conf >one.conf
refuses no-target --conf=one.conf "$good"
refuses no-target --override-boot-slot=C "$good"
refuses bootloader-unsupported -C system:bootloader=barebox "$good"
refuses 'boot-config' --fw-env-config=/dev/null "$good"
printf '%s 0x0 0x2000\n' "$work/missing" >fw2.conf
refuses boot-env-io --fw-env-config=fw2.conf "$good"
printf '%s 0x0 0x20000\n' "$work/env" >fw2.conf
refuses boot-config --fw-env-config=fw2.conf "$good"
printf 'what is this\n' >fw2.conf
refuses boot-config --fw-env-config=fw2.conf "$good"
refuses system-conf-missing-key --conf=/dev/null "$good"
printf '[system]\ncompatible=Test\nbootloader=uboot\n[keyring]\ncolour=red\n' \
	>keyring.conf
refuses keyring-option-unsupported --conf=keyring.conf "$good"
# Where it cannot be written nobody locks anything: fw_setenv neither.
if [ -w /run/lock ]; then
	exec 8>/run/lock/fw_printenv.lock
	flock 8
	refuses boot-env-locked "$good"
	flock -u 8
	exec 8>&-
else
	skipped=$((skipped + 1))
fi

# As a user who may not write the slot, and on a full file system: both need
# a user namespace or root.
if [ "$(id -u)" = 0 ]; then
	as_user='setpriv --reuid=65534 --regid=65534 --clear-groups'
	chmod 644 $slots env
	before=$(state)
	cp "$lifeboat" "$ring" .
	chmod 755 lifeboat
	rc=0
	mkdir -p /tmp/badinput.$$
	cp -p ./* /tmp/badinput.$$/
	sed "s|$work|/tmp/badinput.$$|" test.conf >/tmp/badinput.$$/test.conf
	sed "s|$work|/tmp/badinput.$$|" fw.conf >/tmp/badinput.$$/fw.conf
	cp "$good" /tmp/badinput.$$/good.raucb
	chmod -R a+rX /tmp/badinput.$$
	(
		cd /tmp/badinput.$$
		$as_user ./lifeboat install --conf=test.conf \
			--fw-env-config=fw.conf --keyring=keyring.pem \
			--override-boot-slot=A good.raucb
	) >log 2>&1 || rc=$?
	if [ "$rc" = 1 ] && grep -q '\[target-read-only\]' log; then
		ok
	else
		fail "a slot that may not be written: exit $rc"
	fi
	rm -rf /tmp/badinput.$$
fi
if unshare -rm true 2>/dev/null; then
	cat >full.sh <<-'END'
		mount -t tmpfs -o size=400k none "$1"
		truncate -s 4M "$1/slot"
		shift
		exec "$@"
	END
	mkdir -p full
	rc=0
	unshare -rm sh full.sh "$work/full" "$lifeboat" install \
		--conf=test.conf --fw-env-config=fw.conf --keyring="$ring" \
		--override-boot-slot=A \
		-C "slot.rootfs.1:device=$work/full/slot" "$good" \
		>log 2>&1 || rc=$?
	if [ "$rc" = 1 ] && grep -q '\[target-write-error\]' log &&
		fw_printenv -c fw.conf BOOT_B_LEFT | grep -q '=0$'; then
		ok
	else
		fail "a full file system: exit $rc"
	fi
	device
else
	skipped=$((skipped + 1))
fi

[ "$skipped" = 0 ] || echo "$skipped cases cannot be run here"
echo "badinput: $passed passed, $failed failed"
[ "$failed" = 0 ]
