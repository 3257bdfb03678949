#!/usr/bin/env python3
# SPDX-License-Identifier: 0BSD
"""Cuts the power of the arm64 board while it is rescued, in QEMU.

    powercut.py [NAME=NUMBER...]      the campaign, see LIMITS
    powercut.py sample                the part of it that `make test` does
    powercut.py state SCENE STATE     one state of writelog.py is booted again

A killed QEMU loses nothing that the guest has written, so that alone is no
power cut. Therefore one whole rescue is recorded, write by write. The disk is
built as a cut after each entry of the record would have left it, with what was
not flushed yet missing, torn or overtaken; the oracle of the simulation judges
it (judge.c), and it is booted: with the stick still in, the new system has to
come up by itself. Beside it the live machine is killed at random moments.
"""

import concurrent.futures
import contextlib
import hashlib
import itertools
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
import story
import writelog
from images import ENV_COPIES, ENV_SIZE, MIB, TOP, Images, put, run
from qemu import Failed, Machine

LIMITS = {
    "seed": 1,
    "prefixes": 1 << 16,  # booted of each scene, spread evenly
    "others": 110,        # states with something lost: booted of the first
    "destroyed": 20,      # of each kind, of the second; -1: without that
    "samples": 1000,      # random subsets judged, of each scene
    "losses": 1 << 16,    # single losses judged, of each scene
    "kills": 50,
    "series": 3,          # disks on which QEMU is killed several times
}
SAMPLE = {"prefixes": 1, "others": 2, "destroyed": -1, "samples": 150,
          "losses": 150, "kills": 0, "series": 0}
AT_ONCE = 2
LIMIT = 240  # seconds, for one boot on a busy host
ROOTFS = 4 * MIB
RETRIES, CUTS = 2, 6  # src/slot/policy.c
ASKED = "|".join((story.EXPLAINED, r"press i", story.NOT_MARKED,
                  r"recovery system cannot be started"))
KEEP = b"a file of the device\n" * 1000
STATUS = "rauc/central.raucs"
INSTALLING = r"installing \S+ from"
READING_BACK = r"reading back"


class Report:
    """Counts by kind; says what is wrong, and now and then how far it is."""

    def __init__(self):
        self.lock = threading.Lock()
        self.kinds = {}
        self.passed = 0
        self.failed = 0
        self.told = time.monotonic()

    def count(self, kind, number=1):
        with self.lock:
            self.kinds[kind] = self.kinds.get(kind, 0) + number

    def good(self, kind, number=1):
        self.count(kind, number)
        with self.lock:
            self.passed += number

    def wrong(self, kind, what, how=None):
        with self.lock:
            self.failed += 1
            self.kinds[kind] = self.kinds.get(kind, 0) + 1
            print("powercut: %s: %s" % (kind, what), flush=True)
            if how:
                print("powercut: to see it again: " + how, flush=True)

    def progress(self, text, seconds=20):
        with self.lock:
            now = time.monotonic()
            if now - self.told >= seconds:
                self.told = now
                print("powercut: " + text, flush=True)


