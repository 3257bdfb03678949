#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# prices.sh: what each option of src/options.h costs in the stripped arm64
# binary: built with and without it. Then the main job alone, a verity bundle
# from a stick to the slots, which has limits that no option may move: 180 KiB,
# and 108 KiB as an initramfs without kernel modules.
set -eu
cd "$(dirname "$0")/../.."
extras=
for option in STATUS XZ LZ4 PLAIN CRYPT PSS CRL VERDICT EXFAT TFTP SERIAL STREAM; do
	extras="$extras -DOPT_$option=0"
done

size()
{
	make V="qemu-arm64@price-$1" OPTS="$2" QUIET=1 lifeboat >/dev/null
	wc -c <"build/qemu-arm64@price-$1/lifeboat"
}

all=$(size all '')
printf '%-16s %8d bytes\n' 'all options' "$all"
sed -n 's/^#ifndef \(OPT_[A-Z0-9_]*\)$/\1/p' src/options.h |
	while read -r option; do
		without=$(size "$option" "-D$option=0")
		printf '%-16s %8d\n' "$option" $((all - without))
	done
main=$(size main "$extras")
make V=qemu-arm64 QUIET=1 initramfs >/dev/null
bare=build/qemu-arm64@price-main/bare.cpio
sed -e '/^file \/lib\/modules\/.*\.ko /d' \
	-e 's| build/qemu-arm64/lifeboat$| build/qemu-arm64@price-main/lifeboat|' \
	build/qemu-arm64/initramfs.list | build/tools/mkcpio 0 >"$bare"
initramfs=$(zopfli --i5 -c "$bare" | wc -c)
printf '%-16s %8d of 184320 bytes; initramfs %d of 110592\n' \
	"main job" "$main" "$initramfs"
[ "$main" -le 184320 ] && [ "$initramfs" -le 110592 ]
