#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# Who believes which signature: rauc, openssl and lifeboat over a matrix of
# signatures, keyrings and purposes. They have to agree, but for the cases of
# the list below, and there only in the strict direction: rauc or openssl
# accept, lifeboat refuses, with the reason the list names. An entry that
# makes no difference any more is a failure too.
#
# usage: tests/diff/trust.sh [WORKDIR]   LIFEBOAT=program, default
# build/host/lifeboat. V=1 prints every case.

set -eu
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.."
top=$PWD
work=${1:-build/test/trust}
lifeboat=${LIFEBOAT:-build/host/lifeboat}
lifeboat=$(cd "$(dirname "$lifeboat")" && pwd)/${lifeboat##*/}
certs=build/tests/certs
sh tests/data/mkcerts.sh "$certs"
bearssl=$top/build/deps/src/bearssl/inc
libdeps=$top/build/deps/gcc/libdeps.a
certs=$top/$certs
rm -rf "$work"
mkdir -p "$work"
work=$(cd "$work" && pwd)
cd "$work"

# signature  reason            why lifeboat is stricter
cat >list <<'END'
md-sha1      signature-algorithm            SHA-1 can be forged
md-sha224    signature-algorithm            SHA-224 is not offered
pss          signature-algorithm            RSA-PSS is not implemented
stream       cms-ber                        DER only: one encoding, one meaning
noattr       cms-no-signed-attributes       content and attributes could be swapped
econtent     cms-content-type               rauc signs nothing but type data
trailing     cms-syntax                     bytes nobody signed
twice        cms-signers                    openssl verifies all; rauc wants one, too
with-links8  certificate-path-length        8 certificates are enough
with-many    limit-exceeded                 32 certificates are enough
sha1         certificate-algorithm          SHA-1 can be forged
rsa1024      certificate-key                RSA-1024 can be broken
k1           certificate-key                secp256k1 is no NIST curve
under-names  certificate-critical-extension name constraints are not implemented
ns-type      certificate-critical-extension netscape types are not implemented
under-ed     certificate-key                Ed25519 is not implemented
END

passed=0
failed=0
differ=0
fail()
{
	failed=$((failed + 1))
	echo "FAILED $*"
}

# Two blocks of payload and a tree, of zeros: what `info` does not read.
head -c 12288 /dev/zero >payload
# bundle NAME CMS
bundle()
{
	size=$(wc -c <"$2")
	{
		cat payload "$2"
		# eight octets, big-endian
		# shellcheck disable=SC2059 # octal escapes
		printf "$(printf '\\000\\000\\000\\000\\000\\000\\%03o\\%03o' \
			$((size / 256)) $((size % 256)))"
	} >"$1.raucb"
}

for cms in "$certs"/*.cms; do
	name=${cms##*/}
	name=${name%.cms}
	# Two intermediates of one name and key, of which one leads to the
	# keyring: openssl finds it or not, by their order. cms_test has it.
	[ "$name" != with-crosses ] || continue
	cp "$cms" .
	bundle "$name" "$cms"
done
{ cat "$certs/signer.cms"; printf '\000\000\000'; } >trailing.cms
bundle trailing trailing.cms
sed 's/lifeboat test/lifeboat tess/' "$certs/signer.cms" >content.cms
bundle content content.cms
head -c $(($(wc -c <"$certs/signer.cms") - 1)) "$certs/signer.cms" >cut.cms
bundle cut cut.cms
{ cat cut.cms; printf '\377'; } >value.cms
bundle value value.cms

# keyring NAME CERTIFICATE...
keyring()
{
	name=$1
	shift
	for c; do
		cat "$certs/$c.pem"
	done >"$name.pem"
}
keyring all root root-rsa root-ed root-bare
keyring root root
keyring int int
keyring root+int root int
keyring next root-next
keyring old root-expired
keyring self self
keyring signer signer

# judge KEYRING PURPOSE PARTIAL SIGNING-TIME SIGNATURE...
judge()
{
	ring=$1 purpose=$2 partial=$3 time=$4
	shift 4
	conf=$ring-$purpose-$partial-$time.conf
	cat >"$conf" <<-END
		[system]
		compatible=lifeboat test
		bootloader=uboot

		[keyring]
		path=$work/$ring.pem
		check-purpose=$purpose
		allow-partial-chain=$partial
		use-bundle-signing-time=$time

		[slot.rootfs.0]
		device=/dev/null
		bootname=A
	END
	for name; do
		case="$name, keyring $ring, $purpose"
		[ "$partial" = false ] || case="$case, partial chain"
		[ "$time" = false ] || case="$case, signing time"
		r=refuses l=refuses o=
		! rauc --conf="$conf" info "$name.raucb" >rauc.log 2>&1 ||
			r=accepts
		! "$lifeboat" info --conf="$conf" "$name.raucb" \
			>lifeboat.log 2>&1 || l=accepts
		# openssl has no codesign, and no signing time
		if [ "$purpose" != codesign ] && [ "$time" = false ]; then
			set -- -purpose "$purpose"
			[ "$partial" = false ] || set -- "$@" -partial_chain
			o=refuses
			! openssl cms -verify -binary -inform DER \
				-in "$name.cms" -CAfile "$ring.pem" \
				-no-CApath -no-CAstore -out out "$@" \
				>openssl.log 2>&1 || o=accepts
		fi
		count
	done
}

