#!/usr/bin/env python3
# SPDX-License-Identifier: 0BSD
"""An exFAT volume with files as writers leave them: in pieces and in one, in
folders of more than one cluster, among deleted ones, half written, larger than
4 GiB. Written from Microsoft's specification alone.

usage: exfat_image.py files IMAGE SECTOR CLUSTER MIB FOLDER
           what is on it also goes to FOLDER, but for /huge.raucb
       exfat_image.py pieces IMAGE CLUSTER MIB RUN
           two files of MIB: whole.bin, and pieces.bin in runs of RUN clusters
           with gaps of the same size, every eighth run out of order
       exfat_image.py stick IMAGE MIB FILE...
           these files, the first in one piece and the others not
       exfat_image.py seeds FOLDER
           small ones, for the fuzzer
"""
import os
import random
import struct
import sys

HUGE = (4 << 30) + (3 << 20) + 12345


def rotate_sum(data, bits, skip=()):
    total = 0
    for i, byte in enumerate(data):
        if i not in skip:
            total = ((total << bits - 1 | total >> 1) + byte) % (1 << bits)
    return total


def upcase_units():
    units = []
    for c in range(0x10000):
        up = chr(c).upper() if not 0xD800 <= c < 0xE000 else chr(c)
        units.append(ord(up) if len(up) == 1 and ord(up) < 0x10000 else c)
    return units


UPCASE = upcase_units()


def upcase_table():
    """Runs of characters that are their own upper case are 0xffff, length."""
    out, c = [], 0
    while c < 0x10000:
        n = 0
        while c + n < 0x10000 and UPCASE[c + n] == c + n:
            n += 1
        if n > 2 or c + n == 0x10000:
            n = min(n, 0xFFFE)
            out += [0xFFFF, n]
            c += n
        else:
            out.append(UPCASE[c])
            c += 1
    return struct.pack("<%dH" % len(out), *out)


