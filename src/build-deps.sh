#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# Builds what lifeboat links, once for each way it is linked:
#
#   build-deps.sh amd64|arm64|armhf   musl, static, small: DIR/ARCH/cc (the
#                                     compiler for it) and DIR/ARCH/libdeps.a
#   build-deps.sh gcc|clang           the system's libc, for the tests;
#                                     clang's with AddressSanitizer
#
# DIR is build/deps. The sources are unpacked as Debian ships them, never
# edited; what has to differ is said on the command line below.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
kind=$1
dir=$here/../build/deps
mkdir -p "$dir/$kind"
dir=$(cd "$dir" && pwd)
out=$dir/$kind
deps=$here/deps.sh

# Sources, shared by all kinds; unpacked by whoever comes first.
if [ -z "${DEPS_SOURCES:-}" ]; then
	DEPS_SOURCES=1 exec flock "$dir/lock" "$0" "$@"
fi
for name in bearssl libdeflate libzstd busybox lz4; do
	[ -e "$dir/src/$name.version" ] && continue
	"$deps" source "$name" "$dir/src/$name" 2>"$dir/$name.log" || {
		cat "$dir/$name.log" >&2
		exit 1
	}
	"$deps" source-version "$name" >"$dir/src/$name.version"
done

# libdeflate: the one portable decompressor, no choice at run time.
cat >"$dir/src/libdeflate.pre.h" <<'EOT'
#include "common_defs.h"
#undef COMPILER_SUPPORTS_TARGET_FUNCTION_ATTRIBUTE
#define COMPILER_SUPPORTS_TARGET_FUNCTION_ATTRIBUTE 0
#if defined(__aarch64__)
#include "lib/arm/cpu_features.h"
#undef HAVE_NEON_INTRIN
#define HAVE_NEON_INTRIN 0
#endif
EOT
# libzstd: nothing may ask for memory.
cat >"$dir/src/libzstd.pre.h" <<'EOT'
#define ZSTD_DEPS_MALLOC
#define ZSTD_malloc(size) ((void)(size), (void *)0)
#define ZSTD_calloc(n, size) ((void)(n), (void)(size), (void *)0)
#define ZSTD_free(p) ((void)(p))
EOT

# XZ Embedded, which Debian has as a part of busybox's sources: its files, in
# the public domain, and nothing else of busybox. One call decodes one block;
# its state is laid out in memory of the caller's.
mkdir -p "$dir/src/xz"
cat >"$dir/src/xz/xz_block.h" <<'EOT'
#include <stddef.h>
/* 1: one whole .xz stream was decoded, into *n bytes, cap at most; else 0.
 * work is of 32 KiB, aligned to 16, and may hold anything. */
int xz_block(void *work, const void *src, size_t len, void *dst, size_t cap,
	size_t *n);
EOT
cat >"$dir/src/xz/xz_block.c" <<'EOT'
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "xz_block.h"
#define XZ_CONFIG_H
#define XZ_EXTERN static
#define XZ_DEC_SINGLE
#define XZ_DEC_X86
#define XZ_DEC_POWERPC
#define XZ_DEC_IA64
#define XZ_DEC_ARM
#define XZ_DEC_ARMTHUMB
#define XZ_DEC_SPARC
#define NOINLINE
#define noinline_for_stack
#ifndef __always_inline
#define __always_inline inline
#endif
#define kmalloc(size, flags) ((void)(size), (void *)0)
#define kfree(p) ((void)(p))
#define vfree(p) ((void)(p))
#define memeq(a, b, size) (memcmp(a, b, size) == 0)
#define memzero(p, size) memset(p, 0, size)
#define min(x, y) ((x) < (y) ? (x) : (y))
#define min_t(type, x, y) min(x, y)
#define XZ_INTERNAL_CRC32 0
uint32_t crc32_update(uint32_t crc, const void *data, size_t len);
#define xz_crc32(p, size, crc) crc32_update(crc, p, size)
static uint32_t get_le32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}
static void put_le32(uint32_t v, uint8_t *p)
{
	p[0] = v;
	p[1] = v >> 8;
	p[2] = v >> 16;
	p[3] = v >> 24;
}
#define get_unaligned_le32(p) get_le32(p)
#define get_unaligned_be32(p) __builtin_bswap32(get_le32(p))
#define put_unaligned_le32(v, p) put_le32(v, p)
#define put_unaligned_be32(v, p) put_le32(__builtin_bswap32(v), p)
#include "xz.h"
#include "xz_private.h"
#include "xz_dec_bcj.c"
#include "xz_dec_lzma2.c"
#include "xz_dec_stream.c"
struct state {
	struct xz_dec dec;
	struct xz_dec_bcj bcj;
	struct xz_dec_lzma2 lzma2;
};
_Static_assert(sizeof(struct state) <= 32768, "work");
int xz_block(void *work, const void *src, size_t len, void *dst, size_t cap,
	size_t *n)
{
	struct state *s = work;
	struct xz_buf b = {.in = src, .in_size = len, .out = dst,
		.out_size = cap};

	memset(s, 0, sizeof *s);
	s->dec.mode = XZ_SINGLE;
	s->dec.bcj = &s->bcj;
	s->bcj.single_call = true;
	s->dec.lzma2 = &s->lzma2;
	s->lzma2.dict.mode = XZ_SINGLE;
	if (xz_dec_run(&s->dec, &b) != XZ_STREAM_END || b.in_pos != len)
		return 0;
	*n = b.out_pos;
	return 1;
}
EOT

