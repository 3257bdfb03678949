#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# selftest.sh: shows that each lint catches what it is there for. A small
# good tree passes; then one fault at a time is planted, and the lint that
# names it has to fail. Last line: "lint-selftest: N passed, N failed".
set -eu

here=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
passed=0
failed=0

good_tree()
{
	rm -rf "${tree:?}"/*
	mkdir -p "$tree/src/base" "$tree/src/boot" "$tree/src/cli" "$tree/init"
	cp "$here/../../.clang-format" "$tree/"
	cat >"$tree/src/base/reason.h" <<'EOT'
/* SPDX-License-Identifier: 0BSD */
#ifndef LIFEBOAT_REASON_H
#define LIFEBOAT_REASON_H

#define REASONS(X) X(R_IO, -1, "io-error", "try again")

#endif
EOT
	cat >"$tree/src/boot/boot.c" <<'EOT'
/* SPDX-License-Identifier: 0BSD */
#include <string.h>

#include "base/reason.h"
#include "options.h"

/* malloc() in a comment, and "exit(1)" in a string, are no calls. */
int boot_read(int fd)
{
	return fd < 0 ? R_IO : 0;
}
EOT
	printf '# Reasons\n\n- `io-error`\n' >"$tree/src/FORMAT.md"
	printf '#!/bin/sh\n# SPDX-License-Identifier: 0BSD\necho "$1"\n' \
		>"$tree/src/run.sh"
	cat >"$tree/src/cli/lifeboat.8" <<'EOT'
.\" SPDX-License-Identifier: 0BSD
.Dd January 1, 2025
.Dt LIFEBOAT 8
.Os
.Sh NAME
.Nm lifeboat
.Nd rescue
.Sh DESCRIPTION
Text.
EOT
}

lint()
{
	"$here/lint.sh" -C "$tree" "$@" >"$tree/../selftest.$$" 2>&1
}

# caught LINT WHAT: the planted fault must be reported by LINT
caught()
{
	if lint "$1"; then
		echo "not caught by $1: $2"
		failed=$((failed + 1))
	else
		passed=$((passed + 1))
	fi
	good_tree
}

# plant FILE LINE...: adds lines at the end of a file
plant()
{
	file=$tree/$1
	shift
	printf '%s\n' "$@" >>"$file"
}

good_tree
for name in layers forbidden format shell spdx spelling keys blanks reasons \
	man; do
	if lint "$name"; then
		passed=$((passed + 1))
	else
		echo "good tree refused by $name:"
		cat "$tree/../selftest.$$"
		failed=$((failed + 1))
	fi
done

plant src/boot/boot.c '#include "cli/cli.h"'
caught layers "boot includes cli"
plant src/boot/boot.c '#include "bundle/der.h"'
caught layers "boot includes bundle"
plant src/base/reason.h '#include "init/init.h"'
caught layers "base includes init"
plant src/boot/boot.c '#include <unistd.h>'
caught layers "system header in a pure folder"
plant src/boot/boot.c '#include <bearssl.h>'
caught layers "library outside bundle"
plant src/boot/boot.c '#include "reason.h"'
caught layers "include without its folder"

for call in 'malloc(3)' 'free (p)' 'snprintf(b, 3, "x")' 'exit(1)' \
	'_exit(1)' 'abort()' 'qsort(a, 1, 1, f)' 'strtol(s, 0, 0)' \
	'fopen("x", "r")' 'strcpy(a, b)' 'alloca(n)' 'assert(x)'; do
	plant src/boot/boot.c "int f(void) { return $call; }"
	caught forbidden "$call"
done
plant src/boot/boot.c '#if OPT_ZSTD' '#endif'
caught forbidden "#if of an option"
plant src/boot/boot.c '#ifdef OPT_ZSTD' '#endif'
caught forbidden "#ifdef of an option"
plant src/boot/boot.c '#if defined(DEBUG) && defined(__arm__)' '#endif'
caught forbidden "#if defined"

plant src/boot/boot.c 'int   g(void)  {return 0;}'
caught format "badly formatted"
plant src/run.sh 'cd $1; rm -rf $2/*'
caught shell "unquoted words"
printf 'int x;\n' >"$tree/src/boot/other.c"
caught spdx "C file without a licence line"
printf '#!/bin/sh\n' >"$tree/src/other.sh"
caught spdx "script without a licence line"
plant src/boot/boot.c "/* rec""ieve the occ""ured error */"
caught spelling "misspelt words"
plant src/key.pem "-----BEGIN EC PRIV""ATE KEY-----"
caught keys "private key"
plant src/boot/boot.c 'int h; '
caught blanks "blank at the end of a line"
printf 'no newline' >>"$tree/src/FORMAT.md"
caught blanks "no newline at the end"
sed -i 's/X(R_IO.*/X(R_IO, -1, "io-error", "x") \\\n\tX(R_TWO, -1, "two", "x")/' \
	"$tree/src/base/reason.h"
caught reasons "a number used twice"
sed -i 's/X(R_IO.*/\\\n\tX(R_IO, -1, "renamed", "x")/' \
	"$tree/src/base/reason.h"
caught reasons "a name that is not in FORMAT.md"
sed -i 's/R_IO/-1/' "$tree/src/boot/boot.c"
sed -i 's/X(R_IO.*/\\\n\tX(R_IO, -1, "io-error", "x")/' \
	"$tree/src/base/reason.h"
caught reasons "a reason nobody gives"
plant src/cli/lifeboat.8 '.Xx broken' '.Bl'
caught man "unknown macro"

# the linked program: musl's members stand in the map
echo 'void _start(void) { }' | gcc -x c -static -nostdlib -o "$tree/prog" -
for member in memcpy.lo bcmp.lo; do
	echo "2340 2340 18c 8 libc.a($member):(.text)" >>"$tree/map"
done
if "$here/binary.sh" "$tree/prog" "$tree/map"; then
	passed=$((passed + 1))
else
	echo "good program refused by binary.sh"
	failed=$((failed + 1))
fi
echo '2340 2340 18c 8 libc.a(__init_tls.lo):(.text)' >>"$tree/map"
if "$here/binary.sh" "$tree/prog" "$tree/map" 2>/dev/null; then
	echo "not caught by binary.sh: a member of musl"
	failed=$((failed + 1))
else
	passed=$((passed + 1))
fi
rm -f "$tree/../selftest.$$"
echo "lint-selftest: $passed passed, $failed failed"
[ "$failed" = 0 ]
