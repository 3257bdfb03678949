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
#   enc.raucb       the same, enveloped by rauc encrypt for all of crypt-*.pem
#   lz4.raucb       the same as xz with lz4
#   lzo.raucb       with lzo, which nobody decodes here
#   tiny.raucb tinyplain.raucb tinycrypt.raucb   small.img, signed with
#                   RSA-2048; the last one enveloped for crypt-rsa.pem
#   lie.raucb lieplain.raucb liecrypt.raucb lielz4.raucb   boot.img and
#                   root.ext4, some 150 KB; gzip, zstd, xz and lz4
#   sha384.raucb sha512.raucb   lieplain signed with these
#   crypt-rsa.key .pem, crypt-ec.key .pem, crypt-no.key .pem   recipients, and
#                   one that is none
#   enc-*.raucb     crypt.raucb enveloped by openssl in other ways, see below
#   index.raucb     root.ext4 and boot.img, blocks of 4 KiB, and 300 other files
#                   whose names do not compress: 3 blocks of tables or more
#   hook.raucb      an image with a post-install hook
#   check.raucb     as good, with an install-check and pre-install hooks
#   rootfs.ext4 kernel.img small.img   what the images are
#
# and good.raucb signed again with another manifest:
#   imagesize.raucb    an image one byte larger than it is
#   imagename.raucb    an image that is not there
#   veritysize.raucb   verity-size as large as the payload
#   verityless.raucb   verity-size one block less
#   unknownkey.raucb   a key of the future
#   inlineplain.raucb  format=plain, and an inline signature all the same
#
# and, signed as plain bundles: plainodd (not a multiple of 4096 bytes),
# plainverity (with a manifest that says verity), plainbare (no manifest), plainlarge (one
# of 65,537 bytes)
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

# RSA, which is faster to verify, for tests that do so a thousand times.
run openssl req -x509 -newkey rsa:2048 -nodes -keyout work/rsaca.key \
	-out work/rsaca.pem -subj "/O=Test/CN=Test RSA CA" -days 7300
run openssl req -newkey rsa:2048 -nodes -keyout work/rsasign.key \
	-out work/rsasign.csr -subj "/O=Test/CN=Test RSA signer"
run openssl x509 -req -in work/rsasign.csr -CA work/rsaca.pem \
	-CAkey work/rsaca.key -CAcreateserial -days 7300 -out work/rsasign.pem
cat work/rsaca.pem >>keyring.pem

for who in rsa no; do
	run openssl req -x509 -newkey rsa:2048 -nodes -keyout crypt-$who.key \
		-out crypt-$who.pem -subj "/O=Test/CN=$who" -days 7300
done
run openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-keyout crypt-ec.key -out crypt-ec.pem -subj "/O=Test/CN=ec" -days 7300
for curve in 384 521; do
	run openssl req -x509 -newkey ec -nodes -keyout crypt-p$curve.key \
		-pkeyopt "ec_paramgen_curve:P-$curve" -out crypt-p$curve.pem \
		-subj "/O=Test/CN=p$curve" -days 7300
done
run openssl req -x509 -newkey rsa:3072 -nodes -keyout crypt-3072.key \
	-out crypt-3072.pem -subj "/O=Test/CN=3072" -days 7300
# The same keys in their older forms, and keys that are refused.
run openssl rsa -in crypt-rsa.key -traditional -out crypt-rsa1.key
run openssl ecparam -name prime256v1 -out crypt-ec1.key
run openssl ec -in crypt-ec.key -out work/ec.key
cat work/ec.key >>crypt-ec1.key
run openssl pkcs8 -topk8 -in crypt-rsa.key -passout pass:x \
	-out crypt-rsa.locked
run openssl rsa -in crypt-rsa.key -traditional -aes128 -passout pass:x \
	-out crypt-rsa1.locked
run openssl genrsa -out crypt-1024.key 1024
run openssl genpkey -algorithm ed25519 -out crypt-ed.key
run openssl genpkey -algorithm ec -pkeyopt ec_paramgen_curve:secp256k1 \
	-out crypt-koblitz.key

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

