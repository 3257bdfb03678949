#!/usr/bin/env python3
# SPDX-License-Identifier: 0BSD
"""What a disk would hold if the power had failed, from QEMU's write log.

    writelog.py list LOG                  one line an entry
    writelog.py build LOG BASE OUT STATE  the disk in that state
    writelog.py selftest                  "writelog: N passed, N failed"

LOG is what the driver blklogwrites wrote (dm-log-writes, version 1), BASE the
disk as it was before. A STATE names itself:

    57                 the first 57 entries
    57-50,52           without the writes 50 and 52
    57-50~51:0+3,56:4+4  of the writes 51 and 56 only sectors 0..2 and 4..7

A write is unflushed, and may be missing or torn, until a flush follows it.
"""

import collections
import os
import random
import re
import struct
import sys
import tempfile

MAGIC = 0x6a736677736872
FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8
SECTOR = 512
PAGE = 4096 // SECTOR
MIB = 1 << 20
ENTRIES_MAX = 1 << 16


class Malformed(Exception):
    """The log is not one; the text says what was seen."""


# Bytes on the disk, and where in the log those stand; length 0: only a flush.
Entry = collections.namedtuple("Entry", "offset length flags at")
# From `at` in the log, `length` bytes go to `offset` on the disk.
Piece = collections.namedtuple("Piece", "offset length at")


class State(collections.namedtuple("State", "count dropped torn")):
    """count entries; dropped: indices; torn: ((index, first, sectors), ...)"""

    def __str__(self):
        return "%d%s%s" % (
            self.count,
            "-" * bool(self.dropped) + ",".join(map(str, self.dropped)),
            "~" * bool(self.torn) + ",".join("%d:%d+%d" % t
                                             for t in self.torn))

    @staticmethod
    def parse(text):
        found = re.fullmatch(
            r"(\d+)(?:-(\d+(?:,\d+)*))?(?:~(\d+:\d+\+\d+(?:,\d+:\d+\+\d+)*))?",
            text)
        if not found:
            raise Malformed("no state: " + text)
        count, dropped, torn = found.groups()
        return State(
            int(count),
            tuple(map(int, dropped.split(","))) if dropped else (),
            tuple(tuple(map(int, re.split(r"[:+]", t)))
                  for t in torn.split(",")) if torn else ())


def prefix(count):
    return State(count, (), ())


