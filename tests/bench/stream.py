#!/usr/bin/env python3
# SPDX-License-Identifier: 0BSD
"""stream.py [MIB [COMPRESSION]]: peak resident memory of all lifeboat processes together
while a bundle in stream order (2048 MiB, squashfs blocks of 128 KiB) is
installed from a pipe and from a TFTP server, and one of 16 MiB over a serial
line; the command of this machine, its children included. Fails above 2 MiB,
and where the image is not what stands in the slot.

Read is Rss of /proc/PID/smaps_rollup, 20 times a second: what several
processes share counts for each."""

import glob
import os
import pty
import random
import re
import shutil
import subprocess
import sys
import time
import tty

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
LIFEBOAT = os.path.join(TOP, "build", "host", "lifeboat")
WORK = os.path.join(TOP, "build", "test", "stream-memory")
KEYS = os.path.join(TOP, "build", "pki")
LIMIT_KIB = 2048
MIB = 1 << 20


def run(*args):
    subprocess.run(args, check=True, stdout=subprocess.DEVNULL)


def bundle(name, size, how):
    """One image of size bytes, of which one in 64 can be compressed."""
    tree = name + ".d"
    shutil.rmtree(tree, ignore_errors=True)
    os.makedirs(tree)
    dice = random.Random(size)
    with open(tree + "/rootfs.img", "wb") as f:
        for _ in range(size // 65536):
            f.write(dice.randbytes(64512) + bytes(1024))
    with open(tree + "/manifest.raucm", "w") as f:
        f.write("[update]\ncompatible=stream\nversion=1\n\n[bundle]\n"
                "format=verity\n\n[image.rootfs]\nfilename=rootfs.img\n")
    for path in (name + ".raucb", name + ".raucs"):
        if os.path.exists(path):
            os.unlink(path)
    run("rauc", "--cert", KEYS + "/signer.pem", "--key", KEYS + "/signer.key",
        "--keyring", KEYS + "/keyring.pem", "bundle",
        "--mksquashfs-args=-comp %s -b 128k" % how,
        tree, name + ".raucb")
    run(LIFEBOAT, "stream", name + ".raucb", name + ".raucs")
    os.unlink(name + ".raucb")
    return name + ".raucs", tree + "/rootfs.img"


def device(size):
    for slot in ("a", "b"):
        with open("slot." + slot, "wb") as f:
            f.truncate(size)
    with open("system.conf", "w") as f:
        f.write("[system]\ncompatible=stream\nbootloader=noop\n" + "".join(
            "[slot.rootfs.%d]\ndevice=%s/slot.%s\ntype=raw\nbootname=%s\n" % (
                i, WORK, s, s.upper()) for i, s in enumerate("ab")))


def processes(first):
    """first and all that it has started."""
    found = [first]
    for pid in found:
        try:
            with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
                found += map(int, f.read().split())
        except OSError:
            pass
    return found


def resident(pid):
    try:
        with open("/proc/%d/smaps_rollup" % pid) as f:
            return int(re.search(r"^Rss: +(\d+)", f.read(), re.M)[1])
    except (OSError, TypeError):
        return 0


def install(origin, stdin=None, sender=None):
    """Peak in KiB; each process's part of it."""
    p = subprocess.Popen([
        LIFEBOAT, "install", "--conf=system.conf",
        "--keyring=" + KEYS + "/keyring.pem", "--override-boot-slot=A",
        origin], stdin=stdin, stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL)
    helper = sender() if sender else None
    most, parts = 0, []
    while p.poll() is None:
        now = [resident(pid) for pid in processes(p.pid)]
        if sum(now) > most:
            most, parts = sum(now), now
        time.sleep(0.05)
    if helper:
        helper.kill()
        helper.wait()
    return p.returncode, most, parts


def server(port):
    """atftpd, which knows windows, serves this folder."""
    cache = os.path.join(TOP, "build", "cache", "tftp")
    for name in ("atftpd", "libwrap0"):
        if not os.path.exists(os.path.join(cache, name)):
            run(os.path.join(TOP, "src", "deps.sh"), "unpack", name,
                os.path.join(cache, name))
    libraries = glob.glob(cache + "/libwrap0/lib/*") + glob.glob(
        cache + "/libwrap0/usr/lib/*")
    return subprocess.Popen([
        cache + "/atftpd/usr/sbin/atftpd", "--daemon", "--no-fork", "--user",
        "root.root", "--port", str(port), "--bind-address", "127.0.0.1",
        "--logfile", "atftpd.log", WORK],
        env=dict(os.environ, LD_LIBRARY_PATH=":".join(libraries)))


def main():
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 2048
    how = sys.argv[2] if len(sys.argv) > 2 else "zstd -Xcompression-level 1"
    passed = failed = 0
    os.makedirs(WORK, exist_ok=True)
    os.chdir(WORK)
    run("make", "-C", TOP, "QUIET=1", "host")
    large, image = bundle("large", size * MIB, how)
    small, small_image = bundle("small", 16 * MIB, how)
    device(size * MIB + MIB)
    master, slave = pty.openpty()
    tty.setraw(master)

    def cat():
        return subprocess.Popen(["cat", large], stdout=write)

    def pipe():
        nonlocal write
        read, write = os.pipe()
        try:
            return install("-", stdin=read, sender=lambda: (
                cat(), os.close(write))[0])
        finally:
            os.close(read)

    def tftp():
        daemon = server(16969)
        time.sleep(1)
        try:
            return install("tftp://127.0.0.1:16969/" + large)
        finally:
            daemon.terminate()
            daemon.wait()

    def serial():
        def send():
            time.sleep(1)
            return subprocess.Popen(["sz", small], stdin=master,
                                    stdout=master, stderr=subprocess.DEVNULL)
        return install("serial:" + os.ttyname(slave), sender=send)

    write = -1
    for name, how, source in (("pipe", pipe, image), ("tftp", tftp, image),
                              ("serial", serial, small_image)):
        with open("slot.b", "r+b") as f:
            f.write(bytes(8192))
        start = time.monotonic()
        rc, peak, parts = how()
        same = rc == 0 and subprocess.run([
            "cmp", "-s", "-n", str(os.path.getsize(source)), source,
            "slot.b"]).returncode == 0
        good = same and peak <= LIMIT_KIB
        passed += good
        failed += not good
        print("stream: %s, %.0f MiB: rss %d KiB (%s), %.0f s%s" % (
            name, os.path.getsize(source) / MIB, peak,
            " + ".join(map(str, parts)), time.monotonic() - start,
            "" if same else ", NOT INSTALLED (%s)" % rc), flush=True)
    print("stream: %d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