{
	noise 50000 00000000000000000000000000000005
	head -c 40000 /dev/zero
	yes "the lazy dog" | head -c 30000
	noise 23456 00000000000000000000000000000006
} >root.ext4
noise 30011 00000000000000000000000000000007 >boot.img

signer=sign check= others=
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
			printf '[hooks]\nfilename=hook\n%s' "$check"
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
	noise $((others * 20)) 00000000000000000000000000000008 | od -An -v \
		-tx1 -w20 | tr -d ' ' | (cd work/content && xargs -r touch)
	run rauc bundle --cert=work/$signer.pem --key=work/$signer.key \
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
check='hooks=install-check
'
bundle check verity "-comp gzip" "hooks=pre-install
" rootfs.ext4 kernel.img

bundle lz4 verity "-comp lz4" "" kernel.img
bundle lzo verity "-comp lzo" "" kernel.img
signer=rsasign
bundle tiny verity "-comp gzip" "" small.img
bundle tinyplain plain "-comp gzip" "" small.img
bundle open crypt "-comp gzip" "" small.img
run rauc encrypt --keyring=keyring.pem --to=crypt-rsa.pem open.raucb \
	tinycrypt.raucb
bundle lie verity "-comp gzip -b 32K" "" root.ext4 boot.img
others=300
bundle index verity "-comp gzip -b 4K" "" root.ext4 boot.img
others=
bundle lieplain plain "-comp zstd -b 64K" "" root.ext4 boot.img
bundle lielz4 verity "-comp lz4" "" root.ext4 boot.img
rm open.raucb
bundle open crypt "-comp xz -b 64K" "" root.ext4 boot.img
run rauc encrypt --keyring=keyring.pem --to=crypt-rsa.pem open.raucb \
	liecrypt.raucb
rm open.raucb
signer=sign
cat crypt-rsa.pem crypt-ec.pem >work/all.pem
run rauc encrypt --keyring=keyring.pem --to=work/all.pem crypt.raucb enc.raucb

# split NAME: its payload and its CMS
split()
{
	total=$(wc -c <"$1.raucb")
	cms=$((0x$(tail -c 8 "$1.raucb" | od -An -v -tx1 | tr -d ' ')))
	payload=$((total - 8 - cms))
	head -c "$payload" "$1.raucb" >work/payload
	tail -c $((cms + 8)) "$1.raucb" | head -c "$cms" >work/old.cms
}

