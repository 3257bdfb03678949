#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# seeds_net.sh: makes the seeds of the target lease, and those of conf that
# name a network, anew, below tests/fuzz/corpus.
set -eu
cd "$(dirname "$0")/corpus"
mkdir -p lease conf
seed()
{
	printf '%b' "$2" >"lease/$1"
}
seed options 'ip=10.0.2.15\0subnet=255.255.255.0\0router=10.0.2.2 10.0.2.3\0mtu=1400\0tftp=10.0.2.4\0bootfile=sub/x.raucb\0serverid=10.0.2.2\0'
seed fields 'interface=eth0\0ip=192.168.1.7\0mask=24\0siaddr=192.168.1.1\0boot_file=x.raucb\0sname=host\0serverid=192.168.1.2\0'
seed name 'ip=172.16.0.9\0subnet=255.255.0.0\0tftp=pxe.example.org\0serverid=172.16.0.1\0'
seed mask 'ip=10.0.0.1\0subnet=255.0.255.0\0'
seed none 'interface=eth0\0'
seed empty ''
# the struct: address, netmask, gateway, server, MTU, name, file
{
	printf '%b' '\012\0\002\017\0377\0377\0377\0\012\0\002\002\012\0\002\004\0170\05\0\0'
	printf host
	head -c 60 /dev/zero
	printf x.raucb
	head -c 121 /dev/zero
} >lease/struct
cat >conf/network <<'EOT'
[network]
interface=eth0
ip=10.0.0.2:10.0.0.3:10.0.0.1:255.255.255.0:host:eth1:off
link-timeout=5
lease-timeout=9
[tftp]
server=10.0.0.4:6969
file=sub/x.raucb
EOT
printf %s 'quiet ip=:10.0.0.9::::eth0:dhcp lifeboat.tftp=tftp://10.0.0.1:69/x.raucb' >conf/network-line
