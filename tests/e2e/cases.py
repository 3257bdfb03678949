#!/usr/bin/env python3
# SPDX-License-Identifier: 0BSD
"""cases.py BOARD [CASE...|all]: the end-to-end cases, two at a time, each
printing "name: N passed, N failed". A check that fails ends its case. Without
a name those run that `make test` has time for."""

import concurrent.futures
import configparser
import hashlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import demo
import story
from images import ENV_COPIES, ENV_SIZE, MIB, STATUS, Images, env_block, run
from qemu import Failed, Machine, die_with_parent

AT_ONCE = 2
CASES = {}
# A slot whose content is not to be relied on, in the status file.
PENDING = {"status": "pending", "sha256": None, "size": None,
           "installed.count": "4"}


def case(board, always=True):
    """always: part of `make test`."""
    def add(function):
        CASES[function.__name__] = (function, board, always)
        return function
    return add


class Test:
    """What a case works with: images, machines, and the count of checks."""

    def __init__(self, images, name):
        self.images = images
        self.name = name
        self.passed = 0
        self.runs = 0

    def check(self, good, text):
        if not good:
            raise Failed(text)
        self.passed += 1

    def same(self, got, want, what):
        self.check(got == want, "%s: %r, expected %r" % (what, got, want))

    def disk(self, **kwargs):
        return story.broken_disk(self.images, self.name + ".img", **kwargs)

    def machine(self, disk, limit=150, extra=(), **kwargs):
        self.runs += 1
        return Machine(self.images.qemu(disk, **kwargs) + list(extra),
                       story.log_path(self.images, "%s-%d" % (
                           self.name, self.runs)), limit)

    def expect(self, machine, *args):
        line = machine.expect(*args)
        self.passed += 1
        return line

    def status(self, disk, **slots):
        """What the status file says of the slots: {key: value} of each, None:
        not there. All else on the data partition is as it was."""
        images = self.images
        held = images.data_tree(disk)
        was = images.data_tree(images.data(), disk=False)
        name = "rauc/central.raucs"
        text = held.pop(name, b"").decode()
        self.same(held, {k: v for k, v in was.items() if k != name},
                  "the other files")
        file = configparser.ConfigParser(interpolation=None)
        file.read_string(text)
        for slot, want in slots.items():
            group = file["slot." + slot.replace("_", ".")]
            for key, value in want.items():
                self.same(group.get(key), value, slot + ": " + key)
        old = configparser.ConfigParser(interpolation=None)
        old.read_string(STATUS.decode())
        for group in ("slot.other.0", "system"):
            self.same(dict(file[group]), dict(old[group]), group)
        self.check(text.startswith("# kept by the device\n"), "the comment")

    def installed(self, version, count, **files):
        """The same for slots that were written."""
        slots = {}
        for slot, source in files.items():
            with open(source, "rb") as f:
                content = f.read()
            slots[slot] = {
                "status": "ok", "size": str(len(content)),
                "sha256": hashlib.sha256(content).hexdigest(),
                "bundle.version": version, "installed.count": str(count)}
        return slots

    def good(self, count):
        return self.installed(
            story.GOOD, count, rootfs_0=self.images.rootfs(story.GOOD),
            kernel_0=self.images.slot_kernel)

    def comes_up(self, machine, version):
        """Slot A runs this version, marks itself good, and is shut down."""
        line = self.expect(machine, story.RUNNING, 90)
        self.check(version in line.text, line.text)
        self.expect(machine, story.MARKED, 30, story.NOT_MARKED)
        machine.expect(r"#$", 10)
        machine.send("poweroff -f\n")
        machine.wait(20)


# ---- the boot script alone: no lifeboat, stopped as soon as it has decided

def decides(test, what, pattern, environment, **kwargs):
    disk = test.disk(environment=environment, **kwargs)
    with test.machine(disk, 30) as m:
        line = test.expect(m, r"lifeboat boot: (slot A|recovery)", 20)
        test.check(re.search(pattern, line.text),
                   "%s: %s" % (what, line.text))
        # Stopped by process id: the counter is on the disk by then.
    return test.images.printenv(disk)


