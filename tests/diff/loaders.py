#!/usr/bin/env python3
# SPDX-License-Identifier: 0BSD
"""loaders.py TOOL WORKDIR RAUC-SCRIPT STATES SEED [U-BOOT]: the boot loader
models of tests/sim against the loaders themselves, on STATES random
environments each; see loaders.sh. Prints "loaders: N passed, N failed"."""

import concurrent.futures
import os
import random
import re
import struct
import subprocess
import sys
import zlib

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "e2e"))
from images import ENV_COPIES, ENV_SIZE, MIB, SECTOR, Images, put, run, sparse
from qemu import Failed, Machine

RECOVERY, RESET = -1, -2
TELLS = r"loaders: (slot A|recovery)$"
NOBODY = r"lifeboat boot: the recovery system cannot be started"


class Model:
    """A process of model_tool."""

    def __init__(self, tool):
        self.process = subprocess.Popen(
            [tool], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, loader, copies, names="A", read_only=False, has=255,
            nor=False):
        """The copy in use, what is started, and the copies afterwards."""
        words = [loader, int(nor), len(copies), int(read_only), int(has),
                 names]
        words += [c.hex() for c in copies]
        self.process.stdin.write(
            " ".join(str(w) for w in words).encode() + b"\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        return (int(answer[0]), int(answer[1]),
                [bytes.fromhex(c.decode()) for c in answer[2:]])

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Score:
    def __init__(self):
        self.passed = 0
        self.failed = 0

    def same(self, what, got, want, state):
        if got == want:
            self.passed += 1
            return
        self.failed += 1
        if self.failed <= 10:
            print("FAILED %s:\n  real  %s\n  model %s\n  state %s" % (
                what, got, want, state), flush=True)


# ---- random environments

COUNTS = ["0", "1", "2", "3", "9", "a", "A", "f", "10", "00", "03", "010",
          "0x3", "0X2", "x", "zz", "-1", "5k", "3.5", "ff", "1f", "+1",
          "7fffffffffffffff", "8000000000000000", "ffffffffffffffff",
          "10000000000000000", "10000000000000003", "fffffffffffffff0000"]
ORDERS = ["A", "A", "A B", "B A", "B", "B C", "A A", "C B A", "  A", "B  A",
          "A ", " ", "   ", "a", "AA", "x A x", "A B C D", "B B A B"]
OTHERS = ["serialno=LB-0001", "keep=kept", "a=1", "Z=2", "_=3", "AA=x=y",
          "zz=with blanks and = signs", "BOOT_AB_LEFT=1", "BOOT_=7",
          "bootcount=2", "upgrade_available=1", "LIFEBOAT_TRIES=1:01234567",
          "quote=\"it's\"", "esc=a\\b\\\\c", "dollar=${BOOT_ORDER}",
          "semi=a;b", "no value", "empty=", "x.y-z=1", "#comment=1",
          " blank=1", "\ttab=1", "lb_slot=A"]


def entries(rng, names):
    found = []
    if rng.random() < 0.8:
        found.append("BOOT_ORDER=" + rng.choice(ORDERS + [""]))
    for name in names:
        if rng.random() < 0.85:
            value = rng.choice(COUNTS + [""])
            if rng.random() < 0.4:
                value = rng.choice("01239")
            found.append("BOOT_%s_LEFT=%s" % (name, value))
    if found and rng.random() < 0.1:
        found.append(rng.choice(found).split("=")[0] + "=" +
                     rng.choice(["2", "A", ""]))
    found += rng.sample(OTHERS, rng.randrange(6))
    rng.shuffle(found)
    return found


def data(rng, size, names="AB"):
    """The bytes of one environment; with an anomaly now and then."""
    raw = b"".join(e.encode() + b"\0" for e in entries(rng, names))
    kind = rng.random()
    if kind < 0.04:
        raw = b""
    elif kind < 0.12:
        # Nearly full, so that one digit more or less decides.
        room = size - len(raw) - rng.choice([1, 2, 3, 8, 20, 40])
        raw += rng.choice([b"AAAA=", b"fill="]) + b"x" * (room - 6) + b"\0"
    raw += b"\0"
    if kind > 0.8:
        stale = b"BOOT_ORDER=stale\0BOOT_A_LEFT=8\0"
        raw += stale[:size - len(raw)]
    return raw.ljust(size, b"\0")[:size]


