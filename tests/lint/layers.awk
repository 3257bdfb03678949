# SPDX-License-Identifier: 0BSD
#
# Who may include whom, and which folders may know the system. Input: C files
# named from the top of the tree.

BEGIN {
	may["base"] = "base"
	may["media"] = "base media"
	may["bundle"] = "base bundle"
	may["boot"] = "base boot"
	may["source"] = "base media source"
	may["slot"] = "base bundle boot slot"
	may["worker"] = "base media bundle boot source slot worker"
	may["cli"] = may["worker"] " cli"
	may["init"] = may["worker"] " init"

	# Pure: no system call, so no header that declares one.
	n = split("base media bundle slot boot", list, " ")
	for (i = 1; i <= n; i++)
		pure[list[i]] = 1
	impure["src/base/blk_fd.c"] = impure["src/base/log.c"] = 1
	n = split("string.h stdint.h stddef.h stdbool.h stdarg.h", list, " ")
	for (i = 1; i <= n; i++)
		harmless[list[i]] = 1
}

function has(words, word) {
	return index(" " words " ", " " word " ") > 0
}

function refuse(why) {
	print FILENAME ":" FNR ": " why
	bad = 1
}

FNR == 1 {
	split(FILENAME, part, "/")
	dir = part[1] == "src" ? part[2] : part[1]
	# The one place that knows both faces.
	words = may[dir]
	if (FILENAME == "init/main.c")
		words = words " cli"
	if (!(dir in may) && FILENAME != "src/options.h")
		refuse("no rule for this folder in tests/lint/layers.awk")
}

/^[ \t]*#[ \t]*include[ \t]*"/ {
	split($0, quoted, "\"")
	if (quoted[2] == "options.h")
		next
	if (split(quoted[2], path, "/") != 2)
		refuse("include as \"folder/file.h\": " quoted[2])
	else if (!has(words, path[1]))
		refuse(dir " may not include " quoted[2])
}

/^[ \t]*#[ \t]*include[ \t]*</ {
	name = $0
	sub(/^[^<]*</, "", name)
	sub(/>.*/, "", name)
	# The linked libraries: cryptography and codecs are bundle's, and
	# install hashes what it reads back.
	if (name ~ /^(bearssl[a-z_]*|libdeflate|zstd[a-z_]*|lz4|xz_block)\.h$/) {
		if (dir != "bundle" && \
			!(dir == "slot" && name == "bearssl_hash.h"))
			refuse(dir " may not include <" name ">")
	} else if (dir in pure && !(FILENAME in impure) && \
		!(name in harmless)) {
		refuse("pure folder includes <" name ">")
	}
}

END {
	exit bad
}
