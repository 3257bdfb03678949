#!/usr/bin/env python3
# SPDX-License-Identifier: 0BSD
"""modem.py RECEIVER WORKDIR [SIZE]: our receiver beside lrzsz's over the same
made-up line, for each protocol: bytes on the wire (both ways) over bytes in
the file, and time over the time that the file's bytes alone take the line.
The best of five runs each, in turns. Fails when ours is worse than lrzsz's
by more than the slacks below."""

import os
import random
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../diff"))
from modem_line import Line, stop  # noqa: E402

PROTOCOLS = [
    ("XMODEM, CRC", "xmodem", ["sx"], ["rx", "-c"]),
    ("XMODEM, 1K", "xmodem", ["sx", "-k"], ["rx", "-c"]),
    ("YMODEM, 1K", "ymodem", ["sb", "-k"], ["rb"]),
    ("ZMODEM", "zmodem", ["sz"], ["rz", "-y"]),
    ("ZMODEM, 8K", "zmodem", ["sz", "-8"], ["rz", "-y"]),
]
RUNS = 5
WIRE_SLACK = 4  # bytes: XMODEM's end is asked for twice
TIME_SLACK = 0.01  # of the line time: an idle machine has less, see CAMPAIGNS.md


def transfer(command, ours, theirs, receiver, data, folder, baud):
    name = os.path.join(folder, "sent", "file.raucb")
    into = os.path.join(folder, "got")
    got_name = os.path.join(into, "file.raucb")
    for path in (os.path.dirname(name), into):
        os.makedirs(path, exist_ok=True)
    if os.path.exists(got_name):
        os.remove(got_name)
    with open(name, "wb") as file:
        file.write(data)
    line = Line(baud / 10)
    tty = line.ends[1][1]
    # The sender first, until its first words have gone by.
    sender = line.sender(command + [name])
    line.run(lambda: False, 0.3)
    before = line.forth.count + line.back.count
    if ours:
        out = open(got_name, "wb")
        got = subprocess.Popen(
            [receiver, line.receiver_tty(), ours],
            stdout=out, stderr=subprocess.PIPE)
    else:
        extra = [os.path.basename(got_name)] if theirs[0] == "rx" else []
        got = subprocess.Popen(theirs + extra, stdin=tty, stdout=tty,
                               stderr=subprocess.PIPE, cwd=into)
    first = []

    def over():
        moved = line.forth.count + line.back.count
        if not first and moved > before:
            first.append(time.monotonic())
        # whichever ends first: lrzsz flushes the last that it sends away on
        # its way out, for which the other end then waits
        return got.poll() is not None or sender.poll() is not None
    took = line.run(over, len(data) / (baud / 10) * 3 + 30)
    last = max(line.forth.last, line.back.last)
    wire = line.forth.count + line.back.count
    try:
        got.wait(1)
    except subprocess.TimeoutExpired:
        got.kill()
        got.wait()
    stop(sender)
    with open(got_name, "rb") as file:
        whole = file.read().rstrip(b"\x1a") == data.rstrip(b"\x1a")
    line.close()
    if took is None or not whole:
        raise SystemExit("%s: not received" % command)
    line_time = len(data) / (baud / 10)
    return wire / len(data), (last - first[0]) / line_time


def main():
    receiver, work = sys.argv[1:3]
    size = int(sys.argv[3]) if len(sys.argv) > 3 else 100000
    os.makedirs(work, exist_ok=True)
    worse = passed = 0
    print("| baud | protocol | wire, ours | lrzsz | time, ours | lrzsz |")
    print("|---:|---|---:|---:|---:|---:|")
    for baud in (115200, 1000000):
        data = random.Random(5).randbytes(
            size if baud < 500000 else size * 4)
        for title, ours, command, theirs in PROTOCOLS:
            mine, other = [], []
            for _ in range(RUNS):
                mine.append(transfer(command, ours, None, receiver, data,
                                     work, baud))
                other.append(transfer(command, None, theirs, receiver, data,
                                      work, baud))
            wire, spent = (min(r[k] for r in mine)
                           for k in (0, 1))
            wire2, spent2 = (min(r[k] for r in other)
                             for k in (0, 1))
            print("| %d | %s | %.4f | %.4f | %.4f | %.4f |" % (
                baud, title, wire, wire2, spent, spent2), flush=True)
            if wire > wire2 + WIRE_SLACK / len(data) or spent > spent2 + TIME_SLACK:
                worse += 1
            else:
                passed += 1
    print("modem-bench: %d passed, %d failed" % (passed, worse))
    return worse != 0


if __name__ == "__main__":
    sys.exit(main())