def copy_of(rng, flag, head, raw=None):
    raw = raw or data(rng, ENV_SIZE - head)
    block = struct.pack("<I", zlib.crc32(raw)) + bytes([flag] * (head - 4))
    return block + raw


def damaged(rng, block):
    kind = rng.random()
    if kind < 0.3:
        return bytes(len(block))
    if kind < 0.4:
        return b"\xff" * len(block)
    at = rng.choice([0, 3, 5, 6, len(block) - 1, rng.randrange(5, len(block))])
    return block[:at] + bytes([block[at] ^ 1 << rng.randrange(8)]) + \
        block[at + 1:]


def pair(rng, make=None):
    """Two copies, of make(rng) or of data; valid or not, flags as they come."""
    flags = [rng.choice([0, 1, 2, 127, 128, 254, 255, rng.randrange(256)])
             for _ in "ab"]
    if rng.random() < 0.3:
        flags[1] = (flags[0] + 1) % 256
    copies = [copy_of(rng, f, 5, make and make(rng)) for f in flags]
    if rng.random() < 0.1:
        copies[1] = copies[0]
    for i in (0, 1):
        if rng.random() < 0.2:
            copies[i] = damaged(rng, copies[i])
    return copies


def describe(copies, **more):
    text = ["%s=%s" % m for m in more.items()]
    for c in copies:
        good = struct.unpack_from("<I", c)[0] == zlib.crc32(
            c[5 if len(copies) == 2 else 4:])
        text.append("%s flag %d %r" % (
            "valid" if good else "damaged", c[4],
            re.sub(rb"x{9,}", b"x...x", re.sub(rb"\0{9,}", b"\0...", c[5:]))[:400]))
    return "\n        ".join(text)


# ---- our boot script in the real U-Boot

class Device:
    """The board's machine with images that tell who they are, and then reset
    it: one U-Boot after the other, with the next state on the disk."""

    def __init__(self, images, work, number):
        self.images = images
        self.log = os.path.join(work, "board-%d.log" % number)
        self.layout = images.layout()
        self.disk = images.disk("loaders-%d.img" % number, None,
                                recovery=os.path.join(work, "recovery.fat"))
        self.machine = None
        self.kernel = self.image(work, "slot A")
        self.tables = {"whole": self.table()}
        for part in ("env", "kernel.0"):
            number = list(self.layout).index(part) + 1
            run("sgdisk", "-c", "%d:other" % number, self.disk)
            self.tables["no " + part] = self.table()
            run("sgdisk", "-c", "%d:%s" % (number, part), self.disk)

    @staticmethod
    def image(work, name):
        with open(os.path.join(work, "image.bin"), "rb") as f:
            code = f.read()
        return code[:0x100] + ("\r\nloaders: %s\r\n" % name).encode().ljust(
            0x100, b"\0")

    def table(self):
        with open(self.disk, "rb") as f:
            first = f.read(34 * SECTOR)
            f.seek(-33 * SECTOR, os.SEEK_END)
            return first, f.read()

    def prepare(self, copies, kernel, table):
        first, last = self.tables[table]
        with open(self.disk, "r+b") as f:
            f.write(first)
            f.seek(-33 * SECTOR, os.SEEK_END)
            f.write(last)
            f.seek(self.layout["kernel.0"][0])
            f.write({"whole": self.kernel, "no head": bytes(0x200),
                     "no kernel": b"hello".ljust(0x200, b"!")}[kernel])
            for at, copy in zip(ENV_COPIES, copies):
                f.seek(self.layout["env"][0] + at)
                f.write(copy)

    def copies(self):
        with open(self.disk, "rb") as f:
            found = []
            for at in ENV_COPIES:
                f.seek(self.layout["env"][0] + at)
                found.append(f.read(ENV_SIZE))
            return found

    def boot(self):
        """What tells that it was started."""
        if self.machine:
            self.machine.send(".")
        else:
            self.machine = Machine(self.images.qemu(self.disk),
                                   self.log, 1800)
        try:
            return re.search(TELLS, self.machine.expect(
                TELLS, 30, NOBODY).text)[1]
        except Failed as e:
            self.close()
            return str(e)

    def close(self):
        if self.machine:
            self.machine.close()
            self.machine = None


