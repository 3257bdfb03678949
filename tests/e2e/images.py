# SPDX-License-Identifier: 0BSD
"""Makes what the virtual machines run on: disks, sticks, bundles.

Everything lies in build/e2e/BOARD and is made again only when something it
was made from has changed. Needs no root, no mount and no loop device.
"""

import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import threading
import zlib

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
SECTOR = 512
MIB = 1 << 20
ENV_SIZE = 0x1000
ENV_COPIES = (0, 0x10000)
FW_TOOLS = ("fw_printenv", "libubootenv.so.0", "libz.so.1", "libc.so.6",
            "ld-linux-x86-64.so.2")

# What RAUC wrote when it installed the old system, and what is not RAUC's.
STATUS = b"""# kept by the device
[slot.rootfs.0]
bundle.compatible=lifeboat-qemu-arm64
bundle.version=1.0.0
bundle.hash=%064d
status=ok
sha256=%064d
size=33554432
installed.timestamp=2024-02-29T12:00:00Z
installed.count=4
activated.timestamp=2024-02-29T12:00:01Z
activated.count=4

[slot.kernel.0]
bundle.compatible=lifeboat-qemu-arm64
bundle.version=1.0.0
bundle.hash=%064d
status=ok
sha256=%064d
size=29000000
installed.timestamp=2024-02-29T12:00:00Z
installed.count=4

[slot.other.0]
status=ok
sha256=%064d
size=1

[system]
boot-id=5a3c5b1e-5d7a-4f51-9d5e-0e5d3a1c2b4f
""" % (1, 2, 1, 3, 4)

BOARDS = {
    "qemu-arm64": {
        "debian": "arm64",
        "console": "ttyAMA0",
        "qemu": ["qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a57"],
    },
    "qemu-x86_64": {
        "debian": "amd64",
        "console": "ttyS0",
        "qemu": ["qemu-system-x86_64", "-M", "q35"],
    },
}


def run(*args, **kwargs):
    """Runs a program; its output is shown only when it fails."""
    done = subprocess.run(args, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **kwargs)
    if done.returncode != 0:
        raise SystemExit("%s: exit %d\n%s" % (
            " ".join(args), done.returncode,
            done.stdout.decode("utf-8", "replace")))
    return done.stdout.decode("utf-8", "replace")


def put(image, offset, source, length=None):
    """Copies the file source into image at offset; zeros stay holes."""
    with open(source, "rb") as src, open(image, "r+b") as dst:
        while length is None or length > 0:
            data = src.read(MIB if length is None else min(MIB, length))
            if not data:
                break
            if data.count(0) != len(data):
                dst.seek(offset)
                dst.write(data)
            offset += len(data)
            if length is not None:
                length -= len(data)


def sparse(path, size):
    if os.path.exists(path):
        os.unlink(path)
    with open(path, "wb") as f:
        f.truncate(size)


def env_block(variables, flag):
    """One copy of a redundant U-Boot environment."""
    data = b"".join(("%s=%s" % v).encode() + b"\0"
                    for v in variables.items()) + b"\0"
    data += bytes(ENV_SIZE - 5 - len(data))
    return struct.pack("<IB", zlib.crc32(data), flag) + data