count()
{
	[ -z "${V:-}" ] || echo "$case: rauc $r, openssl ${o:--}, lifeboat $l"
	if [ $l = $r ] && [ $l = "${o:-$l}" ]; then
		passed=$((passed + 1))
		return
	fi
	if [ $l = accepts ]; then
		fail "$case: lifeboat accepts, rauc $r, openssl ${o:--}"
		return
	fi
	want=$(awk -v n="$name" '$1 == n { print $2 }' list)
	if [ -n "$want" ] && grep -q "$want" lifeboat.log; then
		passed=$((passed + 1))
		differ=$((differ + 1))
		echo "$name" >>differ
	else
		fail "$case: rauc $r, openssl ${o:--}, lifeboat says: $(head -c 300 lifeboat.log)"
	fi
}

# What rauc itself makes.
"$top/keys/mkpki.sh" pki
mkdir content
openssl rand -out content/rootfs.img 16384
printf '%s\n' '[update]' 'compatible=lifeboat test' 'version=1' '[bundle]' \
	'format=verity' '[image.rootfs]' 'filename=rootfs.img' \
	>content/manifest.raucm
for kind in dev release; do
	rauc --cert=pki/$kind-signer.cert.pem --key=pki/$kind-signer.key.pem \
		bundle content rauc-$kind.raucb >rauc.log 2>&1
	rauc --cert=pki/$kind-signer.cert.pem --key=pki/$kind-signer.key.pem \
		--intermediate=pki/$kind-ca.cert.pem \
		bundle content rauc-$kind-chain.raucb >rauc.log 2>&1
	for name in rauc-$kind rauc-$kind-chain; do
		size=$(tail -c 2 "$name.raucb" | od -An -tu1 |
			awk '{ print $1 * 256 + $2 }')
		tail -c $((size + 8)) "$name.raucb" |
			head -c "$size" >"$name.cms"
	done
done
cp pki/keyring.pem dev.pem
cp pki/release-keyring.pem release.pem
cp pki/release-ca.cert.pem release-ca.pem
made='rauc-dev rauc-release rauc-dev-chain rauc-release-chain'

everything=$(for f in *.raucb; do
	echo "${f%.raucb}"
done)
for purpose in smimesign codesign any; do
	# shellcheck disable=SC2086 # a list
	judge all $purpose false false $everything
done
few='signer plain under-int with-int expired future self stranger keyid content'
for purpose in smimesign codesign any; do
	# shellcheck disable=SC2086 # a list
	{
		judge signer $purpose true false $few eku-both
		judge root+int $purpose false false under-int eku-code
		judge dev $purpose false false $made
		judge release $purpose false false $made
		judge release-ca $purpose true false $made
	}
done
# shellcheck disable=SC2086 # a list
{
	judge root smimesign false false $few
	judge int smimesign false false $few
	judge int smimesign true false $few
	judge root+int smimesign false false $few
	judge next smimesign false false $few
	judge old smimesign false false signer under-int
	judge self smimesign false false self signer
	judge self codesign false false self
	judge self any false false self
	judge signer smimesign false false signer
	judge release-ca smimesign false false $made
	judge root smimesign false true signer with-int expired future
}

sort -u differ >seen 2>/dev/null || :
while read -r name reason why; do
	if grep -qx "$name" seen; then
		echo "stricter: $name: $reason: $why"
	else
		fail "$name is listed as a difference and is none"
	fi
done <list
# The same of damaged signatures: never lifeboat alone.
${CC:-cc} -std=c11 -D_GNU_SOURCE -O2 -I"$top/src" -isystem "$bearssl" \
	-o mutate "$top/tests/diff/mutate.c" \
	"$top"/src/bundle/der.c "$top"/src/bundle/x509.c \
	"$top"/src/bundle/path.c "$top"/src/bundle/cms.c \
	"$top"/src/bundle/keyring.c "$top"/src/base/base.c \
	"$top"/src/base/buf.c "$top"/src/base/fmt.c "$top"/src/base/reason.c \
	"$libdeps" -lcrypto
if ./mutate "$certs/root-rsa.pem" "$certs/rsa.cms" "$certs/rsa-sha512.cms"; then
	passed=$((passed + 1))
else
	fail "a damaged signature is accepted by lifeboat only"
fi

echo "trust: $((passed + failed)) cases, $differ of them stricter than rauc or openssl"
echo "trust: $passed passed, $failed failed"
[ "$failed" = 0 ]