# join NAME: work/payload and work/new.cms
join()
{
	{
		cat work/payload work/new.cms
		hex=$(printf %016x "$(wc -c <work/new.cms)")
		while [ -n "$hex" ]; do
			rest=${hex#??}
			# shellcheck disable=SC2059 # the format is the byte
			printf "\\$(printf %03o "0x${hex%"$rest"}")"
			hex=$rest
		done
	} >"$1.raucb"
}

# envelope NAME OPENSSL-ARGS...: crypt.raucb with its CMS encrypted by openssl
split crypt
envelope()
{
	name=$1
	shift
	run openssl cms -encrypt -binary -outform DER -in work/old.cms \
		-out work/new.cms "$@"
	join "enc-$name"
}
repeat()
{
	count=$1
	shift
	while [ "$count" -gt 0 ]; do
		printf ' %s' "$@"
		count=$((count - 1))
	done
}
rsa="-recip crypt-rsa.pem"
ec="-recip crypt-ec.pem"
# shellcheck disable=SC2046,SC2086 # two words each
{
	envelope rsa -aes-256-cbc $rsa
	envelope rsa128 -aes-128-cbc $rsa
	envelope rsa192 -aes-192-cbc $rsa
	envelope keyid -aes-256-cbc -keyid $rsa
	envelope oaep -aes-256-cbc $rsa -keyopt rsa_padding_mode:oaep
	envelope oaep256 -aes-256-cbc $rsa -keyopt rsa_padding_mode:oaep \
		-keyopt rsa_oaep_md:sha256
	envelope oaep512 -aes-256-cbc $rsa -keyopt rsa_padding_mode:oaep \
		-keyopt rsa_oaep_md:sha512
	envelope ec -aes-256-cbc $ec
	envelope ec128 -aes-128-cbc $ec
	envelope eckeyid -aes-256-cbc -keyid $ec
	envelope ec256 -aes-256-cbc $ec -keyopt ecdh_kdf_md:sha256
	envelope ec384 -aes-256-cbc $ec -keyopt ecdh_kdf_md:sha384
	envelope p384 -aes-256-cbc -recip crypt-p384.pem
	envelope p521 -aes-256-cbc -recip crypt-p521.pem
	envelope 3072 -aes-256-cbc -recip crypt-3072.pem
	envelope ec512 -aes-256-cbc $ec -keyopt ecdh_kdf_md:sha512
	envelope both -aes-256-cbc $ec $rsa
	envelope other -aes-256-cbc -recip crypt-no.pem
	envelope twins -aes-256-cbc $rsa $rsa
	envelope late -aes-256-cbc -recip crypt-no.pem $ec $rsa
	# 140 others in front of ours, which nearly fills what there may be
	envelope fleet -aes-256-cbc $(repeat 140 -recip crypt-no.pem) $ec $rsa
	# as many as are tried, and one more
	envelope tries -aes-256-cbc $(repeat 16 $ec) $rsa
	envelope limit -aes-256-cbc $(repeat 17 $ec) $rsa
	# which nobody takes
	envelope gcm -aes-256-gcm $rsa
	envelope des3 -des3 $rsa
	envelope oaepmix -aes-256-cbc $rsa -keyopt rsa_padding_mode:oaep \
		-keyopt rsa_oaep_md:sha256 -keyopt rsa_mgf1_md:sha1
	envelope label -aes-256-cbc $rsa -keyopt rsa_padding_mode:oaep \
		-keyopt rsa_oaep_label:616263
	envelope cofactor -aes-256-cbc $ec -keyopt ecdh_cofactor_mode:1
	envelope stream -aes-256-cbc $rsa -stream
}
# A signature that is not signed by anybody known, but well encrypted.
head -c 1000 work/old.cms >work/cut.cms
run openssl cms -encrypt -binary -outform DER -in work/cut.cms \
	-out work/new.cms -aes-256-cbc -recip crypt-rsa.pem
join enc-cut

# Plain with other digests.
split lieplain
for md in sha384 sha512; do
	run openssl cms -sign -binary -nosmimecap -md $md -outform DER \
		-signer work/sign.pem -inkey work/sign.key -in work/payload \
		-out work/new.cms
	join $md
done

# plain NAME: work/payload, signed as format=plain
plain()
{
	run openssl cms -sign -binary -nosmimecap -md sha256 -outform DER \
		-signer work/sign.pem -inkey work/sign.key -in work/payload \
		-out work/new.cms
	join "$1"
}
{ cat work/payload; printf odd; } >work/odd
mv work/odd work/payload
plain plainodd
mkdir work/bare
cp small.img work/bare
run mksquashfs work/bare work/payload -noappend -all-root
plain plainbare
hex=$(printf %064d 0)
{
	printf '[update]\ncompatible=x\n[bundle]\nformat=verity\n'
	printf 'verity-%s\n' "hash=$hex" "salt=$hex" size=4096
} >work/bare/manifest.raucm
run mksquashfs work/bare work/payload -noappend -all-root
plain plainverity
yes "# a line" | head -c 65537 >work/bare/manifest.raucm
run mksquashfs work/bare work/payload -noappend -all-root
plain plainlarge

# resign NAME SED-SCRIPT
resign()
{
	split good
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
	join "$1"
	echo "$payload" >payload
}

resign imagesize "s/^size=1912345$/size=1912346/"
resign imagename "s/^filename=kernel.img/filename=other.img/"
resign verityless "s/^verity-size=.*/verity-size=8192/"
resign veritysize "s/^verity-size=.*/verity-size=$(cat payload)/"
resign inlineplain "s/^format=.*/format=plain/; /^verity/d"
resign unknownkey "s/^verity-size=.*/&\\nverity-colour=red/"
rm -rf work
cp "$here/mkbundles.sh" made-by
