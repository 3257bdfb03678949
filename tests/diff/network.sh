#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# The network of the recovery against real ones: in namespaces, with virtual
# Ethernet cables, dnsmasq as the DHCP server and the udhcpc of the initramfs,
# whose script is the static lifeboat. Needs root or user namespaces.
set -eu
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
cd "$(dirname "$0")/../.."
top=$PWD
work=$top/build/test/network

if [ -z "${NETWORK_INSIDE:-}" ]; then
	arch=$(dpkg --print-architecture)
	make QUIET=1 host "build/deps/$arch/busybox"
	rm -rf "$work"
	mkdir -p "$work/root/bin" "$work/root/dev" "$work/root/proc"
	cp build/host/lifeboat "$work/root/init"
	cp "build/deps/$arch/busybox" "$work/root/bin/udhcpc"
	: >"$work/root/dev/null"
	"build/deps/$arch/cc-musl" -std=c11 -D_GNU_SOURCE -g -Wall -Wextra \
		-Isrc -I. -isystem build/deps/src/bearssl/inc \
		-o "$work/root/tool" tests/diff/network_tool.c init/network.c \
		init/dhcp.c init/early.c src/base/*.c src/slot/net_conf.c \
		src/source/lease.c src/worker/sandbox.c src/worker/seccomp.c
	export NETWORK_INSIDE=1
	if unshare -mn true 2>/dev/null; then
		exec unshare -mn --kill-child --fork "$0"
	elif unshare -Urmn true 2>/dev/null; then
		exec unshare -Urmn --kill-child --fork "$0"
	elif unshare -mn --propagation unchanged true 2>/dev/null; then
		# / of a chroot is no mount point and has no propagation
		exec unshare -mn --propagation unchanged --kill-child --fork "$0"
	fi
	echo "network: this kernel allows no namespaces here"
	echo "network: 0 passed, 1 failed"
	exit 1
fi

cd "$work"
mount --rbind /proc root/proc
mount --bind /dev/null root/dev/null
passed=0
failed=0
dnsmasq=

# The client's side, held open by a process that does nothing.
unshare -n sleep 300 &
client=$!
inside="nsenter -t $client -n"
trap 'kill $client $dnsmasq 2>/dev/null
	umount -l root/proc root/dev/null 2>/dev/null' EXIT
while [ "$(readlink "/proc/$client/ns/net")" = "$(readlink /proc/$$/ns/net)" ]
do
	sleep 0.02
done
ip link set lo up

# cable NAME: NAME there, NAME-s here, up
cable()
{
	ip link add "$1-s" type veth peer name "$1" netns "$client"
	ip link set "$1-s" up
}

# serve INTERFACE OPTION...: 10.9.0.1 gives out 10.9.0.10
serve()
{
	[ -z "$dnsmasq" ] || { kill "$dnsmasq"; wait "$dnsmasq" || :; }
	rm -f leases
	ip addr replace 10.9.0.1/24 dev "$1"
	interface=$1
	shift
	dnsmasq --no-daemon --conf-file=/dev/null --port=0 --no-ping \
		--interface="$interface" --except-interface=lo \
		--bind-interfaces --pid-file= --user=root \
		--dhcp-leasefile="$work/leases" --dhcp-authoritative \
		--dhcp-range=10.9.0.10,10.9.0.10,255.255.255.0,1h "$@" \
		>"$work/dnsmasq.log" 2>&1 &
	dnsmasq=$!
	# it is there when its port is
	n=0
	until grep -q ' 00000000:0043 ' /proc/net/udp || [ $n = 100 ]; do
		n=$((n + 1))
		sleep 0.02
	done
}

# tool ARGUMENT...: into out
tool()
{
	$inside chroot root /tool "$@" >out 2>&1
}

check()
{
	name=$1
	shift
	if "$@"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED: $name"
		sed 's/^/    | /' out
	fi
}
says() { grep -qE -- "$1" out; }
not() { ! "$@"; }
udhcpc() # its number, at the client's side
{
	pgrep --ns "$client" --nslist net -x udhcpc
}
none() { ! udhcpc >/dev/null; }
shows() # PATTERN COMMAND...: run at the client's side
{
	pattern=$1
	shift
	$inside "$@" | grep -qE -- "$pattern"
}

# ---- no cable, no interface, no server

tool 1 interface=eth9 link=1 ip=dhcp
check "no such interface" says '^failed no-network-device: .* eth9'
tool 1 link=1 ip=dhcp
check "no interface at all" says '^failed no-network-device: no network inter'

cable eth0
ip link set eth0-s down
tool 1 link=1 ip=dhcp
check "no link" says '^failed no-link: eth0: no link'
check "and it is said while it waits" says 'eth0: waiting for a link .* 1 s'
{
	sleep 0.7
	ip link set eth0-s up
} &
tool 1 link=5 ip=10.9.0.77::10.9.0.1:255.255.255.0::: server=10.9.0.1 file=x
wait $!
check "a link that comes late" says '^up eth0 10.9.0.77 server 10.9.0.1 port 69'
check "address and netmask" shows '10.9.0.77/24' ip -4 addr show eth0
check "and the route" shows 'default via 10.9.0.1' ip route

# What udhcpc may do, looked at while it asks in vain.
{
	until pid=$(udhcpc) && cp "/proc/$pid/status" client; do
		sleep 0.02
	done
} &
tool 1 lease=1 ip=dhcp file=x
wait $!
check "no server" says '^failed no-lease: eth0: no DHCP server answers within 1'
check "it may open packet sockets and nothing else" \
	[ "$(grep -c '^Cap[A-Z][a-z]*:.0000000000002000$' client)" = 5 ]
check "no way back" grep -q '^NoNewPrivs:.1$' client
if [ "$(awk '$3 > 1' /proc/self/uid_map)" ]; then
	check "it is a user of its own" \
		grep -q '^Uid:.65533.65533.65533.65533$' client
fi
check "it is gone" none

# ---- DHCP

serve eth0-s --dhcp-option=3,10.9.0.1 --dhcp-option=26,1400 \
	--dhcp-option=66,10.9.0.2 --dhcp-option=67,sub/x.raucb
tool 1 ip=dhcp
check "options 66 and 67" says \
	'^up eth0 10.9.0.10 server 10.9.0.2 port 69 mtu 1400 file sub/x.raucb$'
check "the address" shows '10.9.0.10/24' ip -4 addr show eth0
check "the old one is gone" not shows '10.9.0.77' ip -4 addr show eth0
check "the route" shows 'default via 10.9.0.1' ip route
tool 1 tftp=tftp://10.9.0.7:6969/y.raucb
check "what is configured comes first" says \
	'^up eth0 10.9.0.10 server 10.9.0.7 port 6969 mtu 1400 file y.raucb$'
tool 1 tftp=10.9.0.7:z.raucb ip=:10.9.0.8::::eth0:dhcp
check "lifeboat.tftp= before ip=" says 'server 10.9.0.7 port 69 .* file z.raucb'
tool 1 ip=:10.9.0.8::::eth0:dhcp
check "ip= before DHCP" says 'server 10.9.0.8 port 69 .* file sub/x.raucb'

serve eth0-s --dhcp-boot=boot.raucb,host,10.9.0.3 --dhcp-option=3
tool 1 ip=dhcp
check "the fields siaddr and file" says \
	'^up eth0 10.9.0.10 server 10.9.0.3 .* file boot.raucb$'
check "no router, no route" not shows default ip route

serve eth0-s --dhcp-option-force=66,pxe.example --dhcp-option=67,x.raucb
tool 1 ip=dhcp
check "a name in option 66: siaddr or the server itself" says \
	'^up eth0 10.9.0.10 server 10.9.0.1 .* file x.raucb$'

serve eth0-s
tool 1 ip=dhcp
check "no file" says '^failed network-config: no file to ask 10.9.0.1 for'
tool 1 ip=dhcp tftp=
check "nor with lifeboat.tftp= alone" says '^failed network-config: no file'

serve eth0-s --dhcp-option-force=1,255.0.255.0 --dhcp-option=67,x.raucb
tool 1 ip=dhcp
check "a netmask that is none" says \
	"^failed no-lease: the DHCP server's answer: the netmask is 255.0.255.0"

# Nobody answers on the first cable; the second attempt takes the second.
cable eth1
ip addr flush dev eth0-s
serve eth1-s --dhcp-option=67,x.raucb
tool 2 ip=dhcp lease=1
check "the first cable leads nowhere" says '^failed no-lease: eth0: '
check "the next one is tried" says '^up eth1 10.9.0.10 server 10.9.0.1'

# ---- a client that is taken over

cp root/tool root/bin/udhcpc
ip link set eth1-s down
fake() # KIND: what comes of one attempt with it
{
	echo "$1" >root/fake
	tool 1 ip=dhcp lease=1
}
fake bytes
check "bytes of no meaning" says '^failed no-lease: udhcpc: damaged answer'
check "and it is ended" none
fake short
check "a short answer" says '^failed no-lease: eth0: udhcpc ended without'
fake more
check "more than one answer: the first" says '^up eth0 10.9.0.66 server'
check "and it is ended, too" none
fake end
check "no answer" says '^failed no-lease: eth0: udhcpc ended without'
fake child
check "one that leaves a child behind" says '^failed no-lease: eth0: no DHCP'
check "they are ended together" none
fake quiet
check "one that says nothing" says '^failed no-lease: eth0: no DHCP'
check "it is ended as well" none
rm root/bin/udhcpc
tool 1 ip=dhcp
check "no client in the image" says '^failed network-config: no /bin/udhcpc'
tool 1 ip=10.9.0.5 tftp=10.9.0.1:x.raucb
check "which a static address does not need" says '^up eth0 10.9.0.5 server'

# The script is one by what process 1 says, not by its argument.
$inside chroot root /init bound >out 2>&1 || :
check "by hand it is no script" says bound

echo "network: $passed passed, $failed failed"
[ $failed = 0 ] && [ $passed != 0 ]
