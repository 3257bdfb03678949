#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# Public test vectors, as Debian packages them: NIST's PKITS (paths and CRLs),
# NIST's FIPS 186-3 (signatures), certificates of all kinds, and the bundles of
# RAUC's own tests.
# usage: corpora.sh [WORKDIR [-v]]; last line: "corpora: N passed, N failed"
set -eu
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.."
top=$PWD
work=${1:-build/test/corpora}
rm -rf "$work"
mkdir -p "$work"

make V=check-gcc QUIET=1 deps
for f in der key x509 crl path cms keyring; do
	set -- "$@" "$top/src/bundle/$f.c"
done
for f in base buf fmt reason; do
	set -- "$@" "$top/src/base/$f.c"
done
verbose=
for arg; do
	shift
	case $arg in
	-v) verbose=-v ;;
	*.c) set -- "$@" "$arg" ;;
	esac
done
for program in corpus_tool trust_case; do
	${CC:-gcc} -std=c11 -D_GNU_SOURCE -O1 -g -Wall -Wextra \
		-fsanitize=address,undefined -fno-sanitize-recover=undefined \
		-Isrc -Itests -isystem build/deps/src/bearssl/inc -o "$work/$program" \
		"tests/diff/$program.c" "$@" build/deps/gcc/libdeps.a
done
make QUIET=1 host
[ -e build/test/vectors ] || {
	src/deps.sh unpack python3-cryptography-vectors build/test/vectors.new
	mv build/test/vectors.new build/test/vectors
}
[ -e build/test/rauc ] || {
	src/deps.sh source rauc build/test/rauc.new >"$work/log" 2>&1 || {
		cat "$work/log"
		exit 1
	}
	mv build/test/rauc.new build/test/rauc
}
cd "$work"
rc=0
# shellcheck disable=SC2086 # no option: no argument
python3 "$top/tests/diff/corpora.py" \
	"$top/build/test/vectors/usr/lib/python3/dist-packages/cryptography_vectors" \
	"$top/build/test/rauc/test" ./corpus_tool ./trust_case \
	"$top/build/host/lifeboat" $verbose >log || rc=$?
cat log
awk '/^[^ ].*: [0-9]+ passed, [0-9]+ failed$/ {
	passed += $(NF - 3)
	failed += $(NF - 1)
} END { printf "corpora: %d passed, %d failed\n", passed, failed }' log
exit $rc
