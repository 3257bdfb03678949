#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# Certificates, keyrings and CMS signatures for the tests, made on the spot:
#
#   mkcerts.sh OUT
#
# Needs openssl only. OUT is kept as it is while this script does not change.
# Dates are fixed (2020 to 2099; 2010 to 2012; 2090 to 2099), so that tests can
# stop the clock; a signingTime is always the time of the run.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
out=$1
mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$out"
exec 9>lock
flock 9
stamp=$(sha256sum <"$here/mkcerts.sh")
[ "$(cat stamp 2>/dev/null || :)" != "$stamp" ] || exit 0
rm -rf stamp ./*.pem ./*.der ./*.cms ./*.key ./*.csr db

mkdir -p db
: >db/index
cat >db/conf <<'END'
[ca]
default_ca = db
[db]
new_certs_dir = db
database = db/index
default_md = sha256
policy = any
unique_subject = no
email_in_dn = no
rand_serial = yes
[any]
countryName = optional
organizationName = optional
commonName = optional
[req]
distinguished_name = dn
prompt = no
string_mask = utf8only
[dn]
[ids]
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
END

key()
{
	case $2 in
	rsa*) openssl genrsa -out "$1.key" "${2#rsa}" ;;
	ed25519) openssl genpkey -algorithm ed25519 -out "$1.key" ;;
	*) openssl ecparam -genkey -noout -name "$2" -out "$1.key" ;;
	esac 2>>db/log
	openssl req -new -config db/conf -key "$1.key" -subj /CN=x \
		-out "$1.csr" 2>>db/log
}

# cert NAME SUBJECT KEY ISSUER EXTENSIONS [openssl ca options]
# ISSUER "-" is the certificate itself. Extensions: lines split by '|'.
from=20200101000000Z
to=20990101000000Z
md=sha256
cert()
{
	name=$1 subject=$2 key=$3 issuer=$4
	{
		echo '[ext]'
		echo "$5" | tr '|' '\n'
	} >db/ext
	shift 5
	case $issuer in
	-) set -- -selfsign -keyfile "$key.key" "$@" ;;
	*) set -- -cert "$issuer.pem" -keyfile "$(cat "db/$issuer.keyname").key" "$@" ;;
	esac
	echo "$key" >"db/$name.keyname"
	openssl ca -batch -notext -config db/conf -extfile db/ext \
		-extensions ext -startdate "$from" -enddate "$to" -md "$md" \
		-subj "/O=lifeboat tests/CN=$subject" -in "$key.csr" \
		-out "$name.pem" "$@" 2>>db/log
}

noids='subjectKeyIdentifier=none|authorityKeyIdentifier=none'
ids='subjectKeyIdentifier=hash|authorityKeyIdentifier=keyid'
ca="basicConstraints=critical,CA:TRUE|keyUsage=critical,keyCertSign,cRLSign|$ids"
ee="basicConstraints=CA:FALSE|$ids"

for k in root root2 int sub signer other; do
	key $k prime256v1
done
key rsa rsa2048
key rsa1024 rsa1024
key rsa3072 rsa3072
key p384 secp384r1
key p521 secp521r1
key k1 secp256k1
key ed ed25519

cert root 'Root' root - "$ca"
cert root-next 'Root' root2 - "$ca"
cert root-bare 'Bare Root' root2 - "basicConstraints=CA:TRUE|$noids"
cert root-bare-next 'Bare Root' other - "basicConstraints=CA:TRUE|$noids"
cert root-rsa 'RSA Root' rsa - "$ca"
md=default cert root-ed 'Ed25519 Root' ed - "$ca"
cert int 'Intermediate' int root "$ca"
cert int-cross 'Intermediate' int root-next "$ca"
cert int-pathlen 'Path Zero' int root 'basicConstraints=critical,CA:TRUE,pathlen:0'
cert sub 'Sub' sub int-pathlen "$ca"
cert int-noca 'Not a CA' int root "$ee"
cert int-noku 'No keyCertSign' int root \
	'basicConstraints=CA:TRUE|keyUsage=digitalSignature'
cert int-server 'Server CA' int root "$ca|extendedKeyUsage=serverAuth"
cert int-code 'Code CA' int root "$ca|extendedKeyUsage=codeSigning"
cert int-names 'Constrained' int root \
	"$ca|nameConstraints=permitted;DNS:example.org"
cert int-critical 'Critical CA' int root "$ca|1.2.3.4=critical,DER:0500"

cert signer 'Signer' signer root "$ee"
cert ca-signer 'CA Signer' signer root 'basicConstraints=CA:TRUE'
cert plain 'No Extensions' signer root "$noids"
cert ku-ds 'KU ds' signer root "$ee|keyUsage=digitalSignature"
cert ku-nr 'KU nr' signer root "$ee|keyUsage=nonRepudiation"
cert ku-ke 'KU ke' signer root "$ee|keyUsage=keyEncipherment"
cert eku-email 'EKU email' signer root "$ee|extendedKeyUsage=emailProtection"
cert eku-server 'EKU server' signer root "$ee|extendedKeyUsage=serverAuth"
cert eku-time 'EKU time' signer root "$ee|extendedKeyUsage=timeStamping"
cert eku-any 'EKU any' signer root "$ee|extendedKeyUsage=anyExtendedKeyUsage"
cert eku-code 'EKU code' signer root "$ee|extendedKeyUsage=codeSigning"
cert eku-code-ds 'EKU code ds' signer root \
	"$ee|extendedKeyUsage=critical,codeSigning|keyUsage=critical,digitalSignature"
cert eku-code-nr 'EKU code nr' signer root \
	"$ee|extendedKeyUsage=codeSigning|keyUsage=nonRepudiation"
cert eku-both 'EKU both' signer root \
	"$ee|extendedKeyUsage=codeSigning,emailProtection"
cert critical 'Critical' signer root "$ee|1.2.3.4=critical,DER:0500"
cert ns-type 'Netscape' signer root "$ee|nsCertType=server"
md=sha1 cert sha1 'SHA-1' signer root "$ee"
md=sha512 cert sha512 'SHA-512' signer root "$ee"
from=20100101000000Z to=20120101000000Z cert expired 'Expired' signer root "$ee"
from=20900101000000Z cert future 'Future' signer root "$ee"
from=20100101000000Z to=20120101000000Z \
	cert root-expired 'Root' root - "$ca"
cert under-int 'Under Int' signer int "$ee"
cert under-bare 'Under Bare' signer root-bare "basicConstraints=CA:FALSE|$noids"
cert under-pathlen 'Under Path Zero' signer int-pathlen "$ee"
cert under-sub 'Under Sub' signer sub "$ee"
cert under-noca 'Under Not a CA' signer int-noca "$ee"
cert under-noku 'Under No keyCertSign' signer int-noku "$ee"
cert under-server 'Under Server' signer int-server "$ee"
cert under-code 'Under Code' signer int-code "$ee|extendedKeyUsage=codeSigning"
cert under-names 'Under Constrained' signer int-names "$ee"
cert under-critical 'Under Critical' signer int-critical "$ee"
cert under-ed 'Under Ed25519' signer root-ed "$ee"
cert self 'Self' signer - "$ee"
cert self-imposter 'Signer' other - "$ee"
cert stranger 'Stranger' other self-imposter "$ee"
cert rsa 'RSA' rsa root-rsa "$ee"
cert rsa3072 'RSA 3072' rsa3072 root "$ee"
cert rsa1024 'RSA 1024' rsa1024 root "$ee"
cert p384 'P-384' p384 root "$ee"
cert p521 'P-521' p521 root "$ee"
cert k1 'secp256k1' k1 root "$ee"
cert comma 'Comma, "Quote" ä' signer root "$ee" -utf8
cert longcn 'A common name of exactly sixty-four characters, not one more xxx' \
	signer root "$ee"

# Links of a chain that is longer than any limit.
prev=root
for i in 1 2 3 4 5 6 7 8; do
	cert "link$i" "Link $i" int "$prev" "$ca"
	prev=link$i
done
cert under-link6 'Under Link 6' signer link6 "$ee"
cert under-link8 'Under Link 8' signer link8 "$ee"

# CAs of one name and key, each of which could have issued each other.
for i in 0 1 2 3 4 5 6 7 8 9 a b; do
	cert loop$i 'Loop' int - "basicConstraints=CA:TRUE|$noids"
done
cert under-loop 'Under Loop' signer loop0 "basicConstraints=CA:FALSE|$noids"
cat loop?.pem >loops.pem

# A bundle of two blocks of payload and one of hash tree, of zeros.
zeros=0000000000000000000000000000000000000000000000000000000000000000
cat >manifest <<END
[update]
compatible=lifeboat test
version=1

[bundle]
format=verity
verity-hash=$zeros
verity-salt=$zeros
verity-size=4096

[image.rootfs]
sha256=$zeros
size=4096
filename=rootfs.img
END

# sign NAME CERT [openssl cms options]
sign()
{
	file=$1 who=$2
	shift 2
	openssl cms -sign -binary -nodetach -nosmimecap -outform DER \
		-in manifest -signer "$who.pem" \
		-inkey "$(cat "db/$who.keyname").key" -out "$file.cms" "$@" \
		2>>db/log
}

for c in signer ca-signer plain ku-ds ku-nr ku-ke eku-email eku-server \
	eku-time eku-any eku-code eku-code-ds eku-code-nr eku-both critical \
	ns-type sha1 sha512 expired future self stranger under-int under-bare \
	under-ed rsa rsa3072 rsa1024 p384 p521 k1 comma longcn under-link6 \
	under-link8; do
	sign $c $c
done
for c in pathlen noca noku server code names critical; do
	sign under-$c under-$c -certfile int-$c.pem
done
cat sub.pem int-pathlen.pem >sub-chain.pem
sign under-sub under-sub -certfile sub-chain.pem
sign with-int under-int -certfile int.pem
cat link?.pem >links.pem
sign with-links6 under-link6 -certfile links.pem
sign with-links8 under-link8 -certfile links.pem
cat int.pem int-cross.pem >crosses.pem
sign with-loops under-loop -certfile loops.pem
sign with-crosses under-int -certfile crosses.pem
sign with-unrelated signer -certfile p384.pem
sign keyid signer -keyid
openssl cms -sign -binary -outform DER -nosmimecap -in manifest \
	-signer signer.pem -inkey signer.key -out detached.cms 2>>db/log
sign stream signer -stream
sign noattr signer -noattr
sign smimecap signer
sign nocerts signer -nocerts
sign twice signer -signer rsa.pem -inkey rsa.key
sign md-sha1 signer -md sha1
sign md-sha224 signer -md sha224
sign md-sha384 signer -md sha384
sign md-sha512 signer -md sha512
sign rsa-sha512 rsa -md sha512
sign pss rsa -keyopt rsa_padding_mode:pss
sign econtent signer -econtent_type 1.2.3.4
sign cades signer -cades
openssl cms -encrypt -binary -aes256 -outform DER -in manifest \
	-out enveloped.cms signer.pem 2>>db/log
openssl cms -digest_create -binary -outform DER -in manifest \
	-out digested.cms 2>>db/log
for i in 0 1 2 3 4 5 6 7 8 9 a b c d e f g h i j k l m n o p q r s t u v w; do
	cert "many$i" "Many $i" other root "$ee"
done
cat many?.pem >many.pem
sign with-many signer -certfile many.pem
for c in root int rsa p521 signer eku-both expired; do
	openssl x509 -in $c.pem -outform DER -out $c.der
done
echo "$stamp" >stamp
