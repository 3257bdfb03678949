#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# tftp.sh [SERVER [RTT [LOSS]]]: time of reading a file from TFTP servers, side
# by side in one run, with lifeboat's client and others: busybox, tftp-hpa,
# atftp (with windows of 8 and of 64 where the server knows them), curl; and
# curl over HTTP from nginx. Blocks are of 1468 bytes where a client can ask
# for a size. The wire is tests/bench/shaper.c: 100 Mbit/s of IP packets for
# all alike, 256 KiB of queue, round trips of 0, 1 and 5 ms, losses of 0 and 1 %
# in each direction, the same ones for each client.
#
#   SERVER  atftpd, hpa, dnsmasq, or all (default)
#   RTT     milliseconds, or all; LOSS: per cent, or all
#
# Files are smaller where one block is on its way at a time, the same for all
# clients of a row: 64 MiB at 100 Mbit/s where windows are known. LIMIT (30)
# seconds are the most a client gets. Each runs ROUNDS (3) times in turns, and
# the shortest time counts. All run with real-time priority, so that other
# work of the machine does not count. Needs root.
# Last line: whether lifeboat takes no more than 1/0.98 of the best TFTP
# client's time in each row, and 1/0.9 of HTTP's with atftpd at 1 ms.
# shellcheck disable=SC2154
set -eu
cd "$(dirname "$0")/../.."
limit=${LIMIT:-30}
priority="chrt -f 10"
rounds=${ROUNDS:-3}
work=$PWD/build/test/tftp-bench
rm -rf "$work"
mkdir -p "$work/srv"
. tests/bench/tftp_env.sh
trap 'stop_all; rm -rf "$work"' EXIT
# shellcheck disable=SC2086 # words
tftp_fetch $servers tftp-hpa atftp busybox-static nginx

