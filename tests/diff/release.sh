#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# What a release build is: it takes no development certificate, no private key
# and nothing without a certificate into itself; it believes its own keyring
# and no development bundle; it says nothing of development keys, and does not
# listen to what only development images allow. The same program with
# development keys says so, and does listen. And by which time certificates are
# judged, where the clock is behind the image.
set -eu
cd "$(dirname "$0")/../.."
top=$PWD
work=$top/build/test/release
rm -rf "$work"
mkdir -p "$work/in"
make QUIET=1 V=host lifeboat build/pki/keyring.pem
keys/mkpki.sh "$work/pki" Example

passed=0
failed=0
# check WHAT COMMAND...
check()
{
	what=$1
	shift
	if "$@" >"$work/out" 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED $what"
		head -n 20 "$work/out"
	fi
}

# said WHAT PATTERN: by the last check
said()
{
	if grep -qe "$2" "$work/out"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED $1: no '$2' in"
		head -n 20 "$work/out"
	fi
}

not()
{
	! "$@"
}

# built KEYRING: a release, of the year 2036
built()
{
	SOURCE_DATE_EPOCH=2100000000 make QUIET=1 V=host B="$work/build" KEYRING="$1" lifeboat
}

# ---- what goes in

cd "$work/pki"
cat release-keyring.pem keyring.pem >mixed.pem
openssl x509 -in keyring.pem -text -out text.pem 2>/dev/null
sed 's/$/\r/' keyring.pem >dos.pem
cat release-keyring.pem release-signer.key.pem >private.pem
cat release-root.crl.pem >bare.pem
cd "$top"
for ring in keyring mixed text dos; do
	check "a release with $ring" not built "$work/pki/$ring.pem"
	said "why not $ring" 'trusts a development key'
done
check 'with the development PKI of this machine' not built \
	build/pki/keyring.pem
said 'why not that' 'trusts a development key'
check 'with both halves of it' not built build/pki/release-keyring.pem
check 'with a private key' not built "$work/pki/private.pem"
said 'why not a private key' 'private key'
check 'without a certificate' not built "$work/pki/bare.pem"
check 'with nothing' not built /dev/null
check 'and there is none' test ! -e "$work/build/lifeboat"
cat "$work/pki/release-keyring.pem" "$work/pki/release-root.crl.pem" \
	"$work/pki/release-ca.crl.pem" >"$work/pki/own.pem"
check 'a release' built "$work/pki/own.pem"

# ---- another keyring in the same folder, whatever the age of its file

# has WHOSE: what the program there says of its keyring
has()
{
	"$work/build/lifeboat" --version | grep -q "^keyring: $1"
}

touch -d 2001-01-01 "$work/pki/own.pem" "$work/pki/mixed.pem"
check 'its keyring' has 'as built'
check 'development in the same folder' make QUIET=1 V=host B="$work/build" \
	lifeboat
check 'is development' has DEVELOPMENT
check 'an old file with a development key' not built "$work/pki/mixed.pem"
said 'why not that one' 'trusts a development key'
rm "$work/build/embedded.c"
check 'an old file, a release' built "$work/pki/own.pem"
check 'is a release' has 'as built'
made=$(stat -c %i.%Y "$work/build/lifeboat.elf")
check 'the same once more' built "$work/pki/own.pem"
check 'makes nothing' test "$made" = \
	"$(stat -c %i.%Y "$work/build/lifeboat.elf")"

# ---- what comes out

release=$work/build/lifeboat
head -c 100000 /dev/urandom >"$work/in/rootfs.img"
printf '%s\n' '[update]' compatible=Test version=2024.1 '[bundle]' \
	format=verity '[image.rootfs]' filename=rootfs.img \
	>"$work/in/manifest.raucm"
for who in release dev; do
	rauc bundle --cert="$work/pki/$who-signer.cert.pem" \
		--key="$work/pki/$who-signer.key.pem" "$work/in" \
		"$work/$who.raucb" >"$work/log" 2>&1
done
rauc bundle --cert=build/pki/dev-signer.cert.pem \
	--key=build/pki/dev-signer.key.pem "$work/in" "$work/own.raucb" \
	>"$work/log" 2>&1
check 'its version' "$release" --version
said 'whose keys' 'keyring: as built'
check 'the development one' build/host/lifeboat --version
said 'whose keys it has' 'keyring: DEVELOPMENT'
check 'a release bundle' "$release" info "$work/release.raucb"
check 'nothing of development' not grep -qi development "$work/out"
check 'a development bundle' not "$release" info "$work/dev.raucb"
said 'refused' '\[signer-unknown\]'
check 'that of this machine' not "$release" info "$work/own.raucb"
check 'a development program' build/host/lifeboat info "$work/own.raucb"
said 'says what it is' 'DEVELOPMENT KEYS'
check 'a release bundle in development' not build/host/lifeboat info \
	"$work/release.raucb"

# ---- the floor, and who may go below it

