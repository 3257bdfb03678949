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
pss-sha1     signature-algorithm            SHA-1 can be forged
pss-mgf      signature-algorithm            MGF1 with another hash than the signature's
pss-cert-mgf certificate-algorithm          MGF1 with another hash than the signature's
stream       cms-ber                        DER only: one encoding, one meaning
noattr       cms-no-signed-attributes       content and attributes could be swapped
econtent     cms-content-type               rauc signs nothing but type data
trailing     cms-syntax                     bytes nobody signed
twice        cms-signers                    openssl verifies all; rauc wants one, too
twice-key    cms-signers                    as twice
twice-id     cms-signers                    as twice
twice-eku    cms-signers                    as twice
thrice       cms-signers                    as twice
nine         limit-exceeded                 8 signers are enough
crl-both-delta crl-unusable                 delta lists are not implemented
crl-forgiven certificate-revoked            what one list says no newer one takes back
crl-newest   certificate-revoked            as crl-forgiven
crl-sha1     crl-unusable                   SHA-1 can be forged
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
		case $c in
		*.crl) cat "$certs/$c" ;;
		*) cat "$certs/$c.pem" ;;
		esac
	done >"$name.pem"
}
keyring all root root-rsa root-ed root-bare root-sha1
keyring root root
keyring int int
keyring root+int root int
keyring next root-next
keyring old root-expired
keyring self self
keyring signer signer