def full(counter):
    """What counts as three attempts, without room for a counter behind what
    is sorted before it."""
    raw = b"AAAA=" + b"x" * (ENV_SIZE - 5 - 5 - 3 - len(counter)) + b"\0" + \
        counter + b"\0"
    raw = raw.ljust(ENV_SIZE - 5, b"\0")
    return [struct.pack("<IB", zlib.crc32(raw), f) + raw for f in (1, 2)]


# States that boot.cmd once got wrong: an attempt that was not counted.
KNOWN = [(full(b""), "whole", "whole"),
         (full(b"BOOT_ORDER=A\0"), "whole", "whole")]


def board_state(rng):
    return (pair(rng),
            rng.choice(["whole"] * 6 + ["no head", "no kernel"]),
            rng.choice(["whole"] * 12 + ["no env", "no kernel.0"]))


def board(images, work, tool, number, seed, states):
    score = Score()
    device = Device(images, work, number)
    model = Model(tool)
    rng = random.Random(seed)
    for i in range(states):
        copies, kernel, table = (KNOWN + [board_state(rng)])[
            min(i, len(KNOWN))]
        device.prepare(copies, kernel, table)
        started = device.boot()
        seen = copies if table != "no env" else [bytes(ENV_SIZE)] * 2
        _, start, after = model.ask(
            "script", seen, read_only=table == "no env",
            has=kernel == "whole" and table == "whole")
        if table == "no env":
            after = copies
        state = describe(copies, seed=seed, number=i, kernel=kernel,
                         table=table)
        score.same("boot.cmd starts", started,
                   "recovery" if start == RECOVERY else "slot A", state)
        got = device.copies()
        score.same("boot.cmd leaves", describe(got) if got != after else "",
                   describe(after) if got != after else "", state)
    device.close()
    model.close()
    return score


def board_images(images, work):
    """The recovery partition: our script, and an image that tells."""
    for name, content in (
            ("Image", Device.image(work, "recovery")),
            ("initramfs.cpio.gz", b"x" * 64)):
        with open(os.path.join(work, name), "wb") as f:
            f.write(content)
    script = os.path.join(images.source, "boot.cmd")
    run("mkimage", "-A", "arm64", "-T", "script", "-C", "none", "-n", "x",
        "-d", script, os.path.join(work, "boot.scr"))
    fat = os.path.join(work, "recovery.fat")
    sparse(fat, images.layout()["recovery"][1])
    run("mkfs.vfat", fat)
    for name in ("Image", "initramfs.cpio.gz", "boot.scr"):
        run("mcopy", "-i", fat, os.path.join(work, name), "::" + name)


# ---- RAUC's script in the real U-Boot

def rauc_script(path, hexadecimal):
    """contrib/uboot.sh with what this machine cannot do replaced: saving to
    flash (the state is printed at the end of each run instead), the reset
    (which would end the run), NAND and the start itself."""
    with open(path) as f:
        text = f.read()
    for old, new, count in (
            (r"^(\s*)saveenv$", r"\1echo loaders: saved", 2),
            (r"^(\s*)reset$", r"\1echo loaders: reset", 1),
            (r"^run load_kernel$", r"echo loaders: ${bootargs} loads", 1),
            (r"^bootm .*$", "", 1)):
        text, found = re.subn(old, new, text, flags=re.M)
        if found != count:
            raise SystemExit("%s: %s is there %d times" % (path, old, found))
    if "test 0x${BOOT_A_LEFT}" not in text and hexadecimal:
        # As newer versions of RAUC have it.
        text, found = re.subn(r"test \$\{BOOT_([AB])_LEFT\} -gt",
                              r"test 0x${BOOT_\1_LEFT} -gt", text)
        if found != 2:
            raise SystemExit("%s: not the comparison that is known" % path)
    return text


