#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# seeds_bundle.sh: makes (with mksquashfs, openssl and python3) the seeds of the
# targets bundle, codec, envelope, manifest, plain, squashfs and verity anew,
# below tests/fuzz/corpus.
set -eu
cd "$(dirname "$0")/corpus"
mkdir -p bundle codec envelope manifest plain squashfs verity
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# A file of whole blocks, a hole, a tail; one in a fragment; a link; a folder.
mkdir -p "$tmp/tree/sub"
{
	yes abc | head -c 5000
	head -c 8192 /dev/zero
	yes xyz | head -c 6000
} >"$tmp/tree/a.img"
echo hello >"$tmp/tree/b.ext4"
echo deep >"$tmp/tree/sub/c"
ln -s a.img "$tmp/tree/link"
mkfifo "$tmp/tree/sub/fifo"
for comp in gzip zstd xz lz4; do
	for option in -no-exports "-noI -noD -noF" -no-fragments; do
		# shellcheck disable=SC2086 # one word or several
		mksquashfs "$tmp/tree" "$tmp/image" -noappend -no-progress \
			-quiet -b 4K -comp $comp $option -nopad -all-root \
			-no-xattrs -mkfs-time 0 -all-time 0 -processors 1 \
			>/dev/null
		mv "$tmp/image" "squashfs/$comp$(echo "$option" | tr -d ' ')"
	done
done

hex=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
cat >manifest/all <<EOT
# every key
[update]
compatible=Test Board
version=1.2.3-rc.1+x
description=a\\sb
build=1.2.4
min-rauc-version=1.14

[bundle]
format=verity
verity-hash=$hex
verity-salt=$hex
verity-size=4096

[handler]
filename=handler
args=-x

[hooks]
filename=hook
hooks=install-check;

[image.rootfs]
sha256=$hex
size=17
filename=a.img
type=raw
hooks=pre-install;post-install
adaptive=block-hash-index

[image.app.v1.x]
sha256=$hex
size=18
filename=a.squashfs-xz.caibx
version=1

[meta.label]
key=value

[rollout]
key=value
EOT
printf '[update]\ncompatible=x\n[bundle]\nformat=plain\n' >manifest/plain
printf '[update]\ncompatible=x\n[bundle]\nformat=crypt\n%s\n' \
	"crypt-key=$hex" >manifest/crypt

# A bundle for the target's own cms_verify: payload, tree, manifest, size.
payload()
{
	head -c 8192 /dev/zero
}
zeros=0000000000000000000000000000000000000000000000000000000000000000
unhex()
{
	python3 -c 'import sys
sys.stdout.buffer.write(bytes.fromhex(sys.argv[1]))' "$1"
}
digest()
{
	{ unhex $zeros; cat "$1"; } | sha256sum | cut -d ' ' -f 1
}
bundle()
{
	blocks=$(($(wc -c <"$tmp/payload") / 4096))
	: >"$tmp/leaves"
	i=0
	while [ $i -lt $blocks ]; do
		dd if="$tmp/payload" bs=4096 skip=$i count=1 2>/dev/null \
			>"$tmp/block"
		unhex "$(digest "$tmp/block")" >>"$tmp/leaves"
		i=$((i + 1))
	done
	truncate -s 4096 "$tmp/leaves"
	{
		printf '[update]\ncompatible=x\n[bundle]\nformat=verity\n'
		printf 'verity-hash=%s\n' "$(digest "$tmp/leaves")"
		printf 'verity-salt=%s\nverity-size=4096\n' $zeros
		printf '[image.a]\nfilename=a.img\nsha256=%s\nsize=%s\n' \
			$zeros "$2"
		printf '[image.b]\nfilename=b.ext4\nsha256=%s\nsize=6\n' \
			$zeros
	} >"$tmp/manifest"
	{
		cat "$tmp/payload" "$tmp/leaves" "$tmp/manifest"
		unhex "$(printf %016x "$(wc -c <"$tmp/manifest")")"
	} >"bundle/$1"
}
for comp in gzip zstd xz lz4; do
	cp "squashfs/$comp-no-exports" "$tmp/payload"
	truncate -s %4096 "$tmp/payload"
	[ "$(wc -c <"$tmp/payload")" -gt 4096 ] ||
		truncate -s 8192 "$tmp/payload"
	bundle $comp 19192
done
payload >"$tmp/payload"
bundle zeros 1
# The same as the two other formats.
for comp in gzip xz; do
	mkdir -p "$tmp/plain"
	printf '[update]\ncompatible=x\n[image.a]\nfilename=a.img\n%s' \
		"sha256=$zeros
size=19192
" >"$tmp/plain/manifest.raucm"
	cp "$tmp/tree/a.img" "$tmp/plain"
	rm -f "$tmp/payload"
	mksquashfs "$tmp/plain" "$tmp/payload" -noappend -no-progress -quiet \
		-b 4K -comp $comp -all-root -no-xattrs -mkfs-time 0 \
		-all-time 0 -processors 1 -nopad >/dev/null
	{
		cat "$tmp/payload"
		unhex 500000000000000001
	} >bundle/plain-$comp
