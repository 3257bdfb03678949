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
rm -rf stamp ./*.pem ./*.der ./*.cms ./*.key ./*.csr ./*.crl db

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
	pss*) openssl genpkey -algorithm RSA-PSS -out "$1.key" \
		-pkeyopt "rsa_keygen_bits:${2#pss}" ;;
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
key psskey pss2048
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
md=sha1 cert root-sha1 'SHA-1 Root' root2 - "$ca"
cert under-sha1 'Under SHA-1 Root' signer root-sha1 "$ee"
cert int 'Intermediate' int root "$ca"
cert int-cross 'Intermediate' int root-next "$ca"
cert int-pathlen 'Path Zero' int root 'basicConstraints=critical,CA:TRUE,pathlen:0'
cert sub 'Sub' sub int-pathlen "$ca"
cert int-noca 'Not a CA' int root "$ee"
cert int-noku 'No keyCertSign' int root \
	'basicConstraints=CA:TRUE|keyUsage=digitalSignature'
cert int-nocrl 'No cRLSign' int root \
	"basicConstraints=CA:TRUE|keyUsage=keyCertSign|$ids"
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
cert exts 'Extensions' signer root \
	"$ee|keyUsage=keyAgreement,decipherOnly|certificatePolicies=1.2.3
subjectAltName=email:a@b,DNS:b,URI:c:d,IP:1.2.3.4,dirName:dir,otherName:1.2.3;UTF8:z
crlDistributionPoints=points
[points]
fullname=URI:c:e
CRLissuer=dirName:dir
reasons=keyCompromise
[dir]
CN=z"
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
cert under-nocrl 'Under No cRLSign' signer int-nocrl "$ee"
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
cert psskey 'PSS key' psskey root "$ee"
cert pss-cert 'PSS certificate' signer root-rsa "$ee" \
	-sigopt rsa_padding_mode:pss
md=sha512 cert pss-cert-sha512 'PSS certificate SHA-512' signer root-rsa "$ee" \
	-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:64
cert pss-cert-mgf 'PSS certificate MGF' signer root-rsa "$ee" \
	-sigopt rsa_padding_mode:pss -sigopt rsa_mgf1_md:sha1
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
cat loop[0-4].pem >circle.pem
cat loop[01].pem >loop01.pem
for i in 1 2 3 4 5 6 7 8; do
	cert decoy$i 'Loop' other - "basicConstraints=CA:TRUE|$noids"
done
cat decoy[1-7].pem >decoys.pem

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
	pss-cert pss-cert-sha512 pss-cert-mgf \
	under-ed under-sha1 rsa rsa3072 rsa1024 p384 p521 k1 comma longcn under-link6 \
	under-link8; do
	sign $c $c
done
for c in pathlen noca noku nocrl server code names critical; do
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
sign with-circle under-loop -certfile circle.pem
sign with-loop under-loop -certfile loop01.pem
sign with-crosses under-int -certfile crosses.pem
sign with-unrelated signer -certfile p384.pem
sign keyid signer -keyid
for kind in "" -sha384 -sha512; do
	openssl cms -sign -binary -outform DER -nosmimecap -in manifest \
		-signer signer.pem -inkey signer.key ${kind:+-md ${kind#-}} \
		-out detached$kind.cms 2>>db/log
done
for kind in rsa other; do
	file=manifest
	[ $kind = rsa ] || file=loops.pem
	openssl cms -sign -binary -outform DER -nosmimecap -in $file \
		-signer rsa.pem -inkey rsa.key -out detached-$kind.cms \
		2>>db/log
done
sign stream signer -stream
sign noattr signer -noattr
sign smimecap signer
sign nocerts signer -nocerts
sign twice signer -signer rsa.pem -inkey rsa.key
sign twice-key signer -signer ku-ds.pem -inkey signer.key
sign twice-id signer -keyid -signer rsa.pem -inkey rsa.key
sign twice-eku eku-both -signer rsa.pem -inkey rsa.key
sign twice-bad signer -signer stranger.pem -inkey other.key
sign thrice signer -signer rsa.pem -inkey rsa.key -signer p384.pem \
	-inkey p384.key
sign md-sha1 signer -md sha1
sign md-sha224 signer -md sha224
sign md-sha384 signer -md sha384
sign md-sha512 signer -md sha512
sign rsa-sha512 rsa -md sha512
sign pss rsa -keyopt rsa_padding_mode:pss
for salt in 0 20 32 max; do
	sign pss-$salt rsa -keyopt rsa_padding_mode:pss \
		-keyopt rsa_pss_saltlen:$salt
done
sign pss-sha512 rsa -md sha512 -keyopt rsa_padding_mode:pss
sign pss-sha1 rsa -md sha1 -keyopt rsa_padding_mode:pss
sign pss-mgf rsa -keyopt rsa_padding_mode:pss -keyopt rsa_mgf1_md:sha1
sign psskey psskey
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
set --
for i in 1 2 3 4 5 6 7 8; do
	set -- "$@" -signer many$i.pem -inkey other.key
done
sign nine many0 "$@"
for c in root int rsa p384 p521 signer eku-both expired exts; do
	openssl x509 -in $c.pem -outform DER -out $c.der
done
openssl pkey -in rsa.key -outform DER -out rsa.key.der
{ printf '\001\002\003\004\005\006\007\010'; head -c 24 /dev/zero; } >digest
for k in signer p384 p521; do
	openssl pkeyutl -sign -inkey $k.key -in digest -out $k.sig.der
done

# crl NAME ISSUER EXTENSIONS [CERTIFICATE[,REASON]...]
since=20250101000000Z
until=20990101000000Z
crlmd=sha256
crl()
{
	name=$1 issuer=$2
	{
		printf '[ca]\ndefault_ca = db\n[db]\ndatabase = db/revoked\n'
		printf 'default_md = %s\n[ext]\n' "$crlmd"
		echo "$3" | tr '|' '\n'
	} >db/crlconf
	exts=${3:+-crlexts ext}
	shift 3
	: >db/revoked
	for c; do
		serial=$(openssl x509 -noout -serial -in "${c%%,*}.pem")
		reason=${c#"${c%%,*}"}
		printf 'R\t990101000000Z\t250601000000Z%s\t%s\tunknown\t/CN=x\n' \
			"$reason" "${serial#serial=}" >>db/revoked
	done
	# shellcheck disable=SC2086 # $exts is two words
	openssl ca -gencrl -config db/crlconf $exts -cert "$issuer.pem" \
		-keyfile "$(cat "db/$issuer.keyname").key" \
		-crl_lastupdate "$since" -crl_nextupdate "$until" \
		${crlopt:-} -out "$name.crl" 2>>db/log
}
aki=authorityKeyIdentifier=keyid
crl root root $aki
crl root-v1 root ''
crl root-many root $aki expired future rsa3072 k1 ku-ds,superseded
crl root-signer root $aki expired signer
crl root-signer-reason root $aki expired signer,keyCompromise
crl root-signer-held root $aki signer,certificateHold
crl root-removed root $aki signer,removeFromCRL
crl root-int root $aki int,CACompromise
crl root-root root $aki root
crl root-ku root $aki ku-ds
crl root-number root "$aki|1.2.3.4=DER:0500"
crl root-critical root "$aki|1.2.3.4=critical,DER:0500"
crl root-idp root "$aki|issuingDistributionPoint=critical,@idp
[idp]
onlyuser=TRUE"
crl root-delta root "$aki|deltaCRL=critical,DER:020101"
crl root-rsa root-rsa $aki
crl root-next root-next $aki
crlopt='-sigopt rsa_padding_mode:pss' crl root-rsa-pss root-rsa $aki
crlmd=sha1 crl root-rsa-sha1 root-rsa $aki
crl int int $aki
crl int-under int $aki under-int
since=20240101000000Z until=20250101000000Z crl int-old int $aki
crl int-nocrl int-nocrl $aki
crl loop loop5 ''
crl root-bare root-bare ''
crl root-bare-next root-bare-next ''
since=20240101000000Z crl root-bare-next-under root-bare-next '' under-bare
since=20240101000000Z until=20250101000000Z crl root-old root $aki
since=20240101000000Z until=20250101000000Z \
	crl root-old-signer root $aki signer
since=20260601000000Z crl root-new root $aki
since=20250201000000Z crl root-later root $aki
since=20250201000000Z crl root-later-signer root $aki signer
since=20900101000000Z crl root-future root $aki
echo "$stamp" >stamp