@case("qemu-arm64", always=False)
def boot_script(test):
    """Every state of the environment leads to an attempt that is counted, or
    to recovery."""
    attempt = r"slot A, %d attempts left"
    recovery = r"recovery: no slot"
    v = story.variables
    for what, environment, pattern, left in (
            ("three left", v(3), attempt % 2, "2"),
            ("one left", v(1), attempt % 0, "0"),
            ("none left", v(0), recovery, "0"),
            ("hexadecimal, capped at nine", v(0xff), attempt % 8, "8"),
            ("not a number", v(0, BOOT_A_LEFT="zz"), recovery, "zz"),
            ("empty order", v(3, BOOT_ORDER=""), attempt % 2, "2"),
            ("unknown names only", v(3, BOOT_ORDER="B C"), recovery, "3"),
            ("A behind others", v(3, BOOT_ORDER="B A"), attempt % 2, "2"),
            ("nothing set", {"serialno": "LB-0001"}, attempt % 2, "2")):
        env = decides(test, what, pattern, environment)
        test.same(env.get("BOOT_A_LEFT"), left, what)
        test.same(env.get("serialno"), "LB-0001", what + ": other variables")
    env = decides(test, "destroyed", attempt % 2, None)
    test.same(env.get("BOOT_A_LEFT"), "2", "destroyed")


