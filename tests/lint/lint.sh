#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# lint.sh [-C DIR] [NAME...]: looks at the sources without building them; all
# lints, or those named. -C: another tree (selftest.sh plants faults in one).
# Last line: "lint: N passed, N failed".
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
if [ "${1:-}" = -C ]; then
	cd "$2"
	shift 2
fi

# Everything written by hand: not the corpora, not generated data.
files()
{
	find . \( -path ./build -o -path ./.git -o -path ./tests/fuzz/corpus \
		-o -path ./tests/data -o -name __pycache__ \) -prune -o \
		-type f -print | sed 's|^\./||' | sort
}

c_files()
{
	files | grep '\.[ch]$' || true
}

product_files()
{
	c_files | grep -E '^(src|init)/' || true
}

scripts()
{
	files | while read -r f; do
		if head -n 1 "$f" | grep -qE '^#!/bin/(ba)?sh'; then
			echo "$f"
		fi
	done
}

lint_layers()
{
	product_files | xargs awk -f "$here/layers.awk"
}

lint_forbidden()
{
	product_files | xargs awk -f "$here/forbidden.awk"
}

lint_format()
{
	c_files | xargs -r -n 20 -P "$(nproc)" \
		clang-format --dry-run -Werror 2>"$tmp/format" && return
	sed 's/error: code should be clang-formatted.*/run make fmt/' \
		"$tmp/format"
	return 1
}

lint_shell()
{
	scripts | xargs -r -n 8 -P "$(nproc)" shellcheck -S warning
}

lint_spdx()
{
	bad=0
	for f in $(files | grep -E \
		'(\.([ch]|sh|awk|mk|py|cmd|list|cnf)|Makefile|/run)$'); do
		head -n 2 "$f" | grep -q 'SPDX-License-Identifier: 0BSD' ||
			{ echo "$f: no SPDX line"; bad=1; }
	done
	return $bad
}

lint_spelling()
{
	files | xargs codespell -I "$here/words"
}

lint_keys()
{
	# Also in the corpora and the data.
	found=$(find . \( -path ./build -o -path ./.git \) -prune -o -type f \
		-exec grep -lE -e '-----BEGIN [A-Z ]*PRIVATE KEY' {} +) ||
		return 0
	echo "private key in: $found"
	return 1
}

lint_blanks()
{
	files | xargs grep -nIE '[[:blank:]]+$|'"$(printf '\r')" && return 1
	bad=0
	for f in $(files); do
		if [ -s "$f" ] && [ -n "$(tail -c 1 "$f")" ]; then
			echo "$f: no newline at the end"
			bad=1
		fi
	done
	return $bad
}

# Each reason: one number, one name, used, and listed in src/FORMAT.md.
lint_reasons()
{
	awk '
	/^[ \t]*X\(R_/ {
		split($0, part, /[(,"]/)
		code = part[2]
		number = part[3] + 0
		name = $0
		sub(/^[^"]*"/, "", name)
		sub(/".*/, "", name)
		if (number in numbers || name in names) {
			print "reason.h: " code ": number or name used twice"
			bad = 1
		}
		numbers[number] = names[name] = code
		print code, name >"/dev/stderr"
	}
	END { exit bad }' src/base/reason.h 2>"$tmp/reasons" || return 1
	bad=0
	while read -r code word; do
		if ! grep -qsF "\`$word\`" src/FORMAT.md; then
			echo "src/FORMAT.md: reason \`$word\` is missing"
			bad=1
		fi
		if ! product_files | grep -v '^src/base/reason' |
			xargs grep -qw "$code"; then
			echo "src/base/reason.h: $code is never given"
			bad=1
		fi
	done <"$tmp/reasons"
	return $bad
}

lint_man()
{
	files | grep '\.8$' | xargs -r mandoc -T lint -W warning
}

# src/DESIGN.md shows the table of src/slot/policy.c as it is.
lint_policy()
{
	[ -f src/slot/policy.c ] || return 0
	awk -f "$here/policy.awk" src/slot/policy.c >"$tmp/table"
	sed -n '/^<!-- policy-table/,/^<!-- .policy-table/p' src/DESIGN.md |
		grep '^|' >"$tmp/shown" || true
	diff "$tmp/shown" "$tmp/table" ||
		{ echo "src/DESIGN.md: run tests/lint/tables.sh"; return 1; }
}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0
failed=0
[ $# -gt 0 ] || set -- layers forbidden format shell spdx spelling keys \
	blanks reasons man policy
for name in "$@"; do
	if "lint_$name" >"$tmp/out" 2>&1; then
		passed=$((passed + 1))
	else
		echo "lint $name:"
		cat "$tmp/out"
		failed=$((failed + 1))
	fi
done
echo "lint: $passed passed, $failed failed"
[ "$failed" = 0 ]
