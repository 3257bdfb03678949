#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# verdict.sh: the verdict on a verity bundle with a chain of three RSA-2048
# certificates takes at most 1.5 times as long as BearSSL's checks of the three
# signatures alone. lifeboat's code is compiled as for the product (clang
# -Oz), the libraries are those that the product of this machine links.
# Last line: "verdict: N passed, N failed".
set -eu
cd "$(dirname "$0")/../.."

out=build/bench
certs=build/tests/certs
mkdir -p $out
make V=check-clang B=$out DEPS="$(dpkg --print-architecture)" QUIET=1 \
	MODE='-Oz -fuse-ld=lld -Wno-unused-command-line-argument' \
	$out/tests/bench/verdict_test
sh tests/data/mkcerts.sh $certs
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for name in root int signer; do
	openssl genrsa -out "$work/$name.key" 2048 2>"$work/log"
done
openssl req -x509 -key "$work/root.key" -subj '/CN=Bench Root' -days 99 \
	-addext keyUsage=critical,keyCertSign,cRLSign -out "$work/root.pem"
# issue NAME ISSUER EXTENSIONS
issue()
{
	openssl req -new -key "$work/$1.key" -subj "/CN=Bench $1" \
		-out "$work/csr"
	printf '%s\n' "$3" subjectKeyIdentifier=hash \
		authorityKeyIdentifier=keyid >"$work/ext"
	openssl x509 -req -in "$work/csr" -CA "$work/$2.pem" \
		-CAkey "$work/$2.key" -days 99 -set_serial 0x1234 \
		-extfile "$work/ext" -out "$work/$1.pem" 2>"$work/log"
}
issue int root basicConstraints=critical,CA:TRUE
issue signer int basicConstraints=CA:FALSE
openssl cms -sign -binary -nodetach -nosmimecap -outform DER \
	-in $certs/manifest -out "$work/cms" -signer "$work/signer.pem" \
	-inkey "$work/signer.key" -certfile "$work/int.pem"
# Two blocks of payload and one of hash tree, which nobody reads here.
{
	head -c 12288 /dev/zero
	cat "$work/cms"
	size=$(wc -c <"$work/cms")
	# eight octets, big-endian
	# shellcheck disable=SC2059 # octal escapes
	printf "$(printf '\\000\\000\\000\\000\\000\\000\\%03o\\%03o' \
		$((size / 256)) $((size % 256)))"
} >"$work/bundle"
$out/tests/bench/verdict_test "$work/bundle" "$work/root.pem"