# install PROGRAM BUNDLE LINE...: in a root of its own with this lifeboat.conf
install()
{
	rm -rf "$work/root"
	mkdir -p "$work/root/etc/rauc"
	cp "$1" "$work/root/lifeboat"
	cp "$2" "$work/root/x.raucb"
	shift 2
	printf '%s\n' "$@" >"$work/root/etc/lifeboat.conf"
	truncate -s 1M "$work/root/slot"
	printf '%s\n' '[system]' compatible=Test bootloader=noop \
		'[slot.rootfs.0]' device=/slot >"$work/root/etc/rauc/system.conf"
	set -- chroot "$work/root" /lifeboat install \
		--override-boot-slot=_external_ /x.raucb
	[ "$(id -u)" = 0 ] || set -- unshare -Ur "$@"
	"$@"
}

written()
{
	cmp -n 100000 "$work/root/slot" "$work/in/rootfs.img"
}

old='min-version=2024.2'
for program in "$release" "$top/build/host/lifeboat"; do
	bundle=$work/release.raucb
	name=release
	[ "$program" = "$release" ] || {
		bundle=$work/own.raucb
		name=development
	}
	check "$name: no floor" install "$program" "$bundle" '[recovery]'
	check "$name: done" written
	check "$name: just the floor" install "$program" "$bundle" '[trust]' \
		min-version=2024.1.0
	check "$name: too old" not install "$program" "$bundle" '[trust]' $old
	said "$name: the reason" \
		'2024.1, at least 2024.2 .* lifeboat.conf \[bundle-version\]'
	check "$name: nothing is written" not written
	for no in '[trusst]' '[system]'; do
		check "$name: $no" not install "$program" "$bundle" "$no" $old
		said "$name: named" '/etc/lifeboat.conf: \['
	done
done
own=build/host/lifeboat
check 'development: the override' install $own "$work/own.raucb" '[trust]' \
	$old '[recovery]' ignore-floor=true
said 'it is said' 'ignore-floor: no version is too old'
check 'it is installed' written
check 'release: no override' not install "$release" "$work/release.raucb" \
	'[trust]' $old '[recovery]' ignore-floor=true
said 'that is said' 'ignore-floor is for development images'
said 'and refused' '\[bundle-version\]'
check 'not written' not written
# ---- time: signed now, by a certificate that ends in 2030, or begins in 2035

TO=20300101000000Z keys/ca.sh "$work/pki" signer old "/O=Example/CN=Old" \
	release-ca
FROM=20350101000000Z keys/ca.sh "$work/pki" signer young "/O=Example/CN=Young" \
	release-ca
python3 - "$work/own.raucb" "$work/payload" <<'END'
import struct, sys
data = open(sys.argv[1], "rb").read()
cms = struct.unpack(">Q", data[-8:])[0]
open(sys.argv[2] + ".mf", "wb").write(data[-8 - cms:-8])
open(sys.argv[2], "wb").write(data[:-8 - cms])
END
openssl cms -verify -noverify -inform DER -in "$work/payload.mf" \
	-out "$work/manifest" 2>"$work/log"
for who in old young; do
	openssl cms -sign -binary -nodetach -md sha256 -outform DER \
		-in "$work/manifest" -signer "$work/pki/$who.cert.pem" \
		-inkey "$work/pki/$who.key.pem" -out "$work/cms"
	{
		cat "$work/payload" "$work/cms"
		perl -e 'print pack "Q>", -s shift' "$work/cms"
	} >"$work/$who.raucb"
done
by_image='2036-07-18 13:20:00 UTC, by the date of this image: the clock is'
# trust WHO POLICY: an install with time=POLICY
trust()
{
	install "$release" "$work/$1.raucb" '[trust]' "${2:+time=$2}"
}

check 'the clock, without a word' trust release ''
said 'as RAUC' 'judged at 20.* UTC, by the clock$'
check 'floor' trust release floor
said 'by the image' "judged at $by_image"
check 'clock' trust release clock
said 'by the clock' 'judged at 20.* UTC, by the clock$'
check 'signing' trust release signing
said 'by the signing time' 'judged at 20.* UTC, by the signing time$'
check 'old by the floor' not trust old floor
said 'expired' "Old,O=Example\" expired on 2030-01-01 00:00:00 UTC; judged at \
$by_image behind it \[certificate-expired\]"
check 'old by the clock' trust old clock
check 'old by its signing time' trust old signing
check 'young by the floor' trust young floor
for policy in clock signing; do
	check "young by $policy" not trust young $policy
	said 'not yet' "Young,O=Example\" is not valid before 2035-01-01 \
00:00:00 UTC; judged at 20.* UTC, by the .* \[certificate-not-yet-valid\]"
done

check 'process 1' tests/pid1/run.sh "$release"
said 'process 1 of a release' 'passed, 0 failed'

echo "release: $passed passed, $failed failed"
[ "$failed" = 0 ]
