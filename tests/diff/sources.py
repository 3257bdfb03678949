# SPDX-License-Identifier: 0BSD
"""What sources.sh runs."""

import os
import pty
import shutil
import socket
import struct
import subprocess
import threading
import time
import tty

TOP = os.getcwd()
LIFEBOAT = TOP + "/build/host/lifeboat"
DATA = TOP + "/build/tests/bundles"
WORK = TOP + "/build/test/sources"
BLOCK = 4096
passed = failed = 0


def check(good, text):
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print("FAILED: " + text, flush=True)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)


# ---- a device

ROOTFS = read(DATA + "/rootfs.ext4")
KERNEL = read(DATA + "/kernel.img")


class Device:
    """Two groups; good: the bootnames that have attempts left."""

    def __init__(self, good="AB", names="AB"):
        self.folder = WORK + "/device"
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        conf = "[system]\ncompatible=Test\nbootloader=uboot\n"
        for i, name in enumerate(names):
            write(self.path("rootfs", name), bytes([i + 1]) * (len(ROOTFS) + 4096))
            write(self.path("kernel", name), bytes([i + 1]) * (len(KERNEL) + 4096))
            conf += ("[slot.rootfs.%d]\ndevice=%s\ntype=ext4\nbootname=%s\n"
                     "[slot.kernel.%d]\ndevice=%s\ntype=raw\n"
                     "parent=rootfs.%d\n" % (
                         i, self.path("rootfs", name), name, i,
                         self.path("kernel", name), i))
        write(self.folder + "/system.conf", conf.encode())
        text = "BOOT_ORDER=%s\n" % " ".join(names) + "".join(
            "BOOT_%s_LEFT=%d\n" % (n, 3 if n in good else 0) for n in names)
        write(self.folder + "/env.txt", text.encode())
        subprocess.run(["mkenvimage", "-s", "0x20000", "-o",
                        self.folder + "/env", self.folder + "/env.txt"],
                       check=True)
        write(self.folder + "/fw_env.config",
              b"%s/env 0x0 0x20000\n" % self.folder.encode())
        self.before = self.slots(names)

    def path(self, kind, name):
        return "%s/%s.%s" % (self.folder, kind, name)

    def slots(self, names):
        return [read(self.path(kind, n)) for n in names
                for kind in ("rootfs", "kernel")] + [read(self.folder + "/env")]

    def untouched(self, names="AB"):
        return self.slots(names) == self.before

    def holds(self, name):
        return (read(self.path("rootfs", name)).startswith(ROOTFS) and
                read(self.path("kernel", name)).startswith(KERNEL))

    def given_up(self, name):
        """Nothing there that a loader would start."""
        return (read(self.path("rootfs", name))[:4096] == bytes(4096) and
                read(self.path("kernel", name))[:4096] == bytes(4096) and
                b"BOOT_%s_LEFT=0" % name.encode() in
                read(self.folder + "/env"))

    def install(self, origin, stdin=None, booted="A", more=()):
        return run("install", "--keyring=" + DATA + "/keyring.pem",
                   "--conf=" + self.folder + "/system.conf",
                   "--fw-env-config=" + self.folder + "/fw_env.config",
                   "--override-boot-slot=" + booted, *more, origin,
                   stdin=stdin)


def run(*words, stdin=None):
    p = subprocess.run([LIFEBOAT, *words], input=stdin,
                       stdin=subprocess.DEVNULL if stdin is None else None,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       timeout=120)
    return p.returncode, p.stdout.decode("utf-8", "replace")


def refused(what, got, reason, *texts):
    rc, out = got
    check(rc == 1 and "[%s]" % reason in out and "what to do" in out and
          all(t in out for t in texts), "%s: %s" % (what, out))


def installs(what, device, got, name="B"):
    rc, out = got
    check(rc == 0 and device.holds(name), "%s: %s" % (what, out))


# ---- standard input

