#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# deep.sh: the slow analysers, gcc -fanalyzer and clang-tidy, over src/ and
# init/. Prints what they say; fails when there is anything.
set -eu
cd "$(dirname "$0")/../.."

flags="-std=c11 -D_GNU_SOURCE -Isrc -I. -isystem build/deps/src/bearssl/inc
	-isystem build/deps/src/libdeflate -isystem build/deps/src/libzstd/lib
	-isystem build/deps/src/lz4/lib -isystem build/deps/src/xz"
checks='-*,bugprone-*,cert-*,clang-analyzer-*'
checks="$checks,-bugprone-easily-swappable-parameters"
checks="$checks,-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling"
checks="$checks,-bugprone-reserved-identifier,-cert-dcl37-c,-cert-dcl51-cpp"
export CHECKS="$checks"
make V=check-gcc QUIET=1 deps
mkdir -p build/deep
find src init -name '*.c' | sort >build/deep/files
rc=0
# shellcheck disable=SC2086,SC2016 # flags are words; inner shell
xargs -P "$(nproc)" -n 1 sh -c '
	log=build/deep/$(echo "$1" | tr / _)
	gcc $0 -O2 -w -fanalyzer -Wanalyzer-too-complex -c -o /dev/null "$1" \
		>"$log" 2>&1
	clang-tidy --quiet --checks="$CHECKS" "$1" -- $0 >>"$log" 2>/dev/null
	grep -q warning: "$log" || rm -f "$log"' "$flags" <build/deep/files || rc=1
for log in build/deep/src_* build/deep/init_*; do
	[ -e "$log" ] || continue
	cat "$log"
	rc=1
done
exit $rc