# A compiler for one architecture: musl's headers, the kernel's headers, and
# the compiler's run-time helpers. The start files are musl's on 32 bits only;
# see libc.c.
make_cc()
{
	root=$out/root
	rm -rf "$root"
	"$deps" unpack "musl-dev:$kind" "$root"
	"$deps" unpack "libclang-rt-14-dev:$kind" "$root"
	"$deps" unpack "linux-libc-dev:$kind" "$root"
	"$deps" version "musl-dev:$kind" >"$out/musl.version"
	mkdir -p "$out/uapi"
	cp -r "$root/usr/include/linux" "$root/usr/include/asm-generic" \
		"$root/usr/include/mtd" "$root"/usr/include/*-linux-gnu*/asm \
		"$out/uapi/"
	inc=$(echo "$root"/usr/include/*-linux-musl*)
	lib=$(echo "$root"/usr/lib/*-linux-musl*)
	case $kind in
	amd64) target=x86_64-linux-musl rt=x86_64 start=$out/libc.o end= ;;
	arm64) target=aarch64-linux-musl rt=aarch64 start=$out/libc.o end= ;;
	armhf)
		target="armv7a-linux-musleabihf -mthumb"
		target="$target -mfloat-abi=hard -mfpu=vfpv3-d16"
		rt=armhf start="$lib/crt1.o $lib/crti.o" end=$lib/crtn.o ;;
	esac
	rt=$(find "$root" -name "libclang_rt.builtins-$rt.a")
	cat >"$out/cc" <<EOT
#!/bin/sh
# Static musl compiler for $kind; made by src/build-deps.sh.
common="--target=$target -nostdinc -isystem $inc
	-isystem $(clang -print-resource-dir)/include -isystem $out/uapi"
for arg in "\$@"; do
	case \$arg in
	-c|-E|-S) exec clang \$common "\$@" ;;
	esac
done
exec clang -flto -Wno-unused-command-line-argument \$common -static -nostdlib -fuse-ld=lld -L$lib \\
	$start "\$@" -lc $rt $end
EOT
	chmod +x "$out/cc"
	# Not with -flto: string functions are not to become calls to themselves.
	# shellcheck disable=SC2086 # $bare is a list
	[ -n "$end" ] || "$out/cc" -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror \
		-Oz -ffreestanding $bare -c -o "$out/libc.o" "$here/libc.c"
}

sections="-ffunction-sections -fdata-sections -fno-common"
bare="-fno-asynchronous-unwind-tables -fno-unwind-tables -fno-ident"
bare="$bare -fno-stack-protector -fomit-frame-pointer"
case $kind in
amd64|arm64|armhf)
	make_cc
	CC=$out/cc
	# Optimized again when all is linked: see LINK in the Makefile.
	small="-Oz -flto $sections $bare"
	fast="-O2 -flto $sections $bare"
	AR=llvm-ar ;;
gcc)
	CC=gcc
	small="-O1 -g"
	numbers="-O2 -g"
	fast=$numbers
	AR="ar" ;;
clang)
	CC=clang
	small="-O1 -g -fsanitize=address"
	# Four fifths of the tests' time went into checking these multiplications
	# and rounds; whoever calls them with memory of others is checked.
	numbers="-O2 -g"
	fast=$numbers
	# The fuzzer sees the decoders' branches, not the cryptography's.
	codec="$small -fsanitize=fuzzer-no-link"
	AR=llvm-ar ;;
*)
	echo "build-deps.sh: unknown kind $kind" >&2
	exit 1 ;;
esac

: "${codec:=$small}" "${numbers:=$small}"

# list OBJECT-PREFIX FLAGS FILES...: one line "object source flags" a file
list()
{
	prefix=$1
	flags=$2
	shift 2
	for file in "$@"; do
		echo "$out/o/$prefix-$(basename "$file" .c).o $file $flags"
	done
}

rm -rf "$out/o"
mkdir -p "$out/o"
cd "$dir/src"
{
	# No clock and no random numbers of its own: both are handed in.
	br="-Ibearssl/inc -Ibearssl/src -DBR_USE_UNIX_TIME=0"
	br="$br -DBR_USE_URANDOM=0"
	list br "$br $small" bearssl/src/settings.c bearssl/src/codec/*.c \
		bearssl/src/x509/*.c bearssl/src/rsa/*_i31_*.c \
		bearssl/src/rsa/*_pkcs1_sig_*.c bearssl/src/rsa/rsa_ssl_*.c \
		bearssl/src/rsa/rsa_oaep_*.c bearssl/src/symcipher/aes_ct*.c \
		bearssl/src/ec/ec_prime_i31.c bearssl/src/ec/ec_secp*.c \
		bearssl/src/ec/ecdsa_*.c \
		bearssl/src/hash/dig_*.c bearssl/src/hash/md5*.c \
		bearssl/src/hash/mgf1.c bearssl/src/hash/multihash.c \
		bearssl/src/hash/sha1.c bearssl/src/hash/sha2big.c \
		bearssl/src/hash/ghash*.c
	list br "$br $numbers" bearssl/src/int/i31_*.c \
		bearssl/src/int/i32_div32.c
	# Where the time goes.
	list br "$br $fast" bearssl/src/hash/sha2small.c
	list deflate "-Ilibdeflate -include libdeflate.pre.h $codec" \
		libdeflate/lib/deflate_decompress.c \
		libdeflate/lib/zlib_decompress.c libdeflate/lib/adler32.c
	zstd="-Ilibzstd/lib -include libzstd.pre.h -DNDEBUG -DZSTD_NO_INLINE"
	zstd="$zstd -DXXH_NAMESPACE=ZSTD_ -DZSTD_LEGACY_SUPPORT=0"
	zstd="$zstd -DHUF_FORCE_DECOMPRESS_X1 -DDYNAMIC_BMI2=0"
	zstd="$zstd -DZSTD_FORCE_DECOMPRESS_SEQUENCES_SHORT"
	zstd="$zstd -DZSTD_STRIP_ERROR_STRINGS -DZSTD_DISABLE_ASM"
	zstd="$zstd -DZSTD_NO_TRACE -DZSTD_DECODER_INTERNAL_BUFFER=1024"
	list zstd "$zstd $codec" libzstd/lib/common/entropy_common.c \
		libzstd/lib/common/error_private.c \
		libzstd/lib/common/fse_decompress.c \
		libzstd/lib/common/xxhash.c libzstd/lib/common/zstd_common.c \
		libzstd/lib/decompress/*.c
	list xz "-Ixz -Ibusybox/archival/libarchive/unxz $codec" xz/xz_block.c
	lz4="-Ilz4/lib -DLZ4_STATIC_LINKING_ONLY_DISABLE_MEMORY_ALLOCATION"
	lz4="$lz4 -DLZ4_FAST_DEC_LOOP=0 -DLZ4_FREESTANDING=0"
	list lz4 "$lz4 $codec" lz4/lib/lz4.c
} >"$out/list"
# shellcheck disable=SC2016 # $0 is cc, $@ one line of the list
xargs -P "$(nproc)" -L 1 sh -c \
	'cc=$0; o=$1; c=$2; shift 2; exec "$cc" -w "$@" -c -o "$o" "$c"' "$CC" \
	<"$out/list"
rm -f "$out/libdeps.a"
"$AR" rcsD "$out/libdeps.a" "$out"/o/*.o
printf 'bearssl %s, libdeflate %s, libzstd %s, xz of busybox %s, lz4 %s%s\n' \
	"$(cat bearssl.version)" "$(cat libdeflate.version)" \
	"$(cat libzstd.version)" "$(cat busybox.version)" "$(cat lz4.version)" \
	"$([ ! -e "$out/musl.version" ] ||
		echo ", musl $(cat "$out/musl.version")")" >"$out/versions"
