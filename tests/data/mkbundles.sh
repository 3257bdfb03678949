#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# mkbundles.sh DIR: bundles for the unit tests, made by rauc, and the keyring
# they are trusted with. What DIR has already is kept, unless this script is
# newer. Keys are made here, on the spot, and are good for nothing else.
#
#   keyring.pem     the CA
#   small.raucb     one 6,000-byte image, 2 to 4 data blocks
#   good.raucb      rootfs.ext4 and kernel.img, gzip, two levels of hash tree
#   zstd.raucb      the same with zstd and 1 MiB blocks
#   xz.raucb        the same with xz
#   plain.raucb     format=plain: detached signature
#   crypt.raucb     format=crypt, not enveloped
#   hook.raucb      an image with a post-install hook
#   rootfs.ext4 kernel.img small.img   what the images are
#
# and good.raucb signed again with another manifest:
#   imagesize.raucb    an image one byte larger than it is
#   imagename.raucb    an image that is not there
#   veritysize.raucb   verity-size as large as the payload
#   verityless.raucb   verity-size one block less
#   unknownkey.raucb   a key of the future
set -eu

[ $# = 1 ] || { echo "usage: $0 DIR" >&2; exit 1; }
mkdir -p "$1"
here=$(cd "$(dirname "$0")" && pwd)
cd "$1"
exec 9>lock
flock 9
if cmp -s "$here/mkbundles.sh" made-by; then
	exit 0
fi
rm -rf made-by ./*.raucb work
mkdir work

log=$PWD/log
: >"$log"
run()
{
	"$@" >>"$log" 2>&1 || { cat "$log" >&2; exit 1; }
}

run openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-keyout work/ca.key -out keyring.pem -subj "/O=Test/CN=Test CA" \
	-days 7300
run openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-keyout work/sign.key -out work/sign.csr -subj "/O=Test/CN=Test signer"
run openssl x509 -req -in work/sign.csr -CA keyring.pem -CAkey work/ca.key \
	-CAcreateserial -days 7300 -out work/sign.pem

# Repeatable bytes that do not compress: AES in counter mode over zeros.
noise()
{
	openssl enc -aes-128-ctr -nosalt -K "$2" \
		-iv 00000000000000000000000000000000 -in /dev/zero \
		2>/dev/null | head -c "$1"
}

noise 6000 00000000000000000000000000000001 >small.img
{
	noise 600000 00000000000000000000000000000002
	head -c 1000000 /dev/zero
	yes "the quick brown fox" | head -c 300000
	noise 12345 00000000000000000000000000000003
} >rootfs.ext4
noise 70001 00000000000000000000000000000004 >kernel.img

# bundle NAME FORMAT MKSQUASHFS-ARGS LINE-FOR-ROOTFS IMAGE...
bundle()
{
	name=$1
	format=$2
	args=$3
	line=$4
	shift 4
	rm -rf work/content
	mkdir work/content
	{
		printf '[update]\ncompatible=Test\nversion=2024.1\n'
		printf 'description=%s\nbuild=1\n[bundle]\nformat=%s\n' \
			"$name" "$format"
		if [ -n "$line" ]; then
			printf '[hooks]\nfilename=hook\n'
		fi
		for image in "$@"; do
			cp "$image" work/content/
			printf '[image.%s]\nfilename=%s\n%s' "${image%.*}" \
				"$image" "$line"
		done
	} >work/content/manifest.raucm
	if [ -n "$line" ]; then
		printf '#!/bin/sh\n' >work/content/hook
		chmod +x work/content/hook
	fi
	run rauc bundle --cert=work/sign.pem --key=work/sign.key \
		--mksquashfs-args="$args" work/content "$name.raucb"
}

bundle small verity "-comp gzip" "" small.img
bundle good verity "-comp gzip" "" rootfs.ext4 kernel.img
bundle zstd verity "-comp zstd -b 1M" "" rootfs.ext4 kernel.img
bundle xz verity "-comp xz" "" kernel.img
bundle plain plain "-comp gzip" "" kernel.img
bundle crypt crypt "-comp gzip" "" kernel.img
bundle hook verity "-comp gzip" "hooks=post-install
" kernel.img

# resign NAME SED-SCRIPT
resign()
{
	total=$(wc -c <good.raucb)
	cms=$((0x$(tail -c 8 good.raucb | od -An -v -tx1 | tr -d ' ')))
	payload=$((total - 8 - cms))
	tail -c $((cms + 8)) good.raucb | head -c "$cms" >work/old.cms
	run openssl cms -verify -noverify -binary -inform DER \
		-in work/old.cms -out work/old.manifest
	sed "$2" work/old.manifest >work/new.manifest
	if cmp -s work/old.manifest work/new.manifest; then
		echo "$1: nothing changed" >&2
		exit 1
	fi
	run openssl cms -sign -binary -nodetach -nosmimecap -md sha256 \
		-outform DER -signer work/sign.pem -inkey work/sign.key \
		-in work/new.manifest -out work/new.cms
	{
		head -c "$payload" good.raucb
		cat work/new.cms
		hex=$(printf %016x "$(wc -c <work/new.cms)")
		while [ -n "$hex" ]; do
			rest=${hex#??}
			# shellcheck disable=SC2059 # the format is the byte
			printf "\\$(printf %03o "0x${hex%"$rest"}")"
			hex=$rest
		done
	} >"$1.raucb"
	echo "$payload" >payload
}

resign imagesize "s/^size=1912345$/size=1912346/"
resign imagename "s/^filename=kernel.img/filename=other.img/"
resign verityless "s/^verity-size=.*/verity-size=8192/"
resign veritysize "s/^verity-size=.*/verity-size=$(cat payload)/"
resign unknownkey "s/^verity-size=.*/&\\nverity-colour=red/"
rm -rf work
cp "$here/mkbundles.sh" made-by
