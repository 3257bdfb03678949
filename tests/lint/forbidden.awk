# SPDX-License-Identifier: 0BSD
#
# Functions that must not be called, and preprocessor conditions that must
# not be written, in src/ and init/. Comments and strings are left out first.

BEGIN {
	heap = "malloc calloc realloc reallocarray free aligned_alloc " \
		"posix_memalign alloca strdup strndup asprintf vasprintf " \
		"getline getdelim fopen fdopen freopen opendir fdopendir " \
		"scandir qsort getaddrinfo gethostbyname setlocale mmap64 "
	print_family = "printf fprintf dprintf sprintf snprintf vprintf " \
		"vfprintf vsnprintf vsprintf sscanf scanf fscanf puts fputs " \
		"putchar perror strerror "
	unbounded = "strcpy strcat strncpy strncat strtok gets atoi atol " \
		"strtol strtoul strtoll strtoull setjmp longjmp system popen "
	ending = "exit abort assert quick_exit _Exit "
	n = split(heap print_family unbounded ending, list, " ")
	for (i = 1; i <= n; i++)
		never[list[i]] = 1
	# A forked child has no main() to return from.
	n = split("src/worker src/cli init", list, " ")
	for (i = 1; i <= n; i++)
		may_exit[list[i]] = 1
}

function refuse(why) {
	print FILENAME ":" FNR ": " why
	bad = 1
}

FNR == 1 {
	comment = 0
	dir = FILENAME
	sub(/\/[^\/]*$/, "", dir)
}

{
	line = $0
	gsub(/\\./, "", line)
	gsub(/"[^"]*"/, "\"\"", line)
	gsub(/'[^']*'/, "0", line)
	code = ""
	while (line != "") {
		if (comment) {
			at = index(line, "*/")
			if (!at)
				break
			comment = 0
			line = substr(line, at + 2)
		} else {
			at = index(line, "/*")
			if (!at) {
				code = code line
				break
			}
			code = code substr(line, 1, at - 1) " "
			comment = 1
			line = substr(line, at + 2)
		}
	}
	sub(/\/\/.*/, "", code)

	# Conditions: include guards, and what only the compiler can know
	# (__aarch64__); an option is an ordinary if (OPT_X).
	if (code ~ /^[ \t]*#[ \t]*(el)?if/ && FILENAME != "src/options.h") {
		word = code
		sub(/^[ \t]*#[ \t]*[a-z]+/, "", word)
		gsub(/defined|__[A-Za-z0-9_]+|LIFEBOAT_[A-Z0-9_]+_H/, "", word)
		if (word ~ /[A-Za-z_]/)
			refuse("condition on" word ": write if (OPT_X)")
	}
	while (match(code, /[A-Za-z_][A-Za-z0-9_]*[ \t]*\(/)) {
		before = substr(code, 1, RSTART - 1)
		name = substr(code, RSTART, RLENGTH - 1)
		sub(/[ \t]+$/, "", name)
		code = substr(code, RSTART + RLENGTH)
		# A member of ours may have such a name.
		if (before ~ /(\.|->)[ \t]*$/)
			continue
		if (name in never)
			refuse(name "() is not used here")
		if (name == "_exit" && !(dir in may_exit))
			refuse("_exit() only in src/worker, src/cli, init")
	}
}

END {
	exit bad
}
