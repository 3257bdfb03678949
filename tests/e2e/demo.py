#!/usr/bin/env python3
# SPDX-License-Identifier: 0BSD
"""A device that no longer boots comes back from a USB stick, in QEMU.

Prints what happens as it happens, then a table of the steps. Ends with 0 only
if the new system itself said on its console that it runs the new version, and
the boot loader's environment, read from outside, agrees.
"""

import re
import sys
import textwrap
import time

sys.dont_write_bytecode = True
import story
from images import Images
from qemu import Failed, Machine

SHOWN = re.compile("|".join((
    story.RECOVERY, story.PANIC, r"lifeboat", r"=== ", r"No working init",
    r"Linux version", r"error -\d+", r"U-Boot \d")))
WIDTH = 100


class Steps:
    def __init__(self, begin):
        self.done = []
        self.begin = begin
        self.last = begin

    def head(self, text):
        print("\n== %d. %s" % (len(self.done) + 1, text), flush=True)

    def end(self, text, good=True):
        now = time.time()
        self.done.append((text, now - self.last, good))
        self.last = now

    def table(self):
        print("\n%-66s %8s  %s" % ("step", "time", "result"))
        for number, (text, seconds, good) in enumerate(self.done, 1):
            print("%d. %-63s %6.1f s  %s" % (
                number, text, seconds, "pass" if good else "FAIL"))
        good = bool(self.done) and all(s[2] for s in self.done)
        print("%-66s %6.1f s  %s" % (
            "", time.time() - self.begin, "pass" if good else "FAIL"))
        return good


def show(line):
    """One console line, if a person would want to see it."""
    if SHOWN.search(line.text):
        print("  %7.2f  %s" % (line.when, "\n             ".join(
            textwrap.wrap(line.text, WIDTH))), flush=True)


def note(machine, text):
    print("  %7.2f  >> %s" % (machine.now(), text), flush=True)


def rescue(images, disk, stick, steps, on_line=show):
    """The story from power on to power off; on_line None: nothing is shown."""
    with Machine(images.qemu(disk), story.log_path(images, "demo"), 180,
                 on_line) as m:
        steps.head("slot A is broken: the boot script counts down")
        for left in (2, 1, 0):
            line = m.expect(story.ATTEMPT, 30, story.RECOVERY)
            if int(re.search(story.ATTEMPT, line.text).group(1)) != left:
                raise Failed("not counted down: " + line.text)
            m.expect(story.PANIC, 60)
        m.expect(story.RECOVERY, 30, story.ATTEMPT)
        steps.end("slot A starts and panics, three attempts are counted down")

        steps.head("recovery says what it is, why it runs, what it waits for")
        first = m.expect(story.START, 60)
        state = m.expect(story.STATE, 5)
        if "BOOT_A_LEFT=0" not in state.text:
            raise Failed("the counters are not told: " + state.text)
        waiting = m.expect(story.WAITING, 10)
        took = waiting.since(first)
        if took > 1:
            raise Failed("took %.1f s" % took)
        steps.end("recovery says what, why, and what it waits for (%.2f s)" % (
            took))

        steps.head("somebody plugs a USB stick in")
        if on_line:
            note(m, "a USB stick is plugged in")
        m.plug(stick)
        before = m.position
        done = m.expect(story.INSTALLED, 120)
        heard = m.lines[before:m.position]
        for name, why in (
                ("._lifeboat-%s.raucb" % story.GOOD, None),
                ("lifeboat-%s.raucb" % story.OLDER, None),
                ("lifeboat-%s.raucb" % story.FLIPPED, "verity-data"),
                ("other-device-%s.raucb" % story.FOREIGN, "compatible"),
                ("lifeboat-%s.raucb" % story.GOOD, None)):
            told = [l.text for l in heard if re.search(
                r"(^|[^\w.])" + re.escape(name), l.text)]
            if not told:
                raise Failed("nothing was said about %s:\n%s" % (
                    name, m.tail()))
            if why and not any(why in t for t in told):
                raise Failed("%s: %s was expected, said was: %s" % (
                    name, why, told))
        if not any(re.search(story.PROGRESS, l.text) for l in heard):
            raise Failed("no progress line:\n" + m.tail())
        if "installed %s to" % story.GOOD not in done.text:
            raise Failed("the wrong bundle: " + done.text)
        steps.end("%s is picked from six files and installed" % story.GOOD)

        steps.head("the new system starts")
        m.expect(story.REBOOTING, 10)
        m.expect(story.ATTEMPT, 30, story.RECOVERY)
        running = m.expect(story.RUNNING, 60, story.RECOVERY)
        if story.GOOD not in running.text:
            raise Failed("the wrong version: " + running.text)
        m.expect(story.MARKED, 30, story.NOT_MARKED)
        steps.end("the new system runs from slot A and marks itself good")
        m.expect(r"#$", 10)
        m.send("poweroff -f\n")
        m.wait(20)

    steps.head("the environment, read from outside with fw_printenv")
    env = images.printenv(disk)
    for name in sorted(env) if on_line else ():
        print("           %s=%s" % (name, env[name]))
    expected = {"BOOT_ORDER": "A", "BOOT_A_LEFT": "3", "serialno": "LB-0001"}
    for name, value in expected.items():
        if env.get(name, "").split(" ")[0] != value:
            raise Failed("%s is %r, expected %r" % (
                name, env.get(name), value))
    steps.end("the environment read from outside agrees")


def main():
    begin = float(sys.argv[1]) if len(sys.argv) > 1 else time.time()
    steps = Steps(begin)
    images = Images("qemu-arm64")
    steps.head("a device whose slot A is broken, and a USB stick")
    disk = story.broken_disk(images, "demo-disk.img")
    stick = story.demo_stick(images)
    images.flash()
    for name in images.made:
        print("           made %s" % name)
    print("           device: GPT disk, slot A holds %s, damaged" % story.OLD)
    print("           stick: MBR, FAT32: %s, %s, %s with a flipped bit, %s "
          "for another device" % (story.GOOD, story.OLDER, story.FLIPPED,
                                  story.FOREIGN))
    steps.end("build, device and stick are ready")
    error = None
    try:
        rescue(images, disk, stick, steps)
    except Failed as e:
        error = str(e)
        steps.end("this step did not end as it should", False)
    good = steps.table()
    if error:
        print("\n%s\nwhole console: %s" % (
            error, story.log_path(images, "demo")))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
