#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# A small certificate authority in a folder, offline, with openssl. Keys are
# files without a passphrase: for development, and to show the steps.
#
#   ca.sh DIR root NAME SUBJECT            a new root: NAME.key.pem, .cert.pem
#   ca.sh DIR ca NAME SUBJECT ISSUER       a CA below ISSUER
#   ca.sh DIR signer NAME SUBJECT ISSUER   one that signs bundles
#   ca.sh DIR revoke NAME ISSUER           notes that ISSUER ends NAME
#   ca.sh DIR crl ISSUER                   ISSUER.crl.pem: all that it ended
#   ca.sh DIR recipient NAME SUBJECT KEY   opens encrypted bundles; KEY: rsa, ec
#
# SUBJECT is as openssl has it: /O=Example/CN=Example root. A name that is
# there already is refused. FROM and TO in the environment are the dates of
# certificates (YYYYMMDDhhmmssZ), DAYS those of a CRL.
set -eu

usage()
{
	sed -n 's/^#   //p' "$0" >&2
	exit 2
}

[ $# -ge 3 ] || usage
mkdir -p "$1"
cd "$1"
verb=$2
shift 2
umask 077

# Recoveries often have no clock: the dates leave room on both sides.
from=${FROM:-20200101000000Z}
to=${TO:-20491231235959Z}
days=${DAYS:-3650}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

quietly()
{
	"$@" >"$work/log" 2>&1 || {
		cat "$work/log" >&2
		exit 1
	}
}

[ -e openssl.cnf ] || cat >openssl.cnf <<'END'
# ISSUER in the environment: who signs.
[ca]
default_ca = db
[db]
certificate = ${ENV::ISSUER}.cert.pem
private_key = ${ENV::ISSUER}.key.pem
database = ${ENV::ISSUER}.index
crlnumber = ${ENV::ISSUER}.crlnumber
new_certs_dir = .issued
default_md = sha256
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
[recipient]
keyUsage = critical,keyEncipherment,keyAgreement
subjectKeyIdentifier = hash
END
mkdir -p .issued

fresh()
{
	[ ! -e "$1.key.pem" ] || {
		echo "ca.sh: $1 is there already" >&2
		exit 1
	}
}

# issue NAME SUBJECT EXTENSIONS ISSUER
issue()
{
	fresh "$1"
	export ISSUER="$4"
	quietly openssl genrsa -out "$1.key.pem" 2048
	quietly openssl req -new -config openssl.cnf -key "$1.key.pem" \
		-subj /CN=x -out "$work/csr"
	name=$1 subject=$2 extensions=$3
	set --
	if [ "$extensions" != signer ]; then
		: >"$name.index"
		echo 01 >"$name.crlnumber"
	fi
	[ "$name" != "$ISSUER" ] || set -- -selfsign -keyfile "$name.key.pem"
	quietly openssl ca -batch -notext -config openssl.cnf \
		-extensions "$extensions" -startdate "$from" -enddate "$to" \
		-subj "$subject" -in "$work/csr" -out "$name.cert.pem" "$@"
	chmod 644 "$name.cert.pem"
}

case $verb:$# in
root:2) issue "$1" "$2" root "$1" ;;
ca:3) issue "$1" "$2" ca_ext "$3" ;;
signer:3) issue "$1" "$2" signer "$3" ;;
revoke:2)
	export ISSUER="$2"
	quietly openssl ca -config openssl.cnf -revoke "$1.cert.pem" ;;
crl:1)
	export ISSUER="$1"
	quietly openssl ca -config openssl.cnf -gencrl -crldays "$days" \
		-out "$1.crl.pem"
	chmod 644 "$1.crl.pem" ;;
recipient:3)
	fresh "$1"
	export ISSUER="$1"
	case $3 in
	rsa) set -- "$1" "$2" rsa:2048 ;;
	ec) set -- "$1" "$2" ec -pkeyopt ec_paramgen_curve:P-256 ;;
	*) usage ;;
	esac
	name=$1 subject=$2
	shift 2
	quietly openssl req -x509 -config openssl.cnf -extensions recipient \
		-newkey "$@" -nodes -keyout "$name.key.pem" \
		-subj "$subject" -days 9000 -out "$name.cert.pem"
	chmod 644 "$name.cert.pem" ;;
*) usage ;;
esac
