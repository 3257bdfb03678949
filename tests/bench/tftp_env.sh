# SPDX-License-Identifier: 0BSD
# shellcheck shell=sh
#
# shellcheck disable=SC2034,SC2154
#
# Sourced by tests/bench/tftp.sh and tests/diff/tftp.sh: TFTP servers and
# clients of Debian, unpacked below build/cache/tftp and not installed, and two
# network namespaces to run them in. Needs $work, a folder; $priority is what
# servers are started with.

# The packages are the tests' counterparts and not pinned. in.tftpd is in two
# of them: each is unpacked in a folder of its own.
tftp_fetch()
{
	tools=$PWD/build/cache/tftp
	libs=
	mkdir -p "$tools"
	for package in "$@"; do
		if [ ! -e "$tools/$package.done" ]; then
			rm -rf "${tools:?}/$package"
			src/deps.sh unpack "$package" "$tools/$package" &&
				: >"$tools/$package.done"
		fi
		lib=$tools/$package/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)
		[ ! -d "$lib" ] || libs=$libs:$lib
	done
	libs=${libs#:}
}

servers="tftpd-hpa atftpd dnsmasq-base libwrap0 libnetfilter-conntrack3
libnftables1 libnftnl11 libnfnetlink0 libjansson4 libmnl0"

# namespaces NAME...: a network namespace each, its process in $ns_NAME.
namespaces()
{
	pids=
	for name in "$@"; do
		unshare -n sleep 100000 &
		eval "ns_$name=$!"
		pids="$pids $!"
	done
	for name in "$@"; do
		eval "pid=\$ns_$name"
		# until it is in a namespace of its own
		while [ "$(readlink "/proc/$pid/ns/net")" = \
			"$(readlink /proc/self/ns/net)" ]; do
			sleep 0.01
		done
		in_ns "$name" ip link set lo up
	done
}

# in_ns NAME COMMAND...
in_ns()
{
	eval "pid=\$ns_$1"
	shift
	nsenter -t "$pid" -n "$@"
}

stop_all()
{
	for pid in $pids; do
		kill "$pid" 2>/dev/null || :
	done
}

# serve NAME NAMESPACE ADDRESS PORT DIR: starts the server, and adds it to
# those that stop_all ends; $served is its process.
serve()
{
	case $1 in
	hpa)
		set -- "$2" "$1" "$tools/tftpd-hpa/usr/sbin/in.tftpd" -L -c \
			-u root -a "$3:$4" -s "$5" ;;
	atftpd)
		set -- "$2" "$1" "$tools/atftpd/usr/sbin/atftpd" --daemon \
			--no-fork --user root.root --port "$4" \
			--bind-address "$3" --logfile - "$5" ;;
	dnsmasq)
		set -- "$2" "$1" "$tools/dnsmasq-base/usr/sbin/dnsmasq" -k \
			-C /dev/null -u root --port=0 --enable-tftp \
			--tftp-root="$5" --listen-address="$3" \
			--bind-interfaces --pid-file= --log-facility=- ;;
	nginx)
		cat >"$work/nginx.conf" <<-CONF
		daemon off; user root; worker_processes 1;
		pid $work/nginx.pid; error_log $work/nginx.error;
		events { }
		http {
			access_log off; sendfile on; tcp_nopush on;
			client_body_temp_path $work/t1;
			proxy_temp_path $work/t2;
			fastcgi_temp_path $work/t3;
			uwsgi_temp_path $work/t4;
			scgi_temp_path $work/t5;
			server { listen $3:$4; root $5; }
		}
		CONF
		set -- "$2" "$1" "$tools/nginx/usr/sbin/nginx" -c \
			"$work/nginx.conf" -e "$work/nginx.error" ;;
	esac
	eval "pid=\$ns_$1"
	name=$2
	shift 2
	# shellcheck disable=SC2086 # words, or none
	LD_LIBRARY_PATH=$libs ${priority:-} nsenter -t "$pid" -n "$@" \
		>"$work/$name.log" 2>&1 </dev/null &
	served=$!
	pids="$pids $served"
	sleep 0.2
}