def rauc(images, work, tool, path, hexadecimal, seed, states):
    """One U-Boot runs the script on all of them, one after the other; they
    lie on the disk as environments without a flag."""
    name = "rauc" if hexadecimal else "rauc-1.8"
    base = os.path.join(work, name)
    rng = random.Random(seed)
    score = Score()
    blocks = [copy_of(rng, 0, 4) for _ in range(states)]
    with open(base + ".sh", "w") as f:
        f.write(rauc_script(path, hexadecimal))
    run("mkimage", "-A", "arm64", "-T", "script", "-C", "none", "-n", "x",
        "-d", base + ".sh", base + ".scr")
    first = images.layout()["rootfs.0"][0] // SECTOR
    with open(base + ".cmd", "w") as f:
        f.write("part number nvme 0 recovery lb_part\n"
                "load nvme 0:${lb_part} 48000000 rauc.scr\n")
        for i in range(states):
            f.write("nvme read 50000000 %x 8\n"
                    "env import -d -c 50000000 1000 || echo loaders: none\n"
                    "source 48000000\n"
                    "printenv BOOT_ORDER\nprintenv BOOT_A_LEFT\n"
                    "printenv BOOT_B_LEFT\nprintenv keep\n"
                    "echo loaders: end %d\n" % (first + i * 8, i))
    run("mkimage", "-A", "arm64", "-T", "script", "-C", "none", "-n", "x",
        "-d", base + ".cmd", base + ".boot")
    fat = base + ".fat"
    sparse(fat, images.layout()["recovery"][1])
    run("mkfs.vfat", fat)
    run("mcopy", "-i", fat, base + ".boot", "::boot.scr")
    run("mcopy", "-i", fat, base + ".scr", "::rauc.scr")
    disk = images.disk("loaders-%s.img" % name, None, recovery=fat)
    with open(base + ".states", "wb") as f:
        f.write(b"".join(blocks))
    put(disk, first * SECTOR, base + ".states")
    model = Model(tool)
    with Machine(images.qemu(disk), base + ".log", 600) as m:
        m.expect(r"loaders: end %d$" % (states - 1), 300, r"Resetting CPU")
        text = "\n".join(l.text for l in m.lines)
    parts = re.split(r"loaders: end (\d+)\n?", text)
    for i, block in enumerate(blocks):
        score.same(name + ": in order", parts[2 * i + 1], str(i), "")
        part = parts[2 * i]
        slot = re.search(r"rauc\.slot=(\w) loads", part)
        seen = [slot[1] if slot else "reset" if "loaders: reset" in part
                else "nothing"]
        for var in ("BOOT_ORDER", "BOOT_A_LEFT", "BOOT_B_LEFT", "keep"):
            found = re.findall(r"^%s=(.*)$" % var, part, re.M)
            # What the console shows has lost its blanks at the end.
            seen.append(found[-1] if found else "")
        # Nothing is saved here, so nothing may lack room.
        raw = block[4:].ljust(2 * ENV_SIZE, b"\0")
        _, start, after = model.ask(
            name, [struct.pack("<I", zlib.crc32(raw)) + raw], "A,B")
        want = ["reset" if start == RESET else "AB"[start]]
        values = dict(e.split("=", 1) for e in after[0][4:].decode().split(
            "\0\0")[0].split("\0") if "=" in e)
        for var in ("BOOT_ORDER", "BOOT_A_LEFT", "BOOT_B_LEFT", "keep"):
            want.append(values.get(var, "").rstrip())
        score.same(name, seen, want, describe([block], seed=seed, number=i))
    model.close()
    return score


# ---- a U-Boot that counts boots, and saves its environment, by itself

NATIVE_SIZE = 0x4000
NATIVE_COPIES = (0x10000, 0x14000)
NUMBERS = ["0", "1", "2", "3", "4", "9", "10", "11", "x", "0x3", "03", "-1",
           "1a", "18446744073709551615", "18446744073709551617", ""]


def native_data(rng):
    found = ["bootcmd=echo loaders: slot A", "altbootcmd=echo loaders: recovery"]
    for name, odds, values in (
            ("bootcount", 0.8, NUMBERS), ("bootlimit", 0.9, NUMBERS[:8]),
            ("upgrade_available", 0.9, ["0"] + ["1"] * 6 + NUMBERS),
            ("BOOT_ORDER", 0.5, ORDERS), ("BOOT_A_LEFT", 0.5, COUNTS)):
        if rng.random() < odds:
            found.append(name + "=" + rng.choice(values))
    found += rng.sample([o for o in OTHERS if not o.startswith(
        ("bootcount", "upgrade"))], rng.randrange(6))
    rng.shuffle(found)
    raw = b"".join(e.encode() + b"\0" for e in found)
    if rng.random() < 0.1:
        room = NATIVE_SIZE - 5 - len(raw) - rng.choice([1, 2, 3, 8, 20, 40])
        raw += rng.choice([b"AAAA=", b"fill="]) + b"x" * (room - 6) + b"\0"
    return raw.ljust(NATIVE_SIZE - 5, b"\0")