# judge KEYRING PURPOSE PARTIAL SIGNING-TIME SIGNATURE...; crl=true: check-crl
crl=false
judge()
{
	ring=$1 purpose=$2 partial=$3 time=$4
	shift 4
	conf=$ring-$purpose-$partial-$time-$crl.conf
	cat >"$conf" <<-END
		[system]
		compatible=lifeboat test
		bootloader=uboot

		[keyring]
		path=$work/$ring.pem
		check-purpose=$purpose
		allow-partial-chain=$partial
		use-bundle-signing-time=$time
		check-crl=$crl

		[slot.rootfs.0]
		device=/dev/null
		bootname=A
	END
	for name; do
		case="$name, keyring $ring, $purpose"
		[ "$partial" = false ] || case="$case, partial chain"
		[ "$time" = false ] || case="$case, signing time"
		[ "$crl" = false ] || case="$case, CRLs"
		r=refuses l=refuses o=
		! rauc --conf="$conf" info "$name.raucb" >rauc.log 2>&1 ||
			r=accepts
		! "$lifeboat" info --conf="$conf" "$name.raucb" \
			>lifeboat.log 2>&1 || l=accepts
		# openssl has no codesign, and no signing time
		if [ "$purpose" != codesign ] && [ "$time" = false ]; then
			set -- -purpose "$purpose"
			[ "$partial" = false ] || set -- "$@" -partial_chain
			[ "$crl" = false ] ||
				set -- "$@" -crl_check_all -extended_crl
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
	for key in "$name" "$ring"; do
		want=$(awk -v n="$key" '$1 == n { print $2 }' list)
		[ -z "$want" ] || break
	done
	if [ -n "$want" ] && grep -q "$want" lifeboat.log; then
		passed=$((passed + 1))
		differ=$((differ + 1))
		echo "$key" >>differ
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

# Revocation: every certificate and the root needs a list in the keyring.
revocation()
{
	ring=$1
	shift
	# shellcheck disable=SC2086 # lists
	{
		keyring "$ring" $1
		shift
		crl=true judge "$ring" smimesign false false "$@"
	}
	crl=false
}
both='signer with-int under-int'
# shellcheck disable=SC2086 # a list
{
	revocation crl-none 'root int' $both self
	revocation crl-root 'root int root.crl' $both plain
	revocation crl-v1 'root root-v1.crl' signer
	revocation crl-all 'root int root.crl int.crl' $both rsa
	revocation crl-int 'root int int.crl' $both
	revocation crl-many 'root root-many.crl' signer ku-ds rsa3072
	revocation crl-signer 'root root-signer.crl' signer plain
	revocation crl-reason 'root root-signer-reason.crl' signer plain
	revocation crl-held 'root root-signer-held.crl' signer plain
	revocation crl-removed 'root root-removed.crl' signer plain
	revocation crl-revint 'root int root-int.crl int.crl' $both
	revocation crl-under 'root int root.crl int-under.crl' $both
	revocation crl-itself 'root root-root.crl' signer
	revocation crl-number 'root root-number.crl' signer
	revocation crl-critical 'root root-critical.crl' signer
	revocation crl-idp 'root root-idp.crl' signer
	revocation crl-delta 'root root-delta.crl' signer
	revocation crl-both-delta 'root root.crl root-delta.crl' signer
	revocation crl-rsa 'root-rsa root-rsa.crl' rsa pss-cert signer
	revocation crl-pss 'root-rsa root-rsa-pss.crl' rsa pss-cert
	revocation crl-sha1 'root-rsa root-rsa-sha1.crl' rsa
	revocation crl-old 'root root-old.crl' signer
	revocation crl-future 'root root-future.crl' signer
	revocation crl-renewed 'root root-old.crl root.crl' signer
	revocation crl-forgiven 'root root-signer.crl root-later.crl' signer
	revocation crl-later 'root root.crl root-later-signer.crl' signer plain
	revocation crl-order 'root root-later-signer.crl root.crl' signer plain
	revocation crl-newest 'root root-signer.crl root-new.crl' signer
	revocation crl-nocrl 'root root.crl int-nocrl.crl' under-nocrl
	revocation crl-bare 'root-bare root-bare.crl' under-bare
	revocation crl-other 'root-bare root-bare-next.crl' under-bare
	crl=true judge crl-all smimesign false true $both
	crl=true judge crl-old smimesign false true signer
	keyring crl-partial int int.crl
	crl=true judge crl-partial smimesign true false $both
	crl=false
	judge crl-signer smimesign false false signer
	judge crl-critical smimesign false false signer
}

# A directory of PEM files that are named by their hash, and one where they
# are not; with and without a file beside it.
mkdir -p hashed plain.d
for c in root root-rsa int; do
	cp "$certs/$c.pem" hashed/
	cp "$certs/$c.pem" plain.d/
done
cp "$certs/root.crl" "$certs/int.crl" hashed/
openssl rehash hashed
for dir in hashed plain.d; do
	for crl in false true; do
		for path in '' root-bare; do
			printf '%s\n' '[system]' 'compatible=lifeboat test' \
				'bootloader=uboot' '[keyring]' \
				"directory=$work/$dir" "check-crl=$crl" \
				${path:+"path=$certs/$path.pem"} \
				'[slot.rootfs.0]' device=/dev/null bootname=A \
				>dir.conf
			for name in signer rsa with-int under-int under-bare \
				stranger; do
				case="$name, directory $dir and $path, CRL $crl"
				ring=$dir r=refuses l=refuses o=
				! rauc --conf=dir.conf info "$name.raucb" \
					>rauc.log 2>&1 || r=accepts
				! "$lifeboat" info --conf=dir.conf \
					"$name.raucb" >lifeboat.log 2>&1 ||
					l=accepts
				count
			done
		done
	done
done

# OpenSSL counts from 0 up to a gap, and takes certificates out of HASH.N and
# CRLs out of HASH.rN only.
hash=$(openssl x509 -in "$certs/root.pem" -noout -subject_hash)
# hashed_as DIRECTORY FILE... : the root's file of that name, from $certs
hashed_as()
{
	dir=$1
	shift
	mkdir "$dir"
	for file; do
		cat "$certs/${file#*=}" >>"$dir/$hash.${file%=*}"
	done
}
hashed_as one 0=root.pem
hashed_as second 0=root-rsa.pem 1=root.pem
hashed_as gap 1=root.pem
hashed_as gap2 0=root-rsa.pem 2=root.pem
hashed_as zeros 00=root.pem
hashed_as kind r0=root.pem
hashed_as kind2 0=root-rsa.pem r0=root.pem
hashed_as both 0=root.pem 0=root.crl
echo 'both keyring one kind of content in a file' >>list
for dir in one second gap gap2 zeros kind kind2 both; do
	printf '%s\n' '[system]' 'compatible=lifeboat test' \
		'bootloader=uboot' '[keyring]' "directory=$work/$dir" \
		'[slot.rootfs.0]' device=/dev/null bootname=A >dir.conf
	case="signer, directory $dir" name=signer ring=$dir
	r=refuses l=refuses o=
	! rauc --conf=dir.conf info signer.raucb >rauc.log 2>&1 || r=accepts
	! "$lifeboat" info --conf=dir.conf signer.raucb >lifeboat.log 2>&1 ||
		l=accepts
	count
done
mkdir fifo
mkfifo "fifo/$hash.0"
sed "s|^directory=.*|directory=$work/fifo|" dir.conf >fifo.conf
case='a pipe in the directory'
rc=0
timeout 10 "$lifeboat" info --conf=fifo.conf signer.raucb >lifeboat.log 2>&1 ||
	rc=$?
if [ $rc = 1 ] && grep -q '\[keyring\]' lifeboat.log; then
	passed=$((passed + 1))
else
	fail "$case: $rc $(cat lifeboat.log)"
fi
# --keyring stands for path only
for dir in one gap; do
	sed "s|^directory=.*|directory=$work/$dir|" dir.conf >with.conf
	case="signer, --keyring and directory $dir" name=signer ring=$dir
	r=refuses l=refuses
	! rauc --conf=with.conf --keyring="$certs/root-rsa.pem" info \
		signer.raucb >rauc.log 2>&1 || r=accepts
	! "$lifeboat" info --conf=with.conf --keyring="$certs/root-rsa.pem" \
		signer.raucb >lifeboat.log 2>&1 || l=accepts
	count
done

# What rauc says to a system.conf, and what lifeboat says.
# settings CASE LINE...
settings()
{
	case="system.conf: $1" ring=$1 name=signer r=refuses l=refuses
	shift
	printf '%s\n' '[system]' 'compatible=lifeboat test' \
		'bootloader=uboot' "$@" '[slot.rootfs.0]' device=/dev/null \
		bootname=A '[keyring]' "path=$certs/root.pem" >set.conf
	! rauc --conf=set.conf info signer.raucb >rauc.log 2>&1 || r=accepts
	! "$lifeboat" info --conf=set.conf signer.raucb >lifeboat.log 2>&1 ||
		l=accepts
	count
}
settings formats 'bundle-formats=plain  verity '
settings formats-empty bundle-formats=
settings formats-blank 'bundle-formats= '
settings formats-tab "$(printf 'bundle-formats=plain\tverity')"
settings twice 'compatible=lifeboat test'
settings twice-crl '[keyring]' check-crl=false check-crl=false
settings twice-path '[keyring]' "path=$certs/root.pem"
settings twice-slot '[slot.rootfs.0]' device=/dev/zero
settings group '[keyring]' check-crl=false '[system]' boot-attempts=2
settings case '[Keyring]' check-crl=false
settings plural '[keyrings]' check-crl=false
settings singular bundle-format=verity
settings versions min-bundle-versions=9
settings place check-crl=false

# Under another clock: openssl's -attime.
lib="der key x509 crl path cms keyring"
lib=$(for f in $lib; do
	echo "$top/src/bundle/$f.c"
done)
# shellcheck disable=SC2086 # a list
${CC:-cc} -std=c11 -D_GNU_SOURCE -O2 -I"$top/src" -I"$top/tests" -isystem "$bearssl" \
	-o trust_case "$top/tests/diff/trust_case.c" $lib \
	"$top"/src/base/base.c "$top"/src/base/buf.c "$top"/src/base/fmt.c \
	"$top"/src/base/reason.c "$libdeps" -lcrypto
# at SECONDS KEYRING CRL SIGNATURE
at()
{
	name=$4 ring=$2 o='' r=refuses l=refuses
	case="$4, keyring $2, at $1"
	! ./trust_case "$2.pem" "$4.cms" "crl=$3" time=clock now="$1" \
		>lifeboat.log || l=accepts
	[ "$3" = 0 ] || set -- "$@" -crl_check_all -extended_crl
	t=$1
	shift 4
	! openssl cms -verify -binary -inform DER -in "$name.cms" \
		-CAfile "$ring.pem" -no-CApath -no-CAstore -out out \
		-attime "$t" "$@" >openssl.log 2>&1 || r=accepts
	count
}
for t in 1577836799 1577836800 1735689599 1735689600 4070908799 4070908800; do
	at $t root 0 signer
	at $t root+int 0 with-int
	at $t crl-root 1 signer
	at $t crl-all 1 with-int
	at $t crl-old 1 signer
	at $t crl-renewed 1 signer
done
for t in 1262304000 1325376000 1325375999 3786912000 3786911999; do
	at $t old 0 signer
	at $t root 0 expired
	at $t root 0 future
done

# What lifeboat says about BER can be done.
"$lifeboat" info --keyring=all.pem stream.raucb >ber.log 2>&1 || :
sed -n 's/.*what to do: .*: B=old.raucb;/B=stream.raucb;/p' ber.log >ber.sh
sh -eu ./ber.sh >convert.log 2>&1 || :
if "$lifeboat" info --keyring=all.pem new.raucb >lifeboat.log 2>&1 &&
	cmp -n 8192 stream.raucb new.raucb; then
	passed=$((passed + 1))
else
	fail "the conversion of BER: $(cat ber.sh convert.log lifeboat.log)"
fi

# Several signers: the one thing that rauc does not accept and lifeboat does,
# with min-signers=.
for name in twice thrice twice-id; do
	if ./trust_case all.pem $name.cms signers=2 >lifeboat.log; then
		passed=$((passed + 1))
		echo "extension: $name: min-signers=2: rauc wants one signer"
	else
		fail "$name: min-signers=2: $(cat lifeboat.log)"
	fi
done
for name in signer twice-key twice-bad; do
	! ./trust_case all.pem $name.cms signers=2 >lifeboat.log ||
		fail "$name is accepted with min-signers=2"
	passed=$((passed + 1))
done

sort -u differ >seen 2>/dev/null || :
while read -r name reason why; do
	if grep -qx "$name" seen; then
		echo "stricter: $name: $reason: $why"
	else
		fail "$name is listed as a difference and is none"
	fi
done <list

echo "trust: $((passed + failed)) cases, $differ of them stricter than rauc or openssl"
echo "trust: $passed passed, $failed failed"
[ "$failed" = 0 ]
