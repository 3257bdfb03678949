#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# Makes a development PKI, offline, with openssl:
#
#   mkpki.sh OUT
#
#   OUT/keyring.pem           development root and intermediate: what a
#                             development build trusts
#   OUT/release-keyring.pem   release root and intermediate
#   OUT/NAME.cert.pem, OUT/NAME.key.pem for each of
#     dev-root      dev-ca      dev-signer
#     release-root  release-ca  release-signer
#   OUT/crl.pem               of the two roots; revokes nothing
#   OUT/signer.pem, OUT/signer.key   dev-signer's, under short names
#
# Both signers can be used with RAUC's default purpose and with
# check-purpose=codesign. The subjects of all say "lifeboat development": these
# keys lie unprotected on a disk, and nobody should ship what trusts them.
# What OUT already has is kept; remove it to begin anew.
set -eu

[ $# = 1 ] || {
	echo "usage: $0 OUT" >&2
	exit 2
}
umask 077
mkdir -p "$1"
cd "$1"
[ ! -e keyring.pem ] || exit 0

# Recoveries often have no clock: the dates leave room on both sides.
from=20200101000000Z
to=20491231235959Z

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: >"$work/index"
cat >"$work/conf" <<END
[ca]
default_ca = db
[db]
new_certs_dir = $work
database = $work/index
default_md = sha256
default_crl_days = 3650
policy = any
unique_subject = no
rand_serial = yes
[any]
organizationName = supplied
commonName = supplied
[req]
distinguished_name = dn
prompt = no
string_mask = utf8only
[dn]
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[ca_ext]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[signer]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = codeSigning,emailProtection
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
END

quietly()
{
	"$@" >"$work/log" 2>&1 || {
		cat "$work/log" >&2
		exit 1
	}
}

# issue NAME SUBJECT EXTENSIONS ISSUER, which is "-" for NAME itself
issue()
{
	quietly openssl genrsa -out "$1.key.pem" 2048
	quietly openssl req -new -config "$work/conf" -key "$1.key.pem" \
		-subj /CN=x -out "$work/csr"
	case $4 in
	-) set -- "$1" "$2" "$3" -selfsign -keyfile "$1.key.pem" ;;
	*) set -- "$1" "$2" "$3" -cert "$4.cert.pem" -keyfile "$4.key.pem" ;;
	esac
	name=$1 subject=$2 extensions=$3
	shift 3
	quietly openssl ca -batch -notext -config "$work/conf" \
		-extensions "$extensions" -startdate $from -enddate $to \
		-subj "/O=lifeboat development/CN=$subject" \
		-in "$work/csr" -out "$name.cert.pem" "$@"
	chmod 644 "$name.cert.pem"
}

for kind in dev release; do
	issue $kind-root "lifeboat development $kind root" root -
	issue $kind-ca "lifeboat development $kind CA" ca_ext $kind-root
	issue $kind-signer "lifeboat development $kind signer" signer $kind-ca
	quietly openssl ca -gencrl -config "$work/conf" \
		-cert $kind-root.cert.pem -keyfile $kind-root.key.pem \
		-out "$work/$kind.crl"
done
umask 022
cat "$work/dev.crl" "$work/release.crl" >crl.pem
cp dev-signer.cert.pem signer.pem
cp -p dev-signer.key.pem signer.key
cat release-root.cert.pem release-ca.cert.pem >release-keyring.pem
cat dev-root.cert.pem dev-ca.cert.pem >"$work/keyring"
cp "$work/keyring" keyring.pem