cc=${CC:-gcc}
$cc -std=c11 -D_GNU_SOURCE -O2 -Wall -o "$work/shaper" tests/bench/shaper.c
$cc -std=c11 -D_GNU_SOURCE -O2 -Wall -Isrc -o "$work/tool" \
	tests/diff/tftp_tool.c src/source/tftp*.c src/base/*.c
chmod 711 "$work"
for kib in 256 1024 4096 16384 65536; do
	head -c $((kib * 1024)) /dev/urandom >"$work/srv/$kib"
done
chmod 644 "$work"/srv/*

namespaces client server
wire() # MS PER-CENT
{
	chrt -f 20 "$work/shaper" "$ns_client" "$ns_server" 100 $(($1 * 500)) \
		$(($2 * 10000)) >"$work/shaper.out" &
	shaper=$!
	pids="$pids $shaper"
	while ! grep -q ready "$work/shaper.out"; do sleep 0.01; done
	for side in client:1 server:2; do
		in_ns ${side%:*} ip addr add 10.99.0.${side#*:}/24 dev wire0
		in_ns ${side%:*} ip link set wire0 mtu 1500 up
	done
}

# one CLIENT KIB: reads the file; milliseconds, or "failed"
one()
{
	kill -s USR1 "$shaper"
	rm -f "$work/out"
	f=$2 h=10.99.0.2 out=$work/out
	case $1 in
	lifeboat) set -- "$work/tool" get $h 69 "$f" "$out" ;;
	busybox) set -- "$tools/busybox-static/bin/busybox" tftp -g -r "$f" \
		-l "$out" -b 1468 $h ;;
	tftp-hpa) set -- "$tools/tftp-hpa/usr/bin/tftp" -m binary $h \
		-c get "$f" "$out" ;;
	atftp) set -- "$tools/atftp/usr/bin/atftp" --option "blksize 1468" \
		-g -r "$f" -l "$out" $h ;;
	atftp-*) set -- "$tools/atftp/usr/bin/atftp" --option "blksize 1468" \
		--option "windowsize ${1#*-}" -g -r "$f" -l "$out" $h ;;
	curl) set -- curl -sS --tftp-blksize 1468 -o "$out" "tftp://$h/$f" ;;
	http) set -- curl -sS -o "$out" "http://$h:80/$f" ;;
	esac
	from=$(date +%s%N)
	LD_LIBRARY_PATH=$libs timeout "$limit" $priority nsenter -t "$ns_client" -n \
		"$@" >"$work/client.log" 2>&1 </dev/null || :
	to=$(date +%s%N)
	if cmp -s "$work/out" "$work/srv/$f"; then
		echo $(((to - from) / 1000000))
	else
		echo failed
	fi
}

kib_of() # SERVER MS PER-CENT: what stop-and-wait does in some seconds
{
	case $1-$2-$3 in
	atftpd-*) echo 65536 ;;
	*-0-0) echo 65536 ;;
	*-1-0) echo 4096 ;;
	*-5-0) echo 1024 ;;
	*) echo 1024 ;;
	esac
}

worst=
http_worst=
row() # SERVER MS PER-CENT
{
	kib=$(kib_of "$@")
	clients="lifeboat busybox tftp-hpa atftp curl"
	[ "$1" != atftpd ] || clients="$clients atftp-8 atftp-64 http"
	for client in $clients; do
		echo "$client" >"$work/time.$client"
	done
	round=0
	while [ $round -lt "$rounds" ]; do
		for client in $clients; do
			# what took longer than allowed does so again
			tail -n 1 "$work/time.$client" | grep -q failed ||
				one "$client" "$kib" >>"$work/time.$client"
		done
		round=$((round + 1))
	done
	printf '%-8s %3s %4s %6s' "$1" "$2" "$3" $((kib / 1024))
	best=
	ours=
	http=
	for client in $columns; do
		t=-
		if [ -e "$work/time.$client" ]; then
			t=$(sed 1d "$work/time.$client" | sort -n | tail -n 1)
			[ "$t" = failed ] ||
				t=$(sed 1d "$work/time.$client" | sort -n |
					head -n 1)
			rm "$work/time.$client"
		fi
		printf ' %9s' "$t"
		case $client-$t in
		*-failed | *--) ;;
		lifeboat-*) ours=$t ;;
		http-*) http=$t ;;
		*)
			if [ -z "$best" ] || [ "$t" -lt "$best" ]; then
				best=$t
			fi ;;
		esac
	done
	share=$([ -z "$ours" ] && echo 0 ||
		awk "BEGIN { printf \"%.2f\", ${best:-9999999} / $ours }")
	[ -n "$best" ] || share=alone
	printf ' %7s' "$share"
	worst="$worst $share"
	if [ -n "$http" ] && [ -n "$ours" ]; then
		part=$(awk "BEGIN { printf \"%.2f\", $http / $ours }")
		printf ' %7s' "$part"
		[ "$2-$3" != 1-0 ] || http_worst=$part
	fi
	echo
}

columns="lifeboat busybox tftp-hpa atftp atftp-8 atftp-64 curl http"
printf '%-8s %3s %4s %6s' server rtt loss MiB
# shellcheck disable=SC2086 # words
printf ' %9s' $columns
printf ' %7s %7s\n' of-best of-http

want_server=${1:-all} want_rtt=${2:-all} want_loss=${3:-all}
is() { [ "$1" = all ] || [ "$1" = "$2" ]; }
for server in atftpd hpa dnsmasq; do
	is "$want_server" $server || continue
	for rtt in 0 1 5; do
		is "$want_rtt" $rtt || continue
		for loss in 0 1; do
			is "$want_loss" $loss || continue
			wire $rtt $loss
			serve $server server 10.99.0.2 69 "$work/srv"
			tftpd=$served
			serve nginx server 10.99.0.2 80 "$work/srv"
			row $server $rtt $loss
			kill "$tftpd" "$served" "$shaper"
			wait "$tftpd" "$served" "$shaper" 2>/dev/null || :
		done
	done
done
echo "$worst" | awk -v http="$http_worst" '{
	ok = 1
	for (i = 1; i <= NF; i++)
		if ($i != "alone" && $i < 0.98)
			ok = 0
	if (http != "" && http < 0.9)
		ok = 0
	print ok ? "all rows hold" : "some rows do not hold"
	exit !ok
}'
