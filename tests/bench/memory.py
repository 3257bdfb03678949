#!/usr/bin/env python3
# SPDX-License-Identifier: 0BSD
"""memory.py: peak resident memory of all lifeboat processes together, read
inside QEMU (arm64) while a 16 MiB and a 1 GiB bundle are installed, and 16 MiB
in each format and compression.

An observer (busybox, beside lifeboat in the initramfs of this test only) reads
smaps_rollup and status of every lifeboat process, again and again. Told are,
each at its highest:
    rss   sum of Rss: what several processes share counts for each
    pss   sum of Pss: what they share counts once, so what the machine needs
    hwm   sum of VmHWM: each process at its own peak; the kernel counts it in
          steps of up to 256 KiB
and, of the line with the highest rss, each process: rss, of it anonymous, pss.
The bound is for rss, the strictest that is exact.
"""

import os
import random
import re
import shutil
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))), "e2e"))
import story  # noqa: E402
from images import MIB, Images, run, sparse  # noqa: E402
from qemu import Failed, Machine  # noqa: E402

LIMIT_KIB = 2048  # with squashfs blocks of 128 KiB
NOISE_KIB = 64    # "the same": page tables and read-ahead differ a little

OBSERVER = r"""
/e2e/busybox mount -t proc none /e2e/proc
/e2e/busybox sh -c '
look()
{
	for p in /e2e/proc/[0-9]*; do
		read -r name <$p/comm || continue
		[ "$name" = init ] || continue
		echo "Process: ${p##*/}"
		/e2e/busybox cat $p/status $p/smaps_rollup
	done 2>/dev/null
}
while :; do
	look | /e2e/busybox awk "
		/^Process:/ { n++; pid[n] = \$2 }
		/^VmHWM:/ { hwm += \$2 }
		/^Rss:/ { rss += \$2; r[n] = \$2 }
		/^Pss:/ { pss += \$2; p[n] = \$2 }
		/^Anonymous:/ { a[n] = \$2 }
		END {
			printf \"=== e2e: memory rss %d pss %d hwm %d:\",
				rss, pss, hwm
			for (i = 1; i <= n; i++)
				printf \" %d/%d/%d/%d\", pid[i], r[i], a[i], p[i]
			print \" ===\"
		}"
	/e2e/busybox sleep 1
done' &
"""


def data_image(images, size):
    """An ext4 of that size, full of files that compress by one part in 64: so
    a block needs nearly as much room compressed as it does unpacked."""
    def recipe(path):
        tree = path + ".d"
        shutil.rmtree(tree, ignore_errors=True)
        os.makedirs(tree)
        dice = random.Random(size)
        for i in range(size * 15 // 16 // (4 * MIB)):
            with open("%s/%04d" % (tree, i), "wb") as f:
                for _ in range(64):
                    f.write(dice.randbytes(64512) + bytes(1024))
        sparse(path, size)
        run("mke2fs", "-q", "-F", "-t", "ext4", "-m", "0", "-O",
            "^has_journal", "-d", tree, path)
        shutil.rmtree(tree)
    return images.make("data-%d.ext4" % (size // MIB), recipe,
                       [os.path.abspath(__file__)], size)


def measure(images, name, size, squashfs=None, empty=False, form="verity"):
    """Peak in KiB of one install. empty: into slots that hold nothing, which
    saves the passes that compare and check; they use the same buffers."""
    image = data_image(images, size)
    bundle = images.bundle(name + ".raucb", "1.0.0", {
        "kernel": ("kernel.img", images.slot_kernel),
        "rootfs": ("rootfs.ext4", image)}, squashfs=squashfs, form=form,
        to=images.pki("crypt-ec.cert.pem") if form == "crypt" else None)
    length = os.path.getsize(bundle)
    stick = images.stick(name + "-stick.img", [("bench.raucb", bundle)],
                         length // MIB * MIB + 64 * MIB)
    recovery = images.recovery("observer.fat", images.overlay(
        "observer.cpio.gz", OBSERVER, key=images.pki("crypt-ec.key.pem")),
        " rdinit=/e2e/init")
    slots = {"kernel": None, "rootfs": None} if empty else {}
    disk = story.broken_disk(images, name + ".img", left=0, recovery=recovery,
                             rootfs_size=size + 64 * MIB, **slots)
    with Machine(images.qemu(disk), story.log_path(images, name), 2400) as m:
        m.expect(story.WAITING, 60)
        m.plug(stick)
        m.expect(story.INSTALLED, 2300)
        told = m.seen(r"e2e: memory rss")
        if not told:
            raise Failed("nothing was measured:\n" + m.tail())
    seen = [list(map(int, re.findall(r"(?:rss|pss|hwm) (\d+)", l.text)))
            for l in told]
    rss, pss, hwm = map(max, zip(*seen))
    most = told[[s[0] for s in seen].index(rss)].text
    os.unlink(disk)
    print("memory: %s, bundle %.1f MiB: rss %d KiB, pss %d KiB, hwm %d KiB" % (
        name, length / MIB, rss, pss, hwm))
    print("    pid/rss/anonymous/pss:" + most.split(":")[-1].rstrip(" ="),
          flush=True)
    return rss


def main():
    images = Images("qemu-arm64")
    failed = checks = 0
    try:
        small = measure(images, "memory-16MiB", 16 * MIB)
        large = measure(images, "memory-1GiB", 1104 * MIB, empty=True)
        blocks = measure(images, "memory-16MiB-1MiB-blocks", 16 * MIB,
                         "-b 1M")
        others = {form + "-" + how: measure(
            images, "memory-16MiB-%s-%s" % (form, how), 16 * MIB,
            "-comp " + how, form=form)
            for form, how in (("verity", "gzip"), ("verity", "xz"),
                              ("verity", "lz4"), ("plain", "zstd"),
                              ("crypt", "zstd"))}
        for good, text in (
                (abs(large - small) <= NOISE_KIB, "grows with the bundle"),
                (large <= LIMIT_KIB, "more than %d KiB" % LIMIT_KIB),
                (blocks <= LIMIT_KIB + 2048, "1 MiB blocks: over the bound"),
                *((rss <= LIMIT_KIB, name + ": more than %d KiB" % LIMIT_KIB)
                  for name, rss in others.items())):
            checks += 1
            if not good:
                failed += 1
                print("memory: " + text)
    except Failed as e:
        failed += 1
        checks += 1
        print("memory: %s" % e)
    print("memory: %d passed, %d failed" % (checks - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
