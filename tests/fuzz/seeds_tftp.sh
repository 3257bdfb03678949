#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# seeds_tftp.sh: makes the seeds of the target tftp anew, below
# tests/fuzz/corpus: three bytes (MTU / 8, window, 4: write), then datagrams
# with a byte of how they come and one of their length before them.
set -eu
cd "$(dirname "$0")/corpus"
mkdir -p tftp

# packet HOW TEXT: TEXT with escapes as printf %b has them
packet()
{
	len=$(printf '%b' "$2" | wc -c)
	printf "\\$(printf %03o "$1")\\$(printf %03o "$len")"
	printf '%b' "$2"
}
data() # HOW NUMBER LENGTH
{
	packet "$1" "$(printf '\\0000\\0003\\0000\\%04o' "$2")$(printf "%$3s" '')"
}
oack='\0000\0006tsize\000040\0000blksize\000016\0000windowsize\00004\0000'

{
	printf '\006\004\000'
	packet 0 "$oack"
	data 0 1 16
	data 0 3 8
	data 0 2 16
} >tftp/window
{
	printf '\006\004\010'
	packet 0 "$oack"
	data 8 1 16
	packet 32 ''
	data 1 2 16
	data 2 2 16
	data 0 2 16
	packet 32 ''
	data 0 2 16
	data 0 3 8
	data 0 3 8
} >tftp/weather
{
	printf '\274\100\020'
	data 0 1 200
} >tftp/plain
{
	printf '\274\001\000'
	packet 0 '\0000\0005\0000\0010no options\0000'
	packet 0 '\0000\0005\0000\0001not\0033 there\0000'
} >tftp/error
{
	printf '\274\004\000'
	packet 0 '\0000\0006blksize\00009999\0000'
} >tftp/larger
{
	printf '\006\001\004'
	packet 0 '\0000\0006blksize\000016\0000'
	for n in 1 2 3 4; do
		packet 0 "\\0000\\0004\\0000\\000$n"
	done
	packet 0 '\0000\0005\0000\0003full\0000'
} >tftp/write
{
	printf '\274\001\004'
	packet 0 '\0000\0004\0000\0000'
	for n in 1 2 3 4 5 6; do
		packet 0 "\\0000\\0004\\0000\\000$n"
	done
} >tftp/write-plain
{
	printf '\000\000\000'
	packet 64 ''
} >tftp/refused