class Log:
    """The entries of a log for a disk of that many bytes."""

    def __init__(self, path, disk_size):
        self.path = path
        self.entries = []
        size = os.path.getsize(path)
        with open(path, "rb") as f:
            head = f.read(28)
            if len(head) != 28:
                raise Malformed("%d bytes: too short for a log" % len(head))
            magic, version, count, sector = struct.unpack("<QQQI", head)
            if (magic, version, sector) != (MAGIC, 1, SECTOR):
                raise Malformed("magic %#x, version %d, sectors of %d" % (
                    magic, version, sector))
            if count > ENTRIES_MAX:
                raise Malformed("%d entries" % count)
            at = SECTOR
            for index in range(count):
                f.seek(at)
                words = f.read(32)
                if len(words) != 32:
                    raise Malformed("it ends in entry %d" % index)
                where, sectors, flags, data = struct.unpack("<QQQQ", words)
                at += SECTOR
                if flags & ~(FLUSH | FUA | MARK) or (
                        data and not flags & MARK):
                    raise Malformed("entry %d: flags %#x" % (index, flags))
                if sectors > (size - at) // SECTOR:
                    raise Malformed("entry %d: %d sectors" % (index, sectors))
                limit = disk_size // SECTOR
                if sectors and (where > limit or sectors > limit - where):
                    raise Malformed("entry %d: sector %d" % (index, where))
                self.entries.append(Entry(where * SECTOR, sectors * SECTOR,
                                          flags, at))
                at += sectors * SECTOR
        self.follow()

    def follow(self, flushes=True):
        """Notes, for each number of entries, the writes that no flush has
        followed; without flushes, as if those were no barrier."""
        self.unflushed = [()]
        for index, entry in enumerate(self.entries):
            now = self.unflushed[-1]
            if entry.flags & FLUSH and flushes:
                now = ()
            if entry.length and not (entry.flags & FUA and flushes):
                now += (index,)
            self.unflushed.append(now)

    def __len__(self):
        return len(self.entries)

    def reorder(self, order):
        """As if the entries had come in that order."""
        self.entries = [self.entries[i] for i in order]
        self.follow()

    def pieces(self, state):
        """What of the log is to be applied, in this order."""
        torn = {index: (first, count) for index, first, count in state.torn}
        for index in list(state.dropped) + list(torn):
            if index >= state.count or not self.entries[index].length:
                raise Malformed("entry %d is no write" % index)
        if state.count > len(self):
            raise Malformed("the log has %d entries" % len(self))
        for index, entry in enumerate(self.entries[:state.count]):
            if index in state.dropped or not entry.length:
                continue
            first, count = torn.get(index, (0, entry.length // SECTOR))
            if (first + count) * SECTOR > entry.length:
                raise Malformed("entry %d has fewer sectors" % index)
            if count:
                yield Piece(entry.offset + first * SECTOR, count * SECTOR,
                            entry.at + first * SECTOR)

    def apply(self, disk, state):
        """Brings the disk from before the log into the state."""
        with open(self.path, "rb") as f, open(disk, "r+b") as d:
            for piece in self.pieces(state):
                f.seek(piece.at)
                d.seek(piece.offset)
                d.write(f.read(piece.length))

    # ---- the states that a cut can leave

    def prefixes(self):
        return [prefix(n) for n in range(len(self) + 1)]

    def _rest(self, count, survivors):
        return tuple(i for i in self.unflushed[count] if i not in survivors)

    def _cuts(self, index, rng):
        """Where a write of some sectors is torn: every 512 bytes of a small
        one; some places of a large one, half of them at 4096."""
        sectors = self.entries[index].length // SECTOR
        if sectors <= PAGE:
            return range(1, sectors)
        cuts = {1, sectors - 1, rng.randrange(1, sectors)}
        return sorted(cuts | {PAGE * rng.randrange(1, sectors // PAGE)
                              for _ in range(3)})

    def losses(self, seed):
        """Of what no flush has followed: each write missing, each one alone
        surviving, each one torn with its beginning or its end surviving, at
        the moment when it is the last and when the next flush is due."""
        rng = random.Random(seed)
        for index, entry in enumerate(self.entries):
            last = index + 1
            if index not in self.unflushed[last]:
                continue
            while (last < len(self) and
                   index in self.unflushed[last + 1]):
                last += 1
            yield State(last, (index,), ())
            yield State(last, self._rest(last, (index,)), ())
            for count in {index + 1, last}:
                for cut in self._cuts(index, rng):
                    sectors = entry.length // SECTOR
                    for part in ((0, cut), (cut, sectors - cut)):
                        yield State(count, (), ((index,) + part,))
                        yield State(count, self._rest(count, (index,)),
                                    ((index,) + part,))

    def samples(self, seed, count):
        """Random subsets of what no flush has followed, some of it torn."""
        rng = random.Random(seed)
        cuts = [n for n in range(len(self) + 1) if self.unflushed[n]]
        while count > 0 and cuts:
            count -= 1
            n = rng.choice(cuts)
            chance = rng.random()
            dropped, torn = [], []
            for index in self.unflushed[n]:
                sectors = self.entries[index].length // SECTOR
                if rng.random() < chance:
                    dropped.append(index)
                elif rng.random() < 0.2:
                    cut = rng.choice(self._cuts(index, rng) or [sectors])
                    first = rng.choice((0, cut))
                    torn.append((index, first, (sectors - first) if first
                                 else cut))
            yield State(n, tuple(dropped), tuple(
                t for t in torn if t[2] > 0))


def copy(source, target):
    """A file with the same content; holes stay holes."""
    size = os.path.getsize(source)
    with open(source, "rb") as src, open(target, "wb") as dst:
        dst.truncate(size)
        at = 0
        while at < size:
            try:
                at = os.lseek(src.fileno(), at, os.SEEK_DATA)
            except OSError:
                break
            end = os.lseek(src.fileno(), at, os.SEEK_HOLE)
            while at < end:
                done = os.copy_file_range(src.fileno(), dst.fileno(),
                                          min(end - at, 64 * MIB), at, at)
                if done == 0:
                    raise Malformed(source + " became shorter")
                at += done


def same(a, b):
    """Whether two files hold the same bytes."""
    if os.path.getsize(a) != os.path.getsize(b):
        return False
    with open(a, "rb") as f, open(b, "rb") as g:
        while True:
            data = f.read(MIB)
            if data != g.read(MIB):
                return False
            if not data:
                return True


# ---- its own test

def written(path, entries, count=None, magic=MAGIC):
    with open(path, "wb") as f:
        f.write(struct.pack("<QQQI", magic, 1, len(entries) if count is None
                            else count, SECTOR).ljust(SECTOR, b"\0"))
        for sector, flags, data in entries:
            f.write(struct.pack("<QQQQ", sector, len(data) // SECTOR, flags,
                                0).ljust(SECTOR, b"\0") + data)


def selftest():
    passed, failed = 0, []

    def check(good, what):
        nonlocal passed
        passed += bool(good)
        if not good:
            failed.append(what)

    def fill(text, sectors=1):
        return text.encode() * (SECTOR * sectors)

    with tempfile.TemporaryDirectory() as folder:
        path, base, out = (os.path.join(folder, n) for n in "lbo")
        with open(base, "wb") as f:
            f.write(fill(".", 16))
        entries = [(0, 0, fill("a", 2)), (2, 0, fill("b")), (0, FLUSH, b""),
                   (1, 0, fill("c", 4)), (8, FUA, fill("d")),
                   (9, 0, fill("e")), (0, MARK, b"")]
        written(path, entries)
        log = Log(path, 16 * SECTOR)

        def holds(text):
            copy(base, out)
            log.apply(out, State.parse(text))
            with open(out, "rb") as f:
                data = f.read()
            return "".join(chr(c) for c in data[::SECTOR])
        for state, want in (
                ("0", "." * 16), ("1", "aa" + "." * 14),
                ("2", "aab" + "." * 13), ("3", "aab" + "." * 13),
                ("4", "acccc" + "." * 11), ("7", "acccc...de......"),
                ("6-3", "aab.....de......"), ("6-3,5", "aab.....d......."),
                ("6~3:0+1", "acb.....de......"),
                ("6-5~3:3+1", "aab.c...d......."),
                ("2-0~1:0+1", "..b" + "." * 13)):
            check(holds(state) == want, state + ": " + holds(state))
            check(str(State.parse(state)) == state, "name " + state)
        check(log.unflushed == [(), (0,), (0, 1), (), (3,), (3,), (3, 5),
                                (3, 5)], "unflushed %s" % log.unflushed)
        names = {str(s) for s in log.losses(1)}
        for state in ("2-0", "2-1", "2~0:1+1", "1~0:0+1", "7-3", "7-5",
                      "4~3:0+3", "7-5~3:0+3", "7~3:3+1"):
            check(state in names, "no loss " + state)
        check(not any(4 in s.dropped or s.count == 3 and s.dropped
                      for s in log.samples(2, 300)), "what is durable is lost")
        check(len({str(s) for s in log.samples(2, 300)}) > 15, "samples")
        check(list(log.samples(2, 9)) == list(log.samples(2, 9)), "seed")
        for bad in ("7-2", "8", "6~3:2+3", "x", "6-7"):
            try:
                holds(bad)
                check(False, "accepted: " + bad)
            except Malformed:
                check(True, bad)
        holds("6")
        check(not same(base, out) and same(base, base), "same")
        log.follow(flushes=False)
        check(log.unflushed[4] == (0, 1, 3), "flushes count")
        log.reorder([5, 3, 0, 2, 1])
        check(holds("2") == ".cccc....e......", "reordered")
        check(log.unflushed[4:] == [(), (4,)], "unflushed, reordered")

        for what, arguments in (
                ("magic", (entries, None, 1)),
                ("a count that the file does not hold", (entries, 8)),
                ("far too many entries", (entries, 1 << 60)),
                ("a discard", ([(0, DISCARD, b"")],)),
                ("behind the disk", ([(15, 0, fill("a", 2))],)),
                ("far behind the disk", ([((1 << 64) - 1, 0, fill("a"))],))):
            written(path, *arguments)
            try:
                Log(path, 16 * SECTOR)
                check(False, "accepted: " + what)
            except Malformed:
                check(True, what)
        written(path, entries)
        os.truncate(path, os.path.getsize(path) - SECTOR - 1)
        for length in (os.path.getsize(path) - 1, 3 * SECTOR, 20, 0):
            os.truncate(path, length)
            try:
                Log(path, 16 * SECTOR)
                check(False, "accepted: cut at %d" % length)
            except Malformed:
                check(True, "cut")
    for what in failed:
        print("writelog: " + what)
    print("writelog: %d passed, %d failed" % (passed, len(failed)))
    return 1 if failed else 0


def main():
    words = sys.argv[1:]
    if words == ["selftest"]:
        return selftest()
    if words[:1] == ["list"] and len(words) == 2:
        for index, entry in enumerate(Log(words[1], 1 << 62).entries):
            print("%5d %s" % (index, "%10d %6d%s" % (
                entry.offset // SECTOR, entry.length // SECTOR,
                " FUA" if entry.flags & FUA else "") if entry.length else {
                FLUSH: "flush", MARK: "mark"}.get(entry.flags, "nothing")))
        return 0
    if words[:1] == ["build"] and len(words) == 5:
        log = Log(words[1], os.path.getsize(words[2]))
        copy(words[2], words[3])
        log.apply(words[3], State.parse(words[4]))
        return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
