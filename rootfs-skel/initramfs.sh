#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# initramfs.sh BOARD BUILD NAME [MODULE...]: makes BUILD/NAME.cpio.gz from
# initramfs.list and the named kernel modules with all they depend on, in
# the order in which they have to be loaded; with UDHCPC=FILE, that as
# /bin/udhcpc, too. The same input gives the same
# bytes: entries in order, one time, no name of a folder or machine.
set -eu

here=$(dirname "$0")
board=$here/../board/$1
build=$2
name=$3
shift 3
kernel=$build/kernel/recovery
list=$build/$name.list
order=$build/$name.order
bare=$build/$name-bare.cpio

sed -e '/^#/d' -e "s|@BOARD@|$board|" -e "s|@BUILD@|$build|" \
	"$here/initramfs.list" | while read -r line; do
	case $line in
	\?*) [ ! -e "${line##* }" ] || echo "${line#? }" ;;
	*) echo "$line" ;;
	esac
done >"$list"
[ -z "${UDHCPC:-}" ] ||
	printf '%s\n' 'dir /bin 0755' "file /bin/udhcpc 0755 $UDHCPC" >>"$list"

: >"$order"
if [ $# -gt 0 ]; then
	version=$(cat "$kernel/version")
	for module in "$@"; do
		# "builtin NAME" needs nothing; an unknown one is an error.
		PATH=$PATH:/sbin:/usr/sbin modprobe -d "$kernel" \
			-S "$version" --show-depends "$module"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
		while read -r path; do
			echo "${path##*/}" >&3
			echo "file /lib/modules/${path##*/} 0644 $path"
		done 3>"$order" >>"$list"
	# A pipe hides modprobe's failure: ask again, for the result alone.
	for module in "$@"; do
		PATH=$PATH:/sbin:/usr/sbin modprobe -q -d "$kernel" \
			-S "$version" --show-depends "$module" >/dev/null || {
			echo "initramfs.sh: no module $module" >&2
			exit 1
		}
	done
fi
echo "file /lib/modules/order 0644 $order" >>"$list"

# Two archives, one behind the other, which the kernel unpacks as one: what is
# small and what is large are compressed best by different programs. Neither
# writes a name or a time.
modules='^file /lib/modules/.*\.ko '
grep -v "$modules" "$list" | build/tools/mkcpio "$SOURCE_DATE_EPOCH" >"$bare"
zopfli --i5 -c "$bare" >"$bare.gz"
cat "$bare.gz" >"$build/$name.cpio.gz"
if grep "$modules" "$list" >"$build/$name.modules"; then
	build/tools/mkcpio "$SOURCE_DATE_EPOCH" <"$build/$name.modules" |
		libdeflate-gzip -12 >>"$build/$name.cpio.gz"
fi