done

python3 -c 'import sys, zlib
sys.stdout.buffer.write(b"\0\xff\xff" + zlib.compress(b"abc\n" * 700))' >codec/gzip
unhex 01ffff28b52ffda0001000000380000078 >codec/zstd
python3 -c 'import lzma, sys
data = bytes(range(256)) * 5 + b"\xe8\0\0\0\0" * 50 + b"abc\n" * 300
f = [{"id": int(sys.argv[1], 0)}] if sys.argv[1] != "0" else []
f.append({"id": lzma.FILTER_LZMA2, "dict_size": 65536})
sys.stdout.buffer.write(b"\2\xff\xff" + lzma.compress(
    data, check=lzma.CHECK_CRC32, filters=f))' 0 >codec/xz
for filter in 4 5 6 7 8 9; do
	python3 -c 'import lzma, sys
data = bytes(range(256)) * 5 + b"\xe8\0\0\0\0" * 50 + b"\xeb\1\0\0" * 99
f = [{"id": int(sys.argv[1])},
     {"id": lzma.FILTER_LZMA2, "dict_size": 65536}]
sys.stdout.buffer.write(b"\2\xff\xff" + lzma.compress(
    data, check=lzma.CHECK_CRC32, filters=f))' $filter >codec/xz-bcj-$filter
done
unhex 03ffff5f6162636465050002306767670000 >codec/lz4

unhex 00050000050000 >plain/small
unhex e20a00000a0000ffff000a000100000300 >plain/changed

openssl req -x509 -newkey rsa:2048 -nodes -keyout "$tmp/rsa.key" \
	-out "$tmp/rsa.pem" -subj /CN=x -days 1 2>/dev/null
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	-keyout "$tmp/ec.key" -out "$tmp/ec.pem" -subj /CN=x -days 1 2>/dev/null
# envelope NAME KIND OPENSSL-ARGS...
envelope()
{
	name=$1
	kind=$2
	shift 2
	{
		unhex "$kind"
		echo secret | openssl cms -encrypt -binary -outform DER "$@"
	} >"envelope/$name"
}
envelope rsa 00 -aes-256-cbc -recip "$tmp/rsa.pem"
envelope keyid 00 -aes-128-cbc -keyid -recip "$tmp/rsa.pem"
envelope oaep 00 -aes-256-cbc -recip "$tmp/rsa.pem" \
	-keyopt rsa_padding_mode:oaep
envelope oaep256 00 -aes-256-cbc -recip "$tmp/rsa.pem" \
	-keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256
envelope ec 01 -aes-256-cbc -recip "$tmp/ec.pem"
envelope ec512 01 -aes-256-cbc -keyid -recip "$tmp/ec.pem" \
	-keyopt ecdh_kdf_md:sha512
envelope both 01 -aes-256-cbc -recip "$tmp/rsa.pem" -recip "$tmp/ec.pem"
envelope gcm 00 -aes-256-gcm -recip "$tmp/rsa.pem"
for key in rsa ec; do
	{ unhex 03; tail -c +12 "$tmp/$key.pem"; } >"envelope/$key-cert"
done
# Nobody's keys: well-formed, and numbers that are no key's.
python3 -c 'import base64, sys
def tlv(tag, *parts):
    body = b"".join(parts)
    n = len(body)
    head = bytes([n]) if n < 128 else bytes([0x82, n >> 8, n & 255])
    return bytes([tag]) + head + body
def number(size):
    return tlv(2, b"\x7f" * size)
def put(name, label, der):
    text = base64.encodebytes(der).decode()
    label += "-----\n"
    with open("envelope/" + name, "w") as f:
        f.write("\2" + label + text + "-----END " + label)
rsa = tlv(0x30, tlv(2, b"\0"), number(256), number(3), number(256),
          *[number(128)] * 5)
p256 = tlv(6, bytes.fromhex("2a8648ce3d030107"))
ec = tlv(0x30, tlv(2, b"\1"), tlv(4, b"x" * 32))
sec1 = tlv(0x30, tlv(2, b"\1"), tlv(4, b"x" * 32), tlv(0xa0, p256))
kind = [tlv(0x30, tlv(6, bytes.fromhex("2a864886f70d010101")), b"\5\0"),
        tlv(0x30, tlv(6, bytes.fromhex("2a8648ce3d0201")), p256)]
put("rsa-pkcs1", "RSA PRIVATE KEY", rsa)
put("ec-sec1", "EC PRIVATE KEY", sec1)
put("rsa-pkcs8", "PRIVATE KEY",
    tlv(0x30, tlv(2, b"\0"), kind[0], tlv(4, rsa)))
put("ec-pkcs8", "PRIVATE KEY", tlv(0x30, tlv(2, b"\0"), kind[1], tlv(4, ec)))'