def native(images, work, tool, uboot, seed, states):
    rng = random.Random(seed)
    score = Score()
    model = Model(tool)
    card = os.path.join(work, "card.img")
    sparse(card, 4 * MIB)
    args = images.spec["qemu"] + [
        "-m", "512", "-accel", "tcg", "-display", "none", "-nodefaults",
        "-serial", "stdio", "-nic", "none", "-bios", uboot,
        "-device", "sdhci-pci", "-device", "sd-card,drive=card",
        "-drive", "if=none,id=card,format=raw,file=" + card]
    machine = None
    for i in range(states):
        copies = pair(rng, native_data)
        with open(card, "r+b") as f:
            for at, copy in zip(NATIVE_COPIES, copies):
                f.seek(at)
                f.write(copy)
        if machine:
            machine.send("reset\n")
        else:
            machine = Machine(args, os.path.join(work, "native.log"), 1800)
        state = describe(copies, seed=seed, number=i)
        try:
            started = re.search(TELLS, machine.expect(TELLS, 30).text)[1]
            machine.expect(r"^=>", 10)
        except Failed as e:
            score.same("U-Boot starts", str(e), "something", state)
            machine.close()
            machine = None
            continue
        _, start, after = model.ask("bootcount", copies)
        score.same("U-Boot starts", started,
                   "recovery" if start == RECOVERY else "slot A", state)
        with open(card, "rb") as f:
            got = []
            for at in NATIVE_COPIES:
                f.seek(at)
                got.append(f.read(NATIVE_SIZE))
        score.same("U-Boot leaves", describe(got) if got != after else "",
                   describe(after) if got != after else "", state)
    machine.close()
    model.close()
    return score


# ---- libubootenv's choice of two copies

def newest(work, tool, seed, states):
    """What fw_printenv reads, of pairs on files: those have counters."""
    rng = random.Random(seed)
    score = Score()
    model = Model(tool)
    image = os.path.join(work, "pair.img")
    config = os.path.join(work, "pair.config")
    with open(config, "w") as f:
        for i in (0, 1):
            f.write("%s %#x %#x\n" % (image, i * ENV_SIZE, ENV_SIZE))
    for i in range(states):
        copies = pair(rng)
        for k in (0, 1):
            good = struct.unpack_from("<I", copies[k])[0] == zlib.crc32(
                copies[k][5:])
            raw = b"which=%d\0" % k
            raw = raw.ljust(ENV_SIZE - 5, b"\0")
            copies[k] = struct.pack("<IB", zlib.crc32(raw) ^ (not good),
                                    copies[k][4]) + raw
        with open(image, "wb") as f:
            f.write(b"".join(copies))
        done = subprocess.run(["fw_printenv", "-c", config, "-n", "which"],
                              stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)
        use, _, _ = model.ask("noop", copies)
        score.same("fw_printenv reads", done.stdout.decode().strip(),
                   str(use) if use >= 0 else "",
                   describe(copies, seed=seed, number=i))
    model.close()
    return score


def main():
    tool, work, script = sys.argv[1:4]
    states, seed = int(sys.argv[4]), int(sys.argv[5])
    images = Images("qemu-arm64")
    board_images(images, work)
    images.flash()
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        jobs = [
            (pool.submit(rauc, images, work, tool, script, False, seed,
                         states), "RAUC 1.8's uboot.sh"),
            (pool.submit(rauc, images, work, tool, script, True, seed + 1,
                         states), "RAUC's uboot.sh, hexadecimal"),
            (pool.submit(board, images, work, tool, 0, seed + 2,
                         (states + 1) // 2), "boot.cmd"),
            (pool.submit(board, images, work, tool, 1, seed + 3,
                         states // 2), "boot.cmd"),
            (pool.submit(newest, work, tool, seed + 4, states),
             "fw_printenv"),
        ]
        if len(sys.argv) > 6:
            jobs.append((pool.submit(native, images, work, tool, sys.argv[6],
                                     seed + 5, states), "U-Boot's bootcount"))
        for job, name in jobs:
            try:
                score = job.result()
            except Failed as e:
                score = Score()
                score.failed = 1
                print("FAILED %s: %s" % (name, e))
            print("%s: %d passed, %d failed" % (
                name, score.passed, score.failed), flush=True)
            passed += score.passed
            failed += score.failed
    print("loaders: %d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
