#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# seeds_boot.sh: makes (with mkenvimage) the seeds of the targets uboot and
# conf anew, below tests/fuzz/corpus.
set -eu
cd "$(dirname "$0")/corpus"
mkdir -p uboot conf
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# seed NAME FIRST-BYTE(octal) COPIES TEXT: the first byte says how the target
# takes the rest.
seed()
{
	printf '%b' "$4" >"$tmp/env.txt"
	flag=
	[ "$3" = 1 ] || flag=-r
	mkenvimage $flag -s 0x100 -o "$tmp/env" "$tmp/env.txt"
	printf '%b' "\\0$2" >"uboot/$1"
	cat "$tmp/env" >>"uboot/$1"
	[ "$3" = 1 ] || cat "$tmp/env" >>"uboot/$1"
}

seed single 002 1 'BOOT_ORDER=A B\nBOOT_A_LEFT=3\nBOOT_B_LEFT=0\nx=y\n'
seed redundant 007 2 'BOOT_ORDER=B A\nBOOT_A_LEFT=a\nBOOT_B_LEFT=1\n'
seed nor 117 2 'BOOT_ORDER=system0\nBOOT_system0_LEFT=3\n'
seed tries 202 1 'LIFEBOAT_TRIES=1:0123abcd\nBOOT_ORDER=rescue\n'
seed empty 022 1 'BOOT_ORDER=\nBOOT_A_LEFT=\n'
seed anew 020 1 'BOOT_ORDER=A\n'
seed defaults 061 2 'bootcmd=run x\nBOOT_ORDER=A\n'

cat >conf/system <<'EOT'
[system]
compatible=dev
bootloader=uboot
bundle-formats=-plain
min-bundle-version=0.1
boot-attempts=4
boot-attempts-primary=10
activate-installed=false
data-directory=/data

[keyring]
path=keys.pem
use-bundle-signing-time=true
check-purpose=codesign
allowed-signer-cns=One;Two
allow-partial-chain=1
check-crl=false

[slot.rootfs.0]
device=/dev/mmcblk0p2
type=ext4
bootname=A
readonly=false

[slot.kernel.0]
device=PARTLABEL=kernel.0
parent=rootfs.0

[slot.rootfs.1]
device=UUID=x
type=vfat
bootname=B

[slot.kernel.1]
device=k
parent=rootfs.1
EOT
cat >conf/settings <<'EOT'
[recovery]
settle=100
wait=5
retries=1
stall=30
watchdog=10
watchdog-device=/dev/watchdog0
bundle=a.raucb
reinstall=true
poweroff=0
EOT
printf 'lifeboat.wait=3 lifeboat.bundle="a b" rauc.slot=A rauc.external lifeboat.poweroff lifeboat.stall=9' \
	>conf/cmdline
printf '# env\n/dev/mtd1 0x0 0x4000 0x4000 2\n/dev/mtd1 -131072 0x4000\n' \
	>conf/fw_env
printf 'slot.rootfs.0:device=/tmp/a' >conf/override
