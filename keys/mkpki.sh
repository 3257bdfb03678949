#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# Makes a development PKI, offline, with openssl:
#
#   mkpki.sh OUT [ORGANISATION]
#
#   OUT/keyring.pem           development root and intermediate: what a
#                             development build trusts
#   OUT/release-keyring.pem   release root and intermediate
#   OUT/NAME.cert.pem, OUT/NAME.key.pem for each of
#     dev-root      dev-ca      dev-signer
#     release-root  release-ca  release-signer
#     crypt-rsa     crypt-ec    recipients of encrypted bundles
#   OUT/crl.pem               CRLs of the roots and CAs; revoke nothing
#   OUT/signer.pem, OUT/signer.key   dev-signer's, under short names
#
# Both signers can be used with RAUC's default purpose and with
# check-purpose=codesign. All subjects say "lifeboat development", by which a
# release build knows and refuses them; those of release-* say ORGANISATION,
# if there is one. All keys lie unprotected on a disk.
# What OUT already has is kept; remove it to begin anew. keys/ca.sh goes on
# with it: more signers, revocation.
set -eu

[ $# = 1 ] || [ $# = 2 ] || {
	echo "usage: $0 OUT [ORGANISATION]" >&2
	exit 2
}
out=$1
mark="lifeboat development"
release=${2:-$mark}
ca=$(cd "$(dirname "$0")" && pwd)/ca.sh
# also what an older version of this script has left
for key in rsa ec; do
	[ -e "$out/crypt-$key.cert.pem" ] ||
		"$ca" "$out" recipient crypt-$key \
			"/O=$mark/CN=$mark $key device" $key
done
[ ! -e "$out/keyring.pem" ] || exit 0

# pki KIND ORGANISATION
pki()
{
	"$ca" "$out" root "$1-root" "/O=$2/CN=$2 $1 root"
	"$ca" "$out" ca "$1-ca" "/O=$2/CN=$2 $1 CA" "$1-root"
	"$ca" "$out" signer "$1-signer" "/O=$2/CN=$2 $1 signer" "$1-ca"
	"$ca" "$out" crl "$1-root"
	"$ca" "$out" crl "$1-ca"
}

pki dev "$mark"
pki release "$release"
cd "$out"
cat dev-root.crl.pem dev-ca.crl.pem release-root.crl.pem \
	release-ca.crl.pem >crl.pem
cp dev-signer.cert.pem signer.pem
cp -p dev-signer.key.pem signer.key
cat release-root.cert.pem release-ca.cert.pem >release-keyring.pem
# the last: it says that all is there
cat dev-root.cert.pem dev-ca.cert.pem >keyring.new
mv keyring.new keyring.pem
