#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# setup.sh: sees to it that this machine (Debian 12) has what building and
# testing need. Says nothing and does nothing when all is there. As root it
# names the missing packages and installs them; as anybody else it prints
# the command to run and fails.
set -eu

packages="
# build: compiler and linker for every board, archives, checksums
clang lld llvm gcc libc6-dev make dpkg-dev ca-certificates xz-utils
# headers of OpenSSL and its command: development keys, oracle in the tests
openssl libssl-dev
# the tests' compilers: AddressSanitizer and libFuzzer for clang
libclang-rt-14-dev
# recovery initramfs: module order; what compresses it best as gzip
kmod zopfli libdeflate-tools
# bundles and what they are compared with
rauc squashfs-tools dbus-daemon
# keys in a token: PKCS#11
softhsm2 libengine-pkcs11-openssl
# disks and sticks: partitions, FAT, ext4, U-Boot environment and scripts
gdisk fdisk dosfstools mtools e2fsprogs exfatprogs exfat-fuse ntfs-3g mount
genisoimage xorriso
u-boot-tools libubootenv-tool
# networks: virtual cables, a DHCP server
iproute2 dnsmasq-base
# machines
qemu-system-arm qemu-system-x86 qemu-utils u-boot-qemu
# drives QEMU (QMP), matrices against rauc
python3-minimal python3
# senders of X, Y and ZMODEM
lrzsz
# lint
clang-format clang-tidy shellcheck codespell mandoc
# what the scripts use
git util-linux procps cpio zstd file
"
packages=$(echo "$packages" | sed '/^#/d')

missing=
for name in $packages; do
	state=$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) ||
		state=
	[ "$state" = installed ] || missing="$missing $name"
done
[ -n "$missing" ] || exit 0

command="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" != 0 ]; then
	echo "setup.sh: missing packages:$missing" >&2
	echo "setup.sh: run as root: $command" >&2
	exit 1
fi
echo "setup.sh: installing:$missing"
export DEBIAN_FRONTEND=noninteractive
# Old package lists name files that are gone: renew them first.
apt-get update -qq || echo "setup.sh: some package lists were not renewed" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086 # words
apt-get install -y -qq -o DPkg::Lock::Timeout=300 --no-install-recommends \
	$missing >"$log" 2>&1 </dev/null || {
	tail -n 20 "$log" >&2
	echo "setup.sh: $command failed" >&2
	exit 1
}
