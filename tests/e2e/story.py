# SPDX-License-Identifier: 0BSD
"""What the demo and the cases share: the sentinel lines, and the demo's
device and stick."""

import os

# lifeboat as process 1
START = r"lifeboat \S+: recovery"
STATE = r"boot state: "
WAITING = r"waiting for a medium"
INSTALLED = r"installed \S+ to "
REBOOTING = r"rebooting"
WRITING = r"writing .*\d+ ?%"
REARMED = r"rebooting: .*new boot attempts"
EXPLAINED = r"(does|did) not boot"
PROGRESS = r"\d+ ?%.*MB/s"
# the boot script
ATTEMPT = r"lifeboat boot: slot A, (\d+) attempts left"
RECOVERY = r"lifeboat boot: recovery: "
PANIC = r"Kernel panic - not syncing"
# the target system
RUNNING = r"=== lifeboat demo: version (\S+) is running from slot A ==="
KERNEL = r"=== lifeboat demo: kernel "
MARKED = r"=== lifeboat demo: slot A is marked good ==="
NOT_MARKED = r"=== lifeboat demo: mark-good failed ==="

OLD, OLDER, GOOD, FLIPPED, FOREIGN = "1.0.0", "1.1.0", "1.2.0", "1.3.0", "9.0.0"

APPLE_DOUBLE = bytes.fromhex("0005160700020000") + b"Mac OS X        "


def demo_stick(images):
    """A stick as people bring it: two good bundles, two that must not be
    taken, what a Mac leaves behind, and a note."""
    good = images.system_bundle(GOOD)
    return images.stick("stick.img", [
        ("readme.txt", b"Updates for the device in hall 3.\r\n"),
        ("._lifeboat-%s.raucb" % GOOD, APPLE_DOUBLE.ljust(4096, b"\0")),
        ("lifeboat-%s.raucb" % OLDER, images.system_bundle(OLDER)),
        ("lifeboat-%s.raucb" % FLIPPED, images.flipped(
            images.system_bundle(FLIPPED, "whole-%s.raucb" % FLIPPED),
            "lifeboat-%s.raucb" % FLIPPED)),
        ("lifeboat-%s.raucb" % GOOD, good),
        ("other-device-%s.raucb" % FOREIGN, images.system_bundle(
            FOREIGN, "other-device-%s.raucb" % FOREIGN,
            compatible="somebody-elses-device")),
    ])


def good_stick(images):
    return images.stick("good-stick.img", [
        ("update.raucb", images.system_bundle(GOOD))], 48 << 20)


def variables(left, **more):
    return dict({"BOOT_ORDER": "A", "BOOT_A_LEFT": "%x" % left,
                 "serialno": "LB-0001"}, **more)


def broken_disk(images, name, left=3, **kwargs):
    """Slot A's kernel starts and panics: its process 1 is damaged."""
    if "recovery" not in kwargs:
        kwargs["recovery"] = images.recovery()
    if "rootfs" not in kwargs:
        kwargs["rootfs"] = images.rootfs(OLD, broken=True)
    kwargs.setdefault("kernel", images.slot_kernel)
    values = kwargs.pop("environment", variables(left))
    return images.disk(name, values, **kwargs)


def log_path(images, name):
    folder = os.path.join(images.out, "log")
    os.makedirs(folder, exist_ok=True)
    return os.path.join(folder, name + ".log")
