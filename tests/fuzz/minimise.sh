#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# fuzz/minimise.sh NAME...: adds to tests/fuzz/corpus/NAME, which holds the
# seeds, those of the inputs found (build/fuzz/corpus/NAME; FOUND=folder) that
# reach code that nothing there does: as few as libFuzzer can do with, of at
# most 4 KiB.
set -eu
cd "$(dirname "$0")/../.."

make V=fuzz QUIET=1 test-fuzzers
for name; do
	kept=tests/fuzz/corpus/$name
	build/fuzz/tests/fuzz/"${name}_fuzz" -set_cover_merge=1 \
		-use_counters=0 -max_len=4096 -rss_limit_mb=1024 "$kept" \
		"${FOUND:-build/fuzz/corpus}/$name" 2>&1 | grep MERGE-OUTER
	find "$kept" -type f | wc -l
done