class Images:
    def __init__(self, board):
        self.board = board
        self.spec = BOARDS[board]
        self.source = os.path.join(TOP, "board", board)
        self.built = os.environ.get(
            "E2E_BUILD", os.path.join(TOP, "build", board))
        self.out = os.path.join(TOP, "build", "e2e", board)
        os.makedirs(self.out, exist_ok=True)
        self.lifeboat = os.path.join(self.built, "lifeboat")
        self.initramfs = os.path.join(self.built, "initramfs.cpio.gz")
        self.initramfs_net = os.path.join(
            self.built, "initramfs-net.cpio.gz")
        self.recovery_kernel = os.path.join(
            self.built, "kernel", "recovery", "Image")
        self.slot_kernel = os.path.join(self.built, "kernel", "slot", "Image")
        self.compatible = "lifeboat-" + board
        self.made = []
        self.lock = threading.Lock()

    # ---- the cache

    def make(self, name, recipe, inputs=(), params=None):
        """The path of name, made by recipe(path) unless it is up to date."""
        with self.lock:
            return self._make(name, recipe, inputs, params)

    def _make(self, name, recipe, inputs, params):
        path = os.path.join(self.out, name)
        key = [params]
        for i in list(inputs) + [os.path.abspath(__file__)]:
            if os.path.isdir(i):
                for folder, folders, files in os.walk(i):
                    folders.sort()
                    key += [self._stat(os.path.join(folder, f))
                            for f in sorted(files)]
            else:
                key.append(self._stat(i))
        key = hashlib.sha256(json.dumps(key).encode()).hexdigest()
        stamp = path + ".stamp"
        if os.path.exists(path) and os.path.exists(stamp):
            with open(stamp) as f:
                if f.read() == key:
                    return path
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.isdir(path):
            shutil.rmtree(path)
        elif os.path.exists(path):
            os.unlink(path)
        recipe(path)
        with open(stamp, "w") as f:
            f.write(key)
        self.made.append(name)
        return path

    @staticmethod
    def _stat(path):
        s = os.stat(path)
        return [path, s.st_size, s.st_mtime_ns]

    # ---- packages and keys

    def busybox(self):
        deps = os.path.join(TOP, "src", "deps.sh")

        def recipe(path):
            run(deps, "unpack", "busybox-static:" + self.spec["debian"],
                path + ".d")
            shutil.copy(path + ".d/bin/busybox", path)
            shutil.rmtree(path + ".d")
        return self.make("busybox", recipe)

    @staticmethod
    def pki(name):
        return os.path.join(os.environ.get(
            "E2E_PKI", os.path.join(TOP, "build", "pki")), name)

    # ---- the target system

    def rootfs(self, version, size=32 * MIB, broken=False):
        """The file system of one version; broken: its init is damaged."""
        skel = os.path.join(TOP, "rootfs-skel", "target")
        busybox = self.busybox()

        def recipe(path):
            tree = path + ".d"
            shutil.rmtree(tree, ignore_errors=True)
            shutil.copytree(skel, tree, symlinks=True)
            for folder in ("bin", "data", "dev", "proc", "run", "sys",
                           "etc/rauc", "usr/bin"):
                os.makedirs(os.path.join(tree, folder), exist_ok=True)
            shutil.copy(busybox, tree + "/bin/busybox")
            with open(tree + "/applets") as f:
                for line in f:
                    for applet in line.split("#")[0].split():
                        os.symlink("busybox", tree + "/bin/" + applet)
            os.unlink(tree + "/applets")
            shutil.copy(self.lifeboat, tree + "/usr/bin/lifeboat")
            for name, where in (("system.conf", "rauc/system.conf"),
                                ("fw_env.config", "fw_env.config"),
                                ("u-boot-initial-env", "u-boot-initial-env"),
                                ("lifeboat.conf", "lifeboat.conf")):
                if os.path.exists(os.path.join(self.source, name)):
                    shutil.copy(os.path.join(self.source, name),
                                os.path.join(tree, "etc", where))
            shutil.copy(self.pki("keyring.pem"), tree + "/etc/rauc/")
            with open(tree + "/etc/os-release", "w") as f:
                f.write('NAME="lifeboat demo"\nID=lifeboat-demo\n'
                        "VERSION_ID=%s\n" % version)
            if broken:
                # What a power cut in the wrong moment leaves behind.
                os.truncate(tree + "/bin/busybox", 65536)
            sparse(path, size)
            run("mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-m", "0",
                "-L", "rootfs", "-O", "^has_journal", "-E",
                "root_owner=0:0", "-d", tree, path)
            shutil.rmtree(tree)
        return self.make(
            "rootfs-%s-%d%s.ext4" % (version, size // MIB,
                                     "-broken" if broken else ""),
            recipe, [skel, busybox, self.lifeboat, self.source,
                     self.pki("keyring.pem")], [version, size, broken])

    def patched_kernel(self):
        """The slot's kernel with another version text, and that text."""
        with open(self.slot_kernel, "rb") as f:
            image = f.read()
        old = re.search(rb"#\d+ SMP[ -~]{20,200}", image).group()
        new = b"#77 SMP kernel-only-bundle".ljust(len(old))[:len(old)]

        def recipe(path):
            with open(path, "wb") as f:
                f.write(image.replace(old, new))
        return (self.make("patched-kernel", recipe, [self.slot_kernel]),
                new.decode().rstrip())

    # ---- bundles

    def bundle(self, name, version, images, compatible=None, squashfs=None,
               form="verity", to=None):
        """A signed bundle; images: {class: (file name, source)}; squashfs:
        arguments for mksquashfs; to: the certificate that a crypt bundle is
        encrypted for."""
        compatible = compatible or self.compatible

        def recipe(path):
            tree = path + ".d"
            shutil.rmtree(tree, ignore_errors=True)
            os.makedirs(tree)
            with open(tree + "/manifest.raucm", "w") as f:
                f.write("[update]\ncompatible=%s\nversion=%s\n\n"
                        "[bundle]\nformat=%s\n" % (
                            compatible, version, form))
                for image, (file, source) in images.items():
                    f.write("\n[image.%s]\nfilename=%s\n" % (image, file))
                    os.link(source, os.path.join(tree, file))
            run("rauc", "--cert", self.pki("signer.pem"),
                "--key", self.pki("signer.key"),
                "--keyring", self.pki("keyring.pem"),
                "bundle", *(["--mksquashfs-args=" + squashfs]
                            if squashfs else []), tree, path)
            shutil.rmtree(tree)
            if to:
                os.rename(path, path + ".open")
                run("rauc", "--keyring", self.pki("keyring.pem"), "encrypt",
                    "--to=" + to, path + ".open", path)
                os.unlink(path + ".open")
        return self.make(name, recipe,
                         [s for _, s in images.values()] +
                         [self.pki("signer.pem"), self.pki("keyring.pem")] +
                         ([to] if to else []),
                         [version, compatible, images, squashfs, form, to])

    def system_bundle(self, version, name=None, compatible=None, kernel=None):
        return self.bundle(
            name or "lifeboat-%s.raucb" % version, version, {
                "kernel": ("kernel.img", kernel or self.slot_kernel),
                "rootfs": ("rootfs.ext4", self.rootfs(version)),
            }, compatible)

    def stream(self, bundle):
        """The same in stream order."""
        def recipe(path):
            run(os.path.join(TOP, "build", "host", "lifeboat"), "stream",
                bundle, path)
        return self.make(os.path.basename(bundle)[:-1] + "s", recipe,
                         [bundle, os.path.join(TOP, "build", "host",
                                               "lifeboat")])

    def flipped(self, bundle, name):
        """A copy with one bit changed in the middle of the payload."""
        def recipe(path):
            shutil.copy(bundle, path)
            with open(path, "r+b") as f:
                f.seek(os.path.getsize(path) // 2)
                byte = f.read(1)[0]
                f.seek(-1, os.SEEK_CUR)
                f.write(bytes([byte ^ 0x10]))
        return self.make(name, recipe, [bundle])

    # ---- media

    def stick(self, name, files, size=160 * MIB):
        """An MBR stick, FAT32; files: [(name on the stick, path|bytes)]."""
        def recipe(path):
            sparse(path, size)
            run("sfdisk", "-q", path, input=b"label: dos\n"
                b"start=2048,type=c\n")
            run("mkfs.vfat", "-F", "32", "-n", "STICK", "--offset", "2048",
                path, str((size - MIB) // 1024))
            for file, source in files:
                if isinstance(source, bytes):
                    with open(path + ".tmp", "wb") as f:
                        f.write(source)
                    run("mcopy", "-i", path + "@@1M", path + ".tmp",
                        "::" + file)
                    os.unlink(path + ".tmp")
                else:
                    run("mcopy", "-i", path + "@@1M", source, "::" + file)
        return self.make(
            name, recipe, [s for _, s in files if not isinstance(s, bytes)],
            [[f, s if isinstance(s, str) else s.hex()] for f, s in files] +
            [size])

    # ---- the device

    def overlay(self, name, script, files=(), key=None):
        """The initramfs with busybox and /e2e/init, which runs script and
        then the real init as the same process 1; files: [(name below /e2e,
        path)]; key: device_key's. For tests that need an observer beside
        lifeboat; the product's part is unchanged."""
        busybox = self.busybox()
        files = [("busybox", busybox)] + list(files)

        def recipe(path):
            with open(path + ".sh", "w") as f:
                f.write("#!/e2e/busybox sh\n" + script +
                        "\nexec /init </dev/console >/dev/console 2>&1\n")
            words = ("nod /dev/null 0666 c 1 3\ndir /e2e 0755\n"
                     "dir /e2e/proc 0555\ndir /e2e/cgroup 0755\n"
                     "file /e2e/init 0755 %s.sh\n" % path)
            words += "".join("file /e2e/%s 0755 %s\n" % f for f in files)
            if key:
                words += self.key_words(path, key)
            self.append(path, words)
        return self.make(name, recipe, [self.initramfs, self.source] +
                         [path for _, path in files] + ([key] if key else []),
                         [script, files, key])

    def key_words(self, path, key):
        """mkcpio's words for the key that opens what is encrypted for a device,
        for its certificate, and for a system.conf that names both."""
        with open(os.path.join(self.source, "system.conf")) as f:
            text = f.read()
        with open(path + ".conf", "w") as f:
            f.write(text + "\n[encryption]\nkey=/etc/rauc/device.pem\n"
                    "cert=/etc/rauc/device.cert.pem\n")
        return ("file /etc/rauc/system.conf 0644 %s.conf\n"
                "file /etc/rauc/device.pem 0600 %s\n"
                "file /etc/rauc/device.cert.pem 0644 %s\n" %
                (path, key, key.replace(".key.", ".cert.")))

    def device_key(self, name, key):
        """The initramfs with one more archive behind it, as a factory line
        makes it for each device."""
        def recipe(path):
            self.append(path, self.key_words(path, key))
        return self.make(name, recipe, [self.initramfs, self.source, key])

    def append(self, path, words):
        """The initramfs and, behind it, an archive of what words name."""
        mkcpio = os.path.join(TOP, "build", "tools", "mkcpio")
        cpio = subprocess.run([mkcpio, "0"], input=words.encode(),
                              stdout=subprocess.PIPE, check=True).stdout
        with open(self.initramfs, "rb") as f:
            first = f.read()
        with open(path, "wb") as f:
            f.write(first + bytes(-len(first) % 4) + cpio)

    def modules(self, *names):
        """[path] of the recovery kernel's modules and what they need, in the
        order in which they are loaded."""
        folder = os.path.dirname(self.recovery_kernel)
        with open(os.path.join(folder, "version")) as f:
            version = f.read().strip()
        lines = "".join(run("modprobe", "-d", folder, "-S", version,
                            "--show-depends", n) for n in names)
        return list(dict.fromkeys(
            l.split()[1] for l in lines.splitlines()
            if l.startswith("insmod ")))

    def nor_module(self):
        """block2mtd, which calls a block device RAM, changed so that it calls
        it NOR flash: the two constants that it stores one after the other."""
        source = self.modules("block2mtd")[-1]

        def recipe(path):
            with open(source, "rb") as f:
                code = f.read()
            # movb $MTD_RAM, x; ...; movl $MTD_CAP_RAM, y
            found = list(re.finditer(
                rb"(\xc6[\x40-\x47].)\x01(.{0,12}\xc7[\x40-\x47].)"
                rb"\x00\x1c\x00\x00", code, re.DOTALL))
            assert len(found) == 1, "block2mtd is compiled in another way"
            # Without its last line the signature is none.
            code = code.removesuffix(b"~Module signature appended~\n")
            a, b = found[0].span()
            with open(path, "wb") as f:
                f.write(code[:a] + found[0][1] + b"\x03" + found[0][2] +
                        b"\x00\x0c\x00\x00" + code[b:])
        return self.make("nor.ko", recipe, [source])

    def fw_tools(self):
        """[(name, path)]: the target's fw_printenv, which is also fw_setenv,
        with what it is linked with."""
        def recipe(path):
            os.makedirs(path)
            for package in ("libubootenv-tool", "libubootenv0.1", "zlib1g",
                            "libc6"):
                run(os.path.join(TOP, "src", "deps.sh"), "unpack",
                    package + ":" + self.spec["debian"], path + ".d")
            for name in FW_TOOLS:
                found = [os.path.join(folder, name)
                         for folder, _, files in os.walk(path + ".d")
                         if name in files]
                shutil.copy(found[0], path)
            shutil.rmtree(path + ".d")
        folder = self.make("fw_tools", recipe, params=FW_TOOLS)
        return [(n, os.path.join(folder, n)) for n in FW_TOOLS]

    def recovery(self, name="recovery.fat", initramfs=None, words=""):
        """The recovery partition; words: more for its command line."""
        initramfs = initramfs or self.initramfs
        script = os.path.join(self.source, "boot.cmd")

        def recipe(path):
            with open(script) as f:
                text = f.read()
            before = ' rauc.external"'
            assert before in text
            with open(path + ".cmd", "w") as f:
                f.write(text.replace(before, before[:-1] + words + '"'))
            run("mkimage", "-A", "arm64", "-T", "script", "-C", "none",
                "-n", "lifeboat", "-d", path + ".cmd", path + ".scr")
            sparse(path, self.layout()["recovery"][1])
            run("mkfs.vfat", "-n", "RECOVERY", path)
            for file, source in (("Image", self.recovery_kernel),
                                 ("initramfs.cpio.gz", initramfs),
                                 ("boot.scr", path + ".scr")):
                run("mcopy", "-i", path, source, "::" + file)
        return self.make(name, recipe,
                         [script, initramfs, self.recovery_kernel], words)

    @staticmethod
    def layout(rootfs=64 * MIB):
        """{partition: (offset, size)}, in the order of the table."""
        table = {}
        offset = MIB
        for name, size in (("recovery", 64 * MIB), ("env", MIB),
                           ("kernel.0", 48 * MIB), ("rootfs.0", rootfs),
                           ("data", 16 * MIB)):
            table[name] = (offset, size)
            offset += size
        return table

    def data(self, full=False):
        """The data partition: what a device gathers in its life, and RAUC's
        status file, which says that the slots are ok; full: no block is
        free."""
        def recipe(path):
            tree = path + ".d"
            shutil.rmtree(tree, ignore_errors=True)
            for folder in ("log", "rauc/slot.rootfs.0"):
                os.makedirs(os.path.join(tree, folder))
            for name, content in (
                    ("calibration.bin", bytes(range(256)) * 300),
                    ("log/messages", b"what happened\n" * 500),
                    ("empty", b""), ("rauc/notes.txt", b"of the owner\n"),
                    ("rauc/central.raucs", STATUS)):
                with open(os.path.join(tree, name), "wb") as f:
                    f.write(content)
            os.symlink("log/messages", tree + "/link")
            sparse(path, self.layout()["data"][1])
            run("mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-m", "0",
                "-L", "data", "-E", "root_owner=0:0", "-d", tree, path)
            # Whoever builds this, on the device they are root's.
            commands = "".join(
                "set_inode_field /%s %s 0\n" % (name, field)
                for name in ("rauc", "rauc/central.raucs")
                for field in ("uid", "gid"))
            if full:
                free = int(re.search(r"Free blocks:\s+(\d+)", run(
                    "dumpe2fs", "-h", path)).group(1))
                sparse(path + ".fill", (free - 8) * 4096)
                with open(path + ".fill", "r+b") as f:
                    for block in range(free - 8):
                        f.seek(block * 4096)
                        f.write(b"full")
                sparse(path + ".one", 4096)
                with open(path + ".one", "r+b") as f:
                    f.write(b"full")
                commands += "write %s.fill fill\n" % path + "".join(
                    "write %s.one one%d\n" % (path, i) for i in range(8))
            run("debugfs", "-w", "-f", "/dev/stdin", path,
                input=commands.encode())
            shutil.rmtree(tree)
        return self.make("data-full.ext4" if full else "data.ext4", recipe,
                         params=STATUS.decode())

    def data_tree(self, source, disk=True):
        """{path: content} of the data partition of a disk, or of its image;
        the file system must be clean."""
        view = os.path.join(self.out, "data-%d.view" % threading.get_ident())
        sparse(view, self.layout()["data"][1])
        with open(source, "rb") as src, open(view, "r+b") as dst:
            src.seek(self.layout()["data"][0] if disk else 0)
            dst.write(src.read(self.layout()["data"][1]))
        features = run("dumpe2fs", "-h", view)
        assert "needs_recovery" not in features, "the journal is not empty"
        run("e2fsck", "-fn", view)
        tree = view + ".d"
        shutil.rmtree(tree, ignore_errors=True)
        os.makedirs(tree)
        run("debugfs", "-R", "rdump / " + tree, view)
        held = {}
        for folder, folders, files in os.walk(tree):
            for name in folders:
                path = os.path.join(folder, name)
                held[os.path.relpath(path, tree)] = "folder"
            for name in files:
                path = os.path.join(folder, name)
                if os.path.islink(path):
                    content = os.readlink(path)
                else:
                    with open(path, "rb") as f:
                        content = f.read()
                held[os.path.relpath(path, tree)] = content
        shutil.rmtree(tree)
        os.unlink(view)
        return held

    def data_write(self, disk, name, content):
        """Replaces a file of the disk's data partition."""
        offset, size = self.layout()["data"]
        view = disk + ".data"
        sparse(view, size)
        with open(disk, "rb") as src, open(view, "r+b") as dst:
            src.seek(offset)
            dst.write(src.read(size))
        with open(view + ".new", "wb") as f:
            f.write(content)
        run("debugfs", "-w", "-f", "/dev/stdin", view,
            input=("rm /%s\nwrite %s.new /%s\nset_inode_field /%s uid 0\n"
                   % (name, view, name, name)).encode())
        with open(view, "rb") as src, open(disk, "r+b") as dst:
            dst.seek(offset)
            dst.write(src.read())

    def disk(self, name, variables, recovery=None, kernel=None, rootfs=None,
             rootfs_size=64 * MIB, data=None):
        """A fresh disk; variables None: an environment of zeros; data: what is
        on the data partition, default data()."""
        path = os.path.join(self.out, name)
        table = self.layout(rootfs_size)
        end = sum(table["data"])
        sparse(path, end + MIB)
        args = []
        for number, part in enumerate(table, 1):
            offset, size = table[part]
            args += ["-n", "%d:%d:%d" % (number, offset // SECTOR,
                                         (offset + size) // SECTOR - 1),
                     "-c", "%d:%s" % (number, part)]
        run("sgdisk", "-a", "1", "-o", *args, path)

        put(path, table["data"][0], data or self.data())
        for part, source in (("recovery", recovery), ("kernel.0", kernel),
                             ("rootfs.0", rootfs)):
            if source:
                assert os.path.getsize(source) <= table[part][1]
                put(path, table[part][0], source)
        if variables is not None:
            self.write_env(path, ((variables, 0), (variables, 1)))
        with open(path + ".fw_env.config", "w") as f:
            for copy in ENV_COPIES:
                f.write("%s %#x %#x\n" % (path, table["env"][0] + copy,
                                          ENV_SIZE))
        return path

    def write_env(self, disk, copies):
        """Both copies: (variables, flag) each, or None for zeros."""
        with open(disk, "r+b") as f:
            for offset, copy in zip(ENV_COPIES, copies):
                f.seek(self.layout()["env"][0] + offset)
                f.write(env_block(*copy) if copy else bytes(ENV_SIZE))

    @staticmethod
    def printenv(disk):
        """All variables as libubootenv reads them from the disk image."""
        text = run("fw_printenv", "-c", disk + ".fw_env.config")
        return dict(l.split("=", 1) for l in text.splitlines() if "=" in l)

    @staticmethod
    def setenv(disk, name, value):
        run("fw_setenv", "-c", disk + ".fw_env.config", name, value)

    def slot_holds(self, disk, part, source):
        """Whether the partition begins with exactly the file's bytes."""
        offset = self.layout()[part][0]
        with open(disk, "rb") as f, open(source, "rb") as s:
            f.seek(offset)
            while True:
                want = s.read(MIB)
                if not want:
                    return True
                if f.read(len(want)) != want:
                    return False

    def flash(self):
        """U-Boot's own environment; read-only while the machine runs."""
        text = os.path.join(self.source, "u-boot.env")

        def recipe(path):
            run("mkenvimage", "-s", "0x40000", "-o", path, text)
            os.truncate(path, 64 * MIB)
        return self.make("flash.img", recipe, [text])

    def folder(self, name, files):
        """A folder for a server; files: [(name in it, path)]."""
        def recipe(path):
            os.makedirs(path)
            for file, source in files:
                os.link(source, os.path.join(path, file))
        return self.make(name, recipe, [p for _, p in files], files)

    def qemu(self, disk, memory=512, words="", initramfs=None, net=None):
        """The command line that starts the device; net: what QEMU's own
        network, with DHCP and TFTP, is told; None: there is none."""
        args = self.spec["qemu"] + [
            "-m", str(memory), "-accel", "tcg", "-display", "none",
            "-nodefaults", "-serial", "stdio",
            "-drive", "if=none,id=disk,format=raw,file=" + disk,
            "-device", "nvme,drive=disk,serial=lifeboat",
            "-device", "qemu-xhci,id=xhci",
            "-device", "i6300esb", "-action", "watchdog=reset"]
        args += ["-nic", "none"] if net is None else [
            "-netdev", "user,id=net,restrict=on," + net,
            "-device", "virtio-net-pci,netdev=net,romfile="]
        if self.board == "qemu-arm64":
            return args + [
                "-bios", "/usr/lib/u-boot/qemu_arm64/u-boot.bin",
                "-drive", "if=pflash,format=raw,index=1,readonly=on,file=" +
                self.flash()]
        return args + [
            "-kernel", self.recovery_kernel,
            "-initrd", initramfs or self.initramfs, "-append",
            "console=%s panic=5 loglevel=4 rauc.external%s" % (
                self.spec["console"], words)]
