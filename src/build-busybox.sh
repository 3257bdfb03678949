#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# build-busybox.sh amd64|arm64|armhf: build/deps/ARCH/busybox, the DHCP client
# udhcpc of Debian's busybox sources and nothing else: no shell, no second
# applet, so that the program is udhcpc by whatever name it is started.
# Static, with all of musl: the compiler for that is build/deps/ARCH/cc-musl.
# build-deps.sh has unpacked both; the version is pinned in deps.mk.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
kind=$1
dir=$(cd "$here/../build/deps" && pwd)
out=$dir/$kind
work=$out/busybox.d

root=$out/root
lib=$(echo "$root"/usr/lib/*-linux-musl*)
case $kind in
amd64) rt=x86_64 ;;
arm64) rt=aarch64 ;;
armhf) rt=armhf ;;
*)
	echo "build-busybox.sh: unknown architecture $kind" >&2
	exit 1 ;;
esac
rt=$(find "$root" -name "libclang_rt.builtins-$rt.a")
rm -rf "$work"
mkdir -p "$work/bin"

# As $out/cc, but the start files and all the rest are musl's, of which cc
# replaces a part (libc.c).
common=$(sed -n '/^common=/,/"$/p' "$out/cc")
cat >"$out/cc-musl" <<EOT
#!/bin/sh
$common
for arg in "\$@"; do
	case \$arg in
	-c|-E|-S) exec clang \$common "\$@" ;;
	-r) exec clang \$common -nostdlib -fuse-ld=lld "\$@" ;;
	esac
done
exec clang -Wno-unused-command-line-argument \$common -static -nostdlib \\
	-fuse-ld=lld -L$lib $lib/crt1.o $lib/crti.o "\$@" -lc $rt $lib/crtn.o
EOT
chmod +x "$out/cc-musl"

# What differs from nothing at all; NAME or NAME=VALUE.
wanted="STATIC UDHCPC UDHCPC_DEFAULT_INTERFACE=\"eth0\"
	UDHCPC_DEFAULT_SCRIPT=\"/init\" UDHCPC_SLACK_FOR_BUGGY_SERVERS=80
	UDHCP_DEBUG=0 SH_IS_NONE"
sizes="-Oz -ffunction-sections -fdata-sections -fno-ident"
sizes="$sizes -fno-asynchronous-unwind-tables -fno-unwind-tables"
sizes="$sizes -fno-stack-protector -fomit-frame-pointer -w"
link="-Wl,--gc-sections -Wl,--icf=all -Wl,-z,noseparate-code -Wl,-z,norelro"
link="$link -Wl,--build-id=none -Wl,--no-eh-frame-hdr -Wl,-O2"
# Ours is another make.
unset MAKEFLAGS MFLAGS MAKELEVEL
make_it()
{
	make -j"$(nproc)" -C "$dir/src/busybox" O="$work" HOSTCC=gcc \
		CC="$out/cc-musl" AR=llvm-ar SKIP_STRIP=y KCONFIG_NOTIMESTAMP=1 \
		CONFIG_EXTRA_CFLAGS="$sizes -ffile-prefix-map=$dir=." \
		CONFIG_EXTRA_LDFLAGS="$link" "$@"
}
build()
{
	make_it allnoconfig
	sed -i -e /CONFIG_SH_IS_ASH/d -e /CONFIG_SHELL_ASH/d "$work/.config"
	for word in $wanted; do
		value=y
		[ "${word#*=}" = "$word" ] || value=${word#*=}
		word=CONFIG_${word%%=*}
		sed -i "/${word}[= ]/d" "$work/.config"
		echo "$word=$value" >>"$work/.config"
	done
	yes "" 2>/dev/null | make_it oldconfig
	for word in $wanted; do
		grep "^CONFIG_${word%%=*}=" "$work/.config"
	done
	if grep '^CONFIG_.*ASH=y' "$work/.config"; then
		exit 1
	fi
	make_it busybox_unstripped
}
# In the background, where the first failure ends it.
build >"$work/log" 2>&1 </dev/null &
wait $! || {
	tail -n 30 "$work/log" >&2
	exit 1
}
llvm-strip --strip-all --strip-sections -o "$out/busybox.new" \
	"$work/busybox_unstripped"
mv "$out/busybox.new" "$out/busybox"
