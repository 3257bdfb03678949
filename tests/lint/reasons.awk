# SPDX-License-Identifier: 0BSD
# Prints the reasons of src/base/reason.h as src/FORMAT.md lists them.
BEGIN {
	print "| number | name | what to do |"
	print "|---|---|---|"
}
/X\(R_[A-Z0-9_]+, -/ {
	entry = ""
	open = 1
}
open {
	line = $0
	sub(/^[ \t]+/, "", line)
	sub(/[ \t]*\\$/, "", line)
	entry = entry line
	if (line !~ /"\)$/)
		next
	open = 0
	gsub(/\\"/, "\001", entry)
	gsub(/""/, "", entry)
	number = entry
	sub(/^X\([A-Z0-9_]+, */, "", number)
	sub(/,.*/, "", number)
	split(entry, part, "\"")
	gsub(/\001/, "\"", part[4])
	gsub(/\|/, "\\|", part[4])
	printf "| %s | `%s` | %s |\n", number, part[2], part[4]
}
