# SPDX-License-Identifier: 0BSD
# Prints the table of src/slot/policy.c as src/DESIGN.md shows it.
function words(s)
{
	gsub(/BAD/, "bad", s)
	gsub(/LOADABLE/, "bootable", s)
	gsub(/STUCK/, "exhausted, bad, unknown", s)
	gsub(/REVIVABLE/, "exhausted, unknown", s)
	gsub(/WHOLE/, "whole", s)
	gsub(/HALF/, "broken", s)
	gsub(/NOTHING/, "none, refused", s)
	gsub(/NEW/, "new", s)
	gsub(/SAME/, "same", s)
	gsub(/FRESH/, "left", s)
	gsub(/SPENT/, "used up", s)
	gsub(/EARLY/, "no", s)
	gsub(/LATE/, "yes", s)
	gsub(/ANY/, "–", s)
	gsub(/ \| /, ", ", s)
	return s
}

/^static const struct row table\[\]/ {
	inside = 1
	print "| boot state | slots | medium | tries | waited | what is done | why |"
	print "|---|---|---|---|---|---|---|"
	next
}
inside && /^};/ {
	exit
}
inside {
	sub(/^[ \t]+/, "")
	row = row (row == "" ? "" : " ") $0
	if ($0 !~ /"\),$/)
		next
	gsub(/" "/, "", row)
	sub(/^ROW\(/, "", row)
	sub(/"\),$/, "", row)
	why = row
	sub(/^[^"]*"/, "", why)
	sub(/, *".*/, "", row)
	n = split(row, f, /, */)
	printf "| %s | %s | %s | %s | %s | %s | %s |\n", words(f[1]), \
		words(f[2]), words(f[3]), words(f[4]), words(f[5]), \
		tolower(f[n]), why
	row = ""
}
