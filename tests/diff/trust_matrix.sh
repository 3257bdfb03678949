#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# Who believes which bundle, over thousands of cases that trust_matrix makes
# and judges in one process: lifeboat, libcrypto, BearSSL's path engine. Every
# Nth case is written out, and the programs themselves have to say of it what
# was said in the process: rauc, openssl, lifeboat; a part of these again with
# the keyring in a folder of hashed names. trust_matrix.c lists the differences.
#
# usage: tests/diff/trust_matrix.sh [-a|-f] [WORKDIR]   LIFEBOAT=program,
# default build/host/lifeboat. -a: each case in each format. V=1: every case.
# -f: the matrix over sources with one rule left out of each, which has to be
# seen.

set -eu
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.."
all='' every=20 faults=false
case ${1:-} in
-a) all=-a every=50 && shift ;;
-f) faults=true && shift ;;
esac
work=${1:-build/test/trust_matrix}
lifeboat=${LIFEBOAT:-build/host/lifeboat}
lifeboat=$(cd "$(dirname "$lifeboat")" && pwd)/${lifeboat##*/}
deps=build/deps/src
rm -rf "$work"
mkdir -p "$work/cases" build/tests/keys
work=$(cd "$work" && pwd)

# compile SRC PROGRAM
compile()
{
	# shellcheck disable=SC2046 # a list
	${CC:-cc} -std=c11 -D_GNU_SOURCE -O2 "-I$1" -I. \
		-isystem $deps/bearssl/inc -isystem $deps/libdeflate \
		-isystem $deps/libzstd/lib -isystem $deps/lz4/lib \
		-isystem $deps/xz -o "$2" \
		tests/diff/trust_matrix.c tests/diff/trust_cases.c \
		tests/diff/trust_recipe.c tests/diff/trust_oracle.c \
		tests/diff/trust_pki.c \
		$(find "$1/bundle" "$1/base" -name '*.c' \
			! -name blk_fd.c ! -name log.c) \
		build/deps/gcc/libdeps.a -lcrypto
}

# What a plain bundle carries.
mkdir "$work/content"
echo image >"$work/content/rootfs.img"
printf '%s\n' '[update]' 'compatible=lifeboat test' 'version=1' \
	'[image.rootfs]' 'filename=rootfs.img' size=6 \
	"sha256=$(sha256sum <"$work/content/rootfs.img" | cut -c 1-64)" \
	>"$work/content/manifest.raucm"
mksquashfs "$work/content" "$work/payload" -all-root -quiet -no-progress \
	>"$work/mksquashfs.log"

passed=0
failed=0
fail()
{
	failed=$((failed + 1))
	echo "FAILED $*"
}

# The part that sees it, the source, and what a rule becomes.
faults()
{
	cat <<'END'
leaf path.c s/if (c->has_eku ? .*/if (false)/
ca path.c s/if (c->has_eku ? .*/if (false)/
leaf path.c s/c->has_ku && !(c->ku & bits)/false/
ca path.c s/c->has_ku && !(c->ku & KU_CERT_SIGN)/false/
ca path.c s/issuer && !c->ca/false/
ca path.c s/issuer && c->has_pathlen .*/false)/
leaf path.c s/c->unhandled.len > 0/false/
ca path.c s/c->unhandled.len > 0/false/
clock path.c s/at->now < c->not_after/at->now <= c->not_after/
clock path.c s/at->now < c->not_before/at->now + 1 < c->not_before/
clock path.c s/r = judge_dates(c, name, s->at, d)/r = 0/
crl path.c s/= all_paths(s) ? judge_revocation.*/= 0;/
crl path.c s/i < s->len; i++) {/i + 1 < s->len; i++) {/
shape path.c s/s->policy->allow_partial_chain || x509_self_signed(c)/true/
crl crl.c s/if (!good)/if (false)/
crl crl.c s/now < c->next_update/now <= c->next_update/
crl crl.c s/now >= c->this_update/now + 1 >= c->this_update/
crl crl.c s/return x509_check_signature(.*/return 0;/
ca crl.c s/issuer->has_ku && !(issuer->ku & KU_CRL_SIGN)/false/
crl crl.c s/best.issuer.len == 0)/best.issuer.len == 0) return 0; if (false)/
crl crl.c s/slice_same(e.serial, serial)/false/
crl crl.c s/c.unhandled.len > 0/false/
shape x509.c s/if (key_verify(.*/if (true)/
aki x509.c s/if (aki->id.p &&/if (false \&\&/
damage cms.c s/if (!key_verify(.*/if (false)/
format cms.c s/return memcmp(is, si->digest.*/return true;/
format bundle.c s/memcmp(is.of.*, want.of.*) != 0/false/
several cms.c s/want == 0 && m->signers != 1/false/
names cms.c s/policy->cns == 0/true/
clock cms.c s/at->now = .signed_at/at->now = policy->now/
clock cms.c s/policy->now < policy->floor/policy->now > policy->floor/
damage key.c s/memcmp(em, n, signature.len) == 0/true/
signature key.c s/RSA_BITS_MIN 2048/RSA_BITS_MIN 1024/
END
}

if $faults; then
	faults >"$work/list"
	while read -r part file rule; do
		rm -rf "$work/src"
		cp -R src "$work/src"
		sed -i "$rule" "$work/src/bundle/$file"
		if cmp -s "src/bundle/$file" "$work/src/bundle/$file"; then
			fail "$file: $rule: changes nothing"
			continue
		fi
		if ! compile "$work/src" "$work/faulty" 2>"$work/cc.log"; then
			fail "$file: $rule: $(cat "$work/cc.log")"
			continue
		fi
		"$work/faulty" "$work/payload" build/tests/keys -o "$part" \
			-j "$(nproc)" >"$work/log" 2>"$work/failed" || :
		lax=$(grep -c '^FAILED part=.*: LAX:' "$work/failed") || :
		all=$(grep -c '^FAILED part=' "$work/failed") || :
		if [ "$all" = 0 ]; then
			fail "$file: $rule: is not seen by part $part"
		else
			passed=$((passed + 1))
			echo "fault: $file: $rule: $all cases of $part, $lax" \
				"that only lifeboat accepts"
		fi
	done <"$work/list"
	echo "trust_matrix: $passed passed, $failed failed"
	[ "$failed" = 0 ]
	exit
fi

compile src "$work/trust_matrix"
rc=0
"$work/trust_matrix" "$work/payload" build/tests/keys $all ${V:+-v} \
	-j "$(nproc)" -w "$work/cases" $every >"$work/log" 2>"$work/failed" ||
	rc=$?
cat "$work/failed"
grep -v '^part=' "$work/log" || :
sum=$(sed -n 's/^matrix: //p' "$work/log")
cases=${sum%% cases*}
wrong=$(grep -c '^FAILED' "$work/failed") || :
[ $rc = 0 ] || [ "$wrong" != 0 ] || fail "trust_matrix exits with $rc"
failed=$((failed + wrong))
passed=$((passed + ${cases:-0} - wrong))
[ "${cases:-0}" -ge 1000 ] || fail "only ${cases:-0} cases"

cd "$work/cases"
# says WANTED WHO COMMAND...: exit status 0, as 1 or 0 is wanted
says()
{
	want=$1 who=$2 is=0
	shift 2
	! "$@" >"$who.log" 2>&1 || is=1
	[ -z "${V:-}" ] || echo "$n $name: $who $is"
	if [ $is = "$want" ]; then
		passed=$((passed + 1))
	else
		fail "$n $name: $who says $is, in the process it was $want:" \
			"$(tail -c 300 "$who.log")"
	fi
}

# The signature, without the envelope around it; fails as openssl does.
signature()
{
	case " $name " in
	*" format=crypt "*) ;;
	*) cp "$n.cms" "$n.inner" && return ;;
	esac
	cp "$n.cms" "$n.inner"
	# format=crypt may come without an envelope
	openssl cms -cmsout -print -noout -inform DER -in "$n.cms" |
		grep -q 'pkcs7-envelopedData' || return 0
	[ -e "$n.device" ] || return 1
	set -- -inkey "$n.device"
	! grep -q '^cert=' "$n.conf" || set -- "$@" -recip "$n.device"
	openssl cms -decrypt -binary -inform DER -in "$n.cms" \
		-out "$n.inner" "$@"
}

# openssl_says PURPOSE PARTIAL CRL TIME
openssl_says()
{
	signature || return 1
	t=$4
	set -- -purpose "$1" "partial$2" "crl$3"
	[ "$3" = partial0 ] || set -- "$@" -partial_chain
	[ "$4" = crl0 ] || set -- "$@" -crl_check_all -extended_crl
	[ "$t" = 0 ] || set -- "$@" -attime "$t"
	case " $name " in
	*" format=plain "*)
		head -c $(($(wc -c <"$n.raucb") - $(wc -c <"$n.cms") - 8)) \
			"$n.raucb" >"$n.payload"
		set -- "$@" -content "$n.payload"
		;;
	esac
	first=$1 second=$2
	shift 4
	openssl cms -verify -binary -inform DER -in "$n.inner" \
		-CAfile "$n.pem" -no-CApath -no-CAstore -out out \
		"$first" "$second" "$@"
}

cat cases.* >list
written=0
folders=0
while read -r n r o l t purpose partial crl reason name; do
	written=$((written + 1))
	[ "$purpose" = codesign ] ||
		says "$o" openssl openssl_says "$purpose" "$partial" "$crl" "$t"
	[ "$t" = 0 ] || continue
	says "$r" rauc rauc "--conf=$n.conf" info "$n.raucb"
	says "$l" lifeboat "$lifeboat" info "--conf=$n.conf" "$n.raucb"
	case " $name " in
	*" format=crypt "*) ;;
	*)
		[ "$reason" = - ] || grep -q "$reason" lifeboat.log ||
			fail "$n $name: not $reason: $(tail -c 300 lifeboat.log)"
		;;
	esac
	[ $((written % 4)) = 0 ] || continue
	folders=$((folders + 1))
	mkdir "$n.d"
	awk -v d="$n.d" '/^-----BEGIN/ { i++ } { print >(d "/" i ".pem") }' \
		"$n.pem"
	openssl rehash "$n.d" 2>/dev/null
	sed "s|^path=.*|directory=$PWD/$n.d|" "$n.conf" >"$n.dir.conf"
	says "$r" rauc rauc "--conf=$n.dir.conf" info "$n.raucb"
	says "$l" lifeboat "$lifeboat" info "--conf=$n.dir.conf" "$n.raucb"
done <list

echo "trust_matrix: $sum"
echo "trust_matrix: $written cases asked of the programs, $folders of them" \
	"with a folder for a keyring, too"
[ "$written" -ge 100 ] || fail "only $written cases were written"
echo "trust_matrix: $passed passed, $failed failed"
[ "$failed" = 0 ]