def test_pipe():
    bundle, stream = read(DATA + "/good.raucb"), read("good.raucs")
    for name, data in (("bundle", bundle), ("stream", stream)):
        d = Device()
        installs("pipe, " + name, d, d.install("-", data))
    d = Device()
    for what, data, reason in (
            ("nothing", b"", "stream-cut"),
            ("text", b"hello, world\n" * 50, "signature-size-too-large"),
            ("half a bundle", bundle[:len(bundle) // 2],
             "signature-size-too-large"),
            ("magic alone", stream[:8], "stream-cut"),
            ("header alone", stream[:32], "stream-cut"),
            ("signature cut", stream[:200], "stream-cut"),
            ("version 2", stream[:11] + b"\2" + stream[12:], "stream-header"),
            ("signature changed", stream[:200] + bytes([stream[200] ^ 1]) +
             stream[201:], None)):
        rc, out = d.install("-", data)
        check(rc == 1 and (reason is None or "[%s]" % reason in out),
              "pipe, %s: %s" % (what, out))
        check(d.untouched(), "pipe, %s: a slot was touched" % what)

    # after the signature: refused at that block, and nothing is startable
    start = 32 + int.from_bytes(stream[24:32], "big")
    blocks = [stream[i:i + BLOCK] for i in range(start, len(stream), BLOCK)]
    n = len(blocks)
    for what, changed, reason in (
            ("first block changed", [bytes(BLOCK)] + blocks[1:], None),
            ("last block cut", blocks[:-1], "stream-cut"),
            ("half", blocks[:n // 2], "stream-cut"),
            ("two swapped", blocks[:n // 2] + [blocks[n // 2 + 1],
             blocks[n // 2]] + blocks[n // 2 + 2:], "verity-data"),
            ("one dropped", blocks[:n // 2] + blocks[n // 2 + 1:],
             "verity-data"),
            ("one repeated", blocks[:n // 2] + [blocks[n // 2]] +
             blocks[n // 2:], "verity-data"),
            ("last changed", blocks[:-1] + [blocks[-1][:-1] + bytes(
                [blocks[-1][-1] ^ 1])], "verity-data")):
        d = Device()
        rc, out = d.install("-", stream[:start] + b"".join(changed))
        check(rc == 1 and (reason is None or "[%s]" % reason in out),
              "stream, %s: %s" % (what, out))
        check(d.untouched() or d.given_up("B"),
              "stream, %s: half a system can be started" % what)
        check(not d.holds("B"), "stream, %s: installed" % what)
        check(read(d.path("rootfs", "A")) == d.before[0],
              "stream, %s: the other group" % what)
        # and again, whole
        installs("stream, %s, then whole" % what, d, d.install("-", stream))


def test_last_good():
    stream = read("good.raucs")
    d = Device(names="A")
    refused("last good", d.install("-", stream, booted="_external_"),
            "last-good-slot")
    check(d.untouched("A"), "last good: touched")
    installs("last good, asked for", d, d.install(
        "-", stream, booted="_external_", more=["--give-up-last-good"]), "A")
    # a bundle that is read to its end first needs no such word
    d = Device(names="A")
    installs("last good, spooled", d, d.install(
        "-", read(DATA + "/good.raucb"), booted="_external_"), "A")
    # nor does one that is bad already
    d = Device(good="", names="A")
    installs("bad already", d, d.install(
        "-", stream, booted="_external_"), "A")


# ---- a TFTP server that does what it is told

class Server:
    """answer(request, options) gives the packets for one request, each sent
    when the one before was acknowledged."""

    def __init__(self, answer):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.answer = answer
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            data, peer = self.socket.recvfrom(2048)
            words = data[2:].split(b"\0")
            options = dict(zip(words[2::2], words[3::2]))
            self.peer = peer
            talk = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            talk.settimeout(2)
            for packet in self.answer(data[1], options):
                talk.sendto(packet, peer)
                try:
                    talk.recvfrom(2048)
                except OSError:
                    break
            talk.close()

    def url(self, name="x.raucb"):
        return "tftp://127.0.0.1:%d/%s" % (self.port, name)


def error(code, text=b"no"):
    return struct.pack(">HH", 5, code) + text + b"\0"


def test_tftp():
    d = Device()
    for what, packets, reason, text in (
            ("not there", [error(1, b"no such file")], "tftp-file-not-found",
             "no such file"),
            ("not allowed", [error(2, b"\x1b[31mgo away\n")],
             "tftp-access-denied", "go away"),
            ("out of order", [error(0, b"tape is torn")], "tftp-error",
             "tape is torn"),
            ("options refused", [error(8, b"never")], "tftp-option-refused",
             "never"),
            ("options nobody asked for",
             [struct.pack(">H", 6) + b"colour\0red\0"],
             "tftp-option-refused", ""),
            ("far too large", [struct.pack(">H", 6) +
                               b"tsize\x001000000000000000\0",
                               struct.pack(">HH", 3, 1) + bytes(512)],
             "larger-than-memory", "1000000000000000 bytes"),
            ("not what it said", [
                struct.pack(">H", 6) + b"tsize\0999\0",
                struct.pack(">HH", 3, 1) + b"short"], "wrong-size", "")):
        server = Server(lambda request, options: packets)
        got = d.install(server.url())
        refused("tftp, " + what, got, reason, text)
        check("\x1b" not in got[1], what + ": escapes")
    check(d.untouched(), "tftp: a slot was touched")
    closed = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    closed.bind(("127.0.0.1", 0))
    port = closed.getsockname()[1]
    closed.close()
    refused("tftp, nobody", d.install("tftp://127.0.0.1:%d/x" % port),
            "no-server")
    for bad in ("tftp://example.org/x", "tftp://127.0.0.1/", "tftp://1.2.3/x",
                "tftp://127.0.0.1:0/x", "tftp://127.0.0.1:65536/x",
                "tftp://127.0.0.256/x", "tftp://127.0.0.1"):
        refused(bad, d.install(bad), "network-config", bad)
    # a stranger that is gone when it is told so is not the server
    def stranger(request, options):
        other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        other.bind(("127.0.0.2", 0))
        other.sendto(struct.pack(">HH", 3, 1) + b"bad", server.peer)
        other.close()
        time.sleep(0.2)
        yield struct.pack(">HH", 3, 1) + b"good"
    server = Server(stranger)
    rc, out = run("fetch", server.url(), "fetched")
    check(rc == 0 and read("fetched") == b"good", "a stranger: " + out)
    # whatever comes: nothing, too
    rc, out = run("fetch", "-", "empty", stdin=b"")
    check(rc == 0 and read("empty") == b"", "fetch: nothing: " + out)
    write("note", b"note\n")
    full = Server(lambda request, options: [error(3, b"disk full")])
    refused("send, full", run("send", "note", full.url("up")),
            "tftp-disk-full", "disk full")
    kept = Server(lambda request, options: [error(2, b"read only")])
    refused("send, not allowed", run("send", "note", kept.url("up")),
            "tftp-access-denied")
    refused("send elsewhere", run("send", "note", "note2"), "usage")
    refused("fetch into a folder", run("fetch", "-", "./", stdin=b"x"),
            "usage")
    refused("fetch a file", run("fetch", "note", "note2"), "usage")
    check(not os.path.exists("note2"), "note2")
    write("there", b"mine")
    rc, out = run("fetch", "-", "there", stdin=b"theirs")
    check(rc == 1 and read("there") == b"mine", "fetch: overwritten")
    # nor is a link that leads nowhere removed
    os.symlink("nowhere", "link")
    check(run("fetch", "-", "link", stdin=b"x")[0] == 1 and
          os.path.islink("link"), "fetch: over a link")
    # a pipe that does not wait, with nothing in it yet
    r, w = os.pipe()
    os.set_blocking(r, False)
    p = subprocess.Popen([LIFEBOAT, "fetch", "-", "late"], stdin=r,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(r)
    time.sleep(0.3)
    try:
        os.write(w, b"late")
    except BrokenPipeError:
        pass
    os.close(w)
    check(p.wait(20) == 0 and read("late") == b"late", "fetch: a late pipe")


# ---- serial lines

def relay(line, sender):
    """Between the line and a sender that shall not find a terminal, which it
    would set up and flush as it likes."""
    def pump(source, target):
        try:
            data = os.read(source, 4096)
            while data:
                data = data[os.write(target, data):] or os.read(source, 4096)
        except OSError:
            pass
    for source, target in ((line, sender), (sender, line)):
        threading.Thread(target=pump, args=(source, target),
                         daemon=True).start()


def over_line(command, *words):
    """lifeboat with words, "LINE" being the address, and command at the other
    end of the line; (rc, out) of the one, rc of the other."""
    master, slave = pty.openpty()
    tty.setraw(master)
    name = os.ttyname(slave)
    p = subprocess.Popen(
        [LIFEBOAT] + [w.replace("LINE", "serial:" + name) for w in words],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT)
    time.sleep(0.2)
    if isinstance(command, bytes):
        os.write(master, command)
        sender = None
    else:
        ours, theirs = socket.socketpair()
        relay(master, ours.fileno())
        sender = subprocess.Popen(command, stdin=theirs, stdout=theirs,
                                  stderr=subprocess.DEVNULL)
        theirs.close()
    out = p.communicate(timeout=100)[0].decode("utf-8", "replace")
    rc = None
    if sender:
        try:
            rc = sender.wait(15)
        except subprocess.TimeoutExpired:
            sender.kill()
            sender.wait()
        ours.shutdown(socket.SHUT_RDWR)
    else:
        os.close(master)
    os.close(slave)
    return (p.returncode, out), rc


def device_words(d, origin):
    return ("install", "--keyring=" + DATA + "/keyring.pem",
            "--conf=" + d.folder + "/system.conf",
            "--fw-env-config=" + d.folder + "/fw_env.config",
            "--override-boot-slot=A", origin)


def test_serial():
    good, stream = DATA + "/good.raucb", "good.raucs"
    for command, origin in (
            (["sz", good], "LINE"), (["sz", stream], "LINE,115200"),
            (["sb", "-k", good], "LINE"), (["sb", stream], "LINE,ymodem"),
            (["sx", "-k", good], "LINE"), (["sx", "-k", stream], "LINE"),
            (["sx", good], "LINE,xmodem,noflow"),
            (["sb", "-k", stream], "LINE,ymodem-g")):
        d = Device()
        got, rc = over_line(command, *device_words(d, origin))
        what = " ".join(map(os.path.basename, command)) + " to " + origin
        installs(what, d, got)
        check(rc == 0, "%s: the sender says %s" % (what, rc))
    d = Device()
    got, rc = over_line(b"\x18" * 8, *device_words(d, "LINE"))
    refused("cancelled", got, "sender-cancelled")
    check(d.untouched(), "cancelled: touched")
    # what is refused stops the sender
    write("text", b"no bundle at all\n" * 5000)
    got, rc = over_line(["sz", "text"], *device_words(d, "LINE"))
    refused("text", got, "signature-size-too-large")
    check(d.untouched(), "text: touched")
    for bad in ("serial:", "serial:/dev/null", "serial:/no/such/line",
                "serial:/dev/ptmx,fast", "serial:/dev/ptmx,5000000",
                "serial:/dev/ptmx,"):
        refused(bad, d.install(bad), "serial-config")
    # what is no line, a disk by mistake, is not written to
    write("disk", b"A" * 64)
    refused("no line", d.install("serial:./disk"), "serial-config")
    check(read("disk") == b"A" * 64, "no line: written to")


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    os.makedirs(WORK)
    os.chdir(WORK)
    subprocess.run([LIFEBOAT, "stream", DATA + "/good.raucb", "good.raucs"],
                   check=True, stderr=subprocess.DEVNULL)
    for test in (test_pipe, test_last_good, test_tftp, test_serial):
        start = time.monotonic()
        test()
        print("%s: %.1f s" % (test.__name__, time.monotonic() - start),
              flush=True)
    print("sources: %d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    raise SystemExit(main())
