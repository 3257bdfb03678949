#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# embed.sh PEM true|false VERSION VERSIONS-FILE: prints the C file behind
# src/base/embedded.h. The second argument says whether the keyring is the
# development one; with false, a release, one of its certificates in PEM is
# refused, whatever else is there. So are private keys and files without a
# certificate.
set -eu

pem=$1
if grep -q 'PRIVATE KEY' "$pem"; then
	echo "embed.sh: $pem holds a private key" >&2
	exit 1
fi
if ! grep -q '^-----BEGIN CERTIFICATE-----' "$pem"; then
	echo "embed.sh: no certificate in $pem" >&2
	exit 1
fi
# Only the certificates: comments would cost bytes in every binary.
certs=$(sed -n '/^-----BEGIN /,/^-----END /p' "$pem" | tr -d '\r')
subjects=$(printf '%s\n' "$certs" |
	openssl crl2pkcs7 -nocrl -certfile /dev/stdin |
	openssl pkcs7 -print_certs -noout | grep '^ *subject') || {
	echo "embed.sh: openssl reads no certificates in $pem" >&2
	exit 1
}
development=$2
if echo "$subjects" | grep -qi 'lifeboat development'; then
	if [ "$2" = false ]; then
		echo "embed.sh: $pem trusts a development key: not in a release" \
			"(keys/README.md)" >&2
		exit 1
	fi
	development=true
fi
cat <<EOT
/* Made by src/embed.sh. */
#include "base/embedded.h"

const char keyring_pem[] =
$(printf '%s\n' "$certs" | sed 's/.*/	"&\\n"/');
const size_t keyring_pem_len = sizeof(keyring_pem) - 1;
const bool keyring_is_development = $development;
const long long build_epoch = ${SOURCE_DATE_EPOCH:-0};
const char lifeboat_version[] = "$3";
const char lifeboat_built_with[] = "$(cat "$4")";
EOT
