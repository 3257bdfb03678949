#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# Our U-Boot environment against libubootenv's fw_printenv and fw_setenv and
# U-Boot's mkenvimage, on files: they read what we write, we read what they
# write, and nobody loses a variable. Needs no root. usage: env.sh [WORKDIR]
set -eu
cd "$(dirname "$0")/../.."
work=${1:-build/test/env}
rm -rf "$work"
mkdir -p "$work"
work=$(cd "$work" && pwd)

${CC:-gcc} -std=c11 -D_GNU_SOURCE -O1 -g -Wall -Wextra \
	-fsanitize=address,undefined -fno-sanitize-recover=undefined -Isrc \
	-o "$work/env_tool" tests/diff/env_tool.c src/boot/*.c src/base/base.c \
	src/base/blk.c src/base/blk_fd.c src/base/buf.c src/base/fmt.c \
	src/base/log.c src/base/reason.c
cd "$work"

passed=0
failed=0

# same WHAT GOT EXPECTED
same()
{
	if [ "$2" = "$3" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED $1: got \"$2\", expected \"$3\""
	fi
}

ours()
{
	./env_tool fw_env.config "A B" "$@"
}

theirs()
{
	fw_printenv -c fw_env.config "$@"
}

put()
{
	fw_setenv -c fw_env.config "$@"
}

value()
{
	theirs -n "$1" 2>/dev/null || true
}

# What we say of the variables must be what fw_printenv says.
agree()
{
	order=$(value BOOT_ORDER)
	a=$(value BOOT_A_LEFT)
	b=$(value BOOT_B_LEFT)
	same "$1" "$(ours | tail -n 1)" \
		"BOOT_ORDER=\"$order\" BOOT_A_LEFT=$a BOOT_B_LEFT=$b"
	same "$1: foreign" "$(value keep)" "kept, with = and \"quotes\""
}

# all SIZE: every write in turns, and every one read by the other side. The
# turns are more than the counter of redundant copies can count.
all()
{
	for first in 0x0 0x2000; do
		cp empty.img env.img
		if [ "$copies" = 2 ]; then
			mkenvimage -r -s "$1" -o env.bin env.txt
			printf 'env.img %s %s\nenv.img 0x8000 %s\n' \
				"$first" "$1" "$1" >fw_env.config
		else
			mkenvimage -s "$1" -o env.bin env.txt
			printf 'env.img %s %s\n' "$first" "$1" >fw_env.config
		fi
		dd if=env.bin of=env.img conv=notrunc bs=512 status=none \
			seek=$((first / 512))
		agree "mkenvimage, $copies copies of $1 at $first"
		ours bad A >/dev/null
		same "bad A" "$(value BOOT_ORDER)/$(value BOOT_A_LEFT)" "B/0"
		agree "bad A"
		put BOOT_ORDER "B A"
		put BOOT_B_LEFT 0
		put BOOT_A_LEFT a
		same "capped" "$(ours | tail -n 1)" \
			'BOOT_ORDER="B A" BOOT_A_LEFT=9 BOOT_B_LEFT=0'
		same "primary" "$(ours | head -n 1 | sed 's/.* //')" \
			"primary=A"
		ours primary B 7 >/dev/null
		same "primary B" "$(value BOOT_ORDER)/$(value BOOT_B_LEFT)" \
			"B A/7"
		same "tries" "$(value LIFEBOAT_TRIES)" "2:1234abcd"
		put new "by fw_setenv"
		ours good A 2 >/dev/null
		agree "good A"
		same "tries cleared" "$(value LIFEBOAT_TRIES)" ""
		same "their new one" "$(value new)" "by fw_setenv"
		put BOOT_ORDER ""
		same "empty order" "$(ours | tail -n 1)" \
			"BOOT_ORDER is not set BOOT_A_LEFT=2 BOOT_B_LEFT=7"
		ours primary B >/dev/null
		same "order made anew" "$(value BOOT_ORDER)" "B A"
		ours bad B >/dev/null
		ours bad A >/dev/null
		same "last name stays" \
			"$(value BOOT_ORDER)/$(value BOOT_A_LEFT)" "A/0"
	done
}

# Two copies: whose turn it is, past the counter's end.
turns()
{
	i=0
	while [ $i -lt 280 ]; do
		if [ $((i % 2)) = 0 ]; then
			ours primary A $((i % 9 + 1)) >/dev/null
		else
			put BOOT_A_LEFT $((i % 9 + 1))
		fi
		left=$((i % 9 + 1))
		if [ "$(value BOOT_A_LEFT)" != $left ] ||
			! ours | grep -q "BOOT_A_LEFT=$left "; then
			same "turn $i" "$(value BOOT_A_LEFT)" "$left"
			break
		fi
		i=$((i + 1))
	done
	same "turns" "$i" 280
}

# The newer copy is damaged: both sides fall back to the same older one.
damaged()
{
	put BOOT_A_LEFT 5
	put BOOT_A_LEFT 6
	for at in 0x2000 0x8000; do
		cp env.img intact.img
		printf x | dd of=env.img conv=notrunc bs=1 status=none \
			seek=$((at + 9))
		same "damaged copy at $at" \
			"$(ours | sed -n 's/.*A_LEFT=\([0-9]\).*/\1/p')" \
			"$(value BOOT_A_LEFT)"
		ours bad A >/dev/null
		same "written after damage" "$(value BOOT_A_LEFT)" 0
		cp intact.img env.img
	done
}

printf 'BOOT_ORDER=A B\nBOOT_A_LEFT=3\nBOOT_B_LEFT=2\nbootcmd=run x; run y\n' \
	>env.txt
printf 'keep=kept, with = and "quotes"\n' >>env.txt
head -c 65536 /dev/zero | tr '\0' '\377' >empty.img
for copies in 1 2; do
	for size in 0x200 0x1000 0x2000; do
		all $size
	done
done
turns
damaged

# Nothing valid: fw_setenv refuses, we leave U-Boot's own alone.
cp empty.img env.img
ours primary A >/dev/null 2>&1
same "left alone" "$(cmp env.img empty.img && echo same)" same

# A negative offset counts from the end for both.
printf 'env.img -0x2000 0x1000\n' >fw_env.config
mkenvimage -s 0x1000 -o env.bin env.txt
dd if=env.bin of=env.img conv=notrunc bs=512 status=none \
	seek=$(((65536 - 0x2000) / 512))
same "from the end" "$(ours | tail -n 1)" \
	'BOOT_ORDER="A B" BOOT_A_LEFT=3 BOOT_B_LEFT=2'

echo "env: $passed passed, $failed failed"
[ "$failed" = 0 ]
