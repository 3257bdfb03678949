#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# The TFTP client against servers that we did not write: tftpd-hpa, atftpd and
# dnsmasq, in a network namespace behind a wire (tests/bench/shaper.c) that
# loses, doubles, delays and exchanges packets. Needs root, or user namespaces.
# usage: tests/diff/tftp.sh   LIFEBOAT=program, default build/host/lifeboat
# shellcheck disable=SC2154
set -eu
export LC_ALL=C
[ "$(id -u)" = 0 ] || [ -n "${IN_USERNS:-}" ] ||
	IN_USERNS=1 exec unshare -Ur "$0" "$@"
cd "$(dirname "$0")/../.."
lifeboat=${LIFEBOAT:-$PWD/build/host/lifeboat}
work=build/test/tftp
rm -rf "$work"
mkdir -p "$work/srv"
work=$(cd "$work" && pwd)
. tests/bench/tftp_env.sh
trap stop_all EXIT
# shellcheck disable=SC2086 # words
tftp_fetch $servers

${CC:-cc} -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -o "$work/shaper" \
	tests/bench/shaper.c
${CC:-cc} -std=c11 -D_GNU_SOURCE -O1 -g -Wall -Wextra \
	-fsanitize=address,undefined -fno-sanitize-recover=undefined -Isrc \
	-o "$work/tool" tests/diff/tftp_tool.c src/source/tftp*.c src/base/*.c
cd "$work"

# Servers may run as somebody else.
chmod 755 . srv
bytes() { # N: the same ones in every run
	openssl enc -aes-128-ctr -nosalt -K "$(printf %032x "$1")" \
		-iv 00000000000000000000000000000000 -in /dev/zero 2>/dev/null |
		head -c "$1" || :
}
for n in 0 1 512 1468 30000 100000 300000 1000000 4000000 33600000; do
	bytes $n >srv/$n
done
: >srv/up
: >srv/secret
chmod 644 srv/*
chmod 666 srv/up
chmod 600 srv/secret

passed=0
failed=0
namespaces client server

wire() # DELAY LOSS TWICE LATE
{
	./shaper "$ns_client" "$ns_server" 0 "$1" "$2" 1000000 "$3" "$4" \
		>shaper.out &
	shaper=$!
	pids="$pids $shaper"
	while ! grep -q ready shaper.out; do sleep 0.01; done
	for side in client:1 server:2; do
		in_ns ${side%:*} ip addr add 10.99.0.${side#*:}/24 dev wire0
		in_ns ${side%:*} ip link set wire0 mtu 1500 up
	done
	for server in hpa:69 atftpd:70; do
		serve ${server%:*} server 10.99.0.2 ${server#*:} "$work/srv"
	done
	in_ns server ip addr add 10.99.0.3/24 dev wire0
	serve dnsmasq server 10.99.0.3 69 "$work/srv"
}

at() # SERVER: its address and port
{
	case $1 in
	hpa) echo 10.99.0.2 69 ;;
	atftpd) echo 10.99.0.2 70 ;;
	dnsmasq) echo 10.99.0.3 69 ;;
	esac
}

verdict() # NAME
{
	if [ "$ok" = 1 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED $1: $(cat said)"
	fi
}

tool() { timeout 60 nsenter -t "$ns_client" -n ./tool "$@" >said 2>&1; }

get() # NAME SERVER FILE ARGS...: arrives as it is
{
	name=$1 server=$2 file=$3
	shift 3
	rm -f out
	ok=0
	# shellcheck disable=SC2046 # two words
	tool get $(at "$server") "$file" out "$@" && cmp -s out "srv/$file" &&
		ok=1
	verdict "$server: $name"
}

refuses() # NAME SERVER FILE REASON
{
	ok=0
	# shellcheck disable=SC2046 # two words
	tool get $(at "$2") "$3" out || ! grep -q "^$4: " said || ok=1
	verdict "$2: $1"
}

put() # NAME SERVER FILE
{
	ok=0
	# shellcheck disable=SC2046 # two words
	tool put $(at "$2") up "srv/$3" && cmp -s srv/up "srv/$3" && ok=1
	verdict "$2: $1"
}

# The program's own commands, sandbox and all.
program() { timeout 60 nsenter -t "$ns_client" -n "$lifeboat" "$@" >said 2>&1; }
fetch() # NAME SERVER FILE
{
	rm -f out
	ok=0
	program fetch "tftp://$(at "$2" | tr ' ' :)/$3" out &&
		cmp -s out "srv/$3" && ok=1
	verdict "$2: lifeboat fetch: $1"
}

echo "fair weather"
wire 0 0 0 0
for server in hpa atftpd dnsmasq; do
	for n in 0 1 512 1468 4000000; do
		get "$n bytes" $server $n
	done
	get "small blocks" $server 30000 60
	get "no options" $server 300000 0 1
	refuses "no such file" $server none tftp-file-not-found
done
refuses "access" hpa secret tftp-access-denied
get "windows of 7" atftpd 4000000 1500 7
get "blocks of 16 KiB" atftpd 4000000 20000 5
get "a time-out of its own" atftpd 4000000 1500 0 2
get "block numbers start again" atftpd 33600000 0 128
get "a reader that sleeps" atftpd 4000000 1500 0 1 2500
for server in hpa atftpd; do
	put "written" $server 300000
	put "written, whole blocks" $server 1468
	put "written, nothing" $server 0
done
for server in hpa atftpd dnsmasq; do
	fetch "4000000 bytes" $server 4000000
	fetch "nothing" $server 0
done
ok=0
rm -f out
program fetch tftp://10.99.0.2/none out || ! grep -q tftp-file-not-found said ||
	ok=1
verdict "lifeboat fetch: no such file"
for n in 100000 0; do
	ok=0
	echo other >srv/up
	program send srv/$n tftp://10.99.0.2:70/up && cmp -s srv/up srv/$n && ok=1
	verdict "lifeboat send: $n bytes"
done
ok=0
tool get 10.99.0.2 71 1468 out || ! grep -q "^no-server: " said || ok=1
verdict "nobody there"
stop=$pids
for pid in $stop; do
	case " $ns_client $ns_server " in
	*" $pid "*) ;;
	*) kill "$pid" && wait "$pid" 2>/dev/null || : ;;
	esac
done
pids="$ns_client $ns_server"

echo "bad weather"
wire 500 10000 20000 50000
for server in hpa atftpd dnsmasq; do
	get "bad weather" $server 100000
done
get "bad weather, windows" atftpd 4000000
fetch "bad weather" atftpd 1000000
get "bad weather, blocks of 512" atftpd 1000000 0 64
put "bad weather, written" hpa 300000
put "bad weather, written" atftpd 300000
echo "tftp: $passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
