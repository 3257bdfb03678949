#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# loaders.sh [STATES [SEED [native]]]: the boot loader models of
# tests/sim/bootmodel.c against the real loaders, in QEMU, on STATES (24)
# random environments each: the board's boot.cmd and RAUC's contrib/uboot.sh in
# Debian's U-Boot, and fw_printenv's choice of two copies. native: also a
# U-Boot built from Debian's source (a minute, and more packages) that counts
# boots and saves its redundant environment by itself. Needs no root.
# Last line: "loaders: N passed, N failed".
set -eu
cd "$(dirname "$0")/../.."
work=build/test/loaders
mkdir -p "$work"
PATH=$PATH:/sbin:/usr/sbin
export PATH

${CC:-gcc} -std=c11 -D_GNU_SOURCE -O1 -g -Wall -Wextra \
	-fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-Itests/sim -o "$work/model_tool" tests/diff/model_tool.c \
	tests/sim/bootmodel.c
clang --target=aarch64-linux-gnu -c -o "$work/image.o" \
	tests/diff/loader_image.s
llvm-objcopy -O binary -j .text "$work/image.o" "$work/image.bin"
[ -e "$work/rauc/contrib/uboot.sh" ] || src/deps.sh source rauc "$work/rauc"

# The environment is loaded late, since there is no card before PCI.
build_uboot()
{
	for tool in aarch64-linux-gnu-gcc bison flex bc; do
		command -v $tool >/dev/null || {
			echo "loaders.sh: install gcc-aarch64-linux-gnu bison flex bc" >&2
			exit 1
		}
	done
	src/deps.sh source u-boot "$work/u-boot-source"
	rm -rf "$work/u-boot"
	mkdir "$work/u-boot"
	make -s -C "$work/u-boot-source" O=../u-boot qemu_arm64_defconfig
	cat >>"$work/u-boot/.config" <<-EOT
		CONFIG_BOOTDELAY=0
		CONFIG_MMC=y
		CONFIG_DM_MMC=y
		CONFIG_MMC_PCI=y
		CONFIG_MMC_SDHCI=y
		CONFIG_MMC_SDHCI_SDMA=y
		CONFIG_CMD_MMC=y
		CONFIG_BOOTCOUNT_LIMIT=y
		CONFIG_BOOTCOUNT_ENV=y
		# CONFIG_ENV_IS_IN_FLASH is not set
		CONFIG_ENV_IS_IN_MMC=y
		CONFIG_SYS_MMC_ENV_DEV=0
		CONFIG_SYS_REDUNDAND_ENVIRONMENT=y
		CONFIG_ENV_OFFSET=0x10000
		CONFIG_ENV_OFFSET_REDUND=0x14000
		CONFIG_ENV_SIZE=0x4000
		CONFIG_CMD_NVEDIT_LOAD=y
		CONFIG_USE_PREBOOT=y
		CONFIG_PREBOOT="pci enum; mmc list; mmc dev 0; env load"
		CONFIG_USE_BOOTCOMMAND=y
		CONFIG_BOOTCOMMAND="echo loaders: slot A"
		# CONFIG_TOOLS_MKEFICAPSULE is not set
		# CONFIG_EFI_CAPSULE_ON_DISK is not set
	EOT
	make -s -C "$work/u-boot" olddefconfig 2>/dev/null
	make -s -j2 -C "$work/u-boot" CROSS_COMPILE=aarch64-linux-gnu- u-boot.bin
}

uboot=
if [ "${3:-}" = native ]; then
	uboot=$work/u-boot/u-boot.bin
	[ -e "$uboot" ] || build_uboot >"$work/u-boot.log" 2>&1 ||
		{ tail -n 20 "$work/u-boot.log"; exit 1; }
fi
exec python3 tests/diff/loaders.py "$work/model_tool" "$work" \
	"$work/rauc/contrib/uboot.sh" "${1:-24}" "${2:-1}" ${uboot:+"$uboot"}