class Judge:
    """judge.c for one scene; for several threads."""

    def __init__(self, scene):
        table = scene.table
        env, size = table["env"]
        areas = ["env.%d:env:%d:%d" % (i, env + copy, ENV_SIZE)
                 for i, copy in enumerate(ENV_COPIES)]
        for part, kind, image in (("kernel.0", "kernel", scene.kernel),
                                  ("rootfs.0", "ext4", scene.rootfs)):
            with open(image, "rb") as f:
                digest = hashlib.sha256(f.read()).hexdigest()
            areas.append("%s:%s:%d:%d:%s:%s" % (
                (part, kind) + table[part] + (image, digest)))
        areas.append("data:own:%d:%d" % table["data"])
        with scene.data(scene.base) as part, open(scene.status, "wb") as f:
            f.write(scene.reads(part, STATUS))
        self.lock = threading.Lock()
        self.process = subprocess.Popen(
            [scene.tool, scene.base, scene.log_file, scene.status,
             str(ENV_SIZE)] + areas,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, line):
        """(hash, verdict)"""
        with self.lock:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        if not answer:
            raise Failed("the judge ended over: " + line[:200])
        return tuple(answer.rstrip("\n").split(" ", 2)[1:])

    def state(self, log, state):
        return self.ask("log %s %s" % (state, " ".join(
            "%d:%d:%d" % piece for piece in log.pieces(state))))

    def disk(self, path, status, what):
        return self.ask("%s x %s %s" % (what, path, status))[1]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Scene:
    """A device with a system that no longer boots, and a stick in it."""

    def __init__(self, images, name, tool):
        self.images = images
        self.name = name
        self.tool = tool
        self.kernel = images.slot_kernel
        self.rootfs = images.rootfs(story.GOOD, ROOTFS)
        self.stick = images.stick("powercut-stick.img", [
            ("update.raucb", images.bundle("powercut.raucb", story.GOOD, {
                "kernel": ("kernel.img", self.kernel),
                "rootfs": ("rootfs.ext4", self.rootfs)}))], 40 * MIB)
        self.table = images.layout(2 * ROOTFS)
        self.base = os.path.join(images.out, "powercut-%s.base" % name)
        self.log_file = os.path.join(images.out, "powercut-%s.writes" % name)
        self.status = os.path.join(images.out, "powercut-%s.status" % name)
        self.log = None
        self.judge = None

    def fresh(self):
        """The old kernel is a whole one, but knows no disk; the old root is
        damaged. Both differ from the new ones everywhere."""
        disk = story.broken_disk(
            self.images, "powercut-%s.img" % self.name, left=0,
            kernel=self.images.recovery_kernel,
            rootfs=self.images.rootfs(story.OLD, ROOTFS, broken=True),
            rootfs_size=2 * ROOTFS)
        if self.name == "destroyed":
            self.images.write_env(disk, (None, None))
        with self.data(disk) as part:
            with open(part + ".keep", "wb") as f:
                f.write(KEEP)
            run("debugfs", "-w", "-R", "write %s.keep keep" % part, part)
            os.unlink(part + ".keep")
            put(disk, self.table["data"][0], part)
        return disk

    @contextlib.contextmanager
    def data(self, disk):
        """A copy of the disk's data partition."""
        offset, size = self.table["data"]
        part = disk + ".data"
        with open(disk, "rb") as f, open(part, "wb") as g:
            f.seek(offset)
            g.write(f.read(size))
        try:
            yield part
        finally:
            os.unlink(part)

    def judge_disk(self, disk, what):
        """What the judge says to the disk and to the status file on it, which
        is read as the kernel would find it: after the journal. what: cut, up
        or done (judge.c)."""
        with self.data(disk) as part:
            fsck = subprocess.run(["e2fsck", "-fy", part],
                                  stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT)
            if fsck.returncode > 1:
                return "wrong: the data partition: e2fsck %d: %s" % (
                    fsck.returncode, fsck.stdout.decode())
            if self.reads(part, "keep") != KEEP:
                return "wrong: a file on the data partition is lost"
            status = part + ".status"
            with open(status, "wb") as f:
                f.write(self.reads(part, STATUS))
            verdict = self.judge.disk(disk, status, what)
            os.unlink(status)
            return verdict

    @staticmethod
    def reads(part, path):
        return subprocess.run(["debugfs", "-R", "cat " + path, part],
                              stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL).stdout

    def arguments(self, disk, log, stick):
        args = self.images.qemu(disk)
        if log:
            where = args.index("if=none,id=disk,format=raw,file=" + disk)
            args[where - 1:where + 1] = [
                "-blockdev", "driver=file,node-name=base,filename=" + disk,
                "-blockdev", "driver=file,node-name=log,filename=" + log,
                "-blockdev", "driver=blklogwrites,node-name=disk,file=base,"
                "log=log,log-sector-size=512,log-super-update-interval=1"]
        return args if not stick else args + [
            "-drive", "if=none,id=stick,format=raw,readonly=on,"
            "file.locking=off,file=" + self.stick,
            "-device", "usb-storage,drive=stick,removable=on"]

    def machine(self, disk, name, log=None, stick=True):
        return Machine(self.arguments(disk, log, stick), story.log_path(
            self.images, "powercut-%s-%s" % (self.name, name)), LIMIT)

    def comes_up(self, machine):
        """Until the new system says that it is marked good; seconds that it
        took, as an idle host would show them."""
        line = machine.expect(story.RUNNING, LIMIT, ASKED)
        if story.GOOD not in line.text:
            raise Failed("the wrong version: " + line.text)
        line = machine.expect(story.MARKED, LIMIT, ASKED)
        return line.when - line.waited

    def record(self):
        """Records one rescue; seconds it took."""
        disk = self.fresh()
        writelog.copy(disk, self.base)
        with open(self.log_file, "wb"):
            pass
        with self.machine(disk, "record", self.log_file) as m:
            took = self.comes_up(m)
            self.pace(m)
        self.load()
        again = disk + ".again"
        writelog.copy(self.base, again)
        self.log.apply(again, writelog.prefix(len(self.log)))
        if not writelog.same(disk, again):
            raise Failed("the record does not lead to the disk")
        os.unlink(again)
        return took

    def pace(self, machine):
        """Seconds of the whole rescue, and of its writing."""
        first, last = (machine.seen(p)[0].when for p in (
            INSTALLING, story.REBOOTING))
        self.whole, self.writing = machine.now(), last - first

    def written(self):
        return writelog.Log(self.log_file, os.path.getsize(self.base))

    def load(self):
        self.log = self.written()
        self.judge = Judge(self)

    def finish(self, disk, name):
        """Boots the disk until the new system is up; seconds it took."""
        with self.machine(disk, name) as m:
            took = self.comes_up(m)
            rescued = m.seen(story.INSTALLED + "|" + story.REARMED)
        # A cut between the environment and the last record leaves "pending":
        # the new system starts with that, and nobody rescues anything more.
        verdict = self.judge_disk(disk, "done" if rescued else "up")
        if verdict != "new":
            raise Failed("it came up, but: " + verdict)
        return took

    def boot(self, state):
        disk = os.path.join(self.images.out, "powercut-%s-%d.img" % (
            self.name, threading.get_ident()))
        try:
            writelog.copy(self.base, disk)
            self.log.apply(disk, state)
            verdict = self.judge_disk(disk, "cut")
            if verdict.startswith("wrong"):
                raise Failed(verdict)
            return self.finish(disk, re.sub(r"\W", "_", str(state))[:99])
        finally:
            os.unlink(disk)

    def again(self, state):
        return "tests/e2e/powercut.sh state %s %s" % (self.name, state)

    def writes_to(self, part):
        offset, size = self.table[part]
        return [i for i, e in enumerate(self.log.entries)
                if e.length and offset <= e.offset < offset + size]

    def bodies(self, part):
        return [i for i in self.writes_to(part)
                if self.log.entries[i].offset > self.table[part][0]]

    def activation(self):
        """The write that makes the new system the next one."""
        last = max(self.writes_to("kernel.0") + self.writes_to("rootfs.0"))
        return min(i for i in self.writes_to("env") if i > last)


