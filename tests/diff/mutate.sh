#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# mutate.sh [COUNT [SEED]]: changed messages, certificates, revocation lists
# and envelopes, judged by lifeboat and by libcrypto (mutate.c): COUNT of them
# (default 20000), by SEED (1). Last line: "mutate: N passed, N failed".
set -eu
cd "$(dirname "$0")/../.."
export LC_ALL=C

count=${1:-20000}
seed=${2:-1}
certs=build/tests/certs
work=build/tests/mutate
mkdir -p "$work"
sh tests/data/mkcerts.sh "$certs"

# What mkcerts.sh has no use for: RSA-4096, three RSA certificates in a row,
# and envelopes that hold a signature.
stamp=$(cat "$0" "$certs/stamp" | sha256sum)
if [ "$(cat "$work/stamp" 2>/dev/null || :)" != "$stamp" ]; then
	rm -rf "${work:?}"/*
	# Kept, as another run may make them anew.
	cp -r "$certs" "$work/certs"
	certs=$work/certs
	# sign NAME [openssl cms options]
	sign()
	{
		who=$work/$1
		shift
		openssl cms -sign -binary -nodetach -outform DER \
			-in "$certs/manifest" -out "$who.cms" \
			-signer "$who.pem" -inkey "$who.key" "$@"
	}
	openssl req -x509 -newkey rsa:4096 -nodes -subj '/CN=RSA 4096' \
		-days 30000 -keyout "$work/rsa4096.key" \
		-out "$work/rsa4096.pem" 2>"$work/log"
	for name in chain-root chain-int chain; do
		openssl genrsa -out "$work/$name.key" 2048 2>"$work/log"
	done
	ca='-addext keyUsage=critical,keyCertSign,cRLSign'
	# shellcheck disable=SC2086 # words
	openssl req -x509 -key "$work/chain-root.key" -subj '/CN=Chain Root' \
		-days 30000 $ca -out "$work/chain-root.pem"
	# issue NAME ISSUER EXTENSIONS
	issue()
	{
		openssl req -new -key "$work/$1.key" -subj "/CN=$1" \
			-out "$work/csr"
		echo "$3" | tr '|' '\n' >"$work/ext"
		openssl x509 -req -in "$work/csr" -CA "$work/$2.pem" \
			-CAkey "$work/$2.key" -days 30000 -set_serial 0x1234 \
			-extfile "$work/ext" -out "$work/$1.pem" 2>"$work/log"
	}
	ids='subjectKeyIdentifier=hash|authorityKeyIdentifier=keyid'
	issue chain-int chain-root "basicConstraints=critical,CA:TRUE|$ids"
	issue chain chain-int "basicConstraints=CA:FALSE|$ids"
	sign rsa4096
	sign chain -certfile "$work/chain-int.pem"
	# envelope NAME CERTIFICATE [openssl cms options]
	envelope()
	{
		to=$2 name=$1
		shift 2
		openssl cms -encrypt -binary -aes256 -outform DER \
			-in "$certs/signer.cms" -out "$work/env-$name.cms" \
			-recip "$certs/$to.pem" "$@"
	}
	envelope rsa rsa
	envelope oaep rsa -keyopt rsa_padding_mode:oaep
	envelope ec p384
	echo "$stamp" >"$work/stamp"
fi

deps=build/deps/src
# shellcheck disable=SC2046 # a list
${CC:-cc} -std=c11 -D_GNU_SOURCE -O2 -Isrc -isystem $deps/bearssl/inc \
	-isystem $deps/libdeflate -isystem $deps/libzstd/lib \
	-isystem $deps/lz4/lib -isystem $deps/xz -o "$work/mutate" \
	tests/diff/mutate.c tests/diff/mutate_der.c \
	tests/diff/trust_oracle.c tests/diff/trust_pki.c \
	$(find src/bundle src/base -name '*.c' ! -name blk_fd.c ! -name log.c) \
	build/deps/gcc/libdeps.a -lcrypto

# Half of the kinds each; the lines of both, with the numbers of the same name
# added up.
rc=0
start=$(date +%s)
for part in 0 1; do
	timeout "${TIMEOUT:-600}" "$work/mutate" $part 2 "$work/certs" "$work" \
		"$seed" "$count" >"$work/out.$part" &
	eval "pid$part=$!"
done
# shellcheck disable=SC2154 # pid0, pid1
wait "$pid0" || rc=$?
# shellcheck disable=SC2154 # pid0, pid1
wait "$pid1" || rc=$?
cat "$work/out.0" "$work/out.1" | awk -F ': ' '
!/: [0-9]*$/ { print; next }
{ name = $0; sub(/: [0-9]*$/, "", name) }
!(name in sum) { order[++n] = name }
{ sum[name] += $NF }
END { for (i = 1; i <= n; i++) print order[i] ": " sum[order[i]] }'
echo "$(($(date +%s) - start)) seconds"
if [ "$rc" = 0 ]; then
	echo "mutate: 1 passed, 0 failed"
else
	echo "mutate: exit status $rc: 0 passed, 1 failed"
	exit 1
fi
