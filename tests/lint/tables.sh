#!/bin/sh
# SPDX-License-Identifier: 0BSD
# Writes the tables that documents take from the code: the policy into
# src/DESIGN.md, the reasons into src/FORMAT.md. make lint compares them.
set -eu
cd "$(dirname "$0")/../.."
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# put DOCUMENT MARK TABLE: between <!-- MARK... --> and <!-- /MARK --> or the
# end of the file.
put()
{
	awk -v mark="$2" -v table="$3" '
	index($0, "<!-- /" mark) == 1 { skip = 0 }
	!skip { print }
	index($0, "<!-- " mark) == 1 {
		while ((getline line < table) > 0)
			print line
		skip = 1
	}' "$1" >"$tmp/new"
	cat "$tmp/new" >"$1"
}

awk -f tests/lint/policy.awk src/slot/policy.c >"$tmp/policy"
put src/DESIGN.md policy-table "$tmp/policy"
awk -f tests/lint/reasons.awk src/base/reason.h >"$tmp/reasons"
put src/FORMAT.md reasons "$tmp/reasons"
