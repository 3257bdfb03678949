# SPDX-License-Identifier: 0BSD
"""A serial line made of two pseudo-terminals: bytes take the time they take
at a rate, and may be flipped, lost, put in, or overwritten in bursts, the
same for the same seed. Starts a sender at one end and a receiver at the
other, and counts what goes over."""

import fcntl
import os
import random
import select
import signal
import struct
import subprocess
import termios
import time
import tty

KERNEL_BUFFER = 4096
FIFO = 256


class Noise:
    """Rates are per byte; a burst is up to 40 bytes of rubbish."""

    def __init__(self, seed, flip=0.0, drop=0.0, insert=0.0, burst=0.0):
        self.random = random.Random(seed)
        self.rates = (flip, drop, insert, burst)
        self.left = 0

    def __call__(self, data):
        if not any(self.rates):
            return data
        flip, drop, insert, burst = self.rates
        rand = self.random.random
        out = bytearray()
        for byte in data:
            if self.left:
                self.left -= 1
                out.append(self.random.randrange(256))
                continue
            if burst and rand() < burst:
                self.left = self.random.randrange(40)
            if flip and rand() < flip:
                byte ^= 1 << self.random.randrange(8)
            if drop and rand() < drop:
                continue
            out.append(byte)
            if insert and rand() < insert:
                out.append(self.random.randrange(256))
        return bytes(out)


class Way:
    """One direction. overrun: what happens when the receiver's kernel buffer
    is full: hold (the line holds the sender back), drop, or xoff (drop, but
    the kernel's XOFF and XON are sent, and stop a sender whose terminal is
    set to that at once)."""

    def __init__(self, source, sink, rate, noise, overrun):
        self.source, self.source_slave, _ = source
        self.sink, self.sink_slave, _ = sink
        self.rate, self.noise, self.overrun = rate, noise, overrun
        self.queue = bytearray()
        self.free_at = 0.0
        self.count = 0
        self.last = 0.0  # when the last byte was through
        self.lost = 0
        self.stopped = False
        self.tap = None
        self.cut = False

    def wants(self):
        return len(self.queue) < FIFO

    def take(self, now):
        try:
            data = os.read(self.source, FIFO)
        except OSError:
            return
        if not self.queue:
            self.free_at = max(self.free_at, now)
        self.queue += data

    def room(self):
        held = struct.unpack("i", fcntl.ioctl(self.sink_slave,
                                              termios.FIONREAD, b"\0" * 4))[0]
        return KERNEL_BUFFER - held

    def hold_back(self, now):
        room = self.room()
        if not self.stopped and room < 512:
            self.stopped = True
        elif self.stopped and room > KERNEL_BUFFER * 3 // 4:
            self.stopped = False
            self.free_at = now
        return self.stopped and \
            termios.tcgetattr(self.source_slave)[0] & termios.IXON

    def move(self, now):
        """Delivers what has had its time."""
        if self.overrun == "xoff" and self.hold_back(now):
            return
        if not self.queue:
            return
        n = len(self.queue)
        if self.rate:
            n = min(n, int((now - self.free_at) * self.rate))
            if n <= 0:
                return
            self.free_at += n / self.rate
        data = bytes(self.queue[:n])
        room = self.room()
        if self.overrun == "hold" and n > room:
            self.free_at = now
            return
        del self.queue[:n]
        self.count += n
        self.last = now
        if self.cut:
            return
        data = self.noise(data)
        if self.tap is not None:
            self.tap += data
        if len(data) > room:
            self.lost += len(data) - room
            data = data[:room]
        try:
            os.write(self.sink, data)
        except OSError:
            pass


class Line:
    """rate in bytes a second, 0 for as fast as it goes."""

    def __init__(self, rate=0, noise=None, back_noise=None, overrun="hold"):
        self.ends = []
        for _ in range(2):
            master, slave = os.openpty()
            tty.setraw(slave)
            os.set_blocking(master, False)
            self.ends.append((master, slave, os.ttyname(slave)))
        a, b = self.ends
        quiet = Noise(0)
        self.tick = 0.001 if rate < 50000 else 0.0002
        self.forth = Way(a, b, rate, noise or quiet, overrun)
        self.back = Way(b, a, rate, back_noise or quiet, "hold")

    def sender(self, command, **more):
        """Starts it with the line as its standard input and output."""
        slave = self.ends[0][1]
        termios.tcflush(slave, termios.TCIOFLUSH)
        return subprocess.Popen(command, stdin=slave, stdout=slave,
                                stderr=subprocess.DEVNULL,
                                start_new_session=True, **more)

    def receiver_tty(self):
        return self.ends[1][2]

    def run(self, done, limit, events=()):
        """Until done() is true: the seconds that took, or None at limit.
        events: (predicate, action), each once."""
        start = time.monotonic()
        events = list(events)
        ways = (self.forth, self.back)
        check = 0.0
        while True:
            now = time.monotonic()
            if now - start > limit:
                return None
            if now >= check:
                if done():
                    return now - start
                for event in list(events):
                    if event[0]():
                        events.remove(event)
                        event[1]()
                check = now + 0.002
            self.forth.move(now)
            self.back.move(now)
            wait = [w.source for w in ways if w.wants()]
            busy = any(w.queue for w in ways)
            ready, _, _ = select.select(wait, [], [],
                                        self.tick if busy else 0.004)
            now = time.monotonic()
            for way in ways:
                if way.source in ready:
                    way.take(now)

    def close(self):
        for master, slave, _ in self.ends:
            os.close(master)
            os.close(slave)


def stop(process, how=signal.SIGKILL):
    if process and process.poll() is None:
        try:
            os.killpg(process.pid, how)
        except ProcessLookupError:
            pass
    if process and how == signal.SIGKILL:
        process.wait()
