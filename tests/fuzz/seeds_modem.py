#!/usr/bin/env python3
# SPDX-License-Identifier: 0BSD
"""seeds_modem.py RECEIVER FOLDER: records what lrzsz sends in sessions with
the receiver (tests/diff/modem_recv.c), clean and through noise, as inputs of
modem_fuzz: a byte for the protocol and the size of the pieces, and the rest."""

import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../diff"))
from modem_line import Line, Noise, stop  # noqa: E402

PROTOCOLS = ["auto", "xmodem", "ymodem", "ymodem-g", "zmodem"]
SESSIONS = [
    ("sx", "xmodem", ["sx"]), ("sx-k", "auto", ["sx", "-k"]),
    ("sb", "ymodem", ["sb"]), ("sb-k", "auto", ["sb", "-k"]),
    ("sb-g", "ymodem-g", ["sb", "-k"]), ("sz", "auto", ["sz"]),
    ("sz-e", "zmodem", ["sz", "-e"]), ("sz-o", "zmodem", ["sz", "-o"]),
    ("sz-w", "zmodem", ["sz", "-w", "512"])]


def main():
    receiver, folder = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        name = os.path.join(work, "a file")
        with open(name, "wb") as file:
            file.write(bytes(range(256)) * 3 + b"end \x18\x11\x13\r@\r")
        for title, protocol, command in SESSIONS:
            for noisy in (False, True):
                noise = Noise(7, flip=0.002, insert=0.001, drop=0.001)
                line = Line(20000, noise if noisy else None)
                line.forth.tap = bytearray()
                got = subprocess.Popen(
                    [receiver, line.receiver_tty(), protocol, "patience=5"],
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                line.run(lambda: False, 0.05)
                sender = line.sender(command + [name])
                line.run(lambda: got.poll() is not None and
                         sender.poll() is not None, 12)
                stop(sender)
                got.kill()
                got.wait()
                first = PROTOCOLS.index(protocol) + 5 * (25 - 20 * noisy)
                path = os.path.join(folder, title + "-noise" * noisy)
                with open(path, "wb") as file:
                    file.write(bytes([first]) + bytes(line.forth.tap[:6000]))
                line.close()


main()