@case("qemu-arm64", always=False)
def boot_script_failures(test):
    """What cannot be started or counted leads to recovery in the same run."""
    images = test.images
    zeros = os.path.join(images.out, "zeros")
    with open(zeros, "wb") as f:
        f.truncate(MIB)
    for what, kernel in (("no head", zeros),
                         ("not a kernel", images.rootfs(story.OLD))):
        disk = test.disk(kernel=kernel)
        with test.machine(disk, 30) as m:
            test.expect(m, r"slot A, 2 attempts left", 20)
            test.expect(m, r"recovery: kernel.0 holds no arm64 kernel", 20,
                        story.ATTEMPT)
        test.same(images.printenv(disk)["BOOT_A_LEFT"], "2", what)

    # Which copy is newer: as libubootenv sees it, wrap-around included.
    one, three = story.variables(1), story.variables(3)
    for copies in (((one, 0), (three, 1)), ((one, 2), (three, 1)),
                   ((one, 255), (three, 0)), ((one, 0), (three, 255)),
                   ((one, 254), (three, 255)), (None, (three, 1)),
                   ((one, 1), None)):
        disk = test.disk()
        images.write_env(disk, copies)
        left = int(images.printenv(disk)["BOOT_A_LEFT"])
        with test.machine(disk, 30) as m:
            test.expect(m, r"slot A, %d attempts left" % (left - 1), 20,
                        r"lifeboat boot: slot A")
        test.same(images.printenv(disk)["BOOT_A_LEFT"], str(left - 1),
                  "newer of two copies")

    # The write fails: an attempt that cannot be counted is not made.
    disk = test.disk(left=3)
    sector = images.layout()["env"][0] // 512
    args = images.qemu(disk)
    where = args.index("if=none,id=disk,format=raw,file=" + disk)
    args[where - 1:where + 1] = [
        "-blockdev", "driver=blkdebug,node-name=disk,image.driver=file,"
        "image.filename=%s,%s" % (disk, ",".join(
            "inject-error.%d.event=none,inject-error.%d.iotype=write,"
            "inject-error.%d.errno=5,inject-error.%d.sector=%d,"
            "inject-error.%d.once=off" % (i, i, i, i, sector + copy // 512, i)
            for i, copy in enumerate(ENV_COPIES)))]
    with Machine(args, story.log_path(images, test.name + "-write"), 30) as m:
        test.expect(m, r"recovery: the environment cannot be written", 20,
                    story.ATTEMPT)


@case("qemu-arm64", always=False)
def environment(test):
    """The host's libubootenv, U-Boot and lifeboat read what the others
    write, and keep what they do not know."""
    images = test.images
    disk = test.disk(rootfs=images.rootfs(story.GOOD))
    images.setenv(disk, "BOOT_A_LEFT", "2")
    images.setenv(disk, "note", "set with fw_setenv")
    with test.machine(disk) as m:
        test.expect(m, r"BOOT_ORDER=A BOOT_A_LEFT=2$", 20)
        test.comes_up(m, story.GOOD)
    env = images.printenv(disk)
    test.same(env.get("BOOT_A_LEFT"), "3", "what lifeboat wrote, fw_printenv")
    test.same(env.get("note"), "set with fw_setenv", "unknown variable")
    with test.machine(disk) as m:
        test.expect(m, r"BOOT_ORDER=A BOOT_A_LEFT=3$", 20)
        m.expect(story.ATTEMPT, 20)
    env = images.printenv(disk)
    test.same(env.get("BOOT_A_LEFT"), "2", "what U-Boot wrote, fw_printenv")
    test.same(env.get("note"), "set with fw_setenv", "unknown variable")
    test.same(env.get("serialno"), "LB-0001", "unknown variable")


# ---- the whole job

@case("qemu-arm64")
def rescue(test):
    """The demo's story, with all its checks."""
    class Steps:
        def head(self, text):
            self.text = text

        def end(self, text, good=True):
            test.check(good, text)
    images = test.images
    demo.rescue(images, story.broken_disk(images, "rescue.img"),
                story.demo_stick(images), Steps(), None)


@case("qemu-arm64")
def kernel_only(test):
    """A bundle that differs in the kernel alone; uname -v shows it."""
    images = test.images
    kernel, text = images.patched_kernel()
    stick = images.stick("kernel-stick.img", [
        ("kernel.raucb", images.bundle("kernel-only.raucb", "1.2.1", {
            "kernel": ("kernel.img", kernel),
            "rootfs": ("rootfs.ext4", images.rootfs(story.GOOD))}))],
        48 * MIB)
    disk = test.disk(left=0, rootfs=images.rootfs(story.GOOD))
    with test.machine(disk) as m:
        m.expect(story.WAITING, 60)
        m.plug(stick)
        test.expect(m, story.INSTALLED, 90)
        test.expect(m, story.RUNNING, 60)
        line = test.expect(m, story.KERNEL, 10)
        test.check(text in line.text, line.text)
    test.check(images.slot_holds(disk, "kernel.0", kernel), "kernel.0")


@case("qemu-arm64")
def serial(test):
    """Without a stick: a bundle in stream order by ZMODEM, over a serial line
    that lifeboat.serial= names."""
    images = test.images
    bundle = images.stream(images.bundle("serial.raucb", story.GOOD, {
        "rootfs": ("rootfs.ext4", images.rootfs(story.GOOD))}))
    modules = images.modules("usbserial", "ftdi_sio")
    overlay = images.overlay("serial.cpio.gz", "".join(
        "/e2e/busybox insmod /e2e/%s\n" % os.path.basename(m)
        for m in modules), [(os.path.basename(m), m) for m in modules])
    recovery = images.recovery(
        "serial.fat", overlay,
        " rdinit=/e2e/init lifeboat.serial=/dev/ttyUSB0,3000000")
    disk = test.disk(left=0, recovery=recovery)
    folder = tempfile.mkdtemp(prefix="lifeboat-")
    path = os.path.join(folder, "line")
    line = socket.socket(socket.AF_UNIX)

    def send():
        return subprocess.Popen(
            ["sz", bundle], stdin=line, stdout=line,
            stderr=subprocess.DEVNULL, preexec_fn=die_with_parent)
    try:
        with test.machine(disk, extra=(
                "-chardev", "socket,id=line,server=on,wait=off,path=" + path,
                "-device", "usb-serial,chardev=line,always-plugged=on")) as m:
            line.connect(path)
            test.expect(m, r"looking at serial:/dev/ttyUSB0,3000000", 90)
            sender = send()
            test.expect(m, story.WRITING, 30)
            test.expect(m, story.INSTALLED, 60)
            test.same(sender.wait(20), 0, "sz")
            test.expect(m, story.RUNNING, 60)
    finally:
        line.close()
        shutil.rmtree(folder)
    test.check(images.slot_holds(disk, "rootfs.0", images.rootfs(story.GOOD)),
               "rootfs.0")


@case("qemu-arm64")
def formats(test):
    """A stick with one bundle of each format: what is encrypted for another
    device is passed over, what is for this one is taken (xz); a second device,
    without a key, takes the plain one (lz4)."""
    images = test.images
    content = {"kernel": ("kernel.img", images.slot_kernel),
               "rootfs": ("rootfs.ext4", images.rootfs(story.GOOD))}
    bundles = [(name + ".raucb", images.bundle(
        "formats-%s.raucb" % name, version, content, squashfs="-comp " + how,
        form=form, to=to and images.pki("crypt-%s.cert.pem" % to)))
        for name, version, how, form, to in (
            ("theirs", "1.4.0", "zstd", "crypt", "rsa"),
            ("ours", "1.3.0", "xz", "crypt", "ec"),
            ("plain", "1.2.9", "lz4", "plain", None),
            ("verity", "1.2.8", "gzip", "verity", None))]
    stick = images.stick("formats-stick.img", bundles, 160 * MIB)
    key = images.device_key("with-key.cpio.gz",
                            images.pki("crypt-ec.key.pem"))
    for taken, refused, initramfs in (
            ("1.3.0", (r"theirs\.raucb.*cannot-decrypt",), key),
            ("1.2.9", (r"theirs\.raucb.*cms-encrypted",
                       r"ours\.raucb.*cms-encrypted"), None)):
        disk = test.disk(left=0, recovery=images.recovery(
            "formats-%s.fat" % taken, initramfs))
        with test.machine(disk) as m:
            m.expect(story.WAITING, 60)
            m.plug(stick)
            for line in refused:
                test.expect(m, line, 60)
            line = test.expect(m, story.INSTALLED, 120)
            test.check(taken in line.text, line.text)
            test.comes_up(m, story.GOOD)
        test.check(images.slot_holds(disk, "kernel.0", images.slot_kernel),
                   "kernel.0")


@case("qemu-arm64")
def stick_pulled(test):
    """Pulled in the middle of the writing, plugged in again: it finishes."""
    disk = test.disk(left=0)
    stick = story.good_stick(test.images)
    with test.machine(disk) as m:
        m.expect(story.WAITING, 60)
        m.plug(stick, bps=6000000)
        test.expect(m, r"writing [1-9]", 60)
        m.unplug()
        test.expect(m, r"medium-removed", 20)
        test.expect(m, story.WAITING, 20)
        m.qmp("stop")
        test.status(disk, rootfs_0=PENDING, kernel_0=PENDING)
        m.qmp("cont")
        m.plug(stick, "again")
        test.expect(m, story.INSTALLED, 90, r"status file:")
        m.qmp("stop")
        test.status(disk, **test.good(5))
        m.qmp("cont")
        test.comes_up(m, story.GOOD)


@case("qemu-arm64", always=False)
def power_cut(test):
    """QEMU is killed in the middle of the writing: recovery finishes it."""
    disk = test.disk(left=0)
    stick = story.good_stick(test.images)
    with test.machine(disk) as m:
        m.expect(story.WAITING, 60)
        m.plug(stick, bps=6000000)
        test.expect(m, story.WRITING, 60)
        time.sleep(0.5)
    env = test.images.printenv(disk)
    test.same(env.get("BOOT_A_LEFT"), "0", "marked bad before the first write")
    test.check(env.get("BOOT_ORDER"), "the order is never empty")
    # As if the environment had been lost as well: no half slot is started.
    test.images.write_env(disk, (None, None))
    with test.machine(disk) as m:
        test.expect(m, story.RECOVERY, 30, r"Starting kernel")
        m.expect(story.WAITING, 60)
        m.plug(stick)
        test.expect(m, story.INSTALLED, 90)
        test.comes_up(m, story.GOOD)


@case("qemu-arm64", always=False)
def status_power_cut(test):
    """Power fails in the middle of the writing: the file says so durably; the
    next rescue ends in ok, and one more writes nothing."""
    images = test.images
    disk = test.disk(left=0)
    stick = story.good_stick(images)
    with test.machine(disk) as m:
        m.expect(story.WAITING, 60)
        m.plug(stick, bps=6000000)
        test.expect(m, r"writing [1-9]", 60)
    test.status(disk, rootfs_0=PENDING, kernel_0=PENDING)
    with test.machine(disk) as m:
        m.expect(story.WAITING, 60)
        m.plug(stick)
        test.expect(m, story.INSTALLED, 90)
        m.qmp("stop")
    test.status(disk, **test.good(5))
    before = images.data_tree(disk)
    # As if the last record had been cut off: found out by reading the slots.
    images.setenv(disk, "BOOT_A_LEFT", "0")
    images.setenv(disk, "LIFEBOAT_TRIES", "")
    for what in ("as it is", "pending"):
        if what == "pending":
            images.data_write(disk, "rauc/central.raucs",
                              before["rauc/central.raucs"].replace(
                                  b"status=ok", b"status=pending", 2))
            images.setenv(disk, "BOOT_A_LEFT", "0")
        with test.machine(disk) as m:
            m.expect(story.WAITING, 60)
            m.plug(stick)
            test.expect(m, story.REARMED, 90, story.INSTALLED)
            m.qmp("stop")
        if what == "pending":
            test.status(disk, **test.good(6))
        else:
            test.same(images.data_tree(disk), before, "nothing to record")


@case("qemu-arm64", always=False)
def status_unreachable(test):
    """No room, no file system, no partition: it is said once, and the rescue
    goes on."""
    images = test.images
    stick = story.good_stick(images)
    zeros = os.path.join(images.out, "zeros-data")
    with open(zeros, "wb") as f:
        f.truncate(images.layout()["data"][1])
    vfat = images.make("data.fat", lambda path: (
        shutil.copy(zeros, path), run("mkfs.vfat", path)))
    for what, data, pattern in (
            ("no file system", zeros, r"\[status-unreachable\]"),
            ("another one", vfat, r"\[status-unreachable\]"),
            ("no partition", None, r"no device is data .status-unreachable"),
            ("full", images.data(full=True), None)):
        disk = test.disk(left=0, data=data)
        if not data:
            run("sgdisk", "-c", "5:gone", disk)
        with test.machine(disk) as m:
            m.expect(story.WAITING, 60)
            m.plug(stick)
            test.expect(m, story.INSTALLED, 90)
            m.qmp("stop")
            said = m.seen(r"status file:")
            test.same(len(said), 1 if pattern else 0, what)
            if pattern:
                test.check(re.search(pattern, said[0].text), said[0].text)
        if what == "full":
            held = images.data_tree(disk)["rauc/central.raucs"]
            test.same(len(held), len(STATUS), "written in its place")
            test.check(held.count(b"status=ok\n") == 3, "ok")


@case("qemu-arm64")
def environment_destroyed(test):
    """Zeros where the environment was: counted from anew, then rescued."""
    disk = test.disk(environment=None)
    with test.machine(disk) as m:
        for _ in range(3):
            test.expect(m, story.PANIC, 60, story.RECOVERY)
        m.expect(story.WAITING, 60)
        m.plug(story.good_stick(test.images))
        test.expect(m, story.INSTALLED, 90)
        test.comes_up(m, story.GOOD)
    test.same(test.images.printenv(disk).get("BOOT_A_LEFT"), "3",
              "environment made anew")


@case("qemu-arm64")
def stick_left_in(test):
    """A bundle that installs but does not boot is tried once more, then
    explained; the stick stays in all the time."""
    images = test.images
    bundle = images.bundle("dead.raucb", "2.0.0", {
        "kernel": ("kernel.img", images.slot_kernel),
        "rootfs": ("rootfs.ext4", images.rootfs("2.0.0", broken=True))})
    stick = images.stick("dead-stick.img", [("dead.raucb", bundle)], 48 * MIB)
    disk = test.disk(left=0)
    with test.machine(disk, 240) as m:
        m.expect(story.WAITING, 60)
        m.plug(stick)
        test.expect(m, story.INSTALLED, 90)
        test.expect(m, story.EXPLAINED, 180)
        m.absent(r"U-Boot \d|" + story.REBOOTING, 10)
        count = len(m.seen(story.INSTALLED)) + len(m.seen(story.REARMED))
        test.check(1 < count <= 3, "%d unattended attempts" % count)


@case("qemu-arm64", always=False)
def no_medium(test):
    """An intact slot whose attempts are used up gets new ones when no medium
    comes."""
    images = test.images
    disk = test.disk(left=0, rootfs=images.rootfs(story.OLD),
                     recovery=images.recovery("short-wait.fat",
                                              words=" lifeboat.wait=3"))
    with test.machine(disk) as m:
        test.expect(m, story.WAITING, 60)
        test.expect(m, story.REARMED, 30)
        test.comes_up(m, story.OLD)


# ---- no medium at all

@case("qemu-arm64")
def tftp(test):
    """The bundle comes from a TFTP server, whose address and file DHCP
    tells; the device is repaired, and boots what came."""
    images = test.images
    bundle = images.bundle("rootfs-only.raucb", story.GOOD, {
        "rootfs": ("rootfs.ext4", images.rootfs(story.GOOD))})
    folder = images.folder("tftp", [("update.raucb", bundle)])
    disk = test.disk(left=0, recovery=images.recovery(
        "tftp.fat", images.initramfs_net, " ip=dhcp"))
    with test.machine(disk, net="tftp=%s,bootfile=update.raucb" %
                      folder) as m:
        test.expect(m, story.START, 60)
        test.expect(m, r"eth0: asking for an address", 30)
        test.expect(m, r"eth0: address 10\.0\.2\.15 by DHCP", 10)
        line = test.expect(m, story.INSTALLED, 90)
        test.check("installed %s to" % story.GOOD in line.text, line.text)
        test.expect(m, story.REBOOTING, 10)
        test.comes_up(m, story.GOOD)
    test.same(images.printenv(disk).get("BOOT_A_LEFT"), "3", "attempts")
    test.check(images.slot_holds(disk, "rootfs.0",
                                 images.rootfs(story.GOOD)), "rootfs.0")


# ---- things that stand still

@case("qemu-arm64")
def process_1_stopped(test):
    """Process 1 is frozen (cgroup): the hardware watchdog resets the
    machine."""
    images = test.images
    overlay = images.overlay("freezer.cpio.gz", """
/e2e/busybox mount -t cgroup2 none /e2e/cgroup
/e2e/busybox mkdir /e2e/cgroup/frozen
(
	/e2e/busybox sleep 8
	echo "=== e2e: process 1 is stopped ==="
	echo 1 >/e2e/cgroup/frozen/cgroup.procs
	echo 1 >/e2e/cgroup/frozen/cgroup.freeze
	/e2e/busybox sleep 1
	/e2e/busybox cat /e2e/cgroup/frozen/cgroup.events
) &
""")
    disk = test.disk(left=0, recovery=images.recovery(
        "freezer.fat", overlay, " rdinit=/e2e/init lifeboat.watchdog=4"))
    with test.machine(disk) as m:
        m.expect(story.WAITING, 60)
        stopped = test.expect(m, r"process 1 is stopped", 30, r"U-Boot \d")
        test.expect(m, r"frozen 1", 10)
        reset = test.expect(m, r"U-Boot \d", 40)
        test.check(reset.when - stopped.when < 20, "late reset")
        test.expect(m, story.START, 60)


def stopped(test, which):
    """One child gets SIGSTOP in the middle of the writing."""
    images = test.images
    overlay = images.overlay("stopper-%s.cpio.gz" % which, """
/e2e/busybox mount -t proc none /e2e/proc
(
	written()
	{
		set -- $(/e2e/busybox cat /sys/block/nvme0n1/stat)
		echo "${7:-0}"
	}
	until [ "$(written 2>/dev/null)" -gt 8192 ] 2>/dev/null; do
		/e2e/busybox usleep 20000
	done
	# The youngest are the source and then the installer.
	set -- $(/e2e/busybox cat /e2e/proc/1/task/1/children)
	while [ $# -gt LEFT ]; do
		shift
	done
	kill -STOP $1
	echo "=== e2e: child $1 is stopped ==="
	/e2e/busybox grep Seccomp: /e2e/proc/$1/status
) &
""".replace("LEFT", {"source": "2", "installer": "1"}[which]))
    disk = test.disk(left=0, recovery=images.recovery(
        "stopper-%s.fat" % which, overlay,
        " rdinit=/e2e/init lifeboat.stall=5"))
    with test.machine(disk) as m:
        m.expect(story.WAITING, 60)
        m.plug(story.good_stick(images), bps=6000000)
        test.expect(m, r"e2e: child \d+ is stopped", 60)
        test.expect(m, r"Seccomp:\s*2", 10)
        test.expect(m, r"timeout", 40)
        test.expect(m, story.INSTALLED, 90)
        test.comes_up(m, story.GOOD)


@case("qemu-arm64")
def child_stopped(test):
    """The installer stands still in the middle of the writing: it is noticed,
    and the job is done all the same."""
    stopped(test, "installer")


@case("qemu-arm64", always=False)
def source_stopped(test):
    """The same with the process that reads the stick."""
    stopped(test, "source")


# ---- x86-64: the same job, the recovery kernel started directly

@case("qemu-x86_64")
def direct(test):
    """Recovery is started by QEMU; the disk is looked at from outside."""
    images = test.images
    kernel = images.slot_kernel
    disk = story.broken_disk(images, test.name + ".img", left=0, recovery=None)
    with test.machine(disk) as m:
        test.expect(m, story.START, 60)
        test.expect(m, story.STATE, 5)
        test.expect(m, story.WAITING, 10)
        m.plug(story.demo_stick(images))
        line = test.expect(m, story.INSTALLED, 120)
        test.check("installed %s to" % story.GOOD in line.text, line.text)
        test.expect(m, story.REBOOTING, 10)
        m.qmp("stop")
    env = images.printenv(disk)
    test.same(env.get("BOOT_ORDER", "").split(" ")[0], "A", "BOOT_ORDER")
    test.same(env.get("BOOT_A_LEFT"), "3", "BOOT_A_LEFT")
    test.same(env.get("serialno"), "LB-0001", "unknown variable")
    test.check(images.slot_holds(disk, "kernel.0", kernel), "kernel.0")
    test.check(images.slot_holds(disk, "rootfs.0",
                                 images.rootfs(story.GOOD)), "rootfs.0")


@case("qemu-x86_64")
def environment_made(test):
    """Nobody repairs the environment before lifeboat sees it: zeros, and
    slots that hold nothing."""
    images = test.images
    disk = story.broken_disk(images, test.name + ".img", environment=None,
                             kernel=None, rootfs=None, recovery=None)
    with test.machine(disk) as m:
        test.expect(m, story.START, 60)
        m.expect(story.WAITING, 10)
        m.plug(story.good_stick(images))
        test.expect(m, story.INSTALLED, 90)
        test.expect(m, story.REBOOTING, 10)
        m.qmp("stop")
    env = images.printenv(disk)
    for name, value in (("BOOT_ORDER", "A"), ("BOOT_A_LEFT", "3")):
        test.same(env.get(name), value, "environment made anew: " + name)
    test.check(images.slot_holds(disk, "kernel.0", images.slot_kernel),
               "kernel.0")


@case("qemu-x86_64", always=False)
def environment_nor(test):
    """The environment in NOR flash, through /dev/mtd0: the data partition is
    the flash, the recovery partition gets what it holds after every step."""
    images = test.images
    block = 0x10000
    snap = 2 * block
    steps = (
        ("nothing", "", (1, 0), "3"),
        ("status", "lifeboat status", (1, 0), "3"),
        ("mark-bad", "lifeboat status mark-bad rootfs.0", (0, 1), "0"),
        ("mark-bad again", "lifeboat status mark-bad rootfs.0", (0, 1), "0"),
        ("mark-active", "lifeboat status mark-active rootfs.0", (1, 0), "3"),
        ("mark-good", "lifeboat status mark-good rootfs.0", (1, 0), "3"),
        ("fw_setenv", "fw_setenv BOOT_A_LEFT 2", (0, 1), "2"),
        ("mark-good again", "lifeboat status mark-good rootfs.0", (1, 0), "3"),
        ("the end", "lifeboat status mark-bad rootfs.0", (0, 1), "0"))
    modules = images.modules("mtd", "nandsim", "block2mtd")
    nor = images.nor_module()
    overlay = images.overlay("nor.cpio.gz", """
PATH=/e2e
for name in cat cp dd insmod ln mkdir mount printf rmmod sed sync umount; do
	/e2e/busybox ln -s busybox /e2e/$name
done
ln -s fw_printenv /e2e/fw_setenv
ln -s /init /e2e/lifeboat.bin
mkdir /lib64 /var /run/lock
ln -s /e2e/ld-linux-x86-64.so.2 /lib64
ln -s /run /var/run
ln -s /run/lock /var/lock
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
export LD_LIBRARY_PATH=/e2e
say() { echo "=== e2e: $*" >/dev/console; }
lifeboat()
{
	lifeboat.bin "$@" --override-boot-slot=_external_ \
		--fw-env-config=/etc/flash.config 2>&1
}
config() { printf "$1 0x0 0x1000\n$1 $2 0x1000\n" >/etc/flash.config; }
refused()
{
	config $1 $2
	say "$3: $(lifeboat status mark-bad rootfs.0)"
}
flash()
{
	insmod $1
	echo /dev/nvme0n1p5,65536 >/sys/module/block2mtd/parameters/block2mtd
	say "mtd0 is $(cat /sys/class/mtd/mtd0/type)"
}
while read -r name; do
	insmod /lib/modules/$name
done </lib/modules/order
for i in 1 2 3 4 5 6 7 8 9; do
	[ -e /dev/nvme0n1p5 ] || /e2e/busybox sleep 1
done
for name in MODULES; do
	case $name in
	nandsim.ko)
		insmod /e2e/$name
		say "mtd0 is $(cat /sys/class/mtd/mtd0/type)"
		refused /dev/mtd0 0x10000 nand
		rmmod nandsim ;;
	block2mtd.ko) ;;
	*) insmod /e2e/$name ;;
	esac
done
flash /e2e/block2mtd.ko
config /dev/mtd0 0x10000
say "ram: $(lifeboat status --output-format=shell | sed -n '/BOOT_PRIMARY/p')"
rmmod block2mtd
flash /e2e/nor.ko
refused /dev/mtd0 0x1000 shared
refused /dev/mtd0ro 0x10000 readonly
config /dev/mtd0 0x10000
n=0
step()
{
	"$@" >/dev/console 2>&1
	code=$?
	dd if=/dev/mtd0 of=/dev/nvme0n1p1 bs=65536 count=2 seek=$((n * 2)) \
		conv=notrunc 2>/dev/null
	say "step $n: $code $(fw_printenv -c /etc/flash.config -n BOOT_A_LEFT)"
	n=$((n + 1))
}
fw_set() { fw_setenv -c /etc/flash.config "$@"; }
STEPS
sync
cp /etc/flash.config /etc/fw_env.config
umount /sys
umount /proc
umount /dev
""".replace("MODULES", " ".join(os.path.basename(m) for m in modules)).replace(
        "STEPS", "\n".join("step " + (
            command.replace("fw_setenv", "fw_set") or "true")
            for _, command, _, _ in steps)),
        [(os.path.basename(m), m) for m in modules] +
        [("nor.ko", nor)] + images.fw_tools())
    disk = story.broken_disk(images, test.name + ".img", recovery=None)
    at = images.layout()["data"][0]
    first = images.layout()["recovery"][0]
    with open(disk, "r+b") as f:
        f.seek(at)
        for copy, flag in ((0, 1), (1, 0)):
            env = env_block(story.variables(3, note="a = b"), flag)
            f.write(env.ljust(block // 2, b"\xff") +
                    (b"neighbour %d" % copy).ljust(block // 2, b"\xff"))
    args = images.qemu(disk, words=" rdinit=/e2e/init", initramfs=overlay)
    with Machine(args, story.log_path(images, test.name), 200) as m:
        def says(pattern):
            return test.expect(m, "=== e2e: " + pattern, 90,
                               "=== e2e: (?!" + pattern + ")")
        says(r"mtd0 is nand")
        says(r"nand: .*is no file, block device or NOR flash")
        says(r"mtd0 is ram")
        says(r"ram: .*A")
        says(r"mtd0 is nor")
        says(r"shared: .*one erase block")
        says(r"readonly: .*boot environment: /dev/mtd0ro")
        for i, (what, _, _, left) in enumerate(steps):
            line = says(r"step %d" % i)
            test.check(line.text.endswith(": 0 " + left),
                       what + ": " + line.text)
        # And the whole job, by process 1.
        test.expect(m, r"boot state: .*BOOT_A_LEFT=0: ", 60)
        test.expect(m, story.WAITING, 10)
        m.plug(story.good_stick(images))
        test.expect(m, story.INSTALLED, 120)
        test.expect(m, story.REBOOTING, 10)
        m.qmp("stop")
    with open(disk, "rb") as f:
        f.seek(first)
        held = [f.read(snap) for _ in steps]
        f.seek(at)
        held.append(f.read(snap))

    def printenv(flash):
        view = os.path.join(images.out, "nor.view")
        with open(view, "wb") as f:
            f.write(flash)
        with open(view + ".fw_env.config", "w") as f:
            for copy in (0, block):
                f.write("%s %#x %#x\n" % (view, copy, ENV_SIZE))
        return images.printenv(view)

    before = held[0]
    for i, (what, _, flags, left) in enumerate(steps):
        now = held[i]
        copies = [now[c * block:c * block + ENV_SIZE] for c in (0, 1)]
        test.same(tuple(c[4] for c in copies), flags, what + ": flags")
        # the rest of each erase block
        if what != "fw_setenv":
            for c in (0, 1):
                rest = slice(c * block + ENV_SIZE, (c + 1) * block)
                test.check(now[rest] == before[rest], what + ": neighbours")
        # the copy that was newer has lost its flag and nothing else
        old = 1 - flags.index(1)
        was = before[old * block:old * block + ENV_SIZE]
        if now != before:
            test.check(copies[old] == was[:4] + b"\0" + was[5:],
                       what + ": more than the flag of the copy before")
        else:
            test.check(i in (0, 1, 3, 5), what + ": nothing was written")
        test.same(printenv(now), story.variables(int(left), note="a = b"),
                  what)
        before = now
    env = printenv(held[-1])
    test.check(env.pop("LIFEBOAT_TRIES"), "tries")
    test.same(env, story.variables(3, note="a = b"), "install")
    test.same(sorted((held[-1][4], held[-1][block + 4])), [0, 1], "flags")


def run_case(images, name):
    """(name, checks passed, seconds, why it failed or None)."""
    test = Test(images, name)
    begin = time.monotonic()
    why = None
    try:
        CASES[name][0](test)
    except Failed as e:
        why = str(e)
    except (Exception, SystemExit) as e:
        why = "%s: %s" % (type(e).__name__, e)
    return name, test.passed, time.monotonic() - begin, why


def main():
    board = sys.argv[1]
    images = Images(board)
    names = sys.argv[2:]
    if not names or names == ["all"]:
        names = [n for n, (_, b, always) in CASES.items()
                 if b == board and (always or names)]
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for done in concurrent.futures.as_completed(
                [pool.submit(run_case, images, n) for n in names]):
            name, passed, seconds, why = done.result()
            if why:
                bad += 1
                print("%s: %s" % (name, why))
            print("%s: %d passed, %d failed (%.0f s)" % (
                name, passed, 1 if why else 0, seconds), flush=True)
    print("end to end on %s: %d passed, %d failed" % (
        board, len(names) - bad, bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