class Folder:
    def __init__(self, pieces):
        self.entries = b""
        self.pieces = pieces
        self.subs = []

    def size(self, cluster):
        return max(1, -(-len(self.entries) // cluster)) * cluster


class Volume:
    def __init__(self, path, sector, cluster, size, table=None):
        self.random = random.Random(1)
        self.sector, self.cluster = sector, cluster
        sectors = size // sector
        per = cluster // sector
        self.fat_off = 32 if sector < 4096 else 24
        fat_len = -(-(sectors // per + 2) * 4 // sector)
        self.heap = self.fat_off + fat_len
        self.heap += -self.heap % per
        self.count = (sectors - self.heap) // per
        self.fat_len, self.sectors = fat_len, sectors
        self.fat = {0: 0xFFFFFFF8, 1: 0xFFFFFFFF}
        self.used = bytearray(self.count + 2)
        self.used[0] = self.used[1] = 1
        self.next = 2
        self.file = open(path, "w+b")
        self.file.truncate(size)
        self.root = Folder(True)
        bitmap = self.allocate(-(-self.count // (8 * cluster)), False)
        table = upcase_table() if table is None else table
        upcase = self.allocate(-(-len(table) // cluster), False)
        self.bitmap = bitmap[0]
        self.write(upcase, table)
        for c in bitmap, upcase:
            self.chain(c)
        label = "STICK".encode("utf-16-le")
        self.root.entries += struct.pack("<BB22s8x", 0x83, 5, label)
        self.root.entries += struct.pack(
            "<BB18xIQ", 0x81, 0, bitmap[0], -(-self.count // 8))
        self.root.entries += struct.pack(
            "<B3xI12xIQ", 0x82, rotate_sum(table, 32), upcase[0], len(table))

    def allocate(self, n, pieces):
        """n clusters, one behind the other or in runs of one to three, with
        gaps, and not in order."""
        if not pieces:
            first = self.next
            while any(self.used[first:first + n]):
                first += 1
            got = list(range(first, first + n))
        else:
            runs, at, left = [], self.next + 1, n
            while left > 0:
                run = min(left, self.random.randint(1, 3))
                while any(self.used[at:at + run]):
                    at += 1
                runs.append(range(at, at + run))
                at += run + self.random.randint(1, 3)
                left -= run
            self.random.shuffle(runs)
            got = [c for run in runs for c in run]
        for c in got:
            self.used[c] = 1
        while self.next < self.count and self.used[self.next]:
            self.next += 1
        return got

    def chain(self, clusters):
        for c, following in zip(clusters, clusters[1:] + [0xFFFFFFFF]):
            self.fat[c] = following

    def write(self, clusters, data, offset=0):
        """Whole clusters from number offset on."""
        for i in range(0, len(data), self.cluster):
            c = clusters[offset + i // self.cluster]
            self.file.seek(self.heap * self.sector + (c - 2) * self.cluster)
            self.file.write(data[i:i + self.cluster])

    def entry(self, folder, name, first, size, pieces, attributes=0x20,
              valid=None, deleted=False):
        units = name.encode("utf-16-le")
        n = len(units) // 2
        up = struct.pack("<%dH" % n,
                         *(UPCASE[u] for u in struct.unpack("<%dH" % n, units)))
        stamp = 0x5ACB6A51
        names = -(-n // 15)
        head = struct.pack("<BBHHHIIIBBBBB7x", 0x85, names + 1, 0, attributes,
                           0, stamp, stamp, stamp, 0, 0, 0x80, 0x80, 0x80)
        allocated = 1 if first else 0
        rest = struct.pack("<BBBBHHQIIQ", 0xC0,
                           allocated | (0 if pieces or not first else 2), 0, n,
                           rotate_sum(up, 16), 0,
                           size if valid is None else valid, 0, first, size)
        for i in range(names):
            rest += struct.pack("<BB30s", 0xC1, 0, units[i * 30:i * 30 + 30])
        total = rotate_sum(head + rest, 16, (2, 3))
        entries = bytearray(head[:2] + struct.pack("<H", total) + head[4:] +
                            rest)
        if deleted:
            for i in range(0, len(entries), 32):
                entries[i] &= 0x7F
        folder.entries += entries

    def add(self, folder, name, data, pieces=False, **more):
        clusters = self.allocate(-(-len(data) // self.cluster), pieces)
        valid = more.get("valid", len(data))
        # what was not written is whatever was there before
        self.write(clusters, data[:valid] + b"\xee" * (len(data) - valid))
        if pieces:
            self.chain(clusters)
        self.entry(folder, name, clusters[0] if clusters else 0, len(data),
                   pieces, **more)

    def sub(self, folder, name, pieces):
        f = Folder(pieces)
        folder.subs.append((name, f))
        return f

    def put(self, folder):
        """Its clusters, all of them written."""
        for name, sub in folder.subs:
            self.entry(folder, name, self.put(sub)[0],
                       sub.size(self.cluster), sub.pieces, 0x10)
        size = folder.size(self.cluster)
        clusters = self.allocate(size // self.cluster, folder.pieces)
        if folder.pieces:
            self.chain(clusters)
        self.write(clusters, folder.entries.ljust(size, b"\0"))
        return clusters

    def close(self):
        root = self.put(self.root)
        bitmap = bytearray(-(-self.count // 8))
        for c in range(2, self.count + 2):
            if self.used[c]:
                bitmap[(c - 2) >> 3] |= 1 << (c - 2 & 7)
        self.write(list(range(self.bitmap, self.count + 2)), bytes(bitmap))
        table = bytearray(4 * (max(self.fat) + 1))
        for c, following in self.fat.items():
            struct.pack_into("<I", table, 4 * c, following)
        self.file.seek(self.fat_off * self.sector)
        self.file.write(table)
        shift = self.sector.bit_length() - 1
        boot = struct.pack("<3s8s53xQQIIIIIIHHBBBBB7x",
                           b"\xeb\x76\x90", b"EXFAT   ", 0, self.sectors,
                           self.fat_off, self.fat_len, self.heap, self.count,
                           root[0], 0x00AB12CD, 0x100, 0, shift,
                           (self.cluster // self.sector).bit_length() - 1, 1,
                           0x80, 0xFF)
        boot = boot.ljust(510, b"\xf4") + b"\x55\xaa"
        region = boot.ljust(self.sector, b"\0")
        extended = b"\0" * (self.sector - 4) + b"\0\0\x55\xaa"
        region += extended * 8 + b"\0" * self.sector * 2
        total = rotate_sum(region, 32, (106, 107, 112))
        region += struct.pack("<I", total) * (self.sector // 4)
        self.file.seek(0)
        self.file.write(region * 2)
        self.file.close()


def make_files(image, sector, cluster, mib, folder):
    v = Volume(image, sector, cluster, mib << 20)
    where = {"": v.root}

    def both(path, size, pieces=False, **more):
        data = v.random.randbytes(size)
        sub, name = path.rsplit("/", 1)
        v.add(where[sub], name, data, pieces, **more)
        valid = more.get("valid", size)
        with open(folder + path, "wb") as f:
            f.write(data[:valid].ljust(size, b"\0"))

    os.makedirs(folder)
    for path, pieces in (("/sub", False), ("/Sub Folder 名", True),
                         ("/sub/deeper", False), ("/empty", True)):
        parent, name = path.rsplit("/", 1)
        where[path] = v.sub(where[parent], name, pieces)
        os.mkdir(folder + path)
    v.add(v.root, "gone.raucb", b"x" * 3 * cluster, deleted=True)
    both("/a", 1)
    both("/EMPTY.TXT", 0)
    both("/Mixed.RaucB", cluster)
    both("/one-byte-more.raucb", cluster + 1)
    both("/Grüße-Übung-ß.raucb", 3 * cluster, True)
    both("/日本語の名前.raucb", 32769, True)
    both("/💾🔑 bundle 𝄞.raucb", 70001)
    both("/" + "7" * 255, 600)
    both("/" + "f" * 15, 601)
    both("/" + "e" * 16, 602, True)
    both("/" + "d" * 30, 603)
    both("/._litter.raucb", 604)
    # longer than a file name may be here: passed over
    v.add(v.root, "長" * 200 + ".raucb", b"unseen")
    both("/half-written.raucb", 5 * cluster + 17, valid=cluster + 5)
    both("/not-written.raucb", 2 * cluster, True, valid=0)
    both("/fragmented.raucb", 300 * min(cluster, 4096) + 99, True)
    for sub in "/sub", "/Sub Folder 名":
        for i in range(400):
            both("%s/number %d of many files.txt" % (sub, i), 10 + i % 9)
            if i % 3 == 0:
                v.entry(where[sub], "deleted %d" % i, 0, 0, False,
                        deleted=True)
    both("/sub/deeper/unseen", 5)
    # two pieces of the longest file that FAT cannot hold, the rest a hole
    n = -(-HUGE // cluster)
    if n < v.count // 2:
        clusters = v.allocate(n, True)
        v.chain(clusters)
        for off in 0, (1 << 32) - cluster, 1 << 32, (n - 1) * cluster:
            v.write(clusters, b"at %-20d" % off, off // cluster)
        v.entry(v.root, "huge.raucb", clusters[0], HUGE, True)
    v.close()


def make_pieces(image, cluster, mib, run):
    n = (mib << 20) // cluster
    v = Volume(image, 512, cluster, (mib << 20) * 3 + (2 * run + 4096) *
               cluster)
    first = v.next
    v.entry(v.root, "whole.bin", first, n * cluster, False)
    at = first + n
    clusters = []
    for i in range(n):
        r = i // run
        if r % 8 < 2 and r ^ 1 < n // run:
            r ^= 1
        clusters.append(at + r * 2 * run + i % run)
    v.chain(clusters)
    v.entry(v.root, "pieces.bin", clusters[0], n * cluster, True)
    for c in [*range(first, at), *clusters]:
        v.used[c] = 1
    v.next = max(clusters) + 1
    v.close()


def make_stick(image, mib, paths):
    v = Volume(image, 512, 4096, mib << 20)
    for i, path in enumerate(paths):
        with open(path, "rb") as f:
            v.add(v.root, os.path.basename(path), f.read(), i > 0)
    v.close()


def make_seed(image, sector, pieces):
    v = Volume(image, sector, sector, 90 * sector, b"a\0b\0")
    sub = v.sub(v.root, "sub", pieces)
    v.add(v.root, "a.raucb", b"a" * 3 * sector, pieces)
    v.add(v.root, "gone", b"", deleted=True)
    v.add(v.root, "a name of more than fifteen units.RaucB", b"half" * 300,
          pieces, valid=1000)
    v.add(sub, "b.raucb", b"b" * 5, pieces)
    for i in range(8):
        v.add(sub, "%d" % i, b"", pieces)
    v.close()
    with open(image, "rb+") as f:
        f.truncate(len(f.read().rstrip(b"\0")))


def make_seeds(folder):
    os.makedirs(folder, exist_ok=True)
    for name, sector, pieces in (("whole", 512, False), ("pieces", 512, True),
                                 ("large", 1024, False)):
        make_seed(os.path.join(folder, name), sector, pieces)


def main():
    kind, image, *rest = sys.argv[1:]
    if kind == "files":
        make_files(image, *map(int, rest[:3]), rest[3])
    elif kind == "stick":
        make_stick(image, int(rest[0]), rest[1:])
    elif kind == "seeds":
        make_seeds(image)
    else:
        make_pieces(image, *map(int, rest))


main()