def spread(items, count):
    if len(items) <= count:
        return items
    return [items[(2 * i + 1) * len(items) // (2 * count)]
            for i in range(count)]


def judge_states(scene, limits, report):
    """All states judged; those to boot: ([prefixes], [others])."""
    rng = random.Random(limits["seed"])
    log = scene.log
    losses = list(dict.fromkeys(log.losses(limits["seed"])))
    if len(losses) > limits["losses"]:
        losses = rng.sample(losses, limits["losses"])
    seen = set()
    distinct = {}
    for kind, states in (
            ("prefix", log.prefixes()), ("loss", losses),
            ("sample", log.samples(limits["seed"], limits["samples"]))):
        distinct[kind] = []
        for state in states:
            digest, verdict = scene.judge.state(log, state)
            if verdict.startswith("wrong"):
                report.wrong("bricks", "%s %s: %s" % (
                    scene.name, state, verdict), scene.again(state))
            else:
                report.good("%s: judged: %s" % (scene.name, kind))
                report.count("%s: boots next: %s" % (scene.name, verdict))
            if digest not in seen:
                seen.add(digest)
                distinct[kind].append(state)
            report.progress("%s: %d states judged" % (
                scene.name, sum(map(len, distinct.values()))))
        report.count("%s: distinct: %s" % (scene.name, kind),
                     len(distinct[kind]))
    others = []
    for kind in ("loss", "sample"):
        rng.shuffle(distinct[kind])
    for pair in itertools.zip_longest(distinct["loss"], distinct["sample"]):
        others += [state for state in pair if state]
    return distinct["prefix"], others


def wrong_installers(scene, limits, report):
    """The record as deliberately wrong installers would have left it: each
    has to be caught."""
    count = range(len(scene.log))
    active = scene.activation()
    marked = [i for i in scene.writes_to("env") if i < active][-1]
    heads = []
    for part in ("kernel.0", "rootfs.0"):
        at = [i for i in scene.writes_to(part)
              if scene.log.entries[i].offset == scene.table[part][0]]
        heads += at[len(at) // 2:]  # the first half makes them zero
    body = scene.bodies("kernel.0")[0]


    def caught(what, good):
        if good:
            report.good("wrong installers caught")
        else:
            report.wrong("wrong installers missed", what)

    for what, order in (
            ("no flush", None),
            ("environment first", [*range(marked), active] + [
                i for i in count if i >= marked and i != active]),
            ("heads first", [*range(body)] + heads + [
                i for i in count if i >= body and i not in heads])):
        log = scene.written()
        if order:
            log.reorder(order)
            states = log.prefixes()
        else:
            log.follow(flushes=False)
            states = log.samples(limits["seed"], 100)
        caught(what, any([scene.judge.state(log, s)[1].startswith("wrong")
                          for s in states]))
    # Bytes of the kernel's body where they do not belong, at the end of all.
    source = scene.log.entries[body]
    whole = " ".join("%d:%d:%d" % p for p in scene.log.pieces(
        writelog.prefix(len(count))))
    for part, offset in (("recovery", MIB), ("env", 2 * ENV_SIZE),
                         ("kernel.0", 8 * MIB), ("rootfs.0", MIB),
                         ("kernel.0", os.path.getsize(scene.kernel) + MIB)):
        offset += scene.table[part][0]
        caught("a write to %s, byte %d" % (part, offset), scene.judge.ask(
            "log x %s %d:512:%d" % (whole, offset, source.at))[1].startswith(
                "wrong"))


def without_stick(scene, report):
    """That a boot ends in the new system proves something only if it does not
    without a stick."""
    body = scene.bodies("kernel.0")
    disk = os.path.join(scene.images.out, "powercut-no-stick.img")
    writelog.copy(scene.base, disk)
    scene.log.apply(disk, writelog.prefix(body[len(body) // 2]))
    try:
        with scene.machine(disk, "no-stick", stick=False) as m:
            m.expect(r"slots: incomplete", LIMIT, story.RUNNING)
            m.expect(story.WAITING, LIMIT, story.RUNNING)
        report.good("without a stick: waits")
    except Failed as e:
        report.wrong("unfinished", "without a stick: %s" % e)
    os.unlink(disk)


def boot_states(scene, states, kind, report, pool):
    took = []

    def one(state):
        try:
            took.append(scene.boot(state))
            report.good("%s: booted: %s" % (scene.name, kind))
        except (Failed, OSError, writelog.Malformed) as e:
            report.wrong("unfinished", "%s %s: %s" % (scene.name, state, e),
                         scene.again(state))
        report.progress("%s: %d of %d states booted (%s), %.1f s each on an "
                        "idle host" % (scene.name, len(took), len(states),
                                       kind, sum(took) / max(1, len(took))))
    return [pool.submit(one, s) for s in states]


def kill_at(scene, disk, name, moment, rng):
    """Kills QEMU at a moment: a line of the console and a share of the seconds
    that may follow it."""
    line, seconds = moment
    with scene.machine(disk, name) as m:
        if line:
            m.expect(line + "|" + story.RUNNING, LIMIT)
        end = time.monotonic() + rng.random() * seconds
        while time.monotonic() < end and not m.closed:
            time.sleep(0.005)
        os.kill(m.process.pid, signal.SIGKILL)
        m.process.wait()


def killed(scene, number, kills, moments, limits, report, kind):
    """One disk on which QEMU is killed so many times, then not any more."""
    rng = random.Random(limits["seed"] * 1000 + number)
    disk = os.path.join(scene.images.out, "powercut-kill-%d.img" % number)
    try:
        writelog.copy(scene.base, disk)
        for i in range(kills):
            kill_at(scene, disk, "kill-%d-%d" % (number, i),
                    moments[(number + i) % len(moments)], rng)
            verdict = scene.judge_disk(disk, "cut")
            if verdict.startswith("wrong"):
                raise Failed(verdict)
            writelog.copy(disk, disk + ".cut")
        took = scene.finish(disk, "kill-%d-end" % number)
        report.good(kind)
        report.count("SIGKILLs", kills)
        os.unlink(disk + ".cut")
    except (Failed, OSError) as e:
        report.wrong("bricks" if str(e).startswith("wrong") else "unfinished",
                     "killed %d: %s" % (number, e),
                     "the disk after the last kill is %s.cut" % disk)
        return
    os.unlink(disk)
    report.progress("killed %d x, then up in %.1f s" % (kills, took))


def explained(scene, limits, report):
    """What is cut short for ever is not installed for ever."""
    disk = os.path.join(scene.images.out, "powercut-bound.img")
    name = "cut short %d times, then explained" % (RETRIES + CUTS)
    rng = random.Random(limits["seed"])
    try:
        writelog.copy(scene.base, disk)
        for i in range(RETRIES + CUTS):
            kill_at(scene, disk, "bound-%d" % i, (READING_BACK, 0.2), rng)
        with scene.machine(disk, "bound-end") as m:
            m.expect(r"cut short too often", LIMIT, INSTALLING)
        report.good(name)
        report.count("SIGKILLs", RETRIES + CUTS)
    except Failed as e:
        report.wrong("unfinished", "%s: %s" % (name, e))
    os.unlink(disk)


def kill_all(scene, limits, report, pool):
    jobs = []
    whole, writing = scene.whole, scene.writing
    for number in range(limits["kills"]):
        jobs.append(pool.submit(
            killed, scene, number, 1, [(None, whole), (INSTALLING, writing)],
            limits, report, "killed once, then up"))
    if limits["series"]:
        jobs.append(pool.submit(explained, scene, limits, report))
    # One try is left for the last of them.
    bound = RETRIES + CUTS - 1
    for number in range(limits["series"]):
        kills = max(2, bound - 2 * number)
        jobs.append(pool.submit(
            killed, scene, 1000 + number, kills,
            [(INSTALLING, writing), (READING_BACK, 0.5), (None, whole)],
            limits, report, "killed %d times in a row, then up" % kills))
    return jobs


def build_judge(images):
    tool = os.path.join(images.out, "judge")
    sim = [os.path.join(TOP, "tests", "sim", n)
           for n in ("oracle.c", "bootmodel.c")]
    run("gcc", "-std=c11", "-D_GNU_SOURCE", "-O2", "-I" +
        os.path.join(TOP, "tests"), "-o", tool,
        os.path.join(TOP, "tests", "e2e", "judge.c"), *sim)
    return tool


def campaign(images, limits):
    report = Report()
    begin = time.monotonic()
    tool = build_judge(images)
    scenes = [Scene(images, "upgrade", tool)]
    if limits["destroyed"] >= 0:
        scenes.append(Scene(images, "destroyed", tool))
    images.flash()
    report.progress("images are ready", 0)
    run(sys.executable, os.path.join(TOP, "tests", "e2e", "writelog.py"),
        "selftest")
    report.good("self-tests of writelog.py")

    def finished(jobs):
        for job in concurrent.futures.as_completed(jobs):
            job.result()

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for scene, took in zip(scenes, pool.map(Scene.record, scenes)):
            report.progress("%s: %d entries recorded in %.1f s" % (
                scene.name, len(scene.log), took), 0)
            report.good("records that lead to the disk")
        judged = list(pool.map(
            lambda s: judge_states(s, limits, report), scenes))
        for scene, (prefixes, others), count in zip(scenes, judged, (
                (limits["prefixes"], limits["others"]),
                (limits["destroyed"], limits["destroyed"]))):
            wrong_installers(scene, limits, report)
            report.progress("%s: %d prefixes and %d others are distinct" % (
                scene.name, len(prefixes), len(others)), 0)
            finished(boot_states(scene, spread(prefixes, count[0]), "prefix",
                                 report, pool) +
                     boot_states(scene, others[:count[1]], "other", report,
                                 pool))
        if limits["kills"] or limits["series"]:
            without_stick(scenes[0], report)
            finished(kill_all(scenes[0], limits, report, pool))
    for scene in scenes:
        scene.judge.close()
    for kind in ("bricks", "unfinished"):
        report.count(kind, 0)
    print("powercut: totals (%d s)" % (time.monotonic() - begin))
    for kind in sorted(report.kinds):
        print("  %-60s %6d" % (kind, report.kinds[kind]))
    print("powercut: %d passed, %d failed" % (report.passed, report.failed))
    return 1 if report.failed else 0


def main():
    images = Images("qemu-arm64")
    words = sys.argv[1:]
    if words[:1] == ["state"] and len(words) == 3:
        scene = Scene(images, words[1], build_judge(images))
        scene.load()
        try:
            state = writelog.State.parse(words[2])
        except writelog.Malformed as e:
            print("powercut.py: %s" % e, file=sys.stderr)
            return 2
        print("judged: " + scene.judge.state(scene.log, state)[1], flush=True)
        try:
            print("up after %.1f s" % scene.boot(state))
        except Failed as e:
            print(e)
            return 1
        return 0
    limits = dict(LIMITS)
    if words[:1] == ["sample"]:
        limits.update(SAMPLE)
        words = words[1:]
    for word in words:
        name, _, number = word.partition("=")
        if name not in LIMITS or not re.fullmatch(r"-?\d+", number):
            print(__doc__, file=sys.stderr)
            return 2
        limits[name] = int(number)
    return campaign(images, limits)


if __name__ == "__main__":
    sys.exit(main())
